//! Facts of one exception or case.

use std::collections::BTreeMap;

use onus_model::{FactUsed, Grade, Instant};
use sha2::{Digest, Sha256};

use crate::value::{RawValue, Value};
use crate::vocabulary::{FactId, FactKind, FactName, fact_id, fact_of};

/// A value with the record that proves it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    /// Its value.
    pub value: Value,
    /// `FILE@OFFSET` of the record, or `measured:` and how.
    pub source: String,
    /// How far it can be trusted, when its source says so.
    pub grade: Option<Grade>,
    /// When it became known, when that is recorded.
    pub known_at: Option<Instant>,
}

/// A fact cannot be told.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FactError {
    /// No such name.
    #[error("{name:?} is not in the fact vocabulary")]
    Name {
        /// As it stands.
        name: String,
    },
    /// Another type.
    #[error("{name}: {detail}")]
    Value {
        /// Name of the fact.
        name: &'static str,
        /// What was expected and found.
        detail: String,
    },
}

/// Facts by name. What is not there is unknown.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    /// One bit for each known fact: tables mostly ask for facts that are not known.
    known: [u64; 4],
    /// In the order of the vocabulary, which is that of names.
    facts: Vec<(FactId, Fact)>,
}

impl Facts {
    /// Reads facts as a line of a file has them; `"unknown"` and a fact that is not there are the same.
    ///
    /// # Errors
    /// For the first fact that is not in the vocabulary or not of its type.
    pub fn read(raw: &BTreeMap<String, RawValue>, source: &str) -> Result<Self, FactError> {
        let mut facts = Self::default();
        for (name, raw) in raw {
            facts.tell(name, raw, source)?;
        }
        Ok(facts)
    }

    /// Adds a fact as a file has it.
    ///
    /// # Errors
    /// When it is not in the vocabulary or not of its type.
    pub fn tell(&mut self, name: &str, raw: &RawValue, source: &str) -> Result<(), FactError> {
        let unknown = || FactError::Name { name: name.to_owned() };
        let id = fact_id(name).ok_or_else(unknown)?;
        let fact = fact_of(id).ok_or_else(unknown)?;
        let value = Value::read(fact.kind, raw).map_err(|detail| FactError::Value { name: fact.name, detail })?;
        match value {
            Some(value) => self.set(id, value, source),
            None => self.forget(id),
        }
        Ok(())
    }

    /// Adds a yes-or-no fact. A name outside the vocabulary, or of another type, is left out: tables could never test it.
    pub fn yes(&mut self, name: &'static str, value: bool, source: &str) {
        let told = self.tell(name, &RawValue::Bool(value), source);
        debug_assert!(told.is_ok(), "{name} is no yes-or-no fact of the vocabulary");
    }

    /// Adds a word, code or party. A word outside its closed list is left out.
    pub fn word(&mut self, name: &'static str, value: &str, source: &str) {
        let told = self.tell(name, &RawValue::Text(value.to_owned()), source);
        debug_assert!(told.is_ok(), "{name} cannot be {value}");
    }

    /// Adds or replaces a fact. The value must be of the fact's type.
    pub fn set(&mut self, id: FactId, value: Value, source: &str) {
        self.put(id, Fact { value, source: source.to_owned(), grade: None, known_at: None });
    }

    /// Adds or replaces a fact with everything that is known about it.
    pub fn put(&mut self, id: FactId, fact: Fact) {
        match self.facts.binary_search_by_key(&id, |(known, _)| *known) {
            Ok(place) => {
                if let Some(slot) = self.facts.get_mut(place) {
                    slot.1 = fact;
                }
            }
            Err(place) => self.facts.insert(place, (id, fact)),
        }
        if let Some(word) = self.known.get_mut(usize::from(id / 64)) {
            *word |= 1 << (id % 64);
        }
    }

    /// Makes a fact unknown again.
    pub fn forget(&mut self, id: FactId) {
        self.facts.retain(|(known, _)| *known != id);
        if let Some(word) = self.known.get_mut(usize::from(id / 64)) {
            *word &= !(1 << (id % 64));
        }
    }

    /// What was known at a time: a fact learned later does not leak into an earlier verdict.
    #[must_use]
    pub fn as_of(&self, at: Instant) -> Self {
        let mut known = Self::default();
        for (id, fact) in self.facts.iter().filter(|(_, fact)| fact.known_at.is_none_or(|learned| learned <= at)) {
            known.put(*id, fact.clone());
        }
        known
    }

    /// A value, by place in the vocabulary.
    #[must_use]
    pub fn value(&self, id: FactId) -> Option<&Value> {
        self.fact(id).map(|fact| &fact.value)
    }

    fn fact(&self, id: FactId) -> Option<&Fact> {
        let word = usize::from(id / 64);
        if self.known.get(word)? & (1 << (id % 64)) == 0 {
            return None;
        }
        let place = self.facts.binary_search_by_key(&id, |(known, _)| *known).ok()?;
        self.facts.get(place).map(|(_, fact)| fact)
    }

    /// A fact, by name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Fact> {
        self.fact(fact_id(name)?)
    }

    /// All facts, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&'static FactName, &Fact)> {
        self.facts.iter().filter_map(|(id, fact)| Some((fact_of(*id)?, fact)))
    }

    /// How many facts are known.
    #[must_use]
    pub fn len(&self) -> usize {
        self.facts.len()
    }

    /// Whether nothing is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.facts.is_empty()
    }

    /// A fact with its name, for a finding or reason.
    #[must_use]
    pub fn used(&self, id: FactId) -> Option<FactUsed> {
        let (fact, name) = (self.fact(id)?, fact_of(id)?);
        Some(FactUsed {
            name: name.name.to_owned(),
            value: fact.value.for_verdict(name.kind),
            source: fact.source.clone(),
        })
    }

    /// The parties of a fact about parties; none when it is unknown.
    #[must_use]
    pub fn parties(&self, id: FactId) -> Option<crate::value::PartySet> {
        match self.value(id)? {
            Value::Parties(parties) => Some(*parties),
            _ => None,
        }
    }
}

/// Hash of the facts, in the order of their names.
#[must_use]
pub fn facts_sha256(facts: &Facts) -> String {
    let mut hash = Sha256::new();
    for (name, fact) in facts.iter() {
        let grade = fact.grade.map_or_else(String::new, |grade| format!(" {grade}"));
        let since = fact.known_at.map_or_else(String::new, |at| format!(" {}", at.0));
        hash.update(format!("{}={}@{}{grade}{since}\n", name.name, fact.value.text(name.kind), fact.source));
    }
    base16ct::lower::encode_string(&hash.finalize())
}

/// Whether a kind holds parties.
pub(crate) const fn holds_parties(kind: FactKind) -> bool {
    matches!(kind, FactKind::Party | FactKind::Parties)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_learned_later_is_unknown_before() {
        let mut facts = Facts::default();
        facts.yes("wire.sent", true, "switch@1");
        let id = fact_id("slip.state").unwrap();
        let value = Value::read(fact_of(id).unwrap().kind, &RawValue::Text("missing".to_owned())).unwrap().unwrap();
        facts.put(
            id,
            Fact { value, source: "retrieval@1".to_owned(), grade: Some(Grade::S), known_at: Some(Instant(20)) },
        );
        assert_eq!(facts.as_of(Instant(19)).len(), 1);
        assert_eq!(facts.as_of(Instant(20)), facts);
        assert_ne!(facts_sha256(&facts.as_of(Instant(19))), facts_sha256(&facts));
    }

    #[test]
    fn the_order_of_telling_does_not_matter() {
        let (mut one, mut other) = (Facts::default(), Facts::default());
        one.yes("wire.sent", true, "a");
        one.word("code.value", "96", "b");
        other.word("code.value", "96", "b");
        other.yes("wire.sent", true, "a");
        assert_eq!(one, other);
        assert_eq!(facts_sha256(&one), facts_sha256(&other));
        assert!(one.get("wire.answered").is_none());
    }

    #[test]
    fn unknown_is_no_value() {
        let raw = BTreeMap::from([("payment.authorised".to_owned(), RawValue::Text("unknown".to_owned()))]);
        assert!(Facts::read(&raw, "line 1").unwrap().is_empty());
        let raw = BTreeMap::from([("no.such".to_owned(), RawValue::Bool(true))]);
        assert!(Facts::read(&raw, "line 1").is_err());
    }
}
