//! A compiled dialect: the flat table that decoding reads, and what its parts are called.

use std::sync::LazyLock;

use crate::compile;
use crate::dialect_file::{DialectFile, Sensitivity};
use crate::error::DialectError;
use crate::message::FieldSet;
use crate::spec::Spec;
use crate::tlv::TagSet;

/// How two partners write their frames. Read from data, never changed afterwards.
pub struct Dialect {
    pub(crate) id: String,
    pub(crate) en: String,
    pub(crate) zh: String,
    pub(crate) revision: u32,
    pub(crate) header: Header,
    pub(crate) mti: Mti,
    pub(crate) secondary: bool,
    /// Row n is field n; rows 0 and 1 are always absent.
    pub(crate) table: [Spec; 129],
    pub(crate) fields: Vec<FieldInfo>,
    /// Fields that hide something in at least one message type.
    pub(crate) sensitive: FieldSet,
    pub(crate) hidden_tags: TagSet,
}

/// The header of a frame: parts that follow each other, and the checks compiled from them.
pub(crate) struct Header {
    pub(crate) length: usize,
    pub(crate) parts: Vec<HeaderPartInfo>,
    pub(crate) checks: Vec<HeaderCheck>,
    pub(crate) tpdu: Option<HeaderPart>,
    pub(crate) version: Option<HeaderPart>,
    pub(crate) software_version: Option<HeaderPart>,
}

pub(crate) struct HeaderPartInfo {
    pub(crate) name: String,
    pub(crate) en: String,
    pub(crate) zh: String,
    pub(crate) binary: bool,
    pub(crate) part: HeaderPart,
}

pub(crate) enum HeaderCheck {
    /// Bytes of packed digits.
    Digits { at: usize, length: usize },
    /// Bytes that begin with one of these.
    StartsWith { at: usize, any_of: Vec<Vec<u8>> },
    /// Decimal text that states the length of the frame.
    FrameLength { at: usize, length: usize },
}

/// Which message types there are, and how they are written.
pub(crate) struct Mti {
    pub(crate) ascii: bool,
    /// Bit n is set when the first digit may be n.
    pub(crate) versions: u16,
}

/// A header part of one dialect, looked up once with [`Dialect::header_part`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeaderPart {
    /// First unit of the part, from the start of the frame: a nibble or a byte.
    pub(crate) at: u16,
    pub(crate) units: u16,
    pub(crate) packed: bool,
}

/// A sub-field of one dialect, looked up once with [`Dialect::sub_field`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SubField {
    pub(crate) field: u8,
    pub(crate) at: u16,
    /// Zero: up to the end of the field.
    pub(crate) units: u16,
}

/// What a dialect says about one field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldInfo {
    /// Its number, 2 to 128.
    pub number: u8,
    /// Its name in English.
    pub en: String,
    /// Its name in Chinese.
    pub zh: String,
    /// Its named parts, by position.
    pub subs: Vec<SubFieldInfo>,
    pub(crate) sensitive: Sensitivity,
    /// What it hides in single message types.
    pub(crate) when: Vec<(u16, Sensitivity)>,
}

impl FieldInfo {
    /// What the field must not show in a message of this type.
    #[must_use]
    pub fn sensitivity(&self, mti: u16) -> Sensitivity {
        self.when.iter().find(|(when, _)| *when == mti).map_or(self.sensitive, |(_, sensitive)| *sensitive)
    }
}

/// What a dialect says about one sub-field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubFieldInfo {
    /// Its name, unique in the field.
    pub name: String,
    /// What it holds, in English.
    pub en: String,
    /// What it holds, in Chinese.
    pub zh: String,
    /// The handle to read it with.
    pub handle: SubField,
}

macro_rules! built_in {
    ($($id:literal),+) => {
        /// Ids of the dialects that are built in.
        const BUILT_IN: &[&str] = &[$($id),+];

        fn built_in(id: &str) -> Option<&'static Result<Dialect, DialectError>> {
            match id {
                $($id => {
                    static DIALECT: LazyLock<Result<Dialect, DialectError>> = LazyLock::new(|| {
                        Dialect::from_toml(include_str!(concat!("../../../dialects/", $id, ".toml")))
                    });
                    Some(&DIALECT)
                })+
                _ => None,
            }
        }
    };
}

built_in!("unionpay-pos", "unionpay-network");

impl Dialect {
    /// Reads and checks a dialect file.
    ///
    /// # Errors
    /// Says which table or field is wrong and what to change.
    pub fn from_toml(text: &str) -> Result<Dialect, DialectError> {
        let file: DialectFile = toml::from_str(text).map_err(|error| DialectError::Syntax(error.to_string()))?;
        compile::dialect(file)
    }

    /// A dialect of the repository's `dialects/`, compiled on first use.
    ///
    /// # Errors
    /// When no dialect of that id is built in.
    pub fn builtin(id: &str) -> Result<&'static Dialect, DialectError> {
        match built_in(id) {
            Some(dialect) => dialect.as_ref().map_err(Clone::clone),
            None => Err(DialectError::NotBuiltIn { id: id.into(), known: BUILT_IN.join(", ") }),
        }
    }

    /// The ids that [`Dialect::builtin`] knows.
    #[must_use]
    pub fn builtin_ids() -> &'static [&'static str] {
        BUILT_IN
    }

    /// The id of the dialect.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The name of the dialect in English.
    #[must_use]
    pub fn en(&self) -> &str {
        &self.en
    }

    /// The name of the dialect in Chinese.
    #[must_use]
    pub fn zh(&self) -> &str {
        &self.zh
    }

    /// Which revision of the dialect's data this is.
    #[must_use]
    pub fn revision(&self) -> u32 {
        self.revision
    }

    /// The fields of the dialect, by number.
    #[must_use]
    pub fn fields(&self) -> &[FieldInfo] {
        &self.fields
    }

    /// What the dialect says about field `number`.
    #[must_use]
    pub fn field(&self, number: u8) -> Option<&FieldInfo> {
        self.fields.binary_search_by_key(&number, |field| field.number).ok().and_then(|at| self.fields.get(at))
    }

    /// The handle of a named sub-field.
    ///
    /// # Errors
    /// When the dialect has no such sub-field; the error lists those it has.
    pub fn sub_field(&self, number: u8, name: &str) -> Result<SubField, DialectError> {
        let subs = self.field(number).map_or(&[][..], |field| &field.subs);
        subs.iter().find(|sub| sub.name == name).map(|sub| sub.handle).ok_or_else(|| DialectError::Unknown {
            dialect: self.id.clone(),
            what: format!("sub-field {name:?} in field {number}"),
            known: join(subs.iter().map(|sub| sub.name.as_str())),
        })
    }

    /// The handle of a named part of the header.
    ///
    /// # Errors
    /// When the dialect has no such part; the error lists those it has.
    pub fn header_part(&self, name: &str) -> Result<HeaderPart, DialectError> {
        self.header.find(name).ok_or_else(|| DialectError::Unknown {
            dialect: self.id.clone(),
            what: format!("header part {name:?}"),
            known: join(self.header.parts.iter().map(|part| part.name.as_str())),
        })
    }

    /// The row of the flat table; numbers that cannot be have an absent row.
    #[inline]
    pub(crate) fn spec(&self, number: u8) -> &Spec {
        self.table.get(usize::from(number)).unwrap_or(&Spec::ABSENT)
    }
}

impl Mti {
    /// Bytes of a message type.
    #[inline]
    pub(crate) fn length(&self) -> usize {
        if self.ascii { 4 } else { 2 }
    }
}

impl Header {
    pub(crate) fn find(&self, name: &str) -> Option<HeaderPart> {
        self.parts.iter().find(|part| part.name == name).map(|part| part.part)
    }
}

impl std::fmt::Debug for Dialect {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Dialect")
            .field("id", &self.id)
            .field("revision", &self.revision)
            .field("fields", &self.fields.len())
            .finish_non_exhaustive()
    }
}

fn join<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let names: Vec<_> = names.collect();
    if names.is_empty() { "none".into() } else { names.join(", ") }
}
