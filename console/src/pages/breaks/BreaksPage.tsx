import { Button, Table, type TableColumnsType } from 'antd';
import { useMemo } from 'react';
import { useBreaks } from '../../api/queries';
import type { BreakRow, BreakSummary } from '../../api/types';
import { formatCount } from '../../format/money';
import { nameOf, pickField, useLocale, type Locale } from '../../i18n/locale';
import type { Dictionary } from '../../i18n/zh-CN';
import { BarCell } from '../../parts/BarCell';
import { PartyName } from '../../parts/names';
import { PageTitle } from '../../parts/PageTitle';
import { Panel } from '../../parts/Panel';
import { SeekTable } from '../../parts/SeekTable';
import { EmptyState } from '../../parts/states';
import { useFilters } from '../../parts/useFilters';
import { BreakValue, Money, PaymentLink } from '../../parts/values';

const FILTERS = ['class'] as const;

function ClassName({ row }: { row: { class: string; class_zh: string; class_en: string } }) {
  const { locale } = useLocale();
  return (
    <span>
      {pickField(locale, row, 'class')} <code className="quiet">{row.class}</code>
    </span>
  );
}

function Summary({ rows, chosen, onChoose }: { rows: BreakSummary[]; chosen: string | undefined; onChoose: (c: string | undefined) => void }) {
  const { t } = useLocale();
  const max = Math.max(0, ...rows.map((row) => row.count));
  return (
    <Panel title={t.breaks.summary} flush testId="break-summary">
      <Table<BreakSummary>
        size="small"
        rowKey="class"
        pagination={false}
        dataSource={rows}
        className="clickable"
        locale={{ emptyText: <EmptyState /> }}
        rowClassName={(row) => (row.class === chosen ? 'ant-table-row-selected' : '')}
        onRow={(row) => ({ onClick: () => onChoose(row.class === chosen ? undefined : row.class) })}
        columns={[
          { title: t.breaks.class, render: (_, row) => <ClassName row={row} /> },
          { title: t.breaks.coarse, render: (_, row) => <span title={row.coarse}>{nameOf(t.coarseBreaks, row.coarse)}</span> },
          {
            title: t.common.count,
            align: 'right',
            width: '30%',
            render: (_, row) => <BarCell value={row.count} max={max} text={formatCount(row.count)} />,
          },
          {
            title: t.breaks.difference,
            align: 'right',
            render: (_, row) => <Money minor={row.difference_minor} dash />,
          },
        ]}
      />
    </Panel>
  );
}

function breakColumns(t: Dictionary, locale: Locale): TableColumnsType<BreakRow> {
  return [
    { title: t.breaks.payment, render: (_, row) => <PaymentLink id={row.payment_id} /> },
    { title: t.breaks.class, render: (_, row) => <span title={row.class}>{pickField(locale, row, 'class')}</span> },
    { title: t.breaks.expected, render: (_, row) => <BreakValue value={row.expected} /> },
    { title: t.breaks.found, render: (_, row) => <BreakValue value={row.found} /> },
    { title: t.breaks.difference, align: 'right', render: (_, row) => <Money minor={row.difference_minor} dash /> },
    {
      title: t.breaks.firstParty,
      render: (_, row) =>
        Object.hasOwn(t.legs, row.first_party) ? nameOf(t.legs, row.first_party) : <PartyName party={row.first_party} />,
    },
  ];
}

export function BreaksPage() {
  const { t, locale } = useLocale();
  const { values, set, clear, any } = useFilters(FILTERS);
  const seek = useBreaks(useMemo(() => ({ ...values, limit: 100 }), [values]));
  const columns = useMemo(() => breakColumns(t, locale), [t, locale]);
  return (
    <>
      <PageTitle title={t.breaks.title} intro={t.breaks.intro} />
      <div className="stack">
        <Summary rows={seek.pages[0]?.summary ?? []} chosen={values.class} onChoose={(chosen) => set({ class: chosen })} />
        <Panel
          title={t.breaks.list}
          flush
          extra={
            any && (
              <Button type="link" onClick={clear}>
                {t.common.clear}
              </Button>
            )
          }
        >
          <SeekTable<BreakRow>
            seek={seek}
            rowKey={(row) => `${row.payment_id}-${row.class}`}
            columns={columns}
            filtered={any}
          />
        </Panel>
      </div>
    </>
  );
}
