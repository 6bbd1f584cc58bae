//! Wiring of the server.

use std::io::IsTerminal;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Result, anyhow, bail};
use onus_gateway::Clock;
use onus_model::Instant;
use onus_server::ServerConfig;
use tokio::signal::unix::{SignalKind, signal};

use crate::Role;
use crate::expectations::Watch;
use crate::gateway::{MovedClock, Run, Running, read_config};
use crate::home::{self, Home};
use crate::watch::DetectionWatch;

/// The machine's clock, or one that begins at a given time and may be faster.
pub(crate) fn clock(as_of: Option<Instant>, speed: u32) -> Arc<dyn Clock> {
    as_of.map_or_else(onus_gateway::SystemClock::shared, |from| MovedClock::shared(from, speed))
}

/// The gateway that a role asks for, as its configuration says; none for a server.
pub(crate) fn gateway(role: Role, config: Option<&Path>, clock: &Arc<dyn Clock>, import: bool) -> Result<Option<Run>> {
    match (role, config) {
        (Role::Server, None) => Ok(None),
        (Role::Server, Some(_)) => {
            bail!("--config is for a gateway: leave --role out, or say --role all or --role gateway")
        }
        (Role::All | Role::Gateway, None) => {
            bail!("a gateway needs --config FILE; docs/examples/gateway.toml is an example")
        }
        (Role::All | Role::Gateway, Some(path)) => {
            Ok(Some(Run { config: read_config(path)?, clock: Arc::clone(clock), import }))
        }
    }
}

/// Runs a gateway until Ctrl-C or SIGTERM.
pub(crate) fn gateway_alone(home: &Arc<Home>, gateway: Option<Run>) -> Result<()> {
    let Some(run) = gateway else { bail!("a gateway needs --config FILE") };
    log_to_stderr();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    // The signals are caught before anything is begun that must be ended in order.
    let (mut interrupt, mut terminate) = {
        let _inside = runtime.enter();
        (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?)
    };
    let running = start(home, run)?;
    runtime.block_on(async {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    });
    running.stop();
    Ok(())
}

fn start(home: &Arc<Home>, run: Run) -> Result<Running> {
    let running = Running::start(Arc::clone(home), run)?;
    println!("gateway listening on {}", running.address());
    Ok(running)
}

/// What a gateway has to say goes to standard error; ONUS_LOG chooses how much.
fn log_to_stderr() {
    let filter = tracing_subscriber::EnvFilter::try_from_env("ONUS_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info"));
    // Somebody else may have set it up already.
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr)
        .try_init();
}

/// Serves until it is told to stop; with a gateway, that too. `ready` is told both addresses.
pub(crate) fn serve(
    home: &Arc<Home>,
    gateway: Option<Run>,
    listen: SocketAddr,
    (as_of, clock): (Option<Instant>, Arc<dyn Clock>),
    cookie_secure: bool,
    ready: impl FnOnce(&Ready),
) -> Result<()> {
    let setup_token = first_run_token(home)?;
    if let Some(token) = &setup_token {
        println!("first run: open http://{listen}/setup and make the administrator with the code {token}");
    }
    let config =
        ServerConfig { listen, as_of: as_of.map(|at| at.0), cookie_secure, signing_key: home.key.clone(), setup_token };
    // Minutes are over by the clock of the gateway that counts them.
    let clock = gateway.as_ref().map_or(clock, |run| Arc::clone(&run.clock));
    let running = match gateway {
        Some(run) => {
            log_to_stderr();
            Some(start(home, run)?)
        }
        None => None,
    };
    let watch = Watch::start(Arc::clone(home), as_of)?;
    let detection = DetectionWatch::start(home, clock)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let announce = |address: SocketAddr| {
        println!("listening on http://{address}");
        ready(&Ready { server: address, gateway: running.as_ref().map(Running::address) });
    };
    let served = runtime.block_on(onus_server::serve(config, home.store.clone(), home.vault.clone(), announce));
    watch.stop();
    detection.stop();
    if let Some(running) = running {
        running.stop();
    }
    served.map_err(|error| anyhow!("{error}"))
}

/// Where a process can be reached.
pub(crate) struct Ready {
    /// API and console.
    pub(crate) server: SocketAddr,
    /// Terminals.
    pub(crate) gateway: Option<SocketAddr>,
}

/// A code for making the first administrator; none when there are users already.
fn first_run_token(home: &Home) -> Result<Option<String>> {
    if home.store.read(onus_store::users::count)? > 0 {
        return Ok(None);
    }
    random_text().map(Some)
}

/// A random text that is hard to guess and easy to type.
pub(crate) fn random_text() -> Result<String> {
    const LETTERS: &[u8] = b"abcdefghjkmnpqrstuvwxyz23456789";
    let mut bytes = [0u8; 20];
    getrandom::fill(&mut bytes).map_err(|error| anyhow!("no randomness: {error}"))?;
    Ok(bytes
        .iter()
        .filter_map(|byte| LETTERS.get(usize::from(*byte) % LETTERS.len()))
        .map(|letter| char::from(*letter))
        .collect())
}

/// Adds a user.
pub(crate) fn add_user(home: &Home, username: &str, password: &str, role: &str, agent: Option<&str>) -> Result<()> {
    let known = || onus_server::Role::ALL.map(onus_server::Role::as_str).join(", ");
    let role = onus_server::Role::parse(role).ok_or_else(|| anyhow!("--role is one of {}; found {role:?}", known()))?;
    onus_server::create_user(&home.store, username, password, role, agent, "zh-CN", home::now().0)?;
    Ok(())
}
