//! SQLite: one writing connection, and readers that its write-ahead log never blocks.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rusqlite::Connection;

use crate::StoreError;
use crate::pool::Pool;

const READERS_MAX: usize = 8;
/// Another process may import while the server runs: wait for its batch rather than fail.
const BUSY_TIMEOUT: Duration = Duration::from_secs(30);
const STATEMENTS_CACHED: usize = 128;

#[derive(Debug)]
pub(crate) struct SqliteStore {
    path: PathBuf,
    writer: Mutex<Connection>,
    readers: Pool<Connection>,
}

impl SqliteStore {
    pub(crate) fn open(path: &Path) -> Result<Self, StoreError> {
        let writer = connect(path, WRITER_PRAGMAS).map_err(|error| unopened(path, &error))?;
        Ok(Self { path: path.to_owned(), writer: Mutex::new(writer), readers: Pool::new(READERS_MAX) })
    }

    pub(crate) fn with_writer<T>(&self, work: impl FnOnce(&Connection) -> T) -> T {
        // A panicking writer has rolled back when its `Tx` was dropped, so the connection is sound.
        work(&self.writer.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn with_reader<T>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let open = || connect(&self.path, READER_PRAGMAS).map_err(|error| unopened(&self.path, &error));
        let conn = self.readers.take(open, |_| true)?;
        work(&conn)
    }
}

const WRITER_PRAGMAS: &str = "
    pragma journal_mode = wal;
    pragma synchronous = full;
    pragma foreign_keys = on;
    pragma recursive_triggers = on; -- `insert or replace` must not slip past the append-only triggers
    pragma temp_store = memory;
    pragma cache_size = -32768;
    pragma wal_autocheckpoint = 32768;
    pragma journal_size_limit = 67108864;";

const READER_PRAGMAS: &str = "
    pragma query_only = on;
    pragma temp_store = memory;
    pragma cache_size = -16384;";

fn connect(path: &Path, pragmas: &str) -> rusqlite::Result<Connection> {
    let conn = Connection::open(path)?;
    conn.busy_timeout(BUSY_TIMEOUT)?;
    conn.set_prepared_statement_cache_capacity(STATEMENTS_CACHED);
    conn.execute_batch(pragmas)?;
    Ok(conn)
}

fn unopened(path: &Path, error: &rusqlite::Error) -> StoreError {
    StoreError::Open {
        location: path.display().to_string(),
        detail: format!("{error}; the folder must exist and be writable, and the file must be a SQLite database"),
    }
}
