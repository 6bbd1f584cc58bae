//! From a verdict to a journal, and what follows it.

use crate::account::{Account, AccountKind};
use crate::error::LedgerError;
use crate::journal::{Journal, Line};
use crate::memo::Memo;
use crate::money::{Currency, Minor};
use crate::party::Party;
use crate::shares::split_by_shares;

/// The money side of a verdict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerdictMoney {
    /// Currency of the loss.
    pub currency: Currency,
    /// What was lost.
    pub loss: Minor,
    /// Who pays the victim first, if anybody does.
    pub outward: Option<Party>,
    /// Who bears the loss in the end, in basis points of the whole.
    pub final_shares: Vec<(Party, u16)>,
    /// Who suffered the loss.
    pub beneficiary: Party,
    /// No cause is known.
    pub unknown: bool,
}

/// Books a verdict. `None` when no money is owed: nothing was lost, nobody pays, or the victim bears all.
///
/// - Cause unknown: the whole loss waits in the acquirer's suspense account. Outward payer and shares are
///   not looked at, so a wrong rule cannot charge anybody.
/// - Otherwise the victim is owed the loss less its own share, and each other bearer owes its share; the
///   share of the outward payer itself is a loss that it bears.
///
/// # Errors
/// When the loss is negative, or the shares are not the whole or name a party twice.
pub fn book_verdict(verdict: &VerdictMoney) -> Result<Option<Journal>, LedgerError> {
    let loss = verdict.loss.at_least_zero("loss")?;
    if loss.is_zero() {
        return Ok(None);
    }
    if verdict.unknown {
        return hold_in_suspense(verdict.currency, loss).map(Some);
    }
    let Some(outward) = &verdict.outward else {
        return Ok(None);
    };
    let mut owed = Minor::ZERO;
    let mut claims = Vec::new();
    for (bearer, part) in split_by_shares(loss, &verdict.final_shares)? {
        if bearer == verdict.beneficiary || part.is_zero() {
            continue;
        }
        owed = owed.plus(part)?;
        let (kind, memo) = if bearer == *outward {
            (AccountKind::LossBorne, Memo::OwnShare)
        } else {
            (AccountKind::Receivable, Memo::Recourse)
        };
        claims.push(Line::new(Account::new(kind, bearer), part, memo));
    }
    if owed.is_zero() {
        return Ok(None);
    }
    let victim = Account::new(AccountKind::Payable, verdict.beneficiary.clone());
    let mut lines = vec![Line::new(victim, owed.negated()?, Memo::Compensation)];
    lines.append(&mut claims);
    Journal::new(verdict.currency, lines).map(Some)
}

fn hold_in_suspense(currency: Currency, loss: Minor) -> Result<Journal, LedgerError> {
    Journal::transfer(
        currency,
        Account::new(AccountKind::Suspense, Party::acquirer()),
        Account::new(AccountKind::ProvisionalPaid, Party::acquirer()),
        loss,
        Memo::CauseUnknown,
    )
}

/// Books that the outward payer has paid the victim.
///
/// # Errors
/// When the amount is not positive.
pub fn book_outward_paid(
    currency: Currency,
    outward: Party,
    victim: Party,
    amount: Minor,
) -> Result<Journal, LedgerError> {
    Journal::transfer(
        currency,
        Account::new(AccountKind::Payable, victim),
        Account::new(AccountKind::OutwardPaid, outward),
        amount,
        Memo::PaidToVictim,
    )
}

/// Books that a bearer has paid its share, or a part of it, to the outward payer.
///
/// # Errors
/// When the amount is not positive.
pub fn book_recovered(
    currency: Currency,
    bearer: Party,
    outward: Party,
    amount: Minor,
) -> Result<Journal, LedgerError> {
    Journal::transfer(
        currency,
        Account::new(AccountKind::OutwardPaid, outward),
        Account::new(AccountKind::Receivable, bearer),
        amount,
        Memo::Recovered,
    )
}

/// Books interest that a late payer owes to a victim.
///
/// # Errors
/// When the amount is not positive.
pub fn book_interest(
    currency: Currency,
    late_payer: Party,
    victim: Party,
    amount: Minor,
) -> Result<Journal, LedgerError> {
    Journal::transfer(
        currency,
        Account::new(AccountKind::Interest, late_payer),
        Account::new(AccountKind::Payable, victim),
        amount,
        Memo::LateInterest,
    )
}

#[cfg(test)]
#[path = "booking_tests.rs"]
mod tests;
