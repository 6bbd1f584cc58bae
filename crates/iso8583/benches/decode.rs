//! Decoding and masking one frame, beside a plain copy of the same bytes.

#![allow(clippy::expect_used, reason = "a bench may")]

#[path = "../tests/frames/mod.rs"]
mod frames;

use divan::counter::{BytesCount, ItemsCount};
use divan::{Bencher, black_box};
use onus_iso8583::Dialect;

/// Counts allocations: decoding and masking must show none.
#[global_allocator]
static ALLOCATIONS: divan::AllocProfiler = divan::AllocProfiler::system();

fn main() {
    let sale = frames::pos_sale();
    println!("terminal sale: 18 fields, {} bytes; network sale: {} bytes", sale.len(), frames::network_sale().len());
    divan::main();
}

const SALES: [&str; 2] = ["unionpay-pos", "unionpay-network"];

fn sale(id: &str) -> (&'static Dialect, Vec<u8>) {
    let frame = if id == "unionpay-pos" { frames::pos_sale() } else { frames::network_sale() };
    (Dialect::builtin(id).expect("built in"), frame)
}

#[divan::bench(args = SALES)]
fn decode(bencher: Bencher<'_, '_>, id: &str) {
    let (dialect, frame) = sale(id);
    bencher
        .counter(BytesCount::new(frame.len()))
        .counter(ItemsCount::new(1_usize))
        .bench_local(|| dialect.decode(black_box(&frame)).expect("decodes").mti());
}

#[divan::bench(args = SALES)]
fn decode_and_read_ten_fields(bencher: Bencher<'_, '_>, id: &str) {
    let (dialect, frame) = sale(id);
    let sub = if id == "unionpay-pos" { "batch" } else { "no_pin" };
    let sub = dialect.sub_field(60, sub).expect("has it");
    bencher.counter(BytesCount::new(frame.len())).counter(ItemsCount::new(1_usize)).bench_local(|| {
        let message = dialect.decode(black_box(&frame)).expect("decodes");
        let numbers = [3, 4, 11, 22, 25].map(|number| message.number(number));
        let texts = [41, 42, 49].map(|number| message.text(number).map(<[u8]>::len));
        let pan =
            message.digits(2).map(|digits| digits.fold(0_u64, |hash, digit| hash.wrapping_mul(31) + u64::from(digit)));
        black_box((numbers, texts, pan, message.sub(sub).and_then(|value| value.number())))
    });
}

#[divan::bench(args = SALES)]
fn mask_in_place(bencher: Bencher<'_, '_>, id: &str) {
    let (dialect, mut frame) = sale(id);
    bencher
        .counter(BytesCount::new(frame.len()))
        .counter(ItemsCount::new(1_usize))
        .bench_local(|| dialect.mask_in_place(black_box(&mut frame)).expect("decodes").changed());
}

#[divan::bench(args = SALES)]
fn copy_of_the_frame(bencher: Bencher<'_, '_>, id: &str) {
    let (_, frame) = sale(id);
    let mut target = vec![0; frame.len()];
    bencher
        .counter(BytesCount::new(frame.len()))
        .counter(ItemsCount::new(1_usize))
        .bench_local(|| black_box(&mut target).copy_from_slice(black_box(&frame)));
}
