//! Thresholds of the detectors.

use serde::{Deserialize, Serialize};

use super::recent::Window;

/// Thresholds of the detectors. Every value has a default.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DetectConfig {
    /// How often a terminal gives up before the host's time is over until it is an alarm; 3.
    pub early_count: u8,
    /// Seconds in which that counts; 3,600.
    pub early_window_s: u32,
    /// Replies 99 or A0 at one terminal until it is an alarm; 3.
    pub key_count: u8,
    /// Replies 55 at one terminal until it is an alarm; 5: cardholders mistype.
    pub pin_count: u8,
    /// Seconds in which these replies count; 300.
    pub burst_window_s: u32,
    /// Terminals with reply 77, or with reply 94, until it is a storm; 20.
    pub storm_terminals: u16,
    /// Seconds in which they count; 300.
    pub storm_window_s: u32,
    /// Seconds in which a serial number must not be seen at two terminal numbers; 86,400.
    pub serial_window_s: u32,
    /// Metres below which a journey is nothing; 50,000.
    pub travel_metres: u32,
    /// Kilometres an hour above which a journey is impossible; 300.
    pub travel_kmh: u32,
    /// Metres between where a terminal says it is, or is bound, and where its network address is; 200,000. Addresses of
    /// mobile networks are far from exact.
    pub address_metres: u32,
    /// Payments with one cipher of field 59 until it is an alarm, where cards cannot be told apart; 3.
    pub cipher_count: u8,
    /// Seconds in which the same alarm about the same terminal is not repeated; 600.
    pub quiet_s: u32,
    /// Terminals remembered at most; 50,000 (about 20 MB).
    pub terminals: u32,
    /// Serial numbers, and ciphers, remembered at most; 50,000 each (about 12 MB).
    pub marks: u32,
}

impl Default for DetectConfig {
    fn default() -> DetectConfig {
        DetectConfig {
            early_count: 3,
            early_window_s: 3_600,
            key_count: 3,
            pin_count: 5,
            burst_window_s: 300,
            storm_terminals: 20,
            storm_window_s: 300,
            serial_window_s: 86_400,
            travel_metres: 50_000,
            travel_kmh: 300,
            address_metres: 200_000,
            cipher_count: 3,
            quiet_s: 600,
            terminals: 50_000,
            marks: 50_000,
        }
    }
}

/// A threshold cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("detectors: `{name}` is {found}, expected {expected}; change it or leave it out for the default")]
pub struct DetectError {
    name: &'static str,
    found: u32,
    expected: String,
}

impl DetectConfig {
    pub(super) fn check(&self) -> Result<(), DetectError> {
        let counts = [("early_count", self.early_count), ("key_count", self.key_count), ("pin_count", self.pin_count)];
        for (name, count) in counts {
            if count == 0 || usize::from(count) > Window::MOST {
                return Err(DetectError { name, found: count.into(), expected: format!("1 to {}", Window::MOST) });
            }
        }
        let positive = [
            ("storm_terminals", u32::from(self.storm_terminals)),
            ("cipher_count", u32::from(self.cipher_count)),
            ("terminals", self.terminals),
            ("marks", self.marks),
        ];
        match positive.into_iter().find(|(_, value)| *value == 0) {
            Some((name, found)) => Err(DetectError { name, found, expected: "at least 1".into() }),
            None => Ok(()),
        }
    }
}
