//! What must hold for any bytes, and seeded bytes to try it with on a stable toolchain.

pub mod files;
pub mod mutate;
pub mod seeds;
pub mod targets;
