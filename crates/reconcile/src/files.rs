//! Files of a settlement day, at file speed: journals, switch log, clearing and payout side by side.
//!
//! Every record of a payment names its terminal, so one pass spreads all rows over partitions by terminal, and each
//! partition is matched alone: first by terminal, batch and trace, then by terminal and reference, never by reference
//! alone. Rows are packed into 15 to 30 bytes; what memory has no room for is spilled. Results are sorted and depend
//! neither on threads nor on partitions, memory or the order of the files. Nothing here opens a file: bytes come and
//! go through [`ReadAt`], [`ReadRows`], [`ReadColumns`], [`Spill`] and [`Sink`].

mod ahead;
mod batches;
mod beneficiaries;
mod blocks;
mod carry;
mod classes;
mod classify;
mod code;
mod columns;
mod dates;
mod digits;
mod gate;
mod job;
mod judging;
mod layout;
mod matching;
mod merchants;
mod naming;
pub(crate) mod one;
mod packing;
mod partitions;
mod reading;
mod results;
mod rows;
mod run;
mod statement;
mod takers;
mod tokens;
mod totals;
mod typed;
mod workbook;
mod workdays;

pub use batches::{BatchBreak, Proposal};
pub use blocks::{Content, FIELD_END, LINE_MAX, ReadAt, ReadRows};
pub use carry::CarryError;
pub use classes::{About, AboutFlag, Class, Classes, ClassesError, Effect, Flag, Tolerances};
pub use classify::{AttemptFacts, Classifier, ClearedFacts, Facts, MerchantFacts, PaidFacts, Present, ShareFacts};
pub use code::{Code, Texts};
pub use columns::{
    Column, ColumnBatch, NextColumns, ReadColumns, TakeColumns, Texts as ColumnTexts, Views as ColumnViews,
    write_number,
};
pub use dates::{Day, date_of, day_of, read_day, write_day};
pub use job::{FileReport, Job, JobFile, LateMatches, Names, Options, RunError, Sink, Summary};
pub use layout::{Layout, LayoutError, Role, RowKind, Source};
pub use partitions::Spill;
pub use reading::Reject;
pub use results::Break;
pub use run::run;
pub use statement::{StatementFault, StatementRows, check_statement};
pub use totals::{ClassTotal, Flow, MATCHED, Sum, Totals, TotalsError};
pub use workbook::{Workbook, WorkbookFault};
pub use workdays::WorkingDays;
