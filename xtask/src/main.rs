//! Tasks of the workspace, run as `cargo xtask NAME`.
//!
//! `demo` and `test` set up everything on a fresh Debian machine that has Rust only; the other
//! tasks are parts of them, or measurements.

mod bench_build;
mod bench_detector;
mod bench_gateway;
mod bench_import;
mod bench_localise;
mod bench_reconcile;
mod browser;
mod console;
mod demo;
mod machine;
mod measure;
mod runner;
mod suite;
mod tally;
mod tidy;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Parser, Subcommand};

/// Tasks of the Onus workspace.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", version, about)]
struct Args {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Build everything, import the demo day, start the server and print where to look.
    Demo(demo::DemoArgs),
    /// Run every check: formatting, lints, tests, benches, console, browser.
    Test(suite::TestArgs),
    /// Install the console's packages and build it, when something changed.
    Console,
    /// Measure import and reconciliation speed, build time or the gateway.
    #[command(subcommand)]
    Bench(Bench),
    /// Check the rules of the house that no compiler checks (also a test of this crate).
    Tidy,
}

#[derive(Subcommand)]
enum Bench {
    /// Import a large city day: payments/s, MB/s, CPU, peak memory, beside a plain SQLite load.
    Import(bench_import::ImportArgs),
    /// Time a clean release build in a folder of its own.
    Build,
    /// Reconcile the four files of a settlement day, in turn with DuckDB.
    Reconcile(bench_reconcile::ReconcileArgs),
    /// Localise generated incidents and the open sets: precision, recall, CPU time.
    Localise(bench_localise::LocaliseArgs),
    /// Watch simulated quiet weeks and faults: false alarms beside the promise, delay, power, speed.
    Detector(bench_detector::DetectorArgs),
    /// Load through the gateway, beside HAProxy and no one: round trips, latency, CPU, memory.
    Gateway(bench_gateway::GatewayArgs),
}

fn main() -> ExitCode {
    let args = Args::parse();
    match workspace_root().and_then(|root| run(&root, &args.task)) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(root: &Path, task: &Task) -> anyhow::Result<ExitCode> {
    match task {
        Task::Test(args) => return suite::run(root, args),
        Task::Demo(args) => demo::run(root, args)?,
        Task::Console => drop(console::build(root)?),
        Task::Bench(Bench::Import(args)) => bench_import::run(root, args)?,
        Task::Bench(Bench::Reconcile(args)) => bench_reconcile::run(root, args)?,
        Task::Bench(Bench::Localise(args)) => bench_localise::run(root, args)?,
        Task::Bench(Bench::Detector(args)) => bench_detector::run(root, args)?,
        Task::Bench(Bench::Build) => bench_build::run(root)?,
        Task::Bench(Bench::Gateway(args)) => bench_gateway::run(root, args)?,
        Task::Tidy => tidy::run(root)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// The folder that holds the root `Cargo.toml`, wherever the task was called from.
fn workspace_root() -> anyhow::Result<PathBuf> {
    let here = std::env::var("CARGO_MANIFEST_DIR").unwrap_or_else(|_| env!("CARGO_MANIFEST_DIR").to_owned());
    Path::new(&here).parent().map(Path::to_path_buf).context("xtask has no parent folder; run it as `cargo xtask`")
}
