//! A delivery: the folder of files that an acquirer hands over.

use std::fs;
use std::path::{Path, PathBuf};

use onus_intake::{FileKind, Reading};

use crate::error::WorkerError;

/// A file of a delivery that can be read.
#[derive(Debug, Clone)]
pub struct DeliveryFile {
    /// Where it is.
    pub path: PathBuf,
    /// Its name within the delivery, with `/` between parts.
    pub name: String,
    /// What it holds.
    pub kind: FileKind,
    /// Bytes.
    pub size: u64,
}

/// What a folder holds.
#[derive(Debug, Default)]
pub struct Delivered {
    /// Files to read, in order of name.
    pub files: Vec<DeliveryFile>,
    /// Files left alone, with the reason in words.
    pub left: Vec<(String, &'static str)>,
}

/// Looks through a folder.
///
/// # Errors
/// When the folder cannot be listed.
pub fn discover(folder: &Path) -> Result<Delivered, WorkerError> {
    let mut found = Delivered::default();
    walk(folder, folder, &mut found)?;
    found.files.sort_by(|left, right| left.name.cmp(&right.name));
    found.left.sort();
    Ok(found)
}

fn walk(root: &Path, folder: &Path, found: &mut Delivered) -> Result<(), WorkerError> {
    let failed = |source| WorkerError::File { path: folder.to_owned(), source };
    for entry in fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let path = entry.path();
        // A link that leads nowhere is no reason to leave the other files out.
        let Ok(meta) = fs::metadata(&path) else {
            found
                .left
                .push((path.to_string_lossy().into_owned(), "cannot be looked at: a broken link, or no permission"));
            continue;
        };
        if meta.is_dir() {
            walk(root, &path, found)?;
            continue;
        }
        let parts = path.strip_prefix(root).unwrap_or(&path).components();
        let name = parts.map(|part| part.as_os_str().to_string_lossy().into_owned()).collect::<Vec<_>>().join("/");
        match FileKind::of(&name) {
            Reading::As(kind) => found.files.push(DeliveryFile { path, name, kind, size: meta.len() }),
            Reading::Secrets => found.left.push((name, "holds keys; keys are never sealed or stored")),
            Reading::NotData => found.left.push((name, "manifest or truth file, not data of the acquirer")),
            Reading::Unknown => found.left.push((name, "no reader for this place and name")),
        }
    }
    Ok(())
}
