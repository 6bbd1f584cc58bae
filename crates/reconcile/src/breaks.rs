//! Breaks: what differs between the four records of a payment.

use onus_model::{BreakClass, Date, MerchantCode};

use crate::book::{Attempt, Book};
use crate::legs::{JournalKind, TerminalReversal};

/// Whose account a payout went to, by the registry at the time it was paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccountAt {
    /// The merchant's own, set up properly.
    Own,
    /// One that replaced the merchant's own without dual control.
    ChangedWithoutControl,
    /// Another merchant's account.
    Foreign,
    /// The registry does not know.
    Unknown,
}

/// What is known about the payout of a payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PayoutState {
    /// Day by which it had to be paid.
    pub due: Date,
    /// Day it was paid.
    pub paid_on: Option<Date>,
    /// Whose account it went to.
    pub account: AccountAt,
    /// Whose account was set for it on its due day, when that is over and nothing was paid.
    pub payee_when_due: AccountAt,
    /// The line was left out of the payout (paid sum fits without it).
    pub left_out: bool,
    /// Today.
    pub today: Date,
}

/// One break of one payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Break {
    /// Class.
    pub class: BreakClass,
    /// What one side says, as text kind.
    pub difference_minor: i64,
    /// Merchant codes of both sides, when they differ.
    pub merchants: Option<(MerchantCode, MerchantCode)>,
}

impl Break {
    const fn of(class: BreakClass, difference_minor: i64) -> Self {
        Self { class, difference_minor, merchants: None }
    }
}

/// The breaks of one attempt. `refunded_unseen` is the amount sent on by refunds that no journal knows.
#[must_use]
pub fn classify(
    book: &Book,
    attempt: &Attempt,
    payout: Option<&PayoutState>,
    refunded_unseen: i64,
    today: Date,
) -> Vec<Break> {
    let mut found = Vec::new();
    let (journal, exchange, cleared) = (book.journal(attempt), book.exchange(attempt), book.cleared(attempt));
    let kind = book.kind(attempt);
    let approved =
        journal.map_or_else(|| exchange.is_some_and(|found| found.network_rc == *"00"), |journal| journal.rc == *"00");
    if journal.is_none() && cleared.is_some() {
        found.push(Break::of(BreakClass::TermMissing, cleared.map_or(0, |line| line.amount_minor)));
    }
    if let (Some(journal), Some(wire)) = (journal, exchange) {
        if journal.amount_minor != wire.amount_minor {
            found.push(Break::of(BreakClass::AmountTerm, wire.amount_minor - journal.amount_minor));
        }
        if journal.merchant != wire.merchant && approved {
            let own = payout.is_some_and(|payout| payout.account == AccountAt::Own);
            let class = if own { BreakClass::MccJump } else { BreakClass::MerchantSwapped };
            found.push(Break { class, difference_minor: 0, merchants: Some((journal.merchant, wire.merchant)) });
        }
    }
    if refunded_unseen != 0 {
        found.push(Break::of(BreakClass::RefundDiverted, refunded_unseen));
    }
    match cleared {
        Some(line) => {
            if let Some(wire) = exchange.filter(|wire| wire.amount_minor != line.amount_minor) {
                found.push(Break::of(BreakClass::AmountClear, line.amount_minor - wire.amount_minor));
            }
            if book.times_cleared(attempt) > 1 {
                found.push(Break::of(BreakClass::DupClear, line.amount_minor));
            }
            payout_breaks(journal.map(|journal| journal.reversal), approved, line.net_minor, payout, &mut found);
        }
        // Clearing of a day comes in at its end: the next day it must be there.
        None if approved && kind == JournalKind::Refund && today > attempt.key.date => {
            found.push(Break::of(BreakClass::SwitchOnly, exchange.map_or(0, |wire| wire.amount_minor)));
        }
        None => {}
    }
    found
}

fn payout_breaks(
    reversal: Option<TerminalReversal>,
    approved: bool,
    net_minor: i64,
    payout: Option<&PayoutState>,
    found: &mut Vec<Break>,
) {
    let reversed = reversal == Some(TerminalReversal::Confirmed) && !approved;
    if reversed {
        found.push(Break::of(BreakClass::ReversalLost, net_minor));
        return;
    }
    if reversal == Some(TerminalReversal::Unconfirmed) && !approved {
        // What the terminal does not know of is K3's to settle, wherever it was paid to.
        found.push(Break::of(BreakClass::TermUnaware, net_minor));
        return;
    }
    let Some(payout) = payout else { return };
    // A line that lowers the payout, such as a refund, can neither go to somebody else nor be late.
    if net_minor <= 0 {
        return;
    }
    if matches!(payout.account, AccountAt::Foreign | AccountAt::ChangedWithoutControl) && payout.paid_on.is_some() {
        found.push(Break::of(BreakClass::PayoutDiverted, net_minor));
    }
    let late = payout.paid_on.map_or(payout.today > payout.due, |paid| paid > payout.due);
    if late && payout.paid_on.is_none() && payout.payee_when_due == AccountAt::ChangedWithoutControl {
        // Says more than late: a hold that is lifted now would send it to the wrong account.
        found.push(Break::of(BreakClass::PayeeAltered, net_minor));
    } else if late {
        found.push(Break::of(BreakClass::LatePayout, net_minor));
    } else if payout.left_out {
        found.push(Break::of(BreakClass::PayoutMissing, net_minor));
    }
}
