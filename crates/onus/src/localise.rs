//! `onus localise`: which combination of attributes explains the failure, from CSV files.

mod columns;
mod instance;

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use clap::Args;
use onus_incident::localise::{
    Answer, Failures, Measures, Settings, Table, Words, explanation, localise_failures, localise_measure, scope_text,
};
use serde_json::{Value, json};

use crate::{Format, Language};
use instance::{Instance, Kind, Rejects};

/// Arguments of `onus localise`.
#[derive(Args)]
pub(crate) struct LocaliseArgs {
    /// A CSV file, or a folder with one file (or folder) per incident.
    from: PathBuf,
    /// Columns to explain with, separated by commas; all others when not given.
    #[arg(long, value_delimiter = ',')]
    pub(crate) dimensions: Vec<String>,
    /// Column of numbers, such as an amount, along which the cut itself is to be found.
    #[arg(long)]
    pub(crate) numbers: Option<String>,
    /// Column of successes.
    #[arg(long, conflicts_with = "failures", requires = "total")]
    pub(crate) success: Option<String>,
    /// Column of failures.
    #[arg(long, requires = "total")]
    pub(crate) failures: Option<String>,
    /// Column of attempts.
    #[arg(long)]
    pub(crate) total: Option<String>,
    /// Columns of failures and attempts in ordinary times: FAILURES,TOTAL.
    #[arg(long, value_delimiter = ',', num_args = 2, conflicts_with = "time")]
    pub(crate) baseline: Vec<String>,
    /// Column of time; rows before the minute under test are the baseline.
    #[arg(long)]
    pub(crate) time: Option<String>,
    /// The minute under test, as the time column writes it. Otherwise the one that names the file, and otherwise the
    /// last one, unless an earlier one says clearly more.
    #[arg(long)]
    pub(crate) at: Option<String>,
    /// Column of a measure.
    #[arg(long, requires = "forecast")]
    pub(crate) actual: Option<String>,
    /// Column of its forecast.
    #[arg(long, requires = "actual")]
    pub(crate) forecast: Option<String>,
    /// Answer also with scopes that fail less than ordinarily; otherwise only with harm.
    #[arg(long)]
    both_ways: bool,
    /// Settings instead of the built-in ones (packs/localise-1/settings.toml).
    #[arg(long)]
    settings: Option<PathBuf>,
    /// Language of explanations.
    #[arg(long, value_enum, default_value_t = Language::Zh)]
    lang: Language,
    /// json (or jsonl): one line a file, {"id", "scopes", …}.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// Print how long it took, reading excluded, to standard error.
    #[arg(long)]
    timing: bool,
}

/// A file, or the files of one incident, with the name of the incident.
struct Source {
    id: String,
    files: Vec<PathBuf>,
}

/// Runs the command.
pub(crate) fn localise(args: &LocaliseArgs) -> Result<()> {
    let mut settings = match &args.settings {
        Some(path) => Settings::from_toml(
            &fs::read_to_string(path).with_context(|| format!("reading settings {}", path.display()))?,
        )?,
        None => Settings::builtin()?,
    };
    settings.ratio.both_ways |= args.both_ways;
    let sources = sources(&args.from)?;
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    let (mut times, mut unread) = (Vec::new(), 0);
    for source in &sources {
        match instance::read(&source.id, &source.files, args, &settings) {
            Ok(instance) => {
                warn_of_rejects(&instance.rejects);
                let start = Instant::now();
                let answer = answer(&instance, &settings);
                times.push(start.elapsed());
                print(&mut out, source, &instance, &answer, args)?;
            }
            // A file that does not read has its line too, and does not keep the others from being answered.
            Err(error) => {
                let _ = writeln!(std::io::stderr(), "onus: {error:#}");
                unread += 1;
                if args.format != Format::Table {
                    writeln!(out, "{}", json!({ "id": source.id, "scopes": [], "error": format!("{error:#}") }))?;
                }
            }
        }
    }
    out.flush()?;
    if args.timing {
        print_times(times);
    }
    if unread == sources.len() {
        bail!("none of {unread} files could be read");
    }
    Ok(())
}

fn warn_of_rejects(rejects: &Rejects) {
    if let Some(first) = &rejects.first {
        let _ = writeln!(std::io::stderr(), "onus: {} lines left out, the first: {first}", rejects.count);
    }
}

fn answer(instance: &Instance, settings: &Settings) -> Answer {
    let table = &instance.table;
    match &instance.kind {
        Kind::Measure { actual, forecast } => {
            localise_measure(&Measures { table, actual, forecast }, &settings.measure)
        }
        Kind::Failures { now, before, points, .. } => {
            localise_failures(&Failures { table, now, before, points }, &settings.ratio)
        }
    }
}

fn print(
    out: &mut impl Write,
    source: &Source,
    instance: &Instance,
    answer: &Answer,
    args: &LocaliseArgs,
) -> Result<()> {
    let failures = matches!(instance.kind, Kind::Failures { .. });
    let words = match (failures, args.lang) {
        (true, Language::Zh) => Words::FailuresZh,
        (true, Language::En) => Words::FailuresEn,
        (false, Language::Zh) => Words::MeasureZh,
        (false, Language::En) => Words::MeasureEn,
    };
    if args.format != Format::Table {
        writeln!(out, "{}", as_json(&source.id, instance, answer))?;
        return Ok(());
    }
    let minute = match &instance.kind {
        Kind::Failures { minute: Some(minute), .. } => format!(" ({minute})"),
        _ => String::new(),
    };
    writeln!(out, "{}{minute}", source.id)?;
    for line in explanation(&instance.table, answer, words) {
        writeln!(out, "  {line}")?;
    }
    Ok(())
}

fn as_json(id: &str, instance: &Instance, answer: &Answer) -> Value {
    let table: &Table = &instance.table;
    let scopes: Vec<String> = answer.findings.iter().map(|finding| scope_text(table, &finding.scope)).collect();
    let rounded = |value: f64| (value * 100.0).round() / 100.0;
    let why: Vec<Value> = answer
        .findings
        .iter()
        .zip(&scopes)
        .map(|(finding, scope)| {
            let figures = finding.figures;
            json!({
                "scope": scope, "llr": rounded(finding.nats), "net": rounded(finding.net), "size": figures.size,
                "actual": rounded(figures.actual), "expected": rounded(figures.expected),
            })
        })
        .collect();
    let mut line = json!({ "id": id, "scopes": scopes, "everywhere": answer.everywhere.is_some(), "why": why });
    let Some(fields) = line.as_object_mut() else { return line };
    if let Kind::Failures { minute: Some(minute), .. } = &instance.kind {
        fields.insert("minute".to_owned(), json!(minute));
    }
    if instance.rejects.count > 0 {
        fields.insert("rejected".to_owned(), json!(instance.rejects.count));
    }
    line
}

fn print_times(mut times: Vec<Duration>) {
    times.sort_unstable();
    let total: Duration = times.iter().sum();
    let ms = |time: Duration| time.as_secs_f64() * 1_000.0;
    let count = times.len().max(1);
    let at = |share: usize| times.get(count * share / 100).or(times.last()).copied().unwrap_or_default();
    let _ = writeln!(
        std::io::stderr(),
        "{count} instances, reading excluded: mean {:.2} ms, median {:.2} ms, p95 {:.2} ms",
        ms(total) / count as f64,
        ms(at(50)),
        ms(at(95)),
    );
}

/// The files to read: one, or those of a folder. A folder in it is one incident when it holds one file, or a file a
/// minute without a column of time.
fn sources(from: &Path) -> Result<Vec<Source>> {
    if !from.is_dir() {
        return Ok(vec![Source { id: stem(from), files: vec![from.to_owned()] }]);
    }
    let mut sources = Vec::new();
    for path in entries(from)? {
        if path.is_dir() {
            let files: Vec<PathBuf> = entries(&path)?.into_iter().filter(|path| is_instance(path)).collect();
            if !files.is_empty() {
                sources.push(Source { id: name(&path), files });
            }
        } else if is_instance(&path) {
            sources.push(Source { id: stem(&path), files: vec![path] });
        }
    }
    if sources.is_empty() {
        bail!("no .csv file in {}; give a file, or a folder with one file or folder per incident", from.display());
    }
    Ok(sources)
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    let read = || -> std::io::Result<Vec<PathBuf>> {
        fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path())).collect()
    };
    let mut paths = read().with_context(|| format!("listing {}", folder.display()))?;
    paths.sort();
    Ok(paths)
}

/// The file that holds the truth of a research set is never read, nor one that begins with a dot.
fn is_instance(path: &Path) -> bool {
    let name = name(path);
    let hidden = name.starts_with('.') || name == "injection_info.csv";
    !hidden && path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("csv"))
}

fn name(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

fn stem(path: &Path) -> String {
    path.file_stem().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}
