//! Imported specifications against messages that pyiso8583 wrote (see `foreign/generate.py`).
#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, reason = "a test may")]

use std::collections::BTreeMap;

use onus_iso8583::foreign::{Format, ImportError, import};
use onus_iso8583::{Dialect, Node};
use serde_json::Value;

const PYISO8583: &str = include_str!("foreign/pyiso8583.json");
const MOOV: &str = include_str!("foreign/moov.json");
const JPOS: &str = include_str!("foreign/jpos.xml");
const NESTED: &str = include_str!("foreign/nested.jsonl");
const RANDOM: &str = include_str!("foreign/random.jsonl");

type Values = BTreeMap<String, String>;

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).expect("hexadecimal")).collect()
}

fn strings(value: &Value) -> Values {
    let entries = value.as_object().expect("an object").iter();
    entries.map(|(key, value)| (key.clone(), value.as_str().expect("text").to_owned())).collect()
}

/// The dialect with nothing masked, so that all values can be compared.
fn unmasked(toml: &str) -> Dialect {
    let lines = toml.lines().filter(|line| !line.starts_with("sensitive = ")).map(|line| {
        if line.starts_with("format = ") { format!("{line}\nsensitive = \"none\"\n") } else { format!("{line}\n") }
    });
    Dialect::from_toml(&lines.collect::<String>()).expect("the imported dialect without masking")
}

/// The values of a message's leaves, by place.
fn leaves(nodes: &[Node], before: &str, found: &mut Values) {
    for node in nodes {
        let place = format!("{before}{}", node.id);
        if node.nodes.is_empty() {
            found.insert(place, node.value.as_str().to_owned());
        } else {
            leaves(&node.nodes, &format!("{place}."), found);
        }
    }
}

fn read(dialect: &Dialect, line: &Value) -> Result<Values, String> {
    let frame = bytes(line["frame"].as_str().expect("a frame"));
    let message = dialect.decode(&frame).map_err(|error| error.to_string())?;
    assert_eq!(format!("{:04x}", message.mti()), line["mti"].as_str().expect("a type"));
    let mut found = Values::new();
    leaves(&message.nodes(), "", &mut found);
    Ok(found)
}

/// Every message decodes to exactly the values that went into it.
fn check_nested(format: Format, specification: &str, key: &str) {
    let imported = import(format, specification, "imported").expect("import");
    assert_eq!(imported.remarks, []);
    let dialect = unmasked(&imported.toml);
    for (index, line) in NESTED.lines().enumerate() {
        let line: Value = serde_json::from_str(line).expect("a line");
        let expected = strings(&line[key]);
        let found = read(&dialect, &line).unwrap_or_else(|error| panic!("message {index}: {error}"));
        let places = expected.keys().chain(found.keys());
        for place in places {
            // A container whose parts are all absent is a leaf.
            if found.get(place).is_some_and(String::is_empty) && !expected.contains_key(place) {
                continue;
            }
            assert_eq!(found.get(place), expected.get(place), "message {index}, {place}");
        }
    }
}

#[test]
fn pyiso8583_reads_what_it_wrote() {
    check_nested(Format::Pyiso8583Json, PYISO8583, "flat");
}

#[test]
fn moov_reads_the_same_layout() {
    check_nested(Format::MoovJson, MOOV, "parts");
}

#[test]
fn jpos_reads_the_same_layout() {
    check_nested(Format::JposXml, JPOS, "parts");
}

#[test]
fn random_specifications_of_pyiso8583() {
    let mut dialect = None;
    let mut messages = 0;
    for line in RANDOM.lines() {
        let line: Value = serde_json::from_str(line).expect("a line");
        if let Some(specification) = line.get("spec") {
            let imported = import(Format::Pyiso8583Json, &specification.to_string(), "random").expect("import");
            assert_eq!(imported.remarks, []);
            dialect = Some(unmasked(&imported.toml));
            continue;
        }
        let expected = strings(&line["values"]);
        let found = read(dialect.as_ref().expect("a specification first"), &line);
        assert_eq!(found, Ok(expected), "message {messages}: {}", line["frame"]);
        messages += 1;
    }
    assert!(messages >= 60);
}

#[test]
fn masked_messages_of_imported_dialects_still_decode() {
    let mut dialect =
        Dialect::from_toml(&import(Format::MoovJson, MOOV, "moov").expect("import").toml).expect("dialect");
    for line in NESTED.lines().chain(RANDOM.lines()) {
        let line: Value = serde_json::from_str(line).expect("a line");
        if let Some(specification) = line.get("spec") {
            let imported = import(Format::Pyiso8583Json, &specification.to_string(), "random").expect("import");
            dialect = Dialect::from_toml(&imported.toml).expect("dialect");
            continue;
        }
        let mut frame = bytes(line["frame"].as_str().expect("a frame"));
        let whole = frame.clone();
        dialect.mask_in_place(&mut frame).expect("mask");
        let masked = frame.clone();
        assert!(dialect.decode(&masked).is_ok(), "{whole:02x?}");
        assert!(!dialect.mask_in_place(&mut frame).expect("mask again").changed(), "{whole:02x?}");
        if let Some(pan) = dialect.decode(&whole).expect("decode").pan().map(|pan| pan.to_string())
            && pan.len() >= 13
        {
            let shown = dialect.decode(&whole).expect("decode").describe().to_string();
            assert!(!shown.contains(&pan), "{shown}");
        }
    }
}

#[test]
fn the_dialect_reads_like_one_written_by_hand() {
    let specification = r#"{"name": "Small host", "fields": {
        "0": {"type": "String", "length": 4, "description": "MTI", "enc": "ASCII", "prefix": "ASCII.Fixed"},
        "1": {"type": "Bitmap", "description": "Bitmap", "enc": "HexToASCII", "prefix": "Hex.Fixed"},
        "2": {"type": "String", "length": 19, "description": "Primary Account Number", "enc": "ASCII", "prefix": "ASCII.LL"},
        "11": {"type": "Numeric", "length": 6, "description": "Trace", "enc": "BCD", "prefix": "BCD.Fixed"},
        "48": {"type": "Composite", "length": 99, "description": "Tagged", "prefix": "ASCII.LL",
               "tag": {"length": 2, "enc": "ASCII", "sort": "StringsByInt"},
               "subfields": {"01": {"type": "String", "length": 9, "description": "One", "enc": "ASCII", "prefix": "ASCII.LL"}}},
        "62": {"type": "String", "length": 9, "description": "Odd", "enc": "Morse", "prefix": "ASCII.LL"}}}"#;
    let imported = import(Format::MoovJson, specification, "small-host").expect("import");
    assert_eq!(imported.remarks.len(), 1);
    insta::assert_snapshot!(imported.toml);
}

#[test]
fn what_is_no_specification_says_why() {
    let table = [
        (Format::MoovJson, "{", "no JSON"),
        (Format::MoovJson, r#"{"name": "x"}"#, "no field 0"),
        (Format::MoovJson, r#"{"fields": {"0": {"type": "String", "length": 4, "enc": "ASCII"}}}"#, "no field 1"),
        (Format::Pyiso8583Json, r#"{"t": {"data_enc": "b"}}"#, "no \"p\""),
        (Format::JposXml, "<isofield/>", "<isofield>"),
        (Format::JposXml, "<isopackager", "no XML"),
        (Format::JposXml, "<isopackager emitBitmap='false'/>", "without a bitmap"),
        (Format::JposXml, "<isopackager><isofield id='x' length='4'/></isopackager>", "line 1"),
    ];
    for (format, text, words) in table {
        let error: ImportError = import(format, text, "x").expect_err(text);
        assert!(error.to_string().contains(words), "{text}: {error}");
    }
    let error = import(Format::MoovJson, MOOV, "my host").expect_err("a blank in the id");
    assert!(error.to_string().contains("letters, digits and -"), "{error}");
}
/// One field's bytes behind a packed message type and bitmap, and its leaves.
fn field_alone(toml: &str, number: u8, wire: &str) -> Result<Values, String> {
    let dialect = unmasked(toml);
    let bit = 1_u64 << (64 - number);
    let line = serde_json::json!({ "mti": "0200", "frame": format!("0200{bit:016x}{wire}") });
    read(&dialect, &line)
}

fn leaf(place: &str, value: &str) -> Values {
    Values::from([(place.to_owned(), value.to_owned())])
}

#[test]
fn every_class_of_jpos_counts_and_pads_in_its_own_way() {
    let table = [
        ("IFA_NUMERIC", 6, "false", "303030313233", "000123"),
        ("IFA_LLNUM", 19, "false", "3033313233", "123"),
        ("IFA_LCHAR", 9, "false", "33414263", "ABc"),
        ("IFA_LLLCHAR", 99, "false", "303032414a", "AJ"),
        ("IFA_LLLLLLCHAR", 999_999, "false", "303030303032414a", "AJ"),
        ("IFA_BINARY", 3, "false", "303141423346", "01AB3F"),
        ("IFA_LLBINARY", 9, "false", "303201fb", "01FB"),
        ("IFA_LLLBINARY", 999, "false", "30303201fb", "01FB"),
        ("IFA_LLABINARY", 9, "false", "303230314642", "01FB"),
        ("IFA_LLLABINARY", 9, "false", "30303230314642", "01FB"),
        ("IFA_LLBNUM", 9, "false", "30341230", "1230"),
        ("IFA_AMOUNT", 9, "false", "443030303030313233", "D00000123"),
        ("IF_CHAR", 5, "false", "4142433f20", "ABC? "),
        ("IF_ECHAR", 3, "false", "c1c2c3", "ABC"),
        ("IFB_NUMERIC", 6, "true", "001234", "001234"),
        ("IFB_NUMERIC", 3, "true", "0123", "123"),
        ("IFB_NUMERIC", 3, "false", "1230", "123"),
        ("IFB_FNUMERIC", 3, "false", "123f", "123"),
        ("IFB_LLNUM", 19, "false", "051234 50", "12345"),
        ("IFB_LLNUM", 19, "true", "0501 2345", "12345"),
        ("IFB_LLLNUM", 999, "false", "0003 1230", "123"),
        ("IFB_FLLNUM", 19, "false", "03123f", "123"),
        ("IFB_FLLLNUM", 19, "false", "0003123f", "123"),
        ("IFB_LLHNUM", 19, "false", "0b123456789010", "12345678901"),
        ("IFB_LLLHNUM", 999, "true", "00030123", "123"),
        ("IFB_LLCHAR", 99, "false", "1241424344454647484941424b", "ABCDEFGHIABK"),
        ("IFB_LLLCHAR", 999, "false", "00024142", "AB"),
        ("IFB_LLLLCHAR", 9999, "false", "00024142", "AB"),
        ("IFB_LLLLLLCHAR", 9999, "false", "0000024142", "AB"),
        ("IFB_LLHCHAR", 255, "false", "024142", "AB"),
        ("IFB_LLLHCHAR", 999, "false", "00024142", "AB"),
        ("IFB_LLHECHAR", 255, "false", "02c1c2", "AB"),
        ("IFB_LLLHECHAR", 255, "false", "0002c1c2", "AB"),
        ("IFB_BINARY", 3, "false", "0102ff", "0102FF"),
        ("IFB_LLBINARY", 99, "false", "02ff01", "FF01"),
        ("IFB_LLLBINARY", 999, "false", "0002ff01", "FF01"),
        ("IFB_LLHBINARY", 255, "false", "02ff01", "FF01"),
        ("IFB_LLLHBINARY", 999, "false", "0002ff01", "FF01"),
        ("IFB_HEX", 4, "false", "1a2b", "1A2B"),
        ("IFB_LLHEX", 20, "false", "041a2b", "1A2B"),
        ("IFB_LLLHEX", 200, "false", "00041a2b", "1A2B"),
        ("IFB_AMOUNT", 9, "true", "4400000123", "D00000123"),
        ("IFE_NUMERIC", 4, "false", "f0f1f2f3", "0123"),
        ("IFE_CHAR", 3, "false", "c1c240", "AB "),
        ("IFE_LLNUM", 19, "false", "f0f2f1f2", "12"),
        ("IFE_LLCHAR", 19, "false", "f0f2c1f2", "A2"),
        ("IFE_LLLCHAR", 19, "false", "f0f0f2c1f2", "A2"),
        ("IFE_BINARY", 2, "false", "f0f1c1c2", "01AB"),
        ("IFE_LLBINARY", 20, "false", "f0f2ff01", "FF01"),
        ("IFE_LLLBINARY", 20, "false", "f0f0f2ff01", "FF01"),
        ("IFE_LLLEBINARY", 20, "false", "f0f0f2c1c2", "AB"),
        ("IFE_AMOUNT", 6, "false", "c4f0f0f1f2f3", "D00123"),
        ("IFAE_LLCHAR", 20, "false", "3032c1c2", "AB"),
        ("IFEA_LLCHAR", 20, "false", "f0f24142", "AB"),
        ("IFEA_LLLCHAR", 20, "false", "f0f0f24142", "AB"),
        ("IFEB_LLNUM", 19, "false", "f0f2123f", "123"),
        ("IFEB_LLNUM", 19, "false", "f0f21234", "1234"),
        ("IFEB_LLLNUM", 19, "false", "f0f0f2123f", "123"),
    ];
    for (class, length, pad, wire, value) in table {
        let xml = format!(
            "<isopackager><isofield id='0' length='4' class='org.jpos.iso.IFB_NUMERIC'/>\
             <isofield id='1' length='16' class='org.jpos.iso.IFB_BITMAP'/>\
             <isofield id='61' length='{length}' pad='{pad}' name='x' class='org.jpos.iso.{class}'/></isopackager>"
        );
        let imported = import(Format::JposXml, &xml, "one").expect(class);
        assert_eq!(imported.remarks, [], "{class}");
        let found = field_alone(&imported.toml, 61, &wire.replace(' ', ""));
        assert_eq!(found, Ok(leaf("61", value)), "{class} {length} pad={pad}");
    }
}

#[test]
fn fields_within_fields_of_jpos() {
    let table = [
        // A field before the tags; MasterCard's packager of field 48.
        (
            "IFB_LLHBINARY",
            "org.jpos.iso.packager.MasterCardEBCDICSubFieldPackager",
            "<isofield id='0' length='1' class='org.jpos.iso.IFE_CHAR'/><isofield id='42' length='9' class='org.jpos.iso.IFEPE_LLCHAR'/>",
            "07d9f4f2f0f2c1c2",
            vec![("61.0", "R"), ("61.42", "AB")],
        ),
        // The length before the tag, and counting it.
        (
            "IFA_LLLCHAR",
            "org.jpos.iso.packager.EuroSubFieldPackager",
            "<isofield id='5' length='97' class='org.jpos.iso.IFEP_LLCHAR'/>",
            "3030363034303541 42",
            vec![("61.05", "AB")],
        ),
        // Tags of a decimal mapper.
        (
            "IFA_LLLCHAR",
            "org.jpos.iso.packager.GenericTaggedFieldsPackager' tagMapper='org.jpos.iso.packager.TTDecimalTagMapper",
            "<isofield id='5' length='97' class='org.jpos.iso.IFA_TTLLCHAR'/><isofield id='6' length='97' class='org.jpos.iso.IFA_TTLLLBINARY'/>",
            "303132303530324142303630303101",
            vec![("61.05", "AB"), ("61.06", "01")],
        ),
        // All of it converted to EBCDIC.
        (
            "IFE_LLLCHAR",
            "org.jpos.iso.packager.GenericSubFieldPackager' emitBitmap='false",
            "<isofield id='1' length='2' class='org.jpos.iso.IFA_NUMERIC'/><isofield id='2' length='9' class='org.jpos.iso.IFA_LLCHAR'/>",
            "f0f0f6f1f2f0f2c1c2",
            vec![("61.1", "12"), ("61.2", "AB")],
        ),
        // Windows into packed digits.
        (
            "IFB_NUMERIC",
            "org.jpos.iso.packager.GenericSubFieldPackager' emitBitmap='false",
            "<isofield id='1' length='2' name='a' class='org.jpos.iso.IFA_NUMERIC'/><isofield id='2' length='4' name='b' class='org.jpos.iso.IFA_NUMERIC'/>",
            "120034",
            vec![("61.1", "12"), ("61.2", "0034")],
        ),
        // A bitmap of 8 or 16 bytes in hexadecimal.
        (
            "IFA_LLLCHAR",
            "org.jpos.iso.packager.GenericPackager",
            "<isofield id='1' length='16' class='org.jpos.iso.IFA_BITMAP'/><isofield id='2' length='1' class='org.jpos.iso.IF_CHAR'/><isofield id='66' length='1' class='org.jpos.iso.IF_CHAR'/>",
            "303334 43303030303030303030303030303030 34303030303030303030303030303030 4142",
            vec![("61.2", "A"), ("61.66", "B")],
        ),
    ];
    for (class, packager, children, wire, values) in table {
        let length = if class == "IFB_NUMERIC" { 6 } else { 99 };
        let xml = format!(
            "<isopackager><isofield id='0' length='4' class='org.jpos.iso.IFB_NUMERIC'/>\
             <isofield id='1' length='16' class='org.jpos.iso.IFB_BITMAP'/>\
             <isofieldpackager id='61' length='{length}' name='x' class='org.jpos.iso.{class}' packager='{packager}'>\
             {children}</isofieldpackager></isopackager>"
        );
        let imported = import(Format::JposXml, &xml, "one").expect(packager);
        assert_eq!(imported.remarks, [], "{packager}");
        let found = field_alone(&imported.toml, 61, &wire.replace(' ', ""));
        let expected = values.into_iter().map(|(place, value)| (place.to_owned(), value.to_owned())).collect();
        assert_eq!(found, Ok(expected), "{packager}:\n{}", imported.toml);
    }
}

#[test]
fn every_encoder_and_prefix_of_moov() {
    let table = [
        ("String", "ASCII", "ASCII.L", 9, "33414243", "ABC"),
        ("String", "ASCII", "ASCII.LLLL", 9, "3030303341 4243", "ABC"),
        ("String", "ASCII", "BCD.LLL", 999, "0003414243", "ABC"),
        ("String", "ASCII", "Binary.LLL", 999, "000003414243", "ABC"),
        ("String", "ASCII", "Binary.LLLL", 999, "00000003414243", "ABC"),
        ("String", "ASCII", "Hex.L", 99, "3041 41424344454647484950", "ABCDEFGHIP"),
        ("String", "ASCII", "Hex.LL", 99, "30303031 41", "A"),
        ("String", "ASCII", "EBCDIC.LLL", 99, "f0f0f141", "A"),
        ("String", "EBCDIC", "ASCII.LL", 99, "3032c14f", "A!"),
        ("String", "EBCDIC1047", "EBCDIC.LL", 99, "f0f2c15a", "A!"),
        ("Numeric", "BCD", "ASCII.LL", 19, "30330123", "123"),
        ("String", "LBCD", "ASCII.LL", 19, "30331230", "123"),
        ("Binary", "Binary", "Hex.L", 19, "303201ff", "01FF"),
        ("Hex", "Binary", "Binary.Fixed", 2, "01ff", "01FF"),
        ("Binary", "HexToASCII", "Hex.Fixed", 2, "30316666", "01FF"),
        ("String", "ASCIIToHex", "ASCII.LL", 9, "303201ff", "01FF"),
        ("Track1", "ASCII", "ASCII.LL", 76, "30354231325e41", "B12^A"),
        ("Track2", "ASCII", "ASCII.LL", 37, "303531323d3939", "12=99"),
    ];
    for (kind, enc, prefix, length, wire, value) in table {
        let specification = serde_json::json!({"fields": {
            "0": {"type": "String", "length": 4, "enc": "BCD", "prefix": "BCD.Fixed"},
            "1": {"type": "Bitmap", "enc": "Binary", "prefix": "Binary.Fixed"},
            "61": {"type": kind, "length": length, "enc": enc, "prefix": prefix},
        }});
        let imported = import(Format::MoovJson, &specification.to_string(), "one").expect(enc);
        assert_eq!(imported.remarks, [], "{enc} {prefix}");
        let found = field_alone(&imported.toml, 61, &wire.replace(' ', ""));
        assert_eq!(found, Ok(leaf("61", value)), "{kind} {enc} {prefix}");
    }
}

#[test]
fn tags_of_moov_with_lengths_of_their_own() {
    let specification = serde_json::json!({"fields": {
        "0": {"type": "String", "length": 4, "enc": "BCD", "prefix": "BCD.Fixed"},
        "1": {"type": "Bitmap", "enc": "Binary", "prefix": "Binary.Fixed"},
        "61": {"type": "Composite", "length": 99, "prefix": "Binary.L", "tag": {"length": 1, "enc": "ASCIIToHex", "sort": "StringsByHex"},
            "subfields": {
                "01": {"type": "String", "length": 2, "enc": "ASCII", "prefix": "ASCII.Fixed"},
                "0a": {"type": "Numeric", "length": 9, "enc": "BCD", "prefix": "BCD.LL"},
                "B0": {"type": "Composite", "length": 99, "prefix": "Binary.L", "tag": {"enc": "BerTLVTag", "sort": "StringsByHex"},
                    "subfields": {"9F02": {"type": "Binary", "length": 6, "enc": "Binary", "prefix": "BerTLV"}}},
            }},
        "62": {"type": "Composite", "length": 99, "prefix": "Binary.L", "tag": {"length": 2, "enc": "ASCII", "sort": "StringsByInt"},
            "subfields": {"07": {"type": "String", "length": 3, "enc": "ASCII", "prefix": "BerTLV"}}},
    }});
    let imported = import(Format::MoovJson, &specification.to_string(), "one").expect("import");
    assert_eq!(imported.remarks, []);
    let found = field_alone(&imported.toml, 61, "10 0a030123 b0059f0202ff00 ee".replace(' ', "").as_str());
    assert!(found.is_err(), "an unknown tag without a known length: {found:?}");
    let found = field_alone(&imported.toml, 61, "0e 014142 0a030123 b0059f0202ff00".replace(' ', "").as_str());
    let expected = [("61.01", "AB"), ("61.0A", "123"), ("61.B0.9F02", "FF00")];
    assert_eq!(found, Ok(expected.map(|(place, value)| (place.to_owned(), value.to_owned())).into()));
    assert_eq!(field_alone(&imported.toml, 62, "06303703414243"), Ok(leaf("62.07", "ABC")));
}

#[test]
fn text_written_in_hexadecimal_throughout() {
    let specification = serde_json::json!({"fields": {
        "0": {"type": "String", "length": 4, "enc": "HexToASCII", "prefix": "Hex.Fixed"},
        "1": {"type": "Bitmap", "enc": "HexToASCII", "prefix": "Hex.Fixed"},
        "41": {"type": "String", "length": 2, "enc": "HexToASCII", "prefix": "Hex.Fixed"},
        "52": {"type": "String", "length": 2, "enc": "HexToASCII", "prefix": "Hex.Fixed"},
        "60": {"type": "String", "length": 99, "enc": "HexToASCII", "prefix": "Hex.LL"},
    }});
    let imported = import(Format::MoovJson, &specification.to_string(), "one").expect("import");
    let text = "30323030 0000000000801010 4142 01FF 0003313233".replace(' ', "");
    let wire: String = text.bytes().map(|byte| format!("{byte:02x}")).collect();
    let line = serde_json::json!({ "mti": "0200", "frame": wire });
    let found = read(&unmasked(&imported.toml), &line);
    let expected = [("41", "AB"), ("52", "01FF"), ("60", "123")];
    assert_eq!(found, Ok(expected.map(|(place, value)| (place.to_owned(), value.to_owned())).into()));
}

#[test]
fn bitmaps_of_moov() {
    let table = [
        (r#"{"type": "Bitmap", "enc": "Binary", "prefix": "Binary.Fixed"}"#, "2000000000000000 12", 0),
        (
            r#"{"type": "Bitmap", "length": 8, "enc": "Binary", "prefix": "Hex.Fixed"}"#,
            "A000000000000000 4000000000000000 12 41",
            0,
        ),
        (
            r#"{"type": "Bitmap", "length": 16, "enc": "Binary", "prefix": "Hex.Fixed"}"#,
            "2000000000000000 4000000000000000 12 41",
            0,
        ),
        (
            r#"{"type": "Bitmap", "length": 16, "enc": "Hex", "prefix": "Hex.Fixed"}"#,
            "32303030303030303030303030303030 12",
            0,
        ),
        (
            r#"{"type": "Bitmap", "length": 16, "enc": "HexToASCII", "prefix": "Hex.Fixed"}"#,
            "32303030303030303030303030303030 12",
            1,
        ),
        (
            r#"{"type": "Bitmap", "length": 16, "enc": "HexToASCII", "prefix": "Hex.Fixed", "disableAutoExpand": true}"#,
            "32303030303030303030303030303030 34303030303030303030303030303030 12 41",
            0,
        ),
    ];
    for (bitmap, wire, remarks) in table {
        let specification = format!(
            r#"{{"fields": {{"0": {{"type": "String", "length": 4, "enc": "BCD", "prefix": "BCD.Fixed"}}, "1": {bitmap},
            "3": {{"type": "String", "length": 2, "enc": "BCD", "prefix": "BCD.Fixed"}},
            "66": {{"type": "String", "length": 1, "enc": "ASCII", "prefix": "ASCII.Fixed"}}}}}}"#
        );
        let imported = import(Format::MoovJson, &specification, "one").expect("import");
        assert_eq!(imported.remarks.len(), remarks, "{bitmap}");
        let frame = format!("0200{}", wire.replace(' ', ""));
        let found =
            read(&unmasked(&imported.toml), &serde_json::json!({ "mti": "0200", "frame": frame })).expect(bitmap);
        assert_eq!(found.get("3").map(String::as_str), Some("12"), "{bitmap}");
        assert_eq!(found.get("66").map(String::as_str), wire.ends_with("41").then_some("A"), "{bitmap}");
    }
}

#[test]
fn third_bitmaps_stand_behind_the_second() {
    let all = r#"{"h": {"data_enc": "ascii", "len_enc": "ascii", "len_type": 0, "max_len": 3, "desc": "H"},
        "t": {"data_enc": "ascii"}, "p": {"data_enc": "ascii"}, "1": {"data_enc": "ascii"},
        "3": {"data_enc": "ascii", "len_enc": "ascii", "len_type": 0, "max_len": 2},
        "130": {"data_enc": "ascii", "len_enc": "ascii", "len_type": 1, "max_len": 2}}"#;
    let imported = import(Format::Pyiso8583Json, all, "one").expect("import");
    let text = "HDR 0200 A000000000000000 8000000000000000 4000000000000000 01 1B".replace(' ', "");
    let wire: String = text.bytes().map(|byte| format!("{byte:02x}")).collect();
    let found = read(&unmasked(&imported.toml), &serde_json::json!({ "mti": "0200", "frame": wire }));
    let expected = [("3", "01"), ("130", "B")];
    assert_eq!(found, Ok(expected.map(|(place, value)| (place.to_owned(), value.to_owned())).into()));
}

mod any_text {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Whatever stands in a specification: an error or a dialect that loads, and no panic.
        #[test]
        fn imports_or_says_why(
            source in 0_usize..3,
            edits in proptest::collection::vec((any::<prop::sample::Index>(), 0_usize..12, 0_usize..12), 1..4),
        ) {
            let format = Format::ALL[source];
            let mut text = [MOOV, PYISO8583, JPOS][source].to_owned();
            for (at, length, with) in edits {
                let at = at.index(text.len());
                let words = ["", "0", "99999", "4294967295", "-1", "\"", "}", "BCD", "<", "org.jpos.iso.IFB_LLHEX", "b", "Composite"];
                let end = (at + length).min(text.len());
                if text.is_char_boundary(at) && text.is_char_boundary(end) {
                    text.replace_range(at..end, words[with]);
                }
            }
            match import(format, &text, "any") {
                Ok(imported) => prop_assert!(Dialect::from_toml(&imported.toml).is_ok()),
                Err(ImportError::DoesNotLoad { problem }) => prop_assert!(false, "{problem}\n{text}\n"),
                Err(error) => prop_assert!(!error.to_string().is_empty()),
            }
        }
    }
}
