//! Rule packs of a store: put a draft beside the one in force, try it over what the store holds, put it into force.

use std::io::Write;
use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Subcommand;
use onus_casework::dual_control::DecisionStep;
use onus_liability::Pack;
use onus_store::Scope;
use onus_worker::Shadowed;
use serde_json::{Value, json};

use crate::decisions::{Who, take_one};
use crate::home::Home;
use crate::pack::{PackTexts, changed_json, report_json};
use crate::{Format, Place, breaks};

/// What can be done with the packs of a store.
#[derive(Subcommand)]
pub(crate) enum PackStoreCommand {
    /// List the packs of a store, and which one decides.
    List {
        #[command(flatten)]
        place: Place,
        /// How to print.
        #[arg(long, value_enum, default_value_t = Format::Table)]
        format: Format,
    },
    /// Put a pack beside the one in force: the console shows what it would change. Nothing is changed.
    Draft {
        /// Folder of the pack.
        folder: PathBuf,
        #[command(flatten)]
        who: Who,
    },
    /// Propose that a draft decides from now on; --note says why.
    Propose {
        /// Hash of the pack, or its beginning.
        sha256: String,
        #[command(flatten)]
        who: Who,
    },
    /// Approve what somebody else proposed: the pack decides from now on. Verdicts that stand are listed, not changed.
    Approve {
        /// Hash of the pack, or its beginning.
        sha256: String,
        #[command(flatten)]
        who: Who,
    },
    /// Refuse what somebody else proposed; needs --note.
    Reject {
        /// Hash of the pack, or its beginning.
        sha256: String,
        #[command(flatten)]
        who: Who,
    },
    /// Take a pack out of force: the one that came with the program decides again; needs --note.
    Revoke {
        /// Hash of the pack, or its beginning.
        sha256: String,
        #[command(flatten)]
        who: Who,
    },
}

/// Runs a command.
pub(crate) fn run(command: &PackStoreCommand) -> Result<()> {
    match command {
        PackStoreCommand::List { place, format } => list(&Home::open(place)?, *format),
        PackStoreCommand::Draft { folder, who } => draft(folder, who),
        PackStoreCommand::Propose { sha256, who } => decide(sha256, who, DecisionStep::Propose),
        PackStoreCommand::Approve { sha256, who } => decide(sha256, who, DecisionStep::Approve),
        PackStoreCommand::Reject { sha256, who } => decide(sha256, who, DecisionStep::Reject),
        PackStoreCommand::Revoke { sha256, who } => decide(sha256, who, DecisionStep::Revoke),
    }
}

fn list(home: &Home, format: Format) -> Result<()> {
    let all = home.store.read(|tx| onus_worker::packs(tx, &Scope::all(&home.tenant.id)))?;
    let mut out = std::io::stdout().lock();
    for one in all {
        let state = one.approval.as_ref().map_or("shipped", |row| row.state.as_str());
        if format == Format::Table {
            let mark = if one.live { "in force" } else { "" };
            writeln!(out, "{} {} {} {state} {mark}", one.sha256, one.id, one.version)?;
        } else {
            let line = json!({
                "sha256": one.sha256, "id": one.id, "version": one.version, "state": state, "live": one.live,
                "added_by": one.added_by, "maker": one.approval.as_ref().map(|row| &row.maker),
                "checker": one.approval.as_ref().map(|row| &row.checker),
            });
            writeln!(out, "{line}")?;
        }
    }
    Ok(())
}

fn draft(folder: &std::path::Path, who: &Who) -> Result<()> {
    let texts = PackTexts::of(&folder.to_string_lossy())?;
    let home = Home::open(&who.place)?;
    breaks::check_user(&home, &who.user)?;
    let row = put_beside(&home, &texts, &who.user)?;
    println!("{} {} {} is beside the pack in force", row.sha256, row.id, row.version);
    Ok(())
}

/// Puts a pack beside the one in force.
pub(crate) fn put_beside(home: &Home, texts: &PackTexts, by: &str) -> Result<onus_store::rejudgements::PackRow> {
    let author = onus_worker::Author { tenant: &home.tenant.id, by, note: "", now: crate::home::now() };
    home.store.write(|tx| onus_worker::add_pack(tx, &author, &texts.files())).context("the pack was not added")
}

fn decide(sha256: &str, who: &Who, step: DecisionStep) -> Result<()> {
    let home = Home::open(&who.place)?;
    let all = home.store.read(|tx| onus_worker::packs(tx, &Scope::all(&home.tenant.id)))?;
    let mut known = all.into_iter().filter(|one| !one.shipped && one.sha256.starts_with(sha256));
    let pack = known.next().with_context(|| format!("no pack {sha256:?} in the store; `onus pack store list`"))?;
    anyhow::ensure!(known.next().is_none(), "{sha256:?} is the beginning of several packs");
    take_one(who, &format!("pack {step}"), &pack.sha256, |tx, home, author| {
        onus_worker::decide_pack(tx, author, &home.key, &pack.sha256, step)
    })?;
    if step == DecisionStep::Approve || step == DecisionStep::Revoke {
        let done = onus_worker::rejudge(&home.store, &home.tenant.id, crate::home::now())?;
        println!("{} verdicts that stand would be others; `onus rejudge list` shows them", done.changed);
    }
    Ok(())
}

/// Judges what a store holds by the pack in force and by a draft.
pub(crate) fn shadow(out: &mut impl Write, place: &Place, draft: &Pack, list: bool, threads: usize) -> Result<()> {
    let home = Home::open(place)?;
    let examples = if list { usize::MAX } else { 0 };
    let done = onus_worker::shadow(&home.store, &home.tenant.id, draft, None, examples, threads)?;
    for (payment, kind, loss_minor, changed) in &done.examples {
        let mut line = changed_json(&format!("{payment}.{kind}"), changed);
        line["loss_minor"] = json!(loss_minor);
        writeln!(out, "{line}")?;
    }
    writeln!(out, "{}", shadow_json(&done))?;
    Ok(())
}

fn shadow_json(done: &Shadowed) -> Value {
    let mut report = report_json(&done.all);
    report["without_facts"] = json!(done.without_facts);
    report
}
