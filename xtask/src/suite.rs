//! `cargo xtask test`: every check of the workspace, in order, up to the first that fails.

use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::bail;
use clap::Args;

use crate::tally::{Tally, TestRunner};
use crate::{browser, console, machine, runner};

/// Arguments of `cargo xtask test`.
#[derive(Args)]
pub(crate) struct TestArgs {
    /// Leave out the benches and the browser test.
    #[arg(long)]
    quick: bool,
    /// Run only this check, such as `clippy` or `browser`; may be given several times.
    #[arg(long, value_name = "CHECK")]
    only: Vec<String>,
}

type Check = fn(&Path, &mut Tally) -> anyhow::Result<()>;

/// One check of the suite.
struct Step {
    name: &'static str,
    check: Check,
    /// Also part of `--quick`.
    quick: bool,
}

/// Cheap checks first; the browser test last because it needs everything else to work.
static STEPS: [Step; 10] = [
    Step { name: "tools", check: tools, quick: true },
    Step { name: "format", check: format, quick: true },
    Step { name: "clippy", check: clippy, quick: true },
    Step { name: "tests", check: tests, quick: true },
    Step { name: "doc tests", check: doc_tests, quick: true },
    Step { name: "benches", check: benches, quick: false },
    Step { name: "console lint", check: console_lint, quick: true },
    Step { name: "console tests", check: console_tests, quick: true },
    Step { name: "console build", check: console_build, quick: true },
    Step { name: "browser", check: browser_test, quick: false },
];

enum Outcome {
    Passed(Duration),
    Failed(Duration),
    NotRun,
}

/// Fails without a further message: the sum of the tests is the last line that is printed.
pub(crate) fn run(root: &Path, args: &TestArgs) -> anyhow::Result<ExitCode> {
    let steps = chosen(args)?;
    let started = Instant::now();
    let mut tally = Tally::default();
    let mut outcomes = Vec::new();
    let mut failed = false;
    for (index, step) in steps.iter().enumerate() {
        if failed {
            outcomes.push(Outcome::NotRun);
            continue;
        }
        println!("\n==> {}/{} {}", index + 1, steps.len(), step.name);
        let step_started = Instant::now();
        let failed_before = tally.failed;
        let result = (step.check)(root, &mut tally);
        let time = step_started.elapsed();
        match result {
            Ok(()) => {
                println!("    {} ok in {}", step.name, runner::elapsed(time));
                outcomes.push(Outcome::Passed(time));
            }
            Err(error) => {
                // A check that is no test, or a test that did not even build, still counts.
                if tally.failed == failed_before {
                    tally.failed += 1;
                }
                eprintln!("    {} FAILED: {error:#}", step.name);
                outcomes.push(Outcome::Failed(time));
                failed = true;
            }
        }
    }
    print_summary(&steps, &outcomes, &tally, started.elapsed());
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn chosen(args: &TestArgs) -> anyhow::Result<Vec<&'static Step>> {
    for name in &args.only {
        if !STEPS.iter().any(|step| step.name == name) {
            let names: Vec<&str> = STEPS.iter().map(|step| step.name).collect();
            bail!("there is no check `{name}`; there are: {}", names.join(", "));
        }
    }
    let wanted = |step: &&Step| {
        if args.only.is_empty() { step.quick || !args.quick } else { args.only.iter().any(|name| name == step.name) }
    };
    Ok(STEPS.iter().filter(wanted).collect())
}

/// The runners' own summary lines come last, and the sum of them alone on the final line.
fn print_summary(steps: &[&Step], outcomes: &[Outcome], tally: &Tally, total: Duration) {
    println!("\n==> summary after {}", runner::elapsed(total));
    for (step, outcome) in steps.iter().zip(outcomes) {
        let text = match outcome {
            Outcome::Passed(time) => format!("ok       {}", runner::elapsed(*time)),
            Outcome::Failed(time) => format!("FAILED   {}", runner::elapsed(*time)),
            Outcome::NotRun => "not run".to_owned(),
        };
        println!("    {:<14} {text}", step.name);
    }
    for line in &tally.lines {
        println!("{line}");
    }
    println!("{tally}");
}

fn tools(root: &Path, _: &mut Tally) -> anyhow::Result<()> {
    machine::rust_components(root)?;
    println!("    PostgreSQL programs: {}", machine::postgres()?.display());
    println!("    Chromium: {}", machine::chromium()?.display());
    console::install(root)?;
    console::ensure_dist_folder(root)
}

fn format(root: &Path, _: &mut Tally) -> anyhow::Result<()> {
    runner::run(runner::cargo(root).args(["fmt", "--all", "--check"]))
}

fn clippy(root: &Path, _: &mut Tally) -> anyhow::Result<()> {
    runner::run(
        runner::cargo(root)
            .args(["clippy", "--workspace", "--all-targets", "--all-features"])
            .args(runner::lock_flag())
            .args(["--", "-D", "warnings"]),
    )
}

fn tests(root: &Path, tally: &mut Tally) -> anyhow::Result<()> {
    let mut command = runner::cargo(root);
    let nextest = machine::on_path("cargo-nextest").is_some();
    let runner = if nextest {
        command.args(["nextest", "run", "--no-fail-fast"]);
        TestRunner::Nextest
    } else {
        command.args(["test", "--lib", "--bins", "--tests", "--no-fail-fast"]);
        TestRunner::Libtest
    };
    command.args(["--workspace", "--all-features"]).args(runner::lock_flag());
    runner::run_watched(&mut command, |line| tally.read(runner, line))
}

fn doc_tests(root: &Path, tally: &mut Tally) -> anyhow::Result<()> {
    let mut command = runner::cargo(root);
    command.args(["test", "--doc", "--workspace", "--all-features"]).args(runner::lock_flag());
    runner::run_watched(&mut command, |line| tally.read(TestRunner::Libtest, line))
}

/// Runs each bench once without measuring (divan's test mode), so that benches stay correct.
fn benches(root: &Path, _: &mut Tally) -> anyhow::Result<()> {
    runner::run(
        runner::cargo(root).args(["test", "--bench", "*", "--workspace", "--all-features"]).args(runner::lock_flag()),
    )
}

/// Lints, and the generated API client against the committed API document.
fn console_lint(root: &Path, _: &mut Tally) -> anyhow::Result<()> {
    let node = console::install(root)?;
    let folder = console::folder(root);
    if folder.join("src/api/schema.d.ts").is_file() {
        runner::run(node.npm(&folder)?.args(["run", "generate", "--", "--check"]))?;
    }
    runner::run(node.npm(&folder)?.args(["run", "lint"]))
}

fn console_tests(root: &Path, tally: &mut Tally) -> anyhow::Result<()> {
    let node = console::install(root)?;
    let mut command = node.npm(&console::folder(root))?;
    command.arg("test").env("CI", "true");
    runner::run_watched(&mut command, |line| tally.read(TestRunner::Vitest, line))
}

fn console_build(root: &Path, _: &mut Tally) -> anyhow::Result<()> {
    console::build(root).map(|_| ())
}

/// The development build of `onus`, because the tests have built nearly all of it already; an
/// optimised one would cost minutes more than the import of the demo day takes without.
fn browser_test(root: &Path, tally: &mut Tally) -> anyhow::Result<()> {
    runner::run(
        runner::cargo(root).args(["build", "--workspace", "--all-features", "--bins"]).args(runner::lock_flag()),
    )?;
    browser::run(root, &runner::target_folder(root)?.join("debug/onus"), tally)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checks_can_be_chosen() {
        let count = |quick, only: &[&str]| {
            let only = only.iter().map(|name| (*name).to_owned()).collect();
            chosen(&TestArgs { quick, only }).map(|steps| steps.len()).ok()
        };
        assert_eq!(count(false, &[]), Some(STEPS.len()));
        assert_eq!(count(true, &[]), Some(STEPS.len() - 2));
        assert_eq!(count(true, &["browser"]), Some(1));
        assert_eq!(count(false, &["brauser"]), None);
    }
}
