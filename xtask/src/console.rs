//! The web console: packages and build, each only when what it depends on has changed.

use std::collections::hash_map::DefaultHasher;
use std::ffi::OsStr;
use std::fs;
use std::hash::Hasher as _;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::Context as _;

use crate::machine::{self, Node};
use crate::runner;

/// Folders of `console/` that are products, not sources.
const PRODUCTS: [&str; 5] = ["node_modules", "dist", "test-results", "playwright-report", "coverage"];

/// Installs packages and builds `console/dist`, both when needed. Returns the Node that does it.
pub(crate) fn build(root: &Path) -> anyhow::Result<Node> {
    let node = install(root)?;
    let console = folder(root);
    let stamp = console.join("node_modules/.onus-build");
    let sources = digest_of_sources(&console)?;
    if console.join("dist/index.html").is_file() && stamp_is(&stamp, &sources) {
        println!("    console is up to date");
        return Ok(node);
    }
    let started = Instant::now();
    runner::run(node.npm(&console)?.args(["run", "build"]))?;
    fs::write(&stamp, &sources).with_context(|| format!("writing {}", stamp.display()))?;
    println!("    console built in {}", runner::elapsed(started.elapsed()));
    Ok(node)
}

/// Finds or installs Node and runs `npm ci` if the lock file is not the one that was installed.
pub(crate) fn install(root: &Path) -> anyhow::Result<Node> {
    let console = folder(root);
    let engines = engines(&console)?;
    let node = machine::node(root, &engines)?;
    println!("    Node.js {} (the console needs {engines})", node.version);
    let stamp = console.join("node_modules/.onus-packages");
    let lock = digest(&[console.join("package-lock.json")])?;
    if stamp_is(&stamp, &lock) {
        return Ok(node);
    }
    let started = Instant::now();
    runner::run(node.npm(&console)?.args(["ci", "--no-audit", "--no-fund"]))?;
    fs::write(&stamp, &lock).with_context(|| format!("writing {}", stamp.display()))?;
    println!("    console packages installed in {}", runner::elapsed(started.elapsed()));
    Ok(node)
}

/// Makes sure that `console/dist` exists: the server embeds that folder, so without it cargo could
/// not even check the code. An unbuilt console is an empty folder.
pub(crate) fn ensure_dist_folder(root: &Path) -> anyhow::Result<()> {
    let dist = folder(root).join("dist");
    fs::create_dir_all(&dist).with_context(|| format!("creating {}", dist.display()))
}

pub(crate) fn folder(root: &Path) -> PathBuf {
    root.join("console")
}

fn engines(console: &Path) -> anyhow::Result<String> {
    let path = console.join("package.json");
    let text = fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
    let package: serde_json::Value =
        serde_json::from_str(&text).with_context(|| format!("reading {}", path.display()))?;
    package["engines"]["node"]
        .as_str()
        .map(str::to_owned)
        .with_context(|| format!("{} has no engines.node", path.display()))
}

fn stamp_is(stamp: &Path, expected: &str) -> bool {
    fs::read_to_string(stamp).is_ok_and(|found| found == expected)
}

fn digest_of_sources(console: &Path) -> anyhow::Result<String> {
    let mut files = Vec::new();
    collect(console, &mut files)?;
    files.sort();
    digest(&files)
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    let entries = fs::read_dir(folder).with_context(|| format!("reading {}", folder.display()))?;
    for entry in entries {
        let path = entry.with_context(|| format!("reading {}", folder.display()))?.path();
        let product = path.file_name().and_then(OsStr::to_str).is_some_and(|n| PRODUCTS.contains(&n));
        if product {
            continue;
        }
        if path.is_dir() {
            collect(&path, files)?;
        } else {
            files.push(path);
        }
    }
    Ok(())
}

/// A digest of names and contents. It only has to notice changes, so the standard hasher will do.
fn digest(files: &[PathBuf]) -> anyhow::Result<String> {
    let mut hasher = DefaultHasher::new();
    for path in files {
        let content = fs::read(path).with_context(|| format!("reading {}", path.display()))?;
        hasher.write(path.as_os_str().as_encoded_bytes());
        hasher.write_u8(0);
        hasher.write_usize(content.len());
        hasher.write(&content);
    }
    Ok(format!("{:016x}", hasher.finish()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_follows_sources_and_not_products() {
        let folder = tempfile::tempdir().unwrap();
        let console = folder.path();
        fs::create_dir_all(console.join("src")).unwrap();
        fs::create_dir_all(console.join("dist")).unwrap();
        fs::write(console.join("src/main.tsx"), "1").unwrap();
        let first = digest_of_sources(console).unwrap();
        fs::write(console.join("dist/index.html"), "built").unwrap();
        assert_eq!(digest_of_sources(console).unwrap(), first);
        fs::write(console.join("src/main.tsx"), "2").unwrap();
        let second = digest_of_sources(console).unwrap();
        assert_ne!(second, first);
        fs::rename(console.join("src/main.tsx"), console.join("src/app.tsx")).unwrap();
        assert_ne!(digest_of_sources(console).unwrap(), second);
    }
}
