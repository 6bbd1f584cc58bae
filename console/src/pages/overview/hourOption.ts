import type { EChartsCoreOption } from 'echarts/core';
import type { HourCount } from '../../api/types';
import { FONT } from '../../app/theme';
import { KIND_COLORS, KINDS } from '../../domain/codes';
import { formatTime } from '../../format/time';
import { nameOf } from '../../i18n/locale';
import type { Dictionary } from '../../i18n/zh-CN';

/** "10:00" within one day; with several days the date stands in front. */
export function hourLabels(hours: readonly HourCount[]): string[] {
  const days = new Set(hours.map(({ hour }) => formatTime(hour, 'date')));
  return hours.map(({ hour }) =>
    days.size > 1 ? `${formatTime(hour, 'date').slice(5)} ${formatTime(hour, 'hour')}` : formatTime(hour, 'hour'),
  );
}

/** Stacked exceptions by kind, with the line of all payments on the right axis. */
export function hourOption(hours: readonly HourCount[], t: Dictionary): EChartsCoreOption {
  const shown = KINDS.filter((kind) => hours.some(({ by_kind }) => (by_kind[kind] ?? 0) > 0));
  const axisText = { color: '#66737f', fontSize: 11 };
  return {
    animation: false,
    textStyle: { fontFamily: FONT },
    grid: { left: 8, right: 8, top: 34, bottom: 4, containLabel: true },
    legend: { type: 'scroll', top: 0, left: 0, right: 0, itemWidth: 10, itemHeight: 10, itemGap: 9, textStyle: { color: '#45525f', fontSize: 12 } },
    tooltip: { trigger: 'axis', axisPointer: { type: 'shadow' }, textStyle: { fontSize: 12 }, padding: [6, 10] },
    xAxis: {
      type: 'category',
      data: hourLabels(hours),
      axisTick: { show: false },
      axisLine: { lineStyle: { color: '#c9d2db' } },
      axisLabel: axisText,
    },
    yAxis: [
      { type: 'value', minInterval: 1, axisLabel: axisText, splitLine: { lineStyle: { color: '#edf0f3' } } },
      { type: 'value', minInterval: 1, axisLabel: axisText, splitLine: { show: false } },
    ],
    series: [
      ...shown.map((kind) => ({
        id: kind,
        name: `${kind} ${nameOf(t.kinds, kind)}`,
        type: 'bar',
        stack: 'kinds',
        barMaxWidth: 34,
        itemStyle: { color: KIND_COLORS[kind] },
        data: hours.map(({ by_kind }) => by_kind[kind] ?? 0),
      })),
      {
        id: 'payments',
        name: t.overview.allPayments,
        type: 'line',
        yAxisIndex: 1,
        symbol: 'circle',
        symbolSize: 4,
        lineStyle: { color: '#51606f', width: 1.5 },
        itemStyle: { color: '#51606f' },
        data: hours.map(({ payments }) => payments),
      },
    ],
  };
}
