//! The data path over real sockets: what passes, what is refused, what is written down.

use std::io::Write as _;

use tempfile::tempdir;

use crate::config::{Durability, Undecodable};
use crate::test_peers::*;

#[test]
fn a_payment_passes_byte_for_byte_and_is_written_down_before_the_reply() {
    for durability in [Durability::BeforeReply, Durability::Async] {
        let (folder, host) = (tempdir().unwrap(), Host::start());
        let mut config = config(host.address, folder.path());
        config.journal.durability = durability;
        let gateway = start(config);
        let mut terminal = Terminal::connect(&gateway);
        let request = payment("52300001", 1);
        terminal.send(&request);
        let mut asked = host.next();
        assert_eq!(asked.frame, request);
        assert_eq!(gateway.open_exchanges().len(), 1);
        let reply = answer(&request, "00");
        asked.reply(&reply);
        assert_eq!(terminal.read().unwrap(), reply);
        if durability == Durability::BeforeReply {
            // The request and the reply are there although the gateway still runs.
            assert_eq!(exchanges(folder.path())[..2], ["Request 1", "Reply 1 in-time"]);
        }
        until("the delivery", || gateway.stats().counts.delivered == 1 && gateway.open_exchanges().is_empty());
        let stats = gateway.stats();
        assert_eq!((stats.counts.requests, stats.counts.replies), (1, 1));
        assert_eq!(stats.host_codes["00"], 1);
        gateway.shutdown();
        assert_eq!(exchanges(folder.path()), ["Request 1", "Reply 1 in-time", "Delivered 1"]);
        let segments = std::fs::read(folder.path().join("tap-0000000001.closed.tap")).unwrap();
        assert!(!segments.windows(8).any(|bytes| bytes == [0x99, 0x99, 0x05, 0x68, 0x37, 0x00, 0x66, 0x97]));
    }
}

#[test]
fn many_terminals_at_once() {
    let (folder, host) = (tempdir().unwrap(), Host::start());
    let gateway = start(config(host.address, folder.path()));
    host.approve_all();
    std::thread::scope(|scope| {
        for number in 0..8 {
            let gateway = &gateway;
            scope.spawn(move || {
                let mut terminal = Terminal::connect(gateway);
                for trace in 1..=50 {
                    let request = payment(&format!("5230{number:04}"), trace);
                    assert_eq!(terminal.ask(&request), answer(&request, "00"));
                }
            });
        }
    });
    until("all deliveries", || gateway.stats().counts.delivered == 400);
    gateway.shutdown();
    assert_eq!(exchanges(folder.path()).len(), 3 * 400);
}

#[test]
fn late_unmatched_and_duplicate_replies_are_told_apart() {
    let (folder, host) = (tempdir().unwrap(), Host::start());
    let gateway = start(config(host.address, folder.path()));
    let mut terminal = Terminal::connect(&gateway);
    terminal.send(&payment("52300001", 1));
    let mut asked = host.next();
    asked.reply(&answer(&payment("52300001", 9), "00"));
    asked.approve();
    assert_eq!(code(&terminal.read().unwrap()), "00");
    asked.approve();
    until("the duplicate", || gateway.stats().counts.duplicate_replies == 1);
    assert_eq!(gateway.stats().counts.unmatched_replies, 1);
    // The terminal gets nothing twice: the next thing it reads is the next reply.
    let next = payment("52300001", 2);
    terminal.send(&next);
    host.next().approve();
    assert_eq!(terminal.read().unwrap(), answer(&next, "00"));
    gateway.shutdown();
    let written = exchanges(folder.path());
    let duplicates = written.iter().filter(|record| record.ends_with("duplicate")).count();
    assert!(written.contains(&"Reply 0 unmatched".into()) && duplicates == 1, "{written:?}");
}

#[test]
fn a_repeated_request_gets_one_reply_where_it_came_from_last() {
    let (folder, host) = (tempdir().unwrap(), Host::start());
    let gateway = start(config(host.address, folder.path()));
    let (mut first, mut second) = (Terminal::connect(&gateway), Terminal::connect(&gateway));
    let request = payment("52300001", 1);
    first.send(&request);
    let mut asked = host.next();
    second.send(&request);
    let _ = host.next();
    asked.approve();
    assert_eq!(code(&second.read().unwrap()), "00");
    asked.approve();
    until("the duplicate", || gateway.stats().counts.duplicate_replies == 1);
    gateway.shutdown();
    assert!(first.read().is_none());
    assert!(exchanges(folder.path()).contains(&"Repeated 1".into()));
}

#[test]
fn the_gate_answers_at_once_and_no_host_hears_of_it() {
    let (folder, host) = (tempdir().unwrap(), Host::start());
    let mut config = config(host.address, folder.path());
    let rule = "name = 'known'\ntest = 'known'\nact = 'refuse'\ncode = '97'\nwhen_unknown = 'closed'";
    config.gate = vec![toml::from_str(rule).unwrap()];
    let gateway = start(config);
    let mut terminal = Terminal::connect(&gateway);
    let request = payment("52300001", 1);
    let reply = terminal.ask(&request);
    assert_eq!(code(&reply), "97");
    let message = dialect().decode(&reply).unwrap();
    assert_eq!((message.mti(), message.number(11), message.has(2)), (0x0210, Some(1), false));
    assert!(host.is_quiet());
    let stats = gateway.stats();
    assert_eq!((stats.counts.refused, stats.refusals["known"], stats.gateway_codes["97"]), (1, 1, 1));
    gateway.shutdown();
    assert_eq!(exchanges(folder.path()), ["Request 1", "Gate 1 refused 97 known", "Delivered 1"]);
}

#[test]
fn without_a_host_the_gateway_says_so() {
    let folder = tempdir().unwrap();
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let config = config(nobody, folder.path());
    let gateway =
        crate::Gateway::start(config, crate::SnapshotSource::default(), crate::SystemClock::shared()).unwrap();
    let mut terminal = Terminal::connect(&gateway);
    assert_eq!(code(&terminal.ask(&payment("52300001", 1))), "92");
    gateway.shutdown();
    assert_eq!(exchanges(folder.path())[1], "Gate 1 refused 92 no-host");
}

#[test]
fn a_frame_that_does_not_decode_ends_the_connection_or_passes() {
    for (undecodable, passes) in [(Undecodable::Refuse, false), (Undecodable::Pass, true)] {
        let (folder, host) = (tempdir().unwrap(), Host::start());
        let mut config = config(host.address, folder.path());
        config.terminals.undecodable = undecodable;
        let gateway = start(config);
        let mut terminal = Terminal::connect(&gateway);
        terminal.send(b"\x60\x00\x01\x00\x02garbage");
        if passes {
            let mut asked = host.next();
            assert_eq!(asked.frame, b"\x60\x00\x01\x00\x02garbage");
            asked.reply(b"\x60\x00\x09\x00\x02not yours");
            asked.reply(b"\x60\x00\x02\x00\x01yes");
            assert_eq!(terminal.read().unwrap(), b"\x60\x00\x02\x00\x01yes");
        } else {
            assert!(terminal.read().is_none());
            assert!(host.is_quiet());
        }
        gateway.shutdown();
        assert!(exchanges(folder.path()).contains(&format!("Undecodable terminal {passes}")));
    }
}

#[test]
fn slow_bytes_idle_connections_and_too_many_of_them() {
    let (folder, host) = (tempdir().unwrap(), Host::start());
    let mut config = config(host.address, folder.path());
    config.terminals.frame_deadline_ms = 100;
    config.terminals.idle_timeout_s = 1;
    config.terminals.max_connections = 2;
    let gateway = start(config);
    let mut slow = Terminal::connect(&gateway);
    slow.stream.write_all(&[0, 90, 0x60]).unwrap();
    assert!(slow.read().is_none());
    until("the slow one", || gateway.stats().counts.slow_frames == 1 && gateway.stats().open_connections == 0);
    let mut idle = [Terminal::connect(&gateway), Terminal::connect(&gateway)];
    until("two connections", || gateway.stats().open_connections == 2);
    let mut one_more = Terminal::connect(&gateway);
    assert!(one_more.read().is_none());
    assert_eq!(gateway.stats().counts.refused_full, 1);
    assert!(idle.iter_mut().all(|terminal| terminal.read().is_none()));
    assert_eq!(gateway.stats().counts.idle_ends, 2);
}

#[test]
fn a_huge_length_ends_the_connection_and_others_go_on() {
    let (folder, host) = (tempdir().unwrap(), Host::start());
    let gateway = start(config(host.address, folder.path()));
    host.approve_all();
    let mut other = Terminal::connect(&gateway);
    let mut hostile = Terminal::connect(&gateway);
    hostile.stream.write_all(&[0xFF, 0xFF, 1, 2, 3]).unwrap();
    assert!(hostile.read().is_none());
    assert_eq!(code(&other.ask(&payment("52300001", 1))), "00");
}

#[test]
fn while_the_disk_fails_payments_are_refused_or_pass_counted() {
    for (durability, answered) in [(Durability::BeforeReply, "96"), (Durability::Async, "00")] {
        let (outer, host) = (tempdir().unwrap(), Host::start());
        let folder = outer.path().join("journal");
        let mut config = config(host.address, &folder);
        config.journal.durability = durability;
        let gateway = start(config);
        host.approve_all();
        let mut terminal = Terminal::connect(&gateway);
        assert_eq!(code(&terminal.ask(&payment("52300001", 1))), "00");
        until("the delivery", || gateway.stats().counts.delivered == 1);
        // No new segment can be begun where there is no folder.
        std::fs::rename(&folder, outer.path().join("away")).unwrap();
        gateway.journal().fail("writing", &std::io::Error::other("broken by the test"));
        assert!(gateway.stats().journal.failing);
        assert_eq!(code(&terminal.ask(&payment("52300001", 2))), answered);
        std::fs::rename(outer.path().join("away"), &folder).unwrap();
        until("the disk", || !gateway.stats().journal.failing);
        assert_eq!(code(&terminal.ask(&payment("52300001", 3))), "00");
        let refused = u64::from(durability == Durability::BeforeReply);
        assert_eq!((gateway.stats().counts.disk_refusals, gateway.stats().journal.lost_bytes), (refused, 0));
        gateway.shutdown();
        // Nothing that passed is missing, although a segment was broken off in between.
        let requests = exchanges(&folder).iter().filter(|record| record.starts_with("Reply")).count();
        assert!(requests >= if refused == 1 { 2 } else { 3 });
    }
}
