//! Many records of one payment, side by side.
//!
//! [`Book`] takes the rows of a window, pairs them and yields [`Attempt`]s: one payment each with its journal line,
//! its wire exchange, its clearing lines and its payout. [`Book::breaks`] says where the four differ. [`files`] does
//! the same for whole settlement files, at file speed. [`diversion`] groups the breaks by which money went elsewhere.
//! Pure values: nothing here knows storage or HTTP.

mod book;
mod breaks;
pub mod diversion;
pub mod files;
mod gateway;
mod interner;
mod legs;
pub mod online;
mod switchboard;

pub use book::{Attempt, Book};
pub use breaks::{AccountAt, Break, PayoutState, classify};
pub use gateway::{Following, GatewayEvent, GatewayFact, GatewayTrace, Seen};
pub use interner::{Interner, Symbol};
pub use legs::{ClearingLeg, Direction, Frame, FrameFields, JournalKind, JournalLeg, PayoutLeg, TerminalReversal};
pub use switchboard::{Exchange, LinkSilence, Reversal, Settlement, Switchboard, TerminalStatus};
