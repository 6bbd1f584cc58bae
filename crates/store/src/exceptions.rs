//! Exceptions: one row a payment and kind, with its verdict.

use std::collections::HashMap;

use crate::record::{self, Existing, Record, record};
use crate::scope::Filter;
use crate::{Scope, StoreError, Tx, Value};

record! {
    /// The verdict on one payment in one kind. The whole decision is the body of its evidence entry.
    pub struct ExceptionRow in "exceptions" keys(payment_id, kind) {
        /// `payments.id`
        pub payment_id: String,
        /// `K1` to `K8`.
        pub kind: String,
        /// As in the payment, so that lists need not join.
        pub started_at: i64,
        /// As in the payment.
        pub tid: String,
        /// As in the payment.
        pub merchant_code: String,
        /// As in the payment.
        pub agent_code: String,
        /// As in the payment.
        pub city: String,
        /// As in the payment.
        pub amount_minor: i64,
        /// Code of the cause.
        pub cause: String,
        /// `confirmed`, `probable`, ...
        pub status: String,
        /// Party that pays the user first.
        pub outward: String,
        /// JSON `{"agent":4000,...}`: who bears it in the end, in basis points.
        pub shares: String,
        /// Loss to be borne.
        pub loss_minor: i64,
        /// Rule that decided.
        pub rule_id: String,
        /// Episode it belongs to, or empty.
        pub episode_id: String,
        /// SHA-256 of the verdict, hex.
        pub verdict_sha256: String,
        /// Index of its evidence entry.
        pub entry_index: i64,
        /// How often it was judged, from 1.
        pub revision: i64,
        /// When it was judged.
        pub decided_at: i64,
    }
}

/// An exception with the case it opened.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ExceptionItem {
    /// The exception.
    pub exception: ExceptionRow,
    /// Its case, if it opened one.
    pub case_id: Option<String>,
}

/// Stores verdicts in place of earlier revisions.
pub fn put<'r>(
    tx: &mut Tx<'_>,
    tenant: &str,
    exceptions: impl IntoIterator<Item = &'r ExceptionRow>,
) -> Result<u64, StoreError> {
    record::insert(tx, tenant, Existing::Replace, exceptions)
}

/// Removes an exception that a new judgement no longer sees. Its evidence entries stay.
pub fn remove(tx: &mut Tx<'_>, tenant: &str, payment_id: &str, kind: &str) -> Result<bool, StoreError> {
    let n_removed = tx.execute(
        "delete from exceptions where tenant = $1 and payment_id = $2 and kind = $3",
        &[Value::from(tenant), Value::from(payment_id), Value::from(kind)],
    )?;
    Ok(n_removed > 0)
}

/// Notes the episode of a verdict that stays as it is.
pub fn set_episode(
    tx: &mut Tx<'_>,
    tenant: &str,
    payment_id: &str,
    kind: &str,
    episode_id: &str,
) -> Result<u64, StoreError> {
    tx.execute(
        "update exceptions set episode_id = $4 where tenant = $1 and payment_id = $2 and kind = $3",
        &[Value::from(tenant), Value::from(payment_id), Value::from(kind), Value::from(episode_id)],
    )
}

/// One verdict that stands.
pub fn by_key(
    tx: &mut Tx<'_>,
    scope: &Scope,
    payment_id: &str,
    kind: &str,
) -> Result<Option<ExceptionRow>, StoreError> {
    let mut filter = Filter::scoped(scope, "e", "e.agent_code");
    filter.and_value("e.payment_id =", payment_id);
    filter.and_value("e.kind =", kind);
    let sql = format!("select {} from exceptions e {}", ExceptionRow::columns_of("e"), filter.clause());
    Ok(tx.query_as(&sql, filter.values(), |row| ExceptionRow::read(row, 0))?.pop())
}

/// The exceptions of some payments, by payment and kind.
pub fn of_payments(tx: &mut Tx<'_>, scope: &Scope, payment_ids: &[&str]) -> Result<Vec<ExceptionItem>, StoreError> {
    if payment_ids.is_empty() {
        return Ok(Vec::new());
    }
    let mut filter = Filter::scoped(scope, "e", "e.agent_code");
    let marks = filter.bind_list(payment_ids.iter().map(|&id| Value::from(id)));
    filter.and(format!("e.payment_id in {marks}"));
    let sql = format!(
        "select {}, c.id from exceptions e \
         left join cases c on c.tenant = e.tenant and c.payment_id = e.payment_id and c.kind = e.kind \
         {} order by e.payment_id, e.kind",
        ExceptionRow::columns_of("e"),
        filter.clause()
    );
    tx.query_as(&sql, filter.values(), |row| {
        let case_id = row.opt_text(ExceptionRow::COLUMNS.len())?.map(str::to_owned);
        Ok(ExceptionItem { exception: ExceptionRow::read(row, 0)?, case_id })
    })
}

/// Streams all exceptions within the scope, by time, each with the retrieval reference of its payment.
pub fn for_each(
    tx: &mut Tx<'_>,
    scope: &Scope,
    mut each: impl FnMut(ExceptionRow, &str) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let filter = Filter::scoped(scope, "e", "e.agent_code");
    let sql = format!(
        "select {}, coalesce(p.rrn, '') from exceptions e \
         left join payments p on p.tenant = e.tenant and p.id = e.payment_id \
         {} order by e.started_at, e.payment_id, e.kind",
        ExceptionRow::columns_of("e"),
        filter.clause()
    );
    tx.for_each(&sql, filter.values(), |row| each(ExceptionRow::read(row, 0)?, row.text(ExceptionRow::COLUMNS.len())?))
}

/// The part of their losses that verdicts lay on an agent, by the agent of the payment.
pub(crate) fn borne_by_agents(tx: &mut Tx<'_>, scope: &Scope) -> Result<HashMap<String, i64>, StoreError> {
    let filter = Filter::scoped(scope, "e", "e.agent_code");
    // Few different splits exist, so few rows come back.
    let sql = format!(
        "select e.agent_code, e.shares, cast(sum(e.loss_minor) as bigint) from exceptions e {} \
         group by e.agent_code, e.shares",
        filter.clause()
    );
    let mut weighted: HashMap<String, i128> = HashMap::new();
    tx.for_each(&sql, filter.values(), |row| {
        let share_bp = agent_share_bp(row.text(1)?)?;
        *weighted.entry(row.text(0)?.to_owned()).or_default() += i128::from(row.int(2)?) * i128::from(share_bp);
        Ok(())
    })?;
    Ok(weighted.into_iter().map(|(code, sum)| (code, i64::try_from(sum / 10_000).unwrap_or(i64::MAX))).collect())
}

fn agent_share_bp(shares: &str) -> Result<u32, StoreError> {
    let shares: HashMap<String, u32> = serde_json::from_str(shares).map_err(|error| StoreError::Damaged {
        what: "shares of an exception",
        detail: format!("{shares}: {error}"),
    })?;
    Ok(shares.get("agent").copied().unwrap_or(0))
}
