//! The journal: what the tap records, on the disk.
//!
//! Workers write their records with `write()` into the segment at once, in small batches, and before the requests they
//! are about go upstream: a killed process forgets no payment that it sent. One thread calls `fdatasync`, for all
//! records since the last call together (group commit), begins new segments and closes old ones.
//!
//! What is written but not yet synced is also kept in memory: when the disk refuses a write or a sync, nobody can say
//! what of it arrived, so a new segment is begun and gets all of it again.

mod commit;
mod recovery;
mod segment;

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::Waker;

use crate::clock::Clock;
use crate::config::{Durability, JournalConfig};

pub(crate) use recovery::{Carried, Recovered, recover};
use segment::Segment;

/// The journal cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The folder or a file in it cannot be read or written.
    #[error("journal {}: {what}: {error}", path.display())]
    Disk {
        /// The file or folder.
        path: PathBuf,
        /// What was tried.
        what: &'static str,
        /// What the system says.
        error: std::io::Error,
    },
    /// Another process writes into the folder.
    #[error("journal {}: another gateway writes here; give each gateway a folder of its own", path.display())]
    InUse {
        /// The folder.
        path: PathBuf,
    },
}

impl JournalError {
    fn disk(path: impl Into<PathBuf>, what: &'static str) -> impl FnOnce(std::io::Error) -> JournalError {
        let path = path.into();
        move |error| JournalError::Disk { path, what, error }
    }
}

/// Writes the records that a new segment begins with: the exchanges that are open.
pub(crate) type CarryOver = Box<dyn Fn(&mut Vec<u8>) + Send + Sync>;

/// What a segment says about itself.
#[derive(Debug, Clone)]
pub(crate) struct Identity {
    pub(crate) dialect: String,
    pub(crate) gateway: String,
}

/// The journal of one gateway, shared by all its threads.
pub(crate) struct Journal {
    config: JournalConfig,
    identity: Identity,
    clock: Arc<dyn Clock>,
    writer: Mutex<Writer>,
    /// All bytes up to here were handed over.
    written: AtomicU64,
    /// All bytes up to here are on the disk.
    durable: AtomicU64,
    failing: AtomicBool,
    /// Bytes of records that were dropped because the disk failed for too long.
    lost_bytes: AtomicU64,
    syncs: AtomicU64,
    /// When the oldest record was written that is not on the disk; 0 when all are.
    oldest_unsynced: AtomicU64,
    wanted: Mutex<Wanted>,
    wake_thread: Condvar,
    waiting: Mutex<Vec<Waker>>,
    _lock: std::fs::File,
}

struct Writer {
    segment: Segment,
    position: u64,
    /// Everything since `durable`.
    unsynced: Vec<u8>,
}

#[derive(Default)]
struct Wanted {
    sync: bool,
    stop: bool,
}

/// How the journal stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct JournalState {
    /// The disk refuses records.
    pub failing: bool,
    /// Bytes handed over since the start.
    pub written_bytes: u64,
    /// Bytes of them that are not on the disk yet.
    pub unsynced_bytes: u64,
    /// Age in microseconds of the oldest record that is not on the disk.
    pub lag_us: u64,
    /// Calls of fdatasync.
    pub syncs: u64,
    /// Bytes of records that were dropped while the disk failed.
    pub lost_bytes: u64,
    /// Number of the current segment.
    pub segment: u64,
}

impl Journal {
    /// Begins the journal after recovery: a new segment that starts with `carried` records.
    pub(crate) fn begin(
        config: JournalConfig,
        identity: Identity,
        clock: Arc<dyn Clock>,
        recovered: &mut Recovered,
    ) -> Result<Journal, JournalError> {
        let mut first = Vec::new();
        recovered.carry_over(&mut first);
        let segment = Segment::create(&config.folder, recovered.next_segment, &identity, clock.now(), &first)?;
        Ok(Journal {
            writer: Mutex::new(Writer { segment, position: 0, unsynced: Vec::new() }),
            written: AtomicU64::new(0),
            durable: AtomicU64::new(0),
            failing: AtomicBool::new(false),
            lost_bytes: AtomicU64::new(0),
            syncs: AtomicU64::new(0),
            oldest_unsynced: AtomicU64::new(0),
            wanted: Mutex::default(),
            wake_thread: Condvar::new(),
            waiting: Mutex::default(),
            _lock: recovered.lock.take().map_or_else(|| segment::lock(&config.folder), Ok)?,
            config,
            identity,
            clock,
        })
    }

    fn writer(&self) -> MutexGuard<'_, Writer> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes a batch of whole records and empties it. Gives the position to wait for, or none when the disk has been
    /// failing for so long that the records were dropped.
    pub(crate) fn write(&self, batch: &mut Vec<u8>) -> Option<u64> {
        self.write_then(batch, || {})
    }

    /// As [`Journal::write`]; `then` runs before a new segment can be begun.
    pub(crate) fn write_then(&self, batch: &mut Vec<u8>, then: impl FnOnce()) -> Option<u64> {
        if batch.is_empty() {
            return Some(self.written.load(Ordering::Acquire));
        }
        let mut writer = self.writer();
        let position = self.append(&mut writer, batch);
        batch.clear();
        then();
        position
    }

    fn append(&self, writer: &mut Writer, batch: &[u8]) -> Option<u64> {
        let too_much = writer.unsynced.len() as u64 > self.config.max_unflushed_bytes.saturating_mul(2);
        if self.is_failing() && too_much {
            self.lost_bytes.fetch_add(batch.len() as u64, Ordering::Relaxed);
            return None;
        }
        if !self.is_failing()
            && let Err(error) = writer.segment.append(batch)
        {
            self.fail("writing", &error);
        }
        if writer.unsynced.is_empty() {
            self.oldest_unsynced.store(self.clock.ticks(), Ordering::Relaxed);
        }
        writer.unsynced.extend_from_slice(batch);
        writer.position += batch.len() as u64;
        self.written.store(writer.position, Ordering::Release);
        Some(writer.position)
    }

    /// The disk refused something.
    pub(crate) fn fail(&self, what: &str, error: &std::io::Error) {
        if !self.failing.swap(true, Ordering::AcqRel) {
            tracing::error!("journal {}: {what}: {error}", self.config.folder.display());
        }
        self.want_sync();
    }

    /// Whether the disk refuses records.
    pub(crate) fn is_failing(&self) -> bool {
        self.failing.load(Ordering::Acquire)
    }

    /// Whether requests must wait until records are on the disk.
    pub(crate) fn is_full(&self) -> bool {
        self.config.durability == Durability::Async
            && !self.is_failing()
            && self.unsynced_bytes() > self.config.max_unflushed_bytes
    }

    fn unsynced_bytes(&self) -> u64 {
        self.written.load(Ordering::Acquire).saturating_sub(self.durable.load(Ordering::Acquire))
    }

    /// All bytes up to here are on the disk.
    pub(crate) fn durable(&self) -> u64 {
        self.durable.load(Ordering::Acquire)
    }

    /// Asks for a sync as soon as the disk is free.
    pub(crate) fn want_sync(&self) {
        let mut wanted = self.wanted.lock().unwrap_or_else(PoisonError::into_inner);
        if !wanted.sync {
            wanted.sync = true;
            self.wake_thread.notify_one();
        }
    }

    /// Ends the thread after a last sync.
    pub(crate) fn stop(&self) {
        self.wanted.lock().unwrap_or_else(PoisonError::into_inner).stop = true;
        self.wake_thread.notify_one();
    }

    /// Wakes the task after the next sync.
    pub(crate) fn wake_after_sync(&self, waker: &Waker) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if !waiting.iter().any(|known| known.will_wake(waker)) {
            waiting.push(waker.clone());
        }
    }

    fn wake_all(&self) {
        let waiting = std::mem::take(&mut *self.waiting.lock().unwrap_or_else(PoisonError::into_inner));
        waiting.into_iter().for_each(Waker::wake);
    }

    /// How it stands.
    pub(crate) fn state(&self) -> JournalState {
        let oldest = self.oldest_unsynced.load(Ordering::Relaxed);
        JournalState {
            failing: self.is_failing(),
            written_bytes: self.written.load(Ordering::Acquire),
            unsynced_bytes: self.unsynced_bytes(),
            lag_us: if oldest == 0 { 0 } else { self.clock.ticks().saturating_sub(oldest) },
            syncs: self.syncs.load(Ordering::Relaxed),
            lost_bytes: self.lost_bytes.load(Ordering::Relaxed),
            segment: self.writer().segment.number(),
        }
    }
}

#[cfg(test)]
mod tests;
