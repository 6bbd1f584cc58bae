//! Suspicions that records alone show: money that goes elsewhere, categories that do not fit, terminals that reverse
//! although they were answered, places and programs that changed, cards read by their stripe, and agents against
//! matched peers.
//!
//! The same detector with the same promise, over the judged window from its start, so that the same records give the
//! same alarms. Counts are put together by the hour (agents against peers: by the day), which keeps the promise: an
//! e-value grows by 1 a step at most in the mean, and there are fewer steps.

use std::collections::BTreeMap;

use onus_casework::notices::DisputeNotice;
use onus_incident::detector::{Cell, Count, Detector, PeerRow, Settings, against_peers, minute_of};
use onus_incident::live::AlarmLog;
use onus_incident::{Dim, Sample};
use onus_model::{BreakClass, Date, Instant, Outcome, Zone};
use onus_reconcile::{Attempt, Break, Exchange};
use onus_store::alarms::AlarmRow;
use rustc_hash::{FxHashMap, FxHashSet};

use super::Clock;
use super::rows::Rows;
use crate::collector::Records;
use crate::error::WorkerError;
use crate::samples::Samples;

/// What an import shows.
pub(crate) struct Imported<'a> {
    pub(crate) records: &'a Records,
    pub(crate) samples: &'a mut Samples,
    pub(crate) outcomes: &'a [Outcome],
    pub(crate) breaks: &'a [Vec<Break>],
    pub(crate) chargebacks: &'a FxHashMap<usize, &'a DisputeNotice>,
}

/// One 0/1 answer: the signal, its values by layer (0: none), and whether it is a hit.
struct Fact {
    at: Instant,
    signal: &'static str,
    values: [u32; 2],
    hit: bool,
}

/// All alarms of the window, those that are over too.
pub(crate) fn suspicions(mut imported: Imported<'_>, zone: &Zone) -> Result<Vec<AlarmRow>, WorkerError> {
    let settings = super::settings()?;
    let (clock, rows) = (Clock::new(zone, &settings)?, Rows::new(zone, &settings)?);
    let accounts = imported.accounts();
    let reports = imported.reports();
    let mut steps = Steps::new(&settings);
    // Cells without any hit raise nothing, and there are very many of them: first the hits, then what these are of.
    imported.each(&accounts, &reports, &mut |fact| steps.mark(&fact));
    imported.each(&accounts, &reports, &mut |fact| steps.count(&fact));
    let peers = imported.peers(&settings, zone);
    let (mut detector, mut log) = (Detector::new(settings.clone()), AlarmLog::default());
    let mut minutes: Vec<u32> = steps.counts.keys().chain(peers.keys()).copied().collect();
    minutes.sort_unstable();
    minutes.dedup();
    for minute in minutes {
        let mut counts = steps.of(minute);
        counts.extend(peers.get(&minute).into_iter().flatten().copied());
        counts.sort_unstable_by_key(|count| count.cell);
        let changes = detector.tick(clock.when(minute), &counts);
        let names = |cell: Cell| names(&settings, imported.samples, cell);
        log.take(&changes, &names);
        log.refresh(&detector, &names);
    }
    Ok(log.all().iter().map(|alarm| rows.alarm(alarm, "records")).collect())
}

fn names(settings: &Settings, samples: &Samples, cell: Cell) -> (String, String, Vec<String>) {
    let signal = settings.signals.get(usize::from(cell.signal));
    let layer = signal.and_then(|signal| signal.layers.get(usize::from(cell.layer)));
    let values = if cell.layer == 0 { Vec::new() } else { vec![samples.names.text(cell.value).to_owned()] };
    let text = |text: Option<&String>| text.cloned().unwrap_or_default();
    (text(signal.map(|signal| &signal.id)), text(layer.map(|layer| &layer.name)), values)
}

/// A terminal's report: when, terminal, agent, model, and what is wrong.
struct Report {
    at: Instant,
    terminal: u32,
    agent: u32,
    model: u32,
    far: bool,
    unknown: bool,
}

impl Imported<'_> {
    /// By sample: the account to which its money went; none where it is not paid out.
    fn accounts(&mut self) -> Vec<Option<u32>> {
        let book = &self.records.book;
        let Samples { attempts, names, .. } = &mut *self.samples;
        let paid = attempts.iter().map(|number| {
            let line = book.cleared(book.attempts().get(*number as usize)?)?;
            let payout = book.payouts_of(line.merchant, line.settle_date).min_by_key(|payout| payout.value_at)?;
            Some(names.number(&payout.payee_account))
        });
        paid.collect()
    }

    fn reports(&mut self) -> Vec<Report> {
        let registry = &self.records.registry;
        let names = &mut self.samples.names;
        let mut reports: Vec<Report> = registry
            .reports()
            .map(|report| {
                let terminal = registry.terminals.get(&report.serial);
                let merchant = registry.bound_merchant(&report.serial, report.at);
                let agent = merchant.and_then(|code| registry.merchants.get(&code)).map_or("", |it| &it.agent_code);
                Report {
                    at: report.at,
                    terminal: terminal.map_or(0, |terminal| names.number(terminal.tid.as_str())),
                    agent: names.number(agent),
                    model: terminal.map_or(0, |terminal| names.number(&terminal.model)),
                    far: registry.is_far_away(report),
                    unknown: registry.is_unknown_program(report),
                }
            })
            .collect();
        reports.sort_unstable_by_key(|report| (report.at, report.terminal));
        reports
    }

    /// All facts but those about agents against their peers.
    fn each(&self, accounts: &[Option<u32>], reports: &[Report], see: &mut dyn FnMut(Fact)) {
        let samples = self.samples.samples.iter().zip(&self.samples.attempts);
        for ((sample, number), account) in samples.zip(accounts) {
            self.of_sale(sample, *number as usize, *account, see);
        }
        for report in reports {
            let fact = |signal, values, hit| Fact { at: report.at, signal, values, hit };
            see(fact("location_jump", [report.terminal, report.agent], report.far));
            see(fact("unknown_program", [report.agent, report.model], report.unknown));
        }
    }

    fn of_sale(&self, sample: &Sample, number: usize, account: Option<u32>, see: &mut dyn FnMut(Fact)) {
        let book = &self.records.book;
        let Some(attempt) = book.attempts().get(number) else { return };
        let dim = |dim: Dim| sample.dims.get(dim as usize).copied().unwrap_or_default();
        let (terminal, agent) = (dim(Dim::Terminal), dim(Dim::Agent));
        let has = |wanted: fn(BreakClass) -> bool| {
            self.breaks.get(number).is_some_and(|breaks| breaks.iter().any(|found| wanted(found.class)))
        };
        let at = sample.at;
        if let Some(account) = account {
            let hit = has(|class| {
                matches!(class, BreakClass::MerchantSwapped | BreakClass::RefundDiverted | BreakClass::PayoutDiverted)
            });
            see(Fact { at, signal: "diverted", values: [account, agent], hit });
        }
        let Some(exchange) = book.exchange(attempt) else { return };
        if exchange.forwarded() && exchange.mcc != 0 {
            let hit = has(|class| class == BreakClass::MccJump);
            see(Fact { at, signal: "category_mismatch", values: [terminal, agent], hit });
        }
        if exchange.replied() {
            let hit = book.reversal(attempt).is_some_and(|reversal| reversal.reason == *"98");
            let values = [dim(Dim::AppVersion), dim(Dim::Model)];
            see(Fact { at, signal: "reversed_without_reply", values, hit });
        }
        if matches!(exchange.entry_mode / 10, 2 | 5) {
            let hit = exchange.entry_mode / 10 == 2;
            see(Fact { at, signal: "fallback", values: [terminal, agent], hit });
        }
    }

    /// Agents by the step, each with the hits that matched peers would have had by their rates of that day.
    fn peers(&self, settings: &Settings, zone: &Zone) -> BTreeMap<u32, Vec<Count>> {
        let mut days: BTreeMap<Date, Day> = BTreeMap::new();
        let mut strata: FxHashMap<(u16, u16, u8, u32), u32> = FxHashMap::default();
        for (sample, number) in self.samples.samples.iter().zip(&self.samples.attempts) {
            let agent = sample.dims.get(Dim::Agent as usize).copied().unwrap_or_default();
            let Some(attempt) = self.records.book.attempts().get(*number as usize).filter(|_| agent != 0) else {
                continue;
            };
            let next = u32::try_from(strata.len()).unwrap_or(u32::MAX);
            let stratum = *strata.entry(self.stratum(attempt, sample, settings)).or_insert(next);
            let declined = self.outcomes.get(*number as usize) == Some(&Outcome::Declined);
            let disputed = self.chargebacks.contains_key(&(*number as usize));
            let day = days.entry(zone.local(sample.at).0).or_default();
            let of_stratum = day.strata.entry((agent, stratum)).or_default();
            let of_step = day.steps.entry((step_of(sample.at, settings), agent)).or_default();
            for tally in [of_stratum, of_step] {
                tally.add(declined, disputed);
            }
        }
        let mut counts: BTreeMap<u32, Vec<Count>> = BTreeMap::new();
        for day in days.values() {
            for (id, hits_of) in [("agent_declines", 0), ("agent_disputes", 1)] {
                day.against_peers(id, hits_of, settings, &mut counts);
            }
        }
        counts
    }

    /// What makes payments comparable: category, entry mode, kind of card, size.
    fn stratum(&self, attempt: &Attempt, sample: &Sample, settings: &Settings) -> (u16, u16, u8, u32) {
        let book = &self.records.book;
        let mcc = book.exchange(attempt).map_or(0, |exchange: &Exchange| exchange.mcc);
        let mode = book.journal(attempt).map_or(0, |journal| journal.entry_mode / 10);
        let octave = u64::try_from(sample.amount_minor).unwrap_or_default().max(1).ilog2();
        (mcc, mode, book.card_type(attempt) as u8, octave / settings.records.stratum_octaves)
    }
}

/// Attempts, and how many were declined and disputed.
#[derive(Default, Clone, Copy)]
struct Tally {
    attempts: u32,
    hits: [u32; 2],
}

impl Tally {
    fn add(&mut self, declined: bool, disputed: bool) {
        self.attempts += 1;
        for (sum, hit) in self.hits.iter_mut().zip([declined, disputed]) {
            *sum += u32::from(hit);
        }
    }
}

/// One day of all agents.
#[derive(Default)]
struct Day {
    /// By agent and stratum.
    strata: FxHashMap<(u32, u32), Tally>,
    /// By step and agent.
    steps: FxHashMap<(u32, u32), Tally>,
}

impl Day {
    fn against_peers(&self, id: &str, hits_of: usize, settings: &Settings, counts: &mut BTreeMap<u32, Vec<Count>>) {
        let Some((index, signal)) = settings.signal(id) else { return };
        let hits = |tally: &Tally| tally.hits.get(hits_of).copied().unwrap_or_default();
        let mut rows: Vec<PeerRow> = self
            .strata
            .iter()
            .map(|((who, stratum), tally)| PeerRow {
                who: *who,
                stratum: *stratum,
                attempts: tally.attempts,
                hits: hits(tally),
            })
            .collect();
        rows.sort_unstable_by_key(|row| (row.who, row.stratum));
        let rates: FxHashMap<u32, f64> = against_peers(&rows, index, 1, signal.prior_rate, &settings.peers)
            .into_iter()
            .filter_map(|count| Some((count.cell.value, count.expected? / f64::from(count.attempts.max(1)))))
            .collect();
        let mut totals: BTreeMap<u32, Count> = BTreeMap::new();
        for ((step, agent), tally) in &self.steps {
            let Some(rate) = rates.get(agent) else { continue };
            let cell = Cell { signal: index, layer: 1, value: *agent };
            let expected = Some(rate * f64::from(tally.attempts));
            counts.entry(*step).or_default().push(Count {
                cell,
                attempts: tally.attempts,
                hits: hits(tally),
                expected,
            });
            let empty = Count { cell: Cell { layer: 0, value: 0, ..cell }, attempts: 0, hits: 0, expected: None };
            let total = totals.entry(*step).or_insert(empty);
            total.attempts += tally.attempts;
            total.hits += hits(tally);
        }
        for (step, total) in totals {
            counts.entry(step).or_default().push(total);
        }
    }
}

/// The last minute of the step in which a time lies.
fn step_of(at: Instant, settings: &Settings) -> u32 {
    let every = settings.records.every_minutes;
    minute_of(at) / every * every + every - 1
}

/// Counts by step.
struct Steps<'s> {
    settings: &'s Settings,
    /// Cells that have a hit.
    hit: FxHashSet<Cell>,
    counts: BTreeMap<u32, FxHashMap<Cell, (u32, u32)>>,
}

impl<'s> Steps<'s> {
    fn new(settings: &'s Settings) -> Self {
        Self { settings, hit: FxHashSet::default(), counts: BTreeMap::new() }
    }

    /// The cells of a fact, the total first.
    fn cells(&self, fact: &Fact) -> impl Iterator<Item = Cell> + use<> {
        let signal = self.settings.signal(fact.signal).map(|(index, _)| index);
        let values = [(0, 0), (1, fact.values[0]), (2, fact.values[1])];
        values.into_iter().filter_map(move |(layer, value)| {
            (layer == 0 || value != 0).then_some(Cell { signal: signal?, layer, value })
        })
    }

    fn mark(&mut self, fact: &Fact) {
        if fact.hit {
            self.hit.extend(self.cells(fact));
        }
    }

    fn count(&mut self, fact: &Fact) {
        let step = step_of(fact.at, self.settings);
        let cells = self.cells(fact).filter(|cell| cell.layer == 0 || self.hit.contains(cell)).collect::<Vec<_>>();
        let counts = self.counts.entry(step).or_default();
        for cell in cells {
            let count = counts.entry(cell).or_default();
            count.0 += 1;
            count.1 += u32::from(fact.hit);
        }
    }

    fn of(&self, minute: u32) -> Vec<Count> {
        let counts = self.counts.get(&minute).into_iter().flatten();
        counts
            .map(|(cell, (attempts, hits))| Count { cell: *cell, attempts: *attempts, hits: *hits, expected: None })
            .collect()
    }
}
