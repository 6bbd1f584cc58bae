//! `onus-simulator`: terminals, an acquirer host and a card network as real TCP peers, and load.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use clap::{Args, Parser, Subcommand};
use onus_simulator::account::Account;
use onus_simulator::fault::{FaultPlan, OnTimeout};
use onus_simulator::fleet::{self, FleetConfig};
use onus_simulator::host::{Host, HostConfig, NetworkRoute};
use onus_simulator::idle::Idle;
use onus_simulator::load::{self, LoadConfig};
use onus_simulator::message::Identity;
use onus_simulator::network::Network;

/// Terminals, an acquirer host and a card network as real TCP peers with seeded faults.
#[derive(Parser)]
#[command(name = "onus-simulator", version, about)]
struct Arguments {
    #[command(subcommand)]
    role: Role,
}

#[derive(Subcommand)]
enum Role {
    /// Be the acquirer's host until stopped.
    Host(HostArguments),
    /// Be the card network behind a host until stopped.
    Network(NetworkArguments),
    /// Be many terminals for a while, then print what came of it as JSON.
    Terminals(TerminalsArguments),
    /// Make load and print round trips a second, latency and CPU time as JSON.
    Load(LoadArguments),
    /// Print who the terminals are, one a line, so that a register can know them.
    Roster(RosterArguments),
    /// Keep many connections that say nothing, then print how many were closed.
    Idle(IdleArguments),
}

#[derive(Args)]
struct HostArguments {
    /// Address to listen on.
    #[arg(long)]
    listen: SocketAddr,
    /// Fault file.
    faults: Option<PathBuf>,
    /// Seed of the terminals' keys.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// For load: no books, no account, no MAC.
    #[arg(long)]
    light: bool,
    /// Threads; one is best for load.
    #[arg(long, default_value_t = 1)]
    threads: usize,
    /// Send payments on to a network here.
    #[arg(long)]
    network: Option<SocketAddr>,
    /// How long to wait for the network.
    #[arg(long, default_value_t = 10_000)]
    network_timeout_ms: u64,
    /// Answer 98 when the network is silent, instead of closing without answer.
    #[arg(long)]
    answer_timeouts: bool,
    /// Write the account here as JSON lines when stopped.
    #[arg(long)]
    account: Option<PathBuf>,
}

#[derive(Args)]
struct NetworkArguments {
    /// Address to listen on.
    #[arg(long)]
    listen: SocketAddr,
    /// Fault file.
    faults: Option<PathBuf>,
    /// Write the account here as JSON lines when stopped.
    #[arg(long)]
    account: Option<PathBuf>,
}

#[derive(Args)]
struct TerminalsArguments {
    /// Host or gateway.
    #[arg(long)]
    connect: SocketAddr,
    /// How many terminals.
    #[arg(long, default_value_t = 100)]
    count: u32,
    /// Number of the first one.
    #[arg(long, default_value_t = 0)]
    first: u32,
    /// Payments a second of all together.
    #[arg(long, default_value_t = 20.0)]
    rate: f64,
    /// For how long.
    #[arg(long, default_value_t = 30.0)]
    seconds: f64,
    /// Seed of keys, cards and amounts.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How long a terminal waits for a reply.
    #[arg(long, default_value_t = 60.0)]
    timeout_seconds: f64,
    /// Payments below this many fen need no PIN when they are contactless.
    #[arg(long, default_value_t = 100_000)]
    no_pin_below: u64,
    /// Share of approved payments whose slip is not printed.
    #[arg(long, default_value_t = 0.0)]
    print_failures: f64,
    /// Write the account here as JSON lines.
    #[arg(long)]
    account: Option<PathBuf>,
}

#[derive(Args)]
struct LoadArguments {
    /// Host or gateway.
    #[arg(long)]
    connect: SocketAddr,
    /// Connections, each a terminal of its own.
    #[arg(long, default_value_t = 64)]
    connections: u32,
    /// Number of the first terminal.
    #[arg(long, default_value_t = 0)]
    first: u32,
    /// Requests open at once on a connection.
    #[arg(long, default_value_t = 1)]
    depth: usize,
    /// Threads.
    #[arg(long, default_value_t = 1)]
    threads: u32,
    /// Measured seconds.
    #[arg(long, default_value_t = 10.0)]
    seconds: f64,
    /// Seconds before that are not measured.
    #[arg(long, default_value_t = 1.0)]
    warm_up: f64,
    /// Requests a second; without it as many as go.
    #[arg(long)]
    rate: Option<f64>,
    /// Batch number of the terminals.
    #[arg(long, default_value_t = 1)]
    batch: u32,
}

#[derive(Args)]
struct RosterArguments {
    /// How many terminals.
    #[arg(long, default_value_t = 64)]
    count: u32,
    /// Number of the first one.
    #[arg(long, default_value_t = 0)]
    first: u32,
}

#[derive(Args)]
struct IdleArguments {
    /// Host or gateway.
    #[arg(long)]
    connect: SocketAddr,
    /// How many connections.
    #[arg(long, default_value_t = 10_000)]
    count: u32,
    /// For how long.
    #[arg(long, default_value_t = 10.0)]
    seconds: f64,
}

fn main() -> anyhow::Result<()> {
    match Arguments::parse().role {
        Role::Host(arguments) => block_on(arguments.threads, host(arguments)),
        Role::Network(arguments) => block_on(1, network(arguments)),
        Role::Terminals(arguments) => block_on(2, terminals(arguments)),
        Role::Roster(arguments) => {
            for number in 0..arguments.count {
                println!("{}", serde_json::to_string(&Identity::of(arguments.first + number))?);
            }
            Ok(())
        }
        Role::Idle(arguments) => block_on(1, idle(arguments)),
        Role::Load(arguments) => {
            let config = LoadConfig {
                connect: arguments.connect,
                connections: arguments.connections,
                first: arguments.first,
                depth: arguments.depth,
                threads: arguments.threads,
                duration: Duration::from_secs_f64(arguments.seconds),
                warm_up: Duration::from_secs_f64(arguments.warm_up),
                rate: arguments.rate,
                batch: arguments.batch,
            };
            print(&load::run(&config).with_context(|| format!("load on {}", arguments.connect))?)
        }
    }
}

/// One thread needs no work stealing.
fn block_on(threads: usize, work: impl Future<Output = anyhow::Result<()>>) -> anyhow::Result<()> {
    let mut builder = match threads {
        0 | 1 => tokio::runtime::Builder::new_current_thread(),
        _ => tokio::runtime::Builder::new_multi_thread(),
    };
    builder.worker_threads(threads.max(1)).enable_all().build()?.block_on(work)
}

fn print(report: &impl serde::Serialize) -> anyhow::Result<()> {
    println!("{}", serde_json::to_string_pretty(report)?);
    Ok(())
}

fn faults(path: Option<&PathBuf>) -> anyhow::Result<FaultPlan> {
    path.map_or_else(|| Ok(FaultPlan::none()), |path| FaultPlan::read(path))
}

fn account(name: &str, path: Option<&PathBuf>) -> Account {
    if path.is_some() { Account::of(name) } else { Account::off() }
}

fn write(account: &Account, path: Option<&PathBuf>) -> anyhow::Result<()> {
    let Some(path) = path else { return Ok(()) };
    account.write_json_lines(path).with_context(|| format!("writing {}", path.display()))
}

async fn host(arguments: HostArguments) -> anyhow::Result<()> {
    let base = if arguments.light { HostConfig::light() } else { HostConfig::default() };
    let config = HostConfig {
        seed: arguments.seed,
        faults: faults(arguments.faults.as_ref())?,
        account: account("host", arguments.account.as_ref()),
        network: arguments.network.map(|address| NetworkRoute {
            address,
            timeout: Duration::from_millis(arguments.network_timeout_ms),
            then: if arguments.answer_timeouts { OnTimeout::Answer98 } else { OnTimeout::Close },
        }),
        ..base
    };
    let host =
        Host::start(arguments.listen, config).await.with_context(|| format!("listening on {}", arguments.listen))?;
    println!("host listens on {}", host.address());
    stopped().await?;
    write(host.account(), arguments.account.as_ref())
}

async fn network(arguments: NetworkArguments) -> anyhow::Result<()> {
    let plan = faults(arguments.faults.as_ref())?;
    let network = Network::start(arguments.listen, plan, account("network", arguments.account.as_ref()))
        .await
        .with_context(|| format!("listening on {}", arguments.listen))?;
    println!("network listens on {}", network.address());
    stopped().await?;
    write(network.account(), arguments.account.as_ref())
}

/// Ctrl-C or a polite kill.
async fn stopped() -> anyhow::Result<()> {
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted?,
        _ = terminate.recv() => {}
    }
    Ok(())
}

async fn terminals(arguments: TerminalsArguments) -> anyhow::Result<()> {
    let config = FleetConfig {
        connect: arguments.connect,
        count: arguments.count,
        first: arguments.first,
        rate: arguments.rate,
        duration: Duration::from_secs_f64(arguments.seconds),
        seed: arguments.seed,
        timeout: Duration::from_secs_f64(arguments.timeout_seconds),
        no_pin_below_minor: arguments.no_pin_below,
        print_failures: arguments.print_failures,
    };
    let account = account("terminals", arguments.account.as_ref());
    let report = fleet::run(config, &account).await;
    write(&account, arguments.account.as_ref())?;
    print(&report)
}

async fn idle(arguments: IdleArguments) -> anyhow::Result<()> {
    let idle = Idle::connect(arguments.connect, arguments.count).await;
    println!("{} connections stand", idle.connected());
    print(&idle.hold(Duration::from_secs_f64(arguments.seconds)).await)
}
