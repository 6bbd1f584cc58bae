//! Payout lines to batches to bank lines: many to one, by sums.

use rustc_hash::{FxHashMap, FxHashSet};

use super::carry::CARRIED_FROM;
use super::classes::Class;
use super::code::{Code, Texts};
use super::layout::{Role, RowKind};
use super::reading::Taker;
use super::rows::{FieldFault, Fields, RowReader, place};

/// One payout batch as the payout system says it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BatchRow {
    pub(crate) batch: Code,
    pub(crate) account: Code,
    pub(crate) paid_on: u64,
    pub(crate) total: i64,
    pub(crate) place: u64,
}

impl BatchRow {
    fn is_carried(&self) -> bool {
        self.place >> 48 >= CARRIED_FROM
    }

    /// Its numbers as the carry file keeps them.
    pub(crate) fn to_numbers(self) -> Vec<u64> {
        vec![self.batch.0, self.account.0, self.paid_on, self.total.cast_unsigned()]
    }

    pub(crate) fn from_numbers(numbers: &[u64], place: u64) -> Option<Self> {
        let [batch, account, paid_on, total] = *numbers else { return None };
        Some(Self { batch: Code(batch), account: Code(account), paid_on, total: total.cast_signed(), place })
    }
}

/// One line of a bank statement.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BankRow {
    pub(crate) reference: Code,
    pub(crate) account: Code,
    pub(crate) day: u64,
    pub(crate) amount: i64,
    pub(crate) returned: bool,
    pub(crate) place: u64,
}

pub(crate) struct BatchRows<'a> {
    pub(crate) reader: RowReader<'a>,
    pub(crate) rows: Vec<BatchRow>,
}

impl Taker for BatchRows<'_> {
    fn take(&mut self, fields: Fields<'_>, offset: u64) -> Result<bool, FieldFault> {
        let row = BatchRow {
            batch: self.reader.required(fields, Role::PayoutBatch, 40)?,
            account: self.reader.code(fields, Role::Account, 40)?,
            paid_on: self.reader.day(fields, Role::PaidOn)?,
            total: self.reader.money(fields, Role::Total)?,
            place: place(self.reader.file, offset),
        };
        self.rows.push(row);
        Ok(true)
    }
}

pub(crate) struct BankRows<'a> {
    pub(crate) reader: RowReader<'a>,
    pub(crate) rows: Vec<BankRow>,
}

impl Taker for BankRows<'_> {
    fn take(&mut self, fields: Fields<'_>, offset: u64) -> Result<bool, FieldFault> {
        let returned = self.reader.plan.is_returned(self.reader.text(fields, Role::Status));
        let incoming = self.reader.plan.is_incoming(self.reader.text(fields, Role::Direction));
        // Money that comes in is about no payout, unless it comes back.
        if self.reader.kind(fields)? == RowKind::Skip || (incoming && !returned) {
            return Ok(false);
        }
        if !self.reader.plan.is_own_currency(self.reader.text(fields, Role::Currency)) {
            return Err(self.reader.fault(fields, Role::Currency, "the currency of the layout"));
        }
        let row = BankRow {
            reference: self.reader.code(fields, Role::Reference, 40)?,
            account: self.reader.code(fields, Role::Account, 40)?,
            day: self.reader.day(fields, Role::PaidOn)?,
            amount: self.reader.money(fields, Role::Amount)?.abs(),
            returned,
            place: place(self.reader.file, offset),
        };
        self.rows.push(row);
        Ok(true)
    }
}

/// Net sums of payout lines by batch: a list in order, because there are many batches and each is asked for once.
#[derive(Debug, Default)]
pub(crate) struct LineSums {
    sums: Vec<(u64, i64)>,
    /// So many from the front are in order, one for each batch.
    folded: usize,
}

/// Sums that may wait before they are folded; many more are folded when they are as many as those before.
const LOOSE: usize = 65_536;

impl LineSums {
    /// Adds to the sum of a batch.
    pub(crate) fn add(&mut self, batch: u64, net: i64) {
        self.sums.push((batch, net));
        if self.sums.len() - self.folded >= self.folded.max(LOOSE) {
            self.fold();
        }
    }

    /// Adds the sums of another list; after this all sums are whole.
    pub(crate) fn join(&mut self, other: &Self) {
        self.sums.extend_from_slice(&other.sums);
        self.fold();
    }

    fn fold(&mut self) {
        self.sums.sort_unstable();
        self.sums.dedup_by(|next, kept| {
            let same = next.0 == kept.0;
            if same {
                kept.1 = kept.1.saturating_add(next.1);
            }
            same
        });
        self.folded = self.sums.len();
    }

    fn contains(&self, batch: u64) -> bool {
        self.sums.binary_search_by_key(&batch, |(batch, _)| *batch).is_ok()
    }

    /// Batches with their sums, in order of their numbers.
    fn iter(&self) -> impl Iterator<Item = (u64, i64)> {
        self.sums.iter().copied()
    }
}

/// A break of a batch or a bank line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchBreak {
    /// Class.
    pub class: Class,
    /// Batch, or the reference of a bank line.
    pub batch: Code,
    /// What the batch or the bank line says.
    pub total: i64,
    /// What its lines add up to, or 0.
    pub lines: i64,
    /// File number and offset, when there is a row.
    pub place: Option<(usize, u64)>,
}

/// Rows that may belong together, for a person to confirm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal {
    /// Why.
    pub reason: &'static str,
    /// Amount that agrees.
    pub amount: i64,
    /// File number and offset of each row.
    pub places: Vec<(usize, u64)>,
}

/// Bank lines that are tried against sums of batches, and batches of one day that are tried.
const SUBSET_ITEMS: usize = 20;
const SUBSET_STEPS: u32 = 200_000;

/// What the bank gave back.
#[derive(Default)]
pub(crate) struct Returns {
    /// Batches that came back whole: each of their payments is returned.
    pub(crate) whole: FxHashSet<u64>,
    /// Lines that stand for themselves: of no known batch, of a part of one, or of one without payout lines.
    pub(crate) alone: Vec<BatchBreak>,
}

impl Returns {
    /// By reference, else by the one batch with the account and amount.
    pub(crate) fn find(batches: &[BatchRow], lines: &LineSums, bank: &[BankRow]) -> Self {
        if !bank.iter().any(|line| line.returned) {
            return Self::default();
        }
        let mut totals: FxHashMap<u64, i64> = FxHashMap::default();
        for row in batches {
            let total = totals.entry(row.batch.0).or_default();
            *total = total.saturating_add(row.total);
        }
        for (batch, net) in lines.iter() {
            totals.entry(batch).or_insert(net);
        }
        let mut by_batch: FxHashMap<u64, Vec<&BankRow>> = FxHashMap::default();
        let mut found = Self::default();
        for line in bank.iter().filter(|line| line.returned) {
            let reference = line.reference.0;
            let batch = if reference != 0 && totals.contains_key(&reference) {
                Some(reference)
            } else {
                let same = |row: &&BatchRow| row.account == line.account && row.total == line.amount;
                let mut fitting = batches.iter().filter(|_| !line.account.is_none()).filter(same);
                match (fitting.next(), fitting.next()) {
                    (Some(only), None) => Some(only.batch.0),
                    _ => None,
                }
            };
            match batch {
                Some(batch) => by_batch.entry(batch).or_default().push(line),
                None => found.alone.push(returned(line.reference, line)),
            }
        }
        for (batch, back) in by_batch {
            let sum = back.iter().fold(0_i64, |sum, line| sum.saturating_add(line.amount));
            let whole = totals.get(&batch) == Some(&sum);
            if whole {
                found.whole.insert(batch);
            }
            if !whole || !lines.contains(batch) {
                found.alone.extend(back.iter().map(|line| returned(Code(batch), line)));
            }
        }
        found
    }
}

fn returned(batch: Code, line: &BankRow) -> BatchBreak {
    let place = Some(super::rows::file_and_offset(line.place));
    BatchBreak { class: Class::PayoutReturned, batch, total: line.amount, lines: 0, place }
}

/// What batches came to.
#[derive(Default)]
pub(crate) struct BatchFound {
    pub(crate) breaks: Vec<BatchBreak>,
    pub(crate) proposals: Vec<Proposal>,
    /// Batches whose bank line may still come.
    pub(crate) kept: Vec<BatchRow>,
}

/// Batches against their lines, then against the bank.
pub(crate) struct BatchCheck<'a> {
    /// Whether the bank line of a batch may still come.
    pub(crate) waits: &'a (dyn Fn(&BatchRow) -> bool + Sync),
    /// Lines that the bank gave back.
    pub(crate) returned: Vec<BatchBreak>,
    pub(crate) batches: &'a [BatchRow],
    pub(crate) lines: &'a LineSums,
    pub(crate) bank: &'a [BankRow],
    pub(crate) has_batches: bool,
    pub(crate) has_bank: bool,
    pub(crate) has_lines: bool,
}

impl BatchCheck<'_> {
    pub(crate) fn run(&self, texts: &Texts) -> BatchFound {
        let mut found = BatchFound { breaks: self.returned.clone(), ..BatchFound::default() };
        if self.has_batches && self.has_lines {
            self.sums(&mut found.breaks);
        }
        if self.has_batches && self.has_bank {
            self.against_bank(&mut found);
        }
        found.breaks.sort_by(|one, other| {
            let class = one.class.code().cmp(other.class.code());
            class.then_with(|| texts.compare(one.batch, other.batch)).then_with(|| one.place.cmp(&other.place))
        });
        found.proposals.sort_by(|one, other| one.places.cmp(&other.places));
        found
    }

    fn sums(&self, found: &mut Vec<BatchBreak>) {
        // Batches of earlier runs met their lines then.
        let mut rows: Vec<&BatchRow> = self.batches.iter().filter(|row| !row.is_carried()).collect();
        rows.sort_unstable_by_key(|row| (row.batch.0, row.place));
        let unknown = |(batch, net): (u64, i64)| BatchBreak {
            class: Class::BatchSum,
            batch: Code(batch),
            total: 0,
            lines: net,
            place: None,
        };
        let mut sums = self.lines.iter().peekable();
        // A batch may be given in parts.
        for parts in rows.chunk_by(|one, other| one.batch == other.batch) {
            let Some(first) = parts.first() else { continue };
            let batch = first.batch;
            found.extend(std::iter::from_fn(|| sums.next_if(|(other, _)| *other < batch.0)).map(unknown));
            let lines = sums.next_if(|(other, _)| *other == batch.0).map_or(0, |(_, net)| net);
            let total = parts.iter().fold(0_i64, |total, row| total.saturating_add(row.total));
            if lines != total {
                let place = Some(super::rows::file_and_offset(first.place));
                found.push(BatchBreak { class: Class::BatchSum, batch, total, lines, place });
            }
        }
        found.extend(sums.map(unknown));
    }

    fn against_bank(&self, found: &mut BatchFound) {
        let mut open: Vec<&BankRow> = self.bank.iter().filter(|row| !row.returned).collect();
        open.sort_by_key(|row| row.place);
        let mut missing: Vec<&BatchRow> = self.batches.iter().filter(|row| row.total > 0).collect();
        missing.sort_by_key(|row| row.place);
        pair(
            &mut missing,
            &mut open,
            |row| (row.batch.0, row.total),
            |line| (line.reference.0, line.amount),
            |key| key.0 != 0,
        );
        pair(
            &mut missing,
            &mut open,
            |row| (row.account.0, row.paid_on, row.total),
            |line| (line.account.0, line.day, line.amount),
            |key| key.0 != 0 && key.1 != 0,
        );
        for line in &open {
            let same_day: Vec<&BatchRow> =
                missing.iter().filter(|row| row.paid_on == line.day).take(SUBSET_ITEMS).copied().collect();
            let mut steps = SUBSET_STEPS;
            if let Some(chosen) = subset(&same_day, line.amount, &mut steps) {
                let rows = chosen.iter().map(|row| row.place).chain([line.place]);
                found.proposals.push(Proposal {
                    reason: "batches of one day add up to the bank line",
                    amount: line.amount,
                    places: rows.map(super::rows::file_and_offset).collect(),
                });
            }
        }
        let place = |place| Some(super::rows::file_and_offset(place));
        let (waiting, missing): (Vec<&BatchRow>, Vec<&BatchRow>) =
            missing.into_iter().partition(|row| (self.waits)(row));
        found.kept.extend(waiting.into_iter().copied());
        found.breaks.extend(missing.iter().map(|row| BatchBreak {
            class: Class::BankMissing,
            batch: row.batch,
            total: row.total,
            lines: 0,
            place: place(row.place),
        }));
        found.breaks.extend(open.iter().map(|line| BatchBreak {
            class: Class::BankExtra,
            batch: line.reference,
            total: line.amount,
            lines: 0,
            place: place(line.place),
        }));
    }
}

/// Takes out of both what has the same key, one for one in order of place.
fn pair<'r, K: std::hash::Hash + Eq>(
    missing: &mut Vec<&'r BatchRow>,
    open: &mut Vec<&'r BankRow>,
    key_of: impl Fn(&BatchRow) -> K,
    key_of_line: impl Fn(&BankRow) -> K,
    usable: impl Fn(&K) -> bool,
) {
    let mut by_key: FxHashMap<K, Vec<usize>> = FxHashMap::default();
    for (at, line) in open.iter().enumerate().rev() {
        let key = key_of_line(line);
        if usable(&key) {
            by_key.entry(key).or_default().push(at);
        }
    }
    let mut taken = FxHashSet::default();
    missing.retain(|row| match by_key.get_mut(&key_of(row)).and_then(Vec::pop) {
        Some(at) => {
            taken.insert(at);
            false
        }
        None => true,
    });
    let mut at = 0;
    open.retain(|_| {
        at += 1;
        !taken.contains(&(at - 1))
    });
}

/// At least two rows that add up to `amount`, in a bounded number of steps.
fn subset<'r>(rows: &[&'r BatchRow], amount: i64, steps: &mut u32) -> Option<Vec<&'r BatchRow>> {
    fn search<'r>(rows: &[&'r BatchRow], left: i64, chosen: &mut Vec<&'r BatchRow>, steps: &mut u32) -> bool {
        if left == 0 && chosen.len() > 1 {
            return true;
        }
        let Some((first, rest)) = rows.split_first() else { return false };
        if left <= 0 || *steps == 0 {
            return false;
        }
        *steps -= 1;
        chosen.push(first);
        if search(rest, left - first.total, chosen, steps) {
            return true;
        }
        chosen.pop();
        search(rest, left, chosen, steps)
    }
    let mut chosen = Vec::new();
    search(rows, amount, &mut chosen, steps).then_some(chosen)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    fn line_sums(sums: &[(u64, i64)]) -> LineSums {
        let (mut lines, mut part) = (LineSums::default(), LineSums::default());
        sums.iter().for_each(|(batch, net)| part.add(*batch, *net));
        lines.join(&part);
        lines
    }

    proptest! {
        #[test]
        fn sums_of_lines_in_any_order(parts in prop::collection::vec(prop::collection::vec((1_u64..40, -99_i64..99), 0..60), 0..4)) {
            let (mut lines, mut expected) = (LineSums::default(), BTreeMap::<u64, i64>::new());
            for part in &parts {
                part.iter().for_each(|(batch, net)| *expected.entry(*batch).or_default() += net);
                lines.join(&line_sums(part));
            }
            prop_assert!((1..40).all(|batch| lines.contains(batch) == expected.contains_key(&batch)));
            prop_assert_eq!(lines.iter().collect::<Vec<_>>(), Vec::from_iter(expected));
        }
    }

    fn batch(batch: u64, account: u64, total: i64) -> BatchRow {
        BatchRow { batch: Code(batch), account: Code(account), paid_on: 9, total, place: batch }
    }

    fn line(reference: u64, account: u64, amount: i64, place: u64) -> BankRow {
        BankRow { reference: Code(reference), account: Code(account), day: 9, amount, returned: false, place }
    }

    #[test]
    fn by_reference_then_account_then_sums() {
        let batches = [batch(1, 10, 100), batch(2, 20, 200), batch(3, 30, 300), batch(4, 40, 450)];
        let bank = [line(1, 0, 100, 1), line(0, 20, 200, 2), line(0, 99, 750, 3), line(0, 99, 1, 4)];
        let lines = line_sums(&[(1, 100), (2, 199), (3, 300), (5, 7)]);
        let check = BatchCheck {
            waits: &|row| row.batch.0 == 4,
            returned: Vec::new(),
            batches: &batches,
            lines: &lines,
            bank: &bank,
            has_batches: true,
            has_bank: true,
            has_lines: true,
        };
        let BatchFound { breaks: found, proposals, kept } = check.run(&Texts::default());
        assert_eq!(kept.len(), 1);
        let classes: Vec<(&str, i64, i64)> =
            found.iter().map(|found| (found.class.code(), found.total, found.lines)).collect();
        let expected = [
            ("BANK_EXTRA", 750, 0),
            ("BANK_EXTRA", 1, 0),
            ("BANK_MISSING", 300, 0),
            ("BATCH_SUM", 200, 199),
            ("BATCH_SUM", 450, 0),
            ("BATCH_SUM", 0, 7),
        ];
        assert_eq!(classes, expected);
        assert_eq!(proposals.len(), 1);
        assert_eq!((proposals[0].amount, proposals[0].places.len()), (750, 3));
    }

    #[test]
    fn what_the_bank_gave_back() {
        let batches = [batch(1, 10, 100), batch(2, 20, 200), batch(3, 30, 300), batch(4, 40, 400)];
        let lines = line_sums(&[(1, 100), (2, 200), (3, 300), (6, 60)]);
        let back =
            |reference, account, amount, place| BankRow { returned: true, ..line(reference, account, amount, place) };
        let bank = [
            back(1, 0, 100, 1),
            back(2, 0, 50, 2),
            back(0, 30, 300, 3),
            back(4, 0, 400, 4),
            back(5, 0, 7, 5),
            back(6, 0, 60, 6),
            line(1, 0, 100, 7),
        ];
        let mut found = Returns::find(&batches, &lines, &bank);
        found.alone.sort_by_key(|found| found.place);
        let mut whole: Vec<u64> = found.whole.into_iter().collect();
        whole.sort_unstable();
        assert_eq!(whole, [1, 3, 4, 6]);
        let alone: Vec<(u64, i64)> = found.alone.iter().map(|found| (found.batch.0, found.total)).collect();
        assert_eq!(alone, [(2, 50), (4, 400), (5, 7)]);
    }
}
