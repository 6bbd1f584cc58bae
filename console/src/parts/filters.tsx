import { Input, Select } from 'antd';
import { useState } from 'react';
import { useAgents } from '../api/queries';
import { useT } from '../i18n/locale';

interface FieldProps {
  value: string | undefined;
  onChange: (value: string | undefined) => void;
  width?: number;
}

/** A text filter that asks the server when the reader presses Enter or leaves the field. */
export function TextFilter({ value, onChange, placeholder, width = 140, testId }: FieldProps & { placeholder: string; testId?: string }) {
  const [draft, setDraft] = useState(value ?? '');
  const [seen, setSeen] = useState(value);
  if (seen !== value) {
    // The address changed from outside (a link, "clear filters"): the field follows it.
    setSeen(value);
    setDraft(value ?? '');
  }
  const commit = () => {
    const text = draft.trim();
    if (text !== (value ?? '')) onChange(text === '' ? undefined : text);
  };
  return (
    <Input
      allowClear
      style={{ width }}
      placeholder={placeholder}
      aria-label={placeholder}
      data-testid={testId}
      value={draft}
      onChange={(event) => {
        setDraft(event.target.value);
        if (event.type === 'click') onChange(undefined); // the clear button
      }}
      onPressEnter={commit}
      onBlur={commit}
    />
  );
}

export interface Option {
  value: string;
  label: string;
}

export function SelectFilter({
  value,
  onChange,
  options,
  placeholder,
  width = 150,
  testId,
}: FieldProps & { options: Option[]; placeholder: string; testId?: string }) {
  return (
    <Select
      allowClear
      showSearch={{ optionFilterProp: 'label' }}
      style={{ width }}
      popupMatchSelectWidth={false}
      placeholder={placeholder}
      aria-label={placeholder}
      data-testid={testId}
      value={value ?? null}
      onChange={(next: string | null | undefined) => onChange(next ?? undefined)}
      options={options}
    />
  );
}

export function AgentFilter(props: FieldProps) {
  const t = useT();
  const agents = useAgents();
  const options = (agents.data?.items ?? []).map((agent) => ({
    value: agent.code,
    label: `${agent.code} ${agent.name}`,
  }));
  return <SelectFilter {...props} options={options} placeholder={t.common.agent} testId="filter-agent" />;
}
