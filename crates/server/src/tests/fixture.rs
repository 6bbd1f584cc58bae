//! A small acquirer: three payments, two agents below different roots, one user of each role.

use std::collections::HashMap;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use onus_evidence::SigningKey;
use onus_model::Instant;
use onus_store::files::RejectRow;
use onus_store::sessions::SessionRow;
use onus_store::testing::SqliteDb;
use onus_store::vault::Vault;
use onus_store::{files, sessions, tenants};
use serde_json::Value;
use tower::ServiceExt as _;

use super::fixture_rows::{put_decisions, put_payments, put_registry, seal_files};
use crate::accounts::sha256_hex;
use crate::{Role, ServerConfig, ServerState, create_user, router};

pub(super) const T: &str = "acquirer";
pub(super) const DIVERTED: &str = "2026-09-21.29000001.000001.000011";
pub(super) const REVERSED: &str = "2026-09-21.29000002.000001.000012";
pub(super) const LATE: &str = "2026-09-21.29000001.000001.000013";
/// The break of the diverted payment.
pub(super) const BREAK: &str = "2026-09-21.29000001.000001.000011.MERCHANT_SWAPPED";
/// A limit that waits for two people.
pub(super) const LIMIT: &str = "cn-default-1:rule:slip-agent";
pub(super) const PASSWORD: &str = "correct horse";

pub(super) struct Fixture {
    pub(super) db: SqliteDb,
    pub(super) state: ServerState,
    pub(super) router: Router,
}

/// What the server said.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) text: String,
}

impl Answer {
    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |it| it.to_str().unwrap())
    }
}

pub(super) fn at(text: &str) -> i64 {
    Instant::parse(text).unwrap().0
}

/// An installation without tenant, data or user.
pub(super) fn empty(setup_token: Option<&str>) -> Fixture {
    let db = onus_store::testing::sqlite();
    let vault = Vault::open(db.folder.path().join("vault")).unwrap();
    let key = SigningKey::from_seed("onus.test/log", [7; 32]).unwrap();
    let config = ServerConfig {
        listen: "127.0.0.1:0".parse().unwrap(),
        as_of: Some(at("2026-10-08T12:00:00+08:00")),
        cookie_secure: false,
        signing_key: key,
        setup_token: setup_token.map(str::to_owned),
    };
    let state = ServerState::new(config, db.store.clone(), vault).unwrap();
    Fixture { db, router: router(state.clone()), state }
}

/// The small acquirer.
pub(super) fn acquirer() -> Fixture {
    let fixture = empty(None);
    let vault = Vault::open(fixture.db.folder.path().join("vault")).unwrap();
    let (files, refs) = seal_files(&vault);
    fixture
        .db
        .store
        .write(|tx| {
            tenants::put(
                tx,
                &tenants::TenantRow {
                    id: T.into(),
                    name: "示例收单".into(),
                    currency: "CNY".into(),
                    zone: "Asia/Shanghai".into(),
                },
            )?;
            put_registry(tx)?;
            files::insert(tx, T, &files)?;
            files::insert_rejects(
                tx,
                T,
                [&RejectRow {
                    file_id: files[0].id.clone(),
                    seq: 1,
                    field: "amount_fen".into(),
                    code: "value".into(),
                    ..RejectRow::default()
                }],
            )?;
            put_payments(tx, &refs)?;
            put_decisions(tx)
        })
        .unwrap();
    for role in Role::ALL {
        let agent = (role == Role::Agent).then_some("A01");
        let user = create_user(&fixture.db.store, role.as_str(), PASSWORD, role, agent, "zh-CN", 1).unwrap();
        let session = SessionRow {
            token_sha256: sha256_hex(&token(role)),
            user_id: user.id,
            created_at: 1,
            expires_at: i64::MAX,
        };
        fixture.db.store.write(|tx| sessions::insert(tx, &session)).unwrap();
    }
    fixture
}

pub(super) fn token(role: Role) -> String {
    format!("token-of-{}", role.as_str())
}

impl Fixture {
    pub(super) async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        let bytes = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        Answer { status, headers, text: String::from_utf8(bytes.to_vec()).unwrap() }
    }

    /// A request of a signed-in user, or of nobody.
    pub(super) async fn ask(&self, method: Method, path: &str, role: Option<Role>, headers: &[(&str, &str)]) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        if let Some(role) = role {
            request = request.header(header::COOKIE, format!("theme=dark; onus_session={}", token(role)));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.send(request.body(Body::empty()).unwrap()).await
    }

    pub(super) async fn get(&self, path: &str, role: Role) -> Value {
        let answer = self.ask(Method::GET, &format!("/api/v1{path}"), Some(role), &[]).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.text);
        answer.json()
    }

    pub(super) async fn post(&self, path: &str, form: &str, headers: &[(&str, &str)]) -> Answer {
        let mut request = Request::post(path).header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.send(request.body(Body::from(form.to_owned())).unwrap()).await
    }
}

/// Values for the variable parts of routes.
pub(super) fn path_values() -> HashMap<&'static str, &'static str> {
    HashMap::from([
        ("/breaks/{id}", BREAK),
        ("/breaks/{id}/{step}", BREAK),
        ("/limits/{id}", LIMIT),
        ("/limits/{id}/{step}", LIMIT),
        ("/packs/{id}/shadow", "shipped"),
        ("/packs/{id}/{step}", "0"),
        ("/rejudgements/{step}", "propose"),
        ("/payments/{id}", DIVERTED),
        ("/episodes/{id}", "E1"),
        ("/evidence/entries/{index}", "0"),
    ])
}
