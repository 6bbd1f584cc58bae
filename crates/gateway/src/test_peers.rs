//! A host and a terminal for tests: real sockets, every step under the test's control.
#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test may")]

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use onus_intake::tap::{Record, Records};
use onus_iso8583::Dialect;

use crate::{Config, Gateway, SnapshotSource, SystemClock};

/// Longer than anything takes that works.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

pub(crate) fn dialect() -> &'static Dialect {
    Dialect::builtin("unionpay-pos").unwrap()
}

/// A frame of these fields.
pub(crate) fn frame(mti: u16, fields: &[(u8, &str)]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut encoder = dialect().encoder(mti, &mut out).unwrap();
    for (number, value) in fields {
        encoder.field(*number, value.as_bytes()).unwrap();
    }
    encoder.finish().unwrap();
    out
}

/// A payment of 65 yuan.
pub(crate) fn payment(tid: &str, trace: u32) -> Vec<u8> {
    let trace = format!("{trace:06}");
    frame(
        0x0200,
        &[
            (2, "9999056837006697"),
            (3, "000000"),
            (4, "000000006500"),
            (11, &trace),
            (22, "021"),
            (25, "00"),
            (41, tid),
            (42, "899523055410004"),
            (49, "156"),
            (60, "22000001"),
        ],
    )
}

/// The reply to a request with a response code.
pub(crate) fn answer(request: &[u8], code: &str) -> Vec<u8> {
    let message = dialect().decode(request).unwrap();
    let mut draft = message.edit();
    draft.set_mti(message.mti() | 0x0010).turn_around().unwrap();
    draft.set(39, code.as_bytes()).unwrap();
    let mut out = Vec::new();
    draft.encode_into(&mut out).unwrap();
    out
}

/// Field 39 of a frame.
pub(crate) fn code(frame: &[u8]) -> String {
    let message = dialect().decode(frame).unwrap();
    String::from_utf8_lossy(message.text(39).unwrap_or_default()).into_owned()
}

fn write(stream: &mut TcpStream, frame: &[u8]) {
    let mut bytes = u16::try_from(frame.len()).unwrap().to_be_bytes().to_vec();
    bytes.extend_from_slice(frame);
    stream.write_all(&bytes).unwrap();
}

fn read(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let mut length = [0; 2];
    stream.read_exact(&mut length).ok()?;
    let mut frame = vec![0; u16::from_be_bytes(length).into()];
    stream.read_exact(&mut frame).ok()?;
    Some(frame)
}

/// A request at the host, with the connection to answer over.
pub(crate) struct Asked {
    pub(crate) frame: Vec<u8>,
    pub(crate) stream: TcpStream,
}

impl Asked {
    pub(crate) fn reply(&mut self, frame: &[u8]) {
        write(&mut self.stream, frame);
    }

    pub(crate) fn approve(&mut self) {
        let reply = answer(&self.frame, "00");
        self.reply(&reply);
    }
}

/// A host whose requests the test takes one by one.
pub(crate) struct Host {
    pub(crate) address: SocketAddr,
    asked: Receiver<Asked>,
}

impl Host {
    pub(crate) fn start() -> Host {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (send, asked) = channel();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (Ok(mut stream), send) = (stream, send.clone()) else { return };
                std::thread::spawn(move || {
                    while let Some(frame) = read(&mut stream) {
                        let stream = stream.try_clone().unwrap();
                        if send.send(Asked { frame, stream }).is_err() {
                            return;
                        }
                    }
                });
            }
        });
        Host { address, asked }
    }

    pub(crate) fn next(&self) -> Asked {
        self.asked.recv_timeout(PATIENCE).expect("a request at the host")
    }

    pub(crate) fn is_quiet(&self) -> bool {
        self.asked.try_recv().is_err()
    }

    /// Approves everything from now on.
    pub(crate) fn approve_all(self) {
        std::thread::spawn(move || {
            while let Ok(mut asked) = self.asked.recv() {
                asked.approve();
            }
        });
    }
}

/// A terminal.
pub(crate) struct Terminal {
    pub(crate) stream: TcpStream,
}

impl Terminal {
    pub(crate) fn connect(gateway: &Gateway) -> Terminal {
        let stream = TcpStream::connect(gateway.local_addr()).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        Terminal { stream }
    }

    pub(crate) fn send(&mut self, frame: &[u8]) {
        write(&mut self.stream, frame);
    }

    /// The next frame; none when the gateway closed the connection.
    pub(crate) fn read(&mut self) -> Option<Vec<u8>> {
        read(&mut self.stream)
    }

    pub(crate) fn ask(&mut self, frame: &[u8]) -> Vec<u8> {
        self.send(frame);
        self.read().expect("a reply")
    }
}

/// A configuration for tests with short times.
pub(crate) fn config(host: SocketAddr, folder: &Path) -> Config {
    let mut config = Config::new(([127, 0, 0, 1], 0).into(), host.to_string(), folder);
    config.upstream.backoff_first_ms = 10;
    config.upstream.backoff_max_ms = 50;
    config.journal.flush_ms = 2;
    config
}

/// Starts a gateway and waits until all its connections to hosts are up.
pub(crate) fn start(config: Config) -> Gateway {
    let gateway = Gateway::start(config, SnapshotSource::default(), SystemClock::shared()).unwrap();
    until("the host", || gateway.stats().links.iter().all(|link| link.state == "up"));
    gateway
}

/// Waits until something is so.
pub(crate) fn until(what: &str, mut is: impl FnMut() -> bool) {
    let started = Instant::now();
    while !is() {
        assert!(started.elapsed() < PATIENCE, "waited too long for {what}");
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Everything in the journal of a folder, in order, as text: kind and what tells it apart.
pub(crate) fn records(folder: &Path) -> Vec<String> {
    let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "tap"));
    paths.sort();
    let mut all = Vec::new();
    for path in paths {
        let bytes = std::fs::read(path).unwrap();
        for record in Records::new(&bytes).unwrap() {
            let (_, record) = record.unwrap();
            all.push(brief(&record));
        }
    }
    all
}

fn brief(record: &Record<'_>) -> String {
    match record {
        Record::Reply { exchange, kind, .. } => format!("Reply {exchange} {kind}"),
        Record::Request { exchange, carried, .. } if *carried => format!("Request {exchange} carried"),
        Record::Request { exchange, .. } | Record::Delivered { exchange, .. } | Record::NoReply { exchange, .. } => {
            format!("{} {exchange}", record.kind())
        }
        Record::Undelivered { exchange, why, .. } => format!("Undelivered {exchange} {why}"),
        Record::Gate { exchange, action, code, rule, .. } => {
            format!("Gate {exchange} {action} {} {rule}", String::from_utf8_lossy(code))
        }
        Record::State { exchange, state, attempt, settled, .. } => {
            format!("State {exchange} {state} {attempt}{}", if *settled { " settled" } else { "" })
        }
        Record::Reversal { exchange, attempt, .. } => format!("Reversal {exchange} {attempt}"),
        Record::Undecodable { side, passed, .. } => format!("Undecodable {side} {passed}"),
        Record::Closed { side, open, why, .. } => format!("Closed {side} {open} {why}"),
        Record::Repeated { exchange, .. } => format!("Repeated {exchange}"),
        Record::Alarm { kind, terminal, .. } => format!("Alarm {kind} {terminal}"),
        Record::Stopped { open, .. } => format!("Stopped {open}"),
        Record::Connected { .. } | Record::Link { .. } | Record::Segment { .. } => record.kind().to_owned(),
    }
}

/// The records of a folder without those of connections.
pub(crate) fn exchanges(folder: &Path) -> Vec<String> {
    let mut records = records(folder);
    let of_connections = ["Segment", "Connected", "Closed", "Link", "Stopped"];
    records.retain(|record| !of_connections.iter().any(|kind| record.starts_with(kind)));
    records
}
