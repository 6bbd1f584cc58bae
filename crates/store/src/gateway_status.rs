//! How the gateways stand, each as it said last.

use crate::record::{self, Existing, Record, record};
use crate::scope::Filter;
use crate::{Scope, StoreError, Tx};

record! {
    /// One gateway.
    pub struct GatewayStatusRow in "gateway_status" keys(instance) {
        /// Its name.
        pub instance: String,
        /// When it said this, by the clock of its machine.
        pub at: i64,
        /// JSON.
        pub status: String,
    }
}

/// Stores how a gateway stands in place of what it said before.
pub fn put(tx: &mut Tx<'_>, tenant: &str, row: &GatewayStatusRow) -> Result<(), StoreError> {
    record::insert(tx, tenant, Existing::Replace, [row]).map(|_| ())
}

/// The gateways of the tenant, by name. A gateway carries the traffic of many agents, so none of them sees one.
pub fn list(tx: &mut Tx<'_>, scope: &Scope) -> Result<Vec<GatewayStatusRow>, StoreError> {
    let mut filter = Filter::of_tenant(scope, "g");
    if filter.within_scope("g.instance").is_some() {
        return Ok(Vec::new());
    }
    let sql = format!(
        "select {} from gateway_status g {} order by g.instance",
        GatewayStatusRow::columns_of("g"),
        filter.clause()
    );
    tx.query_as(&sql, filter.values(), |row| GatewayStatusRow::read(row, 0))
}

/// Forgets a gateway that is no more.
pub fn remove(tx: &mut Tx<'_>, tenant: &str, instance: &str) -> Result<bool, StoreError> {
    let removed =
        tx.execute("delete from gateway_status where tenant = $1 and instance = $2", crate::values![tenant, instance])?;
    Ok(removed > 0)
}
