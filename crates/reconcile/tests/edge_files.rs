//! Files as they should not be: each fault told with its place, the rest read.
#![allow(clippy::unwrap_used, reason = "a test may")]

mod day;

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};

use day::{How, LAYOUT, Lines, reconcile};
use onus_reconcile::files::{Class, Content, LINE_MAX, ReadAt, Source, Summary, read_day};

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

const PAYOUT: &str = "payout_batch,pay_date,merchant_id,account,term_id,rrn,txn_type,gross,fee,net\n";
const TERMINAL: &str = "term_id,merchant_id,batch_no,trace_no,txn_time,txn_type,pan,amount,resp_code,rrn\n";

#[test]
fn refunds_are_negative_on_one_side_only() {
    let s = format!("{SWITCH}{}\n", switch("607100000001", "-999999999999").replace(",01,6", ",03,6"));
    let c = format!("{CLEARING}{}\n", clearing("607100000001", "999999999999").replace(",01,6", ",03,6"));
    let p =
        format!("{PAYOUT}PB1,20260313,898000000000001,6217,10000001,607100000001,03,-999999999999,0,-999999999999\n");
    let files = [
        (Source::Switch, "s.csv", s.as_bytes()),
        (Source::Clearing, "c.csv", c.as_bytes()),
        (Source::Payout, "p.csv", p.as_bytes()),
    ];
    let (lines, summary) = reconcile(&files, &How::default()).unwrap();
    assert_eq!(classes(&lines), [""; 0]);
    let fen = |source| summary.totals.flow(source).matched.fen;
    assert_eq!((fen(Source::Switch), fen(Source::Payout)), (-999_999_999_999, -999_999_999_999));
}

/// Across midnight, cut-over and the end of a year, for times with and without a year.
#[test]
fn midnight_and_cut_over() {
    let row = |time: &str, settled: &str| {
        switch("607100000001", "500").replace("20260312101000", time).replace(",20260312,", &format!(",{settled},"))
    };
    let journal =
        |time: &str| format!("10000001,898000000000001,000001,000001,{time},01,622848******1111,500,00,607100000001");
    let line = |settled: &str| clearing("607100000001", "500").replace("20260312,6", &format!("{settled},6"));
    // Journal, switch, its settlement day, that of clearing, classes.
    let table: [(&str, &str, &str, &str, &[&str]); 5] = [
        ("20260312235955", "20260313000004", "20260313", "20260313", &[]),
        ("20260312230001", "20260312230003", "20260313", "20260313", &[]),
        ("20260312225958", "20260312230003", "20260312", "20260313", &["LATE_CLEAR"]),
        ("20261231235930", "20270101000429", "20270101", "20270101", &[]),
        ("20261231235930", "20270101000431", "20270101", "20270101", &["TIME_DRIFT"]),
    ];
    let yearless = LAYOUT
        .replace("[terminal]\n", "[terminal]\ntime = \"mmddhhmmss\"\n")
        .replace("[switch]\n", "[switch]\ntime = \"mmddhhmmss\"\n");
    for (terminal, switched, settled, cleared, expected) in table {
        for (layout, from) in [(LAYOUT, 0), (yearless.as_str(), 4)] {
            let t = format!("{TERMINAL}{}\n", journal(&terminal[from..]));
            let s = format!("{SWITCH}{}\n", row(&switched[from..], settled));
            let c = format!("{CLEARING}{}\n", line(cleared));
            let files = [
                (Source::Terminal, "t", t.as_bytes()),
                (Source::Switch, "s", s.as_bytes()),
                (Source::Clearing, "c", c.as_bytes()),
            ];
            let day = read_day(&format!("{}-{}-{}", &settled[..4], &settled[4..6], &settled[6..]));
            let (lines, _) = reconcile(&files, &How { layout, day, ..How::default() }).unwrap();
            assert_eq!(classes(&lines), expected, "{terminal} {switched} {layout:.20}");
        }
    }
}

/// Trace numbers wrap at 999999 and begin again in the next batch; references repeat on another terminal.
#[test]
fn numbers_that_wrap_are_told_apart() {
    let row = |term: &str, batch: &str, trace: &str, rrn: &str, amount: &str| {
        switch(rrn, amount)
            .replace("10000001,", &format!("{term},"))
            .replace(",000001,000001,", &format!(",{batch},{trace},"))
    };
    let line = |term: &str, rrn: &str, amount: &str| clearing(rrn, amount).replace("10000001,", &format!("{term},"));
    let payments = [
        ("10000001", "000001", "999999", "607199999999", "100"),
        ("10000001", "000002", "000001", "607100000000", "200"),
        ("10000001", "000001", "000001", "607100000001", "300"),
        ("10000002", "000001", "000001", "607100000001", "400"),
        ("10000002", "000001", "999999", "607199999999", "500"),
    ];
    let rows: String = payments.iter().map(|(t, b, n, r, a)| row(t, b, n, r, a) + "\n").collect();
    let cleared: String = payments.iter().map(|(t, _, _, r, a)| line(t, r, a) + "\n").collect();
    let (lines, summary) =
        run(format!("{SWITCH}{rows}").as_bytes(), format!("{CLEARING}{cleared}").as_bytes(), &How::default());
    assert_eq!((classes(&lines), summary.totals.flow(Source::Clearing).matched.rows), (vec![], 5));
}

/// A line of a gibibyte that nobody holds in memory; between good lines.
struct Endless {
    head: Vec<u8>,
    tail: Vec<u8>,
    length: u64,
    asked: AtomicUsize,
}

impl ReadAt for Endless {
    fn length(&self) -> u64 {
        self.length
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        self.asked.fetch_max(buffer.len(), Ordering::Relaxed);
        let read = usize::try_from((self.length - offset.min(self.length)).min(buffer.len() as u64)).unwrap();
        buffer[..read].fill(b'7');
        let mut put = |from: u64, text: &[u8]| {
            for (at, byte) in (from..).zip(text) {
                if let Some(place) =
                    at.checked_sub(offset).and_then(|at| buffer[..read].get_mut(usize::try_from(at).ok()?))
                {
                    *place = *byte;
                }
            }
        };
        put(0, &self.head);
        put(self.length - self.tail.len() as u64, &self.tail);
        Ok(read)
    }
}

struct FromStart<'a>(&'a Endless, u64);

impl io::Read for FromStart<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.0.read_at(self.1, buffer)?;
        self.1 += read as u64;
        Ok(read)
    }
}

#[test]
fn a_line_of_a_gibibyte_is_refused_in_bounded_memory() {
    let head = format!("{CLEARING}{}\n", clearing("607100000001", "5"));
    let tail = format!("\n{}\n", clearing("607100000002", "6"));
    let at = head.len() as u64;
    let text =
        Endless { head: head.into_bytes(), tail: tail.into_bytes(), length: 1 << 30, asked: AtomicUsize::new(0) };
    let s = SWITCH.as_bytes();
    for streams in [false, true] {
        let content = if streams { Content::Stream(Box::new(FromStart(&text, 0))) } else { Content::At(&text) };
        let files = vec![(Source::Switch, "s.csv", Content::At(&s)), (Source::Clearing, "c.csv", content)];
        let (_, summary) = day::reconcile_contents(files, &How::default()).unwrap();
        let file = summary.files.iter().find(|file| file.name == "c.csv").unwrap();
        assert_eq!((file.read.rows, file.read.fen, file.rejected), (2, 11, 1));
        assert_eq!((file.rejects[0].line, file.rejects[0].offset), (3, at));
        assert!(file.rejects[0].reason.contains("longer than"));
    }
    assert!(text.asked.load(Ordering::Relaxed) < 2 << 20, "{:?}", text.asked);
}

/// A batch whose bank line comes on the next working day is no break; one that never comes is.
#[test]
fn a_batch_waits_for_the_bank() {
    let b = "payout_batch,pay_date,merchant_id,account,total_net,n_items\nPB1,20260312,898000000000001,6217,500,1\n";
    let bank = "reference,account,value_date,amount,status\n";
    let late = format!("{bank}PB1,6217,20260313,500,ok\n");
    let files = [(Source::Batch, "b", b.as_bytes()), (Source::Bank, "k", bank.as_bytes())];
    let how = How { day: read_day("2026-03-12"), keep: true, ..How::default() };
    let (lines, summary) = reconcile(&files, &how).unwrap();
    assert_eq!((lines.batches.len(), summary.carried), (0, 1));
    let carry = Some(String::from_utf8(summary.carry.unwrap()).unwrap());
    let next = How { day: read_day("2026-03-13"), carry, ..how };
    for (statement, expected) in [(late.as_str(), vec![]), (bank, vec!["BANK_MISSING,PB1,500,0"])] {
        let (lines, summary) = reconcile(&[(Source::Bank, "k2", statement.as_bytes())], &next).unwrap();
        assert_eq!((lines.batches, summary.carried), (expected.iter().map(ToString::to_string).collect(), 0));
    }
}

/// Money that comes in, pending lines and other currencies in a bank's own CSV.
#[test]
fn only_money_that_goes_out_answers_batches() {
    let layout = format!(
        "{}\n[bank]\nkinds = {{ booked = \"line\", pending = \"skip\" }}\n[bank.columns]\namount = \"amount\"\n\
         reference = \"ref\"\ndirection = \"dc\"\ncurrency = \"ccy\"\nkind = \"state\"\nstatus = \"status\"\n",
        LAYOUT.split("[bank]").next().unwrap()
    );
    let b = "payout_batch,pay_date,merchant_id,account,total_net,n_items\nPB1,20260312,898000000000001,6217,500,1\n";
    let k = "amount,ref,dc,ccy,state,status\n500,PB1,D,CNY,booked,\n900,X,C,CNY,booked,\n900,Y,D,CNY,pending,\n\
             900,Z,D,USD,booked,\n500,PB1,C,156,booked,returned\n";
    let how = How { layout: &layout, ..How::default() };
    let files = [(Source::Batch, "b", b.as_bytes()), (Source::Bank, "k", k.as_bytes())];
    let (lines, summary) = reconcile(&files, &how).unwrap();
    assert_eq!(lines.batches, ["PAYOUT_RETURNED,PB1,500,0"]);
    let file = summary.files.iter().find(|file| file.name == "k").unwrap();
    assert_eq!((file.read.rows, file.skipped, file.rejected), (2, 2, 1));
    assert!(file.rejects[0].reason.contains("currency") && file.rejects[0].reason.contains("USD"));
}
