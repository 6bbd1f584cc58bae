//! The element worth most, without adding up those that cannot be it.
//!
//! What a row could add at the best is its potential. The potential of an element is never less than what it says,
//! and never more than that of an element it is part of; so whatever has a potential below the price of its name and
//! the best found so far is left out with all its parts, and the answer is the same as if everything had been added
//! up. Sets of dimensions are gone through from small to large ones.

use rustc_hash::{FxHashMap, FxHashSet};

use super::cover::{Element, Price, Span, rows_in};
use super::ratio::{EFFECTS, Lanes, Shares, add, best_lane, sum};
use super::table::Table;

/// A set of dimensions, as bits.
type Mask = u32;

/// Rows of the elements of one set of dimensions that may be worth enough.
struct Alive {
    /// Rows with potential.
    hot: Vec<usize>,
    all: Vec<usize>,
}

/// An element by its place: the row that shows its values, and bins for a stretch.
struct Best {
    net: f64,
    nats: f64,
    mask: Mask,
    row: usize,
    stretch: Option<(u32, u32)>,
}

/// Rows that no chosen element has taken, and the prices of names.
pub(super) struct Screen<'a> {
    table: &'a Table,
    rows: Vec<Lanes>,
    /// Rows with attempts, at the start.
    live: Vec<usize>,
    masks: Vec<Mask>,
    price: Price,
    /// Prices of the sets of dimensions that were asked for, and what some must cost at least.
    prices: FxHashMap<Mask, f64>,
    least: FxHashMap<Mask, f64>,
}

impl<'a> Screen<'a> {
    pub(super) fn new(table: &'a Table, rows: Vec<Lanes>, max_layer: usize, price: Price) -> Self {
        let end = 1_u32.checked_shl(table.dims().len() as u32).unwrap_or(Mask::MAX);
        let mut masks: Vec<Mask> = (1..end).filter(|mask| mask.count_ones() as usize <= max_layer).collect();
        masks.sort_by_key(|mask| (mask.count_ones(), std::cmp::Reverse(*mask)));
        let live = rows.iter().enumerate().filter(|(_, lanes)| Shares::attempts(lanes) > 0.0).map(|(row, _)| row);
        let live = live.collect();
        Self { table, rows, live, masks, price, prices: FxHashMap::default(), least: FxHashMap::default() }
    }

    /// Makes elements of these dimensions cost at least so much.
    pub(super) fn at_least(&mut self, dims: &[usize], price: f64) {
        self.least.insert(mask_of(dims.iter().copied()), price);
    }

    /// The element worth most, if it is worth more than a bar; of equal ones the one with fewer dimensions.
    pub(super) fn best(&mut self, bar: f64) -> Option<Element> {
        let mut best: Option<Best> = None;
        let mut alive: FxHashMap<Mask, Alive> = FxHashMap::default();
        let all: Vec<usize> = self.live.iter().copied().filter(|row| self.is_left(*row)).collect();
        let potentials: Vec<f64> = self.rows.iter().map(potential).collect();
        let hot = all.iter().copied().filter(|row| potentials.get(*row).is_some_and(|nats| *nats > 0.0)).collect();
        alive.insert(0, Alive { hot, all });
        for mask in self.masks.clone() {
            let bar = best.as_ref().map_or(bar, |best| best.net);
            let parents = dims_of(mask).map(|dim| alive.get(&(mask & !(1 << dim))));
            let Some(parents) = parents.collect::<Option<Vec<&Alive>>>() else { continue };
            let Some(hot) = parents.iter().map(|parent| &parent.hot).min_by_key(|hot| hot.len()) else { continue };
            let Some(rows) = parents.iter().map(|parent| &parent.all).min_by_key(|all| all.len()) else { continue };
            let Some(groups) = self.groups(mask, hot, &potentials, bar) else { continue };
            let of_group = |row: &usize| groups.get(&self.group(mask, *row)).copied();
            let hot = hot.iter().copied().filter(|row| of_group(row).is_some()).collect();
            let rows: Vec<usize> = rows.iter().copied().filter(|row| of_group(row).is_some()).collect();
            let price = self.price(mask);
            let found = if self.is_stretched(mask) {
                self.best_stretch(mask, &rows, price)
            } else {
                self.best_value(mask, &rows, &groups, price)
            };
            if let Some(found) = found.filter(|found| found.net > bar) {
                best = Some(found);
            }
            alive.insert(mask, Alive { hot, all: rows });
        }
        best.map(|best| self.element(&best))
    }

    /// Groups of rows with one value of each dimension (but the one of numbers) whose potential is above the price of
    /// their name and the bar, numbered from 0. None when there are none.
    fn groups(&mut self, mask: Mask, hot: &[usize], potentials: &[f64], bar: f64) -> Option<FxHashMap<u64, usize>> {
        self.size(mask)?;
        let mut sums: FxHashMap<u64, f64> = FxHashMap::default();
        for row in hot {
            *sums.entry(self.group(mask, *row)).or_default() += potentials.get(*row).copied().unwrap_or(0.0);
        }
        // A name of fewer dimensions never costs more, and its price is mostly known.
        let cheaper = dims_of(mask).filter_map(|dim| self.prices.get(&(mask & !(1 << dim)))).copied();
        let lower = cheaper.fold(0.0, f64::max);
        sums.retain(|_, nats| *nats > bar + lower);
        if sums.is_empty() {
            return None;
        }
        let price = self.own_price(mask);
        sums.retain(|_, nats| *nats > bar + price);
        (!sums.is_empty()).then(|| sums.into_keys().enumerate().map(|(at, key)| (key, at)).collect())
    }

    fn best_value(&self, mask: Mask, rows: &[usize], groups: &FxHashMap<u64, usize>, price: f64) -> Option<Best> {
        let mut sums = vec![([0.0; EFFECTS + 1], 0); groups.len()];
        for row in rows {
            let cell = groups.get(&self.group(mask, *row)).and_then(|at| sums.get_mut(*at));
            if let (Some((sum, example)), Some(lanes)) = (cell, self.rows.get(*row)) {
                add(sum, lanes);
                *example = *row;
            }
        }
        let scored = sums.iter().map(|(sum, row)| (best_lane(sum).1, *row));
        // The row breaks ties, so that the order of a hash table does not.
        let (nats, row) = scored.max_by(|a, b| a.0.total_cmp(&b.0).then(b.1.cmp(&a.1)))?;
        Some(Best { net: nats - price, nats, mask, row, stretch: None })
    }

    /// The best stretch of neighbouring bins within a group.
    fn best_stretch(&self, mask: Mask, rows: &[usize], price: f64) -> Option<Best> {
        let dim = self.table.ordered()?;
        let last_bin = self.table.cardinality(dim).checked_sub(1)? as u32;
        let mut cells: Vec<(u64, u32, usize)> =
            rows.iter().map(|row| (self.group(mask, *row), self.table.code(*row, dim), *row)).collect();
        cells.sort_unstable();
        let mut best: Option<Best> = None;
        for group in cells.chunk_by(|a, b| a.0 == b.0) {
            let bins: Vec<(u32, Lanes, usize)> = group
                .chunk_by(|a, b| a.1 == b.1)
                .filter_map(|bin| {
                    let (_, code, row) = *bin.first()?;
                    Some((code, sum(&self.rows, bin.iter().map(|(.., row)| *row)), row))
                })
                .collect();
            let sums: Vec<&Lanes> = bins.iter().map(|(_, sum, _)| sum).collect();
            let Some((first, last, nats)) = Shares::stretch(&sums) else { continue };
            let (Some((from, _, row)), Some((to, ..))) = (bins.get(first), bins.get(last)) else { continue };
            let all = *from == 0 && *to == last_bin;
            // All numbers are no condition.
            if !all && best.as_ref().is_none_or(|best| nats > best.nats) {
                best = Some(Best { net: nats - price, nats, mask, row: *row, stretch: Some((*from, *to)) });
            }
        }
        best
    }

    fn element(&self, best: &Best) -> Element {
        let dims: Vec<usize> = dims_of(best.mask).collect();
        let mut spans: Vec<Span> = dims.iter().map(|dim| Span::one(*dim, self.table.code(best.row, *dim))).collect();
        if let (Some((first, last)), Some(span)) = (best.stretch, spans.last_mut()) {
            (span.first, span.last) = (first, last);
        }
        Element::new(spans, best.stretch.is_none(), best.nats, best.net)
    }

    /// The element, or the best of its parts where a few parts explain more than the whole.
    pub(super) fn refined(&mut self, mut element: Element, max_part: f64) -> Element {
        while let Some(part) = self.part(&element, max_part) {
            element = part;
        }
        element
    }

    fn part(&mut self, element: &Element, max_part: f64) -> Option<Element> {
        if !element.is_plain() {
            return None;
        }
        let rows = self.rows_of(&element.spans);
        let mut best: Option<(f64, Element)> = None;
        for dim in 0..self.table.dims().len() {
            let split = self.split(element, &rows, dim, max_part);
            if let Some(split) = split.filter(|split| best.as_ref().is_none_or(|best| split.0 >= best.0)) {
                best = Some(split);
            }
        }
        best.map(|(_, part)| part)
    }

    /// What the parts along one dimension explain together, and the best of them.
    fn split(&mut self, element: &Element, rows: &[usize], dim: usize, max_part: f64) -> Option<(f64, Element)> {
        let mask = mask_of(element.spans.iter().map(|span| span.dim).chain([dim]));
        if mask.count_ones() as usize == element.spans.len()
            || self.table.ordered() == Some(dim)
            || !self.masks.contains(&mask)
        {
            return None;
        }
        let mut parts = vec![[0.0; EFFECTS + 1]; self.table.cardinality(dim)];
        for row in rows {
            if let (Some(part), Some(lanes)) = (parts.get_mut(self.table.code(*row, dim) as usize), self.rows.get(*row))
            {
                add(part, lanes);
            }
        }
        let price = self.price(mask);
        let (mut net, mut size, mut best) = (0.0, 0.0, None);
        for (value, sums) in (0..).zip(&parts) {
            let nats = best_lane(sums).1;
            if nats <= price {
                continue;
            }
            net += nats - price;
            size += Shares::attempts(sums);
            if best.is_none_or(|(most, _)| nats > most) {
                best = Some((nats, value));
            }
        }
        let whole: f64 = parts.iter().map(Shares::attempts).sum();
        let (nats, value) = best.filter(|_| net > element.net && size < max_part * whole)?;
        let mut spans = element.spans.clone();
        spans.push(Span::one(dim, value));
        spans.sort_by_key(|span| span.dim);
        Some((net, Element::new(spans, true, nats, nats - price)))
    }

    /// Rows of an element that are not taken yet.
    pub(super) fn rows_of(&self, spans: &[Span]) -> Vec<usize> {
        rows_in(self.table, spans).into_iter().filter(|row| self.is_left(*row)).collect()
    }

    fn is_left(&self, row: usize) -> bool {
        self.rows.get(row).is_some_and(|lanes| Shares::attempts(lanes) > 0.0)
    }

    /// Takes rows away.
    pub(super) fn take(&mut self, taken: &[usize]) {
        for row in taken {
            if let Some(lanes) = self.rows.get_mut(*row) {
                *lanes = [0.0; EFFECTS + 1];
            }
        }
    }

    /// What naming an element of these dimensions costs.
    fn price(&mut self, mask: Mask) -> f64 {
        self.own_price(mask).max(self.least.get(&mask).copied().unwrap_or(0.0))
    }

    /// The same without what it must cost at least: never less than that of fewer dimensions. Both ends of a stretch
    /// are chosen.
    fn own_price(&mut self, mask: Mask) -> f64 {
        if let Some(price) = self.prices.get(&mask) {
            return *price;
        }
        let names: FxHashSet<u64> = self.live.iter().map(|row| self.key(mask, *row)).collect();
        let layers = f64::from(mask.count_ones()) - 1.0;
        let choice = self.price.element * (names.len().max(1) as f64).ln();
        let of_dims = self.price.cuboid * (self.masks.len().max(1) as f64).ln() + self.price.layer * layers;
        let width = self.table.ordered().filter(|_| self.is_stretched(mask)).map(|dim| self.table.cardinality(dim));
        let ends = width.map_or(0.0, |width| 2.0 * (width.max(1) as f64).ln());
        let price = choice + of_dims + ends;
        self.prices.insert(mask, price);
        price
    }

    fn is_stretched(&self, mask: Mask) -> bool {
        self.table.ordered().is_some_and(|dim| mask >> dim & 1 == 1)
    }

    /// Product of the numbers of values, if it can be counted.
    fn size(&self, mask: Mask) -> Option<u64> {
        dims_of(mask).try_fold(1_u64, |size, dim| size.checked_mul(self.table.cardinality(dim) as u64))
    }

    /// The values of a row as one number.
    fn key(&self, mask: Mask, row: usize) -> u64 {
        let digit = |key: u64, dim: usize| {
            key.wrapping_mul(self.table.cardinality(dim) as u64).wrapping_add(u64::from(self.table.code(row, dim)))
        };
        dims_of(mask).fold(0, digit)
    }

    /// The same without the dimension of numbers.
    fn group(&self, mask: Mask, row: usize) -> u64 {
        self.key(self.table.ordered().map_or(mask, |dim| mask & !(1 << dim)), row)
    }
}

/// What a row could add to an element at the best.
fn potential(lanes: &Lanes) -> f64 {
    lanes.iter().take(EFFECTS).copied().fold(0.0, f64::max)
}

fn mask_of(dims: impl Iterator<Item = usize>) -> Mask {
    dims.fold(0, |mask, dim| mask | 1 << dim)
}

fn dims_of(mask: Mask) -> impl Iterator<Item = usize> {
    (0..Mask::BITS as usize).filter(move |dim| mask >> dim & 1 == 1)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use crate::localise::{Dimension, Settings};

    fn table(rows: &[[u32; 4]], ordered: bool) -> Table {
        let dimension = |at: usize| Dimension {
            name: format!("d{at}"),
            values: (0..6).map(|value| value.to_string()).collect(),
            edges: (ordered && at == 3).then(|| (0..6).map(f64::from).collect()),
        };
        let columns = (0..4).map(|dim| rows.iter().map(|row| row[dim]).collect()).collect();
        Table::new((0..4).map(dimension).collect(), columns).unwrap()
    }

    /// The net worth of every element, one by one.
    fn exhaustive(screen: &mut Screen<'_>) -> f64 {
        let mut best = f64::NEG_INFINITY;
        for mask in screen.masks.clone() {
            let price = screen.price(mask);
            let plain = !screen.is_stretched(mask);
            let mut groups: BTreeMap<u64, Vec<usize>> = BTreeMap::new();
            for row in screen.live.iter().copied() {
                groups.entry(screen.group(mask, row)).or_default().push(row);
            }
            for rows in groups.values() {
                if plain {
                    best = best.max(best_lane(&sum(&screen.rows, rows.iter().copied())).1 - price);
                    continue;
                }
                for (from, to) in (0..6).flat_map(|from| (from..6).map(move |to| (from, to))) {
                    let inside = |row: &usize| (from..=to).contains(&screen.table.code(*row, 3));
                    if (from, to) != (0, 5) && rows.iter().any(inside) {
                        let sums = sum(&screen.rows, rows.iter().copied().filter(inside));
                        best = best.max(best_lane(&sums).1 - price);
                    }
                }
            }
        }
        best
    }

    proptest! {
        /// Nothing is screened out that is worth more than what is found.
        #[test]
        fn finds_what_going_through_everything_finds(
            counted in prop::collection::vec(([0..6_u32, 0..4_u32, 0..3_u32, 0..6_u32], 0..9_u32, 0..9_u32), 1..120),
            hurt in 0..4_u32,
            ordered: bool,
            least in 0.0..9.0_f64,
        ) {
            let settings = Settings::builtin().unwrap().ratio;
            let shares = Shares { settings: &settings };
            let codes: Vec<[u32; 4]> = counted.iter().map(|(codes, ..)| *codes).collect();
            let table = table(&codes, ordered);
            let lanes = counted.iter().map(|(codes, n, k)| {
                let k = if codes[1] == hurt { *k.min(n) } else { u32::from(*k == 8).min(*n) };
                shares.lanes((f64::from(*n), f64::from(k)), (0.05, 50.0), 0.01)
            });
            let price = Price { element: 1.0, cuboid: 1.0, layer: 0.0 };
            let mut screen = Screen::new(&table, lanes.collect(), 3, price);
            screen.at_least(&[1], least);
            let expected = exhaustive(&mut screen);
            match screen.best(0.5) {
                Some(found) => {
                    prop_assert!((found.net - expected).abs() < 1e-9, "{} instead of {expected}", found.net);
                    let sums = sum(&screen.rows, rows_in(&table, &found.spans).into_iter());
                    prop_assert!((best_lane(&sums).1 - found.nats).abs() < 1e-9);
                }
                None => prop_assert!(expected <= 0.5 + 1e-9, "{expected} was missed"),
            }
        }
    }
}
