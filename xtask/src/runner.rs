//! Runs one command of a task: streams what it prints, shows that it is alive, tells how long it took.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};

/// A command that prints nothing for this long gets a line saying that it still runs.
const SILENCE: Duration = Duration::from_secs(20);

/// Runs `command` to its end and fails if it fails. Its output goes through.
pub(crate) fn run(command: &mut Command) -> anyhow::Result<()> {
    run_watched(command, |_| {})
}

/// Like [`run`]; `watch` also sees every line, without colours.
pub(crate) fn run_watched(command: &mut Command, mut watch: impl FnMut(&str)) -> anyhow::Result<()> {
    let shown = shown(command);
    println!("    $ {shown}");
    let started = Instant::now();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("starting `{shown}`"))?;
    let (lines, received) = mpsc::channel();
    let readers = [
        child.stdout.take().map(|pipe| forward(pipe, std::io::stdout(), lines.clone())),
        child.stderr.take().map(|pipe| forward(pipe, std::io::stderr(), lines.clone())),
    ];
    drop(lines);
    loop {
        match received.recv_timeout(SILENCE) {
            Ok(line) => watch(&without_colours(&line)),
            Err(RecvTimeoutError::Timeout) => {
                println!("    ... still running after {}", elapsed(started.elapsed()));
            }
            Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    for reader in readers.into_iter().flatten() {
        // A reader ends with its pipe and cannot fail in a way that matters here.
        let _ = reader.join();
    }
    let status = child.wait().with_context(|| format!("waiting for `{shown}`"))?;
    if !status.success() {
        bail!("`{shown}` failed ({status}) after {}", elapsed(started.elapsed()));
    }
    Ok(())
}

/// The trimmed standard output of a short command, or `None` if it is missing or fails.
pub(crate) fn answer(program: impl AsRef<OsStr>, args: &[&str]) -> Option<String> {
    let output = Command::new(program).args(args).stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// The cargo that runs this task, in the workspace root.
///
/// What `cargo run` sets for this process alone is taken away again, so that build scripts see the
/// same environment as under a plain `cargo build` and nothing is built twice.
pub(crate) fn cargo(root: &Path) -> Command {
    let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(program);
    command.current_dir(root);
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy().into_owned();
        if name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_") {
            command.env_remove(name);
        }
    }
    command
}

/// What `cargo metadata` says about the workspace's own crates.
pub(crate) fn metadata(root: &Path) -> anyhow::Result<serde_json::Value> {
    let output = cargo(root)
        .args(["metadata", "--no-deps", "--offline", "--format-version", "1"])
        .output()
        .context("starting cargo metadata")?;
    if !output.status.success() {
        bail!("cargo metadata: {}", String::from_utf8_lossy(&output.stderr));
    }
    serde_json::from_slice(&output.stdout).context("reading cargo metadata")
}

/// The folder that cargo builds into, whatever the environment or a configuration file says.
pub(crate) fn target_folder(root: &Path) -> anyhow::Result<PathBuf> {
    let metadata = metadata(root)?;
    let folder = metadata["target_directory"].as_str().context("cargo metadata names no target directory")?;
    Ok(PathBuf::from(folder))
}

/// `--locked` where a robot runs the task: there the committed lock file must be the right one.
pub(crate) fn lock_flag() -> &'static [&'static str] {
    if std::env::var_os("CI").is_some() { &["--locked"] } else { &[] }
}

/// `74.2 s` or `3 min 05 s`.
pub(crate) fn elapsed(time: Duration) -> String {
    let seconds = time.as_secs();
    if seconds < 120 {
        format!("{:.1} s", time.as_secs_f64())
    } else {
        format!("{} min {:02} s", seconds / 60, seconds % 60)
    }
}

/// The command as a person would type it.
fn shown(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let name = program.file_name().unwrap_or(command.get_program());
    let mut text = name.to_string_lossy().into_owned();
    for arg in command.get_args() {
        text.push(' ');
        text.push_str(&arg.to_string_lossy());
    }
    text
}

fn forward(
    pipe: impl Read + Send + 'static,
    mut out: impl Write + Send + 'static,
    lines: Sender<String>,
) -> thread::JoinHandle<()> {
    thread::spawn(move || {
        let mut pipe = BufReader::new(pipe);
        let mut line = Vec::new();
        while matches!(pipe.read_until(b'\n', &mut line), Ok(n) if n > 0) {
            // If nobody reads this task's output any more, the command may still finish.
            let _ = out.write_all(&line).and_then(|()| out.flush());
            let _ = lines.send(String::from_utf8_lossy(&line).trim_end().to_owned());
            line.clear();
        }
    })
}

/// Takes terminal colour sequences (`ESC [ ... letter`) out of a line.
fn without_colours(line: &str) -> String {
    let mut plain = String::with_capacity(line.len());
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        if c == '\u{1b}' {
            chars.by_ref().find(char::is_ascii_alphabetic);
        } else {
            plain.push(c);
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failing_command_names_itself_and_every_line_is_seen() {
        let mut seen = Vec::new();
        let mut script = Command::new("sh");
        script.args(["-c", "echo out; echo err >&2; exit 3"]);
        let error = run_watched(&mut script, |line| seen.push(line.to_owned())).unwrap_err();
        seen.sort();
        assert_eq!(seen, ["err", "out"]);
        assert!(error.to_string().contains("exit status: 3"), "{error}");
    }

    #[test]
    fn colours_are_removed() {
        assert_eq!(without_colours("\u{1b}[1m\u{1b}[32m12 passed\u{1b}[39m (3)"), "12 passed (3)");
    }

    #[test]
    fn elapsed_reads_well() {
        assert_eq!(elapsed(Duration::from_millis(1_250)), "1.2 s");
        assert_eq!(elapsed(Duration::from_secs(185)), "3 min 05 s");
    }
}
