//! What response codes (field 39) mean, and how far they can be trusted: data with sources.

use std::sync::LazyLock;

use serde::Deserialize;

/// A table of response codes.
#[derive(Debug, Clone)]
pub struct ResponseCodes {
    /// Ordered by code.
    rows: Vec<CodeMeaning>,
}

/// What one code means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodeMeaning {
    /// The two characters of field 39.
    pub code: String,
    /// Its meaning in Chinese.
    pub zh: String,
    /// Its meaning in English.
    pub en: String,
    /// Which side the code points to.
    pub cause_class: CauseClass,
    /// How far sources disagree on it.
    pub ambiguity: Ambiguity,
    /// Who may set it; empty when only older lists have the code.
    pub roles: Vec<Role>,
    /// Class of the older terminal standard, `A` approved to `E` system fault; none when it does
    /// not list the code.
    pub pos_class: Option<char>,
    /// What to know before relying on it.
    pub note: String,
    /// Where the row comes from.
    pub source: String,
    /// How well the row is supported.
    pub grade: String,
}

impl CodeMeaning {
    /// Whether the code says that the payment was approved, qualified approvals included.
    #[must_use]
    pub fn is_approval(&self) -> bool {
        self.cause_class == CauseClass::Approved
    }
}

/// Which side a response code points to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
#[allow(missing_docs, reason = "the names say it")]
pub enum CauseClass {
    Approved,
    CardholderFunds,
    CardholderCredential,
    CardState,
    IssuerUnavailable,
    IssuerDecisionUnspecified,
    NetworkSwitch,
    Acquirer,
    MerchantConfig,
    TerminalFaultFormat,
    FraudRiskControl,
    Unknown,
}

/// How far sources disagree on the meaning of a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Ambiguity {
    Unrated,
    Low,
    Medium,
    High,
}

/// Who may set a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Role {
    Acquirer,
    Switch,
    Issuer,
    PosCentre,
}

/// Why a table of codes cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("response codes, line {line}: {problem}")]
pub struct CodesError {
    /// Line of the file.
    pub line: u64,
    /// What is wrong, and what was expected.
    pub problem: String,
}

/// One line as it is written.
#[derive(Deserialize)]
struct Line {
    code: String,
    zh: String,
    en: String,
    roles: String,
    pos_class: String,
    cause_class: CauseClass,
    ambiguity: String,
    note: String,
    source: String,
    grade: String,
}

impl ResponseCodes {
    /// The table of the repository's `codes/response-codes.csv`.
    ///
    /// # Errors
    /// When that file is broken, which the tests of this crate rule out.
    pub fn builtin() -> Result<&'static ResponseCodes, CodesError> {
        static CODES: LazyLock<Result<ResponseCodes, CodesError>> =
            LazyLock::new(|| ResponseCodes::from_csv(include_str!("../../../codes/response-codes.csv")));
        CODES.as_ref().map_err(Clone::clone)
    }

    /// Reads a table: a header row, then one row a code; lines that begin with `#` are comments.
    ///
    /// # Errors
    /// Names the line and what is wrong with it.
    pub fn from_csv(text: &str) -> Result<ResponseCodes, CodesError> {
        let mut reader = csv::ReaderBuilder::new().comment(Some(b'#')).from_reader(text.as_bytes());
        let mut rows = Vec::new();
        let headers = reader.headers().map_err(|error| fault(&error))?.clone();
        for record in reader.records() {
            let record = record.map_err(|error| fault(&error))?;
            let line = record.position().map_or(0, csv::Position::line);
            let wrong = |problem: String| CodesError { line, problem };
            let row: Line = record.deserialize(Some(&headers)).map_err(|error| fault(&error))?;
            if row.code.len() != 2 || !row.code.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
                return Err(wrong(format!("{:?} is not a code of two letters or digits", row.code)));
            }
            rows.push(row.meaning().map_err(wrong)?);
        }
        rows.sort_by(|one, other| one.code.cmp(&other.code));
        match rows.iter().zip(rows.iter().skip(1)).find(|(one, next)| one.code == next.code) {
            Some((twice, _)) => Err(CodesError { line: 0, problem: format!("{:?} is there twice", twice.code) }),
            None => Ok(ResponseCodes { rows }),
        }
    }

    /// What `code` means.
    #[must_use]
    pub fn get(&self, code: &str) -> Option<&CodeMeaning> {
        let found = self.rows.binary_search_by(|row| row.code.as_str().cmp(code)).ok()?;
        self.rows.get(found)
    }

    /// All codes, in order.
    pub fn iter(&self) -> impl Iterator<Item = &CodeMeaning> {
        self.rows.iter()
    }
}

impl Line {
    fn meaning(self) -> Result<CodeMeaning, String> {
        let ambiguity = match self.ambiguity.as_str() {
            "" => Ambiguity::Unrated,
            "low" => Ambiguity::Low,
            "med" => Ambiguity::Medium,
            "high" => Ambiguity::High,
            other => {
                return Err(format!("ambiguity {other:?} is none of low, med, high, empty"));
            }
        };
        let role = |name: &str| match name {
            "acquirer" => Ok(Role::Acquirer),
            "switch" => Ok(Role::Switch),
            "issuer" => Ok(Role::Issuer),
            "pos_centre" => Ok(Role::PosCentre),
            other => Err(format!("role {other:?} is none of acquirer, switch, issuer, pos_centre")),
        };
        let pos_class = match self.pos_class.as_str() {
            "" => None,
            "A" | "B" | "C" | "D" | "E" => self.pos_class.chars().next(),
            other => return Err(format!("pos_class {other:?} is none of A to E, empty")),
        };
        Ok(CodeMeaning {
            pos_class,
            roles: self.roles.split_whitespace().map(role).collect::<Result<_, _>>()?,
            code: self.code,
            zh: self.zh,
            en: self.en,
            cause_class: self.cause_class,
            ambiguity,
            note: self.note,
            source: self.source,
            grade: self.grade,
        })
    }
}

fn fault(error: &csv::Error) -> CodesError {
    let line = error.position().map_or(0, csv::Position::line);
    CodesError { line, problem: error.to_string() }
}
