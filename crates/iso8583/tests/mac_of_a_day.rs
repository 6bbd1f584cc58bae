//! The codes in field 64 of a whole captured day, checked with the day's keys.
//!
//! The day comes from the generator beside the repository; without it these tests say so and pass.

#![allow(clippy::expect_used, reason = "a test may")]

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use onus_iso8583::Dialect;
use onus_iso8583::mac::{MacKey, MacProfile};

/// Bytes before the message type: routing header and application header.
const HEADERS: usize = 11;

fn generator() -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/tools/cityday");
    if path.is_dir() {
        return Some(path);
    }
    eprintln!("not checked: the day generator is not there ({})", path.display());
    None
}

/// A day as it was captured on the terminal side.
struct Day {
    /// Direction (0 from the terminal, 1 to it) and bytes.
    frames: Vec<(u8, Vec<u8>)>,
    /// By terminal.
    keys: HashMap<Vec<u8>, MacKey>,
}

fn day(generator: &Path, seed: &str, scenario: &str) -> Day {
    let folder = tempfile::tempdir().expect("a folder");
    let mut command = Command::new("python3");
    command.arg(generator).arg(folder.path()).args(["--seed", seed, "--payments", "2000", "--scenario", scenario]);
    assert!(command.output().expect("python3 runs").status.success(), "{command:?}");
    let keys = std::fs::read_to_string(folder.path().join("keys/terminal_keys.csv")).expect("keys");
    let key = |line: &str| {
        let mut columns = line.split(',');
        let (tid, mak) = (columns.next()?, columns.nth(2)?);
        Some((tid.as_bytes().to_vec(), MacProfile::UNIONPAY.key_from_hex(mak).expect("a key")))
    };
    let mut frames = Vec::new();
    for file in std::fs::read_dir(folder.path().join("switch")).expect("captures") {
        let bytes = std::fs::read(file.expect("a file").path()).expect("reads");
        let mut rest = &bytes[..];
        while let [_, _, _, _, _, _, _, _, direction, _, _, high, low, after @ ..] = rest {
            let (frame, next) = after.split_at(usize::from(u16::from_be_bytes([*high, *low])));
            if *direction < 2 {
                frames.push((*direction, frame.to_vec()));
            }
            rest = next;
        }
    }
    Day { frames, keys: keys.lines().skip(1).filter_map(key).collect() }
}

/// Numbers of codes that fit and of those that do not, by direction and terminal.
#[derive(Debug, Default, PartialEq, Eq)]
struct Tally {
    good: usize,
    bad_requests: HashMap<Vec<u8>, usize>,
    bad_replies: HashMap<Vec<u8>, usize>,
    refused_for_their_code: HashMap<Vec<u8>, usize>,
}

fn tally(day: &Day) -> Tally {
    let dialect = Dialect::builtin("unionpay-pos").expect("built in");
    let mut tally = Tally::default();
    for (direction, frame) in &day.frames {
        let message = dialect.decode(frame).expect("decodes");
        let Some(place) = message.range(64) else { continue };
        let tid = message.text(41).expect("has its terminal").to_vec();
        if day.keys[&tid].verify(&frame[HEADERS..place.start], &frame[place]) {
            tally.good += 1;
        } else {
            let bad = if *direction == 0 { &mut tally.bad_requests } else { &mut tally.bad_replies };
            *bad.entry(tid.clone()).or_default() += 1;
        }
        if message.text(39) == Some(b"A0") && *direction == 1 {
            *tally.refused_for_their_code.entry(tid).or_default() += 1;
        }
    }
    tally
}

#[test]
fn every_code_of_a_day_fits() {
    let Some(generator) = generator() else { return };
    let day = day(&generator, "11", "none");
    let tally = tally(&day);
    assert!(tally.good > 4000, "{} codes", tally.good);
    assert_eq!(Tally { good: tally.good, ..Tally::default() }, tally);
}

#[test]
fn codes_of_terminals_with_lost_keys_do_not_fit_and_no_others() {
    let Some(generator) = generator() else { return };
    let day = day(&generator, "12", "keysync");
    let tally = tally(&day);
    assert!(tally.good > 3000 && !tally.bad_requests.is_empty(), "{tally:?}");
    assert_eq!(tally.bad_requests, tally.refused_for_their_code, "what the host refused with A0 is what does not fit");
}
