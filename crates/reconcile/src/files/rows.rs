//! Rows of the four files and the share sheet, as numbers.

use super::code::{Code, Texts};
use super::dates::{Dates, Day, clock_of};
use super::digits::number;
use super::layout::{Money, Plan, Role, RowKind};

/// A field that does not read. The text found is cut and never shows a card number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FieldFault {
    /// Column by its role.
    pub(crate) field: String,
    /// What was expected, and what was found.
    pub(crate) reason: String,
}

/// The fields of one line.
#[derive(Clone, Copy)]
pub(crate) struct Fields<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) start: usize,
    pub(crate) ends: &'a [u32],
}

impl Fields<'_> {
    /// Start and end of a column; an empty one when the line has no such column.
    #[inline(always)]
    pub(crate) fn place(&self, column: usize) -> (usize, usize) {
        let Some(end) = self.ends.get(column) else { return (self.start, self.start) };
        let start = match column.checked_sub(1) {
            Some(before) => self.ends[before] as usize + 1,
            None => self.start,
        };
        (start, *end as usize)
    }

    #[inline(always)]
    pub(crate) fn text(&self, column: usize) -> &[u8] {
        let (start, end) = self.place(column);
        self.bytes.get(start..end).unwrap_or_default()
    }
}

macro_rules! packed_row {
    ($(#[$doc:meta])* $name:ident, $count:literal { $($(#[$field_doc:meta])* $field:ident,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
        pub(crate) struct $name { $($(#[$field_doc])* pub(crate) $field: u64,)* }

        impl $name {
            #[inline]
            #[allow(dead_code, reason = "shares are never kept for the next run")]
            pub(crate) const fn to_numbers(self) -> [u64; $count] {
                [$(self.$field,)*]
            }

            #[inline]
            pub(crate) const fn from_numbers([$($field,)*]: [u64; $count]) -> Self {
                Self { $($field,)* }
            }
        }
    };
}

packed_row!(
    /// A row of a terminal journal or of the switch log.
    Attempt, 10 {
        terminal, key, rrn, merchant, amount, pan, time, mark, settled, place,
    }
);
packed_row!(
    /// A clearing line.
    Cleared, 10 {
        terminal, rrn, merchant, amount, settled, network_fee, mark, pan, mcc, place,
    }
);
packed_row!(
    /// A payout line.
    Paid, 10 {
        terminal, rrn, merchant, account, gross, fee, net, paid_on, batch, place,
    }
);
packed_row!(
    /// An agent's share of one payment.
    Shared, 5 {
        terminal, rrn, agent, share, place,
    }
);

/// File number and offset of a row, in one number; rows of one file are ordered by it.
pub(crate) const fn place(file: u64, offset: u64) -> u64 {
    file << 48 | offset
}

/// File number and offset of a place.
pub(crate) const fn file_and_offset(place: u64) -> (usize, u64) {
    ((place >> 48) as usize, place & 0xFFFF_FFFF_FFFF)
}

/// What else a row says, packed: response code, kind, flags.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Mark(pub(crate) u64);

impl Mark {
    const APPROVED: u64 = 1 << 16;
    const REVERSED: u64 = 1 << 17;

    fn new(response: &[u8], approved: bool, reversed: bool, kind: RowKind) -> Self {
        let code = response.iter().fold(0, |code, byte| code << 8 | u64::from(*byte));
        let kind = match kind {
            RowKind::Refund => 1,
            RowKind::Reversal => 2,
            RowKind::Void => 3,
            RowKind::Sale | RowKind::Skip => 0,
        };
        let flags = if approved { Self::APPROVED } else { 0 } | if reversed { Self::REVERSED } else { 0 };
        Self(code | flags | kind << 18)
    }

    pub(crate) const fn approved(self) -> bool {
        self.0 & Self::APPROVED != 0
    }

    pub(crate) const fn reversed(self) -> bool {
        self.0 & Self::REVERSED != 0
    }

    /// A reversal or void of another row.
    pub(crate) const fn takes_back(self) -> bool {
        self.0 >> 18 & 2 != 0
    }
}

/// Reads rows by a plan. One for each file and thread.
pub(crate) struct RowReader<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) texts: &'a Texts,
    pub(crate) file: u64,
    /// Settlement day, for times without a year.
    pub(crate) near: Option<Day>,
    dates: Dates,
    /// The last long text and its code: payout batches come in runs.
    recent: (Vec<u8>, Code),
}

impl<'a> RowReader<'a> {
    pub(crate) fn new(plan: &'a Plan, texts: &'a Texts, file: u64, near: Option<Day>) -> Self {
        Self { plan, texts, file, near, dates: Dates::default(), recent: (Vec::new(), Code::NONE) }
    }

    /// Puts a row into `row`, in the order of [`Attempt`]; false for a line about no payment. Rows are written number by
    /// number and read the same way: copying them whole in between would wait for the slowest number each time.
    #[inline(always)]
    pub(crate) fn attempt(&mut self, fields: Fields<'_>, offset: u64, row: &mut [u64; 10]) -> Result<bool, FieldFault> {
        let kind = self.kind(fields)?;
        if kind == RowKind::Skip {
            return Ok(false);
        }
        let response = self.text(fields, Role::Response);
        if response.len() > 2 {
            return Err(self.fault(fields, Role::Response, "a response code of at most 2 characters"));
        }
        let reversed = self.plan.column(Role::Reversed).is_some_and(|at| self.plan.is_reversed(fields.text(at)));
        let mark = Mark::new(response, self.plan.is_approved(response), reversed, kind);
        let mut key = self.key(fields, Role::Batch, Role::Trace)?;
        if mark.takes_back() && self.plan.column(Role::OriginalTrace).is_some() {
            let original =
                if self.plan.column(Role::OriginalBatch).is_some() { Role::OriginalBatch } else { Role::Batch };
            key = self.key(fields, original, Role::OriginalTrace)?;
        }
        row[0] = self.required(fields, Role::Terminal, 16)?.0;
        row[1] = key;
        row[2] = self.code(fields, Role::Rrn, 12)?.0;
        row[3] = self.code(fields, Role::Merchant, 20)?.0;
        row[4] = self.money(fields, Role::Amount)?.cast_unsigned();
        row[5] = self.pan(fields)?;
        row[6] = self.time(fields)?.cast_unsigned();
        row[7] = mark.0;
        row[8] = self.day(fields, Role::Settled)?;
        row[9] = place(self.file, offset);
        Ok(true)
    }

    #[inline(always)]
    pub(crate) fn cleared(&mut self, fields: Fields<'_>, offset: u64, row: &mut [u64; 10]) -> Result<bool, FieldFault> {
        let kind = self.kind(fields)?;
        if kind == RowKind::Skip {
            return Ok(false);
        }
        row[0] = self.code(fields, Role::Terminal, 16)?.0;
        row[1] = self.code(fields, Role::Rrn, 12)?.0;
        row[2] = self.code(fields, Role::Merchant, 20)?.0;
        row[3] = self.money(fields, Role::Amount)?.cast_unsigned();
        row[4] = self.day(fields, Role::Settled)?;
        row[5] = self.money_or(fields, Role::NetworkFee, 0)?.cast_unsigned();
        row[6] = Mark::new(b"", true, false, kind).0;
        row[7] = self.pan(fields)?;
        row[8] = self.count(fields, Role::Mcc)?;
        row[9] = place(self.file, offset);
        Ok(true)
    }

    #[inline(always)]
    pub(crate) fn paid(&mut self, fields: Fields<'_>, offset: u64, row: &mut [u64; 10]) -> Result<bool, FieldFault> {
        let net = self.money(fields, Role::Net)?;
        let fee = self.money_or(fields, Role::Fee, 0)?;
        let gross = self.money_or(fields, Role::Gross, net.saturating_add(fee))?;
        row[0] = self.required(fields, Role::Terminal, 16)?.0;
        row[1] = self.required(fields, Role::Rrn, 12)?.0;
        row[2] = self.code(fields, Role::Merchant, 20)?.0;
        row[3] = self.code(fields, Role::Account, 40)?.0;
        row[4] = gross.cast_unsigned();
        row[5] = fee.cast_unsigned();
        row[6] = net.cast_unsigned();
        row[7] = self.day(fields, Role::PaidOn)?;
        row[8] = self.code(fields, Role::PayoutBatch, 40)?.0;
        row[9] = place(self.file, offset);
        Ok(true)
    }

    #[inline(always)]
    pub(crate) fn shared(&mut self, fields: Fields<'_>, offset: u64, row: &mut [u64; 5]) -> Result<bool, FieldFault> {
        row[0] = self.required(fields, Role::Terminal, 16)?.0;
        row[1] = self.required(fields, Role::Rrn, 12)?.0;
        row[2] = self.required(fields, Role::Agent, 40)?.0;
        row[3] = self.money(fields, Role::Share)?.cast_unsigned();
        row[4] = place(self.file, offset);
        Ok(true)
    }

    /// Network trace and transmission time as one number, 0 when they are not all there.
    pub(crate) fn network_key(&self, fields: Fields<'_>) -> u64 {
        let part = |role| {
            let (start, end) = fields.place(self.plan.column(role)?);
            number(fields.bytes, start, end).filter(|part| *part < 10_000_000_000)
        };
        match (part(Role::NetworkTrace), part(Role::TransmittedAt)) {
            (Some(trace), Some(sent)) if trace < 1_000_000 => trace * 10_000_000_000 + sent,
            _ => 0,
        }
    }

    #[inline(always)]
    pub(crate) fn text<'f>(&self, fields: Fields<'f>, role: Role) -> &'f [u8] {
        let Some(column) = self.plan.column(role) else { return &[] };
        let (start, end) = fields.place(column);
        fields.bytes.get(start..end).unwrap_or_default()
    }

    #[inline(always)]
    fn kind(&self, fields: Fields<'_>) -> Result<RowKind, FieldFault> {
        let Some(column) = self.plan.column(Role::Kind) else { return Ok(RowKind::Sale) };
        self.plan
            .kind(fields.text(column))
            .ok_or_else(|| self.fault(fields, Role::Kind, "a kind that the layout names"))
    }

    #[inline(always)]
    fn key(&self, fields: Fields<'_>, batch: Role, trace: Role) -> Result<u64, FieldFault> {
        let (Some(batch_at), Some(trace_at)) = (self.plan.column(batch), self.plan.column(trace)) else { return Ok(0) };
        let read = |column| {
            let (start, end) = fields.place(column);
            number(fields.bytes, start, end)
        };
        match (read(batch_at), read(trace_at)) {
            (Some(batch), Some(trace)) if trace < 1_000_000 && batch < 1 << 40 => Ok((batch << 20 | trace) + 1),
            (_, None) if fields.text(trace_at).is_empty() => Ok(0),
            (None, _) => Err(self.fault(fields, batch, "a batch number")),
            _ => Err(self.fault(fields, trace, "a trace number of at most 6 digits")),
        }
    }

    #[inline(always)]
    pub(crate) fn code(&mut self, fields: Fields<'_>, role: Role, longest: usize) -> Result<Code, FieldFault> {
        let Some(column) = self.plan.column(role) else { return Ok(Code::NONE) };
        let (start, end) = fields.place(column);
        let length = end - start;
        if length <= longest
            && let Some(value) = number(fields.bytes, start, end)
        {
            return Ok(Code::of_digits(value, length));
        }
        self.other_code(fields.text(column), longest).ok_or_else(|| {
            let expected = format!("at most {longest} letters and digits");
            self.fault(fields, role, &expected)
        })
    }

    fn other_code(&mut self, text: &[u8], longest: usize) -> Option<Code> {
        let text = text.trim_ascii();
        if text == self.recent.0 {
            return Some(self.recent.1);
        }
        if text.len() > longest || !text.iter().all(u8::is_ascii_graphic) {
            return None;
        }
        let code = self.texts.code(text);
        self.recent.0.clear();
        self.recent.0.extend_from_slice(text);
        self.recent.1 = code;
        Some(code)
    }

    #[inline(always)]
    pub(crate) fn required(&mut self, fields: Fields<'_>, role: Role, longest: usize) -> Result<Code, FieldFault> {
        let code = self.code(fields, role, longest)?;
        if code.is_none() { Err(self.fault(fields, role, "a value")) } else { Ok(code) }
    }

    #[inline(always)]
    pub(crate) fn money(&self, fields: Fields<'_>, role: Role) -> Result<i64, FieldFault> {
        let amount = self.plan.column(role).and_then(|column| {
            let (start, end) = fields.place(column);
            amount(fields.bytes, start, end, self.plan.money)
        });
        let amount = amount.ok_or_else(|| {
            let expected = match self.plan.money {
                Money::Fen => "a whole number of fen, at most 15 digits",
                Money::Yuan => "yuan with at most 2 decimals",
            };
            self.fault(fields, role, expected)
        })?;
        let signed = matches!(role, Role::Amount | Role::Net | Role::Total);
        let negative = signed && self.plan.column(Role::Sign).is_some_and(|at| self.plan.is_negative(fields.text(at)));
        Ok(if negative { -amount } else { amount })
    }

    #[inline]
    pub(crate) fn money_or(&self, fields: Fields<'_>, role: Role, missing: i64) -> Result<i64, FieldFault> {
        match self.plan.column(role) {
            None => Ok(missing),
            Some(_) => self.money(fields, role),
        }
    }

    /// A small count, 0 when it is not there.
    pub(crate) fn count(&self, fields: Fields<'_>, role: Role) -> Result<u64, FieldFault> {
        let Some(column) = self.plan.column(role) else { return Ok(0) };
        let (start, end) = fields.place(column);
        if start == end {
            return Ok(0);
        }
        number(fields.bytes, start, end).ok_or_else(|| self.fault(fields, role, "digits"))
    }

    /// First six and last four digits as one number. What stands between is neither read nor kept.
    #[inline(always)]
    fn pan(&self, fields: Fields<'_>) -> Result<u64, FieldFault> {
        let Some(column) = self.plan.column(Role::Pan) else { return Ok(0) };
        let (start, end) = fields.place(column);
        if start == end {
            return Ok(0);
        }
        if (10..=32).contains(&(end - start))
            && let (Some(first), Some(last)) =
                (number(fields.bytes, start, start + 6), number(fields.bytes, end - 4, end))
        {
            return Ok((first * 10_000 + last) + 1);
        }
        Err(FieldFault {
            field: Role::Pan.name(),
            reason: "expected a card number with its first 6 and last 4 digits; what was found is not shown".to_owned(),
        })
    }

    /// Seconds since 1970 plus one, 0 when the file does not say.
    #[inline(always)]
    fn time(&mut self, fields: Fields<'_>) -> Result<i64, FieldFault> {
        if let Some(column) = self.plan.column(Role::Time) {
            let (start, end) = fields.place(column);
            let second = self.dates.second(fields.bytes, start, end, self.plan.time, self.near);
            return second.map(|second| second + 1).ok_or_else(|| self.fault(fields, Role::Time, "a time"));
        }
        let (Some(date), Some(clock)) = (self.plan.column(Role::Date), self.plan.column(Role::Clock)) else {
            return Ok(0);
        };
        let (start, end) = fields.place(date);
        let day = self.dates.day(fields.bytes, start, end, self.plan.date);
        let day = day.ok_or_else(|| self.fault(fields, Role::Date, "a date"))?;
        let (start, end) = fields.place(clock);
        let second =
            clock_of(fields.bytes, start, end).ok_or_else(|| self.fault(fields, Role::Clock, "a time of day"))?;
        Ok(i64::from(day) * 86_400 + second + 1)
    }

    /// Days since 1970, 0 when the file does not say.
    #[inline(always)]
    pub(crate) fn day(&mut self, fields: Fields<'_>, role: Role) -> Result<u64, FieldFault> {
        let Some(column) = self.plan.column(role) else { return Ok(0) };
        let (start, end) = fields.place(column);
        if start == end {
            return Ok(0);
        }
        let day = self.dates.day(fields.bytes, start, end, self.plan.date);
        day.and_then(|day| u64::try_from(day).ok()).ok_or_else(|| self.fault(fields, role, "a date"))
    }

    #[cold]
    pub(crate) fn fault(&self, fields: Fields<'_>, role: Role, expected: &str) -> FieldFault {
        let found = self.plan.column(role).map_or(&[][..], |column| {
            let (start, end) = fields.place(column);
            fields.bytes.get(start..end).unwrap_or_default()
        });
        FieldFault { field: role.name(), reason: format!("expected {expected}, found {}", shown(found)) }
    }
}

/// A text for people: cut, and with long runs of digits masked, for they may be a card number in a wrong column.
pub(crate) fn shown(found: &[u8]) -> String {
    let mut text = String::new();
    let cut = found.get(..40).unwrap_or(found);
    let digits = cut.iter().filter(|byte| byte.is_ascii_digit()).count();
    for (at, letter) in String::from_utf8_lossy(cut).chars().enumerate() {
        text.push(if digits > 10 && at >= 6 && letter.is_ascii_digit() { '*' } else { letter });
    }
    let dots = if found.len() > 40 { "…" } else { "" };
    format!("{text:?}{dots}")
}

/// Money in minor units, with a minus where the amount is negative.
#[inline(always)]
fn amount(bytes: &[u8], start: usize, end: usize, money: Money) -> Option<i64> {
    let negative = bytes.get(start) == Some(&b'-') && start < end;
    let from = start + usize::from(negative);
    let value = match money {
        Money::Fen if end - from <= 15 => number(bytes, from, end)?,
        Money::Fen => return None,
        Money::Yuan => yuan(bytes.get(from..end)?)?,
    };
    let value = i64::try_from(value).ok()?;
    Some(if negative { -value } else { value })
}

fn yuan(text: &[u8]) -> Option<u64> {
    let (whole, decimals) = match text.iter().position(|byte| *byte == b'.') {
        None => (text, 0),
        Some(at) => {
            let cents = match text.get(at + 1..)? {
                [tens @ b'0'..=b'9'] => u64::from(tens - b'0') * 10,
                [tens @ b'0'..=b'9', ones @ b'0'..=b'9'] => u64::from(tens - b'0') * 10 + u64::from(ones - b'0'),
                _ => return None,
            };
            (text.get(..at)?, cents)
        }
    };
    if whole.len() > 13 {
        return None;
    }
    Some(number(whole, 0, whole.len())? * 100 + decimals)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_by_unit() {
        let table = [
            ("0", Money::Fen, Some(0)),
            ("-12", Money::Fen, Some(-12)),
            ("999999999999", Money::Fen, Some(999_999_999_999)),
            ("123456789012345678901234567890", Money::Fen, None),
            ("1.5", Money::Fen, None),
            ("-", Money::Fen, None),
            ("", Money::Fen, None),
            ("1.5", Money::Yuan, Some(150)),
            ("-0.05", Money::Yuan, Some(-5)),
            ("12", Money::Yuan, Some(1_200)),
            ("1.234", Money::Yuan, None),
            (".5", Money::Yuan, None),
        ];
        for (text, money, expected) in table {
            assert_eq!(amount(text.as_bytes(), 0, text.len(), money), expected, "{text}");
        }
    }

    #[test]
    fn what_is_shown_is_cut_and_masked() {
        assert_eq!(shown(b"12a"), "\"12a\"");
        assert_eq!(shown(b"6212345678901234567"), "\"621234*************\"");
        assert_eq!(shown(&[b'x'; 60]).chars().count(), 43);
    }
}
