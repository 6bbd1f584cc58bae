import { useAlarms, useEpisodes, useSession } from '../../api/queries';
import { useT } from '../../i18n/locale';
import { PageTitle } from '../../parts/PageTitle';
import { Panel } from '../../parts/Panel';
import { Loaded } from '../../parts/states';
import { AlarmsPanel } from './AlarmsPanel';
import { EpisodesTable } from './EpisodesTable';

export function EpisodesPage() {
  const t = useT();
  const query = useEpisodes();
  const session = useSession();
  // A cell may name others, so an agent has no alarms to see.
  const alarms = useAlarms(session.data !== undefined && session.data.role !== 'agent');
  return (
    <>
      <PageTitle title={t.episodes.title} intro={t.episodes.intro} />
      <div className="stack">
        <Loaded query={query}>
          {({ items }) => (
            <Panel title={t.episodes.title} flush>
              <EpisodesTable episodes={items} />
            </Panel>
          )}
        </Loaded>
        {alarms.data !== undefined && <AlarmsPanel alarms={alarms.data.items} />}
      </div>
    </>
  );
}
