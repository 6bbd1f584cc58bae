//! Reads sealed files of the store again, through the same readers as at import.

use std::io::{self, Read};

use onus_intake::{FileKind, ReadOptions, read_file};
use onus_model::Zone;
use onus_store::files::FileRow;
use onus_store::vault::{SealReader, Vault};

use crate::collector::{Collector, Records};
use crate::error::WorkerError;

/// A sealed file as a stream.
struct Sealed {
    reader: SealReader,
    at: u64,
}

impl Read for Sealed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.reader.size().saturating_sub(self.at);
        let len = left.min(buffer.len() as u64).min(1 << 20);
        let bytes = self.reader.read_at(self.at, u32::try_from(len).unwrap_or_default()).map_err(io::Error::other)?;
        for (to, from) in buffer.iter_mut().zip(&bytes) {
            *to = *from;
        }
        self.at += bytes.len() as u64;
        Ok(bytes.len())
    }
}

/// Reads one sealed file into the records.
pub(crate) fn read_sealed(
    vault: &Vault,
    file: &FileRow,
    zone: &Zone,
    records: &mut Records,
) -> Result<(), WorkerError> {
    let Some(kind) = FileKind::parse(&file.kind) else {
        return Err(WorkerError::Config(format!(
            "file {} has kind {:?}, which this version does not read",
            file.name, file.kind
        )));
    };
    let source = Sealed { reader: vault.reader(&file.sealed_path)?, at: 0 };
    let options = ReadOptions {
        kind,
        file_seq: u32::try_from(file.seq).unwrap_or_default(),
        zone: zone.clone(),
        name: file.name.clone(),
    };
    let mut collector = Collector { records, rejects: Vec::new() };
    let read = read_file(&options, source, &mut collector, &mut ());
    read.map_err(|source| WorkerError::Read { name: file.name.clone(), source })?;
    Ok(())
}
