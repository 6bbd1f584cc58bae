//! Invented incidents with their truth. The same seed gives the same incident everywhere.

#![allow(dead_code, clippy::expect_used, reason = "each user uses a part of it, and none is a product")]

pub(crate) mod ratio;
pub(crate) mod research;

use onus_incident::localise::{Dimension, Table};

/// A small deterministic generator of numbers (splitmix64).
#[derive(Debug, Clone)]
pub(crate) struct Rng(u64);

impl Rng {
    /// Of a seed.
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ 0x5DEE_CE66_D1CE_4E5B)
    }

    /// Any 64 bits.
    pub(crate) fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// Uniform in 0..1, never 0.
    pub(crate) fn unit(&mut self) -> f64 {
        ((self.bits() >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
    }

    /// Uniform between two numbers.
    pub(crate) fn between(&mut self, range: (f64, f64)) -> f64 {
        range.0 + (range.1 - range.0) * self.unit()
    }

    /// One of 0..n.
    pub(crate) fn below(&mut self, n: usize) -> usize {
        (self.bits() % n.max(1) as u64) as usize
    }

    /// One of the numbers from one to another, both included.
    pub(crate) fn pick(&mut self, range: (usize, usize)) -> usize {
        range.0 + self.below(range.1 - range.0 + 1)
    }

    /// Whether something with this chance happens.
    pub(crate) fn chance(&mut self, chance: f64) -> bool {
        self.unit() < chance
    }

    /// Standard normal.
    pub(crate) fn normal(&mut self) -> f64 {
        (-2.0 * self.unit().ln()).sqrt() * (std::f64::consts::TAU * self.unit()).cos()
    }

    /// Gamma of a shape (Marsaglia and Tsang).
    pub(crate) fn gamma(&mut self, shape: f64) -> f64 {
        if shape < 1.0 {
            return self.gamma(shape + 1.0) * self.unit().powf(1.0 / shape);
        }
        let d = shape - 1.0 / 3.0;
        let c = 1.0 / (9.0 * d).sqrt();
        loop {
            let x = self.normal();
            let v = (1.0 + c * x).powi(3);
            if v > 0.0 && self.unit().ln() < 0.5 * x * x + d - d * v + d * v.ln() {
                return d * v;
            }
        }
    }

    /// Beta with a mean and an intra-class correlation; the mean itself without correlation.
    pub(crate) fn beta(&mut self, mean: f64, rho: f64) -> f64 {
        if rho <= 0.0 {
            return mean;
        }
        let strength = 1.0 / rho - 1.0;
        let (a, b) = (self.gamma(mean * strength), self.gamma((1.0 - mean) * strength));
        if a + b > 0.0 { a / (a + b) } else { mean }
    }

    /// Poisson.
    pub(crate) fn poisson(&mut self, mean: f64) -> f64 {
        if mean > 50.0 {
            return (mean + mean.sqrt() * self.normal()).round().max(0.0);
        }
        let (limit, mut product, mut count) = ((-mean).exp(), self.unit(), 0.0);
        while product > limit {
            product *= self.unit();
            count += 1.0;
        }
        count
    }

    /// Binomial.
    pub(crate) fn binomial(&mut self, n: f64, p: f64) -> f64 {
        let (mean, var) = (n * p, n * p * (1.0 - p));
        if var > 60.0 {
            return (mean + var.sqrt() * self.normal()).round().clamp(0.0, n);
        }
        if n > 200.0 && p < 0.05 {
            return self.poisson(mean).min(n);
        }
        (0..n as usize).filter(|_| self.unit() < p).count() as f64
    }
}

/// Names as the public sets have them: dimension `a` with values `a1`, `a2`, …
pub(crate) fn dimensions(sizes: &[usize]) -> Vec<Dimension> {
    let name = |at: usize| char::from(b'a' + at as u8).to_string();
    let of = |(at, size): (usize, &usize)| Dimension {
        name: name(at),
        values: (1..=*size).map(|value| format!("{}{value}", name(at))).collect(),
        edges: None,
    };
    sizes.iter().enumerate().map(of).collect()
}

/// A scope in words, `a=a1&b=b2`.
pub(crate) fn scope_text(dims: &[Dimension], values: &[(usize, u32)]) -> String {
    let mut parts: Vec<String> = values
        .iter()
        .map(|(dim, value)| format!("{}={}", dims[*dim].name, dims[*dim].values[*value as usize]))
        .collect();
    parts.sort();
    parts.join("&")
}

/// A table of a full cube: every combination of values once, the last dimension fastest.
pub(crate) fn full_cube(sizes: &[usize]) -> Table {
    let rows: usize = sizes.iter().product();
    let mut columns = Vec::new();
    let mut inner = rows;
    for size in sizes {
        inner /= size;
        columns.push((0..rows).map(|row| (row / inner % size) as u32).collect());
    }
    Table::new(dimensions(sizes), columns).expect("fits")
}

/// Counts for micro precision and recall over exact scopes.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Score {
    pub(crate) hits: usize,
    pub(crate) said: usize,
    pub(crate) true_scopes: usize,
}

impl Score {
    pub(crate) fn add(&mut self, truth: &[String], said: &[String]) {
        self.hits += truth.iter().filter(|scope| said.contains(scope)).count();
        self.said += said.len();
        self.true_scopes += truth.len();
    }

    pub(crate) fn precision(&self) -> f64 {
        if self.said == 0 { 0.0 } else { self.hits as f64 / self.said as f64 }
    }

    pub(crate) fn recall(&self) -> f64 {
        if self.true_scopes == 0 { 0.0 } else { self.hits as f64 / self.true_scopes as f64 }
    }

    pub(crate) fn f1(&self) -> f64 {
        let sum = (self.said + self.true_scopes) as f64;
        if sum == 0.0 { 1.0 } else { 2.0 * self.hits as f64 / sum }
    }
}
