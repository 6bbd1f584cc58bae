import { Table, Tag, type TableColumnsType } from 'antd';
import type { Alarm } from '../../api/alarms';
import { formatCount } from '../../format/money';
import { nameOf, pick, useLocale } from '../../i18n/locale';
import { Panel } from '../../parts/Panel';
import { Time } from '../../parts/values';

const COLORS: Record<string, string> = { raised: 'gold', confirmed: 'red' };

/** Thousandths as a number with one digit behind the point. */
export function milli(thousandths: number): string {
  return (thousandths / 1000).toFixed(1);
}

/** Alarms that stand, and those that ended lately: which cell, since when, how strong the evidence is. */
export function AlarmsPanel({ alarms }: { alarms: Alarm[] }) {
  const { t, locale } = useLocale();
  const texts = t.episodes.alarms;
  const columns: TableColumnsType<Alarm> = [
    {
      title: texts.what,
      render: (_, row) => (
        <>
          {pick(locale, row.says)} {row.origin === 'live' && <Tag color="blue" className="tag-flat">{t.episodes.live}</Tag>}
        </>
      ),
    },
    {
      title: texts.cell,
      render: (_, row) => (
        <>
          <span className="quiet">{row.layer.split('+').map((dim) => nameOf(texts.layers, dim)).join(' × ')}</span>{' '}
          <span className="number">{row.cell.split('+').join(' × ')}</span>
        </>
      ),
    },
    {
      title: t.common.state,
      className: 'nowrap',
      render: (_, row) => (
        <Tag color={COLORS[row.standing]} className="tag-flat">
          {row.ended_at === null && row.eased ? texts.eased : nameOf(texts.standings, row.standing)}
        </Tag>
      ),
    },
    { title: texts.since, render: (_, row) => <Time at={row.since_at} style="minute" /> },
    {
      title: t.episodes.ended,
      render: (_, row) =>
        row.ended_at === null ? <span className="quiet">{t.episodes.ongoing}</span> : <Time at={row.ended_at} style="minute" />,
    },
    {
      title: texts.counted,
      align: 'right',
      className: 'nowrap',
      render: (_, row) => (
        <>
          <span className="number">
            {formatCount(row.hits)} / {formatCount(row.attempts)}
          </span>{' '}
          <span className="quiet">
            {row.against_peers ? texts.peers : texts.ordinarily} {milli(row.expected_milli)}
          </span>
        </>
      ),
    },
    {
      title: texts.evidence,
      align: 'right',
      className: 'nowrap',
      render: (_, row) => <span className="number" title={texts.needed(row.needed_bits)}>{texts.bits(row.evidence_bits)}</span>,
    },
  ];
  return (
    <Panel title={texts.title} hint={texts.hint} flush testId="alarms">
      <Table<Alarm>
        size="small"
        rowKey="id"
        columns={columns}
        dataSource={alarms}
        pagination={alarms.length > 10 ? { pageSize: 10, size: 'small' } : false}
        locale={{ emptyText: texts.none }}
      />
    </Panel>
  );
}
