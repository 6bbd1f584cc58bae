//! The gateway is killed again and again under load; what the peers saw is compared with what its journal says.
//!
//! `ONUS_KILLS=1000 cargo test -p onus-gateway --test crash` makes the long run; 30 kills without it.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, reason = "a test may")]

mod setup;

use std::collections::{BTreeMap, BTreeSet};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use onus_gateway::config::Durability;
use onus_intake::tap::{Record, ReplyKind};
use onus_simulator::account::{Account, Entry, Event};
use onus_simulator::books::Standing;
use onus_simulator::fault::{Fault, FaultKind, FaultPlan};
use onus_simulator::frame::{FrameView, Wire};
use onus_simulator::host::{Host, HostConfig};
use onus_simulator::message::{Kind, Names};
use onus_simulator::random::Random;
use onus_simulator::terminal::{Outcome, Terminal, TerminalConfig};
use setup::{OPEN_STATES, Tap, eventually};

/// Set in the process that is the gateway: host, address, folder, durability.
const CHILD: &str = "ONUS_CRASH_CHILD";
const TERMINALS: u32 = 24;

/// Not a test by itself: with [`CHILD`] set, this process is a gateway until it is killed.
#[test]
fn gateway_child() {
    let Ok(orders) = std::env::var(CHILD) else { return };
    let orders: Vec<&str> = orders.split('|').collect();
    let mut config = setup::hasty(orders[0].parse().expect("an address"), Path::new(orders[2]));
    config.terminals.listen = orders[1].parse().expect("an address");
    config.terminals.connects_per_s = 0;
    config.journal.durability = if orders[3] == "async" { Durability::Async } else { Durability::BeforeReply };
    // Short, so that a life of some hundred milliseconds begins several.
    config.journal.segment_bytes = 256 * 1024;
    let _gateway = setup::start(config);
    loop {
        std::thread::park();
    }
}

/// The gateway as a process of its own, killed when this is dropped.
struct Life(Child);

impl Life {
    fn begin(host: SocketAddr, listen: SocketAddr, folder: &Path, durability: &str) -> Life {
        let myself = std::env::current_exe().expect("this program");
        let mut command = Command::new(myself);
        command.args(["--exact", "gateway_child", "--nocapture"]).stdout(Stdio::null());
        command.env(CHILD, format!("{host}|{listen}|{}|{durability}", folder.display()));
        Life(command.spawn().expect("a child"))
    }

    /// Whether it has ended by itself: then something is wrong.
    fn has_ended(&mut self) -> bool {
        self.0.try_wait().expect("a child").is_some()
    }
}

impl Drop for Life {
    fn drop(&mut self) {
        // SIGKILL: no handler, no flush, no goodbye.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

async fn listens(life: &mut Life, address: SocketAddr) {
    eventually("the gateway listens", || {
        assert!(!life.has_ended(), "the gateway ended by itself");
        TcpStream::connect(address).is_ok().then_some(())
    })
    .await;
}

/// What all terminals share.
#[derive(Default)]
struct Crowd {
    stop: AtomicBool,
    approved: AtomicU64,
}

/// A terminal that pays until told to stop. Every third never reverses and sometimes goes away without waiting.
async fn pay(number: u32, gateway: SocketAddr, account: Account, crowd: Arc<Crowd>) {
    let careless = number.is_multiple_of(3);
    let config = TerminalConfig {
        timeout: Duration::from_millis(900),
        reversal_tries: if careless { 0 } else { 3 },
        ..TerminalConfig::of(number, gateway)
    };
    let mut terminal = Terminal::new(config, &account);
    while !crowd.stop.load(Ordering::Relaxed) {
        let purchase = terminal.some_purchase();
        if careless && terminal.random().hits(0.1) {
            terminal.sell_and_vanish(&purchase).await;
        } else if terminal.sale(purchase).await.outcome == Outcome::Approved {
            crowd.approved.fetch_add(1, Ordering::Relaxed);
        }
        let pause = terminal.random().between(1, 8);
        tokio::time::sleep(Duration::from_millis(pause)).await;
    }
    // The last reversal goes out once the gateway stays.
    terminal.reverse().await;
}

/// All that the peers saw and the journal says, after the last life has come to rest.
struct Aftermath {
    kills: u32,
    terminals: Account,
    host: Host,
    tap: Tap,
}

async fn torment(kills: u32, seed: u64, durability: &str) -> Aftermath {
    let faults = vec![
        Fault::always(FaultKind::Silence).share(0.01),
        Fault::always(FaultKind::Late).share(0.02).after(Duration::from_millis(600)),
        Fault::always(FaultKind::Lost).share(0.01),
        Fault::always(FaultKind::Delay).share(0.3).after(Duration::from_millis(15)),
    ];
    let config = HostConfig { faults: FaultPlan::of(seed, faults), ..HostConfig::default() };
    let host = Host::start(setup::anywhere(), config).await.expect("a host");
    let folder = tempfile::tempdir().expect("a folder");
    let address = setup::free_address();
    let (terminals, crowd) = (Account::of("terminals"), Arc::<Crowd>::default());
    let mut random = Random::new(seed);
    let mut life = Life::begin(host.address(), address, folder.path(), durability);
    listens(&mut life, address).await;
    let paying: Vec<_> =
        (0..TERMINALS).map(|number| tokio::spawn(pay(number, address, terminals.clone(), crowd.clone()))).collect();
    for kill in 0..kills {
        // Now and then it dies while it starts; else after some payments, however slow the machine is.
        if random.hits(0.8) {
            let wanted = crowd.approved.load(Ordering::Relaxed) + random.between(0, 15);
            listens(&mut life, address).await;
            eventually("payments", || (crowd.approved.load(Ordering::Relaxed) >= wanted).then_some(())).await;
        }
        tokio::time::sleep(Duration::from_micros(random.between(0, 100_000))).await;
        assert!(!life.has_ended(), "the gateway ended by itself before kill {kill}");
        drop(life);
        life = Life::begin(host.address(), address, folder.path(), durability);
    }
    host.set_faults(FaultPlan::none());
    listens(&mut life, address).await;
    crowd.stop.store(true, Ordering::Relaxed);
    for terminal in paying {
        terminal.await.expect("a terminal");
    }
    let tap = setup::at_rest(folder.path()).await;
    drop(life);
    Aftermath { kills, terminals, host, tap }
}

/// How a message is named on both sides.
type Name = (String, u32, u32, u16);

fn name(entry: &Entry) -> Name {
    (entry.tid.clone(), entry.batch, entry.trace, entry.mti)
}

fn name_of(frame: &[u8]) -> Option<Name> {
    let view = FrameView::read(Wire::Pos, frame).ok()?;
    let Names { tid, batch, trace, .. } = Names::read(&view);
    Some((String::from_utf8_lossy(&tid).into_owned(), batch, trace, view.mti()))
}

impl Aftermath {
    fn received_by_terminals(&self) -> Vec<Entry> {
        self.terminals.find(|line| matches!(line.event, Event::Received | Event::Unmatched))
    }

    /// Every reply that a terminal got stands in the journal, and so does its request.
    fn nothing_acknowledged_is_lost(&self) {
        let (mut requests, mut replies) = (BTreeSet::new(), BTreeSet::new());
        for record in self.tap.records() {
            match record {
                Record::Request { frame, .. } => requests.extend(name_of(frame)),
                Record::Reply { frame, .. } | Record::Gate { frame, .. } => replies.extend(name_of(frame)),
                _ => {}
            }
        }
        for reply in self.received_by_terminals() {
            // The gateway's own "no host" stands in no reply record.
            if reply.code == "92" || reply.code == "96" {
                continue;
            }
            let (tid, batch, trace, mti) = name(&reply);
            assert!(requests.contains(&(tid, batch, trace, mti & !0x0010)), "no request in the journal: {reply:?}");
            assert!(replies.contains(&name(&reply)), "no reply in the journal: {reply:?}");
        }
    }

    /// No request reached the host twice, and no terminal got two replies to one request.
    fn nothing_is_answered_twice(&self) {
        let mut answers: BTreeMap<Name, u32> = BTreeMap::new();
        for reply in self.received_by_terminals().iter().filter(|reply| reply.kind.is_payment()) {
            *answers.entry(name(reply)).or_default() += 1;
        }
        let twice: Vec<_> = answers.iter().filter(|(_, count)| **count > 1).collect();
        assert!(twice.is_empty(), "answered twice: {twice:?}");
        let mut asked: BTreeMap<Name, u32> = BTreeMap::new();
        let payments = |line: &Entry| line.event == Event::Received && line.kind.is_payment();
        for request in self.host.account().find(payments) {
            *asked.entry(name(&request)).or_default() += 1;
        }
        let twice: Vec<_> = asked.iter().filter(|(_, count)| **count > 1).collect();
        assert!(twice.is_empty(), "asked twice: {twice:?}");
        let in_time = self.tap.records().into_iter().filter_map(|record| match record {
            Record::Reply { kind: ReplyKind::InTime, frame, exchange, .. } => Some((exchange, name_of(frame))),
            _ => None,
        });
        // A new segment repeats what is open, so the same reply may stand twice, but never two replies.
        let mut replies: BTreeMap<u64, Option<Name>> = BTreeMap::new();
        for (exchange, reply) in in_time {
            let known = replies.entry(exchange).or_insert_with(|| reply.clone());
            assert_eq!(*known, reply, "exchange {exchange} has two replies");
        }
    }

    /// Every payment without a reply came to an end, and the host's books agree with it.
    fn every_timeout_is_resolved(&self) {
        let books = self.host.books();
        let (mut reversed, mut unconfirmed, mut undelivered) = (0, 0, 0);
        for (exchange, end) in self.tap.ends() {
            assert!(!OPEN_STATES.contains(&&*end.state) || end.settled, "exchange {exchange}: {end:?}");
            let Ok(view) = FrameView::read(Wire::Pos, &end.frame) else { continue };
            let names = Names::read(&view);
            if view.mti() != 0x0200 || end.delivered {
                continue;
            }
            let standing = books.find(&names).map(|record| record.standing);
            match end.state.as_str() {
                "REVERSED" => {
                    reversed += 1;
                    assert_eq!(standing, Some(Standing::Reversed), "exchange {exchange}: {end:?}");
                }
                // Sent again and answered 00: the host reversed it, or never had it.
                "REVERSAL_UNCONFIRMED" => {
                    unconfirmed += 1;
                    assert_ne!(standing, Some(Standing::Approved), "exchange {exchange}: {end:?}");
                }
                // The reply was on its way when the process died: only the terminal can know.
                "DELIVERY_UNKNOWN" => undelivered += 1,
                _ => {}
            }
        }
        println!(
            "{} kills: {reversed} reversed, {unconfirmed} answered 00 without proof, {undelivered} perhaps delivered",
            self.kills
        );
    }

    /// What a terminal holds as approved and did not reverse, the host holds as approved.
    fn no_approval_is_taken_back(&self) {
        let books = self.host.books();
        let reversals = self.terminals.find(|line| line.event == Event::Sent && line.kind == Kind::Reversal);
        let reversed: BTreeSet<_> = reversals.iter().map(Entry::names).collect();
        let standings: BTreeMap<_, _> = books
            .all()
            .map(|(names, record)| {
                ((String::from_utf8_lossy(&names.tid).into_owned(), names.batch, names.trace), record.standing)
            })
            .collect();
        let approved =
            self.terminals.find(|line| line.event == Event::Received && line.kind == Kind::Sale && line.code == "00");
        assert!(approved.len() > 3 * self.kills as usize, "only {} approvals", approved.len());
        for reply in approved.iter().filter(|reply| !reversed.contains(&reply.names())) {
            assert_eq!(standings.get(&reply.names()), Some(&Standing::Approved), "{reply:?}");
        }
    }
}

fn kills() -> u32 {
    std::env::var("ONUS_KILLS").ok().and_then(|kills| kills.parse().ok()).unwrap_or(30)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kill_9_under_load_with_before_reply() {
    let after = torment(kills(), 9, "before-reply").await;
    after.nothing_acknowledged_is_lost();
    after.nothing_is_answered_twice();
    after.no_approval_is_taken_back();
    after.every_timeout_is_resolved();
}

/// A killed process loses nothing with `async` either: records are written at once, only the sync comes later.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kill_9_under_load_with_async() {
    let after = torment(kills().div_ceil(3), 10, "async").await;
    after.nothing_acknowledged_is_lost();
    after.nothing_is_answered_twice();
    after.no_approval_is_taken_back();
    after.every_timeout_is_resolved();
}
