//! How a payment ended, and which kinds of exception that makes.

use onus_model::{BreakClass, ExceptionKind, Outcome};
use onus_reconcile::{Attempt, Book, Break, GatewayTrace, JournalKind, TerminalReversal};

/// How an attempt ended at the point of sale, by the journal where there is one, else by the wire.
pub(crate) fn outcome(book: &Book, attempt: &Attempt) -> Outcome {
    let Some(journal) = book.journal(attempt) else {
        let Some(exchange) = book.exchange(attempt) else { return Outcome::Approved };
        let trace = book.gateway_trace(attempt);
        let undelivered = trace.is_some_and(|trace| trace.undelivered.is_some());
        return match (exchange.terminal_rc.as_str(), exchange.reversal) {
            (_, Some(_)) => Outcome::Reversed,
            _ if trace.is_some_and(GatewayTrace::is_reversed) => Outcome::Reversed,
            // A refusal that the terminal never got still means that nothing was paid.
            ("00", None) if undelivered => Outcome::Unknown,
            ("00", None) => Outcome::Approved,
            ("", None) => Outcome::Unknown,
            _ => Outcome::Declined,
        };
    };
    match (journal.rc.as_str(), journal.reversal) {
        (_, TerminalReversal::Confirmed) => Outcome::Reversed,
        (_, TerminalReversal::Unconfirmed) | ("", TerminalReversal::None) => Outcome::Unknown,
        ("00", TerminalReversal::None) => Outcome::Approved,
        ("L1", TerminalReversal::None) => Outcome::Unread,
        (_, TerminalReversal::None) => Outcome::Declined,
    }
}

/// The kinds of exception of an attempt. `charged_back` says that a first chargeback stands against it.
pub(crate) fn kinds(
    book: &Book,
    attempt: &Attempt,
    outcome: Outcome,
    breaks: &[Break],
    charged_back: bool,
) -> Vec<ExceptionKind> {
    let has = |class: BreakClass| breaks.iter().any(|found| found.class == class);
    let mut kinds = Vec::new();
    let one_sided = has(BreakClass::ReversalLost);
    if book.kind(attempt) == JournalKind::Sale {
        match outcome {
            Outcome::Unread => kinds.push(ExceptionKind::Unread),
            Outcome::Declined => kinds.push(ExceptionKind::Declined),
            Outcome::Unknown => kinds.push(ExceptionKind::Unknown),
            Outcome::Reversed if one_sided => kinds.push(ExceptionKind::OneSided),
            Outcome::Reversed => kinds.push(ExceptionKind::Reversed),
            Outcome::Approved | Outcome::Voided | Outcome::Refunded => {}
        }
    }
    if has(BreakClass::PayoutDiverted)
        || has(BreakClass::RefundDiverted)
        || has(BreakClass::AmountClear)
        || has(BreakClass::AmountTerm)
    {
        kinds.push(ExceptionKind::Diverted);
    }
    if has(BreakClass::LatePayout) || has(BreakClass::PayoutMissing) {
        kinds.push(ExceptionKind::Late);
    }
    if has(BreakClass::SwitchOnly) && !charged_back {
        kinds.push(ExceptionKind::OneSided);
    }
    // A chargeback of a one-sided payment asks for what K5 decides already.
    if charged_back && !one_sided {
        kinds.push(ExceptionKind::ChargedBack);
    }
    kinds
}
