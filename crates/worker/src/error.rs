//! What can go wrong while working.

use std::path::PathBuf;

/// A stage could not do its work.
#[derive(Debug, thiserror::Error)]
pub enum WorkerError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] onus_store::StoreError),
    /// A file could not be read.
    #[error("could not read {path}: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A reader failed.
    #[error("could not read {name}: {source}")]
    Read {
        /// Name of the file.
        name: String,
        /// Why.
        source: onus_intake::ReadError,
    },
    /// A rule pack does not load.
    #[error("the rule pack does not load: {0}")]
    Pack(#[from] onus_liability::PackError),
    /// The limits do not load.
    #[error("the terms do not load: {0}")]
    Terms(String),
    /// Money does not book.
    #[error("payment {payment}: the money does not book: {source}")]
    Ledger {
        /// Payment.
        payment: String,
        /// Why.
        source: onus_ledger::LedgerError,
    },
    /// Evidence does not write.
    #[error("evidence: {0}")]
    Evidence(String),
    /// Configuration of the tenant.
    #[error("{0}")]
    Config(String),
}
