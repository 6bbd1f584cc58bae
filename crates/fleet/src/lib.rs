//! The fleet: agents, merchants, terminals, what was done to them and what they say about themselves.
//!
//! [`Registry`] answers point-in-time questions: nothing learned after `at` leaks into an answer about `at`.

mod integrity;
mod registry;
pub mod rows;

pub use integrity::{Integrity, UpdateState};
pub use registry::{AccountStanding, Registry};
