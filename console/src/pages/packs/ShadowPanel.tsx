import { Alert, Descriptions, Segmented, Table, type TableColumnsType } from 'antd';
import { useState } from 'react';
import { useShadow } from '../../api/queries';
import type { ShadowExample, ShadowMove } from '../../api/types';
import { formatCount } from '../../format/money';
import { nameOf, useLocale } from '../../i18n/locale';
import { KindTag } from '../../parts/names';
import { Panel } from '../../parts/Panel';
import { SharesBar } from '../../parts/SharesBar';
import { Loading, ProblemAlert } from '../../parts/states';
import { Money, PaymentLink } from '../../parts/values';

/** What a draft would change, by rule and by party, over everything or since it was added. */
export function ShadowPanel({ sha256 }: { sha256: string }) {
  const { t } = useLocale();
  const shadow = useShadow(sha256);
  const [recent, setRecent] = useState(false);
  const doc = shadow.data;
  const sums = recent ? doc?.since : doc?.all;
  const moves: TableColumnsType<ShadowMove> = [
    { title: t.decisions.packs.from, render: (_, row) => <code>{row.live_rule}</code> },
    { title: t.decisions.packs.to, render: (_, row) => <code>{row.draft_rule}</code> },
    { title: t.decisions.packs.cases, align: 'right', render: (_, row) => formatCount(row.cases) },
    { title: t.common.loss, align: 'right', render: (_, row) => <Money minor={row.loss_minor} /> },
  ];
  const examples: TableColumnsType<ShadowExample> = [
    {
      title: t.breaks.payment,
      render: (_, row) => (
        <>
          <PaymentLink id={row.payment_id} /> <KindTag kind={row.kind} />
        </>
      ),
    },
    { title: t.common.loss, align: 'right', render: (_, row) => <Money minor={row.loss_minor} /> },
    { title: t.decisions.packs.from, render: (_, row) => <><SharesBar shares={row.live_shares} /><code>{row.live_rule}</code></> },
    { title: t.decisions.packs.to, render: (_, row) => <><SharesBar shares={row.draft_shares} /><code>{row.draft_rule}</code></> },
  ];
  return (
    <Panel
      title={t.decisions.packs.shadow}
      testId="shadow"
      extra={
        <Segmented
          value={recent ? 'since' : 'all'}
          onChange={(value) => setRecent(value === 'since')}
          options={[
            { value: 'all', label: t.decisions.packs.all },
            { value: 'since', label: t.decisions.packs.since },
          ]}
        />
      }
    >
      {shadow.error && <ProblemAlert error={shadow.error} onRetry={() => void shadow.refetch()} />}
      {shadow.isPending && <Loading />}
      {doc && sums && (
        <div className="stack">
          {doc.without_facts > 0 && (
            <Alert type="info" showIcon title={t.decisions.packs.withoutFacts(formatCount(doc.without_facts))} />
          )}
          <Descriptions
            size="small"
            column={3}
            items={[
              { key: 'cases', label: t.decisions.packs.cases, children: formatCount(sums.cases) },
              { key: 'changed', label: t.decisions.packs.changed, children: <b>{formatCount(sums.changed)}</b> },
              { key: 'charged', label: t.decisions.packs.newlyCharged, children: formatCount(sums.agents_newly_charged) },
              ...Object.entries(sums.bears_more_minor).map(([party, minor]) => ({
                key: party,
                label: nameOf(t.parties, party),
                children: <Money minor={minor} />,
              })),
            ]}
          />
          {sums.changed === 0 ? (
            <span className="quiet">{t.decisions.packs.same}</span>
          ) : (
            <Table<ShadowMove>
              size="small"
              rowKey={(row) => `${row.live_rule} ${row.draft_rule}`}
              pagination={false}
              dataSource={sums.by_rule}
              columns={moves}
            />
          )}
          {!recent && doc.examples.length > 0 && (
            <Table<ShadowExample>
              size="small"
              title={() => t.decisions.packs.examples}
              rowKey={(row) => `${row.payment_id} ${row.kind}`}
              pagination={{ pageSize: 10, hideOnSinglePage: true }}
              scroll={{ x: 'max-content' }}
              dataSource={doc.examples}
              columns={examples}
            />
          )}
        </div>
      )}
    </Panel>
  );
}
