import { Table } from 'antd';
import type { GatewayAlarm } from '../../api/types';
import { pick, useLocale } from '../../i18n/locale';
import { Panel } from '../../parts/Panel';
import { EmptyState } from '../../parts/states';
import { Time } from '../../parts/values';
import { timeOf } from './status';

/** What the detectors said last, latest first. */
export function AlarmsPanel({ alarms }: { alarms: GatewayAlarm[] }) {
  const { locale, t } = useLocale();
  const latest = [...alarms].sort((a, b) => b.at - a.at);
  return (
    <Panel title={t.gateways.alarms} flush testId="gateway-alarms">
      <Table<GatewayAlarm>
        size="small"
        rowKey={(alarm) => `${alarm.at}-${alarm.kind}-${alarm.terminal}`}
        dataSource={latest}
        pagination={latest.length > 10 && { pageSize: 10, showSizeChanger: false }}
        locale={{ emptyText: <EmptyState text={t.gateways.noAlarms} /> }}
        columns={[
          { title: t.common.time, width: 170, render: (_, alarm) => <Time at={timeOf(alarm.at)} /> },
          { title: t.gateways.terminal, width: 110, render: (_, alarm) => <span className="number">{alarm.terminal === '' ? '–' : alarm.terminal}</span> },
          { title: t.gateways.alarms, render: (_, alarm) => pick(locale, alarm) },
        ]}
      />
    </Panel>
  );
}
