import { Alert, Descriptions, Drawer, Timeline } from 'antd';
import { Link } from 'react-router';
import { useBreak } from '../../api/queries';
import type { BreakDetail, ResolutionStepDoc } from '../../api/types';
import { nameOf, pickField, useLocale } from '../../i18n/locale';
import { StateTag } from '../../parts/names';
import { Panel } from '../../parts/Panel';
import { Loaded } from '../../parts/states';
import { BreakValue, Money, PaymentLink, Time } from '../../parts/values';
import { FourLegs } from '../payment/FourLegs';
import '../payment/payment.css';
import { ResolutionPanel } from './ResolutionPanel';

function Facts({ detail }: { detail: BreakDetail }) {
  const { t } = useLocale();
  const found = detail.break;
  return (
    <Descriptions
      size="small"
      column={3}
      items={[
        { key: 'payment', label: t.breaks.payment, children: <PaymentLink id={found.payment_id} /> },
        { key: 'original', label: t.breaks.original, children: <Money minor={detail.original_minor} /> },
        { key: 'age', label: t.breaks.age, children: t.breaks.days(found.age_days) },
        { key: 'expected', label: t.breaks.expected, children: <BreakValue value={found.expected} /> },
        { key: 'found', label: t.breaks.found, children: <BreakValue value={found.found} /> },
        { key: 'stake', label: t.breaks.stake, children: <Money minor={found.stake_minor} /> },
        { key: 'agent', label: t.common.agent, children: <span className="number">{found.agent_code}</span> },
        { key: 'merchant', label: t.common.merchant, children: <span className="number">{found.merchant_code}</span> },
        { key: 'card', label: nameOf(t.breaks.card, detail.card_type), children: '' },
      ]}
    />
  );
}

function StepLine({ step }: { step: ResolutionStepDoc }) {
  const { t } = useLocale();
  return (
    <div data-testid={`history-${step.version}`}>
      <b>{nameOf(t.breaks.steps, step.step)}</b> {step.author} <Time at={step.at} /> {nameOf(t.breaks.actions, step.action)}{' '}
      <Money minor={step.amount_minor} dash />
      {step.reference !== '' && <span className="number"> {step.reference}</span>}
      {step.note !== '' && <div>{step.note}</div>}
      <div className="quiet">{t.breaks.entry(step.entry_index)}</div>
    </div>
  );
}

function History({ detail }: { detail: BreakDetail }) {
  const { t } = useLocale();
  return (
    <Panel title={t.breaks.history} testId="break-history">
      {detail.history.length === 0 ? (
        <span className="quiet">{t.breaks.noHistory}</span>
      ) : (
        <Timeline items={[...detail.history].reverse().map((step) => ({ key: step.version, content: <StepLine step={step} /> }))} />
      )}
    </Panel>
  );
}

function Related({ detail }: { detail: BreakDetail }) {
  const { t, locale } = useLocale();
  return (
    <Panel title={t.breaks.related}>
      {detail.related.map((other) => (
        <div key={other.id}>
          <Link to={{ search: `?state=all&id=${encodeURIComponent(other.id)}` }}>{pickField(locale, other, 'class')}</Link>{' '}
          <StateTag state={other.state} names={t.breaks.states} />
        </div>
      ))}
    </Panel>
  );
}

function Body({ detail }: { detail: BreakDetail }) {
  const { t } = useLocale();
  return (
    <div className="stack">
      {!detail.present && <Alert type="info" showIcon title={t.breaks.gone} />}
      <Facts detail={detail} />
      <ResolutionPanel key={`${detail.break.id}-${detail.break.version}`} detail={detail} />
      <FourLegs legs={detail.legs} breaks={[detail.break]} />
      <History detail={detail} />
      {detail.related.length > 0 && <Related detail={detail} />}
    </div>
  );
}

function Content({ id }: { id: string }) {
  const query = useBreak(id);
  return <Loaded query={query}>{(detail) => <Body detail={detail} />}</Loaded>;
}

/** One break: what the records say, side by side, what can be done, and what was done by whom. */
export function BreakDrawer({ id, onClose }: { id: string | undefined; onClose: () => void }) {
  return (
    <Drawer
      open={id !== undefined}
      onClose={onClose}
      size="min(1180px, 92vw)"
      title={<span className="number">{id}</span>}
      destroyOnHidden
      data-testid="break-drawer"
    >
      {id !== undefined && <Content key={id} id={id} />}
    </Drawer>
  );
}
