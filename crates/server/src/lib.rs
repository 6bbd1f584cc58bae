//! The HTTP API, identity, and the embedded console.
//!
//! | need | use |
//! |---|---|
//! | run the server until it is told to stop | [`serve`] |
//! | the routes alone, for tests | [`ServerState`], [`router`] |
//! | add a user, change a password | [`create_user`], [`set_password`] |
//! | the API's own description | [`openapi_json`] |
//!
//! Architecture invariant: nothing is answered without identity but `/login` and, while the store has no
//! user, `/setup`; what an actor may do is decided in `policy` alone, what it may see in the store alone.

mod accounts;
mod actor;
mod api;
mod audit_trail;
mod console;
mod episode_portrait;
mod gate;
mod language;
mod leg_fields;
mod leg_rows;
mod legs;
mod openapi;
mod policy;
mod problem;
mod proofs;
mod serve;
mod sign_in;
mod sign_in_page;
mod state;
mod stories;
#[cfg(test)]
mod tests;
mod texts;
mod throttle;
mod verdict_body;

pub use accounts::{AccountError, create_user, default_tenant, set_password};
pub use openapi::openapi_json;
pub use policy::{Role, may_resolve_breaks};
pub use serve::{ServerConfig, ServerError, router, serve};
pub use state::ServerState;
