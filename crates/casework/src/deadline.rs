//! Deadlines as rule packs write them: `2wd` working days, `15d` calendar days, `4h`, `30m`, `now`.

use onus_model::{Instant, Zone};

use crate::Calendar;

/// Last second of a local day.
const END_OF_DAY: u32 = 86_399;

/// A deadline did not read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("deadline {found:?}: expected working days `2wd`, days `15d`, hours `4h`, minutes `30m` or `now`")]
pub struct DeadlineError {
    found: String,
}

/// The time that somebody has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Deadline {
    /// At once.
    Now,
    /// Minutes, also outside working hours.
    Minutes(u16),
    /// Hours, also outside working hours.
    Hours(u16),
    /// Calendar days; ends with the day.
    Days(u16),
    /// Working days; ends with the day.
    WorkingDays(u16),
}

impl Deadline {
    /// Reads `2wd`, `15d`, `4h`, `30m` or `now`.
    ///
    /// # Errors
    /// When the text is anything else, or the number is above 65535.
    pub fn parse(text: &str) -> Result<Self, DeadlineError> {
        let wrong = || DeadlineError { found: text.chars().take(40).collect() };
        if text == "now" {
            return Ok(Self::Now);
        }
        let split = text.find(|letter: char| !letter.is_ascii_digit()).ok_or_else(wrong)?;
        let (digits, unit) = text.split_at(split);
        let number: u16 = digits.parse().map_err(|_| wrong())?;
        match unit {
            "wd" => Ok(Self::WorkingDays(number)),
            "d" => Ok(Self::Days(number)),
            "h" => Ok(Self::Hours(number)),
            "m" => Ok(Self::Minutes(number)),
            _ => Err(wrong()),
        }
    }

    /// When the time is up. Days are counted from the local day of `from` and end at 23:59:59 local.
    #[must_use]
    pub fn due_at(self, from: Instant, calendar: &Calendar, zone: &Zone) -> Instant {
        let today = zone.local(from).0;
        let day = match self {
            Self::Now => return from,
            Self::Minutes(minutes) => return from.plus_seconds(i64::from(minutes) * 60),
            Self::Hours(hours) => return from.plus_seconds(i64::from(hours) * 3600),
            Self::Days(days) => today.plus_days(i32::from(days)),
            Self::WorkingDays(days) => calendar.add_working_days(today, days),
        };
        zone.clone().instant(day, END_OF_DAY)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_packs_write() {
        let table = [
            ("2wd", Deadline::WorkingDays(2)),
            ("15d", Deadline::Days(15)),
            ("4h", Deadline::Hours(4)),
            ("30m", Deadline::Minutes(30)),
            ("now", Deadline::Now),
        ];
        for (text, expected) in table {
            assert_eq!(Deadline::parse(text), Ok(expected), "{text}");
        }
        for text in ["", "wd", "2", "2 wd", "-1d", "2w", "70000d", "两天", "Now", "1.5h"] {
            assert!(Deadline::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn ends_when_it_should() {
        let calendar = Calendar::builtin_cn().unwrap();
        let zone = Zone::named("Asia/Shanghai").unwrap();
        // (from, deadline, due)
        let table = [
            ("2026-09-21T10:25:00+08:00", "now", "2026-09-21T10:25:00+08:00"),
            ("2026-09-21T10:25:00+08:00", "30m", "2026-09-21T10:55:00+08:00"),
            ("2026-09-21T22:00:00+08:00", "4h", "2026-09-22T02:00:00+08:00"),
            ("2026-09-21T10:25:00+08:00", "15d", "2026-10-06T23:59:59+08:00"),
            ("2026-09-21T10:25:00+08:00", "2wd", "2026-09-23T23:59:59+08:00"),
            // Thursday before Mid-Autumn: Friday to Sunday are holidays.
            ("2026-09-24T10:00:00+08:00", "1wd", "2026-09-28T23:59:59+08:00"),
            // The day before National Day: back on the 8th; Saturday the 10th is worked.
            ("2026-09-30T10:00:00+08:00", "3wd", "2026-10-10T23:59:59+08:00"),
            // Just after local midnight it is already the new day, although not in UTC.
            ("2026-09-22T00:30:00+08:00", "1d", "2026-09-23T23:59:59+08:00"),
        ];
        for (from, text, due) in table {
            let from = Instant::parse(from).unwrap();
            let got = Deadline::parse(text).unwrap().due_at(from, &calendar, &zone);
            assert_eq!(zone.format(got), due, "{text} from {}", zone.format(from));
        }
    }

    proptest::proptest! {
        #[test]
        fn never_before_the_start(second in 0i64..400_000_000, number in 0u16..400, unit in 0usize..4) {
            let calendar = Calendar::builtin_cn().unwrap();
            let zone = Zone::named("Asia/Shanghai").unwrap();
            let from = Instant(second * Instant::SECOND + 1_600_000_000 * Instant::SECOND);
            let make = [Deadline::Minutes, Deadline::Hours, Deadline::Days, Deadline::WorkingDays][unit];
            let (due, later) = (make(number).due_at(from, &calendar, &zone), make(number + 1).due_at(from, &calendar, &zone));
            proptest::prop_assert!(due >= from && later > due);
        }
    }
}
