//! The right edge of a log: enough to append and to know the root.

use serde::{Deserialize, Serialize};

use crate::hash::{Hash, node_hash};

/// Roots of the perfect subtrees that make up a log, largest (oldest) first.
///
/// Holds at most 64 hashes whatever the size; appending costs one node hash on average.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(try_from = "Parts")]
pub struct Frontier {
    size: u64,
    peaks: Vec<Hash>,
}

/// Why stored parts are no [`Frontier`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a log of {size} entries has {expected} peaks, found {found}; rebuild it from the entries")]
pub struct FrontierError {
    size: u64,
    expected: usize,
    found: usize,
}

#[derive(Deserialize)]
struct Parts {
    size: u64,
    peaks: Vec<Hash>,
}

impl Frontier {
    /// An empty log.
    #[must_use]
    pub const fn empty() -> Self {
        Self { size: 0, peaks: Vec::new() }
    }

    /// The log of these leaf hashes.
    pub fn from_leaves(leaves: impl IntoIterator<Item = Hash>) -> Self {
        let mut frontier = Self::empty();
        frontier.extend(leaves);
        frontier
    }

    /// Restores a frontier from what [`Frontier::size`] and [`Frontier::peaks`] gave.
    ///
    /// # Errors
    /// When the number of peaks does not fit the size.
    pub fn from_peaks(size: u64, peaks: Vec<Hash>) -> Result<Self, FrontierError> {
        let expected = size.count_ones() as usize;
        if peaks.len() == expected {
            Ok(Self { size, peaks })
        } else {
            Err(FrontierError { size, expected, found: peaks.len() })
        }
    }

    /// Adds one leaf hash.
    pub fn append(&mut self, leaf: Hash) {
        let mut node = leaf;
        // Each trailing one bit of the size is a perfect subtree that this leaf completes.
        for _ in 0..self.size.trailing_ones() {
            if let Some(left) = self.peaks.pop() {
                node = node_hash(&left, &node);
            }
        }
        self.peaks.push(node);
        self.size += 1;
    }

    /// Number of entries.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// The hashes to keep, largest subtree first.
    #[must_use]
    pub fn peaks(&self) -> &[Hash] {
        &self.peaks
    }

    /// The root hash of the log.
    #[must_use]
    pub fn root(&self) -> Hash {
        fold_peaks(&self.peaks)
    }
}

/// The root over perfect subtrees that stand side by side, largest first.
pub(crate) fn fold_peaks(peaks: &[Hash]) -> Hash {
    peaks.iter().copied().rev().reduce(|right, left| node_hash(&left, &right)).unwrap_or_else(Hash::of_empty_log)
}

impl Extend<Hash> for Frontier {
    fn extend<I: IntoIterator<Item = Hash>>(&mut self, leaves: I) {
        for leaf in leaves {
            self.append(leaf);
        }
    }
}

impl TryFrom<Parts> for Frontier {
    type Error = FrontierError;

    fn try_from(parts: Parts) -> Result<Self, FrontierError> {
        Self::from_peaks(parts.size, parts.peaks)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash::leaf_hash;

    /// Leaves and roots of the RFC 6962 reference code; other implementations test against the same.
    const INPUTS: [&[u8]; 8] = [
        b"",
        b"\x00",
        b"\x10",
        b"\x20\x21",
        b"\x30\x31",
        b"\x40\x41\x42\x43",
        b"\x50\x51\x52\x53\x54\x55\x56\x57",
        b"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f",
    ];
    const ROOTS: [&str; 8] = [
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ];

    #[test]
    fn roots_of_the_rfc_6962_reference_code() {
        let mut frontier = Frontier::empty();
        assert_eq!(frontier.root(), Hash::of_empty_log());
        for (input, root) in INPUTS.iter().zip(ROOTS) {
            frontier.append(leaf_hash(input));
            assert_eq!(frontier.root().to_string(), root, "size {}", frontier.size());
        }
    }

    #[test]
    fn survives_storage_and_refuses_a_wrong_peak_count() {
        let mut frontier = Frontier::from_leaves(INPUTS[..7].iter().map(|b| leaf_hash(b)));
        let text = serde_json::to_string(&frontier).unwrap();
        let mut restored: Frontier = serde_json::from_str(&text).unwrap();
        assert_eq!(restored, frontier);
        restored.append(leaf_hash(INPUTS[7]));
        frontier.append(leaf_hash(INPUTS[7]));
        assert_eq!(restored.root().to_string(), ROOTS[7]);
        assert!(Frontier::from_peaks(6, frontier.peaks().to_vec()).is_err());
        assert!(serde_json::from_str::<Frontier>(r#"{"size":3,"peaks":[]}"#).is_err());
    }
}
