import { createHash } from 'node:crypto';
import { checkpointNote, leafHash, proofOf, publicKey, rootOf } from './merkle.mjs';
import { AS_OF, agents, episodes, payments } from './world.mjs';

const sha = (text) => createHash('sha256').update(text).digest('hex');
const yuan = (minor) => (minor / 100).toFixed(2);

/** Every decision is one leaf of the log, in the order of the payments. */
const decisions = payments.flatMap(({ row }) => row.exceptions.map((exception) => ({ id: row.id, kind: exception.kind })));
const leaves = decisions.map((decision) => leafHash(JSON.stringify(decision)));
export const checkpoint = {
  size: leaves.length,
  root: rootOf(leaves).toString('hex'),
  note: checkpointNote(leaves),
  signed_at: AS_OF,
  public_key: publicKey,
};

function evidenceOf(id, kind) {
  const index = decisions.findIndex((decision) => decision.id === id && decision.kind === kind);
  return {
    entry_index: index,
    leaf_hash: leaves[index].toString('hex'),
    verdict_sha256: sha(`${id}${kind}`),
    tree_size: leaves.length,
    root: checkpoint.root,
    proof: proofOf(leaves, index).map((hash) => hash.toString('hex')),
    checkpoint: checkpoint.note,
    verified: true,
  };
}

const field = (name, zh, en, value, differs = false) => ({ name, zh, en, value, differs });

function leg(name, present, row, shown, summary_zh, summary_en, fields, file) {
  return {
    leg: name,
    present,
    amount_minor: present ? shown.amount : null,
    merchant_code: present ? shown.merchant : null,
    at: present ? row.started_at : null,
    summary_zh,
    summary_en,
    rows: present
      ? [
          {
            source: { file_id: sha(file.name), file_name: file.name, line: file.line, offset: file.offset, length: 214 },
            at: row.started_at,
            fields,
          },
        ]
      : [],
  };
}

function legsOf({ row, terminal }) {
  const diverted = row.exceptions.some(({ kind }) => kind === 'K6');
  const shell = diverted ? '899551059990001' : row.merchant_code;
  const sent = row.outcome !== 'unread';
  const cleared = row.outcome === 'approved';
  const [, tid, batch, stan] = row.id.split('.');
  const mine = { amount: row.amount_minor, merchant: row.merchant_code };
  const theirs = { amount: row.amount_minor, merchant: shell };
  const fee = Math.round(row.amount_minor / 200);
  return [
    leg('journal', true, row, mine, '终端记录为交易成功，已打印签购单。', 'The terminal recorded success and printed a slip.', [
      field('merchant_code', '商户编号', 'Merchant code', row.merchant_code, diverted),
      field('amount_minor', '金额', 'Amount', yuan(row.amount_minor)),
      field('tid', '终端号', 'Terminal ID', tid),
      field('batch', '批次号', 'Batch', batch),
      field('stan', '流水号', 'Trace number', stan),
      field('rc', '应答码', 'Response code', row.response_code || '–'),
      field('app_version', '软件版本', 'Software', terminal.app_version),
    ], { name: `journal/journal_20260921.csv`, line: 1843, offset: 402117 }),
    leg('switch', sent, row, theirs, diverted ? '报文中的商户编号与终端流水不同。' : '请求与应答齐全。', diverted ? 'The merchant code on the wire is not the one of the journal.' : 'Request and answer are both there.', [
      field('merchant_code', '商户编号 (F42)', 'Merchant code (F42)', shell, diverted),
      field('F4', '金额 (F4)', 'Amount (F4)', yuan(row.amount_minor)),
      field('F11', '流水号 (F11)', 'Trace number (F11)', stan),
      field('F37', '参考号 (F37)', 'Reference (F37)', row.rrn || '–'),
      field('F39', '应答码 (F39)', 'Response code (F39)', row.response_code || '–'),
      field('link', '线路', 'Line', '201'),
    ], { name: 'switch/switch_20260921.bin', line: null, offset: 1882331 }),
    leg('clearing', cleared, row, theirs, '已清算。', 'Cleared.', [
      field('merchant_code', '商户编号', 'Merchant code', shell, diverted),
      field('amount_minor', '金额', 'Amount', yuan(row.amount_minor)),
      field('fee_minor', '手续费', 'Fee', yuan(fee)),
      field('ref_no', '参考号', 'Reference', row.rrn || '–'),
    ], { name: 'clearing/INN26092188ZM_48990001', line: 772, offset: 468604 }),
    leg('payout', cleared, row, { ...theirs, amount: row.amount_minor - fee }, diverted ? '款项付入空壳商户账户。' : '已按日汇总付款。', diverted ? "Paid into a shell merchant's account." : 'Paid out in the daily sum.', [
      field('merchant_code', '商户编号', 'Merchant code', shell, diverted),
      field('payee_name', '收款人', 'Payee', diverted ? '长沙隆盛商贸行' : row.merchant_name, diverted),
      field('net_minor', '净额', 'Net amount', yuan(row.amount_minor - fee)),
      field('pay_date', '付款日', 'Pay date', '2026-09-22'),
    ], { name: 'payout/payout_20260922.csv', line: 61, offset: 11082 }),
  ];
}

const bearsAgent = (shares) => (shares.agent ?? 0) > 0;

function reasonsOf({ row, terminal }, exception) {
  const source = (file_name, line) => ({ file_name, line, offset: line * 90 });
  if (exception.kind !== 'K6') {
    return [
      {
        rule_id: `cn-default-1/${exception.cause.toLowerCase()}`,
        text_zh: '应答码、线路记录与同一时段其他终端的结果一致，原因不在本终端。',
        text_en: 'Response code, line records and other terminals at the time agree: the cause is not in this terminal.',
        ground: { text: '《银行卡收单业务管理办法》', source: '公告〔2013〕9号', grade: 'B' },
        facts: [
          { name: 'response_code', value: row.response_code || '–', zh: '应答码', en: 'Response code', source: source('journal/journal_20260921.csv', 1843) },
          { name: 'reversal', value: 'CONFIRMED', zh: '冲正', en: 'Reversal', source: { file_name: 'switch/switch_20260921.bin', line: null, offset: 1882331 } },
        ],
      },
    ];
  }
  return [
    {
      rule_id: 'cn-default-1/outward.tamper',
      text_zh: '终端程序被改，商户款项被转走：收单机构先行赔付商户，再向有过错者追偿。',
      text_en: 'Changed software sent the money elsewhere: the acquirer pays the merchant first and recovers from whoever is at fault.',
      ground: { text: '《非银行支付机构监督管理条例》第二十五条', source: '国务院令第768号', grade: 'S' },
      facts: [
        { name: 'merchant_on_journal', value: row.merchant_code, zh: '终端流水的商户', en: 'Merchant in the journal', source: source('journal/journal_20260921.csv', 1843) },
        { name: 'merchant_on_wire', value: '899551059990001', zh: '报文中的商户', en: 'Merchant on the wire', source: { file_name: 'switch/switch_20260921.bin', line: null, offset: 1882331 } },
      ],
    },
    {
      rule_id: `cn-default-1/${exception.cause.toLowerCase()}`,
      text_zh: '改动前最后一次接触终端的是该代理商的维护人员，且上报的程序哈希不在已批准清单内：由代理商最终承担。',
      text_en: "The agent's own technician was the last to handle the terminal before the change, and the reported hash is not approved: the agent bears it in the end.",
      ground: { text: '受理服务协议 AG-A0301-01 第 7 条（追偿）', source: 'registry/contracts.csv', grade: 'P' },
      facts: [
        { name: 'custody_last_by', value: `${row.agent_code}-T2`, zh: '最后经手人', en: 'Last handled by', source: source('registry/custody.csv', 418) },
        { name: 'attested_hash_approved', value: 'false', zh: '程序哈希已批准', en: 'Hash approved', source: source('registry/attestations.csv', 2207) },
        { name: 'app_version', value: terminal.app_version, zh: '软件版本', en: 'Software version', source: null },
      ],
    },
  ];
}

function findingsOf(exception) {
  const rest = ['NET.UP', 'CARD.FUNDS', 'MERCH.RULE'].filter((cause) => cause !== exception.cause);
  return [
    {
      cause: exception.cause,
      status: exception.status,
      facts: [
        { name: 'attested_hash_approved', value: 'false', source: 'registry/attestations.csv:2207' },
        { name: 'custody_last_by', value: 'A0301-T2', source: 'registry/custody.csv:418' },
      ],
    },
    { cause: rest[0], status: 'possible', facts: [{ name: 'same_link_failures', value: '3 / 212', source: null }] },
    { cause: rest[1], status: 'excluded', facts: [{ name: 'response_code', value: '00', source: null }] },
  ];
}

function answerOf(exception) {
  if (!bearsAgent(exception.shares)) {
    return {
      basis: 'none',
      zh: '代理商不承担。没有证据显示代理商自身有过错，合同的追偿条款不适用于此原因，也没有查到代理商对商户的单独承诺。',
      en: 'The agent does not bear this. Nothing shows a fault of its own, the recourse clause does not cover this cause, and no separate promise to the merchant was found.',
    };
  }
  return {
    basis: 'own_fault',
    zh: '代理商承担，因其自身过错：改动发生在其维护人员上门之后，程序哈希不在已批准清单内。监管规定本身并不要求代理商承担，依据是过错与合同追偿条款。',
    en: "The agent bears this by its own fault: the change follows its technician's visit and the software hash is not approved. No regulation makes the agent pay as such; the ground is its fault and the recourse clause.",
  };
}

function ledgerOf(id, exception) {
  if (exception.loss_minor === 0) return [];
  const line = (number, account, party, amount_minor, memo) => ({
    journal_id: `${id}.${exception.kind}.1`, line: number, account, party, amount_minor, memo, booked_at: AS_OF,
  });
  const inward = Object.entries(exception.shares).map(([party, bp], index) =>
    line(3 + index, `receivable:${party}`, party, Math.round((exception.loss_minor * bp) / 10000), 'recourse'),
  );
  const total = inward.reduce((sum, { amount_minor }) => sum + amount_minor, 0);
  return [
    line(1, 'payable:merchant', 'merchant', -exception.loss_minor, 'compensation'),
    line(2, 'outward-paid:acquirer', 'acquirer', exception.loss_minor, 'compensation'),
    ...inward,
    line(3 + inward.length, 'outward-paid:acquirer', 'acquirer', -total, 'recourse'),
  ];
}

const duty = (seq, name, duty_zh, duty_en, owner, due_at, amount_minor, state) => ({
  seq, duty: name, duty_zh, duty_en, owner, due_at, amount_minor, state,
});

function caseOf(id, exception) {
  if (exception.loss_minor === 0) return null;
  return {
    id: `${id}.${exception.kind}`,
    state: 'OPEN',
    opened_at: '2026-09-23T09:00:00+08:00',
    due_at: '2026-09-24T18:00:00+08:00',
    overdue: true,
    obligations: [
      duty(1, 'quarantine', '立即隔离终端', 'Quarantine the terminal now', 'agent', '2026-09-24T18:00:00+08:00', 0, 'open'),
      duty(2, 'restitution', '赔付商户', 'Pay the merchant', 'acquirer', '2026-10-08T18:00:00+08:00', exception.loss_minor, 'open'),
    ],
  };
}

function exceptionOf(payment, exception) {
  const { id } = payment.row;
  return {
    ...exception,
    rule_id: `cn-default-1/${exception.cause.toLowerCase()}`,
    rule_title_zh: exception.kind === 'K6' ? '代理商篡改程序：代理商全额承担' : '原因不在代理商：不向代理商扣款',
    rule_title_en: exception.kind === 'K6' ? 'Tampering by the agent: the agent bears all' : 'Cause lies elsewhere: the agent is not charged',
    pack: { id: 'cn-default-1', version: '1.0.0', sha256: sha('pack') },
    decided_at: AS_OF,
    revision: 1,
    findings: findingsOf(exception),
    reasons: reasonsOf(payment, exception),
    would_change: [
      { fact: 'custody_last_by', zh: '保管记录显示改动前终端由他人经手', en: 'A custody record showing that somebody else handled the terminal before the change' },
      { fact: 'inspection_passed', zh: '改动之后仍通过的现场检查记录', en: 'An inspection passed on site after the alleged change' },
    ],
    agent_answer: answerOf(exception),
    episode: episodeRows().find(({ id: episode }) => episode === exception.episode_id) ?? null,
    case: caseOf(id, exception),
    ledger: ledgerOf(id, exception),
    evidence: evidenceOf(id, exception.kind),
  };
}

export function breaksOf({ row }) {
  return row.exceptions
    .filter(({ kind }) => kind === 'K6' || kind === 'K7')
    .map(({ kind }) => ({
      payment_id: row.id,
      class: kind === 'K6' ? 'PAYEE_PAYOUT' : 'LATE_PAYOUT',
      coarse: kind === 'K6' ? 'PAYEE' : 'LATE',
      expected: kind === 'K6' ? row.merchant_code : '2026-09-22',
      found: kind === 'K6' ? '899551059990001' : '2026-09-25',
      difference_minor: kind === 'K6' ? row.amount_minor : 0,
      first_party: kind === 'K6' ? 'switch' : 'acquirer',
      class_zh: kind === 'K6' ? '收款人与商户不符' : '付款晚于应付日',
      class_en: kind === 'K6' ? 'Payee is not the merchant' : 'Paid after the due day',
    }));
}

export function episodeRows() {
  return episodes.map((episode) => {
    const inside = payments.filter(({ row }) => row.exceptions.some(({ episode_id }) => episode_id === episode.id));
    return { ...episode, payments: inside.length, amount_minor: inside.reduce((sum, { row }) => sum + row.amount_minor, 0) };
  });
}

export function paymentDetail(payment) {
  const { row, terminal } = payment;
  const agent = agents.find(({ code }) => code === row.agent_code);
  return {
    payment: { ...row, issuer_name: `测试${row.issuer.slice(-1)}号银行`, agent_name: agent.name, app_version: terminal.app_version },
    legs: legsOf(payment),
    exceptions: row.exceptions.map((exception) => exceptionOf(payment, exception)),
    breaks: breaksOf(payment),
  };
}
