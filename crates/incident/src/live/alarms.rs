//! Alarms and what became of them, by the names of their cells.

use serde::{Deserialize, Serialize};

use crate::cube::Symbols;
use crate::detector::{Alarm, By, Cell, Change, Detector, Settings, Split, minute_of};

/// How an alarm ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// The rate is ordinary again.
    Recovered,
    /// The raised rate counts as the ordinary one from now on.
    Accepted,
    /// Late or corrected payments took its ground away.
    Withdrawn,
}

impl Ending {
    /// The name in exports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Recovered => "recovered",
            Self::Accepted => "accepted",
            Self::Withdrawn => "withdrawn",
        }
    }
}

/// The end of an alarm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    /// The minute at whose start it was clear.
    pub at: u32,
    /// The minute since which it seems to have been over.
    pub since: u32,
    /// How.
    pub how: Ending,
}

/// An alarm: its cell by name, what it counted, and how it stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LoggedAlarm {
    /// Signal.
    pub signal: String,
    /// Layer, such as `network_link` or `network_link+issuer`.
    pub layer: String,
    /// The value, one for each dimension of the layer; none for the total.
    pub values: Vec<String>,
    /// By which test.
    pub by: By,
    /// The minute in which it seems to have begun.
    pub since: u32,
    /// The minute at whose start the evidence was enough.
    pub raised_at: u32,
    /// The minute at whose start the promised test agreed.
    pub confirmed_at: Option<u32>,
    /// The evidence, when it was enough.
    pub e_value: f64,
    /// The evidence that the cell needs by its part of the promise.
    pub needed: f64,
    /// Attempts since it began.
    pub attempts: u64,
    /// Hits since it began.
    pub hits: u64,
    /// Hits that the ordinary rate, or matched peers, would have had.
    pub expected: f64,
    /// The mirror test leans towards the ordinary rate.
    pub eased: bool,
    /// Set when it is over.
    pub ended: Option<Ended>,
}

impl LoggedAlarm {
    /// Signal, layer and values as one text.
    #[must_use]
    pub fn key(&self) -> String {
        let mut key = format!("{}:{}", self.signal, self.layer);
        for value in &self.values {
            key.push(':');
            key.push_str(value);
        }
        key
    }

    /// Whether it still stands.
    #[must_use]
    pub const fn stands(&self) -> bool {
        self.ended.is_none()
    }

    /// Hits above the expected ones.
    #[must_use]
    pub fn excess(&self) -> f64 {
        self.hits as f64 - self.expected
    }

    /// Whether two are about the same rise of the same cell.
    fn is_same(&self, other: &Self) -> bool {
        let same_cell = self.signal == other.signal && self.layer == other.layer && self.values == other.values;
        same_cell && self.since <= other.raised_at && other.since <= self.raised_at
    }
}

/// The names of a cell: signal, layer, values.
pub(super) type Names = (String, String, Vec<String>);

/// The names of a cell that is counted in a cube.
pub(super) fn cube_names(settings: &Settings, symbols: &Symbols, cell: Cell) -> Names {
    let signal = settings.signals.get(usize::from(cell.signal));
    let layer = signal.and_then(|signal| signal.layers.get(usize::from(cell.layer)));
    let name = |dimension, code: u16| symbols.name(dimension, code).map_or_else(|| format!("#{code}"), str::to_owned);
    let values = match layer.and_then(crate::detector::Layer::split) {
        Some(Split::By(dimension)) => vec![name(dimension, u16::try_from(cell.value).unwrap_or(u16::MAX))],
        Some(Split::ByPair(one, other)) => {
            let codes = cell.pair_codes();
            vec![name(one, codes.0), name(other, codes.1)]
        }
        Some(Split::Total) | None => Vec::new(),
    };
    let text = |text: Option<&String>| text.cloned().unwrap_or_default();
    (text(signal.map(|signal| &signal.id)), text(layer.map(|layer| &layer.name)), values)
}

/// Alarms in the order in which they were raised.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct AlarmLog {
    alarms: Vec<LoggedAlarm>,
}

impl AlarmLog {
    /// All of them.
    #[must_use]
    pub fn all(&self) -> &[LoggedAlarm] {
        &self.alarms
    }

    /// Those of a signal that stand.
    pub fn standing<'a>(&'a self, signal: &'a str) -> impl Iterator<Item = &'a LoggedAlarm> {
        self.alarms.iter().filter(move |alarm| alarm.stands() && alarm.signal == signal)
    }

    /// Takes in what changed; `names` are those of a cell.
    pub fn take(&mut self, changes: &[Change], names: &dyn Fn(Cell) -> (String, String, Vec<String>)) {
        for change in changes {
            match change {
                Change::Raised(alarm) => self.alarms.push(logged(alarm, names(alarm.cell))),
                Change::Confirmed(alarm) => {
                    if let Some(known) = self.standing_mut(&names(alarm.cell)) {
                        known.by = By::Promised;
                        known.confirmed_at = Some(minute_of(alarm.at));
                    }
                }
                Change::Recovered { cell, since, at } => {
                    self.end(&names(*cell), minute_of(*at), minute_of(*since), Ending::Recovered);
                }
                Change::Accepted { cell, at } => {
                    self.end(&names(*cell), minute_of(*at), minute_of(*at), Ending::Accepted);
                }
            }
        }
    }

    fn standing_mut(&mut self, names: &Names) -> Option<&mut LoggedAlarm> {
        let (signal, layer, values) = names;
        let alarms = self.alarms.iter_mut().rev();
        alarms.filter(|it| it.stands()).find(|it| it.signal == *signal && it.layer == *layer && it.values == *values)
    }

    fn end(&mut self, names: &Names, at: u32, since: u32, how: Ending) {
        if let Some(known) = self.standing_mut(names) {
            known.ended = Some(Ended { at, since, how });
        }
    }

    /// Brings the counts of alarms that stand up to date.
    pub fn refresh(&mut self, detector: &Detector, names: &dyn Fn(Cell) -> (String, String, Vec<String>)) {
        for raised in detector.raised() {
            if let Some(known) = self.standing_mut(&names(raised.cell)) {
                (known.attempts, known.hits, known.expected) = (raised.attempts, raised.hits, raised.expected);
                // Once eased, it stays so until nothing speaks for it any more.
                known.eased = raised.eased || (known.eased && !raised.back);
            }
        }
    }

    /// This log is what is true now, `said` what was said before: alarms that were said to stand and are not there any
    /// more are withdrawn, ended ones that are older than this log knows are kept.
    pub(super) fn withdraw(&mut self, said: &Self, at: u32) {
        let gone = |alarm: &&LoggedAlarm| !self.alarms.iter().any(|known| known.is_same(alarm));
        let mut lost: Vec<LoggedAlarm> = said.alarms.iter().filter(gone).cloned().collect();
        for alarm in lost.iter_mut().filter(|alarm| alarm.stands()) {
            alarm.ended = Some(Ended { at, since: at, how: Ending::Withdrawn });
        }
        self.alarms.extend(lost);
        self.alarms.sort_by_key(|alarm| alarm.raised_at);
    }

    /// Forgets what ended before a minute.
    pub(super) fn forget(&mut self, before: u32) {
        self.alarms.retain(|alarm| alarm.ended.is_none_or(|ended| ended.at >= before));
    }
}

fn logged(alarm: &Alarm, (signal, layer, values): Names) -> LoggedAlarm {
    let raised_at = minute_of(alarm.at);
    LoggedAlarm {
        signal,
        layer,
        values,
        by: alarm.by,
        since: minute_of(alarm.since),
        raised_at,
        confirmed_at: (alarm.by == By::Promised).then_some(raised_at),
        e_value: alarm.e_value,
        needed: alarm.needed,
        attempts: alarm.attempts,
        hits: alarm.hits,
        expected: alarm.expected,
        eased: false,
        ended: None,
    }
}
