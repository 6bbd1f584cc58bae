//! What takes more than one terminal, or more than one payment, to see.

use std::collections::VecDeque;

use rustc_hash::{FxHashMap, FxHashSet};

use super::recent::Recent;
use super::{Alarm, AlarmKind, DetectConfig, Sighting, seconds};
use crate::seen::{PaymentRef, Tid};
use crate::terminal_block::Serial;

/// Terminals that got one code lately.
#[derive(Debug, Default)]
pub(super) struct Storm {
    /// By time: second, terminal, program version.
    hits: VecDeque<(u32, Tid, Option<[u8; 8]>)>,
    inside: FxHashSet<Tid>,
}

impl Storm {
    pub(super) fn add(
        &mut self,
        kind: AlarmKind,
        config: &DetectConfig,
        sighting: &Sighting<'_>,
        app_version: Option<[u8; 8]>,
        alarms: &mut Vec<Alarm>,
    ) {
        let (seen, now) = (sighting.seen, seconds(sighting.now));
        let limit = usize::from(config.storm_terminals);
        while let Some((at, tid, _)) = self.hits.front().copied()
            && (now.saturating_sub(at) >= config.storm_window_s || self.hits.len() >= limit * 4)
        {
            self.hits.pop_front();
            self.inside.remove(&tid);
        }
        if self.inside.insert(seen.tid) {
            self.hits.push_back((now, seen.tid, app_version));
        }
        if self.hits.len() >= limit {
            let alarm = Alarm::new(kind, seen.tid, self.hits.len() as u64, limit as u64, sighting.now);
            alarms.push(Alarm { code: seen.code, app_version: self.most_run(), ..alarm });
        }
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.hits.len()
    }

    /// The program version that more than half of the terminals run.
    fn most_run(&self) -> Option<[u8; 8]> {
        let mut counts: FxHashMap<[u8; 8], usize> = FxHashMap::default();
        for version in self.hits.iter().filter_map(|(_, _, version)| *version) {
            *counts.entry(version).or_default() += 1;
        }
        counts.into_iter().find(|(_, count)| count * 2 > self.hits.len()).map(|(version, _)| version)
    }
}

/// Where a serial number was last.
#[derive(Debug, Clone, Copy)]
pub(super) struct SerialMark {
    tid: Tid,
    at: u32,
}

/// One serial number at two terminal numbers.
pub(super) fn serial(
    marks: &mut Recent<Serial, SerialMark>,
    config: &DetectConfig,
    sighting: &Sighting<'_>,
    alarms: &mut Vec<Alarm>,
) {
    let (seen, now) = (sighting.seen, seconds(sighting.now));
    let Some(serial) = seen.serial else { return };
    let mark = marks.touch(serial, || SerialMark { tid: seen.tid, at: now });
    if mark.tid != seen.tid && now.saturating_sub(mark.at) < config.serial_window_s {
        let alarm = Alarm::new(AlarmKind::SerialTwice, seen.tid, 2, 1, sighting.now);
        alarms.push(Alarm { other: Some(mark.tid), ..alarm });
    }
    *mark = SerialMark { tid: seen.tid, at: now };
}

/// Where a cipher of field 59 was last.
#[derive(Debug, Clone, Copy)]
pub(super) struct CipherMark {
    payment: PaymentRef,
    card: Option<u64>,
    count: u32,
}

/// Ciphers that come back.
pub(super) fn cipher(
    marks: &mut Recent<[u8; 8], CipherMark>,
    config: &DetectConfig,
    sighting: &Sighting<'_>,
    alarms: &mut Vec<Alarm>,
) {
    let (seen, now) = (sighting.seen, sighting.now);
    if seen.factor_is_card == Some(false) {
        alarms.push(Alarm::new(AlarmKind::FactorForeign, seen.tid, 1, 1, now));
    }
    let Some(cipher) = seen.cipher else { return };
    let here = CipherMark { payment: seen.payment(), card: seen.card, count: 1 };
    let mark = marks.touch(cipher, || here);
    if mark.payment == here.payment {
        return;
    }
    let other_terminal = mark.payment.tid != seen.tid;
    let cards = mark.card.zip(seen.card);
    if other_terminal || cards.is_some_and(|(before, now)| before != now) {
        let alarm = Alarm::new(AlarmKind::CipherCopied, seen.tid, 2, 1, now);
        alarms.push(Alarm { other: other_terminal.then_some(mark.payment.tid), ..alarm });
        *mark = here;
    } else if cards.is_none() {
        *mark = CipherMark { count: mark.count.saturating_add(1), ..here };
        if mark.count >= u32::from(config.cipher_count) {
            let (found, limit) = (mark.count.into(), config.cipher_count.into());
            alarms.push(Alarm::new(AlarmKind::CipherRepeats, seen.tid, found, limit, now));
        }
    } else {
        // The same card at the same terminal: the factor is not fresh, so this is ordinary.
        *mark = here;
    }
}
