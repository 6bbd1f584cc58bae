//! Verdicts that would be others today: old and new outcome, money, reason, and the steps of deciding about them.

use std::collections::BTreeMap;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use onus_casework::dual_control::{DecisionState, DecisionStep};
use onus_model::Instant;
use onus_store::rejudgements::{self, RejudgementFilter, RejudgementItem, RejudgementSum};
use onus_worker::{Author, NotDecided};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::actor::Actor;
use crate::api::limits::{not_decided, steps_of, wanted_step};
use crate::api::query::{Asked, Named, given, page_request, parts_of};
use crate::language::Lang;
use crate::policy::{Action, allow};
use crate::problem::Problem;
use crate::state::ServerState;

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct RejudgementQuery {
    /// `listed`, `proposed`, `approved`, `rejected`, `withdrawn`, `superseded`
    state: Option<String>,
    /// Rule as it stands.
    old_rule: Option<String>,
    /// Rule that would decide.
    new_rule: Option<String>,
    cursor: Option<String>,
    /// At most 200.
    limit: Option<u32>,
}

/// One side of a rejudgement.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OutcomeDoc {
    /// Cause, or `none`.
    cause: String,
    outward: String,
    /// Basis points by party.
    shares: BTreeMap<String, u32>,
    loss_minor: i64,
    /// Rule, or `none`.
    rule_id: String,
}

/// A verdict that would be another today.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RejudgementDoc {
    id: String,
    payment_id: String,
    kind: String,
    agent_code: String,
    /// Revision that stands.
    from_revision: i64,
    /// `pack`, `facts`, or `gone`: newer records show that nothing is wrong.
    why: String,
    /// Facts that differ: `name: was -> is`.
    facts: Vec<String>,
    pack_id: String,
    pack_version: String,
    old: OutcomeDoc,
    new: OutcomeDoc,
    /// Money that somebody else would bear.
    moved_minor: i64,
    /// What the agent would bear more.
    agent_minor: i64,
    listed_at: String,
    state: String,
    maker: String,
    checker: String,
    note: String,
    /// Steps that this user can take now.
    steps: Vec<String>,
}

/// Rejudgements with the same state, reason and rules.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RejudgementSumDoc {
    state: String,
    why: String,
    old_rule_id: String,
    new_rule_id: String,
    cases: i64,
    moved_minor: i64,
    agent_minor: i64,
}

/// Rejudgements with the sums of all.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RejudgementPage {
    summary: Vec<RejudgementSumDoc>,
    items: Vec<RejudgementDoc>,
    next_cursor: Option<String>,
}

/// Which rejudgements a step is taken for.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RejudgementStepBody {
    ids: Vec<String>,
    /// Why.
    #[serde(default)]
    note: String,
}

/// What became of one of them.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RejudgementAnswer {
    id: String,
    /// State after the step; null when it was not taken.
    state: Option<String>,
    /// Why it was not taken.
    refused: Option<String>,
}

/// What became of each.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RejudgementAnswers {
    items: Vec<RejudgementAnswer>,
}

/// Verdicts that would be others today.
#[utoipa::path(get, path = "/rejudgements", tag = "rejudgements", params(RejudgementQuery), responses((status = 200, body = RejudgementPage)))]
pub(crate) async fn list(
    State(state): State<ServerState>,
    actor: Actor,
    Asked(query): Asked<RejudgementQuery>,
) -> Result<Json<RejudgementPage>, Problem> {
    let scope = actor.scope();
    let wanted = RejudgementFilter {
        state: given(query.state),
        old_rule: given(query.old_rule),
        new_rule: given(query.new_rule),
    };
    if let Some(word) = wanted.state.as_deref().filter(|word| DecisionState::parse(word).is_none()) {
        return Err(Problem::bad_request(&format!("state: {word:?} is no state of a decision")));
    }
    let request = page_request(query.cursor, query.limit);
    let (sums, page) = state
        .read(move |tx| Ok((rejudgements::sums(tx, &scope)?, rejudgements::list(tx, &scope, &wanted, &request)?)))
        .await?;
    let (items, next_cursor) = parts_of(page, |item| doc(item, &actor));
    Ok(Json(RejudgementPage { summary: sums.into_iter().map(sum_doc).collect(), items, next_cursor }))
}

/// Takes a step for several: propose, approve, reject or withdraw. What is approved becomes the next revision.
#[utoipa::path(
    post, path = "/rejudgements/{step}", tag = "rejudgements", params(("step" = String, Path)),
    request_body = RejudgementStepBody, responses((status = 200, body = RejudgementAnswers))
)]
pub(crate) async fn step(
    State(state): State<ServerState>,
    actor: Actor,
    Named(step): Named<String>,
    body: Bytes,
) -> Result<Json<RejudgementAnswers>, Problem> {
    const AT_ONCE: usize = 500;
    let step = wanted_step(&step)?;
    let body: RejudgementStepBody =
        serde_json::from_slice(&body).map_err(|error| Problem::bad_request(&error.to_string()))?;
    if body.ids.is_empty() || body.ids.len() > AT_ONCE {
        return Err(Problem::bad_request(&format!("ids: from 1 to {AT_ONCE} at once")));
    }
    let (who, now, shared, ids) = (actor.clone(), Instant(state.now()), state.clone(), body.ids.clone());
    let answers = state
        .write(move |tx| {
            let author = Author { tenant: &who.tenant.id, by: &who.username, note: &body.note, now };
            let key = &shared.config().signing_key;
            onus_worker::decide_rejudgements(tx, &author, key, &who.tenant, &ids, step)
        })
        .await?;
    // One alone that is refused is a problem; of several, each says what became of it.
    if let [Err(why)] = answers.as_slice() {
        return Err(not_decided(why));
    }
    let items = body.ids.into_iter().zip(answers).map(|(id, answer)| RejudgementAnswer {
        id,
        refused: answer.as_ref().err().map(|why| said(why, actor.lang)),
        state: answer.ok().map(|row| row.state),
    });
    Ok(Json(RejudgementAnswers { items: items.collect() }))
}

fn said(why: &NotDecided, lang: Lang) -> String {
    let zh = match why {
        NotDecided::Unknown { .. } => "没有这一项。".to_owned(),
        NotDecided::OutOfDate { .. } => "原决定已被重新判定，或当前规则包已更换；请重新列出。".to_owned(),
        NotDecided::Refused { refusal, .. } => refusal.zh(),
    };
    lang.pick(&zh, &why.to_string()).to_owned()
}

fn doc(item: RejudgementItem, actor: &Actor) -> RejudgementDoc {
    let RejudgementItem { row, state, maker, checker, note } = item;
    let side = |cause: String, outward: String, shares: &str, loss_minor: i64, rule_id: String| OutcomeDoc {
        cause,
        outward,
        shares: serde_json::from_str(shares).unwrap_or_default(),
        loss_minor,
        rule_id,
    };
    let decision = DecisionState::parse(&state).unwrap_or(DecisionState::Superseded);
    let mut steps = steps_of(decision, &maker, actor);
    steps.retain(|step| step != DecisionStep::Revoke.as_str());
    if decision == DecisionState::Listed && allow(actor.role, Action::Decide) {
        steps.push(DecisionStep::Reject.to_string());
    }
    RejudgementDoc {
        facts: serde_json::from_str(&row.reason).unwrap_or_default(),
        old: side(row.old_cause, row.old_outward, &row.old_shares, row.old_loss_minor, row.old_rule_id),
        new: side(row.new_cause, row.new_outward, &row.new_shares, row.new_loss_minor, row.new_rule_id),
        listed_at: actor.time(row.listed_at),
        id: row.id,
        payment_id: row.payment_id,
        kind: row.kind,
        agent_code: row.agent_code,
        from_revision: row.from_revision,
        why: row.why,
        pack_id: row.pack_id,
        pack_version: row.pack_version,
        moved_minor: row.moved_minor,
        agent_minor: row.agent_minor,
        state,
        maker,
        checker,
        note,
        steps,
    }
}

fn sum_doc(sum: RejudgementSum) -> RejudgementSumDoc {
    let RejudgementSum { state, why, old_rule_id, new_rule_id, cases, moved_minor, agent_minor } = sum;
    RejudgementSumDoc { state, why, old_rule_id, new_rule_id, cases, moved_minor, agent_minor }
}
