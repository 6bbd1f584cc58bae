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
    let output = onus(&[&file, "--format", "json"]);
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(error.contains("1 lines left out") && error.contains("x.csv line 3: column real"), "{error}");
    assert_eq!(lines(&output)[0]["rejected"], 1);
    for (text, wanted) in [
        ("a,b\n1,2\n", "--failures and --total"),
        ("", "the file is empty"),
        ("a,real,predict\n", "no line with numbers"),
        ("a,real,predict\na1,,2\n", "no line with numbers"),
        ("a,real,predict\na1,many,2\na2,few,1\n", "y.csv line 2: column real: \"many\" is not a number"),
        ("a,real,predict\na1,1\n", "2 fields, but the first line names 3"),
    ] {
        let file = write(folder.path(), "y.csv", text);
        let output = onus(&[&file, "--format", "json"]);
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && error.contains(wanted), "{text:?}: {error}");
        assert!(String::from_utf8_lossy(&output.stdout).contains(r#""scopes":[]"#), "{text:?} has its line");
    }
}

#[test]
fn files_that_do_not_read_do_not_keep_others_from_being_answered() {
    let folder = tempfile::tempdir().expect("a folder");
    write(folder.path(), "1.csv", "nothing of use\n1\n");
    write(folder.path(), "2.csv", &failures("min"));
    write(folder.path(), "3.csv", "");
    write(folder.path(), ".hidden.csv", "");
    write(folder.path(), "notes.txt", "not an incident");
    let output = onus(&[&folder.path().display().to_string(), "--format", "json"]);
    let found: Vec<String> = lines(&output).iter().map(|line| format!("{} {}", line["id"], line["scopes"])).collect();
    assert_eq!(found, [r#""1" []"#, r#""2" ["link=2"]"#, r#""3" []"#]);
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(error.contains("1.csv") && error.contains("3.csv"), "{error}");
}

/// The same incident, written in the ways in which people write files.
#[test]
fn odd_files_read_alike() {
    let folder = tempfile::tempdir().expect("a folder");
    let plain = failures("min");
    let with_column = |name: &str, value: &str| -> String {
        plain.lines().enumerate().map(|(at, line)| format!("{},{line}\n", if at == 0 { name } else { value })).collect()
    };
    let (head, last) = (plain.lines().next().expect("a header"), plain.lines().last().expect("a line"));
    for (what, text) in [
        ("a mark of byte order and Windows lines", format!("\u{feff}{}", plain.replace('\n', "\r\n"))),
        ("semicolons", plain.replace(',', ";")),
        ("tabs", plain.replace(',', "\t")),
        ("names in capitals, with spaces", plain.replace(head, " MIN , link, issuer , Value, CNT ")),
        ("other names", plain.replace(head, "Timestamp,link,issuer,fail_count,total_count")),
        ("a column of one value", with_column("region", "north")),
        ("a column without any value", with_column("region", "")),
        ("a column of row numbers", with_column("Unnamed: 0", "7")),
        ("unknown numbers", format!("{plain}1566398100,1,0,NaN,100\n1566398100,1,0,,100\n1566398100,1,0,5,null\n")),
        ("rows without attempts", format!("{plain}1566398100,1,0,0,0\n1566398100,3,9,0,0\n")),
        ("a broken last line", format!("{plain}{}", last.get(..12).expect("half a line"))),
        ("more failures than attempts", plain.replace(",40,100", ",140,100")),
    ] {
        let file = write(folder.path(), "x.csv", &text);
        let found = lines(&onus(&[&file, "--format", "json"]));
        assert_eq!(found[0]["scopes"].to_string(), r#"["link=2"]"#, "{what}");
    }
    let bytes: Vec<u8> =
        plain.replace(",2,", ",@,").bytes().map(|byte| if byte == b'@' { 0xb1 } else { byte }).collect();
    fs::write(folder.path().join("x.csv"), bytes).expect("writes");
    let found = lines(&onus(&[&folder.path().display().to_string(), "--format", "json"]));
    assert_eq!(found[0]["scopes"].to_string(), r#"["link=\\xb1"]"#, "bytes that are no UTF-8");
}

#[test]
fn history_may_be_long_short_or_missing() {
    let folder = tempfile::tempdir().expect("a folder");
    let plain = failures("min");
    let of = |keep: &dyn Fn(&str) -> bool| -> String {
        plain.lines().filter(|line| line.starts_with("min") || keep(line)).map(|line| format!("{line}\n")).collect()
    };
    let mut long = String::from("min,link,issuer,value,cnt\n");
    for minute in 0..2_000 {
        for row in 0..24 {
            let failed = if minute == 1_999 && row % 4 == 2 { 40 } else { 1 + (row + minute) % 3 };
            writeln!(long, "{minute},{},{},{failed},100", row % 4, row / 4).expect("a text");
        }
    }
    for (what, text) in [
        ("one minute of history", of(&|line| line.starts_with("1566398100") || line.starts_with("1566398040"))),
        ("no history", of(&|line| line.starts_with("1566398100"))),
        (
            "no column of time",
            of(&|line| line.starts_with("1566398100")).replace("1566398100,", "").replace("min,", ""),
        ),
        ("a day and more", long),
    ] {
        let file = write(folder.path(), "x.csv", &text);
        let found = lines(&onus(&[&file, "--format", "json"]));
        assert_eq!(found[0]["scopes"].to_string(), r#"["link=2"]"#, "{what}");
    }
    let quiet = of(&|line| !line.starts_with("1566398100"));
    let file = write(folder.path(), "x.csv", &quiet);
    assert_eq!(lines(&onus(&[&file, "--format", "json"]))[0]["scopes"].to_string(), "[]", "nothing is wrong");
}
