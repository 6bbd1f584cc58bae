//! Filling the cube and watching an hour of it, at 10,000 payments a second with all sixteen dimensions.
//!
//! Times are CPU times of the one thread, so that other work on the machine matters less. `cargo bench` runs it in
//! full; as a test it runs with a hundredth of the payments.

#![allow(clippy::expect_used, reason = "a bench may")]

#[path = "../tests/simulated/mod.rs"]
mod simulated;

use onus_incident::Policy;
use onus_incident::cube::{
    Attempt, Columns, Cube, CubeLimits, Dimension, Latency, Leaf, Outcome, Question, Symbols, amount_bin,
};
use onus_incident::detector::{DayKind, Detector, Settings, When, counts};
use onus_incident::live::{Live, LiveEpisode};
use onus_incident::localise::{Finding, localise_failures, scope_text};
use rustix::time::{ClockId, clock_gettime};
use simulated::random::Random;

fn main() {
    let full = std::env::args().any(|argument| argument == "--bench");
    let a_minute = if full { 600_000 } else { 6_000 };
    println!("{a_minute} payments a minute; CPU times, fastest and median");
    filling(a_minute);
    watching(a_minute);
    for (name, one_of) in [("strong", 10), ("weak", 100), ("barely found", 200)] {
        live_pass(a_minute, name, one_of);
    }
}

/// The minute from which network link 2 loses replies in [`live_pass`], and its last one: a weak fault takes long to find.
const FAULT: u32 = FIRST + 45;
const LAST: u32 = FIRST + 100;

/// The whole of live detection, minute by minute, while network link 2 loses one reply of so many. What each look takes:
/// counts, detector, location, picture of the episode.
fn live_pass(a_minute: u32, name: &str, one_of: u64) {
    let mut random = Random::new(13);
    let terminals = terminals(&mut random);
    let search = onus_incident::localise::Settings::builtin().expect("the pack reads").ratio;
    let policy = Policy::builtin().expect("the pack reads");
    let mut live = Live::new(Settings::builtin().expect("the pack reads"), search, policy);
    for dimension in Dimension::ALL {
        for value in 1..=dimension.most_values() {
            live.symbols().intern(dimension, &value.to_string());
        }
    }
    let now = || {
        let time = clock_gettime(ClockId::ThreadCPUTime);
        time.tv_sec as f64 + time.tv_nsec as f64 * 1e-9
    };
    let (mut quiet, mut raised): (Vec<f64>, Vec<f64>) = (Vec::new(), Vec::new());
    // Ten hours before, thinner, from which the ordinary rate is known.
    for minute in FIRST - 600..LAST {
        for _ in 0..if minute < FIRST { a_minute / 60 } else { a_minute } {
            let mut payment = payment(&mut random, &terminals, minute);
            // An ordinary fleet loses two replies of a thousand.
            if payment.outcome != Outcome::Approved && random.below(5) > 0 {
                payment.outcome = Outcome::Approved;
            }
            let on_link = payment.leaf.code(Dimension::NetworkLink) == 2;
            if minute >= FAULT && on_link && random.below(one_of) == 0 {
                payment.outcome = Outcome::NoAnswer;
            }
            live.add(&payment);
        }
        let start = now();
        live.tick(minute + 1, &when);
        let took = now() - start;
        match (minute < FIRST, live.episodes().is_empty()) {
            (true, _) => {}
            (false, true) => quiet.push(took),
            (false, false) => raised.push(took),
        }
    }
    println!("live, {name} (one of {one_of}):");
    for it in live.episodes() {
        let [since, opened] = [it.since, it.opened_at()].map(|minute| i64::from(minute) - i64::from(FIRST));
        println!("  {} since minute {since}, opened at {opened}: {}", it.signal, it.scope.text().en);
    }
    let opened = live.episodes().iter().map(LiveEpisode::opened_at).min();
    assert!(opened.is_none_or(|minute| minute > FAULT), "nothing is opened before the fault");
    for (what, mut times) in [("a quiet minute", quiet), ("a minute of the trouble", raised)] {
        if times.is_empty() {
            continue;
        }
        times.sort_by(f64::total_cmp);
        let (middle, most) = (times[times.len() / 2] * 1e3, times[times.len() - 1] * 1e3);
        println!("  {what}: median {middle:.1} ms, most {most:.1} ms of {}", times.len());
    }
}

/// CPU seconds of some rounds, sorted.
fn timed<T>(rounds: usize, mut work: impl FnMut() -> T) -> (Vec<f64>, T) {
    let now = || {
        let time = clock_gettime(ClockId::ThreadCPUTime);
        time.tv_sec as f64 + time.tv_nsec as f64 * 1e-9
    };
    let mut last = work();
    let mut times: Vec<f64> = (0..rounds)
        .map(|_| {
            let start = now();
            last = work();
            now() - start
        })
        .collect();
    times.sort_by(f64::total_cmp);
    (times, last)
}

fn print(name: &str, times: &[f64]) {
    println!("{name}: {:.1} ms, {:.1} ms", times[0] * 1e3, times[times.len() / 2] * 1e3);
}

/// Terminals, each with its city, agent, model and so on.
fn terminals(random: &mut Random) -> Vec<Leaf> {
    (0..100_000).map(|_| terminal(random)).collect()
}

fn terminal(random: &mut Random) -> Leaf {
    let agent = random.skewed(4_000);
    [
        (Dimension::AcquirerLink, agent % 6),
        (Dimension::City, agent * 340 / 4_000),
        (Dimension::MerchantCategory, random.skewed(300)),
        (Dimension::Agent, agent),
        (Dimension::TerminalModel, random.skewed(60)),
        (Dimension::ProductionBatch, random.below(500)),
        (Dimension::AppVersion, random.skewed(40)),
    ]
    .into_iter()
    .fold(Leaf::default(), |leaf, (dimension, value)| leaf.with(dimension, value as u16 + 1))
}

fn payment(random: &mut Random, terminals: &[Leaf], minute: u32) -> Attempt {
    let terminal = terminals[random.below(terminals.len() as u64) as usize];
    let issuer = random.skewed(1_500);
    let amount_minor = random.below(100) + 10 * random.skewed(40_000);
    let leaf = [
        (Dimension::NetworkLink, random.below(4)),
        (Dimension::Route, random.below(3)),
        (Dimension::Issuer, issuer),
        (Dimension::Bin, issuer * 5 + random.below(5)),
        (Dimension::EntryMode, random.skewed(4)),
        (Dimension::Pin, random.below(2)),
        (Dimension::CardKind, random.skewed(4)),
        (Dimension::Amount, u64::from(amount_bin(amount_minor)) - 1),
        (Dimension::Hop, random.skewed(4)),
    ]
    .into_iter()
    .fold(terminal, |leaf, (dimension, value)| leaf.with(dimension, value as u16 + 1));
    let outcome = Outcome::ALL.get(random.below(220) as usize).copied().unwrap_or(Outcome::Approved);
    let latency = if random.below(50) == 0 { Latency::Slow } else { Latency::Usual };
    let reversed = outcome == Outcome::NoAnswer;
    Attempt { minute, leaf, outcome, latency, reversed, amount_minor, id: random.word() }
}

/// The packaged limits, with another number of leaves.
fn limits(most_leaves: usize) -> CubeLimits {
    let limits = Settings::builtin().expect("the pack reads").cube;
    CubeLimits { most_leaves, ..limits }
}

/// Two minutes of payments into an empty cube; with room for all leaves, and with the packaged limit.
fn filling(a_minute: u32) {
    let mut random = Random::new(7);
    let terminals = terminals(&mut random);
    let payments: Vec<Attempt> =
        (0..2 * a_minute).map(|number| payment(&mut random, &terminals, FIRST + number / a_minute)).collect();
    for most_leaves in [2_000_000, 49_000] {
        let (times, cube) = timed(7, || {
            let mut cube = Cube::new(limits(most_leaves));
            for payment in &payments {
                cube.add(payment);
            }
            cube
        });
        let per_second = |time: f64| payments.len() as f64 / time / 1e6;
        println!(
            "add, {most_leaves} leaves a minute: {:.1}, {:.1} million/s; {} MiB",
            per_second(times[0]),
            per_second(times[3]),
            cube.bytes() >> 20
        );
    }
}

const FIRST: u32 = 29_600_040;

fn when(minute: u32) -> When {
    let part = |number: u32| u8::try_from(number).expect("small");
    When { minute, day: DayKind::Monday, hour: part(minute / 60 % 24), past: part(minute % 60) }
}

/// An hour in which network link 2 loses one reply of ten from minute 50 on, and a detector that knew the hour before.
fn hour(a_minute: u32) -> (Cube, Detector) {
    let mut random = Random::new(11);
    let terminals = terminals(&mut random);
    let mut cube = Cube::new(limits(49_000));
    for minute in FIRST..FIRST + 60 {
        for _ in 0..a_minute {
            let mut payment = payment(&mut random, &terminals, minute);
            let on_link = payment.leaf.code(Dimension::NetworkLink) == 2;
            if minute >= FIRST + 50 && on_link && random.below(10) == 0 {
                payment.outcome = Outcome::NoAnswer;
            }
            cube.add(&payment);
        }
    }
    let mut detector = Detector::new(Settings::builtin().expect("the pack reads"));
    for minute in FIRST..FIRST + 45 {
        let counts = counts(&cube, minute, detector.settings());
        detector.tick(When { minute: minute - 60, hour: 1, ..when(minute) }, &counts);
    }
    (cube, detector)
}

/// All signals and cells over the last hour minute by minute, and what localisation gets of the last ten minutes.
fn watching(a_minute: u32) {
    let (cube, detector) = hour(a_minute);
    let (from, to) = cube.span();
    println!("cube of {} minutes: {} MiB, at most {} MiB", to - from, cube.bytes() >> 20, limits(49_000).bytes() >> 20);
    println!("folded: {:?}", cube.folded(from, to));
    let (times, all) =
        timed(7, || (FIRST..FIRST + 60).map(|minute| counts(&cube, minute, detector.settings())).collect::<Vec<_>>());
    print(&format!("counts of an hour ({} cells a minute)", all[0].len()), &times);
    let (times, (_, changes)) = timed(7, || detector.replay(&cube, (FIRST..FIRST + 60).map(when)));
    assert!(a_minute < 600_000 || !changes.is_empty(), "the link is found");
    print(&format!("detection over an hour ({} changes)", changes.len()), &times);
    let (before, _) = detector.replay(&cube, (FIRST..FIRST + 59).map(when));
    let (times, _) = timed(7, || before.replay(&cube, [when(FIRST + 59)]));
    print("detection of the newest minute, with a copy of the state", &times);
    let (of, hits) = (Columns::attempts(), Columns::outcome(Outcome::NoAnswer));
    let (times, sampled) = timed(7, || cube.sampled(FIRST + 50, FIRST + 60, of, hits));
    print(&format!("sample of ten minutes ({} payments)", sampled.len()), &times);
    locating(&cube, &BY[..7]);
    locating(&cube, &BY);
    let (times, leaves) = timed(7, || cube.leaves(FIRST + 50, FIRST + 60, of, hits, 0));
    print(&format!("leaves of ten minutes ({})", leaves.len()), &times);
}

/// What location is by, beside the amount.
const BY: [Dimension; 11] = [
    Dimension::NetworkLink,
    Dimension::AcquirerLink,
    Dimension::Issuer,
    Dimension::City,
    Dimension::AppVersion,
    Dimension::EntryMode,
    Dimension::Pin,
    Dimension::Route,
    Dimension::MerchantCategory,
    Dimension::TerminalModel,
    Dimension::CardKind,
];

/// The last ten minutes against the fifty before.
fn locating(cube: &Cube, by: &[Dimension]) {
    let (of, hits) = (Columns::attempts(), Columns::outcome(Outcome::NoAnswer));
    let (before, since, until) = (FIRST, FIRST + 50, FIRST + 60);
    let question = Question { before, since, until, of, hits, by, amount_bins: 32, most: usize::MAX };
    let search = onus_incident::localise::Settings::builtin().expect("the pack reads").ratio;
    let (times, found) = timed(7, || {
        let suspects = cube.suspects(&question, &Symbols::default()).expect("there are lost ones");
        let answer = localise_failures(&suspects.failures(), &search);
        let scope = |finding: &Finding| scope_text(&suspects.table, &finding.scope);
        (suspects.table.rows(), answer.findings.iter().map(scope).collect::<Vec<_>>())
    });
    print(&format!("location by {} dimensions ({} rows): {:?}", by.len() + 1, found.0, found.1), &times);
}
