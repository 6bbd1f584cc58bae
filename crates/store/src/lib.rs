//! The store of Onus: SQLite (embedded default) and PostgreSQL behind one small synchronous interface,
//! with the schema, the queries that are scoped by tenant and agent subtree, and the vault of sealed files.
//!
//! Architecture invariant: nothing outside this crate knows which database is behind a [`Store`],
//! and no read gives a row outside its [`Scope`].

pub mod alarms;
pub mod approvals;
pub mod audit;
pub mod breaks;
mod bulk;
pub mod cases;
pub mod diversions;
pub mod episodes;
mod error;
pub mod exceptions;
pub mod expectations;
pub mod files;
pub mod gateway_status;
pub mod ledger;
pub mod live;
pub mod log;
mod migrate;
pub mod monitoring;
pub mod overview;
mod page;
pub mod payments;
mod pool;
mod postgres_store;
mod record;
pub mod refs;
pub mod registry;
pub mod rejudgements;
pub mod resolutions;
mod row;
mod scope;
pub mod sessions;
mod sqlite_store;
mod store;
pub mod tenants;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
mod tx;
pub mod users;
mod value;
pub mod vault;
mod writer;

pub use bulk::{OnConflict, RowSink};
pub use error::{Failure, StoreError};
pub use page::{Page, PageRequest};
pub use record::Record;
pub use row::Row;
pub use scope::{AgentScope, Scope};
pub use store::{Engine, Store};
pub use tx::Tx;
pub use value::Value;
pub use writer::Writer;
