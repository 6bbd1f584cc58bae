import type { Query } from '../../api/client';

/** The filters of the list, named as in the API and in the address. Amounts are whole fen. */
export const FILTERS = [
  'only',
  'q',
  'date',
  'kind',
  'cause',
  'outward',
  'agent',
  'merchant',
  'tid',
  'city',
  'episode',
  'diverted_by',
  'diverted',
  'min_amount',
  'max_amount',
] as const;

export type FilterName = (typeof FILTERS)[number];

const PAGE = 100;

/** Exceptions are what people come for; `only=all` shows every payment. */
export function paymentQuery(values: Partial<Record<FilterName, string>>): Query {
  return { ...values, only: values.only === 'all' ? 'all' : 'exceptions', limit: PAGE };
}
