use proptest::prelude::*;

use super::*;

fn pack() -> ResolutionPack {
    ResolutionPack::builtin().unwrap()
}

fn sides(difference_minor: i64) -> Sides {
    Sides { expected: "1000".to_owned(), found: "1200".to_owned(), difference_minor }
}

fn credit(class: BreakClass) -> Circumstances {
    Circumstances {
        class,
        sides: Some(sides(200)),
        original_minor: 1_000,
        card: CardType::Credit,
        charged_back: true,
        others: Vec::new(),
    }
}

fn proposal(action: ResolutionAction, amount_minor: i64) -> Proposal {
    Proposal {
        action,
        amount_minor,
        party: Some(Party::Agent),
        documents: "slip.pdf".to_owned(),
        note: "why".to_owned(),
    }
}

fn note() -> String {
    "seen".to_owned()
}

fn act() -> Step {
    Step::Act { reference: "E32-1".to_owned(), note: String::new() }
}

/// Takes steps one after another.
fn walk(steps: &[(Step, &str)], now: &Circumstances) -> Result<Resolution, Refusal> {
    let pack = pack();
    steps.iter().try_fold(Resolution::untouched(), |resolution, (step, by)| take(&resolution, step, by, now, &pack))
}

fn proposed(action: ResolutionAction) -> (Step, &'static str) {
    (Step::Propose(proposal(action, 200)), "maker")
}

fn approved() -> (Step, &'static str) {
    (Step::Approve { note: note() }, "checker")
}

#[test]
fn the_long_way_keeps_who_did_what() {
    let now = credit(BreakClass::AmountClear);
    let steps = [
        proposed(ResolutionAction::CreditAdjustment),
        approved(),
        (act(), "maker"),
        (Step::Confirm { note: note() }, "checker"),
    ];
    let resolved = walk(&steps, &now).unwrap();
    assert_eq!((resolved.state, resolved.version), (ResolutionState::Confirmed, 4));
    assert_eq!(
        (resolved.maker.as_str(), resolved.checker.as_str(), resolved.reference.as_str()),
        ("maker", "checker", "E32-1")
    );
    assert_eq!(resolved.sides, sides(200));
}

#[test]
fn what_moves_no_money_is_resolved_by_approval() {
    let resolved = walk(&[proposed(ResolutionAction::Explained), approved()], &credit(BreakClass::MccJump)).unwrap();
    assert_eq!(resolved.state, ResolutionState::Confirmed);
    assert_eq!(resolved.proposal.unwrap().amount_minor, 0);
}

#[test]
fn refusals_of_steps() {
    let now = credit(BreakClass::AmountClear);
    let first = proposed(ResolutionAction::CreditAdjustment);
    let own = (Step::Approve { note: note() }, "maker");
    let reject = |note: &str, by| (Step::Reject { note: note.to_owned() }, by);
    let withdraw = |by| (Step::Withdraw { note: note() }, by);
    let table: [(Vec<(Step, &str)>, &str); 9] = [
        (vec![own.clone()], "wrong_state"),
        (vec![first.clone(), own], "own_proposal"),
        (vec![first.clone(), reject("no", "maker")], "own_proposal"),
        (vec![first.clone(), reject(" ", "checker")], "note_missing"),
        (vec![first.clone(), withdraw("checker")], "not_the_maker"),
        (vec![first.clone(), (act(), "maker")], "wrong_state"),
        (
            vec![first.clone(), approved(), (Step::Act { reference: " ".to_owned(), note: note() }, "maker")],
            "reference_missing",
        ),
        (vec![first.clone(), approved(), approved()], "wrong_state"),
        (vec![first, approved(), (act(), "maker"), withdraw("maker")], "wrong_state"),
    ];
    for (steps, expected) in table {
        let refusal = walk(&steps, &now).unwrap_err();
        assert_eq!(refusal.code(), expected, "{steps:?}");
        assert!(!refusal.text().zh.is_empty() && !refusal.text().en.is_empty());
    }
    assert_eq!(
        Refusal::State { state: ResolutionState::Open, step: StepKind::Act }.to_string(),
        "a resolution in state open does not allow act; it allows: propose"
    );
}

#[test]
fn no_card_number_is_kept() {
    let table = [
        ("card 6222020000000000009 was read twice", false),
        ("card 6222 0200 0000 0000 000 was read twice", true),
        ("paid 2026-09-21 120000 00000000", false),
        ("4111-1111-1111-1111", true),
        ("411111******1111", false),
        ("order 1111111111111117", false),
        ("2026-09-21 10:20:30 120000", false),
        ("", false),
    ];
    for (text, expected) in table {
        assert_eq!(card_numbers::holds_one(text), expected, "{text}");
    }
    let proposal = Proposal { note: "4111111111111111".to_owned(), ..proposal(ResolutionAction::Explained, 0) };
    let refused = walk(&[(Step::Propose(proposal), "maker")], &credit(BreakClass::MccJump)).unwrap_err();
    assert_eq!(refused, Refusal::CardNumber);
}

#[test]
fn guards_of_the_domain() {
    use BreakClass as B;
    use ResolutionAction as A;
    let debit = |class| Circumstances { card: CardType::Debit, ..credit(class) };
    let unknown = |class| Circumstances { card: CardType::Unknown, ..credit(class) };
    let not_back = Circumstances { charged_back: false, ..credit(B::DupClear) };
    let beside = |action, amount_minor| Circumstances {
        others: vec![InForce { action, amount_minor }],
        ..credit(B::AmountClear)
    };
    let repair = Circumstances {
        others: vec![InForce { action: A::PayoutRepair, amount_minor: 900 }],
        ..credit(B::PayoutShort)
    };
    let gone = Circumstances { sides: None, ..credit(B::AmountClear) };
    let bare = |action| Proposal { documents: String::new(), ..proposal(action, 200) };
    let table: [(Proposal, Circumstances, &str); 20] = [
        (proposal(A::CreditAdjustment, 200), credit(B::AmountClear), "ok"),
        (proposal(A::CreditAdjustment, 200), debit(B::AmountClear), "ok"),
        (bare(A::CreditAdjustment), credit(B::AmountClear), "ok"),
        (proposal(A::CreditAdjustment, 1_000), credit(B::AmountClear), "ok"),
        (proposal(A::CreditAdjustment, 1_001), credit(B::AmountClear), "amount_above_original 2047"),
        (proposal(A::CreditAdjustment, 0), credit(B::AmountClear), "amount_not_positive 2047"),
        (proposal(A::CreditAdjustment, -5), credit(B::AmountClear), "amount_not_positive 2047"),
        (proposal(A::Claim, 200), credit(B::AmountClear), "ok"),
        (bare(A::Claim), credit(B::AmountClear), "documents_missing 2055,2056"),
        (proposal(A::Claim, 200), debit(B::SwitchOnly), "debit_has_no_claim 2072"),
        (proposal(A::Claim, 200), unknown(B::SwitchOnly), "debit_has_no_claim 2072"),
        (proposal(A::RePresentment, 200), credit(B::DupClear), "ok"),
        (proposal(A::RePresentment, 200), debit(B::DupClear), "debit_has_no_re_presentment 2073"),
        (proposal(A::RePresentment, 200), not_back, "not_charged_back "),
        (
            proposal(A::Claim, 200),
            beside(A::CreditAdjustment, 100),
            "exclusive_adjustments 2028,2029,2030,2031,2039,2040,2059",
        ),
        (proposal(A::CreditAdjustment, 200), beside(A::PayoutRepair, 1_000), "ok"),
        (proposal(A::PayoutRepair, 101), repair, "payout_above_original "),
        (proposal(A::PayoutRepair, 200), credit(B::AmountClear), "action_not_allowed"),
        (Proposal { party: None, ..proposal(A::Recovery, 200) }, credit(B::MerchantSwapped), "party_missing"),
        (proposal(A::CreditAdjustment, 200), gone, "break_gone"),
    ];
    for (proposal, now, expected) in table {
        let step = Step::Propose(proposal.clone());
        let found = match take(&Resolution::untouched(), &step, "maker", &now, &pack()) {
            Ok(_) => "ok".to_owned(),
            Err(Refusal::Guard { code, network_codes, .. }) => format!("{code} {}", network_codes.join(",")),
            Err(refusal) => refusal.code().to_owned(),
        };
        assert_eq!(found, expected, "{proposal:?} {now:?}");
    }
}

#[test]
fn a_guard_can_be_switched_off() {
    let shipped = include_str!("../../../../packs/resolutions-1/resolutions.toml");
    let (head, tail) = shipped.split_once("code = \"debit_has_no_claim\"").unwrap();
    let tail = tail.replacen("enabled = true", "enabled = false", 1);
    let changed = ResolutionPack::from_toml(&format!("{head}code = \"debit_has_no_claim\"{tail}")).unwrap();
    let now = Circumstances { card: CardType::Debit, ..credit(BreakClass::SwitchOnly) };
    let step = Step::Propose(proposal(ResolutionAction::Claim, 200));
    assert!(take(&Resolution::untouched(), &step, "maker", &now, &pack()).is_err());
    assert!(take(&Resolution::untouched(), &step, "maker", &now, &changed).is_ok());
}

#[test]
fn what_was_allowed_when_proposed_is_looked_at_again() {
    let now = credit(BreakClass::AmountClear);
    let one = walk(&[proposed(ResolutionAction::CreditAdjustment)], &now).unwrap();
    let other = InForce { action: ResolutionAction::Claim, amount_minor: 100 };
    let since = Circumstances { others: vec![other], ..now.clone() };
    let approve = Step::Approve { note: note() };
    assert_eq!(take(&one, &approve, "checker", &since, &pack()).unwrap_err().code(), "guard");
    let changed = Circumstances { sides: Some(sides(300)), ..now.clone() };
    let refusal = take(&one, &approve, "checker", &changed, &pack()).unwrap_err();
    assert_eq!(refusal, Refusal::FactsChanged { what: "difference_minor: 200 -> 300".to_owned() });
    let gone = Circumstances { sides: None, ..now };
    assert_eq!(take(&one, &approve, "checker", &gone, &pack()), Err(Refusal::BreakGone));
}

#[test]
fn a_resolved_break_stays_resolved_until_its_facts_change() {
    let now = credit(BreakClass::AmountClear);
    let resolved = walk(&[proposed(ResolutionAction::Explained), approved()], &now).unwrap();
    assert_eq!(reopened(&resolved, &sides(200)), None);
    let later = Sides { found: "1300".to_owned(), ..sides(300) };
    let (again, reason) = reopened(&resolved, &later).unwrap();
    assert_eq!((again.state, again.version), (ResolutionState::Reopened, 3));
    assert_eq!(reason, r#"found: "1200" -> "1300"; difference_minor: 200 -> 300"#);
    assert_eq!(reopened(&again, &later), None);
    // What is under way is expected to change the records.
    let acted = walk(&[proposed(ResolutionAction::CreditAdjustment), approved(), (act(), "maker")], &now).unwrap();
    assert_eq!(reopened(&acted, &later), None);
    let since = Circumstances { sides: Some(later.clone()), ..now };
    let confirmed = take(&acted, &Step::Confirm { note: note() }, "checker", &since, &pack()).unwrap();
    assert_eq!(reopened(&confirmed, &later), None);
}

#[test]
fn offers_say_what_stands_against_them() {
    let now = Circumstances { card: CardType::Debit, ..credit(BreakClass::AmountClear) };
    let pack = pack();
    let offers: Vec<_> = pack
        .offers(&now)
        .into_iter()
        .map(|offer| (offer.action.code, offer.refusal.map(|refusal| refusal.code()), offer.needs_documents))
        .collect();
    assert_eq!(
        offers,
        [
            (ResolutionAction::CreditAdjustment, None, false),
            (ResolutionAction::Claim, Some("guard"), true),
            (ResolutionAction::Explained, None, false),
        ]
    );
}

#[test]
fn names_and_bands() {
    let id = BreakId::parse("2026-09-21.29000001.000001.000011.MERCHANT_SWAPPED").unwrap();
    assert_eq!((id.payment.as_str(), id.class), ("2026-09-21.29000001.000001.000011", BreakClass::MerchantSwapped));
    assert_eq!(BreakId::parse(&id.to_string()), Some(id));
    for wrong in ["", "MCC", ".MCC", "2026-09-21.29000001.000001.000011.NOTHING"] {
        assert_eq!(BreakId::parse(wrong), None, "{wrong}");
    }
    let band = |days| pack().band(days).unwrap().code.clone();
    let bands: Vec<String> = [-3, 0, 1, 2, 7, 8, 31, 90, 91, 4000].into_iter().map(band).collect();
    assert_eq!(bands, ["d0-1", "d0-1", "d0-1", "d2-3", "d4-7", "d8-30", "d31-90", "d31-90", "d91", "d91"]);
}

#[test]
fn a_pack_that_leaves_something_open_does_not_load() {
    let shipped = include_str!("../../../../packs/resolutions-1/resolutions.toml");
    for (from, to) in [
        ("code = \"MCC\"", "code = \"AMT_TERM\""),
        ("from_days = 2\n", "from_days = 0\n"),
        ("others = [\"credit_adjustment\", \"claim\", \"re_presentment\"]\n", ""),
        ("test = \"charged_back\"", "test = \"full_moon\""),
        ("enabled = true", "enabled = true\nmood = \"good\""),
    ] {
        assert!(shipped.contains(from), "{from}");
        assert!(ResolutionPack::from_toml(&shipped.replacen(from, to, 1)).is_err(), "{from}");
    }
}

fn any_step() -> impl Strategy<Value = Step> {
    let action = prop::sample::select(ResolutionAction::ALL);
    prop_oneof![
        (action, -1_i64..1_500).prop_map(|(action, amount)| Step::Propose(proposal(action, amount))),
        Just(Step::Approve { note: note() }),
        Just(Step::Reject { note: note() }),
        Just(Step::Withdraw { note: note() }),
        Just(act()),
        Just(Step::Confirm { note: note() }),
        Just(Step::Fail { note: note() }),
    ]
}

proptest! {
    /// Whatever people try: money moves only after two of them agreed, and only within the payment.
    #[test]
    fn two_people_stand_behind_what_is_done(
        steps in prop::collection::vec((any_step(), prop::sample::select(vec!["ann", "bob", "eve"])), 0..40),
        class in prop::sample::select(BreakClass::ALL),
        card in prop::sample::select(CardType::ALL),
    ) {
        let (pack, now) = (pack(), Circumstances { card, ..credit(class) });
        let mut resolution = Resolution::untouched();
        for (step, by) in steps {
            let Ok(next) = take(&resolution, &step, by, &now, &pack) else { continue };
            prop_assert_eq!(next.version, resolution.version + 1);
            if matches!(next.state, ResolutionState::Approved | ResolutionState::Acted | ResolutionState::Confirmed) {
                prop_assert!(!next.maker.is_empty() && !next.checker.is_empty() && next.maker != next.checker);
                let proposal = next.proposal.clone().unwrap();
                prop_assert!(proposal.amount_minor <= now.original_minor);
                prop_assert!(proposal.action != ResolutionAction::Claim || card == CardType::Credit);
                prop_assert!((proposal.amount_minor > 0) == pack.moves_money(proposal.action));
            }
            resolution = next;
        }
    }
}
