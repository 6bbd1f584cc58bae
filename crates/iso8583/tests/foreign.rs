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
}
#[test]
fn zz_local() {
    for n in ["default", "default_ascii"] {
        let t = std::fs::read_to_string(format!("/tmp/iso/big/{n}.json")).unwrap();
        let i = import(Format::Pyiso8583Json, &t, "x").unwrap();
        assert_eq!(i.remarks, []);
    }
}
