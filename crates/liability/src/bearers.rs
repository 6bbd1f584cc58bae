//! Who bears: fixed shares, shares by fault, and roles that facts fill.

use std::collections::BTreeMap;

use onus_model::{Party, Shares};

use crate::condition::Condition;
use crate::facts::Facts;
use crate::value::{PartySet, Value};
use crate::vocabulary::{FactId, fact_id};

/// Basis points of a whole.
const WHOLE_BP: u32 = 10_000;

/// Somebody who may bear a loss: a party, or whoever a fact names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Candidate {
    Party(Party),
    Fact(FactId),
}

/// A role: the first candidate whose condition is met, that is there, and is among the parties asked about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Role {
    pub(crate) of: Vec<(Candidate, Condition)>,
    /// Who is never meant by it.
    pub(crate) never: PartySet,
}

impl Role {
    /// Whether it may mean a party.
    pub(crate) fn may_be(&self, party: Party) -> bool {
        !self.never.has(party)
            && self.of.iter().any(|(candidate, _)| match candidate {
                Candidate::Party(known) => *known == party,
                Candidate::Fact(_) => true,
            })
    }

    pub(crate) fn resolve(&self, asked: &Asked, facts: &Facts) -> PartySet {
        let of = |candidate: &Candidate| match candidate {
            Candidate::Party(party) => PartySet::one(*party),
            Candidate::Fact(id) => facts.parties(*id).unwrap_or_default(),
        };
        let there = self.of.iter().filter(|(_, when)| when.met(facts));
        let mut found = there.map(|(candidate, _)| asked.among(of(candidate).without(self.never)));
        found.find(|found| !found.is_empty()).unwrap_or_default()
    }
}

/// The parties among which a loss is to be placed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked {
    parties: Option<PartySet>,
    same: PartySet,
}

impl Asked {
    pub(crate) fn of(facts: &Facts) -> Self {
        let parties = |name: &str| fact_id(name).and_then(|id| facts.parties(id));
        Self {
            parties: parties("asked.parties").filter(|asked| !asked.is_empty()),
            same: parties("party.same_entity").unwrap_or_default(),
        }
    }

    /// Those who are asked about; one company in two roles is asked about in either.
    fn among(&self, parties: PartySet) -> PartySet {
        let Some(asked) = self.parties else { return parties };
        let there = parties.and(asked);
        if there.is_empty() && !parties.and(self.same).is_empty() {
            // What falls on another role never falls on an agent because it is the same company.
            self.same.and(asked).without(PartySet::one(Party::Agent))
        } else {
            there
        }
    }
}

/// A part of fault: who, how much beside the others, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) who: Role,
    pub(crate) weight: u32,
    pub(crate) when: Condition,
}

/// How a rule divides the loss.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Division {
    /// These shares, or none at all.
    Fixed(Shares),
    /// Whoever the role means, in equal parts.
    To(Role),
    /// By weights of fault.
    ByFault(Vec<Fault>),
    /// A percentage that a fact holds for one party, the rest for another.
    Percent { fact: FactId, party: Party, rest: Party },
}

impl Division {
    /// Whether it can charge a party.
    pub(crate) fn may_charge(&self, party: Party) -> bool {
        match self {
            Self::Fixed(shares) => shares.of(party) > 0,
            Self::To(role) => role.may_be(party),
            Self::ByFault(faults) => faults.iter().any(|fault| fault.who.may_be(party)),
            Self::Percent { party: one, rest, .. } => *one == party || *rest == party,
        }
    }

    /// The shares on these facts; nothing when it places the loss on nobody who is asked about.
    pub(crate) fn shares(&self, asked: &Asked, facts: &Facts) -> Option<Shares> {
        match self {
            Self::Fixed(shares) if asked.parties.is_none() || shares.parts().is_empty() => Some(shares.clone()),
            Self::Fixed(shares) => apportion(shares.parts().iter().filter_map(|(party, share_bp)| {
                asked.among(PartySet::one(*party)).iter().next().map(|party| (party, u32::from(*share_bp)))
            })),
            Self::To(role) => apportion(role.resolve(asked, facts).iter().map(|party| (party, 1))),
            Self::ByFault(faults) => {
                let met = faults.iter().filter(|fault| fault.when.met(facts));
                apportion(met.flat_map(|fault| {
                    fault.who.resolve(asked, facts).iter().map(|party| (party, fault.weight)).collect::<Vec<_>>()
                }))
            }
            Self::Percent { fact, party, rest } => {
                let Some(Value::Percent(hundredths)) = facts.value(*fact) else { return None };
                let of_party = u32::try_from(*hundredths).ok()?.min(WHOLE_BP);
                apportion([(*party, of_party), (*rest, WHOLE_BP.saturating_sub(of_party))].into_iter())
            }
        }
    }
}

/// Basis points by weight: whole ones, and those left over to the largest remainders.
/// Nothing when no weight is above zero.
pub(crate) fn apportion(weights: impl Iterator<Item = (Party, u32)>) -> Option<Shares> {
    let mut by_party: BTreeMap<Party, u64> = BTreeMap::new();
    for (party, weight) in weights.filter(|(_, weight)| *weight > 0) {
        let sum = by_party.entry(party).or_default();
        *sum = sum.saturating_add(u64::from(weight));
    }
    let all: u64 = by_party.values().sum();
    if all == 0 {
        return None;
    }
    let parts = divide(u64::from(WHOLE_BP), all, by_party)?;
    let parts = parts.into_iter().filter_map(|(party, bp)| Some((party, u16::try_from(bp).ok()?)));
    Shares::new(parts.filter(|(_, bp)| *bp > 0).collect()).ok()
}

/// Splits a loss by shares, to the last minor unit: together the parts are the loss, never more.
#[must_use]
pub fn split_minor(loss_minor: i64, shares: &Shares) -> Vec<(Party, i64)> {
    let weights = shares.parts().iter().map(|(party, bp)| (*party, u64::from(*bp))).collect();
    let Ok(loss) = u64::try_from(loss_minor) else { return Vec::new() };
    let parts = divide(loss, u64::from(WHOLE_BP), weights).unwrap_or_default();
    parts.into_iter().filter_map(|(party, part)| Some((party, i64::try_from(part).ok()?))).collect()
}

/// Divides a whole by weights with the method of largest remainders; ties go by the order of the parties.
fn divide(whole: u64, all: u64, weights: BTreeMap<Party, u64>) -> Option<Vec<(Party, u64)>> {
    let mut parts = Vec::with_capacity(weights.len());
    let mut given = 0_u64;
    for (party, weight) in weights {
        let product = u128::from(whole).checked_mul(u128::from(weight))?;
        let part = u64::try_from(product.checked_div(u128::from(all))?).ok()?;
        given = given.checked_add(part)?;
        parts.push((party, part, product.checked_rem(u128::from(all))?));
    }
    let mut left = whole.saturating_sub(given);
    parts.sort_by(|a, b| b.2.cmp(&a.2).then(a.0.cmp(&b.0)));
    for part in &mut parts {
        let extra = u64::from(left > 0);
        part.1 = part.1.saturating_add(extra);
        left = left.saturating_sub(extra);
    }
    parts.sort_by_key(|part| part.0);
    Some(parts.into_iter().map(|(party, part, _)| (party, part)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bp(weights: &[(Party, u32)]) -> Option<Vec<(Party, u16)>> {
        apportion(weights.iter().copied()).map(|shares| shares.parts().to_vec())
    }

    #[test]
    fn largest_remainders_make_a_whole() {
        use Party::{Acquirer, Agent, Issuer, Merchant};
        assert_eq!(bp(&[(Acquirer, 60), (Merchant, 40)]), Some(vec![(Merchant, 4000), (Acquirer, 6000)]));
        assert_eq!(
            bp(&[(Acquirer, 1), (Merchant, 1), (Issuer, 1)]),
            Some(vec![(Merchant, 3334), (Acquirer, 3333), (Issuer, 3333)])
        );
        assert_eq!(bp(&[(Agent, 1), (Agent, 1)]), Some(vec![(Agent, 10_000)]));
        assert_eq!(bp(&[(Agent, 0)]), None);
        assert_eq!(bp(&[]), None);
    }

    proptest::proptest! {
        #[test]
        fn parts_are_the_loss(loss in 0_i64..i64::MAX, weights in proptest::collection::vec((0..12_usize, 0..1000_u32), 1..6)) {
            let shares = apportion(weights.iter().map(|(place, weight)| (Party::ALL[*place], *weight)));
            if let Some(shares) = shares {
                proptest::prop_assert_eq!(shares.parts().iter().map(|(_, bp)| u32::from(*bp)).sum::<u32>(), 10_000);
                let parts = split_minor(loss, &shares);
                proptest::prop_assert_eq!(parts.iter().map(|(_, part)| part).sum::<i64>(), loss);
                proptest::prop_assert!(parts.iter().all(|(_, part)| *part >= 0));
            }
        }
    }
}
