//! What must be true of the books at any time. Used by tests, the simulator and callers alike.

use crate::account::AccountKind;
use crate::error::LedgerError;
use crate::journal::Line;
use crate::money::{Minor, wide_sum};

/// Lines sum to zero.
///
/// # Errors
/// States the sum when they do not.
pub fn zero_sum(lines: &[Line]) -> Result<(), LedgerError> {
    match wide_sum(lines.iter().map(|line| line.amount)) {
        0 => Ok(()),
        sum => Err(LedgerError::Unbalanced { sum }),
    }
}

/// Nobody gets back more than was lost: over all lines of one case (reversals included), neither the
/// compensation owed to victims nor the claims on bearers exceed `limit`, which is the loss plus interest
/// and allowed costs.
///
/// # Errors
/// States which sum exceeds the limit.
pub fn recoveries_within(lines: &[Line], limit: Minor) -> Result<(), LedgerError> {
    let net = |kind: AccountKind| {
        let of_kind = lines.iter().filter(|line| line.account.kind() == kind);
        wide_sum(of_kind.map(|line| line.amount))
    };
    let sums = [("claims on bearers", net(AccountKind::Receivable)), ("compensation owed", -net(AccountKind::Payable))];
    for (what, sum) in sums {
        if sum > i128::from(limit.get()) {
            return Err(LedgerError::Invariant { rule: format!("{what} are {sum}, the loss allows {limit}") });
        }
    }
    Ok(())
}

/// While the cause is unknown only the acquirer's suspense and provisional accounts are used: no agent,
/// merchant or other party is charged or credited.
///
/// # Errors
/// Names the account that must not be there.
pub fn unknown_never_charges(lines: &[Line]) -> Result<(), LedgerError> {
    let waiting = |line: &&Line| {
        let kind = line.account.kind();
        line.account.party().role() == "acquirer"
            && matches!(kind, AccountKind::Suspense | AccountKind::ProvisionalPaid)
    };
    match lines.iter().find(|line| !waiting(line)) {
        None => Ok(()),
        Some(line) => Err(LedgerError::Invariant { rule: format!("cause unknown, yet {} is booked", line.account) }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memo::Memo;

    fn lines(lines: &[(&str, i64)]) -> Vec<Line> {
        lines
            .iter()
            .map(|(account, amount)| Line::new(account.parse().unwrap(), Minor::new(*amount), Memo::Recourse))
            .collect()
    }

    #[test]
    fn each_finds_its_breach() {
        let charged = lines(&[("receivable:agent:A1", 101), ("payable:merchant:M1", -101)]);
        assert!(zero_sum(&charged).is_ok());
        assert!(zero_sum(&charged[1..]).is_err());
        assert!(recoveries_within(&charged, Minor::new(101)).is_ok());
        assert_eq!(
            recoveries_within(&charged, Minor::new(100)).unwrap_err().to_string(),
            "invariant broken: claims on bearers are 101, the loss allows 100"
        );
        assert!(recoveries_within(&charged[1..], Minor::new(100)).is_err());
        assert!(unknown_never_charges(&charged).is_err());
        let waiting = lines(&[("suspense:acquirer", 5), ("provisional-paid:acquirer", -5)]);
        assert!(unknown_never_charges(&waiting).is_ok());
        assert!(unknown_never_charges(&lines(&[("suspense:agent:A1", 5)])).is_err());
    }
}
