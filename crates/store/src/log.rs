//! The evidence log: entries, their leaf hashes, and signed checkpoints. Rows are never changed or deleted.

use crate::record::{self, Existing, Record, record};
use crate::scope::Filter;
use crate::{Scope, StoreError, Tx, Value, values};

record! {
    /// One entry.
    pub struct LogEntryRow in "log_entries" keys(idx) {
        /// Its index, from 0.
        pub idx: i64,
        /// Hash of the leaf.
        pub leaf_hash: Vec<u8>,
        /// What it says.
        pub body: Vec<u8>,
    }
}

record! {
    /// A signed head of the log.
    pub struct CheckpointRow in "checkpoints" keys(size) {
        /// Entries it covers.
        pub size: i64,
        /// Root hash over them.
        pub root: Vec<u8>,
        /// The signed note.
        pub note: String,
        /// When it was signed.
        pub signed_at: i64,
    }
}

/// Appends entries. An index that is taken is refused: two writers never fork the log.
pub fn append<'r>(
    tx: &mut Tx<'_>,
    tenant: &str,
    entries: impl IntoIterator<Item = &'r LogEntryRow>,
) -> Result<u64, StoreError> {
    record::insert(tx, tenant, Existing::Refuse, entries)
}

/// Stores a checkpoint; one of the same size that is there already stays.
pub fn add_checkpoint(tx: &mut Tx<'_>, tenant: &str, checkpoint: &CheckpointRow) -> Result<(), StoreError> {
    record::insert(tx, tenant, Existing::Keep, [checkpoint])?;
    Ok(())
}

/// How many entries the log has.
pub fn size(tx: &mut Tx<'_>, scope: &Scope) -> Result<i64, StoreError> {
    let sql = "select coalesce(max(idx) + 1, 0) from log_entries where tenant = $1";
    tx.query_first(sql, values![&scope.tenant])?.map_or(Ok(0), |row| row.int(0))
}

/// One entry. An agent sees the entries that decide its own payments.
pub fn entry(tx: &mut Tx<'_>, scope: &Scope, index: i64) -> Result<Option<LogEntryRow>, StoreError> {
    let mut filter = Filter::of_tenant(scope, "l");
    filter.and_value("l.idx =", index);
    if let Some(agent) = filter.within_scope("e.agent_code") {
        filter.and(format!(
            "exists (select 1 from exceptions e where e.tenant = l.tenant and e.entry_index = l.idx and {agent})"
        ));
    }
    let sql = format!("select {} from log_entries l {}", LogEntryRow::columns_of("l"), filter.clause());
    Ok(tx.query_as(&sql, filter.values(), |row| LogEntryRow::read(row, 0))?.pop())
}

/// The leaf hashes of entries `start..end`. Proofs need those of all entries, and a hash tells nothing
/// of what it covers, so an agent may have them all.
pub fn leaf_hashes(tx: &mut Tx<'_>, scope: &Scope, start: i64, end: i64) -> Result<Vec<Vec<u8>>, StoreError> {
    tx.query_as(
        "select leaf_hash from log_entries where tenant = $1 and idx >= $2 and idx < $3 order by idx",
        values![&scope.tenant, start, end],
        |row| row.blob(0).map(<[u8]>::to_vec),
    )
}

/// Streams all entries in order. Agents may not.
pub fn for_each(
    tx: &mut Tx<'_>,
    scope: &Scope,
    mut each: impl FnMut(LogEntryRow) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let filter = Filter::whole_tenant(scope, "l");
    let sql = format!("select {} from log_entries l {} order by l.idx", LogEntryRow::columns_of("l"), filter.clause());
    tx.for_each(&sql, filter.values(), |row| each(LogEntryRow::read(row, 0)?))
}

/// The checkpoint that covers most.
pub fn latest_checkpoint(tx: &mut Tx<'_>, scope: &Scope) -> Result<Option<CheckpointRow>, StoreError> {
    let sql = format!(
        "select {} from checkpoints c where c.tenant = $1 order by c.size desc limit 1",
        CheckpointRow::columns_of("c")
    );
    Ok(tx.query_as(&sql, &[Value::from(&scope.tenant)], |row| CheckpointRow::read(row, 0))?.pop())
}

/// All checkpoints, smallest first.
pub fn checkpoints(tx: &mut Tx<'_>, scope: &Scope) -> Result<Vec<CheckpointRow>, StoreError> {
    let sql =
        format!("select {} from checkpoints c where c.tenant = $1 order by c.size", CheckpointRow::columns_of("c"));
    tx.query_as(&sql, &[Value::from(&scope.tenant)], |row| CheckpointRow::read(row, 0))
}
