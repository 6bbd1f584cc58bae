//! Rows whose partner may still come, kept as text from one run to the next.

use super::code::{Code, Texts};
use super::dates::{Day, read_day, write_day};
use super::layout::Source;

/// Files with numbers from here on are earlier runs' files, known by name only.
pub(crate) const CARRIED_FROM: u64 = 0x4000;

/// A row that waits for its partner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CarriedRow {
    /// Kind of file.
    pub(crate) source: Source,
    /// Day of the run that first saw it alone.
    pub(crate) seen_on: Day,
    /// File it stands in.
    pub(crate) file: String,
    /// Where it stands there.
    pub(crate) offset: u64,
    /// Its numbers, as packed, without the place.
    pub(crate) numbers: Vec<u64>,
}

/// A carry file did not read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("carry file, line {line}: expected {expected}; give the file that an earlier run wrote")]
pub struct CarryError {
    line: usize,
    expected: &'static str,
}

const HEADER: &str = "onus-carry-1";

/// Numbers of a row, and which of them are codes.
const fn shape(source: Source) -> (usize, &'static [usize]) {
    match source {
        Source::Terminal | Source::Switch => (9, &[0, 2, 3]),
        Source::Clearing => (9, &[0, 1, 2]),
        Source::Payout => (9, &[0, 1, 2, 3, 8]),
        Source::Share => (4, &[0, 1, 2]),
        Source::Batch => (4, &[0, 1]),
        Source::Bank | Source::Merchant => (0, &[]),
    }
}

/// Writes rows as lines of fields with tabs between.
#[must_use]
pub(crate) fn write_carry(rows: &[CarriedRow], texts: &Texts) -> Vec<u8> {
    let mut lines: Vec<Vec<u8>> = rows.iter().map(|row| write_row(row, texts)).collect();
    lines.sort_unstable();
    let mut out = HEADER.as_bytes().to_vec();
    out.push(b'\n');
    for line in lines {
        out.extend_from_slice(&line);
        out.push(b'\n');
    }
    out
}

fn write_row(row: &CarriedRow, texts: &Texts) -> Vec<u8> {
    let mut line = row.source.name().as_bytes().to_vec();
    line.push(b'\t');
    write_day(row.seen_on, &mut line);
    line.push(b'\t');
    line.extend(row.file.bytes().map(|byte| if byte < b' ' { b'_' } else { byte }));
    line.extend_from_slice(format!("\t{}", row.offset).as_bytes());
    let (_, codes) = shape(row.source);
    for (at, number) in row.numbers.iter().enumerate() {
        line.push(b'\t');
        if codes.contains(&at) {
            texts.write(Code(*number), &mut line);
        } else {
            line.extend_from_slice(number.to_string().as_bytes());
        }
    }
    line
}

/// Reads what [`write_carry`] wrote.
///
/// # Errors
/// Names the line.
pub(crate) fn read_carry(text: &str, texts: &Texts) -> Result<Vec<CarriedRow>, CarryError> {
    let mut lines = text.lines();
    if lines.next() != Some(HEADER) {
        return Err(CarryError { line: 1, expected: HEADER });
    }
    lines
        .enumerate()
        .map(|(at, line)| read_row(line, texts).map_err(|expected| CarryError { line: at + 2, expected }))
        .collect()
}

fn read_row(line: &str, texts: &Texts) -> Result<CarriedRow, &'static str> {
    let mut fields = line.split('\t');
    let mut next = || fields.next().ok_or("more fields");
    let name = next()?;
    let source = Source::ALL.into_iter().find(|source| source.name() == name).ok_or("a kind of file")?;
    let seen_on = read_day(next()?).ok_or("a date")?;
    let file = next()?.to_owned();
    let offset = next()?.parse().map_err(|_| "an offset")?;
    let (count, codes) = shape(source);
    let mut numbers = Vec::with_capacity(count);
    for at in 0..count {
        let field = next()?;
        numbers.push(if codes.contains(&at) {
            texts.code(field.as_bytes()).0
        } else {
            field.parse().map_err(|_| "a number")?
        });
    }
    Ok(CarriedRow { source, seen_on, file, offset, numbers })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_come_back() {
        let texts = Texts::default();
        let code = |text: &str| texts.code(text.as_bytes()).0;
        let numbers =
            vec![code("10000001"), code("607111000001"), code("m-1"), code("6217"), 1, 2, u64::MAX, 20_524, 0];
        let row = CarriedRow { source: Source::Payout, seen_on: 20_524, file: "p.csv".to_owned(), offset: 77, numbers };
        let text = String::from_utf8(write_carry(std::slice::from_ref(&row), &texts)).unwrap();
        assert_eq!(read_carry(&text, &texts), Ok(vec![row]));
        assert!(read_carry("x", &texts).is_err());
        assert!(read_carry(&text.replace("payout", "payment"), &texts).is_err());
    }
}
