//! Bank statements in ISO 20022 camt.053: checked as a whole first, then read entry by entry in bounded memory.

use std::io::{self, BufRead, BufReader, Read};
use std::sync::{Mutex, PoisonError};

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use super::blocks::{FIELD_END, ReadRows};
use super::layout::{Layout, LayoutError, Source};

/// Bytes that one tag or one text may have; more of it is not read.
const TEXT_MAX: usize = 64 * 1024;
/// Elements within one another.
const DEPTH_MAX: usize = 64;
/// Rows handed out at once.
const AT_ONCE: usize = 1_024;

/// Why a statement cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StatementFault {
    /// No well-formed XML, or more than a statement may have.
    #[error("at byte {offset}: {problem}")]
    Form {
        /// Where.
        offset: u64,
        /// What the parser says.
        problem: String,
    },
    /// XML, but no statement.
    #[error("no BkToCstmrStmt/Stmt in it: not a camt.053 statement, or cut short")]
    NoStatement,
    /// What a statement says about itself is not so.
    #[error("statement {statement}: {problem}")]
    Control {
        /// Number of the statement in the file, from 1.
        statement: u32,
        /// What does not agree.
        problem: String,
    },
}

/// Stops a reader that would take in one tag or text without end.
struct Bounded<R> {
    from: BufReader<R>,
    left: usize,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.fill_buf()?.read(buffer)?;
        self.consume(read);
        Ok(read)
    }
}

impl<R: Read> BufRead for Bounded<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.left == 0 {
            return Err(io::Error::other(format!("a tag or text longer than {TEXT_MAX} bytes")));
        }
        let bytes = self.from.fill_buf()?;
        Ok(bytes.get(..self.left).unwrap_or(bytes))
    }

    fn consume(&mut self, amount: usize) {
        self.left = self.left.saturating_sub(amount);
        self.from.consume(amount);
    }
}

/// Something of a statement. Paths begin below `Stmt`.
enum Found<'a> {
    /// A new statement begins.
    Statement,
    /// An element's text or an attribute.
    Leaf { path: &'a str, text: &'a str },
    /// An element is over.
    End { path: &'a str },
}

/// Walks through the elements below `BkToCstmrStmt/Stmt`, whatever stands around them.
struct Walker<R> {
    xml: Reader<Bounded<R>>,
    buffer: Vec<u8>,
    /// Names of open elements with `/` behind each, and where each begins.
    path: String,
    starts: Vec<usize>,
    /// Length of the path of the statement that is open.
    within: Option<usize>,
    text: String,
}

impl<R: Read> Walker<R> {
    fn new(from: R) -> Self {
        let mut xml = Reader::from_reader(Bounded { from: BufReader::new(from), left: TEXT_MAX });
        xml.config_mut().expand_empty_elements = true;
        let buffer = Vec::new();
        Self { xml, buffer, path: String::new(), starts: Vec::new(), within: None, text: String::new() }
    }

    /// Goes to the next element that begins or ends; false at the end of the file.
    fn step(&mut self, mut take: impl FnMut(Found<'_>)) -> Result<bool, StatementFault> {
        self.buffer.clear();
        self.xml.get_mut().left = TEXT_MAX;
        let event = match self.xml.read_event_into(&mut self.buffer) {
            Ok(event) => event,
            Err(error) => {
                return Err(StatementFault::Form { offset: self.xml.error_position(), problem: error.to_string() });
            }
        };
        let offset = self.xml.buffer_position();
        let fault = |problem: &str| StatementFault::Form { offset, problem: problem.to_owned() };
        match event {
            Event::Eof if self.starts.is_empty() => return Ok(false),
            Event::Eof => return Err(fault("the file ends inside an element; ask for the whole file")),
            Event::Start(tag) => {
                if self.starts.len() >= DEPTH_MAX {
                    return Err(fault("elements are nested too deeply"));
                }
                open(&mut self.path, &mut self.starts, &tag);
                self.text.clear();
                if self.within.is_none() && self.path.ends_with("BkToCstmrStmt/Stmt/") {
                    self.within = Some(self.path.len());
                    take(Found::Statement);
                } else if let Some(from) = self.within {
                    attributes(&tag, self.path.get(from..).unwrap_or_default(), &mut take);
                }
            }
            Event::End(_) => {
                if let Some(path) = self.within.and_then(|from| self.path.get(from..)) {
                    let path = path.strip_suffix('/').unwrap_or(path);
                    let text = self.text.trim();
                    if !text.is_empty() {
                        take(Found::Leaf { path, text });
                    }
                    take(Found::End { path });
                }
                self.path.truncate(self.starts.pop().unwrap_or(0));
                self.text.clear();
                if self.within.is_some_and(|from| self.path.len() < from) {
                    self.within = None;
                }
            }
            Event::Text(text) => self.text.push_str(&text),
            Event::CData(text) => self.text.push_str(&text),
            Event::GeneralRef(name) => match quick_xml::escape::resolve_predefined_entity(&name) {
                Some(text) => self.text.push_str(text),
                // Such characters stand in no field that is read.
                None => self.text.push('?'),
            },
            _ => {}
        }
        if self.text.len() > TEXT_MAX {
            return Err(fault("a text is too long"));
        }
        Ok(true)
    }
}

fn open(path: &mut String, starts: &mut Vec<usize>, tag: &BytesStart<'_>) {
    starts.push(path.len());
    path.push_str(tag.local_name().as_ref());
    path.push('/');
}

fn attributes(tag: &BytesStart<'_>, path: &str, take: &mut impl FnMut(Found<'_>)) {
    for attribute in tag.attributes().with_checks(false).flatten() {
        let text: &str = attribute.value.as_ref();
        let path = format!("{path}@{}", attribute.key.local_name().as_ref());
        if !text.is_empty() {
            take(Found::Leaf { path: &path, text });
        }
    }
}

/// Money in hundred-thousandths, as ISO 20022 writes it with up to five decimals.
fn money(text: &str) -> Option<i128> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    if decimals.len() > 5 || whole.len() > 18 || whole.is_empty() {
        return None;
    }
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(decimals) {
        return None;
    }
    format!("{whole}{decimals:0<5}").parse().ok()
}

fn shown(amount: i128) -> String {
    let sign = if amount < 0 { "-" } else { "" };
    let amount = amount.unsigned_abs();
    format!("{sign}{}.{:05}", amount / 100_000, amount % 100_000)
}

/// A balance or an entry while it is read.
#[derive(Default)]
struct Part {
    code: String,
    amount: Option<i128>,
    credit: bool,
    booked: bool,
}

impl Part {
    fn signed(&self) -> Option<i128> {
        self.amount.map(|amount| if self.credit { amount } else { -amount })
    }
}

/// What one statement says and what it has.
#[derive(Default)]
struct Control {
    statement: u32,
    part: Part,
    opening: Option<i128>,
    closing: Option<i128>,
    booked: i128,
    entries: i128,
    total: i128,
    said_entries: Option<i128>,
    said_total: Option<i128>,
}

impl Control {
    fn leaf(&mut self, path: &str, text: &str) -> Option<String> {
        match path {
            "Bal/Tp/CdOrPrtry/Cd" => self.part.code = text.to_owned(),
            "Bal/Amt" | "Ntry/Amt" => {
                self.part.amount = money(text);
                if self.part.amount.is_none() {
                    return Some(format!("{path} is no amount: {:.40}", text.escape_debug().to_string()));
                }
            }
            "Bal/CdtDbtInd" | "Ntry/CdtDbtInd" => self.part.credit = text == "CRDT",
            "Ntry/Sts" | "Ntry/Sts/Cd" => self.part.booked = text == "BOOK",
            "TxsSummry/TtlNtries/NbOfNtries" => self.said_entries = text.parse().ok(),
            "TxsSummry/TtlNtries/Sum" => self.said_total = money(text),
            _ => {}
        }
        None
    }

    /// Ends a part, or the statement itself.
    fn end(&mut self, path: &str) -> Option<String> {
        match path {
            "Bal" => {
                let part = std::mem::take(&mut self.part);
                match part.code.as_str() {
                    "OPBD" | "PRCD" => self.opening = self.opening.or(part.signed()),
                    "CLBD" => self.closing = part.signed(),
                    _ => {}
                }
                None
            }
            "Ntry" => {
                let part = std::mem::take(&mut self.part);
                self.entries += 1;
                self.total = self.total.saturating_add(part.amount.unwrap_or(0));
                if part.booked {
                    self.booked = self.booked.saturating_add(part.signed().unwrap_or(0));
                }
                part.amount.is_none().then(|| format!("entry {} has no amount", self.entries))
            }
            "" => self.verdict(),
            _ => None,
        }
    }

    fn verdict(&self) -> Option<String> {
        if let Some(said) = self.said_entries.filter(|said| *said != self.entries) {
            return Some(format!("it counts {said} entries, {} are there", self.entries));
        }
        if let Some(said) = self.said_total.filter(|said| *said != self.total) {
            return Some(format!("it adds its entries to {}, they add to {}", shown(said), shown(self.total)));
        }
        let (opening, closing) = (self.opening?, self.closing?);
        let reached = opening.saturating_add(self.booked);
        (reached != closing).then(|| {
            let [opening, booked, closing] = [opening, self.booked, closing].map(shown);
            format!("opening balance {opening} and booked entries {booked} do not give the closing balance {closing}")
        })
    }
}

/// Checks a whole statement file: its form, the entries it counts and adds up, and its balances.
///
/// # Errors
/// Says what is wrong and where; then nothing of the file may be used.
pub fn check_statement(from: impl Read) -> Result<(), StatementFault> {
    let mut walker = Walker::new(from);
    let mut control = Control::default();
    let mut problem = None;
    loop {
        let more = walker.step(|found| match found {
            Found::Statement => control = Control { statement: control.statement + 1, ..Control::default() },
            Found::Leaf { path, text } => problem = problem.take().or_else(|| control.leaf(path, text)),
            Found::End { path } => problem = problem.take().or_else(|| control.end(path)),
        })?;
        if let Some(problem) = problem.take() {
            return Err(StatementFault::Control { statement: control.statement, problem });
        }
        if !more {
            return if control.statement == 0 { Err(StatementFault::NoStatement) } else { Ok(()) };
        }
    }
}

/// One of the places in which a column may stand: a path, and the text it must have to count.
struct Place {
    path: String,
    /// Below `Stmt` instead of below its entries.
    of_statement: bool,
    wanted: Option<String>,
}

/// A column: the first of its places that says something.
struct Column {
    name: String,
    places: Vec<Place>,
    /// What each place said.
    found: Vec<String>,
}

impl Column {
    /// Reads `ValDt/Dt | ValDt/DtTm`, `RvslInd=true`, `/Acct/Id/IBAN`.
    fn new(name: &str) -> Self {
        let places = name.split('|').map(|place| {
            let (path, wanted) = match place.trim().split_once('=') {
                Some((path, wanted)) => (path.trim(), Some(wanted.trim().to_owned())),
                None => (place.trim(), None),
            };
            let of_statement = path.starts_with('/');
            let path = if of_statement { path.trim_start_matches('/').to_owned() } else { format!("Ntry/{path}") };
            Place { path, of_statement, wanted }
        });
        let places: Vec<Place> = places.collect();
        Self { name: name.to_owned(), found: vec![String::new(); places.len()], places }
    }

    fn leaf(&mut self, path: &str, text: &str) {
        for (place, found) in self.places.iter().zip(&mut self.found) {
            let fits = place.path == path && place.wanted.as_ref().is_none_or(|wanted| wanted == text);
            if fits && found.is_empty() {
                // The day of a point in time is its first ten characters.
                let day = if path.ends_with("DtTm") { text.get(..10) } else { None };
                found.push_str(day.unwrap_or(text));
            }
        }
    }

    /// Forgets what stood below `path`.
    fn forget(&mut self, path: &str, of_statement: bool) {
        for (place, found) in self.places.iter().zip(&mut self.found) {
            let below = place.path.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
            if place.of_statement == of_statement && (below || path.is_empty()) {
                found.clear();
            }
        }
    }

    fn write(&self, out: &mut Vec<u8>) {
        if let Some(text) = self.found.iter().find(|text| !text.is_empty()) {
            out.extend(text.bytes().map(|byte| if byte < b' ' { b' ' } else { byte }));
        }
    }
}

struct State<'a> {
    walker: Walker<Box<dyn Read + Send + 'a>>,
    columns: Vec<Column>,
    /// Path of the element that makes a row.
    row: String,
    /// Number of the next row, from 1.
    next: u64,
    /// Rows of the entry that is open.
    of_entry: usize,
}

/// The rows of a statement; the first has number 1.
pub struct StatementRows<'a> {
    names: Vec<String>,
    state: Mutex<State<'a>>,
}

impl<'a> StatementRows<'a> {
    /// Rows of a file that [`check_statement`] found good, by the layout's section for bank statements.
    ///
    /// # Errors
    /// When the layout has no such section.
    pub fn new(from: Box<dyn Read + Send + 'a>, layout: &Layout) -> Result<Self, LayoutError> {
        let shape = layout.shape(Source::Bank)?;
        let columns: Vec<Column> = shape.all.iter().map(|name| Column::new(name)).collect();
        let names = columns.iter().map(|column| column.name.clone()).collect();
        let state = State { walker: Walker::new(from), columns, row: shape.row.to_owned(), next: 1, of_entry: 0 };
        Ok(Self { names, state: Mutex::new(state) })
    }
}

impl ReadRows for StatementRows<'_> {
    fn names(&self) -> Vec<String> {
        self.names.clone()
    }

    fn select(&self, _columns: &[usize]) {}

    fn next_rows(&self, text: &mut Vec<u8>) -> io::Result<Option<u64>> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let State { walker, columns, row, next, of_entry } = &mut *state;
        let first = *next;
        let mut rows = 0;
        while rows < AT_ONCE {
            let more = walker.step(|found| match found {
                Found::Statement => columns.iter_mut().for_each(|column| column.forget("", true)),
                Found::Leaf { path, text } => columns.iter_mut().for_each(|column| column.leaf(path, text)),
                Found::End { path } => {
                    if path == row.as_str() || (path == "Ntry" && *of_entry == 0) {
                        write_row(columns, text);
                        rows += 1;
                        *of_entry += 1;
                        columns.iter_mut().for_each(|column| column.forget(path, false));
                    }
                    if path == "Ntry" {
                        *of_entry = 0;
                        columns.iter_mut().for_each(|column| column.forget("", false));
                    }
                }
            });
            if !more.map_err(io::Error::other)? {
                break;
            }
        }
        *next += rows as u64;
        Ok((rows > 0).then_some(first))
    }
}

fn write_row(columns: &[Column], text: &mut Vec<u8>) {
    for (number, column) in columns.iter().enumerate() {
        if number > 0 {
            text.push(FIELD_END);
        }
        column.write(text);
    }
    text.push(b'\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "<?xml version=\"1.0\"?><x:Document xmlns:x=\"urn:iso:std:iso:20022:tech:xsd:camt.053.001.08\"><x:BkToCstmrStmt><x:Stmt>\
        <x:Acct><x:Id><x:Othr><x:Id>6217000010001</x:Id></x:Othr></x:Id></x:Acct>\
        <x:Bal><x:Tp><x:CdOrPrtry><x:Cd>OPBD</x:Cd></x:CdOrPrtry></x:Tp><x:Amt Ccy=\"CNY\">100</x:Amt><x:CdtDbtInd>CRDT</x:CdtDbtInd></x:Bal>\
        <x:Bal><x:Tp><x:CdOrPrtry><x:Cd>CLBD</x:Cd></x:CdOrPrtry></x:Tp><x:Amt Ccy=\"CNY\">88.50</x:Amt><x:CdtDbtInd>CRDT</x:CdtDbtInd></x:Bal>\
        <x:TxsSummry><x:TtlNtries><x:NbOfNtries>2</x:NbOfNtries><x:Sum>13.5</x:Sum></x:TtlNtries></x:TxsSummry>";
    const ENTRIES: &str = "<x:Ntry><x:Amt Ccy=\"CNY\">12.50</x:Amt><x:CdtDbtInd>DBIT</x:CdtDbtInd><x:Sts><x:Cd>BOOK</x:Cd></x:Sts>\
        <x:ValDt><x:DtTm>2026-03-13T09:00:00+08:00</x:DtTm></x:ValDt><x:NtryDtls><x:TxDtls><x:Refs><x:EndToEndId>PB&amp;1</x:EndToEndId></x:Refs></x:TxDtls>\
        <x:TxDtls><x:Refs><x:EndToEndId>PB2</x:EndToEndId></x:Refs></x:TxDtls></x:NtryDtls></x:Ntry>\
        <x:Ntry><x:Amt Ccy=\"CNY\">1.00</x:Amt><x:CdtDbtInd>CRDT</x:CdtDbtInd><x:Sts>BOOK</x:Sts><x:RvslInd>true</x:RvslInd></x:Ntry>";
    const TAIL: &str = "</x:Stmt></x:BkToCstmrStmt></x:Document>";

    fn layout(row: &str) -> Layout {
        Layout::from_toml(&format!(
            "id = \"x\"\n[bank]\nformat = \"camt.053\"\nrow = \"{row}\"\nmoney = \"yuan\"\n[bank.columns]\n\
             amount = \"Amt\"\ncurrency = \"Amt/@Ccy\"\npaid_on = \"ValDt/Dt | ValDt/DtTm\"\n\
             reference = \"NtryDtls/TxDtls/Refs/EndToEndId\"\nstatus = \"RvslInd=true\"\naccount = \"/Acct/Id/Othr/Id\"\n"
        ))
        .unwrap()
    }

    fn rows(text: &str, row: &str) -> Vec<String> {
        let layout = layout(row);
        let rows = StatementRows::new(Box::new(text.as_bytes()), &layout).unwrap();
        let names = rows.names();
        let mut out = Vec::new();
        assert_eq!(rows.next_rows(&mut out).unwrap(), Some(1));
        assert_eq!(rows.next_rows(&mut Vec::new()).unwrap(), None);
        let at = |name: &str| names.iter().position(|known| known == name).unwrap();
        let order = [
            "Amt",
            "Amt/@Ccy",
            "ValDt/Dt | ValDt/DtTm",
            "NtryDtls/TxDtls/Refs/EndToEndId",
            "RvslInd=true",
            "/Acct/Id/Othr/Id",
        ];
        let lines = String::from_utf8(out).unwrap();
        lines
            .lines()
            .map(|line| {
                let fields: Vec<&str> = line.split('\u{1f}').collect();
                order.iter().map(|name| fields[at(name)]).collect::<Vec<_>>().join(",")
            })
            .collect()
    }

    #[test]
    fn entries_and_their_details_become_rows() {
        let text = format!("{HEAD}{ENTRIES}{TAIL}");
        assert_eq!(check_statement(text.as_bytes()), Ok(()));
        assert_eq!(rows(&text, "Ntry"), ["12.50,CNY,2026-03-13,PB&1,,6217000010001", "1.00,CNY,,,true,6217000010001"]);
        assert_eq!(
            rows(&text, "Ntry/NtryDtls/TxDtls"),
            [
                "12.50,CNY,2026-03-13,PB&1,,6217000010001",
                "12.50,CNY,2026-03-13,PB2,,6217000010001",
                "1.00,CNY,,,true,6217000010001"
            ]
        );
    }

    #[test]
    fn a_statement_that_is_not_as_it_says_is_refused() {
        let text = format!("{HEAD}{ENTRIES}{TAIL}");
        let table = [
            (text.replace("<x:NbOfNtries>2", "<x:NbOfNtries>3"), "it counts 3 entries, 2 are there"),
            (text.replace("<x:Sum>13.5<", "<x:Sum>13.6<"), "adds its entries to 13.60000, they add to 13.50000"),
            (text.replace("88.50", "88.51"), "do not give the closing balance 88.51000"),
            (text.replace("\">1.00<", "\">1,00<"), "Ntry/Amt is no amount: 1,00"),
            (text.replace("<x:Amt Ccy=\"CNY\">1.00</x:Amt>", ""), "entry 2 has no amount"),
            (format!("{HEAD}{ENTRIES}"), "the file ends inside an element"),
            (text.replace("</x:Ntry>", "</x:Entry>"), "at byte"),
            ("<Document/>".to_owned(), "not a camt.053 statement"),
            ("a,b\n1,2\n".to_owned(), "not a camt.053 statement"),
            (format!("<a>{}</a>", "<b>".repeat(70)), "nested too deeply"),
            (format!("<a>{}</a>", "x".repeat(70_000)), "longer than"),
        ];
        for (text, expected) in table {
            let fault = check_statement(text.as_bytes()).unwrap_err().to_string();
            assert!(fault.contains(expected), "{fault}");
        }
    }
}
