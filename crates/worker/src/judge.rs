//! Judging: the records of a window become verdicts, cases, ledger lines and evidence, in one order, whatever threads read them.

use onus_casework::Calendar;
use onus_casework::notices::{DisputeNotice, Slip};
use onus_evidence::SigningKey;
use onus_fleet::{AccountStanding, Registry};
use onus_incident::episode::hypotheses::Hypotheses;
use onus_incident::episode::unproven::Unproven;
use onus_incident::{Family, Policy};
use onus_liability::decide;
use onus_model::{BreakClass, ExceptionKind, Instant, MerchantCode, Outcome, TerminalId, Zone};
use onus_reconcile::{Attempt, Book, Break, JournalKind, TerminalStatus, classify};
use onus_store::Store;
use onus_store::alarms::AlarmRow;
use onus_store::tenants::TenantRow;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::apply::{Apply, Decided, Ruled};
use crate::chargebacks;
use crate::collector::Records;
use crate::detection::{self, Imported};
use crate::episodes::{Telling, Told};
use crate::error::WorkerError;
use crate::expectations::{Outstanding, Watch};
use crate::facts::{Around, broken_rule};
use crate::import::Progress;
use crate::outcome::{kinds, outcome};
use crate::packs;
use crate::payout::{Payouts, noon, payee_when_due};
use crate::revision::Reviser;
use crate::samples::{Judged, Samples, samples, time_and_amount};
use crate::terms::Terms;
use crate::unproven::beside;
use crate::witnesses::witnesses;

/// Payments written in one transaction.
const BATCH: usize = 16_000;

/// What a judgement came to.
#[derive(Debug, Clone, Default)]
pub struct JudgeReport {
    /// Payments.
    pub payments: u64,
    /// Exceptions, by kind.
    pub exceptions: Vec<(ExceptionKind, u64)>,
    /// Verdicts that are new or changed.
    pub changed: u64,
    /// Verdicts taken back, because newer records show that nothing is wrong.
    pub withdrawn: u64,
    /// Changes of verdicts that wait for two people.
    pub listed: u64,
    /// Episodes found.
    pub episodes: u64,
    /// Breaks found.
    pub breaks: u64,
}

/// Judges for one tenant.
pub(crate) struct Judge<'a> {
    store: &'a Store,
    tenant: &'a TenantRow,
    key: &'a SigningKey,
    zone: Zone,
    now: Instant,
    reviser: Reviser,
    pub(crate) terms: Terms,
    policy: Policy,
    hypotheses: Hypotheses,
    watch: Watch,
}

/// Everything worked out over all attempts before any is decided.
struct Prepared<'r> {
    outcomes: Vec<Outcome>,
    owners: Vec<Option<MerchantCode>>,
    breaks: Vec<Vec<Break>>,
    outstanding: Vec<Outstanding>,
    chargebacks: FxHashMap<usize, &'r DisputeNotice>,
    queried: FxHashSet<&'r str>,
    slips: FxHashMap<(TerminalId, u32), &'r Slip>,
    unread_by_batch: FxHashMap<String, usize>,
    bad_parts: FxHashMap<TerminalId, &'r TerminalStatus>,
    episode_of: FxHashMap<u32, usize>,
    families: Vec<Family>,
    episodes: Vec<Told>,
    suspicions: Vec<AlarmRow>,
}

/// What comparing the records of each attempt comes to, by its number.
pub(crate) struct Survey {
    pub(crate) outcomes: Vec<Outcome>,
    pub(crate) owners: Vec<Option<MerchantCode>>,
    pub(crate) breaks: Vec<Vec<Break>>,
}

/// Compares the records of each attempt, as of a time.
pub(crate) fn survey(records: &Records, terms: &Terms, zone: &Zone, now: Instant) -> Survey {
    let (book, registry) = (&records.book, &records.registry);
    let outcomes: Vec<_> = book.attempts().iter().map(|attempt| outcome(book, attempt)).collect();
    let owners: Vec<_> = book.attempts().iter().map(|attempt| owner(book, registry, attempt)).collect();
    let (today, _) = zone.local(now);
    let payouts = Payouts::new(book, terms, today, zone);
    let unseen = unseen_refunds(book);
    let breaks_of = |(index, attempt): (usize, &Attempt)| {
        let owner: Option<MerchantCode> = owners.get(index).copied().flatten();
        let payout = owner.and_then(|owner| payouts.of(book, registry, attempt, owner));
        classify(book, attempt, payout.as_ref(), unseen.get(&index).copied().unwrap_or_default(), today)
    };
    let breaks: Vec<Vec<Break>> = book.attempts().iter().enumerate().map(breaks_of).collect();
    Survey { outcomes, owners, breaks }
}

impl<'a> Judge<'a> {
    pub(crate) fn new(
        store: &'a Store,
        tenant: &'a TenantRow,
        key: &'a SigningKey,
        zone: Zone,
        now: Instant,
    ) -> Result<Self, WorkerError> {
        let calendar = Calendar::builtin_cn().map_err(|error| WorkerError::Config(error.to_string()))?;
        Ok(Self {
            store,
            tenant,
            key,
            zone: zone.clone(),
            now,
            watch: Watch::builtin(&calendar)?,
            reviser: packs::reviser(store, tenant, calendar, zone, now)?,
            terms: Terms::builtin_cn()?,
            policy: Policy::builtin().map_err(|error| WorkerError::Config(error.to_string()))?,
            hypotheses: Hypotheses::builtin().map_err(|error| WorkerError::Config(error.to_string()))?,
        })
    }

    /// Judges all records and writes what changed. `names` are the files by number; payments before `window_from` are left as they are.
    pub(crate) fn run(
        self,
        mut records: Records,
        names: &FxHashMap<i64, String>,
        window_from: Option<Instant>,
        progress: &dyn Progress,
    ) -> Result<JudgeReport, WorkerError> {
        records.book.assemble(&self.zone);
        records.registry.settle();
        progress.stage("comparing the four legs");
        let prepared = self.prepare(&records)?;
        progress.stage("deciding and writing verdicts");
        let open_days = self.terms.verdict_open_days.value;
        let mut apply = Apply::start(self.store, self.tenant, self.key, &self.reviser, open_days, window_from)?;
        let mut report = JudgeReport { episodes: prepared.episodes.len() as u64, ..JudgeReport::default() };
        let mut counts: FxHashMap<ExceptionKind, u64> = FxHashMap::default();
        let book = &records.book;
        // One thread decides, the other writes the batch before.
        let (send, batches) = std::sync::mpsc::sync_channel(0);
        let write = apply.writer();
        std::thread::scope(|scope| -> Result<(), WorkerError> {
            let written = scope.spawn(move || write(batches));
            let mut start = 0;
            for chunk in book.attempts().chunks(BATCH) {
                let mut batch = Vec::with_capacity(chunk.len());
                for (offset, attempt) in chunk.iter().enumerate() {
                    let decided = self.decide_one(&records, &prepared, names, start + offset, attempt)?;
                    report.payments += 1;
                    report.breaks += decided.breaks.len() as u64;
                    for ruled in &decided.verdicts {
                        *counts.entry(ruled.verdict.kind).or_default() += 1;
                    }
                    batch.push(decided);
                }
                let rows = apply.rows(book, &records.registry, &batch)?;
                start += chunk.len();
                if send.send(rows).is_err() {
                    break;
                }
            }
            drop(send);
            written.join().unwrap_or_else(|_| Err(WorkerError::Evidence("the writer stopped".to_owned())))
        })?;
        progress.stage("writing registers, sums and the signed checkpoint");
        let applied = apply.finish(&records, &prepared.episodes)?;
        detection::after_judging(self.store, &self.tenant.id, &records.registry, &prepared.suspicions)?;
        report.changed = applied.changed;
        report.withdrawn = applied.withdrawn;
        report.listed = applied.listed;
        report.exceptions = counts.into_iter().collect();
        report.exceptions.sort_unstable();
        Ok(report)
    }

    fn prepare<'r>(&self, records: &'r Records) -> Result<Prepared<'r>, WorkerError> {
        let (book, registry) = (&records.book, &records.registry);
        let Survey { outcomes, owners, breaks } = survey(records, &self.terms, &self.zone, self.now);
        let judged = Judged { outcomes: &outcomes, owners: &owners, breaks: &breaks };
        let mut samples = samples(book, registry, &judged);
        let witnesses = witnesses(registry, &mut samples, &self.policy);
        let found = onus_incident::detect_with(&samples.samples, &witnesses, &self.policy);
        let beside = beside(registry, &mut samples, &witnesses, &found, &self.policy);
        let (episode_of, families, episodes) = self.episodes(&found, &beside, &samples);
        let chargebacks = chargebacks::by_attempt(book, &records.disputes);
        let imported = Imported {
            records,
            samples: &mut samples,
            outcomes: &outcomes,
            breaks: &breaks,
            chargebacks: &chargebacks,
        };
        let suspicions = detection::suspicions(imported, &self.zone)?;
        Ok(Prepared {
            unread_by_batch: unread_by_batch(book, registry, &outcomes),
            bad_parts: book
                .board
                .statuses
                .iter()
                .rev()
                .filter(|status| status.bad_parts != 0)
                .map(|status| (status.tid, status))
                .collect(),
            chargebacks,
            queried: records
                .disputes
                .iter()
                .filter(|notice| matches!(notice.txn_code.as_str(), "E00" | "E04"))
                .map(|notice| notice.case_no.as_str())
                .collect(),
            slips: records.slips.iter().map(|slip| ((slip.tid, slip.stan), slip)).collect(),
            outstanding: self.watch.outstanding(book, &self.zone),
            outcomes,
            owners,
            breaks,
            episode_of,
            families,
            episodes,
            suspicions,
        })
    }

    fn episodes(
        &self,
        found: &[onus_incident::Found],
        beside: &[Vec<Unproven>],
        samples: &Samples,
    ) -> (FxHashMap<u32, usize>, Vec<Family>, Vec<Told>) {
        let mut episode_of = FxHashMap::default();
        for (number, found) in found.iter().enumerate() {
            for member in &found.members {
                if let Some(attempt) = samples.attempts.get(*member as usize) {
                    episode_of.entry(*attempt).or_insert(number);
                }
            }
        }
        let families = found.iter().map(|found| found.family).collect();
        let (policy, hypotheses, zone) = (&self.policy, &self.hypotheses, &self.zone);
        let telling = Telling { samples, policy, hypotheses, zone, beside };
        let episodes = telling.all(found);
        (episode_of, families, episodes)
    }

    fn decide_one(
        &self,
        records: &Records,
        prepared: &Prepared<'_>,
        names: &FxHashMap<i64, String>,
        index: usize,
        attempt: &Attempt,
    ) -> Result<Decided, WorkerError> {
        let (book, registry) = (&records.book, &records.registry);
        let outcome = prepared.outcomes.get(index).copied().unwrap_or(Outcome::Approved);
        let breaks = prepared.breaks.get(index).cloned().unwrap_or_default();
        let owner = prepared.owners.get(index).copied().flatten().unwrap_or_default();
        let (at, amount_minor) = time_and_amount(book, attempt).unwrap_or_else(|| {
            (noon(&mut self.zone.clone(), attempt.key.date), book.cleared(attempt).map_or(0, |line| line.amount_minor))
        });
        let notice = prepared.chargebacks.get(&index).copied();
        let invalid = notice.map(|notice| {
            let exchange = book.exchange(attempt);
            let chip = exchange.is_some_and(|exchange| exchange.chip && exchange.entry_mode / 10 != 2);
            let pin = book.journal(attempt).is_some_and(|journal| journal.pin);
            (notice, broken_rule(notice, prepared.queried.contains(notice.case_no.as_str()), amount_minor, pin, chip))
        });
        let mut verdicts = Vec::new();
        let episode = u32::try_from(index).ok().and_then(|index| prepared.episode_of.get(&index)).copied();
        for kind in kinds(book, attempt, outcome, &breaks, notice.is_some()) {
            let serial = registry.terminal_of(attempt.key.tid);
            let around = Around {
                book,
                registry,
                names,
                terms: &self.terms,
                attempt,
                at,
                owner,
                breaks: &breaks,
                episode: episode.and_then(|number| prepared.families.get(number)).copied(),
                chargeback: invalid,
                slip: attempt.key.stan.and_then(|stan| prepared.slips.get(&(attempt.key.tid, stan))).copied(),
                bad_part: prepared.bad_parts.get(&attempt.key.tid).copied(),
                unread_in_batch: serial
                    .and_then(|terminal| prepared.unread_by_batch.get(&terminal.production_batch))
                    .copied()
                    .unwrap_or_default(),
                hold: book.cleared(attempt).and_then(|line| registry.hold_on(owner, line.settle_date)),
            };
            let facts = around.facts(kind);
            let loss_minor = loss(book, attempt, kind, &breaks, notice, amount_minor);
            let verdict = decide(&self.reviser.pack, kind, &facts, loss_minor)?;
            let sha256 = onus_liability::verdict_sha256(&self.reviser.pack, &facts, &verdict);
            verdicts.push(Ruled { verdict, sha256, facts });
        }
        // An episode is shown with the failure that it explains, not with a later payout or dispute of the same payment.
        let episode_id = episode
            .and_then(|number| prepared.episodes.get(number))
            .map(|told| told.episode.id.clone())
            .unwrap_or_default();
        Ok(Decided {
            attempt: *attempt,
            at,
            amount_minor,
            owner,
            outcome,
            altered_account: self.altered_account(records, attempt, &breaks),
            breaks,
            outstanding: prepared.outstanding.get(index).cloned().unwrap_or_default(),
            verdicts,
            episode_id,
        })
    }

    fn altered_account(&self, records: &Records, attempt: &Attempt, breaks: &[Break]) -> String {
        let altered = breaks.iter().any(|found| found.class == BreakClass::PayeeAltered);
        let Some(line) = records.book.cleared(attempt).filter(|_| altered) else { return String::new() };
        match payee_when_due(&records.registry, line, &self.terms, &self.zone) {
            AccountStanding::ChangedWithoutControl(account) => account.account_no.clone(),
            _ => String::new(),
        }
    }
}

/// Money lost or held by a kind of exception, minor units.
fn loss(
    book: &Book,
    attempt: &Attempt,
    kind: ExceptionKind,
    breaks: &[Break],
    notice: Option<&DisputeNotice>,
    amount_minor: i64,
) -> i64 {
    let cleared = book.cleared(attempt);
    match kind {
        ExceptionKind::Unknown | ExceptionKind::OneSided => cleared.map_or(0, |line| line.amount_minor),
        ExceptionKind::Diverted => {
            let sent_on = breaks
                .iter()
                .find(|found| found.class == BreakClass::RefundDiverted)
                .map(|found| found.difference_minor);
            let differs = breaks
                .iter()
                .find(|found| matches!(found.class, BreakClass::AmountClear | BreakClass::AmountTerm))
                .map(|found| found.difference_minor.abs());
            sent_on.or(differs).unwrap_or_else(|| cleared.map_or(amount_minor, |line| line.net_minor))
        }
        ExceptionKind::ChargedBack => notice.map_or(0, |notice| notice.disputed_amount_minor.min(amount_minor)),
        ExceptionKind::Unread | ExceptionKind::Declined | ExceptionKind::Reversed | ExceptionKind::Late => 0,
    }
}

pub(crate) const fn is_diversion(class: BreakClass) -> bool {
    matches!(class, BreakClass::MerchantSwapped | BreakClass::RefundDiverted | BreakClass::PayoutDiverted)
}

/// The merchant to whom the money belongs: the one on the slip, else the one the terminal is bound to.
fn owner(book: &Book, registry: &Registry, attempt: &Attempt) -> Option<MerchantCode> {
    let printed = book.journal(attempt).map(|journal| journal.merchant);
    printed.or_else(|| {
        let at = book.exchange(attempt).map_or(Instant(i64::MAX), |exchange| exchange.requested_at);
        registry.bound_merchant(registry.serial_of(attempt.key.tid)?, at)
    })
}

/// Refunds on the wire that no journal knows, by the sale that they undo.
fn unseen_refunds(book: &Book) -> FxHashMap<usize, i64> {
    let mut found: FxHashMap<usize, i64> = FxHashMap::default();
    for attempt in book.attempts() {
        let Some(refund) =
            book.exchange(attempt).filter(|_| attempt.journal.is_none() && book.kind(attempt) == JournalKind::Refund)
        else {
            continue;
        };
        if refund.network_rc != *"00" {
            continue;
        }
        let (batch, stan) = refund.original;
        if let Some(sale) = book.attempt_of_terminal(refund.tid, batch, stan, attempt.key.date) {
            *found.entry(sale).or_default() += refund.amount_minor;
        }
    }
    found
}

/// Terminals of each production batch that could not read a card.
fn unread_by_batch(book: &Book, registry: &Registry, outcomes: &[Outcome]) -> FxHashMap<String, usize> {
    let unread = book.attempts().iter().zip(outcomes).filter(|(_, outcome)| **outcome == Outcome::Unread);
    let terminals: FxHashSet<TerminalId> = unread.map(|(attempt, _)| attempt.key.tid).collect();
    let mut counts: FxHashMap<String, usize> = FxHashMap::default();
    for terminal in terminals.iter().filter_map(|tid| registry.terminal_of(*tid)) {
        *counts.entry(terminal.production_batch.clone()).or_default() += 1;
    }
    counts
}
