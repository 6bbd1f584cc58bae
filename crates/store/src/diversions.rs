//! Breaks of payments with what they can be grouped by, to find whose payments lose their money.

use std::collections::BTreeMap;

use crate::scope::Filter;
use crate::{Scope, StoreError, Tx, Value};

/// What payments can have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DivertedBy {
    /// Terminal id.
    Terminal,
    /// Agent of the merchant.
    Agent,
    /// Version of the payment application of the terminal.
    AppVersion,
    /// Agent that maintains the terminal.
    Maintainer,
    /// Account that a diverted payout went to.
    Account,
    /// Merchant where the payment was made.
    Merchant,
}

/// The diverted payments of one group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DivertedGroup {
    /// What they have in common.
    pub by: DivertedBy,
    /// Its value.
    pub key: String,
    /// Classes of breaks that count.
    pub classes: Vec<&'static str>,
}

/// A break with the payment that it belongs to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DivertedRow {
    /// `payments.id`
    pub payment_id: String,
    /// Fine class.
    pub class: String,
    /// Value of what is grouped by; empty when it is not known.
    pub group: String,
    /// Terminal id.
    pub tid: String,
    /// Merchant code.
    pub merchant_code: String,
    /// Agent of the merchant, or empty.
    pub agent_code: String,
    /// Account that the payout went to, or empty.
    pub account: String,
    /// Amount of the payment.
    pub amount_minor: i64,
    /// Found less expected.
    pub difference_minor: i64,
    /// When the payment began.
    pub started_at: i64,
    /// When the account that the payout went to was last brought in for this merchant.
    pub account_changed_at: Option<i64>,
}

/// The one class whose `found` is an account.
const ACCOUNT: &str = "case when b.class = 'PAYOUT_DIVERTED' then b.found else '' end";

/// The last change that brought this account in for the payment's merchant.
const ACCOUNT_CHANGED: &str = "(select max(a.valid_from) from settlement_accounts a where a.tenant = b.tenant \
     and a.merchant_code = p.merchant_code and a.account_no = b.found and b.class = 'PAYOUT_DIVERTED')";

/// Breaks of these classes within the scope, by payment and class.
pub fn breaks(
    tx: &mut Tx<'_>,
    scope: &Scope,
    by: DivertedBy,
    classes: &[&'static str],
) -> Result<Vec<DivertedRow>, StoreError> {
    let mut filter = Filter::scoped(scope, "p", "p.agent_code");
    let listed = filter.bind_list(classes.iter().map(|class| Value::from(*class)));
    filter.and(format!("b.class in {listed}"));
    let (key, join) = match terminal_values(by, &mut filter) {
        Some(values) => ("coalesce(t.value, '')", format!("left join ({values}) t on t.tid = p.tid")),
        None => (column(by), String::new()),
    };
    let sql = format!(
        "select b.payment_id, b.class, {key}, p.tid, p.merchant_code, p.agent_code, {ACCOUNT}, p.amount_minor, \
           b.difference_minor, p.started_at, {ACCOUNT_CHANGED} \
         from breaks b join payments p on p.tenant = b.tenant and p.id = b.payment_id {join} {} \
         order by b.payment_id, b.class",
        filter.clause()
    );
    tx.query_as(&sql, filter.values(), |row| {
        Ok(DivertedRow {
            payment_id: row.text(0)?.to_owned(),
            class: row.text(1)?.to_owned(),
            group: row.text(2)?.to_owned(),
            tid: row.text(3)?.to_owned(),
            merchant_code: row.text(4)?.to_owned(),
            agent_code: row.text(5)?.to_owned(),
            account: row.text(6)?.to_owned(),
            amount_minor: row.int(7)?,
            difference_minor: row.int(8)?,
            started_at: row.int(9)?,
            account_changed_at: row.opt_int(10)?,
        })
    })
}

/// How many payments each group has within the scope, diverted or not. None for accounts: of a payment whose payout
/// is in order the store does not keep the account.
pub fn totals(tx: &mut Tx<'_>, scope: &Scope, by: DivertedBy) -> Result<Option<BTreeMap<String, u64>>, StoreError> {
    if by == DivertedBy::Account {
        return Ok(None);
    }
    let mut filter = Filter::scoped(scope, "p", "p.agent_code");
    let sql = match terminal_values(by, &mut filter) {
        // Terminals are counted first, which an index alone can answer.
        Some(values) => format!(
            "select t.value, cast(sum(c.n) as bigint) from (\
               select p.tid, count(*) as n from payments p {} group by p.tid) c \
             join ({values}) t on t.tid = c.tid group by t.value",
            filter.clause()
        ),
        None => {
            let column = column(by);
            format!("select {column}, count(*) from payments p {} group by {column}", filter.clause())
        }
    };
    let rows = tx.query_as(&sql, filter.values(), |row| Ok((row.text(0)?.to_owned(), row.int(1)?)))?;
    let known = rows.into_iter().filter(|(key, _)| !key.is_empty());
    Ok(Some(known.map(|(key, n)| (key, u64::try_from(n).unwrap_or_default())).collect()))
}

/// Names of agents and merchants within the scope, by code; other groups have no name.
pub fn names(
    tx: &mut Tx<'_>,
    scope: &Scope,
    by: DivertedBy,
    keys: &[&str],
) -> Result<BTreeMap<String, String>, StoreError> {
    let (table, agent) = match by {
        DivertedBy::Agent | DivertedBy::Maintainer => ("agents", "r.code"),
        DivertedBy::Merchant => ("merchants", "r.agent_code"),
        DivertedBy::Terminal | DivertedBy::AppVersion | DivertedBy::Account => return Ok(BTreeMap::new()),
    };
    let mut filter = Filter::scoped(scope, "r", agent);
    let listed = filter.bind_list(keys.iter().map(|key| Value::from(*key)));
    filter.and(format!("r.code in {listed}"));
    let sql = format!("select r.code, r.name from {table} r {}", filter.clause());
    let rows = tx.query_as(&sql, filter.values(), |row| Ok((row.text(0)?.to_owned(), row.text(1)?.to_owned())))?;
    Ok(rows.into_iter().collect())
}

/// The condition that a row with columns `tid`, `merchant_code`, `agent_code` and a payment's id is of the group.
pub(crate) fn condition<'v>(filter: &mut Filter<'v>, alias: &str, id: &str, wanted: &'v DivertedGroup) -> String {
    let listed = filter.bind_list(wanted.classes.iter().map(|class| Value::from(*class)));
    let key = filter.bind(wanted.key.as_str());
    let broken = format!(
        "select b.payment_id from breaks b where b.tenant = {alias}.tenant and b.payment_id = {alias}.{id} \
         and b.class in {listed}"
    );
    if wanted.by == DivertedBy::Account {
        return format!("exists ({broken} and {ACCOUNT} = {key})");
    }
    let of_group = match terminal_values(wanted.by, filter) {
        Some(values) => format!("{alias}.tid in (select v.tid from ({values}) v where v.value = {key})"),
        None => format!("{} = {key}", column(wanted.by).replacen("p.", &format!("{alias}."), 1)),
    };
    format!("{of_group} and exists ({broken})")
}

/// Where the value stands that does not need the terminal's registration.
const fn column(by: DivertedBy) -> &'static str {
    match by {
        DivertedBy::Agent => "p.agent_code",
        DivertedBy::Merchant => "p.merchant_code",
        DivertedBy::Account => ACCOUNT,
        DivertedBy::Terminal | DivertedBy::AppVersion | DivertedBy::Maintainer => "p.tid",
    }
}

/// Terminal ids with the value of their registration. Where two devices of one id differ, nobody knows the value.
/// A maintainer outside the reader's scope is unknown to the reader.
fn terminal_values(by: DivertedBy, filter: &mut Filter<'_>) -> Option<String> {
    let (column, within) = match by {
        DivertedBy::AppVersion => ("r.app_version", None),
        DivertedBy::Maintainer => ("r.agent_code", filter.within_scope("known.value")),
        DivertedBy::Terminal | DivertedBy::Agent | DivertedBy::Account | DivertedBy::Merchant => return None,
    };
    let known = format!(
        "select r.tid, max({column}) as value from terminals r where r.tenant = $1 group by r.tid \
         having min({column}) = max({column})"
    );
    let clause = within.map(|condition| format!(" where {condition}")).unwrap_or_default();
    Some(format!("select known.tid, known.value from ({known}) known{clause}"))
}
