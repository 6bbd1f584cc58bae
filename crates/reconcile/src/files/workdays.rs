//! Working days, as the caller's calendar has them.

use super::dates::Day;

/// Monday to Friday, but for the days given.
#[derive(Debug, Clone, Default)]
pub struct WorkingDays {
    off: Vec<Day>,
    worked: Vec<Day>,
}

impl WorkingDays {
    /// Weekdays in `off` are not worked, weekend days in `worked` are.
    #[must_use]
    pub fn new(mut off: Vec<Day>, mut worked: Vec<Day>) -> Self {
        off.sort_unstable();
        worked.sort_unstable();
        Self { off, worked }
    }

    fn is_worked(&self, day: Day) -> bool {
        // 1970-01-01 was a Thursday.
        let weekend = (day + 3).rem_euclid(7) >= 5;
        if weekend { self.worked.binary_search(&day).is_ok() } else { self.off.binary_search(&day).is_err() }
    }

    /// The working day that is `count` working days after `day`.
    #[must_use]
    pub fn after(&self, day: Day, count: u32) -> Day {
        let mut found = day;
        let mut left = count;
        while left > 0 {
            found += 1;
            if self.is_worked(found) {
                left -= 1;
            }
        }
        found
    }

    /// Working days after `from` up to `to`.
    #[must_use]
    pub fn between(&self, from: Day, to: Day) -> u32 {
        let worked = (from + 1..=to.min(from + 3_660)).filter(|day| self.is_worked(*day)).count();
        u32::try_from(worked).unwrap_or(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::super::dates::read_day;
    use super::*;

    #[test]
    fn weekends_and_holidays_do_not_count() {
        let day = |text| read_day(text).unwrap();
        let days = WorkingDays::new(vec![day("2026-10-01")], vec![day("2026-10-10")]);
        let table = [
            ("2026-03-12", 1, "2026-03-13"),
            ("2026-03-13", 1, "2026-03-16"),
            ("2026-09-30", 1, "2026-10-02"),
            ("2026-10-09", 1, "2026-10-10"),
            ("2026-03-12", 0, "2026-03-12"),
        ];
        for (from, count, expected) in table {
            assert_eq!(days.after(day(from), count), day(expected), "{from} + {count}");
        }
        assert_eq!(days.between(day("2026-03-12"), day("2026-03-16")), 2);
    }
}
