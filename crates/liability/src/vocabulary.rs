//! The closed vocabulary of facts that tables may test, read from `packs/facts-1/facts.toml`.

use std::collections::BTreeMap;
use std::ops::Deref;
use std::sync::LazyLock;

use onus_model::{Party, Text};
use serde::Deserialize;

use crate::value::{RawValue, Value};

/// Place of a fact in the vocabulary; facts stand in the order of their names.
pub type FactId = u16;

/// Type of a fact's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FactKind {
    /// Yes or no.
    Bool,
    /// A code or free word.
    Code,
    /// One word of a closed list.
    Word(&'static [&'static str]),
    /// One party.
    Party,
    /// A list of parties.
    Parties,
    /// Minor units of a currency.
    Money,
    /// A percentage.
    Percent,
    /// A day, month or year.
    Date,
    /// A length of time.
    Duration,
    /// A country code of two letters.
    Country,
}

/// How a fact comes to be known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Establishing {
    /// Computed from Onus's own records.
    Measured,
    /// Copied from a document or message that one party holds.
    Record,
    /// Stated by a person on evidence.
    Finding,
}

/// A fact that Onus knows how to establish.
#[derive(Debug, Clone)]
pub struct FactName {
    /// Name in tables.
    pub name: &'static str,
    /// Type of its value.
    pub kind: FactKind,
    /// How it comes to be known.
    pub establishing: Establishing,
    /// Who can supply it.
    pub ask: Party,
    /// What asking for it costs, beside other facts.
    pub cost: u32,
    /// 中文.
    pub zh: &'static str,
    /// English.
    pub en: &'static str,
    /// A value that speaks for a party.
    pub exculpates: Option<(Value, Party)>,
}

/// All facts, and the names of the parties.
#[derive(Debug, Default)]
pub struct Vocabulary {
    facts: Vec<FactName>,
    parties: BTreeMap<Party, PartyName>,
}

/// The vocabulary that Onus ships. A test proves that it loads; were it damaged, it would be empty and no pack would load.
pub static VOCABULARY: LazyLock<Vocabulary> =
    LazyLock::new(|| Vocabulary::load(include_str!("../../../packs/facts-1/facts.toml")).unwrap_or_default());

/// What a party is called.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct PartyName {
    zh: String,
    en: String,
    /// Another word for the same role in files of cases.
    alias: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct VocabularyFile {
    #[serde(rename = "id")]
    _id: String,
    #[serde(rename = "version")]
    _version: String,
    cost: Costs,
    party: BTreeMap<Party, PartyName>,
    fact: Vec<FactToml>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Costs {
    measured: u32,
    record: u32,
    finding: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FactToml {
    name: String,
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    values: Vec<String>,
    #[serde(rename = "kind")]
    establishing: Establishing,
    ask: Party,
    zh: String,
    en: String,
    exculpates: Option<ExculpatesToml>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ExculpatesToml {
    value: RawValue,
    party: Party,
}

impl Vocabulary {
    /// Reads a vocabulary. Its texts stay in memory for the life of the program.
    fn load(text: &str) -> Result<Self, String> {
        let file: VocabularyFile = toml::from_str(text).map_err(|error| error.to_string())?;
        let facts: Result<Vec<_>, _> = file.fact.into_iter().map(|row| fact_name(row, &file.cost)).collect();
        let mut vocabulary = Self { facts: facts?, parties: file.party };
        vocabulary.facts.sort_by_key(|fact| fact.name);
        match vocabulary.facts.windows(2).find(|pair| matches!(pair, [a, b] if a.name == b.name)) {
            Some(twice) => Err(format!("{:?} stands twice", twice.first().map(|fact| fact.name))),
            None => Ok(vocabulary),
        }
    }

    /// What a party is called.
    #[must_use]
    pub fn party(&self, party: Party) -> Text {
        self.parties.get(&party).map_or_else(Text::default, |name| Text { zh: name.zh.clone(), en: name.en.clone() })
    }

    /// The party of a word, also of another word for it.
    #[must_use]
    pub fn party_of(&self, word: &str) -> Option<Party> {
        Party::parse(word).or_else(|| {
            self.parties.iter().find(|(_, name)| name.alias.as_deref() == Some(word)).map(|(party, _)| *party)
        })
    }

    /// The other word for a party.
    #[must_use]
    pub fn alias(&self, party: Party) -> Option<&str> {
        self.parties.get(&party)?.alias.as_deref()
    }
}

impl Deref for Vocabulary {
    type Target = [FactName];

    fn deref(&self) -> &Self::Target {
        &self.facts
    }
}

fn fact_name(row: FactToml, cost: &Costs) -> Result<FactName, String> {
    let words = || -> &'static [&'static str] {
        row.values.iter().map(|word| &*word.clone().leak()).collect::<Vec<&'static str>>().leak()
    };
    let kind = match row.kind.as_str() {
        "bool" => FactKind::Bool,
        "code" => FactKind::Code,
        "word" if (1..=60).contains(&row.values.len()) => FactKind::Word(words()),
        "party" => FactKind::Party,
        "parties" => FactKind::Parties,
        "money" => FactKind::Money,
        "percent" => FactKind::Percent,
        "date" => FactKind::Date,
        "duration" => FactKind::Duration,
        "country" => FactKind::Country,
        other => {
            return Err(format!("{}: {other:?} is no type of facts, or a word without its 1 to 60 values", row.name));
        }
    };
    let mut fact = FactName {
        name: row.name.leak(),
        kind,
        establishing: row.establishing,
        ask: row.ask,
        cost: match row.establishing {
            Establishing::Measured => cost.measured,
            Establishing::Record => cost.record,
            Establishing::Finding => cost.finding,
        },
        zh: row.zh.leak(),
        en: row.en.leak(),
        exculpates: None,
    };
    if let Some(known) = row.exculpates {
        let value = Value::read(fact.kind, &known.value).map_err(|detail| format!("{}: {detail}", fact.name))?;
        fact.exculpates = value.map(|value| (value, known.party));
    }
    Ok(fact)
}

/// The place of a fact in the vocabulary.
#[must_use]
pub fn fact_id(name: &str) -> Option<FactId> {
    let place = VOCABULARY.binary_search_by(|fact| fact.name.cmp(name)).ok()?;
    FactId::try_from(place).ok()
}

/// The fact of a place.
#[must_use]
pub fn fact_of(id: FactId) -> Option<&'static FactName> {
    VOCABULARY.get(usize::from(id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_vocabulary_loads() {
        let loaded = Vocabulary::load(include_str!("../../../packs/facts-1/facts.toml")).unwrap();
        assert_eq!(loaded.len(), VOCABULARY.len());
        assert!(loaded.len() > 100, "{}", loaded.len());
        for party in Party::ALL {
            assert!(!VOCABULARY.party(*party).zh.is_empty(), "{party} has no name");
        }
        assert!(VOCABULARY.iter().all(|fact| !fact.zh.is_empty() && !fact.en.is_empty()));
        assert_eq!(VOCABULARY.party_of("terminal_vendor"), Some(Party::Producer));
    }

    /// The published cases are coded in a vocabulary of their own; ours holds all of it.
    #[test]
    fn holds_the_vocabulary_of_the_published_cases() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/benchmarks/cases/facts.toml");
        let Ok(text) = std::fs::read_to_string(path) else {
            println!("../shared is not here: the vocabulary of the published cases is not compared");
            return;
        };
        let theirs: toml::Table = toml::from_str(&text).unwrap();
        for fact in theirs["fact"].as_array().unwrap() {
            let name = fact["name"].as_str().unwrap();
            let ours = &VOCABULARY[usize::from(fact_id(name).unwrap_or_else(|| panic!("{name} is missing")))];
            if let (FactKind::Word(words), Some(values)) = (ours.kind, fact.get("values")) {
                let values: Vec<_> = values.as_array().unwrap().iter().map(|word| word.as_str().unwrap()).collect();
                assert_eq!(words, values, "{name}");
            }
        }
    }
}
