//! One entry and all that a stranger needs to check it, offline.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::canonical::canonical_json;
use crate::checkpoint::Checkpoint;
use crate::hash::{Hash, leaf_hash};
use crate::note::{NoteError, VerifyingKey, check_origin, verify_note};
use crate::proof::{ProofError, verify_inclusion};

/// Format name that a bundle carries.
pub const BUNDLE_FORMAT: &str = "onus-evidence-bundle/1";

/// An entry with its proof, ready to be written as JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bundle {
    /// Always [`BUNDLE_FORMAT`].
    pub format: String,
    /// The entry's canonical JSON, as text so that its bytes survive.
    pub body: String,
    /// Position of the entry in the log.
    pub index: u64,
    /// Leaf hash of the body.
    pub leaf_hash: Hash,
    /// Inclusion proof, leaf's sibling first.
    pub proof: Vec<Hash>,
    /// The signed checkpoint that the proof leads to.
    pub checkpoint: String,
    /// Public key of the log, `name+id+base64`. A stranger compares it with one from another channel.
    pub public_key: String,
}

/// What a good bundle shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedEntry {
    /// Position of the entry in the log.
    pub index: u64,
    /// The entry.
    pub body: Value,
    /// The signed head that contains it.
    pub checkpoint: Checkpoint,
    /// Public key of the log.
    pub key: VerifyingKey,
    /// The caller knew the key beforehand. If not, the bundle only proves that it agrees with itself.
    pub key_was_trusted: bool,
}

/// Why a bundle is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BundleError {
    /// Another format or version.
    #[error("format is {found:?}, expected {BUNDLE_FORMAT:?}; a newer Onus may read it")]
    Format {
        /// Format found.
        found: String,
    },
    /// The bundle's key is not the one the caller trusts.
    #[error("the bundle is signed by {found}, expected {expected}")]
    OtherKey {
        /// Key in the bundle.
        found: String,
        /// Key that the caller trusts.
        expected: String,
    },
    /// The body is not canonical JSON.
    #[error("the body is not canonical JSON: {reason}")]
    Body {
        /// What is wrong.
        reason: String,
    },
    /// The body does not have the stated leaf hash.
    #[error("the body was altered: its leaf hash is {computed}, the bundle states {stated}")]
    LeafHash {
        /// Hash of the body.
        computed: Hash,
        /// Hash in the bundle.
        stated: Hash,
    },
    /// Key or checkpoint are refused.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// The proof does not lead to the signed root.
    #[error("the entry is not in the signed log: {0}")]
    Proof(#[from] ProofError),
}

impl Bundle {
    /// Puts a bundle together from an entry's canonical body, its inclusion proof and a signed
    /// checkpoint, and checks it.
    ///
    /// # Errors
    /// When the parts do not belong together.
    pub fn new(
        body: &[u8],
        index: u64,
        proof: Vec<Hash>,
        checkpoint: &str,
        key: &VerifyingKey,
    ) -> Result<Self, BundleError> {
        let text = std::str::from_utf8(body).map_err(|error| BundleError::Body { reason: error.to_string() })?;
        let bundle = Self {
            format: BUNDLE_FORMAT.to_owned(),
            body: text.to_owned(),
            index,
            leaf_hash: leaf_hash(body),
            proof,
            checkpoint: checkpoint.to_owned(),
            public_key: key.to_string(),
        };
        verify_bundle(&bundle, Some(key))?;
        Ok(bundle)
    }

    /// The same proof as a C2SP `.tlog-proof` file, for foreign verifiers; they need the body beside it.
    #[must_use]
    pub fn to_tlog_proof(&self) -> String {
        let mut text = format!("c2sp.org/tlog-proof@v1\nindex {}\n", self.index);
        for hash in &self.proof {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "{}", hash.to_base64());
        }
        text.push('\n');
        text.push_str(&self.checkpoint);
        text
    }
}

/// Checks a bundle without any network or storage. Give the log's key if you have it from a channel you
/// trust; without it the result says so.
///
/// # Errors
/// Names the first part that does not hold.
pub fn verify_bundle(bundle: &Bundle, trusted: Option<&VerifyingKey>) -> Result<VerifiedEntry, BundleError> {
    if bundle.format != BUNDLE_FORMAT {
        return Err(BundleError::Format { found: bundle.format.clone() });
    }
    let key: VerifyingKey = bundle.public_key.parse()?;
    if let Some(expected) = trusted.filter(|expected| **expected != key) {
        return Err(BundleError::OtherKey { found: key.to_string(), expected: expected.to_string() });
    }
    let computed = leaf_hash(bundle.body.as_bytes());
    if computed != bundle.leaf_hash {
        return Err(BundleError::LeafHash { computed, stated: bundle.leaf_hash });
    }
    let body = parse_canonical(&bundle.body)?;
    let checkpoint = verify_note(&bundle.checkpoint, &key)?;
    check_origin(&checkpoint, key.name())?;
    verify_inclusion(computed, bundle.index, checkpoint.size, checkpoint.root, &bundle.proof)?;
    Ok(VerifiedEntry { index: bundle.index, body, checkpoint, key, key_was_trusted: trusted.is_some() })
}

/// Two readers must see the same entry: duplicate keys and other spellings are refused.
fn parse_canonical(text: &str) -> Result<Value, BundleError> {
    let bad = |reason: String| BundleError::Body { reason };
    let value: Value = serde_json::from_str(text).map_err(|error| bad(error.to_string()))?;
    let canonical = canonical_json(&value).map_err(|error| bad(error.to_string()))?;
    if canonical != text.as_bytes() {
        return Err(bad("keys are not sorted or not unique, or it holds spaces".to_owned()));
    }
    Ok(value)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::note::SigningKey;
    use crate::tree::Tree;

    fn key() -> SigningKey {
        SigningKey::from_seed("onus.example/log", [3; 32]).unwrap()
    }

    fn bundle() -> Bundle {
        let bodies: Vec<Vec<u8>> = (0..21)
            .map(|n| canonical_json(&json!({"payment": n, "cause": "TERM.HW", "说明": "终端"})).unwrap())
            .collect();
        let tree = Tree::from_leaves(bodies.iter().map(|b| leaf_hash(b)));
        let note = key().sign_head(21, tree.root());
        let proof = tree.inclusion_proof(13, 21).unwrap();
        Bundle::new(&bodies[13], 13, proof, &note, &key().verifying_key()).unwrap()
    }

    #[test]
    fn convinces_a_stranger_after_a_trip_through_json() {
        let text = serde_json::to_string_pretty(&bundle()).unwrap();
        let read: Bundle = serde_json::from_str(&text).unwrap();
        let entry = verify_bundle(&read, Some(&key().verifying_key())).unwrap();
        assert_eq!(entry.index, 13);
        assert_eq!(entry.body["payment"], 13);
        assert_eq!(entry.checkpoint.size, 21);
        assert!(entry.key_was_trusted);
        assert!(!verify_bundle(&read, None).unwrap().key_was_trusted);
    }

    /// Any bit of any string or number of the JSON: refused, either as JSON or as a proof.
    #[test]
    fn every_flipped_bit_is_refused() {
        let good = bundle();
        let text = serde_json::to_vec(&good).unwrap();
        for position in 0..text.len() {
            for bit in 0..8 {
                let mut bytes = text.clone();
                bytes[position] ^= 1 << bit;
                let Ok(altered) = serde_json::from_slice::<Bundle>(&bytes) else {
                    continue;
                };
                assert!(verify_bundle(&altered, None).is_err(), "byte {position} bit {bit}");
            }
        }
    }

    #[test]
    fn refuses_another_key_and_ambiguous_bodies() {
        let good = bundle();
        let other = SigningKey::from_seed("onus.example/log", [4; 32]).unwrap();
        assert!(matches!(verify_bundle(&good, Some(&other.verifying_key())), Err(BundleError::OtherKey { .. })));
        for body in [r#"{"a":1,"a":2}"#, r#"{"a": 1}"#, r#"{"b":1,"a":1}"#, "{"] {
            let tree = Tree::from_leaves([leaf_hash(body.as_bytes())]);
            let note = key().sign_head(1, tree.root());
            let result = Bundle::new(body.as_bytes(), 0, vec![], &note, &key().verifying_key());
            assert!(matches!(result, Err(BundleError::Body { .. })), "{body}");
        }
    }

    #[test]
    fn writes_a_tlog_proof_file() {
        let good = bundle();
        let text = good.to_tlog_proof();
        let (head, note) = text.split_once("\n\n").unwrap();
        assert_eq!(note, good.checkpoint);
        let mut lines = head.lines();
        assert_eq!(lines.next(), Some("c2sp.org/tlog-proof@v1"));
        assert_eq!(lines.next(), Some("index 13"));
        assert_eq!(lines.count(), good.proof.len());
    }
}
