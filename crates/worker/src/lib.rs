//! The stages over what the store holds: import seals and reads files, judge turns their rows into verdicts.
//!
//! The embedded binary and the distributed roles run this same code; only the store behind it differs.
//! Architecture invariant: nothing is judged before it is durable, and judging the same files again changes nothing.

mod apply;
mod approval;
mod chargebacks;
mod collector;
mod delivery;
mod detection;
mod entry;
mod episodes;
mod error;
mod expectations;
mod export;
mod facts;
mod import;
mod judge;
mod limits;
mod monitoring;
mod outcome;
mod packs;
mod payout;
mod records;
mod rejudge;
mod replay;
mod resolve;
mod revision;
mod samples;
mod shadow;
mod standing;
mod summary;
mod terms;
mod unproven;
mod verdict_facts;
mod verify;
mod witnesses;

pub use approval::{Author, NotDecided};
pub use delivery::{Delivered, DeliveryFile, discover};
pub use detection::{
    Counter, LiveDetection, Looked, Places, Sighting, Told, Watched, WatchedEpisode, watch_folder, watch_store,
};
pub use error::WorkerError;
pub use export::{ExportKind, export};
pub use import::{FileOutcome, ImportReport, Importer, Progress};
pub use judge::JudgeReport;
pub use limits::{LimitStanding, limits, verify_limit};
pub use monitoring::{Month, ProgrammeStanding, monitoring};
pub use packs::{PackStanding, add_pack, decide_pack, live_pack, pack_by_hash, packs};
pub use rejudge::{Rejudged, decide_rejudgements, rejudge};
pub use replay::{Replayed, replay_folder, replay_store};
pub use resolve::{BreakStanding, NotTaken, Resolver, standing};
pub use shadow::{Shadowed, shadow};
pub use terms::Terms;
pub use verdict_facts::facts_of_verdict;
pub use verify::{VerifyReport, verify};
