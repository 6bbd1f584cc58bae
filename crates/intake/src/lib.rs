//! Readers: an acquirer's files become rows, one by one, each with the exact place it stands.
//!
//! A row that does not read becomes a [`Reject`] (file offset, line, field, reason) and the rest of the file goes on.
//! Reading also masks: what [`read_file`] hands to its [`Tap`] as *masked* holds no full card number, track, PIN block
//! or key, in the same number of bytes, so that the offset of a row is the same in the file as it came and in the copy
//! that is kept. Nothing here touches a disk: bytes come from a `Read`, rows go to a [`Sink`].

mod blocks;
mod capture;
mod claims;
mod clearing;
mod describe;
mod disputes;
mod file_kind;
mod frame_fields;
mod journal;
mod mask;
mod payout;
mod reader;
mod registry;
mod row;
mod segment;
mod table;
pub mod tap;

pub use describe::{NamedValue, describe_row};
pub use file_kind::{FileKind, Reading};
pub use reader::{ReadError, ReadOptions, ReadSummary, read_file};
pub use row::{Reject, Row, RowError, Sink, Tap};
