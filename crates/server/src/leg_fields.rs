//! Fields that all legs of a payment should agree on, and marking those that do not.

use std::collections::BTreeSet;

use onus_intake::NamedValue;
use onus_model::{LegKind, MaskedPan};
use serde::Serialize;
use utoipa::ToSchema;

use crate::texts;

/// A named value of a record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct LegField {
    pub(crate) name: String,
    pub(crate) zh: String,
    pub(crate) en: String,
    pub(crate) value: String,
    /// Another leg says otherwise, or a break says that it should be another.
    pub(crate) differs: bool,
}

/// What a field tells, whatever the record calls it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Concept {
    Merchant,
    Amount,
    Card,
    Payee,
}

/// A field for display. Fields of captured messages that other legs also have get the other legs' name.
pub(crate) fn leg_field(named: NamedValue) -> LegField {
    let NamedValue { name, zh, en, value } = named;
    let is_message_field = name.starts_with('F') && name[1..].bytes().all(|b| b.is_ascii_digit());
    let (zh, en) = if is_message_field {
        (format!("{zh} ({name})"), format!("{en} ({name})"))
    } else {
        texts::column(&name).map_or((zh, en), |(zh, en)| (zh.to_owned(), en.to_owned()))
    };
    let name = match name.as_str() {
        "F4" => "amount_fen".to_owned(),
        "F42" => "merchant_code".to_owned(),
        "F2" => "pan_masked".to_owned(),
        _ => name,
    };
    LegField { name, zh, en, value: value.trim().to_owned(), differs: false }
}

/// What a field tells, if it is something that legs share. A payout's amount is the sum of a merchant's day.
pub(crate) fn concept(leg: LegKind, name: &str) -> Option<Concept> {
    match (name, leg) {
        ("merchant_code", _) => Some(Concept::Merchant),
        ("amount_fen", LegKind::Journal | LegKind::Switch | LegKind::Clearing) => Some(Concept::Amount),
        ("pan_masked", _) => Some(Concept::Card),
        ("payee_account" | "payee_name", LegKind::Payout) => Some(Concept::Payee),
        _ => None,
    }
}

/// The value in a form that can be compared between records; none when it says nothing.
pub(crate) fn comparable(concept: Concept, value: &str) -> Option<String> {
    match concept {
        Concept::Amount => value.parse::<i64>().ok().map(|fen| fen.to_string()),
        Concept::Card => MaskedPan::read(value.as_bytes()).map(|pan| pan.to_string()),
        Concept::Merchant | Concept::Payee => Some(value.to_owned()).filter(|it| !it.is_empty()),
    }
}

/// Marks values that some other leg, which tells the same thing, does not have.
pub(crate) fn mark_differences(legs: &mut [(LegKind, Vec<&mut LegField>)]) {
    for wanted in [Concept::Merchant, Concept::Amount, Concept::Card] {
        let told: Vec<BTreeSet<String>> =
            legs.iter().map(|(leg, fields)| values(*leg, fields, wanted)).filter(|it| !it.is_empty()).collect();
        for (leg, fields) in legs.iter_mut() {
            for field in fields.iter_mut().filter(|field| concept(*leg, &field.name) == Some(wanted)) {
                let value = comparable(wanted, &field.value);
                field.differs |= value.is_some_and(|value| told.iter().any(|other| !other.contains(&value)));
            }
        }
    }
}

fn values(leg: LegKind, fields: &[&mut LegField], wanted: Concept) -> BTreeSet<String> {
    let of_concept = fields.iter().filter(|field| concept(leg, &field.name) == Some(wanted));
    of_concept.filter_map(|field| comparable(wanted, &field.value)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(name: &str, value: &str) -> LegField {
        let plain = NamedValue { name: name.into(), zh: name.into(), en: name.into(), value: value.into() };
        leg_field(plain)
    }

    fn marked(legs: &mut [(LegKind, Vec<LegField>)]) -> Vec<(LegKind, String)> {
        let mut views: Vec<_> = legs.iter_mut().map(|(leg, fields)| (*leg, fields.iter_mut().collect())).collect();
        mark_differences(&mut views);
        let all = legs.iter().flat_map(|(leg, fields)| fields.iter().map(|it| (*leg, it)));
        all.filter(|(_, it)| it.differs).map(|(leg, it)| (leg, it.name.clone())).collect()
    }

    #[test]
    fn another_merchant_on_the_wire_is_marked_on_all_legs() {
        let mut legs = [
            (LegKind::Journal, vec![field("merchant_code", "A"), field("amount_fen", "1200")]),
            (LegKind::Switch, vec![field("F42", "B "), field("F4", "000000001200")]),
            (LegKind::Payout, vec![field("merchant_code", "B"), field("amount_fen", "999999")]),
        ];
        let merchant = "merchant_code".to_owned();
        let expected =
            [(LegKind::Journal, merchant.clone()), (LegKind::Switch, merchant.clone()), (LegKind::Payout, merchant)];
        assert_eq!(marked(&mut legs), expected);
    }

    #[test]
    fn a_refund_that_all_legs_know_is_no_difference() {
        let mut legs = [
            (LegKind::Journal, vec![field("amount_fen", "1200"), field("amount_fen", "300")]),
            (LegKind::Clearing, vec![field("amount_fen", "000000000300"), field("amount_fen", "1200")]),
        ];
        assert_eq!(marked(&mut legs), []);
        legs[1].1.push(field("amount_fen", "700"));
        assert_eq!(marked(&mut legs), [(LegKind::Clearing, "amount_fen".to_owned())]);
    }

    #[test]
    fn masks_of_one_card_agree() {
        let mut legs = [
            (LegKind::Journal, vec![field("pan_masked", "999906*********9821")]),
            (LegKind::Switch, vec![field("F2", "9999060000000009821")]),
        ];
        assert_eq!(marked(&mut legs), []);
    }
}
