//! `cargo xtask demo`: from a clean clone to a running server with the demo day in it.

use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use anyhow::Context as _;
use clap::Args;

use crate::{console, runner};

/// Arguments of `cargo xtask demo`.
#[derive(Args)]
pub(crate) struct DemoArgs {
    /// Port on 127.0.0.1.
    #[arg(long, default_value_t = 8787)]
    port: u16,
    /// Build without optimisation: quicker to build, slower to import.
    #[arg(long)]
    debug: bool,
    /// Further arguments for `onus demo`; `cargo xtask demo -- --help` lists them.
    #[arg(last = true)]
    rest: Vec<String>,
}

pub(crate) fn run(root: &Path, args: &DemoArgs) -> anyhow::Result<()> {
    println!("==> 1/3 console");
    console::build(root)?;
    println!("==> 2/3 onus (the first build takes minutes)");
    let started = Instant::now();
    let mut build = runner::cargo(root);
    build.args(["build", "--package", "onus"]).args(runner::lock_flag());
    if !args.debug {
        build.arg("--release");
    }
    runner::run(&mut build)?;
    println!("    built in {}", runner::elapsed(started.elapsed()));
    println!("==> 3/3 demo day and server");
    let profile = if args.debug { "debug" } else { "release" };
    let onus = runner::target_folder(root)?.join(profile).join("onus");
    // Taking this process's place hands Ctrl-C and the exit code straight through.
    let error = Command::new(&onus)
        .current_dir(root)
        .arg("demo")
        .args(["--port", &args.port.to_string()])
        .args(&args.rest)
        .exec();
    Err(error).with_context(|| format!("starting {}", onus.display()))
}
