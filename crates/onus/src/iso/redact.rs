//! The same frames without what may not be kept.

use std::io::Write;

use anyhow::Result;
use onus_iso8583::Dialect;

use super::frames::{Frames, Input};
use crate::{FAILED, FINDINGS, OK};

/// Writes the frames as they came, masked; bytes that were not understood become zeros.
pub(super) fn redact(dialect: &Dialect, frames: &Frames, out: &mut impl Write) -> Result<u8> {
    let mut code = if frames.frames.is_empty() { FAILED } else { OK };
    let mut line = None;
    for frame in &frames.frames {
        let mut bytes = frame.prefix.clone();
        match &frame.bytes {
            Ok(whole) => {
                let mut masked = whole.clone();
                let report = dialect.mask_undecodable(&mut masked);
                bytes.extend(masked);
                if let Some(from) = report.wiped_from {
                    code = FINDINGS;
                    warn(frame.index, format_args!("not understood from byte {from} on, which are zeros now"));
                }
            }
            Err(_) => {
                code = FINDINGS;
                bytes.extend(std::iter::repeat_n(0, frame.rest.len()));
                warn(frame.index, format_args!("no frame; {} bytes are zeros now", frame.rest.len()));
            }
        }
        // Frames of one line stay on one line.
        if line.is_some() && line != frame.line {
            writeln!(out)?;
        }
        line = frame.line;
        if frames.input != Input::Hex {
            out.write_all(&bytes)?;
            continue;
        }
        bytes.iter().try_for_each(|byte| write!(out, "{byte:02X}"))?;
    }
    if line.is_some() {
        writeln!(out)?;
    }
    out.flush()?;
    anyhow::ensure!(code != FAILED, "there is no message in the input; give hex text or raw bytes");
    Ok(code)
}

fn warn(index: usize, what: std::fmt::Arguments<'_>) {
    let _ = writeln!(std::io::stderr(), "onus: message {index}: {what}");
}
