//! What was booked, proven or audited stays.

use onus_store::Failure;

use crate::Db;
use crate::fixture;

pub(crate) fn rows_are_never_changed_or_deleted(db: &Db) {
    fixture::fill(db);
    for (table, change) in [
        ("ledger_lines", "amount_minor = amount_minor + 1"),
        ("log_entries", "idx = idx + 100"),
        ("checkpoints", "note = 'forged'"),
        ("audit", "actor = 'nobody'"),
    ] {
        let mut statements = vec![format!("update {table} set {change}"), format!("delete from {table}")];
        if db.location.starts_with("postgres") {
            statements.push(format!("truncate {table}"));
        } else {
            statements.push(format!("insert or replace into {table} select * from {table}"));
        }
        for sql in statements {
            let error = db.store.write(|tx| tx.execute(&sql, &[])).unwrap_err();
            assert_eq!(error.failure(), Some(Failure::AppendOnly), "{error}");
        }
    }
}
