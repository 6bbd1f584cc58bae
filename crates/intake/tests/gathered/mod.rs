//! Everything that reading a file yields, gathered.

#![allow(dead_code, reason = "each test binary uses a part")]
#![allow(clippy::unwrap_used, reason = "a test may")]

use std::io;

use onus_intake::{FileKind, ReadOptions, ReadSummary, Reject, Row, Sink, Tap, read_file};
use onus_model::{Span, Zone};
use onus_reconcile::{Interner, Symbol};

/// Rows, rejects and bytes of one file.
#[derive(Debug, Default)]
pub(crate) struct Gathered {
    pub(crate) rows: Vec<Row>,
    pub(crate) rejects: Vec<Reject>,
    pub(crate) original: Vec<u8>,
    pub(crate) kept: Vec<u8>,
    pub(crate) summary: ReadSummary,
}

#[derive(Default)]
struct Rows {
    symbols: Interner,
    rows: Vec<Row>,
    rejects: Vec<Reject>,
}

impl Sink for Rows {
    fn symbol(&mut self, text: &str) -> Symbol {
        self.symbols.symbol(text)
    }

    fn accept(&mut self, row: Row) {
        self.rows.push(row);
    }

    fn reject(&mut self, reject: Reject) {
        self.rejects.push(reject);
    }
}

#[derive(Default)]
struct Bytes {
    original: Vec<u8>,
    kept: Vec<u8>,
}

impl Tap for Bytes {
    fn original(&mut self, bytes: &[u8]) {
        self.original.extend_from_slice(bytes);
    }

    fn kept(&mut self, bytes: &[u8], masked: bool) -> io::Result<()> {
        let as_it_came = self.original.ends_with(bytes);
        assert!(masked || as_it_came, "bytes that are said to be unmasked were changed");
        self.kept.extend_from_slice(bytes);
        Ok(())
    }
}

/// Reads bytes as a file of a kind.
pub(crate) fn read(kind: FileKind, bytes: &[u8]) -> Gathered {
    let options =
        ReadOptions { kind, file_seq: 7, name: "any".to_owned(), zone: Zone::named("Asia/Shanghai").unwrap() };
    let (mut rows, mut tap) = (Rows::default(), Bytes::default());
    let summary = read_file(&options, bytes, &mut rows, &mut tap).unwrap();
    let gathered = Gathered { rows: rows.rows, rejects: rows.rejects, original: tap.original, kept: tap.kept, summary };
    assert_eq!(gathered.original, bytes, "every byte is told of once");
    assert_eq!(gathered.kept.len(), bytes.len(), "masking keeps the length");
    assert_eq!((summary.accepted, summary.rejected), (gathered.rows.len() as u64, gathered.rejects.len() as u64));
    assert_eq!(summary.size, bytes.len() as u64);
    gathered
}

/// Where a row stands, of those that keep their place.
pub(crate) fn span(row: &Row) -> Option<Span> {
    match row {
        Row::Journal(row) => Some(row.span),
        Row::Frame(row) => Some(row.span),
        Row::Clearing(row) => Some(row.span),
        Row::Payout(row) => Some(row.span),
        Row::Dispute(row) => Some(row.span),
        Row::Claim(row) => Some(row.span),
        Row::Slip(row) => Some(row.span),
        Row::Notice(row) => Some(row.span),
        Row::Gateway(row) => Some(row.span),
        Row::Registry(_) => None,
    }
}

impl Gathered {
    /// First byte and end of every row and reject, in order. They must not overlap.
    pub(crate) fn places(&self) -> Vec<(u64, u64)> {
        let rows = self.rows.iter().filter_map(span).map(|span| (span.offset, span.offset + u64::from(span.len)));
        let mut places: Vec<_> =
            rows.chain(self.rejects.iter().map(|reject| (reject.offset, reject.offset + reject.len))).collect();
        places.sort_unstable();
        for pair in places.windows(2) {
            assert!(pair[0].1 <= pair[1].0, "{pair:?} overlap");
        }
        places
    }

    /// Bytes that belong to no row and no reject.
    pub(crate) fn uncovered(&self) -> Vec<u8> {
        let mut left = Vec::new();
        let mut at = 0;
        for (from, to) in self.places() {
            left.extend_from_slice(&self.original[at..usize::try_from(from).unwrap()]);
            at = usize::try_from(to).unwrap();
        }
        left.extend_from_slice(&self.original[at..]);
        left
    }
}
