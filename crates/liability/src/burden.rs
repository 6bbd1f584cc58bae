//! Burden of proof: who must supply which fact by when, and what its absence means.

use onus_model::{Automation, Ground, Party, Text};

use crate::bearers::{Asked, Role};
use crate::condition::Condition;
use crate::facts::{Fact, Facts};
use crate::pack::{Pack, Place, VerifiedBy};
use crate::value::Value;
use crate::vocabulary::{FactId, fact_of};

/// A row of the burden table.
#[derive(Debug, Clone)]
pub(crate) struct Burden {
    pub(crate) id: String,
    pub(crate) place: Place,
    pub(crate) fact: FactId,
    pub(crate) by: Role,
    pub(crate) within: String,
    pub(crate) when: Condition,
    pub(crate) absence: Value,
    pub(crate) automation: Automation,
    pub(crate) text: Text,
    pub(crate) ground: Ground,
    pub(crate) verified_by: Option<VerifiedBy>,
}

impl Burden {
    /// What absence means, as `fact=value`.
    pub(crate) fn absence_text(&self) -> String {
        fact_of(self.fact).map_or_else(String::new, |fact| format!("{}={}", fact.name, self.absence.text(fact.kind)))
    }
}

/// A fact that somebody has to supply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenBurden<'p> {
    /// Row of the pack.
    pub id: &'p str,
    /// The fact.
    pub fact: &'static str,
    /// Who has to supply it.
    pub by: Party,
    /// Time it has from being asked: `20d`, `3wd`.
    pub within: &'p str,
    /// What it means when it is not supplied.
    pub absence: String,
    /// Whether its time may be counted by software.
    pub automation: Automation,
    /// In words.
    pub text: &'p Text,
    /// What it rests on.
    pub ground: &'p Ground,
}

/// The burdens that stand open: their condition is met and their fact is not known.
#[must_use]
pub fn open_burdens<'p>(pack: &'p Pack, facts: &Facts) -> Vec<OpenBurden<'p>> {
    let asked = Asked::of(facts);
    let open = pack.burdens.iter().filter(|row| row.when.met(facts) && facts.value(row.fact).is_none());
    open.filter_map(|row| {
        let fact = fact_of(row.fact)?;
        Some(OpenBurden {
            id: &row.id,
            fact: fact.name,
            by: row.by.resolve(&asked, facts).iter().next()?,
            within: &row.within,
            absence: row.absence.text(fact.kind),
            automation: row.automation,
            text: &row.text,
            ground: &row.ground,
        })
    })
    .collect()
}

/// The facts with what absence means for every open burden whose time is over; a time that is not verified never is.
/// The source of such a fact says that it is presumed; supplying the fact replaces it.
#[must_use]
pub fn presume(pack: &Pack, facts: &Facts, is_over: impl Fn(&OpenBurden<'_>) -> bool) -> Facts {
    let mut presumed = facts.clone();
    let open = open_burdens(pack, facts);
    for open in open.iter().filter(|open| open.automation.is_automatic() && is_over(open)) {
        if let Some(row) = pack.burdens.iter().find(|row| row.id == open.id) {
            let source = format!("presumed:{}", row.id);
            let fact = Fact { value: row.absence.clone(), source, grade: Some(row.ground.grade), known_at: None };
            presumed.put(row.fact, fact);
        }
    }
    presumed
}
