//! Masking keeps the shape of a frame, is stable, and leaves no card number in anything that is
//! kept or printed.
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
    assert!(
        !dialect
            .mask_in_place(&mut twice)
            .expect("a masked frame decodes")
            .changed()
    );
    assert_eq!(twice, once);

    let (before, after) = (dialect.decode(frame), dialect.decode(&once));
    let (before, after) = (before.expect("decodes"), after.expect("decodes"));
    assert_eq!(
        (before.mti(), before.fields()),
        (after.mti(), after.fields())
    );
    for number in before.fields().iter() {
        assert_eq!(before.range(number), after.range(number));
    }
    let Some(pan) = before
        .digits(2)
        .map(|pan| pan.to_string())
        .filter(|pan| pan.len() >= 13)
    else {
        return;
    };
    let (first, last) = (&pan[..6], &pan[pan.len() - 4..]);
    let hidden = pan.len() - 10;
    assert_eq!(
        after.digits(2).expect("still there").to_string(),
        format!("{first}{}{last}", "0".repeat(hidden))
    );
    let shown = before.describe().to_string();
    let line = shown
        .lines()
        .find(|line| line.starts_with("  F2 "))
        .expect("described");
    assert!(line.ends_with(&format!(": {first}{}{last}", "*".repeat(hidden))));
    assert!(!format!("{before:?}").contains(&pan));
});
