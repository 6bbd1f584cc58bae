//! `cargo xtask bench import`: a large city day from files to durable verdicts, beside a plain load.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, bail};
use clap::Args;

use crate::measure::{self, Cost, as_f64};
use crate::{console, machine, runner};

/// Arguments of `cargo xtask bench import`.
#[derive(Args)]
pub(crate) struct ImportArgs {
    /// Sale attempts in the generated day.
    #[arg(long, default_value_t = 1_000_000)]
    payments: u64,
    /// Seed of the generated day.
    #[arg(long, default_value_t = 7)]
    seed: u64,
    /// Import this folder instead of a generated day.
    #[arg(long)]
    dir: Option<PathBuf>,
}

/// The files of a day and how many payments are in them.
struct Day {
    folder: PathBuf,
    bytes: u64,
}

pub(crate) fn run(root: &Path, args: &ImportArgs) -> anyhow::Result<()> {
    if machine::on_path("python3").is_none() {
        bail!("python3 is missing; it generates the day and runs the peer (Debian: python3)");
    }
    let bench = runner::target_folder(root)?.join("bench");
    let folder = match &args.dir {
        Some(folder) => folder.clone(),
        None => generate(root, &bench, args)?,
    };
    let day = Day { bytes: size_of(&folder)?, folder };
    let onus = build(root)?;

    println!("==> plain load: journal and clearing rows into SQLite, no decoding, no verdicts");
    let (peer_cost, peer_rows, payments) = run_peer(root, &bench, &day)?;
    println!("==> onus import");
    let store = bench.join("import-store");
    if store.exists() {
        fs::remove_dir_all(&store).with_context(|| format!("emptying {}", store.display()))?;
    }
    fs::create_dir_all(&store).with_context(|| format!("creating {}", store.display()))?;
    let cost = measure::measure(Command::new(&onus).arg("import").arg(&day.folder).arg("--store").arg(&store))?;

    let rate = print_cost("onus import", cost, payments, day.bytes);
    println!("  store        {:.0} MB on disk", megabytes(size_of(&store)?));
    let peer_rate = print_cost("plain load", peer_cost, payments, day.bytes);
    println!("  rows         {peer_rows}");
    println!("onus import reaches {:.2} of the plain load's payments/s", rate / peer_rate);
    Ok(())
}

/// Generates the day once; the same arguments give the same bytes, so a finished one is used again.
fn generate(root: &Path, bench: &Path, args: &ImportArgs) -> anyhow::Result<PathBuf> {
    let folder = bench.join(format!("cityday-{}-{}", args.payments, args.seed));
    if folder.join("MANIFEST.sha256").is_file() {
        println!("==> using {}", folder.display());
        return Ok(folder);
    }
    let cityday = root.join("../shared/tools/cityday");
    if !cityday.is_dir() {
        bail!("the generator cityday is not at ../shared/tools/cityday; give a folder in its layout with --dir");
    }
    println!("==> generating {} payments with seed {}", args.payments, args.seed);
    fs::create_dir_all(bench).with_context(|| format!("creating {}", bench.display()))?;
    runner::run(
        Command::new("python3")
            .arg(&cityday)
            .arg(&folder)
            .args(["--seed", &args.seed.to_string()])
            .args(["--payments", &args.payments.to_string()])
            .args(["--workers", "2", "--no-truth"]),
    )?;
    Ok(folder)
}

fn build(root: &Path) -> anyhow::Result<PathBuf> {
    println!("==> release build");
    console::ensure_dist_folder(root)?;
    runner::run(runner::cargo(root).args(["build", "--release", "--package", "onus"]))?;
    Ok(runner::target_folder(root)?.join("release/onus"))
}

/// Returns what the peer cost, how many rows it stored and how many payments are among them.
fn run_peer(root: &Path, bench: &Path, day: &Day) -> anyhow::Result<(Cost, u64, u64)> {
    let script = root.join("bench/import/plain_load.py");
    let database = bench.join("plain-load.db");
    let report = bench.join("plain-load.json");
    fs::create_dir_all(bench).with_context(|| format!("creating {}", bench.display()))?;
    let cost = measure::measure(Command::new("python3").arg(script).arg(&day.folder).arg(&database).arg(&report))?;
    let text = fs::read_to_string(&report).with_context(|| format!("reading {}", report.display()))?;
    let report: serde_json::Value = serde_json::from_str(&text)?;
    let count = |name: &str| report[name].as_u64().with_context(|| format!("the plain load reports no `{name}`"));
    Ok((cost, count("rows")?, count("payments")?))
}

/// Prints one measurement and returns its payments a second.
fn print_cost(title: &str, cost: Cost, payments: u64, bytes: u64) -> f64 {
    let seconds = cost.wall.as_secs_f64();
    let rate = as_f64(payments) / seconds;
    println!("{title}: {payments} payments, {:.0} MB of files", megabytes(bytes));
    println!("  wall time    {seconds:.2} s");
    println!("  CPU time     {:.2} s", cost.cpu_seconds);
    println!("  payments/s   {rate:.0}");
    println!("  MB/s         {:.1}", megabytes(bytes) / seconds);
    println!("  peak memory  {:.0} MiB", cost.peak_mib());
    rate
}

fn megabytes(bytes: u64) -> f64 {
    as_f64(bytes) / 1e6
}

/// Bytes of all files below `folder`.
fn size_of(folder: &Path) -> anyhow::Result<u64> {
    let mut total = 0;
    for entry in fs::read_dir(folder).with_context(|| format!("reading {}", folder.display()))? {
        let entry = entry.with_context(|| format!("reading {}", folder.display()))?;
        let metadata = entry.metadata()?;
        total += if metadata.is_dir() { size_of(&entry.path())? } else { metadata.len() };
    }
    Ok(total)
}
