//! The built-in response codes are whole, and a broken table is refused.

#![allow(clippy::expect_used, reason = "a test may")]

use onus_iso8583::{Ambiguity, CauseClass, CodeMeaning, ResponseCodes, Role};

#[test]
fn the_built_in_table() {
    let codes = ResponseCodes::builtin().expect("is good");
    assert_eq!(codes.iter().count(), 89);
    let funds = codes.get("51").expect("known");
    assert_eq!((funds.zh.as_str(), funds.en.as_str()), ("资金不足", "Insufficient funds"));
    assert_eq!((funds.cause_class, funds.ambiguity), (CauseClass::CardholderFunds, Ambiguity::Low));
    assert_eq!((&funds.roles[..], funds.pos_class), (&[Role::Issuer][..], Some('C')));
    assert!(!funds.is_approval() && codes.get("00").is_some_and(CodeMeaning::is_approval));
    assert_eq!(codes.get("96").map(|code| code.ambiguity), Some(Ambiguity::High));
    assert!(codes.get("ZZ").is_none() && codes.get("").is_none() && codes.get("510").is_none());
    assert!(
        codes.iter().all(|code| !code.zh.is_empty()
            && !code.en.is_empty()
            && !code.source.is_empty()
            && !code.grade.is_empty())
    );
}

#[test]
fn refusals() {
    let head = "code,zh,en,roles,pos_class,cause_class,ambiguity,note,source,grade\n";
    let cases = [
        ("511,,,,,acquirer,,,,\n", "line 2: \"511\" is not a code"),
        ("51,,,,,nobody,,,,\n", "unknown variant `nobody`"),
        ("51,,,,,acquirer,some,,,\n", "line 2: ambiguity \"some\""),
        ("51,,,bank,,acquirer,,,,\n", "line 2: role \"bank\""),
        ("51,,,,F,acquirer,,,,\n", "line 2: pos_class \"F\""),
        ("51,,,,,acquirer\n", "line 2"),
        ("51,,,,,acquirer,,,,\n51,,,,,acquirer,,,,\n", "\"51\" is there twice"),
    ];
    for (rows, expected) in cases {
        let error = ResponseCodes::from_csv(&format!("{head}{rows}")).expect_err(expected).to_string();
        assert!(error.contains(expected), "expected {expected:?} in {error:?}");
    }
}
