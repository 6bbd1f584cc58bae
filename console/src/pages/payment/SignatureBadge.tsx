import { Tag, Tooltip } from 'antd';
import { useEffect, useState } from 'react';
import { useCheckpoint } from '../../api/queries';
import { useT } from '../../i18n/locale';
import { canVerify } from '../../proof/merkle';
import { checkNote, type SignatureState } from '../../proof/note';

const COLORS: Record<SignatureState, string> = {
  signed: 'green',
  wrong: 'red',
  missing: 'red',
  malformed: 'red',
  unsupported: 'default',
};

/** Checks the checkpoint's signature against the log's published key; says nothing until it knows. */
export function SignatureBadge({ note }: { note: string }) {
  const t = useT();
  const checkpoint = useCheckpoint();
  const key = checkpoint.data?.public_key;
  const [result, setResult] = useState<{ note: string; state: SignatureState } | null>(null);

  useEffect(() => {
    if (key === undefined || !canVerify()) return;
    let current = true;
    void checkNote(note, key).then((state) => {
      if (current) setResult({ note, state });
    });
    return () => {
      current = false;
    };
  }, [note, key]);

  if (key === undefined || result?.note !== note) return null;
  return (
    <Tooltip title={t.payment.signatureHint(key)}>
      <Tag color={COLORS[result.state]} className="tag-flat" data-testid="signature-badge" data-state={result.state}>
        {t.payment.signatures[result.state]}
      </Tag>
    </Tooltip>
  );
}
