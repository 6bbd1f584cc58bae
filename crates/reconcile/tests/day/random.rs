//! A random day: few terminals, close numbers, every kind of mistake, so that rows meet in every way.
#![allow(dead_code, reason = "each test uses its part")]

/// A small generator of numbers; the same seed gives the same day.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % limit
    }

    pub(crate) fn one_in(&mut self, count: u64) -> bool {
        self.below(count) == 0
    }

    pub(crate) fn shuffle<T>(&mut self, rows: &mut [T]) {
        for at in (1..rows.len()).rev() {
            let other = usize::try_from(self.below(at as u64 + 1)).unwrap();
            rows.swap(at, other);
        }
    }
}

/// Rows of each file, without headers.
#[derive(Default, Clone)]
pub(crate) struct Day {
    pub(crate) terminal: Vec<String>,
    pub(crate) switch: Vec<String>,
    pub(crate) clearing: Vec<String>,
    pub(crate) payout: Vec<String>,
    pub(crate) merchant: Vec<String>,
    pub(crate) batch: Vec<String>,
    pub(crate) share: Vec<String>,
}

pub(crate) const TERMINAL: &str = "term_id,merchant_id,batch_no,trace_no,txn_time,txn_type,pan,amount,resp_code,rrn";
pub(crate) const SWITCH: &str = "rrn,term_id,merchant_id,batch_no,trace_no,txn_time,txn_type,pan,amount,resp_code,reversed,route,settle_date,issuer";
pub(crate) const CLEARING: &str =
    "settle_date,rrn,term_id,merchant_id,sys_trace,txn_time,txn_type,pan,amount,network_fee,mcc";
pub(crate) const PAYOUT: &str = "payout_batch,pay_date,merchant_id,account,term_id,rrn,txn_type,gross,fee,net";
pub(crate) const MERCHANT: &str = "merchant_id,agent_id,account,mdr_bps,mcc,share_bps";
pub(crate) const BATCH: &str = "payout_batch,pay_date,merchant_id,account,total_net,n_items";
pub(crate) const SHARE: &str = "agent_id,term_id,rrn,share";

/// A day of about `count` payments. Keys are unique in each file; doubled lines stand in clearing and payout only.
pub(crate) fn day(seed: u64, count: u64) -> Day {
    let mut dice = Dice::new(seed);
    let mut day = Day::default();
    for merchant in 0..5 {
        let rate = [38, 50, 55, 60, 78][merchant];
        day.merchant
            .push(format!("89800000000000{merchant},AG{merchant},6217000{merchant},{rate},5411,{}", merchant * 500));
    }
    let mut sums = std::collections::BTreeMap::<u64, i64>::new();
    for number in 0..count {
        payment(&mut dice, &mut day, &mut sums, number);
    }
    for (batch, total) in sums {
        let off = if dice.one_in(4) { 3 } else { 0 };
        day.batch.push(format!("PB{batch:010},20260313,898000000000001,62170001,{},1", total - off));
    }
    for rows in [&mut day.terminal, &mut day.switch, &mut day.clearing, &mut day.payout, &mut day.batch, &mut day.share]
    {
        dice.shuffle(rows);
    }
    day
}

fn payment(dice: &mut Dice, day: &mut Day, sums: &mut std::collections::BTreeMap<u64, i64>, number: u64) {
    // The same reference stands on several terminals.
    let (term, rrn) = (10_000_000 + number % 7, format!("{:012}", 607_100_000_000 + number / 7));
    let (batch, trace) = (1 + number % 3, number);
    let merchant = number % 7 % 5;
    let mid = format!("89800000000000{merchant}");
    let amount = i64::try_from(100 + dice.below(90_000)).unwrap();
    let other =
        |dice: &mut Dice, amount: i64| amount + [0, 0, 0, 0, 0, 0, 1, -1][usize::try_from(dice.below(8)).unwrap()];
    let refund = dice.one_in(15);
    let kind = if refund { "03" } else { "01" };
    let second = dice.below(60);
    let (approved, reversed) = (!dice.one_in(6), dice.one_in(8));
    let rc = if approved { "00" } else { ["51", "05", "96"][usize::try_from(dice.below(3)).unwrap()] };
    let pan = format!("622848******{:04}", dice.below(9));
    if !dice.one_in(7) {
        let t_rc = if dice.one_in(9) { "TO" } else { rc };
        let t_rrn = if t_rc == "TO" { "" } else { &rrn };
        let t_amount = other(dice, amount);
        let minute = if dice.one_in(9) { 30 } else { 10 };
        let t_pan = if dice.one_in(12) { "622848******9999" } else { &pan };
        day.terminal.push(format!(
            "{term},{mid},{batch:06},{trace:06},2026031210{minute}{second:02},{kind},{t_pan},{t_amount},{t_rc},{t_rrn}"
        ));
    }
    if !dice.one_in(7) {
        let back = u8::from(reversed);
        day.switch.push(format!(
            "{rrn},{term},{mid},{batch:06},{trace:06},202603121010{second:02},{kind},{pan},{amount},{rc},{back},R1,20260312,01"
        ));
    }
    if !dice.one_in(6) {
        let amount = if dice.one_in(20) { amount * 100 } else { other(dice, amount) };
        let settled = if dice.one_in(9) { 13 } else { 12 };
        let mid = if dice.one_in(12) { "898000000000009" } else { &mid };
        let mcc = if dice.one_in(12) { "7995" } else { "5411" };
        let fee = amount * 35 / 10_000 + if dice.one_in(10) { 5 } else { 0 };
        let line =
            format!("202603{settled},{rrn},{term},{mid},000001,20260312101000,{kind},{pan},{amount},{fee},{mcc}");
        for _ in 0..=u8::from(dice.one_in(9)) {
            day.clearing.push(line.clone());
        }
    }
    if !dice.one_in(6) {
        payout(dice, day, sums, &(term, rrn.clone(), merchant, amount, refund));
    }
    if dice.one_in(3) {
        let rate = [38, 50, 55, 60, 78][usize::try_from(merchant).unwrap()];
        let fee = (amount * rate + 5_000) / 10_000;
        let share = (fee * i64::try_from(merchant).unwrap() * 500 + 5_000) / 10_000;
        let share = share + if dice.one_in(5) { 4 } else { 0 };
        day.share.push(format!("AG{merchant},{term},{rrn},{share}"));
    }
}

fn payout(
    dice: &mut Dice,
    day: &mut Day,
    sums: &mut std::collections::BTreeMap<u64, i64>,
    (term, rrn, merchant, amount, refund): &(u64, String, u64, i64, bool),
) {
    let rate = [38, 50, 55, 60, 78][usize::try_from(*merchant).unwrap()];
    let fee = (amount * rate + 5_000) / 10_000 + [0, 0, 0, 0, 1, 2, -2][usize::try_from(dice.below(7)).unwrap()];
    let net = amount - fee + [0, 0, 0, 0, 0, 1, 5, -5][usize::try_from(dice.below(8)).unwrap()];
    let sign = if *refund { -1 } else { 1 };
    let account = if dice.one_in(8) { 9 } else { *merchant };
    let paid_on = if dice.one_in(9) { 16 } else { 13 };
    for _ in 0..=u8::from(dice.one_in(9)) {
        *sums.entry(*merchant).or_default() += sign * net;
        day.payout.push(format!(
            "PB{merchant:010},202603{paid_on},89800000000000{merchant},6217000{account},{term},{rrn},01,{},{},{}",
            sign * amount,
            sign * fee,
            sign * net
        ));
    }
}

/// A file with its header.
pub(crate) fn file(header: &str, rows: &[String]) -> Vec<u8> {
    let mut text = format!("{header}\n");
    for row in rows {
        text.push_str(row);
        text.push('\n');
    }
    text.into_bytes()
}
