use super::*;

/// A frame of the terminal side with these fields, ascending.
fn frame(mti: &str, fields: &[(u8, Vec<u8>)]) -> Vec<u8> {
    let mut frame = hex("600012000060310003010 2");
    frame.extend(hex(mti));
    let map = fields.iter().fold(0_u64, |map, (number, _)| map | 1 << (64 - number));
    frame.extend(map.to_be_bytes());
    fields.iter().for_each(|(_, bytes)| frame.extend(bytes));
    frame
}

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    let nibble = |byte: u8| char::from(byte).to_digit(16).unwrap() as u8;
    digits.chunks(2).map(|pair| nibble(pair[0]) << 4 | nibble(pair[1])).collect()
}

fn lll(value: &[u8]) -> Vec<u8> {
    [hex(&format!("{:04}", value.len())), value.to_vec()].concat()
}

fn block(inner: &[u8]) -> Vec<u8> {
    [format!("A2{:03}", inner.len()).as_bytes(), inner].concat()
}

fn sale(field_59: &[u8]) -> Vec<u8> {
    let fields = [
        (2, hex("19 99990203476003214390")),
        (3, hex("000000")),
        (4, hex("000000006500")),
        (11, hex("207589")),
        (22, hex("0710")),
        (32, hex("08 48990001")),
        (41, b"52300348".to_vec()),
        (42, b"899523055410004".to_vec()),
        (52, hex("4615CBDFEE5F2211")),
        (59, lll(field_59)),
        (60, hex("0013 22 000666 000 6 0 0")),
        (61, hex("0016 000665 207001 0921")),
    ];
    frame("0200", &fields)
}

fn reader() -> SeenReader {
    SeenReader::new(Dialect::builtin("unionpay-pos").unwrap()).unwrap()
}

fn read(reader: &SeenReader, frame: &[u8]) -> Seen {
    reader.read(&Dialect::builtin("unionpay-pos").unwrap().decode(frame).unwrap())
}

#[test]
fn a_sale_is_read_whole() {
    let inner = b"0100204020080000020203006321439040081234ABCD05008320001  06012+31.2/+121.4";
    let tag = LocationTag { block: TagText::new(b"A2").unwrap(), tag: TagText::new(b"06").unwrap() };
    let reader = reader().with_card_key(CardKey::new([7; 16])).with_location(&tag);
    let seen = read(&reader, &sale(&block(inner)));
    assert_eq!((seen.mti, seen.kind(), seen.is_reply()), (0x0200, Kind::Payment, false));
    assert_eq!((seen.type_code, seen.processing, seen.amount_minor), (Some(22), Some(0), Some(6_500)));
    assert_eq!((seen.trace, seen.batch), (207_589, Some(666)));
    assert_eq!((&seen.tid, &seen.merchant), (b"52300348", b"899523055410004"));
    assert_eq!((seen.acquirer, seen.entry_mode, seen.pin), (Some(48_990_001), Some(71), true));
    assert_eq!((seen.network_code, seen.capability, seen.software), (Some(0), Some(6), Some(30_102)));
    assert_eq!(seen.serial.unwrap().as_str(), "00000202");
    assert_eq!((seen.device, seen.cipher, seen.app_version), (Some(4), Some(*b"1234ABCD"), Some(*b"320001  ")));
    assert_eq!(seen.factor_is_card, Some(true));
    assert_eq!(seen.place, Some(Place { lat_e5: 3_120_000, lon_e5: 12_140_000 }));
    assert_eq!(seen.original, Some(Original { batch: 665, trace: 207_001 }));
    assert_eq!((seen.code, seen.rrn, seen.status), (None, None, None));
    assert!(seen.leaves_reversal());
    let again = read(&reader, &sale(b""));
    assert_eq!((again.card, again.serial, again.factor_is_card), (seen.card, None, None));
    assert_ne!(seen.card, None);
    assert_eq!(read(&self::reader(), &sale(b"")).card, None, "no token without a key");
}

#[test]
fn no_card_number_in_what_is_seen() {
    let reader = reader().with_card_key(CardKey::new([7; 16]));
    let shown = format!("{:?}", read(&reader, &sale(&block(b"03006321439"))));
    for part in ["9999020347600321439", "321439", "476003"] {
        assert!(!shown.contains(part), "{shown}");
    }
}

#[test]
fn a_request_and_what_belongs_to_it_share_keys() {
    let numbers = |mti: &str| {
        let fields =
            [(11, hex("207589")), (39, b"00".to_vec()), (41, b"52300348".to_vec()), (60, hex("0008 22000666"))];
        read(&reader(), &frame(mti, &fields))
    };
    let key = |mti: &str| numbers(mti).key();
    for (request, reply) in [("0200", "0210"), ("0220", "0230"), ("0400", "0410"), ("0800", "0810"), ("0820", "0830")] {
        assert_eq!(reply_key(&numbers(request)), key(reply), "{request}");
        assert!(numbers(reply).is_reply() && !numbers(request).is_reply());
    }
    assert_eq!(key("0200"), key("0201"), "a repeat is the same exchange");
    assert_ne!(key("0200"), key("0400"));
    assert_ne!(key("0200"), key("0220"));
    assert_eq!(key("0200").payment(), key("0410").payment());
    assert_eq!(key("0200").without_batch().batch, None);
}

#[test]
fn kinds_and_what_leaves_a_reversal() {
    let cases = [
        // message type, type code, processing code, kind, leaves a reversal
        ("0200", Some("22"), "000000", Kind::Payment, true),
        ("0200", Some("23"), "200000", Kind::Payment, true),
        ("0100", Some("10"), "030000", Kind::Payment, true),
        ("0200", Some("20"), "000000", Kind::Payment, true),
        ("0200", Some("01"), "310000", Kind::Payment, false),
        ("0200", None, "310000", Kind::Payment, false),
        ("0200", None, "000000", Kind::Payment, true),
        ("0210", Some("22"), "000000", Kind::Payment, false),
        ("0220", Some("24"), "000000", Kind::Advice, false),
        ("0400", Some("22"), "000000", Kind::Reversal, false),
        ("0320", Some("00"), "000000", Kind::Settlement, false),
        ("0500", Some("00"), "000000", Kind::Settlement, false),
        ("0820", Some("00"), "000000", Kind::Management, false),
        ("0620", Some("00"), "000000", Kind::Management, false),
    ];
    for (mti, type_code, processing, kind, leaves) in cases {
        let mut fields = vec![(3, hex(processing)), (11, hex("000001")), (41, b"52300348".to_vec())];
        if let Some(code) = type_code {
            fields.push((60, hex(&format!("0008 {code}000666"))));
        }
        let seen = read(&reader(), &frame(mti, &fields));
        assert_eq!((seen.kind(), seen.leaves_reversal()), (kind, leaves), "{mti} {type_code:?} {processing}");
    }
}

#[test]
fn lists_of_field_62() {
    let of = |mti: &str, network: &str, list: &[u8]| {
        let fields = [
            (11, hex("000001")),
            (41, b"52300348".to_vec()),
            (60, hex(&format!("0011 00000666{network}0"))),
            (62, lll(list)),
        ];
        read(&reader(), &frame(mti, &fields))
    };
    let status = TerminalStatus { timeout_s: Some(25), retries: Some(3), broken: 1 << 4 };
    assert_eq!(of("0820", "002", b"0110401225133").status, Some(status));
    assert_eq!(of("0810", "360", b"1225133").status.unwrap().timeout_s, Some(25));
    assert_eq!(of("0810", "003", b"1225133").status, None, "a sign-in's reply holds keys");
    assert_eq!(of("0800", "003", b"Sequence No08N9001234").serial.unwrap().as_str(), "N9001234");
}

#[test]
fn a_dialect_without_a_batch_is_refused() {
    let error = SeenReader::new(Dialect::builtin("unionpay-network").unwrap()).unwrap_err();
    assert!(error.to_string().contains("batch"), "{error}");
}
