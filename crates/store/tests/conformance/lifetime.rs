//! Opening, opening again, and being killed.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use onus_store::{OnConflict, Store, StoreError, Value, values};

use crate::Db;

const CHILD: &str = "ONUS_STORE_TEST_CHILD";

pub(crate) fn opening_again_changes_nothing(db: &Db) {
    let schema = || {
        let sql = "select number, name, sha256 from migrations order by number";
        db.store.read(|tx| tx.query_as(sql, &[], |row| Ok((row.int(0)?, row.text(2)?.to_owned())))).unwrap()
    };
    let before = schema();
    Store::open(&db.location).unwrap();
    assert!(before.len() >= 2);
    assert_eq!(schema(), before);
}

pub(crate) fn a_changed_migration_is_refused(db: &Db) {
    db.store.write(|tx| tx.execute("update migrations set sha256 = 'other' where number = 1", &[])).unwrap();
    let error = Store::open(&db.location).unwrap_err();
    assert!(matches!(error, StoreError::Migration { number: 1, .. }), "{error}");
}

pub(crate) fn text_is_ordered_by_code_point(db: &Db) {
    let names = ["é", "a", "B", "_", "a.b", "a/b", "中", "A"];
    let rows = names.map(|name| [Value::from(name), Value::from("")]);
    db.store.write(|tx| tx.insert_rows("settings", &["name", "value"], OnConflict::Error, &rows)).unwrap();
    let sql = "select name from settings order by name";
    let sorted = db.store.read(|tx| tx.query_as(sql, &[], |row| Ok(row.text(0)?.to_owned()))).unwrap();
    let mut expected = names.to_vec();
    expected.sort_unstable();
    assert_eq!(sorted, expected);
}

pub(crate) fn a_killed_process_leaves_what_it_committed(db: &Db) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["lifetime::killed_child", "--exact", "--nocapture"])
        .env(CHILD, &db.location)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.map(Result::unwrap).any(|line| line == "in the middle of a transaction"));
    child.kill().unwrap(); // SIGKILL
    child.wait().unwrap();

    let store = Store::open(&db.location).unwrap();
    let names = |store: &Store| {
        let sql = "select count(*) from settings where value = $1";
        let count = |value| store.read(|tx| tx.query(sql, values![value])?[0].int(0)).unwrap();
        (count("committed"), count("open"))
    };
    assert_eq!(names(&store), (1000, 0));
    store.write(|tx| tx.execute("insert into settings (name, value) values ('again', 'open')", &[])).unwrap();
    assert_eq!(names(&db.store), (1000, 1));
}

/// The process that gets killed; run by itself it only says so.
#[test]
fn killed_child() {
    let Ok(location) = std::env::var(CHILD) else {
        println!("this is the other half of `a_killed_process_leaves_what_it_committed`");
        return;
    };
    let store = Store::open(&location).unwrap();
    let fill = |value: &'static str| {
        move |tx: &mut onus_store::Tx<'_>| {
            let rows = (0..1000).map(|i| [Value::from(format!("{value}{i}")), Value::from(value)]);
            tx.insert_rows("settings", &["name", "value"], OnConflict::Error, rows)
        }
    };
    store.write(fill("committed")).unwrap();
    let _ = store.write(|tx| {
        fill("open")(tx)?;
        println!("in the middle of a transaction");
        std::io::stdin().lines().next(); // waits to be killed
        Err::<(), _>(StoreError::refuse("nobody killed this process"))
    });
}
