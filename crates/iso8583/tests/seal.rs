//! A MAC is written where the dialect has it, and fits until a covered byte changes.

#![allow(clippy::expect_used, reason = "a test may")]

mod frames;

use onus_iso8583::Dialect;
use onus_iso8583::mac::MacProfile;

#[test]
fn a_sealed_frame_fits_and_a_changed_one_does_not() {
    let dialect = Dialect::builtin("unionpay-pos").expect("built in");
    let key = MacProfile::UNIONPAY.key(b"\x01\x23\x45\x67\x89\xAB\xCD\xEF").expect("is one");
    let mut frame = frames::pos_sale();
    assert_eq!(dialect.decode(&frame).expect("decodes").mac_fits(&key), Some(false));
    dialect.seal(&key, &mut frame).expect("has the field");
    let fits = |frame: &[u8]| dialect.decode(frame).expect("decodes").mac_fits(&key);
    assert_eq!(fits(&frame), Some(true));
    let amount = dialect.decode(&frame).expect("decodes").range(4).expect("present");
    frame[amount.end - 1] ^= 0x01;
    assert_eq!(fits(&frame), Some(false));
    // The TPDU is not covered: it changes on the way.
    frame[amount.end - 1] ^= 0x01;
    frame[2] ^= 0x01;
    assert_eq!(fits(&frame), Some(true));
}

#[test]
fn messages_without_a_mac_are_left_alone() {
    let dialect = Dialect::builtin("unionpay-pos").expect("built in");
    let key = MacProfile::UNIONPAY.key(&[7; 16]).expect("is one");
    let mut reply = frames::pos_sign_in_reply();
    dialect.seal(&key, &mut reply).expect("its type has none");
    assert_eq!(reply, frames::pos_sign_in_reply());
    assert_eq!(dialect.decode(&reply).expect("decodes").mac_fits(&key), None);
    let mut bare = frames::pos("0200", &[(11, frames::hex("207589"))]);
    let error = dialect.seal(&key, &mut bare).expect_err("no field 64").to_string();
    assert_eq!(error, "frame: expected a field for the MAC, found none");
}
