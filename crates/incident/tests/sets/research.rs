//! A measure with its forecast, as the RiskLoc paper describes its synthetic sets S, L and H (arXiv 2205.10004):
//! Weibull amounts, some of them zero, relative noise on either the amount or the forecast, and causes that take
//! one share off everything in their elements.

use onus_incident::localise::Table;

use super::{Rng, full_cube, scope_text};

/// What a set is made of; pairs are ranges.
#[derive(Debug, Clone)]
pub(crate) struct Recipe {
    pub(crate) sizes: Vec<usize>,
    pub(crate) noise: (f64, f64),
    pub(crate) severity: (f64, f64),
    pub(crate) deviation: (f64, f64),
    pub(crate) causes: (usize, usize),
    pub(crate) elements: (usize, usize),
    pub(crate) leaves_only: bool,
}

impl Recipe {
    /// 48,000 leaves, noise, one to several scopes at any layer.
    pub(crate) fn s() -> Self {
        Self {
            sizes: vec![10, 12, 10, 8, 5],
            noise: (0.0, 0.25),
            severity: (0.2, 1.0),
            deviation: (0.0, 0.1),
            causes: (1, 3),
            elements: (1, 3),
            leaves_only: false,
        }
    }

    /// 36,000 leaves, little noise, one to five scopes of one leaf each.
    pub(crate) fn l() -> Self {
        Self {
            sizes: vec![10, 24, 10, 15],
            noise: (0.0, 0.1),
            severity: (0.5, 1.0),
            deviation: (0.0, 0.0),
            causes: (1, 5),
            elements: (1, 1),
            leaves_only: true,
        }
    }

    /// 600,000 leaves in six dimensions.
    pub(crate) fn h_mini() -> Self {
        Self { sizes: vec![10, 5, 50, 10, 4, 6], ..Self::s() }
    }

    /// Noise and no cause.
    pub(crate) fn quiet() -> Self {
        Self { causes: (0, 0), ..Self::s() }
    }
}

/// One instance.
#[derive(Debug, Clone)]
pub(crate) struct Measured {
    pub(crate) table: Table,
    pub(crate) actual: Vec<f64>,
    pub(crate) forecast: Vec<f64>,
    pub(crate) truth: Vec<String>,
}

/// A cause: dimensions, the values of its elements, and what it does.
struct Cause {
    dims: Vec<usize>,
    elements: Vec<Vec<u32>>,
    severity: f64,
    deviation: f64,
}

/// The instance of a seed. `both_ways` gives each cause a direction of its own.
pub(crate) fn measured(recipe: &Recipe, seed: u64, both_ways: bool) -> Measured {
    let mut rng = Rng::new(seed);
    let rng = &mut rng;
    let table = full_cube(&recipe.sizes);
    let (zero, noise) = (rng.between((0.0, 0.25)), rng.between(recipe.noise));
    let alpha = rng.between((0.5, 1.0));
    let (mut actual, mut forecast) = (Vec::new(), Vec::new());
    for _ in 0..table.rows() {
        let base = if rng.chance(zero) { 0.0 } else { 100.0 * (-rng.unit().ln()).powf(1.0 / alpha) };
        let strayed = (base * (1.0 + noise * rng.normal())).max(0.0);
        let (value, expected) = if rng.chance(0.5) { (strayed, base) } else { (base, strayed) };
        actual.push(value);
        forecast.push(expected);
    }
    let causes = causes(recipe, rng, &actual, noise);
    // As in the paper, causes move to the side on which the noise already lies.
    let short = actual.iter().sum::<f64>() <= forecast.iter().sum::<f64>();
    let mut truth = Vec::new();
    for cause in &causes {
        let short = if both_ways { rng.chance(0.5) } else { short };
        for element in &cause.elements {
            let values: Vec<(usize, u32)> = cause.dims.iter().copied().zip(element.iter().copied()).collect();
            truth.push(scope_text(table.dims(), &values));
            for row in rows_of(&recipe.sizes, &values) {
                let left = (1.0 - cause.severity - cause.deviation * rng.normal()).max(0.0);
                if short {
                    actual[row] = forecast[row] * left;
                } else {
                    forecast[row] = actual[row] * left;
                }
            }
        }
    }
    for value in actual.iter_mut().chain(&mut forecast) {
        *value = (*value * 1e4).round() / 1e4;
    }
    Measured { table, actual, forecast, truth }
}

fn causes(recipe: &Recipe, rng: &mut Rng, actual: &[f64], noise: f64) -> Vec<Cause> {
    let mut causes: Vec<Cause> = Vec::new();
    for _ in 0..rng.pick(recipe.causes) {
        let all = recipe.sizes.len();
        let layer = if recipe.leaves_only { all } else { rng.pick((1, all)) };
        let count = rng.pick(recipe.elements);
        let (severity, deviation) = (rng.between(recipe.severity) + noise, rng.between(recipe.deviation));
        // When earlier causes have used up the values of a dimension there may be no place; then there is one less.
        let placed = (0..200).find_map(|_| place(recipe, rng, &causes, layer, count, actual));
        causes.extend(placed.map(|(dims, elements)| Cause { dims, elements, severity, deviation }));
    }
    causes
}

/// Elements that share no value with those of another cause in the same dimension.
fn place(
    recipe: &Recipe,
    rng: &mut Rng,
    causes: &[Cause],
    layer: usize,
    count: usize,
    actual: &[f64],
) -> Option<(Vec<usize>, Vec<Vec<u32>>)> {
    let all = recipe.sizes.len();
    let mut dims: Vec<usize> = (0..all).collect();
    while dims.len() > layer {
        dims.remove(rng.below(dims.len()));
    }
    if layer < all && causes.iter().any(|cause| cause.dims == dims) {
        return None;
    }
    let mut columns: Vec<Vec<u32>> = Vec::new();
    for dim in &dims {
        let used = |value: u32| {
            causes.iter().any(|cause| {
                let place = cause.dims.iter().position(|other| other == dim);
                place.is_some_and(|place| cause.elements.iter().any(|element| element[place] == value))
            })
        };
        let free: Vec<u32> = (0..recipe.sizes[*dim] as u32).filter(|value| !used(*value)).collect();
        if free.is_empty() {
            return None;
        }
        columns.push((0..count).map(|_| free[rng.below(free.len())]).collect());
    }
    let elements: Vec<Vec<u32>> = (0..count).map(|at| columns.iter().map(|column| column[at]).collect()).collect();
    let distinct = (1..count).all(|at| !elements[..at].contains(&elements[at]));
    let visible = layer < all
        || elements.iter().all(|element| {
            let values: Vec<(usize, u32)> = dims.iter().copied().zip(element.iter().copied()).collect();
            rows_of(&recipe.sizes, &values).iter().all(|row| actual[*row] > 0.0)
        });
    (distinct && visible).then_some((dims, elements))
}

/// Rows of an element of a full cube.
pub(crate) fn rows_of(sizes: &[usize], values: &[(usize, u32)]) -> Vec<usize> {
    let mut rows = vec![0];
    for (dim, size) in sizes.iter().enumerate() {
        let fixed = values.iter().find(|(other, _)| *other == dim).map(|(_, value)| *value as usize);
        let range = fixed.map_or(0..*size, |value| value..value + 1);
        rows = rows.iter().flat_map(|row| range.clone().map(move |value| row * size + value)).collect();
    }
    rows
}
