//! Decisions of two people: where each stands, and the steps that led there.

use crate::record::{self, Existing, Record, record};
use crate::scope::Filter;
use crate::{Scope, StoreError, Tx, Value};

record! {
    /// Where a decision stands.
    pub struct ApprovalRow in "approvals" keys(subject, id) {
        /// `limit`, `rejudgement` or `pack`.
        pub subject: String,
        /// Of what.
        pub id: String,
        /// `listed`, `proposed`, `approved`, `rejected`, `withdrawn`, `revoked`, `superseded`
        pub state: String,
        /// Steps taken.
        pub version: i64,
        /// Hash of what was proposed.
        pub content_sha256: String,
        /// Who proposed it.
        pub maker: String,
        /// Who approved or refused it.
        pub checker: String,
        /// What was said last.
        pub note: String,
        /// When the last step was taken.
        pub updated_at: i64,
    }
}

record! {
    /// One step.
    pub struct ApprovalStepRow in "approval_steps" keys(subject, id, version) {
        /// `limit`, `rejudgement` or `pack`.
        pub subject: String,
        /// Of what.
        pub id: String,
        /// Number of the step, from 1.
        pub version: i64,
        /// `propose`, `approve`, `reject`, `withdraw`, `revoke`
        pub step: String,
        /// State after it.
        pub state: String,
        /// Hash of what was proposed.
        pub content_sha256: String,
        /// Who took it.
        pub author: String,
        /// What the author says.
        pub note: String,
        /// When.
        pub at: i64,
        /// Entry of the evidence log.
        pub entry_index: i64,
    }
}

/// Stores where a decision stands, with the step that led there; a step whose number is taken is refused.
pub fn put(tx: &mut Tx<'_>, tenant: &str, row: &ApprovalRow, step: &ApprovalStepRow) -> Result<(), StoreError> {
    record::insert(tx, tenant, Existing::Refuse, [step])?;
    record::insert(tx, tenant, Existing::Replace, [row])?;
    Ok(())
}

/// Stores decisions that nobody has touched; those that are there stay as they are.
pub fn list_new<'r>(
    tx: &mut Tx<'_>,
    tenant: &str,
    rows: impl IntoIterator<Item = &'r ApprovalRow>,
) -> Result<u64, StoreError> {
    record::insert(tx, tenant, Existing::Keep, rows)
}

/// Ends open decisions because something newer took their place.
pub fn supersede(tx: &mut Tx<'_>, tenant: &str, subject: &str, id: &str, now: i64) -> Result<u64, StoreError> {
    tx.execute(
        "update approvals set state = 'superseded', updated_at = $4 \
         where tenant = $1 and subject = $2 and id = $3 and state in ('listed', 'proposed', 'withdrawn')",
        &[Value::from(tenant), Value::from(subject), Value::from(id), Value::from(now)],
    )
}

/// Ends an approved decision because another took its place.
pub fn retire(tx: &mut Tx<'_>, tenant: &str, subject: &str, id: &str, now: i64) -> Result<u64, StoreError> {
    tx.execute(
        "update approvals set state = 'superseded', updated_at = $4 \
         where tenant = $1 and subject = $2 and id = $3 and state = 'approved'",
        &[Value::from(tenant), Value::from(subject), Value::from(id), Value::from(now)],
    )
}

/// One decision. Agents see none.
pub fn by_id(tx: &mut Tx<'_>, scope: &Scope, subject: &str, id: &str) -> Result<Option<ApprovalRow>, StoreError> {
    let mut filter = Filter::whole_tenant(scope, "a");
    filter.and_value("a.subject =", subject);
    filter.and_value("a.id =", id);
    let sql = format!("select {} from approvals a {}", ApprovalRow::columns_of("a"), filter.clause());
    Ok(tx.query_as(&sql, filter.values(), |row| ApprovalRow::read(row, 0))?.pop())
}

/// All decisions of a subject, by id. Agents see none.
pub fn of_subject(tx: &mut Tx<'_>, scope: &Scope, subject: &str) -> Result<Vec<ApprovalRow>, StoreError> {
    let mut filter = Filter::whole_tenant(scope, "a");
    filter.and_value("a.subject =", subject);
    let sql = format!("select {} from approvals a {} order by a.id", ApprovalRow::columns_of("a"), filter.clause());
    tx.query_as(&sql, filter.values(), |row| ApprovalRow::read(row, 0))
}

/// The steps of one decision, first first. Agents see none.
pub fn steps(tx: &mut Tx<'_>, scope: &Scope, subject: &str, id: &str) -> Result<Vec<ApprovalStepRow>, StoreError> {
    let mut filter = Filter::whole_tenant(scope, "s");
    filter.and_value("s.subject =", subject);
    filter.and_value("s.id =", id);
    let sql = format!(
        "select {} from approval_steps s {} order by s.version",
        ApprovalStepRow::columns_of("s"),
        filter.clause()
    );
    tx.query_as(&sql, filter.values(), |row| ApprovalStepRow::read(row, 0))
}

/// Streams all steps of the tenant with where their decision stands. Agents may not.
pub fn for_each_step(
    tx: &mut Tx<'_>,
    scope: &Scope,
    mut each: impl FnMut(ApprovalStepRow) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let filter = Filter::whole_tenant(scope, "s");
    let sql = format!(
        "select {} from approval_steps s {} order by s.subject, s.id, s.version",
        ApprovalStepRow::columns_of("s"),
        filter.clause()
    );
    tx.for_each(&sql, filter.values(), |row| each(ApprovalStepRow::read(row, 0)?))
}
