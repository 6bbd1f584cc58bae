//! The summary that is printed.

use std::io::Write;

use anyhow::Result;
use onus_reconcile::files::{Class, Classes, MATCHED, Summary};

/// Prints files, control totals and classes.
pub(crate) fn print(summary: &Summary, classes: &Classes) -> Result<()> {
    let mut out = std::io::stdout().lock();
    files(summary, &mut out)?;
    if summary.is_refused() {
        writeln!(out, "nothing was matched: a file is bad")?;
        return Ok(());
    }
    writeln!(out)?;
    writeln!(
        out,
        "{:9} {:>12} {:>12} {:>10} {:>9} {:>20}",
        "control", "rows in", "matched", "breaks", "carried", "yuan in = out"
    )?;
    for source in MATCHED {
        let flow = summary.totals.flow(source);
        if flow.read.rows > 0 {
            writeln!(
                out,
                "{:9} {:>12} {:>12} {:>10} {:>9} {:>20}",
                source.name(),
                flow.read.rows,
                flow.matched.rows,
                flow.broken.rows,
                flow.carried.rows,
                yuan(flow.read.fen)
            )?;
        }
    }
    writeln!(out)?;
    writeln!(out, "{:17} {:>9} {:>9} {:>18}  first party", "class", "breaks", "flagged", "yuan at stake")?;
    for class in Class::ALL {
        let total = summary.totals.class(*class);
        if total.count + total.flagged > 0 {
            let about = classes.about(*class);
            let stake = yuan(total.at_stake);
            writeln!(
                out,
                "{:17} {:>9} {:>9} {stake:>18}  {}",
                class.code(),
                total.count,
                total.flagged,
                about.first_party
            )?;
        }
    }
    writeln!(
        out,
        "{} payments, {} breaks, {} proposals, {} rows kept for the next run (rules {})",
        summary.payments,
        summary.breaks(),
        summary.proposals,
        summary.carried,
        classes.id()
    )?;
    for (age, count) in &summary.late {
        writeln!(out, "{count} payments were completed after {age} working days")?;
    }
    Ok(())
}

fn files(summary: &Summary, out: &mut impl Write) -> Result<()> {
    writeln!(out, "{:9} {:32} {:>12} {:>9} {:>9}", "kind", "file", "rows", "skipped", "refused")?;
    for file in &summary.files {
        writeln!(
            out,
            "{:9} {:32} {:>12} {:>9} {:>9}",
            file.source.name(),
            file.name,
            file.read.rows,
            file.skipped,
            file.rejected
        )?;
        if let Some(reason) = &file.bad {
            writeln!(out, "          FILE_BAD: {reason}")?;
        }
    }
    Ok(())
}

/// Fen as yuan.
fn yuan(fen: i128) -> String {
    let sign = if fen < 0 { "-" } else { "" };
    let fen = fen.unsigned_abs();
    format!("{sign}{}.{:02}", fen / 100, fen % 100)
}
