import { describe, expect, it } from 'vitest';
import { dictionaries } from '../../i18n/locale';
import { FILTERS, paymentQuery } from '../payments/paymentQuery';
import { GROUPINGS, SORTS, chosen, formatSurprise, paymentsOf } from './leads';

describe('chosen', () => {
  it.each([
    ['terminal', 'terminal'],
    [undefined, 'agent'],
    ['weather', 'agent'],
  ])('%s -> %s', (value, grouping) => {
    expect(chosen(GROUPINGS, value)).toBe(grouping);
  });
});

describe('paymentsOf', () => {
  it('leads to all payments of the group, by filters that the list knows', () => {
    const address = paymentsOf('app_version', { key: '3.0 & 7' });
    expect(address).toBe('/payments?only=all&diverted_by=app_version&diverted=3.0+%26+7');
    const params = new URLSearchParams(address.split('?')[1]);
    for (const name of params.keys()) expect(FILTERS).toContain(name);
    expect(paymentQuery(Object.fromEntries(params))).toMatchObject({ only: 'all', diverted_by: 'app_version', diverted: '3.0 & 7' });
  });
});

describe('formatSurprise', () => {
  it.each([
    [null, '–'],
    [0, '0.0'],
    [301, '0.3'],
    [12_960, '13.0'],
    [299_949, '299.9'],
    [300_000, '≥ 300'],
  ])('%s -> %s', (milli, text) => {
    expect(formatSurprise(milli)).toBe(text);
  });
});

describe('texts', () => {
  it('name every grouping and order', () => {
    for (const t of Object.values(dictionaries)) {
      expect(Object.keys(t.diversions.groupings)).toEqual([...GROUPINGS]);
      expect(Object.keys(t.diversions.sorts)).toEqual([...SORTS]);
    }
  });
});
