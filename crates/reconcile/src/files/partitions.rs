//! Rows by terminal: every record of a payment lies in the same partition, so that matching stays local.

use std::io;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::ahead::ask_for;
use super::layout::Source;
use super::packing::{Differences, row_max};

/// Takes what memory has no room for.
pub trait Spill: Sync {
    /// Appends bytes; the offset at which they stand.
    ///
    /// # Errors
    /// As the system says.
    fn append(&self, bytes: &[u8]) -> io::Result<u64>;

    /// Reads bytes back.
    ///
    /// # Errors
    /// As the system says.
    fn read(&self, offset: u64, bytes: &mut [u8]) -> io::Result<()>;
}

/// Bytes that stay in memory.
impl Spill for Mutex<Vec<u8>> {
    fn append(&self, bytes: &[u8]) -> io::Result<u64> {
        let mut all = self.lock().unwrap_or_else(PoisonError::into_inner);
        let offset = all.len() as u64;
        all.extend_from_slice(bytes);
        Ok(offset)
    }

    fn read(&self, offset: u64, bytes: &mut [u8]) -> io::Result<()> {
        let all = self.lock().unwrap_or_else(PoisonError::into_inner);
        io::Read::read_exact(
            &mut usize::try_from(offset).ok().and_then(|from| all.get(from..)).unwrap_or_default(),
            bytes,
        )
    }
}

/// Bytes of rows that a partition gathers before they are put away: the bundles of all partitions stay in the cache
/// of a core, and what leaves it is written in one go.
const BUNDLE: usize = 1024;
/// Bytes behind rows that are read, so that eight can be read at once.
const SLACK: usize = 8;

/// Memory that rows and results share.
#[derive(Debug)]
pub(crate) struct Budget {
    limit: usize,
    held: AtomicUsize,
}

impl Budget {
    pub(crate) const fn new(limit: usize) -> Self {
        Self { limit, held: AtomicUsize::new(0) }
    }

    /// Takes bytes, if there are so many left.
    pub(crate) fn take(&self, bytes: usize) -> bool {
        let fits = self.held.fetch_add(bytes, Ordering::Relaxed) + bytes <= self.limit;
        if !fits {
            self.held.fetch_sub(bytes, Ordering::Relaxed);
        }
        fits
    }
}

/// Packed rows of one source and one partition.
#[derive(Debug, Clone, Copy)]
struct Bundle {
    /// Offset in its segment, or in the spill file.
    at: u64,
    /// Number of its segment; none when it was spilled.
    segment: Option<NonZeroU32>,
    length: u16,
    source: Source,
}

impl Bundle {
    fn range(&self) -> std::ops::Range<usize> {
        let at = usize::try_from(self.at).unwrap_or(usize::MAX);
        at..at.saturating_add(usize::from(self.length))
    }

    /// Whether it stands in the spill file right behind another one.
    fn follows(&self, other: &Self) -> bool {
        self.segment.is_none() && other.segment.is_none() && other.at + u64::from(other.length) == self.at
    }
}

/// Bundles one after another, as one thread fills them.
struct Segment {
    room: Vec<u8>,
    used: usize,
    /// With their partitions.
    bundles: Vec<(u32, Bundle)>,
}

/// What is put away.
struct Shelf {
    segments: Vec<Arc<Vec<u8>>>,
    /// By partition.
    bundles: Vec<Vec<Bundle>>,
    /// Segments that no thread fills now.
    open: Vec<Segment>,
    /// Where bundles are put in order before they are spilled.
    desks: Vec<Vec<u8>>,
}

/// All rows of a run, in partitions.
pub(crate) struct Partitions<'a> {
    shelf: Mutex<Shelf>,
    spill: &'a dyn Spill,
    budget: &'a Budget,
    spilled: AtomicUsize,
    count: usize,
    segment_bytes: usize,
}

impl<'a> Partitions<'a> {
    /// `count` is a power of two.
    pub(crate) fn new(count: usize, segment_bytes: usize, budget: &'a Budget, spill: &'a dyn Spill) -> Self {
        let count = count.next_power_of_two().max(2);
        let shelf =
            Shelf { segments: Vec::new(), bundles: vec![Vec::new(); count], open: Vec::new(), desks: Vec::new() };
        Self { shelf: Mutex::new(shelf), spill, budget, spilled: AtomicUsize::new(0), count, segment_bytes }
    }

    pub(crate) const fn count(&self) -> usize {
        self.count
    }

    /// Bytes that were spilled.
    pub(crate) fn spilled(&self) -> usize {
        self.spilled.load(Ordering::Relaxed)
    }

    fn shelf(&self) -> MutexGuard<'_, Shelf> {
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A segment with room.
    fn open_segment(&self) -> Segment {
        let open = self.shelf().open.pop();
        open.unwrap_or_else(|| Segment {
            room: vec![0; self.segment_bytes],
            used: 0,
            bundles: Vec::with_capacity(self.segment_bytes / (BUNDLE - row_max(10)) + 1),
        })
    }

    /// Puts a segment into the shelf; or into the spill file when memory has no room for it, and gives it back empty.
    fn put(&self, mut segment: Segment) -> io::Result<Option<Segment>> {
        if !self.budget.take(segment.used) {
            self.spill(&mut segment)?;
            segment.used = 0;
            segment.bundles.clear();
            return Ok(Some(segment));
        }
        let mut shelf = self.shelf();
        shelf.segments.push(Arc::new(segment.room));
        let number = u32::try_from(shelf.segments.len()).ok().and_then(NonZeroU32::new);
        for (partition, bundle) in segment.bundles {
            shelf.bundles[partition as usize].push(Bundle { segment: number, ..bundle });
        }
        Ok(None)
    }

    /// Bundles of one partition go next to each other, to be read back at once.
    fn spill(&self, segment: &mut Segment) -> io::Result<()> {
        segment.bundles.sort_by_key(|(partition, _)| *partition);
        let desk = self.shelf().desks.pop();
        let mut desk = desk.unwrap_or_else(|| vec![0; self.segment_bytes]);
        let mut used = 0;
        for (_, bundle) in &mut segment.bundles {
            let bytes = &segment.room[bundle.range()];
            desk[used..used + bytes.len()].copy_from_slice(bytes);
            bundle.at = used as u64;
            used += bytes.len();
        }
        let offset = self.spill.append(&desk[..used])?;
        self.spilled.fetch_add(used, Ordering::Relaxed);
        let mut shelf = self.shelf();
        shelf.desks.push(desk);
        for (partition, bundle) in &segment.bundles {
            shelf.bundles[*partition as usize].push(Bundle { at: offset + bundle.at, ..*bundle });
        }
        Ok(())
    }

    /// Puts away what no thread fills any more; rows are read after this.
    pub(crate) fn close(&self) -> io::Result<()> {
        let open = std::mem::take(&mut self.shelf().open);
        open.into_iter().try_for_each(|segment| self.put(segment).map(drop))?;
        self.shelf().desks.clear();
        Ok(())
    }

    /// Reads rows back; one for each thread.
    pub(crate) fn reader(&self) -> PartitionReader<'_> {
        PartitionReader { of: self, segments: self.shelf().segments.clone(), buffer: Vec::new() }
    }
}

/// Reads the rows of partitions, one after another.
pub(crate) struct PartitionReader<'a> {
    of: &'a Partitions<'a>,
    segments: Vec<Arc<Vec<u8>>>,
    buffer: Vec<u8>,
}

impl PartitionReader<'_> {
    /// Hands the bundles of a partition to `visit`: bytes of which so many are rows, with at least eight more behind, and
    /// bytes that may be asked for meanwhile.
    pub(crate) fn read(
        &mut self,
        partition: usize,
        mut visit: impl FnMut(Source, &[u8], usize, &[u8]),
    ) -> io::Result<()> {
        let bundles = std::mem::take(&mut self.of.shelf().bundles[partition]);
        let mut rest = bundles.as_slice();
        while let Some((first, behind)) = rest.split_first() {
            if let Some(rows) = self.in_memory(first) {
                let later = behind.first().and_then(|next| self.in_memory(next)).unwrap_or_default();
                visit(first.source, rows, usize::from(first.length), later.get(..BUNDLE).unwrap_or(later));
                rest = behind;
                continue;
            }
            let adjacent = |pair: &&[Bundle]| pair[1].follows(&pair[0]);
            let count = 1 + rest.windows(2).take_while(adjacent).count();
            let (together, behind) = rest.split_at(count);
            let length = together.iter().map(|bundle| usize::from(bundle.length)).sum::<usize>();
            self.buffer.clear();
            self.buffer.resize(length + SLACK, 0);
            self.of.spill.read(first.at, &mut self.buffer[..length])?;
            let mut from = 0;
            for bundle in together {
                visit(bundle.source, &self.buffer[from..], usize::from(bundle.length), &[]);
                from += usize::from(bundle.length);
            }
            rest = behind;
        }
        Ok(())
    }

    /// The bytes of a bundle and all that stand behind them; none when it was spilled.
    fn in_memory(&self, bundle: &Bundle) -> Option<&[u8]> {
        let segment = self.segments.get(bundle.segment?.get() as usize - 1)?;
        segment.get(usize::try_from(bundle.at).ok()?..)
    }
}

/// A bundle that is being filled.
struct Filling<const N: usize> {
    differences: Differences<N>,
    used: usize,
    bytes: [u8; BUNDLE],
}

/// Spreads the rows that one thread reads over the partitions.
pub(crate) struct Spreader<'a, const N: usize> {
    to: &'a Partitions<'a>,
    source: Source,
    shift: u32,
    filling: Vec<Filling<N>>,
    segment: Option<Segment>,
    /// The first failure of the spill file; told at the end, because rows come from deep inside.
    failed: Option<io::Error>,
}

impl<'a, const N: usize> Spreader<'a, N> {
    pub(crate) fn new(to: &'a Partitions<'a>, source: Source) -> Self {
        let empty = || Filling { differences: Differences::new(), used: 0, bytes: [0; BUNDLE] };
        Self {
            to,
            source,
            shift: 64 - to.count.trailing_zeros(),
            filling: (0..to.count).map(|_| empty()).collect(),
            segment: None,
            failed: None,
        }
    }

    #[inline(always)]
    fn partition(&self, terminal: u64) -> usize {
        (terminal.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> self.shift) as usize
    }

    /// Asks for what is known of the bundle that a row of this terminal goes to.
    #[inline(always)]
    pub(crate) fn ask_for_bundle(&self, terminal: u64) {
        if let Some(filling) = self.filling.get(self.partition(terminal)) {
            ask_for(&filling.used);
            ask_for(&filling.differences);
        }
    }

    /// Asks for where in its bundle the row goes.
    #[inline(always)]
    pub(crate) fn ask_for_place(&self, terminal: u64) {
        let filling = self.filling.get(self.partition(terminal));
        if let Some(byte) = filling.and_then(|filling| filling.bytes.get(filling.used)) {
            ask_for(byte);
        }
    }

    #[inline(always)]
    pub(crate) fn push(&mut self, terminal: u64, row: &[u64; N]) {
        let partition = self.partition(terminal);
        let Some(filling) = self.filling.get_mut(partition) else { return };
        let room = &mut filling.bytes[filling.used..];
        filling.used += filling.differences.write(row, room);
        if filling.used + row_max(N) > BUNDLE {
            self.put(partition);
        }
    }

    /// Puts a bundle behind the others of the segment.
    #[inline(never)]
    fn put(&mut self, partition: usize) {
        let filling = &mut self.filling[partition];
        let used = std::mem::take(&mut filling.used);
        filling.differences = Differences::new();
        if used == 0 {
            return;
        }
        let mut segment = self.segment.take().unwrap_or_else(|| self.to.open_segment());
        let bundle = Bundle {
            segment: None,
            source: self.source,
            length: u16::try_from(used).unwrap_or(u16::MAX),
            at: segment.used as u64,
        };
        segment.room[segment.used..segment.used + used].copy_from_slice(&filling.bytes[..used]);
        segment.used += used;
        segment.bundles.push((u32::try_from(partition).unwrap_or(u32::MAX), bundle));
        self.segment = if segment.used + BUNDLE + SLACK <= self.to.segment_bytes {
            Some(segment)
        } else {
            self.to.put(segment).unwrap_or_else(|error| {
                self.failed.get_or_insert(error);
                None
            })
        };
    }

    /// Puts away what is left.
    pub(crate) fn finish(mut self) -> io::Result<()> {
        for partition in 0..self.filling.len() {
            self.put(partition);
        }
        self.to.shelf().open.extend(self.segment);
        self.failed.map_or(Ok(()), Err)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::super::packing::Unpacker;
    use super::*;

    proptest! {
        #[test]
        fn every_row_comes_back_once_and_by_terminal(
            rows in prop::collection::vec((0_u64..50, any::<u32>()), 0..3_000),
            limit in prop_oneof![Just(0_usize), 0_usize..100_000, Just(usize::MAX / 2)],
            segment in 1_500_usize..50_000,
            turns in 1_usize..4,
        ) {
            let (budget, memory) = (Budget::new(limit), Mutex::<Vec<u8>>::default());
            let partitions = Partitions::new(4, segment, &budget, &memory);
            for (source, part) in [Source::Switch, Source::Payout, Source::Switch].into_iter().cycle().zip(rows.chunks(rows.len() / turns + 1)) {
                let mut spreader = Spreader::<5>::new(&partitions, source);
                for (terminal, number) in part {
                    spreader.push(*terminal, &[*terminal, u64::from(*number), source as u64, 0, 7]);
                }
                spreader.finish().unwrap();
            }
            partitions.close().unwrap();
            let mut reader = partitions.reader();
            let mut back = Vec::new();
            let mut homes: BTreeMap<u64, usize> = BTreeMap::new();
            for partition in 0..partitions.count() {
                reader.read(partition, |source, bytes, length, later| {
                    let mut unpacker = Unpacker::<5>::new(bytes, length, later);
                    let mut rows = unpacker.next().to_vec();
                    while let Some(row) = rows.pop() {
                        assert_eq!((row[2], row[4]), (source as u64, 7));
                        assert_eq!(*homes.entry(row[0]).or_insert(partition), partition);
                        back.push((row[0], u32::try_from(row[1]).unwrap()));
                        if rows.is_empty() {
                            rows = unpacker.next().to_vec();
                        }
                    }
                }).unwrap();
            }
            let mut rows = rows;
            rows.sort_unstable();
            back.sort_unstable();
            prop_assert_eq!(back, rows);
            prop_assert!(partitions.spilled() == 0 || limit < usize::MAX / 2);
        }
    }
}
