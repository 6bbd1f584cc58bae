//! The elements that explain the most, one after the other.

use super::lattice::Lattice;
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
    rows: Vec<[f64; W]>,
    lattice: Lattice<W>,
    scores: Vec<Vec<f64>>,
    prices: Vec<f64>,
    evidence: &'a E,
}

impl<'a, const W: usize, E: Evidence<W>> Cover<'a, W, E> {
    /// Rolls up and scores everything.
    pub(super) fn new(table: &'a Table, rows: Vec<[f64; W]>, evidence: &'a E, max_layer: usize, price: Price) -> Self {
        let lattice = Lattice::build(table, &rows, max_layer);
        let of_choice = price.cuboid * (lattice.cuboids.len().max(1) as f64).ln();
        let mut cover = Self { table, rows, lattice, scores: Vec::new(), prices: Vec::new(), evidence };
        cover.score_all();
        let prices = cover.lattice.cuboids.iter().map(|cuboid| {
            let elements = cuboid.sums.iter().filter(|sums| evidence.occupied(sums)).count().max(1);
            price.element * (elements as f64).ln() + of_choice + price.layer * (cuboid.dims.len() as f64 - 1.0)
        });
        cover.prices = prices.collect();
        cover
    }

    fn score_all(&mut self) {
        self.scores.resize_with(self.lattice.cuboids.len(), Vec::new);
        for (scores, cuboid) in self.scores.iter_mut().zip(&self.lattice.cuboids) {
            scores.clear();
            scores.extend(cuboid.sums.iter().map(|sums| self.evidence.nats(sums)));
        }
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
            let top = scores
                .iter()
                .enumerate()
                .fold((f64::NEG_INFINITY, 0), |top, (cell, score)| if *score > top.0 { (*score, cell) } else { top });
            if top.0 >= bar {
                best = Some((top.0 - self.price(cuboid), cuboid, top.1));
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
        let left = |row: &usize| self.rows.get(*row).is_some_and(|stats| stats.iter().any(|value| *value != 0.0));
        inside.into_iter().filter(left).collect()
    }

    /// Takes rows away, with their part in every sum.
    pub(super) fn take(&mut self, taken: &[usize]) {
        // Taking rows out one by one costs a few random accesses for each cuboid; a roll-up reads in order.
        let rebuild = taken.len() * 16 > self.table.rows();
        if rebuild {
            self.clear(taken);
            self.lattice.refill(self.table, &self.rows);
            self.score_all();
            return;
        }
        for (cuboid, scores) in self.lattice.cuboids.iter_mut().zip(&mut self.scores) {
            let mut touched: Vec<usize> = Vec::with_capacity(taken.len());
            for row in taken {
                let (Some(cell), Some(stats)) = (cuboid.cell_of(self.table, *row), self.rows.get(*row)) else {
                    continue;
                };
                if let Some(sums) = cuboid.sums.get_mut(cell) {
                    for (sum, value) in sums.iter_mut().zip(stats) {
                        *sum -= value;
                    }
                }
                touched.push(cell);
            }
            touched.sort_unstable();
            touched.dedup();
            for cell in touched {
                if let (Some(score), Some(sums)) = (scores.get_mut(cell), cuboid.sums.get(cell)) {
                    *score = self.evidence.nats(sums);
                }
            }
        }
        self.clear(taken);
    }

    fn clear(&mut self, taken: &[usize]) {
        for row in taken {
            if let Some(stats) = self.rows.get_mut(*row) {
                *stats = [0.0; W];
            }
        }
    }
}

/// Rows with these values.
pub(super) fn rows_in(table: &Table, spans: &[Span]) -> Vec<usize> {
    let Some((first, rest)) = spans.split_first() else { return (0..table.rows()).collect() };
    let first =
        table.column(first.dim).iter().enumerate().filter(|(_, code)| (first.first..=first.last).contains(code));
    first.map(|(row, _)| row).filter(|row| rest.iter().all(|span| span.holds(table, *row))).collect()
}
