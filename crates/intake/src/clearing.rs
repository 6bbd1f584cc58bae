//! Clearing lines: the CSV variant by column name, the ZM variant by position.

use onus_model::{CardType, Date, MaskedPan, MerchantCode, Span, TerminalId};
use onus_reconcile::ClearingLeg;

use crate::row::{Row, RowError};
use crate::table::{Fields, columns, digits};

columns!(ClearingColumns {
    settle_date = "settle_date", trade_code = "trade_code", stan = "network_stan", transmission = "transmission_time",
    pan = "pan_masked", amount = "amount_fen", mcc = "mcc", rrn = "ref_no", card_type = "card_type",
    merchant = "merchant_code", tid = "tid", net = "net_fen", sign = "sign",
});

impl ClearingColumns {
    pub(crate) fn row(&self, fields: Fields<'_>, span: Span) -> Result<Row, RowError> {
        let refund = refund(fields.raw(self.trade_code))?;
        let to_merchant = match fields.raw(self.sign) {
            b"C" => 1,
            b"D" => -1,
            other => return Err(RowError::value("sign", "C or D", other)),
        };
        Ok(Row::Clearing(ClearingLeg {
            span,
            amount_minor: fields.money(self.amount)?,
            net_minor: to_merchant * fields.money(self.net)?,
            rrn: fields.number(self.rrn)?,
            stan: fields.small(self.stan)?,
            transmission: fields.small(self.transmission)?,
            settle_date: fields.date(self.settle_date)?,
            pan: fields.pan(self.pan)?,
            merchant: fields.code(self.merchant)?,
            tid: fields.code(self.tid)?,
            mcc: fields.small(self.mcc)?,
            refund,
            card_type: match fields.raw(self.card_type) {
                b"debit" => CardType::Debit,
                b"credit" => CardType::Credit,
                other => return Err(RowError::value("card_type", "debit or credit", other)),
            },
            variant_zm: false,
        }))
    }
}

fn refund(trade_code: &[u8]) -> Result<bool, RowError> {
    match trade_code {
        b"S22" => Ok(false),
        b"S30" => Ok(true),
        other => Err(RowError::value("trade_code", "S22 or S30", other)),
    }
}

/// Widths of the 42 columns of the ZM layout; one blank stands between two columns.
const ZM_WIDTHS: [usize; 42] = [
    3, 11, 11, 6, 10, 19, 12, 4, 2, 21, 2, 32, 2, 6, 10, 13, 13, 4, 15, 2, 2, 6, 2, 4, 32, 1, 21, 15, 1, 15, 32, 13,
    13, 8, 32, 13, 13, 12, 2, 1, 32, 98,
];

/// Where the card number (column 6, 19 bytes) starts in a ZM line.
pub(crate) const ZM_PAN_AT: usize = 3 + 11 + 11 + 6 + 10 + 5;

/// Names of the 42 columns, for errors and for display.
pub(crate) const ZM_NAMES: [&str; 42] = [
    "trade_code",
    "acquirer",
    "forwarder",
    "network_stan",
    "transmission_time",
    "pan_masked",
    "amount_fen",
    "mcc",
    "terminal_type",
    "query_id",
    "old_pay_type",
    "order_number",
    "card_type",
    "orig_network_stan",
    "orig_transmission_time",
    "fee",
    "settlement_amount",
    "pay_type",
    "group_merchant",
    "transaction_type",
    "sub_type",
    "business_type",
    "account_type",
    "bill_type",
    "bill_number",
    "interaction",
    "orig_query_id",
    "merchant_code",
    "split_mode",
    "split_merchant",
    "merchant_name",
    "split_amount",
    "net_amount",
    "tid",
    "merchant_field",
    "discount",
    "invoice",
    "instalment_fee",
    "instalments",
    "medium",
    "original_order",
    "reserved",
];

/// The columns of a ZM line.
pub(crate) fn zm_columns(line: &[u8]) -> impl Iterator<Item = (&'static str, &[u8])> {
    let mut at = 0;
    ZM_WIDTHS.iter().zip(ZM_NAMES).map(move |(width, name)| {
        let value = line.get(at..at + width).unwrap_or_default();
        at += width + 1;
        (name, value)
    })
}

/// Settlement day of a ZM file by its name, `INNyyMMdd88ZM_...`.
pub(crate) fn zm_settle_date(name: &str) -> Option<Date> {
    let file = name.rsplit('/').next()?;
    let part = |from: usize| {
        file.get(from..from + 2).and_then(|two| digits(two.as_bytes())).and_then(|two| u32::try_from(two).ok())
    };
    if !file.starts_with("INN") {
        return None;
    }
    Date::from_ymd(2000 + part(3)?, part(5)?, part(7)?).ok()
}

/// Reads a ZM line (without its line end).
pub(crate) fn zm_row(line: &[u8], span: Span, settled: Option<Date>) -> Result<Row, RowError> {
    let expected = zm_line_len();
    if line.len() != expected {
        let detail = format!("expected a line of {expected} bytes, found {}", line.len());
        return Err(RowError { field: "line".to_owned(), code: "columns", detail });
    }
    let mut columns = [(&[][..], ""); 42];
    for (slot, (name, value)) in columns.iter_mut().zip(zm_columns(line)) {
        *slot = (value.trim_ascii(), name);
    }
    let at = |number: usize| columns.get(number - 1).copied().unwrap_or_default();
    let number = |column: usize| {
        let (raw, name) = at(column);
        digits(raw).ok_or_else(|| RowError::value(name, "digits", raw))
    };
    let small = |column: usize| {
        number(column).and_then(|value| {
            u32::try_from(value).map_err(|_| RowError::value(at(column).1, "a smaller number", at(column).0))
        })
    };
    let signed = |column: usize| {
        let (raw, name) = at(column);
        let wrong = || RowError::value(name, "C or D and 12 digits", raw);
        let (sign, rest) = raw.split_first().ok_or_else(wrong)?;
        let value = digits(rest).and_then(|value| i64::try_from(value).ok()).ok_or_else(wrong)?;
        match sign {
            b'C' => Ok(value),
            b'D' => Ok(-value),
            _ => Err(wrong()),
        }
    };
    let code_error = |column: usize| RowError::value(at(column).1, "a code", at(column).0);
    let refund = refund(at(1).0)?;
    Ok(Row::Clearing(ClearingLeg {
        span,
        amount_minor: i64::try_from(number(7)?).unwrap_or(i64::MAX),
        net_minor: signed(33)?,
        rrn: number(12)?,
        stan: small(4)?,
        transmission: small(5)?,
        settle_date: settled.unwrap_or_default(),
        pan: MaskedPan::read(at(6).0).ok_or_else(|| RowError::value(at(6).1, "a masked card number", at(6).0))?,
        merchant: MerchantCode::new(at(28).0).map_err(|_| code_error(28))?,
        tid: TerminalId::new(at(34).0).map_err(|_| code_error(34))?,
        mcc: u16::try_from(number(8)?).map_err(|_| code_error(8))?,
        refund,
        card_type: match at(13).0 {
            b"01" => CardType::Debit,
            b"02" => CardType::Credit,
            _ => CardType::Unknown,
        },
        variant_zm: true,
    }))
}

/// Bytes of a ZM line without its line end: all widths and the blanks between.
pub(crate) fn zm_line_len() -> usize {
    ZM_WIDTHS.iter().sum::<usize>() + ZM_WIDTHS.len() - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zm_file_says_its_day_in_its_name() {
        let day = |name: &str| zm_settle_date(name).map(|date| date.to_string());
        assert_eq!(day("clearing/INN26092188ZM_48990001").as_deref(), Some("2026-09-21"));
        assert_eq!(day("clearing/ZM_48990001"), None);
        assert_eq!(day("INN26"), None);
    }
}
