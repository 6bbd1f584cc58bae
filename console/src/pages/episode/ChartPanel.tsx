import type { EChartsCoreOption } from 'echarts/core';
import { lazy, Suspense } from 'react';
import { Panel } from '../../parts/Panel';
import { Loading } from '../../parts/states';

const Chart = lazy(() => import('../../charts/Chart'));

interface ChartPanelProps {
  title: string;
  hint?: string;
  option: EChartsCoreOption;
  testId: string;
}

export function ChartPanel({ title, hint, option, testId }: ChartPanelProps) {
  return (
    <Panel title={title} hint={hint} testId={testId}>
      <Suspense fallback={<Loading />}>
        <Chart option={option} height={280} label={title} />
      </Suspense>
    </Panel>
  );
}
