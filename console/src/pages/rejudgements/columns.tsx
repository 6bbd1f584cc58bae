import type { TableColumnsType } from 'antd';
import type { OutcomeDoc, RejudgementDoc } from '../../api/types';
import { nameOf } from '../../i18n/locale';
import type { Dictionary } from '../../i18n/zh-CN';
import { CauseName, KindTag, PartyName, StateTag } from '../../parts/names';
import { SharesBar } from '../../parts/SharesBar';
import { Money, PaymentLink } from '../../parts/values';

function Outcome({ side, t }: { side: OutcomeDoc; t: Dictionary }) {
  if (side.rule_id === 'none') return <span className="quiet">{t.decisions.rejudgements.none}</span>;
  return (
    <div>
      <CauseName cause={side.cause} /> · <PartyName party={side.outward} /> · <Money minor={side.loss_minor} />
      <SharesBar shares={side.shares} />
      <code className="quiet">{side.rule_id}</code>
    </div>
  );
}

export function rejudgementColumns(t: Dictionary): TableColumnsType<RejudgementDoc> {
  return [
    {
      title: t.breaks.payment,
      render: (_, row) => (
        <>
          <PaymentLink id={row.payment_id} /> <KindTag kind={row.kind} />
        </>
      ),
    },
    {
      title: t.common.state,
      render: (_, row) => (
        <>
          <StateTag state={row.state} names={t.decisions.states} />
          <div className="quiet">{[row.maker, row.checker].filter((name) => name !== '').join(' → ')}</div>
        </>
      ),
    },
    { title: t.decisions.rejudgements.why, render: (_, row) => nameOf(t.decisions.rejudgements.whys, row.why) },
    { title: t.decisions.rejudgements.was, render: (_, row) => <Outcome side={row.old} t={t} /> },
    { title: t.decisions.rejudgements.is, render: (_, row) => <Outcome side={row.new} t={t} /> },
    { title: t.decisions.rejudgements.moved, align: 'right', render: (_, row) => <Money minor={row.moved_minor} /> },
    { title: t.decisions.rejudgements.agent, align: 'right', render: (_, row) => <Money minor={row.agent_minor} dash /> },
    { title: t.common.agent, render: (_, row) => <span className="number">{row.agent_code}</span> },
  ];
}
