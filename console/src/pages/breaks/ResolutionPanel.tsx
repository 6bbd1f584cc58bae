import { Alert, Button, Descriptions, Input, InputNumber, Radio, Select, Space, Tooltip } from 'antd';
import { useState } from 'react';
import { useTakeStep } from '../../api/queries';
import type { ActionOffer, BreakDetail, StepName } from '../../api/types';
import { PARTIES } from '../../domain/codes';
import { nameOf, pick, pickField, useLocale } from '../../i18n/locale';
import { PartyName, StateTag } from '../../parts/names';
import { Panel } from '../../parts/Panel';
import { ProblemAlert } from '../../parts/states';
import { Money } from '../../parts/values';
import { EMPTY_FORM, bodyOf, missingOf, type StepForm } from './resolution';

interface FormProps {
  detail: BreakDetail;
  form: StepForm;
  change: (changes: Partial<StepForm>) => void;
}

function refusalOf(offer: ActionOffer, locale: 'zh-CN' | 'en'): string | null {
  return locale === 'en' ? offer.refused_en : offer.refused_zh;
}

/** What can be proposed; what cannot is shown with the reason. */
function ProposeForm({ detail, form, change }: FormProps) {
  const { t, locale } = useLocale();
  const offer = detail.offers.find(({ action }) => action === form.action);
  return (
    <>
      <Radio.Group
        value={form.action ?? null}
        onChange={(event) => change({ action: String(event.target.value), amount_minor: detail.break.stake_minor })}
        data-testid="offers"
      >
        {detail.offers.map((it) => {
          const refused = refusalOf(it, locale);
          return (
            <Tooltip key={it.action} title={refused ?? pickField(locale, it, 'means')}>
              <Radio value={it.action} disabled={refused !== null} data-testid={`offer-${it.action}`}>
                {pick(locale, it)}
                {it.message !== '' && <code className="quiet"> {it.message}</code>}
              </Radio>
            </Tooltip>
          );
        })}
      </Radio.Group>
      {offer?.moves_money === true && (
        <InputNumber
          min={0.01}
          max={detail.original_minor / 100}
          precision={2}
          prefix="¥"
          style={{ width: 180 }}
          aria-label={t.breaks.amount}
          value={(form.amount_minor ?? 0) / 100}
          onChange={(yuan) => change({ amount_minor: Math.round((yuan ?? 0) * 100) })}
        />
      )}
      {offer?.action === 'recovery' && (
        <Select
          style={{ width: 180 }}
          placeholder={t.breaks.party}
          aria-label={t.breaks.party}
          value={form.party ?? null}
          onChange={(party: string | null) => change({ party: party ?? undefined })}
          options={PARTIES.filter((party) => party !== 'acquirer').map((party) => ({ value: party, label: nameOf(t.parties, party) }))}
        />
      )}
      {offer?.needs_documents === true && (
        <Input
          placeholder={`${t.breaks.documents} (${t.breaks.documentsHint})`}
          aria-label={t.breaks.documents}
          value={form.documents}
          onChange={(event) => change({ documents: event.target.value })}
        />
      )}
    </>
  );
}

/** Where the resolution stands, and the buttons of those who may go on with it: maker and checker see different ones. */
export function ResolutionPanel({ detail }: { detail: BreakDetail }) {
  const { t } = useLocale();
  const [form, setForm] = useState<StepForm>(EMPTY_FORM);
  const take = useTakeStep(detail.break.id);
  const change = (changes: Partial<StepForm>) => setForm((before) => ({ ...before, ...changes }));
  const offer = detail.offers.find(({ action }) => action === form.action);
  const run = (step: StepName) =>
    take.mutate(
      { step, body: bodyOf(step, detail.break.version, form) },
      { onSuccess: () => setForm(EMPTY_FORM) },
    );
  const steps = detail.steps;
  const waits = detail.break.state === 'proposed' && steps.includes('withdraw');
  return (
    <Panel
      title={t.breaks.proposal}
      extra={<span data-testid="resolution-state"><StateTag state={detail.break.state} names={t.breaks.states} /></span>}
      testId="resolution"
    >
      <div className="stack">
        {detail.resolution ? <Proposal detail={detail} /> : <span className="quiet">{t.breaks.noProposal}</span>}
        {waits && <Alert type="info" showIcon title={t.breaks.needsAnother} />}
        {take.error && <ProblemAlert error={take.error} />}
        {steps.includes('propose') && <ProposeForm detail={detail} form={form} change={change} />}
        {steps.includes('act') && (
          <Input
            placeholder={`${t.breaks.reference} (${t.breaks.referenceHint})`}
            aria-label={t.breaks.reference}
            value={form.reference}
            onChange={(event) => change({ reference: event.target.value })}
          />
        )}
        {steps.length > 0 && (
          <>
            <Input.TextArea
              autoSize={{ minRows: 2, maxRows: 5 }}
              placeholder={t.breaks.note}
              aria-label={t.breaks.note}
              data-testid="step-note"
              value={form.note}
              onChange={(event) => change({ note: event.target.value })}
            />
            <Space wrap>
              {steps.map((step) => (
                <Button
                  key={step}
                  type={step === 'reject' || step === 'fail' || step === 'withdraw' ? 'default' : 'primary'}
                  danger={step === 'reject' || step === 'fail'}
                  disabled={missingOf(step, form, offer, detail.original_minor).length > 0}
                  loading={take.isPending}
                  data-testid={`step-${step}`}
                  onClick={() => run(step)}
                >
                  {t.breaks.steps[step]}
                </Button>
              ))}
            </Space>
          </>
        )}
      </div>
    </Panel>
  );
}

function Proposal({ detail }: { detail: BreakDetail }) {
  const { t } = useLocale();
  const it = detail.resolution;
  if (it === null) return null;
  const items = [
    { key: 'action', label: t.breaks.action, children: nameOf(t.breaks.actions, it.action) },
    { key: 'amount', label: t.breaks.amount, children: <Money minor={it.amount_minor} dash /> },
    ...(it.party === '' ? [] : [{ key: 'party', label: t.breaks.party, children: <PartyName party={it.party} /> }]),
    ...(it.documents === '' ? [] : [{ key: 'documents', label: t.breaks.documents, children: it.documents }]),
    ...(it.reference === '' ? [] : [{ key: 'reference', label: t.breaks.reference, children: it.reference }]),
    ...(it.maker === '' ? [] : [{ key: 'maker', label: t.breaks.maker, children: it.maker }]),
    ...(it.checker === '' ? [] : [{ key: 'checker', label: t.breaks.checker, children: it.checker }]),
    ...(it.note === '' ? [] : [{ key: 'note', label: t.breaks.note, children: it.note, span: 2 }]),
  ];
  return <Descriptions size="small" column={2} items={items} />;
}
