//! Dispute messages, slips, and statements of institutions.

use onus_casework::notices::{DisputeNotice, InstitutionNotice, Slip};
use onus_model::Span;

use crate::row::{Row, RowError};
use crate::table::{Fields, columns, digits};

columns!(DisputeColumns {
    notice_id = "notice_id", case_no = "case_no", date = "date", direction = "direction", txn_code = "txn_code",
    reason = "reason_code", reply = "reply_code", original = "original_key", merchant = "merchant_code", tid = "tid",
    card_type = "card_type", original_amount = "original_amount_fen", disputed_amount = "disputed_amount_fen",
    pin_used = "pin_used", due_date = "due_date",
});

impl DisputeColumns {
    pub(crate) fn row(&self, fields: Fields<'_>, span: Span) -> Result<Row, RowError> {
        Ok(Row::Dispute(DisputeNotice {
            span,
            notice_id: fields.owned(self.notice_id)?,
            case_no: fields.owned(self.case_no)?,
            date: fields.date(self.date)?,
            incoming: match fields.raw(self.direction) {
                b"in" => true,
                b"out" => false,
                other => return Err(RowError::value("direction", "in or out", other)),
            },
            txn_code: fields.owned(self.txn_code)?,
            reason_code: fields.owned(self.reason)?,
            reply_code: fields.owned(self.reply)?,
            original: original_key(fields.raw(self.original))?,
            merchant: fields.code(self.merchant)?,
            tid: fields.code(self.tid)?,
            debit: fields.raw(self.card_type) == b"debit",
            original_amount_minor: fields.money(self.original_amount)?,
            disputed_amount_minor: fields.money(self.disputed_amount)?,
            pin_used: fields.yes(self.pin_used)?,
            due_date: fields.date_or_none(self.due_date)?,
        }))
    }
}

/// Trace and transmission time of UnionPay's key: acquirer 11, trace 6, transmission time 10, transfer flag 1, forwarder 11.
fn original_key(key: &[u8]) -> Result<(u32, u32), RowError> {
    let part = |from: usize, to: usize| key.get(from..to).and_then(digits).and_then(|value| u32::try_from(value).ok());
    let wrong = || RowError::value("original_key", "39 digits", key);
    if key.len() != 39 {
        return Err(wrong());
    }
    part(11, 17).zip(part(17, 27)).ok_or_else(wrong)
}

columns!(SlipColumns { tid = "tid", stan = "stan", rrn = "ref_no", kept_by = "kept_by", result = "result" });

impl SlipColumns {
    pub(crate) fn row(&self, fields: Fields<'_>, span: Span) -> Result<Row, RowError> {
        Ok(Row::Slip(Slip {
            span,
            tid: fields.code(self.tid)?,
            stan: fields.small(self.stan)?,
            rrn: fields.number(self.rrn)?,
            kept_by: fields.owned(self.kept_by)?,
            retrieved: match fields.raw(self.result) {
                b"retrieved" => true,
                b"missing" => false,
                other => return Err(RowError::value("result", "retrieved or missing", other)),
            },
        }))
    }
}

columns!(NoticeColumns { received_at = "received_at", from = "from", institution = "institution", text = "text", standing = "standing" });

impl NoticeColumns {
    pub(crate) fn row(&self, fields: Fields<'_>, span: Span) -> Result<Row, RowError> {
        Ok(Row::Notice(InstitutionNotice {
            span,
            received_at: fields.instant(self.received_at)?,
            from: fields.owned(self.from)?,
            institution: fields.owned(self.institution)?,
            text: fields.owned(self.text)?,
            standing: fields.owned(self.standing)?,
        }))
    }
}
