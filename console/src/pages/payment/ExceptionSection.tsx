import type { ExceptionDetail } from '../../api/types';
import { CauseName, KindTag, StatusTag } from '../../parts/names';
import { CasePanel } from './CasePanel';
import { ChangePanel } from './ChangePanel';
import { EvidencePanel } from './EvidencePanel';
import { FindingsPanel } from './FindingsPanel';
import { LedgerPanel } from './LedgerPanel';
import { ReasonsPanel } from './ReasonsPanel';
import { VerdictPanel } from './VerdictPanel';

/** Everything decided about one exception, from the answer down to its proof. */
export function ExceptionSection({ exception }: { exception: ExceptionDetail }) {
  return (
    <section className="stack" data-testid={`exception-${exception.kind}`}>
      <h2 className="exception-heading">
        <KindTag kind={exception.kind} />
        <CauseName cause={exception.cause} />
        <code className="quiet">{exception.cause}</code>
        <StatusTag status={exception.status} />
      </h2>
      <VerdictPanel exception={exception} />
      <div className="verdict-columns">
        <div className="stack">
          <ReasonsPanel reasons={exception.reasons} />
          <LedgerPanel lines={exception.ledger} />
        </div>
        <div className="stack">
          <FindingsPanel findings={exception.findings} reasons={exception.reasons} />
          <ChangePanel changes={exception.would_change} />
          <CasePanel detail={exception.case} episode={exception.episode} />
        </div>
      </div>
      <EvidencePanel evidence={exception.evidence} />
    </section>
  );
}
