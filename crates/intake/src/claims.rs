//! Claims of merchants and cardholders, one JSON object a line.

use onus_casework::notices::Claim;
use onus_model::{Date, Instant, Span, TerminalId};
use serde::Deserialize;

use crate::row::{Row, RowError};

#[derive(Deserialize)]
struct ClaimLine {
    claim_id: String,
    received_at: String,
    claimant: String,
    tid: Option<String>,
    date: Option<String>,
    #[serde(default)]
    amount_fen: i64,
    stan: Option<String>,
    #[serde(default)]
    text: String,
}

/// Reads one line.
pub(crate) fn row(line: &[u8], span: Span) -> Result<Row, RowError> {
    let claim: ClaimLine = serde_json::from_slice(line).map_err(|error| RowError {
        field: "line".to_owned(),
        code: "value",
        detail: format!("expected one JSON object of a claim: {error}"),
    })?;
    Ok(Row::Claim(Claim {
        received_at: Instant::parse(&claim.received_at)
            .map_err(|_| RowError::value("received_at", "a time with offset", claim.received_at.as_bytes()))?,
        tid: claim.tid.and_then(|tid| TerminalId::new(tid.as_bytes()).ok()),
        date: claim.date.and_then(|date| Date::parse(date.as_bytes()).ok()),
        stan: claim.stan.and_then(|stan| stan.parse().ok()),
        claim_id: claim.claim_id,
        claimant: claim.claimant,
        amount_minor: claim.amount_fen,
        pan: None,
        text: claim.text,
        span,
    }))
}
