import { Table, Tag } from 'antd';
import type { GatewayRow } from '../../api/types';
import { formatCount } from '../../format/money';
import { pick, useLocale } from '../../i18n/locale';
import { BarCell } from '../../parts/BarCell';
import { Panel } from '../../parts/Panel';
import { EmptyState } from '../../parts/states';
import { codeCounts, type CodeCount } from './status';

/** Response codes, who wrote them and what they mean. */
export function CodesPanel({ row }: { row: GatewayRow }) {
  const { locale, t } = useLocale();
  const counts = codeCounts(row);
  const max = counts[0]?.count ?? 0;
  const meaning = (code: string) => {
    const texts = row.codes[code];
    return texts === undefined ? <span className="quiet">–</span> : pick(locale, texts);
  };
  return (
    <Panel title={t.gateways.codes} flush testId="gateway-codes">
      <Table<CodeCount>
        size="small"
        rowKey={(count) => `${count.by}-${count.code}`}
        dataSource={counts}
        pagination={counts.length > 12 && { pageSize: 12, showSizeChanger: false }}
        locale={{ emptyText: <EmptyState /> }}
        columns={[
          { title: t.gateways.code, width: 72, render: (_, count) => <code>{count.code}</code> },
          {
            title: t.gateways.by,
            width: 84,
            render: (_, count) => (
              <Tag color={count.by === 'gateway' ? 'gold' : 'blue'}>{t.gateways.writers[count.by]}</Tag>
            ),
          },
          { title: t.gateways.meaning, render: (_, count) => meaning(count.code) },
          {
            title: t.common.count,
            align: 'right',
            width: '24%',
            render: (_, count) => <BarCell value={count.count} max={max} text={formatCount(count.count)} color={undefined} />,
          },
        ]}
      />
    </Panel>
  );
}
