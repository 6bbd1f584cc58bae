//! Files as they should not be: each fault told with its place, the rest read.
#![allow(clippy::unwrap_used, reason = "a test may")]

mod day;

use day::{How, LAYOUT, Lines, reconcile};
use onus_reconcile::files::{Class, LINE_MAX, Source, Summary};

const SWITCH: &str = "rrn,term_id,merchant_id,batch_no,trace_no,txn_time,txn_type,pan,amount,resp_code,reversed,route,settle_date,issuer\n";
const CLEARING: &str = "settle_date,rrn,term_id,merchant_id,sys_trace,txn_time,txn_type,pan,amount,network_fee,mcc\n";

fn switch(rrn: &str, amount: &str) -> String {
    format!(
        "{rrn},10000001,898000000000001,000001,000001,20260312101000,01,622848******1111,{amount},00,0,R1,20260312,01"
    )
}

fn clearing(rrn: &str, amount: &str) -> String {
    format!("20260312,{rrn},10000001,898000000000001,000001,20260312101000,01,622848******1111,{amount},1,5411")
}

fn run(switch: &[u8], clearing: &[u8], how: &How<'_>) -> (Lines, Summary) {
    let files = [(Source::Switch, "s.csv", switch), (Source::Clearing, "c.csv", clearing)];
    reconcile(&files, how).unwrap()
}

fn classes(lines: &Lines) -> Vec<&str> {
    lines.payments.iter().filter_map(|line| line.split(',').next()).collect()
}

#[test]
fn line_ends_marks_and_quotes_are_read_through() {
    let (s, c) = (switch("607100000001", "999999999999"), clearing("607100000001", "999999999999"));
    let quoted = c.replace("898000000000001", "\"898000000000001\"").replace("5411", "\"5411\"");
    let table = [
        (format!("{SWITCH}{s}\n"), format!("{CLEARING}{c}\n")),
        (format!("{SWITCH}{s}\n").replace('\n', "\r\n"), format!("\u{feff}{CLEARING}{c}\n")),
        (format!("\u{feff}{SWITCH}{s}\n").replace('\n', "\r\n"), format!("{CLEARING}{quoted}\n\n")),
    ];
    for (s, c) in table {
        for streams in [false, true] {
            let (lines, summary) = run(s.as_bytes(), c.as_bytes(), &How { streams, ..How::default() });
            assert_eq!(classes(&lines), [""; 0], "{s}{c}");
            assert_eq!(summary.totals.flow(Source::Clearing).matched.fen, 999_999_999_999);
        }
    }
}

#[test]
fn each_fault_has_its_place_and_the_rest_goes_on() {
    let good = clearing("607100000009", "5");
    let bad = [
        (clearing("607100000001", "12.5"), "amount", "whole number of fen"),
        (clearing("607100000001", "123456789012345678901234567890"), "amount", "found \"123456*"),
        (clearing("123456789012345678901234567890", "5"), "rrn", "at most 12"),
        (clearing("607100000001", "5").replace("20260312,6", "20260230,6"), "settled", "expected a date"),
        (clearing("607100000001", "5").replace(",01,", ",99,"), "kind", "that the layout names"),
        (clearing("607100000001", "5").replace("622848******1111", "x"), "pan", "not shown"),
        ("a,b".to_owned(), "line", "expected 11 columns, found 2"),
        (format!("\"{good}"), "line", "quote is not closed"),
        (format!("{good}{}", "x".repeat(LINE_MAX)), "line", "longer than"),
    ];
    for (line, field, reason) in bad {
        let text = format!("{CLEARING}{good}\n{line}\n{good}\n");
        for streams in [false, true] {
            let (_, summary) = run(SWITCH.as_bytes(), text.as_bytes(), &How { streams, ..How::default() });
            let file = summary.files.iter().find(|file| file.name == "c.csv").unwrap();
            assert_eq!((file.read.rows, file.rejected), (2, 1), "{line:.80}");
            let reject = &file.rejects[0];
            assert_eq!((reject.line, reject.offset), (3, (CLEARING.len() + good.len() + 1) as u64), "{line:.80}");
            assert_eq!(reject.field, field, "{reject:?}");
            assert!(reject.reason.contains(reason), "{reject:?}");
        }
    }
}

#[test]
fn a_cut_last_line_is_refused() {
    let text = format!("{CLEARING}{}\n{}", clearing("607100000001", "5"), clearing("607100000002", "5"));
    let (_, summary) = run(SWITCH.as_bytes(), text.as_bytes(), &How::default());
    let file = summary.files.iter().find(|file| file.name == "c.csv").unwrap();
    assert_eq!((file.read.rows, file.rejected, file.rejects[0].line), (1, 1, 3));
    assert!(file.rejects[0].reason.contains("ends inside this line"));
}

#[test]
fn a_line_of_many_megabytes_costs_a_reject() {
    let mut text = format!("{CLEARING}{}\n", clearing("607100000001", "5")).into_bytes();
    text.extend(vec![b'7'; 20 << 20]);
    text.extend_from_slice(format!("\n{}\n", clearing("607100000002", "6")).as_bytes());
    for streams in [false, true] {
        let how = How { streams, threads: 2, ..How::default() };
        let (_, summary) = run(SWITCH.as_bytes(), &text, &how);
        let file = summary.files.iter().find(|file| file.name == "c.csv").unwrap();
        assert_eq!((file.read.rows, file.read.fen, file.rejected), (2, 11, 1));
        assert_eq!(file.rejects[0].line, 3);
    }
}

#[test]
fn gbk_with_bars_and_a_trailer() {
    let layout = format!(
        "{}\n[clearing]\nheader = false\ndelimiter = \"|\"\nencoding = \"gbk\"\nmoney = \"yuan\"\n\
         control = [{{ starts = \"T|\", count = 2, sum = 3 }}]\n\
         columns = {{ terminal = 1, rrn = 2, amount = 4, settled = 5 }}\n",
        LAYOUT.split("[clearing]").next().unwrap()
    );
    let mut text = b"10000001|607100000001|".to_vec();
    // The second byte of the first character is that of the bar.
    text.extend_from_slice(b"\xD5\x7C\xB5\xEA|5.00|20260312\n");
    let body = text.clone();
    text.extend_from_slice(b"T|1|500\n");
    let s = format!("{SWITCH}{}\n", switch("607100000001", "500"));
    let how = How { layout: &layout, ..How::default() };
    let (lines, summary) = run(s.as_bytes(), &text, &how);
    assert_eq!((classes(&lines), summary.is_refused()), (vec![], false));
    for (trailer, reason) in
        [("", "cut short"), ("T|2|500\n", "counts 2 rows, the file has 1"), ("T|1|501\n", "adds amounts to 501 fen")]
    {
        let text = [body.clone(), trailer.as_bytes().to_vec()].concat();
        let (lines, summary) = run(s.as_bytes(), &text, &how);
        assert!(summary.is_refused() && lines.payments.is_empty());
        assert_eq!(summary.totals.class(Class::FileBad).count, 1);
        let file = summary.files.iter().find(|file| file.name == "c.csv").unwrap();
        assert!(file.bad.as_ref().is_some_and(|bad| bad.contains(reason)), "{:?}", file.bad);
    }
}

#[test]
fn keys_that_stand_twice() {
    let header = "term_id,merchant_id,batch_no,trace_no,txn_time,txn_type,pan,amount,resp_code,rrn\n";
    let line = |rrn: &str, amount: u32| {
        format!("10000001,898000000000001,000001,000001,20260312101000,01,622848******1111,{amount},00,{rrn}\n")
    };
    // A trace counter that began again: two payments with one key, told apart by their references.
    let t = format!("{header}{}{}", line("607100000002", 700), line("607100000001", 500));
    let s = format!("{SWITCH}{}\n{}\n", switch("607100000001", "500"), switch("607100000002", "700"));
    let c = format!("{CLEARING}{}\n{}\n", clearing("607100000001", "500"), clearing("607100000002", "700"));
    let files = [
        (Source::Terminal, "t", t.as_bytes()),
        (Source::Switch, "s", s.as_bytes()),
        (Source::Clearing, "c", c.as_bytes()),
    ];
    let (lines, _) = reconcile(&files, &How::default()).unwrap();
    assert_eq!(classes(&lines), ["DUP_TERM", "DUP_TERM"]);
}

#[test]
fn a_reversal_of_its_own_takes_its_sale_back() {
    let back = switch("607100000001", "500").replace(",01,6", ",04,6");
    let s = format!("{SWITCH}{}\n{back}\n", switch("607100000001", "500"));
    let c = format!("{CLEARING}{}\n", clearing("607100000001", "500"));
    let (lines, summary) = run(s.as_bytes(), c.as_bytes(), &How::default());
    assert_eq!(classes(&lines), ["REVERSAL_LOST"]);
    assert_eq!(summary.totals.flow(Source::Switch).broken.rows, 2);
    let (lines, summary) = run(s.as_bytes(), CLEARING.as_bytes(), &How::default());
    assert_eq!((classes(&lines), summary.totals.flow(Source::Switch).matched.rows), (vec![], 2));
}

#[test]
fn clearing_without_a_reference_is_found_by_its_network_key() {
    let layout = LAYOUT
        .replace(
            "settled = \"settle_date\"\n\n[clearing]",
            "settled = \"settle_date\"\nnetwork_trace = \"route\"\ntransmitted_at = \"issuer\"\n\n[clearing]",
        )
        .replace("network_fee = \"network_fee\"", "network_trace = \"sys_trace\"\ntransmitted_at = \"network_fee\"");
    let s =
        format!("{SWITCH}{}\n", switch("607100000001", "500").replace("R1,20260312,01", "000077,20260312,0312101000"));
    let c = format!(
        "{CLEARING}{}\n",
        clearing("", "500")
            .replace(",10000001,", ",,")
            .replace("000001,2026", "000077,2026")
            .replace(",1,5411", ",0312101000,5411")
    );
    let (lines, summary) = run(s.as_bytes(), c.as_bytes(), &How { layout: &layout, ..How::default() });
    assert_eq!(classes(&lines), [""; 0]);
    assert_eq!(summary.totals.flow(Source::Clearing).matched.rows, 1);
}

#[test]
fn a_pair_that_a_person_may_join_is_proposed() {
    let s = format!("{SWITCH}{}\n", switch("607100000001", "500"));
    let c = format!("{CLEARING}{}\n", clearing("607100000002", "500"));
    let (lines, _) = run(s.as_bytes(), c.as_bytes(), &How::default());
    assert_eq!(classes(&lines), ["SWITCH_ONLY", "NETWORK_ONLY"]);
    assert_eq!(lines.proposals.len(), 1, "{:?}", lines.proposals);
}
