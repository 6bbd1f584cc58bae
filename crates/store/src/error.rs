//! What can go wrong with a store, said so that the reader knows what to do.

use std::fmt;
use std::sync::Arc;

/// A failure of the store. Cheap to clone, because one failed group commit is told to many callers.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The store could not be opened or reached.
    #[error("cannot open the store at {location}: {detail}")]
    Open {
        /// Path or URL, without password.
        location: String,
        /// What the database or the file system said.
        detail: String,
    },
    /// The database refused a statement.
    #[error("the store refused `{sql}` ({failure}): {detail}")]
    Statement {
        /// The statement, shortened.
        sql: String,
        /// What kind of refusal it was.
        failure: Failure,
        /// What the database said.
        detail: String,
    },
    /// A statement was given too few or too many values.
    #[error("`{sql}` takes {expected} values, but {found} were given")]
    Parameters {
        /// The statement, shortened.
        sql: String,
        /// How many the statement names.
        expected: usize,
        /// How many were given.
        found: usize,
    },
    /// A cell was read as something it is not.
    #[error("column {column} ({name}): expected {expected}, found {found}")]
    Column {
        /// Position, from 0.
        column: usize,
        /// Name of the column, or `?` when there is none at that position.
        name: String,
        /// What the reader asked for.
        expected: &'static str,
        /// What is there.
        found: String,
    },
    /// An earlier statement of the same transaction or savepoint failed.
    #[error("the database transaction is spoiled and can only be rolled back; first failure: {first}")]
    Spoiled {
        /// The first failure.
        first: String,
    },
    /// The migrations of this program and of the store do not fit together.
    #[error("migration {number}: {detail}")]
    Migration {
        /// Number of the migration.
        number: i64,
        /// What does not fit, and what to do.
        detail: String,
    },
    /// A page cursor that this list did not hand out.
    #[error("the cursor does not belong to this list; start again without a cursor")]
    Cursor,
    /// A stored value that no version of this program writes.
    #[error("stored {what} cannot be read: {detail}")]
    Damaged {
        /// Which value.
        what: &'static str,
        /// Where and why.
        detail: String,
    },
    /// A sealed file could not be written or read.
    #[error("vault: {doing} {path}: {detail}")]
    Vault {
        /// What was being done.
        doing: &'static str,
        /// The file or folder.
        path: String,
        /// What the file system or the decoder said.
        detail: String,
    },
    /// The group commit thread is gone or could not commit.
    #[error("the write was not committed: {detail}")]
    NotCommitted {
        /// Why.
        detail: String,
    },
    /// The caller's own refusal, carried through the transaction, which is rolled back.
    #[error("{0}")]
    Refused(Arc<dyn std::error::Error + Send + Sync>),
}

impl StoreError {
    /// Wraps the caller's own error, so that a write closure can give up and roll back.
    pub fn refuse(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Refused(Arc::from(error.into()))
    }

    /// The kind of refusal, when the database refused a statement.
    #[must_use]
    pub fn failure(&self) -> Option<Failure> {
        match self {
            Self::Statement { failure, .. } => Some(*failure),
            _ => None,
        }
    }

    /// The row is there already (primary key or unique index).
    #[must_use]
    pub fn is_duplicate(&self) -> bool {
        self.failure() == Some(Failure::Duplicate)
    }
}

/// Why a database refuses a statement, in words common to both databases.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Failure {
    /// Primary key or unique index.
    Duplicate,
    /// A row it refers to is missing, or a row that refers to it is there.
    Reference,
    /// A `check` or `not null`.
    Check,
    /// The table only takes new rows.
    AppendOnly,
    /// Lost against a concurrent transaction; the store repeats these by itself.
    Serialization,
    /// Another process holds the write lock for too long.
    Busy,
    /// Anything else.
    Other,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Duplicate => "duplicate",
            Self::Reference => "reference",
            Self::Check => "check",
            Self::AppendOnly => "append-only",
            Self::Serialization => "serialization",
            Self::Busy => "busy",
            Self::Other => "error",
        })
    }
}

/// A statement short enough for a message.
pub(crate) fn shorten(sql: &str) -> String {
    const LENGTH_MAX: usize = 120;
    let words = sql.split_whitespace().collect::<Vec<_>>().join(" ");
    match words.char_indices().nth(LENGTH_MAX) {
        Some((end, _)) => format!("{} ...", &words[..end]),
        None => words,
    }
}

pub(crate) fn from_sqlite(sql: &str, error: &rusqlite::Error) -> StoreError {
    use rusqlite::ffi;
    let detail = error.to_string();
    let failure = match error {
        rusqlite::Error::SqliteFailure(code, _) => match code.extended_code {
            ffi::SQLITE_CONSTRAINT_UNIQUE | ffi::SQLITE_CONSTRAINT_PRIMARYKEY => Failure::Duplicate,
            ffi::SQLITE_CONSTRAINT_FOREIGNKEY => Failure::Reference,
            ffi::SQLITE_CONSTRAINT_CHECK | ffi::SQLITE_CONSTRAINT_NOTNULL => Failure::Check,
            ffi::SQLITE_CONSTRAINT_TRIGGER if detail.contains("append-only") => Failure::AppendOnly,
            _ if code.code == rusqlite::ErrorCode::DatabaseBusy => Failure::Busy,
            _ => Failure::Other,
        },
        _ => Failure::Other,
    };
    StoreError::Statement { sql: shorten(sql), failure, detail }
}

pub(crate) fn from_postgres(sql: &str, error: &postgres::Error) -> StoreError {
    let failure = match error.code().map(postgres::error::SqlState::code) {
        Some("23505") => Failure::Duplicate,
        Some("23503") => Failure::Reference,
        Some("23514" | "23502") => Failure::Check,
        Some("ON001") => Failure::AppendOnly, // raised by migrations/postgres
        Some("40001" | "40P01") => Failure::Serialization,
        _ => Failure::Other,
    };
    StoreError::Statement { sql: shorten(sql), failure, detail: postgres_detail(error) }
}

/// The database's own words: the error's `Display` hides them.
pub(crate) fn postgres_detail(error: &postgres::Error) -> String {
    use std::error::Error as _;
    match (error.as_db_error(), error.source()) {
        (Some(db), _) => match db.detail() {
            Some(detail) => format!("{} ({detail})", db.message()),
            None => db.message().to_owned(),
        },
        (None, Some(source)) => format!("{error}: {source}"),
        (None, None) => error.to_string(),
    }
}
