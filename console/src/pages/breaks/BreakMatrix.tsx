import { Table, type TableColumnsType } from 'antd';
import type { BreakPage, BreakSummary } from '../../api/types';
import { formatCount } from '../../format/money';
import { nameOf, pick, pickField, useLocale } from '../../i18n/locale';
import { Panel } from '../../parts/Panel';
import { EmptyState } from '../../parts/states';
import { Money } from '../../parts/values';
import { cellOf, shadeOf, totalOf, type Cell } from './resolution';

interface Chosen {
  class?: string | undefined;
  age?: string | undefined;
}

interface MatrixProps {
  page: BreakPage | undefined;
  chosen: Chosen;
  onChoose: (chosen: Chosen) => void;
}

function CellButton({ cell, selected, onClick, testId }: { cell: Cell; selected: boolean; onClick: () => void; testId: string }) {
  if (cell.count === 0) return <span className="quiet">–</span>;
  return (
    <button
      type="button"
      className={`matrix-cell matrix-shade-${shadeOf(cell)}${selected ? ' matrix-chosen' : ''}`}
      aria-pressed={selected}
      data-testid={testId}
      onClick={onClick}
    >
      <b className="number">{formatCount(cell.count)}</b>
      <small>
        <Money minor={cell.stake_minor} />
      </small>
    </button>
  );
}

/** Breaks by class and age: how many, and how much money; a cell filters the list below. */
export function BreakMatrix({ page, chosen, onChoose }: MatrixProps) {
  const { t, locale } = useLocale();
  const rows = page?.summary ?? [];
  const toggle = (next: Chosen) =>
    onChoose(next.class === chosen.class && next.age === chosen.age ? { class: undefined, age: undefined } : next);
  const cell = (value: Cell, next: Chosen) => (
    <CellButton
      cell={value}
      selected={next.class === chosen.class && next.age === chosen.age}
      onClick={() => toggle(next)}
      testId={`cell-${next.class ?? 'all'}-${next.age ?? 'all'}`}
    />
  );
  const bands = (page?.bands ?? []).map((band) => ({
    title: pick(locale, band),
    key: band.code,
    align: 'right' as const,
    render: (_: unknown, row: BreakSummary) => cell(cellOf(row, band.code), { class: row.class, age: band.code }),
  }));
  const columns: TableColumnsType<BreakSummary> = [
    {
      title: t.breaks.class,
      render: (_, row) => (
        <span title={nameOf(t.coarseBreaks, row.coarse)}>
          {pickField(locale, row, 'class')} <code className="quiet">{row.class}</code>
        </span>
      ),
    },
    ...bands,
    { title: t.breaks.all, align: 'right', render: (_, row) => cell(row, { class: row.class, age: undefined }) },
  ];
  return (
    <Panel title={t.breaks.summary} flush testId="break-summary">
      <Table<BreakSummary>
        size="small"
        rowKey="class"
        pagination={false}
        scroll={{ x: 'max-content' }}
        dataSource={rows}
        columns={columns}
        locale={{ emptyText: page === undefined ? ' ' : <EmptyState /> }}
        summary={() =>
          rows.length > 1 && (
            <Table.Summary.Row>
              <Table.Summary.Cell index={0}>{t.breaks.all}</Table.Summary.Cell>
              {(page?.bands ?? []).map((band, index) => (
                <Table.Summary.Cell key={band.code} index={index + 1} align="right">
                  {cell(totalOf(rows, band.code), { class: undefined, age: band.code })}
                </Table.Summary.Cell>
              ))}
              <Table.Summary.Cell index={bands.length + 1} align="right">
                <b className="number">{formatCount(totalOf(rows).count)}</b>
                <br />
                <Money minor={totalOf(rows).stake_minor} />
              </Table.Summary.Cell>
            </Table.Summary.Row>
          )
        }
      />
    </Panel>
  );
}
