/** Breaks and their resolution, kept in memory: the shape of the API and the moves of one person, not its rules. */
import { breaksOf, paymentDetail } from './detail.mjs';
import { AS_OF, payments } from './world.mjs';

const BANDS = [
  ['d0-1', 0, '0–1 天', '0–1 days'],
  ['d2-3', 2, '2–3 天', '2–3 days'],
  ['d4-7', 4, '4–7 天', '4–7 days'],
  ['d8-30', 8, '8–30 天', '8–30 days'],
  ['d31-90', 31, '31–90 天', '31–90 days'],
  ['d91', 91, '91 天以上', '91 days and more'],
];
const NEXT = { propose: 'proposed', withdraw: 'withdrawn', act: 'acted', confirm: 'confirmed', fail: 'failed' };
const STEPS = { proposed: ['propose', 'withdraw'], approved: ['act', 'withdraw'], acted: ['confirm', 'fail'], confirmed: [] };
const ACTIONS = [
  ['payout_repair', '出款更正', 'payout repair', '向商户本人账户补付', 'pay the merchant what it is owed', true],
  ['recovery', '追偿', 'recovery', '向收到不应得款项的一方追回', 'take the money back from who got it', true],
  ['explained', '查明无需调账', 'explained', '原因已查明，不需要动账', 'the reason is known and no money moves', false],
];

/** History by break. */
const histories = new Map();

const daysOld = (id) => Math.max(0, Math.round((Date.parse(AS_OF.slice(0, 10)) - Date.parse(id.slice(0, 10))) / 86_400_000));
const bandOf = (days) => BANDS.findLast(([, from]) => from <= days)[0];

function listRow(payment, found) {
  const id = `${found.payment_id}.${found.class}`;
  const history = histories.get(id) ?? [];
  const last = history.at(-1);
  return {
    id,
    ...found,
    agent_code: payment.row.agent_code,
    merchant_code: payment.row.merchant_code,
    stake_minor: found.difference_minor === 0 ? payment.row.amount_minor : Math.abs(found.difference_minor),
    age_days: daysOld(id),
    state: last?.state ?? 'open',
    version: history.length,
    action: last?.action ?? '',
  };
}

const all = () => payments.flatMap((payment) => breaksOf(payment).map((found) => listRow(payment, found)));

const STATES = {
  unresolved: (state) => state !== 'confirmed',
  todo: (state) => !['proposed', 'approved', 'acted', 'confirmed'].includes(state),
};

export function breakPage(query, page) {
  const state = query.get('state');
  const inState = (row) => !state || (STATES[state] ?? ((own) => own === state))(row.state);
  const rows = all().filter(
    (row) => inState(row) && (!query.get('agent') || row.agent_code.startsWith(query.get('agent'))),
  );
  const add = (list) => ({ count: list.length, stake_minor: list.reduce((sum, row) => sum + row.stake_minor, 0) });
  const summary = [...new Set(rows.map((row) => row.class))].sort().map((name) => {
    const own = rows.filter((row) => row.class === name);
    const { coarse, class_zh, class_en } = own[0];
    const ages = BANDS.map(([key]) => ({ key, ...add(own.filter((row) => bandOf(row.age_days) === key)) }));
    const difference_minor = own.reduce((sum, row) => sum + row.difference_minor, 0);
    return { class: name, coarse, class_zh, class_en, difference_minor, ages, ...add(own) };
  });
  const filters = {
    class: (row, value) => row.class === value,
    age: (row, value) => bandOf(row.age_days) === value,
    min_amount: (row, value) => row.stake_minor >= Number(value),
    max_amount: (row, value) => row.stake_minor <= Number(value),
  };
  return { bands: BANDS.map(([code, , zh, en]) => ({ code, zh, en })), summary, ...page(rows, query, filters) };
}

export function breakDetail(id) {
  const payment = payments.find(({ row }) => id.startsWith(`${row.id}.`));
  const found = payment && breaksOf(payment).find((row) => `${row.payment_id}.${row.class}` === id);
  if (!found) return undefined;
  const history = histories.get(id) ?? [];
  const last = history.at(-1);
  return {
    break: listRow(payment, found),
    present: true,
    original_minor: payment.row.amount_minor,
    card_type: payment.row.card_type,
    legs: paymentDetail(payment).legs,
    offers: ACTIONS.map(([action, zh, en, means_zh, means_en, moves_money]) => ({
      ...{ action, zh, en, means_zh, means_en, message: '', moves_money, needs_documents: false },
      ...{ refused_zh: null, refused_en: null },
    })),
    resolution: last ? { ...last, maker: 'admin', checker: '', updated_at: AS_OF } : null,
    steps: STEPS[last?.state] ?? ['propose'],
    history,
    related: [],
  };
}

/** Takes a step as the one user of the mock; undefined when it is not possible. */
export function takeStep(id, step, body) {
  const before = breakDetail(id);
  if (!before?.steps.includes(step) || body.version !== before.break.version) return undefined;
  const { expected, found, difference_minor } = before.break;
  const proposed = step === 'propose' ? body : (before.history.at(-1) ?? {});
  const { action = '', amount_minor = 0, party = '', documents = '' } = proposed;
  const taken = {
    ...{ version: before.history.length + 1, step, state: NEXT[step], author: 'admin', at: AS_OF },
    ...{ action, amount_minor, party, documents, note: body.note ?? '', reference: body.reference ?? '' },
    ...{ expected, found, difference_minor, entry_index: 100 + before.history.length },
  };
  histories.set(id, [...before.history, taken]);
  return breakDetail(id);
}
