//! The ordinary rate: of the whole by kind of day and hour, of a cell by its level and its own course of the day.
//!
//! Every estimate is a mean of what was seen and what its parent says, weighted by hits: an hour of a kind of day
//! leans on that hour of all days, that on all hours, that on a rate believed before the first day; a cell leans on
//! the whole. So there is an answer from the first minute, and its uncertainty is known. Hits of overdispersed
//! minutes count for less. Old memory fades, which is how trends are followed.

use serde::{Deserialize, Serialize};

use super::settings::{BaselineSettings, Tests};
use super::when::{DayKind, KINDS};

const HOURS: usize = 24;

/// A rate, or a factor on one, and its variance relative to its square.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Estimate {
    pub rate: f64,
    pub variance: f64,
}

impl Estimate {
    /// One that is certain.
    pub(super) const fn certain(rate: f64) -> Self {
        Self { rate, variance: 0.0 }
    }

    /// A rate times a factor.
    pub(super) fn times(self, factor: Self) -> Self {
        Self { rate: self.rate * factor.rate, variance: self.variance + factor.variance }
    }
}

/// Fading sums of one place: hits, and attempts or what was expected of them.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub(super) struct Memory {
    hits: f64,
    base: f64,
}

impl Memory {
    fn learn(&mut self, hits: f64, base: f64, keep: f64) {
        self.hits = self.hits * keep + hits;
        self.base = self.base * keep + base;
    }

    /// This memory and its parent's estimate together; `strength` hits weigh as much as the parent.
    fn estimate(&self, parent: Estimate, strength: f64, inflation: f64) -> Estimate {
        let (hits, base) = (self.hits / inflation, self.base / inflation);
        let parent_base = strength / parent.rate;
        let trust = parent_base / (base + parent_base);
        let variance = 1.0 / (hits + strength) + trust * trust * parent.variance;
        Estimate { rate: (hits + strength) / (base + parent_base), variance }
    }
}

/// How much more hits scatter than independent ones would: fading sums of minutes and attempts.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub(super) struct Scatter {
    attempts: f64,
    minutes: f64,
}

impl Scatter {
    fn learn(&mut self, hour: &Hour, keep: f64) {
        self.attempts = self.attempts * keep + hour.attempts;
        self.minutes = self.minutes * keep + hour.minutes;
    }

    fn inflation(&self, rho: f64) -> f64 {
        let a_minute = if self.minutes > 0.0 { self.attempts / self.minutes } else { 1.0 };
        1.0 + (a_minute - 1.0).max(0.0) * rho
    }
}

/// Why an hour is not learned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) enum Doubt {
    /// It is.
    None,
    /// There was some evidence against it.
    Suspicious,
    /// It belongs to an alarm, which also explains hits of the whole.
    Raised,
}

/// What one hour of a cell counted.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(super) struct Hour {
    /// Minute at which it began.
    pub start: u32,
    pub day: DayKind,
    pub hour: u8,
    /// Whether it may be learned.
    pub doubt: Doubt,
    pub minutes: f64,
    pub attempts: f64,
    pub hits: f64,
    /// Hits expected at the rate of the whole.
    pub base: f64,
    /// Hits expected at the cell's own rate.
    pub expected: f64,
}

impl Hour {
    pub(super) const fn new(start: u32, day: DayKind, hour: u8) -> Self {
        Self { start, day, hour, doubt: Doubt::None, minutes: 0.0, attempts: 0.0, hits: 0.0, base: 0.0, expected: 0.0 }
    }
}

/// The course of a signal's rate over the whole.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Profile {
    prior_rate: f64,
    all: Memory,
    hours: [Memory; HOURS],
    days: [[Memory; HOURS]; KINDS],
    scatter: Scatter,
}

impl Profile {
    pub(super) fn new(prior_rate: f64) -> Self {
        let days = [[Memory::default(); HOURS]; KINDS];
        Self { prior_rate, all: Memory::default(), hours: Default::default(), days, scatter: Scatter::default() }
    }

    /// Learns an hour of the whole, without the hits that are known to belong to an incident.
    pub(super) fn learn(&mut self, hour: &Hour, settings: &BaselineSettings) {
        let (hits, place) = (hour.hits, usize::from(hour.hour));
        self.all.learn(hits, hour.attempts, settings.level_keep);
        self.scatter.learn(hour, settings.level_keep);
        if let Some(memory) = self.hours.get_mut(place) {
            memory.learn(hits, hour.attempts, settings.hour_keep);
        }
        if let Some(memory) = self.days.get_mut(hour.day as usize).and_then(|hours| hours.get_mut(place)) {
            memory.learn(hits, hour.attempts, settings.hour_keep);
        }
    }

    /// The rate of the whole in an hour.
    pub(super) fn estimate(&self, day: DayKind, hour: u8, settings: &BaselineSettings, rho: f64) -> Estimate {
        let (inflation, place) = (self.scatter.inflation(rho), usize::from(hour));
        let prior = Estimate::certain(self.prior_rate);
        let mut estimate = self.all.estimate(prior, settings.all_strength, inflation);
        if let Some(memory) = self.hours.get(place) {
            estimate = memory.estimate(estimate, settings.hour_strength, inflation);
        }
        if let Some(memory) = self.days.get(day as usize).and_then(|hours| hours.get(place)) {
            estimate = memory.estimate(estimate, settings.day_strength, inflation);
        }
        estimate
    }
}

/// How one cell differs from the whole.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Level {
    level: Memory,
    /// By whether people work, and hour; kept for a cell that has enough hits to have a course of its own.
    hours: Option<Box<[[Memory; HOURS]; 2]>>,
    scatter: Scatter,
    /// A factor that somebody accepted as the new ordinary.
    accepted: f64,
}

impl Level {
    pub(super) fn new() -> Self {
        Self { level: Memory::default(), hours: None, scatter: Scatter::default(), accepted: 1.0 }
    }

    pub(super) fn learn(&mut self, hour: &Hour, settings: &BaselineSettings, rho: f64) {
        let (hits, base) = (hour.hits / self.accepted, hour.base);
        let level = self.level(settings, rho).rate;
        self.level.learn(hits, base, settings.level_keep);
        self.scatter.learn(hour, settings.level_keep);
        if self.level.hits < settings.own_hour_strength {
            return;
        }
        let hours = self.hours.get_or_insert_default().get_mut(usize::from(hour.day.rests()));
        if let Some(memory) = hours.and_then(|hours| hours.get_mut(usize::from(hour.hour))) {
            memory.learn(hits, base * level, settings.hour_keep);
        }
    }

    fn level(&self, settings: &BaselineSettings, rho: f64) -> Estimate {
        let peers = Estimate::certain(1.0);
        self.level.estimate(peers, settings.level_strength, self.scatter.inflation(rho))
    }

    /// The factor on the rate of the whole in an hour.
    pub(super) fn estimate(&self, day: DayKind, hour: u8, settings: &BaselineSettings, rho: f64) -> Estimate {
        let level = self.level(settings, rho);
        let even = Estimate::certain(1.0);
        let hours = self.hours.as_ref().and_then(|hours| hours.get(usize::from(day.rests())));
        let memory = hours.and_then(|hours| hours.get(usize::from(hour))).copied().unwrap_or_default();
        let own = memory.estimate(even, settings.own_hour_strength, self.scatter.inflation(rho));
        Estimate { rate: level.rate * own.rate * self.accepted, variance: level.variance + own.variance }
    }

    /// Takes a raised rate for the ordinary one from now on.
    pub(super) fn accept(&mut self, ratio: f64) {
        self.accepted *= ratio;
    }

    /// The factor accepted so far.
    pub(super) const fn accepted(&self) -> f64 {
        self.accepted
    }
}

/// The hour before, the hour itself and the hour after.
pub(super) fn hours_around(hour: u8) -> [u8; 3] {
    [(hour + 23) % 24, hour, (hour + 1) % 24]
}

/// The rate of a cell in the middle of the last hour, this one and the next.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(super) struct Course {
    rates: [f64; 3],
    bars: [f64; 3],
}

impl Course {
    pub(super) fn new(around: [Estimate; 3], tests: &Tests) -> Self {
        // Rates scatter around their peers' by factors, so the margin is one.
        let margin = |estimate: Estimate| libm::exp(tests.margin_sd * estimate.variance.sqrt());
        let bar = |estimate: Estimate| estimate.rate * (1.0 + tests.slack) * margin(estimate);
        Self { rates: around.map(|estimate| estimate.rate), bars: around.map(bar) }
    }

    /// Rate and bar so many minutes past the hour.
    pub(super) fn at(&self, past: u8) -> (f64, f64) {
        let between = |[before, now, after]: [f64; 3]| {
            let part = (f64::from(past) - 29.5) / 60.0;
            if part < 0.0 { now + (before - now) * -part } else { now + (after - now) * part }
        };
        (between(self.rates), between(self.bars))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detector::Settings;

    fn hour(day: DayKind, hour: u8, attempts: f64, hits: f64, base: f64) -> Hour {
        Hour { minutes: 60.0, attempts, hits, base, ..Hour::new(0, day, hour) }
    }

    #[test]
    fn the_whole_learns_hours_and_days() {
        let settings = Settings::builtin().unwrap().baseline;
        let mut profile = Profile::new(0.003);
        let first = profile.estimate(DayKind::Monday, 9, &settings, 0.01);
        assert!((first.rate - 0.003).abs() < 1e-12 && first.variance.sqrt() > 0.2, "{first:?}");
        for _ in 0..6 {
            for day in [DayKind::Monday, DayKind::Tuesday, DayKind::Holiday] {
                for clock in 0..24 {
                    let rate = if clock >= 20 { 0.04 } else { 0.02 } * if day == DayKind::Holiday { 1.5 } else { 1.0 };
                    profile.learn(&hour(day, clock, 12_000.0, 12_000.0 * rate, 0.0), &settings);
                }
            }
        }
        for (day, clock, expected) in [
            (DayKind::Monday, 9, 0.02),
            (DayKind::Monday, 21, 0.04),
            (DayKind::Holiday, 9, 0.03),
            (DayKind::Holiday, 21, 0.06),
        ] {
            let known = profile.estimate(day, clock, &settings, 0.01);
            assert!((known.rate / expected - 1.0).abs() < 0.1, "{day:?} {clock}: {known:?}");
            assert!(known.variance.sqrt() < 0.12, "{known:?}");
        }
        // A day never seen leans on the same hour of the others.
        let unseen = profile.estimate(DayKind::Payday, 21, &settings, 0.01);
        assert!(
            unseen.rate > 0.035 && unseen.variance > profile.estimate(DayKind::Monday, 21, &settings, 0.01).variance
        );
    }

    #[test]
    fn a_cell_leans_on_the_whole_until_it_knows_better() {
        let settings = Settings::builtin().unwrap().baseline;
        let mut level = Level::new();
        let first = level.estimate(DayKind::Monday, 9, &settings, 0.01);
        assert!((first.rate - 1.0).abs() < 1e-12);
        for _ in 0..20 {
            for clock in 0..24 {
                level.learn(&hour(DayKind::Monday, clock, 600.0, 36.0, 12.0), &settings, 0.01);
            }
        }
        let known = level.estimate(DayKind::Monday, 9, &settings, 0.01);
        assert!((known.rate - 3.0).abs() < 0.1 && known.variance < first.variance / 4.0, "{known:?}");
        level.accept(2.0);
        assert!((level.estimate(DayKind::Monday, 9, &settings, 0.01).rate - 6.0).abs() < 0.2);
    }

    #[test]
    fn the_course_has_no_steps() {
        let tests = Settings::builtin().unwrap().tests;
        let rate = |rate| Estimate { rate, variance: 0.01 };
        let (one, next) = (
            Course::new([rate(0.01), rate(0.02), rate(0.04)], &tests),
            Course::new([rate(0.02), rate(0.04), rate(0.03)], &tests),
        );
        let ((last, last_bar), (first, first_bar)) = (one.at(59), next.at(0));
        assert!(first > last && first - last < 0.000_4, "{last} {first}");
        let margin = 1.1 * 0.2_f64.exp();
        assert!((last_bar / last - margin).abs() < 1e-9 && (first_bar / first - margin).abs() < 1e-9);
    }
}
