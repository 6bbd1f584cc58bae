//! Workbooks (.xlsx) for the small files: one sheet as rows of text, each cell with its place.

use std::io::{self, Read, Seek};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};

use calamine::{DataRef, ExcelDateTime, Reader, Xlsx};

use super::blocks::{FIELD_END, ReadRows};
use super::layout::{DateForm, Layout, LayoutError, Source, TimeForm};

/// Rows among which the names of columns are looked for: reports have a title above.
const HEADER_ROWS: usize = 30;
/// What a sheet of a small file may have; a larger one belongs into a CSV file.
const ROWS_MAX: u32 = 1 << 20;
const COLUMNS_MAX: u32 = 512;
const BYTES_MAX: usize = 256 << 20;
/// Rows handed out at once.
const AT_ONCE: usize = 4_096;
/// A number cell keeps 15 digits; what stood behind them is gone. The blanks make every reader refuse it.
const DIGITS_LOST: &str = "number cell with over 15 digits";

/// A section as readers of statements and workbooks see it.
pub(crate) struct Shape<'a> {
    /// Sheet of a workbook; the first when not given.
    pub(crate) sheet: Option<&'a str>,
    /// Path of the element of a statement that makes a row.
    pub(crate) row: &'a str,
    /// Named columns that must be there.
    pub(crate) needed: Vec<&'a str>,
    /// All named columns.
    pub(crate) all: Vec<&'a str>,
    /// Columns have names above them.
    pub(crate) header: bool,
    pub(crate) date: DateForm,
    pub(crate) time: TimeForm,
}

/// Why a workbook cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum WorkbookFault {
    /// The layout does not fit.
    #[error(transparent)]
    Layout(#[from] LayoutError),
    /// Not a workbook, or broken.
    #[error("no workbook that can be read (.xlsx is expected): {0}")]
    Form(String),
    /// The sheet is not there.
    #[error("there is no sheet {wanted:?}; there are {found}")]
    Sheet {
        /// What the layout names.
        wanted: String,
        /// Sheets that are there.
        found: String,
    },
    /// More than a small file has.
    #[error("sheet {sheet}: {what} is more than a workbook may have here; give the data as CSV or Parquet")]
    Size {
        /// Sheet.
        sheet: String,
        /// What there is too much of.
        what: String,
    },
}

impl From<calamine::XlsxError> for WorkbookFault {
    fn from(error: calamine::XlsxError) -> Self {
        Self::Form(error.to_string())
    }
}

/// One row: its number as the program shows it, and the text of its cells.
struct Line {
    number: u32,
    cells: Vec<(u32, String)>,
}

/// The rows of one sheet below its header. Offsets are row numbers as the spreadsheet shows them.
pub struct Workbook {
    sheet: String,
    names: Vec<String>,
    /// Lines of text, and the number of the first; rows that are not there are blank lines.
    lines: Vec<u8>,
    /// Where each row ends in `lines`.
    ends: Vec<usize>,
    first: u64,
    next: AtomicUsize,
}

impl Workbook {
    /// Reads the sheet that the layout's section names, or the first.
    ///
    /// # Errors
    /// When the bytes are no workbook, the sheet is not there or is too large.
    pub fn open(from: impl Read + Seek, layout: &Layout, source: Source) -> Result<Self, WorkbookFault> {
        let shape = layout.shape(source)?;
        // The reader of workbooks panics at some broken ones, where its sums overflow in builds that check them.
        let read = catch_unwind(AssertUnwindSafe(|| Self::read(from, &shape)));
        read.unwrap_or_else(|_| Err(WorkbookFault::Form("it is broken".to_owned())))
    }

    fn read(from: impl Read + Seek, shape: &Shape<'_>) -> Result<Self, WorkbookFault> {
        let mut book = Xlsx::new(from)?;
        let sheets = book.sheet_names();
        let sheet = match shape.sheet {
            Some(wanted) => sheets.iter().find(|name| *name == wanted).cloned(),
            None => sheets.first().cloned(),
        };
        let Some(sheet) = sheet else {
            let wanted = shape.sheet.unwrap_or_default().to_owned();
            return Err(WorkbookFault::Sheet { wanted, found: sheets.join(", ") });
        };
        let lines = read_lines(&mut book, &sheet, shape)?;
        Self::arrange(sheet, &lines, shape)
    }

    /// Finds the header and turns what stands below it into text.
    fn arrange(sheet: String, lines: &[Line], shape: &Shape<'_>) -> Result<Self, WorkbookFault> {
        let width = lines.iter().filter_map(|line| line.cells.last()).map(|(at, _)| at + 1).max().unwrap_or(0);
        let header = if shape.header { lines.get(header_of(lines, shape)) } else { None };
        let names = (0..width).map(|at| {
            let named = header.and_then(|line| line.cells.iter().find(|(column, _)| *column == at));
            named.map_or_else(|| if shape.header { String::new() } else { letters(at) }, |(_, text)| text.clone())
        });
        let names: Vec<String> = names.collect();
        let after = header.map_or(0, |line| line.number);
        let mut book = Self {
            sheet,
            names,
            lines: Vec::new(),
            ends: Vec::new(),
            first: u64::from(after) + 1,
            next: AtomicUsize::new(0),
        };
        let mut number = after;
        for line in lines.iter().filter(|line| line.number > after) {
            while number + 1 < line.number {
                number += 1;
                book.end_row();
            }
            number = line.number;
            book.write(line, width);
            if book.lines.len() > BYTES_MAX {
                let what = format!("{} bytes of text", book.lines.len());
                return Err(WorkbookFault::Size { sheet: book.sheet, what });
            }
        }
        Ok(book)
    }

    fn write(&mut self, line: &Line, width: u32) {
        if line.cells.iter().all(|(_, text)| text.is_empty()) {
            return self.end_row();
        }
        let mut cells = line.cells.iter().peekable();
        for column in 0..width {
            if column > 0 {
                self.lines.push(FIELD_END);
            }
            if let Some((_, text)) = cells.next_if(|(at, _)| *at == column) {
                // A line end inside a cell would be taken for the end of the row.
                self.lines.extend(text.bytes().map(|byte| if byte < b' ' { b' ' } else { byte }));
            }
        }
        self.end_row();
    }

    fn end_row(&mut self) {
        self.lines.push(b'\n');
        self.ends.push(self.lines.len());
    }

    /// Name of a cell by its row and the name of its column, such as `Shares!D7`.
    #[must_use]
    pub fn cell(&self, row: u64, column: Option<&str>) -> String {
        let at = column.and_then(|column| self.names.iter().position(|name| name == column));
        match at.and_then(|at| u32::try_from(at).ok()) {
            Some(at) => format!("{}!{}{row}", self.sheet, letters(at)),
            None => format!("{}!{row}:{row}", self.sheet),
        }
    }
}

impl ReadRows for Workbook {
    fn names(&self) -> Vec<String> {
        self.names.clone()
    }

    fn select(&self, _columns: &[usize]) {}

    fn next_rows(&self, text: &mut Vec<u8>) -> io::Result<Option<u64>> {
        let first = self.next.fetch_add(AT_ONCE, Ordering::Relaxed);
        if first >= self.ends.len() {
            return Ok(None);
        }
        let last = (first + AT_ONCE).min(self.ends.len()) - 1;
        let from = first.checked_sub(1).and_then(|before| self.ends.get(before)).copied().unwrap_or(0);
        let to = self.ends.get(last).copied().unwrap_or(from);
        text.extend_from_slice(self.lines.get(from..to).unwrap_or_default());
        Ok(Some(self.first + first as u64))
    }
}

/// The cells of a sheet, row by row.
fn read_lines<R: Read + Seek>(book: &mut Xlsx<R>, sheet: &str, shape: &Shape<'_>) -> Result<Vec<Line>, WorkbookFault> {
    let too_much = |what: String| WorkbookFault::Size { sheet: sheet.to_owned(), what };
    let mut cells = book.worksheet_cells_reader(sheet)?;
    let mut lines: Vec<Line> = Vec::new();
    let mut bytes = 0;
    while let Some(cell) = cells.next_cell()? {
        let (row, column) = cell.get_position();
        if row >= ROWS_MAX || column >= COLUMNS_MAX {
            return Err(too_much(format!("row {} column {}", u64::from(row) + 1, u64::from(column) + 1)));
        }
        let text = text_of(cell.get_value(), shape);
        bytes += text.len() + size_of::<(u32, String)>();
        if bytes > BYTES_MAX {
            return Err(too_much("its text".to_owned()));
        }
        let number = row + 1;
        match lines.last_mut() {
            Some(line) if line.number == number => match line.cells.last() {
                Some((last, _)) if *last >= column => {
                    return Err(WorkbookFault::Form(format!("row {number}: its cells are not in order")));
                }
                _ => line.cells.push((column, text)),
            },
            Some(line) if line.number > number => {
                return Err(WorkbookFault::Form(format!("row {number} stands behind row {}", line.number)));
            }
            _ => lines.push(Line { number, cells: vec![(column, text)] }),
        }
    }
    Ok(lines)
}

/// Which of the lines names the columns: the first that has all that must be there, else the first at all.
fn header_of(lines: &[Line], shape: &Shape<'_>) -> usize {
    let has_all = |line: &Line| shape.needed.iter().all(|needed| line.cells.iter().any(|(_, text)| text == needed));
    lines.iter().take(HEADER_ROWS).position(has_all).unwrap_or(0)
}

/// A cell as a CSV file of the same layout would have it.
fn text_of(value: &DataRef<'_>, shape: &Shape<'_>) -> String {
    match value {
        DataRef::Empty => String::new(),
        DataRef::String(text) => text.trim().to_owned(),
        DataRef::SharedString(text) => text.trim().to_owned(),
        DataRef::Int(number) => number.to_string(),
        DataRef::Float(number) => number_text(*number),
        DataRef::Bool(value) => if *value { "1" } else { "0" }.to_owned(),
        DataRef::DateTime(time) => time_text(time, shape),
        DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => text.clone(),
        DataRef::Error(error) => format!("error cell {error}"),
    }
}

/// A number with the 15 digits that a cell keeps; without them a sum of cells would end in ...0000004.
fn number_text(number: f64) -> String {
    let rounded = format!("{number:.14e}").parse::<f64>().unwrap_or(number);
    let text = format!("{rounded}");
    let digits = text.trim_start_matches('-').split('.').next().map_or(0, str::len);
    if digits > 15 || text.len() > 24 || !number.is_finite() { DIGITS_LOST.to_owned() } else { text }
}

/// A date or point in time in the form that the layout expects. Midnight sharp is taken for a date.
fn time_text(time: &ExcelDateTime, shape: &Shape<'_>) -> String {
    let (year, month, day, hour, minute, second, _) = time.to_ymd_hms_milli();
    if (hour, minute, second) == (0, 0, 0) {
        return match shape.date {
            DateForm::Compact => format!("{year:04}{month:02}{day:02}"),
            DateForm::Dashed => format!("{year:04}-{month:02}-{day:02}"),
            DateForm::Short => format!("{:02}{month:02}{day:02}", year % 100),
        };
    }
    match shape.time {
        TimeForm::Compact => format!("{year:04}{month:02}{day:02}{hour:02}{minute:02}{second:02}"),
        TimeForm::Dashed => format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}"),
        TimeForm::Yearless => format!("{month:02}{day:02}{hour:02}{minute:02}{second:02}"),
    }
}

/// Letters of a column: A, B, ..., Z, AA.
fn letters(column: u32) -> String {
    let mut left = column + 1;
    let mut text = String::new();
    while left > 0 {
        left -= 1;
        text.insert(0, char::from(b'A' + u8::try_from(left % 26).unwrap_or(0)));
        left /= 26;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const LAYOUT: &str = "id = \"x\"\n[share]\n[share.columns]\nagent = \"agent\"\nterminal = \"term\"\n\
         rrn = \"rrn\"\nshare = \"share\"\n";

    fn line(number: u32, cells: &[&str]) -> Line {
        let cells = (0..).zip(cells).filter(|(_, text)| !text.is_empty());
        Line { number, cells: cells.map(|(at, text)| (at, (*text).to_owned())).collect() }
    }

    #[test]
    fn the_header_is_found_below_a_title() {
        let layout = Layout::from_toml(LAYOUT).unwrap();
        let shape = layout.shape(Source::Share).unwrap();
        let lines = vec![
            line(1, &["Shares of March"]),
            line(3, &["agent", "term", "rrn", "remark", "share"]),
            line(4, &["AG1", "T1", "1", "two\nlines", "5"]),
            line(6, &["AG2", "T1", "2", "", "7"]),
        ];
        let book = Workbook::arrange("A".to_owned(), &lines, &shape).unwrap();
        let mut text = Vec::new();
        assert_eq!(book.next_rows(&mut text).unwrap(), Some(4));
        assert_eq!(book.next_rows(&mut Vec::new()).unwrap(), None);
        let text = String::from_utf8(text).unwrap().replace('\u{1f}', ",");
        assert_eq!(text, "AG1,T1,1,two lines,5\n\nAG2,T1,2,,7\n");
        assert_eq!((book.cell(6, Some("share")), book.cell(6, None)), ("A!E6".to_owned(), "A!6:6".to_owned()));
    }

    #[test]
    fn numbers_are_what_the_cell_shows() {
        let table = [
            (0.1 + 0.2, "0.3"),
            (86.1, "86.1"),
            (10_000_001.0, "10000001"),
            (-5.0, "-5"),
            (999_999_999_999_999.0, "999999999999999"),
            (6_217_000_012_345_678_901.0, DIGITS_LOST),
            (f64::NAN, DIGITS_LOST),
            (1e-30, DIGITS_LOST),
        ];
        for (number, expected) in table {
            assert_eq!(number_text(number), expected, "{number}");
        }
    }

    #[test]
    fn columns_have_letters() {
        let table = [(0, "A"), (25, "Z"), (26, "AA"), (511, "SR")];
        for (column, expected) in table {
            assert_eq!(letters(column), expected);
        }
    }

    #[test]
    fn what_is_no_workbook_is_refused() {
        let layout = Layout::from_toml(LAYOUT).unwrap();
        for bytes in [&b""[..], b"agent,term\n", b"PK\x03\x04broken"] {
            let fault = Workbook::open(io::Cursor::new(bytes), &layout, Source::Share).map(|_| ()).unwrap_err();
            assert!(fault.to_string().contains("no workbook that can be read"), "{fault}");
        }
    }
}
