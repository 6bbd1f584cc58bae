//! Runs a command and measures it: wall time, CPU time, peak memory.
//!
//! Reads `/proc` while the command runs, so that it needs neither GNU time nor unsafe code.

use std::fs;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};

/// How often `/proc` is read; what a process does in its last instant may escape.
const EVERY: Duration = Duration::from_millis(10);
/// Clock ticks a second in `/proc/PID/stat`; the same on every Linux that Rust runs on.
const TICKS: f64 = 100.0;

/// What a command cost.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cost {
    pub(crate) wall: Duration,
    /// User and system time of the process and of the children it waited for.
    pub(crate) cpu_seconds: f64,
    pub(crate) peak_kib: u64,
}

impl Cost {
    pub(crate) fn peak_mib(self) -> f64 {
        as_f64(self.peak_kib) / 1024.0
    }
}

/// Runs `command` to its end with its output going through, and fails if it fails.
pub(crate) fn measure(command: &mut Command) -> anyhow::Result<Cost> {
    measure_ending(command, &[0])
}

/// The same for a command that may end with one of these exit codes.
pub(crate) fn measure_ending(command: &mut Command, codes: &[i32]) -> anyhow::Result<Cost> {
    let name = command.get_program().to_string_lossy().into_owned();
    let started = Instant::now();
    let mut child = command.stdin(Stdio::null()).spawn().with_context(|| format!("starting `{name}`"))?;
    let (status, cpu_seconds, peak_kib) = watch(&mut child).with_context(|| format!("watching `{name}`"))?;
    let wall = started.elapsed();
    if !status.code().is_some_and(|code| codes.contains(&code)) {
        bail!("`{name}` failed ({status})");
    }
    Ok(Cost { wall, cpu_seconds, peak_kib })
}

/// A finished process keeps its times in `/proc` until it is waited for, but not its memory.
fn watch(child: &mut Child) -> anyhow::Result<(ExitStatus, f64, u64)> {
    let folder = format!("/proc/{}", child.id());
    let mut peak_kib = 0;
    loop {
        let stat = fs::read_to_string(format!("{folder}/stat"))?;
        let (finished, cpu_seconds) = parse_stat(&stat).context("unknown form of /proc/PID/stat")?;
        if finished {
            return Ok((child.wait()?, cpu_seconds, peak_kib));
        }
        let status = fs::read_to_string(format!("{folder}/status"))?;
        peak_kib = parse_memory(&status, "VmHWM:").unwrap_or(0).max(peak_kib);
        thread::sleep(EVERY);
    }
}

/// CPU seconds of a running process so far.
pub(crate) fn cpu_seconds(process: u32) -> anyhow::Result<f64> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat"))?;
    parse_stat(&stat).map(|(_, seconds)| seconds).context("unknown form of /proc/PID/stat")
}

/// Memory that a running process has now.
pub(crate) fn resident_kib(process: u32) -> anyhow::Result<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status"))?;
    parse_memory(&status, "VmRSS:").context("unknown form of /proc/PID/status")
}

/// Whether the process has finished, and its CPU seconds with those of its children.
fn parse_stat(stat: &str) -> Option<(bool, f64)> {
    // The name stands in brackets and may hold anything; fields are counted after it.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let finished = *fields.first()? == "Z";
    let mut ticks = 0;
    for field in fields.get(11..15)? {
        ticks += field.parse::<u64>().ok()?;
    }
    Some((finished, as_f64(ticks) / TICKS))
}

fn parse_memory(status: &str, name: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}

/// For rates that are printed; counts here are far below the 2^53 that `f64` holds exactly.
#[expect(clippy::cast_precision_loss, reason = "printed measurements, not money")]
pub(crate) fn as_f64(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_proc() {
        let stat = "77 (a) b) Z 1 77 77 0 -1 4228 1 2 3 4 150 50 20 5 20 0 1 0 100 0 0";
        assert_eq!(parse_stat(stat), Some((true, 2.25)));
        assert_eq!(parse_memory("Name:\tx\nVmHWM:\t  2048 kB\nVmRSS:\t 1 kB\n", "VmHWM:"), Some(2048));
    }

    #[test]
    fn measures_a_process_that_works() {
        let mut busy = Command::new("sh");
        busy.args(["-c", "i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done"]);
        let cost = measure(&mut busy).unwrap();
        assert!(cost.cpu_seconds > 0.0 && cost.peak_kib > 100, "{cost:?}");
        assert!(measure(Command::new("sh").args(["-c", "exit 7"])).is_err());
    }
}
