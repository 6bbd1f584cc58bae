import { Table, Tag } from 'antd';
import type { GatewayStatus, OpenExchange } from '../../api/types';
import { nameOf, useT } from '../../i18n/locale';
import { Panel } from '../../parts/Panel';
import { EmptyState } from '../../parts/states';

/** Payments that are open: how many in each state, and the oldest with their age. */
export function FollowingPanel({ status }: { status: GatewayStatus }) {
  const t = useT();
  const states = Object.entries(status.stats.followed);
  const age = (received_at: number) => t.gateways.seconds(Math.max(0, (status.now - received_at) / 1_000_000).toFixed(1));
  return (
    <Panel title={t.gateways.following} hint={t.gateways.followingHint} flush testId="gateway-following">
      {states.length > 0 && (
        <div className="gateway-states">
          {states.map(([state, count]) => (
            <Tag key={state} color={state === 'ONE_SIDED' ? 'red' : 'orange'} title={state}>
              {nameOf(t.gateways.states, state)} {count}
            </Tag>
          ))}
        </div>
      )}
      <Table<OpenExchange>
        size="small"
        rowKey="exchange"
        dataSource={status.open}
        pagination={status.open.length > 8 && { pageSize: 8, showSizeChanger: false, size: 'small' }}
        locale={{ emptyText: <EmptyState text={t.gateways.nothingOpen} /> }}
        columns={[
          { title: t.gateways.terminal, render: (_, open) => <span className="number">{open.terminal}</span> },
          { title: t.gateways.trace, render: (_, open) => <span className="number">{String(open.trace).padStart(6, '0')}</span> },
          { title: t.gateways.state, render: (_, open) => nameOf(t.gateways.phases, open.phase) },
          { title: t.gateways.age, align: 'right', render: (_, open) => <span className="number nowrap">{age(open.received_at)}</span> },
        ]}
      />
    </Panel>
  );
}
