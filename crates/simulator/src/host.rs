//! The acquirer's host: answers terminals (or a gateway) by its books, alone or with a network behind it.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustc_hash::FxHashMap;

use crate::account::{Account, Event, now_us};
use crate::books::Books;
use crate::fault::{Fault, FaultKind, FaultPlan, OnTimeout};
use crate::frame::{FrameView, FrameWriter, Wire};
use crate::keys::{MacKey, TerminalKeys};
use crate::message::{Kind, Names, Totals, narrow};
use crate::network::NetworkLink;
use crate::peer::{Answers, DetachedLine, Line, Peer, dice, fault_for};
use crate::random::Random;

/// How a host works.
#[derive(Clone, Debug)]
pub struct HostConfig {
    /// Seed of all keys: terminals need the same.
    pub seed: u64,
    /// Faults towards terminals.
    pub faults: FaultPlan,
    /// Refuse requests whose MAC is wrong with A0.
    pub check_mac: bool,
    /// Put a true MAC on answers to requests that have one.
    pub seal: bool,
    /// Keep books; without them everything is approved and reversals are 00 (for load).
    pub books: bool,
    /// Where it notes what it saw.
    pub account: Account,
    /// A network that decides payments; without one the host approves.
    pub network: Option<NetworkRoute>,
}

/// The way from the host to the network.
#[derive(Clone, Debug)]
pub struct NetworkRoute {
    /// Where the network listens.
    pub address: SocketAddr,
    /// How long the host waits for it.
    pub timeout: Duration,
    /// What it does then.
    pub then: OnTimeout,
}

impl Default for HostConfig {
    fn default() -> HostConfig {
        HostConfig {
            seed: 1,
            faults: FaultPlan::none(),
            check_mac: true,
            seal: true,
            books: true,
            account: Account::of("host"),
            network: None,
        }
    }
}

impl HostConfig {
    /// For load: no books, no account, no MAC.
    #[must_use]
    pub fn light() -> HostConfig {
        HostConfig { check_mac: false, seal: false, books: false, account: Account::off(), ..HostConfig::default() }
    }
}

/// A running host; it ends when it is dropped.
pub struct Host {
    peer: Peer<Desk>,
}

impl Host {
    /// Starts a host on this address (port 0: some free port).
    ///
    /// # Errors
    /// When the address cannot be listened on.
    pub async fn start(listen: SocketAddr, config: HostConfig) -> io::Result<Host> {
        let link = config.network.as_ref().map(|route| NetworkLink::start(route.address, config.account.clone()));
        let (account, faults) = (config.account.clone(), config.faults.clone());
        let desk = Desk { config, books: Mutex::default(), keys: Mutex::default(), link };
        Ok(Host { peer: Peer::start(listen, Arc::new(desk), account, faults).await? })
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

    /// A copy of its books.
    #[must_use]
    pub fn books(&self) -> Books {
        self.peer.work().books().clone()
    }

    /// Connections taken so far.
    #[must_use]
    pub fn connections(&self) -> u64 {
        self.peer.connections()
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

/// Where requests are worked on.
struct Desk {
    config: HostConfig,
    books: Mutex<Books>,
    keys: Mutex<FxHashMap<[u8; 8], MacKey>>,
    link: Option<NetworkLink>,
}

const ACQUIRER: &[u8] = b"48990001";

impl Answers for Desk {
    const WIRE: Wire = Wire::Pos;

    fn answer(self: &Arc<Desk>, request: &FrameView<'_>, line: &mut Line<'_>) {
        let plan = line.plan.clone();
        let mut random = dice(plan.seed, request);
        let fault = fault_for(&plan, request, &mut random, line.account, line.connection);
        if fault.is_some_and(|fault| fault.kind == FaultKind::Lost) {
            return;
        }
        if let Some(code) = self.refusal(request) {
            let reply = self.reply(request, code, None, fault);
            line.send(Wire::Pos, reply, fault, &mut random);
            return;
        }
        let asks_network = Kind::of(request).is_payment() && self.link.is_some();
        match fault {
            Some(fault) if fault.kind == FaultKind::NetworkTimeout => {
                self.clone().wait_in_vain(request, fault.clone(), line.detach(), random);
            }
            _ if asks_network => self.clone().ask_network(request, fault.cloned(), line.detach(), random),
            _ => {
                let outcome = match fault {
                    Some(fault) if fault.kind == FaultKind::Decline => fault.code(&mut random),
                    _ => *b"00",
                };
                let reply = self.work(request, outcome, fault);
                line.send(Wire::Pos, reply, fault, &mut random);
            }
        }
    }
}

impl Desk {
    fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn key(&self, tid: [u8; 8]) -> MacKey {
        let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        keys.entry(tid).or_insert_with(|| TerminalKeys::of(self.config.seed, &tid).mac_key()).clone()
    }

    /// A wrong MAC is A0. A reversal may come without one: a gateway has no keys of terminals.
    fn refusal(&self, request: &FrameView<'_>) -> Option<[u8; 2]> {
        if !self.config.check_mac || !(Kind::of(request).is_payment() || request.mti() == 0x0400) {
            return None;
        }
        let Some(mac) = request.raw(64) else {
            return (request.mti() != 0x0400).then_some(*b"A0");
        };
        let expected = self.key(request.array(41).unwrap_or_default()).mac(request.covered());
        (mac != expected).then_some(*b"A0")
    }

    /// The task of a request that the network decides.
    fn ask_network(
        self: Arc<Desk>,
        request: &FrameView<'_>,
        fault: Option<Fault>,
        line: DetachedLine,
        mut random: Random,
    ) {
        let Some((link, route)) = self.link.clone().zip(self.config.network.clone()) else { return };
        let question = link.question(request, self.books().reference());
        let frame = request.frame().to_vec();
        tokio::spawn(async move {
            let Ok(request) = FrameView::read(Wire::Pos, &frame) else { return };
            match link.ask(question, route.timeout).await {
                Some(outcome) => {
                    let reply = self.work(&request, outcome, fault.as_ref());
                    line.send(Wire::Pos, reply, fault.as_ref(), &mut random);
                }
                None => self.timed_out(&request, route.then, &line, &mut random),
            }
        });
    }

    /// The task of a request whose network does not answer.
    fn wait_in_vain(self: Arc<Desk>, request: &FrameView<'_>, fault: Fault, line: DetachedLine, mut random: Random) {
        let frame = request.frame().to_vec();
        tokio::spawn(async move {
            tokio::time::sleep(fault.delay()).await;
            if let Ok(request) = FrameView::read(Wire::Pos, &frame) {
                self.timed_out(&request, fault.then, &line, &mut random);
            }
        });
    }

    /// Books 98 and answers, closes or says nothing.
    fn timed_out(&self, request: &FrameView<'_>, then: OnTimeout, line: &DetachedLine, random: &mut Random) {
        line.account.frame(line.connection, Event::TimedOut, request, "network");
        let reply = self.work(request, *b"98", None);
        match then {
            OnTimeout::Close => line.close("network timeout"),
            OnTimeout::Silence => {}
            OnTimeout::Answer98 => line.send(Wire::Pos, reply, None, random),
            OnTimeout::Answer98ThenClose => {
                line.send(Wire::Pos, reply, None, random);
                line.close("network timeout");
            }
        }
    }

    /// Books a request with what the network said and gives the reply.
    fn work(&self, request: &FrameView<'_>, outcome: [u8; 2], fault: Option<&Fault>) -> Vec<u8> {
        let names = Names::read(request);
        let amount_minor = request.number(4).unwrap_or_default();
        let kind = Kind::of(request);
        if !self.config.books {
            return self.reply(request, outcome, Some(names.trace.into()), fault);
        }
        let day = now_us() / 86_400_000_000;
        let mut books = self.books();
        let (code, reference) = match kind {
            Kind::Sale | Kind::Refund => books.sale(names, amount_minor, outcome, day),
            Kind::Void => {
                let original = Names {
                    type_code: 22,
                    batch: narrow(request.part(61, 0, 6)),
                    trace: narrow(request.part(61, 6, 12)),
                    ..names
                };
                books.void(names, original, amount_minor, outcome, day)
            }
            Kind::Reversal => (books.reversal(&names, amount_minor, day), books.reference()),
            _ => (outcome, books.reference()),
        };
        let totals = (kind == Kind::Settlement).then(|| books.totals(names.tid, names.batch));
        drop(books);
        match totals {
            Some(totals) => self.settled(request, totals, reference),
            None => self.reply(request, code, Some(reference), fault),
        }
    }

    fn reply(&self, request: &FrameView<'_>, code: [u8; 2], reference: Option<u64>, fault: Option<&Fault>) -> Vec<u8> {
        let kind = Kind::of(request);
        let wrong_mac = fault.is_some_and(|fault| fault.kind == FaultKind::WrongMac);
        let moves_money = kind.is_payment() || kind == Kind::Reversal;
        let mut frame = answering(request).copy(2, request).copy(3, request).copy(4, request).copy(11, request);
        frame = stamped(frame, moves_money).copy(25, request).field(32, ACQUIRER);
        frame = frame.number(37, reference.unwrap_or_default());
        if kind.is_payment() && code == *b"00" {
            frame = frame.number(38, reference.unwrap_or_default() % 1_000_000);
        }
        frame = frame.field(39, &code).copy(41, request).copy(42, request);
        if kind.is_payment() {
            frame = frame.field(44, b"01999102   48990001   ");
        }
        frame = frame.copy(49, request).copy(60, request);
        if kind == Kind::SignIn {
            let keys = TerminalKeys::of(self.config.seed, request.raw(41).unwrap_or_default());
            frame = frame.field(62, &keys.key_block());
        }
        if kind.is_payment() {
            frame = frame.field(63, b"CUP");
        }
        match request.raw(64) {
            None => frame.finish(),
            Some(_) if wrong_mac => frame.sealed(|_| *b"00BADMAC"),
            Some(_) if self.config.seal => {
                let key = self.key(request.array(41).unwrap_or_default());
                frame.sealed(|covered| key.mac(covered))
            }
            Some(_) => frame.sealed(|_| *b"00000000"),
        }
    }

    /// The reply to a settlement: flag 1 when the totals agree, else 2 and the totals of the host.
    fn settled(&self, request: &FrameView<'_>, totals: Totals, reference: u64) -> Vec<u8> {
        let equal = Totals::read(request).is_some_and(|(asked, _)| asked == totals);
        stamped(answering(request).copy(11, request), true)
            .field(32, ACQUIRER)
            .number(37, reference)
            .field(39, b"00")
            .copy(41, request)
            .copy(42, request)
            .field(48, totals.field_48(if equal { b'1' } else { b'2' }).as_bytes())
            .copy(49, request)
            .copy(60, request)
            .finish()
    }
}

/// A reply with source and destination swapped.
fn answering(request: &FrameView<'_>) -> FrameWriter {
    let mut header = [0; 11];
    header.iter_mut().zip(request.header()).for_each(|(place, byte)| *place = *byte);
    header[1..5].rotate_left(2);
    FrameWriter::new(Wire::Pos, &header, request.mti() | 0x0010)
}

/// Time and date in China and, for payments, the settlement date.
fn stamped(frame: FrameWriter, settlement_date: bool) -> FrameWriter {
    let now = jiff::tz::Offset::constant(8).to_datetime(jiff::Timestamp::now());
    let part = |value: i8| u64::from(value.unsigned_abs());
    let date = part(now.month()) * 100 + part(now.day());
    let frame = frame.number(12, part(now.hour()) * 10_000 + part(now.minute()) * 100 + part(now.second()));
    let frame = frame.number(13, date);
    if settlement_date { frame.number(15, date) } else { frame }
}
