//! `cargo xtask bench build`: how long a first release build takes.

use std::fs;
use std::path::Path;

use anyhow::Context as _;

use crate::measure::{self, as_f64};
use crate::{console, runner};

pub(crate) fn run(root: &Path) -> anyhow::Result<()> {
    console::build(root)?;
    // Downloads are the network's time, not the build's.
    runner::run(runner::cargo(root).args(["fetch", "--locked"]))?;
    let target = runner::target_folder(root)?.join("bench-build");
    if target.exists() {
        fs::remove_dir_all(&target).with_context(|| format!("emptying {}", target.display()))?;
    }
    let mut build = runner::cargo(root);
    build.args(["build", "--release", "--locked", "--package", "onus", "--target-dir"]).arg(&target);
    let cost = measure::measure(&mut build)?;
    let binary = target.join("release/onus");
    let size = fs::metadata(&binary).with_context(|| format!("reading {}", binary.display()))?.len();
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    println!("clean release build of onus on {cores} cores");
    println!("  wall time    {}", runner::elapsed(cost.wall));
    println!("  CPU time     {:.0} s", cost.cpu_seconds);
    println!("  binary       {:.1} MiB", as_f64(size) / 1_048_576.0);
    Ok(())
}
