//! Terminals beside an episode of diverted money that no record speaks against, and how likely they belong to it.

use onus_fleet::Registry;
use onus_incident::episode::unproven::{Unproven, unproven};
use onus_incident::{Dim, Family, Found, Policy, Witness};
use onus_model::Instant;
use rustc_hash::FxHashSet;

use crate::samples::Samples;

const DAY_SECONDS: i64 = 86_400;

/// For each episode its further terminals; empty for all but diverted money.
pub(crate) fn beside(
    registry: &Registry,
    samples: &mut Samples,
    witnesses: &[Witness],
    found: &[Found],
    policy: &Policy,
) -> Vec<Vec<Unproven>> {
    let witnessed: FxHashSet<u32> =
        witnesses.iter().filter(|it| it.family == Family::Diverted).map(|it| value(&it.dims, Dim::Terminal)).collect();
    found
        .iter()
        .map(|found| {
            if found.family != Family::Diverted {
                return Vec::new();
            }
            let overdue = overdue(registry, samples, values(found, Dim::Agent), found.since);
            let named: FxHashSet<u32> = values(found, Dim::Terminal).iter().copied().collect();
            let given_away: Vec<u32> = named.iter().filter(|it| !witnessed.contains(it)).copied().collect();
            // The condition must be theirs without exception, or it tells nothing.
            if !given_away.iter().all(|it| overdue.contains(it)) {
                return Vec::new();
            }
            let alike: Vec<u32> = overdue.into_iter().filter(|it| !named.contains(it)).collect();
            unproven(&samples.samples, found, &given_away, &alike, &policy.unproven)
        })
        .collect()
}

/// Terminals of the agents that no periodic inspection has passed within the interval that the agent owes.
fn overdue(registry: &Registry, samples: &mut Samples, agents: &[u32], at: Instant) -> FxHashSet<u32> {
    let agents: FxHashSet<String> = agents.iter().map(|agent| samples.names.text(*agent).to_owned()).collect();
    let mut found = FxHashSet::default();
    // In order, so that whoever gets a number here gets the same one every time.
    let mut terminals: Vec<_> = registry.terminals.values().collect();
    terminals.sort_by_key(|terminal| terminal.tid);
    for terminal in terminals {
        let merchant = registry.bound_merchant(&terminal.serial, at);
        let Some(agent) = merchant.and_then(|code| registry.agent_of(code)).filter(|it| agents.contains(&it.code))
        else {
            continue;
        };
        let due = at.plus_seconds(-agent.inspection_interval_days.saturating_mul(DAY_SECONDS));
        if registry.inspected_at(&terminal.serial, at).is_none_or(|passed| passed < due) {
            found.insert(samples.names.number(terminal.tid.as_str()));
        }
    }
    found
}

fn values(found: &Found, dim: Dim) -> &[u32] {
    found.scope.iter().find(|(it, _)| *it == dim).map(|(_, values)| values.as_slice()).unwrap_or_default()
}

fn value(dims: &[u32], dim: Dim) -> u32 {
    dims.get(dim as usize).copied().unwrap_or_default()
}
