//! Reason codes of the networks: the facts that a chargeback under a code yields, who must prove what, and by when.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use onus_model::{Grade, Party, Text};
use serde::Deserialize;

use crate::facts::Facts;
use crate::limits::{Limit, LimitOf};
use crate::pack::VerifiedBy;
use crate::value::RawValue;
use crate::vocabulary::{fact_id, fact_of};

/// Who must prove what.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MustProve {
    /// Who.
    pub by: Party,
    /// Fact of the vocabulary that it would establish.
    pub fact: String,
    /// In words.
    pub text: Text,
}

/// Times of a procedure, each in the notation of rule packs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReasonTimes {
    /// To raise the chargeback, from the payment.
    pub file_within: String,
    /// To answer it, which is to present again.
    pub answer_within: String,
    /// For the second round.
    pub second_within: String,
    /// To go to arbitration.
    pub arbitration_within: String,
}

/// A reason code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReasonCode {
    /// `visa`, `mastercard` or `unionpay`.
    pub network: String,
    /// The network's name.
    pub network_title: Text,
    /// Code.
    pub code: String,
    /// Name.
    pub title: Text,
    /// Family.
    pub family: String,
    /// The family's name.
    pub family_title: Text,
    /// Ground of the dispute, a word of `dispute.ground`.
    pub ground: String,
    /// `card_present` or `card_not_present`, where the code says so.
    pub channel: Option<String>,
    /// Times.
    pub times: ReasonTimes,
    /// Who must prove what.
    pub prove: Vec<MustProve>,
    /// Where the times come from.
    pub source: String,
    /// How far they can be trusted.
    pub grade: Grade,
    /// Two people who compared the times with the primary text.
    pub verified_by: Option<VerifiedBy>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    id: String,
    #[serde(rename = "version")]
    _version: String,
    network: BTreeMap<String, NetworkToml>,
    family: BTreeMap<String, FamilyToml>,
    reason: Vec<ReasonToml>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NetworkToml {
    title: Text,
    file_within: String,
    answer_within: String,
    second_within: String,
    arbitration_within: String,
    source: String,
    grade: Grade,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FamilyToml {
    title: Text,
    prove: Vec<MustProve>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ReasonToml {
    network: String,
    code: String,
    family: String,
    ground: String,
    channel: Option<String>,
    file_within: Option<String>,
    answer_within: Option<String>,
    source: Option<String>,
    grade: Option<Grade>,
    verified_by: Option<VerifiedBy>,
    title: Text,
}

/// The codes that Onus ships, with the id of their set. A test proves that they load.
static SHIPPED: LazyLock<(String, Vec<ReasonCode>)> =
    LazyLock::new(|| load(include_str!("../../../packs/schemes-1/reasons.toml")).unwrap_or_default());

fn load(text: &str) -> Result<(String, Vec<ReasonCode>), String> {
    let file: File = toml::from_str(text).map_err(|error| error.to_string())?;
    let codes: Result<Vec<_>, String> = file.reason.iter().map(|raw| read(raw, &file)).collect();
    Ok((file.id, codes?))
}

fn read(raw: &ReasonToml, file: &File) -> Result<ReasonCode, String> {
    let name = format!("reason {} {}", raw.network, raw.code);
    let network = file.network.get(&raw.network).ok_or_else(|| format!("{name}: unknown network"))?;
    let family = file.family.get(&raw.family).ok_or_else(|| format!("{name}: unknown family {:?}", raw.family))?;
    for (fact, word) in [("dispute.ground", Some(&raw.ground)), ("payment.channel", raw.channel.as_ref())] {
        let Some(word) = word else { continue };
        Facts::default()
            .tell(fact, &RawValue::Text(word.clone()), &name)
            .map_err(|error| format!("{name}: {error}"))?;
    }
    if let Some(proof) = family.prove.iter().find(|proof| fact_id(&proof.fact).is_none()) {
        return Err(format!("{name}: {:?} is not in the fact vocabulary", proof.fact));
    }
    Ok(ReasonCode {
        network: raw.network.clone(),
        network_title: network.title.clone(),
        code: raw.code.clone(),
        title: raw.title.clone(),
        family: raw.family.clone(),
        family_title: family.title.clone(),
        ground: raw.ground.clone(),
        channel: raw.channel.clone(),
        times: ReasonTimes {
            file_within: raw.file_within.clone().unwrap_or_else(|| network.file_within.clone()),
            answer_within: raw.answer_within.clone().unwrap_or_else(|| network.answer_within.clone()),
            second_within: network.second_within.clone(),
            arbitration_within: network.arbitration_within.clone(),
        },
        prove: family.prove.clone(),
        source: raw.source.clone().unwrap_or_else(|| network.source.clone()),
        grade: raw.grade.unwrap_or(network.grade),
        verified_by: raw.verified_by.clone(),
    })
}

/// All reason codes that Onus ships.
#[must_use]
pub fn reasons() -> &'static [ReasonCode] {
    &SHIPPED.1
}

/// A code, of a network when that is known. A code that two networks use is nobody's without it.
#[must_use]
pub fn reason_code(network: Option<&str>, code: &str) -> Option<&'static ReasonCode> {
    let mut found = reasons().iter().filter(|one| one.code == code && network.is_none_or(|known| known == one.network));
    let first = found.next()?;
    found.next().is_none().then_some(first)
}

/// The code that facts name.
#[must_use]
pub fn reason_of(facts: &Facts) -> Option<&'static ReasonCode> {
    let text = |name: &str| {
        let kind = fact_of(fact_id(name)?)?.kind;
        facts.get(name).map(|fact| fact.value.text(kind))
    };
    reason_code(text("dispute.network").as_deref(), &text("dispute.reason")?)
}

/// The facts with what the code of their chargeback says, where nothing is known from elsewhere: the network, the ground,
/// the channel, and that the payment was charged back.
pub fn tell_reason(facts: &mut Facts) {
    let Some(reason) = reason_of(facts) else { return };
    let source = format!("reason code {} {} ({})", reason.network, reason.code, SHIPPED.0);
    let channel = reason.channel.as_deref();
    let told = [
        ("dispute.network", Some(reason.network.as_str())),
        ("dispute.ground", Some(reason.ground.as_str())),
        ("payment.channel", channel),
        ("event.kind", Some("charged_back")),
    ];
    for (name, word) in told {
        if let Some(word) = word.filter(|_| facts.get(name).is_none()) {
            facts.word(name, word, &source);
        }
    }
}

impl ReasonCode {
    /// Its times as one limit.
    #[must_use]
    pub fn limit(&self) -> Limit {
        let ReasonTimes { file_within, answer_within, second_within, arbitration_within } = &self.times;
        let value = format!(
            "file {file_within}; answer {answer_within}; second {second_within}; arbitration {arbitration_within}"
        );
        let row = format!("{}-{}", self.network, self.code);
        let limit = Limit::new(
            &SHIPPED.0,
            LimitOf::Reason,
            &row,
            &Text {
                zh: format!("{} {} {}", self.network_title.zh, self.code, self.title.zh),
                en: format!("{} {} {}", self.network_title.en, self.code, self.title.en),
            },
            value,
            (self.source.as_str(), self.grade),
        );
        Limit { verified_by: self.verified_by.clone(), ..limit }
    }

    /// Who still has to prove what, given what is known.
    pub fn open_proofs<'r>(&'r self, facts: &'r Facts) -> impl Iterator<Item = &'r MustProve> {
        self.prove.iter().filter(|proof| facts.get(&proof.fact).is_none())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_codes_load_and_each_has_a_limit() {
        let (id, codes) = load(include_str!("../../../packs/schemes-1/reasons.toml")).unwrap();
        assert_eq!((id.as_str(), codes.len() > 50), ("schemes-1", true));
        let mut ids: Vec<String> = codes.iter().map(|code| code.limit().id).collect();
        ids.dedup();
        assert_eq!(ids.len(), codes.len());
        for code in &codes {
            assert!(!code.source.is_empty() && !code.prove.is_empty(), "{code:?}");
            assert_eq!(reason_code(Some(&code.network), &code.code), Some(code));
        }
        let manual = codes.iter().filter(|code| code.limit().waits()).count();
        assert_eq!(manual, codes.iter().filter(|code| matches!(code.grade, Grade::T | Grade::B)).count());
    }

    /// Network and code, then ground and channel.
    #[test]
    fn a_code_yields_facts_and_never_replaces_one() {
        let table = [
            ("visa", "10.4", Some(("denied_by_holder", Some("card_not_present")))),
            ("mastercard", "4870", Some(("counterfeit", Some("card_present")))),
            ("", "13.1", Some(("goods_or_service", None))),
            ("unionpay", "4512", Some(("duplicate", None))),
            ("visa", "4512", None),
            ("", "0000", None),
        ];
        for (network, code, expected) in table {
            let mut facts = Facts::default();
            if !network.is_empty() {
                facts.word("dispute.network", network, "notice");
            }
            facts.word("dispute.reason", code, "notice");
            tell_reason(&mut facts);
            let text =
                |name: &str| facts.get(name).map(|fact| fact.value.text(fact_of(fact_id(name).unwrap()).unwrap().kind));
            let told = text("dispute.ground").map(|ground| (ground, text("payment.channel")));
            let expected = expected.map(|(ground, channel)| (ground.to_owned(), channel.map(str::to_owned)));
            assert_eq!(told, expected, "{network} {code}");
        }
        let mut facts = Facts::default();
        facts.word("dispute.reason", "10.4", "notice");
        facts.word("payment.channel", "card_present", "journal@9");
        tell_reason(&mut facts);
        assert_eq!(facts.get("payment.channel").unwrap().source, "journal@9");
    }

    #[test]
    fn a_broken_set_is_refused_with_its_code() {
        let text = include_str!("../../../packs/schemes-1/reasons.toml");
        for (from, to, expected) in [
            ("family = \"fraud_absent\"", "family = \"magic\"", "reason visa 10.4: unknown family \"magic\""),
            ("ground = \"late\"", "ground = \"tardy\"", "reason visa 12.1: dispute.ground: expected one of"),
            ("fact = \"payment.pin_verified\"", "fact = \"no.such\"", "reason visa 10.1: \"no.such\" is not in the"),
        ] {
            let refused = load(&text.replacen(from, to, 1)).unwrap_err();
            assert!(refused.starts_with(expected), "{refused}");
        }
    }
}
