import { lazy, Suspense, useCallback, useMemo } from 'react';
import { useNavigate } from 'react-router';
import { queryString } from '../../api/client';
import type { HourCount } from '../../api/types';
import { KINDS } from '../../domain/codes';
import { useT } from '../../i18n/locale';
import { Panel } from '../../parts/Panel';
import { EmptyState, Loading } from '../../parts/states';
import { hourOption } from './hourOption';

const Chart = lazy(() => import('../../charts/Chart'));

const HEIGHT = 270;

export function HourPanel({ hours, date }: { hours: HourCount[]; date: string | undefined }) {
  const t = useT();
  const navigate = useNavigate();
  const option = useMemo(() => hourOption(hours, t), [hours, t]);
  const openKind = useCallback(
    (series: string) => {
      if ((KINDS as readonly string[]).includes(series)) {
        void navigate(`/payments${queryString({ kind: series, date })}`);
      }
    },
    [navigate, date],
  );

  return (
    <Panel title={t.overview.byHour} hint={t.overview.byHourHint} testId="by-hour">
      {hours.length === 0 ? (
        <EmptyState />
      ) : (
        <Suspense fallback={<Loading />}>
          <Chart option={option} height={HEIGHT} label={t.overview.byHour} onPick={openKind} />
        </Suspense>
      )}
    </Panel>
  );
}
