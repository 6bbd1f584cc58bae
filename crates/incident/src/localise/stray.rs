//! How far whole scopes stray from their ordinary share by themselves, learnt from quiet minutes.
//!
//! Attempts of one row may be alike (overdispersion), and beyond that all rows of a value may wander together: an
//! issuer has a bad minute for no reason. The more attempts a scope has the less chance explains, but such wandering
//! does not become less with more attempts.

use rustc_hash::FxHashMap;

use super::baseline::{Baseline, Counts};
use super::cover::Span;
use super::null::halve;
use super::settings::RatioSettings;
use super::table::Table;

/// Sums over the rows of one scope.
#[derive(Debug, Clone, Copy, Default)]
struct Residual {
    attempts: f64,
    failures: f64,
    expected: f64,
    /// Variance of the failures by chance and overdispersion.
    variance: f64,
    /// What they change by when the logarithm of the odds changes by one; also their variance by chance alone.
    slope: f64,
}

impl Residual {
    fn add(&mut self, (n, k): (f64, f64), (p, weight): (f64, f64), overdispersion: f64) {
        let binomial = n * p * (1.0 - p);
        self.attempts += n;
        self.failures += k;
        self.expected += n * p;
        self.variance += binomial * (1.0 + (n - 1.0).max(0.0) * (overdispersion + 1.0 / (weight + 1.0)));
        self.slope += binomial;
    }

    fn excess(&self) -> f64 {
        self.failures - self.expected
    }

    /// What speaks against these odds having moved by themselves, when by this variance they often do: the least sum
    /// of what a move costs and of what is then left to explain.
    fn nats(&self, wandering: f64) -> f64 {
        let (n, k) = (self.attempts, self.failures.min(self.attempts - 1e-6));
        let alike = (self.variance / self.slope.max(f64::MIN_POSITIVE)).max(1.0);
        let (base, shown) = (logit(self.expected / n), logit(k / n));
        let share = |moved: f64| 1.0 / (1.0 + (-base - moved).exp());
        let short = |moved: f64| (k - n * share(moved)) / alike > moved / wandering;
        let moved = halve((0.0, shown - base), short);
        let q = share(moved);
        let left = k * (k / (n * q)).ln() + (n - k) * ((n - k) / (n * (1.0 - q))).ln();
        left / alike + 0.5 * moved * moved / wandering
    }
}

/// Quiet minutes to learn from.
pub(super) struct Stray<'a> {
    pub(super) table: &'a Table,
    pub(super) minutes: &'a [Counts],
    pub(super) baseline: &'a Baseline,
    pub(super) settings: &'a RatioSettings,
}

impl Stray<'_> {
    /// What a scope says against "it strays as scopes of its dimensions do in quiet minutes", in nats. Of one that
    /// fails less than ordinarily nothing is asked.
    pub(super) fn nats(&self, spans: &[Span], rows: &[usize], now: &Counts) -> f64 {
        let mut residual = Residual::default();
        for row in rows {
            residual.add(now.of(*row), self.baseline.rate(*row, (0.0, 0.0)), self.baseline.overdispersion);
        }
        if residual.excess() <= 0.0 {
            return f64::INFINITY;
        }
        residual.nats(self.wandering(spans))
    }

    /// The variance of the logarithm of the odds of scopes with these dimensions from minute to minute.
    fn wandering(&self, spans: &[Span]) -> f64 {
        if self.minutes.len() < self.settings.min_minutes {
            return self.settings.default_wandering.powi(2);
        }
        let (mut excess, mut slopes) = (0.0, 0.0);
        for minute in self.minutes {
            let mut scopes: FxHashMap<Vec<u32>, Residual> = FxHashMap::default();
            for (row, counts) in minute.pairs().enumerate().filter(|(_, (n, _))| *n > 0.0) {
                let values = spans.iter().map(|span| self.value(span, row)).collect();
                let rate = self.baseline.rate(row, counts);
                scopes.entry(values).or_default().add(counts, rate, self.baseline.overdispersion);
            }
            for scope in scopes.values() {
                excess += scope.excess() * scope.excess() - scope.variance;
                slopes += scope.slope * scope.slope;
            }
        }
        let measured = if slopes > 0.0 { (excess / slopes).max(0.0) } else { 0.0 };
        measured + self.settings.least_wandering.powi(2)
    }

    /// The value of a row; of a dimension of numbers, whether it is in the stretch.
    fn value(&self, span: &Span, row: usize) -> u32 {
        if self.table.ordered() == Some(span.dim) {
            u32::from(span.holds(self.table, row))
        } else {
            self.table.code(row, span.dim)
        }
    }
}

fn logit(share: f64) -> f64 {
    (share / (1.0 - share)).ln()
}

#[cfg(test)]
mod tests {
    use super::Residual;

    /// Of 1,000 attempts 50 fail ordinarily.
    fn residual(failures: f64) -> Residual {
        Residual { attempts: 1_000.0, failures, expected: 50.0, variance: 47.5, slope: 47.5 }
    }

    #[test]
    fn wandering_takes_the_edge_off_what_chance_does_not_explain() {
        // Without wandering: the binomial deviance, 100 ln 2 + 900 ln (900 / 950) = 20.65.
        assert!((residual(100.0).nats(1e-9) - 20.65).abs() < 0.01, "{}", residual(100.0).nats(1e-9));
        let by_wandering = [0.1_f64, 0.2, 0.5, 1.0].map(|deviation| residual(100.0).nats(deviation.powi(2)));
        assert!(by_wandering.is_sorted_by(|a, b| a > b), "{by_wandering:?}");
        // Odds of 2.1 are within one standard deviation of 1.0.
        assert!(by_wandering[3] < 0.5, "{by_wandering:?}");
        assert!(residual(1_000.0).nats(0.01).is_finite(), "all failed");
        let by_failures = [51.0, 60.0, 80.0, 200.0, 999.0, 1_000.0].map(|failures| residual(failures).nats(0.04));
        assert!(by_failures.is_sorted_by(|a, b| a < b), "{by_failures:?}");
    }
}
