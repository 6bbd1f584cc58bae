//! A gateway in this process: it reads its registers from the store, says every second how it stands, and its closed
//! segments are imported and judged as they come.

use std::collections::BTreeSet;
use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use onus_gateway::{Clock, Config, Gateway, SnapshotSource};
use onus_intake::{FileKind, Reading};
use onus_model::Instant;
use onus_store::Scope;
use onus_store::gateway_status::{self, GatewayStatusRow};
use onus_worker::{DeliveryFile, Importer};
use tracing::{error, info, warn};

use crate::gateway_registers::snapshot;
use crate::gateway_status::{Imports, Reporter};
use crate::home::{self, Home};
use crate::watch::{Counting, TAKE_EVERY};

/// How often a gateway says how it stands.
const SAY_EVERY: Duration = Duration::from_secs(1);
/// How often the journal's folder is looked at for closed segments.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// How often the registers are read again.
const READ_REGISTERS_EVERY: Duration = Duration::from_secs(60);

/// How a gateway is run.
pub(crate) struct Run {
    pub(crate) config: Config,
    pub(crate) clock: Arc<dyn Clock>,
    /// Import closed segments here; otherwise they are left for `onus import`.
    pub(crate) import: bool,
}

/// A running gateway with what goes on around it.
pub(crate) struct Running {
    home: Arc<Home>,
    gateway: Option<Arc<Gateway>>,
    reporter: Arc<Reporter>,
    address: SocketAddr,
    stop: Arc<Stop>,
    stop_imports: Arc<Stop>,
    threads: Vec<JoinHandle<()>>,
    importing: Option<JoinHandle<()>>,
}

/// Reads a configuration file.
pub(crate) fn read_config(path: &Path) -> Result<Config> {
    let text = fs::read_to_string(path).with_context(|| {
        format!("--config {}: not readable; docs/examples/gateway.toml is an example", path.display())
    })?;
    Config::from_toml(&text).with_context(|| path.display().to_string())
}

impl Running {
    /// Starts it.
    pub(crate) fn start(home: Arc<Home>, run: Run) -> Result<Self> {
        let Run { config, clock, import } = run;
        let folder = config.journal.folder.clone();
        fs::create_dir_all(&folder).with_context(|| {
            format!(
                "could not make the journal's folder {}; set journal.folder to one that can be written",
                folder.display()
            )
        })?;
        let registers = SnapshotSource::new(snapshot(&home, 1, clock.now())?);
        let (name, described) = (config.name.clone(), config.clone());
        let gateway = Arc::new(Gateway::start(config, registers.clone(), Arc::clone(&clock))?);
        let reporter = Arc::new(Reporter::new(&described, gateway.local_addr(), Arc::clone(&clock), import));
        let mut running = Self {
            address: gateway.local_addr(),
            gateway: Some(Arc::clone(&gateway)),
            reporter: Arc::clone(&reporter),
            stop: Arc::default(),
            stop_imports: Arc::default(),
            threads: Vec::new(),
            importing: None,
            home: Arc::clone(&home),
        };
        let counted = Arc::clone(&gateway);
        let (stop, say_home, say_registers) = (Arc::clone(&running.stop), Arc::clone(&home), registers.clone());
        running.threads.push(spawn("gateway-status", move || {
            while !stop.wait(SAY_EVERY) {
                say(&say_home, &reporter, &gateway, &say_registers);
            }
        })?);
        let mut counting = Counting::new(Arc::clone(&home), counted, &described, Arc::clone(&clock))?;
        let stop = Arc::clone(&running.stop);
        running.threads.push(spawn("gateway-counts", move || {
            while !stop.wait(TAKE_EVERY) {
                counting.turn(false);
            }
            counting.turn(true);
        })?);
        let (stop, read_home, read_clock) = (Arc::clone(&running.stop), Arc::clone(&home), Arc::clone(&clock));
        running.threads.push(spawn("gateway-registers", move || {
            let mut number = 1;
            while !stop.wait(READ_REGISTERS_EVERY) {
                number += 1;
                match snapshot(&read_home, number, read_clock.now()) {
                    Ok(fresh) => registers.swap(fresh),
                    Err(error) => warn!("the gateway keeps the registers that it has: {error:#}"),
                }
            }
        })?);
        if import {
            let segments = Segments { home, name, folder, clock, reporter: Arc::clone(&running.reporter) };
            let stop = Arc::clone(&running.stop_imports);
            running.importing = Some(spawn("gateway-import", move || segments.run(&stop))?);
        }
        Ok(running)
    }

    /// Where terminals connect.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Stops in order: the gateway with its last replies, the journal on the disk, its last segment imported.
    pub(crate) fn stop(mut self) {
        self.end();
    }

    fn end(&mut self) {
        self.stop.set();
        for thread in self.threads.drain(..) {
            join(thread);
        }
        let Some(gateway) = self.gateway.take() else { return };
        let stats = gateway.stats();
        match Arc::try_unwrap(gateway) {
            Ok(gateway) => gateway.shutdown(),
            // Dropping the last one stops it as well.
            Err(shared) => drop(shared),
        }
        self.stop_imports.set();
        if let Some(thread) = self.importing.take() {
            join(thread);
        }
        put(&self.home, &self.reporter.stopped(&stats));
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.end();
    }
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>> {
    std::thread::Builder::new().name(name.to_owned()).spawn(work).context("could not start a thread")
}

fn join(thread: JoinHandle<()>) {
    if thread.join().is_err() {
        error!("a thread beside the gateway ended in a panic");
    }
}

fn say(home: &Home, reporter: &Reporter, gateway: &Gateway, registers: &SnapshotSource) {
    put(home, &reporter.report(&gateway.stats(), gateway.open_exchanges(), &registers.load()));
}

fn put(home: &Home, status: &GatewayStatusRow) {
    if let Err(error) = home.store.write(|tx| gateway_status::put(tx, &home.tenant.id, status)) {
        warn!("the gateway's status could not be stored: {error}");
    }
}

/// Tells threads to stop, and wakes those that wait.
#[derive(Default)]
struct Stop {
    set: Mutex<bool>,
    wake: Condvar,
}

impl Stop {
    fn lock(&self) -> MutexGuard<'_, bool> {
        self.set.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self) {
        *self.lock() = true;
        self.wake.notify_all();
    }

    /// Waits so long, or until it is set; whether it is set.
    fn wait(&self, pause: Duration) -> bool {
        let waited = self.wake.wait_timeout_while(self.lock(), pause, |set| !*set);
        *waited.unwrap_or_else(PoisonError::into_inner).0
    }
}

/// The closed segments of one gateway's journal.
struct Segments {
    home: Arc<Home>,
    name: String,
    folder: std::path::PathBuf,
    clock: Arc<dyn Clock>,
    reporter: Arc<Reporter>,
}

impl Segments {
    fn run(&self, stop: &Stop) {
        let mut done = BTreeSet::new();
        loop {
            // What was closed by the stop is imported, too.
            let last = stop.wait(LOOK_EVERY);
            if let Err(error) = self.import_closed(&mut done) {
                warn!("closed segments are not imported yet: {error:#}");
                self.reporter.imports(|imports| imports.error = Some(format!("{error:#}")));
            }
            if last {
                return;
            }
        }
    }

    /// Imports the segments that were closed since the last time. What failed is tried again.
    fn import_closed(&self, done: &mut BTreeSet<String>) -> Result<()> {
        let mut waiting = self.closed()?;
        waiting.retain(|file| !done.contains(&file.name));
        if waiting.is_empty() {
            return Ok(());
        }
        let _lock = self.home.lock_imports()?;
        self.skip_known(&mut waiting, done)?;
        self.reporter.imports(|imports| imports.waiting = waiting.len());
        if waiting.is_empty() {
            return Ok(());
        }
        let Home { store, vault, key, tenant, .. } = &*self.home;
        let names: Vec<String> = waiting.iter().map(|file| file.name.clone()).collect();
        let now = self.clock.now();
        let report = Importer::new(store, vault, key, tenant.clone(), now)?.import_files(waiting, &())?;
        let failed: Vec<&str> =
            report.files.iter().filter(|file| file.failed).filter_map(|file| file.note.as_deref()).collect();
        let imported = names.len() - failed.len();
        if let Some(judged) = &report.judged {
            info!("{imported} segments imported, {} verdicts new or changed", judged.changed);
        }
        let error = failed.first().map(|note| (*note).to_owned());
        self.reporter.imports(|imports| imports.done(imported, failed.len(), now, error));
        let is_failed = |name: &String| report.files.iter().any(|file| file.failed && file.name == *name);
        done.extend(names.into_iter().filter(|name| !is_failed(name)));
        Ok(())
    }

    fn closed(&self) -> Result<Vec<DeliveryFile>> {
        let entries = fs::read_dir(&self.folder).with_context(|| format!("reading {}", self.folder.display()))?;
        let mut found = Vec::new();
        for entry in entries {
            let entry = entry?;
            let name = format!("gateway/{}/{}", self.name, entry.file_name().to_string_lossy());
            if let Reading::As(kind @ FileKind::Tap) = FileKind::of(&name) {
                found.push(DeliveryFile { path: entry.path(), name, kind, size: entry.metadata()?.len() });
            }
        }
        found.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(found)
    }

    /// Leaves out what an earlier process imported: by name and size, for a closed segment never changes.
    fn skip_known(&self, waiting: &mut Vec<DeliveryFile>, done: &mut BTreeSet<String>) -> Result<()> {
        let scope = Scope::all(&self.home.tenant.id);
        let known = self.home.store.read(|tx| onus_store::files::list(tx, &scope))?;
        let is_known = |file: &DeliveryFile| {
            known.iter().any(|row| row.name == file.name && u64::try_from(row.size).is_ok_and(|size| size == file.size))
        };
        waiting.retain(|file| {
            let known = is_known(file);
            if known {
                done.insert(file.name.clone());
            }
            !known
        });
        Ok(())
    }
}

/// The machine's clock, moved so that it begins at a given time.
pub(crate) struct MovedClock {
    from: Instant,
    speed: i64,
    ticks: Arc<dyn Clock>,
    began: u64,
}

impl MovedClock {
    /// A clock that says `from` now, and goes `speed` times as fast as the machine's.
    pub(crate) fn shared(from: Instant, speed: u32) -> Arc<dyn Clock> {
        let ticks = onus_gateway::SystemClock::shared();
        Arc::new(Self { from, speed: speed.into(), began: ticks.ticks(), ticks })
    }
}

impl Clock for MovedClock {
    fn now(&self) -> Instant {
        let since = i64::try_from(self.ticks().saturating_sub(self.began)).unwrap_or(i64::MAX);
        Instant(self.from.0.saturating_add(since.saturating_mul(self.speed)))
    }

    fn ticks(&self) -> u64 {
        self.ticks.ticks()
    }
}

/// Prints what each gateway said last.
pub(crate) fn print_status(home: &Home, format: crate::Format) -> Result<()> {
    let scope = Scope::all(&home.tenant.id);
    let rows = home.store.read(|tx| gateway_status::list(tx, &scope))?;
    if rows.is_empty() && format == crate::Format::Table {
        println!("no gateway has said anything yet; start one: onus serve --config gateway.toml");
        return Ok(());
    }
    let now = home::now();
    for row in &rows {
        let status: serde_json::Value = serde_json::from_str(&row.status)
            .map_err(|error| anyhow!("the status of {} does not read: {error}", row.instance))?;
        crate::gateway_status::print(row, &status, now, format)?;
    }
    Ok(())
}

impl Imports {
    fn done(&mut self, imported: usize, failed: usize, at: Instant, error: Option<String>) {
        self.imported += imported;
        self.waiting = failed;
        self.error = error;
        self.last_at = Some(at.0);
    }
}
