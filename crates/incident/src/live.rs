//! Live detection: minutes of payments come in, alarms and episodes come out.
//!
//! [`Live`] holds the merged [`Cube`], the [`Detector`] and what they led to. Whoever counts sets minutes
//! ([`Live::set_minute`]) or adds single attempts ([`Live::add`]), and lets time pass ([`Live::tick`]). The clock is an
//! argument, so a replay over records is the same code with another clock, and says the same.
//!
//! **Late and corrected payments.** A minute that changes after it was looked at is looked at again, with all minutes
//! after it: the detector of up to twice [`rewind_minutes`](crate::detector::LiveSettings::rewind_minutes) ago is kept.
//! An alarm that does not stand any more is *withdrawn*. What was said of episodes stays said: their steps are only
//! added to.
//!
//! **Restart.** [`Live::checkpoint`] is the old detector with its dictionary, [`Live::progress`] what was said since.
//! Minutes after the checkpoint are gone through again when they are set again.
//!
//! An episode is a fact about payments; it charges nobody.

mod alarms;
mod amounts;
mod episodes;
mod locate;
mod picture;
mod scope;

use serde::{Deserialize, Serialize};

pub use alarms::{AlarmLog, Ended, Ending, LoggedAlarm};
pub use episodes::{LiveEpisode, Step};
pub use picture::{MapCell, MapRow, Moment, Part, Picture};
pub use scope::Scope;

use crate::cube::{Attempt, Cube, Partial, Symbols};
use crate::detector::{Change, Detector, Settings, StateError, When, counts};
use crate::localise::RatioSettings;
use crate::policy::Policy;
use episodes::Episodes;

/// A detector as it was after a minute, with the alarms of then.
#[derive(Debug, Clone)]
struct Earlier {
    minute: u32,
    detector: Detector,
    alarms: AlarmLog,
}

/// What [`Live::checkpoint`] writes down.
#[derive(Serialize, Deserialize)]
struct Checkpoint {
    minute: u32,
    symbols: Symbols,
    detector: String,
    alarms: AlarmLog,
}

/// What [`Live::progress`] writes down.
#[derive(Serialize, Deserialize)]
struct Progress {
    looked_at: Option<u32>,
    alarms: AlarmLog,
    episodes: Episodes,
}

/// Detection that runs.
#[derive(Debug, Clone)]
pub struct Live {
    search: RatioSettings,
    policy: Policy,
    symbols: Symbols,
    cube: Cube,
    detector: Detector,
    alarms: AlarmLog,
    episodes: Episodes,
    /// The last minute that was looked at.
    looked_at: Option<u32>,
    /// The first minute that changed after it was looked at.
    changed: Option<u32>,
    /// The older one and the newer one of two earlier states; minutes after the older one can be gone through again.
    earlier: Option<(Earlier, Earlier)>,
    /// Changes that came for minutes too long ago to be gone through again.
    too_late: u64,
}

impl Live {
    /// Detection that knows nothing yet; the policy says how episodes live, and which of them an amount may divide.
    #[must_use]
    pub fn new(settings: Settings, search: RatioSettings, policy: Policy) -> Self {
        Self {
            search,
            policy,
            symbols: Symbols::default(),
            cube: Cube::new(settings.cube.clone()),
            detector: Detector::new(settings),
            alarms: AlarmLog::default(),
            episodes: Episodes::default(),
            looked_at: None,
            changed: None,
            earlier: None,
            too_late: 0,
        }
    }

    /// The settings.
    #[must_use]
    pub const fn settings(&self) -> &Settings {
        self.detector.settings()
    }

    /// Alarms that stand, and those that ended within the last hours.
    #[must_use]
    pub const fn alarms(&self) -> &AlarmLog {
        &self.alarms
    }

    /// Episodes that are not closed, and those that were closed at the last minute.
    #[must_use]
    pub fn episodes(&self) -> &[LiveEpisode] {
        self.episodes.all()
    }

    /// The last minute that was looked at.
    #[must_use]
    pub const fn looked_at(&self) -> Option<u32> {
        self.looked_at
    }

    /// The minutes that are held: first and one past the last.
    #[must_use]
    pub fn span(&self) -> (u32, u32) {
        self.cube.span()
    }

    /// Changes that came too late to be gone through again.
    #[must_use]
    pub const fn too_late(&self) -> u64 {
        self.too_late
    }

    /// The dictionary, to make attempts with.
    pub const fn symbols(&mut self) -> &mut Symbols {
        &mut self.symbols
    }

    /// Counts one attempt.
    pub fn add(&mut self, attempt: &Attempt) {
        self.cube.add(attempt);
        self.touch(attempt.minute);
    }

    /// Replaces what was believed of an attempt.
    pub fn correct(&mut self, before: &Attempt, now: &Attempt) {
        self.cube.correct(before, now);
        self.touch(before.minute.min(now.minute));
    }

    /// Sets a minute to the sum of what several workers counted.
    pub fn set_minute(&mut self, minute: u32, partials: &[&Partial]) {
        if self.cube.set_minute(minute, partials, &mut self.symbols) {
            self.touch(minute);
        } else {
            self.too_late += 1;
        }
    }

    fn touch(&mut self, minute: u32) {
        if self.looked_at.is_some_and(|last| minute <= last) {
            self.changed = Some(self.changed.map_or(minute, |first| first.min(minute)));
        }
    }

    /// Looks at all minutes before `until` that were not looked at, or changed since. Gives what changed in the cells
    /// in minutes that are new; `when` is the local time of a minute.
    pub fn tick(&mut self, until: u32, when: &dyn Fn(u32) -> When) -> Vec<Change> {
        let mut again = self.go_back(when);
        let first = self.looked_at.map_or(self.cube.span().0, |last| (last + 1).max(self.cube.span().0));
        let mut changes = Vec::new();
        if self.earlier.is_none() {
            let before = self.now(first.saturating_sub(1));
            self.earlier = Some((before.clone(), before));
        }
        for minute in first..until.min(self.cube.span().1.max(first)) {
            changes.extend(self.step(when(minute)));
            self.looked_at = Some(minute);
            self.settle(minute, std::mem::take(&mut again));
        }
        // Time passes without payments, too.
        if let Some(last) = self.looked_at.filter(|last| *last + 1 < until) {
            for minute in last + 1..until {
                self.looked_at = Some(minute);
                self.settle(minute, std::mem::take(&mut again));
            }
        }
        if let Some(last) = self.looked_at.filter(|_| again) {
            self.settle(last, true);
        }
        changes
    }

    /// One minute through the detector.
    fn step(&mut self, when: When) -> Vec<Change> {
        let counts = counts(&self.cube, when.minute, self.detector.settings());
        let changes = self.detector.tick(when, &counts);
        let names = |cell| alarms::cube_names(self.detector.settings(), &self.symbols, cell);
        self.alarms.take(&changes, &names);
        self.alarms.refresh(&self.detector, &names);
        self.keep(when.minute);
        changes
    }

    /// What a minute means for the episodes.
    fn settle(&mut self, minute: u32, again: bool) {
        let around = episodes::Around {
            settings: self.detector.settings(),
            search: &self.search,
            cube: &self.cube,
            symbols: &self.symbols,
            alarms: &self.alarms,
            policy: &self.policy,
            minute,
            again,
        };
        self.episodes.pass(&around);
        self.alarms.forget(minute.saturating_sub(self.detector.settings().cube.minutes));
    }

    /// Keeps the state from time to time.
    fn keep(&mut self, minute: u32) {
        let every = self.detector.settings().live.rewind_minutes;
        self.earlier = match self.earlier.take() {
            Some((_, newer)) if minute >= newer.minute + every => Some((newer, self.now(minute))),
            kept => kept,
        };
    }

    fn now(&self, minute: u32) -> Earlier {
        Earlier { minute, detector: self.detector.clone(), alarms: self.alarms.clone() }
    }

    /// Goes through minutes again that changed; whether there were any.
    fn go_back(&mut self, when: &dyn Fn(u32) -> When) -> bool {
        let (Some(changed), Some(last)) = (self.changed.take(), self.looked_at) else { return false };
        let Some((older, newer)) = self.earlier.take() else { return false };
        if changed <= older.minute {
            self.too_late += 1;
        }
        let from = if changed > newer.minute { newer.clone() } else { older.clone() };
        let said = std::mem::replace(&mut self.alarms, from.alarms);
        self.detector = from.detector;
        self.earlier = Some(if changed > newer.minute { (older, newer) } else { (older.clone(), older) });
        let first = (from.minute + 1).max(self.cube.span().0);
        for minute in first..=last {
            self.step(when(minute));
        }
        self.alarms.withdraw(&said, last + 1);
        true
    }

    /// The minute of [`Self::checkpoint`].
    #[must_use]
    pub fn checkpoint_minute(&self) -> Option<u32> {
        self.earlier.as_ref().map(|(older, _)| older.minute)
    }

    /// The older state, to begin from after a restart. None before the first minute.
    ///
    /// # Errors
    /// None that is known.
    pub fn checkpoint(&self) -> Result<Option<(u32, String)>, StateError> {
        let Some((older, _)) = &self.earlier else { return Ok(None) };
        let checkpoint = Checkpoint {
            minute: older.minute,
            symbols: self.symbols.clone(),
            detector: older.detector.to_json()?,
            alarms: older.alarms.clone(),
        };
        Ok(Some((older.minute, serde_json::to_string(&checkpoint)?)))
    }

    /// What was said so far.
    ///
    /// # Errors
    /// None that is known.
    pub fn progress(&self) -> Result<String, StateError> {
        let (alarms, episodes) = (self.alarms.clone(), self.episodes.clone());
        Ok(serde_json::to_string(&Progress { looked_at: self.looked_at, alarms, episodes })?)
    }

    /// Goes on from a checkpoint and what was said since. The minutes after the checkpoint must be set again.
    ///
    /// # Errors
    /// When one of them does not read, or is of other settings; then nothing changes.
    pub fn go_on(&mut self, checkpoint: &str, progress: &str) -> Result<(), StateError> {
        let checkpoint: Checkpoint = serde_json::from_str(checkpoint)?;
        let progress: Progress = serde_json::from_str(progress)?;
        let detector = Detector::from_json(self.detector.settings().clone(), &checkpoint.detector)?;
        let older = Earlier { minute: checkpoint.minute, detector, alarms: checkpoint.alarms };
        self.symbols = checkpoint.symbols;
        self.cube = Cube::new(self.detector.settings().cube.clone());
        self.detector = older.detector.clone();
        self.alarms = progress.alarms;
        self.episodes = progress.episodes;
        self.looked_at = progress.looked_at;
        self.changed = progress.looked_at.filter(|last| *last > older.minute).map(|_| older.minute + 1);
        self.earlier = Some((older.clone(), older));
        Ok(())
    }
}

#[cfg(test)]
mod tests;
