import { describe, expect, it } from 'vitest';
import { ageOf, ageRows, bandHours } from './ages';

describe('ages', () => {
  it('makes one row of each leg and standing, the overdue first', () => {
    const rows = ageRows(
      [
        { leg: 'payout', standing: 'awaited', band: 0, count: 2, amount_minor: 5 },
        { leg: 'payout', standing: 'awaited', band: 2, count: 7, amount_minor: 20 },
        { leg: 'clearing', standing: 'overdue', band: 1, count: 1, amount_minor: 3 },
        { leg: 'journal', standing: 'overdue', band: 1, count: 4, amount_minor: 3 },
      ],
      4,
    );
    expect(rows.map((row) => [row.key, row.counts, row.count, row.amount_minor])).toEqual([
      ['overdue journal', [0, 4, 0, 0], 4, 3],
      ['overdue clearing', [0, 1, 0, 0], 1, 3],
      ['awaited payout', [2, 0, 7, 0], 9, 25],
    ]);
  });

  it('names bands by their bounds and ages by their largest unit', () => {
    expect([0, 1, 3].map((band) => bandHours(band, [1, 24, 72]))).toEqual([
      { from: null, to: 1 },
      { from: 1, to: 24 },
      { from: 72, to: null },
    ]);
    expect([90, 600, 86_400, 259_200].map((seconds) => ageOf(seconds))).toEqual([
      { amount: 90, unit: 'second' },
      { amount: 10, unit: 'minute' },
      { amount: 24, unit: 'hour' },
      { amount: 3, unit: 'day' },
    ]);
  });
});
