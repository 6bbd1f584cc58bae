import type { EChartsCoreOption } from 'echarts/core';
import type { GatewayRow, GatewaySecond } from '../../api/types';
import { FONT } from '../../app/theme';
import { formatTime } from '../../format/time';
import type { Dictionary } from '../../i18n/zh-CN';

/** Microseconds since 1970 as text that the rest of the console can show. */
export function timeOf(micros: number): string {
  return new Date(micros / 1000).toISOString();
}

/** "85 µs", "12.4 ms", "6.02 s": three digits are enough to compare. */
export function formatMicros(micros: number): string {
  if (micros < 1000) return `${micros} µs`;
  if (micros < 1_000_000) return `${Number((micros / 1000).toPrecision(3))} ms`;
  return `${Number((micros / 1_000_000).toPrecision(3))} s`;
}

/** Requests a second over the last ten whole seconds. */
export function requestRate(history: readonly GatewaySecond[]): number {
  const last = history.slice(-10);
  if (last.length === 0) return 0;
  return last.reduce((sum, { requests }) => sum + requests, 0) / last.length;
}

export type Standing = 'running' | 'silent' | 'stopped';

/** A gateway that was stopped in order is not missed; one that says nothing is. */
export function standingOf(row: GatewayRow): Standing {
  if (row.status.stopped) return 'stopped';
  return row.stale ? 'silent' : 'running';
}

export interface CodeCount {
  by: 'host' | 'gateway';
  code: string;
  count: number;
}

/** Codes of both writers, the most frequent first. */
export function codeCounts(row: GatewayRow): CodeCount[] {
  const { host_codes, gateway_codes } = row.status.stats;
  const of = (by: CodeCount['by'], codes: Record<string, number>): CodeCount[] =>
    Object.entries(codes).map(([code, count]) => ({ by, code, count }));
  return [...of('host', host_codes), ...of('gateway', gateway_codes)].sort(
    (a, b) => b.count - a.count || a.code.localeCompare(b.code),
  );
}

export interface RuleCount {
  rule: string;
  refused: number;
  opened: number;
}

/** Rules that spoke, those that refused most first. */
export function ruleCounts(row: GatewayRow): RuleCount[] {
  const { refusals, opened } = row.status.stats;
  const rules = [...new Set([...Object.keys(refusals), ...Object.keys(opened)])];
  return rules
    .map((rule) => ({ rule, refused: refusals[rule] ?? 0, opened: opened[rule] ?? 0 }))
    .sort((a, b) => b.refused - a.refused || b.opened - a.opened || a.rule.localeCompare(b.rule));
}

/** Four lines over the last two minutes. */
export function trafficOption(history: readonly GatewaySecond[], t: Dictionary): EChartsCoreOption {
  const axisText = { color: '#66737f', fontSize: 11 };
  const line = (id: 'requests' | 'replies' | 'refused' | 'no_replies', name: string, color: string) => ({
    id,
    name,
    type: 'line',
    showSymbol: false,
    lineStyle: { color, width: 1.5 },
    itemStyle: { color },
    data: history.map((second) => second[id]),
  });
  return {
    animation: false,
    textStyle: { fontFamily: FONT },
    grid: { left: 8, right: 8, top: 34, bottom: 4, containLabel: true },
    legend: { top: 0, left: 0, itemWidth: 12, itemHeight: 8, textStyle: { color: '#45525f', fontSize: 12 } },
    tooltip: { trigger: 'axis', textStyle: { fontSize: 12 }, padding: [6, 10] },
    xAxis: {
      type: 'category',
      data: history.map(({ at }) => formatTime(timeOf(at), 'time')),
      axisTick: { show: false },
      axisLine: { lineStyle: { color: '#c9d2db' } },
      axisLabel: axisText,
    },
    yAxis: { type: 'value', minInterval: 1, axisLabel: axisText, splitLine: { lineStyle: { color: '#edf0f3' } } },
    series: [
      line('requests', t.gateways.requests, '#2f6fb0'),
      line('replies', t.gateways.replies, '#2f7d4f'),
      line('refused', t.gateways.refusals, '#d9a036'),
      line('no_replies', t.gateways.noReplies, '#b8323a'),
    ],
  };
}
