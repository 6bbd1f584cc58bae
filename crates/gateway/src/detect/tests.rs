use super::*;
use crate::small_text::SmallText;
use crate::snapshot::SnapshotRows;
use crate::terminal_block::TerminalStatus;

const SHANGHAI: Place = Place { lat_e5: 3_123_000, lon_e5: 12_147_000 };
const BEIJING: Place = Place { lat_e5: 3_990_000, lon_e5: 11_640_000 };

fn snapshot() -> Snapshot {
    let rows: SnapshotRows = serde_json::from_str(
        r#"{"terminals": [{"tid": "52300001", "standing": "active", "app_versions": ["320001"],
                           "place": {"lat_e5": 3123000, "lon_e5": 12147000}}],
            "app_codes": [{"app_version": "320001", "codes": ["00", "51", "55"]}]}"#,
    )
    .unwrap();
    Snapshot::build(1, Instant(0), &rows).unwrap()
}

/// What one terminal's message says.
fn message(terminal: u32, mti: u16, trace: u32) -> Seen {
    let mut tid = *b"52300000";
    tid[4..].copy_from_slice(format!("{terminal:04}").as_bytes());
    Seen {
        mti,
        type_code: Some(22),
        processing: Some(0),
        amount_minor: Some(100),
        trace,
        batch: Some(1),
        tid,
        merchant: [b'1'; 15],
        acquirer: None,
        rrn: None,
        code: None,
        entry_mode: None,
        pin: false,
        network_code: None,
        capability: None,
        software: None,
        serial: None,
        device: None,
        cipher: None,
        factor_is_card: None,
        app_version: None,
        place: None,
        card: None,
        bin: None,
        original: None,
        status: None,
    }
}

fn sale(terminal: u32, trace: u32) -> Seen {
    message(terminal, 0x0200, trace)
}

fn reply(terminal: u32, trace: u32, code: &[u8; 2]) -> Seen {
    Seen { code: Some(*code), ..message(terminal, 0x0210, trace) }
}

fn reversal(terminal: u32, trace: u32) -> Seen {
    Seen { code: Some(*b"98"), ..message(terminal, 0x0400, trace) }
}

struct Watch {
    detectors: Detectors,
    snapshot: Snapshot,
    network_place: Option<Place>,
    lines: Vec<String>,
}

fn watch() -> Watch {
    with(DetectConfig::default())
}

fn with(config: DetectConfig) -> Watch {
    let detectors = Detectors::new(config, 60_000).unwrap();
    Watch { detectors, snapshot: snapshot(), network_place: None, lines: Vec::new() }
}

impl Watch {
    fn at(&mut self, at: i64, seen: &Seen) -> &mut Watch {
        let way = if seen.is_reply() { Way::ToTerminal } else { Way::ToHost };
        let now = Instant(0).plus_seconds(10_000 + at);
        let (snapshot, network_place) = (&self.snapshot, self.network_place);
        let mut alarms = Vec::new();
        self.detectors.observe(&Sighting { seen, way, network_place, snapshot, now }, &mut alarms);
        self.tell(at, &alarms);
        self
    }

    fn from(&mut self, place: Place) -> &mut Watch {
        self.network_place = Some(place);
        self
    }

    fn closed(&mut self, at: i64, seen: &Seen) -> &mut Watch {
        let mut alarms = Vec::new();
        self.detectors.closed(seen.payment(), Instant(0).plus_seconds(10_000 + at), &mut alarms);
        self.tell(at, &alarms);
        self
    }

    fn tell(&mut self, at: i64, alarms: &[Alarm]) {
        let words = alarms.iter().map(|alarm| {
            let tid = String::from_utf8_lossy(&alarm.tid).into_owned();
            format!("{at}s {tid} {}", alarm.text().en)
        });
        self.lines.extend(words);
    }

    fn text(&self) -> String {
        self.lines.join("\n")
    }
}

#[test]
fn a_timeout_set_too_short() {
    let status = |timeout_s| {
        let status = TerminalStatus { timeout_s: Some(timeout_s), ..TerminalStatus::default() };
        Seen { status: Some(status), ..message(1, 0x0820, 1) }
    };
    let mut watch = watch();
    watch.at(0, &status(60)).at(1, &status(99)).at(2, &status(25)).at(3, &status(25)).at(700, &status(30));
    insta::assert_snapshot!(watch.text(), @r"
    2s 52300001 the terminal's time-out is set shorter than the host's: 25000 ms against 60000 ms
    700s 52300001 the terminal's time-out is set shorter than the host's: 30000 ms against 60000 ms
    ");
}

#[test]
fn a_timeout_that_is_too_short_in_practice() {
    let mut watch = watch();
    watch.at(0, &sale(1, 1)).at(25, &reversal(1, 1));
    watch.at(30, &sale(1, 2)).closed(55, &sale(1, 2)).at(56, &reversal(1, 2));
    watch.at(60, &sale(1, 3)).at(62, &reply(1, 3, b"00")).closed(63, &sale(1, 3));
    watch.at(70, &sale(1, 4)).closed(131, &sale(1, 4));
    assert_eq!(watch.text(), "", "two, one answered, one in time");
    watch.at(140, &sale(1, 5)).closed(165, &sale(1, 5));
    insta::assert_snapshot!(watch.text(), @"165s 52300001 the terminal gives up before the host's time is over: 25000 ms against 60000 ms");
}

#[test]
fn a_code_that_the_program_does_not_know() {
    let mut watch = watch();
    watch.at(0, &sale(1, 1)).at(1, &reply(1, 1, b"51")).at(2, &sale(1, 2)).at(3, &reply(1, 2, b"A7"));
    watch.at(4, &reply(1, 2, b"A7"));
    // Another version, by its own word, has no table.
    watch.at(900, &Seen { app_version: Some(*b"320009  "), ..sale(1, 3) }).at(901, &reply(1, 3, b"A7"));
    watch.at(902, &sale(2, 1)).at(903, &reply(2, 1, b"A7"));
    insta::assert_snapshot!(watch.text(), @"3s 52300001 the terminal's program has no text for the response code; code A7; program 320001");
}

#[test]
fn refusals_in_a_row() {
    let mut keys = with(DetectConfig { quiet_s: 0, ..DetectConfig::default() });
    for (at, code) in [(0, b"A0"), (100, b"99"), (400, b"A0"), (410, b"51"), (420, b"99"), (430, b"A0")] {
        keys.at(at, &reply(2, at as u32, code));
    }
    insta::assert_snapshot!(keys.text(), @"430s 52300002 keys out of step: replies 99 or A0 in a row: 3 times against 3 times; code A0");
    let mut pins = watch();
    for at in 0..4 {
        pins.at(at, &reply(2, 1, b"55"));
    }
    assert_eq!(pins.text(), "");
    pins.at(5, &reply(3, 1, b"55")).at(6, &reply(2, 1, b"55"));
    insta::assert_snapshot!(pins.text(), @"6s 52300002 replies 55 in a row: 5 times against 5 times; code 55");
}

#[test]
fn storms() {
    let mut watch = with(DetectConfig { storm_terminals: 5, ..DetectConfig::default() });
    for terminal in 1..=4 {
        watch.at(0, &Seen { app_version: Some(*b"330000  "), ..sale(terminal, 1) });
        watch.at(1, &reply(terminal, 1, b"94")).at(2, &reply(terminal, 1, b"94")).at(2, &reply(terminal, 2, b"77"));
    }
    assert_eq!(watch.text(), "", "the same terminals again are no storm");
    watch.at(290, &reply(5, 1, b"94")).at(291, &reply(6, 1, b"94"));
    watch.at(302, &reply(7, 1, b"77")).at(303, &reply(8, 1, b"77"));
    insta::assert_snapshot!(watch.text(), @"290s 52300005 many terminals repeat trace numbers (94): 5 terminals against 5 terminals; code 94; program 330000");
}

#[test]
fn reversals_for_a_missing_reply() {
    let mut watch = watch();
    watch.at(0, &sale(1, 1)).at(61, &reversal(1, 1));
    watch.at(0, &sale(2, 1)).at(3, &reply(2, 1, b"00")).at(60, &reversal(2, 1));
    watch.at(0, &sale(3, 1)).at(60, &Seen { code: Some(*b"96"), ..reversal(3, 1) }).at(60, &reversal(3, 9));
    insta::assert_snapshot!(watch.text(), @r"
    61s 52300001 reversal for no reply: the host never answered: 61000 ms against 60000 ms
    60s 52300002 reversal for no reply: the reply was lost behind the gateway: 57000 ms after the reply
    ");
}

#[test]
fn one_serial_at_two_terminals() {
    let with = |terminal, serial: &[u8]| Seen { serial: SmallText::new(serial), ..sale(terminal, 1) };
    let mut watch = watch();
    watch.at(0, &with(1, b"N1")).at(1, &with(1, b"N1")).at(2, &with(2, b"N2")).at(3, &with(2, b"N1"));
    watch.at(100_000, &with(3, b"N1"));
    insta::assert_snapshot!(watch.text(), @"3s 52300002 one serial number at two terminal numbers; other terminal 52300001");
}

#[test]
fn journeys_and_addresses() {
    let at = |place| Seen { place: Some(place), ..sale(2, 1) };
    let near = Place { lat_e5: 3_133_000, lon_e5: 12_157_000 };
    let mut own = watch();
    own.at(0, &at(SHANGHAI)).at(1, &at(near)).at(3_600, &at(BEIJING)).at(3_600 * 6, &at(SHANGHAI));
    insta::assert_snapshot!(own.text(), @"3600s 52300002 two places too far apart for the time between: 1062222 m against 299916 m");
    let mut address = watch();
    address.from(SHANGHAI).at(0, &sale(1, 1)).from(BEIJING).at(60, &sale(1, 2));
    insta::assert_snapshot!(address.text(), @r"
    60s 52300001 two places too far apart for the time between: 1068471 m against 50000 m
    60s 52300001 the network address is far from the terminal's place: 1068471 m against 200000 m
    ");
    let mut unknown = watch();
    unknown.from(BEIJING).at(0, &sale(2, 1));
    assert_eq!(unknown.text(), "", "nothing is known of where it should be");
}

#[test]
fn ciphers_that_come_back() {
    let with = |terminal, trace, card: Option<u64>| Seen { cipher: Some(*b"abcdefgh"), card, ..sale(terminal, trace) };
    let mut same_card = watch();
    for trace in 0..20 {
        same_card.at(0, &with(1, trace, Some(7)));
    }
    assert_eq!(same_card.text(), "", "the factor is not fresh");
    same_card.at(1, &with(1, 99, Some(8)));
    insta::assert_snapshot!(same_card.text(), @"1s 52300001 a cipher of field 59 came with another card or from another terminal");
    let mut other = watch();
    other.at(0, &with(1, 1, Some(7))).at(1, &with(2, 1, Some(7)));
    insta::assert_snapshot!(other.text(), @"1s 52300002 a cipher of field 59 came with another card or from another terminal; other terminal 52300001");
    let mut no_cards = watch();
    no_cards.at(0, &with(1, 1, None)).at(1, &with(1, 1, None)).at(2, &with(1, 2, None));
    assert_eq!(no_cards.text(), "");
    no_cards.at(3, &with(1, 3, None));
    insta::assert_snapshot!(no_cards.text(), @"3s 52300001 a cipher of field 59 repeats with different payments: 3 times against 3 times");
    let mut factor = watch();
    factor
        .at(0, &Seen { factor_is_card: Some(false), ..sale(1, 1) })
        .at(1, &Seen { factor_is_card: Some(true), ..sale(2, 1) });
    insta::assert_snapshot!(factor.text(), @"0s 52300001 the factor of field 59 is not of this card");
}

#[test]
fn thresholds_that_cannot_be_used_are_refused() {
    let error = |config| Detectors::new(config, 60_000).unwrap_err().to_string();
    let config = DetectConfig { key_count: 9, ..DetectConfig::default() };
    insta::assert_snapshot!(error(config), @"detectors: `key_count` is 9, expected 1 to 8; change it or leave it out for the default");
    assert!(error(DetectConfig { storm_terminals: 0, ..DetectConfig::default() }).contains("storm_terminals"));
    let config: DetectConfig = toml::from_str("pin_count = 8").unwrap();
    assert_eq!((config.pin_count, config.key_count), (8, 3));
    assert!(AlarmKind::ALL.iter().all(|kind| !kind.text().en.is_empty() && !kind.text().zh.is_ascii()));
}

#[test]
fn memory_is_bounded_whoever_comes() {
    let config = DetectConfig { terminals: 10, marks: 10, storm_terminals: 3, quiet_s: 0, ..DetectConfig::default() };
    let mut watch = with(config);
    for terminal in 0..500 {
        let serial = SmallText::new(format!("N{terminal}").as_bytes());
        let cipher = Some(u64::from(terminal).to_be_bytes());
        watch.at(0, &Seen { serial, cipher, ..sale(terminal, 1) }).at(0, &reply(terminal, 1, b"94"));
    }
    let detectors = &watch.detectors;
    assert!(detectors.terminals.len() <= 10 && detectors.serials.len() <= 10 && detectors.ciphers.len() <= 10);
    assert!(detectors.quiet.len() <= 10);
    assert!(detectors.duplicate.len() <= 12, "{}", detectors.duplicate.len());
}
