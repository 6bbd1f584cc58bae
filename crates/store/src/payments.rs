//! Payments: lists with filters, and one payment with everything that hangs on it.

use std::collections::BTreeSet;

use crate::breaks::BreakRow;
use crate::cases::CaseDetail;
use crate::diversions::{self, DivertedGroup};
use crate::episodes::EpisodeRow;
use crate::exceptions::{ExceptionItem, ExceptionRow};
use crate::files::FileRow;
use crate::ledger::LedgerLineRow;
use crate::record::{self, Existing, Record, record};
use crate::refs::PaymentRefs;
use crate::scope::{Filter, like_anywhere};
use crate::{Page, PageRequest, Row, Scope, StoreError, Tx, Value};
use crate::{breaks, cases, episodes, exceptions, files, ledger};

record! {
    /// One card payment attempt at a terminal.
    pub struct PaymentRow in "payments" keys(id) {
        /// `DATE.TID.BATCH.STAN`, or `DATE.TID.sSEQ` for one that was never sent.
        pub id: String,
        /// When it began.
        pub started_at: i64,
        /// Terminal id.
        pub tid: String,
        /// Merchant code.
        pub merchant_code: String,
        /// Agent of the merchant, or empty.
        pub agent_code: String,
        /// City of the terminal.
        pub city: String,
        /// Amount.
        pub amount_minor: i64,
        /// `debit`, `credit`, ...
        pub card_type: String,
        /// Code of the card's issuer.
        pub issuer: String,
        /// First six and last four digits.
        pub pan_masked: String,
        /// How the card was read.
        pub entry_mode: String,
        /// Retrieval reference number, or empty.
        pub rrn: String,
        /// Response code, or empty.
        pub response_code: String,
        /// `approved`, `declined`, `unread`, `unknown`, `reversed`, `voided`, `refunded`
        pub outcome: String,
        /// Empty, or its exception kinds: `K4`, `K7,K8`.
        pub kinds: String,
        /// Its observations: see [`PaymentRefs`].
        pub refs: Vec<u8>,
    }
}

impl PaymentRow {
    /// Its observations.
    pub fn decoded_refs(&self) -> Result<PaymentRefs, StoreError> {
        PaymentRefs::decode(&self.refs)
    }
}

/// A payment as lists show it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PaymentItem {
    /// The payment.
    pub payment: PaymentRow,
    /// Name of its merchant, or empty when the merchant is unknown.
    pub merchant_name: String,
    /// Its exceptions, by kind.
    pub exceptions: Vec<ExceptionItem>,
}

/// One payment with everything that hangs on it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PaymentDetail {
    /// The payment with its exceptions.
    pub item: PaymentItem,
    /// Name of its agent, if it has one.
    pub agent_name: Option<String>,
    /// Version of the payment application of its terminal, if the terminal is known.
    pub app_version: Option<String>,
    /// Its observations.
    pub refs: PaymentRefs,
    /// The files they stand in.
    pub files: Vec<FileRow>,
    /// Where its legs do not agree.
    pub breaks: Vec<BreakRow>,
    /// Its cases with their obligations.
    pub cases: Vec<CaseDetail>,
    /// What was booked for its cases.
    pub ledger: Vec<LedgerLineRow>,
    /// The episodes its exceptions belong to.
    pub episodes: Vec<EpisodeRow>,
}

/// Which payments are wanted. All that is given must hold; kind, cause, outward and episode of one exception.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PaymentFilter {
    /// Has an exception of this kind.
    pub kind: Option<String>,
    /// Has an exception of this cause.
    pub cause: Option<String>,
    /// Has an exception where this party pays the user first.
    pub outward: Option<String>,
    /// Has an exception of this episode.
    pub episode: Option<String>,
    /// Has any exception.
    pub only_exceptions: bool,
    /// Of this agent or one below it.
    pub agent: Option<String>,
    /// At this merchant.
    pub merchant: Option<String>,
    /// At this terminal id.
    pub tid: Option<String>,
    /// In this city.
    pub city: Option<String>,
    /// Not before.
    pub started_from: Option<i64>,
    /// Before.
    pub started_to: Option<i64>,
    /// At least this amount.
    pub min_amount: Option<i64>,
    /// At most this amount.
    pub max_amount: Option<i64>,
    /// Diverted, and of this group.
    pub diverted: Option<DivertedGroup>,
    /// Payment id, RRN, terminal id, merchant code, part of the merchant's name, or the last four digits of the card.
    pub q: Option<String>,
}

impl PaymentFilter {
    fn asks_for_exceptions(&self) -> bool {
        self.only_exceptions
            || self.kind.is_some()
            || self.cause.is_some()
            || self.outward.is_some()
            || self.episode.is_some()
    }
}

const LIST: &str = "payments";

/// Stores payments in place of what was known of them.
pub fn put<'r>(
    tx: &mut Tx<'_>,
    tenant: &str,
    payments: impl IntoIterator<Item = &'r PaymentRow>,
) -> Result<u64, StoreError> {
    record::insert(tx, tenant, Existing::Replace, payments)
}

/// Adds a kind of exception to a payment, or takes it away.
pub fn set_kind(tx: &mut Tx<'_>, tenant: &str, id: &str, kind: &str, there: bool) -> Result<(), StoreError> {
    let found = tx
        .query_as(
            "select p.kinds from payments p where p.tenant = $1 and p.id = $2",
            &[Value::from(tenant), Value::from(id)],
            |row| Ok(row.text(0)?.to_owned()),
        )?
        .pop();
    let Some(kinds) = found else { return Ok(()) };
    let mut kinds: Vec<&str> = kinds.split(',').filter(|known| !known.is_empty() && *known != kind).collect();
    if there {
        kinds.push(kind);
        kinds.sort_unstable();
    }
    tx.execute(
        "update payments set kinds = $3 where tenant = $1 and id = $2",
        &[Value::from(tenant), Value::from(id), Value::from(kinds.join(","))],
    )?;
    Ok(())
}

/// Payments within the scope, latest first.
pub fn list(
    tx: &mut Tx<'_>,
    scope: &Scope,
    wanted: &PaymentFilter,
    request: &PageRequest,
) -> Result<Page<PaymentItem>, StoreError> {
    // Exceptions carry the columns that payments are filtered by, so a rare kind is found
    // through its own small table instead of a walk over all payments.
    let (sql, filter) = if wanted.asks_for_exceptions() {
        list_from_exceptions(scope, wanted, request)?
    } else {
        list_from_payments(scope, wanted, request)?
    };
    let items = tx.query_as(&sql, filter.values(), item_from)?;
    let mut page =
        request.page(LIST, items, |item| vec![Value::from(item.payment.started_at), Value::from(&item.payment.id)]);
    add_exceptions(tx, scope, &mut page.items)?;
    Ok(page)
}

fn list_from_payments<'f>(
    scope: &'f Scope,
    wanted: &'f PaymentFilter,
    request: &PageRequest,
) -> Result<(String, Filter<'f>), StoreError> {
    let mut filter = Filter::scoped(scope, "p", "p.agent_code");
    add_common_conditions(&mut filter, "p", "id", wanted);
    if let Some(q) = &wanted.q {
        let condition = matches_q(&mut filter, q);
        filter.and(condition);
    }
    filter.and_seek("p.started_at, p.id", "<", request.seek(LIST, 2)?);
    let limit = filter.bind(request.fetch_limit());
    let sql = format!(
        "select {}, coalesce(m.name, '') from payments p \
         left join merchants m on m.tenant = p.tenant and m.code = p.merchant_code {} \
         order by p.started_at desc, p.id desc limit {limit}",
        PaymentRow::columns_of("p"),
        filter.clause()
    );
    Ok((sql, filter))
}

fn list_from_exceptions<'f>(
    scope: &'f Scope,
    wanted: &'f PaymentFilter,
    request: &PageRequest,
) -> Result<(String, Filter<'f>), StoreError> {
    let mut filter = Filter::scoped(scope, "e", "e.agent_code");
    add_common_conditions(&mut filter, "e", "payment_id", wanted);
    filter.and_some("e.kind =", wanted.kind.as_deref());
    filter.and_some("e.cause =", wanted.cause.as_deref());
    filter.and_some("e.outward =", wanted.outward.as_deref());
    filter.and_some("e.episode_id =", wanted.episode.as_deref());
    if let Some(q) = &wanted.q {
        let condition = matches_q(&mut filter, q);
        filter.and(format!(
            "exists (select 1 from payments p where p.tenant = e.tenant and p.id = e.payment_id and {condition})"
        ));
    }
    filter.and_seek("e.started_at, e.payment_id", "<", request.seek(LIST, 2)?);
    let limit = filter.bind(request.fetch_limit());
    let sql = format!(
        "select {}, coalesce(m.name, '') from (\
           select distinct e.started_at, e.payment_id from exceptions e {} \
           order by e.started_at desc, e.payment_id desc limit {limit}) hit \
         join payments p on p.tenant = $1 and p.id = hit.payment_id \
         left join merchants m on m.tenant = p.tenant and m.code = p.merchant_code \
         order by hit.started_at desc, hit.payment_id desc",
        PaymentRow::columns_of("p"),
        filter.clause()
    );
    Ok((sql, filter))
}

/// Conditions on columns that payments and exceptions share; `id` is the column with the payment's id.
fn add_common_conditions<'f>(filter: &mut Filter<'f>, alias: &str, id: &str, wanted: &'f PaymentFilter) {
    filter.and_subtree(&format!("{alias}.agent_code"), wanted.agent.as_deref());
    filter.and_some(&format!("{alias}.merchant_code ="), wanted.merchant.as_deref());
    filter.and_some(&format!("{alias}.tid ="), wanted.tid.as_deref());
    filter.and_some(&format!("{alias}.city ="), wanted.city.as_deref());
    filter.and_some(&format!("{alias}.started_at >="), wanted.started_from);
    filter.and_some(&format!("{alias}.started_at <"), wanted.started_to);
    filter.and_some(&format!("{alias}.amount_minor >="), wanted.min_amount);
    filter.and_some(&format!("{alias}.amount_minor <="), wanted.max_amount);
    if let Some(group) = &wanted.diverted {
        let condition = diversions::condition(filter, alias, id, group);
        filter.and(condition);
    }
}

/// What a person types into the search field, looked for where its form allows it.
fn matches_q<'f>(filter: &mut Filter<'f>, q: &'f str) -> String {
    let q = q.trim();
    let exact = filter.bind(q);
    if q.len() == 4 && q.bytes().all(|byte| byte.is_ascii_digit()) {
        return format!("substr(p.pan_masked, length(p.pan_masked) - 3) = {exact}");
    }
    let pattern = filter.bind(like_anywhere(q));
    format!(
        "(p.id = {exact} or p.rrn = {exact} or p.tid = {exact} or p.merchant_code = {exact} \
         or p.merchant_code in (select code from merchants where tenant = $1 and lower(name) like {pattern} escape '\\'))"
    )
}

fn item_from(row: &Row<'_>) -> Result<PaymentItem, StoreError> {
    Ok(PaymentItem {
        payment: PaymentRow::read(row, 0)?,
        merchant_name: row.text(PaymentRow::COLUMNS.len())?.to_owned(),
        exceptions: Vec::new(),
    })
}

fn add_exceptions(tx: &mut Tx<'_>, scope: &Scope, items: &mut [PaymentItem]) -> Result<(), StoreError> {
    let with_kinds = items.iter().filter(|item| !item.payment.kinds.is_empty());
    let ids: Vec<&str> = with_kinds.map(|item| item.payment.id.as_str()).collect();
    let mut found = exceptions::of_payments(tx, scope, &ids)?;
    for item in items {
        let (own, rest) = found.into_iter().partition(|it| it.exception.payment_id == item.payment.id);
        item.exceptions = own;
        found = rest;
    }
    Ok(())
}

/// One payment within the scope, with everything that hangs on it; `now` tells which cases are late.
pub fn by_id(tx: &mut Tx<'_>, scope: &Scope, id: &str, now: i64) -> Result<Option<PaymentDetail>, StoreError> {
    let mut filter = Filter::scoped(scope, "p", "p.agent_code");
    filter.and_value("p.id =", id);
    let sql = format!(
        "select {}, coalesce(m.name, ''), a.name, \
           (select max(t.app_version) from terminals t where t.tenant = p.tenant and t.tid = p.tid) \
         from payments p \
         left join merchants m on m.tenant = p.tenant and m.code = p.merchant_code \
         left join agents a on a.tenant = p.tenant and a.code = p.agent_code {}",
        PaymentRow::columns_of("p"),
        filter.clause()
    );
    let Some(row) = tx.query_first(&sql, filter.values())? else {
        return Ok(None);
    };
    let mut item = item_from(&row)?;
    add_exceptions(tx, scope, std::slice::from_mut(&mut item))?;

    let refs = item.payment.decoded_refs()?;
    let seqs: BTreeSet<u32> = refs.0.iter().map(|it| it.file_seq).collect();
    let cases = cases::of_payment(tx, scope, id, now)?;
    let mut ledger = Vec::new();
    for it in &cases {
        ledger.extend(ledger::of_case(tx, scope, &it.case.id)?);
    }
    Ok(Some(PaymentDetail {
        agent_name: row.opt_text(PaymentRow::COLUMNS.len() + 1)?.map(str::to_owned),
        app_version: row.opt_text(PaymentRow::COLUMNS.len() + 2)?.map(str::to_owned),
        files: files::by_seqs(tx, scope, &seqs.into_iter().collect::<Vec<_>>())?,
        breaks: breaks::of_payment(tx, scope, id)?,
        episodes: episodes_of(tx, scope, item.exceptions.iter().map(|it| &it.exception))?,
        item,
        refs,
        cases,
        ledger,
    }))
}

fn episodes_of<'e>(
    tx: &mut Tx<'_>,
    scope: &Scope,
    exceptions: impl Iterator<Item = &'e ExceptionRow>,
) -> Result<Vec<EpisodeRow>, StoreError> {
    let ids: BTreeSet<&str> = exceptions.map(|it| it.episode_id.as_str()).filter(|id| !id.is_empty()).collect();
    let mut found = Vec::new();
    for id in ids {
        found.extend(episodes::by_id(tx, scope, id)?);
    }
    Ok(found)
}

/// Streams the payments within the scope that began in `from..to`, by time.
pub fn for_each(
    tx: &mut Tx<'_>,
    scope: &Scope,
    from: i64,
    to: i64,
    mut each: impl FnMut(PaymentRow) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let mut filter = Filter::scoped(scope, "p", "p.agent_code");
    filter.and_value("p.started_at >=", from);
    filter.and_value("p.started_at <", to);
    let sql = format!(
        "select {} from payments p {} order by p.started_at, p.id",
        PaymentRow::columns_of("p"),
        filter.clause()
    );
    tx.for_each(&sql, filter.values(), |row| each(PaymentRow::read(row, 0)?))
}
