//! What a detector says.

use onus_model::Instant;
use serde::{Deserialize, Serialize};

/// One watched cell: a signal, one of its layers, and a value there. The value is the caller's symbol; of a cube it
/// is the code, of a pair [`Cell::pair_value`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Cell {
    /// Index in [`Settings::signals`](super::Settings::signals).
    pub signal: u8,
    /// Index in [`Signal::layers`](super::Signal::layers); 0 is the total.
    pub layer: u8,
    /// Which value; 0 for the total.
    pub value: u32,
}

impl Cell {
    /// The value of a pair of codes.
    #[must_use]
    pub fn pair_value(one: u16, other: u16) -> u32 {
        u32::from(one) << 16 | u32::from(other)
    }

    /// The codes of a pair.
    #[must_use]
    pub const fn pair_codes(self) -> (u16, u16) {
        ((self.value >> 16) as u16, self.value as u16)
    }
}

/// What one cell counted in one minute.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Count {
    /// Which cell.
    pub cell: Cell,
    /// The denominator.
    pub attempts: u32,
    /// The numerator.
    pub hits: u32,
    /// Hits expected by matched peers, where these are the whole that the cell is held against.
    pub expected: Option<f64>,
}

/// Which test raised an alarm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum By {
    /// The betting test: its part of the promise holds whatever the law of the minutes.
    Promised,
    /// The early test: its part holds while minutes are no more overdispersed than was allowed for.
    Early,
}

/// A cell's rate is raised.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Alarm {
    /// Which cell.
    pub cell: Cell,
    /// By which test.
    pub by: By,
    /// When it seems to have begun.
    pub since: Instant,
    /// When the evidence was enough: the end of that minute.
    pub at: Instant,
    /// The evidence.
    pub e_value: f64,
    /// The evidence that this cell needs, by its part of the promise.
    pub needed: f64,
    /// Attempts since it began.
    pub attempts: u64,
    /// Hits since it began.
    pub hits: u64,
    /// Hits that the ordinary rate would have given.
    pub expected: f64,
}

/// How a cell stands whose rate is raised.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Raised {
    /// Which cell.
    pub cell: Cell,
    /// By which test.
    pub by: By,
    /// When it seems to have begun.
    pub since: Instant,
    /// Attempts since then.
    pub attempts: u64,
    /// Hits since then.
    pub hits: u64,
    /// Hits that the ordinary rate would have given.
    pub expected: f64,
    /// The mirror test leans towards the ordinary rate.
    pub eased: bool,
    /// The mirror test says nothing for the ordinary rate.
    pub back: bool,
}

/// A change in one cell.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Change {
    /// Its rate is raised.
    Raised(Alarm),
    /// The early alarm is now one of the promised test too.
    Confirmed(Alarm),
    /// Its rate is ordinary again.
    Recovered {
        /// Which cell.
        cell: Cell,
        /// When it seems to have been over.
        since: Instant,
        /// When that was clear.
        at: Instant,
    },
    /// It stayed raised for so long that this is now its ordinary rate.
    Accepted {
        /// Which cell.
        cell: Cell,
        /// When.
        at: Instant,
    },
}
