//! Cases: what others say about payments, deadlines by the working-day calendar, the life of a case, and how a break
//! is resolved, and what two people decide.
//! Pure: every function takes the time it works with and returns what to change.

mod automation;
mod calendar;
mod case;
mod deadline;
pub mod dual_control;
pub mod notices;
pub mod resolution;
mod words;

pub use automation::{falls_late, may_book};
pub use calendar::{Calendar, CalendarError};
pub use case::{CaseEvent, CaseState, DueObligation, NewCase, OpenError, Refusal, TRANSITIONS, apply, open_case};
pub use deadline::{Deadline, DeadlineError};
