//! Groups, stakes and surprise of diversions.

use proptest::prelude::*;

use super::*;

fn one<'v>(payment: &'v str, class: BreakClass, group: &'v str, amount: i64, difference: i64) -> DivertedBreak<'v> {
    DivertedBreak {
        payment,
        class,
        group,
        tid: group,
        merchant: "M1",
        agent: "A1",
        account: "",
        amount_minor: amount,
        difference_minor: difference,
        account_changed_days: None,
    }
}

fn totals(of: &[(&str, u64)]) -> BTreeMap<String, u64> {
    of.iter().map(|(key, n)| ((*key).to_owned(), *n)).collect()
}

#[test]
fn what_is_at_stake() {
    for (class, stake) in [
        (BreakClass::MerchantSwapped, 900),
        (BreakClass::MccJump, 0),
        (BreakClass::PayoutDiverted, 70),
        (BreakClass::RefundDiverted, 70),
        (BreakClass::AmountTerm, 70),
    ] {
        assert_eq!(stake_minor(class, 900, -70), stake, "{class:?}");
    }
}

#[test]
fn a_payment_counts_once_with_its_largest_stake() {
    let breaks = [
        one("p1", BreakClass::MerchantSwapped, "T1", 1000, 0),
        one("p1", BreakClass::PayoutDiverted, "T1", 1000, 990),
        one("p2", BreakClass::RefundDiverted, "T1", 1000, 300),
        one("p3", BreakClass::LatePayout, "T1", 1000, 1000),
        one("p4", BreakClass::PayoutDiverted, "", 1000, 990),
    ];
    let found = groups(&breaks, Some(&totals(&[("T1", 4), ("T2", 96)])), DiversionOrder::Money, 7).unwrap();
    assert_eq!(found.len(), 1);
    let group = &found[0];
    assert_eq!((group.payments, group.stake_minor), (2, 1300));
    assert_eq!((group.merchants, group.terminals, group.agents), (1, 1, 1));
    assert_eq!(
        group.classes,
        BTreeMap::from([
            (BreakClass::MerchantSwapped, 1),
            (BreakClass::PayoutDiverted, 1),
            (BreakClass::RefundDiverted, 1)
        ])
    );
    let peers = group.peers.unwrap();
    assert_eq!((peers.payments, peers.share_bp, peers.expected_bp), (4, 5000, 0));
}

#[test]
fn an_account_of_several_merchants_is_flagged_wherever_it_shows() {
    let to = |payment, group, merchant, account| DivertedBreak {
        merchant,
        account,
        ..one(payment, BreakClass::PayoutDiverted, group, 10, 10)
    };
    let breaks = [to("p1", "A", "M1", "6200"), to("p2", "B", "M2", "6200"), to("p3", "C", "M3", "6300")];
    let found = groups(&breaks, None, DiversionOrder::Money, 7).unwrap();
    let flags: Vec<_> = found.iter().map(|it| (it.key.as_str(), it.flags.len())).collect();
    assert_eq!(flags, [("A", 1), ("B", 1), ("C", 0)]);
    assert!(found.iter().all(|it| it.peers.is_none() && it.surprise_milli() == 0));
}

#[test]
fn the_order_is_by_money_or_by_surprise() {
    let mut breaks = vec![one("big", BreakClass::PayoutDiverted, "many", 9000, 9000)];
    breaks.extend(["a", "b", "c"].map(|it| one(it, BreakClass::PayoutDiverted, "few", 10, 10)));
    let totals = totals(&[("many", 10_000), ("few", 3), ("none", 500)]);
    let keys = |order| -> Vec<String> {
        groups(&breaks, Some(&totals), order, 7).unwrap().into_iter().map(|it| it.key).collect()
    };
    assert_eq!(keys(DiversionOrder::Money), ["many", "few"]);
    assert_eq!(keys(DiversionOrder::Surprise), ["few", "many"]);
}

#[test]
fn a_sum_that_does_not_fit_is_refused() {
    let breaks = ["a", "b"].map(|it| one(it, BreakClass::PayoutDiverted, "T1", 0, i64::MAX));
    let refused = groups(&breaks, None, DiversionOrder::Money, 7).unwrap_err();
    assert_eq!(refused, StakeTooLarge { group: "T1".to_owned() });
}

/// Against tails counted by hand or by exact fractions.
#[test]
fn surprise_is_the_binomial_tail() {
    for (n_hit, n, peers_hit, peers, expected) in [
        (0, 10, 1, 100, 0),    // nothing hit
        (1, 10, 0, 0, 0),      // nobody to compare with
        (1, 100, 10, 100, 0),  // below the peers
        (1, 1, 49, 98, 301),   // rate 1/2: -log10 0.5
        (3, 3, 49, 98, 903),   // 0.5^3
        (9, 10, 49, 98, 1969), // 11/1024
        (2, 2, 0, 49, 4000),   // rate 0.01: 1e-4
    ] {
        assert_eq!(surprise_milli(n_hit, n, peers_hit, peers), expected, "{n_hit} of {n}");
    }
    assert_eq!(surprise_milli(1000, 1000, 0, 999_999), SURPRISE_MAX_MILLI);
}

proptest! {
    #[test]
    fn surprise_stays_in_bounds_and_grows_with_hits(n in 1_u64..400, hit in 0_u64..400, peers in 0_u64..10_000, share in 0_u64..=100) {
        let hit = hit.min(n);
        let peers_hit = peers * share / 100;
        let here = surprise_milli(hit, n, peers_hit, peers);
        prop_assert!((0..=SURPRISE_MAX_MILLI).contains(&here));
        if hit < n {
            prop_assert!(surprise_milli(hit + 1, n, peers_hit, peers) >= here);
        }
    }

    #[test]
    fn groups_keep_every_payment_and_its_order_does_not_matter(
        rows in prop::collection::vec((0_u8..30, 0_usize..6, 0_u8..4, 0_i64..1_000_000, -1_000_000_i64..1_000_000), 0..80),
    ) {
        let (payments, keys): (Vec<String>, Vec<String>) =
            rows.iter().map(|row| (format!("p{}", row.0), format!("g{}", row.2))).unzip();
        let class = |i: usize| CLASSES.get(i).copied().unwrap_or(BreakClass::LatePayout);
        let mut breaks: Vec<_> = rows
            .iter()
            .zip(payments.iter().zip(&keys))
            .map(|(row, (payment, key))| one(payment, class(row.1), key, row.3, row.4))
            .collect();
        let totals: BTreeMap<String, u64> = keys.iter().map(|key| (key.clone(), 40)).collect();
        for order in [DiversionOrder::Money, DiversionOrder::Surprise] {
            let found = groups(&breaks, Some(&totals), order, 7).unwrap();
            let pairs: BTreeSet<_> =
                breaks.iter().filter(|it| it.class != BreakClass::LatePayout).map(|it| (it.group, it.payment)).collect();
            prop_assert_eq!(found.iter().map(|it| it.payments).sum::<u64>(), pairs.len() as u64);
            prop_assert!(found.is_sorted_by(|a, b| rank(a, order) < rank(b, order)));
            for it in &found {
                let peers = it.peers.unwrap();
                prop_assert!(it.stake_minor >= 0 && it.payments <= peers.payments);
                prop_assert!((0..=10_000).contains(&peers.share_bp) && (0..=10_000).contains(&peers.expected_bp));
            }
            breaks.reverse();
            prop_assert_eq!(&found, &groups(&breaks, Some(&totals), order, 7).unwrap());
        }
    }
}

#[test]
fn an_account_just_changed_is_flagged() {
    for (days, flagged) in [(None, false), (Some(0), true), (Some(6), true), (Some(-3), true), (Some(7), false)] {
        let it = DivertedBreak { account_changed_days: days, ..one("p", BreakClass::PayoutDiverted, "A", 100, 90) };
        let found = groups(&[it], None, DiversionOrder::Money, 7).unwrap();
        assert_eq!(found[0].flags.contains(&DiversionFlag::AccountJustChanged), flagged, "{days:?}");
    }
}
