//! A compiled dialect: the flat table that decoding reads, and what its parts are called.

use std::sync::LazyLock;

use crate::bitmap::BitmapForm;
use crate::compile;
use crate::dialect_file::Sensitivity;
use crate::error::DialectError;
use crate::mac::MacProfile;
use crate::message::FieldSet;
use crate::overlay;
use crate::spec::{Form, Spec};
use crate::stream::Stream;
use crate::structure::Structure;
use crate::tlv::TagSet;

/// The bit that announces a third bitmap, where a dialect has one.
pub(crate) const THIRD_BITMAP: u8 = 65;

/// How two partners write their frames. Read from data, never changed afterwards.
pub struct Dialect {
    pub(crate) id: String,
    pub(crate) en: String,
    pub(crate) zh: String,
    pub(crate) revision: u32,
    pub(crate) header: Header,
    pub(crate) mti: Mti,
    pub(crate) bitmap: Bitmap,
    pub(crate) stream: Option<Stream>,
    /// Row n is field n; rows 0 and 1 are always absent.
    pub(crate) table: [Spec; 193],
    pub(crate) fields: Vec<FieldInfo>,
    /// Fields that hide something in at least one message type.
    pub(crate) sensitive: FieldSet,
    pub(crate) hidden_tags: TagSet,
    /// Fields that messages of a type must have.
    pub(crate) mandatory: Vec<(u16, FieldSet)>,
    pub(crate) matching: Matching,
    pub(crate) reversal: Reversal,
    pub(crate) mac: Option<MacPlace>,
    pub(crate) codes: Option<CodeTable>,
}

/// What identifies the exchange that a message belongs to: a reply repeats these values of its request.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Matching {
    /// Whole fields.
    pub fields: Vec<u8>,
    /// Sub-fields.
    pub subs: Vec<SubField>,
}

/// How a reversal names the payment it takes back.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reversal {
    /// Fields that it repeats and that identify the original.
    pub matching: Matching,
    /// Sub-fields that name the original where they are present.
    pub original: Vec<SubField>,
    /// Fields of the request that a reversal made for a silent terminal repeats.
    pub repeat: Vec<u8>,
}

/// Where a dialect's messages carry a MAC, and which one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MacPlace {
    /// Algorithm and form.
    pub profile: MacProfile,
    /// The field that holds it: the last of these that is present.
    pub fields: Vec<u8>,
    /// Message types that carry none.
    pub absent: Vec<u16>,
}

/// Which table says what the response codes of a dialect mean.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodeTable {
    /// Id of the table.
    pub id: String,
    /// Terminal application, or empty.
    pub terminal_app: String,
}

/// Which bitmaps there may be, and how they are written.
pub(crate) struct Bitmap {
    pub(crate) form: BitmapForm,
    pub(crate) secondary: bool,
    pub(crate) tertiary: bool,
    /// The third bitmap stands behind the second, not in the place of field 65.
    pub(crate) joined: bool,
    /// Bytes that the bitmap always has; zero: as bit 1 says.
    pub(crate) fixed_bytes: u8,
}

/// The header of a frame: parts that follow each other, and the checks compiled from them.
pub(crate) struct Header {
    pub(crate) length: usize,
    /// What a new frame gets.
    pub(crate) template: Vec<u8>,
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
    pub(crate) form: Form,
    /// Bit n is set when the first digit may be n.
    pub(crate) versions: u16,
}

/// A header part of one dialect, looked up once with [`Dialect::header_part`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeaderPart {
    /// First unit of the part, from the start of the frame: a nibble or a byte.
    pub(crate) at: u16,
    pub(crate) units: u16,
    pub(crate) form: Form,
    /// Bytes, not text.
    pub(crate) binary: bool,
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
    /// Its number, 2 to 192.
    pub number: u8,
    /// Its name in English.
    pub en: String,
    /// Its name in Chinese.
    pub zh: String,
    /// Its named parts, by position.
    pub subs: Vec<SubFieldInfo>,
    pub(crate) structure: Option<Structure>,
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
                    static DIALECT: LazyLock<Result<Dialect, DialectError>> =
                        LazyLock::new(|| Dialect::from_toml(built_in_text($id).unwrap_or_default()));
                    Some(&DIALECT)
                })+
                _ => None,
            }
        }

        /// The file of a built-in dialect.
        pub(crate) fn built_in_text(id: &str) -> Option<&'static str> {
            match id {
                $($id => Some(include_str!(concat!("../../../dialects/", $id, ".toml"))),)+
                _ => None,
            }
        }
    };
}

built_in!(
    "unionpay-pos",
    "unionpay-pos-22",
    "unionpay-pos-31",
    "unionpay-network",
    "iso1987-ascii",
    "iso1987-binary",
    "iso1993-ascii",
    "ebcdic-network"
);

impl Dialect {
    /// Reads and checks a dialect file, which may extend a built-in dialect.
    ///
    /// # Errors
    /// Says which table or field is wrong and what to change.
    pub fn from_toml(text: &str) -> Result<Dialect, DialectError> {
        Dialect::from_toml_with(text, &|_| None)
    }

    /// Reads and checks a dialect file; `load` gives the text of a file that it extends, by the name it says.
    ///
    /// # Errors
    /// Says which table or field is wrong and what to change.
    pub fn from_toml_with(text: &str, load: &dyn Fn(&str) -> Option<String>) -> Result<Dialect, DialectError> {
        compile::dialect(overlay::file(text, load)?)
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

    /// How frames follow each other on a connection; none when the dialect does not say.
    #[must_use]
    pub fn stream(&self) -> Option<Stream> {
        self.stream
    }

    /// What identifies the exchange that a message belongs to.
    #[must_use]
    pub fn matching(&self) -> &Matching {
        &self.matching
    }

    /// How a reversal names its original.
    #[must_use]
    pub fn reversal(&self) -> &Reversal {
        &self.reversal
    }

    /// Where messages carry a MAC, and which one.
    #[must_use]
    pub fn mac(&self) -> Option<&MacPlace> {
        self.mac.as_ref()
    }

    /// Which table says what response codes mean.
    #[must_use]
    pub fn code_table(&self) -> Option<&CodeTable> {
        self.codes.as_ref()
    }

    /// The names of the header's parts, in order.
    pub fn header_parts(&self) -> impl Iterator<Item = &str> {
        self.header.parts.iter().map(|part| part.name.as_str())
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
