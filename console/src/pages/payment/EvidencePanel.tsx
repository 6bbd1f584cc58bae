import { Collapse, Descriptions, Tag } from 'antd';
import type { EvidenceProof } from '../../api/types';
import { formatCount } from '../../format/money';
import { useT } from '../../i18n/locale';
import { Panel } from '../../parts/Panel';
import { Hash } from '../../parts/values';
import type { ProofStep } from '../../proof/merkle';
import { ProofBadge } from './ProofBadge';
import { SignatureBadge } from './SignatureBadge';
import { useProof } from './useProof';

const HASH = 24;

function ProofPath({ evidence, steps }: { evidence: EvidenceProof; steps: ProofStep[] }) {
  const t = useT();
  if (evidence.proof.length === 0) return <span className="quiet">{t.payment.single}</span>;
  return (
    <ol className="proof-path">
      {evidence.proof.map((sibling, level) => {
        const step = steps[level];
        return (
          <li key={`${level}-${sibling}`}>
            {step && <Tag variant="filled">{step.side === 'left' ? t.payment.left : t.payment.right}</Tag>}
            <Hash value={sibling} length={HASH} />
            {step && <span className="quiet hash"> → {step.hash.slice(0, HASH)}…</span>}
          </li>
        );
      })}
    </ol>
  );
}

/** Where this decision stands in the log, and a proof that the reader's own browser checks. */
export function EvidencePanel({ evidence }: { evidence: EvidenceProof }) {
  const t = useT();
  const check = useProof(evidence);
  const steps = check.state === 'verified' || check.state === 'failed' ? check.steps : [];
  return (
    <Panel
      title={t.payment.evidence}
      extra={
        <span className="proof-badges">
          <Tag color={evidence.verified ? 'green' : 'red'} className="tag-flat" data-testid="server-verified">
            {evidence.verified ? t.payment.serverVerified : t.payment.serverNotVerified}
          </Tag>
          <ProofBadge check={check} />
          <SignatureBadge note={evidence.checkpoint} />
        </span>
      }
      testId="evidence"
    >
      <Descriptions
        size="small"
        column={{ xs: 1, md: 2, xl: 4 }}
        items={[
          {
            key: 'index',
            label: t.payment.entryIndex,
            children: <span className="number">{formatCount(evidence.entry_index)}</span>,
          },
          {
            key: 'size',
            label: t.payment.treeSize,
            children: <span className="number">{formatCount(evidence.tree_size)}</span>,
          },
          { key: 'leaf', label: t.payment.leafHash, children: <Hash value={evidence.leaf_hash} length={HASH} /> },
          { key: 'root', label: t.payment.root, children: <Hash value={evidence.root} length={HASH} /> },
          {
            key: 'verdict',
            label: t.payment.verdictHash,
            span: 'filled',
            children: <Hash value={evidence.verdict_sha256} length={64} />,
          },
        ]}
      />
      <Collapse
        size="small"
        items={[
          {
            key: 'path',
            label: `${t.payment.proofPath} · ${t.payment.proofSteps(evidence.proof.length)}`,
            children: <ProofPath evidence={evidence} steps={steps} />,
          },
          {
            key: 'note',
            label: t.payment.checkpointNote,
            children: <pre className="wrapped hash">{evidence.checkpoint}</pre>,
          },
        ]}
      />
    </Panel>
  );
}
