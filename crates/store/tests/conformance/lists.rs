//! Lists: scope, pages, filters.

use std::collections::BTreeSet;

use onus_store::breaks::BreakFilter;
use onus_store::cases::CaseFilter;
use onus_store::payments::PaymentFilter;
use onus_store::registry::{AgentRow, TerminalFilter};
use onus_store::{Page, PageRequest, Scope, StoreError, Tx};
use onus_store::{audit, breaks, cases, episodes, exceptions, files, log, overview, payments, registry, users};

use crate::Db;
use crate::fixture::{self, N_PAYMENTS, NOW, kinds, owner, payment_id};

const WHOLE_DAY: (i64, i64) = (0, i64::MAX);

/// Scopes of the fixture with the agents they contain.
fn scopes() -> Vec<(Scope, BTreeSet<&'static str>)> {
    vec![
        (Scope::all("bank"), ["A1", "A2", "A3", "B1", ""].into()),
        (Scope::subtree("bank", "A1"), ["A1", "A2", "A3"].into()),
        (Scope::subtree("bank", "A2"), ["A2", "A3"].into()),
        (Scope::subtree("bank", "A3"), ["A3"].into()),
        (Scope::subtree("bank", "B1"), ["B1"].into()),
        (Scope::subtree("bank", "nobody"), [].into()),
        (Scope::subtree("bank", ""), [].into()),
        (Scope::all("nowhere"), [].into()),
    ]
}

/// Walks through all pages of a list.
fn all_pages<T>(
    limit: u32,
    mut list: impl FnMut(&PageRequest) -> Result<Page<T>, StoreError>,
) -> Result<Vec<T>, StoreError> {
    let mut request = PageRequest::first(limit);
    let mut items = Vec::new();
    loop {
        let page = list(&request)?;
        assert!(page.items.len() <= limit as usize);
        assert!(page.next_cursor.is_none() || page.items.len() == limit as usize);
        items.extend(page.items);
        request.cursor = page.next_cursor;
        if request.cursor.is_none() {
            return Ok(items);
        }
    }
}

fn payment_ids(tx: &mut Tx<'_>, scope: &Scope, wanted: &PaymentFilter, limit: u32) -> Vec<String> {
    let items = all_pages(limit, |request| payments::list(tx, scope, wanted, request)).unwrap();
    items.into_iter().map(|item| item.payment.id).collect()
}

pub(crate) fn every_list_keeps_to_its_scope(db: &Db) {
    fixture::fill(db);
    for (scope, agents) in scopes() {
        db.store.read(|tx| lists_of_one_scope(tx, &scope, &agents)).unwrap();
        db.store.read(|tx| whole_tenant_lists(tx, &scope)).unwrap();
    }
}

fn lists_of_one_scope(tx: &mut Tx<'_>, scope: &Scope, agents: &BTreeSet<&str>) -> Result<(), StoreError> {
    let own: Vec<i64> = (0..N_PAYMENTS).filter(|&i| agents.contains(owner(i))).collect();
    let own_ids: BTreeSet<String> = own.iter().map(|&i| payment_id(i)).collect();
    let faulty_ids: BTreeSet<String> = own.iter().filter(|&&i| !kinds(i).is_empty()).map(|&i| payment_id(i)).collect();
    let n_exceptions: usize = own.iter().map(|&i| kinds(i).len()).sum();

    let every = PaymentFilter::default();
    let only_exceptions = PaymentFilter { only_exceptions: true, ..PaymentFilter::default() };
    assert_eq!(BTreeSet::from_iter(payment_ids(tx, scope, &every, 7)), own_ids);
    assert_eq!(BTreeSet::from_iter(payment_ids(tx, scope, &only_exceptions, 7)), faulty_ids);
    let mut streamed = BTreeSet::new();
    payments::for_each(tx, scope, WHOLE_DAY.0, WHOLE_DAY.1, |it| {
        streamed.insert(it.id);
        Ok(())
    })?;
    assert_eq!(streamed, own_ids);
    for i in 0..N_PAYMENTS {
        let found = payments::by_id(tx, scope, &payment_id(i), NOW)?;
        assert_eq!(found.is_some(), own_ids.contains(&payment_id(i)));
    }
    let ids: Vec<String> = (0..N_PAYMENTS).map(payment_id).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    assert_eq!(exceptions::of_payments(tx, scope, &ids)?.len(), n_exceptions);
    let mut n_streamed = 0;
    exceptions::for_each(tx, scope, |_, rrn| {
        n_streamed += usize::from(rrn.len() == 12);
        Ok(())
    })?;
    assert_eq!(n_streamed, n_exceptions);

    let found = all_pages(3, |request| breaks::list(tx, scope, &BreakFilter::default(), request))?;
    let n_homeless = usize::from(agents.contains("")); // the break of no payment
    assert_eq!(found.len(), faulty_ids.len() + n_homeless);
    assert_eq!(
        breaks::days(tx, scope, &BreakFilter::default())?.iter().map(|it| it.count).sum::<i64>() as usize,
        found.len()
    );
    let mut n_streamed = 0;
    breaks::for_each(tx, scope, |_| {
        n_streamed += 1;
        Ok(())
    })?;
    assert_eq!(n_streamed, found.len());

    let found = all_pages(4, |request| cases::list(tx, scope, &CaseFilter::default(), NOW, request))?;
    assert_eq!(found.len(), n_exceptions);
    let terminals = all_pages(2, |request| registry::terminals(tx, scope, &TerminalFilter::default(), request))?;
    assert_eq!(terminals.len(), (0..6).filter(|&i| agents.contains(owner(i))).count());
    let mut n_streamed = 0;
    registry::for_each_terminal(tx, scope, |_| {
        n_streamed += 1;
        Ok(())
    })?;
    assert_eq!(n_streamed, terminals.len());
    let found: BTreeSet<String> = registry::agents(tx, scope)?.into_iter().map(|it| it.agent.code).collect();
    assert_eq!(found, agents.iter().filter(|code| !code.is_empty()).map(|&code| code.to_owned()).collect());
    for i in 0..5 {
        let found = registry::merchant(tx, scope, &format!("M{i}"))?;
        assert_eq!(found.is_some(), agents.contains(owner(i)));
    }

    let sums = overview::overview(tx, scope, WHOLE_DAY.0, WHOLE_DAY.1)?;
    assert_eq!((sums.payments.count, sums.exceptions.count), (own.len() as i64, n_exceptions as i64));
    assert_eq!(overview::hours(tx, scope)?.is_empty(), own.is_empty());
    episodes_of_one_scope(tx, scope, agents)?;
    entries_of_one_scope(tx, scope, agents)
}

/// An agent counts its own payments in an episode, and reads nothing about others.
fn episodes_of_one_scope(tx: &mut Tx<'_>, scope: &Scope, agents: &BTreeSet<&str>) -> Result<(), StoreError> {
    let is_all = agents.contains("");
    for (id, n_whole) in [("E1", 12), ("E2", 40), ("E3", 7)] {
        let n_own = (0..N_PAYMENTS)
            .filter(|&i| agents.contains(owner(i)) && kinds(i) == ["K4"] && id == format!("E{}", 1 + i % 2))
            .count() as i64;
        let found = episodes::by_id(tx, scope, id)?;
        assert_eq!(found.is_some(), is_all || n_own > 0, "{id} {agents:?}");
        if let Some(found) = found {
            assert_eq!(found.payments, if is_all { n_whole } else { n_own });
            assert_eq!(found.body.contains("B1"), is_all);
            assert_eq!(found.scope.contains("B1"), is_all);
        }
        let exposure = episodes::exposure(tx, scope, id)?;
        assert!(exposure.iter().all(|it| agents.contains(it.agent_code.as_str())));
        assert_eq!(exposure.iter().map(|it| it.payments).sum::<i64>(), n_own);
    }
    let listed = episodes::list(tx, scope)?;
    assert!(listed.is_sorted_by(|a, b| a.payments >= b.payments));
    Ok(())
}

fn entries_of_one_scope(tx: &mut Tx<'_>, scope: &Scope, agents: &BTreeSet<&str>) -> Result<(), StoreError> {
    let mut index = 0;
    for i in 0..N_PAYMENTS {
        for _ in kinds(i) {
            assert_eq!(log::entry(tx, scope, index)?.is_some(), agents.contains(owner(i)));
            index += 1;
        }
    }
    let of_no_payment = log::entry(tx, scope, index)?;
    assert_eq!(of_no_payment.is_some(), agents.contains(""));
    Ok(())
}

/// What belongs to no agent is seen by the whole tenant only.
fn whole_tenant_lists(tx: &mut Tx<'_>, scope: &Scope) -> Result<(), StoreError> {
    let is_bank = *scope == Scope::all("bank");
    let expect = |n: usize| if is_bank { n } else { 0 };
    assert_eq!(files::list(tx, scope)?.len(), expect(3));
    assert_eq!(overview::file_sums(tx, scope)?.rows, expect(300) as i64);
    assert_eq!(files::by_id(tx, scope, &format!("{:064}", 1))?.is_some(), is_bank);
    assert_eq!(all_pages(4, |request| files::rejects(tx, scope, None, request))?.len(), expect(14));
    assert_eq!(all_pages(2, |request| audit::list(tx, scope, request))?.len(), expect(9));
    assert_eq!(users::list(tx, scope)?.len(), expect(1));
    let mut n_entries = 0;
    log::for_each(tx, scope, |_| {
        n_entries += 1;
        Ok(())
    })?;
    assert_eq!(n_entries, expect(30));
    Ok(())
}

pub(crate) fn a_cycle_of_agents_ends(db: &Db) {
    let agents = [("X", "Y"), ("Y", "X")].map(|(code, parent)| AgentRow {
        code: code.into(),
        parent_code: Some(parent.into()),
        ..AgentRow::default()
    });
    db.store.write(|tx| registry::put_agents(tx, "bank", &agents)).unwrap();
    let found = db.store.read(|tx| registry::agents(tx, &Scope::subtree("bank", "X"))).unwrap();
    assert_eq!(found.len(), 2);
}

pub(crate) fn pages_have_no_gaps_and_no_repeats(db: &Db) {
    fixture::fill(db);
    let scope = Scope::all("bank");
    db.store
        .read(|tx| {
            for only_exceptions in [false, true] {
                let wanted = PaymentFilter { only_exceptions, ..PaymentFilter::default() };
                let mut expected: Vec<(i64, String)> = (0..N_PAYMENTS)
                    .filter(|&i| !only_exceptions || !kinds(i).is_empty())
                    .map(|i| (fixture::started_at(i), payment_id(i)))
                    .collect();
                expected.sort_by(|a, b| b.cmp(a));
                let expected: Vec<String> = expected.into_iter().map(|(_, id)| id).collect();
                for limit in [1, 3, 4, 60, 200] {
                    assert_eq!(payment_ids(tx, &scope, &wanted, limit), expected, "limit {limit}");
                }
            }
            let rejects = all_pages(3, |request| files::rejects(tx, &scope, None, request))?;
            let order: Vec<(String, i64)> = rejects.into_iter().map(|it| (it.file_name, it.reject.seq)).collect();
            let expected: Vec<(String, i64)> = ["journal.dat", "switch.dat"]
                .iter()
                .flat_map(|name| (0..7).map(|seq| (name.to_string(), seq)))
                .collect();
            assert_eq!(order, expected);
            let acts = all_pages(2, |request| audit::list(tx, &scope, request))?;
            assert!(acts.is_sorted_by(|a, b| (a.at, &a.id) > (b.at, &b.id)));
            let due = all_pages(4, |request| cases::list(tx, &scope, &CaseFilter::default(), NOW, request))?;
            assert!(due.is_sorted_by(|a, b| (a.case.due_at, &a.case.id) < (b.case.due_at, &b.case.id)));

            let cursor = payments::list(tx, &scope, &PaymentFilter::default(), &PageRequest::first(1))?.next_cursor;
            let foreign = PageRequest { cursor, limit: 1 };
            assert!(matches!(audit::list(tx, &scope, &foreign), Err(StoreError::Cursor)));
            Ok(())
        })
        .unwrap();
}

pub(crate) fn payments_are_filtered(db: &Db) {
    fixture::fill(db);
    let scope = Scope::all("bank");
    let text = |it: &str| Some(it.to_owned());
    let none = PaymentFilter::default();
    let is_k4 = |i: i64| kinds(i) == ["K4"];
    type Case = (&'static str, PaymentFilter, Box<dyn Fn(i64) -> bool>);
    let cases: Vec<Case> = vec![
        ("kind", PaymentFilter { kind: text("K8"), ..none.clone() }, Box::new(|i| kinds(i).contains(&"K8"))),
        ("cause", PaymentFilter { cause: text("link_down"), ..none.clone() }, Box::new(is_k4)),
        (
            "kind and cause",
            PaymentFilter { kind: text("K8"), cause: text("link_down"), ..none.clone() },
            Box::new(|_| false),
        ),
        ("outward", PaymentFilter { outward: text("acquirer"), ..none.clone() }, Box::new(|i| !kinds(i).is_empty())),
        ("episode", PaymentFilter { episode: text("E2"), ..none.clone() }, Box::new(move |i| is_k4(i) && i % 2 == 1)),
        ("agent", PaymentFilter { agent: text("A2"), ..none.clone() }, Box::new(|i| ["A2", "A3"].contains(&owner(i)))),
        (
            "kind and agent",
            PaymentFilter { kind: text("K4"), agent: text("A2"), ..none.clone() },
            Box::new(move |i| is_k4(i) && ["A2", "A3"].contains(&owner(i))),
        ),
        ("merchant", PaymentFilter { merchant: text("M4"), ..none.clone() }, Box::new(|i| i % 5 == 4)),
        ("terminal", PaymentFilter { tid: text("T0000005"), ..none.clone() }, Box::new(|i| i % 6 == 5)),
        ("city", PaymentFilter { city: text("十堰"), ..none.clone() }, Box::new(|i| i % 2 == 1)),
        (
            "time",
            PaymentFilter {
                started_from: Some(fixture::started_at(8)),
                started_to: Some(fixture::started_at(16)),
                ..none.clone()
            },
            Box::new(|i| (8..16).contains(&i)),
        ),
        (
            "amount",
            PaymentFilter { min_amount: Some(1000), max_amount: Some(2000), ..none.clone() },
            Box::new(|i| (9..=19).contains(&i)),
        ),
        ("id", PaymentFilter { q: Some(payment_id(33)), ..none.clone() }, Box::new(|i| i == 33)),
        ("rrn", PaymentFilter { q: text("000000000042"), ..none.clone() }, Box::new(|i| i == 42)),
        ("card", PaymentFilter { q: text(" 0007 "), ..none.clone() }, Box::new(|i| i % 10 == 7)),
        ("name", PaymentFilter { q: text("干面 noodles_3"), ..none.clone() }, Box::new(|i| i % 5 == 3)),
        ("no pattern", PaymentFilter { q: text("干面 noodles%3"), ..none.clone() }, Box::new(|_| false)),
        (
            "exceptions by name",
            PaymentFilter { q: text("Noodles_3"), only_exceptions: true, ..none.clone() },
            Box::new(|i| i % 5 == 3 && !kinds(i).is_empty()),
        ),
        (
            "exceptions by card",
            PaymentFilter { q: text("0006"), kind: text("K4"), ..none.clone() },
            Box::new(move |i| i % 10 == 6 && is_k4(i)),
        ),
    ];
    for (name, wanted, expect) in cases {
        let found: BTreeSet<String> =
            db.store.read(|tx| Ok(payment_ids(tx, &scope, &wanted, 50))).unwrap().into_iter().collect();
        let expected: BTreeSet<String> = (0..N_PAYMENTS).filter(|&i| expect(i)).map(payment_id).collect();
        assert_eq!(found, expected, "{name}");
    }
    let page = db.store.read(|tx| payments::list(tx, &scope, &none, &PageRequest::first(200))).unwrap();
    for item in page.items {
        let i = item.payment.amount_minor / 100 - 1;
        assert_eq!(item.merchant_name, format!("热干面 Noodles_{}", i % 5));
        let found: Vec<&str> = item.exceptions.iter().map(|it| it.exception.kind.as_str()).collect();
        assert_eq!(found, kinds(i));
        for it in &item.exceptions {
            assert_eq!(it.case_id, Some(format!("{}.{}", item.payment.id, it.exception.kind)));
        }
    }
}

pub(crate) fn terminals_and_cases_are_filtered(db: &Db) {
    fixture::fill(db);
    let scope = Scope::all("bank");
    let text = |it: &str| Some(it.to_owned());
    let serials = |wanted: TerminalFilter| -> Vec<String> {
        let list = |tx: &mut Tx<'_>| all_pages(2, |request| registry::terminals(tx, &scope, &wanted, request));
        db.store.read(list).unwrap().into_iter().map(|it| it.terminal.serial).collect()
    };
    let none = TerminalFilter::default();
    assert_eq!(serials(TerminalFilter { state: text("quarantined"), ..none.clone() }), ["S1"]);
    assert_eq!(serials(TerminalFilter { agent: text("A2"), ..none.clone() }), ["S1", "S2"]);
    assert_eq!(serials(TerminalFilter { q: text("t0000004"), ..none.clone() }), ["S4"]);
    assert_eq!(serials(TerminalFilter { q: text("noodles_0"), ..none }), ["S0", "S5"]);

    let count = |wanted: CaseFilter| {
        let list = |tx: &mut Tx<'_>| all_pages(5, |request| cases::list(tx, &scope, &wanted, NOW, request));
        db.store.read(list).unwrap().len()
    };
    let none = CaseFilter::default();
    let (open, closed) = (
        count(CaseFilter { state: text("open"), ..none.clone() }),
        count(CaseFilter { state: text("closed"), ..none.clone() }),
    );
    let (late, in_time) = (
        count(CaseFilter { overdue: Some(true), ..none.clone() }),
        count(CaseFilter { overdue: Some(false), ..none.clone() }),
    );
    assert_eq!((open + closed, late + in_time), (25, 25));
    assert!(late > 0 && late <= open, "{late} of {open}");
    assert_eq!(
        count(CaseFilter { agent: text("B1"), ..none.clone() }) + count(CaseFilter { agent: text("A1"), ..none }),
        20
    );
}
