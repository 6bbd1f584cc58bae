import { Table, type TableColumnsType } from 'antd';
import type { ReactNode } from 'react';
import { Link } from 'react-router';
import { queryString, type Query } from '../../api/client';
import type { CauseCount, KindCount, OutwardCount } from '../../api/types';
import { KIND_COLORS, PARTY_COLORS } from '../../domain/codes';
import { formatCount, formatMoney } from '../../format/money';
import { nameOf, useT } from '../../i18n/locale';
import { BarCell } from '../../parts/BarCell';
import { KindTag } from '../../parts/names';
import { Panel } from '../../parts/Panel';
import { EmptyState } from '../../parts/states';
import { Money } from '../../parts/values';

interface Row {
  key: string;
  count: number;
  loss_minor: number;
  amount_minor?: number;
}

interface BreakdownProps<R extends Row> {
  title: string;
  hint?: string;
  rows: R[];
  heading: string;
  name: (row: R) => ReactNode;
  link: (row: R) => Query;
  color?: (row: R) => string | undefined;
  /** The figure that is drawn as a bar and that the rows are ordered by. */
  by: 'count' | 'loss_minor';
  testId: string;
}

/** A counted list; each row leads to the payments behind it. */
function Breakdown<R extends Row>({ title, hint, rows, heading, name, link, color, by, testId }: BreakdownProps<R>) {
  const t = useT();
  const sorted = [...rows].sort((a, b) => b[by] - a[by] || b.count - a.count);
  const max = sorted[0]?.[by] ?? 0;
  const bar = (row: R, text: string) => <BarCell value={row[by]} max={max} text={text} color={color?.(row)} />;
  const columns: TableColumnsType<R> = [
    { key: 'name', title: heading, render: (_, row) => <Link to={`/payments${queryString(link(row))}`}>{name(row)}</Link> },
    {
      key: 'count',
      title: t.common.count,
      align: 'right',
      width: by === 'count' ? '28%' : 60,
      render: (_, row) =>
        by === 'count' ? bar(row, formatCount(row.count)) : <span className="number">{formatCount(row.count)}</span>,
    },
    ...(rows.some((row) => row.amount_minor !== undefined)
      ? [
          {
            key: 'amount',
            title: t.common.amount,
            align: 'right' as const,
            width: 120,
            render: (_: unknown, row: R) => <Money minor={row.amount_minor} />,
          },
        ]
      : []),
    {
      key: 'loss',
      title: t.common.loss,
      align: 'right',
      width: by === 'loss_minor' ? '44%' : 120,
      render: (_, row) =>
        by === 'loss_minor' ? bar(row, formatMoney(row.loss_minor)) : <Money minor={row.loss_minor} dash />,
    },
  ];
  return (
    <Panel title={title} flush testId={testId}>
      <Table<R>
        size="small"
        rowKey="key"
        columns={columns}
        dataSource={sorted}
        pagination={false}
        locale={{ emptyText: <EmptyState /> }}
        scroll={{ y: 330 }}
      />
      {hint !== undefined && <p className="quiet breakdown-hint">{hint}</p>}
    </Panel>
  );
}

export function KindPanel({ rows, date }: { rows: KindCount[]; date: string | undefined }) {
  const t = useT();
  return (
    <Breakdown
      title={t.overview.byKind}
      rows={rows.map((row) => ({ ...row, key: row.kind }))}
      heading={t.common.kind}
      name={(row) => <KindTag kind={row.kind} />}
      link={(row) => ({ kind: row.kind, date })}
      color={(row) => KIND_COLORS[row.kind]}
      by="count"
      testId="by-kind"
    />
  );
}

export function CausePanel({ rows, date }: { rows: CauseCount[]; date: string | undefined }) {
  const t = useT();
  return (
    <Breakdown
      title={t.overview.byCause}
      rows={rows.map((row) => ({ ...row, key: row.cause }))}
      heading={t.common.cause}
      name={(row) => <span title={row.cause}>{nameOf(t.causes, row.cause)}</span>}
      link={(row) => ({ cause: row.cause, date })}
      by="count"
      testId="by-cause"
    />
  );
}

export function OutwardPanel({ rows, date }: { rows: OutwardCount[]; date: string | undefined }) {
  const t = useT();
  return (
    <Breakdown
      title={t.overview.byOutward}
      hint={t.overview.byOutwardHint}
      rows={rows.map((row) => ({ ...row, key: row.party }))}
      heading={t.common.party}
      name={(row) => nameOf(t.parties, row.party)}
      link={(row) => ({ outward: row.party, date })}
      color={(row) => PARTY_COLORS[row.party]}
      by="loss_minor"
      testId="by-outward"
    />
  );
}
