//! One payment with everything, sums, the evidence log, files, sessions.

use onus_store::files::{self, FileRow};
use onus_store::gateway_status::{self, GatewayStatusRow};
use onus_store::log::LogEntryRow;
use onus_store::overview::{Sums, TallyRow};
use onus_store::refs::PaymentRefs;
use onus_store::sessions::{self, SessionRow};
use onus_store::tenants::{self, TenantRow};
use onus_store::users::{self, UserRow};
use onus_store::{Failure, PageRequest, Scope};
use onus_store::{breaks, cases, episodes, exceptions, ledger, log, overview, payments, registry};

use crate::Db;
use crate::fixture::{self, HOUR, N_PAYMENTS, NOW, kinds, payment_id};

pub(crate) fn a_payment_comes_with_everything(db: &Db) {
    fixture::fill(db);
    let scope = Scope::all("bank");
    let by_id = |i| db.store.read(|tx| payments::by_id(tx, &scope, &payment_id(i), NOW)).unwrap().unwrap();
    let it = by_id(12);
    assert_eq!(it.item.payment, fixture::payment(12));
    assert_eq!(it.item.merchant_name, "热干面 Noodles_2");
    assert_eq!(it.agent_name.as_deref(), Some("Agent A3"));
    assert_eq!(it.app_version.as_deref(), Some("1.4.2"));
    assert_eq!(it.refs, PaymentRefs(fixture::refs(12)));
    assert_eq!(it.files.iter().map(|file| file.seq).collect::<Vec<_>>(), [1, 3]);
    assert_eq!(it.item.exceptions.iter().map(|it| it.exception.kind.as_str()).collect::<Vec<_>>(), ["K7", "K8"]);
    assert_eq!(it.breaks.len(), 1);
    assert_eq!(it.cases.iter().map(|case| (case.overdue, case.obligations.len())).collect::<Vec<_>>(), [(true, 2); 2]);
    assert_eq!(it.ledger.iter().map(|line| line.amount_minor).collect::<Vec<_>>(), [1300, -1300, 1300, -1300]);
    assert_eq!(it.episodes, []);

    let it = by_id(3);
    assert_eq!(it.episodes.iter().map(|it| it.id.as_str()).collect::<Vec<_>>(), ["E2"]);
    let it = by_id(4); // of no agent, without exceptions
    assert_eq!((it.agent_name, it.item.exceptions.len(), it.cases.len()), (None, 0, 0));
}

pub(crate) fn a_payment_outside_the_scope_is_not_there(db: &Db) {
    fixture::fill(db);
    let id = payment_id(3); // of B1
    let case_id = format!("{id}.K4");
    for (scope, is_seen) in
        [(Scope::subtree("bank", "B1"), true), (Scope::subtree("bank", "A1"), false), (Scope::all("nowhere"), false)]
    {
        db.store
            .read(|tx| {
                assert_eq!(payments::by_id(tx, &scope, &id, NOW)?.is_some(), is_seen);
                assert_eq!(cases::by_id(tx, &scope, &case_id, NOW)?.is_some(), is_seen);
                assert_eq!(cases::of_payment(tx, &scope, &id, NOW)?.len(), usize::from(is_seen));
                assert_eq!(ledger::of_case(tx, &scope, &case_id)?.len(), 2 * usize::from(is_seen));
                assert_eq!(breaks::of_payment(tx, &scope, &id)?.len(), usize::from(is_seen));
                assert_eq!(exceptions::of_payments(tx, &scope, &[&id])?.len(), usize::from(is_seen));
                Ok(())
            })
            .unwrap();
    }
}

pub(crate) fn sums_of_overview_agents_and_cases(db: &Db) {
    fixture::fill(db);
    let scope = Scope::all("bank");
    db.store
        .read(|tx| {
            let hours = overview::hours(tx, &scope)?;
            assert_eq!(hours, [0, HOUR, 2 * HOUR]);
            let it = overview::overview(tx, &scope, 0, 3 * HOUR)?;
            let amount_minor = (0..N_PAYMENTS).map(|i| 100 * (i + 1)).sum();
            assert_eq!(it.payments, Sums { count: N_PAYMENTS, amount_minor, loss_minor: 0 });
            assert_eq!(it.exceptions.count, 25);
            assert_eq!(it.exceptions.amount_minor, it.exceptions.loss_minor);
            assert_eq!(
                it.by_kind.iter().map(|(kind, sums)| (kind.as_str(), sums.count)).collect::<Vec<_>>(),
                [("K4", 15), ("K7", 5), ("K8", 5)]
            );
            assert_eq!(it.by_cause.values().map(|sums| sums.count).sum::<i64>(), 25);
            assert_eq!(it.by_outward["acquirer"], it.exceptions);
            let first_hour = overview::overview(tx, &scope, 0, HOUR)?;
            assert_eq!((first_hour.payments.count, &first_hour.by_hour[&0]), (20, &it.by_hour[&0]));

            let agents = registry::agents(tx, &scope)?;
            assert_eq!(agents.iter().map(|it| it.agent.code.as_str()).collect::<Vec<_>>(), ["A1", "B1", "A2", "A3"]);
            for it in agents {
                let own = (0..N_PAYMENTS).filter(|&i| fixture::owner(i) == it.agent.code);
                let loss = own.map(|i| 100 * (i + 1) * kinds(i).len() as i64).sum::<i64>();
                assert_eq!((it.payments, it.loss_minor, it.borne_minor), (12, loss, loss / 4));
                assert_eq!(it.terminals, if it.agent.code == "A1" { 2 } else { 1 });
            }
            let sums = cases::sums(tx, &scope, NOW)?;
            assert!(sums.overdue > 0 && sums.overdue < sums.open, "{sums:?}");
            assert_eq!(cases::sums(tx, &scope, i64::MAX)?.overdue, sums.open);
            assert_eq!(cases::sums(tx, &Scope::all("nowhere"), NOW)?, cases::CaseSums::default());
            assert_eq!(ledger::unbalanced(tx, "bank")?, [""; 0]);
            assert_eq!(ledger::balances(tx, "bank")?.iter().map(|(_, _, sum)| sum).sum::<i64>(), 0);
            Ok(())
        })
        .unwrap();
    let cell = TallyRow { hour_at: 0, payments: 2, amount_minor: 30, loss_minor: 0, ..TallyRow::default() };
    db.store
        .write(|tx| {
            for _ in 0..3 {
                overview::add_tallies(tx, "third", [&cell])?;
            }
            overview::add_tallies(tx, "third", [&cell, &cell])
        })
        .unwrap();
    let third = |from| db.store.read(|tx| overview::overview(tx, &Scope::all("third"), from, HOUR)).unwrap().payments;
    assert_eq!(third(0), Sums { count: 10, amount_minor: 150, loss_minor: 0 });
    db.store.write(|tx| overview::clear_tallies(tx, "third", 0, HOUR)).unwrap();
    assert_eq!(third(0), Sums::default());
}

pub(crate) fn the_evidence_log_is_read_back(db: &Db) {
    fixture::fill(db);
    let scope = Scope::all("bank");
    db.store
        .read(|tx| {
            assert_eq!(log::size(tx, &scope)?, 30);
            assert_eq!(log::entry(tx, &scope, 7)?.unwrap().body, br#"{"entry":7}"#);
            assert_eq!(log::entry(tx, &scope, 30)?, None);
            let hashes = log::leaf_hashes(tx, &scope, 5, 8)?;
            assert_eq!(hashes, [vec![5; 32], vec![6; 32], vec![7; 32]]);
            assert_eq!(log::latest_checkpoint(tx, &scope)?.unwrap().note, "bank 30");
            assert_eq!(log::checkpoints(tx, &scope)?.len(), 2);
            let nowhere = Scope::all("nowhere");
            assert_eq!((log::size(tx, &nowhere)?, log::latest_checkpoint(tx, &nowhere)?), (0, None));
            Ok(())
        })
        .unwrap();
    let fork = LogEntryRow { idx: 29, leaf_hash: vec![1], body: vec![2] };
    let error = db.store.write(|tx| log::append(tx, "bank", [&fork])).unwrap_err();
    assert_eq!(error.failure(), Some(Failure::Duplicate));
}

pub(crate) fn files_are_numbered_and_judged(db: &Db) {
    let seqs = |files: Vec<FileRow>| files.into_iter().map(|it| it.seq).collect::<Vec<_>>();
    for expected in 1..=3 {
        let seq = db
            .store
            .write(|tx| {
                let seq = files::next_seq(tx, "bank")?;
                let file = FileRow { id: format!("{seq:064}"), seq, ..FileRow::default() };
                files::insert(tx, "bank", [&file])?;
                // The same content comes again under another number, and changes nothing.
                assert_eq!(files::insert(tx, "bank", [&FileRow { seq: seq + 9, ..file }])?, 0);
                Ok(seq)
            })
            .unwrap();
        assert_eq!(seq, expected);
    }
    db.store
        .write(|tx| {
            assert_eq!(seqs(files::unjudged(tx, "bank")?), [1, 2, 3]);
            assert_eq!(files::mark_judged(tx, "bank", 2, 77)?, 2);
            assert_eq!(seqs(files::unjudged(tx, "bank")?), [3]);
            assert_eq!(files::mark_judged(tx, "bank", 2, 88)?, 0);
            let first = files::by_id(tx, &Scope::all("bank"), &format!("{:064}", 1))?.unwrap();
            assert_eq!(first.judged_at, Some(77));
            Ok(())
        })
        .unwrap();
}

pub(crate) fn a_gateway_says_how_it_stands(db: &Db) {
    fixture::fill(db);
    let row =
        |instance: &str, at, status: &str| GatewayStatusRow { instance: instance.into(), at, status: status.into() };
    let list = |scope: Scope| db.store.read(|tx| gateway_status::list(tx, &scope)).unwrap();
    db.store
        .write(|tx| {
            gateway_status::put(tx, "bank", &row("west", 1, "{}"))?;
            gateway_status::put(tx, "bank", &row("east", 2, "{}"))?;
            gateway_status::put(tx, "bank", &row("west", 3, r#"{"up":true}"#))?;
            gateway_status::put(tx, "other", &row("west", 4, "{}"))
        })
        .unwrap();
    assert_eq!(list(Scope::all("bank")), [row("east", 2, "{}"), row("west", 3, r#"{"up":true}"#)]);
    assert_eq!(list(Scope::subtree("bank", "A1")), [], "an agent sees no gateway");
    db.store
        .write(|tx| {
            assert!(gateway_status::remove(tx, "bank", "west")?);
            assert!(!gateway_status::remove(tx, "bank", "west")?);
            Ok(())
        })
        .unwrap();
    assert_eq!(list(Scope::all("bank")).len(), 1);
    assert_eq!(list(Scope::all("other")).len(), 1);
}

pub(crate) fn sessions_end(db: &Db) {
    let user = UserRow { id: "u1".into(), username: "王".into(), role: "operator".into(), ..UserRow::default() };
    let session = |token: &str, expires_at| SessionRow {
        token_sha256: token.into(),
        user_id: "u1".into(),
        created_at: 0,
        expires_at,
    };
    db.store
        .write(|tx| {
            assert_eq!(users::count(tx)?, 0);
            users::insert(tx, "bank", &user)?;
            sessions::insert(tx, &session("short", 10))?;
            sessions::insert(tx, &session("long", 100))?;
            let login = users::by_username(tx, "王")?.unwrap();
            assert_eq!((login.user, login.tenant.as_str()), (user.clone(), "bank"));
            assert_eq!(users::by_username(tx, "李")?, None);
            assert_eq!(sessions::user_of(tx, "short", 9)?.unwrap().user.id, "u1");
            assert_eq!(sessions::user_of(tx, "short", 10)?, None);
            assert_eq!(sessions::remove_expired(tx, 10)?, 1);
            assert!(users::set_disabled(tx, "bank", "u1", Some(5))?);
            assert_eq!(sessions::user_of(tx, "long", 9)?, None);
            users::set_disabled(tx, "bank", "u1", None)?;
            assert!(sessions::user_of(tx, "long", 9)?.is_some());
            assert!(!users::set_password(tx, "other", "u1", "hash")?);
            assert!(users::set_password(tx, "bank", "u1", "hash")?);
            assert!(sessions::remove(tx, "long")?);
            assert!(!sessions::remove(tx, "long")?);
            sessions::insert(tx, &session("again", 100))?;
            assert_eq!(sessions::remove_of_user(tx, "u1")?, 1);
            Ok(())
        })
        .unwrap();
    let error =
        db.store.write(|tx| users::insert(tx, "other", &UserRow { id: "u2".into(), ..user.clone() })).unwrap_err();
    assert!(error.is_duplicate(), "a username is unique in the whole store");
}

pub(crate) fn tenants_and_settings(db: &Db) {
    let bank =
        TenantRow { id: "bank".into(), name: "银行".into(), currency: "CNY".into(), zone: "Asia/Shanghai".into() };
    db.store
        .write(|tx| {
            tenants::put(tx, &TenantRow { name: "old".into(), ..bank.clone() })?;
            tenants::put(tx, &bank)?;
            assert_eq!(tenants::by_id(tx, "bank")?, Some(bank.clone()));
            assert_eq!(tenants::by_id(tx, "nowhere")?, None);
            assert_eq!(tenants::list(tx)?.len(), 1);
            assert_eq!(tenants::setting(tx, "log_key")?, None);
            tenants::put_setting(tx, "log_key", "a")?;
            tenants::put_setting(tx, "log_key", "b")?;
            assert_eq!(tenants::setting(tx, "log_key")?.as_deref(), Some("b"));
            Ok(())
        })
        .unwrap();
}

pub(crate) fn what_a_new_judgement_no_longer_sees_is_removed(db: &Db) {
    fixture::fill(db);
    let scope = Scope::all("bank");
    let id = payment_id(12);
    db.store
        .write(|tx| {
            assert!(exceptions::remove(tx, "bank", &id, "K7")?);
            assert!(!exceptions::remove(tx, "bank", &id, "K7")?);
            let left = exceptions::of_payments(tx, &scope, &[&id])?;
            assert_eq!(left.iter().map(|it| it.exception.kind.as_str()).collect::<Vec<_>>(), ["K8"]);
            let class = breaks::of_payment(tx, &scope, &id)?.remove(0).class;
            assert!(breaks::remove(tx, "bank", &id, &class)?);
            assert_eq!(breaks::of_payment(tx, &scope, &id)?, []);
            assert_eq!(episodes::clear(tx, "bank")?, 3);
            let rejects = files::rejects(tx, &scope, Some(&format!("{:064}", 1)), &PageRequest::first(50))?;
            assert_eq!(rejects.items.len(), 7);
            Ok(())
        })
        .unwrap();
    let other = db.store.read(|tx| exceptions::of_payments(tx, &Scope::all("other"), &[&id])).unwrap();
    assert_eq!(other.len(), 2, "another tenant keeps its own");
}
