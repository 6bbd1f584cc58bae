//! Balances: the fold of journals by account.

use std::collections::BTreeMap;

use crate::account::{Account, AccountKind};
use crate::error::LedgerError;
use crate::journal::Journal;
use crate::money::{Currency, Minor, wide_sum};
use crate::party::Party;

/// What every account stands at after some journals. Accounts at zero are not listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Balances {
    currency: Currency,
    by_account: BTreeMap<Account, Minor>,
}

impl Balances {
    /// Before any journal.
    #[must_use]
    pub const fn empty(currency: Currency) -> Self {
        Self { currency, by_account: BTreeMap::new() }
    }

    /// Balances after all these journals.
    ///
    /// # Errors
    /// Like [`Balances::apply`].
    pub fn of<'a>(currency: Currency, journals: impl IntoIterator<Item = &'a Journal>) -> Result<Self, LedgerError> {
        let mut balances = Self::empty(currency);
        for journal in journals {
            balances.apply(journal)?;
        }
        Ok(balances)
    }

    /// Books one journal: all of its lines or, on an error, none.
    ///
    /// # Errors
    /// When the currency is another or a balance would leave the range of 64 bits.
    pub fn apply(&mut self, journal: &Journal) -> Result<(), LedgerError> {
        if journal.currency() != self.currency {
            return Err(LedgerError::OtherCurrency { found: journal.currency(), expected: self.currency });
        }
        let mut changed: BTreeMap<&Account, Minor> = BTreeMap::new();
        for line in journal.lines() {
            let before = changed.get(&line.account).copied().unwrap_or_else(|| self.get(&line.account));
            changed.insert(&line.account, before.plus(line.amount)?);
        }
        for (account, balance) in changed {
            if balance.is_zero() {
                self.by_account.remove(account);
            } else {
                self.by_account.insert(account.clone(), balance);
            }
        }
        Ok(())
    }

    /// The balance of an account: debit positive, credit negative.
    #[must_use]
    pub fn get(&self, account: &Account) -> Minor {
        self.by_account.get(account).copied().unwrap_or_default()
    }

    /// Every account that is not at zero, by kind and party.
    pub fn iter(&self) -> impl Iterator<Item = (&Account, Minor)> {
        self.by_account.iter().map(|(account, balance)| (account, *balance))
    }

    /// The accounts of one party that are not at zero.
    pub fn of_party<'a>(&'a self, party: &'a Party) -> impl Iterator<Item = (AccountKind, Minor)> + 'a {
        self.iter()
            .filter(move |(account, _)| account.party() == party)
            .map(|(account, balance)| (account.kind(), balance))
    }

    /// Sum over all accounts: always zero.
    #[must_use]
    pub fn total(&self) -> i128 {
        wide_sum(self.by_account.values().copied())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::Line;
    use crate::memo::Memo;

    fn journal(lines: &[(&str, i64)]) -> Journal {
        let lines = lines
            .iter()
            .map(|(account, amount)| Line::new(account.parse().unwrap(), Minor::new(*amount), Memo::Recourse))
            .collect();
        Journal::new(Currency::CNY, lines).unwrap()
    }

    #[test]
    fn folds_and_forgets_zero() {
        let booked = journal(&[("receivable:agent:A1", 30), ("receivable:agent:A1", 10), ("payable:merchant:M1", -40)]);
        let mut balances = Balances::of(Currency::CNY, [&booked]).unwrap();
        assert_eq!(balances.get(&"receivable:agent:A1".parse().unwrap()), Minor::new(40));
        let merchant = "merchant:M1".parse().unwrap();
        assert_eq!(balances.of_party(&merchant).collect::<Vec<_>>(), [(AccountKind::Payable, Minor::new(-40))]);
        assert_eq!(balances.total(), 0);
        balances.apply(&booked.reverse().unwrap()).unwrap();
        assert_eq!(balances, Balances::empty(Currency::CNY));
    }

    #[test]
    fn refuses_as_a_whole() {
        let big = journal(&[("receivable:agent:A1", i64::MAX), ("payable:merchant:M1", -i64::MAX)]);
        let mut balances = Balances::of(Currency::CNY, [&big]).unwrap();
        let before = balances.clone();
        let more = journal(&[("loss-borne:acquirer", -1), ("receivable:agent:A1", 1)]);
        assert!(matches!(balances.apply(&more), Err(LedgerError::Overflow { .. })));
        assert_eq!(balances, before);
        let mut dollars = Balances::empty("USD".parse().unwrap());
        assert!(matches!(dollars.apply(&more), Err(LedgerError::OtherCurrency { .. })));
    }
}
