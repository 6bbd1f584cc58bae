//! Live detection in a running process: what the gateway sees is counted, minute by minute, and one process looks at
//! what all gateways counted.

use std::hash::BuildHasher as _;
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::{Context, Result};
use onus_gateway::outcomes::{self, OutcomeFact};
use onus_gateway::{Clock, Config, Gateway};
use onus_worker::{Counter, LiveDetection, Looked, Places, Sighting, Told};
use rustc_hash::FxBuildHasher;
use tracing::{error, info, warn};

use crate::home::Home;

/// How often a gateway's facts are taken, and how often minutes are looked for.
pub(crate) const TAKE_EVERY: Duration = Duration::from_secs(1);
/// How often the registers are read again, in turns of [`TAKE_EVERY`].
const READ_PLACES_EVERY: u32 = 60;

/// Counts what one gateway sees.
pub(crate) struct Counting {
    home: Arc<Home>,
    gateway: Arc<Gateway>,
    clock: Arc<dyn Clock>,
    hosts: Vec<String>,
    counter: Counter,
    turn: u32,
    missed: u64,
}

impl Counting {
    /// Begins; what is seen before is not counted.
    pub(crate) fn new(home: Arc<Home>, gateway: Arc<Gateway>, config: &Config, clock: Arc<dyn Clock>) -> Result<Self> {
        // What an earlier process counted stays under its own name.
        let instance = format!("{}@{}", config.name, crate::home::now().0);
        let counter = Counter::new(instance, Places::read(&home.store, &home.tenant.id)?)?;
        drop(gateway.take_outcomes());
        let hosts = config.upstream.hosts.iter().map(|host| host.name.clone()).collect();
        Ok(Self { home, gateway, clock, hosts, counter, turn: 0, missed: 0 })
    }

    /// Takes what waits, and hands over the minutes that are over; with `last`, the one that is under way as well.
    pub(crate) fn turn(&mut self, last: bool) {
        for fact in self.gateway.take_outcomes() {
            let host = fact.host.and_then(|host| self.hosts.get(usize::from(host))).map_or("", String::as_str);
            see(&mut self.counter, &fact, host);
        }
        let missed = self.gateway.missed_outcomes();
        if missed > self.missed {
            warn!("{} facts about sales were not counted: the process is too slow", missed - self.missed);
            self.missed = missed;
        }
        self.turn += 1;
        if self.turn.is_multiple_of(READ_PLACES_EVERY) {
            match Places::read(&self.home.store, &self.home.tenant.id) {
                Ok(places) => self.counter.set_places(places),
                Err(error) => warn!("live detection keeps the registers that it has: {error}"),
            }
        }
        let now = if last { self.clock.now().plus_seconds(60) } else { self.clock.now() };
        if let Err(error) = self.counter.hand_over(&self.home.store, &self.home.tenant.id, now) {
            warn!("minutes of live detection wait, for they could not be stored: {error}");
        }
    }
}

fn see(counter: &mut Counter, fact: &OutcomeFact, host: &str) {
    let code = |code: &[u8; 2]| String::from_utf8_lossy(code).into_owned();
    let (answer, told) = match &fact.told {
        outcomes::Told::Answered { code: it, after_us } => (code(it), Some(("host", after_us / 1_000))),
        outcomes::Told::Refused { code: it } => (code(it), Some(("gateway", 0))),
        outcomes::Told::Silent | outcomes::Told::Late | outcomes::Told::Reversed => (String::new(), None),
    };
    let told = match (fact.told, told) {
        (_, Some((hop, after_ms))) => Told::Answered { code: &answer, hop, after_ms },
        (outcomes::Told::Late, _) => Told::Late,
        (outcomes::Told::Reversed, _) => Told::Reversed,
        _ => Told::Silent,
    };
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim_end().to_owned();
    counter.see(&Sighting {
        id: FxBuildHasher.hash_one(fact.payment),
        at: fact.at,
        told,
        tid: &text(&fact.payment.tid),
        host,
        amount_minor: fact.amount_minor,
        entry_mode: fact.entry_mode,
        pin: fact.pin,
        bin: fact.bin,
        app_version: &fact.app_version.map_or_else(String::new, |version| text(&version)),
    });
}

/// Looks at what all gateways counted, beside a server.
pub(crate) struct DetectionWatch {
    stop: Sender<()>,
    thread: JoinHandle<()>,
}

impl DetectionWatch {
    /// Starts it. `clock` is the one by which minutes are over.
    pub(crate) fn start(home: &Home, clock: Arc<dyn Clock>) -> Result<Self> {
        let (stop, stopped) = channel::<()>();
        let mut detection = LiveDetection::new(home.store.clone(), &home.tenant.id, &home.zone()?)?;
        let watch = move || {
            loop {
                match detection.look(clock.now()) {
                    Ok(looked) => say(&looked),
                    Err(error) => error!("live detection could not look, and tries again: {error}"),
                }
                match stopped.recv_timeout(TAKE_EVERY) {
                    Err(RecvTimeoutError::Timeout) => {}
                    Ok(()) | Err(RecvTimeoutError::Disconnected) => return,
                }
            }
        };
        let thread = std::thread::Builder::new().name("detection".to_owned()).spawn(watch);
        Ok(Self { stop, thread: thread.context("could not start a thread")? })
    }

    /// Stops it, after what it is just doing.
    pub(crate) fn stop(self) {
        drop(self.stop);
        if self.thread.join().is_err() {
            error!("live detection ended in a panic");
        }
    }
}

fn say(looked: &Looked) {
    if !looked.changes.is_empty() {
        info!(
            "live detection: {} changes; {} alarms stand, {} episodes are not over",
            looked.changes.len(),
            looked.alarms,
            looked.episodes
        );
    }
}
