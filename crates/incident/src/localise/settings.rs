//! One fixed set of numbers for all data, as data (`packs/localise-1/settings.toml`).

use onus_model::{Grade, Text};
use serde::Deserialize;

/// The settings did not read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    /// Not TOML of the expected form.
    #[error("settings of localisation: {0}")]
    Form(String),
    /// A number is out of its range.
    #[error("settings of localisation, {section}: {problem}")]
    Range {
        /// Part of the file.
        section: &'static str,
        /// What is wrong and what was expected.
        problem: &'static str,
    },
}

/// Numbers for a measure with its forecast; told at the head of the file.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MeasureSettings {
    /// Spreads of deviation that one cause may have.
    pub spreads: Vec<f64>,
    /// Least spread, for data without any noise.
    pub min_spread: f64,
    /// Least mean deviation of a cause.
    pub min_effect: f64,
    /// Steps of the last decimal place below which a value says nothing.
    pub min_steps: f64,
    /// If more values than this share are so small, they are all used.
    pub max_small_share: f64,
    /// An element gives way to its parts when they explain more and cover less than this share of it.
    pub max_part: f64,
    /// Price of an element, in parts of the logarithm of their number in its cuboid.
    pub element_price: f64,
    /// Price of a cuboid, in parts of the logarithm of their number.
    pub cuboid_price: f64,
    /// Part of the price of a cuboid that its further elements need not pay.
    pub sibling_share: f64,
    /// What must be left when the name is paid for, in nats.
    pub min_net_nats: f64,
    /// With fewer values than this, the logarithm of what is lacking must be left on top.
    pub well_known: f64,
    /// Most dimensions of a scope.
    pub max_layer: usize,
    /// Most scopes of one answer.
    pub max_scopes: usize,
    /// Scopes beside each condition that are shown.
    pub shown_siblings: usize,
}

/// Numbers for failures of attempts; told at the head of the file.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RatioSettings {
    /// The ordinary share of failures is never taken to be less than this, or more than its complement.
    pub rate_floor: f64,
    /// Attempts that the overall share is worth for each value.
    pub value_strength: f64,
    /// Attempts that a row's expectation may be worth.
    pub strengths: Vec<f64>,
    /// Minutes of history from which overdispersion is measured.
    pub min_minutes: usize,
    /// Overdispersion when it cannot be measured.
    pub default_overdispersion: f64,
    /// Least overdispersion.
    pub min_overdispersion: f64,
    /// Most overdispersion.
    pub max_overdispersion: f64,
    /// Weight of the next smaller and the next larger effect in each row.
    pub blur: f64,
    /// Share of the rows of a cause that it may leave alone.
    pub spared_share: f64,
    /// An element gives way to its parts when they explain more and cover less than this share of it.
    pub max_part: f64,
    /// Price of an element, in parts of the logarithm of their number in its cuboid.
    pub element_price: f64,
    /// Price of a cuboid, in parts of the logarithm of their number.
    pub cuboid_price: f64,
    /// Price of each dimension more, in nats.
    pub layer_price: f64,
    /// An element must say this many times as much as the best of its cuboid does in quiet minutes.
    pub quiet_factor: f64,
    /// Most quiet minutes that are looked at for that.
    pub quiet_minutes: usize,
    /// With more rows than this, only `min_minutes` are.
    pub quiet_rows: usize,
    /// Everything moved if this share of the attempts outside of the scopes found did.
    pub everywhere_share: f64,
    /// When the minute under test is not given: so many minutes before the last are candidates.
    pub searched_minutes: usize,
    /// Most minutes before the one under test that are used.
    pub most_minutes: usize,
    /// The last minute is taken if it says at least this share of the most striking one.
    pub last_minute_share: f64,
    /// What must be left when the name is paid for, in nats.
    pub min_net_nats: f64,
    /// A further scope must be worth this share of the first,
    pub min_share: f64,
    /// and its odds must have moved by this share of what those of the first moved.
    pub min_moved: f64,
    /// What a scope must say against chance (its name paid for) and against wandering as in quiet minutes, in nats:
    /// at least this in the geometric mean.
    pub stray_nats: f64,
    /// The least standard deviation by which the logarithm of the odds is taken to wander.
    pub least_wandering: f64,
    /// The same when there are fewer than `min_minutes` of history.
    pub default_wandering: f64,
    /// Whether scopes that fail less than ordinarily are looked for too; otherwise only harm is.
    pub both_ways: bool,
    /// How much worse than the best cut of a number, in nats, a rounder one may be.
    pub as_good_nats: f64,
    /// Most bins of a column of numbers.
    pub most_bins: usize,
    /// Most dimensions of a scope.
    pub max_layer: usize,
    /// Most scopes of one answer.
    pub max_scopes: usize,
    /// Scopes beside each condition that are shown.
    pub shown_siblings: usize,
}

/// All settings.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Name and version.
    pub id: String,
    /// Where the numbers come from.
    pub source: String,
    /// How far they can be trusted.
    pub grade: Grade,
    /// What they are for.
    pub comment: Text,
    /// Measures with a forecast.
    pub measure: MeasureSettings,
    /// Failures of attempts.
    pub ratio: RatioSettings,
}

impl Settings {
    /// Reads settings (`packs/localise-*/settings.toml`).
    ///
    /// # Errors
    /// Names the line, or the part and number, that is wrong.
    pub fn from_toml(text: &str) -> Result<Self, SettingsError> {
        let settings: Self = toml::from_str(text).map_err(|error| SettingsError::Form(error.to_string()))?;
        let problem = |section, problem| Err(SettingsError::Range { section, problem });
        let share = |value: f64| (0.0..1.0).contains(&value);
        let (measure, ratio) = (&settings.measure, &settings.ratio);
        if measure.spreads.iter().any(|spread| *spread <= 0.0) || measure.min_spread <= 0.0 {
            return problem("measure", "a spread is not above zero");
        }
        if !(ratio.rate_floor > 0.0 && ratio.rate_floor < 0.5) {
            return problem("ratio", "rate_floor is not between 0 and 0.5");
        }
        if !share(ratio.spared_share) || !(0.0..=0.5).contains(&ratio.blur) || !share(ratio.max_overdispersion) {
            return problem("ratio", "spared_share, blur or max_overdispersion is not a share");
        }
        if ratio.strengths.is_empty() || ratio.strengths.iter().any(|strength| *strength <= 0.0) {
            return problem("ratio", "strengths must be a list of numbers above zero");
        }
        if ratio.as_good_nats < 0.0 || ratio.most_bins < 2 {
            return problem("ratio", "as_good_nats is below 0, or most_bins below 2");
        }
        if ratio.stray_nats < 0.0 || ratio.least_wandering <= 0.0 || ratio.default_wandering <= 0.0 {
            return problem("ratio", "stray_nats is below 0, or a wandering not above it");
        }
        if ratio.element_price < 0.0 || ratio.cuboid_price < 0.0 || ratio.layer_price < 0.0 {
            return problem("ratio", "a price is below 0; a longer name must not be cheaper");
        }
        if measure.max_layer == 0 || ratio.max_layer == 0 {
            return problem("measure or ratio", "max_layer is 0; a scope has at least one dimension");
        }
        Ok(settings)
    }

    /// The settings in the repository (`packs/localise-1`).
    ///
    /// # Errors
    /// As [`Settings::from_toml`].
    pub fn builtin() -> Result<Self, SettingsError> {
        Self::from_toml(include_str!("../../../../packs/localise-1/settings.toml"))
    }
}
