//! Cases and their obligations.

use crate::record::{self, Existing, Record, record};
use crate::scope::Filter;
use crate::{Page, PageRequest, Scope, StoreError, Tx, Value, values};

record! {
    /// A case: what follows from one verdict.
    pub struct CaseRow in "cases" keys(id) {
        /// Case number, `PAYMENT_ID.KIND`.
        pub id: String,
        /// `payments.id`
        pub payment_id: String,
        /// `K1` to `K8`.
        pub kind: String,
        /// Agent of the payment, or empty.
        pub agent_code: String,
        /// State of the case.
        pub state: String,
        /// When it was opened.
        pub opened_at: i64,
        /// When its first open obligation is due.
        pub due_at: i64,
        /// Party that pays the user first.
        pub outward: String,
        /// Loss at stake.
        pub loss_minor: i64,
        /// How often it changed, from 1.
        pub revision: i64,
    }
}

record! {
    /// What someone has to do for a case, and by when.
    pub struct ObligationRow in "obligations" keys(case_id, seq) {
        /// `cases.id`
        pub case_id: String,
        /// Number within the case.
        pub seq: i64,
        /// What has to be done.
        pub duty: String,
        /// Party that has to do it.
        pub owner: String,
        /// When it is due.
        pub due_at: i64,
        /// Money it is about.
        pub amount_minor: i64,
        /// `open`, `done`, `withdrawn`
        pub state: String,
        /// `automatic`, or `manual` until its limit is verified.
        pub automation: String,
        /// Limit that has to be verified, or empty.
        pub limit_id: String,
        /// Hash of the limit as it was.
        pub limit_sha256: String,
    }
}

/// A case with whether it is late.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CaseItem {
    /// The case.
    pub case: CaseRow,
    /// It has an open obligation that was due before now.
    pub overdue: bool,
}

/// A case with its obligations.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CaseDetail {
    /// The case.
    pub case: CaseRow,
    /// It has an open obligation that was due before now.
    pub overdue: bool,
    /// Its obligations, in order.
    pub obligations: Vec<ObligationRow>,
}

/// Which cases are wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CaseFilter {
    /// In this state.
    pub state: Option<String>,
    /// Of this agent or one below it.
    pub agent: Option<String>,
    /// Only late ones, or only those that are not late.
    pub overdue: Option<bool>,
}

/// Counts of cases.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CaseSums {
    /// Cases with an open obligation.
    pub open: i64,
    /// Those of them that are late.
    pub overdue: i64,
    /// Loss at stake in open cases.
    pub amount_minor: i64,
}

/// Stores cases in place of earlier revisions.
pub fn put<'r>(tx: &mut Tx<'_>, tenant: &str, cases: impl IntoIterator<Item = &'r CaseRow>) -> Result<u64, StoreError> {
    record::insert(tx, tenant, Existing::Replace, cases)
}

/// Stores obligations in place of earlier revisions.
pub fn put_obligations<'r>(
    tx: &mut Tx<'_>,
    tenant: &str,
    obligations: impl IntoIterator<Item = &'r ObligationRow>,
) -> Result<u64, StoreError> {
    record::insert(tx, tenant, Existing::Replace, obligations)
}

/// Cases within the scope, first due first.
pub fn list(
    tx: &mut Tx<'_>,
    scope: &Scope,
    wanted: &CaseFilter,
    now: i64,
    request: &PageRequest,
) -> Result<Page<CaseItem>, StoreError> {
    const LIST: &str = "cases";
    let mut filter = Filter::scoped(scope, "c", "c.agent_code");
    let now = filter.bind(now);
    filter.and_some("c.state =", wanted.state.as_deref());
    filter.and_subtree("c.agent_code", wanted.agent.as_deref());
    if let Some(overdue) = wanted.overdue {
        filter.and(format!("{} = {}", is_overdue(&now), i64::from(overdue)));
    }
    filter.and_seek("c.due_at, c.id", ">", request.seek(LIST, 2)?);
    let limit = filter.bind(request.fetch_limit());
    let sql = format!(
        "select {}, {} from cases c {} order by c.due_at, c.id limit {limit}",
        CaseRow::columns_of("c"),
        is_overdue(&now),
        filter.clause()
    );
    let items = tx.query_as(&sql, filter.values(), |row| {
        Ok(CaseItem { case: CaseRow::read(row, 0)?, overdue: row.int(CaseRow::COLUMNS.len())? == 1 })
    })?;
    Ok(request.page(LIST, items, |item| vec![Value::from(item.case.due_at), Value::from(&item.case.id)]))
}

/// One case within the scope.
pub fn by_id(tx: &mut Tx<'_>, scope: &Scope, id: &str, now: i64) -> Result<Option<CaseDetail>, StoreError> {
    let mut filter = Filter::scoped(scope, "c", "c.agent_code");
    filter.and_value("c.id =", id);
    Ok(details(tx, scope, filter, now)?.pop())
}

/// The cases of one payment, within the scope.
pub fn of_payment(tx: &mut Tx<'_>, scope: &Scope, payment_id: &str, now: i64) -> Result<Vec<CaseDetail>, StoreError> {
    let mut filter = Filter::scoped(scope, "c", "c.agent_code");
    filter.and_value("c.payment_id =", payment_id);
    details(tx, scope, filter, now)
}

fn details(tx: &mut Tx<'_>, scope: &Scope, mut filter: Filter<'_>, now: i64) -> Result<Vec<CaseDetail>, StoreError> {
    let now = filter.bind(now);
    let sql = format!(
        "select {}, {} from cases c {} order by c.id",
        CaseRow::columns_of("c"),
        is_overdue(&now),
        filter.clause()
    );
    let mut cases = tx.query_as(&sql, filter.values(), |row| {
        let overdue = row.int(CaseRow::COLUMNS.len())? == 1;
        Ok(CaseDetail { case: CaseRow::read(row, 0)?, overdue, obligations: Vec::new() })
    })?;
    let sql = format!(
        "select {}, (case when {IS_AUTOMATIC} then 1 else 0 end) from obligations o \
         where o.tenant = $1 and o.case_id = $2 order by o.seq",
        ObligationRow::columns_of("o")
    );
    for it in &mut cases {
        it.obligations = tx.query_as(&sql, values![&scope.tenant, &it.case.id], |row| {
            let mut read = ObligationRow::read(row, 0)?;
            // As of now: a limit may have been verified since the row was written.
            if row.int(ObligationRow::COLUMNS.len())? == 1 {
                "automatic".clone_into(&mut read.automation);
            }
            Ok(read)
        })?;
    }
    Ok(cases)
}

/// Counts of the cases within the scope.
pub fn sums(tx: &mut Tx<'_>, scope: &Scope, now: i64) -> Result<CaseSums, StoreError> {
    let mut filter = Filter::scoped(scope, "c", "c.agent_code");
    let now = filter.bind(now);
    filter.and(
        "exists (select 1 from obligations o where o.tenant = c.tenant and o.case_id = c.id and o.state = 'open')",
    );
    let sql = format!(
        "select count(*), cast(coalesce(sum({}), 0) as bigint), cast(coalesce(sum(c.loss_minor), 0) as bigint) \
         from cases c {}",
        is_overdue(&now),
        filter.clause()
    );
    let row = tx.query_first(&sql, filter.values())?;
    row.map_or(Ok(CaseSums::default()), |row| {
        Ok(CaseSums { open: row.int(0)?, overdue: row.int(1)?, amount_minor: row.int(2)? })
    })
}

/// A duty whose limit nobody verified never falls late by itself (`onus_casework::falls_late`).
fn is_overdue(now: &str) -> String {
    format!(
        "(case when exists (select 1 from obligations o where o.tenant = c.tenant and o.case_id = c.id \
           and o.state = 'open' and o.due_at < {now} and {IS_AUTOMATIC}) then 1 else 0 end)"
    )
}

/// Whether software may act on the duty `o`: by its row, or because its limit was verified as it is.
const IS_AUTOMATIC: &str = "(o.automation = 'automatic' or exists (select 1 from approvals v \
    where v.tenant = o.tenant and v.subject = 'limit' and v.id = o.limit_id and v.state = 'approved' \
    and v.content_sha256 = o.limit_sha256))";

/// Withdraws the open duties of a case after the first `kept`, which its newer verdict no longer has; the case too when
/// none are left.
pub fn withdraw_after(tx: &mut Tx<'_>, tenant: &str, id: &str, kept: i64) -> Result<(), StoreError> {
    tx.execute(
        "update obligations set state = 'withdrawn' where tenant = $1 and case_id = $2 and seq > $3 and state = 'open'",
        values![tenant, id, kept],
    )?;
    if kept == 0 {
        tx.execute("update cases set state = 'WITHDRAWN' where tenant = $1 and id = $2", values![tenant, id])?;
    }
    Ok(())
}

/// Open cases with a duty that waits for a limit: the cases, each once.
pub fn waiting_for(
    tx: &mut Tx<'_>,
    tenant: &str,
    limit_id: &str,
    limit_sha256: &str,
) -> Result<Vec<CaseRow>, StoreError> {
    let sql = format!(
        "select {} from cases c where c.tenant = $1 and exists (select 1 from obligations o where o.tenant = c.tenant \
         and o.case_id = c.id and o.state = 'open' and o.limit_id = $2 and o.limit_sha256 = $3) order by c.id",
        CaseRow::columns_of("c")
    );
    tx.query_as(&sql, values![tenant, limit_id, limit_sha256], |row| CaseRow::read(row, 0))
}
