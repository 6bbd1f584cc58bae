//! What holds of every verdict of the shipped packs, whatever the facts.
#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

use std::sync::LazyLock;

use onus_liability::{
    FactKind, Facts, Pack, PartySet, VOCABULARY, Value, decide, fact_id, facts_sha256, judge, kind_of, outcome_sha256,
    split_minor, verdict_sha256,
};
use onus_model::{AgentBasis, ExceptionKind, Party};
use proptest::prelude::*;

static PACKS: LazyLock<[Pack; 2]> = LazyLock::new(|| [Pack::builtin_cn().unwrap(), Pack::builtin_intl().unwrap()]);

/// A value of a fact's type, by a number.
fn value(kind: FactKind, pick: usize) -> Value {
    let codes = ["96", "A0", "4515", "4527", "58", "51", "96", "98"];
    match kind {
        FactKind::Bool => Value::Bool(pick.is_multiple_of(2)),
        FactKind::Code => Value::Code(codes[pick % codes.len()].into()),
        FactKind::Word(words) => Value::Word(u8::try_from(pick % words.len()).unwrap()),
        FactKind::Party => Value::Parties(PartySet::one(Party::ALL[pick % Party::ALL.len()])),
        FactKind::Parties => {
            Value::Parties((0..=pick % 3).map(|step| Party::ALL[(pick + step) % Party::ALL.len()]).collect())
        }
        FactKind::Money => Value::Money { minor: i64::try_from(pick * 997).unwrap(), currency: *b"CNY" },
        FactKind::Percent => Value::Percent(i64::try_from(pick % 101).unwrap() * 100),
        FactKind::Date => Value::Date { from: 20_260_101, to: 20_261_231 },
        FactKind::Duration => Value::Duration(i64::try_from(pick).unwrap()),
        FactKind::Country => Value::Country([*b"CN", *b"BR", *b"DE", *b"US"][pick % 4]),
    }
}

fn facts(picks: &[(usize, usize)]) -> Facts {
    let mut facts = Facts::default();
    for (place, pick) in picks {
        let id = u16::try_from(place % VOCABULARY.len()).unwrap();
        facts.set(id, value(VOCABULARY[usize::from(id)].kind, *pick), "test");
    }
    facts
}

fn picks() -> impl Strategy<Value = Vec<(usize, usize)>> {
    prop::collection::vec((0..1000_usize, 0..1000_usize), 0..60)
}

proptest! {
    /// Shares are a whole or nothing, parts of money never exceed the loss, and an agent is charged with a basis and on a
    /// cause that carries a decision.
    #[test]
    fn shares_and_agents(picks in picks(), kind in 0..8_usize, loss in 0..1_000_000_000_i64) {
        let facts = facts(&picks);
        let [cn, intl] = &*PACKS;
        for (pack, kind) in [(cn, Some(ExceptionKind::ALL[kind])), (intl, None)] {
            let outcome = judge(pack, kind, &facts);
            let sum: u32 = outcome.shares.parts().iter().map(|(_, bp)| u32::from(*bp)).sum();
            prop_assert!(sum == 10_000 || outcome.shares.parts().is_empty());
            let recovered: i64 = split_minor(loss, &outcome.shares).iter().map(|(_, part)| part).sum();
            prop_assert!(recovered <= loss);
            let charged = outcome.shares.of(Party::Agent) > 0 || outcome.outward == Some(Party::Agent);
            prop_assert_eq!(charged, outcome.agent_basis != AgentBasis::None, "{}", outcome.rule_id());
            if charged && pack.has_causes() {
                prop_assert!(outcome.status.carries_a_decision());
            }
        }
    }

    /// The order in which facts are told does not matter.
    #[test]
    fn order_of_facts(picks in picks()) {
        // A fact told twice holds its last value; told once each, order must not show.
        let mut once: Vec<(usize, usize)> = Vec::new();
        for (place, pick) in picks {
            let place = place % VOCABULARY.len();
            if once.iter().all(|(known, _)| *known != place) {
                once.push((place, pick));
            }
        }
        let forward = facts(&once);
        once.reverse();
        let backward = facts(&once);
        let [_, intl] = &*PACKS;
        prop_assert_eq!(facts_sha256(&forward), facts_sha256(&backward));
        let (one, other) = (judge(intl, None, &forward), judge(intl, None, &backward));
        prop_assert_eq!(outcome_sha256(intl, &forward, &one), outcome_sha256(intl, &backward, &other));
    }

    /// Learning what speaks for a party never raises that party's share, whoever it is.
    #[test]
    fn exculpating_evidence_never_raises_a_share(picks in picks(), kind in 0..8_usize) {
        let facts = facts(&picks);
        let [cn, intl] = &*PACKS;
        for fact in VOCABULARY.iter() {
            let Some((value, party)) = fact.exculpates.clone() else { continue };
            let id = fact_id(fact.name).unwrap();
            let (mut silent, mut more) = (facts.clone(), facts.clone());
            silent.forget(id);
            more.set(id, value, "test");
            let packs = [(cn, Some(ExceptionKind::ALL[kind])), (intl, None)];
            // For an agent it holds even where the fact was told the other way before and is corrected now; for others
            // it cannot (`a_refuted_ground_may_leave_the_loss_where_it_lies`).
            let known = if party == Party::Agent { &facts } else { &silent };
            for ((pack, kind), known) in packs.into_iter().flat_map(|pack| [(pack, &silent), (pack, known)]) {
                let (before, after) = (judge(pack, kind, known), judge(pack, kind, &more));
                // Where the cause itself is another one now, another hop answers.
                if before.cause == after.cause {
                    prop_assert!(
                        after.shares.of(party) <= before.shares.of(party),
                        "{} makes {party} bear more: {} {} -> {} {}",
                        fact.name, before.rule_id(), before.shares.to_json(), after.rule_id(), after.shares.to_json()
                    );
                }
            }
        }
    }
}

/// Same pack, same facts, same hash, for ever. When a pack's files change, its hash does, and this line with it.
#[test]
fn replay_gives_the_same_hashes() {
    let [cn, intl] = &*PACKS;
    let mut facts = Facts::default();
    facts.word("kind", "K4", "measured:four legs");
    facts.yes("wire.forwarded", true, "switch@1");
    facts.yes("wire.answered", false, "switch@1");
    facts.yes("episode.network_line", true, "measured:episode");
    assert_eq!(facts_sha256(&facts), FACTS);
    let verdict = decide(cn, ExceptionKind::Reversed, &facts, 8_600).unwrap();
    let decided = format!("{} {} {} {}", verdict.cause, verdict.status, verdict.rule_id, verdict.shares.to_json());
    assert_eq!(decided, r#"NET.UP confirmed net-up-reversed {"network":10000}"#);
    for (pack, again) in [(cn, Pack::builtin_cn().unwrap()), (intl, Pack::builtin_intl().unwrap())] {
        let (one, other) = (judge(pack, kind_of(&facts), &facts), judge(&again, kind_of(&facts), &facts));
        assert_eq!(outcome_sha256(pack, &facts, &one), outcome_sha256(&again, &facts, &other));
    }
    let replayed = decide(&Pack::builtin_cn().unwrap(), ExceptionKind::Reversed, &facts, 8_600).unwrap();
    assert_eq!(verdict_sha256(cn, &facts, &verdict), verdict_sha256(cn, &facts, &replayed));
}

/// Hash of the facts above.
const FACTS: &str = "edff9133587e245e0b3f66bd5f64295fdffa967da712c95aaf477c6037e31299";

/// Why a correction of what was known is ordered for agents only: whoever shared a loss on the refuted ground goes with
/// it, and the loss falls back to where it lies. By default it never lies with an agent.
#[test]
fn a_refuted_ground_may_leave_the_loss_where_it_lies() {
    let [_, intl] = &*PACKS;
    let mut known = Facts::default();
    known.yes("onboarding.identity_verified", false, "file@1");
    known.yes("merchant.access_careless", true, "visit@1");
    known.word("loss.held_now_by", "acquirer", "ledger@1");
    let mut corrected = known.clone();
    corrected.yes("onboarding.identity_verified", true, "file@2");
    let (before, after) = (judge(intl, None, &known), judge(intl, None, &corrected));
    assert_eq!((before.rule_id(), before.shares.of(Party::Acquirer)), ("onboarding", 6_000));
    assert_eq!((after.rule_id(), after.shares.of(Party::Acquirer)), ("loss-stays", 10_000));

    // With a breach of the agent on the same ground: refuted, the agent is out, and stays out wherever the loss lies.
    known.yes("agent.breach_proven", true, "audit@1");
    assert!(judge(intl, None, &known).shares.of(Party::Agent) > 0);
    for holder in ["acquirer", "merchant", "agent"] {
        corrected.word("loss.held_now_by", holder, "ledger@1");
        let after = judge(intl, None, &corrected);
        assert_eq!(after.agent_basis, AgentBasis::None, "{holder}: {}", after.rule_id());
    }
}
