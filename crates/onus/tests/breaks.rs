//! Breaks resolved from the command line, and resolved breaks left out of a reconciliation of files.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may")]

mod installation;

use std::fs;
use std::process::Command;

use installation::{Installation, Run};

/// Adds users who may resolve breaks, and one who may not.
fn add_users(store: &Installation) {
    for (name, role) in [("ann", "operator"), ("bob", "administrator"), ("rex", "reviewer")] {
        let status = installation::command()
            .args(["user", name, "--role", role, "--store", store.path().to_str().unwrap()])
            .env("ONUS_PASSWORD", "correct horse")
            .output()
            .unwrap();
        assert!(status.status.success(), "{}", String::from_utf8_lossy(&status.stderr));
    }
}

fn step(store: &Installation, step: &str, id: &str, user: &str, more: &[&str]) -> Run {
    store.onus(&[&["breaks", step, id, "--user", user][..], more].concat())
}

#[test]
fn two_users_resolve_a_break_and_it_stays_resolved() {
    let store = Installation::with_demo_day();
    add_users(&store);
    let listed = store.onus(&["breaks", "list", "--state", "open", "--format", "jsonl"]).expect_code(0).lines();
    let first = &listed[0];
    let id = first["id"].as_str().unwrap();
    let propose = ["--action", "explained", "--note", "known to the acquirer"];
    for (user, expected) in [("eve", "has no user eve"), ("rex", "may not resolve breaks")] {
        let run = step(&store, "propose", id, user, &propose).expect_code(1);
        assert!(run.err.contains(expected), "{}", run.err);
    }
    step(&store, "propose", id, "ann", &propose).expect_code(0);
    let own = step(&store, "approve", id, "ann", &[]).expect_code(1);
    assert!(own.err.contains("another person has to"), "{}", own.err);
    let done = step(&store, "approve", id, "bob", &[]).expect_code(0);
    assert_eq!(done.out, format!("{id}: confirmed (version 2)\n"));

    let open = store.onus(&["breaks", "list", "--state", "open", "--format", "jsonl"]).expect_code(0).lines();
    assert_eq!(open.len() + 1, listed.len());
    let confirmed = store.onus(&["breaks", "list", "--state", "confirmed", "--format", "jsonl"]).expect_code(0).lines();
    assert_eq!((confirmed.len(), confirmed[0]["id"].as_str()), (1, Some(id)));
    let shown = store.onus(&["breaks", "show", id, "--format", "json"]).expect_code(0).json();
    assert_eq!((shown["maker"].as_str(), shown["checker"].as_str()), (Some("ann"), Some("bob")));
    assert_eq!(shown["steps"].as_array().unwrap().len(), 2);
    assert!(store.onus(&["breaks", "show", id]).expect_code(0).out.contains("confirmed (version 2)"));
    // Two verdicts' worth of evidence more, all of it signed.
    let report = store.onus(&["verify", "--format", "json"]).expect_code(0).json();
    assert_eq!(report["sound"], true);
    let audited: i64 = store
        .open()
        .query_row("select count(*) from audit where resource = ?1 and action like 'onus breaks %'", [id], |row| {
            row.get(0)
        })
        .unwrap();
    assert_eq!(audited, 3);
}

#[test]
fn a_step_altered_in_the_table_is_named() {
    let store = Installation::with_demo_day();
    add_users(&store);
    let listed = store.onus(&["breaks", "list", "--format", "jsonl"]).expect_code(0).lines();
    let id = listed[0]["id"].as_str().unwrap();
    step(&store, "propose", id, "ann", &["--action", "explained", "--note", "known"]).expect_code(0);
    store.open().execute("update resolution_steps set author = 'bob'", []).unwrap();
    let found = store.onus(&["verify"]).expect_code(3).out;
    assert!(found.contains(&format!("step 1 of break {id} is not what evidence entry")), "{found}");
}

const SWITCH: &str =
    "rrn,term_id,merchant_id,batch_no,trace_no,txn_time,txn_type,pan,amount,resp_code,reversed,route,settle_date,issuer
607100000002,10000001,898000000000001,000001,000002,20260312101100,01,622848******1111,700,00,0,R1,20260312,01
607100000003,10000001,898000000000001,000001,000003,20260312101200,01,622848******1111,900,00,0,R1,20260312,01
";
const CLEARING: &str = "settle_date,rrn,term_id,merchant_id,sys_trace,txn_time,txn_type,pan,amount,network_fee,mcc
20260312,607100000002,10000001,898000000000001,000001,20260312101100,01,622848******1111,800,1,5411
20260312,607100000003,10000001,898000000000001,000001,20260312101200,01,622848******1111,990,1,5411
";

#[test]
fn what_was_resolved_is_left_out_of_the_next_run() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::write(path("s.csv"), SWITCH).unwrap();
    fs::write(path("c.csv"), CLEARING).unwrap();
    let run = |more: &[&str]| {
        let args = ["reconcile", "--switch", "s.csv", "--clearing", "c.csv", "--out", "breaks.csv"];
        let output =
            Command::new(env!("CARGO_BIN_EXE_onus")).current_dir(folder.path()).args(args).args(more).output().unwrap();
        let breaks = fs::read_to_string(path("breaks.csv")).unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap(), breaks)
    };
    let (code, _, both) = run(&[]);
    assert_eq!((code, both.lines().count()), (Some(3), 3), "{both}");
    // One of the two is resolved.
    let lines: Vec<&str> = both.lines().collect();
    fs::write(path("resolved.csv"), format!("{}\n{}\n", lines[0], lines[1])).unwrap();
    let resolved = ["--resolved", "resolved.csv"];
    let (code, table, left) = run(&resolved);
    assert_eq!((code, left.as_str()), (Some(3), format!("{}\n{}\n", lines[0], lines[2]).as_str()));
    assert!(table.contains("1 breaks were resolved before and are left out; 0 changed since"), "{table}");
    // Both are: the day is clean.
    fs::write(path("resolved.csv"), &both).unwrap();
    let (code, _, left) = run(&resolved);
    assert_eq!((code, left.lines().count()), (Some(0), 1), "{left}");
    // Another amount is cleared: it is back, with the reason.
    fs::write(path("c.csv"), CLEARING.replace(",800,1,", ",810,1,")).unwrap();
    let (code, table, left) = run(&resolved);
    assert_eq!((code, left.lines().count()), (Some(3), 2), "{left}");
    assert!(left.contains("resolved before, since then changed") && left.contains("c_amount"), "{left}");
    assert!(table.contains("1 changed since"), "{table}");
}
