import { Descriptions, Table } from 'antd';
import { Link } from 'react-router';
import type { CaseDetail, EpisodeRow, Obligation } from '../../api/types';
import { pickField, useLocale } from '../../i18n/locale';
import { PartyName, StateTag } from '../../parts/names';
import { Panel } from '../../parts/Panel';
import { Money, Time } from '../../parts/values';

function Obligations({ obligations }: { obligations: Obligation[] }) {
  const { t, locale } = useLocale();
  return (
    <Table<Obligation>
      size="small"
      rowKey="seq"
      pagination={false}
      dataSource={obligations}
      data-testid="obligations"
      columns={[
        { title: t.payment.duty, render: (_, row) => <span title={row.duty}>{pickField(locale, row, 'duty')}</span> },
        { title: t.payment.owner, render: (_, row) => <PartyName party={row.owner} /> },
        { title: t.payment.due, render: (_, row) => <Time at={row.due_at} style="minute" /> },
        { title: t.common.amount, align: 'right', render: (_, row) => <Money minor={row.amount_minor} dash /> },
        {
          title: t.common.state,
          render: (_, row) => (
            <>
              <StateTag state={row.state} names={t.obligationStates} />
              {row.automation === 'manual' && <span className="quiet">{t.decisions.limits.automations.manual}</span>}
            </>
          ),
        },
      ]}
    />
  );
}

/** The case that the verdict opened, with what has to be done by when, and the episode it belongs to. */
export function CasePanel({ detail, episode }: { detail: CaseDetail | null; episode: EpisodeRow | null }) {
  const { t, locale } = useLocale();
  const items = [
    ...(detail === null
      ? []
      : [
          {
            key: 'state',
            label: t.common.state,
            children: (
              <>
                <StateTag state={detail.state} names={t.caseStates} />
                {detail.overdue && <b className="alarm nowrap case-overdue">{t.payment.overdue}</b>}
              </>
            ),
          },
          { key: 'opened', label: t.payment.opened, children: <Time at={detail.opened_at} style="minute" /> },
          { key: 'due', label: t.payment.due, children: <Time at={detail.due_at} style="minute" /> },
        ]),
    ...(episode === null
      ? []
      : [
          {
            key: 'episode',
            label: t.payment.episode,
            span: 'filled' as const,
            children: (
              <Link to={`/episodes/${encodeURIComponent(episode.id)}`} data-testid="payment-episode">
                {pickField(locale, episode, 'title')}
              </Link>
            ),
          },
        ]),
  ];
  return (
    <Panel title={t.payment.caseTitle} {...(detail !== null && { hint: detail.id })} testId="case">
      {detail === null && <p className="quiet case-none">{t.payment.noCase}</p>}
      {items.length > 0 && <Descriptions size="small" column={{ xs: 1, md: 2, xl: 3 }} items={items} />}
      {detail !== null && <Obligations obligations={detail.obligations} />}
    </Panel>
  );
}
