//! The rows of a few payments, matched and read by the code that matches whole files: for records as they come.

use rustc_hash::FxHashSet;

use super::classes::Classes;
use super::classify::{Facts, MerchantFacts, Present};
use super::code::{Code, Texts};
use super::dates::Day;
use super::job::Names;
use super::judging::{Court, Judge, name_of};
use super::matching::Matching;
use super::merchants::Merchants;
use super::rows::{Attempt, Cleared, Mark, Paid, Shared, place};
use super::workdays::WorkingDays;
use crate::online::{AttemptLine, Observation, Record};

/// A payment made of some rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct OnePayment {
    pub(crate) terminal: Code,
    pub(crate) rrn: Code,
    /// Batch and trace.
    pub(crate) key: Option<(u64, u64)>,
    /// Payout batch.
    pub(crate) batch: Code,
    pub(crate) facts: Facts,
}

/// Matches rows again and again.
pub(crate) struct Bench<'a> {
    names: Names<'a>,
    classes: &'a Classes,
    present: Present,
    days: &'a WorkingDays,
    merchants: Merchants,
    matching: Matching,
}

impl<'a> Bench<'a> {
    pub(crate) fn new(texts: &'a Texts, classes: &'a Classes, present: Present, days: &'a WorkingDays) -> Self {
        let names = Names { texts, classes, files: Vec::new(), carried: Vec::new() };
        Self { names, classes, present, days, merchants: Merchants::default(), matching: Matching::default() }
    }

    /// Adds a version of a merchant's terms.
    pub(crate) fn put_terms(&mut self, merchant: Code, from: Day, to: Day, facts: MerchantFacts) {
        self.merchants.put(merchant, from, to, facts);
    }

    /// The payments that these rows make, in the order of their first rows; `returned`: batches that came back.
    pub(crate) fn payments(&mut self, rows: &[Observation], returned: &FxHashSet<u64>) -> Vec<OnePayment> {
        self.matching.clear();
        for row in rows {
            self.load(row);
        }
        self.matching.match_rows();
        let court = Court {
            names: &self.names,
            classes: self.classes,
            present: self.present,
            days: self.days,
            merchants: &self.merchants,
            returned,
            keep_on: None,
            today: None,
            seen_on: &[],
        };
        let mut judge = Judge::new(&court);
        let rows = &self.matching;
        let mut found: Vec<(u64, OnePayment)> = Vec::new();
        for unit in rows.units.iter().filter(|unit| !unit.gone) {
            let ((terminal, rrn), key) = name_of(rows, unit);
            let batch = rows.paid.get(unit.paid as usize).map_or(0, |row| row.batch);
            let first = Judge::places(rows, unit).min().unwrap_or(u64::MAX);
            let facts = judge.facts(rows, unit);
            found
                .push((first, OnePayment { terminal: Code(terminal), rrn: Code(rrn), key, batch: Code(batch), facts }));
        }
        found.sort_by_key(|(first, _)| *first);
        found.into_iter().map(|(_, payment)| payment).collect()
    }

    fn load(&mut self, row: &Observation) {
        let place = place(row.place.0, row.place.1);
        let day = |day: Day| u64::try_from(day).unwrap_or(0);
        match &row.record {
            Record::Journal(line) => self.matching.terminal.push(attempt(line, place)),
            Record::Switch(line) => self.matching.switch.push(attempt(line, place)),
            Record::Clearing(line) => self.matching.cleared.push(Cleared {
                terminal: line.terminal.0,
                rrn: line.rrn.0,
                merchant: line.merchant.0,
                amount: line.amount.cast_unsigned(),
                settled: day(line.settled),
                network_fee: line.network_fee.cast_unsigned(),
                mcc: line.mcc,
                place,
                ..Cleared::default()
            }),
            Record::Payout(line) => self.matching.paid.push(Paid {
                terminal: line.terminal.0,
                rrn: line.rrn.0,
                merchant: line.merchant.0,
                account: line.account.0,
                gross: line.gross.cast_unsigned(),
                fee: line.fee.cast_unsigned(),
                net: line.net.cast_unsigned(),
                paid_on: day(line.paid_on),
                batch: line.batch.0,
                place,
            }),
            Record::Share(line) => self.matching.shared.push(Shared {
                terminal: line.terminal.0,
                rrn: line.rrn.0,
                agent: line.agent.0,
                share: line.share.cast_unsigned(),
                place,
            }),
            Record::TimedOut(..) | Record::ReversalSent(..) | Record::ReversalAnswered(..) | Record::Bank { .. } => {}
        }
    }
}

fn attempt(line: &AttemptLine, place: u64) -> Attempt {
    let facts = &line.facts;
    Attempt {
        terminal: line.terminal.0,
        key: line.key.map_or(0, packed_key),
        rrn: line.rrn.0,
        merchant: facts.merchant.0,
        amount: facts.amount.cast_unsigned(),
        pan: facts.pan,
        time: facts.time.cast_unsigned(),
        mark: Mark::new(b"", facts.approved, facts.reversed, line.kind).0,
        settled: u64::try_from(facts.settled).unwrap_or(0),
        place,
    }
}

/// Batch and trace in one number, as rows of files have it.
pub(crate) const fn packed_key((batch, trace): (u64, u64)) -> u64 {
    (batch << 20 | trace & 0xF_FFFF) + 1
}
