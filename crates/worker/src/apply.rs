//! Writes what judging found: each batch of payments in one transaction together with the cases, ledger lines and
//! evidence entries that it causes. What is in the store already and did not change is left alone.

use std::borrow::Cow;

use onus_casework::resolution::ResolutionPack;
use onus_evidence::SigningKey;
use onus_fleet::Registry;
use onus_liability::Facts;
use onus_model::{BreakClass, ExceptionKind, Instant, MerchantCode, Outcome, PaymentKey, Verdict};
use onus_reconcile::{Attempt, Book, Break, JournalKind};
use onus_store::approvals::ApprovalRow;
use onus_store::breaks::BreakRow;
use onus_store::cases::{CaseRow, ObligationRow};
use onus_store::exceptions::ExceptionRow;
use onus_store::expectations::ExpectationRow;
use onus_store::ledger::LedgerLineRow;
use onus_store::log::LogEntryRow;
use onus_store::overview::TallyRow;
use onus_store::payments::PaymentRow;
use onus_store::rejudgements::{self, RejudgementRow, VerdictFactsRow};
use onus_store::tenants::TenantRow;
use onus_store::{Scope, Store, StoreError, Tx, Value};
use rustc_hash::FxHashSet;

use crate::collector::Records;
use crate::entry::withdrawal_body;
use crate::episodes::Told;
use crate::error::WorkerError;
use crate::expectations::{self, Outstanding};
use crate::resolve::Resolver;
use crate::revision::{OnPayment, Reviser, after, push_entry};
use crate::standing::{Change, Key, Stand, Standing, Then, stand};
use crate::summary::{Counted, Summary};
use crate::verdict_facts;

/// One payment with everything decided about it.
pub(crate) struct Decided {
    pub(crate) attempt: Attempt,
    pub(crate) at: Instant,
    pub(crate) amount_minor: i64,
    pub(crate) owner: MerchantCode,
    pub(crate) outcome: Outcome,
    pub(crate) breaks: Vec<Break>,
    /// The account that was set for a payout that is due, when the merchant's own was replaced by it.
    pub(crate) altered_account: String,
    pub(crate) outstanding: Outstanding,
    pub(crate) verdicts: Vec<Ruled>,
    pub(crate) episode_id: String,
}

/// A verdict with its hash and the facts that it was decided from.
pub(crate) struct Ruled {
    pub(crate) verdict: Verdict,
    pub(crate) sha256: String,
    pub(crate) facts: Facts,
}

/// Writes batches.
pub(crate) struct Apply<'a> {
    store: &'a Store,
    tenant: &'a TenantRow,
    key: &'a SigningKey,
    reviser: &'a Reviser,
    stand: Stand,
    /// Entries of the log, those of batches on their way included.
    log_size: i64,
    pub(crate) summary: Summary,
    changed: u64,
    listed: u64,
}

/// What writing came to.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Applied {
    /// Verdicts that are new or changed.
    pub(crate) changed: u64,
    /// Verdicts taken back.
    pub(crate) withdrawn: u64,
    /// Changes that wait for two people.
    pub(crate) listed: u64,
}

/// Rows of one transaction.
#[derive(Default)]
pub(crate) struct Rows {
    payments: Vec<PaymentRow>,
    /// Legs of each payment that are there.
    there: Vec<u16>,
    expectations: Vec<ExpectationRow>,
    pub(crate) exceptions: Vec<ExceptionRow>,
    breaks: Vec<BreakRow>,
    pub(crate) cases: Vec<CaseRow>,
    pub(crate) obligations: Vec<ObligationRow>,
    pub(crate) lines: Vec<LedgerLineRow>,
    pub(crate) entries: Vec<LogEntryRow>,
    pub(crate) facts: Vec<VerdictFactsRow>,
    /// Verdicts that would be others, for two people to decide.
    pub(crate) listed: Vec<RejudgementRow>,
    /// Listed changes that are out of date.
    pub(crate) superseded: Vec<String>,
    /// Verdicts that stay, in another episode.
    moved: Vec<(Key, String)>,
    /// Ledger journals of earlier revisions to take back.
    pub(crate) reversed: Vec<String>,
}

impl<'a> Apply<'a> {
    pub(crate) fn start(
        store: &'a Store,
        tenant: &'a TenantRow,
        key: &'a SigningKey,
        reviser: &'a Reviser,
        open_days: i64,
        window_from: Option<Instant>,
    ) -> Result<Self, WorkerError> {
        let scope = Scope::all(&tenant.id);
        let (stand, log_size) = store.read(|tx| {
            let stand = stand(tx, &scope, &reviser.pack.sha256, open_days, reviser.now, window_from)?;
            Ok((stand, onus_store::log::size(tx, &scope)?))
        })?;
        Ok(Self { store, tenant, key, reviser, stand, log_size, summary: Summary::default(), changed: 0, listed: 0 })
    }

    /// The rows of one batch, in order; [`Self::writer`] writes them.
    pub(crate) fn rows(&mut self, book: &Book, registry: &Registry, batch: &[Decided]) -> Result<Rows, WorkerError> {
        let mut rows = Rows::default();
        let first = self.log_size;
        for decided in batch {
            self.payment(book, registry, decided, first, &mut rows)?;
        }
        self.changed += rows.exceptions.len() as u64;
        self.listed += rows.listed.len() as u64;
        self.log_size = after(first, &rows);
        Ok(rows)
    }

    /// Writes batches as they come, each in one transaction, until there are no more.
    pub(crate) fn writer(&self) -> impl FnOnce(std::sync::mpsc::Receiver<Rows>) -> Result<(), WorkerError> + Send + 'a {
        let (store, tenant, now) = (self.store, self.tenant.id.as_str(), self.reviser.now.0);
        move |batches| {
            for rows in batches {
                store.write(|tx| write_rows(tx, tenant, &rows, now))?;
            }
            Ok(())
        }
    }

    fn payment(
        &mut self,
        book: &Book,
        registry: &Registry,
        decided: &Decided,
        first: i64,
        rows: &mut Rows,
    ) -> Result<(), WorkerError> {
        let id = decided.attempt.key.to_string();
        let merchant = registry.merchants.get(&decided.owner);
        let agent = merchant.map_or("", |merchant| merchant.agent_code.as_str());
        let city = merchant.map_or("", |merchant| merchant.city.as_str());
        let row = payment_row(book, registry, decided, &id, agent, city);
        let zone = &self.reviser.zone;
        self.summary.payment(zone, decided, agent, city, book.kind(&decided.attempt) == JournalKind::Sale);
        rows.breaks.extend(decided.breaks.iter().map(|found| break_row(book, decided, &id, found)));
        for ruled in &decided.verdicts {
            let kind = ruled.verdict.kind;
            let on = OnPayment {
                id: &id,
                started_at: decided.at.0,
                tid: &row.tid,
                merchant_code: &row.merchant_code,
                agent_code: agent,
                city,
                amount_minor: decided.amount_minor,
                breaks: decided.breaks.iter().map(|found| found.class.as_str()).collect(),
                episode: if explained_by_episode(kind) { decided.episode_id.as_str() } else { "" },
            };
            let key = (id.clone(), kind.to_string());
            let was = self.stand.verdicts.remove(&key);
            let counted = self.verdict(&on, &key, was, ruled, first, rows)?;
            self.summary.exception(&self.reviser.zone, decided, &counted, agent, city, on.episode);
        }
        rows.there.push(decided.outstanding.there);
        rows.expectations.extend(expectations::rows(&decided.outstanding, &row));
        rows.payments.push(row);
        Ok(())
    }

    /// Makes the next revision of a verdict, or leaves it, or lists it; gives what counts from now on.
    fn verdict(
        &mut self,
        on: &OnPayment<'_>,
        key: &Key,
        was: Option<Standing>,
        ruled: &Ruled,
        first: i64,
        rows: &mut Rows,
    ) -> Result<Counted, WorkerError> {
        let Ruled { verdict, sha256, facts } = ruled;
        let new = Counted::of(verdict);
        let Some(was) = was else {
            // The entry that took it back had a number too.
            let revision = self.stand.taken_back.get(key).map_or(1, |last| last + 2);
            self.reviser.add(on, verdict, sha256, facts, revision, first, rows)?;
            return Ok(new);
        };
        let then = was.then(Some((verdict, sha256, on.episode)));
        if then != Then::NextRevision && was.episode_id != on.episode {
            rows.moved.push((key.clone(), on.episode.to_owned()));
        }
        match then {
            Then::NextRevision => {
                self.supersede(key, None, rows);
                self.reviser.add(on, verdict, sha256, facts, was.revision + 1, first, rows)?;
                Ok(new)
            }
            Then::Stays => {
                self.supersede(key, None, rows);
                Ok(was.counted(verdict.kind))
            }
            Then::Listed => {
                let stays = was.counted(verdict.kind);
                self.list(key, &was, Some((verdict, sha256, facts)), rows)?;
                Ok(stays)
            }
        }
    }

    /// Lists a change, unless it is listed.
    fn list(
        &mut self,
        key: &Key,
        was: &Standing,
        new: Option<(&Verdict, &str, &Facts)>,
        rows: &mut Rows,
    ) -> Result<(), WorkerError> {
        let tenant = self.tenant.id.as_str();
        let reason = match new {
            None => "[]".to_owned(),
            Some((_, _, facts)) => self.store.read(|tx| {
                let old = rejudgements::facts_of(tx, tenant, &key.0, &key.1, was.revision)?;
                let old = old.map(|row| verdict_facts::decode(&row.facts)).transpose()?.unwrap_or_default();
                Ok(serde_json::json!(verdict_facts::differing(&old, facts)).to_string())
            })?,
        };
        let pack = &self.reviser.pack;
        let row = Change {
            key,
            was,
            new: new.map(|(verdict, sha256, facts)| (verdict, sha256, verdict_facts::encode(facts))),
            reason,
            pack: (&pack.id, &pack.version, &pack.sha256),
            now: self.reviser.now,
        }
        .row();
        self.supersede(key, Some(&row.id), rows);
        rows.listed.push(row);
        Ok(())
    }

    /// Ends what was listed about a verdict, unless it is the same change.
    fn supersede(&mut self, key: &Key, by: Option<&str>, rows: &mut Rows) {
        if self.stand.listed.is_empty() {
            return;
        }
        rows.superseded.extend(self.stand.listed.remove(key).filter(|id| Some(id.as_str()) != by));
    }

    /// Takes back what newer records no longer support, writes registers, episodes and sums, and signs the log.
    pub(crate) fn finish(mut self, records: &Records, episodes: &[Told]) -> Result<Applied, WorkerError> {
        let mut left: Vec<_> = std::mem::take(&mut self.stand.verdicts).into_iter().collect();
        left.sort_by(|left, right| left.0.cmp(&right.0));
        let (mut rows, mut gone, mut kept) = (Rows::default(), Vec::new(), Vec::new());
        let mut kept_tallies = Vec::new();
        let decided_at = self.reviser.zone.format(self.reviser.now);
        for (key, was) in left {
            if was.then(None) == Then::Listed {
                self.list(&key, &was, None, &mut rows)?;
                kept_tallies.push(was.tally(&self.reviser.zone, &key.1));
                kept.push(key);
                continue;
            }
            self.supersede(&key, None, &mut rows);
            let (payment, kind) = &key;
            push_entry(&withdrawal_body(payment, kind, was.revision + 1, &decided_at), self.log_size, &mut rows)?;
            rows.reversed.push(format!("{payment}.{kind}.{}", was.revision));
            gone.push(key);
        }
        self.listed += rows.listed.len() as u64;
        let episodes = self.summary.episode_rows(episodes);
        let now_at = self.reviser.now;
        let (agents, merchants, terminals) = self.summary.register_rows(records, now_at);
        let accounts = self.summary.account_rows(records);
        let (tallies, hours) = self.summary.tally_rows();
        let resolutions = ResolutionPack::builtin().map_err(|error| WorkerError::Config(error.to_string()))?;
        let (tenant, now) = (self.tenant.id.as_str(), now_at.0);
        let resolver = Resolver { tenant, key: self.key, pack: &resolutions, now: now_at };
        self.store.write(|tx| {
            write_rows(tx, tenant, &rows, now)?;
            resolver.reopen_changed(tx)?;
            for (payment, kind) in &gone {
                take_back(tx, tenant, payment, kind)?;
            }
            for (payment, kind) in &kept {
                onus_store::payments::set_kind(tx, tenant, payment, kind, true)?;
            }
            onus_store::registry::put_agents(tx, tenant, &agents)?;
            onus_store::registry::put_merchants(tx, tenant, &merchants)?;
            onus_store::registry::put_terminals(tx, tenant, &terminals)?;
            onus_store::registry::put_accounts(tx, tenant, &accounts)?;
            onus_store::episodes::clear(tx, tenant)?;
            onus_store::episodes::put(tx, tenant, &episodes)?;
            if let Some((from, to)) = hours {
                onus_store::overview::clear_tallies(tx, tenant, from, to)?;
                kept_tallies.retain(|row: &TallyRow| (from..to).contains(&row.hour_at));
            }
            onus_store::overview::put_tallies(tx, tenant, &tallies)?;
            if hours.is_some() {
                onus_store::overview::add_tallies(tx, tenant, &kept_tallies)?;
            }
            crate::resolve::sign(tx, tenant, self.key, now_at)
        })?;
        Ok(Applied { changed: self.changed, withdrawn: gone.len() as u64, listed: self.listed })
    }
}

/// Kinds that an episode of failing payments explains; later payouts and disputes have causes of their own.
pub(crate) const fn explained_by_episode(kind: ExceptionKind) -> bool {
    !matches!(kind, ExceptionKind::Late | ExceptionKind::ChargedBack)
}

/// Takes a verdict and its case out of the tables; the log keeps what was said.
pub(crate) fn take_back(tx: &mut Tx<'_>, tenant: &str, payment: &str, kind: &str) -> Result<(), StoreError> {
    onus_store::exceptions::remove(tx, tenant, payment, kind)?;
    let case = format!("{payment}.{kind}");
    tx.execute(
        "update cases set state = 'WITHDRAWN' where tenant = $1 and id = $2",
        &[Value::from(tenant), Value::from(&case)],
    )?;
    tx.execute(
        "update obligations set state = 'withdrawn' where tenant = $1 and case_id = $2 and state = 'open'",
        &[Value::from(tenant), Value::from(&case)],
    )?;
    Ok(())
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
    let kinds: Vec<_> = decided.verdicts.iter().map(|ruled| ruled.verdict.kind.as_str()).collect();
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
        BreakClass::PayeeAltered => (decided.owner.to_string(), decided.altered_account.clone()),
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

pub(crate) fn write_rows(tx: &mut Tx<'_>, tenant: &str, rows: &Rows, now: i64) -> Result<(), StoreError> {
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
    for revised in exceptions.iter().filter(|row| row.revision > 1) {
        let case = format!("{}.{}", revised.payment_id, revised.kind);
        let duties = rows.obligations.iter().filter(|duty| duty.case_id == case).count();
        onus_store::cases::withdraw_after(tx, tenant, &case, i64::try_from(duties).unwrap_or(i64::MAX))?;
    }
    rejudgements::put_facts(tx, tenant, &rows.facts)?;
    for id in &rows.superseded {
        onus_store::approvals::supersede(tx, tenant, REJUDGEMENT, id, now)?;
    }
    put_listed(tx, tenant, &rows.listed)?;
    for ((payment, kind), episode) in &rows.moved {
        onus_store::exceptions::set_episode(tx, tenant, payment, kind, episode)?;
    }
    onus_store::log::append(tx, tenant, entries.iter())?;
    Ok(())
}

/// The subject of decisions about verdicts.
const REJUDGEMENT: &str = onus_casework::dual_control::Subject::Rejudgement.as_str();

/// Lists changes, each with a decision that nobody has touched.
pub(crate) fn put_listed(tx: &mut Tx<'_>, tenant: &str, listed: &[RejudgementRow]) -> Result<(), StoreError> {
    rejudgements::put(tx, tenant, listed)?;
    let decisions: Vec<ApprovalRow> = listed
        .iter()
        .map(|row| ApprovalRow {
            subject: REJUDGEMENT.to_owned(),
            id: row.id.clone(),
            state: onus_casework::dual_control::DecisionState::Listed.to_string(),
            updated_at: row.listed_at,
            ..ApprovalRow::default()
        })
        .collect();
    onus_store::approvals::list_new(tx, tenant, &decisions)?;
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
