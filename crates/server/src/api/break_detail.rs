//! One break: the rows it stands in, how it can be resolved, and the steps of resolving it.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use onus_casework::resolution::{
    BreakId, Offer, Proposal, Refusal, Resolution, ResolutionAction, ResolutionPack, Step, StepKind,
};
use onus_model::{BreakClass, Instant, Party};
use onus_store::breaks::{self, BreakItem};
use onus_store::payments::{self, PaymentDetail};
use onus_store::resolutions::{self, ResolutionRow, StepRow};
use onus_store::{Scope, StoreError, Tx};
use onus_worker::{BreakStanding, NotTaken, Resolver};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::actor::Actor;
use crate::api::breaks::{BreakListRow, list_row, today};
use crate::api::query::Named;
use crate::legs::{Leg, legs};
use crate::policy::{Role, may_resolve_breaks};
use crate::problem::Problem;
use crate::state::ServerState;

/// An action that the class allows.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ActionOffer {
    action: String,
    zh: String,
    en: String,
    means_zh: String,
    means_en: String,
    /// Message of the network, such as `E32`, or empty.
    message: String,
    moves_money: bool,
    needs_documents: bool,
    /// Why it cannot be proposed; null when it can.
    refused_zh: Option<String>,
    refused_en: Option<String>,
}

/// Where the resolution stands.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ResolutionDoc {
    state: String,
    version: i64,
    action: String,
    amount_minor: i64,
    party: String,
    documents: String,
    note: String,
    reference: String,
    /// Who proposed it; empty for agents.
    maker: String,
    /// Who approved it; empty for agents.
    checker: String,
    updated_at: String,
}

/// One step, with what it left behind.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ResolutionStepDoc {
    version: i64,
    step: String,
    state: String,
    /// Empty for agents; `onus` where no person took it.
    author: String,
    at: String,
    action: String,
    amount_minor: i64,
    party: String,
    documents: String,
    note: String,
    reference: String,
    expected: String,
    found: String,
    difference_minor: i64,
    /// Entry of the evidence log.
    entry_index: i64,
}

/// Another break of the same payment.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RelatedBreak {
    id: String,
    class: String,
    class_zh: String,
    class_en: String,
    state: String,
    action: String,
}

/// A break with all that is known of it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct BreakDetail {
    #[serde(rename = "break")]
    found: BreakListRow,
    /// The records still show it.
    present: bool,
    /// Amount of the payment.
    original_minor: i64,
    card_type: String,
    /// Its payment's rows from the sealed files, with offsets; fields that differ are marked.
    legs: Vec<Leg>,
    /// What can be proposed, in the order of the pack.
    offers: Vec<ActionOffer>,
    /// Null when nobody has touched it.
    resolution: Option<ResolutionDoc>,
    /// Steps that this user can take now.
    steps: Vec<String>,
    /// All steps taken, first first.
    history: Vec<ResolutionStepDoc>,
    /// The other breaks of the payment, also resolved ones.
    related: Vec<RelatedBreak>,
}

/// What goes with a step. Which fields are needed depends on the step.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct StepBody {
    /// The version that the author has seen: the step is refused when somebody took another one meanwhile.
    version: i64,
    /// For `propose`: `credit_adjustment`, `claim`, `re_presentment`, `payout_repair`, `recovery` or `explained`.
    action: Option<String>,
    /// For `propose`.
    amount_minor: Option<i64>,
    /// For a proposed recovery: from whom.
    party: Option<String>,
    /// For `propose`: names of the documents.
    documents: Option<String>,
    /// For `act`: number of the network's case, the payment order or the letter.
    reference: Option<String>,
    /// Why; needed for `reject`, `fail` and what is proposed as explained.
    note: Option<String>,
}

/// What is read of a break in one moment.
struct Read {
    payment: PaymentDetail,
    standing: BreakStanding,
    row: Option<ResolutionRow>,
    others: Vec<ResolutionRow>,
    steps: Vec<StepRow>,
}

/// One break with its rows, what can be done about it and its history.
#[utoipa::path(get, path = "/breaks/{id}", tag = "breaks", params(("id" = String, Path)), responses((status = 200, body = BreakDetail)))]
pub(crate) async fn read(
    State(state): State<ServerState>,
    actor: Actor,
    Named(id): Named<String>,
) -> Result<Json<BreakDetail>, Problem> {
    let id = break_id(&id)?;
    let found = state
        .blocking(move |state| {
            let scope = actor.scope();
            let read = state.store().read(|tx| read_all(tx, &scope, &id, state.now()))?;
            let Some(read) = read else { return Ok(None) };
            let legs = legs(state.vault(), &read.payment, &actor)?;
            Ok(Some(detail(state, &actor, &id, read, legs)))
        })
        .await?;
    found.map(Json).ok_or_else(no_break)
}

/// Takes a step: propose, approve, reject, withdraw, act, confirm or fail.
#[utoipa::path(
    post, path = "/breaks/{id}/{step}", tag = "breaks",
    params(("id" = String, Path), ("step" = String, Path)),
    request_body = StepBody, responses((status = 200, body = BreakDetail))
)]
pub(crate) async fn step(
    State(state): State<ServerState>,
    actor: Actor,
    Named((id, step)): Named<(String, String)>,
    body: Bytes,
) -> Result<Json<BreakDetail>, Problem> {
    let body: StepBody = serde_json::from_slice(&body).map_err(|error| Problem::bad_request(&error.to_string()))?;
    let key = break_id(&id)?;
    let (version, step) = (body.version, wanted_step(&step, body)?);
    let (tenant, by, now, shared) =
        (actor.tenant.id.clone(), actor.username.clone(), Instant(state.now()), state.clone());
    let taken = state
        .write(move |tx| {
            let resolver =
                Resolver { tenant: &tenant, key: &shared.config().signing_key, pack: shared.resolutions(), now };
            resolver.take(tx, &key, &step, &by, Some(version))
        })
        .await?;
    taken.map_err(|why| problem(&why))?;
    read(State(state), actor, Named(id)).await
}

fn break_id(text: &str) -> Result<BreakId, Problem> {
    BreakId::parse(text).ok_or_else(no_break)
}

fn no_break() -> Problem {
    Problem::not_found("差异", "break")
}

fn wanted_step(step: &str, body: StepBody) -> Result<Step, Problem> {
    let unknown = |what: &str, word: &str| Problem::bad_request(&format!("{what}: {word:?} is not known"));
    let note = body.note.unwrap_or_default();
    Ok(match StepKind::parse(step) {
        Some(StepKind::Propose) => {
            let action = body.action.unwrap_or_default();
            let party = body.party.filter(|party| !party.is_empty());
            Step::Propose(Proposal {
                action: ResolutionAction::parse(&action).ok_or_else(|| unknown("action", &action))?,
                amount_minor: body.amount_minor.unwrap_or_default(),
                party: party.map(|word| Party::parse(&word).ok_or_else(|| unknown("party", &word))).transpose()?,
                documents: body.documents.unwrap_or_default(),
                note,
            })
        }
        Some(StepKind::Approve) => Step::Approve { note },
        Some(StepKind::Reject) => Step::Reject { note },
        Some(StepKind::Withdraw) => Step::Withdraw { note },
        Some(StepKind::Act) => Step::Act { reference: body.reference.unwrap_or_default(), note },
        Some(StepKind::Confirm) => Step::Confirm { note },
        Some(StepKind::Fail) => Step::Fail { note },
        Some(StepKind::Reopen) | None => return Err(Problem::no_route()),
    })
}

fn problem(why: &NotTaken) -> Problem {
    match why {
        NotTaken::Unknown(_) => no_break(),
        NotTaken::Stale { found, .. } => {
            let zh = format!("他人刚刚处理过这笔差异，现为第 {found} 版。");
            Problem::not_taken(StatusCode::CONFLICT, "stale", &zh, &why.to_string())
        }
        NotTaken::Refused(refusal) => {
            let status = match refusal {
                Refusal::OwnProposal | Refusal::NotTheMaker { .. } => StatusCode::FORBIDDEN,
                Refusal::State { .. }
                | Refusal::NothingProposed
                | Refusal::BreakGone
                | Refusal::FactsChanged { .. } => StatusCode::CONFLICT,
                Refusal::NoteMissing { .. }
                | Refusal::ReferenceMissing
                | Refusal::PartyMissing
                | Refusal::CardNumber
                | Refusal::Action { .. }
                | Refusal::Guard { .. } => StatusCode::UNPROCESSABLE_ENTITY,
            };
            let text = refusal.text();
            Problem::not_taken(status, refusal.code(), &text.zh, &text.en)
        }
    }
}

fn read_all(tx: &mut Tx<'_>, scope: &Scope, id: &BreakId, now: i64) -> Result<Option<Read>, StoreError> {
    let Some(standing) = onus_worker::standing(tx, scope, id, Instant(now))? else { return Ok(None) };
    let Some(payment) = payments::by_id(tx, scope, &id.payment, now)? else { return Ok(None) };
    let class = id.class.as_str();
    let (mut own, others): (Vec<_>, Vec<_>) =
        resolutions::of_payment(tx, scope, &id.payment)?.into_iter().partition(|row| row.class == class);
    let steps = resolutions::steps(tx, scope, &id.payment, class)?;
    Ok(Some(Read { payment, standing, row: own.pop(), others, steps }))
}

fn detail(state: &ServerState, actor: &Actor, id: &BreakId, read: Read, legs: Vec<Leg>) -> BreakDetail {
    let Read { payment, standing, row, others, steps } = read;
    let pack = state.resolutions();
    let head = &payment.item.payment;
    let item = BreakItem {
        row: break_row(id, &payment, &standing.resolution),
        agent_code: head.agent_code.clone(),
        merchant_code: head.merchant_code.clone(),
        stake_minor: standing.now.stake_minor(),
        state: standing.resolution.state.to_string(),
        version: standing.resolution.version,
        action: row.as_ref().map(|row| row.action.clone()).unwrap_or_default(),
        maker: String::new(),
    };
    BreakDetail {
        found: list_row(item, today(state, actor)),
        present: standing.now.sides.is_some(),
        original_minor: head.amount_minor,
        card_type: head.card_type.clone(),
        legs,
        offers: offers(pack, &standing),
        steps: possible_steps(actor, &standing.resolution),
        resolution: row.map(|row| resolution_doc(row, actor)),
        history: steps.into_iter().map(|step| step_doc(step, actor)).collect(),
        related: related(id, &payment, &others),
    }
}

/// The break, or what it said when it was proposed if the records no longer show it.
fn break_row(id: &BreakId, payment: &PaymentDetail, resolution: &Resolution) -> breaks::BreakRow {
    let found = payment.breaks.iter().find(|found| found.class == id.class.as_str());
    found.cloned().unwrap_or_else(|| breaks::BreakRow {
        payment_id: id.payment.clone(),
        class: id.class.to_string(),
        coarse: id.class.coarse().to_string(),
        expected: resolution.sides.expected.clone(),
        found: resolution.sides.found.clone(),
        difference_minor: resolution.sides.difference_minor,
        first_party: id.class.first_party().to_string(),
    })
}

fn offers(pack: &ResolutionPack, standing: &BreakStanding) -> Vec<ActionOffer> {
    let offer = |offer: Offer<'_>| {
        let refused = offer.refusal.map(|refusal| refusal.text());
        ActionOffer {
            action: offer.action.code.to_string(),
            zh: offer.action.zh.clone(),
            en: offer.action.en.clone(),
            means_zh: offer.action.means_zh.clone(),
            means_en: offer.action.means_en.clone(),
            message: offer.action.message.clone(),
            moves_money: offer.action.moves_money,
            needs_documents: offer.needs_documents,
            refused_zh: refused.as_ref().map(|text| text.zh.clone()),
            refused_en: refused.map(|text| text.en),
        }
    };
    pack.offers(&standing.now).into_iter().map(offer).collect()
}

/// Steps that the state and the author allow; whether the records do is said when the step is taken.
fn possible_steps(actor: &Actor, resolution: &Resolution) -> Vec<String> {
    if !may_resolve_breaks(actor.role) {
        return Vec::new();
    }
    let is_maker = resolution.maker == actor.username;
    let steps = resolution.state.steps().filter(|step| match step {
        StepKind::Approve | StepKind::Reject => !is_maker,
        StepKind::Withdraw => is_maker,
        _ => true,
    });
    steps.map(|step| step.to_string()).collect()
}

/// Who works at the acquirer is not for agents to know.
fn name_for(actor: &Actor, name: String) -> String {
    if actor.role == Role::Agent { String::new() } else { name }
}

fn resolution_doc(row: ResolutionRow, actor: &Actor) -> ResolutionDoc {
    ResolutionDoc {
        state: row.state,
        version: row.version,
        action: row.action,
        amount_minor: row.amount_minor,
        party: row.party,
        documents: row.documents,
        note: name_for(actor, row.note),
        reference: row.reference,
        maker: name_for(actor, row.maker),
        checker: name_for(actor, row.checker),
        updated_at: actor.time(row.updated_at),
    }
}

fn step_doc(step: StepRow, actor: &Actor) -> ResolutionStepDoc {
    ResolutionStepDoc {
        version: step.version,
        step: step.step,
        state: step.state,
        author: name_for(actor, step.author),
        at: actor.time(step.at),
        action: step.action,
        amount_minor: step.amount_minor,
        party: step.party,
        documents: step.documents,
        note: name_for(actor, step.note),
        reference: step.reference,
        expected: step.expected,
        found: step.found,
        difference_minor: step.difference_minor,
        entry_index: step.entry_index,
    }
}

fn related(id: &BreakId, payment: &PaymentDetail, resolved: &[ResolutionRow]) -> Vec<RelatedBreak> {
    let found = payment.breaks.iter().map(|found| found.class.as_str());
    let mut classes: Vec<&str> = found.chain(resolved.iter().map(|row| row.class.as_str())).collect();
    classes.sort_unstable();
    classes.dedup();
    let others = classes.into_iter().filter(|class| BreakClass::parse(class) != Some(id.class));
    let other = |class: &str| {
        let row = resolved.iter().find(|row| row.class == class);
        let (class_zh, class_en) = crate::texts::break_class(class);
        RelatedBreak {
            id: format!("{}.{class}", id.payment),
            class: class.to_owned(),
            class_zh,
            class_en,
            state: row.map_or_else(|| "open".to_owned(), |row| row.state.clone()),
            action: row.map(|row| row.action.clone()).unwrap_or_default(),
        }
    };
    others.map(other).collect()
}
