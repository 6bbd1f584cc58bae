import { Badge, Table } from 'antd';
import type { GatewayLink } from '../../api/types';
import { formatCount } from '../../format/money';
import { nameOf, useT } from '../../i18n/locale';
import { Panel } from '../../parts/Panel';
import { EmptyState } from '../../parts/states';

const BADGES: Record<string, 'success' | 'warning' | 'error'> = { up: 'success', sick: 'warning', down: 'error' };

/** The connections to hosts and whether they are healthy. */
export function HostsPanel({ links }: { links: GatewayLink[] }) {
  const t = useT();
  return (
    <Panel title={t.gateways.hosts} flush testId="gateway-hosts">
      <Table<GatewayLink>
        size="small"
        rowKey={(link) => `${link.host}-${link.link}`}
        dataSource={links}
        pagination={links.length > 12 && { pageSize: 12, showSizeChanger: false }}
        locale={{ emptyText: <EmptyState /> }}
        columns={[
          { title: t.gateways.host, dataIndex: 'host' },
          { title: t.gateways.connection, render: (_, link) => <span className="number">{link.link}</span> },
          {
            title: t.gateways.state,
            render: (_, link) => <Badge status={BADGES[link.state] ?? 'warning'} text={nameOf(t.gateways.linkStates, link.state)} />,
          },
          { title: t.gateways.waiting, align: 'right', render: (_, link) => <span className="number">{formatCount(link.waiting_bytes)}</span> },
        ]}
      />
    </Panel>
  );
}
