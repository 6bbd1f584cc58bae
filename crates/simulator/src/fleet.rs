//! Many terminals through a day in short: sign-in, status upload, payments at a rate, settlement.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use serde::Serialize;
use tokio::task::JoinSet;

use crate::account::Account;
use crate::random::Random;
use crate::terminal::{Ended, Outcome, Terminal, TerminalConfig};

/// What a fleet does.
#[derive(Clone, Debug)]
pub struct FleetConfig {
    /// Where terminals connect to.
    pub connect: SocketAddr,
    /// How many terminals.
    pub count: u32,
    /// Number of the first terminal.
    pub first: u32,
    /// Payments a second of all together.
    pub rate: f64,
    /// For how long.
    pub duration: Duration,
    /// Seed of everything.
    pub seed: u64,
    /// How long a terminal waits for a reply.
    pub timeout: Duration,
    /// Payments below this need no PIN when they are contactless.
    pub no_pin_below_minor: u64,
    /// Share of approved payments whose slip is not printed.
    pub print_failures: f64,
}

impl FleetConfig {
    /// A small fleet for tests.
    #[must_use]
    pub fn of(connect: SocketAddr, count: u32, rate: f64, duration: Duration) -> FleetConfig {
        FleetConfig {
            connect,
            count,
            first: 0,
            rate,
            duration,
            seed: 1,
            timeout: Duration::from_secs(5),
            no_pin_below_minor: 100_000,
            print_failures: 0.0,
        }
    }
}

/// What came of it.
#[derive(Clone, Debug, Default, Serialize)]
pub struct FleetReport {
    /// Payments asked for.
    pub payments: u64,
    /// Approved.
    pub approved: u64,
    /// Declined.
    pub declined: u64,
    /// Approved but not printed.
    pub not_printed: u64,
    /// Answered with a wrong MAC.
    pub bad_mac: u64,
    /// Without reply in time.
    pub timed_out: u64,
    /// Closed before a reply.
    pub closed: u64,
    /// Never sent.
    pub unreachable: u64,
    /// Reversals that ran out of tries.
    pub reversals_given_up: u64,
    /// Settlements whose totals agreed, and those that did not.
    pub settled: (u64, u64),
    /// Replies in microseconds: half were faster, 99 of 100 were faster, the slowest.
    pub latency_us: (u64, u64, u64),
}

impl FleetReport {
    fn count(&mut self, ended: &Ended) {
        self.payments += 1;
        match ended.outcome {
            Outcome::Approved => self.approved += 1,
            Outcome::Declined(_) => self.declined += 1,
            Outcome::NotPrinted => self.not_printed += 1,
            Outcome::BadMac => self.bad_mac += 1,
            Outcome::TimedOut => self.timed_out += 1,
            Outcome::Closed => self.closed += 1,
            Outcome::Unreachable => self.unreachable += 1,
        }
    }

    fn add(&mut self, other: &FleetReport) {
        self.payments += other.payments;
        self.approved += other.approved;
        self.declined += other.declined;
        self.not_printed += other.not_printed;
        self.bad_mac += other.bad_mac;
        self.timed_out += other.timed_out;
        self.closed += other.closed;
        self.unreachable += other.unreachable;
        self.reversals_given_up += other.reversals_given_up;
        self.settled.0 += other.settled.0;
        self.settled.1 += other.settled.1;
    }
}

/// Runs a fleet to its end.
pub async fn run(config: FleetConfig, account: &Account) -> FleetReport {
    let mut terminals = JoinSet::new();
    for number in 0..config.count {
        terminals.spawn(one_terminal(config.clone(), config.first + number, account.clone()));
    }
    let mut report = FleetReport::default();
    let mut latency = latencies();
    while let Some(Ok((one, took))) = terminals.join_next().await {
        report.add(&one);
        took.iter().for_each(|us| latency.saturating_record(*us));
    }
    report.latency_us = (latency.value_at_quantile(0.5), latency.value_at_quantile(0.99), latency.max());
    report
}

/// Microseconds up to two minutes with three digits.
#[expect(clippy::expect_used, reason = "constant bounds that fit each other")]
pub(crate) fn latencies() -> Histogram<u64> {
    Histogram::new_with_bounds(1, 120_000_000, 3).expect("bounds of a histogram")
}

async fn one_terminal(fleet: FleetConfig, number: u32, account: Account) -> (FleetReport, Vec<u64>) {
    let config = TerminalConfig {
        seed: fleet.seed,
        timeout: fleet.timeout,
        no_pin_below_minor: fleet.no_pin_below_minor,
        print_failures: fleet.print_failures,
        ..TerminalConfig::of(number, fleet.connect)
    };
    let mut terminal = Terminal::new(config, &account);
    let mut random = Random::of(fleet.seed, &[&number.to_be_bytes(), b"pace"]);
    let mean_s = f64::from(fleet.count) / fleet.rate.max(0.001);
    let (mut report, mut took) = (FleetReport::default(), Vec::new());
    let until = Instant::now() + fleet.duration;
    // Not all at the same instant.
    pause(mean_s.min(2.0) * random.unit(), until).await;
    terminal.sign_in().await;
    terminal.status_upload().await;
    while pause(-(1.0 - random.unit()).ln() * mean_s, until).await {
        let ended = match random.below(100) {
            0..3 => terminal.void().await,
            3..5 => {
                terminal.echo().await;
                None
            }
            _ => {
                let purchase = terminal.some_purchase();
                Some(terminal.sale(purchase).await)
            }
        };
        if let Some(ended) = ended {
            report.count(&ended);
            if matches!(ended.outcome, Outcome::Approved | Outcome::Declined(_)) {
                took.push(u64::try_from(ended.took.as_micros()).unwrap_or(u64::MAX));
            }
        }
    }
    match terminal.settle().await {
        (Outcome::Approved, true) => report.settled.0 += 1,
        _ => report.settled.1 += 1,
    }
    report.reversals_given_up = terminal.given_up().into();
    (report, took)
}

/// Waits so many seconds; false when the day ends before.
async fn pause(seconds: f64, until: Instant) -> bool {
    let wake = Instant::now() + Duration::from_secs_f64(seconds.clamp(0.0, 86_400.0));
    tokio::time::sleep_until(wake.min(until).into()).await;
    wake < until
}
