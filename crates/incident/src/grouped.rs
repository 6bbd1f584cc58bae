//! Faults that records prove one by one: put together by what they share, and named with what the registers witness.

use std::collections::{BTreeMap, BTreeSet};

use onus_model::Instant;

use crate::{
    evidence::{BIT, contrast},
    found::{Found, Rate, leading_class},
    policy::FamilyPolicy,
    sample::{DIMS, Dim, Family, Sample},
};

/// A register shows that a terminal or merchant belongs to a family of faults, with or without a failed payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Witness {
    /// The family.
    pub family: Family,
    /// Since when.
    pub at: Instant,
    /// Its values by dimension; 0 where there is none or it is not known.
    pub dims: [u32; DIMS],
}

/// Episodes of a family whose failures are proven: one a group that has enough of them.
///
/// A witness adds a name to a group that has failures; alone it opens nothing.
pub(crate) fn grouped(samples: &[Sample], witnesses: &[Witness], policy: &FamilyPolicy) -> Vec<Found> {
    let Some(name_by) = policy.name_by else { return Vec::new() };
    let key = |dims: &[u32; DIMS]| -> Vec<u32> { policy.group_by.iter().map(|dim| value(dims, *dim)).collect() };
    let mut groups: BTreeMap<Vec<u32>, Vec<u32>> = BTreeMap::new();
    for (index, sample) in (0u32..).zip(samples) {
        if sample.fails_in(policy.family) {
            groups.entry(key(&sample.dims)).or_default().push(index);
        }
    }
    let seen = |group: Vec<u32>, members: Vec<u32>| {
        let own = |witness: &&Witness| witness.family == policy.family && key(&witness.dims) == group;
        let named = witnesses.iter().filter(own).collect::<Vec<_>>();
        let of_members = members.iter().filter_map(|member| samples.get(*member as usize)).map(|sample| sample.dims);
        let names: BTreeSet<u32> = of_members
            .chain(named.iter().map(|witness| witness.dims))
            .map(|dims| value(&dims, name_by))
            .filter(|value| *value != 0)
            .collect();
        let since = named.iter().map(|witness| witness.at).min();
        let mut scope: Vec<(Dim, Vec<u32>)> =
            policy.group_by.iter().zip(&group).map(|(dim, value)| (*dim, vec![*value])).collect();
        scope.push((name_by, names.into_iter().collect()));
        settle(samples, policy, scope, since, members)
    };
    let mut found: Vec<Found> = groups.into_iter().filter_map(|(group, members)| seen(group, members)).collect();
    found.sort_by_key(|found| (std::cmp::Reverse(found.failures), found.started_at));
    found.truncate(policy.max_episodes as usize);
    found
}

fn settle(
    samples: &[Sample],
    policy: &FamilyPolicy,
    scope: Vec<(Dim, Vec<u32>)>,
    since: Option<Instant>,
    members: Vec<u32>,
) -> Option<Found> {
    let (first, last) = (*members.first()? as usize, *members.last()? as usize);
    let (mut inside, mut all) = (Rate::default(), Rate::default());
    for (index, sample) in samples.iter().enumerate() {
        let failed = sample.fails_in(policy.family);
        all.add(failed);
        if (first..=last).contains(&index) && in_scope(sample, &scope) {
            inside.add(failed);
        }
    }
    let bits = contrast(inside, all);
    if inside.failures < policy.min_failures || bits < i64::from(policy.min_evidence_bits) * BIT {
        return None;
    }
    let (begin, end) = (samples.get(first)?.at, samples.get(last)?.at);
    let going_on = samples.last()?.at.seconds_since(end) <= i64::from(policy.closing_gap_seconds);
    Some(Found {
        family: policy.family,
        class: leading_class(samples, &members, policy.family),
        benign: policy.benign,
        scope,
        since: since.map_or(begin, |since| since.min(begin)),
        started_at: begin,
        ended_at: (!going_on).then_some(end),
        attempts: inside.attempts,
        failures: inside.failures,
        baseline_ppm: all.minus(inside).ppm(),
        rate_ppm: inside.ppm(),
        confirmed: bits >= i64::from(policy.confirm_evidence_bits) * BIT,
        excluded: Vec::new(),
        members,
    })
}

/// Whether a sample has a value of each dimension of a scope.
pub(crate) fn in_scope(sample: &Sample, scope: &[(Dim, Vec<u32>)]) -> bool {
    scope.iter().all(|(dim, values)| values.binary_search(&value(&sample.dims, *dim)).is_ok())
}

pub(crate) fn value(dims: &[u32; DIMS], dim: Dim) -> u32 {
    dims.get(dim as usize).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        detect::detect_with,
        policy::Policy,
        sample::FailureClass,
        streams::{Stream, at},
    };

    fn day(hit: impl Fn(&Sample) -> bool) -> Stream {
        let mut stream = Stream::quiet(4, 20_000);
        stream.fail(|sample, rng| (hit(sample) && rng.chance(400_000)).then_some(FailureClass::Diverted));
        stream
    }

    #[test]
    fn proven_failures_are_put_together_and_named_with_what_registers_witness() {
        let stream = day(|sample| [31, 32].contains(&sample.dims[6]) || sample.dims[6] == 250);
        let other = stream.samples.iter().find(|sample| sample.dims[6] == 35).unwrap().dims;
        let witness = |family, dims| Witness { family, at: at("04:00"), dims };
        let elsewhere = stream.samples.iter().find(|sample| sample.dims[6] == 390).unwrap().dims;
        // One of the same agent, one of an agent without failures, one of another family.
        let witnesses =
            [witness(Family::Diverted, other), witness(Family::Diverted, elsewhere), witness(Family::KeySync, other)];
        let found = detect_with(&stream.samples, &witnesses, &Policy::builtin().unwrap());
        let scopes: Vec<_> = found.iter().map(|found| found.scope.clone()).collect();
        let agent = |terminal: u32| stream.samples.iter().find(|it| it.dims[6] == terminal).unwrap().dims[3];
        assert_eq!(
            scopes,
            [
                vec![(Dim::Agent, vec![agent(31)]), (Dim::Terminal, vec![31, 32, 35])],
                vec![(Dim::Agent, vec![agent(250)]), (Dim::Terminal, vec![250])],
            ]
        );
        assert_eq!(found[0].since, at("04:00"));
        assert!(found[0].started_at > at("06:00") && found[1].since == found[1].started_at);
        assert!(found.iter().all(|found| found.failures == found.members.len() as u64));
    }

    #[test]
    fn few_are_no_episode_and_a_witness_alone_opens_nothing() {
        let mut stream = Stream::quiet(4, 20_000);
        let dims = stream.samples[0].dims;
        for sample in stream.samples.iter_mut().take(3) {
            sample.class = FailureClass::Diverted;
        }
        let witness = Witness { family: Family::Misdirected, at: at("04:00"), dims };
        assert!(detect_with(&stream.samples, &[witness], &Policy::builtin().unwrap()).is_empty());
    }
}
