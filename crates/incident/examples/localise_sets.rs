//! Scores localisation on invented incidents, or writes them as CSV files.
//!
//! `cargo run --release -p onus-incident --example localise_sets -- score S 1 200`
//! `cargo run --release -p onus-incident --example localise_sets -- write wandering 1 50 FOLDER`

#![allow(clippy::expect_used, clippy::print_stdout, reason = "an example may")]

#[path = "../tests/sets/mod.rs"]
mod sets;

use std::error::Error;
use std::fs;
use std::io::Write;
use std::path::Path;

use onus_incident::localise::{
    Failures, Measures, RatioSettings, Settings, Table, localise_failures, localise_measure, most_striking_minute,
    scope_text,
};
use sets::Score;
use sets::ratio::{RatioRecipe, Shared, shared};
use sets::research::{Measured, Recipe, measured};

const SETS: &str = "S, L, H, both-ways, quiet, wandering, wild, leaking, sparse, several, overlapping, ratio-both-ways, \
                    ratio-quiet, ratio-still, minute";

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args.as_slice() {
        ["score", set, first, count] => score(set, first.parse()?, count.parse()?),
        ["write", set, first, count, folder] => write(set, first.parse()?, count.parse()?, Path::new(folder)),
        _ => Err(format!("usage: score SET FIRST_SEED COUNT | write SET FIRST_SEED COUNT FOLDER; sets: {SETS}").into()),
    }
}

/// The recipe of a set of measures, and whether its causes go both ways.
fn research(set: &str) -> Option<(Recipe, bool)> {
    Some(match set {
        "S" => (Recipe::s(), false),
        "L" => (Recipe::l(), false),
        "H" => (Recipe::h_mini(), false),
        "both-ways" => (Recipe::s(), true),
        "quiet" => (Recipe::quiet(), false),
        _ => return None,
    })
}

fn ratio(set: &str) -> Option<RatioRecipe> {
    let few = RatioRecipe::few();
    Some(match set {
        "wandering" => few,
        "minute" => RatioRecipe { after: (0, 6), ..few },
        "wild" => RatioRecipe { wander: (0.0, 0.4), uneven: (0.0, 1.0), spared: (0.0, 0.4), ..few },
        "leaking" => {
            RatioRecipe { leak: (0.02, 0.2), wander: (0.0, 0.3), uneven: (0.0, 0.8), spared: (0.0, 0.3), ..few }
        }
        "sparse" => RatioRecipe::sparse(),
        "several" => RatioRecipe { causes: (1, 3), ..few },
        "overlapping" => RatioRecipe { causes: (2, 3), overlapping: true, ..few },
        "ratio-both-ways" => RatioRecipe { both_ways: true, ..few },
        "ratio-quiet" => RatioRecipe::quiet(),
        "ratio-still" => RatioRecipe { wander: (0.0, 0.0), ..RatioRecipe::quiet() },
        _ => return None,
    })
}

/// CPU time of this thread in milliseconds, for a machine that does other work too.
fn cpu_ms() -> f64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    time.tv_sec as f64 * 1e3 + time.tv_nsec as f64 / 1e6
}

fn score(set: &str, first: u64, count: u64) -> Result<(), Box<dyn Error>> {
    let settings = Settings::builtin()?;
    let (mut score, mut answered, mut times, mut rows) = (Score::default(), 0, Vec::new(), 0);
    for seed in first..first + count {
        let (truth, said) = if let Some((recipe, both_ways)) = research(set) {
            let Measured { table, actual, forecast, truth } = measured(&recipe, seed, both_ways);
            let start = cpu_ms();
            let measures = Measures { table: &table, actual: &actual, forecast: &forecast };
            let answer = localise_measure(&measures, &settings.measure);
            times.push(cpu_ms() - start);
            rows += table.rows();
            (truth, texts(&table, &answer))
        } else {
            let recipe = ratio(set).ok_or_else(|| format!("no set {set}; there are {SETS}"))?;
            let Shared { table, minutes, under_test, truth } = shared(&recipe, seed);
            let ratio = RatioSettings { both_ways: recipe.both_ways, ..settings.ratio.clone() };
            let start = cpu_ms();
            let at = if set == "minute" { most_striking_minute(&table, &minutes, &ratio) } else { None };
            let (before, rest) = minutes.split_at(at.unwrap_or(under_test));
            let now = rest.first().ok_or("no minute under test")?;
            let failures = Failures { table: &table, now, before, points: &[] };
            let answer = localise_failures(&failures, &ratio);
            times.push(cpu_ms() - start);
            rows += table.rows();
            (truth, texts(&table, &answer))
        };
        answered += usize::from(!said.is_empty());
        score.add(&truth, &said);
    }
    times.sort_by(f64::total_cmp);
    let mean = times.iter().sum::<f64>() / times.len().max(1) as f64;
    let p95 = times.get(times.len() * 95 / 100).copied().unwrap_or_default();
    println!(
        "| {set} | {first}..{} | {} | {:.3} | {:.3} | {:.3} | {answered} of {count} | {mean:.1} | {p95:.1} |",
        first + count - 1,
        rows / times.len().max(1),
        score.precision(),
        score.recall(),
        score.f1(),
    );
    Ok(())
}

fn texts(table: &Table, answer: &onus_incident::localise::Answer) -> Vec<String> {
    answer.findings.iter().map(|finding| scope_text(table, &finding.scope)).collect()
}

/// One file an instance, and `injection_info.csv` with the truth, as the public sets have them.
fn write(set: &str, first: u64, count: u64, folder: &Path) -> Result<(), Box<dyn Error>> {
    fs::create_dir_all(folder)?;
    let mut info = String::from("timestamp,set\n");
    for seed in first..first + count {
        let mut out = std::io::BufWriter::new(fs::File::create(folder.join(format!("{seed}.csv")))?);
        let truth = if let Some((recipe, both_ways)) = research(set) {
            let made = measured(&recipe, seed, both_ways);
            writeln!(out, "{},real,predict", names(&made.table))?;
            for (row, (actual, forecast)) in made.actual.iter().zip(&made.forecast).enumerate() {
                writeln!(out, "{},{actual},{forecast}", values(&made.table, row))?;
            }
            made.truth
        } else {
            let recipe = ratio(set).ok_or_else(|| format!("no set {set}; there are {SETS}"))?;
            let made = shared(&recipe, seed);
            writeln!(out, "min,{},value,cnt", names(&made.table))?;
            for (minute, counts) in made.minutes.iter().enumerate() {
                for (row, (n, k)) in
                    counts.attempts.iter().zip(&counts.failures).enumerate().filter(|(_, (n, _))| **n > 0.0)
                {
                    writeln!(out, "{},{},{k},{n}", 1_566_397_800 + 60 * minute, values(&made.table, row))?;
                }
            }
            made.truth
        };
        info.push_str(&format!("{seed},{}\n", truth.join(";")));
        out.flush()?;
    }
    fs::write(folder.join("injection_info.csv"), info)?;
    println!("{count} instances in {}", folder.display());
    Ok(())
}

fn names(table: &Table) -> String {
    table.dims().iter().map(|dim| dim.name.as_str()).collect::<Vec<_>>().join(",")
}

fn values(table: &Table, row: usize) -> String {
    let value =
        |(at, dim): (usize, &onus_incident::localise::Dimension)| dim.values[table.code(row, at) as usize].clone();
    table.dims().iter().enumerate().map(value).collect::<Vec<_>>().join(",")
}
