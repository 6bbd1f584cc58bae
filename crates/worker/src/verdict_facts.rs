//! The facts of a verdict as text, so that it can be replayed, tried with another pack, or compared later.

use std::borrow::Cow;

use onus_liability::{Fact, Facts, Value, fact_id};
use onus_model::{Grade, Instant};
use onus_store::{StoreError, Tx, rejudgements};

/// Name, value, source, grade, time at which it became known.
type Told<'a> = (Cow<'a, str>, Cow<'a, str>, Cow<'a, str>, Option<Grade>, Option<i64>);

/// Facts as JSON: a list of lists.
pub(crate) fn encode(facts: &Facts) -> String {
    let told: Vec<Told<'_>> = facts
        .iter()
        .map(|(name, fact)| {
            let (value, since) = (fact.value.text(name.kind), fact.known_at.map(|at| at.0));
            (Cow::from(name.name), Cow::from(value), Cow::from(&fact.source), fact.grade, since)
        })
        .collect();
    serde_json::to_string(&told).unwrap_or_default()
}

/// Reads what [`encode`] wrote. A fact that this program no longer knows is left out: no table can test it.
pub(crate) fn decode(text: &str) -> Result<Facts, StoreError> {
    let told: Vec<Told<'_>> = serde_json::from_str(text)
        .map_err(|error| StoreError::Damaged { what: "facts of a verdict", detail: error.to_string() })?;
    let mut facts = Facts::default();
    for (name, value, source, grade, since) in told {
        let Some((id, known)) = fact_id(&name).and_then(|id| Some((id, onus_liability::fact_of(id)?))) else {
            continue;
        };
        let Some(value) = Value::of_text(known.kind, &value) else { continue };
        facts.put(id, Fact { value, source: source.into_owned(), grade, known_at: since.map(Instant) });
    }
    Ok(facts)
}

/// The facts that one revision of a verdict was decided from; none for verdicts of older programs.
///
/// # Errors
/// When the store fails.
pub fn facts_of_verdict(
    tx: &mut Tx<'_>,
    tenant: &str,
    payment_id: &str,
    kind: &str,
    revision: i64,
) -> Result<Option<Facts>, StoreError> {
    let row = rejudgements::facts_of(tx, tenant, payment_id, kind, revision)?;
    row.map(|row| decode(&row.facts)).transpose()
}

/// Facts that differ between two sets, each as `name: was -> is`.
pub(crate) fn differing(was: &Facts, is: &Facts) -> Vec<String> {
    let shown = |facts: &Facts, name: &str, kind| {
        facts.get(name).map_or_else(|| "?".to_owned(), |fact: &Fact| fact.value.text(kind))
    };
    let mut names: Vec<_> = was.iter().chain(is.iter()).map(|(name, _)| (name.name, name.kind)).collect();
    names.sort_unstable_by_key(|(name, _)| *name);
    names.dedup_by_key(|(name, _)| *name);
    let both = names.into_iter().map(|(name, kind)| (name, shown(was, name, kind), shown(is, name, kind)));
    both.filter(|(_, was, is)| was != is).map(|(name, was, is)| format!("{name}: {was} -> {is}")).collect()
}

#[cfg(test)]
mod tests {
    use onus_liability::{Pack, facts_sha256};

    use super::*;

    #[test]
    fn facts_come_back_as_they_were() {
        for pack in [Pack::builtin_cn().unwrap(), Pack::builtin_intl().unwrap()] {
            for case in pack.cases() {
                let back = decode(&encode(&case.facts)).unwrap();
                assert_eq!(facts_sha256(&back), facts_sha256(&case.facts), "{}", case.id);
                assert_eq!(back, case.facts, "{}", case.id);
            }
        }
        assert!(decode("{").is_err());
        assert!(decode(r#"[["no.such","1","x",null,null]]"#).unwrap().is_empty());
    }

    #[test]
    fn what_differs_is_named() {
        let (mut was, mut is) = (Facts::default(), Facts::default());
        was.yes("wire.sent", true, "a");
        was.yes("wire.answered", false, "a");
        is.yes("wire.sent", true, "another file");
        is.yes("wire.answered", true, "b");
        is.word("slip.state", "missing", "c");
        assert_eq!(differing(&was, &is), ["slip.state: ? -> missing", "wire.answered: false -> true"]);
    }
}
