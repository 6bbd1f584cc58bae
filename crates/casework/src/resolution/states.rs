//! The states of a resolution and the moves between them.

use super::Refusal;
use crate::words::words;

words! {
    /// Where the resolution of a break stands.
    ResolutionState {
        /// Nobody has proposed anything.
        Open = "open",
        /// Proposed, waits for another person.
        Proposed = "proposed",
        /// Approved, to be done.
        Approved = "approved",
        /// Done, its effect is awaited.
        Acted = "acted",
        /// Resolved.
        Confirmed = "confirmed",
        /// The proposal was refused; the break is open.
        Rejected = "rejected",
        /// The proposal was taken back; the break is open.
        Withdrawn = "withdrawn",
        /// What was done had no effect; the break is open.
        Failed = "failed",
        /// The facts changed since; the break is open.
        Reopened = "reopened",
    }
}

words! {
    /// What can be done with a resolution.
    StepKind {
        /// Propose an action.
        Propose = "propose",
        /// Approve it.
        Approve = "approve",
        /// Refuse it.
        Reject = "reject",
        /// Take it back.
        Withdraw = "withdraw",
        /// Say that it was done.
        Act = "act",
        /// Say that it had its effect.
        Confirm = "confirm",
        /// Say that it had none.
        Fail = "fail",
        /// Open again, because the facts changed.
        Reopen = "reopen",
    }
}

words! {
    /// Ways to resolve a break.
    ResolutionAction {
        /// 贷记调整: give a confirmed excess back.
        CreditAdjustment = "credit_adjustment",
        /// 请款: claim a short.
        Claim = "claim",
        /// 再请款: present again what was charged back.
        RePresentment = "re_presentment",
        /// 出款更正: pay the merchant what it is owed.
        PayoutRepair = "payout_repair",
        /// 追偿: take money back from who got it or caused the break.
        Recovery = "recovery",
        /// 查明无需调账: the reason is known, no money moves.
        Explained = "explained",
    }
}

use ResolutionState as S;
use StepKind as K;

/// Every move: in this state, by this step, to that state.
pub const TRANSITIONS: &[(ResolutionState, &[(StepKind, ResolutionState)])] = &[
    (S::Open, &[(K::Propose, S::Proposed)]),
    (
        S::Proposed,
        &[
            (K::Propose, S::Proposed),
            (K::Approve, S::Approved),
            (K::Reject, S::Rejected),
            (K::Withdraw, S::Withdrawn),
            (K::Reopen, S::Reopened),
        ],
    ),
    (S::Approved, &[(K::Act, S::Acted), (K::Withdraw, S::Withdrawn), (K::Reopen, S::Reopened)]),
    (S::Acted, &[(K::Confirm, S::Confirmed), (K::Fail, S::Failed)]),
    (S::Confirmed, &[(K::Reopen, S::Reopened)]),
    (S::Rejected, &[(K::Propose, S::Proposed)]),
    (S::Withdrawn, &[(K::Propose, S::Proposed)]),
    (S::Failed, &[(K::Propose, S::Proposed)]),
    (S::Reopened, &[(K::Propose, S::Proposed)]),
];

impl ResolutionState {
    /// The steps that are possible, `reopen` aside, which nobody takes by hand.
    pub fn steps(self) -> impl Iterator<Item = StepKind> {
        moves(self).iter().map(|(step, _)| *step).filter(|step| *step != StepKind::Reopen)
    }

    /// Whether its action is under way or done.
    #[must_use]
    pub const fn is_in_force(self) -> bool {
        matches!(self, Self::Proposed | Self::Approved | Self::Acted | Self::Confirmed)
    }
}

fn moves(state: ResolutionState) -> &'static [(StepKind, ResolutionState)] {
    TRANSITIONS.iter().find(|(from, _)| *from == state).map_or(&[], |(_, moves)| *moves)
}

pub(super) fn after(state: ResolutionState, step: StepKind) -> Result<ResolutionState, Refusal> {
    let found = moves(state).iter().find(|(known, _)| *known == step);
    found.map(|(_, next)| *next).ok_or(Refusal::State { state, step })
}

pub(super) fn allowed(state: ResolutionState) -> String {
    let names: Vec<&str> = state.steps().map(StepKind::as_str).collect();
    if names.is_empty() { "nothing".to_owned() } else { names.join(", ") }
}
