import { Table, Tag, type TableColumnsType } from 'antd';
import { Link } from 'react-router';
import type { EpisodeRow } from '../../api/types';
import { formatCount } from '../../format/money';
import { pickField, useLocale } from '../../i18n/locale';
import { CauseName, StateTag } from '../../parts/names';
import { EmptyState } from '../../parts/states';
import { Money, Time } from '../../parts/values';
import { Scope } from './Scope';

export function EpisodesTable({ episodes }: { episodes: EpisodeRow[] }) {
  const { t, locale } = useLocale();
  const columns: TableColumnsType<EpisodeRow> = [
    {
      title: t.episodes.name,
      render: (_, row) => (
        <Link to={`/episodes/${encodeURIComponent(row.id)}`} data-testid="episode-link">
          {pickField(locale, row, 'title')}
        </Link>
      ),
    },
    { title: t.common.cause, width: '12%', render: (_, row) => <CauseName cause={row.cause} /> },
    {
      title: t.common.state,
      className: 'nowrap',
      render: (_, row) => (
        <>
          <StateTag state={row.status} names={t.episodeStatuses} />{' '}
          {row.benign && (
            <Tag color="green" className="tag-flat">
              {t.episodes.benign}
            </Tag>
          )}
          {row.live && (
            <Tag color="blue" className="tag-flat">
              {t.episodes.live}
            </Tag>
          )}
          {row.pattern && <Tag className="tag-flat">{t.episodes.pattern}</Tag>}
        </>
      ),
    },
    { title: t.episodes.started, render: (_, row) => <Time at={row.started_at} style="minute" /> },
    {
      title: t.episodes.ended,
      render: (_, row) =>
        row.ended_at === null ? <span className="quiet">{t.episodes.ongoing}</span> : <Time at={row.ended_at} style="minute" />,
    },
    { title: t.episodes.scope, render: (_, row) => <Scope scope={row.scope} /> },
    {
      title: t.episodes.payments,
      align: 'right',
      className: 'nowrap',
      render: (_, row) =>
        row.live ? (
          <span className="number">{formatCount(row.payments)}</span>
        ) : (
          <Link to={`/payments?episode=${encodeURIComponent(row.id)}`} className="number">
            {formatCount(row.payments)}
          </Link>
        ),
    },
    { title: t.episodes.amount, align: 'right', render: (_, row) => <Money minor={row.amount_minor} /> },
  ];
  return (
    <Table<EpisodeRow>
      size="small"
      rowKey="id"
      columns={columns}
      dataSource={episodes}
      pagination={false}
      locale={{ emptyText: <EmptyState /> }}
    />
  );
}
