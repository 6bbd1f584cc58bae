import { expect, test } from 'vitest';
import { both, heat, rateBp, ratePercent } from './rates';

test('rates are percentages with one decimal at most', () => {
  const rate = (failures: number, attempts: number) => ratePercent({ failures, attempts });
  expect([rate(0, 0), rate(0, 10), rate(1, 2), rate(583, 1000), rate(2, 1000), rate(9999, 10_000)]).toEqual([
    '0%',
    '0%',
    '50%',
    '58.3%',
    '0.2%',
    '100%',
  ]);
});

test('sums and heat', () => {
  expect(both({ attempts: 10, failures: 1 }, { attempts: 5, failures: 2 })).toEqual({ attempts: 15, failures: 3 });
  expect(rateBp({ attempts: 4, failures: 1 })).toBe(2500);
  expect(heat(0).color).toBe('#1b2733');
  expect(heat(10_000)).toEqual({ background: 'color-mix(in oklab, #b8323a 100%, #f4f7f9)', color: '#ffffff' });
});
