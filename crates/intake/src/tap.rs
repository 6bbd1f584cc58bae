//! The journal of the gateway: what it writes down about every exchange, byte by byte.
//!
//! A journal is a folder of segments. A segment is [`MAGIC`], then records. A record is its length (4 bytes), the
//! CRC32C of its body (4 bytes) and the body; the first byte of the body is the kind, the rest its values in the order
//! of the declaration. All numbers are big-endian; times are microseconds UTC; a text has 2 bytes of length, a frame 4.
//! The first record of every segment is [`Record::Segment`], after it stand the [`Record::Request`]s that were open
//! when the segment was begun, with `carried` set.
//!
//! A process or a machine that dies may leave a record half written. [`Records`] gives every whole record and then says
//! where the torn rest begins; nothing after it is read. Frames are masked by whoever encodes: [`Record::encode`] calls
//! the given function on each frame where it lies in the buffer, before the checksum is made.

use std::fmt;

/// The first bytes of a segment.
pub const MAGIC: [u8; 8] = *b"ONUSTAP1";
/// The version of the record forms below; a reader refuses any other.
pub const VERSION: u16 = 1;
/// Bytes before a record's body.
pub(crate) const HEAD: usize = 8;
/// No record is longer.
const LONGEST: usize = 1 << 20;
/// Says "none" for a host, a link or an exchange.
pub const NO_LINK: u16 = u16::MAX;

/// What is wrong with the bytes of a record.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TapError {
    /// The file does not begin as a segment does.
    #[error("expected a tap segment that begins with ONUSTAP1; is the file a segment of a gateway's journal?")]
    NoSegment,
    /// The segment is of a version that this program does not know.
    #[error("expected version {VERSION} of the tap format, found {0}; read it with the program that wrote it")]
    Version(u16),
    /// The bytes end in the middle of a record, or what stands there was never one.
    #[error("expected a whole record, found {found} bytes that are none ({why})")]
    Torn {
        /// Bytes from the fault to the end.
        found: usize,
        /// What did not fit.
        why: &'static str,
    },
    /// The checksum is right but the values make no sense.
    #[error("expected {0} in a record whose checksum is right; it was written by another version")]
    Body(&'static str),
}

macro_rules! byte_enum {
    ($(#[$meta:meta])* $name:ident { $($(#[$vmeta:meta])* $variant:ident = $byte:literal $text:literal),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $name { $($(#[$vmeta])* $variant),+ }

        impl $name {
            fn byte(self) -> u8 {
                match self { $($name::$variant => $byte),+ }
            }

            fn read(byte: u8) -> Option<Self> {
                match byte { $($byte => Some($name::$variant),)+ _ => None }
            }

            /// Its fixed name.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $($name::$variant => $text),+ }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str(self.as_str())
            }
        }
    };
}

byte_enum! {
    /// Which side of the gateway.
    Side {
        /// Terminals.
        Terminal = 0 "terminal",
        /// Hosts of the acquirer.
        Upstream = 1 "upstream",
    }
}

byte_enum! {
    /// What a reply from a host was found to be.
    ReplyKind {
        /// It answers an open exchange in time.
        InTime = 0 "in-time",
        /// It answers an exchange whose time was up, or whose terminal had gone.
        Late = 1 "late",
        /// The exchange was answered before.
        Duplicate = 2 "duplicate",
        /// No exchange is known that it could answer.
        Unmatched = 3 "unmatched",
        /// It answers a reversal that the gateway sent.
        Reversal = 4 "reversal",
    }
}

byte_enum! {
    /// What the gate did.
    GateAction {
        /// The gateway answered itself; no host saw the request.
        Refused = 0 "refused",
        /// A rule could not be checked and is set to let pass.
        PassedOpen = 1 "passed-open",
    }
}

byte_enum! {
    /// How a connection to a host stands.
    LinkState {
        /// Connected and healthy.
        Up = 0 "up",
        /// Connected, but the echo was not answered in time.
        Sick = 1 "sick",
        /// Not connected.
        Down = 2 "down",
    }
}

/// Makes the record enum, its encoding and its decoding from one table.
macro_rules! records {
    ($($(#[$meta:meta])* $name:ident = $kind:literal { $($(#[$fmeta:meta])* $field:ident: $type:tt),+ $(,)? }),+ $(,)?) => {
        /// One entry of the journal.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Record<'a> {
            $($(#[$meta])* $name { $($(#[$fmeta])* $field: records!(@type 'a $type)),+ }),+
        }

        impl<'a> Record<'a> {
            fn write_body(&self, out: &mut Vec<u8>, mask: &mut dyn FnMut(&mut [u8])) {
                match self {
                    $(Record::$name { $($field),+ } => {
                        out.push($kind);
                        $(records!(@write out mask $field $type);)+
                    })+
                }
            }

            /// Reads the body of a record, without its length and checksum.
            ///
            /// # Errors
            /// When a value is missing or impossible.
            pub fn decode(body: &'a [u8]) -> Result<Record<'a>, TapError> {
                let mut from = Reader { rest: body };
                let record = match from.u8()? {
                    $($kind => Record::$name { $($field: records!(@read from $type)),+ },)+
                    _ => return Err(TapError::Body("a known kind of record")),
                };
                if from.rest.is_empty() { Ok(record) } else { Err(TapError::Body("no more bytes")) }
            }

            /// The fixed name of its kind.
            #[must_use]
            pub fn kind(&self) -> &'static str {
                match self { $(Record::$name { .. } => stringify!($name)),+ }
            }
        }
    };
    (@type $a:lifetime frame) => { &$a [u8] };
    (@type $a:lifetime text) => { &$a str };
    (@type $a:lifetime code) => { [u8; 2] };
    (@type $a:lifetime $type:tt) => { $type };
    (@write $out:ident $mask:ident $field:ident u8) => { $out.push(*$field) };
    (@write $out:ident $mask:ident $field:ident u16) => { $out.extend_from_slice(&$field.to_be_bytes()) };
    (@write $out:ident $mask:ident $field:ident u32) => { $out.extend_from_slice(&$field.to_be_bytes()) };
    (@write $out:ident $mask:ident $field:ident u64) => { $out.extend_from_slice(&$field.to_be_bytes()) };
    (@write $out:ident $mask:ident $field:ident i64) => { $out.extend_from_slice(&$field.to_be_bytes()) };
    (@write $out:ident $mask:ident $field:ident bool) => { $out.push(u8::from(*$field)) };
    (@write $out:ident $mask:ident $field:ident code) => { $out.extend_from_slice($field) };
    (@write $out:ident $mask:ident $field:ident text) => { write_text($out, $field) };
    (@write $out:ident $mask:ident $field:ident frame) => { write_frame($out, $field, $mask) };
    (@write $out:ident $mask:ident $field:ident $type:tt) => { $out.push($field.byte()) };
    (@read $from:ident u8) => { $from.u8()? };
    (@read $from:ident u16) => { u16::from_be_bytes($from.array()?) };
    (@read $from:ident u32) => { u32::from_be_bytes($from.array()?) };
    (@read $from:ident u64) => { u64::from_be_bytes($from.array()?) };
    (@read $from:ident i64) => { i64::from_be_bytes($from.array()?) };
    (@read $from:ident bool) => { $from.u8()? != 0 };
    (@read $from:ident code) => { $from.array()? };
    (@read $from:ident text) => { $from.text()? };
    (@read $from:ident frame) => { $from.frame()? };
    (@read $from:ident $type:tt) => {
        $type::read($from.u8()?).ok_or(TapError::Body(concat!("a known value of ", stringify!($type))))?
    };
}

records! {
    /// The first record of a segment.
    Segment = 1 {
        /// [`VERSION`].
        version: u16,
        /// Segments of one folder are numbered from 1 on.
        number: u64,
        /// When it was begun.
        at: i64,
        /// The id of the dialect of all frames.
        dialect: text,
        /// The name of the gateway that wrote it.
        gateway: text,
        /// Tells one start of the machine from another; empty when not known.
        boot: text,
    },
    /// A terminal connected.
    Connected = 2 {
        /// Numbers the connections of a gateway's life.
        connection: u64,
        /// When.
        at: i64,
        /// Address and port.
        peer: text,
        /// Whether it speaks TLS.
        tls: bool,
    },
    /// A connection ended.
    Closed = 3 {
        /// Terminal or upstream.
        side: Side,
        /// The terminal's connection; 0 for a host.
        connection: u64,
        /// The host, or [`NO_LINK`].
        host: u16,
        /// The connection to the host, or [`NO_LINK`].
        link: u16,
        /// When.
        at: i64,
        /// Requests that had no reply yet.
        open: u32,
        /// Bytes that could not be handed to the peer any more.
        unsent: u32,
        /// Who ended it, and why.
        why: text,
    },
    /// A request came from a terminal.
    Request = 4 {
        /// Numbers the exchanges; unique in one journal.
        exchange: u64,
        /// The terminal's connection.
        connection: u64,
        /// The last byte came in.
        received_at: i64,
        /// The host it is to be sent to, or [`NO_LINK`].
        host: u16,
        /// The connection to that host, or [`NO_LINK`].
        link: u16,
        /// Repeated at the begin of a segment because it was still open.
        carried: bool,
        /// The frame, masked.
        frame: frame,
    },
    /// A host replied.
    Reply = 5 {
        /// The exchange it answers; 0 when unmatched.
        exchange: u64,
        /// What it is.
        kind: ReplyKind,
        /// The host.
        host: u16,
        /// The connection to the host.
        link: u16,
        /// When the last byte of the request went to the host; 0 when unknown.
        sent_at: i64,
        /// The last byte of the reply came in.
        received_at: i64,
        /// The frame, masked.
        frame: frame,
    },
    /// The reply was handed to the terminal's connection, whole.
    Delivered = 6 {
        /// The exchange.
        exchange: u64,
        /// When the last byte went out.
        at: i64,
    },
    /// A reply could not be handed to the terminal.
    Undelivered = 7 {
        /// The exchange.
        exchange: u64,
        /// When that was known.
        at: i64,
        /// Why.
        why: text,
    },
    /// What the gate decided, where it did not simply let pass.
    Gate = 8 {
        /// The exchange.
        exchange: u64,
        /// When.
        at: i64,
        /// What was done.
        action: GateAction,
        /// The response code that was answered; zeros when none.
        code: code,
        /// The rule.
        rule: text,
        /// Why, in words.
        why: text,
        /// The gateway's own reply, masked; empty when none.
        frame: frame,
    },
    /// A frame that does not decode.
    Undecodable = 9 {
        /// Who sent it.
        side: Side,
        /// The terminal's connection; 0 for a host.
        connection: u64,
        /// The host, or [`NO_LINK`].
        host: u16,
        /// The connection to the host, or [`NO_LINK`].
        link: u16,
        /// When its last byte came in.
        at: i64,
        /// Whether it was passed on.
        passed: bool,
        /// What the decoder says.
        why: text,
        /// What of it may be kept.
        frame: frame,
    },
    /// No reply came in time.
    NoReply = 10 {
        /// The exchange.
        exchange: u64,
        /// When the time was up.
        at: i64,
        /// When the request went to the host; 0 when unknown.
        sent_at: i64,
        /// What was waited for, in words.
        why: text,
    },
    /// A payment without a certain end took a step.
    State = 11 {
        /// The exchange of the request.
        exchange: u64,
        /// When.
        at: i64,
        /// Name of the state it is in now.
        state: text,
        /// How many reversals were sent.
        attempt: u8,
        /// Whether the payment is settled and no longer followed.
        settled: bool,
        /// Why, in words.
        why: text,
        /// All that is kept of the payment, as JSON: a restart goes on from the last one. Empty when settled.
        kept: text,
    },
    /// The gateway sent a reversal of its own.
    Reversal = 12 {
        /// The exchange that it reverses.
        exchange: u64,
        /// From 1 on.
        attempt: u8,
        /// When it was handed to the link.
        at: i64,
        /// The host.
        host: u16,
        /// The connection to the host.
        link: u16,
        /// The frame, masked.
        frame: frame,
    },
    /// A connection to a host changed.
    Link = 13 {
        /// The host.
        host: u16,
        /// The connection to the host.
        link: u16,
        /// When.
        at: i64,
        /// How it stands now.
        state: LinkState,
        /// Why, in words.
        why: text,
    },
    /// A detector spoke.
    Alarm = 14 {
        /// When.
        at: i64,
        /// Which detector.
        kind: text,
        /// The terminal, or empty when it concerns many.
        terminal: text,
        /// In Chinese.
        zh: text,
        /// In English.
        en: text,
    },
    /// The gateway ended in order: nothing is missing after this.
    Stopped = 15 {
        /// When.
        at: i64,
        /// Exchanges that were open.
        open: u32,
    },
    /// A request came again while the first was open; the reply goes where the last one came from.
    Repeated = 16 {
        /// The exchange.
        exchange: u64,
        /// The connection it came over now.
        connection: u64,
        /// When.
        at: i64,
    },
}

impl<'a> Record<'a> {
    /// Reads one record as it stands in a segment, with length and checksum.
    ///
    /// # Errors
    /// When it is not whole, its checksum is wrong or its values make no sense.
    pub fn read(bytes: &'a [u8]) -> Result<Record<'a>, TapError> {
        Record::decode(whole_body(bytes)?)
    }

    /// When it happened, microseconds UTC.
    #[must_use]
    pub fn at(&self) -> i64 {
        match *self {
            Record::Request { received_at: at, .. }
            | Record::Reply { received_at: at, .. }
            | Record::Segment { at, .. }
            | Record::Connected { at, .. }
            | Record::Closed { at, .. }
            | Record::Delivered { at, .. }
            | Record::Undelivered { at, .. }
            | Record::Gate { at, .. }
            | Record::Undecodable { at, .. }
            | Record::NoReply { at, .. }
            | Record::State { at, .. }
            | Record::Reversal { at, .. }
            | Record::Link { at, .. }
            | Record::Alarm { at, .. }
            | Record::Stopped { at, .. }
            | Record::Repeated { at, .. } => at,
        }
    }

    /// The frame in it.
    #[must_use]
    pub fn frame(&self) -> Option<&'a [u8]> {
        match *self {
            Record::Request { frame, .. }
            | Record::Reply { frame, .. }
            | Record::Gate { frame, .. }
            | Record::Undecodable { frame, .. }
            | Record::Reversal { frame, .. } => Some(frame).filter(|frame| !frame.is_empty()),
            _ => None,
        }
    }
}

impl Record<'_> {
    /// Appends the record with length and checksum. `mask` gets each frame where it lies in `out`.
    pub fn encode(&self, out: &mut Vec<u8>, mut mask: impl FnMut(&mut [u8])) {
        let start = out.len();
        out.extend_from_slice(&[0; HEAD]);
        self.write_body(out, &mut mask);
        let Some((head, body)) = out.get_mut(start..).and_then(|record| record.split_at_mut_checked(HEAD)) else {
            return;
        };
        let length = u32::try_from(body.len()).unwrap_or(u32::MAX).to_be_bytes();
        let sum = crc32c::crc32c(body).to_be_bytes();
        for (place, byte) in head.iter_mut().zip(length.into_iter().chain(sum)) {
            *place = byte;
        }
    }
}

fn write_text(out: &mut Vec<u8>, text: &str) {
    let mut end = text.len().min(usize::from(u16::MAX));
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    out.extend_from_slice(&u16::try_from(end).unwrap_or_default().to_be_bytes());
    out.extend_from_slice(text.as_bytes().get(..end).unwrap_or_default());
}

fn write_frame(out: &mut Vec<u8>, frame: &[u8], mask: &mut dyn FnMut(&mut [u8])) {
    out.extend_from_slice(&u32::try_from(frame.len()).unwrap_or(u32::MAX).to_be_bytes());
    let at = out.len();
    out.extend_from_slice(frame);
    if !frame.is_empty() {
        mask(out.get_mut(at..).unwrap_or_default());
    }
}

struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], TapError> {
        let (taken, rest) = self.rest.split_at_checked(count).ok_or(TapError::Body("more bytes"))?;
        self.rest = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], TapError> {
        self.take(N)?.try_into().map_err(|_| TapError::Body("more bytes"))
    }

    fn u8(&mut self) -> Result<u8, TapError> {
        self.array::<1>().map(|[byte]| byte)
    }

    fn text(&mut self) -> Result<&'a str, TapError> {
        let length = u16::from_be_bytes(self.array()?);
        std::str::from_utf8(self.take(length.into())?).map_err(|_| TapError::Body("UTF-8 text"))
    }

    fn frame(&mut self) -> Result<&'a [u8], TapError> {
        let length = u32::from_be_bytes(self.array()?);
        self.take(usize::try_from(length).map_err(|_| TapError::Body("a shorter frame"))?)
    }
}

/// The body of the record at the start of the bytes, if it is whole and its checksum is right.
pub(crate) fn whole_body(bytes: &[u8]) -> Result<&[u8], TapError> {
    let torn = |why| TapError::Torn { found: bytes.len(), why };
    let (head, after) = bytes.split_at_checked(HEAD).ok_or(torn("too short for a length and a checksum"))?;
    let (length, sum) = head.split_at(4);
    let number = |bytes: &[u8]| bytes.try_into().map(u32::from_be_bytes).unwrap_or_default();
    let length = usize::try_from(number(length)).unwrap_or(usize::MAX);
    if length == 0 || length > LONGEST {
        return Err(torn("the length is impossible"));
    }
    let body = after.get(..length).ok_or(torn("the file ends before the record does"))?;
    if crc32c::crc32c(body) != number(sum) {
        return Err(torn("the checksum is wrong"));
    }
    Ok(body)
}

/// The records of a segment, each with the offset where it stands. The first error ends it.
pub struct Records<'a> {
    bytes: &'a [u8],
    at: usize,
    ended: bool,
}

impl<'a> Records<'a> {
    /// Reads the bytes of a segment file.
    ///
    /// # Errors
    /// When the bytes are no segment.
    pub fn new(bytes: &'a [u8]) -> Result<Records<'a>, TapError> {
        if bytes.starts_with(&MAGIC) {
            Ok(Records { bytes, at: MAGIC.len(), ended: false })
        } else {
            Err(TapError::NoSegment)
        }
    }

    /// Where the next record would stand: after the last whole one.
    #[must_use]
    pub fn offset(&self) -> usize {
        self.at
    }

    fn read(&mut self) -> Result<(usize, Record<'a>), TapError> {
        let body = whole_body(self.bytes.get(self.at..).unwrap_or_default())?;
        let record = Record::decode(body)?;
        if let Record::Segment { version, .. } = record
            && version != VERSION
        {
            return Err(TapError::Version(version));
        }
        let at = self.at;
        self.at += HEAD + body.len();
        Ok((at, record))
    }
}

impl<'a> Iterator for Records<'a> {
    type Item = Result<(usize, Record<'a>), TapError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended || self.at >= self.bytes.len() {
            return None;
        }
        let found = self.read();
        self.ended = found.is_err();
        Some(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn samples() -> Vec<Record<'static>> {
        vec![
            Record::Segment {
                version: VERSION,
                number: 7,
                at: 1,
                dialect: "unionpay-pos",
                gateway: "gw-1",
                boot: "b-1",
            },
            Record::Connected { connection: 9, at: 2, peer: "127.0.0.1:4000", tls: true },
            Record::Request {
                exchange: 3,
                connection: 9,
                received_at: 3,
                host: 0,
                link: 1,
                carried: false,
                frame: b"card 9999",
            },
            Record::Reply {
                exchange: 3,
                kind: ReplyKind::Late,
                host: 0,
                link: 1,
                sent_at: 4,
                received_at: 5,
                frame: b"reply",
            },
            Record::Gate {
                exchange: 4,
                at: 5,
                action: GateAction::Refused,
                code: *b"58",
                rule: "known",
                why: "未知终端",
                frame: b"",
            },
            Record::State { exchange: 3, at: 6, state: "REVERSED", attempt: 2, settled: true, why: "", kept: "" },
            Record::Stopped { at: 7, open: 0 },
        ]
    }

    fn segment(records: &[Record<'_>]) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        for record in records {
            record.encode(&mut bytes, |_| {});
        }
        bytes
    }

    #[test]
    fn what_is_written_is_read() {
        let records = samples();
        let bytes = segment(&records);
        let read: Vec<_> = Records::new(&bytes).unwrap().map(|record| record.unwrap().1).collect();
        assert_eq!(read, records);
    }

    #[test]
    fn frames_are_masked_in_the_buffer_before_the_checksum() {
        let mut bytes = MAGIC.to_vec();
        samples()[2].encode(&mut bytes, |frame| frame.fill(b'0'));
        let (_, record) = Records::new(&bytes).unwrap().next().unwrap().unwrap();
        assert!(matches!(record, Record::Request { frame: b"000000000", .. }), "{record:?}");
    }

    #[test]
    fn a_torn_tail_is_found_wherever_the_file_is_cut() {
        let records = samples();
        let bytes = segment(&records);
        let ends: Vec<usize> = {
            let mut all = Records::new(&bytes).unwrap();
            let mut ends = vec![all.offset()];
            while all.next().is_some() {
                ends.push(all.offset());
            }
            ends
        };
        for cut in MAGIC.len()..bytes.len() {
            let mut read = Records::new(&bytes[..cut]).unwrap();
            let whole = read.by_ref().filter(Result::is_ok).count();
            assert_eq!(whole, ends.iter().filter(|end| **end <= cut).count() - 1, "cut at {cut}");
            assert_eq!(read.offset(), ends[whole]);
        }
    }

    #[test]
    fn a_flipped_byte_ends_the_reading_there() {
        let bytes = segment(&samples());
        for at in MAGIC.len()..bytes.len() {
            let mut flipped = bytes.clone();
            flipped[at] ^= 0x40;
            let errors = Records::new(&flipped).unwrap().filter(Result::is_err).count();
            assert_eq!(errors, 1, "byte {at}");
        }
        assert_eq!(Records::new(b"ONUSTAP").err(), Some(TapError::NoSegment));
    }

    #[test]
    fn zeros_after_the_last_record_are_a_torn_tail() {
        let mut bytes = segment(&samples());
        bytes.extend_from_slice(&[0; 64]);
        let last = Records::new(&bytes).unwrap().last().unwrap();
        assert_eq!(last, Err(TapError::Torn { found: 64, why: "the length is impossible" }));
    }

    #[test]
    fn another_version_is_refused() {
        let bytes = segment(&[Record::Segment { version: 2, number: 1, at: 0, dialect: "", gateway: "", boot: "" }]);
        assert_eq!(Records::new(&bytes).unwrap().next(), Some(Err(TapError::Version(2))));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = Record::decode(&bytes);
            let mut segment = MAGIC.to_vec();
            segment.extend_from_slice(&bytes);
            let _ = Records::new(&segment).unwrap().count();
        }

        #[test]
        fn requests_survive(exchange: u64, connection: u64, received_at: i64, host: u16, link: u16, carried: bool,
                            frame in prop::collection::vec(any::<u8>(), 0..500)) {
            let record = Record::Request { exchange, connection, received_at, host, link, carried, frame: &frame };
            let bytes = segment(&[record]);
            let read = Records::new(&bytes).unwrap().next().unwrap().unwrap().1;
            prop_assert_eq!(read, record);
        }
    }
}
