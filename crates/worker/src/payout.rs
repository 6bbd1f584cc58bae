//! What is known about the payout of each payment.

use onus_fleet::{AccountStanding, Registry};
use onus_model::{Date, Instant, MerchantCode, Zone};
use onus_reconcile::{AccountAt, Attempt, Book, ClearingLeg, PayoutState, TerminalReversal};
use rustc_hash::FxHashMap;

use crate::terms::Terms;

/// Payouts of a judgement: which sums fit, which lines were left out.
pub(crate) struct Payouts<'t> {
    /// By merchant and settlement day: what should have been paid more than was paid.
    short: FxHashMap<(MerchantCode, Date), i64>,
    terms: &'t Terms,
    today: Date,
    zone: Zone,
}

impl<'t> Payouts<'t> {
    pub(crate) fn new(book: &Book, terms: &'t Terms, today: Date, zone: &Zone) -> Self {
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
        Self { short, terms, today, zone: zone.clone() }
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
        let due = self.terms.payout_due(line.settle_date);
        let account = payout.map_or(AccountAt::Unknown, |payout| {
            standing(registry.account_standing(owner, &payout.payee_account, payout.value_at))
        });
        let payee_when_due = if payout.is_none() && self.today > due {
            standing(payee_when_due(registry, line, self.terms, &self.zone))
        } else {
            AccountAt::Unknown
        };
        let short = self.short.get(&(line.merchant, line.settle_date)).copied().unwrap_or_default();
        Some(PayoutState {
            due,
            paid_on: payout.map(|payout| payout.pay_date).or(netted.then_some(due)),
            account,
            payee_when_due,
            left_out: payout.is_some() && short != 0 && short == line.net_minor,
            today: self.today,
        })
    }
}

const fn standing(standing: AccountStanding<'_>) -> AccountAt {
    match standing {
        AccountStanding::Own(_) => AccountAt::Own,
        AccountStanding::ChangedWithoutControl(_) => AccountAt::ChangedWithoutControl,
        AccountStanding::Foreign => AccountAt::Foreign,
        AccountStanding::Unknown => AccountAt::Unknown,
    }
}

/// Whose account was set for the payout of a cleared line on the day it was due.
pub(crate) fn payee_when_due<'r>(
    registry: &'r Registry,
    line: &ClearingLeg,
    terms: &Terms,
    zone: &Zone,
) -> AccountStanding<'r> {
    registry.payee(line.merchant, noon(&mut zone.clone(), terms.payout_due(line.settle_date)))
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

#[cfg(test)]
mod tests {
    use super::*;
    use onus_fleet::rows::{RegistryRow, SettlementAccount};
    use onus_model::{BreakClass, CardType, MaskedPan, Span, TerminalId};
    use onus_reconcile::{PayoutLeg, classify};

    const SPAN: Span = Span { file_seq: 0, offset: 0, len: 1 };

    fn day(day: u32) -> Date {
        Date::from_ymd(2026, 9, day).unwrap()
    }

    fn merchant() -> MerchantCode {
        MerchantCode::new(b"899526070110016").unwrap()
    }

    fn zone() -> Zone {
        Zone::named("Asia/Shanghai").unwrap()
    }

    /// One sale that was cleared on the 21st and is to be paid on the 22nd.
    fn book(paid: Option<(Date, &str)>) -> Book {
        let mut book = Book::default();
        book.clearings.push(ClearingLeg {
            span: SPAN,
            amount_minor: 10_000,
            net_minor: 9_950,
            rrn: 626_407_377_450,
            stan: 11,
            transmission: 921_074_533,
            settle_date: day(21),
            pan: MaskedPan::default(),
            merchant: merchant(),
            tid: TerminalId::new(b"52606437").unwrap(),
            mcc: 7011,
            refund: false,
            card_type: CardType::Debit,
            variant_zm: false,
        });
        book.payouts.extend(paid.map(|(pay_date, account)| PayoutLeg {
            span: SPAN,
            payout_id: "PO1".to_owned(),
            settle_date: day(21),
            pay_date,
            merchant: merchant(),
            payee_account: account.to_owned(),
            payee_name: String::new(),
            amount_minor: 9_950,
            fee_minor: 50,
            items: 1,
            paid: true,
            value_at: noon(&mut zone(), pay_date),
        }));
        book.assemble(&zone());
        book
    }

    /// The merchant's own account until a day, then one that was set with an agent's credentials.
    fn registry(changed_on: Date, controlled: bool) -> Registry {
        let change = noon(&mut zone(), changed_on);
        let account = |account_no: &str, valid_from, valid_to, changed_by: &str, dual_control| {
            RegistryRow::Account(SettlementAccount {
                change_id: account_no.to_owned(),
                merchant: merchant(),
                account_no: account_no.to_owned(),
                account_name: String::new(),
                valid_from,
                valid_to,
                changed_by: changed_by.to_owned(),
                dual_control,
                merchant_confirmed: dual_control,
                span: SPAN,
            })
        };
        let mut registry = Registry::default();
        registry.add(account("set", change, None, "agent:A0203:ADMIN01", controlled));
        registry.add(account("own", Instant(0), Some(change), "merchant:899526070110016", true));
        registry.settle();
        registry
    }

    #[test]
    fn a_payout_that_is_held_back_is_altered_when_the_account_set_for_it_is() {
        let cases = [
            ("held, account as it was", 25, false, None, 30, vec![BreakClass::LatePayout]),
            ("held, account changed before", 20, false, None, 30, vec![BreakClass::PayeeAltered]),
            ("held, account changed with control", 20, true, None, 30, vec![BreakClass::LatePayout]),
            ("not due yet", 20, false, None, 22, vec![]),
            ("paid there in time", 20, false, Some((day(22), "set")), 30, vec![BreakClass::PayoutDiverted]),
            ("released in time", 20, true, Some((day(22), "set")), 30, vec![]),
            ("released late, account put right", 25, false, Some((day(24), "own")), 30, vec![BreakClass::LatePayout]),
            (
                "released late to the wrong account",
                20,
                false,
                Some((day(24), "set")),
                30,
                vec![BreakClass::PayoutDiverted, BreakClass::LatePayout],
            ),
        ];
        for (name, changed_on, controlled, paid, today, expected) in cases {
            let (book, registry) = (book(paid), registry(day(changed_on), controlled));
            let (attempt, terms) = (&book.attempts()[0], Terms::builtin_cn().unwrap());
            let payout = Payouts::new(&book, &terms, day(today), &zone()).of(&book, &registry, attempt, merchant());
            let classes: Vec<_> = classify(&book, attempt, payout.as_ref(), 0, day(today))
                .iter()
                .map(|found| found.class)
                .filter(|class| *class != BreakClass::TermMissing)
                .collect();
            assert_eq!(classes, expected, "{name}");
        }
    }
}
