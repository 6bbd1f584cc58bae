//! Cases: what others say about payments, deadlines by the working-day calendar, and the life of a case.
//! Pure: every function takes the time it works with and returns what to change.

mod calendar;
mod case;
mod deadline;
pub mod notices;

pub use calendar::{Calendar, CalendarError};
pub use case::{CaseEvent, CaseState, DueObligation, NewCase, OpenError, Refusal, TRANSITIONS, apply, open_case};
pub use deadline::{Deadline, DeadlineError};
