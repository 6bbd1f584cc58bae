//! ISO 8583: bytes to messages, by dialects that are data.
//!
//! A [`Dialect`] says how one pair of partners writes its frames; it is read from a TOML file
//! (`dialects/` in the repository) or taken from the built-in ones. [`Dialect::decode`] checks a
//! frame whole and gives a [`Message`] that points into it and allocates nothing;
//! [`Dialect::mask_in_place`] overwrites card numbers, tracks, PIN blocks, keys and the like
//! with zeros of the same length, so that the frame still decodes at the same offsets. Nothing
//! that this crate prints ([`Message::describe`], `Debug`, errors) shows a full card number.
//!
//! ```
//! use onus_iso8583::Dialect;
//!
//! let dialect = Dialect::builtin("unionpay-pos")?;
//! let batch = dialect.sub_field(60, "batch")?; // look up once, read many times
//! let mut frame = *b"\x60\x00\x12\x00\x00\x60\x31\x00\x03\x01\x02\x02\x00\
//!     \x50\x00\x00\x00\x00\x80\x00\x10\
//!     \x16\x99\x99\x05\x68\x37\x00\x66\x97\
//!     \x00\x00\x00\x00\x65\x00\
//!     52306680\
//!     \x00\x11\x22\x00\x06\x66\x00\x00";
//! let message = dialect.decode(&frame)?;
//! assert_eq!(message.mti(), 0x0200);
//! assert_eq!(message.number(4), Some(6500));
//! assert_eq!(message.text(41), Some(&b"52306680"[..]));
//! assert_eq!(message.sub(batch).and_then(|batch| batch.number()), Some(666));
//! assert_eq!(message.range(4), Some(30..36));
//! assert_eq!(message.pan().map(|pan| pan.masked().to_string()).as_deref(), Some("999905******6697"));
//!
//! dialect.mask_in_place(&mut frame)?;
//! let masked = dialect.decode(&frame)?;
//! assert_eq!(masked.pan().map(|pan| pan.to_string()).as_deref(), Some("9999050000006697"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod bitmap;
mod checks;
mod codes;
mod compile;
mod compile_field;
mod decode;
mod describe;
mod dialect;
mod dialect_file;
mod draft;
mod ebcdic;
mod encode;
mod error;
pub mod foreign;
pub mod mac;
mod mask;
mod message;
mod nodes;
mod overlay;
mod seal;
mod show;
mod spec;
mod stream;
mod structure;
mod tlv;
mod value;

pub use codes::{
    Advice, Ambiguity, Approval, CauseClass, CodeBook, CodeQuery, CodeRow, CodesError, Grade, Knowledge, Layer,
    RejectCode, Retry, Role, Specificity, Usage,
};
pub use describe::Description;
pub use dialect::{CodeTable, Dialect, FieldInfo, HeaderPart, MacPlace, Matching, Reversal, SubField, SubFieldInfo};
pub use dialect_file::Sensitivity;
pub use draft::Draft;
pub use encode::{EncodeError, Encoder};
pub use error::{DecodeError, DialectError, Place, Problem};
pub use mask::MaskReport;
pub use message::{FieldSet, Message};
pub use nodes::{Input, Node};
pub use show::Shown;
pub use stream::{Framed, Stream};
pub use value::{Digits, Masked, Value};
