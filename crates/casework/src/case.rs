//! The life of a case: its states, the moves between them, and how a verdict opens one.

use onus_model::{Automation, ExceptionKind, Instant, Obligation, Party, Verdict, Zone};

use crate::words::words;
use crate::{Calendar, Deadline, DeadlineError};

words! {
    /// Where a case stands (china-pos F4).
    CaseState {
        /// Reported, nobody has spoken to the user yet.
        Open = "OPEN",
        /// The user was spoken to.
        Contacted = "CONTACTED",
        /// There is a verdict.
        Diagnosed = "DIAGNOSED",
        /// A solution was offered.
        Proposed = "PROPOSED",
        /// The solution was accepted.
        Accepted = "ACCEPTED",
        /// All of it was done.
        Fulfilled = "FULFILLED",
        /// Over.
        Closed = "CLOSED",
        /// The party that should act refused.
        Refused = "REFUSED",
        /// The party that should act let its time run out.
        Silent = "SILENT",
        /// Complaint at the bank.
        ComplaintBank = "COMPLAINT_BANK",
        /// Complaint at the regulator.
        ComplaintRegulator = "COMPLAINT_REGULATOR",
        /// Before a court or arbitrator.
        Legal = "LEGAL",
        /// Waits for evidence.
        Held = "HELD",
        /// Taken back by whoever raised it.
        Withdrawn = "WITHDRAWN",
        /// Goes on in the case of its episode.
        Merged = "MERGED",
    }
}

words! {
    /// What happens to a case.
    CaseEvent {
        /// The user was spoken to.
        Contact = "contact",
        /// A verdict was given, or given again after new evidence.
        Diagnose = "diagnose",
        /// A solution is offered.
        Propose = "propose",
        /// The solution is accepted.
        Accept = "accept",
        /// What was agreed or ordered has been done.
        Fulfil = "fulfil",
        /// Nothing is left to do.
        Close = "close",
        /// The party that should act refuses.
        Refuse = "refuse",
        /// A deadline passed without an answer.
        FallSilent = "fall_silent",
        /// The user complains at the bank.
        ComplainToBank = "complain_to_bank",
        /// The user complains at the regulator.
        ComplainToRegulator = "complain_to_regulator",
        /// The user goes to court or arbitration.
        GoToLaw = "go_to_law",
        /// Evidence is awaited.
        Hold = "hold",
        /// Whoever raised it takes it back.
        Withdraw = "withdraw",
        /// It joins the case of an episode.
        Merge = "merge",
    }
}

impl CaseState {
    /// Whether nothing can happen any more.
    #[must_use]
    pub const fn is_terminal(self) -> bool {
        matches!(self, Self::Closed | Self::Withdrawn | Self::Merged)
    }
}

/// A move that is not allowed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a case in state {state} does not allow {event}; it allows: {}", allowed(*state))]
pub struct Refusal {
    /// Where the case stands.
    pub state: CaseState,
    /// What was tried.
    pub event: CaseEvent,
}

use CaseEvent as E;
use CaseState as S;

/// Every move: in this state, on this event, to that state.
///
/// `HELD` has one way back into work, a new diagnosis, because the evidence that it waited for may change the verdict.
pub const TRANSITIONS: &[(CaseState, &[(CaseEvent, CaseState)])] = &[
    (
        S::Open,
        &[
            (E::Contact, S::Contacted),
            (E::Diagnose, S::Diagnosed),
            (E::FallSilent, S::Silent),
            (E::Hold, S::Held),
            (E::Withdraw, S::Withdrawn),
            (E::Merge, S::Merged),
        ],
    ),
    (
        S::Contacted,
        &[
            (E::Diagnose, S::Diagnosed),
            (E::Refuse, S::Refused),
            (E::FallSilent, S::Silent),
            (E::Hold, S::Held),
            (E::Withdraw, S::Withdrawn),
            (E::Merge, S::Merged),
        ],
    ),
    (
        S::Diagnosed,
        &[
            (E::Diagnose, S::Diagnosed),
            (E::Propose, S::Proposed),
            (E::Refuse, S::Refused),
            (E::FallSilent, S::Silent),
            (E::Hold, S::Held),
            (E::Withdraw, S::Withdrawn),
            (E::Merge, S::Merged),
        ],
    ),
    (
        S::Proposed,
        &[
            (E::Diagnose, S::Diagnosed),
            (E::Propose, S::Proposed),
            (E::Accept, S::Accepted),
            (E::Refuse, S::Refused),
            (E::FallSilent, S::Silent),
            (E::Hold, S::Held),
            (E::Withdraw, S::Withdrawn),
            (E::Merge, S::Merged),
        ],
    ),
    (
        S::Accepted,
        &[
            (E::Diagnose, S::Diagnosed),
            (E::Fulfil, S::Fulfilled),
            (E::Refuse, S::Refused),
            (E::FallSilent, S::Silent),
            (E::Hold, S::Held),
            (E::Withdraw, S::Withdrawn),
            (E::Merge, S::Merged),
        ],
    ),
    (S::Fulfilled, &[(E::Close, S::Closed), (E::Hold, S::Held), (E::Withdraw, S::Withdrawn), (E::Merge, S::Merged)]),
    (
        S::Refused,
        &[
            (E::Diagnose, S::Diagnosed),
            (E::Accept, S::Accepted),
            (E::ComplainToBank, S::ComplaintBank),
            (E::Hold, S::Held),
            (E::Withdraw, S::Withdrawn),
            (E::Merge, S::Merged),
        ],
    ),
    (
        S::Silent,
        &[
            (E::Diagnose, S::Diagnosed),
            (E::Accept, S::Accepted),
            (E::Refuse, S::Refused),
            (E::ComplainToBank, S::ComplaintBank),
            (E::Hold, S::Held),
            (E::Withdraw, S::Withdrawn),
            (E::Merge, S::Merged),
        ],
    ),
    (
        S::ComplaintBank,
        &[
            (E::Accept, S::Accepted),
            (E::ComplainToRegulator, S::ComplaintRegulator),
            (E::Hold, S::Held),
            (E::Withdraw, S::Withdrawn),
            (E::Merge, S::Merged),
        ],
    ),
    (
        S::ComplaintRegulator,
        &[
            (E::Accept, S::Accepted),
            (E::GoToLaw, S::Legal),
            (E::Hold, S::Held),
            (E::Withdraw, S::Withdrawn),
            (E::Merge, S::Merged),
        ],
    ),
    (
        S::Legal,
        &[
            (E::Accept, S::Accepted),
            (E::Fulfil, S::Fulfilled),
            (E::Close, S::Closed),
            (E::Hold, S::Held),
            (E::Withdraw, S::Withdrawn),
            (E::Merge, S::Merged),
        ],
    ),
    (S::Held, &[(E::Diagnose, S::Diagnosed), (E::Withdraw, S::Withdrawn), (E::Merge, S::Merged)]),
    (S::Closed, &[]),
    (S::Withdrawn, &[]),
    (S::Merged, &[]),
];

fn exits(state: CaseState) -> &'static [(CaseEvent, CaseState)] {
    TRANSITIONS.iter().find(|(from, _)| *from == state).map_or(&[], |(_, exits)| *exits)
}

fn allowed(state: CaseState) -> String {
    let names: Vec<&str> = exits(state).iter().map(|(event, _)| event.as_str()).collect();
    if names.is_empty() { "nothing, it is over".to_owned() } else { names.join(", ") }
}

/// Where a case stands after an event.
///
/// # Errors
/// When the event is not allowed in this state.
pub fn apply(state: CaseState, event: CaseEvent) -> Result<CaseState, Refusal> {
    let found = exits(state).iter().find(|(on, _)| *on == event);
    found.map(|(_, next)| *next).ok_or(Refusal { state, event })
}

/// An obligation with the time at which it is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueObligation {
    /// Number within the case, from 1.
    pub seq: u32,
    /// Duty, a code of the pack's list.
    pub duty: String,
    /// Who has to do it.
    pub owner: Party,
    /// When its time is up.
    pub due_at: Instant,
    /// What it has to pay, minor units; zero for duties that pay nothing.
    pub amount_minor: i64,
    /// Whether software may act on its time; see [`crate::falls_late`].
    pub automation: Automation,
}

/// A case to open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewCase {
    /// Payment and kind, such as `P1.K4`.
    pub id: String,
    /// Kind of exception.
    pub kind: ExceptionKind,
    /// Where it stands.
    pub state: CaseState,
    /// When it was opened.
    pub opened_at: Instant,
    /// When the first of its obligations is due.
    pub due_at: Instant,
    /// What has to be done, in the order of the verdict.
    pub obligations: Vec<DueObligation>,
}

/// A case could not be opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("case {case}, obligation {seq} ({duty}) of rule {rule_id}: {source}")]
pub struct OpenError {
    case: String,
    seq: u32,
    duty: String,
    rule_id: String,
    source: DeadlineError,
}

/// The case that a verdict opens: none when nobody has to do anything.
///
/// It begins as `DIAGNOSED`, since the verdict is there.
///
/// # Errors
/// When the time of an obligation does not read; the rule pack has to be corrected.
pub fn open_case(
    verdict: &Verdict,
    payment_id: &str,
    now: Instant,
    calendar: &Calendar,
    zone: &Zone,
) -> Result<Option<NewCase>, OpenError> {
    let id = format!("{payment_id}.{}", verdict.kind);
    let resolve = |(seq, obligation): (u32, &Obligation)| {
        let deadline = Deadline::parse(&obligation.within).map_err(|source| OpenError {
            case: id.clone(),
            seq,
            duty: obligation.duty.clone(),
            rule_id: verdict.rule_id.clone(),
            source,
        })?;
        Ok(DueObligation {
            seq,
            duty: obligation.duty.clone(),
            owner: obligation.owner,
            due_at: deadline.due_at(now, calendar, zone),
            amount_minor: if pays(&obligation.duty) { verdict.loss_minor } else { 0 },
            automation: obligation.automation,
        })
    };
    let obligations: Vec<DueObligation> =
        (1..).zip(&verdict.obligations).map(resolve).collect::<Result<_, OpenError>>()?;
    let Some(due_at) = obligations.iter().map(|obligation| obligation.due_at).min() else {
        return Ok(None);
    };
    Ok(Some(NewCase { id, kind: verdict.kind, state: CaseState::Diagnosed, opened_at: now, due_at, obligations }))
}

/// Whether a duty moves the loss: its code says so by its first word.
fn pays(duty: &str) -> bool {
    ["pay", "restitution", "refund", "settle"].iter().any(|word| duty.starts_with(word))
}

#[cfg(test)]
mod tests {
    use onus_model::{AgentBasis, Cause, FindingStatus, Shares, Text};
    use proptest::prelude::*;

    use super::*;

    fn verdict(obligations: &[(&str, Party, &str)]) -> Verdict {
        let duty = |(duty, owner, within): &(&str, Party, &str)| Obligation {
            duty: (*duty).to_owned(),
            owner: *owner,
            within: (*within).to_owned(),
            automation: onus_model::Automation::default(),
        };
        Verdict {
            kind: ExceptionKind::Diverted,
            cause: Cause::TamperAgent,
            status: FindingStatus::Confirmed,
            findings: Vec::new(),
            rule_id: "R1".to_owned(),
            rule_title: Text::default(),
            outward: Some(Party::Acquirer),
            shares: Shares::none(),
            suspense: false,
            loss_minor: 12_345,
            reasons: Vec::new(),
            would_change: Vec::new(),
            agent_basis: AgentBasis::OwnFault,
            agent_answer: Text::default(),
            obligations: obligations.iter().map(duty).collect(),
        }
    }

    #[test]
    fn every_state_stands_in_the_table_once() {
        let listed: Vec<CaseState> = TRANSITIONS.iter().map(|(state, _)| *state).collect();
        for state in CaseState::ALL {
            assert_eq!(listed.iter().filter(|other| *other == state).count(), 1, "{state}");
            assert_eq!(CaseState::parse(state.as_str()), Some(*state));
            assert_eq!(exits(*state).is_empty(), state.is_terminal(), "{state}");
            if !state.is_terminal() {
                assert_eq!(apply(*state, CaseEvent::Withdraw), Ok(CaseState::Withdrawn));
                assert_eq!(apply(*state, CaseEvent::Merge), Ok(CaseState::Merged));
            }
            if !state.is_terminal() && *state != CaseState::Held {
                assert_eq!(apply(*state, CaseEvent::Hold), Ok(CaseState::Held), "{state}");
            }
        }
    }

    #[test]
    fn the_two_long_ways() {
        let walk =
            |from: CaseState, events: &[CaseEvent]| events.iter().try_fold(from, |state, event| apply(state, *event));
        let good = [E::Contact, E::Diagnose, E::Propose, E::Accept, E::Fulfil, E::Close];
        assert_eq!(walk(S::Open, &good), Ok(S::Closed));
        let bad = [E::FallSilent, E::ComplainToBank, E::ComplainToRegulator, E::GoToLaw, E::Fulfil, E::Close];
        assert_eq!(walk(S::Diagnosed, &bad), Ok(S::Closed));
        let refusal = apply(S::Held, E::Accept).unwrap_err().to_string();
        assert_eq!(refusal, "a case in state HELD does not allow accept; it allows: diagnose, withdraw, merge");
        assert!(apply(S::Closed, E::Diagnose).unwrap_err().to_string().ends_with("nothing, it is over"));
    }

    #[test]
    fn a_verdict_opens_a_case() {
        let (calendar, zone) = (Calendar::builtin_cn().unwrap(), Zone::named("Asia/Shanghai").unwrap());
        let now = Instant::parse("2026-09-21T23:00:00+08:00").unwrap();
        let given = verdict(&[
            ("restitution", Party::Acquirer, "15d"),
            ("quarantine", Party::Agent, "2wd"),
            ("pay_compensation", Party::Agent, "15d"),
        ]);
        let case = open_case(&given, "P1", now, &calendar, &zone).unwrap().unwrap();
        assert_eq!((case.id.as_str(), case.state, case.opened_at), ("P1.K6", CaseState::Diagnosed, now));
        assert_eq!(zone.format(case.due_at), "2026-09-23T23:59:59+08:00");
        let amounts: Vec<(u32, i64)> = case.obligations.iter().map(|due| (due.seq, due.amount_minor)).collect();
        assert_eq!(amounts, [(1, 12_345), (2, 0), (3, 12_345)]);

        assert_eq!(open_case(&verdict(&[]), "P1", now, &calendar, &zone), Ok(None));
        let broken =
            open_case(&verdict(&[("explain", Party::Acquirer, "soon")]), "P1", now, &calendar, &zone).unwrap_err();
        assert!(broken.to_string().starts_with("case P1.K6, obligation 1 (explain) of rule R1: deadline \"soon\""));
    }

    proptest! {
        #[test]
        fn what_is_over_stays_over(events in prop::collection::vec(prop::sample::select(CaseEvent::ALL), 0..60)) {
            let mut state = CaseState::Open;
            for event in events {
                match apply(state, event) {
                    Ok(next) => {
                        prop_assert!(!state.is_terminal());
                        state = next;
                    }
                    Err(refusal) => prop_assert_eq!((refusal.state, refusal.event), (state, event)),
                }
            }
        }
    }
}
