//! A message to a host, and its answer.

use std::io::{Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use clap::Args;
use onus_iso8583::{Dialect, Message, Node};
use serde_json::json;

use super::framing::{self, Framing};
use super::{dialects, encode, frames, show};
use crate::{FINDINGS, OK};

/// Most bytes of an answer.
const LONGEST: usize = 65_535;

#[derive(Args)]
pub(crate) struct Sending {
    /// Id of a built-in dialect, or a dialect file.
    #[arg(long, short)]
    dialect: String,
    /// Where to: HOST:PORT.
    #[arg(long)]
    to: String,
    /// The length before each frame, instead of the dialect's.
    #[arg(long)]
    framing: Option<Framing>,
    /// Seconds to wait for the connection and for the answer.
    #[arg(long, default_value_t = 30)]
    timeout: u64,
    /// What the answer must hold, such as 39=00, mti=0210 or 60.batch=000123; may be given more than once.
    #[arg(long)]
    expect: Vec<Expectation>,
    /// The message as JSON (see encode) or hex text; - for standard input.
    #[arg(default_value = "-")]
    file: PathBuf,
}

/// A place in the answer and the value it must have.
#[derive(Clone)]
pub(crate) struct Expectation {
    place: String,
    value: String,
}

impl std::str::FromStr for Expectation {
    type Err = String;

    fn from_str(text: &str) -> Result<Expectation, String> {
        match text.split_once('=') {
            Some((place, value)) if !place.is_empty() => {
                Ok(Expectation { place: place.to_owned(), value: value.to_owned() })
            }
            _ => Err("give PLACE=VALUE, such as 39=00".into()),
        }
    }
}

impl Sending {
    pub(super) fn run(&self, out: &mut impl Write) -> Result<u8> {
        let chosen = dialects::choose(&self.dialect)?;
        let dialect = chosen.dialect();
        let framing = framing::choose(self.framing, dialect, true)?.context("frames need a length before them")?;
        let frame = frame(dialect, &frames::read_file(&self.file)?)?;
        let started = Instant::now();
        let answer = self.exchange(framing, &encode::framed(Some(framing), frame)?, started)?;
        let millis = started.elapsed().as_millis();
        let message = dialect.decode(&answer).context("the answer could not be read")?;
        let mut object = show::Ordered::new();
        object.put("round_trip_ms", millis);
        object.put("length", answer.len());
        show::content(&mut object, &message);
        writeln!(out, "{object}")?;
        let mut code = OK;
        for expected in &self.expect {
            let found = found(&message, &expected.place);
            if found.as_deref() != Some(expected.value.as_str()) {
                code = FINDINGS;
                let unmet = json!({"expected": expected.place, "value": expected.value, "found": found});
                writeln!(out, "{unmet}")?;
            }
        }
        Ok(code)
    }

    fn exchange(&self, framing: Framing, request: &[u8], started: Instant) -> Result<Vec<u8>> {
        let limit = Duration::from_secs(self.timeout.max(1));
        let left = || limit.saturating_sub(started.elapsed()).max(Duration::from_millis(1));
        let mut addresses = self.to.to_socket_addrs().with_context(|| format!("{} is no HOST:PORT", self.to))?;
        let address = addresses.next().with_context(|| format!("{} has no address", self.to))?;
        let mut connection = TcpStream::connect_timeout(&address, left())
            .with_context(|| format!("could not connect to {}", self.to))?;
        connection.set_nodelay(true)?;
        connection.set_write_timeout(Some(left()))?;
        connection.write_all(request).context("could not send")?;
        let mut answer = Vec::new();
        let mut chunk = [0; 4096];
        loop {
            if let Some(frame) = framing.read(&answer) {
                anyhow::ensure!(frame <= LONGEST, "the answer announces {frame} bytes; is the framing right?");
                if let Some(whole) = answer.get(framing.prefix_len()..framing.prefix_len() + frame) {
                    return Ok(whole.to_vec());
                }
            } else if answer.len() >= framing.prefix_len() {
                bail!("the answer does not begin with a length; is the framing right?");
            }
            if started.elapsed() >= limit {
                bail!("no whole answer within {} seconds ({} bytes came)", self.timeout, answer.len());
            }
            connection.set_read_timeout(Some(left()))?;
            match connection.read(&mut chunk) {
                Ok(0) => bail!("the host closed the connection after {} bytes of an answer", answer.len()),
                Ok(read) => answer.extend(chunk.iter().take(read)),
                Err(error) if matches!(error.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut) => {
                }
                Err(error) => return Err(error).context("could not read the answer"),
            }
        }
    }
}

/// The message to send: JSON, or hex text.
fn frame(dialect: &Dialect, content: &[u8]) -> Result<Vec<u8>> {
    if content.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'{') {
        let value = serde_json::from_slice(content).context("the message is no JSON")?;
        return encode::message(dialect, &value);
    }
    let mut messages = frames::Frames::of(content, None, None, false, dialect).frames.into_iter();
    messages.find_map(|frame| frame.bytes.ok()).context("there is no message in the input; give JSON or hex text")
}

/// What the answer holds at a place, as it is shown.
fn found(message: &Message<'_>, place: &str) -> Option<String> {
    if place == "mti" {
        return Some(format!("{:04X}", message.mti()));
    }
    if let Some(name) = place.strip_prefix("header.") {
        return message.header_values().into_iter().find(|(part, _)| part == name).map(|(_, v)| v.as_str().to_owned());
    }
    let mut nodes: Vec<Node> = message.nodes();
    let mut value = None;
    for id in place.split('.') {
        let node = nodes.into_iter().find(|node| node.id == id)?;
        value = Some(node.value.as_str().to_owned());
        nodes = node.nodes;
    }
    value
}
