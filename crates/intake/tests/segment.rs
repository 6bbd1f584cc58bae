//! Segments of a gateway's journal: frames become the rows of captured ones, one fault costs one record.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may")]

mod gathered;

use gathered::{Gathered, read};
use onus_intake::tap::{GateAction, MAGIC, Record, ReplyKind, VERSION};
use onus_intake::{FileKind, Row, describe_row};
use onus_iso8583::Dialect;
use onus_reconcile::{Direction, Following, GatewayFact, Seen};
use proptest::prelude::*;

/// A sale as a terminal sends it, with its card number.
const SALE: &[u8] = b"\x60\x00\x12\x00\x00\x60\x31\x00\x03\x01\x02\x02\x00\
    \x50\x00\x00\x00\x00\x80\x00\x10\
    \x16\x99\x99\x05\x68\x37\x00\x66\x97\
    \x00\x00\x00\x00\x65\x00\
    52306680\
    \x00\x11\x22\x00\x06\x66\x00\x00";
const START: i64 = 1_790_000_000_000_000;

fn masked(frame: &[u8]) -> Vec<u8> {
    let mut frame = frame.to_vec();
    Dialect::builtin("unionpay-pos").unwrap().mask_in_place(&mut frame).unwrap();
    frame
}

fn request(exchange: u64, carried: bool, frame: &[u8]) -> Record<'_> {
    Record::Request { exchange, connection: 1, received_at: START + 1, host: 0, link: 3, carried, frame }
}

fn head() -> Record<'static> {
    Record::Segment { version: VERSION, number: 1, at: START, dialect: "unionpay-pos", gateway: "gateway", boot: "" }
}

fn state(exchange: u64, state: &'static str) -> Record<'static> {
    Record::State { exchange, at: START + 9, state, attempt: 1, settled: false, why: "no reply", kept: "{}" }
}

fn segment(records: &[Record<'_>]) -> Vec<u8> {
    let mut bytes = MAGIC.to_vec();
    records.iter().for_each(|record| record.encode(&mut bytes, |_| {}));
    bytes
}

/// Where each record begins, and the end.
fn bounds(records: &[Record<'_>]) -> Vec<usize> {
    (0..=records.len()).map(|count| segment(&records[..count]).len()).collect()
}

fn codes(found: &Gathered) -> Vec<&str> {
    found.rejects.iter().map(|reject| reject.error.code).collect()
}

#[test]
fn frames_are_rows_as_of_a_capture_and_the_rest_are_events() {
    let sale = masked(SALE);
    let reply = |kind| Record::Reply {
        exchange: 7,
        kind,
        host: 0,
        link: 3,
        sent_at: START + 2,
        received_at: START + 5,
        frame: &sale,
    };
    let records = [
        head(),
        request(7, false, &sale),
        reply(ReplyKind::InTime),
        reply(ReplyKind::Late),
        Record::Gate {
            exchange: 7,
            at: START + 6,
            action: GateAction::Refused,
            code: *b"58",
            rule: "known",
            why: "终端号未登记",
            frame: b"",
        },
        Record::Undelivered { exchange: 7, at: START + 7, why: "gone" },
        state(7, "REVERSED"),
        request(7, true, &sale),
        state(99, "REVERSED"),
        Record::Stopped { at: START + 10, open: 0 },
    ];
    let found = read(FileKind::Tap, &segment(&records));
    assert_eq!((found.rows.len(), &found.rejects), (records.len(), &Vec::new()));
    assert_eq!(found.kept, found.original);
    assert_eq!(found.summary.times.map(|(first, last)| (first.0, last.0)), Some((START, START + 10)));
    let frames: Vec<_> =
        found.rows.iter().filter_map(|row| if let Row::Frame(frame) = row { Some(frame) } else { None }).collect();
    let ways: Vec<_> = frames.iter().map(|frame| (frame.direction, frame.seen)).collect();
    use Direction::{FromTerminal, ToTerminal};
    assert_eq!(ways, [(FromTerminal, Seen::Tapped), (ToTerminal, Seen::Tapped), (ToTerminal, Seen::Gate)]);
    assert_eq!((frames[0].fields.mti, frames[0].fields.amount_minor, frames[0].link), (200, 6500, 3));
    assert_eq!(frames[0].fields.tid.as_str(), "52306680");
    assert_eq!((frames[2].fields.rc.as_str(), frames[2].fields.tid), ("58", frames[0].fields.tid));
    let facts: Vec<_> = found
        .rows
        .iter()
        .filter_map(|row| match row {
            Row::Gateway(event) if event.fact != GatewayFact::Other => {
                Some((event.tid.as_str().to_owned(), event.fact))
            }
            _ => None,
        })
        .collect();
    let tid = "52306680".to_owned();
    let late = GatewayFact::LateReply(frames[0].fields.rc);
    let expected =
        [(tid.clone(), late), (tid.clone(), GatewayFact::Undelivered), (tid, GatewayFact::Step(Following::Reversed))];
    assert_eq!(facts, expected);
}

#[test]
fn what_a_segment_repeats_of_the_one_before_counts_once() {
    let sale = masked(SALE);
    let reply = |received_at| Record::Reply {
        exchange: 7,
        kind: ReplyKind::InTime,
        host: 0,
        link: 3,
        sent_at: START - 9,
        received_at,
        frame: &sale,
    };
    let kept = Record::State { exchange: 7, at: START, state: "", attempt: 0, settled: false, why: "", kept: "{}" };
    let frames = |records: &[Record<'_>]| {
        let found = read(FileKind::Tap, &segment(records));
        assert_eq!((found.rows.len(), found.rejects.len()), (records.len(), 0));
        let facts = found.rows.iter().filter(|row| match row {
            Row::Gateway(event) => event.fact != GatewayFact::Other,
            row => matches!(row, Row::Frame(_)),
        });
        facts.count()
    };
    assert_eq!(frames(&[head(), request(7, true, &sale), reply(START - 5), kept, state(7, "REVERSED")]), 1);
    assert_eq!(frames(&[head(), request(7, true, &sale), reply(START + 5)]), 1, "it came in this segment");
    assert_eq!(frames(&[head(), request(7, true, &sale), Record::Stopped { at: START, open: 1 }, reply(START - 5)]), 1);
}

#[test]
fn a_row_is_shown_with_its_fields() {
    let sale = masked(SALE);
    let records = [head(), request(7, false, &sale), state(7, "ONE_SIDED")];
    let (bytes, bounds) = (segment(&records), bounds(&records));
    let shown = |record: usize| {
        let row = &bytes[bounds[record]..bounds[record + 1]];
        let named = describe_row(FileKind::Tap, &bytes, row);
        named.into_iter().map(|it| format!("{}={}", it.name, it.value)).collect::<Vec<_>>()
    };
    let request = shown(1);
    assert!(request.contains(&"MTI=0200".to_owned()) && request.contains(&"F4=000000006500".to_owned()), "{request:?}");
    assert!(request.contains(&"F2=999905******6697".to_owned()), "{request:?}");
    assert_eq!(shown(2), ["event=step of the follower", "state=ONE_SIDED", "attempt=1", "why=no reply"]);
}

#[test]
fn what_is_not_masked_is_refused_and_not_kept() {
    let sale = masked(SALE);
    let spoken = Record::Undelivered { exchange: 7, at: START, why: "card 9999056837006697" };
    let found = read(FileKind::Tap, &segment(&[head(), request(7, false, SALE), spoken, request(8, false, &sale)]));
    assert_eq!((found.rows.len(), codes(&found)), (2, vec!["unmasked"; 2]));
    assert!(!found.kept.windows(8).any(|bytes| bytes == b"\x99\x99\x05\x68\x37\x00\x66\x97"));
    assert!(!found.kept.windows(16).any(|bytes| bytes == b"9999056837006697"));
}

#[test]
fn a_wrong_checksum_costs_one_record_and_a_torn_end_one_reject() {
    let sale = masked(SALE);
    let records = [head(), request(1, false, &sale), request(2, false, &sale), request(3, false, &sale)];
    let (bytes, bounds) = (segment(&records), bounds(&records));
    for (at, byte) in [(bounds[2] + 20, 0xEE), (bounds[2] + 5, 0xEE), (bounds[2] + 3, 1), (bounds[2] + 1, 0xFF)] {
        let mut bytes = bytes.clone();
        bytes[at] = byte;
        let found = read(FileKind::Tap, &bytes);
        assert_eq!((found.rows.len(), codes(&found)), (3, vec!["framing"]), "byte {at}");
        let length = bounds[3] - bounds[2];
        assert_eq!((found.rejects[0].offset, found.rejects[0].len), (bounds[2] as u64, length as u64), "byte {at}");
    }
    for cut in bounds[3] + 1..bounds[4] {
        let found = read(FileKind::Tap, &bytes[..cut]);
        assert_eq!((found.rows.len(), codes(&found)), (3, vec!["truncated"]), "cut at {cut}");
    }
}

#[test]
fn another_version_and_another_file_are_refused_whole() {
    let other = Record::Segment { version: 2, number: 1, at: START, dialect: "unionpay-pos", gateway: "", boot: "" };
    let found = read(FileKind::Tap, &segment(&[other, state(1, "SENT"), state(2, "SENT")]));
    assert_eq!((found.rows.len(), codes(&found)), (0, vec!["framing"]));
    let found = read(FileKind::Tap, b"date,time\n");
    assert_eq!((found.rows.len(), codes(&found)), (0, vec!["framing"]));
}

#[test]
fn places_hold_across_blocks() {
    let sale = masked(SALE);
    let count: u64 = 30_000;
    let records: Vec<_> =
        std::iter::once(head()).chain((0..count).map(|number| request(number, false, &sale))).collect();
    let mut bytes = segment(&records);
    assert!(bytes.len() > 2 << 20);
    let bounds = [segment(&records[..9_000]).len(), segment(&records[..9_001]).len()];
    bytes[bounds[0] + 30] ^= 1;
    let found = read(FileKind::Tap, &bytes);
    assert_eq!((found.rows.len() as u64, codes(&found)), (count, vec!["framing"]));
    assert_eq!(found.uncovered(), MAGIC);
}

proptest! {
    #[test]
    fn any_damage_costs_little_and_the_kept_copy_reads_the_same(
        places in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 0..10)
    ) {
        let sale = masked(SALE);
        let records: Vec<_> = std::iter::once(head())
            .chain((0..60).map(|number| if number % 3 == 2 { state(number - 1, "REVERSED") } else { request(number, false, &sale) }))
            .collect();
        let mut bytes = segment(&records);
        let first = bounds(&records[..1])[1];
        let room = bytes.len() - first;
        for (at, byte) in &places {
            bytes[first + at.index(room)] = *byte;
        }
        let found = read(FileKind::Tap, &bytes);
        prop_assert!(found.rows.len() + places.len() >= records.len(), "{} rows left", found.rows.len());
        prop_assert_eq!(found.uncovered(), MAGIC);
        let again = read(FileKind::Tap, &found.kept);
        prop_assert_eq!(&again.kept, &found.kept);
        prop_assert_eq!(again.places(), found.places());
        prop_assert_eq!(format!("{:?}", again.rows), format!("{:?}", found.rows));
    }
}
