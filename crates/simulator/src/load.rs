//! The load generator: many connections, few threads, one `epoll` each.
//!
//! Closed loop: each connection has a fixed number of requests open and sends the next when a reply comes.
//! Open loop: requests start at a fixed rate whatever the replies do, and latency counts from the instant at which
//! a request was due, so that a stalled server cannot hide its stall.

use std::collections::VecDeque;
use std::io::{self, Read as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use mio::net::TcpStream;
use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Token};
use rustix::time::{Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec};
use serde::Serialize;

use crate::fleet::latencies;
use crate::frame::{FrameView, Wire};
use crate::message::{Desk, Identity, Purchase};
use crate::random::Random;

/// What load to make.
#[derive(Clone, Debug)]
pub struct LoadConfig {
    /// Where to connect.
    pub connect: SocketAddr,
    /// Connections, each a terminal of its own.
    pub connections: u32,
    /// Number of the first terminal.
    pub first: u32,
    /// Requests open at once on a connection.
    pub depth: usize,
    /// Threads.
    pub threads: u32,
    /// Measured time.
    pub duration: Duration,
    /// Time before it that is not measured.
    pub warm_up: Duration,
    /// Requests a second of all together; none: as many as go.
    pub rate: Option<f64>,
    /// Batch number, so that runs against one server do not repeat each other.
    pub batch: u32,
}

impl LoadConfig {
    /// Closed loop with one request open per connection.
    #[must_use]
    pub fn closed(connect: SocketAddr, connections: u32, duration: Duration) -> LoadConfig {
        LoadConfig {
            connect,
            connections,
            first: 0,
            depth: 1,
            threads: 1,
            duration,
            warm_up: Duration::from_millis(500),
            rate: None,
            batch: 1,
        }
    }
}

/// What the load met.
#[derive(Clone, Debug, Default, Serialize)]
pub struct LoadReport {
    /// Measured seconds.
    pub seconds: f64,
    /// Replies in that time.
    pub round_trips: u64,
    /// Replies with those of the warm-up.
    pub all_round_trips: u64,
    /// Replies a second.
    pub per_second: f64,
    /// Latency in microseconds.
    pub p50_us: u64,
    /// Latency in microseconds.
    pub p99_us: u64,
    /// Latency in microseconds.
    pub p999_us: u64,
    /// Latency in microseconds.
    pub max_us: u64,
    /// Replies whose code is not 00.
    pub not_approved: u64,
    /// Requests without reply for ten seconds, or open when their connection was closed.
    pub lost: u64,
    /// Replies that fit no open request.
    pub unmatched: u64,
    /// Connections that the server closed.
    pub closed: u64,
    /// CPU seconds of this process meanwhile.
    pub cpu_seconds: f64,
}

/// How long a closed-loop request may stay open.
const LOST_AFTER: Duration = Duration::from_secs(10);

/// Runs the load to its end.
///
/// # Errors
/// When connections cannot be made or the operating system refuses an event queue.
pub fn run(config: &LoadConfig) -> io::Result<LoadReport> {
    let threads = config.threads.max(1).min(config.connections.max(1));
    let start = Instant::now() + config.warm_up;
    let cpu = cpu_seconds();
    let parts: Vec<io::Result<Part>> = std::thread::scope(|scope| {
        let work = |thread| move || Runner::connect(config, thread, threads, start)?.run();
        let handles: Vec<_> = (0..threads).map(|thread| scope.spawn(work(thread))).collect();
        handles
            .into_iter()
            .map(|handle| handle.join().unwrap_or_else(|_| Err(io::Error::other("a load thread panicked"))))
            .collect()
    });
    let mut report = LoadReport { seconds: config.duration.as_secs_f64(), ..LoadReport::default() };
    let mut latency = latencies();
    for part in parts {
        let part = part?;
        // Histograms of the same bounds.
        let _ = latency.add(&part.latency);
        report.round_trips += part.report.round_trips;
        report.all_round_trips += part.report.all_round_trips;
        report.not_approved += part.report.not_approved;
        report.lost += part.report.lost;
        report.unmatched += part.report.unmatched;
        report.closed += part.report.closed;
    }
    report.per_second = report.round_trips as f64 / report.seconds;
    report.p50_us = latency.value_at_quantile(0.5);
    report.p99_us = latency.value_at_quantile(0.99);
    report.p999_us = latency.value_at_quantile(0.999);
    report.max_us = latency.max();
    report.cpu_seconds = cpu_seconds() - cpu;
    Ok(report)
}

/// User and system time of this process; `/proc` counts in hundredths.
#[must_use]
pub fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let ticks: u32 = after_name.split_whitespace().skip(11).take(2).filter_map(|field| field.parse::<u32>().ok()).sum();
    f64::from(ticks) / 100.0
}

/// One thread's share.
struct Part {
    latency: Histogram<u64>,
    report: LoadReport,
}

/// A request that waits for its reply.
#[derive(Clone, Copy)]
struct Open {
    trace: u32,
    since: Instant,
}

struct Connection {
    stream: TcpStream,
    /// A whole sale with its prefix; only the trace number changes.
    template: Vec<u8>,
    trace_at: usize,
    trace: u32,
    open: VecDeque<Open>,
    inbox: Vec<u8>,
    out: Vec<u8>,
    alive: bool,
}

impl Connection {
    fn connect(config: &LoadConfig, number: u32) -> io::Result<Connection> {
        // Loopback addresses in turn, so that ports do not run out.
        let source = config.connect.ip().is_loopback().then(|| {
            let last = u8::try_from(2 + number / 5000 % 200).unwrap_or(2);
            SocketAddr::new(IpAddr::V4(Ipv4Addr::new(127, 0, 0, last)), 0)
        });
        let stream = connect_from(source.filter(SocketAddr::is_ipv4), config.connect)?;
        let identity = Identity::of(config.first + number);
        let mut random = Random::of(u64::from(config.batch), &[&identity.tid]);
        let purchase = Purchase { contactless: true, pin: false, ..Purchase::random(&mut random, u64::MAX) };
        let desk = Desk { identity: &identity, mac: None, batch: config.batch, trace: 0, seed: 1 };
        let frame = desk.sale(&purchase, &mut random);
        let trace_at = FrameView::read(Wire::Pos, &frame)
            .ok()
            .and_then(|view| view.offset(11))
            .ok_or_else(|| io::Error::other("a sale without trace number"))?;
        let mut template = Vec::new();
        Wire::Pos.append(&frame, &mut template);
        Ok(Connection {
            stream,
            trace_at: trace_at + 2,
            template,
            trace: 0,
            open: VecDeque::new(),
            inbox: Vec::with_capacity(4096),
            out: Vec::with_capacity(4096),
            alive: true,
        })
    }

    /// Puts a request into the outbox.
    fn ask(&mut self, since: Instant) {
        self.trace = self.trace % 999_999 + 1;
        let mut left = self.trace;
        if let Some(place) = self.template.get_mut(self.trace_at..self.trace_at + 3) {
            for byte in place.iter_mut().rev() {
                // Two digits a byte.
                *byte = ((left % 10) | ((left / 10 % 10) << 4)).to_le_bytes()[0];
                left /= 100;
            }
        }
        self.out.extend_from_slice(&self.template);
        self.open.push_back(Open { trace: self.trace, since });
    }

    /// Writes what the socket takes.
    fn flush(&mut self) {
        while !self.out.is_empty() && self.alive {
            match self.stream.write(&self.out) {
                Ok(0) => self.alive = false,
                Ok(written) => drop(self.out.drain(..written)),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => self.alive = false,
            }
        }
    }

    /// Reads what is there.
    fn fill(&mut self, buffer: &mut [u8]) {
        loop {
            match self.stream.read(buffer) {
                Ok(0) => self.alive = false,
                Ok(read) => {
                    self.inbox.extend_from_slice(&buffer[..read]);
                    if read == buffer.len() {
                        continue;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(_) => self.alive = false,
            }
            return;
        }
    }
}

fn connect_from(source: Option<SocketAddr>, to: SocketAddr) -> io::Result<TcpStream> {
    let socket = match source {
        None => std::net::TcpStream::connect(to)?,
        Some(source) => {
            // Only tokio's socket binds before it connects without unsafe code.
            let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
            runtime.block_on(async {
                let socket = tokio::net::TcpSocket::new_v4()?;
                socket.bind(source)?;
                socket.connect(to).await?.into_std()
            })?
        }
    };
    socket.set_nonblocking(true)?;
    socket.set_nodelay(true)?;
    Ok(TcpStream::from_std(socket))
}

/// Requests that would start closer together than this start together: each wake-up of a virtual machine is dear.
const CLOSEST: Duration = Duration::from_micros(100);
const TIMER: Token = Token(usize::MAX);

/// One thread: its connections and its clock.
struct Runner {
    poll: Poll,
    connections: Vec<Connection>,
    depth: usize,
    /// Open loop: so many requests start together, and the time until the next do.
    pace: Option<(u32, Duration)>,
    timer: OwnedFd,
    due: Instant,
    /// What the timer is set to: setting it is dear on virtual machines.
    armed: Option<Instant>,
    /// Requests that were due while all connections were busy.
    waiting: VecDeque<Instant>,
    turn: usize,
    start: Instant,
    end: Instant,
    latency: Histogram<u64>,
    report: LoadReport,
}

impl Runner {
    fn connect(config: &LoadConfig, thread: u32, threads: u32, start: Instant) -> io::Result<Runner> {
        let poll = Poll::new()?;
        let mut connections = Vec::new();
        for number in (thread..config.connections).step_by(threads as usize) {
            let mut connection = Connection::connect(config, number)?;
            let token = Token(connections.len());
            poll.registry().register(&mut connection.stream, token, Interest::READABLE | Interest::WRITABLE)?;
            connections.push(connection);
        }
        let timer = rustix::time::timerfd_create(TimerfdClockId::Monotonic, TimerfdFlags::NONBLOCK)?;
        poll.registry().register(&mut SourceFd(&timer.as_raw_fd()), TIMER, Interest::READABLE)?;
        let pace = config.rate.map(|rate| {
            let every = f64::from(threads) / rate.max(0.01);
            let together =
                (1_u32..).find(|together| f64::from(*together) * every >= CLOSEST.as_secs_f64()).unwrap_or(1);
            (together, Duration::from_secs_f64(f64::from(together) * every))
        });
        let now = Instant::now();
        let start = start.max(now);
        Ok(Runner {
            poll,
            connections,
            depth: config.depth.max(1),
            pace,
            timer,
            due: now,
            armed: None,
            waiting: VecDeque::new(),
            turn: 0,
            start,
            end: start + config.duration,
            latency: latencies(),
            report: LoadReport::default(),
        })
    }

    fn run(mut self) -> io::Result<Part> {
        let mut events = Events::with_capacity(1024);
        let mut buffer = vec![0; 64 * 1024];
        if self.pace.is_none() {
            let now = Instant::now();
            for connection in &mut self.connections {
                (0..self.depth).for_each(|_| connection.ask(now));
                connection.flush();
            }
        }
        let mut sweep = Instant::now() + LOST_AFTER;
        loop {
            let now = Instant::now();
            if now >= self.end {
                break;
            }
            if now >= sweep {
                self.give_up_lost(now);
                sweep = now + LOST_AFTER;
            }
            self.start_due(now)?;
            match self.poll.poll(&mut events, Some((self.end - now).min(Duration::from_millis(100)))) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                other => other?,
            }
            for event in &events {
                if event.token() == TIMER {
                    let mut expirations = [0; 8];
                    let _ = rustix::io::read(&self.timer, &mut expirations);
                } else {
                    self.serve(event.token().0, &mut buffer);
                }
            }
        }
        Ok(Part { latency: self.latency, report: self.report })
    }

    /// Open loop: sends what is due and sets the clock to the next.
    fn start_due(&mut self, now: Instant) -> io::Result<()> {
        let Some((together, every)) = self.pace else { return Ok(()) };
        while self.due <= now {
            (0..together).for_each(|_| self.waiting.push_back(self.due));
            self.due += every;
        }
        self.start_waiting();
        if self.armed.replace(self.due) == Some(self.due) {
            return Ok(());
        }
        let left = self.due.saturating_duration_since(Instant::now()).max(Duration::from_nanos(1));
        let spec = Itimerspec {
            it_interval: Timespec { tv_sec: 0, tv_nsec: 0 },
            it_value: Timespec {
                tv_sec: i64::try_from(left.as_secs()).unwrap_or(i64::MAX),
                tv_nsec: left.subsec_nanos().into(),
            },
        };
        rustix::time::timerfd_settime(&self.timer, TimerfdTimerFlags::empty(), &spec)?;
        Ok(())
    }

    /// Gives waiting requests to connections in turn.
    fn start_waiting(&mut self) {
        let count = self.connections.len();
        for _ in 0..count {
            let Some(since) = self.waiting.front().copied() else { return };
            self.turn = (self.turn + 1) % count;
            let (turn, depth) = (self.turn, self.depth);
            let Some(connection) = self.connections.get_mut(turn) else { return };
            if connection.alive && connection.open.len() < depth {
                self.waiting.pop_front();
                connection.ask(since);
                connection.flush();
            }
        }
    }

    fn serve(&mut self, index: usize, buffer: &mut [u8]) {
        let Some(connection) = self.connections.get_mut(index).filter(|connection| connection.alive) else { return };
        connection.fill(buffer);
        let now = Instant::now();
        let measured = now >= self.start;
        let mut taken = 0;
        while let Ok(Some((frame, len))) = Wire::Pos.split(connection.inbox.get(taken..).unwrap_or_default()) {
            taken += len;
            let Ok(view) = FrameView::read(Wire::Pos, frame) else {
                self.report.unmatched += 1;
                continue;
            };
            let trace = view.number(11);
            let Some(at) = connection.open.iter().position(|open| Some(u64::from(open.trace)) == trace) else {
                self.report.unmatched += 1;
                continue;
            };
            let Some(open) = connection.open.remove(at) else { continue };
            self.report.all_round_trips += 1;
            if measured {
                self.report.round_trips += 1;
                self.report.not_approved += u64::from(view.raw(39) != Some(b"00"));
                let us = now.saturating_duration_since(open.since).as_micros();
                self.latency.saturating_record(u64::try_from(us).unwrap_or(u64::MAX));
            }
            if self.pace.is_none() {
                connection.ask(now);
            }
        }
        connection.inbox.drain(..taken);
        connection.flush();
        if !connection.alive {
            self.report.closed += 1;
            self.report.lost += connection.open.len() as u64;
            connection.open.clear();
        }
        if self.pace.is_some() && !self.waiting.is_empty() {
            self.start_waiting();
        }
    }

    /// Requests that were never answered make room for others.
    fn give_up_lost(&mut self, now: Instant) {
        for connection in self.connections.iter_mut().filter(|connection| connection.alive) {
            let before = connection.open.len();
            connection.open.retain(|open| now.saturating_duration_since(open.since) < LOST_AFTER);
            let lost = before - connection.open.len();
            self.report.lost += lost as u64;
            if self.pace.is_none() {
                (0..lost).for_each(|_| connection.ask(now));
                connection.flush();
            }
        }
    }
}
