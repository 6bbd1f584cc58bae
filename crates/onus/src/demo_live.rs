//! Live traffic beside the imported day: simulated terminals of its registry, the gateway, and a simulated host with
//! faults, all on loopback.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use onus_gateway::Config;
use onus_model::Instant;
use onus_simulator::account::Account;
use onus_simulator::fault::{Fault, FaultKind, FaultPlan, OnTimeout};
use onus_simulator::host::{Host, HostConfig};
use onus_simulator::message::Identity;
use onus_simulator::random::Random;
use onus_simulator::terminal::{Terminal, TerminalConfig};
use onus_store::Scope;
use onus_store::registry::{self, TerminalRow};
use tokio::runtime::Runtime;

use crate::gateway::{MovedClock, Run};
use crate::home::Home;

const CONFIG: &str = include_str!("../../../demo/gateway.toml");
/// Seed of keys, cards, amounts and faults.
const SEED: u64 = 20_261_012;
/// Terminals that take payments; of those under suspicion, a few more.
const TERMINALS: usize = 24;
const SUSPECTS: usize = 1;
/// Payments a second of all together.
const RATE: f64 = 2.5;
/// How long a terminal waits for a reply: a little longer than the gateway waits for the host.
const PATIENCE: Duration = Duration::from_secs(8);
/// Share of payments whose terminal goes away before the reply.
const VANISH: f64 = 0.008;

/// Simulated peers; they end when this is dropped.
pub(crate) struct Live {
    runtime: Runtime,
    _host: Host,
    terminals: Vec<Identity>,
    from: Instant,
    began: Instant,
}

/// Starts the simulated host and says how the gateway before it is run. `as_of` is the demo's own time.
pub(crate) fn prepare(home: &Home, folder: &Path, as_of: Instant) -> Result<(Live, Run)> {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).thread_name("simulator").enable_all().build()?;
    let anywhere = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let config = HostConfig { seed: SEED, faults: faults(), account: Account::off(), ..HostConfig::default() };
    let host = runtime.block_on(Host::start(anywhere, config)).context("could not start the simulated host")?;
    let mut config = Config::from_toml(CONFIG).context("demo/gateway.toml")?;
    for upstream in &mut config.upstream.hosts {
        upstream.address = host.address().to_string();
    }
    config.journal.folder = folder.join("gateway");
    let began = begin_at(home, as_of)?;
    let live = Live { terminals: terminals(home)?, _host: host, runtime, from: as_of, began };
    Ok((live, Run { config, clock: MovedClock::shared(began, 1), import: true }))
}

impl Live {
    /// Lets the terminals connect to the gateway and take payments from now on.
    pub(crate) fn begin(&self, gateway: SocketAddr) {
        // Batch and trace numbers of an earlier run are not used again, for the clock goes on where that run ended.
        let minutes = u32::try_from(self.began.seconds_since(self.from) / 60).unwrap_or_default();
        let (batch, trace) = (900_001 + minutes % 99_000, 900_000 + minutes * 20 % 99_000);
        for identity in &self.terminals {
            let config = TerminalConfig {
                identity: identity.clone(),
                seed: SEED,
                timeout: PATIENCE,
                ..TerminalConfig::of(0, gateway)
            };
            let mut terminal = Terminal::new(config, &Account::off());
            terminal.start_at(batch, trace);
            let pace = Random::of(SEED, &[&identity.tid, &minutes.to_be_bytes()]);
            self.runtime.spawn(take_payments(terminal, pace, self.terminals.len()));
        }
    }
}

/// After what earlier runs left behind, so that time never goes back.
fn begin_at(home: &Home, as_of: Instant) -> Result<Instant> {
    let scope = Scope::all(&home.tenant.id);
    let files = home.store.read(|tx| onus_store::files::list(tx, &scope))?;
    let segments = files.iter().filter(|file| file.kind == onus_intake::FileKind::Tap.as_str());
    let newest = segments.filter_map(|file| file.last_at).max();
    Ok(newest.map_or(as_of, |at| Instant(at).plus_seconds(60).max(as_of)))
}

/// Terminals of the imported day, spread over its register; some under suspicion, and one that nobody knows.
fn terminals(home: &Home) -> Result<Vec<Identity>> {
    let scope = Scope::all(&home.tenant.id);
    let (mut active, mut suspects) = (Vec::new(), Vec::new());
    home.store.read(|tx| {
        registry::for_each_terminal(tx, &scope, |row| {
            match row.state.as_str() {
                "active" => active.push(row),
                "suspect" | "quarantined" => suspects.push(row),
                _ => {}
            }
            Ok(())
        })
    })?;
    let step = (active.len() / TERMINALS).max(1);
    let chosen = active.iter().step_by(step).take(TERMINALS).chain(suspects.iter().take(SUSPECTS));
    let mut identities: Vec<Identity> = chosen.filter_map(identity).collect();
    if identities.is_empty() {
        return Err(anyhow!(
            "the demo day has no terminals that could take payments; remove the demo's folder and start again"
        ));
    }
    identities.push(Identity::of(7));
    Ok(identities)
}

fn identity(row: &TerminalRow) -> Option<Identity> {
    Some(Identity {
        tid: row.tid.as_bytes().try_into().ok()?,
        merchant: row.merchant_code.as_bytes().try_into().ok()?,
        serial: row.serial.clone(),
        ..Identity::of(0)
    })
}

async fn take_payments(mut terminal: Terminal, mut pace: Random, count: usize) {
    let mean_s = f64::from(u32::try_from(count).unwrap_or(1)) / RATE;
    pause(10.0 * pace.unit()).await;
    terminal.sign_in().await;
    terminal.status_upload().await;
    loop {
        pause(-(1.0 - pace.unit()).ln() * mean_s).await;
        match pace.unit() {
            share if share < VANISH => {
                let purchase = terminal.some_purchase();
                terminal.sell_and_vanish(&purchase).await;
                // Somebody plugs it in again.
                pause(20.0).await;
            }
            share if share < 0.03 => {
                terminal.void().await;
            }
            share if share < 0.05 => {
                terminal.echo().await;
            }
            _ => {
                let purchase = terminal.some_purchase();
                terminal.sale(purchase).await;
            }
        }
    }
}

async fn pause(seconds: f64) {
    tokio::time::sleep(Duration::from_secs_f64(seconds.clamp(0.0, 300.0))).await;
}

/// What goes wrong behind the gateway.
fn faults() -> FaultPlan {
    let codes = &[("51", 8), ("55", 3), ("61", 2), ("54", 1), ("91", 2), ("A7", 1), ("05", 1)];
    let fault = |kind, share| Fault::always(kind).share(share);
    let faults = vec![
        fault(FaultKind::Decline, 0.05).codes(codes),
        fault(FaultKind::Silence, 0.008),
        fault(FaultKind::Lost, 0.004),
        fault(FaultKind::Late, 0.008).after(Duration::from_millis(6_800)),
        fault(FaultKind::NetworkTimeout, 0.008).after(Duration::from_millis(2_500)).then(OnTimeout::Answer98),
        fault(FaultKind::Duplicate, 0.006),
        fault(FaultKind::Stray, 0.004),
    ];
    FaultPlan { latency_ms: (12, 90), ..FaultPlan::of(SEED, faults) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_demo_configuration_is_one() {
        let config = Config::from_toml(CONFIG).unwrap();
        assert!(PATIENCE > config.reply_timeout(), "a terminal gives the gateway time to see that the host is silent");
        assert!(config.journal.segment_s <= 60);
    }
}
