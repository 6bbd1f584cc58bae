//! What reading yields: rows, rejects, and the bytes as they came and as they are kept.

use onus_casework::notices::{Claim, DisputeNotice, InstitutionNotice, Slip};
use onus_fleet::rows::RegistryRow;
use onus_model::Instant;
use onus_reconcile::{ClearingLeg, Frame, GatewayEvent, JournalLeg, PayoutLeg, Symbol};

/// One row that was read.
#[derive(Debug)]
pub enum Row {
    /// Terminal journal line.
    Journal(JournalLeg),
    /// Captured frame.
    Frame(Frame),
    /// Clearing line.
    Clearing(ClearingLeg),
    /// Payout.
    Payout(PayoutLeg),
    /// Registry row.
    Registry(RegistryRow),
    /// Dispute message.
    Dispute(DisputeNotice),
    /// Claim of a user.
    Claim(Claim),
    /// Slip asked for.
    Slip(Slip),
    /// Statement of an institution.
    Notice(InstitutionNotice),
    /// Entry of a gateway's journal that is no frame between terminal and host.
    Gateway(GatewayEvent),
}

impl Row {
    /// Business time of rows that belong to a day; none for reference data.
    #[must_use]
    pub fn at(&self) -> Option<Instant> {
        match self {
            Self::Journal(row) => Some(row.at),
            Self::Frame(row) => Some(row.at),
            Self::Payout(row) => Some(row.value_at),
            Self::Claim(row) => Some(row.received_at),
            Self::Notice(row) => Some(row.received_at),
            Self::Gateway(row) => Some(row.at),
            Self::Clearing(_) | Self::Registry(_) | Self::Dispute(_) | Self::Slip(_) => None,
        }
    }
}

/// What is wrong with a row.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {detail}")]
pub struct RowError {
    /// Field, or part of the row.
    pub field: String,
    /// Stable code: `columns`, `value`, `truncated`, `frame`, `framing`, `encoding`, `unmasked`.
    pub code: &'static str,
    /// What was expected and what was found.
    pub detail: String,
}

impl RowError {
    /// A field whose value did not read. The value is shown only as far as it cannot be a card number.
    #[must_use]
    pub fn value(field: &str, expected: &str, found: &[u8]) -> Self {
        let shown: String =
            String::from_utf8_lossy(found).chars().take(40).map(|c| if c.is_control() { '·' } else { c }).collect();
        let digits = shown.chars().filter(char::is_ascii_digit).count();
        let shown = if digits >= 12 { format!("{digits} digits") } else { format!("{shown:?}") };
        Self { field: field.to_owned(), code: "value", detail: format!("expected {expected}, found {shown}") }
    }
}

/// A row that was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reject {
    /// Line, where the file has lines.
    pub line: Option<u64>,
    /// First byte.
    pub offset: u64,
    /// Number of bytes.
    pub len: u64,
    /// What is wrong.
    pub error: RowError,
}

/// Takes rows.
pub trait Sink {
    /// The symbol of a text that repeats.
    fn symbol(&mut self, text: &str) -> Symbol;
    /// Takes a row.
    fn accept(&mut self, row: Row);
    /// Takes a refused row.
    fn reject(&mut self, reject: Reject);
}

/// Takes the bytes of the file, block by block.
pub trait Tap {
    /// A block as it came.
    fn original(&mut self, bytes: &[u8]);

    /// The same block as it may be kept; `masked` says whether anything in it was overwritten.
    ///
    /// # Errors
    /// When the bytes cannot be kept.
    fn kept(&mut self, bytes: &[u8], masked: bool) -> std::io::Result<()>;
}

/// Keeps nothing: for reading a sealed copy again.
impl Tap for () {
    fn original(&mut self, _bytes: &[u8]) {}

    fn kept(&mut self, _bytes: &[u8], _masked: bool) -> std::io::Result<()> {
        Ok(())
    }
}
