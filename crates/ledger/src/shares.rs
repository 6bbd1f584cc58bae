//! Dividing an amount by shares, to the last minor unit.

use crate::error::LedgerError;
use crate::money::Minor;

/// The whole, in basis points.
pub const WHOLE_BP: u16 = 10_000;

/// Divides a loss by shares in basis points. The parts sum to the loss exactly.
///
/// Every part is first rounded down; the units that remain go one each to the largest remainders, between
/// equal remainders to the larger share, then to the smaller party. The result therefore does not depend
/// on the order of the shares, and comes in their order.
///
/// # Errors
/// When the loss is negative, the shares are not 10,000 basis points, or a party stands twice.
pub fn split_by_shares<P: Clone + Ord + ToString>(
    loss: Minor,
    shares: &[(P, u16)],
) -> Result<Vec<(P, Minor)>, LedgerError> {
    let loss = i128::from(loss.at_least_zero("loss")?.get());
    check_shares(shares)?;
    let whole = i128::from(WHOLE_BP);
    let mut parts: Vec<i128> = Vec::with_capacity(shares.len());
    let mut remainders: Vec<(i128, usize)> = Vec::with_capacity(shares.len());
    for (position, (_, bp)) in shares.iter().enumerate() {
        let product = loss * i128::from(*bp);
        parts.push(product / whole);
        remainders.push((product % whole, position));
    }
    remainders.sort_by(|(rest_a, a), (rest_b, b)| {
        let by_share = || shares[*b].1.cmp(&shares[*a].1);
        let by_party = || shares[*a].0.cmp(&shares[*b].0);
        rest_b.cmp(rest_a).then_with(by_share).then_with(by_party)
    });
    // Fewer units remain than parts were rounded down, so each goes to a part with a remainder.
    let mut left = loss - parts.iter().sum::<i128>();
    for (_, position) in remainders {
        if left == 0 {
            break;
        }
        parts[position] += 1;
        left -= 1;
    }
    shares
        .iter()
        .zip(parts)
        .map(|((party, _), part)| Ok((party.clone(), Minor::from_wide(part, "dividing a loss")?)))
        .collect()
}

fn check_shares<P: Ord + ToString>(shares: &[(P, u16)]) -> Result<(), LedgerError> {
    let sum_bp = shares.iter().map(|(_, bp)| u64::from(*bp)).sum();
    if sum_bp != u64::from(WHOLE_BP) {
        return Err(LedgerError::SharesNotWhole { sum_bp });
    }
    let mut parties: Vec<&P> = shares.iter().map(|(party, _)| party).collect();
    parties.sort();
    match parties.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(pair) => Err(LedgerError::PartyTwice { party: pair[0].to_string() }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn split(loss: i64, shares: &[(&'static str, u16)]) -> Vec<(&'static str, i64)> {
        split_by_shares(Minor::new(loss), shares)
            .unwrap()
            .into_iter()
            .map(|(party, part)| (party, part.get()))
            .collect()
    }

    #[test]
    fn largest_remainder() {
        assert_eq!(split(10_001, &[("acquirer", 6000), ("agent", 4000)]), [("acquirer", 6001), ("agent", 4000)]);
        // Remainders 0.3333, 0.3333, 0.3334: the third gets the fen.
        assert_eq!(split(1, &[("a", 3333), ("b", 3333), ("c", 3334)]), [("a", 0), ("b", 0), ("c", 1)]);
        // Equal remainders and shares: the smaller name, whatever the order.
        assert_eq!(split(1, &[("b", 5000), ("a", 5000)]), [("b", 0), ("a", 1)]);
        // Equal remainders 0.5: the larger share.
        assert_eq!(split(2, &[("a", 2500), ("b", 7500)]), [("a", 0), ("b", 2)]);
        assert_eq!(split(i64::MAX, &[("a", 10_000), ("b", 0)]), [("a", i64::MAX), ("b", 0)]);
    }

    #[test]
    fn refuses_what_is_not_the_whole() {
        let error = |loss, shares: &[(&str, u16)]| split_by_shares(Minor::new(loss), shares).err();
        assert_eq!(error(5, &[("a", 9999)]), Some(LedgerError::SharesNotWhole { sum_bp: 9999 }));
        assert_eq!(error(5, &[]), Some(LedgerError::SharesNotWhole { sum_bp: 0 }));
        assert!(matches!(error(5, &[("a", 5000), ("a", 5000)]), Some(LedgerError::PartyTwice { .. })));
        assert!(matches!(error(-5, &[("a", 10_000)]), Some(LedgerError::Negative { .. })));
    }

    /// Shares of one to six parties that are the whole.
    fn any_shares() -> impl Strategy<Value = Vec<(u8, u16)>> {
        prop::collection::vec(0..=WHOLE_BP, 0..6).prop_map(|mut cuts| {
            cuts.extend([0, WHOLE_BP]);
            cuts.sort_unstable();
            let widths = cuts.windows(2).map(|pair| pair[1] - pair[0]);
            (0u8..).zip(widths).collect()
        })
    }

    proptest! {
        #[test]
        fn parts_sum_to_the_loss_and_lie_within_one_unit(loss in 0..=i64::MAX, shares in any_shares()) {
            let parts = split_by_shares(Minor::new(loss), &shares).unwrap();
            prop_assert_eq!(
                parts.iter().map(|(_, part)| i128::from(part.get())).sum::<i128>(),
                i128::from(loss)
            );
            for ((party, bp), (same, part)) in shares.iter().zip(&parts) {
                prop_assert_eq!(party, same);
                let exact = i128::from(loss) * i128::from(*bp);
                let off = i128::from(part.get()) * i128::from(WHOLE_BP) - exact;
                prop_assert!(off.abs() < i128::from(WHOLE_BP));
                prop_assert!(*bp != 0 || part.is_zero());
            }
        }

        #[test]
        fn order_does_not_matter(loss in 0..1_000_000i64, shares in any_shares(), turn in 0usize..6) {
            let mut turned = shares.clone();
            turned.rotate_left(turn % shares.len());
            let sorted = |shares: &[(u8, u16)]| {
                let mut parts = split_by_shares(Minor::new(loss), shares).unwrap();
                parts.sort();
                parts
            };
            prop_assert_eq!(sorted(&shares), sorted(&turned));
        }
    }
}
