//! A dialect file that contradicts itself is refused, and the refusal says what to change.

#![allow(clippy::expect_used, reason = "a test may")]

use onus_iso8583::{Dialect, Sensitivity};

const HEAD: &str = r#"
[dialect]
id = "sample"
en = "Sample"
zh = "样例"
revision = 1
[encoding]
numbers = "bcd"
tracks = "bcd"
lengths = "bcd"
[mti]
encoding = "bcd"
versions = [0, 1]
[bitmap]
secondary = false
"#;

fn field(rest: &str) -> String {
    format!("{HEAD}\n[[field]]\nen = \"x\"\nzh = \"x\"\n{rest}\n")
}

#[test]
fn a_small_dialect_reads_its_frames() {
    let text = field("number = 5\nformat = \"n\"\nll = 4\ncounts = \"bytes\"\nsensitive = \"none\"");
    let dialect = Dialect::from_toml(&text).expect("is good");
    let frame = [0x12, 0x00, 0x08, 0, 0, 0, 0, 0, 0, 0, 0x02, 0x12, 0x34];
    let message = dialect.decode(&frame).expect("decodes");
    assert_eq!((message.mti(), message.number(5)), (0x1200, Some(1234)));
    assert_eq!(dialect.field(5).map(|field| field.sensitivity(0x1200)), Some(Sensitivity::None));
    let second = [0x12, 0x00, 0x80, 0, 0, 0, 0, 0, 0, 0];
    assert_eq!(
        dialect.decode(&second).expect_err("no second bitmap").to_string(),
        "byte 2, field 1: expected a field that the dialect has, found one that it does not have"
    );
}

#[test]
fn refusals() {
    let fields = [
        ("number = 5\nformat = \"q\"\nfixed = 4", "unknown variant `q`"),
        ("number = 5\nformat = \"n\"\nfixed = 4\nsensitive = \"secret\"", "unknown variant `secret`"),
        ("number = 5\nformat = \"n\"\nfixd = 4\nsensitive = \"none\"", "unknown field `fixd`"),
        ("number = 1\nformat = \"n\"\nfixed = 4\nsensitive = \"none\"", "field 1: must be 2 to 64"),
        ("number = 70\nformat = \"n\"\nfixed = 4\nsensitive = \"none\"", "field 70: must be 2 to 64"),
        ("number = 5\nformat = \"n\"\nsensitive = \"none\"", "field 5: needs one of fixed"),
        ("number = 5\nformat = \"n\"\nfixed = 4\nll = 4\nsensitive = \"none\"", "field 5: needs one of fixed"),
        (
            "number = 5\nformat = \"an\"\nlengths = \"ascii\"\nll = 100\nsensitive = \"none\"",
            "field 5: a length of 100 does not fit",
        ),
        ("number = 5\nformat = \"n\"\nfixed = 3\nsensitive = \"none\"", "field 5: pad belongs to"),
        ("number = 5\nformat = \"n\"\nfixed = 4\npad = \"left\"\nsensitive = \"none\"", "field 5: pad belongs to"),
        ("number = 5\nformat = \"an\"\nll = 3\npad = \"left\"\nsensitive = \"none\"", "field 5: pad belongs to"),
        (
            "number = 5\nformat = \"an\"\nfixed = 3\nencoding = \"bcd\"\nsensitive = \"none\"",
            "field 5: encoding is for",
        ),
        (
            "number = 5\nformat = \"an\"\nll = 3\ncounts = \"digits\"\nsensitive = \"none\"",
            "field 5: counts = \"digits\"",
        ),
        (
            "number = 5\nformat = \"n\"\nfixed = 4\ncounts = \"bytes\"\nsensitive = \"none\"",
            "field 5: counts is for fields with a length prefix",
        ),
        ("number = 5\nformat = \"ans\"\nll = 9\nsensitive = \"emv\"", "field 5: sensitive = \"emv\" is for format b"),
        ("number = 5\nformat = \"n\"\nfixed = 4\nsensitive = \"text\"", "field 5: sensitive = \"text\" is for"),
        ("number = 5\nformat = \"b\"\nfixed = 4\nsensitive = \"pan\"", "field 5: sensitive = \"pan\" or"),
        (
            "number = 5\nformat = \"n\"\nfixed = 4\nsensitive = \"none\"\nwhen = [{ mti = [\"08x0\"], sensitive = \"key\" }]",
            "field 5: when: \"08x0\" must be four digits",
        ),
        (
            "number = 5\nformat = \"n\"\nfixed = 4\nsensitive = \"none\"\nsubs = [{ name = \"a\", at = 2, length = 3, en = \"\", zh = \"\" }]",
            "field 5: sub-field \"a\" reaches beyond the field",
        ),
        (
            "number = 5\nformat = \"n\"\nfixed = 4\nsensitive = \"none\"\nsubs = [{ name = \"a\", at = 0, length = 2, en = \"\", zh = \"\" }, { name = \"b\", at = 1, en = \"\", zh = \"\" }]",
            "field 5: sub-field \"b\" begins before the one above it ends",
        ),
        (
            "number = 5\nformat = \"n\"\nfixed = 4\nsensitive = \"none\"\nsubs = [{ name = \"a\", at = 0, length = 2, en = \"\", zh = \"\" }, { name = \"a\", at = 2, en = \"\", zh = \"\" }]",
            "field 5: sub-field \"a\" is there twice",
        ),
        (
            "number = 5\nformat = \"n\"\nfixed = 4\nsensitive = \"none\"\n[[field]]\nnumber = 5\nen = \"\"\nzh = \"\"\nformat = \"n\"\nfixed = 4\nsensitive = \"none\"",
            "field 5: is there twice",
        ),
    ];
    let heads = [
        ("versions = [0, 1]", "versions = []", "dialect mti: versions must list"),
        ("[bitmap]", "[emv]\nhide = [\"5\"]\n[bitmap]", "dialect emv: \"5\" is no tag"),
        (
            "[mti]",
            "[[header]]\nname = \"a\"\nen = \"\"\nzh = \"\"\nform = \"bcd\"\nlength = 1\n[mti]",
            "dialect header: the header must end on a whole byte",
        ),
        (
            "[mti]",
            "[[header]]\nname = \"a\"\nen = \"\"\nzh = \"\"\nform = \"binary\"\nlength = 0\n[mti]",
            "dialect header part \"a\": length must be",
        ),
        (
            "[mti]",
            "[[header]]\nname = \"a\"\nen = \"\"\nzh = \"\"\nform = \"binary\"\nlength = 1\nstarts_with = [\"6000\"]\n[mti]",
            "dialect header part \"a\": starts_with must be",
        ),
        (
            "[mti]",
            "[[header]]\nname = \"a\"\nen = \"\"\nzh = \"\"\nform = \"binary\"\nlength = 1\nframe_length = true\n[mti]",
            "dialect header part \"a\": frame_length needs",
        ),
    ];
    let good = "number = 5\nformat = \"n\"\nfixed = 4\nsensitive = \"none\"";
    let files = fields
        .iter()
        .map(|(rest, expected)| (field(rest), expected))
        .chain(heads.iter().map(|(from, to, expected)| (field(good).replace(from, to), expected)));
    for (text, expected) in files {
        let error = Dialect::from_toml(&text).expect_err(expected).to_string();
        assert!(error.contains(expected), "expected {expected:?} in {error:?}");
    }
}
