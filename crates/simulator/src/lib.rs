//! Terminals, an acquirer host and a card network as real TCP peers with seeded faults.
//!
//! Tests start them in process and compare what each peer noted in its [`account::Account`] with what a gateway
//! says; the binary `onus-simulator` runs them by hand and makes load. The peers share no code with the product:
//! a mistake in its codec cannot hide in a peer that makes the same mistake.

pub mod account;
pub mod books;
pub mod card;
pub mod fault;
pub mod fleet;
pub mod frame;
pub mod host;
pub mod idle;
pub mod keys;
pub mod load;
pub mod message;
pub mod network;
mod peer;
pub mod random;
pub mod terminal;
