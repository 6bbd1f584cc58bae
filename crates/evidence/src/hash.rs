//! SHA-256 hashes of the log, as RFC 6962 section 2.1 defines them.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// Length of a hash in bytes.
const LEN: usize = 32;

/// A SHA-256 hash. Text form: 64 lower-case hex digits; nothing else parses.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Hash([u8; LEN]);

/// Why a value is no `Hash`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HashError {
    /// The stored bytes have another length.
    #[error("a hash has 32 bytes, found {found}")]
    Length {
        /// Bytes found.
        found: usize,
    },
    /// The text is not lower-case hex of 32 bytes.
    #[error("a hash is written as 64 lower-case hex digits, found {text:?}")]
    Text {
        /// The text as it came.
        text: String,
    },
}

impl Hash {
    /// Takes 32 bytes as they are.
    #[must_use]
    pub const fn new(bytes: [u8; LEN]) -> Self {
        Self(bytes)
    }

    /// The root of an empty log: SHA-256 of nothing.
    #[must_use]
    pub fn of_empty_log() -> Self {
        Self(Sha256::digest(b"").into())
    }

    /// The 32 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; LEN] {
        &self.0
    }

    /// Standard base64, the form of checkpoints and proof files.
    #[must_use]
    pub fn to_base64(&self) -> String {
        STANDARD.encode(self.0)
    }
}

/// Hash of an entry's body: `SHA-256(0x00 || body)`.
#[must_use]
pub fn leaf_hash(body: &[u8]) -> Hash {
    Hash(Sha256::new_with_prefix([0x00]).chain_update(body).finalize().into())
}

/// Hash of an inner node: `SHA-256(0x01 || left || right)`.
#[must_use]
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    // One buffer, one call: the node is the hot path of bulk appends.
    let mut input = [0x01; 1 + 2 * LEN];
    input[1..=LEN].copy_from_slice(&left.0);
    input[1 + LEN..].copy_from_slice(&right.0);
    Hash(Sha256::digest(input).into())
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = [0u8; 2 * LEN];
        f.write_str(base16ct::lower::encode_str(&self.0, &mut text).map_err(|_| fmt::Error)?)
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Hash({self})")
    }
}

impl FromStr for Hash {
    type Err = HashError;

    fn from_str(text: &str) -> Result<Self, HashError> {
        let bad = || HashError::Text { text: text.chars().take(80).collect() };
        let mut bytes = [0u8; LEN];
        match base16ct::lower::decode(text, &mut bytes) {
            Ok(all) if all.len() == LEN => Ok(Self(bytes)),
            _ => Err(bad()),
        }
    }
}

impl AsRef<[u8]> for Hash {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl TryFrom<&[u8]> for Hash {
    type Error = HashError;

    fn try_from(bytes: &[u8]) -> Result<Self, HashError> {
        bytes.try_into().map(Self).map_err(|_| HashError::Length { found: bytes.len() })
    }
}

impl TryFrom<String> for Hash {
    type Error = HashError;

    fn try_from(text: String) -> Result<Self, HashError> {
        text.parse()
    }
}

impl From<Hash> for String {
    fn from(hash: Hash) -> Self {
        hash.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_of_the_rfc_6962_reference_code() {
        assert_eq!(
            Hash::of_empty_log().to_string(),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
        assert_eq!(leaf_hash(b"").to_string(), "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d");
        assert_eq!(
            node_hash(&leaf_hash(b""), &leaf_hash(&[0])).to_string(),
            "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"
        );
    }

    #[test]
    fn text_form_is_strict() {
        let text = leaf_hash(b"x").to_string();
        assert_eq!(text.parse::<Hash>().unwrap(), leaf_hash(b"x"));
        for bad in ["", &text[1..], &text.to_uppercase(), &format!("{}g", &text[..63])] {
            assert!(bad.parse::<Hash>().is_err(), "{bad:?}");
        }
        assert_eq!(Hash::try_from(&[0u8; 31][..]), Err(HashError::Length { found: 31 }));
    }
}
