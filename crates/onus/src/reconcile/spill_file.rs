//! The temporary file: made when it is first needed, nameless from then on.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

use onus_reconcile::files::Spill;

/// Bytes that are written at once.
const PIECE: usize = 1 << 16;

/// A file that is gone when the process is.
pub(crate) struct SpillFile {
    folder: PathBuf,
    file: OnceLock<File>,
    making: Mutex<()>,
    length: AtomicU64,
}

impl SpillFile {
    pub(crate) fn new(folder: PathBuf) -> Self {
        Self { folder, file: OnceLock::new(), making: Mutex::new(()), length: AtomicU64::new(0) }
    }

    fn file(&self) -> io::Result<&File> {
        if let Some(file) = self.file.get() {
            return Ok(file);
        }
        let _making = self.making.lock().unwrap_or_else(PoisonError::into_inner);
        if self.file.get().is_none() {
            let path = self.folder.join(format!("onus-reconcile-{}.spill", std::process::id()));
            let file = OpenOptions::new().read(true).write(true).create_new(true).open(&path)?;
            // Without its name the file goes with the process, however that ends.
            fs::remove_file(&path)?;
            let _ = self.file.set(file);
        }
        self.file.get().ok_or_else(|| io::Error::other("the temporary file was not made"))
    }
}

/// In small pieces: for large ones the system looks for memory in large pieces, which it may have to fetch first.
fn write_pieces(file: &File, bytes: &[u8], mut offset: u64) -> io::Result<()> {
    for piece in bytes.chunks(PIECE) {
        file.write_all_at(piece, offset)?;
        offset += piece.len() as u64;
    }
    Ok(())
}

impl Spill for SpillFile {
    fn append(&self, bytes: &[u8]) -> io::Result<u64> {
        let file = self.file()?;
        let offset = self.length.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        write_pieces(file, bytes, offset).map_err(|error| {
            let folder = self.folder.display();
            io::Error::new(
                error.kind(),
                format!("{error}; choose another folder than {folder} with --temp, or more --memory"),
            )
        })?;
        Ok(offset)
    }

    fn read(&self, offset: u64, bytes: &mut [u8]) -> io::Result<()> {
        self.file()?.read_exact_at(bytes, offset)
    }
}
