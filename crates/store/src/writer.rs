//! Group commit: small writes of many threads share one transaction and one wait for the disk.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use crate::{Store, StoreError, Tx};

/// Callers that wait beyond this are held back by the queue.
const QUEUE_MAX: usize = 1024;

/// Runs the writes of many threads in shared transactions. Clones share the queue and its thread.
///
/// A write is acknowledged only when the shared transaction is durable, and one that fails
/// undoes only itself.
#[derive(Debug, Clone)]
pub struct Writer {
    // The order matters: the thread ends, and can be joined, when the last sender is gone.
    queue: SyncSender<Job>,
    _thread: Arc<JoinOnDrop>,
}

#[derive(Debug)]
struct JoinOnDrop(Mutex<Option<JoinHandle<()>>>);

impl Drop for JoinOnDrop {
    fn drop(&mut self) {
        let thread = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            let _ = thread.join();
        }
    }
}

type Work = Box<dyn FnMut(&mut Tx<'_>) -> Result<(), StoreError> + Send>;

/// A write that waits for its turn. It may run more than once; `acknowledge` is called once.
struct Job {
    work: Work,
    acknowledge: Box<dyn FnOnce(Result<(), StoreError>) + Send>,
}

impl Writer {
    /// Starts the writing thread. At most `group_max` writes share a transaction.
    pub fn start(store: Store, group_max: usize) -> Result<Self, StoreError> {
        let (queue, jobs) = sync_channel(QUEUE_MAX);
        let thread = std::thread::Builder::new()
            .name("onus-writer".into())
            .spawn(move || run(&store, &jobs, group_max.max(1)))
            .map_err(|error| StoreError::NotCommitted { detail: format!("no thread for the writer: {error}") })?;
        Ok(Self { queue, _thread: Arc::new(JoinOnDrop(Mutex::new(Some(thread)))) })
    }

    /// Runs `work` together with the writes of other threads, and returns when its outcome is durable.
    ///
    /// `work` runs again when the shared transaction has to be repeated, so it must have no effect
    /// but on its `Tx`.
    pub fn write<T: Send + 'static>(
        &self,
        mut work: impl FnMut(&mut Tx<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let value = Arc::new(Mutex::new(None));
        let slot = Arc::clone(&value);
        let (acknowledge, acknowledged) = sync_channel(1);
        let job = Job {
            work: Box::new(move |tx| {
                let done = work(tx)?;
                *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(done);
                Ok(())
            }),
            acknowledge: Box::new(move |outcome| {
                let _ = acknowledge.send(outcome); // the caller may be gone
            }),
        };
        let gone = || StoreError::NotCommitted { detail: "the writing thread has ended".into() };
        self.queue.send(job).map_err(|_| gone())?;
        acknowledged.recv().map_err(|_| gone())??;
        value.lock().unwrap_or_else(PoisonError::into_inner).take().ok_or_else(gone)
    }
}

fn run(store: &Store, jobs: &Receiver<Job>, group_max: usize) {
    // While one group is being committed the next one gathers in the queue.
    while let Ok(first) = jobs.recv() {
        let mut group = vec![first];
        group.extend(jobs.try_iter().take(group_max - 1));
        commit(store, group);
    }
}

fn commit(store: &Store, mut group: Vec<Job>) {
    let committed = store.write(|tx| {
        let mut outcomes = Vec::with_capacity(group.len());
        for job in &mut group {
            let outcome = tx.savepoint(|tx| run_one(job, tx));
            tx.refuse_if_spoiled()?; // lost or broken as a whole, not by this job
            outcomes.push(outcome);
        }
        Ok(outcomes)
    });
    match committed {
        Ok(outcomes) => {
            for (job, outcome) in group.into_iter().zip(outcomes) {
                (job.acknowledge)(outcome);
            }
        }
        Err(error) => {
            for job in group {
                (job.acknowledge)(Err(error.clone()));
            }
        }
    }
}

/// A panic of one caller's closure must not end the thread that all callers need.
fn run_one(job: &mut Job, tx: &mut Tx<'_>) -> Result<(), StoreError> {
    catch_unwind(AssertUnwindSafe(|| (job.work)(tx)))
        .unwrap_or_else(|_| Err(StoreError::NotCommitted { detail: "the write panicked".into() }))
}
