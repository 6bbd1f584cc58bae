//! Hand-built frames of both sides decode to the values they were written with.

#![allow(clippy::expect_used, reason = "a test may")]

mod frames;

use frames::PAN;
use onus_iso8583::{Dialect, Message};

fn digits(message: &Message<'_>, number: u8) -> Option<String> {
    message.digits(number).map(|digits| digits.to_string())
}

fn text<'a>(message: &Message<'a>, number: u8) -> &'a str {
    std::str::from_utf8(message.text(number).expect("text")).expect("UTF-8")
}

#[test]
fn a_terminal_sale() {
    let dialect = Dialect::builtin("unionpay-pos").expect("built in");
    let frame = frames::pos_sale();
    let message = dialect.decode(&frame).expect("decodes");
    assert_eq!(message.mti(), 0x0200);
    assert_eq!(
        message.fields().iter().collect::<Vec<_>>(),
        [2, 3, 4, 11, 14, 22, 23, 25, 26, 35, 41, 42, 49, 52, 53, 55, 60, 64]
    );
    assert_eq!(message.tpdu(), Some(&[0x60, 0x00, 0x12, 0x00, 0x00][..]));
    assert_eq!(message.layout_version(), Some(31));
    assert_eq!(message.software_version().expect("has one").to_string(), "030102");
    assert_eq!(digits(&message, 2).as_deref(), Some(PAN));
    assert_eq!(message.number(4), Some(6500));
    assert_eq!(message.number(11), Some(207_589));
    assert_eq!(digits(&message, 22).as_deref(), Some("071"), "filler on the right");
    assert_eq!(digits(&message, 23).as_deref(), Some("001"), "filler on the left");
    assert_eq!(digits(&message, 35), Some(format!("{PAN}=28062013479895450")));
    assert!(message.pan().expect("has one") == PAN);
    assert_eq!(text(&message, 41), "52300348");
    assert_eq!(text(&message, 42), "899523055410004");
    assert_eq!(message.raw(52), Some(&frames::hex("4615CBDFEE5F2211")[..]));
    assert_eq!(message.raw(55), Some(&frames::chip()[..]));
    assert_eq!(message.raw(64), Some(&b"BE9C337A"[..]));
    for (name, expected) in [("type", 22), ("batch", 666), ("network_code", 0), ("capability", 6)] {
        let handle = dialect.sub_field(60, name).expect("has it");
        assert_eq!(message.sub(handle).and_then(|value| value.number()), Some(expected), "{name}");
    }
    let beyond = dialect.sub_field(60, "account_type").expect("has it");
    assert!(message.sub(beyond).is_none(), "field 60 ends before it");
    assert_eq!(
        (message.text(4), message.number(41), message.has(37), message.raw(37)),
        (None, Some(52_300_348), false, None)
    );
    assert!(message.value(1).is_none() && message.value(0).is_none() && message.value(255).is_none());
}

#[test]
fn ranges_point_at_the_values() {
    for (name, id, frame) in frames::all() {
        let message = Dialect::builtin(id).expect("built in").decode(&frame).expect(name);
        let mut behind = 0;
        for number in message.fields().iter() {
            let range = message.range(number).expect("present");
            assert!(range.start >= behind, "{name} field {number}");
            assert_eq!(message.raw(number), frame.get(range.clone()), "{name} field {number}");
            behind = range.end;
        }
        assert_eq!(behind, frame.len(), "{name}");
    }
}

#[test]
fn a_terminal_reply_with_institutions_and_text() {
    let dialect = Dialect::builtin("unionpay-pos").expect("built in");
    let frame = frames::pos_sale_reply();
    let message = dialect.decode(&frame).expect("decodes");
    assert_eq!((message.mti(), text(&message, 39), text(&message, 37)), (0x0210, "00", "626422812567"));
    assert_eq!(digits(&message, 32).as_deref(), Some("48990001"));
    let part = |field, name| message.sub(dialect.sub_field(field, name).expect("has it")).expect("there").text();
    assert_eq!(part(44, "issuer"), Some(&b"01999102   "[..]));
    assert_eq!(part(44, "acquirer"), Some(&b"48990001   "[..]));
    assert_eq!(part(63, "organisation"), Some(&b"CUP"[..]));
    assert_eq!(part(63, "text").map(<[u8]>::len), Some(30));
}

#[test]
fn both_layout_versions_are_read() {
    let dialect = Dialect::builtin("unionpay-pos").expect("built in");
    for (version, expected) in [("22", 22), ("31", 31)] {
        let frame = frames::pos_with(&format!("60 0012 0000 60 {version} 0 0 020804"), "0800", &[]);
        assert_eq!(dialect.decode(&frame).expect("decodes").layout_version(), Some(expected));
    }
}

#[test]
fn settlement_totals_and_the_original_are_sub_fields() {
    let dialect = Dialect::builtin("unionpay-pos").expect("built in");
    let totals = frames::hex("0062 000000241943 004 000000000100 001 2 000000000000 000 000000000000 000 0");
    let frame = frames::pos("0510", &[(48, totals), (61, frames::hex("0016 000057 000012 0921"))]);
    let message = dialect.decode(&frame).expect("decodes");
    let cases = [
        (48, "debit_amount", 241_943),
        (48, "debit_count", 4),
        (48, "credit_amount", 100),
        (48, "credit_count", 1),
        (48, "flag", 2),
        (48, "foreign_debit_amount", 0),
        (48, "foreign_flag", 0),
        (61, "batch", 57),
        (61, "trace", 12),
        (61, "date", 921),
    ];
    for (field, name, expected) in cases {
        let value = message.sub(dialect.sub_field(field, name).expect("has it"));
        assert_eq!(value.and_then(|value| value.number()), Some(expected), "{name}");
    }
}

#[test]
fn a_network_sale() {
    let dialect = Dialect::builtin("unionpay-network").expect("built in");
    let frame = frames::network_sale();
    let message = dialect.decode(&frame).expect("decodes");
    assert_eq!((message.mti(), message.tpdu(), message.layout_version()), (0x0200, None, None));
    let header = |name| message.header(dialect.header_part(name).expect("has it")).expect("there").text();
    assert_eq!(header("destination"), Some(&b"00010000   "[..]));
    assert_eq!(header("source"), Some(&b"48990001   "[..]));
    assert_eq!(header("reject_code"), Some(&b"00000"[..]));
    assert!(message.pan().expect("has one") == PAN);
    assert_eq!(
        (message.number(4), message.number(7), message.number(11)),
        (Some(6500), Some(921_221_218), Some(812_567))
    );
    assert_eq!(digits(&message, 35).expect("track")[..20], format!("{PAN}="));
    assert_eq!(text(&message, 43).trim_end(), "CHN5230SHIYAN TEST STORE 00141");
    assert_eq!(message.raw(128), Some(&b"F8B78635"[..]));
    let no_pin = dialect.sub_field(60, "no_pin").expect("has it");
    assert_eq!(message.sub(no_pin).and_then(|value| value.number()), Some(1));
}

#[test]
fn a_network_reversal_names_its_original() {
    let dialect = Dialect::builtin("unionpay-network").expect("built in");
    let frame = frames::network_reversal();
    let message = dialect.decode(&frame).expect("decodes");
    let sub = |field, name| {
        let value = message.sub(dialect.sub_field(field, name).expect("has it")).expect("there");
        value.digits().expect("digits").to_string()
    };
    assert_eq!(sub(60, "reason"), "4351");
    assert_eq!(sub(90, "mti"), "0200");
    assert_eq!(sub(90, "trace"), "812567");
    assert_eq!(sub(90, "transmitted"), "0921221218");
    assert_eq!(sub(90, "acquirer"), "00048990001");
}

#[test]
fn names_that_are_not_there_are_said() {
    let dialect = Dialect::builtin("unionpay-pos").expect("built in");
    insta::assert_snapshot!(dialect.sub_field(61, "batches").expect_err("none"), @r#"dialect "unionpay-pos" has no sub-field "batches" in field 61; it has: batch, trace, date, authorisation, institution"#);
    insta::assert_snapshot!(dialect.header_part("length").expect_err("none"), @r#"dialect "unionpay-pos" has no header part "length"; it has: tpdu, application, version, status, demand, software_version"#);
    insta::assert_snapshot!(Dialect::builtin("iso").expect_err("none"), @r#"no built-in dialect "iso"; built in are: unionpay-pos, unionpay-pos-22, unionpay-pos-31, unionpay-network, iso1987-ascii, iso1987-binary, iso1993-ascii, ebcdic-network"#);
}

#[test]
fn every_built_in_dialect_compiles_under_its_own_name() {
    for id in Dialect::builtin_ids() {
        let dialect = Dialect::builtin(id).expect("compiles");
        assert_eq!(dialect.id(), *id);
        assert!(!dialect.en().is_empty() && !dialect.zh().is_empty() && dialect.revision() > 0);
        assert!(dialect.fields().iter().all(|field| !field.en.is_empty() && !field.zh.is_empty()));
    }
}

#[test]
fn numbers_that_are_none_are_none() {
    let dialect = Dialect::builtin("unionpay-network").expect("built in");
    let nines = frames::network("0200", &[(32, b"00".to_vec()), (90, vec![b'9'; 42])]);
    let message = dialect.decode(&nines).expect("decodes");
    assert_eq!((message.number(90), message.number(32)), (None, None), "too many digits, and none");
    assert_eq!(message.digits(90).map(|digits| digits.len()), Some(42));
}
