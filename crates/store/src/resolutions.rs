//! How breaks are resolved: where each stands, and the steps that led there.

use crate::breaks::BreakRow;
use crate::record::{self, Existing, Record, record};
use crate::scope::Filter;
use crate::{Scope, StoreError, Tx, Value};

record! {
    /// Where the resolution of a break stands. It outlives the break.
    pub struct ResolutionRow in "resolutions" keys(payment_id, class) {
        /// `payments.id`
        pub payment_id: String,
        /// Class of the break.
        pub class: String,
        /// `proposed`, `approved`, `acted`, `confirmed`, `rejected`, `withdrawn`, `failed`, `reopened`
        pub state: String,
        /// How many steps were taken.
        pub version: i64,
        /// What is proposed.
        pub action: String,
        /// How much money moves.
        pub amount_minor: i64,
        /// Of whom a recovery is asked, or empty.
        pub party: String,
        /// Names of documents.
        pub documents: String,
        /// Why it was proposed.
        pub note: String,
        /// Under which number it was done.
        pub reference: String,
        /// Who proposed it.
        pub maker: String,
        /// Who approved it.
        pub checker: String,
        /// What the break said should stand there.
        pub expected: String,
        /// What it said stands there.
        pub found: String,
        /// The difference that it showed.
        pub difference_minor: i64,
        /// When the last step was taken.
        pub updated_at: i64,
    }
}

record! {
    /// One step.
    pub struct StepRow in "resolution_steps" keys(payment_id, class, version) {
        /// `payments.id`
        pub payment_id: String,
        /// Class of the break.
        pub class: String,
        /// Number of the step, from 1.
        pub version: i64,
        /// `propose`, `approve`, `reject`, `withdraw`, `act`, `confirm`, `fail`, `reopen`
        pub step: String,
        /// State after it.
        pub state: String,
        /// Who took it.
        pub author: String,
        /// When.
        pub at: i64,
        /// What is proposed.
        pub action: String,
        /// How much money moves.
        pub amount_minor: i64,
        /// Of whom a recovery is asked, or empty.
        pub party: String,
        /// Names of documents.
        pub documents: String,
        /// What the author says.
        pub note: String,
        /// Under which number it was done.
        pub reference: String,
        /// What the break said should stand there.
        pub expected: String,
        /// What it said stands there.
        pub found: String,
        /// The difference that it showed.
        pub difference_minor: i64,
        /// Entry of the evidence log.
        pub entry_index: i64,
    }
}

/// Stores where a resolution stands, with the step that led there. A step whose number is taken is refused: two people
/// never take the same step.
pub fn put(tx: &mut Tx<'_>, tenant: &str, row: &ResolutionRow, step: &StepRow) -> Result<(), StoreError> {
    record::insert(tx, tenant, Existing::Refuse, [step])?;
    record::insert(tx, tenant, Existing::Replace, [row])?;
    Ok(())
}

/// The resolutions of the breaks of one payment, by class.
pub fn of_payment(tx: &mut Tx<'_>, scope: &Scope, payment_id: &str) -> Result<Vec<ResolutionRow>, StoreError> {
    let mut filter = within(scope, "r");
    filter.and_value("r.payment_id =", payment_id);
    let sql =
        format!("select {} from resolutions r {} order by r.class", ResolutionRow::columns_of("r"), filter.clause());
    tx.query_as(&sql, filter.values(), |row| ResolutionRow::read(row, 0))
}

/// The steps of the resolution of one break, first first.
pub fn steps(tx: &mut Tx<'_>, scope: &Scope, payment_id: &str, class: &str) -> Result<Vec<StepRow>, StoreError> {
    let mut filter = within(scope, "s");
    filter.and_value("s.payment_id =", payment_id);
    filter.and_value("s.class =", class);
    let sql =
        format!("select {} from resolution_steps s {} order by s.version", StepRow::columns_of("s"), filter.clause());
    tx.query_as(&sql, filter.values(), |row| StepRow::read(row, 0))
}

/// Streams all steps of the tenant, by break and number. Agents may not.
pub fn for_each_step(
    tx: &mut Tx<'_>,
    scope: &Scope,
    mut each: impl FnMut(StepRow) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let filter = Filter::whole_tenant(scope, "s");
    let sql = format!(
        "select {} from resolution_steps s {} order by s.payment_id, s.class, s.version",
        StepRow::columns_of("s"),
        filter.clause()
    );
    tx.for_each(&sql, filter.values(), |row| each(StepRow::read(row, 0)?))
}

/// Streams where all resolutions of the tenant stand, by break. Agents may not.
pub fn for_each(
    tx: &mut Tx<'_>,
    scope: &Scope,
    mut each: impl FnMut(ResolutionRow) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let filter = Filter::whole_tenant(scope, "r");
    let sql = format!(
        "select {} from resolutions r {} order by r.payment_id, r.class",
        ResolutionRow::columns_of("r"),
        filter.clause()
    );
    tx.for_each(&sql, filter.values(), |row| each(ResolutionRow::read(row, 0)?))
}

/// Resolutions whose break is there and says something else than when it was proposed, with that break.
pub fn with_changed_facts(tx: &mut Tx<'_>, tenant: &str) -> Result<Vec<(ResolutionRow, BreakRow)>, StoreError> {
    let sql = format!(
        "select {}, {} from resolutions r join breaks b \
         on b.tenant = r.tenant and b.payment_id = r.payment_id and b.class = r.class where r.tenant = $1 \
         and (b.expected <> r.expected or b.found <> r.found or b.difference_minor <> r.difference_minor) \
         order by r.payment_id, r.class",
        ResolutionRow::columns_of("r"),
        BreakRow::columns_of("b")
    );
    tx.query_as(&sql, &[Value::from(tenant)], |row| {
        Ok((ResolutionRow::read(row, 0)?, BreakRow::read(row, ResolutionRow::COLUMNS.len())?))
    })
}

/// As with breaks: the agent is that of the payment.
fn within<'v>(scope: &'v Scope, alias: &str) -> Filter<'v> {
    let mut filter = Filter::of_tenant(scope, alias);
    if let Some(agent) = filter.within_scope("p.agent_code") {
        filter.and(format!(
            "exists (select 1 from payments p where p.tenant = {alias}.tenant and p.id = {alias}.payment_id and {agent})"
        ));
    }
    filter
}
