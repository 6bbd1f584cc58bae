//! How far whole scopes stray from their ordinary share by themselves, learnt from quiet minutes.
//!
//! Attempts of one row may be alike (overdispersion), and beyond that all rows of a value may wander together: an
//! issuer has a bad minute for no reason. The more attempts a scope has the less chance explains, but such wandering
//! does not become less with more attempts.

use rustc_hash::FxHashMap;

use super::baseline::{Baseline, Counts};
use super::cover::Span;
use super::table::Table;

/// Sums over the rows of one scope.
#[derive(Debug, Clone, Copy, Default)]
struct Residual {
    /// Failures above those expected.
    excess: f64,
    /// Its variance by chance and overdispersion.
    variance: f64,
    /// What it changes by when the logarithm of the odds changes by one.
    slope: f64,
}

impl Residual {
    fn add(&mut self, (n, k): (f64, f64), (p, weight): (f64, f64), overdispersion: f64) {
        let binomial = n * p * (1.0 - p);
        self.excess += k - n * p;
        self.variance += binomial * (1.0 + (n - 1.0).max(0.0) * (overdispersion + 1.0 / (weight + 1.0)));
        self.slope += binomial;
    }
}

/// Quiet minutes to learn from.
pub(super) struct Stray<'a> {
    pub(super) table: &'a Table,
    pub(super) minutes: &'a [Counts],
    pub(super) baseline: &'a Baseline,
}

impl Stray<'_> {
    /// What a scope says against "it strays as scopes of its dimensions do in quiet minutes", in nats. Of one that
    /// fails less than ordinarily nothing is asked: there the normal law of the residual is too strict.
    pub(super) fn nats(&self, spans: &[Span], rows: &[usize], now: &Counts) -> f64 {
        let mut residual = Residual::default();
        for row in rows {
            residual.add(now.of(*row), self.baseline.rate(*row, (0.0, 0.0)), self.baseline.overdispersion);
        }
        if residual.excess <= 0.0 {
            return f64::INFINITY;
        }
        let wandering = self.wandering(spans) * residual.slope * residual.slope;
        0.5 * residual.excess * residual.excess / (residual.variance + wandering).max(f64::MIN_POSITIVE)
    }

    /// The variance of the logarithm of the odds of scopes with these dimensions from minute to minute.
    fn wandering(&self, spans: &[Span]) -> f64 {
        let (mut excess, mut slopes) = (0.0, 0.0);
        for minute in self.minutes {
            let mut scopes: FxHashMap<Vec<u32>, Residual> = FxHashMap::default();
            for (row, counts) in minute.pairs().enumerate().filter(|(_, (n, _))| *n > 0.0) {
                let values = spans.iter().map(|span| self.value(span, row)).collect();
                let rate = self.baseline.rate(row, counts);
                scopes.entry(values).or_default().add(counts, rate, self.baseline.overdispersion);
            }
            for scope in scopes.values() {
                excess += scope.excess * scope.excess - scope.variance;
                slopes += scope.slope * scope.slope;
            }
        }
        if slopes > 0.0 { (excess / slopes).max(0.0) } else { 0.0 }
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
