//! Frames written by hand, piece by piece, for the tests and the bench of this crate. Card
//! numbers are of an unassigned range and pass the Luhn check.

#![allow(dead_code, reason = "each test file uses some of it")]

/// The card number in the frames.
pub(crate) const PAN: &str = "9999020347600321439";

/// Bytes from hexadecimal text; blanks are skipped.
pub(crate) fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    let digit = |byte: &u8| char::from(*byte).to_digit(16).expect("hexadecimal") as u8;
    digits.chunks(2).map(|pair| digit(&pair[0]) << 4 | digit(&pair[1])).collect()
}

/// The bitmap of these fields, one or two parts long.
pub(crate) fn bitmap(fields: &[u8]) -> Vec<u8> {
    let long = fields.iter().any(|field| *field > 64);
    let mut map = vec![0_u8; if long { 16 } else { 8 }];
    for field in fields.iter().copied().chain(long.then_some(1)) {
        map[usize::from(field - 1) / 8] |= 0x80 >> ((field - 1) % 8);
    }
    map
}

/// A terminal-side frame: TPDU, header of version 31, message type, bitmap, fields in order.
pub(crate) fn pos(mti: &str, fields: &[(u8, Vec<u8>)]) -> Vec<u8> {
    pos_with("60 0012 0000 60 31 0 0 030102", mti, fields)
}

/// A terminal-side frame with its own header.
pub(crate) fn pos_with(header: &str, mti: &str, fields: &[(u8, Vec<u8>)]) -> Vec<u8> {
    let mut frame = hex(header);
    frame.extend(hex(mti));
    append(&mut frame, fields);
    frame
}

/// A network-side frame: header of 46 bytes, message type, bitmap, fields in order.
pub(crate) fn network(mti: &str, fields: &[(u8, Vec<u8>)]) -> Vec<u8> {
    let mut body = mti.as_bytes().to_vec();
    append(&mut body, fields);
    let mut frame = b"\x2E\x02".to_vec();
    frame.extend(format!("{:04}", body.len() + 46).bytes());
    frame.extend(b"00010000   48990001   000\x0000000000000000");
    frame.extend(body);
    frame
}

fn append(frame: &mut Vec<u8>, fields: &[(u8, Vec<u8>)]) {
    let numbers: Vec<u8> = fields.iter().map(|(number, _)| *number).collect();
    frame.extend(bitmap(&numbers));
    fields.iter().for_each(|(_, bytes)| frame.extend(bytes));
}

fn text(value: &str) -> Vec<u8> {
    value.as_bytes().to_vec()
}

/// Chip data of a contact payment, without a card number.
pub(crate) fn chip() -> Vec<u8> {
    hex("9F2608 0912E58992FAF108 9F270180 9F1013 07010103A02002010A010000000000A1B2C3D4
         9F3704 F10C91A5 9F3602 2AE5 9505 0000000000 9A03 260921 9C0100 9F0206 000000006500
         5F2A02 0156 8202 7C00 9F1A02 0156 9F0306 000000000000 9F3303 E0F1C8 9F3403 420300
         9F350122 9F1E08 3434373233383134 8408 A000000333010101 9F090200 30 9F4104 00207589")
}

/// An LLL field of the terminal side that counts bytes.
pub(crate) fn lll(value: &[u8]) -> Vec<u8> {
    let mut field = hex(&format!("{:04}", value.len()));
    field.extend(value);
    field
}

/// An LLL field of the network side.
pub(crate) fn ascii_lll(value: &[u8]) -> Vec<u8> {
    let mut field = format!("{:03}", value.len()).into_bytes();
    field.extend(value);
    field
}

/// The 18 fields of a chip sale with PIN at a terminal.
pub(crate) fn pos_sale_fields() -> Vec<(u8, Vec<u8>)> {
    vec![
        (2, hex(&format!("19 {PAN}0"))),
        (3, hex("000000")),
        (4, hex("000000006500")),
        (11, hex("207589")),
        (14, hex("2806")),
        (22, hex("0710")),
        (23, hex("0001")),
        (25, hex("00")),
        (26, hex("06")),
        (35, hex(&format!("37 {PAN}D28062013479895450 0"))),
        (41, text("52300348")),
        (42, text("899523055410004")),
        (49, text("156")),
        (52, hex("4615CBDFEE5F2211")),
        (53, hex("2600000000000000")),
        (55, lll(&chip())),
        (60, hex("0013 22 000666 000 6 0 0")),
        (64, text("BE9C337A")),
    ]
}

/// A chip sale with PIN, as the terminal sends it.
pub(crate) fn pos_sale() -> Vec<u8> {
    pos("0200", &pos_sale_fields())
}

/// The reply to it, with a long text.
pub(crate) fn pos_sale_reply() -> Vec<u8> {
    pos_with(
        "60 0000 0012 60 31 0 0 030102",
        "0210",
        &[
            (2, hex(&format!("19 {PAN}0"))),
            (3, hex("000000")),
            (4, hex("000000006500")),
            (11, hex("207589")),
            (12, hex("221218")),
            (13, hex("0921")),
            (15, hex("0921")),
            (25, hex("00")),
            (32, hex("08 48990001")),
            (37, text("626422812567")),
            (38, text("255610")),
            (39, text("00")),
            (41, text("52300348")),
            (42, text("899523055410004")),
            (44, [hex("22"), text("01999102   48990001   ")].concat()),
            (49, text("156")),
            (60, hex("0013 22 000666 000 6 0 0")),
            (63, lll(b"CUP\xB1\xBE\xBF\xA8 9999020347600321439 ACT02")),
            (64, text("AC47D6EE")),
        ],
    )
}

/// The reply to a sign-in: a block of keys.
pub(crate) fn pos_sign_in_reply() -> Vec<u8> {
    pos_with(
        "60 0000 0052 60 22 0 0 020804",
        "0810",
        &[
            (11, hex("163365")),
            (12, hex("502202")),
            (13, hex("0921")),
            (32, hex("08 48990001")),
            (37, text("626422562526")),
            (39, text("00")),
            (41, text("55108287")),
            (42, text("899551058120002")),
            (60, hex("0011 00 000896 003 0")),
            (62, lll(&hex("43EA3E18B17C9F4788F31FD6AF782FBDB4886105F72C7CB0"))),
        ],
    )
}

/// A sale as the acquirer sends it to the network.
pub(crate) fn network_sale() -> Vec<u8> {
    network(
        "0200",
        &[
            (2, text(&format!("19{PAN}"))),
            (3, text("000000")),
            (4, text("000000006500")),
            (7, text("0921221218")),
            (11, text("812567")),
            (12, text("221218")),
            (13, text("0921")),
            (14, text("2806")),
            (18, text("5541")),
            (22, text("071")),
            (23, text("001")),
            (25, text("00")),
            (26, text("06")),
            (32, text("0848990001")),
            (33, text("0848990001")),
            (35, text(&format!("37{PAN}=28062013479895450"))),
            (37, text("626422812567")),
            (41, text("52300348")),
            (42, text("899523055410004")),
            (43, text("CHN5230SHIYAN TEST STORE 00141          ")),
            (49, text("156")),
            (52, hex("4615CBDFEE5F2211")),
            (53, text("2600000000000000")),
            (55, ascii_lll(&chip())),
            (60, ascii_lll(b"000006000310000000000000000000")),
            (128, text("F8B78635")),
        ],
    )
}

/// A reversal as the acquirer sends it to the network.
pub(crate) fn network_reversal() -> Vec<u8> {
    network(
        "0420",
        &[
            (2, text(&format!("19{PAN}"))),
            (3, text("000000")),
            (4, text("000000006500")),
            (7, text("0921221301")),
            (11, text("812568")),
            (33, text("0848990001")),
            (60, ascii_lll(b"435106000300000000000000000000")),
            (90, text("020081256709212212180004899000100048990001")),
            (128, text("A2AD714A")),
        ],
    )
}

/// An echo test: one bitmap of 16 bytes, no card.
pub(crate) fn network_echo() -> Vec<u8> {
    let fields = [(7, text("0921235800")), (11, text("991146")), (33, text("0848990001")), (70, text("301"))];
    network("0820", &fields)
}

/// All frames above by name, with their dialect.
pub(crate) fn all() -> Vec<(&'static str, &'static str, Vec<u8>)> {
    vec![
        ("pos sale", "unionpay-pos", pos_sale()),
        ("pos sale reply", "unionpay-pos", pos_sale_reply()),
        ("pos sign-in reply", "unionpay-pos", pos_sign_in_reply()),
        ("network sale", "unionpay-network", network_sale()),
        ("network reversal", "unionpay-network", network_reversal()),
        ("network echo", "unionpay-network", network_echo()),
    ]
}
