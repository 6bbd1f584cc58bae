//! What is written is read again, and what was read is written as it was.

#![allow(clippy::expect_used, clippy::panic, reason = "a test may")]

mod frames;

use frames::hex;
use onus_iso8583::{Dialect, Input, Message, Shown};
use proptest::prelude::*;

fn dialect(id: &str) -> &'static Dialect {
    Dialect::builtin(id).expect("built in")
}

/// The value of a field as the encoder takes it.
fn readable(message: &Message<'_>, number: u8) -> Vec<u8> {
    message.value(number).expect("present").characters().collect()
}

#[test]
fn frames_are_written_again_field_by_field() {
    for (name, id, frame) in frames::all() {
        let message = dialect(id).decode(&frame).expect(name);
        let mut out = Vec::new();
        let mut encoder = dialect(id).encoder(message.mti(), &mut out).expect(name);
        for part in dialect(id).header_parts() {
            let part = dialect(id).header_part(part).expect(name);
            let value: Vec<u8> = message.header(part).expect(name).characters().collect();
            encoder.header(part, &value).expect(name);
        }
        for number in message.fields().iter() {
            encoder.field(number, &readable(&message, number)).expect(name);
        }
        encoder.finish().expect(name);
        assert_eq!(out, frame, "{name}");
    }
}

#[test]
fn an_untouched_message_keeps_its_bytes_and_an_edited_one_all_but_its_edits() {
    for (name, id, frame) in frames::all() {
        let message = dialect(id).decode(&frame).expect(name);
        let mut out = vec![0xAA];
        message.edit().encode_into(&mut out).expect(name);
        assert_eq!(out[1..], frame, "{name}");
        let mut edited = Vec::new();
        let mut draft = message.edit();
        draft.set(11, b"424242").expect(name).remove(52).remove(64).remove(128);
        draft.encode_into(&mut edited).expect(name);
        let after = dialect(id).decode(&edited).expect(name);
        assert_eq!(after.number(11), Some(424_242));
        for number in message.fields().iter().filter(|number| ![11, 52, 64, 128].contains(number)) {
            assert_eq!(message.raw(number), after.raw(number), "{name} field {number}");
        }
        assert!(![52, 64, 128].iter().any(|number| after.has(*number)));
    }
}

#[test]
fn a_refusal_is_a_reply_made_of_its_request() {
    let frame = frames::pos_sale();
    let request = dialect("unionpay-pos").decode(&frame).expect("decodes");
    let mut draft = request.edit();
    draft.set_mti(0x0210).retain(|number| matches!(number, 3 | 4 | 11 | 25 | 41 | 42 | 49 | 60));
    draft.set(39, b"58").expect("fits").turn_around().expect("has a TPDU");
    let mut out = Vec::new();
    draft.encode_into(&mut out).expect("encodes");
    let reply = dialect("unionpay-pos").decode(&out).expect("decodes");
    assert_eq!(reply.tpdu(), Some(&[0x60, 0x00, 0x00, 0x00, 0x12][..]));
    assert_eq!((reply.mti(), reply.text(39)), (0x0210, Some(&b"58"[..])));
    let (mut one, mut other) = (Vec::new(), Vec::new());
    assert!(request.match_key(&mut one) && reply.match_key(&mut other) && one == other);
}

/// A dialect with one field; `rest` is its rows behind the names.
fn one_field(rest: &str) -> Dialect {
    let text = format!(
        "[dialect]\nid = \"one\"\nen = \"One\"\nrevision = 1\n[encoding]\nnumbers = \"ascii\"\ntracks = \"ascii\"\n\
         lengths = \"ascii\"\n[mti]\nencoding = \"ascii\"\nversions = [0]\n[bitmap]\nsecondary = true\ntertiary = true\n\
         [[field]]\nnumber = 2\n{rest}"
    );
    Dialect::from_toml(&text).unwrap_or_else(|error| panic!("{rest}: {error}"))
}

const START: usize = 12; // message type and bitmap

#[test]
fn every_field_type_is_written_and_read() {
    // The rows of the field, the value as given, the bytes of the field.
    let cases: &[(&str, &[u8], &str)] = &[
        ("format = \"n\"\nfixed = 4", b"42", "30303432"),
        ("format = \"n\"\nfixed = 4\nencoding = \"bcd\"", b"42", "0042"),
        ("format = \"n\"\nfixed = 3\nencoding = \"bcd\"\npad = \"left\"", b"042", "0042"),
        ("format = \"n\"\nfixed = 3\nencoding = \"bcd\"\npad = \"right\"\nfill = \"F\"", b"042", "042F"),
        ("format = \"n\"\nfixed = 4\nencoding = \"ebcdic\"", b"42", "F0F0F4F2"),
        ("format = \"n\"\nfixed = 2\nencoding = \"hex\"", b"42", "33343332"),
        ("format = \"n\"\nll = 10", b"123", "3033 313233"),
        ("format = \"n\"\nll = 10\nencoding = \"bcd\"\nlengths = \"bcd\"\npad = \"right\"", b"123", "03 1230"),
        ("format = \"n\"\nll = 10\nencoding = \"bcd\"\nlengths = \"bcd\"\npad = \"left\"", b"123", "03 0123"),
        ("format = \"n\"\nll = 5\nencoding = \"bcd\"\nlengths = \"bcd\"\ncounts = \"bytes\"", b"1234", "02 1234"),
        (
            "format = \"n\"\nll = 5\nencoding = \"bcd\"\nlengths = \"bcd\"\ncounts = \"bytes\"\npad = \"right\"\nfill = \"F\"",
            b"123",
            "02 123F",
        ),
        ("format = \"n\"\nlll = 300\nlengths = \"bcd\"", b"12", "0002 3132"),
        ("format = \"n\"\nll = 300\nlengths = \"binary\"", b"12", "0002 3132"),
        ("format = \"n\"\nl = 200\nlengths = \"hex\"", b"12", "3032 3132"),
        ("format = \"n\"\nlll = 300\nlengths = \"ebcdic\"", b"12", "F0F0F2 3132"),
        ("format = \"n\"\nllll = 9999", b"12", "30303032 3132"),
        ("format = \"n\"\nll = 20\nlengths = \"bcd\"\nprefix_bytes = 2", b"12", "0002 3132"),
        ("format = \"z\"\nll = 37\nencoding = \"bcd\"\nlengths = \"bcd\"\npad = \"right\"", b"99=12", "05 99D120"),
        ("format = \"z\"\nll = 37\nencoding = \"ebcdic\"", b"9=1", "3033 F97EF1"),
        ("format = \"h\"\nll = 8\nlengths = \"bcd\"\npad = \"right\"", b"ABC", "03 ABC0"),
        ("format = \"x\"\nfixed = 4", b"C12", "43303132"),
        ("format = \"x\"\nfixed = 9\nencoding = \"bcd\"", b"D00001234", "44 00001234"),
        ("format = \"an\"\nfixed = 4", b"ab", "61622020"),
        ("format = \"an\"\nfixed = 4\npad = \"left\"\nfill = \"0\"", b"ab", "30306162"),
        ("format = \"an\"\nll = 4\nencoding = \"ebcdic\"", b"a1", "3032 81F1"),
        ("format = \"ans\"\nll = 9", b"\xB1\xBE", "3032 B1BE"),
        ("format = \"ans\"\nll = 9\nencoding = \"hex\"", b"AB", "3032 34313432"),
        ("format = \"b\"\nfixed = 2", b"\x01\xFF", "01FF"),
        ("format = \"b\"\nfixed = 2\nencoding = \"hex\"", b"01FF", "30314646"),
        ("format = \"b\"\nll = 9\nencoding = \"hex\"", b"01FF", "3032 30314646"),
        ("format = \"b\"\nll = 9\nencoding = \"hex\"\ncounts = \"characters\"", b"01FF", "3034 30314646"),
        ("format = \"b\"\nfixed = 1\nencoding = \"ebcdic-hex\"", b"0F", "F0C6"),
        ("format = \"b\"\nlll = 99\ncounts = \"nibbles\"", b"\x01\xFF", "303034 01FF"),
        ("format = \"b\"\nrest = 99", b"\x01\xFF", "01FF"),
    ];
    for (rest, value, bytes) in cases {
        let one = one_field(rest);
        let hex_text = rest.contains("hex\"") && rest.contains("format = \"b\"");
        let given = if hex_text { hex(std::str::from_utf8(value).expect("text")) } else { value.to_vec() };
        let mut out = Vec::new();
        let mut encoder = one.encoder(0x0200, &mut out).expect(rest);
        encoder.field(2, &given).unwrap_or_else(|error| panic!("{rest}: {error}"));
        encoder.finish().expect(rest);
        assert_eq!(out[START..], hex(bytes), "{rest}");
        let message = one.decode(&out).unwrap_or_else(|error| panic!("{rest}: {error}"));
        let track = rest.contains("\"z\"").then(|| message.digits(2)).flatten();
        let read: Vec<u8> = track.map_or_else(|| readable(&message, 2), Iterator::collect);
        let filled = read.ends_with(&value[1..]) && read[0] == value[0];
        assert!(filled || read.ends_with(value) || read.starts_with(value), "{rest}: {read:?}");
        let mut again = Vec::new();
        message.edit().set_mti(0x0200).encode_into(&mut again).expect(rest);
        assert_eq!(again, out, "{rest}");
        for cut in 0..out.len() {
            assert!(one.decode(&out[..cut]).is_err() || rest.contains("rest = "), "{rest} cut at {cut}");
        }
    }
}

#[test]
fn what_does_not_fit_is_refused_without_showing_it() {
    let cases: &[(&str, &[u8], &str)] = &[
        ("format = \"n\"\nfixed = 4", b"12345", "field 2: expected 4 units, found 5"),
        ("format = \"n\"\nfixed = 4", b"12x4", "field 2: expected a decimal digit, found another character"),
        ("format = \"n\"\nll = 4", b"12345", "field 2: expected 0 to 4 units, found 5"),
        ("format = \"n\"\nll = 4\nmin = 3", b"12", "field 2: expected 3 to 4 units, found 2"),
        (
            "format = \"n\"\nll = 4\nencoding = \"bcd\"\npad = \"left\"",
            b"1?",
            "field 2: expected digits, found another",
        ),
        ("format = \"b\"\nfixed = 4", b"12", "field 2: expected 4 units, found 2"),
        ("format = \"x\"\nfixed = 4", b"Q12", "field 2: expected a letter C or D, or a sign"),
    ];
    for (rest, value, expected) in cases {
        let one = one_field(rest);
        let mut out = Vec::new();
        let mut encoder = one.encoder(0x0200, &mut out).expect(rest);
        let error = encoder.field(2, value).err().expect(rest).to_string();
        assert!(error.starts_with(expected), "{rest}: {error}");
    }
    let mut out = Vec::new();
    let error = dialect("unionpay-pos").encoder(0x9200, &mut out).err().expect("no such type").to_string();
    assert_eq!(error, "message type: expected a message type of this dialect, found 9200");
    let mut encoder = dialect("unionpay-pos").encoder(0x0200, &mut out).expect("begins");
    assert!(encoder.field(5, b"").is_err() && encoder.field(11, b"1").is_ok() && encoder.field(4, b"1").is_err());
}

#[test]
fn bitmaps_of_all_kinds_hold_fields_of_all_three() {
    let fields = "[[field]]\nnumber = 3\nformat = \"n\"\nfixed = 1\n[[field]]\nnumber = 66\nformat = \"n\"\nfixed = 1\n\
                  [[field]]\nnumber = 130\nformat = \"n\"\nfixed = 1\n";
    let cases = [
        ("", "A000000000000000 C000000000000000", "33 4000000000000000 3636", 3),
        ("third = \"joined\"", "A000000000000000 C000000000000000 4000000000000000", "33 36 36", 2),
        ("encoding = \"hex\"", "", "", 0),
        ("encoding = \"ebcdic-hex\"", "", "", 0),
    ];
    for (bitmap, maps, rest, _) in cases {
        let text = format!(
            "[dialect]\nid = \"m\"\nen = \"M\"\nrevision = 1\n[encoding]\nnumbers = \"ascii\"\ntracks = \"ascii\"\n\
             lengths = \"ascii\"\n[mti]\nencoding = \"ascii\"\nversions = [0]\n[bitmap]\nsecondary = true\n\
             tertiary = true\n{bitmap}\n{fields}"
        );
        let many = Dialect::from_toml(&text).expect(bitmap);
        let mut out = Vec::new();
        let mut encoder = many.encoder(0x0200, &mut out).expect(bitmap);
        for number in [3, 66, 130] {
            encoder.field(number, if number == 3 { b"3" } else { b"6" }).expect(bitmap);
        }
        encoder.finish().expect(bitmap);
        if !maps.is_empty() {
            assert_eq!(out[4..], hex(&format!("{maps} {rest}")), "{bitmap}");
        }
        let message = many.decode(&out).expect(bitmap);
        assert_eq!(message.fields().iter().collect::<Vec<_>>(), [3, 66, 130], "{bitmap}");
        assert_eq!([3, 66, 130].map(|number| message.number(number)), [Some(3), Some(6), Some(6)], "{bitmap}");
        let mut again = Vec::new();
        message.edit().set(3, b"4").expect("fits").encode_into(&mut again).expect(bitmap);
        assert_eq!(many.decode(&again).expect(bitmap).number(3), Some(4), "{bitmap}");
    }
}

const NESTED: &str = r#"
format = "ans"
lll = 999
sensitive = "text"
[field.parts]
by = "tag"
tag = { encoding = "ascii", digits = 2 }
length = { encoding = "ascii", digits = 2 }
[[field.parts.part]]
id = "01"
en = "Bits"
format = "b"
rest = 50
[field.parts.part.parts]
by = "bitmap"
bitmap = { bytes = 1 }
[[field.parts.part.parts.part]]
id = "1"
en = "Packed"
format = "n"
fixed = 4
encoding = "bcd"
[[field.parts.part.parts.part]]
id = "3"
en = "Chip"
format = "b"
ll = 30
[field.parts.part.parts.part.parts]
by = "ber"
[[field.parts.part]]
id = "02"
en = "Card"
format = "n"
rest = 19
sensitive = "pan"
"#;

#[test]
fn parts_are_read_masked_and_written() {
    let one = one_field(NESTED);
    let frame = {
        let bits = hex("A0 1234 3038 9F0201 01 700257 00");
        let card = b"0219".iter().chain(frames::PAN.as_bytes());
        let content: Vec<u8> = format!("01{:02}", bits.len()).bytes().chain(bits).chain(card.copied()).collect();
        let mut frame = hex("30323030 4000000000000000");
        frame.extend(format!("{:03}", content.len()).bytes());
        frame.extend(content);
        frame
    };
    let message = one.decode(&frame).expect("decodes");
    let nodes = message.nodes();
    let tree = nodes[0].nodes.iter().map(|node| (node.id.as_str(), node.value.as_str(), node.nodes.len()));
    assert_eq!(
        tree.collect::<Vec<_>>(),
        [("01", "A0123430389F020101700257 00".replace(' ', "").as_str(), 2), ("02", "999902*********1439", 0)]
    );
    let bits = &nodes[0].nodes[0].nodes;
    assert_eq!((bits[0].value.as_str(), bits[1].nodes[0].id.as_str()), ("1234", "9F02"));
    assert_eq!(bits[1].nodes[1].nodes[0].id, "57");
    let mut masked = frame.clone();
    one.mask_in_place(&mut masked).expect("decodes");
    assert!(!masked.windows(9).any(|window| window == &frames::PAN.as_bytes()[5..14]));
    assert_eq!(one.decode(&masked).expect("decodes").nodes(), nodes);

    let text = |text: &str| Some(Shown::Text(text.into()));
    let leaf = |id: &str, value: &str| Input { id: id.into(), value: text(value), parts: Vec::new() };
    let bytes = |id: &str, value: &str| Input { id: id.into(), value: Some(Shown::Hex(value.into())), parts: vec![] };
    let group = |id: &str, parts: Vec<Input>| Input { id: id.into(), value: None, parts };
    let chip = group("3", vec![bytes("9F02", "01"), group("70", vec![bytes("57", "")])]);
    let field = group("2", vec![group("01", vec![leaf("1", "1234"), chip]), leaf("02", frames::PAN)]);
    let mut out = Vec::new();
    one.encode_inputs(0x0200, &[], &[field], &mut out).expect("encodes");
    assert_eq!(out, frame);
}

#[test]
fn a_fault_in_a_part_says_which() {
    let one = one_field(NESTED);
    let faults = [
        ("0103A0123", "byte 22, field 2, part 01/3: expected 2 bytes, found 0"),
        ("0203123", "byte 17, field 2: nothing"),
        ("02x3123", "byte 17, field 2, part 02: expected a length, found 0x78"),
        ("0209123", "byte 19, field 2, part 02: expected 9 bytes, found 3"),
        ("02031x3", "byte 20, field 2, part 02: expected a decimal digit, found 0x78"),
    ];
    for (content, expected) in faults {
        let content = content.replace("A0", "\u{7f}"); // one byte
        let mut bytes: Vec<u8> = content.bytes().collect();
        bytes.iter_mut().filter(|byte| **byte == 0x7F).for_each(|byte| *byte = 0xA0);
        let mut frame = hex("30323030 4000000000000000");
        frame.extend(format!("{:03}", bytes.len()).bytes());
        frame.extend(bytes);
        match one.decode(&frame) {
            Ok(_) => assert!(expected.ends_with("nothing"), "{expected}"),
            Err(error) => assert_eq!(error.to_string(), expected),
        }
    }
}

proptest! {
    #[test]
    fn accepted_bytes_are_written_as_they_were(
        which in 0_usize..6,
        damage in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 0..3),
    ) {
        let (_, id, mut frame) = frames::all().swap_remove(which);
        for (at, byte) in damage {
            let at = at.index(frame.len());
            frame[at] = byte;
        }
        if let Ok(message) = dialect(id).decode(&frame) {
            let mut out = Vec::new();
            message.edit().set_mti(message.mti()).encode_into(&mut out).expect("was accepted");
            prop_assert_eq!(out, frame);
        }
    }

    #[test]
    fn written_values_are_read_back(
        card in "[0-9]{1,19}",
        amount in 0_u64..1_000_000_000_000,
        trace in 0_u32..1_000_000,
        terminal in "[0-9A-Z]{8}",
        text in "[ -~]{0,99}",
        chip in proptest::collection::vec(any::<u8>(), 0..100),
        id in prop::sample::select(vec!["unionpay-pos", "unionpay-network", "iso1987-ascii", "iso1987-binary", "ebcdic-network"]),
    ) {
        let dialect = dialect(id);
        let values: Vec<(u8, Vec<u8>)> = vec![
            (2, card.into_bytes()),
            (3, b"000000".to_vec()),
            (4, format!("{amount:012}").into_bytes()),
            (11, format!("{trace:06}").into_bytes()),
            (41, terminal.into_bytes()),
            (42, b"899523055410004".to_vec()),
            (55, chip),
            (57, text.into_bytes()),
        ];
        let mut out = Vec::new();
        let mut encoder = dialect.encoder(0x0200, &mut out).expect("begins");
        for (number, value) in &values {
            encoder.field(*number, value).expect("fits");
        }
        encoder.finish().expect("ends");
        let message = dialect.decode(&out).expect("decodes");
        for (number, value) in &values {
            prop_assert_eq!(&readable(&message, *number), value);
        }
    }
}
