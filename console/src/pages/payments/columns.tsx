import type { TableColumnsType } from 'antd';
import type { ReactNode } from 'react';
import { Link } from 'react-router';
import type { ExceptionRow, PaymentRow } from '../../api/types';
import { nameOf } from '../../i18n/locale';
import type { Dictionary } from '../../i18n/zh-CN';
import { CauseName, KindTag, PartyName, StatusTag } from '../../parts/names';
import { SharesBar } from '../../parts/SharesBar';
import { Money, Time } from '../../parts/values';

/** One line for each exception of the payment, so that the columns stay in step. */
function eachException(row: PaymentRow, render: (exception: ExceptionRow) => ReactNode): ReactNode {
  if (row.exceptions.length === 0) return <span className="quiet">–</span>;
  if (row.exceptions.length === 1 && row.exceptions[0]) return render(row.exceptions[0]);
  return (
    <div className="exception-lines">
      {row.exceptions.map((exception) => (
        <div key={exception.kind}>{render(exception)}</div>
      ))}
    </div>
  );
}

export function paymentColumns(t: Dictionary): TableColumnsType<PaymentRow> {
  return [
    {
      title: t.common.time,
      render: (_, row) => (
        <Link to={`/payments/${encodeURIComponent(row.id)}`}>
          <Time at={row.started_at} style="short" />
        </Link>
      ),
    },
    {
      title: t.common.terminal,
      render: (_, row) => (
        <div className="two-line number">
          {row.tid}
          <small>
            {row.agent_code} {row.city}
          </small>
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
    { title: t.common.amount, align: 'right', render: (_, row) => <Money minor={row.amount_minor} /> },
    {
      title: t.payments.card,
      render: (_, row) => (
        <div className="two-line number nowrap">
          {row.pan_masked}
          <small>{nameOf(t.cardTypes, row.card_type)}</small>
        </div>
      ),
    },
    {
      title: t.payments.code,
      render: (_, row) => <code>{row.response_code === '' ? '–' : row.response_code}</code>,
    },
    {
      title: t.common.kind,
      render: (_, row) =>
        row.exceptions.length === 0 ? (
          <span className="quiet">{t.payments.noException}</span>
        ) : (
          eachException(row, (exception) => <KindTag kind={exception.kind} />)
        ),
    },
    { title: t.common.cause, render: (_, row) => eachException(row, ({ cause }) => <CauseName cause={cause} />) },
    { title: t.payments.status, render: (_, row) => eachException(row, ({ status }) => <StatusTag status={status} />) },
    { title: t.payments.outward, render: (_, row) => eachException(row, ({ outward }) => <PartyName party={outward} />) },
    { title: t.payments.shares, render: (_, row) => eachException(row, ({ shares }) => <SharesBar shares={shares} />) },
    {
      title: t.common.loss,
      align: 'right',
      render: (_, row) => eachException(row, ({ loss_minor }) => <Money minor={loss_minor} dash />),
    },
  ];
}
