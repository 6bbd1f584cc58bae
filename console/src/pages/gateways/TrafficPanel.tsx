import { lazy, Suspense, useMemo } from 'react';
import type { GatewaySecond } from '../../api/types';
import { useT } from '../../i18n/locale';
import { Panel } from '../../parts/Panel';
import { Loading } from '../../parts/states';
import { trafficOption } from './status';

const Chart = lazy(() => import('../../charts/Chart'));

const HEIGHT = 190;

export function TrafficPanel({ history }: { history: GatewaySecond[] }) {
  const t = useT();
  const option = useMemo(() => trafficOption(history, t), [history, t]);
  return (
    <Panel title={t.gateways.traffic} hint={t.gateways.trafficHint} testId="gateway-traffic">
      <Suspense fallback={<Loading />}>
        <Chart option={option} height={HEIGHT} label={t.gateways.traffic} />
      </Suspense>
    </Panel>
  );
}
