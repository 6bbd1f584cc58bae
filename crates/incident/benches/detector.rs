//! The promise on many simulated quiet weeks, the delay of the detector beside common rules, and its power.
//!
//! `cargo bench -p onus-incident --bench detector -- --weeks 1000` prints the tables of docs/performance.md; without
//! arguments it runs a few weeks, to see that it works.

#![allow(clippy::expect_used, reason = "a bench may")]

#[path = "../tests/simulated/mod.rs"]
mod simulated;

use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};

use onus_incident::detector::{By, Cell, Change, Count, Detector, Settings};
use simulated::fleet::{DAY, Fleet, Stream, WEEK, settings, when};
use simulated::random::Random;
use simulated::rules::{Cusum, Ewma, Rule, TwoSigma};

const RHOS: [f64; 3] = [0.0, 0.005, 0.02];

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let number = |name: &str, default: u32| {
        let place = arguments.iter().position(|argument| argument == name);
        place.and_then(|place| arguments.get(place + 1)?.parse().ok()).unwrap_or(default)
    };
    let weeks = number("--weeks", 4);
    quiet_weeks(weeks, number("--threads", 2));
    quiet_rules(weeks.div_ceil(4));
    power(number("--streams", if weeks > 100 { 200 } else { 2 }));
}

/// Fleets of four weeks each from the first minute, all of the promise in use.
fn quiet_weeks(weeks: u32, threads: u32) {
    let settings = settings(&["lost", "declined"], 6);
    let cells = settings.signals.iter().flat_map(|signal| &signal.layers).map(|layer| layer.cells).sum::<u32>();
    let days = f64::from(weeks) * 7.0;
    let allowed = days * settings.promise.false_alarms / settings.promise.per_days;
    println!(
        "{weeks} quiet weeks of a fleet with {cells} cells; allowed {allowed:.0} alarms, {:.0} of the promised test",
        allowed * (1.0 - settings.promise.early_share)
    );
    println!("| overdispersion | alarms | of the promised test | in the first week of a fleet |");
    println!("|---|---|---|---|");
    for rho in RHOS {
        let fleets = weeks.div_ceil(4);
        let next = AtomicU32::new(0);
        let found = Mutex::new([0; 3]);
        let work = || {
            loop {
                let fleet = next.fetch_add(1, Ordering::Relaxed);
                if fleet >= fleets {
                    return;
                }
                let alarms = quiet_fleet(fleet, (weeks - 4 * fleet).min(4), &settings, rho);
                let mut found = found.lock().expect("no thread fails");
                found.iter_mut().zip(alarms).for_each(|(sum, alarms)| *sum += alarms);
            }
        };
        std::thread::scope(|scope| (0..threads).for_each(|_| drop(scope.spawn(work))));
        let [alarms, promised, first] = found.into_inner().expect("no thread fails");
        println!("| {rho} | {alarms} | {promised} | {first} |");
    }
}

/// Alarms of one fleet, those of the promised test, and those in its first week.
fn quiet_fleet(fleet: u32, weeks: u32, settings: &Settings, rho: f64) -> [u32; 3] {
    let mut detector = Detector::new(settings.clone());
    let mut payments = Fleet::new(u64::from(fleet) * 3 + 1, settings, rho);
    let mut found = [0; 3];
    for minute in 0..weeks * WEEK {
        for change in detector.tick(when(minute), &payments.minute(minute)) {
            match change {
                Change::Raised(alarm) => {
                    found[0] += 1;
                    found[1] += u32::from(alarm.by == By::Promised);
                    found[2] += u32::from(minute < WEEK);
                }
                Change::Confirmed(_) => found[1] += 1,
                Change::Recovered { .. } | Change::Accepted { .. } => {}
            }
        }
    }
    found
}

/// The rules of the trade on one quiet stream: an alarm, then silence for an hour.
fn quiet_rules(weeks: u32) {
    println!("\nfalse alarms a week on one quiet stream of 200 a minute, 5 per cent ({weeks} weeks)");
    println!("| overdispersion | 2-sigma | EWMA | CUSUM |");
    println!("|---|---|---|---|");
    for rho in RHOS {
        let stream = Stream { volume: 200.0, rate: 0.05, rho, lag: 0.0 };
        let mut random = Random::new(17);
        let mut rules: [(Box<dyn Rule>, u32, u32); 3] = [
            (Box::new(TwoSigma::default()), 0, 0),
            (Box::new(Ewma::default()), 0, 0),
            (Box::new(Cusum::default()), 0, 0),
        ];
        for minute in 0..weeks * WEEK {
            let rate = stream.rate_at(minute);
            let (attempts, hits) = stream.minute(minute, rate, &mut random);
            for (rule, alarms, quiet_until) in &mut rules {
                if rule.step(attempts, hits, rate) && minute >= *quiet_until {
                    *alarms += 1;
                    *quiet_until = minute + 60;
                }
            }
        }
        let a_week = rules.map(|(_, alarms, _)| f64::from(alarms) / f64::from(weeks));
        println!("| {rho} | {:.1} | {:.1} | {:.1} |", a_week[0], a_week[1], a_week[2]);
    }
}

/// A stream of the total in a fleet of many cells, two weeks old; then approvals drop by some points at noon.
fn power(streams: u32) {
    println!(
        "\nshare found within 5, 15 and 60 minutes, and median minutes to the alarm ({streams} streams a row; overdispersion 0.005)"
    );
    println!(
        "| payments a minute | drop, points | within 5 | within 15 | within 60 | median | promised test alone | 2-sigma | EWMA | CUSUM |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|");
    let settings = settings(&["declined"], 20);
    for volume in [20.0, 200.0, 2_000.0] {
        let stream = Stream { volume, rate: 0.05, rho: 0.005, lag: 0.0 };
        let known: Vec<Known> = (0..streams).map(|seed| Known::new(&settings, &stream, u64::from(seed))).collect();
        for drop in [0.02, 0.05, 0.1, 0.3] {
            let mut delays: [Vec<u32>; 5] = Default::default();
            for known in &known {
                for (delays, delay) in delays.iter_mut().zip(known.delays(&stream, drop)) {
                    delays.push(delay);
                }
            }
            let within = |most: u32| {
                let found = delays[0].iter().filter(|delay| **delay <= most).count();
                format!("{:.0} %", 100.0 * found as f64 / f64::from(streams))
            };
            let shares = [5, 15, 60].map(within);
            let medians = delays.each_ref().map(|delays| median(delays));
            println!("| {volume} | {} | {} | {} |", drop * 100.0, shares.join(" | "), medians.join(" | "));
        }
    }
}

const NEVER: u32 = 6 * 60;

fn median(delays: &[u32]) -> String {
    let mut sorted = delays.to_vec();
    sorted.sort_unstable();
    let middle = sorted[sorted.len() / 2];
    if middle >= NEVER { format!("> {NEVER}") } else { middle.to_string() }
}

/// A detector and rules that know two weeks of a stream.
struct Known {
    detector: Detector,
    history: Vec<(u32, u32)>,
    random: Random,
}

const BEGIN: u32 = 2 * WEEK + DAY / 2;
const TOTAL: Cell = Cell { signal: 0, layer: 0, value: 0 };

impl Known {
    fn new(settings: &Settings, stream: &Stream, seed: u64) -> Self {
        let mut random = Random::new(seed * 31 + 7);
        let mut detector = Detector::new(settings.clone());
        let mut history = Vec::new();
        for minute in 0..BEGIN {
            let (attempts, hits) = stream.minute(minute, stream.rate_at(minute), &mut random);
            detector.tick(when(minute), &[Count { cell: TOTAL, attempts, hits, expected: None }]);
            history.push((attempts, hits));
        }
        Self { detector, history, random }
    }

    /// Minutes until the detector says so, its promised test does, and each rule does.
    fn delays(&self, stream: &Stream, drop: f64) -> [u32; 5] {
        let (mut detector, mut random) = (self.detector.clone(), self.random.clone());
        let mut rules: [Box<dyn Rule>; 3] =
            [Box::new(TwoSigma::default()), Box::new(Ewma::default()), Box::new(Cusum::default())];
        for (minute, (attempts, hits)) in (0..).zip(&self.history).skip((BEGIN - 3 * DAY) as usize) {
            for rule in &mut rules {
                // An alarm of the quiet time is taken for settled.
                rule.step(*attempts, *hits, stream.rate_at(minute));
            }
        }
        let mut delays = [NEVER; 5];
        for minute in BEGIN..BEGIN + NEVER {
            let rate = stream.rate_at(minute);
            let (attempts, hits) = stream.minute(minute, rate + drop, &mut random);
            let delay = minute - BEGIN + 1;
            for change in detector.tick(when(minute), &[Count { cell: TOTAL, attempts, hits, expected: None }]) {
                if let Change::Raised(alarm) | Change::Confirmed(alarm) = change {
                    delays[0] = delays[0].min(delay);
                    if alarm.by == By::Promised {
                        delays[1] = delays[1].min(delay);
                    }
                }
            }
            for (delay_of, rule) in delays[2..].iter_mut().zip(&mut rules) {
                if rule.step(attempts, hits, rate) {
                    *delay_of = (*delay_of).min(delay);
                }
            }
        }
        delays
    }
}
