//! How breaks are resolved.

use onus_store::breaks::{self, BreakFilter, BreakRow};
use onus_store::payments::{self, PaymentRow};
use onus_store::resolutions::{self, ResolutionRow, StepRow};
use onus_store::{Failure, PageRequest, Scope, StoreError, Tx};

use crate::Db;
use crate::fixture;

const CLASSES: [&str; 2] = ["AMT_CLEAR", "MERCHANT_SWAPPED"];

/// Payments of three days, in turn of agents A1, A2, A3, B1 and none; each has two breaks.
fn id(i: i64) -> String {
    format!("2026-09-2{}.T{i:07}.000001.000001", i % 3)
}

fn fill(db: &Db) {
    fixture::fill(db);
    let rows: Vec<PaymentRow> = (0..10)
        .map(|i| PaymentRow {
            id: id(i),
            agent_code: fixture::owner(i).into(),
            merchant_code: format!("M{}", i % 5),
            amount_minor: 1_000 * (i + 1),
            ..PaymentRow::default()
        })
        .collect();
    let found: Vec<BreakRow> = (0..10).flat_map(|i| [break_of(i, 0, -5 * i), break_of(i, 1, 0)]).collect();
    let write = |tx: &mut Tx<'_>| {
        for tenant in fixture::TENANTS {
            payments::put(tx, tenant, &rows)?;
            breaks::put(tx, tenant, &found)?;
        }
        for (i, class, state) in [(0, 0, "proposed"), (1, 0, "confirmed"), (2, 1, "confirmed")] {
            let (row, step) = resolution(i, class, state, 1);
            resolutions::put(tx, "bank", &row, &step)?;
        }
        Ok(())
    };
    db.store.write(write).unwrap();
}

fn break_of(i: i64, class: usize, difference_minor: i64) -> BreakRow {
    BreakRow {
        payment_id: id(i),
        class: CLASSES[class].into(),
        coarse: "C".into(),
        expected: "e".into(),
        found: format!("f{i}"),
        difference_minor,
        first_party: "agent".into(),
    }
}

fn resolution(i: i64, class: usize, state: &str, version: i64) -> (ResolutionRow, StepRow) {
    let found = break_of(i, class, if class == 0 { -5 * i } else { 0 });
    let row = ResolutionRow {
        payment_id: found.payment_id.clone(),
        class: found.class.clone(),
        state: state.into(),
        version,
        action: "recovery".into(),
        amount_minor: 700,
        party: "agent".into(),
        note: "查明".into(),
        maker: "ann".into(),
        expected: found.expected.clone(),
        found: found.found.clone(),
        difference_minor: found.difference_minor,
        updated_at: version,
        ..ResolutionRow::default()
    };
    let step = StepRow {
        payment_id: found.payment_id,
        class: found.class,
        version,
        step: "propose".into(),
        state: state.into(),
        author: "ann".into(),
        at: version,
        ..StepRow::default()
    };
    (row, step)
}

pub(crate) fn where_a_resolution_stands_is_read_back(db: &Db) {
    fill(db);
    let (row, step) = resolution(0, 0, "approved", 2);
    db.store.write(|tx| resolutions::put(tx, "bank", &row, &step)).unwrap();
    db.store
        .read(|tx| {
            for (scope, is_seen) in [
                (Scope::all("bank"), true),
                (Scope::subtree("bank", "A1"), true),
                (Scope::subtree("bank", "A2"), false),
                (Scope::subtree("bank", "B1"), false),
                (Scope::all("other"), false),
            ] {
                let expected = if is_seen { vec![row.clone()] } else { vec![] };
                assert_eq!(resolutions::of_payment(tx, &scope, &id(0))?, expected);
                let versions: Vec<i64> =
                    resolutions::steps(tx, &scope, &id(0), CLASSES[0])?.iter().map(|step| step.version).collect();
                assert_eq!(versions, if is_seen { vec![1, 2] } else { vec![] });
            }
            for (scope, n_rows, n_steps) in [(Scope::all("bank"), 3, 4), (Scope::subtree("bank", "A1"), 0, 0)] {
                let (mut rows, mut steps) = (0, 0);
                resolutions::for_each(tx, &scope, |_| {
                    rows += 1;
                    Ok(())
                })?;
                resolutions::for_each_step(tx, &scope, |_| {
                    steps += 1;
                    Ok(())
                })?;
                assert_eq!((rows, steps), (n_rows, n_steps));
            }
            Ok(())
        })
        .unwrap();
}

pub(crate) fn breaks_are_filtered_and_summed(db: &Db) {
    fill(db);
    let all = BreakFilter {
        from_day: Some("2026-09-20".into()),
        before_day: Some("2026-09-99".into()),
        ..BreakFilter::default()
    };
    let states = |states: &[&str]| states.iter().map(|state| (*state).to_owned()).collect::<Vec<_>>();
    let table = [
        (all.clone(), 20),
        (BreakFilter { class: Some(CLASSES[0].into()), ..all.clone() }, 10),
        (BreakFilter { states: states(&["open"]), ..all.clone() }, 17),
        (BreakFilter { states: states(&["confirmed"]), ..all.clone() }, 2),
        (BreakFilter { states: states(&["confirmed", "proposed"]), ..all.clone() }, 3),
        (BreakFilter { from_day: Some("2026-09-21".into()), before_day: Some("2026-09-22".into()), ..all.clone() }, 6),
        (BreakFilter { agent: Some("A2".into()), ..all.clone() }, 8),
        (BreakFilter { min_amount: Some(9_000), ..all.clone() }, 2),
        (BreakFilter { min_amount: Some(40), max_amount: Some(1_000), ..all.clone() }, 4),
    ];
    for (wanted, expected) in table {
        for scope in [Scope::all("bank"), Scope::subtree("bank", "A1")] {
            let mut found = Vec::new();
            let mut request = PageRequest::first(7);
            loop {
                let page = db.store.read(|tx| breaks::list(tx, &scope, &wanted, &request)).unwrap();
                found.extend(page.items);
                request.cursor = page.next_cursor;
                if request.cursor.is_none() {
                    break;
                }
            }
            if scope == Scope::all("bank") {
                assert_eq!(found.len(), expected, "{wanted:?}");
            } else {
                assert!(found.iter().all(|item| ["A1", "A2", "A3"].contains(&item.agent_code.as_str())), "{wanted:?}");
            }
            let sums = db.store.read(|tx| breaks::days(tx, &scope, &wanted)).unwrap();
            assert_eq!(sums.iter().map(|sum| sum.count).sum::<i64>(), found.len() as i64, "{wanted:?}");
            let stake: i64 = found.iter().map(|item| item.stake_minor).sum();
            assert_eq!(sums.iter().map(|sum| sum.stake_minor).sum::<i64>(), stake, "{wanted:?}");
        }
    }
    let request = PageRequest::first(200);
    let page = db.store.read(|tx| breaks::list(tx, &Scope::all("bank"), &all, &request)).unwrap();
    let first = page.items.iter().find(|item| item.row.payment_id == id(0)).unwrap();
    assert_eq!(
        (first.state.as_str(), first.version, first.action.as_str(), first.maker.as_str(), first.stake_minor),
        ("proposed", 1, "recovery", "ann", 1_000)
    );
}

pub(crate) fn only_changed_facts_are_found(db: &Db) {
    fill(db);
    let changed = |tx: &mut Tx<'_>| resolutions::with_changed_facts(tx, "bank");
    assert_eq!(db.store.read(changed).unwrap(), []);
    // Another tenant's break, one without a resolution, one that is written again as it was, one that went away.
    let other = BreakRow { found: "other".into(), ..break_of(1, 0, 0) };
    let write = |tx: &mut Tx<'_>| {
        breaks::put(tx, "other", [&other])?;
        breaks::put(tx, "bank", [&BreakRow { found: "new".into(), ..break_of(3, 0, 0) }])?;
        breaks::put(tx, "bank", [&break_of(1, 0, -5)])?;
        breaks::remove(tx, "bank", &id(2), CLASSES[1])
    };
    db.store.write(write).unwrap();
    assert_eq!(db.store.read(changed).unwrap(), []);
    let later = break_of(1, 0, -7);
    db.store.write(|tx| breaks::put(tx, "bank", [&later])).unwrap();
    let found = db.store.read(changed).unwrap();
    assert_eq!(found, [(resolution(1, 0, "confirmed", 1).0, later)]);
}

pub(crate) fn a_step_is_taken_once(db: &Db) {
    fill(db);
    let (row, step) = resolution(0, 0, "approved", 1);
    let error: StoreError = db.store.write(|tx| resolutions::put(tx, "bank", &row, &step)).unwrap_err();
    assert_eq!(error.failure(), Some(Failure::Duplicate), "{error}");
    let stands = db.store.read(|tx| resolutions::of_payment(tx, &Scope::all("bank"), &id(0))).unwrap();
    assert_eq!(stands[0].state, "proposed");
}
