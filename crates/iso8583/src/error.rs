//! What can be wrong with a frame or with a dialect file.

use std::fmt;

/// Why a frame was not decoded: where, what was expected, what was found.
///
/// No error shows more of a frame than one byte that cannot belong there, four digits that
/// stand where a message type or a length should, or a count.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("byte {offset}, {place}: expected {}, found {}", .problem.expected(), .problem.found())]
pub struct DecodeError {
    /// Offset in the frame of the byte at which decoding stopped.
    pub offset: usize,
    /// The part of the frame that it stopped in.
    pub place: Place,
    /// What is wrong there.
    pub problem: Problem,
}

impl DecodeError {
    /// The field it stopped in, if it got as far as the fields.
    #[must_use]
    pub fn field(&self) -> Option<u8> {
        match self.place {
            Place::Field(number) | Place::Part(number, _) => Some(number),
            _ => None,
        }
    }
}

/// A part of a frame.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Place {
    /// The frame as a whole.
    Frame,
    /// A named part of the header.
    Header(Box<str>),
    /// The message type.
    Mti,
    /// The bitmap.
    Bitmap,
    /// A field, with its length prefix.
    Field(u8),
    /// A part of a field: the field's number and the ids of the parts, from the outside in.
    Part(u8, Box<str>),
    /// What follows the last field.
    End,
}

impl fmt::Display for Place {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Frame => out.write_str("frame"),
            Place::Header(name) => write!(out, "header {name}"),
            Place::Mti => out.write_str("message type"),
            Place::Bitmap => out.write_str("bitmap"),
            Place::Field(number) => write!(out, "field {number}"),
            Place::Part(number, path) => write!(out, "field {number}, part {path}"),
            Place::End => out.write_str("end of the message"),
        }
    }
}

/// What is wrong at a place.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Problem {
    /// The frame ends before the value does.
    Truncated {
        /// Bytes that the value needs.
        needed: usize,
        /// Bytes that are left.
        left: usize,
    },
    /// Not a decimal digit.
    NotDigit {
        /// The nibble or the byte.
        found: u8,
    },
    /// Neither a digit nor a separator of a track.
    NotTrack {
        /// The nibble or the byte.
        found: u8,
    },
    /// The filler of an odd number of digits is neither 0 nor F.
    NotFiller {
        /// The nibble.
        found: u8,
    },
    /// Not a printable ASCII character.
    NotPrintable {
        /// The byte.
        found: u8,
    },
    /// Not a hexadecimal character.
    NotHex {
        /// The byte.
        found: u8,
    },
    /// Not a letter C or D, nor a sign.
    NotSign {
        /// The byte.
        found: u8,
    },
    /// Bytes that write no length.
    NotLength {
        /// The first of them.
        found: u8,
    },
    /// Content that must be BER-TLV and is not.
    NotTlv,
    /// Parts within parts, more than are followed.
    TooDeep {
        /// How many are followed.
        max: usize,
    },
    /// A field that a message of this type must have.
    Missing,
    /// A length below what the dialect allows.
    TooShort {
        /// Fewest units allowed.
        min: u16,
        /// Units that the prefix announces.
        found: u32,
    },
    /// A length above what the dialect allows.
    TooLong {
        /// Most units allowed.
        max: u16,
        /// Units that the prefix announces.
        found: u32,
    },
    /// Bytes behind the last field.
    Trailing {
        /// How many.
        count: usize,
    },
    /// A header part that does not begin as it must.
    HeaderMismatch {
        /// What it may begin with, in hexadecimal.
        expected: Box<str>,
        /// The first byte that is there.
        found: u8,
    },
    /// The header states another length than the frame has.
    FrameLength {
        /// The length that the header states.
        declared: usize,
        /// The length of the frame.
        actual: usize,
    },
    /// Digits that are no message type of this dialect.
    UnknownMti {
        /// The digits, one a nibble.
        found: u16,
    },
    /// The bitmap names a field that the dialect does not have.
    NotInDialect,
    /// More bytes than a frame can have.
    FrameTooLong {
        /// How many.
        actual: usize,
    },
}

impl Problem {
    /// What is wrong with an announced length.
    pub(crate) fn length(spec: &crate::spec::Spec, found: u32) -> Problem {
        if found < spec.min.into() {
            Problem::TooShort { min: spec.min, found }
        } else {
            Problem::TooLong { max: spec.units, found }
        }
    }

    /// A short stable name of the kind of problem, for reports and counters.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Problem::Truncated { .. } => "truncated",
            Problem::NotDigit { .. } => "not-digit",
            Problem::NotTrack { .. } => "not-track",
            Problem::NotFiller { .. } => "not-filler",
            Problem::NotPrintable { .. } => "not-printable",
            Problem::NotHex { .. } => "not-hex",
            Problem::NotSign { .. } => "not-sign",
            Problem::NotLength { .. } => "not-length",
            Problem::NotTlv => "not-tlv",
            Problem::TooDeep { .. } => "too-deep",
            Problem::Missing => "missing",
            Problem::TooShort { .. } => "too-short",
            Problem::TooLong { .. } => "too-long",
            Problem::Trailing { .. } => "trailing-bytes",
            Problem::HeaderMismatch { .. } => "header-mismatch",
            Problem::FrameLength { .. } => "frame-length",
            Problem::UnknownMti { .. } => "unknown-mti",
            Problem::NotInDialect => "not-in-dialect",
            Problem::FrameTooLong { .. } => "frame-too-long",
        }
    }

    /// What should have been there.
    #[must_use]
    pub fn expected(&self) -> String {
        match self {
            Problem::Truncated { needed, .. } => format!("{needed} bytes"),
            Problem::NotDigit { .. } => "a decimal digit".into(),
            Problem::NotTrack { .. } => "a digit or a track separator".into(),
            Problem::NotFiller { .. } => "a filler 0 or F".into(),
            Problem::NotPrintable { .. } => "a printable ASCII character".into(),
            Problem::NotHex { .. } => "a hexadecimal character".into(),
            Problem::NotSign { .. } => "a letter C or D, or a sign".into(),
            Problem::NotLength { .. } => "a length".into(),
            Problem::NotTlv => "BER-TLV objects".into(),
            Problem::TooDeep { max } => format!("at most {max} parts within each other"),
            Problem::Missing => "this field in a message of this type".into(),
            Problem::TooShort { min, .. } => format!("a length of at least {min}"),
            Problem::TooLong { max, .. } => format!("a length of at most {max}"),
            Problem::Trailing { .. } => "nothing".into(),
            Problem::HeaderMismatch { expected, .. } => {
                format!("a value that begins with {expected}")
            }
            Problem::FrameLength { actual, .. } => format!("the length of the frame, {actual}"),
            Problem::UnknownMti { .. } => "a message type of this dialect".into(),
            Problem::NotInDialect => "a field that the dialect has".into(),
            Problem::FrameTooLong { .. } => format!("at most {} bytes", u16::MAX),
        }
    }

    /// What was there.
    #[must_use]
    pub fn found(&self) -> String {
        match self {
            Problem::Truncated { left, .. } => format!("{left}"),
            Problem::NotDigit { found }
            | Problem::NotTrack { found }
            | Problem::NotFiller { found }
            | Problem::NotPrintable { found }
            | Problem::NotHex { found }
            | Problem::NotSign { found }
            | Problem::NotLength { found }
            | Problem::HeaderMismatch { found, .. } => format!("0x{found:02X}"),
            Problem::NotTlv => "other bytes".into(),
            Problem::TooDeep { .. } => "more".into(),
            Problem::Missing => "none".into(),
            Problem::TooShort { found, .. } | Problem::TooLong { found, .. } => format!("{found}"),
            Problem::Trailing { count } => format!("{count} bytes more"),
            Problem::FrameLength { declared, .. } => format!("{declared}"),
            Problem::UnknownMti { found } => format!("{found:04X}"),
            Problem::NotInDialect => "one that it does not have".into(),
            Problem::FrameTooLong { actual } => format!("{actual}"),
        }
    }
}

/// Why a dialect cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DialectError {
    /// Not TOML, or not the keys and values of a dialect.
    #[error("dialect file: {0}")]
    Syntax(String),
    /// A header part that contradicts itself.
    #[error("dialect header part {name:?}: {problem}")]
    Header {
        /// Its name.
        name: String,
        /// What to change.
        problem: String,
    },
    /// A message type, bitmap or tag that cannot be.
    #[error("dialect {part}: {problem}")]
    Part {
        /// The table of the file.
        part: &'static str,
        /// What to change.
        problem: String,
    },
    /// A field that contradicts itself.
    #[error("dialect field {number}: {problem}")]
    Field {
        /// Its number.
        number: u16,
        /// What to change.
        problem: String,
    },
    /// A name that the dialect does not have.
    #[error("dialect {dialect:?} has no {what}; it has: {known}")]
    Unknown {
        /// Its id.
        dialect: String,
        /// What was asked for.
        what: String,
        /// What can be asked for.
        known: String,
    },
    /// No dialect of that name is built in.
    #[error("no built-in dialect {id:?}; built in are: {known}")]
    NotBuiltIn {
        /// What was asked for.
        id: String,
        /// What can be asked for.
        known: String,
    },
}
