//! A listening TCP peer: takes requests, answers at once or later, plays faults, keeps an account.

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use crate::account::{Account, Event};
use crate::fault::{Fault, FaultKind, FaultPlan, Faulted};
use crate::frame::{FrameView, FrameWriter, Wire};
use crate::message::{Kind, Names};
use crate::random::Random;

/// What a peer makes of a request.
pub(crate) trait Answers: Send + Sync + 'static {
    /// Dialect of the peer.
    const WIRE: Wire;

    /// Works on a request and answers through `line`, now or later.
    fn answer(self: &Arc<Self>, request: &FrameView<'_>, line: &mut Line<'_>);
}

/// Something to write after the connection went on with other things.
pub(crate) struct Later {
    bytes: Vec<u8>,
    /// The frame among the bytes, for the account.
    frame: Vec<u8>,
    close: bool,
    note: &'static str,
}

/// The connection that a request came in on.
pub(crate) struct Line<'a> {
    pub(crate) connection: u64,
    pub(crate) plan: Arc<FaultPlan>,
    pub(crate) account: &'a Account,
    /// Answers that go out with the next write.
    now: &'a mut Vec<u8>,
    later: &'a mpsc::UnboundedSender<Later>,
}

impl Line<'_> {
    /// The same line for a task that answers later.
    pub(crate) fn detach(&self) -> DetachedLine {
        DetachedLine {
            connection: self.connection,
            plan: self.plan.clone(),
            account: self.account.clone(),
            later: self.later.clone(),
        }
    }

    /// Sends a frame, disturbed by the fault.
    pub(crate) fn send(&mut self, wire: Wire, frame: Vec<u8>, fault: Option<&Fault>, random: &mut Random) {
        let latency = self.plan.latency(random);
        if fault.is_none() && latency.is_zero() {
            wire.append(&frame, self.now);
            return;
        }
        for (after, later) in disturbed(wire, frame, fault, latency, random) {
            post(self.later, after, later);
        }
    }
}

/// A [`Line`] that a task owns.
pub(crate) struct DetachedLine {
    pub(crate) connection: u64,
    pub(crate) plan: Arc<FaultPlan>,
    pub(crate) account: Account,
    later: mpsc::UnboundedSender<Later>,
}

impl DetachedLine {
    /// Sends a frame, disturbed by the fault.
    pub(crate) fn send(&self, wire: Wire, frame: Vec<u8>, fault: Option<&Fault>, random: &mut Random) {
        let latency = self.plan.latency(random);
        for (after, later) in disturbed(wire, frame, fault, latency, random) {
            post(&self.later, after, later);
        }
    }

    /// Closes the connection.
    pub(crate) fn close(&self, note: &'static str) {
        post(&self.later, Duration::ZERO, Later { bytes: Vec::new(), frame: Vec::new(), close: true, note });
    }
}

/// A gone connection takes nothing; its task notes what it had not written.
fn post(queue: &mpsc::UnboundedSender<Later>, after: Duration, later: Later) {
    if after.is_zero() {
        let _ = queue.send(later);
        return;
    }
    let queue = queue.clone();
    tokio::spawn(async move {
        tokio::time::sleep(after).await;
        let _ = queue.send(later);
    });
}

/// What goes out instead of a plain answer, and when.
fn disturbed(
    wire: Wire,
    frame: Vec<u8>,
    fault: Option<&Fault>,
    latency: Duration,
    random: &mut Random,
) -> Vec<(Duration, Later)> {
    let mut bytes = Vec::with_capacity(frame.len() + 4);
    wire.append(&frame, &mut bytes);
    let half = bytes.len() / 2;
    let kind = fault.map(|fault| fault.kind);
    let delay = fault.map_or(Duration::ZERO, Fault::delay);
    let note = kind.map_or("", FaultKind::name);
    let whole = Later { bytes, frame, close: false, note };
    let silent = |bytes: Vec<u8>, close| Later { bytes, frame: Vec::new(), close, note };
    match kind {
        Some(FaultKind::Delay | FaultKind::Late) => vec![(latency + delay, whole)],
        Some(FaultKind::Silence | FaultKind::Lost) => Vec::new(),
        Some(FaultKind::Close) => vec![(latency + delay, silent(Vec::new(), true))],
        Some(FaultKind::Duplicate) => {
            let copies = fault.map_or(0, |fault| fault.copies);
            let copy = |_| (latency + delay, Later { bytes: whole.bytes.clone(), frame: whole.frame.clone(), ..whole });
            (0..=copies).map(copy).collect()
        }
        Some(FaultKind::Garbage) => {
            let junk: Vec<u8> = (0..5).flat_map(|_| random.bytes8()).collect();
            let mut framed = Vec::new();
            wire.append(&junk, &mut framed);
            vec![(latency, silent(framed, false)), (latency + delay, whole)]
        }
        Some(FaultKind::Noise) => {
            let mut noise = vec![0xFF; 2];
            noise.extend((0..20).flat_map(|_| random.bytes8()));
            vec![(latency + delay, silent(noise, false))]
        }
        Some(FaultKind::Cut) => {
            let mut first = whole.bytes;
            first.truncate(half);
            vec![(latency, silent(first, true))]
        }
        Some(FaultKind::Split) => {
            let (first, second) = whole.bytes.split_at(half);
            let second = Later { bytes: second.to_vec(), frame: whole.frame, close: false, note };
            vec![(latency, silent(first.to_vec(), false)), (latency + delay.max(Duration::from_millis(20)), second)]
        }
        Some(FaultKind::Stray) => {
            let mut both = Vec::new();
            wire.append(&stray(wire, &whole.frame), &mut both);
            both.extend_from_slice(&whole.bytes);
            vec![(latency + delay, Later { bytes: both, ..whole })]
        }
        None | Some(FaultKind::WrongMac | FaultKind::Decline | FaultKind::NetworkTimeout) => vec![(latency, whole)],
    }
}

/// The same answer to a trace number that nobody asked about.
fn stray(wire: Wire, frame: &[u8]) -> Vec<u8> {
    let Ok(view) = FrameView::read(wire, frame) else { return frame.to_vec() };
    let trace = (view.number(11).unwrap_or_default() + 500_000) % 1_000_000;
    let copied = FrameWriter::new(wire, view.header(), view.mti());
    (2..=128)
        .fold(copied, |writer, number| if number == 11 { writer.number(11, trace) } else { writer.copy(number, &view) })
        .finish()
}

/// Dice for one message, the same whenever and wherever it comes in.
pub(crate) fn dice(seed: u64, request: &FrameView<'_>) -> Random {
    let names = Names::read(request);
    Random::of(
        seed,
        &[&names.tid, &request.mti().to_be_bytes(), &names.batch.to_be_bytes(), &names.trace.to_be_bytes()],
    )
}

/// The fault that the plan has for a request, noted in the account.
pub(crate) fn fault_for<'p>(
    plan: &'p FaultPlan,
    request: &FrameView<'_>,
    random: &mut Random,
    account: &Account,
    connection: u64,
) -> Option<&'p Fault> {
    if plan.faults.is_empty() {
        return None;
    }
    let faulted = Faulted {
        kind: Kind::of(request),
        tid: request.raw(41).unwrap_or_default(),
        amount_minor: request.number(4).unwrap_or_default(),
        pin: request.has(52),
    };
    let fault = plan.choose(&faulted, random)?;
    account.frame(connection, Event::Fault, request, fault.kind.name());
    Some(fault)
}

/// What listener and connections share.
struct Shared<A> {
    work: Arc<A>,
    account: Account,
    plan: RwLock<Arc<FaultPlan>>,
    connections: AtomicU64,
    /// Each change hangs up all connections.
    hang_up: watch::Sender<u64>,
}

/// A running peer. It ends when it is dropped or stopped.
pub(crate) struct Peer<A> {
    address: SocketAddr,
    shared: Arc<Shared<A>>,
    listener: JoinHandle<()>,
}

impl<A: Answers> Peer<A> {
    pub(crate) async fn start(
        listen: SocketAddr,
        work: Arc<A>,
        account: Account,
        plan: FaultPlan,
    ) -> io::Result<Peer<A>> {
        let listener = TcpListener::bind(listen).await?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            work,
            account,
            plan: RwLock::new(Arc::new(plan)),
            connections: AtomicU64::new(0),
            hang_up: watch::Sender::new(0),
        });
        let listener = tokio::spawn(accept(listener, shared.clone()));
        Ok(Peer { address, shared, listener })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn account(&self) -> &Account {
        &self.shared.account
    }

    pub(crate) fn work(&self) -> &Arc<A> {
        &self.shared.work
    }

    /// Connections taken so far.
    pub(crate) fn connections(&self) -> u64 {
        self.shared.connections.load(Ordering::Relaxed)
    }

    /// From now on these faults are played.
    pub(crate) fn set_faults(&self, plan: FaultPlan) {
        *self.shared.plan.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(plan);
    }

    /// Closes all connections; new ones are taken.
    pub(crate) fn hang_up(&self) {
        self.shared.hang_up.send_modify(|epoch| *epoch += 1);
    }
}

impl<A> Drop for Peer<A> {
    fn drop(&mut self) {
        self.listener.abort();
        self.shared.hang_up.send_modify(|epoch| *epoch += 1);
    }
}

async fn accept<A: Answers>(listener: TcpListener, shared: Arc<Shared<A>>) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                let number = shared.connections.fetch_add(1, Ordering::Relaxed) + 1;
                tokio::spawn(serve(stream, number, shared.clone(), shared.hang_up.subscribe()));
            }
            // Out of file descriptors, most likely: give others time to close.
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
}

async fn serve<A: Answers>(
    mut stream: TcpStream,
    connection: u64,
    shared: Arc<Shared<A>>,
    mut hang_up: watch::Receiver<u64>,
) {
    let account = &shared.account;
    account.connection(connection, Event::Connected, "");
    let _ = stream.set_nodelay(true);
    let (queue, mut later) = mpsc::unbounded_channel();
    let (mut inbox, mut out) = (Vec::with_capacity(4096), Vec::with_capacity(4096));
    let (event, note) = loop {
        tokio::select! {
            read = stream.read_buf(&mut inbox) => match read {
                Ok(0) | Err(_) => break (Event::Closed, ""),
                Ok(_) => {
                    let plan = shared.plan.read().unwrap_or_else(PoisonError::into_inner).clone();
                    let mut line = Line { connection, plan, account, now: &mut out, later: &queue };
                    if take_requests(&shared.work, &mut inbox, &mut line).is_err() {
                        account.connection(connection, Event::Unreadable, "length");
                        break (Event::HungUp, "unreadable");
                    }
                    let written = out.is_empty() || stream.write_all(&out).await.is_ok();
                    note_written(A::WIRE, account, connection, &out, written);
                    out.clear();
                    if !written {
                        break (Event::Closed, "while writing");
                    }
                }
            },
            Some(one) = later.recv() => {
                let written = one.bytes.is_empty() || stream.write_all(&one.bytes).await.is_ok();
                note_later(A::WIRE, account, connection, &one, written);
                if !written {
                    break (Event::Closed, "while writing");
                }
                if one.close {
                    break (Event::HungUp, one.note);
                }
            }
            _ = hang_up.changed() => break (Event::HungUp, "told to"),
        }
    };
    account.connection(connection, event, note);
    drop((stream, queue));
    // Late answers that are still on their way find the connection gone; this ends when the last one came.
    while let Some(one) = later.recv().await {
        note_later(A::WIRE, account, connection, &one, false);
    }
}

/// Works on all whole frames in the inbox and leaves the rest there.
fn take_requests<A: Answers>(
    work: &Arc<A>,
    inbox: &mut Vec<u8>,
    line: &mut Line<'_>,
) -> Result<(), crate::frame::Unreadable> {
    let mut taken = 0;
    while let Some((frame, len)) = A::WIRE.split(inbox.get(taken..).unwrap_or_default())? {
        match FrameView::read(A::WIRE, frame) {
            Ok(request) => {
                line.account.frame(line.connection, Event::Received, &request, "");
                work.answer(&request, line);
            }
            Err(_) => line.account.connection(line.connection, Event::Unreadable, "frame"),
        }
        taken += len;
    }
    inbox.drain(..taken);
    Ok(())
}

fn note_written(wire: Wire, account: &Account, connection: u64, out: &[u8], written: bool) {
    if !account.is_on() {
        return;
    }
    let event = if written { Event::Sent } else { Event::Unsent };
    let mut rest = out;
    while let Ok(Some((frame, len))) = wire.split(rest) {
        if let Ok(view) = FrameView::read(wire, frame) {
            account.frame(connection, event, &view, "");
        }
        rest = rest.get(len..).unwrap_or_default();
    }
}

fn note_later(wire: Wire, account: &Account, connection: u64, later: &Later, written: bool) {
    let event = if written { Event::Sent } else { Event::Unsent };
    if let Ok(view) = FrameView::read(wire, &later.frame) {
        account.frame(connection, event, &view, later.note);
    }
}
