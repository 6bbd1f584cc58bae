//! Conditions of table rows: tests of facts that must all hold.

use std::collections::BTreeMap;

use crate::facts::Facts;
use crate::value::{PartySet, RawValue, Value};
use crate::vocabulary::{FactId, FactKind, fact_id, fact_of};

/// One test of one fact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Test {
    /// Yes-or-no, word or party: one of the marked values. Bit 0 is false, bit 1 true; words and parties by their place.
    Cells(u64),
    /// One of these codes, or none of them.
    Codes { any: Vec<Box<str>>, not: bool },
    /// A list of parties with at least one of these.
    Holds(PartySet),
    /// A list of parties with none of these.
    Lacks(PartySet),
    /// Money, percentage, date or duration within bounds, both included.
    Within { low: i64, high: i64, currency: Option<[u8; 3]> },
    /// The fact is known, or it is not.
    Known(bool),
}

/// What a test says of facts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    Yes,
    No,
    /// The fact is not known, or not exactly enough.
    Open,
}

impl Test {
    pub(crate) fn answer(&self, value: Option<&Value>) -> Answer {
        let yes = |holds: bool| if holds { Answer::Yes } else { Answer::No };
        let Some(value) = value else {
            return if *self == Self::Known(false) { Answer::Yes } else { Answer::Open };
        };
        match (self, value) {
            (Self::Cells(cells), Value::Bool(value)) => yes(cells & (1 << u8::from(*value)) != 0),
            (Self::Cells(cells), Value::Word(place)) => yes(cells & (1 << place) != 0),
            (Self::Cells(cells), Value::Parties(parties)) => yes(cells & parties.cells() != 0),
            (Self::Codes { any, not }, Value::Code(code)) => yes(any.contains(code) != *not),
            (Self::Codes { any, not }, Value::Country(code)) => {
                yes(any.iter().any(|known| known.as_bytes() == code) != *not)
            }
            (Self::Holds(parties), Value::Parties(known)) => yes(!known.and(*parties).is_empty()),
            (Self::Lacks(parties), Value::Parties(known)) => yes(known.and(*parties).is_empty()),
            (Self::Within { low, high, currency }, value) => within(*low, *high, *currency, value),
            (Self::Known(known), _) => yes(*known),
            // A value of another type never gets past the reader.
            _ => Answer::No,
        }
    }
}

fn within(low: i64, high: i64, wanted: Option<[u8; 3]>, value: &Value) -> Answer {
    let (from, to) = match value {
        Value::Money { currency, .. } if Some(*currency) != wanted => return Answer::Open,
        Value::Money { minor, .. } => (*minor, *minor),
        Value::Percent(number) | Value::Duration(number) => (*number, *number),
        Value::Date { from, to } => (*from, *to),
        _ => return Answer::No,
    };
    if low <= from && to <= high {
        Answer::Yes
    } else if to < low || high < from {
        Answer::No
    } else {
        Answer::Open
    }
}

/// Tests that must all hold.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Condition(pub(crate) Vec<(FactId, Test)>);

/// How a condition fares on facts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fit {
    /// All asked is there.
    Met,
    /// A known fact speaks against it.
    Contradicted(FactId),
    /// Nothing speaks against it, but a fact is not known.
    Open,
}

impl Condition {
    /// Reads `{ "fact" = value, "fact" = [values], "fact" = { operator = value } }`.
    pub(crate) fn read(raw: &BTreeMap<String, RawValue>) -> Result<Self, ConditionError> {
        let mut tests = Vec::with_capacity(raw.len());
        for (name, raw) in raw {
            let fault = |detail: String| ConditionError { fact: name.clone(), detail };
            let known = fact_id(name).and_then(|id| Some((id, fact_of(id)?)));
            let (id, fact) = known.ok_or_else(|| fault(format!("{name:?} is not in the fact vocabulary")))?;
            let read = read_tests(fact.kind, raw).map_err(|detail| fault(format!("{name}: {detail}")))?;
            tests.extend(read.into_iter().map(|test| (id, test)));
        }
        Ok(Self(tests))
    }

    pub(crate) fn fit(&self, facts: &Facts) -> Fit {
        let mut fit = Fit::Met;
        for (id, test) in &self.0 {
            match test.answer(facts.value(*id)) {
                Answer::Yes => {}
                Answer::No => return Fit::Contradicted(*id),
                Answer::Open => fit = Fit::Open,
            }
        }
        fit
    }

    pub(crate) fn met(&self, facts: &Facts) -> bool {
        self.0.iter().all(|(id, test)| test.answer(facts.value(*id)) == Answer::Yes)
    }

    /// Facts that stand open.
    pub(crate) fn missing(&self, facts: &Facts) -> Vec<FactId> {
        let open = |(id, test): &&(FactId, Test)| test.answer(facts.value(*id)) == Answer::Open;
        self.0.iter().filter(open).map(|(id, _)| *id).collect()
    }

    /// Facts asked for.
    pub(crate) fn facts(&self) -> impl Iterator<Item = FactId> {
        self.0.iter().map(|(id, _)| *id)
    }
}

/// A condition does not read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ConditionError {
    pub(crate) fact: String,
    pub(crate) detail: String,
}

fn read_tests(kind: FactKind, raw: &RawValue) -> Result<Vec<Test>, String> {
    match raw {
        RawValue::Table(operators) if kind != FactKind::Money || !operators.contains_key("minor") => {
            if operators.is_empty() {
                return Err("an operator is missing".to_owned());
            }
            operators.iter().map(|(operator, raw)| read_operator(kind, operator, raw)).collect()
        }
        RawValue::List(values) if kind != FactKind::Parties => one_of(kind, values, false).map(|test| vec![test]),
        single if kind != FactKind::Parties => one_of(kind, std::slice::from_ref(single), false).map(|test| vec![test]),
        _ => Err("a list of parties is tested by contains or lacks".to_owned()),
    }
}

fn read_operator(kind: FactKind, operator: &str, raw: &RawValue) -> Result<Test, String> {
    let listed = match raw {
        RawValue::List(values) => values.as_slice(),
        single => std::slice::from_ref(single),
    };
    match operator {
        "known" => match raw {
            RawValue::Bool(known) => Ok(Test::Known(*known)),
            _ => Err("known is true or false".to_owned()),
        },
        "not_in" => one_of(kind, listed, true),
        "contains" | "lacks" if kind == FactKind::Parties => {
            match Value::read(kind, &RawValue::List(listed.to_vec()))? {
                Some(Value::Parties(parties)) if operator == "contains" => Ok(Test::Holds(parties)),
                Some(Value::Parties(parties)) => Ok(Test::Lacks(parties)),
                _ => Err("expected parties".to_owned()),
            }
        }
        "at_least" | "above" | "at_most" | "below" => bound(kind, operator, raw),
        _ => Err(format!(
            "{operator} is no operator for it; expected not_in, known, contains, lacks, at_least, above, at_most or below"
        )),
    }
}

fn one_of(kind: FactKind, listed: &[RawValue], not: bool) -> Result<Test, String> {
    let mut cells = 0_u64;
    let mut codes = Vec::new();
    for raw in listed {
        match Value::read(kind, raw)?.ok_or("unknown is tested by { known = false }")? {
            Value::Bool(value) => cells |= 1 << u8::from(value),
            Value::Word(place) => cells |= 1 << place,
            Value::Parties(parties) => cells |= parties.cells(),
            Value::Code(code) => codes.push(code),
            Value::Country(code) => codes.push(String::from_utf8_lossy(&code).into()),
            _ => {
                return Err("amounts, percentages, dates and durations are tested by at_least, above, at_most, below"
                    .to_owned());
            }
        }
    }
    if codes.is_empty() && cells == 0 {
        return Err("no value to test".to_owned());
    }
    if !codes.is_empty() {
        codes.sort();
        return Ok(Test::Codes { any: codes, not });
    }
    Ok(Test::Cells(if not { all_cells(kind) & !cells } else { cells }))
}

/// Bits of all values of a closed type.
pub(crate) fn all_cells(kind: FactKind) -> u64 {
    let count = match kind {
        FactKind::Bool => 2,
        FactKind::Word(words) => words.len(),
        FactKind::Party => onus_model::Party::ALL.len(),
        _ => 0,
    };
    (0..count).fold(0, |cells, place| cells | (1 << place))
}

fn bound(kind: FactKind, operator: &str, raw: &RawValue) -> Result<Test, String> {
    let (from, to, currency) = match Value::read(kind, raw)?.ok_or("unknown is no bound")? {
        Value::Money { minor, currency } => (minor, minor, Some(currency)),
        Value::Percent(number) | Value::Duration(number) => (number, number, None),
        Value::Date { from, to } => (from, to, None),
        _ => return Err(format!("{operator} needs an amount, a percentage, a date or a duration")),
    };
    let (low, high) = match operator {
        "at_least" => (from, i64::MAX),
        "above" => (to.saturating_add(1), i64::MAX),
        "at_most" => (i64::MIN, to),
        _ => (i64::MIN, from.saturating_sub(1)),
    };
    Ok(Test::Within { low, high, currency })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn condition(text: &str) -> Result<Condition, ConditionError> {
        Condition::read(&toml::from_str::<BTreeMap<String, RawValue>>(text).unwrap())
    }

    fn facts(text: &str) -> Facts {
        Facts::read(&toml::from_str(text).unwrap(), "test").unwrap()
    }

    #[test]
    fn operators() {
        let table = [
            (r#""payment.authorised" = true"#, r#""payment.authorised" = true"#, Answer::Yes),
            (r#""payment.authorised" = true"#, r#""payment.authorised" = false"#, Answer::No),
            (r#""payment.authorised" = true"#, "", Answer::Open),
            (r#""payment.authorised" = { known = false }"#, "", Answer::Yes),
            (r#""payment.authorised" = { known = true }"#, "", Answer::Open),
            (r#""jurisdiction" = { not_in = ["BR", "DE"] }"#, r#"jurisdiction = "CN""#, Answer::Yes),
            (r#""jurisdiction" = ["BR", "DE"]"#, r#"jurisdiction = "CN""#, Answer::No),
            (r#""slip.quality" = { not_in = "unsigned" }"#, r#""slip.quality" = "illegible""#, Answer::Yes),
            (r#""claim.against" = { contains = "agent" }"#, r#""claim.against" = ["agent", "issuer"]"#, Answer::Yes),
            (r#""claim.against" = { lacks = ["agent"] }"#, r#""claim.against" = ["agent"]"#, Answer::No),
            (r#""event.date" = { at_least = "2021-05-25" }"#, r#""event.date" = "2021""#, Answer::Open),
            (r#""event.date" = { at_least = "2021-05-25" }"#, r#""event.date" = "2022""#, Answer::Yes),
            (r#""event.date" = { below = "2021-05-25" }"#, r#""event.date" = "2021-05-25""#, Answer::No),
            (r#""settlement.delay" = { above = "P30D" }"#, r#""settlement.delay" = "P14M""#, Answer::Yes),
            (
                r#""event.amount" = { at_most = { minor = 100, currency = "CNY" } }"#,
                r#""event.amount" = { minor = 100, currency = "CNY" }"#,
                Answer::Yes,
            ),
            (
                r#""event.amount" = { at_most = { minor = 100, currency = "CNY" } }"#,
                r#""event.amount" = { minor = 100, currency = "USD" }"#,
                Answer::Open,
            ),
        ];
        for (when, known, expected) in table {
            let (when, known) = (condition(when).unwrap(), facts(known));
            let answer = match when.fit(&known) {
                Fit::Met => Answer::Yes,
                Fit::Contradicted(_) => Answer::No,
                Fit::Open => Answer::Open,
            };
            assert_eq!(answer, expected, "{when:?} on {known:?}");
            assert_eq!(when.met(&known), expected == Answer::Yes);
        }
    }

    #[test]
    fn wrong_tests_are_refused() {
        for (when, said) in [
            (r#""no.such" = true"#, "not in the fact vocabulary"),
            (r#""payment.authorised" = "yes""#, "true or false"),
            (r#""slip.quality" = "torn""#, "one of signed_complete"),
            (r#""claim.against" = "agent""#, "contains or lacks"),
            (r#""event.amount" = { above = 5 }"#, "minor"),
            (r#""payment.authorised" = { roughly = true }"#, "no operator"),
            (r#""payment.authorised" = []"#, "no value"),
        ] {
            let refused = condition(when).unwrap_err();
            assert!(refused.detail.contains(said), "{when}: {}", refused.detail);
        }
    }
}
