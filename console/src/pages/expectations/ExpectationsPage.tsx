import { Button, Table } from 'antd';
import { useMemo } from 'react';
import { useExpectations } from '../../api/queries';
import type { ExpectationRow } from '../../api/types';
import { useLocale } from '../../i18n/locale';
import { PageTitle } from '../../parts/PageTitle';
import { Panel } from '../../parts/Panel';
import { SeekTable } from '../../parts/SeekTable';
import { EmptyState } from '../../parts/states';
import { useFilters } from '../../parts/useFilters';
import { ageRows, type AgeRow } from './ages';
import { expectationColumns, summaryColumns } from './columns';

const FILTERS = ['leg', 'standing', 'agent'] as const;

/** What must still come for payments: how much of it and how old, then one by one, first due first. */
export function ExpectationsPage() {
  const { t, locale } = useLocale();
  const { values, set, clear, any } = useFilters(FILTERS);
  const seek = useExpectations(useMemo(() => ({ ...values, limit: 100 }), [values]));
  const first = seek.pages[0];
  const bounds = useMemo(() => first?.bounds_hours ?? [], [first]);
  const rows = useMemo(() => ageRows(first?.summary ?? [], bounds.length + 1), [first, bounds]);
  const columns = useMemo(() => expectationColumns(t, locale), [t, locale]);
  const sums = useMemo(() => summaryColumns(t, bounds), [t, bounds]);
  const chosen = (row: AgeRow) => row.leg === values.leg && row.standing === values.standing;
  return (
    <>
      <PageTitle title={t.expectations.title} intro={t.expectations.intro} />
      <div className="stack">
        <Panel title={t.expectations.summary} flush testId="expectation-summary">
          <Table<AgeRow>
            size="small"
            rowKey="key"
            pagination={false}
            scroll={{ x: 'max-content' }}
            dataSource={rows}
            className="clickable"
            loading={seek.loading}
            locale={{ emptyText: seek.loading ? ' ' : <EmptyState text={t.expectations.nothing} /> }}
            rowClassName={(row) => (chosen(row) ? 'ant-table-row-selected' : '')}
            onRow={(row) => ({
              onClick: () =>
                set(chosen(row) ? { leg: undefined, standing: undefined } : { leg: row.leg, standing: row.standing }),
            })}
            columns={sums}
          />
        </Panel>
        <Panel
          title={t.expectations.list}
          flush
          testId="expectation-list"
          extra={
            any && (
              <Button type="link" onClick={clear}>
                {t.common.clear}
              </Button>
            )
          }
        >
          <SeekTable<ExpectationRow>
            seek={seek}
            rowKey={(row) => `${row.payment_id}-${row.leg}`}
            columns={columns}
            emptyText={t.expectations.nothing}
            filtered={any}
          />
        </Panel>
      </div>
    </>
  );
}
