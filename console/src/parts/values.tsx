import { Tooltip, Typography } from 'antd';
import { Link } from 'react-router';
import { formatMoney } from '../format/money';
import { formatTime, type TimeStyle } from '../format/time';

export function Money({ minor, dash = false }: { minor: number | null | undefined; dash?: boolean }) {
  if (minor === null || minor === undefined || (dash && minor === 0)) return <span className="quiet">–</span>;
  return <span className="number">{formatMoney(minor)}</span>;
}

export function Time({ at, style = 'full' }: { at: string | null | undefined; style?: TimeStyle }) {
  return (
    <Tooltip title={style === 'full' ? undefined : formatTime(at, 'full')}>
      <time className="number nowrap" dateTime={at ?? undefined}>
        {formatTime(at, style)}
      </time>
    </Tooltip>
  );
}

/** A hash or key: shortened for reading, whole for copying. */
export function Hash({ value, length = 12 }: { value: string; length?: number }) {
  return (
    <Typography.Text className="hash" copyable={{ text: value }}>
      <span title={value}>{value.length > length ? `${value.slice(0, length)}…` : value}</span>
    </Typography.Text>
  );
}

export function PaymentLink({ id }: { id: string }) {
  return (
    <Link to={`/payments/${encodeURIComponent(id)}`} className="number nowrap">
      {id}
    </Link>
  );
}
