//! Importing ISO 8583 specifications that were written for other libraries: text in, a dialect file out.
//!
//! What such a specification says and a dialect cannot say is never dropped in silence: it comes
//! back as a [`Remark`], and stands as a comment in the dialect.

mod draft;
mod jpos;
mod jpos_classes;
mod jpos_parts;
mod known;
mod moov;
mod moov_parts;
mod pyiso8583;
mod write;

use crate::dialect::Dialect;
use draft::{Draft, Third};

/// Which library a specification was written for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Format {
    /// A JSON specification of moov-io/iso8583 (Go).
    MoovJson,
    /// A specification dictionary of pyiso8583 (Python), dumped as JSON.
    Pyiso8583Json,
    /// A field description of jPOS's `GenericPackager` (Java).
    JposXml,
}

impl Format {
    /// All of them.
    pub const ALL: [Format; 3] = [Format::MoovJson, Format::Pyiso8583Json, Format::JposXml];

    /// The name that a user gives: `moov-json`, `pyiso8583-json`, `jpos-xml`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Format::MoovJson => "moov-json",
            Format::Pyiso8583Json => "pyiso8583-json",
            Format::JposXml => "jpos-xml",
        }
    }

    /// The format of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Format> {
        Format::ALL.into_iter().find(|format| format.name() == name)
    }
}

/// A dialect made from a foreign specification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imported {
    /// The dialect file; [`Dialect::from_toml`] reads it.
    pub toml: String,
    /// What could not be carried over as it was.
    pub remarks: Vec<Remark>,
}

/// Something that a dialect says differently than the specification, or cannot say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remark {
    /// Where in the specification: `field 48.3`, `bitmap`.
    pub place: String,
    /// What it is, and what was done instead.
    pub what: String,
}

impl std::fmt::Display for Remark {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.place, self.what)
    }
}

/// Why a specification cannot be imported.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// The text is not of the format's language.
    #[error("the specification is no {language}: {problem}")]
    Syntax {
        /// JSON or XML.
        language: &'static str,
        /// What the parser says.
        problem: String,
    },
    /// The text is no specification of that library.
    #[error("this is no {format} specification: {problem}")]
    NotOne {
        /// The name of the format.
        format: &'static str,
        /// What was expected and is not there.
        problem: String,
    },
    /// A part without which no message can be read cannot be carried over.
    #[error("{place}: {problem}")]
    Part {
        /// Where in the specification.
        place: String,
        /// What is wrong, and what to do.
        problem: String,
    },
    /// The dialect that was made is not valid: an extreme of the specification that was not foreseen.
    #[error(
        "the dialect made from it does not load: {problem}; take that field out of the specification and report it"
    )]
    DoesNotLoad {
        /// What loading says.
        problem: String,
    },
}

impl ImportError {
    fn part(place: impl Into<String>, problem: impl Into<String>) -> ImportError {
        ImportError::Part { place: place.into(), problem: problem.into() }
    }
}

/// Takes out fields that no bitmap can announce, and all but the last of those with the same number.
fn tidy(draft: &mut Draft, remarks: &mut Vec<Remark>) {
    let last = match (draft.bitmap.secondary, draft.bitmap.third) {
        (_, Third::Joined | Third::InField65) => 192,
        (true, Third::None) => 128,
        (false, Third::None) => 64,
    };
    let has_third = draft.bitmap.third != Third::None;
    let before = draft.fields.len();
    draft.fields.retain(|field| field.number() <= last && !(has_third && field.number() == 65));
    let lost = before - draft.fields.len();
    if lost > 0 {
        let what = format!("it announces no field above {last}; {lost} fields are left out");
        remarks.push(Remark { place: "bitmap".into(), what });
    }
    draft.fields.sort_by_key(draft::Item::number);
    draft.fields.reverse();
    draft.fields.dedup_by_key(|field| field.number());
    draft.fields.reverse();
}

/// Makes a dialect file with the id `id` from a specification.
///
/// # Errors
/// When the text is no such specification, or its message type or bitmap cannot be carried over.
pub fn import(format: Format, text: &str, id: &str) -> Result<Imported, ImportError> {
    if id.is_empty() || !id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
        return Err(ImportError::part("id", format!("{id:?} must be letters, digits and -")));
    }
    let text = text.trim_start_matches('\u{FEFF}');
    let mut remarks = Vec::new();
    let mut draft: Draft = match format {
        Format::MoovJson => moov::read(text, &mut remarks)?,
        Format::Pyiso8583Json => pyiso8583::read(text, &mut remarks)?,
        Format::JposXml => jpos::read(text, &mut remarks)?,
    };
    tidy(&mut draft, &mut remarks);
    let toml = write::dialect(&draft, id, format, &remarks);
    match Dialect::from_toml(&toml) {
        Ok(_) => Ok(Imported { toml, remarks }),
        Err(error) => Err(ImportError::DoesNotLoad { problem: error.to_string() }),
    }
}
