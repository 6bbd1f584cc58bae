//! Delimited files: columns found by header name, values read with the field named in every error.

use csv::ByteRecord;
use onus_model::{Code, Date, Instant, MaskedPan};

use crate::row::RowError;

/// A column of a table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Column {
    index: usize,
    name: &'static str,
}

/// Header of a delimited file.
pub(crate) struct Header(Vec<String>);

impl Header {
    pub(crate) fn read(record: &ByteRecord) -> Self {
        let strip = |field: &[u8]| String::from_utf8_lossy(field).trim_start_matches('\u{feff}').to_owned();
        Self(record.iter().map(strip).collect())
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// The column of a name.
    pub(crate) fn column(&self, name: &'static str) -> Result<Column, RowError> {
        let index = self.0.iter().position(|known| known == name).ok_or_else(|| RowError {
            field: name.to_owned(),
            code: "columns",
            detail: format!(
                "the header has no column {name:?}; found {}",
                self.0.join(",").chars().take(300).collect::<String>()
            ),
        })?;
        Ok(Column { index, name })
    }
}

/// Declares the columns of a table as a struct, found by name.
macro_rules! columns {
    ($name:ident { $($field:ident = $text:literal),+ $(,)? }) => {
        pub(crate) struct $name { $($field: $crate::table::Column),+ }
        impl $name {
            pub(crate) fn find(header: &$crate::table::Header) -> Result<Self, $crate::row::RowError> {
                Ok(Self { $($field: header.column($text)?),+ })
            }
        }
    };
}
pub(crate) use columns;

/// One record of a table.
#[derive(Clone, Copy)]
pub(crate) struct Fields<'a>(pub(crate) &'a ByteRecord);

impl<'a> Fields<'a> {
    pub(crate) fn raw(self, column: Column) -> &'a [u8] {
        self.0.get(column.index).unwrap_or_default()
    }

    pub(crate) fn text(self, column: Column) -> Result<&'a str, RowError> {
        std::str::from_utf8(self.raw(column)).map_err(|_| RowError::value(column.name, "UTF-8 text", self.raw(column)))
    }

    pub(crate) fn owned(self, column: Column) -> Result<String, RowError> {
        self.text(column).map(str::to_owned)
    }

    pub(crate) fn code<const N: usize>(self, column: Column) -> Result<Code<N>, RowError> {
        Code::new(self.raw(column))
            .map_err(|_| RowError::value(column.name, &format!("1 to {N} characters"), self.raw(column)))
    }

    pub(crate) fn code_or_empty<const N: usize>(self, column: Column) -> Result<Code<N>, RowError> {
        if self.raw(column).is_empty() { Ok(Code::EMPTY) } else { self.code(column) }
    }

    /// Unsigned digits.
    pub(crate) fn number(self, column: Column) -> Result<u64, RowError> {
        digits(self.raw(column)).ok_or_else(|| RowError::value(column.name, "digits", self.raw(column)))
    }

    pub(crate) fn number_or_none(self, column: Column) -> Result<Option<u64>, RowError> {
        if self.raw(column).is_empty() { Ok(None) } else { self.number(column).map(Some) }
    }

    pub(crate) fn small<T: TryFrom<u64>>(self, column: Column) -> Result<T, RowError> {
        T::try_from(self.number(column)?)
            .map_err(|_| RowError::value(column.name, "a smaller number", self.raw(column)))
    }

    /// Money in fen, with an optional leading minus.
    pub(crate) fn money(self, column: Column) -> Result<i64, RowError> {
        let raw = self.raw(column);
        let (minus, rest) = raw.strip_prefix(b"-").map_or((false, raw), |rest| (true, rest));
        let value = digits(rest).and_then(|value| i64::try_from(value).ok());
        let value = value.ok_or_else(|| RowError::value(column.name, "an amount in fen", raw))?;
        Ok(if minus { -value } else { value })
    }

    pub(crate) fn date(self, column: Column) -> Result<Date, RowError> {
        Date::parse(self.raw(column)).map_err(|_| RowError::value(column.name, "a date YYYY-MM-DD", self.raw(column)))
    }

    pub(crate) fn date_or_none(self, column: Column) -> Result<Option<Date>, RowError> {
        if self.raw(column).is_empty() { Ok(None) } else { self.date(column).map(Some) }
    }

    pub(crate) fn instant(self, column: Column) -> Result<Instant, RowError> {
        Instant::parse(self.text(column)?)
            .map_err(|_| RowError::value(column.name, "a time with offset (RFC 3339)", self.raw(column)))
    }

    pub(crate) fn instant_or_none(self, column: Column) -> Result<Option<Instant>, RowError> {
        if self.raw(column).is_empty() { Ok(None) } else { self.instant(column).map(Some) }
    }

    /// Local time `hh:mm:ss` as seconds of the day.
    pub(crate) fn second_of_day(self, column: Column) -> Result<u32, RowError> {
        let wrong = || RowError::value(column.name, "a time hh:mm:ss", self.raw(column));
        let [h1, h2, b':', m1, m2, b':', s1, s2] = *self.raw(column) else { return Err(wrong()) };
        let pair =
            |high: u8, low: u8, below: u64| digits(&[high, low]).filter(|value| *value < below).ok_or_else(wrong);
        let seconds = pair(h1, h2, 24)? * 3600 + pair(m1, m2, 60)? * 60 + pair(s1, s2, 60)?;
        u32::try_from(seconds).map_err(|_| wrong())
    }

    pub(crate) fn yes(self, column: Column) -> Result<bool, RowError> {
        match self.raw(column) {
            b"Y" => Ok(true),
            b"N" => Ok(false),
            other => Err(RowError::value(column.name, "Y or N", other)),
        }
    }

    /// A SHA-256 in 64 hexadecimal digits.
    pub(crate) fn sha256(self, column: Column) -> Result<[u8; 32], RowError> {
        let wrong = || RowError::value(column.name, "64 hexadecimal digits", self.raw(column));
        let nibble = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        let (pairs, rest) = self.raw(column).as_chunks::<2>();
        let mut hash = [0; 32];
        if pairs.len() != hash.len() || !rest.is_empty() {
            return Err(wrong());
        }
        for (to, [high, low]) in hash.iter_mut().zip(pairs) {
            *to = nibble(*high).zip(nibble(*low)).map(|(high, low)| high << 4 | low).ok_or_else(wrong)?;
        }
        Ok(hash)
    }

    pub(crate) fn pan(self, column: Column) -> Result<MaskedPan, RowError> {
        MaskedPan::read(self.raw(column))
            .ok_or_else(|| RowError::value(column.name, "a masked card number", self.raw(column)))
    }

    /// A position in degrees, as hundred-thousandths.
    pub(crate) fn degrees(self, column: Column) -> Result<i32, RowError> {
        let text = self.text(column)?;
        let wrong = || RowError::value(column.name, "degrees such as 30.60060", text.as_bytes());
        let (minus, rest) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
        let (whole, fraction) = rest.split_once('.').unwrap_or((rest, ""));
        let five: String = fraction.chars().chain("00000".chars()).take(5).collect();
        let value =
            digits(whole.as_bytes()).zip(digits(five.as_bytes())).map(|(w, f)| w * 100_000 + f).ok_or_else(wrong)?;
        let value = i32::try_from(value).map_err(|_| wrong())?;
        Ok(if minus { -value } else { value })
    }
}

/// The number that decimal digits write; none when there is anything else or it is too large.
pub(crate) fn digits(text: &[u8]) -> Option<u64> {
    if text.is_empty() || text.len() > 18 {
        return None;
    }
    text.iter().try_fold(0u64, |sum, byte| byte.is_ascii_digit().then(|| sum * 10 + u64::from(byte - b'0')))
}
