//! Bulk inserts: rows per second of narrow rows and of payments, on SQLite with `synchronous=FULL`.
#![expect(clippy::expect_used, reason = "a measurement that fails has no other way to say so")]

use divan::Bencher;
use divan::counter::ItemsCount;
use onus_store::payments::{self, PaymentRow};
use onus_store::{OnConflict, testing, values};

fn main() {
    divan::main();
}

#[divan::bench(sample_count = 5, sample_size = 1)]
fn narrow_rows(bencher: Bencher<'_, '_>) {
    const N_ROWS: i64 = 400_000;
    bencher
        .counter(ItemsCount::new(N_ROWS as u64))
        .with_inputs(|| {
            let db = testing::sqlite();
            let table = "create table narrow (id bigint primary key, at bigint, name text)";
            db.store.write(|tx| tx.execute(table, &[])).expect("a table");
            db
        })
        .bench_refs(|db| {
            db.store
                .write(|tx| {
                    tx.insert_with("narrow", &["id", "at", "name"], OnConflict::Error, |sink| {
                        (0..N_ROWS).try_for_each(|id| sink.push(values![id, id * 7, "T0000001"]))
                    })
                })
                .expect("all rows")
        });
}

#[divan::bench(sample_count = 3, sample_size = 1)]
fn payments_with_all_indexes(bencher: Bencher<'_, '_>) {
    const N_ROWS: i64 = 100_000;
    const N_BATCH: usize = 20_000;
    let rows: Vec<PaymentRow> = (0..N_ROWS).map(payment).collect();
    bencher.counter(ItemsCount::new(N_ROWS as u64)).with_inputs(testing::sqlite).bench_refs(|db| {
        for batch in rows.chunks(N_BATCH) {
            db.store.write(|tx| payments::put(tx, "bank", batch)).expect("a batch");
        }
    });
}

/// Payments of five thousand terminals, in the order of time and so in no order of their ids.
fn payment(i: i64) -> PaymentRow {
    PaymentRow {
        id: format!("20260921.T{:07}.000001.{:06}", i * 7919 % 5000, i / 5000),
        started_at: 1_790_000_000_000_000 + i * 86_000,
        tid: format!("T{:07}", i * 7919 % 5000),
        merchant_code: format!("89843015812{:04}", i * 7919 % 3000),
        agent_code: format!("A{}", i % 40),
        city: "Changsha".into(),
        amount_minor: 100 + i % 100_000,
        card_type: "debit".into(),
        issuer: "01030000".into(),
        pan_masked: "622848******1234".into(),
        entry_mode: "051".into(),
        rrn: format!("{:012}", i * 7_368_787 % 1_000_000_000_000),
        response_code: "00".into(),
        outcome: "approved".into(),
        kinds: String::new(),
        refs: vec![7; 60],
    }
}
