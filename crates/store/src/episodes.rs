//! Episodes: what failed together, since when and where.

use crate::record::{self, Existing, Record, record};
use crate::scope::Filter;
use crate::{Scope, StoreError, Tx};

record! {
    /// An episode.
    pub struct EpisodeRow in "episodes" keys(id) {
        /// Its id.
        pub id: String,
        /// Code of the cause.
        pub cause: String,
        /// `open`, `closed`, ...
        pub status: String,
        /// 1 when it only looks like a failure.
        pub benign: i64,
        /// First payment hit.
        pub started_at: i64,
        /// Last payment hit, once it is over.
        pub ended_at: Option<i64>,
        /// JSON `{"network_link":["211"]}`
        pub scope: String,
        /// Payments hit.
        pub payments: i64,
        /// Their amount.
        pub amount_minor: i64,
        /// One line for people.
        pub title_zh: String,
        /// One line for people.
        pub title_en: String,
        /// JSON: signals, look-alikes excluded.
        pub body: String,
    }
}

/// What one agent's payments have to do with an episode.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EpisodeExposure {
    /// The agent, or empty.
    pub agent_code: String,
    /// Its payments hit.
    pub payments: i64,
    /// Their amount.
    pub amount_minor: i64,
}

/// Stores episodes in place of what was known of them.
pub fn put<'r>(
    tx: &mut Tx<'_>,
    tenant: &str,
    episodes: impl IntoIterator<Item = &'r EpisodeRow>,
) -> Result<u64, StoreError> {
    record::insert(tx, tenant, Existing::Replace, episodes)
}

/// Removes all episodes that were found in records, before the new ones of a whole judgement are put.
pub fn clear(tx: &mut Tx<'_>, tenant: &str) -> Result<u64, StoreError> {
    tx.execute("delete from episodes where tenant = $1 and origin = 'records'", crate::values![tenant])
}

/// Stores episodes that were seen live in place of what was said of them before.
pub fn put_live<'r>(
    tx: &mut Tx<'_>,
    tenant: &str,
    episodes: impl IntoIterator<Item = &'r EpisodeRow>,
) -> Result<(), StoreError> {
    for episode in episodes {
        put(tx, tenant, [episode])?;
        let sql = "update episodes set origin = 'live' where tenant = $1 and id = $2 and origin <> 'live'";
        tx.execute(sql, crate::values![tenant, &episode.id])?;
    }
    Ok(())
}

/// All episodes of one origin (`records` or `live`), with the one that each is part of (empty for none).
pub fn of_origin(tx: &mut Tx<'_>, tenant: &str, origin: &str) -> Result<Vec<(EpisodeRow, String)>, StoreError> {
    let columns = EpisodeRow::columns_of("ep");
    let sql = format!(
        "select {columns}, ep.merged_into from episodes ep where ep.tenant = $1 and ep.origin = $2 order by ep.id"
    );
    let merged = EpisodeRow::COLUMNS.len();
    tx.query_as(&sql, crate::values![tenant, origin], |row| {
        Ok((EpisodeRow::read(row, 0)?, row.text(merged)?.to_owned()))
    })
}

/// Says which episode another is part of; empty for none.
pub fn set_merged(tx: &mut Tx<'_>, tenant: &str, id: &str, into: &str) -> Result<(), StoreError> {
    let sql = "update episodes set merged_into = $3 where tenant = $1 and id = $2";
    tx.execute(sql, crate::values![tenant, id, into]).map(|_| ())
}

/// Episodes within the scope, most payments first.
///
/// An agent sees an episode that hit one of its payments, counts only its own, and does not see the
/// episode's scope and signals, which name others.
pub fn list(tx: &mut Tx<'_>, scope: &Scope) -> Result<Vec<EpisodeRow>, StoreError> {
    select(tx, scope, None)
}

/// One episode within the scope, as [`list`] shows it.
pub fn by_id(tx: &mut Tx<'_>, scope: &Scope, id: &str) -> Result<Option<EpisodeRow>, StoreError> {
    Ok(select(tx, scope, Some(id))?.pop())
}

fn select(tx: &mut Tx<'_>, scope: &Scope, id: Option<&str>) -> Result<Vec<EpisodeRow>, StoreError> {
    let mut filter = Filter::of_tenant(scope, "ep");
    filter.and_some("ep.id =", id);
    // What was seen live and is part of one found in records is told there.
    if id.is_none() {
        filter.and_value("ep.merged_into =", "");
    }
    let sql = match filter.within_scope("e.agent_code") {
        None => format!("select {} from episodes ep {}", EpisodeRow::columns_of("ep"), filter.clause()),
        Some(agent) => {
            let columns = EpisodeRow::columns_of("ep")
                .replace("ep.payments", "own.payments")
                .replace("ep.amount_minor", "own.amount_minor")
                .replace("ep.scope", "'{}'")
                .replace("ep.body", "'{}'");
            format!(
                "select {columns} from episodes ep join (\
                   select hit.episode_id, count(*) as payments, cast(sum(hit.amount_minor) as bigint) as amount_minor \
                   from (select distinct e.episode_id, e.payment_id, e.amount_minor from exceptions e \
                         where e.tenant = $1 and {agent}) hit \
                   group by hit.episode_id) own on own.episode_id = ep.id {}",
                filter.clause()
            )
        }
    };
    let mut episodes = tx.query_as(&sql, filter.values(), |row| EpisodeRow::read(row, 0))?;
    episodes.sort_by(|a, b| b.payments.cmp(&a.payments).then_with(|| a.id.cmp(&b.id)));
    Ok(episodes)
}

/// Which agents an episode hit, most payments first, within the scope.
pub fn exposure(tx: &mut Tx<'_>, scope: &Scope, id: &str) -> Result<Vec<EpisodeExposure>, StoreError> {
    let mut filter = Filter::scoped(scope, "e", "e.agent_code");
    filter.and_value("e.episode_id =", id);
    let sql = format!(
        "select hit.agent_code, count(*), cast(sum(hit.amount_minor) as bigint) from (\
           select distinct e.agent_code, e.payment_id, e.amount_minor from exceptions e {}) hit \
         group by hit.agent_code order by 2 desc, 1",
        filter.clause()
    );
    tx.query_as(&sql, filter.values(), |row| {
        Ok(EpisodeExposure { agent_code: row.text(0)?.to_owned(), payments: row.int(1)?, amount_minor: row.int(2)? })
    })
}
