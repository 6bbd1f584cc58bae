//! The card network behind the host: its own peer, its own dialect, its own faults; and the host's line to it.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustc_hash::FxHashMap;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use crate::account::{Account, Event};
use crate::fault::{FaultKind, FaultPlan};
use crate::frame::{FrameView, FrameWriter, Wire};
use crate::message::{Kind, narrow};
use crate::peer::{Answers, Line, Peer, dice, fault_for};

/// A running card network; it ends when it is dropped.
pub struct Network {
    peer: Peer<Switch>,
}

struct Switch;

impl Network {
    /// Starts a network on this address (port 0: some free port).
    ///
    /// # Errors
    /// When the address cannot be listened on.
    pub async fn start(listen: SocketAddr, faults: FaultPlan, account: Account) -> io::Result<Network> {
        Ok(Network { peer: Peer::start(listen, Arc::new(Switch), account, faults).await? })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.peer.address()
    }

    /// Its account.
    #[must_use]
    pub fn account(&self) -> &Account {
        self.peer.account()
    }

    /// From now on these faults are played.
    pub fn set_faults(&self, plan: FaultPlan) {
        self.peer.set_faults(plan);
    }

    /// Closes all connections at once; new ones are taken.
    pub fn hang_up(&self) {
        self.peer.hang_up();
    }
}

impl Answers for Switch {
    const WIRE: Wire = Wire::Network;

    fn answer(self: &Arc<Switch>, request: &FrameView<'_>, line: &mut Line<'_>) {
        let plan = line.plan.clone();
        let mut random = dice(plan.seed, request);
        let fault = fault_for(&plan, request, &mut random, line.account, line.connection);
        let code = match fault {
            Some(fault) if fault.kind == FaultKind::Decline => fault.code(&mut random),
            Some(fault) if fault.kind == FaultKind::Lost => return,
            _ => *b"00",
        };
        let frame = FrameWriter::new(Wire::Network, &header(NETWORK, ACQUIRER), request.mti() | 0x0010);
        let frame = [2, 3, 4, 7, 11, 12, 13, 32, 33, 37]
            .into_iter()
            .fold(frame, |frame, number| frame.copy(number, request))
            .field(39, &code);
        let reply = [41, 42, 49, 60, 70].into_iter().fold(frame, |frame, number| frame.copy(number, request)).finish();
        line.send(Wire::Network, reply, fault, &mut random);
    }
}

const NETWORK: &[u8; 11] = b"00010000   ";
const ACQUIRER: &[u8; 11] = b"48990001   ";

/// Header of 46 bytes; the length is filled in when the frame is finished.
fn header(from: &[u8; 11], to: &[u8; 11]) -> [u8; 46] {
    let mut header = *b"\x2E\x020000                      000\x0000000000\x0000000";
    header[6..17].copy_from_slice(to);
    header[17..28].copy_from_slice(from);
    header
}

/// The host's line to the network. Copies share it.
#[derive(Clone)]
pub(crate) struct NetworkLink {
    questions: mpsc::UnboundedSender<Vec<u8>>,
    open: Arc<Mutex<FxHashMap<u32, oneshot::Sender<[u8; 2]>>>>,
    task: Arc<Ends>,
}

/// Ends the line's task with the last copy of the line.
struct Ends(JoinHandle<()>);

impl Drop for Ends {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// A payment as the network gets it.
pub(crate) struct Question {
    trace: u32,
    frame: Vec<u8>,
}

impl NetworkLink {
    pub(crate) fn start(address: SocketAddr, account: Account) -> NetworkLink {
        let (questions, queue) = mpsc::unbounded_channel();
        let open = Arc::<Mutex<FxHashMap<_, _>>>::default();
        let task = tokio::spawn(keep_line(address, queue, open.clone(), account));
        NetworkLink { questions, open, task: Arc::new(Ends(task)) }
    }

    fn open(&self) -> MutexGuard<'_, FxHashMap<u32, oneshot::Sender<[u8; 2]>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A terminal's payment in the dialect of the network; `reference` is the host's own trace.
    pub(crate) fn question(&self, request: &FrameView<'_>, reference: u64) -> Question {
        let trace = reference % 1_000_000;
        let digits =
            |number: u8, width: usize| format!("{:0width$}", request.number(number).unwrap_or_default()).into_bytes();
        let no_pin = if request.has(52) { '0' } else { '1' };
        let frame = FrameWriter::new(Wire::Network, &header(ACQUIRER, NETWORK), 0x0200)
            .maybe(2, request.digits(2).as_deref())
            .field(3, &digits(3, 6))
            .field(4, &digits(4, 12))
            .number(11, trace)
            .field(25, b"00")
            .field(32, b"48990001")
            .field(33, b"48990001")
            .number(37, reference)
            .copy(41, request)
            .copy(42, request)
            .field(49, b"156")
            .field(60, format!("0000060003{no_pin}0000000000").as_bytes())
            .finish();
        Question { trace: narrow(Some(trace)), frame }
    }

    /// The code that the network answers, or nothing in time; then the network gets a reversal.
    pub(crate) async fn ask(&self, question: Question, timeout: Duration) -> Option<[u8; 2]> {
        let (answered, answer) = oneshot::channel();
        self.open().insert(question.trace, answered);
        let reversal = reversal(&question.frame);
        let _ = self.questions.send(question.frame);
        let code = tokio::time::timeout(timeout, answer).await.ok().and_then(Result::ok);
        if code.is_none() {
            self.open().remove(&question.trace);
            if let Some(reversal) = reversal {
                let _ = self.questions.send(reversal);
            }
        }
        // The task lives as long as someone may ask.
        let _ = &self.task;
        code
    }
}

/// 4354: the acquirer saw a timeout.
fn reversal(question: &[u8]) -> Option<Vec<u8>> {
    let view = FrameView::read(Wire::Network, question).ok()?;
    let frame = FrameWriter::new(Wire::Network, view.header(), 0x0420);
    let frame =
        [2, 3, 4, 11, 32, 33, 37, 41, 42, 49].into_iter().fold(frame, |frame, number| frame.copy(number, &view));
    let original = format!("0200{:06}{:010}{:011}{:011}", view.number(11)?, 0, 48_990_001, 48_990_001);
    Some(frame.field(60, b"435400000300000000000").field(90, original.as_bytes()).finish())
}

/// Keeps one connection to the network; what cannot be sent is lost, as on a broken line.
async fn keep_line(
    address: SocketAddr,
    mut queue: mpsc::UnboundedReceiver<Vec<u8>>,
    open: Arc<Mutex<FxHashMap<u32, oneshot::Sender<[u8; 2]>>>>,
    account: Account,
) {
    let account = account.named("host to network");
    for connection in 1.. {
        let mut stream = loop {
            match TcpStream::connect(address).await {
                Ok(stream) => break stream,
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        };
        account.connection(connection, Event::Connected, "");
        let mut inbox = Vec::with_capacity(4096);
        loop {
            tokio::select! {
                question = queue.recv() => {
                    let Some(frame) = question else { return };
                    let mut bytes = Vec::with_capacity(frame.len() + 4);
                    Wire::Network.append(&frame, &mut bytes);
                    let written = stream.write_all(&bytes).await.is_ok();
                    if let Ok(view) = FrameView::read(Wire::Network, &frame) {
                        account.frame(connection, if written { Event::Sent } else { Event::Unsent }, &view, "");
                    }
                    if !written {
                        break;
                    }
                }
                read = stream.read_buf(&mut inbox) => {
                    if !matches!(read, Ok(1..)) || !take_answers(&mut inbox, &open, &account, connection) {
                        break;
                    }
                }
            }
        }
        account.connection(connection, Event::Closed, "");
    }
}

/// False when the bytes are no frames any more.
fn take_answers(
    inbox: &mut Vec<u8>,
    open: &Mutex<FxHashMap<u32, oneshot::Sender<[u8; 2]>>>,
    account: &Account,
    connection: u64,
) -> bool {
    let mut taken = 0;
    loop {
        match Wire::Network.split(inbox.get(taken..).unwrap_or_default()) {
            Err(_) => return false,
            Ok(None) => break,
            Ok(Some((frame, len))) => {
                if let Ok(view) = FrameView::read(Wire::Network, frame) {
                    take_answer(&view, open, account, connection);
                } else {
                    account.connection(connection, Event::Unreadable, "frame");
                }
                taken += len;
            }
        }
    }
    inbox.drain(..taken);
    true
}

fn take_answer(
    view: &FrameView<'_>,
    open: &Mutex<FxHashMap<u32, oneshot::Sender<[u8; 2]>>>,
    account: &Account,
    connection: u64,
) {
    let is_reversal = Kind::of(view) == Kind::Reversal;
    let waiting = (!is_reversal)
        .then(|| open.lock().unwrap_or_else(PoisonError::into_inner).remove(&narrow(view.number(11))))
        .flatten();
    let event = if is_reversal || waiting.is_some() { Event::Received } else { Event::Unmatched };
    account.frame(connection, event, view, "");
    if let (Some(waiting), Some(code)) = (waiting, view.array(39)) {
        let _ = waiting.send(code);
    }
}
