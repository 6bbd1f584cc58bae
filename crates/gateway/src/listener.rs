//! Takes the connections of terminals, as many as may be, and gives them to the threads in turn.

use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use rustc_hash::FxHashMap;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};

use crate::stats::count;
use crate::terminal_side;
use crate::tls::ServerSide;
use crate::worker::{Shared, Worker};

/// Addresses that are told apart in one second; a flood from more of them shares one count.
const ADDRESSES: usize = 10_000;

/// A connection on its way to the thread that carries it.
pub(crate) struct Arrived {
    stream: std::net::TcpStream,
    peer: SocketAddr,
    _place: Place,
}

/// A place among the connections; given back when dropped.
pub(crate) struct Place {
    shared: Arc<Shared>,
}

impl Place {
    fn take(shared: &Arc<Shared>) -> Option<Place> {
        let taken = shared.connections.fetch_add(1, Ordering::AcqRel);
        let place = Place { shared: Arc::clone(shared) };
        (taken < shared.config.terminals.max_connections).then_some(place)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.shared.connections.fetch_sub(1, Ordering::AcqRel);
    }
}

/// How many connections each address made in the current second.
pub(crate) struct RateLimit {
    per_second: u32,
    second: u64,
    counts: FxHashMap<IpAddr, u32>,
    others: u32,
}

impl RateLimit {
    pub(crate) fn new(per_second: u32) -> RateLimit {
        RateLimit { per_second, second: 0, counts: FxHashMap::default(), others: 0 }
    }

    /// Whether one more connection from this address may come at this time in microseconds.
    pub(crate) fn admits(&mut self, address: IpAddr, ticks: u64) -> bool {
        if self.per_second == 0 {
            return true;
        }
        let second = ticks / 1_000_000;
        if second != self.second {
            self.second = second;
            self.counts.clear();
            self.others = 0;
        }
        let known = self.counts.len() < ADDRESSES || self.counts.contains_key(&address);
        let made = if known { self.counts.entry(address).or_default() } else { &mut self.others };
        *made = made.saturating_add(1);
        *made <= self.per_second
    }
}

/// Takes connections until the gateway stops.
pub(crate) async fn listen(worker: Rc<Worker>, listener: TcpListener, threads: Vec<UnboundedSender<Arrived>>) {
    let shared = &worker.shared;
    let mut limit = RateLimit::new(shared.config.terminals.connects_per_s);
    let mut next = (0..threads.len()).cycle();
    let mut stop = shared.stop.subscribe();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stop.wait_for(|stopped| *stopped) => return,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // No descriptors left, as a rule: the connections that are there must go on.
                tracing::warn!("accepting a connection: {error}");
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        if !limit.admits(peer.ip(), worker.ticks()) {
            count(&worker.counters.refused_rate);
            continue;
        }
        let Some(place) = Place::take(shared) else {
            count(&worker.counters.refused_full);
            continue;
        };
        count(&worker.counters.connections);
        let Ok(stream) = stream.into_std() else { continue };
        let thread = next.next().and_then(|thread| threads.get(thread));
        if let Some(thread) = thread {
            // A thread that is gone is stopping; the connection is closed by dropping it.
            let _ = thread.send(Arrived { stream, peer, _place: place });
        }
    }
}

/// Carries the connections that one thread is given.
pub(crate) async fn receive(worker: Rc<Worker>, mut arrived: UnboundedReceiver<Arrived>, tls: Option<ServerSide>) {
    while let Some(arrived) = arrived.recv().await {
        tokio::task::spawn_local(start(Rc::clone(&worker), arrived, tls.clone()));
    }
}

async fn start(worker: Rc<Worker>, arrived: Arrived, tls: Option<ServerSide>) {
    let Arrived { stream, peer, _place } = arrived;
    let Ok(stream) = TcpStream::from_std(stream) else { return };
    if stream.set_nodelay(true).is_err() {
        return;
    }
    let peer = peer.to_string();
    let Some(tls) = tls else {
        return terminal_side::carry(worker, stream, peer, false).await;
    };
    let handshake_ms = worker.shared.config.terminals.tls.as_ref().map_or(0, |tls| tls.handshake_ms);
    // Boxed: the state of a handshake is large, and an idle connection must not keep room for it.
    let handshake = Box::pin(tokio::time::timeout(Duration::from_millis(handshake_ms), tls.accept(stream)));
    match handshake.await {
        Ok(Ok(stream)) => terminal_side::carry(worker, stream, peer, true).await,
        Ok(Err(error)) => {
            count(&worker.counters.failed_handshakes);
            tracing::debug!("TLS handshake with {peer}: {error}");
        }
        Err(_) => {
            count(&worker.counters.failed_handshakes);
            tracing::debug!("TLS handshake with {peer}: too slow");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_address_has_its_own_count_each_second() {
        let mut limit = RateLimit::new(2);
        let (one, two) = (IpAddr::from([10, 0, 0, 1]), IpAddr::from([10, 0, 0, 2]));
        let admitted: Vec<bool> = [one, one, one, two].map(|address| limit.admits(address, 5_100_000)).into();
        assert_eq!(admitted, [true, true, false, true]);
        assert!(limit.admits(one, 6_000_000));
        assert!((0..100).all(|_| RateLimit::new(0).admits(one, 1)));
    }

    #[test]
    fn a_flood_from_many_addresses_is_bounded() {
        let mut limit = RateLimit::new(3);
        let admitted = (0..50_000_u32).filter(|number| limit.admits(IpAddr::from(number.to_be_bytes()), 1)).count();
        assert_eq!(admitted, ADDRESSES + 3);
        assert_eq!(limit.counts.len(), ADDRESSES);
    }
}
