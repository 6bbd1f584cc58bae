//! Days and seconds of files: days since 1970, seconds since 1970 in the files' own zone.

use super::digits::{number, three_pairs, two};
use super::layout::{DateForm, TimeForm};

/// A day as days since 1970-01-01.
pub type Day = i32;

/// The day of a date, if there is one.
#[must_use]
pub fn day_of(year: u32, month: u32, day: u32) -> Option<Day> {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let last = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 => 28 + u32::from(leap),
        _ => return None,
    };
    if !(1..=last).contains(&day) || !(1970..=9999).contains(&year) {
        return None;
    }
    // Years that begin in March put the leap day last.
    let (shifted, months) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = shifted * 365 + shifted / 4 - shifted / 100 + shifted / 400 + (153 * months + 2) / 5 + day - 1;
    i32::try_from(days).ok()?.checked_sub(719_468)
}

/// Year, month and day of a day.
#[must_use]
pub fn date_of(day: Day) -> (i32, i32, i32) {
    let days = day + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (year + era * 400 + i32::from(month <= 2), month, day)
}

/// Appends a day as `2026-03-12`.
pub fn write_day(day: Day, out: &mut Vec<u8>) {
    let (year, month, day) = date_of(day);
    out.extend_from_slice(format!("{year:04}-{month:02}-{day:02}").as_bytes());
}

/// Reads `2026-03-12` or `20260312`.
#[must_use]
pub fn read_day(text: &str) -> Option<Day> {
    let form = if text.len() == 8 { DateForm::Compact } else { DateForm::Dashed };
    Dates::default().day(text.as_bytes(), 0, text.len(), form)
}

/// Reads days, remembering the last one: files hold few different days.
#[derive(Debug, Default, Clone)]
pub(crate) struct Dates {
    text: u64,
    day: Day,
}

impl Dates {
    /// The day written in `bytes[start..end]`.
    #[inline]
    pub(crate) fn day(&mut self, bytes: &[u8], start: usize, end: usize, form: DateForm) -> Option<Day> {
        match form {
            DateForm::Compact if end == start + 8 => self.compact(bytes.get(start..end)?.try_into().ok()?),
            DateForm::Dashed if end == start + 10 => dashed(bytes.get(start..end)?),
            DateForm::Short if end == start + 6 => {
                day_of(2000 + two(bytes, start)?, two(bytes, start + 2)?, two(bytes, start + 4)?)
            }
            _ => None,
        }
    }

    #[inline]
    fn compact(&mut self, text: [u8; 8]) -> Option<Day> {
        let word = u64::from_le_bytes(text);
        if word == self.text {
            return Some(self.day);
        }
        let year = u32::try_from(number(&text, 0, 4)?).ok()?;
        let day = day_of(year, two(&text, 4)?, two(&text, 6)?)?;
        (self.text, self.day) = (word, day);
        Some(day)
    }

    /// The second written in `bytes[start..end]`. `near` is the settlement day, for forms without a year.
    #[inline]
    pub(crate) fn second(
        &mut self,
        bytes: &[u8],
        start: usize,
        end: usize,
        form: TimeForm,
        near: Option<Day>,
    ) -> Option<i64> {
        let (day, clock) = match form {
            TimeForm::Compact if end == start + 14 => {
                (self.compact(bytes.get(start..start + 8)?.try_into().ok()?)?, start + 8)
            }
            TimeForm::Dashed if end == start + 19 && matches!(bytes.get(start + 10), Some(b' ' | b'T')) => {
                let day = dashed(bytes.get(start..start + 10)?)?;
                return Some(i64::from(day) * 86_400 + clock_of(bytes, start + 11, end)?);
            }
            TimeForm::Yearless if end == start + 10 => {
                (nearest_year(two(bytes, start)?, two(bytes, start + 2)?, near?)?, start + 4)
            }
            _ => return None,
        };
        Some(i64::from(day) * 86_400 + clock_of(bytes, clock, end)?)
    }
}

fn dashed(text: &[u8]) -> Option<Day> {
    if text.get(4) != Some(&b'-') || text.get(7) != Some(&b'-') {
        return None;
    }
    day_of(u32::try_from(number(text, 0, 4)?).ok()?, two(text, 5)?, two(text, 8)?)
}

/// Month and day in the year that puts them next to `near`.
fn nearest_year(month: u32, day: u32, near: Day) -> Option<Day> {
    let year = u32::try_from(date_of(near).0).ok()?;
    let candidates = [year - 1, year, year + 1];
    candidates.into_iter().filter_map(|year| day_of(year, month, day)).min_by_key(|found| (found - near).abs())
}

/// Seconds of `hhmmss` or `hh:mm:ss`.
#[inline(always)]
pub(crate) fn clock_of(bytes: &[u8], start: usize, end: usize) -> Option<i64> {
    let [hour, minute, second] = match end - start {
        6 => three_pairs(bytes, end)?,
        8 if bytes.get(start + 2) == Some(&b':') && bytes.get(start + 5) == Some(&b':') => {
            [two(bytes, start)?, two(bytes, start + 3)?, two(bytes, start + 6)?].map(u64::from)
        }
        _ => return None,
    };
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    i64::try_from(hour * 3_600 + minute * 60 + second).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_there_and_back() {
        assert_eq!(read_day("1970-01-01"), Some(0));
        assert_eq!(read_day("20260312"), Some(20_524));
        assert_eq!(read_day("2024-02-29"), Some(19_782));
        assert_eq!(read_day("2026-02-29"), None);
        assert_eq!(read_day("2026-13-01"), None);
        for day in (0..40_000).step_by(13) {
            let mut text = Vec::new();
            write_day(day, &mut text);
            assert_eq!(read_day(&String::from_utf8(text).unwrap()), Some(day));
        }
    }

    #[test]
    fn times_by_form() {
        let mut dates = Dates::default();
        let mut second = |text: &str, form, near| dates.second(text.as_bytes(), 0, text.len(), form, near);
        let expected = Some(20_524 * 86_400 + 23 * 3_600 + 59 * 60 + 59);
        assert_eq!(second("20260312235959", TimeForm::Compact, None), expected);
        assert_eq!(second("2026-03-12 23:59:59", TimeForm::Dashed, None), expected);
        assert_eq!(second("0312235959", TimeForm::Yearless, Some(20_525)), expected);
        assert_eq!(second("0312235959", TimeForm::Yearless, None), None);
        assert_eq!(second("20260312246000", TimeForm::Compact, None), None);
        assert_eq!(second("2026-03-12 23:59", TimeForm::Dashed, None), None);
    }
}
