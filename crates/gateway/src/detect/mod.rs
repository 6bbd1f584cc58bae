//! Detectors: what the traffic itself tells about terminals, keys, programs and hosts.
//!
//! One [`Detectors`] watches the whole gateway, for some findings need many terminals. It is fed from the tap, off the
//! way of the payment. Memory is bounded by the configuration; what was not seen for long is forgotten. An alarm about
//! a terminal is not repeated for `quiet_s`.
//!
//! | Alarm | Found when |
//! |---|---|
//! | `timeout-declared` | a status report (field 62, code 12) or a parameter download sets a time-out shorter than the host's |
//! | `timeout-measured` | a terminal closes, or reverses with 98, before the host's time is over, `early_count` times |
//! | `code-unknown` | the table of the terminal's program, given as data, has no text for a reply's code |
//! | `key-burst`, `pin-burst` | replies 99 and A0, or 55, at one terminal in a short time |
//! | `sign-in-storm`, `duplicate-storm` | replies 77, or 94, at many terminals in a short time; names the program that most of them run |
//! | `host-silent`, `answer-lost` | a reversal with reason 98: the host never answered, or its answer went to the terminal |
//! | `serial-twice` | a serial number from two terminal numbers |
//! | `travel`, `address-far` | two places too far apart for the time between; an address far from the terminal's place |
//! | `cipher-copied`, `cipher-repeats`, `factor-foreign` | the cipher of field 59 with another card or terminal, or with many payments; its factor of another card |
//!
//! The factor of field 59 is not fresh: the same card at the same terminal repeats the cipher, and that is no alarm.

mod alarm;
mod config;
mod fleet;
mod recent;
mod terminal;

use onus_model::Instant;

pub use alarm::{Alarm, AlarmKind};
pub use config::{DetectConfig, DetectError};

use crate::place::Place;
use crate::seen::{Kind, PaymentRef, Seen, Tid};
use crate::snapshot::Snapshot;
use recent::Recent;

/// Which way a message goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// From a terminal, when it came.
    ToHost,
    /// To a terminal, when it was written.
    ToTerminal,
}

/// One message as the tap saw it.
#[derive(Debug, Clone, Copy)]
pub struct Sighting<'a> {
    /// What was read out of it.
    pub seen: &'a Seen,
    /// Which way it goes.
    pub way: Way,
    /// Where the terminal's address is, by the table of networks.
    pub network_place: Option<Place>,
    /// The registers.
    pub snapshot: &'a Snapshot,
    /// When.
    pub now: Instant,
}

/// What the traffic is measured against.
#[derive(Debug)]
struct Limits {
    config: DetectConfig,
    host_timeout_ms: u64,
}

/// All detectors and what they remember.
#[derive(Debug)]
pub struct Detectors {
    limits: Limits,
    terminals: Recent<Tid, terminal::Memory>,
    serials: Recent<crate::terminal_block::Serial, fleet::SerialMark>,
    ciphers: Recent<[u8; 8], fleet::CipherMark>,
    sign_in: fleet::Storm,
    duplicate: fleet::Storm,
    quiet: Recent<(AlarmKind, Tid), u32>,
}

impl Detectors {
    /// Detectors that remember nothing yet. `host_timeout_ms` is the time that the host has for a reply: the follower's
    /// [`FollowPolicy::host_timeout_ms`](crate::follow::FollowPolicy::host_timeout_ms); a terminal must wait longer.
    ///
    /// # Errors
    /// Says which threshold cannot be used.
    pub fn new(config: DetectConfig, host_timeout_ms: u32) -> Result<Detectors, DetectError> {
        config.check()?;
        let (terminals, marks) = (config.terminals as usize, config.marks as usize);
        Ok(Detectors {
            terminals: Recent::new(terminals),
            serials: Recent::new(marks),
            ciphers: Recent::new(marks),
            sign_in: fleet::Storm::default(),
            duplicate: fleet::Storm::default(),
            quiet: Recent::new(terminals),
            limits: Limits { config, host_timeout_ms: host_timeout_ms.into() },
        })
    }

    /// Looks at one message and appends what it shows.
    pub fn observe(&mut self, sighting: &Sighting<'_>, alarms: &mut Vec<Alarm>) {
        let first = alarms.len();
        let memory = self.terminals.touch(sighting.seen.tid, terminal::Memory::default);
        memory.note(sighting);
        terminal::declared_timeout(&self.limits, sighting, alarms);
        match (sighting.way, sighting.seen.is_reply()) {
            (Way::ToHost, false) => {
                memory.travels(&self.limits.config, sighting, alarms);
                match sighting.seen.kind() {
                    Kind::Reversal => memory.reversal(&self.limits, sighting, alarms),
                    Kind::Payment => fleet::cipher(&mut self.ciphers, &self.limits.config, sighting, alarms),
                    _ => {}
                }
                fleet::serial(&mut self.serials, &self.limits.config, sighting, alarms);
            }
            (Way::ToTerminal, true) => {
                memory.reply(&self.limits.config, sighting, alarms);
                let app_version = memory.app_version(sighting);
                let storm = match sighting.seen.code.as_ref() {
                    Some(b"77") => Some((&mut self.sign_in, AlarmKind::SignInStorm)),
                    Some(b"94") => Some((&mut self.duplicate, AlarmKind::DuplicateStorm)),
                    _ => None,
                };
                if let Some((storm, kind)) = storm {
                    storm.add(kind, &self.limits.config, sighting, app_version, alarms);
                }
            }
            _ => {}
        }
        self.keep_quiet(first, alarms);
    }

    /// A terminal closed its connection while it waited for the reply to a payment.
    pub fn closed(&mut self, payment: PaymentRef, now: Instant, alarms: &mut Vec<Alarm>) {
        let first = alarms.len();
        let memory = self.terminals.touch(payment.tid, terminal::Memory::default);
        memory.gives_up(&self.limits, payment, now, alarms);
        self.keep_quiet(first, alarms);
    }

    /// Drops what was said lately.
    fn keep_quiet(&mut self, first: usize, alarms: &mut Vec<Alarm>) {
        let mut at = first;
        while let Some(alarm) = alarms.get(at).copied() {
            let now = seconds(alarm.at);
            // A storm is about the fleet, whichever terminal made it one.
            let about = match alarm.kind {
                AlarmKind::SignInStorm | AlarmKind::DuplicateStorm => [b' '; 8],
                _ => alarm.tid,
            };
            let said = self.quiet.touch((alarm.kind, about), || 0);
            if *said != 0 && now.saturating_sub(*said) < self.limits.config.quiet_s {
                alarms.remove(at);
            } else {
                *said = now.max(1);
                at += 1;
            }
        }
    }
}

/// Seconds since 1970.
fn seconds(at: Instant) -> u32 {
    u32::try_from(at.0 / Instant::SECOND).unwrap_or(0)
}

#[cfg(test)]
mod tests;
