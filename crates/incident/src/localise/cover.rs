//! The elements that explain the most, one after the other.

use super::lattice::{Cuboid, Lattice};
use super::table::Table;

/// What additive statistics say for an element, in nats against "nothing special here".
pub(super) trait Evidence<const W: usize> {
    /// The log likelihood ratio of an element with these sums; not above zero when there is nothing.
    fn nats(&self, sums: &[f64; W]) -> f64;
    /// Whether an element has anything to judge.
    fn occupied(&self, sums: &[f64; W]) -> bool {
        self.size(sums) > 0.0
    }
    /// How much of the data an element holds.
    fn size(&self, sums: &[f64; W]) -> f64;
}

/// Values of one dimension that an element takes: a single one, or neighbours of a dimension of numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) dim: usize,
    pub(super) first: u32,
    pub(super) last: u32,
}

impl Span {
    pub(super) const fn one(dim: usize, value: u32) -> Self {
        Self { dim, first: value, last: value }
    }

    pub(super) fn holds(&self, table: &Table, row: usize) -> bool {
        (self.first..=self.last).contains(&table.code(row, self.dim))
    }
}

/// Price of naming an element.
#[derive(Debug, Clone, Copy)]
pub(super) struct Price {
    /// For each nat of choice among the elements of a cuboid.
    pub(super) element: f64,
    /// For each nat of choice among cuboids.
    pub(super) cuboid: f64,
    /// For each dimension more.
    pub(super) layer: f64,
}

/// An element with its place in the lattice.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Element {
    pub(super) cuboid: usize,
    /// Nothing for a stretch of cells.
    cell: Option<usize>,
    /// Ascending by dimension.
    pub(super) spans: Vec<Span>,
    /// Log likelihood ratio.
    pub(super) nats: f64,
    /// What is left when its name is paid for.
    pub(super) net: f64,
}

impl Element {
    /// An element that is not looked up by its place; plain when it has no stretch.
    pub(super) const fn new(spans: Vec<Span>, plain: bool, nats: f64, net: f64) -> Self {
        Self { cuboid: 0, cell: if plain { Some(0) } else { None }, spans, nats, net }
    }

    pub(super) const fn is_plain(&self) -> bool {
        self.cell.is_some()
    }
}

/// A lattice with the score of each element, and the rows that no chosen element has taken.
pub(super) struct Cover<'a, const W: usize, E> {
    table: &'a Table,
    rows: &'a [[f64; W]],
    lattice: Lattice<W>,
    scores: Vec<Vec<f64>>,
    prices: Vec<f64>,
    taken: Vec<bool>,
    evidence: &'a E,
}

impl<'a, const W: usize, E: Evidence<W>> Cover<'a, W, E> {
    /// Rolls up and scores everything.
    pub(super) fn new(table: &'a Table, rows: &'a [[f64; W]], evidence: &'a E, max_layer: usize, price: Price) -> Self {
        let lattice = Lattice::build(table, rows, max_layer);
        let of_choice = price.cuboid * (lattice.cuboids.len().max(1) as f64).ln();
        let scores = |cuboid: &Cuboid<W>| cuboid.sums.iter().map(|sums| evidence.nats(sums)).collect();
        let scores = lattice.cuboids.iter().map(scores).collect();
        let prices = lattice.cuboids.iter().map(|cuboid| {
            let elements = cuboid.sums.iter().filter(|sums| evidence.occupied(sums)).count().max(1);
            price.element * (elements as f64).ln() + of_choice + price.layer * (cuboid.dims.len() as f64 - 1.0)
        });
        let (prices, taken) = (prices.collect(), vec![false; table.rows()]);
        Self { table, rows, lattice, scores, prices, taken, evidence }
    }

    /// Number of cuboids.
    pub(super) const fn cuboids(&self) -> usize {
        self.lattice.cuboids.len()
    }

    /// What naming an element of a cuboid costs.
    pub(super) fn price(&self, cuboid: usize) -> f64 {
        self.prices.get(cuboid).copied().unwrap_or(f64::INFINITY)
    }

    /// Makes further elements of a cuboid cheaper: what fails together often shares its attributes.
    pub(super) fn cheapen(&mut self, cuboid: usize, by: f64) {
        if let Some(price) = self.prices.get_mut(cuboid) {
            *price -= by;
        }
    }

    /// The element worth most; of equal ones the one with fewer dimensions.
    pub(super) fn best(&self) -> Option<Element> {
        let mut best: Option<(f64, usize, usize)> = None;
        for (cuboid, scores) in self.scores.iter().enumerate() {
            let bar = best.map_or(f64::NEG_INFINITY, |(net, ..)| net) + self.price(cuboid);
            let top = highest(scores);
            if top >= bar {
                let cell = scores.iter().position(|score| *score >= top).unwrap_or(0);
                best = Some((top - self.price(cuboid), cuboid, cell));
            }
        }
        best.map(|(_, cuboid, cell)| self.element(cuboid, cell))
    }

    fn element(&self, cuboid: usize, cell: usize) -> Element {
        let nats = self.scores.get(cuboid).and_then(|scores| scores.get(cell)).copied().unwrap_or(0.0);
        let values = self.lattice.cuboids.get(cuboid).map(|cuboid| cuboid.element(cell)).unwrap_or_default();
        let spans = values.into_iter().map(|(dim, value)| Span::one(dim, value)).collect();
        Element { cuboid, cell: Some(cell), spans, nats, net: nats - self.price(cuboid) }
    }

    /// The element, or the best of its parts where a few parts explain more than the whole.
    pub(super) fn refined(&self, mut element: Element, max_part: f64) -> Element {
        while let Some(part) = self.part(&element, max_part) {
            element = part;
        }
        element
    }

    fn part(&self, element: &Element, max_part: f64) -> Option<Element> {
        let parts = (0..self.table.dims().len()).filter_map(|dim| self.split(element, dim, max_part));
        parts.max_by(|(a, _), (b, _)| a.total_cmp(b)).map(|(_, part)| part)
    }

    /// What the parts along one dimension explain together, and the best of them.
    fn split(&self, element: &Element, dim: usize, max_part: f64) -> Option<(f64, Element)> {
        let own = element.cell?;
        if element.spans.iter().any(|span| span.dim == dim) || self.table.ordered() == Some(dim) {
            return None;
        }
        let mut dims: Vec<usize> = element.spans.iter().map(|span| span.dim).chain([dim]).collect();
        dims.sort_unstable();
        let at = self.lattice.cuboids.iter().position(|cuboid| cuboid.dims == dims)?;
        let cuboid = self.lattice.cuboids.get(at)?;
        let whole = self.evidence.size(self.lattice.cuboids.get(element.cuboid)?.sums.get(own)?);
        let (mut net, mut size, mut best) = (0.0, 0.0, None);
        for value in 0..self.table.cardinality(dim) as u32 {
            let values: Vec<(usize, u32)> =
                element.spans.iter().map(|span| (span.dim, span.first)).chain([(dim, value)]).collect();
            let Some(cell) = cuboid.cell_of_values(&values) else { continue };
            let part = self.element(at, cell);
            if part.net > 0.0 {
                net += part.net;
                size += cuboid.sums.get(cell).map_or(0.0, |sums| self.evidence.size(sums));
                if best.as_ref().is_none_or(|best: &Element| part.net > best.net) {
                    best = Some(part);
                }
            }
        }
        (net > element.net && size < max_part * whole).then_some(())?;
        best.map(|best| (net, best))
    }

    /// Rows of an element that are not taken yet.
    pub(super) fn rows_of(&self, spans: &[Span]) -> Vec<usize> {
        let inside = rows_in(self.table, spans);
        let left = |row: &usize| {
            self.taken.get(*row) == Some(&false)
                && self.rows.get(*row).is_some_and(|stats| self.evidence.occupied(stats))
        };
        inside.into_iter().filter(left).collect()
    }

    /// Takes rows away, with their part in every sum.
    pub(super) fn take(&mut self, taken: &[usize]) {
        let changed = self.lattice.take(self.table, self.rows, taken);
        for ((cuboid, scores), cells) in self.lattice.cuboids.iter().zip(&mut self.scores).zip(changed) {
            for cell in cells {
                if let (Some(score), Some(sums)) = (scores.get_mut(cell), cuboid.sums.get(cell)) {
                    *score = self.evidence.nats(sums);
                }
            }
        }
        for row in taken {
            if let Some(taken) = self.taken.get_mut(*row) {
                *taken = true;
            }
        }
    }

    /// The element with the conditions that its remaining rows share only because others have been taken: nothing of
    /// what was taken shows that the element reaches there.
    pub(super) fn without_hidden(&self, mut element: Element, rows: &[usize]) -> Element {
        for dim in 0..self.table.dims().len() {
            let Some(value) = hidden(self.table, &self.taken, &element.spans, rows, dim) else { continue };
            element.spans.push(Span::one(dim, value));
        }
        element.spans.sort_by_key(|span| span.dim);
        element
    }
}

/// The highest score; by lanes, so that comparing one need not wait for the one before.
fn highest(scores: &[f64]) -> f64 {
    let higher = |a: f64, b: f64| if b > a { b } else { a };
    let mut lanes = [f64::NEG_INFINITY; 8];
    let (chunks, rest) = scores.as_chunks::<8>();
    for chunk in chunks {
        lanes.iter_mut().zip(chunk).for_each(|(lane, score)| *lane = higher(*lane, *score));
    }
    lanes.iter().chain(rest).copied().fold(f64::NEG_INFINITY, higher)
}

/// The value of a dimension that all remaining rows of an element share, while rows of other values have been taken.
pub(super) fn hidden(table: &Table, taken: &[bool], spans: &[Span], left: &[usize], dim: usize) -> Option<u32> {
    let value = table.code(*left.first()?, dim);
    let free = spans.iter().all(|span| span.dim != dim) && table.ordered() != Some(dim);
    let alone = free && left.iter().all(|row| table.code(*row, dim) == value);
    let is_taken = |row: &usize| taken.get(*row) == Some(&true) && table.code(*row, dim) != value;
    (alone && rows_in(table, spans).iter().any(is_taken)).then_some(value)
}

/// Rows with these values.
pub(super) fn rows_in(table: &Table, spans: &[Span]) -> Vec<usize> {
    let Some((first, rest)) = spans.split_first() else { return (0..table.rows()).collect() };
    let first =
        table.column(first.dim).iter().enumerate().filter(|(_, code)| (first.first..=first.last).contains(code));
    first.map(|(row, _)| row).filter(|row| rest.iter().all(|span| span.holds(table, *row))).collect()
}
