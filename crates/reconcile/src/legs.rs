//! The records of a payment, one packed struct a source. Money is minor units; times are instants.

use onus_model::{CardType, Date, Instant, MaskedPan, MerchantCode, ResponseCode, Span, TerminalId};

use crate::gateway::Seen;
use crate::interner::Symbol;

/// What a journal line records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JournalKind {
    /// Sale attempt.
    Sale,
    /// Void by a person.
    Void,
    /// Refund by a person.
    Refund,
    /// Settlement of the batch.
    Settle,
}

/// State of the terminal's reversal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TerminalReversal {
    /// None made.
    None,
    /// Answered.
    Confirmed,
    /// Not answered.
    Unconfirmed,
}

/// One line of a terminal journal.
#[derive(Debug, Clone, Copy)]
pub struct JournalLeg {
    /// Where it stands.
    pub span: Span,
    /// Start of the attempt.
    pub at: Instant,
    /// Amount.
    pub amount_minor: i64,
    /// Reference number (F37), 0 when the terminal got none.
    pub rrn: u64,
    /// Local date.
    pub date: Date,
    /// Terminal sequence, never reset.
    pub seq: u32,
    /// Batch.
    pub batch: u32,
    /// Trace number, none when nothing was sent.
    pub stan: Option<u32>,
    /// Card.
    pub pan: MaskedPan,
    /// Terminal.
    pub tid: TerminalId,
    /// Merchant code as printed.
    pub merchant: MerchantCode,
    /// Response code received, `L1` for a local refusal, empty when none.
    pub rc: ResponseCode,
    /// What it is.
    pub kind: JournalKind,
    /// Terminal's reversal.
    pub reversal: TerminalReversal,
    /// Entry mode (F22).
    pub entry_mode: u16,
    /// PIN was entered.
    pub pin: bool,
    /// A slip was printed.
    pub slip: bool,
    /// Serial number.
    pub serial: Symbol,
    /// Text shown.
    pub text: Symbol,
    /// Program version.
    pub app_version: Symbol,
}

/// Direction of a captured frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Direction {
    /// Terminal to acquirer.
    FromTerminal,
    /// Acquirer to terminal.
    ToTerminal,
    /// Acquirer to network.
    ToNetwork,
    /// Network to acquirer.
    FromNetwork,
}

/// The fields of a captured frame that pairing needs. Zero or empty means that the frame does not carry it.
#[derive(Debug, Clone, Copy, Default)]
pub struct FrameFields {
    /// Message type, such as 200 or 210.
    pub mti: u16,
    /// Terminal (F41).
    pub tid: TerminalId,
    /// Merchant (F42).
    pub merchant: MerchantCode,
    /// Trace (F11) as this side writes it.
    pub stan: u32,
    /// Batch (F60.2), terminal side.
    pub batch: u32,
    /// Payment type (F60.1), terminal side; reversal reason (4351..) on the network side.
    pub type_code: u16,
    /// Management code (F60.3, or F70 on the network side).
    pub management: u16,
    /// Amount (F4).
    pub amount_minor: i64,
    /// Card (F2).
    pub pan: MaskedPan,
    /// Response code or reversal reason (F39).
    pub rc: ResponseCode,
    /// Reference number (F37).
    pub rrn: u64,
    /// Transmission time (F7) as MMDDhhmmss.
    pub transmission: u32,
    /// Entry mode (F22).
    pub entry_mode: u16,
    /// Merchant category (F18).
    pub mcc: u16,
    /// Program version of the message header, terminal side.
    pub header_version: u32,
    /// Issuer (F100).
    pub issuer: u32,
    /// Original batch and trace (F61), or original trace and transmission time (F90).
    pub original: (u32, u32),
    /// Bytes of long text (F63).
    pub text_len: u16,
    /// Chip data are there (F55).
    pub chip: bool,
    /// Parts that the terminal reports as bad (F62 of a status upload): bit 0 keyboard, 1 PIN pad, 2 reader, 3 printer, 4 display.
    pub bad_parts: u8,
    /// Outcome of a settlement (F48 flag): 1 equal, 2 differs.
    pub settle_flag: u8,
}

/// A frame with its place and time.
#[derive(Debug, Clone, Copy)]
pub struct Frame {
    /// Where it stands.
    pub span: Span,
    /// When it was captured.
    pub at: Instant,
    /// Which way it went.
    pub direction: Direction,
    /// Line it went over.
    pub link: u16,
    /// Who saw it.
    pub seen: Seen,
    /// Its fields.
    pub fields: FrameFields,
}

/// One clearing line.
#[derive(Debug, Clone, Copy)]
pub struct ClearingLeg {
    /// Where it stands.
    pub span: Span,
    /// Amount cleared.
    pub amount_minor: i64,
    /// Net to the merchant; negative for a refund.
    pub net_minor: i64,
    /// Reference number.
    pub rrn: u64,
    /// Network trace.
    pub stan: u32,
    /// Transmission time MMDDhhmmss.
    pub transmission: u32,
    /// Settlement day; default when the file does not say.
    pub settle_date: Date,
    /// Card.
    pub pan: MaskedPan,
    /// Merchant cleared.
    pub merchant: MerchantCode,
    /// Terminal.
    pub tid: TerminalId,
    /// Merchant category.
    pub mcc: u16,
    /// A refund (S30), else a sale (S22).
    pub refund: bool,
    /// Kind of card.
    pub card_type: CardType,
    /// From the fixed-width variant: the same line as the CSV variant, seen a second time.
    pub variant_zm: bool,
}

/// One payout to a merchant.
#[derive(Debug, Clone)]
pub struct PayoutLeg {
    /// Where it stands.
    pub span: Span,
    /// Payout number.
    pub payout_id: String,
    /// Settlement day paid.
    pub settle_date: Date,
    /// Day of payment.
    pub pay_date: Date,
    /// Merchant.
    pub merchant: MerchantCode,
    /// Account paid to.
    pub payee_account: String,
    /// Its holder.
    pub payee_name: String,
    /// Net amount paid.
    pub amount_minor: i64,
    /// Fees kept.
    pub fee_minor: i64,
    /// Number of clearing lines in it.
    pub items: u32,
    /// Paid; false when netted against an earlier debt.
    pub paid: bool,
    /// When the money moved.
    pub value_at: Instant,
}
