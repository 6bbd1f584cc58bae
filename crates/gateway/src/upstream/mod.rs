//! The side of the hosts: connections that are kept up, and the replies that come over them.

mod connection;
mod echo;
mod replies;

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use onus_intake::tap::LinkState;

use crate::exchange::Exchange;
use crate::framing::Framer;
use crate::outbox::{Outbox, Refused};
use crate::seen::Key;
use crate::stats::LinkStats;
use crate::worker::Worker;

pub(crate) use connection::keep_up;
pub use echo::EchoError;
pub(crate) use echo::encode as echo;

/// Requests that do not decode and wait for a reply that does not either, for each connection to a host.
const BLIND: usize = 1024;

/// The connections to one host.
pub(crate) struct HostLinks {
    pub(crate) name: String,
    pub(crate) links: Vec<Arc<Link>>,
}

/// A request that was passed on without being understood.
pub(crate) struct Blind {
    terminal: Arc<Outbox>,
    /// The reply's TPDU: the request's with source and destination exchanged.
    tpdu: Option<[u8; 5]>,
}

impl Blind {
    pub(crate) fn new(terminal: &Arc<Outbox>, frame: &[u8]) -> Blind {
        let tpdu = match frame {
            [id, to_high, to_low, from_high, from_low, ..] => Some([*id, *from_high, *from_low, *to_high, *to_low]),
            _ => None,
        };
        Blind { terminal: Arc::clone(terminal), tpdu }
    }
}

/// One connection to a host, through all the times that it is made anew.
pub(crate) struct Link {
    host: u16,
    number: u16,
    worker: usize,
    framer: Framer,
    state: AtomicU8,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    outbox: Option<Arc<Outbox>>,
    blind: VecDeque<Blind>,
    /// The echo that waits for its reply.
    echo: Option<Key>,
}

impl Link {
    pub(crate) fn new(host: u16, number: u16, worker: usize, framer: Framer) -> Link {
        let state = AtomicU8::new(LinkState::Down as u8);
        Link { host, number, worker, framer, state, inner: Mutex::default() }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn host(&self) -> u16 {
        self.host
    }

    pub(crate) fn number(&self) -> u16 {
        self.number
    }

    /// The thread that carries it.
    pub(crate) fn worker(&self) -> usize {
        self.worker
    }

    pub(crate) fn state(&self) -> LinkState {
        match self.state.load(Ordering::Acquire) {
            0 => LinkState::Up,
            1 => LinkState::Sick,
            _ => LinkState::Down,
        }
    }

    /// Sets the state; gives whether it is another than before.
    fn set_state(&self, state: LinkState) -> bool {
        self.state.swap(state as u8, Ordering::AcqRel) != state as u8
    }

    fn is_up(&self) -> bool {
        self.state() == LinkState::Up
    }

    fn outbox(&self) -> Result<Arc<Outbox>, Refused> {
        self.inner().outbox.clone().ok_or(Refused::Gone)
    }

    /// Queues a request.
    pub(crate) fn send(&self, frame: &[u8], exchange: &Arc<Exchange>) -> Result<(), Refused> {
        self.outbox()?.push(&self.framer, frame, Some(exchange))
    }

    /// Queues a request that was not understood.
    pub(crate) fn send_blind(&self, frame: &[u8], blind: Blind) -> Result<(), Refused> {
        let outbox = self.outbox()?;
        let mut inner = self.inner();
        if inner.blind.len() >= BLIND {
            return Err(Refused::Full);
        }
        outbox.push(&self.framer, frame, None)?;
        inner.blind.push_back(blind);
        Ok(())
    }

    /// Queues a message of the gateway's own.
    pub(crate) fn send_own(&self, frame: &[u8]) -> Result<(), Refused> {
        self.outbox()?.push(&self.framer, frame, None)
    }

    /// The terminal of the oldest blind request that a frame can be the reply to.
    fn take_blind(&self, frame: &[u8]) -> Option<Arc<Outbox>> {
        let mut inner = self.inner();
        let tpdu = frame.get(..5);
        let at = inner.blind.iter().position(|blind| blind.tpdu.as_ref().map(<[u8; 5]>::as_slice) == tpdu)?;
        inner.blind.remove(at).map(|blind| blind.terminal)
    }

    pub(crate) fn stats(&self, host: &str) -> LinkStats {
        LinkStats {
            host: host.to_owned(),
            link: self.number,
            state: self.state().to_string(),
            waiting_bytes: self.outbox().map_or(0, |outbox| outbox.bytes_waiting()),
        }
    }

    /// Ends the connection; it is not made anew when the gateway stops.
    pub(crate) fn end(&self, why: &'static str) {
        if let Ok(outbox) = self.outbox() {
            outbox.end(why, true);
        }
    }
}

/// The connection for the next request: in turn over the healthy ones of the first host that has any, those of this
/// thread before others.
pub(crate) fn choose(worker: &Worker) -> Option<&Link> {
    let turn = worker.turn();
    let hosts = &worker.shared.hosts;
    hosts.iter().find_map(|host| {
        let count = host.links.len().max(1);
        let in_turn = || (0..count).filter_map(|step| host.links.get((turn.wrapping_add(step)) % count));
        let usable = |own: bool| in_turn().find(move |link| link.is_up() && (link.worker() == worker.index) == own);
        usable(true).or_else(|| usable(false)).map(AsRef::as_ref)
    })
}
