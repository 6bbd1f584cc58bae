//! A measure with its forecast: amounts, counts, anything that is not a share.
//!
//! What has one cause moves by one share (the ripple effect), so the deviations of an element that is a cause lie
//! close together around a value of their own, and those of everything else lie as the null says.

use super::answer::{Answer, Everywhere, Figures, Finding, Tally, alternatives, parts};
use super::cover::{Cover, Element, Evidence, Price, rows_in};
use super::null::Null;
use super::settings::MeasureSettings;
use super::table::Table;

/// Number, sum, sum of squares and null log density of deviations.
type Stats = [f64; 4];

/// How far a value is from its forecast, as a share of the larger: positive when it fell short. None for values so
/// small that the rounding of the file decides.
pub(super) fn deviation(actual: f64, forecast: f64, least: f64) -> Option<f64> {
    let larger = actual.abs().max(forecast.abs());
    let deviation = (forecast - actual) / larger;
    (larger > 0.0 && larger >= least && deviation.is_finite()).then(|| deviation.clamp(-1.0, 1.0))
}

/// The value below which rounding decides: some steps of the finest decimal place in use, if few values are so small.
fn least_value(actual: &[f64], forecast: &[f64], settings: &MeasureSettings) -> f64 {
    let pairs = || actual.iter().zip(forecast).map(|(actual, forecast)| actual.abs().max(forecast.abs()));
    let whole = |value: f64, scale: f64| ((value * scale).round() / scale - value).abs() <= value.abs() * 1e-12;
    let sample = actual.iter().chain(forecast).copied().filter(|value| *value != 0.0).take(4_096);
    let sample: Vec<f64> = sample.collect();
    let scale = (0..=9).map(|place| 10.0_f64.powi(place)).find(|scale| sample.iter().all(|v| whole(*v, *scale)));
    let Some(scale) = scale else { return 0.0 };
    let least = settings.min_steps / scale;
    let (mut small, mut all) = (0.0, 0.0);
    for value in pairs().filter(|value| *value > 0.0) {
        all += 1.0;
        if value < least {
            small += 1.0;
        }
    }
    if small <= all * settings.max_small_share { least } else { 0.0 }
}

/// Spreads that the deviations of one cause may have.
struct Ripple {
    /// Factor of the number, of the squares about the mean, and the constant.
    spreads: Vec<(f64, f64, f64)>,
    /// What choosing a mean costs.
    single: f64,
    min_effect: f64,
}

impl Ripple {
    fn new(settings: &MeasureSettings, null: &Null) -> Self {
        let own = std::iter::once(null.scale.max(settings.min_spread));
        let spreads: Vec<f64> = settings.spreads.iter().copied().chain(own).collect();
        // A mean may lie anywhere between -1 and 1, and one spread is as good as another.
        let single = 2.0_f64.ln();
        let choice = single + (spreads.len() as f64).ln();
        let of = |spread: f64| {
            let log = (spread * std::f64::consts::TAU.sqrt()).ln();
            (-log, 0.5 / (spread * spread), log - choice)
        };
        Self { spreads: spreads.into_iter().map(of).collect(), single, min_effect: settings.min_effect }
    }
}

impl Evidence<4> for Ripple {
    fn nats(&self, [n, sum, squares, null]: &Stats) -> f64 {
        if *n < 0.5 || sum.abs() < self.min_effect * n {
            return f64::NEG_INFINITY;
        }
        // A single value fits its own mean with any spread; most elements are single leaves.
        if *n < 1.5 {
            return -self.single - null;
        }
        let about = (squares - sum * sum / n).max(0.0);
        let with = |(per, curve, constant): &(f64, f64, f64)| n * per - about * curve + constant;
        let best = self.spreads.iter().map(with).fold(f64::NEG_INFINITY, f64::max);
        best - 0.5 * n.ln() - null
    }

    fn size(&self, [n, ..]: &Stats) -> f64 {
        *n
    }
}

/// A measure and what it should have been, by row.
#[derive(Debug, Clone, Copy)]
pub struct Measures<'a> {
    /// Rows and their values.
    pub table: &'a Table,
    /// The measure.
    pub actual: &'a [f64],
    /// Its forecast.
    pub forecast: &'a [f64],
}

/// Scopes that explain why a measure differs from its forecast.
#[must_use]
pub fn localise_measure(measures: &Measures<'_>, settings: &MeasureSettings) -> Answer {
    let Measures { table, actual, forecast } = *measures;
    let least = least_value(actual, forecast, settings);
    let deviations: Vec<Option<f64>> =
        actual.iter().zip(forecast).map(|(actual, forecast)| deviation(*actual, *forecast, least)).collect();
    let null = Null::fit(deviations.iter().flatten().copied());
    let stats = |deviation: &Option<f64>| match deviation {
        Some(x) => [1.0, *x, x * x, null.log_density(*x)],
        None => [0.0; 4],
    };
    let rows: Vec<Stats> = deviations.iter().map(stats).collect();
    let ripple = Ripple::new(settings, &null);
    let row = |at: usize| Tally {
        figures: Figures {
            size: 1.0,
            actual: actual.get(at).copied().unwrap_or(0.0),
            expected: forecast.get(at).copied().unwrap_or(0.0),
        },
        sums: rows.get(at).copied().unwrap_or_default(),
    };
    let nats = |sums: &Stats| ripple.nats(sums);
    let found = elements(table, &rows, &ripple, settings);
    if found.is_empty() {
        let all = Tally::of((0..table.rows()).map(row));
        let everywhere = Everywhere { nats: nats(&all.sums), figures: all.figures };
        return Answer {
            findings: Vec::new(),
            everywhere: (everywhere.nats > settings.min_net_nats).then_some(everywhere),
        };
    }
    let finding = |element: &Element| Finding {
        scope: parts(table, &element.spans),
        nats: element.nats,
        net: element.net,
        figures: Tally::of(rows_in(table, &element.spans).into_iter().map(row)).figures,
        alternatives: alternatives(table, &element.spans, settings.shown_siblings, row, nats),
    };
    Answer { findings: found.iter().map(finding).collect(), everywhere: None }
}

/// Elements, best first; what one has taken does not count for the next.
fn elements(table: &Table, rows: &[Stats], ripple: &Ripple, settings: &MeasureSettings) -> Vec<Element> {
    let price = Price { element: settings.element_price, cuboid: settings.cuboid_price, layer: 0.0 };
    let mut cover = Cover::new(table, rows, ripple, settings.max_layer, price);
    let cuboids = (cover.cuboids().max(1) as f64).ln();
    let values = rows.iter().filter(|[n, ..]| *n > 0.5).count().max(1) as f64;
    let bar = settings.min_net_nats + (settings.well_known / values).ln().max(0.0);
    let mut found = Vec::new();
    let mut cheap: Vec<usize> = Vec::new();
    while found.len() < settings.max_scopes {
        let Some(best) = cover.best().filter(|best| best.net > bar) else { break };
        let best = cover.refined(best, settings.max_part);
        let rows = cover.rows_of(&best.spans);
        let best = cover.without_hidden(best, &rows);
        cover.take(&rows);
        if !cheap.contains(&best.cuboid) {
            cheap.push(best.cuboid);
            cover.cheapen(best.cuboid, settings.sibling_share * settings.cuboid_price * cuboids);
        }
        found.push(best);
    }
    found
}
