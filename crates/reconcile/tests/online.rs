//! Records as they come, in any order and with time passing in between, against the same day as whole files.
#![allow(clippy::unwrap_used, reason = "a test may")]

mod day;
#[path = "day/random.rs"]
mod random;

use std::collections::{BTreeMap, BTreeSet};

use day::{CLASSES, How, reconcile};
use onus_reconcile::files::{
    AttemptFacts, Class, Classes, MerchantFacts, Present, RowKind, Source, Texts, WorkingDays, day_of,
};
use onus_reconcile::online::{
    AttemptLine, Change, ClearingLine, ExpectationRules, Expectations, Finding, Observation, PayoutLine, Record,
    Second, ShareLine, Terms,
};
use proptest::prelude::*;
use random::{CLEARING, Day, Dice, MERCHANT, PAYOUT, SHARE, SWITCH, TERMINAL, file};

const DAY: Second = 86_400;
/// 2026-03-12 00:00, a Thursday.
const START: Second = 20_524 * DAY;
const ALL: Present = Present { terminal: true, switch: true, clearing: true, payout: true };

/// A row by the names of its columns.
struct Row<'a>(BTreeMap<&'a str, &'a str>);

impl<'a> Row<'a> {
    fn of(header: &'a str, row: &'a str) -> Self {
        Self(header.split(',').zip(row.split(',')).collect())
    }

    fn text(&self, name: &str) -> &'a str {
        self.0.get(name).copied().unwrap_or_default()
    }

    fn number(&self, name: &str) -> i64 {
        self.text(name).parse().unwrap_or_default()
    }

    fn count(&self, name: &str) -> u64 {
        self.text(name).parse().unwrap_or_default()
    }

    fn day(&self, name: &str) -> i32 {
        let text = self.text(name);
        let part = |from: usize, to: usize| text.get(from..to).and_then(|part| part.parse().ok()).unwrap_or_default();
        day_of(part(0, 4), part(4, 6), part(6, 8)).unwrap_or_default()
    }

    fn second(&self, name: &str) -> Second {
        let text = self.text(name);
        let part = |from: usize| text.get(from..from + 2).and_then(|part| part.parse::<Second>().ok()).unwrap();
        Second::from(self.day(name)) * DAY + part(8) * 3_600 + part(10) * 60 + part(12)
    }

    fn pan(&self) -> u64 {
        let digits: String = self.text("pan").chars().filter(char::is_ascii_digit).collect();
        digits.parse().unwrap_or_default()
    }
}

fn attempt(row: &Row<'_>, texts: &Texts) -> AttemptLine {
    let facts = AttemptFacts {
        amount: row.number("amount"),
        approved: row.text("resp_code") == "00",
        reversed: row.text("reversed") == "1",
        pan: row.pan(),
        merchant: texts.code(row.text("merchant_id").as_bytes()),
        time: row.second("txn_time"),
        settled: row.day("settle_date"),
    };
    AttemptLine {
        terminal: texts.code(row.text("term_id").as_bytes()),
        key: Some((row.count("batch_no"), row.count("trace_no"))),
        rrn: texts.code(row.text("rrn").as_bytes()),
        kind: match row.text("txn_type") {
            "02" => RowKind::Void,
            "03" => RowKind::Refund,
            "04" => RowKind::Reversal,
            _ => RowKind::Sale,
        },
        facts,
    }
}

/// All rows of a day as records, in order of place; when they come is said later.
fn records(day: &Day, texts: &Texts) -> Vec<Observation> {
    let code = |row: &Row<'_>, name: &str| texts.code(row.text(name).as_bytes());
    let mut found = Vec::new();
    let sources = [
        (TERMINAL, &day.terminal),
        (SWITCH, &day.switch),
        (CLEARING, &day.clearing),
        (PAYOUT, &day.payout),
        (SHARE, &day.share),
    ];
    for (number, (header, rows)) in sources.into_iter().enumerate() {
        for (offset, text) in rows.iter().enumerate() {
            let row = Row::of(header, text);
            let (terminal, rrn) = (code(&row, "term_id"), code(&row, "rrn"));
            let merchant = code(&row, "merchant_id");
            let record = match number {
                0 => Record::Journal(attempt(&row, texts)),
                1 => Record::Switch(attempt(&row, texts)),
                2 => Record::Clearing(ClearingLine {
                    terminal,
                    rrn,
                    merchant,
                    amount: row.number("amount"),
                    settled: row.day("settle_date"),
                    network_fee: row.number("network_fee"),
                    mcc: row.count("mcc"),
                }),
                3 => Record::Payout(PayoutLine {
                    terminal,
                    rrn,
                    merchant,
                    account: code(&row, "account"),
                    gross: row.number("gross"),
                    fee: row.number("fee"),
                    net: row.number("net"),
                    paid_on: row.day("pay_date"),
                    batch: code(&row, "payout_batch"),
                }),
                _ => Record::Share(ShareLine {
                    terminal,
                    rrn,
                    agent: code(&row, "agent_id"),
                    share: row.number("share"),
                }),
            };
            found.push(Observation { at: 0, place: (number as u64, offset as u64), record });
        }
    }
    found
}

fn terms(day: &Day, texts: &Texts) -> Vec<Terms> {
    let of = |text: &String| {
        let row = Row::of(MERCHANT, text);
        let facts = MerchantFacts {
            account: texts.code(row.text("account").as_bytes()),
            fee_bp: row.number("mdr_bps"),
            share_bp: row.number("share_bps"),
            mcc: row.count("mcc"),
        };
        Terms { merchant: texts.code(row.text("merchant_id").as_bytes()), from: 0, to: i32::MAX, facts }
    };
    day.merchant.iter().map(of).collect()
}

fn classes() -> String {
    CLASSES.replace("# network_fee_ppm = 350 ", "network_fee_ppm = 3500 ")
}

/// Class, terminal, reference, set of classes and money effect of each break.
type Found = BTreeSet<(String, String, String, u64, i64)>;

fn by_files(day: &Day) -> Found {
    let files = [
        (Source::Terminal, "t", file(TERMINAL, &day.terminal)),
        (Source::Switch, "s", file(SWITCH, &day.switch)),
        (Source::Clearing, "c", file(CLEARING, &day.clearing)),
        (Source::Payout, "p", file(PAYOUT, &day.payout)),
        (Source::Merchant, "m", file(MERCHANT, &day.merchant)),
        (Source::Share, "a", file(SHARE, &day.share)),
    ];
    let files: Vec<(Source, &str, &[u8])> =
        files.iter().map(|(source, name, bytes)| (*source, *name, bytes.as_slice())).collect();
    let classes = classes();
    let (lines, _) = reconcile(&files, &How { classes: &classes, ..How::default() }).unwrap();
    let line = |line: &String| {
        let fields: Vec<&str> = line.split(',').collect();
        let [.., set, effect, _] = fields[..] else { unreachable!() };
        let text = |at: usize| fields[at].to_owned();
        (text(0), text(1), text(2), u64::from_str_radix(set, 16).unwrap(), effect.parse().unwrap())
    };
    lines.payments.iter().map(line).collect()
}

fn as_found(found: &Finding, texts: &Texts) -> (String, String, String, u64, i64) {
    (found.class.code().to_owned(), texts.text(found.terminal), texts.text(found.rrn), found.holding, found.effect)
}

/// Legs in the order journal, switch, clearing, payout, share: which of them a class says are missing.
const MISSING: [(Class, &[usize]); 8] = [
    (Class::TermOnly, &[1, 2]),
    (Class::TermMissing, &[0]),
    (Class::SwitchOnly, &[2, 3]),
    (Class::NetworkOnly, &[0, 1]),
    (Class::SwitchMissing, &[1]),
    (Class::PayoutMissing, &[3]),
    (Class::PayoutUnfunded, &[2]),
    (Class::ReversalUndue, &[2]),
];

/// Until when a leg may come, by the legs that are there: the pack's rules once more, in plain arithmetic.
fn deadline(leg: usize, times: &Times) -> Second {
    let order: &[usize] = [&[1, 2, 3, 4][..], &[0, 2, 3, 4], &[1, 0, 3, 4], &[2, 1, 0, 4]][leg];
    let from = order.iter().copied().find(|from| times[*from].is_some()).unwrap();
    let (at, mut day) = times[from].unwrap();
    if (leg, from) == (1, 0) {
        return at + 600;
    }
    day += 1;
    while (day + 3).rem_euclid(7) >= 5 {
        day += 1;
    }
    Second::from(day) * DAY + if leg == 2 { DAY / 2 } else { DAY }
}

/// When each leg came that others are counted from, with its day.
type Times = [Option<(Second, i32)>; 5];

/// What came of each payment: by terminal and reference, and by terminal and key for journals without one.
#[derive(Default)]
struct Fed {
    times: BTreeMap<(String, String), Times>,
    first: BTreeMap<(String, String), Second>,
}

impl Fed {
    fn add(&mut self, row: &Observation, names: &Names, texts: &Texts) {
        let (name, leg, time, day) = match row.record {
            Record::Journal(line) => (names.of(&line, texts), 0, line.facts.time, 0),
            Record::Switch(line) => (names.of(&line, texts), 1, line.facts.time, line.facts.settled),
            Record::Clearing(line) => ((texts.text(line.terminal), texts.text(line.rrn)), 2, 0, line.settled),
            Record::Payout(line) => ((texts.text(line.terminal), texts.text(line.rrn)), 3, 0, line.paid_on),
            Record::Share(line) => ((texts.text(line.terminal), texts.text(line.rrn)), 4, row.at, 0),
            _ => unreachable!(),
        };
        let day = if day == 0 { i32::try_from(time / DAY).unwrap() } else { day };
        self.first.entry(name.clone()).or_insert(row.at);
        let known = &mut self.times.entry(name).or_default()[leg];
        // Of several lines the last settlement day and the first day of payment count.
        if known.is_none_or(|known| leg == 2 && known.1 < day) {
            *known = Some((time, day));
        }
    }
}

/// References by terminal and key, from the switch log.
struct Names(BTreeMap<(String, (u64, u64)), String>);

impl Names {
    fn from(rows: &[Observation], texts: &Texts) -> Self {
        let named = rows.iter().filter_map(|row| match row.record {
            Record::Switch(line) | Record::Journal(line) if !line.rrn.is_none() => {
                Some(((texts.text(line.terminal), line.key?), texts.text(line.rrn)))
            }
            _ => None,
        });
        Self(named.collect())
    }

    fn of(&self, line: &AttemptLine, texts: &Texts) -> (String, String) {
        let terminal = texts.text(line.terminal);
        let key = line.key.unwrap();
        let name = self.0.get(&(terminal.clone(), key)).cloned();
        (terminal, name.unwrap_or_else(|| format!("{key:?}")))
    }
}

/// Nothing absent is called before its deadline.
fn check(called: &[Finding], fed: &Fed, names: &Names, texts: &Texts, now: Second) {
    for found in called {
        let terminal = texts.text(found.terminal);
        let name = match (found.rrn.is_none(), found.key) {
            (false, _) => texts.text(found.rrn),
            (true, Some(key)) => names.0.get(&(terminal.clone(), key)).cloned().unwrap_or_else(|| format!("{key:?}")),
            (true, None) => unreachable!(),
        };
        let Some(times) = fed.times.get(&(terminal, name)) else { continue };
        let mut times = *times;
        let first = fed.first.values().min().copied().unwrap_or_default();
        if let Some(share) = &mut times[4] {
            *share = (first, i32::try_from(first / DAY).unwrap());
        }
        for (class, legs) in MISSING {
            if found.holding & class.bit() == 0 {
                continue;
            }
            for leg in legs {
                let due = deadline(*leg, &times);
                // A record that is there, but not counted as this one, says nothing about its deadline.
                assert!(due <= now || times[*leg].is_some(), "{} at {now}, before {due}: {found:?}", class.code());
            }
        }
    }
}

struct World {
    rules: ExpectationRules,
    classes: Classes,
    days: WorkingDays,
    texts: Texts,
}

impl World {
    fn new() -> Self {
        Self {
            rules: ExpectationRules::builtin().unwrap(),
            classes: Classes::from_toml(&classes()).unwrap(),
            days: WorkingDays::default(),
            texts: Texts::default(),
        }
    }

    fn start(&self, day: &Day) -> Expectations<'_> {
        let mut state = Expectations::new(&self.rules, &self.classes, &self.texts, &self.days, ALL);
        for version in terms(day, &self.texts) {
            state.put_terms(&version);
        }
        state
    }
}

/// Feeds a day in random order over some days, now and then through a snapshot, and compares with the files.
fn agree(seed: u64, payments: u64, spread_days: i64) {
    let (world, day) = (World::new(), random::day(seed, payments));
    let texts = &world.texts;
    let mut rows = records(&day, texts);
    let names = Names::from(&rows, texts);
    let mut dice = Dice::new(seed ^ 0xABCD);
    for row in &mut rows {
        row.at = START + 36_000 + Second::try_from(dice.below(u64::try_from(spread_days * DAY).unwrap())).unwrap();
    }
    dice.shuffle(&mut rows);
    rows.sort_by_key(|row| row.at);
    let (mut state, mut fed) = (world.start(&day), Fed::default());
    let mut told: BTreeSet<(String, String, String, u64, i64)> = BTreeSet::new();
    let mut now = START;
    for row in rows {
        if dice.one_in(4 + payments / 20) {
            let between = u64::try_from((row.at - now).max(1)).unwrap();
            now = now.max(row.at - Second::try_from(dice.below(between)).unwrap());
            follow(&mut told, &state.advance(now), texts);
            check(&state.breaks(), &fed, &names, texts, now);
        }
        now = now.max(row.at);
        fed.add(&row, &names, texts);
        follow(&mut told, &state.observe(row), texts);
        if dice.one_in(50 + payments * 2) {
            let kept = state.snapshot();
            let (breaks, awaited) = (state.breaks(), sorted(&state));
            state = world.start(&day);
            state.restore(&kept);
            assert_eq!(state.snapshot(), kept, "seed {seed}");
            // What became certain while nobody asked is called at once.
            let mut before = world.start(&day);
            before.restore(&kept);
            assert_eq!(before.breaks(), state.breaks());
            told = state.breaks().iter().map(|found| as_found(found, texts)).collect();
            assert_eq!((breaks.len() <= state.breaks().len(), awaited), (true, sorted(&state)), "seed {seed}");
        }
    }
    check(&state.breaks(), &fed, &names, texts, now);
    follow(&mut told, &state.advance(START + (spread_days + 8) * DAY), texts);
    let found: Found = state.breaks().iter().map(|found| as_found(found, texts)).collect();
    let expected = by_files(&day);
    let odd: Vec<_> = expected.symmetric_difference(&found).take(4).collect();
    assert!(odd.is_empty(), "seed {seed}: {odd:?}");
    assert_eq!(told, found, "seed {seed}: what was told adds up to what stands");
    state.advance(START + (spread_days + 60) * DAY);
    assert!(state.is_empty(), "seed {seed}: everything is forgotten in the end");
    assert_eq!(state.snapshot().observations, [], "seed {seed}");
}

fn sorted(state: &Expectations<'_>) -> Vec<(Second, Second, usize)> {
    let mut found: Vec<_> = state.awaited().map(|awaited| (awaited.due, awaited.since, awaited.rule)).collect();
    found.sort_unstable();
    found
}

/// Keeps the set of breaks by the changes told.
fn follow(told: &mut Found, changes: &[Change], texts: &Texts) {
    for change in changes {
        match change {
            Change::Mended(found) => assert!(told.remove(&as_found(found, texts)), "{found:?} was never called"),
            Change::Broken(found) => {
                let (terminal, rrn) = (texts.text(found.terminal), texts.text(found.rrn));
                told.retain(|known| rrn.is_empty() || (&known.1, &known.2) != (&terminal, &rrn));
                told.insert(as_found(found, texts));
            }
            Change::Awaits(_) | Change::Came { .. } | Change::Dropped(_) | Change::Overdue(_) => {}
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn records_in_any_order_agree_with_whole_files(seed in 1_u64..1 << 40, payments in 1_u64..60, spread in 1_i64..9) {
        agree(seed, payments, spread);
    }
}

#[test]
fn a_large_day_agrees() {
    for seed in 1..=2 {
        agree(seed, 1_000, 5);
    }
}
