//! Users, their passwords and their sessions' tokens.

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use base16ct::lower::encode_string as hex;
use onus_store::tenants::{self, TenantRow};
use onus_store::users::{self, UserRow};
use onus_store::{Store, StoreError, Tx, sessions};
use sha2::{Digest as _, Sha256};

use crate::Role;

const USERNAME_MAX: usize = 64;
const PASSWORD_MIN: usize = 8;
const PASSWORD_MAX: usize = 1024;

/// Why a user was not added.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum AccountError {
    /// The name cannot be a username.
    #[error("a username has 1 to 64 letters, digits or the signs . _ - @; choose another one")]
    Username,
    /// The password is too short or absurdly long.
    #[error("a password has at least 8 characters and at most 1024 bytes; choose another one")]
    Password,
    /// An agent's user without an agent, or another one with an agent.
    #[error("role agent needs the code of its agent, and no other role has one")]
    AgentCode,
    /// The name is taken.
    #[error("there is a user {0:?} already; choose another username")]
    Taken(String),
    /// Nobody has that name.
    #[error("there is no user {0:?}; check the username")]
    NoSuchUser(String),
    /// The store has users already, so that this is not its first run.
    #[error("the store has users already; sign in instead")]
    NotFirst,
    /// The password could not be hashed.
    #[error("the password could not be hashed: {0}")]
    Hash(String),
    /// No randomness, or the store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The acquirer that a store without any gets when its first user is added.
#[must_use]
pub fn default_tenant() -> TenantRow {
    TenantRow {
        id: "acquirer".to_owned(),
        name: "收单机构".to_owned(),
        currency: "CNY".to_owned(),
        zone: "Asia/Shanghai".to_owned(),
    }
}

/// Adds a user to the store's first tenant. `now` is in microseconds since 1970 UTC.
///
/// # Errors
/// When a value is not allowed, the name is taken, or the store fails.
pub fn create_user(
    store: &Store,
    username: &str,
    password: &str,
    role: Role,
    agent_code: Option<&str>,
    locale: &str,
    now: i64,
) -> Result<UserRow, AccountError> {
    let user = new_user(username, password, role, agent_code, locale, now)?;
    let added = store.write(|tx| add(tx, &user));
    added.map_err(
        |error| {
            if error.is_duplicate() { AccountError::Taken(username.to_owned()) } else { error.into() }
        },
    )?;
    Ok(user)
}

/// Gives a user another password and ends all its sessions.
///
/// # Errors
/// When the password is not allowed, nobody has the name, or the store fails.
pub fn set_password(store: &Store, username: &str, password: &str) -> Result<(), AccountError> {
    check_password(password)?;
    let hash = hash_password(password)?;
    let changed = store.write(|tx| {
        let Some(login) = users::by_username(tx, username)? else {
            return Ok(false);
        };
        sessions::remove_of_user(tx, &login.user.id)?;
        users::set_password(tx, &login.tenant, &login.user.id, &hash)
    })?;
    if changed { Ok(()) } else { Err(AccountError::NoSuchUser(username.to_owned())) }
}

/// Adds the first administrator, unless somebody else was faster.
pub(crate) fn create_first_user(
    store: &Store,
    username: &str,
    password: &str,
    locale: &str,
    now: i64,
) -> Result<(UserRow, String), AccountError> {
    let user = new_user(username, password, Role::Administrator, None, locale, now)?;
    let tenant = store.write(|tx| {
        if users::count(tx)? > 0 {
            return Ok(None);
        }
        add(tx, &user).map(Some)
    })?;
    tenant.map(|tenant| (user, tenant)).ok_or(AccountError::NotFirst)
}

fn add(tx: &mut Tx<'_>, user: &UserRow) -> Result<String, StoreError> {
    let tenant = match tenants::list(tx)?.into_iter().next() {
        Some(tenant) => tenant,
        None => {
            let tenant = default_tenant();
            tenants::put(tx, &tenant)?;
            tenant
        }
    };
    users::insert(tx, &tenant.id, user)?;
    Ok(tenant.id)
}

fn new_user(
    username: &str,
    password: &str,
    role: Role,
    agent_code: Option<&str>,
    locale: &str,
    now: i64,
) -> Result<UserRow, AccountError> {
    let allowed = |c: char| c.is_alphanumeric() || matches!(c, '.' | '_' | '-' | '@');
    if username.is_empty() || username.chars().count() > USERNAME_MAX || !username.chars().all(allowed) {
        return Err(AccountError::Username);
    }
    check_password(password)?;
    let agent_code = agent_code.filter(|code| !code.is_empty());
    if (role == Role::Agent) != agent_code.is_some() {
        return Err(AccountError::AgentCode);
    }
    Ok(UserRow {
        id: random_hex::<16>()?,
        username: username.to_owned(),
        password_hash: hash_password(password)?,
        role: role.as_str().to_owned(),
        agent_code: agent_code.map(str::to_owned),
        locale: locale.to_owned(),
        created_at: now,
        disabled_at: None,
    })
}

fn check_password(password: &str) -> Result<(), AccountError> {
    if password.chars().count() < PASSWORD_MIN || password.len() > PASSWORD_MAX {
        return Err(AccountError::Password);
    }
    Ok(())
}

fn hash_password(password: &str) -> Result<String, AccountError> {
    let hash = Argon2::default().hash_password(password.as_bytes());
    hash.map(|hash| hash.to_string()).map_err(|error| AccountError::Hash(error.to_string()))
}

/// Whether the password fits. Takes as long for a user who does not exist (`None`).
pub(crate) fn password_fits(password: &str, stored: Option<&str>) -> bool {
    // Argon2id with the same parameters as `hash_password`, of a password nobody knows.
    const NOBODY: &str =
        "$argon2id$v=19$m=19456,t=2,p=1$b251cy5ub2JvZHkuc2FsdA$3Zm1xW1U0kqfB3l1m0bVw6m3n4wq0m2l7uQe5s1k9zA";
    if password.len() > PASSWORD_MAX {
        return false;
    }
    let fits = |hash: &str| {
        PasswordHash::new(hash).is_ok_and(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok())
    };
    let found = fits(stored.unwrap_or(NOBODY));
    found && stored.is_some()
}

/// `N` random bytes in hex.
pub(crate) fn random_hex<const N: usize>() -> Result<String, StoreError> {
    let mut bytes = [0u8; N];
    getrandom::fill(&mut bytes)
        .map_err(|error| StoreError::NotCommitted { detail: format!("no randomness from the system: {error}") })?;
    Ok(hex(&bytes))
}

/// SHA-256 of a text, hex: all that is stored of a session's token.
pub(crate) fn sha256_hex(text: &str) -> String {
    hex(&Sha256::digest(text.as_bytes()))
}

/// Compares two secrets without telling by time where they differ.
pub(crate) fn same_secret(a: &str, b: &str) -> bool {
    let (a, b) = (Sha256::digest(a.as_bytes()), Sha256::digest(b.as_bytes()));
    a.iter().zip(b.iter()).fold(0, |differences, (a, b)| differences | (a ^ b)) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_fits_its_hash_only() {
        let hash = hash_password("correct horse").unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert!(password_fits("correct horse", Some(&hash)));
        assert!(!password_fits("correct horsf", Some(&hash)));
        assert!(!password_fits("correct horse", Some("damaged")));
        assert!(!password_fits("correct horse", None));
    }

    #[test]
    fn the_hash_of_nobody_is_checked_like_any_other() {
        let started = std::time::Instant::now();
        assert!(!password_fits("correct horse", None));
        // A hash that does not parse would be refused within microseconds.
        assert!(started.elapsed() > std::time::Duration::from_micros(500));
    }

    #[test]
    fn a_new_password_ends_the_sessions() {
        let db = onus_store::testing::sqlite();
        let user = create_user(&db.store, "op", "12345678", Role::Operator, None, "en", 1).unwrap();
        let session = sessions::SessionRow { token_sha256: "t".into(), user_id: user.id, created_at: 1, expires_at: 9 };
        db.store.write(|tx| sessions::insert(tx, &session)).unwrap();
        set_password(&db.store, "op", "87654321").unwrap();
        let (login, session) =
            db.store.read(|tx| Ok((users::by_username(tx, "op")?.unwrap(), sessions::user_of(tx, "t", 2)?))).unwrap();
        assert!(password_fits("87654321", Some(&login.user.password_hash)));
        assert_eq!(session, None);
        assert!(matches!(set_password(&db.store, "who", "87654321"), Err(AccountError::NoSuchUser(_))));
        assert!(matches!(set_password(&db.store, "op", "short"), Err(AccountError::Password)));
    }

    #[test]
    fn users_are_checked_before_they_are_added() {
        let db = onus_store::testing::sqlite();
        let add =
            |name: &str, password: &str, role, agent| create_user(&db.store, name, password, role, agent, "en", 1);
        assert!(matches!(add("", "12345678", Role::Operator, None), Err(AccountError::Username)));
        assert!(matches!(add("a b", "12345678", Role::Operator, None), Err(AccountError::Username)));
        assert!(matches!(add("op", "1234567", Role::Operator, None), Err(AccountError::Password)));
        assert!(matches!(add("op", "12345678", Role::Agent, None), Err(AccountError::AgentCode)));
        assert!(matches!(add("op", "12345678", Role::Operator, Some("A01")), Err(AccountError::AgentCode)));
        assert_eq!(add("op", "12345678", Role::Operator, None).unwrap().role, "operator");
        assert!(matches!(add("op", "12345678", Role::Operator, None), Err(AccountError::Taken(_))));
        assert!(matches!(create_first_user(&db.store, "x", "12345678", "en", 1), Err(AccountError::NotFirst)));
    }
}
