//! Which column of a file is what: as the arguments say, or by its name.

use anyhow::{Result, bail};

use super::LocaliseArgs;

/// Names by which a column is known when no argument names it, in small letters.
const ACTUAL: &[&str] = &["real", "actual"];
const FORECAST: &[&str] = &["predict", "forecast", "predicted"];
const SUCCESS: &[&str] = &["success", "successes", "succeeded", "success_count", "success_cnt", "ok"];
const FAILURES: &[&str] =
    &["value", "failures", "failed", "failure", "fail", "fails", "fail_count", "fail_cnt", "errors", "error_count"];
const TOTAL: &[&str] = &["cnt", "total", "attempts", "count", "total_count", "total_cnt", "requests", "n"];
const TIME: &[&str] = &["min", "minute", "timestamp", "time", "datetime", "date_time", "ts", "date", "at"];
/// Columns that explain nothing: numbers of rows, as table libraries write them.
const IDLE: &[&str] = &["", "index", "unnamed: 0"];

/// What the numbers of a file are.
#[derive(Clone)]
pub(super) enum Figures {
    /// Measure and forecast.
    Measure(usize, usize),
    /// Successes (true) or failures, and attempts.
    Failures { column: usize, successes: bool, total: usize, baseline: Option<(usize, usize)> },
}

/// Places of the columns of a file.
#[derive(Clone)]
pub(super) struct Columns {
    pub(super) figures: Figures,
    pub(super) time: Option<usize>,
    pub(super) numbers: Option<usize>,
    /// Names and places of the dimensions.
    pub(super) dimensions: Vec<(String, usize)>,
}

impl Columns {
    /// Columns that must hold a number in every line that counts.
    pub(super) fn counted(&self) -> Vec<usize> {
        let (one, other, baseline) = match self.figures {
            Figures::Measure(actual, forecast) => (actual, forecast, None),
            Figures::Failures { column, total, baseline, .. } => (column, total, baseline),
        };
        let baseline = baseline.into_iter().flat_map(|(failures, total)| [failures, total]);
        [one, other].into_iter().chain(baseline).chain(self.numbers).collect()
    }

    /// Names of the dimensions.
    pub(super) fn names(&self) -> String {
        self.dimensions.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", ")
    }

    /// Finds the columns in the first line of a file.
    pub(super) fn find(header: &[String], args: &LocaliseArgs) -> Result<Self> {
        let finder = Finder { header };
        let figures = finder.figures(args)?;
        let time = match (&figures, &args.time) {
            (Figures::Measure(..), None) => None,
            (_, Some(name)) => Some(finder.named(name)?),
            (_, None) => finder.known(TIME),
        };
        let numbers = args.numbers.as_deref().map(|name| finder.named(name)).transpose()?;
        let mut used = vec![];
        used.extend(time.into_iter().chain(numbers));
        match figures {
            Figures::Measure(actual, forecast) => used.extend([actual, forecast]),
            Figures::Failures { column, total, baseline, .. } => {
                used.extend([column, total]);
                used.extend(baseline.into_iter().flat_map(|(failures, total)| [failures, total]));
            }
        }
        let places: Vec<usize> = if args.dimensions.is_empty() {
            let idle = |at: usize| {
                let is_any =
                    |names: &[&str]| header.get(at).is_some_and(|name| names.contains(&name.to_lowercase().as_str()));
                // Of a measure the minute is not looked at.
                is_any(IDLE) || (matches!(figures, Figures::Measure(..)) && is_any(TIME))
            };
            (0..header.len()).filter(|at| !used.contains(at) && !idle(*at)).collect()
        } else {
            let wanted = args.dimensions.iter().filter(|name| Some(*name) != args.numbers.as_ref());
            wanted.map(|name| finder.named(name)).collect::<Result<_>>()?
        };
        let dimensions: Vec<(String, usize)> =
            places.into_iter().filter_map(|at| Some((header.get(at)?.clone(), at))).collect();
        if dimensions.is_empty() && numbers.is_none() {
            bail!("no column is left to explain with; name some with --dimensions");
        }
        Ok(Self { figures, time, numbers, dimensions })
    }
}

struct Finder<'a> {
    header: &'a [String],
}

impl Finder<'_> {
    fn named(&self, name: &str) -> Result<usize> {
        let exact = self.header.iter().position(|column| column == name);
        match exact.or_else(|| self.known(&[name.to_lowercase().as_str()])) {
            Some(at) => Ok(at),
            None => bail!("no column {name}; there are {}", self.header.join(", ")),
        }
    }

    fn known(&self, names: &[&str]) -> Option<usize> {
        let at = |name: &&str| self.header.iter().position(|column| column.to_lowercase() == **name);
        names.iter().find_map(at)
    }

    fn figures(&self, args: &LocaliseArgs) -> Result<Figures> {
        if let (Some(actual), Some(forecast)) = (&args.actual, &args.forecast) {
            return Ok(Figures::Measure(self.named(actual)?, self.named(forecast)?));
        }
        let told = args.success.is_some() || args.failures.is_some() || args.total.is_some();
        if let (false, Some(actual), Some(forecast)) = (told, self.known(ACTUAL), self.known(FORECAST)) {
            return Ok(Figures::Measure(actual, forecast));
        }
        let (column, successes) = match (&args.success, &args.failures) {
            (Some(name), _) => (Some(self.named(name)?), true),
            (None, Some(name)) => (Some(self.named(name)?), false),
            (None, None) => match self.known(FAILURES) {
                Some(at) => (Some(at), false),
                None => (self.known(SUCCESS), true),
            },
        };
        let total = match &args.total {
            Some(name) => Some(self.named(name)?),
            None => self.known(TOTAL),
        };
        let baseline = match args.baseline.as_slice() {
            [failures, total] => Some((self.named(failures)?, self.named(total)?)),
            _ => None,
        };
        match (column, total) {
            (Some(column), Some(total)) => Ok(Figures::Failures { column, successes, total, baseline }),
            _ => bail!(
                "neither a measure with its forecast nor failures of attempts among the columns {}; \
                 name them with --failures and --total, --success and --total, or --actual and --forecast",
                self.header.join(", ")
            ),
        }
    }
}
