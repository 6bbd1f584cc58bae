import { Table } from 'antd';
import type { GatewayRow } from '../../api/types';
import { formatCount } from '../../format/money';
import { useT } from '../../i18n/locale';
import { Panel } from '../../parts/Panel';
import { EmptyState } from '../../parts/states';
import { ruleCounts, type RuleCount } from './status';

/** Rules of the gate that refused, or let pass and said so. */
export function RulesPanel({ row }: { row: GatewayRow }) {
  const t = useT();
  const count = (value: number) => <span className={value === 0 ? 'quiet number' : 'number'}>{formatCount(value)}</span>;
  return (
    <Panel title={t.gateways.rules} flush testId="gateway-rules">
      <Table<RuleCount>
        size="small"
        rowKey="rule"
        dataSource={ruleCounts(row)}
        pagination={false}
        locale={{ emptyText: <EmptyState text={t.gateways.noRules} /> }}
        columns={[
          { title: t.gateways.rule, render: (_, rule) => <code>{rule.rule}</code> },
          { title: t.gateways.ruleRefused, align: 'right', render: (_, rule) => count(rule.refused) },
          { title: t.gateways.ruleOpened, align: 'right', render: (_, rule) => count(rule.opened) },
        ]}
      />
    </Panel>
  );
}
