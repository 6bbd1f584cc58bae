//! Journals: the only way anything is booked.

use serde::{Deserialize, Serialize};

use crate::account::Account;
use crate::error::LedgerError;
use crate::memo::Memo;
use crate::money::{Currency, Minor, wide_sum};

/// One line of a journal: debit positive, credit negative.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// The account.
    pub account: Account,
    /// Debit positive, credit negative, never zero.
    #[serde(rename = "amount_minor")]
    pub amount: Minor,
    /// What it is for.
    pub memo: Memo,
}

impl Line {
    /// A line.
    #[must_use]
    pub const fn new(account: Account, amount: Minor, memo: Memo) -> Self {
        Self { account, amount, memo }
    }
}

/// At least two lines of one currency, none of them zero, that sum to zero. It cannot be built otherwise
/// and never changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Parts")]
pub struct Journal {
    currency: Currency,
    lines: Vec<Line>,
}

#[derive(Deserialize)]
struct Parts {
    currency: Currency,
    lines: Vec<Line>,
}

impl Journal {
    /// Builds a journal from its lines.
    ///
    /// # Errors
    /// When there are fewer than two lines, one is zero, or they do not sum to zero.
    pub fn new(currency: Currency, lines: Vec<Line>) -> Result<Self, LedgerError> {
        if lines.len() < 2 {
            return Err(LedgerError::TooFewLines { lines: lines.len() });
        }
        if let Some(position) = lines.iter().position(|line| line.amount.is_zero()) {
            return Err(LedgerError::ZeroLine { line: position + 1, account: lines[position].account.to_string() });
        }
        match wide_sum(lines.iter().map(|line| line.amount)) {
            0 => Ok(Self { currency, lines }),
            sum => Err(LedgerError::Unbalanced { sum }),
        }
    }

    /// Moves an amount: debit one account, credit another.
    ///
    /// # Errors
    /// When the amount is zero or negative.
    pub fn transfer(
        currency: Currency,
        debit: Account,
        credit: Account,
        amount: Minor,
        memo: Memo,
    ) -> Result<Self, LedgerError> {
        let amount = amount.at_least_zero("amount of a transfer")?;
        let lines = vec![Line::new(debit, amount, memo), Line::new(credit, amount.negated()?, memo)];
        Self::new(currency, lines)
    }

    /// The currency of every line.
    #[must_use]
    pub const fn currency(&self) -> Currency {
        self.currency
    }

    /// The lines, in the order in which they are booked.
    #[must_use]
    pub fn lines(&self) -> &[Line] {
        &self.lines
    }

    /// The journal that takes this one back. Books are corrected by adding, never by changing.
    ///
    /// # Errors
    /// When an amount has no opposite (the smallest 64-bit number).
    pub fn reverse(&self) -> Result<Self, LedgerError> {
        let lines = self
            .lines
            .iter()
            .map(|line| {
                let amount = line.amount.negated()?;
                Ok(Line::new(line.account.clone(), amount, Memo::Reversal))
            })
            .collect::<Result<_, LedgerError>>()?;
        Self::new(self.currency, lines)
    }
}

impl TryFrom<Parts> for Journal {
    type Error = LedgerError;

    fn try_from(parts: Parts) -> Result<Self, LedgerError> {
        Self::new(parts.currency, parts.lines)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(account: &str, amount: i64) -> Line {
        Line::new(account.parse().unwrap(), Minor::new(amount), Memo::Recourse)
    }

    #[test]
    fn illegal_journals_do_not_build() {
        let build = |lines| Journal::new(Currency::CNY, lines);
        let (debit, credit) = ("receivable:agent:A1", "payable:merchant:M1");
        assert_eq!(build(vec![]), Err(LedgerError::TooFewLines { lines: 0 }));
        assert_eq!(build(vec![line(debit, 5)]), Err(LedgerError::TooFewLines { lines: 1 }));
        assert_eq!(build(vec![line(debit, 5), line(credit, -4)]), Err(LedgerError::Unbalanced { sum: 1 }));
        assert_eq!(
            build(vec![line(debit, 5), line(credit, -5), line(debit, 0)]),
            Err(LedgerError::ZeroLine { line: 3, account: debit.to_owned() })
        );
        // Sums that wrap around 64 bits are not zero.
        let (half, whole) = (line(debit, i64::MIN), line(credit, i64::MIN));
        assert!(matches!(build(vec![half, whole]), Err(LedgerError::Unbalanced { .. })));
    }

    #[test]
    fn json_cannot_smuggle_an_illegal_journal_in() {
        let journal =
            Journal::new(Currency::CNY, vec![line("loss-borne:acquirer", 5), line("payable:merchant:M1", -5)]).unwrap();
        let text = serde_json::to_string(&journal).unwrap();
        assert_eq!(
            text,
            r#"{"currency":"CNY","lines":[{"account":"loss-borne:acquirer","amount_minor":5,"memo":"recourse"},{"account":"payable:merchant:M1","amount_minor":-5,"memo":"recourse"}]}"#
        );
        assert_eq!(serde_json::from_str::<Journal>(&text).unwrap(), journal);
        assert!(serde_json::from_str::<Journal>(&text.replace("-5", "-6")).is_err());
    }

    #[test]
    fn reversal_takes_back_every_line() {
        let journal = Journal::transfer(
            Currency::CNY,
            "suspense:acquirer".parse().unwrap(),
            "provisional-paid:acquirer".parse().unwrap(),
            Minor::new(700),
            Memo::CauseUnknown,
        )
        .unwrap();
        let reversal = journal.reverse().unwrap();
        for (line, back) in journal.lines().iter().zip(reversal.lines()) {
            assert_eq!(line.account, back.account);
            assert_eq!(line.amount.plus(back.amount), Ok(Minor::ZERO));
            assert_eq!(back.memo, Memo::Reversal);
        }
    }
}
