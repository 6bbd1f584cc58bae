//! What one peer saw: its own account of every request, reply and close, to compare with what the gateway says.

use std::io::Write;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde::Serialize;

use crate::frame::FrameView;
use crate::message::{Kind, Names};
use crate::random::digest;

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// A connection stands.
    Connected,
    /// No connection could be made.
    Unreachable,
    /// A frame came in.
    Received,
    /// A frame went out.
    Sent,
    /// A frame was ready but its connection was gone.
    Unsent,
    /// A reply came that belongs to no open request.
    Unmatched,
    /// Bytes came that are no frame.
    Unreadable,
    /// No reply came in time.
    TimedOut,
    /// The other side closed.
    Closed,
    /// This side closed.
    HungUp,
    /// A fault was played on the request named here.
    Fault,
}

/// One line of an account. Numbers that a frame does not have are 0, texts are empty.
#[derive(Clone, Debug, Serialize)]
pub struct Entry {
    /// Microseconds since 1970, UTC.
    pub at_us: u64,
    /// Who tells this.
    #[serde(serialize_with = "peer_text")]
    pub peer: Arc<str>,
    /// Connection of this peer, counted from 1.
    pub connection: u64,
    /// What happened.
    pub event: Event,
    /// Message type, 0210 as `0x0210`.
    #[serde(serialize_with = "mti_text")]
    pub mti: u16,
    /// What kind of message.
    pub kind: Kind,
    /// Terminal number.
    pub tid: String,
    /// Batch.
    pub batch: u32,
    /// Trace number.
    pub trace: u32,
    /// Amount in fen.
    pub amount_minor: u64,
    /// Field 39: answer, or reason of a reversal.
    pub code: String,
    /// Reference number.
    pub reference: String,
    /// Kind of a fault, or what else is to be said.
    pub note: &'static str,
    /// Tells frames apart: the same digest on both sides of a gateway means that the bytes passed unchanged.
    pub digest: u64,
}

impl Entry {
    /// The names by which request and reply are matched.
    #[must_use]
    pub fn names(&self) -> (String, u32, u32) {
        (self.tid.clone(), self.batch, self.trace)
    }
}

fn mti_text<S: serde::Serializer>(mti: &u16, out: S) -> Result<S::Ok, S::Error> {
    out.collect_str(&format_args!("{mti:04X}"))
}

fn peer_text<S: serde::Serializer>(peer: &Arc<str>, out: S) -> Result<S::Ok, S::Error> {
    out.serialize_str(peer)
}

/// The account of one peer; copies share the same lines.
#[derive(Clone, Debug)]
pub struct Account {
    peer: Arc<str>,
    lines: Option<Arc<Mutex<Vec<Entry>>>>,
}

impl Account {
    /// An account in the name of `peer`.
    #[must_use]
    pub fn of(peer: &str) -> Account {
        Account { peer: peer.into(), lines: Some(Arc::default()) }
    }

    /// An account that keeps nothing, for load.
    #[must_use]
    pub fn off() -> Account {
        Account { peer: "".into(), lines: None }
    }

    /// The same lines under another name.
    #[must_use]
    pub fn named(&self, peer: &str) -> Account {
        Account { peer: peer.into(), lines: self.lines.clone() }
    }

    /// Whether lines are kept.
    #[must_use]
    pub fn is_on(&self) -> bool {
        self.lines.is_some()
    }

    fn lock(&self) -> Option<MutexGuard<'_, Vec<Entry>>> {
        Some(self.lines.as_ref()?.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Notes something about a connection.
    pub fn connection(&self, connection: u64, event: Event, note: &'static str) {
        self.push(|peer| blank(peer, connection, event, note));
    }

    /// Notes something about a frame.
    pub fn frame(&self, connection: u64, event: Event, view: &FrameView<'_>, note: &'static str) {
        self.push(|peer| {
            let text =
                |number| view.raw(number).map(|raw| String::from_utf8_lossy(raw).into_owned()).unwrap_or_default();
            let names = Names::read(view);
            Entry {
                mti: view.mti(),
                kind: Kind::of(view),
                tid: text(41),
                batch: names.batch,
                trace: names.trace,
                amount_minor: view.number(4).unwrap_or_default(),
                code: text(39),
                reference: text(37),
                digest: digest(view.frame()),
                ..blank(peer, connection, event, note)
            }
        });
    }

    fn push(&self, entry: impl FnOnce(Arc<str>) -> Entry) {
        if let Some(mut lines) = self.lock() {
            lines.push(entry(self.peer.clone()));
        }
    }

    /// All lines so far.
    #[must_use]
    pub fn entries(&self) -> Vec<Entry> {
        self.lock().map(|lines| lines.clone()).unwrap_or_default()
    }

    /// The lines that `wanted` picks.
    #[must_use]
    pub fn find(&self, wanted: impl Fn(&Entry) -> bool) -> Vec<Entry> {
        self.lock().map(|lines| lines.iter().filter(|line| wanted(line)).cloned().collect()).unwrap_or_default()
    }

    /// How many lines `wanted` picks.
    #[must_use]
    pub fn count(&self, wanted: impl Fn(&Entry) -> bool) -> usize {
        self.lock().map(|lines| lines.iter().filter(|line| wanted(line)).count()).unwrap_or_default()
    }

    /// Waits until at least `count` lines are as wanted; false when `patience` ran out first.
    pub async fn wait_for(&self, count: usize, patience: Duration, wanted: impl Fn(&Entry) -> bool) -> bool {
        let deadline = Instant::now() + patience;
        loop {
            if self.count(&wanted) >= count {
                return true;
            }
            if Instant::now() >= deadline {
                return false;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Writes all lines as JSON, one a line.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write_json_lines(&self, path: &Path) -> std::io::Result<()> {
        let mut file = std::io::BufWriter::new(std::fs::File::create(path)?);
        for entry in self.entries() {
            serde_json::to_writer(&mut file, &entry)?;
            file.write_all(b"\n")?;
        }
        file.flush()
    }
}

fn blank(peer: Arc<str>, connection: u64, event: Event, note: &'static str) -> Entry {
    Entry {
        at_us: now_us(),
        peer,
        connection,
        event,
        mti: 0,
        kind: Kind::Other,
        tid: String::new(),
        batch: 0,
        trace: 0,
        amount_minor: 0,
        code: String::new(),
        reference: String::new(),
        note,
        digest: 0,
    }
}

/// Microseconds since 1970.
pub(crate) fn now_us() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
}
