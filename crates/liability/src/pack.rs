//! Rule packs: decision tables on disk, checked when they load.

use std::collections::BTreeMap;

use onus_model::{
    AgentBasis, Cause, ExceptionKind, FactValue, FindingStatus, Ground, Obligation, Party, Shares, Text, WouldChange,
};
use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::facts::Facts;
use crate::pack_checks;
use crate::vocabulary::{FactKind, lookup};

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
    #[error("row {row:?}: {detail}")]
    Row {
        /// Id of the row.
        row: String,
        /// What is wrong and what to do.
        detail: String,
    },
}

impl PackError {
    pub(crate) fn row(row: &str, detail: impl Into<String>) -> Self {
        Self::Row { row: row.to_owned(), detail: detail.into() }
    }
}

/// What a row asks of facts: each named fact must have one of the values.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Condition(pub(crate) Vec<(&'static str, Vec<FactValue>)>);

/// How a condition fares on facts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fit {
    /// All asked is there.
    Met,
    /// A known fact speaks against it.
    Contradicted(&'static str),
    /// Nothing speaks against it, but a fact is not known.
    Open(&'static str),
}

impl Condition {
    pub(crate) fn fit(&self, facts: &Facts) -> Fit {
        let mut open = None;
        for (name, wanted) in &self.0 {
            match facts.get(name) {
                Some(fact) if wanted.contains(&fact.value) => {}
                Some(_) => return Fit::Contradicted(name),
                None => open = open.or(Some(*name)),
            }
        }
        open.map_or(Fit::Met, Fit::Open)
    }

    /// Names of the facts asked for.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.0.iter().map(|(name, _)| *name)
    }

    /// Whether whatever meets `other` also meets this.
    pub(crate) fn covers(&self, other: &Self) -> bool {
        self.0.iter().all(|(name, wanted)| {
            other.0.iter().any(|(theirs, values)| theirs == name && values.iter().all(|value| wanted.contains(value)))
        })
    }
}

/// A row of the cause table.
#[derive(Debug, Clone)]
pub(crate) struct CauseRow {
    pub(crate) id: String,
    pub(crate) cause: Cause,
    pub(crate) status: FindingStatus,
    pub(crate) kinds: Vec<ExceptionKind>,
    pub(crate) when: Condition,
}

/// A row of the rule table.
#[derive(Debug, Clone)]
pub struct Rule {
    /// Id, cited in verdicts.
    pub id: String,
    /// Causes it is for.
    pub causes: Vec<Cause>,
    /// Kinds it is for; all when empty.
    pub kinds: Vec<ExceptionKind>,
    /// Facts it asks for.
    pub when: Condition,
    /// Who pays the user first.
    pub outward: Option<Party>,
    /// Who bears it in the end.
    pub shares: Shares,
    /// Why the agent bears its share.
    pub agent_basis: AgentBasis,
    /// The loss waits in suspense.
    pub suspense: bool,
    /// Title.
    pub title: Text,
    /// Reason in words.
    pub text: Text,
    /// Ground.
    pub ground: Ground,
    /// Why the agent bears it, or not.
    pub agent_answer: Text,
    /// Duties.
    pub obligations: Vec<Obligation>,
    /// What would change the verdict.
    pub would_change: Vec<WouldChange>,
}

/// A loaded pack.
#[derive(Debug, Clone)]
pub struct Pack {
    /// Id.
    pub id: String,
    /// Version.
    pub version: String,
    /// SHA-256 of its files, hex.
    pub sha256: String,
    /// Words of duties.
    pub duties: BTreeMap<String, Text>,
    pub(crate) causes: Vec<CauseRow>,
    pub(crate) rules: Vec<Rule>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CauseFile {
    cause: Vec<CauseToml>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CauseToml {
    id: String,
    cause: Cause,
    status: FindingStatus,
    kinds: Vec<ExceptionKind>,
    #[serde(default)]
    when: BTreeMap<String, toml::Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleFile {
    id: String,
    version: String,
    #[serde(rename = "effective_from")]
    _effective_from: String,
    #[serde(rename = "jurisdiction")]
    _jurisdiction: String,
    #[serde(rename = "note")]
    _note: String,
    duties: BTreeMap<String, Text>,
    agent_answers: BTreeMap<AgentBasis, Text>,
    rule: Vec<RuleToml>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleToml {
    id: String,
    causes: Vec<Cause>,
    #[serde(default)]
    kinds: Vec<ExceptionKind>,
    #[serde(default)]
    when: BTreeMap<String, toml::Value>,
    outward: Option<Party>,
    #[serde(default)]
    shares: BTreeMap<Party, u16>,
    agent_basis: Option<AgentBasis>,
    #[serde(default)]
    suspense: bool,
    title: Text,
    text: Text,
    ground: Ground,
    #[serde(default)]
    obligations: Vec<Obligation>,
    #[serde(default)]
    would_change: Vec<WouldChange>,
}

impl Pack {
    /// Loads a pack from the texts of its two files.
    ///
    /// # Errors
    /// When a file is no table of the expected form, or a row fails a check (unknown fact, wrong value, shares that make
    /// no whole, a row that can never apply, an agent charged without a basis or on an unknown cause, no row of last resort).
    pub fn load(rules: &str, causes: &str) -> Result<Self, PackError> {
        let rule_file: RuleFile =
            toml::from_str(rules).map_err(|error| PackError::Toml { file: "rules.toml", detail: error.to_string() })?;
        let cause_file: CauseFile = toml::from_str(causes)
            .map_err(|error| PackError::Toml { file: "causes.toml", detail: error.to_string() })?;
        let answers = rule_file.agent_answers;
        let rules_read: Result<Vec<_>, _> = rule_file.rule.into_iter().map(|row| rule(row, &answers)).collect();
        let causes_read: Result<Vec<_>, _> = cause_file.cause.into_iter().map(cause_row).collect();
        let sha256 = Sha256::digest([rules.as_bytes(), b"\n", causes.as_bytes()].concat());
        let pack = Self {
            id: rule_file.id,
            version: rule_file.version,
            sha256: base16ct::lower::encode_string(&sha256),
            duties: rule_file.duties,
            causes: causes_read?,
            rules: rules_read?,
        };
        pack_checks::check(&pack)?;
        Ok(pack)
    }

    /// The pack `cn-default-1` that Onus ships.
    ///
    /// # Errors
    /// Never with the shipped files; a test loads them.
    pub fn builtin_cn() -> Result<Self, PackError> {
        Self::load(
            include_str!("../../../packs/cn-default-1/rules.toml"),
            include_str!("../../../packs/cn-default-1/causes.toml"),
        )
    }

    /// Its rules, in order.
    #[must_use]
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }
}

fn rule(row: RuleToml, answers: &BTreeMap<AgentBasis, Text>) -> Result<Rule, PackError> {
    let shares =
        Shares::new(row.shares.into_iter().collect()).map_err(|error| PackError::row(&row.id, error.to_string()))?;
    let agent_basis = row.agent_basis.unwrap_or(AgentBasis::None);
    let answer = answers
        .get(&agent_basis)
        .ok_or_else(|| PackError::row(&row.id, format!("agent_answers has no text for {agent_basis}")))?;
    Ok(Rule {
        when: condition(&row.id, &row.when)?,
        id: row.id,
        causes: row.causes,
        kinds: row.kinds,
        outward: row.outward,
        shares,
        agent_basis,
        suspense: row.suspense,
        title: row.title,
        text: row.text,
        ground: row.ground,
        agent_answer: answer.clone(),
        obligations: row.obligations,
        would_change: row.would_change,
    })
}

fn cause_row(row: CauseToml) -> Result<CauseRow, PackError> {
    Ok(CauseRow {
        when: condition(&row.id, &row.when)?,
        id: row.id,
        cause: row.cause,
        status: row.status,
        kinds: row.kinds,
    })
}

fn condition(row: &str, when: &BTreeMap<String, toml::Value>) -> Result<Condition, PackError> {
    let mut tests = Vec::with_capacity(when.len());
    for (name, value) in when {
        let known =
            lookup(name).ok_or_else(|| PackError::row(row, format!("{name:?} is not in the fact vocabulary")))?;
        let listed = match value {
            toml::Value::Array(values) => values.as_slice(),
            single => std::slice::from_ref(single),
        };
        let values: Result<Vec<_>, _> = listed.iter().map(|value| fact_value(row, name, known.kind, value)).collect();
        tests.push((known.name, values?));
    }
    Ok(Condition(tests))
}

fn fact_value(row: &str, name: &str, kind: FactKind, value: &toml::Value) -> Result<FactValue, PackError> {
    match (kind, value) {
        (FactKind::Bool, toml::Value::Boolean(value)) => Ok(FactValue::Bool(*value)),
        (FactKind::Code, toml::Value::String(value)) => Ok(FactValue::Word(value.clone())),
        (FactKind::Word(words), toml::Value::String(value)) if words.contains(&value.as_str()) => {
            Ok(FactValue::Word(value.clone()))
        }
        (FactKind::Word(words), _) => {
            Err(PackError::row(row, format!("{name} is one of {}; found {value}", words.join(", "))))
        }
        (FactKind::Bool, _) => Err(PackError::row(row, format!("{name} is true or false; found {value}"))),
        (FactKind::Code, _) => Err(PackError::row(row, format!("{name} is a code in quotes; found {value}"))),
    }
}
