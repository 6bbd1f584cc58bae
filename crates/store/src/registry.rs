//! Registries: agents, merchants, terminals.

use crate::record::{self, Existing, Record, record};
use crate::scope::{Filter, like_anywhere};
use crate::{Page, PageRequest, Scope, StoreError, Tx, Value};

record! {
    /// An agent (outsourcing service provider) in the tenant's tree.
    pub struct AgentRow in "agents" keys(code) {
        /// Its code.
        pub code: String,
        /// The agent above it.
        pub parent_code: Option<String>,
        /// Depth in the tree, from 1.
        pub level: i64,
        /// Its name.
        pub name: String,
        /// Its city.
        pub city: String,
        /// `active`, `suspended`, ...
        pub status: String,
        /// Number of its filing with the payment association.
        pub filing_no: String,
        /// Last day of its filing, `YYYY-MM-DD`.
        pub filing_valid_to: String,
        /// Deposit it holds with the acquirer.
        pub deposit_minor: i64,
        /// Deposit it must hold.
        pub deposit_floor_minor: i64,
        /// Share of losses its contract lets the acquirer recover.
        pub recourse_share_bp: i64,
    }
}

record! {
    /// A merchant.
    pub struct MerchantRow in "merchants" keys(code) {
        /// Its code, ISO 8583 field 42.
        pub code: String,
        /// Its name.
        pub name: String,
        /// Merchant category code.
        pub mcc: String,
        /// Its city.
        pub city: String,
        /// Agent that serves it, or empty.
        pub agent_code: String,
        /// `active`, ...
        pub status: String,
    }
}

record! {
    /// A settlement account of a merchant and the change that brought it in.
    pub struct AccountRow in "settlement_accounts" keys(change_id) {
        /// The change.
        pub change_id: String,
        /// The merchant.
        pub merchant_code: String,
        /// The account.
        pub account_no: String,
        /// In force from.
        pub valid_from: i64,
        /// Whose credentials made the change.
        pub changed_by: String,
    }
}

record! {
    /// A terminal.
    pub struct TerminalRow in "terminals" keys(serial) {
        /// Serial number of the device.
        pub serial: String,
        /// Terminal id, ISO 8583 field 41.
        pub tid: String,
        /// Merchant where it stands.
        pub merchant_code: String,
        /// Agent that maintains it.
        pub agent_code: String,
        /// City where it stands.
        pub city: String,
        /// Device model.
        pub model: String,
        /// Production batch.
        pub production_batch: String,
        /// Version of the payment application.
        pub app_version: String,
        /// `active`, `suspect`, `quarantined`, ...
        pub state: String,
        /// JSON list of `{code, zh, en}`.
        pub state_reason: String,
        /// Since when it is in that state.
        pub state_since: Option<i64>,
        /// Payments started at it.
        pub payments: i64,
        /// Exceptions among them.
        pub exceptions: i64,
    }
}

/// An agent with the sums of its own terminals and payments, without those of the agents below it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AgentItem {
    /// The agent.
    pub agent: AgentRow,
    /// Terminals it maintains.
    pub terminals: i64,
    /// Payments at its merchants.
    pub payments: i64,
    /// Exceptions among them; a payment of two kinds counts twice.
    pub exceptions: i64,
    /// Loss of these exceptions.
    pub loss_minor: i64,
    /// The part of the loss that verdicts lay on an agent, rounded down.
    pub borne_minor: i64,
}

/// A terminal with the name of its merchant.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TerminalItem {
    /// The terminal.
    pub terminal: TerminalRow,
    /// Name of its merchant, or empty when the merchant is unknown.
    pub merchant_name: String,
}

/// Which terminals are wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TerminalFilter {
    /// Maintained by this agent or one below it.
    pub agent: Option<String>,
    /// In this state.
    pub state: Option<String>,
    /// Part of serial, terminal id, merchant code or merchant name.
    pub q: Option<String>,
}

/// Stores agents in place of what was known of them.
pub fn put_agents<'r>(
    tx: &mut Tx<'_>,
    tenant: &str,
    agents: impl IntoIterator<Item = &'r AgentRow>,
) -> Result<u64, StoreError> {
    record::insert(tx, tenant, Existing::Replace, agents)
}

/// Stores merchants in place of what was known of them.
pub fn put_merchants<'r>(
    tx: &mut Tx<'_>,
    tenant: &str,
    merchants: impl IntoIterator<Item = &'r MerchantRow>,
) -> Result<u64, StoreError> {
    record::insert(tx, tenant, Existing::Replace, merchants)
}

/// Stores settlement accounts in place of what was known of them.
pub fn put_accounts<'r>(
    tx: &mut Tx<'_>,
    tenant: &str,
    accounts: impl IntoIterator<Item = &'r AccountRow>,
) -> Result<u64, StoreError> {
    record::insert(tx, tenant, Existing::Replace, accounts)
}

/// Stores terminals in place of what was known of them.
pub fn put_terminals<'r>(
    tx: &mut Tx<'_>,
    tenant: &str,
    terminals: impl IntoIterator<Item = &'r TerminalRow>,
) -> Result<u64, StoreError> {
    record::insert(tx, tenant, Existing::Replace, terminals)
}

/// Agents within the scope, parents before children, with their sums.
pub fn agents(tx: &mut Tx<'_>, scope: &Scope) -> Result<Vec<AgentItem>, StoreError> {
    let filter = Filter::scoped(scope, "a", "a.code");
    let sql = format!(
        "select {}, coalesce(t.n, 0), coalesce(s.payments, 0), coalesce(s.exceptions, 0), coalesce(s.loss, 0) \
         from agents a \
         left join (select agent_code, count(*) as n from terminals where tenant = $1 group by agent_code) t \
           on t.agent_code = a.code \
         left join (select agent_code, \
             cast(sum(case when kind = '' then payments else 0 end) as bigint) as payments, \
             cast(sum(case when kind = '' then 0 else payments end) as bigint) as exceptions, \
             cast(sum(case when kind = '' then 0 else loss_minor end) as bigint) as loss \
           from tallies where tenant = $1 group by agent_code) s on s.agent_code = a.code \
         {} order by a.level, a.code",
        AgentRow::columns_of("a"),
        filter.clause()
    );
    let n_columns = AgentRow::COLUMNS.len();
    let mut items = tx.query_as(&sql, filter.values(), |row| {
        Ok(AgentItem {
            agent: AgentRow::read(row, 0)?,
            terminals: row.int(n_columns)?,
            payments: row.int(n_columns + 1)?,
            exceptions: row.int(n_columns + 2)?,
            loss_minor: row.int(n_columns + 3)?,
            borne_minor: 0,
        })
    })?;
    let borne = crate::exceptions::borne_by_agents(tx, scope)?;
    for item in &mut items {
        item.borne_minor = borne.get(&item.agent.code).copied().unwrap_or(0);
    }
    Ok(items)
}

/// One merchant within the scope.
pub fn merchant(tx: &mut Tx<'_>, scope: &Scope, code: &str) -> Result<Option<MerchantRow>, StoreError> {
    let mut filter = Filter::scoped(scope, "m", "m.agent_code");
    filter.and_value("m.code =", code);
    let sql = format!("select {} from merchants m {}", MerchantRow::columns_of("m"), filter.clause());
    Ok(tx.query_as(&sql, filter.values(), |row| MerchantRow::read(row, 0))?.pop())
}

/// Terminals within the scope, by serial number.
pub fn terminals(
    tx: &mut Tx<'_>,
    scope: &Scope,
    wanted: &TerminalFilter,
    request: &PageRequest,
) -> Result<Page<TerminalItem>, StoreError> {
    const LIST: &str = "terminals";
    let mut filter = Filter::scoped(scope, "t", "t.agent_code");
    filter.and_subtree("t.agent_code", wanted.agent.as_deref());
    filter.and_some("t.state =", wanted.state.as_deref());
    if let Some(q) = &wanted.q {
        let pattern = filter.bind(like_anywhere(q));
        let columns = ["t.serial", "t.tid", "t.merchant_code", "m.name"];
        let any: Vec<String> =
            columns.iter().map(|column| format!("lower({column}) like {pattern} escape '\\'")).collect();
        filter.and(format!("({})", any.join(" or ")));
    }
    filter.and_seek("t.serial", ">", request.seek(LIST, 1)?);
    let limit = filter.bind(request.fetch_limit());
    let sql = format!(
        "select {}, coalesce(m.name, '') from terminals t \
         left join merchants m on m.tenant = t.tenant and m.code = t.merchant_code {} \
         order by t.serial limit {limit}",
        TerminalRow::columns_of("t"),
        filter.clause()
    );
    let items = tx.query_as(&sql, filter.values(), |row| {
        let merchant_name = row.text(TerminalRow::COLUMNS.len())?.to_owned();
        Ok(TerminalItem { terminal: TerminalRow::read(row, 0)?, merchant_name })
    })?;
    Ok(request.page(LIST, items, |item| vec![Value::from(&item.terminal.serial)]))
}

/// Streams all terminals within the scope, by serial number.
pub fn for_each_terminal(
    tx: &mut Tx<'_>,
    scope: &Scope,
    mut each: impl FnMut(TerminalRow) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let filter = Filter::scoped(scope, "t", "t.agent_code");
    let sql = format!("select {} from terminals t {} order by t.serial", TerminalRow::columns_of("t"), filter.clause());
    tx.for_each(&sql, filter.values(), |row| each(TerminalRow::read(row, 0)?))
}
