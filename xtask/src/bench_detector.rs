//! `cargo xtask bench detector`: the promise on simulated quiet weeks, delay and power, and the speed of cube and detector.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, bail};
use clap::Args;

/// Arguments of `cargo xtask bench detector`.
#[derive(Args)]
pub(crate) struct DetectorArgs {
    /// Simulated quiet weeks; 1,000 take some minutes on two threads.
    #[arg(long, default_value_t = 1_000)]
    weeks: u32,
    /// Threads.
    #[arg(long, default_value_t = 2)]
    threads: u32,
    /// Leave out the speed of cube and detector.
    #[arg(long)]
    no_speed: bool,
}

pub(crate) fn run(root: &Path, args: &DetectorArgs) -> anyhow::Result<()> {
    let (weeks, threads) = (args.weeks.to_string(), args.threads.to_string());
    bench(root, "detector", &["--weeks", &weeks, "--threads", &threads])?;
    if !args.no_speed {
        bench(root, "cube", &[])?;
    }
    Ok(())
}

fn bench(root: &Path, name: &str, args: &[&str]) -> anyhow::Result<()> {
    let mut command = Command::new("cargo");
    command.current_dir(root).args(["bench", "--quiet", "-p", "onus-incident", "--bench", name, "--"]).args(args);
    let status = command.status().with_context(|| format!("running {command:?}"))?;
    if !status.success() {
        bail!("{command:?} ended with {status}");
    }
    Ok(())
}
