//! What the acquirer's gateway wrote down about payments besides the frames themselves.

use onus_model::{Instant, ResponseCode, Span, TerminalId};

/// Where a frame was seen.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Seen {
    /// In captured traffic, which shows the network's side as well.
    #[default]
    Captured,
    /// By the gateway between terminals and host: what is behind the host is not seen.
    Tapped,
    /// The gateway's gate wrote it; no host saw the request.
    Gate,
}

/// How far the gateway's own following of a payment without a certain end came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Following {
    /// Under way.
    Open,
    /// The host is proven to have undone it.
    Reversed,
    /// Acquirer or switch undid it for their own reasons.
    ReversedBehind,
    /// Approved, and the terminal got the reply.
    Approved,
    /// The host refused it.
    Declined,
    /// Reversals were sent and nothing is proven.
    Unconfirmed,
    /// The host approved, the terminal does not know, and no reversal succeeded.
    OneSided,
    /// It ended with certainty in another way.
    Settled,
}

/// What an entry of the gateway says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GatewayFact {
    /// The gateway answered itself.
    Refused,
    /// No reply of the host came in time.
    NoReply,
    /// The reply could not be handed to the terminal: its connection was gone.
    Undelivered,
    /// The host's reply came when nobody waited for it any more, with this code.
    LateReply(ResponseCode),
    /// The gateway sent a reversal, or got an answer to one.
    Reversal,
    /// The payment took a step.
    Step(Following),
    /// Worth showing with the payment, and no more.
    Note,
    /// About a connection, a line or the gateway itself.
    Other,
}

/// One entry of the gateway's journal that is no frame between terminal and host.
#[derive(Debug, Clone, Copy)]
pub struct GatewayEvent {
    /// Where it stands.
    pub span: Span,
    /// When it happened.
    pub at: Instant,
    /// Terminal; empty when it concerns no payment.
    pub tid: TerminalId,
    /// Batch of the payment.
    pub batch: u32,
    /// Trace number of the payment.
    pub stan: u32,
    /// What it says.
    pub fact: GatewayFact,
}

/// All that the gateway wrote down about one payment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GatewayTrace {
    /// The gate answered itself.
    pub refused: Option<Span>,
    /// The host did not answer in time.
    pub no_reply: Option<Span>,
    /// The reply did not reach the terminal.
    pub undelivered: Option<Span>,
    /// The host's reply came too late, with this code.
    pub late: Option<(ResponseCode, Span)>,
    /// Where the following of it stands.
    pub following: Option<(Following, Span)>,
    /// All entries.
    pub spans: Vec<Span>,
}

impl GatewayTrace {
    pub(crate) fn add(&mut self, event: &GatewayEvent) {
        let span = event.span;
        match event.fact {
            GatewayFact::Refused => self.refused = Some(span),
            GatewayFact::NoReply => self.no_reply = Some(span),
            GatewayFact::Undelivered => self.undelivered = Some(span),
            GatewayFact::LateReply(code) => self.late = Some((code, span)),
            GatewayFact::Step(following) => self.following = Some((following, span)),
            GatewayFact::Reversal | GatewayFact::Note | GatewayFact::Other => {}
        }
        self.spans.push(span);
    }

    /// Whether the payment is proven to have been undone.
    #[must_use]
    pub fn is_reversed(&self) -> bool {
        matches!(self.following, Some((Following::Reversed | Following::ReversedBehind, _)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::legs::{Direction, Frame, FrameFields};
    use crate::switchboard::Switchboard;

    fn span(offset: u64) -> Span {
        Span { file_seq: 1, offset, len: 10 }
    }

    fn frame(offset: u64, direction: Direction, mti: u16, seen: Seen) -> Frame {
        let fields = FrameFields {
            mti,
            tid: TerminalId::new(b"52306680").unwrap(),
            stan: 7,
            batch: if direction == Direction::FromTerminal { 3 } else { 0 },
            amount_minor: 6_500,
            rc: if mti == 210 { ResponseCode::new(b"58").unwrap() } else { ResponseCode::EMPTY },
            ..FrameFields::default()
        };
        let at = Instant(i64::try_from(offset).unwrap() * 1_000);
        Frame { span: span(offset), at, direction, link: 1, seen, fields }
    }

    fn event(offset: u64, batch: u32, fact: GatewayFact) -> GatewayEvent {
        let tid = TerminalId::new(b"52306680").unwrap();
        GatewayEvent { span: span(offset), at: Instant(0), tid, batch, stan: 7, fact }
    }

    #[test]
    fn a_request_seen_by_the_capture_and_by_the_gateway_is_one_exchange() {
        use Direction::{FromTerminal, ToNetwork};
        for (first, second) in [(Seen::Captured, Seen::Tapped), (Seen::Tapped, Seen::Captured)] {
            let mut board = Switchboard::default();
            board.push(frame(1, FromTerminal, 200, first));
            board.push(frame(2, FromTerminal, 200, second));
            assert_eq!((board.exchanges.len(), board.orphans.len()), (1, 0), "{first:?}");
            assert!(!board.exchanges[0].tapped, "the capture shows what is behind the host");
            board.push(frame(3, ToNetwork, 200, Seen::Captured));
            assert!(board.exchanges[0].forwarded());
        }
        let mut board = Switchboard::default();
        board.push(frame(1, FromTerminal, 200, Seen::Tapped));
        board.push(frame(2, FromTerminal, 200, Seen::Tapped));
        assert_eq!(board.exchanges.len(), 2, "the gateway writes a repeated request down only once");
    }

    #[test]
    fn entries_go_to_the_payment_that_they_are_about() {
        let mut board = Switchboard::default();
        board.push(frame(1, Direction::FromTerminal, 200, Seen::Tapped));
        board.note(&event(2, 3, GatewayFact::NoReply));
        board.note(&event(3, 3, GatewayFact::Step(Following::Open)));
        board.note(&event(4, 3, GatewayFact::Step(Following::Reversed)));
        board.note(&event(5, 9, GatewayFact::Undelivered)); // another batch
        board.note(&event(6, 3, GatewayFact::Other));
        let trace = board.trace_of(&board.exchanges[0]).unwrap();
        assert!(trace.is_reversed());
        assert_eq!((trace.no_reply, trace.undelivered), (Some(span(2)), None));
        assert_eq!(trace.spans, [span(2), span(3), span(4)]);
    }

    #[test]
    fn a_reply_of_the_gate_is_told_from_one_of_the_host() {
        for (seen, refused) in [(Seen::Tapped, false), (Seen::Gate, true)] {
            let mut board = Switchboard::default();
            board.push(frame(1, Direction::FromTerminal, 200, Seen::Tapped));
            board.push(frame(2, Direction::ToTerminal, 210, seen));
            let exchange = &board.exchanges[0];
            assert_eq!((exchange.terminal_rc.as_str(), exchange.tapped), ("58", true));
            assert_eq!(board.trace_of(exchange).is_some_and(|trace| trace.refused.is_some()), refused);
        }
    }
}
