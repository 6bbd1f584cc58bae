import { describe, expect, it } from 'vitest';
import { dueIn, formatTime } from './time';

describe('formatTime', () => {
  it('shows Asia/Shanghai whatever the offset of the text is', () => {
    expect(formatTime('2026-09-21T16:25:03+08:00')).toBe('2026-09-21 16:25:03');
    expect(formatTime('2026-09-21T08:25:03Z')).toBe('2026-09-21 16:25:03');
    expect(formatTime('2026-09-21T23:30:00-05:00')).toBe('2026-09-22 12:30:00');
  });

  it.each([
    ['full', '2026-09-21 00:05:09'],
    ['minute', '2026-09-21 00:05'],
    ['short', '09-21 00:05:09'],
    ['date', '2026-09-21'],
    ['time', '00:05:09'],
    ['hour', '00:00'],
  ] as const)('%s', (style, text) => {
    expect(formatTime('2026-09-21T00:05:09+08:00', style)).toBe(text);
  });

  it('leaves out what is missing and shows what it cannot read', () => {
    expect(formatTime(null)).toBe('–');
    expect(formatTime(undefined)).toBe('–');
    expect(formatTime('6')).toBe('6'); // new Date('6') is a day in 2001
    expect(formatTime('soon')).toBe('soon');
  });
});

describe('dueIn', () => {
  const now = '2026-09-26T10:00:00+08:00';
  it.each([
    ['2026-09-26T18:00:00+08:00', { amount: 8, unit: 'hour', past: false }],
    ['2026-09-30T10:00:00+08:00', { amount: 4, unit: 'day', past: false }],
    ['2026-09-26T09:30:00+08:00', { amount: 0, unit: 'hour', past: true }],
    ['2026-09-24T18:00:00+08:00', { amount: 40, unit: 'hour', past: true }],
    ['2026-09-20T10:00:00+08:00', { amount: 6, unit: 'day', past: true }],
  ])('%s', (due, left) => {
    expect(dueIn(due, now)).toEqual(left);
  });
});
