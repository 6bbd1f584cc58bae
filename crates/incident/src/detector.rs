//! Detection: whether a rate is raised, in which cells, since when; with a promise how often that is false.
//!
//! A *signal* is a 0/1 question about payments ("was the reply lost?", "did the money go to another account?"); a
//! *cell* is a part of the payments of which it is asked: all of them, those of a link, an issuer, an account. Each
//! minute [`Detector::tick`] takes what every cell counted and says what changed. Counts come from a
//! [`Cube`](crate::cube::Cube) ([`counts`]) or from whoever knows them.
//!
//! **The promise.** [`Settings::promise`] allows the whole fleet so many false alarms; every cell has a part of it
//! by data ([`Layer::share`]), and needs an e-value as large as its part is small. Whatever the law of quiet minutes,
//! if the rate of each is at most the bar in the mean, the expected number of false alarms is at most the promise:
//! the sum of all parts is 1 at most, and the evidence of a quiet cell grows by 1 a minute at most in the mean. The
//! bar is the estimated rate with slack for what the estimate does not know. An early test beside it is faster, and
//! keeps its own part while minutes are no more overdispersed than allowed for.
//!
//! **The baseline** does not learn from hours in which something was found, and hits that an alarm explains are
//! taken out of the whole.
//!
//! The same counts give the same answers on every machine. A state can be written down ([`Detector::to_json`]),
//! copied to look back ([`Detector::replay`]), and put together from workers that watch different signals
//! ([`Detector::absorb`]); counts of one cell from several workers are added before, by the cube.

mod alarm;
mod baseline;
mod counts;
mod evidence;
mod peers;
mod settings;
mod watched;
mod when;

use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

pub use alarm::{Alarm, By, Cell, Change, Count, Raised};
pub use counts::counts;
pub use peers::{PeerRow, against_peers};
pub use settings::{
    BaselineSettings, Codes, Counted, LatencyBounds, Layer, LiveSettings, PeerSettings, Promise, RecordSettings,
    Settings, SettingsError, Signal, Split, Tests,
};
pub use when::{DayKind, When, instant_of, minute_of};

use crate::cube::Cube;
use baseline::{Course, Doubt, Profile, hours_around};
use watched::{Watched, Whole};

/// A state cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// It is not one.
    #[error("detector state: {0}; start a new one from history")]
    Form(#[from] serde_json::Error),
    /// It was made with other settings.
    #[error("detector state of settings {found}, expected {expected}; start a new one from history")]
    Settings {
        /// In the state.
        found: String,
        /// Given.
        expected: String,
    },
    /// Two states watch the same signal.
    #[error("both detectors watch signal {0}; give each signal to one worker")]
    Twice(String),
}

/// What is remembered of one signal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Remembered {
    profile: Profile,
    /// Cells in the order in which they came.
    cells: Vec<Watched>,
}

impl Remembered {
    /// Learns the hours that began before a minute.
    fn learn(&mut self, before: u32, settings: &Settings) {
        let Self { profile, cells } = self;
        let (totals, mut parts): (Vec<_>, Vec<_>) = cells.iter_mut().partition(|watched| watched.cell.layer == 0);
        let mut blamed: FxHashMap<u32, f64> = FxHashMap::default();
        let mut settled = Vec::new();
        for (place, watched) in parts.iter_mut().enumerate() {
            watched.end_hour();
            while let Some(hour) = watched.settled(before) {
                match hour.doubt {
                    Doubt::None => settled.push((place, hour)),
                    Doubt::Suspicious => {}
                    Doubt::Raised => {
                        let most = blamed.entry(hour.start).or_default();
                        *most = most.max(hour.hits - hour.expected);
                    }
                }
            }
        }
        let mut turned_out: FxHashMap<u32, f64> = FxHashMap::default();
        for total in totals {
            total.end_hour();
            let accepted = total.accepted();
            while let Some(mut hour) = total.settled(before) {
                if hour.doubt == Doubt::None && hour.base > 0.0 {
                    hour.hits = (hour.hits / accepted - blamed.get(&hour.start).copied().unwrap_or(0.0)).max(0.0);
                    turned_out.insert(hour.start, hour.hits / hour.base);
                    profile.learn(&hour, &settings.baseline);
                }
            }
        }
        // A cell is compared with what the whole did in that hour, not with what was believed of it: where the belief
        // was wrong, the whole learns it, and the cells would keep the error as a level of their own.
        for (place, mut hour) in settled {
            hour.base *= turned_out.get(&hour.start).copied().unwrap_or(1.0);
            if let Some(watched) = parts.get_mut(place) {
                watched.learn(&hour, settings);
            }
        }
    }
}

/// Everything a detector remembers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct State {
    settings: String,
    now: Option<When>,
    signals: Vec<Remembered>,
    unwatched: u64,
}

/// Watches the cells of all signals.
#[derive(Debug, Clone)]
pub struct Detector {
    settings: Settings,
    state: State,
    /// Where the cells are in `state`, and how many each layer has.
    places: FxHashMap<Cell, u32>,
    watched: FxHashMap<(u8, u8), u32>,
}

impl Detector {
    /// A detector that knows nothing but what is believed before the first day.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        let remembered = |signal: &Signal| Remembered { profile: Profile::new(signal.prior_rate), cells: Vec::new() };
        let signals = settings.signals.iter().map(remembered).collect();
        let state = State { settings: settings.id.clone(), now: None, signals, unwatched: 0 };
        Self { settings, state, places: FxHashMap::default(), watched: FxHashMap::default() }
    }

    /// The settings.
    #[must_use]
    pub const fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Counts that no cell took because its layer was full, over all time.
    #[must_use]
    pub const fn unwatched(&self) -> u64 {
        self.state.unwatched
    }

    /// Cells whose rate is raised now, and what they counted since it began.
    pub fn raised(&self) -> impl Iterator<Item = Raised> {
        let cells = self.state.signals.iter().flat_map(|signal| &signal.cells);
        cells.filter_map(|watched| watched.raised(&self.settings.tests))
    }

    /// Takes in one minute; minutes come in order, and a cell stands in `counts` once at most.
    pub fn tick(&mut self, when: When, counts: &[Count]) -> Vec<Change> {
        if self.state.now.is_some_and(|now| now.hour_start() != when.hour_start()) {
            self.close_hour(when.hour_start());
        }
        self.state.now = Some(when);
        let mut changes = Vec::new();
        let mut rest = counts;
        while let Some(first) = rest.first() {
            let same = rest.iter().take_while(|count| count.cell.signal == first.cell.signal).count();
            let (of_signal, others) = rest.split_at(same);
            self.tick_signal(when, of_signal, &mut changes);
            rest = others;
        }
        changes
    }

    fn tick_signal(&mut self, when: When, counts: &[Count], changes: &mut Vec<Change>) {
        let Self { settings, state, places, watched } = self;
        let index = usize::from(counts.first().map_or(0, |count| count.cell.signal));
        let (Some(signal), Some(remembered)) = (settings.signals.get(index), state.signals.get_mut(index)) else {
            return;
        };
        let around = hours_around(when.hour)
            .map(|hour| remembered.profile.estimate(when.day, hour, &settings.baseline, settings.tests.rho));
        let course = Course::new(around, &settings.tests);
        let whole = Whole { settings, signal, when, around, course };
        // Counts mostly come in the order of the minute before, so that the next cell is the one that is asked for.
        let mut next = 0;
        for count in counts.iter().filter(|count| count.attempts > 0) {
            if remembered.cells.get(next).is_none_or(|known| known.cell != count.cell) {
                next = places.get(&count.cell).map_or(usize::MAX, |place| *place as usize);
            }
            if let Some(known) = remembered.cells.get_mut(next) {
                known.step(count, &whole, changes);
                next += 1;
                continue;
            }
            let room = signal.layers.get(usize::from(count.cell.layer)).map_or(0, |layer| layer.cells);
            let taken = watched.entry((count.cell.signal, count.cell.layer)).or_default();
            if *taken >= room {
                state.unwatched += 1;
                continue;
            }
            *taken += 1;
            places.insert(count.cell, remembered.cells.len() as u32);
            let mut new = Watched::new(count.cell, &whole, count.expected.is_some());
            new.step(count, &whole, changes);
            remembered.cells.push(new);
        }
    }

    /// Learns the hours that settled, and forgets cells that are gone.
    fn close_hour(&mut self, start: u32) {
        let settings = &self.settings;
        let before = (start + 1).saturating_sub(settings.baseline.settle_hours * 60);
        for remembered in &mut self.state.signals {
            remembered.learn(before, settings);
        }
        let keep_from = start.saturating_sub(settings.baseline.forget_days * 1_440);
        let gone = |watched: &Watched| watched.seen < keep_from && watched.cell.layer != 0;
        if self.state.signals.iter().any(|remembered| remembered.cells.iter().any(gone)) {
            for remembered in &mut self.state.signals {
                remembered.cells.retain(|watched| !gone(watched));
            }
            self.index();
        }
    }

    fn index(&mut self) {
        self.places.clear();
        self.watched.clear();
        for remembered in &self.state.signals {
            for (place, watched) in (0..).zip(&remembered.cells) {
                self.places.insert(watched.cell, place);
                *self.watched.entry((watched.cell.signal, watched.cell.layer)).or_default() += 1;
            }
        }
    }

    /// Somebody says that a raised rate is the ordinary one from now on. False if the cell is not raised.
    pub fn accept(&mut self, cell: Cell) -> bool {
        let place = self.places.get(&cell).map(|place| *place as usize);
        let signal = self.state.signals.get_mut(usize::from(cell.signal));
        let watched = signal.zip(place).and_then(|(signal, place)| signal.cells.get_mut(place));
        watched.filter(|watched| watched.is_raised()).map(Watched::accept).is_some()
    }

    /// Goes over minutes of a cube again, as when late payments changed them: the detector as it would be now, and
    /// what it would have said. `self` is as it was before those minutes.
    #[must_use]
    pub fn replay(&self, cube: &Cube, minutes: impl IntoIterator<Item = When>) -> (Self, Vec<Change>) {
        let mut again = self.clone();
        let mut changes = Vec::new();
        for when in minutes {
            let counts = counts(cube, when.minute, &again.settings);
            changes.extend(again.tick(when, &counts));
        }
        (again, changes)
    }

    /// Takes over the signals that another worker watched.
    ///
    /// # Errors
    /// When the settings differ or both have cells of a signal; then nothing changes.
    pub fn absorb(&mut self, other: Self) -> Result<(), StateError> {
        if other.state.settings != self.state.settings {
            return Err(StateError::Settings { found: other.state.settings, expected: self.state.settings.clone() });
        }
        let both = self.state.signals.iter().zip(&other.state.signals).zip(&self.settings.signals);
        for ((ours, theirs), signal) in both {
            if !ours.cells.is_empty() && !theirs.cells.is_empty() {
                return Err(StateError::Twice(signal.id.clone()));
            }
        }
        for (ours, theirs) in self.state.signals.iter_mut().zip(other.state.signals) {
            if !theirs.cells.is_empty() {
                *ours = theirs;
            }
        }
        self.state.unwatched += other.state.unwatched;
        let minute = |when: &Option<When>| when.map_or(0, |when| when.minute);
        self.state.now = [self.state.now, other.state.now].into_iter().max_by_key(minute).flatten();
        self.index();
        Ok(())
    }

    /// The state as text, exact to the last bit.
    ///
    /// # Errors
    /// None that is known.
    pub fn to_json(&self) -> Result<String, StateError> {
        Ok(serde_json::to_string(&self.state)?)
    }

    /// A detector with a state that was written down.
    ///
    /// # Errors
    /// When the text is not a state of these settings.
    pub fn from_json(settings: Settings, text: &str) -> Result<Self, StateError> {
        let state: State = serde_json::from_str(text)?;
        if state.settings != settings.id || state.signals.len() != settings.signals.len() {
            return Err(StateError::Settings { found: state.settings, expected: settings.id });
        }
        let mut detector = Self { state, ..Self::new(settings) };
        detector.index();
        Ok(detector)
    }
}

#[cfg(test)]
mod tests;
