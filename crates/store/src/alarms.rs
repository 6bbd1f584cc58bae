//! Alarms: rates that are raised, seen live or in records.

use crate::record::{self, Existing, Record, record};
use crate::scope::Filter;
use crate::{Scope, StoreError, Tx};

record! {
    /// An alarm.
    pub struct AlarmRow in "alarms" keys(id) {
        /// Its id.
        pub id: String,
        /// `live` or `records`.
        pub origin: String,
        /// What is raised.
        pub signal: String,
        /// Where: the kind of cell,
        pub layer: String,
        /// and which.
        pub cell: String,
        /// `raised`, `confirmed`, `recovered`, `accepted` or `withdrawn`.
        pub standing: String,
        /// When it seems to have begun.
        pub since_at: i64,
        /// When the evidence was enough.
        pub raised_at: i64,
        /// When the promised test agreed.
        pub confirmed_at: Option<i64>,
        /// When it was over.
        pub ended_at: Option<i64>,
        /// Attempts since it began.
        pub attempts: i64,
        /// Hits since it began.
        pub hits: i64,
        /// Expected hits, thousandths.
        pub expected_milli: i64,
        /// Evidence, bits.
        pub evidence_bits: i64,
        /// Evidence that was needed, bits.
        pub needed_bits: i64,
        /// JSON: the comparison with peers.
        pub body: String,
    }
}

/// Which alarms are wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AlarmFilter {
    /// Only those that stand.
    pub standing_only: bool,
    /// Of this signal.
    pub signal: Option<String>,
}

/// Stores alarms in place of what was known of them.
pub fn put<'r>(
    tx: &mut Tx<'_>,
    tenant: &str,
    alarms: impl IntoIterator<Item = &'r AlarmRow>,
) -> Result<u64, StoreError> {
    record::insert(tx, tenant, Existing::Replace, alarms)
}

/// Stores live alarms in place of all that stand and of those that ended since a time.
pub fn replace_live(tx: &mut Tx<'_>, tenant: &str, alarms: &[AlarmRow], since: i64) -> Result<(), StoreError> {
    let sql = "delete from alarms where tenant = $1 and origin = 'live' and (ended_at is null or ended_at >= $2)";
    tx.execute(sql, crate::values![tenant, since])?;
    put(tx, tenant, alarms).map(|_| ())
}

/// Removes the alarms that were seen in records, before those of a whole judgement are put.
pub fn clear_records(tx: &mut Tx<'_>, tenant: &str) -> Result<u64, StoreError> {
    tx.execute("delete from alarms where tenant = $1 and origin = 'records'", crate::values![tenant])
}

/// Forgets live alarms that ended before a time.
pub fn forget(tx: &mut Tx<'_>, tenant: &str, before: i64) -> Result<u64, StoreError> {
    let sql = "delete from alarms where tenant = $1 and origin = 'live' and ended_at < $2";
    tx.execute(sql, crate::values![tenant, before])
}

/// Alarms, those that stand first, the newest first. A cell may name agents and terminals of others, so an agent sees
/// none.
pub fn list(tx: &mut Tx<'_>, scope: &Scope, filter: &AlarmFilter, most: i64) -> Result<Vec<AlarmRow>, StoreError> {
    let mut chosen = Filter::whole_tenant(scope, "a");
    chosen.and_some("a.signal =", filter.signal.as_deref());
    if filter.standing_only {
        chosen.and("a.ended_at is null");
    }
    let sql = format!(
        "select {} from alarms a {} \
         order by case when a.ended_at is null then 0 else 1 end, a.raised_at desc, a.id limit {most}",
        AlarmRow::columns_of("a"),
        chosen.clause()
    );
    tx.query_as(&sql, chosen.values(), |row| AlarmRow::read(row, 0))
}
