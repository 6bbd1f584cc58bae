//! Layouts: which column of a file says what, as data (`layouts/*.toml`).

use std::collections::BTreeMap;

use serde::Deserialize;

use super::dates::Day;
use super::naming::NamePattern;
use super::tokens::Cutting;
use super::workbook::Shape;

/// A layout or a header line does not do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LayoutError {
    /// Not TOML of the expected form.
    #[error("layout: {0}")]
    Form(String),
    /// The layout says nothing about a kind of file.
    #[error("layout {layout} describes no {source_name} file; add a [{source_name}] section")]
    NoSource {
        /// Layout.
        layout: String,
        /// Kind of file.
        source_name: &'static str,
    },
    /// A role is missing or stands for something else.
    #[error("layout {layout}, [{source_name}]: {problem}")]
    Section {
        /// Layout.
        layout: String,
        /// Kind of file.
        source_name: &'static str,
        /// What is wrong.
        problem: String,
    },
    /// The header line lacks a column.
    #[error("{file}: the header has no column {column:?} (it has: {found})")]
    Header {
        /// File.
        file: String,
        /// Column that the layout names.
        column: String,
        /// Columns that are there.
        found: String,
    },
}

/// A kind of file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// Terminal journals (T).
    Terminal,
    /// The acquirer's switch log (S).
    Switch,
    /// The network's clearing (C).
    Clearing,
    /// Payout lines (P).
    Payout,
    /// Agents' profit shares (A).
    Share,
    /// Payout batches (B).
    Batch,
    /// Bank statement (K).
    Bank,
    /// Merchant master (M).
    Merchant,
}

impl Source {
    /// Every kind, in the order of control totals.
    pub const ALL: [Self; 8] = [
        Self::Terminal,
        Self::Switch,
        Self::Clearing,
        Self::Payout,
        Self::Share,
        Self::Batch,
        Self::Bank,
        Self::Merchant,
    ];

    /// Its name in layouts and reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Terminal => "terminal",
            Self::Switch => "switch",
            Self::Clearing => "clearing",
            Self::Payout => "payout",
            Self::Share => "share",
            Self::Batch => "batch",
            Self::Bank => "bank",
            Self::Merchant => "merchant",
        }
    }

    const fn required(self) -> &'static [Role] {
        match self {
            Self::Terminal => &[Role::Terminal, Role::Amount, Role::Response],
            Self::Switch => &[Role::Terminal, Role::Rrn, Role::Amount, Role::Response],
            Self::Clearing | Self::Bank => &[Role::Amount],
            Self::Payout => &[Role::Terminal, Role::Rrn, Role::Net],
            Self::Share => &[Role::Terminal, Role::Rrn, Role::Agent, Role::Share],
            Self::Batch => &[Role::PayoutBatch, Role::Total],
            Self::Merchant => &[Role::Merchant, Role::Account],
        }
    }
}

/// What a column says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names are the documentation; docs/guides/reconcile.md lists them")]
pub enum Role {
    Terminal,
    Batch,
    Trace,
    Rrn,
    Merchant,
    Time,
    Date,
    Clock,
    Pan,
    Amount,
    Sign,
    Response,
    Kind,
    Reversed,
    Settled,
    NetworkTrace,
    TransmittedAt,
    NetworkFee,
    Mcc,
    OriginalBatch,
    OriginalTrace,
    PayoutBatch,
    PaidOn,
    Account,
    Gross,
    Fee,
    Net,
    Agent,
    Share,
    ShareBp,
    FeeBp,
    ValidFrom,
    ValidTo,
    ChangedOn,
    Total,
    Items,
    Reference,
    Status,
    Direction,
    Currency,
}

const ROLES: usize = Role::Currency as usize + 1;

impl Role {
    /// Every role.
    pub(crate) const ALL: [Self; ROLES] = [
        Self::Terminal,
        Self::Batch,
        Self::Trace,
        Self::Rrn,
        Self::Merchant,
        Self::Time,
        Self::Date,
        Self::Clock,
        Self::Pan,
        Self::Amount,
        Self::Sign,
        Self::Response,
        Self::Kind,
        Self::Reversed,
        Self::Settled,
        Self::NetworkTrace,
        Self::TransmittedAt,
        Self::NetworkFee,
        Self::Mcc,
        Self::OriginalBatch,
        Self::OriginalTrace,
        Self::PayoutBatch,
        Self::PaidOn,
        Self::Account,
        Self::Gross,
        Self::Fee,
        Self::Net,
        Self::Agent,
        Self::Share,
        Self::ShareBp,
        Self::FeeBp,
        Self::ValidFrom,
        Self::ValidTo,
        Self::ChangedOn,
        Self::Total,
        Self::Items,
        Self::Reference,
        Self::Status,
        Self::Direction,
        Self::Currency,
    ];

    /// Its name in layouts and rejects.
    pub(crate) fn name(self) -> String {
        let camel = format!("{self:?}");
        let mut name = String::new();
        for letter in camel.chars() {
            if letter.is_ascii_uppercase() && !name.is_empty() {
                name.push('_');
            }
            name.push(letter.to_ascii_lowercase());
        }
        name
    }
}

/// What a row records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RowKind {
    /// A sale, or a line of a statement that counts.
    #[serde(alias = "line")]
    Sale,
    /// A refund: a payment of its own, the other way.
    Refund,
    /// A reversal of another row.
    Reversal,
    /// A void of another row.
    Void,
    /// Nothing about a payment (settlement of a terminal's batch, sign-in).
    Skip,
}

/// How dates are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Default)]
pub(crate) enum DateForm {
    #[default]
    #[serde(rename = "yyyymmdd")]
    Compact,
    #[serde(rename = "yyyy-mm-dd")]
    Dashed,
    #[serde(rename = "yymmdd")]
    Short,
}

/// How points in time are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Default)]
pub(crate) enum TimeForm {
    #[default]
    #[serde(rename = "yyyymmddhhmmss")]
    Compact,
    #[serde(rename = "yyyy-mm-dd hh:mm:ss")]
    Dashed,
    /// The year is that of the settlement day.
    #[serde(rename = "mmddhhmmss")]
    Yearless,
}

/// In what money is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Money {
    /// Whole minor units.
    #[default]
    Fen,
    /// With up to two decimals.
    Yuan,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Default)]
pub(crate) enum Encoding {
    #[default]
    #[serde(rename = "utf-8")]
    Utf8,
    #[serde(rename = "gbk")]
    Gbk,
    #[serde(rename = "gb18030")]
    Gb18030,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
enum Column {
    Number(usize),
    Name(String),
}

/// A line that counts the others.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ControlLine {
    /// How the line begins.
    pub(crate) starts: String,
    /// Number of the field (from 1) that counts the rows.
    pub(crate) count: Option<usize>,
    /// Number of the field that adds their amounts.
    pub(crate) sum: Option<usize>,
    /// In what the sum is written.
    #[serde(default)]
    pub(crate) money: Money,
}

/// What kind of file carries the rows. Delimited sections read Parquet and workbooks too, by their column names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Default)]
pub(crate) enum Format {
    /// Lines with delimiters or of fixed width; or Parquet, or a workbook.
    #[default]
    #[serde(rename = "delimited")]
    Delimited,
    /// An ISO 20022 bank statement; columns are paths below its entries.
    #[serde(rename = "camt.053")]
    Camt053,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Section {
    #[serde(default)]
    format: Format,
    name: Option<String>,
    #[serde(default)]
    sheet: Option<String>,
    #[serde(default = "entry")]
    row: String,
    #[serde(default)]
    optional: Vec<Role>,
    #[serde(default = "comma")]
    delimiter: String,
    #[serde(default = "yes")]
    header: bool,
    #[serde(default = "double_quote")]
    quote: String,
    #[serde(default)]
    encoding: Encoding,
    #[serde(default)]
    money: Money,
    #[serde(default)]
    date: DateForm,
    #[serde(default)]
    time: TimeForm,
    #[serde(default)]
    widths: Vec<usize>,
    #[serde(default)]
    gap: usize,
    #[serde(default)]
    kinds: BTreeMap<String, RowKind>,
    #[serde(default = "approved")]
    approved: Vec<String>,
    #[serde(default = "reversed")]
    reversed: Vec<String>,
    #[serde(default = "negative")]
    negative: Vec<String>,
    #[serde(default = "returned")]
    returned: Vec<String>,
    #[serde(default = "incoming")]
    incoming: Vec<String>,
    #[serde(default = "currency")]
    currency: Vec<String>,
    #[serde(default)]
    control: Vec<ControlLine>,
    columns: BTreeMap<Role, Column>,
}

fn comma() -> String {
    ",".to_owned()
}
const fn yes() -> bool {
    true
}
fn double_quote() -> String {
    "\"".to_owned()
}
fn approved() -> Vec<String> {
    vec!["00".to_owned()]
}
fn reversed() -> Vec<String> {
    vec!["1".to_owned(), "Y".to_owned()]
}
fn negative() -> Vec<String> {
    vec!["D".to_owned(), "-".to_owned()]
}
fn returned() -> Vec<String> {
    vec!["returned".to_owned()]
}
fn incoming() -> Vec<String> {
    ["C", "CRDT", "in"].map(str::to_owned).to_vec()
}
fn currency() -> Vec<String> {
    ["CNY", "156"].map(str::to_owned).to_vec()
}
fn entry() -> String {
    "Ntry".to_owned()
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct LayoutToml {
    id: String,
    #[serde(default)]
    about: String,
    #[serde(default)]
    source: String,
    #[serde(default)]
    grade: String,
    terminal: Option<Section>,
    switch: Option<Section>,
    clearing: Option<Section>,
    payout: Option<Section>,
    share: Option<Section>,
    batch: Option<Section>,
    bank: Option<Section>,
    merchant: Option<Section>,
}

/// A layout: how each kind of file is written.
#[derive(Debug, Clone)]
pub struct Layout {
    read: LayoutToml,
}

impl Layout {
    /// Reads a layout and checks each section.
    ///
    /// # Errors
    /// Names the section and what is missing in it.
    pub fn from_toml(text: &str) -> Result<Self, LayoutError> {
        let read: LayoutToml = toml::from_str(text).map_err(|error| LayoutError::Form(error.to_string()))?;
        let layout = Self { read };
        for source in Source::ALL {
            if let Some(section) = layout.section(source) {
                layout.check(source, section).map_err(|problem| LayoutError::Section {
                    layout: layout.read.id.clone(),
                    source_name: source.name(),
                    problem,
                })?;
            }
        }
        Ok(layout)
    }

    /// Its name and version.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.read.id
    }

    /// What it is for, and where its knowledge comes from with the grade of that source.
    #[must_use]
    pub fn about(&self) -> (&str, &str, &str) {
        (&self.read.about, &self.read.source, &self.read.grade)
    }

    const fn section(&self, source: Source) -> Option<&Section> {
        match source {
            Source::Terminal => self.read.terminal.as_ref(),
            Source::Switch => self.read.switch.as_ref(),
            Source::Clearing => self.read.clearing.as_ref(),
            Source::Payout => self.read.payout.as_ref(),
            Source::Share => self.read.share.as_ref(),
            Source::Batch => self.read.batch.as_ref(),
            Source::Bank => self.read.bank.as_ref(),
            Source::Merchant => self.read.merchant.as_ref(),
        }
    }

    #[expect(clippy::unused_self, reason = "checks belong to the layout")]
    fn check(&self, source: Source, section: &Section) -> Result<(), String> {
        for role in source.required() {
            if !section.columns.contains_key(role) || section.optional.contains(role) {
                return Err(format!("columns lack {}", role.name()));
            }
        }
        section.name.as_deref().map_or(Ok(()), |name| NamePattern::new(name).map(drop))?;
        if section.format == Format::Camt053 {
            return section.check_statement(source);
        }
        let keyed = |roles: &[Role]| roles.iter().all(|role| section.columns.contains_key(role));
        if source == Source::Terminal && !keyed(&[Role::Batch, Role::Trace]) && !keyed(&[Role::Rrn]) {
            return Err("columns need batch and trace, or rrn, to match by".to_owned());
        }
        if source == Source::Clearing
            && !keyed(&[Role::Terminal, Role::Rrn])
            && !keyed(&[Role::NetworkTrace, Role::TransmittedAt])
        {
            return Err("columns need terminal and rrn, or network_trace and transmitted_at, to match by".to_owned());
        }
        if section.delimiter.len() != 1 || section.quote.len() > 1 {
            return Err("delimiter is one ASCII character, quote is one or empty".to_owned());
        }
        let by_name = section.columns.values().any(|column| matches!(column, Column::Name(_)));
        if by_name && (!section.header || !section.widths.is_empty()) {
            return Err("columns of a file without a header line are numbers from 1".to_owned());
        }
        if section.columns.values().any(|column| matches!(column, Column::Number(0))) {
            return Err("columns are numbered from 1".to_owned());
        }
        Ok(())
    }

    /// The plan of one file, by its header line when it has one. `header` is `None` for a file of typed columns
    /// whose names are in `names`.
    pub(crate) fn plan(&self, source: Source, file: &str, header: &HeaderOf<'_>) -> Result<Plan, LayoutError> {
        let section = self.require(source)?;
        let mut plan = Plan {
            at: [Plan::NONE; ROLES],
            names: Vec::new(),
            columns: section.widths.len(),
            cutting: section.cutting(),
            money: section.money,
            date: section.date,
            time: section.time,
            kinds: section.kinds.iter().map(|(text, kind)| (word(text.as_bytes()), *kind)).collect(),
            approved: words(&section.approved),
            reversed: words(&section.reversed),
            negative: words(&section.negative),
            returned: words(&section.returned),
            any_returned: section.returned.iter().any(|text| text == "*"),
            incoming: words(&section.incoming),
            currency: words(&section.currency),
            control: section.control.clone(),
        };
        let names = header.names(&plan.cutting);
        if let Some(names) = &names {
            plan.columns = names.len();
            plan.names.clone_from(names);
        }
        for (role, column) in &section.columns {
            plan.at[*role as usize] = match column {
                Column::Number(number) => number - 1,
                Column::Name(name) => {
                    match names.as_ref().and_then(|names| names.iter().position(|found| found == name)) {
                        Some(at) => at,
                        None if section.optional.contains(role) => Plan::NONE,
                        None => {
                            return Err(LayoutError::Header {
                                file: file.to_owned(),
                                column: name.clone(),
                                found: names.clone().unwrap_or_default().join(", "),
                            });
                        }
                    }
                }
            };
        }
        if plan.columns == 0 {
            plan.columns = plan.at.iter().filter(|at| **at != Plan::NONE).max().map_or(0, |at| at + 1);
        }
        Ok(plan)
    }

    /// Whether files of this kind begin with a header line.
    pub(crate) fn has_header(&self, source: Source) -> Result<bool, LayoutError> {
        self.require(source).map(|section| section.header && section.widths.is_empty())
    }

    /// Whether files of this kind are ISO 20022 bank statements.
    ///
    /// # Errors
    /// When the layout says nothing about this kind of file.
    pub fn is_statement(&self, source: Source) -> Result<bool, LayoutError> {
        self.require(source).map(|section| section.format == Format::Camt053)
    }

    /// Why each of the files of a kind must not be used, by its name and the settlement day.
    #[must_use]
    pub fn name_faults(&self, source: Source, names: &[String], day: Option<Day>) -> Vec<Option<String>> {
        let name = self.section(source).and_then(|section| section.name.as_deref());
        let pattern = name.and_then(|name| NamePattern::new(name).ok());
        pattern.map_or_else(|| vec![None; names.len()], |pattern| pattern.faults(names, day))
    }

    /// Name of the column that a reject speaks of, when it stands in a named one.
    #[must_use]
    pub fn column_of(&self, source: Source, field: &str) -> Option<&str> {
        let (_, column) = self.section(source)?.columns.iter().find(|(role, _)| role.name() == field)?;
        match column {
            Column::Name(name) => Some(name),
            Column::Number(_) => None,
        }
    }

    /// What a reader of statements or workbooks must know.
    pub(crate) fn shape(&self, source: Source) -> Result<Shape<'_>, LayoutError> {
        let section = self.require(source)?;
        let names = |optional: bool| {
            section.columns.iter().filter_map(move |(role, column)| match column {
                Column::Name(name) if section.optional.contains(role) == optional => Some(name.as_str()),
                _ => None,
            })
        };
        Ok(Shape {
            sheet: section.sheet.as_deref(),
            row: &section.row,
            needed: names(false).collect(),
            all: names(false).chain(names(true)).collect(),
            header: section.header && section.widths.is_empty(),
            date: section.date,
            time: section.time,
        })
    }

    fn require(&self, source: Source) -> Result<&Section, LayoutError> {
        self.section(source)
            .ok_or_else(|| LayoutError::NoSource { layout: self.read.id.clone(), source_name: source.name() })
    }
}

/// Where the names of a file's columns come from.
pub(crate) enum HeaderOf<'a> {
    /// Its first line.
    Line(&'a [u8]),
    /// The file itself is typed.
    Names(Vec<String>),
    /// Nowhere: columns are numbered.
    None,
}

impl HeaderOf<'_> {
    fn names(&self, cutting: &Cutting) -> Option<Vec<String>> {
        match self {
            Self::None => None,
            Self::Names(names) => Some(names.clone()),
            Self::Line(line) => {
                let mut cut = super::tokens::CutLine::default();
                cut.cut(line, cutting).ok()?;
                let mut from = 0;
                let names = cut.ends.iter().map(|end| {
                    let name = String::from_utf8_lossy(&cut.bytes[from..*end as usize]).trim().to_owned();
                    from = *end as usize + 1;
                    name
                });
                Some(names.collect())
            }
        }
    }
}

impl Section {
    fn check_statement(&self, source: Source) -> Result<(), String> {
        if source != Source::Bank {
            return Err("camt.053 is a bank statement; it can only be the bank file".to_owned());
        }
        if self.columns.values().any(|column| matches!(column, Column::Number(_))) {
            return Err("columns of a statement are paths such as \"ValDt/Dt\"".to_owned());
        }
        if self.row != "Ntry" && !self.row.starts_with("Ntry/") {
            return Err("row is \"Ntry\" or a path below it such as \"Ntry/NtryDtls/TxDtls\"".to_owned());
        }
        Ok(())
    }

    fn cutting(&self) -> Cutting {
        let mut from = 0;
        let fixed = self.widths.iter().map(|width| {
            let column = (from, from + width);
            from += width + self.gap;
            column
        });
        Cutting {
            fixed: fixed.collect(),
            delimiter: self.delimiter.bytes().next().unwrap_or(b','),
            quote: self.quote.bytes().next(),
            double_bytes: self.encoding != Encoding::Utf8,
        }
    }
}

/// What one file is read by.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    at: [usize; ROLES],
    pub(crate) names: Vec<String>,
    pub(crate) columns: usize,
    pub(crate) cutting: Cutting,
    pub(crate) money: Money,
    pub(crate) date: DateForm,
    pub(crate) time: TimeForm,
    kinds: Vec<(u64, RowKind)>,
    approved: Vec<u64>,
    reversed: Vec<u64>,
    negative: Vec<u64>,
    returned: Vec<u64>,
    any_returned: bool,
    incoming: Vec<u64>,
    currency: Vec<u64>,
    pub(crate) control: Vec<ControlLine>,
}

impl Plan {
    const NONE: usize = usize::MAX;

    /// The column that plays a role.
    #[inline]
    pub(crate) const fn column(&self, role: Role) -> Option<usize> {
        let at = self.at[role as usize];
        if at == Self::NONE { None } else { Some(at) }
    }

    /// What a row of this kind word is; without such words every row is a sale.
    #[inline]
    pub(crate) fn kind(&self, text: &[u8]) -> Option<RowKind> {
        if self.kinds.is_empty() {
            return Some(RowKind::Sale);
        }
        let text = word(text);
        self.kinds.iter().find(|(known, _)| *known == text).map(|(_, kind)| *kind)
    }

    #[inline]
    pub(crate) fn is_approved(&self, text: &[u8]) -> bool {
        self.approved.contains(&word(text))
    }

    #[inline]
    pub(crate) fn is_reversed(&self, text: &[u8]) -> bool {
        self.reversed.contains(&word(text))
    }

    pub(crate) fn is_negative(&self, text: &[u8]) -> bool {
        self.negative.contains(&word(text))
    }

    pub(crate) fn is_returned(&self, text: &[u8]) -> bool {
        (self.any_returned && !text.is_empty()) || self.returned.contains(&word(text))
    }

    pub(crate) fn is_incoming(&self, text: &[u8]) -> bool {
        self.incoming.contains(&word(text))
    }

    pub(crate) fn is_own_currency(&self, text: &[u8]) -> bool {
        text.is_empty() || self.currency.contains(&word(text))
    }
}

/// Words of up to eight bytes are told apart as numbers, longer ones by their hash.
#[inline]
fn word(text: &[u8]) -> u64 {
    if let [one, two] = text {
        return u64::from(*one) << 8 | u64::from(*two);
    }
    if text.len() <= 8 {
        return text.iter().fold(0, |word, byte| word << 8 | u64::from(*byte));
    }
    let mut hasher = rustc_hash::FxHasher::default();
    std::hash::Hasher::write(&mut hasher, text);
    std::hash::Hasher::finish(&hasher) | 1 << 63
}

fn words(texts: &[String]) -> Vec<u64> {
    texts.iter().map(|text| word(text.as_bytes())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_that_lacks_a_column_names_it() {
        let layout =
            Layout::from_toml("id = \"x\"\n[merchant]\ncolumns = { merchant = \"mid\", account = \"acct\" }\n")
                .unwrap();
        let plan = layout.plan(Source::Merchant, "m.csv", &HeaderOf::Line(b"acct,\"mid\"")).unwrap();
        assert_eq!((plan.column(Role::Merchant), plan.column(Role::Account)), (Some(1), Some(0)));
        let wrong = layout.plan(Source::Merchant, "m.csv", &HeaderOf::Line(b"acct,id")).unwrap_err();
        assert_eq!(wrong.to_string(), "m.csv: the header has no column \"mid\" (it has: acct, id)");
        assert!(layout.plan(Source::Bank, "k.csv", &HeaderOf::None).is_err());
    }

    #[test]
    fn sections_are_checked() {
        let table = [
            ("[merchant]\ncolumns = { merchant = \"m\" }", "columns lack account"),
            (
                "[terminal]\ncolumns = { terminal = \"t\", amount = \"a\", response = \"r\", batch = \"b\" }",
                "to match by",
            ),
            ("[batch]\nheader = false\ncolumns = { payout_batch = \"t\", total = 2 }", "numbers from 1"),
            ("[batch]\nheader = false\ncolumns = { payout_batch = 0, total = 2 }", "numbered from 1"),
            ("[batch]\ndelimiter = \"||\"\ncolumns = { payout_batch = \"t\", total = \"n\" }", "one ASCII character"),
        ];
        for (section, expected) in table {
            let error = Layout::from_toml(&format!("id = \"x\"\n{section}\n")).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }
}
