//! Tables and JSON on standard output.

use std::io::Write;

use anyhow::Result;
use onus_store::Scope;
use onus_worker::{ImportReport, VerifyReport};
use serde_json::json;

use crate::Format;
use crate::home::Home;

/// Prints what an import came to.
pub(crate) fn import(report: &ImportReport, format: Format) -> Result<()> {
    let mut out = std::io::stdout().lock();
    if format != Format::Table {
        let files: Vec<_> = report.files.iter().map(|file| json!({
            "name": file.name, "kind": file.kind.as_str(), "accepted": file.summary.map(|s| s.accepted), "rejected": file.summary.map(|s| s.rejected),
            "bytes": file.summary.map(|s| s.size), "note": file.note, "failed": file.failed,
        })).collect();
        let judged = report.judged.as_ref().map(|judged| json!({
            "payments": judged.payments, "changed": judged.changed, "withdrawn": judged.withdrawn, "listed": judged.listed, "episodes": judged.episodes, "breaks": judged.breaks,
            "exceptions": judged.exceptions.iter().map(|(kind, count)| (kind.to_string(), json!(count))).collect::<serde_json::Map<_, _>>(),
        }));
        writeln!(out, "{}", json!({"files": files, "left": report.left, "judged": judged}))?;
        return Ok(());
    }
    writeln!(out, "{:42} {:>10} {:>8}  note", "file", "accepted", "rejected")?;
    for file in &report.files {
        let (accepted, rejected) = file.summary.map_or((0, 0), |summary| (summary.accepted, summary.rejected));
        writeln!(out, "{:42} {accepted:>10} {rejected:>8}  {}", file.name, file.note.as_deref().unwrap_or_default())?;
    }
    for (name, why) in &report.left {
        writeln!(out, "{name:42} {:>10} {:>8}  left alone: {why}", "-", "-")?;
    }
    match &report.judged {
        None => writeln!(out, "nothing new: no verdict changed")?,
        Some(judged) => {
            let kinds: Vec<_> = judged.exceptions.iter().map(|(kind, count)| format!("{kind} {count}")).collect();
            writeln!(
                out,
                "{} payments, {} verdicts new or changed, {} withdrawn, {} breaks, {} episodes",
                judged.payments, judged.changed, judged.withdrawn, judged.breaks, judged.episodes
            )?;
            writeln!(out, "exceptions: {}", kinds.join(", "))?;
            if judged.listed > 0 {
                writeln!(
                    out,
                    "{} verdicts would change and wait for two people; see: onus rejudge list",
                    judged.listed
                )?;
            }
        }
    }
    let rejected: u64 = report.files.iter().filter_map(|file| file.summary).map(|summary| summary.rejected).sum();
    if rejected > 0 {
        writeln!(out, "{rejected} rows were refused; see: onus rejects")?;
    }
    Ok(())
}

/// Lists refused rows.
pub(crate) fn rejects(home: &Home, file: Option<&str>, format: Format) -> Result<()> {
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    let scope = Scope::all(&home.tenant.id);
    let files = home.store.read(|tx| onus_store::files::list(tx, &scope))?;
    let mut total = 0u64;
    for known in files
        .iter()
        .filter(|known| known.rows_rejected > 0 && file.is_none_or(|wanted| known.name == wanted || known.id == wanted))
    {
        let mut page = onus_store::PageRequest::first(200);
        loop {
            let found = home.store.read(|tx| onus_store::files::rejects(tx, &scope, Some(&known.id), &page))?;
            for item in &found.items {
                let reject = &item.reject;
                total += 1;
                if format == Format::Table {
                    let line = reject.line.map(|line| format!("line {line}, ")).unwrap_or_default();
                    writeln!(
                        out,
                        "{}: {line}offset {} ({} bytes): {} [{}]: {}",
                        item.file_name, reject.byte_offset, reject.length, reject.field, reject.code, reject.detail
                    )?;
                } else {
                    let line = json!({"file": item.file_name, "file_id": reject.file_id, "line": reject.line, "offset": reject.byte_offset, "length": reject.length, "field": reject.field, "code": reject.code, "detail": reject.detail});
                    writeln!(out, "{line}")?;
                }
            }
            match found.next_cursor {
                Some(cursor) => page.cursor = Some(cursor),
                None => break,
            }
        }
    }
    if format == Format::Table {
        writeln!(out, "{total} rows refused")?;
    }
    out.flush()?;
    Ok(())
}

/// Prints what checking came to.
pub(crate) fn verify(report: &VerifyReport, format: Format) -> Result<()> {
    let mut out = std::io::stdout().lock();
    if format != Format::Table {
        let line = json!({"sound": report.is_sound(), "entries": report.entries, "checkpoints": report.checkpoints, "log_faults": report.log_faults, "table_faults": report.table_faults, "ledger_faults": report.ledger_faults});
        writeln!(out, "{line}")?;
        return Ok(());
    }
    writeln!(out, "{} entries, {} signed checkpoints hold", report.entries, report.checkpoints)?;
    for fault in report.log_faults.iter().chain(&report.table_faults) {
        writeln!(out, "FAULT {fault}")?;
    }
    for journal in &report.ledger_faults {
        writeln!(out, "FAULT ledger journal {journal} does not sum to zero")?;
    }
    writeln!(out, "{}", if report.is_sound() { "the evidence is sound" } else { "the evidence is NOT sound" })?;
    Ok(())
}
