//! What the minutes of one cell say against "the rate is at most the bar".
//!
//! Two e-detectors of the Shiryaev-Roberts kind, `M = L * (1 + M)` a minute. *Betting*: `L = 1 + bet * (rate / bar - 1)`
//! is 1 at most in the mean whatever the law of the minute, so the mean of all `M` is `t` at most after `t` quiet
//! minutes, and an alarm at `M >= A` is false at most once in `A` minutes. *Early*: `L` is a likelihood ratio of
//! beta-binomials; faster, and 1 at most in the mean while minutes scatter no more than these ([`Law::gain`]). Beside
//! both tests a CUSUM remembers when it began.

use serde::{Deserialize, Serialize};

use super::settings::Tests;

/// Number of stakes of the betting test.
pub(super) const BETS: usize = 6;
/// Number of alternatives of the early test.
pub(super) const RATIOS: usize = 5;

/// Sums stay finite in the longest incident.
const MOST: f64 = 1e200;

/// Attempts and hits of one cell in one minute.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Minute {
    pub number: u32,
    pub attempts: u32,
    pub hits: u32,
    /// Estimated ordinary rate.
    pub rate: f64,
    /// Tested against.
    pub bar: f64,
}

/// Since when the CUSUM has not been at 0, and what was counted since.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub(super) struct Since {
    score: f64,
    pub minute: u32,
    pub attempts: u64,
    pub hits: u64,
    pub expected: f64,
}

impl Since {
    fn step(&mut self, gain: f64, minute: &Minute) {
        let score = self.score + gain;
        if score <= 0.0 {
            *self = Self::default();
            return;
        }
        if self.score <= 0.0 {
            self.minute = minute.number;
        }
        self.score = score.min(MOST);
        self.count(minute);
    }

    pub(super) fn count(&mut self, minute: &Minute) {
        self.attempts += u64::from(minute.attempts);
        self.hits += u64::from(minute.hits);
        self.expected += f64::from(minute.attempts) * minute.rate;
    }

    pub(super) fn excess(&self) -> f64 {
        self.hits as f64 - self.expected
    }

    pub(super) fn ratio(&self) -> f64 {
        if self.expected > 0.0 { self.hits as f64 / self.expected } else { f64::INFINITY }
    }

    pub(super) fn rate(&self) -> f64 {
        if self.attempts > 0 { self.hits as f64 / self.attempts as f64 } else { 0.0 }
    }
}

/// The state of both tests and of the CUSUM.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(super) struct Evidence {
    bets: [f64; BETS],
    ratios: [f64; RATIOS],
    since: [Since; RATIOS],
}

impl Evidence {
    pub(super) fn step(&mut self, minute: &Minute, tests: &Tests) {
        if minute.attempts == 0 {
            return;
        }
        let over = f64::from(minute.hits) / (f64::from(minute.attempts) * minute.bar) - 1.0;
        for (sum, bet) in self.bets.iter_mut().zip(tests.bets) {
            *sum = ((1.0 + bet * over) * (1.0 + *sum)).min(MOST);
        }
        // Below the bar with nothing gathered, the early test is set to nothing: less is always allowed.
        if over <= 0.0 && self.since.iter().all(|since| since.score <= 0.0) {
            self.ratios = [0.0; RATIOS];
            return;
        }
        let law = Law::new(minute.attempts, minute.hits, tests.rho);
        let quiet = law.log_chance(minute.bar);
        for ((sum, since), ratio) in self.ratios.iter_mut().zip(&mut self.since).zip(tests.ratios) {
            let gain = law.gain((minute.bar, quiet), raised(minute.bar, ratio));
            *sum = (libm::exp(gain.min(100.0)) * (1.0 + *sum)).min(MOST);
            since.step(gain, minute);
        }
    }

    /// The e-value of the betting test.
    pub(super) fn promised(&self) -> f64 {
        self.bets.iter().sum::<f64>() / BETS as f64
    }

    /// The e-value of the early test.
    pub(super) fn early(&self) -> f64 {
        self.ratios.iter().sum::<f64>() / RATIOS as f64
    }

    /// When it began, by the alternative that fits best.
    pub(super) fn since(&self) -> Since {
        let best = self.since.iter().max_by(|one, other| one.score.total_cmp(&other.score));
        best.copied().unwrap_or_default()
    }

    /// Forgets all but what the betting test gathered.
    pub(super) fn clear_early(&mut self) {
        self.ratios = [0.0; RATIOS];
        self.since = Default::default();
    }
}

/// The mirror test: whether the rate went from `bad` back to the bar.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub(super) struct Recovery {
    sum: f64,
    since: Since,
}

impl Recovery {
    pub(super) fn step(&mut self, minute: &Minute, bad: f64, tests: &Tests) {
        if minute.attempts == 0 {
            return;
        }
        // Half way between, so that a partial recovery does not count.
        let half = (bad * minute.bar).sqrt().max(minute.bar * 1.1).min(tests.most_rate);
        let law = Law::new(minute.attempts, minute.hits, tests.rho);
        let gain = law.gain((half, law.log_chance(half)), minute.bar.min(half));
        self.sum = (libm::exp(gain.min(100.0)) * (1.0 + self.sum)).min(MOST);
        self.since.step(gain, minute);
    }

    #[cfg(test)]
    pub(super) const fn e_value(&self) -> f64 {
        self.sum
    }

    /// Whether the rate leans towards the ordinary one.
    pub(super) fn is_eased(&self, tests: &Tests) -> bool {
        self.nats() >= libm::log(tests.eased_e)
    }

    /// Whether the rate is ordinary again.
    pub(super) fn is_over(&self, tests: &Tests) -> bool {
        self.sum >= tests.recovered_e && self.is_eased(tests)
    }

    /// The logarithm of the likelihood ratio since the moment from which it says most. The e-value grows by one with
    /// every minute, though nothing be attempted in it; this one does not, so that a quiet hour of a small cell is no
    /// evidence.
    pub(super) const fn nats(&self) -> f64 {
        self.since.score
    }

    pub(super) const fn since(&self) -> u32 {
        self.since.minute
    }
}

/// The rate whose odds are `ratio` times those of `rate`.
fn raised(rate: f64, ratio: f64) -> f64 {
    rate * ratio / (1.0 + rate * (ratio - 1.0))
}

/// The laws of one minute: what was counted, and how far minutes scatter at most.
struct Law {
    attempts: u32,
    hits: u32,
    strength: f64,
}

impl Law {
    fn new(attempts: u32, hits: u32, rho: f64) -> Self {
        Self { attempts, hits: hits.min(attempts), strength: (1.0 - rho) / rho }
    }

    /// How much likelier the count is at one rate than at another, whose chance is given: the logarithm.
    ///
    /// Of beta-binomials whose shapes differ by 1 or more it is a convex function of the hits, so its mean is largest
    /// when minutes scatter most, and 1 then. With nearer shapes, as of rare hits among very many payments, it is not:
    /// minutes that scatter less would look raised. There the ratio of independent payments counts if it is smaller.
    fn gain(&self, (from, chance): (f64, f64), to: f64) -> f64 {
        let spread = self.log_chance(to) - chance;
        if (to - from).abs() * self.strength >= 1.0 {
            return spread;
        }
        let misses = f64::from(self.attempts - self.hits);
        let independent = f64::from(self.hits) * libm::log(to / from) + misses * libm::log((1.0 - to) / (1.0 - from));
        independent.min(spread)
    }

    /// Logarithm of the chance of the count at a rate, by the beta-binomial law, but for what is the same at every rate.
    fn log_chance(&self, rate: f64) -> f64 {
        let (hit, miss) = (rate * self.strength, (1.0 - rate) * self.strength);
        log_rising(hit, self.hits) + log_rising(miss, self.attempts - self.hits)
    }
}

/// Logarithm of `from * (from + 1) * ...`, so many factors.
fn log_rising(from: f64, factors: u32) -> f64 {
    const BY_HAND: u32 = 12;
    if factors <= BY_HAND {
        let product = (0..factors).fold(1.0, |product, step| product * (from + f64::from(step)));
        return libm::log(product);
    }
    log_gamma(from + f64::from(factors)) - log_gamma(from)
}

/// Logarithm of the gamma function (Stirling's series from 8 on; smaller arguments are moved up).
fn log_gamma(argument: f64) -> f64 {
    let (mut x, mut product) = (argument, 1.0);
    while x < 8.0 {
        product *= x;
        x += 1.0;
    }
    let inverse = 1.0 / x;
    let square = inverse * inverse;
    let series = inverse * (1.0 / 12.0 - square * (1.0 / 360.0 - square * (1.0 / 1260.0 - square / 1680.0)));
    const HALF_LOG_TAU: f64 = 0.918_938_533_204_672_7;
    let log = (x - 0.5) * libm::log(x) - x + HALF_LOG_TAU + series;
    if argument < 8.0 { log - libm::log(product) } else { log }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detector::Settings;

    fn minute(number: u32, attempts: u32, hits: u32) -> Minute {
        Minute { number, attempts, hits, rate: 0.02, bar: 0.022 }
    }

    #[test]
    fn the_gamma_function_is_right() {
        for x in [0.1, 0.5, 1.0, 2.5, 7.99, 8.0, 30.0, 12_345.6] {
            let (ours, theirs) = (log_gamma(x), libm::lgamma(x));
            assert!((ours - theirs).abs() < 1e-9 * theirs.abs().max(1.0), "{x}: {ours} {theirs}");
        }
        assert!((log_rising(0.3, 12) + (0.3_f64 + 12.0).ln() - log_rising(0.3, 13)).abs() < 1e-9);
    }

    /// Both tests are 1 at most in the mean when the rate is the bar: summed over all counts with their chances, from
    /// independent payments to the most overdispersed minutes that are allowed for.
    #[test]
    fn a_quiet_minute_gains_nothing_in_the_mean() {
        let tests = Settings::builtin().unwrap().tests;
        let rare = [(1_200, 0.001_2), (10_000, 0.001_2), (10_000, 0.006)];
        let common = [(1, 0.022_f64), (7, 0.022), (40, 0.022), (300, 0.022), (3_000, 0.055), (500, 0.4)];
        for (attempts, bar) in rare.into_iter().chain(common) {
            let choose = |hits: u32| {
                log_gamma(f64::from(attempts) + 1.0)
                    - log_gamma(f64::from(hits) + 1.0)
                    - log_gamma(f64::from(attempts - hits) + 1.0)
            };
            let independent = |hits: u32| f64::from(hits) * bar.ln() + f64::from(attempts - hits) * (1.0 - bar).ln();
            for rho in [0.0, 0.000_1, 0.001, tests.rho / 2.0, tests.rho] {
                let chance = |hits: u32| {
                    let law = Law::new(attempts, hits, rho);
                    let spread = || law.log_chance(bar) - log_rising(law.strength, attempts);
                    (choose(hits) + if rho > 0.0 { spread() } else { independent(hits) }).exp()
                };
                let (mut all, mut promised, mut early) = (0.0, 0.0, 0.0);
                for hits in 0..=attempts {
                    let mut evidence = Evidence::default();
                    evidence.step(&Minute { number: 1, attempts, hits, rate: bar / 1.1, bar }, &tests);
                    all += chance(hits);
                    promised += chance(hits) * evidence.promised();
                    early += chance(hits) * evidence.early();
                }
                assert!((all - 1.0).abs() < 1e-7, "{attempts}, {rho}: {all}");
                assert!((promised - 1.0).abs() < 1e-7, "{attempts}, {rho}: {promised}");
                assert!(early <= 1.0 + 1e-7, "{attempts}, {rho}: {early}");
            }
        }
    }

    #[test]
    fn a_raised_rate_gathers_evidence_and_says_since_when() {
        let tests = Settings::builtin().unwrap().tests;
        let mut evidence = Evidence::default();
        for number in 0..100 {
            evidence.step(&minute(number, 100, 2), &tests);
        }
        assert!(evidence.promised() < 100.0 && evidence.early() < 100.0);
        for number in 100..110 {
            evidence.step(&minute(number, 100, 12), &tests);
        }
        assert!(evidence.promised() > 1e4 && evidence.early() > 1e6);
        let since = evidence.since();
        assert_eq!((since.minute, since.attempts, since.hits), (100, 1_000, 120));
        assert!((since.excess() - 100.0).abs() < 1e-9 && (since.ratio() - 6.0).abs() < 1e-9);
    }

    #[test]
    fn the_longest_incident_stays_finite_and_recovery_is_seen() {
        let tests = Settings::builtin().unwrap().tests;
        let (mut evidence, mut recovery) = (Evidence::default(), Recovery::default());
        for number in 0..20_000 {
            evidence.step(&minute(number, 1_000, 900), &tests);
            recovery.step(&minute(number, 1_000, 900), 0.9, &tests);
        }
        assert!(evidence.promised().is_finite() && evidence.early().is_finite());
        assert!(recovery.e_value() < 1.0);
        for number in 20_000..20_002 {
            recovery.step(&minute(number, 1_000, 20), 0.9, &tests);
        }
        assert!(recovery.e_value() > tests.recovered_e);
        assert!(recovery.is_over(&tests));
        assert_eq!(recovery.since(), 20_000);
    }

    /// A cell with one attempt a minute of which one in sixteen fails: runs without a hit are chance.
    #[test]
    fn quiet_hours_of_a_small_cell_are_no_recovery() {
        let tests = Settings::builtin().unwrap().tests;
        let small = |number: u32, hits| Minute { number, attempts: 1, hits, rate: 0.002, bar: 0.004 };
        let mut recovery = Recovery::default();
        for number in 0..60 {
            recovery.step(&small(number, 0), 0.06, &tests);
        }
        assert!(recovery.e_value() > 60.0, "so many minutes, and not much evidence: {}", recovery.e_value());
        assert!(recovery.nats() < 1.0 && !recovery.is_eased(&tests), "{}", recovery.nats());
        recovery.step(&small(60, 1), 0.06, &tests);
        assert_eq!(recovery.nats(), 0.0);
        for number in 61..400 {
            recovery.step(&small(number, 0), 0.06, &tests);
        }
        assert!(recovery.is_eased(&tests));
    }
}
