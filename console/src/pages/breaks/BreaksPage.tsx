import { Button, type TableColumnsType } from 'antd';
import { useMemo } from 'react';
import { useBreaks } from '../../api/queries';
import type { BreakListRow } from '../../api/types';
import { nameOf, pickField, useLocale, type Locale } from '../../i18n/locale';
import type { Dictionary } from '../../i18n/zh-CN';
import { AgentFilter, SelectFilter } from '../../parts/filters';
import { PartyName, StateTag } from '../../parts/names';
import { PageTitle } from '../../parts/PageTitle';
import { Panel } from '../../parts/Panel';
import { SeekTable } from '../../parts/SeekTable';
import { useFilters } from '../../parts/useFilters';
import { BreakValue, Money, PaymentLink } from '../../parts/values';
import { AmountFilter } from '../payments/AmountFilter';
import { BreakDrawer } from './BreakDrawer';
import { BreakMatrix } from './BreakMatrix';
import './breaks.css';
import { stateQuery } from './resolution';

const FILTERS = ['class', 'age', 'state', 'agent', 'min_amount', 'max_amount', 'id'] as const;

function breakColumns(t: Dictionary, locale: Locale): TableColumnsType<BreakListRow> {
  return [
    { title: t.breaks.payment, render: (_, row) => <PaymentLink id={row.payment_id} /> },
    { title: t.breaks.class, render: (_, row) => <span title={row.class}>{pickField(locale, row, 'class')}</span> },
    { title: t.breaks.age, align: 'right', render: (_, row) => <span className="nowrap">{t.breaks.days(row.age_days)}</span> },
    { title: t.breaks.stake, align: 'right', render: (_, row) => <Money minor={row.stake_minor} /> },
    { title: t.breaks.expected, render: (_, row) => <BreakValue value={row.expected} /> },
    { title: t.breaks.found, render: (_, row) => <BreakValue value={row.found} /> },
    { title: t.common.agent, render: (_, row) => <span className="number">{row.agent_code}</span> },
    {
      title: t.breaks.firstParty,
      render: (_, row) =>
        Object.hasOwn(t.legs, row.first_party) ? nameOf(t.legs, row.first_party) : <PartyName party={row.first_party} />,
    },
    {
      title: t.breaks.state,
      render: (_, row) => (
        <>
          <StateTag state={row.state} names={t.breaks.states} />
          {row.action !== '' && <span className="quiet">{nameOf(t.breaks.actions, row.action)}</span>}
        </>
      ),
    },
  ];
}

function StateFilter({ value, onChange }: { value: string | undefined; onChange: (value: string | undefined) => void }) {
  const { t } = useLocale();
  const options = [
    { value: 'unresolved', label: t.breaks.unresolved },
    { value: 'todo', label: t.breaks.todo },
    ...Object.entries(t.breaks.states).map(([state, label]) => ({ value: state, label })),
    { value: 'all', label: t.breaks.anyState },
  ];
  return <SelectFilter value={value ?? 'unresolved'} onChange={onChange} options={options} placeholder={t.breaks.state} testId="filter-state" />;
}

export function BreaksPage() {
  const { t, locale } = useLocale();
  const { values, set, clear, any } = useFilters(FILTERS);
  const { id, ...wanted } = values;
  const key = JSON.stringify(wanted);
  const query = useMemo(() => {
    const filters = JSON.parse(key) as Omit<typeof values, 'id'>;
    return { ...filters, state: stateQuery(filters.state), limit: 100 };
  }, [key]);
  const seek = useBreaks(query);
  const columns = useMemo(() => breakColumns(t, locale), [t, locale]);
  return (
    <>
      <PageTitle title={t.breaks.title} intro={t.breaks.intro} />
      <div className="stack">
        <BreakMatrix page={seek.pages[0]} chosen={values} onChoose={(chosen) => set({ class: chosen.class, age: chosen.age })} />
        <Panel
          title={t.breaks.list}
          flush
          extra={
            <div className="break-filters">
              <StateFilter value={values.state} onChange={(state) => set({ state })} />
              <AgentFilter value={values.agent} onChange={(agent) => set({ agent })} />
              <AmountFilter value={values.min_amount} onChange={(amount) => set({ min_amount: amount })} placeholder={t.breaks.minAmount} />
              <AmountFilter value={values.max_amount} onChange={(amount) => set({ max_amount: amount })} placeholder={t.breaks.maxAmount} />
              {any && (
                <Button type="link" onClick={clear}>
                  {t.common.clear}
                </Button>
              )}
            </div>
          }
        >
          <SeekTable<BreakListRow>
            seek={seek}
            rowKey="id"
            columns={columns}
            filtered={any}
            className="clickable"
            onRow={(row) => ({ onClick: () => set({ id: row.id }), 'data-testid': 'break-row' }) as object}
          />
        </Panel>
      </div>
      <BreakDrawer id={id} onClose={() => set({ id: undefined })} />
    </>
  );
}
