//! `onus judge` and `onus pack` as a user runs them: exit codes, answers, and what is said of a bad pack.

#![allow(clippy::expect_used, reason = "a test may")]

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};

const CASES: &str = r#"{"id":"1","asked":["merchant","acquirer"],"facts":{"settlement.account_altered":true},"outcome_shares":{"merchant":100}}

{"id":"2","asked":["agent","merchant"],"facts":{"cause.code":"TAMPER.AGENT","cause.status":"confirmed","no.such":1}}
{"id":"3","facts":{}}
"#;

fn run(args: &[&str]) -> Output {
    fed(args, "")
}

fn fed(args: &[&str], input: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_onus"))
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("runs");
    child.stdin.take().expect("a pipe").write_all(input.as_bytes()).expect("reads");
    child.wait_with_output().expect("ends")
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn answers(output: &Output) -> Vec<Value> {
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect()
}

/// A shipped pack in a folder of its own, to be changed.
fn copy_of(pack: &str, folder: &Path) -> PathBuf {
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packs").join(pack);
    let to = folder.join(pack);
    fs::create_dir(&to).expect("a folder");
    for file in ["rules.toml", "causes.toml", "cases.toml"].into_iter().filter(|file| from.join(file).exists()) {
        fs::copy(from.join(file), to.join(file)).expect("copies");
    }
    to
}

/// Replaces a text that must be there, the first time it stands; gives the line on which it stands.
fn change(file: &Path, was: &str, is: &str) -> usize {
    let text = fs::read_to_string(file).expect("reads");
    let (before, _) = text.split_once(was).expect("the text stands there");
    fs::write(file, text.replacen(was, is, 1)).expect("writes");
    before.matches('\n').count() + 1
}

/// The `id` of the entry in which a text stands first.
fn id_above(file: &Path, text: &str) -> String {
    let all = fs::read_to_string(file).expect("reads");
    let (before, _) = all.split_once(text).expect("the text stands there");
    let (_, rest) = before.rsplit_once("\nid = \"").expect("an id above it");
    rest.split('"').next().expect("an id").to_owned()
}

#[test]
fn judge_answers_a_file_and_standard_input_alike() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("cases.jsonl");
    fs::write(&file, CASES).expect("writes");
    let of_file = run(&["judge", &file.display().to_string(), "--pack", "intl-principles-1"]);
    let of_input = fed(&["judge"], CASES);
    assert_eq!(of_file.status.code(), Some(0), "{}", said(&of_file));
    assert_eq!(answers(&of_file), answers(&of_input));
    let answers = answers(&of_file);
    assert_eq!(answers.len(), 3);
    // The outcome that a line carries is not read.
    assert_eq!(answers[0]["shares"], json!({"acquirer": 100}));
    assert_eq!(answers[0]["agent"], "none");
    assert!(answers[0]["why"].as_str().is_some_and(|why| why.contains("settlement.account_altered = true")));
    assert_eq!(answers[1]["shares"], json!({"agent": 100}));
    assert_eq!(answers[1]["agent"], "own_fault");
    assert_eq!(answers[1]["ignored"], json!(["\"no.such\" is not in the fact vocabulary"]));
    assert_eq!(answers[2]["abstain"], true);
    assert!(answers[2].get("shares").is_none() && answers[2]["ask"][0]["fact"].is_string());
}

#[test]
fn judge_leaves_out_the_cause_explains_and_says_it_in_chinese() {
    let without = answers(&fed(&["judge", "--without-cause"], CASES));
    assert_eq!(without[1]["abstain"], true);
    let explained = answers(&fed(&["judge", "--explain", "--lang", "zh"], CASES));
    assert!(explained[0]["why"].as_str().is_some_and(|why| why.contains("收单机构")));
    assert_eq!(explained[0]["proof"]["part"], "answer");
    assert_eq!(explained[0]["outcome_sha256"].as_str().map(str::len), Some(64));
}

#[test]
fn judge_goes_on_after_a_line_that_does_not_read_and_says_so() {
    let judged = fed(&["judge"], "not json\n{\"id\":\"1\",\"facts\":{\"settlement.account_altered\":true}}\n");
    assert_eq!(answers(&judged).len(), 1);
    assert_ne!(judged.status.code(), Some(0));
    assert!(said(&judged).contains("-:1: "), "{}", said(&judged));
    let none = run(&["judge", "no-such-file.jsonl"]);
    assert_eq!(none.status.code(), Some(1));
    assert!(said(&none).contains("no-such-file.jsonl"));
    let pack = fed(&["judge", "--pack", "no-such-pack"], CASES);
    assert_eq!(pack.status.code(), Some(1));
    assert!(said(&pack).contains("intl-principles-1"), "{}", said(&pack));
}

#[test]
fn shipped_packs_check_and_pass_their_own_cases() {
    for pack in ["cn-default-1", "intl-principles-1"] {
        let checked = run(&["pack", "check", pack]);
        assert_eq!(checked.status.code(), Some(0), "{}", said(&checked));
        assert!(said(&checked).contains("no gap, no overlap"));
        let tested = run(&["pack", "test", pack]);
        assert_eq!(tested.status.code(), Some(0), "{}", said(&tested));
    }
}

/// What is changed in a shipped pack, and what `pack check` then says: after file and line, the row and the fault.
#[test]
fn bad_packs_are_refused_with_file_line_and_row() {
    const ROW: &str = "[[rule]]\nid = \"payout-altered\"\nrank = 33";
    const OVERLAP: &str = "[[rule]]\nid = \"twin\"\nrank = 33\nprinciples = [\"R1\"]\nwhen = { \"cleared\" = true }\n\
        bearer = \"issuer\"\ntitle = { zh = \"\", en = \"\" }\ntext = { zh = \"\", en = \"\" }\n\n";
    let rule = |body: &str| {
        format!(
            "[[rule]]\nid = \"odd\"\nrank = 32\n{body}\nwhen = {{ \"cleared\" = true }}\nbearer = \"@acquiring_side\"\n\
             title = {{ zh = \"\", en = \"\" }}\ntext = {{ zh = \"\", en = \"\" }}\n\n{ROW}"
        )
    };
    let duty = "principles = [\"R1\"]\nobligations = [{ duty = \"pay\", owner = \"acquirer\", within = \"3wd\" }]";
    let duties = "[agent_answers]";
    let table = [
        ("settlement.account_altered\" = true", "settlement.acount\" = true".to_owned(), "not in the fact vocabulary"),
        (
            "settlement.account_altered\" = true",
            "settlement.account_altered\" = 5".to_owned(),
            "expected true or false",
        ),
        (ROW, format!("{OVERLAP}{ROW}"), "overlaps \"twin\" of the same rank 33: both fit "),
        (ROW, rule(""), "row \"odd\": cites nothing"),
        (ROW, rule(duty), "row \"odd\": deadline \"3wd\" counts working days, but the pack names no calendar"),
    ];
    for (was, is, expected) in table {
        let folder = tempfile::tempdir().expect("a folder");
        let pack = copy_of("intl-principles-1", folder.path());
        let rules = pack.join("rules.toml");
        change(&rules, duties, "[duties]\npay = { zh = \"付\", en = \"pay\" }\n\n[agent_answers]");
        let line = change(&rules, was, &is);
        let checked = run(&["pack", "check", &pack.display().to_string()]);
        assert_eq!(checked.status.code(), Some(1), "{expected}: {}", said(&checked));
        let said = said(&checked);
        assert!(said.contains(expected), "{expected}: {said}");
        let (_, place) = said.split_once("rules.toml:").expect("the file");
        let (told, row) = place.split_once(": row \"").expect("the row");
        assert!(!row.starts_with('"'), "{said}");
        let told: usize = told.parse().expect("a line");
        // The twin is above; the row that it overlaps is named.
        let below = if expected.starts_with("overlaps") { OVERLAP.lines().count() } else { 0 };
        assert_eq!(told, line + below, "{said}");
        // What does not load judges nothing.
        let judged = fed(&["judge", "--pack", &pack.display().to_string()], CASES);
        assert_eq!((judged.status.code(), answers(&judged).len()), (Some(1), 0));
    }
}

#[test]
fn test_and_diff_tell_what_is_not_as_expected() {
    let folder = tempfile::tempdir().expect("a folder");
    let pack = copy_of("intl-principles-1", folder.path());
    let name = pack.display().to_string();
    let same = run(&["pack", "diff", "intl-principles-1", &name]);
    assert_eq!((same.status.code(), said(&same).trim()), (Some(0), "0 differences"));

    let shares = "shares = { acquirer = 10000 }";
    let case = id_above(&pack.join("cases.toml"), shares);
    change(&pack.join("cases.toml"), shares, "shares = { merchant = 10000 }");
    let tested = run(&["pack", "test", &name]);
    assert_eq!(tested.status.code(), Some(3), "{}", said(&tested));
    assert!(said(&tested).contains(&format!("{case}: ")), "{case}: {}", said(&tested));

    let rule = id_above(&pack.join("rules.toml"), "weight = 60");
    change(&pack.join("rules.toml"), "weight = 60", "weight = 71");
    let differs = run(&["pack", "diff", "intl-principles-1", &name]);
    assert_eq!(differs.status.code(), Some(3));
    let text = said(&differs);
    assert!(text.contains(&format!("rules.toml rule {rule} fault")) && text.contains("weight = 71"), "{text}");
}

#[test]
fn a_signature_holds_for_the_pack_it_was_made_over() {
    let folder = tempfile::tempdir().expect("a folder");
    let pack = copy_of("intl-principles-1", folder.path());
    let (name, key) = (pack.display().to_string(), folder.path().join("key").display().to_string());
    let without = run(&["pack", "sign", &name, "--key", &key]);
    assert_eq!(without.status.code(), Some(1));
    assert!(said(&without).contains("--new-key"), "{}", said(&without));
    let signed = run(&["pack", "sign", &name, "--key", &key, "--new-key", "rules.example"]);
    assert_eq!(signed.status.code(), Some(0), "{}", said(&signed));
    let text = said(&signed);
    let (_, verifying) = text.trim().rsplit_once("verifying key ").expect("the key is told");
    let check = || run(&["pack", "check", &name, "--key", verifying]);
    assert_eq!(check().status.code(), Some(0), "{}", said(&check()));
    assert!(said(&check()).contains("signed by rules.example"));

    change(&pack.join("rules.toml"), "weight = 60", "weight = 70");
    assert_eq!(check().status.code(), Some(1));
    assert!(said(&check()).contains("over another pack"), "{}", said(&check()));
    let note = pack.join("pack.sig");
    change(&note, "intl-principles-1", "intl-principles-2");
    assert_eq!(check().status.code(), Some(1));
}

#[test]
fn a_weird_line_is_told_and_the_rest_goes_on() {
    let input = r#"{"id":"a","asked":["merchant","mayor",7],"facts":{"settlement.account_altered":"yes","no.such":{"x":1},"claim.by":null}}
not json
{"facts":{}}
{"id":3,"facts":[1],"extra":{"deep":[]}}
{"id":"d"}
[1]
{"id":"e","asked":"merchant","facts":{"settlement.account_altered":true},"outcome":{"party":"merchant"}}
"#;
    let out = fed(&["judge"], input);
    assert_eq!(out.status.code(), Some(1), "{}", said(&out));
    let answers = answers(&out);
    let ids: Vec<&Value> = answers.iter().map(|answer| &answer["id"]).collect();
    assert_eq!(ids, [&json!("a"), &json!(3), &json!("d"), &json!("e")]);
    assert_eq!(
        answers[0]["ignored"],
        json!([
            "asked: \"mayor\" is no party",
            "asked: 7 is no party",
            "\"no.such\" is not in the fact vocabulary",
            "settlement.account_altered: expected true or false; found \"yes\""
        ])
    );
    assert_eq!((&answers[1]["abstain"], &answers[2]["abstain"]), (&json!(true), &json!(true)));
    assert!(answers[3]["shares"].is_object(), "{}", answers[3]);
    let told = String::from_utf8_lossy(&out.stderr).into_owned();
    for line in [
        "-:1: asked: \"mayor\" is no party",
        "-:1: settlement.account_altered: expected true or false; found \"yes\"",
        "-:2: no line of JSON",
        "-:3: id: expected a text or a number; found null",
        "-:4: facts: expected an object; found [1]",
        "-:5: facts: expected an object; found null",
        "-:6: expected a JSON object",
        "-:7: asked: expected a list of parties; found \"merchant\"",
    ] {
        assert!(told.contains(line), "{line}: {told}");
    }
}

#[test]
fn the_code_of_a_chargeback_yields_facts_and_says_who_must_prove_what() {
    let line = r#"{"id":"1","asked":["issuer","acquirer","merchant"],"facts":{"dispute.network":"visa","dispute.reason":"13.1","merchant.sale_proven":true}}"#;
    let answer = &answers(&fed(&["judge"], line))[0];
    let reason = &answer["reason_code"];
    assert_eq!(
        (&reason["family"], &reason["answer_within"], &reason["grade"]),
        (&json!("consumer"), &json!("30d"), &json!("R"))
    );
    let open: Vec<&Value> = reason["must_prove"].as_array().expect("a list").iter().map(|proof| &proof["by"]).collect();
    assert_eq!(open, ["cardholder"], "what is proven is not asked for");
    assert_ne!(answer["rule"], "silent");
}
