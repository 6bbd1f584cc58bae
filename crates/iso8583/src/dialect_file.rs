//! The text form of a dialect: what a TOML file may say.

use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DialectFile {
    pub(crate) dialect: About,
    pub(crate) encoding: Encodings,
    #[serde(default)]
    pub(crate) header: Vec<HeaderEntry>,
    pub(crate) mti: MtiEntry,
    pub(crate) bitmap: BitmapEntry,
    #[serde(default)]
    pub(crate) emv: EmvEntry,
    pub(crate) field: Vec<FieldEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct About {
    pub(crate) id: String,
    pub(crate) en: String,
    pub(crate) zh: String,
    pub(crate) revision: u32,
}

/// How digits are written, unless a field says otherwise.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Encodings {
    pub(crate) numbers: Encoding,
    pub(crate) tracks: Encoding,
    pub(crate) lengths: Encoding,
}

#[derive(Deserialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Encoding {
    /// Two digits a byte.
    Bcd,
    /// One digit a byte.
    Ascii,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct HeaderEntry {
    pub(crate) name: String,
    pub(crate) en: String,
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
}

#[derive(Deserialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(crate) enum HeaderForm {
    Binary,
    Bcd,
    Text,
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
    /// Whether a second bitmap may follow.
    pub(crate) secondary: bool,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(crate) struct EmvEntry {
    /// Tags whose values are masked, in hexadecimal.
    pub(crate) hide: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FieldEntry {
    pub(crate) number: u16,
    pub(crate) en: String,
    pub(crate) zh: String,
    pub(crate) format: Format,
    pub(crate) encoding: Option<Encoding>,
    pub(crate) fixed: Option<u16>,
    pub(crate) ll: Option<u16>,
    pub(crate) lll: Option<u16>,
    pub(crate) counts: Option<Counts>,
    pub(crate) pad: Option<Pad>,
    pub(crate) sensitive: Sensitivity,
    #[serde(default)]
    pub(crate) when: Vec<WhenEntry>,
    #[serde(default)]
    pub(crate) subs: Vec<SubEntry>,
}

/// What a field may hold.
#[derive(Deserialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Format {
    /// Digits.
    N,
    /// A track: digits and separators.
    Z,
    /// Printable ASCII.
    An,
    /// Text in any 8-bit encoding.
    Ans,
    /// Bytes.
    B,
}

/// What a length prefix counts.
#[derive(Deserialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Counts {
    Digits,
    Nibbles,
    Bytes,
}

/// Where the filler nibble of an odd number of packed digits stands.
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
    pub(crate) zh: String,
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
