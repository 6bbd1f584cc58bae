//! Users.

use crate::record::{Column as _, Record, record};
use crate::{Row, Scope, StoreError, Tx, values};

record! {
    /// A user. Its tenant is [`Login::tenant`] when it is found by name.
    pub struct UserRow in "users" keys(id) {
        /// Its id.
        pub id: String,
        /// Name it signs in with, unique in the whole store.
        pub username: String,
        /// Argon2 string.
        pub password_hash: String,
        /// `administrator`, `operator`, `reviewer`, `agent`
        pub role: String,
        /// For role `agent`: root of the subtree it may see.
        pub agent_code: Option<String>,
        /// `zh-CN`, `en`
        pub locale: String,
        /// When it was added.
        pub created_at: i64,
        /// Since when it may not sign in.
        pub disabled_at: Option<i64>,
    }
}

/// Who signs in, found before any scope is known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Login {
    /// The user.
    pub user: UserRow,
    /// Its tenant.
    pub tenant: String,
}

impl Login {
    pub(crate) fn read(row: &Row<'_>, first: usize) -> Result<Self, StoreError> {
        let user = UserRow::read(row, first)?;
        Ok(Self { user, tenant: String::read(row, first + UserRow::COLUMNS.len())? })
    }
}

/// Adds a user; a username that is taken is refused as a duplicate.
pub fn insert(tx: &mut Tx<'_>, tenant: &str, user: &UserRow) -> Result<(), StoreError> {
    crate::record::insert(tx, tenant, crate::record::Existing::Refuse, [user])?;
    Ok(())
}

/// How many users the store has: none on the first run.
pub fn count(tx: &mut Tx<'_>) -> Result<i64, StoreError> {
    tx.query_first("select count(*) from users", &[])?.map_or(Ok(0), |row| row.int(0))
}

/// The user who signs in with this name, also one that is disabled.
pub fn by_username(tx: &mut Tx<'_>, username: &str) -> Result<Option<Login>, StoreError> {
    let sql = format!("select {}, u.tenant from users u where u.username = $1", UserRow::columns_of("u"));
    Ok(tx.query_as(&sql, values![username], |row| Login::read(row, 0))?.pop())
}

/// The users of the tenant, by name. Agents see none.
pub fn list(tx: &mut Tx<'_>, scope: &Scope) -> Result<Vec<UserRow>, StoreError> {
    let filter = crate::scope::Filter::whole_tenant(scope, "u");
    let sql = format!("select {} from users u {} order by u.username", UserRow::columns_of("u"), filter.clause());
    tx.query_as(&sql, filter.values(), |row| UserRow::read(row, 0))
}

/// Changes a password.
pub fn set_password(tx: &mut Tx<'_>, tenant: &str, user_id: &str, password_hash: &str) -> Result<bool, StoreError> {
    let sql = "update users set password_hash = $3 where tenant = $1 and id = $2";
    Ok(tx.execute(sql, values![tenant, user_id, password_hash])? > 0)
}

/// Disables a user, or enables it again.
pub fn set_disabled(tx: &mut Tx<'_>, tenant: &str, user_id: &str, at: Option<i64>) -> Result<bool, StoreError> {
    let sql = "update users set disabled_at = $3 where tenant = $1 and id = $2";
    Ok(tx.execute(sql, values![tenant, user_id, at])? > 0)
}
