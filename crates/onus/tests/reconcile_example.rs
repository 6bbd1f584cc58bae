//! The worked example of `docs/guides/reconcile.md`, and what goes wrong with statements, workbooks and folders.
#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test may")]

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn example() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/examples/reconcile")
}

/// A folder with the example's files in it.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(example()).unwrap() {
        let path = entry.unwrap().path();
        fs::copy(&path, folder.path().join(path.file_name().unwrap())).unwrap();
    }
    folder
}

fn onus(folder: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_onus")).current_dir(folder).arg("reconcile").args(args).output().unwrap()
}

const ALL: [&str; 26] = [
    "--terminal",
    "terminal.csv",
    "--switch",
    "switch.csv",
    "--clearing",
    "clearing.csv",
    "--payout",
    "payout.csv",
    "--batches",
    "payout_batch.csv",
    "--merchants",
    "merchant.csv",
    "--bank",
    "bank.xml",
    "--shares",
    "shares.xlsx",
    "--layout",
    "four-files",
    "--layout",
    "bank=camt053",
    "--layout",
    "share=shares.toml",
    "--tariff",
    "cn-2016",
    "--out",
    "breaks.csv",
];

/// Classes of a result with how often each stands there.
fn counts(path: &Path) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for line in fs::read_to_string(path).unwrap().lines().skip(1) {
        *counts.entry(line.split(',').next().unwrap().to_owned()).or_default() += 1;
    }
    counts
}

#[test]
fn the_example_has_every_class() {
    let folder = folder();
    let output = onus(folder.path(), &ALL);
    assert_eq!(output.status.code(), Some(3), "{}", String::from_utf8_lossy(&output.stderr));
    let mut found = counts(&folder.path().join("breaks.csv"));
    found.extend(counts(&folder.path().join("breaks_batch.csv")));
    let pack: toml::Table =
        fs::read_to_string(example().join("../../../packs/breaks-1/classes.toml")).unwrap().parse().unwrap();
    for class in pack["class"].as_array().unwrap() {
        let code = class["code"].as_str().unwrap();
        let expected = match code {
            // A file that is bad stops everything: see below.
            "FILE_BAD" => 0,
            // Both rows with the key; two merchants' payouts to one account.
            "DUP_TERM" | "PAYOUT_DIVERTED" => 2,
            _ => 1,
        };
        assert_eq!(found.remove(code).unwrap_or(0), expected, "{code}");
    }
    assert!(found.is_empty(), "{found:?}");
    let breaks = fs::read_to_string(folder.path().join("breaks.csv")).unwrap();
    assert!(breaks.contains(",ACCOUNT_CHANGED ACCOUNT_SHARED,") && breaks.contains(",ACCOUNT_SHARED,"), "{breaks}");
    assert!(!folder.path().join("breaks_rejects.csv").exists());
}

#[test]
fn a_statement_that_does_not_add_up_stops_the_run() {
    let folder = folder();
    let statement = fs::read_to_string(folder.path().join("bank.xml")).unwrap();
    let cut = &statement[..statement.len() - 60];
    let table = [
        (
            statement.replacen("<Amt Ccy=\"CNY\">200.00<", "<Amt Ccy=\"CNY\">199.00<", 1),
            "statement 1: it adds its entries to",
        ),
        (cut.to_owned(), "at byte"),
        ("<html></html>".to_owned(), "not a camt.053 statement"),
    ];
    for (text, reason) in table {
        fs::write(folder.path().join("bank.xml"), text).unwrap();
        let output = onus(folder.path(), &ALL);
        assert_eq!(output.status.code(), Some(3));
        let table = String::from_utf8(output.stdout).unwrap();
        assert!(
            table.contains("FILE_BAD") && table.contains(reason) && table.contains("nothing was matched"),
            "{table}"
        );
        assert_eq!(
            counts(&folder.path().join("breaks.csv")).into_iter().collect::<Vec<_>>(),
            [("FILE_BAD".to_owned(), 1)]
        );
    }
    // The same statement, compressed, does.
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(statement.as_bytes()).unwrap();
    fs::write(folder.path().join("bank.xml"), gzip.finish().unwrap()).unwrap();
    onus(folder.path(), &ALL);
    assert_eq!(counts(&folder.path().join("breaks_batch.csv")).len(), 3);
}

#[test]
fn entries_and_cells_that_do_not_read_are_named() {
    let folder = folder();
    let statement = fs::read_to_string(folder.path().join("bank.xml")).unwrap();
    fs::write(
        folder.path().join("bank.xml"),
        statement.replacen("2026-03-16</Dt></ValDt>", "16.03.2026</Dt></ValDt>", 1),
    )
    .unwrap();
    let layout = fs::read_to_string(folder.path().join("shares.toml")).unwrap();
    // A column that holds names instead of numbers.
    let wrong = layout.replace("share = \"分润（分）\"", "share = \"代理商\"").replace(", sum = 4", "");
    fs::write(folder.path().join("shares.toml"), wrong).unwrap();
    assert_eq!(onus(folder.path(), &ALL).status.code(), Some(3));
    let rejects = fs::read_to_string(folder.path().join("breaks_rejects.csv")).unwrap();
    let of_bank = rejects.lines().find(|line| line.starts_with("bank.xml,")).unwrap();
    assert!(of_bank.contains("paid_on") && of_bank.contains("entry ") && of_bank.contains("ValDt/Dt"), "{of_bank}");
    let of_sheet = rejects.lines().find(|line| line.starts_with("shares.xlsx,4,4,share,")).unwrap();
    assert!(of_sheet.contains("cell 分润!A4: expected a whole number of fen"), "{of_sheet}");
}

#[test]
fn a_wrong_layout_is_told() {
    let folder = folder();
    let table = [
        (vec!["--bank", "shares.xlsx", "--layout", "bank=camt053"], "says that it is a camt.053 statement"),
        (vec!["--shares", "shares.xlsx"], "the header has no column"),
        (vec!["--shares", "shares.xlsx", "--tariff", "mars"], "there is no tariff \"mars\"; there are cn-2016"),
        (vec!["--shares", "none"], "none"),
        (
            vec!["--shares", "shares.xlsx", "--layout", "shares=shares.toml"],
            "\"shares\" is no kind of file; expected one of",
        ),
    ];
    for (args, expected) in table {
        let output = onus(folder.path(), &[&args[..], &["--out", "b.csv"]].concat());
        assert_eq!(output.status.code(), Some(1), "{args:?}");
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn a_file_of_another_day_is_refused_by_its_name() {
    let folder = folder();
    let layout = fs::read_to_string(folder.path().join("shares.toml")).unwrap();
    let named = layout.replace("[share]\n", "[share]\nname = \"shares_{yyyymmdd}.xlsx\"\n");
    fs::write(folder.path().join("shares.toml"), named).unwrap();
    fs::rename(folder.path().join("shares.xlsx"), folder.path().join("shares_20260312.xlsx")).unwrap();
    let mut args = ALL.to_vec();
    args[15] = "shares_20260312.xlsx";
    args.push("--day");
    for (day, reason) in
        [("2026-03-12", "34 breaks"), ("2026-03-13", "FILE_BAD: its name says another day than 2026-03-13")]
    {
        let output = onus(folder.path(), &[&args[..], &[day]].concat());
        let table = String::from_utf8(output.stdout).unwrap();
        assert!(table.contains(reason), "{table}");
    }
}

#[test]
fn several_files_and_folders_are_one_source() {
    let folder = folder();
    let at = |name: &str| folder.path().join(name);
    onus(folder.path(), &ALL);
    let whole = counts(&at("breaks.csv"));
    // The journal in two files of a folder, the switch log in two options.
    let part = |name: &str, parts: [&Path; 2]| {
        let text = fs::read_to_string(at(name)).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        for (part, lines) in parts.iter().zip(lines[1..].chunks(lines.len() / 2)) {
            let body = format!("{}\n{}\n", text.lines().next().unwrap(), lines.join("\n"));
            fs::write(part, body).unwrap();
        }
    };
    fs::create_dir(at("journals")).unwrap();
    fs::write(at("journals/.hidden"), "x").unwrap();
    part("terminal.csv", [&at("journals/a.csv"), &at("journals/b.csv")]);
    part("switch.csv", [&at("s1.csv"), &at("s2.csv")]);
    let mut args = ALL.to_vec();
    args[1] = "journals";
    args[3] = "s1.csv";
    args.extend(["--switch", "s2.csv"]);
    assert_eq!(onus(folder.path(), &args).status.code(), Some(3));
    assert_eq!(counts(&at("breaks.csv")), whole);
    fs::create_dir(at("empty")).unwrap();
    args[1] = "empty";
    let output = onus(folder.path(), &args);
    assert!(String::from_utf8(output.stderr).unwrap().contains("the folder empty has no files"));
}
