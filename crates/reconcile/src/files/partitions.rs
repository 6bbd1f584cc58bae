//! Rows by terminal: every record of a payment lies in the same partition, so that matching stays local.

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use super::layout::Source;
use super::packing::Packer;

/// Where rows go that memory has no room for.
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

/// Bytes behind the rows of a chunk, so that eight can be read at once.
const SLACK: usize = 8;

enum Held {
    Here(Vec<u8>),
    Spilled { offset: u64, length: usize },
}

/// A stream of packed rows of one source.
pub(crate) struct Chunk {
    source: Source,
    held: Held,
}

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
            self.give(bytes);
        }
        fits
    }

    fn give(&self, bytes: usize) {
        self.held.fetch_sub(bytes, Ordering::Relaxed);
    }
}

/// All rows of a run, in partitions.
pub(crate) struct Partitions<'a> {
    chunks: Vec<Mutex<Vec<Chunk>>>,
    spill: &'a dyn Spill,
    budget: &'a Budget,
    spilled: AtomicUsize,
    chunk_bytes: usize,
    shift: u32,
}

impl<'a> Partitions<'a> {
    /// `count` is a power of two.
    pub(crate) fn new(count: usize, chunk_bytes: usize, budget: &'a Budget, spill: &'a dyn Spill) -> Self {
        let count = count.next_power_of_two().max(2);
        Self {
            chunks: (0..count).map(|_| Mutex::default()).collect(),
            spill,
            budget,
            spilled: AtomicUsize::new(0),
            chunk_bytes,
            shift: 64 - count.trailing_zeros(),
        }
    }

    pub(crate) fn count(&self) -> usize {
        self.chunks.len()
    }

    /// Bytes that were spilled.
    pub(crate) fn spilled(&self) -> usize {
        self.spilled.load(Ordering::Relaxed)
    }

    #[inline]
    fn of(&self, terminal: u64) -> usize {
        (terminal.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> self.shift) as usize
    }

    fn put(&self, partition: usize, source: Source, mut bytes: Vec<u8>) -> io::Result<()> {
        if bytes.is_empty() {
            return Ok(());
        }
        bytes.resize(bytes.len() + SLACK, 0);
        bytes.shrink_to_fit();
        let length = bytes.len();
        let held = if self.budget.take(length) {
            Held::Here(bytes)
        } else {
            self.spilled.fetch_add(length, Ordering::Relaxed);
            Held::Spilled { offset: self.spill.append(&bytes)?, length }
        };
        if let Some(chunks) = self.chunks.get(partition) {
            chunks.lock().unwrap_or_else(PoisonError::into_inner).push(Chunk { source, held });
        }
        Ok(())
    }

    /// Takes the chunks of a partition out.
    pub(crate) fn take(&self, partition: usize) -> Vec<Chunk> {
        self.chunks
            .get(partition)
            .map_or_else(Vec::new, |chunks| std::mem::take(&mut *chunks.lock().unwrap_or_else(PoisonError::into_inner)))
    }

    /// Hands the packed rows of a chunk to `visit`, with their length, and lets them go. `buffer` is used again.
    pub(crate) fn open(
        &self,
        chunk: Chunk,
        buffer: &mut Vec<u8>,
        visit: impl FnOnce(Source, &[u8], usize),
    ) -> io::Result<()> {
        match chunk.held {
            Held::Here(bytes) => {
                self.budget.give(bytes.len());
                visit(chunk.source, &bytes, bytes.len() - SLACK);
            }
            Held::Spilled { offset, length } => {
                buffer.resize(length, 0);
                self.spill.read(offset, buffer)?;
                visit(chunk.source, buffer, length - SLACK);
            }
        }
        Ok(())
    }
}

/// Spreads the rows that one thread reads over the partitions.
pub(crate) struct Spreader<'a, const N: usize> {
    to: &'a Partitions<'a>,
    source: Source,
    packers: Vec<Packer<N>>,
    /// The first failure of the spill file; told at the end, because rows come from deep inside.
    failed: Option<io::Error>,
}

impl<'a, const N: usize> Spreader<'a, N> {
    pub(crate) fn new(to: &'a Partitions<'a>, source: Source) -> Self {
        Self { to, source, packers: (0..to.count()).map(|_| Packer::new()).collect(), failed: None }
    }

    #[inline]
    pub(crate) fn push(&mut self, terminal: u64, row: &[u64; N]) {
        let partition = self.to.of(terminal);
        let Some(packer) = self.packers.get_mut(partition) else { return };
        if !packer.has_room() {
            let full = packer.renew(self.to.chunk_bytes);
            if let Err(error) = self.to.put(partition, self.source, full) {
                self.failed.get_or_insert(error);
            }
        }
        packer.push(row);
    }

    /// Puts away what is left.
    pub(crate) fn finish(mut self) -> io::Result<()> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        for (partition, packer) in self.packers.iter_mut().enumerate() {
            self.to.put(partition, self.source, packer.finish())?;
        }
        Ok(())
    }
}
