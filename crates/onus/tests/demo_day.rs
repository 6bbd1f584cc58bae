//! The demo day, imported by the binary, against the truth about it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may")]

mod installation;

use std::collections::{BTreeMap, BTreeSet};

use installation::{Installation, day_archive, truth};
use onus_model::BreakClass;
use onus_reconcile::diversion::{CLASSES, DiversionFlag, DiversionGroup, DiversionOrder, DivertedBreak, groups};
use onus_store::diversions::{self as diverted, DivertedBy};
use onus_store::{Scope, Store};
use serde_json::Value;

/// Date, terminal, batch, trace number.
type Key = (String, String, String, String);
type TruthRow = BTreeMap<String, String>;

fn padded(text: &str) -> String {
    format!("{:0>6}", text.trim())
}

fn truth_key(row: &TruthRow) -> Key {
    (row["date"].clone(), row["tid"].trim().to_owned(), padded(&row["batch"]), padded(&row["stan"]))
}

fn said_key(row: &Value) -> Key {
    let text = |name: &str| row[name].as_str().unwrap_or_else(|| panic!("no {name} in {row}"));
    (text("date").to_owned(), text("tid").trim().to_owned(), padded(text("batch")), padded(text("stan")))
}

fn agent_share(row: &Value) -> i64 {
    row["shares"]["agent"].as_i64().unwrap_or_default()
}

/// How an export compares with the truth.
#[derive(Debug, Default)]
struct Score {
    truth: usize,
    missing: Vec<(Key, String)>,
    extra: Vec<(Key, String)>,
    kind_exact: usize,
    cause_exact: usize,
    outward_right: usize,
    shares_exact: usize,
    innocent_charged: Vec<(Key, i64)>,
}

impl Score {
    fn of(truth: &[TruthRow], said: Vec<Value>) -> Self {
        let mut score = Self::default();
        // A payment can have several kinds, and payments that were never sent share the trace number 000000.
        let mut by_key: BTreeMap<Key, Vec<Value>> = BTreeMap::new();
        for row in said {
            by_key.entry(said_key(&row)).or_default().push(row);
        }
        for wanted in truth {
            score.truth += 1;
            let key = truth_key(wanted);
            let said = by_key.entry(key.clone()).or_default();
            if said.is_empty() {
                score.missing.push((key, wanted["kind"].clone()));
                continue;
            }
            let same_kind = said.iter().position(|row| row["kind"] == wanted["kind"].as_str());
            let found = said.remove(same_kind.unwrap_or_default());
            score.compare(&key, wanted, &found);
        }
        for (key, row) in by_key.into_iter().flat_map(|(key, rows)| rows.into_iter().map(move |row| (key.clone(), row)))
        {
            if agent_share(&row) > 0 {
                score.innocent_charged.push((key.clone(), agent_share(&row)));
            }
            score.extra.push((key, row["kind"].to_string()));
        }
        score
    }

    fn compare(&mut self, key: &Key, wanted: &TruthRow, found: &Value) {
        self.kind_exact += usize::from(found["kind"] == wanted["kind"].as_str());
        self.cause_exact += usize::from(found["cause"] == wanted["cause"].as_str());
        self.outward_right += usize::from(found["outward"].as_str().unwrap_or("none") == wanted["outward"]);
        let shares: BTreeMap<String, i64> = match wanted["final_shares"].as_str() {
            "" | "none" => BTreeMap::new(),
            text => text
                .split(';')
                .map(|part| part.split_once(':').map(|(party, bp)| (party.to_owned(), bp.parse().unwrap())).unwrap())
                .collect(),
        };
        self.shares_exact += usize::from(found["shares"] == serde_json::json!(shares));
        if agent_share(found) > 0 && shares.get("agent").copied().unwrap_or_default() == 0 {
            self.innocent_charged.push((key.clone(), agent_share(found)));
        }
    }

    fn ratio(&self, part: usize) -> f64 {
        f64::from(u32::try_from(part).unwrap()) / f64::from(u32::try_from(self.truth).unwrap())
    }
}

#[test]
fn the_demo_day_is_judged_as_it_was_made() {
    let store = Installation::empty();
    let imported = store.import(&day_archive()).expect_code(0).json();
    assert!(
        imported["files"].as_array().unwrap().iter().all(|file| file["rejected"] == 0 && file["failed"] == false),
        "{imported}"
    );
    let truth = truth();

    let score = Score::of(&truth["payments.csv"], store.export("exceptions").lines());
    println!(
        "{} exceptions, kind {:.4}, cause {:.4}, outward {:.4}, shares {:.4}",
        score.truth,
        score.ratio(score.kind_exact),
        score.ratio(score.cause_exact),
        score.ratio(score.outward_right),
        score.ratio(score.shares_exact),
    );
    assert!(score.truth > 1000, "the truth is there");
    assert!(score.missing.is_empty(), "missing: {:?}", score.missing);
    assert!(score.extra.is_empty(), "invented: {:?}", score.extra);
    assert!(score.innocent_charged.is_empty(), "innocent agents: {:?}", score.innocent_charged);
    assert!(score.ratio(score.kind_exact) >= 0.99);
    assert!(score.ratio(score.cause_exact) >= 0.99);
    assert!(score.ratio(score.outward_right) >= 0.99);
    assert!(score.ratio(score.shares_exact) >= 0.99);

    breaks_are_those_of_the_truth(&truth["breaks.csv"], &store.export("breaks").lines());
    tampered_terminals_are_found(&truth["terminals.csv"], &store.export("terminals").lines());
    let verified = store.onus(&["verify", "--format", "json"]).expect_code(0).json();
    assert_eq!(verified["sound"], true);
}

fn breaks_are_those_of_the_truth(truth: &[TruthRow], said: &[Value]) {
    let mut wanted: Vec<_> = truth.iter().map(|row| (truth_key(row), row["class"].clone())).collect();
    let mut found: Vec<_> =
        said.iter().map(|row| (said_key(row), row["coarse"].as_str().unwrap().to_owned())).collect();
    wanted.sort();
    found.sort();
    println!("{} breaks", wanted.len());
    assert!(!wanted.is_empty());
    let only = |one: &[(Key, String)], other: &[(Key, String)]| {
        one.iter().filter(|row| other.binary_search(row).is_err()).cloned().collect::<Vec<_>>()
    };
    assert_eq!(wanted, found, "missed {:?}, false {:?}", only(&wanted, &found), only(&found, &wanted));
}

fn tampered_terminals_are_found(truth: &[TruthRow], said: &[Value]) {
    let wanted: BTreeSet<&str> =
        truth.iter().filter(|row| row["tampered"] == "Y").map(|row| row["serial"].as_str()).collect();
    let called = |row: &&Value| matches!(row["state"].as_str().unwrap(), "quarantined" | "tampered" | "suspect");
    let found: BTreeSet<&str> = said.iter().filter(called).map(|row| row["serial"].as_str().unwrap()).collect();
    println!("{} tampered terminals", wanted.len());
    assert!(!wanted.is_empty());
    assert_eq!(found, wanted);
}

/// Groups of diverted payments on the demo day, as the server ranks them.
fn diversions(store: &Installation, by: DivertedBy, order: DiversionOrder) -> Vec<DiversionGroup> {
    let opened = Store::open(store.database().to_str().unwrap()).unwrap();
    let scope = Scope::all("acquirer");
    let classes: Vec<&str> = CLASSES.iter().map(|class| class.as_str()).collect();
    let (rows, totals) =
        opened.read(|tx| Ok((diverted::breaks(tx, &scope, by, &classes)?, diverted::totals(tx, &scope, by)?))).unwrap();
    let breaks: Vec<_> = rows
        .iter()
        .map(|row| DivertedBreak {
            payment: &row.payment_id,
            class: BreakClass::parse(&row.class).unwrap(),
            group: &row.group,
            tid: &row.tid,
            merchant: &row.merchant_code,
            agent: &row.agent_code,
            account: &row.account,
            amount_minor: row.amount_minor,
            difference_minor: row.difference_minor,
            account_changed_days: row.account_changed_at.map(|at| (row.started_at - at) / 86_400_000_000),
        })
        .collect();
    groups(&breaks, totals.as_ref(), order, 7).unwrap()
}

/// Yichang (accounts changed with the credentials of A0203) took the most money; both Hunan stories (A0301, A0302)
/// come next, and the agent with wrong merchant categories last. Nobody else is there.
#[test]
fn the_stories_stand_at_the_top_of_the_diversions() {
    let store = Installation::with_demo_day();
    let truth = truth();
    let agents_of = |incident: &str| -> BTreeSet<String> {
        let hit = truth["payments.csv"].iter().filter(|row| row["incident"] == incident);
        hit.map(|row| row["agent_code"].clone()).collect()
    };
    assert_eq!(agents_of("INC-YICHANG"), ["A0203".to_owned()].into());
    assert_eq!(agents_of("INC-HUNAN-AGENT"), ["A0301".to_owned()].into());
    assert_eq!(agents_of("INC-HUNAN-OUTSIDER"), ["A0302".to_owned()].into());
    for by in [DivertedBy::Agent, DivertedBy::Maintainer] {
        let found = diversions(&store, by, DiversionOrder::Money);
        for it in &found {
            println!("{by:?} {} {} payments {} fen {:?}", it.key, it.payments, it.stake_minor, it.peers);
        }
        let keys: Vec<&str> = found.iter().map(|it| it.key.as_str()).collect();
        assert_eq!(keys, ["A0203", "A0301", "A0302", "A0502"], "{by:?}");
        assert!(found[..3].iter().all(|it| it.surprise_milli() > 3000), "{by:?}");
    }

    let accounts = diversions(&store, DivertedBy::Account, DiversionOrder::Money);
    for it in &accounts {
        println!("{} {} payments {} merchants {} fen", it.key, it.payments, it.merchants, it.stake_minor);
    }
    // Two accounts of Yichang, then one for each Hunan story; each collects from many merchants of one agent.
    assert_eq!(accounts.len(), 4);
    for it in &accounts {
        assert!(it.merchants > 1 && it.agents == 1 && it.peers.is_none());
        assert!(it.flags.contains(&DiversionFlag::OneAccountManyMerchants));
        println!("{} {:?}", it.key, it.flags);
    }
    // In Yichang the accounts were brought in with an agent's credentials shortly before the money went there.
    assert!(accounts[..2].iter().all(|it| it.flags.contains(&DiversionFlag::AccountJustChanged)));
    assert!(accounts[2..].iter().all(|it| !it.flags.contains(&DiversionFlag::AccountJustChanged)));

    let hit: BTreeSet<&str> = truth["payments.csv"]
        .iter()
        .filter(|row| matches!(row["incident"].as_str(), "INC-YICHANG" | "INC-HUNAN-AGENT" | "INC-HUNAN-OUTSIDER"))
        .map(|row| row["tid"].as_str())
        .collect();
    let terminals = diversions(&store, DivertedBy::Terminal, DiversionOrder::Money);
    let robbed: BTreeSet<&str> = terminals.iter().filter(|it| it.stake_minor > 0).map(|it| it.key.as_str()).collect();
    assert_eq!(robbed, hit);
}

#[test]
fn an_archive_and_its_folder_come_to_the_same() {
    let archive = Installation::empty_with_shared_key();
    archive.import(&day_archive()).expect_code(0);
    installation::assert_same(&archive.dump(), &Installation::with_demo_day().dump(), "archive and folder");
}
