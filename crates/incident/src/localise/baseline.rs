//! What share of attempts ordinarily fails in each row, and how much that share strays by itself.
//!
//! A row's own history is pulled towards what its values would make one expect, the more the less of it there is.

use super::ratio::Effect;
use super::settings::RatioSettings;
use super::table::Table;

/// Attempts and failures by row.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Counts {
    /// Attempts.
    pub attempts: Vec<f64>,
    /// Failures among them.
    pub failures: Vec<f64>,
}

impl Counts {
    /// Nothing, for so many rows.
    #[must_use]
    pub fn zero(rows: usize) -> Self {
        Self { attempts: vec![0.0; rows], failures: vec![0.0; rows] }
    }

    /// Counts one more set of attempts for a row; failures are held between none and all.
    pub fn add(&mut self, row: usize, attempts: f64, failures: f64) {
        if let (Some(n), Some(k)) = (self.attempts.get_mut(row), self.failures.get_mut(row)) {
            *n += attempts.max(0.0);
            *k += failures.clamp(0.0, attempts.max(0.0));
        }
    }

    /// Attempts and failures of a row.
    pub(super) fn of(&self, row: usize) -> (f64, f64) {
        (self.attempts.get(row).copied().unwrap_or(0.0), self.failures.get(row).copied().unwrap_or(0.0))
    }

    pub(super) fn pairs(&self) -> impl Iterator<Item = (f64, f64)> {
        self.attempts.iter().copied().zip(self.failures.iter().copied())
    }

    /// Attempts and failures of all rows.
    pub(super) fn total(&self) -> (f64, f64) {
        self.pairs().fold((0.0, 0.0), |sum, (n, k)| (sum.0 + n, sum.1 + k))
    }
}

/// The ordinary share of failures by row.
#[derive(Debug, Clone)]
pub(super) struct Baseline {
    /// What a row's values make one expect.
    prior: Vec<f64>,
    /// How many attempts that expectation is worth.
    strength: f64,
    history: Counts,
    floor: f64,
    /// What moved everything, if anything did.
    effect: Option<Effect>,
    /// How much more alike attempts of one row and minute are than chance makes them (intra-class correlation).
    pub(super) overdispersion: f64,
}

impl Baseline {
    /// Learns from history by minute.
    pub(super) fn fit(table: &Table, minutes: &[Counts], settings: &RatioSettings) -> Self {
        let mut history = Counts::zero(table.rows());
        for minute in minutes {
            for (row, (n, k)) in minute.pairs().enumerate() {
                history.add(row, n, k);
            }
        }
        let prior = priors(table, &history, settings);
        let strength = strength(&prior, &history, settings);
        let floor = settings.rate_floor;
        let overdispersion = settings.default_overdispersion;
        let mut fitted = Self { prior, strength, history, floor, effect: None, overdispersion };
        if minutes.len() >= settings.min_minutes {
            fitted.overdispersion = fitted.measured_overdispersion(minutes, settings);
        }
        fitted
    }

    /// Ordinary share and the number of attempts it rests on; without the counts of one minute.
    pub(super) fn rate(&self, row: usize, without: (f64, f64)) -> (f64, f64) {
        let prior = self.prior.get(row).copied().unwrap_or(0.0);
        let (n, k) = self.history.of(row);
        let (n, k) = ((n - without.0).max(0.0), (k - without.1).max(0.0));
        let weight = n + self.strength;
        let share = ((k + self.strength * prior) / weight).clamp(self.floor, 1.0 - self.floor);
        (self.effect.map_or(share, |effect| effect.on(share)), weight)
    }

    /// The same after an effect on everything.
    pub(super) fn moved(&self, effect: Effect) -> Self {
        Self { effect: Some(effect), ..self.clone() }
    }

    /// Excess of the squared residuals over what chance makes, by attempts.
    fn measured_overdispersion(&self, minutes: &[Counts], settings: &RatioSettings) -> f64 {
        let (mut excess, mut pairs) = (0.0, 0.0);
        for minute in minutes {
            for (row, (n, k)) in minute.pairs().enumerate().filter(|(_, (n, _))| *n >= 2.0) {
                let (p, weight) = self.rate(row, (n, k));
                let residual = k - n * p;
                let chance = 1.0 + (n - 1.0) / (weight + 1.0);
                // One wild row shall not decide.
                let ratio = (residual * residual / (n * p * (1.0 - p))).min(25.0 * chance);
                excess += ratio - chance;
                pairs += n - 1.0;
            }
        }
        if pairs > 0.0 {
            (excess / pairs).clamp(settings.min_overdispersion, settings.max_overdispersion)
        } else {
            settings.default_overdispersion
        }
    }
}

/// Share expected from the values of a row: each value moves the odds as it does over all rows.
fn priors(table: &Table, history: &Counts, settings: &RatioSettings) -> Vec<f64> {
    let (n, k) = history.total();
    let overall = ((k + 0.5) / (n + 1.0)).clamp(settings.rate_floor, 1.0 - settings.rate_floor);
    let base = logit(overall);
    let mut sums = vec![base; table.rows()];
    for dim in 0..table.dims().len() {
        let mut cells = vec![(0.0, 0.0); table.cardinality(dim)];
        for (code, (n, k)) in table.column(dim).iter().zip(history.pairs()) {
            if let Some(cell) = cells.get_mut(*code as usize) {
                *cell = (cell.0 + n, cell.1 + k);
            }
        }
        let effect = |(n, k): &(f64, f64)| {
            let share = (k + settings.value_strength * overall) / (n + settings.value_strength);
            logit(share.clamp(settings.rate_floor, 1.0 - settings.rate_floor)) - base
        };
        let effects: Vec<f64> = cells.iter().map(effect).collect();
        for (sum, code) in sums.iter_mut().zip(table.column(dim)) {
            *sum += effects.get(*code as usize).copied().unwrap_or(0.0);
        }
    }
    sums.into_iter().map(|sum| 1.0 / (1.0 + (-sum).exp())).collect()
}

/// How much the expectation is worth: whichever of a few strengths makes the histories of the rows most likely.
fn strength(prior: &[f64], history: &Counts, settings: &RatioSettings) -> f64 {
    let step = (prior.len() / 4_096).max(1);
    let likelihood = |strength: f64| {
        let rows = prior.iter().zip(history.pairs()).step_by(step).filter(|(_, (n, _))| *n > 0.0);
        rows.map(|(prior, (n, k))| {
            let (a, b) = (prior * strength, (1.0 - prior) * strength);
            rising(a, k) + rising(b, n - k) - rising(a + b, n)
        })
        .sum::<f64>()
    };
    let scored = settings.strengths.iter().map(|strength| (likelihood(*strength), *strength));
    scored.max_by(|a, b| a.0.total_cmp(&b.0)).map_or(1.0, |(_, strength)| strength)
}

fn logit(share: f64) -> f64 {
    (share / (1.0 - share)).ln()
}

/// Logarithm of gamma(from + by) over gamma(from).
fn rising(from: f64, by: f64) -> f64 {
    if by == 0.0 { 0.0 } else { ln_gamma(from + by) - ln_gamma(from) }
}

/// Logarithm of the gamma function of a positive number (Stirling's series after a shift).
fn ln_gamma(x: f64) -> f64 {
    let mut x = x.max(1e-9);
    let mut shift = 0.0;
    while x < 7.0 {
        shift -= x.ln();
        x += 1.0;
    }
    let inverse = 1.0 / (x * x);
    let series = (1.0 / 12.0 - inverse * (1.0 / 360.0 - inverse / 1_260.0)) / x;
    shift + (x - 0.5) * x.ln() - x + 0.5 * std::f64::consts::TAU.ln() + series
}

#[cfg(test)]
mod tests {
    use super::ln_gamma;

    #[test]
    fn gamma_of_known_numbers() {
        for (x, wanted) in
            [(1.0, 0.0), (5.0, 24.0_f64.ln()), (0.5, 0.572_364_942_924_7), (101.0, 363.739_375_555_563_5)]
        {
            assert!((ln_gamma(x) - wanted).abs() < 1e-8, "{x}: {} is not {wanted}", ln_gamma(x));
        }
    }
}
