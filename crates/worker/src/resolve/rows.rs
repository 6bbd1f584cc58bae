//! Resolutions as the store and the evidence log have them.

use onus_casework::resolution::{BreakId, Proposal, Resolution, ResolutionAction, ResolutionState, Sides, StepKind};
use onus_model::{Instant, Party, Zone};
use onus_store::StoreError;
use onus_store::resolutions::{ResolutionRow, StepRow};
use serde_json::{Value, json};

pub(super) fn damaged(row: &ResolutionRow, what: &str) -> StoreError {
    let detail = format!("{} {}: unknown {what}; the store was written by a newer program", row.payment_id, row.class);
    StoreError::Damaged { what: "resolution", detail }
}

pub(super) fn resolution_of(row: &ResolutionRow) -> Result<Resolution, StoreError> {
    let proposal = Proposal {
        action: ResolutionAction::parse(&row.action).ok_or_else(|| damaged(row, "action"))?,
        amount_minor: row.amount_minor,
        party: match row.party.as_str() {
            "" => None,
            party => Some(Party::parse(party).ok_or_else(|| damaged(row, "party"))?),
        },
        documents: row.documents.clone(),
        note: row.note.clone(),
    };
    Ok(Resolution {
        state: ResolutionState::parse(&row.state).ok_or_else(|| damaged(row, "state"))?,
        version: row.version,
        proposal: Some(proposal),
        sides: Sides {
            expected: row.expected.clone(),
            found: row.found.clone(),
            difference_minor: row.difference_minor,
        },
        maker: row.maker.clone(),
        checker: row.checker.clone(),
        reference: row.reference.clone(),
    })
}

pub(super) fn row_of(id: &BreakId, resolution: &Resolution, now: Instant) -> ResolutionRow {
    let mut row = ResolutionRow {
        payment_id: id.payment.clone(),
        class: id.class.to_string(),
        state: resolution.state.to_string(),
        version: resolution.version,
        reference: resolution.reference.clone(),
        maker: resolution.maker.clone(),
        checker: resolution.checker.clone(),
        expected: resolution.sides.expected.clone(),
        found: resolution.sides.found.clone(),
        difference_minor: resolution.sides.difference_minor,
        updated_at: now.0,
        ..ResolutionRow::default()
    };
    if let Some(proposal) = &resolution.proposal {
        row.action = proposal.action.to_string();
        row.amount_minor = proposal.amount_minor;
        row.party = proposal.party.map(|party| party.to_string()).unwrap_or_default();
        row.documents.clone_from(&proposal.documents);
        row.note.clone_from(&proposal.note);
    }
    row
}

/// The step that led to a row; its entry is not known yet.
pub(super) fn step_row(row: &ResolutionRow, step: StepKind, author: &str, note: &str) -> StepRow {
    StepRow {
        payment_id: row.payment_id.clone(),
        class: row.class.clone(),
        version: row.version,
        step: step.to_string(),
        state: row.state.clone(),
        author: author.to_owned(),
        at: row.updated_at,
        action: row.action.clone(),
        amount_minor: row.amount_minor,
        party: row.party.clone(),
        documents: row.documents.clone(),
        note: note.to_owned(),
        reference: row.reference.clone(),
        expected: row.expected.clone(),
        found: row.found.clone(),
        difference_minor: row.difference_minor,
        entry_index: 0,
    }
}

/// What the evidence log says of a step, the pack aside.
pub(super) fn entry_body(step: &StepRow) -> Result<Value, StoreError> {
    let utc = Zone::named("UTC").map_err(StoreError::refuse)?;
    Ok(json!({
        "type": "resolution", "payment": step.payment_id, "class": step.class, "version": step.version,
        "step": step.step, "state": step.state, "author": step.author, "at": utc.format(Instant(step.at)),
        "action": step.action, "amount_minor": step.amount_minor, "party": step.party, "documents": step.documents,
        "note": step.note, "reference": step.reference,
        "facts": {"expected": step.expected, "found": step.found, "difference_minor": step.difference_minor},
    }))
}
