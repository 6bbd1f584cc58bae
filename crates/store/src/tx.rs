//! One database transaction, the same on both databases.
//!
//! SQL text is portable: `$n` parameters, bigint/text/blob only, no dialect functions, no database clock.

use std::sync::Arc;

use postgres::fallible_iterator::FallibleIterator;
use rusqlite::CachedStatement;

use crate::error::{from_postgres, from_sqlite, shorten};
use crate::postgres_store::PgConnection;
use crate::{Failure, Row, StoreError, Value};

/// A database transaction. It is rolled back unless [`crate::Store::write`] commits it.
///
/// A statement that fails spoils the transaction (or the savepoint it is in) on both databases:
/// nothing more can be done in it, and it cannot be committed.
#[derive(Debug)]
pub struct Tx<'c> {
    pub(crate) link: Link<'c>,
    spoiled: Option<String>,
    n_savepoints: u32,
    /// Lost against a concurrent transaction: the store should repeat the whole closure.
    pub(crate) lost: bool,
    open: bool,
}

#[derive(Debug)]
pub(crate) enum Link<'c> {
    Sqlite(&'c rusqlite::Connection),
    Postgres(&'c mut PgConnection),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    Read,
    Write,
}

impl<'c> Tx<'c> {
    pub(crate) fn begin(link: Link<'c>, access: Access) -> Result<Self, StoreError> {
        let begin = match (&link, access) {
            (Link::Sqlite(_), Access::Read) => "begin",
            (Link::Sqlite(_), Access::Write) => "begin immediate",
            (Link::Postgres(_), Access::Read) => "begin isolation level repeatable read read only",
            (Link::Postgres(_), Access::Write) => "begin isolation level serializable",
        };
        let mut tx = Self { link, spoiled: None, n_savepoints: 0, lost: false, open: false };
        tx.run_script(begin)?;
        tx.open = true;
        Ok(tx)
    }

    pub(crate) fn commit(&mut self) -> Result<(), StoreError> {
        self.refuse_if_spoiled()?;
        self.execute_script("commit")?;
        self.open = false;
        Ok(())
    }

    /// All rows of an answer.
    pub fn query(&mut self, sql: &str, values: &[Value<'_>]) -> Result<Vec<Row<'static>>, StoreError> {
        self.refuse_if_spoiled()?;
        let rows = match &mut self.link {
            Link::Sqlite(conn) => sqlite_query(conn, sql, values),
            Link::Postgres(conn) => conn.query(sql, values),
        };
        rows.map_err(|error| self.spoil(error))
    }

    /// The first row of an answer, if there is one.
    pub fn query_first(&mut self, sql: &str, values: &[Value<'_>]) -> Result<Option<Row<'static>>, StoreError> {
        Ok(self.query(sql, values)?.into_iter().next())
    }

    /// All rows of an answer, each turned into a `T` without keeping the row.
    pub fn query_as<T>(
        &mut self,
        sql: &str,
        values: &[Value<'_>],
        mut read: impl FnMut(&Row<'_>) -> Result<T, StoreError>,
    ) -> Result<Vec<T>, StoreError> {
        let mut items = Vec::new();
        self.for_each(sql, values, |row| {
            items.push(read(row)?);
            Ok(())
        })?;
        Ok(items)
    }

    /// Streams an answer row by row: memory does not grow with the answer. Stops at the first error of `each`.
    pub fn for_each(
        &mut self,
        sql: &str,
        values: &[Value<'_>],
        mut each: impl FnMut(&Row<'_>) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        self.refuse_if_spoiled()?;
        let outcome = match &mut self.link {
            Link::Sqlite(conn) => sqlite_for_each(conn, sql, values, &mut each),
            Link::Postgres(conn) => postgres_for_each(conn, sql, values, &mut each),
        };
        outcome.map_err(|stop| match stop {
            Stop::Database(error) => self.spoil(error),
            Stop::Caller(error) => error,
        })
    }

    /// Runs a statement that gives no rows. Returns how many rows it changed.
    pub fn execute(&mut self, sql: &str, values: &[Value<'_>]) -> Result<u64, StoreError> {
        self.refuse_if_spoiled()?;
        let n_changed = match &mut self.link {
            Link::Sqlite(conn) => sqlite_execute(conn, sql, values),
            Link::Postgres(conn) => conn.execute(sql, values),
        };
        n_changed.map_err(|error| self.spoil(error))
    }

    /// Runs `work` so that its failure undoes only its own writes and leaves the transaction usable.
    pub fn savepoint<T>(&mut self, work: impl FnOnce(&mut Self) -> Result<T, StoreError>) -> Result<T, StoreError> {
        self.refuse_if_spoiled()?;
        self.n_savepoints += 1;
        let name = format!("s{}", self.n_savepoints);
        self.execute_script(&format!("savepoint {name}"))?;
        let outcome = work(self).and_then(|value| self.refuse_if_spoiled().map(|()| value));
        if outcome.is_err() {
            if self.lost {
                return outcome; // only repeating the whole transaction helps
            }
            self.spoiled = None;
            self.execute_script(&format!("rollback to savepoint {name}"))?;
        }
        self.execute_script(&format!("release savepoint {name}"))?;
        self.n_savepoints -= 1;
        outcome
    }

    /// Runs statements without parameters, separated by `;`.
    pub(crate) fn execute_script(&mut self, sql: &str) -> Result<(), StoreError> {
        self.run_script(sql).map_err(|error| self.spoil(error))
    }

    pub(crate) fn refuse_if_spoiled(&self) -> Result<(), StoreError> {
        match &self.spoiled {
            Some(first) => Err(StoreError::Spoiled { first: first.clone() }),
            None => Ok(()),
        }
    }

    /// Remembers the first failure, so that neither database commits half of the work.
    pub(crate) fn spoil(&mut self, error: StoreError) -> StoreError {
        self.lost |= error.failure() == Some(Failure::Serialization);
        self.spoiled.get_or_insert_with(|| error.to_string());
        error
    }

    fn run_script(&mut self, sql: &str) -> Result<(), StoreError> {
        match &mut self.link {
            Link::Sqlite(conn) => conn.execute_batch(sql).map_err(|error| from_sqlite(sql, &error)),
            Link::Postgres(conn) => conn.client.batch_execute(sql).map_err(|error| from_postgres(sql, &error)),
        }
    }
}

impl Drop for Tx<'_> {
    fn drop(&mut self) {
        if self.open {
            // A connection that cannot roll back is broken, and the next `begin` on it says so.
            let _ = self.run_script("rollback");
        }
    }
}

/// Who stopped a streamed answer.
enum Stop {
    Database(StoreError),
    Caller(StoreError),
}

fn sqlite_prepare<'c>(
    conn: &'c rusqlite::Connection,
    sql: &str,
    values: &[Value<'_>],
) -> Result<CachedStatement<'c>, StoreError> {
    let mut statement = conn.prepare_cached(sql).map_err(|error| from_sqlite(sql, &error))?;
    let mut n_expected = 0;
    for position in 1..=statement.parameter_count() {
        // SQLite numbers `$2` by its place of first appearance, so its own number is in the name.
        let number: usize = statement
            .parameter_name(position)
            .and_then(|name| name.trim_start_matches(['$', '?']).parse().ok())
            .unwrap_or(position);
        n_expected = n_expected.max(number);
        let Some(value) = number.checked_sub(1).and_then(|index| values.get(index)) else {
            continue;
        };
        statement.raw_bind_parameter(position, value).map_err(|error| from_sqlite(sql, &error))?;
    }
    if n_expected == values.len() {
        Ok(statement)
    } else {
        Err(StoreError::Parameters { sql: shorten(sql), expected: n_expected, found: values.len() })
    }
}

fn sqlite_query(conn: &rusqlite::Connection, sql: &str, values: &[Value<'_>]) -> Result<Vec<Row<'static>>, StoreError> {
    let mut statement = sqlite_prepare(conn, sql, values)?;
    let names: Arc<[String]> = statement.column_names().map(str::to_owned).collect();
    let mut answer = statement.raw_query();
    let mut rows = Vec::new();
    while let Some(row) = answer.next().map_err(|error| from_sqlite(sql, &error))? {
        rows.push(Row::keep_sqlite(row, &names)?);
    }
    Ok(rows)
}

fn sqlite_for_each(
    conn: &rusqlite::Connection,
    sql: &str,
    values: &[Value<'_>],
    each: &mut impl FnMut(&Row<'_>) -> Result<(), StoreError>,
) -> Result<(), Stop> {
    let mut statement = sqlite_prepare(conn, sql, values).map_err(Stop::Database)?;
    let mut answer = statement.raw_query();
    while let Some(row) = answer.next().map_err(|error| Stop::Database(from_sqlite(sql, &error)))? {
        each(&Row::from_sqlite(row)).map_err(Stop::Caller)?;
    }
    Ok(())
}

fn sqlite_execute(conn: &rusqlite::Connection, sql: &str, values: &[Value<'_>]) -> Result<u64, StoreError> {
    let mut statement = sqlite_prepare(conn, sql, values)?;
    let n_changed = statement.raw_execute().map_err(|error| from_sqlite(sql, &error))?;
    Ok(n_changed as u64)
}

fn postgres_for_each(
    conn: &mut PgConnection,
    sql: &str,
    values: &[Value<'_>],
    each: &mut impl FnMut(&Row<'_>) -> Result<(), StoreError>,
) -> Result<(), Stop> {
    let mut answer = conn.stream(sql, values).map_err(Stop::Database)?;
    while let Some(row) = answer.next().map_err(|error| Stop::Database(from_postgres(sql, &error)))? {
        each(&Row::from_postgres(row)).map_err(Stop::Caller)?;
    }
    Ok(())
}
