//! One payment: what is awaited, until when what is absent may still come, and which classes are certain.

use super::rules::{Condition, DAY_SECONDS, ExpectationRules, Leg, Second};
use crate::files::{
    AttemptFacts, Class, Classes, Classifier, ClearedFacts, Day, Facts, PaidFacts, Present, WorkingDays,
};

/// A reversal of the payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Reversal {
    /// When it was sent.
    pub at: Second,
    /// It was answered.
    pub acknowledged: bool,
}

/// What is known about a payment, with what the four records alone do not say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Known {
    /// What its records say.
    pub facts: Facts,
    /// When its first record came.
    pub first_at: Second,
    /// When the terminal gave up waiting for a reply.
    pub timed_out_at: Option<Second>,
    /// Its reversal.
    pub reversal: Option<Reversal>,
    /// The payout names a batch that a bank statement should show.
    pub in_batch: bool,
    /// The bank statement shows that batch.
    pub at_bank: bool,
}

impl Known {
    /// Whether a leg is there.
    #[must_use]
    pub const fn has(&self, leg: Leg) -> bool {
        match leg {
            Leg::Journal => self.facts.terminal.is_some(),
            Leg::Switch => self.facts.switch.is_some(),
            Leg::Clearing => self.facts.cleared.is_some(),
            Leg::Payout => self.facts.paid.is_some(),
            Leg::Share => self.facts.shared.is_some(),
            Leg::TimeOut => self.timed_out_at.is_some(),
            Leg::Reversal => self.reversal.is_some(),
            Leg::Acknowledgement => matches!(&self.reversal, Some(reversal) if reversal.acknowledged),
            Leg::Bank => self.at_bank,
        }
    }

    /// Time and day of a leg from which others are counted.
    fn from(&self, leg: Leg) -> Option<(Second, Day)> {
        let attempt = |facts: AttemptFacts| {
            let at = if facts.time == 0 { self.first_at } else { facts.time };
            (at, if facts.settled == 0 { day_of(at) } else { facts.settled })
        };
        let dated = |day: Day| match day {
            0 => (self.first_at, day_of(self.first_at)),
            day => (Second::from(day).saturating_mul(DAY_SECONDS), day),
        };
        let timed = |at: Second| (at, day_of(at));
        match leg {
            Leg::Journal => self.facts.terminal.map(attempt),
            Leg::Switch => self.facts.switch.map(attempt),
            Leg::Clearing => self.facts.cleared.map(|line| dated(line.settled)),
            Leg::Payout => self.facts.paid.map(|line| dated(line.paid_on)),
            Leg::Share => self.facts.shared.map(|_| timed(self.first_at)),
            Leg::TimeOut => self.timed_out_at.map(timed),
            Leg::Reversal => self.reversal.map(|reversal| timed(reversal.at)),
            Leg::Acknowledgement | Leg::Bank => None,
        }
    }

    /// The money should move: the switch says so, else the terminal, else whoever moved it.
    fn succeeded(&self) -> bool {
        self.facts.switch.or(self.facts.terminal).is_none_or(|attempt| attempt.approved && !attempt.reversed)
    }
}

/// Something that must still come, or should have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Awaited {
    /// What.
    pub leg: Leg,
    /// By which rule: its place in [`ExpectationRules::rules`].
    pub rule: usize,
    /// When the record came that it follows, by that record.
    pub since: Second,
    /// By when.
    pub due: Second,
}

/// Looks at payments by the rules, and classifies by the classifier of whole files.
pub struct Outlook<'a> {
    rules: &'a ExpectationRules,
    classes: &'a Classes,
    present: Present,
    days: &'a WorkingDays,
    classifier: Classifier<'a>,
}

/// The legs that the four records are.
const FOUR: [Leg; 4] = [Leg::Journal, Leg::Switch, Leg::Clearing, Leg::Payout];

impl<'a> Outlook<'a> {
    /// By these rules and classes, where these kinds of records come in at all.
    #[must_use]
    pub const fn new(
        rules: &'a ExpectationRules,
        classes: &'a Classes,
        present: Present,
        days: &'a WorkingDays,
    ) -> Self {
        Self { rules, classes, present, days, classifier: Classifier::new(classes, present, days) }
    }

    /// The rules.
    #[must_use]
    pub const fn rules(&self) -> &'a ExpectationRules {
        self.rules
    }

    /// Working days.
    #[must_use]
    pub const fn days(&self) -> &'a WorkingDays {
        self.days
    }

    const fn comes_in(&self, leg: Leg) -> bool {
        match leg {
            Leg::Journal => self.present.terminal,
            Leg::Switch => self.present.switch,
            Leg::Clearing => self.present.clearing,
            Leg::Payout => self.present.payout,
            _ => true,
        }
    }

    /// The rule that decides about a leg, whether it is there or not.
    fn deadline(&self, known: &Known, leg: Leg) -> Option<Awaited> {
        self.rules.rules.iter().enumerate().filter(|(_, rule)| rule.awaits == leg).find_map(|(number, rule)| {
            let (since, day) = known.from(rule.after)?;
            Some(Awaited { leg, rule: number, since, due: rule.due.at(since, day, self.days) })
        })
    }

    /// What must still come, or should have, in the order of [`Leg`].
    #[must_use]
    pub fn awaited(&self, known: &Known) -> Vec<Awaited> {
        let wanted = |found: &Awaited| match self.rules.rules.get(found.rule).map(|rule| rule.condition) {
            Some(Condition::Approved) => known.succeeded(),
            Some(Condition::Any) => true,
            Some(Condition::Never) | None => false,
        };
        Leg::ALL
            .into_iter()
            .filter(|leg| !known.has(*leg) && self.comes_in(*leg) && (*leg != Leg::Bank || known.in_batch))
            .filter_map(|leg| self.deadline(known, leg))
            .filter(wanted)
            .collect()
    }

    /// Until when an absent record may still come; none when it is there or never comes.
    #[must_use]
    pub fn closes(&self, known: &Known, leg: Leg) -> Option<Second> {
        if known.has(leg) || !self.comes_in(leg) {
            return None;
        }
        self.deadline(known, leg).map(|found| found.due)
    }

    /// When something about this payment is decided next.
    #[must_use]
    pub fn next_after(&self, known: &Known, now: Second) -> Option<Second> {
        Leg::ALL.into_iter().filter_map(|leg| self.closes(known, leg)).filter(|due| *due > now).min()
    }

    /// The last deadline of this payment, of records that are there as well.
    #[must_use]
    pub fn last_deadline(&self, known: &Known) -> Option<Second> {
        Leg::ALL.into_iter().filter_map(|leg| self.deadline(known, leg)).map(|found| found.due).max()
    }

    /// The classes that would hold if nothing more came.
    #[must_use]
    pub fn holding(&self, known: &Known) -> u64 {
        self.classifier.holding(&known.facts)
    }

    /// The classes that hold already: whatever may still come by its deadline, and comes as it should, changes nothing.
    #[must_use]
    pub fn certain(&self, known: &Known, now: Second) -> u64 {
        let mut set = self.holding(known);
        let open: Vec<Leg> =
            FOUR.into_iter().filter(|leg| self.closes(known, *leg).is_some_and(|due| due > now)).collect();
        for choice in 1_u32..1 << open.len() {
            if set == 0 {
                break;
            }
            let coming = open.iter().enumerate().filter(|(bit, _)| choice >> bit & 1 == 1).map(|(_, leg)| *leg);
            set &= self.classifier.holding(&completed(&known.facts, coming));
        }
        set
    }

    /// The class of the break that the absence of a record is; none when its coming would explain nothing.
    #[must_use]
    pub fn if_missing(&self, known: &Known, leg: Leg) -> Option<Class> {
        let explained = self.classifier.holding(&completed(&known.facts, std::iter::once(leg)));
        self.primary(self.holding(known) & !explained)
    }

    /// The class that goes before the others.
    #[must_use]
    pub fn primary(&self, set: u64) -> Option<Class> {
        self.classes.primary(set)
    }

    /// Money effect of a class.
    #[must_use]
    pub fn effect(&self, class: Class, known: &Known) -> i64 {
        self.classifier.effect(class, &known.facts)
    }
}

/// The same payment after these records came and said what the others say.
fn completed(facts: &Facts, coming: impl Iterator<Item = Leg>) -> Facts {
    let mut whole = *facts;
    let amount = facts
        .switch
        .or(facts.terminal)
        .map(|attempt| attempt.amount)
        .or(facts.cleared.map(|line| line.amount))
        .or(facts.paid.map(|line| line.gross))
        .unwrap_or_default();
    for leg in coming {
        match leg {
            Leg::Journal => whole.terminal = Some(facts.switch.unwrap_or_else(|| attempt_of(amount))),
            Leg::Switch => whole.switch = Some(facts.terminal.unwrap_or_else(|| attempt_of(amount))),
            Leg::Clearing => {
                whole.cleared = Some(ClearedFacts { lines: 1, amount, total: amount, ..ClearedFacts::default() });
            }
            Leg::Payout => {
                whole.paid =
                    Some(PaidFacts { lines: 1, gross: amount, net: amount, total: amount, ..PaidFacts::default() });
            }
            Leg::Share | Leg::TimeOut | Leg::Reversal | Leg::Acknowledgement | Leg::Bank => {}
        }
    }
    whole
}

fn attempt_of(amount: i64) -> AttemptFacts {
    AttemptFacts { amount, approved: true, ..AttemptFacts::default() }
}

pub(crate) fn day_of(at: Second) -> Day {
    Day::try_from(at.div_euclid(DAY_SECONDS)).unwrap_or(Day::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-03-12, a Thursday, ten in the morning.
    const DAY: Day = 20_524;
    const AT: Second = 20_524 * DAY_SECONDS + 36_000;

    fn attempt(approved: bool, reversed: bool) -> Option<AttemptFacts> {
        Some(AttemptFacts { amount: 100, approved, reversed, time: AT, settled: DAY, ..AttemptFacts::default() })
    }

    fn clearing() -> Option<ClearedFacts> {
        Some(ClearedFacts { lines: 1, amount: 100, total: 100, settled: DAY, ..ClearedFacts::default() })
    }

    fn known(facts: Facts) -> Known {
        Known { facts, first_at: AT, ..Known::default() }
    }

    fn check(run: impl Fn(&Outlook<'_>)) {
        let (rules, classes) = (ExpectationRules::builtin().unwrap(), Classes::builtin().unwrap());
        let present = Present { terminal: true, switch: true, clearing: true, payout: true };
        let days = WorkingDays::default();
        run(&Outlook::new(&rules, &classes, present, &days));
    }

    #[test]
    fn each_record_creates_what_must_follow() {
        let (ok, none) = (attempt(true, false), Facts::default());
        let timed_out = Known { timed_out_at: Some(AT), ..known(Facts { terminal: attempt(false, false), ..none }) };
        let reversing = Known { reversal: Some(Reversal { at: AT, acknowledged: false }), ..timed_out };
        let answered = Known { reversal: Some(Reversal { at: AT, acknowledged: true }), ..timed_out };
        let paid = Some(PaidFacts { lines: 1, paid_on: DAY + 1, ..PaidFacts::default() });
        let complete = Facts { terminal: ok, switch: ok, cleared: clearing(), paid, ..none };
        let morning = |day: Day| Second::from(day) * DAY_SECONDS;
        type Case<'a> = (&'a str, Known, &'a [(Leg, Second)]);
        let table: [Case<'_>; 9] = [
            ("journal", known(Facts { terminal: ok, ..none }), &[(Leg::Switch, AT + 600)]),
            (
                "switch",
                known(Facts { switch: ok, ..none }),
                &[(Leg::Journal, morning(DAY + 2)), (Leg::Clearing, morning(DAY + 1) + 43_200)],
            ),
            ("reversed", known(Facts { terminal: ok, switch: attempt(true, true), ..none }), &[]),
            (
                "cleared",
                known(Facts { terminal: ok, switch: ok, cleared: clearing(), ..none }),
                &[(Leg::Payout, morning(DAY + 2))],
            ),
            ("time-out", timed_out, &[(Leg::Reversal, AT + 300)]),
            ("reversal", reversing, &[(Leg::Acknowledgement, AT + 300)]),
            ("acknowledged", answered, &[]),
            ("paid, in a batch", Known { in_batch: true, ..known(complete) }, &[(Leg::Bank, morning(DAY + 5))]),
            ("at the bank", Known { in_batch: true, at_bank: true, ..known(complete) }, &[]),
        ];
        check(|outlook| {
            for (name, known, expected) in &table {
                let found: Vec<_> = outlook.awaited(known).iter().map(|found| (found.leg, found.due)).collect();
                assert_eq!(found, *expected, "{name}");
            }
        });
    }

    #[test]
    fn a_class_waits_for_what_would_explain_it() {
        let (ok, none) = (attempt(true, false), Facts::default());
        let other = ok.map(|attempt| AttemptFacts { amount: 99, ..attempt });
        let noon = Second::from(DAY + 1) * DAY_SECONDS + 43_200;
        let night = Second::from(DAY + 2) * DAY_SECONDS;
        let table: [(&str, Facts, Class, Second); 7] = [
            // The switch is late after ten minutes, but clearing may still show that it only lost its record.
            ("journal alone", Facts { terminal: ok, ..none }, Class::TermOnly, noon),
            // A payout without clearing would be another class.
            ("never cleared", Facts { terminal: ok, switch: ok, ..none }, Class::SwitchOnly, night),
            ("undue", Facts { terminal: ok, switch: attempt(true, true), ..none }, Class::ReversalUndue, noon),
            ("lost", Facts { terminal: ok, cleared: clearing(), ..none }, Class::SwitchMissing, AT + 600),
            ("amounts", Facts { terminal: other, switch: ok, ..none }, Class::AmountTerm, AT),
            ("unpaid", Facts { terminal: ok, switch: ok, cleared: clearing(), ..none }, Class::PayoutMissing, night),
            (
                "reversal lost",
                Facts { switch: attempt(true, true), cleared: clearing(), ..none },
                Class::ReversalLost,
                AT,
            ),
        ];
        check(|outlook| {
            for (name, facts, class, from) in table {
                let held = |now| outlook.certain(&known(facts), now) & class.bit() != 0;
                assert!(held(from), "{name} at its deadline");
                assert!(from == AT || !held(from - 1), "{name} before its deadline");
            }
        });
    }
}
