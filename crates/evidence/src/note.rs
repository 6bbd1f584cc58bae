//! C2SP signed notes with Ed25519 keys.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, Signer as _};
use sha2::{Digest as _, Sha256};

use crate::checkpoint::Checkpoint;
use crate::hash::Hash;

/// Signature type byte of Ed25519.
const ED25519: u8 = 0x01;
/// Begins a signature line: em dash and space.
const DASH: &str = "\u{2014} ";
/// A note with more signatures is refused; the format demands at least 16.
const MAX_SIGNATURES: usize = 64;
const SECRET_PREFIX: &str = "PRIVATE+KEY+";

/// Why a note, a key or a checkpoint is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// The name cannot stand in a signature line.
    #[error("key name {name:?} must be non-empty, without spaces, '+' and control characters")]
    Name {
        /// The name as it came.
        name: String,
    },
    /// The text is no key.
    #[error("not an Ed25519 key in the form name+id+base64: {reason}")]
    Key {
        /// What is wrong.
        reason: &'static str,
    },
    /// The checkpoint names another log than the key that should sign it.
    #[error("checkpoint is of log {origin:?}, the key belongs to {key:?}")]
    Origin {
        /// Origin line of the checkpoint.
        origin: String,
        /// Name of the key.
        key: String,
    },
    /// The note is not formed as a signed note.
    #[error("not a signed note: {reason}")]
    Malformed {
        /// What is wrong.
        reason: &'static str,
    },
    /// No signature line belongs to the key.
    #[error("the note has no signature of {key}")]
    NotSigned {
        /// Key in text form.
        key: String,
    },
    /// The signature of the key does not fit the text.
    #[error("the signature of {key} does not fit the text: the note was altered")]
    BadSignature {
        /// Key in text form.
        key: String,
    },
    /// The signed text is no checkpoint.
    #[error("not a checkpoint: expected {expected}, found {line:?}")]
    Checkpoint {
        /// The line found.
        line: String,
        /// What should stand there.
        expected: &'static str,
    },
}

/// Signs checkpoints of one log. Debug output never shows the secret.
#[derive(Clone)]
pub struct SigningKey {
    name: String,
    key: ed25519_dalek::SigningKey,
}

/// Checks signatures of one log. Text form: `name+id+base64`, as the format's Go tools write it.
#[derive(Clone, PartialEq, Eq)]
pub struct VerifyingKey {
    name: String,
    key: ed25519_dalek::VerifyingKey,
}

impl SigningKey {
    /// The key with this 32-byte seed. The seed must come from a secure random source.
    ///
    /// # Errors
    /// When the name cannot stand in a note.
    pub fn from_seed(name: &str, seed: [u8; 32]) -> Result<Self, NoteError> {
        check_name(name)?;
        Ok(Self { name: name.to_owned(), key: ed25519_dalek::SigningKey::from_bytes(&seed) })
    }

    /// Reads the secret text form `PRIVATE+KEY+name+id+base64`.
    ///
    /// # Errors
    /// When the text is not such a key.
    pub fn from_secret_text(text: &str) -> Result<Self, NoteError> {
        let rest = text
            .strip_prefix(SECRET_PREFIX)
            .ok_or(NoteError::Key { reason: "a secret key begins with PRIVATE+KEY+" })?;
        let (name, id, seed) = split_key(rest)?;
        let key = Self::from_seed(name, seed)?;
        check_id(id, key.verifying_key().id())?;
        Ok(key)
    }

    /// The secret text form. Whoever has it can sign in this log's name.
    #[must_use]
    pub fn to_secret_text(&self) -> String {
        format!("{SECRET_PREFIX}{}", join_key(&self.name, self.verifying_key().id(), self.key.as_bytes()))
    }

    /// Name of the key, which is the origin of the log.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The public half.
    #[must_use]
    pub fn verifying_key(&self) -> VerifyingKey {
        VerifyingKey { name: self.name.clone(), key: self.key.verifying_key() }
    }

    /// Signs a checkpoint of this key's log as a note.
    ///
    /// # Errors
    /// When the checkpoint's origin is not the key's name.
    pub fn sign(&self, checkpoint: &Checkpoint) -> Result<String, NoteError> {
        check_origin(checkpoint, &self.name)?;
        Ok(self.sign_text(&checkpoint.to_text()))
    }

    /// Signs the head of this key's log: size and root hash.
    #[must_use]
    pub fn sign_head(&self, size: u64, root: Hash) -> String {
        let origin = self.name.clone();
        self.sign_text(&Checkpoint { origin, size, root }.to_text())
    }

    /// Signs text that ends in a newline as a note. Ed25519 is deterministic: same text, same note.
    #[must_use]
    pub fn sign_text(&self, text: &str) -> String {
        let mut blob = self.verifying_key().id().to_vec();
        blob.extend_from_slice(&self.key.sign(text.as_bytes()).to_bytes());
        format!("{text}\n{DASH}{} {}\n", self.name, STANDARD.encode(blob))
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({})", self.verifying_key())
    }
}

impl VerifyingKey {
    /// The key with this name and 32-byte Ed25519 public key.
    ///
    /// # Errors
    /// When the name cannot stand in a note or the bytes are no safe public key.
    pub fn new(name: &str, public: [u8; 32]) -> Result<Self, NoteError> {
        check_name(name)?;
        match ed25519_dalek::VerifyingKey::from_bytes(&public) {
            Ok(key) if !key.is_weak() => Ok(Self { name: name.to_owned(), key }),
            _ => Err(NoteError::Key { reason: "the bytes are no Ed25519 public key" }),
        }
    }

    /// Name of the key, which is the origin of the log.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Key id: first four bytes of `SHA-256(name || 0x0A || 0x01 || public key)`.
    #[must_use]
    pub fn id(&self) -> [u8; 4] {
        let digest: [u8; 32] = Sha256::new()
            .chain_update(self.name.as_bytes())
            .chain_update([b'\n', ED25519])
            .chain_update(self.key.as_bytes())
            .finalize()
            .into();
        [digest[0], digest[1], digest[2], digest[3]]
    }

    fn verify(&self, text: &str, signature: &[u8]) -> Result<(), NoteError> {
        Signature::from_slice(signature)
            .and_then(|signature| self.key.verify_strict(text.as_bytes(), &signature))
            .map_err(|_| NoteError::BadSignature { key: self.to_string() })
    }
}

impl fmt::Display for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&join_key(&self.name, self.id(), self.key.as_bytes()))
    }
}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VerifyingKey({self})")
    }
}

impl FromStr for VerifyingKey {
    type Err = NoteError;

    fn from_str(text: &str) -> Result<Self, NoteError> {
        let (name, id, public) = split_key(text)?;
        let key = Self::new(name, public)?;
        check_id(id, key.id())?;
        Ok(key)
    }
}

/// The text of a note that carries a good signature of `key`. Signatures of other keys are ignored.
///
/// # Errors
/// When the note is malformed, has no signature of the key, or one that does not fit.
pub fn open_note<'a>(note: &'a str, key: &VerifyingKey) -> Result<&'a str, NoteError> {
    let malformed = |reason| NoteError::Malformed { reason };
    if note.bytes().any(|b| b < 0x20 && b != b'\n') {
        return Err(malformed("it holds a control character"));
    }
    let split = note.rfind("\n\n").ok_or(malformed("no empty line before the signatures"))?;
    let (text, signatures) = (&note[..=split], &note[split + 2..]);
    let signatures = signatures.strip_suffix('\n').ok_or(malformed("it does not end in a signature line"))?;
    if signatures.split('\n').count() > MAX_SIGNATURES {
        return Err(malformed("it has more than 64 signatures"));
    }
    let id = key.id();
    let mut found = None;
    for line in signatures.split('\n') {
        let (name, blob) = line
            .strip_prefix(DASH)
            .and_then(|rest| rest.split_once(' '))
            .ok_or(malformed("a signature line is not '\u{2014} name base64'"))?;
        let blob = STANDARD.decode(blob).map_err(|_| malformed("a signature is not base64"))?;
        if check_name(name).is_err() || blob.len() <= id.len() {
            return Err(malformed("a signature line has no name or no signature"));
        }
        if name == key.name && blob.starts_with(&id) {
            key.verify(text, &blob[id.len()..])?;
            found = Some(text);
        }
    }
    found.ok_or_else(|| NoteError::NotSigned { key: key.to_string() })
}

/// The checkpoint in a note that carries a good signature of `key`.
///
/// # Errors
/// Like [`open_note`], and when the text is no checkpoint.
pub fn verify_note(note: &str, key: &VerifyingKey) -> Result<Checkpoint, NoteError> {
    Checkpoint::parse(open_note(note, key)?)
}

/// Logs of Onus sign under their own name; a checkpoint of another log proves nothing about this one.
pub(crate) fn check_origin(checkpoint: &Checkpoint, name: &str) -> Result<(), NoteError> {
    if checkpoint.origin == name {
        Ok(())
    } else {
        Err(NoteError::Origin { origin: checkpoint.origin.clone(), key: name.to_owned() })
    }
}

fn check_name(name: &str) -> Result<(), NoteError> {
    let bad = |c: char| c.is_whitespace() || c.is_control() || c == '+';
    if name.is_empty() || name.contains(bad) {
        return Err(NoteError::Name { name: name.to_owned() });
    }
    Ok(())
}

fn join_key(name: &str, id: [u8; 4], bytes: &[u8; 32]) -> String {
    let mut blob = vec![ED25519];
    blob.extend_from_slice(bytes);
    format!("{name}+{:08x}+{}", u32::from_be_bytes(id), STANDARD.encode(blob))
}

fn split_key(text: &str) -> Result<(&str, &str, [u8; 32]), NoteError> {
    let bad = |reason| NoteError::Key { reason };
    let mut parts = text.splitn(3, '+');
    let (Some(name), Some(id), Some(blob)) = (parts.next(), parts.next(), parts.next()) else {
        return Err(bad("three parts joined by '+' expected"));
    };
    let blob = STANDARD.decode(blob).map_err(|_| bad("the third part is not base64"))?;
    match blob.split_first() {
        Some((&ED25519, bytes)) => {
            let bytes = bytes.try_into().map_err(|_| bad("the third part does not hold 32 bytes"))?;
            Ok((name, id, bytes))
        }
        _ => Err(bad("the key is of another type than Ed25519 (0x01)")),
    }
}

fn check_id(found: &str, id: [u8; 4]) -> Result<(), NoteError> {
    if found == format!("{:08x}", u32::from_be_bytes(id)) {
        Ok(())
    } else {
        Err(NoteError::Key { reason: "the key id does not fit name and key" })
    }
}

#[cfg(test)]
#[path = "note_tests.rs"]
mod tests;
