import { Input, Tooltip } from 'antd';
import { useState } from 'react';
import { moneyInput, parseMoney } from '../../format/money';
import { useT } from '../../i18n/locale';

interface AmountFilterProps {
  /** Whole fen, as text. */
  value: string | undefined;
  onChange: (value: string | undefined) => void;
  placeholder: string;
}

const shown = (value: string | undefined) =>
  value !== undefined && /^\d{1,15}$/.test(value) ? moneyInput(Number(value)) : '';

/** Asks for yuan, keeps fen; text that is no amount is marked and not sent. */
export function AmountFilter({ value, onChange, placeholder }: AmountFilterProps) {
  const t = useT();
  const [draft, setDraft] = useState(() => shown(value));
  const [seen, setSeen] = useState(value);
  if (seen !== value) {
    setSeen(value);
    setDraft(shown(value));
  }
  const minor = draft.trim() === '' ? undefined : parseMoney(draft);
  const invalid = draft.trim() !== '' && minor === undefined;
  const commit = () => {
    const next = minor === undefined ? undefined : String(minor);
    if (!invalid && next !== value) onChange(next);
  };

  return (
    <Tooltip title={invalid ? t.payments.amountInvalid : undefined}>
      <Input
        style={{ width: 110 }}
        prefix="¥"
        inputMode="decimal"
        placeholder={placeholder}
        aria-label={placeholder}
        {...(invalid && { status: 'error' as const })}
        value={draft}
        onChange={(event) => setDraft(event.target.value)}
        onPressEnter={commit}
        onBlur={commit}
      />
    </Tooltip>
  );
}
