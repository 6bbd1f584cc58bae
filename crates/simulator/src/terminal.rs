//! One terminal: signs in, sells, voids, settles, and reverses what it got no good answer to.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};

use crate::account::{Account, Event};
use crate::frame::{FrameView, Wire};
use crate::keys::{MacKey, TerminalKeys};
use crate::message::{Approved, Desk, Identity, Names, Purchase, Totals};
use crate::random::Random;

/// How a terminal works.
#[derive(Clone, Debug)]
pub struct TerminalConfig {
    /// Who it is.
    pub identity: Identity,
    /// Where it connects to.
    pub connect: SocketAddr,
    /// Its own address, when it shall not be any.
    pub source: Option<IpAddr>,
    /// Seed of keys, cards and amounts; the host needs the same for the keys.
    pub seed: u64,
    /// How long it waits for a reply.
    pub timeout: Duration,
    /// How often it sends a reversal before it gives up.
    pub reversal_tries: u32,
    /// Puts a MAC on payments and checks those of replies.
    pub macs: bool,
    /// Payments below this need no PIN when they are contactless.
    pub no_pin_below_minor: u64,
    /// Takes any reply to a reversal as success, as a deployed terminal program does.
    pub any_reversal_reply_is_success: bool,
    /// Share of approved payments whose slip is not printed: they are reversed with 96.
    pub print_failures: f64,
}

impl TerminalConfig {
    /// Terminal `number` of a fleet that connects to this address.
    #[must_use]
    pub fn of(number: u32, connect: SocketAddr) -> TerminalConfig {
        TerminalConfig {
            identity: Identity::of(number),
            connect,
            source: None,
            seed: 1,
            timeout: Duration::from_secs(60),
            reversal_tries: 3,
            macs: true,
            no_pin_below_minor: 100_000,
            any_reversal_reply_is_success: false,
            print_failures: 0.0,
        }
    }
}

/// How a request ended at the terminal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Answered with 00.
    Approved,
    /// Answered with another code.
    Declined([u8; 2]),
    /// Approved, but the slip could not be printed.
    NotPrinted,
    /// Answered with a wrong MAC.
    BadMac,
    /// No reply in time.
    TimedOut,
    /// The connection was closed before a reply.
    Closed,
    /// No connection could be made: the request was never sent.
    Unreachable,
}

impl Outcome {
    /// The reason of the reversal that this outcome of a payment needs.
    #[must_use]
    pub fn reversal_reason(&self) -> Option<&'static [u8; 2]> {
        match self {
            Outcome::TimedOut | Outcome::Closed => Some(b"98"),
            Outcome::BadMac => Some(b"A0"),
            Outcome::NotPrinted => Some(b"96"),
            Outcome::Approved | Outcome::Declined(_) | Outcome::Unreachable => None,
        }
    }
}

/// What became of a request.
#[derive(Clone, Debug)]
pub struct Ended {
    /// Batch of the request.
    pub batch: u32,
    /// Trace of the request.
    pub trace: u32,
    /// How it ended.
    pub outcome: Outcome,
    /// How long it took.
    pub took: Duration,
}

/// A reversal that is stored until it is answered.
#[derive(Clone, Debug)]
struct Stored {
    purchase: Purchase,
    trace: u32,
    reason: &'static [u8; 2],
    of_void: Option<Approved>,
    tries: u32,
}

/// How a stored reversal ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReversalEnd {
    /// There was none.
    Nothing,
    /// The host answered with this code and the terminal took it as done.
    Confirmed([u8; 2]),
    /// Still stored; it is sent again before the next payment.
    Pending,
    /// All tries are used up: the shop is told to ask.
    GivenUp,
}

/// A connection and what came in on it.
struct Line {
    stream: TcpStream,
    inbox: Vec<u8>,
}

/// A terminal.
pub struct Terminal {
    config: TerminalConfig,
    key: MacKey,
    random: Random,
    account: Account,
    batch: u32,
    trace: u32,
    line: Option<Line>,
    connections: u64,
    stored: Option<Stored>,
    given_up: u32,
    approved: Vec<(Purchase, Approved)>,
    totals: Totals,
}

impl Terminal {
    /// A terminal that signed in some earlier day.
    #[must_use]
    pub fn new(config: TerminalConfig, account: &Account) -> Terminal {
        let tid = config.identity.tid;
        Terminal {
            key: TerminalKeys::of(config.seed, &tid).mac_key(),
            random: Random::of(config.seed, &[&tid, b"terminal"]),
            account: account.named(&config.identity.tid_text()),
            batch: 1,
            trace: 0,
            line: None,
            connections: 0,
            stored: None,
            given_up: 0,
            approved: Vec::new(),
            totals: Totals::default(),
            config,
        }
    }

    /// Its number.
    #[must_use]
    pub fn tid(&self) -> String {
        self.config.identity.tid_text()
    }

    /// Whether a reversal waits for an answer.
    #[must_use]
    pub fn has_stored_reversal(&self) -> bool {
        self.stored.is_some()
    }

    /// Reversals that ran out of tries.
    #[must_use]
    pub fn given_up(&self) -> u32 {
        self.given_up
    }

    /// Its generator, for those who play it.
    pub fn random(&mut self) -> &mut Random {
        &mut self.random
    }

    /// From now on it connects to this address.
    pub fn move_to(&mut self, connect: SocketAddr) {
        self.config.connect = connect;
    }

    /// Starts with this trace number, so that a terminal of an earlier run is not repeated.
    pub fn start_at(&mut self, batch: u32, trace: u32) {
        (self.batch, self.trace) = (batch, trace);
    }

    fn next_trace(&mut self) -> u32 {
        self.trace = self.trace % 999_999 + 1;
        self.trace
    }

    fn desk(&self, trace: u32) -> Desk<'_> {
        Desk {
            identity: &self.config.identity,
            mac: self.config.macs.then_some(&self.key),
            batch: self.batch,
            trace,
            seed: self.config.seed,
        }
    }

    /// Some purchase, as people make them.
    pub fn some_purchase(&mut self) -> Purchase {
        Purchase::random(&mut self.random, self.config.no_pin_below_minor)
    }

    /// Sells. A stored reversal goes first; one that this sale needs goes right after.
    pub async fn sale(&mut self, purchase: Purchase) -> Ended {
        self.reverse().await;
        let trace = self.next_trace();
        let mut random = self.random.clone();
        let frame = self.desk(trace).sale(&purchase, &mut random);
        self.random = random;
        self.pay(purchase, trace, frame, None).await
    }

    /// Voids the latest sale that is not voided; nothing when there is none.
    pub async fn void(&mut self) -> Option<Ended> {
        self.reverse().await;
        let (purchase, original) = self.approved.pop()?;
        let trace = self.next_trace();
        let frame = self.desk(trace).void(&purchase, &original);
        Some(self.pay(purchase, trace, frame, Some(original)).await)
    }

    async fn pay(&mut self, purchase: Purchase, trace: u32, frame: Vec<u8>, of_void: Option<Approved>) -> Ended {
        let started = Instant::now();
        let (mut outcome, reply) = self.ask(&frame).await;
        if outcome == Outcome::Approved && self.random.hits(self.config.print_failures) {
            outcome = Outcome::NotPrinted;
        }
        if let Some(reason) = outcome.reversal_reason() {
            self.stored = Some(Stored { purchase, trace, reason, of_void, tries: 0 });
            let ended = Ended { batch: self.batch, trace, outcome, took: started.elapsed() };
            self.reverse().await;
            return ended;
        }
        if outcome == Outcome::Approved {
            self.book(purchase, trace, &reply, of_void.is_some());
        }
        Ended { batch: self.batch, trace, outcome, took: started.elapsed() }
    }

    fn book(&mut self, purchase: Purchase, trace: u32, reply: &[u8], is_void: bool) {
        if is_void {
            self.totals.credit_minor = self.totals.credit_minor.saturating_add(purchase.amount_minor);
            self.totals.credits += 1;
            return;
        }
        self.totals.debit_minor = self.totals.debit_minor.saturating_add(purchase.amount_minor);
        self.totals.debits += 1;
        let Ok(view) = FrameView::read(Wire::Pos, reply) else { return };
        let raw = |number| view.raw(number).unwrap_or_default().to_vec();
        let original = Approved { batch: self.batch, trace, reference: raw(37), authorisation: raw(38) };
        self.approved.push((purchase, original));
    }

    /// Sends a request and judges the reply.
    async fn ask(&mut self, frame: &[u8]) -> (Outcome, Vec<u8>) {
        let reply = match self.exchange(frame).await {
            Ok(reply) => reply,
            Err(outcome) => return (outcome, Vec::new()),
        };
        let outcome = match FrameView::read(Wire::Pos, &reply) {
            Ok(view) if self.config.macs && view.raw(64).is_some_and(|mac| mac != self.key.mac(view.covered())) => {
                Outcome::BadMac
            }
            Ok(view) => match view.array(39) {
                Some(code) if code == *b"00" => Outcome::Approved,
                Some(code) => Outcome::Declined(code),
                None => Outcome::Declined(*b"  "),
            },
            Err(_) => Outcome::TimedOut,
        };
        (outcome, reply)
    }

    /// Sends the stored reversal until it is answered or its tries are used up.
    pub async fn reverse(&mut self) -> ReversalEnd {
        let Some(mut stored) = self.stored.take() else { return ReversalEnd::Nothing };
        while stored.tries < self.config.reversal_tries {
            let frame = self.desk(stored.trace).reversal(&stored.purchase, stored.reason, stored.of_void.as_ref());
            let (outcome, reply) = self.ask(&frame).await;
            if outcome == Outcome::Unreachable {
                // Not sent, not counted.
                self.stored = Some(stored);
                return ReversalEnd::Pending;
            }
            stored.tries += 1;
            let code = FrameView::read(Wire::Pos, &reply).ok().and_then(|view| view.array(39));
            let done = |code: [u8; 2]| self.config.any_reversal_reply_is_success || matches!(&code, b"00" | b"25");
            if let Some(code) = code.filter(|code| outcome != Outcome::BadMac && done(*code)) {
                return ReversalEnd::Confirmed(code);
            }
        }
        self.given_up += 1;
        ReversalEnd::GivenUp
    }

    /// Sends a sale and goes away without waiting: nobody reverses but a gateway that stored the request.
    pub async fn sell_and_vanish(&mut self, purchase: &Purchase) -> Option<Ended> {
        let trace = self.next_trace();
        let mut random = self.random.clone();
        let frame = self.desk(trace).sale(purchase, &mut random);
        self.random = random;
        self.send(&frame).await.ok()?;
        self.hang_up();
        Some(Ended { batch: self.batch, trace, outcome: Outcome::Closed, took: Duration::ZERO })
    }

    /// Signs in and takes the keys of the reply.
    pub async fn sign_in(&mut self) -> Outcome {
        let trace = self.next_trace();
        let frame = self.desk(trace).sign_in();
        let (outcome, reply) = self.ask(&frame).await;
        let keys = TerminalKeys::of(self.config.seed, &self.config.identity.tid);
        let block = FrameView::read(Wire::Pos, &reply).ok().and_then(|view| view.raw(62).map(<[u8]>::to_vec));
        if let Some(key) = block.and_then(|block| keys.open_key_block(&block)) {
            self.key = key;
        }
        outcome
    }

    /// Tells its state: timeout and retries among others.
    pub async fn status_upload(&mut self) -> Outcome {
        let trace = self.next_trace();
        let frame = self.desk(trace).status_upload(self.config.timeout.as_secs().max(1), self.config.reversal_tries);
        self.ask(&frame).await.0
    }

    /// Asks whether anybody is there.
    pub async fn echo(&mut self) -> Outcome {
        let trace = self.next_trace();
        let frame = self.desk(trace).echo();
        self.ask(&frame).await.0
    }

    /// Settles the batch and opens the next. True when the host has the same totals.
    pub async fn settle(&mut self) -> (Outcome, bool) {
        self.reverse().await;
        let trace = self.next_trace();
        let frame = self.desk(trace).settlement(&self.totals);
        let (outcome, reply) = self.ask(&frame).await;
        let flag = FrameView::read(Wire::Pos, &reply).ok().and_then(|view| Totals::read(&view)).map(|(_, flag)| flag);
        if outcome == Outcome::Approved {
            self.batch = self.batch % 999_999 + 1;
            self.totals = Totals::default();
            self.approved.clear();
        }
        (outcome, flag == Some(1))
    }

    /// Closes the connection.
    pub fn hang_up(&mut self) {
        if self.line.take().is_some() {
            self.account.connection(self.connections, Event::HungUp, "");
        }
    }

    async fn connect(&mut self) -> io::Result<TcpStream> {
        let socket = if self.config.connect.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
        if let Some(source) = self.config.source {
            socket.bind(SocketAddr::new(source, 0))?;
        }
        let wait = self.config.timeout.min(Duration::from_secs(5));
        let stream = tokio::time::timeout(wait, socket.connect(self.config.connect)).await??;
        stream.set_nodelay(true)?;
        Ok(stream)
    }

    /// Connects if there is no connection, or one that was closed meanwhile.
    async fn ensure_line(&mut self) -> io::Result<()> {
        if let Some(line) = &mut self.line {
            let closed = loop {
                match line.stream.try_read_buf(&mut line.inbox) {
                    Ok(0) => break true,
                    Ok(_) => {}
                    Err(error) => break error.kind() != io::ErrorKind::WouldBlock,
                }
            };
            if !closed {
                return Ok(());
            }
            self.account.connection(self.connections, Event::Closed, "while idle");
            self.line = None;
        }
        match self.connect().await {
            Ok(stream) => {
                self.connections += 1;
                self.account.connection(self.connections, Event::Connected, "");
                self.line = Some(Line { stream, inbox: Vec::new() });
                Ok(())
            }
            Err(error) => {
                self.account.connection(self.connections, Event::Unreachable, "");
                Err(error)
            }
        }
    }

    async fn send(&mut self, frame: &[u8]) -> Result<(), Outcome> {
        self.ensure_line().await.map_err(|_| Outcome::Unreachable)?;
        let Some(line) = &mut self.line else { return Err(Outcome::Unreachable) };
        let mut bytes = Vec::with_capacity(frame.len() + 2);
        Wire::Pos.append(frame, &mut bytes);
        let written = line.stream.write_all(&bytes).await.is_ok();
        if let Ok(view) = FrameView::read(Wire::Pos, frame) {
            self.account.frame(self.connections, if written { Event::Sent } else { Event::Unsent }, &view, "");
        }
        if written {
            return Ok(());
        }
        self.line = None;
        self.account.connection(self.connections, Event::Closed, "while writing");
        // Part of it may have gone out: the terminal cannot know.
        Err(Outcome::Closed)
    }

    /// Sends a request and waits for its reply; anything else that comes is noted and dropped.
    async fn exchange(&mut self, frame: &[u8]) -> Result<Vec<u8>, Outcome> {
        let asked = FrameView::read(Wire::Pos, frame).map_err(|_| Outcome::Unreachable)?;
        self.send(frame).await?;
        let deadline = tokio::time::Instant::now() + self.config.timeout;
        loop {
            let Some(line) = &mut self.line else { return Err(Outcome::Closed) };
            match Wire::Pos.split(&line.inbox) {
                Ok(Some((reply, len))) => {
                    let reply = reply.to_vec();
                    line.inbox.drain(..len);
                    if self.is_reply(&asked, &reply) {
                        return Ok(reply);
                    }
                    continue;
                }
                Ok(None) => {}
                Err(_) => {
                    self.account.connection(self.connections, Event::Unreadable, "length");
                    self.hang_up();
                    return Err(Outcome::Closed);
                }
            }
            match tokio::time::timeout_at(deadline, line.stream.read_buf(&mut line.inbox)).await {
                Ok(Ok(1..)) => {}
                Ok(_) => {
                    self.line = None;
                    self.account.connection(self.connections, Event::Closed, "while waiting");
                    return Err(Outcome::Closed);
                }
                Err(_) => {
                    self.account.frame(self.connections, Event::TimedOut, &asked, "");
                    // A real terminal hangs up too: a late reply must not meet the next request.
                    self.hang_up();
                    return Err(Outcome::TimedOut);
                }
            }
        }
    }

    fn is_reply(&self, asked: &FrameView<'_>, reply: &[u8]) -> bool {
        let Ok(view) = FrameView::read(Wire::Pos, reply) else {
            self.account.connection(self.connections, Event::Unreadable, "frame");
            return false;
        };
        let names = |view: &FrameView<'_>| {
            let names = Names::read(view);
            (names.tid, names.batch, names.trace)
        };
        let matches = view.mti() == asked.mti() | 0x0010 && names(&view) == names(asked);
        self.account.frame(self.connections, if matches { Event::Received } else { Event::Unmatched }, &view, "");
        matches
    }
}
