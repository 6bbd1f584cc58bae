//! Final shares of a loss, in basis points.

use crate::Party;

/// Shares do not make a whole.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SharesError {
    /// They must add to 10,000.
    #[error("shares add to {0} basis points; expected 10000, or none at all")]
    Sum(u32),
    /// A party may stand once, above zero.
    #[error("{0} stands twice or with zero basis points")]
    Party(Party),
}

/// Who bears a loss in the end: parties with basis points adding to 10,000, or nobody.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Shares(Vec<(Party, u16)>);

impl Shares {
    /// Nobody bears anything (there is no loss).
    #[must_use]
    pub const fn none() -> Self {
        Self(Vec::new())
    }

    /// Shares from parties and basis points.
    ///
    /// # Errors
    /// When they neither add to 10,000 nor are empty, or a party stands twice.
    pub fn new(mut parts: Vec<(Party, u16)>) -> Result<Self, SharesError> {
        parts.sort_unstable();
        let mut before = None;
        for (party, share_bp) in &parts {
            if *share_bp == 0 || before == Some(*party) {
                return Err(SharesError::Party(*party));
            }
            before = Some(*party);
        }
        let sum = parts.iter().map(|(_, share_bp)| u32::from(*share_bp)).sum();
        if parts.is_empty() || sum == 10_000 { Ok(Self(parts)) } else { Err(SharesError::Sum(sum)) }
    }

    /// The share of a party, 0 when it bears nothing.
    #[must_use]
    pub fn of(&self, party: Party) -> u16 {
        self.0.iter().find(|(who, _)| *who == party).map_or(0, |(_, share_bp)| *share_bp)
    }

    /// Parties and basis points, in the order of [`Party`].
    #[must_use]
    pub fn parts(&self) -> &[(Party, u16)] {
        &self.0
    }

    /// JSON object of party to basis points, keys in alphabetical order.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut parts: Vec<_> = self.0.iter().map(|(party, share_bp)| format!("\"{party}\":{share_bp}")).collect();
        parts.sort_unstable();
        format!("{{{}}}", parts.join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_wholes_build() {
        assert_eq!(Shares::new(vec![(Party::Agent, 4000), (Party::Acquirer, 6000)]).unwrap().of(Party::Agent), 4000);
        assert_eq!(Shares::new(vec![(Party::Agent, 4000)]), Err(SharesError::Sum(4000)));
        assert!(Shares::new(vec![(Party::Agent, 5000), (Party::Agent, 5000)]).is_err());
        assert!(Shares::new(vec![]).unwrap().parts().is_empty());
        assert_eq!(
            Shares::new(vec![(Party::Agent, 4000), (Party::Acquirer, 6000)]).unwrap().to_json(),
            r#"{"acquirer":6000,"agent":4000}"#
        );
    }
}
