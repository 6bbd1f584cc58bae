//! Every frame of a freshly made capture decodes, and masks to a frame that decodes.

#![allow(clippy::expect_used, clippy::panic, reason = "a test may")]

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use onus_iso8583::Dialect;

/// Records of a capture: direction and frame.
fn records(mut bytes: &[u8]) -> Vec<(u8, &[u8])> {
    let mut records = Vec::new();
    while let Some((head, rest)) = bytes.split_at_checked(13) {
        let length = usize::from(u16::from_be_bytes([head[11], head[12]]));
        let (frame, rest) = rest.split_at(length);
        records.push((head[8], frame));
        bytes = rest;
    }
    assert!(bytes.is_empty(), "the capture ends with a whole record");
    records
}

#[test]
fn every_frame_of_a_fresh_capture_decodes() {
    let tool = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/tools/cityday");
    if !tool.exists() {
        println!("not run: the tool that makes city days is not here");
        return;
    }
    let out = tempfile::tempdir().expect("a folder");
    let made = Command::new("python3")
        .arg(&tool)
        .arg(out.path().join("day"))
        .args(["--seed", "5", "--payments", "500"])
        .output()
        .expect("python3 runs");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let mut counts = BTreeMap::new();
    for entry in std::fs::read_dir(out.path().join("day/switch")).expect("captures") {
        let bytes = std::fs::read(entry.expect("a capture").path()).expect("is read");
        for (index, (direction, frame)) in records(&bytes).into_iter().enumerate() {
            *counts.entry((direction, check(index, direction, frame))).or_insert(0) += 1;
        }
    }
    println!("frames by direction and type: {counts:X?}");
    for expected in [
        (0, 0x0200),
        (1, 0x0210),
        (0, 0x0220),
        (1, 0x0230),
        (0, 0x0400),
        (1, 0x0410),
        (0, 0x0500),
        (1, 0x0510),
        (0, 0x0800),
        (1, 0x0810),
        (0, 0x0820),
        (1, 0x0830),
        (2, 0x0200),
        (3, 0x0210),
        (2, 0x0220),
        (3, 0x0230),
        (2, 0x0420),
        (3, 0x0430),
        (2, 0x0820),
        (3, 0x0830),
    ] {
        assert!(counts.get(&expected).is_some_and(|count| *count > 0), "none of {expected:X?}");
    }
}

/// Decodes, reads and masks one frame; gives its message type.
fn check(index: usize, direction: u8, frame: &[u8]) -> u16 {
    let id = if direction < 2 { "unionpay-pos" } else { "unionpay-network" };
    let dialect = Dialect::builtin(id).expect("built in");
    let message = dialect.decode(frame).unwrap_or_else(|error| panic!("frame {index}: {error}"));
    for number in message.fields().iter() {
        assert!(message.value(number).is_some(), "frame {index} field {number}");
    }
    if let Some(pan) = message.pan() {
        let pan = pan.to_string();
        assert!(pan.starts_with("9999") && matches!(pan.len(), 16 | 19), "frame {index}");
        assert!(!message.describe().to_string().contains(&pan), "frame {index}");
    }
    let mut masked = frame.to_vec();
    let report = dialect.mask_in_place(&mut masked).expect("decodes");
    assert!(report.changed() || message.pan().is_none(), "frame {index}");
    let after = dialect.decode(&masked).expect("a masked frame decodes");
    for number in message.fields().iter().filter(|number| !report.fields.contains(*number)) {
        assert_eq!(message.raw(number), after.raw(number), "frame {index} field {number}");
    }
    assert!(!dialect.mask_in_place(&mut masked).expect("decodes").changed(), "frame {index}");
    message.mti()
}
