//! Targets of the reconciliation of files: any text as a layout, any bytes as a file under the shipped layouts.
//! The first byte of an input chooses the case, the rest is the text or the file.

use std::io::{self, Cursor, Write};
use std::sync::Mutex;

use onus_reconcile::files::{
    BatchBreak, Break, Classes, Content, Job, JobFile, Layout, Names, Options, Proposal, RunError, Sink, Source,
    StatementRows, Summary, Workbook, WorkingDays, check_statement, run,
};
use zip::write::SimpleFileOptions;

const FOUR: &str = include_str!("../../layouts/four-files.toml");
const CITY: &str = include_str!("../../layouts/cityday.toml");
const FIXED: &str = include_str!("../../layouts/unionpay-zm.toml");
const CAMT: &str = include_str!("../../layouts/camt053.toml");
const CLASSES: &str = include_str!("../../packs/breaks-1/classes.toml");
const BARS: &str = "id = \"bars\"\n[clearing]\nheader = false\ndelimiter = \"|\"\nencoding = \"gb18030\"\n\
    money = \"yuan\"\ncontrol = [{ starts = \"T|\", count = 2, sum = 3, money = \"yuan\" }]\n\
    columns = { terminal = 1, rrn = 2, amount = 4, settled = 5, sign = 6 }\n";

/// What the bytes of a case are.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    /// Lines below a header.
    Lines,
    /// Lines without header, or with control lines.
    Bare,
    Statement,
    /// The XML of this part of a workbook.
    Part(usize),
    /// A whole workbook.
    Zip,
}

type Case = (&'static str, Source, Kind, &'static str);

const SHARES: &str = "agent_id,term_id,rrn,share\nAG1,10000001,607100000001,5\n";

/// Each case: layout, kind of file, and a file that reads well.
const CASES: [Case; 19] = [
    (
        FOUR,
        Source::Terminal,
        Kind::Lines,
        "term_id,merchant_id,batch_no,trace_no,txn_time,txn_type,pan,amount,resp_code,rrn\n10000001,898,000001,000002,20260312101000,01,622848******1111,500,00,607100000001\n10000001,898,000001,000002,20260312101000,04,622848******1111,\"500\",00,607100000001\r\n",
    ),
    (
        FOUR,
        Source::Switch,
        Kind::Lines,
        "rrn,term_id,merchant_id,batch_no,trace_no,txn_time,txn_type,pan,amount,resp_code,reversed,route,settle_date,issuer\n607100000001,10000001,898,000001,000001,20260312101000,01,622848******1111,500,00,0,R1,20260312,01\n607100000002,10000001,898,000001,000001,20260312101000,02,622848******1111,500,00,1,R1,20260312,01\n",
    ),
    (
        FOUR,
        Source::Clearing,
        Kind::Lines,
        "settle_date,rrn,term_id,merchant_id,sys_trace,txn_time,txn_type,pan,amount,network_fee,mcc\n20260312,607100000001,10000001,898,000001,20260312101000,01,622848******1111,500,1,5411\n20260312,607100000001,10000001,898,000001,20260312101000,03,622848******1111,-500,1,5411\n",
    ),
    (
        FOUR,
        Source::Payout,
        Kind::Lines,
        "payout_batch,pay_date,merchant_id,account,term_id,rrn,txn_type,gross,fee,net\nPB1,20260313,898,6217,10000001,607100000001,01,500,3,497\nPB1,20260313,898,6217,10000001,607100000001,01,-500,-3,-497\n",
    ),
    (
        FOUR,
        Source::Batch,
        Kind::Lines,
        "payout_batch,pay_date,merchant_id,account,total_net,n_items\nPB1,20260313,898,6217,497,1\n",
    ),
    (
        FOUR,
        Source::Merchant,
        Kind::Lines,
        "merchant_id,agent_id,account,mdr_bps,mcc,share_bps,valid_from,valid_to,changed_on\n898,AG1,6217,60,5411,1000,20260101,,20260310\n",
    ),
    (
        FOUR,
        Source::Bank,
        Kind::Lines,
        "reference,account,value_date,amount,status,direction,currency\nPB1,6217,20260313,497,ok,out,CNY\nPB1,6217,20260313,497,returned,in,CNY\n",
    ),
    (FOUR, Source::Share, Kind::Lines, SHARES),
    (
        CITY,
        Source::Terminal,
        Kind::Lines,
        "tid,merchant_code,batch,stan,date,time,txn,pan_masked,amount_fen,rc,reversal,ref_no\n10000001,898,1,2,2026-03-12,10:10:10,SALE,622848******1111,500,00,CONFIRMED,607100000001\n",
    ),
    (
        CITY,
        Source::Clearing,
        Kind::Lines,
        "settle_date,trade_code,ref_no,tid,merchant_code,pan_masked,amount_fen,mcc,network_stan,transmission_time\n2026-03-12,S22,,,898,622848******1111,500,5411,000077,0312101000\n",
    ),
    (
        CITY,
        Source::Batch,
        Kind::Lines,
        "payout_id,pay_date,merchant_code,payee_account,amount_fen,items\nP1,2026-03-13,898,6217,500,1\n",
    ),
    (
        FIXED,
        Source::Clearing,
        Kind::Bare,
        "S22 01234567890 01234567890 000077 0312101000 6228481111111111111 000000000500 5411 01\n",
    ),
    (BARS, Source::Clearing, Kind::Bare, "10000001|607100000001|\u{5f20}|5.00|20260312|C\nT|1|5.00\n"),
    (
        CAMT,
        Source::Bank,
        Kind::Statement,
        "<Document><BkToCstmrStmt><Stmt><Bal><Tp><CdOrPrtry><Cd>OPBD</Cd></CdOrPrtry></Tp><Amt Ccy=\"CNY\">9.5</Amt><CdtDbtInd>CRDT</CdtDbtInd></Bal><Ntry><Amt Ccy=\"CNY\">4.97</Amt><CdtDbtInd>DBIT</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts><ValDt><Dt>2026-03-13</Dt></ValDt><NtryDtls><TxDtls><Refs><EndToEndId>PB&amp;1</EndToEndId></Refs></TxDtls></NtryDtls></Ntry></Stmt></BkToCstmrStmt></Document>",
    ),
    (FOUR, Source::Share, Kind::Part(0), PARTS[0].1),
    (FOUR, Source::Share, Kind::Part(1), PARTS[1].1),
    (FOUR, Source::Share, Kind::Part(2), PARTS[2].1),
    (FOUR, Source::Share, Kind::Part(3), PARTS[3].1),
    (FOUR, Source::Share, Kind::Zip, ""),
];

/// Parts of a small workbook; the first four are changed.
const PARTS: [(&str, &str); 7] = [
    (
        "xl/worksheets/sheet1.xml",
        "<worksheet><dimension ref=\"A1:D3\"/><sheetData><row r=\"1\"><c r=\"A1\" t=\"s\"><v>0</v></c><c r=\"B1\" t=\"s\"><v>1</v></c><c r=\"C1\" t=\"s\"><v>2</v></c><c r=\"D1\" t=\"s\"><v>3</v></c></row><row r=\"3\"><c r=\"A3\" t=\"inlineStr\"><is><t>AG1</t></is></c><c r=\"B3\"><v>10000001</v></c><c r=\"C3\" t=\"str\"><v>607100000001</v></c><c r=\"D3\" s=\"1\"><v>46093.5</v></c></row></sheetData></worksheet>",
    ),
    (
        "xl/sharedStrings.xml",
        "<sst count=\"4\" uniqueCount=\"4\"><si><t>agent_id</t></si><si><t>term_id</t></si><si><r><t>rr</t></r><r><t>n</t></r></si><si><t>share</t></si></sst>",
    ),
    (
        "xl/styles.xml",
        "<styleSheet><numFmts count=\"1\"><numFmt numFmtId=\"164\" formatCode=\"yyyy-mm-dd hh:mm\"/></numFmts><cellXfs count=\"2\"><xf numFmtId=\"0\"/><xf numFmtId=\"164\"/></cellXfs></styleSheet>",
    ),
    (
        "xl/workbook.xml",
        "<workbook xmlns:r=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships\"><sheets><sheet name=\"Shares\" sheetId=\"1\" r:id=\"rId1\"/></sheets></workbook>",
    ),
    (
        "xl/_rels/workbook.xml.rels",
        "<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\"><Relationship Id=\"rId1\" Type=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet\" Target=\"worksheets/sheet1.xml\"/><Relationship Id=\"rId2\" Type=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships/sharedStrings\" Target=\"sharedStrings.xml\"/><Relationship Id=\"rId3\" Type=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships/styles\" Target=\"styles.xml\"/></Relationships>",
    ),
    (
        "_rels/.rels",
        "<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\"><Relationship Id=\"rId1\" Type=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument\" Target=\"xl/workbook.xml\"/></Relationships>",
    ),
    ("[Content_Types].xml", "<Types xmlns=\"http://schemas.openxmlformats.org/package/2006/content-types\"/>"),
];

/// A workbook with one part replaced.
fn workbook(replaced: Option<usize>, bytes: &[u8]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (number, (name, text)) in PARTS.iter().enumerate() {
        let options = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
        zip.start_file(*name, options).expect("in memory");
        let part = if replaced == Some(number) { bytes } else { text.as_bytes() };
        zip.write_all(part).expect("in memory");
    }
    zip.finish().expect("in memory").into_inner()
}

/// Files of each case, with the byte that chooses the case in front.
#[must_use]
pub fn files() -> Vec<Vec<u8>> {
    let seeds = (0_u8..).zip(CASES).map(|(choice, (_, _, kind, text))| {
        let bytes = if kind == Kind::Zip { workbook(None, b"") } else { text.as_bytes().to_vec() };
        [&[choice], bytes.as_slice()].concat()
    });
    seeds.collect()
}

/// Layouts and a pack of classes, with the byte that says which it is in front.
#[must_use]
pub fn layouts() -> Vec<Vec<u8>> {
    let layouts = [FOUR, CITY, FIXED, CAMT, BARS].map(|text| [&[0], text.as_bytes()].concat());
    layouts.into_iter().chain([[&[1], CLASSES.as_bytes()].concat()]).collect()
}

/// Takes results and looks at their names.
struct Nothing;

impl Sink for Nothing {
    fn payment(&mut self, found: &Break, names: &Names<'_>) -> io::Result<()> {
        assert!(found.holding & found.class.bit() != 0);
        let _ = (names.texts.text(found.terminal), names.texts.text(found.account), found.flags(names.classes).count());
        Ok(())
    }

    fn batch(&mut self, found: &BatchBreak, names: &Names<'_>) -> io::Result<()> {
        let _ = names.texts.text(found.batch);
        Ok(())
    }

    fn proposal(&mut self, found: &Proposal, names: &Names<'_>) -> io::Result<()> {
        assert!(found.places.iter().all(|(file, _)| names.file(*file) == "f"));
        Ok(())
    }
}

fn reconcile(layout: &Layout, source: Source, content: Content<'_>, threads: usize) -> Option<Summary> {
    let classes = Classes::from_toml(CLASSES).expect("shipped");
    let (days, spill) = (WorkingDays::default(), Mutex::<Vec<u8>>::default());
    let job = Job {
        files: vec![JobFile { source, name: "f".to_owned(), layout, content, refused: None }],
        classes: &classes,
        days: &days,
        options: Options { threads, memory: 1 << 20, partitions: Some(2), day: Some(20_524), keep: false },
        spill: &spill,
        carry: None,
        size: 0,
        progress: &|_| {},
    };
    match run(job, &mut Nothing) {
        Ok(summary) => Some(summary),
        Err(error @ RunError::Layout(_)) => {
            assert!(!error.to_string().is_empty());
            None
        }
        Err(error) => panic!("{error}"),
    }
}

/// Any bytes as a file: read, refused with a place, or left; and the same however they come.
pub fn rows(input: &[u8]) {
    let Some((choice, bytes)) = input.split_first() else { return };
    let (layout, source, kind, _) = CASES[usize::from(*choice) % CASES.len()];
    let layout = Layout::from_toml(layout).expect("shipped");
    match kind {
        Kind::Lines | Kind::Bare => lines(&layout, source, kind, bytes),
        Kind::Statement => {
            if let Err(fault) = check_statement(bytes) {
                return assert!(!fault.to_string().is_empty());
            }
            let rows = StatementRows::new(Box::new(bytes), &layout).expect("the layout has a bank");
            let _ = reconcile(&layout, source, Content::Rows(&rows), 1).expect("a checked statement reads");
        }
        Kind::Part(_) | Kind::Zip => {
            let zip = if let Kind::Part(part) = kind { workbook(Some(part), bytes) } else { bytes.to_vec() };
            match Workbook::open(Cursor::new(zip), &layout, source) {
                Ok(book) => drop(reconcile(&layout, source, Content::Rows(&book), 1)),
                Err(fault) => assert!(!fault.to_string().is_empty()),
            }
        }
    }
}

fn lines(layout: &Layout, source: Source, kind: Kind, bytes: &[u8]) {
    let Some(summary) = reconcile(layout, source, Content::At(&bytes), 1) else { return };
    let streamed = reconcile(layout, source, Content::Stream(Box::new(bytes)), 2).expect("it read before");
    assert_eq!((&summary.totals, &summary.files), (&streamed.totals, &streamed.files));
    let file = &summary.files[0];
    let seen = file.read.rows + file.rejected + file.skipped;
    let lines = bytes.split_inclusive(|byte| *byte == b'\n').count() as u64;
    match kind {
        Kind::Lines => assert_eq!(seen, lines - 1),
        _ => assert!(seen <= lines),
    }
    for reject in &file.rejects {
        assert!(reject.line >= 1 && reject.line <= lines && reject.offset < bytes.len() as u64, "{reject:?}");
        let digits = reject.reason.split(|letter: char| !letter.is_ascii_digit()).map(str::len).max();
        assert!(digits.is_some_and(|longest| longest < 13), "it may show a card number: {reject:?}");
    }
}

/// Any text as a layout or a pack of classes: refused in words, or it reads files without harm.
pub fn layout(input: &[u8]) {
    let Some((choice, text)) = input.split_first() else { return };
    let text = String::from_utf8_lossy(text);
    if choice % 2 == 1 {
        return assert!(Classes::from_toml(&text).map_or_else(|error| !error.to_string().is_empty(), |_| true));
    }
    let layout = match Layout::from_toml(&text) {
        Ok(layout) => layout,
        Err(error) => return assert!(!error.to_string().is_empty()),
    };
    for (_, source, kind, sample) in CASES {
        if matches!(kind, Kind::Lines | Kind::Bare) && layout.is_statement(source) == Ok(false) {
            let _ = reconcile(&layout, source, Content::At(&sample.as_bytes()), 1);
        }
    }
}
