//! Localisation on invented incidents: exact scopes, nothing where there is nothing, and the cut of an amount.

#![allow(clippy::expect_used, reason = "a test may")]

mod sets;

use onus_incident::localise::{
    Answer, Counts, Dimension, Failures, Measures, Point, Settings, Table, Words, bins, explanation, localise_failures,
    localise_measure, most_striking_minute, scope_text,
};
use sets::ratio::{RatioRecipe, shared};
use sets::research::{Recipe, measured};
use sets::{Rng, Score};

fn settings() -> Settings {
    Settings::builtin().expect("the built-in settings read")
}

fn scopes(table: &Table, answer: &Answer) -> Vec<String> {
    answer.findings.iter().map(|finding| scope_text(table, &finding.scope)).collect()
}

fn score_measures(recipe: &Recipe, seeds: std::ops::Range<u64>) -> Score {
    let mut score = Score::default();
    for seed in seeds {
        let made = measured(recipe, seed, false);
        let measures = Measures { table: &made.table, actual: &made.actual, forecast: &made.forecast };
        score.add(&made.truth, &scopes(&made.table, &localise_measure(&measures, &settings().measure)));
    }
    score
}

fn score_shares(recipe: &RatioRecipe, seeds: std::ops::Range<u64>) -> Score {
    let mut score = Score::default();
    for seed in seeds {
        let made = shared(recipe, seed);
        let (before, rest) = made.minutes.split_at(made.under_test);
        let failures = Failures { table: &made.table, now: &rest[0], before, points: &[] };
        score.add(&made.truth, &scopes(&made.table, &localise_failures(&failures, &settings().ratio)));
    }
    score
}

/// The open sets are two times larger; this one is quick without optimisation.
fn small() -> Recipe {
    Recipe { sizes: vec![8, 8, 6, 5], ..Recipe::s() }
}

#[test]
fn causes_of_any_layer_are_found() {
    let score = score_measures(&small(), 0..40);
    assert!(score.precision() > 0.97, "{score:?}");
    assert!(score.f1() > 0.85, "{score:?}");
}

#[test]
fn noise_alone_explains_nothing() {
    let score = score_measures(&Recipe { causes: (0, 0), ..small() }, 0..40);
    assert!(score.said <= 1, "{score:?}");
}

#[test]
fn shares_of_uneven_rows_are_found() {
    let score = score_shares(&RatioRecipe::few(), 0..60);
    assert!(score.f1() > 0.8, "{score:?}");
}

#[test]
fn chance_alone_fails_nowhere() {
    let quiet = RatioRecipe { wander: (0.0, 0.0), ..RatioRecipe::quiet() };
    let score = score_shares(&quiet, 0..60);
    assert!(score.said <= 4, "{score:?}");
}

#[test]
fn the_minute_is_found_when_it_is_not_given() {
    let recipe = RatioRecipe { after: (1, 4), minutes: (6, 12), ..RatioRecipe::few() };
    let mut near = 0;
    for seed in 0..30 {
        let made = shared(&recipe, seed);
        let at = most_striking_minute(&made.table, &made.minutes, &settings().ratio).expect("minutes");
        near += usize::from(at.abs_diff(made.under_test) <= 1);
    }
    assert!(near >= 22, "{near} of 30");
}

/// Payments of one minute: link 2 loses half of what is under 500 yuan without PIN.
struct Shiyan {
    table: Table,
    now: Counts,
    before: Counts,
    points: Vec<Point>,
}

fn shiyan(seed: u64, cut: f64) -> Shiyan {
    let mut rng = Rng::new(seed);
    let mut numbers = Vec::new();
    let (mut links, mut pins, mut cities, mut failed) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for _ in 0..40_000 {
        let amount = ((60.0_f64.ln() + 1.4 * rng.normal()).exp() * 100.0).round() / 100.0;
        let (link, pin, city) = (rng.below(4) as u32, rng.below(2) as u32, rng.below(12) as u32);
        let hit = link == 2 && pin == 0 && amount < cut;
        failed.push(rng.chance(if hit { 0.5 } else { 0.02 }));
        numbers.push(amount);
        links.push(link);
        pins.push(pin);
        cities.push(city);
    }
    let (amount, codes) = bins("amount", &numbers, 64);
    let named = |name: &str, count: u32| Dimension {
        name: name.to_owned(),
        values: (0..count).map(|value| value.to_string()).collect(),
        edges: None,
    };
    let dims = vec![named("link", 4), named("pin", 2), named("city", 12), amount];
    let rows = numbers.len();
    let table = Table::new(dims, vec![links, pins, cities, codes]).expect("fits");
    let (mut now, mut before) = (Counts::zero(rows), Counts::zero(rows));
    let mut points = Vec::new();
    for (row, (number, failed)) in numbers.iter().zip(&failed).enumerate() {
        let failures = f64::from(u8::from(*failed));
        now.add(row, 1.0, failures);
        before.add(row, 10.0, 0.2);
        points.push(Point { row, number: *number, attempts: 1.0, failures });
    }
    Shiyan { table, now, before, points }
}

#[test]
fn the_cut_of_an_amount_comes_out_of_the_data() {
    for (seed, cut) in [(1, 500.0), (2, 500.0), (3, 500.0), (4, 200.0)] {
        let Shiyan { table, now, before, points } = shiyan(seed, cut);
        let before = [before];
        let failures = Failures { table: &table, now: &now, before: &before, points: &points };
        let answer = localise_failures(&failures, &settings().ratio);
        let found = scopes(&table, &answer);
        assert_eq!(found.len(), 1, "{found:?}");
        let at = found[0].strip_prefix("amount<").and_then(|rest| rest.split('&').next()).expect("a cut from above");
        let at: f64 = at.parse().expect("a number");
        assert!((at - cut).abs() <= 0.01 * cut, "{found:?} instead of {cut}");
        assert!(found[0].ends_with("&link=2&pin=0"), "{found:?}");
    }
}

/// Without history the rest of the table is the measure, and what is untouched fails less than the whole.
#[test]
fn what_is_untouched_is_an_answer_only_when_asked_for() {
    let links = (0..40).map(|row| row % 4).collect();
    let cities = (0..40).map(|row| row / 4).collect();
    let named = |name: &str, count: u32| Dimension {
        name: name.to_owned(),
        values: (0..count).map(|value| value.to_string()).collect(),
        edges: None,
    };
    let table = Table::new(vec![named("link", 4), named("city", 10)], vec![links, cities]).expect("fits");
    let (mut now, mut peers) = (Counts::zero(40), Counts::zero(40));
    for row in 0..40 {
        now.add(row, 500.0, if row % 4 == 2 { 150.0 } else { 10.0 });
        peers.add(row, 500.0, 45.0);
    }
    let before = [peers];
    let failures = Failures { table: &table, now: &now, before: &before, points: &[] };
    let mut ratio = settings().ratio;
    assert_eq!(scopes(&table, &localise_failures(&failures, &ratio)), ["link=2"]);
    ratio.both_ways = true;
    assert!(localise_failures(&failures, &ratio).findings.len() > 1);
}

#[test]
fn what_moves_everywhere_is_not_blamed_on_a_dimension() {
    let quiet = RatioRecipe { wander: (0.0, 0.0), attempts: (2e4, 5e4), minutes: (8, 8), ..RatioRecipe::quiet() };
    let mut outside = 0;
    for seed in 0..20 {
        let mut rng = Rng::new(seed);
        let made = shared(&quiet, seed);
        let (before, rest) = made.minutes.split_at(made.under_test);
        let mut now = rest[0].clone();
        for (n, k) in now.attempts.iter().zip(&mut now.failures) {
            *k += rng.binomial(*n - *k, 0.15);
        }
        let failures = Failures { table: &made.table, now: &now, before, points: &[] };
        let answer = localise_failures(&failures, &settings().ratio);
        let found = scopes(&made.table, &answer);
        println!("{seed}: everywhere {}, {found:?}", answer.everywhere.is_some());
        outside += usize::from(answer.everywhere.is_some() && found.is_empty());
    }
    assert!(outside >= 17, "{outside} of 20");
}

#[test]
fn the_order_of_rows_does_not_matter() {
    let made = measured(&small(), 5, false);
    let rows = made.table.rows();
    let turned =
        |column: &dyn Fn(usize) -> f64| (0..rows).map(|row| column((row * 7_919 + 13) % rows)).collect::<Vec<f64>>();
    let columns =
        (0..4).map(|dim| (0..rows).map(|row| made.table.code((row * 7_919 + 13) % rows, dim)).collect()).collect();
    let table = Table::new(made.table.dims().to_vec(), columns).expect("fits");
    let (actual, forecast) = (turned(&|row| made.actual[row]), turned(&|row| made.forecast[row]));
    let given = Measures { table: &made.table, actual: &made.actual, forecast: &made.forecast };
    let other = Measures { table: &table, actual: &actual, forecast: &forecast };
    let settings = settings().measure;
    assert_eq!(
        scopes(&made.table, &localise_measure(&given, &settings)),
        scopes(&table, &localise_measure(&other, &settings))
    );
}

#[test]
fn reasons_are_told_in_both_languages() {
    let Shiyan { table, now, before, points } = shiyan(1, 500.0);
    let before = [before];
    let failures = Failures { table: &table, now: &now, before: &before, points: &points };
    let answer = localise_failures(&failures, &settings().ratio);
    let (zh, en) = (explanation(&table, &answer, Words::FailuresZh), explanation(&table, &answer, Words::FailuresEn));
    assert_eq!(zh.len(), en.len());
    assert!(zh[0].contains("笔中失败"), "{zh:?}");
    assert!(en[1].contains("any other link"), "{en:?}");
}

#[test]
fn tables_without_sense_are_empty_answers() {
    let empty = Table::new(Vec::new(), Vec::new()).expect("fits");
    let answer = localise_measure(&Measures { table: &empty, actual: &[], forecast: &[] }, &settings().measure);
    assert_eq!(answer, Answer::default());
    let failures = Failures { table: &empty, now: &Counts::default(), before: &[], points: &[] };
    assert_eq!(localise_failures(&failures, &settings().ratio), Answer::default());
    let one = Table::new(sets::dimensions(&[1]), vec![vec![0; 3]]).expect("fits");
    let measures = Measures { table: &one, actual: &[0.0; 3], forecast: &[0.0; 3] };
    assert_eq!(localise_measure(&measures, &settings().measure), Answer::default());
    assert!(Table::new(sets::dimensions(&[1]), vec![vec![1]]).is_none(), "an index without a value");
}
