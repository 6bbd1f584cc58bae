//! What must still come, what is overdue, what came late.

use std::collections::BTreeSet;

use onus_store::expectations::{self, ExpectationFilter, ExpectationRow, Judged, Standing};
use onus_store::{PageRequest, Scope};

use crate::Db;
use crate::fixture::{self, HOUR, TENANTS, owner, payment_id, started_at};

const N: i64 = 20;
const LEGS: [&str; 2] = ["clearing", "payout"];

fn row(i: i64, leg: &str) -> ExpectationRow {
    ExpectationRow {
        payment_id: payment_id(i),
        leg: leg.into(),
        rule_id: format!("{leg}-after"),
        since_at: started_at(i),
        due_at: started_at(i) + HOUR,
        class: "SWITCH_ONLY".into(),
        amount_minor: 100 * (i + 1),
        tid: format!("T{:07}", i % 6),
        merchant_code: format!("M{}", i % 5),
        agent_code: owner(i).into(),
        ..ExpectationRow::default()
    }
}

fn all() -> Vec<ExpectationRow> {
    (0..N).flat_map(|i| LEGS.map(|leg| row(i, leg))).collect()
}

fn settle(db: &Db, tenant: &str, open: &[ExpectationRow], there: &[&'static str], now: i64) {
    let ids: Vec<String> = (0..N).map(payment_id).collect();
    let payments = ids.iter().map(|id| (id.as_str(), there.to_vec())).collect();
    let judged = Judged { payments, open };
    db.store.write(|tx| expectations::settle(tx, tenant, &judged, now)).unwrap();
}

fn listed(db: &Db, scope: &Scope, wanted: &ExpectationFilter, now: i64) -> Vec<ExpectationRow> {
    let mut request = PageRequest::first(7);
    let mut found = Vec::new();
    loop {
        let page = db.store.read(|tx| expectations::list(tx, scope, wanted, now, &request)).unwrap();
        found.extend(page.items);
        request.cursor = page.next_cursor;
        if request.cursor.is_none() {
            return found;
        }
    }
}

pub(crate) fn expectations_keep_to_their_scope(db: &Db) {
    fixture::fill(db);
    for tenant in TENANTS {
        settle(db, tenant, &all(), &[], 0);
    }
    let now = started_at(8) + HOUR;
    let scopes = [
        (Scope::all("bank"), ["A1", "A2", "A3", "B1", ""].as_slice()),
        (Scope::subtree("bank", "A2"), &["A2", "A3"]),
        (Scope::subtree("bank", "nobody"), &[]),
        (Scope::all("nowhere"), &[]),
    ];
    for (scope, agents) in scopes {
        for standing in [None, Some(Standing::Awaited), Some(Standing::Overdue), Some(Standing::Late)] {
            for leg in [None, Some("payout")] {
                let wanted = ExpectationFilter { leg: leg.map(str::to_owned), standing, agent: None };
                let found = listed(db, &scope, &wanted, now);
                let mut expected = all();
                expected.retain(|row| {
                    agents.contains(&row.agent_code.as_str())
                        && leg.is_none_or(|leg| row.leg == leg)
                        && standing.is_none_or(|standing| row.standing(now) == standing)
                });
                expected.sort_by_key(|row| (row.due_at, row.payment_id.clone(), row.leg.clone()));
                assert_eq!(found, expected, "{scope:?} {standing:?} {leg:?}");
            }
        }
        let sums = db.store.read(|tx| expectations::summary(tx, &scope, now, &[HOUR / 5, HOUR])).unwrap();
        for sum in &sums {
            let of_sum = |row: &&ExpectationRow| {
                let age = if sum.standing == Standing::Awaited { row.due_at - now } else { now - row.due_at };
                let band = i64::from(age >= HOUR / 5) + i64::from(age >= HOUR);
                (row.leg.as_str(), row.standing(now), band) == (sum.leg.as_str(), sum.standing, sum.band)
                    && agents.contains(&row.agent_code.as_str())
            };
            let rows = all();
            let mine: Vec<_> = rows.iter().filter(of_sum).collect();
            let amount: i64 = mine.iter().map(|row| row.amount_minor).sum();
            assert_eq!((sum.count, sum.amount_minor), (mine.len() as i64, amount), "{sum:?}");
        }
        let total: i64 = sums.iter().map(|sum| sum.count).sum();
        assert_eq!(total, listed(db, &scope, &ExpectationFilter::default(), now).len() as i64);
    }
    let below = ExpectationFilter { agent: Some("A2".into()), ..ExpectationFilter::default() };
    let agents: BTreeSet<String> =
        listed(db, &Scope::all("bank"), &below, now).into_iter().map(|row| row.agent_code).collect();
    assert_eq!(agents, ["A2", "A3"].map(str::to_owned).into());
}

pub(crate) fn what_comes_late_keeps_its_age(db: &Db) {
    let scope = Scope::all("bank");
    let everything = ExpectationFilter::default();
    settle(db, "bank", &all(), &[], 0);
    let stored = listed(db, &scope, &everything, 0);
    settle(db, "bank", &all(), &[], 0);
    assert_eq!(listed(db, &scope, &everything, 0), stored, "settling again changes nothing");

    let now = started_at(8) + HOUR;
    let due = |tx: &mut onus_store::Tx<'_>| expectations::due_legs(tx, "bank", now);
    assert_eq!(db.store.read(due).unwrap(), LEGS);
    assert_eq!(db.store.write(|tx| expectations::mark_overdue(tx, "bank", now)).unwrap(), 24);
    assert_eq!(db.store.write(|tx| expectations::mark_overdue(tx, "bank", now + 1)).unwrap(), 0);
    assert!(db.store.read(due).unwrap().is_empty());

    // Clearing comes for all: late for twelve payments, in time for the others. Payouts are awaited as before.
    let payouts: Vec<_> = all().into_iter().filter(|row| row.leg == "payout").collect();
    let later = now + HOUR / 10;
    settle(db, "bank", &payouts, &["clearing"], later);
    for _ in 0..2 {
        let found = listed(db, &scope, &everything, later);
        let late: Vec<_> = found.iter().filter(|row| row.standing(later) == Standing::Late).collect();
        assert_eq!(late.len(), 12);
        assert!(late.iter().all(|row| row.leg == "clearing" && row.met_at == Some(later)));
        assert!(late.iter().all(|row| row.overdue_at == Some(now)), "when it was found overdue first");
        assert_eq!(found.len(), 12 + payouts.len());
        settle(db, "bank", &payouts, &["clearing"], later + 5);
    }

    // What is no longer expected, without having come, is removed; what came late is forgotten in the end.
    settle(db, "bank", &[], &["clearing"], later + 5);
    assert_eq!(listed(db, &scope, &everything, later).len(), 12);
    db.store.write(|tx| expectations::forget(tx, "bank", i64::MAX)).unwrap();
    assert!(listed(db, &scope, &everything, later).is_empty());
}
