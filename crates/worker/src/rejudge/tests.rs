//! A store with two verdicts: another pack, limits that wait, two people, and what verification finds afterwards.

use onus_casework::Calendar;
use onus_casework::dual_control::DecisionStep;
use onus_evidence::SigningKey;
use onus_liability::{Facts, Pack, PackFiles, shipped};
use onus_model::{Instant, Zone};
use onus_store::cases::{self, CaseFilter};
use onus_store::exceptions::ExceptionRow;
use onus_store::rejudgements::{self, RejudgementFilter, RejudgementItem};
use onus_store::testing::{SqliteDb, sqlite};
use onus_store::{PageRequest, ledger, tenants};

use super::*;
use crate::{add_pack, decide_pack, limits, live_pack, packs, shadow, verify, verify_limit};

const T: &str = "bank";
const P1: &str = "2026-09-21.29000001.000001.000011";
const P2: &str = "2026-09-21.29000001.000001.000012";
/// A year later than the first verdicts.
const LATER: Instant = Instant(1_790_000_000_000_000 + 365 * 86_400_000_000);

struct Bench {
    db: SqliteDb,
    key: SigningKey,
    tenant: TenantRow,
}

fn author(by: &str) -> Author<'_> {
    Author { tenant: T, by, note: "compared with the rules", now: LATER }
}

/// The shipped pack with other shares for an inspection that was missed.
fn draft() -> (String, PackFiles<'static>) {
    let files = shipped("cn-default-1").unwrap();
    (files.rules.replace("{ acquirer = 6000, agent = 4000 }", "{ acquirer = 8000, agent = 2000 }"), files)
}

fn missed_inspection() -> Facts {
    let mut facts = Facts::default();
    facts.yes("break.merchant_swapped", true, "switch@1");
    facts.word("terminal.program_visit", "none", "custody@1");
    facts.yes("terminal.last_inspection_overdue", true, "inspections@1");
    facts
}

fn slip_missing() -> Facts {
    let mut facts = Facts::default();
    facts.word("dispute.reason", "4515", "disputes@1");
    facts.word("dispute.rule_broken", "none", "disputes@1");
    facts.word("slip.state", "missing", "slips@1");
    facts.yes("slip.printed", true, "journal@1");
    facts.word("slip.kept_by", "agent", "slips@1");
    facts
}

fn bench() -> Bench {
    let tenant = TenantRow { id: T.into(), name: T.into(), currency: "CNY".into(), zone: "Asia/Shanghai".into() };
    let made = Bench { db: sqlite(), key: SigningKey::from_seed("t/log", [1; 32]).unwrap(), tenant };
    let pack = Pack::builtin_cn().unwrap();
    let now = Instant(1_790_000_000_000_000);
    let zone = Zone::named("Asia/Shanghai").unwrap();
    let calendar = Calendar::builtin_cn().unwrap();
    let reviser = Reviser::new(pack, Default::default(), calendar, zone, now, "CNY".parse().unwrap());
    let mut rows = Rows::default();
    for (id, kind, facts) in
        [(P1, ExceptionKind::Diverted, missed_inspection()), (P2, ExceptionKind::ChargedBack, slip_missing())]
    {
        let row = ExceptionRow {
            payment_id: id.into(),
            tid: "29000001".into(),
            merchant_code: "898420154110001".into(),
            agent_code: "A01".into(),
            amount_minor: 10_000,
            ..ExceptionRow::default()
        };
        let verdict = decide(&reviser.pack, kind, &facts, 10_000).unwrap();
        let sha256 = verdict_sha256(&reviser.pack, &facts, &verdict);
        reviser.add(&OnPayment::of(&row, Vec::new()), &verdict, &sha256, &facts, 1, 0, &mut rows).unwrap();
    }
    made.db
        .store
        .write(|tx| {
            tenants::put(tx, &made.tenant)?;
            write_rows(tx, T, &rows, now.0)?;
            sign(tx, T, &made.key, now)
        })
        .unwrap();
    made
}

impl Bench {
    fn listed(&self) -> Vec<RejudgementItem> {
        let request = PageRequest::first(50);
        self.db
            .store
            .read(|tx| rejudgements::list(tx, &Scope::all(T), &RejudgementFilter::default(), &request))
            .unwrap()
            .items
    }

    fn take(&self, by: &str, step: DecisionStep) -> Vec<String> {
        let ids: Vec<String> = self.listed().into_iter().map(|item| item.row.id).collect();
        let answers = self
            .db
            .store
            .write(|tx| decide_rejudgements(tx, &author(by), &self.key, &self.tenant, &ids, step))
            .unwrap();
        answers.into_iter().map(|answer| answer.map_or_else(|why| why.to_string(), |row| row.state)).collect()
    }

    fn exception(&self, id: &str, kind: &str) -> ExceptionRow {
        self.db.store.read(|tx| onus_store::exceptions::by_key(tx, &Scope::all(T), id, kind)).unwrap().unwrap()
    }

    fn in_force(&self, step: DecisionStep, by: &str, sha256: &str) -> String {
        let answer = self.db.store.write(|tx| decide_pack(tx, &author(by), &self.key, sha256, step)).unwrap();
        answer.map_or_else(|why| why.to_string(), |row| row.state)
    }

    fn agent_owes(&self) -> i64 {
        let balances = self.db.store.read(|tx| ledger::balances(tx, T)).unwrap();
        balances.iter().filter(|(_, party, _)| party.contains("agent")).map(|(_, _, sum)| *sum).sum()
    }

    fn is_sound(&self) {
        let report = verify(&self.db.store, T, &self.key.verifying_key()).unwrap();
        assert!(report.is_sound(), "{report:?}");
    }
}

#[test]
fn a_new_pack_changes_what_stands_only_when_two_people_say_so() {
    let bench = bench();
    let (rules, files) = draft();
    let files = PackFiles { rules: &rules, ..files };
    let draft = bench.db.store.write(|tx| add_pack(tx, &author("wang"), &files)).unwrap();
    let live_before = bench.db.store.read(|tx| live_pack(tx, T)).unwrap();

    // Beside the one in force it changes nothing, and says what it would.
    let pack = Pack::load(&files).unwrap();
    let told = shadow(&bench.db.store, T, &pack, Some(LATER), 10, 2).unwrap();
    assert_eq!((told.all.cases, told.all.changed, told.since.cases, told.without_facts), (2, 1, 0, 0));
    assert_eq!(told.all.by_party[&onus_model::Party::Agent], -2_000);
    assert_eq!((told.examples.len(), told.examples[0].0.as_str()), (1, P1));
    assert_eq!(rejudge(&bench.db.store, T, LATER).unwrap(), Rejudged::default());

    // In force, after two people.
    assert_eq!(bench.in_force(DecisionStep::Propose, "wang", &draft.sha256), "proposed");
    assert!(bench.in_force(DecisionStep::Approve, "wang", &draft.sha256).contains("another person"));
    assert_eq!(bench.in_force(DecisionStep::Approve, "li", &draft.sha256), "approved");
    let live = bench.db.store.read(|tx| live_pack(tx, T)).unwrap();
    assert_ne!(live.sha256, live_before.sha256);
    let standings = bench.db.store.read(|tx| packs(tx, &Scope::all(T))).unwrap();
    assert_eq!(standings.iter().map(|one| one.live).collect::<Vec<_>>(), [false, true]);

    // What stands is listed, once, and stays.
    let before = bench.exception(P1, "K6");
    let expected = Rejudged { judged: 2, changed: 1, without_facts: 0 };
    assert_eq!(rejudge(&bench.db.store, T, LATER).unwrap(), expected);
    assert_eq!(rejudge(&bench.db.store, T, LATER).unwrap(), expected);
    let listed = bench.listed();
    let row = &listed[0].row;
    assert_eq!((listed.len(), listed[0].state.as_str(), row.why.as_str()), (1, "listed", "pack"));
    assert_eq!((row.moved_minor, row.agent_minor, row.from_revision), (2_000, -2_000, 1));
    assert_eq!(bench.exception(P1, "K6"), before);
    let owed = bench.agent_owes();

    assert!(bench.take("wang", DecisionStep::Approve)[0].contains("approve is not possible"));
    assert_eq!(bench.take("wang", DecisionStep::Propose), ["proposed"]);
    assert!(bench.take("wang", DecisionStep::Approve)[0].contains("another person decides"));
    assert_eq!(bench.exception(P1, "K6"), before);
    assert_eq!(bench.take("li", DecisionStep::Approve), ["approved"]);

    // The next revision stands; the old one is kept, with its facts, in the log and in the ledger.
    let after = bench.exception(P1, "K6");
    assert_eq!((after.revision, after.shares.as_str()), (2, r#"{"acquirer":8000,"agent":2000}"#));
    assert_eq!((bench.agent_owes() - owed).abs(), 2_000);
    let facts =
        |revision| bench.db.store.read(|tx| rejudgements::facts_of(tx, T, P1, "K6", revision)).unwrap().unwrap();
    assert_eq!((facts(1).pack_sha256, facts(2).pack_sha256), (live_before.sha256, live.sha256));
    assert_eq!(facts(1).facts, facts(2).facts);
    bench.is_sound();
    // The other verdict came out the same, and stands as it was decided.
    assert_eq!(bench.exception(P2, "K8").revision, 1);
    assert_eq!(rejudge(&bench.db.store, T, LATER).unwrap(), Rejudged { judged: 1, changed: 0, without_facts: 0 });
    assert!(bench.take("li", DecisionStep::Propose)[0].contains("out of date"));
}

#[test]
fn what_is_rejected_stays_and_is_not_listed_again() {
    let bench = bench();
    let (rules, files) = draft();
    let files = PackFiles { rules: &rules, ..files };
    let draft = bench.db.store.write(|tx| add_pack(tx, &author("wang"), &files)).unwrap();
    bench.in_force(DecisionStep::Propose, "wang", &draft.sha256);
    bench.in_force(DecisionStep::Approve, "li", &draft.sha256);
    rejudge(&bench.db.store, T, LATER).unwrap();
    let before = bench.exception(P1, "K6");
    assert_eq!(bench.take("wang", DecisionStep::Reject), ["rejected"]);
    rejudge(&bench.db.store, T, LATER).unwrap();
    assert_eq!((bench.listed().len(), bench.listed()[0].state.as_str()), (1, "rejected"));
    assert_eq!(bench.exception(P1, "K6"), before);
    // Back to the shipped pack: what was proposed under the other one cannot come true any more.
    assert_eq!(bench.take("wang", DecisionStep::Propose), ["proposed"]);
    assert_eq!(bench.in_force(DecisionStep::Revoke, "li", &draft.sha256), "revoked");
    assert!(bench.take("li", DecisionStep::Approve)[0].contains("another pack is in force"));
    bench.is_sound();
}

#[test]
fn money_and_lateness_wait_for_a_verified_limit() {
    let bench = bench();
    let scope = Scope::all(T);
    let overdue = || {
        let (filter, request) = (CaseFilter::default(), PageRequest::first(9));
        let page = bench.db.store.read(|tx| cases::list(tx, &scope, &filter, LATER.0, &request)).unwrap();
        page.items.into_iter().map(|item| (item.case.kind, item.overdue)).collect::<Vec<_>>()
    };
    let booked = || {
        let lines = bench.db.store.read(|tx| ledger::of_case(tx, &scope, &format!("{P2}.K8"))).unwrap();
        lines.len()
    };
    let limit = || {
        let all = bench.db.store.read(|tx| limits(tx, &scope)).unwrap();
        all.into_iter().find(|one| one.limit.id == "cn-default-1:rule:slip-agent").unwrap()
    };
    let step = |by: &str, step| {
        let id = limit().limit.id;
        let answer =
            bench.db.store.write(|tx| verify_limit(tx, &author(by), &bench.key, &bench.tenant, &id, step)).unwrap();
        answer.map_or_else(|why| why.to_string(), |row| row.state)
    };
    let mut late = overdue();
    late.sort();
    assert_eq!(late, [("K6".to_owned(), true), ("K8".to_owned(), false)]);
    assert_eq!((booked(), limit().waiting, limit().automation), (0, 1, onus_model::Automation::Manual));

    assert_eq!(step("wang", DecisionStep::Propose), "proposed");
    assert!(step("wang", DecisionStep::Approve).contains("another person"));
    assert_eq!((booked(), overdue().iter().filter(|(_, late)| *late).count()), (0, 1));
    assert_eq!(step("li", DecisionStep::Approve), "approved");
    assert!(booked() > 0);
    assert_eq!(overdue().iter().filter(|(_, late)| *late).count(), 2);
    assert_eq!(limit().automation, onus_model::Automation::Automatic);
    let lines = booked();

    // Ended again, nothing more happens by itself; what was booked stays.
    assert_eq!(step("zhao", DecisionStep::Revoke), "revoked");
    assert_eq!((booked(), overdue().iter().filter(|(_, late)| *late).count()), (lines, 1));
    assert_eq!(limit().automation, onus_model::Automation::Manual);
    let unknown = bench.db.store.write(|tx| {
        verify_limit(
            tx,
            &author("li"),
            &bench.key,
            &bench.tenant,
            "cn-default-1:rule:net-up-reversed",
            DecisionStep::Propose,
        )
    });
    assert!(unknown.unwrap().is_err());
    bench.is_sound();

    // The table of decisions says what the log says, or verification names it.
    bench
        .db
        .store
        .write(|tx| tx.execute("update approvals set state = 'approved' where subject = 'limit'", &[]))
        .unwrap();
    let report = verify(&bench.db.store, T, &bench.key.verifying_key()).unwrap();
    assert_eq!(report.table_faults, ["limit cn-default-1:rule:slip-agent is not where its last step led"]);
}
