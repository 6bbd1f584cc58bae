//! What is awaited, as each role sees it.

use axum::http::{Method, StatusCode};
use onus_store::expectations::{ExpectationRow, Judged, settle};
use serde_json::{Value, json};

use super::fixture::{DIVERTED, Fixture, LATE, REVERSED, T, acquirer, at};
use crate::Role;

/// It is 2026-10-08 12:00 for the server of the fixture.
fn awaiting() -> Fixture {
    let fixture = acquirer();
    let row = |payment: &str, agent: &str, leg: &str, rule: &str, class: &str, due: &str| ExpectationRow {
        payment_id: payment.into(),
        leg: leg.into(),
        rule_id: rule.into(),
        since_at: at("2026-09-21T10:20:30+08:00"),
        due_at: at(due),
        class: class.into(),
        amount_minor: 120_000,
        agent_code: agent.into(),
        ..ExpectationRow::default()
    };
    let late = "2026-09-22T10:00:00+08:00";
    let open = [
        row(DIVERTED, "A0101", "payout", "payout-after-clearing", "PAYOUT_MISSING", "2026-10-08T12:30:00+08:00"),
        row(LATE, "A0101", "clearing", "clearing-after-switch", "SWITCH_ONLY", "2026-10-06T12:00:00+08:00"),
        row(REVERSED, "A02", "acknowledgement", "acknowledgement-after-reversal", "", late),
    ];
    let payments: std::collections::BTreeMap<_, _> =
        [DIVERTED, REVERSED, LATE].into_iter().map(|id| (id, vec!["acknowledgement"])).collect();
    let before = Judged { payments: payments.clone(), open: &open };
    let after = Judged { payments, open: &open[..2] };
    fixture.db.store.write(|tx| settle(tx, T, &before, 0)).unwrap();
    fixture.db.store.write(|tx| settle(tx, T, &after, at(late) + 90_000_000)).unwrap();
    fixture
}

fn told(page: &Value) -> Vec<(&str, &str, i64, &str)> {
    let items = page["items"].as_array().unwrap().iter();
    let text = |item: &'_ Value, name: &str| item[name].as_str().unwrap_or_default().to_owned();
    items
        .map(|item| {
            assert!(!text(item, "rule_zh").is_empty() && text(item, "class_zh") != *"SWITCH_ONLY");
            (
                item["leg"].as_str().unwrap(),
                item["standing"].as_str().unwrap(),
                item["age_seconds"].as_i64().unwrap(),
                item["class"].as_str().unwrap(),
            )
        })
        .collect()
}

#[tokio::test]
async fn what_is_awaited_is_listed_with_its_age() {
    let fixture = awaiting();
    let page = fixture.get("/expectations", Role::Operator).await;
    assert_eq!(
        told(&page),
        [
            ("acknowledgement", "late", 90, ""),
            ("clearing", "overdue", 2 * 86_400, "SWITCH_ONLY"),
            ("payout", "awaited", 1_800, "PAYOUT_MISSING"),
        ]
    );
    assert_eq!(page["bounds_hours"], json!([1, 24, 72]));
    let summary: Vec<_> = page["summary"].as_array().unwrap().iter().map(ToString::to_string).collect();
    insta::assert_snapshot!(summary.join("\n"), @r#"
    {"amount_minor":120000,"band":0,"count":1,"leg":"payout","standing":"awaited"}
    {"amount_minor":120000,"band":2,"count":1,"leg":"clearing","standing":"overdue"}
    {"amount_minor":120000,"band":0,"count":1,"leg":"acknowledgement","standing":"late"}
    "#);
    let page = fixture.get("/expectations?standing=overdue&leg=clearing", Role::Reviewer).await;
    assert_eq!(told(&page).len(), 1);
    assert_eq!(page["items"][0]["rule_en"], "approved at the switch: clearing has it");
}

#[tokio::test]
async fn an_agent_sees_its_own_only() {
    let fixture = awaiting();
    let page = fixture.get("/expectations", Role::Agent).await;
    assert_eq!(told(&page).iter().map(|item| item.0).collect::<Vec<_>>(), ["clearing", "payout"]);
    assert_eq!(page["summary"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn what_cannot_be_awaited_is_refused() {
    let fixture = awaiting();
    for query in ["leg=letter", "standing=soon"] {
        let path = format!("/api/v1/expectations?{query}");
        let answer = fixture.ask(Method::GET, &path, Some(Role::Operator), &[]).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{query}");
    }
}
