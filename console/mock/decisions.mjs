/** What two people decide, as the API tells it: limits with the steps of one user, packs, verdicts judged again; and the programmes of the networks. */
import { AS_OF } from './world.mjs';

const ME = 'admin';
const untouched = () => ({ state: 'listed', version: 0, maker: '', checker: '', note: '', updated_at: '', steps: ['propose'] });
const limit = (id, title_zh, title_en, value, grade, waits) => ({
  id, of: 'rule', title_zh, title_en, value, source: 'B6', grade, waits, automation: waits ? 'manual' : 'automatic',
  verified_in_pack: null, lapsed: false, cases_waiting: 0, decision: waits ? untouched() : { ...untouched(), steps: [] }, history: [],
});
const limits = [
  limit('cn-default-1:rule:retrieval', '调单答复', 'reply to a retrieval', '20d', 'T', true),
  limit('cn-default-1:rule:suspense', '挂账重新诊断', 'diagnose again', '10wd', 'P', false),
];

export const limitPage = () => ({ items: limits });
export const limitHistory = (id) => ({ steps: limits.find((row) => row.id === id)?.history ?? [] });

const NEXT = { propose: ['proposed', ['withdraw']], withdraw: ['withdrawn', ['propose']] };

/** A step of the one user there is, who can propose and withdraw but not approve. */
export function decide(id, step, { note }) {
  const row = limits.find((one) => one.id === id);
  if (row === undefined || !row.decision.steps.includes(step)) return undefined;
  const [state, steps] = NEXT[step];
  const version = row.decision.version + 1;
  row.decision = { state, version, maker: ME, checker: '', note, updated_at: AS_OF, steps };
  row.history.push({ version, step, state, author: ME, note, at: AS_OF, entry_index: version });
  return row.decision;
}

const sha256 = 'ab'.repeat(32);
export const packPage = () => ({
  items: [{ sha256, id: 'cn-default-1', version: '1.0.0', live: true, shipped: true, added_at: null, added_by: '', decision: null }],
});
const nothing = { cases: 0, changed: 0, agents_newly_charged: 0, by_rule: [], bears_more_minor: {} };
export const shadowOf = (id) =>
  id === sha256 ? { sha256, tree_size: 0, all: nothing, since: nothing, without_facts: 0, examples: [] } : undefined;

export const rejudgementPage = () => ({ items: [], next_cursor: null, summary: [] });

const programme = (id, title_zh, title_en, merchant_code, limit_bp, limit_cases, cases, ratio_bp) => ({
  programme: id, network: id.split('-')[0], title_zh, title_en, subject: merchant_code === '' ? 'acquirer' : 'merchant',
  merchant_code, sales: 4000, source: 'B10', grade: 'R',
  now: { cases, ratio_bp, reached: limit_bp === null ? null : ratio_bp >= limit_bp && cases >= (limit_cases ?? 0) },
  end: { cases, ratio_bp, reached: limit_bp === null ? null : ratio_bp >= limit_bp && cases >= (limit_cases ?? 0) },
  cases_left: limit_bp === null ? null : Math.max(0, (limit_cases ?? 1) - cases),
  not_counted: id.startsWith('visa') ? ['fraud_reports'] : [], limit_bp, limit_cases,
});
export const monitoringPage = (month) => ({
  month: month ?? AS_OF.slice(0, 7),
  day: 30,
  days: 30,
  items: [
    programme('unionpay-monthly-chargebacks', '银联月退单比率（未见公布限值）', 'UnionPay monthly chargeback ratio (no limit seen)', '899430054110001', null, null, 12, 30),
    programme('visa-vamp-acquirer-excessive', 'Visa VAMP 收单机构超标', 'Visa VAMP, acquirer excessive', '', 70, null, 40, 100),
    programme('mastercard-ecm', '万事达 ECM 退单过多商户', 'Mastercard ECM, excessive chargeback merchant', '899430054110001', 150, 100, 12, 30),
  ],
});
