//! Carries the bytes of one connection both ways, for either side: what the outbox holds is written in one go, what
//! comes is split into frames. One task for each connection, no timer, no buffer while it is idle.

use std::cell::RefCell;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::exchange::Exchange;
use crate::framing::{Framer, FramingError, Unfinished};
use crate::outbox::{Mark, Next, Outbox, Reason, Rest};

/// A write buffer that grew larger than this is given back when the connection falls idle.
const KEPT_BYTES: usize = 4096;

/// Who gets what a connection brings.
pub(crate) trait Peer {
    /// A whole frame came. An error ends the connection.
    fn frame(&mut self, frame: &[u8]) -> Result<(), Fault>;

    /// All frames of one read were handed over; whether a further one has begun.
    fn burst_done(&mut self, unfinished: bool);

    /// Bytes are about to be written.
    fn before_write(&mut self);

    /// The last byte of an exchange's frame was written.
    fn written(&mut self, mark: Mark);

    /// Whether more may be read now; if not, the task is woken when it may.
    fn may_read(&mut self, context: &mut Context<'_>) -> bool;
}

/// A connection cannot go on.
#[derive(Debug)]
pub(crate) struct Fault {
    pub(crate) why: Reason,
    /// What waits to be written still is.
    pub(crate) after_writing: bool,
}

impl Fault {
    pub(crate) fn now(why: impl Into<Reason>) -> Fault {
        Fault { why: why.into(), after_writing: false }
    }
}

impl From<FramingError> for Fault {
    fn from(error: FramingError) -> Fault {
        Fault::now(error.to_string())
    }
}

/// How a connection ended.
pub(crate) struct Ended {
    pub(crate) why: Reason,
    /// Frames that were not written whole.
    pub(crate) rest: Rest,
}

/// One connection being carried.
pub(crate) struct Pump<'a, S, P> {
    pub(crate) stream: S,
    pub(crate) outbox: &'a Outbox,
    pub(crate) framer: &'a Framer,
    /// Read buffer of the thread; borrowed for the moment of a read only.
    pub(crate) scratch: &'a RefCell<Box<[u8]>>,
    pub(crate) peer: P,
    /// Keeps its buffers while idle.
    pub(crate) busy: bool,
}

#[derive(Default)]
struct Writing {
    bytes: Vec<u8>,
    done: usize,
    marks: Vec<Mark>,
    unflushed: bool,
}

impl Writing {
    /// What was not written when the connection ended, here and in the outbox.
    fn rest(self, outbox: &Outbox, framer: &Framer) -> Rest {
        let Writing { bytes, done, mut marks, .. } = self;
        let (waiting, more) = outbox.close();
        let untouched = [(&bytes, done, &marks), (&waiting, 0, &more)];
        let untouched =
            untouched.into_iter().flat_map(|(bytes, done, marks)| frames(bytes, done, marks, framer)).collect();
        let first_begun = marks.first().is_some_and(|mark| {
            let start = framer.starts(&bytes).take_while(|start| *start < mark.end).last();
            start.is_some_and(|start| start < done)
        });
        marks.extend(more);
        Rest { bytes: bytes.len().saturating_sub(done) + waiting.len(), marks, first_begun, untouched }
    }
}

/// The marked frames of which no byte was written.
fn frames(bytes: &[u8], done: usize, marks: &[Mark], framer: &Framer) -> Vec<(Arc<Exchange>, Vec<u8>)> {
    let starts: Vec<usize> = framer.starts(bytes).collect();
    let frame = |mark: &Mark| {
        let start = starts.iter().copied().take_while(|start| *start < mark.end).last()?;
        let frame = bytes.get(start..mark.end)?;
        (start >= done).then(|| (Arc::clone(&mark.exchange), frame.to_vec()))
    };
    marks.iter().filter_map(frame).collect()
}

/// Where a connection stands.
#[derive(Default)]
struct Carried {
    writing: Writing,
    unfinished: Unfinished,
    /// It ends once all is written; nothing is read any more.
    ending: bool,
}

impl<S: AsyncRead + AsyncWrite + Unpin, P: Peer> Pump<'_, S, P> {
    /// Runs until the connection ends.
    pub(crate) async fn run(&mut self) -> Ended {
        let mut carried = Carried::default();
        let why = std::future::poll_fn(|context| self.poll(&mut carried, context)).await;
        let rest = carried.writing.rest(self.outbox, self.framer);
        Ended { why, rest }
    }

    fn poll(&mut self, carried: &mut Carried, context: &mut Context<'_>) -> Poll<Reason> {
        loop {
            if let Err(why) = self.write(&mut carried.writing, context) {
                return Poll::Ready(why);
            }
            if carried.ending || !self.peer.may_read(context) {
                return Poll::Pending;
            }
            match self.read(&mut carried.unfinished, context) {
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(fault)) if fault.after_writing => {
                    carried.ending = true;
                    self.outbox.end(fault.why, true);
                }
                Poll::Ready(Err(fault)) => return Poll::Ready(fault.why),
                Poll::Pending => return Poll::Pending,
            }
        }
    }

    fn write(&mut self, writing: &mut Writing, context: &mut Context<'_>) -> Result<(), Reason> {
        loop {
            if writing.done == writing.bytes.len() {
                self.all_written(writing);
                match self.outbox.next(&mut writing.bytes, &mut writing.marks, context.waker()) {
                    Next::Write => self.peer.before_write(),
                    Next::Wait => {
                        if writing.unflushed {
                            writing.unflushed = !self.flush(context)?;
                        }
                        return Ok(());
                    }
                    Next::End(why) => {
                        self.flush(context)?;
                        return Err(why);
                    }
                }
            }
            let left = writing.bytes.get(writing.done..).unwrap_or_default();
            match Pin::new(&mut self.stream).poll_write(context, left) {
                Poll::Ready(Ok(0)) => return Err("the peer takes no bytes".into()),
                Poll::Ready(Ok(count)) => {
                    writing.done += count;
                    writing.unflushed = true;
                    self.marks_written(writing);
                }
                Poll::Ready(Err(error)) => return Err(format!("writing: {error}").into()),
                Poll::Pending => {
                    return match self.outbox.must_end(context.waker()) {
                        Some(why) => Err(why),
                        None => Ok(()),
                    };
                }
            }
        }
    }

    fn flush(&mut self, context: &mut Context<'_>) -> Result<bool, Reason> {
        match Pin::new(&mut self.stream).poll_flush(context) {
            Poll::Ready(Ok(())) => Ok(true),
            Poll::Ready(Err(error)) => Err(format!("writing: {error}").into()),
            Poll::Pending => Ok(false),
        }
    }

    fn marks_written(&mut self, writing: &mut Writing) {
        let reached = writing.marks.iter().take_while(|mark| mark.end <= writing.done).count();
        for mark in writing.marks.drain(..reached) {
            self.peer.written(mark);
        }
    }

    fn all_written(&mut self, writing: &mut Writing) {
        writing.done = 0;
        writing.bytes.clear();
        if !self.busy && writing.bytes.capacity() > KEPT_BYTES {
            writing.bytes = Vec::new();
            writing.marks = Vec::new();
        }
    }

    fn read(&mut self, unfinished: &mut Unfinished, context: &mut Context<'_>) -> Poll<Result<(), Fault>> {
        let mut scratch = self.scratch.borrow_mut();
        let mut buffer = ReadBuf::new(&mut scratch);
        match Pin::new(&mut self.stream).poll_read(context, &mut buffer) {
            Poll::Pending => return Poll::Pending,
            Poll::Ready(Err(error)) => return Poll::Ready(Err(Fault::now(format!("reading: {error}")))),
            Poll::Ready(Ok(())) => {}
        }
        let fresh = buffer.filled();
        if fresh.is_empty() {
            let why = if unfinished.any() { "the peer closed in the middle of a frame" } else { "the peer closed" };
            return Poll::Ready(Err(Fault::now(why)));
        }
        let (peer, outbox) = (&mut self.peer, self.outbox);
        let taken = unfinished.take(self.framer, fresh, self.busy, |frame| {
            outbox.frame_done();
            peer.frame(frame)
        });
        self.peer.burst_done(unfinished.any());
        Poll::Ready(taken)
    }
}

#[cfg(test)]
mod tests {
    use onus_iso8583::Dialect;

    use super::*;
    use crate::exchange::{Begun, Phase};
    use crate::seen::SeenReader;
    use crate::test_peers::payment;

    fn exchange(frame: &[u8]) -> Arc<Exchange> {
        let dialect = Dialect::builtin("unionpay-pos").unwrap();
        let seen = SeenReader::new(dialect).unwrap().read(&dialect.decode(frame).unwrap());
        Arc::new(Exchange::new(Begun {
            id: 1,
            seen,
            connection: 1,
            frame: frame.into(),
            received_at: onus_model::Instant(1),
            received_ticks: 1,
            host: 0,
            link: 0,
            terminal: None,
            phase: Phase::Open,
        }))
    }

    #[test]
    fn what_was_not_begun_is_told_from_what_was() {
        let framer = Framer::new(Dialect::builtin("unionpay-pos").unwrap().stream().unwrap(), 4096);
        let frame = payment("52300001", 1);
        let whole = frame.len() + 2;
        // Written bytes; is the first one that is left begun; how many are untouched, of three here and two waiting.
        for (done, first_begun, untouched) in [(0, false, 5), (1, true, 4), (whole, false, 4), (whole * 2 + 9, true, 2)]
        {
            let outbox = Outbox::new(1 << 20, 1);
            let mut writing = Writing { done, ..Writing::default() };
            for end in 1..=3 {
                framer.put(&frame, &mut writing.bytes);
                // An own frame without a mark stands between.
                if end * whole > done {
                    writing.marks.push(Mark { end: end * whole, exchange: exchange(&frame) });
                }
            }
            outbox.push(&framer, &frame, Some(&exchange(&frame))).unwrap();
            outbox.push(&framer, b"own", None).unwrap();
            outbox.push(&framer, &frame, Some(&exchange(&frame))).unwrap();
            let rest = writing.rest(&outbox, &framer);
            assert_eq!((rest.first_begun, rest.untouched.len()), (first_begun, untouched), "{done} bytes written");
            assert!(rest.untouched.iter().all(|(_, wire)| framer.without_prefix(wire) == frame));
            assert_eq!(rest.bytes, 5 * whole + 5 - done);
        }
    }
}
