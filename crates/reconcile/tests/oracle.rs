//! Random days, class by class, against a slow and separate judge: SQL in SQLite.
#![allow(clippy::unwrap_used, reason = "a test may")]

mod day;
#[path = "day/random.rs"]
mod random;

use day::{CLASSES, How, LAYOUT, reconcile};
use onus_reconcile::files::{Class, Source};
use random::{BATCH, CLEARING, Day, MERCHANT, PAYOUT, SHARE, SWITCH, TERMINAL, file};
use rusqlite::Connection;

/// What the shipped layout leaves out: category and share rate of the master.
fn layout() -> String {
    LAYOUT.replace("fee_bp = \"mdr_bps\"", "fee_bp = \"mdr_bps\"\nmcc = \"mcc\"\nshare_bp = \"share_bps\"")
}

/// With a tariff.
fn classes() -> String {
    CLASSES.replace("# network_fee_ppm = 350 ", "network_fee_ppm = 3500 ")
}

fn load(connection: &Connection, name: &str, header: &str, rows: &[String]) {
    connection.execute(&format!("create table {name} ({header})"), []).unwrap();
    let marks = vec!["?"; header.split(',').count()].join(",");
    let mut insert = connection.prepare(&format!("insert into {name} values ({marks})")).unwrap();
    for row in rows {
        insert.execute(rusqlite::params_from_iter(row.split(','))).unwrap();
    }
}

/// Every class that holds, written once more from the words of the pack. `s_ok`: the switch approved and did not reverse.
const CONDITIONS: [(&str, &str); 25] = [
    ("REVERSAL_LOST", "s = 1 and rev = 1 and c_n > 0"),
    ("REVERSAL_UNDUE", "s = 1 and rev = 1 and c_n = 0 and t_rc = '00'"),
    ("DECLINED_CLEARED", "s = 1 and rev = 0 and s_rc <> '00' and c_n + p_n > 0"),
    ("SWITCH_MISSING", "s = 0 and t = 1 and c_n > 0"),
    ("TERM_ONLY", "s = 0 and t_rc = '00' and c_n = 0"),
    ("NETWORK_ONLY", "s = 0 and t = 0 and c_n > 0"),
    ("SWITCH_ONLY", "s_ok and c_n = 0 and p_n = 0"),
    ("PAYOUT_UNFUNDED", "c_n = 0 and p_n > 0 and (s = 0 or s_ok or rev = 1)"),
    ("DUP_CLEAR", "s_ok and c_n > 1"),
    ("DUP_PAYOUT", "s_ok and p_n > 1"),
    ("TERM_MISSING", "s_ok and t = 0"),
    ("AMT_TERM", "s_ok and t = 1 and t_amt <> s_amt"),
    ("AMT_CLEAR", "s_ok and c_n > 0 and c_amt <> s_amt"),
    ("PAN_MISMATCH", "s_ok and t = 1 and t_pan <> s_pan"),
    ("MERCHANT_SWAPPED", "s_ok and c_n > 0 and (c_mid <> s_mid or c_mid <> coalesce(t_mid, c_mid))"),
    ("MCC", "s_ok and c_n > 0 and m_mcc <> c_mcc"),
    ("PAYOUT_MISSING", "s_ok and c_n > 0 and p_n = 0"),
    ("PAYOUT_DIVERTED", "s_ok and p_n > 0 and account <> m_acct"),
    ("FEE_WRONG", "s_ok and p_n > 0 and abs(abs(fee) - (abs(gross) * bp + 5000) / 10000) > 1"),
    ("PAYOUT_SHORT", "s_ok and p_n > 0 and abs(net) < abs(gross) - abs(fee) - 1"),
    ("PAYOUT_LONG", "s_ok and p_n > 0 and abs(net) > abs(gross) - abs(fee) + 1"),
    ("NETFEE_WRONG", "s_ok and c_n > 0 and abs(nf - (c_amt * 3500 + 500000) / 1000000) > 1"),
    ("LATE_CLEAR", "s_ok and c_n > 0 and c_date > '20260312'"),
    ("LATE_PAYOUT", "s_ok and p_n > 0 and p_date > '20260313'"),
    ("TIME_DRIFT", "s_ok and t = 1 and abs(cast(substr(t_tm, 11, 2) as int) - 10) > 5"),
];

/// Shares need their own words: they hold beside the others.
const SHARES: [(&str, &str); 2] = [
    ("SHARE_ON_BROKEN", "a = 1 and ((s = 1 and not s_ok) or (s = 0 and t = 0 and c_n = 0 and p_n = 0))"),
    ("SHARE_WRONG", "a = 1 and s_ok and abs(share - (((s_amt * bp + 5000) / 10000) * share_bp + 5000) / 10000) > 1"),
];

const UNITS: &str = "
create view tj as select term_id term, batch_no * 1000000 + trace_no bt, rrn, cast(amount as int) amount, resp_code rc, pan, txn_time tm, merchant_id mid from terminal;
create view sj as select term_id term, batch_no * 1000000 + trace_no bt, rrn, cast(amount as int) amount, resp_code rc, cast(reversed as int) rev, pan, merchant_id mid from switch;
create table ts as
 select coalesce(sj.term, tj.term) term, coalesce(sj.rrn, tj.rrn) rrn, coalesce(sj.mid, tj.mid) mid, tj.term is not null t, sj.term is not null s,
  tj.amount t_amt, tj.rc t_rc, tj.pan t_pan, tj.tm t_tm, tj.mid t_mid, sj.amount s_amt, sj.rc s_rc, sj.rev rev, sj.pan s_pan, sj.mid s_mid
 from tj full join sj on tj.term = sj.term and tj.bt = sj.bt;
create table cj as select term_id term, rrn, count(*) n, min(cast(amount as int)) amount, max(settle_date) day, min(merchant_id) mid, min(mcc) mcc, min(cast(network_fee as int)) nf from clearing group by 1, 2;
create table pj as select term_id term, rrn, count(*) n, min(cast(gross as int)) gross, min(cast(fee as int)) fee, min(cast(net as int)) net, min(account) account, min(pay_date) day, min(merchant_id) mid from payout group by 1, 2;
create table aj as select term_id term, rrn, sum(cast(share as int)) share from share group by 1, 2;
create table names as select term, rrn from ts where rrn <> '' union select term, rrn from cj union select term, rrn from pj union select term, rrn from aj;
create table u as
 select n.term, n.rrn, coalesce(ts.t, 0) t, coalesce(ts.s, 0) s, ts.*, coalesce(cj.n, 0) c_n, cj.amount c_amt, cj.day c_date, cj.mid c_mid, cj.mcc c_mcc, cj.nf,
  coalesce(pj.n, 0) p_n, pj.gross, pj.fee, pj.net, pj.account, pj.day p_date, aj.term is not null a, aj.share,
  m.account m_acct, cast(m.mdr_bps as int) bp, m.mcc m_mcc, cast(m.share_bps as int) share_bp,
  coalesce(ts.s_rc = '00' and ts.rev = 0, 0) s_ok
 from names n left join ts on ts.term = n.term and ts.rrn = n.rrn left join cj on cj.term = n.term and cj.rrn = n.rrn
  left join pj on pj.term = n.term and pj.rrn = n.rrn left join aj on aj.term = n.term and aj.rrn = n.rrn
  left join merchant m on m.merchant_id = coalesce(ts.mid, cj.mid, pj.mid)";

/// Terminal, reference and set of classes of each payment with a break.
fn by_sql(day: &Day) -> Vec<(String, String, u64)> {
    let connection = Connection::open_in_memory().unwrap();
    load(&connection, "terminal", TERMINAL, &day.terminal);
    load(&connection, "switch", SWITCH, &day.switch);
    load(&connection, "clearing", CLEARING, &day.clearing);
    load(&connection, "payout", PAYOUT, &day.payout);
    load(&connection, "merchant", MERCHANT, &day.merchant);
    load(&connection, "share", SHARE, &day.share);
    connection.execute_batch(UNITS).unwrap();
    let mut found = std::collections::BTreeMap::<(String, String), u64>::new();
    for (code, condition) in CONDITIONS.iter().chain(&SHARES) {
        let class = Class::ALL.iter().find(|class| class.code() == *code).unwrap();
        let mut query = connection.prepare(&format!("select term, rrn from u where {condition}")).unwrap();
        let rows = query.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
        for row in rows {
            *found.entry(row.unwrap()).or_default() |= class.bit();
        }
    }
    found.into_iter().map(|((term, rrn), set)| (term, rrn, set)).collect()
}

fn by_engine(day: &Day) -> Vec<(String, String, u64)> {
    let files = [
        (Source::Terminal, "t", file(TERMINAL, &day.terminal)),
        (Source::Switch, "s", file(SWITCH, &day.switch)),
        (Source::Clearing, "c", file(CLEARING, &day.clearing)),
        (Source::Payout, "p", file(PAYOUT, &day.payout)),
        (Source::Batch, "b", file(BATCH, &day.batch)),
        (Source::Merchant, "m", file(MERCHANT, &day.merchant)),
        (Source::Share, "a", file(SHARE, &day.share)),
    ];
    let files: Vec<(Source, &str, &[u8])> =
        files.iter().map(|(source, name, bytes)| (*source, *name, bytes.as_slice())).collect();
    let (layout, classes) = (layout(), classes());
    let how = How { layout: &layout, classes: &classes, ..How::default() };
    let (lines, summary) = reconcile(&files, &how).unwrap();
    assert_eq!(summary.files.iter().map(|file| file.rejected).sum::<u64>(), 0);
    let mut found: Vec<(String, String, u64)> = lines
        .payments
        .iter()
        .map(|line| {
            let fields: Vec<&str> = line.split(',').collect();
            // Amounts are printed with commas: the set stands third from the end.
            let set = u64::from_str_radix(fields[fields.len() - 3], 16).unwrap();
            (fields[1].to_owned(), fields[2].to_owned(), set)
        })
        .collect();
    found.sort();
    found
}

fn names(set: u64) -> Vec<&'static str> {
    Class::ALL.iter().filter(|class| set & class.bit() != 0).map(|class| class.code()).collect()
}

#[test]
fn random_days_against_sql() {
    let mut seen = 0;
    for seed in 1..=60 {
        let day = random::day(seed, 1_000);
        let (expected, found) = (by_sql(&day), by_engine(&day));
        for pair in expected.iter().zip(&found) {
            assert_eq!(
                (&pair.0.0, &pair.0.1, names(pair.0.2)),
                (&pair.1.0, &pair.1.1, names(pair.1.2)),
                "seed {seed}, first difference (SQL, then the engine)"
            );
        }
        assert_eq!(expected.len(), found.len(), "seed {seed}");
        seen = expected.iter().fold(seen, |seen, (_, _, set)| seen | set);
    }
    let missing: Vec<&str> =
        CONDITIONS.iter().chain(&SHARES).map(|(code, _)| *code).filter(|code| !names(seen).contains(code)).collect();
    assert_eq!(missing, [""; 0], "classes that no day had");
}
