//! Verdicts and their journals.

use proptest::prelude::*;

use super::*;
use crate::balances::Balances;
use crate::invariants::{recoveries_within, unknown_never_charges, zero_sum};

fn party(text: &str) -> Party {
    text.parse().unwrap()
}

fn verdict(loss: i64, outward: Option<&str>, shares: &[(&str, u16)]) -> VerdictMoney {
    VerdictMoney {
        currency: Currency::CNY,
        loss: Minor::new(loss),
        outward: outward.map(party),
        final_shares: shares.iter().map(|(p, bp)| (party(p), *bp)).collect(),
        beneficiary: party("merchant:M1"),
        unknown: false,
    }
}

/// `account amount` of each line.
fn lines(journal: Option<Journal>) -> Vec<String> {
    journal.map_or_else(Vec::new, |journal| {
        let text = |line: &Line| format!("{} {}", line.account, line.amount);
        journal.lines().iter().map(text).collect()
    })
}

#[test]
fn who_owes_what() {
    type Case<'a> = (&'a str, i64, Option<&'a str>, &'a [(&'a str, u16)], &'a [&'a str]);
    let cases: [Case<'_>; 8] = [
        ("nothing lost", 0, Some("acquirer"), &[("acquirer", 10_000)], &[]),
        ("nobody pays", 500, None, &[("cardholder:C1", 10_000)], &[]),
        (
            "the agent altered the terminal; the acquirer pays first",
            80_000,
            Some("acquirer"),
            &[("agent:A1", 10_000)],
            &["payable:merchant:M1 -80000", "receivable:agent:A1 80000"],
        ),
        (
            "an outsider did, the agent missed an inspection",
            10_001,
            Some("acquirer"),
            &[("acquirer", 6000), ("agent:A1", 4000)],
            &["payable:merchant:M1 -10001", "loss-borne:acquirer 6001", "receivable:agent:A1 4000"],
        ),
        (
            "the merchant blocked the update and bears a part itself",
            1000,
            Some("acquirer"),
            &[("agent:A1", 7000), ("merchant:M1", 3000)],
            &["payable:merchant:M1 -700", "receivable:agent:A1 700"],
        ),
        ("the victim bears all", 1000, Some("acquirer"), &[("merchant:M1", 10_000)], &[]),
        (
            "a share too small for a fen",
            1,
            Some("acquirer"),
            &[("acquirer", 9000), ("agent:A1", 1000)],
            &["payable:merchant:M1 -1", "loss-borne:acquirer 1"],
        ),
        (
            "the agent pays first and claims from the producer",
            9900,
            Some("agent:A1"),
            &[("producer:P1", 10_000)],
            &["payable:merchant:M1 -9900", "receivable:producer:P1 9900"],
        ),
    ];
    for (name, loss, outward, shares, expected) in cases {
        let journal = book_verdict(&verdict(loss, outward, shares)).unwrap();
        assert_eq!(lines(journal), expected, "{name}");
    }
}

#[test]
fn an_acquirer_that_suffered_the_loss_claims_the_others_shares() {
    let mut own = verdict(1000, Some("acquirer"), &[("acquirer", 2500), ("merchant:M1", 7500)]);
    own.beneficiary = Party::acquirer();
    assert_eq!(lines(book_verdict(&own).unwrap()), ["payable:acquirer -750", "receivable:merchant:M1 750"]);
}

#[test]
fn unknown_waits_in_suspense_whatever_the_shares_say() {
    let mut unknown = verdict(5000, Some("agent:A1"), &[("agent:A1", 9999)]);
    unknown.unknown = true;
    assert_eq!(lines(book_verdict(&unknown).unwrap()), ["suspense:acquirer 5000", "provisional-paid:acquirer -5000"]);
}

#[test]
fn refuses_shares_that_are_not_the_whole_and_negative_losses() {
    let wrong = verdict(5000, Some("acquirer"), &[("agent:A1", 9999)]);
    assert_eq!(book_verdict(&wrong), Err(LedgerError::SharesNotWhole { sum_bp: 9999 }));
    let negative = verdict(-1, Some("acquirer"), &[("agent:A1", 10_000)]);
    assert!(matches!(book_verdict(&negative), Err(LedgerError::Negative { .. })));
}

/// A case from suspense to settled: every claim ends at zero, the acquirer keeps its own share.
#[test]
fn a_whole_case() {
    let known = verdict(10_000, Some("acquirer"), &[("acquirer", 6000), ("agent:A1", 4000)]);
    let waiting = VerdictMoney { unknown: true, ..known.clone() };
    let held = book_verdict(&waiting).unwrap().unwrap();
    let (cny, acquirer) = (Currency::CNY, Party::acquirer());
    let (merchant, agent) = (party("merchant:M1"), party("agent:A1"));
    let journals = [
        held.clone(),
        held.reverse().unwrap(),
        book_verdict(&known).unwrap().unwrap(),
        book_interest(cny, acquirer.clone(), merchant.clone(), Minor::new(12)).unwrap(),
        book_outward_paid(cny, acquirer.clone(), merchant, Minor::new(10_012)).unwrap(),
        book_recovered(cny, agent, acquirer.clone(), Minor::new(4000)).unwrap(),
    ];
    let balances = Balances::of(cny, &journals).unwrap();
    let left: Vec<(AccountKind, i64)> =
        balances.of_party(&acquirer).map(|(kind, balance)| (kind, balance.get())).collect();
    assert_eq!(left, [(AccountKind::OutwardPaid, -6012), (AccountKind::LossBorne, 6000), (AccountKind::Interest, 12)]);
    assert_eq!(balances.iter().count(), 3);
    assert_eq!(balances.total(), 0);
    assert!(book_recovered(cny, acquirer.clone(), acquirer, Minor::ZERO).is_err());
}

fn any_party() -> impl Strategy<Value = Party> {
    prop::sample::select(vec![
        "acquirer",
        "agent:A1",
        "agent:A2",
        "merchant:M1",
        "cardholder:C1",
        "issuer:01020000",
        "network",
        "producer:P1",
    ])
    .prop_map(party)
}

prop_compose! {
    fn any_verdict()(
        loss in prop_oneof![0..1000i64, 0..=i64::MAX],
        outward in prop::option::weighted(0.8, any_party()),
        bearers in prop::collection::btree_set(any_party(), 1..6),
        beneficiary in any_party(),
        unknown: bool,
        cuts in prop::collection::vec(0..=10_000u16, 5),
    ) -> VerdictMoney {
        let mut cuts = cuts[..bearers.len() - 1].to_vec();
        cuts.extend([0, 10_000]);
        cuts.sort_unstable();
        let widths = cuts.windows(2).map(|pair| pair[1] - pair[0]);
        VerdictMoney {
            currency: Currency::CNY,
            loss: Minor::new(loss),
            outward,
            final_shares: bearers.into_iter().zip(widths).collect(),
            beneficiary,
            unknown,
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn invariants_hold_for_every_verdict(verdict in any_verdict()) {
        let booked = book_verdict(&verdict).unwrap();
        let nothing = verdict.loss.is_zero() || (verdict.outward.is_none() && !verdict.unknown);
        prop_assert!(!nothing || booked.is_none());
        let Some(journal) = booked else {
            // An unknown cause never lets a loss disappear.
            prop_assert!(!verdict.unknown || verdict.loss.is_zero());
            return Ok(());
        };
        prop_assert_eq!(zero_sum(journal.lines()), Ok(()));
        prop_assert_eq!(recoveries_within(journal.lines(), verdict.loss), Ok(()));
        if verdict.unknown {
            prop_assert_eq!(unknown_never_charges(journal.lines()), Ok(()));
            prop_assert_eq!(journal.lines()[0].amount, verdict.loss);
        }
        for line in journal.lines() {
            let charged = line.account.kind() == AccountKind::Receivable;
            prop_assert!(!charged || *line.account.party() != verdict.beneficiary);
            prop_assert!(!charged || Some(line.account.party()) != verdict.outward.as_ref());
        }
    }

    #[test]
    fn a_reversed_verdict_leaves_nothing(verdict in any_verdict()) {
        if let Some(journal) = book_verdict(&verdict).unwrap() {
            let reversal = journal.reverse().unwrap();
            let balances = Balances::of(Currency::CNY, [&journal, &reversal]).unwrap();
            prop_assert_eq!(balances, Balances::empty(Currency::CNY));
        }
    }

    #[test]
    fn the_order_of_the_shares_does_not_matter(verdict in any_verdict()) {
        let mut turned = verdict.clone();
        turned.final_shares.reverse();
        let sums = |verdict: &VerdictMoney| {
            let journal = book_verdict(verdict).unwrap();
            Balances::of(Currency::CNY, journal.as_ref()).unwrap()
        };
        prop_assert_eq!(sums(&verdict), sums(&turned));
    }
}
