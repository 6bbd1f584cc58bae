//! Whether the tables of resolutions say what the evidence log says.

use std::collections::BTreeMap;

use onus_store::resolutions::{self, ResolutionRow, StepRow};
use onus_store::{Scope, Store, StoreError};
use serde_json::Value;

use super::rows::entry_body;

/// Steps as the log has them: break and version with the entry.
#[derive(Debug, Default)]
pub(crate) struct Logged(BTreeMap<(String, String, i64), (i64, Value)>);

impl Logged {
    /// Notes an entry, if it is a step.
    pub(crate) fn note(&mut self, index: i64, body: &[u8]) {
        // Most entries are verdicts: look before reading.
        const MARK: &[u8] = br#""type":"resolution""#;
        if !body.windows(MARK.len()).any(|part| part == MARK) {
            return;
        }
        let Ok(mut body) = serde_json::from_slice::<Value>(body) else { return };
        if body["type"] != "resolution" {
            return;
        }
        if let Some(object) = body.as_object_mut() {
            object.remove("pack");
        }
        let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
        let key = (text("payment"), text("class"), body["version"].as_i64().unwrap_or_default());
        self.0.insert(key, (index, body));
    }
}

/// Steps and resolutions that the log does not bear out, and logged steps that are missing.
pub(crate) fn faults(store: &Store, scope: &Scope, mut logged: Logged) -> Result<Vec<String>, StoreError> {
    let mut faults = Vec::new();
    let mut last: BTreeMap<(String, String), StepRow> = BTreeMap::new();
    store.read(|tx| {
        resolutions::for_each_step(tx, scope, |step| {
            let body = entry_body(&step)?;
            let entry = logged.0.remove(&(step.payment_id.clone(), step.class.clone(), step.version));
            if entry != Some((step.entry_index, body)) {
                let StepRow { payment_id, class, version, entry_index, .. } = &step;
                faults.push(format!(
                    "step {version} of break {payment_id}.{class} is not what evidence entry {entry_index} says"
                ));
            }
            last.insert((step.payment_id.clone(), step.class.clone()), step);
            Ok(())
        })?;
        resolutions::for_each(tx, scope, |row| {
            let step = last.remove(&(row.payment_id.clone(), row.class.clone()));
            if step.is_none_or(|step| !is_after(&row, &step)) {
                let ResolutionRow { payment_id, class, .. } = &row;
                faults.push(format!("the resolution of break {payment_id}.{class} is not what its last step says"));
            }
            Ok(())
        })
    })?;
    let missing = logged.0.into_iter().map(|((payment, class, version), (index, _))| {
        format!("step {version} of break {payment}.{class} of evidence entry {index} is missing from the table")
    });
    faults.extend(missing);
    let orphans =
        last.into_keys().map(|(payment, class)| format!("the resolution of break {payment}.{class} is missing"));
    faults.extend(orphans);
    Ok(faults)
}

/// Whether a resolution stands where its last step led. Maker, checker and note are those of earlier steps.
fn is_after(row: &ResolutionRow, step: &StepRow) -> bool {
    (&row.state, row.version, &row.action, row.amount_minor, &row.party, &row.documents)
        == (&step.state, step.version, &step.action, step.amount_minor, &step.party, &step.documents)
        && (&row.reference, &row.expected, &row.found, row.difference_minor, row.updated_at)
            == (&step.reference, &step.expected, &step.found, step.difference_minor, step.at)
}
