//! What a faulty host does becomes an event in the journal, and the terminal is served as well as can be.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, reason = "a test may")]

mod setup;

use std::time::Duration;

use onus_intake::tap::{Record, ReplyKind, Side};
use onus_simulator::account::{Entry, Event};
use onus_simulator::books::Standing;
use onus_simulator::fault::{Fault, FaultKind, FaultPlan, OnTimeout};
use onus_simulator::fleet::{self, FleetConfig};
use onus_simulator::frame::{FrameView, Wire};
use onus_simulator::message::Kind;
use onus_simulator::terminal::Outcome;
use setup::{PATIENCE, Stage, Tap, eventually};

fn is_reply(record: &Record<'_>, wanted: ReplyKind) -> bool {
    matches!(record, Record::Reply { kind, .. } if *kind == wanted)
}

/// Where the payments of the host stand.
fn standings(stage: &Stage) -> Vec<Standing> {
    stage.host.books().all().map(|(_, record)| record.standing).collect()
}

fn digests(lines: &[Entry]) -> Vec<u64> {
    let mut digests: Vec<u64> = lines.iter().map(|line| line.digest).collect();
    digests.sort_unstable();
    digests
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn frames_pass_byte_for_byte_both_ways() {
    let stage = Stage::new(Vec::new()).await;
    let fleet = FleetConfig::of(stage.address(), 10, 100.0, Duration::from_secs(2));
    let report = fleet::run(fleet, &stage.terminals).await;
    assert!(report.approved > 50 && report.approved == report.payments, "{report:?}");
    assert_eq!(report.settled, (10, 0));
    let lines = |account: &onus_simulator::account::Account, event| account.find(|line| line.event == event);
    let sent = lines(&stage.terminals, Event::Sent);
    assert_eq!(digests(&sent), digests(&lines(stage.host.account(), Event::Received)));
    let received = lines(&stage.terminals, Event::Received);
    assert_eq!(digests(&received), digests(&lines(stage.host.account(), Event::Sent)));
    assert_eq!(received.len(), sent.len());

    let tap = stage.journal("all deliveries", |tap| {
        tap.count(|record| matches!(record, Record::Delivered { .. })) == received.len()
    });
    let tap = tap.await;
    assert_eq!(tap.count(|record| matches!(record, Record::Request { carried: false, .. })), sent.len());
    assert_eq!(tap.count(|record| is_reply(record, ReplyKind::InTime)), received.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_card_number_is_in_the_journal() {
    let stage = Stage::hasty(vec![Fault::always(FaultKind::Silence).share(0.3)]).await;
    let mut terminal = stage.impatient(1, Duration::from_millis(600));
    let mut cards = Vec::new();
    for _ in 0..8 {
        let purchase = terminal.some_purchase();
        cards.push(purchase.card.clone());
        terminal.sale(purchase).await;
    }
    let Stage { gateway, folder, .. } = stage;
    gateway.shutdown();
    let tap = Tap::read(folder.path());
    assert!(tap.count(|record| matches!(record, Record::Request { .. })) >= 8);
    for card in &cards {
        let digits = card.pan().as_bytes();
        let packed = |digits: &[u8]| -> Vec<u8> {
            digits.chunks_exact(2).map(|pair| (pair[0] - b'0') << 4 | (pair[1] - b'0')).collect()
        };
        // As text and packed, from the first and from the second digit on.
        assert!(!tap.contains(digits), "{card:?}");
        assert!(!tap.contains(&packed(digits)), "{card:?}");
        assert!(!tap.contains(&packed(&digits[1..])), "{card:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_late_reply_is_an_event_and_the_payment_is_reversed() {
    let late = Fault::always(FaultKind::Late).after(Duration::from_millis(700)).on(&[Kind::Sale]);
    let stage = Stage::hasty(vec![late]).await;
    let mut terminal = stage.impatient(1, Duration::from_millis(200));
    let purchase = terminal.some_purchase();
    terminal.sell_and_vanish(&purchase).await.expect("sent");
    let late = |tap: &Tap| tap.has(|record| is_reply(record, ReplyKind::Late));
    let tap = stage.journal("a late reply", late).await;
    assert!(tap.has(|record| matches!(record, Record::NoReply { .. })) || tap.has_state("NO_RESPONSE"));
    eventually("reversed at the host", || (standings(&stage) == [Standing::Reversed]).then_some(())).await;
    assert_eq!(stage.gateway.stats().counts.late_replies, 1);
    setup::at_rest(stage.folder.path()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn strays_and_duplicates_are_events_and_never_reach_a_terminal() {
    for (fault, kind) in [(FaultKind::Stray, ReplyKind::Unmatched), (FaultKind::Duplicate, ReplyKind::Duplicate)] {
        let stage = Stage::new(vec![Fault::always(fault)]).await;
        let mut terminal = stage.terminal(1);
        for _ in 0..3 {
            let purchase = terminal.some_purchase();
            assert_eq!(terminal.sale(purchase).await.outcome, Outcome::Approved, "{fault:?}");
        }
        let tap = stage.journal("events", |tap| tap.count(|record| is_reply(record, kind)) == 3).await;
        assert_eq!(tap.count(|record| is_reply(record, ReplyKind::InTime)), 3, "{fault:?}");
        // Whatever comes after the echo would have come before it.
        assert_eq!(terminal.echo().await, Outcome::Approved);
        assert_eq!(stage.terminals.count(|line| line.event == Event::Unmatched), 0, "{fault:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn garbage_in_a_frame_is_an_event() {
    let stage = Stage::new(vec![Fault::always(FaultKind::Garbage)]).await;
    let mut terminal = stage.terminal(1);
    let purchase = terminal.some_purchase();
    assert_eq!(terminal.sale(purchase).await.outcome, Outcome::Approved);
    let undecodable = |record: &Record<'_>| matches!(record, Record::Undecodable { side: Side::Upstream, .. });
    stage.journal("an undecodable frame", |tap| tap.has(undecodable)).await;
    assert_eq!(stage.terminals.count(|line| line.event == Event::Unreadable), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn noise_costs_the_link_and_nothing_else() {
    let stage = Stage::hasty(vec![Fault::always(FaultKind::Noise).at("90000001")]).await;
    let mut unlucky = stage.impatient(1, Duration::from_secs(3));
    let purchase = unlucky.some_purchase();
    let outcome = unlucky.sale(purchase).await.outcome;
    assert!(matches!(outcome, Outcome::TimedOut | Outcome::Closed), "{outcome:?}");
    let closed = |record: &Record<'_>| matches!(record, Record::Closed { side: Side::Upstream, .. });
    stage.journal("the link's end", |tap| tap.has(closed)).await;
    eventually("reversed at the host", || (standings(&stage) == [Standing::Reversed]).then_some(())).await;
    let mut other = stage.terminal(2);
    let purchase = other.some_purchase();
    assert_eq!(other.sale(purchase).await.outcome, Outcome::Approved);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_mac_passes_and_the_terminals_reversal_says_a0() {
    let stage = Stage::new(vec![Fault::always(FaultKind::WrongMac)]).await;
    let mut terminal = stage.terminal(1);
    let purchase = terminal.some_purchase();
    assert_eq!(terminal.sale(purchase).await.outcome, Outcome::BadMac);
    assert!(!terminal.has_stored_reversal());
    assert_eq!(standings(&stage), [Standing::Reversed]);
    let reason_a0 = |record: &Record<'_>| match record {
        Record::Request { frame, .. } => {
            FrameView::read(Wire::Pos, frame).is_ok_and(|view| view.mti() == 0x0400 && view.raw(39) == Some(b"A0"))
        }
        _ => false,
    };
    let tap = stage.journal("the reversal and its end", |tap| tap.has(reason_a0) && tap.has_state("REVERSED")).await;
    assert!(!tap.has(|record| matches!(record, Record::Reversal { .. })), "the terminal did it itself");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_host_that_closes_without_reply_is_told_apart_from_silence() {
    for (then, closes) in [(OnTimeout::Close, true), (OnTimeout::Silence, false)] {
        let fault = Fault::always(FaultKind::NetworkTimeout).after(Duration::from_millis(50)).then(then);
        let stage = Stage::hasty(vec![fault]).await;
        let mut terminal = stage.impatient(1, Duration::from_secs(5));
        let purchase = terminal.some_purchase();
        let sent = terminal.sell_and_vanish(&purchase).await.expect("sent");
        let tap =
            stage.journal("a reversal of the gateway", |tap| tap.has(|r| matches!(r, Record::Reversal { .. }))).await;
        let with_open =
            |record: &Record<'_>| matches!(record, Record::Closed { side: Side::Upstream, open, .. } if *open > 0);
        assert_eq!(tap.has(with_open), closes, "{then:?}");
        eventually("reversed at the host", || (standings(&stage) == [Standing::Reversed]).then_some(())).await;
        let reversals = stage.host.account().find(|line| line.event == Event::Received && line.kind == Kind::Reversal);
        assert_eq!((reversals[0].batch, reversals[0].trace), (sent.batch, sent.trace));
        assert_eq!((reversals[0].code.as_str(), reversals[0].amount_minor), ("98", purchase.amount_minor));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stored_reversal_carries_no_card_data() {
    let stage = Stage::hasty(vec![Fault::always(FaultKind::Silence).on(&[Kind::Sale])]).await;
    let mut terminal = stage.terminal(1);
    let purchase = terminal.some_purchase();
    terminal.sell_and_vanish(&purchase).await.expect("sent");
    let tap = stage.journal("a reversal", |tap| tap.has(|record| matches!(record, Record::Reversal { .. }))).await;
    let records = tap.records();
    let frame = records.iter().find_map(|record| match record {
        Record::Reversal { frame, .. } => Some(*frame),
        _ => None,
    });
    let view = FrameView::read(Wire::Pos, frame.expect("a reversal")).expect("readable");
    assert_eq!((view.mti(), view.raw(39)), (0x0400, Some(&b"98"[..])));
    assert_eq!(view.number(4), Some(purchase.amount_minor));
    for number in [2, 14, 35, 36, 52, 55] {
        assert!(!view.has(number), "field {number}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reversal_without_answer_is_tried_again_and_ends() {
    let silent = Fault::always(FaultKind::Silence).on(&[Kind::Sale, Kind::Reversal]);
    let stage = Stage::with(vec![silent], |config| {
        config.follow = setup::hasty(config.terminals.listen, std::path::Path::new("")).follow;
        config.follow.attempts = 2;
    })
    .await;
    let mut terminal = stage.terminal(1);
    let purchase = terminal.some_purchase();
    terminal.sell_and_vanish(&purchase).await.expect("sent");
    let tap = setup::at_rest(stage.folder.path()).await;
    assert_eq!(tap.count(|record| matches!(record, Record::Reversal { .. })), 2);
    assert!(tap.has_state("REVERSAL_UNCONFIRMED"), "nobody can say what the host did");
    assert!(stage.gateway.open_exchanges().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_host_is_answered_at_once() {
    let stage = Stage::new(Vec::new()).await;
    let mut terminal = stage.terminal(1);
    assert_eq!(terminal.echo().await, Outcome::Approved);
    let Stage { host, gateway, terminals, folder } = stage;
    drop(host);
    eventually("all links down", || gateway.stats().links.iter().all(|link| link.state == "down").then_some(())).await;
    let purchase = terminal.some_purchase();
    let ended = terminal.sale(purchase).await;
    assert_eq!(ended.outcome, Outcome::Declined(*b"92"));
    let received = terminals.find(|line| line.event == Event::Received && line.kind == Kind::Sale);
    assert_eq!((received.len(), received[0].trace), (1, ended.trace));
    assert!(ended.took < PATIENCE / 4);
    drop((gateway, folder));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fleet_under_all_faults_ends_with_certainty() {
    let share = |kind, share| Fault::always(kind).share(share);
    let stage = Stage::hasty(vec![
        share(FaultKind::Silence, 0.03),
        share(FaultKind::Lost, 0.03),
        share(FaultKind::Late, 0.03).after(Duration::from_millis(600)),
        share(FaultKind::Close, 0.02),
        share(FaultKind::Duplicate, 0.05),
        share(FaultKind::Stray, 0.05),
        share(FaultKind::Garbage, 0.05),
        share(FaultKind::WrongMac, 0.03),
        share(FaultKind::Split, 0.05),
        share(FaultKind::Decline, 0.1).codes(&[("51", 3), ("55", 1)]),
        share(FaultKind::NetworkTimeout, 0.03).after(Duration::from_millis(100)).then(OnTimeout::Answer98),
    ])
    .await;
    let fleet = FleetConfig {
        timeout: Duration::from_millis(900),
        print_failures: 0.03,
        ..FleetConfig::of(stage.address(), 20, 150.0, Duration::from_secs(4))
    };
    let report = fleet::run(fleet, &stage.terminals).await;
    assert!(report.approved > 100, "{report:?}");
    stage.host.set_faults(FaultPlan::none());
    let tap = setup::at_rest(stage.folder.path()).await;
    assert!(stage.gateway.open_exchanges().is_empty());

    // What a terminal holds as approved, the host holds as approved; what it gave up, the host does not hold.
    let books = stage.host.books();
    for ending in stage.terminals.find(|line| line.event == Event::Received && line.kind == Kind::Sale) {
        let reversed_by_terminal = stage
            .terminals
            .count(|line| line.event == Event::Sent && line.kind == Kind::Reversal && line.names() == ending.names());
        let record = books.all().find(|(names, _)| {
            (String::from_utf8_lossy(&names.tid).into_owned(), names.batch, names.trace) == ending.names()
        });
        if let (0, "00", Some((_, record))) = (reversed_by_terminal, ending.code.as_str(), record) {
            assert!(matches!(record.standing, Standing::Approved | Standing::Voided), "{ending:?} {record:?}");
        }
    }
    assert!(tap.count(|record| is_reply(record, ReplyKind::Duplicate)) > 0);
}
