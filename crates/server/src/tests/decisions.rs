//! Limits, rejudgements and packs through the API.

use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use serde_json::{Value, json};

use super::fixture::{Fixture, LIMIT, acquirer, token};
use crate::Role::{self, Administrator, Agent, Operator, Reviewer};

impl Fixture {
    async fn decide(&self, path: &str, role: Role, body: Value) -> (StatusCode, Value) {
        let request = Request::builder()
            .method(Method::POST)
            .uri(format!("/api/v1{path}"))
            .header(header::COOKIE, format!("onus_session={}", token(role)))
            .header(header::CONTENT_TYPE, "application/json")
            .header("accept-language", "en")
            .header("x-onus-request", "1");
        let answer = self.send(request.body(Body::from(body.to_string())).unwrap()).await;
        (answer.status, answer.json())
    }

    async fn limit(&self) -> Value {
        let page = self.get("/limits", Operator).await;
        page["items"].as_array().unwrap().iter().find(|limit| limit["id"] == LIMIT).unwrap().clone()
    }
}

#[tokio::test]
async fn two_people_verify_a_limit() {
    let fixture = acquirer();
    let before = fixture.limit().await;
    assert_eq!(
        (&before["grade"], &before["automation"], &before["waits"]),
        (&json!("T"), &json!("manual"), &json!(true))
    );
    assert_eq!((&before["decision"]["state"], &before["decision"]["steps"]), (&json!("listed"), &json!(["propose"])));

    let step = |step: &str| format!("/limits/{LIMIT}/{step}");
    let note = json!({"note": "business rules, volume 4, section 3.2, read on paper"});
    let (status, refused) = fixture.decide(&step("propose"), Operator, json!({})).await;
    assert_eq!((status, &refused["code"]), (StatusCode::UNPROCESSABLE_ENTITY, &json!("note_missing")));
    let (status, proposed) = fixture.decide(&step("propose"), Operator, note.clone()).await;
    assert_eq!((status, &proposed["steps"]), (StatusCode::OK, &json!(["withdraw"])));
    let (status, refused) = fixture.decide(&step("approve"), Operator, json!({})).await;
    assert_eq!((status, &refused["code"]), (StatusCode::FORBIDDEN, &json!("own_proposal")));
    let (status, approved) = fixture.decide(&step("approve"), Administrator, json!({})).await;
    assert_eq!(
        (status, &approved["state"], &approved["maker"]),
        (StatusCode::OK, &json!("approved"), &json!("operator"))
    );
    assert_eq!(fixture.limit().await["automation"], "automatic");

    let history = fixture.get(&format!("/limits/{LIMIT}"), Reviewer).await;
    let told: Vec<Value> = history["steps"]
        .as_array()
        .unwrap()
        .iter()
        .map(|step| json!([step["step"], step["author"], step["entry_index"]]))
        .collect();
    assert_eq!(told, [json!(["propose", "operator", 3]), json!(["approve", "administrator", 4])]);
    let entry = fixture.get("/evidence/entries/3", Reviewer).await;
    assert_eq!(entry["body"]["content"]["value"], before["value"]);

    for (path, role, expected) in [
        (step("pray"), Operator, StatusCode::NOT_FOUND),
        (step("propose"), Reviewer, StatusCode::FORBIDDEN),
        (step("propose"), Agent, StatusCode::NOT_FOUND),
        ("/limits/cn-default-1:rule:nothing/propose".to_owned(), Operator, StatusCode::NOT_FOUND),
    ] {
        assert_eq!(fixture.decide(&path, role, note.clone()).await.0, expected, "{path}");
    }
}

#[tokio::test]
async fn nothing_to_judge_again_and_no_draft() {
    let fixture = acquirer();
    let page = fixture.get("/rejudgements?state=listed", Reviewer).await;
    assert_eq!(page, json!({"summary": [], "items": [], "next_cursor": null}));
    let answer = fixture.ask(Method::GET, "/api/v1/rejudgements?state=tired", Some(Reviewer), &[]).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    let (status, problem) = fixture.decide("/rejudgements/approve", Operator, json!({"ids": ["x"], "note": ""})).await;
    assert_eq!((status, &problem["code"]), (StatusCode::NOT_FOUND, &json!("not_found")));
    let (_, answers) = fixture.decide("/rejudgements/approve", Operator, json!({"ids": ["x", "y"]})).await;
    assert_eq!(answers["items"][1]["refused"], "there is no rejudgement y");
    assert_eq!(fixture.decide("/rejudgements/approve", Operator, json!({"ids": []})).await.0, StatusCode::BAD_REQUEST);

    let packs = fixture.get("/packs", Reviewer).await;
    assert_eq!((packs["items"].as_array().unwrap().len(), &packs["items"][0]["live"]), (1, &json!(true)));
    let shadow = fixture.get("/packs/shipped/shadow", Reviewer).await;
    assert_eq!((&shadow["all"]["changed"], &shadow["without_facts"]), (&json!(0), &json!(3)));
    let note = json!({"note": "better"});
    assert_eq!(fixture.decide("/packs/abc/propose", Operator, note).await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn programmes_of_the_networks_show_standing_and_forecast() {
    let fixture = acquirer();
    let page = fixture.get("/monitoring", Reviewer).await;
    let items = page["items"].as_array().unwrap();
    let acquirer = items.iter().find(|row| row["programme"] == "visa-vamp-acquirer-excessive").unwrap();
    assert_eq!((&acquirer["subject"], &acquirer["merchant_code"]), (&json!("acquirer"), &json!("")));
    assert_eq!((&acquirer["limit_bp"], &acquirer["grade"]), (&json!(70), &json!("R")));
    assert_eq!(acquirer["not_counted"], json!(["fraud_reports"]));
    assert!(acquirer["end"]["cases"].as_u64() >= acquirer["now"]["cases"].as_u64());

    let whole = fixture.get("/monitoring?month=2025-02", Operator).await;
    assert_eq!((&whole["month"], &whole["day"], &whole["days"]), (&json!("2025-02"), &json!(28), &json!(28)));
    assert!(whole["items"].as_array().unwrap().iter().all(|row| row["programme"] != "visa-vamp-acquirer-excessive"));

    for (path, role, expected) in [
        ("/api/v1/monitoring?month=2999-01", Operator, StatusCode::BAD_REQUEST),
        ("/api/v1/monitoring?month=last", Operator, StatusCode::BAD_REQUEST),
        ("/api/v1/monitoring", Agent, StatusCode::NOT_FOUND),
    ] {
        let answer = fixture.ask(Method::GET, path, Some(role), &[]).await;
        assert_eq!(answer.status, expected, "{path}");
        assert_eq!(answer.json()["status"], expected.as_u16(), "{path}");
    }
}
