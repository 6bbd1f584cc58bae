//! `onus localise` on small files of both kinds.

#![allow(clippy::expect_used, reason = "a test may")]

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

fn onus(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_onus")).arg("localise").args(args).output().expect("runs")
}

fn lines(output: &Output) -> Vec<Value> {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect()
}

/// Six minutes of failures; in the last one link 2 fails twenty times as often.
fn failures(time: &str) -> String {
    let mut text = format!("{time},link,issuer,value,cnt\n");
    for minute in 0..6 {
        for row in 0..24 {
            let (link, issuer) = (row % 4, row / 4);
            let failed = if minute == 5 && link == 2 { 40 } else { 1 + (row + minute) % 3 };
            writeln!(text, "{},{link},{issuer},{failed},100", 1_566_397_800 + 60 * minute).expect("a text");
        }
    }
    text
}

/// Noise of a few per cent, and `a=a1` at half of its forecast.
fn measure() -> String {
    let mut text = String::from("a,b,c,real,predict\n");
    for row in 0..600_u32 {
        let (a, b, c) = (row % 5, row / 5 % 8, row / 40);
        let forecast = 100.0 + f64::from(row * 37 % 91);
        let noise = 1.0 + (f64::from(row * 7_919 % 101) - 50.0) / 1_000.0;
        let actual = if a == 1 { forecast / 2.0 } else { forecast * noise };
        writeln!(text, "a{a},b{b},c{c},{actual:.4},{forecast}").expect("a text");
    }
    text
}

fn write(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    fs::write(&path, text).expect("writes");
    path.display().to_string()
}

#[test]
fn a_folder_of_both_kinds_gives_a_line_for_each_file() {
    let folder = tempfile::tempdir().expect("a folder");
    write(folder.path(), "1.csv", &measure());
    write(folder.path(), "2.csv", &failures("min"));
    write(folder.path(), "injection_info.csv", "timestamp,set\n1,nothing\n");
    let found = lines(&onus(&[&folder.path().display().to_string(), "--format", "json"]));
    let scopes: Vec<(&str, String)> =
        found.iter().map(|line| (line["id"].as_str().expect("an id"), line["scopes"].to_string())).collect();
    assert_eq!(scopes, [("1", r#"["a=a1"]"#.to_owned()), ("2", r#"["link=2"]"#.to_owned())]);
    assert_eq!(found[1]["minute"], "1566398100");
}

#[test]
fn columns_can_be_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = write(folder.path(), "x.csv", &failures("t").replace("value,cnt", "bad,tries"));
    let args =
        ["--failures", "bad", "--total", "tries", "--time", "t", "--dimensions", "link,issuer", "--format", "json"];
    let args: Vec<&str> = std::iter::once(file.as_str()).chain(args).collect();
    assert_eq!(lines(&onus(&args))[0]["scopes"].to_string(), r#"["link=2"]"#);
    let early: Vec<&str> = args.iter().copied().chain(["--at", "1566397980"]).collect();
    assert_eq!(lines(&onus(&early))[0]["scopes"].to_string(), "[]", "nothing was wrong in that minute");
}

#[test]
fn what_does_not_read_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = write(folder.path(), "x.csv", "a,real,predict\na1,1,2\na2,many,2\n");
    let output = onus(&[&file]);
    assert!(!output.status.success());
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(error.contains("x.csv") && error.contains("line 3, column real"), "{error}");
    let file = write(folder.path(), "y.csv", "a,b\n1,2\n");
    let error = String::from_utf8_lossy(&onus(&[&file]).stderr).into_owned();
    assert!(error.contains("--failures and --total"), "{error}");
}
