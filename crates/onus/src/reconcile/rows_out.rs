//! Breaks, batches and proposals as they are written.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use onus_reconcile::files::{
    BatchBreak, Break, Class, Classes, Code, FileReport, Flag, Names, Proposal, Sink, write_number,
};

use super::arguments::{ReconcileArgs, ResultFormat};
use super::resolved::{Known, Resolved};
use super::write_behind::WriteBehind;

/// Columns of breaks, in order.
pub(crate) const COLUMNS: [&str; 23] = [
    "class",
    "term_id",
    "rrn",
    "merchant_id",
    "agent_id",
    "batch_no",
    "trace_no",
    "t_amount",
    "s_amount",
    "c_amount",
    "gross",
    "fee",
    "net",
    "account",
    "effect_fen",
    "first_party",
    "flags",
    "rules",
    "t_at",
    "s_at",
    "c_at",
    "p_at",
    "note",
];
/// Columns that hold numbers.
const NUMBERS: [bool; 23] = [
    false, false, false, false, false, true, true, true, true, true, true, true, true, false, true, false, false,
    false, false, false, false, false, false,
];

/// One line of results: its fields one after another.
#[derive(Default)]
pub(crate) struct Line {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Line {
    fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
    }

    fn end(&mut self) {
        self.ends.push(self.bytes.len());
    }

    fn text(&mut self, text: &str) {
        self.bytes.extend_from_slice(text.as_bytes());
        self.end();
    }

    fn code(&mut self, code: Code, names: &Names<'_>) {
        names.texts.write(code, &mut self.bytes);
        self.end();
    }

    fn number(&mut self, number: Option<i64>) {
        if let Some(number) = number {
            write_number(number, &mut self.bytes);
        }
        self.end();
    }

    fn place(&mut self, place: Option<(usize, u64)>, names: &Names<'_>) {
        if let Some((file, offset)) = place {
            self.bytes.extend_from_slice(names.file(file).as_bytes());
            self.bytes.push(b'@');
            write_number(i64::try_from(offset).unwrap_or(i64::MAX), &mut self.bytes);
        }
        self.end();
    }

    /// Appends the fields as a line of CSV.
    fn append_csv(&self, out: &mut Vec<u8>) -> io::Result<()> {
        // All bytes at once and without stopping: a loop that compilers turn into vector code.
        if self.bytes.iter().fold(false, |odd, byte| odd | needs_quotes(*byte)) {
            return write_csv(out, self.fields());
        }
        for field in self.fields() {
            out.extend_from_slice(field);
            out.push(b',');
        }
        out.pop();
        out.push(b'\n');
        Ok(())
    }

    pub(crate) fn fields(&self) -> impl Iterator<Item = &[u8]> {
        let mut from = 0;
        self.ends.iter().map(move |end| {
            let field = self.bytes.get(from..*end).unwrap_or_default();
            from = *end;
            field
        })
    }
}

/// Where lines go.
enum Form {
    /// With room for a line.
    Csv(WriteBehind, Vec<u8>),
    Jsonl(WriteBehind),
    Parquet(Box<super::parquet_rows::ParquetBreaks>),
}

impl Form {
    fn write(&mut self, line: &Line) -> io::Result<()> {
        match self {
            Self::Csv(out, text) => {
                text.clear();
                line.append_csv(text)?;
                out.write_all(text)
            }
            Self::Jsonl(out) => write_json(out, line),
            Self::Parquet(out) => out.write(line),
        }
    }
}

/// Results on their way to disk. They stand under their names only when all is written.
pub(crate) struct Written {
    form: Form,
    batches: BufWriter<File>,
    proposals: BufWriter<File>,
    /// Unfinished and final name of each file.
    names: [(PathBuf, PathBuf); 3],
    line: Line,
    /// What was resolved before, if a list was given.
    pub(crate) resolved: Option<Resolved>,
}

/// `out` with `suffix` before `.csv`.
pub(crate) fn beside(out: &Path, suffix: &str) -> PathBuf {
    let stem = out.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    out.with_file_name(format!("{stem}_{suffix}.csv"))
}

impl Written {
    pub(crate) fn create(args: &ReconcileArgs) -> Result<Self> {
        let names = [args.out.clone(), beside(&args.out, "batch"), beside(&args.out, "proposals")].map(|name| {
            let mut unfinished = name.clone().into_os_string();
            unfinished.push(".part");
            (PathBuf::from(unfinished), name)
        });
        let create = |at: usize| {
            let (unfinished, _) = &names[at];
            File::create(unfinished).with_context(|| format!("creating {}", unfinished.display()))
        };
        let breaks = create(0)?;
        let form = match args.format {
            ResultFormat::Csv => {
                let mut breaks = WriteBehind::new(breaks);
                write_csv(&mut breaks, COLUMNS.iter().map(|column| column.as_bytes()))?;
                Form::Csv(breaks, Vec::new())
            }
            ResultFormat::Jsonl => Form::Jsonl(WriteBehind::new(breaks)),
            ResultFormat::Parquet => {
                let breaks = BufWriter::new(breaks);
                Form::Parquet(Box::new(super::parquet_rows::ParquetBreaks::new(breaks, &COLUMNS, &NUMBERS)?))
            }
        };
        let (mut batches, mut proposals) = (BufWriter::new(create(1)?), BufWriter::new(create(2)?));
        writeln!(batches, "class,payout_batch,total_fen,lines_fen,effect_fen,first_party,rules,at")?;
        writeln!(proposals, "reason,amount_fen,rows")?;
        let resolved = args.resolved.as_deref().map(Resolved::load).transpose()?;
        Ok(Self { form, batches, proposals, names, line: Line::default(), resolved })
    }

    /// A file that was refused.
    pub(crate) fn bad_file(&mut self, file: &FileReport, classes: &Classes) -> Result<()> {
        let line = &mut self.line;
        line.clear();
        line.text(Class::FileBad.code());
        (1..15).for_each(|_| line.end());
        line.text(&classes.about(Class::FileBad).first_party);
        line.text("");
        line.text(classes.id());
        line.text(&file.name);
        (19..22).for_each(|_| line.end());
        line.text(file.bad.as_deref().unwrap_or_default());
        Ok(self.form.write(line)?)
    }

    pub(crate) fn finish(self) -> Result<()> {
        match self.form {
            Form::Csv(out, _) | Form::Jsonl(out) => out.finish()?,
            Form::Parquet(out) => out.finish()?,
        }
        let (mut batches, mut proposals) = (self.batches, self.proposals);
        batches.flush()?;
        proposals.flush()?;
        for (unfinished, name) in &self.names {
            std::fs::rename(unfinished, name)?;
        }
        Ok(())
    }
}

/// What a person should know about a break beside its numbers.
fn note(found: &Break, names: &Names<'_>) -> String {
    let limit = names.classes.tolerances().account_change_days;
    let shared = found.flags(names.classes).any(|flag| flag == Flag::AccountShared);
    match (found.class, found.amounts, found.account_age) {
        (Class::AmountClear, [_, Some(switch), Some(cleared), ..], _)
            if switch != 0
                && (switch.checked_mul(100) == Some(cleared) || cleared.checked_mul(100) == Some(switch)) =>
        {
            "exactly a hundredfold: yuan and fen were mixed up".to_owned()
        }
        (Class::PayoutDiverted, _, Some(age)) if (0..limit).contains(&age) => {
            format!("the merchant's account was changed {age} days before")
        }
        (Class::PayoutDiverted, ..) if shared => {
            format!("the account takes the money of {} merchants", found.account_merchants)
        }
        _ => String::new(),
    }
}

impl Sink for Written {
    fn payment(&mut self, found: &Break, names: &Names<'_>) -> io::Result<()> {
        let line = &mut self.line;
        line.clear();
        line.text(found.class.code());
        line.code(found.terminal, names);
        line.code(found.rrn, names);
        line.code(found.merchant, names);
        line.code(found.agent, names);
        line.number(found.key.map(|(batch, _)| i64::try_from(batch).unwrap_or(i64::MAX)));
        line.number(found.key.map(|(_, trace)| i64::try_from(trace).unwrap_or(i64::MAX)));
        found.amounts.iter().for_each(|amount| line.number(*amount));
        line.code(found.account, names);
        line.number(Some(found.effect));
        line.text(&names.classes.about(found.class).first_party);
        let mut others = found.holding & !found.class.bit();
        while others != 0 {
            if let Some(class) = Class::ALL.get(others.trailing_zeros() as usize) {
                if line.bytes.len() > *line.ends.last().unwrap_or(&0) {
                    line.bytes.push(b' ');
                }
                line.bytes.extend_from_slice(class.code().as_bytes());
            }
            others &= others - 1;
        }
        for flag in found.flags(names.classes) {
            if line.bytes.len() > *line.ends.last().unwrap_or(&0) {
                line.bytes.push(b' ');
            }
            line.bytes.extend_from_slice(flag.code().as_bytes());
        }
        line.end();
        line.text(names.classes.id());
        found.places.iter().for_each(|place| line.place(*place, names));
        let mut note = note(found, names);
        match self.resolved.as_mut().map(|resolved| resolved.judge(line.fields())) {
            Some(Known::Resolved) => return Ok(()),
            Some(Known::Changed(reason)) => {
                note = [note, reason].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("; ");
            }
            Some(Known::New) | None => {}
        }
        line.text(&note);
        self.form.write(line)
    }

    fn batch(&mut self, found: &BatchBreak, names: &Names<'_>) -> io::Result<()> {
        let line = &mut self.line;
        line.clear();
        line.text(found.class.code());
        line.code(found.batch, names);
        line.number(Some(found.total));
        line.number(Some(found.lines));
        line.number(Some(found.total.saturating_sub(found.lines)));
        line.text(&names.classes.about(found.class).first_party);
        line.text(names.classes.id());
        line.place(found.place, names);
        write_csv(&mut self.batches, line.fields())
    }

    fn proposal(&mut self, found: &Proposal, names: &Names<'_>) -> io::Result<()> {
        let line = &mut self.line;
        line.clear();
        line.text(found.reason);
        line.number(Some(found.amount));
        let rows: Vec<String> =
            found.places.iter().map(|(file, offset)| format!("{}@{offset}", names.file(*file))).collect();
        line.text(&rows.join(" "));
        write_csv(&mut self.proposals, line.fields())
    }
}

const fn needs_quotes(byte: u8) -> bool {
    matches!(byte, b',' | b'"' | b'\n' | b'\r')
}

/// Writes a line with quotes where a field needs them.
pub(crate) fn write_csv<'f>(out: &mut impl Write, fields: impl Iterator<Item = &'f [u8]>) -> io::Result<()> {
    for (number, field) in fields.enumerate() {
        if number > 0 {
            out.write_all(b",")?;
        }
        if field.iter().any(|byte| needs_quotes(*byte)) {
            let text = String::from_utf8_lossy(field).replace('"', "\"\"");
            write!(out, "\"{text}\"")?;
        } else {
            out.write_all(field)?;
        }
    }
    out.write_all(b"\n")
}

fn write_json(out: &mut impl Write, line: &Line) -> io::Result<()> {
    let mut object = serde_json::Map::new();
    for ((name, numeric), field) in COLUMNS.iter().zip(NUMBERS).zip(line.fields()) {
        if field.is_empty() {
            continue;
        }
        let text = String::from_utf8_lossy(field);
        let value = match text.parse::<i64>() {
            Ok(number) if numeric => number.into(),
            _ => text.into_owned().into(),
        };
        object.insert((*name).to_owned(), value);
    }
    serde_json::to_writer(&mut *out, &object)?;
    out.write_all(b"\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn csv_quotes_what_needs_it() {
        let mut out = Vec::new();
        write_csv(&mut out, [&b"a,b"[..], b"say \"no\"", b"", b"1"].into_iter()).unwrap();
        assert_eq!(out, b"\"a,b\",\"say \"\"no\"\"\",,1\n");
    }

    #[test]
    fn a_line_is_written_as_its_fields_are() {
        for texts in [["1", "", "x y"], ["a,b", "\"", ""], ["", "", ""]] {
            let mut line = Line::default();
            texts.iter().for_each(|text| line.text(text));
            let (mut quick, mut plain) = (Vec::new(), Vec::new());
            line.append_csv(&mut quick).unwrap();
            write_csv(&mut plain, line.fields()).unwrap();
            assert_eq!(quick, plain);
        }
    }
}
