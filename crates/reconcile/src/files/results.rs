//! Breaks in one order, whatever the threads and partitions were; runs go to the spill file when there are too many.

use std::cmp::Ordering;
use std::io;
use std::sync::{Mutex, PoisonError, mpsc};
use std::thread;

use super::classes::{Class, Classes, Flag};
use super::code::{Code, Texts};
use super::packing::{Differences, Position, row_max};
use super::partitions::{Budget, Spill};

const NUMBERS: usize = 20;

/// One payment whose records differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Break {
    /// Primary class.
    pub class: Class,
    /// Every class that holds (bits of [`Class::bit`]), the primary one too.
    pub holding: u64,
    /// Terminal.
    pub terminal: Code,
    /// Reference number.
    pub rrn: Code,
    /// Batch and trace, when the payment has them.
    pub key: Option<(u64, u64)>,
    /// Merchant.
    pub merchant: Code,
    /// Agent of the merchant.
    pub agent: Code,
    /// Account paid to.
    pub account: Code,
    /// Days since the merchant's account was changed, when the master says so.
    pub account_age: Option<i32>,
    /// Merchants whose money that account takes, when the payout was diverted to it; else 0.
    pub account_merchants: u32,
    /// Amounts of journal, switch and clearing; gross, fee and net of the payout.
    pub amounts: [Option<i64>; 6],
    /// What it costs, in fen.
    pub effect: i64,
    /// File number and offset of the first row of journal, switch, clearing and payout.
    pub places: [Option<(usize, u64)>; 4],
}

const NO_PLACE: u64 = u64::MAX;

impl Break {
    fn to_numbers(self) -> [u64; NUMBERS] {
        let mut numbers = [0; NUMBERS];
        let mut mark = self.class as u64;
        for (at, amount) in self.amounts.iter().enumerate() {
            numbers[at] = amount.unwrap_or(0).cast_unsigned();
            mark |= u64::from(amount.is_some()) << (8 + at);
        }
        for (at, place) in self.places.iter().enumerate() {
            numbers[6 + at] = place.map_or(NO_PLACE, |(file, offset)| super::rows::place(file as u64, offset));
        }
        let rest = [
            mark | u64::from(self.account_age.is_some()) << 14,
            self.holding,
            self.terminal.0,
            self.rrn.0,
            self.key.map_or(0, |(batch, trace)| (batch << 20 | trace) + 1),
            self.merchant.0,
            self.agent.0,
            self.account.0,
            i64::from(self.account_age.unwrap_or(0)).cast_unsigned(),
            self.effect.cast_unsigned(),
        ];
        numbers[10..].copy_from_slice(&rest);
        numbers
    }

    fn from_numbers(numbers: &[u64; NUMBERS]) -> Option<Self> {
        let mark = numbers[10];
        let mut amounts = [None; 6];
        for (at, amount) in amounts.iter_mut().enumerate() {
            *amount = (mark >> (8 + at) & 1 == 1).then(|| numbers[at].cast_signed());
        }
        let mut places = [None; 4];
        for (at, place) in places.iter_mut().enumerate() {
            *place = Some(numbers[6 + at]).filter(|place| *place != NO_PLACE).map(super::rows::file_and_offset);
        }
        let age = i32::try_from(numbers[18].cast_signed()).unwrap_or(0);
        Some(Self {
            class: *Class::ALL.get(usize::try_from(mark & 0xFF).ok()?)?,
            holding: numbers[11],
            terminal: Code(numbers[12]),
            rrn: Code(numbers[13]),
            key: numbers[14].checked_sub(1).map(|key| (key >> 20, key & 0xF_FFFF)),
            merchant: Code(numbers[15]),
            agent: Code(numbers[16]),
            account: Code(numbers[17]),
            account_merchants: 0,
            account_age: (mark >> 14 & 1 == 1).then_some(age),
            amounts,
            effect: numbers[19].cast_signed(),
            places,
        })
    }

    /// What else is known of a diverted payout.
    pub fn flags(&self, classes: &Classes) -> impl Iterator<Item = Flag> + use<> {
        let limits = classes.tolerances();
        let diverted = self.holding & Class::PayoutDiverted.bit() != 0;
        let changed = self.account_age.is_some_and(|age| (0..limits.account_change_days).contains(&age));
        let shared = self.account_merchants >= limits.account_merchants;
        [(Flag::AccountChanged, changed), (Flag::AccountShared, shared)]
            .into_iter()
            .filter_map(move |(flag, holds)| (diverted && holds).then_some(flag))
    }

    /// What stands first in the order of breaks, and where the break is.
    const fn place(&self, at: usize) -> Place {
        Place { class: self.class, terminal: self.terminal, rrn: self.rrn, at }
    }
}

/// Breaks are large: they are put in order by what most of them differ in.
#[derive(Clone, Copy)]
struct Place {
    class: Class,
    terminal: Code,
    rrn: Code,
    /// Number of the break, or of the run that it comes from.
    at: usize,
}

impl Place {
    /// The order of two breaks; `found` says which ones they are.
    #[inline]
    fn compare<'b>(&self, other: &Self, texts: &Texts, found: impl Fn(usize) -> Option<&'b Break>) -> Ordering {
        let rest = |at| found(at).map(|found| (found.key, found.places));
        self.class
            .cmp(&other.class)
            .then_with(|| texts.compare(self.terminal, other.terminal))
            .then_with(|| texts.compare(self.rrn, other.rrn))
            .then_with(|| rest(self.at).cmp(&rest(other.at)))
    }
}

/// A piece of a run, packed.
enum Page {
    Here(Vec<u8>),
    Spilled { offset: u64, length: usize },
}

/// Sorted runs of breaks, one for each partition.
pub(crate) struct Results<'a> {
    runs: Mutex<Vec<Vec<Page>>>,
    budget: &'a Budget,
    spill: &'a dyn Spill,
}

const PAGE_BYTES: usize = 4 * 1024;
/// Breaks that go to the other thread at once, and how many such pieces may wait.
const PIECE: usize = 256;
const AHEAD: usize = 16;
/// Bytes behind the rows of a page, so that eight can be read at once.
const SLACK: usize = 8;

impl<'a> Results<'a> {
    pub(crate) const fn new(budget: &'a Budget, spill: &'a dyn Spill) -> Self {
        Self { runs: Mutex::new(Vec::new()), budget, spill }
    }

    /// Adds the breaks of one partition.
    pub(crate) fn add(&self, found: &[Break], texts: &Texts) -> io::Result<()> {
        if found.is_empty() {
            return Ok(());
        }
        let mut order: Vec<Place> = found.iter().enumerate().map(|(at, found)| found.place(at)).collect();
        order.sort_unstable_by(|one, other| one.compare(other, texts, |at| found.get(at)));
        let mut pages = Vec::new();
        let (mut differences, mut page, mut used) = (Differences::<NUMBERS>::new(), vec![0; PAGE_BYTES], 0);
        for found in order.iter().filter_map(|place| found.get(place.at)) {
            if used + row_max(NUMBERS) > PAGE_BYTES {
                self.put(&page[..used], &mut pages)?;
                (differences, used) = (Differences::new(), 0);
            }
            used += differences.write(&found.to_numbers(), &mut page[used..]);
        }
        page.truncate(used);
        self.put(&page, &mut pages)?;
        self.runs.lock().unwrap_or_else(PoisonError::into_inner).push(pages);
        Ok(())
    }

    fn put(&self, rows: &[u8], pages: &mut Vec<Page>) -> io::Result<()> {
        let bytes = [rows, &[0; SLACK]].concat();
        let length = bytes.len();
        pages.push(if self.budget.take(length) {
            Page::Here(bytes)
        } else {
            Page::Spilled { offset: self.spill.append(&bytes)?, length }
        });
        Ok(())
    }

    /// Hands out all breaks in order; with more than one thread they are merged on another one than `take` runs on.
    pub(crate) fn hand_out(
        self,
        texts: &Texts,
        threads: usize,
        mut take: impl FnMut(&Break) -> io::Result<()>,
    ) -> io::Result<()> {
        if threads == 1 {
            return self.merge(texts, take);
        }
        thread::scope(|scope| {
            let (send, receive) = mpsc::sync_channel::<Vec<Break>>(AHEAD);
            let merging = scope.spawn(move || self.merge_ahead(texts, &send));
            // On a failure the channel closes, and the other thread ends with its next piece.
            let taken = receive.into_iter().flatten().try_for_each(|found| take(&found));
            let merged = merging.join().unwrap_or_else(|_| Err(io::Error::other("the merging of results stopped")));
            taken.and(merged)
        })
    }

    fn merge_ahead(self, texts: &Texts, send: &mpsc::SyncSender<Vec<Break>>) -> io::Result<()> {
        let closed = |_| io::Error::other("the results are not taken any more");
        let mut piece = Vec::with_capacity(PIECE);
        self.merge(texts, |found| {
            piece.push(*found);
            if piece.len() < PIECE {
                return Ok(());
            }
            send.send(std::mem::replace(&mut piece, Vec::with_capacity(PIECE))).map_err(closed)
        })?;
        send.send(piece).map_err(closed)
    }

    /// Hands out all breaks in order.
    fn merge(self, texts: &Texts, mut take: impl FnMut(&Break) -> io::Result<()>) -> io::Result<()> {
        let runs = self.runs.into_inner().unwrap_or_else(PoisonError::into_inner);
        let mut cursors = Vec::with_capacity(runs.len());
        for run in runs {
            let mut cursor = Cursor::new(run);
            cursor.advance(self.spill)?;
            cursors.push(cursor);
        }
        let first = |cursors: &[Cursor], run: usize| cursors.get(run)?.first.as_ref().map(|found| found.place(run));
        let mut heap: Vec<Place> = (0..cursors.len()).filter_map(|run| first(&cursors, run)).collect();
        heap.sort_unstable_by(|one, other| one.compare(other, texts, |run| cursors.get(run)?.first.as_ref()));
        while let Some(least) = heap.first().map(|place| place.at) {
            if let Some(first) = &cursors[least].first {
                take(first)?;
            }
            cursors[least].advance(self.spill)?;
            match first(&cursors, least) {
                Some(next) => heap[0] = next,
                None => drop(heap.swap_remove(0)),
            }
            sink_first(&mut heap, &cursors, texts);
        }
        Ok(())
    }
}

/// Puts the first place where it belongs in a heap of which the rest is in order.
fn sink_first(heap: &mut [Place], cursors: &[Cursor], texts: &Texts) {
    let before = |one: &Place, other: &Place| {
        one.compare(other, texts, |run| cursors.get(run)?.first.as_ref()) == Ordering::Less
    };
    let mut at = 0;
    loop {
        let mut least = at;
        for child in [2 * at + 1, 2 * at + 2] {
            if child < heap.len() && before(&heap[child], &heap[least]) {
                least = child;
            }
        }
        if least == at {
            return;
        }
        heap.swap(at, least);
        at = least;
    }
}

/// Where a run stands. Only its first break is unpacked: all runs are open at once.
struct Cursor {
    pages: std::vec::IntoIter<Page>,
    bytes: Vec<u8>,
    position: Position<NUMBERS>,
    first: Option<Break>,
}

impl Cursor {
    /// Before the first break.
    fn new(run: Vec<Page>) -> Self {
        Self { pages: run.into_iter(), bytes: Vec::new(), position: Position::front(0), first: None }
    }

    fn advance(&mut self, spill: &dyn Spill) -> io::Result<()> {
        loop {
            let mut numbers = [0; NUMBERS];
            while self.position.next(&self.bytes, &mut numbers) {
                self.first = Break::from_numbers(&numbers);
                if self.first.is_some() {
                    return Ok(());
                }
            }
            match self.pages.next() {
                None => {
                    self.first = None;
                    return Ok(());
                }
                Some(Page::Here(bytes)) => self.bytes = bytes,
                Some(Page::Spilled { offset, length }) => {
                    self.bytes.resize(length, 0);
                    spill.read(offset, &mut self.bytes)?;
                }
            }
            self.position = Position::front(self.bytes.len() - SLACK);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn some_break(number: u64) -> Break {
        Break {
            class: Class::ALL[usize::try_from(number % 33).unwrap()],
            holding: number,
            terminal: Code(number % 7),
            rrn: Code(number.wrapping_mul(77) % 1_000),
            key: number.is_multiple_of(2).then_some((number, number % 1_000_000)),
            merchant: Code(3),
            agent: Code(0),
            account: Code(u64::MAX),
            account_age: number.is_multiple_of(3).then_some(-5),
            account_merchants: 0,
            amounts: [Some(-7), None, Some(i64::MAX), Some(0), None, Some(i64::from(number as u32))],
            effect: -1,
            places: [None, Some((2, number)), Some((0x4000, 9)), None],
        }
    }

    proptest! {
        #[test]
        fn breaks_come_back_in_order(numbers in prop::collection::vec(0_u64..1_000_000, 0..900), limit in 0_usize..100_000, runs in 1_usize..9, threads in 1_usize..3) {
            let texts = Texts::default();
            let (budget, memory) = (Budget::new(limit), Mutex::<Vec<u8>>::default());
            let results = Results::new(&budget, &memory);
            let mut all: Vec<Break> = numbers.into_iter().map(some_break).collect();
            for run in all.chunks(all.len() / runs + 1) {
                results.add(run, &texts).unwrap();
            }
            let mut merged = Vec::new();
            results.hand_out(&texts, threads, |found| { merged.push(*found); Ok(()) }).unwrap();
            all.sort_by(|one, other| {
                let both = [*one, *other];
                one.place(0).compare(&other.place(1), &texts, |at| both.get(at))
            });
            prop_assert_eq!(merged, all);
        }
    }
}
