//! Alarms, live minutes, live state, and episodes that were seen live.

use onus_store::alarms::{self, AlarmFilter, AlarmRow};
use onus_store::episodes::{self, EpisodeRow};
use onus_store::live::{self, LiveMinuteRow, LiveState, PlaceRow};
use onus_store::{Scope, StoreError, Tx};

use crate::Db;
use crate::fixture::{TENANTS, fill};

const BANK: &str = TENANTS[0];

fn alarm(id: &str, origin: &str, raised_at: i64, ended_at: Option<i64>) -> AlarmRow {
    AlarmRow {
        id: id.into(),
        origin: origin.into(),
        signal: "lost".into(),
        layer: "network_link".into(),
        cell: "211".into(),
        standing: if ended_at.is_some() { "recovered" } else { "raised" }.into(),
        raised_at,
        ended_at,
        body: "{}".into(),
        ..AlarmRow::default()
    }
}

pub(crate) fn alarms_are_listed_replaced_and_forgotten(db: &Db) {
    fill(db);
    let ids = |scope: &Scope, filter: &AlarmFilter| {
        let rows = db.store.read(|tx| alarms::list(tx, scope, filter, 10)).unwrap();
        rows.into_iter().map(|row| row.id).collect::<Vec<_>>()
    };
    let rows = [alarm("a", "live", 5, Some(9)), alarm("b", "live", 3, None), alarm("c", "records", 4, None)];
    db.store.write(|tx| alarms::put(tx, BANK, &rows)).unwrap();
    let (all, standing) = (AlarmFilter::default(), AlarmFilter { standing_only: true, ..AlarmFilter::default() });
    let bank = Scope::all(BANK);
    assert_eq!(ids(&bank, &all), ["c", "b", "a"]);
    assert_eq!(ids(&bank, &standing), ["c", "b"]);
    assert_eq!(ids(&bank, &AlarmFilter { signal: Some("slow".into()), ..all.clone() }), [""; 0]);
    assert_eq!(ids(&Scope::all(TENANTS[1]), &all), [""; 0]);
    assert_eq!(ids(&Scope::subtree(BANK, "A1"), &all), [""; 0], "a cell may name others");
    db.store.write(|tx| alarms::clear_records(tx, BANK)).unwrap();
    db.store.write(|tx| alarms::forget(tx, BANK, 10)).unwrap();
    assert_eq!(ids(&bank, &all), ["b"]);
    let fresh = [alarm("d", "live", 8, None), alarm("e", "live", 6, Some(12))];
    db.store
        .write(|tx| alarms::put(tx, BANK, &[alarm("old", "live", 1, Some(2)), alarm("f", "live", 7, Some(11))]))
        .unwrap();
    db.store.write(|tx| alarms::replace_live(tx, BANK, &fresh, 10)).unwrap();
    assert_eq!(ids(&bank, &all), ["d", "e", "old"], "what stood or ended lately is what is said now");
}

pub(crate) fn minutes_of_workers_are_replaced_and_forgotten(db: &Db) {
    let row = |instance: &str, minute, version| LiveMinuteRow {
        instance: instance.into(),
        minute,
        version,
        body: vec![version as u8],
    };
    let put = |rows: &[LiveMinuteRow], keep_from| {
        db.store.write(|tx| live::put_minutes(tx, BANK, rows, keep_from)).unwrap();
    };
    put(&[row("east", 10, 1), row("east", 11, 2)], 0);
    put(&[row("west", 11, 1)], 0);
    put(&[row("east", 11, 3)], 11);
    let keys = db.store.read(|tx| live::minute_keys(tx, BANK, 0)).unwrap();
    let keys: Vec<_> = keys.iter().map(|it| (it.instance.as_str(), it.minute, it.version)).collect();
    assert_eq!(keys, [("east", 11, 3), ("west", 11, 1)]);
    let bodies: Vec<_> =
        db.store.read(|tx| live::minute(tx, BANK, 11)).unwrap().into_iter().map(|it| it.body).collect();
    assert_eq!(bodies, [vec![3], vec![1]]);
}

pub(crate) fn only_one_goes_on_from_a_state(db: &Db) {
    let put = |before, progress: &[u8], checkpoint: Option<&[u8]>| {
        db.store.write(|tx| live::put_state(tx, BANK, before, progress, checkpoint)).unwrap()
    };
    assert_eq!(live::state(&db.store, BANK).unwrap(), None);
    assert!(put(0, b"one", Some(b"far")));
    assert!(!put(0, b"another", None), "somebody was first");
    assert!(put(1, b"two", None));
    assert!(!put(1, b"late", Some(b"late")));
    let expected = LiveState { turn: 2, checkpoint: b"far".to_vec(), progress: b"two".to_vec() };
    assert_eq!(live::state(&db.store, BANK).unwrap(), Some(expected));
    db.store.write(|tx| live::forget_state(tx, BANK)).unwrap();
    assert_eq!(live::state(&db.store, BANK).unwrap(), None);
}

fn episode(id: &str) -> EpisodeRow {
    EpisodeRow { id: id.into(), scope: "{}".into(), body: "{}".into(), ..EpisodeRow::default() }
}

pub(crate) fn live_episodes_outlast_a_judgement(db: &Db) {
    let write = |work: &dyn Fn(&mut Tx<'_>) -> Result<(), StoreError>| db.store.write(|tx| work(tx)).unwrap();
    write(&|tx| episodes::put_live(tx, BANK, &[episode("L1"), episode("L2")]));
    write(&|tx| episodes::put(tx, BANK, &[episode("E1")]).map(|_| ()));
    write(&|tx| episodes::set_merged(tx, BANK, "L1", "E1"));
    write(&|tx| episodes::put_live(tx, BANK, &[episode("L1")]));
    let listed = || {
        let rows = db.store.read(|tx| episodes::list(tx, &Scope::all(BANK))).unwrap();
        rows.into_iter().map(|row| row.id).collect::<Vec<_>>()
    };
    assert_eq!(listed(), ["E1", "L2"]);
    let merged = db.store.read(|tx| episodes::by_id(tx, &Scope::all(BANK), "L1")).unwrap();
    assert_eq!(merged.unwrap().id, "L1", "a link to it still leads somewhere");
    write(&|tx| episodes::clear(tx, BANK).map(|_| ()));
    let live = db.store.read(|tx| episodes::of_origin(tx, BANK, "live")).unwrap();
    let live: Vec<_> = live.iter().map(|(row, into)| (row.id.as_str(), into.as_str())).collect();
    assert_eq!(live, [("L1", "E1"), ("L2", "")]);
}

pub(crate) fn places_have_the_category_of_their_merchant(db: &Db) {
    fill(db);
    let places = db.store.read(|tx| live::places(tx, BANK)).unwrap();
    assert!(places.len() >= 6 && places.iter().all(|place| !place.tid.is_empty()), "{places:?}");
    assert_eq!(db.store.read(|tx| live::places(tx, "nobody")).unwrap(), [] as [PlaceRow; 0]);
    let bins = [live::IssuerBinRow { bin: 622_202, issuer_code: "01020000".into() }];
    db.store.write(|tx| live::put_issuers(tx, BANK, &bins)).unwrap();
    assert_eq!(db.store.read(|tx| live::issuers(tx, BANK)).unwrap(), bins);
}
