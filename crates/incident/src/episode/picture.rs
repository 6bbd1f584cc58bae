//! What an episode's payments look like beside the others of the same time: by value, and by minute.

use std::collections::BTreeMap;

use onus_model::Instant;

use crate::{
    found::{Found, Rate},
    grouped::{in_scope, value},
    sample::{Dim, Sample},
};

/// Payments of one value in the time of an episode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cell {
    /// The value.
    pub value: u32,
    /// Its payments in scope.
    pub inside: Rate,
    /// Its payments elsewhere.
    pub elsewhere: Rate,
}

impl Cell {
    /// All its payments.
    #[must_use]
    pub fn all(&self) -> Rate {
        self.inside.plus(self.elsewhere)
    }
}

/// Counts of a stretch of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// Its beginning.
    pub at: Instant,
    /// Payments in scope.
    pub inside: Rate,
    /// All others.
    pub elsewhere: Rate,
}

/// The samples in the time of an episode, each with whether it is in scope and whether it failed.
fn in_time<'a>(samples: &'a [Sample], found: &'a Found) -> impl Iterator<Item = (&'a Sample, bool, bool)> {
    let until = found.ended_at.unwrap_or(Instant(i64::MAX));
    samples
        .iter()
        .filter(move |sample| (found.started_at..=until).contains(&sample.at))
        .map(move |sample| (sample, in_scope(sample, &found.scope), sample.fails_in(found.family)))
}

/// The values of each dimension with their counts: those that failed most, at most `keep` of each.
#[must_use]
pub fn map(samples: &[Sample], found: &Found, dims: &[Dim], keep: usize) -> Vec<(Dim, Vec<Cell>)> {
    let mut counts: Vec<BTreeMap<u32, Cell>> = vec![BTreeMap::new(); dims.len()];
    for (sample, inside, failed) in in_time(samples, found) {
        for (dim, cells) in dims.iter().zip(&mut counts) {
            let value = value(&sample.dims, *dim);
            if value != 0 {
                let empty = Cell { value, inside: Rate::default(), elsewhere: Rate::default() };
                let cell = cells.entry(value).or_insert(empty);
                (if inside { &mut cell.inside } else { &mut cell.elsewhere }).add(failed);
            }
        }
    }
    let most = |cells: BTreeMap<u32, Cell>| {
        let mut cells: Vec<Cell> = cells.into_values().collect();
        cells.sort_by_key(|cell| {
            let all = cell.all();
            (std::cmp::Reverse(all.failures), std::cmp::Reverse(all.attempts), cell.value)
        });
        cells.truncate(keep);
        cells
    };
    dims.iter().copied().zip(counts.into_iter().map(most)).collect()
}

/// Failures over time, in stretches that make at most `most` of them, with a margin of a quarter before and after.
#[must_use]
pub fn timeline(samples: &[Sample], found: &Found, most: i64) -> Vec<Moment> {
    let (Some(first), Some(last)) = (samples.first(), samples.last()) else { return Vec::new() };
    let end = found.ended_at.unwrap_or(last.at);
    let margin = (end.seconds_since(found.started_at) / 4).max(1_800);
    let from = found.started_at.plus_seconds(-margin).max(first.at);
    let until = end.plus_seconds(margin).min(last.at);
    // Whole minutes, from the start of a minute.
    let minutes = (until.seconds_since(from) / 60 / most.max(1) + 1).max(1);
    let minutes = [1, 2, 5, 10, 15, 30, 60, 120, 360, 720].into_iter().find(|it| *it >= minutes).unwrap_or(1_440);
    let width = minutes * 60;
    let from = from.plus_seconds(-from.seconds_since(Instant(0)).rem_euclid(width));
    let stretches = (until.seconds_since(from) / width + 1).max(1);
    let empty = |number: i64| Moment {
        at: from.plus_seconds(number * width),
        inside: Rate::default(),
        elsewhere: Rate::default(),
    };
    let mut moments: Vec<Moment> = (0..stretches).map(empty).collect();
    for sample in samples.iter().filter(|sample| (from..=until).contains(&sample.at)) {
        let number = usize::try_from(sample.at.seconds_since(from) / width).unwrap_or_default();
        if let Some(moment) = moments.get_mut(number) {
            let side = if in_scope(sample, &found.scope) { &mut moment.inside } else { &mut moment.elsewhere };
            side.add(sample.fails_in(found.family));
        }
    }
    moments
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
    fn the_line_stands_out_and_its_agents_only_on_it() {
        let mut stream = Stream::quiet(1, 40_000);
        stream.fail(|sample, rng| {
            let hit = sample.dims[0] == 211 && (at("10:20")..at("14:05")).contains(&sample.at);
            (hit && rng.chance(600_000)).then_some(FailureClass::NoAnswer)
        });
        let found = detect(&stream.samples, &Policy::builtin().unwrap()).remove(0);
        let map = map(&stream.samples, &found, &[Dim::NetworkLink, Dim::Agent], 5);
        let link = map[0].1[0];
        assert_eq!((link.value, link.elsewhere), (211, Rate::default()));
        assert_eq!(link.inside, Rate { attempts: found.attempts, failures: found.failures });
        let agent = map[1].1[0];
        assert_eq!((agent.value, map[1].1.len()), (11, 5));
        assert!(agent.inside.ppm() > 500_000 && agent.elsewhere.ppm() < 20_000, "{agent:?}");

        let moments = timeline(&stream.samples, &found, 90);
        assert!(moments.len() <= 91 && moments.len() > 30, "{}", moments.len());
        let failures: u64 = moments.iter().map(|it| it.inside.failures).sum();
        assert!(failures >= found.failures);
        let before = moments.iter().filter(|it| it.at < at("10:10"));
        assert!(before.map(|it| it.inside.failures).sum::<u64>() < 5);
    }
}
