//! Checking a whole stored log against its signed checkpoints, entry by entry.

use std::fmt;

use serde::Serialize;

use crate::checkpoint::Checkpoint;
use crate::frontier::Frontier;
use crate::hash::{Hash, leaf_hash};
use crate::note::{VerifyingKey, check_origin, verify_note};

/// Faults kept in a report; more are only counted, so that memory stays bounded.
pub const MAX_FAULTS: usize = 1000;

/// Which half of a stored entry no longer fits the signed root.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Altered {
    /// The body was altered: the stored leaf hash still leads to the signed root.
    Body,
    /// The stored leaf hash was altered: the body still leads to the signed root.
    LeafHash,
    /// No signed root tells which.
    Unclear,
}

/// One thing wrong with a stored log. Ranges are `from..to`, `to` not included.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "fault", rename_all = "snake_case")]
pub enum Fault {
    /// Body and leaf hash of an entry do not belong together.
    EntryAltered {
        /// The entry.
        index: u64,
        /// Which half was altered, where a signed root tells.
        altered: Altered,
    },
    /// Entries are missing inside the log.
    EntriesMissing {
        /// First missing entry.
        from: u64,
        /// First entry that is there again.
        to: u64,
    },
    /// An entry came twice or out of order.
    EntryRepeated {
        /// The entry.
        index: u64,
    },
    /// The entries do not lead to the root that was signed: something in the range was altered,
    /// removed or added, body and leaf hash alike.
    RootMismatch {
        /// Size of the last checkpoint that holds (0: none).
        from: u64,
        /// Size of the checkpoint that does not hold.
        to: u64,
    },
    /// A signed checkpoint covers entries that are gone.
    EntriesRemoved {
        /// First entry that is gone.
        from: u64,
        /// Size that was signed.
        to: u64,
    },
    /// Two signed checkpoints of one size have different roots: the log was shown in two versions.
    SplitView {
        /// The size.
        size: u64,
    },
    /// The note of a stored checkpoint is not signed by the log's key.
    BadSignature {
        /// Size as stored.
        size: u64,
        /// Why the note is refused.
        detail: String,
    },
    /// Size or root stored beside a note differ from what the note says.
    CheckpointAltered {
        /// Size as stored.
        size: u64,
        /// Size as signed.
        signed_size: u64,
    },
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EntryAltered { index, altered } => match altered {
                Altered::Body => write!(f, "entry {index}: its body was altered"),
                Altered::LeafHash => write!(f, "entry {index}: its stored leaf hash was altered"),
                Altered::Unclear => write!(f, "entry {index}: body and leaf hash differ"),
            },
            Self::EntriesMissing { from, to } => {
                write!(f, "entries {from} to {} are missing", to.saturating_sub(1))
            }
            Self::EntryRepeated { index } => {
                write!(f, "entry {index} came again or out of order")
            }
            Self::RootMismatch { from, to } => {
                write!(f, "entries {from} to {} do not lead to the root signed at {to}", to.saturating_sub(1))
            }
            Self::EntriesRemoved { from, to } => {
                write!(f, "{to} entries were signed, entries {from} to {} are gone", to.saturating_sub(1))
            }
            Self::SplitView { size } => {
                write!(f, "two different roots were signed for {size} entries")
            }
            Self::BadSignature { size, detail } => write!(f, "checkpoint at {size}: {detail}"),
            Self::CheckpointAltered { size, signed_size } => {
                write!(f, "checkpoint at {size}: stored size or root differ from the note (signed at {signed_size})")
            }
        }
    }
}

/// What checking a log found.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct LogReport {
    /// Entries read.
    pub entries: u64,
    /// Checkpoints whose signature and root hold.
    pub checkpoints_verified: u64,
    /// Checkpoints with a good signature whose root does not hold or could not be reached.
    pub checkpoints_failed: u64,
    /// Entries below the newest checkpoint that holds; later ones are vouched for by nobody.
    pub covered: u64,
    /// What is wrong, at most [`MAX_FAULTS`].
    pub faults: Vec<Fault>,
    /// Faults beyond the list.
    pub faults_omitted: u64,
}

impl LogReport {
    /// Nothing wrong was found. Entries past `covered` are not signed yet.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.faults.is_empty()
    }

    fn push(&mut self, fault: Fault) {
        if self.faults.len() < MAX_FAULTS {
            self.faults.push(fault);
        } else {
            self.faults_omitted += 1;
        }
    }
}

/// Checks a stored log as it is read, in O(log n) memory. Feed every entry in order, then finish.
#[derive(Debug, Clone)]
pub struct LogVerifier {
    /// Signed heads, smallest first; `heads_done` of them are settled.
    heads: Vec<Checkpoint>,
    heads_done: usize,
    next_index: u64,
    /// The log as the bodies tell it.
    by_body: Frontier,
    /// The log as the stored leaf hashes tell it, once the two differ.
    by_leaf: Option<Frontier>,
    /// Faults from here on are younger than the last head that holds.
    faults_settled: usize,
    /// A head failed or entries are missing: no later head can be checked.
    lost: bool,
    mismatch_reported: bool,
    report: LogReport,
}

impl LogVerifier {
    /// Starts with the stored checkpoints (size, root, note) and the log's public key. A checkpoint kept
    /// elsewhere may be added: it also finds entries removed together with their own checkpoints.
    pub fn new<R: AsRef<[u8]>, N: AsRef<str>>(checkpoints: &[(u64, R, N)], key: &VerifyingKey) -> Self {
        let mut report = LogReport::default();
        let mut heads = Vec::new();
        for (size, root, note) in checkpoints {
            let signed =
                verify_note(note.as_ref(), key).and_then(|head| check_origin(&head, key.name()).map(|()| head));
            match signed {
                Ok(head) => {
                    if head.size != *size || head.root.as_ref() != root.as_ref() {
                        report.push(Fault::CheckpointAltered { size: *size, signed_size: head.size });
                    }
                    heads.push(head);
                }
                Err(error) => report.push(Fault::BadSignature { size: *size, detail: error.to_string() }),
            }
        }
        heads.sort_by_key(|head| head.size);
        let mut verifier = Self {
            heads,
            heads_done: 0,
            next_index: 0,
            by_body: Frontier::empty(),
            by_leaf: None,
            faults_settled: report.faults.len(),
            lost: false,
            mismatch_reported: false,
            report,
        };
        verifier.settle();
        verifier
    }

    /// Takes the next stored entry. The leaf hash comes as stored, whatever its length.
    pub fn entry(&mut self, index: u64, stored_leaf_hash: &[u8], body: &[u8]) {
        self.report.entries += 1;
        if index < self.next_index {
            self.report.push(Fault::EntryRepeated { index });
            return;
        }
        if index > self.next_index {
            self.report.push(Fault::EntriesMissing { from: self.next_index, to: index });
            self.lost = true;
            self.next_index = index;
            self.settle();
        }
        let computed = leaf_hash(body);
        let stored = Hash::try_from(stored_leaf_hash).ok();
        if stored != Some(computed) {
            self.report.push(Fault::EntryAltered { index, altered: Altered::Unclear });
            self.by_leaf.get_or_insert_with(|| self.by_body.clone());
        }
        if let Some(by_leaf) = &mut self.by_leaf {
            by_leaf.append(stored.unwrap_or(computed));
        }
        self.by_body.append(computed);
        self.next_index = index + 1;
        self.settle();
    }

    /// Ends the log: what was signed but did not come is gone.
    #[must_use]
    pub fn finish(mut self) -> LogReport {
        let left = &self.heads[self.heads_done..];
        self.report.checkpoints_failed += left.len() as u64;
        if let Some(largest) = left.last() {
            self.report.push(Fault::EntriesRemoved { from: self.next_index, to: largest.size });
        }
        self.report
    }

    /// Compares every head that the entries have reached.
    fn settle(&mut self) {
        while let Some(head) = self.heads.get(self.heads_done) {
            if head.size > self.next_index {
                return;
            }
            let (size, root) = (head.size, head.root);
            self.heads_done += 1;
            self.settle_head(size, root);
        }
    }

    fn settle_head(&mut self, size: u64, root: Hash) {
        if !self.lost && self.by_body.root() == root {
            self.accept(size, Altered::LeafHash);
        } else if let Some(by_leaf) = self.by_leaf.take_if(|l| !self.lost && l.root() == root) {
            self.by_body = by_leaf;
            self.accept(size, Altered::Body);
        } else {
            self.refuse(size);
        }
    }

    fn accept(&mut self, size: u64, altered: Altered) {
        self.by_leaf = None;
        for fault in self.report.faults.iter_mut().skip(self.faults_settled) {
            if let Fault::EntryAltered { altered: which, .. } = fault {
                *which = altered;
            }
        }
        self.faults_settled = self.report.faults.len();
        self.report.checkpoints_verified += 1;
        self.report.covered = size;
    }

    fn refuse(&mut self, size: u64) {
        self.report.checkpoints_failed += 1;
        let from = self.report.covered;
        if self.report.checkpoints_verified > 0 && from == size {
            self.report.push(Fault::SplitView { size });
            return;
        }
        // Every later root depends on this range too: only the first failure narrows anything down.
        self.lost = true;
        if !self.mismatch_reported {
            self.mismatch_reported = true;
            self.report.push(Fault::RootMismatch { from, to: size });
        }
    }
}

/// Checks a whole log: entries (index, stored leaf hash, body) in order against its checkpoints (size,
/// root, note). See [`LogVerifier`] when reading an entry can fail.
pub fn verify_log<H, B, R, N>(
    entries: impl IntoIterator<Item = (u64, H, B)>,
    checkpoints: &[(u64, R, N)],
    key: &VerifyingKey,
) -> LogReport
where
    H: AsRef<[u8]>,
    B: AsRef<[u8]>,
    R: AsRef<[u8]>,
    N: AsRef<str>,
{
    let mut verifier = LogVerifier::new(checkpoints, key);
    for (index, leaf_hash, body) in entries {
        verifier.entry(index, leaf_hash.as_ref(), body.as_ref());
    }
    verifier.finish()
}

#[cfg(test)]
#[path = "audit_tests.rs"]
mod tests;
