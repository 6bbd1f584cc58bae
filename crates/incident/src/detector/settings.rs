//! What is watched and what is promised: data, `packs/detection-1`.

use onus_model::{Grade, Text};
use serde::Deserialize;

use super::evidence::{BETS, RATIOS};
use crate::Family;
use crate::cube::{Columns, CubeLimits, Dimension, Latency, Outcome};

/// Settings did not read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    /// Not TOML of the expected form.
    #[error("detection settings: {0}")]
    Form(String),
    /// Numbers do not fit.
    #[error("detection settings, {place}: {problem}")]
    Numbers {
        /// Section or signal.
        place: String,
        /// What is wrong and what was expected.
        problem: &'static str,
    },
}

/// How often the fleet may raise a false alarm.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Promise {
    /// So many false alarms at most, in the mean,
    pub false_alarms: f64,
    /// in so many days.
    pub per_days: f64,
    /// Part of it that goes to the early test.
    pub early_share: f64,
    /// Where the numbers come from.
    pub source: String,
    /// How far they can be trusted.
    pub grade: Grade,
}

/// Numbers of the tests; their meaning is told in `packs/detection-1/detection.toml`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "told in the pack, beside the numbers")]
pub struct Tests {
    pub bets: [f64; BETS],
    pub ratios: [f64; RATIOS],
    pub rho: f64,
    pub slack: f64,
    pub margin_sd: f64,
    pub most_rate: f64,
    pub suspicious_e: f64,
    pub eased_e: f64,
    pub recovered_e: f64,
    pub source: String,
    pub grade: Grade,
}

/// Numbers of the baseline; their meaning is told in `packs/detection-1/detection.toml`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "told in the pack, beside the numbers")]
pub struct BaselineSettings {
    pub all_strength: f64,
    pub hour_strength: f64,
    pub day_strength: f64,
    pub level_strength: f64,
    pub own_hour_strength: f64,
    pub hour_keep: f64,
    pub level_keep: f64,
    pub settle_hours: u32,
    pub accept_hours: u32,
    pub forget_days: u32,
    pub paydays: Vec<u32>,
    pub source: String,
    pub grade: Grade,
}

/// Numbers of the comparison with peers.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PeerSettings {
    /// So many attempts at the rate of the whole stand beside those of a stratum.
    pub stratum_attempts: f64,
    /// Where the number comes from.
    pub source: String,
    /// How far it can be trusted.
    pub grade: Grade,
}

/// How minutes are gone through; the meaning of the numbers is told in `packs/detection-1/detection.toml`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "told in the pack, beside the numbers")]
pub struct LiveSettings {
    pub settle_seconds: u32,
    pub rewind_minutes: u32,
    pub history_minutes: u32,
    pub locate_minutes: u32,
    pub locate_payments: usize,
    pub amount_bins: usize,
    pub cut_payments: usize,
    pub as_good_share: f64,
    pub attached_share: f64,
    pub whole_share: f64,
    pub remembered: usize,
    pub silent_seconds: u32,
    pub slack_minutes: u32,
    pub shown_values: usize,
    pub keep_days: u32,
    pub source: String,
    pub grade: Grade,
}

/// From which time on an answer is slow.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "told in the pack, beside the numbers")]
pub struct LatencyBounds {
    pub raised_ms: u64,
    pub slow_ms: u64,
    pub late_ms: u64,
    pub source: String,
    pub grade: Grade,
}

impl LatencyBounds {
    /// The band of an answer that took so long.
    #[must_use]
    pub const fn band(&self, took_ms: u64) -> Latency {
        match took_ms {
            it if it >= self.late_ms => Latency::Late,
            it if it >= self.slow_ms => Latency::Slow,
            it if it >= self.raised_ms => Latency::Raised,
            _ => Latency::Usual,
        }
    }
}

/// What response codes mean.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "told in the pack, beside the codes")]
pub struct Codes {
    pub approved: Vec<String>,
    pub funds: Vec<String>,
    pub card: Vec<String>,
    pub risk: Vec<String>,
    pub issuer_down: Vec<String>,
    pub switch_error: Vec<String>,
    pub keys: Vec<String>,
    pub refused: Vec<String>,
    pub source: String,
    pub grade: Grade,
}

impl Codes {
    /// How an attempt with this code ended.
    #[must_use]
    pub fn outcome(&self, code: &str) -> Outcome {
        if code.is_empty() {
            return Outcome::NoAnswer;
        }
        let lists = [
            (&self.approved, Outcome::Approved),
            (&self.funds, Outcome::Funds),
            (&self.card, Outcome::Card),
            (&self.risk, Outcome::Risk),
            (&self.issuer_down, Outcome::IssuerDown),
            (&self.switch_error, Outcome::SwitchError),
            (&self.keys, Outcome::Keys),
            (&self.refused, Outcome::Refused),
        ];
        let known = lists.into_iter().find(|(codes, _)| codes.iter().any(|known| known == code));
        known.map_or(Outcome::OtherCode, |(_, outcome)| outcome)
    }
}

/// How counts from records are put together; told in `packs/detection-1/detection.toml`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "told in the pack, beside the numbers")]
pub struct RecordSettings {
    pub every_minutes: u32,
    pub stratum_octaves: u32,
    pub source: String,
    pub grade: Grade,
}

/// What a signal counts of the cube.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Counted {
    /// All attempts.
    Attempts,
    /// Reversed ones.
    Reversed,
    /// Answers slower than usual.
    LatencyRaised,
    /// Slow answers.
    LatencySlow,
    /// Answers close to the time-out.
    LatencyLate,
    /// Attempts that ended so.
    #[serde(untagged)]
    Ended(Outcome),
}

impl Counted {
    const fn columns(self) -> Columns {
        match self {
            Self::Attempts => Columns::attempts(),
            Self::Reversed => Columns::reversed(),
            Self::LatencyRaised => Columns::latency(Latency::Raised),
            Self::LatencySlow => Columns::latency(Latency::Slow),
            Self::LatencyLate => Columns::latency(Latency::Late),
            Self::Ended(outcome) => Columns::outcome(outcome),
        }
    }
}

/// Cells of one kind: the total, the values of a dimension, pairs of values, accounts, terminals.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Layer {
    /// `total`, a dimension, two joined by `+`, or a name that the caller knows.
    pub name: String,
    /// Part of the signal's share.
    pub share: f64,
    /// Most cells that are watched; the share is divided by it.
    pub cells: u32,
}

/// What the cells of a layer are in a cube.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Split {
    /// One cell for all.
    Total,
    /// By value.
    By(Dimension),
    /// By pair of values.
    ByPair(Dimension, Dimension),
}

impl Layer {
    /// What the cells are in a cube; none when the name is only the caller's.
    #[must_use]
    pub fn split(&self) -> Option<Split> {
        let dimension = |name: &str| Dimension::ALL.into_iter().find(|dimension| dimension.as_str() == name);
        match self.name.split_once('+') {
            None if self.name == "total" => Some(Split::Total),
            None => dimension(&self.name).map(Split::By),
            Some((one, other)) => dimension(one).zip(dimension(other)).map(|(one, other)| Split::ByPair(one, other)),
        }
    }
}

/// One 0/1 question that is asked of every cell of its layers.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signal {
    /// Name.
    pub id: String,
    /// Part of the promise.
    pub share: f64,
    /// What is believed of the ordinary rate before the first day.
    pub prior_rate: f64,
    /// Least hits above the expected ones.
    pub min_excess: f64,
    /// Least rate against the ordinary one.
    pub min_ratio: f64,
    /// The denominator in a cube; empty when counts come from elsewhere.
    #[serde(default)]
    pub of: Vec<Counted>,
    /// The numerator in a cube.
    #[serde(default)]
    pub hits: Vec<Counted>,
    /// The family of the episodes that its alarms open; none for suspicions to look at.
    pub episode: Option<Family>,
    /// Dimensions that may explain it, beside the amount.
    #[serde(default)]
    pub locate: Vec<Dimension>,
    /// Kinds of cells, `total` first.
    pub layers: Vec<Layer>,
    /// Where the numbers come from.
    pub source: String,
    /// How far they can be trusted.
    pub grade: Grade,
    /// What it is.
    pub comment: Text,
}

impl Signal {
    /// Denominator and numerator in a cube, if it is counted there.
    #[must_use]
    pub fn columns(&self) -> Option<(Columns, Columns)> {
        let join = |counted: &[Counted]| {
            counted.iter().fold(Columns::default(), |columns, counted| columns.and(counted.columns()))
        };
        (!self.of.is_empty()).then(|| (join(&self.of), join(&self.hits)))
    }
}

/// All settings.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Name and version.
    pub id: String,
    /// The promise.
    pub promise: Promise,
    /// The tests.
    pub tests: Tests,
    /// The baseline.
    pub baseline: BaselineSettings,
    /// The cube.
    pub cube: CubeLimits,
    /// Live detection.
    pub live: LiveSettings,
    /// Bands of latency.
    pub latency: LatencyBounds,
    /// Response codes.
    pub codes: Codes,
    /// Counts from records.
    pub records: RecordSettings,
    /// Peers.
    pub peers: PeerSettings,
    /// The signals.
    #[serde(rename = "signal")]
    pub signals: Vec<Signal>,
}

impl Settings {
    /// Reads settings (`packs/detection-*/detection.toml`).
    ///
    /// # Errors
    /// Names the line, or the section and number, that is wrong.
    pub fn from_toml(text: &str) -> Result<Self, SettingsError> {
        let settings: Self = toml::from_str(text).map_err(|error| SettingsError::Form(error.to_string()))?;
        settings.check()?;
        Ok(settings)
    }

    /// The settings in the repository (`packs/detection-1`).
    ///
    /// # Errors
    /// When that file is broken, which the tests of this crate rule out.
    pub fn builtin() -> Result<Self, SettingsError> {
        Self::from_toml(include_str!("../../../../packs/detection-1/detection.toml"))
    }

    /// The signal of a name and its index.
    #[must_use]
    pub fn signal(&self, id: &str) -> Option<(u8, &Signal)> {
        (0..u8::MAX).zip(&self.signals).find(|(_, signal)| signal.id == id)
    }

    /// Minutes of quiet in which a test with all of the share may raise one false alarm.
    #[must_use]
    pub(super) fn quiet_minutes(&self, early: bool) -> f64 {
        let share = if early { self.promise.early_share } else { 1.0 - self.promise.early_share };
        self.promise.per_days * 1_440.0 / (self.promise.false_alarms * share)
    }

    fn check(&self) -> Result<(), SettingsError> {
        let fault = |place: &str, problem| Err(SettingsError::Numbers { place: place.to_owned(), problem });
        if let Some((place, problem)) = self.promise.problem().or_else(|| self.tests.problem()) {
            return fault(place, problem);
        }
        if let Some(problem) = self.baseline.problem() {
            return fault("baseline", problem);
        }
        if self.cube.minutes == 0 || self.cube.most_leaves == 0 {
            return fault("cube", "minutes and most_leaves must be above 0");
        }
        let live = &self.live;
        if [live.rewind_minutes, live.locate_minutes].contains(&0)
            || [live.locate_payments, live.amount_bins, live.remembered].contains(&0)
        {
            let problem = "rewind_minutes, locate_minutes, locate_payments, amount_bins and remembered must be above 0";
            return fault("live", problem);
        }
        if live.rewind_minutes * 2 >= self.cube.minutes {
            return fault("live", "twice rewind_minutes must be less than the minutes of the cube");
        }
        if self.records.every_minutes == 0
            || 1_440 % self.records.every_minutes != 0
            || self.records.stratum_octaves == 0
        {
            return fault("records", "every_minutes must divide a day, stratum_octaves must be above 0");
        }
        if self.signals.len() > 64 || self.signals.iter().map(|signal| signal.share).sum::<f64>() > 1.0 + 1e-9 {
            return fault("signals", "the shares of all signals must add to at most 1, and 64 signals are the most");
        }
        for (index, signal) in self.signals.iter().enumerate() {
            if self.signals.iter().skip(index + 1).any(|other| other.id == signal.id) {
                return fault(&signal.id, "stands twice; keep one");
            }
            if let Some(problem) = signal.problem() {
                return fault(&signal.id, problem);
            }
        }
        Ok(())
    }
}

fn ascending(numbers: &[f64]) -> bool {
    numbers.iter().zip(numbers.iter().skip(1)).all(|(one, next)| one < next)
}

/// Above 0 and below 1.
fn is_part(number: f64) -> bool {
    number > 0.0 && number < 1.0
}

impl Promise {
    fn problem(&self) -> Option<(&'static str, &'static str)> {
        let fits = self.false_alarms > 0.0 && self.per_days > 0.0 && is_part(self.early_share);
        (!fits).then_some(("promise", "false_alarms and per_days must be above 0, early_share between 0 and 1"))
    }
}

impl Tests {
    fn problem(&self) -> Option<(&'static str, &'static str)> {
        let problem = if !ascending(&self.bets) || !self.bets.iter().all(|bet| is_part(*bet)) {
            "bets must ascend between 0 and 1"
        } else if !ascending(&self.ratios) || self.ratios.iter().any(|ratio| *ratio <= 1.0) {
            "ratios must ascend and be above 1"
        } else if !is_part(self.rho) || !is_part(self.most_rate) {
            "rho and most_rate must be between 0 and 1"
        } else if self.slack < 0.0 || self.margin_sd < 0.0 {
            "slack and margin_sd must not be below 0"
        } else if self.suspicious_e <= 1.0 || self.eased_e <= 1.0 || self.recovered_e < self.eased_e {
            "suspicious_e and eased_e must be above 1, and recovered_e not below eased_e"
        } else {
            return None;
        };
        Some(("tests", problem))
    }
}

impl BaselineSettings {
    fn problem(&self) -> Option<&'static str> {
        let strengths =
            [self.all_strength, self.hour_strength, self.day_strength, self.level_strength, self.own_hour_strength];
        if strengths.iter().any(|strength| *strength <= 0.0) {
            Some("strengths must be above 0")
        } else if !is_part(self.hour_keep) || !is_part(self.level_keep) {
            Some("hour_keep and level_keep must be between 0 and 1")
        } else if self.settle_hours == 0 || self.settle_hours > 24 {
            Some("settle_hours must be from 1 to 24")
        } else {
            None
        }
    }
}

impl Signal {
    fn problem(&self) -> Option<&'static str> {
        if self.share <= 0.0 || self.layers.iter().any(|layer| layer.share <= 0.0 || layer.cells == 0) {
            Some("shares and numbers of cells must be above 0")
        } else if self.layers.iter().map(|layer| layer.share).sum::<f64>() > 1.0 + 1e-9 || self.layers.len() > 64 {
            Some("the shares of the layers must add to at most 1, and 64 layers are the most")
        } else if self.layers.first().is_none_or(|layer| layer.name != "total" || layer.cells != 1) {
            Some("the first layer must be `total` with one cell; it is the peer of all others")
        } else if !is_part(self.prior_rate) || self.min_ratio < 1.0 || self.min_excess < 0.0 {
            Some("prior_rate must be between 0 and 1, min_ratio at least 1, min_excess at least 0")
        } else if self.of.is_empty() != self.hits.is_empty() {
            Some("of and hits stand together or not at all")
        } else if !self.of.is_empty() && self.layers.iter().any(|layer| layer.split().is_none()) {
            Some("a layer counted in the cube must be `total`, a dimension or two joined by +")
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PACK: &str = include_str!("../../../../packs/detection-1/detection.toml");

    #[test]
    fn the_builtin_settings_read_and_name_their_sources() {
        let settings = Settings::builtin().unwrap();
        assert_eq!(settings.signals.len(), 15);
        for signal in &settings.signals {
            assert!(!signal.source.is_empty() && !signal.comment.zh.is_empty() && !signal.comment.en.is_empty());
        }
        let (index, lost) = settings.signal("lost").unwrap();
        assert_eq!(index, 0);
        assert_eq!(lost.layers[1].split(), Some(Split::By(Dimension::NetworkLink)));
        assert_eq!(lost.layers[9].split(), Some(Split::ByPair(Dimension::NetworkLink, Dimension::Issuer)));
        assert_eq!(settings.signal("diverted").unwrap().1.layers[1].split(), None);
    }

    #[test]
    fn says_what_is_wrong() {
        let table = [
            ("early_share = 0.5", "early_share = 1.0", "early_share between"),
            ("bets = [0.02, 0.05", "bets = [0.05, 0.02", "ascend"),
            ("rho = 0.01", "rho = 0.0", "rho"),
            ("hour_keep = 0.9", "hour_keep = 1.0", "hour_keep"),
            ("share = 0.22", "share = 0.23", "add to at most 1"),
            ("name = \"network_link\", share = 0.15", "name = \"network_link\", share = 0.25", "shares of the layers"),
            ("{ name = \"route\"", "{ name = \"rout\"", "a dimension"),
            ("hits = [\"keys\"]", "hits = []", "stand together"),
            ("hits = [\"keys\"]", "hits = [\"key\"]", "data did not match"),
            ("id = \"keys\"", "id = \"lost\"", "stands twice"),
            ("recovered_e = 1000.0", "recovered_e = 5.0", "not below eased_e"),
            ("rewind_minutes = 15", "rewind_minutes = 30", "twice rewind_minutes"),
            ("every_minutes = 60", "every_minutes = 7", "divide a day"),
        ];
        for (from, to, expected) in table {
            assert!(PACK.contains(from), "{from}");
            let said = Settings::from_toml(&PACK.replacen(from, to, 1)).unwrap_err().to_string();
            assert!(said.contains(expected), "{said}");
        }
    }
}
