//! The server as a client sees it.

mod answers;
mod decisions;
mod expectations;
mod fixture;
mod fixture_rows;
mod identity;
mod openapi;
mod resolutions;
mod serving;
