//! What could be the cause, and what is only alike: hypotheses as data, each with the comparison that would tell.

use onus_model::{Instant, Text};
use rustc_hash::FxHashMap;
use serde::Deserialize;

use crate::{
    episode::amount::Cut,
    found::{Found, Rate},
    grouped::{in_scope, value},
    policy::PolicyError,
    sample::{Dim, FailureClass, Family, Sample},
    scope::times,
};

/// What a comparison says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is as the hypothesis says.
    Supports,
    /// It is otherwise.
    Excludes,
    /// There is too little to compare.
    Unknown,
}

impl Verdict {
    /// The name in exports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Supports => "supports",
            Self::Excludes => "excludes",
            Self::Unknown => "unknown",
        }
    }

    const fn of(supports: bool) -> Self {
        if supports { Self::Supports } else { Self::Excludes }
    }
}

/// The comparison that tells a hypothesis from others.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Test {
    /// Payments just on the failing side of the cut against payments just on the other side, with the same values of
    /// `hold`. Failing on one side only supports.
    Sides {
        /// How near to the cut, as a share of it.
        near_ppm: u64,
        /// Dimensions in which both sides have the same values.
        hold: Vec<Dim>,
    },
    /// Payments alike in these dimensions, and on the failing side of the cut, but out of scope.
    Elsewhere {
        /// Dimensions in which they are alike.
        like: Vec<Dim>,
        /// That they fail as well supports; otherwise that they do not.
        failing_supports: bool,
    },
    /// Share of failures of these classes among the failures in scope and these. A share of `share_ppm` supports.
    Classes {
        /// The classes.
        classes: Vec<FailureClass>,
        /// Least share.
        share_ppm: u64,
    },
    /// The rate of each value of a dimension within the scope. One far above the others supports; all alike excludes.
    Spread {
        /// The dimension.
        dim: Dim,
    },
    /// Payments in the same hours of other days against those in the time of the episode. A difference of `share_ppm`
    /// supports.
    Volume {
        /// Least difference.
        share_ppm: u64,
    },
}

/// A hypothesis.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hypothesis {
    /// Its name.
    pub id: String,
    /// Families that it could explain.
    pub families: Vec<Family>,
    /// Nobody would be to blame: a look-alike.
    pub innocent: bool,
    /// What it says.
    pub says: Text,
    /// What the comparison looks at.
    pub looks_at: Text,
    /// The comparison.
    pub test: Test,
    /// What the numbers say when it is supported, with `{a}` and `{b}` for the two sides.
    pub supported: Text,
    /// What the numbers say when it is excluded.
    pub excluded: Text,
    /// Where it comes from.
    pub source: String,
    /// How far it can be trusted.
    pub grade: onus_model::Grade,
}

/// All hypotheses, and how an episode is announced.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hypotheses {
    /// Fewer payments on a side are too few to compare.
    pub min_attempts: u64,
    /// A rate of so many times another is another.
    pub min_ratio_ppm: u64,
    /// Rates of values are alike when the least is at least this share of the greatest.
    pub alike_ppm: u64,
    /// What is told to agents and merchants.
    pub notice: Text,
    /// What is told to them once it is over.
    pub notice_over: Text,
    /// What agents are told about themselves.
    pub notice_agent: Text,
    /// The hypotheses, in the order in which they are shown.
    #[serde(rename = "hypothesis")]
    pub all: Vec<Hypothesis>,
}

/// What a hypothesis came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outcome<'h> {
    /// The hypothesis.
    pub hypothesis: &'h Hypothesis,
    /// What its comparison says.
    pub verdict: Verdict,
    /// One side of the comparison.
    pub a: Rate,
    /// The other.
    pub b: Rate,
    /// Value of the dimension that stands out or fails least, when the comparison is by value.
    pub value: Option<u32>,
}

impl Hypotheses {
    /// Reads hypotheses (`packs/episodes-*/hypotheses.toml`).
    ///
    /// # Errors
    /// Names the line that is wrong.
    pub fn from_toml(text: &str) -> Result<Self, PolicyError> {
        toml::from_str(text).map_err(|error| PolicyError::Form(error.to_string()))
    }

    /// The hypotheses in the repository (`packs/episodes-1`).
    ///
    /// # Errors
    /// When that file is broken, which the tests of this crate rule out.
    pub fn builtin() -> Result<Self, PolicyError> {
        Self::from_toml(include_str!("../../../../packs/episodes-1/hypotheses.toml"))
    }

    /// Tries all hypotheses that could explain an episode.
    #[must_use]
    pub fn weigh(&self, samples: &[Sample], found: &Found, cut: Option<&Cut>) -> Vec<Outcome<'_>> {
        let scene = Scene { rules: self, samples, found, cut };
        let weigh = |hypothesis| scene.weigh(hypothesis);
        self.all.iter().filter(|it| it.families.contains(&found.family)).map(weigh).collect()
    }
}

struct Scene<'a> {
    rules: &'a Hypotheses,
    samples: &'a [Sample],
    found: &'a Found,
    cut: Option<&'a Cut>,
}

impl Scene<'_> {
    fn weigh<'h>(&self, hypothesis: &'h Hypothesis) -> Outcome<'h> {
        let (verdict, a, b, value) = match &hypothesis.test {
            Test::Sides { near_ppm, hold } => self.sides(*near_ppm, hold),
            Test::Elsewhere { like, failing_supports } => self.elsewhere(like, *failing_supports),
            Test::Classes { classes, share_ppm } => self.classes(classes, *share_ppm),
            Test::Spread { dim } => self.spread(*dim),
            Test::Volume { share_ppm } => self.volume(*share_ppm),
        };
        Outcome { hypothesis, verdict, a, b, value }
    }

    fn in_time(&self) -> impl Iterator<Item = &Sample> {
        let until = self.found.ended_at.unwrap_or(Instant(i64::MAX));
        self.samples.iter().filter(move |sample| (self.found.started_at..=until).contains(&sample.at))
    }

    fn in_scope(&self, sample: &Sample) -> bool {
        in_scope(sample, &self.found.scope)
    }

    fn failed(&self, sample: &Sample) -> bool {
        sample.fails_in(self.found.family)
    }

    /// Two sides with too few payments, with rates that differ, or alike.
    fn compare(&self, a: Rate, b: Rate) -> Option<bool> {
        let enough = a.attempts >= self.rules.min_attempts && b.attempts >= self.rules.min_attempts;
        enough.then(|| times(a.ppm(), b.ppm().max(1), self.rules.min_ratio_ppm))
    }

    fn sides(&self, near_ppm: u64, hold: &[Dim]) -> (Verdict, Rate, Rate, Option<u32>) {
        let Some(cut) = self.cut else { return (Verdict::Unknown, Rate::default(), Rate::default(), None) };
        let near = scaled(cut.amount_minor, near_ppm);
        let mut strata: FxHashMap<Vec<u32>, (Rate, Rate)> = FxHashMap::default();
        for sample in self.in_time().filter(|sample| sample.amount_minor.abs_diff(cut.amount_minor) <= near) {
            let key = hold.iter().map(|dim| value(&sample.dims, *dim)).collect();
            let (failing, other) = strata.entry(key).or_default();
            (if cut.holds(sample.amount_minor) { failing } else { other }).add(self.failed(sample));
        }
        let (mut a, mut b) = (Rate::default(), Rate::default());
        for (failing, other) in strata.into_values().filter(|(a, b)| a.attempts > 0 && b.attempts > 0) {
            (a, b) = (a.plus(failing), b.plus(other));
        }
        // A pair is two payments alike in all that is held: few say much.
        let enough = a.attempts.saturating_mul(4) >= self.rules.min_attempts && a.failures > 0;
        let verdict = if enough {
            Verdict::of(times(a.ppm(), b.ppm().max(1), self.rules.min_ratio_ppm))
        } else {
            Verdict::Unknown
        };
        (verdict, a, b, None)
    }

    fn elsewhere(&self, like: &[Dim], failing_supports: bool) -> (Verdict, Rate, Rate, Option<u32>) {
        let mut values: Vec<FxHashMap<u32, u64>> = vec![FxHashMap::default(); like.len()];
        let (mut inside, mut outside) = (Rate::default(), Rate::default());
        for sample in self.in_time().filter(|sample| self.in_scope(sample)) {
            inside.add(self.failed(sample));
            for (dim, counts) in like.iter().zip(&mut values) {
                *counts.entry(value(&sample.dims, *dim)).or_default() += 1;
            }
        }
        let usual = |counts: &FxHashMap<u32, u64>, value: u32| {
            counts.get(&value).is_some_and(|count| times(*count, inside.attempts, 10_000))
        };
        for sample in self.in_time().filter(|sample| !self.in_scope(sample)) {
            let alike = like.iter().zip(&values).all(|(dim, counts)| usual(counts, value(&sample.dims, *dim)));
            if alike && self.cut.is_none_or(|cut| cut.holds(sample.amount_minor)) {
                outside.add(self.failed(sample));
            }
        }
        let verdict = match self.compare(inside, outside) {
            None => Verdict::Unknown,
            Some(quiet_elsewhere) => Verdict::of(quiet_elsewhere != failing_supports),
        };
        (verdict, inside, outside, None)
    }

    fn classes(&self, classes: &[FailureClass], share_ppm: u64) -> (Verdict, Rate, Rate, Option<u32>) {
        let (mut of_class, mut all) = (Rate::default(), Rate::default());
        for sample in self.in_time().filter(|sample| self.in_scope(sample)) {
            let named = classes.contains(&sample.class);
            if named || self.failed(sample) {
                of_class.add(named);
            }
            all.add(self.failed(sample));
        }
        let enough = of_class.attempts >= self.rules.min_attempts;
        let verdict = if enough { Verdict::of(of_class.ppm() >= share_ppm) } else { Verdict::Unknown };
        (verdict, of_class, all, None)
    }

    fn spread(&self, dim: Dim) -> (Verdict, Rate, Rate, Option<u32>) {
        let mut rates: FxHashMap<u32, Rate> = FxHashMap::default();
        for sample in self.in_time().filter(|sample| self.in_scope(sample)) {
            rates.entry(value(&sample.dims, dim)).or_default().add(self.failed(sample));
        }
        let mut rates: Vec<(u32, Rate)> =
            rates.into_iter().filter(|(value, rate)| *value != 0 && rate.attempts >= self.rules.min_attempts).collect();
        rates.sort_by_key(|(value, rate)| (rate.ppm(), *value));
        let (Some((_, least)), Some((value, most))) = (rates.first(), rates.last()) else {
            return (Verdict::Unknown, Rate::default(), Rate::default(), None);
        };
        if rates.len() < 2 {
            return (Verdict::Unknown, *most, *least, None);
        }
        // Others than the greatest, together.
        let others = rates.iter().rev().skip(1).fold(Rate::default(), |sum, (_, rate)| sum.plus(*rate));
        if times(least.ppm(), most.ppm(), self.rules.alike_ppm) {
            return (Verdict::Excludes, *most, *least, None);
        }
        let alone = times(most.ppm(), others.ppm().max(1), self.rules.min_ratio_ppm);
        (if alone { Verdict::Supports } else { Verdict::Excludes }, *most, others, alone.then_some(*value))
    }

    fn volume(&self, share_ppm: u64) -> (Verdict, Rate, Rate, Option<u32>) {
        const DAY: i64 = 86_400;
        let last = self.samples.last().map_or(self.found.started_at, |sample| sample.at);
        let until = self.found.ended_at.unwrap_or(last);
        let now = Rate { attempts: self.in_time().count() as u64, failures: 0 };
        let Some(first) = self.samples.first() else { return (Verdict::Unknown, now, now, None) };
        let mut other = Rate::default();
        let mut days = 0u64;
        for shift in (-7..=7i64).filter(|shift| *shift != 0) {
            let from = self.found.started_at.plus_seconds(shift * DAY);
            let to = until.plus_seconds(shift * DAY);
            if from >= first.at && to <= last {
                days += 1;
                other.attempts += self.samples.iter().filter(|it| (from..=to).contains(&it.at)).count() as u64;
            }
        }
        let Some(usual) = other.attempts.checked_div(days) else { return (Verdict::Unknown, now, other, None) };
        let differs = now.attempts.abs_diff(usual).saturating_mul(1_000_000) >= usual.saturating_mul(share_ppm);
        (Verdict::of(differs), now, Rate { attempts: usual, failures: 0 }, None)
    }
}

/// A share of an amount.
fn scaled(amount_minor: i64, ppm: u64) -> u64 {
    u64::try_from(u128::from(amount_minor.unsigned_abs()) * u128::from(ppm) / 1_000_000).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        detect::detect,
        episode::amount::Alike,
        policy::Policy,
        streams::{Rng, Stream, at},
    };

    /// The day of Shiyan: one line carries contactless payments without PIN below 500 of two cities and loses answers.
    fn shiyan(seed: u64) -> Stream {
        let mut stream = Stream::quiet(seed, 120_000);
        let mut rng = Rng::new(seed);
        for sample in &mut stream.samples {
            sample.amount_minor = 100 + i64::try_from(rng.below(100_000)).unwrap();
            let tap = rng.chance(500_000);
            sample.dims[9] = if tap { 7 } else { 5 };
            sample.dims[10] = if tap && sample.amount_minor < 100_000 { 2 } else { 1 };
            if [1, 2].contains(&sample.dims[2]) {
                sample.dims[0] = if tap && sample.amount_minor < 50_000 { 211 } else { 201 };
            }
        }
        stream.fail(|sample, rng| {
            let hit = sample.dims[0] == 211 && (at("10:20")..at("14:05")).contains(&sample.at);
            (hit && rng.chance(600_000)).then_some(FailureClass::NoAnswer)
        });
        stream
    }

    #[test]
    fn the_hypotheses_of_shiyan_are_told_apart() {
        let policy = Policy::builtin().unwrap();
        let hypotheses = Hypotheses::builtin().unwrap();
        for seed in 0..4 {
            let stream = shiyan(seed);
            let found = detect(&stream.samples, &policy).remove(0);
            let cut = Alike::of(&stream.samples, &found, &policy.cut).cut(&policy.cut);
            assert_eq!(cut.map(|cut| cut.amount_minor), Some(50_000), "seed {seed}");
            let weighed = hypotheses.weigh(&stream.samples, &found, cut.as_ref());
            let verdicts: Vec<_> = weighed.iter().map(|it| (it.hypothesis.id.as_str(), it.verdict.as_str())).collect();
            assert_eq!(
                verdicts,
                [
                    ("route_below_a_limit", "supports"),
                    ("amount_limit_in_the_route", "supports"),
                    ("no_pin_limit", "excludes"),
                    ("qr_daily_cap", "excludes"),
                    ("risk_rule", "excludes"),
                    ("offline_or_batch", "excludes"),
                    ("program_version", "excludes"),
                    ("issuer_outage", "excludes"),
                    ("funds_before_payday", "excludes"),
                    ("busier_than_usual", "unknown"),
                    ("upgrade_wave", "excludes"),
                    ("agent_or_terminal", "excludes"),
                ],
                "seed {seed}: {weighed:#?}"
            );
        }
    }

    #[test]
    fn a_program_that_fails_alone_is_the_one() {
        let policy = Policy::builtin().unwrap();
        let mut stream = Stream::quiet(5, 60_000);
        stream.fail(|sample, rng| {
            let hit = sample.dims[0] == 202 && sample.dims[4] == 284;
            let now = (at("10:20")..at("14:05")).contains(&sample.at);
            (hit && now && rng.chance(900_000)).then_some(FailureClass::NoAnswer)
        });
        let mut found = detect(&stream.samples, &policy).remove(0);
        found.scope = vec![(Dim::NetworkLink, vec![202])];
        let hypotheses = Hypotheses::builtin().unwrap();
        let weighed = hypotheses.weigh(&stream.samples, &found, None);
        let of = |id: &str| weighed.iter().find(|it| it.hypothesis.id == id).unwrap();
        assert_eq!((of("program_version").verdict, of("program_version").value), (Verdict::Supports, Some(284)));
        assert_eq!(of("issuer_outage").verdict, Verdict::Excludes);
        assert_eq!(of("amount_limit_in_the_route").verdict, Verdict::Unknown);
    }
}
