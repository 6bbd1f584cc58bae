import type { MonitoringRow } from '../../api/types';

const ORDER = ['now', 'end', 'below', 'none'] as const;

/** Reached, will be reached by the month's end, neither, or a programme without a limit. */
export function stateOf(row: MonitoringRow): (typeof ORDER)[number] {
  if (row.now?.reached === true) return 'now';
  if (row.end?.reached === true) return 'end';
  return row.end?.reached === false ? 'below' : 'none';
}

/** The worst first, and among equals what has the fewest cases left. */
export function worstFirst(rows: readonly MonitoringRow[]): MonitoringRow[] {
  const rank = (row: MonitoringRow) => ORDER.indexOf(stateOf(row));
  return [...rows].sort((a, b) => rank(a) - rank(b) || (a.cases_left ?? 0) - (b.cases_left ?? 0));
}
