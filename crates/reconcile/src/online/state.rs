//! Payments in mind: which records came, what is awaited, which breaks are called, in memory bounded by their deadlines.

use std::collections::{BTreeMap, BTreeSet};

use rustc_hash::{FxHashMap, FxHashSet};

use super::awaited::{Awaited, Known, Outlook, Reversal, day_of};
use super::record::{Observation, Record, Terms};
use super::rules::{DAY_SECONDS, ExpectationRules, Second};
use crate::files::one::{Bench, OnePayment};
use crate::files::{Class, Classes, Code, Present, RowKind, Texts, WorkingDays};

/// A break that is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Finding {
    /// Terminal.
    pub terminal: Code,
    /// Reference, or none.
    pub rrn: Code,
    /// Batch and trace, when known.
    pub key: Option<(u64, u64)>,
    /// Primary class.
    pub class: Class,
    /// All classes that hold, as bits.
    pub holding: u64,
    /// Money effect of the primary class.
    pub effect: i64,
}

/// What one observation, or the passing of time, changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// Something must follow.
    Awaits(Awaited),
    /// It came; `late`: seconds after its deadline, and working days among them.
    Came {
        /// What came.
        awaited: Awaited,
        /// Age of a late match; none when it was in time.
        late: Option<(Second, u32)>,
    },
    /// It need not come any more.
    Dropped(Awaited),
    /// Its deadline passed.
    Overdue(Awaited),
    /// A break is called, or its classes changed.
    Broken(Finding),
    /// A break is taken back.
    Mended(Finding),
}

/// What is in mind at a time. The rules, classes and texts belong to it but are not in it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Snapshot {
    /// When.
    pub now: Second,
    /// The records of the payments in mind, in order of place.
    pub observations: Vec<Observation>,
}

/// What records of one payment have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Name {
    Key(Code, (u64, u64)),
    Reference(Code, Code),
}

/// One payment of a group.
#[derive(Debug, Clone)]
struct Payment {
    one: OnePayment,
    known: Known,
    awaited: Vec<Awaited>,
    called: Option<Finding>,
}

/// Records that share names; nearly always one payment.
#[derive(Debug, Default)]
struct Group {
    rows: Vec<Observation>,
    payments: Vec<Payment>,
    /// When it was last looked at.
    looked_at: Option<Second>,
    wakes_at: Option<Second>,
    forgotten_at: Second,
}

#[derive(Debug, Default)]
struct Batch {
    shown: bool,
    returned: bool,
    /// Payments paid in it.
    groups: BTreeSet<u64>,
    /// The line of the bank statement.
    line: Option<Observation>,
}

/// Payments with what they await.
pub struct Expectations<'a> {
    outlook: Outlook<'a>,
    bench: Bench<'a>,
    now: Second,
    next: u64,
    groups: FxHashMap<u64, Group>,
    names: FxHashMap<Name, u64>,
    batches: BTreeMap<Code, Batch>,
    /// Batches that came back, as the matching of files wants them.
    returned: FxHashSet<u64>,
    wakes: BTreeSet<(Second, u64)>,
}

impl<'a> Expectations<'a> {
    /// Nothing in mind. `present`: which kinds of records come in at all.
    #[must_use]
    pub fn new(
        rules: &'a ExpectationRules,
        classes: &'a Classes,
        texts: &'a Texts,
        days: &'a WorkingDays,
        present: Present,
    ) -> Self {
        Self {
            outlook: Outlook::new(rules, classes, present, days),
            bench: Bench::new(texts, classes, present, days),
            now: Second::MIN,
            next: 0,
            groups: FxHashMap::default(),
            names: FxHashMap::default(),
            batches: BTreeMap::new(),
            returned: FxHashSet::default(),
            wakes: BTreeSet::new(),
        }
    }

    /// Adds a version of a merchant's terms; payments seen later are measured by it.
    pub fn put_terms(&mut self, terms: &Terms) {
        self.bench.put_terms(terms.merchant, terms.from, terms.to, terms.facts);
    }

    /// Takes a record. Time goes on to when it came, but deadlines pass only in [`Self::advance`].
    pub fn observe(&mut self, observation: Observation) -> Vec<Change> {
        self.now = self.now.max(observation.at);
        let mut changes = Vec::new();
        if matches!(observation.record, Record::Journal(line) | Record::Switch(line) if line.kind == RowKind::Skip) {
            return changes;
        }
        if let Record::Bank { batch, returned } = observation.record {
            self.bank(observation, batch, returned, &mut changes);
            return changes;
        }
        let group = self.join(observation);
        self.look(group, self.now, &mut changes);
        changes
    }

    /// Lets time pass: what became due is overdue, classes that became certain are called.
    pub fn advance(&mut self, now: Second) -> Vec<Change> {
        let mut changes = Vec::new();
        while let Some((at, group)) = self.wakes.first().copied().filter(|(at, _)| *at <= now) {
            self.wakes.remove(&(at, group));
            if self.groups.get(&group).is_some_and(|known| known.forgotten_at <= at) {
                self.forget(group);
            } else {
                self.look(group, at.max(self.now), &mut changes);
            }
        }
        if now.div_euclid(DAY_SECONDS) > self.now.div_euclid(DAY_SECONDS) {
            self.forget_batches(now);
        }
        self.now = self.now.max(now);
        changes
    }

    /// Lines of bank statements about batches of which no payment came are not kept for ever.
    fn forget_batches(&mut self, now: Second) {
        let (days, keep) = (self.outlook.days(), self.outlook.rules().keep_working_days);
        let returned = &mut self.returned;
        self.batches.retain(|code, batch| {
            let since = batch.line.map_or(now, |line| line.at);
            let kept = !batch.groups.is_empty() || days.between(day_of(since), day_of(now)) <= keep;
            if !kept {
                returned.remove(&code.0);
            }
            kept
        });
    }

    /// What must still come, or should have come: overdue when `due` has passed.
    pub fn awaited(&self) -> impl Iterator<Item = Awaited> + '_ {
        self.groups.values().flat_map(|group| &group.payments).flat_map(|payment| payment.awaited.iter().copied())
    }

    /// The breaks that are called, by terminal, reference and key.
    #[must_use]
    pub fn breaks(&self) -> Vec<Finding> {
        let payments = self.groups.values().flat_map(|group| &group.payments);
        let mut found: Vec<Finding> = payments.filter_map(|payment| payment.called).collect();
        found.sort_by_key(|found| (found.terminal, found.rrn, found.key, found.holding));
        found
    }

    /// Payments in mind.
    #[must_use]
    pub fn len(&self) -> usize {
        self.groups.values().map(|group| group.payments.len()).sum()
    }

    /// Whether no payment is in mind.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.groups.is_empty()
    }

    /// Everything in mind, as plain data.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        let rows = self.groups.values().flat_map(|group| group.rows.iter().copied());
        let lines = self.batches.values().filter_map(|batch| batch.line);
        let mut observations: Vec<Observation> = rows.chain(lines).collect();
        observations.sort_by_key(|row| (row.place, row.at));
        Snapshot { now: self.now, observations }
    }

    /// Takes a snapshot up again, made under the same rules, classes and texts; terms are put before.
    pub fn restore(&mut self, snapshot: &Snapshot) {
        for observation in &snapshot.observations {
            if let Record::Bank { batch, returned } = observation.record {
                self.bank(*observation, batch, returned, &mut Vec::new());
            } else {
                self.join(*observation);
            }
        }
        self.now = snapshot.now;
        let groups: Vec<u64> = self.groups.keys().copied().collect();
        for group in groups {
            self.look(group, self.now, &mut Vec::new());
        }
    }

    /// Puts a record with the others of its payment; what it connects becomes one group.
    fn join(&mut self, observation: Observation) -> u64 {
        let names = names_of(&observation);
        let known: BTreeSet<u64> = names.iter().filter_map(|name| self.names.get(name).copied()).collect();
        let group = known.first().copied().unwrap_or_else(|| {
            self.next += 1;
            self.next
        });
        let mut joined = self.groups.remove(&group).unwrap_or_default();
        for other in known.iter().skip(1) {
            let Some(mut more) = self.groups.remove(other) else { continue };
            if let Some(at) = more.wakes_at {
                self.wakes.remove(&(at, *other));
            }
            joined.looked_at = joined.looked_at.max(more.looked_at);
            for name in more.rows.iter().flat_map(names_of) {
                self.names.insert(name, group);
            }
            for batch in more.payments.iter().map(|payment| payment.one.batch) {
                if let Some(batch) = self.batches.get_mut(&batch) {
                    batch.groups.remove(other);
                    batch.groups.insert(group);
                }
            }
            joined.rows.append(&mut more.rows);
            joined.payments.append(&mut more.payments);
        }
        for name in names {
            self.names.insert(name, group);
        }
        joined.rows.push(observation);
        joined.rows.sort_by_key(|row| row.place);
        self.groups.insert(group, joined);
        group
    }

    fn bank(&mut self, line: Observation, code: Code, returned: bool, changes: &mut Vec<Change>) {
        let batch = self.batches.entry(code).or_default();
        batch.shown = true;
        batch.returned |= returned;
        if batch.line.is_none_or(|known| returned || line.place < known.place) {
            batch.line = Some(line);
        }
        if batch.returned {
            self.returned.insert(code.0);
        }
        for group in batch.groups.clone() {
            self.look(group, self.now, changes);
        }
    }

    /// Matches and classifies a group anew and says what changed.
    fn look(&mut self, number: u64, now: Second, changes: &mut Vec<Change>) {
        let Some(mut group) = self.groups.remove(&number) else { return };
        let before = std::mem::take(&mut group.payments);
        let ones = self.bench.payments(&group.rows, &self.returned);
        for one in ones {
            if !one.batch.is_none() {
                self.batches.entry(one.batch).or_default().groups.insert(number);
            }
            let known = self.known(&one, &group.rows);
            group.payments.push(Payment {
                awaited: self.outlook.awaited(&known),
                called: self.called(&one, &known, now),
                one,
                known,
            });
        }
        let times = (group.looked_at, now);
        compare(&before, &group.payments, times, self.outlook.days(), changes);
        group.looked_at = Some(now);
        self.wake(number, &mut group, now);
        self.groups.insert(number, group);
    }

    fn called(&self, one: &OnePayment, known: &Known, now: Second) -> Option<Finding> {
        let holding = self.outlook.certain(known, now);
        let class = self.outlook.primary(holding)?;
        let effect = self.outlook.effect(class, known);
        Some(Finding { terminal: one.terminal, rrn: one.rrn, key: one.key, class, holding, effect })
    }

    /// What is known about a payment of a group.
    fn known(&self, one: &OnePayment, rows: &[Observation]) -> Known {
        let mut known = Known {
            facts: one.facts,
            first_at: rows.iter().map(|row| row.at).min().unwrap_or(self.now),
            in_batch: !one.batch.is_none(),
            at_bank: self.batches.get(&one.batch).is_some_and(|batch| batch.shown),
            ..Known::default()
        };
        let mine = |terminal: Code, key| (terminal, Some(key)) == (one.terminal, one.key);
        let earliest = |known: Option<Second>, at: Second| Some(known.map_or(at, |known| known.min(at)));
        let (mut sent, mut answered) = (None, false);
        for row in rows {
            match row.record {
                Record::TimedOut(terminal, key) if mine(terminal, key) => {
                    known.timed_out_at = earliest(known.timed_out_at, row.at);
                }
                Record::ReversalSent(terminal, key) if mine(terminal, key) => sent = earliest(sent, row.at),
                Record::ReversalAnswered(terminal, key) if mine(terminal, key) => {
                    // An answer proves that the reversal was sent, even if that record was lost.
                    sent = earliest(sent, row.at);
                    answered = true;
                }
                _ => {}
            }
        }
        known.reversal = sent.map(|at| Reversal { at, acknowledged: answered });
        known
    }

    /// Sees to it that the group is looked at when something about it is decided next, and forgotten in the end.
    fn wake(&mut self, number: u64, group: &mut Group, now: Second) {
        if let Some(at) = group.wakes_at.take() {
            self.wakes.remove(&(at, number));
        }
        let last = group.payments.iter().filter_map(|payment| self.outlook.last_deadline(&payment.known)).max();
        let last = last.unwrap_or(now);
        let kept = self.outlook.days().after(day_of(last), self.outlook.rules().keep_working_days);
        // At least a second: what comes later than it is kept in mind must still be seen once.
        group.forgotten_at =
            Second::from(kept).saturating_add(1).saturating_mul(DAY_SECONDS).max(now.saturating_add(1));
        let next = group.payments.iter().filter_map(|payment| self.outlook.next_after(&payment.known, now)).min();
        let at = next.unwrap_or(group.forgotten_at).min(group.forgotten_at);
        group.wakes_at = Some(at);
        self.wakes.insert((at, number));
    }

    fn forget(&mut self, number: u64) {
        let Some(group) = self.groups.remove(&number) else { return };
        for name in group.rows.iter().flat_map(names_of) {
            self.names.remove(&name);
        }
        for code in group.payments.iter().map(|payment| payment.one.batch) {
            let Some(batch) = self.batches.get_mut(&code) else { continue };
            batch.groups.remove(&number);
            if batch.groups.is_empty() {
                self.batches.remove(&code);
                self.returned.remove(&code.0);
            }
        }
    }
}

fn names_of(observation: &Observation) -> Vec<Name> {
    let reference =
        |terminal: Code, rrn: Code| (!terminal.is_none() && !rrn.is_none()).then_some(Name::Reference(terminal, rrn));
    match observation.record {
        Record::Journal(line) | Record::Switch(line) => {
            let key = line.key.map(|key| Name::Key(line.terminal, key));
            key.into_iter().chain(reference(line.terminal, line.rrn)).collect()
        }
        Record::Clearing(line) => reference(line.terminal, line.rrn).into_iter().collect(),
        Record::Payout(line) => reference(line.terminal, line.rrn).into_iter().collect(),
        Record::Share(line) => reference(line.terminal, line.rrn).into_iter().collect(),
        Record::TimedOut(terminal, key)
        | Record::ReversalSent(terminal, key)
        | Record::ReversalAnswered(terminal, key) => vec![Name::Key(terminal, key)],
        Record::Bank { .. } => Vec::new(),
    }
}

/// Says what changed between two looks at a group; `(before, now)` are their times.
fn compare(
    old: &[Payment],
    new: &[Payment],
    (before, now): (Option<Second>, Second),
    days: &WorkingDays,
    changes: &mut Vec<Change>,
) {
    let same = |one: &Awaited, other: &Awaited| (one.leg, one.due) == (other.leg, other.due);
    let waiting = |payments: &[Payment]| -> Vec<Awaited> {
        payments.iter().flat_map(|payment| payment.awaited.iter().copied()).collect()
    };
    let (was, is) = (waiting(old), waiting(new));
    for awaited in &was {
        if is.iter().any(|other| same(awaited, other)) {
            continue;
        }
        let came = new.iter().any(|payment| payment.known.has(awaited.leg));
        let moved = is.iter().any(|other| other.leg == awaited.leg);
        changes.push(match (came, moved) {
            (true, false) => Change::Came { awaited: *awaited, late: lateness(awaited.due, now, days) },
            _ => Change::Dropped(*awaited),
        });
    }
    for awaited in &is {
        let known = was.iter().any(|other| same(awaited, other));
        if !known {
            changes.push(Change::Awaits(*awaited));
        }
        if awaited.due <= now && (!known || before.is_none_or(|before| awaited.due > before)) {
            changes.push(Change::Overdue(*awaited));
        }
    }
    let called =
        |payments: &[Payment]| -> Vec<Finding> { payments.iter().filter_map(|payment| payment.called).collect() };
    let (was, is) = (called(old), called(new));
    let name = |found: &Finding| (found.terminal, found.rrn, found.key);
    let mended = was.iter().filter(|found| !is.iter().any(|other| name(other) == name(found)));
    changes.extend(mended.map(|found| Change::Mended(*found)));
    changes.extend(is.iter().filter(|found| !was.contains(found)).map(|found| Change::Broken(*found)));
}

fn lateness(due: Second, now: Second, days: &WorkingDays) -> Option<(Second, u32)> {
    // 24:00 belongs to the day that it ends.
    let day = day_of(due.saturating_sub(1));
    (now > due).then(|| (now.saturating_sub(due), days.between(day, day_of(now))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::{AttemptFacts, Day, WorkingDays};
    use crate::online::{AttemptLine, ClearingLine, Leg, PayoutLine};

    /// 2026-03-13, a Friday, ten in the morning.
    const DAY: Day = 20_525;
    const AT: Second = 20_525 * DAY_SECONDS + 36_000;
    const HOUR: Second = 3_600;
    const KEY: (u64, u64) = (1, 7);

    struct World {
        rules: ExpectationRules,
        classes: Classes,
        texts: Texts,
        days: WorkingDays,
    }

    impl World {
        fn new() -> Self {
            Self {
                rules: ExpectationRules::builtin().unwrap(),
                classes: Classes::builtin().unwrap(),
                texts: Texts::default(),
                days: WorkingDays::default(),
            }
        }

        fn start(&self) -> Expectations<'_> {
            let present = Present { terminal: true, switch: true, clearing: true, payout: true };
            Expectations::new(&self.rules, &self.classes, &self.texts, &self.days, present)
        }

        fn code(&self, text: &str) -> Code {
            self.texts.code(text.as_bytes())
        }

        fn attempt(&self, approved: bool) -> AttemptLine {
            let facts = AttemptFacts { amount: 500, approved, time: AT, settled: DAY, ..AttemptFacts::default() };
            let (terminal, rrn) = (self.code("10000001"), self.code("607111000001"));
            AttemptLine { terminal, key: Some(KEY), rrn, kind: RowKind::Sale, facts }
        }

        fn clearing(&self) -> Record {
            let line = self.attempt(true);
            Record::Clearing(ClearingLine {
                terminal: line.terminal,
                rrn: line.rrn,
                amount: 500,
                settled: DAY,
                ..ClearingLine::default()
            })
        }

        fn payout(&self, batch: &str) -> Record {
            let line = self.attempt(true);
            Record::Payout(PayoutLine {
                terminal: line.terminal,
                rrn: line.rrn,
                gross: 500,
                net: 500,
                paid_on: DAY + 3,
                batch: self.code(batch),
                ..PayoutLine::default()
            })
        }
    }

    fn seen(at: Second, place: u64, record: Record) -> Observation {
        Observation { at, place: (0, place), record }
    }

    /// Changes in words.
    fn words(changes: &[Change]) -> Vec<String> {
        let word = |change: &Change| match change {
            Change::Awaits(awaited) => format!("awaits {}", awaited.leg.as_str()),
            Change::Came { awaited, late: None } => format!("came {}", awaited.leg.as_str()),
            Change::Came { awaited, late: Some((seconds, days)) } => {
                format!("came {} {} h, {days} working days late", awaited.leg.as_str(), seconds / HOUR)
            }
            Change::Dropped(awaited) => format!("dropped {}", awaited.leg.as_str()),
            Change::Overdue(awaited) => format!("overdue {}", awaited.leg.as_str()),
            Change::Broken(found) => format!("broken {}", found.class.code()),
            Change::Mended(found) => format!("mended {}", found.class.code()),
        };
        changes.iter().map(word).collect()
    }

    #[test]
    fn a_payment_in_order_leaves_nothing() {
        let world = World::new();
        let mut state = world.start();
        let line = world.attempt(true);
        let steps = [
            (AT, Record::Journal(line), &["awaits switch"][..]),
            (AT + 1, Record::Switch(line), &["came switch", "awaits clearing"]),
            (AT + 20 * HOUR, world.clearing(), &["came clearing", "awaits payout"]),
            (AT + 80 * HOUR, world.payout("PB1"), &["came payout", "awaits bank"]),
            (AT + 90 * HOUR, Record::Bank { batch: world.code("PB1"), returned: false }, &["came bank"]),
        ];
        for (place, (at, record, expected)) in (0..).zip(steps) {
            assert_eq!(words(&state.advance(at)), [""; 0]);
            assert_eq!(words(&state.observe(seen(at, place, record))), expected);
            let line = state.awaited().count();
            assert_eq!(line, usize::from(place < 4));
        }
        assert_eq!((state.breaks(), state.len()), (vec![], 1));
        state.advance(AT + 60 * 24 * HOUR);
        assert!(state.is_empty() && state.names.is_empty() && state.batches.is_empty() && state.wakes.is_empty());
    }

    #[test]
    fn what_is_missing_breaks_at_its_deadline_and_mends_when_it_comes_late() {
        let world = World::new();
        let mut state = world.start();
        let line = world.attempt(true);
        state.observe(seen(AT, 0, Record::Journal(line)));
        state.observe(seen(AT, 1, Record::Switch(line)));
        // Clearing is due on Monday at noon, a payout could come until its end.
        let monday = Second::from(DAY + 3) * DAY_SECONDS;
        assert_eq!(words(&state.advance(monday + 12 * HOUR - 1)), [""; 0]);
        assert_eq!(words(&state.advance(monday + 12 * HOUR)), ["overdue clearing"]);
        assert_eq!(words(&state.advance(monday + 24 * HOUR - 1)), [""; 0]);
        assert_eq!(words(&state.advance(monday + 24 * HOUR)), ["broken SWITCH_ONLY"]);
        assert_eq!(words(&state.advance(monday + 30 * HOUR)), [""; 0], "once");
        let late = state.observe(seen(monday + 36 * HOUR, 2, world.clearing()));
        // Its payout was due the working day after the settlement day, whenever clearing came.
        assert_eq!(
            words(&late),
            ["came clearing 24 h, 1 working days late", "awaits payout", "overdue payout", "broken PAYOUT_MISSING"]
        );
        let paid = state.observe(seen(monday + 60 * HOUR, 3, world.payout("")));
        assert_eq!(words(&paid), ["came payout 36 h, 2 working days late", "mended PAYOUT_MISSING"]);
    }

    #[test]
    fn a_time_out_is_reversed_and_answered() {
        let world = World::new();
        let mut state = world.start();
        let (line, terminal) = (world.attempt(false), world.code("10000001"));
        state.observe(seen(AT, 0, Record::Journal(line)));
        let waited = state.observe(seen(AT + 60, 1, Record::TimedOut(terminal, KEY)));
        assert_eq!(words(&waited), ["awaits reversal"]);
        assert_eq!(words(&state.advance(AT + 400)), ["overdue reversal"]);
        let sent = state.observe(seen(AT + 60 + 300 + HOUR, 2, Record::ReversalSent(terminal, KEY)));
        assert_eq!(words(&sent), ["came reversal 1 h, 0 working days late", "awaits acknowledgement"]);
        let answered = state.observe(seen(AT + 60 + 305 + HOUR, 3, Record::ReversalAnswered(terminal, KEY)));
        assert_eq!(words(&answered), ["came acknowledgement"]);
        assert_eq!(state.awaited().filter(|awaited| awaited.leg != Leg::Bank).count(), 0);
    }

    #[test]
    fn a_batch_that_comes_back_breaks_its_payments() {
        let world = World::new();
        let batch = world.code("PB9");
        for bank_first in [false, true] {
            let mut state = world.start();
            let line = world.attempt(true);
            let bank = seen(AT + 80 * HOUR, 9, Record::Bank { batch, returned: true });
            let mut rows = vec![
                seen(AT, 0, Record::Journal(line)),
                seen(AT, 1, Record::Switch(line)),
                seen(AT, 2, world.clearing()),
                seen(AT, 3, world.payout("PB9")),
            ];
            rows.insert(if bank_first { 0 } else { 4 }, bank);
            for row in rows {
                state.observe(row);
            }
            let classes: Vec<_> = state.breaks().iter().map(|found| found.class).collect();
            assert_eq!(classes, [Class::PayoutReturned], "bank first: {bank_first}");
            let mut again = world.start();
            again.restore(&state.snapshot());
            assert_eq!((again.breaks(), again.snapshot()), (state.breaks(), state.snapshot()));
        }
    }
}
