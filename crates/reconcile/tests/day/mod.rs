//! Files in memory, results as lines.
#![allow(dead_code, reason = "each test uses its part")]

use std::io;
use std::sync::Mutex;

use onus_reconcile::files::{
    BatchBreak, Break, Classes, Content, Flag, Job, JobFile, Layout, Names, Options, Proposal, RunError, Sink, Source,
    Summary, WorkingDays, run,
};

pub(crate) const LAYOUT: &str = include_str!("../../../../layouts/four-files.toml");
pub(crate) const CLASSES: &str = include_str!("../../../../packs/breaks-1/classes.toml");

/// Results as lines.
#[derive(Default)]
pub(crate) struct Lines {
    pub(crate) payments: Vec<String>,
    pub(crate) batches: Vec<String>,
    pub(crate) proposals: Vec<String>,
    /// Flags of each payment.
    pub(crate) flags: Vec<String>,
}

impl Sink for Lines {
    fn payment(&mut self, found: &Break, names: &Names<'_>) -> io::Result<()> {
        let text = |code| names.texts.text(code);
        let flags: Vec<&str> = found.flags(names.classes).map(Flag::code).collect();
        self.flags.push(flags.join(" "));
        let places: Vec<String> = found
            .places
            .iter()
            .map(|place| place.map_or(String::new(), |(file, offset)| format!("{}@{offset}", names.file(file))))
            .collect();
        self.payments.push(format!(
            "{},{},{},{:?},{:x},{},{}",
            found.class.code(),
            text(found.terminal),
            text(found.rrn),
            found.amounts,
            found.holding,
            found.effect,
            places.join(" ")
        ));
        Ok(())
    }

    fn batch(&mut self, found: &BatchBreak, names: &Names<'_>) -> io::Result<()> {
        let batch = names.texts.text(found.batch);
        self.batches.push(format!("{},{batch},{},{}", found.class.code(), found.total, found.lines));
        Ok(())
    }

    fn proposal(&mut self, found: &Proposal, names: &Names<'_>) -> io::Result<()> {
        let rows: Vec<String> =
            found.places.iter().map(|(file, offset)| format!("{}@{offset}", names.file(*file))).collect();
        self.proposals.push(format!("{},{},{}", found.reason, found.amount, rows.join(" ")));
        Ok(())
    }
}

/// How a test runs a day.
#[derive(Clone)]
pub(crate) struct How<'a> {
    pub(crate) layout: &'a str,
    pub(crate) classes: &'a str,
    pub(crate) threads: usize,
    pub(crate) memory: usize,
    pub(crate) partitions: usize,
    pub(crate) day: Option<i32>,
    pub(crate) keep: bool,
    pub(crate) carry: Option<String>,
    pub(crate) streams: bool,
}

impl Default for How<'_> {
    fn default() -> Self {
        Self {
            layout: LAYOUT,
            classes: CLASSES,
            threads: 1,
            memory: 1 << 26,
            partitions: 2,
            day: None,
            keep: false,
            carry: None,
            streams: false,
        }
    }
}

/// Reconciles files in memory.
pub(crate) fn reconcile(files: &[(Source, &str, &[u8])], how: &How<'_>) -> Result<(Lines, Summary), RunError> {
    let contents = files.iter().map(|(source, name, bytes)| {
        let content = if how.streams { Content::Stream(Box::new(*bytes)) } else { Content::At(bytes) };
        (*source, *name, content)
    });
    reconcile_contents(contents.collect(), how)
}

/// Reconciles files that are reached in any way.
pub(crate) fn reconcile_contents(
    files: Vec<(Source, &str, Content<'_>)>,
    how: &How<'_>,
) -> Result<(Lines, Summary), RunError> {
    let layout = Layout::from_toml(how.layout).unwrap();
    let classes = Classes::from_toml(how.classes).unwrap();
    let days = WorkingDays::default();
    let spill = Mutex::<Vec<u8>>::default();
    let job = Job {
        files: files
            .into_iter()
            .map(|(source, name, content)| JobFile {
                source,
                name: name.to_owned(),
                layout: &layout,
                content,
                refused: None,
            })
            .collect(),
        classes: &classes,
        days: &days,
        options: Options {
            threads: how.threads,
            memory: how.memory,
            partitions: Some(how.partitions),
            day: how.day,
            keep: how.keep,
        },
        spill: &spill,
        carry: how.carry.clone(),
        size: 0,
        progress: &|_| {},
    };
    let mut lines = Lines::default();
    let summary = run(job, &mut lines)?;
    Ok((lines, summary))
}
