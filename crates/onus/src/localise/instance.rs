//! Reads the file or files of one incident.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead, BufReader};
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
    pub(super) rejects: Rejects,
}

/// Rows as they stand in the files.
#[derive(Default)]
struct Lines {
    dictionaries: Vec<Dictionary>,
    columns: Vec<Vec<u32>>,
    /// Measure and forecast, or failures and attempts.
    figures: Vec<(f64, f64)>,
    baseline: Vec<(f64, f64)>,
    times: Times,
    numbers: Vec<f64>,
    rejects: Rejects,
}

/// Minute of each line; none when there is no column of time.
#[derive(Default)]
struct Times {
    names: Dictionary,
    codes: Vec<u32>,
}

/// Lines that did not read.
#[derive(Default)]
pub(super) struct Rejects {
    pub(super) count: usize,
    /// Place of the first of them, and what is wrong there.
    pub(super) first: Option<String>,
}

/// Reads an incident.
pub(super) fn read(id: &str, files: &[PathBuf], args: &LocaliseArgs, settings: &Settings) -> Result<Instance> {
    let mut read: Option<(Columns, Lines)> = None;
    for file in files {
        read_file(file, files.len() > 1, args, &mut read).with_context(|| format!("reading {}", file.display()))?;
    }
    let Some((columns, lines)) = read else { bail!("{id}: no file") };
    if lines.figures.is_empty() {
        match lines.rejects.first {
            Some(first) => bail!("{id}: no line reads; {first}"),
            None => bail!("{id}: no line with numbers"),
        }
    }
    let Lines { dictionaries, columns: codes, figures, baseline, times, numbers, rejects } = lines;
    let named = columns.dimensions.iter().zip(dictionaries);
    let dims = named.map(|((name, _), dictionary)| dictionary.into_dimension(name)).zip(codes);
    // What is the same everywhere explains nothing.
    let (mut dims, mut codes): (Vec<Dimension>, Vec<Vec<u32>>) = dims.filter(|(dim, _)| dim.values.len() > 1).unzip();
    let table = |dims, codes| {
        Table::new(dims, codes).context("more than 20 dimensions; name those that matter with --dimensions")
    };
    if let Figures::Measure(..) = columns.figures {
        let (actual, forecast) = figures.into_iter().unzip();
        return Ok(Instance { table: table(dims, codes)?, kind: Kind::Measure { actual, forecast }, rejects });
    }
    if columns.numbers.is_some() {
        let name = args.numbers.as_deref().unwrap_or_default();
        let (dim, column) = bins(name, &numbers, settings.ratio.most_bins);
        dims.push(dim);
        codes.push(column);
    }
    let (leaves, columns_of_leaves) = leaves(&codes, figures.len());
    let table = table(dims, columns_of_leaves)?;
    let kind = Counted { leaves, figures, baseline, numbers }.kind(&table, times, id, args, settings)?;
    Ok(Instance { table, kind, rejects })
}

/// Reads one file into the lines. Of several files without a column of time, each is a minute, in order of name.
fn read_file(path: &Path, one_of_many: bool, args: &LocaliseArgs, into: &mut Option<(Columns, Lines)>) -> Result<()> {
    let mut file = BufReader::new(File::open(path)?);
    let delimiter = delimiter(file.fill_buf()?);
    let mut reader =
        csv::ReaderBuilder::new().flexible(true).trim(csv::Trim::All).delimiter(delimiter).from_reader(file);
    let header: Vec<String> =
        reader.byte_headers()?.iter().map(|name| text(name).trim_start_matches('\u{feff}').trim().to_owned()).collect();
    if header.is_empty() {
        bail!("the file is empty; its first line must name the columns");
    }
    let columns = Columns::find(&header, args)?;
    let name = path.file_stem().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let (first, lines) = into.get_or_insert_with(|| {
        let count = columns.dimensions.len();
        let (dictionaries, codes) = (vec![Dictionary::default(); count], vec![Vec::new(); count]);
        (columns.clone(), Lines { dictionaries, columns: codes, ..Lines::default() })
    });
    if first.names() != columns.names() {
        bail!("its columns of values are {}, and {} in the file before it", columns.names(), first.names());
    }
    let mut record = csv::ByteRecord::new();
    while reader.read_byte_record(&mut record)? {
        let line = record.position().map_or(0, csv::Position::line);
        let row = Row { record: &record, header: &header };
        match row.figures(&columns) {
            Ok(Some(figures)) => lines.push(&row, figures, &columns, one_of_many.then_some(name.as_str())),
            // An empty number is unknown, and so is what its line says.
            Ok(None) => {}
            Err(error) => lines.rejects.add(|| format!("{} line {line}: {error:#}", path.display())),
        }
    }
    Ok(())
}

/// What parts the fields: whichever of comma, semicolon and tab is most frequent in the first line.
fn delimiter(start: &[u8]) -> u8 {
    let first = start.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let count = |delimiter: u8| first.iter().filter(|byte| **byte == delimiter).count();
    [b'\t', b';', b','].into_iter().max_by_key(|delimiter| count(*delimiter)).unwrap_or(b',')
}

/// Bytes that are no UTF-8 are kept apart by writing them out.
fn text(bytes: &[u8]) -> Cow<'_, str> {
    str::from_utf8(bytes).map_or_else(|_| Cow::Owned(bytes.escape_ascii().to_string()), Cow::Borrowed)
}

impl Rejects {
    fn add(&mut self, what: impl FnOnce() -> String) {
        self.count += 1;
        self.first.get_or_insert_with(what);
    }
}

/// A line of a file.
struct Row<'a> {
    record: &'a csv::ByteRecord,
    header: &'a [String],
}

/// Numbers of a line: measure and forecast or failures and attempts, the same in ordinary times, and the number to cut.
type Numbers = ((f64, f64), Option<(f64, f64)>, Option<f64>);

impl Row<'_> {
    fn text(&self, at: usize) -> Cow<'_, str> {
        text(self.record.get(at).unwrap_or_default())
    }

    fn number(&self, at: usize) -> Result<f64> {
        let text = self.text(at);
        let value = text.parse::<f64>().ok().filter(|value| value.is_finite());
        value.with_context(|| {
            format!("column {}: {text:?} is not a number", self.header.get(at).map_or("?", |name| name))
        })
    }

    /// The numbers of the line; none when one of them, or its time, is empty.
    fn figures(&self, columns: &Columns) -> Result<Option<Numbers>> {
        let (fields, names) = (self.record.len(), self.header.len());
        if fields != names {
            bail!("{fields} fields, but the first line names {names}");
        }
        if columns.counted().into_iter().chain(columns.time).any(|at| is_empty(&self.text(at))) {
            return Ok(None);
        }
        let (figures, baseline) = match columns.figures {
            Figures::Measure(actual, forecast) => ((self.number(actual)?, self.number(forecast)?), None),
            Figures::Failures { column, successes, total, baseline } => {
                let (value, total) = (self.number(column)?, self.number(total)?);
                let baseline = match baseline {
                    Some((failures, total)) => Some((self.number(failures)?, self.number(total)?)),
                    None => None,
                };
                ((if successes { total - value } else { value }, total), baseline)
            }
        };
        Ok(Some((figures, baseline, columns.numbers.map(|at| self.number(at)).transpose()?)))
    }
}

impl Lines {
    fn push(&mut self, row: &Row<'_>, (figures, baseline, number): Numbers, columns: &Columns, minute: Option<&str>) {
        let dictionaries = self.dictionaries.iter_mut().zip(&mut self.columns);
        for ((dictionary, codes), (_, at)) in dictionaries.zip(&columns.dimensions) {
            codes.push(dictionary.code(&row.text(*at)));
        }
        self.figures.push(figures);
        self.baseline.extend(baseline);
        self.numbers.extend(number);
        if let Some(at) = columns.time {
            self.times.push(minute_of(&row.text(at)));
        } else if let Some(minute) = minute {
            self.times.push(minute);
        }
    }
}

impl Times {
    fn push(&mut self, name: &str) {
        self.codes.push(self.names.code(name));
    }
}

/// How an unknown number is written.
fn is_empty(number: &str) -> bool {
    number.is_empty() || ["nan", "null", "none", "na", "n/a", "-"].iter().any(|name| number.eq_ignore_ascii_case(name))
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
    fn kind(&self, table: &Table, times: Times, id: &str, args: &LocaliseArgs, settings: &Settings) -> Result<Kind> {
        if times.codes.is_empty() {
            let now = self.counts(table, &self.figures, |_| true);
            let before =
                if self.baseline.is_empty() { peers(&now) } else { self.counts(table, &self.baseline, |_| true) };
            let points = self.points(|_| true);
            return Ok(Kind::Failures { now, before: vec![before], points, minute: None });
        }
        let (names, minute_of) = in_order(times);
        let named = |wanted: &str| names.iter().position(|name| name == wanted);
        let at = match &args.at {
            Some(at) => Some(named(at).with_context(|| {
                let (first, last) = (names.first().map_or("", String::as_str), names.last().map_or("", String::as_str));
                format!("{id}: no rows at {at}; times go from {first} to {last}")
            })?),
            None => named(id),
        };
        // Of a long history only the end is held.
        let last = at.unwrap_or(names.len().saturating_sub(1));
        let first = last.saturating_sub(settings.ratio.most_minutes);
        let mut minutes = vec![Counts::zero(table.rows()); last + 1 - first];
        for ((leaf, (failures, attempts)), minute) in self.leaves.iter().zip(&self.figures).zip(&minute_of) {
            if let Some(counts) = minute.checked_sub(first).and_then(|at| minutes.get_mut(at)) {
                counts.add(*leaf, *attempts, *failures);
            }
        }
        if at.is_none() {
            let striking = most_striking_minute(table, &minutes, &settings.ratio).unwrap_or_default();
            minutes.truncate(striking + 1);
        }
        let at = first + minutes.len().saturating_sub(1);
        let points = self.points(|line| minute_of.get(line) == Some(&at));
        let mut before = minutes;
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

/// Distinct times in order (of numbers by size, otherwise by text), and the place of each line's time among them.
fn in_order(times: Times) -> (Vec<String>, Vec<usize>) {
    let names = times.names.into_dimension("").values;
    let numbers: Option<Vec<f64>> = names.iter().map(|name| name.parse().ok()).collect();
    let mut order: Vec<usize> = (0..names.len()).collect();
    match numbers {
        Some(numbers) => order.sort_by(|a, b| numbers.get(*a).partial_cmp(&numbers.get(*b)).unwrap_or(Ordering::Equal)),
        None => order.sort_by_key(|at| names.get(*at)),
    }
    let mut places = vec![0; names.len()];
    for (place, at) in order.iter().enumerate() {
        if let Some(cell) = places.get_mut(*at) {
            *cell = place;
        }
    }
    let of_lines = times.codes.iter().map(|code| places.get(*code as usize).copied().unwrap_or(0)).collect();
    (order.into_iter().filter_map(|at| names.get(at).cloned()).collect(), of_lines)
}
