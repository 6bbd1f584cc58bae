//! A day that nobody has seen before, scored by the tool that made it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may")]

mod installation;

use std::fs;
use std::path::Path;
use std::process::Command;

use installation::{Installation, repository, scratch};
use serde_json::Value;

fn python(script: &Path, args: &[&str]) -> String {
    let ran = Command::new("python3").arg(script).args(args).output().unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    String::from_utf8(ran.stdout).unwrap()
}

#[test]
fn a_fresh_day_is_judged_as_it_was_made() {
    let tool = repository().join("../shared/tools/cityday");
    if !tool.is_dir() {
        println!("not run: the tool that makes city days is not beside the repository");
        return;
    }
    let place = scratch();
    let day = place.path().join("day");
    python(&tool, &[day.to_str().unwrap(), "--seed", "4711", "--payments", "4000"]);
    let store = Installation::empty();
    store.import(&day).expect_code(0);
    let mut args = vec![day.to_str().unwrap().to_owned(), "--json".to_owned()];
    for (option, what) in
        [("--payments", "exceptions"), ("--terminals", "terminals"), ("--episodes", "episodes"), ("--breaks", "breaks")]
    {
        let file = place.path().join(format!("{what}.jsonl"));
        fs::write(&file, store.export(what).out).unwrap();
        args.extend([option.to_owned(), file.to_str().unwrap().to_owned()]);
    }
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let score: Value = serde_json::from_str(&python(&tool.join("score.py"), &args)).unwrap();
    println!("{score:#}");
    let payments = &score["payments"];
    assert_eq!(payments["missing"], 0, "{payments:#}");
    assert_eq!(payments["extra"], 0, "{payments:#}");
    assert_eq!(payments["innocent_agent_charged"], 0, "{payments:#}");
    assert!(payments["kind_exact"].as_f64().unwrap() >= 0.95, "{payments:#}");
    assert!(payments["cause_exact"].as_f64().unwrap() >= 0.70, "{payments:#}");
    let breaks = &score["breaks"];
    assert_eq!(breaks["hit"], breaks["truth"], "{breaks:#}");
    assert_eq!(breaks["false"], serde_json::json!([]), "{breaks:#}");
    store.onus(&["verify"]).expect_code(0);
}
