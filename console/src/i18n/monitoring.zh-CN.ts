/** Texts of the monitoring programmes of the networks. */
export const monitoringTexts = {
  title: '监控计划',
  intro: '各卡组织按月比率监控退单与欺诈（VAMP、ECM/EFM、月退单比率）。此处为收单机构与商户本月的位置，以及按当前节奏推算的月末结果。境内面对面交易仅供参考。',
  month: (month: string, day: string, days: string) => `${month}（第 ${day} 天，共 ${days} 天）`,
  chooseMonth: '月份',
  programme: '计划',
  subject: '对象',
  acquirer: '收单机构',
  sales: '交易笔数',
  now: '目前（笔数、比率）',
  end: '月末推算',
  limit: '限值',
  cases: (count: string) => `且不少于 ${count} 笔`,
  left: '剩余笔数',
  noSales: '无交易可比',
  standings: { now: '已触及', end: '月末将触及', below: '未触及', none: '未见限值' },
  notCounted: { fraud_reports: '记录中没有欺诈报告，实际比率可能更高' },
};

export type MonitoringTexts = typeof monitoringTexts;
