//! Built-in dialects and dialect files.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use onus_iso8583::Dialect;

/// A dialect of the program's own, or one read from a file.
pub(super) enum Chosen {
    BuiltIn(&'static Dialect),
    Read(Box<Dialect>),
}

impl Chosen {
    pub(super) fn dialect(&self) -> &Dialect {
        match self {
            Chosen::BuiltIn(dialect) => dialect,
            Chosen::Read(dialect) => dialect,
        }
    }
}

/// The dialect with that id, or of that file.
pub(super) fn choose(name: &str) -> Result<Chosen> {
    if Dialect::builtin_ids().contains(&name) {
        return Ok(Chosen::BuiltIn(Dialect::builtin(name)?));
    }
    let path = Path::new(name);
    let known = || {
        let known = Dialect::builtin_ids().join(", ");
        format!("{name} is neither a dialect file nor one of the built-in dialects: {known}")
    };
    anyhow::ensure!(path.is_file(), known());
    let text = std::fs::read_to_string(path).with_context(|| format!("could not read {name}"))?;
    let folder = path.parent().map(Path::to_path_buf).unwrap_or_default();
    let dialect = Dialect::from_toml_with(&text, &|extended| std::fs::read_to_string(beside(&folder, extended)?).ok());
    Ok(Chosen::Read(Box::new(dialect.with_context(|| format!("{name} is no valid dialect"))?)))
}

/// A file in the same folder; none when the name leads out of it.
fn beside(folder: &Path, name: &str) -> Option<PathBuf> {
    let plain = Path::new(name).file_name().is_some_and(|file| file == name);
    plain.then(|| folder.join(name))
}
