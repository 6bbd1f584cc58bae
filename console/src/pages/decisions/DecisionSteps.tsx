import { Button, Input, Space } from 'antd';
import { useState } from 'react';
import type { DecisionStepName } from '../../api/types';
import { useT } from '../../i18n/locale';
import { ProblemAlert } from '../../parts/states';

interface DecisionStepsProps {
  steps: DecisionStepName[];
  pending: boolean;
  error: Error | null;
  take: (step: DecisionStepName, note: string, done: () => void) => void;
}

const NEEDS_NOTE: readonly DecisionStepName[] = ['propose', 'reject', 'revoke'];

/** The steps that this user can take, with the note that some of them need. */
export function DecisionSteps({ steps, pending, error, take }: DecisionStepsProps) {
  const t = useT();
  const [note, setNote] = useState('');
  if (steps.length === 0) return null;
  return (
    <Space orientation="vertical" style={{ width: '100%' }}>
      {error && <ProblemAlert error={error} />}
      <Input
        placeholder={`${t.decisions.note} (${t.decisions.noteHint})`}
        aria-label={t.decisions.note}
        data-testid="decision-note"
        value={note}
        onChange={(event) => setNote(event.target.value)}
      />
      <Space wrap>
        {steps.map((step) => (
          <Button
            key={step}
            type={step === 'propose' || step === 'approve' ? 'primary' : 'default'}
            danger={step === 'reject' || step === 'revoke'}
            disabled={NEEDS_NOTE.includes(step) && note.trim() === ''}
            loading={pending}
            data-testid={`decision-${step}`}
            onClick={() => take(step, note, () => setNote(''))}
          >
            {t.decisions.steps[step]}
          </Button>
        ))}
      </Space>
    </Space>
  );
}
