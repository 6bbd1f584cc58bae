//! Follows payments whose reply is missing until it is certain how they ended, or certain that nobody can say.
//!
//! The follower holds open payments only. It may be told of every payment when it is sent, or only of those whose
//! reply does not come: then with the time at which they were sent, and what happened since in order. It is told what happened ([`Event`]), says what to do ([`Action`]) and never
//! looks at a clock. Everything it keeps of a payment is an [`Open`], written down with every [`Action::Changed`];
//! [`Follower::resume`] goes on from the last ones exactly as if it had never stopped.
//!
//! | State | Meaning | Leaves to |
//! |---|---|---|
//! | `SENT` | forwarded, the host has time left | approval: `RELEASING`, or `LATE_RESPONSE` when the terminal is gone; refusal: `DECLINED`; no byte sent: `NOT_SENT`; time over: `NO_RESPONSE`; terminal's own 0400: `REVERSAL_PENDING` |
//! | `RELEASING` | the approval is being written to the terminal | written: `APPROVED`; not one byte written: `LATE_RESPONSE`; nothing said in time (a crash): `DELIVERY_UNKNOWN`; terminal's 0400: `REVERSAL_PENDING` |
//! | `NO_RESPONSE` | the host's time is over; grace for the terminal's own 0400 | grace over: `REVERSAL_PENDING`; late approval: `RELEASING` or `LATE_RESPONSE`; refusal: `DECLINED` |
//! | `LATE_RESPONSE` | approved, and the terminal can no longer take it | as `REVERSAL_PENDING` |
//! | `REVERSAL_PENDING` | a reversal is queued, sent, or between attempts | proven: `REVERSED`; not proven: `REVERSAL_UNCONFIRMED`; none succeeded and the host had approved: `ONE_SIDED`; refusal of the original: `DECLINED`; late approval: `LATE_RESPONSE` |
//! | `REVERSAL_UNCONFIRMED` | no proof either way; kept for `linger_ms` | late approval: `LATE_RESPONSE` while attempts are left, else `ONE_SIDED`; proof: `REVERSED`; by hand: `ADJUSTED` |
//! | `ONE_SIDED` | the host approved, the terminal did not get it, no reversal succeeded; kept for `linger_ms` | proof: `REVERSED`; by hand: `ADJUSTED` |
//! | `APPROVED` `DECLINED` `NOT_SENT` `DELIVERY_UNKNOWN` `REVERSED` `ADJUSTED` | the end | |
//! | `ACQUIRER_REVERSED` `CENTRE_REVERSED` `REPLY_FAILED` `VOIDED` | the end by the switch's own outcome 08, 09, 11, 12 (05 gives `REVERSED`) | |
//!
//! What proves a reversal: a host answers 00 to a reversal also when it does not know the original ("to stop
//! repeats"). So "done" is proof only when the host had approved the original before the reversal was sent: more
//! answers "done" than reversals sent before the approval was seen. "Already reversed" is proof only after a "done".
//! A "done" for an original that the host was never heard to know leaves `REVERSAL_UNCONFIRMED`.
//!
//! Order: of one terminal, a stored reversal is sent only when no older payment of it is busy. A terminal that sends a
//! new payment has had its chance to reverse the old one first, so the grace of the old one ends.
//!
//! Once a reversal has begun, no approval is given to the terminal any more; and the gateway sends a reversal for a
//! released approval only when not one byte of it was written, or when the terminal itself reversed it.

mod policy;
mod state;
mod steps;

use std::collections::BTreeMap;

use onus_model::Instant;
use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

pub use policy::{FollowPolicy, Meaning, ReversalCode};
pub(crate) use state::worded;
pub use state::{Action, Event, HostKnows, Reason, Sender, State, SwitchOutcome};

use crate::seen::{PaymentRef, Tid};

/// Field 39 of a stored reversal: no reply in time.
const NO_REPLY: [u8; 2] = *b"98";

/// All that is kept of an open payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Open {
    /// The payment.
    pub payment: PaymentRef,
    /// The journal's number of the exchange that opened it.
    pub exchange: u64,
    /// Order of opening.
    pub seq: u64,
    /// State.
    pub state: State,
    /// Why it is in that state.
    pub reason: Reason,
    /// When it was opened.
    #[serde(with = "crate::micros")]
    pub opened_at: Instant,
    /// When the follower must look at it next.
    #[serde(with = "crate::micros")]
    pub due_at: Instant,
    /// What is known about the host and the original.
    pub host: HostKnows,
    /// The gateway holds what a reversal repeats.
    pub stored: bool,
    /// The terminal's connection closed before it got a reply.
    pub terminal_gone: bool,
    /// Stored reversals sent.
    pub attempts: u8,
    /// Reversals that the terminal sent.
    pub terminal_attempts: u8,
    /// A stored reversal waits for its answer.
    pub in_flight: bool,
    /// A reversal of the terminal waits for its answer.
    pub terminal_in_flight: bool,
    /// Reversals of both that were sent before the host's approval was seen.
    pub early: u8,
    /// Answers "done" to reversals.
    pub done: u8,
}

impl Open {
    fn waits_for_answer(&self) -> bool {
        self.in_flight || self.terminal_in_flight
    }

    fn is_host_approved(&self) -> bool {
        self.host != HostKnows::Unknown
    }
}

/// Busy payments of one terminal, oldest first. One payment at a time is the rule.
type Line = SmallVec<[(u64, PaymentRef); 1]>;

/// The open payments and what is due.
#[derive(Debug)]
pub struct Follower {
    policy: FollowPolicy,
    opens: FxHashMap<PaymentRef, Open>,
    timers: BTreeMap<(Instant, u64), PaymentRef>,
    lines: FxHashMap<Tid, Line>,
    next_seq: u64,
}

impl Follower {
    /// A follower with nothing open.
    #[must_use]
    pub fn new(policy: FollowPolicy) -> Follower {
        Follower {
            policy,
            opens: FxHashMap::default(),
            timers: BTreeMap::new(),
            lines: FxHashMap::default(),
            next_seq: 0,
        }
    }

    /// A follower that goes on from what was open: the last [`Open`] of each payment that was not closed. Exchange
    /// numbers and times are those of then; say [`Follower::connections_lost`] next when the process was gone.
    #[must_use]
    pub fn resume(policy: FollowPolicy, opens: impl IntoIterator<Item = Open>) -> Follower {
        let mut follower = Follower::new(policy);
        for open in opens {
            follower.next_seq = follower.next_seq.max(open.seq + 1);
            follower.forget(open.payment);
            follower.keep(open);
        }
        follower
    }

    /// All connections are gone with the process that held them.
    pub fn connections_lost(&mut self, now: Instant, out: &mut Vec<Action>) {
        for open in self.open() {
            self.apply(open.payment, Event::TerminalGone, now, out);
        }
    }

    /// The policy it follows by.
    #[must_use]
    pub fn policy(&self) -> &FollowPolicy {
        &self.policy
    }

    /// How many payments are open.
    #[must_use]
    pub fn len(&self) -> usize {
        self.opens.len()
    }

    /// Whether none is open.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.opens.is_empty()
    }

    /// What is kept of a payment.
    #[must_use]
    pub fn get(&self, payment: &PaymentRef) -> Option<&Open> {
        self.opens.get(payment)
    }

    /// All open payments, oldest first.
    #[must_use]
    pub fn open(&self) -> Vec<Open> {
        let mut opens: Vec<Open> = self.opens.values().copied().collect();
        opens.sort_unstable_by_key(|open| open.seq);
        opens
    }

    /// How many payments are in each state; states with none are left out.
    #[must_use]
    pub fn by_state(&self) -> BTreeMap<State, usize> {
        let mut counts = BTreeMap::new();
        for open in self.opens.values() {
            *counts.entry(open.state).or_insert(0) += 1;
        }
        counts
    }

    /// When [`Follower::tick`] has something to do next.
    #[must_use]
    pub fn next_due_at(&self) -> Option<Instant> {
        self.timers.first_key_value().map(|((at, _), _)| *at)
    }

    /// Puts a payment in its places: table, timer, line.
    fn keep(&mut self, open: Open) {
        self.opens.insert(open.payment, open);
        self.timers.insert((open.due_at, open.seq), open.payment);
        if open.state.is_busy() {
            let line = self.lines.entry(open.payment.tid).or_default();
            if let Err(at) = line.binary_search_by_key(&open.seq, |(seq, _)| *seq) {
                line.insert(at, (open.seq, open.payment));
            }
        }
    }

    /// Takes a payment out of its places.
    fn forget(&mut self, payment: PaymentRef) -> Option<Open> {
        let open = self.opens.remove(&payment)?;
        self.timers.remove(&(open.due_at, open.seq));
        Some(open)
    }

    /// Takes a payment that is no longer busy out of its terminal's line, and wakes the next.
    fn leave_line(&mut self, open: &Open) {
        let Some(line) = self.lines.get_mut(&open.payment.tid) else { return };
        line.retain(|(seq, _)| *seq != open.seq);
        let next = line.first().and_then(|(_, payment)| self.opens.get(payment));
        match next {
            // It may have been parked; a timer that is there already stays as it is.
            Some(next) => drop(self.timers.insert((next.due_at, next.seq), next.payment)),
            None => drop(self.lines.remove(&open.payment.tid)),
        }
    }

    /// Whether an older payment of the terminal is busy.
    fn is_behind(&self, open: &Open) -> bool {
        let first = self.lines.get(&open.payment.tid).and_then(|line| line.first());
        first.is_some_and(|(seq, _)| *seq < open.seq)
    }

    /// Writes a changed payment back and says so.
    fn change(&mut self, open: Open, reason: Reason, out: &mut Vec<Action>) {
        let open = Open { reason, ..open };
        let before = self.forget(open.payment);
        self.keep(open);
        if before.is_some_and(|before| before.state.is_busy()) && !open.state.is_busy() {
            self.leave_line(&open);
        }
        out.push(Action::Changed { from: before.map(|before| before.state), now: open, reason });
    }

    /// Lets a payment go.
    fn end(&mut self, open: Open, end: State, reason: Reason, out: &mut Vec<Action>) {
        self.forget(open.payment);
        self.leave_line(&open);
        out.push(Action::Closed { payment: open.payment, exchange: open.exchange, end, reason });
    }
}

fn after_ms(now: Instant, milliseconds: u32) -> Instant {
    Instant(now.0.saturating_add(i64::from(milliseconds) * 1_000))
}

#[cfg(test)]
mod property_tests;
#[cfg(test)]
mod tests;
