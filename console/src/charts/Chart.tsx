import type { EChartsCoreOption } from 'echarts/core';
import { useEffect, useRef } from 'react';
import { init } from './echarts';

interface ChartProps {
  option: EChartsCoreOption;
  height: number;
  label: string;
  /** Name of the series that was clicked. */
  onPick?: (series: string) => void;
}

/** One ECharts canvas. Import it lazily: ECharts is the largest part of the bundle. */
export default function Chart({ option, height, label, onPick }: ChartProps) {
  const box = useRef<HTMLDivElement>(null);
  const chart = useRef<ReturnType<typeof init>>(null);
  const pick = useRef(onPick);

  useEffect(() => {
    pick.current = onPick;
  }, [onPick]);

  useEffect(() => {
    if (!box.current) return;
    const made = init(box.current);
    chart.current = made;
    made.on('click', (event) => {
      if (event.seriesId !== undefined) pick.current?.(event.seriesId);
    });
    const observer = new ResizeObserver(() => made.resize());
    observer.observe(box.current);
    return () => {
      observer.disconnect();
      made.dispose();
      chart.current = null;
    };
  }, []);

  useEffect(() => {
    chart.current?.setOption(option, { notMerge: true });
  }, [option]);

  return <div ref={box} style={{ height }} role="img" aria-label={label} data-testid="chart" />;
}
