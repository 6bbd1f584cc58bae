//! The stretch of a stream in which failures are densest, in one pass and one number of memory (Kadane's method).

use onus_model::Instant;

use crate::found::Rate;

const MILLION: i64 = 1_000_000;

/// A stretch of samples from a failure to a failure, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Stretch {
    pub(crate) first: usize,
    pub(crate) last: usize,
    pub(crate) rate: Rate,
}

/// Follows one stream of attempts and keeps its best stretch.
///
/// Each failure counts `1 - cut` and each success `-cut`, so a stretch gains as long as its rate is above the cut;
/// the best one therefore begins and ends where the rate crosses it, at a failure. Only failures are told, each with
/// the attempts before it: most attempts succeed, and counting them is all that they cost.
#[derive(Debug, Clone, Default)]
pub(crate) struct Run {
    /// Best stretch so far.
    pub(crate) best: Stretch,
    best_sum: i64,
    open: Stretch,
    open_sum: i64,
    last_failure: Instant,
    /// Attempts up to the last failure, that one included.
    seen: u64,
}

/// When a stretch gains and when it ends.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Measure {
    /// Rate above which a stretch gains.
    pub(crate) cut_ppm: u64,
    /// Longest time without a failure.
    pub(crate) gap_seconds: i64,
}

impl Run {
    /// Takes the next failure, which comes after `before` attempts of the stream.
    pub(crate) fn fail(&mut self, index: usize, at: Instant, before: u64, measure: Measure) {
        let cut = i64::try_from(measure.cut_ppm).unwrap_or(i64::MAX).min(MILLION);
        let successes = before.saturating_sub(self.seen);
        let paid = i64::try_from(successes).unwrap_or(i64::MAX).saturating_mul(cut);
        self.open_sum = self.open_sum.saturating_sub(paid);
        if self.open_sum <= 0 || at.seconds_since(self.last_failure) > measure.gap_seconds {
            (self.open, self.open_sum) = (Stretch { first: index, ..Stretch::default() }, 0);
        } else {
            self.open.rate.attempts += successes;
        }
        self.open.rate.add(true);
        self.open.last = index;
        self.open_sum += MILLION - cut;
        (self.last_failure, self.seen) = (at, before + 1);
        if self.open_sum > self.best_sum {
            (self.best, self.best_sum) = (self.open, self.open_sum);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn best(outcomes: &str, cut_ppm: u64, gap_seconds: i64) -> Stretch {
        let mut run = Run::default();
        let measure = Measure { cut_ppm, gap_seconds };
        let attempts = outcomes.chars().enumerate().filter(|(_, outcome)| *outcome != ' ');
        for (before, (index, outcome)) in (0..).zip(attempts) {
            let at = Instant(0).plus_seconds(i64::try_from(index).unwrap() * 10);
            if outcome == 'x' {
                run.fail(index, at, before, measure);
            }
        }
        run.best
    }

    #[test]
    fn finds_the_densest_stretch() {
        // (outcomes, one every ten seconds: x failed, . succeeded, blank nothing; gap; first, last, failures)
        let table = [
            ("..x....xx.xxx.x....x...", 1000, (7, 14, 6)),
            ("........", 1000, (0, 0, 0)),
            ("x.......", 1000, (0, 0, 1)),
            ("xxx          xxxx", 50, (13, 16, 4)),
            ("xxx          xxxx", 1000, (0, 16, 7)),
        ];
        for (outcomes, gap, expected) in table {
            let found = best(outcomes, 400_000, gap);
            assert_eq!((found.first, found.last, found.rate.failures), expected, "{outcomes}");
        }
    }
}
