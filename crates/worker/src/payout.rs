//! What is known about the payout of each payment.

use onus_fleet::{AccountStanding, Registry};
use onus_model::{Date, Instant, MerchantCode};
use onus_reconcile::{AccountAt, Attempt, Book, PayoutState, TerminalReversal};
use rustc_hash::FxHashMap;

/// Payouts of a judgement: which sums fit, which lines were left out.
pub(crate) struct Payouts {
    /// By merchant and settlement day: what should have been paid more than was paid.
    short: FxHashMap<(MerchantCode, Date), i64>,
    due_days: i32,
    today: Date,
}

impl Payouts {
    pub(crate) fn new(book: &Book, due_days: i64, today: Date) -> Self {
        let mut short: FxHashMap<(MerchantCode, Date), i64> = FxHashMap::default();
        for attempt in book.attempts() {
            let (Some(line), Some(journal)) = (book.cleared(attempt), book.journal(attempt)) else {
                if let Some(line) = book.cleared(attempt) {
                    *short.entry((line.merchant, line.settle_date)).or_default() += line.net_minor;
                }
                continue;
            };
            if journal.reversal != TerminalReversal::Confirmed {
                *short.entry((line.merchant, line.settle_date)).or_default() += line.net_minor;
            }
        }
        for payout in &book.payouts {
            *short.entry((payout.merchant, payout.settle_date)).or_default() -= payout.amount_minor;
        }
        Self { short, due_days: i32::try_from(due_days).unwrap_or(1), today }
    }

    /// The payout of an attempt; none when it was not cleared.
    pub(crate) fn of(
        &self,
        book: &Book,
        registry: &Registry,
        attempt: &Attempt,
        owner: MerchantCode,
    ) -> Option<PayoutState> {
        // A clearing line without a settlement day cannot be late.
        let line = book.cleared(attempt).filter(|line| line.settle_date != Date::default())?;
        let payout = book.payouts_of(line.merchant, line.settle_date).find(|payout| payout.paid);
        let netted = payout.is_none() && book.payouts_of(line.merchant, line.settle_date).next().is_some();
        let due = line.settle_date.plus_days(self.due_days);
        let account = payout.map_or(AccountAt::Unknown, |payout| {
            match registry.account_standing(owner, &payout.payee_account, payout.value_at) {
                AccountStanding::Own(_) => AccountAt::Own,
                AccountStanding::ChangedWithoutControl(_) => AccountAt::ChangedWithoutControl,
                AccountStanding::Foreign => AccountAt::Foreign,
                AccountStanding::Unknown => AccountAt::Unknown,
            }
        });
        let short = self.short.get(&(line.merchant, line.settle_date)).copied().unwrap_or_default();
        Some(PayoutState {
            due,
            paid_on: payout.map(|payout| payout.pay_date).or(netted.then_some(due)),
            account,
            left_out: payout.is_some() && short != 0 && short == line.net_minor,
            today: self.today,
        })
    }
}

/// The account change that a diverted payout went to.
pub(crate) fn account_change<'r>(
    book: &Book,
    registry: &'r Registry,
    attempt: &Attempt,
    owner: MerchantCode,
) -> Option<&'r onus_fleet::rows::SettlementAccount> {
    let line = book.cleared(attempt)?;
    let payout = book.payouts_of(line.merchant, line.settle_date).next()?;
    match registry.account_standing(owner, &payout.payee_account, payout.value_at) {
        AccountStanding::ChangedWithoutControl(change) | AccountStanding::Own(change) => Some(change),
        AccountStanding::Foreign | AccountStanding::Unknown => None,
    }
}

/// Start of a day for looking things up in registers.
pub(crate) fn noon(zone: &mut onus_model::Zone, date: Date) -> Instant {
    zone.instant(date, 43_200)
}
