//! Writes what judging found: each batch of payments in one transaction together with the cases, ledger lines and
//! evidence entries that it causes. What is in the store already and did not change is left alone.

use std::borrow::Cow;

use onus_casework::Calendar;
use onus_casework::resolution::ResolutionPack;
use onus_casework::{NewCase, open_case};
use onus_evidence::{SigningKey, canonical_json, leaf_hash};
use onus_fleet::Registry;
use onus_ledger::{Currency, Journal, Minor, Party as LedgerParty, VerdictMoney, book_verdict};
use onus_liability::Pack;
use onus_model::{BreakClass, ExceptionKind, Instant, MerchantCode, Outcome, Party, PaymentKey, Verdict, Zone};
use onus_reconcile::{Attempt, Book, Break, JournalKind};
use onus_store::breaks::BreakRow;
use onus_store::cases::{CaseRow, ObligationRow};
use onus_store::exceptions::ExceptionRow;
use onus_store::expectations::ExpectationRow;
use onus_store::ledger::LedgerLineRow;
use onus_store::log::LogEntryRow;
use onus_store::payments::PaymentRow;
use onus_store::tenants::TenantRow;
use onus_store::{Scope, Store, StoreError, Tx, Value};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::collector::Records;
use crate::entry::{About, verdict_body, withdrawal_body};
use crate::episodes::Told;
use crate::error::WorkerError;
use crate::expectations::{self, Outstanding};
use crate::resolve::Resolver;
use crate::summary::Summary;

/// One payment with everything decided about it.
pub(crate) struct Decided {
    pub(crate) attempt: Attempt,
    pub(crate) at: Instant,
    pub(crate) amount_minor: i64,
    pub(crate) owner: MerchantCode,
    pub(crate) outcome: Outcome,
    pub(crate) breaks: Vec<Break>,
    pub(crate) outstanding: Outstanding,
    /// Verdicts, each with its hash.
    pub(crate) verdicts: Vec<(Verdict, String)>,
    pub(crate) episode_id: String,
}

/// A verdict that the store holds.
struct Known {
    sha256: String,
    episode_id: String,
    revision: i64,
}

/// Writes batches.
pub(crate) struct Apply<'a> {
    store: &'a Store,
    tenant: &'a TenantRow,
    key: &'a SigningKey,
    now: Instant,
    zone: Zone,
    currency: Currency,
    known: FxHashMap<(String, String), Known>,
    /// Entries of the log, those of batches on their way included.
    log_size: i64,
    pub(crate) summary: Summary,
    changed: u64,
}

/// Rows of one transaction.
#[derive(Default)]
pub(crate) struct Rows {
    payments: Vec<PaymentRow>,
    /// Legs of each payment that are there.
    there: Vec<u16>,
    expectations: Vec<ExpectationRow>,
    exceptions: Vec<ExceptionRow>,
    breaks: Vec<BreakRow>,
    cases: Vec<CaseRow>,
    obligations: Vec<ObligationRow>,
    lines: Vec<LedgerLineRow>,
    entries: Vec<LogEntryRow>,
    /// Ledger journals of earlier revisions to take back.
    reversed: Vec<String>,
}

impl<'a> Apply<'a> {
    pub(crate) fn start(
        store: &'a Store,
        tenant: &'a TenantRow,
        key: &'a SigningKey,
        now: Instant,
        zone: Zone,
        window_from: Option<Instant>,
    ) -> Result<Self, WorkerError> {
        let scope = Scope::all(&tenant.id);
        let (known, log_size) = store.read(|tx| {
            let mut known = FxHashMap::default();
            onus_store::exceptions::for_each(tx, &scope, |row, _| {
                if window_from.is_none_or(|from| row.started_at >= from.0) {
                    known.insert(
                        (row.payment_id, row.kind),
                        Known { sha256: row.verdict_sha256, episode_id: row.episode_id, revision: row.revision },
                    );
                }
                Ok(())
            })?;
            Ok((known, onus_store::log::size(tx, &scope)?))
        })?;
        let currency = tenant.currency.parse().map_err(|_| {
            WorkerError::Config(format!("tenant {} has unknown currency {}", tenant.id, tenant.currency))
        })?;
        Ok(Self { store, tenant, key, now, zone, currency, known, log_size, summary: Summary::default(), changed: 0 })
    }

    /// The rows of one batch, in order; [`Self::writer`] writes them.
    pub(crate) fn rows(
        &mut self,
        book: &Book,
        registry: &Registry,
        batch: &[Decided],
        pack: &Pack,
        calendar: &Calendar,
    ) -> Result<Rows, WorkerError> {
        let mut rows = Rows::default();
        let first = self.log_size;
        for decided in batch {
            self.payment(book, registry, decided, pack, calendar, first, &mut rows)?;
        }
        self.changed += rows.exceptions.len() as u64;
        self.log_size = after(first, &rows);
        Ok(rows)
    }

    /// Writes batches as they come, each in one transaction, until there are no more.
    pub(crate) fn writer(&self) -> impl FnOnce(std::sync::mpsc::Receiver<Rows>) -> Result<(), WorkerError> + Send + 'a {
        let (store, tenant, now) = (self.store, self.tenant.id.as_str(), self.now.0);
        move |batches| {
            for rows in batches {
                store.write(|tx| write_rows(tx, tenant, &rows, now))?;
            }
            Ok(())
        }
    }

    #[expect(clippy::too_many_arguments, reason = "the batch's context, passed on once")]
    fn payment(
        &mut self,
        book: &Book,
        registry: &Registry,
        decided: &Decided,
        pack: &Pack,
        calendar: &Calendar,
        first: i64,
        rows: &mut Rows,
    ) -> Result<(), WorkerError> {
        let id = decided.attempt.key.to_string();
        let merchant = registry.merchants.get(&decided.owner);
        let agent = merchant.map_or("", |merchant| merchant.agent_code.as_str());
        let city = merchant.map_or("", |merchant| merchant.city.as_str());
        let row = payment_row(book, registry, decided, &id, agent, city);
        self.summary.payment(&self.zone, decided, agent, city, book.kind(&decided.attempt) == JournalKind::Sale);
        rows.breaks.extend(decided.breaks.iter().map(|found| break_row(book, decided, &id, found)));
        for (verdict, sha256) in &decided.verdicts {
            let key = (id.clone(), verdict.kind.to_string());
            let before = self.known.remove(&key);
            let episode = if explained_by_episode(verdict.kind) { decided.episode_id.as_str() } else { "" };
            self.summary.exception(&self.zone, decided, verdict, agent, city, episode);
            if before.as_ref().is_some_and(|known| known.sha256 == *sha256 && known.episode_id == episode) {
                continue;
            }
            let revision = before.as_ref().map_or(1, |known| known.revision + 1);
            let case = open_case(verdict, &id, self.now, calendar, &self.zone)
                .map_err(|error| WorkerError::Config(error.to_string()))?;
            let about = About {
                payment: &id,
                revision,
                decided_at: self.zone.format(self.now),
                verdict_sha256: sha256,
                breaks: decided.breaks.iter().map(|found| found.class.as_str()).collect(),
                episode,
                case: case.as_ref().map(|case| case.id.as_str()),
            };
            let index = push_entry(&verdict_body(pack, verdict, &about), first, rows)?;
            let journal = self.journal(registry, decided, verdict, &id)?;
            let case_id = format!("{id}.{}", verdict.kind);
            if before.is_some() {
                rows.reversed.push(format!("{case_id}.{}", revision - 1));
            }
            rows.lines.extend(
                journal.iter().flat_map(|journal| line_rows(journal, &format!("{case_id}.{revision}"), self.now)),
            );
            if let Some(case) = case {
                push_case(&case, verdict, &id, agent, revision, rows);
            }
            rows.exceptions.push(ExceptionRow {
                payment_id: id.clone(),
                kind: verdict.kind.to_string(),
                started_at: decided.at.0,
                tid: row.tid.clone(),
                merchant_code: row.merchant_code.clone(),
                agent_code: agent.to_owned(),
                city: city.to_owned(),
                amount_minor: decided.amount_minor,
                cause: verdict.cause.to_string(),
                status: verdict.status.to_string(),
                outward: verdict.outward.map_or("none", Party::as_str).to_owned(),
                shares: verdict.shares.to_json(),
                loss_minor: verdict.loss_minor,
                rule_id: verdict.rule_id.clone(),
                episode_id: episode.to_owned(),
                verdict_sha256: sha256.clone(),
                entry_index: index,
                revision,
                decided_at: self.now.0,
            });
        }
        rows.there.push(decided.outstanding.there);
        rows.expectations.extend(expectations::rows(&decided.outstanding, &row));
        rows.payments.push(row);
        Ok(())
    }

    /// The money of a verdict, with each party named.
    fn journal(
        &self,
        registry: &Registry,
        decided: &Decided,
        verdict: &Verdict,
        id: &str,
    ) -> Result<Option<Journal>, WorkerError> {
        let failed = |source| WorkerError::Ledger { payment: id.to_owned(), source };
        let named = |party: Party| -> Result<LedgerParty, WorkerError> {
            let agent = registry.merchants.get(&decided.owner).map(|merchant| merchant.agent_code.clone());
            let name = match party {
                Party::Acquirer => return Ok(LedgerParty::acquirer()),
                Party::Agent => agent.unwrap_or_else(|| "unregistered".to_owned()),
                Party::Merchant => decided.owner.to_string(),
                Party::Cardholder => id.to_owned(),
                _ => "1".to_owned(),
            };
            LedgerParty::new(party.as_str(), &name).map_err(failed)
        };
        let victim = match verdict.kind {
            ExceptionKind::Diverted | ExceptionKind::Late => Party::Merchant,
            _ => Party::Cardholder,
        };
        let shares: Result<Vec<_>, WorkerError> =
            verdict.shares.parts().iter().map(|(party, bp)| Ok((named(*party)?, *bp))).collect();
        let money = VerdictMoney {
            currency: self.currency,
            loss: Minor::new(verdict.loss_minor.max(0)),
            outward: verdict.outward.map(named).transpose()?,
            final_shares: shares?,
            beneficiary: named(victim)?,
            unknown: verdict.suspense,
        };
        book_verdict(&money).map_err(failed)
    }

    /// Takes back what newer records no longer support, writes registers, episodes and sums, and signs the log.
    pub(crate) fn finish(mut self, records: &Records, episodes: &[Told]) -> Result<(u64, u64), WorkerError> {
        let mut gone: Vec<_> = std::mem::take(&mut self.known).into_iter().collect();
        gone.sort_by(|left, right| left.0.cmp(&right.0));
        let mut rows = Rows::default();
        let decided_at = self.zone.format(self.now);
        for ((payment, kind), known) in &gone {
            push_entry(&withdrawal_body(payment, kind, known.revision + 1, &decided_at), self.log_size, &mut rows)?;
            rows.reversed.push(format!("{payment}.{kind}.{}", known.revision));
        }
        let episodes = self.summary.episode_rows(episodes);
        let (agents, merchants, terminals) = self.summary.register_rows(records, self.now);
        let accounts = self.summary.account_rows(records);
        let (tallies, hours) = self.summary.tally_rows();
        let resolutions = ResolutionPack::builtin().map_err(|error| WorkerError::Config(error.to_string()))?;
        let (tenant, now) = (self.tenant.id.as_str(), self.now.0);
        let resolver = Resolver { tenant, key: self.key, pack: &resolutions, now: self.now };
        self.store.write(|tx| {
            write_rows(tx, tenant, &rows, now)?;
            resolver.reopen_changed(tx)?;
            for ((payment, kind), _) in &gone {
                onus_store::exceptions::remove(tx, tenant, payment, kind)?;
                tx.execute(
                    "update cases set state = 'WITHDRAWN' where tenant = $1 and id = $2",
                    &[Value::from(tenant), Value::from(format!("{payment}.{kind}"))],
                )?;
                tx.execute(
                    "update obligations set state = 'withdrawn' where tenant = $1 and case_id = $2 and state = 'open'",
                    &[Value::from(tenant), Value::from(format!("{payment}.{kind}"))],
                )?;
            }
            onus_store::registry::put_agents(tx, tenant, &agents)?;
            onus_store::registry::put_merchants(tx, tenant, &merchants)?;
            onus_store::registry::put_terminals(tx, tenant, &terminals)?;
            onus_store::registry::put_accounts(tx, tenant, &accounts)?;
            onus_store::episodes::clear(tx, tenant)?;
            onus_store::episodes::put(tx, tenant, &episodes)?;
            if let Some((from, to)) = hours {
                onus_store::overview::clear_tallies(tx, tenant, from, to)?;
            }
            onus_store::overview::put_tallies(tx, tenant, &tallies)?;
            crate::resolve::sign(tx, tenant, self.key, self.now)
        })?;
        Ok((self.changed, gone.len() as u64))
    }
}

/// Kinds that an episode of failing payments explains; later payouts and disputes have causes of their own.
pub(crate) const fn explained_by_episode(kind: ExceptionKind) -> bool {
    !matches!(kind, ExceptionKind::Late | ExceptionKind::ChargedBack)
}

/// The index after the entries of a batch of which the first has the index `first`.
fn after(first: i64, rows: &Rows) -> i64 {
    first.saturating_add(i64::try_from(rows.entries.len()).unwrap_or(i64::MAX))
}

fn push_entry(body: &serde_json::Value, first: i64, rows: &mut Rows) -> Result<i64, WorkerError> {
    let body = canonical_json(body).map_err(|error| WorkerError::Evidence(error.to_string()))?;
    let leaf = leaf_hash(&body);
    let index = after(first, rows);
    rows.entries.push(LogEntryRow { idx: index, leaf_hash: leaf.as_bytes().to_vec(), body });
    Ok(index)
}

fn push_case(case: &NewCase, verdict: &Verdict, payment_id: &str, agent: &str, revision: i64, rows: &mut Rows) {
    rows.cases.push(CaseRow {
        id: case.id.clone(),
        payment_id: payment_id.to_owned(),
        kind: verdict.kind.to_string(),
        agent_code: agent.to_owned(),
        state: case.state.as_str().to_owned(),
        opened_at: case.opened_at.0,
        due_at: case.due_at.0,
        outward: verdict.outward.map_or("none", Party::as_str).to_owned(),
        loss_minor: verdict.loss_minor,
        revision,
    });
    rows.obligations.extend(case.obligations.iter().map(|due| ObligationRow {
        case_id: case.id.clone(),
        seq: i64::from(due.seq),
        duty: due.duty.clone(),
        owner: due.owner.to_string(),
        due_at: due.due_at.0,
        amount_minor: due.amount_minor,
        state: "open".to_owned(),
    }));
}

fn line_rows<'r>(journal: &'r Journal, journal_id: &'r str, now: Instant) -> Vec<LedgerLineRow> {
    let row = |(number, line): (i64, &onus_ledger::Line)| LedgerLineRow {
        journal_id: journal_id.to_owned(),
        line: number,
        account: line.account.to_string(),
        party: line.account.party().to_string(),
        amount_minor: line.amount.get(),
        memo: line.memo.code().to_owned(),
        booked_at: now.0,
    };
    (1..).zip(journal.lines()).map(row).collect()
}

fn payment_row(book: &Book, registry: &Registry, decided: &Decided, id: &str, agent: &str, city: &str) -> PaymentRow {
    let attempt = &decided.attempt;
    let (journal, exchange, cleared) = (book.journal(attempt), book.exchange(attempt), book.cleared(attempt));
    let pan = journal
        .map(|journal| journal.pan)
        .or_else(|| exchange.map(|exchange| exchange.pan))
        .or_else(|| cleared.map(|line| line.pan))
        .unwrap_or_default();
    let rrn = [journal.map(|journal| journal.rrn), exchange.map(|exchange| exchange.rrn), cleared.map(|line| line.rrn)];
    let rrn = rrn.into_iter().flatten().find(|rrn| *rrn != 0);
    let rc =
        journal.map(|journal| journal.rc).or_else(|| exchange.map(|exchange| exchange.terminal_rc)).unwrap_or_default();
    let entry_mode = journal.map(|journal| journal.entry_mode).or_else(|| exchange.map(|exchange| exchange.entry_mode));
    let refs: Vec<_> = book
        .observations(attempt)
        .into_iter()
        .map(|seen| onus_store::refs::ObservationRef {
            file_seq: seen.file_seq,
            offset: seen.offset,
            len: seen.len,
            leg: seen.leg.number(),
        })
        .collect();
    let kinds: Vec<_> = decided.verdicts.iter().map(|(verdict, _)| verdict.kind.as_str()).collect();
    PaymentRow {
        id: id.to_owned(),
        started_at: decided.at.0,
        tid: attempt.key.tid.to_string(),
        merchant_code: decided.owner.to_string(),
        agent_code: agent.to_owned(),
        city: city.to_owned(),
        amount_minor: decided.amount_minor,
        card_type: book.card_type(attempt).to_string(),
        issuer: registry.issuers.get(&pan.bin()).map(|(code, _)| code.clone()).unwrap_or_default(),
        pan_masked: pan.to_string(),
        entry_mode: entry_mode.map(|mode| format!("{mode:03}")).unwrap_or_default(),
        rrn: rrn.map(|rrn| format!("{rrn:012}")).unwrap_or_default(),
        response_code: rc.to_string(),
        outcome: decided.outcome.to_string(),
        kinds: kinds.join(","),
        refs: onus_store::refs::encode_refs(&refs),
    }
}

fn break_row(book: &Book, decided: &Decided, id: &str, found: &Break) -> BreakRow {
    let (expected, seen) = two_sides(book, decided, found);
    BreakRow {
        payment_id: id.to_owned(),
        class: found.class.to_string(),
        coarse: found.class.coarse().to_string(),
        expected,
        found: seen,
        difference_minor: found.difference_minor,
        first_party: found.class.first_party().to_string(),
    }
}

/// What the two sides of a break say: merchants, accounts, days or amounts; empty where one side says nothing.
fn two_sides(book: &Book, decided: &Decided, found: &Break) -> (String, String) {
    if let Some((expected, seen)) = found.merchants {
        return (expected.to_string(), seen.to_string());
    }
    let attempt = &decided.attempt;
    let payout = book.cleared(attempt).and_then(|line| book.payouts_of(line.merchant, line.settle_date).next());
    match found.class {
        BreakClass::PayoutDiverted => {
            (decided.owner.to_string(), payout.map(|payout| payout.payee_account.clone()).unwrap_or_default())
        }
        BreakClass::LatePayout => (
            book.cleared(attempt).map(|line| line.settle_date.to_string()).unwrap_or_default(),
            payout.map(|payout| payout.pay_date.to_string()).unwrap_or_default(),
        ),
        BreakClass::AmountTerm | BreakClass::AmountClear => {
            let wire = book.exchange(attempt).map_or(decided.amount_minor, |exchange| exchange.amount_minor);
            let other = match found.class {
                BreakClass::AmountTerm => wire.saturating_sub(found.difference_minor),
                _ => wire.saturating_add(found.difference_minor),
            };
            (wire.to_string(), other.to_string())
        }
        _ => (String::new(), found.difference_minor.to_string()),
    }
}

fn write_rows(tx: &mut Tx<'_>, tenant: &str, rows: &Rows, now: i64) -> Result<(), StoreError> {
    let (entries, exceptions) = after_the_log(tx, tenant, rows)?;
    onus_store::payments::put(tx, tenant, &rows.payments)?;
    expectations::settle(tx, tenant, &rows.payments, &rows.there, &rows.expectations, now)?;
    remove_stale_breaks(tx, tenant, rows)?;
    onus_store::breaks::put(tx, tenant, &rows.breaks)?;
    onus_store::exceptions::put(tx, tenant, exceptions.iter())?;
    for journal_id in &rows.reversed {
        reverse_journal(tx, tenant, journal_id, now)?;
    }
    onus_store::ledger::insert(tx, tenant, &rows.lines)?;
    onus_store::cases::put(tx, tenant, &rows.cases)?;
    onus_store::cases::put_obligations(tx, tenant, &rows.obligations)?;
    onus_store::log::append(tx, tenant, entries.iter())?;
    Ok(())
}

/// Entries of a batch and the verdicts that name them.
type Numbered<'r> = (Cow<'r, [LogEntryRow]>, Cow<'r, [ExceptionRow]>);

/// The entries of a batch, and the verdicts that name them, numbered after what the log has now: somebody who resolved
/// a break meanwhile has added to it.
fn after_the_log<'r>(tx: &mut Tx<'_>, tenant: &str, rows: &'r Rows) -> Result<Numbered<'r>, StoreError> {
    let (mut entries, mut exceptions) = (Cow::from(&rows.entries), Cow::from(&rows.exceptions));
    let Some(first) = rows.entries.first() else { return Ok((entries, exceptions)) };
    let shift = onus_store::log::size(tx, &Scope::all(tenant))? - first.idx;
    if shift != 0 {
        entries.to_mut().iter_mut().for_each(|entry| entry.idx += shift);
        exceptions.to_mut().iter_mut().for_each(|row| row.entry_index += shift);
    }
    Ok((entries, exceptions))
}

/// Breaks of these payments that were found before and are gone now.
fn remove_stale_breaks(tx: &mut Tx<'_>, tenant: &str, rows: &Rows) -> Result<(), StoreError> {
    let (Some(first), Some(last)) = (rows.payments.first(), rows.payments.last()) else { return Ok(()) };
    let here: FxHashSet<&str> = rows.payments.iter().map(|payment| payment.id.as_str()).collect();
    let now: FxHashSet<(&str, &str)> =
        rows.breaks.iter().map(|row| (row.payment_id.as_str(), row.class.as_str())).collect();
    let mut stale = Vec::new();
    let dates = [date_of(&first.id), date_of(&last.id)];
    tx.for_each(
        "select payment_id, class from breaks where tenant = $1 and substr(payment_id, 1, 10) between $2 and $3",
        &[Value::from(tenant), Value::from(dates[0]), Value::from(dates[1])],
        |row| {
            let (payment, class) = (row.text(0)?, row.text(1)?);
            if here.contains(payment) && !now.contains(&(payment, class)) {
                stale.push((payment.to_owned(), class.to_owned()));
            }
            Ok(())
        },
    )?;
    for (payment, class) in stale {
        onus_store::breaks::remove(tx, tenant, &payment, &class)?;
    }
    Ok(())
}

fn date_of(payment_id: &str) -> &str {
    payment_id.get(..10).unwrap_or(payment_id)
}

/// Books the negative of an earlier revision's lines: the ledger is never changed, only added to.
fn reverse_journal(tx: &mut Tx<'_>, tenant: &str, journal_id: &str, now: i64) -> Result<(), StoreError> {
    let mut lines = Vec::new();
    tx.for_each(
        "select line, account, party, amount_minor, memo from ledger_lines where tenant = $1 and journal_id = $2 order by line",
        &[Value::from(tenant), Value::from(journal_id)],
        |row| {
            lines.push(LedgerLineRow {
                journal_id: format!("{journal_id}.reversed"),
                line: row.int(0)?,
                account: row.text(1)?.to_owned(),
                party: row.text(2)?.to_owned(),
                amount_minor: -row.int(3)?,
                memo: row.text(4)?.to_owned(),
                booked_at: now,
            });
            Ok(())
        },
    )?;
    onus_store::ledger::insert(tx, tenant, &lines)?;
    Ok(())
}

/// The key of a payment by its id in the store.
pub(crate) fn key_of(payment_id: &str) -> Option<PaymentKey> {
    PaymentKey::parse(payment_id).ok()
}
