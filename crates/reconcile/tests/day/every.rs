//! A random day that has what [`super::random`] leaves out: rows that stand twice, keys used again, reversals of their
//! own, bank statements, accounts that change, share sheets, and now and then a trailer that is wrong.

#![allow(dead_code, reason = "each test uses its part")]

use super::random::{self, Day, Dice};

pub(crate) const MERCHANT: &str = "merchant_id,agent_id,account,mdr_bps,mcc,share_bps,valid_from,valid_to,changed_on";
pub(crate) const BANK: &str = "reference,account,value_date,amount,status,direction";

/// A day with everything.
pub(crate) struct Every {
    pub(crate) day: Day,
    pub(crate) bank: Vec<String>,
    /// Rows and amount that the trailer of clearing says, when the file has one.
    pub(crate) trailer: Option<(u64, i64)>,
}

/// A day of about `count` payments.
pub(crate) fn day(seed: u64, count: u64) -> Every {
    let mut day = random::day(seed, count);
    let mut dice = Dice::new(seed ^ 0x00E7_E7E7);
    day.merchant = day.merchant.iter().flat_map(|row| versions(row)).collect();
    let used_again = use_keys_again(&mut dice, &mut day, count);
    miss_traces(&mut dice, &mut day.terminal, &used_again);
    take_back(&mut dice, &mut day, &used_again);
    stand_twice(&mut dice, &mut day.terminal, 40);
    stand_twice(&mut dice, &mut day.switch, 60);
    let bank = batches(&mut dice, &mut day);
    for rows in [&mut day.terminal, &mut day.switch, &mut day.payout] {
        dice.shuffle(rows);
    }
    let trailer = dice.one_in(3).then(|| {
        let sum: i64 = day.clearing.iter().map(|row| number(row, 8)).sum();
        let (rows, wrong) = (day.clearing.len() as u64, dice.below(8));
        (rows + u64::from(wrong == 0), sum + i64::from(wrong == 1))
    });
    Every { day, bank, trailer }
}

pub(crate) fn fields(row: &str) -> Vec<&str> {
    row.split(',').collect()
}

fn number(row: &str, at: usize) -> i64 {
    fields(row)[at].parse().unwrap()
}

fn with(row: &str, at: usize, text: &str) -> String {
    let mut fields = fields(row);
    fields[at] = text;
    fields.join(",")
}

/// Merchant 3 changed its account on the day before payout, merchant 4 long ago.
fn versions(row: &str) -> Vec<String> {
    match &row[..15] {
        "898000000000003" => {
            vec![format!("{row},,20260312,"), format!("{},20260313,,20260311", with(row, 2, "62170008"))]
        }
        "898000000000004" => vec![format!("{row},,,20260201")],
        _ => vec![format!("{row},,,")],
    }
}

/// Some traces are used by two payments of one terminal and batch; those traces.
fn use_keys_again(dice: &mut Dice, day: &mut Day, count: u64) -> Vec<String> {
    let mut used = Vec::new();
    // Payments 21 apart share terminal and batch.
    for number in (0..count.saturating_sub(21)).filter(|number| number % 42 < 21) {
        if !dice.one_in(40) {
            continue;
        }
        let (own, other) = (format!("{number:06}"), format!("{:06}", number + 21));
        for (rows, at) in [(&mut day.terminal, 3), (&mut day.switch, 4)] {
            for row in rows.iter_mut().filter(|row| fields(row)[at] == own) {
                *row = with(row, at, &other);
            }
        }
        used.push(other);
    }
    used
}

/// Some journals have another trace than the switch; their reference leads to it.
fn miss_traces(dice: &mut Dice, terminal: &mut [String], used_again: &[String]) {
    for row in terminal {
        let (trace, rrn) = (fields(row)[3].to_owned(), fields(row)[9].to_owned());
        if !rrn.is_empty() && !used_again.contains(&trace) && dice.one_in(40) {
            *row = with(row, 3, &format!("{:06}", 500_000 + trace.parse::<u64>().unwrap()));
        }
    }
}

/// Some rows are taken back by a reversal or void that is a row of its own.
fn take_back(dice: &mut Dice, day: &mut Day, used_again: &[String]) {
    for (rows, trace, kind) in [(&mut day.terminal, 3, 5), (&mut day.switch, 4, 6)] {
        let mut backs = Vec::new();
        for row in rows.iter() {
            if !used_again.iter().any(|used| used == fields(row)[trace]) && dice.one_in(40) {
                backs.push(with(row, kind, if dice.one_in(2) { "04" } else { "02" }));
            }
        }
        rows.extend(backs);
    }
}

/// Some lines stand twice.
fn stand_twice(dice: &mut Dice, rows: &mut Vec<String>, one_in: u64) {
    let mut copies: Vec<String> = rows.iter().filter(|_| dice.one_in(one_in)).cloned().collect();
    // A reversal that stands twice reverses once.
    copies.retain(|row| !row.contains(",04,6") && !row.contains(",02,6"));
    rows.extend(copies);
}

/// Spreads payouts over more batches, and answers with a bank statement that is not quite right.
fn batches(dice: &mut Dice, day: &mut Day) -> Vec<String> {
    let mut sums = std::collections::BTreeMap::<u64, i64>::new();
    for row in &mut day.payout {
        let merchant: u64 = row[2..12].parse().unwrap();
        // Rows of one payment stay together: their terminal and reference choose.
        let batch = merchant * 10 + fields(row)[5].bytes().map(u64::from).sum::<u64>() % 6;
        *sums.entry(batch).or_default() += number(row, 9);
        *row = with(row, 0, &format!("PB{batch:010}"));
    }
    sums.extend((90..90 + dice.below(4)).map(|batch| (batch, 0)));
    let (mut bank, mut rows) = (Vec::new(), Vec::new());
    for (batch, net) in sums {
        let total = net + [0, 0, 0, 0, 0, -3, 40][usize::try_from(dice.below(7)).unwrap()];
        let (name, account) = (format!("PB{batch:010}"), format!("6217{batch:06}"));
        if !dice.one_in(15) {
            rows.push(format!("{name},20260313,898000000000001,{account},{total},1"));
        }
        if total <= 0 {
            continue;
        }
        bank.extend(match dice.below(12) {
            0 => None,
            1 => Some(format!("{name},{account},20260313,{},ok,out", total + 7)),
            2 | 3 => Some(format!(",{account},20260313,{total},ok,out")),
            4 => Some(format!("X{batch},{account},20260313,{total},ok,out")),
            _ => Some(format!("{name},{account},20260313,{total},ok,out")),
        });
        bank.extend(match dice.below(12) {
            0 => Some(format!("{name},,20260316,{total},returned,in")),
            1 => Some(format!(",{account},20260316,{total},returned,in")),
            2 => Some(format!("{name},,20260316,{},returned,in", total / 2)),
            _ => None,
        });
    }
    bank.push("SALARY,62999,20260313,12345,ok,out".to_owned());
    bank.push("NETWORK,62999,20260313,99999999,ok,in".to_owned());
    bank.push(format!("NOBODY,,20260316,{},returned,in", 5 + dice.below(9)));
    dice.shuffle(&mut bank);
    dice.shuffle(&mut rows);
    day.batch = rows;
    bank
}
