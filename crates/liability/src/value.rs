//! Values of facts, as tables and files write them.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use onus_model::{FactValue, Party};
use serde::Deserialize;

use crate::vocabulary::{FactKind, VOCABULARY};

/// A value as it stands in TOML or JSON.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(untagged)]
pub enum RawValue {
    /// `true`, `false`.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A number with a fraction.
    Float(f64),
    /// Text.
    Text(String),
    /// A list.
    List(Vec<RawValue>),
    /// A table.
    Table(BTreeMap<String, RawValue>),
}

/// A set of parties.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct PartySet(u16);

impl PartySet {
    /// No party.
    pub const EMPTY: Self = Self(0);

    /// The set of one party.
    #[must_use]
    pub fn one(party: Party) -> Self {
        let place = Party::ALL.iter().position(|known| *known == party).unwrap_or_default();
        Self(1 << place)
    }

    /// Parties of both.
    #[must_use]
    pub const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Parties in both.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Parties of this that are not in `other`.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether a party is in it.
    #[must_use]
    pub fn has(self, party: Party) -> bool {
        !self.and(Self::one(party)).is_empty()
    }

    /// Its parties, in order.
    pub fn iter(self) -> impl Iterator<Item = Party> {
        Party::ALL.iter().copied().filter(move |party| self.has(*party))
    }

    /// As cells of a table test.
    pub(crate) fn cells(self) -> u64 {
        u64::from(self.0)
    }
}

impl FromIterator<Party> for PartySet {
    fn from_iter<T: IntoIterator<Item = Party>>(parties: T) -> Self {
        parties.into_iter().fold(Self::EMPTY, |all, party| all.or(Self::one(party)))
    }
}

/// The value of a fact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// Yes or no.
    Bool(bool),
    /// Place in the fact's closed list.
    Word(u8),
    /// A code.
    Code(Box<str>),
    /// One party or several, by the fact's type.
    Parties(PartySet),
    /// Minor units.
    Money {
        /// Amount.
        minor: i64,
        /// ISO 4217.
        currency: [u8; 3],
    },
    /// Hundredths of a percent, which are basis points.
    Percent(i64),
    /// First and last day that it may be, as YYYYMMDD.
    Date {
        /// First day.
        from: i64,
        /// Last day.
        to: i64,
    },
    /// Minutes; a month counts 30 days, a year 365.
    Duration(i64),
    /// ISO 3166, two letters.
    Country([u8; 2]),
}

impl Value {
    /// Reads a value of a type; `"unknown"` is no value.
    ///
    /// # Errors
    /// When it is not of the type; says what was expected.
    pub fn read(kind: FactKind, raw: &RawValue) -> Result<Option<Self>, String> {
        if matches!(raw, RawValue::Text(text) if text == "unknown") {
            return Ok(None);
        }
        Self::known(kind, raw).map(Some).ok_or_else(|| format!("expected {}; found {}", expected(kind), shown(raw)))
    }

    fn known(kind: FactKind, raw: &RawValue) -> Option<Self> {
        match (kind, raw) {
            (FactKind::Bool, RawValue::Bool(value)) => Some(Self::Bool(*value)),
            (FactKind::Code, RawValue::Text(text)) if !text.is_empty() => Some(Self::Code(text.as_str().into())),
            (FactKind::Word(words), RawValue::Text(text)) => {
                let place = words.iter().position(|word| word == text)?;
                u8::try_from(place).ok().map(Self::Word)
            }
            (FactKind::Party, RawValue::Text(text)) => {
                VOCABULARY.party_of(text).map(|party| Self::Parties(PartySet::one(party)))
            }
            (FactKind::Parties, RawValue::List(parties)) => {
                let read = |raw: &RawValue| match raw {
                    RawValue::Text(text) => VOCABULARY.party_of(text),
                    _ => None,
                };
                parties.iter().map(read).collect::<Option<PartySet>>().map(Self::Parties)
            }
            (FactKind::Money, RawValue::Table(table)) => money(table),
            (FactKind::Percent, RawValue::Int(whole)) => whole.checked_mul(100).map(Self::Percent),
            (FactKind::Percent, RawValue::Float(number)) => hundredths(&number.to_string()).map(Self::Percent),
            (FactKind::Date, RawValue::Text(text)) => date(text),
            (FactKind::Duration, RawValue::Text(text)) => duration(text).map(Self::Duration),
            (FactKind::Country, RawValue::Text(text)) => match *text.as_bytes() {
                [a, b] if a.is_ascii_uppercase() && b.is_ascii_uppercase() => Some(Self::Country([a, b])),
                _ => None,
            },
            _ => None,
        }
    }

    /// As it stands in files.
    #[must_use]
    pub fn text(&self, kind: FactKind) -> String {
        match self {
            Self::Bool(value) => value.to_string(),
            Self::Word(place) => match kind {
                FactKind::Word(words) => words.get(usize::from(*place)).copied().unwrap_or_default().to_owned(),
                _ => String::new(),
            },
            Self::Code(code) => code.to_string(),
            Self::Parties(parties) => parties.iter().map(Party::as_str).collect::<Vec<_>>().join("+"),
            Self::Money { minor, currency } => format!("{minor} {}", String::from_utf8_lossy(currency)),
            Self::Percent(hundredths) => percent_text(*hundredths),
            Self::Date { from, to } if from == to => day_text(*from),
            Self::Date { from, to } => format!("{}..{}", day_text(*from), day_text(*to)),
            Self::Duration(minutes) => format!("PT{minutes}M"),
            Self::Country(code) => String::from_utf8_lossy(code).into_owned(),
        }
    }

    /// Reads what [`Self::text`] wrote.
    #[must_use]
    pub fn of_text(kind: FactKind, text: &str) -> Option<Self> {
        match kind {
            FactKind::Bool => text.parse().ok().map(Self::Bool),
            FactKind::Parties => {
                let words = text.split('+').filter(|word| !word.is_empty());
                words.map(|word| VOCABULARY.party_of(word)).collect::<Option<PartySet>>().map(Self::Parties)
            }
            FactKind::Money => {
                let (minor, currency) = text.split_once(' ')?;
                Some(Self::Money { minor: minor.parse().ok()?, currency: currency.as_bytes().try_into().ok()? })
            }
            FactKind::Percent => hundredths(text).map(Self::Percent),
            FactKind::Date => {
                let Some((from, to)) = text.split_once("..") else { return date(text) };
                match (date(from)?, date(to)?) {
                    (Self::Date { from, .. }, Self::Date { to, .. }) => Some(Self::Date { from, to }),
                    _ => None,
                }
            }
            _ => Self::known(kind, &RawValue::Text(text.to_owned())),
        }
    }

    /// As findings and reasons carry it.
    #[must_use]
    pub fn for_verdict(&self, kind: FactKind) -> FactValue {
        match self {
            Self::Bool(value) => FactValue::Bool(*value),
            _ => FactValue::Word(self.text(kind)),
        }
    }
}

fn expected(kind: FactKind) -> String {
    let text = match kind {
        FactKind::Bool => "true or false",
        FactKind::Code => "a code in quotes",
        FactKind::Word(words) => return format!("one of {}", words.join(", ")),
        FactKind::Party => "a party",
        FactKind::Parties => "a list of parties",
        FactKind::Money => "{ minor, currency } with whole minor units and a currency of three letters",
        FactKind::Percent => "a percentage with at most two decimals",
        FactKind::Date => "a date YYYY, YYYY-MM or YYYY-MM-DD in quotes",
        FactKind::Duration => "an ISO 8601 duration such as P3D",
        FactKind::Country => "two capital letters of ISO 3166",
    };
    text.to_owned()
}

fn shown(raw: &RawValue) -> String {
    match raw {
        RawValue::Bool(value) => value.to_string(),
        RawValue::Int(value) => value.to_string(),
        RawValue::Float(value) => value.to_string(),
        RawValue::Text(text) => format!("{text:?}"),
        RawValue::List(list) => format!("[{}]", list.iter().map(shown).collect::<Vec<_>>().join(", ")),
        RawValue::Table(table) => {
            let mut text = String::from("{");
            for (name, value) in table {
                let _ = write!(text, " {name} = {}", shown(value));
            }
            text + " }"
        }
    }
}

fn money(table: &BTreeMap<String, RawValue>) -> Option<Value> {
    match (table.len(), table.get("minor")?, table.get("currency")?) {
        (2, RawValue::Int(minor), RawValue::Text(code)) if code.bytes().all(|byte| byte.is_ascii_uppercase()) => {
            Some(Value::Money { minor: *minor, currency: code.as_bytes().try_into().ok()? })
        }
        _ => None,
    }
}

/// Decimal text with at most two decimals, times a hundred.
fn hundredths(text: &str) -> Option<i64> {
    let (whole, rest) = text.split_once('.').unwrap_or((text, ""));
    let cents: i64 = match rest.len() {
        0 => 0,
        1 => rest.parse::<i64>().ok()?.checked_mul(10)?,
        2 => rest.parse().ok()?,
        _ => return None,
    };
    let whole: i64 = whole.parse().ok()?;
    whole.checked_mul(100)?.checked_add(if text.starts_with('-') { -cents } else { cents })
}

fn percent_text(hundredths: i64) -> String {
    let (whole, cents) = (hundredths / 100, (hundredths % 100).abs());
    if cents == 0 { format!("{whole}") } else { format!("{whole}.{cents:02}") }
}

fn day_text(day: i64) -> String {
    format!("{:04}-{:02}-{:02}", day / 10_000, day / 100 % 100, day % 100)
}

/// A year or month covers all its days: what is not said is not assumed.
fn date(text: &str) -> Option<Value> {
    let digits = |part: &str, len: usize| -> Option<i64> {
        (part.len() == len && part.bytes().all(|byte| byte.is_ascii_digit())).then(|| part.parse().ok()).flatten()
    };
    let mut parts = text.split('-');
    let year = digits(parts.next()?, 4)?;
    let month = parts.next().map(|part| digits(part, 2));
    let day = parts.next().map(|part| digits(part, 2));
    if parts.next().is_some() {
        return None;
    }
    let start = year.checked_mul(10_000)?;
    match (month, day) {
        (None, None) => Some(Value::Date { from: start + 101, to: start + 1231 }),
        (Some(month), None) => {
            let month = month.filter(|month| (1..=12).contains(month))?;
            Some(Value::Date { from: start + month * 100 + 1, to: start + month * 100 + 31 })
        }
        (Some(month), Some(day)) => {
            let (month, day) = (month.filter(|m| (1..=12).contains(m))?, day.filter(|d| (1..=31).contains(d))?);
            let exact = start + month * 100 + day;
            Some(Value::Date { from: exact, to: exact })
        }
        (None, Some(_)) => None,
    }
}

/// Minutes of an ISO 8601 duration; seconds are dropped.
fn duration(text: &str) -> Option<i64> {
    let rest = text.strip_prefix('P').filter(|rest| !rest.is_empty())?;
    let (days, time) = rest.split_once('T').map_or((rest, None), |(days, time)| (days, Some(time)));
    let day = 24 * 60;
    let of_days = units(days, &[('Y', 365 * day), ('M', 30 * day), ('W', 7 * day), ('D', day)])?;
    let of_time = match time {
        Some("") => return None,
        Some(time) => units(time, &[('H', 60), ('M', 1), ('S', 0)])?,
        None => 0,
    };
    of_days.checked_add(of_time)
}

/// Sum of numbers with units, which stand in the given order.
fn units(text: &str, known: &[(char, i64)]) -> Option<i64> {
    let (mut rest, mut sum) = (text, 0_i64);
    for (unit, minutes) in known {
        if let Some((number, after)) = rest.split_once(*unit) {
            sum = sum.checked_add(number.parse::<u32>().ok().map(i64::from)?.checked_mul(*minutes)?)?;
            rest = after;
        }
    }
    rest.is_empty().then_some(sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_read_and_print() {
        let text = |text: &str| RawValue::Text(text.to_owned());
        let words: &[&str] = &["a", "b"];
        let table: [(FactKind, RawValue, &str); 13] = [
            (FactKind::Bool, RawValue::Bool(true), "true"),
            (FactKind::Word(words), text("b"), "b"),
            (FactKind::Code, text("A0"), "A0"),
            (FactKind::Party, text("issuer"), "issuer"),
            (FactKind::Party, text("terminal_vendor"), "producer"),
            (FactKind::Parties, RawValue::List(vec![text("issuer"), text("merchant")]), "merchant+issuer"),
            (FactKind::Percent, RawValue::Int(20), "20"),
            (FactKind::Percent, RawValue::Float(12.5), "12.50"),
            (FactKind::Date, text("2014-09"), "2014-09-01..2014-09-31"),
            (FactKind::Date, text("2014-09-03"), "2014-09-03"),
            (FactKind::Duration, text("P1DT2H"), "PT1560M"),
            (FactKind::Country, text("CN"), "CN"),
            (
                FactKind::Money,
                RawValue::Table(BTreeMap::from([
                    ("minor".to_owned(), RawValue::Int(-5)),
                    ("currency".to_owned(), text("CNY")),
                ])),
                "-5 CNY",
            ),
        ];
        for (kind, raw, shown) in table {
            let value = Value::read(kind, &raw).unwrap().unwrap();
            assert_eq!(value.text(kind), shown, "{raw:?}");
            assert_eq!(Value::of_text(kind, shown), Some(value), "{shown}");
        }
        assert_eq!(Value::read(FactKind::Bool, &text("unknown")), Ok(None));
    }

    #[test]
    fn other_types_are_refused() {
        let text = |text: &str| RawValue::Text(text.to_owned());
        let table = [
            (FactKind::Bool, text("yes")),
            (FactKind::Word(&["a"]), text("b")),
            (FactKind::Party, text("bank")),
            (FactKind::Date, text("2014-13")),
            (FactKind::Date, text("14")),
            (FactKind::Duration, text("3D")),
            (FactKind::Duration, text("PT")),
            (FactKind::Country, text("cn")),
            (FactKind::Percent, text("20")),
            (FactKind::Money, RawValue::Int(5)),
        ];
        for (kind, raw) in table {
            let refused = Value::read(kind, &raw).unwrap_err();
            assert!(refused.contains("expected"), "{refused}");
        }
    }
}
