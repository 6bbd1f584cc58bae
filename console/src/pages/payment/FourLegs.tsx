import type { BreakRow, Leg, LegField, LegName, LegRow } from '../../api/types';
import { pick, pickField, useLocale } from '../../i18n/locale';
import { Panel } from '../../parts/Panel';
import { Money, Time } from '../../parts/values';

const ORDER: LegName[] = ['journal', 'switch', 'clearing', 'payout'];

/** What a person looks for first in a record; a field that differs always stands with them. */
const KEY_FIELDS = new Set([
  ...['direction', 'MTI', 'F3', 'F11', 'F37', 'F39'],
  ...['txn', 'trade_code', 'merchant_code', 'pan_masked', 'amount_fen', 'net_fen', 'sign', 'items'],
  ...['settle_date', 'pay_date', 'payee_name', 'payee_account', 'value_time', 'ref_no', 'stan', 'network_stan'],
  ...['rc', 'text', 'slip', 'reversal', 'status'],
  ...['event', 'rule', 'code', 'state', 'why'],
]);

function Fields({ fields }: { fields: LegField[] }) {
  const { t, locale } = useLocale();
  return (
    <dl>
      {fields.map((field, index) => (
        <div key={`${field.name}-${index}`} className={field.differs ? 'leg-field leg-field-differs' : 'leg-field'}>
          <dt title={field.name}>{pick(locale, field)}</dt>
          <dd>
            {field.value}
            {field.differs && <em>{t.payment.differs}</em>}
          </dd>
        </div>
      ))}
    </dl>
  );
}

function LegRecord({ row }: { row: LegRow }) {
  const { t } = useLocale();
  const { source } = row;
  const isKey = (field: LegField) => field.differs || KEY_FIELDS.has(field.name);
  const rest = row.fields.filter((field) => !isKey(field));
  return (
    <section className="leg-record">
      <header className="quiet" title={`${source.file_name} ${t.common.offset(source.offset)} +${source.length}`}>
        <span className="leg-file">{source.file_name}</span>
        <span className="nowrap">{source.line === null ? t.common.offset(source.offset) : t.common.line(source.line)}</span>
        {row.at !== null && <Time at={row.at} style="time" />}
      </header>
      <Fields fields={row.fields.filter(isKey)} />
      {rest.length > 0 && (
        <details className="leg-rest">
          <summary>{t.payment.moreFields(rest.length)}</summary>
          <Fields fields={rest} />
        </details>
      )}
      {row.fields.length === 0 && <span className="quiet">{t.payment.noFields}</span>}
    </section>
  );
}

/** The head of a leg is marked when the server says that a field behind it differs. */
function differing(leg: Leg | undefined, field: RegExp): boolean {
  return leg?.rows.some((row) => row.fields.some(({ name, differs }) => differs && field.test(name))) ?? false;
}

/** A leg may rightly be absent (a reversed payment is not cleared); a break says when it should be there. */
function isMissed(breaks: BreakRow[], name: LegName): boolean {
  return breaks.some((found) => found.coarse === `MISSING_${name.toUpperCase()}`);
}

const marked = (name: string, mark: boolean) => (mark ? `${name} leg-field-differs` : name);

function LegColumn({ name, leg, missed }: { name: LegName; leg: Leg | undefined; missed: boolean }) {
  const { t, locale } = useLocale();
  const present = leg?.present ?? false;
  return (
    <article className={present ? 'leg' : missed ? 'leg leg-absent leg-missed' : 'leg leg-absent'} data-testid={`leg-${name}`} data-present={present}>
      <h3>
        {t.legs[name]} <small>{t.legHints[name]}</small>
      </h3>
      <div className={marked('leg-amount', differing(leg, /amount/))}>
        {present ? <Money minor={leg?.amount_minor} /> : <span className={missed ? 'alarm' : 'quiet'}>{t.payment.absent}</span>}
      </div>
      {present && (
        <>
          <div className={marked('leg-merchant', differing(leg, /merchant/))}>
            <span className="quiet">{t.common.merchant}</span> <span className="number">{leg?.merchant_code ?? '–'}</span>
          </div>
          <div className="leg-time">
            <span className="quiet">{t.common.time}</span> <Time at={leg?.at} />
          </div>
          {leg && <p className="leg-summary">{pickField(locale, leg, 'summary')}</p>}
        </>
      )}
      {leg?.rows.map((row) => <LegRecord key={`${row.source.file_id}:${row.source.offset}`} row={row} />)}
    </article>
  );
}

/** The heart of the page: what the terminal, the switch, the network and the payout each say. */
export function FourLegs({ legs, breaks }: { legs: Leg[]; breaks: BreakRow[] }) {
  const { t } = useLocale();
  return (
    <Panel title={t.payment.legs} hint={t.payment.legsHint} testId="four-legs">
      <div className="legs">
        {ORDER.map((name) => (
          <LegColumn key={name} name={name} leg={legs.find((leg) => leg.leg === name)} missed={isMissed(breaks, name)} />
        ))}
      </div>
    </Panel>
  );
}
