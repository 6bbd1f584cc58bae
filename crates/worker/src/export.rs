//! Exports as JSON lines.

use std::collections::BTreeMap;
use std::io::Write;

use onus_model::Zone;
use onus_store::{Scope, Store, StoreError};
use serde_json::{Value, json};

use crate::apply::key_of;
use crate::error::WorkerError;

/// What to export.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExportKind {
    /// Exceptions with their verdicts.
    Exceptions,
    /// Reconciliation breaks.
    Breaks,
    /// Terminals with their state.
    Terminals,
    /// Episodes that explain failures.
    Episodes,
    /// Harm that shows beside failures: more one-sided payments than normal, merchant codes that do not fit.
    Patterns,
}

/// Writes one JSON object a line; returns how many.
///
/// # Errors
/// When the store or the output fails.
pub fn export(
    store: &Store,
    scope: &Scope,
    zone: &Zone,
    kind: ExportKind,
    out: &mut dyn Write,
) -> Result<u64, WorkerError> {
    let mut lines = 0;
    let mut put = |value: Value| -> Result<(), StoreError> {
        writeln!(out, "{value}").map_err(StoreError::refuse)?;
        lines += 1;
        Ok(())
    };
    store.read(|tx| match kind {
        ExportKind::Exceptions => {
            let breaks = breaks_by_payment(tx, scope)?;
            onus_store::exceptions::for_each(tx, scope, |row, rrn| {
                let shares: Value = serde_json::from_str(&row.shares).unwrap_or_default();
                let mut line = key_fields(&row.payment_id);
                let fields = json!({
                    "id": row.payment_id, "kind": row.kind, "cause": row.cause, "status": row.status, "outward": row.outward, "shares": shares,
                    "loss_minor": row.loss_minor, "rule": row.rule_id, "episode": row.episode_id, "rrn": rrn,
                    "breaks": breaks.get(&row.payment_id).cloned().unwrap_or_default(), "verdict_sha256": row.verdict_sha256,
                });
                merge(&mut line, fields);
                put(line)
            })
        }
        ExportKind::Breaks => onus_store::breaks::for_each(tx, scope, |row| {
            let mut line = key_fields(&row.payment_id);
            let fields = json!({
                "id": row.payment_id, "class": row.class, "coarse": row.coarse, "expected": row.expected, "found": row.found,
                "difference_minor": row.difference_minor, "first_party": row.first_party,
            });
            merge(&mut line, fields);
            put(line)
        }),
        ExportKind::Terminals => onus_store::registry::for_each_terminal(tx, scope, |row| {
            let reasons: Value = serde_json::from_str(&row.state_reason).unwrap_or_default();
            let since = row.state_since.map(|at| zone.format(onus_model::Instant(at)));
            put(json!({"serial": row.serial, "tid": row.tid, "agent": row.agent_code, "state": row.state, "since": since, "reason": reasons}))
        }),
        ExportKind::Episodes | ExportKind::Patterns => {
            for row in onus_store::episodes::list(tx, scope)? {
                let format = |at: i64| zone.format(onus_model::Instant(at));
                let episode_scope: Value = serde_json::from_str(&row.scope).unwrap_or_default();
                let body: Value = serde_json::from_str(&row.body).unwrap_or_default();
                if (body["pattern"] == true) != (kind == ExportKind::Patterns) {
                    continue;
                }
                put(json!({
                    "state": body["state"], "steps": body["steps"], "twentieth_failure": body["twentieth_at"],
                    "opened": body["steps"][0]["at"], "cut": body["cut"], "unproven": body["unproven"],
                    "id": row.id, "start": format(row.started_at), "end": row.ended_at.map(format), "scope": episode_scope, "cause": row.cause,
                    "status": row.status, "benign": row.benign != 0, "payments": row.payments, "amount_minor": row.amount_minor, "title": row.title_en,
                }))?;
            }
            Ok(())
        }
    })?;
    Ok(lines)
}

fn breaks_by_payment(tx: &mut onus_store::Tx<'_>, scope: &Scope) -> Result<BTreeMap<String, Vec<String>>, StoreError> {
    let mut breaks: BTreeMap<String, Vec<String>> = BTreeMap::new();
    onus_store::breaks::for_each(tx, scope, |row| {
        breaks.entry(row.payment_id).or_default().push(row.coarse);
        Ok(())
    })?;
    Ok(breaks)
}

/// The parts of a payment's key, as files write them.
fn key_fields(payment_id: &str) -> Value {
    let Some(key) = key_of(payment_id) else { return json!({}) };
    json!({
        "date": key.date.to_string(), "tid": key.tid.as_str(), "batch": format!("{:06}", key.batch),
        "stan": key.stan.map(|stan| format!("{stan:06}")).unwrap_or_default(),
    })
}

fn merge(line: &mut Value, fields: Value) {
    if let (Some(line), Value::Object(fields)) = (line.as_object_mut(), fields) {
        line.extend(fields);
    }
}
