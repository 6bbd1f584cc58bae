//! The server: its configuration, its routes, its life.

use std::future::Future;
use std::net::SocketAddr;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::{HeaderValue, header};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use onus_casework::resolution::PackError;
use onus_evidence::SigningKey;
use onus_store::vault::Vault;
use onus_store::{Store, StoreError};
use tokio::net::TcpListener;

use crate::actor::Actor;
use crate::gate::gate;
use crate::problem::{Problem, write_problems};
use crate::state::ServerState;
use crate::{api, console, sign_in};

/// Forms are small, and nothing else has a body.
const BODY_MAX: usize = 16 * 1024;

/// How to serve.
#[derive(Debug, Clone)]
pub struct ServerConfig {
    /// Where to listen.
    pub listen: SocketAddr,
    /// Fixed business time in microseconds since 1970 UTC, for a demo day; none is the wall clock.
    pub as_of: Option<i64>,
    /// The session cookie goes over HTTPS only.
    pub cookie_secure: bool,
    /// Signs the evidence log, which has an entry for each step of resolving a break.
    pub signing_key: SigningKey,
    /// Who knows it may add the first administrator at `/setup`; none closes that page.
    pub setup_token: Option<String>,
}

/// Why the server did not start or did not go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServerError {
    /// The address is taken or not of this machine.
    #[error("cannot listen on {address}: {detail}; choose another address or end the program that has it")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        detail: std::io::Error,
    },
    /// What says how breaks are resolved does not read.
    #[error(transparent)]
    Resolutions(#[from] PackError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The listener or a signal handler failed.
    #[error("the server failed: {0}")]
    Io(#[from] std::io::Error),
}

/// Serves until Ctrl-C or SIGTERM; `ready` is told the address once requests are answered.
///
/// # Errors
/// When it cannot start, or the listener fails.
pub async fn serve(
    config: ServerConfig,
    store: Store,
    vault: Vault,
    ready: impl FnOnce(SocketAddr),
) -> Result<(), ServerError> {
    let address = config.listen;
    let state = ServerState::new(config, store, vault)?;
    let stop = stop_signal()?;
    let listener = TcpListener::bind(address).await.map_err(|detail| ServerError::Listen { address, detail })?;
    ready(listener.local_addr()?);
    let served = axum::serve(listener, router(state.clone())).with_graceful_shutdown(stop).await;
    let closed = tokio::task::spawn_blocking(move || state.close()).await;
    if let Err(error) = closed {
        tracing::error!(%error, "the audit was not closed");
    }
    Ok(served?)
}

/// Ends at Ctrl-C or SIGTERM.
fn stop_signal() -> Result<impl Future<Output = ()> + Send + 'static, std::io::Error> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

/// All routes.
pub fn router(state: ServerState) -> Router {
    let (api, _document) = api::routes().split_for_parts();
    Router::new()
        .merge(api.route_layer(from_fn_with_state(state.clone(), gate)))
        .route("/login", get(sign_in::show_login).post(sign_in::login))
        .route("/setup", get(sign_in::show_setup).post(sign_in::setup))
        .fallback(everything_else)
        .layer(DefaultBodyLimit::max(BODY_MAX))
        .layer(from_fn(write_problems))
        .layer(from_fn(add_security_headers))
        .with_state(state)
}

/// The console, and API paths that do not exist. All of it needs identity.
async fn everything_else(State(state): State<ServerState>, request: Request) -> Result<Response, Problem> {
    let path = request.uri().path();
    let is_api = path == "/api" || path.starts_with("/api/");
    let actor = Actor::of_headers(&state, request.headers()).await?;
    match (actor, is_api) {
        (None, true) => Err(Problem::not_signed_in()),
        (Some(_), true) => Err(Problem::no_route()),
        (None, false) => Ok(console::to_login(request.uri())),
        (Some(actor), false) => Ok(console::answer(request.method(), path, request.headers(), actor.lang)),
    }
}

async fn add_security_headers(request: Request, next: Next) -> Response {
    // Charts and the component library set styles from code; scripts come from here only.
    const POLICY: &str = "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; \
        font-src 'self' data:; connect-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";
    let mut response = next.run(request).await.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.entry(header::REFERRER_POLICY).or_insert(HeaderValue::from_static("no-referrer"));
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}
