import { Tag, Tooltip, type TableColumnsType } from 'antd';
import type { ExpectationRow, Standing } from '../../api/types';
import { formatCount } from '../../format/money';
import { nameOf, pickField, type Locale } from '../../i18n/locale';
import type { Dictionary } from '../../i18n/zh-CN';
import { Money, PaymentLink, Time } from '../../parts/values';
import { ageOf, bandHours, type AgeRow } from './ages';

const STANDING_COLORS: Record<Standing, string> = { awaited: 'blue', overdue: 'red', late: 'gold' };

export function StandingTag({ standing, t }: { standing: Standing; t: Dictionary }) {
  return (
    <Tag color={STANDING_COLORS[standing]} className="tag-flat">
      {t.expectations.standings[standing]}
    </Tag>
  );
}

function Age({ row, t }: { row: ExpectationRow; t: Dictionary }) {
  const { amount, unit } = ageOf(row.age_seconds);
  return <>{t.expectations.age[row.standing](t.expectations.units[unit](amount))}</>;
}

export function summaryColumns(t: Dictionary, bounds: number[]): TableColumnsType<AgeRow> {
  const bands = Array.from({ length: bounds.length + 1 }, (_, band) => band);
  return [
    { title: t.expectations.standing, render: (_, row) => <StandingTag standing={row.standing} t={t} /> },
    { title: t.expectations.leg, render: (_, row) => nameOf(t.expectations.legs, row.leg) },
    ...bands.map((band) => ({
      title: t.expectations.band(bandHours(band, bounds)),
      align: 'right' as const,
      render: (_: unknown, row: AgeRow) => {
        const count = row.counts[band] ?? 0;
        return count === 0 ? <span className="quiet">–</span> : <span className="number">{formatCount(count)}</span>;
      },
    })),
    { title: t.common.count, align: 'right', render: (_, row) => <b className="number">{formatCount(row.count)}</b> },
    { title: t.common.amount, align: 'right', render: (_, row) => <Money minor={row.amount_minor} /> },
  ];
}

export function expectationColumns(t: Dictionary, locale: Locale): TableColumnsType<ExpectationRow> {
  return [
    { title: t.breaks.payment, render: (_, row) => <PaymentLink id={row.payment_id} /> },
    {
      title: t.expectations.leg,
      render: (_, row) => (
        <Tooltip title={`${pickField(locale, row, 'rule')} (${row.rule_id})`}>
          <span>{nameOf(t.expectations.legs, row.leg)}</span>
        </Tooltip>
      ),
    },
    { title: t.expectations.standing, render: (_, row) => <StandingTag standing={row.standing} t={t} /> },
    { title: t.expectations.due, render: (_, row) => <Time at={row.due_at} style="minute" /> },
    { title: t.expectations.ageTitle, render: (_, row) => <Age row={row} t={t} /> },
    {
      title: t.expectations.becomes,
      render: (_, row) =>
        row.class === '' ? (
          <span className="quiet">–</span>
        ) : (
          <span>
            {pickField(locale, row, 'class')} <code className="quiet">{row.class}</code>
          </span>
        ),
    },
    { title: t.common.amount, align: 'right', render: (_, row) => <Money minor={row.amount_minor} /> },
    { title: t.common.terminal, render: (_, row) => <span className="number">{row.tid}</span> },
    { title: t.common.agent, render: (_, row) => <span className="number">{row.agent_code}</span> },
  ];
}
