import { Table, Tag } from 'antd';
import { Link } from 'react-router';
import type { EpisodeDetail, FailureRate, MatchedAgent } from '../../api/types';
import { formatCount } from '../../format/money';
import { nameOf, useT } from '../../i18n/locale';
import { BarCell } from '../../parts/BarCell';
import { Panel } from '../../parts/Panel';
import { Money } from '../../parts/values';
import { rateBp, ratePercent } from './rates';

const COLORS: Record<string, string> = { cleared: 'green', in_scope: 'orange', open: 'default' };

function Rate({ rate, color }: { rate: FailureRate; color: string }) {
  const t = useT();
  return (
    <div title={t.episodes.failedOf(formatCount(rate.failures), formatCount(rate.attempts))}>
      <BarCell value={rateBp(rate)} max={10_000} text={rate.attempts === 0 ? '–' : ratePercent(rate)} color={color} />
    </div>
  );
}

/** Each agent hit: in scope against its own payments elsewhere in the same time. */
export function AgentsPanel({ episode, agents }: { episode: EpisodeDetail; agents: MatchedAgent[] }) {
  const t = useT();
  return (
    <Panel title={t.episodes.matched} hint={t.episodes.matchedHint} flush testId="matched-agents">
      <Table
        size="small"
        rowKey="code"
        pagination={false}
        scroll={{ x: 'max-content' }}
        dataSource={agents}
        columns={[
          {
            title: t.common.agent,
            render: (_, row) => (
              <Link to={`/payments?episode=${encodeURIComponent(episode.id)}&agent=${encodeURIComponent(row.code)}`}>{row.code}</Link>
            ),
          },
          { title: t.episodes.inScope, render: (_, row) => <Rate rate={row.inside} color="#b8323a" /> },
          { title: t.episodes.elsewhere, render: (_, row) => <Rate rate={row.elsewhere} color="#7d93a8" /> },
          {
            title: t.episodes.payments,
            align: 'right',
            render: (_, row) => <span className="number">{formatCount(row.inside.failures)}</span>,
          },
          { title: t.episodes.amount, align: 'right', render: (_, row) => <Money minor={row.amount_minor} /> },
          {
            title: t.episodes.standing,
            render: (_, row) => (
              <Tag color={COLORS[row.standing] ?? 'default'} className="tag-flat">
                {nameOf(t.episodes.standings, row.standing)}
              </Tag>
            ),
          },
        ]}
      />
    </Panel>
  );
}
