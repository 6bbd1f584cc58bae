//! The stages over what the store holds: import seals and reads files, judge turns their rows into verdicts.
//!
//! The embedded binary and the distributed roles run this same code; only the store behind it differs.
//! Architecture invariant: nothing is judged before it is durable, and judging the same files again changes nothing.

mod apply;
mod collector;
mod delivery;
mod entry;
mod episodes;
mod error;
mod expectations;
mod export;
mod facts;
mod import;
mod judge;
mod outcome;
mod payout;
mod records;
mod replay;
mod resolve;
mod samples;
mod summary;
mod terms;
mod verify;
mod witnesses;

pub use delivery::{Delivered, DeliveryFile, discover};
pub use error::WorkerError;
pub use export::{ExportKind, export};
pub use import::{FileOutcome, ImportReport, Importer, Progress};
pub use judge::JudgeReport;
pub use replay::{Replayed, replay_folder, replay_store};
pub use resolve::{BreakStanding, NotTaken, Resolver, standing};
pub use terms::Terms;
pub use verify::{VerifyReport, verify};
