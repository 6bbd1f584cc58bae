//! What the payments of an episode show: where they are, who is hit, and how it went.
//!
//! Figures come from the cube's sample: exact while it keeps every payment, and sums of weights when it does not.

use serde::{Deserialize, Serialize};

use super::episodes::Around;
use super::scope::Coded;
use crate::cube::{Dimension, Sampled};

/// Payments of an episode, counted.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Seen {
    attempts: f64,
    hits: f64,
    hit_amount: f64,
}

impl Seen {
    /// Attempts.
    #[must_use]
    pub fn attempts(&self) -> u64 {
        self.attempts.round() as u64
    }

    /// Hits among them.
    #[must_use]
    pub fn hits(&self) -> u64 {
        self.hits.round() as u64
    }

    /// Amount of the hits, minor units.
    #[must_use]
    pub fn hit_amount_minor(&self) -> i64 {
        self.hit_amount.round() as i64
    }

    pub(super) fn add(&mut self, sampled: &[Sampled], scope: &Coded) {
        for it in sampled.iter().filter(|it| scope.holds(it)) {
            self.attempts += it.weight;
            if it.hit {
                self.hits += it.weight;
                self.hit_amount += it.weight * it.amount_minor as f64;
            }
        }
    }
}

/// Attempts and hits of a part, rounded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Part {
    /// Attempts.
    pub attempts: u64,
    /// Hits.
    pub hits: u64,
}

/// One value of the map.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MapCell {
    /// The value.
    pub value: String,
    /// Its payments in the scope.
    pub inside: Part,
    /// Its payments elsewhere in the same time.
    pub elsewhere: Part,
    /// Amount of its hits in the scope, minor units.
    pub hit_amount_minor: i64,
}

/// One dimension of the map.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MapRow {
    /// The dimension.
    pub dimension: Dimension,
    /// Its values, most hits first.
    pub cells: Vec<MapCell>,
}

/// One minute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moment {
    /// Which.
    pub minute: u32,
    /// Payments in the scope.
    pub inside: Part,
    /// Payments elsewhere.
    pub elsewhere: Part,
}

/// What is shown.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Picture {
    /// Counts so far.
    pub(super) seen: Seen,
    /// Values by dimension.
    pub map: Vec<MapRow>,
    /// Agents hit, with the matched comparison.
    pub agents: Vec<MapCell>,
    /// Minute by minute.
    pub moments: Vec<Moment>,
    /// The minute of its twentieth hit.
    pub twentieth: Option<u32>,
}

#[derive(Default, Clone, Copy)]
struct Sums {
    inside: (f64, f64),
    elsewhere: (f64, f64),
    hit_amount: f64,
}

impl Sums {
    fn add(&mut self, it: &Sampled, inside: bool) {
        let sum = if inside { &mut self.inside } else { &mut self.elsewhere };
        sum.0 += it.weight;
        if it.hit {
            sum.1 += it.weight;
            if inside {
                self.hit_amount += it.weight * it.amount_minor as f64;
            }
        }
    }
}

fn part((attempts, hits): (f64, f64)) -> Part {
    Part { attempts: attempts.round() as u64, hits: hits.round() as u64 }
}

impl Picture {
    /// Draws the map anew, from the minutes given.
    pub(super) fn draw(
        &mut self,
        around: &Around<'_>,
        minutes: &[(u32, Vec<Sampled>)],
        scope: &Coded,
        dimensions: &[Dimension],
    ) {
        let sampled: Vec<(&Sampled, bool)> =
            minutes.iter().flat_map(|(_, sampled)| sampled).map(|it| (it, scope.holds(it))).collect();
        let row = |dimension: Dimension, most: usize| {
            let mut sums = vec![Sums::default(); usize::from(dimension.other()) + 1];
            for (it, inside) in &sampled {
                if let Some(sums) = sums.get_mut(usize::from(it.leaf.code(dimension))) {
                    sums.add(it, *inside);
                }
            }
            let named = (0..u16::MAX).zip(&sums).filter_map(|(code, sums)| {
                let value = around.symbols.name(dimension, code)?.to_owned();
                let (inside, elsewhere) = (part(sums.inside), part(sums.elsewhere));
                let hit_amount_minor = sums.hit_amount.round() as i64;
                (inside.attempts + elsewhere.attempts > 0).then_some(MapCell {
                    value,
                    inside,
                    elsewhere,
                    hit_amount_minor,
                })
            });
            let mut cells: Vec<MapCell> = named.collect();
            cells.sort_by(|a, b| {
                (b.inside.hits, b.elsewhere.hits).cmp(&(a.inside.hits, a.elsewhere.hits)).then(a.value.cmp(&b.value))
            });
            cells.truncate(most);
            MapRow { dimension, cells }
        };
        let shown = around.settings.live.shown_values;
        self.map = dimensions.iter().map(|it| row(*it, shown)).filter(|row| row.cells.len() > 1).collect();
        let agents = row(Dimension::Agent, usize::MAX).cells;
        self.agents = agents.into_iter().filter(|cell| cell.inside.hits > 0).collect();
    }

    /// Takes one more minute in.
    pub(super) fn go_on(&mut self, minute: u32, sampled: &[Sampled], scope: &Coded, around: &Around<'_>) {
        let mut sums = Sums::default();
        for it in sampled {
            sums.add(it, scope.holds(it));
        }
        self.moments.push(Moment { minute, inside: part(sums.inside), elsewhere: part(sums.elsewhere) });
        let most = around.settings.cube.minutes as usize * 4;
        if self.moments.len() > most {
            self.moments.drain(..self.moments.len() - most);
        }
        if self.twentieth.is_none() {
            let mut sum = 0;
            let reached = self.moments.iter().find(|moment| {
                sum += moment.inside.hits;
                sum >= 20
            });
            self.twentieth = reached.map(|moment| moment.minute);
        }
    }
}
