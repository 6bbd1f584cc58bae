//! The promise of the detector on simulated quiet weeks, and what it finds when a rate is raised. The thousand weeks
//! are a bench (`cargo bench -p onus-incident --bench detector -- --weeks 1000`); these are a few of them.

mod simulated;

use onus_incident::detector::{Change, Detector, instant_of};
use simulated::fleet::{DAY, Fleet, WEEK, settings, when};

#[test]
fn quiet_weeks_stay_quiet_from_the_first_minute() {
    for rho in [0.0, 0.005, 0.02] {
        let settings = settings(&["declined"], 3);
        let mut detector = Detector::new(settings.clone());
        let mut fleet = Fleet::new(11, &settings, rho);
        let alarms: usize = (0..2 * WEEK)
            .map(|minute| detector.tick(when(minute), &fleet.minute(minute)))
            .map(|changes| changes.iter().filter(|change| matches!(change, Change::Raised(_))).count())
            .sum();
        assert!(alarms <= 1, "overdispersion {rho}: {alarms} alarms in two weeks; promised is one in 30 days");
    }
}

#[test]
fn a_raised_cell_is_found_then_recovers_and_is_not_learned() {
    let settings = settings(&["declined"], 3);
    let mut detector = Detector::new(settings.clone());
    let mut fleet = Fleet::new(5, &settings, 0.005);
    let noon = Fleet::new(5, &settings, 0.0).minute(12 * 60);
    let cell = noon.iter().filter(|count| count.cell.layer == 2).max_by_key(|count| count.attempts).unwrap().cell;
    let (begin, end) = (5 * DAY + 12 * 60, 5 * DAY + 18 * 60);
    let mut told = Vec::new();
    for minute in 0..8 * DAY {
        let mut counts = fleet.minute(minute);
        // The same fault twice, a day apart: learning the first would hide the second.
        if (begin..end).contains(&minute) || (begin + DAY..end + DAY).contains(&minute) {
            let count = counts.iter_mut().find(|count| count.cell == cell).unwrap();
            count.hits += (count.attempts - count.hits) / 3;
        }
        told.extend(detector.tick(when(minute), &counts));
    }
    assert_eq!(told.len() - told.iter().filter(|change| matches!(change, Change::Confirmed(_))).count(), 4, "{told:?}");
    let mut found = told.iter().filter(|change| !matches!(change, Change::Confirmed(_)));
    for start in [begin, begin + DAY] {
        let (Some(Change::Raised(alarm)), Some(Change::Recovered { cell: back, since, .. })) =
            (found.next(), found.next())
        else {
            panic!("{told:?}");
        };
        assert_eq!((alarm.cell, *back), (cell, cell));
        let late = |at: onus_model::Instant, minute: u32| at.seconds_since(instant_of(minute)) / 60;
        assert!((-3..=3).contains(&late(alarm.since, start)), "{alarm:?}");
        assert!(late(alarm.at, start) <= 15, "{alarm:?}");
        assert!(alarm.e_value >= alarm.needed && alarm.hits as f64 > alarm.expected + 8.0, "{alarm:?}");
        assert!((-3..=3).contains(&late(*since, start + 6 * 60)), "recovered {since:?}");
    }
}
