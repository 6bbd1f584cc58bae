//! Terminal journals.

use onus_model::{Span, Zone};
use onus_reconcile::{JournalKind, JournalLeg, TerminalReversal};

use crate::row::{Row, RowError, Sink};
use crate::table::{Fields, columns};

columns!(JournalColumns {
    date = "date", time = "time", seq = "seq", tid = "tid", serial = "serial", merchant = "merchant_code", txn = "txn",
    batch = "batch", stan = "stan", pan = "pan_masked", amount = "amount_fen", entry_mode = "entry_mode", pin = "pin",
    rc = "rc", text = "text", slip = "slip", reversal = "reversal", rrn = "ref_no", app_version = "app_version",
});

impl JournalColumns {
    pub(crate) fn row(
        &self,
        fields: Fields<'_>,
        span: Span,
        zone: &mut Zone,
        sink: &mut dyn Sink,
    ) -> Result<Row, RowError> {
        let kind = self.kind(fields)?;
        let sale = kind == JournalKind::Sale;
        let date = fields.date(self.date)?;
        Ok(Row::Journal(JournalLeg {
            span,
            at: zone.instant(date, fields.second_of_day(self.time)?),
            amount_minor: fields.money(self.amount)?,
            rrn: fields.number_or_none(self.rrn)?.unwrap_or_default(),
            date,
            seq: fields.small(self.seq)?,
            batch: fields.small(self.batch)?,
            stan: if fields.raw(self.stan).is_empty() { None } else { Some(fields.small(self.stan)?) },
            pan: if sale || !fields.raw(self.pan).is_empty() { fields.pan(self.pan)? } else { Default::default() },
            tid: fields.code(self.tid)?,
            merchant: fields.code(self.merchant)?,
            rc: fields.code_or_empty(self.rc)?,
            kind,
            reversal: self.reversal(fields)?,
            entry_mode: if sale { fields.small(self.entry_mode)? } else { 0 },
            pin: fields.raw(self.pin) == b"Y",
            slip: fields.yes(self.slip)?,
            serial: sink.symbol(fields.text(self.serial)?),
            text: sink.symbol(fields.text(self.text)?),
            app_version: sink.symbol(fields.text(self.app_version)?),
        }))
    }

    fn kind(&self, fields: Fields<'_>) -> Result<JournalKind, RowError> {
        match fields.raw(self.txn) {
            b"SALE" => Ok(JournalKind::Sale),
            b"VOID" => Ok(JournalKind::Void),
            b"REFUND" => Ok(JournalKind::Refund),
            b"SETTLE" => Ok(JournalKind::Settle),
            other => Err(RowError::value("txn", "SALE, VOID, REFUND or SETTLE", other)),
        }
    }

    fn reversal(&self, fields: Fields<'_>) -> Result<TerminalReversal, RowError> {
        match fields.raw(self.reversal) {
            b"NONE" => Ok(TerminalReversal::None),
            b"CONFIRMED" => Ok(TerminalReversal::Confirmed),
            b"UNCONFIRMED" => Ok(TerminalReversal::Unconfirmed),
            other => Err(RowError::value("reversal", "NONE, CONFIRMED or UNCONFIRMED", other)),
        }
    }
}
