//! Why a step is not taken.

use onus_model::{BreakClass, Text};

use super::states::{self, ResolutionAction, ResolutionState, StepKind};

/// Why a step is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The state does not allow it.
    #[error("a resolution in state {state} does not allow {step}; it allows: {}", states::allowed(*state))]
    State {
        /// Where it stands.
        state: ResolutionState,
        /// What was tried.
        step: StepKind,
    },
    /// The maker cannot be the checker.
    #[error("nobody approves or rejects an own proposal; another person has to")]
    OwnProposal,
    /// Only the maker takes a proposal back.
    #[error("only {maker}, who proposed it, can withdraw it")]
    NotTheMaker {
        /// Who proposed it.
        maker: String,
    },
    /// There is no proposal.
    #[error("nothing is proposed")]
    NothingProposed,
    /// The records no longer show the break.
    #[error("the records no longer show this break")]
    BreakGone,
    /// The break says something else now.
    #[error("the records changed since it was proposed ({what}); propose again")]
    FactsChanged {
        /// Which.
        what: String,
    },
    /// The step needs words.
    #[error("{step} needs a note that says why")]
    NoteMissing {
        /// The step.
        step: StepKind,
    },
    /// The action needs a reference.
    #[error("act needs a reference: the number of the network's case, the payment order or the letter")]
    ReferenceMissing,
    /// A recovery needs somebody to recover from.
    #[error("a recovery needs the party that the money is taken from")]
    PartyMissing,
    /// Words that hold a card number.
    #[error("this looks like a card number; write its first six and last four digits only")]
    CardNumber,
    /// The class does not allow the action.
    #[error("{action} does not resolve a break of class {class}; allowed: {allowed}")]
    Action {
        /// Class of the break.
        class: BreakClass,
        /// What was proposed.
        action: ResolutionAction,
        /// What is allowed.
        allowed: String,
    },
    /// A rule of the network or of the house forbids it.
    #[error("{code}: {}{}", text.en, network_part(network_codes))]
    Guard {
        /// Which guard of the pack.
        code: String,
        /// In words.
        text: Text,
        /// Codes with which the network refuses the same.
        network_codes: Vec<String>,
    },
}

fn network_part(codes: &[String]) -> String {
    if codes.is_empty() { String::new() } else { format!(" (the network refuses it with {})", codes.join(", ")) }
}

impl Refusal {
    /// A stable name.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::State { .. } => "wrong_state",
            Self::OwnProposal => "own_proposal",
            Self::NotTheMaker { .. } => "not_the_maker",
            Self::NothingProposed => "nothing_proposed",
            Self::BreakGone => "break_gone",
            Self::FactsChanged { .. } => "facts_changed",
            Self::NoteMissing { .. } => "note_missing",
            Self::ReferenceMissing => "reference_missing",
            Self::PartyMissing => "party_missing",
            Self::CardNumber => "card_number",
            Self::Action { .. } => "action_not_allowed",
            Self::Guard { .. } => "guard",
        }
    }

    /// In words of both languages.
    #[must_use]
    pub fn text(&self) -> Text {
        let zh = match self {
            Self::State { state, step } => {
                format!("处理状态为 {state} 时不能执行 {step}，可执行：{}。", states::allowed(*state))
            }
            Self::OwnProposal => "不能复核自己提出的方案，须由另一人复核。".to_owned(),
            Self::NotTheMaker { maker } => format!("只有提出人 {maker} 可以撤回。"),
            Self::NothingProposed => "还没有提出方案。".to_owned(),
            Self::BreakGone => "现有记录中已没有这笔差异。".to_owned(),
            Self::FactsChanged { what } => format!("提出方案后记录已变化（{what}），请重新提出。"),
            Self::NoteMissing { step } => format!("执行 {step} 须写明原因。"),
            Self::ReferenceMissing => "须填写凭据编号：网络案件号、付款指令号或函件号。".to_owned(),
            Self::PartyMissing => "追偿须写明向谁追偿。".to_owned(),
            Self::CardNumber => "内容含有疑似完整卡号，只能写前六位和后四位。".to_owned(),
            Self::Action { class, action, allowed } => {
                format!("{class} 类差异不能用 {action} 处理，可用：{allowed}。")
            }
            Self::Guard { text, network_codes, .. } if network_codes.is_empty() => format!("{}。", text.zh),
            Self::Guard { text, network_codes, .. } => {
                format!("{}（网络拒绝码 {}）。", text.zh, network_codes.join("、"))
            }
        };
        Text { zh, en: self.to_string() }
    }
}
