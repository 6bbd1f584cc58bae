//! The working-day calendar: weekends, and for covered years the holidays and worked weekends of a notice.

use std::collections::{BTreeMap, BTreeSet};

use onus_model::{Date, Grade};
use serde::Deserialize;

/// A calendar did not read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CalendarError {
    /// Not TOML of the expected form.
    #[error("calendar: {0}")]
    Form(String),
    /// A day is wrong.
    #[error("calendar, {holiday}: {day:?} {problem}")]
    Day {
        /// Holiday it stands under.
        holiday: String,
        /// As written.
        day: String,
        /// What is wrong and what was expected.
        problem: &'static str,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CalendarToml {
    id: String,
    years: Vec<YearToml>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct YearToml {
    year: u32,
    source: String,
    grade: Grade,
    holidays: Vec<HolidayToml>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HolidayToml {
    name: String,
    from: String,
    to: String,
    #[serde(default)]
    worked: Vec<String>,
}

/// Which days are worked.
#[derive(Debug, Clone)]
pub struct Calendar {
    id: String,
    /// Covered years with the source and grade of their days.
    years: BTreeMap<u32, (String, Grade)>,
    off: BTreeSet<Date>,
    worked: BTreeSet<Date>,
}

impl Calendar {
    /// Reads a calendar (`packs/calendar-*/calendar.toml`).
    ///
    /// # Errors
    /// Names the holiday and day that is wrong: no day of the calendar, outside its year, off and worked at once,
    /// a worked day that is not on a weekend.
    pub fn from_toml(text: &str) -> Result<Self, CalendarError> {
        let read: CalendarToml = toml::from_str(text).map_err(|error| CalendarError::Form(error.to_string()))?;
        let mut calendar = Self { id: read.id, years: BTreeMap::new(), off: BTreeSet::new(), worked: BTreeSet::new() };
        for year in read.years {
            for holiday in &year.holidays {
                calendar.add_holiday(year.year, holiday)?;
            }
            if calendar.years.insert(year.year, (year.source, year.grade)).is_some() {
                return Err(CalendarError::Form(format!("year {} stands twice; merge the two", year.year)));
            }
        }
        Ok(calendar)
    }

    /// The calendar of the People's Republic of China in the repository (`packs/calendar-cn-2026`).
    ///
    /// # Errors
    /// When that file is broken, which the tests of this crate rule out.
    pub fn builtin_cn() -> Result<Self, CalendarError> {
        Self::from_toml(include_str!("../../../packs/calendar-cn-2026/calendar.toml"))
    }

    /// Name and version of the calendar.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Whether the year's holidays are known; outside of covered years weekends alone count.
    #[must_use]
    pub fn covers(&self, day: Date) -> bool {
        self.years.contains_key(&day.ymd().0)
    }

    /// Source and grade of the year's days, if the year is covered.
    #[must_use]
    pub fn source(&self, day: Date) -> Option<(&str, Grade)> {
        self.years.get(&day.ymd().0).map(|(source, grade)| (source.as_str(), *grade))
    }

    /// Whether the day is worked.
    #[must_use]
    pub fn is_working(&self, day: Date) -> bool {
        self.worked.contains(&day) || (!is_weekend(day) && !self.off.contains(&day))
    }

    /// The `days`-th working day after `day`; `day` itself when `days` is zero.
    #[must_use]
    pub fn add_working_days(&self, day: Date, days: u16) -> Date {
        let mut reached = day;
        for _ in 0..days {
            reached = self.next_working(reached);
        }
        reached
    }

    fn next_working(&self, day: Date) -> Date {
        let mut next = day.plus_days(1);
        // At the last day of time `plus_days` stands still.
        while !self.is_working(next) && next.plus_days(1) != next {
            next = next.plus_days(1);
        }
        next
    }

    fn add_holiday(&mut self, year: u32, holiday: &HolidayToml) -> Result<(), CalendarError> {
        let wrong =
            |day: &str, problem| CalendarError::Day { holiday: holiday.name.clone(), day: day.to_owned(), problem };
        let read = |text: &str| {
            let day = Date::parse(text.as_bytes()).map_err(|_| wrong(text, "is no day; expected YYYY-MM-DD"))?;
            if day.ymd().0 == year {
                Ok(day)
            } else {
                Err(wrong(text, "is outside of its year; list it under its own"))
            }
        };
        let (mut day, last) = (read(&holiday.from)?, read(&holiday.to)?);
        if day > last {
            return Err(wrong(&holiday.to, "is before `from`; swap them"));
        }
        while day <= last {
            self.off.insert(day);
            day = day.plus_days(1);
        }
        for text in &holiday.worked {
            let day = read(text)?;
            if !is_weekend(day) {
                return Err(wrong(text, "is no weekend; only a Saturday or Sunday can be a worked day off"));
            }
            self.worked.insert(day);
        }
        let both = self.worked.intersection(&self.off).next();
        both.map_or(Ok(()), |day| Err(wrong(&day.to_string(), "is both off and worked; keep one")))
    }
}

fn is_weekend(day: Date) -> bool {
    day.weekday() >= 6
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Date {
        Date::parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn the_year_2026_is_as_the_notice_says() {
        let calendar = Calendar::builtin_cn().unwrap();
        let table = [
            ("2026-01-01", false),
            ("2026-01-04", true),  // Sunday, worked
            ("2026-02-14", true),  // Saturday, worked
            ("2026-02-16", false), // New Year's Eve
            ("2026-02-23", false),
            ("2026-02-24", true),
            ("2026-02-28", true),
            ("2026-04-06", false),
            ("2026-05-09", true),
            ("2026-06-19", false),
            ("2026-09-20", true),
            ("2026-09-21", true),
            ("2026-09-25", false),
            ("2026-10-07", false),
            ("2026-10-08", true),
            ("2026-10-10", true),
            ("2026-10-11", false),
        ];
        for (text, expected) in table {
            assert_eq!(calendar.is_working(day(text)), expected, "{text}");
        }
        // 261 days from Monday to Friday, 19 of them off, 6 weekend days worked.
        let worked = (0..365).filter(|n| calendar.is_working(day("2026-01-01").plus_days(*n))).count();
        assert_eq!(worked, 248);
        assert_eq!(calendar.source(day("2026-05-01")).unwrap().1, Grade::R);
    }

    #[test]
    fn outside_of_covered_years_weekends_alone_count() {
        let calendar = Calendar::builtin_cn().unwrap();
        assert!(calendar.covers(day("2026-12-31")) && !calendar.covers(day("2027-01-01")));
        assert!(calendar.is_working(day("2027-01-01")));
        assert!(!calendar.is_working(day("2027-01-02")));
        assert_eq!(calendar.add_working_days(day("9999-12-31"), 3), day("9999-12-31"));
    }

    #[test]
    fn says_what_is_wrong() {
        let with = |row: &str| {
            let text = format!("id = 'x'\n[[years]]\nyear = 2026\nsource = 's'\ngrade = 'B'\nholidays = [{row}]");
            Calendar::from_toml(&text).unwrap_err().to_string()
        };
        let table = [
            ("{ name = 'A', from = '2026-02-30', to = '2026-03-01' }", "expected YYYY-MM-DD"),
            ("{ name = 'A', from = '2026-02-03', to = '2026-02-01' }", "swap them"),
            ("{ name = 'A', from = '2025-12-31', to = '2026-01-01' }", "under its own"),
            ("{ name = 'A', from = '2026-01-01', to = '2026-01-01', worked = ['2026-01-05'] }", "no weekend"),
            ("{ name = 'A', from = '2026-01-01', to = '2026-01-04', worked = ['2026-01-04'] }", "keep one"),
            ("{ name = 'A', from = '2026-01-01', until = '2026-01-04' }", "until"),
        ];
        for (row, expected) in table {
            let said = with(row);
            assert!(said.contains(expected), "{said}");
        }
    }

    proptest::proptest! {
        #[test]
        fn adding_days_is_monotone_and_lands_on_worked_days(start in 0i32..1500, gap in 0i32..40, days in 0u16..300) {
            let calendar = Calendar::builtin_cn().unwrap();
            let first = day("2025-01-01").plus_days(start);
            let second = first.plus_days(gap);
            let reached = calendar.add_working_days(first, days);
            proptest::prop_assert!(reached <= calendar.add_working_days(second, days));
            proptest::prop_assert!(reached < calendar.add_working_days(first, days + 1));
            proptest::prop_assert!(days == 0 || calendar.is_working(reached));
            let between = (1..).map(|n| first.plus_days(n)).take_while(|next| *next <= reached);
            proptest::prop_assert_eq!(between.filter(|next| calendar.is_working(*next)).count(), usize::from(days));
        }
    }
}
