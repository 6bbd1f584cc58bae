import { Input, Table, Tag, Tooltip, type TableColumnsType } from 'antd';
import { useMemo } from 'react';
import { Link } from 'react-router';
import { useMonitoring } from '../../api/queries';
import type { MonitoringRow, StandingDoc } from '../../api/types';
import { formatCount, formatShare } from '../../format/money';
import { nameOf, pickField, useLocale, type Locale } from '../../i18n/locale';
import type { Dictionary } from '../../i18n/zh-CN';
import { GradeTag } from '../../parts/names';
import { PageTitle } from '../../parts/PageTitle';
import { Panel } from '../../parts/Panel';
import { ProblemAlert } from '../../parts/states';
import { useFilters } from '../../parts/useFilters';
import { stateOf, worstFirst } from './order';

const FILTERS = ['month'] as const;
const STATE_COLORS = { now: 'red', end: 'orange', below: 'green', none: 'default' } as const;

function StandingCell({ standing, t }: { standing: StandingDoc | null; t: Dictionary }) {
  if (standing === null) return <span className="quiet">–</span>;
  return (
    <>
      {formatCount(standing.cases)}{' '}
      <span className="quiet">{standing.ratio_bp === null ? t.monitoring.noSales : formatShare(standing.ratio_bp)}</span>
    </>
  );
}

function StateCell({ row, t }: { row: MonitoringRow; t: Dictionary }) {
  const state = stateOf(row);
  return (
    <span data-testid="monitoring-state">
      <Tag color={STATE_COLORS[state]}>{t.monitoring.standings[state]}</Tag>
    </span>
  );
}

function columnsOf(t: Dictionary, locale: Locale): TableColumnsType<MonitoringRow> {
  return [
    {
      title: t.monitoring.programme,
      render: (_, row) => (
        <>
          {pickField(locale, row, 'title')}
          {row.not_counted.map((counted) => (
            <div key={counted} className="quiet">
              {nameOf(t.monitoring.notCounted, counted)}
            </div>
          ))}
        </>
      ),
    },
    {
      title: t.monitoring.subject,
      render: (_, row) =>
        row.merchant_code === '' ? (
          t.monitoring.acquirer
        ) : (
          <Link to={`/payments?kind=K8&merchant=${encodeURIComponent(row.merchant_code)}`}>{row.merchant_code}</Link>
        ),
    },
    { title: t.monitoring.sales, align: 'right', render: (_, row) => formatCount(row.sales) },
    { title: t.monitoring.now, align: 'right', render: (_, row) => <StandingCell standing={row.now} t={t} /> },
    { title: t.monitoring.end, align: 'right', render: (_, row) => <StandingCell standing={row.end} t={t} /> },
    {
      title: t.monitoring.limit,
      align: 'right',
      render: (_, row) =>
        row.limit_bp === null ? (
          <span className="quiet">–</span>
        ) : (
          <>
            {formatShare(row.limit_bp)}
            {row.limit_cases !== null && <div className="quiet">{t.monitoring.cases(formatCount(row.limit_cases))}</div>}
          </>
        ),
    },
    {
      title: t.monitoring.left,
      align: 'right',
      render: (_, row) => (row.cases_left === null ? <span className="quiet">–</span> : formatCount(row.cases_left)),
    },
    { title: t.common.state, render: (_, row) => <StateCell row={row} t={t} /> },
    {
      title: t.decisions.limits.grade,
      render: (_, row) => (
        <Tooltip title={row.source}>
          <span>
            <GradeTag grade={row.grade} />
          </span>
        </Tooltip>
      ),
    },
  ];
}

/** Where the acquirer and its merchants stand in the networks' programmes, and where the month will end. */
export function MonitoringPage() {
  const { t, locale } = useLocale();
  const { values, set } = useFilters(FILTERS);
  const monitoring = useMonitoring(values);
  const rows = useMemo(() => worstFirst(monitoring.data?.items ?? []), [monitoring.data]);
  const columns = useMemo(() => columnsOf(t, locale), [t, locale]);
  const page = monitoring.data;
  return (
    <>
      <PageTitle title={t.monitoring.title} intro={t.monitoring.intro} />
      <Panel
        title={page === undefined ? t.monitoring.title : t.monitoring.month(page.month, String(page.day), String(page.days))}
        flush
        testId="monitoring"
        extra={
          <Input
            type="month"
            aria-label={t.monitoring.chooseMonth}
            data-testid="monitoring-month"
            value={values.month ?? page?.month ?? ''}
            onChange={(event) => set({ month: event.target.value })}
          />
        }
      >
        {monitoring.error ? (
          <ProblemAlert error={monitoring.error} onRetry={() => void monitoring.refetch()} />
        ) : (
          <Table<MonitoringRow>
            size="small"
            rowKey={(row) => `${row.programme} ${row.merchant_code}`}
            pagination={{ pageSize: 50, hideOnSinglePage: true, showSizeChanger: false }}
            scroll={{ x: 'max-content' }}
            dataSource={rows}
            loading={monitoring.isPending}
            columns={columns}
          />
        )}
      </Panel>
    </>
  );
}
