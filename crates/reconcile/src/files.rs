//! Files of a settlement day, at file speed: journals, switch log, clearing and payout side by side.
//!
//! Every record of a payment names its terminal, so one pass spreads all rows over partitions by terminal, and each
//! partition is matched alone: first by terminal, batch and trace, then by terminal and reference, never by reference
//! alone. Rows are packed into 15 to 30 bytes; what memory has no room for is spilled. Results are sorted and depend
//! neither on threads nor on partitions, memory or the order of the files. Nothing here opens a file: bytes come and
//! go through [`ReadAt`], [`ReadRows`], [`Spill`] and [`Sink`].

mod batches;
mod blocks;
mod carry;
mod classes;
mod classify;
mod code;
mod dates;
mod digits;
mod gate;
mod job;
mod judging;
mod layout;
mod matching;
mod merchants;
mod packing;
mod partitions;
mod reading;
mod results;
mod rows;
mod run;
mod takers;
mod tokens;
mod totals;
mod workdays;

pub use batches::{BatchBreak, Proposal};
pub use blocks::{Content, FIELD_END, LINE_MAX, ReadAt, ReadRows};
pub use carry::CarryError;
pub use classes::{About, Class, Classes, ClassesError, Effect, Tolerances};
pub use classify::{AttemptFacts, Classifier, ClearedFacts, Facts, MerchantFacts, PaidFacts, Present, ShareFacts};
pub use code::{Code, Texts};
pub use dates::{Day, date_of, day_of, read_day, write_day};
pub use job::{FileReport, Job, JobFile, LateMatches, Names, Options, RunError, Sink, Summary};
pub use layout::{Layout, LayoutError, Role, RowKind, Source};
pub use partitions::Spill;
pub use reading::Reject;
pub use results::Break;
pub use run::run;
pub use totals::{ClassTotal, Flow, MATCHED, Sum, Totals, TotalsError};
pub use workdays::WorkingDays;
