import { Select } from 'antd';
import { useSearchParams } from 'react-router';
import type { Overview } from '../../api/types';
import { useOverview } from '../../api/queries';
import { useT } from '../../i18n/locale';
import { PageTitle } from '../../parts/PageTitle';
import { EmptyState, Loaded } from '../../parts/states';
import { CausePanel, KindPanel, OutwardPanel } from './Breakdowns';
import { EpisodesPanel } from './EpisodesPanel';
import { HourPanel } from './HourPanel';
import { StoryCards } from './StoryCards';
import { Tiles } from './Tiles';
import './overview.css';

function OverviewBody({ overview, date }: { overview: Overview; date: string | undefined }) {
  const t = useT();
  if (overview.payments === 0) {
    return <EmptyState text={t.overview.emptyTitle} hint={t.overview.emptyText} />;
  }
  return (
    <div className="stack">
      <Tiles overview={overview} />
      <StoryCards stories={overview.stories} />
      <div className="grid-3-1">
        <HourPanel hours={overview.by_hour} date={date} />
        <OutwardPanel rows={overview.by_outward} date={date} />
      </div>
      <div className="grid-2">
        <KindPanel rows={overview.by_kind} date={date} />
        <CausePanel rows={overview.by_cause} date={date} />
      </div>
      <EpisodesPanel episodes={overview.episodes} />
    </div>
  );
}

export function OverviewPage() {
  const t = useT();
  const [params, setParams] = useSearchParams();
  const date = params.get('date') ?? undefined;
  const query = useOverview(date);
  const dates = query.data?.dates ?? [];

  return (
    <>
      <PageTitle
        title={t.overview.title}
        extra={
          dates.length > 1 && (
            <Select
              style={{ width: 140 }}
              aria-label={t.overview.date}
              value={date ?? ''}
              onChange={(next) => setParams(next === '' ? {} : { date: next }, { replace: true })}
              options={[{ value: '', label: t.overview.allDates }, ...dates.map((day) => ({ value: day, label: day }))]}
            />
          )
        }
      />
      <Loaded query={query}>{(overview) => <OverviewBody overview={overview} date={date} />}</Loaded>
    </>
  );
}
