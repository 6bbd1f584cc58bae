import { useEpisodes } from '../../api/queries';
import { useT } from '../../i18n/locale';
import { PageTitle } from '../../parts/PageTitle';
import { Panel } from '../../parts/Panel';
import { Loaded } from '../../parts/states';
import { EpisodesTable } from './EpisodesTable';

export function EpisodesPage() {
  const t = useT();
  const query = useEpisodes();
  return (
    <>
      <PageTitle title={t.episodes.title} intro={t.episodes.intro} />
      <Loaded query={query}>
        {({ items }) => (
          <Panel title={t.episodes.title} flush>
            <EpisodesTable episodes={items} />
          </Panel>
        )}
      </Loaded>
    </>
  );
}
