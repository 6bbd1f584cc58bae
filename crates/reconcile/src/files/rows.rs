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

/// First number that is no trace number.
pub(crate) const TRACE_END: u64 = 1_000_000;
/// First number that is too great for a batch number.
pub(crate) const BATCH_END: u64 = 1 << 40;

/// One row, wherever it stands: in a line of text, or in columns that were read before. Roles without a column are
/// empty.
pub(crate) trait Row: Copy {
    fn kind(self, reader: &RowReader<'_>) -> Result<RowKind, FieldFault>;
    /// As [`response_of`] says.
    fn response(self, reader: &RowReader<'_>) -> Result<u64, FieldFault>;
    fn is_reversed(self, reader: &RowReader<'_>) -> bool;
    /// Batch and trace as one number, 0 when the row has none.
    fn key(self, reader: &RowReader<'_>, batch: Role, trace: Role) -> Result<u64, FieldFault>;
    fn code(self, reader: &mut RowReader<'_>, role: Role) -> Result<Code, FieldFault>;
    fn money(self, reader: &RowReader<'_>, role: Role) -> Result<i64, FieldFault>;
    fn pan(self, reader: &RowReader<'_>) -> Result<u64, FieldFault>;
    /// Seconds since 1970 plus one, 0 when the file does not say.
    fn time(self, reader: &mut RowReader<'_>) -> Result<i64, FieldFault>;
    /// Days since 1970, 0 when the file does not say.
    fn day(self, reader: &mut RowReader<'_>, role: Role) -> Result<u64, FieldFault>;
    /// A small count, 0 when it is not there.
    fn count(self, reader: &RowReader<'_>, role: Role) -> Result<u64, FieldFault>;
    /// Network trace and transmission time as one number, 0 when they are not all there.
    fn network_key(self, reader: &RowReader<'_>) -> u64;
    fn fault(self, reader: &RowReader<'_>, role: Role, expected: &str) -> FieldFault;
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
        }

        impl From<[u64; $count]> for $name {
            #[inline(always)]
            fn from([$($field,)*]: [u64; $count]) -> Self {
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

    pub(crate) fn new(response: &[u8], approved: bool, reversed: bool, kind: RowKind) -> Self {
        let code = response.iter().fold(0, |code, byte| code << 8 | u64::from(*byte));
        Self::of(code | if approved { Self::APPROVED } else { 0 }, reversed, kind)
    }

    /// `response` is what [`response_of`] says.
    #[inline(always)]
    fn of(response: u64, reversed: bool, kind: RowKind) -> Self {
        let kind = match kind {
            RowKind::Refund => 1,
            RowKind::Reversal => 2,
            RowKind::Void => 3,
            RowKind::Sale | RowKind::Skip => 0,
        };
        Self(response | if reversed { Self::REVERSED } else { 0 } | kind << 18)
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
    pub(crate) fn attempt(&mut self, from: impl Row, offset: u64, row: &mut [u64; 10]) -> Result<bool, FieldFault> {
        let kind = from.kind(self)?;
        if kind == RowKind::Skip {
            return Ok(false);
        }
        let mark = Mark::of(from.response(self)?, from.is_reversed(self), kind);
        let mut key = from.key(self, Role::Batch, Role::Trace)?;
        if mark.takes_back() && self.plan.column(Role::OriginalTrace).is_some() {
            let original =
                if self.plan.column(Role::OriginalBatch).is_some() { Role::OriginalBatch } else { Role::Batch };
            key = from.key(self, original, Role::OriginalTrace)?;
        }
        row[0] = required_of(from, self, Role::Terminal)?;
        row[1] = key;
        row[2] = from.code(self, Role::Rrn)?.0;
        row[3] = from.code(self, Role::Merchant)?.0;
        row[4] = from.money(self, Role::Amount)?.cast_unsigned();
        row[5] = from.pan(self)?;
        row[6] = from.time(self)?.cast_unsigned();
        row[7] = mark.0;
        row[8] = from.day(self, Role::Settled)?;
        row[9] = place(self.file, offset);
        Ok(true)
    }

    #[inline(always)]
    pub(crate) fn cleared(&mut self, from: impl Row, offset: u64, row: &mut [u64; 10]) -> Result<bool, FieldFault> {
        let kind = from.kind(self)?;
        if kind == RowKind::Skip {
            return Ok(false);
        }
        row[0] = from.code(self, Role::Terminal)?.0;
        row[1] = from.code(self, Role::Rrn)?.0;
        row[2] = from.code(self, Role::Merchant)?.0;
        row[3] = from.money(self, Role::Amount)?.cast_unsigned();
        row[4] = from.day(self, Role::Settled)?;
        row[5] = money_or(from, self, Role::NetworkFee, 0)?.cast_unsigned();
        row[6] = Mark::of(Mark::APPROVED, false, kind).0;
        row[7] = from.pan(self)?;
        row[8] = from.count(self, Role::Mcc)?;
        row[9] = place(self.file, offset);
        Ok(true)
    }

    #[inline(always)]
    pub(crate) fn paid(&mut self, from: impl Row, offset: u64, row: &mut [u64; 10]) -> Result<bool, FieldFault> {
        let net = from.money(self, Role::Net)?;
        let fee = money_or(from, self, Role::Fee, 0)?;
        let gross = money_or(from, self, Role::Gross, net.saturating_add(fee))?;
        row[0] = required_of(from, self, Role::Terminal)?;
        row[1] = required_of(from, self, Role::Rrn)?;
        row[2] = from.code(self, Role::Merchant)?.0;
        row[3] = from.code(self, Role::Account)?.0;
        row[4] = gross.cast_unsigned();
        row[5] = fee.cast_unsigned();
        row[6] = net.cast_unsigned();
        row[7] = from.day(self, Role::PaidOn)?;
        row[8] = from.code(self, Role::PayoutBatch)?.0;
        row[9] = place(self.file, offset);
        Ok(true)
    }

    #[inline(always)]
    pub(crate) fn shared(&mut self, from: impl Row, offset: u64, row: &mut [u64; 5]) -> Result<bool, FieldFault> {
        row[0] = required_of(from, self, Role::Terminal)?;
        row[1] = required_of(from, self, Role::Rrn)?;
        row[2] = required_of(from, self, Role::Agent)?;
        row[3] = from.money(self, Role::Share)?.cast_unsigned();
        row[4] = place(self.file, offset);
        Ok(true)
    }

    #[inline(always)]
    pub(crate) fn text<'f>(&self, fields: Fields<'f>, role: Role) -> &'f [u8] {
        let Some(column) = self.plan.column(role) else { return &[] };
        let (start, end) = fields.place(column);
        fields.bytes.get(start..end).unwrap_or_default()
    }

    #[inline(always)]
    pub(crate) fn kind(&self, fields: Fields<'_>) -> Result<RowKind, FieldFault> {
        let Some(column) = self.plan.column(Role::Kind) else { return Ok(RowKind::Sale) };
        self.plan
            .kind(fields.text(column))
            .ok_or_else(|| self.fault(fields, Role::Kind, "a kind that the layout names"))
    }

    #[inline(always)]
    fn batch_and_trace(&self, fields: Fields<'_>, batch: Role, trace: Role) -> Result<u64, FieldFault> {
        let (Some(batch_at), Some(trace_at)) = (self.plan.column(batch), self.plan.column(trace)) else { return Ok(0) };
        let read = |column| {
            let (start, end) = fields.place(column);
            number(fields.bytes, start, end)
        };
        match (read(batch_at), read(trace_at)) {
            (Some(batch), Some(trace)) if trace < TRACE_END && batch < BATCH_END => Ok(key_of(batch, trace)),
            (_, None) if fields.text(trace_at).is_empty() => Ok(0),
            (None, _) => Err(self.fault(fields, batch, "a batch number")),
            _ => Err(self.fault(fields, trace, "a trace number of at most 6 digits")),
        }
    }

    #[inline(always)]
    pub(crate) fn code(&mut self, fields: Fields<'_>, role: Role, longest: usize) -> Result<Code, FieldFault> {
        let Some(column) = self.plan.column(role) else { return Ok(Code::NONE) };
        let (start, end) = fields.place(column);
        self.code_at(fields.bytes, start, end, longest).ok_or_else(|| {
            let expected = format!("at most {longest} letters and digits");
            self.fault(fields, role, &expected)
        })
    }

    /// The code written in `bytes[start..end]`.
    #[inline(always)]
    pub(crate) fn code_at(&mut self, bytes: &[u8], start: usize, end: usize, longest: usize) -> Option<Code> {
        let length = end - start;
        if length <= longest
            && let Some(value) = number(bytes, start, end)
        {
            return Some(Code::of_digits(value, length));
        }
        self.other_code(bytes.get(start..end).unwrap_or_default(), longest)
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

    /// A small count, 0 when it is not there.
    pub(crate) fn count(&self, fields: Fields<'_>, role: Role) -> Result<u64, FieldFault> {
        let Some(column) = self.plan.column(role) else { return Ok(0) };
        let (start, end) = fields.place(column);
        if start == end {
            return Ok(0);
        }
        number(fields.bytes, start, end).ok_or_else(|| self.fault(fields, role, "digits"))
    }

    /// Seconds since 1970 plus one, 0 when the file does not say.
    #[inline(always)]
    fn time(&mut self, fields: Fields<'_>) -> Result<i64, FieldFault> {
        if let Some(column) = self.plan.column(Role::Time) {
            let (start, end) = fields.place(column);
            return self.time_at(fields.bytes, start, end).ok_or_else(|| self.fault(fields, Role::Time, "a time"));
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
        self.day_at(fields.bytes, start, end).ok_or_else(|| self.fault(fields, role, "a date"))
    }

    /// Seconds since 1970 plus one.
    #[inline(always)]
    pub(crate) fn time_at(&mut self, bytes: &[u8], start: usize, end: usize) -> Option<i64> {
        self.dates.second(bytes, start, end, self.plan.time, self.near).map(|second| second + 1)
    }

    /// Days since 1970, 0 where nothing stands.
    #[inline(always)]
    pub(crate) fn day_at(&mut self, bytes: &[u8], start: usize, end: usize) -> Option<u64> {
        if start == end {
            return Some(0);
        }
        self.dates.day(bytes, start, end, self.plan.date).and_then(|day| u64::try_from(day).ok())
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

impl Row for Fields<'_> {
    #[inline(always)]
    fn kind(self, reader: &RowReader<'_>) -> Result<RowKind, FieldFault> {
        reader.kind(self)
    }

    #[inline(always)]
    fn response(self, reader: &RowReader<'_>) -> Result<u64, FieldFault> {
        response_of(reader.text(self, Role::Response), reader.plan)
            .ok_or_else(|| reader.fault(self, Role::Response, "a response code of at most 2 characters"))
    }

    #[inline(always)]
    fn is_reversed(self, reader: &RowReader<'_>) -> bool {
        reader.plan.column(Role::Reversed).is_some_and(|at| reader.plan.is_reversed(self.text(at)))
    }

    #[inline(always)]
    fn key(self, reader: &RowReader<'_>, batch: Role, trace: Role) -> Result<u64, FieldFault> {
        reader.batch_and_trace(self, batch, trace)
    }

    #[inline(always)]
    fn code(self, reader: &mut RowReader<'_>, role: Role) -> Result<Code, FieldFault> {
        reader.code(self, role, longest(role))
    }

    #[inline(always)]
    fn money(self, reader: &RowReader<'_>, role: Role) -> Result<i64, FieldFault> {
        reader.money(self, role)
    }

    #[inline(always)]
    fn pan(self, reader: &RowReader<'_>) -> Result<u64, FieldFault> {
        let Some(column) = reader.plan.column(Role::Pan) else { return Ok(0) };
        let (start, end) = self.place(column);
        pan_of(self.bytes, start, end).ok_or_else(|| FieldFault {
            field: Role::Pan.name(),
            reason: "expected a card number with its first 6 and last 4 digits; what was found is not shown".to_owned(),
        })
    }

    #[inline(always)]
    fn time(self, reader: &mut RowReader<'_>) -> Result<i64, FieldFault> {
        reader.time(self)
    }

    #[inline(always)]
    fn day(self, reader: &mut RowReader<'_>, role: Role) -> Result<u64, FieldFault> {
        reader.day(self, role)
    }

    #[inline(always)]
    fn count(self, reader: &RowReader<'_>, role: Role) -> Result<u64, FieldFault> {
        reader.count(self, role)
    }

    fn network_key(self, reader: &RowReader<'_>) -> u64 {
        let part = |role| {
            let (start, end) = self.place(reader.plan.column(role)?);
            number(self.bytes, start, end)
        };
        network_key_of(part(Role::NetworkTrace), part(Role::TransmittedAt))
    }

    #[cold]
    fn fault(self, reader: &RowReader<'_>, role: Role, expected: &str) -> FieldFault {
        reader.fault(self, role, expected)
    }
}

/// A code that must be there.
#[inline(always)]
fn required_of(from: impl Row, reader: &mut RowReader<'_>, role: Role) -> Result<u64, FieldFault> {
    let code = from.code(reader, role)?;
    if code.is_none() { Err(from.fault(reader, role, "a value")) } else { Ok(code.0) }
}

/// Money, or `missing` when the file has no such column.
#[inline(always)]
fn money_or(from: impl Row, reader: &RowReader<'_>, role: Role, missing: i64) -> Result<i64, FieldFault> {
    if reader.plan.column(role).is_none() { Ok(missing) } else { from.money(reader, role) }
}

/// Characters that a code may have.
pub(crate) const fn longest(role: Role) -> usize {
    match role {
        Role::Terminal => 16,
        Role::Rrn => 12,
        Role::Merchant => 20,
        _ => 40,
    }
}

/// A batch and a trace number as one, never 0.
#[inline(always)]
pub(crate) const fn key_of(batch: u64, trace: u64) -> u64 {
    (batch << 20 | trace) + 1
}

/// Network trace and transmission time as one number, 0 when they are not all there.
pub(crate) fn network_key_of(trace: Option<u64>, sent: Option<u64>) -> u64 {
    match (trace, sent) {
        (Some(trace), Some(sent)) if trace < TRACE_END && sent < 10_000_000_000 => trace * 10_000_000_000 + sent,
        _ => 0,
    }
}

/// A response code with whether it means approved, as it stands in [`Mark`].
#[inline(always)]
pub(crate) fn response_of(text: &[u8], plan: &Plan) -> Option<u64> {
    let code = match text {
        [] => 0,
        [one] => u64::from(*one),
        [one, two] => u64::from(*one) << 8 | u64::from(*two),
        _ => return None,
    };
    Some(code | if plan.is_approved(text) { Mark::APPROVED } else { 0 })
}

/// First six and last four digits as one number, 0 where nothing stands. What is between them is neither read nor kept.
#[inline(always)]
pub(crate) fn pan_of(bytes: &[u8], start: usize, end: usize) -> Option<u64> {
    if start == end {
        return Some(0);
    }
    if !(10..=32).contains(&(end - start)) {
        return None;
    }
    let (first, last) = (number(bytes, start, start + 6)?, number(bytes, end - 4, end)?);
    Some((first * 10_000 + last) + 1)
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
pub(crate) fn amount(bytes: &[u8], start: usize, end: usize, money: Money) -> Option<i64> {
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
