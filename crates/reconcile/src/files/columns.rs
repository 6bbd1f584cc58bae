//! Files of typed columns, such as Parquet: batches of columns, and how they look as rows of text.

use std::borrow::Cow;
use std::io;

use super::blocks::FIELD_END;

/// A file of typed columns. Several threads read different parts of it.
pub trait ReadColumns: Sync {
    /// Names of its columns.
    fn names(&self) -> Vec<String>;

    /// Says which columns will be asked for; the others may be [`Column::Left`].
    fn select(&self, columns: &[usize]);

    /// Bytes of the file that one row stands for, for the progress told.
    fn row_bytes(&self) -> u64;

    /// A reader of one thread; together the readers of a file hand out each row once.
    fn reader(&self) -> Box<dyn NextColumns + '_>;
}

/// Takes a batch.
pub type TakeColumns<'a> = dyn FnMut(&ColumnBatch<'_>) + 'a;

/// Hands out batches of columns.
pub trait NextColumns {
    /// Hands the next batch to `take`; false when there is none.
    ///
    /// # Errors
    /// When the file does not read.
    fn next(&mut self, take: &mut TakeColumns<'_>) -> io::Result<bool>;
}

/// Some rows of a file, column by column.
#[derive(Debug)]
pub struct ColumnBatch<'a> {
    /// Number of the first row, from 0.
    pub first: u64,
    /// How many rows.
    pub rows: usize,
    /// All columns of the file.
    pub columns: &'a [Column<'a>],
}

/// The values of one column in some rows. A missing value is an empty text.
#[derive(Debug)]
pub enum Column<'a> {
    /// Not asked for.
    Left,
    /// Whole numbers, none missing.
    Numbers(Cow<'a, [i64]>),
    /// Whole numbers of which some are missing or too great for the form above.
    OddNumbers(Vec<Option<i128>>),
    /// Texts.
    Texts(Views<'a>),
    /// Texts by their number in a dictionary.
    Coded {
        /// Another dictionary has another number.
        dictionary: u64,
        /// Number of the text of each row; negative where there is none.
        keys: Cow<'a, [i32]>,
        /// The dictionary.
        texts: Texts<'a>,
    },
}

/// Texts where they stand, in the form of Arrow's views.
#[derive(Debug, Clone)]
pub struct Views<'a> {
    /// Sixteen bytes each, the lowest first: the length in four of them and the text, or when that has more than twelve
    /// bytes its first four, the number of its buffer and where it begins there.
    pub views: &'a [u8],
    /// What longer texts stand in.
    pub buffers: Vec<&'a [u8]>,
}

impl<'a> Views<'a> {
    /// Each text as bytes that it stands in, its start and its end.
    #[inline(always)]
    pub(crate) fn places(&self) -> impl Iterator<Item = Place<'a>> {
        let (views, _) = self.views.as_chunks::<16>();
        views.iter().enumerate().map(|(number, view)| {
            let [length, _, buffer, from] = view.as_chunks().0 else { return (&[][..], 0, 0) };
            let length = word(*length);
            if length <= 12 {
                let start = 16 * number + 4;
                return (self.views, start, start + length);
            }
            let start = word(*from);
            (self.buffers.get(word(*buffer)).copied().unwrap_or_default(), start, start + length)
        })
    }

    fn get(&self, number: usize) -> &'a [u8] {
        let place = self.places().nth(number);
        place.and_then(|(bytes, start, end)| bytes.get(start..end)).unwrap_or_default()
    }
}

/// Bytes that a text stands in, its start and its end.
pub(crate) type Place<'a> = (&'a [u8], usize, usize);

#[inline(always)]
fn word(bytes: [u8; 4]) -> usize {
    usize::try_from(u32::from_le_bytes(bytes)).unwrap_or(usize::MAX)
}

/// Texts one after another: text `n` is `bytes[ends[n]..ends[n + 1]]`.
#[derive(Debug, Clone, Copy)]
pub struct Texts<'a> {
    /// All texts.
    pub bytes: &'a [u8],
    /// Where the first begins and each ends.
    pub ends: &'a [i32],
}

/// Offsets are never negative.
#[inline(always)]
fn place(offset: i32) -> usize {
    usize::try_from(offset).unwrap_or(usize::MAX)
}

impl<'a> Texts<'a> {
    /// Each text as all bytes, its start and its end.
    #[inline(always)]
    pub(crate) fn places(&self) -> impl Iterator<Item = Place<'a>> {
        self.ends.array_windows().map(|[start, end]| (self.bytes, place(*start), place(*end)))
    }

    fn get(&self, number: usize) -> &'a [u8] {
        let end = |at: usize| self.ends.get(at).map_or(0, |end| place(*end));
        self.bytes.get(end(number)..end(number + 1)).unwrap_or_default()
    }
}

impl ColumnBatch<'_> {
    /// Appends the rows as lines.
    pub(crate) fn write_rows(&self, text: &mut Vec<u8>) {
        for row in 0..self.rows {
            for (number, column) in self.columns.iter().enumerate() {
                if number > 0 {
                    text.push(FIELD_END);
                }
                column.write(row, text);
            }
            text.push(b'\n');
        }
    }
}

impl Column<'_> {
    fn write(&self, row: usize, text: &mut Vec<u8>) {
        match self {
            Self::Left => {}
            Self::Numbers(numbers) => {
                if let Some(number) = numbers.get(row) {
                    write_number(*number, text);
                }
            }
            Self::OddNumbers(numbers) => {
                if let Some(Some(number)) = numbers.get(row) {
                    text.extend_from_slice(number.to_string().as_bytes());
                }
            }
            Self::Texts(texts) => write_text(texts.get(row), text),
            Self::Coded { keys, texts, .. } => {
                if let Some(key) = keys.get(row).and_then(|key| usize::try_from(*key).ok()) {
                    write_text(texts.get(key), text);
                }
            }
        }
    }
}

/// A line end inside a value would be taken for the end of the row: the whole value is unreadable then.
fn write_text(value: &[u8], text: &mut Vec<u8>) {
    if value.iter().any(|byte| matches!(*byte, b'\n' | FIELD_END)) {
        text.push(b'?');
    } else {
        text.extend_from_slice(value);
    }
}

/// Appends a number.
pub fn write_number(number: i64, out: &mut Vec<u8>) {
    if number < 0 {
        out.push(b'-');
    }
    let mut digits = [0; 20];
    let mut left = number.unsigned_abs();
    let mut at = digits.len();
    loop {
        at -= 1;
        digits[at] = b'0' + u8::try_from(left % 10).unwrap_or(0);
        left /= 10;
        if left == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[at..]);
}

/// The view of a text of at most twelve bytes.
#[cfg(test)]
pub(crate) fn view(text: &[u8]) -> Vec<u8> {
    let length = u32::try_from(text.len()).unwrap().to_le_bytes();
    [&length, text, &[0; 12][text.len()..]].concat()
}

/// The view of a longer text.
#[cfg(test)]
pub(crate) fn long_view(text: &[u8], buffer: u32, from: usize) -> Vec<u8> {
    let [length, from] = [text.len(), from].map(|number| u32::try_from(number).unwrap().to_le_bytes());
    [&length, &text[..4], &buffer.to_le_bytes(), &from].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_as_the_standard_library_writes_them() {
        for number in [0, 7, -7, 1_234_567_890, i64::MAX, i64::MIN] {
            let mut out = Vec::new();
            write_number(number, &mut out);
            assert_eq!(out, number.to_string().as_bytes());
        }
    }

    #[test]
    fn rows_as_lines() {
        let texts = Texts { bytes: b"aXa\nb", ends: &[0, 1, 2, 5] };
        let long = "over twelve bytes";
        let views = [view(b"a"), long_view(long.as_bytes(), 1, 3), view(b"a\nb")].concat();
        let views = Views { views: &views, buffers: vec![b"", b"...over twelve bytes"] };
        let columns = [
            Column::Numbers(Cow::Borrowed(&[1, -2, 3])),
            Column::Left,
            Column::Texts(views),
            Column::Coded { dictionary: 0, keys: Cow::Borrowed(&[1, -1, 0]), texts },
            Column::OddNumbers(vec![None, Some(1 << 64), Some(0)]),
        ];
        let mut text = Vec::new();
        ColumnBatch { first: 0, rows: 3, columns: &columns }.write_rows(&mut text);
        let lines = String::from_utf8(text).unwrap().replace('\u{1f}', "|");
        assert_eq!(lines, "1||a|X|\n-2||over twelve bytes||18446744073709551616\n3||?|a|0\n");
    }
}
