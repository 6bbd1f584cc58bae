//! Live detection over what workers counted, and the same over records with a simulated clock.
//!
//! A gateway's process counts what it sees into partial cubes ([`Counter`]), minute by minute, and puts them into the
//! store; one process adds the minutes of all gateways up and looks at them ([`LiveDetection`]). A replay
//! ([`watch_folder`], [`watch_store`]) adds the payments of records at the time at which their end could be known, and
//! lets the same code look. What records alone show after an import is looked at by hours and days (`beyond`).
//!
//! Architecture invariant: nothing here writes a verdict, a case or a ledger line, and judging reads nothing of it.

mod beyond;
mod counter;
mod join;
mod live;
mod observed;
mod replay;
mod rows;
#[cfg(test)]
mod tests;

use onus_casework::Calendar;
use onus_fleet::Registry;
use onus_incident::Policy;
use onus_incident::detector::{DayKind, Settings, When, instant_of};
use onus_incident::live::Live;
use onus_incident::localise;
use onus_model::Zone;
use onus_store::Store;
use onus_store::alarms::AlarmRow;
use onus_store::live::IssuerBinRow;

pub use counter::{Counter, Places, Sighting, Told};
pub use live::{LiveDetection, Looked};
pub use replay::{Watched, WatchedEpisode, watch_folder, watch_store};

pub(crate) use beyond::{Imported, suspicions};

use crate::error::WorkerError;

/// The local time of minutes.
struct Clock {
    zone: Zone,
    calendar: Calendar,
    paydays: Vec<u32>,
}

impl Clock {
    fn new(zone: &Zone, settings: &Settings) -> Result<Self, WorkerError> {
        let calendar = Calendar::builtin_cn().map_err(|error| WorkerError::Config(error.to_string()))?;
        Ok(Self { zone: zone.clone(), calendar, paydays: settings.baseline.paydays.clone() })
    }

    fn when(&self, minute: u32) -> When {
        let at = instant_of(minute);
        let (date, second) = self.zone.local(at);
        let weekend = date.weekday() >= 6;
        // A year that the calendar does not hold has ordinary weeks.
        let worked = if self.calendar.covers(date) { self.calendar.is_working(date) } else { !weekend };
        When::new(at, DayKind::of(date, worked, &self.paydays), second)
    }
}

/// Writes what a judgement showed beside its verdicts: suspicions, which episodes were seen live, and the issuers by
/// which gateways know cards.
pub(crate) fn after_judging(
    store: &Store,
    tenant: &str,
    registry: &Registry,
    suspicions: &[AlarmRow],
) -> Result<(), WorkerError> {
    let row =
        |(bin, (code, _)): (&u32, &(String, String))| IssuerBinRow { bin: i64::from(*bin), issuer_code: code.clone() };
    let issuers: Vec<IssuerBinRow> = registry.issuers.iter().map(row).collect();
    store.write(|tx| {
        onus_store::alarms::clear_records(tx, tenant)?;
        onus_store::alarms::put(tx, tenant, suspicions)?;
        onus_store::live::put_issuers(tx, tenant, &issuers)
    })?;
    join::join(store, tenant)
}

fn settings() -> Result<Settings, WorkerError> {
    Settings::builtin().map_err(|error| WorkerError::Config(error.to_string()))
}

/// Detection that knows nothing yet, as the packs say.
fn fresh() -> Result<Live, WorkerError> {
    let config = |error: &dyn std::fmt::Display| WorkerError::Config(error.to_string());
    let search = localise::Settings::builtin().map_err(|error| config(&error))?.ratio;
    let policy = Policy::builtin().map_err(|error| config(&error))?;
    Ok(Live::new(settings()?, search, policy))
}
