import type { ReactNode } from 'react';
import type { GatewayStatus } from '../../api/types';
import { formatCount } from '../../format/money';
import { useT } from '../../i18n/locale';
import { formatMicros, requestRate } from './status';

function Tile({ name, label, value, note, alarm = false }: { name: string; label: string; value: string; note?: ReactNode; alarm?: boolean }) {
  return (
    <div className="gateway-tile">
      <span className="quiet">{label}</span>
      <b className={alarm ? 'alarm number' : 'number'} data-testid={`gateway-${name}`}>
        {value}
      </b>
      <small className="quiet">{note}</small>
    </div>
  );
}

export function GatewayTiles({ status }: { status: GatewayStatus }) {
  const t = useT();
  const { stats, imports, registers } = status;
  const count = (name: string) => stats.counts[name] ?? 0;
  const followed = Object.values(stats.followed).reduce((sum, one) => sum + one, 0);
  return (
    <div className="gateway-tiles">
      <Tile
        name="rate"
        label={t.gateways.rate}
        value={requestRate(status.history).toFixed(1)}
        note={t.gateways.rateNote(formatCount(count('requests')))}
      />
      <Tile
        name="connections"
        label={t.gateways.connections}
        value={formatCount(stats.open_connections)}
        note={registers === null ? undefined : t.gateways.registers(formatCount(registers.terminals))}
      />
      <Tile
        name="open"
        label={t.gateways.open}
        value={formatCount(stats.open_exchanges)}
        note={t.gateways.openNote(followed)}
      />
      <Tile
        name="refused"
        label={t.gateways.refused}
        value={formatCount(count('refused'))}
        note={t.gateways.refusedNote(formatCount(count('passed_open')))}
      />
      <Tile
        name="journal"
        label={t.gateways.journal}
        value={stats.journal.failing ? t.gateways.journalFailing : formatMicros(stats.journal.lag_us)}
        note={status.durability}
        alarm={stats.journal.failing || stats.journal.lost_bytes > 0}
      />
      <Tile
        name="segments"
        label={t.gateways.segments}
        value={formatCount(imports.imported)}
        note={imports.here ? t.gateways.segmentsNote(imports.waiting) : t.gateways.segmentsElsewhere}
      />
    </div>
  );
}
