//! How a gateway stands, as the store and the console see it.

use std::collections::VecDeque;
use std::io::Write;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Result;
use onus_gateway::snapshot::Snapshot;
use onus_gateway::{Clock, Config, Counts, OpenExchange, Stats};
use onus_model::Instant;
use onus_store::gateway_status::GatewayStatusRow;
use serde::Serialize;
use serde_json::Value;

use crate::Format;
use crate::home;

/// Seconds of traffic that are kept.
const HISTORY: usize = 120;
/// Open exchanges that are named, oldest first.
const OPEN: usize = 50;

/// What became of closed segments.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Imports {
    /// They are imported by this process.
    pub(crate) here: bool,
    /// Segments imported since the start.
    pub(crate) imported: usize,
    /// Segments that wait.
    pub(crate) waiting: usize,
    /// When the last ones were imported, microseconds.
    pub(crate) last_at: Option<i64>,
    /// Why the last attempt failed.
    pub(crate) error: Option<String>,
}

/// What happened within one second.
#[derive(Debug, Clone, Copy, Serialize)]
struct Second {
    at: i64,
    requests: u64,
    replies: u64,
    refused: u64,
    no_replies: u64,
}

/// The registers that the gate tests against.
#[derive(Debug, Clone, Copy, Serialize)]
struct Registers {
    number: u64,
    built_at: i64,
    terminals: usize,
}

#[derive(Serialize)]
struct Status<'a> {
    version: &'static str,
    dialect: &'a str,
    durability: &'a Value,
    listen: SocketAddr,
    started_at: i64,
    /// By the gateway's clock, as all times in here.
    now: i64,
    stopped: bool,
    stats: &'a Stats,
    history: &'a VecDeque<Second>,
    open: &'a [OpenExchange],
    registers: Option<Registers>,
    imports: Imports,
}

/// Makes the status of one gateway.
pub(crate) struct Reporter {
    name: String,
    dialect: String,
    durability: Value,
    listen: SocketAddr,
    clock: Arc<dyn Clock>,
    started_at: Instant,
    imports: Mutex<Imports>,
    past: Mutex<Past>,
}

#[derive(Default)]
struct Past {
    counts: Counts,
    history: VecDeque<Second>,
}

impl Reporter {
    pub(crate) fn new(config: &Config, listen: SocketAddr, clock: Arc<dyn Clock>, imports_here: bool) -> Self {
        Self {
            name: config.name.clone(),
            dialect: config.dialect.clone(),
            durability: serde_json::to_value(config.journal.durability).unwrap_or_default(),
            listen,
            started_at: clock.now(),
            clock,
            imports: Mutex::new(Imports { here: imports_here, ..Imports::default() }),
            past: Mutex::default(),
        }
    }

    /// Changes what is said about closed segments.
    pub(crate) fn imports(&self, change: impl FnOnce(&mut Imports)) {
        change(&mut self.imports.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// How it stands now.
    pub(crate) fn report(&self, stats: &Stats, mut open: Vec<OpenExchange>, registers: &Snapshot) -> GatewayStatusRow {
        open.sort_by_key(|exchange| exchange.received_at);
        open.truncate(OPEN);
        let registers =
            Registers { number: registers.id(), built_at: registers.built_at().0, terminals: registers.len() };
        self.row(stats, &open, Some(registers), false)
    }

    /// How it stood when it was stopped.
    pub(crate) fn stopped(&self, stats: &Stats) -> GatewayStatusRow {
        self.row(stats, &[], None, true)
    }

    fn row(
        &self,
        stats: &Stats,
        open: &[OpenExchange],
        registers: Option<Registers>,
        stopped: bool,
    ) -> GatewayStatusRow {
        let now = self.clock.now();
        let mut past = self.past.lock().unwrap_or_else(PoisonError::into_inner);
        past.add(now, stats.counts);
        let status = Status {
            version: env!("CARGO_PKG_VERSION"),
            dialect: &self.dialect,
            durability: &self.durability,
            listen: self.listen,
            started_at: self.started_at.0,
            now: now.0,
            stopped,
            stats,
            history: &past.history,
            open,
            registers,
            imports: self.imports.lock().unwrap_or_else(PoisonError::into_inner).clone(),
        };
        let status = serde_json::to_string(&status).unwrap_or_else(|_| "{}".to_owned());
        GatewayStatusRow { instance: self.name.clone(), at: home::now().0, status }
    }
}

impl Past {
    fn add(&mut self, at: Instant, counts: Counts) {
        let before = std::mem::replace(&mut self.counts, counts);
        let since = |of: fn(&Counts) -> u64| of(&counts).saturating_sub(of(&before));
        self.history.push_back(Second {
            at: at.0,
            requests: since(|counts| counts.requests),
            replies: since(|counts| counts.replies),
            refused: since(|counts| counts.refused),
            no_replies: since(|counts| counts.no_replies),
        });
        if self.history.len() > HISTORY {
            self.history.pop_front();
        }
    }
}

/// Prints one gateway.
pub(crate) fn print(row: &GatewayStatusRow, status: &Value, now: Instant, format: Format) -> Result<()> {
    let mut out = std::io::stdout().lock();
    let age_s = (now.0 - row.at) / 1_000_000;
    if format != Format::Table {
        writeln!(
            out,
            "{}",
            serde_json::json!({"instance": row.instance, "at": row.at, "age_s": age_s, "status": status})
        )?;
        return Ok(());
    }
    let stats = &status["stats"];
    let state = match (status["stopped"].as_bool(), age_s) {
        (Some(true), _) => "stopped".to_owned(),
        (_, 0..=5) => "running".to_owned(),
        _ => format!("silent for {age_s} s"),
    };
    writeln!(out, "{}: {state}, listening on {}", row.instance, status["listen"].as_str().unwrap_or("?"))?;
    let counts = &stats["counts"];
    let number = |value: &Value| value.as_u64().unwrap_or_default();
    for name in
        ["requests", "replies", "refused", "no_replies", "late_replies", "reversals_sent", "undecodable", "alarms"]
    {
        writeln!(out, "  {name:16} {:>10}", number(&counts[name]))?;
    }
    for (name, hop) in [("gateway", "inside_latency"), ("host", "host_latency"), ("terminal", "total_latency")] {
        let (p50, p99) = (number(&stats[hop]["p50_us"]), number(&stats[hop]["p99_us"]));
        writeln!(out, "  {name:16} {p50:>10} us p50 {p99:>10} us p99")?;
    }
    for link in stats["links"].as_array().into_iter().flatten() {
        let (host, state) = (link["host"].as_str().unwrap_or("?"), link["state"].as_str().unwrap_or("?"));
        writeln!(out, "  host {host} connection {}: {state}", number(&link["link"]))?;
    }
    for (state, count) in stats["followed"].as_object().into_iter().flatten() {
        writeln!(out, "  {state:24} {:>4} payments open", number(count))?;
    }
    let imports = &status["imports"];
    writeln!(
        out,
        "  segments         {:>10} imported, {} waiting",
        number(&imports["imported"]),
        number(&imports["waiting"])
    )?;
    Ok(())
}
