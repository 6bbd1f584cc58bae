//! Terminals, host and network against each other: what one noted, the other noted too.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, reason = "a test may")]

use std::net::SocketAddr;
use std::time::Duration;

use onus_simulator::account::{Account, Event};
use onus_simulator::books::Standing;
use onus_simulator::fault::{Fault, FaultKind, FaultPlan, OnTimeout};
use onus_simulator::fleet::{self, FleetConfig};
use onus_simulator::host::{Host, HostConfig, NetworkRoute};
use onus_simulator::idle::Idle;
use onus_simulator::load::{self, LoadConfig};
use onus_simulator::message::Kind;
use onus_simulator::network::Network;
use onus_simulator::terminal::{Outcome, Terminal, TerminalConfig};

fn anywhere() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 0))
}

async fn host(faults: Vec<Fault>) -> Host {
    let config = HostConfig { faults: FaultPlan::of(1, faults), ..HostConfig::default() };
    Host::start(anywhere(), config).await.unwrap()
}

fn terminal(number: u32, host: &Host, account: &Account) -> Terminal {
    let config = TerminalConfig { timeout: Duration::from_millis(1000), ..TerminalConfig::of(number, host.address()) };
    Terminal::new(config, account)
}

/// Where the only payment of a host stands.
fn standing(host: &Host) -> Option<Standing> {
    host.books().all().next().map(|(_, record)| record.standing)
}

#[tokio::test]
async fn a_day_of_one_terminal() {
    let (host, account) = (host(Vec::new()).await, Account::of("terminals"));
    let mut terminal = terminal(1, &host, &account);
    assert_eq!(terminal.sign_in().await, Outcome::Approved);
    assert_eq!(terminal.status_upload().await, Outcome::Approved);
    assert_eq!(terminal.echo().await, Outcome::Approved);
    for _ in 0..3 {
        let purchase = terminal.some_purchase();
        assert_eq!(terminal.sale(purchase).await.outcome, Outcome::Approved);
    }
    assert_eq!(terminal.void().await.map(|ended| ended.outcome), Some(Outcome::Approved));
    assert_eq!(terminal.settle().await, (Outcome::Approved, true));
    assert_eq!(account.count(|line| line.event == Event::Received), 8);
    assert_eq!(account.count(|line| line.event == Event::Connected), 1);

    let sent = account.find(|line| line.event == Event::Sent);
    let received = host.account().find(|line| line.event == Event::Received);
    let digests = |lines: &[onus_simulator::account::Entry]| lines.iter().map(|line| line.digest).collect::<Vec<_>>();
    assert_eq!(digests(&sent), digests(&received));
    assert!(host.account().wait_for(8, Duration::from_secs(2), |line| line.event == Event::Sent).await);
    let kinds: Vec<Kind> = received.iter().map(|line| line.kind).collect();
    use Kind::{Echo, Sale, Settlement, SignIn, StatusUpload, Void};
    assert_eq!(kinds, [SignIn, StatusUpload, Echo, Sale, Sale, Sale, Void, Settlement]);
}

#[tokio::test]
async fn each_fault_ends_as_it_does_in_the_field() {
    let late = Duration::from_millis(1600);
    let always = Fault::always;
    let table = [
        (always(FaultKind::Delay).after(Duration::from_millis(50)), Outcome::Approved, Standing::Approved),
        (always(FaultKind::Late).after(late).on(&[Kind::Sale]), Outcome::TimedOut, Standing::Reversed),
        (always(FaultKind::Silence), Outcome::TimedOut, Standing::Reversed),
        (always(FaultKind::Close), Outcome::Closed, Standing::Reversed),
        (always(FaultKind::Duplicate), Outcome::Approved, Standing::Approved),
        (always(FaultKind::Garbage), Outcome::Approved, Standing::Approved),
        (always(FaultKind::Stray), Outcome::Approved, Standing::Approved),
        (always(FaultKind::Noise), Outcome::Closed, Standing::Reversed),
        (always(FaultKind::WrongMac), Outcome::BadMac, Standing::Reversed),
        (always(FaultKind::Cut), Outcome::Closed, Standing::Reversed),
        (always(FaultKind::Split), Outcome::Approved, Standing::Approved),
        (always(FaultKind::Decline).codes(&[("51", 1)]), Outcome::Declined(*b"51"), Standing::Declined(*b"51")),
        (always(FaultKind::NetworkTimeout), Outcome::Closed, Standing::Reversed),
        (
            always(FaultKind::NetworkTimeout).then(OnTimeout::Answer98),
            Outcome::Declined(*b"98"),
            Standing::Declined(*b"98"),
        ),
    ];
    for (fault, outcome, expected) in table {
        let kind = fault.kind;
        let (host, account) = (host(vec![fault]).await, Account::of("terminals"));
        let mut terminal = terminal(1, &host, &account);
        let purchase = terminal.some_purchase();
        let ended = terminal.sale(purchase).await;
        assert_eq!(ended.outcome, outcome, "{kind:?}");
        assert!(!terminal.has_stored_reversal(), "{kind:?}");
        assert_eq!(standing(&host), Some(expected), "{kind:?}");
        let played = host.account().count(|line| line.event == Event::Fault && line.note == kind.name());
        assert_eq!(played, 1, "{kind:?}");
        if let Some(reason) = outcome.reversal_reason() {
            let reversals = host.account().find(|line| line.event == Event::Received && line.kind == Kind::Reversal);
            assert_eq!(reversals[0].code.as_bytes(), reason, "{kind:?}");
            assert_eq!((reversals[0].batch, reversals[0].trace), (ended.batch, ended.trace));
        }
    }
}

#[tokio::test]
async fn a_lost_request_is_reversed_with_00_and_nothing_is_booked() {
    let (host, account) = (host(vec![Fault::always(FaultKind::Lost)]).await, Account::of("terminals"));
    let mut terminal = terminal(1, &host, &account);
    let purchase = terminal.some_purchase();
    assert_eq!(terminal.sale(purchase).await.outcome, Outcome::TimedOut);
    assert_eq!(standing(&host), None);
    assert!(!terminal.has_stored_reversal());
}

#[tokio::test]
async fn reversals_run_out_of_tries() {
    let silent = Fault::always(FaultKind::Silence).on(&[Kind::Sale, Kind::Reversal]);
    let (host, account) = (host(vec![silent]).await, Account::of("terminals"));
    let mut terminal = terminal(1, &host, &account);
    let purchase = terminal.some_purchase();
    terminal.sale(purchase).await;
    assert_eq!(terminal.given_up(), 1);
    assert_eq!(host.account().count(|line| line.event == Event::Received && line.kind == Kind::Reversal), 3);
}

#[tokio::test]
async fn a_wrong_key_is_a0() {
    let (host, account) = (host(Vec::new()).await, Account::of("terminals"));
    let config = TerminalConfig {
        seed: 2,
        reversal_tries: 1,
        timeout: Duration::from_secs(2),
        ..TerminalConfig::of(1, host.address())
    };
    let mut terminal = Terminal::new(config, &account);
    let purchase = terminal.some_purchase();
    // The host answers with its key for this terminal, so the terminal cannot trust the A0 either.
    assert_eq!(terminal.sale(purchase).await.outcome, Outcome::BadMac);
    let sale = host.account().find(|line| line.event == Event::Sent && line.kind == Kind::Sale);
    assert_eq!(sale[0].code, "A0");
    assert_eq!(standing(&host), None);
}

#[tokio::test]
async fn a_silent_network_is_98_at_the_host_and_a_closed_line_at_the_terminal() {
    let silent = FaultPlan::of(1, vec![Fault::always(FaultKind::Late).after(Duration::from_millis(400))]);
    let network = Network::start(anywhere(), silent, Account::of("network")).await.unwrap();
    let route =
        NetworkRoute { address: network.address(), timeout: Duration::from_millis(100), then: OnTimeout::Close };
    let host = Host::start(anywhere(), HostConfig { network: Some(route), ..HostConfig::default() }).await.unwrap();
    let account = Account::of("terminals");
    let config = TerminalConfig { timeout: Duration::from_secs(5), ..TerminalConfig::of(1, host.address()) };
    let mut terminal = Terminal::new(config, &account);
    let purchase = terminal.some_purchase();
    assert_eq!(terminal.sale(purchase).await.outcome, Outcome::Closed);
    assert_eq!(standing(&host), Some(Standing::Reversed));
    // The network got the acquirer's own reversal, and its late answer fits nothing at the host.
    let patience = Duration::from_secs(5);
    assert!(network.account().wait_for(1, patience, |line| line.mti == 0x0420).await);
    assert!(host.account().wait_for(1, patience, |line| line.event == Event::Unmatched).await);

    network.set_faults(FaultPlan::of(1, vec![Fault::always(FaultKind::Decline).codes(&[("55", 1)])]));
    let purchase = terminal.some_purchase();
    assert_eq!(terminal.sale(purchase).await.outcome, Outcome::Declined(*b"55"));
    network.set_faults(FaultPlan::none());
    let purchase = terminal.some_purchase();
    assert_eq!(terminal.sale(purchase).await.outcome, Outcome::Approved);
}

#[tokio::test]
async fn a_late_answer_is_seen_by_nobody_or_as_unmatched() {
    let late = Fault::always(FaultKind::Late).after(Duration::from_millis(1600)).on(&[Kind::Sale]);
    let (host, account) = (host(vec![late]).await, Account::of("terminals"));
    let mut terminal = terminal(1, &host, &account);
    let purchase = terminal.some_purchase();
    assert_eq!(terminal.sale(purchase).await.outcome, Outcome::TimedOut);
    // The terminal hung up, so the host's answer finds no connection.
    let unsent = |line: &onus_simulator::account::Entry| line.event == Event::Unsent && line.note == "late";
    assert!(host.account().wait_for(1, Duration::from_secs(5), unsent).await);
}

#[tokio::test]
async fn a_fleet_with_faults_ends_with_equal_books() {
    let faults = vec![
        Fault::always(FaultKind::Silence).share(0.05),
        Fault::always(FaultKind::Close).share(0.05),
        Fault::always(FaultKind::Lost).share(0.05),
        Fault::always(FaultKind::WrongMac).share(0.05),
        Fault::always(FaultKind::Decline).share(0.1).codes(&[("51", 3), ("55", 1)]),
        Fault::always(FaultKind::Duplicate).share(0.1),
    ];
    let (host, account) = (host(faults).await, Account::of("terminals"));
    let config = FleetConfig {
        timeout: Duration::from_millis(1000),
        print_failures: 0.05,
        ..FleetConfig::of(host.address(), 20, 200.0, Duration::from_secs(3))
    };
    let report = fleet::run(config, &account).await;
    assert!(report.payments > 200 && report.timed_out > 0 && report.bad_mac > 0, "{report:?}");
    assert_eq!(report.reversals_given_up, 0, "{report:?}");
    assert_eq!(report.settled, (20, 0), "{report:?}");
    let folder = std::env::temp_dir().join(format!("onus-simulator-{}", std::process::id()));
    account.write_json_lines(&folder).unwrap();
    let text = std::fs::read_to_string(&folder).unwrap();
    std::fs::remove_file(&folder).unwrap();
    assert_eq!(text.lines().count(), account.entries().len());
    assert!(text.lines().all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn load_and_idle_report_what_they_met() {
    let host = Host::start(anywhere(), HostConfig::light()).await.unwrap();
    let address = host.address();
    let idle = Idle::connect(address, 50).await;
    let closed = LoadConfig {
        warm_up: Duration::ZERO,
        depth: 2,
        threads: 2,
        ..LoadConfig::closed(address, 8, Duration::from_millis(500))
    };
    let open = LoadConfig { rate: Some(500.0), ..closed.clone() };
    let (closed, open) =
        tokio::task::spawn_blocking(move || (load::run(&closed).unwrap(), load::run(&open).unwrap())).await.unwrap();
    assert!(closed.round_trips > 500 && closed.lost + closed.unmatched + closed.not_approved == 0, "{closed:?}");
    assert!((100..=260).contains(&open.round_trips), "{open:?}");
    assert_eq!(idle.connected(), 50);
    host.hang_up();
    let report = idle.hold(Duration::from_millis(200)).await;
    assert_eq!((report.connected, report.closed, report.refused), (50, 50, 0));
}
