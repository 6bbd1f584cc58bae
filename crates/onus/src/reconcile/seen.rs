//! Files that earlier runs had: a file that comes twice is refused.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::arguments::Named;
use super::inputs::Input;

/// The list, one `hash name` a line. Without a path nothing is hashed.
pub(crate) struct Seen {
    path: Option<PathBuf>,
    names: BTreeMap<String, String>,
    new: BTreeMap<String, String>,
}

impl Seen {
    pub(crate) fn load(path: Option<&Path>) -> Result<Self> {
        let text = match path {
            Some(path) if path.exists() => {
                fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?
            }
            _ => String::new(),
        };
        let names = text.lines().filter_map(|line| line.split_once(' '));
        let names = names.map(|(hash, name)| (hash.to_owned(), name.to_owned())).collect();
        Ok(Self { path: path.map(Path::to_path_buf), names, new: BTreeMap::new() })
    }

    /// Why a file must not be used.
    pub(crate) fn check(&mut self, file: &Named, input: &Input) -> Result<Option<String>> {
        // Masters are the same from day to day.
        if self.path.is_none() || file.source == onus_reconcile::files::Source::Merchant {
            return Ok(None);
        }
        let hash = input.sha256()?;
        if let Some(name) = self.names.get(&hash) {
            return Ok(Some(format!("an earlier run had the same content as {name}")));
        }
        self.new.insert(hash, file.name.clone());
        Ok(None)
    }

    /// Adds this run's files to the list.
    pub(crate) fn save(&self) -> Result<()> {
        let Some(path) = &self.path else { return Ok(()) };
        let all = self.names.iter().chain(&self.new);
        let text: String = all.map(|(hash, name)| format!("{hash} {name}\n")).collect();
        fs::write(path, text).with_context(|| format!("writing {}", path.display()))
    }
}
