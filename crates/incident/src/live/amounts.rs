//! The amount below or from which payments fail, for an episode whose scope does not say it.
//!
//! Where the switch sends small payments over a line of their own, the line explains everything and nothing on it is
//! large. The amount shows only against payments alike that took another way: same cities, entry modes and PIN. Those
//! of the whole episode are kept, for the cube forgets them after an hour.

use serde::{Deserialize, Serialize};

use super::scope::Coded;
use crate::cube::{Dimension, Sampled};
use crate::episode::amount::{Alike, Cut};
use crate::policy::CutPolicy;

/// What payments alike have in common with those of the scope.
const LIKE: [Dimension; 3] = [Dimension::City, Dimension::EntryMode, Dimension::Pin];

/// Payments alike, and the amount that divides them.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(super) struct Amounts {
    /// Codes that are usual in the scope, in the order of [`LIKE`].
    usual: Vec<Vec<u16>>,
    pub(super) alike: Alike,
    pub(super) cut: Option<Cut>,
}

impl Amounts {
    /// Begins anew with the payments of the episode so far.
    pub(super) fn begin<'s>(
        &mut self,
        minutes: impl Iterator<Item = &'s [Sampled]>,
        scope: &Coded,
        policy: &CutPolicy,
    ) {
        let inside: Vec<&Sampled> = minutes.flatten().filter(|it| scope.holds(it)).collect();
        self.usual = LIKE.iter().map(|dimension| usual(&inside, *dimension, policy)).collect();
        self.alike = Alike::default();
    }

    /// Takes the payments of some minutes in: of each minute as many as `most` has room for in an hour, half of them
    /// hits, and none beyond `most`. At high load that is an even sample of hits beside one of others, by which the
    /// two sides of an amount compare as by all; only the ratio of their rates comes out smaller.
    pub(super) fn add(&mut self, sampled: &[Sampled], a_minute: usize, most: usize) {
        let room = most.saturating_sub(self.alike.len());
        let alike = |it: &&Sampled| {
            let codes = LIKE.iter().zip(&self.usual);
            codes.into_iter().all(|(dimension, codes)| codes.contains(&it.leaf.code(*dimension)))
        };
        let row = |it: &Sampled| (i64::try_from(it.amount_minor).unwrap_or(i64::MAX), it.hit);
        let side = |hit: bool| {
            let of_side = sampled.iter().filter(alike).filter(move |it| it.hit == hit).map(row);
            of_side.take(a_minute / 2)
        };
        let rows: Vec<(i64, bool)> = side(true).chain(side(false)).take(room).collect();
        if !rows.is_empty() {
            self.alike.add(rows.into_iter());
        }
    }

    /// Looks for the amount.
    pub(super) fn look(&mut self, policy: &CutPolicy) {
        self.cut = self.alike.cut(policy);
    }
}

/// Codes that a share of the payments has.
fn usual(payments: &[&Sampled], dimension: Dimension, policy: &CutPolicy) -> Vec<u16> {
    let mut counts = vec![0.0; usize::from(dimension.other()) + 1];
    let mut all = 0.0;
    for it in payments {
        if let Some(count) = counts.get_mut(usize::from(it.leaf.code(dimension))) {
            *count += it.weight;
        }
        all += it.weight;
    }
    let enough = all * policy.usual_share_ppm as f64 / 1e6;
    (0..=u16::MAX).zip(counts).filter(|(_, count)| *count > 0.0 && *count >= enough).map(|(code, _)| code).collect()
}
