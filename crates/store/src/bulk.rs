//! Many rows at once: a reused prepared statement on SQLite, arrays on PostgreSQL.

use std::collections::HashSet;
use std::fmt::Write as _;

use postgres::types::ToSql;
use rusqlite::CachedStatement;

use crate::error::{from_postgres, from_sqlite};
use crate::postgres_store::PgConnection;
use crate::tx::Link;
use crate::{StoreError, Tx, Value};

/// What to do with a row that is there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnConflict<'k> {
    /// Refuse: [`crate::Failure::Duplicate`].
    Error,
    /// Keep the stored row.
    Ignore,
    /// Replace all columns but the keys. The last row given wins.
    Update {
        /// Columns of the primary key or of a unique index.
        keys: &'k [&'k str],
    },
    /// Add all columns but the keys, which must be integers, to the stored ones.
    Add {
        /// Columns of the primary key or of a unique index.
        keys: &'k [&'k str],
    },
}

/// PostgreSQL takes this many rows, or this many bytes, in one statement.
const BATCH_ROWS_MAX: usize = 4096;
const BATCH_BYTES_MAX: usize = 4 << 20;

/// Takes the rows of one bulk insert.
#[derive(Debug)]
pub struct RowSink<'s> {
    sql: &'s str,
    n_columns: usize,
    n_changed: u64,
    target: Target<'s>,
}

#[derive(Debug)]
enum Target<'s> {
    Sqlite(SqliteTarget<'s>),
    Postgres(PostgresTarget<'s>),
}

struct SqliteTarget<'s>(CachedStatement<'s>);

impl std::fmt::Debug for SqliteTarget<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SqliteTarget")
    }
}

#[derive(Debug)]
struct PostgresTarget<'s> {
    conn: &'s mut PgConnection,
    columns: Vec<Vec<Value<'static>>>,
    n_rows: usize,
    n_bytes: usize,
    /// One statement must not update a row twice, so a batch ends before a key comes again.
    keys: Option<Keys>,
}

#[derive(Debug)]
struct Keys {
    positions: Vec<usize>,
    seen: HashSet<Vec<u8>>,
}

impl Tx<'_> {
    /// Inserts rows given as arrays of values. Returns how many rows were written.
    pub fn insert_rows<'v, R: AsRef<[Value<'v>]>>(
        &mut self,
        table: &str,
        columns: &[&str],
        on_conflict: OnConflict<'_>,
        rows: impl IntoIterator<Item = R>,
    ) -> Result<u64, StoreError> {
        self.insert_with(table, columns, on_conflict, |sink| {
            rows.into_iter().try_for_each(|row| sink.push(row.as_ref()))
        })
    }

    /// Inserts the rows that `fill` pushes, without collecting them first. Returns how many rows were written.
    pub fn insert_with(
        &mut self,
        table: &str,
        columns: &[&str],
        on_conflict: OnConflict<'_>,
        fill: impl FnOnce(&mut RowSink<'_>) -> Result<(), StoreError>,
    ) -> Result<u64, StoreError> {
        self.refuse_if_spoiled()?;
        let outcome = match &mut self.link {
            Link::Sqlite(conn) => sqlite_insert(conn, table, columns, on_conflict, fill),
            Link::Postgres(conn) => postgres_insert(conn, table, columns, on_conflict, fill),
        };
        // Some rows may be in and some not: the caller cannot go on from there.
        outcome.map_err(|error| self.spoil(error))
    }
}

impl RowSink<'_> {
    /// Adds one row: one value a column, in the order of the columns.
    pub fn push(&mut self, row: &[Value<'_>]) -> Result<(), StoreError> {
        if row.len() != self.n_columns {
            let sql = crate::error::shorten(self.sql);
            return Err(StoreError::Parameters { sql, expected: self.n_columns, found: row.len() });
        }
        match &mut self.target {
            Target::Sqlite(SqliteTarget(statement)) => {
                for (column, value) in row.iter().enumerate() {
                    statement.raw_bind_parameter(column + 1, value).map_err(|error| from_sqlite(self.sql, &error))?;
                }
                let n_changed = statement.raw_execute().map_err(|error| from_sqlite(self.sql, &error))?;
                self.n_changed += n_changed as u64;
                Ok(())
            }
            Target::Postgres(target) => {
                if target.must_flush_before(row) {
                    self.n_changed += target.flush(self.sql)?;
                }
                target.keep(row);
                Ok(())
            }
        }
    }
}

impl PostgresTarget<'_> {
    fn must_flush_before(&self, row: &[Value<'_>]) -> bool {
        self.n_rows >= BATCH_ROWS_MAX
            || self.n_bytes >= BATCH_BYTES_MAX
            || self.keys.as_ref().is_some_and(|keys| keys.seen.contains(&keys.key_of(row)))
    }

    fn keep(&mut self, row: &[Value<'_>]) {
        if let Some(keys) = &mut self.keys {
            let key = keys.key_of(row);
            keys.seen.insert(key);
        }
        for (column, value) in self.columns.iter_mut().zip(row) {
            self.n_bytes += value.weight();
            column.push(value.clone().into_owned());
        }
        self.n_rows += 1;
    }

    fn flush(&mut self, sql: &str) -> Result<u64, StoreError> {
        if self.n_rows == 0 {
            return Ok(0);
        }
        let statement = self.conn.prepare(sql)?;
        let params: Vec<&(dyn ToSql + Sync)> =
            self.columns.iter().map(|column| column as &(dyn ToSql + Sync)).collect();
        let n_changed = self.conn.client.execute(&statement, &params).map_err(|error| from_postgres(sql, &error))?;
        self.columns.iter_mut().for_each(Vec::clear);
        self.n_rows = 0;
        self.n_bytes = 0;
        if let Some(keys) = &mut self.keys {
            keys.seen.clear();
        }
        Ok(n_changed)
    }
}

impl Keys {
    fn key_of(&self, row: &[Value<'_>]) -> Vec<u8> {
        let mut key = Vec::with_capacity(32);
        for &position in &self.positions {
            let part: (u8, &[u8]) = match &row[position] {
                Value::Null => (0, &[]),
                Value::Int(int) => (1, &int.to_be_bytes()),
                Value::Text(text) => (2, text.as_bytes()),
                Value::Blob(blob) => (3, blob),
            };
            key.push(part.0);
            key.extend_from_slice(&part.1.len().to_be_bytes());
            key.extend_from_slice(part.1);
        }
        key
    }
}

fn sqlite_insert(
    conn: &rusqlite::Connection,
    table: &str,
    columns: &[&str],
    on_conflict: OnConflict<'_>,
    fill: impl FnOnce(&mut RowSink<'_>) -> Result<(), StoreError>,
) -> Result<u64, StoreError> {
    let sql = insert_of_one(table, columns, on_conflict);
    let statement = conn.prepare_cached(&sql).map_err(|error| from_sqlite(&sql, &error))?;
    let target = Target::Sqlite(SqliteTarget(statement));
    let mut sink = RowSink { sql: &sql, n_columns: columns.len(), n_changed: 0, target };
    fill(&mut sink)?;
    Ok(sink.n_changed)
}

fn postgres_insert(
    conn: &mut PgConnection,
    table: &str,
    columns: &[&str],
    on_conflict: OnConflict<'_>,
    fill: impl FnOnce(&mut RowSink<'_>) -> Result<(), StoreError>,
) -> Result<u64, StoreError> {
    // The statement for one row is only prepared, to learn the types of the columns.
    let types = conn.prepare(&insert_of_one(table, columns, on_conflict))?;
    let arrays = types.params().iter().enumerate().map(|(i, ty)| format!("${}::{}[]", i + 1, ty.name()));
    let mut sql = insert_into(table, columns);
    let _ = write!(sql, "select * from unnest({})", arrays.collect::<Vec<_>>().join(", "));
    sql.push_str(&conflict_clause(table, columns, on_conflict));

    let keys = match on_conflict {
        OnConflict::Error | OnConflict::Ignore => None,
        OnConflict::Update { keys } | OnConflict::Add { keys } => Some(Keys {
            positions: keys.iter().filter_map(|key| columns.iter().position(|column| column == key)).collect(),
            seen: HashSet::new(),
        }),
    };
    let target = PostgresTarget { conn, columns: vec![Vec::new(); columns.len()], n_rows: 0, n_bytes: 0, keys };
    let mut sink = RowSink { sql: &sql, n_columns: columns.len(), n_changed: 0, target: Target::Postgres(target) };
    fill(&mut sink)?;
    if let Target::Postgres(target) = &mut sink.target {
        sink.n_changed += target.flush(&sql)?;
    }
    Ok(sink.n_changed)
}

fn insert_into(table: &str, columns: &[&str]) -> String {
    format!("insert into {table} ({}) ", columns.join(", "))
}

fn insert_of_one(table: &str, columns: &[&str], on_conflict: OnConflict<'_>) -> String {
    let marks: Vec<String> = (1..=columns.len()).map(|number| format!("${number}")).collect();
    let mut sql = insert_into(table, columns);
    let _ = write!(sql, "values ({})", marks.join(", "));
    sql.push_str(&conflict_clause(table, columns, on_conflict));
    sql
}

fn conflict_clause(table: &str, columns: &[&str], on_conflict: OnConflict<'_>) -> String {
    let (keys, setter): (_, fn(&str, &str) -> String) = match on_conflict {
        OnConflict::Error => return String::new(),
        OnConflict::Ignore => return " on conflict do nothing".into(),
        OnConflict::Update { keys } => (keys, |_, column| format!("{column} = excluded.{column}")),
        OnConflict::Add { keys } => (keys, |table, column| format!("{column} = {table}.{column} + excluded.{column}")),
    };
    let sets: Vec<String> =
        columns.iter().filter(|column| !keys.contains(column)).map(|column| setter(table, column)).collect();
    if sets.is_empty() {
        return " on conflict do nothing".into();
    }
    format!(" on conflict ({}) do update set {}", keys.join(", "), sets.join(", "))
}

#[cfg(test)]
mod tests {
    use super::{OnConflict, insert_of_one};

    #[test]
    fn statements_for_one_row() {
        let columns = ["a", "b", "c"];
        let cases = [
            (OnConflict::Error, "insert into t (a, b, c) values ($1, $2, $3)"),
            (OnConflict::Ignore, "insert into t (a, b, c) values ($1, $2, $3) on conflict do nothing"),
            (
                OnConflict::Update { keys: &["a", "b"] },
                "insert into t (a, b, c) values ($1, $2, $3) on conflict (a, b) do update set c = excluded.c",
            ),
            (
                OnConflict::Add { keys: &["a"] },
                "insert into t (a, b, c) values ($1, $2, $3) on conflict (a) do update set b = t.b + excluded.b, c = t.c + excluded.c",
            ),
            (
                OnConflict::Update { keys: &columns },
                "insert into t (a, b, c) values ($1, $2, $3) on conflict do nothing",
            ),
        ];
        for (on_conflict, expected) in cases {
            assert_eq!(insert_of_one("t", &columns, on_conflict), expected);
        }
    }
}
