//! The rules of the house that no compiler checks. `cargo xtask tidy` prints what breaks them; the
//! same check is a test of this crate, so `cargo test` holds them too.

mod documents;
mod floors;
mod sources;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

/// Folders that hold nothing we wrote.
const FOREIGN_FOLDERS: [&str; 8] =
    [".git", "target", "node_modules", "dist", "test-results", "playwright-report", "coverage", "onus-demo"];

/// One text file of the repository.
pub(super) struct Source {
    /// Path below the root, with `/`.
    path: String,
    text: String,
}

impl Source {
    fn extension(&self) -> &str {
        self.path.rsplit_once('.').map_or("", |(_, extension)| extension)
    }
}

pub(crate) fn run(root: &Path) -> anyhow::Result<()> {
    let faults = check(root)?;
    for fault in &faults {
        println!("{fault}");
    }
    match faults.len() {
        0 => Ok(()),
        n => bail!("{n} rules of the house are broken"),
    }
}

/// Everything that breaks a rule, as `path: what, and what to do`.
fn check(root: &Path) -> anyhow::Result<Vec<String>> {
    let files = read_tree(root)?;
    let mut faults = floors::check(root)?;
    faults.extend(sources::check(&files));
    faults.extend(documents::check(root, &files));
    Ok(faults)
}

/// All text files below `root` in path order. Files that are not UTF-8 are data, not text.
fn read_tree(root: &Path) -> anyhow::Result<Vec<Source>> {
    let mut paths = Vec::new();
    collect(root, &mut paths)?;
    paths.sort();
    let mut files = Vec::new();
    for path in paths {
        let bytes = fs::read(&path).with_context(|| format!("reading {}", path.display()))?;
        let Ok(text) = String::from_utf8(bytes) else {
            continue;
        };
        let path = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().into_owned();
        files.push(Source { path, text });
    }
    Ok(files)
}

fn collect(folder: &Path, paths: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    let entries = fs::read_dir(folder).with_context(|| format!("reading {}", folder.display()))?;
    for entry in entries {
        let entry = entry.with_context(|| format!("reading {}", folder.display()))?;
        let path = entry.path();
        let foreign = entry.file_name().to_str().is_some_and(|name| FOREIGN_FOLDERS.contains(&name));
        // A link leads out of the repository or to a file that is read anyway.
        let kind = entry.file_type()?;
        if kind.is_dir() && !foreign {
            collect(&path, paths)?;
        } else if kind.is_file() {
            paths.push(path);
        }
    }
    Ok(())
}

#[cfg(test)]
pub(super) fn source(path: &str, text: &str) -> Source {
    Source { path: path.to_owned(), text: text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_house_is_tidy() {
        let root = crate::workspace_root().unwrap();
        let faults = check(&root).unwrap();
        assert!(faults.is_empty(), "\n{}\n", faults.join("\n"));
    }
}
