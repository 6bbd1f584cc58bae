//! Lines of the double-entry journal. Rows are never changed or deleted.

use crate::record::{self, Existing, Record, record};
use crate::scope::Filter;
use crate::{Scope, StoreError, Tx, Value, values};

record! {
    /// One line of a journal; the lines of a journal sum to zero.
    pub struct LedgerLineRow in "ledger_lines" keys(journal_id, line) {
        /// `CASE_ID.REVISION`
        pub journal_id: String,
        /// Number within the journal.
        pub line: i64,
        /// Account.
        pub account: String,
        /// Party whose account it is.
        pub party: String,
        /// Debit positive, credit negative.
        pub amount_minor: i64,
        /// For what.
        pub memo: String,
        /// When it was booked.
        pub booked_at: i64,
    }
}

/// Books lines; a line that is booked already is left as it is, so that a repeated import books nothing twice.
pub fn insert<'r>(
    tx: &mut Tx<'_>,
    tenant: &str,
    lines: impl IntoIterator<Item = &'r LedgerLineRow>,
) -> Result<u64, StoreError> {
    record::insert(tx, tenant, Existing::Keep, lines)
}

/// The lines of one case, within the scope, in the order they were booked.
pub fn of_case(tx: &mut Tx<'_>, scope: &Scope, case_id: &str) -> Result<Vec<LedgerLineRow>, StoreError> {
    let mut filter = Filter::of_tenant(scope, "l");
    // All journals of a case begin with its id and a dot; `/` is the sign after the dot.
    filter.and_value("l.journal_id >=", Value::from(format!("{case_id}.")));
    filter.and_value("l.journal_id <", Value::from(format!("{case_id}/")));
    if let Some(agent) = filter.within_scope("c.agent_code") {
        let id = filter.bind(case_id);
        filter.and(format!("exists (select 1 from cases c where c.tenant = $1 and c.id = {id} and {agent})"));
    }
    let sql = format!(
        "select {} from ledger_lines l {} order by l.booked_at, l.journal_id, l.line",
        LedgerLineRow::columns_of("l"),
        filter.clause()
    );
    tx.query_as(&sql, filter.values(), |row| LedgerLineRow::read(row, 0))
}

/// Sum of each account and party of the whole tenant.
pub fn balances(tx: &mut Tx<'_>, tenant: &str) -> Result<Vec<(String, String, i64)>, StoreError> {
    tx.query_as(
        "select account, party, cast(sum(amount_minor) as bigint) from ledger_lines where tenant = $1 \
         group by account, party order by account, party",
        values![tenant],
        |row| Ok((row.text(0)?.to_owned(), row.text(1)?.to_owned(), row.int(2)?)),
    )
}

/// Journals whose lines do not sum to zero: always none, or the ledger is damaged.
pub fn unbalanced(tx: &mut Tx<'_>, tenant: &str) -> Result<Vec<String>, StoreError> {
    tx.query_as(
        "select journal_id from ledger_lines where tenant = $1 \
         group by journal_id having sum(amount_minor) <> 0 order by journal_id",
        values![tenant],
        |row| Ok(row.text(0)?.to_owned()),
    )
}
