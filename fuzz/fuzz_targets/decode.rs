//! Any bytes either decode, and then every part can be read and described, or give an error that
//! points into them.
//!
//! The first byte chooses the dialect, the rest is the frame.

#![no_main]

use libfuzzer_sys::fuzz_target;
use onus_iso8583::Dialect;

fuzz_target!(|input: &[u8]| {
    let Some((choice, frame)) = input.split_first() else {
        return;
    };
    let ids = Dialect::builtin_ids();
    let dialect = Dialect::builtin(ids[usize::from(*choice) % ids.len()]).expect("built in");
    let message = match dialect.decode(frame) {
        Ok(message) => message,
        Err(error) => {
            assert!(error.offset <= frame.len(), "{error}");
            return;
        }
    };
    for number in message.fields().iter() {
        let range = message.range(number).expect("present");
        assert_eq!(message.raw(number), frame.get(range));
        let value = message.value(number).expect("present");
        assert!(
            value
                .digits()
                .is_none_or(|digits| digits.count() == value.len())
        );
        let info = dialect.field(number).expect("in the dialect");
        for sub in &info.subs {
            let _ = message.sub(sub.handle).map(|part| part.number());
        }
    }
    assert!(!message.describe().to_string().is_empty());
});
