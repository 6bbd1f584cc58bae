//! What a line is for.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::LedgerError;

/// The purpose of a ledger line: a fixed word, so that it can be shown in any language.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Memo {
    /// The cause is unknown; the loss waits.
    CauseUnknown,
    /// The victim is owed compensation.
    Compensation,
    /// A final bearer owes its share.
    Recourse,
    /// The outward payer bears its own share.
    OwnShare,
    /// The outward payer paid the victim.
    PaidToVictim,
    /// A bearer paid its share back to the outward payer.
    Recovered,
    /// Interest for paying late.
    LateInterest,
    /// An earlier journal is taken back.
    Reversal,
}

impl Memo {
    /// Every memo.
    pub const ALL: [Self; 8] = [
        Self::CauseUnknown,
        Self::Compensation,
        Self::Recourse,
        Self::OwnShare,
        Self::PaidToVictim,
        Self::Recovered,
        Self::LateInterest,
        Self::Reversal,
    ];

    /// The stored word.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::CauseUnknown => "cause-unknown",
            Self::Compensation => "compensation",
            Self::Recourse => "recourse",
            Self::OwnShare => "own-share",
            Self::PaidToVictim => "paid-to-victim",
            Self::Recovered => "recovered",
            Self::LateInterest => "late-interest",
            Self::Reversal => "reversal",
        }
    }

    /// Chinese text.
    #[must_use]
    pub const fn zh(self) -> &'static str {
        match self {
            Self::CauseUnknown => "原因未明，暂挂",
            Self::Compensation => "应向受损方赔付",
            Self::Recourse => "向最终责任方追偿",
            Self::OwnShare => "先行赔付方自担份额",
            Self::PaidToVictim => "已向受损方赔付",
            Self::Recovered => "已收回追偿款",
            Self::LateInterest => "迟延付款利息",
            Self::Reversal => "冲销",
        }
    }

    /// English text.
    #[must_use]
    pub const fn en(self) -> &'static str {
        match self {
            Self::CauseUnknown => "Cause unknown, held in suspense",
            Self::Compensation => "Compensation owed to the victim",
            Self::Recourse => "Share claimed from a final bearer",
            Self::OwnShare => "Share borne by the outward payer",
            Self::PaidToVictim => "Paid to the victim",
            Self::Recovered => "Share received from a bearer",
            Self::LateInterest => "Interest for late payment",
            Self::Reversal => "Reversal of an earlier journal",
        }
    }
}

impl fmt::Display for Memo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl FromStr for Memo {
    type Err = LedgerError;

    fn from_str(text: &str) -> Result<Self, LedgerError> {
        Self::ALL
            .into_iter()
            .find(|memo| memo.code() == text)
            .ok_or_else(|| LedgerError::text(text, "a memo of the ledger, such as recourse"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_the_serialised_form_and_parse_back() {
        for memo in Memo::ALL {
            assert_eq!(memo.code().parse(), Ok(memo));
            assert_eq!(serde_json::to_value(memo).unwrap(), memo.code());
            assert!(!memo.zh().is_empty() && !memo.en().is_empty());
        }
        assert!("bonus".parse::<Memo>().is_err());
    }
}
