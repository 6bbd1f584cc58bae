//! A run from files to sorted breaks with control totals.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use super::batches::{BankRow, BankRows, BatchCheck, BatchRow, BatchRows, LineSums, Returns};
use super::blocks::{BLOCK, Blocks, Content, FIELD_END};
use super::carry::{CARRIED_FROM, CarriedRow, read_carry, write_carry};
use super::classify::Present;
use super::code::Texts;
use super::dates::Day;
use super::gate::control_fault;
use super::job::{FileReport, Job, JobFile, Names, RunError, Sink, Summary};
use super::judging::{Court, Judge, Judged};
use super::layout::{HeaderOf, Plan, Role, Source};
use super::matching::Matching;
use super::merchants::{MerchantRows, Merchants};
use super::partitions::{Budget, Partitions, Spreader};
use super::reading::{LineReader, Taker, Tally};
use super::results::{Break, Results};
use super::rows::{Attempt, Cleared, Paid, RowReader, Shared, place};
use super::takers::{Aside, Candidate, Packed, SpreadRows, is_wide};
use super::totals::{Sum, Totals};

/// Input bytes that one partition should stand for: its rows and their tables fit the cache of a core.
const PARTITION_BYTES: u64 = 4 * 1024 * 1024;
const PARTITIONS_MAX: usize = 4_096;
/// Rows are put away, or spilled, so many bytes at once.
const SEGMENT_MAX: usize = 64 * 1024 * 1024;
const SEGMENT_MIN: usize = 64 * 1024;
/// Of the memory allowed, so many bytes are left for buffers and tables,
const RESERVE: usize = 32 * 1024 * 1024;
/// and one part in so many for the list of bundles and the allocator.
const RESERVE_PART: usize = 5;

/// Files are read in this order: what later rows are looked up in comes first.
const ORDER: [Source; 8] = [
    Source::Merchant,
    Source::Bank,
    Source::Batch,
    Source::Clearing,
    Source::Switch,
    Source::Terminal,
    Source::Payout,
    Source::Share,
];

/// Reconciles the files of a job.
///
/// # Errors
/// When a file does not read at all, a layout does not fit, or control totals do not add up.
pub fn run(job: Job<'_>, sink: &mut dyn Sink) -> Result<Summary, RunError> {
    if job.files.len() as u64 >= CARRIED_FROM {
        return Err(RunError::Files(job.files.len()));
    }
    if job.options.keep && job.options.day.is_none() {
        return Err(RunError::Needs("keeping rows for the next run needs the settlement day"));
    }
    let texts = Texts::default();
    let threads = job.options.threads.max(1);
    let memory = job.options.memory;
    let budget = Budget::new((memory - memory / RESERVE_PART).saturating_sub(RESERVE));
    let count = job.options.partitions.unwrap_or_else(|| partitions_for(&job));
    let partitions = Partitions::new(count, segment_bytes(&job, threads), &budget, job.spill);
    let mut names = Names { texts: &texts, classes: job.classes, files: Vec::new(), carried: Vec::new() };
    let mut desk = Desk {
        partitions: &partitions,
        texts: &texts,
        threads,
        day: job.options.day,
        progress: job.progress,
        present: Present::default(),
        small: Small::default(),
        totals: Totals::default(),
        aside: Aside::default(),
        candidates: Vec::new(),
        sums: LineSums::default(),
        reports: Vec::new(),
    };
    let carried = job.carry.as_deref().map_or_else(|| Ok(Vec::new()), |text| read_carry(text, &texts))?;
    let seen_on = desk.take_carried(carried, &mut names)?;
    let mut files = job.files;
    files.sort_by_key(|file| ORDER.iter().position(|source| *source == file.source));
    names.files = files.iter().map(|file| file.name.clone()).collect();
    desk.read_all(files)?;
    desk.name_aside()?;
    partitions.close().map_err(RunError::io("spill file"))?;
    if desk.reports.iter().any(|report| report.bad.is_some()) {
        return Ok(desk.refused());
    }
    let returns = Returns::find(&desk.small.batches, &desk.sums, &desk.small.bank);
    let court = Court {
        names: &names,
        classes: job.classes,
        present: desk.present,
        days: job.days,
        merchants: &desk.small.merchants,
        returned: &returns.whole,
        keep_on: job.options.day.filter(|_| job.options.keep),
        today: job.options.day,
        seen_on: &seen_on,
    };
    let results = Results::new(&budget, job.spill);
    let check = BatchCheck {
        waits: &|row| court.waits(row),
        returned: returns.alone,
        batches: &desk.small.batches,
        lines: &desk.sums,
        bank: &desk.small.bank,
        has_batches: desk.small.has_batches,
        has_bank: desk.small.has_bank,
        has_lines: desk.present.payout,
    };
    let (mut judged, batches) = if threads == 1 {
        (judge_all(&court, &partitions, &results, 1)?, check.run(&texts))
    } else {
        thread::scope(|scope| {
            let batches = scope.spawn(|| check.run(&texts));
            let judged = judge_all(&court, &partitions, &results, threads)?;
            Ok::<_, RunError>((judged, batches.join().map_err(|_| RunError::Worker)?))
        })?
    };
    let mut totals = std::mem::take(&mut desk.totals);
    totals.join(&judged.totals);
    totals.check()?;
    judged.beneficiaries.add_owners(&desk.small.merchants);
    let take = |found: &Break| {
        let account_merchants = judged.beneficiaries.count(found.account);
        sink.payment(&Break { account_merchants, ..*found }, &names)
    };
    results.hand_out(&texts, threads, take).map_err(RunError::io("results"))?;
    judged.kept.extend(batches.kept.iter().filter_map(|row| court.carried(row)));
    for found in &batches.breaks {
        let effect = match found.class {
            super::classes::Class::BatchSum => found.total.saturating_sub(found.lines),
            _ => found.total,
        };
        totals.count_break(found.class, found.class.bit(), effect);
        sink.batch(found, &names).map_err(RunError::io("results"))?;
    }
    judged.proposals.extend(batches.proposals);
    judged.proposals.sort_by(|one, other| one.places.cmp(&other.places));
    for found in &judged.proposals {
        sink.proposal(found, &names).map_err(RunError::io("results"))?;
    }
    Ok(Summary {
        files: desk.reports,
        totals,
        carried: judged.kept.len() as u64,
        carry: job.options.keep.then(|| write_carry(&judged.kept, &texts)),
        late: judged.late,
        proposals: judged.proposals.len() as u64,
        spilled: partitions.spilled() as u64,
        payments: judged.payments,
    })
}

fn segment_bytes(job: &Job<'_>, threads: usize) -> usize {
    let whole = usize::try_from(job.size).unwrap_or(usize::MAX);
    (job.options.memory / 32).min(whole).div_euclid(threads).clamp(SEGMENT_MIN, SEGMENT_MAX)
}

fn partitions_for(job: &Job<'_>) -> usize {
    let count = job.size / PARTITION_BYTES;
    usize::try_from(count).unwrap_or(PARTITIONS_MAX).clamp(2, PARTITIONS_MAX).next_power_of_two()
}

/// What stands in small files; none of it is asked for before all files are read.
#[derive(Default)]
struct Small {
    has_batches: bool,
    has_bank: bool,
    merchants: Merchants,
    batches: Vec<BatchRow>,
    bank: Vec<BankRow>,
}

/// A file with its number.
type Numbered<'a> = (u64, JobFile<'a>);
/// What is said of a file, with its number.
type Report = (u64, FileReport);

/// Where files are read.
struct Desk<'a> {
    partitions: &'a Partitions<'a>,
    texts: &'a Texts,
    threads: usize,
    day: Option<Day>,
    progress: &'a (dyn Fn(u64) + Sync),
    present: Present,
    small: Small,
    totals: Totals,
    aside: Aside,
    candidates: Vec<Candidate>,
    sums: LineSums,
    reports: Vec<FileReport>,
}

/// A file that is ready to be read.
struct Opened<'a> {
    number: u64,
    name: String,
    plan: Plan,
    blocks: Blocks<'a>,
    data_from: u64,
    header_lines: u64,
    /// Lines that the file may have, guessed from its beginning; 0 where it cannot be told.
    lines_about: usize,
}

impl<'a> Desk<'a> {
    /// Reads all files: the small ones on a thread of their own, where there are several.
    fn read_all(&mut self, files: Vec<JobFile<'_>>) -> Result<(), RunError> {
        let is_small =
            |(_, file): &Numbered<'_>| matches!(file.source, Source::Merchant | Source::Bank | Source::Batch);
        let (small, large): (Vec<_>, Vec<_>) = (0..).zip(files).partition(is_small);
        let mut kept = std::mem::take(&mut self.small);
        let (texts, day, progress) = (self.texts, self.day, self.progress);
        let read_small = |kept: &mut Small| -> Result<Vec<Report>, RunError> {
            small.into_iter().map(|file| kept.read(file, texts, day, progress)).collect()
        };
        let mut reports = if self.threads == 1 {
            let reports = read_small(&mut kept)?;
            [reports, self.read_large(large)?].concat()
        } else {
            thread::scope(|scope| {
                let aside = scope.spawn(|| read_small(&mut kept));
                let reports = self.read_large(large)?;
                Ok::<_, RunError>([aside.join().map_err(|_| RunError::Worker)??, reports].concat())
            })?
        };
        self.small = kept;
        reports.sort_by_key(|(number, _)| *number);
        self.reports.extend(reports.into_iter().map(|(_, report)| report));
        Ok(())
    }

    fn read_large(&mut self, files: Vec<Numbered<'_>>) -> Result<Vec<Report>, RunError> {
        files.into_iter().map(|file| self.read(file)).collect()
    }

    fn read(&mut self, (number, file): Numbered<'_>) -> Result<Report, RunError> {
        if file.refused.is_some() {
            return Ok((number, refusal(file)));
        }
        let source = file.source;
        let opened = open(number, file)?;
        match source {
            Source::Terminal => self.present.terminal = true,
            Source::Switch => self.present.switch = true,
            Source::Clearing => self.present.clearing = true,
            Source::Payout => self.present.payout = true,
            Source::Share | Source::Batch | Source::Bank | Source::Merchant => {}
        }
        let (sum, tally) = match source {
            Source::Terminal | Source::Switch => self.spread::<Attempt, 10>(source, &opened)?,
            Source::Clearing => self.spread::<Cleared, 10>(source, &opened)?,
            Source::Payout => self.spread::<Paid, 10>(source, &opened)?,
            Source::Share => self.spread::<Shared, 5>(source, &opened)?,
            Source::Batch | Source::Bank | Source::Merchant => Default::default(),
        };
        Ok((number, report(source, &opened, sum, tally)))
    }

    /// Reads a file on all threads and spreads its rows.
    fn spread<R: Packed<N> + Send, const N: usize>(
        &mut self,
        source: Source,
        opened: &Opened<'_>,
    ) -> Result<(Sum, Tally), RunError> {
        let aside = std::mem::take(&mut self.aside);
        let wanted = (source == Source::Switch && !aside.lines.is_empty()).then_some(&aside);
        let this = &*self;
        let work = || -> Result<_, RunError> {
            let spreader = Spreader::<N>::new(this.partitions, source);
            let reader = RowReader::new(&opened.plan, this.texts, opened.number, this.day);
            let mut taker = SpreadRows::<R, N>::new(reader, spreader, wanted);
            let mut lines = LineReader::new(&opened.plan, opened.data_from);
            lines.read(&opened.blocks, &mut taker, this.progress).map_err(RunError::io(&opened.name))?;
            let (sum, notes) = taker.finish().map_err(RunError::io("spill file"))?;
            Ok((sum, lines.tally, (notes.aside, notes.candidates, notes.sums)))
        };
        let parts = on_threads(self.threads, work)?;
        let (mut sum, mut tally) = (Sum::default(), Tally::default());
        self.aside = aside;
        for (part_sum, part_tally, (lines, candidates, sums)) in parts {
            sum.rows += part_sum.rows;
            sum.fen += part_sum.fen;
            tally.add(part_tally);
            lines.into_iter().for_each(|(key, line)| self.aside.add(key, line));
            self.candidates.extend(candidates);
            self.sums.join(&sums);
        }
        let read = &mut self.totals.flow_mut(source).read;
        read.rows += sum.rows;
        read.fen += sum.fen;
        tally.finish(opened.header_lines);
        Ok((sum, tally))
    }

    /// Clearing lines without a name take that of the one switch row with their network key.
    fn name_aside(&mut self) -> Result<(), RunError> {
        if self.aside.lines.is_empty() {
            return Ok(());
        }
        self.candidates.sort_unstable();
        let mut spreader = Spreader::<10>::new(self.partitions, Source::Clearing);
        for (number, line) in self.aside.lines.iter_mut().enumerate() {
            let from = self.candidates.partition_point(|candidate| candidate.line < number);
            let fitting: Vec<&Candidate> =
                self.candidates[from..].iter().take_while(|candidate| candidate.line == number).take(2).collect();
            if let [only] = fitting[..] {
                (line.terminal, line.rrn) = (only.terminal, only.rrn);
            }
            spreader.push(line.terminal, &line.to_numbers());
        }
        spreader.finish().map_err(RunError::io("spill file"))
    }

    /// Puts rows of an earlier run where they belong; the first day of each of their files.
    fn take_carried(&mut self, rows: Vec<CarriedRow>, names: &mut Names<'_>) -> Result<Vec<Day>, RunError> {
        let mut seen_on: Vec<Day> = Vec::new();
        let mut by_source: BTreeMap<Source, Vec<Vec<u64>>> = BTreeMap::new();
        for row in rows {
            let known =
                (0..seen_on.len()).rev().find(|at| seen_on[*at] == row.seen_on && names.carried[*at] == row.file);
            let file = known.unwrap_or_else(|| {
                seen_on.push(row.seen_on);
                names.carried.push(row.file.clone());
                seen_on.len() - 1
            });
            let mut numbers = row.numbers;
            let at = place(CARRIED_FROM + file as u64, row.offset);
            if row.source == Source::Batch {
                self.small.has_batches = true;
                self.small.batches.extend(BatchRow::from_numbers(&numbers, at));
                continue;
            }
            numbers.push(at);
            let money = numbers[match row.source {
                Source::Payout => 6,
                Source::Clearing | Source::Share => 3,
                _ => 4,
            }];
            self.totals.flow_mut(row.source).read.add(1, money.cast_signed());
            by_source.entry(row.source).or_default().push(numbers);
        }
        for (source, rows) in by_source {
            if is_wide(source) {
                self.spread_carried::<10>(source, &rows)?;
            } else {
                self.spread_carried::<5>(source, &rows)?;
            }
        }
        Ok(seen_on)
    }

    fn spread_carried<const N: usize>(&self, source: Source, rows: &[Vec<u64>]) -> Result<(), RunError> {
        let mut spreader = Spreader::<N>::new(self.partitions, source);
        for row in rows.iter().filter_map(|row| row.as_slice().try_into().ok()) {
            let row: &[u64; N] = row;
            spreader.push(row[0], row);
        }
        spreader.finish().map_err(RunError::io("spill file"))
    }

    /// A file is bad: nothing was matched.
    fn refused(self) -> Summary {
        let mut totals = Totals::default();
        for _ in self.reports.iter().filter(|report| report.bad.is_some()) {
            totals.count_break(super::classes::Class::FileBad, super::classes::Class::FileBad.bit(), 0);
        }
        Summary {
            files: self.reports,
            totals,
            carry: None,
            carried: 0,
            late: super::job::LateMatches::default(),
            proposals: 0,
            spilled: self.partitions.spilled() as u64,
            payments: 0,
        }
    }
}

impl Small {
    /// Reads a file on this thread.
    fn read(
        &mut self,
        (number, file): Numbered<'_>,
        texts: &Texts,
        day: Option<Day>,
        progress: &(dyn Fn(u64) + Sync),
    ) -> Result<Report, RunError> {
        if file.refused.is_some() {
            return Ok((number, refusal(file)));
        }
        let source = file.source;
        let opened = open(number, file)?;
        let reader = RowReader::new(&opened.plan, texts, number, day);
        let (sum, tally) = match source {
            Source::Batch => {
                self.has_batches = true;
                let mut taker = BatchRows { reader, rows: std::mem::take(&mut self.batches) };
                let before = taker.rows.len();
                taker.rows.reserve(opened.lines_about);
                let tally = alone(&opened, &mut taker, progress)?;
                self.batches = taker.rows;
                (sum_of(self.batches[before..].iter().map(|row| row.total)), tally)
            }
            Source::Bank => {
                self.has_bank = true;
                let mut taker = BankRows { reader, rows: std::mem::take(&mut self.bank) };
                let before = taker.rows.len();
                let tally = alone(&opened, &mut taker, progress)?;
                self.bank = taker.rows;
                (sum_of(self.bank[before..].iter().map(|row| row.amount)), tally)
            }
            _ => {
                let mut taker = MerchantRows { reader, merchants: std::mem::take(&mut self.merchants), rows: 0 };
                taker.merchants.reserve(opened.lines_about);
                let tally = alone(&opened, &mut taker, progress)?;
                self.merchants = taker.merchants;
                (Sum { rows: taker.rows, fen: 0 }, tally)
            }
        };
        Ok((number, report(source, &opened, sum, tally)))
    }
}

fn alone(opened: &Opened<'_>, taker: &mut impl Taker, progress: &(dyn Fn(u64) + Sync)) -> Result<Tally, RunError> {
    let mut lines = LineReader::new(&opened.plan, opened.data_from);
    lines.read(&opened.blocks, taker, progress).map_err(RunError::io(&opened.name))?;
    lines.tally.finish(opened.header_lines);
    Ok(lines.tally)
}

fn report(source: Source, opened: &Opened<'_>, read: Sum, tally: Tally) -> FileReport {
    let bad = control_fault(&opened.plan, &tally.control, read, tally.rejected);
    let Tally { skipped, rejected, rejects, .. } = tally;
    FileReport { source, name: opened.name.clone(), read, skipped, rejected, rejects, bad }
}

/// Of a file that is not to be read at all.
fn refusal(file: JobFile<'_>) -> FileReport {
    let JobFile { source, name, refused, .. } = file;
    FileReport { source, name, read: Sum::default(), skipped: 0, rejected: 0, rejects: Vec::new(), bad: refused }
}

fn sum_of(amounts: impl Iterator<Item = i64>) -> Sum {
    let mut sum = Sum::default();
    for amount in amounts {
        sum.add(1, amount);
    }
    sum
}

fn open(number: u64, file: JobFile<'_>) -> Result<Opened<'_>, RunError> {
    let JobFile { source, name, layout, content, .. } = file;
    let names = match &content {
        Content::Rows(rows) => Some(rows.names()),
        Content::Columns(columns) => Some(columns.names()),
        Content::At(_) | Content::Stream(_) => None,
    };
    if let Some(names) = names {
        let mut plan = layout.plan(source, &name, &HeaderOf::Names(names))?;
        plan.cutting.delimiter = FIELD_END;
        plan.cutting.quote = None;
        plan.cutting.double_bytes = false;
        match &content {
            Content::Rows(rows) => rows.select(&plan.used_columns()),
            Content::Columns(columns) => columns.select(&plan.used_columns()),
            Content::At(_) | Content::Stream(_) => {}
        }
        return Ok(Opened {
            number,
            name,
            plan,
            blocks: Blocks::new(content, BLOCK),
            data_from: 0,
            header_lines: 0,
            lines_about: 0,
        });
    }
    let blocks = Blocks::new(content, BLOCK);
    let start = blocks.peek().map_err(RunError::io(&name))?;
    let bom = if start.starts_with(b"\xEF\xBB\xBF") { 3 } else { 0 };
    let mut data_from = bom;
    let has_header = layout.has_header(source)?;
    let header = if has_header {
        let line = &start[bom..];
        let length = memchr::memchr(b'\n', line).unwrap_or(line.len());
        data_from = bom + (length + 1).min(line.len());
        HeaderOf::Line(line[..length].strip_suffix(b"\r").unwrap_or(&line[..length]))
    } else {
        HeaderOf::None
    };
    let plan = layout.plan(source, &name, &header)?;
    let lines_about = blocks.lines_about(&start);
    Ok(Opened {
        number,
        name,
        plan,
        blocks,
        data_from: data_from as u64,
        header_lines: u64::from(has_header),
        lines_about,
    })
}

impl Plan {
    fn used_columns(&self) -> Vec<usize> {
        let mut used: Vec<usize> = (0..self.columns).filter(|column| self.roles().any(|at| at == *column)).collect();
        used.dedup();
        used
    }

    fn roles(&self) -> impl Iterator<Item = usize> {
        Role::ALL.into_iter().filter_map(|role| self.column(role))
    }
}

/// Runs the same work on several threads.
fn on_threads<T: Send>(threads: usize, work: impl Fn() -> Result<T, RunError> + Sync) -> Result<Vec<T>, RunError> {
    if threads == 1 {
        return Ok(vec![work()?]);
    }
    thread::scope(|scope| {
        let handles: Vec<_> = (0..threads).map(|_| scope.spawn(&work)).collect();
        handles.into_iter().map(|handle| handle.join().map_err(|_| RunError::Worker)?).collect()
    })
}

fn judge_all(
    court: &Court<'_>,
    partitions: &Partitions<'_>,
    results: &Results<'_>,
    threads: usize,
) -> Result<Judged, RunError> {
    let next = AtomicUsize::new(0);
    let work = || -> Result<Judged, RunError> {
        let mut judge = Judge::new(court).remembering();
        let (mut rows, mut found, mut reader) = (Matching::default(), Vec::new(), partitions.reader());
        loop {
            let partition = next.fetch_add(1, Ordering::Relaxed);
            if partition >= partitions.count() {
                return Ok(judge.judged);
            }
            rows.clear();
            reader
                .read(partition, |source, bytes, length, later| {
                    let loaded = rows.load(source, bytes, length, later);
                    judge.judged.totals.flow_mut(source).loaded.join(loaded);
                })
                .map_err(RunError::io("spill file"))?;
            rows.match_rows();
            judge.judge(&rows, &mut found);
            results.add(&found, court.names.texts).map_err(RunError::io("spill file"))?;
        }
    };
    let mut all = Judged::default();
    for part in on_threads(threads, work)? {
        all.totals.join(&part.totals);
        all.kept.extend(part.kept);
        all.proposals.extend(part.proposals);
        all.payments += part.payments;
        all.beneficiaries.join(part.beneficiaries);
        for (age, count) in part.late {
            *all.late.entry(age).or_default() += count;
        }
    }
    Ok(all)
}
