//! Limits with their source and grade: what somebody has to verify before software may act on it.

use std::collections::BTreeSet;

use base16ct::lower::encode_string as hex;
use onus_model::{Automation, Grade, Ground, Obligation, Text};
use sha2::{Digest, Sha256};

use crate::monitoring::{MONITORING, Programme, all_programmes};
use crate::pack::{Pack, Rule, VerifiedBy};
use crate::reasons::{ReasonCode, reasons};

/// What kind of row a limit stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LimitOf {
    /// Duties of a rule, and the money that it moves.
    Rule,
    /// Time in which a fact must be supplied.
    Burden,
    /// Ratio of a monitoring programme.
    Programme,
    /// Time limits of a network's reason code.
    Reason,
}

impl LimitOf {
    /// The word in ids and lists.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rule => "rule",
            Self::Burden => "burden",
            Self::Programme => "programme",
            Self::Reason => "reason",
        }
    }
}

/// One limit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limit {
    /// `PACK:KIND:ROW`, lasting.
    pub id: String,
    /// What kind of row it stands in.
    pub of: LimitOf,
    /// In words.
    pub title: Text,
    /// Its value as the pack writes it.
    pub value: String,
    /// What it rests on.
    pub source: String,
    /// How far that can be trusted.
    pub grade: Grade,
    /// Two people who verified it in the pack itself.
    pub verified_by: Option<VerifiedBy>,
    /// Hash of value and source: a verification holds for these alone.
    pub sha256: String,
}

/// Limits that were verified beside the packs, by id and hash.
pub type Verified = BTreeSet<(String, String)>;

impl Limit {
    pub(crate) fn new(pack: &str, of: LimitOf, row: &str, title: &Text, value: String, ground: (&str, Grade)) -> Self {
        let (source, grade) = (ground.0.to_owned(), ground.1);
        let sha256 = hex(&Sha256::digest(format!("{value}\n{source}\n{grade}")));
        let id = format!("{pack}:{}:{row}", of.as_str());
        Self { id, of, title: title.clone(), value, source, grade, verified_by: None, sha256 }
    }

    /// Whether software may act on it only once it is verified, and it is not in its pack.
    #[must_use]
    pub fn waits(&self) -> bool {
        self.grade.needs_verification() && self.verified_by.is_none()
    }

    /// Whether software may act on it, given what was verified beside the packs.
    #[must_use]
    pub fn automation(&self, verified: &Verified) -> Automation {
        let lifted = || verified.contains(&(self.id.clone(), self.sha256.clone()));
        if self.waits() && !lifted() { Automation::Manual } else { Automation::Automatic }
    }
}

fn value_of(duties: &[Obligation]) -> String {
    let told = duties.iter().map(|duty| format!("{} {} {}", duty.duty, duty.owner, duty.within));
    told.collect::<Vec<_>>().join("; ")
}

impl Pack {
    /// All limits of the pack: of rules that set a duty or move money on an uncertain ground, and of burdens.
    #[must_use]
    pub fn limits(&self) -> Vec<Limit> {
        let limited = |rule: &&Rule| !rule.obligations.is_empty() || rule.ground.grade.needs_verification();
        let rules = self.rules.iter().filter(limited).map(|rule| self.rule_limit(rule));
        let burdens = self.burdens.iter().map(|row| {
            let value = format!("{} {}", row.within, row.absence_text());
            let limit = Limit::new(&self.id, LimitOf::Burden, &row.id, &row.text, value, ground(&row.ground));
            Limit { verified_by: row.verified_by.clone(), ..limit }
        });
        rules.chain(burdens).collect()
    }

    /// The limit that a rule stands on.
    #[must_use]
    pub fn limit_of_rule(&self, id: &str) -> Option<Limit> {
        self.rules.iter().find(|rule| rule.id == id).map(|rule| self.rule_limit(rule))
    }

    fn rule_limit(&self, rule: &Rule) -> Limit {
        let value = value_of(&rule.obligations);
        let limit = Limit::new(&self.id, LimitOf::Rule, &rule.id, &rule.title, value, ground(&rule.ground));
        Limit { verified_by: rule.verified_by.clone(), ..limit }
    }

    /// Lets software act on limits that were verified beside the pack. What a row itself leaves to a person stays so.
    #[must_use]
    pub fn lift(mut self, verified: &Verified) -> Self {
        let may = |limit: &Limit| verified.contains(&(limit.id.clone(), limit.sha256.clone()));
        let limits: Vec<Limit> = self.limits().into_iter().filter(may).collect();
        let lifted = |of: LimitOf, row: &str| {
            let id = format!("{}:{}:{row}", self.id, of.as_str());
            limits.iter().any(|limit| limit.id == id)
        };
        let rules: Vec<bool> = self.rules.iter().map(|rule| lifted(LimitOf::Rule, &rule.id)).collect();
        let burdens: Vec<bool> = self.burdens.iter().map(|row| lifted(LimitOf::Burden, &row.id)).collect();
        for (rule, _) in self.rules.iter_mut().zip(rules).filter(|(_, lifted)| *lifted) {
            for (duty, by_person) in rule.obligations.iter_mut().zip(&rule.by_person) {
                duty.automation = if *by_person { Automation::Manual } else { Automation::Automatic };
            }
        }
        for (row, _) in self.burdens.iter_mut().zip(burdens).filter(|(_, lifted)| *lifted) {
            row.automation = Automation::Automatic;
        }
        self
    }
}

fn ground(ground: &Ground) -> (&str, Grade) {
    (&ground.source, ground.grade)
}

impl Programme {
    /// Its limits as one limit.
    #[must_use]
    pub fn limit(&self, pack: &str) -> Limit {
        let named = [
            ("at_least_bp", self.at_least_bp),
            ("above_bp", self.above_bp),
            ("at_least_cases", self.at_least_cases),
            ("at_least_sales", self.at_least_sales),
            ("above_fraud_usd_minor", self.above_fraud_usd_minor),
            ("strong_auth_at_most_bp", self.strong_auth_at_most_bp),
        ];
        let told = named.iter().filter_map(|(name, value)| value.map(|value| format!("{name} {value}")));
        let value = told.collect::<Vec<_>>().join("; ");
        let limit =
            Limit::new(pack, LimitOf::Programme, &self.id, &self.title, value, (self.source.as_str(), self.grade));
        Limit { verified_by: self.verified_by.clone(), ..limit }
    }
}

/// Limits of the networks: monitoring programmes and reason codes.
#[must_use]
pub fn network_limits() -> Vec<Limit> {
    let programmes = all_programmes().iter().map(|programme| programme.limit(MONITORING));
    programmes.chain(reasons().iter().map(ReasonCode::limit)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verifying_lifts_what_the_grade_held_back_and_nothing_else() {
        let pack = Pack::builtin_cn().unwrap();
        let waiting: Vec<Limit> = pack.limits().into_iter().filter(Limit::waits).collect();
        let ids: Vec<&str> = waiting.iter().map(|limit| limit.id.as_str()).collect();
        assert_eq!(
            ids,
            ["slip-agent", "slip-merchant", "fraud-slip-agent"].map(|rule| format!("cn-default-1:rule:{rule}"))
        );
        assert_eq!(waiting[0].value, "answer_dispute acquirer 10d");
        let key = |limit: &Limit| (limit.id.clone(), limit.sha256.clone());
        let automation =
            |pack: &Pack, rule: &str| pack.rules().iter().find(|row| row.id == rule).unwrap().obligations[0].automation;
        let lifted = pack.clone().lift(&Verified::from([key(&waiting[0])]));
        assert_eq!(automation(&lifted, "slip-agent"), Automation::Automatic);
        assert_eq!(automation(&lifted, "slip-merchant"), Automation::Manual);
        assert_eq!(lifted.sha256, pack.sha256, "the pack stays what it was");
        let other = (waiting[0].id.clone(), "of another value".to_owned());
        assert_eq!(automation(&pack.lift(&Verified::from([other])), "slip-agent"), Automation::Manual);
    }

    #[test]
    fn every_limit_has_an_id_of_its_own_and_a_source() {
        for pack in [Pack::builtin_cn().unwrap(), Pack::builtin_intl().unwrap()] {
            let limits = pack.limits();
            let ids: BTreeSet<&str> = limits.iter().map(|limit| limit.id.as_str()).collect();
            assert_eq!(ids.len(), limits.len());
            assert!(limits.iter().all(|limit| !limit.source.is_empty()));
            for limit in limits.iter().filter(|limit| limit.of == LimitOf::Rule) {
                let row = limit.id.rsplit_once(':').unwrap().1;
                assert_eq!(pack.limit_of_rule(row).as_ref(), Some(limit));
            }
        }
    }
}
