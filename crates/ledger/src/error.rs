//! Why the ledger refuses.

use crate::money::{Currency, Minor};

/// Why a value cannot be built or booked. Nothing is ever booked in part.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LedgerError {
    /// An amount left the range of 64 bits.
    #[error("amount out of range while {doing}; check the units of the input")]
    Overflow {
        /// What was being computed.
        doing: &'static str,
    },
    /// An amount that must not be negative is.
    #[error("{what} must not be negative, found {amount}")]
    Negative {
        /// Which amount.
        what: &'static str,
        /// The amount.
        amount: Minor,
    },
    /// A journal needs two sides.
    #[error("a journal has at least 2 lines, found {lines}")]
    TooFewLines {
        /// Lines found.
        lines: usize,
    },
    /// A line moves nothing.
    #[error("line {line} on {account} has amount zero; leave it out")]
    ZeroLine {
        /// Position from 1.
        line: usize,
        /// Its account.
        account: String,
    },
    /// Debits and credits differ.
    #[error("lines sum to {sum}, expected zero")]
    Unbalanced {
        /// Sum of all lines.
        sum: i128,
    },
    /// Amounts of two currencies met.
    #[error("currency is {found}, expected {expected}")]
    OtherCurrency {
        /// Currency found.
        found: Currency,
        /// Currency expected.
        expected: Currency,
    },
    /// Shares are not the whole.
    #[error("shares sum to {sum_bp} basis points, expected 10000")]
    SharesNotWhole {
        /// Sum found.
        sum_bp: u64,
    },
    /// A party has two shares.
    #[error("{party} has more than one share; add them up first")]
    PartyTwice {
        /// The party.
        party: String,
    },
    /// A text is not of the form that it should have.
    #[error("{text:?} is not {expected}")]
    Text {
        /// The text.
        text: String,
        /// The form expected.
        expected: &'static str,
    },
    /// A rule that must always hold is broken.
    #[error("invariant broken: {rule}")]
    Invariant {
        /// The rule and what was found.
        rule: String,
    },
}

impl LedgerError {
    /// A text that does not have its form; long texts are cut.
    pub(crate) fn text(text: &str, expected: &'static str) -> Self {
        Self::Text { text: text.chars().take(80).collect(), expected }
    }
}
