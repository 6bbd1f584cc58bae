import { Alert, Tag } from 'antd';
import type { GatewayRow } from '../../api/types';
import { useT } from '../../i18n/locale';
import { Time } from '../../parts/values';
import { AlarmsPanel } from './AlarmsPanel';
import { CodesPanel } from './CodesPanel';
import { FollowingPanel } from './FollowingPanel';
import { GatewayTiles } from './GatewayTiles';
import { HostsPanel } from './HostsPanel';
import { LatencyPanel } from './LatencyPanel';
import { RulesPanel } from './RulesPanel';
import { TrafficPanel } from './TrafficPanel';
import { standingOf, timeOf } from './status';

const COLORS = { running: 'green', silent: 'red', stopped: 'default' } as const;

/** Everything one gateway says about itself. */
export function GatewaySection({ row }: { row: GatewayRow }) {
  const t = useT();
  const { status } = row;
  const standing = standingOf(row);
  return (
    <section className="stack" data-testid="gateway" data-instance={row.instance}>
      <header className="gateway-head">
        <h2>{row.instance}</h2>
        <Tag color={COLORS[standing]} data-testid="gateway-standing">
          {t.gateways[standing]}
        </Tag>
        <span className="quiet">{t.gateways.heading(status.listen, status.dialect, status.version)}</span>
        <span className="quiet">
          {t.gateways.since} <Time at={timeOf(status.started_at)} />
        </span>
        <span className="quiet">
          {t.gateways.said} <Time at={row.at} />
        </span>
      </header>
      {status.imports.error !== null && <Alert type="warning" showIcon title={status.imports.error} />}
      <GatewayTiles status={status} />
      <div className="grid-3-1">
        <TrafficPanel history={status.history} />
        <LatencyPanel stats={status.stats} />
      </div>
      <div className="grid-2">
        <CodesPanel row={row} />
        <RulesPanel row={row} />
      </div>
      <div className="grid-2">
        <FollowingPanel status={status} />
        <HostsPanel links={status.stats.links} />
      </div>
      <AlarmsPanel alarms={status.stats.alarms} />
    </section>
  );
}
