//! What a hostile network sends costs a bounded amount of memory and harms nobody else.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, reason = "a test may")]

mod setup;

use std::io::{Read as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, Shutdown, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use onus_gateway::Config;
use onus_gateway::config::ServerTls;
use onus_intake::tap::{Record, Side};
use onus_simulator::frame::Wire;
use onus_simulator::idle::Idle;
use onus_simulator::message::{Desk, Identity};
use onus_simulator::random::Random;
use onus_simulator::terminal::{Outcome, Terminal, TerminalConfig};
use setup::{PATIENCE, Stage, eventually};
use tokio::net::TcpSocket;

/// Short deadlines.
fn strict(config: &mut Config) {
    config.terminals.frame_deadline_ms = 300;
    config.terminals.idle_timeout_s = 2;
    config.terminals.connects_per_s = 0;
}

/// Memory that this process has now, in KiB.
fn resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("proc");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("VmRSS");
    line.split_whitespace().next().expect("a number").parse().expect("a number")
}

fn connect(to: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(to).expect("a connection");
    stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    stream
}

/// Waits until the other side closes; fails when it does not.
async fn is_closed(mut stream: TcpStream) {
    let closed = tokio::task::spawn_blocking(move || {
        let mut rest = Vec::new();
        // A reset is a close too; a timeout is not.
        match stream.read_to_end(&mut rest) {
            Ok(_) => true,
            Err(error) => error.kind() != std::io::ErrorKind::WouldBlock,
        }
    });
    assert!(closed.await.expect("a reader"), "the gateway keeps the connection open");
}

/// A terminal pays and is served at once.
async fn others_are_unaffected(stage: &Stage, number: u32) {
    let mut terminal = stage.terminal(number);
    for _ in 0..3 {
        let purchase = terminal.some_purchase();
        let ended = terminal.sale(purchase).await;
        assert_eq!(ended.outcome, Outcome::Approved);
        assert!(ended.took < Duration::from_secs(3), "{:?}", ended.took);
    }
}

/// A sale as it stands on the wire.
fn sale(number: u32, trace: u32) -> Vec<u8> {
    let identity = Identity::of(number);
    let mut random = Random::new(u64::from(trace));
    let purchase = onus_simulator::message::Purchase::random(&mut random, 100_000);
    let frame = Desk { identity: &identity, mac: None, batch: 1, trace, seed: 1 }.sale(&purchase, &mut random);
    let mut bytes = Vec::new();
    Wire::Pos.append(&frame, &mut bytes);
    bytes
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slow_bytes_end_the_connection() {
    let stage = Stage::with(Vec::new(), strict).await;
    let frame = sale(50, 1);
    let mut slow = connect(stage.address());
    let writer = tokio::task::spawn_blocking(move || {
        // One byte at a time, for longer than a frame may take; the gateway may close at any of them.
        let started = Instant::now();
        for byte in frame {
            if slow.write_all(&[byte]).is_err() {
                break;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        (slow, started.elapsed())
    });
    others_are_unaffected(&stage, 1).await;
    let (slow, _) = writer.await.expect("a writer");
    is_closed(slow).await;
    eventually("counted", || (stage.gateway.stats().counts.slow_frames == 1).then_some(())).await;
    assert_eq!(stage.host.books().all().count(), 3, "the slow payment never reached the host");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn huge_lengths_and_garbage_end_the_connection() {
    let stage = Stage::with(Vec::new(), strict).await;
    let mut noise = vec![0xFF, 0xFF];
    noise.extend((0..4000_u32).flat_map(u32::to_be_bytes));
    let client_hello = b"\x16\x03\x01\x02\x00\x01\x00\x01\xFC\x03\x03".repeat(60);
    let http = b"GET / HTTP/1.1\r\nHost: pos\r\n\r\n".repeat(40);
    for bytes in [noise, client_hello, http] {
        let mut stream = connect(stage.address());
        // The gateway may close before all is written.
        let _ = stream.write_all(&bytes);
        is_closed(stream).await;
    }
    others_are_unaffected(&stage, 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_frame_that_does_not_decode_is_refused_and_recorded() {
    let stage = Stage::with(Vec::new(), strict).await;
    let mut stream = connect(stage.address());
    let mut framed = Vec::new();
    Wire::Pos.append(&[0x60; 100], &mut framed);
    stream.write_all(&framed).expect("written");
    is_closed(stream).await;
    let undecodable = |record: &Record<'_>| matches!(record, Record::Undecodable { side: Side::Terminal, .. });
    stage.journal("an undecodable frame", |tap| tap.has(undecodable)).await;
    assert!(stage.host.account().entries().iter().all(|line| line.mti == 0), "the host saw nothing");
    others_are_unaffected(&stage, 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn silent_and_half_closed_connections_end() {
    let stage = Stage::with(Vec::new(), strict).await;
    let idle = Idle::connect(stage.address(), 200).await;
    let half: Vec<TcpStream> = (0..50).map(|_| connect(stage.address())).collect();
    for stream in &half {
        stream.shutdown(Shutdown::Write).expect("half a close");
    }
    others_are_unaffected(&stage, 1).await;
    for stream in half {
        is_closed(stream).await;
    }
    eventually("idle ends", || (stage.gateway.stats().counts.idle_ends >= 200).then_some(())).await;
    assert_eq!(idle.hold(Duration::from_millis(100)).await.closed, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_half_closed_terminal_still_gets_its_reply_or_a_reversal() {
    let stage = Stage::new(Vec::new()).await;
    let mut stream = connect(stage.address());
    let frame = sale(60, 1);
    stream.write_all(&frame).expect("written");
    stream.shutdown(Shutdown::Write).expect("half a close");
    is_closed(stream).await;
    // Without MAC the host answers A0: nothing is approved that nobody knows of.
    setup::at_rest(stage.folder.path()).await;
}

/// Opens and drops connections from one address as fast as wanted; gives how many were made.
async fn storm(to: SocketAddr, from: Ipv4Addr, per_second: u32, time: Duration) -> u32 {
    let mut made = 0;
    let mut pace = tokio::time::interval(Duration::from_secs(1) / per_second);
    let until = Instant::now() + time;
    while Instant::now() < until {
        pace.tick().await;
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.bind(SocketAddr::new(IpAddr::V4(from), 0)).expect("an address");
        made += u32::from(socket.connect(to).await.is_ok());
    }
    made
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_storm_of_connections_from_one_address_is_cut() {
    let stage = Stage::with(Vec::new(), |config| config.terminals.connects_per_s = 100).await;
    let address = stage.address();
    let before = resident_kib();
    let attack = tokio::spawn(storm(address, Ipv4Addr::new(127, 0, 0, 66), 1000, Duration::from_secs(3)));
    for number in 1..=10 {
        others_are_unaffected(&stage, number).await;
    }
    let made = attack.await.expect("a storm");
    assert!(made > 800, "{made}");
    let counts = stage.gateway.stats().counts;
    assert!(counts.refused_rate + 500 > u64::from(made), "{counts:?}");
    assert!(resident_kib() < before + 32 * 1024, "memory grew from {before} to {} KiB", resident_kib());
    eventually("all gone", || (stage.gateway.stats().open_connections <= 10).then_some(())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn too_many_connections_are_turned_away_and_those_inside_stay() {
    let stage = Stage::with(Vec::new(), |config| {
        config.terminals.max_connections = 50;
        config.terminals.connects_per_s = 0;
    })
    .await;
    let mut inside = stage.terminal(1);
    assert_eq!(inside.echo().await, Outcome::Approved);
    let crowd = Idle::connect(stage.address(), 100).await;
    eventually("turned away", || (stage.gateway.stats().counts.refused_full >= 51).then_some(())).await;
    let purchase = inside.some_purchase();
    assert_eq!(inside.sale(purchase).await.outcome, Outcome::Approved);
    drop(crowd);
    eventually("room again", || (stage.gateway.stats().open_connections <= 1).then_some(())).await;
    others_are_unaffected(&stage, 2).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn unfinished_frames_of_many_cost_little_memory() {
    let stage = Stage::with(Vec::new(), |config| {
        config.terminals.connects_per_s = 0;
        config.terminals.frame_deadline_ms = 60_000;
    })
    .await;
    others_are_unaffected(&stage, 1).await;
    let before = resident_kib();
    let mut streams = Vec::new();
    for _ in 0..500 {
        let mut stream = connect(stage.address());
        // Announces 4,000 bytes and sends all but one.
        stream.write_all(&4000_u16.to_be_bytes()).expect("written");
        stream.write_all(&[0x60; 3999]).expect("written");
        streams.push(stream);
    }
    others_are_unaffected(&stage, 2).await;
    let grown = resident_kib().saturating_sub(before);
    // Four KiB each are there for good reason; sixteen times that are not.
    assert!(grown < 500 * 64, "{grown} KiB for 500 unfinished frames");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_terminal_that_reads_nothing_is_cut() {
    let stage = Stage::with(Vec::new(), |config| config.terminals.max_unsent_bytes = 16_384).await;
    let before = resident_kib();
    let address = stage.address();
    let greedy = tokio::task::spawn_blocking(move || {
        let mut stream = connect(address);
        stream.set_write_timeout(Some(Duration::from_secs(5))).expect("a timeout");
        let mut sent = 0;
        for trace in 1..200_000 {
            if stream.write_all(&sale(70, trace)).is_err() {
                break;
            }
            sent += 1;
        }
        sent
    });
    others_are_unaffected(&stage, 1).await;
    let sent: u32 = greedy.await.expect("a writer");
    // Buffers of the kernel take some; then the gateway stops reading or closes.
    assert!(sent < 199_999, "the gateway took everything");
    others_are_unaffected(&stage, 2).await;
    let grown = resident_kib().saturating_sub(before);
    // The host's account in this process grows too.
    assert!(grown < 256 * 1024, "{grown} KiB");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn garbage_and_silence_instead_of_a_tls_handshake_end_the_connection() {
    let certificates = tempfile::tempdir().expect("a folder");
    let pair = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).expect("a certificate");
    let (certificate, key) = (certificates.path().join("chain.pem"), certificates.path().join("key.pem"));
    std::fs::write(&certificate, pair.cert.pem()).expect("written");
    std::fs::write(&key, pair.signing_key.serialize_pem()).expect("written");
    let stage = Stage::with(Vec::new(), |config| {
        strict(config);
        config.terminals.tls = Some(ServerTls { certificate, key, client_ca: None, handshake_ms: 400 });
    })
    .await;
    let mut garbage = connect(stage.address());
    garbage.write_all(&[0xAA; 600]).expect("written");
    is_closed(garbage).await;
    // A plain sale is no handshake either.
    let mut plain = connect(stage.address());
    plain.write_all(&sale(80, 1)).expect("written");
    is_closed(plain).await;
    is_closed(connect(stage.address())).await;
    let mut hello = connect(stage.address());
    hello.write_all(b"\x16\x03\x01\x02\x00\x01").expect("written");
    is_closed(hello).await;
    eventually("counted", || (stage.gateway.stats().counts.failed_handshakes >= 4).then_some(())).await;
    let plain = TerminalConfig { timeout: Duration::from_secs(2), ..TerminalConfig::of(1, stage.address()) };
    assert_eq!(Terminal::new(plain, &stage.terminals).echo().await, Outcome::Closed);
    assert_eq!(stage.host.books().all().count(), 0);
}
