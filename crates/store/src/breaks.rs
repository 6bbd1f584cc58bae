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

/// Which breaks are wanted. All that is given must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BreakFilter {
    /// Of this class.
    pub class: Option<String>,
    /// Resolution in one of these states; a break without one is `open`. Empty means all.
    pub states: Vec<String>,
    /// Of a payment of this agent or one below it.
    pub agent: Option<String>,
    /// Of a payment of this day or later, such as `2026-09-21`.
    pub from_day: Option<String>,
    /// Of a payment before this day.
    pub before_day: Option<String>,
    /// At stake at least.
    pub min_amount: Option<i64>,
    /// At stake at most.
    pub max_amount: Option<i64>,
}

/// A break as lists show it: with its payment and where its resolution stands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BreakItem {
    /// The break.
    pub row: BreakRow,
    /// Agent of the payment, or empty.
    pub agent_code: String,
    /// Merchant of the payment, or empty.
    pub merchant_code: String,
    /// What is at stake: the difference, or the whole payment where the break is not about an amount.
    pub stake_minor: i64,
    /// State of its resolution; `open` without one.
    pub state: String,
    /// Steps taken.
    pub version: i64,
    /// What is proposed, or empty.
    pub action: String,
    /// Who proposed it, or empty.
    pub maker: String,
}

/// Breaks of one class, day and state.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BreakDay {
    /// Fine class.
    pub class: String,
    /// Coarse class.
    pub coarse: String,
    /// Day of the payments.
    pub day: String,
    /// State of their resolutions.
    pub state: String,
    /// How many.
    pub count: i64,
    /// Sum of what is at stake.
    pub stake_minor: i64,
    /// Sum of the differences.
    pub difference_minor: i64,
}

const STAKE: &str = "(case when b.difference_minor > 0 then b.difference_minor when b.difference_minor < 0 \
     then -b.difference_minor else coalesce(p.amount_minor, 0) end)";
const STATE: &str = "coalesce(r.state, 'open')";
/// Payment ids begin with the day.
const DAY: &str = "substr(b.payment_id, 1, 10)";
const WITH_PAYMENT_AND_RESOLUTION: &str = "from breaks b \
     left join payments p on p.tenant = b.tenant and p.id = b.payment_id \
     left join resolutions r on r.tenant = b.tenant and r.payment_id = b.payment_id and r.class = b.class";

/// Breaks within the scope, by class and payment.
pub fn list(
    tx: &mut Tx<'_>,
    scope: &Scope,
    wanted: &BreakFilter,
    request: &PageRequest,
) -> Result<Page<BreakItem>, StoreError> {
    const LIST: &str = "breaks";
    let mut filter = wanted_within(scope, wanted);
    filter.and_seek("b.class, b.payment_id", ">", request.seek(LIST, 2)?);
    let limit = filter.bind(request.fetch_limit());
    let sql = format!(
        "select {}, coalesce(p.agent_code, ''), coalesce(p.merchant_code, ''), {STAKE}, {STATE}, coalesce(r.version, 0), \
         coalesce(r.action, ''), coalesce(r.maker, '') {WITH_PAYMENT_AND_RESOLUTION} {} \
         order by b.class, b.payment_id limit {limit}",
        BreakRow::columns_of("b"),
        filter.clause()
    );
    let items = tx.query_as(&sql, filter.values(), |row| {
        let after = BreakRow::COLUMNS.len();
        Ok(BreakItem {
            row: BreakRow::read(row, 0)?,
            agent_code: row.text(after)?.to_owned(),
            merchant_code: row.text(after + 1)?.to_owned(),
            stake_minor: row.int(after + 2)?,
            state: row.text(after + 3)?.to_owned(),
            version: row.int(after + 4)?,
            action: row.text(after + 5)?.to_owned(),
            maker: row.text(after + 6)?.to_owned(),
        })
    })?;
    Ok(request.page(LIST, items, |it| vec![Value::from(&it.row.class), Value::from(&it.row.payment_id)]))
}

/// Sums of breaks within the scope, by class, day of the payment and state of the resolution.
pub fn days(tx: &mut Tx<'_>, scope: &Scope, wanted: &BreakFilter) -> Result<Vec<BreakDay>, StoreError> {
    let filter = wanted_within(scope, wanted);
    let sql = format!(
        "select b.class, b.coarse, {DAY}, {STATE}, count(*), cast(sum({STAKE}) as bigint), \
         cast(sum(b.difference_minor) as bigint) {WITH_PAYMENT_AND_RESOLUTION} {} \
         group by b.class, b.coarse, {DAY}, {STATE} order by b.class, b.coarse, {DAY}, {STATE}",
        filter.clause()
    );
    tx.query_as(&sql, filter.values(), |row| {
        Ok(BreakDay {
            class: row.text(0)?.to_owned(),
            coarse: row.text(1)?.to_owned(),
            day: row.text(2)?.to_owned(),
            state: row.text(3)?.to_owned(),
            count: row.int(4)?,
            stake_minor: row.int(5)?,
            difference_minor: row.int(6)?,
        })
    })
}

fn wanted_within<'v>(scope: &'v Scope, wanted: &'v BreakFilter) -> Filter<'v> {
    let mut filter = Filter::of_tenant(scope, "b");
    if let Some(agent) = filter.within_scope("p.agent_code") {
        filter.and(agent);
    }
    filter.and_some("b.class =", wanted.class.as_deref());
    filter.and_subtree("p.agent_code", wanted.agent.as_deref());
    filter.and_some("b.payment_id >=", wanted.from_day.as_deref());
    filter.and_some("b.payment_id <", wanted.before_day.as_deref());
    filter.and_some(&format!("{STAKE} >="), wanted.min_amount);
    filter.and_some(&format!("{STAKE} <="), wanted.max_amount);
    if !wanted.states.is_empty() {
        let marks = filter.bind_list(wanted.states.iter().map(Value::from));
        filter.and(format!("{STATE} in {marks}"));
    }
    filter
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
