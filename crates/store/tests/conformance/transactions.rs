//! Values, transactions, savepoints, bulk inserts.

use std::thread;

use onus_store::{Failure, OnConflict, StoreError, Tx, Value, values};

use crate::Db;

fn count(tx: &mut Tx<'_>, table: &str) -> i64 {
    tx.query(&format!("select count(*) from {table}"), &[]).unwrap()[0].int(0).unwrap()
}

fn put(tx: &mut Tx<'_>, name: &str, value: &str) -> Result<u64, StoreError> {
    tx.execute("insert into settings (name, value) values ($1, $2)", values![name, value])
}

fn settings(db: &Db) -> Vec<(String, String)> {
    let sql = "select name, value from settings order by name";
    let read = |tx: &mut Tx<'_>| tx.query_as(sql, &[], |row| Ok((row.text(0)?.to_owned(), row.text(1)?.to_owned())));
    db.store.read(read).unwrap()
}

/// A table of its own, with every type a column may have.
fn create_table(db: &Db) {
    let blob = if db.location.starts_with("postgres") { "bytea" } else { "blob" };
    let sql = format!("create table t (id bigint primary key, i bigint, t text, b {blob})");
    db.store.write(|tx| tx.execute(&sql, &[])).unwrap();
}

pub(crate) fn values_of_every_kind_come_back(db: &Db) {
    create_table(db);
    let rows: [[Value<'static>; 4]; 4] = [
        [1.into(), Value::Null, Value::Null, Value::Null],
        [2.into(), i64::MIN.into(), "".into(), Value::from(vec![])],
        [3.into(), i64::MAX.into(), "拒付 \"'$1 ?".into(), Value::from(vec![0, 255, 0])],
        [4.into(), 0.into(), "x".repeat(100_000).into(), Value::from(vec![7; 100_000])],
    ];
    db.store
        .write(|tx| {
            tx.execute("insert into t (id, i, t, b) values ($1, $2, $3, $4)", &rows[0])?;
            tx.insert_rows("t", &["id", "i", "t", "b"], OnConflict::Error, &rows[1..])
        })
        .unwrap();
    let read = db.store.read(|tx| tx.query("select id, i, t, b from t order by id", &[])).unwrap();
    assert_eq!(read.len(), rows.len());
    for (row, expected) in read.iter().zip(&rows) {
        let found: Vec<Value<'_>> = (0..4).map(|column| row.value(column).unwrap()).collect();
        assert_eq!(found, expected);
    }
    assert_eq!(read[0].opt_int(1).unwrap(), None);
    assert_eq!(read[0].opt_text(2).unwrap(), None);
    assert_eq!(read[0].opt_blob(3).unwrap(), None);
    assert_eq!(read[2].blob(3).unwrap(), [0, 255, 0]);
    // The same row is found by each of its values.
    for (column, value) in [("i", &rows[2][1]), ("t", &rows[2][2]), ("b", &rows[2][3])] {
        let sql = format!("select id from t where {column} = $1");
        let found = db.store.read(|tx| tx.query(&sql, std::slice::from_ref(value))).unwrap();
        assert_eq!(found[0].int(0).unwrap(), 3, "{column}");
    }
}

pub(crate) fn wrong_reads_and_wrong_counts_are_explained(db: &Db) {
    db.store.write(|tx| put(tx, "a", "b")).unwrap();
    let rows = db.store.read(|tx| tx.query("select value, name from settings", &[])).unwrap();
    let error = rows[0].int(0).unwrap_err().to_string();
    assert_eq!(error, "column 0 (value): expected an integer, found text");
    let error = rows[0].text(2).unwrap_err().to_string();
    assert_eq!(error, "column 2 (?): expected a column, found a row of 2 columns");
    for values in [[].as_slice(), values!["a", "b"]] {
        let error = db.store.read(|tx| tx.query("select value from settings where name = $1", values)).unwrap_err();
        assert!(matches!(error, StoreError::Parameters { expected: 1, .. }), "{error}");
    }
    let error = db.store.write(|tx| tx.insert_rows("settings", &["name", "value"], OnConflict::Error, [["x".into()]]));
    assert!(matches!(error, Err(StoreError::Parameters { expected: 2, found: 1, .. })), "{error:?}");
}

pub(crate) fn parameters_are_found_by_number(db: &Db) {
    db.store
        .write(|tx| {
            tx.execute("insert into settings (value, name) values ($2, $1)", values!["name", "value"])?;
            let again = tx.query(
                "select name from settings where value = $2 and name = $1 and name <> $2",
                values!["name", "value"],
            )?;
            assert_eq!(again.len(), 1);
            Ok(())
        })
        .unwrap();
    assert_eq!(settings(db), [("name".into(), "value".into())]);
}

pub(crate) fn an_insert_can_be_repeated(db: &Db) {
    for expected in [1, 0] {
        let n_inserted = db.store.write(|tx| {
            let sql = "insert into settings (name, value) values ($1, $2) on conflict (name) do nothing";
            tx.execute(sql, values!["a", "b"])
        });
        assert_eq!(n_inserted.unwrap(), expected);
    }
    let sql = "insert into settings (name, value) values ($1, $2) on conflict do nothing returning name";
    let returned = |name: &'static str| db.store.write(|tx| Ok(tx.query(sql, values![name, "b"])?.len())).unwrap();
    assert_eq!((returned("a"), returned("c"), returned("c")), (0, 1, 0));
}

pub(crate) fn a_refused_closure_leaves_nothing(db: &Db) {
    let outcome: Result<(), _> = db.store.write(|tx| {
        put(tx, "a", "b")?;
        Err(StoreError::refuse("not today"))
    });
    assert_eq!(outcome.unwrap_err().to_string(), "not today");
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        db.store.write(|tx| -> Result<(), StoreError> {
            put(tx, "a", "b")?;
            panic!("a bug of the caller")
        })
    }));
    assert!(panicked.is_err());
    assert_eq!(settings(db), []);
    db.store.write(|tx| put(tx, "a", "b")).unwrap();
}

pub(crate) fn a_failed_statement_spoils_the_transaction(db: &Db) {
    let outcome = db.store.write(|tx| {
        put(tx, "a", "first")?;
        assert!(put(tx, "a", "again").unwrap_err().is_duplicate());
        let error = put(tx, "b", "after").unwrap_err();
        assert!(matches!(error, StoreError::Spoiled { .. }), "{error}");
        Ok(()) // as if nothing had happened
    });
    assert!(matches!(outcome, Err(StoreError::Spoiled { .. })), "{outcome:?}");
    assert_eq!(settings(db), []);
}

pub(crate) fn a_savepoint_undoes_only_itself(db: &Db) {
    db.store
        .write(|tx| {
            put(tx, "a", "1")?;
            let inner = tx.savepoint(|tx| {
                put(tx, "b", "2")?;
                tx.savepoint(|tx| put(tx, "c", "3"))?;
                put(tx, "a", "again")
            });
            assert!(inner.unwrap_err().is_duplicate());
            let swallowed = tx.savepoint(|tx| {
                put(tx, "d", "4")?;
                let _ = put(tx, "a", "again");
                Ok(())
            });
            assert!(matches!(swallowed, Err(StoreError::Spoiled { .. })));
            tx.savepoint(|tx| put(tx, "e", "5"))?;
            Ok(())
        })
        .unwrap();
    assert_eq!(settings(db), [("a".into(), "1".into()), ("e".into(), "5".into())]);
}

pub(crate) fn conflicts_are_handled_row_by_row(db: &Db) {
    create_table(db);
    let insert = |on_conflict, rows: &[[i64; 2]]| {
        db.store.write(|tx| tx.insert_rows("t", &["id", "i"], on_conflict, rows.iter().map(|row| row.map(Value::from))))
    };
    let stored = || -> Vec<(i64, i64)> {
        let sql = "select id, i from t order by id";
        db.store.read(|tx| tx.query_as(sql, &[], |row| Ok((row.int(0)?, row.int(1)?)))).unwrap()
    };
    assert_eq!(insert(OnConflict::Error, &[[1, 10], [2, 20]]).unwrap(), 2);
    assert!(insert(OnConflict::Error, &[[3, 30], [1, 11]]).unwrap_err().is_duplicate());
    assert_eq!(stored(), [(1, 10), (2, 20)]);
    assert_eq!(insert(OnConflict::Ignore, &[[1, 11], [3, 30], [3, 31]]).unwrap(), 1);
    assert_eq!(stored(), [(1, 10), (2, 20), (3, 30)]);
    insert(OnConflict::Update { keys: &["id"] }, &[[1, 12], [4, 40], [1, 13], [4, 41]]).unwrap();
    assert_eq!(stored(), [(1, 13), (2, 20), (3, 30), (4, 41)]);
    insert(OnConflict::Add { keys: &["id"] }, &[[1, 1], [5, 50], [5, 5], [1, -3]]).unwrap();
    assert_eq!(stored(), [(1, 11), (2, 20), (3, 30), (4, 41), (5, 55)]);
    assert_eq!(insert(OnConflict::Ignore, &[]).unwrap(), 0);
}

pub(crate) fn failures_have_the_same_names(db: &Db) {
    db.store
        .write(|tx| tx.execute("create table c (a bigint primary key check (a > 0), b text not null)", &[]))
        .unwrap();
    db.store.write(|tx| tx.execute("insert into c (a, b) values (1, 'x')", &[])).unwrap();
    let cases = [
        ("insert into c (a, b) values (1, 'x')", Failure::Duplicate),
        ("insert into c (a, b) values (-1, 'x')", Failure::Check),
        ("insert into c (a) values (2)", Failure::Check),
        (
            "insert into sessions (token_sha256, user_id, created_at, expires_at) values ('t', 'nobody', 0, 0)",
            Failure::Reference,
        ),
        ("insert into nowhere (a) values (1)", Failure::Other),
    ];
    for (sql, expected) in cases {
        let error = db.store.write(|tx| tx.execute(sql, &[])).unwrap_err();
        assert_eq!(error.failure(), Some(expected), "{error}");
    }
}

pub(crate) fn ten_thousand_rows_at_once(db: &Db) {
    create_table(db);
    let fill = |tx: &mut Tx<'_>| {
        tx.insert_with("t", &["id", "i", "t", "b"], OnConflict::Error, |sink| {
            for id in 0..10_000_i64 {
                let odd = (id % 2 == 1).then_some("奇数");
                sink.push(values![id, id * 3, odd, id.to_le_bytes().as_slice()])?;
            }
            Ok(())
        })
    };
    assert_eq!(db.store.write(fill).unwrap(), 10_000);
    let sql = "select count(*), count(t), cast(sum(i) as bigint), count(distinct b) from t";
    let row = db.store.read(|tx| tx.query(sql, &[])).unwrap().remove(0);
    let sums: Vec<i64> = (0..4).map(|column| row.int(column).unwrap()).collect();
    assert_eq!(sums, [10_000, 5_000, 149_985_000, 10_000]);
}

pub(crate) fn rows_are_streamed(db: &Db) {
    db.store.write(|tx| (0..10).try_for_each(|i| put(tx, &i.to_string(), "x").map(drop))).unwrap();
    db.store
        .read(|tx| {
            let mut names = String::new();
            let stopped = tx.for_each("select name from settings order by name", &[], |row| {
                names.push_str(row.text(0)?);
                if names.len() == 4 { Err(StoreError::refuse("enough")) } else { Ok(()) }
            });
            assert_eq!((names.as_str(), stopped.unwrap_err().to_string()), ("0123", "enough".into()));
            assert_eq!(count(tx, "settings"), 10, "the transaction goes on");
            Ok(())
        })
        .unwrap();
}

pub(crate) fn a_read_sees_one_moment_and_cannot_write(db: &Db) {
    db.store
        .read(|tx| {
            assert_eq!(count(tx, "settings"), 0);
            thread::scope(|scope| {
                scope.spawn(|| db.store.write(|tx| put(tx, "a", "b")).unwrap());
            });
            assert_eq!(count(tx, "settings"), 0, "what came later is not seen");
            Ok(())
        })
        .unwrap();
    assert!(db.store.read(|tx| put(tx, "c", "d")).is_err());
    assert_eq!(settings(db).len(), 1);
}

pub(crate) fn no_increment_is_lost(db: &Db) {
    db.store.write(|tx| put(tx, "n", "0")).unwrap();
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..10 {
                    db.store.write(increment).unwrap();
                }
            });
        }
    });
    assert_eq!(settings(db), [("n".into(), "40".into())]);
}

fn increment(tx: &mut Tx<'_>) -> Result<(), StoreError> {
    let row = tx.query("select value from settings where name = $1", values!["n"])?.remove(0);
    let n: u32 = row.text(0)?.parse().unwrap();
    tx.execute("update settings set value = $1 where name = $2", values![(n + 1).to_string(), "n"])?;
    Ok(())
}
