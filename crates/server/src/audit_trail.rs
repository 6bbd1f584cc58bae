//! Writes the audit behind the requests: an act is handed over in memory and committed by a thread of its own.

use std::sync::{Mutex, PoisonError};
use std::thread::JoinHandle;

use onus_store::audit::{self, AuditRow};
use onus_store::{StoreError, Writer};
use tokio::sync::mpsc::{Receiver, Sender, channel};

/// Acts that wait for their commit; beyond this, requests wait.
const WAITING_MAX: usize = 4096;
const GROUP_MAX: usize = 256;
/// A commit already waits long for a busy store; then the acts go to the log of the process.
const TRIES: u32 = 5;

/// An act with the tenant it belongs to.
#[derive(Debug, Clone)]
pub(crate) struct Act {
    pub(crate) tenant: String,
    pub(crate) row: AuditRow,
}

/// Takes acts until it is closed.
#[derive(Debug)]
pub(crate) struct AuditTrail {
    queue: Mutex<Option<Sender<Act>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl AuditTrail {
    pub(crate) fn start(writer: Writer) -> Result<Self, StoreError> {
        let (queue, acts) = channel(WAITING_MAX);
        let thread = std::thread::Builder::new()
            .name("onus-audit".into())
            .spawn(move || run(&writer, acts))
            .map_err(|error| StoreError::NotCommitted { detail: format!("no thread for the audit: {error}") })?;
        Ok(Self { queue: Mutex::new(Some(queue)), thread: Mutex::new(Some(thread)) })
    }

    /// Hands an act over; waits only when very many are not committed yet.
    pub(crate) async fn record(&self, act: Act) {
        let queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let refused = match queue {
            Some(queue) => queue.send(act).await.err().map(|error| error.0),
            None => Some(act),
        };
        if let Some(act) = refused {
            log_lost(&act, "the server is closing");
        }
    }

    /// Waits until every act is committed. Acts that come later go to the log of the process.
    pub(crate) fn close(&self) {
        drop(self.queue.lock().unwrap_or_else(PoisonError::into_inner).take());
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if thread.is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the audit thread panicked");
        }
    }
}

fn run(writer: &Writer, mut acts: Receiver<Act>) {
    let mut group = Vec::with_capacity(GROUP_MAX);
    while acts.blocking_recv_many(&mut group, GROUP_MAX) > 0 {
        commit(writer, std::mem::take(&mut group));
    }
}

fn commit(writer: &Writer, group: Vec<Act>) {
    let group = std::sync::Arc::new(group);
    for attempt in 1..=TRIES {
        let acts = std::sync::Arc::clone(&group);
        let written = writer.write(move |tx| {
            for act in acts.iter() {
                audit::append(tx, &act.tenant, [&act.row])?;
            }
            Ok(())
        });
        match written {
            Ok(()) => return,
            Err(error) => tracing::error!(%error, attempt, "the audit was not committed"),
        }
    }
    for act in group.iter() {
        log_lost(act, "the store refused it");
    }
}

/// The log of the process is the last place where an act can be kept.
fn log_lost(act: &Act, why: &str) {
    let AuditRow { at, actor, action, resource, outcome, .. } = &act.row;
    tracing::error!(at, actor, action, resource, outcome, why, "an act is only in this log");
}
