//! The registers of the store as the gateway's gate needs them.

use std::collections::BTreeMap;

use anyhow::Result;
use onus_gateway::SmallText;
use onus_gateway::snapshot::{Quarantine, Snapshot, SnapshotRows, Standing, TerminalRow};
use onus_model::Instant;
use onus_store::Scope;
use onus_store::registry;

use crate::home::Home;

/// A snapshot with this number of what the store holds now.
pub(crate) fn snapshot(home: &Home, number: u64, at: Instant) -> Result<Snapshot> {
    let scope = Scope::all(&home.tenant.id);
    let mut by_tid: BTreeMap<SmallText<8>, TerminalRow> = BTreeMap::new();
    home.store.read(|tx| {
        registry::for_each_terminal(tx, &scope, |row| {
            if let Some(terminal) = terminal(&row) {
                // A number that two devices carry is the one that is in use.
                let known = by_tid.get(&terminal.tid).is_some_and(|known| known.standing == Standing::Active);
                if !known {
                    by_tid.insert(terminal.tid, terminal);
                }
            }
            Ok(())
        })
    })?;
    let rows = SnapshotRows { terminals: by_tid.into_values().collect(), app_codes: Vec::new() };
    Ok(Snapshot::build(number, at, &rows)?)
}

/// What the store does not hold (place, account, versions allowed, grade) stays unknown.
fn terminal(row: &registry::TerminalRow) -> Option<TerminalRow> {
    let (standing, quarantine) = match row.state.as_str() {
        "suspect" => (Standing::Active, Some(Quarantine::Suspected)),
        "quarantined" | "tampered" => (Standing::Active, Some(Quarantine::Tampered)),
        "lost" | "stolen" => (Standing::Active, Some(Quarantine::Lost)),
        "recalled" => (Standing::Active, Some(Quarantine::Recalled)),
        "retired" | "scrapped" => (Standing::Retired, None),
        "suspended" => (Standing::Suspended, None),
        _ => (Standing::Active, None),
    };
    Some(TerminalRow {
        tid: SmallText::new(row.tid.as_bytes())?,
        standing,
        quarantine,
        merchant: SmallText::new(row.merchant_code.as_bytes()),
        serial: SmallText::new(row.serial.as_bytes()),
        acquirer: None,
        account: None,
        place: None,
        app_versions: Vec::new(),
        grade: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_says_standing_and_quarantine() {
        let table = [
            ("active", Standing::Active, None),
            ("watch", Standing::Active, None),
            ("suspect", Standing::Active, Some(Quarantine::Suspected)),
            ("tampered", Standing::Active, Some(Quarantine::Tampered)),
            ("suspended", Standing::Suspended, None),
            ("retired", Standing::Retired, None),
        ];
        for (state, standing, quarantine) in table {
            let row = registry::TerminalRow {
                tid: "52307722".into(),
                serial: "3103B3118063327".into(),
                merchant_code: "899523054110001".into(),
                state: state.into(),
                ..registry::TerminalRow::default()
            };
            let found = terminal(&row).unwrap();
            assert_eq!((found.standing, found.quarantine), (standing, quarantine), "{state}");
            assert_eq!(found.merchant.unwrap().as_str(), "899523054110001");
        }
        assert_eq!(terminal(&registry::TerminalRow::default()), None, "no number, no row");
    }
}
