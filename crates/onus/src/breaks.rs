//! `onus breaks`: breaks of the store, and the steps of resolving them.

use std::io::Write;

use anyhow::{Context, Result, anyhow, bail};
use clap::{Args, Subcommand};
use onus_casework::resolution::{BreakId, Proposal, ResolutionAction, ResolutionPack, ResolutionState, Step};
use onus_model::{BreakClass, Instant, Party};
use onus_server::{Role, may_resolve_breaks};
use onus_store::audit::AuditRow;
use onus_store::breaks::{self, BreakFilter, BreakItem};
use onus_store::resolutions::{self, ResolutionRow, StepRow};
use onus_store::{PageRequest, Scope, StoreError, Tx};
use onus_worker::Resolver;
use serde_json::{Value, json};

use crate::home::{self, Home};
use crate::{Format, Place, serve};

/// What can be done with breaks.
#[derive(Subcommand)]
pub(crate) enum BreaksCommand {
    /// List breaks by class and payment. With --state confirmed --format jsonl the output is a list of resolved breaks
    /// for `onus reconcile --resolved`.
    List {
        #[command(flatten)]
        place: Place,
        /// Only of this class, such as MERCHANT_SWAPPED.
        #[arg(long)]
        class: Option<String>,
        /// Only in this state of resolution: open, proposed, approved, acted, confirmed, rejected, withdrawn, failed or
        /// reopened. Several may be given.
        #[arg(long)]
        state: Vec<String>,
        /// Only of this agent or one below it.
        #[arg(long)]
        agent: Option<String>,
        /// Only of payments of this day or later, such as 2026-09-21.
        #[arg(long)]
        from: Option<String>,
        /// How to print.
        #[arg(long, value_enum, default_value_t = Format::Table)]
        format: Format,
    },
    /// Show one break with its resolution and every step of it.
    Show {
        /// PAYMENT.CLASS, as `onus breaks list` prints it.
        id: String,
        #[command(flatten)]
        place: Place,
        /// How to print.
        #[arg(long, value_enum, default_value_t = Format::Table)]
        format: Format,
    },
    /// Propose what to do.
    Propose {
        #[command(flatten)]
        who: Author,
        /// credit_adjustment, claim, re_presentment, payout_repair, recovery or explained.
        #[arg(long)]
        action: String,
        /// Amount in minor units (fen).
        #[arg(long, default_value_t = 0)]
        amount: i64,
        /// For a recovery: cardholder, merchant, agent, network, issuer or producer.
        #[arg(long)]
        party: Option<String>,
        /// Names of the documents that go with it.
        #[arg(long, default_value = "")]
        documents: String,
    },
    /// Approve a proposal of somebody else.
    Approve {
        #[command(flatten)]
        who: Author,
    },
    /// Refuse a proposal of somebody else; needs --note.
    Reject {
        #[command(flatten)]
        who: Author,
    },
    /// Take an own proposal back.
    Withdraw {
        #[command(flatten)]
        who: Author,
    },
    /// Say that it was done.
    Act {
        #[command(flatten)]
        who: Author,
        /// Number of the network's case, the payment order or the letter.
        #[arg(long)]
        reference: String,
    },
    /// Say that it had its effect: the break is resolved.
    Confirm {
        #[command(flatten)]
        who: Author,
    },
    /// Say that it had none: the break is open again; needs --note.
    Fail {
        #[command(flatten)]
        who: Author,
    },
}

/// Who takes a step, on which break.
#[derive(Args)]
pub(crate) struct Author {
    /// PAYMENT.CLASS, as `onus breaks list` prints it.
    id: String,
    #[command(flatten)]
    place: Place,
    /// User who takes the step; an administrator or operator of the tenant.
    #[arg(long)]
    user: String,
    /// Why, or a remark.
    #[arg(long, default_value = "")]
    note: String,
    /// Take the step as of this time (RFC 3339) instead of now.
    #[arg(long)]
    as_of: Option<String>,
}

/// Runs a command.
pub(crate) fn run(command: BreaksCommand) -> Result<()> {
    match command {
        BreaksCommand::List { place, class, state, agent, from, format } => {
            for word in &state {
                known(word, ResolutionState::parse, ResolutionState::ALL.iter().map(|it| it.as_str()), "--state")?;
            }
            if let Some(word) = &class {
                known(word, BreakClass::parse, BreakClass::ALL.iter().map(|it| it.as_str()), "--class")?;
            }
            let wanted = BreakFilter { class, states: state, agent, from_day: from, ..BreakFilter::default() };
            list(&Home::open(&place)?, &wanted, format)
        }
        BreaksCommand::Show { id, place, format } => show(&Home::open(&place)?, &id, format),
        BreaksCommand::Propose { who, action, amount, party, documents } => {
            let action = known(
                &action,
                ResolutionAction::parse,
                ResolutionAction::ALL.iter().map(|it| it.as_str()),
                "--action",
            )?;
            let parties = || Party::ALL.iter().map(|it| it.as_str());
            let party = party.map(|word| known(&word, Party::parse, parties(), "--party")).transpose()?;
            let note = who.note.clone();
            take(&who, &Step::Propose(Proposal { action, amount_minor: amount, party, documents, note }))
        }
        BreaksCommand::Approve { who } => take(&who, &Step::Approve { note: who.note.clone() }),
        BreaksCommand::Reject { who } => take(&who, &Step::Reject { note: who.note.clone() }),
        BreaksCommand::Withdraw { who } => take(&who, &Step::Withdraw { note: who.note.clone() }),
        BreaksCommand::Act { who, reference } => take(&who, &Step::Act { reference, note: who.note.clone() }),
        BreaksCommand::Confirm { who } => take(&who, &Step::Confirm { note: who.note.clone() }),
        BreaksCommand::Fail { who } => take(&who, &Step::Fail { note: who.note.clone() }),
    }
}

fn known<T>(
    word: &str,
    parse: impl Fn(&str) -> Option<T>,
    words: impl Iterator<Item = &'static str>,
    option: &str,
) -> Result<T> {
    parse(word).ok_or_else(|| {
        let words: Vec<&str> = words.collect();
        anyhow!("{option} is one of {}; found {word:?}", words.join(", "))
    })
}

fn break_id(text: &str) -> Result<BreakId> {
    BreakId::parse(text).with_context(|| {
        format!("{text:?} is no break; expected PAYMENT.CLASS, such as 2026-09-21.29000001.000001.000011.AMT_CLEAR")
    })
}

/// Takes a step and notes it in the audit, in one transaction.
fn take(who: &Author, step: &Step) -> Result<()> {
    let id = break_id(&who.id)?;
    let home = Home::open(&who.place)?;
    check_user(&home, &who.user)?;
    let pack = ResolutionPack::builtin()?;
    let now = home::as_of(who.as_of.as_deref())?.unwrap_or_else(home::now);
    let resolver = Resolver { tenant: &home.tenant.id, key: &home.key, pack: &pack, now };
    let act = audit_row(&who.user, step, &id)?;
    let taken = home.store.write(|tx| {
        let taken = resolver.take(tx, &id, step, &who.user, None)?;
        let outcome = if taken.is_ok() { "ok" } else { "refused" };
        onus_store::audit::append(tx, &home.tenant.id, [&AuditRow { outcome: outcome.to_owned(), ..act.clone() }])?;
        Ok(taken)
    })?;
    let row = taken?;
    println!("{id}: {} (version {})", row.state, row.version);
    Ok(())
}

/// The user must be there, of this tenant, and of a role that may.
pub(crate) fn check_user(home: &Home, username: &str) -> Result<()> {
    let login = home.store.read(|tx| onus_store::users::by_username(tx, username))?;
    let Some(login) = login.filter(|login| login.tenant == home.tenant.id && login.user.disabled_at.is_none()) else {
        bail!("tenant {} has no user {username}; `onus user {username}` adds one", home.tenant.id);
    };
    if Role::parse(&login.user.role).is_some_and(may_resolve_breaks) {
        return Ok(());
    }
    bail!("user {username} has the role {}, which may not resolve breaks", login.user.role)
}

fn audit_row(user: &str, step: &Step, id: &BreakId) -> Result<AuditRow> {
    let at = home::now().0;
    Ok(AuditRow {
        id: format!("{at:016x}-cli-{}", serve::random_text()?),
        at,
        actor: user.to_owned(),
        action: format!("onus breaks {}", step.kind()),
        resource: id.to_string(),
        outcome: String::new(),
    })
}

fn list(home: &Home, wanted: &BreakFilter, format: Format) -> Result<()> {
    let scope = Scope::all(&home.tenant.id);
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    if format == Format::Table {
        writeln!(out, "{:60} {:>12} {:>12}  {:10} action", "break", "stake fen", "difference", "state")?;
    }
    let mut request = PageRequest::first(200);
    let mut items = Vec::new();
    loop {
        let page = home.store.read(|tx| breaks::list(tx, &scope, wanted, &request))?;
        for item in page.items {
            let BreakItem { row, stake_minor, state, action, .. } = &item;
            match format {
                Format::Table => {
                    let id = format!("{}.{}", row.payment_id, row.class);
                    writeln!(out, "{id:60} {stake_minor:>12} {:>12}  {state:10} {action}", row.difference_minor)?;
                }
                Format::Jsonl => writeln!(out, "{}", item_json(&item))?,
                Format::Json => items.push(item_json(&item)),
            }
        }
        request.cursor = page.next_cursor;
        if request.cursor.is_none() {
            break;
        }
    }
    if format == Format::Json {
        writeln!(out, "{}", Value::from(items))?;
    }
    Ok(out.flush()?)
}

fn item_json(item: &BreakItem) -> Value {
    let row = &item.row;
    json!({
        "id": format!("{}.{}", row.payment_id, row.class), "payment": row.payment_id, "class": row.class, "coarse": row.coarse,
        "expected": row.expected, "found": row.found, "difference_minor": row.difference_minor, "stake_minor": item.stake_minor,
        "agent": item.agent_code, "merchant": item.merchant_code, "state": item.state, "version": item.version,
        "action": item.action, "maker": item.maker,
    })
}

fn show(home: &Home, text: &str, format: Format) -> Result<()> {
    let id = break_id(text)?;
    let scope = Scope::all(&home.tenant.id);
    let (standing, row, steps) = home.store.read(|tx| read(tx, &scope, &id))?;
    let standing = standing.with_context(|| format!("there is no break {id}"))?;
    let zone = home.zone()?;
    let mut out = std::io::stdout().lock();
    let sides = standing.now.sides.as_ref();
    if format != Format::Table {
        let facts = sides.map(|sides| {
            json!({"expected": sides.expected, "found": sides.found, "difference_minor": sides.difference_minor})
        });
        let steps: Vec<Value> = steps.iter().map(|step| step_json(step, &zone.format(Instant(step.at)))).collect();
        let doc = json!({
            "id": id.to_string(), "facts": facts, "original_minor": standing.now.original_minor,
            "card_type": standing.now.card.as_str(), "state": standing.resolution.state.as_str(),
            "version": standing.resolution.version, "maker": row.as_ref().map(|row| &row.maker),
            "checker": row.as_ref().map(|row| &row.checker), "steps": steps,
        });
        writeln!(out, "{doc}")?;
        return Ok(());
    }
    writeln!(out, "{id}")?;
    match sides {
        Some(it) => {
            writeln!(out, "  expected {}, found {}, difference {} fen", it.expected, it.found, it.difference_minor)?;
        }
        None => writeln!(out, "  the records no longer show it")?,
    }
    writeln!(out, "  payment of {} fen, card {}", standing.now.original_minor, standing.now.card)?;
    writeln!(out, "  {} (version {})", standing.resolution.state, standing.resolution.version)?;
    for step in &steps {
        let at = zone.format(Instant(step.at));
        writeln!(
            out,
            "  {:>3} {at} {:10} {:9} {} {} fen {} {} [entry {}]",
            step.version,
            step.author,
            step.step,
            step.action,
            step.amount_minor,
            step.reference,
            step.note,
            step.entry_index
        )?;
    }
    Ok(())
}

type Read = (Option<onus_worker::BreakStanding>, Option<ResolutionRow>, Vec<StepRow>);

fn read(tx: &mut Tx<'_>, scope: &Scope, id: &BreakId) -> Result<Read, StoreError> {
    let standing = onus_worker::standing(tx, scope, id, home::now())?;
    let rows = resolutions::of_payment(tx, scope, &id.payment)?;
    let steps = resolutions::steps(tx, scope, &id.payment, id.class.as_str())?;
    Ok((standing, rows.into_iter().find(|row| row.class == id.class.as_str()), steps))
}

fn step_json(step: &StepRow, at: &str) -> Value {
    json!({
        "version": step.version, "step": step.step, "state": step.state, "author": step.author, "at": at,
        "action": step.action, "amount_minor": step.amount_minor, "party": step.party, "documents": step.documents,
        "note": step.note, "reference": step.reference, "entry": step.entry_index,
        "facts": {"expected": step.expected, "found": step.found, "difference_minor": step.difference_minor},
    })
}
