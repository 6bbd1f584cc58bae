//! One payment: its four legs side by side, and the decisions on it.

use axum::Json;
use axum::extract::State;
use onus_intake::{FileKind, describe_row};
use onus_store::payments::{self, PaymentDetail as Stored};
use onus_store::{Scope, StoreError, Tx, files, log};
use serde::Serialize;
use utoipa::ToSchema;

use crate::actor::Actor;
use crate::api::breaks::BreakRow;
use crate::api::exception_detail::{ExceptionDetail, Parts, exception_detail};
use crate::api::payments::{PaymentRow, payment_row};
use crate::api::query::Named;
use crate::legs::{Leg, legs};
use crate::problem::Problem;
use crate::proofs::{self, Head};
use crate::state::ServerState;
use crate::verdict_body::VerdictBody;

/// A payment with the names behind its codes.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PaymentHead {
    #[serde(flatten)]
    row: PaymentRow,
    issuer_name: String,
    agent_name: String,
    app_version: String,
}

/// A payment with all that is known of it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PaymentDetail {
    payment: PaymentHead,
    /// Journal, switch, clearing and payout, also when a leg is not there.
    legs: Vec<Leg>,
    exceptions: Vec<ExceptionDetail>,
    breaks: Vec<BreakRow>,
}

/// One payment.
#[utoipa::path(get, path = "/payments/{id}", tag = "payments", params(("id" = String, Path)), responses((status = 200, body = PaymentDetail)))]
pub(crate) async fn read(
    State(state): State<ServerState>,
    actor: Actor,
    Named(id): Named<String>,
) -> Result<Json<PaymentDetail>, Problem> {
    let detail = state
        .blocking(move |state| {
            let scope = actor.scope();
            let found = state.store().read(|tx| {
                let Some(stored) = payments::by_id(tx, &scope, &id, state.now())? else {
                    return Ok(None);
                };
                let head = proofs::head(tx, &scope)?;
                let parts = decisions(tx, &scope, state, &stored, head.as_ref())?;
                let bins = files_of_bins(tx, &scope)?;
                Ok(Some((stored, head, parts, bins)))
            })?;
            let Some((stored, head, parts, bins)) = found else {
                return Ok(None);
            };
            let legs = legs(state.vault(), &stored, &actor)?;
            let issuer_name = issuer_name(state, &stored.item.payment.issuer, &bins)?;
            Ok(Some(detail(stored, parts, head.as_ref(), legs, issuer_name, &actor)))
        })
        .await?;
    detail.map(Json).ok_or_else(|| Problem::not_found("支付交易", "payment"))
}

fn detail(
    stored: Stored,
    parts: Vec<Parts>,
    head: Option<&Head>,
    legs: Vec<Leg>,
    issuer_name: String,
    actor: &Actor,
) -> PaymentDetail {
    PaymentDetail {
        exceptions: parts.into_iter().map(|it| exception_detail(it, head, actor)).collect(),
        legs,
        breaks: stored.breaks.into_iter().map(BreakRow::from).collect(),
        payment: PaymentHead {
            row: payment_row(stored.item, actor),
            issuer_name,
            agent_name: stored.agent_name.unwrap_or_default(),
            app_version: stored.app_version.unwrap_or_default(),
        },
    }
}

fn decisions(
    tx: &mut Tx<'_>,
    scope: &Scope,
    state: &ServerState,
    stored: &Stored,
    head: Option<&Head>,
) -> Result<Vec<Parts>, StoreError> {
    let mut all = Vec::new();
    for item in &stored.item.exceptions {
        let exception = item.exception.clone();
        let (mut body, mut proven) = (VerdictBody::default(), None);
        if let Some(entry) = log::entry(tx, scope, exception.entry_index)? {
            body = VerdictBody::read(entry.idx, &entry.body);
            proven = Some(state.proofs().prove(tx, scope, &entry, head, state.key())?);
        }
        let case = stored.cases.iter().find(|it| Some(&it.case.id) == item.case_id.as_ref()).cloned();
        let of_case = |id: &str| {
            let prefix = format!("{id}.");
            stored.ledger.iter().filter(|line| line.journal_id.starts_with(&prefix)).cloned().collect()
        };
        all.push(Parts {
            ledger: item.case_id.as_deref().map(of_case).unwrap_or_default(),
            episode: stored.episodes.iter().find(|it| it.id == exception.episode_id).cloned(),
            exception,
            body,
            proven,
            case,
        });
    }
    Ok(all)
}

/// Where the sealed tables of card number ranges are, latest first. They name no agent, so anybody may look up a name.
fn files_of_bins(tx: &mut Tx<'_>, scope: &Scope) -> Result<Vec<String>, StoreError> {
    let tables = files::list(tx, &Scope::all(&scope.tenant))?;
    Ok(tables.into_iter().rev().filter(|it| it.kind == FileKind::BinTable.as_str()).map(|it| it.sealed_path).collect())
}

/// Name of an issuer in the tables of card number ranges; its code when they do not have it.
fn issuer_name(state: &ServerState, code: &str, tables: &[String]) -> Result<String, StoreError> {
    const TABLE_MAX: u64 = 4 << 20;
    for path in tables {
        let mut reader = state.vault().reader(path)?;
        let len = u32::try_from(reader.size().min(TABLE_MAX)).unwrap_or(u32::MAX);
        let content = reader.read_at(0, len)?;
        let mut lines = content.split(|byte| *byte == b'\n');
        let header = lines.next().unwrap_or_default();
        // Most lines are of other issuers: look for the code before reading columns.
        for line in
            lines.filter(|line| !code.is_empty() && line.windows(code.len()).any(|part| part == code.as_bytes()))
        {
            let row = describe_row(FileKind::BinTable, header, line);
            let value = |name: &str| row.iter().find(|it| it.name == name).map(|it| it.value.as_str());
            if let (Some(found), Some(name)) = (value("issuer_code"), value("issuer_name"))
                && found == code
            {
                return Ok(name.to_owned());
            }
        }
    }
    Ok(code.to_owned())
}
