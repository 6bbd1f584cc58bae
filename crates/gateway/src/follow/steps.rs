//! The transitions.

use onus_model::Instant;

use super::{Action, Event, Follower, HostKnows, Meaning, NO_REPLY, Open, Reason, Sender, State, after_ms};
use crate::seen::{PaymentRef, Tid};

impl Follower {
    /// Takes what happened to a payment and appends what to do. Actions stand in the order in which they must be done.
    pub fn apply(&mut self, payment: PaymentRef, event: Event, now: Instant, out: &mut Vec<Action>) {
        let open = self.opens.get(&payment).copied();
        let taken = match (event, open) {
            (Event::Sent { exchange, stored }, None) => self.sent(payment, exchange, stored, now, out),
            (Event::TerminalReversal { host, exchange }, open) => {
                self.terminal_reversal(payment, open, host, exchange, now, out)
            }
            (_, None) | (Event::Sent { .. }, Some(_)) => false,
            (Event::NotSent, Some(open)) => {
                let taken = matches!(open.state, State::Sent | State::NoResponse);
                if taken {
                    self.end(open, State::NotSent, Reason::NoHost, out);
                }
                taken
            }
            (Event::Reply { code }, Some(open)) => self.reply(open, code, now, out),
            (Event::Delivered, Some(open)) => {
                let taken = open.state == State::Releasing;
                if taken {
                    self.end(open, State::Approved, Reason::Delivered, out);
                }
                taken
            }
            (Event::NotDelivered, Some(open)) => self.not_delivered(open, now, out),
            (Event::TerminalGone, Some(open)) => {
                if matches!(open.state, State::Sent | State::NoResponse) && !open.terminal_gone {
                    self.change(Open { terminal_gone: true, ..open }, Reason::TerminalGone, out);
                }
                true
            }
            (Event::ReversalReply { sender, code }, Some(open)) => self.reversal_reply(open, sender, code, now, out),
            (Event::ReversalNotSent, Some(open)) => self.reversal_not_sent(open, now, out),
            (Event::Switch(outcome), Some(open)) => match outcome.state() {
                // Before a reply is missing, the switch has nothing to say that the host will not.
                Some(end) if !matches!(open.state, State::Sent | State::Releasing) => {
                    self.end(open, end, Reason::SwitchSaid, out);
                    true
                }
                _ => false,
            },
            (Event::Adjusted, Some(open)) => {
                if open.state.lingers() {
                    self.end(open, State::Adjusted, Reason::ByHand, out);
                }
                open.state.lingers()
            }
        };
        if !taken {
            out.push(Action::NotExpected { payment });
        }
    }

    /// Does what is due.
    pub fn tick(&mut self, now: Instant, out: &mut Vec<Action>) {
        while let Some(((at, _), payment)) = self.timers.first_key_value().map(|(key, payment)| (*key, *payment))
            && at <= now
        {
            match self.opens.get(&payment).copied() {
                Some(open) => self.due(open, now, out),
                None => drop(self.timers.pop_first()),
            }
        }
    }

    fn sent(&mut self, payment: PaymentRef, exchange: u64, stored: bool, now: Instant, out: &mut Vec<Action>) -> bool {
        self.next_payment(payment.tid, now, out);
        let due_at = after_ms(now, self.policy.host_timeout_ms);
        self.add(Open { stored, ..Open::new(payment, exchange, now, due_at) }, Reason::Forwarded, out);
        true
    }

    /// The terminal goes on to a new payment without having reversed the old ones, so their grace ends.
    /// [`Event::Sent`] does this too; call it where answered payments never come here.
    pub fn next_payment(&mut self, tid: Tid, now: Instant, out: &mut Vec<Action>) {
        let Some(line) = self.lines.get(&tid) else { return };
        for (_, older) in line.clone() {
            if let Some(open) = self.opens.get(&older).copied()
                && matches!(open.state, State::NoResponse | State::LateResponse)
                && !open.waits_for_answer()
                && open.due_at > now
            {
                self.change(Open { due_at: now, ..open }, Reason::Due, out);
            }
        }
    }

    /// Takes a new payment in, if there is room.
    fn add(&mut self, open: Open, reason: Reason, out: &mut Vec<Action>) {
        if self.opens.len() >= self.policy.most_open as usize {
            return out.push(Action::Full { payment: open.payment });
        }
        let open = Open { seq: self.next_seq, reason, ..open };
        self.next_seq += 1;
        self.keep(open);
        out.push(Action::Changed { from: None, now: open, reason });
    }

    fn reply(&mut self, open: Open, code: [u8; 2], now: Instant, out: &mut Vec<Action>) -> bool {
        let payment = open.payment;
        let before_reversal = matches!(open.state, State::Sent | State::NoResponse);
        if open.is_host_approved() {
            // One approval is enough; anything after it is a duplicate.
            return false;
        }
        if !self.policy.approves(code) {
            out.push(match before_reversal && !open.terminal_gone {
                true => Action::Release { payment },
                false => Action::Withhold { payment, reason: Reason::Refusal },
            });
            self.end(open, State::Declined, Reason::Refusal, out);
            return true;
        }
        let sent = open.attempts.saturating_add(open.terminal_attempts);
        let open = Open { host: HostKnows::Approved(now), early: sent, ..open };
        let late = open.state == State::NoResponse && !self.policy.release_late;
        if before_reversal && !open.terminal_gone && !late {
            let open = Open { state: State::Releasing, due_at: after_ms(now, self.policy.delivery_ms), ..open };
            self.change(open, Reason::Approval, out);
            out.push(Action::Release { payment });
            return true;
        }
        let reason = match open {
            _ if !before_reversal => Reason::ReversalBegun,
            Open { terminal_gone: true, .. } => Reason::TerminalGone,
            _ => Reason::LateApproval,
        };
        out.push(Action::Withhold { payment, reason });
        self.late_approval(open, before_reversal, now, out);
        true
    }

    /// The host approved, and the terminal will not hear of it.
    fn late_approval(&mut self, open: Open, before_reversal: bool, now: Instant, out: &mut Vec<Action>) {
        if open.state.lingers() && !self.may_send(&open) {
            return self.linger(open, State::OneSided, Reason::LateApproval, now, out);
        }
        let due_at = match open {
            _ if before_reversal => after_ms(now, self.policy.grace_ms),
            Open { in_flight: true, .. } | Open { terminal_in_flight: true, .. } => open.due_at,
            _ => now,
        };
        self.change(Open { state: State::LateResponse, due_at, ..open }, Reason::LateApproval, out);
    }

    fn not_delivered(&mut self, open: Open, now: Instant, out: &mut Vec<Action>) -> bool {
        if open.state != State::Releasing {
            return false;
        }
        let due_at = after_ms(now, self.policy.grace_ms);
        let open = Open { state: State::LateResponse, terminal_gone: true, due_at, ..open };
        self.change(open, Reason::TerminalGone, out);
        true
    }

    fn terminal_reversal(
        &mut self,
        payment: PaymentRef,
        open: Option<Open>,
        host: HostKnows,
        exchange: u64,
        now: Instant,
        out: &mut Vec<Action>,
    ) -> bool {
        let due_at = after_ms(now, self.policy.reversal_timeout_ms);
        let known = open.unwrap_or(Open { host, ..Open::new(payment, exchange, now, due_at) });
        let reversed = Open {
            state: State::ReversalPending,
            due_at,
            terminal_attempts: known.terminal_attempts.saturating_add(1),
            terminal_in_flight: true,
            ..known
        };
        match open {
            None => self.add(reversed, Reason::TerminalReversed, out),
            Some(_) => self.change(reversed, Reason::TerminalReversed, out),
        }
        true
    }

    fn reversal_reply(
        &mut self,
        open: Open,
        sender: Sender,
        code: [u8; 2],
        now: Instant,
        out: &mut Vec<Action>,
    ) -> bool {
        let begun = match sender {
            Sender::Gateway => open.attempts > 0,
            Sender::Terminal => open.terminal_attempts > 0,
        };
        if !begun || matches!(open.state, State::Sent | State::Releasing | State::NoResponse) {
            return false;
        }
        let meaning = self.policy.meaning(code);
        let mut open = open;
        match sender {
            Sender::Gateway => open.in_flight = false,
            Sender::Terminal => open.terminal_in_flight = false,
        }
        if meaning == Meaning::Done {
            open.done = open.done.saturating_add(1);
        }
        match proof(&open, meaning) {
            Some(reason) => self.end(open, State::Reversed, reason, out),
            None if open.state.lingers() => self.change(open, open.reason, out),
            None => self.no_proof(open, meaning, now, out),
        }
        true
    }

    /// An answer that proves nothing: once more, or an uncertain end.
    fn no_proof(&mut self, open: Open, meaning: Meaning, now: Instant, out: &mut Vec<Action>) {
        let approved = open.is_host_approved();
        let (again, state, reason) = match meaning {
            Meaning::Done if approved => (true, State::ReversalUnconfirmed, Reason::ApprovedAfter),
            Meaning::Done => {
                (self.policy.ask_again && open.done == 1, State::ReversalUnconfirmed, Reason::OriginalUnseen)
            }
            Meaning::Already => (false, State::ReversalUnconfirmed, Reason::AlreadyOrWrongState),
            Meaning::OriginalFailed => (false, without_success(&open), Reason::SaysOriginalFailed),
            Meaning::Refused => (false, without_success(&open), Reason::ReversalRefused),
            Meaning::Again => return self.once_more(open, self.policy.retry_ms, now, out),
        };
        match again && self.may_send(&open) {
            true => self.change(Open { state: State::ReversalPending, due_at: now, ..open }, reason, out),
            false => self.linger(open, state, reason, now, out),
        }
    }

    /// Waits for the other reversal under way, or for the time of the next attempt.
    fn once_more(&mut self, open: Open, wait_ms: u32, now: Instant, out: &mut Vec<Action>) {
        if open.waits_for_answer() {
            self.change(open, open.reason, out);
        } else if self.may_send(&open) {
            let due_at = after_ms(now, wait_ms.max(1));
            self.change(Open { state: State::ReversalPending, due_at, ..open }, Reason::Due, out);
        } else {
            self.exhausted(open, now, out);
        }
    }

    fn exhausted(&mut self, open: Open, now: Instant, out: &mut Vec<Action>) {
        let reason = if open.stored { Reason::Exhausted } else { Reason::NothingStored };
        self.linger(open, without_success(&open), reason, now, out);
    }

    fn linger(&mut self, open: Open, state: State, reason: Reason, now: Instant, out: &mut Vec<Action>) {
        let due_at = after_ms(now, self.policy.linger_ms);
        self.change(Open { state, due_at, in_flight: false, terminal_in_flight: false, ..open }, reason, out);
    }

    fn reversal_not_sent(&mut self, open: Open, now: Instant, out: &mut Vec<Action>) -> bool {
        if !open.in_flight {
            return false;
        }
        let open = Open { in_flight: false, attempts: open.attempts.saturating_sub(1), ..open };
        let give_up = open.opened_at.plus_seconds(self.policy.give_up_s.into());
        match now >= give_up {
            true => self.linger(open, without_success(&open), Reason::NoHostTooLong, now, out),
            false => self.once_more(open, self.policy.retry_ms, now, out),
        }
        true
    }

    fn may_send(&self, open: &Open) -> bool {
        open.stored && open.attempts < self.policy.attempts
    }

    fn due(&mut self, open: Open, now: Instant, out: &mut Vec<Action>) {
        match open.state {
            State::Sent => {
                let due_at = after_ms(now, self.policy.grace_ms);
                self.change(Open { state: State::NoResponse, due_at, ..open }, Reason::HostTimeout, out);
            }
            State::Releasing => self.end(open, State::DeliveryUnknown, Reason::DeliveryUnseen, out),
            State::NoResponse | State::LateResponse | State::ReversalPending if open.waits_for_answer() => {
                let wait_ms = if open.in_flight { self.policy.retry_ms } else { self.policy.grace_ms };
                let open = Open { in_flight: false, terminal_in_flight: false, ..open };
                self.once_more(open, wait_ms, now, out);
            }
            State::NoResponse | State::LateResponse | State::ReversalPending => self.send_reversal(open, now, out),
            end => self.end(open, end, open.reason, out),
        }
    }

    fn send_reversal(&mut self, open: Open, now: Instant, out: &mut Vec<Action>) {
        if self.is_behind(&open) {
            // Parked: whoever leaves the line before it sets its timer again.
            self.timers.remove(&(open.due_at, open.seq));
            return;
        }
        if !self.may_send(&open) {
            return self.exhausted(open, now, out);
        }
        let open = Open {
            state: State::ReversalPending,
            attempts: open.attempts + 1,
            in_flight: true,
            due_at: after_ms(now, self.policy.reversal_timeout_ms.max(1)),
            ..open
        };
        self.change(open, Reason::Due, out);
        let (payment, exchange, attempt) = (open.payment, open.exchange, open.attempts);
        out.push(Action::SendReversal { payment, exchange, attempt, code: NO_REPLY });
    }
}

impl Open {
    /// A payment that was just sent.
    fn new(payment: PaymentRef, exchange: u64, now: Instant, due_at: Instant) -> Open {
        Open {
            payment,
            exchange,
            seq: 0,
            state: State::Sent,
            reason: Reason::Forwarded,
            opened_at: now,
            due_at,
            host: HostKnows::Unknown,
            stored: false,
            terminal_gone: false,
            attempts: 0,
            terminal_attempts: 0,
            in_flight: false,
            terminal_in_flight: false,
            early: 0,
            done: 0,
        }
    }
}

/// Why an answer proves that the original is reversed, if it does.
fn proof(open: &Open, meaning: Meaning) -> Option<Reason> {
    match meaning {
        Meaning::Done if open.is_host_approved() && open.done > open.early => Some(Reason::HostReversed),
        Meaning::Already if open.done > 0 => Some(Reason::HostConfirmed),
        _ => None,
    }
}

/// The uncertain end when no reversal succeeded.
fn without_success(open: &Open) -> State {
    if open.is_host_approved() { State::OneSided } else { State::ReversalUnconfirmed }
}
