//! Makes a connection to a host, keeps it up, and makes it anew when it is lost.

use std::rc::Rc;
use std::sync::Arc;
use std::task::Context;
use std::time::Duration;

use onus_intake::tap::{LinkState, Record, Side};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

use super::replies::Replies;
use super::{Link, echo};
use crate::config::Upstream;
use crate::exchange::{Exchange, Phase};
use crate::outbox::{Mark, Outbox, Reason};
use crate::pump::{Fault, Peer, Pump};
use crate::stats::count;
use crate::tls::ClientSide;
use crate::worker::Worker;

/// Pauses between attempts: each twice as long as the one before, shortened by up to a half by a seeded jitter.
pub(crate) struct Backoff {
    first_ms: u64,
    max_ms: u64,
    failures: u32,
    random: u64,
}

impl Backoff {
    pub(crate) fn new(config: &Upstream, salt: u64) -> Backoff {
        let random = (config.jitter_seed ^ salt.wrapping_mul(0x9E37_79B9_7F4A_7C15)) | 1;
        Backoff { first_ms: config.backoff_first_ms, max_ms: config.backoff_max_ms, failures: 0, random }
    }

    pub(crate) fn reset(&mut self) {
        self.failures = 0;
    }

    pub(crate) fn next(&mut self) -> Duration {
        let whole = self.first_ms.saturating_mul(1 << self.failures.min(20)).min(self.max_ms);
        self.failures = self.failures.saturating_add(1);
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        Duration::from_millis(whole - self.random % (whole / 2 + 1))
    }
}

/// Keeps one connection to a host up until the gateway stops.
pub(crate) async fn keep_up(worker: Rc<Worker>, link: Arc<Link>, address: String, tls: Option<Arc<ClientSide>>) {
    let config = &worker.shared.config.upstream;
    let salt = u64::from(link.host) << 16 | u64::from(link.number);
    let mut backoff = Backoff::new(config, salt);
    let mut stop = worker.shared.stop.subscribe();
    while !worker.is_stopping() {
        let timeout = Duration::from_millis(config.connect_timeout_ms);
        let attempt = tokio::time::timeout(timeout, TcpStream::connect(&address)).await;
        let why: Reason = match attempt {
            Err(_) => format!("connecting to {address} took too long").into(),
            Ok(Err(error)) => format!("connecting to {address}: {error}").into(),
            Ok(Ok(stream)) => {
                let started = worker.ticks();
                let why = connected(&worker, &link, stream, tls.as_deref()).await;
                // A host that takes connections and drops them at once is not asked again and again.
                if worker.ticks().saturating_sub(started) > 1_000_000 {
                    backoff.reset();
                }
                why
            }
        };
        say_state(&worker, &link, LinkState::Down, &why);
        if worker.is_stopping() {
            return;
        }
        let pause = backoff.next();
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            _ = stop.wait_for(|stopped| *stopped) => {}
        }
    }
}

pub(super) fn say_state(worker: &Worker, link: &Link, state: LinkState, why: &str) {
    if link.set_state(state) {
        let (host, number, at) = (link.host, link.number, worker.now().0);
        worker.record(&Record::Link { host, link: number, at, state, why });
        let name = worker.shared.hosts.get(usize::from(host)).map_or("", |host| &host.name);
        match state {
            LinkState::Up => tracing::info!("host {name}, connection {number}: up"),
            _ => tracing::warn!("host {name}, connection {number}: {state}: {why}"),
        }
    }
}

async fn connected(worker: &Rc<Worker>, link: &Arc<Link>, stream: TcpStream, tls: Option<&ClientSide>) -> Reason {
    if let Err(error) = stream.set_nodelay(true) {
        return format!("setting TCP_NODELAY: {error}").into();
    }
    match tls {
        None => carry(worker, link, stream).await,
        Some(tls) => {
            let timeout = Duration::from_millis(worker.shared.config.upstream.connect_timeout_ms);
            match tokio::time::timeout(timeout, tls.connect(stream)).await {
                Ok(Ok(stream)) => carry(worker, link, stream).await,
                Ok(Err(error)) => format!("TLS handshake: {error}").into(),
                Err(_) => "the TLS handshake took too long".into(),
            }
        }
    }
}

async fn carry<S: AsyncRead + AsyncWrite + Unpin>(worker: &Rc<Worker>, link: &Arc<Link>, stream: S) -> Reason {
    let outbox = Arc::new(Outbox::new(worker.shared.config.upstream.max_unsent_bytes, worker.ticks()));
    {
        let mut inner = link.inner();
        inner.outbox = Some(Arc::clone(&outbox));
        inner.blind.clear();
        inner.echo = None;
    }
    if worker.shared.config.upstream.health.is_none() {
        say_state(worker, link, LinkState::Up, "connected");
    }
    if worker.is_stopping() {
        outbox.end("the gateway stops", true);
    }
    let peer = HostSide { worker: Rc::clone(worker), link: Arc::clone(link), replies: Replies::new(link) };
    let framer = &worker.shared.upstream_framer;
    let scratch = &worker.scratch;
    let mut pump = Pump { stream, outbox: &outbox, framer, scratch, peer, busy: true };
    let ended = tokio::select! {
        ended = pump.run() => ended,
        never = echo::keep_testing(worker, link, &outbox) => match never {},
    };
    link.inner().outbox = None;
    let (side, connection, host, number) = (Side::Upstream, 0, link.host, link.number);
    let mut open = 0;
    worker.shared.exchanges.each(|exchange| {
        let waits = matches!(exchange.phase(), Phase::Open | Phase::Followed);
        open += u32::from(waits && (exchange.host, exchange.link) == (host, number));
    });
    let unsent = u32::try_from(ended.rest.bytes).unwrap_or(u32::MAX);
    let at = worker.now().0;
    worker.record(&Record::Closed { side, connection, host, link: number, at, open, unsent, why: &ended.why });
    say_state(worker, link, LinkState::Down, &ended.why);
    for (exchange, wire) in ended.rest.untouched {
        send_elsewhere(worker, &exchange, worker.shared.upstream_framer.without_prefix(&wire));
    }
    ended.why
}

/// Sends a request of which this connection wrote no byte over another one, or answers it.
fn send_elsewhere(worker: &Worker, exchange: &Arc<Exchange>, frame: &[u8]) {
    if matches!(exchange.phase(), Phase::Answered | Phase::Done) {
        return;
    }
    worker.hand_over();
    if super::choose(worker).is_some_and(|link| link.send(frame, exchange).is_ok()) {
        return;
    }
    worker.shared.pursuit.not_sent(worker, exchange);
    worker.leave(exchange, None);
    let Some(terminal) = exchange.terminal() else { return };
    count(&worker.counters.unavailable);
    let code = worker.shared.config.upstream.unavailable_code.bytes();
    worker.answer(exchange, terminal, code, "no-host", "the connection to the host was lost before a byte was sent");
}

/// What comes over one connection to a host.
struct HostSide {
    worker: Rc<Worker>,
    link: Arc<Link>,
    replies: Replies,
}

impl Peer for HostSide {
    fn frame(&mut self, frame: &[u8]) -> Result<(), Fault> {
        self.replies.take(&self.worker, &self.link, frame);
        Ok(())
    }

    fn burst_done(&mut self, _unfinished: bool) {
        // With before-reply, one write for the replies of one read; they are released after its sync.
        if self.worker.holds_replies() {
            self.worker.hand_over();
        }
    }

    fn before_write(&mut self) {
        self.worker.hand_over_urgent();
    }

    fn written(&mut self, mark: Mark) {
        mark.exchange.was_sent(self.worker.now());
    }

    fn may_read(&mut self, _: &mut Context<'_>) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    #[test]
    fn pauses_double_up_to_the_longest_and_are_shortened_by_at_most_a_half() {
        let config = Config::new(([127, 0, 0, 1], 0).into(), "127.0.0.1:1", "journal");
        let mut backoff = Backoff::new(&config.upstream, 3);
        for failures in 0..12 {
            let whole = (100_u64 << failures).min(30_000);
            let pause = u64::try_from(backoff.next().as_millis()).unwrap();
            assert!((whole / 2..=whole).contains(&pause), "{pause} after {failures} failures");
        }
        backoff.reset();
        assert!(backoff.next() <= Duration::from_millis(100));
        let mut same = Backoff::new(&config.upstream, 3);
        let mut again = Backoff::new(&config.upstream, 3);
        assert!((0..5).all(|_| same.next() == again.next()));
    }
}
