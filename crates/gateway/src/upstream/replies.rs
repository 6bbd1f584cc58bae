//! A reply from a host: whose it is, and what becomes of it.

use std::sync::Arc;

use onus_intake::tap::{Record, ReplyKind, Side};

use super::Link;
use crate::detect::Way;
use crate::exchange::{Exchange, Found, Phase};
use crate::follow::Sender;
use crate::outcomes::Told;
use crate::pursuit::Verdict;
use crate::seen::{Kind, Seen};
use crate::stats::count;
use crate::watch::Sighted;
use crate::worker::Worker;

/// Reads the frames of one connection to a host.
pub(super) struct Replies {
    host: u16,
    number: u16,
}

impl Replies {
    pub(super) fn new(link: &Link) -> Replies {
        Replies { host: link.host, number: link.number }
    }

    pub(super) fn take(&self, worker: &Worker, link: &Link, frame: &[u8]) {
        match worker.shared.dialect.decode(frame) {
            Ok(message) => {
                let seen = worker.shared.reader.read(&message);
                self.understood(worker, link, &seen, frame);
            }
            Err(error) => self.undecodable(worker, link, frame, &error.to_string()),
        }
    }

    fn understood(&self, worker: &Worker, link: &Link, seen: &Seen, frame: &[u8]) {
        if !seen.is_reply() {
            return self.undecodable(worker, link, frame, "a request, from a host");
        }
        if super::echo::is_answer(worker, link, &seen.key()) {
            return;
        }
        let now = worker.now();
        worker.show(Sighted::Message { seen: *seen, way: Way::ToTerminal, now });
        match worker.shared.exchanges.find(&seen.key()) {
            Found::Exchange(exchange) if exchange.step(Phase::Open, Phase::Answered) => {
                self.in_time(worker, &exchange, seen, frame);
            }
            Found::Exchange(exchange) if exchange.phase() == Phase::Followed => {
                self.followed(worker, &exchange, seen, frame);
            }
            Found::Exchange(exchange) => {
                count(&worker.counters.duplicate_replies);
                self.record(worker, &exchange, ReplyKind::Duplicate, frame);
            }
            Found::Answered => {
                count(&worker.counters.duplicate_replies);
                self.record_unknown(worker, ReplyKind::Duplicate, frame);
            }
            Found::Nothing => self.unmatched(worker, link, frame),
        }
    }

    /// The first reply to an open exchange.
    fn in_time(&self, worker: &Worker, exchange: &Arc<Exchange>, seen: &Seen, frame: &[u8]) {
        count(&worker.counters.replies);
        let kind = if exchange.is_own() { ReplyKind::Reversal } else { ReplyKind::InTime };
        let code = self.accept(worker, exchange, seen, kind, frame);
        let after_us = worker.ticks().saturating_sub(exchange.received_ticks);
        worker.tell(exchange, Told::Answered { code, after_us });
        if exchange.is_own() {
            worker.leave(exchange, None);
            worker.shared.pursuit.reversal_answered(worker, exchange, Sender::Gateway, code);
        }
        match exchange.terminal() {
            Some(terminal) => {
                if seen.kind() == Kind::Reversal {
                    worker.shared.pursuit.reversal_answered(worker, exchange, Sender::Terminal, code);
                }
                worker.reply(terminal, exchange, frame);
            }
            None if exchange.is_own() => {}
            None => worker.undelivered(exchange, "no connection of a terminal"),
        }
    }

    /// A reply to an exchange that the follower has, or whose time was up: what becomes of it is the follower's word.
    fn followed(&self, worker: &Worker, exchange: &Arc<Exchange>, seen: &Seen, frame: &[u8]) {
        let code = seen.code.unwrap_or_default();
        let in_time = exchange.terminal().is_some()
            && worker.ticks().saturating_sub(exchange.received_ticks)
                <= u64::from(worker.shared.config.follow.host_timeout_ms) * 1_000;
        // The record stands before what follows from it.
        let kind = match () {
            () if exchange.code() != [0; 2] => ReplyKind::Duplicate,
            () if in_time => ReplyKind::InTime,
            () => ReplyKind::Late,
        };
        count(match kind {
            ReplyKind::Duplicate => &worker.counters.duplicate_replies,
            ReplyKind::InTime => &worker.counters.replies,
            _ => &worker.counters.late_replies,
        });
        if kind == ReplyKind::Duplicate {
            return self.record(worker, exchange, kind, frame);
        }
        self.accept(worker, exchange, seen, kind, frame);
        let after_us = worker.ticks().saturating_sub(exchange.received_ticks);
        worker.tell(exchange, if in_time { Told::Answered { code, after_us } } else { Told::Late });
        if seen.kind() == Kind::Reversal {
            worker.shared.pursuit.reversal_answered(worker, exchange, Sender::Terminal, code);
        }
        match worker.shared.pursuit.answered(worker, exchange, code) {
            Verdict::Release => match exchange.terminal() {
                Some(terminal) => worker.reply(terminal, exchange, frame),
                None => worker.undelivered(exchange, "no connection of a terminal"),
            },
            Verdict::Withhold | Verdict::Unexpected => count(&worker.counters.withheld),
        }
    }

    /// Writes a reply down and counts it; gives its code.
    fn accept(&self, worker: &Worker, exchange: &Exchange, seen: &Seen, kind: ReplyKind, frame: &[u8]) -> [u8; 2] {
        let now = worker.now();
        if let Some(code) = seen.code {
            worker.counters.host_codes.add(code);
        }
        let sent_at = exchange.sent_at();
        if sent_at != 0 {
            worker.counters.host_latency.add(u64::try_from(now.0 - sent_at).unwrap_or_default());
        }
        let masked = worker.masked(frame);
        let (id, received_at, host, link) = (exchange.id, now.0, self.host, self.number);
        let record = Record::Reply { exchange: id, kind, host, link, sent_at, received_at, frame: &masked };
        worker.record_masked(&record);
        // A reply without a code is one all the same.
        let code = seen.code.unwrap_or(*b"--");
        exchange.keep_reply(&masked, code, now);
        code
    }

    fn record(&self, worker: &Worker, exchange: &Exchange, kind: ReplyKind, frame: &[u8]) {
        let (id, sent_at, received_at) = (exchange.id, exchange.sent_at(), worker.now().0);
        let (host, link) = (self.host, self.number);
        worker.record(&Record::Reply { exchange: id, kind, host, link, sent_at, received_at, frame });
    }

    fn record_unknown(&self, worker: &Worker, kind: ReplyKind, frame: &[u8]) {
        let (host, link, received_at) = (self.host, self.number, worker.now().0);
        worker.record(&Record::Reply { exchange: 0, kind, host, link, sent_at: 0, received_at, frame });
    }

    fn unmatched(&self, worker: &Worker, link: &Link, frame: &[u8]) {
        count(&worker.counters.unmatched_replies);
        self.record_unknown(worker, ReplyKind::Unmatched, frame);
        // It may answer a request that was passed on without being understood.
        self.give_to_blind(worker, link, frame);
    }

    fn undecodable(&self, worker: &Worker, link: &Link, frame: &[u8], why: &str) {
        count(&worker.counters.undecodable);
        let passed = self.give_to_blind(worker, link, frame);
        let (side, host, at) = (Side::Upstream, self.host, worker.now().0);
        let connection = 0;
        worker.record(&Record::Undecodable { side, connection, host, link: self.number, at, passed, why, frame });
    }

    fn give_to_blind(&self, worker: &Worker, link: &Link, frame: &[u8]) -> bool {
        link.take_blind(frame)
            .is_some_and(|terminal| terminal.push(&worker.shared.terminal_framer, frame, None).is_ok())
    }
}
