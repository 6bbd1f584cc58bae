//! What the connections of one thread share, and what all threads share.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Weak};
use std::task::{Poll, Waker};

use onus_intake::tap::{GateAction, NO_LINK, Record};
use onus_iso8583::Dialect;
use onus_iso8583::mac::MacKey;
use onus_model::Instant;
use smallvec::SmallVec;

use crate::clock::Clock;
use crate::config::{Config, Durability};
use crate::exchange::{Exchange, Exchanges, Phase};
use crate::follow::State;
use crate::framing::Framer;
use crate::gate::GateRules;
use crate::gateway::SnapshotSource;
use crate::journal::Journal;
use crate::outbox::{Outbox, Refused};
use crate::outcomes::{OutcomeFact, Outcomes, Told};
use crate::pursuit::Pursuit;
use crate::refusal;
use crate::seen::{Kind, SeenReader};
use crate::stats::{Counters, count};
use crate::upstream::HostLinks;
use crate::watch::{Sighted, Watch};

/// Records that were made but not handed over yet, in bytes; more are handed over at once.
const BATCH: usize = 128 << 10;
/// Messages that the detectors are shown in one go.
const SIGHTED: usize = 256;
/// Read buffer of a thread.
const SCRATCH: usize = 64 << 10;

/// What all threads of a gateway share.
pub(crate) struct Shared {
    pub(crate) config: Config,
    pub(crate) dialect: &'static Dialect,
    pub(crate) reader: SeenReader,
    /// The hosts' key for reversals that the gateway writes.
    pub(crate) mac_key: Option<MacKey>,
    pub(crate) terminal_framer: Framer,
    pub(crate) upstream_framer: Framer,
    pub(crate) rules: GateRules,
    pub(crate) snapshots: SnapshotSource,
    pub(crate) exchanges: Arc<Exchanges>,
    pub(crate) journal: Arc<Journal>,
    pub(crate) pursuit: Arc<Pursuit>,
    pub(crate) watch: Watch,
    pub(crate) outcomes: Outcomes,
    pub(crate) hosts: Vec<HostLinks>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) counters: Vec<Arc<Counters>>,
    pub(crate) next_exchange: AtomicU64,
    pub(crate) next_connection: AtomicU64,
    pub(crate) connections: AtomicUsize,
    pub(crate) started_ticks: u64,
    pub(crate) stopping: AtomicBool,
    pub(crate) stop: tokio::sync::watch::Sender<bool>,
}

/// A reply that waits until its records are on the disk.
struct Held {
    /// The records' position; none until they were handed over.
    position: Option<u64>,
    terminal: Arc<Outbox>,
    exchange: Arc<Exchange>,
    frame: Vec<u8>,
}

/// One thread.
pub(crate) struct Worker {
    pub(crate) shared: Arc<Shared>,
    pub(crate) index: usize,
    pub(crate) counters: Arc<Counters>,
    pub(crate) scratch: RefCell<Box<[u8]>>,
    batch: RefCell<Vec<u8>>,
    /// The batch holds a request or a reply, not only what may be lost with the process.
    urgent: Cell<bool>,
    held: RefCell<VecDeque<Held>>,
    release_waker: RefCell<Option<Waker>>,
    /// Connections of terminals, to be looked at now and then.
    watched: RefCell<Vec<Weak<Outbox>>>,
    next_link: Cell<usize>,
    sighted: RefCell<Vec<Sighted>>,
    outcomes: RefCell<Vec<OutcomeFact>>,
    leaving: RefCell<Vec<Leaving>>,
}

/// What is let go with the next handing over.
enum Leaving {
    Exchange(Arc<Exchange>),
    Followed(u64),
}

impl Worker {
    pub(crate) fn new(shared: Arc<Shared>, index: usize, counters: Arc<Counters>) -> Worker {
        Worker {
            shared,
            index,
            counters,
            scratch: RefCell::new(vec![0; SCRATCH].into_boxed_slice()),
            batch: RefCell::default(),
            urgent: Cell::new(false),
            held: RefCell::default(),
            release_waker: RefCell::default(),
            watched: RefCell::default(),
            next_link: Cell::new(index),
            sighted: RefCell::default(),
            outcomes: RefCell::default(),
            leaving: RefCell::default(),
        }
    }

    pub(crate) fn now(&self) -> Instant {
        self.shared.clock.now()
    }

    pub(crate) fn ticks(&self) -> u64 {
        self.shared.clock.ticks()
    }

    /// A number that tells the connections of this thread apart, to go through links in turn.
    pub(crate) fn turn(&self) -> usize {
        let turn = self.next_link.get();
        self.next_link.set(turn.wrapping_add(1));
        turn
    }

    /// Adds a record; its frame is masked before anything else sees it.
    pub(crate) fn record(&self, record: &Record<'_>) {
        let dialect = self.shared.dialect;
        self.add(record, |frame| {
            if dialect.mask_in_place(frame).is_err() {
                dialect.mask_undecodable(frame);
            }
        });
    }

    /// Adds a record whose frame is masked already.
    pub(crate) fn record_masked(&self, record: &Record<'_>) {
        self.add(record, |_| {});
    }

    fn add(&self, record: &Record<'_>, mask: impl FnMut(&mut [u8])) {
        let mut batch = self.batch.borrow_mut();
        record.encode(&mut batch, mask);
        if !matches!(record, Record::Delivered { .. }) {
            self.urgent.set(true);
        }
        let full = batch.len() >= BATCH;
        drop(batch);
        if full {
            self.hand_over();
        }
    }

    /// A copy of a frame that may be kept.
    pub(crate) fn masked(&self, frame: &[u8]) -> SmallVec<[u8; 256]> {
        let mut masked = SmallVec::from_slice(frame);
        if self.shared.dialect.mask_in_place(&mut masked).is_err() {
            self.shared.dialect.mask_undecodable(&mut masked);
        }
        masked
    }

    /// Hands all records over that must not be lost with the process. Called before any byte of theirs goes out.
    pub(crate) fn hand_over_urgent(&self) {
        if self.urgent.get() {
            self.hand_over();
        }
    }

    /// Hands all records over to the journal.
    pub(crate) fn hand_over(&self) {
        self.urgent.set(false);
        let shared = &self.shared;
        let position = shared.journal.write_then(&mut self.batch.borrow_mut(), || {
            for leaving in self.leaving.borrow_mut().drain(..) {
                match leaving {
                    Leaving::Exchange(exchange) => shared.exchanges.leave(&exchange),
                    Leaving::Followed(exchange) => shared.pursuit.leave(exchange),
                }
            }
        });
        let mut held = self.held.borrow_mut();
        if held.back().is_none_or(|last| last.position.is_some()) {
            return;
        }
        match position {
            Some(position) => {
                held.iter_mut().rev().take_while(|held| held.position.is_none()).for_each(|held| {
                    held.position = Some(position);
                });
                self.shared.journal.want_sync();
            }
            // The records were dropped, so their replies must not be given.
            None => held.retain(|held| held.position.is_some()),
        }
        if let Some(waker) = self.release_waker.borrow_mut().take() {
            waker.wake();
        }
    }

    /// Gives a reply to a terminal: at once, or when its records are on the disk.
    pub(crate) fn reply(&self, terminal: Arc<Outbox>, exchange: &Arc<Exchange>, frame: &[u8]) {
        match self.shared.config.journal.durability {
            Durability::Async => self.release(&terminal, exchange, frame),
            Durability::BeforeReply => self.held.borrow_mut().push_back(Held {
                position: None,
                terminal,
                exchange: Arc::clone(exchange),
                frame: frame.to_vec(),
            }),
        }
    }

    /// Answers in place of a host, and writes it down. The request is read from what is kept of it: what an answer
    /// repeats is never masked.
    pub(crate) fn answer(&self, exchange: &Arc<Exchange>, terminal: Arc<Outbox>, code: [u8; 2], rule: &str, why: &str) {
        self.counters.gateway_codes.add(code);
        self.tell(exchange, Told::Refused { code });
        let message = self.shared.dialect.decode(&exchange.frame);
        let reply = message.map_err(|error| error.to_string());
        let reply = reply.and_then(|message| refusal::reply(&message, code).map_err(|error| error.to_string()));
        let frame = reply.as_deref().unwrap_or_default();
        let (id, at, action) = (exchange.id, self.now().0, GateAction::Refused);
        self.record(&Record::Gate { exchange: id, at, action, code, rule, why, frame });
        match reply {
            Ok(frame) => self.reply(terminal, exchange, &frame),
            Err(error) => {
                let why = format!("the gateway could not write its own reply: {error}");
                self.undelivered(exchange, &why);
                terminal.end(why, true);
            }
        }
    }

    fn release(&self, terminal: &Outbox, exchange: &Arc<Exchange>, frame: &[u8]) {
        match terminal.push(&self.shared.terminal_framer, frame, Some(exchange)) {
            Ok(()) => {}
            Err(Refused::Gone) => self.undelivered(exchange, "the terminal's connection had ended"),
            Err(Refused::Full) => {
                terminal.end("the terminal does not take its replies", false);
                self.undelivered(exchange, "the terminal does not take its replies");
            }
        }
    }

    /// Releases held replies as the journal reaches them; never ends.
    pub(crate) async fn release_held(&self) {
        std::future::poll_fn(|context| {
            loop {
                let durable = self.shared.journal.durable();
                let next = {
                    let mut held = self.held.borrow_mut();
                    let reached = held.front().is_some_and(|held| held.position.is_some_and(|at| at <= durable));
                    if reached { held.pop_front() } else { None }
                };
                match next {
                    Some(held) => self.release(&held.terminal, &held.exchange, &held.frame),
                    None => break,
                }
            }
            let waits = self.held.borrow().front().is_some_and(|held| held.position.is_some());
            if waits {
                self.shared.journal.wake_after_sync(context.waker());
                // The sync may have ended just before the waker was there.
                let durable = self.shared.journal.durable();
                let reached =
                    self.held.borrow().front().is_some_and(|held| held.position.is_some_and(|at| at <= durable));
                if reached {
                    context.waker().wake_by_ref();
                }
            } else {
                *self.release_waker.borrow_mut() = Some(context.waker().clone());
            }
            Poll::<()>::Pending
        })
        .await;
    }

    /// The last byte of a reply went out to the terminal.
    pub(crate) fn delivered(&self, exchange: &Arc<Exchange>) {
        let at = self.now();
        count(&self.counters.delivered);
        self.counters.total_latency.add(self.ticks().saturating_sub(exchange.received_ticks));
        self.add_inside_latency(exchange, at);
        let record = Record::Delivered { exchange: exchange.id, at: at.0 };
        if exchange.phase() == Phase::Followed {
            self.record(&record);
            self.shared.pursuit.delivery(self, exchange, exchange.code(), true);
        } else {
            let approved = exchange.seen.leaves_reversal() && self.shared.config.follow.approves(exchange.code());
            self.leave(exchange, approved.then(|| exchange.replied_at()));
            self.record(&record);
        }
    }

    /// Lets an exchange go, once the records that say so are handed over: until then a new segment begins with it. Call
    /// it before the last record is made.
    pub(crate) fn leave(&self, exchange: &Arc<Exchange>, approved_at: Option<Instant>) {
        self.shared.exchanges.finish(exchange, approved_at);
        self.leaving.borrow_mut().push(Leaving::Exchange(Arc::clone(exchange)));
    }

    /// The same for what the follower let go.
    pub(crate) fn leave_followed(&self, exchange: u64) {
        self.leaving.borrow_mut().push(Leaving::Followed(exchange));
    }

    fn add_inside_latency(&self, exchange: &Exchange, delivered_at: Instant) {
        let (sent, replied) = (exchange.sent_at(), exchange.replied_at().0);
        if sent != 0 && replied != 0 {
            let inside = (sent - exchange.received_at.0) + (delivered_at.0 - replied);
            self.counters.inside_latency.add(u64::try_from(inside).unwrap_or_default());
        }
    }

    /// A reply could not be given to the terminal, not one byte of it.
    pub(crate) fn undelivered(&self, exchange: &Arc<Exchange>, why: &str) {
        count(&self.counters.undelivered);
        self.record(&Record::Undelivered { exchange: exchange.id, at: self.now().0, why });
        let approved = exchange.seen.leaves_reversal() && self.shared.config.follow.approves(exchange.code());
        if approved || exchange.phase() == Phase::Followed {
            self.shared.pursuit.delivery(self, exchange, exchange.code(), false);
        } else {
            let refused = exchange.seen.kind() == Kind::Payment && exchange.host != NO_LINK;
            self.settle(exchange, if refused { State::Declined } else { State::DeliveryUnknown }, why);
        }
    }

    /// Ends the waiting for a late reply to a request that nothing hangs on.
    pub(crate) fn settle_unanswered(&self, exchange: &Arc<Exchange>, why: &str) {
        if !exchange.seen.leaves_reversal() && exchange.step(Phase::Followed, Phase::Done) {
            self.settle(exchange, State::NoResponse, why);
        }
    }

    /// Writes down the end of an exchange that nobody follows, and lets it go.
    pub(crate) fn settle(&self, exchange: &Arc<Exchange>, end: State, why: &str) {
        let (id, at, state) = (exchange.id, self.now().0, end.as_str());
        self.leave(exchange, None);
        self.record(&Record::State { exchange: id, at, state, attempt: 0, settled: true, why, kept: "" });
    }

    /// A reply was begun to be written and never ended: the terminal may or may not have understood it.
    pub(crate) fn partly_delivered(&self, exchange: &Arc<Exchange>, why: &str) {
        count(&self.counters.undelivered);
        self.record(&Record::Undelivered { exchange: exchange.id, at: self.now().0, why });
        if exchange.phase() == Phase::Followed {
            self.shared.pursuit.delivery(self, exchange, exchange.code(), true);
        } else {
            self.settle(exchange, State::DeliveryUnknown, why);
        }
    }

    /// Keeps an eye on a connection: it ends when it is idle or too slow.
    pub(crate) fn watch(&self, outbox: &Arc<Outbox>) {
        self.watched.borrow_mut().push(Arc::downgrade(outbox));
    }

    /// What is done now and then: records that wait are handed over, slow connections end.
    pub(crate) fn look(&self) {
        self.hand_over();
        self.look_at_connections();
        if self.index == 0 {
            self.look_at_exchanges();
            self.shared.pursuit.tick(self);
        }
        self.shared.watch.take(&mut self.sighted.borrow_mut());
        self.shared.outcomes.put(&mut self.outcomes.borrow_mut());
    }

    /// Notes what became known of a sale.
    pub(crate) fn tell(&self, exchange: &Exchange, told: Told) {
        if self.shared.outcomes.is_wanted() {
            self.outcomes.borrow_mut().extend(OutcomeFact::of(exchange, told, self.now()));
        }
    }

    /// Shows the detectors what passed.
    pub(crate) fn show(&self, sighted: Sighted) {
        let mut waiting = self.sighted.borrow_mut();
        waiting.push(sighted);
        if waiting.len() >= SIGHTED {
            self.shared.watch.take(&mut waiting);
        }
    }

    /// Ends the waiting for replies whose time is up.
    fn look_at_exchanges(&self) {
        let now = self.ticks();
        let timeout = u64::from(self.shared.config.follow.host_timeout_ms) * 1_000;
        let own_timeout = u64::from(self.shared.config.follow.reversal_timeout_ms) * 1_000;
        let mut due = Vec::new();
        self.shared.exchanges.each(|exchange| {
            let age = now.saturating_sub(exchange.received_ticks);
            let is_due = match exchange.phase() {
                Phase::Open if exchange.is_own() => age > own_timeout,
                Phase::Open => age > timeout,
                // A request that nothing hangs on is remembered once more as long, for a late reply.
                Phase::Followed => age > 2 * timeout && !exchange.seen.leaves_reversal(),
                Phase::Answered | Phase::Done => false,
            };
            if is_due {
                due.push(Arc::clone(exchange));
            }
        });
        for exchange in due {
            if exchange.is_own() {
                self.leave(&exchange, None);
                continue;
            }
            if exchange.phase() != Phase::Open {
                self.settle_unanswered(&exchange, "no reply came, and nothing hangs on it");
                continue;
            }
            count(&self.counters.no_replies);
            let (id, at, sent_at, why) = (exchange.id, self.now().0, exchange.sent_at(), "the host's time is over");
            self.record(&Record::NoReply { exchange: id, at, sent_at, why });
            self.shared.pursuit.overdue(self, &exchange, false);
            if let Some(terminal) = exchange.terminal() {
                // It may wait for room for another request.
                terminal.wake();
            }
        }
    }

    /// Ends connections that are idle or too slow.
    fn look_at_connections(&self) {
        let now = self.ticks();
        let terminals = &self.shared.config.terminals;
        let (slow, idle) = (terminals.frame_deadline_ms * 1_000, terminals.idle_timeout_s * 1_000_000);
        self.watched.borrow_mut().retain(|outbox| {
            let Some(outbox) = outbox.upgrade() else { return false };
            if outbox.unfinished_for(now) > slow {
                count(&self.counters.slow_frames);
                outbox.end("a frame did not become whole in time", false);
            } else if outbox.idle_for(now) > idle {
                count(&self.counters.idle_ends);
                outbox.end("idle for too long", false);
            }
            true
        });
    }

    /// Ends all connections of terminals once what waits is written.
    pub(crate) fn end_connections(&self) {
        for outbox in self.watched.borrow().iter().filter_map(Weak::upgrade) {
            outbox.end("the gateway stops", true);
        }
    }

    /// Whether replies wait for the disk.
    pub(crate) fn holds_replies(&self) -> bool {
        !self.held.borrow().is_empty()
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.shared.stopping.load(Ordering::Acquire)
    }
}
