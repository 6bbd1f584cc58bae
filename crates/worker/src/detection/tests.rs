use onus_incident::cube::{Attempt, Dimension, Latency, Leaf, Outcome, amount_bin};
use onus_incident::detector::{instant_of, minute_of};
use onus_model::{Instant, Zone};
use onus_store::alarms::{self, AlarmFilter};
use onus_store::episodes::{self, EpisodeRow};
use onus_store::{Scope, Store, testing};

use super::rows::Rows;
use super::{Clock, Counter, LiveDetection, Places, Sighting, Told, fresh};

const TENANT: &str = "bank";
const A_MINUTE: u64 = 120;

fn first() -> u32 {
    minute_of(Instant::parse("2026-10-12T10:00:00+08:00").unwrap())
}

/// Sale `number` of a minute: host, amount, whether the host was silent. Host posp-b is silent in minutes 30 to 39.
fn sale(minute: u32, number: u64) -> (&'static str, u64, bool) {
    let mixed = (u64::from(minute) << 16 | number).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 13;
    let host = if mixed.is_multiple_of(3) { "posp-b" } else { "posp-a" };
    let trouble = (30..40).contains(&(minute - first())) && host == "posp-b" && !(mixed / 7).is_multiple_of(4);
    (host, 500 + mixed / 31 % 90_000, trouble || (mixed / 97).is_multiple_of(700))
}

fn id(minute: u32, number: u64) -> u64 {
    u64::from(minute) << 20 | number
}

/// Two gateways count, a server looks each minute and is started anew in the middle.
fn live(store: &Store, zone: &Zone, minutes: u32) {
    let mut counters = ["east", "west"].map(|name| Counter::new(name.to_owned(), Places::default()).unwrap());
    let mut detection = LiveDetection::new(store.clone(), TENANT, zone).unwrap();
    for minute in first()..first() + minutes {
        for number in 0..A_MINUTE {
            let (host, amount_minor, silent) = sale(minute, number);
            let told = match silent {
                true => Told::Silent,
                false => Told::Answered { code: "00", hop: "host", after_ms: 300 },
            };
            let sighting = Sighting {
                id: id(minute, number),
                at: instant_of(minute).plus_seconds(30),
                told,
                tid: "90000001",
                host,
                amount_minor,
                entry_mode: Some(51),
                pin: true,
                bin: None,
                app_version: "330101",
            };
            counters[(number % 2) as usize].see(&sighting);
            if silent {
                // The terminal reverses; that changes nothing of what is counted here but one column.
                counters[(number % 2) as usize].see(&Sighting { told: Told::Reversed, ..sighting });
            }
        }
        let now = instant_of(minute + 1).plus_seconds(10);
        for counter in &mut counters {
            counter.hand_over(store, TENANT, now).unwrap();
        }
        if minute == first() + 34 {
            detection = LiveDetection::new(store.clone(), TENANT, zone).unwrap();
        }
        detection.look(now).unwrap();
    }
}

/// The same sales through one detection without a store, as a replay does it.
fn replayed(zone: &Zone, minutes: u32) -> (Vec<(String, i64, String)>, Vec<EpisodeRow>) {
    let mut live = fresh().unwrap();
    let settings = live.settings().clone();
    let (clock, rows) = (Clock::new(zone, &settings).unwrap(), Rows::new(zone, &settings).unwrap());
    for minute in first()..first() + minutes {
        for number in 0..A_MINUTE {
            let (host, amount_minor, silent) = sale(minute, number);
            let symbols = live.symbols();
            let named = [
                (Dimension::AcquirerLink, host),
                (Dimension::EntryMode, "chip"),
                (Dimension::Pin, "pin"),
                (Dimension::AppVersion, "330101"),
                (Dimension::Hop, if silent { "" } else { "host" }),
            ];
            let leaf = Leaf::default().with(Dimension::Amount, amount_bin(amount_minor));
            let leaf = named
                .into_iter()
                .filter(|(_, name)| !name.is_empty())
                .fold(leaf, |leaf, (dimension, name)| leaf.with(dimension, symbols.intern(dimension, name)));
            live.add(&Attempt {
                minute,
                leaf,
                outcome: if silent { Outcome::NoAnswer } else { Outcome::Approved },
                latency: Latency::Usual,
                reversed: silent,
                amount_minor,
                id: id(minute, number),
            });
        }
        live.tick(minute + 1, &|minute| clock.when(minute));
    }
    let alarms = live.alarms().all().iter().map(|alarm| rows.alarm(alarm, "live"));
    let mut alarms: Vec<_> = alarms.map(|row| (row.id, row.since_at, row.standing)).collect();
    alarms.sort();
    let episodes = live.episodes().iter().filter_map(|it| rows.episode(it, live.alarms())).collect();
    (alarms, episodes)
}

#[test]
fn live_and_replayed_say_the_same() {
    let db = testing::sqlite();
    let zone = Zone::named("Asia/Shanghai").unwrap();
    live(&db.store, &zone, 50);
    let scope = Scope::all(TENANT);
    let listed = db.store.read(|tx| alarms::list(tx, &scope, &AlarmFilter::default(), 100)).unwrap();
    let mut said: Vec<_> = listed.into_iter().map(|row| (row.id, row.since_at, row.standing)).collect();
    said.sort();
    let episodes = db.store.read(|tx| episodes::list(tx, &scope)).unwrap();
    let (expected, told) = replayed(&zone, 50);
    assert_eq!(said, expected);
    assert_eq!(episodes, told);
    let [episode] = &episodes[..] else { panic!("{episodes:#?}") };
    assert_eq!((episode.cause.as_str(), episode.scope.as_str()), ("NET.ACQ", r#"{"acquirer_link":["posp-b"]}"#));
    let body: serde_json::Value = serde_json::from_str(&episode.body).unwrap();
    let states: Vec<_> = body["steps"].as_array().unwrap().iter().map(|step| step["state"].clone()).collect();
    assert_eq!(states.first().unwrap(), "suspected", "{states:?}");
    assert!(states.contains(&"confirmed".into()) && states.last().unwrap() == "recovered", "{states:?}");
    // A fact and no more: nobody is charged.
    let count = |table: &str| {
        let sql = format!("select count(*) from {table}");
        db.store.read(|tx| tx.query_as(&sql, &[], |row| row.int(0))).unwrap()[0]
    };
    assert_eq!(["exceptions", "cases", "ledger_lines", "log_entries"].map(count), [0; 4]);
}

#[test]
fn a_second_process_takes_over_and_two_do_not_disagree() {
    let db = testing::sqlite();
    let zone = Zone::named("Asia/Shanghai").unwrap();
    let mut counter = Counter::new("east".to_owned(), Places::default()).unwrap();
    let mut both = [(); 2].map(|()| LiveDetection::new(db.store.clone(), TENANT, &zone).unwrap());
    for minute in first()..first() + 36 {
        for number in 0..A_MINUTE {
            let (host, amount_minor, silent) = sale(minute, number);
            let told = if silent { Told::Silent } else { Told::Answered { code: "00", hop: "host", after_ms: 300 } };
            let at = instant_of(minute).plus_seconds(5);
            let (tid, entry_mode, app_version) = ("90000001", Some(51), "330101");
            let (id, pin, bin) = (id(minute, number), true, None);
            counter.see(&Sighting { id, at, told, tid, host, amount_minor, entry_mode, pin, bin, app_version });
        }
        let now = instant_of(minute + 1).plus_seconds(10);
        counter.hand_over(&db.store, TENANT, now).unwrap();
        for detection in &mut both {
            detection.look(now).unwrap();
        }
    }
    let episodes = db.store.read(|tx| episodes::list(tx, &Scope::all(TENANT))).unwrap();
    assert_eq!(episodes.len(), 1, "{episodes:#?}");
}
