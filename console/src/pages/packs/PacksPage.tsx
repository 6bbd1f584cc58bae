import { Button, Table, Tag, type TableColumnsType } from 'antd';
import { useState } from 'react';
import { useDecide, usePacks } from '../../api/queries';
import type { PackRow } from '../../api/types';
import { useLocale } from '../../i18n/locale';
import { StateTag } from '../../parts/names';
import { PageTitle } from '../../parts/PageTitle';
import { Panel } from '../../parts/Panel';
import { ProblemAlert } from '../../parts/states';
import { Hash, Time } from '../../parts/values';
import { DecisionSteps } from '../decisions/DecisionSteps';
import { ShadowPanel } from './ShadowPanel';

function PackSteps({ pack }: { pack: PackRow }) {
  const decide = useDecide('packs');
  return (
    <DecisionSteps
      steps={pack.decision?.steps ?? []}
      pending={decide.isPending}
      error={decide.error}
      take={(step, note, done) => decide.mutate({ id: pack.sha256, step, note }, { onSuccess: done })}
    />
  );
}

/** The rule pack in force and drafts beside it, and what a draft would change. */
export function PacksPage() {
  const { t } = useLocale();
  const packs = usePacks();
  const [tried, setTried] = useState<string>();
  const columns: TableColumnsType<PackRow> = [
    {
      title: t.decisions.packs.list,
      render: (_, pack) => (
        <>
          <b>{pack.id}</b> {pack.version} {pack.live && <Tag color="green">{t.decisions.packs.live}</Tag>}
        </>
      ),
    },
    {
      title: t.common.state,
      render: (_, pack) =>
        pack.decision ? (
          <>
            <StateTag state={pack.decision.state} names={t.decisions.states} />{' '}
            {[pack.decision.maker, pack.decision.checker].filter((name) => name !== '').join(' → ')}
          </>
        ) : (
          <span className="quiet">{t.decisions.packs.shipped}</span>
        ),
    },
    {
      title: t.decisions.packs.added,
      render: (_, pack) =>
        pack.added_at === null ? <span className="quiet">–</span> : <><Time at={pack.added_at} style="minute" /> {pack.added_by}</>,
    },
    { title: 'SHA-256', render: (_, pack) => <Hash value={pack.sha256} /> },
    {
      key: 'try',
      render: (_, pack) =>
        !pack.live && (
          <Button size="small" data-testid="try-out" onClick={() => setTried(pack.sha256)}>
            {t.decisions.packs.try}
          </Button>
        ),
    },
  ];
  return (
    <>
      <PageTitle title={t.decisions.packs.title} intro={t.decisions.packs.intro} />
      <div className="stack">
        <Panel title={t.decisions.packs.list} flush testId="packs">
          {packs.error ? (
            <ProblemAlert error={packs.error} onRetry={() => void packs.refetch()} />
          ) : (
            <Table<PackRow>
              size="small"
              rowKey="sha256"
              pagination={false}
              scroll={{ x: 'max-content' }}
              dataSource={packs.data?.items ?? []}
              loading={packs.isPending}
              columns={columns}
              expandable={{
                expandedRowRender: (pack) => <PackSteps pack={pack} />,
                rowExpandable: (pack) => (pack.decision?.steps.length ?? 0) > 0,
              }}
            />
          )}
        </Panel>
        {tried !== undefined && <ShadowPanel key={tried} sha256={tried} />}
      </div>
    </>
  );
}
