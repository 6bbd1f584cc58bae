//! Files of a pack: their form, and reading it.

use std::collections::BTreeMap;

use onus_model::{
    AgentBasis, Automation, Cause, ExceptionKind, FindingStatus, Ground, Obligation, Party, Shares, Text, WouldChange,
};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use toml::Spanned;

use crate::bearers::{Candidate, Division, Fault, Role};
use crate::burden::Burden;
use crate::condition::{Condition, ConditionError, Test};
use crate::contract::{Clause, VoidRow};
use crate::facts::{Facts, holds_parties};
use crate::pack::{
    CauseRow, Exclusion, Pack, PackCase, PackError, PackFiles, Place, Principle, Rule, VerifiedBy, automation,
};
use crate::value::{PartySet, RawValue, Value};
use crate::vocabulary::{FactId, FactKind, VOCABULARY, fact_id, fact_of};

type Raw = BTreeMap<String, RawValue>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CauseFile {
    #[serde(default)]
    cause: Vec<Spanned<CauseToml>>,
    #[serde(default)]
    exclude: Vec<Spanned<ExcludeToml>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CauseToml {
    id: String,
    cause: Cause,
    status: FindingStatus,
    kinds: Vec<ExceptionKind>,
    #[serde(default)]
    when: Raw,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ExcludeToml {
    id: String,
    causes: Vec<Cause>,
    kinds: Vec<ExceptionKind>,
    when: Raw,
    text: Text,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleFile {
    id: String,
    version: String,
    effective_from: String,
    jurisdiction: String,
    #[serde(rename = "note")]
    _note: String,
    /// Place decides when left out; `rank` when every rule gives its rank.
    #[serde(default)]
    order: Order,
    calendar: Option<String>,
    #[serde(default)]
    duties: BTreeMap<String, Text>,
    agent_answers: BTreeMap<AgentBasis, Text>,
    #[serde(default)]
    templates: BTreeMap<String, Text>,
    #[serde(default)]
    roles: BTreeMap<String, RoleToml>,
    #[serde(default)]
    principles: BTreeMap<String, Principle>,
    #[serde(default)]
    burden: Vec<Spanned<BurdenToml>>,
    #[serde(default)]
    void: Vec<Spanned<VoidToml>>,
    rule: Vec<Spanned<RuleToml>>,
}

#[derive(Deserialize, Default, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
enum Order {
    #[default]
    Place,
    Rank,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RoleToml {
    of: Vec<CandidateToml>,
    #[serde(default)]
    never: Vec<Party>,
}

/// A candidate for a role: always, or when facts say so.
#[derive(Deserialize)]
#[serde(untagged, deny_unknown_fields)]
enum CandidateToml {
    Always(String),
    When { party: String, when: Raw },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BurdenToml {
    id: String,
    fact: String,
    by: String,
    within: String,
    #[serde(default)]
    when: Raw,
    absence: RawValue,
    text: Text,
    ground: Ground,
    verified_by: Option<VerifiedBy>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct VoidToml {
    id: String,
    when: Raw,
    text: Text,
    ground: Ground,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FaultToml {
    party: String,
    weight: u32,
    #[serde(default)]
    when: Raw,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PercentToml {
    fact: String,
    party: Party,
    rest: Party,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleToml {
    id: String,
    rank: Option<u32>,
    #[serde(default)]
    principles: Vec<String>,
    #[serde(default)]
    causes: Vec<Cause>,
    #[serde(default)]
    kinds: Vec<ExceptionKind>,
    #[serde(default)]
    when: Raw,
    #[serde(default)]
    any: Vec<Raw>,
    #[serde(default)]
    unless: Vec<Raw>,
    effective_from: Option<String>,
    effective_to: Option<String>,
    outward: Option<String>,
    shares: Option<BTreeMap<Party, u16>>,
    bearer: Option<String>,
    fault: Option<Vec<FaultToml>>,
    percent: Option<PercentToml>,
    agent_basis: Option<AgentBasis>,
    #[serde(default)]
    suspense: bool,
    #[serde(default)]
    abstain: bool,
    title: Text,
    text: Text,
    /// Left out: what the first principle rests on.
    ground: Option<Ground>,
    verified_by: Option<VerifiedBy>,
    #[serde(default)]
    obligations: Vec<Obligation>,
    #[serde(default)]
    would_change: Vec<WouldChange>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CasesFile {
    #[serde(default)]
    case: Vec<Spanned<CaseToml>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CaseToml {
    id: String,
    facts: Raw,
    #[serde(default)]
    shares: BTreeMap<Party, u16>,
    cause: Option<Cause>,
    rule: Option<String>,
    #[serde(default)]
    abstain: bool,
    open: Option<Vec<String>>,
    #[serde(default)]
    over: bool,
    day: Option<i64>,
    #[serde(default)]
    clause: Vec<Clause>,
    #[serde(default)]
    void: BTreeMap<String, String>,
}

/// A file being read: its name and text, to tell lines.
#[derive(Clone, Copy)]
struct Source<'a> {
    file: &'static str,
    text: &'a str,
}

impl<'a> Source<'a> {
    fn parse<T: DeserializeOwned>(self) -> Result<T, PackError> {
        toml::from_str(self.text).map_err(|error| PackError::Toml { file: self.file, detail: error.to_string() })
    }

    fn line(self, offset: usize) -> usize {
        let before = self.text.as_bytes().get(..offset).unwrap_or_default();
        before.iter().filter(|byte| **byte == b'\n').count().saturating_add(1)
    }

    fn row<'i, T>(self, row: &Spanned<T>, id: &'i str) -> Row<'i, 'a> {
        Row { source: self, id, start: row.span().start }
    }
}

/// A row being read.
#[derive(Clone, Copy)]
struct Row<'i, 'a> {
    source: Source<'a>,
    id: &'i str,
    start: usize,
}

impl Row<'_, '_> {
    fn place(&self) -> Place {
        Place { file: self.source.file, line: self.source.line(self.start) }
    }

    fn fault(&self, detail: impl Into<String>) -> PackError {
        PackError::row(self.place(), self.id, detail)
    }

    /// The line of a word in this row, for faults of one test.
    fn fault_at(&self, word: &str, detail: String) -> PackError {
        let rest = self.source.text.get(self.start..).unwrap_or_default();
        // A row ends where the next one begins; the head ends with the file.
        let own = if self.start == 0 { rest } else { rest.split("\n[[").next().unwrap_or(rest) };
        let found = own.find(word).unwrap_or_default();
        let line = self.source.line(self.start.saturating_add(found));
        PackError::row(Place { file: self.source.file, line }, self.id, detail)
    }

    fn condition(&self, raw: &Raw) -> Result<Condition, PackError> {
        Condition::read(raw).map_err(|ConditionError { fact, detail }| self.fault_at(&fact, detail))
    }

    fn party_fact(&self, name: &str) -> Result<FactId, PackError> {
        let id = fact_id(name).ok_or_else(|| self.fault_at(name, format!("{name:?} is not in the fact vocabulary")))?;
        match fact_of(id) {
            Some(fact) if holds_parties(fact.kind) => Ok(id),
            _ => Err(self.fault_at(name, format!("{name} holds no party"))),
        }
    }

    fn candidate(&self, word: &str) -> Result<Candidate, PackError> {
        if let Some(name) = word.strip_prefix("fact:") {
            return self.party_fact(name).map(Candidate::Fact);
        }
        let unknown =
            || self.fault_at(word, format!("{word:?} is no party; expected a party, \"fact:NAME\" or \"@role\""));
        VOCABULARY.party_of(word).map(Candidate::Party).ok_or_else(unknown)
    }

    fn role(&self, word: &str, roles: &BTreeMap<String, Role>) -> Result<Role, PackError> {
        match word.strip_prefix('@') {
            Some(name) => {
                let missing = || self.fault_at(word, format!("role {name:?} is not in [roles]"));
                roles.get(name).cloned().ok_or_else(missing)
            }
            None => Ok(Role { of: vec![(self.candidate(word)?, Condition::default())], never: PartySet::EMPTY }),
        }
    }
}

/// Reads all files; nothing is checked across rows yet.
pub(crate) fn read(files: &PackFiles<'_>) -> Result<Pack, PackError> {
    let rules = Source { file: "rules.toml", text: files.rules };
    let causes = Source { file: "causes.toml", text: files.causes };
    let head: RuleFile = rules.parse()?;
    let cause_file: CauseFile = causes.parse()?;
    let top = Row { source: rules, id: "head", start: 0 };
    let roles = read_roles(&top, &head.roles)?;
    let order = head.order;
    let numbered = head.rule.into_iter().enumerate();
    let rules_read: Result<Vec<_>, _> =
        numbered.map(|(place, row)| rule(rules, row, (order, place), &roles, &head.principles)).collect();
    let causes_read: Result<Vec<_>, _> = cause_file.cause.into_iter().map(|row| cause_row(causes, row)).collect();
    let excluded: Result<Vec<_>, _> = cause_file.exclude.into_iter().map(|row| exclusion(causes, row)).collect();
    let burdens: Result<Vec<_>, _> = head.burden.into_iter().map(|row| burden(rules, row, &roles)).collect();
    let void: Result<Vec<_>, _> = head.void.into_iter().map(|row| void_row(rules, row)).collect();
    Ok(Pack {
        id: head.id,
        version: head.version,
        effective_from: day(&top, &head.effective_from)?.0,
        jurisdiction: head.jurisdiction,
        sha256: String::new(),
        calendar: head.calendar,
        duties: head.duties,
        principles: head.principles,
        agent_answers: head.agent_answers,
        templates: head.templates,
        causes: causes_read?,
        exclusions: excluded?,
        rules: rules_read?,
        burdens: burdens?,
        void: void?,
        cases: cases(files.cases)?,
        by_cause: BTreeMap::new(),
        by_kind: BTreeMap::new(),
    })
}

fn read_roles(top: &Row<'_, '_>, raw: &BTreeMap<String, RoleToml>) -> Result<BTreeMap<String, Role>, PackError> {
    let role = |(name, role): (&String, &RoleToml)| {
        let candidate = |candidate: &CandidateToml| match candidate {
            CandidateToml::Always(word) => Ok((top.candidate(word)?, Condition::default())),
            CandidateToml::When { party, when } => Ok((top.candidate(party)?, top.condition(when)?)),
        };
        let of: Result<Vec<_>, _> = role.of.iter().map(candidate).collect();
        Ok((name.clone(), Role { of: of?, never: role.never.iter().copied().collect() }))
    };
    raw.iter().map(role).collect()
}

fn rule(
    source: Source<'_>,
    spanned: Spanned<RuleToml>,
    (order, number): (Order, usize),
    roles: &BTreeMap<String, Role>,
    principles: &BTreeMap<String, Principle>,
) -> Result<Rule, PackError> {
    let id = spanned.as_ref().id.clone();
    let row = source.row(&spanned, &id);
    let raw = spanned.into_inner();
    let rank = match (order, raw.rank) {
        (Order::Place, None) => u32::try_from(number).unwrap_or(u32::MAX),
        (Order::Rank, Some(rank)) => rank,
        (Order::Place, Some(_)) => return Err(row.fault("gives a rank, but order = \"rank\" is not in the head")),
        (Order::Rank, None) => return Err(row.fault("has no rank; the head says order = \"rank\"")),
    };
    let division = division(&row, &raw, roles)?;
    let of_principle = || {
        let principle = principles.get(raw.principles.first()?)?;
        Some(Ground { text: principle.text.clone(), source: principle.source.clone(), grade: principle.grade })
    };
    let ground = raw.ground.clone().or_else(of_principle);
    let ground = ground.ok_or_else(|| row.fault("cites nothing; give ground, or principles of the pack"))?;
    let outward = raw.outward.as_deref().map(|word| row.role(word, roles)).transpose()?;
    let mut unless: Vec<_> = raw.unless.iter().map(|raw| row.condition(raw)).collect::<Result<_, _>>()?;
    unless.extend(out_of_force(&row, raw.effective_from.as_deref(), raw.effective_to.as_deref())?);
    let by_person = raw.obligations.iter().map(|duty| !duty.automation.is_automatic()).collect();
    let obligations = limited(raw.obligations, automation(&ground, raw.verified_by.as_ref()));
    Ok(Rule {
        place: row.place(),
        rank,
        principles: raw.principles,
        causes: raw.causes,
        kinds: raw.kinds,
        when: alternatives(&row, &raw.when, &raw.any)?,
        unless,
        outward,
        division,
        agent_basis: raw.agent_basis.unwrap_or(AgentBasis::None),
        suspense: raw.suspense,
        abstain: raw.abstain,
        title: raw.title,
        text: raw.text,
        ground,
        verified_by: raw.verified_by,
        obligations,
        by_person,
        would_change: raw.would_change,
        id,
    })
}

/// Duties on which software may act only if their limit allows it; a row may ask for a person itself.
fn limited(mut duties: Vec<Obligation>, automation: Automation) -> Vec<Obligation> {
    for duty in duties.iter_mut().filter(|duty| duty.automation.is_automatic()) {
        duty.automation = automation;
    }
    duties
}

/// `when` alone, or `when` with each of `any`.
fn alternatives(row: &Row<'_, '_>, when: &Raw, any: &[Raw]) -> Result<Vec<Condition>, PackError> {
    let common = row.condition(when)?;
    if any.is_empty() {
        return Ok(vec![common]);
    }
    let with = |raw: &Raw| {
        let tests = common.0.iter().cloned().chain(row.condition(raw)?.0);
        Ok(Condition(tests.collect()))
    };
    any.iter().map(with).collect()
}

/// Conditions under which a rule is not in force: an event that is known to lie before or after its days.
fn out_of_force(row: &Row<'_, '_>, from: Option<&str>, to: Option<&str>) -> Result<Vec<Condition>, PackError> {
    let mut conditions = Vec::new();
    let Some(date) = fact_id("event.date") else { return Ok(conditions) };
    if let Some(from) = from {
        let low = Test::Within { low: i64::MIN, high: day(row, from)?.0.saturating_sub(1), currency: None };
        conditions.push(Condition(vec![(date, low)]));
    }
    if let Some(to) = to {
        let high = Test::Within { low: day(row, to)?.1.saturating_add(1), high: i64::MAX, currency: None };
        conditions.push(Condition(vec![(date, high)]));
    }
    Ok(conditions)
}

fn day(row: &Row<'_, '_>, text: &str) -> Result<(i64, i64), PackError> {
    match Value::read(FactKind::Date, &RawValue::Text(text.to_owned())) {
        Ok(Some(Value::Date { from, to })) => Ok((from, to)),
        _ => Err(row.fault_at(text, format!("expected a date YYYY-MM-DD, found {text:?}"))),
    }
}

fn division(row: &Row<'_, '_>, raw: &RuleToml, roles: &BTreeMap<String, Role>) -> Result<Division, PackError> {
    let given = [raw.shares.is_some(), raw.bearer.is_some(), raw.fault.is_some(), raw.percent.is_some()];
    if given.iter().filter(|given| **given).count() > 1 {
        return Err(row.fault("has more than one of shares, bearer, fault, percent"));
    }
    if let Some(word) = &raw.bearer {
        return row.role(word, roles).map(Division::To);
    }
    if let Some(faults) = &raw.fault {
        let fault = |fault: &FaultToml| {
            Ok(Fault { who: row.role(&fault.party, roles)?, weight: fault.weight, when: row.condition(&fault.when)? })
        };
        return faults.iter().map(fault).collect::<Result<_, _>>().map(Division::ByFault);
    }
    if let Some(percent) = &raw.percent {
        let fact = fact_id(&percent.fact).filter(|id| fact_of(*id).is_some_and(|fact| fact.kind == FactKind::Percent));
        let fact = fact.ok_or_else(|| row.fault_at(&percent.fact, format!("{} is no percentage", percent.fact)))?;
        return Ok(Division::Percent { fact, party: percent.party, rest: percent.rest });
    }
    let parts = raw.shares.clone().unwrap_or_default().into_iter().collect();
    Shares::new(parts).map(Division::Fixed).map_err(|error| row.fault_at("shares", error.to_string()))
}

fn cause_row(source: Source<'_>, spanned: Spanned<CauseToml>) -> Result<CauseRow, PackError> {
    let id = spanned.as_ref().id.clone();
    let row = source.row(&spanned, &id);
    let raw = spanned.into_inner();
    Ok(CauseRow {
        place: row.place(),
        when: row.condition(&raw.when)?,
        cause: raw.cause,
        status: raw.status,
        kinds: raw.kinds,
        id,
    })
}

fn exclusion(source: Source<'_>, spanned: Spanned<ExcludeToml>) -> Result<Exclusion, PackError> {
    let id = spanned.as_ref().id.clone();
    let row = source.row(&spanned, &id);
    let raw = spanned.into_inner();
    if raw.when.is_empty() {
        return Err(row.fault("excludes without a fact"));
    }
    Ok(Exclusion { when: row.condition(&raw.when)?, causes: raw.causes, kinds: raw.kinds, text: raw.text })
}

fn burden(
    source: Source<'_>,
    spanned: Spanned<BurdenToml>,
    roles: &BTreeMap<String, Role>,
) -> Result<Burden, PackError> {
    let id = spanned.as_ref().id.clone();
    let row = source.row(&spanned, &id);
    let raw = spanned.into_inner();
    let unknown = || row.fault_at(&raw.fact, format!("{:?} is not in the fact vocabulary", raw.fact));
    let fact = fact_id(&raw.fact).ok_or_else(unknown)?;
    let kind = fact_of(fact).ok_or_else(unknown)?.kind;
    let absence = Value::read(kind, &raw.absence).map_err(|detail| row.fault_at("absence", detail))?;
    Ok(Burden {
        place: row.place(),
        fact,
        by: row.role(&raw.by, roles)?,
        when: row.condition(&raw.when)?,
        absence: absence.ok_or_else(|| row.fault_at("absence", "absence must mean something".to_owned()))?,
        within: raw.within,
        automation: automation(&raw.ground, raw.verified_by.as_ref()),
        text: raw.text,
        ground: raw.ground,
        verified_by: raw.verified_by,
        id,
    })
}

fn void_row(source: Source<'_>, spanned: Spanned<VoidToml>) -> Result<VoidRow, PackError> {
    let id = spanned.as_ref().id.clone();
    let row = source.row(&spanned, &id);
    let raw = spanned.into_inner();
    if raw.when.is_empty() {
        return Err(row.fault("voids every clause: it asks for no fact"));
    }
    Ok(VoidRow { place: row.place(), when: row.condition(&raw.when)?, text: raw.text, ground: raw.ground, id })
}

fn cases(text: &str) -> Result<Vec<PackCase>, PackError> {
    let source = Source { file: "cases.toml", text };
    let file: CasesFile = source.parse()?;
    let read = |spanned: Spanned<CaseToml>| {
        let id = spanned.as_ref().id.clone();
        let row = source.row(&spanned, &id);
        let raw = spanned.into_inner();
        let facts = Facts::read(&raw.facts, "test case").map_err(|error| row.fault(error.to_string()))?;
        let CaseToml { shares, cause, rule, abstain, open, over, day, clause: clauses, void, .. } = raw;
        let day = day.unwrap_or_default();
        Ok(PackCase { facts, shares, cause, rule, abstain, open, over, day, clauses, void, id })
    };
    file.case.into_iter().map(read).collect()
}
