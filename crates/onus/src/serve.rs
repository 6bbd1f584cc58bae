//! Wiring of the server.

use std::net::SocketAddr;

use anyhow::{Result, anyhow};
use onus_model::Instant;
use onus_server::ServerConfig;

use crate::home::{self, Home};

/// Serves until it is told to stop.
pub(crate) fn serve(
    home: &Home,
    listen: SocketAddr,
    as_of: Option<Instant>,
    cookie_secure: bool,
    ready: impl FnOnce(SocketAddr),
) -> Result<()> {
    let setup_token = first_run_token(home)?;
    if let Some(token) = &setup_token {
        println!("first run: open http://{listen}/setup and make the administrator with the code {token}");
    }
    let config = ServerConfig {
        listen,
        as_of: as_of.map(|at| at.0),
        cookie_secure,
        public_key: home.key.verifying_key().to_string(),
        setup_token,
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let announce = |address: SocketAddr| {
        println!("listening on http://{address}");
        ready(address);
    };
    runtime
        .block_on(onus_server::serve(config, home.store.clone(), home.vault.clone(), announce))
        .map_err(|error| anyhow!("{error}"))
}

/// A code for making the first administrator; none when there are users already.
fn first_run_token(home: &Home) -> Result<Option<String>> {
    if home.store.read(onus_store::users::count)? > 0 {
        return Ok(None);
    }
    random_text().map(Some)
}

/// A random text that is hard to guess and easy to type.
pub(crate) fn random_text() -> Result<String> {
    const LETTERS: &[u8] = b"abcdefghjkmnpqrstuvwxyz23456789";
    let mut bytes = [0u8; 20];
    getrandom::fill(&mut bytes).map_err(|error| anyhow!("no randomness: {error}"))?;
    Ok(bytes
        .iter()
        .filter_map(|byte| LETTERS.get(usize::from(*byte) % LETTERS.len()))
        .map(|letter| char::from(*letter))
        .collect())
}

/// Adds a user.
pub(crate) fn add_user(home: &Home, username: &str, password: &str, role: &str, agent: Option<&str>) -> Result<()> {
    let known = || onus_server::Role::ALL.map(onus_server::Role::as_str).join(", ");
    let role = onus_server::Role::parse(role).ok_or_else(|| anyhow!("--role is one of {}; found {role:?}", known()))?;
    onus_server::create_user(&home.store, username, password, role, agent, "zh-CN", home::now().0)?;
    Ok(())
}
