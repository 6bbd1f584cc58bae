//! Brings what passed to the detectors, on a thread of its own: no payment waits for them.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Mutex, PoisonError};

use onus_intake::tap::Record;
use onus_model::Instant;

use crate::detect::{Alarm, Detectors, Sighting, Way};
use crate::gateway::SnapshotSource;
use crate::journal::Journal;
use crate::seen::{PaymentRef, Seen};
use crate::stats::AlarmText;

/// Batches that may wait; when the detectors are behind, further ones are counted and dropped.
const BATCHES: usize = 64;
/// Alarms that are kept for whoever asks.
const KEPT: usize = 100;

/// What the detectors are shown.
#[allow(clippy::large_enum_variant, reason = "nearly all are messages; a box each would cost more")]
pub(crate) enum Sighted {
    /// A message.
    Message { seen: Seen, way: Way, now: Instant },
    /// A terminal closed while it waited for the reply to a payment.
    Closed { payment: PaymentRef, now: Instant },
}

/// The way to the detectors.
pub(crate) struct Watch {
    send: Mutex<Option<SyncSender<Vec<Sighted>>>>,
    /// Messages that the detectors did not see.
    missed: AtomicU64,
    alarms: AtomicU64,
    last: Mutex<VecDeque<AlarmText>>,
}

impl Watch {
    pub(crate) fn new() -> (Watch, Receiver<Vec<Sighted>>) {
        let (send, receive) = sync_channel(BATCHES);
        let (missed, alarms) = (AtomicU64::new(0), AtomicU64::new(0));
        (Watch { send: Mutex::new(Some(send)), missed, alarms, last: Mutex::default() }, receive)
    }

    /// Takes what passed and leaves `sighted` empty.
    pub(crate) fn take(&self, sighted: &mut Vec<Sighted>) {
        if sighted.is_empty() {
            return;
        }
        let batch = std::mem::take(sighted);
        let send = self.send.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(send) = &*send else { return };
        if let Err(TrySendError::Full(batch)) = send.try_send(batch) {
            self.missed.fetch_add(batch.len() as u64, Ordering::Relaxed);
        }
    }

    /// No more comes: the detectors' thread ends when it has seen all.
    pub(crate) fn end(&self) {
        self.send.lock().unwrap_or_else(PoisonError::into_inner).take();
    }

    pub(crate) fn missed(&self) -> u64 {
        self.missed.load(Ordering::Relaxed)
    }

    pub(crate) fn alarms(&self) -> u64 {
        self.alarms.load(Ordering::Relaxed)
    }

    /// The last alarms, the oldest first.
    pub(crate) fn last(&self) -> Vec<AlarmText> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }

    /// The detectors' thread.
    pub(crate) fn run(
        &self,
        receive: &Receiver<Vec<Sighted>>,
        mut detectors: Detectors,
        snapshots: &SnapshotSource,
        journal: &Journal,
    ) {
        let mut alarms = Vec::new();
        while let Ok(batch) = receive.recv() {
            let snapshot = snapshots.load();
            for sighted in &batch {
                match sighted {
                    Sighted::Message { seen, way, now } => {
                        let (way, now) = (*way, *now);
                        let sighting = Sighting { seen, way, network_place: None, snapshot: &snapshot, now };
                        detectors.observe(&sighting, &mut alarms);
                    }
                    Sighted::Closed { payment, now } => detectors.closed(*payment, *now, &mut alarms),
                }
            }
            if !alarms.is_empty() {
                self.say(&alarms, journal);
                alarms.clear();
            }
        }
    }

    fn say(&self, alarms: &[Alarm], journal: &Journal) {
        let mut records = Vec::new();
        for alarm in alarms {
            let words = alarm.text();
            let text = AlarmText {
                at: alarm.at.0,
                kind: alarm.kind.as_str().to_owned(),
                terminal: String::from_utf8_lossy(&alarm.tid).trim_end().to_owned(),
                zh: words.zh,
                en: words.en,
            };
            let AlarmText { at, kind, terminal, zh, en } = &text;
            Record::Alarm { at: *at, kind, terminal, zh, en }.encode(&mut records, |_| {});
            let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
            if last.len() >= KEPT {
                last.pop_front();
            }
            last.push_back(text);
        }
        self.alarms.fetch_add(alarms.len() as u64, Ordering::Relaxed);
        journal.write(&mut records);
    }
}
