//! Payout statements.

use onus_model::Span;
use onus_reconcile::PayoutLeg;

use crate::row::{Row, RowError};
use crate::table::{Fields, columns};

columns!(PayoutColumns {
    payout_id = "payout_id", settle_date = "settle_date", pay_date = "pay_date", merchant = "merchant_code",
    payee_account = "payee_account", payee_name = "payee_name", amount = "amount_fen", fee = "fee_fen", items = "items",
    status = "status", value_at = "value_time",
});

impl PayoutColumns {
    pub(crate) fn row(&self, fields: Fields<'_>, span: Span) -> Result<Row, RowError> {
        Ok(Row::Payout(PayoutLeg {
            span,
            payout_id: fields.owned(self.payout_id)?,
            settle_date: fields.date(self.settle_date)?,
            pay_date: fields.date(self.pay_date)?,
            merchant: fields.code(self.merchant)?,
            payee_account: fields.owned(self.payee_account)?,
            payee_name: fields.owned(self.payee_name)?,
            amount_minor: fields.money(self.amount)?,
            fee_minor: fields.money(self.fee)?,
            items: fields.small(self.items)?,
            paid: match fields.raw(self.status) {
                b"paid" => true,
                b"netted" => false,
                other => return Err(RowError::value("status", "paid or netted", other)),
            },
            value_at: fields.instant(self.value_at)?,
        }))
    }
}
