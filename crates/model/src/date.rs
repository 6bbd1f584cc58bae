//! Time: instants are microseconds UTC, business dates are civil days in the tenant's zone.

use std::fmt;

/// A date or time did not read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected {expected}, found {found:?}")]
pub struct DateError {
    expected: &'static str,
    found: String,
}

impl DateError {
    fn new(expected: &'static str, found: &[u8]) -> Self {
        Self { expected, found: String::from_utf8_lossy(found.get(..40).unwrap_or(found)).into_owned() }
    }
}

/// An instant: microseconds since 1970 UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Instant(pub i64);

impl Instant {
    /// Microseconds in a second.
    pub const SECOND: i64 = 1_000_000;

    /// This instant moved by seconds (saturating).
    #[must_use]
    pub const fn plus_seconds(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds.saturating_mul(Self::SECOND)))
    }

    /// Whole seconds from `earlier` to this instant.
    #[must_use]
    pub const fn seconds_since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0) / Self::SECOND
    }

    /// Reads RFC 3339 with an offset, such as `2026-09-21T10:20:00+08:00`.
    ///
    /// # Errors
    /// When the text is anything else.
    pub fn parse(text: &str) -> Result<Self, DateError> {
        let read: Result<jiff::Timestamp, _> = text.parse();
        read.map(|stamp| Self(stamp.as_microsecond()))
            .map_err(|_| DateError::new("a time with offset, such as 2026-09-21T10:20:00+08:00", text.as_bytes()))
    }
}

/// A civil day.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Date(u32);

impl Date {
    /// The day of year, month and day.
    ///
    /// # Errors
    /// When there is no such day.
    pub fn from_ymd(year: u32, month: u32, day: u32) -> Result<Self, DateError> {
        let civil = || {
            jiff::civil::Date::new(i16::try_from(year).ok()?, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()
        };
        // Days 1 to 28 exist in every month; only the rest needs the calendar.
        if (1..=9999).contains(&year) && (1..=12).contains(&month) && ((1..=28).contains(&day) || civil().is_some()) {
            return Ok(Self(year * 10_000 + month * 100 + day));
        }
        Err(DateError::new("a day of the calendar", format!("{year:04}-{month:02}-{day:02}").as_bytes()))
    }

    /// Reads `YYYY-MM-DD`.
    ///
    /// # Errors
    /// When the text is anything else.
    pub fn parse(text: &[u8]) -> Result<Self, DateError> {
        let wrong = || DateError::new("a date YYYY-MM-DD", text);
        let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = *text else { return Err(wrong()) };
        let number = |digits: &[u8]| two_or_four(digits).ok_or_else(wrong);
        Self::from_ymd(number(&[y1, y2, y3, y4])?, number(&[m1, m2])?, number(&[d1, d2])?).map_err(|_| wrong())
    }

    /// Year, month, day.
    #[must_use]
    pub const fn ymd(self) -> (u32, u32, u32) {
        (self.0 / 10_000, self.0 / 100 % 100, self.0 % 100)
    }

    /// The day `days` later (or earlier when negative).
    #[must_use]
    pub fn plus_days(self, days: i32) -> Self {
        let moved = self.civil().and_then(|civil| civil.checked_add(jiff::Span::new().days(days)).ok());
        moved.map_or(self, Self::from_civil)
    }

    /// Days since an earlier day; negative when it is later.
    #[must_use]
    pub fn days_since(self, earlier: Self) -> i32 {
        let days = self.civil().zip(earlier.civil()).and_then(|(later, earlier)| later.since(earlier).ok());
        days.map_or(0, |span| span.get_days())
    }

    /// ISO weekday, 1 Monday to 7 Sunday.
    #[must_use]
    pub fn weekday(self) -> u8 {
        self.civil().map_or(1, |civil| civil.weekday().to_monday_one_offset().unsigned_abs())
    }

    fn civil(self) -> Option<jiff::civil::Date> {
        let (year, month, day) = self.ymd();
        jiff::civil::Date::new(i16::try_from(year).ok()?, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()
    }

    fn from_civil(civil: jiff::civil::Date) -> Self {
        let year = u32::from(civil.year().unsigned_abs());
        Self(year * 10_000 + u32::from(civil.month().unsigned_abs()) * 100 + u32::from(civil.day().unsigned_abs()))
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = self.ymd();
        write!(f, "{year:04}-{month:02}-{day:02}")
    }
}

impl fmt::Debug for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// A time zone, with fast conversion for the many rows of a few days.
#[derive(Debug, Clone)]
pub struct Zone {
    zone: jiff::tz::TimeZone,
    /// Last day asked for: its date, first instant and whether the offset holds all day.
    cached: Option<(Date, i64, bool)>,
}

impl Zone {
    /// The zone of an IANA name, such as `Asia/Shanghai`.
    ///
    /// # Errors
    /// When the name is not known.
    pub fn named(name: &str) -> Result<Self, DateError> {
        let zone =
            jiff::tz::TimeZone::get(name).map_err(|_| DateError::new("an IANA time zone name", name.as_bytes()))?;
        Ok(Self { zone, cached: None })
    }

    /// The instant of a local date and second of the day.
    pub fn instant(&mut self, date: Date, second_of_day: u32) -> Instant {
        if let Some((day, start, true)) = self.cached
            && day == date
        {
            return Instant(start).plus_seconds(i64::from(second_of_day));
        }
        let start = self.midnight(date);
        let fixed = self.midnight(date.plus_days(1)).seconds_since(start) == 86_400;
        self.cached = Some((date, start.0, fixed));
        if fixed {
            return start.plus_seconds(i64::from(second_of_day));
        }
        let clock = |unit: u32| i8::try_from(unit).unwrap_or_default();
        let (h, m, s) = (clock(second_of_day / 3600), clock(second_of_day / 60 % 60), clock(second_of_day % 60));
        let local = date.civil().map(|civil| civil.at(h, m, s, 0));
        self.resolve(local).unwrap_or_else(|| start.plus_seconds(i64::from(second_of_day)))
    }

    /// The local day and second of the day of an instant.
    #[must_use]
    pub fn local(&self, at: Instant) -> (Date, u32) {
        let Ok(stamp) = jiff::Timestamp::from_microsecond(at.0) else { return (Date::default(), 0) };
        let local = self.zone.to_datetime(stamp);
        let clock = |unit: i8| u32::from(unit.unsigned_abs());
        (
            Date::from_civil(local.date()),
            clock(local.hour()) * 3600 + clock(local.minute()) * 60 + clock(local.second()),
        )
    }

    /// RFC 3339 text with this zone's offset, whole seconds unless there is a fraction.
    #[must_use]
    pub fn format(&self, at: Instant) -> String {
        let Ok(stamp) = jiff::Timestamp::from_microsecond(at.0) else { return at.0.to_string() };
        let zoned = stamp.to_zoned(self.zone.clone());
        zoned.strftime("%Y-%m-%dT%H:%M:%S%.f%:z").to_string()
    }

    fn midnight(&self, date: Date) -> Instant {
        self.resolve(date.civil().map(|civil| civil.at(0, 0, 0, 0))).unwrap_or_default()
    }

    fn resolve(&self, local: Option<jiff::civil::DateTime>) -> Option<Instant> {
        let zoned = self.zone.to_ambiguous_zoned(local?).compatible().ok()?;
        Some(Instant(zoned.timestamp().as_microsecond()))
    }
}

/// The number of two or four decimal digits.
fn two_or_four(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0u32, |sum, byte| byte.is_ascii_digit().then(|| sum * 10 + u32::from(byte - b'0')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn local_and_back() {
        let mut zone = Zone::named("Asia/Shanghai").unwrap();
        let date = Date::parse(b"2026-09-21").unwrap();
        let at = zone.instant(date, 10 * 3600 + 20 * 60);
        assert_eq!(at, Instant::parse("2026-09-21T10:20:00+08:00").unwrap());
        assert_eq!(zone.local(at), (date, 37_200));
        assert_eq!(zone.format(at), "2026-09-21T10:20:00+08:00");
    }

    #[test]
    fn a_day_with_a_clock_change_is_exact() {
        let mut zone = Zone::named("Europe/Berlin").unwrap();
        let date = Date::parse(b"2026-03-29").unwrap();
        assert_eq!(zone.instant(date, 12 * 3600), Instant::parse("2026-03-29T12:00:00+02:00").unwrap());
        assert_eq!(zone.instant(date, 3600), Instant::parse("2026-03-29T01:00:00+01:00").unwrap());
    }

    #[test]
    fn refuses_what_is_no_day() {
        for text in ["2026-02-30", "2026-13-01", "20260921", "2026-9-1", "0000-01-01", "2026-01-00"] {
            assert!(Date::parse(text.as_bytes()).is_err(), "{text}");
        }
        assert_eq!(Date::parse(b"2026-02-28").unwrap().plus_days(1).to_string(), "2026-03-01");
        let (early, late) = (Date::parse(b"2025-12-31").unwrap(), Date::parse(b"2026-03-01").unwrap());
        assert_eq!((late.days_since(early), early.days_since(late), late.days_since(late)), (60, -60, 0));
        assert_eq!(Date::parse(b"2026-09-21").unwrap().weekday(), 1);
    }
}
