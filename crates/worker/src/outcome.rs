//! How a payment ended, and which kinds of exception that makes.

use onus_model::{BreakClass, ExceptionKind, Outcome};
use onus_reconcile::{Attempt, Book, Break, Following, GatewayTrace, JournalKind, TerminalReversal};

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
            // A reply that came late may still have reached the terminal.
            ("", None) => match trace.and_then(|trace| trace.following) {
                Some((Following::Approved, _)) => Outcome::Approved,
                Some((Following::Declined, _)) => Outcome::Declined,
                _ => Outcome::Unknown,
            },
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
    // Money that was not paid yet went to nobody: the merchant waits for it, whatever account is set.
    if has(BreakClass::LatePayout) || has(BreakClass::PayoutMissing) || has(BreakClass::PayeeAltered) {
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

#[cfg(test)]
mod tests {
    use super::*;
    use onus_model::{Instant, ResponseCode, Span, TerminalId, Zone};
    use onus_reconcile::{Direction, Frame, FrameFields, GatewayEvent, GatewayFact, Seen};

    fn frame(direction: Direction, mti: u16, rc: &[u8]) -> Frame {
        let fields = FrameFields {
            mti,
            tid: TerminalId::new(b"52306680").unwrap(),
            stan: 7,
            rc: ResponseCode::new(rc).unwrap_or_default(),
            ..FrameFields::default()
        };
        let span = Span { file_seq: 0, offset: mti.into(), len: 10 };
        Frame { span, at: Instant(0), direction, link: 0, seen: Seen::Tapped, fields }
    }

    /// How a payment ended of which only the gateway wrote something down.
    fn ended(reply: &[u8], facts: &[GatewayFact]) -> Outcome {
        let mut book = Book::default();
        book.board.push(frame(Direction::FromTerminal, 200, b""));
        if !reply.is_empty() {
            book.board.push(frame(Direction::ToTerminal, 210, reply));
        }
        for fact in facts {
            let span = Span { file_seq: 0, offset: 900, len: 10 };
            let tid = TerminalId::new(b"52306680").unwrap();
            book.board.note(&GatewayEvent { span, at: Instant(1), tid, batch: 0, stan: 7, fact: *fact });
        }
        book.assemble(&Zone::named("Asia/Shanghai").unwrap());
        outcome(&book, &book.attempts()[0])
    }

    #[test]
    fn what_only_the_gateway_saw_ends_as_it_says() {
        use GatewayFact::{NoReply, Step, Undelivered};
        let late = GatewayFact::LateReply(ResponseCode::new(b"00").unwrap());
        let table: [(&[u8], &[GatewayFact], Outcome); 8] = [
            (b"00", &[], Outcome::Approved),
            (b"51", &[], Outcome::Declined),
            (b"", &[NoReply], Outcome::Unknown),
            (b"00", &[Undelivered], Outcome::Unknown),
            (b"51", &[Undelivered], Outcome::Declined),
            (b"", &[NoReply, late, Step(Following::Approved)], Outcome::Approved),
            (b"", &[NoReply, Step(Following::Open), Step(Following::Unconfirmed)], Outcome::Unknown),
            (b"00", &[Undelivered, Step(Following::Reversed)], Outcome::Reversed),
        ];
        for (reply, facts, expected) in table {
            assert_eq!(ended(reply, facts), expected, "{reply:?} {facts:?}");
        }
    }
}
