//! Properties of the log over random sizes and contents.

use onus_evidence::{
    Frontier, Hash, ProofError, Tree, canonical_json, consistency_proof, inclusion_proof, leaf_hash,
    verify_consistency, verify_inclusion,
};
use proptest::prelude::*;
use serde_json::{Value, json};

fn leaves(size: u64, salt: u64) -> Vec<Hash> {
    (0..size).map(|n| leaf_hash(format!("{salt}/{n}").as_bytes())).collect()
}

fn flip(hash: Hash, bit: usize) -> Hash {
    let mut bytes = *hash.as_bytes();
    bytes[bit / 8] ^= 1 << (bit % 8);
    Hash::new(bytes)
}

/// Straight from the definition in RFC 6962 section 2.1, as an oracle.
fn defined_root(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => Hash::of_empty_log(),
        [leaf] => *leaf,
        _ => {
            let left = leaves.len().next_power_of_two() / 2;
            onus_evidence::node_hash(&defined_root(&leaves[..left]), &defined_root(&leaves[left..]))
        }
    }
}

#[test]
fn every_entry_of_every_size_up_to_200_is_proven() {
    let leaves = leaves(200, 1);
    let tree = Tree::from_leaves(leaves.iter().copied());
    let mut frontier = Frontier::empty();
    for size in 1..=200u64 {
        frontier.append(leaves[size as usize - 1]);
        let root = frontier.root();
        assert_eq!(root, defined_root(&leaves[..size as usize]));
        assert_eq!(root, tree.root_at(size).unwrap());
        for index in 0..size {
            let proof = tree.inclusion_proof(index, size).unwrap();
            let leaf = leaves[index as usize];
            assert_eq!(verify_inclusion(leaf, index, size, root, &proof), Ok(()));
        }
    }
    assert!(tree.root_at(201).is_err());
}

#[test]
fn every_pair_of_sizes_up_to_130_is_consistent() {
    let tree = Tree::from_leaves(leaves(130, 2));
    for new in 0..=130 {
        let new_root = tree.root_at(new).unwrap();
        for old in 0..=new {
            let old_root = tree.root_at(old).unwrap();
            let proof = tree.consistency_proof(old, new).unwrap();
            assert_eq!(verify_consistency(old, old_root, new, new_root, &proof), Ok(()));
            if old > 0 && old < new {
                let wrong = flip(old_root, 9);
                assert!(verify_consistency(old, wrong, new, new_root, &proof).is_err());
                let wrong = flip(new_root, 9);
                assert!(verify_consistency(old, old_root, new, wrong, &proof).is_err());
            }
        }
    }
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-(1i64 << 53) + 1..1i64 << 53).prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map(any::<String>(), inner, 0..6)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn proofs_from_leaves_equal_proofs_from_the_tree(
        (size, index, old) in (1u64..200).prop_flat_map(|s| (Just(s), 0..s, 0..=s)),
        salt: u64,
    ) {
        let leaves = leaves(size, salt);
        let leaf_at = |n: u64| leaves.get(usize::try_from(n).ok()?).copied();
        let tree = Tree::from_leaves(leaves.iter().copied());
        prop_assert_eq!(
            inclusion_proof(index, size, leaf_at),
            tree.inclusion_proof(index, size)
        );
        prop_assert_eq!(
            consistency_proof(old, size, leaf_at),
            tree.consistency_proof(old, size)
        );
        prop_assert_eq!(Frontier::from_leaves(leaves.iter().copied()).root(), tree.root());
    }

    #[test]
    fn any_flipped_bit_breaks_an_inclusion_proof(
        (size, index) in (2u64..200).prop_flat_map(|s| (Just(s), 0..s)),
        bit in 0usize..256,
        pick: prop::sample::Index,
    ) {
        let leaves = leaves(size, 3);
        let tree = Tree::from_leaves(leaves.iter().copied());
        let (leaf, root) = (leaves[index as usize], tree.root());
        let proof = tree.inclusion_proof(index, size).unwrap();
        let mut altered = proof.clone();
        let at = pick.index(proof.len());
        altered[at] = flip(altered[at], bit);
        let mismatched = |result: Result<(), ProofError>| matches!(result, Err(ProofError::Mismatch { .. }));
        prop_assert!(mismatched(verify_inclusion(leaf, index, size, root, &altered)));
        prop_assert!(mismatched(verify_inclusion(flip(leaf, bit), index, size, root, &proof)));
        prop_assert!(mismatched(verify_inclusion(leaf, index, size, flip(root, bit), &proof)));
        prop_assert!(verify_inclusion(leaf, index, size, root, &proof[1..]).is_err());
        for other in (0..size).filter(|other| *other != index) {
            prop_assert!(verify_inclusion(leaf, other, size, root, &proof).is_err());
        }
    }

    #[test]
    fn any_flipped_bit_breaks_a_consistency_proof(
        (new, old) in (2u64..200).prop_flat_map(|n| (Just(n), 1..n)),
        bit in 0usize..256,
        pick: prop::sample::Index,
    ) {
        let tree = Tree::from_leaves(leaves(new, 4));
        let (old_root, new_root) = (tree.root_at(old).unwrap(), tree.root());
        let mut proof = tree.consistency_proof(old, new).unwrap();
        let at = pick.index(proof.len());
        proof[at] = flip(proof[at], bit);
        prop_assert!(verify_consistency(old, old_root, new, new_root, &proof).is_err());
    }

    #[test]
    fn a_frontier_continues_after_storage(before in 0u64..150, after in 0u64..150) {
        let leaves = leaves(before + after, 5);
        let (first, rest) = leaves.split_at(before as usize);
        let kept = Frontier::from_leaves(first.iter().copied());
        let mut restored = Frontier::from_peaks(kept.size(), kept.peaks().to_vec()).unwrap();
        restored.extend(rest.iter().copied());
        prop_assert_eq!(restored, Frontier::from_leaves(leaves));
    }

    #[test]
    fn canonical_json_is_stable_and_loses_nothing(value in any_json()) {
        let bytes = canonical_json(&value).unwrap();
        let read: Value = serde_json::from_slice(&bytes).unwrap();
        prop_assert_eq!(&read, &value);
        prop_assert_eq!(canonical_json(&json!(read)).unwrap(), bytes);
    }
}
