//! Whatever stands in a file: nothing panics and no byte is lost.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may")]

mod gathered;

use gathered::read;
use onus_intake::FileKind;
use proptest::prelude::*;

/// A kind, a header that it takes and a row that reads.
const TABLES: [(FileKind, &str, &str); 5] = [
    (
        FileKind::Journal,
        "date,time,seq,tid,serial,merchant_code,txn,batch,stan,pan_masked,amount_fen,entry_mode,pin,rc,text,slip,reversal,ref_no,auth_code,app_version,lat,lon,cell,ip_country",
        "2026-09-21,06:00:26,1,52106149,3101B2188736165,899521054110016,SALE,000400,631714,999905******1505,9100,051,Y,00,ok,Y,NONE,626406438169,200868,3.0.7,30.61918,114.29849,460-00-5210-97386,CN",
    ),
    (
        FileKind::ClearingCsv,
        "settle_date,trade_code,acquirer,forwarder,network_stan,transmission_time,pan_masked,amount_fen,mcc,terminal_type,query_id,ref_no,auth_code,card_type,entry_mode,merchant_code,tid,fee_fen,net_fen,sign,orig_network_stan,orig_transmission_time",
        "2026-09-22,S22,48990001,48990001,500924,0921230116,999903*********8414,16200,5912,03,202609212301165009248,626423500924,353757,debit,072,899523059120010,52307037,81,16119,C,,",
    ),
    (
        FileKind::Payout,
        "payout_id,settle_date,pay_date,payer_name,payer_account,merchant_code,payee_account,payee_name,payee_bank,amount_fen,fee_fen,items,batch_ref,status,value_time",
        "PO1,2026-09-21,2026-09-25,p,88990000000000000001,899521057320006,8899596052768443544,n,b,2435108,13744,15,B1,paid,2026-09-25T09:13:31+08:00",
    ),
    (
        FileKind::Slips,
        "asked_at,tid,merchant_code,stan,ref_no,pan_masked,amount_fen,kept_by,result,image_sha256,remark",
        "2026-09-24,52304374,899523056510006,553345,626412313014,999904*********2945,12600,merchant,retrieved,2e6c1b72,",
    ),
    (
        FileKind::Notices,
        "received_at,from,institution,text,standing",
        "2026-09-21T16:05:00+08:00,network,00010000,we are looking,unconfirmed",
    ),
];

fn any_kind() -> impl Strategy<Value = FileKind> {
    proptest::sample::select(FileKind::ALL)
}

/// Bytes with more of what matters to readers of text.
fn texty() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        Just(b"\n".to_vec()),
        Just(b"\r\n".to_vec()),
        Just(b",".to_vec()),
        Just(b"\"".to_vec()),
        "[0-9a-zA-Z ]{0,12}".prop_map(String::into_bytes),
        any::<[u8; 3]>().prop_map(Vec::from)
    ];
    proptest::collection::vec(piece, 0..80).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn no_bytes_make_a_reader_panic(kind in any_kind(), bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        read(kind, &bytes);
    }

    #[test]
    fn no_text_makes_a_reader_panic(kind in any_kind(), bytes in texty()) {
        read(kind, &bytes);
    }

    #[test]
    fn every_byte_of_a_capture_is_in_one_row_or_reject(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        prop_assert!(read(FileKind::Switch, &bytes).uncovered().is_empty());
    }

    #[test]
    fn every_byte_of_lines_is_in_one_row_or_reject(kind in proptest::sample::select(vec![FileKind::ClearingZm, FileKind::Claims]), bytes in texty()) {
        let left = read(kind, &bytes).uncovered();
        prop_assert!(left.iter().all(u8::is_ascii_whitespace), "{:?}", String::from_utf8_lossy(&left));
    }

    #[test]
    fn every_byte_of_a_table_is_in_its_header_or_one_row_or_reject((kind, header, good) in proptest::sample::select(TABLES.to_vec()), garbage in texty(), again in 0_usize..3) {
        let mut bytes = format!("{header}\n").into_bytes();
        for _ in 0..again {
            bytes.extend_from_slice(good.as_bytes());
            bytes.push(b'\n');
        }
        bytes.extend_from_slice(&garbage);
        let found = read(kind, &bytes);
        prop_assert!(found.rows.len() >= again);
        let left = found.uncovered();
        let after_header = left.strip_prefix(header.as_bytes()).expect("the header is no row");
        prop_assert!(after_header.iter().all(u8::is_ascii_whitespace), "{:?}", String::from_utf8_lossy(after_header));
    }

    #[test]
    fn each_line_of_a_registry_file_is_one_row_or_reject(lines in proptest::collection::vec("[0-9a-z,]{1,30}", 1..40)) {
        let bytes = format!("code,name,role\n{}\n", lines.join("\n"));
        let found = read(FileKind::Institutions, bytes.as_bytes());
        prop_assert_eq!(found.rows.len() + found.rejects.len(), lines.len());
    }

    #[test]
    fn what_is_kept_reads_as_what_came((kind, header, good) in proptest::sample::select(TABLES.to_vec()), garbage in texty()) {
        let bytes = [format!("{header}\n{good}\n").into_bytes(), garbage].concat();
        let first = read(kind, &bytes);
        let again = read(kind, &first.kept);
        prop_assert_eq!(first.places(), again.places());
        prop_assert_eq!(first.summary, again.summary);
        prop_assert_eq!(&first.kept, &again.kept, "masking twice changes nothing");
    }
}

#[test]
fn a_row_has_its_place_whatever_the_line_ends() {
    for (kind, header, good) in TABLES {
        for end in ["\n", "\r\n", "\n\n", "\r\n\r\n"] {
            let text = [header, good, "bad", good].map(|line| format!("{line}{end}")).concat();
            let found = read(kind, text.as_bytes());
            assert_eq!((found.rows.len(), found.rejects.len()), (2, 1), "{kind:?} {end:?}: {:?}", found.rejects);
            for row in &found.rows {
                let span = gathered::span(row).unwrap();
                let from = usize::try_from(span.offset).unwrap();
                assert_eq!(&text[from..from + span.len as usize], good, "{kind:?} {end:?}");
            }
            let at = text.find("bad").unwrap();
            let line = text[..at].matches('\n').count() as u64 + 1;
            let reject = &found.rejects[0];
            assert_eq!((reject.offset, reject.len, reject.line), (at as u64, 3, Some(line)), "{kind:?} {end:?}");
        }
    }
}

#[test]
fn places_hold_across_blocks() {
    let (kind, header, good) = TABLES[0];
    for end in ["\n", "\r\n"] {
        let n_rows = 16_000;
        let text = format!("{header}{end}{}bad{end}", format!("{good}{end}").repeat(n_rows));
        assert!(text.len() > 2 << 20);
        let found = read(kind, text.as_bytes());
        assert_eq!((found.rows.len(), found.rejects.len()), (n_rows, 1));
        assert_eq!(
            (found.rejects[0].line, found.rejects[0].offset),
            (Some(n_rows as u64 + 2), text.find("bad").unwrap() as u64)
        );
        let left = found.uncovered();
        assert!(left.strip_prefix(header.as_bytes()).unwrap().iter().all(u8::is_ascii_whitespace));
    }
}

#[test]
fn a_file_cut_inside_a_line_says_so() {
    let (kind, header, good) = TABLES[0];
    let text = format!("{header}\n{good}\n{}", &good[..60]);
    let found = read(kind, text.as_bytes());
    assert_eq!(found.rows.len(), 1);
    assert_eq!((found.rejects[0].error.code, found.rejects[0].line, found.rejects[0].len), ("truncated", Some(3), 60));
}
