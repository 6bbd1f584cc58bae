//! Small writes of many threads in shared transactions.

use std::thread;

use onus_store::{Store, StoreError, Writer, values};

use crate::Db;

const PUT: &str = "insert into settings (name, value) values ($1, 'x')";

fn count(store: &Store) -> i64 {
    store.read(|tx| tx.query("select count(*) from settings", &[])?[0].int(0)).unwrap()
}

pub(crate) fn a_write_is_durable_when_it_returns(db: &Db) {
    let writer = Writer::start(db.store.clone(), 64).unwrap();
    thread::scope(|scope| {
        for thread in 0..8 {
            let writer = writer.clone();
            scope.spawn(move || {
                // Another process would see exactly what this second store sees.
                let other = Store::open(&db.location).unwrap();
                for i in 0..10 {
                    let name = format!("{thread}.{i}");
                    let key = name.clone();
                    writer.write(move |tx| tx.execute(PUT, values![&key])).unwrap();
                    let sql = "select name from settings where name = $1";
                    assert_eq!(other.read(|tx| tx.query(sql, values![&name])).unwrap().len(), 1);
                }
            });
        }
    });
    drop(writer);
    assert_eq!(count(&db.store), 80);
}

pub(crate) fn a_failing_write_spoils_no_other(db: &Db) {
    let writer = Writer::start(db.store.clone(), 64).unwrap();
    let attempt = |i: u32| -> Result<u32, StoreError> {
        writer.write(move |tx| {
            tx.execute(PUT, values![i.to_string()])?;
            match i % 4 {
                0 => Err(StoreError::refuse(format!("{i} is refused"))),
                1 => tx.execute(PUT, values![i.to_string()]).map(|_| i), // a duplicate
                2 if i == 2 => panic!("a bug of one caller"),
                _ => Ok(i),
            }
        })
    };
    let outcomes: Vec<Result<u32, StoreError>> = thread::scope(|scope| {
        let attempt = &attempt;
        let threads: Vec<_> = (0..40).map(|i| scope.spawn(move || attempt(i))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    for (i, outcome) in (0..).zip(outcomes) {
        match (i, outcome) {
            (2, Err(StoreError::NotCommitted { .. })) => {}
            (_, Err(StoreError::Refused(error))) if i % 4 == 0 => {
                assert_eq!(error.to_string(), format!("{i} is refused"));
            }
            (_, Err(error)) if i % 4 == 1 => assert!(error.is_duplicate(), "{error}"),
            (_, Ok(value)) => assert!(value == i && i % 4 >= 2),
            (_, Err(error)) => panic!("{i}: {error}"),
        }
    }
    assert_eq!(count(&db.store), 19);
}
