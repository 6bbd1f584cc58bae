//! The head of a log at one size, in the C2SP tlog-checkpoint text form.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use crate::hash::Hash;
use crate::note::NoteError;

/// What a log signs: its name, how many entries it has, and their root hash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// Name of the log; for logs of Onus also the name of the key that signs.
    pub origin: String,
    /// Number of entries.
    pub size: u64,
    /// Root hash of the first `size` entries.
    pub root: Hash,
}

impl Checkpoint {
    /// The text that is signed: origin, size and base64 root, a line each.
    #[must_use]
    pub fn to_text(&self) -> String {
        format!("{}\n{}\n{}\n", self.origin, self.size, self.root.to_base64())
    }

    /// Reads the text of a checkpoint. Extension lines after the root are allowed and ignored, as the
    /// format demands.
    ///
    /// # Errors
    /// Names the line that is not as the format says.
    pub fn parse(text: &str) -> Result<Self, NoteError> {
        let bad = |line: &str, expected: &'static str| NoteError::Checkpoint {
            line: line.chars().take(120).collect(),
            expected,
        };
        let body = text.strip_suffix('\n').ok_or_else(|| bad("", "a text that ends in a newline"))?;
        let mut lines = body.split('\n');
        let mut next = |expected| match lines.next() {
            Some(line) if !line.is_empty() => Ok(line),
            _ => Err(bad("", expected)),
        };
        let origin = next("line 1: the origin")?;
        let size = next("line 2: the tree size")?;
        let root = next("line 3: the root hash")?;
        if lines.any(str::is_empty) {
            return Err(bad("", "extension lines that are not empty"));
        }
        Ok(Self {
            origin: origin.to_owned(),
            size: parse_size(size).ok_or_else(|| bad(size, "line 2: a decimal number without leading zeros"))?,
            root: STANDARD
                .decode(root)
                .ok()
                .and_then(|bytes| Hash::try_from(bytes.as_slice()).ok())
                .ok_or_else(|| bad(root, "line 3: base64 of 32 bytes"))?,
        })
    }
}

fn parse_size(text: &str) -> Option<u64> {
    let digits = text.bytes().all(|b| b.is_ascii_digit());
    let leading_zero = text.len() > 1 && text.starts_with('0');
    if digits && !leading_zero { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_the_specification() {
        let text = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n";
        let checkpoint = Checkpoint::parse(text).unwrap();
        assert_eq!(checkpoint.origin, "example.com/behind-the-sofa");
        assert_eq!(checkpoint.size, 20_852_163);
        assert_eq!(checkpoint.to_text(), text);
        let extended = Checkpoint::parse(&format!("{text}extension\n")).unwrap();
        assert_eq!(extended, checkpoint);
    }

    #[test]
    fn refuses_other_texts() {
        let root = "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=";
        for bad in [
            String::new(),
            "log\n1\n".to_owned(),
            format!("log\n1\n{root}"),
            format!("\n1\n{root}\n"),
            format!("log\n01\n{root}\n"),
            format!("log\n+1\n{root}\n"),
            format!("log\n18446744073709551616\n{root}\n"),
            format!("log\n1\n{}\n", &root[..40]),
            format!("log\n1\n{}J=\n", &root[..42]),
            format!("log\n1\n{root}\n\nx\n"),
        ] {
            assert!(Checkpoint::parse(&bad).is_err(), "{bad:?}");
        }
    }
}
