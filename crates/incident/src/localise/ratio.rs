//! A share: failures of attempts, against the share that ordinarily fails.
//!
//! For each row and each of a few sizes of effect, the log likelihood ratio against the row's own baseline is a
//! number, and those numbers add up over rows. So the sums of an element say which size fits all its rows best and
//! how much better than nothing; rows that did not take part speak against it, but only so much.

use super::baseline::{Baseline, Counts};
use super::settings::RatioSettings;

/// Sizes of effect.
pub(super) const EFFECTS: usize = 15;

/// Log likelihood ratios by effect, and attempts.
pub(super) type Lanes = [f64; EFFECTS + 1];

/// What may have happened to a share.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Effect {
    /// This share of what would have succeeded fails.
    Lost(f64),
    /// Odds of failure are multiplied.
    Odds(f64),
}

impl Effect {
    /// The share after the effect.
    pub(super) fn on(self, share: f64) -> f64 {
        let share = match self {
            Self::Lost(lost) => share + lost * (1.0 - share),
            Self::Odds(factor) => share * factor / (1.0 - share + share * factor),
        };
        share.min(1.0 - 1e-6)
    }
}

/// Those that are harm.
const HARMS: usize = 11;

/// By lane; harm first, and neighbours of one kind stand in order of size.
pub(super) const ALL_EFFECTS: [Effect; EFFECTS] = [
    Effect::Lost(0.02),
    Effect::Lost(0.05),
    Effect::Lost(0.1),
    Effect::Lost(0.2),
    Effect::Lost(0.4),
    Effect::Lost(0.8),
    Effect::Odds(1.5),
    Effect::Odds(2.0),
    Effect::Odds(3.0),
    Effect::Odds(5.0),
    Effect::Odds(10.0),
    Effect::Odds(0.67),
    Effect::Odds(0.5),
    Effect::Odds(0.25),
    Effect::Odds(0.1),
];

/// Lanes of one kind.
const KINDS: [std::ops::Range<usize>; 3] = [0..6, 6..11, 11..15];

/// Ordinary share of each row, how far a row can be trusted, and what to make of sums.
#[derive(Debug)]
pub(super) struct Shares<'a> {
    pub(super) settings: &'a RatioSettings,
}

impl Shares<'_> {
    /// Lanes of a row with `n` attempts and `k` failures whose ordinary share is `p`, known from `weight` attempts.
    pub(super) fn lanes(&self, (n, k): (f64, f64), (p, weight): (f64, f64), overdispersion: f64) -> Lanes {
        let mut lanes = [0.0; EFFECTS + 1];
        if n <= 0.0 {
            return lanes;
        }
        let trust = 1.0 / (1.0 + (n - 1.0).max(0.0) * (overdispersion + 1.0 / (weight + 1.0)));
        let mut likelihood = [0.0; EFFECTS];
        for (cell, effect) in likelihood.iter_mut().zip(ALL_EFFECTS).take(self.effects()) {
            let q = effect.on(p);
            *cell = (trust * (k * (q / p).ln() + (n - k) * ((1.0 - q) / (1.0 - p)).ln())).exp();
        }
        let blur = self.settings.blur;
        for kind in KINDS.into_iter().filter(|kind| kind.end <= self.effects()) {
            let part = likelihood.get(kind.clone()).unwrap_or_default();
            for (at, lane) in kind.enumerate() {
                let near = |at: Option<usize>| at.and_then(|at| part.get(at)).copied();
                let own = near(Some(at)).unwrap_or(1.0);
                let (below, above) = (near(at.checked_sub(1)).unwrap_or(own), near(Some(at + 1)).unwrap_or(own));
                let mixed = (1.0 - 2.0 * blur) * own + blur * (below + above);
                let spared = self.settings.spared_share;
                if let Some(cell) = lanes.get_mut(lane) {
                    *cell = (spared + (1.0 - spared) * mixed).min(1e300).ln();
                }
            }
        }
        if let Some(last) = lanes.last_mut() {
            *last = n;
        }
        lanes
    }

    /// The effects that are looked for stand first; the lanes of others stay at nothing.
    const fn effects(&self) -> usize {
        if self.settings.both_ways { EFFECTS } else { HARMS }
    }

    /// Lanes of all rows.
    pub(super) fn rows(&self, now: &Counts, baseline: &Baseline, history: bool) -> Vec<Lanes> {
        let of = |(row, counts): (usize, (f64, f64))| {
            let without = if history { counts } else { (0.0, 0.0) };
            self.lanes(counts, baseline.rate(row, without), baseline.overdispersion)
        };
        now.pairs().enumerate().map(of).collect()
    }
}

pub(super) fn add(sums: &mut Lanes, lanes: &Lanes) {
    for (sum, value) in sums.iter_mut().zip(lanes) {
        *sum += value;
    }
}

/// Sums over some rows.
pub(super) fn sum(rows: &[Lanes], which: impl Iterator<Item = usize>) -> Lanes {
    let mut sums = [0.0; EFFECTS + 1];
    for lanes in which.filter_map(|row| rows.get(row)) {
        add(&mut sums, lanes);
    }
    sums
}

/// The lane with the largest sum.
pub(super) fn best_lane(sums: &Lanes) -> (usize, f64) {
    let lanes = sums.iter().copied().take(EFFECTS).enumerate();
    lanes.fold((0, f64::NEG_INFINITY), |best, (lane, sum)| if sum > best.1 { (lane, sum) } else { best })
}

impl Shares<'_> {
    /// Attempts among sums.
    pub(super) fn attempts(sums: &Lanes) -> f64 {
        sums.last().copied().unwrap_or(0.0)
    }

    /// The stretch of neighbouring cells that says most: its first and last cell and its log likelihood ratio. By
    /// lane, the one with the largest sum (Kadane).
    pub(super) fn stretch(cells: &[&Lanes]) -> Option<(usize, usize, f64)> {
        let mut best: Option<(usize, usize, f64)> = None;
        for lane in 0..EFFECTS {
            let (mut sum, mut from) = (0.0, 0);
            for (at, cell) in cells.iter().enumerate() {
                if sum <= 0.0 {
                    (sum, from) = (0.0, at);
                }
                sum += cell.get(lane).copied().unwrap_or(0.0);
                if sum > best.map_or(0.0, |(.., nats)| nats) {
                    best = Some((from, at, sum));
                }
            }
        }
        best
    }
}
