//! Payments without a certain end, over real sockets: time-outs, vanished terminals, late replies, restarts.

use std::path::Path;

use onus_iso8583::mac::MacProfile;
use tempfile::tempdir;

use crate::config::Durability;
use crate::test_peers::*;
use crate::{Config, Gateway};

/// Times of milliseconds instead of seconds.
fn quick(host: std::net::SocketAddr, folder: &Path) -> Config {
    let mut config = config(host, folder);
    config.follow.host_timeout_ms = 150;
    config.follow.grace_ms = 50;
    config.follow.reversal_timeout_ms = 150;
    config.follow.retry_ms = 50;
    config.follow.linger_ms = 100;
    config.follow.delivery_ms = 100;
    config
}

fn mti(frame: &[u8]) -> u16 {
    dialect().decode(frame).unwrap().mti()
}

fn settled(gateway: &Gateway) {
    until("the end of all payments", || gateway.open_exchanges().is_empty() && gateway.stats().followed.is_empty());
}

fn states(folder: &Path) -> Vec<String> {
    let mut states: Vec<String> =
        exchanges(folder).iter().filter_map(|record| record.strip_prefix("State ").map(ToOwned::to_owned)).collect();
    states.dedup();
    states
}

#[test]
fn a_silent_host_is_sent_a_stored_reversal_without_card_data() {
    let (folder, host) = (tempdir().unwrap(), Host::start());
    let gateway = start(quick(host.address, folder.path()));
    let mut terminal = Terminal::connect(&gateway);
    terminal.send(&payment("52300001", 7));
    let _ = host.next();
    let mut reversal = host.next();
    let message = dialect().decode(&reversal.frame).unwrap();
    assert_eq!((message.mti(), message.number(11), message.number(4)), (0x0400, Some(7), Some(6500)));
    assert_eq!((message.text(39), message.has(2), message.has(35)), (Some(&b"98"[..]), false, false));
    reversal.approve();
    settled(&gateway);
    let stats = gateway.stats();
    assert_eq!((stats.counts.no_replies, stats.counts.reversals_sent), (1, 1));
    gateway.shutdown();
    // 00 for what the host was never seen to know is no proof.
    let written = exchanges(folder.path());
    let states = states(folder.path());
    assert_eq!(states.first().map(String::as_str), Some("1 SENT 0"), "{written:?}");
    assert_eq!(states.last().map(String::as_str), Some("1 REVERSAL_UNCONFIRMED 0 settled"), "{written:?}");
    assert!(written.contains(&"NoReply 1".into()) && written.contains(&"Reversal 1 1".into()));
    assert!(written.contains(&"Reply 1 reversal".into()), "{written:?}");
}

#[test]
fn with_the_hosts_key_a_stored_reversal_carries_a_mac() {
    let (folder, host) = (tempdir().unwrap(), Host::start());
    let mut config = quick(host.address, folder.path());
    let file = folder.path().join("mac.key");
    std::fs::write(&file, "0123456789ABCDEF\n").unwrap();
    config.mac_key_file = Some(file);
    let gateway = start(config);
    let mut terminal = Terminal::connect(&gateway);
    terminal.send(&payment("52300001", 7));
    let _ = host.next();
    let mut reversal = host.next();
    let key = MacProfile::UNIONPAY.key_from_hex("0123456789ABCDEF").unwrap();
    assert_eq!(dialect().decode(&reversal.frame).unwrap().mac_fits(&key), Some(true));
    reversal.approve();
    settled(&gateway);
    gateway.shutdown();
}

#[test]
fn a_late_approval_reaches_a_terminal_that_still_waits() {
    let (folder, host) = (tempdir().unwrap(), Host::start());
    let mut config = quick(host.address, folder.path());
    config.follow.grace_ms = 5_000;
    let gateway = start(config);
    let mut terminal = Terminal::connect(&gateway);
    terminal.send(&payment("52300001", 7));
    let mut asked = host.next();
    until("the time-out", || gateway.stats().counts.no_replies == 1);
    asked.approve();
    assert_eq!(code(&terminal.read().unwrap()), "00");
    settled(&gateway);
    assert_eq!(gateway.stats().counts.late_replies, 1);
    gateway.shutdown();
    let written = exchanges(folder.path());
    assert!(written.contains(&"Reply 1 late".into()) && written.contains(&"Delivered 1".into()), "{written:?}");
    assert_eq!(states(folder.path()).last().map(String::as_str), Some("1 APPROVED 0 settled"));
}

#[test]
fn an_approval_that_the_terminal_did_not_wait_for_is_reversed_and_proven() {
    let (folder, host) = (tempdir().unwrap(), Host::start());
    let gateway = start(quick(host.address, folder.path()));
    let mut terminal = Terminal::connect(&gateway);
    terminal.send(&payment("52300001", 7));
    let mut asked = host.next();
    drop(terminal);
    until("the close", || gateway.stats().counts.terminals_gone == 1);
    asked.approve();
    let mut reversal = host.next();
    assert_eq!(mti(&reversal.frame), 0x0400);
    reversal.approve();
    settled(&gateway);
    gateway.shutdown();
    assert_eq!(states(folder.path()).last().map(String::as_str), Some("1 REVERSED 0 settled"));
}

#[test]
fn the_terminals_own_reversal_passes_and_is_enough() {
    let (folder, host) = (tempdir().unwrap(), Host::start());
    let mut config = quick(host.address, folder.path());
    config.follow.host_timeout_ms = 5_000;
    let gateway = start(config);
    let mut terminal = Terminal::connect(&gateway);
    let request = payment("52300001", 7);
    terminal.send(&request);
    let mut asked = host.next();
    let reversal = frame(
        0x0400,
        &[
            (3, "000000"),
            (4, "000000006500"),
            (11, "000007"),
            (39, "98"),
            (41, "52300001"),
            (42, "899523055410004"),
            (60, "22000001"),
        ],
    );
    terminal.send(&reversal);
    let mut reversed = host.next();
    assert_eq!(reversed.frame, reversal);
    // The approval comes now: the terminal must not get it any more.
    asked.approve();
    until("the withheld approval", || gateway.stats().counts.withheld == 1);
    reversed.approve();
    assert_eq!(mti(&terminal.read().unwrap()), 0x0410);
    until("the follower", || !gateway.stats().followed.contains_key("SENT"));
    gateway.shutdown();
    assert!(exchanges(folder.path()).iter().any(|record| record.starts_with("State 1 REVERSAL_PENDING")));
}

#[test]
fn a_restart_goes_on_with_what_was_open() {
    for durability in [Durability::BeforeReply, Durability::Async] {
        let (folder, host) = (tempdir().unwrap(), Host::start());
        let mut config = quick(host.address, folder.path());
        config.journal.durability = durability;
        let left = tempdir().unwrap();
        {
            let gateway = start(config.clone());
            let mut terminal = Terminal::connect(&gateway);
            terminal.send(&payment("52300001", 7));
            let _ = host.next();
            // What a killed process would leave: the journal as it is at this moment.
            for entry in std::fs::read_dir(folder.path()).unwrap() {
                let entry = entry.unwrap();
                std::fs::copy(entry.path(), left.path().join(entry.file_name())).unwrap();
            }
        }
        while !host.is_quiet() {
            let _ = host.next();
        }
        config.journal.folder = left.path().to_owned();
        let gateway = start(config);
        let mut reversal = host.next();
        assert_eq!(mti(&reversal.frame), 0x0400);
        reversal.approve();
        settled(&gateway);
        gateway.shutdown();
        let states = states(left.path());
        assert_eq!(states.last().map(String::as_str), Some("1 REVERSAL_UNCONFIRMED 0 settled"), "{states:?}");
        assert!(exchanges(left.path()).contains(&"Request 1 carried".into()));
    }
}

#[test]
fn a_host_that_is_away_leaves_the_next_one() {
    let (folder, second) = (tempdir().unwrap(), Host::start());
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut config = quick(nobody, folder.path());
    let mut other = config.upstream.hosts[0].clone();
    (other.name, other.address) = ("second".into(), second.address.to_string());
    config.upstream.hosts.push(other);
    let gateway = Gateway::start(config, crate::SnapshotSource::default(), crate::SystemClock::shared()).unwrap();
    until("the second host", || gateway.stats().links.iter().filter(|link| link.state == "up").count() == 2);
    second.approve_all();
    let mut terminal = Terminal::connect(&gateway);
    assert_eq!(code(&terminal.ask(&payment("52300001", 1))), "00");
}

#[test]
fn a_host_that_does_not_answer_the_echo_gets_no_payments() {
    let (folder, host) = (tempdir().unwrap(), Host::start());
    let mut config = quick(host.address, folder.path());
    config.upstream.hosts[0].connections = 1;
    let health = "interval_ms = 20\ntimeout_ms = 60\nfields = { 41 = '00000001', 60 = '00000001301' }";
    config.upstream.health = Some(toml::from_str(health).unwrap());
    let gateway = Gateway::start(config, crate::SnapshotSource::default(), crate::SystemClock::shared()).unwrap();
    let mut terminal = Terminal::connect(&gateway);
    // Not one echo was answered yet.
    assert_eq!(code(&terminal.ask(&payment("52300001", 1))), "92");
    until("a healthy host", || {
        let mut echo = host.next();
        assert_eq!(mti(&echo.frame), 0x0820);
        echo.approve();
        gateway.stats().links[0].state == "up"
    });
    // It falls silent: sick first, then the connection is made anew.
    until("a sick host", || gateway.stats().links[0].state != "up");
    until("a new connection", || {
        records(folder.path()).iter().any(|record| record.contains("echoes were not answered"))
    });
    assert!(gateway.stats().counts.failed_echoes >= 3);
}

#[test]
fn an_alarm_is_written_down_and_told() {
    let (folder, host) = (tempdir().unwrap(), Host::start());
    let gateway = start(quick(host.address, folder.path()));
    let mut terminal = Terminal::connect(&gateway);
    for trace in 1..=3 {
        let request = payment("52300001", trace);
        terminal.send(&request);
        host.next().reply(&answer(&request, "A0"));
        assert_eq!(code(&terminal.read().unwrap()), "A0");
    }
    until("the alarm", || !gateway.stats().alarms.is_empty());
    assert_eq!(gateway.stats().alarms[0].terminal, "52300001");
    gateway.shutdown();
    assert!(exchanges(folder.path()).contains(&"Alarm key-burst 52300001".into()));
}

#[test]
fn how_sales_ended_is_told_without_card_numbers() {
    use crate::outcomes::Told;

    let (folder, host) = (tempdir().unwrap(), Host::start());
    let gateway = start(quick(host.address, folder.path()));
    assert!(gateway.take_outcomes().is_empty(), "from now on");
    let mut terminal = Terminal::connect(&gateway);
    let request = payment("52300001", 6);
    terminal.send(&request);
    host.next().reply(&answer(&request, "51"));
    assert!(terminal.read().is_some());
    terminal.send(&payment("52300001", 7));
    let _ = host.next();
    host.next().approve();
    settled(&gateway);
    let mut told = Vec::new();
    until("all facts", || {
        told.extend(gateway.take_outcomes());
        told.len() >= 3
    });
    let facts: Vec<(u32, &str)> = told
        .iter()
        .map(|fact| {
            let what = match fact.told {
                Told::Answered { code: [b'5', b'1'], .. } => "51",
                Told::Silent => "silent",
                Told::Reversed => "reversed",
                _ => "other",
            };
            (fact.payment.trace, what)
        })
        .collect();
    assert_eq!(facts, [(6, "51"), (7, "silent"), (7, "reversed")]);
    let first = told.first().unwrap();
    assert_eq!((first.host, first.amount_minor), (Some(0), 6500));
    assert!(first.bin.is_some_and(|bin| (100_000..1_000_000).contains(&bin)), "{:?}", first.bin);
    assert_eq!(gateway.missed_outcomes(), 0);
    gateway.shutdown();
}
