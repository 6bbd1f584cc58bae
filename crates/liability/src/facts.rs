//! Facts of one exception.

use std::collections::BTreeMap;

use onus_model::{FactUsed, FactValue};

use crate::vocabulary::{FactKind, lookup};

/// A value with the record that proves it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    /// Its value.
    pub value: FactValue,
    /// `FILE@OFFSET` of the record, or `measured:` and how.
    pub source: String,
}

/// Facts by name. What is not there is unknown.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts(BTreeMap<&'static str, Fact>);

impl Facts {
    /// Adds a yes-or-no fact. A name outside the vocabulary, or of another type, is left out: tables could never test it.
    pub fn yes(&mut self, name: &'static str, value: bool, source: &str) {
        if lookup(name).is_some_and(|known| known.kind == FactKind::Bool) {
            self.0.insert(name, Fact { value: FactValue::Bool(value), source: source.to_owned() });
        } else {
            debug_assert!(false, "{name} is no yes-or-no fact of the vocabulary");
        }
    }

    /// Adds a word or code. A word outside its closed list is left out.
    pub fn word(&mut self, name: &'static str, value: &str, source: &str) {
        let fits = lookup(name).is_some_and(|known| match known.kind {
            FactKind::Bool => false,
            FactKind::Code => true,
            FactKind::Word(words) => words.contains(&value),
        });
        debug_assert!(fits, "{name} cannot be {value}");
        if fits {
            self.0.insert(name, Fact { value: FactValue::Word(value.to_owned()), source: source.to_owned() });
        }
    }

    /// A fact.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Fact> {
        self.0.get(name)
    }

    /// All facts, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &Fact)> {
        self.0.iter().map(|(name, fact)| (*name, fact))
    }

    /// A fact with its name, for a finding or reason.
    #[must_use]
    pub fn used(&self, name: &str) -> Option<FactUsed> {
        let fact = self.get(name)?;
        Some(FactUsed { name: name.to_owned(), value: fact.value.clone(), source: fact.source.clone() })
    }
}
