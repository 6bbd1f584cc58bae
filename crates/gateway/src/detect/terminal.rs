//! What one terminal's own traffic shows.

use onus_model::Instant;

use super::recent::Window;
use super::{Alarm, AlarmKind, DetectConfig, Limits, Sighting, seconds};
use crate::place::Place;
use crate::seen::{Kind, PaymentRef};

/// What is remembered of a terminal.
#[derive(Debug, Default)]
pub(super) struct Memory {
    last: Option<Last>,
    app_version: Option<[u8; 8]>,
    early: Window,
    keys: Window,
    pins: Window,
    /// Where it said it was.
    own: Option<(Place, Instant)>,
    /// Where its address was.
    address: Option<(Place, Instant)>,
}

/// Its last payment.
#[derive(Debug, Clone, Copy)]
struct Last {
    payment: PaymentRef,
    at: Instant,
    answered_at: Option<Instant>,
    given_up: bool,
}

impl Memory {
    /// Remembers what a message says about the terminal.
    pub(super) fn note(&mut self, sighting: &Sighting<'_>) {
        let seen = sighting.seen;
        self.app_version = seen.app_version.or(self.app_version);
        if seen.kind() != Kind::Payment {
            return;
        }
        match &mut self.last {
            Some(last) if last.payment == seen.payment() => {
                if seen.is_reply() {
                    last.answered_at = last.answered_at.or(Some(sighting.now));
                }
            }
            _ if seen.is_reply() => {}
            last => {
                *last = Some(Last { payment: seen.payment(), at: sighting.now, answered_at: None, given_up: false });
            }
        }
    }

    /// Its program version: as it said last, else the only one that the register allows.
    pub(super) fn app_version(&self, sighting: &Sighting<'_>) -> Option<[u8; 8]> {
        self.app_version.or_else(|| match sighting.snapshot.terminal(&sighting.seen.tid)?.app_versions.as_ref() {
            [only] => Some(*only),
            _ => None,
        })
    }

    /// A reply: does the program know its code, and do refusals pile up?
    pub(super) fn reply(&mut self, config: &DetectConfig, sighting: &Sighting<'_>, alarms: &mut Vec<Alarm>) {
        let (seen, now) = (sighting.seen, sighting.now);
        let Some(code) = seen.code else { return };
        let app_version = self.app_version(sighting);
        if app_version.and_then(|version| sighting.snapshot.app_knows(&version, &code)) == Some(false) {
            let alarm = Alarm::new(AlarmKind::CodeUnknown, seen.tid, 1, 1, now);
            alarms.push(Alarm { code: Some(code), app_version, ..alarm });
        }
        let (window, limit, kind) = match &code {
            b"99" | b"A0" => (&mut self.keys, config.key_count, AlarmKind::KeyBurst),
            b"55" => (&mut self.pins, config.pin_count, AlarmKind::PinBurst),
            _ => return,
        };
        let found = window.add(seconds(now), config.burst_window_s);
        if found >= u32::from(limit) {
            window.clear();
            let alarm = Alarm::new(kind, seen.tid, found.into(), limit.into(), now);
            alarms.push(Alarm { code: Some(code), ..alarm });
        }
    }

    /// A reversal of the terminal for a missing reply.
    pub(super) fn reversal(&mut self, limits: &Limits, sighting: &Sighting<'_>, alarms: &mut Vec<Alarm>) {
        let (seen, now) = (sighting.seen, sighting.now);
        let Some(last) = self.last.filter(|last| last.payment == seen.payment() && seen.code == Some(*b"98")) else {
            return;
        };
        let limit = limits.host_timeout_ms;
        let waited = milliseconds(last.at, now);
        if let Some(answered_at) = last.answered_at {
            let since = milliseconds(answered_at, now);
            // There is no limit to hold the time since the reply against.
            alarms.push(Alarm::new(AlarmKind::AnswerLost, seen.tid, since, 0, now));
        } else if waited >= limit {
            alarms.push(Alarm::new(AlarmKind::HostSilent, seen.tid, waited, limit, now));
        } else {
            self.gives_up(limits, last.payment, now, alarms);
        }
    }

    /// The terminal stopped waiting for a reply.
    pub(super) fn gives_up(&mut self, limits: &Limits, payment: PaymentRef, now: Instant, alarms: &mut Vec<Alarm>) {
        let Some(last) = self.last.as_mut().filter(|last| last.payment == payment) else { return };
        let (waited, limit) = (milliseconds(last.at, now), limits.host_timeout_ms);
        if last.given_up || last.answered_at.is_some() || waited >= limit {
            return;
        }
        last.given_up = true;
        if self.early.add(seconds(now), limits.config.early_window_s) >= u32::from(limits.config.early_count) {
            self.early.clear();
            let alarm = Alarm::new(AlarmKind::TimeoutMeasured, payment.tid, waited, limit, now);
            alarms.push(Alarm { app_version: self.app_version, ..alarm });
        }
    }

    /// Whether it can be where it is.
    pub(super) fn travels(&mut self, config: &DetectConfig, sighting: &Sighting<'_>, alarms: &mut Vec<Alarm>) {
        let (seen, now) = (sighting.seen, sighting.now);
        let sources = [(&mut self.own, seen.place), (&mut self.address, sighting.network_place)];
        for (before, here) in sources {
            let Some(here) = here else { continue };
            if let Some((there, at)) = before.replace((here, now)) {
                let metres = there.metres_to(here);
                // Metres a second times 3.6 is kilometres an hour.
                let possible = milliseconds(at, now) * u64::from(config.travel_kmh) / 3_600;
                let limit = possible.max(config.travel_metres.into());
                if metres > limit {
                    alarms.push(Alarm::new(AlarmKind::Travel, seen.tid, metres, limit, now));
                }
            }
        }
        let bound = || sighting.snapshot.terminal(&seen.tid)?.place;
        if let Some((own, address)) = seen.place.or_else(bound).zip(sighting.network_place) {
            let (metres, limit) = (own.metres_to(address), u64::from(config.address_metres));
            if metres > limit {
                alarms.push(Alarm::new(AlarmKind::AddressFar, seen.tid, metres, limit, now));
            }
        }
    }
}

/// A time-out in a status report or download that is shorter than the host's.
pub(super) fn declared_timeout(limits: &Limits, sighting: &Sighting<'_>, alarms: &mut Vec<Alarm>) {
    let Some(timeout_s) = sighting.seen.status.and_then(|status| status.timeout_s) else { return };
    let (found, limit) = (u64::from(timeout_s) * 1_000, limits.host_timeout_ms);
    if found < limit {
        alarms.push(Alarm::new(AlarmKind::TimeoutDeclared, sighting.seen.tid, found, limit, sighting.now));
    }
}

fn milliseconds(from: Instant, to: Instant) -> u64 {
    u64::try_from(to.0.saturating_sub(from.0) / 1_000).unwrap_or(0)
}
