//! The evidence log: an append-only Merkle log in public formats, free of storage.
//!
//! Every decision of Onus is one entry. An entry's body is canonical JSON ([`canonical_json`]), its
//! leaf hash is [`leaf_hash`] (RFC 6962), and from time to time the log's head is signed as a C2SP
//! `tlog-checkpoint` inside a C2SP `signed-note` with Ed25519. Nothing here is our own invention, so
//! a stranger can check a proof with a stranger's tools.
//!
//! | need | use |
//! |---|---|
//! | append millions of leaves, know the root | [`Frontier`] (O(log n) memory) |
//! | answer many proofs about one log | [`Tree`] (O(log n) each, 64 bytes of memory a leaf) |
//! | one proof, leaves read from storage | [`inclusion_proof`], [`consistency_proof`] (O(n) reads) |
//! | check a whole stored log | [`LogVerifier`] or [`verify_log`] (streaming) |
//! | hand one entry to a stranger | [`Bundle`], [`verify_bundle`] |
//!
//! A log can only be checked against heads that somebody kept. Whoever owns the database *and* the
//! signing key can rewrite both; whoever owns the database can drop the newest entries together with
//! their checkpoints. Keep the newest checkpoint note elsewhere (a witness, a letter, another machine)
//! and pass it to [`verify_log`] with the stored ones.

mod audit;
mod bundle;
mod canonical;
mod checkpoint;
mod frontier;
mod hash;
mod note;
mod proof;
mod tree;

pub use audit::{Altered, Fault, LogReport, LogVerifier, MAX_FAULTS, verify_log};
pub use bundle::{BUNDLE_FORMAT, Bundle, BundleError, VerifiedEntry, verify_bundle};
pub use canonical::{CanonicalError, MAX_SAFE_INTEGER, canonical_json};
pub use checkpoint::Checkpoint;
pub use frontier::{Frontier, FrontierError};
pub use hash::{Hash, HashError, leaf_hash, node_hash};
pub use note::{NoteError, SigningKey, VerifyingKey, open_note, verify_note};
pub use proof::{ProofError, consistency_proof, inclusion_proof, verify_consistency, verify_inclusion};
pub use tree::Tree;
