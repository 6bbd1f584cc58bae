//! What matched peers would have had: for agents, whose trade differs, a fairer measure than the whole.

use rustc_hash::FxHashMap;

use super::alarm::{Cell, Count};
use super::settings::PeerSettings;

/// What one agent counted in one stratum: payments alike in category, entry mode, card kind and amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PeerRow {
    /// The agent (or terminal, or shop).
    pub who: u32,
    /// The stratum, a symbol of the caller.
    pub stratum: u32,
    /// The denominator.
    pub attempts: u32,
    /// The numerator.
    pub hits: u32,
}

#[derive(Debug, Clone, Copy, Default)]
struct Sum {
    attempts: f64,
    hits: f64,
}

impl Sum {
    fn add(&mut self, row: &PeerRow) {
        self.attempts += f64::from(row.attempts);
        self.hits += f64::from(row.hits);
    }

    /// The rate without one row, leaning on a rate for so many attempts.
    fn without(self, row: &PeerRow, rate: f64, strength: f64) -> f64 {
        let (attempts, hits) = (self.attempts - f64::from(row.attempts), self.hits - f64::from(row.hits));
        (hits + strength * rate) / (attempts + strength)
    }
}

/// Counts of everyone in `rows` for one layer of a signal, each with the hits that the others, in the same strata,
/// would have had. Nobody is measured against themselves. A row for each agent and stratum.
#[must_use]
pub fn against_peers(rows: &[PeerRow], signal: u8, layer: u8, prior_rate: f64, settings: &PeerSettings) -> Vec<Count> {
    let mut all = Sum::default();
    let mut strata: FxHashMap<u32, Sum> = FxHashMap::default();
    for row in rows {
        all.add(row);
        strata.entry(row.stratum).or_default().add(row);
    }
    let strength = settings.stratum_attempts;
    let mut counts: FxHashMap<u32, Count> = FxHashMap::default();
    for row in rows {
        let overall = all.without(row, prior_rate, strength);
        let rate = strata.get(&row.stratum).map_or(overall, |stratum| stratum.without(row, overall, strength));
        let cell = Cell { signal, layer, value: row.who };
        let empty = Count { cell, attempts: 0, hits: 0, expected: Some(0.0) };
        let count = counts.entry(row.who).or_insert(empty);
        count.attempts += row.attempts;
        count.hits += row.hits;
        count.expected = count.expected.map(|expected| expected + rate * f64::from(row.attempts));
    }
    let mut sorted: Vec<Count> = counts.into_values().collect();
    sorted.sort_unstable_by_key(|count| count.cell);
    sorted
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detector::Settings;

    #[test]
    fn a_hard_trade_is_no_fault() {
        // Stratum 1 declines 2 of 100, stratum 2 declines 20 of 100; agent 3 has only the hard one, agent 4 is bad.
        let row = |who, stratum, hits| PeerRow { who, stratum, attempts: 1_000, hits };
        let rows = [
            row(1, 1, 20),
            row(1, 2, 200),
            row(2, 1, 21),
            row(2, 2, 199),
            row(3, 2, 204),
            row(4, 1, 80),
            row(5, 1, 19),
            row(6, 1, 20),
        ];
        let counts = against_peers(&rows, 2, 1, 0.02, &Settings::builtin().unwrap().peers);
        let ratios: Vec<(u32, f64)> =
            counts.iter().map(|count| (count.cell.value, f64::from(count.hits) / count.expected.unwrap())).collect();
        for (who, ratio) in ratios {
            let expected = if who == 4 { 3.5..4.5 } else { 0.5..1.1 };
            assert!(expected.contains(&ratio), "agent {who}: {ratio}");
        }
    }
}
