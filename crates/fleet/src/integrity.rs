//! What the registers say about one terminal at one time.

use onus_model::{Instant, Span};

use crate::registry::Registry;
use crate::rows::{Attestation, CustodyEvent, UpdateOffer};

/// Metres between where a terminal is bound and where it reports to be, past which it has been moved (a city block is less, the next town more).
const MOVED_METRES: u32 = 20_000;

/// What became of the newest program offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UpdateState {
    /// No newer version was offered.
    NotOffered,
    /// Installed.
    Installed,
    /// Offered and not installed by the agent.
    NotInstalled,
    /// The merchant would not have it.
    RefusedByMerchant,
}

/// State of a terminal at a time.
#[derive(Debug, Clone, Copy)]
pub struct Integrity<'a> {
    /// First report with a hash that no release has, not later than the time asked about.
    pub bad_hash: Option<&'a Attestation>,
    /// The tamper switch fired.
    pub tamper_switch: Option<&'a Attestation>,
    /// Report from far away from where it is bound.
    pub moved: Option<&'a Attestation>,
    /// Board changed with no key loading after it.
    pub repair_without_keys: Option<&'a CustodyEvent>,
    /// A pre-sale test is recorded and passed; none when the terminal is not in the register.
    pub presale_passed: Option<bool>,
    /// The last inspection that passed.
    pub inspected_at: Option<(Instant, Span)>,
}

impl Registry {
    /// State of a terminal as the registers show it at a time.
    #[must_use]
    pub fn integrity(&self, serial: &str, at: Instant) -> Integrity<'_> {
        let reports = self.attestations.get(serial).map(Vec::as_slice).unwrap_or_default();
        let custody = self.custody.get(serial).map(Vec::as_slice).unwrap_or_default();
        let inspections = self.inspections.get(serial).map(Vec::as_slice).unwrap_or_default();
        let before = |event: &&CustodyEvent| event.at <= at;
        let seen = || reports.iter().filter(|report| report.at <= at);
        let last_repair =
            custody.iter().filter(before).rfind(|event| event.event == "repaired" && event.note.contains("board"));
        let keys_after = |repair: &CustodyEvent| {
            custody.iter().filter(before).any(|event| event.at > repair.at && reloads_keys(event))
        };
        Integrity {
            bad_hash: seen().find(|report| !self.hashes.contains(&report.sha256)),
            tamper_switch: seen().find(|report| report.tamper_switch),
            moved: self
                .place_of(serial, at)
                .and_then(|bound| seen().find(|report| bound.farther_than(report.place, MOVED_METRES))),
            repair_without_keys: last_repair.filter(|repair| !keys_after(repair)),
            presale_passed: self.terminals.contains_key(serial).then(|| {
                inspections
                    .iter()
                    .any(|inspection| inspection.kind == "presale" && inspection.passed && inspection.at <= at)
            }),
            inspected_at: inspections
                .iter()
                .filter(|inspection| inspection.at <= at && inspection.passed)
                .map(|inspection| (inspection.at, inspection.span))
                .next_back(),
        }
    }

    /// All reports of terminals about themselves, in no order.
    pub fn reports(&self) -> impl Iterator<Item = &Attestation> {
        self.attestations.values().flatten()
    }

    /// Whether no release has the hash that a report says.
    #[must_use]
    pub fn is_unknown_program(&self, report: &Attestation) -> bool {
        !self.hashes.contains(&report.sha256)
    }

    /// Whether a report comes from far away from where its terminal is bound.
    #[must_use]
    pub fn is_far_away(&self, report: &Attestation) -> bool {
        self.place_of(&report.serial, report.at).is_some_and(|bound| bound.farther_than(report.place, MOVED_METRES))
    }

    /// The visit after which the program could have changed: the last maintenance that left a program which is no release, or none on record.
    #[must_use]
    pub fn program_visit(&self, serial: &str, at: Instant) -> Option<&CustodyEvent> {
        let reloaded = |event: &&CustodyEvent| {
            event.at <= at
                && event.event == "maintained"
                && event.app_after.is_none_or(|left| !self.hashes.contains(&left))
        };
        self.custody.get(serial)?.iter().rfind(reloaded)
    }

    /// The last periodic inspection that passed, not later than the time asked about.
    #[must_use]
    pub fn inspected_at(&self, serial: &str, at: Instant) -> Option<Instant> {
        let inspections = self.inspections.get(serial)?.iter();
        let passed = inspections.filter(|it| it.kind == "periodic" && it.passed && it.at <= at);
        passed.map(|it| it.at).max()
    }

    /// Repairs that changed the board with no key loading within the minutes after.
    pub fn repairs_without_keys(&self, serial: &str, grace_minutes: i64) -> impl Iterator<Item = &CustodyEvent> {
        let custody = self.custody.get(serial).map(Vec::as_slice).unwrap_or_default();
        custody.iter().filter(move |event| event.event == "repaired" && event.note.contains("board")).filter(
            move |repair| {
                let until = repair.at.plus_seconds(grace_minutes.saturating_mul(60));
                let mut after = custody.iter().filter(|event| (repair.at..=until).contains(&event.at));
                // The note of the repair itself may say that keys were not loaded.
                !after.any(|event| event.at > repair.at && reloads_keys(event))
            },
        )
    }

    /// Whether a program version is superseded by a newer release; none when the version is not in the register.
    #[must_use]
    pub fn is_superseded(&self, version: &str) -> Option<bool> {
        self.releases.get(version).map(|release| release.status != "approved")
    }

    /// The newest program offered to a terminal and what became of it.
    #[must_use]
    pub fn update_state(&self, serial: &str, at: Instant) -> (UpdateState, Option<&UpdateOffer>) {
        let offers = self.offers.get(serial).map(Vec::as_slice).unwrap_or_default();
        let Some(last) = offers.iter().rfind(|offer| offer.offered_at <= at) else {
            return (UpdateState::NotOffered, None);
        };
        let state = match last.outcome.as_str() {
            "installed" => UpdateState::Installed,
            "refused_by_merchant" => UpdateState::RefusedByMerchant,
            _ => UpdateState::NotInstalled,
        };
        (state, Some(last))
    }

    fn place_of(&self, serial: &str, at: Instant) -> Option<crate::rows::Place> {
        let bindings = self.bindings.get(serial)?;
        bindings.iter().rfind(|binding| binding.valid_from <= at).map(|binding| binding.place)
    }
}

fn reloads_keys(event: &CustodyEvent) -> bool {
    event.event == "key_loaded" || event.note.contains("key loaded")
}
