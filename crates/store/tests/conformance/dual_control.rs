//! Decisions of two people, facts of verdicts, and verdicts that would be others.

use onus_store::approvals::{self, ApprovalRow, ApprovalStepRow};
use onus_store::cases::{self, CaseRow, ObligationRow};
use onus_store::exceptions::{self, ExceptionRow};
use onus_store::payments::{self, PaymentRow};
use onus_store::rejudgements::{self, PackRow, RejudgementFilter, RejudgementRow, VerdictFactsRow};
use onus_store::{Failure, PageRequest, Scope, StoreError, monitoring};

use crate::Db;

const T: &str = "bank";

fn decision(subject: &str, id: &str, state: &str, version: i64) -> (ApprovalRow, ApprovalStepRow) {
    let row = ApprovalRow {
        subject: subject.into(),
        id: id.into(),
        state: state.into(),
        version,
        content_sha256: "c".into(),
        ..ApprovalRow::default()
    };
    let step = ApprovalStepRow {
        subject: subject.into(),
        id: id.into(),
        version,
        state: state.into(),
        ..ApprovalStepRow::default()
    };
    (row, step)
}

fn rejudgement(id: &str, payment: &str) -> RejudgementRow {
    RejudgementRow {
        id: id.into(),
        payment_id: payment.into(),
        kind: "K6".into(),
        old_rule_id: "a".into(),
        new_rule_id: "b".into(),
        moved_minor: 7,
        agent_minor: -7,
        ..RejudgementRow::default()
    }
}

pub(crate) fn decisions_stand_where_their_last_step_led(db: &Db) {
    let all = Scope::all(T);
    db.store
        .write(|tx| {
            let listed = decision("rejudgement", "r1", "listed", 0).0;
            approvals::list_new(tx, T, [&listed, &decision("rejudgement", "r2", "listed", 0).0])?;
            let (row, step) = decision("rejudgement", "r1", "proposed", 1);
            approvals::put(tx, T, &row, &step)?;
            // Listing again does not undo a step, and a step is taken once.
            approvals::list_new(tx, T, [&listed])?;
            rejudgements::put(tx, T, [&rejudgement("r1", "p1"), &rejudgement("r2", "p2")])
        })
        .unwrap();
    let (row, step) = decision("rejudgement", "r1", "proposed", 1);
    let twice: Result<(), StoreError> = db.store.write(|tx| approvals::put(tx, T, &row, &step));
    assert_eq!(twice.unwrap_err().failure(), Some(Failure::Duplicate));
    let wanted = RejudgementFilter { state: Some("proposed".into()), ..RejudgementFilter::default() };
    let request = PageRequest::first(9);
    db.store
        .write(|tx| {
            let found = rejudgements::list(tx, &all, &wanted, &request)?;
            assert_eq!(found.items.iter().map(|item| item.row.id.as_str()).collect::<Vec<_>>(), ["r1"]);
            assert!(rejudgements::list(tx, &Scope::subtree(T, "A1"), &wanted, &request)?.items.is_empty());
            assert_eq!(rejudgements::sums(tx, &all)?.len(), 2);
            assert_eq!(rejudgements::open(tx, T)?.len(), 2);
            assert_eq!(approvals::supersede(tx, T, "rejudgement", "r2", 5)?, 1);
            assert_eq!(approvals::retire(tx, T, "rejudgement", "r1", 5)?, 0);
            assert_eq!(rejudgements::open(tx, T)?.len(), 1);
            assert_eq!(approvals::steps(tx, &all, "rejudgement", "r1")?.len(), 1);
            assert_eq!(approvals::of_subject(tx, &all, "rejudgement")?[1].state, "superseded");
            assert_eq!(rejudgements::by_id(tx, &all, "r1")?, Some(rejudgement("r1", "p1")));
            let pack = PackRow { sha256: "s".into(), rules: "x".into(), ..PackRow::default() };
            rejudgements::put_pack(tx, T, &pack)?;
            rejudgements::put_pack(tx, T, &pack)?;
            assert_eq!(rejudgements::packs(tx, &all)?, [pack]);
            Ok(())
        })
        .unwrap();
}

pub(crate) fn facts_stay_with_their_revision(db: &Db) {
    let all = Scope::all(T);
    let exception =
        |revision| ExceptionRow { payment_id: "p1".into(), kind: "K6".into(), revision, ..ExceptionRow::default() };
    let facts = |payment: &str, revision, pack: &str| VerdictFactsRow {
        payment_id: payment.into(),
        kind: "K6".into(),
        revision,
        pack_sha256: pack.into(),
        facts: "[]".into(),
    };
    db.store
        .write(|tx| {
            exceptions::put(tx, T, [&exception(2)])?;
            rejudgements::put_facts(tx, T, [&facts("p1", 1, "a"), &facts("p1", 2, "b"), &facts("gone", 3, "a")])?;
            payments::put(
                tx,
                T,
                [&PaymentRow {
                    id: "p1".into(),
                    outcome: "approved".into(),
                    refs: onus_store::refs::encode_refs(&[]),
                    ..PaymentRow::default()
                }],
            )?;
            payments::set_kind(tx, T, "p1", "K8", true)?;
            payments::set_kind(tx, T, "p1", "K6", true)?;
            exceptions::set_episode(tx, T, "p1", "K6", "E1")?;
            let mut seen = Vec::new();
            rejudgements::for_each_verdict(tx, &all, |row, pack, told| {
                seen.push(format!("{} {} {pack} {told} {}", row.payment_id, row.revision, row.episode_id));
                Ok(())
            })?;
            assert_eq!(seen, ["p1 2 b [] E1"]);
            assert_eq!(rejudgements::facts_of(tx, T, "p1", "K6", 1)?, Some(facts("p1", 1, "a")));
            assert_eq!(rejudgements::taken_back(tx, T)?, [("gone".to_owned(), "K6".to_owned(), 3)]);
            assert_eq!(monitoring::by_merchant(tx, &all, -1, 1)?[0].disputes, 1);
            payments::set_kind(tx, T, "p1", "K8", false)?;
            assert_eq!(monitoring::by_merchant(tx, &all, -1, 1)?[0].sales, 1);
            assert_eq!(exceptions::by_key(tx, &all, "p1", "K6")?.map(|row| row.revision), Some(2));
            Ok(())
        })
        .unwrap();
}

pub(crate) fn a_duty_waits_for_its_limit(db: &Db) {
    let case = CaseRow { id: "p1.K8".into(), payment_id: "p1".into(), kind: "K8".into(), ..CaseRow::default() };
    let duty = ObligationRow {
        case_id: case.id.clone(),
        seq: 1,
        due_at: 5,
        state: "open".into(),
        automation: "manual".into(),
        limit_id: "l".into(),
        limit_sha256: "c".into(),
        ..ObligationRow::default()
    };
    db.store
        .write(|tx| {
            cases::put(tx, T, [&case])?;
            cases::put_obligations(tx, T, [&duty])?;
            for (subject, state, late) in
                [("rejudgement", "approved", false), ("limit", "proposed", false), ("limit", "approved", true)]
            {
                let (row, step) = decision(subject, "l", state, i64::from(late) + 1);
                approvals::put(tx, T, &row, &step)?;
                let found = cases::by_id(tx, &Scope::all(T), &case.id, 9)?.unwrap();
                let automation = if late { "automatic" } else { "manual" };
                assert_eq!((found.overdue, found.obligations[0].automation.as_str()), (late, automation), "{subject}");
            }
            assert_eq!(cases::waiting_for(tx, T, "l", "c")?.len(), 1);
            assert!(cases::waiting_for(tx, T, "l", "another value")?.is_empty());
            cases::withdraw_after(tx, T, &case.id, 0)?;
            assert!(cases::waiting_for(tx, T, "l", "c")?.is_empty());
            assert!(rejudgements::acted_on(tx, T)?.is_empty());
            Ok(())
        })
        .unwrap();
}
