//! Import: seal a delivery's files, make them durable, then judge.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;
use std::sync::Mutex;

use base16ct::lower::encode_string as hex;
use onus_evidence::SigningKey;
use onus_intake::{FileKind, ReadOptions, ReadSummary, Tap, read_file};
use onus_model::{Instant, Zone};
use onus_store::files::{FileRow, RejectRow};
use onus_store::tenants::TenantRow;
use onus_store::vault::{SealWriter, Vault};
use onus_store::{Scope, Store, Value};
use sha2::{Digest, Sha256};

use crate::collector::{Collector, Records};
use crate::delivery::{Delivered, DeliveryFile, discover};
use crate::error::WorkerError;
use crate::expectations;
use crate::judge::{Judge, JudgeReport};
use crate::records::read_sealed;

/// Told what is going on; called from several threads.
pub trait Progress: Sync {
    /// Bytes to read in all.
    fn started(&self, _bytes: u64) {}
    /// Bytes read since the last call.
    fn read(&self, _bytes: u64) {}
    /// A stage begins.
    fn stage(&self, _name: &str) {}
}

impl Progress for () {}

/// What became of one file.
#[derive(Debug, Clone)]
pub struct FileOutcome {
    /// Its name within the delivery.
    pub name: String,
    /// What it holds.
    pub kind: FileKind,
    /// What reading came to; none when it was not read.
    pub summary: Option<ReadSummary>,
    /// In words, when it was not read: known already, or why it failed.
    pub note: Option<String>,
    /// It could not be read at all.
    pub failed: bool,
}

/// What an import came to.
#[derive(Debug, Default)]
pub struct ImportReport {
    /// Files, in order of name.
    pub files: Vec<FileOutcome>,
    /// Files left alone, with the reason.
    pub left: Vec<(String, &'static str)>,
    /// What judging came to; none when nothing was new.
    pub judged: Option<JudgeReport>,
}

impl ImportReport {
    /// Whether no file at all could be read.
    #[must_use]
    pub fn nothing_read(&self) -> bool {
        self.files.iter().all(|file| file.failed)
    }
}

/// Imports deliveries into a store and its vault.
pub struct Importer<'a> {
    store: &'a Store,
    vault: &'a Vault,
    tenant: TenantRow,
    key: &'a SigningKey,
    zone: Zone,
    now: Instant,
}

/// A file as it was read: its row for the store, without a number that could clash.
struct ReadFile {
    row: FileRow,
    rejects: Vec<RejectRow>,
    summary: ReadSummary,
}

impl<'a> Importer<'a> {
    /// An importer for a tenant at a time.
    ///
    /// # Errors
    /// When the tenant's zone is not known.
    pub fn new(
        store: &'a Store,
        vault: &'a Vault,
        key: &'a SigningKey,
        tenant: TenantRow,
        now: Instant,
    ) -> Result<Self, WorkerError> {
        let zone =
            Zone::named(&tenant.zone).map_err(|error| WorkerError::Config(format!("tenant {}: {error}", tenant.id)))?;
        Ok(Self { store, vault, tenant, key, zone, now })
    }

    /// Imports a folder: files that are known by content are left alone, the others are sealed, stored and judged.
    ///
    /// # Errors
    /// When the folder cannot be listed or the store fails. A file that cannot be read is in the report.
    pub fn import(&self, folder: &Path, progress: &dyn Progress) -> Result<ImportReport, WorkerError> {
        let Delivered { files, left } = discover(folder)?;
        Ok(ImportReport { left, ..self.import_files(files, progress)? })
    }

    /// Imports these files, as [`Importer::import`] does with a folder.
    ///
    /// # Errors
    /// When the store fails. A file that cannot be read is in the report.
    pub fn import_files(&self, files: Vec<DeliveryFile>, progress: &dyn Progress) -> Result<ImportReport, WorkerError> {
        progress.started(files.iter().map(|file| file.size).sum());
        let known = self.known_files()?;
        let first_seq = known.iter().map(|file| file.seq).max().map_or(0, |seq| seq + 1);
        let mut jobs = Vec::with_capacity(files.len());
        let mut report = ImportReport::default();
        for (number, file) in files.into_iter().enumerate() {
            let seq = first_seq + i64::try_from(number).unwrap_or_default();
            jobs.push(Job { file, seq });
        }
        let mut records = Records::default();
        let outcomes = self.read_all(jobs, &known, &mut records, progress);
        let mut fresh = Vec::new();
        for (file, outcome) in outcomes {
            let mut entry =
                FileOutcome { name: file.name.clone(), kind: file.kind, summary: None, note: None, failed: false };
            match outcome {
                Ok(Some(read)) => {
                    entry.summary = Some(read.summary);
                    fresh.push(read);
                }
                Ok(None) => entry.note = Some("known already: the same content was imported before".to_owned()),
                Err(error) => {
                    entry.failed = true;
                    entry.note = Some(error.to_string());
                }
            }
            report.files.push(entry);
        }
        progress.stage("making the files durable");
        self.store_files(&fresh)?;
        report.judged = self.judge_new(&known, &fresh, records, false, progress)?;
        Ok(report)
    }

    /// Judges whatever is durable and not judged yet, as after a crash. Nothing happens when there is none.
    ///
    /// # Errors
    /// When the store fails or a sealed file does not read.
    pub fn judge_pending(&self, progress: &dyn Progress) -> Result<Option<JudgeReport>, WorkerError> {
        let known = self.known_files()?;
        self.judge_new(&known, &[], Records::default(), false, progress)
    }

    /// Lets the time of this importer pass for what is awaited: what became due is overdue from now on, and payments
    /// are judged again when that can make breaks of days. Nothing happens when nothing became due; a crash in between
    /// leaves it due, and the next call takes it up.
    ///
    /// # Errors
    /// When the store fails or a sealed file does not read.
    pub fn judge_due(&self, progress: &dyn Progress) -> Result<Option<JudgeReport>, WorkerError> {
        let (tenant, now) = (self.tenant.id.as_str(), self.now.0);
        let legs = self.store.read(|tx| onus_store::expectations::due_legs(tx, tenant, now))?;
        if legs.is_empty() {
            return Ok(None);
        }
        let judged = if legs.iter().any(|leg| expectations::breaks_a_day(leg)) {
            self.judge_new(&self.known_files()?, &[], Records::default(), true, progress)?
        } else {
            None
        };
        self.store.write(|tx| onus_store::expectations::mark_overdue(tx, tenant, now))?;
        Ok(judged)
    }

    fn known_files(&self) -> Result<Vec<FileRow>, WorkerError> {
        let scope = Scope::all(&self.tenant.id);
        Ok(self.store.read(|tx| onus_store::files::list(tx, &scope))?)
    }

    /// Two threads: captured traffic, in order of name, and everything else.
    fn read_all(
        &self,
        jobs: Vec<Job>,
        known: &[FileRow],
        records: &mut Records,
        progress: &dyn Progress,
    ) -> Vec<Outcome> {
        let (traffic, others): (Vec<_>, Vec<_>) = jobs.into_iter().partition(|job| job.file.kind.is_traffic());
        let taken = Mutex::new(known.iter().map(|file| file.id.clone()).collect::<Vec<_>>());
        let read = |jobs: Vec<Job>, records: &mut Records| -> Vec<Outcome> {
            jobs.into_iter()
                .map(|job| {
                    let outcome = self.read_one(&job, known, &taken, records, progress);
                    (job.file, outcome)
                })
                .collect()
        };
        let mut traffic_records = Records::default();
        let (mut outcomes, traffic_outcomes) = std::thread::scope(|scope| {
            let captured = scope.spawn(|| read(traffic, &mut traffic_records));
            let outcomes = read(others, records);
            (outcomes, captured.join().unwrap_or_default())
        });
        records.add_traffic(traffic_records);
        outcomes.extend(traffic_outcomes);
        outcomes.sort_by(|left, right| left.0.name.cmp(&right.0.name));
        outcomes
    }

    fn read_one(
        &self,
        job: &Job,
        known: &[FileRow],
        taken: &Mutex<Vec<String>>,
        records: &mut Records,
        progress: &dyn Progress,
    ) -> Result<Option<ReadFile>, WorkerError> {
        let failed = |source| WorkerError::File { path: job.file.path.clone(), source };
        // Only a file of the same size can be the same file: those are hashed before anything is read.
        let size = i64::try_from(job.file.size).unwrap_or(i64::MAX);
        if known.iter().any(|row| row.size == size) {
            let hash = sha256_of(&job.file.path).map_err(failed)?;
            if known.iter().any(|row| row.id == hash) {
                progress.read(job.file.size);
                return Ok(None);
            }
        }
        let source = BufReader::with_capacity(1 << 20, File::open(&job.file.path).map_err(failed)?);
        let mut tap = SealTap { hash: Sha256::new(), seal: Some(self.vault.seal()?), progress };
        let options = ReadOptions {
            kind: job.file.kind,
            file_seq: u32::try_from(job.seq).unwrap_or_default(),
            zone: self.zone.clone(),
            name: job.file.name.clone(),
        };
        let mut collector = Collector { records, rejects: Vec::new() };
        let summary = read_file(&options, source, &mut collector, &mut tap)
            .map_err(|source| WorkerError::Read { name: job.file.name.clone(), source })?;
        let rejects = collector.rejects;
        let id = hex(&tap.hash.finalize());
        let sealed = tap.seal.map(SealWriter::finish).transpose()?;
        let Some(sealed) = sealed else { return Ok(None) };
        if let Ok(mut taken) = taken.lock() {
            if taken.contains(&id) {
                return Ok(None);
            }
            taken.push(id.clone());
        }
        Ok(Some(ReadFile {
            row: self.file_row(job, &id, &summary, sealed),
            rejects: reject_rows(&id, rejects),
            summary,
        }))
    }

    fn file_row(&self, job: &Job, id: &str, summary: &ReadSummary, sealed: onus_store::vault::Sealed) -> FileRow {
        let count = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        FileRow {
            id: id.to_owned(),
            seq: job.seq,
            name: job.file.name.clone(),
            kind: job.file.kind.as_str().to_owned(),
            layout: job.file.kind.layout().to_owned(),
            size: count(summary.size),
            rows_total: count(summary.accepted + summary.rejected),
            rows_accepted: count(summary.accepted),
            rows_rejected: count(summary.rejected),
            first_at: summary.times.map(|(first, _)| first.0),
            last_at: summary.times.map(|(_, last)| last.0),
            sealed_sha256: sealed.sha256,
            sealed_path: sealed.path,
            imported_at: self.now.0,
            judged_at: None,
        }
    }

    /// Files and their rejects in one transaction: from here on their rows are acknowledged.
    fn store_files(&self, fresh: &[ReadFile]) -> Result<(), WorkerError> {
        if fresh.is_empty() {
            return Ok(());
        }
        let tenant = &self.tenant;
        self.store.write(|tx| {
            onus_store::tenants::put(tx, tenant)?;
            onus_store::files::insert(tx, &tenant.id, fresh.iter().map(|read| &read.row))?;
            onus_store::files::insert_rejects(tx, &tenant.id, fresh.iter().flat_map(|read| &read.rejects))?;
            Ok(())
        })?;
        Ok(())
    }

    /// Judges when anything is new: rows just read are at hand, those of earlier files are read again from the vault.
    fn judge_new(
        &self,
        known: &[FileRow],
        fresh: &[ReadFile],
        mut records: Records,
        became_due: bool,
        progress: &dyn Progress,
    ) -> Result<Option<JudgeReport>, WorkerError> {
        let pending = known.iter().any(|file| file.judged_at.is_none());
        if fresh.is_empty() && !pending && !became_due {
            return Ok(None);
        }
        let judge = Judge::new(self.store, &self.tenant, self.key, self.zone.clone(), self.now)?;
        let newest = known.iter().chain(fresh.iter().map(|read| &read.row)).filter_map(|file| file.last_at).max();
        let window_from = newest.map(|last| Instant(last).plus_seconds(-86_400 * judge.terms.judged_window_days.value));
        let needed: Vec<_> = known.iter().filter(|file| in_window(file, window_from)).collect();
        if !needed.is_empty() {
            progress.stage("reading earlier files again");
            // Traffic pairs in order of time, so earlier captures have to come before the new ones: all are read in order.
            records = Records::default();
            let mut files: Vec<&FileRow> = needed;
            files.extend(fresh.iter().map(|read| &read.row));
            files.sort_by(|left, right| {
                (left.first_at, &left.name, left.seq).cmp(&(right.first_at, &right.name, right.seq))
            });
            for file in files {
                read_sealed(self.vault, file, &self.zone, &mut records)?;
            }
        }
        progress.stage("pairing records");
        let names =
            known.iter().chain(fresh.iter().map(|read| &read.row)).map(|file| (file.seq, file.name.clone())).collect();
        let report = judge.run(records, &names, window_from, progress)?;
        let at = self.now.0;
        let tenant = self.tenant.id.as_str();
        self.store.write(|tx| {
            if let Some(from) = window_from {
                onus_store::expectations::forget(tx, tenant, from.0)?;
            }
            onus_store::expectations::mark_overdue(tx, tenant, at)?;
            tx.execute(
                "update files set judged_at = $2 where tenant = $1 and judged_at is null",
                &[Value::from(tenant), Value::from(at)],
            )
        })?;
        Ok(Some(report))
    }
}

struct Job {
    file: DeliveryFile,
    seq: i64,
}

type Outcome = (DeliveryFile, Result<Option<ReadFile>, WorkerError>);

/// Reference data and undated files always count; dated ones when they reach into the window.
fn in_window(file: &FileRow, from: Option<Instant>) -> bool {
    from.is_none_or(|from| file.last_at.is_none_or(|last| last >= from.0))
}

/// Hashes a file as it came and seals it as it may be kept.
struct SealTap<'p> {
    hash: Sha256,
    seal: Option<SealWriter>,
    progress: &'p dyn Progress,
}

impl Tap for SealTap<'_> {
    fn original(&mut self, bytes: &[u8]) {
        self.hash.update(bytes);
        self.progress.read(bytes.len() as u64);
    }

    fn kept(&mut self, bytes: &[u8], _masked: bool) -> io::Result<()> {
        match &mut self.seal {
            Some(seal) => seal.write(bytes).map_err(io::Error::other),
            None => Ok(()),
        }
    }
}

fn reject_rows(file_id: &str, rejects: Vec<onus_intake::Reject>) -> Vec<RejectRow> {
    let count = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    let row = |(seq, reject): (usize, onus_intake::Reject)| RejectRow {
        file_id: file_id.to_owned(),
        seq: i64::try_from(seq).unwrap_or(i64::MAX),
        line: reject.line.map(count),
        byte_offset: count(reject.offset),
        length: count(reject.len),
        field: reject.error.field,
        code: reject.error.code.to_owned(),
        detail: reject.error.detail,
    };
    rejects.into_iter().enumerate().map(row).collect()
}

fn sha256_of(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            return Ok(hex(&hash.finalize()));
        }
        hash.update(buffer.get(..read).unwrap_or_default());
    }
}
