//! What the cells of a cube counted in a minute.

use super::alarm::{Cell, Count};
use super::settings::{Settings, Split};
use crate::cube::{Cube, Dimension};

/// Counts of all cells of all signals that are counted in a cube. Values that are not known or were folded away are
/// no cells.
#[must_use]
pub fn counts(cube: &Cube, minute: u32, settings: &Settings) -> Vec<Count> {
    let mut found = Vec::new();
    for (signal, described) in (0..u8::MAX).zip(&settings.signals) {
        let Some((of, hits)) = described.columns() else { continue };
        for (layer, split) in (0..u8::MAX).zip(described.layers.iter().map(super::Layer::split)) {
            let count = |value: u32, attempts: u32, hits: u32| Count {
                cell: Cell { signal, layer, value },
                attempts,
                hits,
                expected: None,
            };
            let named = |dimension: Dimension, code: u16| code != 0 && code != dimension.other();
            match split {
                None => {}
                Some(Split::Total) => {
                    let (attempts, hits) = cube.total(minute, of, hits);
                    found.push(count(0, attempts, hits));
                }
                Some(Split::By(dimension)) => {
                    let values = cube.values(minute, dimension, of, hits).filter(|(code, ..)| named(dimension, *code));
                    found.extend(values.map(|(code, attempts, hits)| count(u32::from(code), attempts, hits)));
                }
                Some(Split::ByPair(one, other)) => {
                    let pairs = cube.pairs(minute, (one, other), of, hits);
                    let pairs = pairs.into_iter().filter(|((a, b), ..)| named(one, *a) && named(other, *b));
                    found.extend(pairs.map(|((a, b), attempts, hits)| count(Cell::pair_value(a, b), attempts, hits)));
                }
            }
        }
    }
    found.retain(|count| count.attempts > 0);
    found
}
