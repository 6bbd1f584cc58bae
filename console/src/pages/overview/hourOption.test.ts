import { describe, expect, it } from 'vitest';
import type { HourCount } from '../../api/types';
import { zhCN } from '../../i18n/zh-CN';
import { hourLabels, hourOption } from './hourOption';

const hour = (at: string, by_kind: Record<string, number>): HourCount => ({ hour: at, payments: 100, exceptions: 3, by_kind });

describe('hourLabels', () => {
  it('shows the date only when there are several', () => {
    expect(hourLabels([hour('2026-09-21T06:00:00+08:00', {}), hour('2026-09-21T07:00:00+08:00', {})])).toEqual(['06:00', '07:00']);
    expect(hourLabels([hour('2026-09-21T23:00:00+08:00', {}), hour('2026-09-22T00:00:00+08:00', {})])).toEqual([
      '09-21 23:00',
      '09-22 00:00',
    ]);
  });
});

describe('hourOption', () => {
  it('draws the kinds that occur and the line of all payments', () => {
    const option = hourOption(
      [hour('2026-09-21T06:00:00+08:00', { K4: 2, K6: 1 }), hour('2026-09-21T07:00:00+08:00', { K4: 3 })],
      zhCN,
    );
    expect(option.series).toMatchObject([
      { id: 'K4', data: [2, 3] },
      { id: 'K6', data: [1, 0] },
      { id: 'payments', type: 'line', data: [100, 100] },
    ]);
  });
});
