import type { TableColumnsType } from 'antd';
import { Button } from 'antd';
import { useMemo } from 'react';
import { Link } from 'react-router';
import { useTerminals } from '../../api/queries';
import type { TerminalRow } from '../../api/types';
import { TERMINAL_STATES } from '../../domain/codes';
import { formatCount } from '../../format/money';
import { formatTime } from '../../format/time';
import { nameOf, pick, useLocale, type Locale } from '../../i18n/locale';
import type { Dictionary } from '../../i18n/zh-CN';
import { AgentFilter, SelectFilter, TextFilter } from '../../parts/filters';
import { StateTag } from '../../parts/names';
import { PageTitle } from '../../parts/PageTitle';
import { SeekTable } from '../../parts/SeekTable';
import { useFilters } from '../../parts/useFilters';

const FILTERS = ['q', 'agent', 'state'] as const;

function terminalColumns(t: Dictionary, locale: Locale): TableColumnsType<TerminalRow> {
  return [
    {
      title: t.common.terminal,
      render: (_, row) => (
        <div className="two-line number">
          {row.tid}
          <small>{row.serial}</small>
        </div>
      ),
    },
    {
      title: t.common.merchant,
      render: (_, row) => (
        <div className="two-line">
          {row.merchant_name}
          <small className="number">{row.merchant_code}</small>
        </div>
      ),
    },
    { title: t.common.agent, dataIndex: 'agent_code' },
    { title: t.common.city, dataIndex: 'city' },
    {
      title: t.terminals.model,
      render: (_, row) => (
        <div className="two-line">
          {row.model}
          <small>
            {t.terminals.batch} {row.production_batch}
          </small>
        </div>
      ),
    },
    { title: t.terminals.version, dataIndex: 'app_version' },
    {
      title: t.common.state,
      render: (_, row) => (
        <div className="two-line">
          <StateTag state={row.state} names={t.terminalStates} />
          {row.state_since !== null && (
            <small className="number">{t.terminals.since(formatTime(row.state_since, 'minute'))}</small>
          )}
        </div>
      ),
    },
    {
      title: t.terminals.reasons,
      render: (_, row) =>
        row.reasons.length === 0 ? (
          <span className="quiet">–</span>
        ) : (
          <div className="terminal-reasons">
            {row.reasons.map((reason) => (
              <div key={reason.code} title={reason.code}>
                {pick(locale, reason)}
              </div>
            ))}
          </div>
        ),
    },
    {
      title: t.terminals.payments,
      align: 'right',
      render: (_, row) => (
        <Link to={`/payments?only=all&tid=${encodeURIComponent(row.tid)}`} className="number">
          {formatCount(row.payments)}
        </Link>
      ),
    },
    {
      title: t.terminals.exceptions,
      align: 'right',
      render: (_, row) =>
        row.exceptions === 0 ? (
          <span className="quiet">0</span>
        ) : (
          <Link to={`/payments?tid=${encodeURIComponent(row.tid)}`} className="number">
            {formatCount(row.exceptions)}
          </Link>
        ),
    },
  ];
}

export function TerminalsPage() {
  const { t, locale } = useLocale();
  const { values, set, clear, any } = useFilters(FILTERS);
  const seek = useTerminals(useMemo(() => ({ ...values, limit: 100 }), [values]));
  const columns = useMemo(() => terminalColumns(t, locale), [t, locale]);
  return (
    <>
      <PageTitle title={t.terminals.title} />
      <div className="filter-bar">
        <TextFilter value={values.q} onChange={(q) => set({ q })} placeholder={t.terminals.search} width={260} />
        <AgentFilter value={values.agent} onChange={(agent) => set({ agent })} width={220} />
        <SelectFilter
          value={values.state}
          onChange={(state) => set({ state })}
          placeholder={t.common.state}
          options={TERMINAL_STATES.map((state) => ({ value: state, label: nameOf(t.terminalStates, state) }))}
        />
        {any && (
          <Button type="link" onClick={clear}>
            {t.common.clear}
          </Button>
        )}
      </div>
      <SeekTable<TerminalRow>
        seek={seek}
        rowKey="serial"
        columns={columns}
        filtered={any}
        sticky={{ offsetHeader: 48 }}
        className="list-table"
      />
    </>
  );
}
