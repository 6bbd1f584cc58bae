//! Who did what. Rows are never changed or deleted.

use crate::record::{self, Existing, Record, record};
use crate::scope::Filter;
use crate::{Page, PageRequest, Scope, StoreError, Tx, Value};

record! {
    /// One act.
    pub struct AuditRow in "audit" keys(id) {
        /// Its id.
        pub id: String,
        /// When.
        pub at: i64,
        /// Who.
        pub actor: String,
        /// What was done.
        pub action: String,
        /// To what.
        pub resource: String,
        /// How it ended.
        pub outcome: String,
    }
}

/// Appends acts.
pub fn append<'r>(
    tx: &mut Tx<'_>,
    tenant: &str,
    acts: impl IntoIterator<Item = &'r AuditRow>,
) -> Result<u64, StoreError> {
    record::insert(tx, tenant, Existing::Refuse, acts)
}

/// Acts, latest first. Agents see none.
pub fn list(tx: &mut Tx<'_>, scope: &Scope, request: &PageRequest) -> Result<Page<AuditRow>, StoreError> {
    const LIST: &str = "audit";
    let mut filter = Filter::whole_tenant(scope, "a");
    filter.and_seek("a.at, a.id", "<", request.seek(LIST, 2)?);
    let limit = filter.bind(request.fetch_limit());
    let sql = format!(
        "select {} from audit a {} order by a.at desc, a.id desc limit {limit}",
        AuditRow::columns_of("a"),
        filter.clause()
    );
    let items = tx.query_as(&sql, filter.values(), |row| AuditRow::read(row, 0))?;
    Ok(request.page(LIST, items, |it| vec![Value::from(it.at), Value::from(&it.id)]))
}
