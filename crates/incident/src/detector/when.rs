//! The local time of a minute, as far as rates depend on it.

use onus_model::{Date, Instant};
use serde::{Deserialize, Serialize};

/// Kinds of days.
pub(super) const KINDS: usize = 9;

/// A day by its course.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DayKind {
    /// Monday.
    Monday,
    /// Tuesday.
    Tuesday,
    /// Wednesday.
    Wednesday,
    /// Thursday.
    Thursday,
    /// Friday.
    Friday,
    /// Saturday.
    Saturday,
    /// Sunday.
    Sunday,
    /// A public holiday.
    Holiday,
    /// A day on which many are paid.
    Payday,
}

impl DayKind {
    const WEEK: [Self; 7] =
        [Self::Monday, Self::Tuesday, Self::Wednesday, Self::Thursday, Self::Friday, Self::Saturday, Self::Sunday];

    /// The kind of a day; whether it is worked is the working calendar's to say. A weekend that is worked counts as
    /// Wednesday, a weekday that is not as a holiday.
    #[must_use]
    pub fn of(date: Date, worked: bool, paydays: &[u32]) -> Self {
        let (_, _, day) = date.ymd();
        let weekday = usize::from(date.weekday().saturating_sub(1)) % 7;
        match (worked, weekday >= 5) {
            _ if paydays.contains(&day) => Self::Payday,
            (true, true) => Self::Wednesday,
            (false, false) => Self::Holiday,
            _ => Self::WEEK.get(weekday).copied().unwrap_or(Self::Wednesday),
        }
    }

    /// Whether people are at work.
    pub(super) const fn rests(self) -> bool {
        matches!(self, Self::Saturday | Self::Sunday | Self::Holiday)
    }
}

/// A minute and its local time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct When {
    /// Minutes since 1970 UTC.
    pub minute: u32,
    /// The local day.
    pub day: DayKind,
    /// Local hour, 0 to 23.
    pub hour: u8,
    /// Minutes past the hour.
    pub past: u8,
}

impl When {
    /// The minute that an instant lies in, with the second of its local day.
    #[must_use]
    pub fn new(at: Instant, day: DayKind, second_of_day: u32) -> Self {
        let part = |number: u32| u8::try_from(number).unwrap_or(0);
        Self { minute: minute_of(at), day, hour: part(second_of_day / 3_600 % 24), past: part(second_of_day / 60 % 60) }
    }

    /// The minute at which this local hour began.
    pub(super) fn hour_start(self) -> u32 {
        self.minute.saturating_sub(u32::from(self.past))
    }
}

/// The minute that an instant lies in.
#[must_use]
pub fn minute_of(at: Instant) -> u32 {
    u32::try_from(at.0.div_euclid(60 * Instant::SECOND)).unwrap_or(0)
}

/// When a minute begins.
#[must_use]
pub fn instant_of(minute: u32) -> Instant {
    Instant(i64::from(minute) * 60 * Instant::SECOND)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_have_kinds() {
        let table = [
            ("2026-11-23", true, DayKind::Monday),
            ("2026-11-21", false, DayKind::Saturday),
            ("2026-02-28", true, DayKind::Wednesday),
            ("2026-10-01", false, DayKind::Holiday),
            ("2026-11-10", true, DayKind::Payday),
            ("2026-11-15", false, DayKind::Payday),
        ];
        for (date, worked, kind) in table {
            assert_eq!(DayKind::of(Date::parse(date.as_bytes()).unwrap(), worked, &[10, 15]), kind, "{date}");
        }
    }

    #[test]
    fn minutes_and_instants() {
        let at = Instant::parse("2026-09-21T10:20:59+08:00").unwrap();
        let when = When::new(at, DayKind::Monday, 10 * 3_600 + 20 * 60 + 59);
        assert_eq!((when.hour, when.past), (10, 20));
        assert_eq!(at.seconds_since(instant_of(when.minute)), 59);
        assert_eq!(when.minute - when.hour_start(), 20);
    }
}
