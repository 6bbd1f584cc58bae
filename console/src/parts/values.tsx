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

const MERCHANT_CODE = /^[0-9A-Za-z]{15}$/;
const FEN = /^-?\d{1,12}$/;

/** One side of a break: the code of a merchant as it is, fen as money. */
export function BreakValue({ value }: { value: string }) {
  if (value === '') return <span className="quiet">–</span>;
  if (FEN.test(value) && !MERCHANT_CODE.test(value)) return <Money minor={Number(value)} />;
  return <span className="number">{value}</span>;
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
