//! Counts that the networks' monitoring programmes are computed from.

use crate::scope::Filter;
use crate::{Scope, StoreError, Tx};

/// What one subject did between two times.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MonthRow {
    /// Merchant, or empty for the whole acquirer.
    pub merchant_code: String,
    /// Cleared sales: approved payments.
    pub sales: i64,
    /// Payments that were charged back, by the day of the payment.
    pub disputes: i64,
}

/// Counts by merchant, most disputes first; merchants without any are added up in one row without a code.
pub fn by_merchant(tx: &mut Tx<'_>, scope: &Scope, from: i64, before: i64) -> Result<Vec<MonthRow>, StoreError> {
    let mut filter = Filter::scoped(scope, "p", "p.agent_code");
    filter.and_value("p.started_at >=", from);
    filter.and_value("p.started_at <", before);
    let sql = format!(
        "select p.merchant_code, cast(sum(case when p.outcome = 'approved' then 1 else 0 end) as bigint), \
         cast(sum(case when p.kinds like '%K8%' then 1 else 0 end) as bigint) from payments p {} \
         group by p.merchant_code order by 3 desc, 1",
        filter.clause()
    );
    let all = tx.query_as(&sql, filter.values(), |row| {
        Ok(MonthRow { merchant_code: row.text(0)?.to_owned(), sales: row.int(1)?, disputes: row.int(2)? })
    })?;
    let (mut with, without): (Vec<_>, Vec<_>) = all.into_iter().partition(|row| row.disputes > 0);
    let rest = without.iter().map(|row| row.sales).sum();
    with.push(MonthRow { merchant_code: String::new(), sales: rest, disputes: 0 });
    Ok(with)
}
