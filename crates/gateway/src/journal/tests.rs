use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant as Moment};

use onus_intake::tap::{GateAction, NO_LINK, Record, ReplyKind, TapError};
use tempfile::tempdir;

use super::*;
use crate::SystemClock;
use crate::config::Config;

fn config(folder: &Path, durability: Durability) -> JournalConfig {
    let mut config = Config::new(([127, 0, 0, 1], 0).into(), "h:1", folder).journal;
    config.durability = durability;
    config
}

fn begin(config: JournalConfig) -> Arc<Journal> {
    let mut recovered = recover(&config.folder).unwrap();
    let identity = Identity { dialect: "unionpay-pos".into(), gateway: "test".into() };
    Arc::new(Journal::begin(config, identity, SystemClock::shared(), &mut recovered).unwrap())
}

fn request(exchange: u64) -> Record<'static> {
    let (connection, received_at, host, link) = (1, 5, 0, 0);
    Record::Request { exchange, connection, received_at, host, link, carried: false, frame: b"masked" }
}

fn reply(exchange: u64) -> Record<'static> {
    let (host, link, sent_at, received_at) = (0, 0, 6, 7);
    Record::Reply { exchange, kind: ReplyKind::InTime, host, link, sent_at, received_at, frame: b"reply" }
}

fn state(exchange: u64, settled: bool, kept: &'static str) -> Record<'static> {
    Record::State { exchange, at: 8, state: "NO_RESPONSE", attempt: 0, settled, why: "", kept }
}

fn write(journal: &Journal, records: &[Record<'_>]) -> u64 {
    let mut batch = Vec::new();
    records.iter().for_each(|record| record.encode(&mut batch, |_| {}));
    let position = journal.write(&mut batch);
    assert!(batch.is_empty());
    position.unwrap()
}

fn nothing() -> CarryOver {
    Box::new(|_| {})
}

fn open(folder: &Path) -> Vec<u64> {
    recover(folder).unwrap().open.iter().map(|open| open.exchange).collect()
}

#[test]
fn what_was_open_is_found_again() {
    let folder = tempdir().unwrap();
    let refused = Record::Request {
        exchange: 9,
        connection: 3,
        received_at: 5,
        host: NO_LINK,
        link: NO_LINK,
        carried: false,
        frame: b"",
    };
    let gate =
        Record::Gate { exchange: 7, at: 1, action: GateAction::Refused, code: *b"92", rule: "", why: "", frame: b"" };
    let records = [
        request(1),
        request(2),
        request(3),
        reply(2),
        reply(3),
        Record::Delivered { exchange: 3, at: 9 },
        request(4),
        state(4, false, "{}"),
        request(5),
        state(5, false, "{}"),
        state(5, true, ""),
        request(6),
        state(6, false, "{1}"),
        reply(6),
        Record::Delivered { exchange: 6, at: 9 },
        request(7),
        gate,
        refused,
    ];
    let journal = begin(config(folder.path(), Durability::BeforeReply));
    write(&journal, &records);
    drop(journal);
    let recovered = recover(folder.path()).unwrap();
    let found: Vec<_> =
        recovered.open.iter().map(|open| (open.exchange, open.reply.is_some(), open.kept.as_deref())).collect();
    // 6 was delivered, but the follower had it and has not let it go.
    assert_eq!(found, [(1, false, None), (2, true, None), (4, false, Some("{}")), (6, true, Some("{1}"))]);
    assert_eq!((recovered.last_exchange, recovered.last_connection, recovered.next_segment), (9, 3, 2));
    assert!(recovered.torn.is_empty());
}

#[test]
fn a_torn_tail_is_cut_and_said() {
    for damage in ["cut", "flipped", "zeros"] {
        let folder = tempdir().unwrap();
        let journal = begin(config(folder.path(), Durability::Async));
        write(&journal, &[request(1), request(2)]);
        drop(journal);
        let path = folder.path().join("tap-0000000001.tap");
        let mut bytes = std::fs::read(&path).unwrap();
        let whole = bytes.len();
        match damage {
            "cut" => bytes.truncate(whole - 3),
            "flipped" => *bytes.last_mut().unwrap() ^= 1,
            _ => bytes.extend([0; 4096]),
        }
        std::fs::write(&path, &bytes).unwrap();
        let recovered = recover(folder.path()).unwrap();
        let [torn] = recovered.torn.as_slice() else { panic!("{damage}: {:?}", recovered.torn) };
        assert!(matches!(torn.error, TapError::Torn { .. }), "{damage}");
        let left = if damage == "zeros" { vec![1, 2] } else { vec![1] };
        assert_eq!(recovered.open.iter().map(|open| open.exchange).collect::<Vec<_>>(), left, "{damage}");
        drop(recovered);
        // The cut segment is closed and whole.
        let closed = std::fs::read(folder.path().join("tap-0000000001.closed.tap")).unwrap();
        assert_eq!(closed.len(), torn_at(&closed), "{damage}");
        assert_eq!(open(folder.path()), left, "{damage}: a second start finds the same");
    }
}

fn torn_at(bytes: &[u8]) -> usize {
    let mut records = onus_intake::tap::Records::new(bytes).unwrap();
    assert!(records.by_ref().all(|record| record.is_ok()));
    records.offset()
}

#[test]
fn a_segment_that_was_hardly_begun_leaves_the_one_before() {
    let folder = tempdir().unwrap();
    let journal = begin(config(folder.path(), Durability::Async));
    write(&journal, &[request(1)]);
    drop(journal);
    std::fs::write(folder.path().join("tap-0000000002.tap"), b"ONUS").unwrap();
    let recovered = recover(folder.path()).unwrap();
    assert_eq!((recovered.open.len(), recovered.next_segment), (1, 3));
}

#[test]
fn one_gateway_has_one_folder() {
    let folder = tempdir().unwrap();
    let journal = begin(config(folder.path(), Durability::Async));
    let error = recover(folder.path()).unwrap_err();
    assert!(matches!(error, JournalError::InUse { .. }), "{error}");
    drop(journal);
    assert!(recover(folder.path()).is_ok());
}

#[test]
fn one_sync_serves_all_that_wait() {
    let folder = tempdir().unwrap();
    let journal = begin(config(folder.path(), Durability::BeforeReply));
    let positions: Vec<u64> = (1..=1000).map(|exchange| write(&journal, &[request(exchange)])).collect();
    journal.want_sync();
    let thread = std::thread::spawn({
        let journal = Arc::clone(&journal);
        move || journal.run(&nothing())
    });
    let started = Moment::now();
    while journal.durable() < *positions.last().unwrap() {
        assert!(started.elapsed() < Duration::from_secs(10));
        std::thread::yield_now();
    }
    let state = journal.state();
    assert_eq!((state.syncs, state.unsynced_bytes, state.lag_us), (1, 0, 0));
    journal.stop();
    thread.join().unwrap();
    assert!(folder.path().join("tap-0000000001.closed.tap").exists());
}

#[test]
fn a_full_segment_is_closed_and_the_next_begins_with_what_is_open() {
    let folder = tempdir().unwrap();
    let mut config = config(folder.path(), Durability::Async);
    config.segment_bytes = 65_536;
    let journal = begin(config);
    for exchange in 1..=2000 {
        write(&journal, &[request(exchange)]);
    }
    let carry_over: CarryOver = Box::new(|out| {
        Record::Request { exchange: 2000, connection: 1, received_at: 5, host: 0, link: 0, carried: true, frame: b"" }
            .encode(out, |_| {});
    });
    journal.commit(&carry_over);
    write(&journal, &[request(2001)]);
    journal.commit(&carry_over);
    assert_eq!(journal.state().segment, 2);
    assert!(folder.path().join("tap-0000000001.closed.tap").exists());
    drop(journal);
    assert_eq!(open(folder.path()), [2000, 2001]);
}

#[test]
fn async_is_full_until_the_disk_has_caught_up() {
    let folder = tempdir().unwrap();
    let mut config = config(folder.path(), Durability::Async);
    config.max_unflushed_bytes = 1000;
    let journal = begin(config);
    assert!(!journal.is_full());
    let all: Vec<_> = (1..=30).map(request).collect();
    write(&journal, &all);
    assert!(journal.is_full());
    journal.commit(&nothing());
    assert!(!journal.is_full());
}

#[test]
fn after_a_failing_disk_a_new_segment_gets_everything_again() {
    let folder = tempdir().unwrap();
    let journal = begin(config(folder.path(), Durability::BeforeReply));
    write(&journal, &[request(1)]);
    journal.commit(&nothing());
    let before = journal.durable();
    write(&journal, &[request(2)]);
    journal.fail("writing", &std::io::Error::other("no space left"));
    assert!(journal.is_failing());
    let position = write(&journal, &[request(3)]);
    assert_eq!(journal.durable(), before);
    journal.commit(&nothing());
    assert!(!journal.is_failing());
    assert_eq!(journal.durable(), position);
    drop(journal);
    // The first segment was never closed, so both are read; the second begins anew with what was not synced.
    assert_eq!(open(folder.path()), [2, 3]);
}

#[test]
fn records_are_dropped_and_counted_when_the_disk_fails_for_too_long() {
    let folder = tempdir().unwrap();
    let mut config = config(folder.path(), Durability::Async);
    config.max_unflushed_bytes = 100;
    let journal = begin(config);
    journal.fail("writing", &std::io::Error::other("gone"));
    let mut positions = Vec::new();
    for exchange in 1..=20 {
        let mut batch = Vec::new();
        request(exchange).encode(&mut batch, |_| {});
        positions.push(journal.write(&mut batch));
    }
    assert!(positions.first().unwrap().is_some() && positions.last().unwrap().is_none());
    assert!(journal.state().lost_bytes > 0 && !journal.is_full());
}

/// A clock that is set by hand.
struct SetClock(AtomicU64);

impl Clock for SetClock {
    fn now(&self) -> onus_model::Instant {
        onus_model::Instant(i64::try_from(self.ticks()).unwrap_or(i64::MAX))
    }

    fn ticks(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

#[test]
fn a_segment_that_is_old_is_closed_when_it_holds_something() {
    let folder = tempdir().unwrap();
    let clock = Arc::new(SetClock(AtomicU64::new(1)));
    let mut recovered = recover(folder.path()).unwrap();
    let identity = Identity { dialect: "unionpay-pos".into(), gateway: "test".into() };
    let config = JournalConfig { segment_s: 60, ..config(folder.path(), Durability::Async) };
    let journal = Journal::begin(config, identity, Arc::clone(&clock) as Arc<dyn Clock>, &mut recovered).unwrap();
    let closed = |after_s: u64| {
        clock.0.store(after_s * 1_000_000, Ordering::Relaxed);
        journal.commit(&nothing());
        let names = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name());
        names.filter(|name| name.to_string_lossy().ends_with(".closed.tap")).count()
    };
    assert_eq!(closed(61), 0, "nothing was recorded");
    write(&journal, &[request(1)]);
    assert_eq!(closed(62), 1);
    write(&journal, &[request(2)]);
    assert_eq!(closed(100), 1, "the next one is young");
    assert_eq!(closed(123), 2);
}
