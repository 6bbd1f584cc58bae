//! `cargo xtask bench reconcile`: a settlement day through `onus reconcile`, in turn with DuckDB.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, bail};
use clap::Args;

use crate::measure::{self, Cost};
use crate::{machine, runner};

/// Arguments of `cargo xtask bench reconcile`.
#[derive(Args)]
pub(crate) struct ReconcileArgs {
    /// Payments in the generated day.
    #[arg(long, default_value_t = 1_000_000)]
    payments: u64,
    /// Seed of the generated day.
    #[arg(long, default_value_t = 7)]
    seed: u64,
    /// Rounds of both programs in turn.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Files that are there already instead of a generated day.
    #[arg(long)]
    dir: Option<PathBuf>,
    /// Folder of gen.py, duck.py and verify.py.
    #[arg(long)]
    scripts: Option<PathBuf>,
    /// Parquet files instead of CSV.
    #[arg(long)]
    parquet: bool,
    /// A program `onus` that is there already instead of one built for release now.
    #[arg(long)]
    onus: Option<PathBuf>,
}

/// Python packages, as the scripts were written for.
const PACKAGES: [&str; 3] = ["duckdb==2.0.0", "numpy", "pyarrow"];

/// Files of the day, by the option that takes them.
const FILES: [(&str, &str); 6] = [
    ("--terminal", "terminal"),
    ("--switch", "switch"),
    ("--clearing", "clearing"),
    ("--payout", "payout"),
    ("--batches", "payout_batch"),
    ("--merchants", "merchant"),
];

/// Programs and places of the measurement.
struct Bench {
    python: PathBuf,
    scripts: PathBuf,
    onus: PathBuf,
    folder: PathBuf,
    day: PathBuf,
    kind: &'static str,
}

pub(crate) fn run(root: &Path, args: &ReconcileArgs) -> anyhow::Result<()> {
    let scripts = args.scripts.clone().unwrap_or_else(|| root.join("../shared/benchmarks/reconcile"));
    if !scripts.join("duck.py").is_file() {
        bail!("duck.py is not in {}; give the folder of the scripts with --scripts", scripts.display());
    }
    let folder = runner::target_folder(root)?.join("bench");
    fs::create_dir_all(&folder).with_context(|| format!("creating {}", folder.display()))?;
    let python = python(&folder)?;
    let day = match &args.dir {
        Some(dir) => dir.clone(),
        None => generate(&python, &scripts, &folder, args)?,
    };
    let onus = match &args.onus {
        Some(onus) => onus.clone(),
        None => build(root)?,
    };
    let kind = if args.parquet { "parquet" } else { "csv" };
    let bench = Bench { python, scripts, onus, folder, day, kind };
    bench.warm()?;
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for round in 1..=args.rounds {
        println!("round {round} of {}", args.rounds);
        theirs.push(bench.duck()?);
        ours.push(bench.onus(&[])?);
    }
    bench.verify()?;
    print_both(&mut theirs, &mut ours);
    let small = bench.onus(&["--memory", "512MiB"])?;
    let wall = small.wall.as_secs_f64();
    println!("onus within 512 MiB: {:.2} CPU s, {wall:.2} s, peak {:.0} MiB", small.cpu_seconds, small.peak_mib());
    Ok(())
}

/// A Python with the packages of the scripts.
fn python(folder: &Path) -> anyhow::Result<PathBuf> {
    if machine::on_path("python3").is_none() {
        bail!("python3 is missing; it generates the day and runs the peer (Debian: python3, python3-venv)");
    }
    let place = folder.join("python");
    let python = place.join("bin/python");
    if !python.is_file() {
        runner::run(Command::new("python3").args(["-m", "venv"]).arg(&place))?;
    }
    runner::run(Command::new(&python).args(["-m", "pip", "install", "--quiet"]).args(PACKAGES))?;
    Ok(python)
}

fn generate(python: &Path, scripts: &Path, folder: &Path, args: &ReconcileArgs) -> anyhow::Result<PathBuf> {
    let day = folder.join(format!("day-{}-{}", args.payments, args.seed));
    if !day.join("counts.json").is_file() {
        let count = args.payments.to_string();
        let seed = args.seed.to_string();
        let mut generator = Command::new(python);
        generator.arg(scripts.join("gen.py")).arg(&count).arg(&day).args(["--seed", &seed]).env("TMPDIR", folder);
        runner::run(&mut generator)?;
    }
    Ok(day)
}

fn build(root: &Path) -> anyhow::Result<PathBuf> {
    let mut build = runner::cargo(root);
    build.args(["build", "--release", "--package", "onus"]);
    runner::run(&mut build)?;
    Ok(runner::target_folder(root)?.join("release/onus"))
}

impl Bench {
    fn file(&self, name: &str) -> PathBuf {
        self.day.join(format!("{name}.{}", self.kind))
    }

    /// Reads all files once, so that the first program finds them in the page cache too.
    fn warm(&self) -> anyhow::Result<()> {
        for (_, name) in FILES {
            let path = self.file(name);
            let mut file = fs::File::open(&path).with_context(|| format!("opening {}", path.display()))?;
            io::copy(&mut file, &mut io::sink())?;
        }
        Ok(())
    }

    /// Removes what an earlier run wrote: writing over a file has the system wait for the disk.
    fn remove(&self, results: &[&str]) -> anyhow::Result<()> {
        for path in results.iter().map(|name| self.folder.join(name)).filter(|path| path.exists()) {
            fs::remove_file(&path).with_context(|| format!("removing {}", path.display()))?;
        }
        Ok(())
    }

    fn duck(&self) -> anyhow::Result<Cost> {
        self.remove(&["duck.csv", "duck_batch.csv"])?;
        let mut duck = Command::new(&self.python);
        duck.arg(self.scripts.join("duck.py")).arg(&self.day).args([self.kind, "tuned", "--out"]);
        measure::measure(duck.arg(self.folder.join("duck.csv")).env("TMPDIR", &self.folder))
    }

    fn onus(&self, more: &[&str]) -> anyhow::Result<Cost> {
        self.remove(&["breaks.csv", "breaks_batch.csv", "breaks_proposals.csv"])?;
        let mut onus = Command::new(&self.onus);
        onus.args(["reconcile", "--quiet", "--threads", "2"]).args(more);
        for (option, name) in FILES {
            onus.arg(option).arg(self.file(name));
        }
        // Exit code 3 says that breaks were found, as they must be.
        measure::measure_ending(onus.arg("--out").arg(self.breaks()), &[0, 3])
    }

    fn breaks(&self) -> PathBuf {
        self.folder.join("breaks.csv")
    }

    fn verify(&self) -> anyhow::Result<()> {
        let script = self.scripts.join("verify.py");
        let output = Command::new(&self.python).arg(script).arg(&self.day).arg(self.breaks()).output()?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        print!("{text}");
        if !text.contains("missed 0 false 0") {
            bail!("the breaks found are not those of the truth");
        }
        Ok(())
    }
}

fn median(costs: &mut [Cost], of: impl Fn(&Cost) -> f64) -> f64 {
    costs.sort_by(|one, other| of(one).total_cmp(&of(other)));
    costs.get(costs.len() / 2).map_or(0.0, &of)
}

fn print_both(theirs: &mut [Cost], ours: &mut [Cost]) {
    type Read = fn(&Cost) -> f64;
    let rows: [(&str, Read); 3] = [
        ("CPU s", |cost| cost.cpu_seconds),
        ("wall s", |cost| cost.wall.as_secs_f64()),
        ("peak MiB", |cost| cost.peak_mib()),
    ];
    println!("{:10} {:>10} {:>10} {:>8}", "median", "DuckDB", "onus", "ratio");
    for (name, read) in rows {
        let (theirs, ours) = (median(theirs, read), median(ours, read));
        println!("{name:10} {theirs:>10.2} {ours:>10.2} {:>8.2}", theirs / ours);
    }
}
