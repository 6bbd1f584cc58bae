//! The store: where it is, and the two ways into it.

use std::path::Path;
use std::sync::Arc;

use crate::StoreError;
use crate::migrate;
use crate::postgres_store::PostgresStore;
use crate::sqlite_store::SqliteStore;
use crate::tx::{Access, Link, Tx};

/// A SQLite or PostgreSQL database with the schema of this program. Clones share the connections.
///
/// All calls block, and PostgreSQL must not be called on a thread that drives an async runtime:
/// asynchronous callers use a blocking thread.
#[derive(Debug, Clone)]
pub struct Store {
    backend: Arc<Backend>,
}

#[derive(Debug)]
enum Backend {
    Sqlite(SqliteStore),
    Postgres(PostgresStore),
}

/// Which database is behind a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    /// The embedded default.
    Sqlite,
    /// A server shared by several processes.
    Postgres,
}

impl Store {
    /// Opens `sqlite:PATH`, a plain path, or `postgres://...`, and brings its schema up to date.
    pub fn open(location: &str) -> Result<Self, StoreError> {
        let store = Self::connect(location)?;
        migrate::run(&store, migrate::MIGRATIONS)?;
        Ok(store)
    }

    /// Opens without touching the schema.
    pub(crate) fn connect(location: &str) -> Result<Self, StoreError> {
        let backend = if location.starts_with("postgres://") || location.starts_with("postgresql://") {
            Backend::Postgres(PostgresStore::open(location)?)
        } else {
            let path = location.strip_prefix("sqlite:").unwrap_or(location);
            Backend::Sqlite(SqliteStore::open(Path::new(path))?)
        };
        Ok(Self { backend: Arc::new(backend) })
    }

    /// Which database is behind it.
    #[must_use]
    pub fn engine(&self) -> Engine {
        match &*self.backend {
            Backend::Sqlite(_) => Engine::Sqlite,
            Backend::Postgres(_) => Engine::Postgres,
        }
    }

    /// Runs `work` in one transaction and commits it, durably, if it gives `Ok`.
    ///
    /// SQLite has one writer at a time; PostgreSQL runs it SERIALIZABLE and calls `work` again when it
    /// lost against another transaction, so `work` must have no effect but on its `Tx`.
    /// Never call it inside another `write`.
    pub fn write<T>(&self, mut work: impl FnMut(&mut Tx<'_>) -> Result<T, StoreError>) -> Result<T, StoreError> {
        match &*self.backend {
            Backend::Sqlite(db) => db.with_writer(|conn| {
                let mut tx = Tx::begin(Link::Sqlite(conn), Access::Write)?;
                let value = work(&mut tx)?;
                tx.commit()?;
                Ok(value)
            }),
            Backend::Postgres(db) => db.write(work),
        }
    }

    /// Runs `work` on one unchanging snapshot. Writers do not block it, and it cannot write.
    pub fn read<T>(&self, work: impl FnOnce(&mut Tx<'_>) -> Result<T, StoreError>) -> Result<T, StoreError> {
        match &*self.backend {
            Backend::Sqlite(db) => db.with_reader(|conn| work(&mut Tx::begin(Link::Sqlite(conn), Access::Read)?)),
            Backend::Postgres(db) => {
                db.with_connection(|conn| work(&mut Tx::begin(Link::Postgres(conn), Access::Read)?))
            }
        }
    }
}
