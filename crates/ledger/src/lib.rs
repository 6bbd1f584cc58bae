//! Double entry for who owes whom after a payment went wrong. Pure: values in, values out.
//!
//! **The platform books claims; it never moves money.** Merchant payout money and customer reserves
//! (备付金) stay with the acquirer. An agent or a platform that held them would run an unlicensed second
//! settlement (二清). So no account here is a bank account: a line says that somebody owes, is owed,
//! has paid or bears something, and the paying itself happens outside and is reported in.
//!
//! - A [`Journal`] is at least two lines of one currency that sum to zero: debits positive, credits
//!   negative. One that does not cannot be built. Journals are never changed; [`Journal::reverse`]
//!   takes one back by a new one.
//! - [`book_verdict`] turns the money side of a verdict into a journal. While the cause is unknown the
//!   whole loss waits in the acquirer's suspense account and nobody else is touched.
//! - [`book_outward_paid`], [`book_recovered`] and [`book_interest`] record what follows.
//! - [`split_by_shares`] divides to the last fen; [`interest`] computes simple interest.
//! - [`invariants`] holds what must be true of any set of lines; tests and callers use the same.

mod account;
mod balances;
mod booking;
mod error;
pub mod interest;
pub mod invariants;
mod journal;
mod memo;
mod money;
mod party;
mod shares;

pub use account::{Account, AccountKind};
pub use balances::Balances;
pub use booking::{VerdictMoney, book_interest, book_outward_paid, book_recovered, book_verdict};
pub use error::LedgerError;
pub use journal::{Journal, Line};
pub use memo::Memo;
pub use money::{Currency, Minor};
pub use party::Party;
pub use shares::{WHOLE_BP, split_by_shares};
