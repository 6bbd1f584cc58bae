//! Synthetic days for the tests: a small world in which agents, cities and links go together as in life.

use onus_model::Instant;

use crate::sample::{FailureClass, Sample};

/// A seeded generator (SplitMix64).
pub(crate) struct Rng(u64);

impl Rng {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(7_919))
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        word ^ (word >> 31)
    }

    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    pub(crate) fn chance(&mut self, ppm: u64) -> bool {
        self.below(1_000_000) < ppm
    }
}

/// A clock time of the test day.
pub(crate) fn at(clock: &str) -> Instant {
    Instant::parse(&format!("2026-09-21T{clock}:00+08:00")).unwrap()
}

/// A day of payments.
pub(crate) struct Stream {
    pub(crate) samples: Vec<Sample>,
    rng: Rng,
}

impl Stream {
    /// A day from 06:00 to 24:00 with ordinary failures only.
    ///
    /// Eight cities; 201 serves cities 1 to 4, 202 the others, and 211 takes six of ten payments of cities 1 and 2.
    /// Agents 11 to 28 work in one city each (more in the first). Two of five terminals of agent 11 are of batch 17,
    /// elsewhere one of a hundred.
    pub(crate) fn quiet(seed: u64, payments: u64) -> Self {
        let mut rng = Rng::new(seed);
        let mut seconds: Vec<u64> = (0..payments).map(|_| rng.below(18 * 3600).max(rng.below(9 * 3600))).collect();
        seconds.sort_unstable();
        let samples = seconds.into_iter().map(|second| sample(&mut rng, second)).collect();
        Self { samples, rng }
    }

    /// Lets payments that went well fail.
    pub(crate) fn fail(&mut self, fault: impl Fn(&Sample, &mut Rng) -> Option<FailureClass>) {
        for sample in self.samples.iter_mut().filter(|sample| sample.class == FailureClass::None) {
            if let Some(class) = fault(sample, &mut self.rng) {
                sample.class = class;
            }
        }
    }
}

fn sample(rng: &mut Rng, second: u64) -> Sample {
    let terminal = rng.below(400);
    let small = |number: u64| u32::try_from(number).unwrap();
    let agent = 11 + small((terminal * terminal / 400) * 18 / 400);
    let city = 1 + (agent - 11) * 8 / 18;
    let link = match city {
        1 | 2 if rng.chance(600_000) => 211,
        1..=4 => 201,
        _ => 202,
    };
    let batch = match terminal % 100 {
        0..=39 if agent == 11 => 17,
        99 => 17,
        other => 20 + small(other % 12),
    };
    let version = [284, 312, 312, 320, 330][usize::try_from(terminal * 31 % 5).unwrap()];
    let class = match rng.below(1_000_000) {
        0..1_600 => FailureClass::NoAnswer,
        1_600..2_000 => FailureClass::SwitchError,
        2_000..27_000 => FailureClass::Funds,
        27_000..28_000 => FailureClass::IssuerDown,
        28_000..29_000 => FailureClass::Unread,
        29_000..29_400 => FailureClass::BadReply,
        29_400..29_800 => FailureClass::AcquirerSilent,
        _ => FailureClass::None,
    };
    let start = at("06:00").plus_seconds(i64::try_from(second).unwrap());
    let issuer = 101 + small(rng.below(10).min(rng.below(14)));
    let dims = [link, issuer, city, agent, version, batch, 1 + small(terminal), 1, 1 + small(terminal), 1, 1];
    Sample { at: start, known_at: start, amount_minor: 10_000, class, also: FailureClass::None, also_at: start, dims }
}
