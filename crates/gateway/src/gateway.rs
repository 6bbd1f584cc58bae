//! A running gateway: its threads, how it is started, asked and stopped.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::Receiver;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use arc_swap::ArcSwap;
use onus_intake::tap::Record;
use onus_iso8583::mac::MacKey;
use onus_iso8583::{Dialect, DialectError};
use socket2::{Domain, Socket, Type};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::task::LocalSet;
use zeroize::Zeroizing;

use crate::card_token::CardKey;
use crate::clock::Clock;
use crate::config::{Config, ConfigError};
use crate::detect::{DetectError, Detectors};
use crate::exchange::Phase;
use crate::framing::Framer;
use crate::gate::{GateError, GateRules};
use crate::journal::{self, Identity, Journal, JournalError, Recovered};
use crate::listener::{self, Arrived};
use crate::outcomes::{OutcomeFact, Outcomes};
use crate::pursuit::Pursuit;
use crate::seen::SeenReader;
use crate::snapshot::Snapshot;
use crate::stats::{self, Counters, Stats};
use crate::tls::{ClientSide, ServerSide, TlsError};
use crate::upstream::{self, EchoError, HostLinks, Link};
use crate::watch::{Sighted, Watch};
use crate::worker::{Shared, Worker};

/// How often connections are looked at and deadlines are checked.
const LOOK: Duration = Duration::from_millis(20);
/// How long a stop waits for replies.
const LAST_REPLIES: Duration = Duration::from_secs(5);

/// Connections that may wait to be taken.
const QUEUE: i32 = 4096;

/// Where the gate reads the registers. Clones share one snapshot; swapping it is atomic.
#[derive(Clone, Default)]
pub struct SnapshotSource {
    current: Arc<ArcSwap<Snapshot>>,
}

impl SnapshotSource {
    /// A source with a first snapshot.
    #[must_use]
    pub fn new(snapshot: Snapshot) -> SnapshotSource {
        SnapshotSource { current: Arc::new(ArcSwap::from_pointee(snapshot)) }
    }

    /// From now on, this one counts.
    pub fn swap(&self, snapshot: Snapshot) {
        self.current.store(Arc::new(snapshot));
    }

    /// The one that counts now.
    #[must_use]
    pub fn load(&self) -> arc_swap::Guard<Arc<Snapshot>> {
        self.current.load()
    }
}

/// A gateway cannot be started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The configuration.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The dialect.
    #[error("gateway configuration, dialect: {0}")]
    Dialect(#[from] DialectError),
    /// The key for reversals.
    #[error("gateway configuration, mac_key_file {}: {problem}", .file.display())]
    MacKey {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// The dialect does not say how frames follow each other.
    #[error("gateway configuration, dialect: {0} has no [stream]; say how long the length before a frame is")]
    NoStream(String),
    /// The echo test.
    #[error("gateway configuration, {0}")]
    Echo(#[from] EchoError),
    /// The rules of the gate.
    #[error(transparent)]
    Gate(#[from] GateError),
    /// The journal.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// TLS.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The address cannot be listened on.
    #[error("listening on {address}: {error}; is another program there?")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        error: std::io::Error,
    },
    /// The thresholds of the detectors.
    #[error(transparent)]
    Detect(#[from] DetectError),
    /// The machine gives no random bytes.
    #[error("the key of card tokens: {0}")]
    Random(String),
    /// A thread cannot be started.
    #[error("starting a thread: {0}")]
    Thread(std::io::Error),
}

/// One exchange under way, as [`Gateway::open_exchanges`] shows it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct OpenExchange {
    /// Its number in the journal.
    pub exchange: u64,
    /// Terminal number.
    pub terminal: String,
    /// Trace number.
    pub trace: u32,
    /// When the request came in, microseconds UTC.
    pub received_at: i64,
    /// `open`, `answered`, `followed`.
    pub phase: &'static str,
}

/// A running gateway. It runs on threads of its own until [`Gateway::shutdown`], or until it is dropped.
pub struct Gateway {
    shared: Arc<Shared>,
    local_addr: SocketAddr,
    threads: Mutex<Vec<JoinHandle<()>>>,
    journal_thread: Mutex<Option<JoinHandle<()>>>,
    watch_thread: Mutex<Option<JoinHandle<()>>>,
}

impl Gateway {
    /// Reads what an earlier process left in the journal, starts to listen and connects to the hosts.
    ///
    /// # Errors
    /// Says what of the configuration, the journal or the machine does not allow it.
    pub fn start(config: Config, snapshots: SnapshotSource, clock: Arc<dyn Clock>) -> Result<Gateway, StartError> {
        config.check()?;
        let dialect = Dialect::builtin(&config.dialect)?;
        let stream = dialect.stream().ok_or_else(|| StartError::NoStream(config.dialect.clone()))?;
        let rules = GateRules::new(&config.gate)?;
        if let Some(health) = &config.upstream.health {
            upstream::echo(dialect, health, 1)?;
        }
        let tls = config.terminals.tls.as_ref().map(ServerSide::new).transpose()?;
        let client_tls = config.upstream.hosts.iter().map(|host| host.tls.as_ref().map(ClientSide::new).transpose());
        let client_tls: Vec<Option<Arc<ClientSide>>> =
            client_tls.map(|tls| tls.map(|tls| tls.map(Arc::new))).collect::<Result<_, _>>()?;
        let address = config.terminals.listen;
        let listener = bind(address).map_err(|error| StartError::Listen { address, error })?;
        let local_addr = listener.local_addr().map_err(|error| StartError::Listen { address, error })?;

        let mut recovered = journal::recover(&config.journal.folder)?;
        for torn in &recovered.torn {
            tracing::warn!("journal {}: cut at byte {}: {}", torn.segment.display(), torn.at, torn.error);
        }
        let identity = Identity { dialect: config.dialect.clone(), gateway: config.name.clone() };
        let journal = Arc::new(Journal::begin(config.journal.clone(), identity, Arc::clone(&clock), &mut recovered)?);
        let processors = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let workers = config.workers_on(processors);
        let counters: Vec<Arc<Counters>> = (0..workers).map(|_| Arc::default()).collect();
        let detectors = Detectors::new(config.detect.clone(), config.follow.host_timeout_ms)?;
        let (watch, sighted) = Watch::new();
        let upstream_framer = Framer::new(stream, config.upstream.max_frame);
        let shared = Arc::new(Shared {
            dialect,
            reader: reader(dialect, &config)?,
            mac_key: mac_key(dialect, &config)?,
            terminal_framer: Framer::new(stream, config.terminals.max_frame),
            upstream_framer,
            rules,
            snapshots,
            exchanges: Arc::default(),
            journal,
            pursuit: Arc::new(Pursuit::new(config.follow.clone())),
            watch,
            outcomes: Outcomes::default(),
            hosts: links(&config, workers, upstream_framer),
            started_ticks: clock.ticks(),
            clock,
            counters,
            next_exchange: AtomicU64::new(recovered.last_exchange + 1),
            next_connection: AtomicU64::new(recovered.last_connection + 1),
            connections: AtomicUsize::new(0),
            stopping: AtomicBool::new(false),
            stop: tokio::sync::watch::channel(false).0,
            config,
        });
        let gateway = Gateway {
            local_addr,
            threads: Mutex::default(),
            journal_thread: Mutex::new(Some(start_journal(&shared)?)),
            watch_thread: Mutex::new(Some(start_watch(&shared, detectors, sighted)?)),
            shared,
        };
        gateway.start_workers(listener, tls.as_ref(), &client_tls, recovered)?;
        Ok(gateway)
    }

    fn start_workers(
        &self,
        listener: std::net::TcpListener,
        tls: Option<&ServerSide>,
        client_tls: &[Option<Arc<ClientSide>>],
        recovered: Recovered,
    ) -> Result<(), StartError> {
        let workers = self.shared.counters.len();
        let (senders, receivers): (Vec<_>, Vec<_>) =
            (0..workers).map(|_| tokio::sync::mpsc::unbounded_channel::<Arrived>()).unzip();
        let (mut listener, mut recovered) = (Some((listener, senders)), Some(recovered));
        let mut threads = self.threads.lock().unwrap_or_else(PoisonError::into_inner);
        for (index, receiver) in receivers.into_iter().enumerate() {
            let job = Job {
                shared: Arc::clone(&self.shared),
                index,
                listener: listener.take(),
                recovered: recovered.take(),
                receiver,
                tls: tls.cloned(),
                client_tls: client_tls.to_vec(),
            };
            let name = format!("gateway-{index}");
            let thread = std::thread::Builder::new().name(name).spawn(move || job.run()).map_err(StartError::Thread)?;
            threads.push(thread);
        }
        Ok(())
    }

    /// Where terminals connect.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// What was counted, and how everything stands.
    #[must_use]
    pub fn stats(&self) -> Stats {
        let shared = &self.shared;
        let sums = stats::sums(&shared.counters);
        let by_rule = |counts: Vec<u64>| {
            let named = counts.into_iter().zip(0..).filter(|(count, _)| *count > 0);
            named.map(|(count, rule)| (shared.rules.name(crate::gate::RuleId(rule)).to_owned(), count)).collect()
        };
        Stats {
            uptime_us: shared.clock.ticks().saturating_sub(shared.started_ticks),
            counts: stats::Counts { alarms: shared.watch.alarms(), ..sums.counts },
            open_connections: shared.connections.load(Ordering::Acquire),
            open_exchanges: shared.exchanges.len(),
            host_latency: sums.host_latency,
            inside_latency: sums.inside_latency,
            total_latency: sums.total_latency,
            host_codes: sums.host_codes,
            gateway_codes: sums.gateway_codes,
            refusals: by_rule(sums.refusals),
            opened: by_rule(sums.opened),
            followed: shared.pursuit.by_state(),
            links: shared.hosts.iter().flat_map(|host| host.links.iter().map(|link| link.stats(&host.name))).collect(),
            journal: shared.journal.state(),
            alarms: shared.watch.last(),
            unwatched: shared.watch.missed(),
        }
    }

    /// What became known of sales since the last call. Nothing is kept before the first one, and of what waits too long
    /// only the number is.
    #[must_use]
    pub fn take_outcomes(&self) -> Vec<OutcomeFact> {
        self.shared.outcomes.take()
    }

    /// Facts about sales that were dropped because nobody took them.
    #[must_use]
    pub fn missed_outcomes(&self) -> u64 {
        self.shared.outcomes.missed()
    }

    /// The exchanges that are under way.
    #[must_use]
    pub fn open_exchanges(&self) -> Vec<OpenExchange> {
        let mut open = Vec::new();
        self.shared.exchanges.each(|exchange| {
            if exchange.phase() == Phase::Done {
                return;
            }
            open.push(OpenExchange {
                exchange: exchange.id,
                terminal: String::from_utf8_lossy(&exchange.key.tid).into_owned(),
                trace: exchange.key.trace,
                received_at: exchange.received_at.0,
                phase: match exchange.phase() {
                    Phase::Open => "open",
                    Phase::Answered => "answered",
                    Phase::Followed => "followed",
                    Phase::Done => "done",
                },
            });
        });
        open.sort_unstable_by_key(|exchange| exchange.exchange);
        open
    }

    /// The journal, for tests that break it.
    #[cfg(test)]
    pub(crate) fn journal(&self) -> &Journal {
        &self.shared.journal
    }

    /// Stops in order: no new connections, a last wait for replies that are under way, everything on the disk.
    pub fn shutdown(self) {
        self.stop();
    }

    fn stop(&self) {
        self.shared.stopping.store(true, Ordering::Release);
        self.shared.stop.send_replace(true);
        let threads = std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner));
        for thread in threads {
            if thread.join().is_err() {
                tracing::error!("a thread of the gateway ended in a panic");
            }
        }
        self.shared.watch.end();
        let watch = self.watch_thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if watch.is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the detectors' thread ended in a panic");
        }
        self.shared.journal.stop();
        let journal = self.journal_thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if journal.is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the journal's thread ended in a panic");
        }
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Listens; connections queue up to [`QUEUE`] while a storm of them is taken.
fn bind(address: SocketAddr) -> std::io::Result<std::net::TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(QUEUE)?;
    Ok(socket.into())
}

fn links(config: &Config, workers: usize, framer: Framer) -> Vec<HostLinks> {
    let hosts = config.upstream.hosts.iter().zip(0..);
    let link = |host: u16, number: u16| Arc::new(Link::new(host, number, usize::from(number) % workers, framer));
    hosts
        .map(|(config, host)| HostLinks {
            name: config.name.clone(),
            links: (0..config.connections).zip(0..).map(|(_, number)| link(host, number)).collect(),
        })
        .collect()
}

fn start_journal(shared: &Arc<Shared>) -> Result<JoinHandle<()>, StartError> {
    let (journal, exchanges) = (Arc::clone(&shared.journal), Arc::clone(&shared.exchanges));
    let pursuit = Arc::clone(&shared.pursuit);
    let carry_over: journal::CarryOver = Box::new(move |out| pursuit.carry_over(&exchanges, out));
    let thread = std::thread::Builder::new().name("gateway-journal".into());
    thread.spawn(move || journal.run(&carry_over)).map_err(StartError::Thread)
}

fn start_watch(
    shared: &Arc<Shared>,
    detectors: Detectors,
    sighted: Receiver<Vec<Sighted>>,
) -> Result<JoinHandle<()>, StartError> {
    let shared = Arc::clone(shared);
    let thread = std::thread::Builder::new().name("gateway-watch".into());
    let run = move || shared.watch.run(&sighted, detectors, &shared.snapshots, &shared.journal);
    thread.spawn(run).map_err(StartError::Thread)
}

/// The key for the gateway's own reversals.
fn mac_key(dialect: &Dialect, config: &Config) -> Result<Option<MacKey>, StartError> {
    let Some(file) = &config.mac_key_file else {
        return Ok(None);
    };
    let wrong = |problem: String| StartError::MacKey { file: file.clone(), problem };
    let place = dialect.mac().ok_or_else(|| wrong(format!("the dialect {} has no [mac]", dialect.id())))?;
    let text = Zeroizing::new(std::fs::read_to_string(file).map_err(|error| wrong(error.to_string()))?);
    place.profile.key_from_hex(text.trim()).map(Some).map_err(|error| wrong(error.to_string()))
}

/// Reads messages; tokens of cards have a key of this process.
fn reader(dialect: &Dialect, config: &Config) -> Result<SeenReader, StartError> {
    let mut key = [0; 16];
    getrandom::fill(&mut key).map_err(|error| StartError::Random(error.to_string()))?;
    let reader = SeenReader::new(dialect)?.with_card_key(CardKey::new(key));
    Ok(match &config.location {
        Some(tag) => reader.with_location(tag),
        None => reader,
    })
}

/// What one thread is started with.
struct Job {
    shared: Arc<Shared>,
    index: usize,
    listener: Option<(std::net::TcpListener, Vec<tokio::sync::mpsc::UnboundedSender<Arrived>>)>,
    recovered: Option<Recovered>,
    receiver: UnboundedReceiver<Arrived>,
    tls: Option<ServerSide>,
    client_tls: Vec<Option<Arc<ClientSide>>>,
}

impl Job {
    fn run(self) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        match runtime {
            Ok(runtime) => LocalSet::new().block_on(&runtime, self.carry()),
            Err(error) => tracing::error!("a thread of the gateway could not start: {error}"),
        }
    }

    async fn carry(self) {
        let counters = self.shared.counters.get(self.index).map(Arc::clone).unwrap_or_default();
        let worker = Rc::new(Worker::new(Arc::clone(&self.shared), self.index, counters));
        if let Some(recovered) = self.recovered {
            let machine_failed = recovered.machine_failed(&self.shared.config.journal);
            self.shared.pursuit.resume(&worker, recovered.open, machine_failed);
        }
        connect_hosts(&self.shared, &self.client_tls, &worker);
        let mut listening = None;
        if let Some((listener, senders)) = self.listener
            && let Ok(listener) = tokio::net::TcpListener::from_std(listener)
        {
            listening = Some(tokio::task::spawn_local(listener::listen(Rc::clone(&worker), listener, senders)));
        }
        tokio::task::spawn_local(listener::receive(Rc::clone(&worker), self.receiver, self.tls));
        let releasing = Rc::clone(&worker);
        tokio::task::spawn_local(async move { releasing.release_held().await });
        let mut stop = self.shared.stop.subscribe();
        let mut look = tokio::time::interval(LOOK);
        look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = look.tick() => worker.look(),
                _ = stop.wait_for(|stopped| *stopped) => break,
            }
        }
        if let Some(listening) = listening {
            listening.abort();
        }
        wind_up(&worker).await;
    }
}

fn connect_hosts(shared: &Shared, client_tls: &[Option<Arc<ClientSide>>], worker: &Rc<Worker>) {
    let hosts = shared.hosts.iter().zip(&shared.config.upstream.hosts).zip(client_tls);
    for ((host, config), tls) in hosts {
        for link in host.links.iter().filter(|link| link.worker() == worker.index) {
            let kept = upstream::keep_up(Rc::clone(worker), Arc::clone(link), config.address.clone(), tls.clone());
            tokio::task::spawn_local(kept);
        }
    }
}

/// Waits for what is under way, ends the connections and hands the last records over.
async fn wind_up(worker: &Rc<Worker>) {
    let deadline = tokio::time::Instant::now() + LAST_REPLIES;
    let shared = &worker.shared;
    let waits = || {
        let mut open = false;
        shared.exchanges.each(|exchange| open |= matches!(exchange.phase(), Phase::Open | Phase::Answered));
        open || worker.holds_replies()
    };
    while waits() && tokio::time::Instant::now() < deadline {
        worker.look();
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    worker.end_connections();
    for link in shared.hosts.iter().flat_map(|host| &host.links).filter(|link| link.worker() == worker.index) {
        link.end("the gateway stops");
    }
    // The connections' tasks write down their ends.
    let gone = || shared.connections.load(Ordering::Acquire) == 0;
    while !gone() && tokio::time::Instant::now() < deadline {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    if worker.index == 0 {
        let open = u32::try_from(shared.exchanges.len()).unwrap_or(u32::MAX);
        worker.record(&Record::Stopped { at: worker.now().0, open });
    }
    worker.hand_over();
}
