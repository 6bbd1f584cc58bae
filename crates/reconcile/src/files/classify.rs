//! Which classes hold for one payment: a pure function of what its records say. Batch runs and single checks share it.

use super::classes::{Class, Classes, Effect};
use super::code::Code;
use super::dates::Day;
use super::workdays::WorkingDays;

/// Which kinds of files are there; classes that would need another are not looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Present {
    /// Terminal journals.
    pub terminal: bool,
    /// Switch log.
    pub switch: bool,
    /// Clearing.
    pub clearing: bool,
    /// Payout lines.
    pub payout: bool,
}

/// What a journal or the switch says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AttemptFacts {
    /// Amount.
    pub amount: i64,
    /// Approved.
    pub approved: bool,
    /// Reversed, by itself or by a row that took it back.
    pub reversed: bool,
    /// First six and last four digits of the card, 0 when unknown.
    pub pan: u64,
    /// Merchant.
    pub merchant: Code,
    /// Seconds since 1970, 0 when unknown.
    pub time: i64,
    /// Settlement day, 0 when unknown.
    pub settled: Day,
}

/// What clearing says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ClearedFacts {
    /// How many lines.
    pub lines: u32,
    /// Amount of the first line.
    pub amount: i64,
    /// Amount of all lines.
    pub total: i64,
    /// Merchant.
    pub merchant: Code,
    /// Category, 0 when unknown.
    pub mcc: u64,
    /// Network fee.
    pub network_fee: i64,
    /// Last settlement day, 0 when unknown.
    pub settled: Day,
}

/// What the payout says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PaidFacts {
    /// How many lines.
    pub lines: u32,
    /// Gross amount of the first line.
    pub gross: i64,
    /// Fee of the first line.
    pub fee: i64,
    /// Net amount of the first line.
    pub net: i64,
    /// Net amount of all lines.
    pub total: i64,
    /// Account paid to.
    pub account: Code,
    /// Day of payment, 0 when unknown.
    pub paid_on: Day,
    /// The bank gave its batch back.
    pub returned: bool,
}

/// What the share sheet says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ShareFacts {
    /// Paid to the agent.
    pub share: i64,
}

/// What the merchant master says for that day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MerchantFacts {
    /// Settlement account.
    pub account: Code,
    /// Rate in basis points; negative when unknown.
    pub fee_bp: i64,
    /// Agent's share of the fee in basis points; negative when unknown.
    pub share_bp: i64,
    /// Category, 0 when unknown.
    pub mcc: u64,
}

/// Everything known about one payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Facts {
    /// Journal.
    pub terminal: Option<AttemptFacts>,
    /// Switch.
    pub switch: Option<AttemptFacts>,
    /// Clearing.
    pub cleared: Option<ClearedFacts>,
    /// Payout.
    pub paid: Option<PaidFacts>,
    /// Share sheet.
    pub shared: Option<ShareFacts>,
    /// Merchant master.
    pub merchant: Option<MerchantFacts>,
    /// The terminal's key stands twice in journal or switch log.
    pub key_twice: bool,
    /// The same line stands before it already, in the same kind of file: this one is about no further payment.
    pub copy: bool,
}

/// Looks for classes.
pub struct Classifier<'a> {
    classes: &'a Classes,
    present: Present,
    days: &'a WorkingDays,
    /// The last settlement day and its due day.
    due: std::cell::Cell<(Day, Day)>,
}

const fn if_bit(holds: bool, class: Class) -> u64 {
    if holds { class.bit() } else { 0 }
}

impl<'a> Classifier<'a> {
    /// Looks by these classes, for these kinds of files.
    #[must_use]
    pub const fn new(classes: &'a Classes, present: Present, days: &'a WorkingDays) -> Self {
        Self { classes, present, days, due: std::cell::Cell::new((Day::MIN, 0)) }
    }

    /// The set of classes that hold (bits of [`Class::bit`]).
    #[must_use]
    #[inline]
    pub fn holding(&self, facts: &Facts) -> u64 {
        if facts.copy {
            return Class::DupTerm.bit();
        }
        let cleared = facts.cleared.is_some();
        let paid = facts.paid.is_some();
        let on_key = if_bit(facts.key_twice, Class::DupTerm);
        let share_broken = facts.shared.is_some() && !facts.switch.is_none_or(|s| s.approved && !s.reversed);
        let set = match (&facts.switch, &facts.terminal) {
            (Some(switch), terminal) if switch.reversed => {
                let undue = terminal.is_some_and(|terminal| terminal.approved && !terminal.reversed);
                if_bit(cleared, Class::ReversalLost)
                    | if_bit(!cleared && paid && self.present.clearing, Class::PayoutUnfunded)
                    | if_bit(undue && !cleared, Class::ReversalUndue)
            }
            (Some(switch), _) if !switch.approved => if_bit(cleared || paid, Class::DeclinedCleared),
            (Some(switch), _) => self.of_success(facts, switch),
            (None, terminal) => self.without_switch(facts, terminal.as_ref()),
        };
        set | on_key | if_bit(share_broken, Class::ShareOnBroken)
    }

    fn without_switch(&self, facts: &Facts, terminal: Option<&AttemptFacts>) -> u64 {
        let cleared = facts.cleared.is_some();
        let paid = facts.paid.is_some();
        let Some(terminal) = terminal else {
            let unfunded = !cleared && paid && self.present.clearing;
            return if_bit(cleared && (self.present.switch || self.present.terminal), Class::NetworkOnly)
                | if_bit(unfunded, Class::PayoutUnfunded)
                | if_bit(!cleared && !paid && facts.shared.is_some(), Class::ShareOnBroken);
        };
        if !self.present.switch {
            // Without a switch log the journal is the first record there is.
            return match (terminal.reversed, terminal.approved) {
                (true, _) => if_bit(cleared, Class::ReversalLost),
                (false, false) => if_bit(cleared || paid, Class::DeclinedCleared),
                (false, true) if !cleared && self.present.clearing => if_bit(true, Class::TermOnly),
                (false, true) => self.of_success(facts, terminal),
            };
        }
        if_bit(cleared, Class::SwitchMissing)
            | if_bit(!cleared && terminal.approved && !terminal.reversed, Class::TermOnly)
            | if_bit(!cleared && paid && self.present.clearing, Class::PayoutUnfunded)
    }

    /// `switch` says that the payment succeeded.
    #[inline]
    fn of_success(&self, facts: &Facts, switch: &AttemptFacts) -> u64 {
        let limits = self.classes.tolerances();
        let mut set = 0;
        if let Some(terminal) = &facts.terminal {
            set |= if_bit(terminal.amount.abs() != switch.amount.abs(), Class::AmountTerm)
                | if_bit(terminal.pan != switch.pan && terminal.pan != 0 && switch.pan != 0, Class::PanMismatch);
            let drift = (terminal.time - switch.time).abs() > limits.clock_seconds;
            set |= if_bit(drift && terminal.time != 0 && switch.time != 0, Class::TimeDrift);
        } else {
            set |= if_bit(self.present.terminal, Class::TermMissing);
        }
        match &facts.cleared {
            Some(cleared) => set |= self.of_clearing(facts, switch, cleared),
            None if !self.present.clearing => {}
            None if facts.paid.is_some() => set |= Class::PayoutUnfunded.bit(),
            None => set |= Class::SwitchOnly.bit(),
        }
        match &facts.paid {
            Some(paid) => set |= self.of_payout(facts, switch, paid),
            None if facts.cleared.is_some() && self.present.payout => set |= Class::PayoutMissing.bit(),
            None => {}
        }
        if let (Some(shared), Some(terms)) = (&facts.shared, &facts.merchant)
            && terms.share_bp >= 0
            && terms.fee_bp >= 0
        {
            let due = part(part(switch.amount.abs(), terms.fee_bp), terms.share_bp);
            set |= if_bit((shared.share.abs() - due).abs() > limits.fee_fen, Class::ShareWrong);
        }
        set
    }

    #[inline]
    fn of_clearing(&self, facts: &Facts, switch: &AttemptFacts, cleared: &ClearedFacts) -> u64 {
        let limits = self.classes.tolerances();
        let other = |one: Code| !one.is_none() && !cleared.merchant.is_none() && one != cleared.merchant;
        let swapped = other(switch.merchant) || facts.terminal.is_some_and(|terminal| other(terminal.merchant));
        let own = facts.merchant.map_or(0, |merchant| merchant.mcc);
        let late = switch.settled != 0 && cleared.settled - switch.settled > limits.clear_days;
        if_bit(cleared.lines > 1, Class::DupClear)
            | if_bit(switch.amount.abs() != cleared.amount.abs(), Class::AmountClear)
            | if_bit(swapped, Class::MerchantSwapped)
            | if_bit(own != 0 && cleared.mcc != 0 && own != cleared.mcc, Class::MccJump)
            | if_bit(late && cleared.settled != 0, Class::LateClear)
            | if_bit(self.tariff_off(cleared), Class::NetworkFeeWrong)
    }

    fn tariff_off(&self, cleared: &ClearedFacts) -> bool {
        let limits = self.classes.tolerances();
        let Some(ppm) = limits.network_fee_ppm else { return false };
        let off = |due: i64| (cleared.network_fee.abs() - due).abs() > limits.fee_fen;
        let due = tariff(cleared.amount.abs(), ppm);
        // Clearing does not say which cards have the cap.
        off(due) && limits.network_fee_cap_fen.is_none_or(|cap| due <= cap || off(cap))
    }

    #[inline]
    fn of_payout(&self, facts: &Facts, switch: &AttemptFacts, paid: &PaidFacts) -> u64 {
        let limits = self.classes.tolerances();
        let due = paid.gross.abs() - paid.fee.abs();
        let mut set = if_bit(paid.lines > 1, Class::DupPayout)
            | if_bit(paid.returned, Class::PayoutReturned)
            | if_bit(paid.net.abs() < due - limits.fee_fen, Class::PayoutShort)
            | if_bit(paid.net.abs() > due + limits.fee_fen, Class::PayoutLong);
        if let Some(merchant) = &facts.merchant {
            let diverted = !merchant.account.is_none() && !paid.account.is_none() && paid.account != merchant.account;
            let fee = part(paid.gross.abs(), merchant.fee_bp.max(0));
            set |= if_bit(diverted, Class::PayoutDiverted)
                | if_bit(merchant.fee_bp >= 0 && (paid.fee.abs() - fee).abs() > limits.fee_fen, Class::FeeWrong);
        }
        let settled = if switch.settled != 0 { switch.settled } else { facts.cleared.map_or(0, |line| line.settled) };
        let late = settled != 0 && paid.paid_on > self.due_after(settled);
        set | if_bit(late, Class::LatePayout)
    }

    /// Day by which what settled on `day` is to be paid.
    #[inline]
    fn due_after(&self, day: Day) -> Day {
        let (known, due) = self.due.get();
        if known == day {
            return due;
        }
        let due = self.days.after(day, self.classes.tolerances().payout_working_days);
        self.due.set((day, due));
        due
    }

    /// What the break costs, in fen; negative when the merchant or acquirer lacks it by the formula's sign.
    #[must_use]
    pub fn effect(&self, class: Class, facts: &Facts) -> i64 {
        let journal = facts.terminal.map_or(0, |row| row.amount);
        let switched = facts.switch.map_or(0, |row| row.amount);
        let cleared = facts.cleared.unwrap_or_default();
        let paid = facts.paid.unwrap_or_default();
        let terms = facts.merchant;
        let share = facts.shared.map_or(0, |row| row.share);
        match self.classes.about(class).effect {
            Effect::Nothing | Effect::SumLessParts => 0,
            Effect::Journal => journal,
            Effect::Switched => switched,
            Effect::Cleared if facts.cleared.is_none() => paid.total,
            Effect::Cleared => cleared.total,
            Effect::ClearedAgain => cleared.total - cleared.amount,
            Effect::Paid => paid.total,
            Effect::PaidAgain => paid.total - paid.net,
            Effect::JournalLessSwitch => journal - switched,
            Effect::ClearedLessSwitch => cleared.amount - switched,
            Effect::Owed => {
                let rate = terms.map_or(0, |terms| terms.fee_bp.max(0));
                cleared.amount - cleared.amount.signum() * part(cleared.amount.abs(), rate)
            }
            Effect::PaidLessDue => paid.net - (paid.gross - paid.fee),
            Effect::FeeLessTerms => {
                paid.fee.abs() - part(paid.gross.abs(), terms.map_or(0, |terms| terms.fee_bp.max(0)))
            }
            Effect::NetworkFeeLessTariff => {
                let ppm = self.classes.tolerances().network_fee_ppm.unwrap_or(0);
                cleared.network_fee.abs() - tariff(cleared.amount.abs(), ppm)
            }
            Effect::ShareLessTerms => terms.map_or(0, |terms| {
                share.abs() - part(part(switched.abs(), terms.fee_bp.max(0)), terms.share_bp.max(0))
            }),
            Effect::Share => share,
        }
    }
}

/// `bp` ten-thousandths of an amount, half up. Amounts have at most 15 digits, rates at most 10,000.
#[inline]
fn part(amount: i64, bp: i64) -> i64 {
    match amount.checked_mul(bp) {
        Some(product) => product.saturating_add(5_000) / 10_000,
        None => i64::try_from((i128::from(amount) * i128::from(bp) + 5_000) / 10_000).unwrap_or(i64::MAX),
    }
}

fn tariff(amount: i64, ppm: i64) -> i64 {
    i64::try_from((i128::from(amount) * i128::from(ppm) + 500_000) / 1_000_000).unwrap_or(i64::MAX)
}
