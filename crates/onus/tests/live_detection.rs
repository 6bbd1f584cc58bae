//! Live detection in the binary: two gateways in two processes, a host that falls silent, an episode that opens by
//! itself, is confirmed and recovers. And the demo day, minute by minute.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may")]

mod installation;

use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use installation::{AS_OF, Installation, command, scratch};
use onus_simulator::account::Account;
use onus_simulator::fault::{Fault, FaultKind, FaultPlan};
use onus_simulator::host::{Host, HostConfig};
use onus_simulator::terminal::{Terminal, TerminalConfig};
use serde_json::Value;

/// A minute of detection takes two seconds.
const SPEED: &str = "30";
/// For a slow machine; nothing waits for it when all is well.
const DEADLINE: Duration = Duration::from_secs(300);

/// A running `onus serve`; killed when dropped.
struct Serving {
    child: Child,
    gateway: SocketAddr,
}

impl Serving {
    fn start(store: &Installation, role: &str, config: &Path) -> Serving {
        let mut child = command()
            .args(["serve", "--role", role, "--config", config.to_str().unwrap(), "--no-import"])
            .args(["--as-of", AS_OF, "--clock-speed", SPEED, "--listen", "127.0.0.1:0"])
            .args(["--store", store.path().to_str().unwrap()])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(|line| line.unwrap());
        let gateway = lines.find_map(|line| line.strip_prefix("gateway listening on ").map(|it| it.parse().unwrap()));
        // Whatever else it says is taken, so that it never waits for somebody to read.
        std::thread::spawn(move || lines.for_each(drop));
        Serving { child, gateway: gateway.expect("it says where terminals connect") }
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn config(folder: &Path, name: &str, host: SocketAddr) -> PathBuf {
    let (path, journal) = (folder.join(format!("{name}.toml")), folder.join(name));
    let text = format!(
        "name = {name:?}\n[terminals]\nlisten = \"127.0.0.1:0\"\n[upstream]\n[[upstream.hosts]]\nname = \"posp-{name}\"\n\
         address = \"{host}\"\n[journal]\nfolder = {journal:?}\ndurability = \"async\"\n\
         [follow]\nhost_timeout_ms = 400\ngrace_ms = 3000\nreversal_timeout_ms = 9000\nretry_ms = 9000\nlinger_ms = 60000\n"
    );
    std::fs::write(&path, text).unwrap();
    path
}

async fn host() -> Host {
    Host::start(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), HostConfig::default()).await.unwrap()
}

/// Terminals that sell until they are told to stop.
fn sell(numbers: std::ops::Range<u32>, gateway: SocketAddr, over: &Arc<AtomicBool>) {
    for number in numbers {
        let over = Arc::clone(over);
        tokio::spawn(async move {
            let config = TerminalConfig { timeout: Duration::from_millis(900), ..TerminalConfig::of(number, gateway) };
            let mut terminal = Terminal::new(config, &Account::off());
            while !over.load(Ordering::Relaxed) {
                let purchase = terminal.some_purchase();
                terminal.sale(purchase).await;
                tokio::time::sleep(Duration::from_millis(150)).await;
            }
        });
    }
}

/// Live episodes with their scope and body.
fn episodes(store: &Installation) -> Vec<(String, Value, Value)> {
    let connection = store.open();
    let mut found =
        connection.prepare("select id, scope, body from episodes where origin = 'live' order by id").unwrap();
    let rows = found.query_map([], |row| {
        let json = |column| row.get::<_, String>(column).map(|text| serde_json::from_str(&text).unwrap());
        Ok((row.get(0)?, json(1)?, json(2)?))
    });
    rows.unwrap().map(Result::unwrap).collect()
}

/// Minutes that detection holds with payments of both gateways.
fn minutes_of_both(store: &Installation) -> i64 {
    let sql = "select count(*) from (select minute from live_minutes group by minute having count(*) > 1)";
    store.open().query_row(sql, [], |row| row.get(0)).unwrap()
}

async fn until(what: &str, store: &Installation, is: impl Fn(&Installation) -> bool) {
    let began = Instant::now();
    while !is(store) {
        assert!(began.elapsed() < DEADLINE, "{what} did not come: {:#?}", episodes(store));
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
}

fn has_state(store: &Installation, state: &str) -> bool {
    let steps = |body: &Value| body["steps"].as_array().unwrap().iter().any(|step| step["state"] == state);
    episodes(store).iter().any(|(_, _, body)| steps(body))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_host_is_an_episode_by_itself() {
    let (store, folder) = (Installation::empty(), scratch());
    let hosts = [host().await, host().await];
    let east = Serving::start(&store, "all", &config(folder.path(), "east", hosts[0].address()));
    let west = Serving::start(&store, "gateway", &config(folder.path(), "west", hosts[1].address()));
    let over = Arc::new(AtomicBool::new(false));
    sell(0..8, east.gateway, &over);
    sell(100..108, west.gateway, &over);
    until("some quiet minutes", &store, |store| minutes_of_both(store) >= 5).await;
    assert_eq!(episodes(&store), []);

    hosts[1].set_faults(FaultPlan::of(1, vec![Fault::always(FaultKind::Silence)]));
    until("a confirmed episode", &store, |store| has_state(store, "confirmed")).await;
    hosts[1].set_faults(FaultPlan::none());
    until("its recovery", &store, |store| has_state(store, "recovered")).await;
    over.store(true, Ordering::Relaxed);

    let found = episodes(&store);
    assert_eq!(found.len(), 1, "{found:#?}");
    let (id, scope, body) = &found[0];
    assert_eq!(scope["acquirer_link"], serde_json::json!(["posp-west"]), "{scope}");
    assert!(scope.as_object().unwrap().keys().all(|key| key == "acquirer_link" || key == "amount"), "{scope}");
    assert_eq!(body["steps"][0]["state"], "suspected");
    let listed = store.onus(&["episodes", "--lang", "en"]).expect_code(0).out;
    assert!(listed.contains(id.as_str()) && listed.contains("posp-west"), "{listed}");
    let alarms = store.onus(&["episodes", "--alarms", "--format", "jsonl"]).expect_code(0).lines();
    assert!(alarms.iter().any(|it| it["layer"] == "acquirer_link" && it["cell"] == "posp-west"), "{alarms:#?}");
    let judged: i64 = store.open().query_row("select count(*) from exceptions", [], |row| row.get(0)).unwrap();
    assert_eq!(judged, 0, "an episode charges nobody");
}

/// The Shiyan line of the demo day, with the clock stepped by the minute: open within minutes of its twentieth failure,
/// with the line as its scope, and nothing that is not true.
#[test]
fn the_demo_day_minute_by_minute() {
    let store = Installation::with_demo_day();
    let args = ["episodes", "--replay", "store", "--watch", "--as-of", AS_OF, "--format", "jsonl"];
    let watched = store.onus(&args).expect_code(0).lines();
    let line = watched.iter().find(|it| it["scope"]["network_link"] == serde_json::json!(["211"]));
    let line = line.unwrap_or_else(|| panic!("{watched:#?}"));
    assert_eq!(line["cause"], "NET.UP", "{line:#}");
    assert!(line["opened_after_twentieth_s"].as_i64().unwrap() <= 300, "{line:#}");
    assert!(line["confirmed"].is_string() && line["recovered"].is_string(), "{line:#}");
    assert_eq!(line["scope"]["amount"], serde_json::json!(["< 500.00"]), "the line carries small payments alone");
    // The acquirer's line by its name, not by what its payments share; and an issuer whose host is down answers slowly.
    let silent: Vec<_> = watched.iter().filter(|it| it["id"].as_str().unwrap().contains("acquirer_silent")).collect();
    assert!(silent.iter().all(|it| it["scope"].get("entry_mode").is_none()), "{silent:#?}");
    let args = ["episodes", "--replay", "store", "--watch", "--as-of", AS_OF, "--lang", "en"];
    let table = store.onus(&args).expect_code(0).out;
    assert!(table.lines().any(|line| line.contains(" slow ") && line.contains("issuer")), "{table}");
    let found = store.onus(&["episodes", "--format", "jsonl"]).expect_code(0).lines();
    let shiyan = found.iter().find(|it| it["scope"]["network_link"] == serde_json::json!(["211"])).expect("found");
    assert_eq!(shiyan["cause"], line["cause"]);
}

/// Success with harm, out of the records of the demo day: which accounts, terminals and agents, and nothing by chance.
#[test]
fn records_raise_suspicions_to_look_at() {
    let store = Installation::with_demo_day();
    let alarms = store.onus(&["episodes", "--alarms", "--format", "jsonl"]).expect_code(0).lines();
    let count = |signal: &str, layer: &str| {
        alarms.iter().filter(|it| it["signal"] == signal && it["layer"] == layer && it["origin"] == "records").count()
    };
    assert!(count("diverted", "beneficiary_account") >= 4, "{alarms:#?}");
    assert!(count("diverted", "agent") >= 2 && count("category_mismatch", "terminal") >= 1, "{alarms:#?}");
    assert_eq!((count("unknown_program", "total"), count("fallback", "agent")), (1, 0), "{alarms:#?}");
    assert!(alarms.iter().all(|it| it["evidence_bits"].as_i64() >= it["needed_bits"].as_i64().map(|bits| bits - 1)));
    let table = store.onus(&["episodes", "--alarms", "--lang", "en"]).expect_code(0).out;
    assert!(table.contains("beneficiary_account") && table.contains("ordinarily"), "{table}");
}
