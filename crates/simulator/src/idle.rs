//! Many terminals that are connected and say nothing.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use serde::Serialize;
use tokio::io::AsyncReadExt as _;
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinSet;

/// Connections from one address before the next one is used, so that ports do not run out.
const PER_ADDRESS: u32 = 5000;

/// What became of idle connections.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct IdleReport {
    /// Connections made.
    pub connected: u32,
    /// Connections that could not be made.
    pub refused: u32,
    /// Connections that the other side closed meanwhile.
    pub closed: u32,
}

/// Idle connections that stand until this is dropped.
pub struct Idle {
    streams: Vec<TcpStream>,
    refused: u32,
}

impl Idle {
    /// Makes `count` connections, on loopback from several addresses.
    pub async fn connect(to: SocketAddr, count: u32) -> Idle {
        let mut idle = Idle { streams: Vec::new(), refused: 0 };
        let mut started = 0;
        let mut waiting = JoinSet::new();
        while started < count || !waiting.is_empty() {
            while started < count && waiting.len() < 64 {
                waiting.spawn(connect(to, started / PER_ADDRESS));
                started += 1;
            }
            match waiting.join_next().await {
                Some(Ok(Ok(stream))) => idle.streams.push(stream),
                Some(_) => idle.refused += 1,
                None => {}
            }
        }
        idle
    }

    /// How many stand or stood.
    #[must_use]
    pub fn connected(&self) -> usize {
        self.streams.len()
    }

    /// Keeps them for a time and tells how many the other side closed.
    pub async fn hold(mut self, time: Duration) -> IdleReport {
        tokio::time::sleep(time).await;
        let mut report = IdleReport { refused: self.refused, ..IdleReport::default() };
        for stream in &mut self.streams {
            report.connected += 1;
            let mut byte = [0];
            let gone = tokio::time::timeout(Duration::ZERO, stream.read(&mut byte)).await;
            report.closed += u32::from(matches!(gone, Ok(Ok(0) | Err(_))));
        }
        report
    }
}

async fn connect(to: SocketAddr, group: u32) -> std::io::Result<TcpStream> {
    let socket = if to.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    if to.ip().is_loopback() && to.is_ipv4() {
        let last = u8::try_from(2 + group % 200).unwrap_or(2);
        socket.bind(SocketAddr::new(IpAddr::V4(Ipv4Addr::new(127, 0, 0, last)), 0))?;
    }
    tokio::time::timeout(Duration::from_secs(10), socket.connect(to)).await?
}
