//! The vault: sealed files, each named by the SHA-256 of what it holds.
//!
//! A sealed file is a series of zstd frames of 1 MiB with a seek table at its end (the public
//! "seekable" format), so `zstd -dc FILE | sha256sum` of the standard tools gives its name, and any
//! row can be read without the rows before it.

use std::fs::{self, File, TryLockError};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use base16ct::lower::encode_string as hex;
use sha2::{Digest as _, Sha256};
use zstd::bulk::{Compressor, Decompressor};

use crate::StoreError;

/// Bytes of a block before compression. Handing over exactly this much at a time avoids a copy.
pub const BLOCK_LEN: usize = 1 << 20;

const LEVEL: i32 = 1;
const INCOMING: &str = "incoming";
const SKIPPABLE_MAGIC: u32 = 0x184D_2A5E;
const SEEKABLE_MAGIC: u32 = 0x8F92_EAB1;
const FOOTER_LEN: u64 = 9;
const ENTRY_LEN: u64 = 8;

/// A folder of sealed files. Clones name the same folder.
#[derive(Debug, Clone)]
pub struct Vault {
    folder: PathBuf,
    n_started: Arc<AtomicU64>,
}

/// What a finished [`SealWriter`] leaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    /// SHA-256 of the content, hex.
    pub sha256: String,
    /// Path below the vault's folder, with `/`.
    pub path: String,
    /// Bytes of the content.
    pub size: u64,
    /// Bytes on disk.
    pub size_on_disk: u64,
}

impl Vault {
    /// Opens the vault, making its folder if need be. Files that a killed process left half written
    /// are removed; those that another process is writing are left alone.
    pub fn open(folder: impl Into<PathBuf>) -> Result<Self, StoreError> {
        let folder = folder.into();
        let incoming = folder.join(INCOMING);
        fs::create_dir_all(&incoming).map_err(|error| failed("make", &incoming, error))?;
        remove_torn_files(&incoming)?;
        Ok(Self { folder, n_started: Arc::default() })
    }

    /// Starts a new sealed file.
    pub fn seal(&self) -> Result<SealWriter, StoreError> {
        let (file, temp) = self.create_locked()?;
        let mut compressor = Compressor::new(LEVEL).map_err(|error| failed("compress", &temp, error))?;
        compressor.include_checksum(true).map_err(|error| failed("compress", &temp, error))?;
        Ok(SealWriter {
            vault: self.clone(),
            file,
            temp,
            finished: false,
            block: Vec::new(),
            frame: Vec::new(),
            compressor,
            frames: Vec::new(),
            hasher: Sha256::new(),
        })
    }

    /// A new file whose lock tells others that it is not torn.
    fn create_locked(&self) -> Result<(File, PathBuf), StoreError> {
        loop {
            let number = self.n_started.fetch_add(1, Ordering::Relaxed);
            let name = format!("{}-{:p}-{number}", std::process::id(), Arc::as_ptr(&self.n_started));
            let temp = self.folder.join(INCOMING).join(name);
            let file = File::options()
                .write(true)
                .create_new(true)
                .open(&temp)
                .map_err(|error| failed("create", &temp, error))?;
            file.lock().map_err(|error| failed("lock", &temp, error))?;
            // Another process may have taken it for torn just before it was locked.
            if temp.exists() {
                return Ok((file, temp));
            }
        }
    }

    /// Opens a sealed file by its path below the vault's folder.
    pub fn reader(&self, path: &str) -> Result<SealReader, StoreError> {
        let full = self.folder.join(path);
        if path.split('/').any(|part| part == ".." || part.is_empty()) {
            return Err(failed("open", &full, "not a path below the vault"));
        }
        SealReader::open(full)
    }
}

fn remove_torn_files(incoming: &Path) -> Result<(), StoreError> {
    for entry in fs::read_dir(incoming).map_err(|error| failed("list", incoming, error))? {
        let path = entry.map_err(|error| failed("list", incoming, error))?.path();
        let Ok(file) = File::options().write(true).open(&path) else {
            continue;
        }; // finished meanwhile
        match file.try_lock() {
            Ok(()) => fs::remove_file(&path).map_err(|error| failed("remove", &path, error))?,
            Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(error)) => return Err(failed("lock", &path, error)),
        }
    }
    Ok(())
}

/// Takes the content of one sealed file. Dropped before [`SealWriter::finish`] it leaves nothing.
pub struct SealWriter {
    vault: Vault,
    file: File,
    temp: PathBuf,
    finished: bool,
    /// Content that does not fill a block yet.
    block: Vec<u8>,
    frame: Vec<u8>,
    compressor: Compressor<'static>,
    frames: Vec<FrameLen>,
    hasher: Sha256,
}

#[derive(Debug, Clone, Copy)]
struct FrameLen {
    on_disk: u32,
    content: u32,
}

impl std::fmt::Debug for SealWriter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SealWriter").field("temp", &self.temp).finish_non_exhaustive()
    }
}

impl SealWriter {
    /// Adds content. Whole blocks of [`BLOCK_LEN`] are compressed where they stand.
    pub fn write(&mut self, mut content: &[u8]) -> Result<(), StoreError> {
        self.hasher.update(content);
        if !self.block.is_empty() {
            let n_missing = (BLOCK_LEN - self.block.len()).min(content.len());
            self.block.extend_from_slice(&content[..n_missing]);
            content = &content[n_missing..];
            if self.block.len() < BLOCK_LEN {
                return Ok(());
            }
            self.write_gathered()?;
        }
        let mut blocks = content.chunks_exact(BLOCK_LEN);
        for block in &mut blocks {
            self.write_frame(block)?;
        }
        self.block.extend_from_slice(blocks.remainder());
        Ok(())
    }

    /// Makes the file durable under the hash of its content. Content that is sealed already is kept once.
    pub fn finish(mut self) -> Result<Sealed, StoreError> {
        if !self.block.is_empty() {
            self.write_gathered()?;
        }
        let table = self.seek_table();
        self.file.write_all(&table).map_err(|error| self.failed("write", error))?;
        self.file.sync_all().map_err(|error| self.failed("sync", error))?;

        let sha256 = hex(&self.hasher.clone().finalize());
        let path = format!("{}/{sha256}.zst", &sha256[..2]);
        let target = self.vault.folder.join(&path);
        let shelf = self.vault.folder.join(&sha256[..2]);
        fs::create_dir_all(&shelf).map_err(|error| failed("make", &shelf, error))?;
        fs::rename(&self.temp, &target).map_err(|error| failed("name", &target, error))?;
        self.finished = true;
        for folder in [&shelf, &self.vault.folder] {
            File::open(folder).and_then(|it| it.sync_all()).map_err(|error| failed("sync", folder, error))?;
        }
        let size = self.frames.iter().map(|frame| u64::from(frame.content)).sum();
        let frames_on_disk: u64 = self.frames.iter().map(|frame| u64::from(frame.on_disk)).sum();
        Ok(Sealed { sha256, path, size, size_on_disk: frames_on_disk + table.len() as u64 })
    }

    fn write_gathered(&mut self) -> Result<(), StoreError> {
        let mut block = std::mem::take(&mut self.block);
        let outcome = self.write_frame(&block);
        block.clear();
        self.block = block;
        outcome
    }

    fn write_frame(&mut self, content: &[u8]) -> Result<(), StoreError> {
        self.frame.clear();
        self.frame.reserve(zstd::zstd_safe::compress_bound(content.len()));
        self.compressor
            .compress_to_buffer(content, &mut self.frame)
            .map_err(|error| failed("compress", &self.temp, error))?;
        self.file.write_all(&self.frame).map_err(|error| self.failed("write", error))?;
        // Blocks are 1 MiB, so both lengths fit.
        self.frames.push(FrameLen { on_disk: self.frame.len() as u32, content: content.len() as u32 });
        Ok(())
    }

    fn seek_table(&self) -> Vec<u8> {
        let n_frames = self.frames.len() as u32;
        let len = n_frames * ENTRY_LEN as u32 + FOOTER_LEN as u32;
        let mut table = Vec::with_capacity(len as usize + 8);
        table.extend(SKIPPABLE_MAGIC.to_le_bytes());
        table.extend(len.to_le_bytes());
        for frame in &self.frames {
            table.extend(frame.on_disk.to_le_bytes());
            table.extend(frame.content.to_le_bytes());
        }
        table.extend(n_frames.to_le_bytes());
        table.push(0); // the frames carry their own checksums
        table.extend(SEEKABLE_MAGIC.to_le_bytes());
        table
    }

    fn failed(&self, doing: &'static str, error: impl std::fmt::Display) -> StoreError {
        failed(doing, &self.temp, error)
    }
}

impl Drop for SealWriter {
    fn drop(&mut self) {
        if !self.finished {
            let _ = fs::remove_file(&self.temp); // or the next `open` does it
        }
    }
}

/// Reads a sealed file.
pub struct SealReader {
    path: PathBuf,
    file: File,
    frames: Vec<Frame>,
    size: u64,
    decompressor: Decompressor<'static>,
    /// The frame that was read last, because rows near each other are read one after the other.
    kept: Option<usize>,
    content: Vec<u8>,
    frame: Vec<u8>,
}

/// Where a frame and its content begin, and their lengths.
#[derive(Debug, Clone, Copy)]
struct Frame {
    at_on_disk: u64,
    at: u64,
    len: FrameLen,
}

impl std::fmt::Debug for SealReader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SealReader").field("path", &self.path).finish_non_exhaustive()
    }
}

impl SealReader {
    fn open(path: PathBuf) -> Result<Self, StoreError> {
        let mut file = File::open(&path).map_err(|error| failed("open", &path, error))?;
        let frames = read_seek_table(&mut file, &path)?;
        let size = frames.last().map_or(0, |frame| frame.at + u64::from(frame.len.content));
        let decompressor = Decompressor::new().map_err(|error| failed("decompress", &path, error))?;
        Ok(Self { path, file, frames, size, decompressor, kept: None, content: Vec::new(), frame: Vec::new() })
    }

    /// Bytes of the content.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Content bytes `offset..offset + len`, all of which must be there.
    pub fn read_at(&mut self, offset: u64, len: u32) -> Result<Vec<u8>, StoreError> {
        let end = offset.checked_add(len.into()).filter(|&end| end <= self.size).ok_or_else(|| {
            self.failed("read", format!("bytes {offset}+{len} are beyond the end of {} bytes", self.size))
        })?;
        let mut bytes = Vec::with_capacity(len as usize);
        let mut index = self.frames.partition_point(|frame| frame.at + u64::from(frame.len.content) <= offset);
        while offset + (bytes.len() as u64) < end {
            let at = self.load(index)?;
            let from = (offset + bytes.len() as u64 - at) as usize;
            let to = ((end - at) as usize).min(self.content.len());
            bytes.extend_from_slice(&self.content[from..to]);
            index += 1;
        }
        Ok(bytes)
    }

    /// Hands over the whole content block by block.
    pub fn for_each_block(&mut self, mut each: impl FnMut(&[u8]) -> Result<(), StoreError>) -> Result<(), StoreError> {
        for index in 0..self.frames.len() {
            self.load(index)?;
            each(&self.content)?;
        }
        Ok(())
    }

    /// SHA-256 of the content, hex: the name of an unharmed file.
    pub fn sha256(&mut self) -> Result<String, StoreError> {
        let mut hasher = Sha256::new();
        self.for_each_block(|block| {
            hasher.update(block);
            Ok(())
        })?;
        Ok(hex(&hasher.finalize()))
    }

    /// Makes `content` that of frame `index`, and tells where it begins.
    fn load(&mut self, index: usize) -> Result<u64, StoreError> {
        let frame = self.frames[index];
        if self.kept == Some(index) {
            return Ok(frame.at);
        }
        self.kept = None;
        self.frame.resize(frame.len.on_disk as usize, 0);
        self.file
            .seek(SeekFrom::Start(frame.at_on_disk))
            .and_then(|_| self.file.read_exact(&mut self.frame))
            .map_err(|error| failed("read", &self.path, error))?;
        self.content.clear();
        self.content.reserve(frame.len.content as usize);
        let n_content = self
            .decompressor
            .decompress_to_buffer(&self.frame, &mut self.content)
            .map_err(|error| self.failed("decompress", format!("block {index} is damaged: {error}")))?;
        if n_content != frame.len.content as usize {
            return Err(self.failed("decompress", format!("block {index} is not as long as the seek table says")));
        }
        self.kept = Some(index);
        Ok(frame.at)
    }

    fn failed(&self, doing: &'static str, error: impl std::fmt::Display) -> StoreError {
        failed(doing, &self.path, error)
    }
}

fn read_seek_table(file: &mut File, path: &Path) -> Result<Vec<Frame>, StoreError> {
    let damaged = |detail: &str| failed("read the seek table of", path, detail);
    let io = |error: std::io::Error| failed("read the seek table of", path, error);
    let len = file.metadata().map_err(io)?.len();

    let mut footer = [0; FOOTER_LEN as usize];
    let footer_at = len.checked_sub(FOOTER_LEN).ok_or_else(|| damaged("the file is too short"))?;
    file.seek(SeekFrom::Start(footer_at)).and_then(|_| file.read_exact(&mut footer)).map_err(io)?;
    let [n0, n1, n2, n3, descriptor, magic @ ..] = footer;
    if u32::from_le_bytes(magic) != SEEKABLE_MAGIC || descriptor != 0 {
        return Err(damaged("no seek table at the end"));
    }
    let n_frames = u64::from(u32::from_le_bytes([n0, n1, n2, n3]));
    let entries_at =
        footer_at.checked_sub(n_frames * ENTRY_LEN).ok_or_else(|| damaged("more frames than the file can hold"))?;
    let mut entries = vec![0; (n_frames * ENTRY_LEN) as usize];
    file.seek(SeekFrom::Start(entries_at)).and_then(|_| file.read_exact(&mut entries)).map_err(io)?;

    let (mut at_on_disk, mut at) = (0, 0);
    let mut frames = Vec::with_capacity(n_frames as usize);
    for entry in entries.as_chunks::<{ ENTRY_LEN as usize }>().0 {
        let [d0, d1, d2, d3, c0, c1, c2, c3] = *entry;
        let len =
            FrameLen { on_disk: u32::from_le_bytes([d0, d1, d2, d3]), content: u32::from_le_bytes([c0, c1, c2, c3]) };
        if len.content as usize > BLOCK_LEN {
            return Err(damaged("a block is longer than blocks are"));
        }
        frames.push(Frame { at_on_disk, at, len });
        at_on_disk += u64::from(len.on_disk);
        at += u64::from(len.content);
    }
    if at_on_disk + 8 != entries_at {
        return Err(damaged("the frames do not fill the file"));
    }
    Ok(frames)
}

fn failed(doing: &'static str, path: &Path, error: impl std::fmt::Display) -> StoreError {
    StoreError::Vault { doing, path: path.display().to_string(), detail: error.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn content(len: usize) -> Vec<u8> {
        let mut state = 7_u32;
        std::iter::repeat_with(|| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            b'a' + (state >> 28) as u8
        })
        .take(len)
        .collect()
    }

    fn seal(vault: &Vault, content: &[u8], piece: usize) -> Sealed {
        let mut writer = vault.seal().unwrap();
        content.chunks(piece.max(1)).for_each(|piece| writer.write(piece).unwrap());
        writer.finish().unwrap()
    }

    #[test]
    fn content_is_read_back_at_any_place() {
        let folder = tempfile::tempdir().unwrap();
        let vault = Vault::open(folder.path()).unwrap();
        for len in [0, 1, BLOCK_LEN - 1, BLOCK_LEN, BLOCK_LEN + 1, 3 * BLOCK_LEN + 77] {
            let content = content(len);
            let sealed = seal(&vault, &content, BLOCK_LEN);
            assert_eq!(sealed, seal(&vault, &content, 300_007), "pieces do not matter");
            assert_eq!(sealed.size, len as u64);
            assert_eq!(sealed.sha256, hex(&Sha256::digest(&content)));
            assert_eq!(sealed.size_on_disk, fs::metadata(folder.path().join(&sealed.path)).unwrap().len());
            let mut reader = vault.reader(&sealed.path).unwrap();
            assert_eq!((reader.size(), reader.sha256().unwrap()), (len as u64, sealed.sha256));
            for (offset, n) in [(0, 1), (0, len), (BLOCK_LEN - 3, 10), (len / 2, 5), (len, 0), (17, 2 * BLOCK_LEN)] {
                let read = reader.read_at(offset as u64, n as u32);
                match content.get(offset..offset + n) {
                    Some(expected) => assert_eq!(read.unwrap(), expected),
                    None => assert!(read.unwrap_err().to_string().contains("beyond the end")),
                }
            }
        }
    }

    #[test]
    fn the_standard_format_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let vault = Vault::open(folder.path()).unwrap();
        let content = content(2 * BLOCK_LEN + 5);
        let sealed = seal(&vault, &content, BLOCK_LEN);
        let file = File::open(folder.path().join(&sealed.path)).unwrap();
        assert!(zstd::stream::decode_all(file).unwrap() == content);
    }

    #[test]
    fn torn_files_are_removed_and_files_being_written_are_not() {
        let folder = tempfile::tempdir().unwrap();
        let vault = Vault::open(folder.path()).unwrap();
        let torn = folder.path().join(INCOMING).join("1-2-3");
        fs::write(&torn, "half").unwrap();
        let mut writer = vault.seal().unwrap();
        writer.write(b"whole").unwrap();
        let vault = Vault::open(folder.path()).unwrap();
        assert!(!torn.exists());
        let sealed = writer.finish().unwrap();
        assert_eq!(vault.reader(&sealed.path).unwrap().read_at(0, 5).unwrap(), b"whole");

        drop(vault.seal().unwrap());
        assert_eq!(fs::read_dir(folder.path().join(INCOMING)).unwrap().count(), 0);
    }

    #[test]
    fn a_flipped_byte_never_gives_wrong_content() {
        let folder = tempfile::tempdir().unwrap();
        let vault = Vault::open(folder.path()).unwrap();
        let sealed = seal(&vault, &content(3000), BLOCK_LEN);
        let path = folder.path().join(&sealed.path);
        let whole = fs::read(&path).unwrap();
        let mut n_reported = 0;
        for at in 0..whole.len() {
            let mut harmed = whole.clone();
            harmed[at] ^= 0x20;
            fs::write(&path, &harmed).unwrap();
            // A bit that says nothing may be flipped, but what is read is never wrong.
            match vault.reader(&sealed.path).and_then(|mut reader| reader.sha256()) {
                Ok(sha256) => assert_eq!(sha256, sealed.sha256, "byte {at}"),
                Err(_) => n_reported += 1,
            }
        }
        assert!(n_reported > whole.len() * 9 / 10, "{n_reported} of {} flips reported", whole.len());
        for len in 0..whole.len() {
            fs::write(&path, &whole[..len]).unwrap();
            assert!(vault.reader(&sealed.path).and_then(|mut reader| reader.sha256()).is_err(), "cut at {len}");
        }
    }

    #[test]
    fn paths_do_not_leave_the_vault() {
        let folder = tempfile::tempdir().unwrap();
        let vault = Vault::open(folder.path()).unwrap();
        for path in ["../x", "ab/../../x", "/etc/passwd", ""] {
            assert!(vault.reader(path).unwrap_err().to_string().contains("not a path below"), "{path}");
        }
    }
}
