import { Link } from 'react-router';
import type { EpisodeRow } from '../../api/types';
import { useT } from '../../i18n/locale';
import { Panel } from '../../parts/Panel';
import { EpisodesTable } from '../episodes/EpisodesTable';

export function EpisodesPanel({ episodes }: { episodes: EpisodeRow[] }) {
  const t = useT();
  return (
    <Panel title={t.overview.episodes} extra={<Link to="/episodes">{t.overview.allEpisodes}</Link>} flush testId="episodes">
      <EpisodesTable episodes={episodes} />
    </Panel>
  );
}
