//! Decoding and encoding beside the `iso8583-codec` crate, in one run.
//!
//! Message A: 19 ASCII fields, 198 bytes, which both read. Message B: 18 fields of the UnionPay terminal dialect,
//! 232 bytes with chip data of 112, which the peer cannot read.

#![allow(clippy::expect_used, reason = "a bench may")]

#[path = "../tests/frames/mod.rs"]
mod frames;

use divan::{AllocProfiler, Bencher, black_box};
use iso8583_codec::{FieldSpec, FieldValue, Length, Message as PeerMessage, Mti, Spec as PeerSpec};
use onus_iso8583::Dialect;

/// Counts allocations: ours must show none.
#[global_allocator]
static ALLOCATIONS: AllocProfiler = AllocProfiler::system();

fn main() {
    divan::main();
}

/// Number, digits only, length (0: LL), value.
const A: [(u8, bool, u16, &str); 19] = [
    (2, true, 0, "9999056837006697"),
    (3, true, 6, "000000"),
    (4, true, 12, "000000006500"),
    (7, true, 10, "0921221218"),
    (11, true, 6, "812567"),
    (12, true, 6, "221218"),
    (13, true, 4, "0921"),
    (14, true, 4, "2806"),
    (18, true, 4, "5541"),
    (22, true, 3, "071"),
    (25, true, 2, "00"),
    (32, true, 0, "48990001"),
    (37, false, 12, "626422812567"),
    (38, false, 6, "255610"),
    (39, false, 2, "00"),
    (41, false, 8, "52300348"),
    (42, false, 15, "899523055410004"),
    (43, false, 40, "SHIYAN TEST STORE 00141              CHN"),
    (49, true, 3, "156"),
];

fn dialect_a() -> Dialect {
    let overlay =
        "[dialect]\nextends = \"iso1987-ascii\"\nid = \"a\"\nen = \"A\"\nrevision = 1\n[bitmap]\nsecondary = true";
    Dialect::from_toml(overlay).expect("is good")
}

fn peer_spec() -> PeerSpec {
    A.iter()
        .fold(PeerSpec::builder("a"), |builder, (number, digits, length, _)| {
            let length = if *length == 0 { Length::llvar(19) } else { Length::fixed(*length) };
            let field =
                if *digits { FieldSpec::numeric(*number, "x", length) } else { FieldSpec::text(*number, "x", length) };
            builder.field(field)
        })
        .build()
        .expect("is good")
}

fn peer_message() -> PeerMessage {
    let mut message = PeerMessage::new(Mti::parse(b"0200").expect("is one"));
    for (number, digits, _, value) in A {
        let value = if digits { FieldValue::digits(value) } else { FieldValue::text(value) };
        message.set_field(number, value.expect("fits")).expect("fits");
    }
    message
}

fn encode_a(dialect: &Dialect, out: &mut Vec<u8>) {
    let mut encoder = dialect.encoder(0x0200, out).expect("begins");
    for (number, _, _, value) in A {
        encoder.field(number, value.as_bytes()).expect("fits");
    }
    encoder.finish().expect("ends");
}

fn message_a() -> Vec<u8> {
    let mut ours = Vec::new();
    encode_a(&dialect_a(), &mut ours);
    assert_eq!(ours, peer_message().encode(&peer_spec()).expect("encodes"), "both write the same bytes");
    ours
}

#[divan::bench(sample_size = 500)]
fn a_decode_onus(bencher: Bencher<'_, '_>) {
    let (dialect, frame) = (dialect_a(), message_a());
    bencher.bench_local(|| dialect.decode(black_box(&frame)).expect("decodes").mti());
}

#[divan::bench(sample_size = 500)]
fn a_decode_iso8583_codec(bencher: Bencher<'_, '_>) {
    let (spec, frame) = (peer_spec(), message_a());
    bencher.bench_local(|| PeerMessage::parse(&spec, black_box(&frame)).expect("decodes"));
}

#[divan::bench(sample_size = 500)]
fn a_encode_onus(bencher: Bencher<'_, '_>) {
    let (dialect, mut out) = (dialect_a(), Vec::with_capacity(512));
    bencher.bench_local(|| {
        out.clear();
        encode_a(&dialect, black_box(&mut out));
        out.len()
    });
}

#[divan::bench(sample_size = 500)]
fn a_encode_iso8583_codec(bencher: Bencher<'_, '_>) {
    let (spec, message, mut out) = (peer_spec(), peer_message(), Vec::with_capacity(512));
    bencher.bench_local(|| {
        out.clear();
        message.encode_to(&spec, black_box(&mut out)).expect("encodes");
        out.len()
    });
}

/// The fields of message B as the encoder takes them.
fn fields_b() -> Vec<(u8, Vec<u8>)> {
    let chip = frames::chip();
    let fields: [(u8, &[u8]); 18] = [
        (2, b"9999056837006697"),
        (3, b"000000"),
        (4, b"000000006500"),
        (11, b"207589"),
        (14, b"2806"),
        (22, b"071"),
        (23, b"001"),
        (25, b"00"),
        (26, b"06"),
        (35, b"9999056837006697=28062013479895450"),
        (41, b"52300348"),
        (42, b"899523055410004"),
        (49, b"156"),
        (52, b"\x46\x15\xCB\xDF\xEE\x5F\x22\x11"),
        (53, b"2600000000000000"),
        (55, chip.get(..105).expect("is longer")),
        (60, b"2200066600060"),
        (64, b"BE9C337A"),
    ];
    fields.map(|(number, value)| (number, value.to_vec())).to_vec()
}

fn encode_b(dialect: &Dialect, fields: &[(u8, Vec<u8>)], out: &mut Vec<u8>) {
    let mut encoder = dialect.encoder(0x0200, out).expect("begins");
    for (number, value) in fields {
        encoder.field(*number, value).expect("fits");
    }
    encoder.finish().expect("ends");
}

#[divan::bench(sample_size = 500)]
fn b_decode_onus(bencher: Bencher<'_, '_>) {
    let dialect = Dialect::builtin("unionpay-pos").expect("built in");
    let mut frame = Vec::new();
    encode_b(dialect, &fields_b(), &mut frame);
    bencher.bench_local(|| dialect.decode(black_box(&frame)).expect("decodes").mti());
}

#[divan::bench(sample_size = 500)]
fn b_encode_onus(bencher: Bencher<'_, '_>) {
    let dialect = Dialect::builtin("unionpay-pos").expect("built in");
    let (fields, mut out) = (fields_b(), Vec::with_capacity(512));
    bencher.bench_local(|| {
        out.clear();
        encode_b(dialect, &fields, black_box(&mut out));
        out.len()
    });
}
