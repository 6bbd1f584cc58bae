import type { EpisodeDetail, MapRow } from '../../api/types';
import { formatCount } from '../../format/money';
import { nameOf, useT } from '../../i18n/locale';
import { Panel } from '../../parts/Panel';
import { both, heat, rateBp, ratePercent } from './rates';

/** Dimensions times values: how much of each failed, and how much of it outside of the scope. */
export function ScopeMap({ episode, rows }: { episode: EpisodeDetail; rows: MapRow[] }) {
  const t = useT();
  return (
    <Panel title={t.episodes.scopeMap} hint={t.episodes.scopeMapHint} testId="scope-map">
      <div className="ep-map">
        {rows.map((row) => (
          <div key={row.dim} className="ep-map-row">
            <div className="ep-map-dim">{nameOf(t.scopeDims, row.dim)}</div>
            <div className="ep-map-cells">
              {row.cells.map((cell) => {
                const all = both(cell.inside, cell.elsewhere);
                const named = episode.scope[row.dim]?.includes(cell.value) ?? false;
                const split = !named && cell.inside.failures > 0 && cell.elsewhere.attempts > 0;
                return (
                  <div
                    key={cell.value}
                    className={`ep-cell${named ? ' ep-cell-scope' : ''}`}
                    style={heat(rateBp(all))}
                    title={t.episodes.failedOf(formatCount(all.failures), formatCount(all.attempts))}
                    data-testid={named ? 'scope-cell' : undefined}
                  >
                    <span>{nameOf(t.scopeValues, cell.value)}</span>
                    <b className="number">{ratePercent(all)}</b>
                    <small className="number">
                      {split ? t.episodes.onlyInScope(ratePercent(cell.elsewhere)) : formatCount(all.attempts)}
                    </small>
                  </div>
                );
              })}
            </div>
          </div>
        ))}
      </div>
    </Panel>
  );
}
