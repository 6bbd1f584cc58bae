//! Registry rows: who is who, which terminal stands where, what was done to it. All with the place they were read from.

use onus_model::{Date, Instant, MerchantCode, Span, TerminalId};

/// SHA-256 of a terminal program.
pub type ProgramHash = [u8; 32];

/// One row of a registry.
#[derive(Debug, Clone)]
pub enum RegistryRow {
    /// Acquirer, network or issuer.
    Institution(Institution),
    /// Card number range.
    Bin(BinRange),
    /// Line of the acquirer.
    Link(Link),
    /// Agent.
    Agent(Agent),
    /// Agreement with an agent or merchant.
    Contract(Contract),
    /// Merchant.
    Merchant(Merchant),
    /// Settlement account with validity.
    Account(SettlementAccount),
    /// Terminal.
    Terminal(Terminal),
    /// Five-element binding with validity.
    Binding(TerminalBinding),
    /// Sold, installed, loaded, maintained or repaired.
    Custody(CustodyEvent),
    /// Pre-sale test or periodic inspection.
    Inspection(Inspection),
    /// Training of a person.
    Training(Training),
    /// Released program.
    Release(SoftwareRelease),
    /// Text that a response-code table of a program knows.
    RcText(RcText),
    /// Program version offered to a terminal.
    Offer(UpdateOffer),
    /// Payout held.
    Hold(RiskHold),
    /// Daily report of a terminal about itself.
    Attestation(Attestation),
    /// A merchant's month.
    Month(MerchantMonth),
}

/// Acquirer, network or issuer.
#[derive(Debug, Clone)]
pub struct Institution {
    /// Code.
    pub code: String,
    /// Name.
    pub name: String,
    /// `acquirer`, `network` or `issuer`.
    pub role: String,
}

/// Card number range.
#[derive(Debug, Clone)]
pub struct BinRange {
    /// First six digits.
    pub bin: u32,
    /// Issuer's code.
    pub issuer_code: String,
    /// Issuer's name.
    pub issuer_name: String,
}

/// Line of the acquirer.
#[derive(Debug, Clone)]
pub struct Link {
    /// Number in captures.
    pub id: u16,
    /// `terminal` or `network`.
    pub side: String,
    /// Name.
    pub name: String,
    /// Who runs it.
    pub operated_by: String,
    /// What it carries.
    pub carries: String,
}

/// Agent.
#[derive(Debug, Clone)]
pub struct Agent {
    /// Code.
    pub code: String,
    /// Higher agent, if any.
    pub parent_code: Option<String>,
    /// Level, 1 highest.
    pub level: i64,
    /// Name.
    pub name: String,
    /// City.
    pub city: String,
    /// Status.
    pub status: String,
    /// Filing number with the association.
    pub filing_no: String,
    /// Last day of the filing.
    pub filing_valid_to: String,
    /// Deposit held.
    pub deposit_minor: i64,
    /// Deposit to be kept.
    pub deposit_floor_minor: i64,
    /// Recourse share of its agreement.
    pub recourse_share_bp: i64,
    /// Days between inspections that it owes.
    pub inspection_interval_days: i64,
    /// Who keeps the slips: `agent` or `merchant`.
    pub slips_kept_by: String,
    /// Where it was read.
    pub span: Span,
}

/// Agreement.
#[derive(Debug, Clone)]
pub struct Contract {
    /// Number.
    pub agreement_no: String,
    /// Agent or merchant code.
    pub party: String,
    /// First day.
    pub effective_from: String,
    /// Last day, empty when open.
    pub effective_to: String,
    /// Clauses as JSON.
    pub clauses_json: String,
    /// Where it was read.
    pub span: Span,
}

/// Merchant.
#[derive(Debug, Clone)]
pub struct Merchant {
    /// Code.
    pub code: MerchantCode,
    /// Name.
    pub name: String,
    /// Category.
    pub mcc: String,
    /// City.
    pub city: String,
    /// Agent that serves it.
    pub agent_code: String,
    /// Status.
    pub status: String,
    /// Day closed.
    pub closed: Option<Date>,
    /// Note of operations on the set-up: `ok`, or what was wrong.
    pub switch_config: String,
    /// Where it was read.
    pub span: Span,
}

/// Settlement account with validity.
#[derive(Debug, Clone)]
pub struct SettlementAccount {
    /// Change that brought it in.
    pub change_id: String,
    /// Merchant.
    pub merchant: MerchantCode,
    /// Account.
    pub account_no: String,
    /// Holder.
    pub account_name: String,
    /// Valid from.
    pub valid_from: Instant,
    /// Valid to, none when in force.
    pub valid_to: Option<Instant>,
    /// Whose credentials made the change: `merchant:…`, `agent:CODE:USER`.
    pub changed_by: String,
    /// Two people approved it.
    pub dual_control: bool,
    /// The merchant confirmed it.
    pub merchant_confirmed: bool,
    /// Where it was read.
    pub span: Span,
}

impl SettlementAccount {
    /// Whether the change was made with an agent's credentials.
    #[must_use]
    pub fn by_agent(&self) -> bool {
        self.changed_by.starts_with("agent:")
    }

    /// Whether it was valid at a time.
    #[must_use]
    pub fn in_force(&self, at: Instant) -> bool {
        self.valid_from <= at && self.valid_to.is_none_or(|to| at < to)
    }
}

/// Terminal.
#[derive(Debug, Clone)]
pub struct Terminal {
    /// Serial number.
    pub serial: String,
    /// Terminal number.
    pub tid: TerminalId,
    /// Model.
    pub model: String,
    /// Production batch.
    pub production_batch: String,
    /// Agent that sold it.
    pub sold_by: String,
    /// Program at the start of the records.
    pub app_version: String,
    /// Where it was read.
    pub span: Span,
}

/// Binding of serial, terminal, merchant, account and place.
#[derive(Debug, Clone)]
pub struct TerminalBinding {
    /// Serial number.
    pub serial: String,
    /// Terminal number.
    pub tid: TerminalId,
    /// Merchant bound.
    pub merchant: MerchantCode,
    /// Latitude and longitude in hundred-thousandths of a degree.
    pub place: Place,
    /// Valid from.
    pub valid_from: Instant,
    /// Valid to, none when in force.
    pub valid_to: Option<Instant>,
    /// Where it was read.
    pub span: Span,
}

/// A position in hundred-thousandths of a degree (about one metre).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Place {
    /// Latitude.
    pub lat_e5: i32,
    /// Longitude.
    pub lon_e5: i32,
}

impl Place {
    /// Whether the other place is farther than `metres` in latitude or longitude (a box, not a circle: cheap and enough to tell cities apart).
    #[must_use]
    pub fn farther_than(self, other: Self, metres: u32) -> bool {
        self.lat_e5.abs_diff(other.lat_e5) > metres || self.lon_e5.abs_diff(other.lon_e5) > metres
    }
}

/// Something done to a terminal.
#[derive(Debug, Clone)]
pub struct CustodyEvent {
    /// When.
    pub at: Instant,
    /// Terminal.
    pub serial: String,
    /// `sold`, `installed`, `key_loaded`, `maintained`, `repaired`.
    pub event: String,
    /// Agent or acquirer that did it.
    pub by: String,
    /// Note of the visitor.
    pub note: String,
    /// Program hash left, when it was read.
    pub app_after: Option<ProgramHash>,
    /// Where it was read.
    pub span: Span,
}

/// Inspection.
#[derive(Debug, Clone)]
pub struct Inspection {
    /// When.
    pub at: Instant,
    /// Terminal.
    pub serial: String,
    /// `presale` or `periodic`.
    pub kind: String,
    /// Passed.
    pub passed: bool,
    /// Where it was read.
    pub span: Span,
}

/// Training of a person.
#[derive(Debug, Clone)]
pub struct Training {
    /// Person.
    pub operator: String,
    /// Agent or merchant.
    pub employer: String,
    /// Day.
    pub date: String,
    /// Passed.
    pub passed: bool,
    /// Last day it holds.
    pub valid_to: String,
}

/// Released program.
#[derive(Debug, Clone)]
pub struct SoftwareRelease {
    /// Version.
    pub version: String,
    /// Hash.
    pub sha256: ProgramHash,
    /// Response-code table it knows.
    pub rc_table: String,
    /// `approved`, `superseded`, ...
    pub status: String,
    /// Approved.
    pub approved_at: Instant,
    /// Two different people approved it.
    pub dual_control: bool,
}

/// Text of a response code in a program's table.
#[derive(Debug, Clone)]
pub struct RcText {
    /// Table.
    pub rc_table: String,
    /// Code.
    pub rc: String,
    /// Text shown.
    pub text: String,
}

/// Offer of a program version.
#[derive(Debug, Clone)]
pub struct UpdateOffer {
    /// Offered.
    pub offered_at: Instant,
    /// Terminal.
    pub serial: String,
    /// Version offered.
    pub version: String,
    /// `installed`, `not_installed`, `refused_by_merchant`.
    pub outcome: String,
    /// Agent in charge.
    pub by: String,
    /// Where it was read.
    pub span: Span,
}

/// Payout held.
#[derive(Debug, Clone)]
pub struct RiskHold {
    /// Number.
    pub hold_id: String,
    /// Merchant.
    pub merchant: MerchantCode,
    /// First day.
    pub from: Date,
    /// Last day, none when still held.
    pub to: Option<Date>,
    /// Ground given, empty when none.
    pub ground: String,
    /// The merchant was told.
    pub notice_sent: bool,
    /// Where it was read.
    pub span: Span,
}

/// Daily report of a terminal about itself.
#[derive(Debug, Clone)]
pub struct Attestation {
    /// When.
    pub at: Instant,
    /// Terminal.
    pub serial: String,
    /// Hash it says it has.
    pub sha256: ProgramHash,
    /// Its tamper switch fired.
    pub tamper_switch: bool,
    /// Where it says it is.
    pub place: Place,
    /// Where it was read.
    pub span: Span,
}

/// A merchant's month.
#[derive(Debug, Clone)]
pub struct MerchantMonth {
    /// Merchant.
    pub merchant: MerchantCode,
    /// `YYYY-MM`.
    pub month: String,
    /// Payments.
    pub payments: i64,
    /// Amount.
    pub amount_minor: i64,
    /// Refused.
    pub refused: i64,
}
