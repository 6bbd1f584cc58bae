//! Limits of packs: source, grade, who verified them, and the steps of verifying.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use onus_casework::dual_control::{DecisionRefusal, DecisionState, DecisionStep};
use onus_model::Instant;
use onus_store::approvals::{self, ApprovalRow, ApprovalStepRow};
use onus_worker::{Author, LimitStanding, NotDecided};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::actor::Actor;
use crate::api::query::Named;
use crate::policy::{Action, allow};
use crate::problem::Problem;
use crate::state::ServerState;

/// What a step carries.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DecisionBody {
    /// Why, or what was compared.
    #[serde(default)]
    pub(crate) note: String,
}

/// Where a decision of two people stands.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DecisionDoc {
    /// `listed`, `proposed`, `approved`, `rejected`, `withdrawn`, `revoked`, `superseded`
    pub(crate) state: String,
    pub(crate) version: i64,
    pub(crate) maker: String,
    pub(crate) checker: String,
    pub(crate) note: String,
    pub(crate) updated_at: String,
    /// Steps that this user can take now.
    pub(crate) steps: Vec<String>,
}

/// Two people who verified a limit in the pack itself.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct VerifiedInPack {
    maker: String,
    checker: String,
    on: String,
}

/// A limit.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LimitRow {
    id: String,
    /// `rule`, `burden`, `programme`, `reason`
    of: String,
    title_zh: String,
    title_en: String,
    value: String,
    source: String,
    /// `S` primary text, `R` secondary, `T` exam bank, `B` believed, `P` product default.
    grade: String,
    /// Software acts on it only when two people verified it.
    waits: bool,
    /// `automatic` or `manual`
    automation: String,
    verified_in_pack: Option<VerifiedInPack>,
    /// What was decided holds for another value.
    lapsed: bool,
    /// Open cases that wait for it.
    cases_waiting: i64,
    decision: DecisionDoc,
}

/// Limits of the pack in force, of the principles, and of the networks.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LimitPage {
    items: Vec<LimitRow>,
}

/// A step of a decision.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DecisionStepDoc {
    version: i64,
    step: String,
    state: String,
    author: String,
    note: String,
    at: String,
    entry_index: i64,
}

/// Steps of a decision, first first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DecisionHistory {
    steps: Vec<DecisionStepDoc>,
}

/// Limits with source, grade and verification.
#[utoipa::path(get, path = "/limits", tag = "limits", responses((status = 200, body = LimitPage)))]
pub(crate) async fn list(State(state): State<ServerState>, actor: Actor) -> Result<Json<LimitPage>, Problem> {
    let scope = actor.scope();
    let all = state.read(move |tx| onus_worker::limits(tx, &scope)).await?;
    Ok(Json(LimitPage { items: all.into_iter().map(|one| limit_row(one, &actor)).collect() }))
}

/// The steps of verifying a limit.
#[utoipa::path(get, path = "/limits/{id}", tag = "limits", params(("id" = String, Path)), responses((status = 200, body = DecisionHistory)))]
pub(crate) async fn history(
    State(state): State<ServerState>,
    actor: Actor,
    Named(id): Named<String>,
) -> Result<Json<DecisionHistory>, Problem> {
    let scope = actor.scope();
    let steps = state.read(move |tx| approvals::steps(tx, &scope, "limit", &id)).await?;
    Ok(Json(DecisionHistory { steps: steps.into_iter().map(|step| step_doc(step, &actor)).collect() }))
}

/// Takes a step of verifying a limit: propose, approve, reject, withdraw or revoke.
#[utoipa::path(
    post, path = "/limits/{id}/{step}", tag = "limits",
    params(("id" = String, Path), ("step" = String, Path)),
    request_body = DecisionBody, responses((status = 200, body = DecisionDoc))
)]
pub(crate) async fn step(
    State(state): State<ServerState>,
    actor: Actor,
    Named((id, step)): Named<(String, String)>,
    body: Bytes,
) -> Result<Json<DecisionDoc>, Problem> {
    let (step, note) = (wanted_step(&step)?, note_of(&body)?);
    let (who, now, shared) = (actor.clone(), Instant(state.now()), state.clone());
    let taken = state
        .write(move |tx| {
            let author = Author { tenant: &who.tenant.id, by: &who.username, note: &note, now };
            onus_worker::verify_limit(tx, &author, &shared.config().signing_key, &who.tenant, &id, step)
        })
        .await?;
    taken.map(|row| Json(decision_doc(Some(&row), &actor))).map_err(|why| not_decided(&why))
}

pub(crate) fn wanted_step(word: &str) -> Result<DecisionStep, Problem> {
    DecisionStep::parse(word).ok_or_else(Problem::no_route)
}

pub(crate) fn note_of(body: &[u8]) -> Result<String, Problem> {
    let body: DecisionBody = serde_json::from_slice(body).map_err(|error| Problem::bad_request(&error.to_string()))?;
    Ok(body.note)
}

pub(crate) fn not_decided(why: &NotDecided) -> Problem {
    use axum::http::StatusCode;
    match why {
        NotDecided::Unknown { .. } => Problem::not_found("决定事项", "thing to decide"),
        NotDecided::OutOfDate { .. } => {
            let zh = "原决定已被重新判定，或当前规则包已更换；请重新列出。";
            Problem::not_taken(StatusCode::CONFLICT, "out_of_date", zh, &why.to_string())
        }
        NotDecided::Refused { refusal, .. } => {
            let status = match refusal {
                DecisionRefusal::OwnProposal { .. } | DecisionRefusal::NotTheMaker { .. } => StatusCode::FORBIDDEN,
                DecisionRefusal::State { .. } | DecisionRefusal::Changed => StatusCode::CONFLICT,
                DecisionRefusal::NoteMissing { .. } | DecisionRefusal::CardNumber => StatusCode::UNPROCESSABLE_ENTITY,
            };
            Problem::not_taken(status, refusal.code(), &refusal.zh(), &refusal.to_string())
        }
    }
}

/// Where a decision stands; one that nobody has touched is `listed`.
pub(crate) fn decision_doc(row: Option<&ApprovalRow>, actor: &Actor) -> DecisionDoc {
    let state = row.and_then(|row| DecisionState::parse(&row.state)).unwrap_or(DecisionState::Listed);
    let text = |pick: fn(&ApprovalRow) -> &String| row.map(|row| pick(row).clone()).unwrap_or_default();
    let maker = text(|row| &row.maker);
    DecisionDoc {
        state: state.to_string(),
        version: row.map_or(0, |row| row.version),
        checker: text(|row| &row.checker),
        note: text(|row| &row.note),
        updated_at: row.map(|row| actor.time(row.updated_at)).unwrap_or_default(),
        steps: steps_of(state, &maker, actor),
        maker,
    }
}

/// Steps that the state and the author allow; the rest is said when the step is taken.
pub(crate) fn steps_of(state: DecisionState, maker: &str, actor: &Actor) -> Vec<String> {
    use DecisionState as S;
    use DecisionStep as T;
    if !allow(actor.role, Action::Decide) {
        return Vec::new();
    }
    let own = maker == actor.username;
    let steps: &[T] = match state {
        S::Listed | S::Withdrawn | S::Rejected | S::Revoked => &[T::Propose],
        S::Proposed if own => &[T::Withdraw],
        S::Proposed => &[T::Approve, T::Reject],
        S::Approved => &[T::Revoke],
        S::Superseded => &[],
    };
    steps.iter().map(ToString::to_string).collect()
}

fn limit_row(one: LimitStanding, actor: &Actor) -> LimitRow {
    let mut decision = decision_doc(one.approval.as_ref(), actor);
    let may = allow(actor.role, Action::Decide);
    let propose = || vec![DecisionStep::Propose.to_string()];
    // What was said about another value can be said anew, and not approved.
    if !one.limit.waits() || !may {
        decision.steps.clear();
    } else if one.lapsed {
        decision.steps = propose();
    }
    let limit = one.limit;
    LimitRow {
        waits: limit.waits(),
        of: limit.of.as_str().to_owned(),
        title_zh: limit.title.zh,
        title_en: limit.title.en,
        automation: one.automation.to_string(),
        verified_in_pack: limit.verified_by.map(|by| VerifiedInPack {
            maker: by.maker,
            checker: by.checker,
            on: by.on,
        }),
        id: limit.id,
        value: limit.value,
        source: limit.source,
        grade: limit.grade.to_string(),
        lapsed: one.lapsed,
        cases_waiting: one.waiting,
        decision,
    }
}

pub(crate) fn step_doc(step: ApprovalStepRow, actor: &Actor) -> DecisionStepDoc {
    DecisionStepDoc {
        version: step.version,
        step: step.step,
        state: step.state,
        author: step.author,
        note: step.note,
        at: actor.time(step.at),
        entry_index: step.entry_index,
    }
}
