//! Streams of payments for tests and measurements.

#![allow(dead_code, unreachable_pub, reason = "each test and bench uses a part")]
#![allow(clippy::unwrap_used, reason = "tests and benches may")]

pub mod fleet;
pub mod random;
pub mod rules;
