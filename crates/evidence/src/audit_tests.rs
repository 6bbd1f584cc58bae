//! Every way to tamper with a small log, and what the report says.

use super::*;
use crate::note::SigningKey;

type Entry = (u64, Vec<u8>, Vec<u8>);
type Head = (u64, Vec<u8>, String);

fn key() -> SigningKey {
    SigningKey::from_seed("onus.example/log", [9; 32]).unwrap()
}

fn body(index: u64) -> Vec<u8> {
    format!("{{\"payment\":{index}}}").into_bytes()
}

/// Twelve entries, checkpoints at 4, 8 and 10.
fn log() -> (Vec<Entry>, Vec<Head>) {
    let mut frontier = Frontier::empty();
    let (mut entries, mut heads) = (Vec::new(), Vec::new());
    for index in 0..12 {
        let leaf = leaf_hash(&body(index));
        frontier.append(leaf);
        entries.push((index, leaf.as_ref().to_vec(), body(index)));
        if [4, 8, 10].contains(&frontier.size()) {
            let note = key().sign_head(frontier.size(), frontier.root());
            heads.push((frontier.size(), frontier.root().as_ref().to_vec(), note));
        }
    }
    (entries, heads)
}

fn check(entries: &[Entry], heads: &[Head]) -> LogReport {
    verify_log(entries.iter().map(|(i, h, b)| (*i, h, b)), heads, &key().verifying_key())
}

fn texts(report: &LogReport) -> Vec<String> {
    report.faults.iter().map(Fault::to_string).collect()
}

#[test]
fn a_sound_log() {
    let (entries, heads) = log();
    let report = check(&entries, &heads);
    assert!(report.is_sound());
    assert_eq!(report.entries, 12);
    assert_eq!(report.checkpoints_verified, 3);
    assert_eq!(report.covered, 10);
    let empty =
        check(&[], &[(0, Hash::of_empty_log().as_ref().to_vec(), { key().sign_head(0, Hash::of_empty_log()) })]);
    assert!(empty.is_sound() && empty.checkpoints_verified == 1);
}

#[test]
fn every_flipped_bit_of_a_body_or_leaf_hash_names_the_entry() {
    let (entries, heads) = log();
    for position in 0..entries.len() {
        let index = position as u64;
        let signed = index < 10;
        for bit in 0..entries[position].2.len() * 8 {
            let mut tampered = entries.clone();
            tampered[position].2[bit / 8] ^= 1 << (bit % 8);
            let altered = if signed { Altered::Body } else { Altered::Unclear };
            assert_eq!(check(&tampered, &heads).faults, [Fault::EntryAltered { index, altered }]);
        }
        for bit in 0..256 {
            let mut tampered = entries.clone();
            tampered[position].1[bit / 8] ^= 1 << (bit % 8);
            let altered = if signed { Altered::LeafHash } else { Altered::Unclear };
            assert_eq!(check(&tampered, &heads).faults, [Fault::EntryAltered { index, altered }]);
        }
    }
}

#[test]
fn a_leaf_hash_cut_short_is_named() {
    let (mut entries, heads) = log();
    entries[6].1.pop();
    assert_eq!(texts(&check(&entries, &heads)), ["entry 6: its stored leaf hash was altered"]);
}

#[test]
fn a_consistent_rewrite_names_the_range_since_the_last_good_checkpoint() {
    for (index, from, to) in [(0, 0, 4), (3, 0, 4), (4, 4, 8), (7, 4, 8), (9, 8, 10)] {
        let (mut entries, heads) = log();
        let forged = b"{\"payment\":\"forged\"}".to_vec();
        entries[index] = (index as u64, leaf_hash(&forged).as_ref().to_vec(), forged.clone());
        let report = check(&entries, &heads);
        assert_eq!(report.faults, [Fault::RootMismatch { from, to }]);
        assert_eq!(report.covered, from);
        assert_eq!(report.checkpoints_verified + report.checkpoints_failed, 3);
    }
}

#[test]
fn faults_on_both_sides_of_a_checkpoint_are_told_apart() {
    let (mut entries, heads) = log();
    entries[1].2[0] ^= 1;
    entries[5].1[0] ^= 1;
    assert_eq!(
        texts(&check(&entries, &heads)),
        ["entry 1: its body was altered", "entry 5: its stored leaf hash was altered"]
    );
}

#[test]
fn removed_repeated_and_truncated_entries() {
    let (entries, heads) = log();
    let mut gap = entries.clone();
    gap.remove(5);
    assert_eq!(
        texts(&check(&gap, &heads)),
        ["entries 5 to 5 are missing", "entries 4 to 7 do not lead to the root signed at 8"]
    );
    let mut renumbered = gap;
    for (position, entry) in renumbered.iter_mut().enumerate() {
        entry.0 = position as u64;
    }
    assert_eq!(check(&renumbered, &heads).faults, [Fault::RootMismatch { from: 4, to: 8 }]);
    let mut repeated = entries.clone();
    repeated.insert(6, entries[2].clone());
    let report = check(&repeated, &heads);
    assert_eq!(report.faults, [Fault::EntryRepeated { index: 2 }]);
    assert_eq!(report.covered, 10);
    assert_eq!(texts(&check(&entries[..9], &heads)), ["10 entries were signed, entries 9 to 9 are gone"]);
    assert_eq!(check(&[], &heads).faults, [Fault::EntriesRemoved { from: 0, to: 10 }]);
    let gone: Vec<Entry> = entries[..2].iter().chain(&entries[9..]).cloned().collect();
    assert_eq!(
        check(&gone, &heads).faults,
        [Fault::EntriesMissing { from: 2, to: 9 }, Fault::RootMismatch { from: 0, to: 4 }]
    );
}

#[test]
fn tampered_checkpoints() {
    let (entries, heads) = log();
    let mut forged = heads.clone();
    forged[1].2 = forged[1].2.replace("\n8\n", "\n7\n");
    let report = check(&entries, &forged);
    assert!(matches!(report.faults[..], [Fault::BadSignature { size: 8, .. }]));
    assert_eq!(report.checkpoints_verified, 2);
    assert_eq!(report.covered, 10);

    let mut row = heads.clone();
    row[2].1[31] ^= 1;
    assert_eq!(check(&entries, &row).faults, [Fault::CheckpointAltered { size: 10, signed_size: 10 }]);

    let mut split = heads.clone();
    let other = Hash::of_empty_log();
    split.push((4, other.as_ref().to_vec(), key().sign_head(4, other)));
    let report = check(&entries, &split);
    assert_eq!(report.faults, [Fault::SplitView { size: 4 }]);
    assert_eq!(report.covered, 10);

    let stranger = SigningKey::from_seed("elsewhere.example", [1; 32]).unwrap();
    let report = verify_log(entries.iter().map(|(i, h, b)| (*i, h, b)), &heads, &stranger.verifying_key());
    assert_eq!(report.faults.len(), 3);
    assert_eq!(report.covered, 0);
}

#[test]
fn the_report_stays_small() {
    let key = key();
    let none: [Head; 0] = [];
    let report = verify_log((0..3000u64).map(|i| (i, [0u8; 32], body(i))), &none, &key.verifying_key());
    assert_eq!(report.faults.len(), MAX_FAULTS);
    assert_eq!(report.faults_omitted, 2000);
}
