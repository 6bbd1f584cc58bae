//! An import that is killed at any point and then run again leaves the same store as one that was left alone.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may")]
#![cfg(unix)]

mod installation;

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use installation::{Installation, assert_same, day, files_below};
use rusqlite::{Connection, OpenFlags};

/// Runs the import until `reached` and kills it there (`Child::kill` sends SIGKILL). Polls for the state itself,
/// never for a time that should do. Says whether the import was still running when it was killed.
fn kill_import_when(store: &Installation, reached: impl Fn(&Installation) -> bool) -> bool {
    let mut import = store.import_command(&day()).spawn().unwrap();
    let give_up = Instant::now() + Duration::from_secs(120);
    while !reached(store) {
        if let Some(status) = import.try_wait().unwrap() {
            assert!(status.success(), "the import failed by itself: {status}");
            return false;
        }
        assert!(Instant::now() < give_up, "the import got stuck");
        std::thread::sleep(Duration::from_micros(200));
    }
    import.kill().unwrap();
    !import.wait().unwrap().success()
}

fn rows(store: &Installation, table: &str) -> i64 {
    // The database or the table may not be there yet.
    let open = || Connection::open_with_flags(store.database(), OpenFlags::SQLITE_OPEN_READ_ONLY);
    let count = || open()?.query_row(&format!("select count(*) from {table}"), [], |row| row.get(0));
    count().unwrap_or_default()
}

fn len(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |meta| meta.len())
}

fn wal_len(store: &Installation) -> u64 {
    len(&store.path().join("onus.db-wal"))
}

/// The import after the crash must succeed and leave what an undisturbed one leaves.
fn recovers(store: &Installation, when: &str) {
    store.import(&day()).expect_code(0);
    assert_same(&store.dump(), &Installation::with_demo_day().dump(), when);
    store.onus(&["verify"]).expect_code(0);
    let torn = files_below(&store.path().join("vault/incoming"));
    assert!(torn.is_empty(), "{when}: half-written files stay: {torn:?}");
    let undisturbed = Installation::with_demo_day();
    for what in ["exceptions", "breaks", "terminals", "episodes", "patterns"] {
        assert!(store.export(what).out == undisturbed.export(what).out, "{when}: export {what} differs");
    }
}

fn killed_when(when: &str, reached: impl Fn(&Installation) -> bool) {
    let store = Installation::empty_with_shared_key();
    assert!(kill_import_when(&store, reached), "{when}: the import ended before it could be killed");
    recovers(&store, when);
}

#[test]
fn with_the_first_file_sealed() {
    killed_when("after the first sealed file", |store| !store.sealed().is_empty());
}

#[test]
fn with_the_capture_half_sealed() {
    killed_when("inside the capture", |store| {
        files_below(&store.path().join("vault/incoming")).iter().any(|file| len(file) > 1 << 20)
    });
}

#[test]
fn with_files_durable_and_nothing_judged() {
    killed_when("after the files were acknowledged", |store| rows(store, "files") > 0);
}

#[test]
fn while_a_batch_is_being_committed() {
    // Files alone make a small log; megabytes of it are payments, of which none is readable before the commit.
    killed_when("while verdicts are written", |store| wal_len(store) > 4 << 20);
}

#[test]
fn with_verdicts_written_and_the_log_unsigned() {
    killed_when("between the verdicts and the signature", |store| rows(store, "exceptions") > 0);
}

#[test]
fn twice_in_a_row() {
    let store = Installation::empty_with_shared_key();
    assert!(
        kill_import_when(&store, |store| rows(store, "files") > 0),
        "the first import ended before it could be killed"
    );
    assert!(
        kill_import_when(&store, |store| rows(store, "exceptions") > 0),
        "the second import ended before it could be killed"
    );
    recovers(&store, "after two crashes");
}
