//! Files of a journal: `tap-<number>.tap` while one is written, `tap-<number>.closed.tap` when it is whole and may be
//! imported.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use onus_intake::tap::{MAGIC, Record, VERSION};
use onus_model::Instant;

use super::{Identity, JournalError};

const OPEN: &str = ".tap";
const BEGUN: &str = ".begun";
const CLOSED: &str = ".closed.tap";

/// The segment that is being written.
pub(super) struct Segment {
    pub(super) file: Arc<File>,
    path: PathBuf,
    number: u64,
    length: u64,
    begun_at: Instant,
    /// Bytes of the head and of what it was begun with.
    first: u64,
}

/// A segment file as it lies in the folder.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Found {
    pub(super) number: u64,
    pub(super) closed: bool,
    pub(super) path: PathBuf,
}

impl Segment {
    /// Begins a segment with its header and `first` records, on the disk.
    pub(super) fn create(
        folder: &Path,
        number: u64,
        identity: &Identity,
        at: Instant,
        first: &[u8],
    ) -> Result<Segment, JournalError> {
        let path = folder.join(format!("tap-{number:010}{OPEN}"));
        // Under another name until it holds all that it begins with: half of it must not pass for the whole.
        let begun = folder.join(format!("tap-{number:010}{BEGUN}"));
        let file = OpenOptions::new().create(true).truncate(true).write(true).open(&begun);
        let file = file.map_err(JournalError::disk(&begun, "beginning a segment"))?;
        let mut segment = Segment { file: Arc::new(file), path, number, length: 0, begun_at: at, first: 0 };
        let mut header = MAGIC.to_vec();
        let Identity { dialect, gateway } = identity;
        let boot = &boot();
        Record::Segment { version: VERSION, number, at: at.0, dialect, gateway, boot }.encode(&mut header, |_| {});
        header.extend_from_slice(first);
        let write = |segment: &mut Segment| {
            segment.append(&header)?;
            segment.file.sync_data()?;
            fs::rename(&begun, &segment.path)?;
            sync_folder(folder)
        };
        write(&mut segment).map_err(JournalError::disk(&segment.path, "beginning a segment"))?;
        segment.first = segment.length;
        Ok(segment)
    }

    pub(super) fn number(&self) -> u64 {
        self.number
    }

    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// Whether it has been open for so many seconds, and something was recorded in it.
    pub(super) fn is_older(&self, seconds: u64, now: Instant) -> bool {
        self.length > self.first && now.seconds_since(self.begun_at) >= i64::try_from(seconds).unwrap_or(i64::MAX)
    }

    /// Writes at the end. What a failed call may have left behind is written over by the next one.
    pub(super) fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all_at(bytes, self.length)?;
        self.length += bytes.len() as u64;
        Ok(())
    }

    /// Syncs the segment and gives it the name of a closed one.
    pub(super) fn close(&self, folder: &Path) -> Result<(), JournalError> {
        self.file.sync_all().map_err(JournalError::disk(&self.path, "closing a segment"))?;
        close(&self.path, folder)
    }
}

/// Gives a segment the name of a closed one.
pub(super) fn close(path: &Path, folder: &Path) -> Result<(), JournalError> {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let closed = folder.join(format!("{}{CLOSED}", name.strip_suffix(OPEN).unwrap_or(name)));
    fs::rename(path, &closed)
        .and_then(|()| sync_folder(folder))
        .map_err(JournalError::disk(path, "renaming a closed segment"))
}

pub(super) fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// The segments of a folder, by number.
pub(super) fn list(folder: &Path) -> Result<Vec<Found>, JournalError> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(JournalError::disk(folder, "reading the folder"))? {
        let path = entry.map_err(JournalError::disk(folder, "reading the folder"))?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let Some(rest) = name.strip_prefix("tap-").and_then(|name| name.strip_suffix(OPEN)) else { continue };
        let number = rest.strip_suffix(".closed");
        let closed = number.is_some();
        if let Ok(number) = number.unwrap_or(rest).parse() {
            found.push(Found { number, closed, path });
        }
    }
    found.sort();
    Ok(found)
}

/// Tells one start of the machine from another; empty where the system does not say.
pub(super) fn boot() -> String {
    fs::read_to_string("/proc/sys/kernel/random/boot_id").map(|id| id.trim().to_owned()).unwrap_or_default()
}

/// Takes the folder for this process; the lock goes with the process.
pub(super) fn lock(folder: &Path) -> Result<File, JournalError> {
    let path = folder.join("lock");
    let file = OpenOptions::new().create(true).truncate(false).write(true).open(&path);
    let file = file.map_err(JournalError::disk(&path, "opening"))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(fs::TryLockError::WouldBlock) => Err(JournalError::InUse { path: folder.into() }),
        Err(fs::TryLockError::Error(error)) => Err(JournalError::Disk { path, what: "locking", error }),
    }
}
