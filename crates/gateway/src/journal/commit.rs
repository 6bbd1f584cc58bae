//! The thread that makes records durable: one sync for all that were written since the last one.

use std::sync::Arc;
use std::sync::PoisonError;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::segment::Segment;
use super::{CarryOver, Journal, JournalError};
use crate::config::Durability;

/// Pause before a failing disk is tried again.
const RETRY: Duration = Duration::from_millis(200);

impl Journal {
    /// Runs until [`Journal::stop`]; then everything that the disk took is durable.
    pub(crate) fn run(&self, carry_over: &CarryOver) {
        loop {
            let stop = self.wait_for_work();
            self.commit(carry_over);
            if stop {
                self.close_last();
                return;
            }
        }
    }

    /// Waits until somebody wants a sync, or with `async` until it is time for one.
    fn wait_for_work(&self) -> bool {
        let pause = match self.config.durability {
            _ if self.is_failing() => RETRY,
            Durability::Async => Duration::from_millis(self.config.flush_ms),
            // Records that no reply waits for (connections, links) reach the disk as well.
            Durability::BeforeReply => Duration::from_millis(self.config.flush_ms.max(100)),
        };
        let wanted = self.wanted.lock().unwrap_or_else(PoisonError::into_inner);
        let idle = |wanted: &mut super::Wanted| !wanted.stop && (!wanted.sync || self.is_failing());
        let waited = self.wake_thread.wait_timeout_while(wanted, pause, idle);
        let (mut wanted, _) = waited.unwrap_or_else(PoisonError::into_inner);
        wanted.sync = false;
        wanted.stop
    }

    /// One sync, and a new segment when it is time for one.
    pub(super) fn commit(&self, carry_over: &CarryOver) {
        if self.is_failing() {
            match self.begin_again(carry_over) {
                Ok(()) => tracing::warn!("journal {}: the disk takes records again", self.config.folder.display()),
                Err(error) => tracing::debug!("{error}"),
            }
            return;
        }
        let (file, position, is_done) = {
            let writer = self.writer();
            let segment = &writer.segment;
            let is_done = segment.length() > self.config.segment_bytes
                || segment.is_older(self.config.segment_s, self.clock.now());
            (Arc::clone(&segment.file), writer.position, is_done)
        };
        if position > self.durable() {
            match file.sync_data() {
                Ok(()) => self.is_durable(position),
                Err(error) => return self.fail("syncing", &error),
            }
        }
        if is_done && let Err(error) = self.roll(carry_over) {
            tracing::error!("{error}");
            self.failing.store(true, Ordering::Release);
        }
    }

    fn is_durable(&self, position: u64) {
        {
            let mut writer = self.writer();
            let synced = position.saturating_sub(self.durable.load(Ordering::Acquire));
            let synced = usize::try_from(synced).unwrap_or(usize::MAX).min(writer.unsynced.len());
            writer.unsynced.drain(..synced);
            let oldest = if writer.unsynced.is_empty() { 0 } else { self.clock.ticks() };
            self.oldest_unsynced.store(oldest, Ordering::Relaxed);
            self.syncs.fetch_add(1, Ordering::Relaxed);
            self.durable.store(position, Ordering::Release);
        }
        self.wake_all();
    }

    /// Begins the next segment. No record is written while the open exchanges are gathered, so that each one is in the
    /// old segment, or among them, or in the new one behind them.
    fn roll(&self, carry_over: &CarryOver) -> Result<(), JournalError> {
        let (old, position) = {
            let mut writer = self.writer();
            let mut first = Vec::new();
            carry_over(&mut first);
            let number = writer.segment.number() + 1;
            let folder = &self.config.folder;
            let next = Segment::create(folder, number, &self.identity, self.clock.now(), &first)?;
            (std::mem::replace(&mut writer.segment, next), writer.position)
        };
        old.close(&self.config.folder)?;
        self.is_durable(position);
        Ok(())
    }

    /// After a failure: a new segment that gets everything again of which nobody knows whether it arrived.
    fn begin_again(&self, carry_over: &CarryOver) -> Result<(), JournalError> {
        let position = {
            let mut writer = self.writer();
            let mut first = Vec::new();
            carry_over(&mut first);
            first.extend_from_slice(&writer.unsynced);
            let number = writer.segment.number() + 1;
            let folder = &self.config.folder;
            writer.segment = Segment::create(folder, number, &self.identity, self.clock.now(), &first)?;
            self.failing.store(false, Ordering::Release);
            writer.position
        };
        self.is_durable(position);
        Ok(())
    }

    fn close_last(&self) {
        if self.is_failing() {
            return;
        }
        if let Err(error) = self.writer().segment.close(&self.config.folder) {
            tracing::error!("{error}");
        }
    }
}
