import { Checkbox, Table, Tooltip, type TableColumnsType } from 'antd';
import { useMemo, useState } from 'react';
import { useDecide, useLimitHistory, useLimits } from '../../api/queries';
import type { LimitRow } from '../../api/types';
import { formatCount } from '../../format/money';
import { nameOf, pickField, useLocale, type Locale } from '../../i18n/locale';
import type { Dictionary } from '../../i18n/zh-CN';
import { GradeTag, StateTag } from '../../parts/names';
import { PageTitle } from '../../parts/PageTitle';
import { Panel } from '../../parts/Panel';
import { ProblemAlert } from '../../parts/states';
import { Time } from '../../parts/values';
import { DecisionSteps } from '../decisions/DecisionSteps';

function Verification({ row, t }: { row: LimitRow; t: Dictionary }) {
  const by = row.verified_in_pack;
  if (by) return <>{t.decisions.limits.inPack(by.maker, by.checker)}</>;
  if (!row.waits) return <span className="quiet">{t.decisions.limits.notNeeded}</span>;
  return (
    <>
      <StateTag state={row.decision.state} names={t.decisions.states} />
      {row.lapsed && <span className="quiet"> {t.decisions.limits.lapsed}</span>}
      <span> {[row.decision.maker, row.decision.checker].filter((name) => name !== '').join(' → ')}</span>
    </>
  );
}

function columnsOf(t: Dictionary, locale: Locale): TableColumnsType<LimitRow> {
  return [
    {
      title: t.decisions.limits.id,
      render: (_, row) => (
        <Tooltip title={row.id}>
          <span>{pickField(locale, row, 'title')}</span>
        </Tooltip>
      ),
    },
    { title: t.decisions.limits.value, render: (_, row) => <code>{row.value}</code> },
    {
      title: t.decisions.limits.grade,
      render: (_, row) => <GradeTag grade={row.grade} />,
    },
    { title: t.decisions.limits.automation, render: (_, row) => nameOf(t.decisions.limits.automations, row.automation) },
    { title: t.decisions.limits.verified, render: (_, row) => <Verification row={row} t={t} /> },
    {
      title: t.decisions.limits.waiting,
      align: 'right',
      render: (_, row) => (row.cases_waiting === 0 ? <span className="quiet">–</span> : formatCount(row.cases_waiting)),
    },
    { title: t.decisions.limits.source, render: (_, row) => <span className="quiet">{row.source}</span> },
  ];
}

/** Who did what about one limit, and what this user can do now. */
function LimitDetail({ row }: { row: LimitRow }) {
  const { t } = useLocale();
  const history = useLimitHistory(row.id);
  const decide = useDecide('limits');
  return (
    <div className="stack" data-testid="limit-detail">
      <code>{row.id}</code>
      {(history.data?.steps ?? []).map((step) => (
        <div key={step.version}>
          <Time at={step.at} style="minute" /> <b>{step.author}</b> {nameOf(t.decisions.steps, step.step)}{' '}
          {step.note} <span className="quiet">{t.decisions.entry(String(step.entry_index))}</span>
        </div>
      ))}
      <DecisionSteps
        steps={row.decision.steps}
        pending={decide.isPending}
        error={decide.error}
        take={(step, note, done) => decide.mutate({ id: row.id, step, note }, { onSuccess: done })}
      />
    </div>
  );
}

/** Limits of rule packs with source and grade; two people verify those that software may not act on yet. */
export function LimitsPage() {
  const { t, locale } = useLocale();
  const limits = useLimits();
  const [only, setOnly] = useState(true);
  const rows = useMemo(
    () => (limits.data?.items ?? []).filter((row) => !only || row.waits),
    [limits.data, only],
  );
  const columns = useMemo(() => columnsOf(t, locale), [t, locale]);
  return (
    <>
      <PageTitle title={t.decisions.limits.title} intro={t.decisions.limits.intro} />
      <Panel
        title={t.decisions.limits.list}
        flush
        testId="limits"
        extra={
          <Checkbox checked={only} onChange={(event) => setOnly(event.target.checked)}>
            {t.decisions.limits.only}
          </Checkbox>
        }
      >
        {limits.error ? (
          <ProblemAlert error={limits.error} onRetry={() => void limits.refetch()} />
        ) : (
          <Table<LimitRow>
            size="small"
            rowKey="id"
            pagination={{ pageSize: 50, hideOnSinglePage: true, showSizeChanger: false }}
            scroll={{ x: 'max-content' }}
            dataSource={rows}
            loading={limits.isPending}
            columns={columns}
            expandable={{ expandedRowRender: (row) => <LimitDetail row={row} />, rowExpandable: (row) => row.waits }}
          />
        )}
      </Panel>
    </>
  );
}
