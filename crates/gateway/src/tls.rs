//! TLS on both sides: rustls with aws-lc-rs.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::server::WebPkiClientVerifier;
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use tokio::net::TcpStream;
use tokio_rustls::{TlsAcceptor, TlsConnector, client, server};

use crate::config::{ClientTls, ServerTls};

/// TLS cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be used.
    #[error("TLS, {}: {what}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// Certificate, key and authorities do not go together.
    #[error("TLS: {0}")]
    Setting(String),
}

fn setting(error: impl std::fmt::Display) -> TlsError {
    TlsError::Setting(error.to_string())
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let wrong = |what: String| TlsError::File { path: path.into(), what };
    let read = CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let found = read.map_err(|error| wrong(format!("{error}; expected certificates in PEM")))?;
    if found.is_empty() { Err(wrong("expected certificates in PEM, found none".into())) } else { Ok(found) }
}

fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>, TlsError> {
    let wrong = |error| TlsError::File { path: path.into(), what: format!("{error}; expected a private key in PEM") };
    PrivateKeyDer::from_pem_file(path).map_err(wrong)
}

fn roots(path: &Path) -> Result<Arc<RootCertStore>, TlsError> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(path)? {
        roots.add(certificate).map_err(setting)?;
    }
    Ok(Arc::new(roots))
}

/// The side that terminals connect to.
#[derive(Clone)]
pub(crate) struct ServerSide {
    acceptor: TlsAcceptor,
}

impl ServerSide {
    pub(crate) fn new(config: &ServerTls) -> Result<ServerSide, TlsError> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider));
        let builder = builder.with_safe_default_protocol_versions().map_err(setting)?;
        let builder = match &config.client_ca {
            None => builder.with_no_client_auth(),
            Some(path) => {
                let verifier = WebPkiClientVerifier::builder_with_provider(roots(path)?, provider);
                builder.with_client_cert_verifier(verifier.build().map_err(setting)?)
            }
        };
        let (chain, key) = (certificates(&config.certificate)?, private_key(&config.key)?);
        let config = builder.with_single_cert(chain, key).map_err(setting)?;
        Ok(ServerSide { acceptor: TlsAcceptor::from(Arc::new(config)) })
    }

    pub(crate) async fn accept(&self, stream: TcpStream) -> std::io::Result<server::TlsStream<TcpStream>> {
        self.acceptor.accept(stream).await
    }
}

/// The side that connects to a host.
pub(crate) struct ClientSide {
    connector: TlsConnector,
    name: ServerName<'static>,
}

impl ClientSide {
    pub(crate) fn new(config: &ClientTls) -> Result<ClientSide, TlsError> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(provider);
        let builder = builder.with_safe_default_protocol_versions().map_err(setting)?;
        let builder = builder.with_root_certificates(roots(&config.ca)?);
        let client = match (&config.certificate, &config.key) {
            (None, None) => builder.with_no_client_auth(),
            (Some(chain), Some(key)) => {
                builder.with_client_auth_cert(certificates(chain)?, private_key(key)?).map_err(setting)?
            }
            _ => return Err(setting("certificate and key go together; give both or none")),
        };
        let name = ServerName::try_from(config.server_name.clone());
        let name = name.map_err(|_| setting(format!("{:?} is no name of a host", config.server_name)))?;
        Ok(ClientSide { connector: TlsConnector::from(Arc::new(client)), name })
    }

    pub(crate) async fn connect(&self, stream: TcpStream) -> std::io::Result<client::TlsStream<TcpStream>> {
        self.connector.connect(self.name.clone(), stream).await
    }
}
