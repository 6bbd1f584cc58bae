//! What is wrong with a frame is said exactly: where, in which field, what was expected.

#![allow(clippy::expect_used, reason = "a test may")]

mod frames;

use frames::{hex, pos, pos_with};
use onus_iso8583::{Dialect, Place};

fn error(id: &str, frame: &[u8]) -> String {
    Dialect::builtin(id).expect("built in").decode(frame).expect_err("is wrong").to_string()
}

#[test]
fn terminal_side() {
    let field = |number, bytes: &str| pos("0200", &[(number, hex(bytes))]);
    let cases: Vec<(Vec<u8>, &str)> = vec![
        (vec![], "byte 0, header tpdu: expected 11 bytes, found 0"),
        (hex("61"), "byte 1, header tpdu: expected 10 bytes, found 0"),
        (
            pos_with("61 0012 0000 60 31 0 0 030102", "0200", &[]),
            "byte 0, header tpdu: expected a value that begins with 60, found 0x61",
        ),
        (
            pos_with("60 0012 0000 60 23 0 0 030102", "0200", &[]),
            "byte 6, header version: expected a value that begins with 22 or 31, found 0x23",
        ),
        (
            pos_with("60 0012 0000 60 31 0 0 0301F2", "0200", &[]),
            "byte 10, header software_version: expected a decimal digit, found 0x0F",
        ),
        (pos("02A0", &[]), "byte 12, message type: expected a decimal digit, found 0x0A"),
        (pos("9200", &[]), "byte 11, message type: expected a message type of this dialect, found 9200"),
        (pos("0900", &[]), "byte 11, message type: expected a message type of this dialect, found 0900"),
        (
            pos_with("60 0012 0000 60 31 0 0 030102", "02", &[])[..12].into(),
            "byte 11, message type: expected 2 bytes, found 1",
        ),
        (pos("0200", &[])[..20].into(), "byte 13, bitmap: expected 8 bytes, found 7"),
        (field(5, ""), "byte 13, field 5: expected a field that the dialect has, found one that it does not have"),
        (field(63, ""), "byte 21, field 63: expected 2 bytes, found 0"),
        (field(2, "16 9999 05A8"), "byte 22, field 2: expected 8 bytes, found 4"),
        (field(2, "04 9999 00"), "byte 24, end of the message: expected nothing, found 1 bytes more"),
        (field(2, "04 99A9"), "byte 23, field 2: expected a decimal digit, found 0x0A"),
        (field(2, "03 9995"), "byte 23, field 2: expected a filler 0 or F, found 0x05"),
        (field(2, "20 9999"), "byte 21, field 2: expected a length of at most 19, found 20"),
        (field(2, "1C 9999"), "byte 21, field 2: expected a decimal digit, found 0x0C"),
        (field(4, "0000 0000 65B0"), "byte 26, field 4: expected a decimal digit, found 0x0B"),
        (field(22, "0211"), "byte 22, field 22: expected a filler 0 or F, found 0x01"),
        (field(23, "1001"), "byte 21, field 23: expected a filler 0 or F, found 0x01"),
        (field(23, "0C01"), "byte 21, field 23: expected a decimal digit, found 0x0C"),
        (field(35, "06 99D 9C9"), "byte 24, field 35: expected a digit or a track separator, found 0x0C"),
        (field(35, "05 99D 9E 0"), "byte 24, field 35: expected a digit or a track separator, found 0x0E"),
        (field(39, "3001"), "byte 22, field 39: expected a printable ASCII character, found 0x01"),
        (field(55, "0256"), "byte 21, field 55: expected a length of at most 255, found 256"),
        (field(55, "9999"), "byte 21, field 55: expected a length of at most 255, found 9999"),
        (field(52, "00"), "byte 21, field 52: expected 8 bytes, found 1"),
    ];
    for (frame, expected) in cases {
        assert_eq!(error("unionpay-pos", &frame), expected, "{frame:02X?}");
    }
}

#[test]
fn network_side() {
    let field = |number, text: &str| frames::network("0200", &[(number, text.as_bytes().to_vec())]);
    let mut cases: Vec<(Vec<u8>, &str)> = vec![
        (field(3, "00a000"), "byte 60, field 3: expected a decimal digit, found 0x61"),
        (field(2, "1x"), "byte 59, field 2: expected a decimal digit, found 0x78"),
        (field(2, "20"), "byte 58, field 2: expected a length of at most 19, found 20"),
        (field(35, "059999_"), "byte 64, field 35: expected a digit or a track separator, found 0x5F"),
        (field(60, "0304351"), "byte 61, field 60: expected 30 bytes, found 4"),
        (field(41, "5230034"), "byte 58, field 41: expected 8 bytes, found 7"),
        (field(70, "301\0"), "byte 69, end of the message: expected nothing, found 1 bytes more"),
        (
            field(64, "12345678"),
            "byte 57, field 64: expected a field that the dialect has, found one that it does not have",
        ),
        (field(65, "1"), "byte 58, field 65: expected a field that the dialect has, found one that it does not have"),
        (frames::network("02x0", &[]), "byte 48, message type: expected a decimal digit, found 0x78"),
    ];
    let mut longer = frames::network_echo();
    longer.push(b'0');
    cases.push((longer, "byte 2, header total_length: expected the length of the frame, 96, found 95"));
    let mut no_length = frames::network_echo();
    no_length[4] = b' ';
    cases.push((no_length, "byte 4, header total_length: expected a decimal digit, found 0x20"));
    let mut other = frames::network_echo();
    other[0] = 0x60;
    cases.push((other, "byte 0, header header_length: expected a value that begins with 2E, found 0x60"));
    for (frame, expected) in cases {
        assert_eq!(error("unionpay-network", &frame), expected, "{frame:02X?}");
    }
}

#[test]
fn a_frame_cut_anywhere_is_refused_at_or_before_the_cut() {
    for (name, id, frame) in frames::all() {
        let dialect = Dialect::builtin(id).expect("built in");
        for cut in 0..frame.len() {
            let error = dialect.decode(&frame[..cut]).expect_err(name);
            assert!(error.offset <= cut, "{name} cut at {cut}: {error}");
            let mut masked = frame[..cut].to_vec();
            assert_eq!(dialect.mask_in_place(&mut masked), Err(error), "{name} cut at {cut}");
            assert_eq!(masked, frame[..cut], "{name} cut at {cut} is left as it was");
        }
    }
}

#[test]
fn a_cut_terminal_frame_names_the_field_that_is_missing() {
    let frame = frames::pos_sale();
    let dialect = Dialect::builtin("unionpay-pos").expect("built in");
    let whole = dialect.decode(&frame).expect("decodes");
    for number in whole.fields().iter() {
        let range = whole.range(number).expect("present");
        let error = dialect.decode(&frame[..range.end - 1]).expect_err("cut");
        assert_eq!((error.place.clone(), error.field()), (Place::Field(number), Some(number)), "{error}");
        assert_eq!((error.offset, error.problem.code()), (range.start, "truncated"), "{error}");
    }
}

#[test]
fn more_bytes_than_a_frame_can_have_are_refused() {
    let text = error("unionpay-pos", &vec![0; 70_000]);
    assert_eq!(text, "byte 65535, frame: expected at most 65535 bytes, found 70000");
}
