//! The detector as a whole. Its promise on simulated weeks is tested in `tests/quiet_weeks.rs`.

use super::*;
use crate::cube::{Attempt, Dimension, Latency, Leaf, Outcome};

const MONDAY: u32 = 29_600_000 - 29_600_000 % 10_080;

fn when(minute: u32) -> When {
    let part = |number: u32| u8::try_from(number).unwrap();
    When { minute, day: DayKind::Monday, hour: part(minute / 60 % 24), past: part(minute % 60) }
}

fn count(cell: Cell, attempts: u32, hits: u32) -> Count {
    Count { cell, attempts, hits, expected: None }
}

fn cell(settings: &Settings, signal: &str, layer: &str, value: u32) -> Cell {
    let (index, signal) = settings.signal(signal).unwrap();
    let layer = signal.layers.iter().position(|known| known.name == layer).unwrap();
    Cell { signal: index, layer: u8::try_from(layer).unwrap(), value }
}

/// Two accounts of which one begins to receive what is not its own: minutes, and what each says.
fn diversion(detector: &mut Detector, minutes: std::ops::Range<u32>, begin: u32) -> Vec<Change> {
    let settings = detector.settings().clone();
    let total = cell(&settings, "diverted", "total", 0);
    let [good, bad] = [7, 8].map(|value| cell(&settings, "diverted", "beneficiary_account", value));
    let mut told = Vec::new();
    for minute in minutes {
        let hits = u32::from(minute >= begin && minute.is_multiple_of(2));
        let counts = [count(total, 200, hits), count(good, 3, 0), count(bad, 3, hits)];
        told.extend(detector.tick(when(minute), &counts));
    }
    told
}

#[test]
fn success_with_harm_is_a_signal_like_any_other() {
    let mut detector = Detector::new(Settings::builtin().unwrap());
    let begin = MONDAY + 600;
    let told = diversion(&mut detector, MONDAY..begin + 120, begin);
    let bad = cell(detector.settings(), "diverted", "beneficiary_account", 8);
    let Some(Change::Raised(alarm)) = told.first() else { panic!("{told:?}") };
    assert_eq!(alarm.cell, bad);
    assert!(alarm.hits >= 3 && alarm.at.seconds_since(instant_of(begin)) <= 20 * 60, "{alarm:?}");
    assert!(alarm.since.seconds_since(instant_of(begin)).abs() <= 120, "{alarm:?}");
    assert!(detector.raised().any(|raised| raised.cell == bad));
}

#[test]
fn a_state_that_was_written_down_goes_on_as_if_nothing_had_been() {
    let settings = Settings::builtin().unwrap();
    let mut detector = Detector::new(settings.clone());
    let begin = MONDAY + 600;
    diversion(&mut detector, MONDAY..begin + 5, begin);
    let text = detector.to_json().unwrap();
    let mut again = Detector::from_json(settings.clone(), &text).unwrap();
    assert_eq!(again.to_json().unwrap(), text);
    let told = diversion(&mut detector, begin + 5..begin + 200, begin);
    assert!(!told.is_empty());
    assert_eq!(diversion(&mut again, begin + 5..begin + 200, begin), told);
    assert_eq!(again.state, detector.state);
    let mut renamed = settings;
    renamed.id = "detection-2".to_owned();
    assert!(matches!(Detector::from_json(renamed, &text), Err(StateError::Settings { .. })));
}

#[test]
fn workers_that_watch_different_signals_are_put_together() {
    let settings = Settings::builtin().unwrap();
    let links = |detector: &mut Detector, minutes: std::ops::Range<u32>| -> Vec<Change> {
        let total = cell(&settings, "lost", "total", 0);
        let link = cell(&settings, "lost", "network_link", 3);
        let counts = [count(total, 300, 1), count(link, 100, 1)];
        minutes.flat_map(|minute| detector.tick(when(minute), &counts)).collect()
    };
    let begin = MONDAY + 300;
    let mut one = Detector::new(settings.clone());
    let mut other = one.clone();
    let mut both = one.clone();
    links(&mut one, MONDAY..begin);
    diversion(&mut other, MONDAY..begin, begin);
    let alone = other.clone();
    links(&mut both, MONDAY..begin);
    one.absorb(other).unwrap();
    let told = diversion(&mut one, begin..begin + 60, begin);
    assert_eq!(told, diversion(&mut alone.clone(), begin..begin + 60, begin));
    assert!(links(&mut one, begin + 60..begin + 70).is_empty());
    let refused = one.absorb(alone).unwrap_err().to_string();
    assert!(refused.contains("diverted"), "{refused}");
}

#[test]
fn the_parts_of_the_promise_add_to_it() {
    let settings = Settings::builtin().unwrap();
    let cells = settings.signals.iter().flat_map(|signal| signal.layers.iter().map(move |layer| (signal, layer)));
    for (early, whole) in [(false, 0.5), (true, 0.5)] {
        let needed = |signal: &Signal, layer: &Layer| {
            settings.quiet_minutes(early) * f64::from(layer.cells) / (signal.share * layer.share)
        };
        // In 30 days each cell is false once in as many minutes as it needs in e-value.
        let alarms: f64 =
            cells.clone().map(|(signal, layer)| 30.0 * 1_440.0 * f64::from(layer.cells) / needed(signal, layer)).sum();
        assert!(alarms <= whole + 1e-9, "{alarms}");
    }
}

#[test]
fn too_little_harm_is_no_alarm_and_a_full_layer_says_so() {
    let mut settings = Settings::builtin().unwrap();
    let place = usize::from(settings.signal("diverted").unwrap().0);
    settings.signals[place].min_excess = 1_000.0;
    settings.signals[place].layers[1].cells = 1;
    let mut detector = Detector::new(settings);
    let told = diversion(&mut detector, MONDAY..MONDAY + 900, MONDAY + 600);
    assert!(told.is_empty(), "{told:?}");
    assert_eq!(detector.unwatched(), 900, "the second account finds no room");
}

#[test]
fn a_new_ordinary_rate_can_be_accepted() {
    let mut detector = Detector::new(Settings::builtin().unwrap());
    let begin = MONDAY + 600;
    diversion(&mut detector, MONDAY..begin + 120, begin);
    let bad = cell(detector.settings(), "diverted", "beneficiary_account", 8);
    assert!(detector.accept(bad));
    assert!(!detector.accept(bad), "it is not raised any more");
    let told = diversion(&mut detector, begin + 120..begin + 600, begin);
    assert!(!told.iter().any(|change| matches!(change, Change::Raised(alarm) if alarm.cell == bad)), "{told:?}");
}

#[test]
fn after_a_week_a_raised_rate_is_the_ordinary_one() {
    let mut detector = Detector::new(Settings::builtin().unwrap());
    let begin = MONDAY + 600;
    let told = diversion(&mut detector, MONDAY..begin + 8 * 1_440, begin);
    let bad = cell(detector.settings(), "diverted", "beneficiary_account", 8);
    let of_bad = |change: &&Change| match change {
        Change::Raised(alarm) => alarm.cell == bad,
        Change::Accepted { cell, .. } | Change::Recovered { cell, .. } => *cell == bad,
        Change::Confirmed(_) => false,
    };
    let of_bad: Vec<&Change> = told.iter().filter(of_bad).collect();
    let [Change::Raised(_), Change::Accepted { at, .. }] = of_bad[..] else { panic!("{of_bad:?}") };
    assert!(at.seconds_since(instant_of(begin)) / 3_600 >= 168, "{at:?}");
}

/// Refusals at an even pace: `factors` are those of the links on the rate of the whole, which is the first.
fn even(settings: &Settings, minute: u32, rate: f64, factors: &[f64]) -> Vec<Count> {
    let by_then = |minute: u32, rate: f64| (f64::from(minute - MONDAY) * 3_000.0 * rate) as u32;
    let links = (1..).zip(factors).map(|(link, factor)| {
        let hits = by_then(minute + 1, rate * factor) - by_then(minute, rate * factor);
        count(cell(settings, "declined", "network_link", link), 3_000, hits)
    });
    let links: Vec<Count> = links.collect();
    let (attempts, hits) = links.iter().fold((0, 0), |sum, link| (sum.0 + link.attempts, sum.1 + link.hits));
    [count(cell(settings, "declined", "total", 0), attempts, hits)].into_iter().chain(links).collect()
}

/// What was believed before the first day is learned away once, by the whole, and not a second time by its parts.
#[test]
fn a_wrong_belief_of_the_first_day_raises_nothing() {
    for wrong in [0.1, 0.3, 0.8, 1.5] {
        let settings = Settings::builtin().unwrap();
        let rate = settings.signal("declined").unwrap().1.prior_rate * wrong;
        let factors = [1.0, 1.5, 0.5, 1.0];
        let mut detector = Detector::new(settings.clone());
        for minute in MONDAY..MONDAY + 2 * 1_440 {
            let told = detector.tick(when(minute), &even(&settings, minute, rate, &factors));
            assert!(told.is_empty(), "belief wrong by {wrong}, minute {}: {told:?}", minute - MONDAY);
        }
        let of_links = detector.state.signals.iter().flat_map(|signal| &signal.cells).filter(|it| it.cell.layer != 0);
        let known: Vec<f64> = of_links.map(|watched| watched.course().at(30).0 / rate).collect();
        for (known, factor) in known.iter().zip(factors) {
            assert!((known / factor - 1.0).abs() < 0.15, "belief wrong by {wrong}: {known:?} of {factors:?}");
        }
    }
}

#[test]
fn the_whole_does_not_learn_what_an_alarm_explains() {
    let settings = Settings::builtin().unwrap();
    let rate = |detector: &Detector| {
        let profile = &detector.state.signals[usize::from(settings.signal("declined").unwrap().0)].profile;
        profile.estimate(DayKind::Monday, 9, &settings.baseline, settings.tests.rho).rate
    };
    let mut detector = Detector::new(settings.clone());
    let (begin, end) = (MONDAY + 1_440, MONDAY + 2_160);
    let mut told = Vec::new();
    let mut before = 0.0;
    for minute in MONDAY..end + 240 {
        let mut factors = [1.0; 60];
        if (begin..end).contains(&minute) {
            factors[7] = 4.0;
        }
        if minute == begin {
            before = rate(&detector);
        }
        told.extend(detector.tick(when(minute), &even(&settings, minute, 0.02, &factors)));
    }
    let raised = told.iter().filter(|change| matches!(change, Change::Raised(_))).count();
    assert_eq!(raised, 1, "{told:?}");
    assert!((rate(&detector) / before - 1.0).abs() < 0.01, "{} {before}", rate(&detector));
}

/// A line loses replies from `begin` on; some terminals report only `lag` minutes later.
fn attempts(minute: u32, begin: u32, late: bool) -> impl Iterator<Item = Attempt> {
    (0..400_u64).filter(move |number| (number % 4 == 0) == late).map(move |number| {
        let link = 1 + u16::try_from(number % 3).unwrap();
        let ordinary = (u64::from(minute) * 400 + number).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32;
        let lost = ordinary % 199 == 0 || minute >= begin && link == 2 && number % 8 == 0;
        let leaf = Leaf::default()
            .with(Dimension::NetworkLink, link)
            .with(Dimension::City, 1 + u16::try_from(number % 11).unwrap())
            .with(Dimension::Agent, 1 + u16::try_from(number % 37).unwrap());
        let outcome = if lost { Outcome::NoAnswer } else { Outcome::Approved };
        let id = u64::from(minute) << 20 | number;
        Attempt { minute, leaf, outcome, latency: Latency::Usual, reversed: lost, amount_minor: 8_600, id }
    })
}

#[test]
fn late_payments_change_what_would_have_been_said() {
    let settings = Settings::builtin().unwrap();
    let mut cube = Cube::new(settings.cube.clone());
    let (start, begin) = (MONDAY, MONDAY + 30);
    let mut detector = Detector::new(settings);
    for minute in start..start + 60 {
        attempts(minute, begin, false).for_each(|attempt| cube.add(&attempt));
    }
    let before = detector.clone();
    let (seen, told) = before.replay(&cube, (start..start + 60).map(when));
    for minute in start..start + 60 {
        let counts = counts(&cube, minute, detector.settings());
        detector.tick(when(minute), &counts);
    }
    assert_eq!(seen.state, detector.state, "a replay is what would have been seen live");
    assert!(told.is_empty(), "without the late ones nothing is lost: {told:?}");
    for minute in start..start + 60 {
        attempts(minute, begin, true).for_each(|attempt| cube.add(&attempt));
    }
    let (again, told) = before.replay(&cube, (start..start + 60).map(when));
    let link = cell(again.settings(), "lost", "network_link", 2);
    let alarm = told.iter().find_map(|change| match change {
        Change::Raised(alarm) if alarm.cell == link => Some(alarm),
        _ => None,
    });
    let alarm = alarm.unwrap_or_else(|| panic!("{told:?}"));
    assert!(alarm.since.seconds_since(instant_of(begin)).abs() <= 120, "{alarm:?}");
    assert!(alarm.at.seconds_since(instant_of(begin)) <= 10 * 60, "{alarm:?}");
    for other in [1, 3] {
        let innocent = cell(again.settings(), "lost", "network_link", other);
        assert!(again.raised().all(|raised| raised.cell != innocent), "link {other} lost nothing more than usual");
    }
}
