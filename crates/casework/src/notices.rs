//! What others say about a payment: dispute notices of the network, claims of users, slips, statements of institutions.

use onus_model::{Date, Instant, MaskedPan, MerchantCode, Span, TerminalId};

/// One dispute message of the network (Q/CUP 054 codes).
#[derive(Debug, Clone)]
pub struct DisputeNotice {
    /// Message.
    pub notice_id: String,
    /// Case at the network.
    pub case_no: String,
    /// Day.
    pub date: Date,
    /// From the issuer (`in`) or from the acquirer (`out`).
    pub incoming: bool,
    /// E00 query, E02 its answer, E04 retrieval, E05 its answer, E23 first chargeback.
    pub txn_code: String,
    /// Reason, such as 4515.
    pub reason_code: String,
    /// Answer, such as 03.
    pub reply_code: String,
    /// Trace and transmission time of the original.
    pub original: (u32, u32),
    /// Merchant.
    pub merchant: MerchantCode,
    /// Terminal.
    pub tid: TerminalId,
    /// Debit card.
    pub debit: bool,
    /// Amount of the original as the notice has it.
    pub original_amount_minor: i64,
    /// Amount in dispute.
    pub disputed_amount_minor: i64,
    /// PIN was used, as the notice has it.
    pub pin_used: bool,
    /// Day by which the acquirer must act.
    pub due_date: Option<Date>,
    /// Where it was read.
    pub span: Span,
}

/// A slip asked for.
#[derive(Debug, Clone)]
pub struct Slip {
    /// Terminal.
    pub tid: TerminalId,
    /// Trace.
    pub stan: u32,
    /// Reference number.
    pub rrn: u64,
    /// Who keeps it: `merchant` or `agent`.
    pub kept_by: String,
    /// It was there.
    pub retrieved: bool,
    /// Where it was read.
    pub span: Span,
}

/// What a merchant or cardholder says; times and amounts may be off.
#[derive(Debug, Clone)]
pub struct Claim {
    /// Number.
    pub claim_id: String,
    /// When it came in.
    pub received_at: Instant,
    /// `merchant` or `cardholder`.
    pub claimant: String,
    /// Terminal named.
    pub tid: Option<TerminalId>,
    /// Day named.
    pub date: Option<Date>,
    /// Amount named.
    pub amount_minor: i64,
    /// Trace named.
    pub stan: Option<u32>,
    /// Card, if it was given.
    pub pan: Option<MaskedPan>,
    /// The words.
    pub text: String,
    /// Where it was read.
    pub span: Span,
}

/// What an institution told about an outage.
#[derive(Debug, Clone)]
pub struct InstitutionNotice {
    /// When it came in.
    pub received_at: Instant,
    /// `network`, `issuer` or `acquirer operations`.
    pub from: String,
    /// Code of the institution.
    pub institution: String,
    /// The words.
    pub text: String,
    /// `confirmed`, `unconfirmed`, `internal`.
    pub standing: String,
    /// Where it was read.
    pub span: Span,
}
