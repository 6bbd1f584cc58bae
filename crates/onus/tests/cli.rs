//! What the command line says to people and to programs.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may")]

mod installation;

use std::collections::BTreeSet;

use installation::{Installation, onus};
use serde_json::Value;

/// A payment whose money went elsewhere.
fn diverted(store: &Installation) -> String {
    let lines = store.export("exceptions").lines();
    let found = lines
        .iter()
        .find(|line| line["kind"] == "K6" && line["cause"].as_str().is_some_and(|cause| cause.starts_with("TAMPER")));
    found.unwrap()["id"].as_str().unwrap().to_owned()
}

#[test]
fn a_diverted_payment_is_explained_in_both_languages() {
    let store = Installation::with_demo_day();
    let id = diverted(&store);
    let bodies = store.onus(&["explain", &id, "--format", "json"]).expect_code(0).json();
    assert_eq!(bodies["payment"], id.as_str());
    let verdict = bodies["verdicts"].as_array().unwrap().iter().find(|verdict| verdict["kind"] == "K6").unwrap();
    assert!(!verdict["reasons"].as_array().unwrap().is_empty(), "{verdict:#}");
    for (lang, agent) in [("zh", "代理商："), ("en", "agent:")] {
        let told = store.onus(&["explain", &id, "--lang", lang]).expect_code(0).out;
        assert!(told.starts_with(&id) && told.contains("K6"), "{told}");
        for reason in verdict["reasons"].as_array().unwrap() {
            let text = reason["text"][lang].as_str().unwrap();
            assert!(!text.is_empty() && told.contains(text), "{lang}: no reason {text:?} in\n{told}");
            assert!(told.contains(reason["rule_id"].as_str().unwrap()), "{told}");
            assert!(told.contains(reason["ground"]["text"][lang].as_str().unwrap()), "{lang}: no ground in\n{told}");
        }
        let answer = verdict["agent"]["text"][lang].as_str().unwrap();
        assert!(
            !answer.is_empty() && told.contains(&format!("{agent} {answer}")),
            "{lang}: no agent answer in\n{told}"
        );
    }
    let default = store.onus(&["explain", &id]).expect_code(0).out;
    assert!(default.contains("代理商："), "Chinese is the default: {default}");
}

#[test]
fn a_payment_without_exception_is_explained_too() {
    let store = Installation::with_demo_day();
    let id: String = store
        .open()
        .query_row("select id from payments where kinds = '' and outcome = 'approved' limit 1", [], |row| row.get(0))
        .unwrap();
    assert!(store.onus(&["explain", &id, "--lang", "en"]).expect_code(0).out.contains("It ended as it should."));
    assert!(store.onus(&["explain", &id]).expect_code(0).out.contains("没有差错"));
}

#[test]
fn an_unknown_payment_is_an_error_that_says_what_to_do() {
    let store = Installation::with_demo_day();
    let unknown = store.onus(&["explain", "2026-09-21.99999999.000001.000001"]).expect_code(1);
    assert!(unknown.err.contains("onus export exceptions"), "{}", unknown.err);
    let malformed = store.onus(&["explain", "nonsense"]).expect_code(1);
    assert!(malformed.err.starts_with("onus: "), "{}", malformed.err);
}

#[test]
fn exports_are_json_lines_with_the_documented_keys() {
    let store = Installation::with_demo_day();
    let key = ["id", "date", "tid", "batch", "stan"];
    let documented: [(&str, &[&str]); 4] = [
        (
            "exceptions",
            &[
                "kind",
                "cause",
                "status",
                "outward",
                "shares",
                "loss_minor",
                "rule",
                "episode",
                "rrn",
                "breaks",
                "verdict_sha256",
            ],
        ),
        ("breaks", &["class", "coarse", "expected", "found", "difference_minor", "first_party"]),
        ("terminals", &["serial", "tid", "agent", "state", "since", "reason"]),
        (
            "episodes",
            &[
                "id",
                "start",
                "end",
                "scope",
                "cause",
                "status",
                "benign",
                "payments",
                "amount_minor",
                "title",
                "state",
                "steps",
                "opened",
                "twentieth_failure",
                "cut",
                "unproven",
            ],
        ),
    ];
    for (what, own) in documented {
        let of_payments = matches!(what, "exceptions" | "breaks");
        let wanted: BTreeSet<&str> = own.iter().copied().chain(key.into_iter().filter(|_| of_payments)).collect();
        let lines = store.export(what).lines();
        assert!(!lines.is_empty(), "{what}");
        for line in &lines {
            let keys: BTreeSet<&str> = line.as_object().unwrap().keys().map(String::as_str).collect();
            assert_eq!(keys, wanted, "{what}: {line}");
            if of_payments {
                let parts: Vec<&str> =
                    ["date", "tid", "batch"].iter().map(|name| line[*name].as_str().unwrap()).collect();
                assert_eq!((parts[0].len(), parts[1].len(), parts[2].len()), (10, 8, 6), "{what}: {line}");
            }
        }
    }
}

#[test]
fn shares_of_a_verdict_sum_to_all_or_nothing() {
    for line in Installation::with_demo_day().export("exceptions").lines() {
        let sum: i64 = line["shares"].as_object().unwrap().values().filter_map(Value::as_i64).sum();
        assert!(matches!(sum, 0 | 10_000), "{line}");
    }
}

#[test]
fn exports_are_the_same_every_time() {
    let store = Installation::with_demo_day();
    for what in ["exceptions", "breaks", "terminals", "episodes", "patterns"] {
        assert!(store.export(what).out == store.export(what).out, "{what}");
    }
}

#[test]
fn patterns_are_exported_apart_from_episodes() {
    let store = Installation::with_demo_day();
    let families = |what: &str| {
        let ids = store.export(what).lines().into_iter().map(|line| line["id"].as_str().unwrap().to_owned());
        let mut families: Vec<String> = ids.map(|id| id.split('-').nth(1).unwrap().to_owned()).collect();
        families.sort();
        families.dedup();
        families
    };
    assert_eq!(families("patterns"), ["one_sided", "wrong_mcc"]);
    let episodes = families("episodes");
    assert!(episodes.contains(&"lost".to_owned()) && !episodes.contains(&"one_sided".to_owned()), "{episodes:?}");
}

#[test]
fn help_tells_of_exit_codes_and_wrong_usage_has_its_own() {
    let help = onus(["--help"]).expect_code(0).out;
    assert!(help.contains("Exit codes: 0 ok, 1 failed, 2 wrong usage, 3 something was found"), "{help}");
    onus(["import"]).expect_code(2);
    onus(["export", "nothing-we-know"]).expect_code(2);
    let store = Installation::empty();
    let wrong_time = store.onus(&["import", ".", "--as-of", "yesterday"]).expect_code(1);
    assert!(wrong_time.err.contains("--as-of"), "{}", wrong_time.err);
}
