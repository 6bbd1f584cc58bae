//! Crates and their floors: a crate uses only crates of floors below its own.

use std::path::Path;

use anyhow::Context as _;

use crate::runner;

/// Crate and floor, as in ARCHITECTURE.md. A new crate must be entered here first.
const FLOORS: [(&str, u8); 16] = [
    ("onus-model", 1),
    ("onus-iso8583", 1),
    ("onus-reconcile", 2),
    ("onus-incident", 2),
    ("onus-liability", 2),
    ("onus-casework", 2),
    ("onus-ledger", 2),
    ("onus-evidence", 2),
    ("onus-fleet", 2),
    ("onus-intake", 3),
    ("onus-store", 3),
    ("onus-gateway", 4),
    ("onus-simulator", 4),
    ("onus-worker", 4),
    ("onus-server", 4),
    ("onus", 5),
];

/// Pairs on one floor that may know each other: the server runs the worker's jobs.
const NEIGHBOURS: [(&str, &str); 1] = [("onus-server", "onus-worker")];

/// Crates that stand beside the house and use no room of it.
const BESIDE: [&str; 1] = ["xtask"];

/// One use of a room by another, from `cargo metadata`.
struct Use {
    user: String,
    used: String,
}

pub(super) fn check(root: &Path) -> anyhow::Result<Vec<String>> {
    let (crates, uses) = read_metadata(root)?;
    Ok(faults(&crates, &uses))
}

fn faults(crates: &[String], uses: &[Use]) -> Vec<String> {
    let mut faults = Vec::new();
    for name in crates {
        if floor(name).is_none() && !BESIDE.contains(&name.as_str()) {
            faults.push(format!("{name}: has no floor; enter it in xtask/src/tidy/floors.rs and ARCHITECTURE.md"));
        }
    }
    for Use { user, used } in uses {
        let (Some(below), Some(above)) = (floor(used), floor(user)) else {
            faults.push(format!("{user}: uses {used}, but one of them stands outside the house"));
            continue;
        };
        if below >= above && !NEIGHBOURS.contains(&(user, used)) {
            faults.push(format!(
                "{user}: on floor {above} uses {used} on floor {below}; a crate uses only floors below its own"
            ));
        }
    }
    faults
}

fn floor(name: &str) -> Option<u8> {
    FLOORS.iter().find(|(room, _)| *room == name).map(|(_, floor)| *floor)
}

/// Workspace crates, and which of them use which (tests may look anywhere, so dev uses are left out).
fn read_metadata(root: &Path) -> anyhow::Result<(Vec<String>, Vec<Use>)> {
    let metadata = runner::metadata(root)?;
    let packages = metadata["packages"].as_array().context("cargo metadata has no packages")?;
    let mut crates = Vec::new();
    let mut uses = Vec::new();
    for package in packages {
        let user = package["name"].as_str().context("a package has no name")?;
        crates.push(user.to_owned());
        for dependency in package["dependencies"].as_array().into_iter().flatten() {
            let ours = dependency["path"].is_string();
            let for_tests = dependency["kind"] == "dev";
            if let (true, false, Some(used)) = (ours, for_tests, dependency["name"].as_str()) {
                uses.push(Use { user: user.to_owned(), used: used.to_owned() });
            }
        }
    }
    Ok((crates, uses))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn up_and_sideways_are_faults() {
        let table = [
            ("onus-ledger", "onus-model", true),
            ("onus", "onus-server", true),
            ("onus-server", "onus-worker", true),
            ("onus-worker", "onus-server", false),
            ("onus-ledger", "onus-casework", false),
            ("onus-model", "onus-store", false),
            ("xtask", "onus-model", false),
        ];
        for (user, used, allowed) in table {
            let uses = [Use { user: user.to_owned(), used: used.to_owned() }];
            assert_eq!(faults(&[], &uses).is_empty(), allowed, "{user} -> {used}");
        }
        assert_eq!(faults(&["onus-attic".to_owned()], &[]).len(), 1);
        assert!(faults(&["xtask".to_owned(), "onus".to_owned()], &[]).is_empty());
    }
}
