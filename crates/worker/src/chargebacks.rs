//! Which payment each first chargeback is about.

use onus_casework::notices::DisputeNotice;
use onus_reconcile::{Attempt, Book, JournalKind};
use rustc_hash::{FxHashMap, FxHashSet};

/// Reason code of a chargeback for a refund that did not reach the card.
const REFUND_NOT_CLEARED: &str = "4532";

/// Network trace and transmission time.
type Original = (u32, u32);

/// First chargebacks by the attempt that they are about.
pub(crate) fn by_attempt<'r>(book: &Book, disputes: &'r [DisputeNotice]) -> FxHashMap<usize, &'r DisputeNotice> {
    let notices: Vec<&DisputeNotice> = disputes.iter().filter(|notice| notice.txn_code == "E23").collect();
    let wanted: FxHashSet<Original> = notices.iter().map(|notice| notice.original).collect();
    let indexed = || book.attempts().iter().enumerate();
    let original = |attempt: &Attempt| {
        let exchange = book.exchange(attempt).filter(|exchange| exchange.forwarded())?;
        Some((exchange.network_stan, exchange.transmission)).filter(|original| wanted.contains(original))
    };
    let sales = indexed().filter_map(|(index, attempt)| Some((original(attempt)?, index))).collect();
    let mut refunds: FxHashMap<usize, Vec<usize>> = FxHashMap::default();
    if notices.iter().any(|notice| notice.reason_code == REFUND_NOT_CLEARED) {
        for (index, attempt) in indexed().filter(|(_, attempt)| book.kind(attempt) == JournalKind::Refund) {
            let refund = book.exchange(attempt).filter(|_| book.cleared(attempt).is_none());
            let sale = refund.and_then(|refund| {
                book.attempt_of_terminal(refund.tid, refund.original.0, refund.original.1, attempt.key.date)
            });
            if let Some(sale) = sale {
                refunds.entry(sale).or_default().push(index);
            }
        }
    }
    assign(&notices, &sales, &refunds)
}

/// A chargeback for a refund that was not cleared (4532) names the sale and is about its refunds; a sale may have one
/// of its own beside it. Where the refund is not known, the sale stands for it, unless it has one of its own.
fn assign<'r>(
    notices: &[&'r DisputeNotice],
    sales: &FxHashMap<Original, usize>,
    refunds: &FxHashMap<usize, Vec<usize>>,
) -> FxHashMap<usize, &'r DisputeNotice> {
    let (of_refunds, of_sales): (Vec<&DisputeNotice>, Vec<&DisputeNotice>) =
        notices.iter().partition(|notice| notice.reason_code == REFUND_NOT_CLEARED);
    let mut found = FxHashMap::default();
    for notice in of_refunds {
        let Some(sale) = sales.get(&notice.original) else { continue };
        for index in refunds.get(sale).map_or(std::slice::from_ref(sale), Vec::as_slice) {
            found.insert(*index, notice);
        }
    }
    found.extend(of_sales.into_iter().filter_map(|notice| Some((*sales.get(&notice.original)?, notice))));
    found
}

#[cfg(test)]
mod tests {
    use onus_model::{Date, MerchantCode, Span, TerminalId};

    use super::*;

    fn notice(case_no: &str, reason_code: &str, original: Original) -> DisputeNotice {
        DisputeNotice {
            notice_id: format!("{case_no}-1"),
            case_no: case_no.to_owned(),
            date: Date::from_ymd(2026, 10, 7).unwrap(),
            incoming: true,
            txn_code: "E23".to_owned(),
            reason_code: reason_code.to_owned(),
            reply_code: String::new(),
            original,
            merchant: MerchantCode::new(b"899523056510006").unwrap(),
            tid: TerminalId::new(b"52302024").unwrap(),
            debit: false,
            original_amount_minor: 19_620,
            disputed_amount_minor: 19_620,
            pin_used: false,
            due_date: None,
            span: Span { file_seq: 1, len: 0, offset: 0 },
        }
    }

    #[test]
    fn a_sale_and_its_refund_may_both_be_charged_back() {
        let fraud = notice("DC34", "4562", (687_831, 921_143_446));
        let refund = notice("DC33", REFUND_NOT_CLEARED, (687_831, 921_143_446));
        let lost_refund = notice("DC35", REFUND_NOT_CLEARED, (5, 6));
        let unknown = notice("DC36", "4562", (7, 8));
        let sales = FxHashMap::from_iter([((687_831, 921_143_446), 10), ((5, 6), 20)]);
        let refunds = FxHashMap::from_iter([(10, vec![12])]);
        for notices in [[&fraud, &refund, &lost_refund, &unknown], [&unknown, &lost_refund, &refund, &fraud]] {
            let found = assign(&notices, &sales, &refunds);
            let mut cases: Vec<(usize, &str)> =
                found.iter().map(|(index, notice)| (*index, notice.case_no.as_str())).collect();
            cases.sort_unstable();
            assert_eq!(cases, [(10, "DC34"), (12, "DC33"), (20, "DC35")]);
        }
    }
}
