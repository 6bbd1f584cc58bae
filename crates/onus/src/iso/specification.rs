//! Dialect files from specifications that were written for other libraries.

use std::io::Write;
use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Args;
use onus_iso8583::foreign::{self, Format};

use super::frames;
use crate::OK;

#[derive(Args)]
pub(crate) struct Importing {
    /// What the specification was written for: moov-json, pyiso8583-json or jpos-xml.
    #[arg(long, value_parser = format)]
    from: Format,
    /// Id of the dialect; the file's name without its ending when not given.
    #[arg(long)]
    id: Option<String>,
    /// File to write instead of standard output.
    #[arg(long, short)]
    out: Option<PathBuf>,
    /// The specification, or - for standard input.
    file: PathBuf,
}

fn format(name: &str) -> Result<Format, String> {
    let names: Vec<&str> = Format::ALL.iter().map(|format| format.name()).collect();
    Format::from_name(name).ok_or_else(|| format!("must be one of {}", names.join(", ")))
}

impl Importing {
    pub(super) fn run(&self, out: &mut impl Write) -> Result<u8> {
        let text = String::from_utf8(frames::read_file(&self.file)?)
            .with_context(|| format!("{} is not UTF-8 text", self.file.display()))?;
        let imported = foreign::import(self.from, &text, &self.id())?;
        for remark in &imported.remarks {
            let _ = writeln!(std::io::stderr(), "{remark}");
        }
        match &self.out {
            None => out.write_all(imported.toml.as_bytes())?,
            Some(path) => {
                std::fs::write(path, &imported.toml).with_context(|| format!("could not write {}", path.display()))?;
            }
        }
        Ok(OK)
    }

    /// The id that was given, or one made from the file's name.
    fn id(&self) -> String {
        if let Some(id) = &self.id {
            return id.clone();
        }
        let stem = self.file.file_stem().map(|stem| stem.to_string_lossy().to_lowercase()).unwrap_or_default();
        let plain: String = stem.chars().map(|one| if one.is_ascii_alphanumeric() { one } else { '-' }).collect();
        let plain = plain.trim_matches('-');
        if plain.is_empty() { "imported".into() } else { plain.into() }
    }
}
