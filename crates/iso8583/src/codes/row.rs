//! One row of code knowledge, and reading rows and advice from CSV.

use serde::{Deserialize, Serialize};

/// What a code means under the keys that its row names. An empty key is any.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodeRow {
    /// Where such a code stands.
    pub usage: Usage,
    /// Version of the code table, such as `unionpay-2015`.
    pub spec: String,
    /// The acquirer whose system means this by it.
    pub acquirer: String,
    /// Who wrote the code.
    pub layer: Option<Layer>,
    /// The terminal program whose table it is.
    pub app: String,
    /// The code; a `*` at the end stands for any further characters.
    pub code: String,
    /// Its meaning in Chinese.
    pub zh: String,
    /// Its meaning in English.
    pub en: String,
    /// Which side the code points to.
    pub cause_class: CauseClass,
    /// Whether it says that the payment was approved. For the caller: see [`Knowledge::approved`](crate::Knowledge).
    pub approval: Approval,
    /// How far sources disagree on it.
    pub ambiguity: Ambiguity,
    /// Who may set it by the network's table of 2015; empty when that has no such code.
    pub roles: Vec<Role>,
    /// Class of the older terminal standard, `A` approved to `E` system fault; none when it does not list the code.
    pub pos_class: Option<char>,
    /// Name of the advice for it; empty for none.
    pub advice: String,
    /// What to know before relying on it.
    pub note: String,
    /// Where the row comes from.
    pub source: String,
    /// How well the row is supported.
    pub grade: Grade,
}

/// What to do about a code.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
pub struct Advice {
    /// The name that rows use.
    pub id: String,
    /// Whether to try the payment again.
    pub retry: Retry,
    /// To the cashier, in Chinese; empty when no cashier sees such a code.
    pub cashier_zh: String,
    /// To the cashier, in English.
    pub cashier_en: String,
    /// To the operator, in Chinese.
    pub operator_zh: String,
    /// To the operator, in English.
    pub operator_en: String,
    /// What settles the question, in Chinese; empty when nothing is open.
    pub evidence_zh: String,
    /// What settles the question, in English.
    pub evidence_en: String,
}

/// Whether to try a payment again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the names say it")]
pub enum Retry {
    Now,
    Later,
    /// When what the advice says is done.
    AfterFix,
    OtherCard,
    Never,
}

/// Where a code stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Usage {
    /// Field 39 of a reply to a payment.
    #[default]
    Reply,
    /// Field 39 of a reversal: why it is reversed.
    ReversalReason,
    /// Field 39 of the reply to a reversal.
    ReversalReply,
    /// The four digits in field 60 of a reversal at the network.
    NetworkReason,
    /// First digit of a reject code: which part of the message was refused.
    RejectPlace,
    /// Last digit of a reject code: what is wrong with the field.
    RejectFault,
}

/// Who wrote a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Layer {
    /// The program in the terminal; its own codes are never on the wire.
    TerminalApp,
    /// The inline gateway before the acquirer.
    Gateway,
    /// The acquirer's system, its POS centre included.
    Acquirer,
    /// The network's switch.
    Network,
    /// The issuer.
    Issuer,
}

/// Whether a code says that the payment was approved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Approval {
    /// It does not.
    #[default]
    #[serde(rename = "")]
    No,
    /// Approved as asked.
    Full,
    /// A part of the amount is approved.
    Partial,
    /// Approved, with something that was not done.
    Qualified,
    /// Some tables say approved and others do not.
    #[serde(rename = "table")]
    DependsOnTable,
}

/// Which side a response code points to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize, Serialize)]
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the names say it")]
pub enum Ambiguity {
    #[default]
    #[serde(rename = "")]
    Unrated,
    Low,
    #[serde(rename = "med")]
    Medium,
    High,
}

/// How well a row is supported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Grade {
    /// The network's own table has it.
    Official,
    /// Tables of programs and systems have it.
    Listed,
    /// Read out of behaviour, or taken over from somebody's word.
    Believed,
}

/// Who may set a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the names say it")]
pub enum Role {
    Acquirer,
    Switch,
    Issuer,
    PosCentre,
}

/// Why a table of codes cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}, line {line}: {problem}")]
pub struct CodesError {
    /// Name of the table, as the caller gave it.
    pub file: String,
    /// Line of the file; 0 when it is about the whole.
    pub line: u64,
    /// What is wrong, and what was expected.
    pub problem: String,
}

/// One line as it is written. A column that is not there is empty.
#[derive(Deserialize)]
struct Line {
    #[serde(rename = "use", default)]
    usage: Usage,
    #[serde(default)]
    spec: String,
    #[serde(default)]
    acquirer: String,
    #[serde(default)]
    layer: Option<Layer>,
    #[serde(default)]
    app: String,
    code: String,
    zh: String,
    en: String,
    cause_class: CauseClass,
    #[serde(default)]
    approval: Approval,
    #[serde(default)]
    ambiguity: Ambiguity,
    #[serde(default)]
    roles: String,
    #[serde(default)]
    pos_class: String,
    #[serde(default)]
    advice: String,
    #[serde(default)]
    note: String,
    source: String,
    grade: Grade,
}

/// The lines of a table with their numbers; lines that begin with `#` are comments.
fn lines<T: for<'a> Deserialize<'a>>(file: &str, text: &str) -> Result<Vec<(u64, T)>, CodesError> {
    let fault = |error: &csv::Error| {
        let line = error.position().map_or(0, csv::Position::line);
        CodesError { file: file.to_owned(), line, problem: error.to_string() }
    };
    let mut reader = csv::ReaderBuilder::new().comment(Some(b'#')).from_reader(text.as_bytes());
    let headers = reader.headers().map_err(|error| fault(&error))?.clone();
    let row = |record: Result<csv::StringRecord, csv::Error>| {
        let record = record.map_err(|error| fault(&error))?;
        let line = record.position().map_or(0, csv::Position::line);
        Ok((line, record.deserialize(Some(&headers)).map_err(|error| fault(&error))?))
    };
    reader.records().map(row).collect()
}

/// Reads rows of codes.
pub(super) fn rows(file: &str, text: &str) -> Result<Vec<CodeRow>, CodesError> {
    let row =
        |(line, row): (u64, Line)| row.checked().map_err(|problem| CodesError { file: file.to_owned(), line, problem });
    lines(file, text)?.into_iter().map(row).collect()
}

/// Reads advice.
pub(super) fn advice(file: &str, text: &str) -> Result<Vec<Advice>, CodesError> {
    Ok(lines(file, text)?.into_iter().map(|(_, advice)| advice).collect())
}

impl Usage {
    /// How many characters such a code has.
    pub(super) fn width(self) -> usize {
        match self {
            Usage::Reply | Usage::ReversalReason | Usage::ReversalReply => 2,
            Usage::NetworkReason => 4,
            Usage::RejectPlace | Usage::RejectFault => 1,
        }
    }
}

impl Line {
    fn checked(self) -> Result<CodeRow, String> {
        let (exact, width) = (self.code.strip_suffix('*'), self.usage.width());
        let fits = exact.map_or(self.code.len() == width, |start| !start.is_empty() && start.len() < width);
        if !fits || !exact.unwrap_or(&self.code).bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Err(format!(
                "{:?} is not a code of {width} letters or digits, nor the first of them with a *",
                self.code
            ));
        }
        if self.zh.is_empty() || self.en.is_empty() || self.source.is_empty() {
            return Err(format!("code {:?} needs zh, en and source", self.code));
        }
        let is_reply = self.usage == Usage::Reply;
        if is_reply && (self.cause_class == CauseClass::Approved) == (self.approval == Approval::No) {
            let fits = self.approval == Approval::DependsOnTable && self.cause_class == CauseClass::Unknown;
            if !fits {
                return Err(format!(
                    "code {:?}: cause_class approved and approval belong together; expected both or neither",
                    self.code
                ));
            }
        }
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
        Ok(CodeRow {
            usage: self.usage,
            spec: self.spec,
            acquirer: self.acquirer,
            layer: self.layer,
            app: self.app,
            code: self.code,
            zh: self.zh,
            en: self.en,
            cause_class: self.cause_class,
            approval: self.approval,
            ambiguity: self.ambiguity,
            roles: self.roles.split_whitespace().map(role).collect::<Result<_, _>>()?,
            pos_class,
            advice: self.advice,
            note: self.note,
            source: self.source,
            grade: self.grade,
        })
    }
}
