//! Records as they come: one row of one source, or one line of the gateway about a payment.

use super::rules::Second;
use crate::files::{AttemptFacts, Code, Day, MerchantFacts, RowKind};

/// A row of a terminal's journal or of the switch log. One that takes another back names that other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AttemptLine {
    /// Terminal.
    pub terminal: Code,
    /// Batch (below 2^43) and trace (below 2^20).
    pub key: Option<(u64, u64)>,
    /// Reference, or none.
    pub rrn: Code,
    /// Kind of row.
    pub kind: RowKind,
    /// What it says.
    pub facts: AttemptFacts,
}

/// A clearing line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ClearingLine {
    /// Terminal.
    pub terminal: Code,
    /// Reference.
    pub rrn: Code,
    /// Merchant.
    pub merchant: Code,
    /// Amount.
    pub amount: i64,
    /// Settlement day, 0 when unknown.
    pub settled: Day,
    /// Network fee.
    pub network_fee: i64,
    /// Category, 0 when unknown.
    pub mcc: u64,
}

/// A payout line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PayoutLine {
    /// Terminal.
    pub terminal: Code,
    /// Reference.
    pub rrn: Code,
    /// Merchant.
    pub merchant: Code,
    /// Account paid to.
    pub account: Code,
    /// Gross amount.
    pub gross: i64,
    /// Fee.
    pub fee: i64,
    /// Net amount.
    pub net: i64,
    /// Day of payment, 0 when unknown.
    pub paid_on: Day,
    /// Payout batch, or none.
    pub batch: Code,
}

/// A share paid to an agent for one payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ShareLine {
    /// Terminal.
    pub terminal: Code,
    /// Reference.
    pub rrn: Code,
    /// Agent.
    pub agent: Code,
    /// Share.
    pub share: i64,
}

/// One version of a merchant's terms, from the master.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    /// Merchant.
    pub merchant: Code,
    /// First day, 0 for always.
    pub from: Day,
    /// Last day, [`Day::MAX`] for ever.
    pub to: Day,
    /// What they say.
    pub facts: MerchantFacts,
}

/// What an observation says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Record {
    /// A row of a terminal's journal.
    Journal(AttemptLine),
    /// A row of the switch log.
    Switch(AttemptLine),
    /// A clearing line.
    Clearing(ClearingLine),
    /// A payout line.
    Payout(PayoutLine),
    /// A share.
    Share(ShareLine),
    /// The terminal gave up waiting for a reply to this batch and trace.
    TimedOut(Code, (u64, u64)),
    /// A reversal of this batch and trace was sent.
    ReversalSent(Code, (u64, u64)),
    /// The reversal of this batch and trace was answered.
    ReversalAnswered(Code, (u64, u64)),
    /// The bank statement shows a payout batch; `returned`: the bank gave it back.
    Bank {
        /// The batch.
        batch: Code,
        /// It came back.
        returned: bool,
    },
}

/// One record, with when it came and where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Observation {
    /// When it came.
    pub at: Second,
    /// Number of its file (below 2^14) and offset there: of several lines, the first counts.
    pub place: (u64, u64),
    /// What it says.
    pub record: Record,
}
