//! Masking removes what may not be kept, keeps everything else, and is stable.

#![allow(clippy::expect_used, reason = "a test may")]

mod frames;

use frames::{PAN, hex, lll, pos};
use onus_iso8583::Dialect;
use proptest::prelude::*;

const SAFE_PAN: &str = "9999020000000001439";

fn dialect(id: &str) -> &'static Dialect {
    Dialect::builtin(id).expect("built in")
}

fn masked(id: &str, frame: &[u8]) -> Vec<u8> {
    let mut masked = frame.to_vec();
    dialect(id).mask_in_place(&mut masked).expect("decodes");
    masked
}

/// The value of field `number` of a masked terminal frame of type `mti` with that field alone.
fn masked_field(mti: &str, number: u8, field: &[u8]) -> Vec<u8> {
    let frame = masked("unionpay-pos", &pos(mti, &[(number, field.to_vec())]));
    dialect("unionpay-pos").decode(&frame).expect("decodes").raw(number).expect("present").to_vec()
}

/// Whether `bytes` show `number` in packed digits or as text.
fn shows(bytes: &[u8], number: &str) -> bool {
    shows_packed(bytes, number) || shows_text(bytes, number)
}

fn shows_packed(bytes: &[u8], number: &str) -> bool {
    bytes.iter().map(|byte| format!("{byte:02X}")).collect::<String>().contains(number)
}

fn shows_text(bytes: &[u8], number: &str) -> bool {
    bytes.windows(number.len()).any(|window| window == number.as_bytes())
}

#[test]
fn a_masked_sale_keeps_everything_but_its_secrets() {
    for (id, frame, secret, track) in [
        ("unionpay-pos", frames::pos_sale(), [2, 35, 52], "9999020000000001439=00000000000000000"),
        ("unionpay-network", frames::network_sale(), [2, 35, 52], "9999020000000001439=00000000000000000"),
    ] {
        let mut masked = frame.clone();
        let report = dialect(id).mask_in_place(&mut masked).expect("decodes");
        assert_eq!(report.fields.iter().collect::<Vec<_>>(), secret);
        assert!(report.changed() && report.wiped_from.is_none());
        let (before, after) =
            (dialect(id).decode(&frame).expect("decodes"), dialect(id).decode(&masked).expect("decodes"));
        assert_eq!((before.fields(), before.mti()), (after.fields(), after.mti()));
        assert!(after.digits(2).expect("present") == SAFE_PAN);
        assert!(after.digits(35).expect("present") == *track);
        assert_eq!(after.raw(52), Some(&[0; 8][..]));
        for number in before.fields().iter() {
            assert_eq!(before.range(number), after.range(number));
            if !secret.contains(&number) {
                assert_eq!(before.raw(number), after.raw(number), "{id} field {number}");
            }
        }
        assert!(!shows(&masked, PAN));
        let again = dialect(id).mask_in_place(&mut masked).expect("decodes");
        assert!(!again.changed());
    }
}

#[test]
fn short_numbers_show_less() {
    for (field, expected) in [
        ("08 12345678", "00000000"),
        ("12 123456789012", "000000009012"),
        ("13 1234567890123 0", "1234560000123 0"),
        ("16 9999056837006697", "9999050000006697"),
    ] {
        assert_eq!(masked_field("0200", 2, &hex(field)), hex(expected), "{field}");
    }
}

#[test]
fn tracks() {
    let cases = [
        // Two separators, as on track 3.
        (36, format!("0039 99{PAN}D12345D67890123456 0"), "999999000000000001439D00000D00000000000 0"),
        // No separator: no last digits either.
        (35, format!("19 {PAN} 0"), "9999020000000000000 0"),
        (35, "06 D12345".to_owned(), "D00000"),
        (35, "06 999D12".to_owned(), "000D00"),
    ];
    for (number, field, expected) in cases {
        assert_eq!(masked_field("0200", number, &hex(&field)), hex(expected), "{field}");
    }
}

#[test]
fn chip_data_lose_the_values_of_hidden_tags() {
    let card = "5A0A 9999020347600321439F";
    let kept = [
        (format!("9C0100 {card} 9F020101"), "9C0100 5A0A 00000000000000000000 9F020101"),
        ("5713 9999020347600321439D28062013479895450F".into(), "5713 00000000000000000000000000000000000000"),
        (
            "5F2004 41424344 9F1F02 3132 9F2001 31 9F6B01 99 9F6101 37".into(),
            "5F2004 00000000 9F1F02 0000 9F2001 00 9F6B01 00 9F6101 00",
        ),
        (format!("700D {card} 00"), "700D 5A0A 00000000000000000000 00"),
    ];
    for (data, expected) in kept {
        assert_eq!(masked_field("0200", 55, &lll(&hex(&data))), hex(expected), "{data}");
    }
    // Garbled: nothing can be told apart, all goes.
    for data in [format!("{card} 9F"), format!("{card} 9F0280"), format!("7003 {card}")] {
        assert_eq!(masked_field("0200", 55, &lll(&hex(&data))), vec![0; hex(&data).len()], "{data}");
    }
}

#[test]
fn keys_go_only_where_keys_are() {
    let keys = hex("43EA3E18B17C9F4788F31FD6AF782FBDB4886105F72C7CB0");
    assert_eq!(masked_field("0810", 62, &lll(&keys)), [0; 24]);
    let status = b"0110210310410511260133";
    assert_eq!(masked_field("0820", 62, &lll(status)), status, "a status report is kept");
    let licence = b"Sequence No20P310231023102B1626861142";
    assert_eq!(masked_field("0800", 62, &lll(licence)), licence);
}

#[test]
fn free_text() {
    let cases = [
        (format!("card {PAN} kept"), format!("card {SAFE_PAN} kept")),
        (PAN.to_string(), SAFE_PAN.to_string()),
        ("9999020347600321438".into(), "9999020347600321438".into()), // wrong check digit
        ("999902034760".into(), "999902034760".into()),               // too short for a card
        (format!("{PAN}2806"), "99990200000000000002806".into()),     // run together with a date
        ("9999056837006697,9999056837006697".into(), "9999050000006697,9999050000006697".into()),
    ];
    for (text, expected) in cases {
        assert_eq!(masked_field("0210", 63, &lll(text.as_bytes())), expected.as_bytes(), "{text}");
    }
    let mut gbk = b"\xB1\xBE\xBF\xA8".to_vec();
    gbk.extend(PAN.bytes());
    assert!(masked_field("0210", 63, &lll(&gbk)).starts_with(b"\xB1\xBE\xBF\xA8999902000"));
}

#[test]
fn a_frame_that_does_not_decode_can_be_kept_without_its_rest() {
    let dialect = dialect("unionpay-pos");
    let whole = frames::pos_sale();
    let track = dialect.decode(&whole).expect("decodes").range(35).expect("present");
    for cut in 0..whole.len() {
        let mut frame = whole[..cut].to_vec();
        dialect.mask_undecodable(&mut frame);
        assert!(!shows(&frame, PAN) && !shows(&frame, &PAN[4..17]), "cut at {cut}");
        assert_eq!(frame.len(), cut);
    }
    let mut garbled = whole.clone();
    garbled[track.start + 3] = 0xEE;
    let report = dialect.mask_undecodable(&mut garbled);
    assert_eq!(report.wiped_from, Some(track.start - 1));
    assert_eq!(garbled[..41], masked("unionpay-pos", &whole)[..41], "fields before the fault stay");
    assert!(garbled[track.start..].iter().all(|byte| *byte == 0));
    let mut good = whole.clone();
    dialect.mask_undecodable(&mut good);
    assert_eq!(good, masked("unionpay-pos", &whole));
}

#[test]
fn description_of_a_sale() {
    let frame = frames::pos_sale();
    let dialect = dialect("unionpay-pos");
    let message = dialect.decode(&frame).expect("decodes");
    insta::assert_snapshot!(message.describe());
    insta::assert_snapshot!(format!("{message:?}"), @r#"Message { dialect: "unionpay-pos", mti: 0200, bytes: 278, fields: {2: 22..32, 3: 32..35, 4: 35..41, 11: 41..44, 14: 44..46, 22: 46..48, 23: 48..50, 25: 50..51, 26: 51..52, 35: 53..72, 41: 72..80, 42: 80..95, 49: 95..98, 52: 98..106, 53: 106..114, 55: 116..261, 60: 263..270, 64: 270..278} }"#);
}

#[test]
fn single_values_are_shown_masked() {
    let reply = frames::pos_sale_reply();
    let message = dialect("unionpay-pos").decode(&reply).expect("decodes");
    let cases = [
        (2, Some("999902*********1439")),
        (4, Some("000000006500")),
        (44, Some("01999102   48990001   ")),
        (63, Some("CUP本卡 9999020000000001439 ACT02")),
        (64, Some("AC47D6EE")),
        (52, None),
        (5, None),
    ];
    for (number, expected) in cases {
        assert_eq!(message.masked(number).as_deref(), expected, "field {number}");
    }
    let chip = hex("9C0100 5A0A 9999020347600321439F");
    let frame = pos(
        "0200",
        &[
            (35, hex("19 9999020347600321439 0")),
            (36, hex(&format!("0025 {PAN}D12D45 0"))),
            (52, hex("4615CBDFEE5F2211")),
            (55, lll(&chip)),
            (62, lll(&[0x00, 0xFF])),
        ],
    );
    let message = dialect("unionpay-pos").decode(&frame).expect("decodes");
    let cases = [
        (35, "999902*************"),
        (36, "999902*********1439=**=**"),
        (52, "*** (8 hidden)"),
        (55, "9C: 00, 5A: *** (10 hidden)"),
        (62, "00FF"),
    ];
    for (number, expected) in cases {
        assert_eq!(message.masked(number).as_deref(), Some(expected), "field {number}");
    }
}

#[test]
fn nothing_printed_shows_a_card_number() {
    for (name, id, frame) in frames::all() {
        let message = dialect(id).decode(&frame).expect(name);
        let mut printed =
            vec![message.describe().to_string(), format!("{:?}", message.describe()), format!("{message:?}")];
        for number in message.fields().iter() {
            printed.push(format!("{:?} {:?}", message.value(number), message.digits(number)));
        }
        printed.extend(message.fields().iter().filter_map(|number| message.masked(number)));
        printed.extend(message.pan().map(|pan| pan.masked().to_string()));
        for text in printed {
            for secret in [PAN, &PAN[4..17], "4615CBDFEE5F2211", "43EA3E18", "28062013"] {
                assert!(!text.contains(secret), "{name} shows {secret}: {text}");
            }
        }
    }
}

/// A card number of 13 to 19 digits that passes the Luhn check and has no long run of zeros.
fn card_number() -> impl Strategy<Value = String> {
    proptest::collection::vec(1_u8..=9, 12..=18).prop_map(|mut digits| {
        let sum: u32 = digits
            .iter()
            .rev()
            .enumerate()
            .map(|(index, digit)| {
                let digit = u32::from(*digit);
                if index % 2 == 0 { digit * 2 / 10 + digit * 2 % 10 } else { digit }
            })
            .sum();
        digits.push(((10 - sum % 10) % 10) as u8);
        digits.iter().map(|digit| char::from(b'0' + digit)).collect()
    })
}

fn packed(prefix: &str, digits: &str) -> Vec<u8> {
    let filler = if digits.len() % 2 == 1 { "0" } else { "" };
    hex(&format!("{prefix} {digits}{filler}"))
}

fn frame_with(pan: &str, noise: &str, terminal: bool) -> Vec<u8> {
    let track = format!("{pan}D{}", &"2806201134"[..37_usize.saturating_sub(pan.len() + 1).min(10)]);
    let text = format!("{noise} {pan} {noise}");
    let mut chip = hex("9C0100");
    let value = packed("", pan);
    chip.extend([0x5A, value.len() as u8]);
    chip.extend(value);
    if terminal {
        pos(
            "0200",
            &[
                (2, packed(&format!("{:02}", pan.len()), pan)),
                (4, hex("000000006500")),
                (35, packed(&format!("{:02}", track.len()), &track)),
                (55, lll(&chip)),
                (62, lll(text.as_bytes())),
                (63, lll(text.as_bytes())),
            ],
        )
    } else {
        let prefixed = |text: &str| format!("{:02}{text}", text.len()).into_bytes();
        frames::network(
            "0200",
            &[
                (2, prefixed(pan)),
                (35, prefixed(&track.replace('D', "="))),
                (48, frames::ascii_lll(text.as_bytes())),
                (55, frames::ascii_lll(&chip)),
                (57, frames::ascii_lll(text.as_bytes())),
                (102, prefixed(pan)),
            ],
        )
    }
}

proptest! {
    #[test]
    fn no_copy_of_the_card_number_is_left(pan in card_number(), noise in "[a-z ]{0,12}", terminal: bool) {
        let id = if terminal { "unionpay-pos" } else { "unionpay-network" };
        let frame = frame_with(&pan, &noise, terminal);
        let once = masked(id, &frame);
        let hidden = &pan[5..pan.len() - 3];
        // The digits that may stay can look like the hidden ones: they tell nothing then.
        let kept = format!("{} {}", &pan[..6], &pan[pan.len() - 4..]);
        let secrets: Vec<&str> = [pan.as_str(), hidden].into_iter().filter(|secret| !kept.contains(*secret)).collect();
        prop_assert_eq!(&masked(id, &once), &once);
        let after = dialect(id).decode(&once).expect("decodes");
        let packed: &[u8] = if terminal { &[2, 35, 55] } else { &[55] };
        for number in after.fields().iter() {
            let value = after.raw(number).expect("present");
            for secret in &secrets {
                let shown = if packed.contains(&number) { shows_packed(value, secret) } else { shows_text(value, secret) };
                prop_assert!(!shown, "field {number}: {value:02X?}");
            }
        }
        let message = dialect(id).decode(&frame).expect("decodes");
        let printed = format!("{} {message:?}", message.describe());
        prop_assert!(secrets.iter().all(|secret| !printed.contains(secret)), "{}", printed);
    }

    #[test]
    fn random_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        for id in Dialect::builtin_ids() {
            check(id, &bytes);
        }
    }

    #[test]
    fn damaged_frames_never_panic_and_mask_stably(
        which in 0_usize..6,
        damage in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 0..8),
    ) {
        let (_, id, mut frame) = frames::all().swap_remove(which);
        for (at, byte) in damage {
            let at = at.index(frame.len());
            frame[at] = byte;
        }
        check(id, &frame);
    }

    #[test]
    fn random_fields_never_panic_and_mask_stably(
        number in 2_u8..=128,
        mti in prop::sample::select(vec!["0200", "0210", "0800", "0810", "0820", "0320"]),
        body in proptest::collection::vec(any::<u8>(), 0..120),
        text in "[0-9 D=]{0,60}",
    ) {
        check("unionpay-pos", &pos(mti, &[(number, body.clone())]));
        check("unionpay-network", &frames::network(mti, &[(number, body)]));
        check("unionpay-pos", &pos(mti, &[(63, lll(text.as_bytes()))]));
        check("unionpay-network", &frames::network(mti, &[(57, frames::ascii_lll(text.as_bytes()))]));
        check("unionpay-network", &frames::network(mti, &[(number, frames::ascii_lll(text.as_bytes()))]));
    }
}

/// Whatever the bytes are: decode, print and mask them; masking changes no place and is stable.
fn check(id: &str, bytes: &[u8]) {
    let dialect = dialect(id);
    let mut safe = bytes.to_vec();
    dialect.mask_undecodable(&mut safe);
    assert_eq!(safe.len(), bytes.len());
    let Ok(message) = dialect.decode(bytes) else {
        return;
    };
    assert!(!message.describe().to_string().is_empty());
    let once = masked(id, bytes);
    let after = dialect.decode(&once).expect("a masked frame decodes");
    assert_eq!((message.mti(), message.fields()), (after.mti(), after.fields()));
    assert!(message.fields().iter().all(|number| message.range(number) == after.range(number)));
    assert_eq!(masked(id, &once), once);
    assert_eq!(safe, once);
}
