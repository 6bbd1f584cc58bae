//! Resolving a break through the API.

use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use onus_store::{PageRequest, Scope, audit};
use serde_json::{Value, json};

use super::fixture::{Answer, BREAK, DIVERTED, Fixture, T, acquirer, token};
use crate::Role::{self, Administrator, Agent, Operator, Reviewer};

impl Fixture {
    async fn step(&self, step: &str, role: Role, body: &Value) -> Answer {
        let request = Request::builder()
            .method(Method::POST)
            .uri(format!("/api/v1/breaks/{BREAK}/{step}"))
            .header(header::COOKIE, format!("onus_session={}", token(role)))
            .header(header::CONTENT_TYPE, "application/json")
            .header("accept-language", "en")
            .header("x-onus-request", "1");
        self.send(request.body(Body::from(body.to_string())).unwrap()).await
    }

    async fn refused(&self, step: &str, role: Role, body: Value) -> (u16, String) {
        let answer = self.step(step, role, &body).await;
        assert_eq!(answer.header("content-type"), "application/problem+json", "{}", answer.text);
        (answer.status.as_u16(), answer.json()["code"].as_str().unwrap_or_default().to_owned())
    }

    async fn taken(&self, step: &str, role: Role, body: Value) -> Value {
        let answer = self.step(step, role, &body).await;
        assert_eq!(answer.status, StatusCode::OK, "{step}: {}", answer.text);
        answer.json()
    }
}

fn repair(version: i64) -> Value {
    json!({"version": version, "action": "payout_repair", "amount_minor": 120_000, "note": "paid to the wrong shop"})
}

fn problem(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

#[tokio::test]
async fn two_people_resolve_a_break() {
    let fixture = acquirer();
    let before = fixture.get(&format!("/breaks/{BREAK}"), Operator).await;
    assert_eq!((&before["break"]["state"], &before["break"]["stake_minor"]), (&json!("open"), &json!(120_000)));
    assert_eq!((&before["break"]["age_days"], &before["resolution"]), (&json!(17), &Value::Null));
    assert_eq!((&before["steps"], &before["present"]), (&json!(["propose"]), &json!(true)));
    let offered: Vec<&Value> = before["offers"].as_array().unwrap().iter().map(|offer| &offer["action"]).collect();
    assert_eq!(offered, ["payout_repair", "recovery", "explained"]);
    let source = &before["legs"][0]["rows"][0]["source"];
    assert_eq!((&source["file_name"], &source["offset"]), (&json!("journal_20260921.csv"), &json!(132)));

    let proposed = fixture.taken("propose", Operator, repair(0)).await;
    assert_eq!(
        (&proposed["resolution"]["state"], &proposed["resolution"]["maker"]),
        (&json!("proposed"), &json!("operator"))
    );
    assert_eq!(proposed["steps"], json!(["propose", "withdraw"]));
    assert_eq!(fixture.refused("approve", Operator, json!({"version": 1})).await, problem(403, "own_proposal"));
    assert_eq!(
        fixture.refused("reject", Operator, json!({"version": 1, "note": "no"})).await,
        problem(403, "own_proposal")
    );
    assert_eq!(fixture.refused("approve", Administrator, json!({"version": 0})).await, problem(409, "stale"));
    let approved = fixture.taken("approve", Administrator, json!({"version": 1})).await;
    assert_eq!(approved["resolution"]["checker"], "administrator");
    assert_eq!(fixture.refused("act", Operator, json!({"version": 2})).await, problem(422, "reference_missing"));
    fixture.taken("act", Operator, json!({"version": 2, "reference": "PO-77"})).await;
    let resolved = fixture.taken("confirm", Administrator, json!({"version": 3, "note": "on the statement"})).await;
    assert_eq!((&resolved["break"]["state"], &resolved["steps"]), (&json!("confirmed"), &json!([])));
    let told: Vec<Value> = resolved["history"]
        .as_array()
        .unwrap()
        .iter()
        .map(|step| json!([step["version"], step["step"], step["author"], step["entry_index"]]))
        .collect();
    assert_eq!(
        told,
        [
            json!([1, "propose", "operator", 3]),
            json!([2, "approve", "administrator", 4]),
            json!([3, "act", "operator", 5]),
            json!([4, "confirm", "administrator", 6]),
        ]
    );
    // Each step is an entry of the log, under a signed head.
    let entry = fixture.get("/evidence/entries/4", Reviewer).await;
    assert_eq!((&entry["tree_size"], &entry["body"]["author"]), (&json!(7), &json!("administrator")));
    assert!(!entry["proof"].as_array().unwrap().is_empty());
    // And it is in the audit, refused or not.
    let state = fixture.state.clone();
    tokio::task::spawn_blocking(move || state.close()).await.unwrap();
    let page = fixture.db.store.read(|tx| audit::list(tx, &Scope::all(T), &PageRequest::first(50))).unwrap();
    let acts: Vec<String> =
        page.items.iter().map(|it| format!("{} {} {}", it.actor, it.resource, it.outcome)).collect();
    assert!(acts.contains(&format!("operator /api/v1/breaks/{BREAK}/approve 403")), "{acts:?}");
    assert!(acts.contains(&format!("administrator /api/v1/breaks/{BREAK}/approve 200")), "{acts:?}");
}

#[tokio::test]
async fn what_the_rules_forbid_is_told() {
    let fixture = acquirer();
    let propose =
        |action: &str, amount_minor: i64| json!({"version": 0, "action": action, "amount_minor": amount_minor});
    let table = [
        (propose("credit_adjustment", 1), problem(422, "action_not_allowed")),
        (propose("payout_repair", 120_001), problem(422, "guard")),
        (propose("payout_repair", 0), problem(422, "guard")),
        (propose("recovery", 1), problem(422, "party_missing")),
        (propose("explained", 0), problem(422, "note_missing")),
        (propose("prayer", 1), problem(400, "bad_request")),
        (json!({"version": 0, "action": "recovery", "amount_minor": 1, "party": "mayor"}), problem(400, "bad_request")),
        (json!({"version": 0, "mood": "good"}), problem(400, "bad_request")),
        (json!({"version": 0, "action": "explained", "note": "card 4111 1111 1111 1111"}), problem(422, "card_number")),
    ];
    for (body, expected) in table {
        assert_eq!(fixture.refused("propose", Operator, body.clone()).await, expected, "{body}");
    }
    assert_eq!(fixture.refused("approve", Operator, json!({"version": 0})).await, problem(409, "wrong_state"));
    assert_eq!(fixture.refused("reopen", Operator, json!({"version": 0})).await, problem(404, "no_route"));
    assert_eq!(fixture.refused("propose", Reviewer, repair(0)).await, problem(403, "forbidden"));
    assert_eq!(fixture.refused("propose", Agent, repair(0)).await, problem(404, "no_route"));
    for id in ["nothing", "2026-09-21.1.1.1.MCC", &format!("{DIVERTED}.MCC")] {
        let answer = fixture.ask(Method::GET, &format!("/api/v1/breaks/{id}"), Some(Reviewer), &[]).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{id}");
    }
}

#[tokio::test]
async fn breaks_are_counted_by_class_and_age() {
    let fixture = acquirer();
    let page = fixture.get("/breaks", Reviewer).await;
    let row = &page["summary"][0];
    assert_eq!(
        (&row["class"], &row["count"], &row["stake_minor"]),
        (&json!("MERCHANT_SWAPPED"), &json!(1), &json!(120_000))
    );
    let ages: Vec<&Value> = row["ages"].as_array().unwrap().iter().filter(|age| age["count"] != 0).collect();
    assert_eq!(ages, [&json!({"key": "d8-30", "count": 1, "stake_minor": 120_000})]);
    assert_eq!(page["bands"].as_array().unwrap().len(), 6);
    assert_eq!(page["items"][0]["id"], BREAK);
    fixture.taken("propose", Operator, repair(0)).await;
    for (query, n_items, n_summed) in [
        ("class=MERCHANT_SWAPPED&age=d8-30&state=proposed&agent=A01&min_amount=120000", 1, 1),
        ("state=unresolved", 1, 1),
        ("state=todo", 0, 0),
        ("state=confirmed", 0, 0),
        ("age=d0-1", 0, 1),
        ("class=MCC", 0, 1),
        ("agent=A02", 0, 0),
        ("max_amount=119999", 0, 0),
    ] {
        let page = fixture.get(&format!("/breaks?{query}"), Reviewer).await;
        let counted = (page["items"].as_array().unwrap().len(), page["summary"].as_array().unwrap().len());
        assert_eq!(counted, (n_items, n_summed), "{query}");
    }
    for query in ["state=tired", "age=old"] {
        let answer = fixture.ask(Method::GET, &format!("/api/v1/breaks?{query}"), Some(Reviewer), &[]).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{query}");
    }
}

#[tokio::test]
async fn an_agent_sees_where_its_break_stands_but_no_names() {
    let fixture = acquirer();
    fixture.taken("propose", Operator, repair(0)).await;
    let seen = fixture.get(&format!("/breaks/{BREAK}"), Agent).await;
    assert_eq!((&seen["resolution"]["state"], &seen["resolution"]["maker"]), (&json!("proposed"), &json!("")));
    assert_eq!((&seen["history"][0]["author"], &seen["history"][0]["note"]), (&json!(""), &json!("")));
    assert_eq!(seen["steps"], json!([]));
}
