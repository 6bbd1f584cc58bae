//! What a cube promises: sums that do not depend on order or grouping, bounded memory, exact values.

use proptest::prelude::*;

use super::*;

fn limits(most_leaves: usize) -> CubeLimits {
    let fold = vec![
        Fold::Whole(Dimension::Bin),
        Fold::AmountOctave,
        Fold::Whole(Dimension::Agent),
        Fold::Whole(Dimension::Amount),
        Fold::Whole(Dimension::City),
    ];
    CubeLimits { minutes: 5, most_leaves, most_kept: 6, fold }
}

fn attempt(minute: u32, city: u16, agent: u16, amount_minor: u64, ending: usize, id: u64) -> Attempt {
    let leaf = Leaf::default()
        .with(Dimension::City, city)
        .with(Dimension::Agent, agent)
        .with(Dimension::Bin, agent * 3)
        .with(Dimension::Amount, amount_bin(amount_minor));
    let outcome = Outcome::ALL.get(ending).copied().unwrap_or(Outcome::Approved);
    let latency = if ending > 12 { Latency::Late } else { Latency::Usual };
    Attempt { minute, leaf, outcome, latency, reversed: ending % 3 == 1, amount_minor, id }
}

/// Everything that can be asked of a cube, for comparison.
type Told = (Vec<LeafCount>, Vec<Vec<(u16, u32, u32)>>, Vec<PairCounts>, Vec<Fold>, Vec<Sampled>);

fn told(cube: &Cube) -> Told {
    let (of, hits) = (Columns::attempts(), Columns::outcome(Outcome::NoAnswer).and(Columns::reversed()));
    let minutes = 0..40;
    (
        minutes.clone().flat_map(|minute| cube.leaves(minute, minute + 1, of, hits, 0)).collect(),
        minutes
            .clone()
            .flat_map(|minute| Dimension::ALL.map(|dimension| cube.values(minute, dimension, of, hits).collect()))
            .collect(),
        minutes.map(|minute| cube.pairs(minute, (Dimension::City, Dimension::Hop), of, hits)).collect(),
        cube.folded(0, 40),
        cube.sampled(0, 40, of, hits),
    )
}

prop_compose! {
    fn attempts()(seen in prop::collection::vec((10..18_u32, 0..6_u16, 0..9_u16, 0..90_000_u64, 0..16_usize, any::<u64>()), 0..120)) -> Vec<Attempt> {
        seen.into_iter().map(|(minute, city, agent, amount, ending, id)| attempt(minute, city, agent, amount, ending, id)).collect()
    }
}

fn cube_of(attempts: &[Attempt], limits: CubeLimits) -> Cube {
    let mut cube = Cube::new(limits);
    for attempt in attempts {
        cube.add(attempt);
    }
    cube
}

proptest! {
    #[test]
    fn merging_is_commutative_and_associative(a in attempts(), b in attempts(), c in attempts(), most in 4..60_usize) {
        let [a, b, c] = [a, b, c].map(|attempts| cube_of(&attempts, limits(most)));
        let merged = |parts: [&Cube; 2]| {
            let mut cube = parts[0].clone();
            cube.merge(parts[1]);
            cube
        };
        let left = merged([&merged([&a, &b]), &c]);
        let right = merged([&a, &merged([&b, &c])]);
        prop_assert_eq!(told(&left), told(&right));
        prop_assert_eq!(told(&merged([&a, &b])), told(&merged([&b, &a])));
    }

    #[test]
    fn parts_together_are_the_whole(all in attempts(), cut in any::<prop::sample::Index>(), most in 4..60_usize) {
        let cut = cut.index(all.len() + 1);
        let mut parts = cube_of(&all[cut..], limits(most));
        parts.merge(&cube_of(&all[..cut], limits(most)));
        prop_assert_eq!(told(&parts), told(&cube_of(&all, limits(most))));
    }

    #[test]
    fn what_is_taken_back_was_never_there(kept in attempts(), gone in attempts(), early in any::<bool>()) {
        let mut limits = limits(10_000);
        limits.most_kept = 1_000;
        let mut cube = cube_of(&[kept.clone(), gone.clone()].concat(), limits.clone());
        let mut back = Cube::new(limits.clone());
        for attempt in &gone {
            back.retract(attempt);
        }
        if early {
            back.merge(&cube_of(&[kept.clone(), gone.clone()].concat(), limits.clone()));
            cube = back;
        } else {
            for attempt in &gone {
                cube.retract(attempt);
            }
        }
        // The clock moved on with what was taken back, so only minutes that both hold can be compared.
        let newest = |attempts: &[Attempt]| attempts.iter().map(|attempt| attempt.minute).max();
        if newest(&kept) >= newest(&gone) {
            let (with, without) = (told(&cube), told(&cube_of(&kept, limits)));
            prop_assert_eq!(with.0, without.0);
            prop_assert_eq!(with.1, without.1);
            prop_assert_eq!(with.2, without.2);
            if !early {
                prop_assert_eq!(with.4, without.4);
            }
        }
    }

    #[test]
    fn folding_loses_no_count(all in attempts(), most in 1..30_usize) {
        let cube = cube_of(&all, limits(most));
        let (from, to) = cube.span();
        let (of, hits) = (Columns::attempts(), Columns::outcome(Outcome::NoAnswer));
        let held: Vec<&Attempt> = all.iter().filter(|attempt| (from..to).contains(&attempt.minute)).collect();
        let leaves = cube.leaves(from, to, of, hits, 0);
        let failed = held.iter().filter(|attempt| attempt.outcome == Outcome::NoAnswer);
        prop_assert_eq!(leaves.iter().map(|leaf| leaf.attempts as usize).sum::<usize>(), held.len());
        let amount: u64 = failed.clone().map(|attempt| attempt.amount_minor).sum();
        prop_assert_eq!(leaves.iter().map(|leaf| leaf.hits as usize).sum::<usize>(), failed.count());
        prop_assert_eq!(leaves.iter().map(|leaf| leaf.hit_amount_minor).sum::<i64>(), i64::try_from(amount).unwrap());
        for agent in 0..9 {
            let exact = held.iter().filter(|attempt| attempt.leaf.code(Dimension::Agent) == agent).count();
            let counted: u32 = (from..to)
                .flat_map(|minute| cube.values(minute, Dimension::Agent, of, hits).collect::<Vec<_>>())
                .filter(|(code, ..)| *code == agent)
                .map(|(_, attempts, _)| attempts)
                .sum();
            prop_assert_eq!(counted as usize, exact);
        }
    }
}

#[test]
fn late_attempts_find_their_minute_and_old_ones_are_counted() {
    let one = |minute| attempt(minute, 1, 1, 100, 0, u64::from(minute));
    let mut cube = cube_of(&[one(20), one(17), one(16), one(21)], limits(100));
    assert_eq!(cube.span(), (17, 22));
    cube.add(&one(16));
    cube.add(&one(18));
    assert_eq!(cube.too_old(), 1);
    let totals: Vec<u32> =
        (15..23).map(|minute| cube.total(minute, Columns::attempts(), Columns::reversed()).0).collect();
    assert_eq!(totals, [0, 0, 1, 1, 0, 1, 1, 0]);
    cube.correct(&one(18), &attempt(18, 1, 1, 100, 6, 18));
    let lost = Columns::outcome(Outcome::NoAnswer);
    assert_eq!(cube.total(18, Columns::attempts(), lost), (1, 1));
    cube.add(&one(500));
    assert_eq!(cube.span(), (500, 501));
}

#[test]
fn memory_stays_within_what_is_stated() {
    let limits = CubeLimits { minutes: 3, most_leaves: 500, most_kept: 64, fold: limits(1).fold };
    let mut cube = Cube::new(limits.clone());
    for number in 0..60_000_u64 {
        let spread = |most: u64, salt: u64| (number.wrapping_mul(salt) % most) as u16;
        let mut seen =
            attempt(100 + (number / 6_000) as u32, spread(600, 7), spread(2_700, 31), number * 11, 0, number);
        seen.leaf = seen.leaf.with(Dimension::MerchantCategory, spread(40, 13));
        cube.add(&seen);
    }
    assert!(cube.bytes() <= limits.bytes(), "{} against {}", cube.bytes(), limits.bytes());
    let (from, to) = cube.span();
    assert_eq!(cube.folded(from, to).len(), limits.fold.len(), "all is folded that may be");
    let (kept, weights): (Vec<u64>, Vec<f64>) = cube
        .sampled(from, to, Columns::attempts(), Columns::reversed())
        .iter()
        .map(|sampled| (sampled.amount_minor, sampled.weight))
        .unzip();
    assert_eq!(kept.len(), 3 * 64);
    assert!(kept.iter().all(|amount| amount % 11 == 0), "amounts are exact");
    assert!((weights.iter().sum::<f64>() - 18_000.0).abs() < 1e-6, "the sample stands for all");
}

#[test]
fn cubes_of_workers_with_dictionaries_of_their_own() {
    let (mut ours, mut theirs) = (Symbols::default(), Symbols::default());
    let of = |symbols: &mut Symbols, names: [&str; 2]| {
        let attempts: Vec<Attempt> = (0..)
            .zip(names)
            .map(|(id, name)| attempt(10, symbols.intern(Dimension::City, name), 0, 500, 0, id))
            .collect();
        cube_of(&attempts, limits(100))
    };
    let mut cube = of(&mut ours, ["十堰", "襄阳"]);
    let other = of(&mut theirs, ["武汉", "十堰"]);
    cube.merge(&other.translated(&ours.absorb(&theirs)));
    let cities: Vec<_> = cube
        .values(10, Dimension::City, Columns::attempts(), Columns::reversed())
        .map(|(code, attempts, _)| (ours.name(Dimension::City, code).unwrap().to_owned(), attempts))
        .collect();
    assert_eq!(cities, [("十堰".to_owned(), 2), ("襄阳".to_owned(), 1), ("武汉".to_owned(), 1)]);
    let leaves = cube.leaves(10, 11, Columns::attempts(), Columns::reversed(), 0);
    assert_eq!(leaves.iter().map(|leaf| leaf.attempts).collect::<Vec<_>>(), [2, 1, 1]);
}
