//! What codes mean, and how far they can be trusted: data with sources.
//!
//! The same two characters mean different things by the version of the table, the acquirer, who wrote them and the
//! program in the terminal. A [`CodeBook`] holds rows that each name the keys they need; a lookup is answered by the
//! row that needs most of what is known, and says which one that was and which rows say something else.
//!
//! ```
//! use onus_iso8583::{CodeBook, CodeQuery, Layer};
//!
//! let book = CodeBook::builtin()?;
//! let plain = book.lookup(&CodeQuery::reply("98")).ok_or("unknown code")?;
//! assert_eq!(plain.row.en, "No answer from issuer");
//! // The same code, when the acquirer "posp" wrote it itself: its own link timed out.
//! let known = CodeQuery { acquirer: Some("posp"), layer: Some(Layer::Acquirer), ..CodeQuery::reply("98") };
//! let known = book.lookup(&known).ok_or("unknown code")?;
//! assert_eq!((known.row.acquirer.as_str(), known.matched.acquirer), ("posp", true));
//! // A4 is an approval in one table and an error in another.
//! let open = book.lookup(&CodeQuery::reply("A4")).ok_or("unknown code")?;
//! assert_eq!(open.approved(), None);
//! let by_table = CodeQuery { spec: Some("unionpay-2015"), ..CodeQuery::reply("A4") };
//! assert_eq!(book.lookup(&by_table).and_then(|found| found.approved()), Some(true));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod row;

use std::sync::LazyLock;

pub use row::{Advice, Ambiguity, Approval, CauseClass, CodeRow, CodesError, Grade, Layer, Retry, Role, Usage};

/// All that is known of codes.
#[derive(Debug, Clone, Default)]
pub struct CodeBook {
    /// Ordered by use, code and keys.
    rows: Vec<CodeRow>,
    /// Ordered by name.
    advice: Vec<Advice>,
}

/// What is known about a code that was seen. What is not known stays `None`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct CodeQuery<'a> {
    /// Where it stands.
    pub usage: Usage,
    /// Version of the code table that the partners use: the table of a dialect's `[codes]`.
    pub spec: Option<&'a str>,
    /// The acquirer.
    pub acquirer: Option<&'a str>,
    /// Who wrote the code. Own codes of terminal programs answer when this says so, or when nothing else does.
    pub layer: Option<Layer>,
    /// The program in the terminal.
    pub app: Option<&'a str>,
    /// The code.
    pub code: &'a str,
}

/// The answer to a query.
#[derive(Debug, Clone)]
pub struct Knowledge<'a> {
    /// The row that answers.
    pub row: &'a CodeRow,
    /// Which keys of the query that row needed.
    pub matched: Specificity,
    /// What to do about it.
    pub advice: Option<&'a Advice>,
    /// Rows of the same code under other keys that point to another side, or disagree on approval.
    pub others: Vec<&'a CodeRow>,
    /// Whether rows that the query does not rule out disagree on approval.
    open: bool,
}

/// Which keys a row needs. The order is that of precedence, highest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Specificity {
    /// The terminal program.
    pub app: bool,
    /// The acquirer.
    pub acquirer: bool,
    /// Who wrote the code.
    pub layer: bool,
    /// The version of the table.
    pub spec: bool,
    /// The code itself, and not only how it begins.
    pub exact: bool,
}

/// A reject code of the network's message header, taken apart.
#[derive(Debug, Clone)]
pub struct RejectCode<'a> {
    /// Which part of the message was refused.
    pub place: Option<&'a CodeRow>,
    /// The field that was refused; none for the header.
    pub field: Option<u16>,
    /// What is wrong with it.
    pub fault: Option<&'a CodeRow>,
}

impl<'a> CodeQuery<'a> {
    /// A reply code about which nothing else is known.
    #[must_use]
    pub fn reply(code: &'a str) -> CodeQuery<'a> {
        CodeQuery { code, ..CodeQuery::default() }
    }

    /// A code in another place, about which nothing else is known.
    #[must_use]
    pub fn of(usage: Usage, code: &'a str) -> CodeQuery<'a> {
        CodeQuery { usage, code, ..CodeQuery::default() }
    }
}

impl Specificity {
    /// Whether the row needs nothing but the code.
    #[must_use]
    pub fn is_general(self) -> bool {
        !(self.app || self.acquirer || self.layer || self.spec)
    }
}

impl Knowledge<'_> {
    /// Whether the code says that the payment was approved. None when that depends on what the query does not say:
    /// the version of the table, the acquirer or the terminal program. Never take none as either.
    #[must_use]
    pub fn approved(&self) -> Option<bool> {
        match self.row.approval {
            _ if self.open || self.row.usage != Usage::Reply => None,
            Approval::DependsOnTable => None,
            Approval::No => Some(false),
            Approval::Full | Approval::Partial | Approval::Qualified => Some(true),
        }
    }
}

impl CodeRow {
    /// Which keys the row needs.
    #[must_use]
    pub fn specificity(&self) -> Specificity {
        Specificity {
            app: !self.app.is_empty(),
            acquirer: !self.acquirer.is_empty(),
            layer: self.layer.is_some(),
            spec: !self.spec.is_empty(),
            exact: !self.code.ends_with('*'),
        }
    }

    fn is_about(&self, code: &str) -> bool {
        let start = self.code.strip_suffix('*');
        start.map_or(self.code == code, |start| code.starts_with(start) && code.len() == self.usage.width())
    }

    /// Whether all keys of the row are those of the query. A key that the query does not know counts as `unknown`.
    fn fits(&self, query: &CodeQuery<'_>, unknown: bool) -> bool {
        let key = |needed: &str, known: Option<&str>| needed.is_empty() || known.map_or(unknown, |it| it == needed);
        key(&self.spec, query.spec)
            && key(&self.acquirer, query.acquirer)
            && key(&self.app, query.app)
            && self.layer.is_none_or(|needed| query.layer.map_or(unknown, |layer| layer == needed))
    }

    fn disagrees(&self, other: &CodeRow) -> bool {
        self.cause_class != other.cause_class || self.says_approved() != other.says_approved()
    }

    fn says_approved(&self) -> Option<bool> {
        (self.approval != Approval::DependsOnTable).then_some(self.approval != Approval::No)
    }

    fn keys(&self) -> (Usage, &str, &str, &str, &str, Option<Layer>) {
        (self.usage, &self.code, &self.app, &self.acquirer, &self.spec, self.layer)
    }
}

/// Tables of the repository's folder `codes`, by name.
const BUILTIN: [(&str, &str); 7] = [
    ("response-codes.csv", include_str!("../../../codes/response-codes.csv")),
    ("unionpay-2015.csv", include_str!("../../../codes/unionpay-2015.csv")),
    ("pos-lists.csv", include_str!("../../../codes/pos-lists.csv")),
    ("acquirers.csv", include_str!("../../../codes/acquirers.csv")),
    ("gateway.csv", include_str!("../../../codes/gateway.csv")),
    ("terminal-apps.csv", include_str!("../../../codes/terminal-apps.csv")),
    ("reversals.csv", include_str!("../../../codes/reversals.csv")),
];

impl CodeBook {
    /// The tables of the repository's folder `codes`.
    ///
    /// # Errors
    /// When they are broken, which the tests of this crate rule out.
    pub fn builtin() -> Result<&'static CodeBook, CodesError> {
        static BOOK: LazyLock<Result<CodeBook, CodesError>> = LazyLock::new(|| {
            CodeBook::from_tables(("advice.csv", include_str!("../../../codes/advice.csv")), &BUILTIN)
        });
        BOOK.as_ref().map_err(Clone::clone)
    }

    /// Reads advice and tables of codes, each with a name for errors.
    ///
    /// # Errors
    /// Names the table, the line and what is wrong with it.
    pub fn from_tables(advice: (&str, &str), tables: &[(&str, &str)]) -> Result<CodeBook, CodesError> {
        let empty = CodeBook::default().with_advice(advice.0, advice.1)?;
        tables.iter().try_fold(empty, |book, (name, text)| book.with_table(name, text))
    }

    /// Reads a table of codes that uses no advice: a header row, then one row a code; lines that begin with `#` are
    /// comments.
    ///
    /// # Errors
    /// Names the line and what is wrong with it.
    pub fn from_csv(text: &str) -> Result<CodeBook, CodesError> {
        CodeBook::default().with_table("codes", text)
    }

    /// This book and the rows of another table, such as those of one acquirer.
    ///
    /// # Errors
    /// Names the line and what is wrong with it; a row whose keys are all in the book is refused.
    pub fn with_table(mut self, name: &str, text: &str) -> Result<CodeBook, CodesError> {
        let wrong = |problem| CodesError { file: name.to_owned(), line: 0, problem };
        self.rows.extend(row::rows(name, text)?);
        self.rows.sort_by(|one, other| one.keys().cmp(&other.keys()));
        if let Some((twice, _)) =
            self.rows.iter().zip(self.rows.iter().skip(1)).find(|(one, next)| one.keys() == next.keys())
        {
            return Err(wrong(format!("{:?} is there twice under the same keys", twice.code)));
        }
        match self.rows.iter().find(|row| !row.advice.is_empty() && self.advice(&row.advice).is_none()) {
            Some(row) => Err(wrong(format!("code {:?}: there is no advice named {:?}", row.code, row.advice))),
            None => Ok(self),
        }
    }

    /// This book and more advice for tables to name.
    ///
    /// # Errors
    /// Names the line and what is wrong with it; a name that is in the book is refused.
    pub fn with_advice(mut self, name: &str, text: &str) -> Result<CodeBook, CodesError> {
        self.advice.extend(row::advice(name, text)?);
        self.advice.sort_by(|one, other| one.id.cmp(&other.id));
        match self.advice.iter().zip(self.advice.iter().skip(1)).find(|(one, next)| one.id == next.id) {
            Some((twice, _)) => {
                let problem = format!("advice {:?} is there twice", twice.id);
                Err(CodesError { file: name.to_owned(), line: 0, problem })
            }
            None => Ok(self),
        }
    }

    /// What a code means by all that is known.
    ///
    /// Of the rows whose keys are all known and equal, the one with the highest [`Specificity`] answers. Own codes of
    /// terminal programs answer for an unknown layer only when nothing else does, because they are never on the wire.
    #[must_use]
    pub fn lookup(&self, query: &CodeQuery<'_>) -> Option<Knowledge<'_>> {
        let local = CodeQuery { layer: Some(Layer::TerminalApp), ..*query };
        let row = self.answer(query).or_else(|| query.layer.is_none().then(|| self.answer(&local)).flatten())?;
        let others: Vec<_> =
            self.rows(query.usage, query.code).filter(|other| *other != row && other.disagrees(row)).collect();
        let says = row.says_approved();
        let open = row.specificity().is_general()
            && others.iter().any(|other| other.fits(query, true) && other.says_approved() != says);
        Some(Knowledge { row, matched: row.specificity(), advice: self.advice(&row.advice), others, open })
    }

    /// Takes a reject code of five digits apart; none when it is not one, or says that nothing was rejected.
    #[must_use]
    pub fn reject_code(&self, code: &str) -> Option<RejectCode<'_>> {
        let digits = code.bytes().all(|byte| byte.is_ascii_digit());
        if code.len() != 5 || !digits || code == "00000" {
            return None;
        }
        let (place, rest) = code.split_at_checked(1)?;
        let (field, fault) = rest.split_at_checked(3)?;
        let row = |usage, code| self.lookup(&CodeQuery::of(usage, code)).map(|found| found.row);
        Some(RejectCode {
            place: row(Usage::RejectPlace, place),
            field: field.parse().ok().filter(|field| *field != 0),
            fault: row(Usage::RejectFault, fault),
        })
    }

    /// Advice by its name.
    #[must_use]
    pub fn advice(&self, id: &str) -> Option<&Advice> {
        let found = self.advice.binary_search_by(|advice| advice.id.as_str().cmp(id)).ok()?;
        self.advice.get(found)
    }

    /// All rows, ordered by use and code.
    pub fn iter(&self) -> impl Iterator<Item = &CodeRow> {
        self.rows.iter()
    }

    fn answer(&self, query: &CodeQuery<'_>) -> Option<&CodeRow> {
        self.rows(query.usage, query.code).filter(|row| row.fits(query, false)).max_by_key(|row| row.specificity())
    }

    /// Rows about a code under any keys.
    fn rows<'s, 'c>(&'s self, usage: Usage, code: &'c str) -> impl Iterator<Item = &'s CodeRow> + use<'s, 'c> {
        // Codes that begin alike stand together, a code before the longer ones and `*` before letters and digits.
        let first = code.get(..1).unwrap_or_default();
        let start = self.rows.partition_point(|row| (row.usage, row.code.as_str()) < (usage, first));
        let near = self.rows.get(start..).unwrap_or_default().iter();
        near.take_while(move |row| row.usage == usage && row.code.starts_with(first))
            .filter(move |row| row.is_about(code))
    }
}
