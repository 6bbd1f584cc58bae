//! Evidence in bits, in whole numbers: fixed point with 16 binary places.

use crate::found::Rate;

/// One bit.
pub(crate) const BIT: i64 = 1 << 16;

/// log2(e), fixed point.
const LOG2_E: i128 = 94_548;

/// Binary logarithm of `number` (of 1 for 0), fixed point, exact to the last place but one.
pub(crate) fn log2(number: u64) -> i64 {
    let number = number.max(1);
    let whole = number.ilog2();
    // The mantissa in [1, 2) with 32 binary places; each squaring yields one place of the logarithm.
    let mut mantissa = u64::try_from((u128::from(number) << 32) >> whole).unwrap_or(u64::MAX);
    let mut places = 0i64;
    for _ in 0..16 {
        mantissa = u64::try_from((u128::from(mantissa) * u128::from(mantissa)) >> 32).unwrap_or(u64::MAX);
        places <<= 1;
        if mantissa >> 33 != 0 {
            mantissa >>= 1;
            places |= 1;
        }
    }
    i64::from(whole) * BIT + places
}

/// Bits by which the counts speak for one rate inside and another outside instead of one for all. Never negative.
pub(crate) fn contrast(inside: Rate, all: Rate) -> i64 {
    let gain = likelihood(inside) + likelihood(all.minus(inside)) - likelihood(all);
    i64::try_from(gain.max(0)).unwrap_or(i64::MAX)
}

/// Bits by which `seen` failures speak against `expected` (a millionth each) as a Poisson mean; 0 when fewer.
pub(crate) fn surprise(seen: u64, expected_millionths: u64) -> i64 {
    let expected = expected_millionths.max(1);
    let seen_millionths = u128::from(seen) * 1_000_000;
    if seen_millionths <= u128::from(expected) {
        return 0;
    }
    let ratio = log2(u64::try_from(seen_millionths).unwrap_or(u64::MAX)) - log2(expected);
    let excess = i128::try_from(seen_millionths - u128::from(expected)).unwrap_or(i128::MAX);
    let bits = i128::from(seen) * i128::from(ratio) - excess.saturating_mul(LOG2_E) / 1_000_000;
    i64::try_from(bits.max(0)).unwrap_or(i64::MAX)
}

/// Log-likelihood of the counts at their own rate.
fn likelihood(rate: Rate) -> i128 {
    let term = |part: u64| i128::from(part) * i128::from(log2(part) - log2(rate.attempts));
    term(rate.failures) + term(rate.attempts.saturating_sub(rate.failures))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logarithms_are_right() {
        for (number, expected) in
            [(1, 0), (2, BIT), (1024, 10 * BIT), (3, 103_872), (10, 217_705), (1_000_000, 1_306_235)]
        {
            let got = log2(number);
            assert!((got - expected).abs() <= 2, "log2({number}) = {got}, expected {expected}");
        }
        assert_eq!(log2(0), 0);
    }

    #[test]
    fn evidence_is_what_the_formulas_say() {
        let rate = |failures, attempts| Rate { attempts, failures };
        // Coins: 10 of 10 against 0 of 10 are 20 bits better than 10 of 20.
        assert_eq!(contrast(rate(10, 10), rate(10, 20)), 20 * BIT);
        assert_eq!(contrast(rate(5, 10), rate(10, 20)), 0);
        // 12 seen, 1.5 expected: 12 log2 8 - 10.5 log2 e = 20.85 bits.
        let bits = surprise(12, 1_500_000);
        assert!((bits - 1_366_500).abs() < 400, "{bits}");
        assert_eq!(surprise(3, 5_000_000), 0);
    }

    proptest::proptest! {
        #[test]
        fn never_negative_and_monotone(number in 1u64..u64::MAX / 2, a in 0u64..1000, b in 0u64..1000, c in 0u64..1000, d in 0u64..1000) {
            proptest::prop_assert!(log2(number) <= log2(number + 1));
            let inside = Rate { attempts: a + b, failures: a };
            let all = Rate { attempts: a + b + c + d, failures: a + c };
            // Rounding of 16 places may cost a thousandth of a bit a count.
            proptest::prop_assert!(contrast(inside, all) >= 0 && contrast(inside, all) <= i64::try_from(all.attempts).unwrap() * BIT);
        }
    }
}
