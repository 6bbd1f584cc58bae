import { Button, Checkbox, type TableColumnsType } from 'antd';
import { useMemo } from 'react';
import { useNavigate } from 'react-router';
import { useSignedIn } from '../../app/session';
import { useCases } from '../../api/queries';
import type { CaseRow } from '../../api/types';
import { CASE_STATES } from '../../domain/codes';
import { dueIn } from '../../format/time';
import { nameOf, useT } from '../../i18n/locale';
import type { Dictionary } from '../../i18n/zh-CN';
import { AgentFilter, SelectFilter } from '../../parts/filters';
import { KindTag, PartyName, StateTag } from '../../parts/names';
import { PageTitle } from '../../parts/PageTitle';
import { SeekTable } from '../../parts/SeekTable';
import { useFilters } from '../../parts/useFilters';
import { Money, PaymentLink, Time } from '../../parts/values';

const FILTERS = ['state', 'agent', 'overdue'] as const;

function DueNote({ row, asOf, t }: { row: CaseRow; asOf: string | null; t: Dictionary }) {
  if (asOf === null) return row.overdue ? <span className="alarm">{t.cases.overdue}</span> : null;
  const { amount, unit } = dueIn(row.due_at, asOf);
  if (amount === 0) return <b>{t.cases.dueNow}</b>;
  return row.overdue ? (
    <span className="alarm">{t.cases.pastBy(amount, unit)}</span>
  ) : (
    <>{t.cases.dueIn(amount, unit)}</>
  );
}

function caseColumns(t: Dictionary, asOf: string | null): TableColumnsType<CaseRow> {
  return [
    { title: t.common.kind, render: (_, row) => <KindTag kind={row.kind} /> },
    { title: t.breaks.payment, render: (_, row) => <PaymentLink id={row.payment_id} /> },
    { title: t.common.agent, dataIndex: 'agent_code' },
    { title: t.common.state, render: (_, row) => <StateTag state={row.state} names={t.caseStates} /> },
    { title: t.cases.opened, render: (_, row) => <Time at={row.opened_at} style="minute" /> },
    {
      title: t.cases.due,
      render: (_, row) => (
        <div className="two-line">
          <Time at={row.due_at} style="minute" />
          <small>
            <DueNote row={row} asOf={asOf} t={t} />
          </small>
        </div>
      ),
    },
    { title: t.cases.outward, render: (_, row) => <PartyName party={row.outward} /> },
    { title: t.cases.loss, align: 'right', render: (_, row) => <Money minor={row.loss_minor} dash /> },
  ];
}

export function CasesPage() {
  const t = useT();
  const navigate = useNavigate();
  const { as_of } = useSignedIn();
  const { values, set, clear, any } = useFilters(FILTERS);
  const seek = useCases(useMemo(() => ({ ...values, limit: 100 }), [values]));
  const columns = useMemo(() => caseColumns(t, as_of), [t, as_of]);
  return (
    <>
      <PageTitle title={t.cases.title} />
      <div className="filter-bar">
        <Checkbox
          checked={values.overdue === 'true'}
          onChange={(event) => set({ overdue: event.target.checked ? 'true' : undefined })}
        >
          {t.cases.overdueOnly}
        </Checkbox>
        <SelectFilter
          value={values.state}
          onChange={(state) => set({ state })}
          placeholder={t.common.state}
          options={CASE_STATES.map((state) => ({ value: state, label: nameOf(t.caseStates, state) }))}
          width={170}
        />
        <AgentFilter value={values.agent} onChange={(agent) => set({ agent })} width={220} />
        {any && (
          <Button type="link" onClick={clear}>
            {t.common.clear}
          </Button>
        )}
      </div>
      <SeekTable<CaseRow>
        seek={seek}
        rowKey="id"
        columns={columns}
        filtered={any}
        className="clickable list-table"
        sticky={{ offsetHeader: 48 }}
        onRow={(row) => ({ onClick: () => void navigate(`/payments/${encodeURIComponent(row.payment_id)}`) })}
      />
    </>
  );
}
