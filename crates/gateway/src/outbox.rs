//! What waits to be written to one connection. Any thread may put frames in; the connection's task writes them out, as
//! many as there are in one go.

use std::borrow::Cow;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;

use crate::exchange::Exchange;
use crate::framing::Framer;

/// Why a connection ends, in words.
pub(crate) type Reason = Cow<'static, str>;

/// Says at which byte of the outbox the frame of an exchange ends.
#[derive(Debug)]
pub(crate) struct Mark {
    pub(crate) end: usize,
    pub(crate) exchange: Arc<Exchange>,
}

/// The end of a connection that was asked for.
#[derive(Debug)]
struct End {
    why: Reason,
    /// What waits is written first.
    after_writing: bool,
}

#[derive(Debug, Default)]
struct Waiting {
    bytes: Vec<u8>,
    marks: Vec<Mark>,
    waker: Option<Waker>,
    end: Option<End>,
    gone: bool,
}

/// A frame could not be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refused {
    /// The connection has ended or is ending.
    Gone,
    /// Too much waits already.
    Full,
}

/// The queue of one connection, with the times by which it is watched.
#[derive(Debug)]
pub(crate) struct Outbox {
    waiting: Mutex<Waiting>,
    max_bytes: usize,
    /// When bytes last came or went.
    active_at: AtomicU64,
    /// When a frame began that is not whole yet; 0 when none.
    unfinished_since: AtomicU64,
}

/// What the connection's task is to do next.
pub(crate) enum Next {
    /// Write what was taken.
    Write,
    /// Nothing: it will be woken.
    Wait,
    /// End the connection.
    End(Reason),
}

/// What a written or broken connection leaves.
pub(crate) struct Rest {
    pub(crate) bytes: usize,
    pub(crate) marks: Vec<Mark>,
    /// Some bytes of the first mark's frame were written.
    pub(crate) first_begun: bool,
    /// What of the marked frames was not begun, with their length prefixes.
    pub(crate) untouched: Vec<(Arc<Exchange>, Vec<u8>)>,
}

impl Outbox {
    pub(crate) fn new(max_bytes: usize, now: u64) -> Outbox {
        Outbox {
            waiting: Mutex::default(),
            max_bytes,
            active_at: AtomicU64::new(now),
            unfinished_since: AtomicU64::new(0),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Queues a frame with its length prefix. `exchange` is told when its last byte was written.
    pub(crate) fn push(&self, framer: &Framer, frame: &[u8], exchange: Option<&Arc<Exchange>>) -> Result<(), Refused> {
        let waker = {
            let mut waiting = self.lock();
            if waiting.gone || waiting.end.is_some() {
                return Err(Refused::Gone);
            }
            if waiting.bytes.len() + frame.len() > self.max_bytes || !framer.put(frame, &mut waiting.bytes) {
                return Err(Refused::Full);
            }
            if let Some(exchange) = exchange {
                let end = waiting.bytes.len();
                waiting.marks.push(Mark { end, exchange: Arc::clone(exchange) });
            }
            waiting.waker.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
        Ok(())
    }

    /// Asks for the end of the connection; the first reason stays.
    pub(crate) fn end(&self, why: impl Into<Reason>, after_writing: bool) {
        let waker = {
            let mut waiting = self.lock();
            match &mut waiting.end {
                Some(end) => end.after_writing &= after_writing,
                end => *end = Some(End { why: why.into(), after_writing }),
            }
            waiting.waker.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Wakes the connection's task, for what it waits for may have come.
    pub(crate) fn wake(&self) {
        let waker = self.lock().waker.take();
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// The task asks, with nothing left of what it took before: takes all that waits into `bytes` and `marks`.
    pub(crate) fn next(&self, bytes: &mut Vec<u8>, marks: &mut Vec<Mark>, waker: &Waker) -> Next {
        let mut waiting = self.lock();
        let ends = waiting.end.as_ref().is_some_and(|end| !end.after_writing || waiting.bytes.is_empty());
        if ends && let Some(end) = &waiting.end {
            return Next::End(end.why.clone());
        }
        if !waiting.bytes.is_empty() {
            std::mem::swap(&mut waiting.bytes, bytes);
            std::mem::swap(&mut waiting.marks, marks);
            return Next::Write;
        }
        wait(&mut waiting, waker);
        Next::Wait
    }

    /// The task cannot write now: whether it was asked to end at once.
    pub(crate) fn must_end(&self, waker: &Waker) -> Option<Reason> {
        let mut waiting = self.lock();
        match &waiting.end {
            Some(end) if !end.after_writing => Some(end.why.clone()),
            _ => {
                wait(&mut waiting, waker);
                None
            }
        }
    }

    /// The connection is no more: nothing is taken from now on. Gives what nobody took.
    pub(crate) fn close(&self) -> (Vec<u8>, Vec<Mark>) {
        let mut waiting = self.lock();
        waiting.gone = true;
        waiting.waker = None;
        (std::mem::take(&mut waiting.bytes), std::mem::take(&mut waiting.marks))
    }

    pub(crate) fn bytes_waiting(&self) -> usize {
        self.lock().bytes.len()
    }

    pub(crate) fn saw_bytes(&self, now: u64, unfinished: bool) {
        self.active_at.store(now, Ordering::Relaxed);
        let since = self.unfinished_since.load(Ordering::Relaxed);
        if !unfinished {
            self.unfinished_since.store(0, Ordering::Relaxed);
        } else if since == 0 {
            self.unfinished_since.store(now, Ordering::Relaxed);
        }
    }

    /// A frame was completed although another one began behind it: its time counts anew.
    pub(crate) fn frame_done(&self) {
        self.unfinished_since.store(0, Ordering::Relaxed);
    }

    /// Microseconds without traffic.
    pub(crate) fn idle_for(&self, now: u64) -> u64 {
        now.saturating_sub(self.active_at.load(Ordering::Relaxed))
    }

    /// Microseconds since a frame began that is not whole; 0 when there is none.
    pub(crate) fn unfinished_for(&self, now: u64) -> u64 {
        match self.unfinished_since.load(Ordering::Relaxed) {
            0 => 0,
            since => now.saturating_sub(since),
        }
    }
}

fn wait(waiting: &mut Waiting, waker: &Waker) {
    if !waiting.waker.as_ref().is_some_and(|known| known.will_wake(waker)) {
        waiting.waker = Some(waker.clone());
    }
}
