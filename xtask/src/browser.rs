//! The browser test: a demo server on a free port, and Playwright reading its pages.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};

use crate::tally::{Tally, TestRunner};
use crate::{console, machine, runner};

/// How long the demo day may take to import on a slow machine with an unoptimised build.
const START_LIMIT: Duration = Duration::from_secs(600);
/// How long the server may take to stop before it is killed.
const STOP_LIMIT: Duration = Duration::from_secs(10);
/// The line that `onus demo` prints once it accepts connections.
const LISTENING: &str = "listening on ";
/// Password of the throw-away administrator.
const PASSWORD: &str = "browser-test-only";

/// Starts `onus` in a fresh folder, runs `npm run e2e` against it, and stops it again.
pub(crate) fn run(root: &Path, onus: &Path, tally: &mut Tally) -> anyhow::Result<()> {
    let chromium = machine::chromium()?;
    let node = console::build(root)?;
    let folder = runner::target_folder(root)?.join("browser-test");
    if folder.exists() {
        fs::remove_dir_all(&folder).with_context(|| format!("emptying {}", folder.display()))?;
    }
    fs::create_dir_all(&folder).with_context(|| format!("creating {}", folder.display()))?;
    let started = Instant::now();
    let server = Server::start(onus, &folder)?;
    println!("    {} after {}", server.address, runner::elapsed(started.elapsed()));
    let mut test = node.npm(&console::folder(root))?;
    test.args(["run", "e2e"])
        .env("ONUS_URL", &server.address)
        .env("ONUS_USER", "admin")
        .env("ONUS_PASSWORD", PASSWORD)
        .env("ONUS_CHROMIUM", chromium);
    runner::run_watched(&mut test, |line| tally.read(TestRunner::Playwright, line))
}

/// A running `onus demo`, stopped when dropped.
struct Server {
    child: Child,
    address: String,
}

impl Server {
    fn start(onus: &Path, folder: &Path) -> anyhow::Result<Self> {
        let mut command = Command::new(onus);
        command
            .current_dir(folder)
            .args(["demo", "--port", "0", "--no-live"])
            .env("ONUS_DEMO_PASSWORD", PASSWORD)
            .stdin(Stdio::null())
            .stdout(Stdio::piped());
        println!("    $ onus demo --port 0 --no-live");
        let mut child = command.spawn().with_context(|| format!("starting {}", onus.display()))?;
        let stdout = child.stdout.take().context("the server has no standard output")?;
        let mut server = Self { child, address: String::new() };
        server.address = wait_for_address(stdout)?;
        Ok(server)
    }

    fn stop(&mut self) -> anyhow::Result<()> {
        // SIGTERM through kill(1): the standard library only knows SIGKILL.
        let asked = runner::answer("kill", &["-TERM", &self.child.id().to_string()]).is_some();
        let deadline = Instant::now() + STOP_LIMIT;
        while asked && Instant::now() < deadline {
            if self.child.try_wait()?.is_some() {
                return Ok(());
            }
            thread::sleep(Duration::from_millis(50));
        }
        self.child.kill()?;
        self.child.wait()?;
        bail!("the server did not stop within {} and was killed", runner::elapsed(STOP_LIMIT))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Err(error) = self.stop() {
            eprintln!("    {error:#}");
        }
    }
}

/// Shows the server's output and returns the address in its first "listening on" line.
fn wait_for_address(stdout: ChildStdout) -> anyhow::Result<String> {
    let (found, received) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            println!("    | {line}");
            if let Some(address) = address_in(&line) {
                // Only the first is waited for.
                let _ = found.send(address);
            }
        }
    });
    match received.recv_timeout(START_LIMIT) {
        Ok(address) => Ok(address),
        Err(mpsc::RecvTimeoutError::Disconnected) => {
            bail!("`onus demo` ended before it printed `{LISTENING}ADDRESS`")
        }
        Err(mpsc::RecvTimeoutError::Timeout) => {
            bail!("`onus demo` was not listening after {}", runner::elapsed(START_LIMIT))
        }
    }
}

fn address_in(line: &str) -> Option<String> {
    let (_, rest) = line.split_once(LISTENING)?;
    let address = rest.split_whitespace().next()?;
    address.starts_with("http://").then(|| address.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_address() {
        let table = [
            ("listening on http://127.0.0.1:40123", Some("http://127.0.0.1:40123")),
            ("onus: listening on http://127.0.0.1:8787 (demo)", Some("http://127.0.0.1:8787")),
            ("listening on a socket", None),
            ("importing", None),
        ];
        for (line, expected) in table {
            assert_eq!(address_in(line).as_deref(), expected, "{line}");
        }
    }
}
