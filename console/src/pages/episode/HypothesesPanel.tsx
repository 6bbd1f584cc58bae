import { Tag, Tooltip } from 'antd';
import type { TwoTexts, WeighedHypothesis } from '../../api/types';
import { nameOf, pick, useLocale } from '../../i18n/locale';
import { Panel } from '../../parts/Panel';

const COLORS: Record<string, string> = { supports: 'red', excludes: 'default', unknown: 'gold' };

function List({ title, hypotheses }: { title: string; hypotheses: WeighedHypothesis[] }) {
  const { t, locale } = useLocale();
  if (hypotheses.length === 0) return null;
  return (
    <>
      <h3 className="ep-head">{title}</h3>
      <ul className="ep-hypotheses">
        {hypotheses.map((it) => (
          <li key={it.id} data-testid={`hypothesis-${it.id}`} data-verdict={it.verdict}>
            <Tag color={COLORS[it.verdict] ?? 'default'} className="tag-flat">
              {nameOf(t.episodes.verdicts, it.verdict)}
            </Tag>
            <div>
              <Tooltip title={`${pick(locale, it.looks_at)} (${it.grade})`}>
                <b className={it.verdict === 'excludes' ? 'ep-struck' : undefined}>{pick(locale, it.says)}</b>
              </Tooltip>
              <p className="quiet number">{pick(locale, it.finding)}</p>
            </div>
          </li>
        ))}
      </ul>
    </>
  );
}

/** Hypotheses and look-alikes, each with what its comparison says, and the values that merely sit in the scope. */
export function HypothesesPanel({ hypotheses, excluded }: { hypotheses: WeighedHypothesis[]; excluded: TwoTexts[] }) {
  const { t, locale } = useLocale();
  return (
    <Panel title={t.episodes.considered} testId="hypotheses">
      <div className="ep-columns">
        <div>
          <List title={t.episodes.causes} hypotheses={hypotheses.filter((it) => !it.innocent)} />
        </div>
        <div>
          <List title={t.episodes.lookAlikes} hypotheses={hypotheses.filter((it) => it.innocent)} />
          {excluded.length > 0 && (
            <>
              <h3 className="ep-head">{t.episodes.excluded}</h3>
              <ul className="plain-list">
                {excluded.map((text) => (
                  <li key={text.en}>{pick(locale, text)}</li>
                ))}
              </ul>
            </>
          )}
        </div>
      </div>
    </Panel>
  );
}
