//! Payments whose end is not certain: brings what happens on the connections to the follower, and does what it says.
//!
//! The ordinary payment never comes here: its exchange is open, then answered, then done. It is handed to the follower
//! when its time is up, its terminal goes, a reply cannot be delivered, or a reversal comes.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use onus_intake::tap::{NO_LINK, Record};
use onus_iso8583::EncodeError;
use onus_model::Instant;
use rustc_hash::FxHashMap;

use crate::exchange::{Begun, Entered, Exchange, Found, Phase};
use crate::follow::{Action, Event, FollowPolicy, Follower, HostKnows, Open, Sender, State};
use crate::journal::Carried;
use crate::outcomes::Told;
use crate::seen::{Key, Kind, PaymentRef, Tid};
use crate::stats::count;
use crate::worker::Worker;

/// Message types of what a terminal can reverse.
const ORIGINALS: [u16; 2] = [0x0200, 0x0100];
const REVERSAL: u16 = 0x0400;

/// The follower and what it is about.
pub(crate) struct Pursuit {
    /// Held while what the follower said is done, so that records of one payment stand in order. Never held by the
    /// journal's thread.
    order: Mutex<()>,
    inner: Mutex<Inner>,
    followed: AtomicUsize,
}

struct Inner {
    follower: Follower,
    exchanges: FxHashMap<PaymentRef, Arc<Exchange>>,
    /// The last that was written down of each, by exchange.
    kept: FxHashMap<u64, String>,
    terminals: FxHashMap<Tid, usize>,
    /// Let go by the follower, and not yet written down.
    leaving: FxHashMap<u64, Arc<Exchange>>,
}

/// What becomes of a host's reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The terminal gets it.
    Release,
    /// It does not.
    Withhold,
    /// The follower did not expect it.
    Unexpected,
}

impl Pursuit {
    pub(crate) fn new(policy: FollowPolicy) -> Pursuit {
        let inner = Inner {
            follower: Follower::new(policy),
            exchanges: FxHashMap::default(),
            kept: FxHashMap::default(),
            terminals: FxHashMap::default(),
            leaving: FxHashMap::default(),
        };
        Pursuit { order: Mutex::default(), inner: Mutex::new(inner), followed: AtomicUsize::new(0) }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_idle(&self) -> bool {
        self.followed.load(Ordering::Acquire) == 0
    }

    /// How many payments are in each state.
    pub(crate) fn by_state(&self) -> BTreeMap<String, usize> {
        let counts = self.inner().follower.by_state();
        counts.into_iter().map(|(state, count)| (state.as_str().to_owned(), count)).collect()
    }

    /// Writes all exchanges that are open down again, for the start of a segment. Called by the journal's thread.
    pub(crate) fn carry_over(&self, exchanges: &crate::exchange::Exchanges, out: &mut Vec<u8>) {
        let inner = self.inner();
        let mut open: BTreeMap<u64, Arc<Exchange>> = BTreeMap::new();
        exchanges.each(|exchange| drop(open.insert(exchange.id, Arc::clone(exchange))));
        let followed = inner.exchanges.values().chain(inner.leaving.values());
        open.extend(followed.map(|exchange| (exchange.id, Arc::clone(exchange))));
        for exchange in open.values().filter(|exchange| exchange.host != NO_LINK) {
            carried(exchange, inner.kept.get(&exchange.id).cloned()).carry_over(out);
        }
    }

    /// Tells the follower what happened, writes down what it says, and does it.
    fn tell(&self, worker: &Worker, exchange: &Arc<Exchange>, events: &[(Event, Instant)]) -> Verdict {
        let _order = self.order.lock().unwrap_or_else(PoisonError::into_inner);
        let payment = exchange.key.payment();
        let mut actions = Vec::new();
        {
            let mut inner = self.inner();
            inner.exchanges.entry(payment).or_insert_with(|| Arc::clone(exchange));
            for (event, at) in events {
                inner.follower.apply(payment, *event, *at, &mut actions);
            }
            self.keep(&mut inner, &actions);
        }
        let verdict = self.act(worker, actions);
        let mut inner = self.inner();
        if inner.follower.get(&payment).is_none() {
            inner.exchanges.remove(&payment);
        }
        verdict
    }

    /// Brings what is kept up to date with what the follower said.
    fn keep(&self, inner: &mut Inner, actions: &[Action]) {
        for action in actions {
            match action {
                Action::Changed { from, now, .. } => {
                    if from.is_none() {
                        *inner.terminals.entry(now.payment.tid).or_default() += 1;
                    }
                    inner.kept.insert(now.exchange, serde_json::to_string(now).unwrap_or_default());
                }
                Action::Closed { payment, exchange, .. } => {
                    if let Some(closed) = inner.exchanges.get(payment).cloned() {
                        inner.leaving.insert(*exchange, closed);
                    }
                    if let Some(count) = inner.terminals.get_mut(&payment.tid) {
                        *count -= 1;
                        if *count == 0 {
                            inner.terminals.remove(&payment.tid);
                        }
                    }
                }
                _ => {}
            }
        }
        self.followed.store(inner.follower.len(), Ordering::Release);
    }

    fn act(&self, worker: &Worker, actions: Vec<Action>) -> Verdict {
        let mut verdict = Verdict::Unexpected;
        let mut unsent = Vec::new();
        for action in actions {
            match action {
                Action::Release { .. } => verdict = Verdict::Release,
                Action::Withhold { .. } => verdict = Verdict::Withhold,
                Action::Changed { now, reason, .. } => {
                    let (exchange, at, attempt) = (now.exchange, worker.now().0, now.attempts);
                    let (state, why) = (now.state.as_str(), &*reason.text().en);
                    let kept = &*serde_json::to_string(&now).unwrap_or_default();
                    if now.state == State::NoResponse
                        && let Some(silent) = self.inner().exchanges.get(&now.payment)
                    {
                        worker.tell(silent, Told::Silent);
                    }
                    worker.record(&Record::State { exchange, at, state, attempt, settled: false, why, kept });
                }
                Action::Closed { payment, exchange, end, reason } => {
                    let (at, state, why) = (worker.now().0, end.as_str(), &*reason.text().en);
                    self.closed(worker, payment);
                    worker.leave_followed(exchange);
                    worker.record(&Record::State { exchange, at, state, attempt: 0, settled: true, why, kept: "" });
                }
                Action::SendReversal { payment, attempt, code, .. } => {
                    if !self.send_reversal(worker, payment, attempt, code) {
                        unsent.push(payment);
                    }
                }
                Action::Full { payment } => {
                    count(&worker.counters.not_followed);
                    tracing::error!("too many payments are followed: {payment:?} is not; raise follow.most_open");
                }
                Action::NotExpected { payment } => tracing::debug!("the follower did not expect this of {payment:?}"),
            }
        }
        for payment in unsent {
            let mut more = Vec::new();
            {
                let mut inner = self.inner();
                inner.follower.apply(payment, Event::ReversalNotSent, worker.now(), &mut more);
                self.keep(&mut inner, &more);
            }
            // An attempt that no host takes leads to a pause or an end, never straight to the next attempt.
            self.act(worker, more);
        }
        verdict
    }

    /// The follower has let a payment go.
    fn closed(&self, worker: &Worker, payment: PaymentRef) {
        let exchange = self.inner().exchanges.remove(&payment);
        if let Some(exchange) = exchange
            && exchange.phase() == Phase::Followed
        {
            worker.leave(&exchange, None);
        }
    }

    /// What the follower let go of this exchange is written down.
    pub(crate) fn leave(&self, exchange: u64) {
        let mut inner = self.inner();
        inner.leaving.remove(&exchange);
        inner.kept.remove(&exchange);
    }

    /// Sends the stored reversal; false when no host could take it.
    fn send_reversal(&self, worker: &Worker, payment: PaymentRef, attempt: u8, code: [u8; 2]) -> bool {
        let Some(original) = self.inner().exchanges.get(&payment).cloned() else { return false };
        let frame = match reversal(worker, &original, code) {
            Ok(frame) => frame,
            Err(error) => {
                tracing::error!("the reversal of {payment:?} cannot be written: {error}");
                return false;
            }
        };
        let Some(link) = crate::upstream::choose(worker) else { return false };
        let Ok(message) = worker.shared.dialect.decode(&frame) else { return false };
        let own = Arc::new(Exchange::new(Begun {
            id: original.id,
            seen: worker.shared.reader.read(&message),
            connection: 0,
            frame: worker.masked(&frame),
            received_at: worker.now(),
            received_ticks: worker.ticks(),
            host: NO_LINK,
            link: NO_LINK,
            terminal: None,
            phase: Phase::Open,
        }));
        if let Entered::Repeated(_) = worker.shared.exchanges.enter(&own) {
            // The terminal's own reversal is under way; its answer counts for this one.
            return false;
        }
        let (exchange, at, host, number) = (original.id, worker.now().0, link.host(), link.number());
        worker.record(&Record::Reversal { exchange, attempt, at, host, link: number, frame: &frame });
        worker.hand_over();
        let sent = link.send(&frame, &own).is_ok();
        if sent {
            worker.tell(&original, Told::Reversed);
            count(&worker.counters.reversals_sent);
        } else {
            worker.leave(&own, None);
        }
        sent
    }

    /// A payment is about to go upstream. If its terminal has others without a certain end, it is followed from the
    /// start, for the older ones depend on it.
    pub(crate) fn forwards(&self, worker: &Worker, exchange: &Arc<Exchange>) {
        if self.is_idle() || !exchange.seen.leaves_reversal() {
            return;
        }
        if self.inner().terminals.contains_key(&exchange.key.tid) && exchange.step(Phase::Open, Phase::Followed) {
            self.tell(worker, exchange, &[(sent(exchange), worker.now())]);
        }
    }

    /// A payment could not be sent after all.
    pub(crate) fn not_sent(&self, worker: &Worker, exchange: &Arc<Exchange>) {
        if exchange.phase() == Phase::Followed {
            self.tell(worker, exchange, &[(Event::NotSent, worker.now())]);
        }
    }

    /// A terminal's own reversal is about to go upstream.
    pub(crate) fn terminal_reverses(&self, worker: &Worker, exchange: &Arc<Exchange>) {
        let originals = ORIGINALS.map(|mti_class| Key { mti_class, ..exchange.key });
        let mut events = Vec::new();
        let mut about = Arc::clone(exchange);
        for key in originals {
            if let Found::Exchange(original) = worker.shared.exchanges.find(&key)
                && original.step(Phase::Open, Phase::Followed)
            {
                events.push((sent(&original), original.received_at));
                about = original;
            }
        }
        let approved = originals.iter().find_map(|key| worker.shared.exchanges.approved_at(key));
        let host = approved.map_or(HostKnows::Unknown, HostKnows::Approved);
        events.push((Event::TerminalReversal { host, exchange: exchange.id }, worker.now()));
        self.tell(worker, &about, &events);
    }

    /// A reversal was answered.
    pub(crate) fn reversal_answered(&self, worker: &Worker, exchange: &Arc<Exchange>, sender: Sender, code: [u8; 2]) {
        self.tell(worker, exchange, &[(Event::ReversalReply { sender, code }, worker.now())]);
    }

    /// The time of a request is up, or its terminal closed before the reply.
    pub(crate) fn overdue(&self, worker: &Worker, exchange: &Arc<Exchange>, gone: bool) {
        let is_new = exchange.step(Phase::Open, Phase::Followed);
        if !exchange.seen.leaves_reversal() || !(is_new || gone) {
            return;
        }
        let mut events = Vec::new();
        if is_new {
            events.push((sent(exchange), exchange.received_at));
        }
        if gone {
            events.push((Event::TerminalGone, worker.now()));
        }
        self.tell(worker, exchange, &events);
        self.tick(worker);
    }

    /// A reply came to an exchange that is followed.
    pub(crate) fn answered(&self, worker: &Worker, exchange: &Arc<Exchange>, code: [u8; 2]) -> Verdict {
        if !exchange.seen.leaves_reversal() {
            return Verdict::Withhold;
        }
        self.tell(worker, exchange, &[(Event::Reply { code }, worker.now())])
    }

    /// An approval that came in time was written, or could not be, not one byte.
    pub(crate) fn delivery(&self, worker: &Worker, exchange: &Arc<Exchange>, code: [u8; 2], delivered: bool) {
        let now = worker.now();
        let end = (if delivered { Event::Delivered } else { Event::NotDelivered }, now);
        if exchange.phase() == Phase::Followed {
            self.tell(worker, exchange, &[end]);
        } else if !delivered && exchange.step(Phase::Answered, Phase::Followed) {
            let replied_at = exchange.replied_at();
            let events = [(sent(exchange), exchange.received_at), (Event::Reply { code }, replied_at), end];
            self.tell(worker, exchange, &events);
        }
    }

    /// Does what is due.
    pub(crate) fn tick(&self, worker: &Worker) {
        if self.is_idle() {
            return;
        }
        let _order = self.order.lock().unwrap_or_else(PoisonError::into_inner);
        let mut actions = Vec::new();
        {
            let mut inner = self.inner();
            inner.follower.tick(worker.now(), &mut actions);
            self.keep(&mut inner, &actions);
        }
        self.act(worker, actions);
    }

    /// Goes on with what an earlier process left.
    pub(crate) fn resume(&self, worker: &Worker, left: Vec<Carried>, machine_failed: bool) {
        let _order = self.order.lock().unwrap_or_else(PoisonError::into_inner);
        let now = worker.now();
        let (mut actions, mut unanswered) = (Vec::new(), Vec::new());
        {
            let mut inner = self.inner();
            let policy = inner.follower.policy().clone();
            let mut opens: Vec<Open> = Vec::new();
            let mut fresh = Vec::new();
            for carried in left {
                let Some(exchange) = recovered(worker, &carried) else { continue };
                let kept = carried.kept.as_ref().and_then(|kept| serde_json::from_str::<Open>(kept).ok());
                match kept {
                    Some(open) => {
                        inner.exchanges.insert(open.payment, Arc::clone(&exchange));
                        inner.kept.insert(exchange.id, carried.kept.unwrap_or_default());
                        *inner.terminals.entry(open.payment.tid).or_default() += 1;
                        opens.push(open);
                    }
                    None => fresh.push((exchange, carried.reply)),
                }
            }
            opens.sort_unstable_by_key(|open| open.seq);
            inner.follower = Follower::resume(policy, opens);
            for (exchange, reply) in fresh {
                if !exchange.seen.leaves_reversal() {
                    unanswered.push((exchange, reply.is_some()));
                    continue;
                }
                let payment = exchange.key.payment();
                inner.exchanges.insert(payment, Arc::clone(&exchange));
                let started = match sent(&exchange) {
                    // What the machine lost may be the reply: a delivered payment must not be reversed.
                    Event::Sent { exchange, stored } => Event::Sent { exchange, stored: stored && !machine_failed },
                    other => other,
                };
                inner.follower.apply(payment, started, exchange.received_at, &mut actions);
                if let Some(code) = reply.and_then(|reply| code_in(worker, &reply)) {
                    inner.follower.apply(payment, Event::Reply { code }, now, &mut actions);
                }
            }
            inner.follower.connections_lost(now, &mut actions);
            self.keep(&mut inner, &actions);
        }
        for (exchange, answered) in unanswered {
            let (id, at) = (exchange.id, now.0);
            if answered {
                let why = "the gateway stopped before it knew of the delivery";
                worker.settle(&exchange, State::DeliveryUnknown, why);
            } else {
                let why = "the gateway stopped before a reply came";
                worker.record(&Record::NoReply { exchange: id, at, sent_at: 0, why });
                worker.settle(&exchange, State::NoResponse, why);
            }
        }
        self.act(worker, actions);
        worker.hand_over();
    }
}

fn sent(exchange: &Exchange) -> Event {
    Event::Sent { exchange: exchange.id, stored: exchange.seen.kind() == Kind::Payment }
}

/// Response code of a masked reply.
fn code_in(worker: &Worker, reply: &[u8]) -> Option<[u8; 2]> {
    let message = worker.shared.dialect.decode(reply).ok()?;
    worker.shared.reader.read(&message).code
}

/// An exchange of an earlier process, as far as the journal knows it.
fn recovered(worker: &Worker, carried: &Carried) -> Option<Arc<Exchange>> {
    let message = worker.shared.dialect.decode(&carried.frame).ok()?;
    let exchange = Arc::new(Exchange::new(Begun {
        id: carried.exchange,
        seen: worker.shared.reader.read(&message),
        connection: carried.connection,
        frame: carried.frame.as_slice().into(),
        received_at: carried.received_at,
        received_ticks: worker.ticks(),
        host: carried.host,
        link: carried.link,
        terminal: None,
        phase: Phase::Followed,
    }));
    worker.shared.exchanges.enter(&exchange);
    Some(exchange)
}

/// An exchange as the start of a segment repeats it.
fn carried(exchange: &Exchange, kept: Option<String>) -> Carried {
    Carried {
        exchange: exchange.id,
        connection: exchange.connection,
        received_at: exchange.received_at,
        host: exchange.host,
        link: exchange.link,
        frame: exchange.frame.to_vec(),
        reply: exchange.reply().map(|reply| reply.to_vec()),
        replied_at: exchange.replied_at(),
        kept,
    }
}

/// The reversal of a request, from what is kept of it: no card number, no track, no PIN, no chip data.
fn reversal(worker: &Worker, original: &Exchange, code: [u8; 2]) -> Result<Vec<u8>, ReversalError> {
    let message =
        worker.shared.dialect.decode(&original.frame).map_err(|error| ReversalError::Read(error.to_string()))?;
    let repeated = &worker.shared.dialect.reversal().repeat;
    let mut draft = message.edit();
    draft.set_mti(REVERSAL).retain(|field| repeated.contains(&field) || field == 61);
    draft.set(39, &code)?;
    let mac_field = worker.shared.dialect.mac().and_then(|mac| mac.fields.first());
    let sealed = worker.shared.mac_key.as_ref().zip(mac_field);
    if let Some((_, field)) = sealed {
        draft.set(*field, &[0; 8])?;
    }
    let mut frame = Vec::with_capacity(160);
    draft.encode_into(&mut frame)?;
    if let Some((key, _)) = sealed {
        worker.shared.dialect.seal(key, &mut frame)?;
    }
    Ok(frame)
}

/// A reversal cannot be written.
#[derive(Debug, thiserror::Error)]
enum ReversalError {
    #[error("its request cannot be read any more: {0}")]
    Read(String),
    #[error(transparent)]
    Encode(#[from] EncodeError),
}
