//! Rule packs: decision tables, loaded from text and checked.

use std::collections::BTreeMap;
use std::fmt;

use onus_model::{
    AgentBasis, Automation, Cause, ExceptionKind, FindingStatus, Ground, Obligation, Party, Text, WouldChange,
};
use sha2::{Digest, Sha256};

use crate::bearers::{Asked, Division, Role};
use crate::burden::Burden;
use crate::condition::Condition;
use crate::contract::{Clause, VoidRow};
use crate::facts::Facts;
use crate::pack_checks;
use crate::pack_file;

/// A pack does not load.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PackError {
    /// The file is no table.
    #[error("{file}: {detail}")]
    Toml {
        /// File of the pack.
        file: &'static str,
        /// What the reader says, with line and column.
        detail: String,
    },
    /// A row is wrong.
    #[error("{place}: row {row:?}: {detail}")]
    Row {
        /// Where it stands.
        place: Place,
        /// Id of the row.
        row: String,
        /// What is wrong and what to do.
        detail: String,
    },
    /// The pack that Onus ships under a name is not there.
    #[error("no pack {name:?} is shipped; there are {}", crate::pack_builtin::NAMES.join(", "))]
    NotShipped {
        /// Name asked for.
        name: String,
    },
}

/// File and line of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// File of the pack.
    pub file: &'static str,
    /// Line, from 1.
    pub line: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

impl PackError {
    pub(crate) fn row(place: Place, row: &str, detail: impl Into<String>) -> Self {
        Self::Row { place, row: row.to_owned(), detail: detail.into() }
    }
}

/// Texts of the files of a pack.
#[derive(Debug, Clone, Copy, Default)]
pub struct PackFiles<'a> {
    /// `rules.toml`.
    pub rules: &'a str,
    /// `causes.toml`; empty for a pack that decides from facts alone.
    pub causes: &'a str,
    /// `cases.toml`: the pack's own test cases.
    pub cases: &'a str,
}

/// Two people who compared a limit with its primary text.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VerifiedBy {
    /// Who compared it.
    pub maker: String,
    /// Who confirmed it; another person.
    pub checker: String,
    /// Day, YYYY-MM-DD.
    pub on: String,
}

/// Whether software may act on a limit that rests on this ground: one of grade T or B only when it is verified.
pub(crate) fn automation(ground: &Ground, verified_by: Option<&VerifiedBy>) -> Automation {
    if ground.grade.needs_verification() && verified_by.is_none() { Automation::Manual } else { Automation::Automatic }
}

/// A row of the cause table.
#[derive(Debug, Clone)]
pub(crate) struct CauseRow {
    pub(crate) id: String,
    pub(crate) place: Place,
    pub(crate) cause: Cause,
    pub(crate) status: FindingStatus,
    pub(crate) kinds: Vec<ExceptionKind>,
    pub(crate) when: Condition,
}

/// What rules a cause out, whatever else supports it.
#[derive(Debug, Clone)]
pub(crate) struct Exclusion {
    pub(crate) causes: Vec<Cause>,
    pub(crate) kinds: Vec<ExceptionKind>,
    pub(crate) when: Condition,
    pub(crate) text: Text,
}

/// A row of the rule table.
#[derive(Debug, Clone)]
pub struct Rule {
    /// Id, cited in verdicts.
    pub id: String,
    /// Where it stands.
    pub place: Place,
    /// Lower ranks decide first; of equal ranks no two may fit the same facts, unless they answer alike.
    pub rank: u32,
    /// Causes it is for; all when empty.
    pub causes: Vec<Cause>,
    /// Kinds it is for; all when empty.
    pub kinds: Vec<ExceptionKind>,
    /// Principles of the pack that it applies.
    pub principles: Vec<String>,
    /// One of these must be met.
    pub(crate) when: Vec<Condition>,
    /// None of these may be met.
    pub(crate) unless: Vec<Condition>,
    /// Who pays the user first.
    pub(crate) outward: Option<Role>,
    /// Who bears it in the end.
    pub(crate) division: Division,
    /// Why the agent bears its share, if it does.
    pub agent_basis: AgentBasis,
    /// The loss waits in suspense.
    pub suspense: bool,
    /// No answer: a person decides.
    pub abstain: bool,
    /// Title.
    pub title: Text,
    /// Reason in words.
    pub text: Text,
    /// Ground.
    pub ground: Ground,
    /// Who verified its limits, where the ground alone is not enough for software to act.
    pub verified_by: Option<VerifiedBy>,
    /// Duties; those of a rule whose limits are not verified are for a person to act on.
    pub obligations: Vec<Obligation>,
    /// Of each duty, whether the row itself leaves it to a person.
    pub(crate) by_person: Vec<bool>,
    /// What would change the verdict.
    pub would_change: Vec<WouldChange>,
}

impl Rule {
    /// The condition that facts meet, when the rule fits them.
    pub(crate) fn met_by(&self, facts: &Facts) -> Option<&Condition> {
        let met = self.when.iter().find(|when| when.met(facts))?;
        self.unless.iter().all(|unless| !unless.met(facts)).then_some(met)
    }

    pub(crate) fn outward_on(&self, asked: &Asked, facts: &Facts) -> Option<Party> {
        self.outward.as_ref()?.resolve(asked, facts).iter().next()
    }

    /// Whether some facts would make it charge a party, now or in the end.
    pub(crate) fn may_charge(&self, party: Party) -> bool {
        self.division.may_charge(party) || self.outward.as_ref().is_some_and(|role| role.may_be(party))
    }
}

/// A principle that rules apply, with its source.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Principle {
    /// In words.
    pub text: Text,
    /// Where it comes from.
    pub source: String,
    /// How far it can be trusted.
    pub grade: onus_model::Grade,
}

/// A test case that a pack carries.
#[derive(Debug, Clone)]
pub struct PackCase {
    /// What it shows.
    pub id: String,
    /// Its facts, with the kind of exception among them for packs with a cause table.
    pub facts: Facts,
    /// Shares expected, as in rules; empty: nobody bears anything.
    pub shares: BTreeMap<Party, u16>,
    /// Cause expected.
    pub cause: Option<Cause>,
    /// Rule expected.
    pub rule: Option<String>,
    /// No answer expected.
    pub abstain: bool,
    /// Burdens expected to stand open, by id.
    pub open: Option<Vec<String>>,
    /// Judged as when the time of every open burden is over.
    pub over: bool,
    /// Day of the event, for clauses.
    pub day: i64,
    /// Clauses whose facts are added, as far as they count.
    pub clauses: Vec<Clause>,
    /// Clauses expected not to count: the row that voids each, or `not in force`.
    pub void: BTreeMap<String, String>,
}

/// A loaded pack.
#[derive(Debug, Clone)]
pub struct Pack {
    /// Id.
    pub id: String,
    /// Version.
    pub version: String,
    /// First day that it is for, as YYYYMMDD.
    pub effective_from: i64,
    /// Where it is for: a country, or `*`.
    pub jurisdiction: String,
    /// SHA-256 of its files, hex.
    pub sha256: String,
    /// Calendar that working days of its deadlines are counted by.
    pub calendar: Option<String>,
    /// Words of duties.
    pub duties: BTreeMap<String, Text>,
    /// Principles by number.
    pub principles: BTreeMap<String, Principle>,
    pub(crate) agent_answers: BTreeMap<AgentBasis, Text>,
    pub(crate) templates: BTreeMap<String, Text>,
    pub(crate) causes: Vec<CauseRow>,
    pub(crate) exclusions: Vec<Exclusion>,
    pub(crate) rules: Vec<Rule>,
    pub(crate) burdens: Vec<Burden>,
    pub(crate) void: Vec<VoidRow>,
    pub(crate) cases: Vec<PackCase>,
    /// Rules of a cause, in order; those for all causes are in each list.
    pub(crate) by_cause: BTreeMap<Cause, Vec<usize>>,
    /// Cause rows of a kind, in order.
    pub(crate) by_kind: BTreeMap<ExceptionKind, Vec<usize>>,
}

impl Pack {
    /// Loads a pack from the texts of its files.
    ///
    /// # Errors
    /// When a file is no table of the expected form, or a row fails a check: unknown fact, wrong type, shares that make no
    /// whole, overlap of equal rank, a row that can never apply, a gap, a missing citation, a deadline without calendar,
    /// an agent charged without a basis or on an unknown cause. The message names file, line and row.
    pub fn load(files: &PackFiles<'_>) -> Result<Self, PackError> {
        let mut pack = pack_file::read(files)?;
        let mut hash = Sha256::new();
        for text in [files.rules, files.causes, files.cases] {
            hash.update(text.len().to_le_bytes());
            hash.update(text);
        }
        pack.sha256 = base16ct::lower::encode_string(&hash.finalize());
        pack.rules.sort_by_key(|rule| rule.rank);
        pack.index();
        pack_checks::check(&pack)?;
        Ok(pack)
    }

    fn index(&mut self) {
        let fits = |rule: &Rule, cause: &Cause| rule.causes.is_empty() || rule.causes.contains(cause);
        for cause in Cause::ALL {
            let rules = self.rules.iter().enumerate().filter(|(_, rule)| fits(rule, cause));
            self.by_cause.insert(*cause, rules.map(|(place, _)| place).collect());
        }
        for kind in ExceptionKind::ALL {
            let rows = self.causes.iter().enumerate().filter(|(_, row)| row.kinds.contains(kind));
            self.by_kind.insert(*kind, rows.map(|(place, _)| place).collect());
        }
    }

    /// Its rules, in the order in which they decide.
    #[must_use]
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// Its own test cases.
    #[must_use]
    pub fn cases(&self) -> &[PackCase] {
        &self.cases
    }

    /// Whether it decides from causes, and so needs the kind of exception.
    #[must_use]
    pub fn has_causes(&self) -> bool {
        !self.causes.is_empty()
    }

    pub(crate) fn rules_for(&self, cause: Cause, kind: Option<ExceptionKind>) -> impl Iterator<Item = &Rule> {
        let places = self.by_cause.get(&cause).map(Vec::as_slice).unwrap_or_default();
        let fits = move |rule: &&Rule| rule.kinds.is_empty() || kind.is_some_and(|kind| rule.kinds.contains(&kind));
        places.iter().filter_map(|place| self.rules.get(*place)).filter(fits)
    }

    pub(crate) fn cause_rows(&self, kind: ExceptionKind) -> impl Iterator<Item = &CauseRow> {
        let places = self.by_kind.get(&kind).map(Vec::as_slice).unwrap_or_default();
        places.iter().filter_map(|place| self.causes.get(*place))
    }

    /// Why an agent bears a share, or that it does not, in words.
    #[must_use]
    pub fn agent_answer(&self, basis: AgentBasis) -> Text {
        self.agent_answers.get(&basis).cloned().unwrap_or_default()
    }
}
