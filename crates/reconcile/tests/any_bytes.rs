//! Whatever bytes a file holds: no panic, every line is read, refused or left, and control totals add up.
#![allow(clippy::unwrap_used, reason = "a test may")]

mod day;

use day::{How, LAYOUT, reconcile};
use onus_reconcile::files::{Classes, Layout, Source};
use proptest::prelude::*;

const SWITCH: &str = "rrn,term_id,merchant_id,batch_no,trace_no,txn_time,txn_type,pan,amount,resp_code,reversed,route,settle_date,issuer\n";
const CLEARING: &str = "settle_date,rrn,term_id,merchant_id,sys_trace,txn_time,txn_type,pan,amount,network_fee,mcc\n";
const PAYOUT: &str = "payout_batch,pay_date,merchant_id,account,term_id,rrn,txn_type,gross,fee,net\n";

/// Bytes that look like rows, more or less.
fn body() -> impl Strategy<Value = Vec<u8>> {
    let field = prop_oneof![
        4 => "[0-9]{1,15}",
        1 => "20260312", 1 => "20260312101000", 1 => "01|03|00|51", 1 => "622848[*]{6}1111", 1 => "-?[0-9.]{0,30}",
        1 => "\"?[a-z,]{0,4}\"?", 1 => "\\PC{0,6}",
    ];
    let row = prop::collection::vec(field, 9..15).prop_map(|fields| fields.join(","));
    let line = prop_oneof![8 => row.prop_map(String::into_bytes), 1 => prop::collection::vec(any::<u8>(), 0..60)];
    let end = prop_oneof![6 => Just("\n"), 1 => Just("\r\n"), 1 => Just("")];
    prop::collection::vec((line, end), 0..20)
        .prop_map(|lines| lines.into_iter().flat_map(|(line, end)| [line, end.as_bytes().to_vec()].concat()).collect())
}

/// Rows that read, with keys and amounts that meet.
fn rows(columns: &'static [&'static str]) -> impl Strategy<Value = Vec<u8>> {
    let row = prop::collection::vec(any::<prop::sample::Index>(), columns.len()).prop_map(|choices| {
        let fields = columns.iter().zip(choices).map(|(values, choice)| {
            let values: Vec<&str> = values.split(' ').collect();
            values[choice.index(values.len())]
        });
        fields.collect::<Vec<_>>().join(",") + "\n"
    });
    prop::collection::vec(row, 0..30).prop_map(|rows| rows.concat().into_bytes())
}

const SWITCH_VALUES: [&str; 14] = [
    "607100000001 607100000002",
    "10000001 AB",
    "1 2",
    "1 2",
    "1 2",
    "20260312101000",
    "01 02 03 04",
    "622848******1111",
    "5 999999999999999",
    "00 51",
    "0 1",
    "R",
    "20260312",
    "1",
];
const CLEARING_VALUES: [&str; 11] = [
    "20260312 20260313",
    "607100000001 607100000002",
    "10000001 AB",
    "1 2",
    "1",
    "1",
    "01 03",
    "622848******1111",
    "5 999999999999999",
    "0 1",
    "5411",
];
const PAYOUT_VALUES: [&str; 10] = [
    "PB1 PB2",
    "20260313",
    "1 2",
    "7",
    "10000001 AB",
    "607100000001 607100000002",
    "1",
    "5 -5",
    "0",
    "5 999999999999999",
];

proptest! {
    #[test]
    fn nothing_panics_and_no_line_is_lost(
        switch in prop_oneof![body(), rows(&SWITCH_VALUES)],
        clearing in prop_oneof![body(), rows(&CLEARING_VALUES)],
        payout in prop_oneof![body(), rows(&PAYOUT_VALUES)],
        streams: bool,
    ) {
        let texts = [
            [SWITCH.as_bytes(), &switch].concat(),
            [CLEARING.as_bytes(), &clearing].concat(),
            [PAYOUT.as_bytes(), &payout].concat(),
        ];
        let files = [
            (Source::Switch, "s", texts[0].as_slice()),
            (Source::Clearing, "c", texts[1].as_slice()),
            (Source::Payout, "p", texts[2].as_slice()),
        ];
        let (_, summary) = reconcile(&files, &How { streams, ..How::default() }).unwrap();
        for (text, (_, name, _)) in texts.iter().zip(&files) {
            let file = summary.files.iter().find(|file| file.name == *name).unwrap();
            let lines = text.split_inclusive(|byte| *byte == b'\n').count() as u64 - 1;
            prop_assert_eq!(file.read.rows + file.rejected + file.skipped, lines, "{}", name);
        }
        let (_, same) = reconcile(&files, &How { streams: !streams, threads: 2, partitions: 8, ..How::default() }).unwrap();
        prop_assert_eq!(summary.totals, same.totals);
    }

    #[test]
    fn layouts_and_classes_of_any_text_are_refused_with_words(
        text in "\\PC{0,200}", cut in 0_usize..4_000, insert in "\\PC{0,5}"
    ) {
        prop_assert!(Layout::from_toml(&text).is_err());
        prop_assert!(Classes::from_toml(&text).is_err());
        let cut = LAYOUT.char_indices().nth(cut).map_or(0, |(at, _)| at);
        if let Err(error) = Layout::from_toml(&format!("{}{insert}{}", &LAYOUT[..cut], &LAYOUT[cut..])) {
            prop_assert!(!error.to_string().is_empty());
        }
    }
}
