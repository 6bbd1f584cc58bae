//! Rows of the matched files on their way into partitions.

use std::io;

use rustc_hash::FxHashMap;

use super::batches::LineSums;
use super::columns::ColumnBatch;
use super::layout::{Role, Source};
use super::partitions::Spreader;
use super::reading::{Taker, Tally};
use super::rows::{Attempt, Cleared, FieldFault, Fields, Paid, Row, RowReader, Shared};
use super::totals::Sum;
use super::typed::{TypedColumns, TypedRow};

/// Clearing lines without terminal or reference, by network trace and transmission time.
#[derive(Debug, Default)]
pub(crate) struct Aside {
    pub(crate) lines: Vec<Cleared>,
    pub(crate) by_key: FxHashMap<u64, Vec<usize>>,
}

impl Aside {
    pub(crate) fn add(&mut self, key: u64, line: Cleared) {
        self.by_key.entry(key).or_default().push(self.lines.len());
        self.lines.push(line);
    }
}

/// A switch row that may belong to a clearing line without a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Candidate {
    pub(crate) line: usize,
    pub(crate) place: u64,
    pub(crate) terminal: u64,
    pub(crate) rrn: u64,
}

/// What is noted beside the rows themselves.
#[derive(Default)]
pub(crate) struct Notes<'a> {
    /// Clearing lines without a name (while clearing is read).
    pub(crate) aside: Vec<(u64, Cleared)>,
    /// Names that are looked for (while the switch log is read).
    pub(crate) wanted: Option<&'a Aside>,
    pub(crate) candidates: Vec<Candidate>,
    /// Net sums by payout batch (while payout lines are read).
    pub(crate) sums: LineSums,
    /// The batch of the last lines (0 for none) and their sum, not yet in `sums`: batches come in runs.
    run: (u64, i64),
}

impl Notes<'_> {
    #[inline]
    fn add_net(&mut self, batch: u64, net: i64) {
        if self.run.0 != batch {
            self.end_run();
            self.run = (batch, 0);
        }
        self.run.1 = self.run.1.saturating_add(net);
    }

    fn end_run(&mut self) {
        let (batch, net) = std::mem::take(&mut self.run);
        if batch != 0 {
            self.sums.add(batch, net);
        }
    }
}

/// A row that is packed into `N` numbers, the first of which is its terminal.
pub(crate) trait Packed<const N: usize>: From<[u64; N]> {
    /// Which of its numbers control totals add up.
    const MONEY: usize;
    /// Roles that it is read from.
    const ROLES: &'static [Role];

    /// Reads a row into numbers; false for a line about no payment.
    fn read(reader: &mut RowReader<'_>, from: impl Row, offset: u64, row: &mut [u64; N]) -> Result<bool, FieldFault>;

    /// Notes what else must be known; false when the row waits aside.
    fn note(_row: &[u64; N], _notes: &mut Notes<'_>, _reader: &RowReader<'_>, _from: impl Row) -> bool {
        true
    }
}

impl Packed<10> for Attempt {
    const MONEY: usize = 4;
    const ROLES: &'static [Role] = &[
        Role::Terminal,
        Role::Batch,
        Role::Trace,
        Role::Rrn,
        Role::Merchant,
        Role::Time,
        Role::Pan,
        Role::Amount,
        Role::Response,
        Role::Kind,
        Role::Reversed,
        Role::Settled,
        Role::NetworkTrace,
        Role::TransmittedAt,
    ];

    #[inline(always)]
    fn read(reader: &mut RowReader<'_>, from: impl Row, offset: u64, row: &mut [u64; 10]) -> Result<bool, FieldFault> {
        reader.attempt(from, offset, row)
    }

    #[inline(always)]
    fn note(row: &[u64; 10], notes: &mut Notes<'_>, reader: &RowReader<'_>, from: impl Row) -> bool {
        if let Some(wanted) = notes.wanted {
            let row = Self::from(*row);
            let lines = wanted.by_key.get(&from.network_key(reader)).map_or(&[][..], |lines| lines);
            notes.candidates.extend(lines.iter().map(|line| Candidate {
                line: *line,
                place: row.place,
                terminal: row.terminal,
                rrn: row.rrn,
            }));
        }
        true
    }
}

impl Packed<10> for Cleared {
    const MONEY: usize = 3;
    const ROLES: &'static [Role] = &[
        Role::Terminal,
        Role::Rrn,
        Role::Merchant,
        Role::Pan,
        Role::Amount,
        Role::Kind,
        Role::Settled,
        Role::NetworkTrace,
        Role::TransmittedAt,
        Role::NetworkFee,
        Role::Mcc,
    ];

    #[inline(always)]
    fn read(reader: &mut RowReader<'_>, from: impl Row, offset: u64, row: &mut [u64; 10]) -> Result<bool, FieldFault> {
        reader.cleared(from, offset, row)
    }

    #[inline(always)]
    fn note(row: &[u64; 10], notes: &mut Notes<'_>, reader: &RowReader<'_>, from: impl Row) -> bool {
        let [terminal, rrn, ..] = *row;
        if terminal != 0 && rrn != 0 {
            return true;
        }
        let key = from.network_key(reader);
        if key != 0 {
            notes.aside.push((key, Self::from(*row)));
        }
        key == 0
    }
}

impl Packed<10> for Paid {
    const MONEY: usize = 6;
    const ROLES: &'static [Role] = &[
        Role::Terminal,
        Role::Rrn,
        Role::Merchant,
        Role::PayoutBatch,
        Role::PaidOn,
        Role::Account,
        Role::Gross,
        Role::Fee,
        Role::Net,
    ];

    #[inline(always)]
    fn read(reader: &mut RowReader<'_>, from: impl Row, offset: u64, row: &mut [u64; 10]) -> Result<bool, FieldFault> {
        reader.paid(from, offset, row)
    }

    #[inline(always)]
    fn note(row: &[u64; 10], notes: &mut Notes<'_>, _reader: &RowReader<'_>, _from: impl Row) -> bool {
        let [_, _, _, _, _, _, net, _, batch, _] = *row;
        if batch != 0 {
            notes.add_net(batch, net.cast_signed());
        }
        true
    }
}

impl Packed<5> for Shared {
    const MONEY: usize = 3;
    const ROLES: &'static [Role] = &[Role::Terminal, Role::Rrn, Role::Agent, Role::Share];

    #[inline(always)]
    fn read(reader: &mut RowReader<'_>, from: impl Row, offset: u64, row: &mut [u64; 5]) -> Result<bool, FieldFault> {
        reader.shared(from, offset, row)
    }
}

/// Rows that are read before they are spread: what the partitions of all of them wait for comes at once.
const AHEAD: usize = 16;

/// Takes the rows of one file on one thread.
pub(crate) struct SpreadRows<'a, R, const N: usize> {
    reader: RowReader<'a>,
    spreader: Spreader<'a, N>,
    notes: Notes<'a>,
    sum: Sum,
    rows: [[u64; N]; AHEAD],
    /// So many of `rows` wait.
    waiting: usize,
    columns: TypedColumns,
    kind: std::marker::PhantomData<R>,
}

impl<'a, R: Packed<N>, const N: usize> SpreadRows<'a, R, N> {
    pub(crate) fn new(reader: RowReader<'a>, spreader: Spreader<'a, N>, wanted: Option<&'a Aside>) -> Self {
        let notes = Notes { wanted, ..Notes::default() };
        Self {
            reader,
            spreader,
            notes,
            sum: Sum::default(),
            rows: [[0; N]; AHEAD],
            waiting: 0,
            columns: TypedColumns::default(),
            kind: std::marker::PhantomData,
        }
    }

    #[inline(always)]
    fn read(&mut self, from: impl Row, offset: u64) -> Result<bool, FieldFault> {
        let row = &mut self.rows[self.waiting];
        if !R::read(&mut self.reader, from, offset, row)? {
            return Ok(false);
        }
        self.sum.add(1, row[R::MONEY].cast_signed());
        if R::note(row, &mut self.notes, &self.reader, from) {
            self.spreader.ask_for_bundle(row[0]);
            self.waiting += 1;
            if self.waiting == AHEAD {
                self.spread();
            }
        }
        Ok(true)
    }

    #[inline(never)]
    fn spread(&mut self) {
        let rows = self.rows.get(..std::mem::take(&mut self.waiting)).unwrap_or_default();
        rows.iter().for_each(|row| self.spreader.ask_for_place(row[0]));
        rows.iter().for_each(|row| self.spreader.push(row[0], row));
    }

    /// After the last row: the sum of all, and what was noted.
    pub(crate) fn finish(mut self) -> io::Result<(Sum, Notes<'a>)> {
        self.spread();
        self.notes.end_run();
        self.spreader.finish()?;
        Ok((self.sum, self.notes))
    }
}

impl<R: Packed<N>, const N: usize> Taker for SpreadRows<'_, R, N> {
    #[inline(always)]
    fn take(&mut self, fields: Fields<'_>, offset: u64) -> Result<bool, FieldFault> {
        self.read(fields, offset)
    }

    fn take_columns(&mut self, batch: &ColumnBatch<'_>, tally: &mut Tally) -> bool {
        let mut columns = std::mem::take(&mut self.columns);
        let readable = columns.read(&mut self.reader, R::ROLES, batch);
        if readable {
            for row in 0..batch.rows {
                let offset = batch.first + row as u64;
                let taken = self.read(TypedRow { columns: &columns, row }, offset);
                tally.count(taken, offset, row as u64 + 1);
            }
        }
        self.columns = columns;
        readable
    }
}

/// Which kinds of rows have which number of numbers, for rows that come back from a carry file.
pub(crate) const fn is_wide(source: Source) -> bool {
    !matches!(source, Source::Share)
}
