//! Files as the engine wants them: at any place, as a stream when they are compressed, row by row when typed.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use onus_reconcile::files::{
    Content, Layout, ReadAt, Reject, Source, StatementRows, Workbook, WorkbookFault, check_statement,
};
use sha2::{Digest, Sha256};

/// Workbooks are read into memory; small files have far less than this.
const WORKBOOK_MAX: u64 = 64 << 20;

/// How the bytes of a file are packed, told by how it begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Packing {
    Plain,
    Gzip,
    Zstd,
    Parquet,
    Workbook,
    /// A bank statement, perhaps compressed.
    Statement,
}

/// What a file is by its layout, or why it cannot be that.
fn fitting(path: &Path, packing: Packing, layout: &Layout, source: Source) -> Result<Packing> {
    match (packing, layout.is_statement(source)?) {
        (Packing::Plain | Packing::Gzip | Packing::Zstd, true) => Ok(Packing::Statement),
        (Packing::Parquet | Packing::Workbook, true) => anyhow::bail!(
            "{}: the layout says that it is a camt.053 statement (XML), but it is not; give its own --layout {}=NAME",
            path.display(),
            source.name()
        ),
        (packing, _) => Ok(packing),
    }
}

/// An open file.
pub(crate) struct Input {
    path: PathBuf,
    file: PlainFile,
    packing: Packing,
    rows: Option<super::parquet_rows::ParquetRows>,
    workbook: Option<Workbook>,
    /// Why nothing of it may be used.
    bad: Option<String>,
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
    /// Opens a file; statements and workbooks are checked as a whole.
    pub(crate) fn open(path: &Path, layout: &Layout, source: Source) -> Result<Self> {
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
            b"PK\x03\x04" => Packing::Workbook,
            _ => Packing::Plain,
        };
        let packing = fitting(path, packing, layout, source)?;
        let rows = match packing {
            Packing::Parquet => Some(super::parquet_rows::ParquetRows::open(path).with_context(place)?),
            _ => None,
        };
        Self { path: path.to_owned(), file, packing, rows, workbook: None, bad: None }.checked(layout, source)
    }

    /// Reads a workbook, and what a statement says about itself.
    fn checked(mut self, layout: &Layout, source: Source) -> Result<Self> {
        match self.packing {
            Packing::Workbook if self.file.length > WORKBOOK_MAX => {
                let size = self.file.length;
                self.bad = Some(format!("a workbook of {size} bytes, more than {WORKBOOK_MAX}; give the data as CSV"));
            }
            Packing::Workbook => match Workbook::open(BufReader::new(self.reopen()?), layout, source) {
                Ok(workbook) => self.workbook = Some(workbook),
                Err(fault @ (WorkbookFault::Layout(_) | WorkbookFault::Sheet { .. })) => {
                    return Err(fault).with_context(|| self.path.display().to_string());
                }
                Err(fault) => self.bad = Some(fault.to_string()),
            },
            Packing::Statement => {
                self.bad = check_statement(self.unpacked()?).err().map(|fault| fault.to_string());
            }
            _ => {}
        }
        Ok(self)
    }

    /// Why nothing of the file may be used.
    pub(crate) fn bad(&self) -> Option<&str> {
        self.bad.as_deref()
    }

    /// Where a refused row or field stands, for files without lines.
    pub(crate) fn place(&self, layout: &Layout, source: Source, reject: &Reject) -> Option<String> {
        let column = layout.column_of(source, &reject.field);
        match self.packing {
            Packing::Workbook => {
                let workbook = self.workbook.as_ref()?;
                Some(format!("cell {}", workbook.cell(reject.offset, column)))
            }
            Packing::Statement => Some(format!("entry {}, {}", reject.offset, column.unwrap_or("Ntry"))),
            _ => None,
        }
    }

    fn reopen(&self) -> Result<File> {
        File::open(&self.path).with_context(|| format!("opening {}", self.path.display()))
    }

    /// The bytes from the beginning, whatever they are compressed with.
    fn unpacked(&self) -> Result<Box<dyn Read + Send>> {
        let mut start = [0; 4];
        let read = self.file.read_at(0, &mut start)?;
        let file = self.reopen()?;
        Ok(match &start[..read] {
            [0x1F, 0x8B, ..] => Box::new(flate2::read::MultiGzDecoder::new(BufReader::with_capacity(1 << 17, file))),
            [0x28, 0xB5, 0x2F, 0xFD] => Box::new(zstd::Decoder::new(file)?),
            _ => Box::new(file),
        })
    }

    pub(crate) fn size(&self) -> u64 {
        match self.packing {
            // Text compresses to about a fifth; this only chooses how finely rows are spread.
            Packing::Gzip | Packing::Zstd => self.file.length.saturating_mul(5),
            Packing::Parquet | Packing::Workbook => self.file.length.saturating_mul(3),
            Packing::Plain | Packing::Statement => self.file.length,
        }
    }

    /// How its content is reached. `statement` holds the rows of a statement while they are read.
    pub(crate) fn content<'i>(
        &'i self,
        layout: &Layout,
        statement: &'i mut Option<StatementRows<'static>>,
    ) -> Result<Content<'i>> {
        Ok(match self.packing {
            Packing::Plain => Content::At(&self.file),
            // Nothing of a bad file is read.
            _ if self.bad.is_some() => Content::At(&self.file),
            Packing::Gzip | Packing::Zstd => Content::Stream(self.unpacked()?),
            Packing::Workbook => match &self.workbook {
                Some(workbook) => Content::Rows(workbook),
                None => anyhow::bail!("{} did not open", self.path.display()),
            },
            Packing::Statement => Content::Rows(statement.insert(StatementRows::new(self.unpacked()?, layout)?)),
            Packing::Parquet => match &self.rows {
                Some(rows) => Content::Columns(rows),
                None => anyhow::bail!("{} did not open", self.path.display()),
            },
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
