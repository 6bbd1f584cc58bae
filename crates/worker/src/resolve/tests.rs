//! Steps over a store: what is written, what is refused, what verification finds.

use onus_casework::resolution::{BreakId, Proposal, ResolutionAction, ResolutionPack, ResolutionState, Step};
use onus_evidence::SigningKey;
use onus_model::{BreakClass, Instant};
use onus_store::breaks::{self, BreakRow};
use onus_store::payments::{self, PaymentRow};
use onus_store::resolutions::{self, ResolutionRow};
use onus_store::testing::{SqliteDb, sqlite};
use onus_store::{Scope, Value};

use super::{NotTaken, Resolver, sign};
use crate::verify;

const T: &str = "bank";
const PAYMENT: &str = "2026-09-21.29000001.000001.000011";

struct Bench {
    db: SqliteDb,
    key: SigningKey,
    pack: ResolutionPack,
}

fn bench() -> Bench {
    let db = sqlite();
    let payment = PaymentRow {
        id: PAYMENT.into(),
        amount_minor: 1_000,
        card_type: "debit".into(),
        refs: onus_store::refs::encode_refs(&[]),
        ..PaymentRow::default()
    };
    let made =
        Bench { db, key: SigningKey::from_seed("t/log", [1; 32]).unwrap(), pack: ResolutionPack::builtin().unwrap() };
    made.db.store.write(|tx| payments::put(tx, T, [&payment])).unwrap();
    made.found("AMT_CLEAR", "1200");
    made.found("SWITCH_ONLY", "1000");
    made
}

fn id(class: BreakClass) -> BreakId {
    BreakId { payment: PAYMENT.to_owned(), class }
}

fn propose(action: ResolutionAction) -> Step {
    Step::Propose(Proposal { action, amount_minor: 200, party: None, documents: "slip".into(), note: "because".into() })
}

fn approve() -> Step {
    Step::Approve { note: String::new() }
}

impl Bench {
    /// Judging found a break, new or again.
    fn found(&self, class: &str, found: &str) {
        let row = BreakRow {
            payment_id: PAYMENT.into(),
            class: class.into(),
            expected: "1000".into(),
            found: found.into(),
            difference_minor: 200,
            ..BreakRow::default()
        };
        self.db.store.write(|tx| breaks::put(tx, T, [&row])).unwrap();
    }

    fn resolver(&self) -> Resolver<'_> {
        Resolver { tenant: T, key: &self.key, pack: &self.pack, now: Instant(1_790_000_000_000_000) }
    }

    fn take(&self, id: &BreakId, step: &Step, by: &str, version: Option<i64>) -> Result<ResolutionRow, NotTaken> {
        self.db.store.write(|tx| self.resolver().take(tx, id, step, by, version)).unwrap()
    }

    /// What an import does at its end.
    fn judged(&self) -> u64 {
        let work = |tx: &mut onus_store::Tx<'_>| {
            let n_reopened = self.resolver().reopen_changed(tx)?;
            sign(tx, T, &self.key, Instant(1_790_000_000_000_001))?;
            Ok(n_reopened)
        };
        self.db.store.write(work).unwrap()
    }

    fn state(&self, class: &str) -> String {
        let rows = self.db.store.read(|tx| resolutions::of_payment(tx, &Scope::all(T), PAYMENT)).unwrap();
        rows.into_iter().find(|row| row.class == class).map(|row| row.state).unwrap_or_default()
    }

    fn faults(&self) -> Vec<String> {
        let report = verify(&self.db.store, T, &self.key.verifying_key()).unwrap();
        assert_eq!(report.log_faults, [""; 0]);
        report.table_faults
    }
}

#[test]
fn each_step_is_logged_and_signed() {
    let bench = bench();
    let id = id(BreakClass::AmountClear);
    bench.take(&id, &propose(ResolutionAction::CreditAdjustment), "ann", Some(0)).unwrap();
    bench.take(&id, &approve(), "bob", Some(1)).unwrap();
    let act = Step::Act { reference: "E32-7".into(), note: String::new() };
    let row = bench.take(&id, &act, "ann", None).unwrap();
    assert_eq!((row.state.as_str(), row.version, row.reference.as_str()), ("acted", 3, "E32-7"));
    assert_eq!((row.maker.as_str(), row.checker.as_str()), ("ann", "bob"));
    let steps = bench.db.store.read(|tx| resolutions::steps(tx, &Scope::all(T), PAYMENT, "AMT_CLEAR")).unwrap();
    let told: Vec<_> = steps.iter().map(|step| (step.step.as_str(), step.author.as_str(), step.entry_index)).collect();
    assert_eq!(told, [("propose", "ann", 0), ("approve", "bob", 1), ("act", "ann", 2)]);
    let report = verify(&bench.db.store, T, &bench.key.verifying_key()).unwrap();
    assert!(report.is_sound(), "{report:?}");
    assert_eq!((report.entries, report.checkpoints), (3, 3));
}

#[test]
fn what_is_refused_changes_nothing() {
    let bench = bench();
    let one = id(BreakClass::AmountClear);
    let nobody = BreakId { payment: "2026-09-21.1.1.1".into(), class: BreakClass::AmountClear };
    assert_eq!(
        bench.take(&nobody, &approve(), "bob", None),
        Err(NotTaken::Unknown("2026-09-21.1.1.1.AMT_CLEAR".into()))
    );
    assert!(matches!(bench.take(&id(BreakClass::MccJump), &approve(), "bob", None), Err(NotTaken::Unknown(_))));
    let claim = propose(ResolutionAction::Claim);
    let refused = bench.take(&one, &claim, "ann", None).unwrap_err();
    assert!(refused.to_string().contains("debit cards have no claim"), "{refused}");
    bench.take(&one, &propose(ResolutionAction::CreditAdjustment), "ann", None).unwrap();
    assert!(matches!(bench.take(&one, &approve(), "ann", None), Err(NotTaken::Refused(_))));
    let stale = bench.take(&one, &approve(), "bob", Some(0)).unwrap_err();
    assert_eq!(stale, NotTaken::Stale { expected: 0, found: 1 });
    // The other break of the payment: a credit adjustment is under way.
    let other = bench.take(&id(BreakClass::SwitchOnly), &propose(ResolutionAction::CreditAdjustment), "ann", None);
    assert!(other.unwrap_err().to_string().contains("2028"));
    let report = verify(&bench.db.store, T, &bench.key.verifying_key()).unwrap();
    assert!(report.is_sound() && report.entries == 1, "{report:?}");
}

#[test]
fn a_resolved_break_never_comes_back_as_new() {
    let bench = bench();
    let id = id(BreakClass::AmountClear);
    bench.take(&id, &propose(ResolutionAction::Explained), "ann", None).unwrap();
    bench.take(&id, &approve(), "bob", None).unwrap();
    assert_eq!(bench.state("AMT_CLEAR"), "confirmed");
    // Judged again, gone for a while, and back as it was.
    bench.found("AMT_CLEAR", "1200");
    assert_eq!(bench.judged(), 0);
    bench.db.store.write(|tx| breaks::remove(tx, T, PAYMENT, "AMT_CLEAR")).unwrap();
    assert_eq!(bench.judged(), 0);
    bench.found("AMT_CLEAR", "1200");
    assert_eq!((bench.judged(), bench.state("AMT_CLEAR").as_str()), (0, "confirmed"));
    // Other facts.
    bench.found("AMT_CLEAR", "1300");
    assert_eq!((bench.judged(), bench.state("AMT_CLEAR").as_str()), (1, "reopened"));
    assert_eq!(bench.judged(), 0);
    let steps = bench.db.store.read(|tx| resolutions::steps(tx, &Scope::all(T), PAYMENT, "AMT_CLEAR")).unwrap();
    let last = steps.last().unwrap();
    assert_eq!((last.author.as_str(), last.note.as_str()), ("onus", r#"found: "1200" -> "1300""#));
    assert_eq!(ResolutionState::parse(&last.state), Some(ResolutionState::Reopened));
    assert_eq!(bench.faults(), [""; 0]);
    bench.take(&id, &propose(ResolutionAction::CreditAdjustment), "bob", Some(3)).unwrap();
}

#[test]
fn what_was_altered_is_named() {
    let table = [
        ("update resolution_steps set author = 'eve' where version = 2", "step 2 of break", "is not what"),
        ("delete from resolution_steps where version = 1", "step 1 of break", "is missing from the table"),
        ("update resolutions set amount_minor = 9", "the resolution of break", "is not what its last step says"),
        ("delete from resolutions", "the resolution of break", "is missing"),
        ("update log_entries set idx = idx where 1 = 0", "", ""),
    ];
    for (sql, what, how) in table {
        let bench = bench();
        let id = id(BreakClass::AmountClear);
        bench.take(&id, &propose(ResolutionAction::CreditAdjustment), "ann", None).unwrap();
        bench.take(&id, &approve(), "bob", None).unwrap();
        bench.db.store.write(|tx| tx.execute(sql, &[] as &[Value<'_>])).unwrap();
        let faults = bench.faults();
        let named = faults.iter().any(|fault| fault.contains(what) && fault.contains(how));
        assert_eq!((named, faults.is_empty()), (!what.is_empty(), what.is_empty()), "{sql}: {faults:?}");
    }
}
