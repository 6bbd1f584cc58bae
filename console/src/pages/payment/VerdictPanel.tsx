import { Descriptions } from 'antd';
import type { ExceptionDetail } from '../../api/types';
import { formatMoney } from '../../format/money';
import { formatTime } from '../../format/time';
import { nameOf, pick, pickField, useLocale } from '../../i18n/locale';
import { FactValue, PartyName } from '../../parts/names';
import { Panel } from '../../parts/Panel';
import { SharesBar } from '../../parts/SharesBar';
import { Hash } from '../../parts/values';

/** The question this product exists for: why does, or does not, the agent bear this? */
function AgentAnswer({ exception }: { exception: ExceptionDetail }) {
  const { t, locale } = useLocale();
  const { agent_answer: answer } = exception;
  const bears = answer.basis !== 'none';
  const facts = bears ? exception.reasons.flatMap((reason) => reason.facts) : [];
  return (
    <div className={bears ? 'agent-answer agent-answer-bears' : 'agent-answer'} data-testid="agent-answer">
      <h4>
        {bears ? t.payment.agentBears : t.payment.agentBearsNot}
        <span className="agent-basis">{nameOf(t.payment.basis, answer.basis)}</span>
      </h4>
      {facts.length > 0 && (
        <ul>
          {facts.map((fact, index) => (
            <li key={`${fact.name}-${index}`}>
              <span className="quiet">{pick(locale, fact)}</span>{' '}
              <b>
                <FactValue value={fact.value} />
              </b>
            </li>
          ))}
        </ul>
      )}
      <p>{pick(locale, answer)}</p>
    </div>
  );
}

export function VerdictPanel({ exception }: { exception: ExceptionDetail }) {
  const { t, locale } = useLocale();
  const { pack } = exception;
  return (
    <Panel title={t.payment.verdict} testId="verdict">
      <div className="verdict">
        <div className="verdict-figures">
          <div>
            <span className="quiet">{t.payment.paysFirst}</span>
            <b data-testid="outward">
              <PartyName party={exception.outward} />
            </b>
          </div>
          <div>
            <span className="quiet">{t.payment.lossAmount}</span>
            <b className="number" data-testid="loss">
              {formatMoney(exception.loss_minor)}
            </b>
          </div>
          <div className="verdict-shares">
            <span className="quiet">{t.payment.bearsFinally}</span>
            <SharesBar shares={exception.shares} large />
          </div>
        </div>
        <AgentAnswer exception={exception} />
      </div>
      <Descriptions
        className="verdict-origin"
        size="small"
        column={{ xs: 1, lg: 3 }}
        items={[
          {
            key: 'rule',
            label: t.payment.rule,
            children: (
              <span>
                {pickField(locale, exception, 'rule_title')} <code className="quiet">{exception.rule_id}</code>
              </span>
            ),
          },
          {
            key: 'pack',
            label: t.payment.pack,
            children: (
              <span>
                {pack.id} {pack.version} <Hash value={pack.sha256} />
              </span>
            ),
          },
          {
            key: 'decided',
            label: t.payment.decided,
            children: `${formatTime(exception.decided_at)} · ${t.payment.revision(exception.revision)}`,
          },
        ]}
      />
    </Panel>
  );
}
