//! Payments of records as live detection would have seen them.

use onus_fleet::Registry;
use onus_incident::cube::{Attempt, Dimension, Leaf, Outcome, Symbols, amount_bin};
use onus_incident::detector::{Settings, minute_of};
use onus_incident::{Dim, FailureClass};
use onus_model::{CardType, Instant, Outcome as Ending};
use onus_reconcile::{Book, Exchange};
use rustc_hash::FxHashMap;

use crate::judge::Survey;
use crate::samples::Samples;

/// Payments in the order in which their end could be known.
pub(super) fn attempts(
    (book, registry): (&Book, &Registry),
    samples: &Samples,
    seen: &Survey,
    settings: &Settings,
    symbols: &mut Symbols,
) -> Vec<Attempt> {
    let kinds = kinds_of_cards(book.clearings.iter().map(|line| (line.pan.bin(), line.card_type)));
    let mut attempts: Vec<Attempt> = Vec::with_capacity(samples.samples.len());
    for (sample, number) in samples.samples.iter().zip(&samples.attempts) {
        let Some(attempt) = book.attempts().get(*number as usize) else { continue };
        let exchange = book.exchange(attempt);
        let ending = seen.outcomes.get(*number as usize).copied().unwrap_or(Ending::Approved);
        let outcome = outcome(sample.class, ending, exchange, settings);
        let waits = matches!(outcome, Outcome::NoAnswer | Outcome::AcquirerSilent)
            && exchange.is_none_or(|exchange| !exchange.replied());
        let took_ms = exchange.map_or(0, |exchange| exchange.replied_after_ms);
        let known_at = match waits {
            true => sample.at.plus_seconds(settings.live.silent_seconds.into()),
            false => Instant(sample.at.0.saturating_add(i64::from(took_ms) * 1_000)),
        };
        let amount_minor = u64::try_from(sample.amount_minor).unwrap_or_default();
        let mut leaf = Leaf::default().with(Dimension::Amount, amount_bin(amount_minor));
        let mut set = |dimension: Dimension, name: &str| {
            if !name.is_empty() {
                leaf = leaf.with(dimension, symbols.intern(dimension, name));
            }
        };
        for (dim, dimension) in SHARED {
            set(dimension, samples.names.text(sample.dims.get(dim as usize).copied().unwrap_or_default()));
        }
        if let Some(exchange) = exchange {
            set(Dimension::AcquirerLink, &number_text(exchange.terminal_link.into()));
            set(Dimension::Bin, &number_text(exchange.pan.bin()));
            set(Dimension::CardKind, kinds.get(&exchange.pan.bin()).copied().flatten().map_or("", CardType::as_str));
        }
        set(Dimension::Hop, hop(ending, exchange));
        let owner = seen.owners.get(*number as usize).copied().flatten();
        set(Dimension::MerchantCategory, owner.and_then(|it| registry.merchants.get(&it)).map_or("", |it| &it.mcc));
        attempts.push(Attempt {
            minute: minute_of(known_at),
            leaf,
            outcome,
            latency: settings.latency.band(took_ms.into()),
            reversed: ending == Ending::Reversed,
            amount_minor,
            id: u64::from(*number),
        });
    }
    attempts.sort_by_key(|attempt| attempt.minute);
    attempts
}

/// The kind of card of each BIN, where all that was cleared of it is of one kind. The kind of a single payment is known
/// of cleared ones alone, so by it every kind would look as if it never failed.
fn kinds_of_cards(cleared: impl Iterator<Item = (u32, CardType)>) -> FxHashMap<u32, Option<CardType>> {
    let mut kinds: FxHashMap<u32, Option<CardType>> = FxHashMap::default();
    for (bin, card_type) in cleared.filter(|(_, card_type)| *card_type != CardType::Unknown) {
        let kind = kinds.entry(bin).or_insert(Some(card_type));
        *kind = kind.filter(|known| *known == card_type);
    }
    kinds
}

/// Dimensions that the search over records has, too.
const SHARED: [(Dim, Dimension); 9] = [
    (Dim::NetworkLink, Dimension::NetworkLink),
    (Dim::Issuer, Dimension::Issuer),
    (Dim::City, Dimension::City),
    (Dim::Agent, Dimension::Agent),
    (Dim::AppVersion, Dimension::AppVersion),
    (Dim::ProductionBatch, Dimension::ProductionBatch),
    (Dim::Model, Dimension::TerminalModel),
    (Dim::EntryMode, Dimension::EntryMode),
    (Dim::Pin, Dimension::Pin),
];

fn number_text(number: u32) -> String {
    if number == 0 { String::new() } else { number.to_string() }
}

fn outcome(class: FailureClass, ending: Ending, exchange: Option<&Exchange>, settings: &Settings) -> Outcome {
    match class {
        FailureClass::NoAnswer => Outcome::NoAnswer,
        FailureClass::SwitchError => Outcome::SwitchError,
        FailureClass::AcquirerSilent => Outcome::AcquirerSilent,
        FailureClass::IssuerDown => Outcome::IssuerDown,
        FailureClass::Funds => Outcome::Funds,
        FailureClass::Unread => Outcome::Unread,
        FailureClass::KeySync => Outcome::Keys,
        FailureClass::Displaced => Outcome::Refused,
        _ => match ending {
            Ending::Approved | Ending::Voided | Ending::Refunded | Ending::Reversed => Outcome::Approved,
            Ending::Unread => Outcome::Unread,
            Ending::Declined => match exchange.map_or("", |exchange| exchange.terminal_rc.as_str()) {
                "" => Outcome::OtherCode,
                code => settings.codes.outcome(code),
            },
            // Nobody can say on which side it was lost.
            Ending::Unknown => match exchange {
                Some(exchange) if exchange.tapped && !exchange.replied() => Outcome::NoAnswer,
                _ => Outcome::OtherCode,
            },
        },
    }
}

/// Who wrote the code that the terminal got.
fn hop(ending: Ending, exchange: Option<&Exchange>) -> &'static str {
    match exchange {
        None if ending == Ending::Unread => "terminal",
        None => "",
        Some(exchange) if !exchange.replied() => "",
        Some(exchange) if exchange.issuer != 0 => "issuer",
        Some(exchange) if exchange.answered() => "network",
        Some(_) => "acquirer",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bin_has_a_kind_when_all_its_cards_have() {
        let cleared = [
            (621_000, CardType::Debit),
            (621_000, CardType::Unknown),
            (621_000, CardType::Debit),
            (622_000, CardType::Credit),
            (622_000, CardType::Debit),
            (622_000, CardType::Credit),
            (623_000, CardType::Unknown),
        ];
        let kinds = kinds_of_cards(cleared.into_iter());
        assert_eq!(kinds.get(&621_000), Some(&Some(CardType::Debit)));
        assert_eq!(kinds.get(&622_000), Some(&None), "both kinds are issued under it");
        assert_eq!(kinds.get(&623_000), None);
    }
}
