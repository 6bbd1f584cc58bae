//! The payments of one partition: what their records say, which classes hold, what is kept for the next day.

use rustc_hash::{FxHashMap, FxHashSet};

use super::ahead::ask_for;
use super::batches::{BatchRow, Proposal};
use super::beneficiaries::Beneficiaries;
use super::carry::{CARRIED_FROM, CarriedRow};
use super::classes::{Class, Classes};
use super::classify::{AttemptFacts, Classifier, ClearedFacts, Facts, PaidFacts, Present, ShareFacts};
use super::code::Code;
use super::dates::Day;
use super::job::{Kept, LateMatches, Names};
use super::layout::Source;
use super::matching::{Matching, Unit};
use super::merchants::{Merchants, Terms, Version};
use super::results::Break;
use super::rows::{Attempt, Mark, file_and_offset};
use super::totals::{Flow, Sum, Totals};
use super::workdays::WorkingDays;

/// What all workers share.
pub(crate) struct Court<'a> {
    pub(crate) names: &'a Names<'a>,
    pub(crate) classes: &'a Classes,
    pub(crate) present: Present,
    pub(crate) days: &'a WorkingDays,
    pub(crate) merchants: &'a Merchants,
    /// Batches that the bank gave back.
    pub(crate) returned: &'a FxHashSet<u64>,
    /// Today, when rows are kept for the next day.
    pub(crate) keep_on: Option<Day>,
    /// Today, when rows of earlier days came in.
    pub(crate) today: Option<Day>,
    /// First day of each carried file.
    pub(crate) seen_on: &'a [Day],
}

impl Court<'_> {
    /// Whether the bank line of a batch may still come.
    pub(crate) fn waits(&self, row: &BatchRow) -> bool {
        let patience = self.classes.about(Class::BankMissing).carry_days;
        self.keep_on.is_some_and(|today| self.days.between(self.seen(row, today), today) < patience)
    }

    /// The row as the carry file keeps it.
    pub(crate) fn carried(&self, row: &BatchRow) -> Option<CarriedRow> {
        let (file, offset) = file_and_offset(row.place);
        let seen_on = self.seen(row, self.keep_on?);
        let file = self.names.file(file).to_owned();
        Some(CarriedRow { source: Source::Batch, seen_on, file, offset, numbers: row.to_numbers() })
    }

    fn seen(&self, row: &BatchRow, today: Day) -> Day {
        let file = (row.place >> 48).checked_sub(CARRIED_FROM).and_then(|file| usize::try_from(file).ok());
        file.and_then(|file| self.seen_on.get(file)).copied().unwrap_or(today)
    }
}

/// What one worker found.
#[derive(Default)]
pub(crate) struct Judged {
    pub(crate) totals: Totals,
    pub(crate) kept: Kept,
    pub(crate) late: LateMatches,
    pub(crate) proposals: Vec<Proposal>,
    pub(crate) payments: u64,
    pub(crate) beneficiaries: Beneficiaries,
}

/// Where the rows of a payment go.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Matched,
    Broken,
    Carried,
}

impl Flow {
    fn way(&mut self, way: Way) -> &mut Sum {
        match way {
            Way::Matched => &mut self.matched,
            Way::Broken => &mut self.broken,
            Way::Carried => &mut self.carried,
        }
    }
}

/// Judges the payments of partitions.
pub(crate) struct Judge<'a> {
    court: &'a Court<'a>,
    classifier: Classifier<'a>,
    /// Merchants asked for lately and the version of those with just one: a partition has few merchants.
    known: Vec<(u64, Option<Version>)>,
    /// Merchants to be looked up.
    asked: Vec<u64>,
    pub(crate) judged: Judged,
}

/// How many versions are kept at hand, a power of two: so many more than a partition has merchants that few share a place.
const VERSIONS: usize = 16_384;

/// A payment is judged when the rows of so many after it were asked for.
const AHEAD: usize = 12;

/// Asks for the rows of a payment: each payment would wait for its own.
fn ask_for_rows(rows: &Matching, unit: &Unit) {
    if let Some(row) = rows.terminal.get(unit.terminal as usize) {
        ask_for(row);
        ask_for(&row.place);
    }
    if let Some(row) = rows.cleared.get(unit.cleared as usize) {
        ask_for(row);
        ask_for(&row.place);
    }
    if let Some(row) = rows.paid.get(unit.paid as usize) {
        ask_for(row);
        ask_for(&row.place);
    }
}

/// Not the bits by which partitions are told apart: numbers of merchants often follow those of terminals.
const fn slot(merchant: u64) -> usize {
    (merchant.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32) as usize % VERSIONS
}

impl<'a> Judge<'a> {
    pub(crate) fn new(court: &'a Court<'a>) -> Self {
        let classifier = Classifier::new(court.classes, court.present, court.days);
        Self { court, classifier, known: Vec::new(), asked: Vec::new(), judged: Judged::default() }
    }

    /// Keeps versions at hand: pays where many payments are judged.
    pub(crate) fn remembering(mut self) -> Self {
        self.known = vec![(0, None); VERSIONS];
        self
    }

    /// Puts the breaks of a partition into `found`.
    pub(crate) fn judge(&mut self, rows: &Matching, found: &mut Vec<Break>) {
        self.look_up(rows);
        found.clear();
        let mut alone: Vec<(usize, Class)> = Vec::new();
        for (at, unit) in rows.units.iter().enumerate() {
            if let Some(later) = rows.units.get(at + AHEAD) {
                ask_for_rows(rows, later);
            }
            if unit.gone {
                continue;
            }
            self.judged.payments += 1;
            let facts = self.facts(rows, unit);
            let holding = self.classifier.holding(&facts);
            let Some(class) = self.court.classes.primary(holding) else {
                self.count(rows, unit, Way::Matched);
                self.late(rows, unit);
                continue;
            };
            if self.keep(rows, unit, class) {
                self.count(rows, unit, Way::Carried);
                continue;
            }
            self.count(rows, unit, Way::Broken);
            self.late(rows, unit);
            let effect = self.classifier.effect(class, &facts);
            if holding & Class::PayoutDiverted.bit() != 0 {
                let account = facts.paid.map_or(Code::NONE, |paid| paid.account);
                self.judged.beneficiaries.add(account, Code(merchant_of(rows, unit).0));
            }
            self.judged.totals.count_break(class, holding, effect);
            found.push(self.broken(rows, unit, &facts, class, holding, effect));
            if matches!(class, Class::NetworkOnly | Class::SwitchOnly | Class::TermOnly) {
                alone.push((at, class));
            }
        }
        self.propose(rows, &alone);
    }

    #[inline]
    pub(crate) fn facts(&mut self, rows: &Matching, unit: &Unit) -> Facts {
        let terminal = rows.terminal.get(unit.terminal as usize);
        let switch = rows.switch.get(unit.switch as usize);
        let cleared = rows.cleared.get(unit.cleared as usize);
        let paid = rows.paid.get(unit.paid as usize);
        let shared = rows.shared.get(unit.shared as usize);
        Facts {
            terminal: terminal.map(|row| attempt(row, unit.back_lines[0] > 0)),
            switch: switch.map(|row| attempt(row, unit.back_lines[1] > 0)),
            cleared: cleared.map(|row| ClearedFacts {
                lines: unit.clear_lines,
                amount: row.amount.cast_signed(),
                total: unit.clear_total,
                merchant: Code(row.merchant),
                mcc: row.mcc,
                network_fee: row.network_fee.cast_signed(),
                settled: day(unit.last_settled),
            }),
            paid: paid.map(|row| PaidFacts {
                lines: unit.pay_lines,
                gross: row.gross.cast_signed(),
                fee: row.fee.cast_signed(),
                net: row.net.cast_signed(),
                total: unit.pay_total,
                account: Code(row.account),
                paid_on: day(row.paid_on),
                returned: row.batch != 0 && self.court.returned.contains(&row.batch),
            }),
            shared: shared.map(|_| ShareFacts { share: unit.share_total }),
            merchant: (paid.is_some() || shared.is_some() || cleared.is_some_and(|row| row.mcc != 0))
                .then(|| self.terms(rows, unit))
                .flatten()
                .map(|terms| terms.facts),
            key_twice: unit.key_twice,
            copy: unit.copy,
        }
    }

    fn terms(&mut self, rows: &Matching, unit: &Unit) -> Option<Terms> {
        let (merchant, day) = merchant_of(rows, unit);
        if merchant == 0 {
            return None;
        }
        match self.known.get(slot(merchant)) {
            Some((known, Some(version))) if *known == merchant => version.terms(day),
            _ => self.court.merchants.terms(merchant, day),
        }
    }

    /// Looks up the merchants of a partition all at once: one by one, each would wait for memory.
    fn look_up(&mut self, rows: &Matching) {
        self.asked.clear();
        for merchant in rows.paid.iter().map(|row| row.merchant).filter(|merchant| *merchant != 0) {
            if let Some((known, version)) = self.known.get_mut(slot(merchant))
                && *known != merchant
            {
                (*known, *version) = (merchant, None);
                self.asked.push(merchant);
            }
        }
        for merchant in &self.asked {
            let only = self.court.merchants.only(*merchant);
            if let Some((_, version)) = self.known.get_mut(slot(*merchant)).filter(|(known, _)| known == merchant) {
                *version = only;
            }
        }
    }

    fn broken(
        &mut self,
        rows: &Matching,
        unit: &Unit,
        facts: &Facts,
        class: Class,
        holding: u64,
        effect: i64,
    ) -> Break {
        let terminal = rows.terminal.get(unit.terminal as usize);
        let switch = rows.switch.get(unit.switch as usize);
        let cleared = rows.cleared.get(unit.cleared as usize);
        let paid = rows.paid.get(unit.paid as usize);
        let shared = rows.shared.get(unit.shared as usize);
        let (merchant, _) = merchant_of(rows, unit);
        let terms = self.terms(rows, unit);
        let agent = terms.map_or(Code::NONE, |terms| terms.agent);
        let (name, key) = name_of(rows, unit);
        let place = |place: Option<u64>| place.map(file_and_offset);
        Break {
            class,
            holding,
            terminal: Code(name.0),
            rrn: Code(name.1),
            key,
            merchant: Code(merchant),
            agent: if agent.is_none() { Code(shared.map_or(0, |row| row.agent)) } else { agent },
            account: Code(paid.map_or(0, |row| row.account)),
            account_age: terms.and_then(|terms| terms.account_age),
            account_merchants: 0,
            amounts: [
                facts.terminal.map(|facts| facts.amount),
                facts.switch.map(|facts| facts.amount),
                facts.cleared.map(|facts| facts.amount),
                facts.paid.map(|facts| facts.gross),
                facts.paid.map(|facts| facts.fee),
                facts.paid.map(|facts| facts.net),
            ],
            effect,
            places: [
                place(terminal.map(|row| row.place)),
                place(switch.map(|row| row.place)),
                place(cleared.map(|row| row.place)),
                place(paid.map(|row| row.place)),
            ],
        }
    }

    fn count(&mut self, rows: &Matching, unit: &Unit, way: Way) {
        let totals = &mut self.judged.totals;
        let sides = [(Source::Terminal, unit.terminal, &rows.terminal), (Source::Switch, unit.switch, &rows.switch)];
        for (side, (source, row, all)) in sides.into_iter().enumerate() {
            let sum = totals.flow_mut(source).way(way);
            if let Some(row) = all.get(row as usize) {
                sum.add(1, row.amount.cast_signed());
            }
            if unit.back_lines[side] > 0 {
                sum.add(u64::from(unit.back_lines[side]), unit.back_total[side]);
            }
        }
        totals.flow_mut(Source::Clearing).way(way).add(u64::from(unit.clear_lines), unit.clear_total);
        totals.flow_mut(Source::Payout).way(way).add(u64::from(unit.pay_lines), unit.pay_total);
        totals.flow_mut(Source::Share).way(way).add(u64::from(unit.share_lines), unit.share_total);
    }

    /// Rows by source and place; only the first of several.
    pub(crate) fn places(rows: &Matching, unit: &Unit) -> impl Iterator<Item = u64> {
        [
            rows.terminal.get(unit.terminal as usize).map(|row| row.place),
            rows.switch.get(unit.switch as usize).map(|row| row.place),
            rows.cleared.get(unit.cleared as usize).map(|row| row.place),
            rows.paid.get(unit.paid as usize).map(|row| row.place),
        ]
        .into_iter()
        .flatten()
    }

    /// First day on which a row of the payment was seen in an earlier run.
    fn first_seen(&self, rows: &Matching, unit: &Unit) -> Option<Day> {
        Self::places(rows, unit)
            .filter_map(|place| (place >> 48).checked_sub(CARRIED_FROM))
            .filter_map(|file| self.court.seen_on.get(usize::try_from(file).ok()?).copied())
            .min()
    }

    /// Counts a payment whose missing partner came at last.
    fn late(&mut self, rows: &Matching, unit: &Unit) {
        let Some(today) = self.court.today.filter(|_| !self.court.seen_on.is_empty()) else { return };
        let Some(seen) = self.first_seen(rows, unit) else { return };
        if Self::places(rows, unit).any(|place| place >> 48 < CARRIED_FROM) {
            *self.judged.late.entry(self.court.days.between(seen, today)).or_default() += 1;
        }
    }

    /// Keeps the rows of a payment whose partner may still come.
    fn keep(&mut self, rows: &Matching, unit: &Unit, class: Class) -> bool {
        let Some(today) = self.court.keep_on else { return false };
        let patience = self.court.classes.about(class).carry_days;
        let single = unit.clear_lines <= 1 && unit.pay_lines <= 1 && unit.share_lines == 0 && unit.back_lines == [0; 2];
        let seen = self.first_seen(rows, unit).unwrap_or(today);
        if patience == 0 || !single || self.court.days.between(seen, today) >= patience {
            return false;
        }
        let mut put = |source: Source, numbers: &[u64]| {
            let Some((place, numbers)) = numbers.split_last() else { return };
            let (file, offset) = file_and_offset(*place);
            let file = self.court.names.file(file).to_owned();
            self.judged.kept.push(CarriedRow { source, seen_on: seen, file, offset, numbers: numbers.to_vec() });
        };
        if let Some(row) = rows.terminal.get(unit.terminal as usize) {
            put(Source::Terminal, &row.to_numbers());
        }
        if let Some(row) = rows.switch.get(unit.switch as usize) {
            put(Source::Switch, &row.to_numbers());
        }
        if let Some(row) = rows.cleared.get(unit.cleared as usize) {
            put(Source::Clearing, &row.to_numbers());
        }
        if let Some(row) = rows.paid.get(unit.paid as usize) {
            put(Source::Payout, &row.to_numbers());
        }
        true
    }

    /// A clearing line and a row of ours that stand alone, on one terminal with one amount and card: for a person.
    fn propose(&mut self, rows: &Matching, alone: &[(usize, Class)]) {
        let mut pairs: FxHashMap<(u64, u64, u64), [Vec<u64>; 2]> = FxHashMap::default();
        for (at, class) in alone {
            let Some(unit) = rows.units.get(*at) else { continue };
            let ours = rows.switch.get(unit.switch as usize).or(rows.terminal.get(unit.terminal as usize));
            let (name, side, place) = match (class, rows.cleared.get(unit.cleared as usize), ours) {
                (Class::NetworkOnly, Some(row), _) => ((row.terminal, row.amount, row.pan), 0, row.place),
                (_, _, Some(row)) => ((row.terminal, row.amount, row.pan), 1, row.place),
                _ => continue,
            };
            if name.0 != 0 && name.2 != 0 {
                pairs.entry(name).or_default()[side].push(place);
            }
        }
        for ((_, amount, _), sides) in pairs {
            if let [[network], [ours]] = [&sides[0][..], &sides[1][..]] {
                self.judged.proposals.push(Proposal {
                    reason: "same terminal, card and amount, other reference",
                    amount: amount.cast_signed(),
                    places: vec![file_and_offset(*ours), file_and_offset(*network)],
                });
            }
        }
    }
}

#[inline]
fn attempt(row: &Attempt, taken_back: bool) -> AttemptFacts {
    let mark = Mark(row.mark);
    AttemptFacts {
        amount: row.amount.cast_signed(),
        approved: mark.approved(),
        reversed: mark.reversed() || mark.takes_back() || taken_back,
        pan: row.pan,
        merchant: Code(row.merchant),
        time: row.time.cast_signed(),
        settled: day(row.settled),
    }
}

fn day(days: u64) -> Day {
    Day::try_from(days).unwrap_or(0)
}

/// Terminal and reference of a payment, with its batch and trace.
pub(crate) fn name_of(rows: &Matching, unit: &Unit) -> ((u64, u64), Option<(u64, u64)>) {
    let terminal = rows.terminal.get(unit.terminal as usize);
    let switch = rows.switch.get(unit.switch as usize);
    let name = switch
        .filter(|row| row.rrn != 0)
        .or(terminal.filter(|row| row.rrn != 0))
        .map(|row| (row.terminal, row.rrn))
        .or(rows.cleared.get(unit.cleared as usize).map(|row| (row.terminal, row.rrn)))
        .or(rows.paid.get(unit.paid as usize).map(|row| (row.terminal, row.rrn)))
        .or(rows.shared.get(unit.shared as usize).map(|row| (row.terminal, row.rrn)))
        .or(switch.or(terminal).map(|row| (row.terminal, row.rrn)))
        .unwrap_or_default();
    let key = switch.or(terminal).map_or(0, |row| row.key);
    (name, key.checked_sub(1).map(|key| (key >> 20, key & 0xF_FFFF)))
}

/// Merchant and day of payment (0 when unknown) by which the master is asked.
#[inline]
fn merchant_of(rows: &Matching, unit: &Unit) -> (u64, Day) {
    let paid = rows.paid.get(unit.paid as usize);
    let cleared = rows.cleared.get(unit.cleared as usize);
    let own = [
        rows.switch.get(unit.switch as usize).map(|row| row.merchant),
        rows.terminal.get(unit.terminal as usize).map(|row| row.merchant),
        cleared.map(|row| row.merchant),
        paid.map(|row| row.merchant),
    ];
    let merchant = own.into_iter().flatten().find(|merchant| *merchant != 0).unwrap_or(0);
    let on = paid.map_or(0, |row| row.paid_on);
    let on = if on == 0 { cleared.map_or(0, |row| row.settled) } else { on };
    (merchant, day(on))
}
