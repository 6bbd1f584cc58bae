//! What verdicts were decided from, the rule packs beside the shipped one, and verdicts that would be others today.

use crate::exceptions::ExceptionRow;
use crate::record::{self, Existing, Record, record};
use crate::scope::Filter;
use crate::{Page, PageRequest, Scope, StoreError, Tx, Value};

record! {
    /// Pack and facts of one revision of a verdict.
    pub struct VerdictFactsRow in "verdict_facts" keys(payment_id, kind, revision) {
        /// `payments.id`
        pub payment_id: String,
        /// `K1` to `K8`.
        pub kind: String,
        /// Revision of the verdict.
        pub revision: i64,
        /// Pack that decided.
        pub pack_sha256: String,
        /// JSON list of name, value, source, grade and time.
        pub facts: String,
    }
}

record! {
    /// A rule pack beside the shipped one.
    pub struct PackRow in "packs" keys(sha256) {
        /// Hash of its files.
        pub sha256: String,
        /// Id.
        pub id: String,
        /// Version.
        pub version: String,
        /// `rules.toml`
        pub rules: String,
        /// `causes.toml`
        pub causes: String,
        /// `cases.toml`
        pub cases: String,
        /// When it was added.
        pub added_at: i64,
        /// By whom.
        pub added_by: String,
    }
}

record! {
    /// A verdict that would be another today.
    pub struct RejudgementRow in "rejudgements" keys(id) {
        /// `PAYMENT.KIND.REVISION.HASH`
        pub id: String,
        /// `payments.id`
        pub payment_id: String,
        /// `K1` to `K8`.
        pub kind: String,
        /// Agent of the payment, or empty.
        pub agent_code: String,
        /// Revision that stands.
        pub from_revision: i64,
        /// `pack`, `facts` or `gone`.
        pub why: String,
        /// JSON: facts that differ.
        pub reason: String,
        /// Pack of the new verdict.
        pub pack_id: String,
        /// Its version.
        pub pack_version: String,
        /// Its hash.
        pub pack_sha256: String,
        /// Hash of the new verdict; empty when there would be none.
        pub verdict_sha256: String,
        /// Cause that stands.
        pub old_cause: String,
        /// Who pays first as it stands.
        pub old_outward: String,
        /// Who bears it as it stands.
        pub old_shares: String,
        /// Loss as it stands.
        pub old_loss_minor: i64,
        /// Rule as it stands.
        pub old_rule_id: String,
        /// Cause as it would be.
        pub new_cause: String,
        /// Who would pay first.
        pub new_outward: String,
        /// Who would bear it.
        pub new_shares: String,
        /// Loss as it would be.
        pub new_loss_minor: i64,
        /// Rule that would decide.
        pub new_rule_id: String,
        /// Money that somebody else would bear.
        pub moved_minor: i64,
        /// What the agent would bear more.
        pub agent_minor: i64,
        /// Facts of the new verdict.
        pub facts: String,
        /// When it was listed.
        pub listed_at: i64,
    }
}

/// A rejudgement with where it stands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RejudgementItem {
    /// The rejudgement.
    pub row: RejudgementRow,
    /// State of the decision.
    pub state: String,
    /// Who proposed it.
    pub maker: String,
    /// Who approved or refused it.
    pub checker: String,
    /// What was said last.
    pub note: String,
}

/// Rejudgements with the same state, reason and rules, added up.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RejudgementSum {
    /// State of the decision.
    pub state: String,
    /// `pack`, `facts` or `gone`.
    pub why: String,
    /// Rule as it stands.
    pub old_rule_id: String,
    /// Rule that would decide.
    pub new_rule_id: String,
    /// How many.
    pub cases: i64,
    /// Money that somebody else would bear.
    pub moved_minor: i64,
    /// What agents would bear more.
    pub agent_minor: i64,
}

/// Which rejudgements are wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RejudgementFilter {
    /// In this state.
    pub state: Option<String>,
    /// With this rule as it stands.
    pub old_rule: Option<String>,
    /// With this rule that would decide.
    pub new_rule: Option<String>,
}

/// Stores what revisions were decided from.
pub fn put_facts<'r>(
    tx: &mut Tx<'_>,
    tenant: &str,
    rows: impl IntoIterator<Item = &'r VerdictFactsRow>,
) -> Result<u64, StoreError> {
    record::insert(tx, tenant, Existing::Replace, rows)
}

/// Stores packs. What is there stays.
pub fn put_pack(tx: &mut Tx<'_>, tenant: &str, pack: &PackRow) -> Result<u64, StoreError> {
    record::insert(tx, tenant, Existing::Keep, [pack])
}

/// Stores rejudgements. What is there stays.
pub fn put<'r>(
    tx: &mut Tx<'_>,
    tenant: &str,
    rows: impl IntoIterator<Item = &'r RejudgementRow>,
) -> Result<u64, StoreError> {
    record::insert(tx, tenant, Existing::Keep, rows)
}

/// Packs, oldest first. Agents see none.
pub fn packs(tx: &mut Tx<'_>, scope: &Scope) -> Result<Vec<PackRow>, StoreError> {
    let filter = Filter::whole_tenant(scope, "p");
    let sql =
        format!("select {} from packs p {} order by p.added_at, p.sha256", PackRow::columns_of("p"), filter.clause());
    tx.query_as(&sql, filter.values(), |row| PackRow::read(row, 0))
}

/// What one revision was decided from.
pub fn facts_of(
    tx: &mut Tx<'_>,
    tenant: &str,
    payment_id: &str,
    kind: &str,
    revision: i64,
) -> Result<Option<VerdictFactsRow>, StoreError> {
    let sql = format!(
        "select {} from verdict_facts f where f.tenant = $1 and f.payment_id = $2 and f.kind = $3 and f.revision = $4",
        VerdictFactsRow::columns_of("f")
    );
    let values = [Value::from(tenant), Value::from(payment_id), Value::from(kind), Value::from(revision)];
    Ok(tx.query_as(&sql, &values, |row| VerdictFactsRow::read(row, 0))?.pop())
}

/// Streams every verdict that stands, with pack and facts; both are empty for verdicts of older programs. Agents may not.
pub fn for_each_verdict(
    tx: &mut Tx<'_>,
    scope: &Scope,
    mut each: impl FnMut(ExceptionRow, &str, &str) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let filter = Filter::whole_tenant(scope, "e");
    let sql = format!(
        "select {}, coalesce(f.pack_sha256, ''), coalesce(f.facts, '') from exceptions e \
         left join verdict_facts f on f.tenant = e.tenant and f.payment_id = e.payment_id and f.kind = e.kind \
         and f.revision = e.revision {} order by e.payment_id, e.kind",
        ExceptionRow::columns_of("e"),
        filter.clause()
    );
    let at = ExceptionRow::COLUMNS.len();
    tx.for_each(&sql, filter.values(), |row| each(ExceptionRow::read(row, 0)?, row.text(at)?, row.text(at + 1)?))
}

/// The last revision of each verdict that was taken back.
pub fn taken_back(tx: &mut Tx<'_>, tenant: &str) -> Result<Vec<(String, String, i64)>, StoreError> {
    let sql = "select f.payment_id, f.kind, max(f.revision) from verdict_facts f where f.tenant = $1 \
         and not exists (select 1 from exceptions e where e.tenant = f.tenant and e.payment_id = f.payment_id \
         and e.kind = f.kind) group by f.payment_id, f.kind";
    tx.query_as(sql, &[Value::from(tenant)], |row| Ok((row.text(0)?.to_owned(), row.text(1)?.to_owned(), row.int(2)?)))
}

/// Verdicts on which somebody acted: a case that moved on, a duty done, a resolution approved, or a revision approved.
pub fn acted_on(tx: &mut Tx<'_>, tenant: &str) -> Result<Vec<(String, String)>, StoreError> {
    let sql = "select c.payment_id, c.kind from cases c where c.tenant = $1 \
           and c.state not in ('OPEN', 'DIAGNOSED', 'WITHDRAWN') \
         union select c.payment_id, c.kind from cases c join obligations o \
           on o.tenant = c.tenant and o.case_id = c.id where c.tenant = $1 and o.state = 'done' \
         union select e.payment_id, e.kind from resolutions r join exceptions e \
           on e.tenant = r.tenant and e.payment_id = r.payment_id \
           where r.tenant = $1 and r.state in ('approved', 'acted', 'confirmed') \
         union select j.payment_id, j.kind from rejudgements j join approvals a \
           on a.tenant = j.tenant and a.subject = 'rejudgement' and a.id = j.id \
           where j.tenant = $1 and a.state = 'approved'";
    tx.query_as(sql, &[Value::from(tenant)], |row| Ok((row.text(0)?.to_owned(), row.text(1)?.to_owned())))
}

/// Rejudgements about which nobody has decided: payment, kind and id.
pub fn open(tx: &mut Tx<'_>, tenant: &str) -> Result<Vec<(String, String, String)>, StoreError> {
    let sql = "select j.payment_id, j.kind, j.id from rejudgements j join approvals a \
         on a.tenant = j.tenant and a.subject = 'rejudgement' and a.id = j.id \
         where j.tenant = $1 and a.state in ('listed', 'proposed', 'withdrawn')";
    tx.query_as(sql, &[Value::from(tenant)], |row| {
        Ok((row.text(0)?.to_owned(), row.text(1)?.to_owned(), row.text(2)?.to_owned()))
    })
}

/// One rejudgement. Agents see none.
pub fn by_id(tx: &mut Tx<'_>, scope: &Scope, id: &str) -> Result<Option<RejudgementRow>, StoreError> {
    let mut filter = Filter::whole_tenant(scope, "j");
    filter.and_value("j.id =", id);
    let sql = format!("select {} from rejudgements j {}", RejudgementRow::columns_of("j"), filter.clause());
    Ok(tx.query_as(&sql, filter.values(), |row| RejudgementRow::read(row, 0))?.pop())
}

const DECISION: &str = "join approvals a on a.tenant = j.tenant and a.subject = 'rejudgement' and a.id = j.id";

fn wanted_rows<'v>(scope: &'v Scope, wanted: &'v RejudgementFilter) -> Filter<'v> {
    let mut filter = Filter::whole_tenant(scope, "j");
    filter.and_some("a.state =", wanted.state.as_deref());
    filter.and_some("j.old_rule_id =", wanted.old_rule.as_deref());
    filter.and_some("j.new_rule_id =", wanted.new_rule.as_deref());
    filter
}

/// Rejudgements by id. Agents see none.
pub fn list(
    tx: &mut Tx<'_>,
    scope: &Scope,
    wanted: &RejudgementFilter,
    request: &PageRequest,
) -> Result<Page<RejudgementItem>, StoreError> {
    const LIST: &str = "rejudgements";
    let mut filter = wanted_rows(scope, wanted);
    filter.and_seek("j.id", ">", request.seek(LIST, 1)?);
    let limit = filter.bind(request.fetch_limit());
    let sql = format!(
        "select {}, a.state, a.maker, a.checker, a.note from rejudgements j {DECISION} {} order by j.id limit {limit}",
        RejudgementRow::columns_of("j"),
        filter.clause()
    );
    let at = RejudgementRow::COLUMNS.len();
    let items = tx.query_as(&sql, filter.values(), |row| {
        Ok(RejudgementItem {
            row: RejudgementRow::read(row, 0)?,
            state: row.text(at)?.to_owned(),
            maker: row.text(at + 1)?.to_owned(),
            checker: row.text(at + 2)?.to_owned(),
            note: row.text(at + 3)?.to_owned(),
        })
    })?;
    Ok(request.page(LIST, items, |item| vec![Value::from(&item.row.id)]))
}

/// Rejudgements added up. Agents see none.
pub fn sums(tx: &mut Tx<'_>, scope: &Scope) -> Result<Vec<RejudgementSum>, StoreError> {
    let filter = Filter::whole_tenant(scope, "j");
    let sql = format!(
        "select a.state, j.why, j.old_rule_id, j.new_rule_id, count(*), cast(sum(j.moved_minor) as bigint), \
         cast(sum(j.agent_minor) as bigint) from rejudgements j {DECISION} {} \
         group by a.state, j.why, j.old_rule_id, j.new_rule_id order by a.state, j.why, j.old_rule_id, j.new_rule_id",
        filter.clause()
    );
    tx.query_as(&sql, filter.values(), |row| {
        Ok(RejudgementSum {
            state: row.text(0)?.to_owned(),
            why: row.text(1)?.to_owned(),
            old_rule_id: row.text(2)?.to_owned(),
            new_rule_id: row.text(3)?.to_owned(),
            cases: row.int(4)?,
            moved_minor: row.int(5)?,
            agent_minor: row.int(6)?,
        })
    })
}
