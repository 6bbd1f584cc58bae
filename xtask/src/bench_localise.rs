//! `cargo xtask bench localise`: localisation on generated instances and on the open sets.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, bail};
use clap::Args;

use crate::runner;

/// Arguments of `cargo xtask bench localise`.
#[derive(Args)]
pub(crate) struct LocaliseArgs {
    /// First seed.
    #[arg(long, default_value_t = 1)]
    first: u64,
    /// Instances of each generated set; of the large one a tenth.
    #[arg(long, default_value_t = 100)]
    count: u64,
    /// Folder with sets of CSV files (one folder each) instead of the open ones.
    #[arg(long)]
    open: Option<PathBuf>,
    /// The scorer of those sets.
    #[arg(long)]
    scorer: Option<PathBuf>,
}

const SETS: [&str; 15] = [
    "S",
    "L",
    "H",
    "both-ways",
    "quiet",
    "wandering",
    "wild",
    "leaking",
    "sparse",
    "several",
    "overlapping",
    "ratio-both-ways",
    "ratio-quiet",
    "ratio-still",
    "minute",
];

pub(crate) fn run(root: &Path, args: &LocaliseArgs) -> anyhow::Result<()> {
    println!("| set | seeds | rows | precision | recall | F1 | answered | CPU ms mean | CPU ms p95 |");
    println!("|---|---|---|---|---|---|---|---|---|");
    for set in SETS {
        let count = if matches!(set, "H" | "sparse") { args.count.div_ceil(10) } else { args.count };
        let mut command = Command::new("cargo");
        command.current_dir(root).args(["run", "--quiet", "--release", "-p", "onus-incident"]);
        command.args(["--example", "localise_sets", "--", "score", set]);
        command.arg(args.first.to_string()).arg(count.to_string());
        succeed(&mut command)?;
    }
    let shared = root.join("../shared/benchmarks/localise");
    let scorer = args.scorer.clone().unwrap_or_else(|| shared.join("score.py"));
    let open = match &args.open {
        Some(open) => open.clone(),
        None if shared.is_dir() => unpack(root, &shared)?,
        None => {
            println!("the open sets are not there; give their folder with --open and the scorer with --scorer");
            return Ok(());
        }
    };
    score_open(root, &open, &scorer)
}

fn unpack(root: &Path, shared: &Path) -> anyhow::Result<PathBuf> {
    let folder = runner::target_folder(root)?.join("bench/localise");
    fs::create_dir_all(&folder).with_context(|| format!("creating {}", folder.display()))?;
    let archive = shared.join("open-sets.tar.zst");
    succeed(Command::new("tar").arg("--zstd").arg("-xf").arg(archive).arg("-C").arg(&folder))?;
    Ok(folder)
}

/// Answers each folder with `onus localise` and scores the answers.
fn score_open(root: &Path, open: &Path, scorer: &Path) -> anyhow::Result<()> {
    succeed(Command::new("cargo").current_dir(root).args(["build", "--quiet", "--release", "-p", "onus"]))?;
    let onus = runner::target_folder(root)?.join("release/onus");
    let listed = fs::read_dir(open).with_context(|| format!("listing {}", open.display()))?;
    let mut sets: Vec<PathBuf> =
        listed.filter_map(|entry| Some(entry.ok()?.path())).filter(|set| set.is_dir()).collect();
    sets.sort();
    for set in sets {
        println!("{}", set.display());
        let answers = set.with_extension("jsonl");
        let out = File::create(&answers).with_context(|| format!("creating {}", answers.display()))?;
        succeed(Command::new(&onus).arg("localise").arg(&set).args(["--format", "json", "--timing"]).stdout(out))?;
        succeed(Command::new("python3").arg(scorer).arg(&set).arg(&answers))?;
    }
    Ok(())
}

fn succeed(command: &mut Command) -> anyhow::Result<()> {
    let status = command.status().with_context(|| format!("running {command:?}"))?;
    if !status.success() {
        bail!("{command:?} failed: {status}");
    }
    Ok(())
}
