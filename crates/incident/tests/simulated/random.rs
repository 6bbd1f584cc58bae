//! A generator of random numbers as a value: the same seed, the same numbers everywhere.

/// SplitMix64.
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0xD134_2543_DE82_EF95).wrapping_add(1))
    }

    pub fn word(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        word ^ (word >> 31)
    }

    /// From 0 to below 1.
    pub fn unit(&mut self) -> f64 {
        (self.word() >> 11) as f64 / (1_u64 << 53) as f64
    }

    pub fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.word()) * u128::from(bound)) >> 64) as u64
    }

    /// Small values often, large ones seldom, as among issuers or agents.
    pub fn skewed(&mut self, bound: u64) -> u64 {
        self.below(bound).min(self.below(bound)).min(self.below(bound))
    }

    pub fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.unit()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.unit()).cos()
    }

    /// Gamma with scale 1 (Marsaglia and Tsang).
    pub fn gamma(&mut self, shape: f64) -> f64 {
        if shape < 1.0 {
            let boost = (1.0 - self.unit()).powf(1.0 / shape);
            return self.gamma(shape + 1.0) * boost;
        }
        let d = shape - 1.0 / 3.0;
        let c = 1.0 / (9.0 * d).sqrt();
        loop {
            let x = self.normal();
            let v = (1.0 + c * x).powi(3);
            if v > 0.0 && (1.0 - self.unit()).ln() < x.mul_add(0.5 * x, d - d * v + d * v.ln()) {
                return d * v;
            }
        }
    }

    pub fn poisson(&mut self, mean: f64) -> u32 {
        if mean > 30.0 {
            // The normal curve is as good as one needs for how many payments a minute has.
            return self.normal().mul_add(mean.sqrt(), mean + 0.5).max(0.0) as u32;
        }
        let limit = (-mean).exp();
        let (mut count, mut product) = (0, self.unit());
        while product > limit {
            count += 1;
            product *= self.unit();
        }
        count
    }

    /// Exact: by waiting times for rare hits, so that the cost goes with the hits.
    pub fn binomial(&mut self, trials: u32, chance: f64) -> u32 {
        if chance <= 0.0 {
            return 0;
        }
        if chance > 0.5 {
            return trials - self.binomial(trials, 1.0 - chance);
        }
        let log = (-chance).ln_1p();
        let (mut hits, mut place) = (0, 0.0);
        loop {
            place += ((1.0 - self.unit()).ln() / log).floor() + 1.0;
            if place > f64::from(trials) {
                return hits;
            }
            hits += 1;
        }
    }

    /// A chance around `mean` such that a minute's hits are overdispersed by `rho`.
    pub fn chance(&mut self, mean: f64, rho: f64) -> f64 {
        if rho <= 0.0 {
            return mean;
        }
        let strength = (1.0 - rho) / rho;
        let (hit, miss) = (self.gamma(mean * strength), self.gamma((1.0 - mean) * strength));
        hit / (hit + miss)
    }
}
