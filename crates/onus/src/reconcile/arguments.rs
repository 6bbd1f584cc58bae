//! What the command line takes.

use std::fs;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use anyhow::{Context, Result, bail};
use clap::{Args, ValueEnum};
use onus_reconcile::files::Source;

/// How results are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ResultFormat {
    /// Comma-separated, with a header line.
    Csv,
    /// One JSON object a line.
    Jsonl,
    /// Apache Parquet.
    Parquet,
}

/// A size such as `512MiB`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Size(pub(crate) usize);

impl FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let (number, unit) = text.split_at(digits);
        let factor = match unit.trim() {
            "" | "B" => 1,
            "KiB" | "K" => 1 << 10,
            "MiB" | "M" => 1 << 20,
            "GiB" | "G" => 1 << 30,
            _ => return Err(format!("{unit:?} is no unit; expected KiB, MiB or GiB")),
        };
        let size = number.parse::<usize>().ok().and_then(|number| number.checked_mul(factor));
        match size {
            Some(size) if size >= 64 << 20 => Ok(Self(size)),
            Some(_) => Err("at least 64MiB are needed".to_owned()),
            None => Err("expected a size such as 512MiB".to_owned()),
        }
    }
}

/// Arguments of `onus reconcile`.
#[derive(Args, Debug)]
pub(crate) struct ReconcileArgs {
    /// Terminal journals. This and the other options for files may be given several times; a folder stands for the files in it.
    #[arg(long, value_name = "FILE", num_args = 1..)]
    terminal: Vec<PathBuf>,
    /// Switch log.
    #[arg(long, value_name = "FILE", num_args = 1..)]
    switch: Vec<PathBuf>,
    /// Clearing files.
    #[arg(long, value_name = "FILE", num_args = 1..)]
    clearing: Vec<PathBuf>,
    /// Payout lines.
    #[arg(long, value_name = "FILE", num_args = 1..)]
    payout: Vec<PathBuf>,
    /// Payout batches.
    #[arg(long, value_name = "FILE", num_args = 1..)]
    batches: Vec<PathBuf>,
    /// Merchant master.
    #[arg(long, value_name = "FILE", num_args = 1..)]
    merchants: Vec<PathBuf>,
    /// Bank statements.
    #[arg(long, value_name = "FILE", num_args = 1..)]
    bank: Vec<PathBuf>,
    /// Agents' profit shares.
    #[arg(long, value_name = "FILE", num_args = 1..)]
    shares: Vec<PathBuf>,
    /// How files are written: a name (four-files, cityday, unionpay-zm, camt053) or a TOML file; `clearing=NAME` for one kind.
    #[arg(long, default_value = "four-files", value_name = "LAYOUT")]
    pub(crate) layout: Vec<String>,
    /// Where breaks go; batches, proposals and rejects go beside it.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
    /// How breaks are written.
    #[arg(long, value_enum, default_value_t = ResultFormat::Csv)]
    pub(crate) format: ResultFormat,
    /// Memory to stay within; what does not fit goes to a temporary file.
    #[arg(long, default_value = "1GiB")]
    pub(crate) memory: Size,
    /// Threads; all processors when not given.
    #[arg(long)]
    pub(crate) threads: Option<usize>,
    /// Settlement day, such as 2026-03-12: for files that leave out the year, and for --carry-out.
    #[arg(long, value_name = "DATE")]
    pub(crate) day: Option<String>,
    /// Rows that an earlier run kept.
    #[arg(long, value_name = "FILE")]
    pub(crate) carry_in: Option<PathBuf>,
    /// Keep rows here whose partner may still come.
    #[arg(long, value_name = "FILE", requires = "day")]
    pub(crate) carry_out: Option<PathBuf>,
    /// List of files that earlier runs had: a file on it is refused, new ones are added.
    #[arg(long, value_name = "FILE")]
    pub(crate) seen: Option<PathBuf>,
    /// Breaks that were resolved before, left out unless they changed: an earlier output (CSV or JSON lines), or what
    /// `onus breaks list --state confirmed --format jsonl` prints.
    #[arg(long, value_name = "FILE")]
    pub(crate) resolved: Option<PathBuf>,
    /// Break classes instead of the built-in ones.
    #[arg(long, value_name = "FILE")]
    pub(crate) classes: Option<PathBuf>,
    /// Tariff of the break classes by which network fees are checked, such as cn-2016.
    #[arg(long, value_name = "TARIFF")]
    pub(crate) tariff: Option<String>,
    /// Folder of the temporary file.
    #[arg(long, env = "ONUS_TEMP", value_name = "FOLDER")]
    pub(crate) temp: Option<PathBuf>,
    /// Number of partitions; results do not depend on it.
    #[arg(long, hide = true)]
    pub(crate) partitions: Option<usize>,
    /// Print nothing.
    #[arg(long)]
    pub(crate) quiet: bool,
}

/// A file of the command line.
#[derive(Debug, Clone)]
pub(crate) struct Named {
    pub(crate) source: Source,
    pub(crate) path: PathBuf,
    /// Its name in results: the file name, made longer where two have the same.
    pub(crate) name: String,
}

impl ReconcileArgs {
    /// The files of the command line, with those of folders.
    pub(crate) fn files(&self) -> Result<Vec<Named>> {
        let groups = [
            (Source::Terminal, &self.terminal),
            (Source::Switch, &self.switch),
            (Source::Clearing, &self.clearing),
            (Source::Payout, &self.payout),
            (Source::Batch, &self.batches),
            (Source::Merchant, &self.merchants),
            (Source::Bank, &self.bank),
            (Source::Share, &self.shares),
        ];
        let mut paths: Vec<(Source, PathBuf)> = Vec::new();
        for (source, given) in groups {
            let mut group = Vec::new();
            for path in given {
                if path.is_dir() { group.extend(files_in(path)?) } else { group.push(path.clone()) }
            }
            // File numbers, and with them ties, do not depend on the order of the command line.
            group.sort();
            paths.extend(group.into_iter().map(|path| (source, path)));
        }
        let short = |path: &Path| path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let alone = |name: &str| paths.iter().filter(|(_, path)| short(path) == name).count() == 1;
        let named = paths.iter().map(|(source, path)| {
            let name = short(path);
            let name = if alone(&name) { name } else { path.display().to_string() };
            Named { source: *source, path: path.clone(), name }
        });
        Ok(named.collect())
    }
}

/// The files of a folder, but for hidden ones; not those of folders in it.
fn files_in(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| format!("reading the folder {}", folder.display()))? {
        let path = entry.with_context(|| format!("reading the folder {}", folder.display()))?.path();
        let hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
        if path.is_file() && !hidden {
            found.push(path);
        }
    }
    if found.is_empty() {
        bail!("the folder {} has no files", folder.display());
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        assert_eq!("512MiB".parse(), Ok(Size(512 << 20)));
        assert_eq!("1GiB".parse(), Ok(Size(1 << 30)));
        assert!("12".parse::<Size>().is_err());
        assert!("12 parsecs".parse::<Size>().is_err());
    }
}
