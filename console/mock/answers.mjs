import { breakDetail, breakPage } from './breaks.mjs';
import { breaksOf, checkpoint, episodeRows, paymentDetail } from './detail.mjs';
import { limitHistory, limitPage, monitoringPage, packPage, rejudgementPage, shadowOf } from './decisions.mjs';
import { portrait, seenLive } from './portrait.mjs';
import { AS_OF, DAY, agents, payments, terminals } from './world.mjs';

const rows = payments.map(({ row }) => row);
const exceptions = rows.flatMap((row) => row.exceptions.map((exception) => ({ ...exception, row })));
const sum = (list, value) => list.reduce((total, item) => total + value(item), 0);

function grouped(list, key) {
  const groups = new Map();
  for (const item of list) groups.set(key(item), [...(groups.get(key(item)) ?? []), item]);
  return [...groups];
}

const counted = (name, list) =>
  grouped(list, (exception) => exception[name]).map(([value, items]) => ({
    [name]: value,
    count: items.length,
    amount_minor: sum(items, ({ row }) => row.amount_minor),
    loss_minor: sum(items, ({ loss_minor }) => loss_minor),
  }));

const hours = grouped(rows, (row) => `${row.started_at.slice(0, 13)}:00:00+08:00`)
  .sort(([a], [b]) => a.localeCompare(b))
  .map(([hour, items]) => {
    const inside = items.flatMap((row) => row.exceptions);
    return {
      hour,
      payments: items.length,
      exceptions: inside.length,
      by_kind: Object.fromEntries(grouped(inside, ({ kind }) => kind).map(([kind, list]) => [kind, list.length])),
    };
  });

const cases = exceptions
  .filter(({ case_id }) => case_id !== null)
  .map(({ row, kind, outward, loss_minor, case_id }, index) => ({
    id: case_id,
    payment_id: row.id,
    kind,
    agent_code: row.agent_code,
    state: ['OPEN', 'CONTACTED', 'PROPOSED'][index % 3],
    opened_at: '2026-09-23T09:00:00+08:00',
    due_at: index % 4 === 0 ? '2026-09-24T18:00:00+08:00' : '2026-10-08T18:00:00+08:00',
    overdue: index % 4 === 0,
    outward,
    loss_minor,
  }));

const diverted = rows.find((row) => row.exceptions.some(({ cause }) => cause === 'TAMPER.AGENT'));
const lost = rows.find((row) => row.exceptions.some(({ cause }) => cause === 'NET.UP'));

const stories = [
  {
    id: 'hunan',
    title_zh: '湖南：终端程序被改，实付商户与刷卡不符',
    title_en: 'Hunan: changed terminals pay somebody else',
    text_zh: '代理商 A0301 名下部分终端的程序被改，签购单上是商户本人，款项却付给了空壳商户。终端由该代理商销售并维护，改动发生在其人员上门之后。',
    text_en: "On some terminals of agent A0301 the slip names the merchant but the money goes to a shell merchant. The agent sold and maintains them; the change follows its technician's visit.",
    payment_id: diverted.id,
    filter: { kind: 'K6', agent: 'A0301' },
  },
  {
    id: 'shiyan',
    title_zh: '十堰：500 元以下交易成片失败，不是代理商的责任',
    title_en: 'Shiyan: payments below CNY 500 fail in numbers, and no agent is to blame',
    text_zh: '10:20 至 14:05，一条网络线路丢失应答，终端显示“交易超时”“未知错误”并自动冲正。多家代理商、多种机型同时失败，原因在网络侧。',
    text_en: 'From 10:20 to 14:05 one network line lost answers; terminals showed "timeout" or "unknown error" and reversed. Many agents and models failed together: the cause is in the network.',
    payment_id: lost.id,
    filter: { episode: 'EP-20260921-01' },
  },
];

const overview = () => ({
  as_of: AS_OF,
  dates: [DAY],
  payments: rows.length,
  amount_minor: sum(rows, (row) => row.amount_minor),
  exceptions: exceptions.length,
  exceptions_amount_minor: sum(exceptions, ({ row }) => row.amount_minor),
  loss_minor: sum(exceptions, ({ loss_minor }) => loss_minor),
  by_kind: counted('kind', exceptions),
  by_cause: counted('cause', exceptions),
  by_outward: counted('outward', exceptions).map(({ outward, count, loss_minor }) => ({ party: outward, count, loss_minor })),
  by_hour: hours,
  cases: { open: cases.length, overdue: cases.filter(({ overdue }) => overdue).length, amount_minor: sum(cases, ({ loss_minor }) => loss_minor) },
  files: { files: files.length, rows: sum(files, ({ rows_total }) => rows_total), rejected: sum(files, ({ rows_rejected }) => rows_rejected) },
  evidence: { entries: checkpoint.size, checkpoint_size: checkpoint.size, root: checkpoint.root, signed_at: checkpoint.signed_at },
  episodes: episodeRows(),
  stories,
});

const hex = (seed) => seed.toString(16).padStart(2, '0').repeat(32);
const file = (number, name, kind, layout, rows_total, rows_rejected) => ({
  id: hex(number), name, kind, layout, size: rows_total * 214, rows_total, rows_accepted: rows_total - rows_rejected, rows_rejected, imported_at: AS_OF,
});
const files = [
  file(17, 'journal/journal_20260921.csv', 'journal', 'cityday-journal/1', 3120, 0),
  file(34, 'switch/switch_20260921.bin', 'switch', 'unionpay-pos/1', 14382, 1),
  file(51, 'clearing/INN26092188ZM_48990001', 'clearing-zm', 'zm/1', 1402, 1),
  file(68, 'payout/payout_20260922.csv', 'payout', 'cityday-payout/1', 88, 0),
  file(85, 'registry/terminals.csv', 'registry/terminals', 'cityday-registry/1', 150, 0),
];
const rejects = [
  { file_id: hex(34), file_name: 'switch/switch_20260921.bin', line: null, byte_offset: 1882331, length: 171, field: 'F55', code: 'tlv_truncated', detail: 'field 55 announces 24 bytes, 11 are left' },
  { file_id: hex(51), file_name: 'clearing/INN26092188ZM_48990001', line: 772, byte_offset: 468604, length: 607, field: 'amount', code: 'not_a_number', detail: 'expected 12 digits, found "00000O120000"' },
];

const audit = [
  { at: '2026-09-26T09:58:11+08:00', actor: 'admin', action: 'session.create', resource: 'admin', outcome: 'done' },
  { at: '2026-09-26T09:12:40+08:00', actor: 'onus import', action: 'files.import', resource: 'switch/switch_20260921.bin', outcome: 'done' },
  { at: '2026-09-26T09:02:03+08:00', actor: 'guest', action: 'session.create', resource: 'guest', outcome: 'refused' },
];

const PAYMENT_FILTERS = {
  kind: (row, value) => row.exceptions.some(({ kind }) => kind === value),
  cause: (row, value) => row.exceptions.some(({ cause }) => cause === value),
  outward: (row, value) => row.exceptions.some(({ outward }) => outward === value),
  episode: (row, value) => row.exceptions.some(({ episode_id }) => episode_id === value),
  agent: (row, value) => row.agent_code.startsWith(value),
  merchant: (row, value) => row.merchant_code === value,
  tid: (row, value) => row.tid === value,
  city: (row, value) => row.city === value,
  date: (row, value) => row.started_at.startsWith(value),
  q: (row, value) => [row.id, row.rrn, row.pan_masked, row.merchant_name].some((text) => text.includes(value)),
  min_amount: (row, value) => row.amount_minor >= Number(value),
  max_amount: (row, value) => row.amount_minor <= Number(value),
  only: (row, value) => value === 'all' || row.exceptions.length > 0,
};

function page(list, query, filters = {}) {
  const found = list.filter((row) => Object.entries(filters).every(([name, test]) => !query.get(name) || test(row, query.get(name))));
  const start = Number(query.get('cursor') ?? 0);
  const end = start + Math.min(Number(query.get('limit') ?? 50), 200);
  return { items: found.slice(start, end), next_cursor: end < found.length ? String(end) : null };
}

const AWAITED = [
  ['payout', 'awaited', 'payout-after-clearing', '清算后，T+1 应出款', 'cleared: paid out the working day after', 'PAYOUT_MISSING', '有清算无出款', 'cleared, not paid', 39_600],
  ['clearing', 'overdue', 'clearing-after-switch', '前置批准后，清算文件应有', 'approved at the switch: clearing has it', 'SWITCH_ONLY', '有报文无清算（短款）', 'not cleared', 180_000],
  ['acknowledgement', 'late', 'acknowledgement-after-reversal', '冲正应得到应答', 'a reversal is answered', '', '', '', 95],
];

const expectations = payments.slice(0, 60).map((payment, index) => {
  const [leg, standing, rule_id, rule_zh, rule_en, code, class_zh, class_en, age_seconds] = AWAITED[index % AWAITED.length];
  return {
    payment_id: payment.id,
    leg,
    standing,
    rule_id,
    rule_zh,
    rule_en,
    since_at: payment.started_at,
    due_at: payment.started_at,
    met_at: standing === 'late' ? payment.started_at : null,
    age_seconds,
    class: code,
    class_zh,
    class_en,
    amount_minor: payment.amount_minor,
    tid: payment.tid,
    merchant_code: payment.merchant_code,
    agent_code: payment.agent_code,
  };
});

/** What is awaited, with the sums by leg, standing and age. */
function expectationPage(query) {
  const bounds_hours = [1, 24, 72];
  const sums = new Map();
  for (const { leg, standing, age_seconds, amount_minor } of expectations) {
    const band = bounds_hours.filter((hours) => age_seconds >= hours * 3_600).length;
    const key = `${leg} ${standing} ${band}`;
    const sum = sums.get(key) ?? { leg, standing, band, count: 0, amount_minor: 0 };
    sums.set(key, { ...sum, count: sum.count + 1, amount_minor: sum.amount_minor + amount_minor });
  }
  const filters = {
    leg: (row, value) => row.leg === value,
    standing: (row, value) => row.standing === value,
    agent: (row, value) => row.agent_code.startsWith(value),
  };
  return { bounds_hours, summary: [...sums.values()], ...page(expectations, query, filters) };
}

const terminalRow = (terminal) => {
  const mine = rows.filter(({ tid }) => tid === terminal.tid);
  const failed = mine.filter((row) => row.exceptions.length > 0).length;
  return {
    serial: terminal.serial,
    tid: terminal.tid,
    merchant_code: terminal.merchant.code,
    merchant_name: terminal.merchant.name,
    agent_code: terminal.merchant.agent.code,
    city: terminal.merchant.agent.city,
    model: terminal.model,
    production_batch: terminal.serial.slice(4, 7),
    app_version: terminal.app_version,
    state: terminal.tampered === 'TAMPER.AGENT' ? 'quarantined' : terminal.tampered ? 'suspect' : 'active',
    state_since: terminal.tampered ? '2026-09-21T06:00:00+08:00' : null,
    reasons: terminal.tampered
      ? [
          { code: 'hash_not_approved', zh: '上报的程序哈希不在已批准清单内', en: 'The reported software hash is not approved' },
          { code: 'merchant_swapped', zh: '报文中的商户与签购单不同', en: 'The merchant on the wire is not the one on the slip' },
        ]
      : [],
    payments: mine.length,
    exceptions: failed,
  };
};

const agentRow = (agent) => {
  const mine = rows.filter(({ agent_code }) => agent_code.startsWith(agent.code));
  const failed = mine.flatMap((row) => row.exceptions);
  return {
    ...agent,
    terminals: terminals.filter(({ merchant }) => merchant.agent.code.startsWith(agent.code)).length,
    payments: mine.length,
    exceptions: failed.length,
    loss_minor: sum(failed, ({ loss_minor }) => loss_minor),
    borne_minor: sum(failed, ({ loss_minor, shares }) => Math.round((loss_minor * (shares.agent ?? 0)) / 10000)),
  };
};

function episodeDetail(id) {
  const episode = episodeRows().find((row) => row.id === id);
  if (!episode) return undefined;
  const inside = rows.filter((row) => row.exceptions.some(({ episode_id }) => episode_id === id));
  return {
    ...episode,
    signals: [
      { zh: '同一线路上 93% 的请求没有应答，其他线路为 0.2%', en: '93 % of requests on this line got no answer, 0.2 % on the others' },
      { zh: '4 家代理商、3 种机型、2 个软件版本同时受影响', en: 'Four agents, three models and two software versions are hit at once' },
    ],
    excluded: [{ zh: '发卡行故障：受影响的卡来自全部发卡行', en: 'Issuer outage: the cards come from all issuers' }],
    exposure: grouped(inside, ({ agent_code }) => agent_code).map(([agent_code, list]) => ({
      agent_code,
      payments: list.length,
      amount_minor: sum(list, ({ amount_minor }) => amount_minor),
    })),
    portrait: episode.cause === 'NET.UP' ? portrait() : null,
    seen_live: episode.cause === 'NET.UP' ? [seenLive()] : [],
  };
}

const DIVERTED_CLASSES = ['PAYOUT_DIVERTED', 'AMT_TERM', 'MERCHANT_SWAPPED', 'MCC', 'REFUND_DIVERTED'];

/** What a mock payment can be grouped by; it has no registration of devices. */
const DIVERTED_BY = {
  agent: ({ row }) => row.agent_code,
  terminal: ({ row }) => row.tid,
  merchant: ({ row }) => row.merchant_code,
  account: (payment) => breaksOf(payment).find((row) => row.class === 'PAYOUT_DIVERTED')?.found ?? '',
};

function diversionPage(query) {
  const keyOf = DIVERTED_BY[query.get('by') ?? 'agent'] ?? (() => '');
  const broken = payments
    .map((payment) => ({ payment, breaks: breaksOf(payment).filter((row) => DIVERTED_CLASSES.includes(row.class)) }))
    .filter(({ payment, breaks }) => breaks.length > 0 && keyOf(payment) !== '');
  const count = (list, name) => new Set(list.map(({ payment }) => payment.row[name])).size;
  const groups = grouped(broken, ({ payment }) => keyOf(payment)).map(([key, list]) => ({
    key,
    name: '',
    payments: list.length,
    stake_minor: sum(list, ({ payment }) => payment.row.amount_minor),
    merchants: count(list, 'merchant_code'),
    terminals: count(list, 'tid'),
    agents: count(list, 'agent_code'),
    payments_total: null,
    share_bp: null,
    expected_bp: null,
    surprise_milli: null,
    classes: grouped(list.flatMap(({ breaks }) => breaks), (row) => row.class).map(([name, rows]) => ({
      class: name,
      payments: rows.length,
      class_zh: rows[0].class_zh,
      class_en: rows[0].class_en,
    })),
    flags: [],
  }));
  return page(groups.sort((a, b) => b.stake_minor - a.stake_minor), query, {});
}

const session = {
  username: 'admin',
  role: 'administrator',
  agent_code: null,
  locale: 'zh-CN',
  tenant: { id: 'demo', name: '测试支付有限公司', currency: 'CNY', zone: 'Asia/Shanghai' },
  as_of: AS_OF,
};

/** The body for a GET below /api/v1, or undefined when there is no such thing. */
export function answer(path, query) {
  const [, room, id] = path.split('/');
  const named = id === undefined ? undefined : decodeURIComponent(id);
  switch (room) {
    case 'session':
      return session;
    case 'overview':
      return overview();
    case 'payments': {
      if (named === undefined) return page(rows, query, PAYMENT_FILTERS);
      const found = payments.find(({ row }) => row.id === named);
      return found && paymentDetail(found);
    }
    case 'terminals':
      return page(terminals.map(terminalRow), query, {
        agent: (row, value) => row.agent_code.startsWith(value),
        state: (row, value) => row.state === value,
        q: (row, value) => [row.tid, row.serial, row.merchant_name].some((text) => text.includes(value)),
      });
    case 'agents':
      return { items: agents.map(agentRow) };
    case 'episodes':
      return named === undefined ? { items: episodeRows() } : episodeDetail(named);
    case 'cases':
      return page(cases, query, {
        state: (row, value) => row.state === value,
        agent: (row, value) => row.agent_code.startsWith(value),
        overdue: (row, value) => String(row.overdue) === value,
      });
    case 'breaks':
      return named === undefined ? breakPage(query, page) : breakDetail(named);
    case 'expectations':
      return expectationPage(query);
    case 'diversions':
      return diversionPage(query);
    case 'limits':
      return named === undefined ? limitPage() : limitHistory(named);
    case 'monitoring':
      return monitoringPage(query.get('month'));
    case 'rejudgements':
      return rejudgementPage();
    case 'packs':
      return named === undefined ? packPage() : shadowOf(named);
    case 'files':
      return { items: files };
    case 'gateways':
      return { items: [] };
    case 'rejects':
      return page(rejects, query, { file: (row, value) => row.file_id === value });
    case 'evidence':
      return named === 'checkpoint' ? checkpoint : undefined;
    case 'audit':
      return page(audit, query);
    default:
      return undefined;
  }
}
