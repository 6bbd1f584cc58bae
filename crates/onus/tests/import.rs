//! What import does with files that come again, come damaged or hold what must not be kept.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may")]

mod installation;

use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::path::Path;

use installation::{Installation, assert_same, day, files_below, own_day, scratch};
use onus_iso8583::Dialect;
use serde_json::Value;

const CAPTURE: &str = "switch/switch_20260921.bin";
const JOURNAL: &str = "journal/journal_20260921.csv";
const HEAD: usize = 13;

/// First byte and frame length of each record of a capture.
fn records(capture: &[u8]) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(head) = capture.get(at..at + HEAD) {
        let len = usize::from(u16::from_be_bytes([head[11], head[12]]));
        found.push((at, len));
        at += HEAD + len;
    }
    found
}

/// Card numbers of captured frames, in full.
fn card_numbers(capture: &[u8]) -> HashSet<Vec<u8>> {
    let dialects = ["unionpay-pos", "unionpay-network"].map(|id| Dialect::builtin(id).unwrap());
    let pan = |(at, len): (usize, usize)| {
        let dialect = dialects[usize::from(capture[at + 8] / 2)];
        let message = dialect.decode(&capture[at + HEAD..at + HEAD + len]).unwrap();
        message.pan().map(|pan| pan.to_string().into_bytes())
    };
    let found: HashSet<_> = records(capture).into_iter().filter_map(pan).collect();
    assert!(found.len() > 1000 && found.iter().all(|pan| pan.starts_with(b"9999") && matches!(pan.len(), 16 | 19)));
    found
}

/// Known card numbers that stand in some bytes, as text or as packed digits at either half of a byte.
fn found_in(bytes: &[u8], known: &HashSet<Vec<u8>>) -> usize {
    let nibble =
        |at: usize| bytes.get(at / 2).map(|byte| b'0' + if at.is_multiple_of(2) { byte >> 4 } else { byte & 15 });
    let is_known = |digits: &dyn Fn(usize) -> Option<u8>| {
        [16, 19]
            .into_iter()
            .any(|len| (0..len).map(digits).collect::<Option<Vec<u8>>>().is_some_and(|text| known.contains(&text)))
    };
    let mut found = 0;
    for (at, four) in bytes.windows(4).enumerate() {
        found += usize::from(four == b"9999" && is_known(&|index| bytes.get(at + index).copied()));
        found += usize::from(four[0] == 0x99 && four[1] == 0x99 && is_known(&|index| nibble(at * 2 + index)));
        found += usize::from(
            four[0] & 15 == 9 && four[1] == 0x99 && four[2] >> 4 == 9 && is_known(&|index| nibble(at * 2 + 1 + index)),
        );
    }
    found
}

/// No byte that the installation keeps may give a full card number away.
fn assert_nothing_leaks(store: &Installation, known: &HashSet<Vec<u8>>) {
    let sealed = store.sealed();
    assert!(!sealed.is_empty());
    for path in sealed {
        let content = zstd::decode_all(fs::File::open(&path).unwrap()).unwrap();
        assert_eq!(found_in(&content, known), 0, "card numbers in {}", path.display());
    }
    for path in
        files_below(store.path()).into_iter().filter(|path| path.extension().is_none_or(|extension| extension != "zst"))
    {
        assert_eq!(found_in(&fs::read(&path).unwrap(), known), 0, "card numbers in {}", path.display());
    }
}

fn by_name(report: &Value) -> BTreeMap<String, Value> {
    report["files"]
        .as_array()
        .unwrap()
        .iter()
        .map(|file| (file["name"].as_str().unwrap().to_owned(), file.clone()))
        .collect()
}

fn edit(folder: &Path, name: &str, change: impl FnOnce(&mut Vec<u8>)) {
    let path = folder.join(name);
    let mut bytes = fs::read(&path).unwrap();
    change(&mut bytes);
    fs::write(&path, bytes).unwrap();
}

#[test]
fn the_same_folder_again_changes_nothing() {
    let store = Installation::with_demo_day();
    let before = store.dump();
    let report = store.import(&day()).expect_code(0).json();
    assert_same(&store.dump(), &before, "imported again");
    assert_eq!(report["judged"], Value::Null);
    for (name, file) in by_name(&report) {
        assert!(file["note"].as_str().unwrap().contains("known already"), "{name}: {file}");
    }
    let told = store.onus(&["import", day().to_str().unwrap()]).expect_code(0);
    assert!(told.out.contains("nothing new: no verdict changed"), "{}", told.out);
}

#[test]
fn a_known_file_under_another_name_changes_nothing() {
    let store = Installation::with_demo_day();
    let before = store.dump();
    let renamed = scratch();
    fs::create_dir(renamed.path().join("payout")).unwrap();
    fs::copy(day().join("payout/payout_20260925.csv"), renamed.path().join("payout/again.csv")).unwrap();
    store.import(renamed.path()).expect_code(0);
    assert_same(&store.dump(), &before, "imported under another name");
}

#[test]
fn nothing_kept_holds_a_full_card_number() {
    let capture = fs::read(day().join(CAPTURE)).unwrap();
    let known = card_numbers(&capture);
    assert!(found_in(&capture, &known) > known.len(), "the search finds what the capture does hold");
    assert_nothing_leaks(&Installation::with_demo_day(), &known);
}

/// A day with one thing wrong of each sort.
struct Damaged {
    folder: tempfile::TempDir,
    known: HashSet<Vec<u8>>,
    /// Capture: offset of the frame that was garbled, of the record whose header was, of the record that was cut.
    frame: usize,
    header: usize,
    cut: usize,
    /// Journal: line that holds a full card number, first byte of the line that was cut.
    pan_line: usize,
    journal_cut: usize,
}

fn damaged() -> Damaged {
    let folder = own_day();
    let capture = fs::read(folder.path().join(CAPTURE)).unwrap();
    let known = card_numbers(&capture);
    let places = records(&capture);
    let is_sale = |at: usize| capture[at + 8] == 0 && capture[at + HEAD + 11..at + HEAD + 13] == [2, 0];
    let frame = places.iter().map(|(at, _)| *at).skip(100).find(|at| is_sale(*at)).unwrap();
    let ((header, _), (cut, _)) = (places[2000], places[places.len() - 1]);
    edit(folder.path(), CAPTURE, |bytes| {
        // A bitmap that promises fields which are not there; a direction that no record has; an end within a frame.
        bytes[frame + HEAD + 13..frame + HEAD + 21].fill(0xff);
        bytes[header + 8] = 0x77;
        bytes.truncate(cut + HEAD + 9);
    });
    let mut pan_line = 0;
    let mut journal_cut = 0;
    edit(folder.path(), JOURNAL, |bytes| {
        let text = String::from_utf8(bytes.clone()).unwrap();
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        pan_line = (1..lines.len())
            .rfind(|index| lines[*index].contains("******") && lines[*index].contains(",SALE,"))
            .unwrap()
            - 50;
        let line = &mut lines[pan_line];
        let masked = line.split(',').nth(9).unwrap().to_owned();
        let full = known.iter().find(|pan| pan.len() == masked.len()).unwrap();
        *line = line.replace(&masked, std::str::from_utf8(full).unwrap());
        pan_line += 1;
        let last = lines.pop().unwrap();
        let whole = lines.join("\n") + "\n";
        journal_cut = whole.len();
        *bytes = (whole + &last[..last.len() / 2]).into_bytes();
    });
    let clearing = fs::read_to_string(folder.path().join("clearing/clearing_20260922.csv")).unwrap();
    fs::write(folder.path().join("clearing/no_sign.csv"), clearing.replacen(",sign,", ",no_sign,", 1)).unwrap();
    Damaged { folder, known, frame, header, cut, pan_line, journal_cut }
}

#[test]
fn damaged_files_are_read_as_far_as_they_go() {
    let damaged = damaged();
    let store = Installation::empty();
    let report = by_name(&store.import(damaged.folder.path()).expect_code(0).json());
    let whole = by_name(&Installation::empty().import(&day()).expect_code(0).json());
    let rejects = store.onus(&["rejects", "--format", "jsonl"]).expect_code(0).lines();
    let of = |name: &str| rejects.iter().filter(|reject| reject["file"] == name).collect::<Vec<_>>();
    let accepted = |report: &BTreeMap<String, Value>, name: &str| report[name]["accepted"].as_u64().unwrap();

    let capture = of(CAPTURE);
    let places: Vec<_> = capture
        .iter()
        .map(|reject| (reject["offset"].as_u64().unwrap() as usize, reject["code"].as_str().unwrap()))
        .collect();
    assert_eq!(
        places,
        [(damaged.frame, "frame"), (damaged.header, "framing"), (damaged.cut, "truncated")],
        "{capture:#?}"
    );
    assert_eq!(accepted(&report, CAPTURE), accepted(&whole, CAPTURE) - 3);

    let journal = of(JOURNAL);
    assert_eq!(journal.len(), 1, "{journal:#?}");
    assert_eq!(
        (journal[0]["code"].as_str(), journal[0]["offset"].as_u64()),
        (Some("truncated"), Some(damaged.journal_cut as u64))
    );
    assert_eq!(accepted(&report, JOURNAL), accepted(&whole, JOURNAL) - 1);

    let missing = of("clearing/no_sign.csv");
    assert_eq!(
        (missing[0]["line"].as_u64(), missing[0]["field"].as_str(), missing[0]["code"].as_str()),
        (Some(1), Some("sign"), Some("columns"))
    );
    assert_eq!(
        missing.len() as u64,
        accepted(&whole, "clearing/clearing_20260922.csv") + 1,
        "the header and every row are refused"
    );

    for (name, file) in &whole {
        if ![CAPTURE, JOURNAL].contains(&name.as_str()) {
            assert_eq!(file, &report[name], "{name} was not touched");
        }
    }
    for reject in &rejects {
        for key in ["file", "file_id", "offset", "length", "field", "code", "detail"] {
            assert!(!reject[key].is_null(), "no {key} in {reject}");
        }
    }
    assert_nothing_leaks(&store, &damaged.known);
    the_line_with_a_card_number_is_masked(&store, damaged.pan_line);
    store.onus(&["verify"]).expect_code(0);

    let table = store.onus(&["rejects", "--file", JOURNAL]).expect_code(0).out;
    assert!(table.starts_with(&format!("{JOURNAL}: line ")) && table.contains("1 rows refused"), "{table}");
}

fn the_line_with_a_card_number_is_masked(store: &Installation, line: usize) {
    let path: String =
        store.open().query_row("select sealed_path from files where name = ?1", [JOURNAL], |row| row.get(0)).unwrap();
    let content = zstd::decode_all(fs::File::open(store.path().join("vault").join(path)).unwrap()).unwrap();
    let text = String::from_utf8(content).unwrap();
    let kept = text.lines().nth(line - 1).unwrap();
    assert!(kept.split(',').nth(9).unwrap().contains("******"), "{kept}");
}

#[test]
fn card_numbers_in_words_are_masked() {
    let folder = scratch();
    for name in ["claims/claims.jsonl", "claims/slips.csv", "notices/notices.csv", "disputes/notices.csv", CAPTURE] {
        fs::create_dir_all(folder.path().join(name).parent().unwrap()).unwrap();
        fs::copy(day().join(name), folder.path().join(name)).unwrap();
    }
    let known = card_numbers(&fs::read(day().join(CAPTURE)).unwrap());
    fs::remove_file(folder.path().join(CAPTURE)).unwrap();
    let pan = String::from_utf8(known.iter().next().unwrap().clone()).unwrap();
    let in_words = |name: &str, from: &str, to: &str| {
        edit(folder.path(), name, |bytes| {
            let text = String::from_utf8(bytes.clone()).unwrap();
            let changed = text.replacen(from, &to.replace("PAN", &pan), 1);
            assert_ne!(changed, text, "{name}: nothing to replace");
            *bytes = changed.into_bytes();
        });
    };
    in_words("claims/claims.jsonl", "\"text\": \"", "\"text\": \"PAN ");
    in_words("claims/claims.jsonl", "\"channel\": \"", "\"channel\": \"PAN ");
    in_words("claims/slips.csv", ",\n2026", ",card PAN on it\n2026");
    in_words("disputes/notices.csv", ",\nDC", ",card PAN was lost\nDC");
    in_words("notices/notices.csv", "we are", "card PAN: we are");
    let store = Installation::empty();
    let report = store.import(folder.path()).expect_code(0).json();
    assert!(report["files"].as_array().unwrap().iter().all(|file| file["rejected"] == 0), "{report}");
    assert_nothing_leaks(&store, &known);
}

#[test]
fn only_an_import_that_read_nothing_fails() {
    let store = Installation::empty();
    let none = store.import(&store.path().join("not there"));
    assert!(none.code == Some(1) && none.err.contains("not there"), "{none:?}");
    let empty = scratch();
    store.import(empty.path()).expect_code(1);
    fs::create_dir(empty.path().join("journal")).unwrap();
    fs::write(empty.path().join("journal/garbage.csv"), [0xff, 0, b',', b'\n', 7, 8, 9, b'\n']).unwrap();
    let report = store.import(empty.path()).expect_code(0).json();
    assert_eq!((&report["files"][0]["accepted"], &report["files"][0]["rejected"]), (&Value::from(0), &Value::from(2)));
}

#[test]
fn keys_are_never_sealed() {
    let folder = scratch();
    fs::create_dir(folder.path().join("keys")).unwrap();
    fs::write(folder.path().join("keys/terminal_keys.csv"), "tid,tmk\n1,0011223344556677\n").unwrap();
    fs::create_dir(folder.path().join("payout")).unwrap();
    fs::copy(day().join("payout/payout_20260925.csv"), folder.path().join("payout/p.csv")).unwrap();
    let store = Installation::empty();
    let report = store.import(folder.path()).expect_code(0).json();
    assert_eq!(report["left"][0][0], "keys/terminal_keys.csv", "{report}");
    assert_eq!(store.sealed().len(), 1);
}
