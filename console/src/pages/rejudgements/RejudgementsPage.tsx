import { Alert, Button, Table, type TableColumnsType } from 'antd';
import { useMemo, useState } from 'react';
import { useRejudge, useRejudgements } from '../../api/queries';
import type { RejudgementDoc, RejudgementSum } from '../../api/types';
import { formatCount } from '../../format/money';
import { nameOf, useLocale } from '../../i18n/locale';
import { StateTag } from '../../parts/names';
import { PageTitle } from '../../parts/PageTitle';
import { Panel } from '../../parts/Panel';
import { SeekTable } from '../../parts/SeekTable';
import { EmptyState } from '../../parts/states';
import { useFilters } from '../../parts/useFilters';
import { Money } from '../../parts/values';
import { DecisionSteps } from '../decisions/DecisionSteps';
import { rejudgementColumns } from './columns';
import { commonSteps } from './steps';

const FILTERS = ['state', 'old_rule', 'new_rule'] as const;

/** Verdicts that would be others today: sums by rules, then one by one, with the steps of two people. */
export function RejudgementsPage() {
  const { t } = useLocale();
  const { values, set, clear, any } = useFilters(FILTERS);
  const seek = useRejudgements(useMemo(() => ({ ...values, limit: 100 }), [values]));
  const rejudge = useRejudge();
  const [chosen, setChosen] = useState<string[]>([]);
  const rows = seek.items.filter((row) => chosen.includes(row.id));
  const refused = (rejudge.data?.items ?? []).filter((item) => item.refused !== null);
  const columns = useMemo(() => rejudgementColumns(t), [t]);
  const isShown = (sum: RejudgementSum) =>
    sum.state === values.state && sum.old_rule_id === values.old_rule && sum.new_rule_id === values.new_rule;
  const sums: TableColumnsType<RejudgementSum> = [
    { title: t.common.state, render: (_, sum) => <StateTag state={sum.state} names={t.decisions.states} /> },
    { title: t.decisions.rejudgements.why, render: (_, sum) => nameOf(t.decisions.rejudgements.whys, sum.why) },
    { title: t.decisions.rejudgements.was, render: (_, sum) => <code>{sum.old_rule_id}</code> },
    { title: t.decisions.rejudgements.is, render: (_, sum) => <code>{sum.new_rule_id}</code> },
    { title: t.common.count, align: 'right', render: (_, sum) => formatCount(sum.cases) },
    { title: t.decisions.rejudgements.moved, align: 'right', render: (_, sum) => <Money minor={sum.moved_minor} /> },
    { title: t.decisions.rejudgements.agent, align: 'right', render: (_, sum) => <Money minor={sum.agent_minor} dash /> },
  ];
  return (
    <>
      <PageTitle title={t.decisions.rejudgements.title} intro={t.decisions.rejudgements.intro} />
      <div className="stack">
        <Panel title={t.decisions.rejudgements.summary} flush testId="rejudgement-sums">
          <Table<RejudgementSum>
            size="small"
            rowKey={(sum) => [sum.state, sum.why, sum.old_rule_id, sum.new_rule_id].join(' ')}
            pagination={false}
            scroll={{ x: 'max-content' }}
            dataSource={seek.pages[0]?.summary ?? []}
            className="clickable"
            locale={{ emptyText: seek.loading ? ' ' : <EmptyState text={t.decisions.rejudgements.nothing} /> }}
            rowClassName={(sum) => (isShown(sum) ? 'ant-table-row-selected' : '')}
            onRow={(sum) => ({
              onClick: () =>
                isShown(sum) ? clear() : set({ state: sum.state, old_rule: sum.old_rule_id, new_rule: sum.new_rule_id }),
            })}
            columns={sums}
          />
        </Panel>
        <Panel
          title={t.decisions.rejudgements.list}
          hint={chosen.length > 0 ? t.decisions.selected(formatCount(chosen.length)) : undefined}
          flush
          testId="rejudgement-list"
          extra={
            any && (
              <Button type="link" onClick={clear}>
                {t.common.clear}
              </Button>
            )
          }
        >
          {refused.length > 0 && (
            <Alert
              type="warning"
              showIcon
              title={t.decisions.refused(formatCount(refused.length))}
              description={refused.slice(0, 5).map((item) => <div key={item.id}>{item.refused}</div>)}
            />
          )}
          <DecisionSteps
            steps={commonSteps(rows)}
            pending={rejudge.isPending}
            error={rejudge.error}
            take={(step, note, done) =>
              rejudge.mutate(
                { step, ids: rows.map((row) => row.id), note },
                {
                  onSuccess: () => {
                    setChosen([]);
                    done();
                  },
                },
              )
            }
          />
          <SeekTable<RejudgementDoc>
            seek={seek}
            rowKey="id"
            columns={columns}
            rowSelection={{ selectedRowKeys: chosen, onChange: (keys) => setChosen(keys.map(String)) }}
            expandable={{
              expandedRowRender: (row) => (
                <div className="stack">
                  <b>{t.decisions.rejudgements.facts}</b>
                  {row.facts.map((fact) => (
                    <code key={fact}>{fact}</code>
                  ))}
                  {row.note !== '' && <span>{row.note}</span>}
                </div>
              ),
              rowExpandable: (row) => row.facts.length > 0 || row.note !== '',
            }}
            emptyText={t.decisions.rejudgements.nothing}
            filtered={any}
          />
        </Panel>
      </div>
    </>
  );
}
