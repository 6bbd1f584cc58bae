//! Whatever happens, in whatever order.

#![allow(clippy::expect_used, reason = "a test may")]

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

const TERMINALS: u8 = 2;
const TRACES: u32 = 4;

#[derive(Debug, Clone, Copy)]
enum Step {
    Tell(u8, u32, Event),
    Wait(u32),
    Next(u8),
}

fn codes() -> impl Strategy<Value = [u8; 2]> {
    prop::sample::select(vec![*b"00", *b"51", *b"25", *b"96", *b"64", *b"01", *b"A2"])
}

fn events() -> impl Strategy<Value = Event> {
    prop_oneof![
        4 => any::<bool>().prop_map(|stored| Event::Sent { exchange: 1, stored }),
        1 => Just(Event::NotSent),
        4 => codes().prop_map(|code| Event::Reply { code }),
        2 => Just(Event::Delivered),
        2 => Just(Event::NotDelivered),
        2 => Just(Event::TerminalGone),
        2 => Just(Event::TerminalReversal { host: HostKnows::Unknown, exchange: 2 }),
        1 => Just(Event::TerminalReversal { host: HostKnows::Approved(Instant(0)), exchange: 2 }),
        4 => (any::<bool>(), codes()).prop_map(|(own, code)| Event::ReversalReply {
            sender: if own { Sender::Terminal } else { Sender::Gateway },
            code,
        }),
        1 => Just(Event::ReversalNotSent),
        1 => (1..=13_u8).prop_filter_map("1 to 13", SwitchOutcome::new).prop_map(Event::Switch),
        1 => Just(Event::Adjusted),
    ]
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        3 => (0..TERMINALS, 0..TRACES, events()).prop_map(|(terminal, trace, event)| Step::Tell(terminal, trace, event)),
        2 => (0..200_u32).prop_map(Step::Wait),
        1 => (0..TERMINALS).prop_map(Step::Next),
    ];
    prop::collection::vec(step, 1..80)
}

fn policies() -> impl Strategy<Value = FollowPolicy> {
    (0..4_u8, any::<bool>(), any::<bool>(), 1..9_u32, prop::sample::select(vec![0, 40, 300])).prop_map(
        |(attempts, release_late, ask_again, most_open, wait)| FollowPolicy {
            host_timeout_ms: 60,
            grace_ms: wait,
            reversal_timeout_ms: 30,
            retry_ms: wait,
            attempts,
            linger_ms: 100,
            delivery_ms: 10,
            give_up_s: 1,
            release_late,
            ask_again,
            most_open,
            ..FollowPolicy::default()
        },
    )
}

/// What a partner sees of one payment while it is open.
#[derive(Default, Clone, Copy)]
struct Watch {
    sent: u8,
    terminal_reversed: bool,
    released: bool,
    not_delivered: bool,
    approved: bool,
}

/// The follower beside what can be told from outside: the journal's copy, and the watch on each payment.
struct World {
    follower: Follower,
    journal: BTreeMap<PaymentRef, Open>,
    watch: BTreeMap<PaymentRef, Watch>,
    now: Instant,
}

impl World {
    fn new(policy: FollowPolicy) -> World {
        World { follower: Follower::new(policy), journal: BTreeMap::new(), watch: BTreeMap::new(), now: Instant(0) }
    }

    fn step(&mut self, step: Step) -> Result<(), TestCaseError> {
        // A follower that starts anew from the journal does the same from here on.
        let policy = self.follower.policy().clone();
        let mut opens: Vec<Open> = self.journal.values().copied().collect();
        opens.reverse();
        let mut resumed = Follower::resume(policy, opens);
        resumed.next_seq = self.follower.next_seq;
        let (mut out, mut again) = (Vec::new(), Vec::new());
        match step {
            Step::Tell(terminal, trace, event) => {
                let tid = [b'0' + terminal; 8];
                let payment = PaymentRef { tid, batch: Some(1), trace };
                self.hear(payment, event);
                self.follower.apply(payment, event, self.now, &mut out);
                resumed.apply(payment, event, self.now, &mut again);
            }
            Step::Next(terminal) => {
                self.follower.next_payment([b'0' + terminal; 8], self.now, &mut out);
                resumed.next_payment([b'0' + terminal; 8], self.now, &mut again);
            }
            Step::Wait(milliseconds) => {
                self.now = after_ms(self.now, milliseconds);
                self.follower.tick(self.now, &mut out);
                resumed.tick(self.now, &mut again);
            }
        }
        prop_assert_eq!(&out, &again);
        prop_assert_eq!(self.follower.open(), resumed.open());
        for action in out {
            self.act(action)?;
        }
        let written: Vec<Open> = {
            let mut opens: Vec<Open> = self.journal.values().copied().collect();
            opens.sort_by_key(|open| open.seq);
            opens
        };
        prop_assert_eq!(self.follower.open(), written);
        prop_assert!(self.follower.len() <= self.follower.policy().most_open as usize);
        let busy = self.journal.values().filter(|open| open.state.is_busy()).count();
        prop_assert_eq!(self.follower.lines.values().map(SmallVec::len).sum::<usize>(), busy);
        Ok(())
    }

    fn hear(&mut self, payment: PaymentRef, event: Event) {
        let approves = self.follower.policy().clone();
        let open = self.journal.get(&payment).copied();
        let watch = self.watch.entry(payment).or_default();
        match event {
            Event::NotDelivered => watch.not_delivered = true,
            Event::TerminalReversal { host, .. } => {
                watch.terminal_reversed = true;
                watch.approved |= open.is_none() && host != HostKnows::Unknown;
            }
            Event::Reply { code } if open.is_some() => watch.approved |= approves.approves(code),
            Event::ReversalNotSent if open.is_some_and(|open| open.in_flight) => watch.sent -= 1,
            _ => {}
        }
    }

    fn act(&mut self, action: Action) -> Result<(), TestCaseError> {
        match action {
            Action::Release { payment } => {
                let watch = self.watch.entry(payment).or_default();
                prop_assert!(watch.sent == 0 && !watch.terminal_reversed, "released after a reversal began");
                prop_assert!(!watch.released, "answered twice");
                watch.released = true;
            }
            Action::SendReversal { payment, attempt, .. } => {
                let most = self.follower.policy().attempts;
                let watch = self.watch.entry(payment).or_default();
                watch.sent += 1;
                prop_assert!(watch.sent <= most && attempt == watch.sent, "attempt {} of {}", attempt, most);
                prop_assert!(
                    !watch.released || watch.not_delivered || watch.terminal_reversed,
                    "reversed what was given"
                );
                let seq = self.journal[&payment].seq;
                let before = |open: &&Open| open.payment.tid == payment.tid && open.seq < seq && open.state.is_busy();
                prop_assert!(!self.journal.values().any(|open| before(&open)), "out of order");
            }
            Action::Changed { from, now, .. } => {
                let known = self.journal.insert(now.payment, now);
                prop_assert_eq!(known.map(|open| open.state), from);
                if from.is_none() {
                    let own = now.terminal_attempts > 0;
                    let approved = now.host != HostKnows::Unknown;
                    self.watch.insert(now.payment, Watch { terminal_reversed: own, approved, ..Watch::default() });
                }
                prop_assert!(!now.state.is_end());
            }
            Action::Closed { payment, end, reason, .. } => {
                let known = self.journal.remove(&payment);
                let watch = self.watch.remove(&payment).unwrap_or_default();
                prop_assert!(known.is_some(), "closed twice");
                match end {
                    State::Approved => prop_assert!(watch.released && watch.sent == 0 && !watch.terminal_reversed),
                    State::Reversed => {
                        prop_assert!(watch.sent > 0 || watch.terminal_reversed || reason == Reason::SwitchSaid);
                        prop_assert!(reason != Reason::HostReversed || watch.approved, "no proof");
                        prop_assert!(!watch.released || watch.not_delivered || watch.terminal_reversed);
                    }
                    State::OneSided => prop_assert!(watch.approved),
                    _ => {}
                }
            }
            Action::Withhold { .. } | Action::Full { .. } | Action::NotExpected { .. } => {}
        }
        Ok(())
    }
}

proptest! {
    #[test]
    fn whatever_happens_the_promises_hold(policy in policies(), steps in steps()) {
        let mut world = World::new(policy);
        for step in steps {
            world.step(step)?;
        }
        // With nothing more to hear, every payment comes to an end: each has at most a few timers per attempt.
        let most = world.follower.len() * (4 + 3 * usize::from(world.follower.policy().attempts));
        for _ in 0..=most {
            let Some(due_at) = world.follower.next_due_at() else { break };
            let wait = u32::try_from((due_at.0 - world.now.0).max(0) / 1_000).expect("soon") + 1;
            world.step(Step::Wait(wait))?;
        }
        prop_assert!(world.follower.is_empty(), "{:?}", world.follower.open());
        prop_assert!(world.follower.timers.is_empty() && world.follower.lines.is_empty());
    }
}
