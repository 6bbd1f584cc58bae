//! Which dialect fits bytes of unknown origin.

use std::io::Write;

use anyhow::Result;
use onus_iso8583::{DecodeError, Dialect};
use serde_json::json;

use super::Layout;
use super::dialects::{self, Chosen};
use super::frames::{self, Input};
use super::framing::{Framing, Prefix};
use crate::{FINDINGS, OK};

/// Bytes before a message that are tried to be skipped: headers and lengths that nobody mentioned.
const MOST_SKIPPED: usize = 24;
/// Messages that are looked at.
const SAMPLES: usize = 50;

/// One way to read the bytes, and how well it went.
struct Answer {
    dialect: String,
    input: Input,
    framing: Option<Prefix>,
    skipped: usize,
    read: usize,
    messages: usize,
    fields: usize,
    /// Share of the bytes that were understood, in ten thousandths.
    understood: usize,
    first: Option<DecodeError>,
}

impl Answer {
    /// From 0 to 100.
    fn score(&self) -> usize {
        let read = self.read * 10_000 / self.messages.max(1);
        // Understood bytes count when all of a message fits; what was skipped is unexplained.
        let points = (read * 8 + self.understood * 2) / 1000;
        points.saturating_sub(self.skipped.min(10))
    }

    fn reasons(&self) -> Vec<String> {
        let mut reasons = vec![format!("{} of {} messages decode", self.read, self.messages)];
        match self.input {
            Input::Hex => reasons.push("read as hex text".into()),
            Input::Text => reasons.push("one a line".into()),
            Input::Raw => {}
        }
        reasons.push(format!("{} % of their bytes are understood", self.understood / 100));
        if self.fields > 0 {
            reasons.push(format!("{} fields", self.fields));
        }
        match self.framing {
            Some(prefix) => reasons.push(format!("each behind a length ({prefix})")),
            None => reasons.push("without a length in front".into()),
        }
        if self.skipped > 0 {
            reasons.push(format!("after {} bytes that it does not explain", self.skipped));
        }
        if let Some(error) = &self.first {
            reasons.push(format!("the first that fails: {error}"));
        }
        reasons
    }
}

pub(super) fn doctor(
    files: &[String],
    content: &[u8],
    input: Option<Input>,
    top: usize,
    format: Layout,
    out: &mut impl Write,
) -> Result<u8> {
    anyhow::ensure!(!content.is_empty(), "there are no bytes in the input");
    let names = Dialect::builtin_ids().iter().map(|id| (*id).to_owned()).chain(files.iter().cloned());
    let chosen = names.map(|name| dialects::choose(&name)).collect::<Result<Vec<Chosen>>>()?;
    let inputs = input.map_or_else(|| frames::guesses(content), |input| vec![input]);
    let forms: Vec<(Input, Vec<Vec<u8>>)> =
        inputs.into_iter().map(|input| (input, frames::unpacked(content, input))).collect();
    let mut answers: Vec<Answer> = chosen.iter().filter_map(|one| best_of(one.dialect(), &forms)).collect();
    answers.sort_by_key(|answer| (std::cmp::Reverse(answer.score()), answer.skipped, answer.framing.is_some()));
    answers.truncate(top.max(1));
    let good = answers.first().is_some_and(|answer| answer.read > 0);
    for answer in &answers {
        print(answer, format, out)?;
    }
    if !good && format == Layout::Table {
        writeln!(out, "No known dialect fits. {}", hint(content))?;
    }
    Ok(if good { OK } else { FINDINGS })
}

/// The best way to read the bytes by one dialect.
fn best_of(dialect: &Dialect, forms: &[(Input, Vec<Vec<u8>>)]) -> Option<Answer> {
    let framings = || std::iter::once(None).chain(Prefix::usual().into_iter().map(Some));
    let ways = forms.iter().flat_map(|form| {
        framings().flat_map(move |framing| (0..=MOST_SKIPPED).map(move |skipped| (form, framing, skipped)))
    });
    ways.filter_map(|((input, pieces), framing, skipped)| attempt(dialect, *input, pieces, framing, skipped))
        .max_by_key(|answer| (answer.score(), std::cmp::Reverse(answer.skipped), answer.framing.is_none()))
}

fn attempt(
    dialect: &Dialect,
    input: Input,
    pieces: &[Vec<u8>],
    framing: Option<Prefix>,
    skipped: usize,
) -> Option<Answer> {
    let mut frames = Vec::new();
    for piece in pieces {
        match framing {
            None => frames.push(piece.get(skipped..)?),
            Some(prefix) => split(piece, prefix, skipped, &mut frames)?,
        }
    }
    frames.truncate(SAMPLES);
    let mut answer = Answer {
        dialect: dialect.id().to_owned(),
        input,
        framing,
        skipped,
        read: 0,
        messages: frames.len(),
        fields: 0,
        understood: 0,
        first: None,
    };
    let (mut understood, mut all) = (0, 0);
    for frame in frames {
        all += frame.len();
        match dialect.decode(frame) {
            Ok(message) => {
                answer.read += 1;
                answer.fields += message.fields().len();
                understood += frame.len();
            }
            Err(error) => {
                understood += error.offset.min(frame.len());
                answer.first.get_or_insert(error);
            }
        }
    }
    answer.understood = understood * 10_000 / all.max(1);
    (answer.messages > 0).then_some(answer)
}

/// The frames of one piece behind their lengths; none where lengths do not fill it.
fn split<'p>(piece: &'p [u8], prefix: Prefix, skipped: usize, frames: &mut Vec<&'p [u8]>) -> Option<()> {
    let framing = Framing::Named(prefix);
    let mut rest = piece;
    while !rest.is_empty() {
        let length = framing.read(rest).filter(|length| *length > skipped)?;
        let (frame, behind) = rest.get(framing.prefix_len()..)?.split_at_checked(length)?;
        frames.push(frame.get(skipped..)?);
        rest = behind;
    }
    Some(())
}

fn print(answer: &Answer, format: Layout, out: &mut impl Write) -> Result<()> {
    if format == Layout::Json {
        let framing = answer.framing.map(|prefix| prefix.to_string());
        let object = json!({
            "dialect": answer.dialect, "input": answer.input.name(), "score": answer.score(), "framing": framing, "skipped": answer.skipped,
            "messages": answer.messages, "read": answer.read, "reasons": answer.reasons(),
        });
        writeln!(out, "{object}")?;
        return Ok(());
    }
    writeln!(out, "{:>3}  {}: {}", answer.score(), answer.dialect, answer.reasons().join("; "))?;
    Ok(())
}

/// What the bytes look like, when no dialect fits.
fn hint(content: &[u8]) -> &'static str {
    let bytes = content.get(..4096).unwrap_or(content);
    let share = |fits: fn(u8) -> bool| bytes.iter().filter(|byte| fits(**byte)).count() * 100 / bytes.len().max(1);
    if share(|byte| (0x20..0x7F).contains(&byte)) > 90 {
        "The bytes are ASCII text; a dialect with ASCII digits and a hexadecimal bitmap is likely."
    } else if share(|byte| (0xF0..=0xF9).contains(&byte) || byte == 0x40 || (0xC1..=0xE9).contains(&byte)) > 50 {
        "The bytes look like EBCDIC text."
    } else {
        "The bytes are binary; packed digits and a binary bitmap are likely."
    }
}
