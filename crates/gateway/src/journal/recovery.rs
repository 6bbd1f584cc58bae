//! What the journal says about the time before this start: which exchanges were open, and where a torn tail was cut.

use std::fs::{self, File, OpenOptions};
use std::path::{Path, PathBuf};

use onus_intake::tap::{GateAction, NO_LINK, Record, Records, ReplyKind, TapError};
use onus_model::Instant;
use rustc_hash::FxHashMap;

use super::JournalError;
use super::segment::{self, Found};
use crate::config::{Durability, JournalConfig};

/// An exchange that was open when the gateway stopped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Carried {
    pub(crate) exchange: u64,
    pub(crate) connection: u64,
    pub(crate) received_at: Instant,
    pub(crate) host: u16,
    pub(crate) link: u16,
    /// The request, masked.
    pub(crate) frame: Vec<u8>,
    /// The host's reply, masked, whose delivery is not known.
    pub(crate) reply: Option<Vec<u8>>,
    /// When the reply came in.
    pub(crate) replied_at: Instant,
    /// What the follower keeps of it, as JSON.
    pub(crate) kept: Option<String>,
}

/// A segment that ended in the middle of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Torn {
    pub(crate) segment: PathBuf,
    pub(crate) at: usize,
    pub(crate) error: TapError,
}

/// What a start finds.
#[derive(Debug, Default)]
pub(crate) struct Recovered {
    pub(crate) next_segment: u64,
    /// The greatest number given to an exchange or a connection so far.
    pub(crate) last_exchange: u64,
    pub(crate) last_connection: u64,
    pub(crate) open: Vec<Carried>,
    pub(crate) torn: Vec<Torn>,
    /// The start of the machine in which the last segment was begun; empty when not known.
    pub(crate) boot: String,
    pub(super) lock: Option<File>,
}

impl Recovered {
    /// Whether the machine itself stopped since, and the journal may lack the records of the last moments.
    pub(crate) fn machine_failed(&self, config: &JournalConfig) -> bool {
        config.durability == Durability::Async && self.boot != segment::boot()
    }

    /// Writes the open exchanges down again, for the start of a segment.
    pub(crate) fn carry_over(&self, out: &mut Vec<u8>) {
        for open in &self.open {
            open.carry_over(out);
        }
    }
}

impl Carried {
    /// Writes an open exchange down again; its frames are masked.
    pub(crate) fn carry_over(&self, out: &mut Vec<u8>) {
        let Carried { exchange, connection, received_at, host, link, frame, .. } = self;
        let (exchange, connection, host, link) = (*exchange, *connection, *host, *link);
        let received_at = received_at.0;
        Record::Request { exchange, connection, received_at, host, link, carried: true, frame }.encode(out, |_| {});
        if let Some(frame) = &self.reply {
            let (kind, received_at) = (ReplyKind::InTime, self.replied_at.0);
            Record::Reply { exchange, kind, host, link, sent_at: 0, received_at, frame }.encode(out, |_| {});
        }
        if let Some(kept) = &self.kept {
            let at = received_at;
            let carried = "carried over";
            Record::State { exchange, at, state: "", attempt: 0, settled: false, why: carried, kept }
                .encode(out, |_| {});
        }
    }
}

/// Reads what an earlier process left: cuts torn tails, closes its segments, and gathers what was open.
///
/// Only segments that are not closed are read, and the newest closed one if there is no other: every segment begins
/// with the exchanges that were open then.
pub(crate) fn recover(folder: &Path) -> Result<Recovered, JournalError> {
    fs::create_dir_all(folder).map_err(JournalError::disk(folder, "making the folder"))?;
    let lock = segment::lock(folder)?;
    let segments = segment::list(folder)?;
    let mut recovered = Recovered { lock: Some(lock), ..Recovered::default() };
    recovered.next_segment = segments.last().map_or(1, |last| last.number + 1);
    let mut open = FxHashMap::default();
    // A segment that was begun but holds not even its header says nothing: the one before it counts.
    let from = segments.iter().rposition(|found| found.closed).unwrap_or(0);
    for found in segments.get(from..).unwrap_or_default() {
        read_segment(found, folder, &mut open, &mut recovered)?;
    }
    recovered.open = open.into_values().collect();
    recovered.open.sort_unstable_by_key(|carried| carried.exchange);
    Ok(recovered)
}

fn read_segment(
    found: &Found,
    folder: &Path,
    open: &mut FxHashMap<u64, Carried>,
    recovered: &mut Recovered,
) -> Result<(), JournalError> {
    let path = &found.path;
    let bytes = fs::read(path).map_err(JournalError::disk(path, "reading a segment"))?;
    let (at, error) = read_records(&bytes, open, recovered);
    if let Some(error) = error {
        recovered.torn.push(Torn { segment: path.clone(), at, error });
        if !found.closed {
            cut(path, at as u64)?;
        }
    }
    if found.closed { Ok(()) } else { segment::close(path, folder) }
}

/// Takes every whole record; gives where the last one ended, and what stands there.
fn read_records(
    bytes: &[u8],
    open: &mut FxHashMap<u64, Carried>,
    recovered: &mut Recovered,
) -> (usize, Option<TapError>) {
    let mut records = match Records::new(bytes) {
        Ok(records) => records,
        Err(error) => return (0, Some(error)),
    };
    while let Some(record) = records.next() {
        match record {
            Ok((_, record)) => take(&record, open, recovered),
            Err(error) => return (records.offset(), Some(error)),
        }
    }
    (records.offset(), None)
}

fn cut(path: &Path, at: u64) -> Result<(), JournalError> {
    let file = OpenOptions::new().write(true).open(path);
    file.and_then(|file| {
        file.set_len(at)?;
        file.sync_all()
    })
    .map_err(JournalError::disk(path, "cutting a torn tail"))
}

/// One record changes what is open.
fn take(record: &Record<'_>, open: &mut FxHashMap<u64, Carried>, recovered: &mut Recovered) {
    match *record {
        // A new segment says what is open by itself; what was known before is repeated in it.
        Record::Segment { boot, .. } => {
            open.clear();
            boot.clone_into(&mut recovered.boot);
        }
        Record::Connected { connection, .. } => recovered.last_connection = recovered.last_connection.max(connection),
        Record::Request { exchange, connection, received_at, host, link, frame, carried: _ } => {
            recovered.last_exchange = recovered.last_exchange.max(exchange);
            recovered.last_connection = recovered.last_connection.max(connection);
            if host == NO_LINK {
                return;
            }
            let received_at = Instant(received_at);
            let frame = frame.to_vec();
            let (reply, kept, replied_at) = (None, None, received_at);
            let carried = Carried { exchange, connection, received_at, host, link, frame, reply, replied_at, kept };
            open.insert(exchange, carried);
        }
        Record::Gate { exchange, action: GateAction::Refused, .. } | Record::Delivered { exchange, .. } => {
            let kept = open.get(&exchange).is_some_and(|carried| carried.kept.is_some());
            // What the follower keeps goes only when the follower says so.
            if !kept {
                open.remove(&exchange);
            }
        }
        Record::Reply { exchange, kind: ReplyKind::InTime, received_at, frame, .. } => {
            if let Some(carried) = open.get_mut(&exchange) {
                carried.reply = Some(frame.to_vec());
                carried.replied_at = Instant(received_at);
            }
        }
        Record::State { exchange, settled: true, .. } => drop(open.remove(&exchange)),
        Record::State { exchange, kept, .. } => {
            if let Some(carried) = open.get_mut(&exchange) {
                carried.kept = Some(kept.to_owned());
            }
        }
        _ => {}
    }
}
