//! The gateway alone, for measurements and for the test that kills it: `relay CONFIG.toml [REGISTER.json]`.

use std::process::ExitCode;

use onus_gateway::snapshot::{Snapshot, SnapshotRows};
use onus_gateway::{Config, Gateway, SnapshotSource, SystemClock};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match run(&arguments) {
        Ok(gateway) => {
            println!("gateway listens on {}", gateway.local_addr());
            loop {
                std::thread::park();
            }
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[String]) -> Result<Gateway, Box<dyn std::error::Error>> {
    let config = arguments.first().ok_or("usage: relay CONFIG.toml [REGISTER.json]")?;
    let config = Config::from_toml(&std::fs::read_to_string(config)?)?;
    let clock = SystemClock::shared();
    let snapshots = match arguments.get(1) {
        None => SnapshotSource::default(),
        Some(register) => {
            let rows: SnapshotRows = serde_json::from_str(&std::fs::read_to_string(register)?)?;
            SnapshotSource::new(Snapshot::build(1, clock.now(), &rows)?)
        }
    };
    Ok(Gateway::start(config, snapshots, clock)?)
}
