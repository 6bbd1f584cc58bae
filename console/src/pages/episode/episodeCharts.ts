import type { EChartsCoreOption } from 'echarts/core';
import type { Portrait } from '../../api/types';
import { FONT } from '../../app/theme';
import { formatCount, formatMoney } from '../../format/money';
import { formatTime } from '../../format/time';
import { nameOf } from '../../i18n/locale';
import type { Dictionary } from '../../i18n/zh-CN';
import { rateBp, ratePercent } from './rates';

const ALARM = '#b8323a';
const CALM = '#7d93a8';
const axisText = { color: '#66737f', fontSize: 11 };
const percentAxis = {
  type: 'value',
  max: (range: { max: number }) => Math.min(100, Math.max(5, Math.ceil(range.max / 10) * 10)),
  axisLabel: { ...axisText, formatter: '{value}%' },
  splitLine: { lineStyle: { color: '#edf0f3' } },
};
const frame = {
  animation: false,
  textStyle: { fontFamily: FONT },
  grid: { left: 8, right: 18, top: 36, bottom: 4, containLabel: true },
};
const legend = { top: 0, left: 0, itemWidth: 12, itemHeight: 8, itemGap: 14, textStyle: { color: '#45525f', fontSize: 12 } };

/** Failure rates in scope and elsewhere over time, with the moments at which the state changed. */
export function timelineOption(portrait: Portrait, t: Dictionary): EChartsCoreOption {
  const { timeline } = portrait;
  const days = new Set(timeline.map(({ at }) => formatTime(at, 'date')));
  const label = (at: string) =>
    days.size > 1 ? formatTime(at, 'short').slice(0, 11) : formatTime(at, 'minute').slice(11);
  const nearest = (at: string) => {
    const index = timeline.findLastIndex((it) => new Date(it.at) <= new Date(at));
    return Math.max(index, 0);
  };
  const marks = portrait.steps
    .filter(({ state }, index) => portrait.steps.findIndex((it) => it.state === state) === index)
    .filter(({ state }) => state !== 'mitigated')
    .map(({ at, state }, index) => ({
      xAxis: nearest(at),
      label: { formatter: nameOf(t.episodes.states, state), distance: 4 + (index % 2) * 12, color: '#45525f', fontSize: 11 },
    }));
  const line = (name: string, color: string, data: number[], area: boolean) => ({
    name,
    type: 'line',
    step: 'middle',
    symbol: 'none',
    lineStyle: { color, width: area ? 2 : 1.5 },
    itemStyle: { color },
    ...(area ? { areaStyle: { color, opacity: 0.12 } } : {}),
    data,
  });
  const percent = (bp: number) => bp / 100;
  return {
    ...frame,
    grid: { ...frame.grid, top: 58 },
    legend,
    tooltip: { trigger: 'axis', valueFormatter: (value: unknown) => `${String(value)}%`, textStyle: { fontSize: 12 } },
    xAxis: {
      type: 'category',
      data: timeline.map(({ at }) => label(at)),
      axisTick: { show: false },
      axisLine: { lineStyle: { color: '#c9d2db' } },
      axisLabel: axisText,
    },
    yAxis: percentAxis,
    series: [
      {
        ...line(t.episodes.inScope, ALARM, timeline.map(({ inside }) => percent(rateBp(inside))), true),
        markLine: {
          symbol: 'none',
          silent: true,
          lineStyle: { color: '#51606f', type: 'dashed', width: 1 },
          data: marks,
        },
      },
      line(t.episodes.elsewhere, CALM, timeline.map(({ elsewhere }) => percent(rateBp(elsewhere))), false),
    ],
  };
}

/** Failure rate by amount, with the cut. */
export function amountOption(portrait: Portrait, t: Dictionary): EChartsCoreOption {
  const { amounts, cut } = portrait;
  const holds = (from: number) => cut !== null && from < cut.amount_minor === cut.below;
  const first = cut === null ? -1 : amounts.findIndex(({ from_minor }) => from_minor >= cut.amount_minor);
  return {
    ...frame,
    tooltip: {
      trigger: 'axis',
      axisPointer: { type: 'shadow' },
      textStyle: { fontSize: 12 },
      formatter: (items: { dataIndex: number }[]) => {
        const bin = amounts[items[0]?.dataIndex ?? 0];
        if (bin === undefined) return '';
        const counts = t.episodes.failedOf(formatCount(bin.rate.failures), formatCount(bin.rate.attempts));
        return `${formatMoney(bin.from_minor)} – ${formatMoney(bin.to_minor)}<br/><b>${ratePercent(bin.rate)}</b> ${counts}`;
      },
    },
    xAxis: {
      type: 'category',
      data: amounts.map(({ from_minor }) => String(Math.round(from_minor / 100))),
      axisTick: { show: false },
      axisLine: { lineStyle: { color: '#c9d2db' } },
      axisLabel: { ...axisText, interval: 3 },
      name: '¥',
    },
    yAxis: percentAxis,
    series: [
      {
        type: 'bar',
        barCategoryGap: '12%',
        data: amounts.map(({ from_minor, rate }) => ({
          value: rateBp(rate) / 100,
          itemStyle: { color: holds(from_minor) ? ALARM : CALM },
        })),
        ...(cut !== null && first >= 0
          ? {
              markLine: {
                symbol: 'none',
                silent: true,
                lineStyle: { color: '#1b2733', width: 1.5 },
                label: { formatter: formatMoney(cut.amount_minor), color: '#1b2733', fontWeight: 600, fontSize: 13 },
                data: [{ xAxis: first }],
              },
            }
          : {}),
      },
    ],
  };
}
