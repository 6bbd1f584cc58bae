use super::*;

const TID: Tid = *b"52300348";

fn payment(trace: u32) -> PaymentRef {
    PaymentRef { tid: TID, batch: Some(666), trace }
}

fn second(at: i64) -> Instant {
    Instant(0).plus_seconds(at)
}

/// What happens in a story, and what the follower says to it, one line each.
struct Story {
    follower: Follower,
    lines: Vec<String>,
}

fn story() -> Story {
    with(FollowPolicy::default())
}

fn with(policy: FollowPolicy) -> Story {
    Story { follower: Follower::new(policy), lines: Vec::new() }
}

impl Story {
    fn at(mut self, at: i64, trace: u32, event: Event) -> Story {
        let mut out = Vec::new();
        self.follower.apply(payment(trace), event, second(at), &mut out);
        self.tell(at, &out);
        self
    }

    fn tick(mut self, at: i64) -> Story {
        let mut out = Vec::new();
        self.follower.tick(second(at), &mut out);
        self.tell(at, &out);
        self
    }

    fn tell(&mut self, at: i64, actions: &[Action]) {
        let words = actions.iter().map(|action| match action {
            Action::Changed { now, reason, .. } => {
                format!("{} {} ({})", now.payment.trace, now.state.as_str(), reason.as_str())
            }
            Action::Closed { payment, end, reason, .. } => {
                format!("{} ends {} ({})", payment.trace, end.as_str(), reason.as_str())
            }
            Action::Release { payment } => format!("{} release", payment.trace),
            Action::Withhold { payment, reason } => format!("{} withhold ({})", payment.trace, reason.as_str()),
            Action::SendReversal { payment, attempt, code, .. } => {
                format!("{} send reversal {attempt} with {}", payment.trace, String::from_utf8_lossy(code))
            }
            Action::Full { payment } => format!("{} full", payment.trace),
            Action::NotExpected { payment } => format!("{} not expected", payment.trace),
        });
        self.lines.extend(words.map(|word| format!("{at}s {word}")));
    }

    fn text(&self) -> String {
        self.lines.join("\n")
    }
}

const SENT: Event = Event::Sent { exchange: 5, stored: true };
const APPROVED: Event = Event::Reply { code: *b"00" };
const REFUSED: Event = Event::Reply { code: *b"51" };
const OWN_0400: Event = Event::TerminalReversal { host: HostKnows::Unknown, exchange: 6 };

fn answer(code: &[u8; 2]) -> Event {
    Event::ReversalReply { sender: Sender::Gateway, code: *code }
}

fn own_answer(code: &[u8; 2]) -> Event {
    Event::ReversalReply { sender: Sender::Terminal, code: *code }
}

#[test]
fn a_reply_in_time() {
    let told = story().at(0, 1, SENT).at(2, 1, APPROVED).at(2, 1, Event::Delivered).at(3, 2, SENT).at(4, 2, REFUSED);
    insta::assert_snapshot!(told.text(), @r"
    0s 1 SENT (forwarded)
    2s 1 RELEASING (approval)
    2s 1 release
    2s 1 ends APPROVED (delivered)
    3s 2 SENT (forwarded)
    4s 2 release
    4s 2 ends DECLINED (refusal)
    ");
    assert!(told.follower.is_empty() && told.follower.next_due_at().is_none() && told.follower.lines.is_empty());
}

#[test]
fn no_reply_and_a_done_that_proves_nothing() {
    let told = story().at(0, 1, SENT).tick(59).tick(60).tick(70).at(71, 1, answer(b"00")).tick(671);
    insta::assert_snapshot!(told.text(), @r"
    0s 1 SENT (forwarded)
    60s 1 NO_RESPONSE (host-timeout)
    70s 1 REVERSAL_PENDING (due)
    70s 1 send reversal 1 with 98
    71s 1 REVERSAL_UNCONFIRMED (original-unseen)
    671s 1 ends REVERSAL_UNCONFIRMED (original-unseen)
    ");
    assert!(told.follower.is_empty());
}

#[test]
fn asking_again_tells_a_host_that_knew_from_one_that_did_not() {
    let policy = FollowPolicy { ask_again: true, ..FollowPolicy::default() };
    let begun = || with(policy.clone()).at(0, 1, SENT).tick(60).tick(70).at(71, 1, answer(b"00")).tick(71);
    insta::assert_snapshot!(begun().at(72, 1, answer(b"25")).text(), @r"
    0s 1 SENT (forwarded)
    60s 1 NO_RESPONSE (host-timeout)
    70s 1 REVERSAL_PENDING (due)
    70s 1 send reversal 1 with 98
    71s 1 REVERSAL_PENDING (original-unseen)
    71s 1 REVERSAL_PENDING (due)
    71s 1 send reversal 2 with 98
    72s 1 ends REVERSED (host-confirmed)
    ");
    insta::assert_snapshot!(begun().at(72, 1, answer(b"00")).lines.last().unwrap(), @"72s 1 REVERSAL_UNCONFIRMED (original-unseen)");
}

#[test]
fn an_approval_that_could_not_be_delivered_is_reversed_with_proof() {
    let told =
        story().at(0, 1, SENT).at(2, 1, APPROVED).at(2, 1, Event::NotDelivered).tick(12).at(13, 1, answer(b"00"));
    insta::assert_snapshot!(told.text(), @r"
    0s 1 SENT (forwarded)
    2s 1 RELEASING (approval)
    2s 1 release
    2s 1 LATE_RESPONSE (terminal-gone)
    12s 1 REVERSAL_PENDING (due)
    12s 1 send reversal 1 with 98
    13s 1 ends REVERSED (host-reversed)
    ");
}

#[test]
fn a_terminal_that_is_gone_gets_no_approval() {
    let told =
        story().at(0, 1, SENT).at(1, 1, Event::TerminalGone).at(2, 1, APPROVED).tick(12).at(13, 1, answer(b"00"));
    insta::assert_snapshot!(told.text(), @r"
    0s 1 SENT (forwarded)
    1s 1 SENT (terminal-gone)
    2s 1 withhold (terminal-gone)
    2s 1 LATE_RESPONSE (late-approval)
    12s 1 REVERSAL_PENDING (due)
    12s 1 send reversal 1 with 98
    13s 1 ends REVERSED (host-reversed)
    ");
    let refused = story().at(0, 1, SENT).at(1, 1, Event::TerminalGone).at(2, 1, REFUSED);
    insta::assert_snapshot!(refused.text(), @r"
    0s 1 SENT (forwarded)
    1s 1 SENT (terminal-gone)
    2s 1 withhold (refusal)
    2s 1 ends DECLINED (refusal)
    ");
}

#[test]
fn a_late_approval_before_any_reversal_is_released_or_withheld_as_configured() {
    let late = |policy| with(policy).at(0, 1, SENT).tick(60).at(62, 1, APPROVED);
    insta::assert_snapshot!(late(FollowPolicy::default()).at(62, 1, Event::Delivered).text(), @r"
    0s 1 SENT (forwarded)
    60s 1 NO_RESPONSE (host-timeout)
    62s 1 RELEASING (approval)
    62s 1 release
    62s 1 ends APPROVED (delivered)
    ");
    let policy = FollowPolicy { release_late: false, ..FollowPolicy::default() };
    insta::assert_snapshot!(late(policy).tick(72).at(73, 1, answer(b"00")).text(), @r"
    0s 1 SENT (forwarded)
    60s 1 NO_RESPONSE (host-timeout)
    62s 1 withhold (late-approval)
    62s 1 LATE_RESPONSE (late-approval)
    72s 1 REVERSAL_PENDING (due)
    72s 1 send reversal 1 with 98
    73s 1 ends REVERSED (host-reversed)
    ");
}

#[test]
fn an_approval_after_the_reversal_was_sent_needs_a_second_answer() {
    let told = story().at(0, 1, SENT).tick(60).tick(70).at(71, 1, APPROVED).at(72, 1, answer(b"00")).tick(72);
    insta::assert_snapshot!(told.text(), @r"
    0s 1 SENT (forwarded)
    60s 1 NO_RESPONSE (host-timeout)
    70s 1 REVERSAL_PENDING (due)
    70s 1 send reversal 1 with 98
    71s 1 withhold (reversal-begun)
    71s 1 LATE_RESPONSE (late-approval)
    72s 1 REVERSAL_PENDING (approved-after)
    72s 1 REVERSAL_PENDING (due)
    72s 1 send reversal 2 with 98
    ");
    insta::assert_snapshot!(told.at(73, 1, answer(b"25")).lines.last().unwrap(), @"73s 1 ends REVERSED (host-confirmed)");
    let told = story().at(0, 1, SENT).tick(60).tick(70).at(71, 1, APPROVED).at(72, 1, answer(b"00")).tick(72);
    insta::assert_snapshot!(told.at(73, 1, answer(b"00")).lines.last().unwrap(), @"73s 1 ends REVERSED (host-reversed)");
}

#[test]
fn no_answer_to_any_attempt() {
    let told = (70..900).step_by(10).fold(story().at(0, 1, SENT).tick(60), Story::tick);
    insta::assert_snapshot!(told.text(), @r"
    0s 1 SENT (forwarded)
    60s 1 NO_RESPONSE (host-timeout)
    70s 1 REVERSAL_PENDING (due)
    70s 1 send reversal 1 with 98
    100s 1 REVERSAL_PENDING (due)
    130s 1 REVERSAL_PENDING (due)
    130s 1 send reversal 2 with 98
    160s 1 REVERSAL_PENDING (due)
    190s 1 REVERSAL_PENDING (due)
    190s 1 send reversal 3 with 98
    220s 1 REVERSAL_UNCONFIRMED (exhausted)
    820s 1 ends REVERSAL_UNCONFIRMED (exhausted)
    ");
    let gone = story().at(0, 1, SENT).at(1, 1, APPROVED).at(1, 1, Event::NotDelivered);
    let told = (10..300).step_by(10).fold(gone, Story::tick).at(300, 1, Event::Adjusted);
    insta::assert_snapshot!(told.text(), @r"
    0s 1 SENT (forwarded)
    1s 1 RELEASING (approval)
    1s 1 release
    1s 1 LATE_RESPONSE (terminal-gone)
    20s 1 REVERSAL_PENDING (due)
    20s 1 send reversal 1 with 98
    50s 1 REVERSAL_PENDING (due)
    80s 1 REVERSAL_PENDING (due)
    80s 1 send reversal 2 with 98
    110s 1 REVERSAL_PENDING (due)
    140s 1 REVERSAL_PENDING (due)
    140s 1 send reversal 3 with 98
    170s 1 ONE_SIDED (exhausted)
    300s 1 ends ADJUSTED (by-hand)
    ");
}

#[test]
fn what_answers_to_a_reversal_mean() {
    let known = |code: &[u8; 2]| {
        let told =
            story().at(0, 1, SENT).at(1, 1, APPROVED).at(1, 1, Event::NotDelivered).tick(11).at(12, 1, answer(code));
        told.lines.last().cloned().unwrap_or_default()
    };
    let unknown = |code: &[u8; 2]| {
        let told = story().at(0, 1, SENT).tick(60).tick(70).at(71, 1, answer(code));
        told.lines.last().cloned().unwrap_or_default()
    };
    let table: Vec<_> = [b"00", b"25", b"01", b"64", b"96"]
        .map(|code| format!("{} | {} | {}", String::from_utf8_lossy(code), known(code), unknown(code)))
        .into();
    insta::assert_snapshot!(table.join("\n"), @r"
    00 | 12s 1 ends REVERSED (host-reversed) | 71s 1 REVERSAL_UNCONFIRMED (original-unseen)
    25 | 12s 1 REVERSAL_UNCONFIRMED (already-or-wrong-state) | 71s 1 REVERSAL_UNCONFIRMED (already-or-wrong-state)
    01 | 12s 1 ONE_SIDED (says-original-failed) | 71s 1 REVERSAL_UNCONFIRMED (says-original-failed)
    64 | 12s 1 ONE_SIDED (reversal-refused) | 71s 1 REVERSAL_UNCONFIRMED (reversal-refused)
    96 | 12s 1 REVERSAL_PENDING (due) | 71s 1 REVERSAL_PENDING (due)
    ");
}

#[test]
fn the_terminals_own_reversal_takes_the_place_of_the_stored_one() {
    let told = story().at(0, 1, SENT).tick(60).at(62, 1, OWN_0400).at(63, 1, APPROVED).at(64, 1, own_answer(b"00"));
    insta::assert_snapshot!(told.text(), @r"
    0s 1 SENT (forwarded)
    60s 1 NO_RESPONSE (host-timeout)
    62s 1 REVERSAL_PENDING (terminal-reversed)
    63s 1 withhold (reversal-begun)
    63s 1 LATE_RESPONSE (late-approval)
    64s 1 REVERSAL_PENDING (approved-after)
    ");
    let told = story().at(0, 1, SENT).tick(60).at(62, 1, OWN_0400).tick(92).tick(102).at(103, 1, answer(b"00"));
    insta::assert_snapshot!(told.text(), @r"
    0s 1 SENT (forwarded)
    60s 1 NO_RESPONSE (host-timeout)
    62s 1 REVERSAL_PENDING (terminal-reversed)
    92s 1 REVERSAL_PENDING (due)
    102s 1 REVERSAL_PENDING (due)
    102s 1 send reversal 1 with 98
    103s 1 REVERSAL_UNCONFIRMED (original-unseen)
    ");
}

#[test]
fn a_reversal_of_what_is_not_open() {
    let known = Event::TerminalReversal { host: HostKnows::Approved(second(1)), exchange: 6 };
    insta::assert_snapshot!(story().at(9, 1, known).at(10, 1, own_answer(b"00")).text(), @r"
    9s 1 REVERSAL_PENDING (terminal-reversed)
    10s 1 ends REVERSED (host-reversed)
    ");
    insta::assert_snapshot!(story().at(9, 1, OWN_0400).at(10, 1, own_answer(b"00")).text(), @r"
    9s 1 REVERSAL_PENDING (terminal-reversed)
    10s 1 REVERSAL_UNCONFIRMED (original-unseen)
    ");
    insta::assert_snapshot!(story().at(9, 1, OWN_0400).tick(39).text(), @r"
    9s 1 REVERSAL_PENDING (terminal-reversed)
    39s 1 REVERSAL_UNCONFIRMED (nothing-stored)
    ");
}

#[test]
fn reversals_of_one_terminal_go_in_order() {
    let told = story().at(0, 1, SENT).at(1, 2, SENT).at(2, 2, APPROVED).at(2, 2, Event::NotDelivered).tick(12).tick(60);
    let told = told.tick(61).tick(70).at(71, 1, answer(b"96")).tick(101).at(102, 1, answer(b"00")).tick(102);
    insta::assert_snapshot!(told.at(103, 2, answer(b"00")).text(), @r"
    0s 1 SENT (forwarded)
    1s 2 SENT (forwarded)
    2s 2 RELEASING (approval)
    2s 2 release
    2s 2 LATE_RESPONSE (terminal-gone)
    60s 1 NO_RESPONSE (host-timeout)
    70s 1 REVERSAL_PENDING (due)
    70s 1 send reversal 1 with 98
    71s 1 REVERSAL_PENDING (due)
    101s 1 REVERSAL_PENDING (due)
    101s 1 send reversal 2 with 98
    102s 1 REVERSAL_UNCONFIRMED (original-unseen)
    102s 2 REVERSAL_PENDING (due)
    102s 2 send reversal 1 with 98
    103s 2 ends REVERSED (host-reversed)
    ");
}

#[test]
fn a_new_payment_ends_the_grace_of_the_old_one() {
    let told = story().at(0, 1, SENT).tick(60).at(62, 2, SENT).tick(62);
    insta::assert_snapshot!(told.text(), @r"
    0s 1 SENT (forwarded)
    60s 1 NO_RESPONSE (host-timeout)
    62s 1 NO_RESPONSE (due)
    62s 2 SENT (forwarded)
    62s 1 REVERSAL_PENDING (due)
    62s 1 send reversal 1 with 98
    ");
}

#[test]
fn a_payment_may_be_told_of_when_its_reply_does_not_come() {
    let told = story().tick(60).at(0, 1, SENT).tick(60).tick(70);
    insta::assert_snapshot!(told.text(), @r"
    0s 1 SENT (forwarded)
    60s 1 NO_RESPONSE (host-timeout)
    70s 1 REVERSAL_PENDING (due)
    70s 1 send reversal 1 with 98
    ");
    let mut told = story().at(0, 1, SENT).at(1, 1, Event::TerminalGone).at(2, 1, APPROVED);
    let mut out = Vec::new();
    told.follower.next_payment(TID, second(3), &mut out);
    told.follower.tick(second(3), &mut out);
    told.tell(3, &out);
    assert_eq!(told.lines.last().unwrap(), "3s 1 send reversal 1 with 98");
}

#[test]
fn late_word_changes_an_uncertain_end() {
    let unsure = || story().at(0, 1, SENT).tick(60).tick(70).at(71, 1, answer(b"00"));
    let last = |story: Story| story.lines.get(4..).unwrap_or_default().join("\n");
    insta::assert_snapshot!(last(unsure().at(80, 1, APPROVED).tick(80).at(81, 1, answer(b"00"))), @r"
    71s 1 REVERSAL_UNCONFIRMED (original-unseen)
    80s 1 withhold (reversal-begun)
    80s 1 LATE_RESPONSE (late-approval)
    80s 1 REVERSAL_PENDING (due)
    80s 1 send reversal 2 with 98
    81s 1 ends REVERSED (host-reversed)
    ");
    insta::assert_snapshot!(last(unsure().at(80, 1, REFUSED)), @r"
    71s 1 REVERSAL_UNCONFIRMED (original-unseen)
    80s 1 withhold (refusal)
    80s 1 ends DECLINED (refusal)
    ");
    for (number, end) in
        [(5, "REVERSED"), (8, "ACQUIRER_REVERSED"), (9, "CENTRE_REVERSED"), (11, "REPLY_FAILED"), (12, "VOIDED")]
    {
        let told = unsure().at(80, 1, Event::Switch(SwitchOutcome::new(number).unwrap()));
        assert_eq!(told.lines.last().unwrap(), &format!("80s 1 ends {end} (switch-said)"));
    }
    let told = unsure().at(80, 1, Event::Switch(SwitchOutcome::new(10).unwrap()));
    assert_eq!(told.lines.last().unwrap(), "80s 1 not expected");
    assert_eq!(SwitchOutcome::new(0).or(SwitchOutcome::new(14)), None);
}

#[test]
fn without_a_host_the_attempt_does_not_count_and_patience_ends() {
    let policy = FollowPolicy { give_up_s: 120, ..FollowPolicy::default() };
    let told = with(policy).at(0, 1, SENT).tick(60).tick(70).at(70, 1, Event::ReversalNotSent).tick(100);
    let told = told.at(100, 1, Event::ReversalNotSent).tick(130).at(130, 1, Event::ReversalNotSent);
    insta::assert_snapshot!(told.text(), @r"
    0s 1 SENT (forwarded)
    60s 1 NO_RESPONSE (host-timeout)
    70s 1 REVERSAL_PENDING (due)
    70s 1 send reversal 1 with 98
    70s 1 REVERSAL_PENDING (due)
    100s 1 REVERSAL_PENDING (due)
    100s 1 send reversal 1 with 98
    100s 1 REVERSAL_PENDING (due)
    130s 1 REVERSAL_PENDING (due)
    130s 1 send reversal 1 with 98
    130s 1 REVERSAL_UNCONFIRMED (no-host-too-long)
    ");
}

#[test]
fn what_comes_at_the_wrong_time_is_not_expected() {
    let told =
        story().at(0, 1, APPROVED).at(0, 1, Event::Delivered).at(0, 1, SENT).at(0, 1, SENT).at(1, 1, answer(b"00"));
    let told = told.at(2, 1, APPROVED).at(2, 1, APPROVED).at(2, 1, Event::Adjusted).at(2, 1, Event::NotSent);
    let told = told.at(3, 1, Event::Delivered).at(3, 1, REFUSED).at(4, 2, SENT).at(4, 2, Event::NotSent);
    insta::assert_snapshot!(told.text(), @r"
    0s 1 not expected
    0s 1 not expected
    0s 1 SENT (forwarded)
    0s 1 not expected
    1s 1 not expected
    2s 1 RELEASING (approval)
    2s 1 release
    2s 1 not expected
    2s 1 not expected
    2s 1 not expected
    3s 1 ends APPROVED (delivered)
    3s 1 not expected
    4s 2 SENT (forwarded)
    4s 2 ends NOT_SENT (no-host)
    ");
}

#[test]
fn room_is_bounded() {
    let policy = FollowPolicy { most_open: 2, ..FollowPolicy::default() };
    let told = with(policy).at(0, 1, SENT).at(0, 2, SENT).at(0, 3, SENT).at(0, 4, OWN_0400);
    assert_eq!(told.lines[2..], ["0s 3 full", "0s 4 full"]);
    assert_eq!(told.follower.len(), 2);
}

#[test]
fn after_a_crash() {
    let before = story().at(0, 1, SENT).at(1, 2, SENT).at(2, 2, APPROVED).at(3, 3, SENT).tick(62);
    let opens = before.follower.open();
    let written = serde_json::to_string(&opens).unwrap();
    let read: Vec<Open> = serde_json::from_str(&written).unwrap();
    assert_eq!(read, opens);
    let mut after = Story { follower: Follower::resume(FollowPolicy::default(), read), lines: Vec::new() };
    let mut out = Vec::new();
    after.follower.connections_lost(second(62), &mut out);
    after.tell(62, &out);
    let after = after.tick(63).tick(71).at(72, 1, answer(b"00")).tick(73);
    insta::assert_snapshot!(after.text(), @r"
    62s 1 NO_RESPONSE (terminal-gone)
    62s 3 SENT (terminal-gone)
    63s 3 NO_RESPONSE (host-timeout)
    72s 1 not expected
    73s 1 REVERSAL_PENDING (due)
    73s 1 send reversal 1 with 98
    ");
}

#[test]
fn states_are_worded_and_policies_read() {
    assert!(State::ALL.iter().all(|state| !state.text().en.is_empty() && !state.text().zh.is_ascii()));
    assert!(Reason::ALL.iter().all(|reason| !reason.text().en.is_empty() && !reason.text().zh.is_ascii()));
    let ends = State::ALL.iter().filter(|state| state.is_end()).count();
    let busy = State::ALL.iter().filter(|state| state.is_busy()).count();
    assert_eq!((ends, busy, State::ALL.len()), (10, 5, 17));
    let policy: FollowPolicy =
        toml::from_str("attempts = 1\nreversal_codes = [{ code = \"00\", meaning = \"done\" }]").unwrap();
    assert_eq!((policy.attempts, policy.meaning(*b"25"), policy.host_timeout_ms), (1, Meaning::Again, 60_000));
    assert!(policy.approves(*b"A2") && !policy.approves(*b"51"));
    assert!(toml::from_str::<FollowPolicy>("retries = 1").unwrap_err().to_string().contains("retries"));
}
