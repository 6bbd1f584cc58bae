import { ratioBp } from '../format/money';

/** A number with a bar before it, so that a column can be read at a glance. */
export function BarCell({ value, max, text, color }: { value: number; max: number; text: string; color?: string | undefined }) {
  return (
    <div className="bar-cell">
      <span>
        {value > 0 && <i style={{ width: `${ratioBp(value, max) / 100}%`, background: color ?? '#b9c9d9' }} />}
      </span>
      <b className="number">{text}</b>
    </div>
  );
}
