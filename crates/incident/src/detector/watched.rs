//! One watched cell: its evidence, its baseline, and whether its rate is raised.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::alarm::{self, Alarm, By, Cell, Change, Count};
use super::baseline::{Course, Doubt, Estimate, Hour, Level, hours_around};
use super::evidence::{Evidence, Minute, Recovery, Since};
use super::settings::{Settings, Signal, Tests};
use super::when::{When, instant_of};

/// What an alarm in a cell counted so far.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Raised {
    by: By,
    at: u32,
    so_far: Since,
    recovery: Recovery,
}

/// The state of one cell.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Watched {
    pub cell: Cell,
    /// Minute of the last attempts.
    pub seen: u32,
    evidence: Evidence,
    level: Level,
    course: Course,
    hour: Hour,
    /// Hours that are over and not yet learned.
    unsettled: VecDeque<Hour>,
    raised: Option<Raised>,
}

/// What every cell of one signal shares in one minute.
pub(super) struct Whole<'a> {
    pub settings: &'a Settings,
    pub signal: &'a Signal,
    pub when: When,
    /// The rate of the whole around this hour.
    pub around: [Estimate; 3],
    /// And its course.
    pub course: Course,
}

impl Whole<'_> {
    /// The e-value that a cell of a layer needs.
    fn needed(&self, layer: u8, by: By) -> f64 {
        let part = self.signal.layers.get(usize::from(layer)).map_or(0.0, |layer| layer.share / f64::from(layer.cells));
        self.settings.quiet_minutes(by == By::Early) / (self.signal.share * part)
    }

    /// Whether an alarm is worth raising.
    fn matters(&self, since: &Since) -> bool {
        since.excess() >= self.signal.min_excess && since.ratio() >= self.signal.min_ratio
    }
}

impl Watched {
    pub(super) fn new(cell: Cell, whole: &Whole<'_>, peers: bool) -> Self {
        let mut watched = Self {
            cell,
            seen: whole.when.minute,
            evidence: Evidence::default(),
            level: Level::new(),
            course: whole.course,
            hour: Hour::new(0, whole.when.day, whole.when.hour),
            unsettled: VecDeque::new(),
            raised: None,
        };
        watched.begin_hour(whole, peers);
        watched
    }

    /// Turns to a new hour: what is expected of this cell in it.
    fn begin_hour(&mut self, whole: &Whole<'_>, peers: bool) {
        let (when, settings) = (whole.when, whole.settings);
        self.hour = Hour::new(when.hour_start(), when.day, when.hour);
        let factors = hours_around(when.hour).map(|hour| {
            if self.cell.layer == 0 {
                return Estimate::certain(self.level.accepted());
            }
            self.level.estimate(when.day, hour, &settings.baseline, settings.tests.rho)
        });
        let whole = if peers { [Estimate::certain(1.0); 3] } else { whole.around };
        let [before, now, after] = factors;
        let [w_before, w_now, w_after] = whole;
        let around = [w_before.times(before), w_now.times(now), w_after.times(after)];
        self.course = Course::new(around, &settings.tests);
    }

    /// Takes in one minute.
    pub(super) fn step(&mut self, count: &Count, whole: &Whole<'_>, changes: &mut Vec<Change>) {
        if self.hour.start != whole.when.hour_start() {
            self.end_hour();
            self.begin_hour(whole, count.expected.is_some());
        }
        self.seen = whole.when.minute;
        let attempts = f64::from(count.attempts);
        let most_rate = whole.settings.tests.most_rate;
        let whole_rate = count.expected.map_or(whole.course.at(whole.when.past).0, |expected| expected / attempts);
        let scale = if count.expected.is_some() { whole_rate } else { 1.0 };
        let (rate, bar) = self.course.at(whole.when.past);
        // A bar of 0 would make any hit infinitely surprising.
        let (rate, bar) = ((rate * scale).min(most_rate), (bar * scale).clamp(1e-9, most_rate));
        let minute = Minute {
            number: whole.when.minute,
            attempts: count.attempts,
            hits: count.hits.min(count.attempts),
            rate,
            bar,
        };
        self.hour.minutes += 1.0;
        self.hour.attempts += attempts;
        self.hour.hits += f64::from(minute.hits);
        self.hour.base += attempts * whole_rate;
        self.hour.expected += attempts * rate;
        match self.raised {
            None => self.watch(&minute, whole, changes),
            Some(raised) => self.follow(raised, &minute, whole, changes),
        }
    }

    /// A minute of a cell that is not raised.
    fn watch(&mut self, minute: &Minute, whole: &Whole<'_>, changes: &mut Vec<Change>) {
        self.evidence.step(minute, &whole.settings.tests);
        let (promised, early) = (self.evidence.promised(), self.evidence.early());
        if promised.max(early) < whole.settings.tests.suspicious_e {
            return;
        }
        self.hour.doubt = self.hour.doubt.max(Doubt::Suspicious);
        let (needs_promised, needs_early) =
            (whole.needed(self.cell.layer, By::Promised), whole.needed(self.cell.layer, By::Early));
        let (by, e_value, needed) = if promised >= needs_promised {
            (By::Promised, promised, needs_promised)
        } else if early >= needs_early {
            (By::Early, early, needs_early)
        } else {
            return;
        };
        let so_far = self.evidence.since();
        if !whole.matters(&so_far) {
            return;
        }
        match by {
            By::Promised => self.evidence = Evidence::default(),
            By::Early => self.evidence.clear_early(),
        }
        self.raised = Some(Raised { by, at: minute.number, so_far, recovery: Recovery::default() });
        self.hour.doubt = Doubt::Raised;
        for hour in self.unsettled.iter_mut().filter(|hour| hour.start + 60 > so_far.minute) {
            hour.doubt = Doubt::Raised;
        }
        changes.push(Change::Raised(self.alarm(&so_far, by, minute.number, e_value, needed)));
    }

    /// A minute of a cell that is raised.
    fn follow(&mut self, mut raised: Raised, minute: &Minute, whole: &Whole<'_>, changes: &mut Vec<Change>) {
        let tests = &whole.settings.tests;
        self.hour.doubt = Doubt::Raised;
        raised.so_far.count(minute);
        raised.recovery.step(minute, raised.so_far.rate(), tests);
        if raised.by == By::Early {
            self.evidence.step(minute, tests);
            self.evidence.clear_early();
            let (e_value, needed) = (self.evidence.promised(), whole.needed(self.cell.layer, By::Promised));
            if e_value >= needed && whole.matters(&raised.so_far) {
                raised.by = By::Promised;
                let alarm = self.alarm(&raised.so_far, By::Promised, minute.number, e_value, needed);
                changes.push(Change::Confirmed(alarm));
                self.evidence = Evidence::default();
            }
        }
        self.raised = Some(raised);
        let at = instant_of(minute.number + 1);
        if raised.recovery.is_over(tests) {
            self.raised = None;
            self.evidence = Evidence::default();
            changes.push(Change::Recovered { cell: self.cell, since: instant_of(raised.recovery.since()), at });
        } else if minute.number.saturating_sub(raised.at) / 60 >= whole.settings.baseline.accept_hours {
            self.accept();
            changes.push(Change::Accepted { cell: self.cell, at });
        }
    }

    fn alarm(&self, so_far: &Since, by: By, minute: u32, e_value: f64, needed: f64) -> Alarm {
        let since = instant_of(so_far.minute);
        let (attempts, hits, expected) = (so_far.attempts, so_far.hits, so_far.expected);
        Alarm { cell: self.cell, by, since, at: instant_of(minute + 1), e_value, needed, attempts, hits, expected }
    }

    /// Takes the raised rate for the ordinary one.
    pub(super) fn accept(&mut self) {
        if let Some(raised) = self.raised.take() {
            self.level.accept(raised.so_far.ratio().clamp(1.0, 1e6));
            self.evidence = Evidence::default();
            // What is expected from now on is worked out anew with the next attempts.
            self.hour.start = 0;
        }
    }

    pub(super) const fn is_raised(&self) -> bool {
        self.raised.is_some()
    }

    /// How it stands, if it is raised.
    pub(super) fn raised(&self, tests: &Tests) -> Option<alarm::Raised> {
        let raised = self.raised.as_ref()?;
        Some(alarm::Raised {
            cell: self.cell,
            by: raised.by,
            since: instant_of(raised.so_far.minute),
            attempts: raised.so_far.attempts,
            hits: raised.so_far.hits,
            expected: raised.so_far.expected,
            eased: raised.recovery.is_eased(tests),
            back: raised.recovery.nats() <= 0.0,
        })
    }

    /// Puts the hour that is over in line to be learned.
    pub(super) fn end_hour(&mut self) {
        if self.hour.attempts > 0.0 {
            let next = Hour::new(0, self.hour.day, self.hour.hour);
            self.unsettled.push_back(std::mem::replace(&mut self.hour, next));
        }
    }

    /// The oldest hour that is over for long enough to be learned.
    pub(super) fn settled(&mut self, before: u32) -> Option<Hour> {
        self.unsettled.pop_front_if(|hour| hour.start < before)
    }

    pub(super) fn learn(&mut self, hour: &Hour, settings: &Settings) {
        self.level.learn(hour, &settings.baseline, settings.tests.rho);
    }

    /// What is expected of it around this hour.
    #[cfg(test)]
    pub(super) const fn course(&self) -> &Course {
        &self.course
    }

    /// The factor that was accepted for this cell.
    pub(super) const fn accepted(&self) -> f64 {
        self.level.accepted()
    }
}
