//! Sessions of signed-in users. Only the hash of a token is stored.

use crate::record::Record as _;
use crate::users::{Login, UserRow};
use crate::{StoreError, Tx, values};

/// A session.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SessionRow {
    /// SHA-256 of the token, hex.
    pub token_sha256: String,
    /// `users.id`
    pub user_id: String,
    /// When the user signed in.
    pub created_at: i64,
    /// When it ends.
    pub expires_at: i64,
}

/// Stores a session.
pub fn insert(tx: &mut Tx<'_>, session: &SessionRow) -> Result<(), StoreError> {
    tx.execute(
        "insert into sessions (token_sha256, user_id, created_at, expires_at) values ($1, $2, $3, $4)",
        values![&session.token_sha256, &session.user_id, session.created_at, session.expires_at],
    )?;
    Ok(())
}

/// Whose session it is; none when it has ended or the user is disabled.
pub fn user_of(tx: &mut Tx<'_>, token_sha256: &str, now: i64) -> Result<Option<Login>, StoreError> {
    let sql = format!(
        "select {}, u.tenant from sessions s join users u on u.id = s.user_id \
         where s.token_sha256 = $1 and s.expires_at > $2 and u.disabled_at is null",
        UserRow::columns_of("u")
    );
    Ok(tx.query_as(&sql, values![token_sha256, now], |row| Login::read(row, 0))?.pop())
}

/// Ends a session.
pub fn remove(tx: &mut Tx<'_>, token_sha256: &str) -> Result<bool, StoreError> {
    Ok(tx.execute("delete from sessions where token_sha256 = $1", values![token_sha256])? > 0)
}

/// Ends all sessions of a user.
pub fn remove_of_user(tx: &mut Tx<'_>, user_id: &str) -> Result<u64, StoreError> {
    tx.execute("delete from sessions where user_id = $1", values![user_id])
}

/// Removes sessions that have ended.
pub fn remove_expired(tx: &mut Tx<'_>, now: i64) -> Result<u64, StoreError> {
    tx.execute("delete from sessions where expires_at <= $1", values![now])
}
