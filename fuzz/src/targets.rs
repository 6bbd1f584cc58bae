//! The targets. The first byte of an input chooses the dialect (or format), the rest is the frame (or text).
//! A target panics when something does not hold.

use onus_iso8583::foreign::{self, Format};
use onus_iso8583::{Dialect, Message, Node, Sensitivity};

/// A target: its name and what it checks.
pub type Target = (&'static str, fn(&[u8]));

/// All targets.
pub const ALL: [Target; 7] = [
    ("decode", decode),
    ("mask", mask),
    ("roundtrip", roundtrip),
    ("leak", leak),
    ("import_spec", import_spec),
    ("layout", crate::files::layout),
    ("rows", crate::files::rows),
];

/// The dialect that a byte chooses.
#[must_use]
pub fn dialect(choice: u8) -> &'static Dialect {
    let ids = Dialect::builtin_ids();
    Dialect::builtin(ids[usize::from(choice) % ids.len()]).expect("built in")
}

/// Any bytes either decode, and then every part can be read and described, or give an error that points into them.
pub fn decode(input: &[u8]) {
    let Some((choice, frame)) = input.split_first() else { return };
    let dialect = dialect(*choice);
    if let Some(stream) = dialect.stream() {
        let _ = stream.read(frame);
    }
    let message = match dialect.decode(frame) {
        Ok(message) => message,
        Err(error) => {
            assert!(error.offset <= frame.len(), "{error}");
            assert!(!error.problem.code().is_empty() && !error.problem.expected().is_empty(), "{error}");
            return;
        }
    };
    for number in message.fields().iter() {
        let range = message.range(number).expect("present");
        assert_eq!(message.raw(number), frame.get(range));
        let value = message.value(number).expect("present");
        assert!(value.digits().is_none_or(|digits| digits.count() == value.len()));
        let info = dialect.field(number).expect("in the dialect");
        for sub in &info.subs {
            let _ = message.sub(sub.handle).map(|part| part.number());
        }
    }
    assert!(!message.describe().to_string().is_empty());
    message.nodes().iter().for_each(|node| points_into(node, frame.len()));
    let mut key = Vec::new();
    message.match_key(&mut key);
}

fn points_into(node: &Node, length: usize) {
    assert!(node.range.start <= node.range.end && node.range.end <= length, "{node:?}");
    node.nodes.iter().for_each(|node| points_into(node, length));
}

/// Masking keeps the shape of a frame, is stable, and shows nothing but the ends of a card number.
pub fn mask(input: &[u8]) {
    let Some((choice, frame)) = input.split_first() else { return };
    let dialect = dialect(*choice);
    let mut safe = frame.to_vec();
    dialect.mask_undecodable(&mut safe);
    assert_eq!(safe.len(), frame.len());

    let mut once = frame.to_vec();
    if dialect.mask_in_place(&mut once).is_err() {
        assert_eq!(once, frame, "what does not decode is left as it was");
        return;
    }
    assert_eq!(once, safe);
    let mut twice = once.clone();
    assert!(!dialect.mask_in_place(&mut twice).expect("a masked frame decodes").changed());
    assert_eq!(twice, once);

    let (before, after) = (dialect.decode(frame).expect("decodes"), dialect.decode(&once).expect("decodes"));
    assert_eq!((before.mti(), before.fields()), (after.mti(), after.fields()));
    for number in before.fields().iter() {
        assert_eq!(before.range(number), after.range(number));
    }
    let Some(pan) = before.digits(2).map(|pan| pan.to_string()).filter(|pan| pan.len() >= 13) else { return };
    let (first, last) = (&pan[..6], &pan[pan.len() - 4..]);
    let hidden = pan.len() - 10;
    assert_eq!(after.digits(2).expect("still there").to_string(), format!("{first}{}{last}", "0".repeat(hidden)));
}

/// What decodes and is not touched encodes to the same bytes; a field set to its own value leaves the others alone;
/// removing a field and setting it again gives a frame that decodes to the same fields.
pub fn roundtrip(input: &[u8]) {
    let Some((choice, frame)) = input.split_first() else { return };
    let dialect = dialect(*choice);
    let Ok(message) = dialect.decode(frame) else { return };
    let mut out = Vec::new();
    message.edit().encode_into(&mut out).expect("an untouched message encodes");
    assert_eq!(out, frame, "an untouched message encodes to its own bytes");

    for number in message.fields().iter() {
        let value = message.value(number).expect("present");
        let plain = match value.digits() {
            Some(digits) => digits.to_string().into_bytes(),
            None => value.text().unwrap_or_default().to_vec(),
        };
        let mut draft = message.edit();
        if draft.set(number, &plain).is_err() {
            continue;
        }
        out.clear();
        if draft.encode_into(&mut out).is_err() {
            continue;
        }
        let again = dialect.decode(&out).expect("what was encoded decodes");
        assert_eq!((again.mti(), again.fields()), (message.mti(), message.fields()));
        for other in message.fields().iter().filter(|other| *other != number) {
            assert_eq!(again.raw(other), message.raw(other), "field {other} changed when {number} was set");
        }
    }
}

/// A card number or track that is put anywhere into a frame is in nothing that is printed or kept.
///
/// Bytes of the input: dialect, field, three bytes that choose number, form and place, frame.
pub fn leak(input: &[u8]) {
    let [choice, field, digits, form, place, frame @ ..] = input else { return };
    let dialect = dialect(*choice);
    let planted = Planted::new(dialect.id(), *field, *digits, *form);

    // As the value of a field, which the dialect may refuse. A field that it says to hold none is taken at its word:
    // sums and references are numbers as long as a card's, and must be kept as they are.
    let hides = |message: &Message<'_>| {
        dialect.field(*field).is_none_or(|info| info.sensitivity(message.mti()) != Sensitivity::None)
    };
    if let Some(message) = dialect.decode(frame).ok().filter(hides) {
        let mut draft = message.edit();
        let mut out = Vec::new();
        match draft.set(*field, &planted.bytes).and_then(|draft| draft.encode_into(&mut out)) {
            Ok(()) => planted.is_hidden(dialect, &out),
            Err(error) => planted.is_not_in(&format!("{error} {error:?}"), "an error of encoding"),
        }
    }
    // Over bytes of the frame, whatever that does to it.
    let mut spoilt = frame.to_vec();
    let at = usize::from(*place) % (spoilt.len() + 1);
    for (place, byte) in spoilt.iter_mut().skip(at).zip(&planted.bytes) {
        *place = *byte;
    }
    if let Err(error) = dialect.decode(&spoilt) {
        planted.is_not_in(&format!("{error} {error:?}"), "an error of decoding");
    }
}

/// A card number in one of the forms in which they turn up where nobody expects them.
struct Planted<'a> {
    dialect: &'a str,
    field: u8,
    form: &'static str,
    number: String,
    bytes: Vec<u8>,
}

impl Planted<'_> {
    fn new(dialect: &str, field: u8, digits: u8, form: u8) -> Planted<'_> {
        let number = card_number(digits);
        let (form, bytes) = match form % 5 {
            0 => ("the number alone", number.as_bytes().to_vec()),
            1 => ("track 2 with =", format!("{number}=30122011234567890").into_bytes()),
            2 => ("track 2 with D", format!("{number}D30122011234567890").into_bytes()),
            3 => ("within text", format!("card {number} of customer").into_bytes()),
            _ => {
                let digits: Vec<u8> = number.bytes().map(|digit| digit - b'0').collect();
                let packed = digits.chunks(2).map(|pair| pair[0] << 4 | pair.get(1).copied().unwrap_or(15));
                ("packed", packed.collect())
            }
        };
        Planted { dialect, field, form, number, bytes }
    }

    /// Nothing that is shown of the frame, and nothing that is kept of it, has the number.
    fn is_hidden(&self, dialect: &Dialect, frame: &[u8]) {
        let message = match dialect.decode(frame) {
            Ok(message) => message,
            Err(error) => return self.is_not_in(&format!("{error} {error:?}"), "an error of decoding"),
        };
        self.is_not_in(&message.describe().to_string(), "describe");
        self.is_not_in(&format!("{message:?}"), "Debug of a message");
        self.is_not_in(&format!("{:?}", message.nodes()), "nodes");
        self.is_not_in(&format!("{:?}", message.header_values()), "the header");
        for number in message.fields().iter() {
            self.is_not_in(&format!("{:?}", message.value(number)), "Debug of a value");
            self.is_not_in(&message.masked(number).unwrap_or_default(), "masked");
        }
        let mut kept = frame.to_vec();
        dialect.mask_in_place(&mut kept).expect("it decoded");
        assert!(!kept.windows(self.number.len()).any(|part| part == self.number.as_bytes()), "kept: {}", self.name());
    }

    /// Neither the digits nor the hexadecimal of their text stand in what is printed.
    fn is_not_in(&self, text: &str, what: &str) {
        let hex: String = self.number.bytes().map(|digit| format!("{digit:02X}")).collect();
        assert!(
            !text.contains(&self.number) && !text.to_uppercase().contains(&hex),
            "{what} shows {}: {text}",
            self.name()
        );
    }

    fn name(&self) -> String {
        format!("a card number ({}) set as field {} of {}", self.form, self.field, self.dialect)
    }
}

/// A card number of 16 or 19 digits with a right check digit, in the range that tests use.
fn card_number(seed: u8) -> String {
    let length = if seed & 1 == 0 { 16 } else { 19 };
    let mut digits = vec![9, 9, 9, 9];
    let mut state = u32::from(seed) + 1;
    while digits.len() < length - 1 {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        digits.push((state >> 24) % 9 + 1);
    }
    let sum: u32 = digits.iter().rev().enumerate().map(|(at, digit)| luhn(*digit, at % 2 == 0)).sum();
    digits.push((10 - sum % 10) % 10);
    digits.iter().filter_map(|digit| char::from_digit(*digit, 10)).collect()
}

fn luhn(digit: u32, doubled: bool) -> u32 {
    match (doubled, digit * 2) {
        (false, _) => digit,
        (true, twice) if twice > 9 => twice - 9,
        (true, twice) => twice,
    }
}

/// Any text either gives a dialect that loads, or an error in words.
pub fn import_spec(input: &[u8]) {
    let Some((choice, text)) = input.split_first() else { return };
    let text = String::from_utf8_lossy(text);
    let format = Format::ALL[usize::from(*choice) % Format::ALL.len()];
    match foreign::import(format, &text, "any") {
        Ok(imported) => {
            Dialect::from_toml(&imported.toml).expect("an imported dialect loads");
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}
