//! Import with a progress bar, from a folder or an archive of one.

use std::fs::{self, File};
use std::io::{BufReader, IsTerminal, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use indicatif::{ProgressBar, ProgressStyle};
use onus_model::Instant;
use onus_worker::{ImportReport, Importer, Progress};

use crate::home::Home;

/// Imports; quiet leaves the progress bar out.
pub(crate) fn import(home: &Home, from: &Path, now: Instant, quiet: bool) -> Result<ImportReport> {
    let unpacked = unpack_if_archive(home, from)?;
    let folder = unpacked.as_deref().unwrap_or(from);
    if !folder.is_dir() {
        bail!("{} is neither a folder nor a .tar.xz archive", from.display());
    }
    let importer = Importer::new(&home.store, &home.vault, &home.key, home.tenant.clone(), now)?;
    let _lock = home.lock_imports()?;
    let bar = Bar::new(quiet);
    let report = importer.import(folder, &bar);
    bar.bar.finish_and_clear();
    if let Some(folder) = unpacked {
        fs::remove_dir_all(&folder).with_context(|| format!("could not remove {}", folder.display()))?;
    }
    Ok(report?)
}

/// Unpacks a `.tar.xz` next to the vault; none when it is no archive.
fn unpack_if_archive(home: &Home, from: &Path) -> Result<Option<PathBuf>> {
    if !from.to_string_lossy().ends_with(".tar.xz") {
        return Ok(None);
    }
    let folder = std::env::temp_dir().join(format!("onus-import-{}-{}", home.tenant.id, std::process::id()));
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder)?;
    let file = File::open(from).with_context(|| format!("could not open {}", from.display()))?;
    unpack(BufReader::new(file), &folder).with_context(|| format!("could not unpack {}", from.display()))?;
    Ok(Some(folder))
}

/// Unpacks an xz-compressed tar into a folder.
pub(crate) fn unpack(source: impl std::io::Read, folder: &Path) -> Result<()> {
    let reader = lzma_rust2::XzReader::new(source, true);
    tar::Archive::new(reader).unpack(folder)?;
    Ok(())
}

/// A progress bar over the bytes to read; without a terminal, a line a stage.
struct Bar {
    bar: ProgressBar,
    lines: bool,
    started: std::time::Instant,
}

impl Bar {
    fn new(quiet: bool) -> Self {
        let terminal = std::io::stderr().is_terminal();
        let style = ProgressStyle::with_template("{msg:28} {wide_bar} {bytes}/{total_bytes} {bytes_per_sec}");
        let bar = if quiet || !terminal { ProgressBar::hidden() } else { ProgressBar::no_length() };
        let bar = bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        Self { bar, lines: !quiet && !terminal, started: std::time::Instant::now() }
    }
}

impl Progress for Bar {
    fn started(&self, bytes: u64) {
        self.bar.set_length(bytes);
        self.stage("reading and sealing");
    }

    fn read(&self, bytes: u64) {
        self.bar.inc(bytes);
    }

    fn stage(&self, name: &str) {
        self.bar.set_message(name.to_owned());
        self.bar.tick();
        if self.lines {
            let _ = writeln!(std::io::stderr(), "{:7.1} s  {name}", self.started.elapsed().as_secs_f64());
        }
    }
}
