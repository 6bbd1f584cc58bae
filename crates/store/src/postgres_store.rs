//! PostgreSQL: a pool of connections with prepared statements, and repetition of lost transactions.

use std::collections::HashMap;
use std::str::FromStr;
use std::time::Duration;

use postgres::types::ToSql;
use postgres::{Client, Config, NoTls, RowIter, Statement};

use crate::error::{from_postgres, postgres_detail, shorten};
use crate::pool::Pool;
use crate::tx::{Access, Link, Tx};
use crate::{Row, StoreError, Value};

const CONNECTIONS_MAX: usize = 16;
const STATEMENTS_CACHED: usize = 256;
/// A transaction that loses this often meets a design fault, not bad luck.
const ATTEMPTS_MAX: u32 = 12;

#[derive(Debug)]
pub(crate) struct PostgresStore {
    location: String,
    config: Config,
    pool: Pool<PgConnection>,
}

impl PostgresStore {
    pub(crate) fn open(url: &str) -> Result<Self, StoreError> {
        let location = without_password(url);
        let config = Config::from_str(url).map_err(|error| StoreError::Open {
            location: location.clone(),
            detail: format!("{}; expected postgres://user@host/database", postgres_detail(&error)),
        })?;
        Ok(Self { location, config, pool: Pool::new(CONNECTIONS_MAX) })
    }

    pub(crate) fn with_connection<T>(
        &self,
        work: impl FnOnce(&mut PgConnection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut conn = self.pool.take(|| self.connect(), |conn| !conn.client.is_closed())?;
        work(&mut conn)
    }

    /// The one place where a lost serializable transaction is repeated.
    pub(crate) fn write<T>(&self, mut work: impl FnMut(&mut Tx<'_>) -> Result<T, StoreError>) -> Result<T, StoreError> {
        self.with_connection(|conn| {
            let mut attempt = 1;
            loop {
                let mut tx = Tx::begin(Link::Postgres(conn), Access::Write)?;
                let outcome = work(&mut tx).and_then(|value| tx.commit().map(|()| value));
                if !(tx.lost && outcome.is_err() && attempt < ATTEMPTS_MAX) {
                    return outcome;
                }
                drop(tx);
                std::thread::sleep(Duration::from_millis(1 << attempt.min(7)));
                attempt += 1;
            }
        })
    }

    fn connect(&self) -> Result<PgConnection, StoreError> {
        let client = self.config.connect(NoTls).map_err(|error| StoreError::Open {
            location: self.location.clone(),
            detail: format!("{}; is PostgreSQL running, and does the database exist?", postgres_detail(&error)),
        })?;
        Ok(PgConnection { client, statements: HashMap::new() })
    }
}

impl Drop for PostgresStore {
    fn drop(&mut self) {
        // A connection owns a small runtime, which must not be dropped on a thread that drives another one.
        let idle = self.pool.drain();
        if !idle.is_empty() {
            let _ = std::thread::spawn(move || drop(idle)).join();
        }
    }
}

/// One connection and the statements prepared on it.
pub(crate) struct PgConnection {
    pub(crate) client: Client,
    statements: HashMap<String, Statement>,
}

impl std::fmt::Debug for PgConnection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PgConnection").finish_non_exhaustive()
    }
}

impl PgConnection {
    pub(crate) fn prepare(&mut self, sql: &str) -> Result<Statement, StoreError> {
        if let Some(statement) = self.statements.get(sql) {
            return Ok(statement.clone());
        }
        let statement = self.client.prepare(sql).map_err(|error| from_postgres(sql, &error))?;
        if self.statements.len() >= STATEMENTS_CACHED {
            self.statements.clear();
        }
        self.statements.insert(sql.to_owned(), statement.clone());
        Ok(statement)
    }

    pub(crate) fn query(&mut self, sql: &str, values: &[Value<'_>]) -> Result<Vec<Row<'static>>, StoreError> {
        let statement = self.prepare_for(sql, values)?;
        let rows = self.client.query(&statement, &as_params(values)).map_err(|error| from_postgres(sql, &error))?;
        Ok(rows.into_iter().map(Row::from_postgres).collect())
    }

    pub(crate) fn stream(&mut self, sql: &str, values: &[Value<'_>]) -> Result<RowIter<'_>, StoreError> {
        let statement = self.prepare_for(sql, values)?;
        self.client.query_raw(&statement, as_params(values)).map_err(|error| from_postgres(sql, &error))
    }

    pub(crate) fn execute(&mut self, sql: &str, values: &[Value<'_>]) -> Result<u64, StoreError> {
        let statement = self.prepare_for(sql, values)?;
        self.client.execute(&statement, &as_params(values)).map_err(|error| from_postgres(sql, &error))
    }

    fn prepare_for(&mut self, sql: &str, values: &[Value<'_>]) -> Result<Statement, StoreError> {
        let statement = self.prepare(sql)?;
        let expected = statement.params().len();
        if expected == values.len() {
            Ok(statement)
        } else {
            Err(StoreError::Parameters { sql: shorten(sql), expected, found: values.len() })
        }
    }
}

fn as_params<'a>(values: &'a [Value<'a>]) -> Vec<&'a (dyn ToSql + Sync)> {
    values.iter().map(|value| value as &(dyn ToSql + Sync)).collect()
}

/// The URL for messages and logs.
fn without_password(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        return "postgres".into();
    };
    match rest.split_once('@') {
        Some((user, place)) => format!("{scheme}://{}@{place}", user.split(':').next().unwrap_or_default()),
        None => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::without_password;

    #[test]
    fn messages_never_show_the_password() {
        assert_eq!(without_password("postgres://onus:secret@db/onus"), "postgres://onus@db/onus");
        assert_eq!(without_password("postgres://db/onus"), "postgres://db/onus");
        assert_eq!(without_password("password=secret"), "postgres");
    }
}
