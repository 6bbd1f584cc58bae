//! A draft pack beside the live one: what would change, money included. Nothing is changed.

use std::collections::BTreeMap;

use onus_model::{AgentBasis, Party, Shares};

use crate::bearers::split_minor;
use crate::decide::{Outcome, judge, kind_of};
use crate::facts::Facts;
use crate::pack::Pack;

/// What a pack decided about one case, kept to compare and to show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decided {
    /// Rule.
    pub rule: String,
    /// Who bears it in the end.
    pub shares: Shares,
    /// Who pays the user first.
    pub outward: Option<Party>,
    /// Why the agent bears a share.
    pub agent_basis: AgentBasis,
    /// No answer.
    pub abstains: bool,
}

impl Decided {
    fn of(outcome: &Outcome<'_>) -> Self {
        Self {
            rule: outcome.rule_id().to_owned(),
            shares: outcome.shares.clone(),
            outward: outcome.outward,
            agent_basis: outcome.agent_basis,
            abstains: outcome.abstains(),
        }
    }
}

/// A case that would be decided otherwise: for approval, one by one or together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changed {
    /// As it stands.
    pub live: Decided,
    /// As the draft has it.
    pub draft: Decided,
}

/// Judges one case by both packs; nothing when who pays and who bears stay the same.
#[must_use]
pub fn compare(live: &Pack, draft: &Pack, facts: &Facts) -> Option<Changed> {
    let kind = kind_of(facts);
    let (one, other) = (judge(live, kind, facts), judge(draft, kind, facts));
    let same = one.shares == other.shares
        && one.outward == other.outward
        && one.agent_basis == other.agent_basis
        && one.abstains() == other.abstains();
    (!same).then(|| Changed { live: Decided::of(&one), draft: Decided::of(&other) })
}

/// Cases and money that move from one rule to another.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Moved {
    /// Cases.
    pub cases: u64,
    /// Their loss, minor units.
    pub loss_minor: i64,
}

/// What a draft would change over many cases.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ShadowReport {
    /// Cases judged.
    pub cases: u64,
    /// Cases that would be decided otherwise.
    pub changed: u64,
    /// By rule that decides and rule that would.
    pub by_rule: BTreeMap<(String, String), Moved>,
    /// What each party would bear more (or less, below zero), minor units.
    pub by_party: BTreeMap<Party, i64>,
    /// Cases in which an agent would be charged that is not charged now.
    pub agents_newly_charged: u64,
}

impl ShadowReport {
    /// Counts one case with what [`compare`] said and its loss.
    pub fn count(&mut self, changed: Option<&Changed>, loss_minor: i64) {
        self.cases = self.cases.saturating_add(1);
        let Some(changed) = changed else { return };
        self.changed = self.changed.saturating_add(1);
        let newly = changed.live.agent_basis == AgentBasis::None && changed.draft.agent_basis != AgentBasis::None;
        self.agents_newly_charged = self.agents_newly_charged.saturating_add(u64::from(newly));
        for (party, part) in split_minor(loss_minor, &changed.draft.shares) {
            self.bears(party, part);
        }
        for (party, part) in split_minor(loss_minor, &changed.live.shares) {
            self.bears(party, part.saturating_neg());
        }
        let moved = self.by_rule.entry((changed.live.rule.clone(), changed.draft.rule.clone())).or_default();
        *moved =
            Moved { cases: moved.cases.saturating_add(1), loss_minor: moved.loss_minor.saturating_add(loss_minor) };
    }

    /// Adds what another part of the cases came to.
    pub fn add(&mut self, other: &Self) {
        self.cases = self.cases.saturating_add(other.cases);
        self.changed = self.changed.saturating_add(other.changed);
        self.agents_newly_charged = self.agents_newly_charged.saturating_add(other.agents_newly_charged);
        for (rules, more) in &other.by_rule {
            let moved = self.by_rule.entry(rules.clone()).or_default();
            moved.cases = moved.cases.saturating_add(more.cases);
            moved.loss_minor = moved.loss_minor.saturating_add(more.loss_minor);
        }
        for (party, part) in &other.by_party {
            self.bears(*party, *part);
        }
    }

    fn bears(&mut self, party: Party, part_minor: i64) {
        let sum = self.by_party.entry(party).or_default();
        *sum = sum.saturating_add(part_minor);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pack::PackFiles;
    use crate::pack_builtin::shipped;

    #[test]
    fn a_draft_with_other_shares_shows_where_the_money_goes() {
        let live = Pack::builtin_cn().unwrap();
        let files = shipped("cn-default-1").unwrap();
        let rules = files.rules.replace("{ acquirer = 6000, agent = 4000 }", "{ acquirer = 10000 }");
        let rules = rules.replace(
            "agent_basis = \"own_fault\"\ntitle = { zh = \"外部篡改，代理商漏检\"",
            "title = { zh = \"外部篡改，代理商漏检\"",
        );
        let rules = rules.replace(
            "agent_basis = \"own_fault\"\ntitle = { zh = \"账户被代理商账号变更\"",
            "title = { zh = \"账户被代理商账号变更\"",
        );
        let draft = Pack::load(&PackFiles { rules: &rules, ..files }).unwrap();
        let mut facts = Facts::default();
        facts.word("kind", "K6", "test");
        facts.yes("break.merchant_swapped", true, "test");
        facts.word("terminal.program_visit", "none", "test");
        facts.yes("terminal.last_inspection_overdue", true, "test");
        let mut report = ShadowReport::default();
        report.count(compare(&live, &draft, &facts).as_ref(), 1_001);
        report.count(compare(&live, &live, &facts).as_ref(), 1_001);
        assert_eq!((report.cases, report.changed, report.agents_newly_charged), (2, 1, 0));
        assert_eq!(report.by_party[&Party::Agent], -400);
        assert_eq!(report.by_party.values().sum::<i64>(), 0);
        let mut twice = report.clone();
        twice.add(&report);
        assert_eq!(twice.by_rule.values().map(|moved| moved.cases).sum::<u64>(), 2);
    }
}
