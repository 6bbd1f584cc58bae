//! Throw-away stores for tests, of this crate and (feature `testing`) of others.
#![expect(clippy::expect_used, clippy::panic, reason = "a test that cannot get its store must fail loudly")]

mod cluster;

use crate::Store;

pub use cluster::PostgresDb;

/// A SQLite store in a folder that goes away with it.
#[derive(Debug)]
pub struct SqliteDb {
    /// The store, migrated and empty.
    pub store: Store,
    /// How to open it again.
    pub location: String,
    /// Its folder.
    pub folder: tempfile::TempDir,
}

/// A new, empty SQLite store.
#[must_use]
pub fn sqlite() -> SqliteDb {
    let folder = tempfile::tempdir().expect("a temporary folder for the test store");
    let location = format!("sqlite:{}", folder.path().join("onus.db").display());
    let store = Store::open(&location).expect("a new SQLite store");
    SqliteDb { store, location, folder }
}

/// A new, empty PostgreSQL store in a throw-away cluster that all tests of the process share.
///
/// The cluster ends with the process, also when the process is killed.
#[must_use]
pub fn postgres() -> PostgresDb {
    cluster::new_database()
}
