//! What follows what and by when, as data (`packs/expectations-1`).

use onus_model::Grade;
use serde::Deserialize;

use crate::files::{Day, WorkingDays};

/// Seconds of the business's local clock since 1970-01-01 00:00 on that clock.
pub type Second = i64;

pub(crate) const DAY_SECONDS: Second = 86_400;

/// A record of a payment, or something about it that others follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Leg {
    /// Line of the terminal's journal.
    Journal,
    /// Row of the switch log.
    Switch,
    /// Clearing line.
    Clearing,
    /// Payout line.
    Payout,
    /// Share paid to an agent.
    Share,
    /// No reply came to the terminal.
    TimeOut,
    /// Reversal.
    Reversal,
    /// Answer to a reversal.
    Acknowledgement,
    /// Line of the bank statement about the payout's batch.
    Bank,
}

impl Leg {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Journal,
        Self::Switch,
        Self::Clearing,
        Self::Payout,
        Self::Share,
        Self::TimeOut,
        Self::Reversal,
        Self::Acknowledgement,
        Self::Bank,
    ];

    /// Its name in data.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Journal => "journal",
            Self::Switch => "switch",
            Self::Clearing => "clearing",
            Self::Payout => "payout",
            Self::Share => "share",
            Self::TimeOut => "time_out",
            Self::Reversal => "reversal",
            Self::Acknowledgement => "acknowledgement",
            Self::Bank => "bank",
        }
    }

    /// Reads a name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|leg| leg.as_str() == text)
    }
}

/// Of which payments something is awaited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Condition {
    /// Of those that succeeded.
    Approved,
    /// Of all.
    Any,
    /// Of none; it may come until then.
    Never,
}

/// A deadline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Due {
    /// So many seconds after the record.
    Within(Second),
    /// So many working days after its day, at this second of the day.
    WorkingDays(u32, Second),
}

impl Due {
    /// When it is, for a record of this time and day.
    #[must_use]
    pub fn at(self, from: Second, day: Day, days: &WorkingDays) -> Second {
        match self {
            Self::Within(seconds) => from.saturating_add(seconds),
            Self::WorkingDays(count, second) => {
                Second::from(days.after(day, count)).saturating_mul(DAY_SECONDS).saturating_add(second)
            }
        }
    }
}

/// One rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// Its name.
    pub id: String,
    /// What follows.
    pub awaits: Leg,
    /// What it follows.
    pub after: Leg,
    /// Of which payments.
    pub condition: Condition,
    /// By when.
    pub due: Due,
    /// In Chinese.
    pub zh: String,
    /// In English.
    pub en: String,
    /// Where it comes from.
    pub source: String,
    /// Grade of that source.
    pub grade: Grade,
}

/// All rules, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExpectationRules {
    /// Name of the pack.
    pub id: String,
    /// Version.
    pub version: String,
    /// Rules.
    pub rules: Vec<Rule>,
    /// Working days after its last deadline for which a payment is kept in mind.
    pub keep_working_days: u32,
    /// Hours by which lists are grouped, ascending.
    pub age_hours: Vec<u32>,
}

/// A pack of expectations did not read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expectations: {0}")]
pub struct RulesError(String);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PackToml {
    id: String,
    version: String,
    memory: MemoryToml,
    ages: AgesToml,
    rule: Vec<RuleToml>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MemoryToml {
    keep_working_days: u32,
    #[serde(rename = "source")]
    _source: String,
    #[serde(rename = "grade")]
    _grade: Grade,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AgesToml {
    hours: Vec<u32>,
    #[serde(rename = "source")]
    _source: String,
    #[serde(rename = "grade")]
    _grade: Grade,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleToml {
    id: String,
    awaits: Leg,
    after: Leg,
    #[serde(rename = "if")]
    condition: Condition,
    within_seconds: Option<u32>,
    working_days: Option<u32>,
    by: Option<String>,
    zh: String,
    en: String,
    source: String,
    grade: Grade,
}

/// More working days than this are a mistake of the pack.
const WORKING_DAYS_MAX: u32 = 366;

impl ExpectationRules {
    /// Reads a pack.
    ///
    /// # Errors
    /// Names the rule that is wrong.
    pub fn from_toml(text: &str) -> Result<Self, RulesError> {
        let read: PackToml = toml::from_str(text).map_err(|error| RulesError(error.to_string()))?;
        let mut rules: Vec<Rule> = Vec::new();
        for row in read.rule {
            if rules.iter().any(|rule| rule.id == row.id) {
                return Err(RulesError(format!("rule {} stands twice; rename one", row.id)));
            }
            if rules.iter().any(|rule| (rule.awaits, rule.after) == (row.awaits, row.after)) {
                return Err(RulesError(format!(
                    "rule {} can never decide: another one before it awaits {} after {}",
                    row.id,
                    row.awaits.as_str(),
                    row.after.as_str()
                )));
            }
            if matches!(row.awaits, Leg::Share | Leg::TimeOut) {
                return Err(RulesError(format!("rule {}: nothing can await {}", row.id, row.awaits.as_str())));
            }
            rules.push(rule(row)?);
        }
        if read.memory.keep_working_days > WORKING_DAYS_MAX {
            return Err(RulesError(format!("keep_working_days: expected at most {WORKING_DAYS_MAX}")));
        }
        if !read.ages.hours.is_sorted_by(|one, other| one < other) {
            return Err(RulesError("ages.hours: expected hours in ascending order".to_owned()));
        }
        Ok(Self {
            id: read.id,
            version: read.version,
            rules,
            keep_working_days: read.memory.keep_working_days,
            age_hours: read.ages.hours,
        })
    }

    /// The rules in the repository (`packs/expectations-1`).
    ///
    /// # Errors
    /// When that file is broken, which the tests of this crate rule out.
    pub fn builtin() -> Result<Self, RulesError> {
        Self::from_toml(include_str!("../../../../packs/expectations-1/expectations.toml"))
    }

    /// The rule of this name.
    #[must_use]
    pub fn by_id(&self, id: &str) -> Option<&Rule> {
        self.rules.iter().find(|rule| rule.id == id)
    }
}

fn rule(row: RuleToml) -> Result<Rule, RulesError> {
    let due = match (row.within_seconds, row.working_days, row.by.as_deref()) {
        (Some(seconds), None, None) => Due::Within(Second::from(seconds)),
        (None, Some(count), Some(by)) if count <= WORKING_DAYS_MAX => {
            let second = second_of_day(by)
                .ok_or_else(|| RulesError(format!("rule {}: by = {by:?}; expected HH:MM up to 24:00", row.id)))?;
            Due::WorkingDays(count, second)
        }
        _ => {
            return Err(RulesError(format!(
                "rule {}: expected within_seconds, or working_days (at most {WORKING_DAYS_MAX}) with by",
                row.id
            )));
        }
    };
    Ok(Rule {
        id: row.id,
        awaits: row.awaits,
        after: row.after,
        condition: row.condition,
        due,
        zh: row.zh,
        en: row.en,
        source: row.source,
        grade: row.grade,
    })
}

fn second_of_day(text: &str) -> Option<Second> {
    let (hour, minute) = text.split_once(':')?;
    let two = |part: &str| (part.len() == 2).then(|| part.parse::<Second>().ok()).flatten();
    let (hour, minute) = (two(hour)?, two(minute)?);
    let second = hour * 3_600 + minute * 60;
    (minute < 60 && (0..=DAY_SECONDS).contains(&second)).then_some(second)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::read_day;

    #[test]
    fn the_shipped_rules_load() {
        let rules = ExpectationRules::builtin().unwrap();
        assert!(rules.rules.len() >= 19);
        assert_eq!(rules.by_id("payout-after-clearing").unwrap().due, Due::WorkingDays(1, DAY_SECONDS));
    }

    #[test]
    fn deadlines_pass_over_weekends() {
        let day = |text| read_day(text).unwrap();
        let days = WorkingDays::new(vec![day("2026-10-01")], vec![]);
        let noon = 43_200;
        let table = [
            (Due::Within(60), "2026-03-13", "2026-03-13", noon + 60),
            (Due::WorkingDays(1, noon), "2026-03-13", "2026-03-16", noon),
            (Due::WorkingDays(0, DAY_SECONDS), "2026-03-14", "2026-03-14", DAY_SECONDS),
            (Due::WorkingDays(1, 0), "2026-09-30", "2026-10-02", 0),
        ];
        for (due, from, on, second) in table {
            let start = Second::from(day(from)) * DAY_SECONDS + noon;
            assert_eq!(due.at(start, day(from), &days), Second::from(day(on)) * DAY_SECONDS + second, "{due:?} {from}");
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        let good = include_str!("../../../../packs/expectations-1/expectations.toml");
        let table = [
            ("within_seconds = 600", "", "switch-after-journal"),
            ("by = \"12:00\"", "by = \"25:00\"", "clearing-after-switch"),
            ("after = \"clearing\"\nif = \"any\"", "after = \"journal\"\nif = \"any\"", "switch-after-clearing"),
            ("hours = [1, 24", "hours = [1, 1", "ages"),
            ("awaits = \"bank\"", "awaits = \"share\"", "bank-after-payout"),
            ("id = \"switch-after-clearing\"", "id = \"switch-after-journal\"", "stands twice"),
        ];
        for (from, to, named) in table {
            let error = ExpectationRules::from_toml(&good.replacen(from, to, 1)).unwrap_err().to_string();
            assert!(error.contains(named), "{from}: {error}");
        }
    }
}
