//! The gate: each request against the registers, in memory, before it goes upstream.
//!
//! A rule tests one thing. Tests whose answer is known and bad act by the rule's `act`: `refuse` answers at once with
//! the rule's code, `open` lets the request through and says so. Where the registers or the message do not say enough,
//! the rule's `when_unknown` decides: `open` (fail open), `closed` (fail closed: refuse) or `silent` (nothing to say).
//! Rules are tried in order; the first that refuses decides.

use onus_model::{Instant, Text};
use serde::{Deserialize, Serialize};

use crate::place::Place;
use crate::seen::{Kind, Seen};
use crate::small_text::SmallText;
use crate::snapshot::{Account, Grade, Snapshot, Standing, Terminal};

/// What a rule tests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Test {
    /// The snapshot is not older than `max_age_s`. Unknown: there is no snapshot with terminals.
    Fresh,
    /// The terminal number is in the register. Unknown: the register is empty.
    Known,
    /// The terminal is active.
    Active,
    /// It is not in quarantine.
    Quarantine,
    /// The merchant code is the bound one.
    Merchant,
    /// The serial number is the bound one. Unknown: the message has none, or the register has none.
    Serial,
    /// The program version is one of those allowed. Unknown: as for the serial number.
    AppVersion,
    /// The acquiring institution is the bound one. Unknown: as for the serial number.
    Acquirer,
    /// The settlement account is bound under dual control. Unknown: the register does not say.
    Account,
    /// The terminal is within `max_metres` of where it is bound, by its own word, else by its address.
    Place,
    /// The grade of attestation is at least `min_grade`.
    Grade,
}

/// What to do when a test fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Act {
    /// Answer at once with the rule's code.
    Refuse,
    /// Let it through and say so.
    Open,
}

/// What to do when a test cannot be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WhenUnknown {
    /// Let it through and say so.
    Open,
    /// Refuse.
    Closed,
    /// Let it through; this is ordinary.
    Silent,
}

/// One rule, as the configuration has it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GateRule {
    /// Its name, as events give it.
    pub name: String,
    /// What it tests.
    pub test: Test,
    /// What to do when the test fails.
    pub act: Act,
    /// What to do when the test cannot be made; `open` when left out.
    #[serde(default = "open")]
    pub when_unknown: WhenUnknown,
    /// Response code of a refusal (field 39).
    #[serde(default)]
    pub code: Option<SmallText<2>>,
    /// Requests it is for; payments when left out. A refused reversal leaves a cardholder debited: think twice.
    #[serde(default = "payments")]
    pub requests: Vec<Kind>,
    /// For `fresh`: seconds; 86,400 when left out.
    #[serde(default = "a_day")]
    pub max_age_s: u32,
    /// For `place`: metres; 20,000 when left out (a town).
    #[serde(default = "a_town")]
    pub max_metres: u32,
    /// For `grade`: the least; G1 when left out.
    #[serde(default = "self_declared")]
    pub min_grade: Grade,
}

fn open() -> WhenUnknown {
    WhenUnknown::Open
}

fn payments() -> Vec<Kind> {
    vec![Kind::Payment]
}

fn a_day() -> u32 {
    86_400
}

fn a_town() -> u32 {
    20_000
}

fn self_declared() -> Grade {
    Grade::G1
}

/// The rules cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GateError {
    /// More rules than can be told apart in one decision.
    #[error("gate: {count} rules, expected at most 64; merge or drop some")]
    TooMany {
        /// Rules given.
        count: usize,
    },
    /// A rule that can refuse has no code.
    #[error("gate rule {rule:?}: it can refuse but has no `code`; give the response code of two characters")]
    NoCode {
        /// Its name.
        rule: String,
    },
    /// Two rules of one name.
    #[error("gate rule {rule:?}: the name is given twice; events tell rules apart by name, rename one")]
    NameTwice {
        /// The name.
        rule: String,
    },
}

/// A rule by its place in the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RuleId(pub u8);

/// A set of rules.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct RuleSet(u64);

impl RuleSet {
    fn add(&mut self, rule: RuleId) {
        self.0 |= 1 << (rule.0 % 64);
    }

    /// The rules, in order.
    pub fn iter(self) -> impl Iterator<Item = RuleId> {
        (0..64).filter(move |at| self.0 >> at & 1 != 0).map(RuleId)
    }
}

/// Why a rule spoke.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Why {
    /// The registers are too old.
    Stale,
    /// The terminal number is not in the register.
    NotKnown,
    /// The terminal is not active.
    NotActive,
    /// The terminal is in quarantine.
    InQuarantine,
    /// The merchant code is another than the bound one.
    OtherMerchant,
    /// The serial number is another than the bound one.
    OtherSerial,
    /// The program version is not allowed.
    OtherApp,
    /// The acquiring institution is another than the bound one.
    OtherAcquirer,
    /// The settlement account was changed without dual control.
    AccountUncontrolled,
    /// The terminal is far from where it is bound.
    FarAway,
    /// The grade of attestation is too low.
    GradeLow,
    /// There is no register to test against.
    NoRegister,
    /// The register does not say.
    RegisterSilent,
    /// The message does not say.
    MessageSilent,
}

impl Why {
    /// The reason in Chinese and English.
    #[must_use]
    pub fn text(self) -> Text {
        let (zh, en) = match self {
            Why::Stale => ("登记资料过旧", "the registers are too old"),
            Why::NotKnown => ("终端号未登记", "the terminal number is not in the register"),
            Why::NotActive => ("终端未启用或已停用", "the terminal is not active"),
            Why::InQuarantine => ("终端已隔离", "the terminal is in quarantine"),
            Why::OtherMerchant => ("商户号与绑定不符", "the merchant code is not the bound one"),
            Why::OtherSerial => ("终端序列号与绑定不符", "the serial number is not the bound one"),
            Why::OtherApp => ("应用版本不在允许之列", "the program version is not allowed"),
            Why::OtherAcquirer => ("受理机构与绑定不符", "the acquiring institution is not the bound one"),
            Why::AccountUncontrolled => {
                ("结算账户未经双人复核即变更", "the settlement account was changed without dual control")
            }
            Why::FarAway => ("终端远离登记地点", "the terminal is far from where it is bound"),
            Why::GradeLow => ("终端程序证明等级不足", "the grade of attestation is too low"),
            Why::NoRegister => ("无登记资料可核对", "there is no register to test against"),
            Why::RegisterSilent => ("登记资料未载明", "the register does not say"),
            Why::MessageSilent => ("报文未载明", "the message does not say"),
        };
        Text { zh: zh.into(), en: en.into() }
    }
}

/// What the gate says about one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Nothing to say.
    Pass,
    /// Let through although a rule spoke.
    PassOpen {
        /// The first rule that spoke.
        rule: RuleId,
        /// Why.
        why: Why,
        /// All rules that spoke.
        all: RuleSet,
    },
    /// Answer at once.
    Refuse {
        /// Response code.
        code: [u8; 2],
        /// The rule.
        rule: RuleId,
        /// Why.
        why: Why,
        /// It refuses because the test could not be made (fail closed), not because it failed.
        closed: bool,
        /// Rules before it that spoke and let through.
        opened: RuleSet,
    },
}

/// What is known of the connection that a request came on.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Connection {
    /// Where its address is, by the operator's table of networks.
    pub place: Option<Place>,
}

/// Checked rules, in order.
#[derive(Debug, Clone, Default)]
pub struct GateRules {
    rules: Vec<Compiled>,
    names: Vec<String>,
}

#[derive(Debug, Clone)]
struct Compiled {
    test: Test,
    act: Act,
    when_unknown: WhenUnknown,
    code: [u8; 2],
    /// Bit n: for kind n.
    kinds: u8,
    max_age_s: u32,
    max_metres: u32,
    min_grade: Grade,
}

/// How a test ended.
enum Outcome {
    Good,
    Bad(Why),
    Unknown(Why),
}

impl GateRules {
    /// Checks the rules of a configuration.
    ///
    /// # Errors
    /// Says which rule cannot be used and what to change.
    pub fn new(rules: &[GateRule]) -> Result<GateRules, GateError> {
        if rules.len() > 64 {
            return Err(GateError::TooMany { count: rules.len() });
        }
        let mut checked = GateRules::default();
        for rule in rules {
            if checked.names.contains(&rule.name) {
                return Err(GateError::NameTwice { rule: rule.name.clone() });
            }
            checked.rules.push(Compiled::new(rule)?);
            checked.names.push(rule.name.clone());
        }
        Ok(checked)
    }

    /// The name of a rule.
    #[must_use]
    pub fn name(&self, rule: RuleId) -> &str {
        self.names.get(usize::from(rule.0)).map(String::as_str).unwrap_or_default()
    }

    /// How many rules there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rules.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// Tests a request.
    #[must_use]
    pub fn check(&self, snapshot: &Snapshot, seen: &Seen, connection: &Connection, now: Instant) -> Decision {
        let kind = kind_bit(seen.kind());
        let terminal = snapshot.terminal(&seen.tid);
        let mut opened = RuleSet::default();
        let mut first: Option<(RuleId, Why)> = None;
        for (rule, id) in self.rules.iter().zip(0..).map(|(rule, at)| (rule, RuleId(at))) {
            if rule.kinds & kind == 0 {
                continue;
            }
            let (why, refuse, closed) = match rule.outcome(snapshot, terminal, seen, connection, now) {
                Outcome::Good => continue,
                Outcome::Bad(why) => (why, rule.act == Act::Refuse, false),
                Outcome::Unknown(why) => match rule.when_unknown {
                    WhenUnknown::Silent => continue,
                    WhenUnknown::Open => (why, false, false),
                    WhenUnknown::Closed => (why, true, true),
                },
            };
            if refuse {
                return Decision::Refuse { code: rule.code, rule: id, why, closed, opened };
            }
            opened.add(id);
            first = first.or(Some((id, why)));
        }
        first.map_or(Decision::Pass, |(rule, why)| Decision::PassOpen { rule, why, all: opened })
    }
}

impl Compiled {
    fn new(rule: &GateRule) -> Result<Compiled, GateError> {
        let code = rule.code.and_then(|code| <[u8; 2]>::try_from(code.as_bytes()).ok());
        let refuses = rule.act == Act::Refuse || rule.when_unknown == WhenUnknown::Closed;
        if refuses && code.is_none() {
            return Err(GateError::NoCode { rule: rule.name.clone() });
        }
        Ok(Compiled {
            test: rule.test,
            act: rule.act,
            when_unknown: rule.when_unknown,
            code: code.unwrap_or_default(),
            kinds: rule.requests.iter().fold(0, |kinds, kind| kinds | kind_bit(*kind)),
            max_age_s: rule.max_age_s,
            max_metres: rule.max_metres,
            min_grade: rule.min_grade,
        })
    }

    fn outcome(
        &self,
        snapshot: &Snapshot,
        terminal: Option<&Terminal>,
        seen: &Seen,
        connection: &Connection,
        now: Instant,
    ) -> Outcome {
        if snapshot.is_empty() {
            return Outcome::Unknown(Why::NoRegister);
        }
        match self.test {
            Test::Fresh => {
                let old = now.seconds_since(snapshot.built_at()) > i64::from(self.max_age_s);
                known(!old, Why::Stale)
            }
            Test::Known => known(terminal.is_some(), Why::NotKnown),
            _ => match terminal {
                Some(terminal) => self.terminal_outcome(terminal, seen, connection),
                // `known` is the rule that speaks about it.
                None => Outcome::Unknown(Why::NotKnown),
            },
        }
    }

    fn terminal_outcome(&self, terminal: &Terminal, seen: &Seen, connection: &Connection) -> Outcome {
        match self.test {
            Test::Fresh | Test::Known => Outcome::Good,
            Test::Active => known(terminal.standing == Standing::Active, Why::NotActive),
            Test::Quarantine => known(terminal.quarantine.is_none(), Why::InQuarantine),
            Test::Merchant => same(terminal.merchant, Some(seen.merchant), Why::OtherMerchant),
            Test::Serial => same(terminal.serial, seen.serial, Why::OtherSerial),
            Test::Acquirer => same(terminal.acquirer, seen.acquirer, Why::OtherAcquirer),
            Test::AppVersion => match seen.app_version {
                _ if terminal.app_versions.is_empty() => Outcome::Unknown(Why::RegisterSilent),
                None => Outcome::Unknown(Why::MessageSilent),
                Some(version) => known(terminal.app_versions.contains(&version), Why::OtherApp),
            },
            Test::Account => match terminal.account {
                None => Outcome::Unknown(Why::RegisterSilent),
                Some(account) => known(account == Account::Bound, Why::AccountUncontrolled),
            },
            Test::Place => match (terminal.place, seen.place.or(connection.place)) {
                (None, _) => Outcome::Unknown(Why::RegisterSilent),
                (_, None) => Outcome::Unknown(Why::MessageSilent),
                (Some(bound), Some(here)) => known(bound.metres_to(here) <= u64::from(self.max_metres), Why::FarAway),
            },
            Test::Grade => match terminal.grade {
                None => Outcome::Unknown(Why::RegisterSilent),
                Some(grade) => known(grade >= self.min_grade, Why::GradeLow),
            },
        }
    }
}

fn known(good: bool, why: Why) -> Outcome {
    if good { Outcome::Good } else { Outcome::Bad(why) }
}

fn same<T: PartialEq>(bound: Option<T>, found: Option<T>, why: Why) -> Outcome {
    match (bound, found) {
        (None, _) => Outcome::Unknown(Why::RegisterSilent),
        (_, None) => Outcome::Unknown(Why::MessageSilent),
        (Some(bound), Some(found)) => known(bound == found, why),
    }
}

fn kind_bit(kind: Kind) -> u8 {
    1 << match kind {
        Kind::Payment => 0,
        Kind::Advice => 1,
        Kind::Reversal => 2,
        Kind::Settlement => 3,
        Kind::Management => 4,
        Kind::Other => 5,
    }
}

#[cfg(test)]
mod tests;
