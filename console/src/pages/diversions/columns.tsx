import { Tag, Tooltip, type TableColumnsType } from 'antd';
import { Link } from 'react-router';
import type { DiversionRow } from '../../api/types';
import { formatCount, formatMoney, formatShare } from '../../format/money';
import { nameOf, pickField, type Locale } from '../../i18n/locale';
import type { Dictionary } from '../../i18n/zh-CN';
import { BarCell } from '../../parts/BarCell';
import { formatSurprise, paymentsOf, type Grouping } from './leads';

function Hinted({ text, hint }: { text: string; hint: string }) {
  return (
    <Tooltip title={hint}>
      <span>{text}</span>
    </Tooltip>
  );
}

function Share({ row, t }: { row: DiversionRow; t: Dictionary }) {
  if (row.share_bp === null || row.payments_total === null) return <span className="quiet">–</span>;
  return (
    <div className="two-line number">
      {formatShare(row.share_bp)}
      <small>{t.diversions.shareOf(formatCount(row.payments), formatCount(row.payments_total))}</small>
    </div>
  );
}

export function diversionColumns(t: Dictionary, locale: Locale, by: Grouping, maxStake: number): TableColumnsType<DiversionRow> {
  return [
    {
      title: t.diversions.groupings[by],
      render: (_, row) => (
        <span>
          <Link to={paymentsOf(by, row)} className="number">
            {row.key}
          </Link>{' '}
          {row.name}
        </span>
      ),
    },
    {
      title: <Hinted text={t.diversions.stake} hint={t.diversions.stakeHint} />,
      align: 'right',
      width: '20%',
      render: (_, row) => <BarCell value={row.stake_minor} max={maxStake} text={formatMoney(row.stake_minor)} />,
    },
    { title: t.diversions.payments, align: 'right', render: (_, row) => <span className="number">{formatCount(row.payments)}</span> },
    { title: t.diversions.share, align: 'right', render: (_, row) => <Share row={row} t={t} /> },
    {
      title: <Hinted text={t.diversions.expected} hint={t.diversions.expectedHint} />,
      align: 'right',
      render: (_, row) => <span className="number">{row.expected_bp === null ? '–' : formatShare(row.expected_bp)}</span>,
    },
    {
      title: <Hinted text={t.diversions.surprise} hint={t.diversions.surpriseHint} />,
      align: 'right',
      render: (_, row) => <span className="number">{formatSurprise(row.surprise_milli)}</span>,
    },
    {
      title: t.diversions.spread,
      align: 'right',
      render: (_, row) => (
        <span className="number nowrap">{[row.merchants, row.terminals, row.agents].map(formatCount).join(' / ')}</span>
      ),
    },
    {
      title: t.diversions.classes,
      render: (_, row) =>
        row.classes.map((it) => (
          <Tag key={it.class} title={it.class} className="tag-flat">
            {pickField(locale, it, 'class')} {formatCount(it.payments)}
          </Tag>
        )),
    },
    {
      title: t.diversions.flagsTitle,
      render: (_, row) =>
        row.flags.map((flag) => (
          <Tag key={flag} color="volcano" className="tag-flat">
            {nameOf(t.diversions.flags, flag)}
          </Tag>
        )),
    },
  ];
}
