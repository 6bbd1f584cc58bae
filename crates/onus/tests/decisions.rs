//! Limits, packs and rejudgements from the command line, over the demo day.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may")]

mod installation;

use std::fs;
use std::path::Path;

use installation::Installation;
use serde_json::Value;

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

/// The shipped pack with other shares where an inspection was missed, and with lost reversals at the acquirer.
fn draft(folder: &Path) -> String {
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packs/cn-default-1");
    for file in ["causes.toml", "cases.toml"] {
        fs::copy(from.join(file), folder.join(file)).unwrap();
    }
    let rules = fs::read_to_string(from.join("rules.toml")).unwrap();
    let changed = rules.replace("{ acquirer = 6000, agent = 4000 }", "{ acquirer = 8000, agent = 2000 }");
    assert_ne!(rules, changed);
    fs::write(folder.join("rules.toml"), changed).unwrap();
    folder.to_str().unwrap().to_owned()
}

#[test]
fn a_draft_is_tried_put_into_force_and_changes_only_what_two_people_approve() {
    let store = Installation::with_demo_day();
    add_users(&store);
    let folder = tempfile::tempdir().unwrap();
    let draft = draft(folder.path());

    let shadow = |pack: &str| -> Vec<Value> {
        let run = installation::command()
            .args(["pack", "shadow", "--store", store.path().to_str().unwrap(), "--pack", pack, "--list"])
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&run.stdout).into_owned();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    let same = shadow("cn-default-1").pop().unwrap();
    assert_eq!((&same["changed"], &same["without_facts"]), (&0.into(), &0.into()));
    let mut told = shadow(&draft);
    let report = told.pop().unwrap();
    let changed = report["changed"].as_u64().unwrap();
    assert!(changed > 0 && told.len() as u64 == changed, "{report}");
    let agent = report["bears_more_minor"]["agent"].as_i64().unwrap();
    assert!(agent < 0, "{report}");

    let before = store.onus(&["export", "exceptions"]).expect_code(0).out;
    store.onus(&["pack", "store", "draft", &draft, "--user", "ann"]).expect_code(0);
    let packs = store.onus(&["pack", "store", "list", "--format", "jsonl"]).expect_code(0).lines();
    assert_eq!((&packs[0]["live"], &packs[1]["state"]), (&true.into(), &"listed".into()));
    let sha256 = packs[1]["sha256"].as_str().unwrap();
    let step =
        |step: &str, user: &str| store.onus(&["pack", "store", step, sha256, "--user", user, "--note", "agreed"]);
    step("propose", "ann").expect_code(0);
    assert!(step("approve", "ann").expect_code(1).err.contains("another person decides"));
    assert!(step("approve", "rex").expect_code(1).err.contains("may not"));
    let said = step("approve", "bob").expect_code(0).out;
    assert!(said.contains(&format!("{changed} verdicts that stand would be others")), "{said}");
    assert_eq!(store.onus(&["export", "exceptions"]).expect_code(0).out, before);

    // Importing again under the new pack neither changes nor lists them twice.
    store.open().execute("update files set judged_at = null", []).unwrap();
    let again = store.import(&installation::day()).expect_code(0).json();
    assert_eq!((&again["judged"]["changed"], &again["judged"]["listed"]), (&0.into(), &changed.into()), "{again}");
    let listed = store.onus(&["rejudge", "list", "--format", "jsonl"]).expect_code(0).lines();
    assert_eq!(listed.len() as u64, changed);
    let id = listed[0]["id"].as_str().unwrap();
    assert_eq!((&listed[0]["why"], &listed[0]["old"]["shares"]["agent"]), (&"pack".into(), &4_000.into()));
    assert_eq!(listed.iter().map(|one| one["agent_minor"].as_i64().unwrap()).sum::<i64>(), agent);
    let decide = |step: &str, user: &str| store.onus(&["rejudge", step, id, "--user", user, "--note", "agreed"]);
    decide("propose", "ann").expect_code(0);
    assert!(decide("approve", "ann").expect_code(1).err.contains("another person decides"));
    decide("approve", "bob").expect_code(0);
    let after = store.onus(&["export", "exceptions"]).expect_code(0).out;
    let differing = before.lines().filter(|line| !after.contains(line)).count();
    assert_eq!(differing, 1, "only what was approved changes");
    assert_eq!(store.onus(&["verify", "--format", "json"]).expect_code(0).json()["sound"], true);

    // The rest at once, by the rules that they would go between.
    let (from, to) = (listed[0]["old"]["rule"].as_str().unwrap(), listed[0]["new"]["rule"].as_str().unwrap());
    let all = ["rejudge", "reject", "--from", from, "--to", to, "--user", "ann", "--note", "stays as it was paid"];
    store.onus(&all).expect_code(0);
    let sums = store.onus(&["rejudge", "list", "--sums", "--format", "jsonl"]).expect_code(0).lines();
    let of_rules: Vec<&str> =
        sums.iter().filter(|sum| sum["old_rule"] == from).map(|sum| sum["state"].as_str().unwrap()).collect();
    assert_eq!(of_rules, ["approved", "rejected"]);
}

#[test]
fn limits_are_listed_and_verified_by_two() {
    let store = Installation::with_demo_day();
    add_users(&store);
    let waiting = || store.onus(&["limits", "list", "--waiting", "--format", "jsonl"]).expect_code(0).lines();
    let all = waiting();
    assert!(
        all.iter()
            .all(|limit| limit["automation"] == "manual" && ["T", "B"].contains(&limit["grade"].as_str().unwrap()))
    );
    let id = "cn-default-1:rule:slip-merchant";
    assert!(all.iter().any(|limit| limit["id"] == id));
    let step = |step: &str, user: &str| store.onus(&["limits", step, id, "--user", user, "--note", "read on paper"]);
    step("propose", "ann").expect_code(0);
    assert!(step("approve", "ann").expect_code(1).err.contains("another person decides"));
    step("approve", "bob").expect_code(0);
    let verified = waiting().into_iter().find(|limit| limit["id"] == id).unwrap();
    assert_eq!((&verified["automation"], &verified["verification"]["checker"]), (&"automatic".into(), &"bob".into()));
    assert_eq!(store.onus(&["verify", "--format", "json"]).expect_code(0).json()["sound"], true);
    let table = store.onus(&["limits", "list", "--waiting"]).expect_code(0).out;
    assert!(table.contains("approved by ann, then bob: read on paper"), "{table}");
    let month =
        store.onus(&["monitoring", "--as-of", "2026-09-22T12:00:00+08:00", "--format", "jsonl"]).expect_code(0).lines();
    assert!(
        month.iter().any(|line| line["programme"] == "visa-vamp-acquirer-standard" && !line["end"].is_null()),
        "{month:?}"
    );
}
