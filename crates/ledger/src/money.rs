//! Amounts in minor units, and the currency that a journal is in.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::LedgerError;

/// An amount in minor units (fen). Only checked operations exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Minor(i64);

impl Minor {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// An amount of so many minor units.
    #[must_use]
    pub const fn new(minor: i64) -> Self {
        Self(minor)
    }

    /// The number of minor units.
    #[must_use]
    pub const fn get(self) -> i64 {
        self.0
    }

    /// Whether it is nothing.
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// Sum.
    ///
    /// # Errors
    /// When it leaves the range.
    pub fn plus(self, other: Self) -> Result<Self, LedgerError> {
        let doing = "adding amounts";
        self.0.checked_add(other.0).map(Self).ok_or(LedgerError::Overflow { doing })
    }

    /// Difference.
    ///
    /// # Errors
    /// When it leaves the range.
    pub fn minus(self, other: Self) -> Result<Self, LedgerError> {
        let doing = "subtracting amounts";
        self.0.checked_sub(other.0).map(Self).ok_or(LedgerError::Overflow { doing })
    }

    /// The other side of the same amount.
    ///
    /// # Errors
    /// When it leaves the range.
    pub fn negated(self) -> Result<Self, LedgerError> {
        Self::ZERO.minus(self)
    }

    /// The amount from a wide intermediate.
    ///
    /// # Errors
    /// When it leaves the range.
    pub(crate) fn from_wide(wide: i128, doing: &'static str) -> Result<Self, LedgerError> {
        i64::try_from(wide).map(Self).map_err(|_| LedgerError::Overflow { doing })
    }

    /// The amount, if it is not negative.
    pub(crate) fn at_least_zero(self, what: &'static str) -> Result<Self, LedgerError> {
        if self.0 < 0 { Err(LedgerError::Negative { what, amount: self }) } else { Ok(self) }
    }
}

impl fmt::Display for Minor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Sum of many amounts; intermediate sums may leave the range of one amount.
pub(crate) fn wide_sum(amounts: impl IntoIterator<Item = Minor>) -> i128 {
    amounts.into_iter().map(|amount| i128::from(amount.0)).sum()
}

/// An ISO 4217 currency code: three capital letters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Currency([u8; 3]);

impl Currency {
    /// 人民币.
    pub const CNY: Self = Self(*b"CNY");
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(std::str::from_utf8(&self.0).map_err(|_| fmt::Error)?)
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Currency({self})")
    }
}

impl FromStr for Currency {
    type Err = LedgerError;

    fn from_str(text: &str) -> Result<Self, LedgerError> {
        match <[u8; 3]>::try_from(text.as_bytes()) {
            Ok(code) if code.iter().all(u8::is_ascii_uppercase) => Ok(Self(code)),
            _ => Err(LedgerError::text(text, "a currency code such as CNY")),
        }
    }
}

impl TryFrom<String> for Currency {
    type Error = LedgerError;

    fn try_from(text: String) -> Result<Self, LedgerError> {
        text.parse()
    }
}

impl From<Currency> for String {
    fn from(currency: Currency) -> Self {
        currency.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operations_are_checked() {
        let (max, min, one) = (Minor::new(i64::MAX), Minor::new(i64::MIN), Minor::new(1));
        assert!(max.plus(one).is_err());
        assert!(min.minus(one).is_err());
        assert!(min.negated().is_err());
        assert_eq!(max.negated().unwrap().minus(one), Ok(min));
        assert!(Minor::new(-1).at_least_zero("loss").is_err());
        assert_eq!(wide_sum([max, max]), i128::from(i64::MAX) * 2);
    }

    #[test]
    fn currency_codes() {
        assert_eq!("CNY".parse(), Ok(Currency::CNY));
        for bad in ["", "cny", "CNYY", "C Y", "元"] {
            assert!(bad.parse::<Currency>().is_err(), "{bad:?}");
        }
    }
}
