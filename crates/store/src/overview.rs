//! The overview: sums over the tallies, a small cube by hour, agent, city, kind, cause and outward payer.

use std::collections::BTreeMap;

use crate::record::{self, Existing, record};
use crate::scope::Filter;
use crate::{Scope, StoreError, Tx, values};

record! {
    /// One cell of the cube. Kind `''` counts all payments of the hour, with cause and outward `''`.
    pub struct TallyRow in "tallies" keys(hour_at, agent_code, city, kind, cause, outward) {
        /// First instant of the hour.
        pub hour_at: i64,
        /// Agent of the payments, or empty.
        pub agent_code: String,
        /// City of the payments.
        pub city: String,
        /// `K1` to `K8`, or empty for all payments.
        pub kind: String,
        /// Code of the cause.
        pub cause: String,
        /// Party that pays the user first.
        pub outward: String,
        /// Payments.
        pub payments: i64,
        /// Their amount.
        pub amount_minor: i64,
        /// Their loss.
        pub loss_minor: i64,
    }
}

/// Payments with their amount and loss. A payment of two kinds counts once in each.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sums {
    /// Payments.
    pub count: i64,
    /// Their amount.
    pub amount_minor: i64,
    /// Their loss.
    pub loss_minor: i64,
}

/// Payments and exceptions of one hour.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HourSums {
    /// All payments.
    pub payments: i64,
    /// Exceptions among them.
    pub exceptions: i64,
    /// Exceptions by kind.
    pub by_kind: BTreeMap<String, i64>,
}

/// Sums of a span of time.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Overview {
    /// All payments; the loss is 0 here.
    pub payments: Sums,
    /// All exceptions.
    pub exceptions: Sums,
    /// Exceptions by kind.
    pub by_kind: BTreeMap<String, Sums>,
    /// Exceptions by cause.
    pub by_cause: BTreeMap<String, Sums>,
    /// Exceptions by the party that pays the user first.
    pub by_outward: BTreeMap<String, Sums>,
    /// Each hour that has payments, by its first instant.
    pub by_hour: BTreeMap<i64, HourSums>,
}

/// Counts of files. Agents see none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FileSums {
    /// Files.
    pub files: i64,
    /// Rows read.
    pub rows: i64,
    /// Rows refused.
    pub rejected: i64,
}

/// Stores cells in place of what they held.
pub fn put_tallies<'r>(
    tx: &mut Tx<'_>,
    tenant: &str,
    tallies: impl IntoIterator<Item = &'r TallyRow>,
) -> Result<u64, StoreError> {
    record::insert(tx, tenant, Existing::Replace, tallies)
}

/// Adds to what the cells hold.
pub fn add_tallies<'r>(
    tx: &mut Tx<'_>,
    tenant: &str,
    tallies: impl IntoIterator<Item = &'r TallyRow>,
) -> Result<u64, StoreError> {
    record::insert(tx, tenant, Existing::Add, tallies)
}

/// Empties the cells of hours `from..to`, before they are counted anew.
pub fn clear_tallies(tx: &mut Tx<'_>, tenant: &str, from: i64, to: i64) -> Result<u64, StoreError> {
    tx.execute("delete from tallies where tenant = $1 and hour_at >= $2 and hour_at < $3", values![tenant, from, to])
}

/// The hours that have payments, earliest first: the caller knows which business dates they are.
pub fn hours(tx: &mut Tx<'_>, scope: &Scope) -> Result<Vec<i64>, StoreError> {
    let filter = Filter::scoped(scope, "t", "t.agent_code");
    let sql = format!("select distinct t.hour_at from tallies t {} order by t.hour_at", filter.clause());
    tx.query_as(&sql, filter.values(), |row| row.int(0))
}

/// Sums of the hours `from..to` within the scope.
pub fn overview(tx: &mut Tx<'_>, scope: &Scope, from: i64, to: i64) -> Result<Overview, StoreError> {
    let mut filter = Filter::scoped(scope, "t", "t.agent_code");
    filter.and_value("t.hour_at >=", from);
    filter.and_value("t.hour_at <", to);
    let sql = format!(
        "select t.hour_at, t.kind, t.cause, t.outward, cast(sum(t.payments) as bigint), \
           cast(sum(t.amount_minor) as bigint), cast(sum(t.loss_minor) as bigint) \
         from tallies t {} group by t.hour_at, t.kind, t.cause, t.outward",
        filter.clause()
    );
    let mut overview = Overview::default();
    tx.for_each(&sql, filter.values(), |row| {
        let cell = Sums { count: row.int(4)?, amount_minor: row.int(5)?, loss_minor: row.int(6)? };
        overview.add(row.int(0)?, row.text(1)?, row.text(2)?, row.text(3)?, cell)
    })?;
    Ok(overview)
}

/// Counts of all files.
pub fn file_sums(tx: &mut Tx<'_>, scope: &Scope) -> Result<FileSums, StoreError> {
    let filter = Filter::whole_tenant(scope, "f");
    let sql = format!(
        "select count(*), cast(coalesce(sum(f.rows_total), 0) as bigint), \
           cast(coalesce(sum(f.rows_rejected), 0) as bigint) from files f {}",
        filter.clause()
    );
    let row = tx.query_first(&sql, filter.values())?;
    row.map_or(Ok(FileSums::default()), |row| {
        Ok(FileSums { files: row.int(0)?, rows: row.int(1)?, rejected: row.int(2)? })
    })
}

impl Overview {
    fn add(&mut self, hour_at: i64, kind: &str, cause: &str, outward: &str, cell: Sums) -> Result<(), StoreError> {
        let hour = self.by_hour.entry(hour_at).or_default();
        if kind.is_empty() {
            hour.payments += cell.count;
            return self.payments.add(cell);
        }
        hour.exceptions += cell.count;
        *hour.by_kind.entry(kind.to_owned()).or_default() += cell.count;
        self.exceptions.add(cell)?;
        self.by_kind.entry(kind.to_owned()).or_default().add(cell)?;
        self.by_cause.entry(cause.to_owned()).or_default().add(cell)?;
        self.by_outward.entry(outward.to_owned()).or_default().add(cell)
    }
}

impl Sums {
    fn add(&mut self, other: Self) -> Result<(), StoreError> {
        let add = |a: i64, b: i64| {
            a.checked_add(b).ok_or(StoreError::Damaged { what: "tallies", detail: "a sum exceeds 64 bits".into() })
        };
        self.count = add(self.count, other.count)?;
        self.amount_minor = add(self.amount_minor, other.amount_minor)?;
        self.loss_minor = add(self.loss_minor, other.loss_minor)?;
        Ok(())
    }
}
