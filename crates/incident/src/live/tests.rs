use super::*;
use crate::cube::{Dimension, Latency, Leaf, Outcome, amount_bin};
use crate::detector::{DayKind, minute_of};
use crate::episode::State;
use crate::localise;
use crate::policy::Policy;
use onus_model::Instant;

const FIRST: u32 = 29_600_000;

fn when(minute: u32) -> When {
    let part = |number: u32| u8::try_from(number).unwrap();
    When { minute, day: DayKind::Monday, hour: part(minute / 60 % 24), past: part(minute % 60) }
}

fn live() -> Live {
    Live::new(Settings::builtin().unwrap(), localise::Settings::builtin().unwrap().ratio, Policy::builtin().unwrap())
}

fn mixed(number: u64) -> u64 {
    let mixed = number.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ (number << 21);
    (mixed ^ (mixed >> 29)).wrapping_mul(0xBF58_476D_1CE4_E5B9) >> 20
}

/// Payment `number` of a minute, and the names of its values. Link 211 loses six of ten small payments in the trouble.
fn payment(minute: u32, number: u64, trouble: std::ops::Range<u32>) -> (Attempt, [(Dimension, String); 4]) {
    let mixed = mixed(u64::from(minute) << 16 | number);
    let link = ["201", "211", "202"][(mixed % 3) as usize];
    let amount_minor = 100 + mixed / 3 % 120_000;
    let hurt = trouble.contains(&(minute - FIRST)) && link == "211" && amount_minor < 50_000 && mixed / 7 % 10 < 6;
    let outcome = if hurt || (mixed / 13).is_multiple_of(900) { Outcome::NoAnswer } else { Outcome::Approved };
    let names = [
        (Dimension::NetworkLink, link.to_owned()),
        (Dimension::City, format!("city {}", mixed / 11 % 9)),
        (Dimension::Agent, format!("A{}", mixed / 17 % 20)),
        (Dimension::AppVersion, format!("v{}", mixed / 23 % 4)),
    ];
    let leaf = Leaf::default().with(Dimension::Amount, amount_bin(amount_minor));
    let id = u64::from(minute) << 20 | number;
    let (latency, reversed) = (Latency::Usual, false);
    (Attempt { minute, leaf, outcome, latency, reversed, amount_minor, id }, names)
}

fn coded((mut attempt, names): (Attempt, [(Dimension, String); 4]), symbols: &mut Symbols) -> Attempt {
    for (dimension, name) in names {
        attempt.leaf = attempt.leaf.with(dimension, symbols.intern(dimension, &name));
    }
    attempt
}

const A_MINUTE: u64 = 200;

fn run(minutes: u32, trouble: std::ops::Range<u32>) -> Live {
    let mut live = live();
    for minute in FIRST..FIRST + minutes {
        for number in 0..A_MINUTE {
            let attempt = coded(payment(minute, number, trouble.clone()), live.symbols());
            live.add(&attempt);
        }
        live.tick(minute + 1, &when);
    }
    live
}

fn states(episode: &LiveEpisode) -> Vec<(u32, State)> {
    episode.steps.iter().map(|step| (step.at - FIRST, step.state)).collect()
}

#[test]
fn a_link_that_loses_replies_is_an_episode_with_a_life() {
    let mut live = run(70, 40..60);
    let [episode] = live.episodes() else { panic!("{:#?}", live.episodes()) };
    assert_eq!(episode.scope.of_dimension(Dimension::NetworkLink), Some(&["211".to_owned()][..]));
    assert_eq!(episode.scope.values.len(), 1, "{:?}", episode.scope);
    let Some((None, Some(cut))) = episode.scope.amount else { panic!("{:?}", episode.scope) };
    assert!((48_000..=52_000).contains(&cut), "{cut}");
    let states = states(episode);
    let first = |state| states.iter().find(|it| it.1 == state).unwrap_or_else(|| panic!("{states:?}")).0;
    assert!((41..=43).contains(&first(State::Suspected)), "{states:?}");
    assert!((41..=50).contains(&first(State::Confirmed)), "{states:?}");
    assert!((61..=67).contains(&first(State::Recovered)), "{states:?}");
    assert!(episode.picture.twentieth.is_some_and(|minute| (40..44).contains(&(minute - FIRST))));
    let hits = episode.seen().hits();
    assert!((250..=420).contains(&hits), "{hits}");
    assert!(
        episode.picture.agents.len() >= 15 && episode.picture.map.iter().any(|row| row.dimension == Dimension::City)
    );

    // After an hour it is closed, and then forgotten.
    for minute in FIRST + 70..FIRST + 140 {
        for number in 0..A_MINUTE {
            let attempt = coded(payment(minute, number, 0..0), live.symbols());
            live.add(&attempt);
        }
        live.tick(minute + 1, &when);
        if live.episodes().iter().any(|it| it.state() == State::Closed) {
            break;
        }
    }
    assert_eq!(live.episodes()[0].state(), State::Closed);
}

#[test]
fn what_comes_back_before_it_is_closed_is_reopened() {
    let mut live = live();
    for minute in FIRST..FIRST + 110 {
        for number in 0..A_MINUTE {
            let trouble = if minute < FIRST + 80 { 40..60 } else { 90..100 };
            let attempt = coded(payment(minute, number, trouble), live.symbols());
            live.add(&attempt);
        }
        live.tick(minute + 1, &when);
    }
    let [episode] = live.episodes() else { panic!("{:#?}", live.episodes()) };
    let states = states(episode);
    let reopened = states.iter().find(|it| it.1 == State::Reopened).unwrap_or_else(|| panic!("{states:?}"));
    assert!((91..=94).contains(&reopened.0), "{states:?}");
    assert_eq!(states.last().unwrap().1, State::Recovered, "{states:?}");
}

#[test]
fn quiet_hours_open_nothing() {
    let live = run(180, 0..0);
    assert_eq!((live.episodes().len(), live.alarms().all().len()), (0, 0));
}

/// Signal, scope and life of an episode.
type Told = (String, Scope, Vec<Step>);

/// What was said of each episode and alarm, without the numbers of codes.
fn said(live: &Live) -> (Vec<LoggedAlarm>, Vec<Told>) {
    let episodes = live.episodes().iter().map(|it| (it.signal.clone(), it.scope.clone(), it.steps.clone())).collect();
    let mut alarms = live.alarms().all().to_vec();
    alarms.sort_by_key(|alarm| (alarm.raised_at, alarm.key()));
    (alarms, episodes)
}

/// Two workers hand over their minutes as bytes, and the process is started anew in the middle of the trouble.
#[test]
fn workers_and_a_restart_change_nothing() {
    let settings = Settings::builtin().unwrap();
    let alone = run(52, 40..60);
    let mut workers = [(); 2].map(|()| (Cube::new(settings.cube.clone()), Symbols::default()));
    let mut held: Vec<(u32, Vec<Partial>)> = Vec::new();
    let mut live = live();
    for minute in FIRST..FIRST + 52 {
        for number in 0..A_MINUTE {
            let (cube, symbols) = &mut workers[(number % 2) as usize];
            let attempt = coded(payment(minute, number, 40..60), symbols);
            cube.add(&attempt);
        }
        let partials: Vec<Partial> = workers
            .iter()
            .filter_map(|(cube, symbols)| cube.partial(minute, symbols))
            .map(|partial| Partial::from_bytes(&partial.to_bytes().unwrap()).unwrap())
            .collect();
        live.set_minute(minute, &partials.iter().collect::<Vec<_>>());
        held.push((minute, partials));
        live.tick(minute + 1, &when);
        if minute == FIRST + 46 {
            let (_, checkpoint) = live.checkpoint().unwrap().unwrap();
            let progress = live.progress().unwrap();
            live = self::live();
            live.go_on(&checkpoint, &progress).unwrap();
            for (minute, partials) in &held {
                live.set_minute(*minute, &partials.iter().collect::<Vec<_>>());
            }
        }
    }
    assert_eq!(said(&live), said(&alone));
    assert_eq!(alone.episodes().len(), 1);
}

/// The lost ones of a trouble turn out to have been answered: the suspicion is withdrawn, not remembered as a failure.
#[test]
fn corrections_take_an_alarm_back() {
    let mut live = live();
    let mut lost = Vec::new();
    for minute in FIRST..FIRST + 43 {
        for number in 0..A_MINUTE {
            let attempt = coded(payment(minute, number, 40..60), live.symbols());
            live.add(&attempt);
            if minute >= FIRST + 40 && attempt.outcome == Outcome::NoAnswer {
                lost.push(attempt);
            }
        }
        live.tick(minute + 1, &when);
    }
    assert_eq!(live.episodes().len(), 1);
    let state = live.episodes()[0].state();
    for attempt in &lost {
        live.correct(attempt, &Attempt { outcome: Outcome::Approved, ..*attempt });
    }
    live.tick(FIRST + 43, &when);
    assert_eq!(live.alarms().standing("lost").count(), 0);
    assert!(live.alarms().all().iter().all(|it| it.ended.is_some_and(|ended| ended.how == Ending::Withdrawn)));
    let ended = live.episodes()[0].state();
    let expected = if state == State::Suspected { State::Closed } else { State::Recovered };
    assert_eq!(ended, expected);
}

/// Payments that come late for minutes already looked at lead to the same alarms as in time.
#[test]
fn late_payments_are_taken_in() {
    let in_time = run(50, 40..60);
    let mut late = live();
    let mut waiting = Vec::new();
    for minute in FIRST..FIRST + 50 {
        for number in 0..A_MINUTE {
            let attempt = coded(payment(minute, number, 40..60), late.symbols());
            if number.is_multiple_of(3) { waiting.push(attempt) } else { late.add(&attempt) }
        }
        late.tick(minute + 1, &when);
        if minute % 4 == 1 {
            waiting.drain(..).for_each(|attempt| late.add(&attempt));
        }
    }
    late.tick(FIRST + 50, &when);
    assert_eq!(late.too_late(), 0);
    let alarms = |live: &Live| said(live).0.into_iter().map(|it| (it.key(), it.raised_at)).collect::<Vec<_>>();
    assert_eq!(alarms(&late), alarms(&in_time));
    assert_eq!(minute_of(Instant(i64::from(FIRST) * 60_000_000)), FIRST);
}

/// A payment of a fleet whose switch sends what is small, without PIN and contactless in two cities over line 211; the
/// other lines take the rest. In the trouble line 211 loses six of ten.
fn routed(minute: u32, number: u64, limit: u64, trouble: std::ops::Range<u32>) -> (Attempt, Vec<(Dimension, String)>) {
    let mixed = mixed(u64::from(minute) << 16 | number);
    let city = mixed % 5;
    let amount_minor = 100 + mixed / 5 % 120_000;
    let contactless = mixed / 7 % 10 < 6;
    let small = contactless && amount_minor < limit && city < 2;
    let link = if small {
        "211"
    } else if city < 3 {
        "201"
    } else {
        "202"
    };
    let hurt = trouble.contains(&(minute - FIRST)) && link == "211" && mixed / 11 % 10 < 6;
    let lost = hurt || (mixed / 13).is_multiple_of(900);
    let names = vec![
        (Dimension::NetworkLink, link.to_owned()),
        (Dimension::City, format!("city {city}")),
        (Dimension::EntryMode, if contactless { "contactless" } else { "chip" }.to_owned()),
        (Dimension::Pin, if contactless { "no_pin" } else { "pin" }.to_owned()),
    ];
    let leaf = Leaf::default().with(Dimension::Amount, amount_bin(amount_minor));
    let outcome = if lost { Outcome::NoAnswer } else { Outcome::Approved };
    let (id, latency, reversed) = (u64::from(minute) << 20 | number, Latency::Usual, false);
    (Attempt { minute, leaf, outcome, latency, reversed, amount_minor, id }, names)
}

/// Where a line carries small payments alone, the line is the scope, and the amount comes out of payments alike that
/// went another way; also when failures are few and the cube has forgotten the first of them.
#[test]
fn an_amount_that_routes_comes_out_of_the_data() {
    for (limit, a_minute, trouble) in [(50_000, 200, 40..60), (30_000, 400, 40..60), (50_000, 40, 60..240)] {
        let mut live = live();
        let mut first_told = None;
        for minute in FIRST..FIRST + trouble.end {
            for number in 0..a_minute {
                let (mut attempt, names) = routed(minute, number, limit, trouble.clone());
                for (dimension, name) in names {
                    attempt.leaf = attempt.leaf.with(dimension, live.symbols().intern(dimension, &name));
                }
                live.add(&attempt);
            }
            live.tick(minute + 1, &when);
            if first_told.is_none() && live.episodes().iter().any(|it| it.cut().is_some()) {
                first_told = Some(minute - FIRST - trouble.start);
            }
        }
        let [episode] = live.episodes() else { panic!("{:#?}", live.episodes()) };
        assert_eq!(episode.scope, Scope::of(&[Dimension::NetworkLink], &["211".to_owned()]));
        let Some((None, Some(cut))) = episode.told_scope().amount else { panic!("{:?}", episode.told_scope()) };
        assert!(cut.abs_diff(limit) * 100 <= limit, "{cut} for {limit}");
        assert!(first_told.is_some_and(|minutes| minutes <= 40), "{first_told:?} minutes");
    }
}

/// What explains as much with fewer conditions is named, and of equals the line rather than what its payments share.
#[test]
fn a_line_is_preferred_to_what_its_payments_share() {
    let mut live = live();
    for minute in FIRST..FIRST + 55 {
        for number in 0..A_MINUTE {
            let mixed = mixed(u64::from(minute) << 16 | number);
            let (entry, line) = [("chip", "22"), ("stripe", "22"), ("contactless", "21")][(mixed % 3) as usize];
            let silent = minute >= FIRST + 40 && line == "22" && mixed / 7 % 10 < 6;
            let mut leaf = Leaf::default().with(Dimension::Amount, amount_bin(5_000));
            for (dimension, name) in [
                (Dimension::EntryMode, entry.to_owned()),
                (Dimension::AcquirerLink, line.to_owned()),
                (Dimension::City, format!("city {}", mixed / 11 % 9)),
            ] {
                leaf = leaf.with(dimension, live.symbols().intern(dimension, &name));
            }
            let outcome = if silent { Outcome::AcquirerSilent } else { Outcome::Approved };
            let (latency, reversed, amount_minor) = (Latency::Usual, false, 5_000);
            live.add(&Attempt { minute, leaf, outcome, latency, reversed, amount_minor, id: mixed });
        }
        live.tick(minute + 1, &when);
    }
    let [episode] = live.episodes() else { panic!("{:#?}", live.episodes()) };
    assert_eq!(episode.scope, Scope::of(&[Dimension::AcquirerLink], &["22".to_owned()]));
}

/// A worn batch of which one payment in sixteen fails, for twenty hours: one episode that does not waver.
#[test]
fn wear_does_not_waver() {
    let mut live = live();
    for minute in FIRST..FIRST + 1_200 {
        for number in 0..20 {
            let mixed = mixed(u64::from(minute) << 16 | number);
            let worn = number < 2;
            let fails = worn && minute >= FIRST + 60 && mixed.is_multiple_of(16);
            let mut leaf = Leaf::default().with(Dimension::Amount, amount_bin(5_000));
            let batch = if worn { "B17".to_owned() } else { format!("B2{}", mixed / 7 % 5) };
            leaf = leaf.with(Dimension::ProductionBatch, live.symbols().intern(Dimension::ProductionBatch, &batch));
            let outcome = if fails || (mixed / 13).is_multiple_of(2_000) { Outcome::Unread } else { Outcome::Approved };
            let (latency, reversed, amount_minor) = (Latency::Usual, false, 5_000);
            live.add(&Attempt { minute, leaf, outcome, latency, reversed, amount_minor, id: mixed });
        }
        live.tick(minute + 1, &when);
    }
    let [episode] = live.episodes() else { panic!("{:#?}", live.episodes()) };
    let known: Vec<State> = episode.steps.iter().map(|step| step.state).collect();
    assert_eq!(known, [State::Suspected, State::Confirmed], "{:?}", states(episode));
}
