//! `onus reconcile`: the files of a settlement day side by side, without a server.

mod arguments;
mod inputs;
mod parquet_rows;
mod resolved;
mod rows_out;
mod seen;
mod side_files;
mod spill_file;
mod table;
mod write_behind;

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use indicatif::{ProgressBar, ProgressStyle};
use onus_casework::Calendar;
use onus_model::Date;
use onus_reconcile::files::{
    Classes, Day, Job, JobFile, Layout, Options, Source, StatementRows, Summary, WorkingDays, day_of, read_day, run,
};

use self::arguments::Named;
pub(crate) use self::arguments::ReconcileArgs;
use self::inputs::Input;
use self::rows_out::Written;
use self::seen::Seen;
use self::spill_file::SpillFile;

/// Layouts in the repository, by name.
const LAYOUTS: [(&str, &str); 4] = [
    ("four-files", include_str!("../../../layouts/four-files.toml")),
    ("cityday", include_str!("../../../layouts/cityday.toml")),
    ("unionpay-zm", include_str!("../../../layouts/unionpay-zm.toml")),
    ("camt053", include_str!("../../../layouts/camt053.toml")),
];

/// What a run came to.
pub(crate) struct Outcome {
    /// Breaks were found, or a file was refused.
    pub(crate) found: bool,
}

/// Reconciles, writes the results and prints a summary.
pub(crate) fn reconcile(args: &ReconcileArgs) -> Result<Outcome> {
    let files = args.files()?;
    if files.is_empty() {
        bail!("give at least two of --terminal, --switch, --clearing and --payout");
    }
    let layouts = layouts(args)?;
    let mut classes = match &args.classes {
        None => Classes::builtin()?,
        Some(path) => Classes::from_toml(&read_text(path)?)?,
    };
    if let Some(tariff) = &args.tariff {
        classes = classes.with_tariff(tariff)?;
    }
    let inputs = files
        .iter()
        .map(|file| Input::open(&file.path, layout_of(&layouts, file)?, file.source))
        .collect::<Result<Vec<_>>>()?;
    let mut statements: Vec<Option<StatementRows<'static>>> = files.iter().map(|_| None).collect();
    let size: u64 = inputs.iter().map(Input::size).sum();
    let mut seen = Seen::load(args.seen.as_deref())?;
    let day =
        args.day.as_deref().map(|text| read_day(text).with_context(|| format!("--day {text}: expected 2026-03-12")));
    let day = day.transpose()?;
    let mut refused = refusals(&files, &inputs, &mut seen)?;
    refuse_by_name(&files, &layouts, day, &mut refused)?;
    let days = working_days()?;
    let spill = SpillFile::new(args.temp.clone().unwrap_or_else(std::env::temp_dir));
    let bar = progress_bar(size, args.quiet);
    let mut written = Written::create(args)?;
    let job = Job {
        files: files
            .iter()
            .zip(&inputs)
            .zip(refused)
            .zip(&mut statements)
            .map(|(((file, input), refused), statement)| {
                let layout = layout_of(&layouts, file)?;
                let content = input.content(layout, statement)?;
                Ok(JobFile { source: file.source, name: file.name.clone(), layout, content, refused })
            })
            .collect::<Result<Vec<_>>>()?,
        classes: &classes,
        days: &days,
        options: Options {
            threads: args.threads.unwrap_or_else(threads),
            memory: args.memory.0,
            partitions: args.partitions,
            day,
            keep: args.carry_out.is_some(),
        },
        spill: &spill,
        carry: args.carry_in.as_deref().map(read_text).transpose()?,
        size,
        progress: &|bytes| bar.inc(bytes),
    };
    let mut summary = run(job, &mut written)?;
    name_places(&mut summary, &files, &inputs, &layouts)?;
    bar.finish_and_clear();
    let resolved = written.resolved.take();
    finish(args, &summary, &classes, written, &seen)?;
    let n_resolved = resolved.as_ref().map_or(0, |list| list.n_resolved);
    if let Some(list) = resolved.filter(|_| !args.quiet) {
        println!("{} breaks were resolved before and are left out; {} changed since", list.n_resolved, list.n_changed);
    }
    Ok(Outcome { found: summary.breaks() > n_resolved })
}

/// Says of refused fields of statements and workbooks where they stand there.
fn name_places(
    summary: &mut Summary,
    files: &[Named],
    inputs: &[Input],
    layouts: &[(Option<String>, Layout)],
) -> Result<()> {
    for (file, input) in files.iter().zip(inputs) {
        let layout = layout_of(layouts, file)?;
        let known = summary.files.iter_mut().find(|report| report.source == file.source && report.name == file.name);
        for reject in known.into_iter().flat_map(|report| &mut report.rejects) {
            if let Some(place) = input.place(layout, file.source, reject) {
                reject.line = reject.offset;
                reject.reason = format!("{place}: {}", reject.reason);
            }
        }
    }
    Ok(())
}

fn finish(args: &ReconcileArgs, summary: &Summary, classes: &Classes, mut written: Written, seen: &Seen) -> Result<()> {
    for file in summary.files.iter().filter(|file| file.bad.is_some()) {
        written.bad_file(file, classes)?;
    }
    written.finish().with_context(|| format!("writing {}", args.out.display()))?;
    side_files::rejects(&args.out, summary)?;
    if let (Some(path), Some(carry)) = (&args.carry_out, &summary.carry) {
        fs::write(path, carry).with_context(|| format!("writing {}", path.display()))?;
    }
    if !summary.is_refused() {
        seen.save()?;
    }
    if !args.quiet {
        table::print(summary, classes)?;
    }
    Ok(())
}

fn read_text(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))
}

/// The layouts given, by kind of file where they say one (`--layout clearing=FILE`).
fn layouts(args: &ReconcileArgs) -> Result<Vec<(Option<String>, Layout)>> {
    let mut found = Vec::new();
    for given in &args.layout {
        let (source, name) = match given.split_once('=') {
            Some((source, name)) if Source::ALL.iter().any(|known| known.name() == source) => {
                (Some(source.to_owned()), name)
            }
            Some((source, _)) => {
                let known = Source::ALL.map(Source::name).join(", ");
                bail!("--layout {given}: {source:?} is no kind of file; expected one of {known}");
            }
            None => (None, given.as_str()),
        };
        let text = match LAYOUTS.iter().find(|(known, _)| *known == name) {
            Some((_, text)) => (*text).to_owned(),
            None => read_text(Path::new(name)).with_context(|| {
                let known: Vec<&str> = LAYOUTS.iter().map(|(known, _)| *known).collect();
                format!("--layout takes a file or one of {}", known.join(", "))
            })?,
        };
        found.push((source, Layout::from_toml(&text).with_context(|| format!("--layout {name}"))?));
    }
    Ok(found)
}

fn layout_of<'l>(layouts: &'l [(Option<String>, Layout)], file: &Named) -> Result<&'l Layout> {
    let own = layouts.iter().find(|(source, _)| source.as_deref() == Some(file.source.name()));
    let any = layouts.iter().find(|(source, _)| source.is_none());
    own.or(any).map(|(_, layout)| layout).with_context(|| format!("no --layout for {} files", file.source.name()))
}

/// Why a file must not be used: it stands here twice, or an earlier run had it.
fn refusals(files: &[Named], inputs: &[Input], seen: &mut Seen) -> Result<Vec<Option<String>>> {
    let mut refused = Vec::new();
    for (number, (file, input)) in files.iter().zip(inputs).enumerate() {
        let mut reason = input.bad().map(str::to_owned);
        for (other, earlier) in files.iter().zip(inputs).take(number) {
            if other.source == file.source && input.same_content(earlier)? {
                reason = Some(format!("same content as {}", other.name));
            }
        }
        if reason.is_none() {
            reason = seen.check(file, input)?;
        }
        refused.push(reason);
    }
    Ok(refused)
}

/// Refuses files whose names say another day, or that one before them is missing.
fn refuse_by_name(
    files: &[Named],
    layouts: &[(Option<String>, Layout)],
    day: Option<Day>,
    refused: &mut [Option<String>],
) -> Result<()> {
    for source in Source::ALL {
        let own = |file: &&Named| file.source == source;
        let name = |file: &Named| file.path.file_name().map(|name| name.to_string_lossy().into_owned());
        let names: Vec<String> = files.iter().filter(own).map(|file| name(file).unwrap_or_default()).collect();
        let Some(first) = files.iter().find(own) else { continue };
        let faults = layout_of(layouts, first)?.name_faults(source, &names, day);
        let of_source = files.iter().zip(refused.iter_mut()).filter(|(file, _)| file.source == source);
        for ((_, reason), fault) in of_source.zip(faults) {
            *reason = reason.take().or(fault);
        }
    }
    Ok(())
}

fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Working days of the calendar in the repository.
fn working_days() -> Result<WorkingDays> {
    let calendar = Calendar::builtin_cn()?;
    let (mut off, mut worked) = (Vec::new(), Vec::new());
    for year in 2020..2040_u32 {
        for month in 1..=12 {
            for day in 1..=31 {
                let (Ok(date), Some(number)) = (Date::from_ymd(year, month, day), day_of(year, month, day)) else {
                    continue;
                };
                let weekend = (number + 3).rem_euclid(7) >= 5;
                match (calendar.is_working(date), weekend) {
                    (true, true) => worked.push(number),
                    (false, false) => off.push(number),
                    _ => {}
                }
            }
        }
    }
    Ok(WorkingDays::new(off, worked))
}

fn progress_bar(size: u64, quiet: bool) -> ProgressBar {
    if quiet {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(size);
    if let Ok(style) = ProgressStyle::with_template("{bar:40} {bytes}/{total_bytes} {bytes_per_sec} {eta}") {
        bar.set_style(style);
    }
    bar
}
