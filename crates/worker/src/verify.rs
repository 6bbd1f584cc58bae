//! Checks the evidence log of a store without any server: entries against leaf hashes, leaf hashes against signed
//! checkpoints, and the verdict table against the entries.

use std::collections::BTreeMap;

use onus_evidence::{Fault, LogVerifier, VerifyingKey};
use onus_store::{Scope, Store};
use serde::Deserialize;

use crate::error::WorkerError;

/// What checking came to.
#[derive(Debug, Default)]
pub struct VerifyReport {
    /// Entries read.
    pub entries: u64,
    /// Checkpoints whose signature and root hold.
    pub checkpoints: u64,
    /// What is wrong with the log, each naming its entries.
    pub log_faults: Vec<String>,
    /// Verdicts and resolutions of the tables that their entry does not bear out, by payment and kind or class.
    pub table_faults: Vec<String>,
    /// Ledger journals whose lines do not sum to zero.
    pub ledger_faults: Vec<String>,
}

impl VerifyReport {
    /// Nothing is wrong.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.log_faults.is_empty() && self.table_faults.is_empty() && self.ledger_faults.is_empty()
    }
}

/// Checks everything.
///
/// # Errors
/// When the store cannot be read; what is wrong with the evidence is in the report.
pub fn verify(store: &Store, tenant: &str, key: &VerifyingKey) -> Result<VerifyReport, WorkerError> {
    let scope = Scope::all(tenant);
    let mut report = VerifyReport::default();
    let checkpoints = store.read(|tx| onus_store::log::checkpoints(tx, &scope))?;
    let heads: Vec<_> = checkpoints
        .iter()
        .map(|head| (u64::try_from(head.size).unwrap_or_default(), head.root.clone(), head.note.clone()))
        .collect();
    let mut verifier = LogVerifier::new(&heads, key);
    let mut standing = BTreeMap::new();
    let mut steps = crate::resolve::Logged::default();
    let mut decisions = crate::approval::Logged::default();
    store.read(|tx| {
        onus_store::log::for_each(tx, &scope, |row| {
            verifier.entry(u64::try_from(row.idx).unwrap_or(u64::MAX), &row.leaf_hash, &row.body);
            note_standing(&mut standing, row.idx, &row.body);
            steps.note(row.idx, &row.body);
            decisions.note(row.idx, &row.body);
            Ok(())
        })
    })?;
    let log = verifier.finish();
    report.entries = log.entries;
    report.checkpoints = log.checkpoints_verified;
    report.log_faults = log.faults.iter().map(Fault::to_string).collect();
    if log.entries > log.covered {
        report.log_faults.push(format!("entries {} to {} stand under no signed checkpoint", log.covered, log.entries));
    }
    report.table_faults = table_faults(store, &scope, standing)?;
    report.table_faults.extend(crate::resolve::faults(store, &scope, steps)?);
    report.table_faults.extend(store.read(|tx| decisions.faults(tx, &scope))?);
    report.ledger_faults = store.read(|tx| onus_store::ledger::unbalanced(tx, tenant))?;
    Ok(report)
}

/// Verdicts that stand by the log: payment and kind with the entry of the latest verdict.
type Standing = BTreeMap<(String, String), i64>;

/// What an entry needs to be known by.
#[derive(Deserialize)]
struct EntryHead<'b> {
    #[serde(rename = "type")]
    what: &'b str,
    payment: &'b str,
    kind: &'b str,
}

/// Follows the log: a verdict stands until a later entry replaces it or takes it back.
fn note_standing(standing: &mut Standing, index: i64, body: &[u8]) {
    // An entry that does not read is a fault of the log, reported as such; one without a kind is about no verdict.
    let Ok(head) = serde_json::from_slice::<EntryHead<'_>>(body) else { return };
    let key = (head.payment.to_owned(), head.kind.to_owned());
    if head.what == "verdict" {
        standing.insert(key, index);
    } else {
        standing.remove(&key);
    }
}

fn table_faults(store: &Store, scope: &Scope, mut standing: Standing) -> Result<Vec<String>, WorkerError> {
    let mut faults = Vec::new();
    store.read(|tx| {
        tx.for_each(
            "select e.payment_id, e.kind, e.cause, e.outward, e.loss_minor, e.verdict_sha256, e.entry_index, l.body, e.shares \
             from exceptions e left join log_entries l on l.tenant = e.tenant and l.idx = e.entry_index where e.tenant = $1",
            &[onus_store::Value::from(scope.tenant.as_str())],
            |row| {
                let body: serde_json::Value = row.opt_blob(7)?.and_then(|body| serde_json::from_slice(body).ok()).unwrap_or_default();
                let text = |name: &str| body.get(name).and_then(serde_json::Value::as_str).unwrap_or("none");
                let shares: serde_json::Value = serde_json::from_str(row.text(8)?).unwrap_or_default();
                let entry = standing.remove(&(row.text(0)?.to_owned(), row.text(1)?.to_owned()));
                let same = entry == Some(row.int(6)?)
                    && text("payment") == row.text(0)?
                    && text("kind") == row.text(1)?
                    && text("cause") == row.text(2)?
                    && text("outward") == row.text(3)?
                    && body.get("loss_minor").and_then(serde_json::Value::as_i64) == Some(row.int(4)?)
                    && text("verdict_sha256") == row.text(5)?
                    && body.get("shares") == Some(&shares);
                if !same {
                    faults.push(format!("verdict {} {} is not what evidence entry {} says", row.text(0)?, row.text(1)?, row.int(6)?));
                }
                Ok(())
            },
        )
    })?;
    let missing = standing.into_iter().map(|((payment, kind), index)| {
        format!("verdict {payment} {kind} of evidence entry {index} is missing from the table")
    });
    faults.extend(missing);
    Ok(faults)
}
