//! The body of an evidence entry: a whole decision, as the worker wrote it.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

/// A text in both languages.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub(crate) struct TwoTexts {
    pub(crate) zh: String,
    pub(crate) en: String,
}

/// What is read of a verdict; the columns of the exception have the rest.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct VerdictBody {
    pub(crate) rule_title: TwoTexts,
    pub(crate) pack: Pack,
    pub(crate) findings: Vec<Finding>,
    pub(crate) reasons: Vec<Reason>,
    pub(crate) would_change: Vec<WouldChange>,
    pub(crate) agent: AgentAnswer,
    pub(crate) obligations: Vec<Obligation>,
}

/// The rule pack that decided.
#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub(crate) struct Pack {
    id: String,
    version: String,
    sha256: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Finding {
    pub(crate) cause: String,
    pub(crate) status: String,
    pub(crate) facts: Vec<Fact>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Fact {
    pub(crate) name: String,
    pub(crate) value: Value,
    pub(crate) zh: String,
    pub(crate) en: String,
    pub(crate) source: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Reason {
    pub(crate) rule_id: String,
    pub(crate) text: TwoTexts,
    pub(crate) ground: Ground,
    pub(crate) facts: Vec<Fact>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Ground {
    pub(crate) text: TwoTexts,
    pub(crate) source: String,
    pub(crate) grade: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct WouldChange {
    pub(crate) fact: String,
    pub(crate) text: TwoTexts,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct AgentAnswer {
    pub(crate) basis: String,
    pub(crate) text: TwoTexts,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Obligation {
    pub(crate) duty: String,
    /// None when the rule pack does not name the duty.
    pub(crate) text: Option<TwoTexts>,
}

/// Which record says so.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct FactSource {
    file_name: String,
    line: Option<i64>,
    offset: Option<i64>,
}

impl VerdictBody {
    /// Reads the body of an entry. One that was altered may not read: then its proof fails as well, and
    /// the page must still come up to say so.
    pub(crate) fn read(index: i64, body: &[u8]) -> Self {
        serde_json::from_slice(body).unwrap_or_else(|error| {
            tracing::error!(index, %error, "an evidence entry does not read; run `onus verify`");
            Self::default()
        })
    }
}

impl Fact {
    /// The value as people read it.
    pub(crate) fn value_text(&self) -> String {
        match &self.value {
            Value::String(text) => text.clone(),
            Value::Null => String::new(),
            other => other.to_string(),
        }
    }

    /// Its name in both languages; its code where the vocabulary has none.
    pub(crate) fn names(&self) -> TwoTexts {
        let or_code = |text: &str| {
            if text.is_empty() { self.name.clone() } else { text.to_owned() }
        };
        TwoTexts { zh: or_code(&self.zh), en: or_code(&self.en) }
    }

    /// `FILE@OFFSET` as a place; none for a measurement.
    pub(crate) fn place(&self) -> Option<FactSource> {
        let (file_name, offset) = self.source.as_deref()?.rsplit_once('@')?;
        let offset = offset.parse().ok()?;
        Some(FactSource { file_name: file_name.to_owned(), line: None, offset: Some(offset) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_is_a_place_or_a_measurement() {
        let fact = |source: &str| Fact { source: Some(source.to_owned()), ..Fact::default() };
        let place = FactSource { file_name: "journal_20260921.csv".to_owned(), line: None, offset: Some(182_733) };
        assert_eq!(fact("journal_20260921.csv@182733").place(), Some(place));
        assert_eq!(fact("measured:timeouts_10min").place(), None);
        assert_eq!(fact("ops@duty").place(), None);
    }

    #[test]
    fn a_duty_without_words_and_a_damaged_body_are_read() {
        let body = VerdictBody::read(
            0,
            br#"{"obligations":[{"duty":"d","text":null}],"reasons":[{"facts":[{"name":"f","zh":""}]}]}"#,
        );
        assert_eq!((body.obligations.len(), &body.obligations[0].text), (1, &None));
        assert_eq!(body.reasons[0].facts[0].names().zh, "f");
        assert_eq!(VerdictBody::read(0, b"{\"reasons\":7").reasons.len(), 0);
    }

    #[test]
    fn values_are_shown_as_people_read_them() {
        let fact = |value: Value| Fact { value, ..Fact::default() }.value_text();
        assert_eq!(fact(Value::from("00")), "00");
        assert_eq!(fact(Value::from(12)), "12");
        assert_eq!(fact(Value::from(true)), "true");
    }
}
