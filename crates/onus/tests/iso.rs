//! `onus iso`: what it prints for people and programs, and that it shows no card number.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may")]

use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

/// A sale of the terminal side: card number 9999051234566697, amount 65.00.
const SALE: &str =
    "6000120000603100030102 0200 5000000000800010 169999051234566697 000000006500 3532333036363830 0011220006660000";
const CARD: &str = "9999051234566697";

struct Ran {
    code: i32,
    out: String,
    raw: Vec<u8>,
    err: String,
}

fn iso(arguments: &[&str], input: &[u8]) -> Ran {
    let mut child = Command::new(env!("CARGO_BIN_EXE_onus"))
        .arg("iso")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A command that reads no input closes it.
    let _ = child.stdin.take().unwrap().write_all(input);
    let ran = child.wait_with_output().unwrap();
    let (out, err) =
        (String::from_utf8_lossy(&ran.stdout).into_owned(), String::from_utf8_lossy(&ran.stderr).into_owned());
    assert!(!out.contains(CARD) && !err.contains(CARD), "a card number in\n{out}\n{err}");
    Ran { code: ran.status.code().unwrap(), out, raw: ran.stdout, err }
}

impl Ran {
    fn lines(&self) -> Vec<Value> {
        self.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    fn expect_code(self, code: i32) -> Ran {
        assert_eq!(self.code, code, "{}\n{}", self.out, self.err);
        self
    }
}

fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<char> = hex.chars().filter(char::is_ascii_hexdigit).collect();
    digits.chunks(2).map(|pair| u8::from_str_radix(&pair.iter().collect::<String>(), 16).unwrap()).collect()
}

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../iso8583/tests/foreign").join(name)
}

#[test]
fn messages_become_json_and_faults_are_data() {
    let input = format!("# two messages and two faults\n{SALE}\n0200\n{SALE} # again\nxyz\n");
    let ran = iso(&["decode", "--dialect", "unionpay-pos"], input.as_bytes()).expect_code(3);
    let lines = ran.lines();
    assert_eq!(lines.len(), 4);
    assert_eq!((&lines[0]["mti"], &lines[0]["line"], &lines[0]["length"]), (&json!("0200"), &json!(2), &json!(52)));
    assert_eq!(lines[0]["header"]["tpdu"], json!({"value": "6000120000", "hex": true}));
    assert_eq!(lines[0]["fields"]["2"]["value"], "999905******6697");
    assert_eq!(lines[0]["fields"]["4"]["value"], "000000006500");
    assert!(lines[0]["fields"]["4"]["name_zh"].as_str().unwrap().contains("金额"));
    assert_eq!(lines[0]["fields"]["60"]["sub"]["batch"]["value"], "000666");
    assert_eq!(lines[1]["error"]["code"], "truncated");
    assert_eq!((&lines[3]["error"]["code"], &lines[3]["line"]), (&json!("not-hex-text"), &json!(5)));
    // Fields stand by number, not by letter.
    let order: Vec<usize> = ["\"2\":", "\"4\":", "\"41\":", "\"60\":"].map(|key| ran.out.find(key).unwrap()).into();
    assert!(order.is_sorted(), "{order:?}");
    assert!(iso(&["decode", "-d", "unionpay-pos"], b"").expect_code(1).err.contains("no message"));
    assert!(iso(&["decode", "-d", "morse"], b"").expect_code(1).err.contains("unionpay-pos"));
}

#[test]
fn raw_bytes_are_taken_apart_at_their_lengths() {
    let sale = bytes(SALE);
    let framed = [&[0, 52][..], &sale, &[0, 52], &sale].concat();
    for arguments in [&["decode", "-d", "unionpay-pos"][..], &["decode", "-d", "unionpay-pos", "--stream"]] {
        let lines = iso(arguments, &framed).expect_code(0).lines();
        assert_eq!(lines.len(), 2);
        assert_eq!((&lines[1]["index"], &lines[1]["offset"]), (&json!(1), &json!(56)));
    }
    assert_eq!(iso(&["decode", "-d", "unionpay-pos"], &sale).expect_code(0).lines().len(), 1);
    let named = [b"0056".to_vec(), sale.clone()].concat();
    iso(&["decode", "-d", "unionpay-pos", "--framing", "ascii4+"], &named).expect_code(0);
    let cut = iso(&["decode", "-d", "unionpay-pos", "--stream"], &framed[..100]).expect_code(3).lines();
    assert_eq!((cut.len(), &cut[1]["error"]["code"]), (2, &json!("not-framed")));
    assert!(iso(&["decode", "-d", "iso1987-ascii", "--input", "raw", "--stream"], b"0").code != 0);
}

#[test]
fn digits_are_hex_text_or_an_ascii_message() {
    let message = "0800822000000000000004000000000000000921101112345678301";
    let lines = iso(&["decode", "-d", "iso1987-ascii"], message.as_bytes()).expect_code(0).lines();
    assert_eq!((&lines[0]["mti"], &lines[0]["fields"]["70"]["value"]), (&json!("0800"), &json!("301")));
    let two = format!("{message}\n{message}\r\n");
    assert_eq!(iso(&["decode", "-d", "iso1987-ascii"], two.as_bytes()).expect_code(0).lines().len(), 2);
    let hex: String = message.bytes().map(|byte| format!("{byte:02X}")).collect();
    let same = iso(&["decode", "-d", "iso1987-ascii"], hex.as_bytes()).expect_code(0).lines();
    assert_eq!(same[0]["fields"], lines[0]["fields"]);
    let best = iso(&["doctor", "--format", "json"], two.as_bytes()).expect_code(0).lines().remove(0);
    assert_eq!((&best["dialect"], &best["input"]), (&json!("iso1987-ascii"), &json!("text")));
    assert_eq!(
        iso(&["redact", "-d", "iso1987-ascii"], two.as_bytes()).expect_code(0).out,
        format!("{message}\n{message}\n")
    );
}

#[test]
fn words_in_both_languages() {
    let en = iso(&["describe", "-d", "unionpay-pos", "--lang", "en"], SALE.as_bytes()).expect_code(0).out;
    let zh = iso(&["describe", "-d", "unionpay-pos"], SALE.as_bytes()).expect_code(0).out;
    assert!(en.contains("Card number: 999905******6697") && zh.contains("主账号: 999905******6697"), "{en}{zh}");
    let table = iso(&["decode", "-d", "unionpay-pos", "--format", "table"], SALE.as_bytes()).expect_code(0).out;
    assert_eq!(table, en);
    let faulty = iso(&["describe", "-d", "unionpay-pos", "--lang", "en"], format!("{SALE}\nxx\n0200\n6000").as_bytes());
    let faulty = faulty.expect_code(3).out;
    assert!(faulty.contains("#1 (line 2) could not be read: column 1: expected pairs"), "{faulty}");
    assert!(faulty.contains("#2 (line 3) could not be read: byte 2, header tpdu"), "{faulty}");
}

#[test]
fn json_becomes_the_bytes_it_came_from() {
    let mut message = iso(&["decode", "-d", "unionpay-pos"], SALE.as_bytes()).expect_code(0).lines().remove(0);
    let masked = iso(&["encode", "-d", "unionpay-pos"], message.to_string().as_bytes()).expect_code(1);
    assert!(masked.err.contains("masked"), "{}", masked.err);
    // A card number made of the same first and last digits.
    message["fields"]["2"] = json!("9999051111116697");
    message["fields"]["52"] = json!({"value": "0123456789ABCDEF", "hex": true});
    message["fields"]["55"] = json!({"sub": {"9F26": {"value": "0102030405060708", "hex": true}}});
    let hex = iso(&["encode", "-d", "unionpay-pos"], message.to_string().as_bytes()).expect_code(0).out;
    let again = iso(&["decode", "-d", "unionpay-pos"], hex.as_bytes()).expect_code(0).lines().remove(0);
    for field in ["4", "11", "41", "60"] {
        assert_eq!(again["fields"][field], message["fields"][field]);
    }
    assert_eq!(again["header"], message["header"]);
    assert_eq!(again["fields"]["55"]["sub"]["9F26"]["value"], "0102030405060708");
    let raw = iso(&["encode", "-d", "unionpay-pos", "--stream", "--output", "raw"], message.to_string().as_bytes());
    let raw = raw.expect_code(0).raw;
    assert_eq!(raw[2..], bytes(&hex));
    assert_eq!(usize::from(u16::from_be_bytes([raw[0], raw[1]])), raw.len() - 2);
}

#[test]
fn messages_of_imported_dialects_go_there_and_back() {
    let folder = tempfile::tempdir().unwrap();
    let dialect = folder.path().join("layout.toml");
    let dialect = dialect.to_str().unwrap();
    for (from, file) in [("pyiso8583-json", "pyiso8583.json"), ("jpos-xml", "jpos.xml"), ("moov-json", "moov.json")] {
        let file = fixture(file);
        let made = iso(&["import-spec", "--from", from, file.to_str().unwrap(), "-o", dialect], b"").expect_code(0);
        assert_eq!(made.err, "");
        let nested = std::fs::read_to_string(fixture("nested.jsonl")).unwrap();
        let frames: Vec<Value> = nested.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let text: String = frames.iter().map(|line| format!("{}\n", line["frame"].as_str().unwrap())).collect();
        let read = iso(&["decode", "-d", dialect], text.as_bytes()).expect_code(0).lines();
        assert_eq!(read.len(), frames.len());
        let shown = iso(&["decode", "-d", dialect], text.as_bytes()).out;
        let whole: Vec<String> = shown
            .lines()
            .zip(&frames)
            .map(|(line, frame)| unmask(line, &frame[if from == "pyiso8583-json" { "flat" } else { "parts" }]))
            .collect();
        let back = iso(&["encode", "-d", dialect], whole.join("\n").as_bytes()).expect_code(0).out;
        assert_eq!(back.to_lowercase(), text, "{from}");
    }
}

/// The line with the whole values of its fields, the order of its keys kept.
fn unmask(line: &str, values: &Value) -> String {
    let mut line = line.to_owned();
    for (place, value) in values.as_object().unwrap() {
        let Some(at) = line.find(&format!("\"{place}\":{{\"name_en\"")) else { continue };
        let end = at + line[at..].find('}').unwrap();
        if line[at..end].contains("\"sub\"") {
            continue;
        }
        let hex = place == "52" || line[at..end].contains("\"hex\":true");
        let field = json!({"value": value, "hex": hex});
        line.replace_range(at..=end, &format!("\"{place}\":{field}"));
    }
    line
}

#[test]
fn differences_are_named_and_hidden_ones_too() {
    let other = SALE.replace("000000006500", "000000006501").replace("169999051234566697", "169999051111116697");
    let ran = iso(&["diff", "-d", "unionpay-pos", SALE, &other], b"").expect_code(3);
    assert!(ran.out.contains("4\n  < 000000006500\n  > 000000006501"), "{}", ran.out);
    assert!(ran.out.contains("differ in what is hidden"), "{}", ran.out);
    let lines = iso(&["diff", "-d", "unionpay-pos", "--format", "json", SALE, &other], b"").expect_code(3).lines();
    assert_eq!(lines.len(), 2);
    assert_eq!((&lines[0]["place"], &lines[0]["hidden"]), (&json!("2"), &json!(true)));
    assert_eq!(iso(&["diff", "-d", "unionpay-pos", SALE, SALE], b"").expect_code(0).out, "");
    iso(&["diff", "-d", "unionpay-pos", SALE, "no such thing"], b"").expect_code(1);
}

#[test]
fn the_doctor_names_dialect_length_and_offset() {
    let sale = bytes(SALE);
    let plain = iso(&["doctor"], SALE.as_bytes()).expect_code(0).out;
    assert!(plain.starts_with("100  unionpay-pos"), "{plain}");
    let framed = [&[0, 0, 0, 52][..], &sale, &[0, 0, 0, 52], &sale].concat();
    let best = iso(&["doctor", "--format", "json", "--top", "1"], &framed).expect_code(0).lines().remove(0);
    assert_eq!((&best["framing"], &best["skipped"], &best["read"]), (&json!("binary4"), &json!(0), &json!(2)));
    let behind = [&b"HEAD"[..], &sale].concat();
    let best = iso(&["doctor", "--format", "json"], &behind).expect_code(0).lines().remove(0);
    assert_eq!((&best["skipped"], &best["framing"]), (&json!(4), &Value::Null));
    let nothing = iso(&["doctor"], "no message at all, words only".as_bytes()).expect_code(3).out;
    assert!(nothing.contains("No known dialect fits"), "{nothing}");
}

#[test]
fn redacted_frames_keep_their_form() {
    let sale = bytes(SALE);
    let framed = [&[0, 52][..], &sale, &[0, 52], &sale, &[0, 9, 1]].concat();
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("safe.bin");
    let ran = iso(&["redact", "-d", "unionpay-pos", "--stream", "-o", out.to_str().unwrap()], &framed).expect_code(3);
    assert!(ran.err.contains("3 bytes are zeros"), "{}", ran.err);
    let safe = std::fs::read(&out).unwrap();
    assert_eq!(safe.len(), framed.len());
    let masked = bytes(&SALE.replace(CARD, "9999050000006697"));
    assert_eq!(safe, [&[0, 52][..], &masked, &[0, 52], &masked, &[0, 0, 0]].concat());
    let hex = iso(&["redact", "-d", "unionpay-pos"], SALE.as_bytes()).expect_code(0).out;
    assert_eq!(bytes(&hex), masked, "the middle digits are zeros");
}

#[test]
fn a_message_is_sent_and_its_answer_checked() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let host = std::thread::spawn(move || {
        for answers in [true, true, false] {
            let (mut connection, _) = listener.accept().unwrap();
            let mut request = vec![0; 54];
            connection.read_exact(&mut request).unwrap();
            if answers {
                request[2 + 12] = 0x10; // 0210
                connection.write_all(&request[..20]).unwrap();
                connection.write_all(&request[20..]).unwrap();
            }
        }
    });
    let arguments = ["send", "-d", "unionpay-pos", "--to", &address, "--timeout", "20"];
    let with = |expected: &[&'static str]| {
        let expectations = expected.iter().flat_map(|one| ["--expect", one]);
        iso(&arguments.iter().copied().chain(expectations).collect::<Vec<_>>(), SALE.as_bytes())
    };
    let good = with(&["mti=0210", "4=000000006500", "60.batch=000666"]).expect_code(0).lines();
    assert_eq!(good[0]["fields"]["4"]["value"], "000000006500");
    let bad = with(&["39=00"]).expect_code(3).lines();
    assert_eq!(bad[1], json!({"expected": "39", "value": "00", "found": null}));
    assert!(with(&[]).expect_code(1).err.contains("closed the connection"));
    host.join().unwrap();
}

#[test]
fn what_an_import_cannot_carry_over_is_said() {
    let specification =
        br#"{"t": {"data_enc": "ascii"}, "p": {"data_enc": "ascii"}, "h": {"data_enc": "ascii", "max_len": 0},
        "3": {"data_enc": "utf-16", "max_len": 6, "len_type": 0, "len_enc": "ascii"}}"#;
    let ran = iso(&["import-spec", "--from", "pyiso8583-json", "--id", "mine", "-"], specification).expect_code(0);
    assert!(
        ran.out.contains("id = \"mine\"") && ran.out.contains("# Not carried over as it was: field 3"),
        "{}",
        ran.out
    );
    assert!(ran.err.contains("field 3: data_enc \"utf-16\""), "{}", ran.err);
    assert!(iso(&["import-spec", "--from", "jpos-xml", "-"], b"<a/>").expect_code(1).err.contains("isopackager"));
}
