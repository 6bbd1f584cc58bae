//! The text form of a dialect: what a TOML file may say. `docs/guides/dialects.md` explains each key.

use serde::Deserialize;

use crate::ebcdic::Page;
use crate::mac::MacProfile;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DialectFile {
    pub(crate) dialect: About,
    pub(crate) stream: Option<StreamEntry>,
    pub(crate) encoding: Encodings,
    #[serde(default)]
    pub(crate) header: Vec<HeaderEntry>,
    pub(crate) mti: MtiEntry,
    pub(crate) bitmap: BitmapEntry,
    #[serde(default)]
    pub(crate) emv: EmvEntry,
    pub(crate) mac: Option<MacEntry>,
    #[serde(default, rename = "match")]
    pub(crate) matching: KeyEntry,
    #[serde(default)]
    pub(crate) reversal: KeyEntry,
    pub(crate) codes: Option<CodesEntry>,
    #[serde(default)]
    pub(crate) mandatory: Vec<MandatoryEntry>,
    pub(crate) field: Vec<FieldEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct About {
    pub(crate) id: String,
    pub(crate) en: String,
    #[serde(default)]
    pub(crate) zh: String,
    pub(crate) revision: u32,
}

#[derive(Deserialize, Clone, Copy)]
#[serde(deny_unknown_fields)]
pub(crate) struct StreamEntry {
    pub(crate) length: Encoding,
    pub(crate) bytes: u8,
    #[serde(default)]
    pub(crate) includes_itself: bool,
}

/// How characters are written, unless a field says otherwise.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Encodings {
    pub(crate) numbers: Encoding,
    pub(crate) tracks: Encoding,
    pub(crate) lengths: Encoding,
    #[serde(default = "ascii")]
    pub(crate) texts: Encoding,
    #[serde(default)]
    pub(crate) page: Page,
}

fn ascii() -> Encoding {
    Encoding::Ascii
}

#[derive(Deserialize, Debug, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Encoding {
    /// Two digits a byte.
    Bcd,
    /// One digit a byte.
    Ascii,
    Ebcdic,
    /// Numbers: big-endian. Bytes: as they are.
    Binary,
    /// ASCII hexadecimal characters.
    Hex,
    /// EBCDIC hexadecimal characters.
    EbcdicHex,
    /// Tags and lengths as in BER-TLV.
    Ber,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct HeaderEntry {
    pub(crate) name: String,
    pub(crate) en: String,
    #[serde(default)]
    pub(crate) zh: String,
    pub(crate) form: HeaderForm,
    /// Digits of a `bcd` part, bytes of any other.
    pub(crate) length: u16,
    /// Hexadecimal (`binary`, `bcd`) or text; a part must begin with one of them.
    #[serde(default)]
    pub(crate) starts_with: Vec<String>,
    /// The part holds the length of the frame, in decimal text.
    #[serde(default)]
    pub(crate) frame_length: bool,
    /// What a new frame gets.
    pub(crate) value: Option<String>,
}

#[derive(Deserialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(crate) enum HeaderForm {
    Binary,
    Bcd,
    Text,
    Ebcdic,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct MtiEntry {
    pub(crate) encoding: Encoding,
    /// First digits that may occur.
    pub(crate) versions: Vec<u8>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct BitmapEntry {
    #[serde(default = "binary")]
    pub(crate) encoding: Encoding,
    /// Whether a second bitmap may follow.
    pub(crate) secondary: bool,
    /// Whether bit 65 announces a third bitmap, in the place of field 65.
    #[serde(default)]
    pub(crate) tertiary: bool,
    #[serde(default)]
    pub(crate) third: ThirdPlace,
    /// Bytes that the bitmap always has, whatever bit 1 says.
    pub(crate) fixed_bytes: Option<u8>,
}

/// Where a third bitmap stands.
#[derive(Deserialize, Clone, Copy, PartialEq, Eq, Default)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum ThirdPlace {
    #[default]
    InField65,
    /// Behind the second.
    Joined,
}

fn binary() -> Encoding {
    Encoding::Binary
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(crate) struct EmvEntry {
    /// Tags whose values are masked, in hexadecimal.
    pub(crate) hide: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct MacEntry {
    #[serde(flatten)]
    pub(crate) profile: MacProfile,
    pub(crate) field: Vec<u8>,
    #[serde(default)]
    pub(crate) absent: Vec<String>,
}

/// Fields and sub-fields that identify something.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(crate) struct KeyEntry {
    #[serde(default)]
    pub(crate) fields: Vec<u8>,
    #[serde(default)]
    pub(crate) subs: Vec<String>,
    #[serde(default)]
    pub(crate) original: Vec<String>,
    #[serde(default)]
    pub(crate) repeat: Vec<u8>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CodesEntry {
    pub(crate) table: String,
    #[serde(default)]
    pub(crate) terminal_app: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct MandatoryEntry {
    pub(crate) mti: Vec<String>,
    pub(crate) fields: Vec<u8>,
}

/// A field, or a part of one.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FieldEntry {
    pub(crate) number: Option<u16>,
    pub(crate) id: Option<String>,
    #[serde(default)]
    pub(crate) en: String,
    #[serde(default)]
    pub(crate) zh: String,
    pub(crate) format: Format,
    pub(crate) encoding: Option<Encoding>,
    pub(crate) page: Option<Page>,
    pub(crate) fixed: Option<u32>,
    pub(crate) l: Option<u32>,
    pub(crate) ll: Option<u32>,
    pub(crate) lll: Option<u32>,
    pub(crate) llll: Option<u32>,
    pub(crate) lllll: Option<u32>,
    pub(crate) llllll: Option<u32>,
    pub(crate) rest: Option<u32>,
    pub(crate) lengths: Option<Encoding>,
    pub(crate) prefix_bytes: Option<u8>,
    pub(crate) counts: Option<Counts>,
    pub(crate) pad: Option<Pad>,
    pub(crate) fill: Option<String>,
    #[serde(default)]
    pub(crate) min: u16,
    pub(crate) sensitive: Option<Sensitivity>,
    #[serde(default)]
    pub(crate) when: Vec<WhenEntry>,
    #[serde(default)]
    pub(crate) subs: Vec<SubEntry>,
    pub(crate) parts: Option<PartsEntry>,
    /// Of a part under tags: it stands before the first tag.
    #[serde(default)]
    pub(crate) leading: bool,
}

/// What a field may hold.
#[derive(Deserialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Format {
    /// Digits.
    N,
    /// A track: digits and separators.
    Z,
    /// Hexadecimal nibbles, packed.
    H,
    /// Printable text.
    An,
    /// Text in any 8-bit encoding.
    Ans,
    /// Bytes.
    B,
    /// A letter C or D, then digits.
    X,
}

/// What a length prefix counts.
#[derive(Deserialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Counts {
    Digits,
    Nibbles,
    Bytes,
    Characters,
}

/// Where filler stands.
#[derive(Deserialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Pad {
    Left,
    Right,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct WhenEntry {
    pub(crate) mti: Vec<String>,
    pub(crate) sensitive: Sensitivity,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SubEntry {
    pub(crate) name: String,
    pub(crate) at: u16,
    /// Absent: up to the end of the field.
    pub(crate) length: Option<u16>,
    pub(crate) en: String,
    #[serde(default)]
    pub(crate) zh: String,
}

/// How the content of a field is divided into fields of its own.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PartsEntry {
    pub(crate) by: DividedBy,
    #[serde(default)]
    pub(crate) lenient: bool,
    pub(crate) tag: Option<NumberEntry>,
    pub(crate) length: Option<NumberEntry>,
    pub(crate) bitmap: Option<PartBitmapEntry>,
    #[serde(default)]
    pub(crate) unknown_tags: UnknownTags,
    #[serde(default)]
    pub(crate) order: TagOrder,
    #[serde(default)]
    pub(crate) part: Vec<FieldEntry>,
}

#[derive(Deserialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(crate) enum DividedBy {
    Position,
    Tag,
    Ber,
    Bitmap,
}

/// A tag or a length.
#[derive(Deserialize, Clone, Copy)]
#[serde(deny_unknown_fields)]
pub(crate) struct NumberEntry {
    pub(crate) encoding: Encoding,
    #[serde(default)]
    pub(crate) digits: u8,
    pub(crate) page: Option<Page>,
}

#[derive(Deserialize, Clone, Copy)]
#[serde(deny_unknown_fields)]
pub(crate) struct PartBitmapEntry {
    #[serde(default = "binary")]
    pub(crate) encoding: Encoding,
    pub(crate) bytes: u8,
    /// Bit 1 announces as many bytes again.
    #[serde(default)]
    pub(crate) first_bit_extends: bool,
}

/// Which stands first.
#[derive(Deserialize, Clone, Copy, PartialEq, Eq, Default)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum TagOrder {
    #[default]
    TagLength,
    /// The length counts the tag too.
    LengthTag,
}

#[derive(Deserialize, Clone, Copy, PartialEq, Eq, Default)]
#[serde(rename_all = "lowercase")]
pub(crate) enum UnknownTags {
    #[default]
    Keep,
    Refuse,
}

/// What a field must not show.
#[derive(Deserialize, Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Sensitivity {
    /// Nothing to hide.
    None,
    /// A card number: its first 6 and last 4 digits may be seen.
    Pan,
    /// A track: the first 6 and last 4 digits of its card number may be seen.
    Track,
    /// A PIN block: hidden whole.
    Pin,
    /// Key material: hidden whole.
    Key,
    /// BER-TLV chip data: the dialect's hidden tags lose their values.
    Emv,
    /// Free text: digit runs that look like card numbers are masked.
    Text,
    /// Data about a person: hidden whole.
    Personal,
}
