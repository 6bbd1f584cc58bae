//! Which actions a class allows, what guards them, and the bands of age: data with source and grade.

use onus_model::{BreakClass, CardType, Grade, Text};
use serde::Deserialize;

use super::states::ResolutionAction;
use super::{Circumstances, Proposal, Refusal};

/// What a guard looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GuardTest {
    /// The amount is above zero.
    AmountPositive,
    /// The amount, with what other breaks of the payment have in force of the same actions, is at most the payment's.
    AmountAtMostOriginal,
    /// The kind of card is known and is not debit.
    CardKnownAndNotDebit,
    /// The issuer charged the payment back.
    ChargedBack,
    /// Documents go with it.
    DocumentsGiven,
    /// No other break of the payment has one of `others` in force.
    NoOtherOf,
}

/// A rule that forbids a proposal unless its test holds.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Guard {
    /// Its name.
    pub code: String,
    /// Actions that it guards.
    pub actions: Vec<ResolutionAction>,
    /// What must hold.
    pub test: GuardTest,
    /// For [`GuardTest::NoOtherOf`]: which.
    #[serde(default)]
    pub others: Vec<ResolutionAction>,
    /// Codes with which the network refuses the same.
    pub network_codes: Vec<String>,
    /// Whether it is looked at.
    pub enabled: bool,
    /// Chinese.
    pub zh: String,
    /// English.
    pub en: String,
    /// Where it comes from.
    pub source: String,
    /// How far it can be trusted.
    pub grade: Grade,
}

/// An action in words.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ActionRule {
    /// The action.
    pub code: ResolutionAction,
    /// Chinese name.
    pub zh: String,
    /// English name.
    pub en: String,
    /// What it does, Chinese.
    pub means_zh: String,
    /// What it does, English.
    pub means_en: String,
    /// Message of the network, or empty.
    pub message: String,
    /// Whether money moves; what moves none is resolved once it is approved.
    pub moves_money: bool,
    /// Where it comes from.
    pub source: String,
    /// How far it can be trusted.
    pub grade: Grade,
}

/// The actions of a class.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClassRule {
    /// The class.
    pub code: BreakClass,
    /// Its actions, in the order in which they are offered.
    pub actions: Vec<ResolutionAction>,
    /// Where it comes from.
    pub source: String,
    /// How far it can be trusted.
    pub grade: Grade,
}

/// Breaks of about one age.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AgeBand {
    /// Its name.
    pub code: String,
    /// Days since the day of the payment from which it counts; it ends where the next begins.
    pub from_days: i32,
    /// Chinese name.
    pub zh: String,
    /// English name.
    pub en: String,
}

/// A pack did not read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("resolutions: {0}")]
pub struct PackError(String);

/// Everything that says how breaks are resolved.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResolutionPack {
    /// Name of the pack.
    pub id: String,
    /// Version.
    pub version: String,
    /// Actions in words.
    #[serde(rename = "action")]
    pub actions: Vec<ActionRule>,
    /// Actions of each class.
    #[serde(rename = "class")]
    pub classes: Vec<ClassRule>,
    /// Guards.
    #[serde(rename = "guard")]
    pub guards: Vec<Guard>,
    /// Bands of age, youngest first.
    #[serde(rename = "band")]
    pub bands: Vec<AgeBand>,
}

/// An action that a class allows, and what stands against it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer<'p> {
    /// The action.
    pub action: &'p ActionRule,
    /// What keeps it from being proposed, whatever its amount and documents; none when nothing does.
    pub refusal: Option<Refusal>,
    /// Whether documents have to be named.
    pub needs_documents: bool,
}

impl ResolutionPack {
    /// The pack that Onus ships.
    ///
    /// # Errors
    /// Never with the shipped file; a test loads it.
    pub fn builtin() -> Result<Self, PackError> {
        Self::from_toml(include_str!("../../../../packs/resolutions-1/resolutions.toml"))
    }

    /// Reads a pack.
    ///
    /// # Errors
    /// When it is not of the expected form, or leaves something open.
    pub fn from_toml(text: &str) -> Result<Self, PackError> {
        let pack: Self = toml::from_str(text).map_err(|error| PackError(error.to_string()))?;
        match pack.fault() {
            Some(fault) => Err(PackError(fault)),
            None => Ok(pack),
        }
    }

    /// What is missing or twice there.
    fn fault(&self) -> Option<String> {
        for action in ResolutionAction::ALL {
            if self.actions.iter().filter(|rule| rule.code == *action).count() != 1 {
                return Some(format!("action {action} must stand there once"));
            }
        }
        for class in BreakClass::ALL {
            let rules: Vec<_> = self.classes.iter().filter(|rule| rule.code == *class).collect();
            if rules.len() != 1 || rules.iter().any(|rule| rule.actions.is_empty()) {
                return Some(format!("class {class} must stand there once, with an action"));
            }
        }
        if let Some(guard) =
            self.guards.iter().find(|guard| (guard.test == GuardTest::NoOtherOf) == guard.others.is_empty())
        {
            return Some(format!("guard {}: `others` goes with the test no_other_of, and only with it", guard.code));
        }
        let starts_at_zero = self.bands.first().is_some_and(|band| band.from_days == 0);
        let ascends =
            self.bands.iter().zip(self.bands.iter().skip(1)).all(|(one, next)| one.from_days < next.from_days);
        (!starts_at_zero || !ascends).then(|| "bands must begin at day 0 and ascend".to_owned())
    }

    /// Whether an action moves money.
    #[must_use]
    pub fn moves_money(&self, action: ResolutionAction) -> bool {
        self.action(action).is_none_or(|rule| rule.moves_money)
    }

    /// An action in words.
    #[must_use]
    pub fn action(&self, action: ResolutionAction) -> Option<&ActionRule> {
        self.actions.iter().find(|rule| rule.code == action)
    }

    /// Actions that a class allows.
    fn allowed(&self, class: BreakClass) -> &[ResolutionAction] {
        self.classes.iter().find(|rule| rule.code == class).map_or(&[], |rule| &rule.actions)
    }

    /// What may be proposed for a break, and what stands against the rest.
    #[must_use]
    pub fn offers(&self, now: &Circumstances) -> Vec<Offer<'_>> {
        let rules = self.allowed(now.class).iter().filter_map(|action| self.action(*action));
        let offer = |action: &'_ ActionRule| {
            let probe = Proposal {
                action: action.code,
                // The smallest amount: what refuses this refuses every amount.
                amount_minor: i64::from(action.moves_money),
                party: Some(onus_model::Party::Agent),
                documents: "-".to_owned(),
                note: "-".to_owned(),
            };
            self.check(&probe, now).err()
        };
        rules
            .map(|action| Offer { action, refusal: offer(action), needs_documents: self.needs_documents(action.code) })
            .collect()
    }

    fn needs_documents(&self, action: ResolutionAction) -> bool {
        self.guards_of(action).any(|guard| guard.test == GuardTest::DocumentsGiven)
    }

    fn guards_of(&self, action: ResolutionAction) -> impl Iterator<Item = &Guard> {
        self.guards.iter().filter(move |guard| guard.enabled && guard.actions.contains(&action))
    }

    /// Whether a proposal is allowed.
    pub(super) fn check(&self, proposal: &Proposal, now: &Circumstances) -> Result<(), Refusal> {
        let (class, action) = (now.class, proposal.action);
        let allowed = self.allowed(class);
        if !allowed.contains(&action) {
            let names: Vec<&str> = allowed.iter().map(|it| it.as_str()).collect();
            return Err(Refusal::Action { class, action, allowed: names.join(", ") });
        }
        if let Some(guard) = self.guards_of(action).find(|guard| !holds(guard, proposal, now)) {
            return Err(Refusal::Guard {
                code: guard.code.clone(),
                text: Text { zh: guard.zh.clone(), en: guard.en.clone() },
                network_codes: guard.network_codes.clone(),
            });
        }
        if action == ResolutionAction::Recovery && proposal.party.is_none() {
            return Err(Refusal::PartyMissing);
        }
        if !self.moves_money(action) && proposal.note.trim().is_empty() {
            return Err(Refusal::NoteMissing { step: super::StepKind::Propose });
        }
        Ok(())
    }

    /// The band of an age in days; ages before the day of the payment count as 0.
    #[must_use]
    pub fn band(&self, age_days: i32) -> Option<&AgeBand> {
        self.bands.iter().rev().find(|band| band.from_days <= age_days.max(0))
    }
}

fn holds(guard: &Guard, proposal: &Proposal, now: &Circumstances) -> bool {
    match guard.test {
        GuardTest::AmountPositive => proposal.amount_minor > 0,
        GuardTest::AmountAtMostOriginal => {
            let same = now.others.iter().filter(|other| other.action == proposal.action);
            let under_way = same.fold(0_i64, |sum, other| sum.saturating_add(other.amount_minor));
            under_way.saturating_add(proposal.amount_minor) <= now.original_minor
        }
        GuardTest::CardKnownAndNotDebit => matches!(now.card, CardType::Credit),
        GuardTest::ChargedBack => now.charged_back,
        GuardTest::DocumentsGiven => !proposal.documents.trim().is_empty(),
        GuardTest::NoOtherOf => !now.others.iter().any(|other| guard.others.contains(&other.action)),
    }
}
