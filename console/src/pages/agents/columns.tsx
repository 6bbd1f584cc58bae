import { Tooltip, type TableColumnsType } from 'antd';
import { Link } from 'react-router';
import type { AgentRow } from '../../api/types';
import { formatCount, formatMoney, formatShare, ratioBp } from '../../format/money';
import type { Dictionary } from '../../i18n/zh-CN';
import { StateTag } from '../../parts/names';
import { Money } from '../../parts/values';
import type { AgentNode } from './agentTree';

function Deposit({ agent, t }: { agent: AgentRow; t: Dictionary }) {
  const short = agent.deposit_floor_minor - agent.deposit_minor;
  return (
    <div className="two-line">
      <Money minor={agent.deposit_minor} />
      <small className="number">
        {short > 0 ? (
          <span className="alarm">{t.agents.depositShort(formatMoney(short))}</span>
        ) : (
          `${t.agents.depositFloor} ${formatMoney(agent.deposit_floor_minor)}`
        )}
      </small>
    </div>
  );
}

export function agentColumns(t: Dictionary, today: string): TableColumnsType<AgentNode> {
  return [
    {
      title: t.agents.name,
      render: (_, row) => (
        <span>
          <span className="number quiet">{row.code}</span> {row.name}
        </span>
      ),
    },
    { title: t.common.city, dataIndex: 'city' },
    { title: t.common.state, render: (_, row) => <StateTag state={row.status} names={t.agentStatuses} /> },
    {
      title: t.agents.filing,
      render: (_, row) => (
        <div className="two-line">
          {row.filing_no === '' ? '–' : row.filing_no}
          <small className="number">
            {row.filing_valid_to}{' '}
            {row.filing_valid_to !== '' && row.filing_valid_to < today && (
              <span className="alarm">{t.agents.filingExpired}</span>
            )}
          </small>
        </div>
      ),
    },
    { title: t.agents.deposit, align: 'right', render: (_, row) => <Deposit agent={row} t={t} /> },
    {
      title: t.agents.recourse,
      align: 'right',
      render: (_, row) => <span className="number">{formatShare(row.recourse_share_bp)}</span>,
    },
    {
      title: t.agents.terminals,
      align: 'right',
      render: (_, row) => (
        <Link to={`/terminals?agent=${encodeURIComponent(row.code)}`} className="number">
          {formatCount(row.terminals)}
        </Link>
      ),
    },
    { title: t.agents.payments, align: 'right', render: (_, row) => <span className="number">{formatCount(row.payments)}</span> },
    {
      title: t.agents.exceptions,
      align: 'right',
      render: (_, row) => (
        <Link to={`/payments?agent=${encodeURIComponent(row.code)}`} className="number">
          {formatCount(row.exceptions)}
        </Link>
      ),
    },
    {
      title: t.agents.rate,
      align: 'right',
      render: (_, row) => <span className="number">{formatShare(ratioBp(row.exceptions, row.payments))}</span>,
    },
    { title: t.agents.loss, align: 'right', render: (_, row) => <Money minor={row.loss_minor} dash /> },
    {
      title: (
        <Tooltip title={t.agents.borneHint}>
          <span>{t.agents.borne}</span>
        </Tooltip>
      ),
      align: 'right',
      render: (_, row) => (
        <b>
          <Money minor={row.borne_minor} dash />
        </b>
      ),
    },
  ];
}
