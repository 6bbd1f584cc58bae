//! Diversions: payments whose money went elsewhere, grouped by what they have in common and ranked by money and by
//! surprise.
//!
//! Surprise is -log10 of the chance that a group with this many payments shows at least this many diverted ones, if it
//! were like all other groups of its kind: 3 is one in a thousand. It is 0 where a group is not above its peers.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use onus_model::BreakClass;

/// The breaks that say that money, or a part of it, went elsewhere or under another name.
pub const CLASSES: [BreakClass; 5] = [
    BreakClass::PayoutDiverted,
    BreakClass::AmountTerm,
    BreakClass::MerchantSwapped,
    BreakClass::MccJump,
    BreakClass::RefundDiverted,
];

/// The most that a surprise can be; beyond it a larger number says nothing more.
pub const SURPRISE_MAX_MILLI: i64 = 300_000;

/// One break of one payment, with what it can be grouped by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DivertedBreak<'v> {
    /// The payment.
    pub payment: &'v str,
    /// What broke.
    pub class: BreakClass,
    /// Group it belongs to.
    pub group: &'v str,
    /// Terminal of the payment.
    pub tid: &'v str,
    /// Merchant of the payment.
    pub merchant: &'v str,
    /// Agent of the merchant, or empty.
    pub agent: &'v str,
    /// Account that the money went to, or empty when the break does not tell.
    pub account: &'v str,
    /// Amount of the payment.
    pub amount_minor: i64,
    /// Difference that the break states.
    pub difference_minor: i64,
    /// Days from the change that brought the account in to the payment; negative when it came after.
    pub account_changed_days: Option<i64>,
}

/// Something that makes a group worth a look whatever its sum.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum DiversionFlag {
    /// Money of several merchants went to one account.
    OneAccountManyMerchants,
    /// The account was brought in within days of the payment.
    AccountJustChanged,
}

impl DiversionFlag {
    /// The text that others read.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OneAccountManyMerchants => "ONE_ACCOUNT_MANY_MERCHANTS",
            Self::AccountJustChanged => "ACCOUNT_JUST_CHANGED",
        }
    }
}

/// How a group compares with all others of its kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PeerComparison {
    /// All payments of the group.
    pub payments: u64,
    /// Share of them that was diverted, in basis points.
    pub share_bp: i64,
    /// Share that was diverted in all other groups, in basis points.
    pub expected_bp: i64,
    /// Thousandths of -log10 of the chance, at most [`SURPRISE_MAX_MILLI`].
    pub surprise_milli: i64,
}

/// Diverted payments that have something in common.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiversionGroup {
    /// What they have in common.
    pub key: String,
    /// Diverted payments.
    pub payments: u64,
    /// Money at stake.
    pub stake_minor: i64,
    /// Diverted payments by class; a payment of two classes counts in both.
    pub classes: BTreeMap<BreakClass, u64>,
    /// Merchants among them.
    pub merchants: u64,
    /// Terminals among them.
    pub terminals: u64,
    /// Agents among them.
    pub agents: u64,
    /// Against all other groups; none where nobody knows how many payments a group has in all.
    pub peers: Option<PeerComparison>,
    /// Sorted.
    pub flags: Vec<DiversionFlag>,
}

impl DiversionGroup {
    /// Thousandths of the surprise, 0 where there is nothing to compare with.
    #[must_use]
    pub fn surprise_milli(&self) -> i64 {
        self.peers.map_or(0, |peers| peers.surprise_milli)
    }
}

/// What groups are ranked by first; the other decides among equals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DiversionOrder {
    /// Money at stake.
    Money,
    /// Surprise.
    Surprise,
}

/// A sum of money does not fit 64 bits.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "the money at stake in group `{group}` exceeds 64 bits of minor units: look for a damaged amount in its breaks"
)]
pub struct StakeTooLarge {
    /// The group.
    pub group: String,
}

/// What one break puts at stake: the payment where all of it went elsewhere, else the part that did.
#[must_use]
pub fn stake_minor(class: BreakClass, amount_minor: i64, difference_minor: i64) -> i64 {
    match class {
        BreakClass::MerchantSwapped => amount_minor.saturating_abs(),
        // The money reaches the merchant's own account; what the wrong category saves in fees is not in the records.
        BreakClass::MccJump => 0,
        _ => difference_minor.saturating_abs(),
    }
}

/// The groups of these breaks in order. `totals` says how many payments each group has in all, diverted or not; none
/// where nobody can know, and then nothing is compared. An account is just changed within `just_changed_days` (the
/// tolerance `account_change_days` of `packs/breaks-1`). Breaks of another class than [`CLASSES`] and those without a
/// group are left out.
pub fn groups(
    breaks: &[DivertedBreak<'_>],
    totals: Option<&BTreeMap<String, u64>>,
    order: DiversionOrder,
    just_changed_days: i64,
) -> Result<Vec<DiversionGroup>, StakeTooLarge> {
    let shared = accounts_of_many_merchants(breaks);
    let mut gathered: BTreeMap<&str, Gathered<'_>> = BTreeMap::new();
    for it in breaks.iter().filter(|it| CLASSES.contains(&it.class) && !it.group.is_empty()) {
        let group = gathered.entry(it.group).or_default();
        group.add(it, &shared);
        if it.account_changed_days.is_some_and(|days| days.abs() < just_changed_days) {
            group.flags.insert(DiversionFlag::AccountJustChanged);
        }
    }
    let peers = totals.map(|totals| Peers::of(&gathered, totals));
    let mut groups =
        gathered.into_iter().map(|(key, group)| group.finish(key, peers.as_ref())).collect::<Result<Vec<_>, _>>()?;
    groups.sort_by(|a, b| rank(a, order).cmp(&rank(b, order)));
    Ok(groups)
}

/// Groups come in ascending order of this.
#[must_use]
pub fn rank(group: &DiversionGroup, order: DiversionOrder) -> (Reverse<i64>, Reverse<i64>, &str) {
    let (money, surprise) = (Reverse(group.stake_minor), Reverse(group.surprise_milli()));
    match order {
        DiversionOrder::Money => (money, surprise, &group.key),
        DiversionOrder::Surprise => (surprise, money, &group.key),
    }
}

fn accounts_of_many_merchants<'v>(breaks: &[DivertedBreak<'v>]) -> BTreeSet<&'v str> {
    let mut merchants: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for it in breaks.iter().filter(|it| !it.account.is_empty() && !it.merchant.is_empty()) {
        merchants.entry(it.account).or_default().insert(it.merchant);
    }
    merchants.into_iter().filter(|(_, merchants)| merchants.len() > 1).map(|(account, _)| account).collect()
}

#[derive(Debug, Default)]
struct Gathered<'v> {
    /// Largest stake of each payment: its breaks are views of the same money.
    stakes: BTreeMap<&'v str, i64>,
    by_class: BTreeMap<BreakClass, BTreeSet<&'v str>>,
    merchants: BTreeSet<&'v str>,
    terminals: BTreeSet<&'v str>,
    agents: BTreeSet<&'v str>,
    flags: BTreeSet<DiversionFlag>,
}

impl<'v> Gathered<'v> {
    fn add(&mut self, it: &DivertedBreak<'v>, shared: &BTreeSet<&str>) {
        let stake = self.stakes.entry(it.payment).or_default();
        *stake = (*stake).max(stake_minor(it.class, it.amount_minor, it.difference_minor));
        self.by_class.entry(it.class).or_default().insert(it.payment);
        let named = [(&mut self.merchants, it.merchant), (&mut self.terminals, it.tid), (&mut self.agents, it.agent)];
        for (names, name) in named {
            if !name.is_empty() {
                names.insert(name);
            }
        }
        if shared.contains(it.account) {
            self.flags.insert(DiversionFlag::OneAccountManyMerchants);
        }
    }

    fn finish(self, key: &str, peers: Option<&Peers<'_>>) -> Result<DiversionGroup, StakeTooLarge> {
        let stake_minor = self.stakes.values().try_fold(0_i64, |sum, stake| sum.checked_add(*stake));
        let n_diverted = self.stakes.len() as u64;
        Ok(DiversionGroup {
            stake_minor: stake_minor.ok_or_else(|| StakeTooLarge { group: key.to_owned() })?,
            key: key.to_owned(),
            payments: n_diverted,
            classes: self.by_class.into_iter().map(|(class, payments)| (class, payments.len() as u64)).collect(),
            merchants: self.merchants.len() as u64,
            terminals: self.terminals.len() as u64,
            agents: self.agents.len() as u64,
            peers: peers.map(|peers| peers.compare(key, n_diverted)),
            flags: self.flags.into_iter().collect(),
        })
    }
}

/// All groups together, those without a diverted payment too.
struct Peers<'v> {
    totals: &'v BTreeMap<String, u64>,
    n_payments: u64,
    n_diverted: u64,
}

impl<'v> Peers<'v> {
    fn of(gathered: &BTreeMap<&str, Gathered<'_>>, totals: &'v BTreeMap<String, u64>) -> Self {
        let mut all = Self { totals, n_payments: 0, n_diverted: 0 };
        all.n_diverted = gathered.values().fold(0, |sum, group| sum.saturating_add(group.stakes.len() as u64));
        all.n_payments = totals.values().fold(0, |sum: u64, n| sum.saturating_add(*n));
        for (key, group) in gathered {
            let n_diverted = group.stakes.len() as u64;
            // Where the total is behind the breaks, the diverted payments are there for certain.
            let unseen = all.payments_of(key, n_diverted) - totals.get(*key).copied().unwrap_or_default();
            all.n_payments = all.n_payments.saturating_add(unseen);
        }
        all
    }

    fn payments_of(&self, key: &str, n_diverted: u64) -> u64 {
        self.totals.get(key).copied().unwrap_or_default().max(n_diverted)
    }

    fn compare(&self, key: &str, n_diverted: u64) -> PeerComparison {
        let payments = self.payments_of(key, n_diverted);
        let (others, others_diverted) =
            (self.n_payments.saturating_sub(payments), self.n_diverted.saturating_sub(n_diverted));
        PeerComparison {
            payments,
            share_bp: basis_points(n_diverted, payments),
            expected_bp: basis_points(others_diverted, others),
            surprise_milli: surprise_milli(n_diverted, payments, others_diverted, others),
        }
    }
}

/// Rounded down; 0 of nothing.
fn basis_points(part: u64, whole: u64) -> i64 {
    let share = (u128::from(part) * 10_000).checked_div(u128::from(whole)).unwrap_or_default();
    i64::try_from(share).unwrap_or(i64::MAX)
}

/// Thousandths of -log10 P(X >= `n_hit`), X binomial over `n` trials with the peers' rate. Half a hit is added to the
/// peers, so that a rate of 0 that was seen on few payments is no certainty. Without peers there is no surprise.
#[must_use]
pub fn surprise_milli(n_hit: u64, n: u64, peers_hit: u64, peers: u64) -> i64 {
    if peers == 0 || n_hit == 0 || n_hit > n {
        return 0;
    }
    let rate = ((peers_hit as f64 + 0.5) / (peers as f64 + 1.0)).min(1.0 - f64::EPSILON);
    if n_hit as f64 <= n as f64 * rate {
        return 0;
    }
    let surprise = -log_tail(n_hit, n, rate) / std::f64::consts::LN_10;
    (surprise * 1000.0).round().clamp(0.0, SURPRISE_MAX_MILLI as f64) as i64
}

/// ln P(X >= `n_hit`) for `n_hit` above the mean, where the terms only fall.
fn log_tail(n_hit: u64, n: u64, rate: f64) -> f64 {
    let rest = n - n_hit;
    // Of both sides of the binomial coefficient the shorter product.
    let choose: f64 = (1..=n_hit.min(rest)).map(|i| ((n - n_hit.min(rest) + i) as f64 / i as f64).ln()).sum();
    let first = choose + n_hit as f64 * rate.ln() + rest as f64 * (-rate).ln_1p();
    let odds = rate / (1.0 - rate);
    let (mut sum, mut term) = (1.0, 1.0);
    for i in n_hit..n {
        term *= (n - i) as f64 / (i + 1) as f64 * odds;
        sum += term;
        if term < sum * f64::EPSILON {
            break;
        }
    }
    first + f64::ln(sum)
}

#[cfg(test)]
#[path = "diversion_tests.rs"]
mod tests;
