//! Who owes, is owed or bears.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::LedgerError;

const FORM: &str = "a party: role or role:id, role in lower-case letters, id in letters, digits, '-', '_', '.'";

/// A party as text: `acquirer`, `agent:A0301`, `merchant:899543000001234`.
///
/// The acquirer is the tenant itself and needs no id.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Party(String);

impl Party {
    /// A party of a role, by its id within the role.
    ///
    /// # Errors
    /// When role or id hold other characters than the form allows.
    pub fn new(role: &str, id: &str) -> Result<Self, LedgerError> {
        format!("{role}:{id}").parse()
    }

    /// The acquirer: the tenant whose books these are.
    #[must_use]
    pub fn acquirer() -> Self {
        Self("acquirer".to_owned())
    }

    /// The role: `acquirer`, `agent`, `merchant`, ...
    #[must_use]
    pub fn role(&self) -> &str {
        self.0.split_once(':').map_or(self.0.as_str(), |(role, _)| role)
    }

    /// The id within the role, if it has one.
    #[must_use]
    pub fn id(&self) -> Option<&str> {
        self.0.split_once(':').map(|(_, id)| id)
    }

    /// The whole text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Party {
    type Err = LedgerError;

    fn from_str(text: &str) -> Result<Self, LedgerError> {
        let (role, id) = match text.split_once(':') {
            Some((role, id)) => (role, Some(id)),
            None => (text, None),
        };
        let role_fits = !role.is_empty() && role.bytes().all(|b| b.is_ascii_lowercase() || matches!(b, b'-' | b'_'));
        let id_fits = id.is_none_or(|id| {
            !id.is_empty() && id.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
        });
        if role_fits && id_fits { Ok(Self(text.to_owned())) } else { Err(LedgerError::text(text, FORM)) }
    }
}

impl fmt::Display for Party {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for Party {
    type Error = LedgerError;

    fn try_from(text: String) -> Result<Self, LedgerError> {
        text.parse()
    }
}

impl From<Party> for String {
    fn from(party: Party) -> Self {
        party.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn role_and_id() {
        let agent = Party::new("agent", "A0301").unwrap();
        assert_eq!((agent.role(), agent.id()), ("agent", Some("A0301")));
        assert_eq!(agent.to_string().parse(), Ok(agent));
        assert_eq!(Party::acquirer().role(), "acquirer");
        assert_eq!(Party::acquirer().id(), None);
        for bad in ["", ":x", "agent:", "Agent:x", "agent:a b", "agent:a:b", "代理:1"] {
            assert!(bad.parse::<Party>().is_err(), "{bad:?}");
        }
    }
}
