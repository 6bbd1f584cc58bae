import type { ExceptionDetail } from '../../api/types';
import { pick, useLocale } from '../../i18n/locale';
import { Panel } from '../../parts/Panel';

/** What somebody who disagrees would have to show. */
export function ChangePanel({ changes }: { changes: ExceptionDetail['would_change'] }) {
  const { t, locale } = useLocale();
  return (
    <Panel title={t.payment.wouldChange} testId="would-change">
      {changes.length === 0 ? (
        <span className="quiet">{t.payment.nothingWouldChange}</span>
      ) : (
        <ul className="plain-list">
          {changes.map((change) => (
            <li key={change.fact} title={change.fact}>
              {pick(locale, change)}
            </li>
          ))}
        </ul>
      )}
    </Panel>
  );
}
