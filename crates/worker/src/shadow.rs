//! A draft pack beside the one in force, over every verdict of the store: history, and what came since the draft was put
//! beside it. Nothing is changed.

use std::sync::Mutex;
use std::sync::mpsc::{Receiver, sync_channel};

use onus_liability::{Changed, Pack, ShadowReport, compare};
use onus_model::Instant;
use onus_store::rejudgements;
use onus_store::{Scope, Store, StoreError};

use crate::error::WorkerError;
use crate::packs::live_pack;
use crate::verdict_facts;

/// Verdicts handed over at once.
const BATCH: usize = 4_096;

/// What a shadow run came to.
#[derive(Debug, Default)]
pub struct Shadowed {
    /// Every verdict.
    pub all: ShadowReport,
    /// Those decided since a time.
    pub since: ShadowReport,
    /// Verdicts of older programs, whose facts were not kept.
    pub without_facts: u64,
    /// The first that would be others: payment, kind, loss and how.
    pub examples: Vec<(String, String, i64, Changed)>,
}

/// A verdict on its way.
struct Verdict {
    payment: String,
    kind: String,
    loss_minor: i64,
    recent: bool,
    facts: String,
}

/// Judges every verdict by both packs. `since` splits off what is recent; at most `examples` are kept.
///
/// # Errors
/// When the store fails or its facts do not read.
pub fn shadow(
    store: &Store,
    tenant: &str,
    draft: &Pack,
    since: Option<Instant>,
    examples: usize,
    threads: usize,
) -> Result<Shadowed, WorkerError> {
    let live = store.read(|tx| live_pack(tx, tenant))?;
    let (send, batches) = sync_channel::<Vec<Verdict>>(4);
    let batches = Mutex::new(batches);
    let parts = std::thread::scope(|scope| -> Result<Vec<Shadowed>, WorkerError> {
        let (live, batches) = (&live, &batches);
        let running: Vec<_> =
            (0..threads.max(1)).map(|_| scope.spawn(move || judge_all(live, draft, batches, examples))).collect();
        let mut without_facts = 0;
        let read = store.read(|tx| {
            let mut batch = Vec::with_capacity(BATCH);
            rejudgements::for_each_verdict(tx, &Scope::all(tenant), |row, _, facts| {
                if facts.is_empty() {
                    without_facts += 1;
                    return Ok(());
                }
                let recent = since.is_some_and(|since| row.decided_at >= since.0);
                let (payment, kind, loss_minor) = (row.payment_id, row.kind, row.loss_minor);
                batch.push(Verdict { payment, kind, loss_minor, recent, facts: facts.to_owned() });
                if batch.len() == BATCH {
                    // Nobody listens only when a thread failed, which is told below.
                    let _ = send.send(std::mem::take(&mut batch));
                }
                Ok(())
            })?;
            let _ = send.send(batch);
            Ok(())
        });
        drop(send);
        let mut parts = vec![Shadowed { without_facts, ..Shadowed::default() }];
        for thread in running {
            let ended = || WorkerError::Evidence("a thread of the shadow run stopped".to_owned());
            parts.push(thread.join().map_err(|_| ended())??);
        }
        read?;
        Ok(parts)
    })?;
    let mut whole = Shadowed::default();
    for part in parts {
        whole.all.add(&part.all);
        whole.since.add(&part.since);
        whole.without_facts += part.without_facts;
        whole.examples.extend(part.examples);
    }
    whole.examples.sort_by(|left, right| (&left.0, &left.1).cmp(&(&right.0, &right.1)));
    whole.examples.truncate(examples);
    Ok(whole)
}

fn judge_all(
    live: &Pack,
    draft: &Pack,
    batches: &Mutex<Receiver<Vec<Verdict>>>,
    examples: usize,
) -> Result<Shadowed, StoreError> {
    let mut done = Shadowed::default();
    let mut fault = None;
    while let Some(batch) = batches.lock().ok().and_then(|batches| batches.recv().ok()) {
        for verdict in batch {
            if let Err(error) = one(live, draft, verdict, examples, &mut done) {
                // The rest is still taken in, so that the reader never waits.
                fault.get_or_insert(error);
            }
        }
    }
    fault.map_or(Ok(done), Err)
}

fn one(live: &Pack, draft: &Pack, verdict: Verdict, examples: usize, done: &mut Shadowed) -> Result<(), StoreError> {
    let mut facts = verdict_facts::decode(&verdict.facts)?;
    facts.word("kind", &verdict.kind, "exception");
    let changed = compare(live, draft, &facts);
    if verdict.recent {
        done.since.count(changed.as_ref(), verdict.loss_minor);
    }
    done.all.count(changed.as_ref(), verdict.loss_minor);
    if let Some(changed) = changed.filter(|_| done.examples.len() < examples) {
        done.examples.push((verdict.payment, verdict.kind, verdict.loss_minor, changed));
    }
    Ok(())
}
