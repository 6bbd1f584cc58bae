//! Adds up what all workers counted, lets detection look, and writes down what it says.

use std::collections::BTreeMap;

use onus_incident::cube::Partial;
use onus_incident::detector::{Change, instant_of, minute_of};
use onus_incident::live::Live;
use onus_model::{Instant, Zone};
use onus_store::live::{self as stored, LiveMinuteKey};
use onus_store::{Store, alarms, episodes};

use super::Clock;
use super::rows::Rows;
use crate::error::WorkerError;

/// What a look came to.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Looked {
    /// Minutes that are new or changed.
    pub minutes: usize,
    /// What changed in cells, in minutes looked at for the first time.
    pub changes: Vec<Change>,
    /// Alarms that stand.
    pub alarms: usize,
    /// Episodes that are not over.
    pub episodes: usize,
}

/// Live detection of one tenant, over a store.
pub struct LiveDetection {
    store: Store,
    tenant: String,
    clock: Clock,
    rows: Rows,
    live: Live,
    /// Which versions were taken in, by minute.
    held: BTreeMap<i64, Vec<(String, i64)>>,
    turn: i64,
    checkpoint: Option<u32>,
}

impl LiveDetection {
    /// Goes on from what the store knows. A state of other settings is left behind, and history begins anew.
    ///
    /// # Errors
    /// When the store fails, or the packs do not read.
    pub fn new(store: Store, tenant: &str, zone: &Zone) -> Result<Self, WorkerError> {
        let live = super::fresh()?;
        let clock = Clock::new(zone, live.settings())?;
        let mut detection = Self {
            rows: Rows::new(zone, live.settings())?,
            store,
            tenant: tenant.to_owned(),
            clock,
            live,
            held: BTreeMap::new(),
            turn: 0,
            checkpoint: None,
        };
        detection.load()?;
        Ok(detection)
    }

    fn load(&mut self) -> Result<(), WorkerError> {
        self.live = super::fresh()?;
        self.held.clear();
        (self.turn, self.checkpoint) = (0, None);
        let Some(state) = stored::state(&self.store, &self.tenant)? else { return Ok(()) };
        self.turn = state.turn;
        let texts = unpack(&state.checkpoint).and_then(|checkpoint| Ok((checkpoint, unpack(&state.progress)?)));
        // What does not read is of another version: detection begins anew, from the minutes that are there.
        if let Ok((checkpoint, progress)) = texts {
            let _ = self.live.go_on(&checkpoint, &progress);
        }
        Ok(())
    }

    /// Looks at all minutes that are over by `now`, and at those that changed.
    ///
    /// # Errors
    /// When the store fails or a minute does not read; nothing is lost, and the next look tries again.
    pub fn look(&mut self, now: Instant) -> Result<Looked, WorkerError> {
        let settings = self.live.settings();
        let until = minute_of(now.plus_seconds(-i64::from(settings.live.settle_seconds)));
        let from = i64::from(until) - i64::from(settings.cube.minutes);
        let minutes = self.take_in(from, until)?;
        if self.live.looked_at().is_none() && self.held.is_empty() {
            return Ok(Looked::default());
        }
        let before = self.live.looked_at();
        let changes = self.live.tick(until, &|minute| self.clock.when(minute));
        if minutes > 0 || self.live.looked_at() != before {
            self.write(now)?;
        }
        Ok(Looked {
            minutes,
            changes,
            alarms: self.live.alarms().all().iter().filter(|alarm| alarm.stands()).count(),
            episodes: self.live.episodes().iter().filter(|episode| episode.state().is_live()).count(),
        })
    }

    /// Takes in minutes that are over, where a worker has another version than the one that was taken in.
    fn take_in(&mut self, from: i64, until: u32) -> Result<usize, WorkerError> {
        let keys = self.store.read(|tx| stored::minute_keys(tx, &self.tenant, from))?;
        let mut there: BTreeMap<i64, Vec<(String, i64)>> = BTreeMap::new();
        for LiveMinuteKey { instance, minute, version } in keys {
            // A worker whose clock is ahead is waited for.
            if minute < i64::from(until) {
                there.entry(minute).or_default().push((instance, version));
            }
        }
        let mut taken = 0;
        for (minute, versions) in there {
            if self.held.get(&minute) == Some(&versions) {
                continue;
            }
            let rows = self.store.read(|tx| stored::minute(tx, &self.tenant, minute))?;
            let mut partials = Vec::with_capacity(rows.len());
            for row in &rows {
                let bytes = zstd::decode_all(row.body.as_slice());
                let bytes =
                    bytes.map_err(|error| WorkerError::Config(format!("a minute of {}: {error}", row.instance)))?;
                let partial = Partial::from_bytes(&bytes);
                partials.push(
                    partial.map_err(|error| WorkerError::Config(format!("a minute of {}: {error}", row.instance)))?,
                );
            }
            let Ok(number) = u32::try_from(minute) else { continue };
            self.live.set_minute(number, &partials.iter().collect::<Vec<_>>());
            self.held.insert(minute, rows.into_iter().map(|row| (row.instance, row.version)).collect());
            taken += 1;
        }
        self.held.retain(|minute, _| *minute >= from);
        Ok(taken)
    }

    /// Writes down what is said now; when another process was first, what it said counts, and this one goes on from there.
    fn write(&mut self, now: Instant) -> Result<(), WorkerError> {
        let state = |error: onus_incident::detector::StateError| WorkerError::Config(error.to_string());
        let progress = self.live.progress().map_err(state)?;
        let is_newer = self.live.checkpoint_minute() != self.checkpoint;
        let newer = if is_newer { self.live.checkpoint().map_err(state)? } else { None };
        let packed = newer.as_ref().map(|(_, text)| pack(text)).transpose()?;
        let body = pack(&progress)?;
        let said = self.live.alarms().all().iter().map(|alarm| self.rows.alarm(alarm, "live")).collect::<Vec<_>>();
        let told =
            self.live.episodes().iter().filter_map(|it| self.rows.episode(it, self.live.alarms())).collect::<Vec<_>>();
        let keep_from = now.plus_seconds(-86_400 * i64::from(self.live.settings().live.keep_days));
        // Alarms that ended longer ago are not in memory any more.
        let held = self.live.looked_at().unwrap_or_default().saturating_sub(self.live.settings().cube.minutes);
        let known_since = instant_of(held).0;
        let (tenant, turn) = (self.tenant.as_str(), self.turn);
        let taken = self.store.write(|tx| {
            if !stored::put_state(tx, tenant, turn, &body, packed.as_deref())? {
                return Ok(false);
            }
            alarms::replace_live(tx, tenant, &said, known_since)?;
            episodes::put_live(tx, tenant, &told)?;
            alarms::forget(tx, tenant, keep_from.0)?;
            Ok(true)
        })?;
        if !taken {
            return self.load();
        }
        self.turn += 1;
        if let Some((minute, _)) = newer {
            self.checkpoint = Some(minute);
        }
        Ok(())
    }
}

fn pack(text: &str) -> Result<Vec<u8>, WorkerError> {
    zstd::encode_all(text.as_bytes(), 1).map_err(|error| WorkerError::Config(format!("packing a state: {error}")))
}

fn unpack(body: &[u8]) -> Result<String, WorkerError> {
    let bytes = zstd::decode_all(body).map_err(|error| WorkerError::Config(format!("unpacking a state: {error}")))?;
    String::from_utf8(bytes).map_err(|error| WorkerError::Config(format!("unpacking a state: {error}")))
}
