//! The records of a window of days, and the payments that they make together.

use onus_model::{CardType, Date, LegKind, MerchantCode, ObservationRef, PaymentKey, TerminalId, Zone};
use rustc_hash::FxHashMap;

use crate::gateway::GatewayTrace;
use crate::interner::Interner;
use crate::legs::{ClearingLeg, JournalKind, JournalLeg, PayoutLeg};
use crate::switchboard::{Exchange, Reversal, Switchboard};

/// One payment message with the records found for it. Numbers are indexes into the [`Book`].
#[derive(Debug, Clone, Copy)]
pub struct Attempt {
    /// Its key.
    pub key: PaymentKey,
    /// Journal line.
    pub journal: Option<u32>,
    /// Wire exchange.
    pub exchange: Option<u32>,
    /// First of its clearing lines in [`Book::clearing_of`].
    clearing_from: u32,
    /// Number of its clearing lines.
    clearing_len: u32,
}

/// All records of a window.
#[derive(Debug, Default)]
pub struct Book {
    /// Texts of the records.
    pub interner: Interner,
    /// Journal lines.
    pub journals: Vec<JournalLeg>,
    /// Wire exchanges.
    pub board: Switchboard,
    /// Clearing lines of both variants.
    pub clearings: Vec<ClearingLeg>,
    /// Payouts.
    pub payouts: Vec<PayoutLeg>,
    attempts: Vec<Attempt>,
    clearing_order: Vec<u32>,
    payout_of: FxHashMap<(MerchantCode, Date), Vec<u32>>,
}

impl Book {
    /// Pairs everything. Call once, when all rows are in.
    pub fn assemble(&mut self, zone: &Zone) {
        let mut used = vec![false; self.board.exchanges.len()];
        let mut attempts = Vec::with_capacity(self.journals.len());
        for (index, journal) in self.journals.iter().enumerate() {
            if journal.kind == JournalKind::Settle {
                continue;
            }
            let exchange = journal.stan.and_then(|stan| self.board.of_terminal(journal.tid, stan));
            let exchange = exchange.filter(|index| {
                self.board.exchanges.get(*index as usize).is_some_and(|found| found.batch == journal.batch)
            });
            if let Some(slot) = exchange.and_then(|index| used.get_mut(index as usize)) {
                *slot = true;
            }
            let seq = if journal.stan.is_none() { journal.seq } else { 0 };
            let key =
                PaymentKey { date: journal.date, tid: journal.tid, batch: journal.batch, stan: journal.stan, seq };
            attempts.push(attempt(key, Some(small(index)), exchange));
        }
        for (index, exchange) in self.board.exchanges.iter().enumerate() {
            if used.get(index) == Some(&false) {
                let (date, _) = zone.local(exchange.requested_at);
                let key =
                    PaymentKey { date, tid: exchange.tid, batch: exchange.batch, stan: Some(exchange.stan), seq: 0 };
                attempts.push(attempt(key, None, Some(small(index))));
            }
        }
        self.attempts = attempts;
        self.pair_clearing(zone);
        // The pairing maps have done their work: a large window needs the memory for deciding.
        self.board.close();
        self.attempts.sort_by_key(|attempt| attempt.key);
        self.number_repeats();
        for (index, payout) in self.payouts.iter().enumerate() {
            self.payout_of.entry((payout.merchant, payout.settle_date)).or_default().push(small(index));
        }
    }

    /// All payments and refunds, by key.
    #[must_use]
    pub fn attempts(&self) -> &[Attempt] {
        &self.attempts
    }

    /// The journal line of an attempt.
    #[must_use]
    pub fn journal(&self, attempt: &Attempt) -> Option<&JournalLeg> {
        self.journals.get(attempt.journal? as usize)
    }

    /// The exchange of an attempt.
    #[must_use]
    pub fn exchange(&self, attempt: &Attempt) -> Option<&Exchange> {
        self.board.exchanges.get(attempt.exchange? as usize)
    }

    /// What the gateway wrote down about an attempt.
    #[must_use]
    pub fn gateway_trace(&self, attempt: &Attempt) -> Option<&GatewayTrace> {
        self.board.trace_of(self.exchange(attempt)?)
    }

    /// The reversal of an attempt.
    #[must_use]
    pub fn reversal(&self, attempt: &Attempt) -> Option<&Reversal> {
        self.board.reversal_of(self.exchange(attempt)?)
    }

    /// The clearing lines of an attempt, both variants.
    pub fn clearing_of(&self, attempt: &Attempt) -> impl Iterator<Item = &ClearingLeg> + Clone {
        let from = attempt.clearing_from as usize;
        let range = self.clearing_order.get(from..from + attempt.clearing_len as usize).unwrap_or_default();
        range.iter().filter_map(|index| self.clearings.get(*index as usize))
    }

    /// The clearing line that counts: the CSV variant when both are there, since it names the settlement day.
    #[must_use]
    pub fn cleared(&self, attempt: &Attempt) -> Option<&ClearingLeg> {
        self.clearing_of(attempt).min_by_key(|line| line.variant_zm)
    }

    /// How many times it was cleared: the larger count of the two variants, which say the same lines.
    #[must_use]
    pub fn times_cleared(&self, attempt: &Attempt) -> usize {
        let zm = self.clearing_of(attempt).filter(|line| line.variant_zm).count();
        let csv = self.clearing_of(attempt).filter(|line| !line.variant_zm).count();
        zm.max(csv)
    }

    /// Payouts of a merchant for a settlement day.
    pub fn payouts_of(&self, merchant: MerchantCode, settle_date: Date) -> impl Iterator<Item = &PayoutLeg> {
        let indexes = self.payout_of.get(&(merchant, settle_date)).map(Vec::as_slice).unwrap_or_default();
        indexes.iter().filter_map(|index| self.payouts.get(*index as usize))
    }

    /// Kind of card: the clearing line says it.
    #[must_use]
    pub fn card_type(&self, attempt: &Attempt) -> CardType {
        self.cleared(attempt).map_or(CardType::Unknown, |line| line.card_type)
    }

    /// What an attempt is: the journal says it, else the wire.
    #[must_use]
    pub fn kind(&self, attempt: &Attempt) -> JournalKind {
        match (self.journal(attempt), self.exchange(attempt)) {
            (Some(journal), _) => journal.kind,
            (None, Some(exchange)) if exchange.type_code == 25 => JournalKind::Refund,
            (None, Some(exchange)) if exchange.type_code == 23 => JournalKind::Void,
            _ => JournalKind::Sale,
        }
    }

    /// The attempt with a terminal's batch and trace.
    #[must_use]
    pub fn attempt_of_terminal(&self, tid: TerminalId, batch: u32, stan: u32, date: Date) -> Option<usize> {
        let key = PaymentKey { date, tid, batch, stan: Some(stan), seq: 0 };
        self.attempts.binary_search_by_key(&key, |attempt| attempt.key).ok()
    }

    /// All observations of an attempt, in the order of its legs.
    #[must_use]
    pub fn observations(&self, attempt: &Attempt) -> Vec<ObservationRef> {
        let mut found = Vec::with_capacity(8);
        found.extend(self.journal(attempt).map(|journal| journal.span.observation(LegKind::Journal)));
        if let Some(exchange) = self.exchange(attempt) {
            found.extend(exchange.spans().map(|span| span.observation(LegKind::Switch)));
            let reversal =
                self.board.reversal_of(exchange).map(|reversal| reversal.spans.as_slice()).unwrap_or_default();
            found.extend(reversal.iter().map(|span| span.observation(LegKind::Switch)));
            let trace = self.board.trace_of(exchange).map(|trace| trace.spans.as_slice()).unwrap_or_default();
            let noted = trace.iter().filter(|noted| exchange.spans().all(|span| span != **noted));
            found.extend(noted.map(|span| span.observation(LegKind::Switch)));
        }
        found.extend(self.clearing_of(attempt).map(|line| line.span.observation(LegKind::Clearing)));
        if let Some(line) = self.cleared(attempt) {
            found.extend(
                self.payouts_of(line.merchant, line.settle_date).map(|payout| payout.span.observation(LegKind::Payout)),
            );
        }
        found
    }

    /// Gives each attempt its clearing lines; a line that fits none becomes an attempt of its own.
    fn pair_clearing(&mut self, zone: &Zone) {
        let mut attempt_of_exchange = vec![u32::MAX; self.board.exchanges.len()];
        for (index, attempt) in self.attempts.iter().enumerate() {
            if let Some(slot) = attempt.exchange.and_then(|exchange| attempt_of_exchange.get_mut(exchange as usize)) {
                *slot = small(index);
            }
        }
        let mut pairs = Vec::with_capacity(self.clearings.len());
        let mut alone: FxHashMap<(u32, u32), u32> = FxHashMap::default();
        for (index, line) in self.clearings.iter().enumerate() {
            let exchange = self.board.of_network(line.stan, line.transmission);
            let found = exchange
                .and_then(|exchange| attempt_of_exchange.get(exchange as usize).copied())
                .filter(|found| *found != u32::MAX);
            let attempt_index = found.unwrap_or_else(|| {
                *alone.entry((line.stan, line.transmission)).or_insert_with(|| {
                    let date = if line.settle_date == Date::default() {
                        transmission_date(line.transmission, &self.board, zone)
                    } else {
                        line.settle_date
                    };
                    let key = PaymentKey { date, tid: line.tid, batch: 0, stan: Some(line.stan), seq: 0 };
                    self.attempts.push(attempt(key, None, None));
                    small(self.attempts.len() - 1)
                })
            });
            pairs.push((attempt_index, small(index)));
        }
        pairs.sort_unstable();
        self.clearing_order = pairs.iter().map(|(_, line)| *line).collect();
        let mut at = 0;
        for group in pairs.chunk_by(|left, right| left.0 == right.0) {
            if let Some(attempt) = group.first().and_then(|(index, _)| self.attempts.get_mut(*index as usize)) {
                attempt.clearing_from = small(at);
                attempt.clearing_len = small(group.len());
            }
            at += group.len();
        }
    }

    /// A terminal that uses a trace number twice in a batch makes two payments of one key: the later ones are numbered.
    fn number_repeats(&mut self) {
        let mut before = None;
        let mut count = 0;
        for attempt in &mut self.attempts {
            let plain = attempt.key;
            count = if before == Some(plain) { count + 1 } else { 0 };
            before = Some(plain);
            if count > 0 {
                attempt.key.seq = count;
            }
        }
    }
}

const fn attempt(key: PaymentKey, journal: Option<u32>, exchange: Option<u32>) -> Attempt {
    Attempt { key, journal, exchange, clearing_from: 0, clearing_len: 0 }
}

/// MMDDhhmmss has no year: the year of the captured traffic, or 1970 when there is none to tell.
fn transmission_date(transmission: u32, board: &Switchboard, zone: &Zone) -> Date {
    let year = board.exchanges.first().map_or(1970, |exchange| zone.local(exchange.requested_at).0.ymd().0);
    Date::from_ymd(year, transmission / 100_000_000, transmission / 1_000_000 % 100).unwrap_or_default()
}

/// Indexes are 32 bits: a window holds fewer than four thousand million rows.
fn small(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}
