//! A gateway between a simulated host and simulated terminals, and its journal read back.

#![allow(dead_code, reason = "each test file uses some of it")]

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use onus_gateway::config::Durability;
use onus_gateway::{Config, Gateway, SnapshotSource, SystemClock};
use onus_intake::tap::{NO_LINK, Record, Records, TapError};
use onus_simulator::account::Account;
use onus_simulator::fault::{Fault, FaultPlan};
use onus_simulator::frame::{FrameView, Wire};
use onus_simulator::host::{Host, HostConfig};
use onus_simulator::terminal::{Terminal, TerminalConfig};
use tempfile::TempDir;

/// How long a test waits for what must come.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) fn anywhere() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 0))
}

/// A configuration with short times for payments whose reply is missing, so that their end comes within a second.
pub(crate) fn hasty(host: SocketAddr, folder: &Path) -> Config {
    let mut config = config(host, folder);
    config.follow.host_timeout_ms = 400;
    config.follow.grace_ms = 150;
    config.follow.reversal_timeout_ms = 400;
    config.follow.retry_ms = 100;
    config.follow.linger_ms = 500;
    config.follow.delivery_ms = 300;
    config
}

/// A configuration for tests in which replies come: a busy machine may be slow.
pub(crate) fn config(host: SocketAddr, folder: &Path) -> Config {
    let mut config = Config::new(anywhere(), host.to_string(), folder);
    config.workers = 2;
    config.upstream.hosts[0].connections = 2;
    config.upstream.backoff_first_ms = 10;
    config.upstream.backoff_max_ms = 100;
    config.journal.durability = Durability::BeforeReply;
    config.follow.host_timeout_ms = 5_000;
    config
}

/// Host, gateway and what both noted.
pub(crate) struct Stage {
    pub(crate) host: Host,
    pub(crate) gateway: Gateway,
    pub(crate) terminals: Account,
    pub(crate) folder: TempDir,
}

impl Stage {
    /// A stage whose host plays these faults.
    pub(crate) async fn new(faults: Vec<Fault>) -> Stage {
        Stage::with(faults, |_| {}).await
    }

    /// The same with short times for payments whose reply is missing.
    pub(crate) async fn hasty(faults: Vec<Fault>) -> Stage {
        Stage::with(faults, |config| config.follow = hasty(config.terminals.listen, Path::new("")).follow).await
    }

    /// The same with a configuration of its own.
    pub(crate) async fn with(faults: Vec<Fault>, adapt: impl FnOnce(&mut Config)) -> Stage {
        let host = HostConfig { faults: FaultPlan::of(1, faults), ..HostConfig::default() };
        let host = Host::start(anywhere(), host).await.expect("a host");
        let folder = tempfile::tempdir().expect("a folder");
        let mut config = config(host.address(), folder.path());
        adapt(&mut config);
        let gateway = start(config);
        Stage { host, gateway, terminals: Account::of("terminals"), folder }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.gateway.local_addr()
    }

    /// Terminal `number`; it waits longer than the gateway waits for the host.
    pub(crate) fn terminal(&self, number: u32) -> Terminal {
        self.impatient(number, Duration::from_secs(10))
    }

    /// A terminal that waits only so long.
    pub(crate) fn impatient(&self, number: u32, timeout: Duration) -> Terminal {
        Terminal::new(TerminalConfig { timeout, ..TerminalConfig::of(number, self.address()) }, &self.terminals)
    }

    /// Waits until the journal is as wanted.
    pub(crate) async fn journal(&self, what: &str, wanted: impl Fn(&Tap) -> bool) -> Tap {
        eventually(what, || Some(Tap::read(self.folder.path())).filter(&wanted)).await
    }
}

/// Starts a gateway without registers.
pub(crate) fn start(config: Config) -> Gateway {
    Gateway::start(config, SnapshotSource::default(), SystemClock::shared()).expect("a gateway")
}

/// Tries until something is there; says what was missing when patience ends.
pub(crate) async fn eventually<T>(what: &str, mut attempt: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = attempt() {
            return found;
        }
        assert!(Instant::now() < deadline, "waited in vain: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Waits until every exchange in the journal has an end (and there is one), and says which have none when patience ends.
pub(crate) async fn at_rest(folder: &Path) -> Tap {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let tap = Tap::read(folder);
        let mut open = tap.ends();
        let any = !open.is_empty();
        open.retain(|_, end| !end.is_over());
        if any && open.is_empty() {
            return tap;
        }
        let first = open.keys().next().map(|exchange| tap.story(*exchange));
        assert!(Instant::now() < deadline, "{} exchanges without an end, the first: {first:?}", open.len());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Some address that nobody listens on now.
pub(crate) fn free_address() -> SocketAddr {
    let listener = std::net::TcpListener::bind(anywhere()).expect("a port");
    listener.local_addr().expect("its address")
}

/// The journal of a gateway, all segments.
pub(crate) struct Tap {
    segments: Vec<(PathBuf, Vec<u8>)>,
}

impl Tap {
    pub(crate) fn read(folder: &Path) -> Tap {
        let mut paths: Vec<PathBuf> = std::fs::read_dir(folder)
            .expect("the journal's folder")
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|path| path.extension().is_some_and(|extension| extension == "tap"))
            .collect();
        // `tap-1.closed.tap` and `tap-2.tap`: the number decides.
        paths.sort();
        // A segment may be renamed between listing and reading.
        let read = |path: PathBuf| {
            let closed = path.with_extension("closed.tap");
            let bytes = std::fs::read(&path).or_else(|_| std::fs::read(closed)).ok()?;
            Some((path, bytes))
        };
        Tap { segments: paths.into_iter().filter_map(read).collect() }
    }

    /// All whole records in order. A torn tail is only allowed at the end of a segment.
    pub(crate) fn records(&self) -> Vec<Record<'_>> {
        let mut all = Vec::new();
        for (path, bytes) in &self.segments {
            let Ok(records) = Records::new(bytes) else { continue };
            for record in records {
                match record {
                    Ok((_, record)) => all.push(record),
                    Err(TapError::Torn { .. }) => break,
                    Err(error) => panic!("{}: {error}", path.display()),
                }
            }
        }
        all
    }

    pub(crate) fn count(&self, wanted: impl Fn(&Record<'_>) -> bool) -> usize {
        self.records().iter().filter(|record| wanted(record)).count()
    }

    pub(crate) fn has(&self, wanted: impl Fn(&Record<'_>) -> bool) -> bool {
        self.count(wanted) > 0
    }

    /// Whether a payment took this state.
    pub(crate) fn has_state(&self, name: &str) -> bool {
        self.has(|record| matches!(record, Record::State { state, .. } if *state == name))
    }

    /// Whether these bytes stand anywhere in the journal.
    pub(crate) fn contains(&self, wanted: &[u8]) -> bool {
        self.segments.iter().any(|(_, bytes)| bytes.windows(wanted.len()).any(|window| window == wanted))
    }

    /// The records about one exchange, in short.
    pub(crate) fn story(&self, of: u64) -> Vec<String> {
        let mut story = Vec::new();
        for record in self.records() {
            match record {
                Record::Request { exchange, frame, carried, .. } if exchange == of => {
                    let mti = FrameView::read(Wire::Pos, frame).map(|view| view.mti()).unwrap_or_default();
                    story.push(format!("Request {mti:04X} carried {carried}"));
                }
                Record::State { exchange, state, why, settled, .. } if exchange == of => {
                    story.push(format!("State {state} settled {settled}: {why}"));
                }
                Record::Reply { exchange, kind, .. } if exchange == of => story.push(format!("Reply {kind}")),
                Record::NoReply { exchange, why, .. } if exchange == of => story.push(format!("NoReply: {why}")),
                Record::Undelivered { exchange, why, .. } if exchange == of => {
                    story.push(format!("Undelivered: {why}"));
                }
                Record::Delivered { exchange, .. } if exchange == of => story.push("Delivered".to_owned()),
                Record::Repeated { exchange, .. } if exchange == of => story.push("Repeated".to_owned()),
                Record::Reversal { exchange, attempt, .. } if exchange == of => {
                    story.push(format!("Reversal {attempt}"));
                }
                _ => {}
            }
        }
        story
    }

    /// What became of every exchange that was sent to a host: the last state that is known of it.
    pub(crate) fn ends(&self) -> BTreeMap<u64, End> {
        let mut ends: BTreeMap<u64, End> = BTreeMap::new();
        for record in self.records() {
            match record {
                Record::Request { exchange, host, frame, carried: false, .. } if host != NO_LINK => {
                    ends.insert(exchange, End { frame: frame.to_vec(), ..End::default() });
                }
                Record::Reply { exchange, .. } => {
                    if let Some(end) = ends.get_mut(&exchange) {
                        end.replied = true;
                    }
                }
                Record::Delivered { exchange, .. } => {
                    if let Some(end) = ends.get_mut(&exchange) {
                        end.delivered = true;
                    }
                }
                Record::NoReply { exchange, .. } => {
                    if let Some(end) = ends.get_mut(&exchange) {
                        end.unanswered = true;
                    }
                }
                Record::State { exchange, state, settled, .. } => {
                    if let Some(end) = ends.get_mut(&exchange) {
                        // A state that was only carried over has no name.
                        if !state.is_empty() {
                            end.state = state.to_owned();
                        }
                        end.settled |= settled;
                    }
                }
                _ => {}
            }
        }
        ends
    }
}

/// What the journal says at last about one exchange.
#[derive(Clone, Debug, Default)]
pub(crate) struct End {
    /// The masked request.
    pub(crate) frame: Vec<u8>,
    /// The host's reply is in the journal.
    pub(crate) replied: bool,
    /// The reply was handed over whole.
    pub(crate) delivered: bool,
    /// No reply came in time.
    pub(crate) unanswered: bool,
    /// Last state of the follower; empty when it never followed.
    pub(crate) state: String,
    /// The follower let it go.
    pub(crate) settled: bool,
}

impl End {
    /// Whether nothing more is to come. A payment without reply needs a state; that of any other message says it all.
    pub(crate) fn is_over(&self) -> bool {
        let is_payment = FrameView::read(Wire::Pos, &self.frame).is_ok_and(|view| view.mti() == 0x0200);
        self.delivered || self.settled || (self.unanswered && !is_payment)
    }
}

/// States in which more is to come.
pub(crate) const OPEN_STATES: [&str; 5] = ["SENT", "RELEASING", "NO_RESPONSE", "LATE_RESPONSE", "REVERSAL_PENDING"];
