import type { Finding, Reason, TwoTexts } from '../../api/types';
import { pick, useLocale } from '../../i18n/locale';
import { CauseName, FactValue, StatusTag } from '../../parts/names';
import { Panel } from '../../parts/Panel';

const ORDER = ['confirmed', 'probable', 'possible', 'excluded'];

/** More excluded causes than these are folded away. */
const EXCLUDED_SHOWN = 3;

type FactNames = Map<string, TwoTexts>;

function FindingItem({ finding, names }: { finding: Finding; names: FactNames }) {
  const { locale } = useLocale();
  const nameOfFact = (fact: string) => {
    const texts = names.get(fact);
    return texts ? pick(locale, texts) : fact;
  };
  return (
    <li className={finding.status === 'excluded' ? 'finding finding-excluded' : 'finding'} data-testid="finding">
      <div className="finding-head">
        <StatusTag status={finding.status} />
        <b>
          <CauseName cause={finding.cause} />
        </b>
        <code className="quiet">{finding.cause}</code>
      </div>
      {finding.facts.length > 0 && (
        <ul>
          {finding.facts.map((fact) => (
            <li key={fact.name} title={fact.source === null ? fact.name : `${fact.name} · ${fact.source}`}>
              <span className="quiet">{nameOfFact(fact.name)}</span>{' '}
              <FactValue value={fact.value} />
            </li>
          ))}
        </ul>
      )}
    </li>
  );
}

function FindingList({ findings, names }: { findings: Finding[]; names: FactNames }) {
  return (
    <ul className="findings">
      {findings.map((finding, index) => (
        <FindingItem key={`${finding.cause}-${index}`} finding={finding} names={names} />
      ))}
    </ul>
  );
}

/** All causes that were considered, the surest first, the excluded last; facts are named as in the reasons. */
export function FindingsPanel({ findings, reasons }: { findings: Finding[]; reasons: Reason[] }) {
  const { t } = useLocale();
  const names: FactNames = new Map(reasons.flatMap((reason) => reason.facts.map((fact) => [fact.name, fact])));
  const sorted = [...findings].sort((a, b) => ORDER.indexOf(a.status) - ORDER.indexOf(b.status));
  const excludedFrom = sorted.findIndex((finding) => finding.status === 'excluded');
  const shown = excludedFrom < 0 || sorted.length - excludedFrom <= EXCLUDED_SHOWN ? sorted.length : excludedFrom;
  return (
    <Panel title={t.payment.findings} testId="findings">
      {sorted.length === 0 ? (
        <span className="quiet">{t.payment.noFindings}</span>
      ) : (
        <>
          <FindingList findings={sorted.slice(0, shown)} names={names} />
          {shown < sorted.length && (
            <details className="findings-rest">
              <summary>{t.payment.moreExcluded(sorted.length - shown)}</summary>
              <FindingList findings={sorted.slice(shown)} names={names} />
            </details>
          )}
        </>
      )}
    </Panel>
  );
}
