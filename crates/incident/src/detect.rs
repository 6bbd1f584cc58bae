//! The search, family by family: find the time, find the scope, take the failures out, look again.

use crate::{
    burst::{Measure, Run, Stretch},
    columns::Columns,
    evidence::{BIT, contrast, surprise},
    found::{Excluded, Found, Rate, leading_class},
    grouped::{Witness, grouped},
    policy::{FamilyPolicy, Policy, Shape},
    sample::{Dim, Sample},
    scope::{Localiser, Mark, Scope, ScopeTest, higher, times},
};

const MILLION: u64 = 1_000_000;

/// Finds the episodes in samples, which must be in order of time.
///
/// Episodes come family by family in the order of the policy, within a family the most evident first. A sample is a
/// member of at most one, but that a pattern ([`FamilyPolicy::pattern`]) counts what later records show beside its failure.
#[must_use]
pub fn detect(samples: &[Sample], policy: &Policy) -> Vec<Found> {
    detect_with(samples, &[], policy)
}

/// As [`detect`], with what registers witness about terminals and merchants beside their payments.
#[must_use]
pub fn detect_with(samples: &[Sample], witnesses: &[Witness], policy: &Policy) -> Vec<Found> {
    let columns = Columns::of(samples);
    let search = |family| search_family(samples, &columns, witnesses, family);
    policy.families.iter().flat_map(search).collect()
}

/// The episodes of one family, the most evident first.
pub(crate) fn search_family(
    samples: &[Sample],
    columns: &Columns,
    witnesses: &[Witness],
    policy: &FamilyPolicy,
) -> Vec<Found> {
    if policy.shape == Shape::Grouped {
        return grouped(samples, witnesses, policy);
    }
    let mark = |sample: &Sample| if sample.fails_in(policy.family) { Mark::Failed } else { Mark::Fine };
    let marks = samples.iter().map(mark).collect();
    Search { samples, columns, policy, marks }.run()
}

/// The search for the episodes of one family.
struct Search<'a> {
    samples: &'a [Sample],
    columns: &'a Columns,
    policy: &'a FamilyPolicy,
    marks: Vec<Mark>,
}

/// A stretch of time to explain.
struct Suspect {
    stretch: Stretch,
    bits: i64,
    /// Seen in the stream as a whole, not in one value.
    whole: bool,
}

impl Search<'_> {
    fn run(mut self) -> Vec<Found> {
        let mut episodes = Vec::new();
        while episodes.len() < self.policy.max_episodes as usize {
            let all = self.rate(|_| true);
            if all.failures < self.policy.min_failures {
                break;
            }
            let Some(found) = self.next(all) else { break };
            for member in &found.members {
                if let Some(mark) = self.marks.get_mut(*member as usize) {
                    *mark = Mark::Taken;
                }
            }
            episodes.push(found);
        }
        episodes
    }

    fn next(&self, all: Rate) -> Option<Found> {
        let localiser = Localiser { columns: self.columns, marks: &self.marks, policy: self.policy };
        if self.policy.shape == Shape::Standing {
            let scope = localiser.scope_of(0..=self.samples.len().checked_sub(1)?);
            let scope = scope.or_else(|| self.policy.spread.then(Scope::default))?;
            let first = self.marks.iter().position(|mark| *mark == Mark::Failed)?;
            let last = self.marks.iter().rposition(|mark| *mark == Mark::Failed)?;
            return self.settle(&scope, first, last, all);
        }
        self.suspects(all).into_iter().find_map(|suspect| {
            let Stretch { first, last, .. } = suspect.stretch;
            let scope = match localiser.scope_of(first..=last) {
                Some(scope) => scope,
                None if suspect.whole && self.policy.spread => Scope::default(),
                None => return None,
            };
            let refined = self.refine(&scope, first, last, all)?;
            self.settle(&scope, refined.first, refined.last, all)
        })
    }

    /// Stretches in which the whole stream, or one value of a dimension, fails far above its ordinary rate; the most
    /// evident first.
    fn suspects(&self, all: Rate) -> Vec<Suspect> {
        let ordinary = all.ppm().max(self.policy.baseline_floor_ppm);
        // Above this rate a stretch gains; never above one half, or a full outage could not.
        let measure = self.measure(scale(ordinary, self.policy.min_ratio_ppm).min(MILLION / 2));
        let mut suspects = self.follow_values(measure, all);
        suspects.extend(self.follow_whole(measure, all));
        suspects.retain(|suspect| suspect.bits >= i64::from(self.policy.min_evidence_bits) * BIT);
        suspects.sort_by_key(|suspect| (std::cmp::Reverse(suspect.bits), !suspect.whole));
        suspects
    }

    fn follow_whole(&self, measure: Measure, all: Rate) -> Option<Suspect> {
        let run = self.follow(|_| true, measure);
        self.judge(&run, all, all, true)
    }

    /// Follows the chosen samples as one stream.
    fn follow(&self, chosen: impl Fn(usize) -> bool, measure: Measure) -> Run {
        let (mut run, mut before) = (Run::default(), 0);
        for (index, (sample, mark)) in self.samples.iter().zip(&self.marks).enumerate() {
            if *mark == Mark::Taken || !chosen(index) {
                continue;
            }
            if *mark == Mark::Failed {
                run.fail(index, sample.at, before, measure);
            }
            before += 1;
        }
        run
    }

    /// Follows each value of each dimension as a stream.
    fn follow_values(&self, measure: Measure, all: Rate) -> Vec<Suspect> {
        let mut suspects = Vec::new();
        for dim in &self.policy.dims {
            let cardinality = self.columns.cardinality(*dim);
            let mut totals = vec![Rate::default(); cardinality];
            let mut runs = vec![Run::default(); cardinality];
            let column = self.columns.of_dim(*dim);
            for (index, (value, mark)) in column.iter().zip(&self.marks).enumerate() {
                let Some(total) = totals.get_mut(*value as usize) else {
                    continue;
                };
                match mark {
                    Mark::Fine => total.attempts += 1,
                    Mark::Taken => {}
                    Mark::Failed => {
                        if let (Some(run), Some(sample)) = (runs.get_mut(*value as usize), self.samples.get(index)) {
                            run.fail(index, sample.at, total.attempts, measure);
                        }
                        total.add(true);
                    }
                }
            }
            // The first value stands for none.
            let streams = runs.iter().zip(&totals).skip(1);
            suspects.extend(streams.filter_map(|(run, total)| self.judge(run, *total, all, false)));
        }
        suspects
    }

    /// Compares the best stretch of a stream with the stream's own rate outside of it and with everybody's.
    fn judge(&self, run: &Run, total: Rate, all: Rate, whole: bool) -> Option<Suspect> {
        let inside = run.best.rate;
        if inside.failures < self.policy.min_failures {
            return None;
        }
        let own = total.minus(inside);
        let everybody = all.minus(inside);
        let ordinary = everybody.ppm().max(self.policy.baseline_floor_ppm);
        let bits = surprise(inside.failures, inside.attempts.saturating_mul(ordinary));
        // Who always fails more than others has no burst now.
        let unlike_itself = own.attempts < self.policy.compare_min_attempts
            || times(inside.ppm(), own.ppm(), self.policy.min_own_ratio_ppm);
        let high = unlike_itself && times(inside.ppm(), ordinary, self.policy.min_ratio_ppm);
        high.then_some(Suspect { stretch: run.best, bits, whole })
    }

    /// The time of a scope: where its rate crosses the middle between ordinary and failing.
    fn refine(&self, scope: &Scope, first: usize, last: usize, all: Rate) -> Option<Stretch> {
        let test = scope.test(self.columns);
        let inside = self.rate(|index| (first..=last).contains(&index) && test.holds(index));
        let ordinary = all.minus(inside).ppm().max(self.policy.baseline_floor_ppm);
        let run = self.follow(|index| test.holds(index), self.measure(inside.ppm().midpoint(ordinary)));
        (run.best.rate.failures > 0).then_some(run.best)
    }

    /// Writes the episode down, if it holds against the policy.
    fn settle(&self, scope: &Scope, first: usize, last: usize, all: Rate) -> Option<Found> {
        let test = scope.test(self.columns);
        let failed = |index: &usize| self.marks.get(*index) == Some(&Mark::Failed) && test.holds(*index);
        let members: Vec<u32> = (first..=last).filter(failed).filter_map(|index| u32::try_from(index).ok()).collect();
        let (first, last) = (*members.first()? as usize, *members.last()? as usize);
        let within = self.rate(|index| (first..=last).contains(&index));
        let inside = self.rate(|index| (first..=last).contains(&index) && test.holds(index));
        let ordinary = all.minus(inside).ppm().max(self.policy.baseline_floor_ppm);
        let bits = surprise(inside.failures, inside.attempts.saturating_mul(ordinary)).max(contrast(inside, all));
        let holds = |evidence: u32, ratio| bits >= i64::from(evidence) * BIT && times(inside.ppm(), ordinary, ratio);
        if inside.failures < self.policy.min_failures
            || !holds(self.policy.min_evidence_bits, self.policy.min_ratio_ppm)
        {
            return None;
        }
        let recalled = times(inside.failures, within.failures, self.policy.confirm_recall_ppm);
        let (begin, end) = (self.samples.get(first)?, self.samples.get(last)?);
        let going_on = self.samples.last()?.at.seconds_since(end.at) <= self.gap();
        Some(Found {
            family: self.policy.family,
            class: leading_class(self.samples, &members, self.policy.family),
            benign: self.policy.benign,
            scope: scope.symbols(self.columns),
            since: begin.at,
            started_at: begin.at,
            ended_at: (!going_on).then_some(end.at),
            attempts: inside.attempts,
            failures: inside.failures,
            baseline_ppm: all.minus(inside).ppm(),
            rate_ppm: inside.ppm(),
            confirmed: recalled && holds(self.policy.confirm_evidence_bits, self.policy.confirm_ratio_ppm),
            excluded: if scope.is_empty() { Vec::new() } else { self.bystanders(scope, &test, first, last, inside) },
            members,
        })
    }

    /// Values that fail more than others in this time, but only inside of the scope: the matched comparison.
    fn bystanders(
        &self,
        scope: &Scope,
        test: &ScopeTest<'_>,
        first: usize,
        last: usize,
        inside: Rate,
    ) -> Vec<Excluded> {
        let within = self.rate(|index| (first..=last).contains(&index));
        let mut cleared = Vec::new();
        for dim in Dim::ALL.into_iter().filter(|dim| !dim.is_individual() && !scope.has(*dim)) {
            let mut counts = vec![(Rate::default(), Rate::default()); self.columns.cardinality(dim)];
            let column = self.columns.of_dim(dim);
            for index in first..=last {
                let (Some(value), Some(mark)) = (column.get(index), self.marks.get(index)) else {
                    continue;
                };
                if *mark != Mark::Taken
                    && let Some((there, elsewhere)) = counts.get_mut(*value as usize)
                {
                    (if test.holds(index) { there } else { elsewhere }).add(*mark == Mark::Failed);
                }
            }
            let ratio = self.policy.min_ratio_ppm;
            let least = self.policy.compare_min_attempts;
            let sits_there = |there: Rate, elsewhere: Rate| {
                let own = there.plus(elsewhere);
                times(there.failures, inside.failures, self.policy.exclude_share_ppm)
                    && higher(own, within)
                    && contrast(own, within) >= i64::from(self.policy.min_evidence_bits) * BIT
            };
            // Cleared both ways: its payments elsewhere succeed, and payments of others fail in the scope as well.
            let is_cleared = |there: Rate, elsewhere: Rate| {
                let (others, ordinary) = (inside.minus(there), elsewhere.ppm().max(self.policy.baseline_floor_ppm));
                elsewhere.attempts >= least
                    && others.attempts >= least
                    && times(there.ppm(), ordinary, ratio)
                    && times(others.ppm(), ordinary, ratio)
            };
            for (value, (there, elsewhere)) in (0u32..).zip(counts).skip(1) {
                if sits_there(there, elsewhere) && is_cleared(there, elsewhere) {
                    cleared.push(Excluded { dim, value: self.columns.symbol(dim, value), inside: there, elsewhere });
                }
            }
        }
        cleared.sort_by_key(|excluded| (std::cmp::Reverse(excluded.inside.failures), excluded.dim, excluded.value));
        cleared
    }

    /// Counts the samples that are chosen and in no episode yet.
    fn rate(&self, chosen: impl Fn(usize) -> bool) -> Rate {
        let mut rate = Rate::default();
        for (index, mark) in self.marks.iter().enumerate() {
            if *mark != Mark::Taken && chosen(index) {
                rate.add(*mark == Mark::Failed);
            }
        }
        rate
    }

    fn measure(&self, cut_ppm: u64) -> Measure {
        Measure { cut_ppm, gap_seconds: self.gap() }
    }

    fn gap(&self) -> i64 {
        i64::from(self.policy.closing_gap_seconds)
    }
}

/// A rate times a ratio, both in millionths.
fn scale(rate_ppm: u64, ratio_ppm: u64) -> u64 {
    u64::try_from(u128::from(rate_ppm) * u128::from(ratio_ppm) / u128::from(MILLION)).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use onus_model::Instant;

    use super::*;
    use crate::{
        found::Found,
        sample::{DIMS, FailureClass, Family},
        streams::{Rng, Stream, at},
    };

    fn found(stream: &Stream) -> Vec<Found> {
        detect(&stream.samples, &Policy::builtin().unwrap())
    }

    /// The one episode of a stream.
    fn only(stream: &Stream) -> Found {
        let mut found = found(stream);
        assert_eq!(found.len(), 1, "{:#?}", found.iter().map(|found| (found.family, &found.scope)).collect::<Vec<_>>());
        found.remove(0)
    }

    fn near(got: Instant, expected: Instant, seconds: i64) -> bool {
        got.seconds_since(expected).abs() <= seconds
    }

    #[test]
    fn quiet_days_are_quiet() {
        for seed in 0..20 {
            let found = found(&Stream::quiet(seed, 20_000));
            assert!(found.is_empty(), "seed {seed}: {:?} {:?}", found[0].family, found[0].scope);
        }
        assert!(found(&Stream::quiet(1, 0)).is_empty());
    }

    #[test]
    fn one_link_is_blamed_and_neither_its_cities_nor_its_agents() {
        for seed in 0..10 {
            let mut stream = Stream::quiet(seed, 20_000);
            stream.fail(|sample, rng| {
                let hit = sample.dims[0] == 211 && (at("10:20")..at("14:05")).contains(&sample.at);
                (hit && rng.chance(600_000)).then_some(if rng.chance(300_000) {
                    FailureClass::SwitchError
                } else {
                    FailureClass::NoAnswer
                })
            });
            let found = only(&stream);
            assert_eq!((found.family, found.class), (Family::Lost, FailureClass::NoAnswer));
            assert_eq!(found.scope, [(Dim::NetworkLink, vec![211])], "seed {seed}");
            assert!(near(found.started_at, at("10:20"), 300), "seed {seed}: {:?}", found.started_at);
            assert!(near(found.ended_at.unwrap(), at("14:05"), 300), "seed {seed}: {:?}", found.ended_at);
            assert!(found.confirmed && (550_000..650_000).contains(&found.rate_ppm));
            let cleared = |dim, value| found.excluded.iter().any(|it| it.dim == dim && it.value == value);
            assert!(cleared(Dim::City, 1) && cleared(Dim::Agent, 11), "{:?}", found.excluded);
            let hit = stream.samples.iter().filter(|sample| {
                sample.dims[0] == 211
                    && sample.class.family() == Some(Family::Lost)
                    && (found.started_at..=found.ended_at.unwrap()).contains(&sample.at)
            });
            assert_eq!(found.members.len(), hit.count());
        }
    }

    #[test]
    fn the_comparison_is_told_in_both_languages() {
        let rate = |failures, attempts| Rate { attempts, failures };
        let excluded = Excluded { dim: Dim::Agent, value: 11, inside: rate(60, 100), elsewhere: rate(1, 400) };
        let scope = onus_model::Text { zh: "线路211".to_owned(), en: "link 211".to_owned() };
        let text = excluded.text("A0301", &scope);
        assert_eq!(
            text.zh,
            "代理商A0301的失败随范围（线路211）而来：范围内100笔失败60笔，同一时段范围外400笔失败1笔，其本身并不失败。"
        );
        assert_eq!(
            text.en,
            "agent A0301 fails only within link 211: 60 of 100 payments there, 1 of 400 elsewhere in the same time; it does not fail by itself."
        );
    }

    #[test]
    fn an_issuer_outage_is_benign() {
        let mut stream = Stream::quiet(3, 20_000);
        stream.fail(|sample, rng| {
            let hit = sample.dims[1] == 102 && (at("14:40")..at("15:30")).contains(&sample.at);
            (hit && rng.chance(900_000)).then_some(FailureClass::IssuerDown)
        });
        let found = only(&stream);
        assert_eq!((found.family, found.benign), (Family::IssuerDown, true));
        assert_eq!(found.scope, [(Dim::Issuer, vec![102])]);
        assert!(near(found.started_at, at("14:40"), 300) && near(found.ended_at.unwrap(), at("15:30"), 300));
        assert!(found.excluded.is_empty(), "{:?}", found.excluded);
    }

    #[test]
    fn an_evening_without_funds_has_no_scope() {
        for seed in 0..5 {
            let mut stream = Stream::quiet(seed, 20_000);
            stream.fail(|sample, rng| {
                let hit = (at("18:00")..at("20:30")).contains(&sample.at);
                (hit && rng.chance(80_000)).then_some(FailureClass::Funds)
            });
            let found = only(&stream);
            assert_eq!((found.family, found.benign, found.scope.len()), (Family::Funds, true, 0));
            assert!(near(found.started_at, at("18:00"), 1_200), "seed {seed}: {:?}", found.started_at);
            assert!(near(found.ended_at.unwrap(), at("20:30"), 1_200), "seed {seed}: {:?}", found.ended_at);
        }
    }

    #[test]
    fn an_outdated_program_fails_with_some_issuers() {
        let mut stream = Stream::quiet(5, 20_000);
        stream.fail(|sample, rng| {
            let hit = sample.dims[4] == 284 && [103, 108].contains(&sample.dims[1]);
            (hit && rng.chance(900_000)).then_some(FailureClass::BadReply)
        });
        let found = only(&stream);
        assert_eq!(found.scope, [(Dim::AppVersion, vec![284]), (Dim::Issuer, vec![103, 108])]);
        assert_eq!((found.family, found.ended_at), (Family::BadReply, None));
        assert!(found.confirmed);
    }

    #[test]
    fn a_production_batch_is_blamed_and_not_the_agent_that_bought_most_of_it() {
        let mut stream = Stream::quiet(6, 20_000);
        stream.fail(|sample, rng| {
            // Only four of five terminals are bad; half of their cards do not read.
            let hit = sample.dims[5] == 17 && sample.dims[6] % 5 != 1;
            (hit && rng.chance(500_000)).then_some(FailureClass::Unread)
        });
        let found = only(&stream);
        assert_eq!((found.family, found.scope), (Family::Unread, vec![(Dim::ProductionBatch, vec![17])]));
        assert!(found.excluded.iter().any(|it| it.dim == Dim::Agent && it.value == 11), "{:?}", found.excluded);
    }

    #[test]
    fn the_acquirers_own_line_and_its_cities_when_lines_are_unknown() {
        let mut stream = Stream::quiet(7, 20_000);
        stream.fail(|sample, _| {
            let hit = sample.dims[0] == 201 && (at("16:20")..at("16:48")).contains(&sample.at);
            hit.then_some(FailureClass::AcquirerSilent)
        });
        let found = only(&stream);
        assert_eq!((found.family, &found.scope), (Family::AcquirerSilent, &vec![(Dim::NetworkLink, vec![201])]));
        assert!(near(found.started_at, at("16:20"), 300) && near(found.ended_at.unwrap(), at("16:48"), 300));

        for sample in stream.samples.iter_mut().filter(|sample| sample.class == FailureClass::AcquirerSilent) {
            sample.dims[0] = 0;
        }
        assert_eq!(only(&stream).scope, [(Dim::City, vec![1, 2, 3, 4])]);
    }

    #[test]
    fn keys_of_single_terminals() {
        let mut stream = Stream::quiet(8, 20_000);
        stream.fail(|sample, _| {
            let hit =
                [40, 41, 42, 43, 44].contains(&sample.dims[6]) && sample.at >= at("09:00") && sample.at < at("13:00");
            hit.then_some(FailureClass::KeySync)
        });
        let found = only(&stream);
        assert_eq!(
            (found.family, found.scope),
            (Family::KeySync, vec![(Dim::Agent, vec![11]), (Dim::Terminal, vec![40, 41, 42, 43, 44])])
        );
        // A night without a failure is no end yet.
        assert_eq!(found.ended_at, None);
    }

    #[test]
    fn more_one_sided_payments_than_normal_are_a_pattern_wherever_they_are() {
        // (one-sided payments in a million, whether that is a pattern)
        for (ppm, expected) in [(0, false), (60, false), (1_000, true)] {
            for seed in 0..5 {
                let mut stream = Stream::quiet(seed, 40_000);
                let mut rng = Rng::new(seed + 100);
                for sample in stream.samples.iter_mut().filter(|_| rng.chance(ppm)) {
                    sample.also = FailureClass::OneSided;
                }
                let found = found(&stream);
                let seen: Vec<_> = found.iter().map(|it| (it.family, it.class, it.scope.len())).collect();
                let pattern = (Family::OneSided, FailureClass::OneSided, 0);
                assert_eq!(seen, if expected { vec![pattern] } else { vec![] }, "{ppm} seed {seed}");
            }
        }
    }

    #[test]
    fn one_sided_payments_of_one_line_have_it_as_scope_and_stay_in_their_episode_too() {
        let mut stream = Stream::quiet(3, 40_000);
        let mut rng = Rng::new(7);
        stream.fail(|sample, rng| {
            let hit = sample.dims[0] == 211 && (at("10:20")..at("14:05")).contains(&sample.at);
            (hit && rng.chance(600_000)).then_some(FailureClass::NoAnswer)
        });
        let lost = |it: &&mut Sample| it.dims[0] == 211 && it.class == FailureClass::NoAnswer;
        for sample in stream.samples.iter_mut().filter(lost).filter(|_| rng.chance(200_000)) {
            sample.also = FailureClass::OneSided;
        }
        let found = found(&stream);
        let scope = vec![(Dim::NetworkLink, vec![211])];
        let seen: Vec<_> = found.iter().map(|it| (it.family, it.scope.clone())).collect();
        assert_eq!(seen, [(Family::Lost, scope.clone()), (Family::OneSided, scope)]);
    }

    #[test]
    fn merchant_codes_that_do_not_fit_are_a_pattern_of_their_agent() {
        let mut stream = Stream::quiet(4, 20_000);
        for sample in stream.samples.iter_mut().filter(|it| [35, 36].contains(&it.dims[8])) {
            sample.also = FailureClass::WrongMcc;
        }
        let found = only(&stream);
        assert_eq!((found.family, found.class), (Family::WrongMcc, FailureClass::WrongMcc));
        assert_eq!(found.scope, [(Dim::Agent, vec![11]), (Dim::Merchant, vec![35, 36])]);
        let policy = Policy::builtin().unwrap();
        let patterns: Vec<_> = policy.families.iter().filter(|it| it.pattern).map(|it| it.family).collect();
        assert_eq!(patterns, [Family::OneSided, Family::WrongMcc]);
    }

    #[test]
    fn bursts_at_the_same_time_are_told_apart_and_may_still_go_on() {
        let mut stream = Stream::quiet(9, 20_000);
        stream.fail(|sample, rng| {
            let lost = sample.dims[0] == 211 && (at("10:20")..at("14:05")).contains(&sample.at) && rng.chance(600_000);
            let down = sample.dims[1] == 102 && (at("11:00")..at("12:00")).contains(&sample.at) && rng.chance(900_000);
            let late = sample.dims[0] == 202 && sample.at >= at("22:00") && rng.chance(500_000);
            if down { Some(FailureClass::IssuerDown) } else { (lost || late).then_some(FailureClass::NoAnswer) }
        });
        let found = found(&stream);
        let scopes: Vec<_> =
            found.iter().map(|found| (found.family, found.scope.clone(), found.ended_at.is_some())).collect();
        assert_eq!(
            scopes,
            [
                (Family::Lost, vec![(Dim::NetworkLink, vec![211])], true),
                (Family::Lost, vec![(Dim::NetworkLink, vec![202])], false),
                (Family::IssuerDown, vec![(Dim::Issuer, vec![102])], true),
            ]
        );
        let mut members: Vec<u32> = found.into_iter().flat_map(|found| found.members).collect();
        let all = members.len();
        members.sort_unstable();
        members.dedup();
        assert_eq!(members.len(), all, "a sample is a member of at most one episode");
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig::with_cases(64))]
        #[test]
        fn holds_together_whatever_comes_in(
            rows in proptest::collection::vec((0i64..2_000, 0usize..10, proptest::array::uniform11(0u32..4)), 0..400),
        ) {
            const CLASSES: [FailureClass; 10] = [
                FailureClass::None, FailureClass::NoAnswer, FailureClass::SwitchError, FailureClass::AcquirerSilent,
                FailureClass::IssuerDown, FailureClass::Funds, FailureClass::Unread, FailureClass::BadReply,
                FailureClass::KeySync, FailureClass::Diverted,
            ];
            let make = |(second, class, dims): (i64, usize, [u32; DIMS])| {
                {
                let at = Instant(0).plus_seconds(second);
                Sample { at, known_at: at, amount_minor: 1, class: CLASSES[class], also: FailureClass::None, also_at: at, dims }
            }
            };
            let mut samples: Vec<Sample> = rows.into_iter().map(make).collect();
            samples.sort_by_key(|sample| sample.at);
            for found in detect(&samples, &Policy::builtin().unwrap()) {
                proptest::prop_assert_eq!(found.failures, found.members.len() as u64);
                proptest::prop_assert!(found.attempts >= found.failures && found.scope.len() <= 2);
                proptest::prop_assert!(found.ended_at.is_none_or(|end| end >= found.started_at));
                for member in &found.members {
                    let sample = &samples[*member as usize];
                    proptest::prop_assert_eq!(sample.class.family(), Some(found.family));
                    for (dim, values) in &found.scope {
                        proptest::prop_assert!(values.contains(&sample.dims[*dim as usize]));
                    }
                }
            }
        }
    }
}
