//! What the registers witness about terminals and merchants, for episodes whose failures records prove.

use onus_fleet::{AccountStanding, Registry};
use onus_incident::{DIMS, Dim, FailureClass, Family, Policy, Witness};
use onus_model::Instant;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::samples::Samples;

const EVER: Instant = Instant(i64::MAX);

/// All witnesses, in no order. The samples say which terminals are proven and give names their numbers.
pub(crate) fn witnesses(registry: &Registry, samples: &mut Samples, policy: &Policy) -> Vec<Witness> {
    let mut found = Vec::new();
    let proven: FxHashSet<String> = samples
        .samples
        .iter()
        .filter(|sample| sample.class == FailureClass::Diverted)
        .filter_map(|sample| sample.dims.get(Dim::Terminal as usize))
        .map(|number| samples.names.text(*number).to_owned())
        .collect();
    let first_visits = first_visits(registry, &proven);
    for terminal in registry.terminals.values() {
        let merchant = registry.bound_merchant(&terminal.serial, EVER);
        let agent = merchant.and_then(|code| registry.merchants.get(&code)).map_or("", |it| it.agent_code.as_str());
        let integrity = registry.integrity(&terminal.serial, EVER);
        let mut says = |family: Family, at: Instant| {
            let mut dims = [0; DIMS];
            set(&mut dims, Dim::Agent, samples.names.number(agent));
            set(&mut dims, Dim::Terminal, samples.names.number(terminal.tid.as_str()));
            found.push(Witness { family, at, dims });
        };
        // A reload that nobody read back counts once the same agent's visits are known to have left bad programs.
        let visit = registry
            .program_visit(&terminal.serial, EVER)
            .filter(|visit| first_visits.get(&visit.by).is_some_and(|first| *first <= visit.at));
        let bad = [integrity.bad_hash, integrity.tamper_switch].into_iter().flatten().map(|report| report.at);
        if let Some(at) = bad.chain(visit.map(|visit| visit.at)).min() {
            says(Family::Diverted, at);
        }
        if let Some(report) = integrity.moved {
            says(Family::Displaced, report.at);
        }
        let repairs = registry.repairs_without_keys(&terminal.serial, policy.witness.key_grace_minutes);
        if let Some(at) = repairs.map(|repair| repair.at).min() {
            says(Family::KeySync, at);
        }
    }
    for account in registry.accounts() {
        let standing = registry.account_standing(account.merchant, &account.account_no, account.valid_from);
        if !matches!(standing, AccountStanding::ChangedWithoutControl(_)) || !account.by_agent() {
            continue;
        }
        let agent = registry.agent_of(account.merchant).map_or("", |agent| agent.code.as_str());
        let mut dims = [0; DIMS];
        set(&mut dims, Dim::Agent, samples.names.number(agent));
        set(&mut dims, Dim::Merchant, samples.names.number(account.merchant.as_str()));
        found.push(Witness { family: Family::Misdirected, at: account.valid_from, dims });
    }
    found
}

/// By agent: its first visit that left a program which diverts money.
fn first_visits(registry: &Registry, proven: &FxHashSet<String>) -> FxHashMap<String, Instant> {
    let mut first: FxHashMap<String, Instant> = FxHashMap::default();
    for terminal in registry.terminals.values().filter(|terminal| proven.contains(terminal.tid.as_str())) {
        if let Some(visit) = registry.program_visit(&terminal.serial, EVER) {
            let known = first.entry(visit.by.clone()).or_insert(visit.at);
            *known = (*known).min(visit.at);
        }
    }
    first
}

fn set(dims: &mut [u32; DIMS], dim: Dim, value: u32) {
    if let Some(slot) = dims.get_mut(dim as usize) {
        *slot = value;
    }
}
