//! How far values stray from their forecast when nothing is wrong, learnt from the values themselves.

/// Bins of the distance.
const BINS: usize = 1_024;

/// Log density of a deviation in -1..=1 under "nothing special", the same on both sides.
#[derive(Debug)]
pub(super) struct Null {
    /// By bin of the distance from zero.
    log_density: Vec<f64>,
    /// Square root of the mean square.
    pub(super) scale: f64,
}

impl Null {
    /// Learns from deviations. What is wrong lies on one side, so the quieter side, mirrored, is the measure.
    pub(super) fn fit(deviations: impl Iterator<Item = f64>) -> Self {
        let mut sides = [Side::new(), Side::new()];
        for deviation in deviations {
            let [below, above] = &mut sides;
            if deviation <= 0.0 {
                below.add(-deviation);
            }
            if deviation >= 0.0 {
                above.add(deviation);
            }
        }
        let [below, above] = &sides;
        // A side without values says nothing; otherwise the one with less far away.
        let quiet = match (below.total < 8.0, above.total < 8.0) {
            (true, false) => above,
            (false, true) => below,
            _ if below.spread() <= above.spread() => below,
            _ => above,
        };
        Self { log_density: quiet.log_density(), scale: quiet.spread().sqrt() }
    }

    /// Log density at a deviation.
    pub(super) fn log_density(&self, deviation: f64) -> f64 {
        self.log_density.get(bin(deviation.abs())).copied().unwrap_or(0.0)
    }
}

fn bin(distance: f64) -> usize {
    ((distance * BINS as f64) as usize).min(BINS - 1)
}

struct Side {
    counts: Vec<f64>,
    total: f64,
    squares: f64,
}

impl Side {
    fn new() -> Self {
        Self { counts: vec![0.0; BINS], total: 0.0, squares: 0.0 }
    }

    fn add(&mut self, distance: f64) {
        if let Some(count) = self.counts.get_mut(bin(distance)) {
            *count += 1.0;
        }
        self.total += 1.0;
        self.squares += distance * distance;
    }

    fn spread(&self) -> f64 {
        self.squares / self.total.max(1.0)
    }

    /// Bins are joined until each holds enough, and beyond the last such bin the tail goes on as it began.
    fn log_density(&self) -> Vec<f64> {
        let width = 1.0 / BINS as f64;
        let total = self.total.max(1.0);
        let enough = (total / 400.0).clamp(4.0, 40.0);
        let mut density = vec![0.0; BINS];
        let (mut start, mut sum) = (0, 0.0);
        for (bin, count) in self.counts.iter().enumerate() {
            sum += count;
            if sum >= enough {
                let mean = sum / (bin + 1 - start) as f64;
                density.iter_mut().take(bin + 1).skip(start).for_each(|cell| *cell = mean);
                (start, sum) = (bin + 1, 0.0);
            }
        }
        let tail = self.tail(total);
        let of = |(bin, mean): (usize, f64)| {
            let at = (bin as f64 + 0.5) * width;
            let bump = self.counts.get(bin).map_or(0.0, |count| (count - 2.0).max(0.0));
            let count = if mean > 0.0 && at <= tail.from { mean } else { (tail.density(at) * total * width).max(bump) };
            // Half of the mass lies on each side.
            (0.5 * count / (total * width)).max(1e-30).ln()
        };
        density.into_iter().enumerate().map(of).collect()
    }

    /// A stretched exponential through two quantiles.
    fn tail(&self, total: f64) -> Tail {
        let (near, far) = (0.05, (30.0 / total).clamp(0.002, 0.04));
        let (x1, x2) = (self.upper_quantile(near * total), self.upper_quantile(far * total));
        let (h1, h2) = (-f64::ln(near), -f64::ln(far));
        let shape = if x2 > x1 * 1.000_1 { ((h2 / h1).ln() / (x2 / x1).ln()).clamp(0.6, 2.5) } else { 2.5 };
        Tail { from: x2, shape, scale: x2 / h2.powf(1.0 / shape) }
    }

    /// The distance beyond which lie this many.
    fn upper_quantile(&self, beyond: f64) -> f64 {
        let mut left = beyond;
        for (bin, count) in self.counts.iter().enumerate().rev() {
            if *count >= left && *count > 0.0 {
                return (bin as f64 + 1.0 - left / count) / BINS as f64;
            }
            left -= count;
        }
        1.0 / BINS as f64
    }
}

struct Tail {
    from: f64,
    shape: f64,
    scale: f64,
}

impl Tail {
    fn density(&self, at: f64) -> f64 {
        let ratio = at / self.scale;
        self.shape / self.scale * ratio.powf(self.shape - 1.0) * (-ratio.powf(self.shape)).exp()
    }
}
