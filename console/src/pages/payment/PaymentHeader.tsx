import { Descriptions, Typography } from 'antd';
import { Link } from 'react-router';
import type { PaymentDetail, PaymentHead } from '../../api/types';
import { entryParts } from '../../domain/codes';
import { formatMoney } from '../../format/money';
import { nameOf, useT } from '../../i18n/locale';
import type { Dictionary } from '../../i18n/zh-CN';
import { KindTag } from '../../parts/names';
import { PageTitle } from '../../parts/PageTitle';
import { Panel } from '../../parts/Panel';
import { Time } from '../../parts/values';

function entryText(payment: PaymentHead, t: Dictionary): string {
  const { entry, pin } = entryParts(payment.entry_mode);
  const pinText = Object.hasOwn(t.pin, pin) ? ` · ${nameOf(t.pin, pin)}` : '';
  return `${nameOf(t.entryModes, entry)}${pinText} (${payment.entry_mode})`;
}

export function PaymentHeader({ detail }: { detail: PaymentDetail }) {
  const t = useT();
  const { payment } = detail;
  const facts = [
    { label: t.common.time, children: <Time at={payment.started_at} /> },
    {
      label: t.common.merchant,
      children: (
        <span>
          {payment.merchant_name} <span className="quiet number">{payment.merchant_code}</span>
        </span>
      ),
    },
    {
      label: t.common.terminal,
      children: (
        <Link to={`/terminals?q=${encodeURIComponent(payment.tid)}`} className="number">
          {payment.tid}
        </Link>
      ),
    },
    {
      label: t.common.agent,
      children: (
        <Link to={`/payments?agent=${encodeURIComponent(payment.agent_code)}`}>
          {payment.agent_code} {payment.agent_name}
        </Link>
      ),
    },
    { label: t.common.city, children: payment.city },
    {
      label: t.payments.card,
      children: (
        <span className="number">
          {payment.pan_masked} · {nameOf(t.cardTypes, payment.card_type)}
        </span>
      ),
    },
    { label: t.payment.issuer, children: `${payment.issuer_name} ${payment.issuer}` },
    { label: t.payment.entry, children: entryText(payment, t) },
    { label: t.payments.code, children: <code>{payment.response_code === '' ? '–' : payment.response_code}</code> },
    { label: t.payment.outcome, children: nameOf(t.outcomes, payment.outcome) },
    { label: t.payment.rrn, children: payment.rrn === '' ? '–' : <code>{payment.rrn}</code> },
    { label: t.payment.version, children: payment.app_version === '' ? '–' : payment.app_version },
  ];
  return (
    <>
      <PageTitle
        title={`${t.payment.title} ${payment.id}`}
        heading={
          <span className="payment-heading">
            <span className="number" data-testid="payment-amount">
              {formatMoney(payment.amount_minor)}
            </span>
            {detail.exceptions.map((exception) => (
              <KindTag key={exception.kind} kind={exception.kind} />
            ))}
            <Typography.Text className="payment-id" copyable data-testid="payment-id">
              {payment.id}
            </Typography.Text>
          </span>
        }
      />
      <Panel title={t.payment.title} testId="payment-facts">
        <Descriptions
          size="small"
          column={{ xs: 1, sm: 2, lg: 3, xl: 4 }}
          items={facts.map((fact) => ({ ...fact, key: fact.label }))}
        />
      </Panel>
    </>
  );
}
