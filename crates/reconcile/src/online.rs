//! Expectations: each record creates what must follow elsewhere and by when.
//!
//! What is missing becomes a break at its deadline, what comes late becomes a match with an age. The rows of a payment
//! are matched and classified by the code of [`crate::files`], so that records as they come and whole files agree. A
//! class is called only when it would still hold if everything that may yet come came as it should. Times are seconds
//! of the business's local clock: a deadline is a matter of its days.

mod awaited;
mod record;
mod rules;
mod state;

pub use awaited::{Awaited, Known, Outlook, Reversal};
pub use record::{AttemptLine, ClearingLine, Observation, PayoutLine, Record, ShareLine, Terms};
pub use rules::{Due, ExpectationRules, Leg, Rule, RulesError, Second};
pub use state::{Change, Expectations, Finding, Snapshot};
