//! Signing in and out, the console's pages, and the audit.

use axum::http::{Method, StatusCode};
use onus_store::{PageRequest, Scope, audit};

use super::fixture::{PASSWORD, T, acquirer, empty};
use crate::Role;

#[tokio::test]
async fn pages_need_identity_and_unknown_paths_are_the_console() {
    let fixture = acquirer();
    let table = [
        ("/", "/login"),
        ("/payments/2026-09-21.x?a=1", "/login?next=/payments/2026-09-21.x%3Fa%3D1"),
        ("/favicon.ico", "/login?next=/favicon.ico"),
    ];
    for (path, expected) in table {
        let answer = fixture.ask(Method::GET, path, None, &[]).await;
        assert_eq!((answer.status, answer.header("location")), (StatusCode::SEE_OTHER, expected), "{path}");
    }
    for path in ["/", "/payments/2026-09-21.x"] {
        let answer = fixture.ask(Method::GET, path, Some(Role::Reviewer), &[]).await;
        assert_eq!(answer.status, StatusCode::OK);
        assert!(answer.header("content-type").starts_with("text/html"), "{path}");
        assert!(answer.header("content-security-policy").contains("style-src 'self' 'unsafe-inline'"));
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(answer.header("referrer-policy"), "no-referrer");
        if !answer.header("etag").is_empty() {
            let again =
                fixture.ask(Method::GET, path, Some(Role::Reviewer), &[("if-none-match", answer.header("etag"))]).await;
            assert_eq!(again.status, StatusCode::NOT_MODIFIED);
        }
    }
    let answer = fixture.ask(Method::GET, "/api/v1/nothing", Some(Role::Administrator), &[]).await;
    assert_eq!((answer.status, answer.json()["code"].as_str()), (StatusCode::NOT_FOUND, Some("no_route")));
    let answer = fixture.ask(Method::GET, "/api/v1/nothing", None, &[]).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    let answer =
        fixture.ask(Method::POST, "/api/v1/payments", Some(Role::Administrator), &[("x-onus-request", "1")]).await;
    assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test]
async fn a_user_signs_in_and_out() {
    let fixture = acquirer();
    let page = fixture.ask(Method::GET, "/login?lang=en&next=/payments", None, &[]).await;
    for part in ["name=\"username\"", "name=\"password\"", "type=\"submit\"", "lang=\"en\"", "value=\"/payments\""] {
        assert!(page.text.contains(part), "{part} in {}", page.text);
    }
    assert_eq!(page.header("referrer-policy"), "same-origin");

    let form = format!("username=operator&password={}&next=/payments", PASSWORD.replace(' ', "+"));
    let foreign = fixture.post("/login", &form, &[("origin", "https://evil.example"), ("host", "onus.example")]).await;
    assert_eq!(foreign.status, StatusCode::FORBIDDEN);
    let wrong = fixture.post("/login", "username=operator&password=wrong", &[]).await;
    assert_eq!(wrong.status, StatusCode::UNAUTHORIZED);
    assert!(wrong.text.contains("用户名或密码不正确"));

    let right = fixture.post("/login", &form, &[("origin", "http://onus.example"), ("host", "onus.example")]).await;
    assert_eq!((right.status, right.header("location")), (StatusCode::SEE_OTHER, "/payments"));
    let cookie = right.header("set-cookie").to_owned();
    for part in ["HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=43200"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    let own = [("cookie", cookie.split(';').next().unwrap()), ("x-onus-request", "1")];
    let session = fixture.ask(Method::GET, "/api/v1/session", None, &own).await.json();
    assert_eq!((session["username"].as_str(), session["role"].as_str()), (Some("operator"), Some("operator")));
    assert_eq!(session["as_of"], "2026-10-08T12:00:00+08:00");

    let without_header = fixture.ask(Method::DELETE, "/api/v1/session", None, &own[..1]).await;
    assert_eq!(without_header.status, StatusCode::FORBIDDEN);
    let out = fixture.ask(Method::DELETE, "/api/v1/session", None, &own).await;
    assert_eq!(out.status, StatusCode::NO_CONTENT);
    assert!(out.header("set-cookie").contains("Max-Age=0"));
    assert_eq!(fixture.ask(Method::GET, "/api/v1/session", None, &own).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn guessing_is_slowed_down() {
    let fixture = acquirer();
    for _ in 0..5 {
        assert_eq!(
            fixture.post("/login", "username=operator&password=guess", &[]).await.status,
            StatusCode::UNAUTHORIZED
        );
    }
    let form = format!("username=operator&password={}", PASSWORD.replace(' ', "+"));
    let answer = fixture.post("/login", &form, &[]).await;
    assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS);
    assert!(answer.header("retry-after").parse::<u64>().unwrap() > 800);
}

#[tokio::test]
async fn the_first_administrator_is_set_up_once() {
    let fixture = empty(Some("let-me-in"));
    let to_setup = fixture.ask(Method::GET, "/login", None, &[("accept-language", "en")]).await;
    assert_eq!(to_setup.header("location"), "/setup?lang=en");
    let page = fixture.ask(Method::GET, "/setup?lang=en&token=let-me-in", None, &[]).await;
    assert!(page.text.contains("name=\"token\" value=\"let-me-in\""), "{}", page.text);
    let wrong = fixture.post("/setup", "token=guess&username=root&password=12345678", &[]).await;
    assert_eq!(wrong.status, StatusCode::UNAUTHORIZED);
    let short = fixture.post("/setup", "token=let-me-in&username=root&password=123", &[]).await;
    assert_eq!(short.status, StatusCode::UNPROCESSABLE_ENTITY);
    let right = fixture.post("/setup", "token=let-me-in&username=root&password=12345678", &[]).await;
    assert_eq!((right.status, right.header("location")), (StatusCode::SEE_OTHER, "/"), "{}", right.text);
    let own = [("cookie", right.header("set-cookie").split(';').next().unwrap())];
    assert_eq!(fixture.ask(Method::GET, "/api/v1/session", None, &own).await.json()["role"], "administrator");
    let again = fixture.post("/setup", "token=let-me-in&username=second&password=12345678", &[]).await;
    assert_eq!(again.header("location"), "/login");

    let closed = empty(None);
    assert_eq!(closed.ask(Method::GET, "/setup", None, &[]).await.header("location"), "/login?lang=zh-CN");
}

#[tokio::test]
async fn every_act_is_in_the_audit_when_the_server_has_closed() {
    let fixture = acquirer();
    fixture.get("/overview", Role::Reviewer).await;
    fixture.ask(Method::GET, "/api/v1/files", Some(Role::Agent), &[]).await;
    fixture.post("/login", "username=nobody&password=guess", &[]).await;
    let state = fixture.state.clone();
    tokio::task::spawn_blocking(move || state.close()).await.unwrap();
    let page = fixture.db.store.read(|tx| audit::list(tx, &Scope::all(T), &PageRequest::first(50))).unwrap();
    let mut acts: Vec<String> =
        page.items.iter().map(|it| format!("{} {} {} {}", it.actor, it.action, it.resource, it.outcome)).collect();
    acts.reverse();
    assert_eq!(
        acts,
        [
            "reviewer GET /api/v1/overview /api/v1/overview 200",
            "agent GET /api/v1/files /api/v1/files 404",
            "nobody sign-in /login refused"
        ]
    );
}

#[tokio::test]
async fn problems_speak_the_readers_language() {
    let fixture = acquirer();
    let table = [("en", "Not found", "There is no such payment."), ("zh-CN", "未找到", "没有这个支付交易。")];
    for (language, title, detail) in table {
        let answer = fixture
            .ask(Method::GET, "/api/v1/payments/none", Some(Role::Operator), &[("accept-language", language)])
            .await;
        let problem = answer.json();
        assert_eq!((problem["title"].as_str(), problem["detail"].as_str()), (Some(title), Some(detail)));
        assert_eq!(
            (problem["status"].as_u64(), problem["type"].as_str()),
            (Some(404), Some("urn:onus:problem:not_found"))
        );
    }
    for path in [
        "/payments?limit=many",
        "/payments?date=today",
        "/payments?only=some",
        "/evidence/entries/x",
        "/payments?cursor=zzz",
    ] {
        let answer = fixture.ask(Method::GET, &format!("/api/v1{path}"), Some(Role::Operator), &[]).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{path}: {}", answer.text);
    }
}
