//! What the gateway counts: one set of counters for each thread, added up when somebody asks.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::Serialize;

use crate::journal::JournalState;

/// Buckets of a histogram: 32 for each power of two, up to 2^36 microseconds (19 hours).
const FINE: u64 = 32;
const BUCKETS: usize = 32 * 33;

/// A histogram of microseconds; each bucket is 3 % wide.
#[derive(Debug)]
pub(crate) struct Histogram {
    buckets: Box<[AtomicU64]>,
}

impl Default for Histogram {
    fn default() -> Histogram {
        Histogram { buckets: (0..BUCKETS).map(|_| AtomicU64::new(0)).collect() }
    }
}

fn bucket(value: u64) -> usize {
    let index = if value < FINE {
        value
    } else {
        let power = u64::from(value.ilog2()) - 5;
        (power + 1) * FINE + (value >> power) - FINE
    };
    usize::try_from(index).unwrap_or(usize::MAX).min(BUCKETS - 1)
}

/// The greatest value that falls into a bucket.
fn greatest(bucket: usize) -> u64 {
    let index = bucket as u64;
    match (index / FINE, index % FINE) {
        (0, rest) => rest,
        (power, rest) => ((FINE + rest + 1) << (power - 1)) - 1,
    }
}

impl Histogram {
    pub(crate) fn add(&self, micros: u64) {
        if let Some(bucket) = self.buckets.get(bucket(micros)) {
            bucket.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Latencies in microseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Latency {
    /// How many were measured.
    pub count: u64,
    /// Half are not longer.
    pub p50_us: u64,
    /// 99 of 100 are not longer.
    pub p99_us: u64,
    /// 999 of 1,000 are not longer.
    pub p999_us: u64,
    /// The longest.
    pub max_us: u64,
}

impl Latency {
    fn of<'a>(histograms: impl Iterator<Item = &'a Histogram>) -> Latency {
        let mut sums = vec![0; BUCKETS];
        for histogram in histograms {
            for (sum, bucket) in sums.iter_mut().zip(&histogram.buckets) {
                *sum += bucket.load(Ordering::Relaxed);
            }
        }
        let count: u64 = sums.iter().sum();
        let quantile = |permille: u64| {
            let wanted = (count * permille).div_ceil(1000).max(1);
            let mut seen = 0;
            let found = sums.iter().position(|sum| {
                seen += sum;
                seen >= wanted
            });
            found.map_or(0, greatest)
        };
        Latency {
            count,
            p50_us: quantile(500),
            p99_us: quantile(990),
            p999_us: quantile(999),
            max_us: sums.iter().rposition(|sum| *sum > 0).map_or(0, greatest),
        }
    }
}

/// How often each response code was seen. Two characters of 0-9 A-Z; any other is counted together.
#[derive(Debug)]
pub(crate) struct CodeCounts {
    counts: Box<[AtomicU64]>,
}

const LETTERS: &[u8; 36] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";

impl Default for CodeCounts {
    fn default() -> CodeCounts {
        CodeCounts { counts: (0..36 * 36 + 1).map(|_| AtomicU64::new(0)).collect() }
    }
}

impl CodeCounts {
    pub(crate) fn add(&self, code: [u8; 2]) {
        let place = |byte: u8| match byte {
            b'0'..=b'9' => Some(byte - b'0'),
            b'A'..=b'Z' => Some(byte - b'A' + 10),
            _ => None,
        };
        let at = place(code[0]).zip(place(code[1])).map_or(36 * 36, |(a, b)| usize::from(a) * 36 + usize::from(b));
        if let Some(count) = self.counts.get(at) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn add_to(&self, sums: &mut BTreeMap<String, u64>) {
        for (at, count) in self.counts.iter().enumerate() {
            let count = count.load(Ordering::Relaxed);
            if count > 0 {
                let letter = |at: usize| LETTERS.get(at).copied().map_or('?', char::from);
                let code =
                    if at == 36 * 36 { "other".into() } else { format!("{}{}", letter(at / 36), letter(at % 36)) };
                *sums.entry(code).or_default() += count;
            }
        }
    }
}

/// How often each rule of the gate spoke.
#[derive(Debug)]
pub(crate) struct RuleCounts(Box<[AtomicU64]>);

/// No gate has more rules.
const RULES: usize = 64;

impl Default for RuleCounts {
    fn default() -> RuleCounts {
        RuleCounts((0..RULES).map(|_| AtomicU64::new(0)).collect())
    }
}

impl RuleCounts {
    pub(crate) fn add(&self, rule: u8) {
        if let Some(counter) = self.0.get(usize::from(rule)) {
            count(counter);
        }
    }
}

macro_rules! counters {
    ($($(#[$meta:meta])* $name:ident),+ $(,)?) => {
        /// Counters of one thread.
        #[derive(Debug, Default)]
        pub(crate) struct Counters {
            $(pub(crate) $name: AtomicU64,)+
            pub(crate) host_latency: Histogram,
            pub(crate) inside_latency: Histogram,
            pub(crate) total_latency: Histogram,
            pub(crate) host_codes: CodeCounts,
            pub(crate) gateway_codes: CodeCounts,
            pub(crate) refusals: RuleCounts,
            pub(crate) opened: RuleCounts,
        }

        /// What was counted since the start.
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
        pub struct Counts { $($(#[$meta])* pub $name: u64),+ }

        impl Counts {
            fn of(counters: &[std::sync::Arc<Counters>]) -> Counts {
                Counts { $($name: counters.iter().map(|one| one.$name.load(Ordering::Relaxed)).sum()),+ }
            }
        }
    };
}

counters! {
    /// Connections of terminals.
    connections,
    /// Connections that were closed at once: too many in all.
    refused_full,
    /// Connections that were closed at once: too many from one address in a second.
    refused_rate,
    /// TLS handshakes that failed or took too long.
    failed_handshakes,
    /// Connections that were ended because a frame came too slowly.
    slow_frames,
    /// Connections that were ended because they were idle.
    idle_ends,
    /// Frames of terminals.
    requests,
    /// Frames sent on to a host.
    forwarded,
    /// Replies of hosts in time.
    replies,
    /// Replies after their time.
    late_replies,
    /// Replies to what had been answered.
    duplicate_replies,
    /// Replies to nothing that is known.
    unmatched_replies,
    /// Requests that came again while they were open.
    repeated_requests,
    /// Requests without a reply in time.
    no_replies,
    /// Requests whose terminal closed its connection before the reply.
    terminals_gone,
    /// Replies that were written to the terminal, whole.
    delivered,
    /// Replies that could not be written to the terminal.
    undelivered,
    /// Replies that the follower withheld.
    withheld,
    /// Frames that do not decode.
    undecodable,
    /// Requests that the gate refused.
    refused,
    /// Requests that the gate let through although a rule spoke.
    passed_open,
    /// Requests that were answered because no host could be reached.
    unavailable,
    /// Payments that were refused because the journal's disk failed.
    disk_refusals,
    /// Reversals that the gateway sent.
    reversals_sent,
    /// Payments that are not followed because too many are open.
    not_followed,
    /// Alarms of detectors.
    alarms,
    /// Echo tests sent.
    echoes,
    /// Echo tests without a reply in time.
    failed_echoes,
}

/// Adds one.
pub(crate) fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

/// One connection to a host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LinkStats {
    /// The host's name.
    pub host: String,
    /// Number of the connection, from 0.
    pub link: u16,
    /// `up`, `sick` or `down`.
    pub state: String,
    /// Bytes that wait to be written.
    pub waiting_bytes: usize,
}

/// How a gateway stands.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Stats {
    /// Microseconds since it was started.
    pub uptime_us: u64,
    /// What was counted.
    pub counts: Counts,
    /// Connections of terminals now.
    pub open_connections: usize,
    /// Requests under way now.
    pub open_exchanges: usize,
    /// From the last byte to the host until the last byte of its reply.
    pub host_latency: Latency,
    /// What the gateway itself added: from the terminal's last byte to the host's first, and back.
    pub inside_latency: Latency,
    /// From the terminal's last byte until the last byte of the reply to it.
    pub total_latency: Latency,
    /// Response codes that hosts wrote.
    pub host_codes: BTreeMap<String, u64>,
    /// Response codes that the gateway wrote.
    pub gateway_codes: BTreeMap<String, u64>,
    /// Refusals by rule.
    pub refusals: BTreeMap<String, u64>,
    /// Requests that were let through although a rule spoke, by rule.
    pub opened: BTreeMap<String, u64>,
    /// Payments without a certain end, by state.
    pub followed: BTreeMap<String, usize>,
    /// The connections to the hosts.
    pub links: Vec<LinkStats>,
    /// The journal.
    pub journal: JournalState,
    /// The last alarms.
    pub alarms: Vec<AlarmText>,
    /// Messages that the detectors did not see because they were behind.
    pub unwatched: u64,
}

/// One alarm in words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AlarmText {
    /// When, microseconds UTC.
    pub at: i64,
    /// Which detector.
    pub kind: String,
    /// The terminal, or empty when it concerns many.
    pub terminal: String,
    /// In Chinese.
    pub zh: String,
    /// In English.
    pub en: String,
}

/// The sums over all threads.
pub(crate) struct Sums {
    pub(crate) counts: Counts,
    pub(crate) host_latency: Latency,
    pub(crate) inside_latency: Latency,
    pub(crate) total_latency: Latency,
    pub(crate) host_codes: BTreeMap<String, u64>,
    pub(crate) gateway_codes: BTreeMap<String, u64>,
    pub(crate) refusals: Vec<u64>,
    pub(crate) opened: Vec<u64>,
}

pub(crate) fn sums(counters: &[std::sync::Arc<Counters>]) -> Sums {
    let (mut host_codes, mut gateway_codes) = (BTreeMap::new(), BTreeMap::new());
    for one in counters {
        one.host_codes.add_to(&mut host_codes);
        one.gateway_codes.add_to(&mut gateway_codes);
    }
    let by_rule = |of: fn(&Counters) -> &RuleCounts| {
        let sum = |rule: usize| {
            counters.iter().filter_map(|one| of(one).0.get(rule)).map(|n| n.load(Ordering::Relaxed)).sum()
        };
        (0..RULES).map(sum).collect()
    };
    Sums {
        counts: Counts::of(counters),
        host_latency: Latency::of(counters.iter().map(|one| &one.host_latency)),
        inside_latency: Latency::of(counters.iter().map(|one| &one.inside_latency)),
        total_latency: Latency::of(counters.iter().map(|one| &one.total_latency)),
        host_codes,
        gateway_codes,
        refusals: by_rule(|one| &one.refusals),
        opened: by_rule(|one| &one.opened),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_are_three_percent_wide() {
        for value in (0..5_000).chain([10_000, 65_535, 1_000_000, 60_000_000, 3_600_000_000]) {
            let top = greatest(bucket(value));
            assert!(top >= value && top <= value + value / 32, "{value} falls into the bucket up to {top}");
        }
        assert_eq!(bucket(u64::MAX), BUCKETS - 1);
    }

    #[test]
    fn quantiles() {
        let histogram = Histogram::default();
        (1..=1000).for_each(|value| histogram.add(value));
        let latency = Latency::of([&histogram, &Histogram::default()].into_iter());
        assert_eq!(latency.count, 1000);
        assert!((500..=516).contains(&latency.p50_us), "{latency:?}");
        assert!((990..=1023).contains(&latency.p99_us), "{latency:?}");
        assert_eq!(Latency::of(std::iter::empty()), Latency::default());
    }

    #[test]
    fn codes_are_counted_by_themselves() {
        let codes = CodeCounts::default();
        [*b"00", *b"A7", *b"00", *b"\0\0"].into_iter().for_each(|code| codes.add(code));
        let mut sums = BTreeMap::new();
        codes.add_to(&mut sums);
        assert_eq!(sums, BTreeMap::from([("00".into(), 2), ("A7".into(), 1), ("other".into(), 1)]));
    }
}
