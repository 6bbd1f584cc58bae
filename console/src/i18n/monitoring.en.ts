import type { MonitoringTexts } from './monitoring.zh-CN';

/** Texts of the monitoring programmes of the networks. */
export const monitoringTexts: MonitoringTexts = {
  title: 'Monitoring programmes',
  intro:
    'Networks watch disputes and fraud by monthly ratios (VAMP, ECM/EFM, monthly chargebacks). Here is where the acquirer and its merchants stand, and where the month will end if it goes on like this. For card-present business in China they only inform.',
  month: (month, day, days) => `${month} (day ${day} of ${days})`,
  chooseMonth: 'Month',
  programme: 'Programme',
  subject: 'Subject',
  acquirer: 'Acquirer',
  sales: 'Sales',
  now: 'Now (cases, ratio)',
  end: "Month's end",
  limit: 'Limit',
  cases: (count) => `and at least ${count} cases`,
  left: 'Cases left',
  noSales: 'no sales to divide by',
  standings: { now: 'reached', end: "will be reached by month's end", below: 'not reached', none: 'no limit seen' },
  notCounted: { fraud_reports: 'fraud reports are not among the records; the true ratio may be higher' },
};
