//! The registers as the gateway needs them: one immutable table by terminal number, swapped whole.

use onus_model::Instant;
use rustc_hash::{FxHashMap, FxHashSet};
use serde::{Deserialize, Serialize};

use crate::place::Place;
use crate::seen::Tid;
use crate::small_text::SmallText;
use crate::terminal_block::Serial;

/// Whether a terminal may take payments.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// In use.
    Active,
    /// Bound or installed, not yet in use.
    NotYetActive,
    /// Stopped by a rule or a person, or without payments for too long.
    Suspended,
    /// Out of use for good.
    Retired,
}

/// Why a terminal is in quarantine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Quarantine {
    /// Suspected: under examination.
    Suspected,
    /// Tampered with.
    Tampered,
    /// Lost or stolen.
    Lost,
    /// Recalled by its maker.
    Recalled,
}

/// How the terminal's program is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Grade {
    /// Not at all.
    G0,
    /// It says so itself.
    G1,
    /// The cipher of its serial key was checked by who holds the key.
    G2,
    /// A signed report with the server's nonce.
    G3,
    /// Rooted in its hardware.
    G4,
}

/// Standing of the account that a merchant is paid to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Account {
    /// Bound under dual control.
    Bound,
    /// Changed without dual control.
    Uncontrolled,
}

/// One terminal, as the registers have it. What a register does not know is none or empty.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TerminalRow {
    /// Terminal number (field 41).
    pub tid: SmallText<8>,
    /// Whether it may take payments.
    pub standing: Standing,
    /// Set while it is in quarantine.
    #[serde(default)]
    pub quarantine: Option<Quarantine>,
    /// Merchant it is bound to (field 42).
    #[serde(default)]
    pub merchant: Option<SmallText<15>>,
    /// Serial number it is bound to.
    #[serde(default)]
    pub serial: Option<Serial>,
    /// Acquiring institution it is bound to (field 32).
    #[serde(default)]
    pub acquirer: Option<u64>,
    /// Account of the binding.
    #[serde(default)]
    pub account: Option<Account>,
    /// Where it is bound.
    #[serde(default)]
    pub place: Option<Place>,
    /// Program versions it may run; empty when the register does not say.
    #[serde(default)]
    pub app_versions: Vec<SmallText<8>>,
    /// How its program is known.
    #[serde(default)]
    pub grade: Option<Grade>,
}

/// The response codes that a program version has a text for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AppCodes {
    /// Program version, as in block A2 of field 59.
    pub app_version: SmallText<8>,
    /// Codes.
    pub codes: Vec<SmallText<2>>,
}

/// What a snapshot is built from.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SnapshotRows {
    /// Terminals.
    pub terminals: Vec<TerminalRow>,
    /// Code tables of programs.
    #[serde(default)]
    pub app_codes: Vec<AppCodes>,
}

/// The rows are no register.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SnapshotError {
    /// A terminal number twice.
    #[error("terminal {tid} stands in rows {first} and {second}; a terminal number has one open binding: close one")]
    TidTwice {
        /// Terminal number.
        tid: String,
        /// First row, from 1.
        first: usize,
        /// Second row, from 1.
        second: usize,
    },
}

/// The registers at one moment. Built whole, then only read.
#[derive(Debug, Default)]
pub struct Snapshot {
    id: u64,
    built_at: Instant,
    terminals: FxHashMap<Tid, Terminal>,
    app_codes: FxHashMap<[u8; 8], FxHashSet<[u8; 2]>>,
}

/// One terminal, ready to compare with what a message says.
#[derive(Debug, Clone, PartialEq)]
pub struct Terminal {
    /// Whether it may take payments.
    pub standing: Standing,
    /// Set while it is in quarantine.
    pub quarantine: Option<Quarantine>,
    /// Merchant, filled with blanks as in field 42.
    pub merchant: Option<[u8; 15]>,
    /// Serial number.
    pub serial: Option<Serial>,
    /// Acquiring institution.
    pub acquirer: Option<u64>,
    /// Account of the binding.
    pub account: Option<Account>,
    /// Where it is bound.
    pub place: Option<Place>,
    /// Program versions it may run, filled with blanks.
    pub app_versions: Box<[[u8; 8]]>,
    /// How its program is known.
    pub grade: Option<Grade>,
}

impl Snapshot {
    /// Builds a snapshot with a number of its own.
    ///
    /// # Errors
    /// When a terminal number has two rows.
    pub fn build(id: u64, built_at: Instant, rows: &SnapshotRows) -> Result<Snapshot, SnapshotError> {
        let mut terminals = FxHashMap::with_capacity_and_hasher(rows.terminals.len(), rustc_hash::FxBuildHasher);
        for (index, row) in rows.terminals.iter().enumerate() {
            if terminals.insert(filled(&row.tid), Terminal::new(row)).is_some() {
                let first = rows.terminals.iter().position(|other| other.tid == row.tid).unwrap_or_default();
                return Err(SnapshotError::TidTwice { tid: row.tid.to_string(), first: first + 1, second: index + 1 });
            }
        }
        let mut app_codes: FxHashMap<[u8; 8], FxHashSet<[u8; 2]>> = FxHashMap::default();
        for table in &rows.app_codes {
            app_codes.entry(filled(&table.app_version)).or_default().extend(table.codes.iter().map(filled::<2, 2>));
        }
        Ok(Snapshot { id, built_at, terminals, app_codes })
    }

    /// The number it was built with.
    #[must_use]
    pub fn id(&self) -> u64 {
        self.id
    }

    /// When the registers said this.
    #[must_use]
    pub fn built_at(&self) -> Instant {
        self.built_at
    }

    /// How many terminals it has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.terminals.len()
    }

    /// Whether it knows no terminal: then the registers were not read, and nothing follows from a terminal's absence.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.terminals.is_empty()
    }

    /// The terminal of a number.
    #[inline]
    #[must_use]
    pub fn terminal(&self, tid: &Tid) -> Option<&Terminal> {
        self.terminals.get(tid)
    }

    /// Whether a program version has a text for a code; none when its table is not known.
    #[must_use]
    pub fn app_knows(&self, app_version: &[u8; 8], code: &[u8; 2]) -> Option<bool> {
        self.app_codes.get(app_version).map(|codes| codes.contains(code))
    }
}

impl Terminal {
    fn new(row: &TerminalRow) -> Terminal {
        Terminal {
            standing: row.standing,
            quarantine: row.quarantine,
            merchant: row.merchant.as_ref().map(filled),
            serial: row.serial,
            acquirer: row.acquirer,
            account: row.account,
            place: row.place,
            app_versions: row.app_versions.iter().map(filled).collect(),
            grade: row.grade,
        }
    }
}

/// The text with blanks behind it, as fixed fields have it.
fn filled<const N: usize, const M: usize>(text: &SmallText<N>) -> [u8; M] {
    let bytes = text.as_bytes();
    std::array::from_fn(|at| bytes.get(at).copied().unwrap_or(b' '))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(text: &str) -> SnapshotRows {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn found_by_number_with_what_is_known() {
        let rows = rows(
            r#"{"terminals": [
                {"tid": "52300348", "standing": "active", "merchant": "899523055410004", "serial": "N900123",
                 "app_versions": ["320001"], "grade": "G2", "account": "bound", "place": {"lat_e5": 3123000, "lon_e5": 12147000}},
                {"tid": "T1", "standing": "suspended", "quarantine": "tampered"}],
               "app_codes": [{"app_version": "320001", "codes": ["00", "51"]}]}"#,
        );
        let snapshot = Snapshot::build(7, Instant(5), &rows).unwrap();
        assert_eq!((snapshot.id(), snapshot.built_at(), snapshot.len()), (7, Instant(5), 2));
        let terminal = snapshot.terminal(b"52300348").unwrap();
        assert_eq!(terminal.merchant, Some(*b"899523055410004"));
        assert_eq!(*terminal.app_versions, [*b"320001  "]);
        assert!(terminal.grade > Some(Grade::G1));
        assert_eq!(snapshot.terminal(b"T1      ").unwrap().quarantine, Some(Quarantine::Tampered));
        assert_eq!(snapshot.terminal(b"T2      "), None);
        assert_eq!(snapshot.app_knows(b"320001  ", b"51"), Some(true));
        assert_eq!(snapshot.app_knows(b"320001  ", b"A7"), Some(false));
        assert_eq!(snapshot.app_knows(b"320002  ", b"A7"), None);
        assert!(Snapshot::default().is_empty());
    }

    #[test]
    fn a_number_has_one_row() {
        let rows = rows(
            r#"{"terminals": [{"tid": "1", "standing": "active"}, {"tid": "2", "standing": "active"},
                              {"tid": "1", "standing": "retired"}]}"#,
        );
        let error = Snapshot::build(1, Instant(0), &rows).unwrap_err();
        insta::assert_snapshot!(error, @"terminal 1 stands in rows 1 and 3; a terminal number has one open binding: close one");
    }
}
