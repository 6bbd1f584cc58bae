/** A small invented day of card payments; the same on every start. */

let state = 20260921;
/** A fixed sequence of numbers below n (Park and Miller). */
export const draw = (n) => {
  state = (state * 48271) % 2147483647;
  return state % n;
};
const one = (list) => list[draw(list.length)];
const digits = (n) => Array.from({ length: n }, () => draw(10)).join('');

export const DAY = '2026-09-21';
export const AS_OF = '2026-09-26T10:00:00+08:00';
const at = (hour, minute, second) => {
  const two = (value) => String(value).padStart(2, '0');
  return `${DAY}T${two(hour)}:${two(minute)}:${two(second)}+08:00`;
};

const TREE = [
  ['A01', null, '湖北汇川支付服务', '武汉'],
  ['A0101', 'A01', '武汉信达电子', '武汉'],
  ['A0102', 'A01', '十堰恒通商服', '十堰'],
  ['A0103', 'A01', '襄阳汇丰科技', '襄阳'],
  ['A02', null, '湖北江联电子', '武汉'],
  ['A0203', 'A02', '宜昌联创商务', '宜昌'],
  ['A03', null, '湖南盛付科技', '长沙'],
  ['A0301', 'A03', '长沙捷联终端服务', '长沙'],
  ['A0302', 'A03', '岳阳通汇商服', '岳阳'],
  ['A05', null, '华东畅付服务', '上海'],
  ['A0502', 'A05', '上海锐联电子', '上海'],
];

export const agents = TREE.map(([code, parent_code, name, city], index) => ({
  code,
  parent_code,
  level: parent_code === null ? 1 : 2,
  name,
  city,
  status: code === 'A0301' ? 'watch' : 'active',
  filing_no: `PCAC-TEST-${code}`,
  filing_valid_to: code === 'A0302' ? '2026-06-30' : '2027-12-31',
  deposit_minor: parent_code === null ? 50001000 : 11000000 + index * 100000,
  deposit_floor_minor: parent_code === null ? 30000000 : code === 'A0302' ? 15000000 : 10000000,
  recourse_share_bp: 7000 + (index % 3) * 1000,
}));

const leaves = agents.filter((agent) => agent.parent_code !== null);
const SHOPS = ['鑫和电器行', '祥丰百货', '悦隆便利店', '兴发超市', '老街米粉店', '锦江餐饮', '百姓大药房', '宏远加油站'];

const merchants = leaves.flatMap((agent, a) =>
  Array.from({ length: 9 }, (_, m) => ({
    code: `8995${String(5210 + a * 11)}5411${String(m + 1).padStart(3, '0')}`,
    name: `${agent.city}${SHOPS[(a + m) % SHOPS.length]}`,
    agent,
  })),
);

export const terminals = merchants.flatMap((merchant) =>
  Array.from({ length: 1 + draw(2) }, () => ({
    serial: `3102B1${6 + draw(2)}${digits(8)}`,
    tid: `5${digits(7)}`,
    merchant,
    model: one(['LT-900', 'LT-900', 'XD-5', 'XD-8A']),
    app_version: one(['3.1.2', '3.1.2', '3.1.2', '2.8.4']),
    tampered: merchant.agent.code === 'A0301' ? 'TAMPER.AGENT' : merchant.agent.code === 'A0302' ? 'TAMPER.OUTSIDER' : '',
  })),
);

export const episodes = [
  {
    id: 'EP-20260921-01',
    state: 'closed',
    cause: 'NET.UP',
    status: 'confirmed',
    benign: false,
    live: false,
    pattern: false,
    started_at: at(10, 20, 14),
    ended_at: at(14, 4, 51),
    scope: { network_link: ['211'], city: ['十堰', '襄阳'], amount_band: ['<50000'] },
    title_zh: '网络线路 211 丢失应答（十堰、襄阳，500 元以下免密挥卡）',
    title_en: 'Network line 211 lost answers (Shiyan, Xiangyang; contactless below CNY 500)',
  },
  {
    id: 'EP-20260921-02',
    state: 'confirmed',
    cause: 'TAMPER.AGENT',
    status: 'confirmed',
    benign: false,
    live: false,
    pattern: false,
    started_at: '2026-09-07T10:36:00+08:00',
    ended_at: null,
    scope: { agent: ['A0301'], terminal: terminals.filter((t) => t.tampered === 'TAMPER.AGENT').map((t) => t.tid) },
    title_zh: '长沙捷联名下终端程序被改，款项转入空壳商户',
    title_en: 'Changed software on terminals of A0301; money goes to shell merchants',
  },
  {
    id: 'EP-20260921-03',
    state: 'recovered',
    cause: 'NET.ISS',
    status: 'probable',
    benign: true,
    live: false,
    pattern: false,
    started_at: at(14, 40, 3),
    ended_at: at(15, 29, 48),
    scope: { issuer: ['01999102'] },
    title_zh: '发卡行 01999102 系统故障（91/68），各地普遍，与代理商无关',
    title_en: 'Outage of issuer 01999102 (91/68) everywhere; no agent is to blame',
  },
];

const exception = (kind, cause, status, outward, shares, loss_minor, episode_id = null) => ({
  kind,
  cause,
  status,
  outward,
  shares,
  loss_minor,
  episode_id,
});

/** What goes wrong with this payment, if anything: [response code, outcome, exceptions]. */
function fate(terminal, hour, amount) {
  const { city, code } = terminal.merchant.agent;
  if (terminal.tampered === 'TAMPER.AGENT' && draw(10) < 6) {
    return ['00', 'approved', [exception('K6', 'TAMPER.AGENT', 'confirmed', 'acquirer', { agent: 10000 }, amount, episodes[1].id)]];
  }
  if (terminal.tampered === 'TAMPER.OUTSIDER' && draw(10) < 3) {
    return ['00', 'approved', [exception('K6', 'TAMPER.OUTSIDER', 'probable', 'acquirer', { acquirer: 6000, agent: 4000 }, amount)]];
  }
  if (['十堰', '襄阳'].includes(city) && hour >= 10 && hour < 14 && amount < 50000 && draw(10) < 8) {
    return ['', 'reversed', [exception('K4', 'NET.UP', 'confirmed', 'acquirer', { network: 10000 }, 0, episodes[0].id)]];
  }
  if (hour === 14 && draw(10) < 4) {
    return ['91', 'declined', [exception('K2', 'NET.ISS', 'probable', 'none', { issuer: 10000 }, 0, episodes[2].id)]];
  }
  if (draw(100) < 6) {
    const [rc, cause] = one([['51', 'CARD.FUNDS'], ['51', 'CARD.FUNDS'], ['55', 'CARD.PIN'], ['61', 'CARD.LIMIT'], ['14', 'CARD.STATUS']]);
    return [rc, 'declined', [exception('K2', cause, 'confirmed', 'none', { cardholder: 10000 }, 0)]];
  }
  if (terminal.model === 'LT-900' && draw(100) < 6) {
    return ['L1', 'unread', [exception('K1', 'TERM.HW', 'confirmed', 'agent', { producer: 10000 }, 0)]];
  }
  if (code === 'A0203' && draw(10) < 2) {
    const late = exception('K7', 'ACQ.RISKHOLD', 'confirmed', 'none', { merchant: 10000 }, 0);
    const back = exception('K8', 'CH.FRAUD', 'possible', 'acquirer', { merchant: 10000 }, amount);
    return ['00', 'approved', draw(4) === 0 ? [late, back] : [late]];
  }
  if (draw(1000) < 8) {
    return ['', 'unknown', [exception('K5', 'UNKNOWN', 'possible', 'acquirer', { suspense: 10000 }, amount)]];
  }
  return ['00', 'approved', []];
}

export const payments = Array.from({ length: 1600 }, () => {
  const terminal = one(terminals);
  const hour = 6 + Math.min(draw(17), draw(17) + 4);
  const amount = one([1, 1, 1, 4, 12]) * (600 + draw(32000));
  const [response_code, outcome, exceptions] = fate(terminal, hour, amount);
  const batch = `000${digits(3)}`;
  const stan = digits(6);
  const id = `${DAY}.${terminal.tid}.${batch}.${stan}`;
  return {
    terminal,
    row: {
      id,
      started_at: at(hour, draw(60), draw(60)),
      tid: terminal.tid,
      merchant_code: terminal.merchant.code,
      merchant_name: terminal.merchant.name,
      agent_code: terminal.merchant.agent.code,
      city: terminal.merchant.agent.city,
      amount_minor: amount,
      card_type: one(['debit', 'credit']),
      issuer: `0199910${1 + draw(9)}`,
      pan_masked: `99990${draw(9)}******${digits(4)}`,
      entry_mode: amount < 50000 ? '072' : '051',
      rrn: response_code === '' || response_code === 'L1' ? '' : digits(12),
      response_code,
      outcome,
      exceptions: exceptions.map((row) => ({ ...row, case_id: row.loss_minor > 0 ? `${id}.${row.kind}` : null })),
    },
  };
}).sort((a, b) => b.row.started_at.localeCompare(a.row.started_at));
