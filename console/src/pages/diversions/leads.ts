import type { DiversionRow } from '../../api/types';
import { queryString } from '../../api/client';

/** What diverted payments are grouped by, named as in the API; the first is shown first. */
export const GROUPINGS = ['agent', 'account', 'terminal', 'app_version', 'maintainer', 'merchant'] as const;
export type Grouping = (typeof GROUPINGS)[number];

export const SORTS = ['money', 'surprise'] as const;
export type Sort = (typeof SORTS)[number];

/** What the address asks for, or the first where it asks for something unknown. */
export function chosen<T extends string>(choices: readonly [T, ...T[]], value: string | undefined): T {
  return choices.find((choice) => choice === value) ?? choices[0];
}

/** All payments of a group, in the list of payments; also those without an exception. */
export function paymentsOf(by: Grouping, row: Pick<DiversionRow, 'key'>): string {
  return `/payments${queryString({ only: 'all', diverted_by: by, diverted: row.key })}`;
}

/** 12345 -> "12.3"; the bound is shown as such. */
export function formatSurprise(milli: number | null): string {
  if (milli === null) return '–';
  if (milli >= 300_000) return '≥ 300';
  const tenths = Math.round(milli / 100);
  return `${Math.floor(tenths / 10)}.${tenths % 10}`;
}
