//! What was found, with the figures that speak for it and those of the scopes that it was weighed against.

use super::cover::{Span, rows_in};
use super::table::Table;

/// What a part of a scope asks for.
#[derive(Debug, Clone, PartialEq)]
pub enum Is {
    /// This value.
    Value(u32),
    /// A number from the first (included) to the second (excluded); without one of them there is no end on that side.
    Between(Option<f64>, Option<f64>),
}

/// One condition of a scope.
#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    /// Dimension, by its place in the table.
    pub dim: usize,
    /// What it asks for.
    pub is: Is,
}

/// Sums over the rows of a scope.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Figures {
    /// Attempts; of a measure, rows.
    pub size: f64,
    /// Failures, or the measure.
    pub actual: f64,
    /// Ordinary failures, or the forecast.
    pub expected: f64,
}

/// Which other scope was looked at.
#[derive(Debug, Clone, PartialEq)]
pub enum Other {
    /// The scope without its condition on this dimension, less the scope itself.
    Without(usize),
    /// The scope with another value of this dimension.
    Sibling(usize, u32),
}

/// A scope that was weighed against the one found.
#[derive(Debug, Clone, PartialEq)]
pub struct Alternative {
    /// Which.
    pub other: Other,
    /// Its figures.
    pub figures: Figures,
    /// Its log likelihood ratio; low means that it is not part of the trouble.
    pub nats: f64,
}

/// A scope that explains what happened.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// Conditions, all of which hold, in the order of dimensions.
    pub scope: Vec<Part>,
    /// Log likelihood ratio against nothing special, in nats.
    pub nats: f64,
    /// What is left of it when the name of the scope is paid for.
    pub net: f64,
    /// Its figures.
    pub figures: Figures,
    /// What it was weighed against.
    pub alternatives: Vec<Alternative>,
}

/// Everything moved at once: the cause is not in these dimensions.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Everywhere {
    /// Log likelihood ratio, in nats.
    pub nats: f64,
    /// Sums over everything.
    pub figures: Figures,
}

/// The answer for one table.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Answer {
    /// Scopes, the one that explains most first. Empty when nothing here explains anything.
    pub findings: Vec<Finding>,
    /// Set when everything moved; findings are then what moved beyond that.
    pub everywhere: Option<Everywhere>,
}

/// Conditions of spans; stretches of a dimension of numbers get the edges of its bins.
pub(super) fn parts(table: &Table, spans: &[Span]) -> Vec<Part> {
    let part = |span: &Span| {
        let edges = table.dims().get(span.dim).and_then(|dim| dim.edges.as_ref());
        let is = edges.map_or(Is::Value(span.first), |edges| {
            let from = (span.first > 0).then(|| edges.get(span.first as usize).copied()).flatten();
            Is::Between(from, edges.get(span.last as usize + 1).copied())
        });
        Part { dim: span.dim, is }
    };
    spans.iter().map(part).collect()
}

/// Figures and statistics of some rows.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tally<const W: usize> {
    pub(super) figures: Figures,
    pub(super) sums: [f64; W],
}

impl<const W: usize> Tally<W> {
    pub(super) const NONE: Self = Self { figures: Figures { size: 0.0, actual: 0.0, expected: 0.0 }, sums: [0.0; W] };

    /// Of some rows together.
    pub(super) fn of(rows: impl Iterator<Item = Self>) -> Self {
        rows.fold(Self::NONE, |mut all, row| {
            all.add(&row);
            all
        })
    }

    fn add(&mut self, other: &Self) {
        self.figures.size += other.figures.size;
        self.figures.actual += other.figures.actual;
        self.figures.expected += other.figures.expected;
        self.sums.iter_mut().zip(&other.sums).for_each(|(sum, value)| *sum += value);
    }
}

/// The scopes next to one: wider by one condition, and beside it along each condition (at most `siblings` of each,
/// those that say most first).
pub(super) fn alternatives<const W: usize>(
    table: &Table,
    spans: &[Span],
    siblings: usize,
    row: impl Fn(usize) -> Tally<W>,
    nats: impl Fn(&[f64; W]) -> f64,
) -> Vec<Alternative> {
    let mut all = Vec::new();
    let judged = |other, tally: &Tally<W>| {
        let nats = nats(&tally.sums).max(0.0);
        Alternative { other, figures: tally.figures, nats }
    };
    for own in spans {
        let rest: Vec<Span> = spans.iter().copied().filter(|span| span.dim != own.dim).collect();
        let mut by_value: Vec<Option<Tally<W>>> = vec![None; table.cardinality(own.dim)];
        for at in rows_in(table, &rest).into_iter().filter(|at| !own.holds(table, *at)) {
            if let Some(tally) = by_value.get_mut(table.code(at, own.dim) as usize) {
                tally.get_or_insert(Tally::NONE).add(&row(at));
            }
        }
        let beside = Tally::of(by_value.iter().flatten().copied());
        all.push(judged(Other::Without(own.dim), &beside));
        if table.ordered() == Some(own.dim) {
            continue;
        }
        let values = by_value.iter().enumerate().filter_map(|(value, tally)| Some((value as u32, tally.as_ref()?)));
        let mut found: Vec<Alternative> =
            values.map(|(value, tally)| judged(Other::Sibling(own.dim, value), tally)).collect();
        found.sort_by(|a, b| b.nats.total_cmp(&a.nats).then(b.figures.size.total_cmp(&a.figures.size)));
        found.truncate(siblings);
        all.extend(found);
    }
    all
}
