//! One terminal's connection: requests come, are written down and sent on; replies go back.

use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::Context;

use onus_intake::tap::{GateAction, NO_LINK, Record, Side};
use onus_iso8583::Message;
use onus_model::Instant;
use tokio::io::{AsyncRead, AsyncWrite};

use crate::config::{Durability, Undecodable};
use crate::detect::Way;
use crate::exchange::{Begun, Entered, Exchange, Phase};
use crate::gate::{Connection, Decision};
use crate::outbox::{Mark, Outbox};
use crate::outcomes::Told;
use crate::pump::{Fault, Peer, Pump};
use crate::refusal;
use crate::seen::{Kind, Seen};
use crate::stats::count;
use crate::upstream::{Blind, Link};
use crate::watch::Sighted;
use crate::worker::Worker;

/// A connection of a terminal.
struct Terminal {
    worker: Rc<Worker>,
    connection: u64,
    outbox: Arc<Outbox>,
    /// Exchanges of this connection; answered ones are dropped when more come.
    open: Vec<Arc<Exchange>>,
    now: Instant,
    ticks: u64,
}

/// Carries a terminal's connection until it ends.
pub(crate) async fn carry<S>(worker: Rc<Worker>, stream: S, peer: String, tls: bool)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let shared = Arc::clone(&worker.shared);
    let connection = shared.next_connection.fetch_add(1, Ordering::Relaxed);
    let outbox = Arc::new(Outbox::new(shared.config.terminals.max_unsent_bytes, worker.ticks()));
    worker.watch(&outbox);
    worker.record(&Record::Connected { connection, at: worker.now().0, peer: &peer, tls });
    drop(peer);
    let terminal = Terminal {
        connection,
        outbox: Arc::clone(&outbox),
        open: Vec::new(),
        now: worker.now(),
        ticks: worker.ticks(),
        worker: Rc::clone(&worker),
    };
    let scratch = &worker.scratch;
    let mut pump =
        Pump { stream, outbox: &outbox, framer: &shared.terminal_framer, scratch, peer: terminal, busy: false };
    let ended = pump.run().await;
    let open = pump.peer.closed();
    for (at, mark) in ended.rest.marks.iter().enumerate() {
        match at {
            0 if ended.rest.first_begun => worker.partly_delivered(&mark.exchange, &ended.why),
            _ => worker.undelivered(&mark.exchange, &ended.why),
        }
    }
    worker.record(&Record::Closed {
        side: Side::Terminal,
        connection,
        host: NO_LINK,
        link: NO_LINK,
        at: worker.now().0,
        open,
        unsent: u32::try_from(ended.rest.bytes).unwrap_or(u32::MAX),
        why: &ended.why,
    });
}

impl Peer for Terminal {
    fn frame(&mut self, frame: &[u8]) -> Result<(), Fault> {
        self.now = self.worker.now();
        self.ticks = self.worker.ticks();
        let worker = Rc::clone(&self.worker);
        count(&worker.counters.requests);
        match worker.shared.dialect.decode(frame) {
            Ok(message) => {
                let seen = worker.shared.reader.read(&message);
                if seen.is_reply() {
                    return self.undecodable(frame, "a reply, from a terminal");
                }
                self.worker.show(Sighted::Message { seen, way: Way::ToHost, now: self.now });
                self.request(&message, &seen);
                Ok(())
            }
            Err(error) => self.undecodable(frame, &error.to_string()),
        }
    }

    fn burst_done(&mut self, unfinished: bool) {
        self.outbox.saw_bytes(self.worker.ticks(), unfinished);
        if self.worker.holds_replies() {
            // Replies of the gateway itself.
            self.worker.hand_over();
        }
    }

    fn before_write(&mut self) {
        self.worker.hand_over_urgent();
    }

    fn written(&mut self, mark: Mark) {
        self.outbox.saw_bytes(self.worker.ticks(), false);
        self.worker.delivered(&mark.exchange);
    }

    fn may_read(&mut self, context: &mut Context<'_>) -> bool {
        let journal = &self.worker.shared.journal;
        if journal.is_full() {
            journal.want_sync();
            journal.wake_after_sync(context.waker());
            return !journal.is_full();
        }
        // Too many open: the next reply wakes the task, for it goes through the outbox.
        self.open.len() < self.worker.shared.config.terminals.max_open || self.forget_answered()
    }
}

impl Terminal {
    /// Drops exchanges that are answered; whether there is room for more.
    fn forget_answered(&mut self) -> bool {
        self.open.retain(|exchange| matches!(exchange.phase(), Phase::Open | Phase::Followed));
        if self.open.is_empty() {
            self.open = Vec::new();
        }
        self.open.len() < self.worker.shared.config.terminals.max_open
    }

    fn request(&mut self, message: &Message<'_>, seen: &Seen) {
        let worker = Rc::clone(&self.worker);
        let shared = &worker.shared;
        let decision = if shared.rules.is_empty() {
            Decision::Pass
        } else {
            let snapshot = shared.snapshots.load();
            shared.rules.check(&snapshot, seen, &Connection::default(), self.now)
        };
        let disk_fails = shared.config.journal.durability == Durability::BeforeReply && shared.journal.is_failing();
        match decision {
            Decision::Refuse { code, rule, why, .. } => {
                count(&worker.counters.refused);
                worker.counters.refusals.add(rule.0);
                self.refuse(message, seen, code, shared.rules.name(rule), &why.text().en);
            }
            _ if disk_fails && seen.kind() != Kind::Reversal => {
                count(&worker.counters.disk_refusals);
                let code = shared.config.journal.failure_code.bytes();
                self.answer_unrecorded(message, code);
            }
            Decision::Pass => drop(self.forward(message, seen)),
            Decision::PassOpen { rule, why, .. } => {
                count(&worker.counters.passed_open);
                worker.counters.opened.add(rule.0);
                if let Some(exchange) = self.forward(message, seen) {
                    let (rule, why) = (shared.rules.name(rule), &*why.text().en);
                    let action = GateAction::PassedOpen;
                    let at = self.now.0;
                    worker.record(&Record::Gate { exchange, at, action, code: [0; 2], rule, why, frame: &[] });
                }
            }
        }
    }

    /// Sends a request on; gives the number of its exchange, unless it was a repeat or could not be sent.
    fn forward(&mut self, message: &Message<'_>, seen: &Seen) -> Option<u64> {
        let worker = Rc::clone(&self.worker);
        let shared = &worker.shared;
        let Some(link) = crate::upstream::choose(&worker) else {
            self.unavailable(message, seen);
            return None;
        };
        let exchange = self.begin(message.frame(), seen, link);
        let id = exchange.id;
        let exchange = match shared.exchanges.enter(&exchange) {
            Entered::New(replaced) => {
                if let Some(replaced) = replaced {
                    worker.settle_unanswered(&replaced, "the terminal asked again");
                }
                self.record_request(&exchange);
                shared.pursuit.forwards(&worker, &exchange);
                if seen.kind() == Kind::Reversal {
                    worker.tell(&exchange, Told::Reversed);
                    shared.pursuit.terminal_reverses(&worker, &exchange);
                }
                exchange
            }
            Entered::Repeated(first) => {
                count(&worker.counters.repeated_requests);
                first.repeated_by(&self.outbox);
                let (connection, at) = (self.connection, self.now.0);
                worker.record(&Record::Repeated { exchange: first.id, connection, at });
                first
            }
        };
        if link.worker() != worker.index {
            worker.hand_over();
        }
        if link.send(message.frame(), &exchange).is_err() {
            shared.pursuit.not_sent(&worker, &exchange);
            worker.leave(&exchange, None);
            let code = shared.config.upstream.unavailable_code.bytes();
            count(&worker.counters.unavailable);
            let why = "the connection to the host was lost or full";
            worker.answer(&exchange, Arc::clone(&self.outbox), code, "no-host", why);
            return None;
        }
        count(&worker.counters.forwarded);
        if self.open.len() >= 4 && self.open.len() == self.open.capacity() {
            self.forget_answered();
        }
        let is_new = exchange.id == id;
        self.open.push(exchange);
        is_new.then_some(id)
    }

    fn begin(&self, frame: &[u8], seen: &Seen, link: &Link) -> Arc<Exchange> {
        Arc::new(Exchange::new(Begun {
            id: self.worker.shared.next_exchange.fetch_add(1, Ordering::Relaxed),
            seen: *seen,
            connection: self.connection,
            frame: self.worker.masked(frame),
            received_at: self.now,
            received_ticks: self.ticks,
            host: link.host(),
            link: link.number(),
            terminal: Some(Arc::clone(&self.outbox)),
            phase: Phase::Open,
        }))
    }

    fn record_request(&self, exchange: &Exchange) {
        let Exchange { id, host, link, frame, .. } = exchange;
        let (exchange, host, link) = (*id, *host, *link);
        let (connection, received_at, carried) = (self.connection, self.now.0, false);
        let record = Record::Request { exchange, connection, received_at, host, link, carried, frame };
        self.worker.record_masked(&record);
    }

    fn unavailable(&mut self, message: &Message<'_>, seen: &Seen) {
        count(&self.worker.counters.unavailable);
        let code = self.worker.shared.config.upstream.unavailable_code.bytes();
        self.refuse(message, seen, code, "no-host", "no host could be reached");
    }

    /// Answers a request that no host gets to see.
    fn refuse(&mut self, message: &Message<'_>, seen: &Seen, code: [u8; 2], rule: &str, why: &str) {
        let exchange = Arc::new(Exchange::new(Begun {
            id: self.worker.shared.next_exchange.fetch_add(1, Ordering::Relaxed),
            seen: *seen,
            connection: self.connection,
            frame: self.worker.masked(message.frame()),
            received_at: self.now,
            received_ticks: self.ticks,
            host: NO_LINK,
            link: NO_LINK,
            terminal: Some(Arc::clone(&self.outbox)),
            phase: Phase::Done,
        }));
        self.record_request(&exchange);
        self.worker.answer(&exchange, Arc::clone(&self.outbox), code, rule, why);
    }

    /// Answers while the disk fails: nothing can be written down, and the request was not sent on.
    fn answer_unrecorded(&self, message: &Message<'_>, code: [u8; 2]) {
        self.worker.counters.gateway_codes.add(code);
        let sent = refusal::reply(message, code)
            .map(|frame| self.outbox.push(&self.worker.shared.terminal_framer, &frame, None));
        if !matches!(sent, Ok(Ok(()))) {
            self.outbox.end("the gateway could not give its own reply", true);
        }
    }

    fn undecodable(&mut self, frame: &[u8], why: &str) -> Result<(), Fault> {
        let worker = Rc::clone(&self.worker);
        count(&worker.counters.undecodable);
        let passes = worker.shared.config.terminals.undecodable == Undecodable::Pass;
        let link = if passes { crate::upstream::choose(&worker) } else { None };
        let (host, link_number) = link.map_or((NO_LINK, NO_LINK), |link| (link.host(), link.number()));
        worker.record(&Record::Undecodable {
            side: Side::Terminal,
            connection: self.connection,
            host,
            link: link_number,
            at: self.now.0,
            passed: link.is_some(),
            why,
            frame,
        });
        let Some(link) = link else {
            return Err(Fault { why: format!("a frame that does not decode: {why}").into(), after_writing: true });
        };
        worker.hand_over();
        let sent = link.send_blind(frame, Blind::new(&self.outbox, frame));
        sent.map_err(|_| Fault { why: "the connection to the host was lost or full".into(), after_writing: true })
    }

    /// The connection has ended; gives how many requests had no reply.
    fn closed(&mut self) -> u32 {
        let mut without = 0;
        for exchange in std::mem::take(&mut self.open) {
            if exchange.phase() == Phase::Open && exchange.belongs_to(&self.outbox) {
                without += 1;
                count(&self.worker.counters.terminals_gone);
                self.worker.shared.pursuit.overdue(&self.worker, &exchange, true);
                self.worker.show(Sighted::Closed { payment: exchange.key.payment(), now: self.worker.now() });
            } else if exchange.phase() == Phase::Followed && exchange.belongs_to(&self.outbox) {
                self.worker.shared.pursuit.overdue(&self.worker, &exchange, true);
            }
        }
        without
    }
}
