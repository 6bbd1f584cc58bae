import type { FactSource, Reason, ReasonFact } from '../../api/types';
import { nameOf, pick, pickField, useLocale } from '../../i18n/locale';
import type { Dictionary } from '../../i18n/zh-CN';
import { FactValue } from '../../parts/names';
import { Panel } from '../../parts/Panel';
import { EmptyState } from '../../parts/states';

function sourceText(source: FactSource, t: Dictionary): string {
  const place =
    source.line !== null ? t.common.line(source.line) : source.offset !== null ? t.common.offset(source.offset) : '';
  return place === '' ? source.file_name : `${source.file_name} · ${place}`;
}

function FactRow({ fact }: { fact: ReasonFact }) {
  const { t, locale } = useLocale();
  return (
    <tr>
      <td title={fact.name}>{pick(locale, fact)}</td>
      <td className="fact-value">
        <FactValue value={fact.value} />
      </td>
      <td className="quiet">{fact.source === null ? '–' : sourceText(fact.source, t)}</td>
    </tr>
  );
}

function ReasonItem({ reason }: { reason: Reason }) {
  const { t, locale } = useLocale();
  const { ground } = reason;
  return (
    <li className="reason" data-testid="reason">
      <p data-testid="reason-text">{pickField(locale, reason, 'text')}</p>
      <p className="reason-ground">
        <code>{reason.rule_id}</code>
        {ground.text !== '' && (
          <span>
            <span className="quiet">{t.payment.ground}</span> {ground.text}
          </span>
        )}
        {ground.source !== '' && <span className="quiet">{ground.source}</span>}
        {ground.grade !== '' && (
          <span className="grade" title={ground.grade}>
            {nameOf(t.grades, ground.grade)}
          </span>
        )}
      </p>
      {reason.facts.length === 0 ? (
        <span className="quiet">{t.payment.noFacts}</span>
      ) : (
        <table className="facts">
          <thead>
            <tr>
              <th>{t.payment.fact}</th>
              <th>{t.payment.value}</th>
              <th>{t.common.source}</th>
            </tr>
          </thead>
          <tbody>
            {reason.facts.map((fact) => (
              <FactRow key={fact.name} fact={fact} />
            ))}
          </tbody>
        </table>
      )}
    </li>
  );
}

/** Why the verdict is what it is: each rule that spoke, where it comes from, and the facts it used. */
export function ReasonsPanel({ reasons }: { reasons: Reason[] }) {
  const { t } = useLocale();
  return (
    <Panel title={t.payment.reasons} testId="reasons">
      {reasons.length === 0 ? (
        <EmptyState />
      ) : (
        <ol className="reasons">
          {reasons.map((reason, index) => (
            <ReasonItem key={`${reason.rule_id}-${index}`} reason={reason} />
          ))}
        </ol>
      )}
    </Panel>
  );
}
