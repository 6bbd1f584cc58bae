import { nameOf, useT } from '../../i18n/locale';

const SHOWN = 3;

/** The scope of an episode on one line: dimension and its values, long lists shortened. */
export function Scope({ scope, full = false }: { scope: Record<string, string[]>; full?: boolean }) {
  const t = useT();
  const dims = Object.entries(scope);
  if (dims.length === 0) return <span className="quiet">{t.episodes.wholeFleet}</span>;
  return (
    <div className="scope">
      {dims.map(([dim, values]) => {
        const shown = full ? values : values.slice(0, SHOWN);
        const rest = values.length - shown.length;
        return (
          <div key={dim} title={values.join(', ')}>
            <span className="quiet">{nameOf(t.scopeDims, dim)}</span>{' '}
            <span className="number">{shown.join(', ')}</span>
            {rest > 0 && <span className="quiet"> {t.episodes.moreValues(rest)}</span>}
          </div>
        );
      })}
    </div>
  );
}
