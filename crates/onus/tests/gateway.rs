//! A gateway in the binary: traffic goes through it, its journal becomes payments, exceptions and evidence.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may")]

mod installation;

use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use installation::{Installation, command, onus, scratch};
use onus_simulator::account::Account;
use onus_simulator::fault::{Fault, FaultKind, FaultPlan};
use onus_simulator::host::{Host, HostConfig};
use onus_simulator::terminal::{Outcome, Terminal, TerminalConfig};
use serde_json::Value;

/// A running `onus serve --role gateway`; killed when dropped.
struct Serving {
    child: Child,
    address: SocketAddr,
}

impl Serving {
    fn start(store: &Installation, config: &Path) -> Serving {
        let mut child = command()
            .args(["serve", "--role", "gateway", "--config", config.to_str().unwrap()])
            .args(["--store", store.path().to_str().unwrap()])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let line = lines.next().expect("the gateway says where it listens").unwrap();
        let address = line.strip_prefix("gateway listening on ").expect(&line).parse().unwrap();
        Serving { child, address }
    }

    /// Ends it as a service manager does.
    fn terminate(mut self) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        assert_eq!(self.child.wait().unwrap().code(), Some(0));
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn config(folder: &Path, host: SocketAddr) -> PathBuf {
    let path = folder.join("gateway.toml");
    let journal = folder.join("not/there/yet");
    let text = format!(
        "name = \"east\"\n[terminals]\nlisten = \"127.0.0.1:0\"\n[upstream]\n[[upstream.hosts]]\nname = \"posp\"\n\
         address = \"{host}\"\n[journal]\nfolder = {journal:?}\n\
         [follow]\nhost_timeout_ms = 600\ngrace_ms = 200\nreversal_timeout_ms = 500\nretry_ms = 200\nlinger_ms = 600000\n\
         [[gate]]\nname = \"terminal-known\"\ntest = \"known\"\nact = \"refuse\"\ncode = \"97\"\nwhen_unknown = \"open\"\n"
    );
    std::fs::write(&path, text).unwrap();
    path
}

/// The host declines what terminal 2 wants and says nothing to terminal 3.
async fn host() -> Host {
    let faults = vec![
        Fault::always(FaultKind::Decline).codes(&[("51", 1)]).at("90000002"),
        Fault::always(FaultKind::Silence).at("90000003"),
    ];
    let config = HostConfig { faults: FaultPlan::of(1, faults), ..HostConfig::default() };
    Host::start(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), config).await.unwrap()
}

async fn sell(number: u32, gateway: SocketAddr) -> Outcome {
    let config = TerminalConfig { timeout: Duration::from_secs(4), ..TerminalConfig::of(number, gateway) };
    let mut terminal = Terminal::new(config, &Account::off());
    let purchase = terminal.some_purchase();
    terminal.sale(purchase).await.outcome
}

fn status(store: &Installation) -> Value {
    let lines = store.onus(&["gateway", "status", "--format", "json"]).expect_code(0).lines();
    assert_eq!(lines.len(), 1, "one gateway");
    lines.into_iter().next().unwrap()
}

fn facts(store: &Installation, id: &str) -> String {
    store.onus(&["explain", id, "--format", "json"]).expect_code(0).out
}

#[tokio::test(flavor = "multi_thread")]
async fn live_traffic_becomes_payments_and_evidence() {
    let (store, folder, host) = (Installation::empty(), scratch(), host().await);
    let config = config(folder.path(), host.address());
    let serving = Serving::start(&store, &config);
    assert_eq!(sell(1, serving.address).await, Outcome::Approved);
    assert_eq!(sell(2, serving.address).await, Outcome::Declined(*b"51"));
    assert_eq!(sell(3, serving.address).await, Outcome::TimedOut);
    serving.terminate();

    let said = status(&store);
    assert_eq!((&said["instance"], &said["status"]["stopped"]), (&Value::from("east"), &Value::from(true)));
    let counts = &said["status"]["stats"]["counts"];
    assert_eq!((&counts["passed_open"], &counts["no_replies"]), (&Value::from(3), &Value::from(1)), "{counts:#}");
    let (payments, files): (i64, String) = store
        .open()
        .query_row("select (select count(*) from payments), (select group_concat(name) from files)", [], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .unwrap();
    assert_eq!((payments, files.as_str()), (3, "gateway/east/tap-0000000001.closed.tap"));

    let exceptions = store.export("exceptions").lines();
    let of = |tid: &str| exceptions.iter().find(|row| row["tid"] == tid).unwrap_or_else(|| panic!("{exceptions:#?}"));
    assert_eq!(exceptions.len(), 2, "{exceptions:#?}");
    assert_eq!((&of("90000002")["kind"], &of("90000003")["kind"]), (&Value::from("K2"), &Value::from("K4")));
    let declined = facts(&store, of("90000002")["id"].as_str().unwrap());
    assert!(declined.contains("code.written_by") && declined.contains("\"host\""), "{declined}");
    assert!(declined.contains("gateway/east/tap-0000000001.closed.tap@"), "{declined}");
    let silent = facts(&store, of("90000003")["id"].as_str().unwrap());
    assert!(!silent.contains("wire.forwarded"), "what the host did is not known: {silent}");
    store.onus(&["verify"]).expect_code(0);

    // Once more: what was imported is left alone.
    let before = store.dump();
    let serving = Serving::start(&store, &config);
    serving.terminate();
    let after = store.dump();
    assert_eq!(before["payments"], after["payments"]);
    assert_eq!(before["exceptions"], after["exceptions"]);
    assert_eq!(before["log_entries"], after["log_entries"]);
}

#[test]
fn what_is_missing_for_a_gateway_is_said() {
    let store = Installation::empty();
    let path = store.path().to_str().unwrap();
    let table: [(&[&str], &str); 4] = [
        (&["--role", "gateway"], "--config FILE"),
        (&["--role", "server", "--config", "x.toml"], "--role all"),
        (&["--config", "not-there.toml"], "docs/examples/gateway.toml"),
        (&["--role", "all"], "docs/examples/gateway.toml"),
    ];
    for (args, expected) in table {
        let run = onus(["serve", "--store", path].into_iter().chain(args.iter().copied())).expect_code(1);
        assert!(run.err.contains(expected), "{args:?}: {}", run.err);
    }
    let none = store.onus(&["gateway", "status"]).expect_code(0).out;
    assert!(none.contains("onus serve --config"), "{none}");
}
