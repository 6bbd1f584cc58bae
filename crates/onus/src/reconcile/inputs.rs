//! Files as the engine wants them: at any place, as a stream when they are compressed, row by row when typed.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use onus_reconcile::files::{Content, ReadAt};
use sha2::{Digest, Sha256};

/// How the bytes of a file are packed, told by how it begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Packing {
    Plain,
    Gzip,
    Zstd,
    Parquet,
}

/// An open file.
pub(crate) struct Input {
    path: PathBuf,
    file: PlainFile,
    packing: Packing,
    #[cfg(feature = "parquet")]
    rows: Option<super::parquet_rows::ParquetRows>,
}

/// A plain file.
pub(crate) struct PlainFile {
    file: File,
    length: u64,
}

impl ReadAt for PlainFile {
    fn length(&self) -> u64 {
        self.length
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let mut done = 0;
        while let Some(rest) = buffer.get_mut(done..)
            && !rest.is_empty()
        {
            match self.file.read_at(rest, offset + done as u64) {
                Ok(0) => break,
                Ok(read) => done += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(done)
    }
}

impl Input {
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let place = || format!("opening {}", path.display());
        let file = File::open(path).with_context(place)?;
        let length = file.metadata().with_context(place)?.len();
        let file = PlainFile { file, length };
        let mut start = [0; 4];
        let read = file.read_at(0, &mut start).with_context(place)?;
        let packing = match &start[..read] {
            [0x1F, 0x8B, ..] => Packing::Gzip,
            [0x28, 0xB5, 0x2F, 0xFD] => Packing::Zstd,
            b"PAR1" => Packing::Parquet,
            _ => Packing::Plain,
        };
        #[cfg(feature = "parquet")]
        let rows = match packing {
            Packing::Parquet => Some(super::parquet_rows::ParquetRows::open(path).with_context(place)?),
            _ => None,
        };
        Ok(Self {
            path: path.to_owned(),
            file,
            packing,
            #[cfg(feature = "parquet")]
            rows,
        })
    }

    pub(crate) fn size(&self) -> u64 {
        match self.packing {
            // Text compresses to about a fifth; this only chooses how finely rows are spread.
            Packing::Gzip | Packing::Zstd => self.file.length.saturating_mul(5),
            Packing::Parquet => self.file.length.saturating_mul(3),
            Packing::Plain => self.file.length,
        }
    }

    pub(crate) fn content(&self) -> Result<Content<'_>> {
        let reopen = || File::open(&self.path).with_context(|| format!("opening {}", self.path.display()));
        Ok(match self.packing {
            Packing::Plain => Content::At(&self.file),
            Packing::Gzip => Content::Stream(Box::new(flate2::read::MultiGzDecoder::new(BufReader::with_capacity(
                1 << 17,
                reopen()?,
            )))),
            Packing::Zstd => Content::Stream(Box::new(zstd::Decoder::new(reopen()?)?)),
            #[cfg(feature = "parquet")]
            Packing::Parquet => match &self.rows {
                Some(rows) => Content::Rows(rows),
                None => anyhow::bail!("{} did not open", self.path.display()),
            },
            #[cfg(not(feature = "parquet"))]
            Packing::Parquet => anyhow::bail!(
                "{} is a Parquet file; this build has no Parquet (build with the feature `parquet`)",
                self.path.display()
            ),
        })
    }

    /// Whether another file holds the same bytes. Only files of the same length are read.
    pub(crate) fn same_content(&self, other: &Self) -> Result<bool> {
        Ok(self.file.length == other.file.length && self.sha256()? == other.sha256()?)
    }

    /// The hash of its bytes.
    pub(crate) fn sha256(&self) -> Result<String> {
        let place = || format!("reading {}", self.path.display());
        let mut file = File::open(&self.path).with_context(place)?;
        let mut hash = Sha256::new();
        let mut buffer = vec![0; 1 << 18];
        loop {
            let read = file.read(&mut buffer).with_context(place)?;
            if read == 0 {
                break;
            }
            hash.update(&buffer[..read]);
        }
        Ok(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
    }
}
