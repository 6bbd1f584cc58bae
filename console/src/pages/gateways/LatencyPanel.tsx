import { Table } from 'antd';
import type { GatewayStatus, Latency } from '../../api/types';
import { formatCount } from '../../format/money';
import { useT } from '../../i18n/locale';
import { Panel } from '../../parts/Panel';
import { formatMicros } from './status';

interface Hop {
  name: 'inside' | 'host' | 'total';
  latency: Latency;
}

/** Where the time goes: in the gateway, at the host, and in all. */
export function LatencyPanel({ stats }: { stats: GatewayStatus['stats'] }) {
  const t = useT();
  const hops: Hop[] = [
    { name: 'inside', latency: stats.inside_latency },
    { name: 'host', latency: stats.host_latency },
    { name: 'total', latency: stats.total_latency },
  ];
  const micros = (value: number) => <span className="number nowrap">{formatMicros(value)}</span>;
  return (
    <Panel title={t.gateways.latency} hint={t.gateways.latencyHint} flush testId="gateway-latency">
      <Table<Hop>
        size="small"
        rowKey="name"
        dataSource={hops}
        pagination={false}
        columns={[
          { title: t.gateways.hop, render: (_, hop) => t.gateways.hops[hop.name] },
          { title: t.gateways.p50, align: 'right', render: (_, hop) => micros(hop.latency.p50_us) },
          { title: t.gateways.p99, align: 'right', render: (_, hop) => micros(hop.latency.p99_us) },
          { title: t.gateways.measured, align: 'right', render: (_, hop) => <span className="number">{formatCount(hop.latency.count)}</span> },
        ]}
      />
    </Panel>
  );
}
