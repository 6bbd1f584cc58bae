//! Steps of decisions that two people take: each with its evidence entry.

use onus_casework::dual_control::{Decision, DecisionRefusal, DecisionState, DecisionStep, Subject, decide};
use onus_model::Instant;
use onus_store::approvals::{self, ApprovalRow, ApprovalStepRow};
use onus_store::{Scope, StoreError, Tx};
use serde_json::{Value, json};

use crate::resolve::append;

/// Why a step was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotDecided {
    /// No such thing.
    #[error("there is no {subject} {id}")]
    Unknown {
        /// What was asked for.
        subject: Subject,
        /// Its id.
        id: String,
    },
    /// The verdict was judged again meanwhile, or its pack is no longer in force.
    #[error("{id} is out of date: {detail}; list what would change anew")]
    OutOfDate {
        /// Its id.
        id: String,
        /// What changed.
        detail: &'static str,
    },
    /// The rules do not allow it.
    #[error("{id}: {refusal}")]
    Refused {
        /// Its id.
        id: String,
        /// Why.
        refusal: DecisionRefusal,
    },
}

/// Who takes a step, and when.
#[derive(Debug, Clone, Copy)]
pub struct Author<'a> {
    /// Tenant.
    pub tenant: &'a str,
    /// User.
    pub by: &'a str,
    /// What the user says.
    pub note: &'a str,
    /// Now.
    pub now: Instant,
}

/// What is decided about.
pub(crate) struct About<'a> {
    pub(crate) subject: Subject,
    pub(crate) id: &'a str,
    /// Hash of what it says.
    pub(crate) content_sha256: &'a str,
    /// What it says, for the evidence entry.
    pub(crate) content: Value,
}

/// Takes a step and logs it. The caller signs the log.
pub(crate) fn take(
    tx: &mut Tx<'_>,
    author: &Author<'_>,
    about: &About<'_>,
    step: DecisionStep,
) -> Result<Result<ApprovalRow, NotDecided>, StoreError> {
    let scope = Scope::all(author.tenant);
    let known = approvals::by_id(tx, &scope, about.subject.as_str(), about.id)?;
    let before = known.as_ref().map_or_else(|| Ok(Decision::listed()), decision_of)?;
    let after = match decide(about.subject, &before, step, author.by, author.note, about.content_sha256) {
        Ok(after) => after,
        Err(refusal) => return Ok(Err(NotDecided::Refused { id: about.id.to_owned(), refusal })),
    };
    let row = ApprovalRow {
        subject: about.subject.to_string(),
        id: about.id.to_owned(),
        state: after.state.to_string(),
        version: after.version,
        content_sha256: after.content_sha256,
        maker: after.maker,
        checker: after.checker,
        note: author.note.to_owned(),
        updated_at: author.now.0,
    };
    let mut taken = ApprovalStepRow {
        subject: row.subject.clone(),
        id: row.id.clone(),
        version: row.version,
        step: step.to_string(),
        state: row.state.clone(),
        content_sha256: row.content_sha256.clone(),
        author: author.by.to_owned(),
        note: author.note.to_owned(),
        at: author.now.0,
        entry_index: 0,
    };
    let mut body = step_body(&taken);
    body["content"] = about.content.clone();
    taken.entry_index = append(tx, author.tenant, &body)?;
    approvals::put(tx, author.tenant, &row, &taken)?;
    Ok(Ok(row))
}

fn decision_of(row: &ApprovalRow) -> Result<Decision, StoreError> {
    let state = DecisionState::parse(&row.state).ok_or_else(|| StoreError::Damaged {
        what: "decision",
        detail: format!("{} {}: unknown state {}", row.subject, row.id, row.state),
    })?;
    Ok(Decision {
        state,
        version: row.version,
        maker: row.maker.clone(),
        checker: row.checker.clone(),
        content_sha256: row.content_sha256.clone(),
    })
}

/// What the evidence entry of a step says, but for the content.
fn step_body(step: &ApprovalStepRow) -> Value {
    json!({
        "type": "decision", "subject": step.subject, "id": step.id, "version": step.version, "step": step.step,
        "state": step.state, "author": step.author, "note": step.note, "at_us": step.at,
        "content_sha256": step.content_sha256,
    })
}

/// Steps as the log has them, by subject, id and version.
#[derive(Debug, Default)]
pub(crate) struct Logged(std::collections::BTreeMap<(String, String, i64), (i64, Value)>);

impl Logged {
    /// Notes an entry, if it is a step of a decision.
    pub(crate) fn note(&mut self, index: i64, body: &[u8]) {
        // Most entries are verdicts: look before reading.
        const MARK: &[u8] = br#""type":"decision""#;
        if !body.windows(MARK.len()).any(|part| part == MARK) {
            return;
        }
        let Ok(mut body) = serde_json::from_slice::<Value>(body) else { return };
        if body["type"] != "decision" {
            return;
        }
        if let Some(object) = body.as_object_mut() {
            object.remove("content");
        }
        let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
        let key = (text("subject"), text("id"), body["version"].as_i64().unwrap_or_default());
        self.0.insert(key, (index, body));
    }

    /// Steps that the log does not bear out, decisions that are not where their last step led, and missing steps.
    pub(crate) fn faults(mut self, tx: &mut Tx<'_>, scope: &Scope) -> Result<Vec<String>, StoreError> {
        let mut faults = Vec::new();
        let mut last = std::collections::BTreeMap::new();
        approvals::for_each_step(tx, scope, |step| {
            let entry = self.0.remove(&(step.subject.clone(), step.id.clone(), step.version));
            if entry != Some((step.entry_index, step_body(&step))) {
                let ApprovalStepRow { subject, id, version, entry_index, .. } = &step;
                faults.push(format!("step {version} of {subject} {id} is not what evidence entry {entry_index} says"));
            }
            last.insert((step.subject.clone(), step.id.clone()), step);
            Ok(())
        })?;
        for subject in Subject::ALL {
            for row in approvals::of_subject(tx, scope, subject.as_str())?.into_iter().filter(|row| row.version > 0) {
                let step = last.remove(&(row.subject.clone(), row.id.clone()));
                let superseded = row.state == DecisionState::Superseded.as_str();
                let same = step.is_some_and(|step| {
                    step.version == row.version
                        && step.content_sha256 == row.content_sha256
                        && (superseded || step.state == row.state)
                });
                if !same {
                    faults.push(format!("{} {} is not where its last step led", row.subject, row.id));
                }
            }
        }
        faults.extend(last.into_keys().map(|(subject, id)| format!("{subject} {id} is missing from the decisions")));
        faults.extend(self.0.into_iter().map(|((subject, id, version), (index, _))| {
            format!("step {version} of {subject} {id} of evidence entry {index} is missing from the table")
        }));
        Ok(faults)
    }
}
