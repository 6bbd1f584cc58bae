import { describe, expect, it } from 'vitest';
import type { GatewayRow, GatewaySecond } from '../../api/types';
import { zhCN } from '../../i18n/zh-CN';
import { codeCounts, formatMicros, requestRate, ruleCounts, standingOf, timeOf, trafficOption } from './status';

const second = (requests: number, at = 0): GatewaySecond => ({ at, requests, replies: 0, refused: 0, no_replies: 0 });

function row(stats: object, rest: object = {}): GatewayRow {
  return { instance: 'g', at: '', stale: false, codes: {}, status: { stopped: false, stats }, ...rest } as unknown as GatewayRow;
}

describe('formatMicros', () => {
  it.each([
    [0, '0 µs'],
    [999, '999 µs'],
    [12_400, '12.4 ms'],
    [999_499, '999 ms'],
    [6_017_000, '6.02 s'],
  ])('%d -> %s', (micros, text) => {
    expect(formatMicros(micros)).toBe(text);
  });
});

describe('requestRate', () => {
  it('looks at the last ten seconds only', () => {
    expect(requestRate([])).toBe(0);
    expect(requestRate([second(1000), ...Array.from({ length: 10 }, () => second(3))])).toBe(3);
    expect(requestRate([second(4), second(2)])).toBe(3);
  });
});

describe('standingOf', () => {
  it('tells a stop from a silence', () => {
    expect(standingOf(row({}))).toBe('running');
    expect(standingOf(row({}, { stale: true }))).toBe('silent');
    expect(standingOf(row({}, { stale: true, status: { stopped: true } }))).toBe('stopped');
  });
});

describe('counts', () => {
  it('puts codes of both writers in one list', () => {
    const counted = codeCounts(row({ host_codes: { '00': 9, '51': 2 }, gateway_codes: { '97': 4 } }));
    expect(counted.map(({ by, code, count }) => `${by} ${code} ${count}`)).toEqual(['host 00 9', 'gateway 97 4', 'host 51 2']);
  });

  it('joins refusals and what was let pass by rule', () => {
    const counted = ruleCounts(row({ refusals: { known: 1 }, opened: { serial: 5, known: 2 } }));
    expect(counted).toEqual([
      { rule: 'known', refused: 1, opened: 2 },
      { rule: 'serial', refused: 0, opened: 5 },
    ]);
  });
});

describe('trafficOption', () => {
  it('draws a line for each thing that is counted, at the gateway’s time', () => {
    const option = trafficOption([second(3, 1_790_000_000_000_000)], zhCN) as {
      xAxis: { data: string[] };
      series: { id: string; data: number[] }[];
    };
    expect(timeOf(1_790_000_000_000_000)).toBe('2026-09-21T14:13:20.000Z');
    expect(option.xAxis.data).toEqual(['22:13:20']);
    expect(option.series.map(({ id }) => id)).toEqual(['requests', 'replies', 'refused', 'no_replies']);
    expect(option.series[0]?.data).toEqual([3]);
  });
});
