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

    /// A generalised normal law (shape 2: the normal law itself, and none lighter) through two quantiles.
    fn tail(&self, total: f64) -> Tail {
        let (near, far) = (0.1, (30.0 / total).clamp(0.002, 0.04));
        let (x1, x2) = (self.upper_quantile(near * total), self.upper_quantile(far * total));
        let beyond = |shape: f64, share: f64| halve((0.05, 40.0), |y| log_beyond(shape, y) > share.ln());
        // The heavier the tail, the further apart are its quantiles.
        let heavy = |shape: f64| (beyond(shape, far) / beyond(shape, near)).powf(1.0 / shape) > x2 / x1;
        let shape = halve((0.6, 2.0), heavy);
        let scale = x2 / beyond(shape, far).powf(1.0 / shape);
        Tail { from: x2, shape, scale, log_height: shape.ln() - scale.ln() - libm::lgamma(1.0 / shape) }
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
    log_height: f64,
}

impl Tail {
    fn density(&self, at: f64) -> f64 {
        (self.log_height - (at / self.scale).powf(self.shape)).exp()
    }
}

/// Logarithm of the share of one side of a generalised normal law of this shape that lies beyond a distance, given by
/// its power in scales: the regularised upper incomplete gamma function of `1 / shape`, by its continued fraction.
fn log_beyond(shape: f64, y: f64) -> f64 {
    let a = 1.0 / shape;
    let y = y.max(0.05);
    let fraction = (1..=24).rev().map(f64::from).fold(0.0, |rest, n| n * (n - a) / (y + 2.0 * n + 1.0 - a - rest));
    a * y.ln() - y - libm::lgamma(a) - (y + 1.0 - a - fraction).ln()
}

/// Where something that holds at the lower end of a stretch ceases to.
pub(super) fn halve((mut low, mut high): (f64, f64), holds: impl Fn(f64) -> bool) -> f64 {
    for _ in 0..24 {
        let middle = 0.5 * (low + high);
        if holds(middle) { low = middle } else { high = middle }
    }
    0.5 * (low + high)
}

#[cfg(test)]
mod tests {
    use super::{Null, log_beyond};

    #[test]
    fn tails_of_known_laws() {
        // Half normal: 5 % lie beyond 1.95996 deviations, 0.2 % beyond 3.09023. Exponential: beyond ln(1 / share).
        for (shape, share, y) in [
            (2.0, 0.05, 1.959_96_f64.powi(2) / 2.0),
            (2.0, 0.002, 3.090_23_f64.powi(2) / 2.0),
            (1.0, 0.01, 100_f64.ln()),
        ] {
            let found = log_beyond(shape, y).exp();
            assert!((found / share - 1.0).abs() < 1e-3, "{shape} {y}: {found} is not {share}");
        }
    }

    #[test]
    fn a_normal_tail_is_continued_as_one() {
        // Deviations at the quantiles of a normal law of 0.1, by bisecting what lies beyond.
        let count = 20_000;
        let deviation = |at: i32| {
            let beyond = (f64::from(at) + 0.5) / f64::from(count);
            0.1 * (2.0 * super::halve((0.0, 40.0), |y| y < 0.05 || log_beyond(2.0, y) > beyond.ln())).sqrt()
        };
        let null = Null::fit((0..count).map(deviation).flat_map(|d| [d, -d]));
        let wanted = |x: f64| -0.5 * (x / 0.1).powi(2) - (0.1 * std::f64::consts::TAU.sqrt()).ln();
        for x in [0.5, 0.6, 0.7] {
            let found = null.log_density(x);
            assert!((found - wanted(x)).abs() < 1.0, "{x}: {found} is not {}", wanted(x));
        }
    }
}
