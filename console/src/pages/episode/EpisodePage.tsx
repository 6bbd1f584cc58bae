import { ArrowLeftOutlined } from '@ant-design/icons';
import { Button, Descriptions, Table, Tag } from 'antd';
import { useMemo } from 'react';
import { Link, useParams } from 'react-router';
import { useEpisode } from '../../api/queries';
import type { EpisodeDetail, Portrait, TwoTexts } from '../../api/types';
import { formatCount } from '../../format/money';
import { pick, pickField, useLocale } from '../../i18n/locale';
import { BarCell } from '../../parts/BarCell';
import { CauseName, StateTag } from '../../parts/names';
import { PageTitle } from '../../parts/PageTitle';
import { Panel } from '../../parts/Panel';
import { EmptyState, Loaded } from '../../parts/states';
import { Money, Time } from '../../parts/values';
import { Scope } from '../episodes/Scope';
import { AgentsPanel } from './AgentsPanel';
import { ChartPanel } from './ChartPanel';
import './episode.css';
import { amountOption, timelineOption } from './episodeCharts';
import { HypothesesPanel } from './HypothesesPanel';
import { LifeStrip } from './LifeStrip';
import { NoticePanel } from './NoticePanel';
import { ScopeMap } from './ScopeMap';
import { SeenLivePanel } from './SeenLivePanel';

function TextList({ texts, empty }: { texts: TwoTexts[]; empty: string }) {
  const { locale } = useLocale();
  if (texts.length === 0) return <span className="quiet">{empty}</span>;
  return (
    <ul className="plain-list">
      {texts.map((text) => (
        <li key={text.en}>{pick(locale, text)}</li>
      ))}
    </ul>
  );
}

function Exposure({ episode }: { episode: EpisodeDetail }) {
  const { t } = useLocale();
  const max = Math.max(0, ...episode.exposure.map((row) => row.payments));
  return (
    <Panel title={t.episodes.exposure} flush>
      <Table
        size="small"
        rowKey="agent_code"
        pagination={false}
        dataSource={episode.exposure}
        locale={{ emptyText: <EmptyState text={t.episodes.noExposure} /> }}
        columns={[
          {
            title: t.common.agent,
            render: (_, row) => (
              <Link to={`/payments?episode=${encodeURIComponent(episode.id)}&agent=${encodeURIComponent(row.agent_code)}`}>
                {row.agent_code}
              </Link>
            ),
          },
          {
            title: t.episodes.payments,
            align: 'right',
            render: (_, row) => <BarCell value={row.payments} max={max} text={formatCount(row.payments)} />,
          },
          { title: t.episodes.amount, align: 'right', render: (_, row) => <Money minor={row.amount_minor} /> },
        ]}
      />
    </Panel>
  );
}

/** What happened, where, what was excluded, and who is told what. */
function Replay({ episode, portrait }: { episode: EpisodeDetail; portrait: Portrait }) {
  const { t } = useLocale();
  const timeline = useMemo(() => timelineOption(portrait, t), [portrait, t]);
  const amounts = useMemo(() => amountOption(portrait, t), [portrait, t]);
  return (
    <>
      <LifeStrip episode={episode} portrait={portrait} />
      {episode.signals.length > 1 && (
        <Panel title={t.episodes.signals} testId="episode-signals">
          <TextList texts={episode.signals} empty={t.episodes.noSignals} />
        </Panel>
      )}
      <div className={portrait.cut === null ? 'stack' : 'grid-2'}>
        <ChartPanel title={t.episodes.timeline} option={timeline} testId="episode-timeline" />
        {portrait.cut !== null && (
          <ChartPanel title={t.episodes.amountChart} hint={t.episodes.amountHint} option={amounts} testId="episode-amounts" />
        )}
      </div>
      {portrait.map.length > 0 && <ScopeMap episode={episode} rows={portrait.map} />}
      {portrait.hypotheses.length + episode.excluded.length > 0 && (
        <HypothesesPanel hypotheses={portrait.hypotheses} excluded={episode.excluded} />
      )}
      <div className="grid-2">
        <AgentsPanel episode={episode} agents={portrait.agents} />
        <NoticePanel portrait={portrait} />
      </div>
    </>
  );
}

function EpisodeBody({ episode }: { episode: EpisodeDetail }) {
  const { t, locale } = useLocale();
  return (
    <>
      <PageTitle
        title={pickField(locale, episode, 'title')}
        extra={
          !episode.live && (
            <Link to={`/payments?episode=${encodeURIComponent(episode.id)}`}>
              <Button type="primary">{t.episodes.viewPayments}</Button>
            </Link>
          )
        }
      />
      <div className="stack">
        <Panel title={t.episodes.scope}>
          <Descriptions
            size="small"
            column={{ xs: 1, md: 2, xl: 4 }}
            items={[
              { key: 'cause', label: t.common.cause, children: <CauseName cause={episode.cause} /> },
              {
                key: 'state',
                label: t.common.state,
                children: (
                  <>
                    <StateTag state={episode.status} names={t.episodeStatuses} />
                    <StateTag state={episode.state} names={t.episodes.states} />
                    {episode.live && <Tag color="blue">{t.episodes.live}</Tag>}
                    {episode.benign && <Tag color="green">{t.episodes.benign}</Tag>}
                    {episode.pattern && <Tag>{t.episodes.pattern}</Tag>}
                  </>
                ),
              },
              { key: 'from', label: t.episodes.started, children: <Time at={episode.started_at} /> },
              {
                key: 'to',
                label: t.episodes.ended,
                children: episode.ended_at === null ? t.episodes.ongoing : <Time at={episode.ended_at} />,
              },
              { key: 'payments', label: t.episodes.payments, children: formatCount(episode.payments) },
              { key: 'amount', label: t.episodes.amount, children: <Money minor={episode.amount_minor} /> },
              { key: 'scope', label: t.episodes.scope, span: 'filled', children: <Scope scope={episode.scope} full /> },
            ]}
          />
        </Panel>
        {episode.seen_live.length > 0 && <SeenLivePanel seen={episode.seen_live} />}
        {episode.portrait ? (
          <Replay episode={episode} portrait={episode.portrait} />
        ) : (
          <>
            <div className="grid-2">
              <Panel title={t.episodes.signals}>
                <TextList texts={episode.signals} empty={t.episodes.noSignals} />
              </Panel>
              <Panel title={t.episodes.excluded}>
                <TextList texts={episode.excluded} empty={t.episodes.noExcluded} />
              </Panel>
            </div>
            <Exposure episode={episode} />
          </>
        )}
      </div>
    </>
  );
}

export function EpisodePage() {
  const { t } = useLocale();
  const { id = '' } = useParams();
  const query = useEpisode(id);
  return (
    <>
      <Link to="/episodes" className="back-link">
        <ArrowLeftOutlined /> {t.episodes.backToList}
      </Link>
      <Loaded query={query}>{(episode) => <EpisodeBody episode={episode} />}</Loaded>
    </>
  );
}
