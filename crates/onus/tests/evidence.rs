//! Whoever changes what was decided is found by `onus verify`, with the place.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may")]

mod installation;

use installation::Installation;
use rusqlite::params;

/// Changes one byte of a column of a log entry, past the triggers that forbid it.
fn flip_byte(store: &Installation, column: &str, index: i64, at: usize) {
    let db = store.open();
    let refused = db.execute("update log_entries set body = body where idx = ?1", params![index]);
    assert!(refused.unwrap_err().to_string().contains("append-only"), "the log can be changed without a trace");
    let mut bytes: Vec<u8> = db
        .query_row(&format!("select {column} from log_entries where idx = ?1"), params![index], |row| row.get(0))
        .unwrap();
    bytes[at] ^= 1;
    db.execute_batch("drop trigger log_entries_no_update").unwrap();
    assert_eq!(
        db.execute(&format!("update log_entries set {column} = ?2 where idx = ?1"), params![index, bytes]).unwrap(),
        1
    );
}

/// What `onus verify` says of a store that was tampered with.
fn findings(store: &Installation) -> String {
    let json = store.onus(&["verify", "--format", "json"]).expect_code(3).json();
    assert_eq!(json["sound"], false);
    let table = store.onus(&["verify"]).expect_code(3).out;
    assert!(table.contains("FAULT") && table.contains("the evidence is NOT sound"), "{table}");
    format!("{} {} {}", json["log_faults"], json["table_faults"], json["ledger_faults"])
}

#[test]
fn an_untouched_store_is_sound() {
    let store = Installation::with_demo_day();
    let report = store.onus(&["verify", "--format", "json"]).expect_code(0).json();
    assert_eq!(report["sound"], true);
    assert!(report["entries"].as_u64().unwrap() >= 3000, "{report}");
    assert!(report["checkpoints"].as_u64().unwrap() >= 1, "{report}");
}

#[test]
fn a_flipped_byte_in_a_body_is_named() {
    for index in [0, 17, 3000] {
        let store = Installation::with_demo_day();
        flip_byte(&store, "body", index, 40);
        let found = findings(&store);
        assert!(found.contains(&format!("entry {index}: its body was altered")), "{found}");
    }
}

#[test]
fn a_flipped_byte_in_a_leaf_hash_is_named() {
    let store = Installation::with_demo_day();
    flip_byte(&store, "leaf_hash", 1234, 5);
    let found = findings(&store);
    assert!(found.contains("entry 1234: its stored leaf hash was altered"), "{found}");
}

#[test]
fn an_entry_changed_together_with_its_hash_breaks_the_signed_root() {
    let store = Installation::with_demo_day();
    let db = store.open();
    db.execute_batch("drop trigger log_entries_no_update; update log_entries set body = o.body, leaf_hash = o.leaf_hash from log_entries o where log_entries.idx = 5 and o.idx = 6").unwrap();
    drop(db);
    let found = findings(&store);
    assert!(found.contains("do not lead to the root"), "{found}");
}

#[test]
fn removed_entries_are_missed() {
    for (which, wanted) in [("idx = 99", "99"), ("idx >= (select max(idx) from log_entries)", "gone")] {
        let store = Installation::with_demo_day();
        store
            .open()
            .execute_batch(&format!("drop trigger log_entries_no_delete; delete from log_entries where {which}"))
            .unwrap();
        let found = findings(&store);
        assert!(found.contains(wanted), "{found}");
    }
}

#[test]
fn a_verdict_changed_in_the_table_is_named() {
    let changes = [
        "cause = 'MERCH.OPS'",
        "outward = 'agent'",
        "loss_minor = loss_minor + 1",
        "shares = '{\"agent\":10000}'",
        "verdict_sha256 = replace(verdict_sha256, substr(verdict_sha256, 1, 1), 'z')",
    ];
    for change in changes {
        let store = Installation::with_demo_day();
        let db = store.open();
        let (payment, kind): (String, String) = db
            .query_row("select payment_id, kind from exceptions where kind = 'K6' limit 1", [], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })
            .unwrap();
        db.execute(
            &format!("update exceptions set {change} where payment_id = ?1 and kind = ?2"),
            params![payment, kind],
        )
        .unwrap();
        drop(db);
        let found = findings(&store);
        assert!(found.contains(&format!("verdict {payment} {kind} ")), "{change}: {found}");
    }
}

#[test]
fn a_verdict_deleted_from_the_table_is_found() {
    let store = Installation::with_demo_day();
    let db = store.open();
    let (payment, kind): (String, String) = db
        .query_row("select payment_id, kind from exceptions where kind = 'K6' limit 1", [], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .unwrap();
    db.execute("delete from exceptions where payment_id = ?1 and kind = ?2", params![payment, kind]).unwrap();
    drop(db);
    let found = findings(&store);
    assert!(found.contains(&payment), "{found}");
}

#[test]
fn a_changed_ledger_line_is_found() {
    let store = Installation::with_demo_day();
    let db = store.open();
    let journal: String = db.query_row("select journal_id from ledger_lines limit 1", [], |row| row.get(0)).unwrap();
    db.execute_batch("drop trigger ledger_lines_no_update").unwrap();
    db.execute(
        "update ledger_lines set amount_minor = amount_minor + 1 where journal_id = ?1 and line = 1",
        params![journal],
    )
    .unwrap();
    drop(db);
    let found = findings(&store);
    assert!(found.contains(&journal), "{found}");
}

#[test]
fn another_key_does_not_verify() {
    let store = Installation::with_demo_day();
    let other = Installation::empty();
    other.onus(&["verify"]).expect_code(0);
    std::fs::copy(other.path().join(installation::KEY_FILE), store.path().join(installation::KEY_FILE)).unwrap();
    let found = findings(&store);
    assert!(found.contains("checkpoint at"), "{found}");
}
