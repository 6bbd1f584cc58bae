//! One worker's counts: what a gateway tells of each sale, as minutes of a partial cube.

use std::collections::BTreeSet;

use onus_incident::cube::{Attempt, Cube, Dimension, Latency, Leaf, Outcome, Symbols, amount_bin};
use onus_incident::detector::{Settings, minute_of};
use onus_model::Instant;
use onus_store::live::{self, LiveMinuteRow};
use onus_store::{Store, StoreError, Tx};
use rustc_hash::FxHashMap;

use crate::error::WorkerError;

/// What became known of a sale.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told<'a> {
    /// A code came in time: by `host` or `gateway`, after so many milliseconds.
    Answered {
        /// The code.
        code: &'a str,
        /// Who wrote it.
        hop: &'static str,
        /// How long it took.
        after_ms: u64,
    },
    /// The host's time is over.
    Silent,
    /// The host answered, but too late.
    Late,
    /// A reversal was sent.
    Reversed,
}

/// One fact about one sale.
#[derive(Debug, Clone, Copy)]
pub struct Sighting<'a> {
    /// Identity: the same in all facts of one sale.
    pub id: u64,
    /// When this became known.
    pub at: Instant,
    /// What.
    pub told: Told<'a>,
    /// Terminal number.
    pub tid: &'a str,
    /// Name of the host, or empty.
    pub host: &'a str,
    /// Amount.
    pub amount_minor: u64,
    /// Entry mode (field 22).
    pub entry_mode: Option<u16>,
    /// With PIN.
    pub pin: bool,
    /// The first six digits of the card number.
    pub bin: Option<u32>,
    /// Program version, or empty.
    pub app_version: &'a str,
}

/// What the registers say of terminals and cards.
#[derive(Debug, Clone, Default)]
pub struct Places {
    terminals: FxHashMap<String, live::PlaceRow>,
    issuers: FxHashMap<u32, String>,
}

impl Places {
    /// As the store has them now.
    ///
    /// # Errors
    /// When the store fails.
    pub fn read(store: &Store, tenant: &str) -> Result<Self, StoreError> {
        store.read(|tx| {
            let terminals = live::places(tx, tenant)?.into_iter().map(|row| (row.tid.clone(), row)).collect();
            let bins = live::issuers(tx, tenant)?.into_iter();
            let issuers = bins.filter_map(|row| Some((u32::try_from(row.bin).ok()?, row.issuer_code))).collect();
            Ok(Self { terminals, issuers })
        })
    }
}

/// Counts the sales of one worker.
#[derive(Debug)]
pub struct Counter {
    settings: Settings,
    instance: String,
    places: Places,
    symbols: Symbols,
    cube: Cube,
    /// Attempts that may be corrected: two generations.
    recent: FxHashMap<u64, Attempt>,
    older: FxHashMap<u64, Attempt>,
    /// Minutes that changed since they were handed over.
    changed: BTreeSet<u32>,
    version: i64,
    /// Facts about sales that are not remembered any more.
    forgotten: u64,
}

impl Counter {
    /// A counter of a worker. Its name must be new with each start: what an earlier process counted stays counted.
    ///
    /// # Errors
    /// When the settings do not read.
    pub fn new(instance: String, places: Places) -> Result<Self, WorkerError> {
        let settings = super::settings()?;
        Ok(Self {
            cube: Cube::new(settings.cube.clone()),
            settings,
            instance,
            places,
            symbols: Symbols::default(),
            recent: FxHashMap::default(),
            older: FxHashMap::default(),
            changed: BTreeSet::new(),
            version: 0,
            forgotten: 0,
        })
    }

    /// From now on, these registers count.
    pub fn set_places(&mut self, places: Places) {
        self.places = places;
    }

    /// Facts about sales that came too late to be taken in.
    #[must_use]
    pub const fn forgotten(&self) -> u64 {
        self.forgotten
    }

    /// Takes one fact in. A first fact counts in the minute in which it became known, a later one corrects it there.
    pub fn see(&mut self, sighting: &Sighting<'_>) {
        let known = self.recent.get(&sighting.id).or_else(|| self.older.get(&sighting.id)).copied();
        // The same numbers long after are another sale.
        let within = self.settings.live.rewind_minutes;
        let known = known.filter(|known| minute_of(sighting.at).saturating_sub(known.minute) <= within);
        match (sighting.told, known) {
            (Told::Answered { code, hop, after_ms }, before) => {
                let (outcome, latency) = (self.settings.codes.outcome(code), self.settings.latency.band(after_ms));
                self.set(sighting, before, |attempt| Attempt { outcome, latency, ..attempt }, hop);
            }
            (Told::Silent, None) => {
                self.set(sighting, None, |attempt| Attempt { outcome: Outcome::NoAnswer, ..attempt }, "");
            }
            (Told::Late, before) => {
                let late = |attempt| Attempt { outcome: Outcome::NoAnswer, latency: Latency::Late, ..attempt };
                self.set(sighting, before, late, "");
            }
            (Told::Reversed, Some(before)) if !before.reversed => {
                self.replace(sighting.id, Some(before), Attempt { reversed: true, ..before });
            }
            // Once silent is silent; a reversal of a sale that nobody remembers says nothing.
            (Told::Silent | Told::Reversed, Some(_)) => {}
            (Told::Reversed, None) => self.forgotten += 1,
        }
    }

    fn set(
        &mut self,
        sighting: &Sighting<'_>,
        before: Option<Attempt>,
        with: impl FnOnce(Attempt) -> Attempt,
        hop: &str,
    ) {
        let first = before.unwrap_or_else(|| self.attempt(sighting));
        let leaf = if hop.is_empty() {
            first.leaf
        } else {
            first.leaf.with(Dimension::Hop, self.symbols.intern(Dimension::Hop, hop))
        };
        self.replace(sighting.id, before, with(Attempt { leaf, ..first }));
    }

    fn replace(&mut self, id: u64, before: Option<Attempt>, now: Attempt) {
        match before {
            Some(before) if before == now => return,
            Some(before) => self.cube.correct(&before, &now),
            None => self.cube.add(&now),
        }
        self.changed.insert(now.minute);
        if self.recent.len() >= self.settings.live.remembered / 2 {
            self.older = std::mem::take(&mut self.recent);
        }
        self.recent.insert(id, now);
    }

    fn attempt(&mut self, sighting: &Sighting<'_>) -> Attempt {
        let mut leaf = Leaf::default().with(Dimension::Amount, amount_bin(sighting.amount_minor));
        let symbols = &mut self.symbols;
        let mut set = |dimension: Dimension, name: &str| {
            if !name.is_empty() {
                leaf = leaf.with(dimension, symbols.intern(dimension, name));
            }
        };
        set(Dimension::AcquirerLink, sighting.host);
        set(Dimension::EntryMode, crate::samples::entry_name(sighting.entry_mode.unwrap_or_default()));
        set(Dimension::Pin, if sighting.pin { "pin" } else { "no_pin" });
        let mut version = sighting.app_version.trim();
        if let Some(place) = self.places.terminals.get(sighting.tid) {
            set(Dimension::City, &place.city);
            set(Dimension::Agent, &place.agent_code);
            set(Dimension::TerminalModel, &place.model);
            set(Dimension::ProductionBatch, &place.production_batch);
            set(Dimension::MerchantCategory, &place.mcc);
            if version.is_empty() {
                version = &place.app_version;
            }
        }
        set(Dimension::AppVersion, version);
        if let Some(bin) = sighting.bin {
            set(Dimension::Bin, &bin.to_string());
            set(Dimension::Issuer, self.places.issuers.get(&bin).map_or("", String::as_str));
        }
        Attempt {
            minute: minute_of(sighting.at),
            leaf,
            outcome: Outcome::Approved,
            latency: Latency::Usual,
            reversed: false,
            amount_minor: sighting.amount_minor,
            id: sighting.id,
        }
    }

    /// Puts minutes into the store that are over and changed; gives how many.
    ///
    /// # Errors
    /// When the store fails; the minutes are handed over the next time.
    pub fn hand_over(&mut self, store: &Store, tenant: &str, now: Instant) -> Result<usize, WorkerError> {
        let current = minute_of(now);
        let over: Vec<u32> = self.changed.range(..current).copied().collect();
        if over.is_empty() {
            return Ok(0);
        }
        let mut rows = Vec::with_capacity(over.len());
        for minute in &over {
            let Some(partial) = self.cube.partial(*minute, &self.symbols) else { continue };
            let bytes = partial.to_bytes().map_err(|error| WorkerError::Config(error.to_string()))?;
            let body = zstd::encode_all(bytes.as_slice(), 1)
                .map_err(|error| WorkerError::Config(format!("packing a minute: {error}")))?;
            self.version += 1;
            let (instance, version) = (self.instance.clone(), self.version);
            rows.push(LiveMinuteRow { instance, minute: i64::from(*minute), version, body });
        }
        let keep_from = i64::from(current) - i64::from(self.settings.cube.minutes);
        store.write(|tx: &mut Tx<'_>| live::put_minutes(tx, tenant, &rows, keep_from))?;
        for minute in &over {
            self.changed.remove(minute);
        }
        Ok(over.len())
    }
}
