use super::*;
use crate::snapshot::SnapshotRows;

const NOW: Instant = Instant(1_000_000 * Instant::SECOND);

fn snapshot() -> Snapshot {
    let rows: SnapshotRows = serde_json::from_str(
        r#"{"terminals": [
            {"tid": "52300348", "standing": "active", "merchant": "899523055410004", "serial": "N900123",
             "acquirer": 48990001, "app_versions": ["320001", "320002"], "grade": "G1", "account": "bound",
             "place": {"lat_e5": 3123000, "lon_e5": 12147000}},
            {"tid": "52300349", "standing": "suspended", "account": "uncontrolled", "quarantine": "suspected"}]}"#,
    )
    .unwrap();
    Snapshot::build(3, NOW.plus_seconds(-100), &rows).unwrap()
}

/// A sale at the first terminal that agrees with everything.
fn sale() -> Seen {
    Seen {
        mti: 0x0200,
        type_code: Some(22),
        processing: Some(0),
        amount_minor: Some(100),
        trace: 1,
        batch: Some(1),
        tid: *b"52300348",
        merchant: *b"899523055410004",
        acquirer: Some(48_990_001),
        rrn: None,
        code: None,
        entry_mode: None,
        pin: false,
        network_code: None,
        capability: None,
        software: None,
        serial: SmallText::new(b"N900123"),
        device: None,
        cipher: None,
        factor_is_card: None,
        app_version: Some(*b"320002  "),
        place: Some(Place { lat_e5: 3_124_000, lon_e5: 12_148_000 }),
        card: None,
        bin: None,
        original: None,
        status: None,
    }
}

fn rule(test: &str, act: &str, when_unknown: &str) -> GateRule {
    let text = format!(
        r#"{{"name": "{test}", "test": "{test}", "act": "{act}", "when_unknown": "{when_unknown}", "code": "97"}}"#
    );
    serde_json::from_str(&text).unwrap()
}

fn check(rule: &GateRule, seen: &Seen) -> Decision {
    let rules = GateRules::new(std::slice::from_ref(rule)).unwrap();
    rules.check(&snapshot(), seen, &Connection::default(), NOW)
}

/// The decision in short: passed, let through, refused, refused because it could not be tested.
fn short(decision: Decision) -> (char, Option<Why>) {
    match decision {
        Decision::Pass => ('p', None),
        Decision::PassOpen { why, .. } => ('o', Some(why)),
        Decision::Refuse { why, closed: false, .. } => ('r', Some(why)),
        Decision::Refuse { why, closed: true, .. } => ('c', Some(why)),
    }
}

#[test]
fn each_test_says_good_bad_or_unknown() {
    let second = Seen { tid: *b"52300349", ..sale() };
    let far = Some(Place { lat_e5: 3_990_000, lon_e5: 11_640_000 });
    let cases = [
        ("known", sale(), 'p', None),
        ("known", Seen { tid: *b"99999999", ..sale() }, 'r', Some(Why::NotKnown)),
        ("active", second, 'r', Some(Why::NotActive)),
        ("active", Seen { tid: *b"99999999", ..sale() }, 'c', Some(Why::NotKnown)),
        ("quarantine", sale(), 'p', None),
        ("quarantine", second, 'r', Some(Why::InQuarantine)),
        ("merchant", sale(), 'p', None),
        ("merchant", Seen { merchant: *b"899523055410005", ..sale() }, 'r', Some(Why::OtherMerchant)),
        ("merchant", second, 'c', Some(Why::RegisterSilent)),
        ("serial", sale(), 'p', None),
        ("serial", Seen { serial: SmallText::new(b"N900124"), ..sale() }, 'r', Some(Why::OtherSerial)),
        ("serial", Seen { serial: None, ..sale() }, 'c', Some(Why::MessageSilent)),
        ("serial", second, 'c', Some(Why::RegisterSilent)),
        ("app-version", sale(), 'p', None),
        ("app-version", Seen { app_version: Some(*b"319999  "), ..sale() }, 'r', Some(Why::OtherApp)),
        ("app-version", Seen { app_version: None, ..sale() }, 'c', Some(Why::MessageSilent)),
        ("app-version", second, 'c', Some(Why::RegisterSilent)),
        ("acquirer", sale(), 'p', None),
        ("acquirer", Seen { acquirer: Some(1), ..sale() }, 'r', Some(Why::OtherAcquirer)),
        ("account", sale(), 'p', None),
        ("account", second, 'r', Some(Why::AccountUncontrolled)),
        ("place", sale(), 'p', None),
        ("place", Seen { place: far, ..sale() }, 'r', Some(Why::FarAway)),
        ("place", Seen { place: None, ..sale() }, 'c', Some(Why::MessageSilent)),
        ("place", second, 'c', Some(Why::RegisterSilent)),
        ("grade", sale(), 'p', None),
        ("grade", second, 'c', Some(Why::RegisterSilent)),
        ("fresh", sale(), 'p', None),
    ];
    for (test, seen, way, why) in cases {
        assert_eq!(short(check(&rule(test, "refuse", "closed"), &seen)), (way, why), "{test} {:?}", seen.tid);
        let open = match (way, why) {
            ('r' | 'c', Some(why)) => ('o', Some(why)),
            other => other,
        };
        assert_eq!(short(check(&rule(test, "open", "open"), &seen)), open, "{test} open");
        let silent = if way == 'c' { ('p', None) } else { open };
        assert_eq!(short(check(&rule(test, "open", "silent"), &seen)), silent, "{test} silent");
    }
    let high = GateRule { min_grade: Grade::G2, ..rule("grade", "refuse", "open") };
    assert_eq!(short(check(&high, &sale())), ('r', Some(Why::GradeLow)));
    let strict = GateRule { max_age_s: 99, ..rule("fresh", "refuse", "open") };
    assert_eq!(short(check(&strict, &sale())), ('r', Some(Why::Stale)));
}

#[test]
fn the_address_stands_in_for_a_terminal_that_does_not_say_where_it_is() {
    let rules = GateRules::new(&[rule("place", "refuse", "open")]).unwrap();
    let seen = Seen { place: None, ..sale() };
    let connection = Connection { place: Some(Place { lat_e5: 3_990_000, lon_e5: 11_640_000 }) };
    assert_eq!(short(rules.check(&snapshot(), &seen, &connection, NOW)), ('r', Some(Why::FarAway)));
}

#[test]
fn without_a_register_each_rule_fails_as_it_says() {
    let names = ["fresh", "known", "active", "merchant", "grade"];
    for test in names {
        for (when, way) in
            [("open", ('o', Some(Why::NoRegister))), ("closed", ('c', Some(Why::NoRegister))), ("silent", ('p', None))]
        {
            let rules = GateRules::new(&[rule(test, "refuse", when)]).unwrap();
            let decision = rules.check(&Snapshot::default(), &sale(), &Connection::default(), NOW);
            assert_eq!(short(decision), way, "{test} {when}");
        }
    }
}

#[test]
fn the_first_refusal_decides_and_says_what_was_let_through_before() {
    let rules = [
        rule("serial", "open", "open"),
        rule("grade", "open", "silent"),
        rule("merchant", "refuse", "open"),
        rule("known", "refuse", "open"),
    ];
    let rules = GateRules::new(&rules).unwrap();
    let seen = Seen { serial: None, merchant: *b"899523055410005", ..sale() };
    let decision = rules.check(&snapshot(), &seen, &Connection::default(), NOW);
    let Decision::Refuse { code, rule, why, closed, opened } = decision else { panic!("{decision:?}") };
    assert_eq!((code, rules.name(rule), why, closed), (*b"97", "merchant", Why::OtherMerchant, false));
    assert_eq!(opened.iter().map(|rule| rules.name(rule)).collect::<Vec<_>>(), ["serial"]);
    let open = rules.check(&snapshot(), &Seen { serial: None, ..sale() }, &Connection::default(), NOW);
    let Decision::PassOpen { rule, why, all } = open else { panic!("{open:?}") };
    assert_eq!((rules.name(rule), why, all.iter().count()), ("serial", Why::MessageSilent, 1));
}

#[test]
fn rules_are_for_the_requests_they_name() {
    let only_payments = rule("known", "refuse", "closed");
    let unknown = Seen { tid: *b"99999999", ..sale() };
    for (mti, way) in [(0x0200, 'r'), (0x0100, 'r'), (0x0220, 'p'), (0x0400, 'p'), (0x0800, 'p'), (0x0500, 'p')] {
        assert_eq!(short(check(&only_payments, &Seen { mti, ..unknown })).0, way, "{mti:04X}");
    }
    let all = GateRule { requests: vec![Kind::Payment, Kind::Management], ..only_payments };
    assert_eq!(short(check(&all, &Seen { mti: 0x0800, ..unknown })).0, 'r');
}

#[test]
fn rules_that_cannot_be_used_are_refused() {
    let error = |rules: &[GateRule]| GateRules::new(rules).unwrap_err().to_string();
    let no_code = GateRule { code: None, ..rule("known", "refuse", "open") };
    insta::assert_snapshot!(error(&[no_code]), @r#"gate rule "known": it can refuse but has no `code`; give the response code of two characters"#);
    let closed = GateRule { code: None, ..rule("known", "open", "closed") };
    assert!(error(&[closed]).contains("has no `code`"));
    let open = GateRule { code: None, ..rule("known", "open", "open") };
    assert!(GateRules::new(&[open]).is_ok());
    let twice = [rule("known", "open", "open"), rule("known", "open", "open")];
    assert!(error(&twice).contains("given twice"));
    let many: Vec<_> = (0..65).map(|at| GateRule { name: at.to_string(), ..rule("known", "open", "open") }).collect();
    assert!(error(&many).contains("at most 64"));
}

#[test]
fn every_reason_is_worded_in_both_languages() {
    for why in [Why::Stale, Why::NotKnown, Why::NoRegister, Why::FarAway, Why::AccountUncontrolled] {
        let text = why.text();
        assert!(!text.en.is_empty() && !text.zh.is_ascii());
    }
}
