//! What software may do by itself for a case: nothing that rests on a limit which nobody verified.

use onus_model::{Automation, Instant};

use crate::DueObligation;

/// Whether a duty counts as late by itself, which is what reminders and escalation begin with.
#[must_use]
pub fn falls_late(duty: &DueObligation, now: Instant) -> bool {
    duty.automation.is_automatic() && duty.due_at < now
}

/// Whether money may be booked on a verdict whose limits have this automation.
#[must_use]
pub fn may_book(limits: Automation) -> bool {
    limits.is_automatic()
}

#[cfg(test)]
mod tests {
    use onus_model::Party;

    use super::*;

    #[test]
    fn an_unverified_limit_does_nothing_by_itself() {
        let duty = |automation| DueObligation {
            seq: 1,
            duty: "answer_dispute".to_owned(),
            owner: Party::Acquirer,
            due_at: Instant(10),
            amount_minor: 0,
            automation,
        };
        for (automation, now, late) in [
            (Automation::Automatic, 10, false),
            (Automation::Automatic, 11, true),
            (Automation::Manual, 11, false),
            (Automation::Manual, i64::MAX, false),
        ] {
            assert_eq!(falls_late(&duty(automation), Instant(now)), late, "{automation} {now}");
        }
        assert!(may_book(Automation::Automatic) && !may_book(Automation::Manual));
    }
}
