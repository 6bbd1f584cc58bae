import type { EpisodeDetail, Portrait } from '../../api/types';
import { formatCount, formatMoney } from '../../format/money';
import { formatTime } from '../../format/time';
import { nameOf, useT } from '../../i18n/locale';
import { ratePercent } from './rates';

const LIVE = new Set(['suspected', 'confirmed', 'mitigated', 'reopened']);

/** Seconds between two times. */
const seconds = (from: string, to: string) => Math.round((new Date(to).getTime() - new Date(from).getTime()) / 1000);

function Tile({ label, value, note, alarm = false }: { label: string; value: string; note: string; alarm?: boolean }) {
  return (
    <div className="ep-tile">
      <span className="quiet">{label}</span>
      <b className={`number${alarm ? ' alarm' : ''}`}>{value}</b>
      <small className="quiet number">{note}</small>
    </div>
  );
}

/** What it was in four numbers, and its life as a line of steps. */
export function LifeStrip({ episode, portrait }: { episode: EpisodeDetail; portrait: Portrait }) {
  const t = useT();
  const elsewhere = portrait.timeline.reduce(
    (sum, it) => ({ attempts: sum.attempts + it.elsewhere.attempts, failures: sum.failures + it.elsewhere.failures }),
    { attempts: 0, failures: 0 },
  );
  const opened = portrait.steps[0]?.at;
  const delay = opened !== undefined && portrait.twentieth_at !== null ? seconds(portrait.twentieth_at, opened) : undefined;
  const count = (rate: { attempts: number; failures: number }) =>
    t.episodes.failedOf(formatCount(rate.failures), formatCount(rate.attempts));
  const { cut } = portrait;
  const steps = [{ at: portrait.first_failure_at, state: 'first', seen: undefined }, ...portrait.steps.slice(0, 9)];
  const day = (at: string) => formatTime(at, 'date');
  return (
    <section className="ep-life" data-testid="episode-life">
      <div className="ep-tiles">
        <Tile label={t.episodes.inScope} value={ratePercent(portrait.rate)} note={count(portrait.rate)} alarm />
        <Tile label={t.episodes.elsewhere} value={ratePercent(elsewhere)} note={count(elsewhere)} />
        <Tile
          label={t.episodes.cut}
          value={cut ? `${cut.below ? '<' : '≥'} ${formatMoney(cut.amount_minor)}` : '–'}
          note={cut ? t.episodes.cutHint(formatMoney(cut.low_minor), formatMoney(cut.high_minor)) : t.episodes.noCut}
        />
        <Tile
          label={t.episodes.amount}
          value={formatMoney(episode.amount_minor)}
          note={`${formatCount(episode.payments)} ${t.episodes.payments}`}
        />
      </div>
      <ol className="ep-steps" aria-label={t.episodes.life}>
        {steps.map((step, index) => (
          <li key={`${step.at}${step.state}`} className={LIVE.has(step.state) ? 'ep-live' : step.state === 'first' ? 'ep-first' : 'ep-over'}>
            <b>{step.state === 'first' ? t.episodes.firstFailure : nameOf(t.episodes.states, step.state)}</b>
            <time className="number" dateTime={step.at}>
              {index === 0 || day(step.at) !== day(steps[index - 1]?.at ?? step.at) ? `${day(step.at).slice(5)} ` : ''}
              {formatTime(step.at, 'time')}
            </time>
            <small className="quiet">
              {step.seen && index < 4 ? t.episodes.seenSoFar(formatCount(step.seen.failures), formatCount(step.seen.attempts)) : ' '}
            </small>
          </li>
        ))}
      </ol>
      {delay !== undefined && (
        <p className="ep-delay good" data-testid="episode-delay">
          {delay <= 0 ? t.episodes.beforeTwentieth(-delay) : t.episodes.afterTwentieth(delay)}
        </p>
      )}
    </section>
  );
}
