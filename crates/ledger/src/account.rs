//! The chart of accounts.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::LedgerError;
use crate::party::Party;

/// What an account tells about its party. Debit balances are positive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AccountKind {
    /// Debit: a loss whose cause is not known yet. Kept by the acquirer alone.
    Suspense,
    /// Debit: a claim on the party, who is to bear a share in the end.
    Receivable,
    /// Credit: what is owed to the party, who suffered the loss.
    Payable,
    /// Credit: what the acquirer provides while the cause is unknown.
    ProvisionalPaid,
    /// Credit: what the party paid to the victim first; debit: what it got back from the bearers.
    OutwardPaid,
    /// Debit: the party's own share of a loss.
    LossBorne,
    /// Debit: interest that the party owes for paying late.
    Interest,
}

impl AccountKind {
    /// Every kind, in the order of the chart.
    pub const ALL: [Self; 7] = [
        Self::Suspense,
        Self::Receivable,
        Self::Payable,
        Self::ProvisionalPaid,
        Self::OutwardPaid,
        Self::LossBorne,
        Self::Interest,
    ];

    /// The first part of an account's text.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Suspense => "suspense",
            Self::Receivable => "receivable",
            Self::Payable => "payable",
            Self::ProvisionalPaid => "provisional-paid",
            Self::OutwardPaid => "outward-paid",
            Self::LossBorne => "loss-borne",
            Self::Interest => "interest",
        }
    }

    /// Chinese name.
    #[must_use]
    pub const fn zh(self) -> &'static str {
        match self {
            Self::Suspense => "待查挂账",
            Self::Receivable => "应收追偿款",
            Self::Payable => "应付赔付款",
            Self::ProvisionalPaid => "暂垫款",
            Self::OutwardPaid => "先行赔付款",
            Self::LossBorne => "自担损失",
            Self::Interest => "迟延利息",
        }
    }

    /// English name.
    #[must_use]
    pub const fn en(self) -> &'static str {
        match self {
            Self::Suspense => "Suspense, cause unknown",
            Self::Receivable => "Claim on a bearer",
            Self::Payable => "Owed to the victim",
            Self::ProvisionalPaid => "Provided for the time being",
            Self::OutwardPaid => "Paid to the victim first",
            Self::LossBorne => "Own share of the loss",
            Self::Interest => "Interest for delay",
        }
    }
}

/// One account of one party. Text: `receivable:agent:A0301`, `suspense:acquirer`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Account {
    kind: AccountKind,
    party: Party,
}

impl Account {
    /// The account of this kind that a party has.
    #[must_use]
    pub const fn new(kind: AccountKind, party: Party) -> Self {
        Self { kind, party }
    }

    /// Its kind.
    #[must_use]
    pub const fn kind(&self) -> AccountKind {
        self.kind
    }

    /// Its party.
    #[must_use]
    pub const fn party(&self) -> &Party {
        &self.party
    }
}

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.kind.code(), self.party)
    }
}

impl FromStr for Account {
    type Err = LedgerError;

    fn from_str(text: &str) -> Result<Self, LedgerError> {
        let bad = || LedgerError::text(text, "an account such as receivable:agent:A0301");
        let (code, party) = text.split_once(':').ok_or_else(bad)?;
        let kind = AccountKind::ALL.into_iter().find(|kind| kind.code() == code).ok_or_else(bad)?;
        Ok(Self::new(kind, party.parse()?))
    }
}

impl TryFrom<String> for Account {
    type Error = LedgerError;

    fn try_from(text: String) -> Result<Self, LedgerError> {
        text.parse()
    }
}

impl From<Account> for String {
    fn from(account: Account) -> Self {
        account.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn account_texts() {
        for text in ["receivable:agent:A0301", "payable:merchant:899543000001234", "suspense:acquirer"] {
            let account: Account = text.parse().unwrap();
            assert_eq!(account.to_string(), text);
        }
        for bad in ["", "suspense", "cash:acquirer", "payable:Merchant:1"] {
            assert!(bad.parse::<Account>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn every_kind_has_its_own_code_and_names() {
        for kind in AccountKind::ALL {
            let account = Account::new(kind, Party::acquirer());
            assert_eq!(account.to_string().parse(), Ok(account));
            let same = |other: &&AccountKind| {
                other.code() == kind.code() || other.zh() == kind.zh() || other.en() == kind.en()
            };
            assert_eq!(AccountKind::ALL.iter().filter(same).count(), 1);
        }
    }
}
