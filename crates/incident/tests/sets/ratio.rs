//! Failures of attempts by minute: what the research sets lack. Shares differ by row, wander by minute and by value,
//! attempts of one row are more alike than chance makes them, and a cause does not strike all its rows alike.

use onus_incident::localise::{Counts, Dimension, Table};

use super::{Rng, scope_text};

/// What a set is made of; pairs are ranges.
#[derive(Debug, Clone)]
pub(crate) struct RatioRecipe {
    /// Names and ranges of the numbers of values.
    pub(crate) dims: Vec<(&'static str, (usize, usize))>,
    /// Attempts a minute, chosen on a logarithmic scale.
    pub(crate) attempts: (f64, f64),
    pub(crate) overdispersion: (f64, f64),
    /// Wandering of single values and of pairs of values by minute, in log odds.
    pub(crate) wander: (f64, f64),
    /// Drift of everything by minute, in log odds.
    pub(crate) drift: f64,
    pub(crate) minutes: (usize, usize),
    /// Minutes after the one under test, in which the cause goes on.
    pub(crate) after: (usize, usize),
    pub(crate) causes: (usize, usize),
    /// Spread of a cause's effect over its rows, in logarithms.
    pub(crate) uneven: (f64, f64),
    /// Share of rows that a cause leaves alone.
    pub(crate) spared: (f64, f64),
    /// Share of a cause's effect that is seen in rows that lack one of its conditions, as when load moves over.
    pub(crate) leak: (f64, f64),
    pub(crate) both_ways: bool,
    pub(crate) overlapping: bool,
}

impl RatioRecipe {
    /// Viewers of a live stream, or payments over a few links: about 200 rows, 4 to 16 minutes of history.
    pub(crate) fn few() -> Self {
        Self {
            dims: vec![("cdn", (2, 6)), ("bitrate", (3, 5)), ("p2p", (2, 2)), ("isp", (4, 12))],
            attempts: (2e3, 2e5),
            overdispersion: (0.0, 0.02),
            wander: (0.0, 0.2),
            drift: 0.01,
            minutes: (4, 16),
            after: (0, 0),
            causes: (1, 1),
            uneven: (0.0, 0.6),
            spared: (0.0, 0.2),
            leak: (0.0, 0.0),
            both_ways: false,
            overlapping: false,
        }
    }

    /// Nothing but chance, many values, few attempts a row.
    pub(crate) fn sparse() -> Self {
        Self {
            dims: vec![
                ("link", (4, 6)),
                ("issuer", (20, 40)),
                ("city", (10, 30)),
                ("agent", (20, 60)),
                ("model", (5, 10)),
            ],
            attempts: (5e3, 5e4),
            overdispersion: (0.0, 0.0),
            wander: (0.0, 0.0),
            drift: 0.0,
            minutes: (10, 30),
            after: (0, 0),
            causes: (1, 2),
            uneven: (0.0, 0.0),
            spared: (0.0, 0.0),
            leak: (0.0, 0.0),
            both_ways: false,
            overlapping: false,
        }
    }

    /// The wandering one without a cause.
    pub(crate) fn quiet() -> Self {
        Self { causes: (0, 0), ..Self::few() }
    }
}

/// One instance.
#[derive(Debug, Clone)]
pub(crate) struct Shared {
    pub(crate) table: Table,
    pub(crate) minutes: Vec<Counts>,
    /// Where among the minutes the cause begins.
    pub(crate) under_test: usize,
    pub(crate) truth: Vec<String>,
}

struct Cause {
    values: Vec<(usize, u32)>,
    /// Added share, or factor of the odds.
    lost: Option<f64>,
    odds: f64,
    uneven: f64,
    spared: f64,
    leak: f64,
}

pub(crate) fn shared(recipe: &RatioRecipe, seed: u64) -> Shared {
    let mut rng = Rng::new(seed ^ 0x7261_7469_6f00_0000);
    let rng = &mut rng;
    let sizes: Vec<usize> = recipe.dims.iter().map(|(_, range)| rng.pick(*range)).collect();
    let attempts = rng.between((recipe.attempts.0.ln(), recipe.attempts.1.ln())).exp();
    let (table, volume) = rows(recipe, rng, &sizes, attempts);
    let (rho, wander) = (rng.between(recipe.overdispersion), rng.between(recipe.wander));
    let drift = recipe.drift * rng.normal();
    let base = rng.between((0.005_f64.ln(), 0.15_f64.ln())).exp();
    let effects = normals(rng, &sizes, 0.4);
    let codes: Vec<Vec<usize>> = (0..table.rows()).map(|row| codes_of(&table, row)).collect();
    let mut own = Vec::new();
    for codes in &codes {
        let of_values: f64 = codes.iter().enumerate().map(|(dim, code)| effects[dim][*code]).sum();
        own.push((base / (1.0 - base)).ln() + of_values + 0.3 * rng.normal());
    }
    let history = rng.pick(recipe.minutes);
    let after = if recipe.after.1 > 0 { rng.pick(recipe.after) } else { 0 };
    let causes = causes(recipe, rng, &codes, &volume, &own, &sizes);
    let mut minutes = Vec::new();
    for minute in 0..=history + after {
        let moved = normals(rng, &sizes, wander);
        let pair = rng.below(sizes.len());
        let other = (pair + 1) % sizes.len();
        let pairs: Vec<f64> = (0..sizes[pair] * sizes[other]).map(|_| wander * rng.normal()).collect();
        let mut counts = Counts::zero(table.rows());
        for (row, codes) in codes.iter().enumerate() {
            let mean = volume[row] * (0.1 * rng.normal()).exp();
            let n = rng.poisson(mean);
            let moved: f64 = codes.iter().enumerate().map(|(dim, code)| moved[dim][*code]).sum();
            let logit = own[row] + moved + pairs[codes[pair] * sizes[other] + codes[other]] + drift * minute as f64;
            let mut p = 1.0 / (1.0 + (-logit).exp());
            if minute >= history {
                for cause in &causes {
                    match lacking(codes, &cause.values) {
                        0 => p = cause.on(rng, p, 1.0),
                        1 if cause.leak > 0.0 => p = cause.on(rng, p, cause.leak),
                        _ => {}
                    }
                }
            }
            let p = rng.beta(p.clamp(1e-6, 1.0 - 1e-6), rho);
            let k = rng.binomial(n, p);
            counts.add(row, n, k);
        }
        minutes.push(counts);
    }
    let truth = causes.iter().map(|cause| scope_text(table.dims(), &cause.values)).collect();
    Shared { table, minutes, under_test: history, truth }
}

impl Cause {
    fn on(&self, rng: &mut Rng, p: f64, part: f64) -> f64 {
        if rng.chance(self.spared) {
            return p;
        }
        let strength = part * (self.uneven * rng.normal()).exp();
        match self.lost {
            Some(lost) => p + (lost * strength).min(0.98) * (1.0 - p),
            None => {
                let odds = p / (1.0 - p) * (self.odds.ln() * strength).exp();
                odds / (1.0 + odds)
            }
        }
    }
}

/// A normal number for each value of each dimension.
fn normals(rng: &mut Rng, sizes: &[usize], spread: f64) -> Vec<Vec<f64>> {
    let mut all = Vec::new();
    for size in sizes {
        all.push((0..*size).map(|_| spread * rng.normal()).collect());
    }
    all
}

fn codes_of(table: &Table, row: usize) -> Vec<usize> {
    (0..table.dims().len()).map(|dim| table.code(row, dim) as usize).collect()
}

fn holds(codes: &[usize], values: &[(usize, u32)]) -> bool {
    lacking(codes, values) == 0
}

/// How many conditions do not hold.
fn lacking(codes: &[usize], values: &[(usize, u32)]) -> usize {
    values.iter().filter(|(dim, value)| codes[*dim] != *value as usize).count()
}

/// Rows that have attempts: values differ in size, and not every combination is there.
fn rows(recipe: &RatioRecipe, rng: &mut Rng, sizes: &[usize], attempts: f64) -> (Table, Vec<f64>) {
    let mut weights = normals(rng, sizes, 0.9);
    weights.iter_mut().flatten().for_each(|weight| *weight = weight.exp());
    let sums: Vec<f64> = weights.iter().map(|weights| weights.iter().sum()).collect();
    let all: usize = sizes.iter().product();
    let mut columns = vec![Vec::new(); sizes.len()];
    let mut volume = Vec::new();
    // A large product is drawn from instead of gone through.
    let draws = if all > 20_000 { 12_000 } else { all };
    let mut seen = std::collections::HashSet::new();
    for draw in 0..draws {
        let mut codes = vec![0; sizes.len()];
        let mut left = draw;
        for (dim, size) in sizes.iter().enumerate() {
            codes[dim] = if all > 20_000 { weighted(rng, &weights[dim], sums[dim]) } else { left % size };
            left /= size;
        }
        let share: f64 = if all > 20_000 {
            1.0 / draws as f64
        } else {
            codes.iter().enumerate().map(|(dim, code)| weights[dim][*code] / sums[dim]).product()
        };
        let mean = attempts * share * (0.6 * rng.normal()).exp();
        if (all <= 20_000 && (mean < 0.3 || rng.chance(0.15))) || !seen.insert(codes.clone()) {
            continue;
        }
        for (column, code) in columns.iter_mut().zip(&codes) {
            column.push(*code as u32);
        }
        volume.push(mean);
    }
    let dim = |((name, _), size): (&(&'static str, (usize, usize)), &usize)| Dimension {
        name: (*name).to_owned(),
        values: (0..*size).map(|value| format!("{}", value + 1)).collect(),
        edges: None,
    };
    let dims = recipe.dims.iter().zip(sizes).map(dim).collect();
    (Table::new(dims, columns).expect("fits"), volume)
}

fn weighted(rng: &mut Rng, weights: &[f64], sum: f64) -> usize {
    let mut left = rng.unit() * sum;
    for (at, weight) in weights.iter().enumerate() {
        left -= weight;
        if left <= 0.0 {
            return at;
        }
    }
    weights.len() - 1
}

/// Causes that can be seen: enough attempts, enough more failures, and not nearly everything.
fn causes(
    recipe: &RatioRecipe,
    rng: &mut Rng,
    codes: &[Vec<usize>],
    volume: &[f64],
    own: &[f64],
    sizes: &[usize],
) -> Vec<Cause> {
    let mut causes: Vec<Cause> = Vec::new();
    let all: f64 = volume.iter().sum();
    let wanted = rng.pick(recipe.causes);
    for _ in 0..400 {
        if causes.len() == wanted {
            break;
        }
        let layer = [1, 1, 1, 1, 1, 2, 2, 2, 2, 3][rng.below(10)].min(sizes.len());
        let mut dims: Vec<usize> = (0..sizes.len()).collect();
        while dims.len() > layer {
            dims.remove(rng.below(dims.len()));
        }
        let row = rng.below(codes.len());
        let values: Vec<(usize, u32)> = dims.iter().map(|dim| (*dim, codes[row][*dim] as u32)).collect();
        let down = recipe.both_ways && rng.chance(0.5);
        let lost = (!down && rng.chance(0.5)).then(|| rng.between((0.04_f64.ln(), 0.7_f64.ln())).exp());
        let odds = rng.between((0.7, 2.3)).exp();
        let odds = if down { 1.0 / odds } else { odds };
        let (mut n, mut excess, mut expected) = (0.0, 0.0, 0.0);
        for (row, codes) in codes.iter().enumerate().filter(|(_, codes)| holds(codes, &values)) {
            let p = 1.0 / (1.0 + (-own[row]).exp());
            let q = lost.map_or(p * odds / (1.0 - p + p * odds), |lost| p + lost * (1.0 - p));
            n += volume[row];
            excess += volume[row] * (q - p).abs();
            expected += volume[row] * p;
            let _ = codes;
        }
        let apart = causes.iter().all(|cause| {
            let same = |(dim, value): &(usize, u32)| values.iter().any(|(d, v)| d == dim && v == value);
            if recipe.overlapping {
                !cause.values.iter().all(same) && cause.values != values
            } else {
                cause.values.iter().any(|(dim, value)| values.iter().any(|(d, v)| d == dim && v != value))
            }
        });
        let visible = n > 20.0 && n < 0.6 * all && excess > 12.0 && excess > 0.5 * expected.min(excess * 4.0);
        if visible && excess > 5.0 * expected.sqrt() && apart {
            let (uneven, spared) = (rng.between(recipe.uneven), rng.between(recipe.spared));
            let leak = if recipe.leak.1 > 0.0 { rng.between(recipe.leak) } else { 0.0 };
            causes.push(Cause { values, lost, odds, uneven, spared, leak });
        }
    }
    causes
}
