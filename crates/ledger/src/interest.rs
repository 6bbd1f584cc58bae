//! Simple interest for delay: principal x rate x days / year, rounded once.
//!
//! Which rate and which year a contract or rule pack means is data and comes as an argument: one ledger in
//! use divides by 365, banks' daily rates by 360.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::error::LedgerError;
use crate::money::Minor;

/// Parts per million in one.
const MILLION: i128 = 1_000_000;

/// Days that count as a year.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum DayCount {
    /// Actual days over 365.
    #[serde(rename = "act/365")]
    Act365,
    /// Actual days over 360.
    #[serde(rename = "act/360")]
    Act360,
}

impl DayCount {
    /// Days of its year.
    #[must_use]
    pub const fn days(self) -> u32 {
        match self {
            Self::Act365 => 365,
            Self::Act360 => 360,
        }
    }
}

/// A yearly rate. Held in parts per million, because 1.3 times a rate of 3.45 % is 4.485 %.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AnnualRate {
    ppm: u32,
}

impl AnnualRate {
    /// A rate in basis points: 390 is 3.90 %.
    #[must_use]
    pub const fn from_bp(bp: u16) -> Self {
        Self { ppm: bp as u32 * 100 }
    }

    /// A rate in parts per million: 44,850 is 4.485 %.
    #[must_use]
    pub const fn from_ppm(ppm: u32) -> Self {
        Self { ppm }
    }

    /// Parts per million.
    #[must_use]
    pub const fn ppm(self) -> u32 {
        self.ppm
    }

    /// The rate times a percentage (130 for the published rate plus 30 %), half a millionth rounded up.
    ///
    /// # Errors
    /// When it leaves the range.
    pub fn times_percent(self, percent: u16) -> Result<Self, LedgerError> {
        let product = u64::from(self.ppm) * u64::from(percent);
        let doing = "scaling a rate";
        u32::try_from((product + 50) / 100).map(Self::from_ppm).map_err(|_| LedgerError::Overflow { doing })
    }
}

impl fmt::Display for AnnualRate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (percent, rest) = (self.ppm / 10_000, self.ppm % 10_000);
        write!(f, "{percent}.{rest:04}%")
    }
}

/// A stretch of days over which the principal stood unchanged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Segment {
    /// What was owed.
    #[serde(rename = "principal_minor")]
    pub principal: Minor,
    /// For how many days: from the day after the due date to the value date, both counted.
    pub days: u32,
}

/// Simple interest on one principal, half a minor unit rounded up.
///
/// # Errors
/// When the principal is negative or the result leaves the range.
pub fn simple_interest(
    principal: Minor,
    rate: AnnualRate,
    days: u32,
    day_count: DayCount,
) -> Result<Minor, LedgerError> {
    segmented_interest(&[Segment { principal, days }], rate, day_count)
}

/// Simple interest over segments, one between two part payments each; interest never bears interest.
/// Rounded once, at the end, half a minor unit up.
///
/// # Errors
/// When a principal is negative or the result leaves the range.
pub fn segmented_interest(segments: &[Segment], rate: AnnualRate, day_count: DayCount) -> Result<Minor, LedgerError> {
    let doing = "computing interest";
    let overflow = LedgerError::Overflow { doing };
    let mut minor_days: i128 = 0;
    for segment in segments {
        let principal = segment.principal.at_least_zero("principal")?;
        minor_days += i128::from(principal.get()) * i128::from(segment.days);
    }
    let numerator = minor_days.checked_mul(i128::from(rate.ppm)).ok_or(overflow)?;
    let year = MILLION * i128::from(day_count.days());
    // The divisor is even, so adding its half rounds exactly half up.
    Minor::from_wide(numerator / year + i128::from(numerator % year >= year / 2), doing)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn table() {
        use DayCount::{Act360, Act365};
        // principal, rate in bp, days, day count, interest
        let cases = [
            // 20,000 yuan at 12 % over 31 days: 203.84 in one ledger, 206.67 at a bank.
            (2_000_000, 1200, 31, Act365, 20_384),
            (2_000_000, 1200, 31, Act360, 20_667),
            // A year is the rate itself.
            (1_000_000, 390, 365, Act365, 39_000),
            (1_000_000, 390, 360, Act360, 39_000),
            // 0.05 % a day is 18.25 % a year.
            (100_000, 1825, 1, Act365, 50),
            (100_000, 1825, 30, Act365, 1500),
            // Exactly half a fen goes up, just below goes down.
            (10_000, 1825, 1, Act365, 5),
            (1_000, 1825, 1, Act365, 1),
            (999, 1825, 1, Act365, 0),
            (0, 1200, 31, Act365, 0),
            (2_000_000, 0, 31, Act365, 0),
            (2_000_000, 1200, 0, Act365, 0),
        ];
        for (principal, bp, days, day_count, expected) in cases {
            assert_eq!(
                simple_interest(Minor::new(principal), AnnualRate::from_bp(bp), days, day_count),
                Ok(Minor::new(expected)),
                "{principal} at {bp} bp over {days} days, {day_count:?}"
            );
        }
    }

    #[test]
    fn rates() {
        let published = AnnualRate::from_bp(345);
        assert_eq!(published.times_percent(130), Ok(AnnualRate::from_ppm(44_850)));
        assert_eq!(published.times_percent(130).unwrap().to_string(), "4.4850%");
        assert_eq!(AnnualRate::from_bp(300).times_percent(400), Ok(AnnualRate::from_bp(1200)));
        assert!(AnnualRate::from_ppm(u32::MAX).times_percent(101).is_err());
    }

    #[test]
    fn refuses() {
        let rate = AnnualRate::from_bp(1200);
        assert!(simple_interest(Minor::new(-1), rate, 1, DayCount::Act365).is_err());
        let most = AnnualRate::from_ppm(u32::MAX);
        assert!(matches!(
            simple_interest(Minor::new(i64::MAX), most, u32::MAX, DayCount::Act360),
            Err(LedgerError::Overflow { .. })
        ));
    }

    #[test]
    fn segments_are_rounded_once() {
        // Two segments of 0.4 fen each are 0.8 fen: 1, where rounding each would give 0.
        let segment = Segment { principal: Minor::new(800), days: 1 };
        let rate = AnnualRate::from_bp(1825);
        assert_eq!(simple_interest(segment.principal, rate, 1, DayCount::Act365), Ok(Minor::ZERO));
        assert_eq!(segmented_interest(&[segment; 2], rate, DayCount::Act365), Ok(Minor::new(1)));
    }

    proptest! {
        #[test]
        fn lies_within_half_a_unit_of_the_exact_value(
            principal in 0..1_000_000_000_000i64,
            ppm in 0..1_000_000u32,
            days in 0..10_000u32,
            bank: bool,
        ) {
            let day_count = if bank { DayCount::Act360 } else { DayCount::Act365 };
            let got = simple_interest(Minor::new(principal), AnnualRate::from_ppm(ppm), days, day_count).unwrap();
            let exact = i128::from(principal) * i128::from(ppm) * i128::from(days);
            let year = MILLION * i128::from(day_count.days());
            let off = 2 * (i128::from(got.get()) * year - exact);
            prop_assert!(off > -year && off <= year);
        }

        #[test]
        fn cutting_a_stretch_changes_nothing(principal in 0..1_000_000_000i64, first in 0..500u32, second in 0..500u32) {
            let (principal, rate) = (Minor::new(principal), AnnualRate::from_bp(390));
            let whole = simple_interest(principal, rate, first + second, DayCount::Act365);
            let cut = [Segment { principal, days: first }, Segment { principal, days: second }];
            prop_assert_eq!(segmented_interest(&cut, rate, DayCount::Act365), whole);
        }
    }
}
