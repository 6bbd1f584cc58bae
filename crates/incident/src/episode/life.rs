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
/// It opens when the failures are as improbable at the ordinary rate as the policy asks. Between the ordinary rate and
/// its own lies the middle (`mitigated_share_ppm` of the excess). It eases when recent payments are likelier at the
/// middle than at its own rate, and worsens when it is the other way round; it recovers when they are likelier at the
/// ordinary rate than at the middle, and is back when they are likelier at its own than at the ordinary one. Each
/// step begins all tests anew, so what led to one state never speaks for the next.
/// Where it is not a burst, silence tells: it has recovered when no failure came for `closing_gap_seconds` as well.
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
            let failed = members.contains(&index) || sample.fails_in(found.family);
            (sample.known_in(found.family), failed)
        })
        .collect();
    known.sort_by_key(|(at, _)| *at);
    known
}

/// Bits by which recent payments speak for one rate against another; never negative, so the past is not a debt.
struct Test {
    success_bits: i64,
    failure_bits: i64,
    sum: i64,
}

impl Test {
    fn of(favoured_ppm: u64, against_ppm: u64) -> Self {
        Self {
            success_bits: log2(MILLION - favoured_ppm) - log2(MILLION - against_ppm),
            failure_bits: log2(favoured_ppm) - log2(against_ppm),
            sum: 0,
        }
    }

    fn take(&mut self, failed: bool) {
        self.sum = (self.sum + if failed { self.failure_bits } else { self.success_bits }).max(0);
    }

    fn says(&self, bits: u32) -> bool {
        self.sum >= i64::from(bits) * BIT
    }
}

struct Reader<'a> {
    family: &'a FamilyPolicy,
    policy: &'a LifePolicy,
    ordinary_ppm: u64,
    seen: Rate,
    /// As seen, since it opened again.
    anew: Rate,
    steps: Vec<Step>,
    state: Option<State>,
    last_failure: Instant,
    eases: Test,
    worsens: Test,
    recovers: Test,
    returns: Test,
}

impl<'a> Reader<'a> {
    fn new(found: &Found, family: &'a FamilyPolicy, policy: &'a LifePolicy) -> Self {
        let ordinary_ppm = found.baseline_ppm.max(family.baseline_floor_ppm).clamp(1, MILLION - 3);
        let own_ppm = found.rate_ppm.clamp(ordinary_ppm + 2, MILLION - 1);
        let excess = (own_ppm - ordinary_ppm).saturating_mul(policy.mitigated_share_ppm) / MILLION;
        let middle_ppm = (ordinary_ppm + excess).clamp(ordinary_ppm + 1, own_ppm - 1);
        Self {
            family,
            policy,
            ordinary_ppm,
            seen: Rate::default(),
            anew: Rate::default(),
            steps: Vec::new(),
            state: None,
            last_failure: found.started_at,
            eases: Test::of(middle_ppm, own_ppm),
            worsens: Test::of(own_ppm, middle_ppm),
            recovers: Test::of(ordinary_ppm, middle_ppm),
            returns: Test::of(own_ppm, ordinary_ppm),
        }
    }

    fn take(&mut self, at: Instant, failed: bool) {
        self.close(at);
        if self.state.is_none_or(State::is_live) {
            self.seen.add(failed);
            self.anew.add(failed);
        }
        for test in [&mut self.eases, &mut self.worsens, &mut self.recovers, &mut self.returns] {
            test.take(failed);
        }
        let silence = at.seconds_since(self.last_failure) >= i64::from(self.family.closing_gap_seconds);
        let silent = silence || !self.family.ends_by_silence();
        if failed {
            self.last_failure = at;
        }
        match self.state {
            None => self.open(at),
            Some(state) => self.go_on(at, state, silent),
        }
    }

    fn open(&mut self, at: Instant) {
        if self.holds(self.family.min_evidence_bits, self.family.min_ratio_ppm) {
            self.push(at, State::Suspected);
            self.confirm(at);
        }
    }

    fn go_on(&mut self, at: Instant, state: State, silent: bool) {
        if matches!(state, State::Suspected | State::Reopened) {
            self.confirm(at);
        }
        let policy = self.policy;
        if !state.is_live() {
            if self.returns.says(policy.reopened_evidence_bits) {
                self.happen(at, Event::Relapse);
            }
        } else if silent && self.recovers.says(policy.recovered_evidence_bits) {
            self.happen(at, Event::Recover);
        } else if state == State::Mitigated {
            if self.worsens.says(policy.worsened_evidence_bits) {
                self.happen(at, Event::Worsen);
            }
        } else if !self.family.ends_by_silence() && self.eases.says(policy.eased_evidence_bits) {
            self.happen(at, Event::Ease);
        }
    }

    fn confirm(&mut self, at: Instant) {
        if self.holds(self.family.confirm_evidence_bits, self.family.confirm_ratio_ppm) {
            self.happen(at, Event::Confirm);
        }
    }

    fn holds(&self, bits: u32, ratio_ppm: u64) -> bool {
        let evidence = surprise(self.anew.failures, self.anew.attempts.saturating_mul(self.ordinary_ppm));
        self.anew.failures >= self.family.min_failures
            && evidence >= i64::from(bits) * BIT
            && (self.family.shape == Shape::Grouped || times(self.anew.ppm(), self.ordinary_ppm, ratio_ppm))
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
            if event == Event::Relapse {
                self.anew = Rate::default();
            }
            self.push(at, next);
        }
    }

    fn push(&mut self, at: Instant, state: State) {
        self.state = Some(state);
        self.steps.push(Step { at, state, seen: self.seen });
        // What was eased may be over soon after: the test of that goes on.
        let over = (state == State::Mitigated).then_some(self.recovers.sum);
        for test in [&mut self.eases, &mut self.worsens, &mut self.recovers, &mut self.returns] {
            test.sum = 0;
        }
        self.recovers.sum = over.unwrap_or_default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        detect::detect,
        policy::Policy,
        sample::{Dim, FailureClass, Family},
        streams::{Rng, Stream, at},
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

    /// Minutes, payments a minute, failures per thousand.
    type Stretch = (u64, u64, u64);
    /// Family, rates, stretches and the states to expect.
    type Case<'a> = (Family, (u64, u64), &'a [Stretch], String);

    /// The states of an episode over stretches; `rates` are the ordinary one and its own.
    fn history(seed: u64, family: Family, rates: (u64, u64), stretches: &[Stretch]) -> String {
        let policy = Policy::builtin().unwrap();
        let policy_of = policy.families.iter().find(|it| it.family == family).unwrap();
        let class = if family == Family::Funds { FailureClass::Funds } else { FailureClass::NoAnswer };
        let template = Stream::quiet(1, 1).samples.remove(0);
        let (mut rng, mut samples, mut now) = (Rng::new(seed), Vec::new(), at("06:00"));
        for (minutes, per_minute, failing) in stretches {
            for _ in 0..minutes * per_minute {
                now = Instant(now.0 + i64::try_from(60_000_000 / per_minute).unwrap());
                let class = if rng.chance(failing * 1_000) { class } else { FailureClass::None };
                samples.push(Sample { at: now, known_at: now, class, ..template });
            }
        }
        let members: Vec<u32> =
            (0u32..).zip(&samples).filter(|(_, it)| it.class == class).map(|(index, _)| index).collect();
        let found = Found {
            family,
            class,
            benign: false,
            scope: vec![(Dim::NetworkLink, vec![template.dims[0]])],
            since: samples[0].at,
            started_at: samples[members[0] as usize].at,
            ended_at: None,
            attempts: samples.len() as u64,
            failures: members.len() as u64,
            baseline_ppm: rates.0,
            rate_ppm: rates.1,
            confirmed: true,
            excluded: Vec::new(),
            members,
        };
        let steps = life(&samples, &found, policy_of, &policy.life);
        steps.iter().map(|step| step.state.as_str()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn a_history_reads_sensibly_and_does_not_flicker() {
        use Family::{Funds, Lost};
        let (line, funds) = ((500, 600_000), (25_000, 91_000));
        let first = "suspected confirmed";
        let table: [Case<'_>; 6] = [
            (Lost, line, &[(60, 10, 600), (120, 10, 0)], format!("{first} mitigated recovered closed")),
            // What lingers at a fifth has eased and not recovered.
            (Lost, line, &[(60, 10, 600), (180, 10, 120)], format!("{first} mitigated")),
            (
                Lost,
                line,
                &[(60, 10, 600), (60, 10, 120), (60, 10, 600), (120, 10, 0)],
                format!("{first} mitigated confirmed mitigated recovered closed"),
            ),
            (
                Lost,
                line,
                &[(60, 10, 600), (30, 10, 0), (30, 10, 600), (120, 10, 0)],
                format!("{first} mitigated recovered reopened confirmed mitigated recovered closed"),
            ),
            // Long and steady: chance alone eases nothing.
            (Lost, line, &[(600, 20, 600)], first.to_owned()),
            (Funds, funds, &[(150, 100, 91), (180, 100, 25)], format!("{first} mitigated recovered closed")),
        ];
        for (family, rates, stretches, expected) in table {
            for seed in 0..20 {
                assert_eq!(history(seed, family, rates, stretches), expected, "seed {seed} {stretches:?}");
            }
        }
    }

    #[test]
    fn proven_failures_recover_by_silence_and_not_overnight() {
        let days = |stream: &mut Stream, more: i64| {
            let day = stream.samples.clone();
            for number in 1..=more {
                let later = |at: Instant| at.plus_seconds(86_400 * number);
                stream.samples.extend(day.iter().map(|it| Sample { at: later(it.at), known_at: later(it.at), ..*it }));
            }
        };
        let mut stream = Stream::quiet(8, 10_000);
        stream.fail(|it, _| {
            let hit = [40, 41, 42].contains(&it.dims[6]) && it.at >= at("09:00") && it.at < at("13:00");
            hit.then_some(FailureClass::KeySync)
        });
        days(&mut stream, 3);
        for sample in stream.samples.iter_mut().filter(|it| it.at > at("14:00").plus_seconds(86_400)) {
            if sample.class == FailureClass::KeySync {
                sample.class = FailureClass::None;
            }
        }
        let states: Vec<State> = lives(&stream)[0].iter().map(|step| step.state).collect();
        assert_eq!(states, [State::Suspected, State::Confirmed, State::Recovered, State::Closed]);
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
