//! Finding where fields end, without `unsafe` and without caring which processor it is.

use wide::u8x16;

/// Where each delimiter and line end of a block stands.
#[derive(Default)]
pub(crate) struct Ends(Vec<u32>);

/// Positions are written eight at a time; so many may lie behind the last one.
const SLACK: usize = 72;

/// One bit a byte: set where the byte is `one` or `other`.
#[inline]
fn mask(bytes: &[u8; 64], one: u8, other: u8) -> u64 {
    let (one, other) = (u8x16::splat(one), u8x16::splat(other));
    let (parts, _) = bytes.as_chunks::<16>();
    parts.iter().enumerate().fold(0, |mask, (at, part)| {
        let part = u8x16::new(*part);
        let hits = part.simd_eq(one) | part.simd_eq(other);
        mask | u64::from(hits.to_bitmask()) << (16 * at)
    })
}

impl Ends {
    /// Finds all delimiters and line ends of `block`.
    pub(crate) fn find(&mut self, block: &[u8], delimiter: u8) -> &[u32] {
        let ends = &mut self.0;
        let (chunks, rest) = block.as_chunks::<64>();
        let mut found = 0;
        let mut base = 0_u32;
        for chunk in chunks {
            if ends.len() < found + SLACK {
                ends.resize((found + SLACK) * 2, 0);
            }
            found += write_positions(mask(chunk, delimiter, b'\n'), base, &mut ends[found..found + SLACK]);
            base += 64;
        }
        if !rest.is_empty() {
            // Zeros are neither delimiters nor line ends.
            let mut last = [0; 64];
            last[..rest.len()].copy_from_slice(rest);
            if ends.len() < found + SLACK {
                ends.resize((found + SLACK) * 2, 0);
            }
            found += write_positions(mask(&last, delimiter, b'\n'), base, &mut ends[found..found + SLACK]);
        }
        &self.0[..found]
    }
}

/// Writes the positions of the set bits; how many there are. May write further ones behind them.
#[inline]
fn write_positions(mut mask: u64, base: u32, ends: &mut [u32]) -> usize {
    let count = mask.count_ones() as usize;
    let mut at = 0;
    while at < count {
        let Some(eight) = ends.get_mut(at..at + 8) else { break };
        for end in eight {
            *end = base + mask.trailing_zeros();
            mask &= mask.wrapping_sub(1);
        }
        at += 8;
    }
    count
}

/// How a line is cut where the quick way does not do: quotes, two-byte characters, fixed widths.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cutting {
    pub(crate) delimiter: u8,
    pub(crate) quote: Option<u8>,
    /// Bytes of 0x81 and above begin a character of two (or four) bytes whose others may look like a delimiter.
    pub(crate) double_bytes: bool,
    /// Start and end of each column of a fixed-width line.
    pub(crate) fixed: Vec<(usize, usize)>,
}

impl Cutting {
    /// Whether a line without quotes may be cut at its delimiter bytes.
    pub(crate) fn is_plain(&self) -> bool {
        self.fixed.is_empty() && !(self.double_bytes && self.delimiter >= 0x30)
    }
}

/// A line cut with care: its fields without quotes, one after another, and where each ends.
#[derive(Default)]
pub(crate) struct CutLine {
    pub(crate) bytes: Vec<u8>,
    pub(crate) ends: Vec<u32>,
}

impl CutLine {
    /// Cuts `line` (without its line end).
    ///
    /// # Errors
    /// Says what is wrong with the line as a whole.
    pub(crate) fn cut(&mut self, line: &[u8], how: &Cutting) -> Result<(), String> {
        self.bytes.clear();
        self.ends.clear();
        if !how.fixed.is_empty() {
            return self.cut_fixed(line, &how.fixed);
        }
        let mut at = 0;
        loop {
            at = if how.quote.is_some() && line.get(at).copied() == how.quote {
                self.quoted(line, at + 1, how)?
            } else {
                self.bare(line, at, how)
            };
            self.end_field();
            if at >= line.len() {
                return Ok(());
            }
            at += 1;
        }
    }

    fn end_field(&mut self) {
        self.ends.push(u32::try_from(self.bytes.len()).unwrap_or(u32::MAX));
        self.bytes.push(0);
    }

    /// Copies up to the delimiter; where that stands.
    fn bare(&mut self, line: &[u8], mut at: usize, how: &Cutting) -> usize {
        while let Some(byte) = line.get(at) {
            if *byte == how.delimiter {
                break;
            }
            let width = if how.double_bytes { character_width(&line[at..]) } else { 1 };
            let end = (at + width).min(line.len());
            self.bytes.extend_from_slice(&line[at..end]);
            at = end;
        }
        at
    }

    /// Copies what is between quotes, two quotes standing for one; where the delimiter stands.
    fn quoted(&mut self, line: &[u8], mut at: usize, how: &Cutting) -> Result<usize, String> {
        let quote = how.quote.unwrap_or(b'"');
        loop {
            let Some(byte) = line.get(at) else {
                return Err("a quote is not closed on its line".to_owned());
            };
            if *byte == quote {
                match line.get(at + 1) {
                    Some(next) if *next == quote => {
                        self.bytes.push(quote);
                        at += 2;
                    }
                    Some(next) if *next == how.delimiter => return Ok(at + 1),
                    None => return Ok(at + 1),
                    Some(_) => return Err("text stands behind a closing quote".to_owned()),
                }
                continue;
            }
            let width = if how.double_bytes { character_width(&line[at..]) } else { 1 };
            let end = (at + width).min(line.len());
            self.bytes.extend_from_slice(&line[at..end]);
            at = end;
        }
    }

    fn cut_fixed(&mut self, line: &[u8], columns: &[(usize, usize)]) -> Result<(), String> {
        let expected = columns.last().map_or(0, |(_, end)| *end);
        if line.len() != expected {
            return Err(format!("expected a line of {expected} bytes, found {}", line.len()));
        }
        for (start, end) in columns {
            self.bytes.extend_from_slice(line[*start..*end].trim_ascii());
            self.end_field();
        }
        Ok(())
    }
}

/// Bytes of the character that `bytes` begins with, in GBK or GB18030.
fn character_width(bytes: &[u8]) -> usize {
    match bytes {
        [0x81..=0xFE, 0x30..=0x39, ..] => 4,
        [0x81..=0xFE, 0x40..=0xFE, ..] => 2,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const CSV: Cutting = Cutting { delimiter: b',', quote: Some(b'"'), double_bytes: false, fixed: Vec::new() };

    fn fields(line: &[u8], how: &Cutting) -> Result<Vec<String>, String> {
        let mut cut = CutLine::default();
        cut.cut(line, how)?;
        let mut from = 0;
        Ok(cut
            .ends
            .iter()
            .map(|end| {
                let text = String::from_utf8_lossy(&cut.bytes[from..*end as usize]).into_owned();
                from = *end as usize + 1;
                text
            })
            .collect())
    }

    /// A line and its fields, or what is wrong with it.
    type Case = (&'static [u8], Result<&'static [&'static str], &'static str>);

    #[test]
    fn lines_with_quotes() {
        let table: [Case; 7] = [
            (b"a,b", Ok(&["a", "b"])),
            (b"", Ok(&[""])),
            (b"a,", Ok(&["a", ""])),
            (b"\"a,b\",c", Ok(&["a,b", "c"])),
            (b"\"say \"\"no\"\"\",", Ok(&["say \"no\"", ""])),
            (b"\"open,b", Err("a quote is not closed on its line")),
            (b"\"a\"b,c", Err("text stands behind a closing quote")),
        ];
        for (line, expected) in table {
            let expected = expected.map(|texts| texts.iter().map(|text| (*text).to_owned()).collect());
            assert_eq!(fields(line, &CSV), expected.map_err(str::to_owned), "{}", String::from_utf8_lossy(line));
        }
    }

    #[test]
    fn a_bar_inside_a_chinese_character_is_no_delimiter() {
        // 0xD57C ends in the byte of '|'.
        let line = b"1|\xD5\x7C\xB5\xEA|2";
        let how = Cutting { delimiter: b'|', quote: None, double_bytes: true, fixed: Vec::new() };
        assert_eq!(fields(line, &how).map(|found| found.len()), Ok(3));
        assert!(!how.is_plain());
    }

    #[test]
    fn fixed_columns_are_trimmed_and_counted() {
        let how = Cutting { delimiter: b' ', quote: None, double_bytes: true, fixed: vec![(0, 3), (4, 8)] };
        assert_eq!(fields(b"S22  12 ", &how), Ok(vec!["S22".to_owned(), "12".to_owned()]));
        assert!(fields(b"S22 12", &how).is_err());
    }

    proptest! {
        #[test]
        fn the_quick_way_finds_every_end(text in "[a,\n;\u{e9}]{0,300}") {
            let expected: Vec<u32> = (0_u32..)
                .zip(text.bytes())
                .filter_map(|(at, byte)| matches!(byte, b',' | b'\n').then_some(at))
                .collect();
            let mut ends = Ends::default();
            prop_assert_eq!(ends.find(text.as_bytes(), b','), &expected[..]);
        }
    }
}
