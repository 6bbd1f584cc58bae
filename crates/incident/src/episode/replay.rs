//! The same search as of each moment: when an episode would have been opened, confirmed and over, had it run live.

use onus_model::Instant;

use crate::{
    columns::Columns,
    detect::search_family,
    episode::{State, life::life},
    found::Found,
    grouped::Witness,
    policy::{FamilyPolicy, Policy, Shape},
    sample::{FailureClass, Family, Sample},
};

/// An episode as a live run would have seen it.
#[derive(Debug, Clone)]
pub struct Watched {
    /// Its family.
    pub family: Family,
    /// When it was first seen.
    pub opened_at: Instant,
    /// As it was when it was first seen.
    pub first: Found,
    /// As it was when it was last seen.
    pub last: Found,
    /// States it came into, each at the moment when the run noticed.
    pub states: Vec<(Instant, State)>,
    /// A state that was read but has not lasted yet, and since when.
    pending: Option<(Instant, State)>,
}

impl Watched {
    /// Where it stands.
    #[must_use]
    pub fn state(&self) -> State {
        self.states.last().map_or(State::Suspected, |(_, state)| *state)
    }

    /// Goes to a state, through another where it must. A state that it cannot come to any more is left out: what was
    /// confirmed on fewer payments stays confirmed.
    fn come_to(&mut self, target: State, now: Instant) {
        if self.states.is_empty() {
            self.states.push((now, State::Suspected));
        }
        let from = self.state();
        let next = |state: State| state.takes().into_iter().filter_map(move |event| state.on(event).ok());
        if from == target {
            return;
        }
        if next(from).any(|it| it == target) {
            self.states.push((now, target));
        } else if let Some(between) = next(from).find(|it| *it != State::Merged && next(*it).any(|it| it == target)) {
            self.states.extend([(now, between), (now, target)]);
        }
    }

    /// Takes what its payments show now. Suspicion and confirmation count at once; any other state must have been read
    /// for so long, because each look reads the whole anew.
    fn read(&mut self, target: State, now: Instant, steady_seconds: u32) {
        let since = self.pending.filter(|(_, state)| *state == target).map_or(now, |(since, _)| since);
        self.pending = Some((since, target));
        let opening = self.states.iter().all(|(_, state)| matches!(state, State::Suspected));
        if opening || now.seconds_since(since) >= i64::from(steady_seconds) {
            self.come_to(target, now);
        }
    }

    /// When it first came into a state.
    #[must_use]
    pub fn first_in(&self, state: State) -> Option<Instant> {
        self.states.iter().find(|(_, it)| *it == state).map(|(at, _)| *at)
    }
}

/// Runs the search every `step_seconds` over what could be known by then.
///
/// The samples must be in order of time. A witness is known since its own time.
#[must_use]
pub fn replay(samples: &[Sample], witnesses: &[Witness], policy: &Policy, step_seconds: i64) -> Vec<Watched> {
    let (Some(first), Some(last)) = (samples.first(), samples.last()) else { return Vec::new() };
    let end = samples.iter().map(|sample| sample.known_at).max().unwrap_or(last.at).max(last.at);
    let mut run = Run::new(samples, witnesses, policy);
    let mut now = first.at;
    while now < end {
        now = now.plus_seconds(step_seconds.max(1));
        // Nothing happens between the last payment and a payout of the next morning.
        if run.learn(now) {
            run.look(now);
        }
    }
    run.watched
}

/// A sample as far as it is known by a time.
fn as_known(sample: &Sample, now: Instant) -> Sample {
    let by = |at: Instant, class| if at > now { FailureClass::None } else { class };
    Sample { class: by(sample.known_at, sample.class), also: by(sample.also_at, sample.also), ..*sample }
}

struct Run<'a> {
    samples: &'a [Sample],
    witnesses: &'a [Witness],
    policy: &'a Policy,
    /// What is known: the samples that have begun, without the failures that cannot be known yet.
    known: Vec<Sample>,
    columns: Columns,
    /// Failures that will be known later, the last first.
    hidden: Vec<(Instant, usize)>,
    /// By family of the policy: whether something new is known of it.
    fresh: Vec<bool>,
    watched: Vec<Watched>,
}

impl<'a> Run<'a> {
    fn new(samples: &'a [Sample], witnesses: &'a [Witness], policy: &'a Policy) -> Self {
        let later = |(index, sample): (usize, &Sample)| {
            let also = (sample.also != FailureClass::None).then_some(sample.also_at);
            let times = [Some(sample.known_at), also].into_iter().flatten();
            let (at, index) = (sample.at, index);
            times.filter(move |time| *time > at).map(move |time| (time, index)).collect::<Vec<_>>()
        };
        let mut hidden: Vec<(Instant, usize)> = samples.iter().enumerate().flat_map(later).collect();
        hidden.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
        let fresh = vec![false; policy.families.len()];
        Self {
            samples,
            witnesses,
            policy,
            known: Vec::new(),
            columns: Columns::of(&[]),
            hidden,
            fresh,
            watched: Vec::new(),
        }
    }

    /// Takes what has become known by now; whether there is any.
    fn learn(&mut self, now: Instant) -> bool {
        let before = self.known.len();
        while let Some(sample) = self.samples.get(self.known.len()).filter(|sample| sample.at <= now) {
            let sample = as_known(sample, now);
            self.known.push(sample);
            self.mark(&sample);
        }
        self.columns.extend(self.known.get(before..).unwrap_or_default());
        let mut revealed = false;
        while let Some((_, index)) = self.hidden.pop_if(|(at, _)| *at <= now) {
            if let (Some(sample), Some(known)) = (self.samples.get(index), self.known.get_mut(index)) {
                *known = as_known(sample, now);
                let known = *known;
                self.mark(&known);
            }
            revealed = true;
        }
        revealed || self.known.len() > before
    }

    fn mark(&mut self, sample: &Sample) {
        let families = self.policy.families.iter().zip(&mut self.fresh);
        for (_, fresh) in families.filter(|(family, _)| sample.fails_in(family.family)) {
            *fresh = true;
        }
    }

    fn look(&mut self, now: Instant) {
        for (number, family) in self.policy.families.iter().enumerate() {
            let fresh = self.fresh.get_mut(number).is_some_and(std::mem::take);
            let live = self.watched.iter().any(|it| it.family == family.family && it.state() != State::Closed);
            if !(fresh || live && family.shape == Shape::Burst) {
                continue;
            }
            let witnesses: Vec<Witness> =
                self.witnesses.iter().filter(|it| it.family == family.family && it.at <= now).copied().collect();
            for found in search_family(&self.known, &self.columns, &witnesses, family) {
                self.see(now, found, family);
            }
        }
    }

    /// Recognises an episode by the payments that it shares with one seen before.
    fn see(&mut self, now: Instant, found: Found, family: &FamilyPolicy) {
        let same = |watched: &Watched| {
            watched.family == found.family
                && watched.state() != State::Merged
                && found.members.iter().any(|member| watched.last.members.binary_search(member).is_ok())
        };
        let mut alike: Vec<usize> =
            (0..self.watched.len()).filter(|index| self.watched.get(*index).is_some_and(same)).collect();
        if alike.is_empty() {
            alike.push(self.watched.len());
            self.watched.push(Watched {
                family: found.family,
                opened_at: now,
                first: found.clone(),
                last: found.clone(),
                states: Vec::new(),
                pending: None,
            });
        }
        // The oldest goes on; whatever else turns out to be the same is merged into it.
        for index in alike.iter().skip(1) {
            if let Some(watched) = self.watched.get_mut(*index)
                && watched.state() != State::Closed
            {
                watched.states.push((now, State::Merged));
            }
        }
        let Some(watched) = alike.first().and_then(|index| self.watched.get_mut(*index)) else { return };
        let steps = life(&self.known, &found, family, &self.policy.life);
        if let Some(step) = steps.last() {
            watched.read(step.state, now, self.policy.life.steady_seconds);
        }
        watched.last = found;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        sample::Dim,
        streams::{Stream, at},
    };

    #[test]
    fn a_live_run_opens_before_the_twentieth_failure_and_nothing_else() {
        let policy = Policy::builtin().unwrap();
        for seed in 0..2 {
            let mut stream = Stream::quiet(seed, 15_000);
            stream.fail(|sample, rng| {
                let hit = sample.dims[0] == 211 && (at("10:20")..at("12:05")).contains(&sample.at);
                (hit && rng.chance(600_000)).then_some(FailureClass::NoAnswer)
            });
            let watched = replay(&stream.samples, &[], &policy, 60);
            assert_eq!(
                watched.len(),
                1,
                "seed {seed}: {:?}",
                watched.iter().map(|it| &it.last.scope).collect::<Vec<_>>()
            );
            let twentieth = watched[0].last.members[19] as usize;
            let late = watched[0].opened_at.seconds_since(stream.samples[twentieth].at);
            assert!(late <= 60, "seed {seed}: {late} s");
            assert_eq!(watched[0].last.scope, [(Dim::NetworkLink, vec![211])]);
            let states: Vec<&str> = watched[0].states.iter().map(|(_, state)| state.as_str()).collect();
            assert_eq!(states, ["suspected", "confirmed", "mitigated", "recovered", "closed"], "seed {seed}");
            let over = watched[0].first_in(State::Recovered).unwrap().seconds_since(at("12:05"));
            assert!((0..1_800).contains(&over), "seed {seed}: {over} s");
        }
    }

    #[test]
    fn what_is_known_later_is_found_later() {
        let mut stream = Stream::quiet(2, 10_000);
        stream.fail(|sample, rng| (sample.dims[3] == 12 && rng.chance(300_000)).then_some(FailureClass::Misdirected));
        for sample in stream.samples.iter_mut().filter(|sample| sample.class == FailureClass::Misdirected) {
            sample.known_at = at("23:00");
        }
        let watched = replay(&stream.samples, &[], &Policy::builtin().unwrap(), 600);
        assert_eq!(watched.len(), 1);
        assert!(watched[0].opened_at >= at("23:00"));
    }
}
