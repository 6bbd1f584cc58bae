//! Which further terminals may belong to an episode although no record shows it.
//!
//! A program that diverts money now and then and reports a good hash leaves nothing behind until it diverts. Such a
//! terminal is in no scope, for nothing says so; but how likely it is can be said, by the terminals in the same
//! condition that were found out by their payments alone, and by the payments that would have shown it.

use std::collections::BTreeMap;

use crate::{
    found::{Found, Rate},
    grouped::value,
    policy::UnprovenPolicy,
    sample::{Dim, Sample},
};

const MILLION: u64 = 1_000_000;

/// Rounds in which the share of bad ones and the single chances settle.
const ROUNDS: usize = 24;

/// A terminal that no record speaks against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unproven {
    /// The terminal.
    pub value: u32,
    /// Its payments since the episode began.
    pub payments: u64,
    /// Those among them that would have shown it, had they been touched: not below the least amount touched.
    pub telling: u64,
    /// How likely it belongs to the episode, in millionths.
    pub chance_ppm: u64,
}

/// Weighs terminals (`alike`) that share the condition of those that only their own payments gave away (`given_away`).
///
/// Nothing is said when fewer were given away than the policy asks. The likeliest come first; one below
/// `min_chance_ppm` counts as cleared and is left out.
#[must_use]
pub fn unproven(
    samples: &[Sample],
    found: &Found,
    given_away: &[u32],
    alike: &[u32],
    policy: &UnprovenPolicy,
) -> Vec<Unproven> {
    let members = || found.members.iter().filter_map(|index| samples.get(*index as usize));
    let Some(least) = members().map(|sample| sample.amount_minor).min() else { return Vec::new() };
    if given_away.len() < policy.min_given_away as usize {
        return Vec::new();
    }
    let mut seen: BTreeMap<u32, (u64, Rate)> = alike.iter().map(|value| (*value, (0, Rate::default()))).collect();
    let mut own = Rate::default();
    for sample in samples.iter().filter(|sample| sample.at >= found.since) {
        let terminal = value(&sample.dims, Dim::Terminal);
        let (failed, telling) = (sample.fails_in(found.family), sample.amount_minor >= least);
        if telling && given_away.contains(&terminal) {
            own.add(failed);
        }
        if let Some((payments, rate)) = seen.get_mut(&terminal) {
            *payments += 1;
            if telling {
                rate.add(failed);
            }
        }
    }
    let spared = MILLION.saturating_sub(own.ppm());
    let telling: Vec<u64> = seen.values().map(|(_, rate)| rate.attempts).collect();
    let chances = settle(given_away.len() as u64, spared, &telling);
    let mut all: Vec<Unproven> = seen
        .into_iter()
        .zip(chances)
        .filter(|(_, chance)| *chance >= policy.min_chance_ppm)
        .map(|((value, (payments, rate)), chance_ppm)| Unproven { value, payments, telling: rate.attempts, chance_ppm })
        .collect();
    all.sort_by_key(|it| (std::cmp::Reverse(it.chance_ppm), it.value));
    all
}

/// The chance of each by what would have shown it, and the share of bad ones that fits these chances.
fn settle(given_away: u64, spared_ppm: u64, telling: &[u64]) -> Vec<u64> {
    let count = given_away.saturating_add(telling.len() as u64).max(1);
    let silent: Vec<u64> = telling.iter().map(|telling| power(spared_ppm, *telling)).collect();
    let (mut share, mut chances) = (given_away.saturating_mul(MILLION) / count, Vec::new());
    for _ in 0..ROUNDS {
        let good = MILLION.saturating_sub(share);
        let chance = |silent: &u64| {
            let bad = share.saturating_mul(*silent) / MILLION;
            (bad.saturating_mul(MILLION)).checked_div(bad.saturating_add(good)).unwrap_or(MILLION)
        };
        chances = silent.iter().map(chance).collect();
        let expected = given_away.saturating_mul(MILLION).saturating_add(chances.iter().sum::<u64>());
        share = expected / count;
    }
    chances
}

/// A share to a power, in millionths.
fn power(share_ppm: u64, exponent: u64) -> u64 {
    let mut power = MILLION;
    for _ in 0..exponent {
        power = power.saturating_mul(share_ppm) / MILLION;
        if power == 0 {
            break;
        }
    }
    power
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        detect::detect,
        policy::Policy,
        sample::FailureClass,
        streams::{Stream, at},
    };

    #[test]
    fn who_had_no_chance_to_show_stays_open_and_who_had_many_is_cleared() {
        let policy = Policy::builtin().unwrap();
        let mut stream = Stream::quiet(4, 60_000);
        // Terminals 1 to 12 divert two of five payments of at least 80; 13 had small ones only, 14 many and none diverted.
        for sample in &mut stream.samples {
            let terminal = u64::from(sample.dims[6]);
            sample.amount_minor = if terminal == 13 { 4_000 } else { 8_000 + i64::try_from(terminal).unwrap() };
            sample.dims[3] = if terminal <= 14 { 11 } else { sample.dims[3] };
        }
        stream.fail(|sample, rng| (sample.dims[6] <= 12 && rng.chance(400_000)).then_some(FailureClass::Diverted));
        let found = detect(&stream.samples, &policy).into_iter().find(|it| it.class == FailureClass::Diverted).unwrap();
        assert!(found.since >= at("06:00"));
        let given_away: Vec<u32> = (1..=12).collect();
        let open = unproven(&stream.samples, &found, &given_away, &[13, 14], &policy.unproven);
        let [only] = open.as_slice() else { panic!("{open:?}") };
        assert_eq!((only.value, only.telling), (13, 0));
        assert!(only.payments > 50 && only.chance_ppm > 800_000, "{only:?}");
        assert!(unproven(&stream.samples, &found, &given_away[..1], &[13], &policy.unproven).is_empty());
    }

    #[test]
    fn each_payment_that_would_have_shown_it_lowers_the_chance() {
        let chances = settle(30, 600_000, &[0, 1, 4, 12]);
        assert!(chances.windows(2).all(|pair| pair[0] > pair[1]), "{chances:?}");
        assert!(chances[0] > 900_000 && chances[3] < 60_000, "{chances:?}");
        assert_eq!(settle(0, 0, &[3]), [0]);
    }
}
