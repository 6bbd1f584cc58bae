//! Diverted payments by what they have in common.

use std::collections::{BTreeMap, BTreeSet};

use onus_store::breaks::{self, BreakRow};
use onus_store::diversions::{self, DivertedBy, DivertedGroup};
use onus_store::payments::{self, PaymentFilter};
use onus_store::registry::{self, TerminalRow};
use onus_store::{PageRequest, Scope};

use crate::Db;
use crate::fixture::{self, N_PAYMENTS, TENANTS, owner, payment_id};

const CLASSES: [&str; 2] = ["PAYOUT_DIVERTED", "MERCHANT_SWAPPED"];
const ALL: [DivertedBy; 6] = [
    DivertedBy::Terminal,
    DivertedBy::Agent,
    DivertedBy::AppVersion,
    DivertedBy::Maintainer,
    DivertedBy::Account,
    DivertedBy::Merchant,
];

/// Every fourth payment was paid to one of two accounts, every seventh names another merchant.
fn is_paid_elsewhere(i: i64) -> bool {
    i % 4 == 0
}

fn is_swapped(i: i64) -> bool {
    i % 7 == 0
}

fn fill(db: &Db) {
    fixture::fill(db);
    let row = |i: i64, class: &str, found: String, difference_minor| BreakRow {
        payment_id: payment_id(i),
        class: class.into(),
        found,
        difference_minor,
        ..BreakRow::default()
    };
    let elsewhere = (0..N_PAYMENTS)
        .filter(|&i| is_paid_elsewhere(i))
        .map(|i| row(i, "PAYOUT_DIVERTED", format!("620{}", i / 4 % 2), 99 * (i + 1)));
    let swapped = (0..N_PAYMENTS).filter(|&i| is_swapped(i)).map(|i| row(i, "MERCHANT_SWAPPED", "M9".into(), 0));
    let rows: Vec<_> = elsewhere.chain(swapped).collect();
    for tenant in TENANTS {
        db.store.write(|tx| breaks::put(tx, tenant, &rows)).unwrap();
    }
}

/// The group of a payment, as the fixture has it.
fn group_of(by: DivertedBy, i: i64, agents: &BTreeSet<&str>) -> String {
    match by {
        DivertedBy::Terminal => format!("T{:07}", i % 6),
        DivertedBy::Agent => owner(i).into(),
        DivertedBy::AppVersion => "1.4.2".into(),
        DivertedBy::Maintainer => Some(owner(i % 6)).filter(|code| agents.contains(code)).unwrap_or_default().into(),
        DivertedBy::Account => format!("620{}", i / 4 % 2),
        DivertedBy::Merchant => format!("M{}", i % 5),
    }
}

fn scopes() -> [(Scope, BTreeSet<&'static str>); 4] {
    [
        (Scope::all("bank"), ["A1", "A2", "A3", "B1", ""].into()),
        (Scope::subtree("bank", "A2"), ["A2", "A3"].into()),
        (Scope::subtree("bank", "nobody"), [].into()),
        (Scope::all("nowhere"), [].into()),
    ]
}

pub(crate) fn breaks_are_grouped_within_the_scope(db: &Db) {
    fill(db);
    for (scope, agents) in scopes() {
        let own: Vec<i64> = (0..N_PAYMENTS).filter(|&i| agents.contains(owner(i))).collect();
        for by in ALL {
            let mut expected = BTreeSet::new();
            for &i in &own {
                let group = group_of(by, i, &agents);
                if is_paid_elsewhere(i) {
                    let account = format!("620{}", i / 4 % 2);
                    expected.insert((payment_id(i), CLASSES[0].to_owned(), group.clone(), account, 99 * (i + 1)));
                }
                if is_swapped(i) {
                    let group = if by == DivertedBy::Account { String::new() } else { group };
                    expected.insert((payment_id(i), CLASSES[1].to_owned(), group, String::new(), 0));
                }
            }
            let rows = db.store.read(|tx| diversions::breaks(tx, &scope, by, &CLASSES)).unwrap();
            assert_eq!(rows.len(), expected.len());
            let found = rows.into_iter().map(|it| (it.payment_id, it.class, it.group, it.account, it.difference_minor));
            assert_eq!(found.collect::<BTreeSet<_>>(), expected, "{by:?} {scope:?}");

            let counted = db.store.read(|tx| diversions::totals(tx, &scope, by)).unwrap();
            let mut expected = BTreeMap::<String, u64>::new();
            for &i in &own {
                *expected.entry(group_of(by, i, &agents)).or_default() += 1;
            }
            expected.remove("");
            assert_eq!(counted, (by != DivertedBy::Account).then_some(expected), "{by:?} {scope:?}");
        }
        let named = |by, keys: &[&str]| db.store.read(|tx| diversions::names(tx, &scope, by, keys)).unwrap();
        let of_agents = named(DivertedBy::Maintainer, &["A3", "B1", "nobody"]);
        let expected = ["A3", "B1"].into_iter().filter(|code| agents.contains(code));
        assert_eq!(of_agents, expected.map(|code| (code.to_owned(), format!("Agent {code}"))).collect());
        assert_eq!(named(DivertedBy::Merchant, &["M2"]).len(), usize::from(agents.contains("A3")));
        assert!(named(DivertedBy::Account, &["6200"]).is_empty());
    }
}

pub(crate) fn what_a_group_counts_is_what_its_list_shows(db: &Db) {
    fill(db);
    for (scope, _) in scopes() {
        for by in ALL {
            let rows = db.store.read(|tx| diversions::breaks(tx, &scope, by, &CLASSES)).unwrap();
            let mut groups = BTreeMap::<String, BTreeSet<String>>::new();
            for row in rows.into_iter().filter(|row| !row.group.is_empty()) {
                groups.entry(row.group).or_default().insert(row.payment_id);
            }
            groups.insert("no such group".into(), BTreeSet::new());
            for (key, expected) in groups {
                let diverted = Some(DivertedGroup { by, key: key.clone(), classes: CLASSES.to_vec() });
                let listed = |only_exceptions| {
                    let wanted =
                        PaymentFilter { diverted: diverted.clone(), only_exceptions, ..PaymentFilter::default() };
                    let page =
                        db.store.read(|tx| payments::list(tx, &scope, &wanted, &PageRequest::first(200))).unwrap();
                    let with_kinds = page.items.iter().filter(|it| !it.payment.kinds.is_empty()).count();
                    (page.items.into_iter().map(|it| it.payment.id).collect::<BTreeSet<_>>(), with_kinds)
                };
                let (all, n_with_kinds) = listed(false);
                assert_eq!(all, expected, "{by:?} {key} {scope:?}");
                assert_eq!(listed(true).0.len(), n_with_kinds, "{by:?} {key} {scope:?}");
            }
        }
    }
}

pub(crate) fn a_terminal_with_two_registrations_has_no_known_version(db: &Db) {
    fill(db);
    let again = TerminalRow {
        serial: "S0-new".into(),
        tid: "T0000000".into(),
        agent_code: owner(0).into(),
        app_version: "1.5.0".into(),
        ..TerminalRow::default()
    };
    db.store.write(|tx| registry::put_terminals(tx, "bank", [&again])).unwrap();
    let scope = Scope::all("bank");
    let groups_of = |by| -> BTreeSet<String> {
        let rows = db.store.read(|tx| diversions::breaks(tx, &scope, by, &CLASSES)).unwrap();
        rows.into_iter().filter(|row| row.tid == "T0000000").map(|row| row.group).collect()
    };
    assert_eq!(groups_of(DivertedBy::AppVersion), [String::new()].into());
    assert_eq!(groups_of(DivertedBy::Maintainer), [owner(0).to_owned()].into());
    let counted = db.store.read(|tx| diversions::totals(tx, &scope, DivertedBy::AppVersion)).unwrap().unwrap();
    assert_eq!(counted, [("1.4.2".to_owned(), N_PAYMENTS as u64 * 5 / 6)].into());
}
