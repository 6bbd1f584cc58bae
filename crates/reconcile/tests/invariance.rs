//! Results do not depend on threads, partitions, memory, order of rows, or how bytes come; and rows wait for partners.
#![allow(clippy::unwrap_used, reason = "a test may")]

mod day;
#[path = "day/every.rs"]
mod every;
#[path = "day/random.rs"]
mod random;

use day::{How, reconcile};
use onus_reconcile::files::{Class, Source, read_day};
use random::{BATCH, CLEARING, Day, Dice, MERCHANT, PAYOUT, SHARE, SWITCH, TERMINAL, file};

fn files(day: &Day) -> Vec<(Source, &'static str, Vec<u8>)> {
    vec![
        (Source::Terminal, "t", file(TERMINAL, &day.terminal)),
        (Source::Switch, "s", file(SWITCH, &day.switch)),
        (Source::Clearing, "c", file(CLEARING, &day.clearing)),
        (Source::Payout, "p", file(PAYOUT, &day.payout)),
        (Source::Batch, "b", file(BATCH, &day.batch)),
        (Source::Merchant, "m", file(MERCHANT, &day.merchant)),
    ]
}

fn run(files: &[(Source, &'static str, Vec<u8>)], how: &How<'_>) -> (Vec<String>, Vec<String>, u64) {
    let files: Vec<(Source, &str, &[u8])> =
        files.iter().map(|(source, name, bytes)| (*source, *name, bytes.as_slice())).collect();
    let (lines, summary) = reconcile(&files, how).unwrap();
    ([lines.payments, lines.proposals].concat(), lines.batches, summary.spilled)
}

#[test]
fn threads_partitions_and_memory_change_nothing() {
    let files = files(&random::day(5, 20_000));
    let (payments, batches, spilled) = run(&files, &How::default());
    assert!(payments.len() > 5_000 && !batches.is_empty());
    assert_eq!(spilled, 0);
    for (threads, partitions, memory, streams) in
        [(2, 2, 1 << 26, false), (2, 64, 1 << 26, false), (3, 256, 1 << 18, false), (2, 16, 1 << 16, true)]
    {
        let how = How { threads, partitions, memory, streams, ..How::default() };
        let (same, same_batches, spilled) = run(&files, &how);
        assert!(same == payments && same_batches == batches, "{threads} threads, {partitions} partitions");
        assert_eq!(spilled > 0, memory < 1 << 20, "{memory} bytes");
    }
}

/// The same for a day with everything: bank, shares, rows that stand twice, keys used again.
#[test]
fn a_day_with_everything_is_the_same_however_it_is_read() {
    let every = every::day(8, 5_000);
    let mut files = files(&every.day);
    for (source, bytes) in [
        (Source::Bank, file(every::BANK, &every.bank)),
        (Source::Share, file(SHARE, &every.day.share)),
        (Source::Merchant, file(every::MERCHANT, &every.day.merchant)),
    ] {
        files.retain(|(known, ..)| *known != source);
        files.push((source, source.name(), bytes));
    }
    let run = |how: &How<'_>| {
        let files: Vec<(Source, &str, &[u8])> =
            files.iter().map(|(source, name, bytes)| (*source, *name, bytes.as_slice())).collect();
        let (lines, _) = reconcile(&files, how).unwrap();
        (lines.payments, lines.flags, lines.batches, lines.proposals)
    };
    let first = run(&How::default());
    assert!(first.0.iter().any(|line| line.starts_with("DUP_TERM")) && first.2.len() > 5);
    for (threads, partitions, memory, streams) in [(2, 64, 1 << 26, false), (3, 16, 1 << 16, true)] {
        assert!(run(&How { threads, partitions, memory, streams, ..How::default() }) == first, "{threads} threads");
    }
}

/// Places differ when rows are shuffled; nothing else may.
#[test]
fn the_order_of_rows_changes_nothing() {
    let mut day = random::day(6, 3_000);
    let bare = |files: &[(Source, &'static str, Vec<u8>)]| {
        let (payments, batches, _) = run(files, &How::default());
        let mut payments: Vec<String> =
            payments.iter().filter_map(|line| line.rsplit_once(',').map(|(bare, _)| bare.to_owned())).collect();
        payments.sort();
        (payments, batches.iter().map(|line| line.split('@').next().unwrap_or(line).to_owned()).collect::<Vec<_>>())
    };
    let before = bare(&files(&day));
    let mut dice = Dice::new(99);
    for rows in [&mut day.terminal, &mut day.switch, &mut day.clearing, &mut day.payout, &mut day.batch] {
        dice.shuffle(rows);
    }
    assert!(before == bare(&files(&day)));
}

#[test]
fn every_offset_leads_to_its_row() {
    let files = files(&random::day(7, 500));
    let (payments, _, _) = run(&files, &How { threads: 2, ..How::default() });
    let mut checked = 0;
    for line in payments {
        let fields: Vec<&str> = line.split(',').collect();
        let places = fields.last().unwrap();
        for place in places.split(' ').filter(|place| !place.is_empty() && fields.len() > 5) {
            let (name, offset) = place.split_once('@').unwrap();
            let (_, _, bytes) = files.iter().find(|(_, file, _)| *file == name).unwrap();
            let row = &bytes[offset.parse::<usize>().unwrap()..];
            let row = std::str::from_utf8(row.split(|byte| *byte == b'\n').next().unwrap()).unwrap();
            assert!(row.contains(fields[1]) && (row.contains(fields[2]) || row.contains(",TO,")), "{line} -> {row}");
            checked += 1;
        }
    }
    assert!(checked > 500);
}

/// One day's switch row without clearing waits; the next day's clearing line completes it.
#[test]
fn a_row_waits_for_its_partner() {
    let row = "607100000001,10000001,898000000000001,000001,000001,20260312101000,01,622848******1111,500,00,0,R1,20260312,01";
    let line = "20260313,607100000001,10000001,898000000000001,000001,20260312101000,01,622848******1111,500,1,5411";
    let journal =
        "10000001,898000000000001,000001,000001,20260312101000,01,622848******1111,500,00,607100000001".to_owned();
    let thursday = read_day("2026-03-12");
    let none: [String; 0] = [];
    let (terminal, switch, clearing) =
        (file(TERMINAL, &[journal]), file(SWITCH, &[row.to_owned()]), file(CLEARING, &none));
    let first = [
        (Source::Terminal, "t1", terminal.as_slice()),
        (Source::Switch, "s1", switch.as_slice()),
        (Source::Clearing, "c1", clearing.as_slice()),
    ];
    let keep = How { day: thursday, keep: true, ..How::default() };
    let (lines, summary) = reconcile(&first, &keep).unwrap();
    assert_eq!((lines.payments.len(), summary.carried), (0, 2));
    let carry = String::from_utf8(summary.carry.unwrap()).unwrap();

    let (empty_t, empty_s) = (file(TERMINAL, &none), file(SWITCH, &none));
    let clearing = file(CLEARING, &[line.to_owned()]);
    let next = [
        (Source::Terminal, "t2", empty_t.as_slice()),
        (Source::Switch, "s2", empty_s.as_slice()),
        (Source::Clearing, "c2", clearing.as_slice()),
    ];
    let friday = How { day: read_day("2026-03-13"), keep: true, carry: Some(carry.clone()), ..How::default() };
    let (lines, summary) = reconcile(&next, &friday).unwrap();
    assert_eq!(summary.totals.class(Class::LateClear).count, 1, "{:?}", lines.payments);
    assert!(lines.payments[0].contains("t1@") && lines.payments[0].contains("c2@"), "{:?}", lines.payments);
    assert_eq!(summary.late.into_iter().collect::<Vec<_>>(), [(1, 1)]);
    assert_eq!(summary.carried, 0);

    // Without the partner it becomes a break on the third working day after.
    let nothing = [next[0], next[1], (Source::Clearing, "c2", file(CLEARING, &none).leak() as &[u8])];
    for (day, carried, broken) in [("2026-03-16", 2, 0), ("2026-03-17", 0, 1)] {
        let how = How { day: read_day(day), keep: true, carry: Some(carry.clone()), ..How::default() };
        let (_, summary) = reconcile(&nothing, &how).unwrap();
        assert_eq!((summary.carried, summary.totals.class(Class::SwitchOnly).count), (carried, broken), "{day}");
    }
}
