//! Runs a target on a stable toolchain: `drive TARGET DIALECT|all EXECUTIONS SEED`.
//!
//! Frames that the dialect itself accepts are changed at seeded places. The same arguments run the same inputs. An
//! input that breaks the target is written to `artifacts/TARGET-SEED-NUMBER` and its number is said. Prints how many
//! inputs ran, how many of them decoded, and how fast.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::time::Instant;

use onus_fuzz::mutate::{Random, mutate};
use onus_fuzz::{files, seeds, targets};
use onus_iso8583::Dialect;

const USAGE: &str = "usage: drive TARGET DIALECT|all EXECUTIONS SEED";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [target, dialect, executions, seed] = &arguments[..] else {
        eprintln!("{USAGE}");
        return ExitCode::FAILURE;
    };
    let (Ok(executions), Ok(seed)) = (executions.parse::<u64>(), seed.parse::<u64>()) else {
        eprintln!("{USAGE}");
        return ExitCode::FAILURE;
    };
    let Some((name, run)) = targets::ALL.into_iter().find(|(name, _)| name == target) else {
        eprintln!("there is no target {target}; there are {}", targets::ALL.map(|(name, _)| name).join(", "));
        return ExitCode::FAILURE;
    };
    let ids: Vec<_> =
        (0_u8..).zip(Dialect::builtin_ids()).filter(|(_, id)| dialect == "all" || *id == dialect).collect();
    if ids.is_empty() {
        eprintln!("there is no dialect {dialect}; there are {}", Dialect::builtin_ids().join(", "));
        return ExitCode::FAILURE;
    }
    let texts = match name {
        "import_spec" => Some(("all formats", seeds::specifications())),
        "layout" => Some(("all layouts", files::layouts())),
        "rows" => Some(("all kinds of files", files::files())),
        _ => None,
    };
    if let Some((what, seeds)) = texts {
        return drive(name, what, run, &seeds, executions, seed);
    }
    let mut code = ExitCode::SUCCESS;
    for (choice, id) in ids {
        let chosen = targets::dialect(choice);
        let frames = seeds::frames(chosen, 64, &mut Random::new(seed));
        if frames.is_empty() {
            eprintln!("{name} {id}: no frame of this dialect could be made");
            return ExitCode::FAILURE;
        }
        let prefixed: Vec<_> = frames.iter().map(|frame| input(name, choice, frame)).collect();
        if drive(name, id, run, &prefixed, executions, seed) == ExitCode::FAILURE {
            code = ExitCode::FAILURE;
        }
    }
    code
}

/// A frame with the bytes in front of it that its target reads.
fn input(target: &str, choice: u8, frame: &[u8]) -> Vec<u8> {
    let head: &[u8] = if target == "leak" { &[choice, 0, 0, 0, 0] } else { &[choice] };
    [head, frame].concat()
}

fn drive(name: &str, what: &str, run: fn(&[u8]), seeds: &[Vec<u8>], executions: u64, seed: u64) -> ExitCode {
    let mut random = Random::new(seed ^ 0x5EED);
    let head = if name == "leak" { 5 } else { 1 };
    let started = Instant::now();
    let mut accepted = 0_u64;
    for number in 0..executions {
        let (one, other) = (&seeds[random.below(seeds.len())], &seeds[random.below(seeds.len())]);
        let (first, frame) = one.split_at(head);
        let mut frame = frame.to_vec();
        // The planted value of `leak` needs whole frames, the others broken ones.
        if number >= seeds.len() as u64 && (name != "leak" || random.below(3) == 0) {
            mutate(&mut frame, &other[head..], &mut random);
        }
        let mut bytes = first.to_vec();
        bytes.iter_mut().skip(1).for_each(|byte| *byte = random.byte());
        bytes.extend_from_slice(&frame);
        let is_frame = !matches!(name, "import_spec" | "layout" | "rows");
        accepted += u64::from(is_frame && targets::dialect(first[0]).decode(&frame).is_ok());
        if catch_unwind(AssertUnwindSafe(|| run(&bytes))).is_err() {
            let path = format!("artifacts/{name}-{seed}-{number}");
            let kept = std::fs::create_dir_all("artifacts").and_then(|()| std::fs::write(&path, &bytes));
            eprintln!("{name} {what}: input {number} of seed {seed} broke it ({path}, {kept:?})");
            return ExitCode::FAILURE;
        }
    }
    let seconds = started.elapsed().as_secs_f64();
    println!("{name} {what}: {executions} inputs, {accepted} of them decoded, {seconds:.1} s");
    ExitCode::SUCCESS
}
