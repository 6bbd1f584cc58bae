//! What the fields of ISO 8583 are, whatever a specification calls them.

use super::draft::{ByteCoding, Content, Item};

/// Fields of ISO 8583:1987 that hold digits.
pub(super) fn numeric(number: u16) -> bool {
    matches!(number, 2..=27 | 32 | 33 | 49..=51 | 53 | 66..=89 | 90 | 99 | 100)
}

/// Fields that hold digits in every edition and in practice; others that should may hold a masked number, letters of a
/// currency or of a point-of-service code.
pub(super) fn surely_numeric(number: u16) -> bool {
    matches!(number, 3..=21 | 23..=27 | 32 | 33 | 66..=89 | 99 | 100)
}

/// Fields that hold a track with digits and separators only.
pub(super) fn track(number: u16) -> bool {
    matches!(number, 35 | 36)
}

/// Tags of chip data that hold a card number, a track, a name or an identity document.
pub(super) const HIDDEN_TAGS: &[&str] = &["56", "57", "5A", "5F20", "9F0B", "9F1F", "9F20", "9F61", "9F6B"];

/// What a top field must not show; none: let the dialect decide.
pub(super) fn of_field(item: &Item) -> Option<&'static str> {
    let bytes = matches!(item.shape.content, Content::Bytes(_));
    let number = item.number();
    match number {
        2 | 34 | 102 | 103 if !bytes => Some("pan"),
        35 | 36 | 45 if !bytes => Some("track"),
        2 | 34 | 35 | 36 | 45 | 102 | 103 => Some("personal"),
        52 => Some("pin"),
        55 if item.shape.content == Content::Bytes(ByteCoding::Binary) => Some("emv"),
        4..=10 | 42 | 64 | 82..=90 | 95..=98 | 128 => Some("none"),
        _ => of_name(item),
    }
}

/// What a part must not show, by its name.
pub(super) fn of_name(item: &Item) -> Option<&'static str> {
    let bytes = matches!(item.shape.content, Content::Bytes(_));
    let name = item.name.to_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| name.contains(word));
    let about = says(&["country", "sequence", "indicator", "length", "capture", "entry", "capability", "result"]);
    if about {
        None
    } else if says(&["track 1", "track 2", "track 3", "track1", "track2", "track3", "track-1", "track-2", "track-3"]) {
        Some(if bytes { "personal" } else { "track" })
    } else if says(&["primary account number", "card number", "cardholder number"]) || name == "pan" {
        Some(if bytes { "personal" } else { "pan" })
    } else if says(&["pin block", "pin data", "personal identification number"]) {
        Some("pin")
    } else if says(&["working key", "session key", "key block", "cvv2", "cvc2", "cvn2"]) {
        Some("key")
    } else {
        None
    }
}
