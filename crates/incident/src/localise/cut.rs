//! Where along a number the trouble begins and ends.
//!
//! Numbers are put into bins of equal weight for the search; then the single attempts near an end of the stretch say
//! between which two of them the end lies, and the roundest number in between is the cut.

use super::cover::Span;
use super::ratio::Effect;
use super::table::{Dimension, Table};

/// One attempt, or some with the same number.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// Its row in the table.
    pub row: usize,
    /// Its number, such as an amount.
    pub number: f64,
    /// Attempts.
    pub attempts: f64,
    /// Failures among them.
    pub failures: f64,
}

/// Bins of about equal weight for a dimension of numbers, and the bin of each number.
#[must_use]
pub fn bins(name: &str, numbers: &[f64], most: usize) -> (Dimension, Vec<u32>) {
    let mut sorted: Vec<f64> = numbers.iter().copied().filter(|number| number.is_finite()).collect();
    sorted.sort_by(f64::total_cmp);
    let step = (sorted.len() / most.max(1)).max(1);
    let mut edges: Vec<f64> = sorted.iter().copied().step_by(step).collect();
    edges.dedup();
    if edges.is_empty() {
        edges.push(0.0);
    }
    let code = |number: &f64| edges.partition_point(|edge| edge <= number).saturating_sub(1) as u32;
    let codes = numbers.iter().map(code).collect();
    let values = edges.iter().map(ToString::to_string).collect();
    (Dimension { name: name.to_owned(), values, edges: Some(edges) }, codes)
}

/// What says where a stretch ends.
pub(super) struct Ends<'a> {
    pub(super) points: &'a [Point],
    pub(super) effect: Effect,
    /// How much worse than the best cut, in nats, a rounder one may be.
    pub(super) as_good: f64,
}

impl Ends<'_> {
    /// Both ends of a stretch, from the single attempts around them.
    pub(super) fn sharpen(
        &self,
        table: &Table,
        spans: &[Span],
        (from, to): (Option<f64>, Option<f64>),
        rate: impl Fn(usize) -> f64,
    ) -> (Option<f64>, Option<f64>) {
        let (points, effect) = (self.points, self.effect);
        let Some((stretch, rest)) = spans.split_last() else { return (from, to) };
        let mut near: Vec<(f64, f64)> = Vec::new();
        for point in points.iter().filter(|point| rest.iter().all(|span| span.holds(table, point.row))) {
            let p = rate(point.row);
            let q = effect.on(p);
            let nats = point.failures * (q / p).ln() + (point.attempts - point.failures) * ((1.0 - q) / (1.0 - p)).ln();
            near.push((point.number, nats));
        }
        near.sort_by(|a, b| a.0.total_cmp(&b.0));
        let edges = table.dims().get(stretch.dim).and_then(|dim| dim.edges.as_deref()).unwrap_or_default();
        let edge = |at: usize| edges.get(at).copied();
        // A cut is looked for within the two bins on each side of the one that the search found.
        let window = |at: usize| (edge(at.saturating_sub(2)).unwrap_or(f64::MIN), edge(at + 2).unwrap_or(f64::MAX));
        let lower = from.map(|from| cut(&near, window(stretch.first as usize), false, self.as_good).unwrap_or(from));
        let upper = to.map(|to| cut(&near, window(stretch.last as usize + 1), true, self.as_good).unwrap_or(to));
        (lower, upper)
    }
}

/// The roundest of the numbers that part what is inside (below it, or from it on) from what is not about as well as
/// any in a window.
fn cut(near: &[(f64, f64)], (least, most): (f64, f64), inside_below: bool, as_good: f64) -> Option<f64> {
    let window: Vec<(f64, f64)> = near.iter().copied().filter(|(at, _)| (least..most).contains(at)).collect();
    let sign = if inside_below { 1.0 } else { -1.0 };
    let mut gaps: Vec<(f64, f64, f64)> = Vec::new();
    let mut sum = 0.0;
    for pair in window.windows(2) {
        let [(below, nats), (above, _)] = pair else { continue };
        sum += sign * nats;
        if below < above {
            gaps.push((sum, *below, *above));
        }
    }
    let top = gaps.iter().map(|(sum, ..)| *sum).reduce(f64::max)?;
    let good = || gaps.iter().filter(|(sum, ..)| *sum >= top - as_good);
    let above = good().map(|(_, below, _)| *below).reduce(f64::min)?;
    let upto = good().map(|(.., above)| *above).reduce(f64::max)?;
    Some(roundest(above, upto))
}

/// The number above the first and not above the second that is written with the fewest digits.
fn roundest(above: f64, upto: f64) -> f64 {
    let mut step = 10.0_f64.powi(upto.abs().max(above.abs()).max(1e-9).log10().ceil() as i32);
    for _ in 0..18 {
        for part in [1.0, 0.5] {
            let candidate = (upto / (step * part)).floor() * step * part;
            if candidate > above {
                // Steps below one leave dust in the last digits.
                return format!("{candidate:.9}").parse().unwrap_or(candidate);
            }
        }
        step /= 10.0;
    }
    upto
}

#[cfg(test)]
mod tests {
    use super::{bins, roundest};

    #[test]
    fn roundest_number_in_a_gap() {
        for (above, upto, wanted) in [
            (499.99, 500.0, 500.0),
            (498.2, 503.7, 500.0),
            (0.0, 7.0, 5.0),
            (86.1, 86.4, 86.4),
            (1_980.0, 2_040.0, 2_000.0),
            (12.34, 12.36, 12.35),
        ] {
            assert!((roundest(above, upto) - wanted).abs() < 1e-9, "{above} to {upto}: {}", roundest(above, upto));
        }
    }

    #[test]
    fn bins_hold_each_number() {
        let numbers: Vec<f64> = (0..1_000).map(|at| f64::from(at % 37) * 1.5).collect();
        let (dim, codes) = bins("amount", &numbers, 16);
        let edges = dim.edges.expect("numbers");
        for (number, code) in numbers.iter().zip(codes) {
            assert!(edges[code as usize] <= *number);
            assert!(edges.get(code as usize + 1).is_none_or(|next| number < next));
        }
    }
}
