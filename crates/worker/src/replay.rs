//! Episodes as a live run would have seen them: the sealed files of a store, or a folder, with a clock that is stepped.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use onus_incident::Policy;
use onus_incident::episode::hypotheses::Hypotheses;
use onus_incident::episode::replay::{Watched, replay};
use onus_intake::{ReadOptions, read_file};
use onus_model::{Episode, Instant, Zone};
use onus_store::tenants::TenantRow;
use onus_store::vault::Vault;
use onus_store::{Scope, Store};

use crate::collector::{Collector, Records};
use crate::delivery::{Delivered, discover};
use crate::episodes::Telling;
use crate::error::WorkerError;
use crate::judge::survey;
use crate::records::read_sealed;
use crate::samples::{Judged, samples};
use crate::terms::Terms;
use crate::unproven::beside;
use crate::witnesses::witnesses;

/// An episode of a replay.
#[derive(Debug, Clone)]
pub struct Replayed {
    /// As it was when it was last seen.
    pub episode: Episode,
    /// When it was seen, and its states.
    pub watched: Watched,
    /// When its twentieth failure could be known.
    pub twentieth_at: Option<Instant>,
}

/// Replays what a store holds.
///
/// # Errors
/// When the store fails or a sealed file does not read.
pub fn replay_store(
    store: &Store,
    vault: &Vault,
    tenant: &TenantRow,
    zone: &Zone,
    now: Instant,
    step_seconds: i64,
) -> Result<Vec<Replayed>, WorkerError> {
    run(store_records(store, vault, tenant, zone)?, zone, now, step_seconds)
}

/// The records of all files that a store holds.
pub(crate) fn store_records(
    store: &Store,
    vault: &Vault,
    tenant: &TenantRow,
    zone: &Zone,
) -> Result<Records, WorkerError> {
    let scope = Scope::all(&tenant.id);
    let mut files = store.read(|tx| onus_store::files::list(tx, &scope))?;
    files.sort_by(|left, right| (left.first_at, &left.name, left.seq).cmp(&(right.first_at, &right.name, right.seq)));
    let mut records = Records::default();
    for file in &files {
        read_sealed(vault, file, zone, &mut records)?;
    }
    Ok(records)
}

/// Replays the files of a folder, without a store.
///
/// # Errors
/// When the folder cannot be listed or a file cannot be read.
pub fn replay_folder(
    folder: &Path,
    zone: &Zone,
    now: Instant,
    step_seconds: i64,
) -> Result<Vec<Replayed>, WorkerError> {
    run(folder_records(folder, zone)?, zone, now, step_seconds)
}

/// The records of all files of a folder.
pub(crate) fn folder_records(folder: &Path, zone: &Zone) -> Result<Records, WorkerError> {
    let Delivered { mut files, .. } = discover(folder)?;
    files.sort_by(|left, right| left.name.cmp(&right.name));
    let mut records = Records::default();
    for (seq, file) in (0u32..).zip(&files) {
        let failed = |source| WorkerError::File { path: file.path.clone(), source };
        let source = BufReader::with_capacity(1 << 20, File::open(&file.path).map_err(failed)?);
        let options = ReadOptions { kind: file.kind, file_seq: seq, zone: zone.clone(), name: file.name.clone() };
        let mut collector = Collector { records: &mut records, rejects: Vec::new() };
        read_file(&options, source, &mut collector, &mut ())
            .map_err(|source| WorkerError::Read { name: file.name.clone(), source })?;
    }
    Ok(records)
}

fn run(mut records: Records, zone: &Zone, now: Instant, step_seconds: i64) -> Result<Vec<Replayed>, WorkerError> {
    let config = |error: onus_incident::PolicyError| WorkerError::Config(error.to_string());
    let (policy, hypotheses) = (Policy::builtin().map_err(config)?, Hypotheses::builtin().map_err(config)?);
    let terms = Terms::builtin_cn()?;
    records.book.assemble(zone);
    records.registry.settle();
    let seen = survey(&records, &terms, zone, now);
    let judged = Judged { outcomes: &seen.outcomes, owners: &seen.owners, breaks: &seen.breaks };
    let mut samples = samples(&records.book, &records.registry, &judged);
    let witnesses = witnesses(&records.registry, &mut samples, &policy);
    let watched = replay(&samples.samples, &witnesses, &policy, step_seconds);
    let found: Vec<_> = watched.iter().map(|watched| watched.last.clone()).collect();
    let beside = beside(&records.registry, &mut samples, &witnesses, &found, &policy);
    let telling = Telling { samples: &samples, policy: &policy, hypotheses: &hypotheses, zone, beside: &beside };
    let told = telling.all(&found).into_iter().zip(watched);
    let replayed = told.map(|(told, watched)| {
        let known = watched.last.members.iter().filter_map(|index| samples.samples.get(*index as usize));
        let mut known: Vec<Instant> = known.map(|sample| sample.known_in(watched.family)).collect();
        known.sort_unstable();
        Replayed { episode: told.episode, watched, twentieth_at: known.get(19).copied() }
    });
    Ok(replayed.collect())
}
