//! TLS on both sides, with certificates on both ends.
#![allow(clippy::expect_used, reason = "a test may")]

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::server::WebPkiClientVerifier;
use rustls::{ClientConfig, ClientConnection, RootCertStore, ServerConfig, ServerConnection, StreamOwned};
use tempfile::tempdir;

use crate::config::{ClientTls, ServerTls};
use crate::test_peers::*;

/// Writes an authority and two certificates of it into a folder: `ca.crt`, `one.crt`, `one.key`, `two.crt`, `two.key`.
fn certificates(folder: &Path) {
    let key = KeyPair::generate().expect("a key");
    let mut params = CertificateParams::new(Vec::<String>::new()).expect("parameters");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = params.self_signed(&key).expect("an authority");
    std::fs::write(folder.join("ca.crt"), authority.pem()).expect("written");
    let issuer = Issuer::new(params, key);
    for name in ["one", "two"] {
        let key = KeyPair::generate().expect("a key");
        let params = CertificateParams::new(vec![format!("{name}.example")]).expect("parameters");
        let certificate = params.signed_by(&key, &issuer).expect("a certificate");
        std::fs::write(folder.join(format!("{name}.crt")), certificate.pem()).expect("written");
        std::fs::write(folder.join(format!("{name}.key")), key.serialize_pem()).expect("written");
    }
}

fn roots(folder: &Path) -> Arc<RootCertStore> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(folder.join("ca.crt")).expect("a certificate")).expect("an authority");
    Arc::new(roots)
}

fn pair(folder: &Path, name: &str) -> (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>) {
    let certificate = CertificateDer::from_pem_file(folder.join(format!("{name}.crt"))).expect("a certificate");
    (vec![certificate], PrivateKeyDer::from_pem_file(folder.join(format!("{name}.key"))).expect("a key"))
}

fn provider() -> Arc<rustls::crypto::CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}

/// A terminal's TLS connection, with a certificate or without.
fn terminal(gateway: &crate::Gateway, folder: &Path, certificate: bool) -> StreamOwned<ClientConnection, TcpStream> {
    let builder = ClientConfig::builder_with_provider(provider()).with_safe_default_protocol_versions();
    let builder = builder.expect("versions").with_root_certificates(roots(folder));
    let config = if certificate {
        let (chain, key) = pair(folder, "two");
        builder.with_client_auth_cert(chain, key).expect("a client")
    } else {
        builder.with_no_client_auth()
    };
    let name = ServerName::try_from("one.example").expect("a name");
    let connection = ClientConnection::new(Arc::new(config), name).expect("a connection");
    let stream = TcpStream::connect(gateway.local_addr()).expect("a connection");
    stream.set_read_timeout(Some(PATIENCE)).expect("a time-out");
    StreamOwned::new(connection, stream)
}

fn exchange(stream: &mut (impl Read + Write), frame: &[u8]) -> std::io::Result<Vec<u8>> {
    let length = u16::try_from(frame.len()).expect("short");
    stream.write_all(&[&length.to_be_bytes(), frame].concat())?;
    stream.flush()?;
    let mut length = [0; 2];
    stream.read_exact(&mut length)?;
    let mut reply = vec![0; u16::from_be_bytes(length).into()];
    stream.read_exact(&mut reply)?;
    Ok(reply)
}

/// A host that takes one TLS connection with a certificate of its authority and approves everything.
fn host(folder: &Path) -> std::net::SocketAddr {
    let verifier = WebPkiClientVerifier::builder_with_provider(roots(folder), provider()).build().expect("a verifier");
    let builder = ServerConfig::builder_with_provider(provider()).with_safe_default_protocol_versions();
    let (chain, key) = pair(folder, "one");
    let config = builder.expect("versions").with_client_cert_verifier(verifier).with_single_cert(chain, key);
    let config = Arc::new(config.expect("a server"));
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let connection = ServerConnection::new(Arc::clone(&config)).expect("a connection");
            let mut stream = StreamOwned::new(connection, stream.expect("a stream"));
            std::thread::spawn(move || {
                let mut length = [0; 2];
                while stream.read_exact(&mut length).is_ok() {
                    let mut request = vec![0; u16::from_be_bytes(length).into()];
                    stream.read_exact(&mut request).expect("a frame");
                    let reply = answer(&request, "00");
                    let length = u16::try_from(reply.len()).expect("short");
                    stream.write_all(&[&length.to_be_bytes(), reply.as_slice()].concat()).expect("written");
                    stream.flush().expect("written");
                }
            });
        }
    });
    address
}

#[test]
fn both_sides_speak_tls_and_show_their_certificates() {
    let (folder, keys) = (tempdir().expect("a folder"), tempdir().expect("a folder"));
    let keys = keys.path();
    certificates(keys);
    let mut config = config(host(keys), folder.path());
    let file = |name: &str| keys.join(name);
    config.terminals.tls = Some(ServerTls {
        certificate: file("one.crt"),
        key: file("one.key"),
        client_ca: Some(file("ca.crt")),
        handshake_ms: 300,
    });
    config.upstream.hosts[0].tls = Some(ClientTls {
        ca: file("ca.crt"),
        server_name: "one.example".into(),
        certificate: Some(file("two.crt")),
        key: Some(file("two.key")),
    });
    let gateway = start(config);
    let mut good = terminal(&gateway, keys, true);
    for trace in 1..=20 {
        let request = payment("52300001", trace);
        assert_eq!(exchange(&mut good, &request).expect("a reply"), answer(&request, "00"));
    }
    assert!(exchange(&mut terminal(&gateway, keys, false), &payment("52300002", 1)).is_err());
    // One that speaks no TLS, and one that says nothing.
    let mut plain = Terminal::connect(&gateway);
    plain.send(&payment("52300003", 1));
    let _ = plain.read();
    let mut silent = Terminal::connect(&gateway);
    assert!(silent.read().is_none());
    until("the failed handshakes", || gateway.stats().counts.failed_handshakes == 3);
    assert_eq!(code(&exchange(&mut good, &payment("52300001", 21)).expect("a reply")), "00");
    assert_eq!(gateway.stats().counts.requests, 21);
}
