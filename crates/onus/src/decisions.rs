//! `onus limits` and `onus rejudge`: what two people decide, at the command line.

use std::io::Write;

use anyhow::{Context, Result, bail};
use clap::{Args, Subcommand};
use onus_casework::dual_control::DecisionStep;
use onus_store::approvals::ApprovalRow;
use onus_store::audit::AuditRow;
use onus_store::rejudgements::{self, RejudgementFilter, RejudgementItem};
use onus_store::{PageRequest, Scope, StoreError, Tx};
use onus_worker::{Author, LimitStanding, NotDecided};
use serde_json::{Value, json};

use crate::home::{self, Home};
use crate::{Format, Place, breaks, serve};

/// Limits of packs, and their verification.
#[derive(Subcommand)]
pub(crate) enum LimitsCommand {
    /// List limits with source, grade, who verified them, and whether software acts on them.
    List {
        #[command(flatten)]
        place: Place,
        /// Only those that somebody has to verify before software may act.
        #[arg(long)]
        waiting: bool,
        /// How to print.
        #[arg(long, value_enum, default_value_t = Format::Table)]
        format: Format,
    },
    /// Say that a limit was compared with the primary text; --note says which. Another person approves it.
    Propose {
        /// Limit, as `onus limits list` prints it.
        id: String,
        #[command(flatten)]
        who: Who,
    },
    /// Confirm what somebody else compared: software acts on the limit from now on.
    Approve {
        /// Limit.
        id: String,
        #[command(flatten)]
        who: Who,
    },
    /// Refuse what somebody else proposed; needs --note.
    Reject {
        /// Limit.
        id: String,
        #[command(flatten)]
        who: Who,
    },
    /// Take an own proposal back.
    Withdraw {
        /// Limit.
        id: String,
        #[command(flatten)]
        who: Who,
    },
    /// End a verification: software no longer acts on the limit; needs --note.
    Revoke {
        /// Limit.
        id: String,
        #[command(flatten)]
        who: Who,
    },
}

/// Verdicts that would be others today.
#[derive(Subcommand)]
pub(crate) enum RejudgeCommand {
    /// List them with old and new outcome, money and reason.
    List {
        #[command(flatten)]
        place: Place,
        /// Only in this state: listed, proposed, approved, rejected, withdrawn or superseded.
        #[arg(long)]
        state: Option<String>,
        /// Sums by rules instead of one by one.
        #[arg(long)]
        sums: bool,
        /// How to print.
        #[arg(long, value_enum, default_value_t = Format::Table)]
        format: Format,
    },
    /// Judge every verdict of another pack by the pack in force, and list what would change. Nothing changes.
    Run {
        #[command(flatten)]
        place: Place,
        /// As of this time (RFC 3339) instead of now.
        #[arg(long)]
        as_of: Option<String>,
    },
    /// Propose that they become the next revision; needs --note.
    Propose {
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        who: Who,
    },
    /// Approve what somebody else proposed: each becomes the next revision, the old one is kept.
    Approve {
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        who: Who,
    },
    /// Leave the verdicts as they are; needs --note.
    Reject {
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        who: Who,
    },
    /// Take an own proposal back.
    Withdraw {
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        who: Who,
    },
}

/// Which rejudgements.
#[derive(Args)]
pub(crate) struct Which {
    /// Ids, as `onus rejudge list` prints them.
    ids: Vec<String>,
    /// All that would go from this rule …
    #[arg(long, requires = "to")]
    from: Option<String>,
    /// … to this one, and that the step is possible for.
    #[arg(long, requires = "from")]
    to: Option<String>,
}

/// Who takes a step.
#[derive(Args)]
pub(crate) struct Who {
    #[command(flatten)]
    pub(crate) place: Place,
    /// User who takes the step; an administrator or operator of the tenant.
    #[arg(long)]
    pub(crate) user: String,
    /// Why, or what was compared.
    #[arg(long, default_value = "")]
    pub(crate) note: String,
    /// Take the step as of this time (RFC 3339) instead of now.
    #[arg(long)]
    pub(crate) as_of: Option<String>,
}

/// Runs `onus limits`.
pub(crate) fn limits(command: LimitsCommand) -> Result<()> {
    use DecisionStep as Step;
    match command {
        LimitsCommand::List { place, waiting, format } => list_limits(&Home::open(&place)?, waiting, format),
        LimitsCommand::Propose { id, who } => verify(&who, &id, Step::Propose),
        LimitsCommand::Approve { id, who } => verify(&who, &id, Step::Approve),
        LimitsCommand::Reject { id, who } => verify(&who, &id, Step::Reject),
        LimitsCommand::Withdraw { id, who } => verify(&who, &id, Step::Withdraw),
        LimitsCommand::Revoke { id, who } => verify(&who, &id, Step::Revoke),
    }
}

/// Runs `onus rejudge`.
pub(crate) fn rejudge(command: RejudgeCommand) -> Result<()> {
    use DecisionStep as Step;
    match command {
        RejudgeCommand::List { place, sums: true, format, .. } => list_sums(&Home::open(&place)?, format),
        RejudgeCommand::List { place, state, format, .. } => {
            let wanted = RejudgementFilter { state, ..RejudgementFilter::default() };
            list_rejudgements(&Home::open(&place)?, &wanted, format)
        }
        RejudgeCommand::Run { place, as_of } => {
            let home = Home::open(&place)?;
            let now = home::as_of(as_of.as_deref())?.unwrap_or_else(home::now);
            let done = onus_worker::rejudge(&home.store, &home.tenant.id, now)?;
            println!(
                "{} verdicts of other packs judged, {} would change and are listed, {} without facts",
                done.judged, done.changed, done.without_facts
            );
            Ok(())
        }
        RejudgeCommand::Propose { which, who } => decide(&who, which, Step::Propose),
        RejudgeCommand::Approve { which, who } => decide(&who, which, Step::Approve),
        RejudgeCommand::Reject { which, who } => decide(&who, which, Step::Reject),
        RejudgeCommand::Withdraw { which, who } => decide(&who, which, Step::Withdraw),
    }
}

/// Takes a step of one decision and notes it in the audit, in one transaction.
pub(crate) fn take_one(
    who: &Who,
    action: &str,
    id: &str,
    take: impl Fn(&mut Tx<'_>, &Home, &Author<'_>) -> Result<Result<ApprovalRow, NotDecided>, StoreError>,
) -> Result<()> {
    let home = Home::open(&who.place)?;
    let rows = take_all(&home, who, action, id, |tx, author| Ok(vec![take(tx, &home, author)?]))?;
    for row in rows {
        let row = row?;
        println!("{}: {} (version {})", row.id, row.state, row.version);
    }
    Ok(())
}

type Answers = Vec<Result<ApprovalRow, NotDecided>>;

fn take_all(
    home: &Home,
    who: &Who,
    action: &str,
    resource: &str,
    take: impl Fn(&mut Tx<'_>, &Author<'_>) -> Result<Answers, StoreError>,
) -> Result<Answers> {
    breaks::check_user(home, &who.user)?;
    let now = home::as_of(who.as_of.as_deref())?.unwrap_or_else(home::now);
    let author = Author { tenant: &home.tenant.id, by: &who.user, note: &who.note, now };
    let at = home::now().0;
    let act = AuditRow {
        id: format!("{at:016x}-cli-{}", serve::random_text()?),
        at,
        actor: who.user.clone(),
        action: format!("onus {action}"),
        resource: resource.to_owned(),
        outcome: String::new(),
    };
    Ok(home.store.write(|tx| {
        let answers = take(tx, &author)?;
        let outcome = if answers.iter().all(Result::is_ok) { "ok" } else { "refused" };
        onus_store::audit::append(tx, author.tenant, [&AuditRow { outcome: outcome.to_owned(), ..act.clone() }])?;
        Ok(answers)
    })?)
}

fn verify(who: &Who, id: &str, step: DecisionStep) -> Result<()> {
    take_one(who, &format!("limits {step}"), id, |tx, home, author| {
        onus_worker::verify_limit(tx, author, &home.key, &home.tenant, id, step)
    })
}

fn decide(who: &Who, which: Which, step: DecisionStep) -> Result<()> {
    let home = Home::open(&who.place)?;
    let Which { mut ids, from, to } = which;
    if let (Some(old_rule), Some(new_rule)) = (from, to) {
        let states: &[&str] = match step {
            DecisionStep::Propose => &["listed", "withdrawn", "rejected"],
            DecisionStep::Reject => &["listed", "proposed"],
            _ => &["proposed"],
        };
        for state in states {
            let wanted = RejudgementFilter {
                state: Some((*state).to_owned()),
                old_rule: Some(old_rule.clone()),
                new_rule: Some(new_rule.clone()),
            };
            each_rejudgement(&home, &wanted, |item| {
                ids.push(item.row.id);
                Ok(())
            })?;
        }
    }
    if ids.is_empty() {
        bail!("nothing to decide: give ids, or --from RULE --to RULE; `onus rejudge list` prints them");
    }
    let resource = if let [id] = ids.as_slice() { id.clone() } else { format!("{} rejudgements", ids.len()) };
    let answers = take_all(&home, who, &format!("rejudge {step}"), &resource, |tx, author| {
        onus_worker::decide_rejudgements(tx, author, &home.key, &home.tenant, &ids, step)
    })?;
    let mut refused = 0_usize;
    for answer in &answers {
        match answer {
            Ok(row) => println!("{}: {} (version {})", row.id, row.state, row.version),
            Err(why) => {
                refused += 1;
                writeln!(std::io::stderr(), "onus: {why}")?;
            }
        }
    }
    if refused > 0 {
        bail!("{refused} of {} steps were not taken", answers.len());
    }
    Ok(())
}

fn list_limits(home: &Home, waiting: bool, format: Format) -> Result<()> {
    let all = home.store.read(|tx| onus_worker::limits(tx, &Scope::all(&home.tenant.id)))?;
    let shown: Vec<&LimitStanding> = all.iter().filter(|one| !waiting || one.limit.waits()).collect();
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    match format {
        Format::Json => writeln!(out, "{}", Value::from(shown.iter().map(|one| limit_json(one)).collect::<Vec<_>>()))?,
        Format::Jsonl => {
            for one in shown {
                writeln!(out, "{}", limit_json(one))?;
            }
        }
        Format::Table => {
            for one in shown {
                let limit = &one.limit;
                let state = one.approval.as_ref().map_or("-", |row| row.state.as_str());
                let lapsed = if one.lapsed { " (of another value)" } else { "" };
                writeln!(out, "{:56} {} {:9} {}", limit.id, limit.grade, one.automation, limit.value)?;
                writeln!(out, "    {}", limit.source)?;
                if limit.waits() {
                    writeln!(out, "    {state}{lapsed}{}; {} cases wait", people(one.approval.as_ref()), one.waiting)?;
                }
            }
        }
    }
    Ok(out.flush()?)
}

fn people(approval: Option<&ApprovalRow>) -> String {
    approval.map_or_else(String::new, |row| {
        let checker = if row.checker.is_empty() { String::new() } else { format!(", then {}", row.checker) };
        format!(" by {}{checker}: {}", row.maker, row.note)
    })
}

fn limit_json(one: &LimitStanding) -> Value {
    let limit = &one.limit;
    let in_pack = limit.verified_by.as_ref().map(|by| json!({"maker": by.maker, "checker": by.checker, "on": by.on}));
    let approval = one.approval.as_ref().map(|row| {
        json!({"state": row.state, "version": row.version, "maker": row.maker, "checker": row.checker, "note": row.note})
    });
    json!({
        "id": limit.id, "of": limit.of.as_str(), "title": {"zh": limit.title.zh, "en": limit.title.en}, "value": limit.value,
        "source": limit.source, "grade": limit.grade, "sha256": limit.sha256, "waits": limit.waits(),
        "automation": one.automation.to_string(), "verified_in_pack": in_pack, "verification": approval,
        "lapsed": one.lapsed, "cases_waiting": one.waiting,
    })
}

fn each_rejudgement(
    home: &Home,
    wanted: &RejudgementFilter,
    mut each: impl FnMut(RejudgementItem) -> Result<()>,
) -> Result<()> {
    let scope = Scope::all(&home.tenant.id);
    let mut request = PageRequest::first(200);
    loop {
        let page = home.store.read(|tx| rejudgements::list(tx, &scope, wanted, &request))?;
        page.items.into_iter().try_for_each(&mut each)?;
        request.cursor = page.next_cursor;
        if request.cursor.is_none() {
            return Ok(());
        }
    }
}

fn list_rejudgements(home: &Home, wanted: &RejudgementFilter, format: Format) -> Result<()> {
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    let mut items = Vec::new();
    each_rejudgement(home, wanted, |item| {
        let row = &item.row;
        match format {
            Format::Json => items.push(rejudgement_json(&item)?),
            Format::Jsonl => writeln!(out, "{}", rejudgement_json(&item)?)?,
            Format::Table => {
                writeln!(
                    out,
                    "{}  {} ({}), {} fen move, agent {:+}",
                    row.id, item.state, row.why, row.moved_minor, row.agent_minor
                )?;
                let side = |cause: &str, rule: &str, outward: &str, shares: &str, loss: i64| {
                    format!("{cause} by {rule}; pays first: {outward}; bears: {shares}; loss {loss} fen")
                };
                let (was, is) = (
                    side(&row.old_cause, &row.old_rule_id, &row.old_outward, &row.old_shares, row.old_loss_minor),
                    side(&row.new_cause, &row.new_rule_id, &row.new_outward, &row.new_shares, row.new_loss_minor),
                );
                writeln!(out, "    was {was}\n    now {is}")?;
                for fact in serde_json::from_str::<Vec<String>>(&row.reason).unwrap_or_default() {
                    writeln!(out, "    {fact}")?;
                }
            }
        }
        Ok(())
    })?;
    if format == Format::Json {
        writeln!(out, "{}", Value::from(items))?;
    }
    Ok(out.flush()?)
}

fn rejudgement_json(item: &RejudgementItem) -> Result<Value> {
    let row = &item.row;
    let read = |text: &str| serde_json::from_str::<Value>(text).with_context(|| format!("{}: {text}", row.id));
    Ok(json!({
        "id": row.id, "payment": row.payment_id, "kind": row.kind, "revision": row.from_revision, "state": item.state,
        "maker": item.maker, "checker": item.checker, "note": item.note, "why": row.why, "facts": read(&row.reason)?,
        "old": {"cause": row.old_cause, "outward": row.old_outward, "shares": read(&row.old_shares)?, "loss_minor": row.old_loss_minor, "rule": row.old_rule_id},
        "new": {"cause": row.new_cause, "outward": row.new_outward, "shares": read(&row.new_shares)?, "loss_minor": row.new_loss_minor, "rule": row.new_rule_id},
        "moved_minor": row.moved_minor, "agent_minor": row.agent_minor,
        "pack": {"id": row.pack_id, "version": row.pack_version, "sha256": row.pack_sha256},
    }))
}

fn list_sums(home: &Home, format: Format) -> Result<()> {
    let sums = home.store.read(|tx| rejudgements::sums(tx, &Scope::all(&home.tenant.id)))?;
    let mut out = std::io::stdout().lock();
    for sum in sums {
        if format == Format::Table {
            writeln!(
                out,
                "{:10} {:5} {:>8} cases {:>14} fen move, agents {:+} fen: {} -> {}",
                sum.state, sum.why, sum.cases, sum.moved_minor, sum.agent_minor, sum.old_rule_id, sum.new_rule_id
            )?;
        } else {
            let line = json!({
                "state": sum.state, "why": sum.why, "old_rule": sum.old_rule_id, "new_rule": sum.new_rule_id,
                "cases": sum.cases, "moved_minor": sum.moved_minor, "agent_minor": sum.agent_minor,
            });
            writeln!(out, "{line}")?;
        }
    }
    Ok(())
}
