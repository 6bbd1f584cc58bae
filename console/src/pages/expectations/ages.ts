import type { ExpectationSummary, Standing } from '../../api/types';

/** One row of the matrix: what is awaited and how it stands, its counts by age. */
export interface AgeRow {
  key: string;
  leg: string;
  standing: Standing;
  counts: number[];
  count: number;
  amount_minor: number;
}

const STANDINGS: Standing[] = ['overdue', 'awaited', 'late'];

/** The sums as rows with one count an age; what is overdue comes first, then the most payments. */
export function ageRows(summary: ExpectationSummary[], bands: number): AgeRow[] {
  const rows = new Map<string, AgeRow>();
  for (const { leg, standing, band, count, amount_minor } of summary) {
    const key = `${standing} ${leg}`;
    const row = rows.get(key) ?? { key, leg, standing, counts: Array<number>(bands).fill(0), count: 0, amount_minor: 0 };
    row.counts[band] = (row.counts[band] ?? 0) + count;
    row.count += count;
    row.amount_minor += amount_minor;
    rows.set(key, row);
  }
  return [...rows.values()].sort(
    (one, other) => STANDINGS.indexOf(one.standing) - STANDINGS.indexOf(other.standing) || other.count - one.count,
  );
}

/** Between which hours a band lies; null where there is no bound. */
export function bandHours(band: number, bounds: number[]): { from: number | null; to: number | null } {
  return { from: bounds[band - 1] ?? null, to: bounds[band] ?? null };
}

/** Seconds as the largest unit that says enough. */
export function ageOf(seconds: number): { amount: number; unit: 'second' | 'minute' | 'hour' | 'day' } {
  if (seconds < 120) return { amount: seconds, unit: 'second' };
  if (seconds < 7_200) return { amount: Math.trunc(seconds / 60), unit: 'minute' };
  if (seconds < 172_800) return { amount: Math.trunc(seconds / 3_600), unit: 'hour' };
  return { amount: Math.trunc(seconds / 86_400), unit: 'day' };
}
