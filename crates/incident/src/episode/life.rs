//! When an episode was suspected, confirmed, mitigated and over: a sequential reading of the payments in its scope.

use onus_model::Instant;
use rustc_hash::FxHashSet;

use crate::{
    episode::{Event, State},
    evidence::{BIT, log2, surprise},
    found::{Found, Rate},
    grouped::in_scope,
    policy::{FamilyPolicy, LifePolicy, Shape},
    sample::Sample,
    scope::times,
};

const MILLION: u64 = 1_000_000;

/// An episode came into a state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// When this could be known.
    pub at: Instant,
    /// The state from then on.
    pub state: State,
    /// Failures among the payments of the scope up to then.
    pub seen: Rate,
}

/// The life of an episode, from the payments of its scope in the order in which they could be known.
///
/// It opens when the failures are as improbable at the ordinary rate as the policy asks. It eases and recovers by the
/// mirror test: recent payments are likelier at the ordinary rate than at its own by so many bits; the same test the
/// other way round reopens it.
#[must_use]
pub fn life(samples: &[Sample], found: &Found, family: &FamilyPolicy, policy: &LifePolicy) -> Vec<Step> {
    let mut reader = Reader::new(found, family, policy);
    let known = in_order_of_knowledge(samples, found);
    for (at, failed) in &known {
        reader.take(*at, *failed);
    }
    if reader.steps.is_empty()
        && let Some((at, _)) = known.iter().rfind(|(_, failed)| *failed)
    {
        // Its evidence is the contrast with others, which only the whole shows.
        reader.push(*at, State::Suspected);
    }
    if let Some(last) = samples.last() {
        reader.close(last.at);
    }
    reader.steps
}

/// Payments in scope since the first failure: when each could be known, and whether it failed.
fn in_order_of_knowledge(samples: &[Sample], found: &Found) -> Vec<(Instant, bool)> {
    let members: FxHashSet<u32> = found.members.iter().copied().collect();
    let first = found.members.first().copied().unwrap_or_default();
    let mut known: Vec<(Instant, bool)> = (0u32..)
        .zip(samples)
        .skip(first as usize)
        .filter(|(index, sample)| members.contains(index) || in_scope(sample, &found.scope))
        .map(|(index, sample)| {
            let failed = members.contains(&index) || sample.class.family() == Some(found.family);
            (sample.known_at, failed)
        })
        .collect();
    known.sort_by_key(|(at, _)| *at);
    known
}

struct Reader<'a> {
    family: &'a FamilyPolicy,
    policy: &'a LifePolicy,
    ordinary_ppm: u64,
    seen: Rate,
    steps: Vec<Step>,
    state: Option<State>,
    /// Bits for the ordinary rate against the episode's own that recent payments give, and the other way round.
    better: i64,
    worse: i64,
    success_bits: i64,
    failure_bits: i64,
}

impl<'a> Reader<'a> {
    fn new(found: &Found, family: &'a FamilyPolicy, policy: &'a LifePolicy) -> Self {
        let ordinary_ppm = found.baseline_ppm.max(family.baseline_floor_ppm).clamp(1, MILLION - 1);
        let own_ppm = found.rate_ppm.clamp(ordinary_ppm, MILLION - 1);
        Self {
            family,
            policy,
            ordinary_ppm,
            seen: Rate::default(),
            steps: Vec::new(),
            state: None,
            better: 0,
            worse: 0,
            success_bits: log2(MILLION - ordinary_ppm) - log2(MILLION - own_ppm),
            failure_bits: log2(own_ppm) - log2(ordinary_ppm),
        }
    }

    fn take(&mut self, at: Instant, failed: bool) {
        self.close(at);
        if self.state.is_none_or(State::is_live) {
            self.seen.add(failed);
        }
        let gain = if failed { -self.failure_bits } else { self.success_bits };
        self.better = (self.better + gain).max(0);
        self.worse = (self.worse - gain).max(0);
        match self.state {
            None => self.open(at),
            Some(state) => self.go_on(at, state),
        }
    }

    fn open(&mut self, at: Instant) {
        if self.holds(self.family.min_evidence_bits, self.family.min_ratio_ppm) {
            self.push(at, State::Suspected);
            self.better = 0;
            self.confirm(at);
        }
    }

    fn go_on(&mut self, at: Instant, state: State) {
        if matches!(state, State::Suspected | State::Reopened) {
            self.confirm(at);
        }
        let eased = self.better >= i64::from(self.policy.eased_evidence_bits) * BIT;
        let over = self.better >= i64::from(self.policy.recovered_evidence_bits) * BIT;
        let back = self.worse >= i64::from(self.policy.recovered_evidence_bits) * BIT;
        let event = if over {
            Event::Recover
        } else if eased {
            Event::Ease
        } else if back && state.is_live() {
            Event::Worsen
        } else if back {
            Event::Relapse
        } else {
            return;
        };
        self.happen(at, event);
    }

    fn confirm(&mut self, at: Instant) {
        if self.holds(self.family.confirm_evidence_bits, self.family.confirm_ratio_ppm) {
            self.happen(at, Event::Confirm);
        }
    }

    fn holds(&self, bits: u32, ratio_ppm: u64) -> bool {
        let evidence = surprise(self.seen.failures, self.seen.attempts.saturating_mul(self.ordinary_ppm));
        let proven = self.family.shape == Shape::Grouped;
        self.seen.failures >= self.family.min_failures
            && evidence >= i64::from(bits) * BIT
            && (proven || times(self.seen.ppm(), self.ordinary_ppm, ratio_ppm))
    }

    /// Closes what has been recovered for long enough by a time.
    fn close(&mut self, now: Instant) {
        let Some(last) = self.steps.last().filter(|step| step.state == State::Recovered) else { return };
        let due = last.at.plus_seconds(i64::from(self.policy.closed_after_seconds));
        if due <= now {
            self.happen(due, Event::Close);
        }
    }

    /// Takes an event that the state allows and leaves another out.
    fn happen(&mut self, at: Instant, event: Event) {
        let Some(state) = self.state else { return };
        if let Ok(next) = state.on(event) {
            self.push(at, next);
            // The test that spoke begins anew.
            if matches!(event, Event::Worsen | Event::Relapse | Event::Recover) {
                (self.better, self.worse) = (0, 0);
            }
        }
    }

    fn push(&mut self, at: Instant, state: State) {
        self.state = Some(state);
        self.steps.push(Step { at, state, seen: self.seen });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        detect::detect,
        policy::Policy,
        sample::{FailureClass, Family},
        streams::{Stream, at},
    };

    fn lives(stream: &Stream) -> Vec<Vec<Step>> {
        let policy = Policy::builtin().unwrap();
        let life_of = |found: &Found| {
            let family = policy.families.iter().find(|family| family.family == found.family).unwrap();
            life(&stream.samples, found, family, &policy.life)
        };
        detect(&stream.samples, &policy).iter().map(life_of).collect()
    }

    #[test]
    fn a_burst_is_suspected_confirmed_and_over_within_minutes() {
        for seed in 0..10 {
            let mut stream = Stream::quiet(seed, 40_000);
            stream.fail(|sample, rng| {
                let hit = sample.dims[0] == 211 && (at("10:20")..at("14:05")).contains(&sample.at);
                (hit && rng.chance(600_000)).then_some(FailureClass::NoAnswer)
            });
            let failed = |sample: &&Sample| sample.class.family() == Some(Family::Lost) && sample.dims[0] == 211;
            let twentieth = stream.samples.iter().filter(|it| it.at >= at("10:20")).filter(failed).nth(19).unwrap().at;
            let steps = lives(&stream).remove(0);
            let when = |state| steps.iter().find(|step| step.state == state).map(|step| step.at);
            assert!(when(State::Suspected).unwrap() <= twentieth, "seed {seed}");
            assert!(when(State::Confirmed).unwrap().seconds_since(twentieth) <= 300, "seed {seed}");
            let over = when(State::Recovered).unwrap().seconds_since(at("14:05"));
            assert!((0..=600).contains(&over), "seed {seed}: {over} s {steps:?}");
            assert_eq!(steps.last().unwrap().state, State::Closed);
        }
    }

    #[test]
    fn what_comes_back_is_reopened() {
        let mut stream = Stream::quiet(3, 40_000);
        stream.fail(|sample, rng| {
            let first = (at("10:20")..at("11:20")).contains(&sample.at);
            let again = (at("11:32")..at("12:20")).contains(&sample.at);
            (sample.dims[0] == 211 && (first || again) && rng.chance(600_000)).then_some(FailureClass::NoAnswer)
        });
        let lives = lives(&stream);
        let states: Vec<State> = lives[0].iter().map(|step| step.state).collect();
        assert_eq!(lives.len(), 1);
        assert!(states.contains(&State::Reopened), "{states:?}");
        assert_eq!(states.last(), Some(&State::Closed));
    }

    #[test]
    fn each_step_is_one_that_the_state_machine_allows() {
        for seed in 0..20 {
            let mut stream = Stream::quiet(seed, 20_000);
            stream.fail(|sample, rng| {
                let hit = sample.dims[2] == 1 && (sample.at.0 / 3_600_000_000) % 2 == 0;
                (hit && rng.chance(300_000)).then_some(FailureClass::AcquirerSilent)
            });
            for steps in lives(&stream) {
                assert_eq!(steps[0].state, State::Suspected);
                for pair in steps.windows(2) {
                    assert!(pair[0].at <= pair[1].at);
                    let allowed = pair[0].state.takes().into_iter().filter_map(|event| pair[0].state.on(event).ok());
                    assert!(allowed.collect::<Vec<_>>().contains(&pair[1].state), "{pair:?}");
                }
            }
        }
    }
}
