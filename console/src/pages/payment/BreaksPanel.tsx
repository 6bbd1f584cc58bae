import { Table } from 'antd';
import type { BreakRow } from '../../api/types';
import { nameOf, pickField, useLocale } from '../../i18n/locale';
import { PartyName } from '../../parts/names';
import { Panel } from '../../parts/Panel';
import { BreakValue, Money } from '../../parts/values';

export function BreaksPanel({ breaks }: { breaks: BreakRow[] }) {
  const { t, locale } = useLocale();
  return (
    <Panel title={t.payment.breaks} flush testId="payment-breaks">
      <Table<BreakRow>
        size="small"
        rowKey="class"
        pagination={false}
        dataSource={breaks}
        columns={[
          {
            title: t.breaks.class,
            render: (_, row) => (
              <span title={row.class}>
                {pickField(locale, row, 'class')} <span className="quiet">{row.class}</span>
              </span>
            ),
          },
          { title: t.payment.expected, render: (_, row) => <BreakValue value={row.expected} /> },
          { title: t.payment.found, render: (_, row) => (
              <span className="alarm">
                <BreakValue value={row.found} />
              </span>
            ) },
          { title: t.payment.difference, align: 'right', render: (_, row) => <Money minor={row.difference_minor} dash /> },
          {
            title: t.payment.firstParty,
            render: (_, row) =>
              Object.hasOwn(t.legs, row.first_party) ? nameOf(t.legs, row.first_party) : <PartyName party={row.first_party} />,
          },
        ]}
      />
    </Panel>
  );
}
