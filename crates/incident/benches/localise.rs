//! Localising generated incidents: 48,000 and 600,000 rows with a forecast, 200 and 10,000 rows of failures.

#![allow(clippy::expect_used, reason = "a bench may")]

#[path = "../tests/sets/mod.rs"]
mod sets;

use divan::{Bencher, black_box};
use onus_incident::localise::{Failures, Measures, Settings, localise_failures, localise_measure};
use sets::ratio::{RatioRecipe, shared};
use sets::research::{Recipe, measured};

fn main() {
    divan::main();
}

fn measures(bencher: Bencher<'_, '_>, recipe: &Recipe, seed: u64) {
    let settings = Settings::builtin().expect("built in").measure;
    let made = measured(recipe, seed, false);
    let measures = Measures { table: &made.table, actual: &made.actual, forecast: &made.forecast };
    bencher.bench_local(|| localise_measure(black_box(&measures), &settings));
}

fn failures(bencher: Bencher<'_, '_>, recipe: &RatioRecipe, seed: u64) {
    let settings = Settings::builtin().expect("built in").ratio;
    let made = shared(recipe, seed);
    let (before, rest) = made.minutes.split_at(made.under_test);
    let failures = Failures { table: &made.table, now: &rest[0], before, points: &[] };
    bencher.bench_local(|| localise_failures(black_box(&failures), &settings));
}

#[divan::bench(args = [1, 2, 3, 4])]
fn measure_48_000_rows(bencher: Bencher<'_, '_>, seed: u64) {
    measures(bencher, &Recipe::s(), seed);
}

#[divan::bench(args = [1, 2], sample_count = 10)]
fn measure_600_000_rows(bencher: Bencher<'_, '_>, seed: u64) {
    measures(bencher, &Recipe::h_mini(), seed);
}

#[divan::bench(args = [1, 2, 3, 4])]
fn failures_200_rows(bencher: Bencher<'_, '_>, seed: u64) {
    failures(bencher, &RatioRecipe::few(), seed);
}

#[divan::bench(args = [1], sample_count = 10)]
fn failures_10_000_rows(bencher: Bencher<'_, '_>, seed: u64) {
    failures(bencher, &RatioRecipe::sparse(), seed);
}
