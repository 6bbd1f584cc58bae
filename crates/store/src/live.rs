//! Live detection: minutes of partial cubes on their way from workers, and how detection stands.

use crate::record::{self, Existing, Record, record};
use crate::{Store, StoreError, Tx, values};

record! {
    /// One minute of the partial cube of one worker.
    pub struct LiveMinuteRow in "live_minutes" keys(instance, minute) {
        /// Which worker.
        pub instance: String,
        /// Minutes since 1970 UTC.
        pub minute: i64,
        /// Grows with every change of this worker.
        pub version: i64,
        /// The counts.
        pub body: Vec<u8>,
    }
}

record! {
    /// An issuer by the first digits of its cards.
    pub struct IssuerBinRow in "issuer_bins" keys(bin) {
        /// The first six digits.
        pub bin: i64,
        /// The issuer's code.
        pub issuer_code: String,
    }
}

/// Where a terminal stands and what it is: what its payments have in common with others.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PlaceRow {
    /// Terminal id.
    pub tid: String,
    /// Agent that maintains it.
    pub agent_code: String,
    /// City.
    pub city: String,
    /// Device model.
    pub model: String,
    /// Production batch.
    pub production_batch: String,
    /// Version of its program, as registered.
    pub app_version: String,
    /// Category of its merchant.
    pub mcc: String,
}

/// The places of all terminals.
pub fn places(tx: &mut Tx<'_>, tenant: &str) -> Result<Vec<PlaceRow>, StoreError> {
    let sql = "select t.tid, t.agent_code, t.city, t.model, t.production_batch, t.app_version, coalesce(m.mcc, '') \
               from terminals t left join merchants m on m.tenant = t.tenant and m.code = t.merchant_code \
               where t.tenant = $1 order by t.serial";
    tx.query_as(sql, values![tenant], |row| {
        let text = |column| row.text(column).map(str::to_owned);
        Ok(PlaceRow {
            tid: text(0)?,
            agent_code: text(1)?,
            city: text(2)?,
            model: text(3)?,
            production_batch: text(4)?,
            app_version: text(5)?,
            mcc: text(6)?,
        })
    })
}

/// How detection stands, as it was written last.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LiveState {
    /// How often it was written.
    pub turn: i64,
    /// An earlier state.
    pub checkpoint: Vec<u8>,
    /// What was said since.
    pub progress: Vec<u8>,
}

/// Which minute of which worker is there, in which version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveMinuteKey {
    /// Which worker.
    pub instance: String,
    /// Minutes since 1970 UTC.
    pub minute: i64,
    /// Its version.
    pub version: i64,
}

/// Stores minutes of a worker in place of what it said of them before, and forgets all minutes before `keep_from`, also
/// those of workers that are no more.
pub fn put_minutes(tx: &mut Tx<'_>, tenant: &str, rows: &[LiveMinuteRow], keep_from: i64) -> Result<(), StoreError> {
    record::insert(tx, tenant, Existing::Replace, rows)?;
    tx.execute("delete from live_minutes where tenant = $1 and minute < $2", values![tenant, keep_from]).map(|_| ())
}

/// The minutes that are there from one on, in order.
pub fn minute_keys(tx: &mut Tx<'_>, tenant: &str, from: i64) -> Result<Vec<LiveMinuteKey>, StoreError> {
    let sql = "select instance, minute, version from live_minutes where tenant = $1 and minute >= $2 \
               order by minute, instance";
    tx.query_as(sql, values![tenant, from], |row| {
        Ok(LiveMinuteKey { instance: row.text(0)?.to_owned(), minute: row.int(1)?, version: row.int(2)? })
    })
}

/// What all workers counted in a minute, in order of their names.
pub fn minute(tx: &mut Tx<'_>, tenant: &str, minute: i64) -> Result<Vec<LiveMinuteRow>, StoreError> {
    let sql = format!(
        "select {} from live_minutes m where m.tenant = $1 and m.minute = $2 order by m.instance",
        LiveMinuteRow::columns_of("m")
    );
    tx.query_as(&sql, values![tenant, minute], |row| LiveMinuteRow::read(row, 0))
}

/// How detection stands; none when it never ran.
pub fn state(store: &Store, tenant: &str) -> Result<Option<LiveState>, StoreError> {
    store.read(|tx| {
        let sql = "select name, turn, body from live_state where tenant = $1";
        let rows =
            tx.query_as(sql, values![tenant], |row| Ok((row.text(0)?.to_owned(), row.int(1)?, row.blob(2)?.to_vec())))?;
        let mut state = LiveState::default();
        for (name, turn, body) in rows {
            if name == "checkpoint" {
                state.checkpoint = body;
            } else {
                (state.turn, state.progress) = (turn, body);
            }
        }
        Ok((state.turn > 0).then_some(state))
    })
}

/// Writes what was said, and the checkpoint if there is a new one, if nobody else went on since turn `before`. False
/// when somebody did.
pub fn put_state(
    tx: &mut Tx<'_>,
    tenant: &str,
    before: i64,
    progress: &[u8],
    checkpoint: Option<&[u8]>,
) -> Result<bool, StoreError> {
    let turn = before + 1;
    let taken = if before == 0 {
        let sql =
            "insert into live_state (tenant, name, turn, body) values ($1, 'progress', $2, $3) on conflict do nothing";
        tx.execute(sql, values![tenant, turn, progress])?
    } else {
        let sql = "update live_state set turn = $2, body = $3 where tenant = $1 and name = 'progress' and turn = $4";
        tx.execute(sql, values![tenant, turn, progress, before])?
    };
    if taken == 0 {
        return Ok(false);
    }
    if let Some(checkpoint) = checkpoint {
        let sql = "insert into live_state (tenant, name, turn, body) values ($1, 'checkpoint', $2, $3) \
                   on conflict (tenant, name) do update set turn = $2, body = $3";
        tx.execute(sql, values![tenant, turn, checkpoint])?;
    }
    Ok(true)
}

/// Forgets how detection stands, so that it begins anew.
pub fn forget_state(tx: &mut Tx<'_>, tenant: &str) -> Result<(), StoreError> {
    tx.execute("delete from live_state where tenant = $1", values![tenant]).map(|_| ())
}

/// Stores issuers in place of what was known of them.
pub fn put_issuers<'r>(
    tx: &mut Tx<'_>,
    tenant: &str,
    rows: impl IntoIterator<Item = &'r IssuerBinRow>,
) -> Result<u64, StoreError> {
    record::insert(tx, tenant, Existing::Replace, rows)
}

/// All issuers by the first digits of their cards.
pub fn issuers(tx: &mut Tx<'_>, tenant: &str) -> Result<Vec<IssuerBinRow>, StoreError> {
    let sql = format!("select {} from issuer_bins i where i.tenant = $1", IssuerBinRow::columns_of("i"));
    tx.query_as(&sql, values![tenant], |row| IssuerBinRow::read(row, 0))
}
