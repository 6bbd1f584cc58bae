//! One run: what goes in, what comes out.

use std::io;

use super::batches::{BatchBreak, Proposal};
use super::blocks::Content;
use super::carry::{CarriedRow, CarryError};
use super::classes::Classes;
use super::code::Texts;
use super::dates::Day;
use super::layout::{Layout, LayoutError, Source};
use super::partitions::Spill;
use super::reading::Reject;
use super::results::Break;
use super::totals::{Sum, Totals, TotalsError};
use super::workdays::WorkingDays;

/// A file of a run.
pub struct JobFile<'a> {
    /// What it is.
    pub source: Source,
    /// Its name in results.
    pub name: String,
    /// How it is written.
    pub layout: &'a Layout,
    /// Its bytes.
    pub content: Content<'a>,
    /// Why it must not be used, when the caller knows already (came before, wrong day).
    pub refused: Option<String>,
}

/// How to run.
#[derive(Debug, Clone)]
pub struct Options {
    /// Threads.
    pub threads: usize,
    /// Memory to stay within, in bytes; what does not fit is spilled.
    pub memory: usize,
    /// Partitions; by the size of the files when not given. Results do not depend on it.
    pub partitions: Option<usize>,
    /// The settlement day: needed for dates without a year and for keeping rows.
    pub day: Option<Day>,
    /// Keep rows whose partner may still come.
    pub keep: bool,
}

/// Everything of a run.
pub struct Job<'a> {
    /// Files.
    pub files: Vec<JobFile<'a>>,
    /// Classes and tolerances.
    pub classes: &'a Classes,
    /// Working days.
    pub days: &'a WorkingDays,
    /// How to run.
    pub options: Options,
    /// Where rows go that memory has no room for.
    pub spill: &'a dyn Spill,
    /// What an earlier run kept.
    pub carry: Option<String>,
    /// Bytes of all files, as far as known: decides the number of partitions.
    pub size: u64,
    /// Told the bytes read since the last call.
    pub progress: &'a (dyn Fn(u64) + Sync),
}

/// Takes results, in order: payments by class, terminal and reference; then batches; then proposals.
pub trait Sink {
    /// A payment whose records differ.
    ///
    /// # Errors
    /// As the system says.
    fn payment(&mut self, found: &Break, names: &Names<'_>) -> io::Result<()>;

    /// A batch or bank line.
    ///
    /// # Errors
    /// As the system says.
    fn batch(&mut self, found: &BatchBreak, names: &Names<'_>) -> io::Result<()>;

    /// Rows that may belong together.
    ///
    /// # Errors
    /// As the system says.
    fn proposal(&mut self, found: &Proposal, names: &Names<'_>) -> io::Result<()>;
}

/// What codes and file numbers of results stand for.
pub struct Names<'a> {
    /// Texts of codes.
    pub texts: &'a Texts,
    /// Classes.
    pub classes: &'a Classes,
    pub(crate) files: Vec<String>,
    pub(crate) carried: Vec<String>,
}

impl Names<'_> {
    /// Name of a file.
    #[must_use]
    pub fn file(&self, number: usize) -> &str {
        let from = super::carry::CARRIED_FROM as usize;
        let name = if number >= from { self.carried.get(number - from) } else { self.files.get(number) };
        name.map_or("", |name| name)
    }
}

/// What was read from one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileReport {
    /// What it is.
    pub source: Source,
    /// Name.
    pub name: String,
    /// Rows read, and their amounts where the file has some.
    pub read: Sum,
    /// Lines about no payment: blank, or of a kind that the layout skips.
    pub skipped: u64,
    /// Lines refused.
    pub rejected: u64,
    /// The first of them.
    pub rejects: Vec<Reject>,
    /// Why nothing may be matched with it.
    pub bad: Option<String>,
}

/// A row of an earlier run that found its partner, by how many working days it waited.
pub type LateMatches = std::collections::BTreeMap<u32, u64>;

/// What a run found.
#[derive(Debug)]
pub struct Summary {
    /// Files.
    pub files: Vec<FileReport>,
    /// Control totals; all zero when a file is bad, because nothing was matched then.
    pub totals: Totals,
    /// Rows to hand to the next run, as text.
    pub carry: Option<Vec<u8>>,
    /// Rows kept for the next run.
    pub carried: u64,
    /// Rows of earlier runs that found their partner.
    pub late: LateMatches,
    /// Proposals.
    pub proposals: u64,
    /// Bytes that went to the spill file.
    pub spilled: u64,
    /// Payments looked at.
    pub payments: u64,
}

impl Summary {
    /// Whether a file is bad: then nothing was matched.
    #[must_use]
    pub fn is_refused(&self) -> bool {
        self.files.iter().any(|file| file.bad.is_some())
    }

    /// Breaks of all classes.
    #[must_use]
    pub fn breaks(&self) -> u64 {
        super::classes::Class::ALL.iter().map(|class| self.totals.class(*class).count).sum()
    }
}

/// A run failed.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// Reading or writing failed.
    #[error("{place}: {error}")]
    Io {
        /// File.
        place: String,
        /// What the system says.
        error: io::Error,
    },
    /// A layout does not fit.
    #[error(transparent)]
    Layout(#[from] LayoutError),
    /// The carry file does not read.
    #[error(transparent)]
    Carry(#[from] CarryError),
    /// Something was lost or made up.
    #[error(transparent)]
    Totals(#[from] TotalsError),
    /// A worker stopped.
    #[error("a worker of this run stopped; this is a fault of the program")]
    Worker,
    /// Too many files.
    #[error("{0} files are more than one run takes (16384)")]
    Files(usize),
    /// Something is missing.
    #[error("{0}")]
    Needs(&'static str),
}

impl RunError {
    pub(crate) fn io(place: &str) -> impl FnOnce(io::Error) -> Self + '_ {
        move |error| Self::Io { place: place.to_owned(), error }
    }
}

/// Rows that a worker keeps for the next run.
pub(crate) type Kept = Vec<CarriedRow>;
