//! `onus iso`: messages of ISO 8583 on the command line. Card numbers, tracks, PIN blocks and keys are
//! shown masked, always.

mod dialects;
mod diff;
mod doctor;
mod encode;
mod frames;
mod framing;
mod json;
mod redact;
mod send;
mod show;
mod specification;

use std::io::Write;
use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::{Args, Subcommand, ValueEnum};

use crate::{FINDINGS, Language, OK};
use dialects::Chosen;
use frames::{Fault, Frame, Frames, Input};
use framing::Framing;
use onus_iso8583::Message;

/// What to read, and as what.
#[derive(Args)]
pub(crate) struct Source {
    /// Id of a built-in dialect, or a dialect file.
    #[arg(long, short)]
    dialect: String,
    /// The input: hex text (one message a line, `#` begins a comment), text (one a line) or raw bytes; found out when
    /// not said.
    #[arg(long, value_enum)]
    input: Option<Input>,
    /// Frames follow each other, each behind its length.
    #[arg(long)]
    stream: bool,
    /// The length before each frame, instead of the dialect's: binary2, ascii4, bcd2, hex4, ebcdic4 and so on;
    /// with + when it counts itself.
    #[arg(long)]
    framing: Option<Framing>,
    /// File to read, or - for standard input.
    #[arg(default_value = "-")]
    file: PathBuf,
}

impl Source {
    fn open(&self) -> Result<(Chosen, Frames)> {
        let chosen = dialects::choose(&self.dialect)?;
        let framing = framing::choose(self.framing, chosen.dialect(), self.stream)?;
        let stream = self.stream || self.framing.is_some();
        let content = frames::read_file(&self.file)?;
        let frames = Frames::of(&content, self.input, framing, stream, chosen.dialect());
        Ok((chosen, frames))
    }
}

/// How messages are printed.
#[derive(Clone, Copy, ValueEnum, PartialEq, Eq)]
pub(crate) enum Layout {
    /// One JSON object a line.
    Json,
    /// For people.
    Table,
}

/// How bytes are printed.
#[derive(Clone, Copy, ValueEnum, PartialEq, Eq)]
pub(crate) enum Bytes {
    /// Hexadecimal, one message a line.
    Hex,
    /// As they are.
    Raw,
}

#[derive(Subcommand)]
pub(crate) enum IsoCommand {
    /// Read messages and print their fields, masked. Exit code 3 when a message could not be read.
    Decode {
        #[command(flatten)]
        source: Source,
        /// How to print.
        #[arg(long, value_enum, default_value_t = Layout::Json)]
        format: Layout,
    },
    /// Tell messages in words, masked.
    Describe {
        #[command(flatten)]
        source: Source,
        /// Language of the names.
        #[arg(long, value_enum, default_value_t = Language::Zh)]
        lang: Language,
    },
    /// Write messages from JSON as `decode` prints it, with whole values.
    Encode {
        /// Id of a built-in dialect, or a dialect file.
        #[arg(long, short)]
        dialect: String,
        /// Put each frame behind its length, as the dialect says.
        #[arg(long)]
        stream: bool,
        /// The length before each frame, instead of the dialect's.
        #[arg(long)]
        framing: Option<Framing>,
        /// How to print.
        #[arg(long, value_enum, default_value_t = Bytes::Hex)]
        output: Bytes,
        /// JSON file, or - for standard input.
        #[arg(default_value = "-")]
        file: PathBuf,
    },
    /// Compare two messages field by field, masked. Exit code 3 when they differ.
    Diff {
        /// Id of a built-in dialect, or a dialect file.
        #[arg(long, short)]
        dialect: String,
        /// A file, or the message itself in hexadecimal.
        left: String,
        /// A file, or the message itself in hexadecimal.
        right: String,
        /// How to print.
        #[arg(long, value_enum, default_value_t = Layout::Table)]
        format: Layout,
    },
    /// Find out which dialect, length prefix and offset fit bytes of unknown origin. Exit code 3 when none does.
    Doctor {
        /// Dialect files to try besides the built-in ones.
        #[arg(long, short)]
        dialect: Vec<String>,
        /// The input: hex text, text or raw bytes; found out when not said.
        #[arg(long, value_enum)]
        input: Option<Input>,
        /// Most answers to print.
        #[arg(long, default_value_t = 5)]
        top: usize,
        /// How to print.
        #[arg(long, value_enum, default_value_t = Layout::Table)]
        format: Layout,
        /// File to read, or - for standard input.
        #[arg(default_value = "-")]
        file: PathBuf,
    },
    /// Print the same frames with everything masked that may not be kept. Exit code 3 when bytes were not understood
    /// and are now zeros.
    Redact {
        #[command(flatten)]
        source: Source,
        /// File to write instead of standard output.
        #[arg(long, short)]
        out: Option<PathBuf>,
    },
    /// Send a message and read the answer. Exit code 3 when an expectation is not met.
    Send(send::Sending),
    /// Make a dialect file from a specification that was written for another library.
    ImportSpec(specification::Importing),
}

pub(crate) fn run(command: IsoCommand) -> Result<u8> {
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    let code = match command {
        IsoCommand::Decode { source, format: Layout::Json } => data(&source, &mut out)?,
        IsoCommand::Decode { source, format: Layout::Table } => told(&source, Language::En, &mut out)?,
        IsoCommand::Describe { source, lang } => told(&source, lang, &mut out)?,
        IsoCommand::Encode { dialect, stream, framing, output, file } => {
            let chosen = dialects::choose(&dialect)?;
            let framing = match (framing, stream) {
                (None, false) => None,
                (named, _) => framing::choose(named, chosen.dialect(), true)?,
            };
            encode::encode(chosen.dialect(), framing, output, &frames::read_file(&file)?, &mut out)?;
            OK
        }
        IsoCommand::Diff { dialect, left, right, format } => {
            diff::diff(dialects::choose(&dialect)?.dialect(), &left, &right, format, &mut out)?
        }
        IsoCommand::Doctor { dialect, input, top, format, file } => {
            doctor::doctor(&dialect, &frames::read_file(&file)?, input, top, format, &mut out)?
        }
        IsoCommand::Redact { source, out: to } => {
            let (chosen, frames) = source.open()?;
            match to {
                None => redact::redact(chosen.dialect(), &frames, &mut out)?,
                Some(path) => {
                    let file =
                        std::fs::File::create(&path).with_context(|| format!("could not write {}", path.display()))?;
                    redact::redact(chosen.dialect(), &frames, &mut std::io::BufWriter::new(file))?
                }
            }
        }
        IsoCommand::Send(sending) => sending.run(&mut out)?,
        IsoCommand::ImportSpec(importing) => importing.run(&mut out)?,
    };
    out.flush()?;
    Ok(code)
}

/// Prints every frame, and why those that cannot be read are not.
fn decode<W: Write>(
    source: &Source,
    out: &mut W,
    print: impl Fn(&Frame, &Message<'_>, &mut W) -> std::io::Result<()>,
    complain: impl Fn(&Frame, &Fault, &mut W) -> std::io::Result<()>,
) -> Result<u8> {
    let (chosen, frames) = source.open()?;
    anyhow::ensure!(!frames.frames.is_empty(), "there is no message in the input; give hex text or raw bytes");
    let mut code = OK;
    for frame in &frames.frames {
        match frame.bytes.as_ref().map_err(Clone::clone).and_then(|bytes| Ok(chosen.dialect().decode(bytes)?)) {
            Ok(message) => print(frame, &message, out)?,
            Err(fault) => {
                complain(frame, &fault, out)?;
                code = FINDINGS;
            }
        }
    }
    Ok(code)
}

fn data(source: &Source, out: &mut impl Write) -> Result<u8> {
    decode(
        source,
        out,
        |frame, message, out| writeln!(out, "{}", show::message(frame, message)),
        |frame, fault, out| writeln!(out, "{}", show::fault(frame, fault)),
    )
}

fn told(source: &Source, lang: Language, out: &mut impl Write) -> Result<u8> {
    decode(
        source,
        out,
        |frame, message, out| show::words(frame, message, lang, out),
        |frame, fault, out| {
            let (line, unread) = match (lang, frame.line) {
                (Language::Zh, Some(line)) => (format!("（第 {line} 行）"), "无法读取"),
                (Language::En, Some(line)) => (format!(" (line {line})"), "could not be read"),
                (Language::Zh, None) => (String::new(), "无法读取"),
                (Language::En, None) => (String::new(), "could not be read"),
            };
            writeln!(out, "#{}{line} {unread}: {fault}", frame.index)
        },
    )
}
