//! Reads the file or files of one incident.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use onus_incident::localise::{Counts, Dictionary, Dimension, Point, Settings, Table, bins, most_striking_minute};

use super::LocaliseArgs;
use super::columns::{Columns, Figures};

/// What the numbers of an instance are.
pub(super) enum Kind {
    /// A measure and its forecast, by row of the table.
    Measure { actual: Vec<f64>, forecast: Vec<f64> },
    /// Failures of attempts in a minute and before it.
    Failures { now: Counts, before: Vec<Counts>, points: Vec<Point>, minute: Option<String> },
}

/// One incident.
pub(super) struct Instance {
    pub(super) table: Table,
    pub(super) kind: Kind,
}

/// Rows as they stand in the files.
struct Lines {
    dictionaries: Vec<Dictionary>,
    columns: Vec<Vec<u32>>,
    /// Measure and forecast, or failures and attempts.
    figures: Vec<(f64, f64)>,
    baseline: Vec<(f64, f64)>,
    times: Vec<String>,
    numbers: Vec<f64>,
}

/// Reads an incident.
pub(super) fn read(id: &str, files: &[PathBuf], args: &LocaliseArgs, settings: &Settings) -> Result<Instance> {
    let mut lines: Option<(Columns, Lines)> = None;
    for file in files {
        read_file(file, files.len() > 1, args, &mut lines).with_context(|| format!("reading {}", file.display()))?;
    }
    let Some((columns, lines)) = lines else { bail!("{id}: no file") };
    if lines.figures.is_empty() {
        bail!("{id}: no rows");
    }
    let named = columns.dimensions.iter().zip(lines.dictionaries);
    let dims: Vec<Dimension> = named.map(|((name, _), dictionary)| dictionary.into_dimension(name)).collect();
    if let Figures::Measure(..) = columns.figures {
        let (actual, forecast) = lines.figures.into_iter().unzip();
        let table = Table::new(dims, lines.columns)
            .context("more than 20 dimensions; name those that matter with --dimensions")?;
        return Ok(Instance { table, kind: Kind::Measure { actual, forecast } });
    }
    let (mut dims, mut codes) = (dims, lines.columns);
    let number_name = args.numbers.as_deref().unwrap_or_default();
    if columns.numbers.is_some() {
        let (dim, column) = bins(number_name, &lines.numbers, settings.ratio.most_bins);
        dims.push(dim);
        codes.push(column);
    }
    let (leaves, columns_of_leaves) = leaves(&codes, lines.figures.len());
    let table = Table::new(dims, columns_of_leaves)
        .context("more than 20 dimensions; name those that matter with --dimensions")?;
    let counted = Counted { leaves, figures: lines.figures, baseline: lines.baseline, numbers: lines.numbers };
    let kind = counted.kind(&table, &lines.times, id, args, settings)?;
    Ok(Instance { table, kind })
}

/// Reads one file into the lines. Of several files without a column of time, each is a minute, in order of name.
fn read_file(path: &Path, one_of_many: bool, args: &LocaliseArgs, into: &mut Option<(Columns, Lines)>) -> Result<()> {
    let mut reader = csv::ReaderBuilder::new().flexible(false).trim(csv::Trim::All).from_path(path)?;
    let header: Vec<String> =
        reader.headers()?.iter().map(|name| name.trim_start_matches('\u{feff}').to_owned()).collect();
    let columns = Columns::find(&header, args)?;
    let name = path.file_stem().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let (known, lines) = into.get_or_insert_with(|| {
        let empty = Lines {
            dictionaries: vec![Dictionary::default(); columns.dimensions.len()],
            columns: vec![Vec::new(); columns.dimensions.len()],
            figures: Vec::new(),
            baseline: Vec::new(),
            times: Vec::new(),
            numbers: Vec::new(),
        };
        (Columns::find(&header, args).unwrap_or(columns), empty)
    });
    let counted = known.counted();
    let mut record = csv::StringRecord::new();
    while reader.read_record(&mut record)? {
        let line = record.position().map_or(0, csv::Position::line);
        let text = |at: usize| record.get(at).unwrap_or_default();
        let number = |at: usize| -> Result<f64> {
            let value = text(at).parse::<f64>().ok().filter(|value| value.is_finite());
            value.with_context(|| {
                let column = header.get(at).map_or("?", String::as_str);
                format!("line {line}, column {column}: {:?} is not a number", text(at))
            })
        };
        // An empty number is unknown, and so is what its line says.
        if counted.iter().copied().any(|at| is_empty(text(at))) {
            continue;
        }
        for ((dictionary, column), (_, at)) in
            lines.dictionaries.iter_mut().zip(&mut lines.columns).zip(&known.dimensions)
        {
            column.push(dictionary.code(text(*at)));
        }
        match known.figures {
            Figures::Measure(actual, forecast) => lines.figures.push((number(actual)?, number(forecast)?)),
            Figures::Failures { column, successes, total, baseline } => {
                let (value, total) = (number(column)?, number(total)?);
                lines.figures.push((if successes { total - value } else { value }, total));
                if let Some((failures, total)) = baseline {
                    lines.baseline.push((number(failures)?, number(total)?));
                }
            }
        }
        if let Some(at) = known.time {
            lines.times.push(minute_of(text(at)).to_owned());
        } else if one_of_many {
            lines.times.push(name.clone());
        }
        if let Some(at) = known.numbers {
            lines.numbers.push(number(at)?);
        }
    }
    Ok(())
}

fn is_empty(number: &str) -> bool {
    number.is_empty() || number.eq_ignore_ascii_case("nan") || number.eq_ignore_ascii_case("null")
}

/// Seconds of a written time are cut off.
fn minute_of(time: &str) -> &str {
    let colon = |at: usize| time.as_bytes().get(at) == Some(&b':');
    if time.len() >= 19 && colon(13) && colon(16) { time.get(..16).unwrap_or(time) } else { time }
}

/// Distinct combinations of values: the leaf of each line, and the columns of the leaves.
fn leaves(codes: &[Vec<u32>], lines: usize) -> (Vec<usize>, Vec<Vec<u32>>) {
    let mut known: HashMap<Vec<u32>, usize> = HashMap::new();
    let mut columns = vec![Vec::new(); codes.len()];
    let mut leaves = Vec::with_capacity(lines);
    for line in 0..lines {
        let key: Vec<u32> = codes.iter().filter_map(|column| column.get(line).copied()).collect();
        let next = known.len();
        let leaf = *known.entry(key).or_insert_with_key(|key| {
            for (column, code) in columns.iter_mut().zip(key) {
                column.push(*code);
            }
            next
        });
        leaves.push(leaf);
    }
    (leaves, columns)
}

/// Lines with the row of the table that each belongs to.
struct Counted {
    leaves: Vec<usize>,
    figures: Vec<(f64, f64)>,
    baseline: Vec<(f64, f64)>,
    numbers: Vec<f64>,
}

impl Counted {
    fn kind(
        &self,
        table: &Table,
        times: &[String],
        id: &str,
        args: &LocaliseArgs,
        settings: &Settings,
    ) -> Result<Kind> {
        if times.is_empty() {
            let now = self.counts(table, &self.figures, |_| true);
            let before =
                if self.baseline.is_empty() { peers(&now) } else { self.counts(table, &self.baseline, |_| true) };
            let points = self.points(|_| true);
            return Ok(Kind::Failures { now, before: vec![before], points, minute: None });
        }
        let names = in_order(times);
        let place: HashMap<&str, usize> = names.iter().enumerate().map(|(at, name)| (name.as_str(), at)).collect();
        let minute_of: Vec<usize> = times.iter().filter_map(|time| place.get(time.as_str()).copied()).collect();
        let mut minutes = vec![Counts::zero(table.rows()); names.len()];
        for ((leaf, (failures, attempts)), minute) in self.leaves.iter().zip(&self.figures).zip(&minute_of) {
            if let Some(counts) = minutes.get_mut(*minute) {
                counts.add(*leaf, *attempts, *failures);
            }
        }
        let at = match &args.at {
            Some(at) => Some(place.get(at.as_str()).copied().with_context(|| {
                let (first, last) = (names.first().map_or("", String::as_str), names.last().map_or("", String::as_str));
                format!("{id}: no rows at {at}; times go from {first} to {last}")
            })?),
            None => place.get(id).copied(),
        };
        let at = at.or_else(|| most_striking_minute(table, &minutes, &settings.ratio)).unwrap_or_default();
        let points = self.points(|line| minute_of.get(line) == Some(&at));
        let mut before: Vec<Counts> = minutes;
        before.truncate(at + 1);
        let now = before.pop().unwrap_or_default();
        if before.is_empty() {
            before.push(peers(&now));
        }
        Ok(Kind::Failures { now, before, points, minute: names.get(at).cloned() })
    }

    fn counts(&self, table: &Table, figures: &[(f64, f64)], which: impl Fn(usize) -> bool) -> Counts {
        let mut counts = Counts::zero(table.rows());
        for (line, (leaf, (failures, attempts))) in self.leaves.iter().zip(figures).enumerate() {
            if which(line) {
                counts.add(*leaf, *attempts, *failures);
            }
        }
        counts
    }

    fn points(&self, which: impl Fn(usize) -> bool) -> Vec<Point> {
        let lines = self.leaves.iter().zip(&self.figures).zip(&self.numbers).enumerate();
        let point = |((row, (failures, attempts)), number): ((&usize, &(f64, f64)), &f64)| Point {
            row: *row,
            number: *number,
            attempts: *attempts,
            failures: *failures,
        };
        lines.filter(|(line, _)| which(*line)).map(|(_, line)| point(line)).collect()
    }
}

/// Without any history the rest of the file is the measure: every row as the whole.
fn peers(now: &Counts) -> Counts {
    let (attempts, failures) = (now.attempts.iter().sum::<f64>(), now.failures.iter().sum::<f64>());
    let share = if attempts > 0.0 { failures / attempts } else { 0.0 };
    let failures = now.attempts.iter().map(|attempts| attempts * share).collect();
    Counts { attempts: now.attempts.clone(), failures }
}

/// Distinct times in order: of numbers by size, otherwise by text.
fn in_order(times: &[String]) -> Vec<String> {
    let distinct: BTreeMap<&str, Option<f64>> =
        times.iter().map(|time| (time.as_str(), time.parse::<f64>().ok())).collect();
    let mut order: Vec<(&str, Option<f64>)> = distinct.into_iter().collect();
    if order.iter().all(|(_, number)| number.is_some()) {
        order.sort_by(|(_, a), (_, b)| a.unwrap_or(0.0).total_cmp(&b.unwrap_or(0.0)));
    }
    order.into_iter().map(|(time, _)| time.to_owned()).collect()
}
