//! What two people decide: one proposes, another approves. For verifying limits, changing verdicts and putting rule
//! packs into force.

use crate::words::words;

words! {
    /// What is decided about.
    Subject {
        /// A limit of a pack: approved, software may act on it.
        Limit = "limit",
        /// A verdict that would be another today: approved, it becomes a new revision.
        Rejudgement = "rejudgement",
        /// A rule pack: approved, it decides what comes from then on.
        Pack = "pack",
    }
}

words! {
    /// Where a decision stands.
    DecisionState {
        /// Nobody has touched it.
        Listed = "listed",
        /// Somebody proposed it.
        Proposed = "proposed",
        /// Another person approved it.
        Approved = "approved",
        /// It was refused: everything stays as it was.
        Rejected = "rejected",
        /// Its maker took it back.
        Withdrawn = "withdrawn",
        /// It was approved and is no longer so.
        Revoked = "revoked",
        /// Something newer took its place.
        Superseded = "superseded",
    }
}

words! {
    /// A step.
    DecisionStep {
        /// Proposes it.
        Propose = "propose",
        /// Approves what another person proposed.
        Approve = "approve",
        /// Refuses it.
        Reject = "reject",
        /// Takes an own proposal back.
        Withdraw = "withdraw",
        /// Ends what was approved.
        Revoke = "revoke",
    }
}

/// Where one decision stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// State.
    pub state: DecisionState,
    /// Steps taken.
    pub version: i64,
    /// Who proposed it.
    pub maker: String,
    /// Who approved or refused it.
    pub checker: String,
    /// Hash of what the maker saw.
    pub content_sha256: String,
}

impl Decision {
    /// Nobody has touched it.
    #[must_use]
    pub const fn listed() -> Self {
        Self {
            state: DecisionState::Listed,
            version: 0,
            maker: String::new(),
            checker: String::new(),
            content_sha256: String::new(),
        }
    }
}

/// Why a step is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecisionRefusal {
    /// Not in this state.
    #[error("it is {state}: {step} is not possible")]
    State {
        /// Where it stands.
        state: DecisionState,
        /// What was tried.
        step: DecisionStep,
    },
    /// Nobody decides about an own proposal.
    #[error("{maker} proposed it; another person decides")]
    OwnProposal {
        /// Who proposed it.
        maker: String,
    },
    /// Only its maker takes it back.
    #[error("{maker} proposed it, and only {maker} takes it back")]
    NotTheMaker {
        /// Who proposed it.
        maker: String,
    },
    /// What was proposed is not what is there now.
    #[error("what was proposed has changed since; propose it again")]
    Changed,
    /// A note has to say why, or what was compared.
    #[error("{step} needs a note")]
    NoteMissing {
        /// What was tried.
        step: DecisionStep,
    },
    /// A note must not hold a card number.
    #[error("the note holds a card number; write first six and last four digits only")]
    CardNumber,
}

impl DecisionRefusal {
    /// A stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::State { .. } => "wrong_state",
            Self::OwnProposal { .. } => "own_proposal",
            Self::NotTheMaker { .. } => "not_the_maker",
            Self::Changed => "changed",
            Self::NoteMissing { .. } => "note_missing",
            Self::CardNumber => "card_number",
        }
    }

    /// 中文.
    #[must_use]
    pub fn zh(&self) -> String {
        match self {
            Self::State { .. } => "当前状态不允许这一步。".to_owned(),
            Self::OwnProposal { maker } => format!("由 {maker} 提出，须由另一人决定。"),
            Self::NotTheMaker { maker } => format!("由 {maker} 提出，只能由本人撤回。"),
            Self::Changed => "提出之后内容已变化，请重新提出。".to_owned(),
            Self::NoteMissing { .. } => "这一步须写明说明（依据或理由）。".to_owned(),
            Self::CardNumber => "说明中含有卡号；只能写前六后四。".to_owned(),
        }
    }
}

/// Where a decision stands after a step by somebody, about content with this hash.
///
/// # Errors
/// When the step is not allowed; nothing changes then.
pub fn decide(
    subject: Subject,
    before: &Decision,
    step: DecisionStep,
    by: &str,
    note: &str,
    content_sha256: &str,
) -> Result<Decision, DecisionRefusal> {
    use DecisionState as S;
    use DecisionStep as T;
    let wrong = || DecisionRefusal::State { state: before.state, step };
    let state = match (step, before.state) {
        (T::Propose, S::Listed | S::Withdrawn | S::Rejected | S::Revoked) => S::Proposed,
        // A limit whose value changed since can be verified anew.
        (T::Propose, S::Proposed | S::Approved)
            if subject == Subject::Limit && before.content_sha256 != content_sha256 =>
        {
            S::Proposed
        }
        (T::Approve, S::Proposed) => S::Approved,
        (T::Reject, S::Proposed) => S::Rejected,
        // To leave a verdict as it is takes one person.
        (T::Reject, S::Listed) if subject == Subject::Rejudgement => S::Rejected,
        (T::Withdraw, S::Proposed) => S::Withdrawn,
        // What was done to a verdict is undone by judging it again.
        (T::Revoke, S::Approved) if subject != Subject::Rejudgement => S::Revoked,
        _ => return Err(wrong()),
    };
    let own = before.maker == by;
    let maker = || before.maker.clone();
    match step {
        T::Approve | T::Reject if own && before.state == S::Proposed => {
            return Err(DecisionRefusal::OwnProposal { maker: maker() });
        }
        T::Withdraw if !own => return Err(DecisionRefusal::NotTheMaker { maker: maker() }),
        T::Approve if before.content_sha256 != content_sha256 => return Err(DecisionRefusal::Changed),
        T::Propose | T::Reject | T::Revoke if note.trim().is_empty() => {
            return Err(DecisionRefusal::NoteMissing { step });
        }
        _ if crate::resolution::holds_card_number(note) => return Err(DecisionRefusal::CardNumber),
        _ => {}
    }
    let (maker, checker) = match step {
        T::Propose => (by.to_owned(), String::new()),
        T::Withdraw => (maker(), String::new()),
        T::Approve | T::Reject | T::Revoke => (maker(), by.to_owned()),
    };
    let content_sha256 = if step == T::Propose { content_sha256.to_owned() } else { before.content_sha256.clone() };
    Ok(Decision { state, version: before.version.saturating_add(1), maker, checker, content_sha256 })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use DecisionStep as T;

    /// Subject, steps with author and content, and where they lead.
    type Walk = (Subject, &'static [(T, &'static str, &'static str)], &'static str);

    fn walk(subject: Subject, steps: &[(T, &str, &str)]) -> Result<Decision, DecisionRefusal> {
        let mut decision = Decision::listed();
        for (step, by, content) in steps {
            decision = decide(subject, &decision, *step, by, "because", content)?;
        }
        Ok(decision)
    }

    /// Steps with author and content, and where they lead.
    #[test]
    fn two_people() {
        use Subject::{Limit, Pack, Rejudgement};
        let table: [Walk; 11] = [
            (Limit, &[(T::Propose, "wang", "1"), (T::Approve, "li", "1")], "approved"),
            (Limit, &[(T::Propose, "wang", "1"), (T::Approve, "wang", "1")], "own_proposal"),
            (Limit, &[(T::Propose, "wang", "1"), (T::Approve, "li", "2")], "changed"),
            (Limit, &[(T::Propose, "wang", "1"), (T::Withdraw, "li", "1")], "not_the_maker"),
            (Limit, &[(T::Approve, "li", "1")], "wrong_state"),
            (Limit, &[(T::Reject, "li", "1")], "wrong_state"),
            (Rejudgement, &[(T::Reject, "li", "1")], "rejected"),
            (Rejudgement, &[(T::Propose, "wang", "1"), (T::Approve, "li", "1"), (T::Revoke, "li", "1")], "wrong_state"),
            (Pack, &[(T::Propose, "wang", "1"), (T::Approve, "li", "1"), (T::Revoke, "li", "1")], "revoked"),
            (Limit, &[(T::Propose, "wang", "1"), (T::Approve, "li", "1"), (T::Propose, "wang", "2")], "proposed"),
            (Limit, &[(T::Propose, "wang", "1"), (T::Approve, "li", "1"), (T::Propose, "wang", "1")], "wrong_state"),
        ];
        for (subject, steps, expected) in table {
            let found = walk(subject, steps);
            let word = found.as_ref().map_or_else(DecisionRefusal::code, |decision| decision.state.as_str());
            assert_eq!(word, expected, "{subject} {steps:?}");
        }
        let silent = decide(Limit, &Decision::listed(), T::Propose, "wang", " ", "1");
        assert_eq!(silent.unwrap_err().code(), "note_missing");
        let card = decide(Limit, &Decision::listed(), T::Propose, "wang", "4111 1111 1111 1111", "1");
        assert_eq!(card.unwrap_err().code(), "card_number");
    }

    proptest! {
        /// Whatever is approved was proposed by another person, as it is.
        #[test]
        fn nobody_approves_alone(
            steps in prop::collection::vec((prop::sample::select(DecisionStep::ALL), 0..3_usize, 0..2_usize), 0..30),
            subject in prop::sample::select(Subject::ALL),
        ) {
            let mut decision = Decision::listed();
            for (step, who, content) in steps {
                let (by, content) = (["wang", "li", "zhao"][who], ["1", "2"][content]);
                let Ok(next) = decide(subject, &decision, step, by, "because", content) else { continue };
                prop_assert_eq!(next.version, decision.version + 1);
                if next.state == DecisionState::Approved {
                    prop_assert!(next.maker != next.checker && !next.maker.is_empty());
                    prop_assert_eq!(&next.content_sha256, content);
                }
                decision = next;
            }
        }
    }
}
