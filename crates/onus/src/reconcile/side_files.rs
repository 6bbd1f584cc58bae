//! Refused rows beside the results.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use anyhow::{Context, Result};
use onus_reconcile::files::Summary;

use super::rows_out::{beside, write_csv};

/// Writes refused rows, when there are some.
pub(crate) fn rejects(out: &Path, summary: &Summary) -> Result<()> {
    let path = beside(out, "rejects");
    if summary.files.iter().all(|file| file.rejects.is_empty()) {
        // One of an earlier run would mislead.
        return match std::fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(error).with_context(|| format!("removing {}", path.display()))
            }
            _ => Ok(()),
        };
    }
    let file = File::create(&path).with_context(|| format!("creating {}", path.display()))?;
    let mut out = BufWriter::new(file);
    writeln!(out, "file,line,offset,field,reason")?;
    for file in &summary.files {
        for reject in &file.rejects {
            let (line, offset) = (reject.line.to_string(), reject.offset.to_string());
            let fields = [&file.name, &line, &offset, &reject.field, &reject.reason];
            write_csv(&mut out, fields.into_iter().map(String::as_bytes))?;
        }
    }
    out.flush().with_context(|| format!("writing {}", path.display()))
}
