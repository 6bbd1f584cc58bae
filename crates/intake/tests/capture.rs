//! Captured traffic with bytes gone wrong: one fault costs the record that it hits and no other.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may")]

mod gathered;

use gathered::read;
use onus_intake::{FileKind, Row};
use proptest::prelude::*;

/// A sale as a terminal sends it.
const SALE: &[u8] = b"\x60\x00\x12\x00\x00\x60\x31\x00\x03\x01\x02\x02\x00\
    \x50\x00\x00\x00\x00\x80\x00\x10\
    \x16\x99\x99\x05\x68\x37\x00\x66\x97\
    \x00\x00\x00\x00\x65\x00\
    52306680\
    \x00\x11\x22\x00\x06\x66\x00\x00";
/// 2026-09-21 in microseconds.
const START: u64 = 1_790_000_000_000_000;
const HEAD: usize = 13;
const RECORD: usize = HEAD + SALE.len();

fn capture(n_records: usize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(n_records * RECORD);
    for index in 0..n_records {
        bytes.extend((START + index as u64 * 1000).to_be_bytes());
        bytes.push(0);
        bytes.extend(11_u16.to_be_bytes());
        bytes.extend(u16::try_from(SALE.len()).unwrap().to_be_bytes());
        bytes.extend(SALE);
    }
    bytes
}

/// Numbers of the records that were read.
fn numbers(rows: &[Row]) -> Vec<usize> {
    let number = |row: &Row| match row {
        Row::Frame(frame) => {
            assert_eq!((frame.fields.mti, frame.fields.amount_minor), (200, 6500));
            usize::try_from(frame.span.offset).unwrap() / RECORD
        }
        other => panic!("{other:?}"),
    };
    rows.iter().map(number).collect()
}

#[test]
fn an_undamaged_capture_reads_whole() {
    let found = read(FileKind::Switch, &capture(20_000));
    assert_eq!((found.rows.len(), found.rejects.len()), (20_000, 0));
}

#[test]
fn one_record_or_none_is_a_capture() {
    assert_eq!(read(FileKind::Switch, &capture(1)).rows.len(), 1);
    assert_eq!(read(FileKind::Switch, &[]).rows.len(), 0);
}

#[test]
fn one_garbled_head_costs_one_record_over_many_blocks() {
    // Length, direction and clock; in the first record, within a block and in the last record.
    let n_records = 20_000;
    // The first record needs the second one as a witness of its clock, so the second one is left whole.
    for record in [0, 777, n_records - 2] {
        for (at, byte) in [(11, 0xff), (11, 2), (8, 9), (1, 7)] {
            let mut bytes = capture(n_records);
            assert!(bytes.len() > 1 << 20, "several blocks");
            bytes[record * RECORD + at] = byte;
            let found = read(FileKind::Switch, &bytes);
            let expected: Vec<_> = (0..n_records).filter(|index| *index != record).collect();
            let read = numbers(&found.rows);
            let lost: Vec<_> = expected.iter().filter(|index| read.binary_search(index).is_err()).take(5).collect();
            assert!(read == expected, "record {record} byte {at}: lost {lost:?}, rejects {:?}", found.rejects);
            assert!(found.uncovered().is_empty());
        }
    }
}

#[test]
fn bytes_put_in_and_taken_out_cost_what_they_hit() {
    let whole = capture(40_000);
    for at in [RECORD * 500, RECORD * 500 + 30, RECORD * 25_000 + 5] {
        let put_in = [&whole[..at], &[0xab; 1000], &whole[at..]].concat();
        let found = read(FileKind::Switch, &put_in);
        assert!(found.rows.len() >= 39_998, "{} rows, {:?}", found.rows.len(), found.rejects);
        assert!(found.uncovered().is_empty());
        let taken_out = [&whole[..at], &whole[at + 700..]].concat();
        let found = read(FileKind::Switch, &taken_out);
        assert!(found.rows.len() >= 40_000 - 700 / RECORD - 3, "{} rows, {:?}", found.rows.len(), found.rejects);
        assert!(found.uncovered().is_empty());
    }
}

#[test]
fn a_frame_that_does_not_decode_is_not_kept() {
    let mut bytes = capture(10);
    bytes[RECORD * 4 + HEAD + 13..RECORD * 4 + HEAD + 21].fill(0xff);
    let found = read(FileKind::Switch, &bytes);
    assert_eq!(numbers(&found.rows), [0, 1, 2, 3, 5, 6, 7, 8, 9]);
    assert_eq!(
        (found.rejects[0].error.code, found.rejects[0].offset, found.rejects[0].len),
        ("frame", (RECORD * 4) as u64, RECORD as u64)
    );
    let card = b"\x99\x99\x05\x68\x37\x00\x66\x97";
    assert!(found.original.windows(8).any(|bytes| bytes == card));
    assert!(!found.kept.windows(8).any(|bytes| bytes == card), "a card number is kept");
}

#[test]
fn an_end_within_a_record_is_told_and_not_kept() {
    for cut in [1, 12, 13, 30, RECORD - 1] {
        let bytes = &capture(5)[..RECORD * 4 + cut];
        let found = read(FileKind::Switch, bytes);
        assert_eq!(numbers(&found.rows), [0, 1, 2, 3], "cut at {cut}");
        assert_eq!(
            (found.rejects.len(), found.rejects[0].offset, found.rejects[0].len),
            (1, (RECORD * 4) as u64, cut as u64),
            "cut at {cut}"
        );
        assert!(found.kept[(RECORD * 4 + HEAD).min(bytes.len())..].iter().all(|byte| *byte == 0));
    }
}

proptest! {
    #[test]
    fn any_damage_costs_little_and_loses_no_byte(places in proptest::collection::vec((0_usize..200 * RECORD, any::<u8>()), 0..12)) {
        let mut bytes = capture(200);
        for (at, byte) in &places {
            bytes[*at] = *byte;
        }
        let found = read(FileKind::Switch, &bytes);
        prop_assert!(found.uncovered().is_empty());
        // A length can swallow the record after it, and a record alone between two gaps has no witness for its clock.
        prop_assert!(found.rows.len() + 4 * places.len() >= 200, "{} rows left after {} faults", found.rows.len(), places.len());
        let again = read(FileKind::Switch, &found.kept);
        prop_assert_eq!(&again.kept, &found.kept);
        prop_assert_eq!(format!("{:?}", again.rows), format!("{:?}", found.rows));
    }
}

/// What can happen to bytes on their way.
#[derive(Debug, Clone)]
enum Damage {
    Set(u8),
    PutIn(Vec<u8>),
    TakeOut(usize),
    Zero(usize),
}

fn damage() -> impl Strategy<Value = Damage> {
    prop_oneof![
        any::<u8>().prop_map(Damage::Set),
        proptest::collection::vec(any::<u8>(), 1..60).prop_map(Damage::PutIn),
        (1_usize..120).prop_map(Damage::TakeOut),
        (1_usize..120).prop_map(Damage::Zero),
    ]
}

fn damaged(mut bytes: Vec<u8>, faults: &[(prop::sample::Index, Damage)]) -> Vec<u8> {
    for (at, damage) in faults {
        let at = at.index(bytes.len());
        match damage {
            Damage::Set(byte) => bytes[at] = *byte,
            Damage::PutIn(more) => drop(bytes.splice(at..at, more.iter().copied())),
            Damage::TakeOut(n_bytes) => drop(bytes.drain(at..bytes.len().min(at + n_bytes))),
            Damage::Zero(n_bytes) => {
                let end = bytes.len().min(at + n_bytes);
                bytes[at..end].fill(0);
            }
        }
    }
    bytes
}

proptest! {
    #[test]
    fn a_kept_copy_reads_the_same(faults in proptest::collection::vec((any::<prop::sample::Index>(), damage()), 0..12)) {
        let found = read(FileKind::Switch, &damaged(capture(60), &faults));
        prop_assert!(found.uncovered().is_empty());
        let again = read(FileKind::Switch, &found.kept);
        prop_assert_eq!(format!("{:?}", again.rows), format!("{:?}", found.rows));
        prop_assert_eq!(&again.kept, &found.kept);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 8, max_shrink_iters: 0, ..ProptestConfig::default() })]

    #[test]
    fn a_kept_copy_of_many_blocks_reads_the_same(faults in proptest::collection::vec((any::<prop::sample::Index>(), damage()), 0..600)) {
        let found = read(FileKind::Switch, &damaged(capture(40_000), &faults));
        let again = read(FileKind::Switch, &found.kept);
        prop_assert_eq!(again.rows.iter().filter_map(gathered::span).collect::<Vec<_>>(), found.rows.iter().filter_map(gathered::span).collect::<Vec<_>>());
        prop_assert!(again.kept == found.kept);
    }
}
