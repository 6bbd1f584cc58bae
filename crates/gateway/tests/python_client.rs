//! A client that shares nothing with this repository: pyiso8583 writes the messages and reads the replies.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, reason = "a test may")]

mod setup;

use std::path::{Path, PathBuf};
use std::process::Command;

use onus_intake::tap::Record;
use onus_simulator::account::Event;
use onus_simulator::host::{Host, HostConfig};
use onus_simulator::message::Kind;

/// Version that the test was written for.
const PYISO8583: &str = "pyiso8583==4.0.1";

/// A Python with pyiso8583, kept in the target folder; says why not when there is none.
fn python() -> Result<PathBuf, String> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("pyiso8583");
    let python = folder.join("bin/python");
    let works = |python: &Path| {
        Command::new(python).args(["-c", "import iso8583"]).output().is_ok_and(|output| output.status.success())
    };
    if works(&python) {
        return Ok(python);
    }
    let run = |command: &mut Command| {
        let output = command.output().map_err(|error| format!("{command:?}: {error}"))?;
        let told = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        if output.status.success() { Ok(()) } else { Err(format!("{command:?}: {told}")) }
    };
    run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder))?;
    run(Command::new(&python).args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", PYISO8583]))?;
    if works(&python) { Ok(python) } else { Err("pyiso8583 does not start after pip installed it".to_owned()) }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pyiso8583_drives_the_gateway() {
    let python = match tokio::task::spawn_blocking(python).await.expect("pip") {
        Ok(python) => python,
        Err(why) => return println!("not tested: no pyiso8583 here: {why}"),
    };
    // The script has no keys: the host takes any MAC and gives none of worth.
    let host = HostConfig { check_mac: false, seal: false, ..HostConfig::default() };
    let host = Host::start(setup::anywhere(), host).await.expect("a host");
    let folder = tempfile::tempdir().expect("a folder");
    let gateway = setup::start(setup::config(host.address(), folder.path()));
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/python_client.py");
    let port = gateway.local_addr().port().to_string();
    let client =
        tokio::task::spawn_blocking(move || Command::new(python).arg(script).args(["127.0.0.1", &port, "60"]).output());
    let output = client.await.expect("a client").expect("python");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));

    let text = String::from_utf8(output.stdout).expect("text");
    let replies: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(replies.len(), 60);
    assert!(replies.iter().all(|reply| reply["code"] == "00"), "{text}");
    assert_eq!(
        (&replies[0]["mti"], &replies[1]["mti"], &replies[2]["mti"]),
        (&"0810".into(), &"0830".into(), &"0210".into())
    );
    assert_eq!(replies[2]["amount"], "000000000103");

    let sales = host.account().find(|line| line.event == Event::Received && line.kind == Kind::Sale);
    assert_eq!(sales.len(), 58);
    assert!(sales.iter().all(|sale| sale.tid == "97000001" && sale.amount_minor == 100 + u64::from(sale.trace)));
    gateway.shutdown();
    let tap = setup::Tap::read(folder.path());
    assert_eq!(tap.count(|record| matches!(record, Record::Request { carried: false, .. })), 60);
    assert_eq!(tap.count(|record| matches!(record, Record::Delivered { .. })), 60);
    assert!(!tap.has(|record| matches!(record, Record::Undecodable { .. })));
}
