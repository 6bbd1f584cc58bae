//! The whole server: over a socket, until it is told to stop.

use std::process::Command;

use onus_store::vault::Vault;
use onus_store::{PageRequest, Scope, audit};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::oneshot;

use super::fixture::{T, acquirer, token};
use crate::{Role, ServerError, serve};

#[tokio::test]
async fn it_serves_until_sigterm_and_loses_no_act() {
    let fixture = acquirer();
    let vault = Vault::open(fixture.db.folder.path().join("vault")).unwrap();
    let (tell, told) = oneshot::channel();
    let config = fixture.state.config().clone();
    let server =
        tokio::spawn(serve(config, fixture.db.store.clone(), vault, move |address| tell.send(address).unwrap()));

    let mut connection = TcpStream::connect(told.await.unwrap()).await.unwrap();
    let request = format!(
        "GET /api/v1/session HTTP/1.1\r\nhost: x\r\ncookie: onus_session={}\r\nconnection: close\r\n\r\n",
        token(Role::Operator)
    );
    connection.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");

    // The server handles the signal, so this process goes on.
    let own_id = std::process::id().to_string();
    assert!(Command::new("kill").args(["-TERM", &own_id]).status().unwrap().success());
    server.await.unwrap().unwrap();
    let acts = fixture.db.store.read(|tx| audit::list(tx, &Scope::all(T), &PageRequest::first(10))).unwrap();
    assert_eq!(acts.items.len(), 1);
}

#[tokio::test]
async fn a_taken_address_is_told() {
    let fixture = acquirer();
    let vault = Vault::open(fixture.db.folder.path().join("vault")).unwrap();
    let taken = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut config = fixture.state.config().clone();
    config.listen = taken.local_addr().unwrap();
    let refused = serve(config, fixture.db.store.clone(), vault, |_| ()).await;
    assert!(matches!(refused, Err(ServerError::Listen { .. })));
}
