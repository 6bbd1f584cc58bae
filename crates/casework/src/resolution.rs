//! How a break is resolved: somebody proposes what to do, another person approves it, it is done and confirmed.
//!
//! | need | use |
//! |---|---|
//! | what may be proposed for a break | [`ResolutionPack::offers`] |
//! | take a step | [`take`] |
//! | whether a re-judged break is the one that was resolved | [`reopened`] |
//!
//! Pure: a step is a function of where the resolution stands, what the records say now and who takes it.

mod card_numbers;
mod pack;
mod refusal;
mod states;
#[cfg(test)]
mod tests;

use onus_model::{BreakClass, CardType, Party};

pub(crate) use card_numbers::holds_one as holds_card_number;
pub use pack::{ActionRule, AgeBand, ClassRule, Guard, GuardTest, Offer, PackError, ResolutionPack};
pub use refusal::Refusal;
pub use states::{ResolutionAction, ResolutionState, StepKind, TRANSITIONS};

/// The author of steps that no person takes.
pub const SYSTEM: &str = "onus";

/// The lasting name of a break: the payment and the class. Re-judging and importing again do not change it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BreakId {
    /// The payment.
    pub payment: String,
    /// The class.
    pub class: BreakClass,
}

impl BreakId {
    /// Reads `PAYMENT.CLASS`; none when the class is not known.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (payment, class) = text.rsplit_once('.')?;
        let class = BreakClass::parse(class).filter(|_| !payment.is_empty())?;
        Some(Self { payment: payment.to_owned(), class })
    }
}

impl std::fmt::Display for BreakId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.payment, self.class)
    }
}

/// What a break says: the facts that a resolution rests on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sides {
    /// What should stand there.
    pub expected: String,
    /// What stands there.
    pub found: String,
    /// Found less expected, minor units.
    pub difference_minor: i64,
}

/// What somebody wants to do about a break.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal {
    /// The action.
    pub action: ResolutionAction,
    /// How much money moves, minor units.
    pub amount_minor: i64,
    /// From whom it is taken, for a recovery.
    pub party: Option<Party>,
    /// Names of the documents that go with it.
    pub documents: String,
    /// Why.
    pub note: String,
}

/// Where the resolution of one break stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolution {
    /// State.
    pub state: ResolutionState,
    /// How many steps were taken.
    pub version: i64,
    /// What is proposed, once something was.
    pub proposal: Option<Proposal>,
    /// What the break said when it was proposed.
    pub sides: Sides,
    /// Who proposed it.
    pub maker: String,
    /// Who approved it.
    pub checker: String,
    /// Under which number it was done.
    pub reference: String,
}

impl Resolution {
    /// Of a break that nobody has touched.
    #[must_use]
    pub fn untouched() -> Self {
        Self {
            state: ResolutionState::Open,
            version: 0,
            proposal: None,
            sides: Sides::default(),
            maker: String::new(),
            checker: String::new(),
            reference: String::new(),
        }
    }
}

/// A step with what it carries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Proposes an action.
    Propose(Proposal),
    /// Approves the proposal; another person than its maker.
    Approve {
        /// Remark.
        note: String,
    },
    /// Refuses the proposal; another person than its maker.
    Reject {
        /// Why.
        note: String,
    },
    /// Takes the proposal back; its maker.
    Withdraw {
        /// Why.
        note: String,
    },
    /// Says that it was done.
    Act {
        /// Number of the network's case, the payment order or the letter.
        reference: String,
        /// Remark.
        note: String,
    },
    /// Says that it had its effect.
    Confirm {
        /// How that is known.
        note: String,
    },
    /// Says that it had none.
    Fail {
        /// Why.
        note: String,
    },
}

impl Step {
    /// Which step it is.
    #[must_use]
    pub const fn kind(&self) -> StepKind {
        match self {
            Self::Propose(_) => StepKind::Propose,
            Self::Approve { .. } => StepKind::Approve,
            Self::Reject { .. } => StepKind::Reject,
            Self::Withdraw { .. } => StepKind::Withdraw,
            Self::Act { .. } => StepKind::Act,
            Self::Confirm { .. } => StepKind::Confirm,
            Self::Fail { .. } => StepKind::Fail,
        }
    }

    /// Everything in it that its author wrote freely.
    fn words(&self) -> [&str; 2] {
        let other = match self {
            Self::Propose(proposal) => proposal.documents.as_str(),
            Self::Act { reference, .. } => reference.as_str(),
            _ => "",
        };
        [self.note(), other]
    }

    /// What its author says.
    #[must_use]
    pub fn note(&self) -> &str {
        match self {
            Self::Propose(proposal) => &proposal.note,
            Self::Approve { note }
            | Self::Reject { note }
            | Self::Withdraw { note }
            | Self::Act { note, .. }
            | Self::Confirm { note }
            | Self::Fail { note } => note,
        }
    }
}

/// What another break of the same payment has under way or done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InForce {
    /// The action.
    pub action: ResolutionAction,
    /// How much money it moves.
    pub amount_minor: i64,
}

/// What the records say now.
#[derive(Debug, Clone)]
pub struct Circumstances {
    /// Class of the break.
    pub class: BreakClass,
    /// What the break says; none when the records no longer show it.
    pub sides: Option<Sides>,
    /// Amount of the payment.
    pub original_minor: i64,
    /// Kind of card.
    pub card: CardType,
    /// The issuer has charged the payment back.
    pub charged_back: bool,
    /// What the other breaks of the payment have under way or done.
    pub others: Vec<InForce>,
}

impl Circumstances {
    /// What is at stake: the difference, or the whole payment where the break is not about an amount.
    #[must_use]
    pub fn stake_minor(&self) -> i64 {
        let difference = self.sides.as_ref().map_or(0, |sides| sides.difference_minor.saturating_abs());
        let whole = self.original_minor.max(0);
        if difference == 0 { whole } else { difference.min(whole) }
    }
}

/// Where the resolution stands after a step.
///
/// # Errors
/// When the state, the author, the records or the pack do not allow the step; nothing is changed then.
pub fn take(
    resolution: &Resolution,
    step: &Step,
    by: &str,
    now: &Circumstances,
    pack: &ResolutionPack,
) -> Result<Resolution, Refusal> {
    let kind = step.kind();
    let next = states::after(resolution.state, kind)?;
    if step.words().into_iter().any(card_numbers::holds_one) {
        return Err(Refusal::CardNumber);
    }
    let mut changed = Resolution { state: next, version: resolution.version.saturating_add(1), ..resolution.clone() };
    match step {
        Step::Propose(proposal) => {
            let sides = now.sides.clone().ok_or(Refusal::BreakGone)?;
            pack.check(proposal, now)?;
            let amount_minor = if pack.moves_money(proposal.action) { proposal.amount_minor } else { 0 };
            changed.proposal = Some(Proposal { amount_minor, ..proposal.clone() });
            changed.sides = sides;
            by.clone_into(&mut changed.maker);
            changed.checker.clear();
            changed.reference.clear();
        }
        Step::Approve { .. } => {
            let proposal = proposal_of_another(resolution, by)?;
            facts_stand(resolution, now)?;
            // What was allowed when it was proposed may not be any more.
            pack.check(proposal, now)?;
            by.clone_into(&mut changed.checker);
            if !pack.moves_money(proposal.action) {
                changed.state = ResolutionState::Confirmed;
            }
        }
        Step::Reject { note } => {
            proposal_of_another(resolution, by)?;
            needs_note(kind, note)?;
        }
        Step::Withdraw { .. } => {
            if resolution.maker != by {
                return Err(Refusal::NotTheMaker { maker: resolution.maker.clone() });
            }
        }
        Step::Act { reference, .. } => {
            facts_stand(resolution, now)?;
            if let Some(proposal) = &resolution.proposal {
                pack.check(proposal, now)?;
            }
            if reference.trim().is_empty() {
                return Err(Refusal::ReferenceMissing);
            }
            reference.trim().clone_into(&mut changed.reference);
        }
        // The records may have changed by what was done: a confirmed break stands by what they say now.
        Step::Confirm { .. } => changed.sides = now.sides.clone().unwrap_or_else(|| resolution.sides.clone()),
        Step::Fail { note } => needs_note(kind, note)?,
    }
    Ok(changed)
}

/// The resolution of a break whose facts changed, with the reason; none when it stands.
///
/// A break that is as it was when it was resolved stays resolved, however often it is judged again.
/// While an action is under way the records are expected to change.
#[must_use]
pub fn reopened(resolution: &Resolution, sides: &Sides) -> Option<(Resolution, String)> {
    let next = states::after(resolution.state, StepKind::Reopen).ok()?;
    if resolution.sides == *sides {
        return None;
    }
    let reason = what_changed(&resolution.sides, sides);
    let version = resolution.version.saturating_add(1);
    Some((Resolution { state: next, version, sides: sides.clone(), ..resolution.clone() }, reason))
}

fn what_changed(before: &Sides, after: &Sides) -> String {
    let mut parts = Vec::new();
    let texts = [("expected", &before.expected, &after.expected), ("found", &before.found, &after.found)];
    for (name, old, new) in texts.into_iter().filter(|(_, old, new)| old != new) {
        parts.push(format!("{name}: {old:?} -> {new:?}"));
    }
    if before.difference_minor != after.difference_minor {
        parts.push(format!("difference_minor: {} -> {}", before.difference_minor, after.difference_minor));
    }
    parts.join("; ")
}

fn proposal_of_another<'r>(resolution: &'r Resolution, by: &str) -> Result<&'r Proposal, Refusal> {
    if resolution.maker == by {
        return Err(Refusal::OwnProposal);
    }
    resolution.proposal.as_ref().ok_or(Refusal::NothingProposed)
}

fn facts_stand(resolution: &Resolution, now: &Circumstances) -> Result<(), Refusal> {
    let sides = now.sides.as_ref().ok_or(Refusal::BreakGone)?;
    if *sides == resolution.sides {
        return Ok(());
    }
    Err(Refusal::FactsChanged { what: what_changed(&resolution.sides, sides) })
}

fn needs_note(step: StepKind, note: &str) -> Result<(), Refusal> {
    if note.trim().is_empty() { Err(Refusal::NoteMissing { step }) } else { Ok(()) }
}
