//! What is awaited becomes a break when its time is up, without any new record.

#![allow(clippy::unwrap_used, reason = "a test may")]

mod installation;

use std::path::Path;

use installation::Installation;
use onus_evidence::SigningKey;
use onus_model::Instant;
use onus_store::Store;
use onus_store::vault::Vault;
use onus_worker::{Importer, JudgeReport};

const EVENING: &str = "2026-09-21T23:30:00+08:00";
const LATER: &str = "2026-10-12T09:00:00+08:00";

/// Lets time pass in an installation.
fn pass(folder: &Path, to: &str) -> Option<JudgeReport> {
    let store = Store::open(&format!("sqlite:{}", folder.join("onus.db").display())).unwrap();
    let vault = Vault::open(folder.join("vault")).unwrap();
    let key = std::fs::read_to_string(folder.join("acquirer.evidence.key")).unwrap();
    let key = SigningKey::from_secret_text(key.trim()).unwrap();
    let tenant = store.read(|tx| onus_store::tenants::by_id(tx, "acquirer")).unwrap().unwrap();
    let importer = Importer::new(&store, &vault, &key, tenant, Instant::parse(to).unwrap()).unwrap();
    importer.judge_due(&()).unwrap()
}

fn standing(store: &Installation, as_of: &str, standing: &str) -> usize {
    let listed = ["expectations", "--as-of", as_of, "--standing", standing, "--format", "jsonl"];
    store.onus(&listed).expect_code(0).lines().len()
}

#[test]
fn what_is_missing_at_its_deadline_becomes_a_break() {
    let store = Installation::empty();
    let day = installation::day();
    store.onus(&["import", day.to_str().unwrap(), "--as-of", EVENING]).expect_code(0);
    let is_payout = |class: &serde_json::Value| class == "MISSING_PAYOUT" || class == "LATE_PAYOUT";
    let unpaid = || store.export("breaks").lines().iter().filter(|row| is_payout(&row["coarse"])).count();
    let (before, awaited) = (unpaid(), standing(&store, EVENING, "awaited"));
    assert!(awaited > 0, "the evening of the day awaits payouts");
    assert!(pass(store.path(), EVENING).is_none(), "nothing became due since the import");

    assert!(pass(store.path(), LATER).is_some(), "payouts became due");
    assert!(unpaid() > before, "{before} payouts broken before");
    assert!(standing(&store, LATER, "overdue") > 0);
    assert_eq!(standing(&store, LATER, "awaited"), 0);
    assert!(pass(store.path(), LATER).is_none(), "what was judged is not judged again");

    let at_once = Installation::empty();
    at_once.onus(&["import", day.to_str().unwrap(), "--as-of", LATER]).expect_code(0);
    for what in ["breaks", "terminals"] {
        assert_eq!(store.export(what).lines(), at_once.export(what).lines(), "{what}");
    }
}
