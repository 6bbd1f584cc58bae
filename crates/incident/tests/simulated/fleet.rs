//! Fleets whose payments fail as they ordinarily do: with a daily and weekly rhythm, cells that differ, a slow trend,
//! and minutes that are overdispersed.

use onus_incident::detector::{Cell, Count, DayKind, Settings, When};

use super::random::Random;

/// Minutes of a day and of a week.
pub const DAY: u32 = 1_440;
pub const WEEK: u32 = 7 * DAY;

const KINDS: [DayKind; 7] = [
    DayKind::Monday,
    DayKind::Tuesday,
    DayKind::Wednesday,
    DayKind::Thursday,
    DayKind::Friday,
    DayKind::Saturday,
    DayKind::Sunday,
];

/// The local time of a minute; the first is the start of a Monday.
pub fn when(minute: u32) -> When {
    let small = |number: u32| u8::try_from(number).unwrap();
    When { minute, day: KINDS[(minute / DAY % 7) as usize], hour: small(minute / 60 % 24), past: small(minute % 60) }
}

/// The payments of one cell.
#[derive(Debug, Clone)]
pub struct Stream {
    /// Payments a minute in the mean of the day.
    pub volume: f64,
    /// Ordinary rate in the mean of the day.
    pub rate: f64,
    /// Overdispersion within a minute.
    pub rho: f64,
    /// How much its course of the day lags behind the others, in hours.
    pub lag: f64,
}

impl Stream {
    fn turn(&self, minute: u32) -> f64 {
        (f64::from(minute % DAY) / 60.0 - self.lag) / 24.0 * std::f64::consts::TAU
    }

    /// The true ordinary rate of a minute: more at night and at weekends, and rising by 0.2 per cent a day.
    pub fn rate_at(&self, minute: u32) -> f64 {
        let rhythm = 1.0 + 0.25 * self.turn(minute).cos() + 0.1 * (2.0 * self.turn(minute)).sin();
        let weekend = if minute / DAY % 7 >= 5 { 1.15 } else { 1.0 };
        self.rate * rhythm * weekend * (1.0 + 0.002 * f64::from(minute) / f64::from(DAY))
    }

    /// Attempts and hits of a minute whose true rate is `rate`.
    pub fn minute(&self, minute: u32, rate: f64, random: &mut Random) -> (u32, u32) {
        let volume = self.volume * (1.0 - 0.8 * self.turn(minute).cos());
        let attempts = random.poisson(volume);
        if attempts == 0 {
            return (0, 0);
        }
        let chance = random.chance(rate.min(0.95), self.rho);
        (attempts, random.binomial(attempts, chance))
    }
}

/// The cells of all signals of some settings.
pub struct Fleet {
    streams: Vec<(Cell, Stream)>,
    random: Random,
}

/// Settings of a fleet in which every part of the promise is in use: some signals of the pack, with as many cells in
/// each layer as the fleet has.
pub fn settings(signals: &[&str], cells: u32) -> Settings {
    let mut settings = Settings::builtin().unwrap();
    settings.signals.retain(|signal| signals.contains(&signal.id.as_str()));
    let share = 1.0 / settings.signals.len() as f64;
    for signal in &mut settings.signals {
        signal.share = share;
        signal.layers.truncate(4);
        let layers = signal.layers.len() as f64;
        for layer in &mut signal.layers {
            layer.share = 1.0 / layers;
            layer.cells = if layer.name == "total" { 1 } else { cells };
        }
    }
    settings
}

impl Fleet {
    /// As many cells as the settings have room for. Volumes differ by a factor of a hundred, rates by the lognormal
    /// law with 0.4.
    pub fn new(seed: u64, settings: &Settings, rho: f64) -> Self {
        let mut random = Random::new(seed);
        let mut streams = Vec::new();
        for (signal, described) in (0..).zip(&settings.signals) {
            for (layer, watched) in (0..).zip(&described.layers).skip(1) {
                for value in 1..=watched.cells {
                    let stream = Stream {
                        volume: 60.0 * (-4.6 * random.unit()).exp(),
                        rate: described.prior_rate * (0.4 * random.normal()).exp(),
                        rho,
                        lag: 2.0 * random.unit() - 1.0,
                    };
                    streams.push((Cell { signal, layer, value }, stream));
                }
            }
        }
        Self { streams, random }
    }

    /// What each cell counts in a minute; the total is the sum of the first layer.
    pub fn minute(&mut self, minute: u32) -> Vec<Count> {
        let mut counts: Vec<Count> = Vec::with_capacity(self.streams.len() + 8);
        let mut total = 0;
        for (cell, stream) in &self.streams {
            if counts.last().is_none_or(|last| last.cell.signal != cell.signal) {
                total = counts.len();
                let cell = Cell { layer: 0, value: 0, ..*cell };
                counts.push(Count { cell, attempts: 0, hits: 0, expected: None });
            }
            let (attempts, hits) = stream.minute(minute, stream.rate_at(minute), &mut self.random);
            counts.push(Count { cell: *cell, attempts, hits, expected: None });
            if cell.layer == 1 {
                counts[total].attempts += attempts;
                counts[total].hits += hits;
            }
        }
        counts
    }
}
