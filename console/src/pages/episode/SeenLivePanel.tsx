import type { EpisodeDetail } from '../../api/types';
import { formatCount } from '../../format/money';
import { nameOf, useT } from '../../i18n/locale';
import { Panel } from '../../parts/Panel';
import { Time } from '../../parts/values';

/** When live detection saw what records now tell more exactly. */
export function SeenLivePanel({ seen }: { seen: EpisodeDetail['seen_live'] }) {
  const t = useT();
  const steps = seen.flatMap((live) => live.steps.map((step) => ({ ...step, id: live.id })));
  return (
    <Panel title={t.episodes.seenLive} testId="seen-live">
      <ul className="plain-list">
        {steps.map((step) => (
          <li key={`${step.id} ${step.at} ${step.state}`}>
            <Time at={step.at} style="minute" /> {nameOf(t.episodes.states, step.state)}{' '}
            <span className="quiet">{t.episodes.seenSoFar(formatCount(step.seen.failures), formatCount(step.seen.attempts))}</span>
          </li>
        ))}
      </ul>
    </Panel>
  );
}
