//! Pairs captured frames into exchanges: request, forward, answer, reply, and the reversal chain after them.
//!
//! Frames of one capture come in time order. A frame that finds no partner is kept and counted, never dropped.

use onus_model::{Instant, MaskedPan, MerchantCode, ResponseCode, Span, TerminalId};
use rustc_hash::FxHashMap;

use crate::gateway::{GatewayEvent, GatewayFact, GatewayTrace, Seen};
use crate::legs::{Direction, Frame};

/// One payment message as it crossed the wire, from the terminal's request to the reply it got.
#[derive(Debug, Clone, Copy)]
pub struct Exchange {
    /// Request of the terminal.
    pub request: Span,
    /// Forward to the network, answer of the network, reply to the terminal; zero length where there was none.
    pub others: [Span; 3],
    /// When the request came.
    pub requested_at: Instant,
    /// How long the reply to the terminal took, milliseconds; 0 when there was none.
    pub replied_after_ms: u32,
    /// Amount (F4 of the request).
    pub amount_minor: i64,
    /// Reference number.
    pub rrn: u64,
    /// Card.
    pub pan: MaskedPan,
    /// Terminal.
    pub tid: TerminalId,
    /// Merchant as the terminal sent it.
    pub merchant: MerchantCode,
    /// Trace and batch of the terminal.
    pub stan: u32,
    /// Batch of the terminal.
    pub batch: u32,
    /// Type (F60.1): 22 sale, 23 void, 25 refund.
    pub type_code: u16,
    /// Entry mode.
    pub entry_mode: u16,
    /// Chip data were sent.
    pub chip: bool,
    /// Program version of the header, such as 020804.
    pub header_version: u32,
    /// Original batch and trace of a void or refund.
    pub original: (u32, u32),
    /// Line on the terminal side.
    pub terminal_link: u16,
    /// Line on the network side, 0 when nothing was forwarded.
    pub network_link: u16,
    /// Trace of the network.
    pub network_stan: u32,
    /// Transmission time MMDDhhmmss.
    pub transmission: u32,
    /// Merchant category sent to the network.
    pub mcc: u16,
    /// Issuer that answered, 0 when none did.
    pub issuer: u32,
    /// Code in the network's answer.
    pub network_rc: ResponseCode,
    /// Code in the reply to the terminal.
    pub terminal_rc: ResponseCode,
    /// Bytes of long text in the reply (F63).
    pub reply_text_len: u16,
    /// Reversal, by index of [`Switchboard::reversals`].
    pub reversal: Option<u32>,
    /// Only the gateway saw it: nothing is known of what the host did behind it.
    pub tapped: bool,
    /// What the gateway wrote down about it, by index of [`Switchboard::traces`].
    pub trace: Option<u32>,
}

impl Exchange {
    /// It went out to the network.
    #[must_use]
    pub const fn forwarded(&self) -> bool {
        self.others[0].len > 0
    }

    /// The network answered.
    #[must_use]
    pub const fn answered(&self) -> bool {
        self.others[1].len > 0
    }

    /// The terminal was sent a reply.
    #[must_use]
    pub const fn replied(&self) -> bool {
        self.others[2].len > 0
    }

    /// All frames of it.
    pub fn spans(&self) -> impl Iterator<Item = Span> + '_ {
        std::iter::once(self.request).chain(self.others).filter(|span| span.len > 0)
    }
}

/// Reversal of an exchange.
#[derive(Debug, Clone, Default)]
pub struct Reversal {
    /// Reason that the terminal gave (F39 of its 0400), empty when the terminal sent none.
    pub reason: ResponseCode,
    /// The acquirer answered the terminal with this code.
    pub acquirer_rc: ResponseCode,
    /// Reason to the network (F60), 0 when nothing was sent.
    pub network_reason: u16,
    /// The network answered with this code.
    pub network_rc: ResponseCode,
    /// All frames of it.
    pub spans: Vec<Span>,
    /// First frame.
    pub at: Instant,
}

impl Reversal {
    /// It was sent to the network.
    #[must_use]
    pub const fn sent_to_network(&self) -> bool {
        self.network_reason != 0
    }

    /// The network confirmed it.
    #[must_use]
    pub fn confirmed_by_network(&self) -> bool {
        !self.network_rc.is_empty()
    }
}

/// A terminal's report about its parts.
#[derive(Debug, Clone, Copy)]
pub struct TerminalStatus {
    /// Terminal.
    pub tid: TerminalId,
    /// When.
    pub at: Instant,
    /// Bad parts (see [`crate::FrameFields::bad_parts`]).
    pub bad_parts: u8,
    /// Where it stands.
    pub span: Span,
}

/// A terminal's end-of-day settlement.
#[derive(Debug, Clone, Copy)]
pub struct Settlement {
    /// Terminal.
    pub tid: TerminalId,
    /// When.
    pub at: Instant,
    /// 1 equal, 2 the acquirer has other totals.
    pub flag: u8,
    /// Where it stands.
    pub span: Span,
}

/// Management traffic of a line: echoes and sign-ons.
#[derive(Debug, Clone, Copy)]
pub struct LinkSilence {
    /// Line.
    pub link: u16,
    /// From one sign of life.
    pub from: Instant,
    /// To the next.
    pub to: Instant,
    /// The line was signed on again at the end of it.
    pub signed_on: bool,
}

/// Pairs frames as they come.
#[derive(Debug, Default)]
pub struct Switchboard {
    /// Exchanges in the order of their requests.
    pub exchanges: Vec<Exchange>,
    /// Reversals.
    pub reversals: Vec<Reversal>,
    /// Status reports.
    pub statuses: Vec<TerminalStatus>,
    /// Settlements answered.
    pub settlements: Vec<Settlement>,
    /// Times without any answered management message on a network line, longer than a missed echo.
    pub silences: Vec<LinkSilence>,
    /// What the gateway wrote down about exchanges.
    pub traces: Vec<GatewayTrace>,
    /// Frames that found no partner.
    pub orphans: Vec<Frame>,
    by_terminal: FxHashMap<(TerminalId, u32), u32>,
    by_network: FxHashMap<(u32, u32), u32>,
    under_way: FxHashMap<TerminalId, u32>,
    reversal_by_network: FxHashMap<(u32, u32), u32>,
    echo_at: FxHashMap<u16, Instant>,
}

/// Longer than this without an answered echo, a line was silent (echoes come every five minutes).
const SILENCE_SECONDS: i64 = 400;
/// A capture and a gateway see the same request within this; their clocks may differ.
const SAME_REQUEST_SECONDS: i64 = 60;

impl Switchboard {
    /// Takes the next frame.
    pub fn push(&mut self, frame: Frame) {
        let known = match (frame.direction, frame.fields.mti) {
            (Direction::FromTerminal, 200 | 220) => self.request(&frame),
            (Direction::ToNetwork, 200 | 220) => self.forward(&frame),
            (Direction::FromNetwork, 210 | 230) => self.answer(&frame),
            (Direction::ToTerminal, 210 | 230) => self.reply(&frame),
            (Direction::FromTerminal | Direction::ToTerminal, 400 | 410) => self.terminal_reversal(&frame),
            (Direction::ToNetwork, 420) => self.network_reversal(&frame),
            (Direction::FromNetwork, 430) => self.network_reversal_answer(&frame),
            (Direction::FromTerminal, 820) => self.status(&frame),
            (Direction::ToTerminal, 510) => self.settlement(&frame),
            (Direction::FromNetwork, 830) => self.echo(&frame),
            // Sign-ins, requests of settlements and echoes: their answers carry what is needed.
            (_, 800 | 810 | 500 | 820 | 830) => Some(()),
            _ => None,
        };
        if known.is_none() {
            self.orphans.push(frame);
        }
    }

    /// Takes an entry of the gateway's journal; one about no known payment is left alone.
    pub fn note(&mut self, event: &GatewayEvent) {
        if event.fact == GatewayFact::Other {
            return;
        }
        let Some(index) = self.of_terminal(event.tid, event.stan) else { return };
        let Some(exchange) = self.exchanges.get_mut(index as usize).filter(|found| found.batch == event.batch) else {
            return;
        };
        let next = u32::try_from(self.traces.len()).unwrap_or(u32::MAX);
        let trace = *exchange.trace.get_or_insert(next);
        if trace == next {
            self.traces.push(GatewayTrace::default());
        }
        if let Some(trace) = self.traces.get_mut(trace as usize) {
            trace.add(event);
        }
    }

    /// What the gateway wrote down about an exchange.
    #[must_use]
    pub fn trace_of(&self, exchange: &Exchange) -> Option<&GatewayTrace> {
        self.traces.get(exchange.trace? as usize)
    }

    /// The exchange of a terminal's trace, the latest when a trace was used again.
    #[must_use]
    pub fn of_terminal(&self, tid: TerminalId, stan: u32) -> Option<u32> {
        self.by_terminal.get(&(tid, stan)).copied()
    }

    /// The exchange of a network trace and transmission time.
    #[must_use]
    pub fn of_network(&self, stan: u32, transmission: u32) -> Option<u32> {
        self.by_network.get(&(stan, transmission)).copied()
    }

    /// The reversal of an exchange.
    #[must_use]
    pub fn reversal_of(&self, exchange: &Exchange) -> Option<&Reversal> {
        self.reversals.get(exchange.reversal? as usize)
    }

    /// Frees what only pairing needs. No frame can be taken afterwards.
    pub(crate) fn close(&mut self) {
        self.by_terminal = FxHashMap::default();
        self.under_way = FxHashMap::default();
        self.by_network = FxHashMap::default();
        self.reversal_by_network = FxHashMap::default();
        self.exchanges.shrink_to_fit();
    }

    /// The same request, seen by the capture and by the gateway: it is one exchange.
    fn seen_before(&mut self, frame: &Frame) -> Option<()> {
        let fields = &frame.fields;
        let index = self.of_terminal(fields.tid, fields.stan)?;
        let known = self.exchanges.get_mut(index as usize)?;
        let same = known.batch == fields.batch
            && known.amount_minor == fields.amount_minor
            && known.tapped != (frame.seen == Seen::Tapped)
            && frame.at.seconds_since(known.requested_at).abs() <= SAME_REQUEST_SECONDS;
        if !same {
            return None;
        }
        if frame.seen == Seen::Captured {
            known.tapped = false;
            // What goes out to the network next is this request.
            self.under_way.insert(fields.tid, index);
        }
        Some(())
    }

    fn request(&mut self, frame: &Frame) -> Option<()> {
        if self.seen_before(frame).is_some() {
            return Some(());
        }
        let fields = &frame.fields;
        let index = u32::try_from(self.exchanges.len()).ok()?;
        self.exchanges.push(Exchange {
            request: frame.span,
            others: [Span::default(); 3],
            requested_at: frame.at,
            replied_after_ms: 0,
            amount_minor: fields.amount_minor,
            rrn: fields.rrn,
            pan: fields.pan,
            tid: fields.tid,
            merchant: fields.merchant,
            stan: fields.stan,
            batch: fields.batch,
            type_code: fields.type_code,
            entry_mode: fields.entry_mode,
            chip: fields.chip,
            header_version: fields.header_version,
            original: fields.original,
            terminal_link: frame.link,
            network_link: 0,
            network_stan: 0,
            transmission: 0,
            mcc: 0,
            issuer: 0,
            network_rc: ResponseCode::EMPTY,
            terminal_rc: ResponseCode::EMPTY,
            reply_text_len: 0,
            reversal: None,
            tapped: frame.seen == Seen::Tapped,
            trace: None,
        });
        self.by_terminal.insert((fields.tid, fields.stan), index);
        // A terminal has one request under way at a time.
        self.under_way.insert(fields.tid, index);
        Some(())
    }

    fn forward(&mut self, frame: &Frame) -> Option<()> {
        let fields = &frame.fields;
        let index = *self.under_way.get(&fields.tid)?;
        let exchange = self.exchanges.get_mut(index as usize)?;
        let same =
            exchange.amount_minor == fields.amount_minor && exchange.pan.same_card(fields.pan) && !exchange.forwarded();
        if !same {
            return None;
        }
        exchange.others[0] = frame.span;
        exchange.network_link = frame.link;
        exchange.network_stan = fields.stan;
        exchange.transmission = fields.transmission;
        exchange.mcc = fields.mcc;
        exchange.rrn = fields.rrn;
        self.by_network.insert((fields.stan, fields.transmission), index);
        Some(())
    }

    fn answer(&mut self, frame: &Frame) -> Option<()> {
        let fields = &frame.fields;
        let index = *self.by_network.get(&(fields.stan, fields.transmission))?;
        let exchange = self.exchanges.get_mut(index as usize)?;
        exchange.others[1] = frame.span;
        exchange.network_rc = fields.rc;
        exchange.issuer = fields.issuer;
        exchange.rrn = fields.rrn;
        Some(())
    }

    fn reply(&mut self, frame: &Frame) -> Option<()> {
        let fields = &frame.fields;
        let index = *self.by_terminal.get(&(fields.tid, fields.stan))?;
        let exchange = self.exchanges.get_mut(index as usize)?;
        exchange.others[2] = frame.span;
        exchange.replied_after_ms =
            u32::try_from(frame.at.0.saturating_sub(exchange.requested_at.0) / 1_000).unwrap_or(0);
        exchange.terminal_rc = fields.rc;
        exchange.reply_text_len = fields.text_len;
        if fields.rrn != 0 {
            exchange.rrn = fields.rrn;
        }
        if frame.seen == Seen::Gate {
            let (tid, batch, stan) = (fields.tid, exchange.batch, fields.stan);
            self.note(&GatewayEvent { span: frame.span, at: frame.at, tid, batch, stan, fact: GatewayFact::Refused });
        }
        Some(())
    }

    fn terminal_reversal(&mut self, frame: &Frame) -> Option<()> {
        let fields = &frame.fields;
        let index = *self.by_terminal.get(&(fields.tid, fields.stan))?;
        let reversal = self.reversal_at(index, frame.at)?;
        let reversal = self.reversals.get_mut(reversal as usize)?;
        reversal.spans.push(frame.span);
        if fields.mti == 400 {
            reversal.reason = fields.rc;
        } else {
            reversal.acquirer_rc = fields.rc;
        }
        Some(())
    }

    fn network_reversal(&mut self, frame: &Frame) -> Option<()> {
        let fields = &frame.fields;
        let index = *self.by_network.get(&fields.original)?;
        let reversal_index = self.reversal_at(index, frame.at)?;
        let reversal = self.reversals.get_mut(reversal_index as usize)?;
        reversal.spans.push(frame.span);
        reversal.network_reason = fields.type_code.max(1);
        self.reversal_by_network.insert((fields.stan, fields.transmission), reversal_index);
        Some(())
    }

    fn network_reversal_answer(&mut self, frame: &Frame) -> Option<()> {
        let fields = &frame.fields;
        let index = *self.reversal_by_network.get(&(fields.stan, fields.transmission))?;
        let reversal = self.reversals.get_mut(index as usize)?;
        reversal.spans.push(frame.span);
        reversal.network_rc = fields.rc;
        Some(())
    }

    fn reversal_at(&mut self, exchange: u32, at: Instant) -> Option<u32> {
        let exchange = self.exchanges.get_mut(exchange as usize)?;
        if let Some(index) = exchange.reversal {
            return Some(index);
        }
        let index = u32::try_from(self.reversals.len()).ok()?;
        self.reversals.push(Reversal { at, ..Reversal::default() });
        exchange.reversal = Some(index);
        Some(index)
    }

    fn status(&mut self, frame: &Frame) -> Option<()> {
        self.statuses.push(TerminalStatus {
            tid: frame.fields.tid,
            at: frame.at,
            bad_parts: frame.fields.bad_parts,
            span: frame.span,
        });
        Some(())
    }

    fn settlement(&mut self, frame: &Frame) -> Option<()> {
        self.settlements.push(Settlement {
            tid: frame.fields.tid,
            at: frame.at,
            flag: frame.fields.settle_flag,
            span: frame.span,
        });
        Some(())
    }

    fn echo(&mut self, frame: &Frame) -> Option<()> {
        let before = self.echo_at.insert(frame.link, frame.at);
        if let Some(from) = before.filter(|from| frame.at.seconds_since(*from) > SILENCE_SECONDS) {
            let signed_on = frame.fields.management == 1;
            self.silences.push(LinkSilence { link: frame.link, from, to: frame.at, signed_on });
        }
        Some(())
    }
}
