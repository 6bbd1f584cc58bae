//! `onus reconcile` as people call it: exit codes, side files, compressed input, the same file twice.
#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test may")]

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output};

const SWITCH: &str =
    "rrn,term_id,merchant_id,batch_no,trace_no,txn_time,txn_type,pan,amount,resp_code,reversed,route,settle_date,issuer
607100000001,10000001,898000000000001,000001,000001,20260312101000,01,622848******1111,500,00,0,R1,20260312,01
607100000002,10000001,898000000000001,000001,000002,20260312101100,01,622848******1111,700,00,0,R1,20260312,01
";
const CLEARING: &str = "settle_date,rrn,term_id,merchant_id,sys_trace,txn_time,txn_type,pan,amount,network_fee,mcc
20260312,607100000001,10000001,898000000000001,000001,20260312101000,01,622848******1111,500,1,5411
20260312,607100000002,10000001,898000000000001,000001,20260312101100,01,622848******1111,70000,1,5411
";

fn onus(folder: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_onus")).current_dir(folder).arg("reconcile").args(args).output().unwrap()
}

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("s.csv"), SWITCH).unwrap();
    fs::write(folder.path().join("c.csv"), CLEARING).unwrap();
    folder
}

const FILES: [&str; 6] = ["--switch", "s.csv", "--clearing", "c.csv", "--out", "breaks.csv"];

#[test]
fn breaks_end_with_three_and_say_where_they_stand() {
    let folder = folder();
    let output = onus(folder.path(), &FILES);
    assert_eq!(output.status.code(), Some(3), "{}", String::from_utf8_lossy(&output.stderr));
    let table = String::from_utf8(output.stdout).unwrap();
    assert!(table.contains("AMT_CLEAR                 1         0             693.00"), "{table}");
    let breaks = fs::read_to_string(folder.path().join("breaks.csv")).unwrap();
    let row = breaks.lines().nth(1).unwrap();
    assert!(row.starts_with("AMT_CLEAR,10000001,607100000002,898000000000001,"), "{row}");
    assert!(row.contains("s.csv@") && row.contains("c.csv@") && row.contains("hundredfold"), "{row}");
    let clean = CLEARING.replace(",70000,", ",700,");
    fs::write(folder.path().join("c.csv"), clean).unwrap();
    assert_eq!(onus(folder.path(), &FILES).status.code(), Some(0));
}

#[test]
fn compressed_files_and_other_formats_say_the_same() {
    let folder = folder();
    onus(folder.path(), &FILES);
    let plain = fs::read_to_string(folder.path().join("breaks.csv")).unwrap();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(SWITCH.as_bytes()).unwrap();
    fs::write(folder.path().join("s.csv"), gzip.finish().unwrap()).unwrap();
    fs::write(folder.path().join("c.csv"), zstd::encode_all(CLEARING.as_bytes(), 1).unwrap()).unwrap();
    assert_eq!(onus(folder.path(), &FILES).status.code(), Some(3));
    assert_eq!(fs::read_to_string(folder.path().join("breaks.csv")).unwrap(), plain);
    let json = [&FILES[..5], &["b.jsonl", "--format", "jsonl", "--quiet"]].concat();
    assert_eq!(onus(folder.path(), &json).status.code(), Some(3));
    let line: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(folder.path().join("b.jsonl")).unwrap()).unwrap();
    assert_eq!((&line["class"], &line["c_amount"]), (&"AMT_CLEAR".into(), &70_000.into()));
}

#[test]
fn a_file_that_came_before_is_refused() {
    let folder = folder();
    let args = [&FILES[..], &["--seen", "seen.txt"]].concat();
    assert_eq!(onus(folder.path(), &args).status.code(), Some(3));
    let output = onus(folder.path(), &args);
    assert_eq!(output.status.code(), Some(3));
    let table = String::from_utf8(output.stdout).unwrap();
    assert!(table.contains("FILE_BAD: an earlier run had the same content as s.csv"), "{table}");
    assert!(table.contains("nothing was matched"), "{table}");
    let breaks = fs::read_to_string(folder.path().join("breaks.csv")).unwrap();
    assert!(breaks.lines().skip(1).all(|line| line.starts_with("FILE_BAD,")), "{breaks}");
    fs::copy(folder.path().join("s.csv"), folder.path().join("again.csv")).unwrap();
    let twice = [&FILES[..], &["--switch", "again.csv"]].concat();
    let table = String::from_utf8(onus(folder.path(), &twice).stdout).unwrap();
    assert!(table.contains("FILE_BAD: same content as again.csv"), "{table}");
}

#[test]
fn refused_rows_stand_beside_the_results() {
    let folder = folder();
    fs::write(folder.path().join("c.csv"), CLEARING.replace(",500,1,", ",5.00,1,")).unwrap();
    onus(folder.path(), &FILES);
    let rejects = fs::read_to_string(folder.path().join("breaks_rejects.csv")).unwrap();
    let expected = "c.csv,2,91,amount,\"expected a whole number of fen, at most 15 digits, found \"\"5.00\"\"\"";
    assert_eq!(rejects.lines().nth(1), Some(expected));
}

#[test]
fn what_cannot_be_read_ends_with_one() {
    let folder = folder();
    let output = onus(folder.path(), &["--switch", "none.csv", "--out", "breaks.csv"]);
    assert_eq!(output.status.code(), Some(1));
    fs::write(folder.path().join("c.csv"), "a,b\n").unwrap();
    let output = onus(folder.path(), &FILES);
    assert_eq!(output.status.code(), Some(1));
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(error.contains("c.csv: the header has no column"), "{error}");
    assert!(!folder.path().join("breaks.csv").exists());
}
