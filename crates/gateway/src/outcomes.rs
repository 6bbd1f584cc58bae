//! How sales ended, for whoever watches the whole fleet: facts without card numbers, off the way of the payment.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use onus_intake::tap::NO_LINK;
use onus_model::Instant;

use crate::exchange::Exchange;
use crate::seen::{Kind, PaymentRef};

/// Facts that may wait to be taken; further ones are counted and dropped.
const MOST_WAITING: usize = 200_000;

/// What became known of a sale.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told {
    /// The host answered in time.
    Answered {
        /// Its response code; `--` when the reply had none.
        code: [u8; 2],
        /// Microseconds from request to reply.
        after_us: u64,
    },
    /// The gateway itself answered.
    Refused {
        /// Its response code.
        code: [u8; 2],
    },
    /// The host's time is over.
    Silent,
    /// The host answered, but too late.
    Late,
    /// A reversal of it was sent, by the terminal or by the gateway.
    Reversed,
}

/// One fact about one sale.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OutcomeFact {
    /// The sale's terminal, batch and trace number. All facts of one sale have the same.
    pub payment: PaymentRef,
    /// When this became known.
    pub at: Instant,
    /// What.
    pub told: Told,
    /// The host, by its place in the configuration; none when it was not sent on.
    pub host: Option<u16>,
    /// Amount.
    pub amount_minor: u64,
    /// Entry mode (field 22).
    pub entry_mode: Option<u16>,
    /// With PIN.
    pub pin: bool,
    /// The first six digits of the card number.
    pub bin: Option<u32>,
    /// Program version (block A2).
    pub app_version: Option<[u8; 8]>,
}

impl OutcomeFact {
    /// A fact about what an exchange carries: none if that is neither a sale nor, for [`Told::Reversed`], a reversal.
    pub(crate) fn of(exchange: &Exchange, told: Told, at: Instant) -> Option<OutcomeFact> {
        let seen = &exchange.seen;
        let is_sale = seen.kind() == Kind::Payment
            && match seen.type_code {
                Some(code) => code == 22,
                None => seen.processing.is_none_or(|processing| processing / 10_000 == 0),
            };
        let fits = is_sale || (told == Told::Reversed && seen.kind() == Kind::Reversal);
        fits.then(|| OutcomeFact {
            payment: exchange.key.payment(),
            at,
            told,
            host: Some(exchange.host).filter(|host| *host != NO_LINK),
            amount_minor: seen.amount_minor.unwrap_or_default(),
            entry_mode: seen.entry_mode,
            pin: seen.pin,
            bin: seen.bin,
            app_version: seen.app_version,
        })
    }
}

/// Facts that wait. Nothing is kept before somebody asks for the first time.
#[derive(Default)]
pub(crate) struct Outcomes {
    wanted: AtomicBool,
    waiting: Mutex<Vec<OutcomeFact>>,
    missed: AtomicU64,
}

impl Outcomes {
    pub(crate) fn is_wanted(&self) -> bool {
        self.wanted.load(Ordering::Relaxed)
    }

    /// Takes what a thread gathered and leaves `facts` empty.
    pub(crate) fn put(&self, facts: &mut Vec<OutcomeFact>) {
        if facts.is_empty() {
            return;
        }
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let room = MOST_WAITING.saturating_sub(waiting.len());
        let missed = facts.len().saturating_sub(room);
        self.missed.fetch_add(missed as u64, Ordering::Relaxed);
        waiting.extend(facts.drain(..).take(room));
    }

    /// Gives what waits.
    pub(crate) fn take(&self) -> Vec<OutcomeFact> {
        self.wanted.store(true, Ordering::Relaxed);
        std::mem::take(&mut *self.waiting.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn missed(&self) -> u64 {
        self.missed.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_finds_no_room_is_counted() {
        let fact = OutcomeFact {
            payment: PaymentRef { tid: *b"52300001", batch: Some(1), trace: 1 },
            at: Instant(0),
            told: Told::Silent,
            host: Some(0),
            amount_minor: 100,
            entry_mode: None,
            pin: false,
            bin: None,
            app_version: None,
        };
        let outcomes = Outcomes::default();
        assert!(!outcomes.is_wanted());
        outcomes.put(&mut vec![fact; MOST_WAITING - 1]);
        outcomes.put(&mut vec![fact; 3]);
        assert_eq!((outcomes.take().len(), outcomes.missed()), (MOST_WAITING, 2));
        assert!(outcomes.is_wanted() && outcomes.take().is_empty());
    }
}
