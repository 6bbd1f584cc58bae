//! The built-in code knowledge is whole, the most specific row answers, and broken tables are refused.

#![allow(clippy::expect_used, reason = "a test may")]

use std::collections::BTreeSet;

use onus_iso8583::{
    Ambiguity, CauseClass, CodeBook, CodeQuery, CodeRow, Grade, Knowledge, Layer, Retry, Role, Specificity, Usage,
};

fn book() -> &'static CodeBook {
    CodeBook::builtin().expect("is good")
}

fn find<'a>(query: &CodeQuery<'_>) -> Knowledge<'a> {
    book().lookup(query).expect("known")
}

#[test]
fn the_general_table() {
    let general: Vec<_> =
        book().iter().filter(|row| row.usage == Usage::Reply && row.specificity().is_general()).collect();
    assert_eq!(general.len(), 89);
    let funds = find(&CodeQuery::reply("51"));
    assert_eq!((funds.row.zh.as_str(), funds.row.en.as_str()), ("资金不足", "Insufficient funds"));
    assert_eq!((funds.row.cause_class, funds.row.ambiguity), (CauseClass::CardholderFunds, Ambiguity::Low));
    assert_eq!((&funds.row.roles[..], funds.row.pos_class), (&[Role::Issuer][..], Some('C')));
    assert_eq!((funds.row.grade, funds.advice.map(|advice| advice.retry)), (Grade::Official, Some(Retry::OtherCard)));
    assert_eq!(find(&CodeQuery::reply("96")).row.ambiguity, Ambiguity::High);
    for code in ["ZZZ", "", "510", "5", "51 ", "资"] {
        assert!(book().lookup(&CodeQuery::reply(code)).is_none(), "{code:?}");
    }
}

#[test]
fn every_row_has_words_advice_and_a_source() {
    let mut used = BTreeSet::new();
    for row in book().iter() {
        let advice = book().advice(&row.advice).expect("each row of ours names advice");
        used.insert(&advice.id);
        let payment = row.usage == Usage::Reply;
        assert!(!payment || !(advice.cashier_zh.is_empty() || advice.cashier_en.is_empty()), "{row:?}");
        assert!(!advice.operator_zh.is_empty() && !advice.operator_en.is_empty(), "{row:?}");
        assert_eq!(advice.evidence_zh.is_empty(), advice.evidence_en.is_empty(), "{}", advice.id);
    }
    assert!(used.len() >= 30, "advice that no row uses: only {used:?} are used");
}

#[test]
fn approval_is_never_guessed() {
    for code in ["A2", "A4", "A5", "A6", "Y1", "Y3"] {
        assert_eq!(find(&CodeQuery::reply(code)).approved(), None, "{code} without a table");
        let network = CodeQuery { spec: Some("unionpay-2015"), ..CodeQuery::reply(code) };
        assert_eq!(find(&network).approved(), Some(true), "{code} by the network's table");
    }
    for code in ["A1", "A2", "A3", "A4", "A5"] {
        let kiosk = CodeQuery { app: Some("kiosk"), spec: Some("unionpay-2015"), ..CodeQuery::reply(code) };
        assert_eq!(find(&kiosk).approved(), Some(false), "{code} by the program's table");
    }
    for (code, approved) in [("00", true), ("10", true), ("11", true), ("51", false), ("96", false), ("B1", false)] {
        assert_eq!(find(&CodeQuery::reply(code)).approved(), Some(approved), "{code}");
    }
    // Another table of one's own takes the certainty away again.
    let own = "spec,code,zh,en,cause_class,approval,source,grade\nmine,51,成功,Approved,approved,full,me,listed\n";
    let book = book().clone().with_table("own", own).expect("reads");
    assert_eq!(book.lookup(&CodeQuery::reply("51")).expect("known").approved(), None);
    let other = CodeQuery { spec: Some("unionpay-2015"), ..CodeQuery::reply("51") };
    assert_eq!(book.lookup(&other).expect("known").approved(), Some(false), "the query rules that table out");
}

#[test]
fn the_most_specific_row_answers_and_says_so() {
    let reply = CodeQuery::reply;
    let general = Specificity { exact: true, ..Specificity::default() };
    let cases = [
        (reply("98"), general, CauseClass::IssuerUnavailable),
        (CodeQuery { layer: Some(Layer::Network), ..reply("98") }, general, CauseClass::IssuerUnavailable),
        (
            CodeQuery { spec: Some("unionpay-2015"), layer: Some(Layer::Network), ..reply("98") },
            Specificity { layer: true, spec: true, ..general },
            CauseClass::IssuerUnavailable,
        ),
        (
            CodeQuery { acquirer: Some("posp"), layer: Some(Layer::Acquirer), ..reply("98") },
            Specificity { acquirer: true, layer: true, ..general },
            CauseClass::Acquirer,
        ),
        // Who wrote it is not known: the acquirer's row does not answer.
        (CodeQuery { acquirer: Some("posp"), ..reply("98") }, general, CauseClass::IssuerUnavailable),
        (
            CodeQuery { spec: Some("unionpay-2015"), ..reply("05") },
            Specificity { spec: true, ..general },
            CauseClass::CardholderCredential,
        ),
        (
            CodeQuery { spec: Some("pos-lists"), ..reply("05") },
            Specificity { spec: true, ..general },
            CauseClass::IssuerDecisionUnspecified,
        ),
        (CodeQuery { spec: Some("unheard-of"), ..reply("05") }, general, CauseClass::CardholderCredential),
        (
            CodeQuery { layer: Some(Layer::Gateway), ..reply("97") },
            Specificity { layer: true, ..general },
            CauseClass::MerchantConfig,
        ),
        (CodeQuery { app: Some("kiosk"), ..reply("Z1") }, general, CauseClass::CardState),
        (
            CodeQuery { app: Some("kiosk"), layer: Some(Layer::TerminalApp), ..reply("Z1") },
            Specificity { app: true, layer: true, ..general },
            CauseClass::Unknown,
        ),
        // Nobody but the program knows it, so that it answers although the layer is not given.
        (
            CodeQuery { app: Some("kiosk"), ..reply("Z0") },
            Specificity { app: true, layer: true, ..general },
            CauseClass::Unknown,
        ),
        (reply("W7"), Specificity { layer: true, ..Specificity::default() }, CauseClass::Unknown),
        (
            CodeQuery { app: Some("koolpos"), layer: Some(Layer::TerminalApp), ..reply("C1") },
            Specificity { app: true, layer: true, ..Specificity::default() },
            CauseClass::CardState,
        ),
    ];
    for (query, matched, cause_class) in cases {
        let found = find(&query);
        assert_eq!((found.matched, found.row.cause_class), (matched, cause_class), "{query:?}");
    }
}

#[test]
fn rows_that_say_something_else_are_named() {
    let named = |query: &CodeQuery<'_>| {
        let name = |row: &&CodeRow| format!("{}/{}/{:?}: {}", row.spec, row.acquirer, row.layer, row.en);
        find(query).others.iter().map(name).collect::<Vec<_>>()
    };
    assert_eq!(
        named(&CodeQuery::reply("98")),
        ["/posp/Some(Acquirer): The acquirer's own link to the network timed out"]
    );
    let others = named(&CodeQuery { spec: Some("unionpay-2015"), ..CodeQuery::reply("12") });
    assert_eq!(others, ["pos-lists//None: The issuer does not support it"]);
    assert!(named(&CodeQuery::reply("51")).is_empty());
    // Disagreements of sources that the data must keep.
    for code in ["05", "12", "21", "22", "58", "61", "96", "98", "A1", "A2", "A3", "A4", "A5", "89", "Z1", "B1"] {
        let found = find(&CodeQuery::reply(code));
        assert!(!found.others.is_empty() || found.row.ambiguity >= Ambiguity::Medium, "{code}");
    }
}

#[test]
fn codes_that_are_no_replies() {
    let reasons = [
        ("98", CauseClass::Unknown),
        ("96", CauseClass::TerminalFaultFormat),
        ("A0", CauseClass::TerminalFaultFormat),
        ("06", CauseClass::Unknown),
    ];
    for (code, cause_class) in reasons {
        let found = find(&CodeQuery::of(Usage::ReversalReason, code));
        assert_eq!((found.row.cause_class, found.approved()), (cause_class, None), "{code}");
    }
    for code in 4351..=4366 {
        let known = book().lookup(&CodeQuery::of(Usage::NetworkReason, &code.to_string())).is_some();
        assert_eq!(known, !(4357..=4359).contains(&code), "{code}");
    }
    let reply = CodeQuery::of(Usage::ReversalReply, "00");
    assert_eq!(
        (find(&reply).approved(), find(&reply).advice.map(|advice| advice.id.as_str())),
        (None, Some("reversal-no-proof"))
    );
    let posp = CodeQuery { acquirer: Some("posp"), layer: Some(Layer::Acquirer), ..reply };
    assert!(find(&posp).row.note.contains("books nothing"));
}

#[test]
fn reject_codes_are_taken_apart() {
    let cases = [
        ("10416", Some((Some("The body"), Some(41), Some("missing")))),
        ("00025", Some((Some("The header"), Some(2), Some("bad content")))),
        ("20000", Some((Some("A fault of the network"), None, None))),
        ("91289", Some((None, Some(128), None))),
        ("00000", None),
        ("1041", None),
        ("1O416", None),
        ("", None),
    ];
    for (code, expected) in cases {
        let words = |row: Option<&'static CodeRow>| row.map(|row| row.en.as_str());
        let found = book().reject_code(code).map(|found| (words(found.place), found.field, words(found.fault)));
        assert_eq!(found, expected, "{code}");
    }
}

#[test]
fn refusals() {
    let head = "code,zh,en,roles,pos_class,cause_class,ambiguity,source,grade\n";
    let cases = [
        ("511,b,c,,,acquirer,,s,listed\n", "codes, line 2: \"511\" is not a code of 2"),
        ("*,b,c,,,acquirer,,s,listed\n", "line 2: \"*\" is not a code"),
        ("51,b,c,,,nobody,,s,listed\n", "unknown variant `nobody`"),
        ("51,b,c,,,acquirer,some,s,listed\n", "unknown variant `some`"),
        ("51,b,c,bank,,acquirer,,s,listed\n", "line 2: role \"bank\""),
        ("51,b,c,,F,acquirer,,s,listed\n", "line 2: pos_class \"F\""),
        ("51,b,c,,,approved,,s,listed\n", "line 2: code \"51\": cause_class approved and approval belong together"),
        ("51,,c,,,acquirer,,s,listed\n", "line 2: code \"51\" needs zh, en and source"),
        ("51,b,c,,,acquirer\n", "line 2"),
        ("51,b,c,,,acquirer,,s,listed\n51,d,e,,,unknown,,s,listed\n", "\"51\" is there twice"),
    ];
    for (rows, expected) in cases {
        let error = CodeBook::from_csv(&format!("{head}{rows}")).expect_err(expected).to_string();
        assert!(error.contains(expected), "expected {expected:?} in {error:?}");
    }
    let table = "code,zh,en,cause_class,advice,source,grade\n51,b,c,acquirer,pray,s,listed\n";
    let error = CodeBook::from_csv(table).expect_err("no such advice").to_string();
    assert!(error.contains("there is no advice named \"pray\""), "{error}");
}
