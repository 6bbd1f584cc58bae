//! Breaks: where two legs of a payment do not agree.

use crate::record::{self, Existing, Record, record};
use crate::scope::Filter;
use crate::{Page, PageRequest, Scope, StoreError, Tx, Value, values};

record! {
    /// A break.
    pub struct BreakRow in "breaks" keys(payment_id, class) {
        /// `payments.id`
        pub payment_id: String,
        /// Fine class.
        pub class: String,
        /// Coarse class.
        pub coarse: String,
        /// What should stand there.
        pub expected: String,
        /// What stands there.
        pub found: String,
        /// Found less expected.
        pub difference_minor: i64,
        /// Party that has to look first.
        pub first_party: String,
    }
}

/// The sum of one class of breaks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BreakSum {
    /// Fine class.
    pub class: String,
    /// Coarse class.
    pub coarse: String,
    /// How many.
    pub count: i64,
    /// Sum of the differences.
    pub difference_minor: i64,
}

/// Stores breaks in place of what was known of them.
pub fn put<'r>(
    tx: &mut Tx<'_>,
    tenant: &str,
    breaks: impl IntoIterator<Item = &'r BreakRow>,
) -> Result<u64, StoreError> {
    record::insert(tx, tenant, Existing::Replace, breaks)
}

/// Removes a break that a new reconciliation no longer sees.
pub fn remove(tx: &mut Tx<'_>, tenant: &str, payment_id: &str, class: &str) -> Result<bool, StoreError> {
    let n_removed = tx.execute(
        "delete from breaks where tenant = $1 and payment_id = $2 and class = $3",
        values![tenant, payment_id, class],
    )?;
    Ok(n_removed > 0)
}

/// Breaks within the scope, by class and payment.
pub fn list(
    tx: &mut Tx<'_>,
    scope: &Scope,
    class: Option<&str>,
    request: &PageRequest,
) -> Result<Page<BreakRow>, StoreError> {
    const LIST: &str = "breaks";
    let mut filter = within(scope);
    filter.and_some("b.class =", class);
    filter.and_seek("b.class, b.payment_id", ">", request.seek(LIST, 2)?);
    let limit = filter.bind(request.fetch_limit());
    let sql = format!(
        "select {} from breaks b {} order by b.class, b.payment_id limit {limit}",
        BreakRow::columns_of("b"),
        filter.clause()
    );
    let items = tx.query_as(&sql, filter.values(), |row| BreakRow::read(row, 0))?;
    Ok(request.page(LIST, items, |it| vec![Value::from(&it.class), Value::from(&it.payment_id)]))
}

/// How many breaks of each class there are within the scope.
pub fn summary(tx: &mut Tx<'_>, scope: &Scope) -> Result<Vec<BreakSum>, StoreError> {
    let filter = within(scope);
    let sql = format!(
        "select b.class, b.coarse, count(*), cast(sum(b.difference_minor) as bigint) from breaks b {} \
         group by b.class, b.coarse order by b.class, b.coarse",
        filter.clause()
    );
    tx.query_as(&sql, filter.values(), |row| {
        Ok(BreakSum {
            class: row.text(0)?.to_owned(),
            coarse: row.text(1)?.to_owned(),
            count: row.int(2)?,
            difference_minor: row.int(3)?,
        })
    })
}

/// The breaks of one payment.
pub fn of_payment(tx: &mut Tx<'_>, scope: &Scope, payment_id: &str) -> Result<Vec<BreakRow>, StoreError> {
    let mut filter = within(scope);
    filter.and_value("b.payment_id =", payment_id);
    let sql = format!("select {} from breaks b {} order by b.class", BreakRow::columns_of("b"), filter.clause());
    tx.query_as(&sql, filter.values(), |row| BreakRow::read(row, 0))
}

/// Streams all breaks within the scope, by payment.
pub fn for_each(
    tx: &mut Tx<'_>,
    scope: &Scope,
    mut each: impl FnMut(BreakRow) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let filter = within(scope);
    let sql = format!(
        "select {} from breaks b {} order by b.payment_id, b.class",
        BreakRow::columns_of("b"),
        filter.clause()
    );
    tx.for_each(&sql, filter.values(), |row| each(BreakRow::read(row, 0)?))
}

/// A break has the agent of its payment; one without a payment here is seen by the whole tenant only.
fn within(scope: &Scope) -> Filter<'_> {
    let mut filter = Filter::of_tenant(scope, "b");
    if let Some(agent) = filter.within_scope("p.agent_code") {
        filter.and(format!(
            "exists (select 1 from payments p where p.tenant = b.tenant and p.id = b.payment_id and {agent})"
        ));
    }
    filter
}
