//! Random days with every class against a slow and separate judge: SQL in SQLite.
#![allow(clippy::unwrap_used, reason = "a test may")]

mod day;
#[path = "day/every.rs"]
mod every;
#[path = "day/random.rs"]
mod random;

use day::{CLASSES, How, LAYOUT, Lines, reconcile};
use every::{BANK, Every, MERCHANT};
use onus_reconcile::files::{Class, Classes, Source, Summary};
use random::{BATCH, CLEARING, PAYOUT, SHARE, SWITCH, TERMINAL, file};
use rusqlite::Connection;

/// With a tariff.
fn classes() -> String {
    CLASSES.replace("# network_fee_ppm = 350 ", "network_fee_ppm = 3500 ")
}

/// With a trailer below clearing.
fn layout(trailer: bool) -> String {
    let control = "[clearing]\ncontrol = [{ starts = \"#\", count = 2, sum = 3 }]\n";
    if trailer { LAYOUT.replace("[clearing]\n", control) } else { LAYOUT.to_owned() }
}

fn load(connection: &Connection, name: &str, header: &str, rows: &[String]) {
    connection.execute(&format!("create table {name} ({header})"), []).unwrap();
    let marks = vec!["?"; header.split(',').count()].join(",");
    let mut insert = connection.prepare(&format!("insert into {name} values ({marks})")).unwrap();
    for row in rows {
        insert.execute(rusqlite::params_from_iter(row.split(','))).unwrap();
    }
}

/// Every class of a payment, written once more from the words of the pack, and what it costs. `s_ok`: the switch
/// approved and nothing reversed.
const CONDITIONS: [(&str, &str, &str); 29] = [
    ("REVERSAL_LOST", "s and s_rev and c_n > 0", "c_total"),
    ("REVERSAL_UNDUE", "s and s_rev and c_n = 0 and t_rc = '00' and not t_rev", "t_amt"),
    ("DECLINED_CLEARED", "s and not s_rev and s_rc <> '00' and c_n + p_n > 0", "coalesce(c_total, p_total)"),
    ("SWITCH_MISSING", "not s and t and c_n > 0", "c_total"),
    ("TERM_ONLY", "not s and t_rc = '00' and not t_rev and c_n = 0", "t_amt"),
    ("NETWORK_ONLY", "not s and not t and c_n > 0", "c_total"),
    ("SWITCH_ONLY", "s_ok and c_n = 0 and p_n = 0", "s_amt"),
    ("PAYOUT_UNFUNDED", "c_n = 0 and p_n > 0 and (not s or s_ok or s_rev)", "p_total"),
    ("DUP_CLEAR", "s_ok and c_n > 1", "c_total - c_amt"),
    ("DUP_PAYOUT", "s_ok and p_n > 1", "p_total - net"),
    ("DUP_TERM", "crowd", "0"),
    ("TERM_MISSING", "s_ok and not t", "coalesce(c_total, p_total, 0)"),
    ("AMT_TERM", "s_ok and t and t_amt <> s_amt", "t_amt - s_amt"),
    ("AMT_CLEAR", "s_ok and c_n > 0 and c_amt <> s_amt", "c_amt - s_amt"),
    ("PAN_MISMATCH", "s_ok and t and t_pan <> s_pan", "s_amt"),
    ("MERCHANT_SWAPPED", "s_ok and c_n > 0 and (c_mid <> s_mid or c_mid <> coalesce(t_mid, c_mid))", "c_total"),
    ("MCC", "s_ok and c_n > 0 and m_mcc <> c_mcc", "0"),
    ("PAYOUT_RETURNED", "s_ok and p_n > 0 and pb in (select batch from whole)", "p_total"),
    ("PAYOUT_MISSING", "s_ok and c_n > 0 and p_n = 0", "c_amt - (c_amt * bp + 5000) / 10000"),
    ("PAYOUT_DIVERTED", "s_ok and p_n > 0 and account <> m_acct", "p_total"),
    (
        "FEE_WRONG",
        "s_ok and p_n > 0 and abs(abs(fee) - (abs(gross) * bp + 5000) / 10000) > 1",
        "abs(fee) - (abs(gross) * bp + 5000) / 10000",
    ),
    ("PAYOUT_SHORT", "s_ok and p_n > 0 and abs(net) < abs(gross) - abs(fee) - 1", "net - (gross - fee)"),
    ("PAYOUT_LONG", "s_ok and p_n > 0 and abs(net) > abs(gross) - abs(fee) + 1", "net - (gross - fee)"),
    (
        "NETFEE_WRONG",
        "s_ok and c_n > 0 and abs(nf - (c_amt * 3500 + 500000) / 1000000) > 1",
        "nf - (c_amt * 3500 + 500000) / 1000000",
    ),
    ("LATE_CLEAR", "s_ok and c_n > 0 and c_date > '20260312'", "0"),
    ("LATE_PAYOUT", "s_ok and p_n > 0 and p_date > '20260313'", "0"),
    ("TIME_DRIFT", "s_ok and t and abs(cast(substr(t_tm, 11, 2) as int) - 10) > 5", "0"),
    ("SHARE_ON_BROKEN", "a and ((s and not s_ok) or (not s and not t and c_n = 0 and p_n = 0))", "share"),
    (
        "SHARE_WRONG",
        "a and s_ok and abs(share - (((s_amt * bp + 5000) / 10000) * share_bp + 5000) / 10000) > 1",
        "share - (((s_amt * bp + 5000) / 10000) * share_bp + 5000) / 10000",
    ),
];

/// Rows to payments, by other means than the engine's: pairs by key and reference, then by key in order, then by
/// reference; whatever is left has no partner.
const UNITS: &str = "
create table tj as select rowid id, term_id term, batch_no * 1000000 + trace_no bt, rrn, cast(amount as int) amount, resp_code rc, pan, txn_time tm, merchant_id mid,
  row_number() over (partition by term_id, batch_no, trace_no, rrn, amount, resp_code, pan, txn_time, txn_type order by rowid) nth,
  exists (select 1 from terminal b where b.txn_type in ('02', '04') and b.term_id = o.term_id and b.batch_no = o.batch_no and b.trace_no = o.trace_no) rev
 from terminal o where txn_type in ('01', '03');
create table sj as select rowid id, term_id term, batch_no * 1000000 + trace_no bt, rrn, cast(amount as int) amount, resp_code rc, pan, merchant_id mid,
  row_number() over (partition by term_id, batch_no, trace_no, rrn, amount, resp_code, pan, txn_time, txn_type order by rowid) nth,
  reversed = '1' or exists (select 1 from switch b where b.txn_type in ('02', '04') and b.term_id = o.term_id and b.batch_no = o.batch_no and b.trace_no = o.trace_no) rev
 from switch o where txn_type in ('01', '03');
create index tk on tj (term, bt); create index sk on sj (term, bt);
create table crowds as select term, bt from tj group by 1, 2 having count(*) > 1 union select term, bt from sj group by 1, 2 having count(*) > 1;
create table pair as select tj.id t, sj.id s from tj join sj on tj.term = sj.term and tj.bt = sj.bt and tj.rrn = sj.rrn where tj.nth = 1 and sj.nth = 1;
insert into pair
 with tl as (select id, term, bt, row_number() over (partition by term, bt order by id) n from tj where nth = 1 and id not in (select t from pair)),
      sl as (select id, term, bt, row_number() over (partition by term, bt order by id) n from sj where nth = 1 and id not in (select s from pair))
 select tl.id, sl.id from tl join sl on tl.term = sl.term and tl.bt = sl.bt and tl.n = sl.n;
insert into pair select tj.id, sj.id from tj join sj on tj.term = sj.term and tj.rrn = sj.rrn
 where tj.rrn <> '' and tj.nth = 1 and sj.nth = 1 and tj.id not in (select t from pair) and sj.id not in (select s from pair);
create table ts as select t, s, 0 copy from pair
 union all select id, null, nth > 1 from tj where nth > 1 or id not in (select t from pair)
 union all select null, id, nth > 1 from sj where nth > 1 or id not in (select s from pair);
create table cj as select term_id term, rrn, count(*) n, min(cast(amount as int)) amount, sum(cast(amount as int)) total, max(settle_date) day, min(merchant_id) mid, min(mcc) mcc, min(cast(network_fee as int)) nf from clearing group by 1, 2;
create table pj as select term_id term, rrn, count(*) n, min(cast(gross as int)) gross, min(cast(fee as int)) fee, min(cast(net as int)) net, sum(cast(net as int)) total, min(account) account, min(pay_date) day, min(merchant_id) mid, min(payout_batch) pb from payout group by 1, 2;
create table aj as select term_id term, rrn, sum(cast(share as int)) share from share group by 1, 2;
create table bt as select payout_batch batch, account, pay_date day, cast(total_net as int) total, rowid id from batch;
create table sums as select payout_batch batch, sum(cast(net as int)) net from payout group by 1;
create table bk as select rowid id, reference, account, value_date day, cast(amount as int) amount, status from bank where direction = 'out' or status = 'returned';
create table known as select batch, total from bt union all select batch, net from sums where batch not in (select batch from bt);
create table back as select bk.*, coalesce((select batch from known where batch = bk.reference),
  (select min(batch) from bt where bk.account <> '' and bt.account = bk.account and bt.total = bk.amount having count(*) = 1)) batch from bk where status = 'returned';
create table whole as select batch from back where batch is not null group by batch having sum(amount) = (select total from known where known.batch = back.batch);
create table v as
 select tj.id t_id, sj.id s_id, coalesce(sj.term, tj.term) term, coalesce(sj.rrn, tj.rrn) rrn, coalesce(sj.mid, tj.mid) mid, tj.id is not null t, sj.id is not null s,
  tj.amount t_amt, tj.rc t_rc, tj.pan t_pan, tj.tm t_tm, tj.mid t_mid, coalesce(tj.rev, 0) t_rev, sj.amount s_amt, sj.rc s_rc, coalesce(sj.rev, 0) s_rev, sj.pan s_pan, sj.mid s_mid, copy,
  exists (select 1 from crowds where (crowds.term = tj.term and crowds.bt = tj.bt) or (crowds.term = sj.term and crowds.bt = sj.bt)) crowd
 from ts left join tj on tj.id = ts.t left join sj on sj.id = ts.s;
create table named as select rowid unit, term, rrn from v where not copy and rrn <> '';
insert into v (term, rrn, t, s, t_rev, s_rev, copy, crowd)
 select term, rrn, 0, 0, 0, 0, 0, 0 from (select term, rrn from cj union select term, rrn from pj union select term, rrn from aj) where (term, rrn) not in (select term, rrn from named);
create table u as
 select v.*, coalesce(cj.n, 0) c_n, cj.amount c_amt, cj.total c_total, cj.day c_date, cj.mid c_mid, cj.mcc c_mcc, cj.nf,
  coalesce(pj.n, 0) p_n, pj.gross, pj.fee, pj.net, pj.total p_total, pj.account, pj.day p_date, pj.pb, aj.term is not null a, aj.share,
  m.account m_acct, cast(m.mdr_bps as int) bp, m.mcc m_mcc, cast(m.share_bps as int) share_bp, m.changed_on, m.merchant_id mid_known,
  coalesce(s_rc = '00' and not s_rev, 0) s_ok
 from v left join cj on not copy and cj.term = v.term and cj.rrn = v.rrn left join pj on not copy and pj.term = v.term and pj.rrn = v.rrn
  left join aj on not copy and aj.term = v.term and aj.rrn = v.rrn
  left join merchant m on m.rowid = (select rowid from merchant where merchant_id = coalesce(v.mid, cj.mid, pj.mid)
   and (coalesce(pj.day, cj.day) is null or (valid_from <= coalesce(pj.day, cj.day) and (valid_to = '' or coalesce(pj.day, cj.day) <= valid_to)))
   order by valid_from desc limit 1);
create table diverted as select distinct account, mid_known mid from u where not copy and s_ok and p_n > 0 and account <> m_acct;
create table takers as select account, mid from diverted union select account, merchant_id from merchant where account in (select account from diverted);
";

/// Batches against lines and bank.
const BATCHES: &str = "
with once as (select batch, sum(total) total from bt group by 1),
 by_ref as (select bt.id b, min(bk.id) k from bt join bk on bk.reference = bt.batch and bk.amount = bt.total where bk.status = 'ok' and bt.total > 0 group by 1),
 bo as (select *, row_number() over (partition by account, day, total order by id) n from bt where total > 0 and id not in (select b from by_ref)),
 ko as (select *, row_number() over (partition by account, day, amount order by id) n from bk where status = 'ok' and id not in (select k from by_ref)),
 by_account as (select bo.id b, ko.id k from bo join ko on bo.account = ko.account and bo.day = ko.day and bo.total = ko.amount and bo.n = ko.n)
select 'BATCH_SUM', coalesce(once.batch, sums.batch), coalesce(total, 0), coalesce(net, 0) from once full join sums on once.batch = sums.batch where coalesce(total, 0) <> coalesce(net, 0)
union all select 'BANK_MISSING', batch, total, 0 from bo where id not in (select b from by_account)
union all select 'BANK_EXTRA', reference, amount, 0 from ko where id not in (select k from by_account)
union all select 'PAYOUT_RETURNED', coalesce(batch, reference), amount, 0 from back
 where batch is null or batch not in (select batch from whole) or batch not in (select batch from sums)
order by 1, 2, 3, 4";

/// A payment with a break: terminal, reference, set of classes, effect, flags.
type Found = (String, String, u64, i64, String);

fn by_sql(every: &Every) -> (Vec<Found>, Vec<String>) {
    let day = &every.day;
    let connection = Connection::open_in_memory().unwrap();
    load(&connection, "terminal", TERMINAL, &day.terminal);
    load(&connection, "switch", SWITCH, &day.switch);
    load(&connection, "clearing", CLEARING, &day.clearing);
    load(&connection, "payout", PAYOUT, &day.payout);
    load(&connection, "merchant", MERCHANT, &day.merchant);
    load(&connection, "share", SHARE, &day.share);
    load(&connection, "batch", BATCH, &day.batch);
    load(&connection, "bank", BANK, &every.bank);
    connection.execute_batch(UNITS).unwrap();
    let pack = Classes::from_toml(CLASSES).unwrap();
    let mut sets = std::collections::BTreeMap::<i64, u64>::new();
    let mut effects = std::collections::BTreeMap::<(i64, Class), i64>::new();
    for (code, condition, effect) in CONDITIONS {
        let class = *Class::ALL.iter().find(|class| class.code() == code).unwrap();
        let copies = if code == "DUP_TERM" { "" } else { "and not copy" };
        let mut query =
            connection.prepare(&format!("select rowid, {effect} from u where ({condition}) {copies}")).unwrap();
        let rows = query.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
        for (unit, effect) in rows.map(Result::unwrap) {
            *sets.entry(unit).or_default() |= class.bit();
            effects.insert((unit, class), effect);
        }
    }
    let mut name = connection
        .prepare(
            "select term, rrn, julianday(substr(p_date, 1, 4) || '-' || substr(p_date, 5, 2) || '-' || substr(p_date, 7))
              - julianday(substr(changed_on, 1, 4) || '-' || substr(changed_on, 5, 2) || '-' || substr(changed_on, 7)),
              (select count(distinct mid) from takers where takers.account = u.account) from u where rowid = ?",
        )
        .unwrap();
    let found = sets.into_iter().map(|(unit, set)| {
        let (term, rrn, age, takers): (String, String, Option<f64>, i64) =
            name.query_row([unit], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))).unwrap();
        let diverted = set & Class::PayoutDiverted.bit() != 0;
        let changed = age.is_some_and(|age| (0.0..7.0).contains(&age));
        let flags = [("ACCOUNT_CHANGED", changed), ("ACCOUNT_SHARED", takers >= 2)];
        let flags = flags.iter().filter(|(_, holds)| diverted && *holds).map(|(flag, _)| *flag).collect::<Vec<_>>();
        let effect = effects[&(unit, pack.primary(set).unwrap())];
        (term, rrn, set, effect, flags.join(" "))
    });
    let mut found: Vec<Found> = found.collect();
    found.sort();
    let mut query = connection.prepare(BATCHES).unwrap();
    let rows = query.query_map([], |row| {
        let (class, batch): (String, String) = (row.get(0)?, row.get(1)?);
        let (total, lines): (i64, i64) = (row.get(2)?, row.get(3)?);
        Ok(format!("{class},{batch},{total},{lines}"))
    });
    let mut batches: Vec<String> = rows.unwrap().map(Result::unwrap).collect();
    batches.sort();
    (found, batches)
}

fn run(every: &Every, threads: usize) -> (Lines, Summary) {
    let day = &every.day;
    let mut clearing = file(CLEARING, &day.clearing);
    if let Some((rows, sum)) = every.trailer {
        clearing.extend_from_slice(format!("#,{rows},{sum}\n").as_bytes());
    }
    let files = [
        (Source::Terminal, "t", file(TERMINAL, &day.terminal)),
        (Source::Switch, "s", file(SWITCH, &day.switch)),
        (Source::Clearing, "c", clearing),
        (Source::Payout, "p", file(PAYOUT, &day.payout)),
        (Source::Batch, "b", file(BATCH, &day.batch)),
        (Source::Bank, "k", file(BANK, &every.bank)),
        (Source::Merchant, "m", file(MERCHANT, &day.merchant)),
        (Source::Share, "a", file(SHARE, &day.share)),
    ];
    let files: Vec<(Source, &str, &[u8])> =
        files.iter().map(|(source, name, bytes)| (*source, *name, bytes.as_slice())).collect();
    let (layout, classes) = (layout(every.trailer.is_some()), classes());
    let how = How { layout: &layout, classes: &classes, threads, ..How::default() };
    let (lines, summary) = reconcile(&files, &how).unwrap();
    assert_eq!(summary.files.iter().map(|file| file.rejected).sum::<u64>(), 0);
    (lines, summary)
}

fn found(lines: &Lines) -> (Vec<Found>, Vec<String>) {
    let payments = lines.payments.iter().zip(&lines.flags).map(|(line, flags)| {
        let fields: Vec<&str> = line.split(',').collect();
        // Amounts are printed with commas: set and effect stand third and second from the end.
        let set = u64::from_str_radix(fields[fields.len() - 3], 16).unwrap();
        let effect = fields[fields.len() - 2].parse().unwrap();
        (fields[1].to_owned(), fields[2].to_owned(), set, effect, flags.clone())
    });
    let mut payments: Vec<Found> = payments.collect();
    payments.sort();
    let mut batches = lines.batches.clone();
    batches.sort();
    (payments, batches)
}

fn names(set: u64) -> Vec<&'static str> {
    Class::ALL.iter().filter(|class| set & class.bit() != 0).map(|class| class.code()).collect()
}

/// What one day had, after it was found equal.
fn compare(seed: u64) -> (u64, Vec<String>) {
    let every = every::day(seed, 1_000);
    let (lines, summary) = run(&every, 1 + usize::try_from(seed % 2).unwrap());
    let sum: i64 = every.day.clearing.iter().map(|row| every::fields(row)[8].parse::<i64>().unwrap()).sum();
    if every.trailer.is_some_and(|trailer| trailer != (every.day.clearing.len() as u64, sum)) {
        assert!(summary.is_refused() && lines.payments.is_empty() && lines.batches.is_empty(), "seed {seed}");
        assert_eq!(summary.breaks(), summary.totals.class(Class::FileBad).count);
        return (Class::FileBad.bit(), Vec::new());
    }
    let ((expected, expected_batches), (payments, batches)) = (by_sql(&every), found(&lines));
    for (one, other) in expected.iter().zip(&payments) {
        let shown = |found: &Found| (found.0.clone(), found.1.clone(), names(found.2), found.3, found.4.clone());
        assert_eq!(shown(one), shown(other), "seed {seed}, first difference (SQL, then the engine)");
    }
    assert_eq!(expected.len(), payments.len(), "seed {seed}");
    assert_eq!(expected_batches, batches, "seed {seed} (SQL, then the engine)");
    let set = expected.iter().fold(0, |set, found| set | found.2);
    let batch_classes = batches.iter().filter_map(|line| {
        Class::ALL.iter().find(|class| line.split(',').next() == Some(class.code())).map(|class| class.bit())
    });
    (batch_classes.fold(set, |set, bit| set | bit), payments.into_iter().map(|found| found.4).collect())
}

/// `ONUS_ORACLE_DAYS` asks for more days.
#[test]
fn random_days_against_sql() {
    let days = std::env::var("ONUS_ORACLE_DAYS").ok().and_then(|days| days.parse().ok()).unwrap_or(40);
    let mut seen = 0;
    let mut flags = std::collections::BTreeSet::new();
    for seed in 1..=days {
        let (set, more) = compare(seed);
        seen |= set;
        flags.extend(more);
    }
    let missing: Vec<&str> =
        Class::ALL.iter().filter(|class| seen & class.bit() == 0).map(|class| class.code()).collect();
    assert_eq!(missing, [""; 0], "classes that no day had");
    assert!(flags.contains("ACCOUNT_CHANGED ACCOUNT_SHARED") && flags.contains("ACCOUNT_SHARED"), "{flags:?}");
}
