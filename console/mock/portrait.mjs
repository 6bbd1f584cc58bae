/** What judging tells about the Shiyan episode: numbers made up, shapes as the server gives them. */

const rate = (failures, attempts) => ({ attempts, failures });
const time = (minutes, seconds = 0) => {
  const pad = (number) => String(number).padStart(2, '0');
  return `2026-09-21T${pad(Math.trunc(minutes / 60))}:${pad(minutes % 60)}:${pad(seconds)}+08:00`;
};
const START = 10 * 60 + 20;
const END = 14 * 60 + 5;

function timeline() {
  return Array.from({ length: 68 }, (_, index) => {
    const minute = 9 * 60 + 25 + index * 5;
    const fails = minute >= START && minute < END;
    const attempts = 40 + ((index * 7) % 17);
    return {
      at: time(minute),
      inside: rate(fails ? Math.trunc((attempts * (52 + ((index * 13) % 15))) / 100) : index % 9 === 0 ? 1 : 0, attempts),
      elsewhere: rate(index % 3, 900 + ((index * 31) % 120)),
    };
  });
}

function amounts() {
  return Array.from({ length: 40 }, (_, index) => {
    const attempts = Math.max(6, 180 - index * 5);
    return {
      from_minor: index * 2500,
      to_minor: (index + 1) * 2500,
      rate: rate(index < 20 ? Math.trunc((attempts * (54 + ((index * 11) % 12))) / 100) : index % 11 === 0 ? 1 : 0, attempts),
    };
  });
}

const cell = (value, inside, elsewhere) => ({ value, inside, elsewhere });
const none = rate(0, 0);

const map = () => [
  { dim: 'network_link', scoped: true, cells: [cell('211', rate(1310, 2310), none), cell('201', none, rate(14, 9120)), cell('202', none, rate(11, 8200)), cell('203', none, rate(9, 6010))] },
  { dim: 'city', scoped: false, cells: [cell('十堰', rate(890, 1570), rate(3, 1402)), cell('襄阳', rate(420, 740), rate(2, 911)), ...['武汉', '长沙', '成都', '上海'].map((city, index) => cell(city, none, rate(index + 3, 3100 + index * 400)))] },
  { dim: 'agent', scoped: false, cells: ['A0102', 'A0103', 'A0101', 'A0202', 'A0301', 'A0501'].map((agent, index) => cell(agent, index < 3 ? rate(560 - index * 120, 980 - index * 200) : none, rate(index + 1, 1200 + index * 90))) },
  { dim: 'entry_mode', scoped: false, cells: [cell('contactless', rate(1310, 2310), rate(12, 9800)), cell('chip', none, rate(20, 13100))] },
  { dim: 'pin', scoped: false, cells: [cell('no_pin', rate(1310, 2310), rate(12, 9800)), cell('pin', none, rate(20, 13100))] },
  { dim: 'app_version', scoped: false, cells: ['3.0.7', '3.1.2', '3.2.0', '2.8.4'].map((version, index) => cell(version, rate(500 - index * 110, 880 - index * 190), rate(4 + index, 6000 - index * 1100))) },
];

const two = (zh, en) => ({ zh, en });
const hypothesis = (id, innocent, verdict, says, looks_at, finding) => ({
  id, innocent, verdict, says, looks_at, finding, source: 'mock', grade: 'P', a: none, b: none,
});

/** The same episode as live detection saw it. */
export const seenLive = () => ({
  id: 'EP-LIVE-20260921-01',
  steps: [
    { at: time(START + 1, 30), state: 'suspected', seen: rate(9, 14) },
    { at: time(START + 3, 10), state: 'confirmed', seen: rate(24, 41) },
  ],
});

export const portrait = () => ({
  steps: [
    { at: time(START + 1, 12), state: 'suspected', seen: rate(12, 19) },
    { at: time(START + 2, 40), state: 'confirmed', seen: rate(21, 36) },
    { at: time(END + 1, 5), state: 'mitigated', seen: rate(1310, 2316) },
    { at: time(END + 3, 44), state: 'recovered', seen: rate(1310, 2330) },
    { at: time(END + 63, 44), state: 'closed', seen: rate(1310, 2330) },
  ],
  twentieth_at: time(START + 2, 31),
  first_failure_at: time(START, 4),
  rate: rate(1310, 2310),
  baseline_ppm: 1480,
  cut: { amount_minor: 50000, low_minor: 49812, high_minor: 50020, below: true, failing: rate(1310, 2310), other: rate(2, 960) },
  amounts: amounts(),
  map: map(),
  agents: ['A0102', 'A0103', 'A0101'].map((code, index) => ({
    code, inside: rate(560 - index * 120, 980 - index * 200), elsewhere: rate(index + 1, 1200 + index * 90), amount_minor: 8_120_000 - index * 1_900_000, standing: 'cleared',
  })),
  timeline: timeline(),
  hypotheses: [
    hypothesis('route_below_a_limit', false, 'supports', two('小额或免密产品走了另一条通道，故障在该通道', 'Small or no-PIN payments take another route, and that route fails'), two('同类交易走其他通道是否成功', 'Whether payments alike succeed off that route'), two('范围内1310/2310（56.70 %）；同类交易走其他通道：12/9800（0.12 %）。只有这条通道失败', '1310 of 2310 (56.70 %) in the scope; payments alike on other routes: 12 of 9800 (0.12 %). Only this route fails')),
    hypothesis('amount_limit_in_the_route', false, 'supports', two('金额有明确分界', 'There is a sharp amount'), two('分界两侧的失败率', 'The failure rate on both sides'), two('分界500.00：一侧402/711（56.54 %），另一侧0/655（0.00 %）', 'Cut 500.00: 402 of 711 (56.54 %) on the one side, 0 of 655 (0.00 %) on the other')),
    hypothesis('program_version', false, 'excludes', two('终端程序版本处理金额或应答有误', 'A program version handles amounts or replies wrongly'), two('各版本的失败率', 'The failure rate of each version'), two('各版本同样失败', 'All versions fail alike')),
    hypothesis('issuer_outage', true, 'excludes', two('某一发卡机构故障', 'One issuer is down'), two('各发卡机构的失败率', 'The failure rate of each issuer'), two('各发卡机构同样失败', 'All issuers fail alike')),
    hypothesis('busier_than_usual', true, 'unknown', two('节假日或促销使交易量异常', 'A holiday or sale'), two('其他日同一时段', 'The same hours of other days'), two('可比的交易太少', 'Too few payments to compare')),
  ],
  notice: two('【恢复通知】网络线路 211 范围内的异常已恢复。受影响的是500.00元以下的交易。', 'Recovery notice: the incident on network link 211 is over. Payments below CNY 500.00 were affected.'),
  notice_agent: two('本事件只作为诊断事实，不据此向代理商扣款。', 'The episode is a fact for diagnosis and charges no agent by itself.'),
});
