//! Rows from typed columns, without a way round by text: each column is read as a whole, a dictionary once.

use super::code::Code;
use super::columns::{Column, ColumnBatch, Place, write_number};
use super::digits::number;
use super::layout::{Money, Plan, Role, RowKind};
use super::rows::{
    BATCH_END, FieldFault, Fields, Row, RowReader, TRACE_END, amount, key_of, longest, network_key_of, pan_of,
    response_of,
};

/// Stands where a column has no number.
const NO_NUMBER: u64 = u64::MAX;

/// The columns of a batch as numbers, by role.
#[derive(Default)]
pub(crate) struct TypedColumns {
    values: Vec<Vec<u64>>,
    dictionaries: Vec<Dictionary>,
    scratch: Vec<u8>,
}

/// What the texts of a dictionary stand for.
#[derive(Default)]
struct Dictionary {
    /// Its number, plus one.
    of: u64,
    values: Vec<u64>,
}

/// How a text becomes a number.
#[derive(Clone, Copy)]
enum How {
    Code(usize),
    Money,
    Pan,
    Time,
    Day,
    /// A number below `end`; [`NO_NUMBER`] where nothing stands.
    Number {
        end: u64,
    },
    /// Part of the network's key; [`NO_NUMBER`] where it is no number.
    Part,
    Count,
    Response,
    Reversed,
    Kind,
}

const fn how(role: Role) -> Option<How> {
    Some(match role {
        Role::Terminal | Role::Rrn | Role::Merchant | Role::Account | Role::PayoutBatch | Role::Agent => {
            How::Code(longest(role))
        }
        Role::Amount | Role::NetworkFee | Role::Gross | Role::Fee | Role::Net | Role::Share => How::Money,
        Role::Pan => How::Pan,
        Role::Time => How::Time,
        Role::Settled | Role::PaidOn => How::Day,
        Role::Batch => How::Number { end: BATCH_END },
        Role::Trace => How::Number { end: TRACE_END },
        Role::NetworkTrace | Role::TransmittedAt => How::Part,
        Role::Mcc => How::Count,
        Role::Response => How::Response,
        Role::Reversed => How::Reversed,
        Role::Kind => How::Kind,
        _ => return None,
    })
}

/// Roles for which columns are put together; their files are read as text.
const TOGETHER: [Role; 4] = [Role::Sign, Role::OriginalTrace, Role::OriginalBatch, Role::Clock];

impl TypedColumns {
    /// Reads the columns of these roles; false when a value does not read, which only the way by text can explain.
    pub(crate) fn read(&mut self, reader: &mut RowReader<'_>, roles: &[Role], batch: &ColumnBatch<'_>) -> bool {
        let plan = reader.plan;
        if !plan.control.is_empty() || TOGETHER.iter().any(|role| plan.column(*role).is_some()) {
            return false;
        }
        self.values.resize_with(Role::ALL.len(), Vec::new);
        self.dictionaries.resize_with(Role::ALL.len(), Dictionary::default);
        roles.iter().all(|role| {
            let Some(column) = plan.column(*role).and_then(|at| batch.columns.get(at)) else { return true };
            how(*role).is_some_and(|how| self.column(reader, *role, how, column))
        })
    }

    fn column(&mut self, reader: &mut RowReader<'_>, role: Role, how: How, column: &Column<'_>) -> bool {
        let Some(values) = self.values.get_mut(role as usize) else { return false };
        values.clear();
        match column {
            Column::Left | Column::OddNumbers(_) => false,
            Column::Numbers(numbers) => match (how, reader.plan.money) {
                (How::Money, Money::Fen) => {
                    values.extend(numbers.iter().map(|number| number.cast_unsigned()));
                    numbers.iter().all(|number| number.unsigned_abs() < 1_000_000_000_000_000)
                }
                _ => read_numbers(reader, how, numbers, &mut self.scratch, values),
            },
            Column::Texts(texts) => read_texts(reader, how, texts.places(), values),
            Column::Coded { dictionary, keys, texts } => {
                let Some(known) = self.dictionaries.get_mut(role as usize) else { return false };
                if known.of != dictionary + 1 {
                    known.of = 0;
                    known.values.clear();
                    if !read_texts(reader, how, texts.places(), &mut known.values) {
                        return false;
                    }
                    known.of = dictionary + 1;
                }
                let empty = read_one(reader, how, &[], 0, 0);
                let mut whole = true;
                values.extend(keys.iter().map(|key| {
                    let value = usize::try_from(*key).ok().and_then(|key| known.values.get(key).copied()).or(empty);
                    whole &= value.is_some();
                    value.unwrap_or(0)
                }));
                whole
            }
        }
    }
}

/// Numbers where the layout speaks of texts: read as they would be written. The same ones come in runs.
fn read_numbers(
    reader: &mut RowReader<'_>,
    how: How,
    numbers: &[i64],
    scratch: &mut Vec<u8>,
    values: &mut Vec<u64>,
) -> bool {
    let mut last: Option<(i64, u64)> = None;
    for number in numbers {
        let value = match last {
            Some((known, value)) if known == *number => value,
            _ => {
                scratch.clear();
                write_number(*number, scratch);
                let Some(value) = read_one(reader, how, scratch, 0, scratch.len()) else { return false };
                last = Some((*number, value));
                value
            }
        };
        values.push(value);
    }
    true
}

/// A loop of its own for each way, so that nothing is asked twice for each row.
fn read_texts<'a>(
    reader: &mut RowReader<'_>,
    how: How,
    texts: impl Iterator<Item = Place<'a>>,
    values: &mut Vec<u64>,
) -> bool {
    #[inline(always)]
    fn all<'a>(
        texts: impl Iterator<Item = Place<'a>>,
        values: &mut Vec<u64>,
        mut one: impl FnMut(&[u8], usize, usize) -> Option<u64>,
    ) -> bool {
        let mut whole = true;
        values.extend(texts.map(|(bytes, start, end)| {
            let value = one(bytes, start, end);
            whole &= value.is_some();
            value.unwrap_or(0)
        }));
        whole
    }
    match how {
        How::Code(longest) => {
            all(texts, values, |bytes, start, end| reader.code_at(bytes, start, end, longest).map(|code| code.0))
        }
        How::Pan => all(texts, values, |bytes, start, end| read_one(reader, How::Pan, bytes, start, end)),
        How::Time => all(texts, values, |bytes, start, end| read_one(reader, How::Time, bytes, start, end)),
        How::Number { end: limit } => {
            all(texts, values, |bytes, start, end| read_one(reader, How::Number { end: limit }, bytes, start, end))
        }
        _ => all(texts, values, |bytes, start, end| read_one(reader, how, bytes, start, end)),
    }
}

#[inline(always)]
fn read_one(reader: &mut RowReader<'_>, how: How, bytes: &[u8], start: usize, end: usize) -> Option<u64> {
    let plan: &Plan = reader.plan;
    let text = || bytes.get(start..end).unwrap_or_default();
    match how {
        How::Code(longest) => reader.code_at(bytes, start, end, longest).map(|code| code.0),
        How::Money => amount(bytes, start, end, plan.money).map(i64::cast_unsigned),
        How::Pan => pan_of(bytes, start, end),
        How::Time => reader.time_at(bytes, start, end).map(i64::cast_unsigned),
        How::Day => reader.day_at(bytes, start, end),
        How::Number { .. } if start == end => Some(NO_NUMBER),
        How::Number { end: limit } => number(bytes, start, end).filter(|number| *number < limit),
        How::Part => Some(number(bytes, start, end).unwrap_or(NO_NUMBER)),
        How::Count if start == end => Some(0),
        How::Count => number(bytes, start, end),
        How::Response => response_of(text(), plan),
        How::Reversed => Some(u64::from(plan.is_reversed(text()))),
        How::Kind => plan.kind(text()).map(|kind| kind as u64),
    }
}

/// One row of [`TypedColumns`].
#[derive(Clone, Copy)]
pub(crate) struct TypedRow<'a> {
    pub(crate) columns: &'a TypedColumns,
    pub(crate) row: usize,
}

impl TypedRow<'_> {
    /// 0 where the file has no such column.
    #[inline(always)]
    fn value(self, role: Role) -> u64 {
        self.columns.values.get(role as usize).and_then(|values| values.get(self.row)).copied().unwrap_or(0)
    }
}

impl Row for TypedRow<'_> {
    #[inline(always)]
    fn kind(self, _: &RowReader<'_>) -> Result<RowKind, FieldFault> {
        Ok(match self.value(Role::Kind) {
            1 => RowKind::Refund,
            2 => RowKind::Reversal,
            3 => RowKind::Void,
            4 => RowKind::Skip,
            _ => RowKind::Sale,
        })
    }

    #[inline(always)]
    fn response(self, _: &RowReader<'_>) -> Result<u64, FieldFault> {
        Ok(self.value(Role::Response))
    }

    #[inline(always)]
    fn is_reversed(self, _: &RowReader<'_>) -> bool {
        self.value(Role::Reversed) != 0
    }

    #[inline(always)]
    fn key(self, reader: &RowReader<'_>, batch: Role, trace: Role) -> Result<u64, FieldFault> {
        if reader.plan.column(batch).is_none() || reader.plan.column(trace).is_none() {
            return Ok(0);
        }
        match (self.value(batch), self.value(trace)) {
            (_, NO_NUMBER) => Ok(0),
            (NO_NUMBER, _) => Err(self.fault(reader, batch, "a batch number")),
            (batch, trace) => Ok(key_of(batch, trace)),
        }
    }

    #[inline(always)]
    fn code(self, _: &mut RowReader<'_>, role: Role) -> Result<Code, FieldFault> {
        Ok(Code(self.value(role)))
    }

    #[inline(always)]
    fn money(self, _: &RowReader<'_>, role: Role) -> Result<i64, FieldFault> {
        Ok(self.value(role).cast_signed())
    }

    #[inline(always)]
    fn pan(self, _: &RowReader<'_>) -> Result<u64, FieldFault> {
        Ok(self.value(Role::Pan))
    }

    #[inline(always)]
    fn time(self, _: &mut RowReader<'_>) -> Result<i64, FieldFault> {
        Ok(self.value(Role::Time).cast_signed())
    }

    #[inline(always)]
    fn day(self, _: &mut RowReader<'_>, role: Role) -> Result<u64, FieldFault> {
        Ok(self.value(role))
    }

    #[inline(always)]
    fn count(self, _: &RowReader<'_>, role: Role) -> Result<u64, FieldFault> {
        Ok(self.value(role))
    }

    fn network_key(self, reader: &RowReader<'_>) -> u64 {
        let part = |role| reader.plan.column(role).map(|_| self.value(role));
        network_key_of(part(Role::NetworkTrace), part(Role::TransmittedAt))
    }

    /// What does not read never comes here, so only what is missing is told.
    #[cold]
    fn fault(self, reader: &RowReader<'_>, role: Role, expected: &str) -> FieldFault {
        reader.fault(Fields { bytes: &[], start: 0, ends: &[] }, role, expected)
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use proptest::prelude::*;

    use super::super::blocks::FIELD_END;
    use super::super::code::Texts as CodeTexts;
    use super::super::columns::{Texts, Views, long_view, view};
    use super::super::layout::{HeaderOf, Layout, Source};
    use super::super::takers::Packed;
    use super::super::tokens::Ends;
    use super::*;
    use crate::files::rows::Attempt;

    const LAYOUT: &str = include_str!("../../../../layouts/four-files.toml");
    const NAMES: [&str; 13] = [
        "rrn",
        "term_id",
        "merchant_id",
        "batch_no",
        "trace_no",
        "txn_time",
        "txn_type",
        "pan",
        "amount",
        "resp_code",
        "reversed",
        "route",
        "settle_date",
    ];

    fn plan() -> Plan {
        let names = NAMES.iter().map(|name| (*name).to_owned()).collect();
        Layout::from_toml(LAYOUT).unwrap().plan(Source::Switch, "switch", &HeaderOf::Names(names)).unwrap()
    }

    /// The texts of one column.
    fn joined(texts: impl Iterator<Item = String>) -> (Vec<u8>, Vec<i32>) {
        let (mut bytes, mut ends) = (Vec::new(), vec![0]);
        for text in texts {
            bytes.extend_from_slice(text.as_bytes());
            ends.push(i32::try_from(bytes.len()).unwrap());
        }
        (bytes, ends)
    }

    /// The same as views.
    fn viewed((bytes, ends): &(Vec<u8>, Vec<i32>)) -> Vec<u8> {
        let places = ends.array_windows().map(|[start, end]| *start as usize..*end as usize);
        let views = places.map(|place| match &bytes[place.clone()] {
            short @ ([] | [_] | [_, ..]) if short.len() <= 12 => view(short),
            long => long_view(long, 0, place.start),
        });
        views.collect::<Vec<_>>().concat()
    }

    /// A field of a column, mostly as it should be.
    fn field(column: usize) -> BoxedStrategy<String> {
        let good = match NAMES[column] {
            "rrn" => "|[0-9]{12}",
            "term_id" => "[0-9]{8}",
            "merchant_id" => "[0-9]{15}|M[A-Z]{4}[0-9]{9}",
            "batch_no" | "trace_no" => "[0-9]{6}",
            "txn_time" => "2026031[0-9]1[0-9][0-5][0-9][0-5][0-9]",
            "txn_type" => "01|03|02|04",
            "pan" => "|62[0-9]{4}[*]{6}[0-9]{4}",
            "amount" => "[1-9][0-9]{2,6}",
            "resp_code" => "00|51|TO",
            "settle_date" => "|2026031[0-9]",
            _ => "0|1",
        };
        prop_oneof![200 => good, 1 => "[ -~]{0,3}|[0-9]{20}|Z"].boxed()
    }

    fn rows() -> impl Strategy<Value = Vec<Vec<String>>> {
        let row: Vec<_> = (0..NAMES.len()).map(field).collect();
        prop::collection::vec(row, 1..20)
    }

    /// Rows by way of text; none when one of them does not read.
    fn by_text(plan: &Plan, texts: &CodeTexts, batch: &ColumnBatch<'_>) -> Option<Vec<[u64; 10]>> {
        let mut reader = RowReader::new(plan, texts, 1, None);
        let (mut lines, mut ends) = (Vec::new(), Ends::default());
        batch.write_rows(&mut lines);
        let mut start = 0;
        let rows = ends.find(&lines, FIELD_END).chunks(NAMES.len()).zip(0..).map(|(ends, number)| {
            let mut row = [0; 10];
            let fields = Fields { bytes: &lines, start, ends };
            start = *ends.last()? as usize + 1;
            reader.attempt(fields, number, &mut row).ok()?.then_some(row)
        });
        rows.collect()
    }

    fn by_columns(plan: &Plan, texts: &CodeTexts, batch: &ColumnBatch<'_>) -> Option<Vec<[u64; 10]>> {
        let mut reader = RowReader::new(plan, texts, 1, None);
        let mut columns = TypedColumns::default();
        if !columns.read(&mut reader, <Attempt as Packed<10>>::ROLES, batch) {
            return None;
        }
        let rows = (0..batch.rows).map(|number| {
            let mut row = [0; 10];
            let from = TypedRow { columns: &columns, row: number };
            reader.attempt(from, number as u64, &mut row).ok()?.then_some(row)
        });
        rows.collect()
    }

    proptest! {
        #[test]
        fn columns_say_what_their_text_says(rows in rows(), coded in 0_u32..1 << 13) {
            let (plan, texts) = (plan(), CodeTexts::default());
            let parts: Vec<_> = (0..NAMES.len()).map(|at| joined(rows.iter().map(|row| row[at].clone()))).collect();
            let amounts: Option<Vec<i64>> = rows.iter().map(|row| row[8].parse().ok()).collect();
            let views: Vec<Vec<u8>> = parts.iter().map(viewed).collect();
            let columns: Vec<Column<'_>> = parts.iter().enumerate().map(|(at, (bytes, ends))| {
                let texts = Texts { bytes, ends };
                match &amounts {
                    Some(amounts) if at == 8 && coded & 1 == 0 => Column::Numbers(Cow::Borrowed(amounts)),
                    _ if coded >> at & 1 == 1 => {
                        let keys = (0..i32::try_from(rows.len()).unwrap()).collect();
                        Column::Coded { dictionary: 7, keys: Cow::Owned(keys), texts }
                    }
                    _ => Column::Texts(Views { views: &views[at], buffers: vec![bytes] }),
                }
            }).collect();
            let batch = ColumnBatch { first: 0, rows: rows.len(), columns: &columns };
            let expected = by_text(&plan, &texts, &batch);
            let found = by_columns(&plan, &texts, &batch);
            // What does not read as columns comes again as text.
            prop_assert!(found.is_none() || found == expected, "{:?} {:?}", found, expected);
            let odd = rows.iter().flatten().any(|field| field.len() == 20 || field.contains('Z') || field.len() <= 3);
            prop_assert!(found.is_some() || expected.is_none() || odd);
        }
    }

    #[test]
    fn missing_texts_of_a_dictionary_are_empty() {
        let (plan, texts) = (plan(), CodeTexts::default());
        let mut reader = RowReader::new(&plan, &texts, 1, None);
        let mut columns = TypedColumns::default();
        let known = Texts { bytes: b"607112000001", ends: &[0, 12] };
        let mut all: Vec<Column<'_>> = NAMES.iter().map(|_| Column::Left).collect();
        all[0] = Column::Coded { dictionary: 0, keys: Cow::Borrowed(&[0, -1]), texts: known };
        let batch = ColumnBatch { first: 0, rows: 2, columns: &all };
        assert!(columns.read(&mut reader, &[Role::Rrn], &batch));
        assert_eq!(TypedRow { columns: &columns, row: 0 }.value(Role::Rrn), texts.code(b"607112000001").0);
        assert_eq!(TypedRow { columns: &columns, row: 1 }.value(Role::Rrn), 0);
    }
}
