//! Findings and verdicts: values that later rooms pass on and that evidence keeps.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{Cause, ExceptionKind, FindingStatus, Party, Shares};

crate::text_enum! {
    /// How far a rule, limit or share can be trusted.
    Grade {
        /// Read in the primary text.
        S = "S",
        /// Read on a secondary page.
        R = "R",
        /// From a public exam bank.
        T = "T",
        /// Believed; verify before use.
        B = "B",
        /// A default of this product: editable, not law.
        P = "P",
    }
}

crate::text_enum! {
    /// Why an agent bears a share: exactly one of three, or it does not.
    AgentBasis {
        /// Its own fault.
        OwnFault = "own_fault",
        /// Its contract.
        Contract = "contract",
        /// Its own promise.
        OwnPromise = "own_promise",
        /// It bears nothing.
        None = "none",
    }
}

crate::text_enum! {
    /// Whether software may act on a limit by itself.
    #[derive(Default)]
    Automation {
        /// It may: remind, time out, escalate.
        #[default]
        Automatic = "automatic",
        /// It may not: the limit is not verified, a person acts.
        Manual = "manual",
    }
}

impl Automation {
    /// Whether software may act.
    #[must_use]
    pub fn is_automatic(&self) -> bool {
        matches!(self, Self::Automatic)
    }
}

impl Grade {
    /// Whether a limit of this grade must be verified by two people before software may act on it.
    #[must_use]
    pub fn needs_verification(self) -> bool {
        matches!(self, Self::T | Self::B)
    }
}

/// Text in both languages.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Text {
    /// 中文.
    pub zh: String,
    /// English.
    pub en: String,
}

/// Value of a fact. A fact that is not there is unknown, never false.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum FactValue {
    /// Yes or no.
    Bool(bool),
    /// A count, or minor units.
    Number(i64),
    /// A word of a closed list, or a code.
    Word(String),
}

impl std::fmt::Display for FactValue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Bool(value) => write!(f, "{value}"),
            Self::Number(value) => write!(f, "{value}"),
            Self::Word(value) => f.write_str(value),
        }
    }
}

/// A fact that a finding or reason rests on, with the record that proves it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FactUsed {
    /// Name in the fact vocabulary.
    pub name: String,
    /// Its value.
    pub value: FactValue,
    /// Which record says so, such as `journal/journal_20260921.csv@182733`, or a measurement's name.
    pub source: String,
}

/// What diagnosis says about one possible cause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The cause looked at.
    pub cause: Cause,
    /// How sure.
    pub status: FindingStatus,
    /// Facts for or against it.
    pub facts: Vec<FactUsed>,
}

/// What a rule rests on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ground {
    /// In words.
    pub text: Text,
    /// Statute, specification, contract or document.
    pub source: String,
    /// How far it can be trusted.
    pub grade: Grade,
}

/// One reason of a verdict: the rule and the facts it used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    /// Rule of the pack.
    pub rule_id: String,
    /// In words.
    pub text: Text,
    /// What it rests on.
    pub ground: Ground,
    /// Facts that made it apply.
    pub facts: Vec<FactUsed>,
}

/// Evidence that would change the verdict.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WouldChange {
    /// Name in the fact vocabulary.
    pub fact: String,
    /// In words.
    pub text: Text,
}

/// Something that a party has to do, with the time it has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Obligation {
    /// Duty, a code of the pack's list.
    pub duty: String,
    /// Who has to do it.
    pub owner: Party,
    /// Time it has: `2wd` working days, `15d` calendar days, `4h` hours, `now`.
    pub within: String,
    /// Whether software may act on the time by itself.
    #[serde(default, skip_serializing_if = "Automation::is_automatic")]
    pub automation: Automation,
}

/// The answer: who pays the user first and who bears it in the end, with reasons.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// Kind of exception.
    pub kind: ExceptionKind,
    /// Leading cause.
    pub cause: Cause,
    /// How sure the leading cause is.
    pub status: FindingStatus,
    /// All causes looked at, the leading one first.
    pub findings: Vec<Finding>,
    /// Rule that decided.
    pub rule_id: String,
    /// Its title.
    pub rule_title: Text,
    /// Who pays the user now; nobody when there is nothing to pay.
    pub outward: Option<Party>,
    /// Who bears it in the end.
    pub shares: Shares,
    /// The loss goes to suspense until the cause is known.
    pub suspense: bool,
    /// Money lost or held, minor units.
    pub loss_minor: i64,
    /// Reasons, the deciding rule first.
    pub reasons: Vec<Reason>,
    /// What would change it.
    pub would_change: Vec<WouldChange>,
    /// Why the agent bears a share, or that it does not.
    pub agent_basis: AgentBasis,
    /// The same in words.
    pub agent_answer: Text,
    /// What has to be done, by whom and when.
    pub obligations: Vec<Obligation>,
}

/// Payments that failed together: a scope, a time, a cause as hypothesis. It never charges anyone by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Episode {
    /// Stable id within a store.
    pub id: String,
    /// Leading hypothesis.
    pub cause: Cause,
    /// How sure.
    pub status: FindingStatus,
    /// Innocent look-alike: nobody below the acquirer is to blame and no rule is broken.
    pub benign: bool,
    /// First payment hit.
    pub started_at: crate::Instant,
    /// Last payment hit, when it is over.
    pub ended_at: Option<crate::Instant>,
    /// Dimension to values; all must match.
    pub scope: BTreeMap<String, Vec<String>>,
    /// Payments hit.
    pub payments: u64,
    /// Their amount, minor units.
    pub amount_minor: i64,
    /// What it is called.
    pub title: Text,
    /// What speaks for it.
    pub signals: Vec<Text>,
    /// Look-alikes considered and ruled out.
    pub excluded: Vec<Text>,
    /// Payments and amount at stake by agent.
    pub exposure: BTreeMap<String, (u64, i64)>,
}
