//! Rules that are common in the trade, to stand beside the detector. All but the first are told the true rate.

use std::collections::VecDeque;

/// One rule on one stream; says whether it alarms in this minute. `rate` is the true ordinary rate.
pub trait Rule {
    fn step(&mut self, attempts: u32, hits: u32, rate: f64) -> bool;
}

/// The rate of the last hour against mean and two standard deviations of the last 24 hours, from 100 attempts on.
#[derive(Default)]
pub struct TwoSigma {
    minutes: VecDeque<(u32, u32)>,
}

impl Rule for TwoSigma {
    fn step(&mut self, attempts: u32, hits: u32, _: f64) -> bool {
        self.minutes.push_back((attempts, hits));
        if self.minutes.len() <= 25 * 60 {
            return false;
        }
        self.minutes.pop_front();
        let rate = |minutes: &mut dyn Iterator<Item = &(u32, u32)>| {
            let (attempts, hits) = minutes.fold((0, 0), |sum, minute| (sum.0 + minute.0, sum.1 + minute.1));
            (attempts, f64::from(hits) / f64::from(attempts.max(1)))
        };
        let (attempts, now) = rate(&mut self.minutes.iter().skip(24 * 60));
        if attempts < 100 {
            return false;
        }
        let hours: Vec<f64> = (0..24).map(|hour| rate(&mut self.minutes.iter().skip(hour * 60).take(60)).1).collect();
        let mean = hours.iter().sum::<f64>() / 24.0;
        let deviation = (hours.iter().map(|hour| (hour - mean).powi(2)).sum::<f64>() / 23.0).sqrt();
        now > mean + 2.0 * deviation
    }
}

/// An exponentially weighted mean of standardised minutes beyond three standard deviations.
#[derive(Default)]
pub struct Ewma {
    mean: f64,
}

impl Rule for Ewma {
    fn step(&mut self, attempts: u32, hits: u32, rate: f64) -> bool {
        const WEIGHT: f64 = 0.1;
        if attempts == 0 {
            return false;
        }
        let expected = f64::from(attempts) * rate;
        let score = (f64::from(hits) - expected) / (expected * (1.0 - rate)).sqrt();
        self.mean = (1.0 - WEIGHT) * self.mean + WEIGHT * score;
        self.mean > 3.0 * (WEIGHT / (2.0 - WEIGHT)).sqrt()
    }
}

/// A binomial CUSUM against twice the odds, with a limit of 1,000 in the likelihood ratio.
#[derive(Default)]
pub struct Cusum {
    sum: f64,
}

impl Rule for Cusum {
    fn step(&mut self, attempts: u32, hits: u32, rate: f64) -> bool {
        let raised = 2.0 * rate / (1.0 + rate);
        let gain =
            f64::from(hits) * (raised / rate).ln() + f64::from(attempts - hits) * ((1.0 - raised) / (1.0 - rate)).ln();
        self.sum = (self.sum + gain).max(0.0);
        self.sum > 1_000_f64.ln()
    }
}
