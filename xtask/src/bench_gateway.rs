//! `cargo xtask bench gateway`: round trips, latency, CPU and memory of the gateway beside HAProxy and no one at all.

use std::fmt::Write as _;
use std::fs;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use clap::Args;

use crate::measure::{self, as_f64};
use crate::{machine, runner};

/// Arguments of `cargo xtask bench gateway`.
#[derive(Args)]
pub(crate) struct GatewayArgs {
    /// Measured seconds of each load.
    #[arg(long, default_value_t = 5)]
    seconds: u32,
    /// Rounds; of each way the best one counts, since other work on the machine only ever makes it worse.
    #[arg(long, default_value_t = 3)]
    rounds: u32,
    /// Terminals that pay at once.
    #[arg(long, default_value_t = 64)]
    connections: u32,
    /// Requests open at once on a connection; a terminal has one.
    #[arg(long, default_value_t = 1)]
    depth: u32,
    /// Requests a second of the steady load; half of the 40,000 that the gateway shall reach.
    #[arg(long, default_value_t = 20_000)]
    rate: u32,
    /// Connections that say nothing.
    #[arg(long, default_value_t = 10_000)]
    idle: u32,
    /// Connections of the gateway to the host.
    #[arg(long, default_value_t = 4)]
    upstream: u32,
}

/// Programs of the measurement.
struct Programs {
    simulator: PathBuf,
    gateway: PathBuf,
    haproxy: Option<PathBuf>,
    folder: PathBuf,
}

/// A process that ends with this value.
struct Running {
    child: Child,
    address: SocketAddr,
}

impl Running {
    /// Starts a program and waits until it listens.
    fn start(command: &mut Command, address: SocketAddr) -> anyhow::Result<Running> {
        let shown = command.get_program().to_string_lossy().into_owned();
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).spawn();
        let mut running = Running { child: child.with_context(|| format!("starting `{shown}`"))?, address };
        let deadline = Instant::now() + Duration::from_secs(10);
        while TcpStream::connect(address).is_err() {
            if let Some(status) = running.child.try_wait()? {
                bail!("`{shown}` ended before it listened on {address} ({status})");
            }
            if Instant::now() > deadline {
                bail!("`{shown}` does not listen on {address}");
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(running)
    }

    fn cpu_seconds(&self) -> anyhow::Result<f64> {
        measure::cpu_seconds(self.child.id())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Already gone is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What one load met on one way.
struct Result {
    way: &'static str,
    per_second: f64,
    p50_us: u64,
    p99_us: u64,
    p999_us: u64,
    /// CPU microseconds of the program in the middle, per round trip.
    middle_us: Option<f64>,
}

pub(crate) fn run(root: &Path, args: &GatewayArgs) -> anyhow::Result<()> {
    let programs = build(root)?;
    let host_address = free_address()?;
    let host = Running::start(
        Command::new(&programs.simulator).args(["host", "--light", "--listen", &host_address.to_string()]),
        host_address,
    )?;
    let before_reply = run_gateway(&programs, args, &host, "before-reply")?;
    let asynchronous = run_gateway(&programs, args, &host, "async")?;
    let haproxy = programs.haproxy.as_ref().map(|program| run_haproxy(&programs, program, &host)).transpose()?;

    let mut ways = vec![("direct", None, host.address)];
    if let Some(haproxy) = &haproxy {
        ways.push(("haproxy", Some(haproxy), haproxy.address));
    }
    ways.push(("gateway async", Some(&asynchronous), asynchronous.address));
    ways.push(("gateway before-reply", Some(&before_reply), before_reply.address));

    println!("==> full load: {} terminals, {} open at once on each", args.connections, args.depth);
    let mut batch = 0;
    let mut best: Vec<Result> = Vec::new();
    for _ in 0..args.rounds.max(1) {
        for (place, (way, middle, address)) in ways.iter().enumerate() {
            batch += 1;
            let result = measure_load(&programs, args, way, *middle, *address, None, batch)?;
            keep_better(&mut best, place, result, |new, old| new.per_second > old.per_second);
        }
    }
    print_results(&best);

    println!("==> steady load: {} requests/s, or half of what a way reached if that is less", args.rate);
    let mut steady: Vec<Result> = Vec::new();
    for _ in 0..args.rounds.max(1) {
        for (place, (way, middle, address)) in ways.iter().enumerate() {
            batch += 1;
            let rate = f64::from(args.rate);
            let rate = best.get(place).map_or(rate, |result| rate.min(result.per_second / 2.0));
            let result = measure_load(&programs, args, way, *middle, *address, Some(rate), batch)?;
            keep_better(&mut steady, place, result, |new, old| new.p99_us < old.p99_us);
        }
    }
    print_results(&steady);
    print_added(&steady);
    print_memory(&programs, args, &asynchronous, &before_reply)
}

fn keep_better(best: &mut Vec<Result>, place: usize, new: Result, is_better: fn(&Result, &Result) -> bool) {
    match best.get_mut(place) {
        Some(old) if !is_better(&new, old) => {}
        Some(old) => *old = new,
        None => best.push(new),
    }
}

fn build(root: &Path) -> anyhow::Result<Programs> {
    println!("==> release build");
    runner::run(runner::cargo(root).args(["build", "--release", "--package", "onus-simulator"]))?;
    runner::run(runner::cargo(root).args(["build", "--release", "--package", "onus-gateway", "--example", "relay"]))?;
    let target = runner::target_folder(root)?;
    let folder = target.join("bench/gateway");
    if folder.exists() {
        fs::remove_dir_all(&folder).with_context(|| format!("emptying {}", folder.display()))?;
    }
    fs::create_dir_all(&folder).with_context(|| format!("creating {}", folder.display()))?;
    let haproxy = machine::haproxy();
    if let Err(error) = &haproxy {
        println!("    no HAProxy to compare with: {error:#}");
    }
    let release = target.join("release");
    let (simulator, gateway) = (release.join("onus-simulator"), release.join("examples/relay"));
    Ok(Programs { simulator, gateway, haproxy: haproxy.ok(), folder })
}

/// A gateway with tap and gate on; its register knows the terminals of the load.
fn run_gateway(programs: &Programs, args: &GatewayArgs, host: &Running, durability: &str) -> anyhow::Result<Running> {
    let address = free_address()?;
    let config = programs.folder.join(format!("{durability}.toml"));
    let journal = programs.folder.join(format!("journal-{durability}"));
    let text = format!(
        "[terminals]\nlisten = \"{address}\"\nconnects_per_s = 0\nmax_connections = 30000\n\n\
         [upstream]\n[[upstream.hosts]]\nname = \"host\"\naddress = \"{}\"\nconnections = {}\n\n\
         [journal]\nfolder = {journal:?}\ndurability = \"{durability}\"\n\n{}",
        host.address,
        args.upstream,
        gate()
    );
    fs::write(&config, text).with_context(|| format!("writing {}", config.display()))?;
    let register = programs.folder.join("register.json");
    let roster = runner::answer(&programs.simulator, &["roster", "--count", &args.connections.to_string()]);
    let roster = roster.context("the simulator lists no terminals")?;
    fs::write(&register, register_of(&roster)?).with_context(|| format!("writing {}", register.display()))?;
    Running::start(with_many_files(&programs.gateway).arg(&config).arg(&register), address)
}

/// Rules that look at every request of the load: terminal, standing, quarantine, merchant, serial number.
const GATE: [(&str, &str); 5] =
    [("known", "97"), ("active", "58"), ("quarantine", "58"), ("merchant", "03"), ("serial", "58")];

fn gate() -> String {
    let rule = |(test, code): &(&str, &str)| {
        format!("[[gate]]\nname = \"{test}\"\ntest = \"{test}\"\nact = \"refuse\"\ncode = \"{code}\"\n\n")
    };
    GATE.iter().map(rule).collect()
}

/// The register of a gateway from the simulator's roster.
fn register_of(roster: &str) -> anyhow::Result<String> {
    let mut rows = Vec::new();
    for line in roster.lines() {
        let terminal: serde_json::Value = serde_json::from_str(line).context("reading the roster")?;
        rows.push(serde_json::json!({
            "tid": terminal["tid"], "merchant": terminal["merchant"], "serial": terminal["serial"], "standing": "active",
        }));
    }
    Ok(serde_json::to_string(&serde_json::json!({ "terminals": rows }))?)
}

fn run_haproxy(programs: &Programs, haproxy: &Path, host: &Running) -> anyhow::Result<Running> {
    let address = free_address()?;
    let config = programs.folder.join("haproxy.cfg");
    let text = format!(
        "global\n    maxconn 4000\n\ndefaults\n    mode tcp\n    timeout connect 5s\n    timeout client 1h\n    \
         timeout server 1h\n\nlisten pos\n    bind {address}\n    server host {}\n",
        host.address
    );
    fs::write(&config, text).with_context(|| format!("writing {}", config.display()))?;
    Running::start(with_many_files(haproxy).arg("-db").arg("-f").arg(&config), address)
}

/// The program with as many open files as the system lets a process have.
fn with_many_files(program: &Path) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", "ulimit -n \"$(ulimit -Hn)\"; exec \"$@\"", "sh"]).arg(program);
    command
}

fn free_address() -> anyhow::Result<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}

fn measure_load(
    programs: &Programs,
    args: &GatewayArgs,
    way: &'static str,
    middle: Option<&Running>,
    address: SocketAddr,
    rate: Option<f64>,
    batch: usize,
) -> anyhow::Result<Result> {
    let before = middle.map(Running::cpu_seconds).transpose()?;
    let mut command = Command::new(&programs.simulator);
    command.args(["load", "--connect", &address.to_string(), "--seconds", &args.seconds.to_string()]);
    command.args(["--connections", &args.connections.to_string(), "--depth", &args.depth.to_string()]);
    command.args(["--batch", &batch.to_string()]);
    if let Some(rate) = rate {
        command.args(["--rate", &rate.to_string()]);
    }
    let output = command.stdin(Stdio::null()).stderr(Stdio::inherit()).output().context("running the load")?;
    if !output.status.success() {
        bail!("the load through {way} failed ({})", output.status);
    }
    let after = middle.map(Running::cpu_seconds).transpose()?;
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).context("reading the load's report")?;
    let number = |name: &str| report[name].as_u64().with_context(|| format!("the load reports no `{name}`"));
    let trouble = ["not_approved", "lost", "unmatched", "closed"];
    for name in trouble {
        if number(name)? > 0 {
            println!("    {way}: {} {name}", number(name)?);
        }
    }
    let all = as_f64(number("all_round_trips")?).max(1.0);
    Ok(Result {
        way,
        per_second: report["per_second"].as_f64().context("the load reports no `per_second`")?,
        p50_us: number("p50_us")?,
        p99_us: number("p99_us")?,
        p999_us: number("p999_us")?,
        middle_us: before.zip(after).map(|(before, after)| (after - before) * 1e6 / all),
    })
}

fn print_results(results: &[Result]) {
    println!("  {:<22}{:>12}{:>10}{:>10}{:>10}{:>16}", "", "trips/s", "p50 us", "p99 us", "p99.9 us", "CPU us/message");
    for result in results {
        let cpu = result.middle_us.map_or_else(String::new, |us| format!("{us:.1}"));
        println!(
            "  {:<22}{:>12.0}{:>10}{:>10}{:>10}{cpu:>16}",
            result.way, result.per_second, result.p50_us, result.p99_us, result.p999_us
        );
    }
}

/// Latency above the direct way, and the gateway beside HAProxy.
fn print_added(results: &[Result]) {
    let find = |way: &str| results.iter().find(|result| result.way == way);
    let Some(direct) = find("direct") else { return };
    for result in results.iter().filter(|result| result.way != "direct") {
        let added = |of: fn(&Result) -> u64| as_f64(of(result)) - as_f64(of(direct));
        println!(
            "  {:<22}adds {:.0} us at p50, {:.0} us at p99",
            result.way,
            added(|result| result.p50_us),
            added(|result| result.p99_us)
        );
    }
    let Some(haproxy) = find("haproxy") else { return };
    for result in results.iter().filter(|result| result.way.starts_with("gateway")) {
        let cpu = result.middle_us.zip(haproxy.middle_us).map_or(0.0, |(ours, theirs)| ours / theirs.max(0.001));
        println!(
            "  {:<22}{cpu:.2} of HAProxy's CPU per message, {:.2} of its p99",
            result.way,
            as_f64(result.p99_us) / as_f64(haproxy.p99_us).max(1.0)
        );
    }
}

fn print_memory(programs: &Programs, args: &GatewayArgs, used: &Running, fresh: &Running) -> anyhow::Result<()> {
    println!("==> memory with {} idle terminals", args.idle);
    for (name, gateway) in [("gateway async", used), ("gateway before-reply", fresh)] {
        let before = measure::resident_kib(gateway.child.id())?;
        let mut command = with_many_files(&programs.simulator);
        command.args(["idle", "--connect", &gateway.address.to_string(), "--count", &args.idle.to_string()]);
        let mut child =
            command.args(["--seconds", "4"]).stdout(Stdio::piped()).spawn().context("starting idle terminals")?;
        let mut peak = before;
        while child.try_wait()?.is_none() {
            peak = peak.max(measure::resident_kib(gateway.child.id())?);
            std::thread::sleep(Duration::from_millis(50));
        }
        let output = child.wait_with_output()?;
        let report = String::from_utf8_lossy(&output.stdout).into_owned();
        let report: serde_json::Value = serde_json::from_str(report.split_once('\n').map_or("", |(_, json)| json))
            .context("reading the report of the idle terminals")?;
        let mut line = format!("  {name:<22}{:.0} MiB, {:.0} MiB before", mebibytes(peak), mebibytes(before));
        let _ = write!(
            line,
            " (connected {}, refused {}, closed {})",
            report["connected"], report["refused"], report["closed"]
        );
        println!("{line}");
    }
    Ok(())
}

fn mebibytes(kib: u64) -> f64 {
    as_f64(kib) / 1024.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_roster_becomes_a_register() {
        let roster = "{\"tid\":\"90000000\",\"merchant\":\"899523054110000\",\"serial\":\"SIM000000000\"}\n";
        let register: serde_json::Value = serde_json::from_str(&register_of(roster).unwrap()).unwrap();
        assert_eq!(register["terminals"][0]["tid"], "90000000");
        assert_eq!(register["terminals"][0]["standing"], "active");
        assert!(register_of("no roster").is_err());
    }
}
