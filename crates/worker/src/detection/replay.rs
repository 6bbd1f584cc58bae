//! Live detection over records, with a simulated clock: what would have been said, and when.

use std::collections::BTreeMap;
use std::path::Path;

use onus_incident::detector::instant_of;
use onus_incident::episode::State;
use onus_incident::live::{Live, LiveEpisode, LoggedAlarm};
use onus_model::{Instant, Zone};
use onus_store::Store;
use onus_store::alarms::AlarmRow;
use onus_store::episodes::EpisodeRow;
use onus_store::tenants::TenantRow;
use onus_store::vault::Vault;

use super::rows::Rows;
use super::{Clock, observed};
use crate::collector::Records;
use crate::error::WorkerError;
use crate::judge::{Survey, survey};
use crate::replay::{folder_records, store_records};
use crate::samples::{Judged, samples};
use crate::terms::Terms;

/// What live detection would have said.
#[derive(Debug, Clone, Default)]
pub struct Watched {
    /// Episodes, in the order in which they were opened.
    pub episodes: Vec<WatchedEpisode>,
    /// Alarms, in the order in which they were raised.
    pub alarms: Vec<AlarmRow>,
}

/// An episode as live detection would have seen it.
#[derive(Debug, Clone)]
pub struct WatchedEpisode {
    /// As it was when it was last seen.
    pub row: EpisodeRow,
    /// When it was opened.
    pub opened_at: Instant,
    /// When its twentieth failure was known.
    pub twentieth_at: Option<Instant>,
    /// Its states, each with the moment at which it came into it.
    pub states: Vec<(Instant, State)>,
}

/// Looks at the files of a folder, without a store, minute by minute.
///
/// # Errors
/// When the folder cannot be listed or a file cannot be read.
pub fn watch_folder(folder: &Path, zone: &Zone, now: Instant) -> Result<Watched, WorkerError> {
    watch(folder_records(folder, zone)?, zone, now)
}

/// Looks at what a store holds, minute by minute.
///
/// # Errors
/// When the store fails or a sealed file does not read.
pub fn watch_store(
    store: &Store,
    vault: &Vault,
    tenant: &TenantRow,
    zone: &Zone,
    now: Instant,
) -> Result<Watched, WorkerError> {
    watch(store_records(store, vault, tenant, zone)?, zone, now)
}

fn watch(mut records: Records, zone: &Zone, now: Instant) -> Result<Watched, WorkerError> {
    records.book.assemble(zone);
    records.registry.settle();
    let seen = survey(&records, &Terms::builtin_cn()?, zone, now);
    pass(&records, &seen, zone)
}

/// Adds the payments at the time at which their end could be known, and looks at each minute when it is over.
pub(super) fn pass(records: &Records, seen: &Survey, zone: &Zone) -> Result<Watched, WorkerError> {
    let mut live = super::fresh()?;
    let settings = live.settings().clone();
    let (clock, rows) = (Clock::new(zone, &settings)?, Rows::new(zone, &settings)?);
    let (book, registry) = (&records.book, &records.registry);
    let judged = Judged { outcomes: &seen.outcomes, owners: &seen.owners, breaks: &seen.breaks };
    let samples = samples(book, registry, &judged);
    let attempts = observed::attempts((book, registry), &samples, seen, &settings, live.symbols());
    let mut said = Said::default();
    for group in attempts.chunk_by(|one, other| one.minute == other.minute) {
        let Some(first) = group.first() else { continue };
        // Minutes without payments pass as well, but not whole nights of them one by one in vain.
        live.tick(first.minute, &|minute| clock.when(minute));
        said.note(&live);
        group.iter().for_each(|attempt| live.add(attempt));
        live.tick(first.minute + 1, &|minute| clock.when(minute));
        said.note(&live);
    }
    Ok(said.told(&rows, &live))
}

/// Everything that was said, also what is forgotten by the end.
#[derive(Default)]
struct Said {
    episodes: BTreeMap<u32, LiveEpisode>,
    alarms: BTreeMap<(u32, String), LoggedAlarm>,
}

impl Said {
    fn note(&mut self, live: &Live) {
        for episode in live.episodes() {
            self.episodes.insert(episode.number, episode.clone());
        }
        for alarm in live.alarms().all() {
            self.alarms.insert((alarm.raised_at, alarm.key()), alarm.clone());
        }
    }

    fn told(self, rows: &Rows, live: &Live) -> Watched {
        let alarms = self.alarms.values().map(|alarm| rows.alarm(alarm, "live")).collect();
        let episodes = self.episodes.into_values().filter_map(|episode| {
            let row = rows.episode(&episode, live.alarms())?;
            Some(WatchedEpisode {
                row,
                opened_at: instant_of(episode.opened_at()),
                twentieth_at: episode.picture.twentieth.map(|minute| instant_of(minute + 1)),
                states: episode.steps.iter().map(|step| (instant_of(step.at), step.state)).collect(),
            })
        });
        Watched { episodes: episodes.collect(), alarms }
    }
}
