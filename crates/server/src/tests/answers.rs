//! What the routes answer.

use axum::http::{Method, StatusCode};
use onus_store::alarms::{self, AlarmRow};
use onus_store::gateway_status::{self, GatewayStatusRow};
use serde_json::{Value, json};

use super::fixture::{DIVERTED, LATE, REVERSED, T, acquirer};
use crate::Role::{Administrator, Agent, Operator, Reviewer};

fn field<'v>(leg: &'v Value, name: &str) -> &'v Value {
    leg["rows"][0]["fields"].as_array().unwrap().iter().find(|it| it["name"] == name).unwrap()
}

#[tokio::test]
async fn a_diverted_payment_shows_its_legs_side_by_side() {
    let fixture = acquirer();
    let detail = fixture.get(&format!("/payments/{DIVERTED}"), Reviewer).await;
    assert_eq!(
        (&detail["payment"]["issuer_name"], &detail["payment"]["agent_name"], &detail["payment"]["app_version"]),
        (&json!("示例银行"), &json!("代理 A0101"), &json!("3.1"))
    );
    let legs = detail["legs"].as_array().unwrap();
    let shown: Vec<Value> = legs
        .iter()
        .map(|leg| json!([leg["leg"], leg["present"], leg["merchant_code"], leg["amount_minor"], leg["at"]]))
        .collect();
    assert_eq!(
        shown,
        [
            json!(["journal", true, "M001", 120_000, "2026-09-21T10:20:30+08:00"]),
            json!(["switch", false, null, null, null]),
            json!(["clearing", true, "SHELL01", 120_000, "2026-09-21T10:20:31+08:00"]),
            json!(["payout", true, "SHELL01", 500_000, "2026-09-22T09:00:00+08:00"]),
        ]
    );
    for leg in [&legs[0], &legs[2], &legs[3]] {
        assert_eq!(field(leg, "merchant_code")["differs"], true);
        assert_eq!(field(leg, "amount_fen")["differs"], false);
    }
    assert_eq!(field(&legs[0], "pan_masked")["differs"], false);
    assert_eq!(field(&legs[3], "payee_name")["zh"], "收款人");
    assert_eq!(legs[0]["rows"][0]["source"]["file_name"], "journal_20260921.csv");
    assert_eq!(detail["breaks"][0]["class_zh"], "跳码");
}

#[tokio::test]
async fn a_decision_comes_with_reasons_case_ledger_and_proof() {
    let fixture = acquirer();
    let detail = fixture.get(&format!("/payments/{DIVERTED}"), Administrator).await;
    let it = &detail["exceptions"][0];
    assert_eq!(
        (&it["kind"], &it["shares"], &it["rule_title_en"]),
        (&json!("K6"), &json!({"agent": 10_000}), &json!("Tampering"))
    );
    assert_eq!(
        it["findings"][0]["facts"][0],
        json!({"name": "program_known", "value": "false", "source": "measured:program"})
    );
    let reason = &it["reasons"][0];
    assert_eq!(reason["ground"], json!({"text": "依据", "source": "合同", "grade": "P"}));
    assert_eq!(reason["facts"][0]["source"], json!({"file_name": "journal_20260921.csv", "line": null, "offset": 147}));
    assert_eq!(it["agent_answer"], json!({"basis": "own_fault", "zh": "自身过错", "en": "own fault"}));
    assert_eq!(it["would_change"][0], json!({"fact": "custody", "zh": "保管记录", "en": "custody record"}));
    assert_eq!((&it["case"]["overdue"], &it["case"]["obligations"][0]["duty_zh"]), (&json!(true), &json!("赔付商户")));
    assert_eq!(it["ledger"].as_array().unwrap().len(), 2);
    assert_eq!((&it["evidence"]["verified"], &it["evidence"]["tree_size"]), (&json!(true), &json!(3)));

    let altered = fixture.get(&format!("/payments/{LATE}"), Administrator).await;
    assert_eq!(altered["exceptions"][0]["evidence"]["verified"], false);
}

#[tokio::test]
async fn the_overview_tells_what_to_look_at_first() {
    let fixture = acquirer();
    for path in ["/overview", "/overview?date=2026-09-21"] {
        let it = fixture.get(path, Reviewer).await;
        assert_eq!(
            (&it["payments"], &it["exceptions"], &it["loss_minor"], &it["dates"]),
            (&json!(3), &json!(2), &json!(120_000), &json!(["2026-09-21"]))
        );
        assert_eq!(
            it["by_hour"],
            json!([{"hour": "2026-09-21T10:00:00+08:00", "payments": 3, "exceptions": 2, "by_kind": {"K4": 1, "K6": 1}}])
        );
        assert_eq!(it["cases"], json!({"open": 1, "overdue": 1, "amount_minor": 120_000}));
        let stories = it["stories"].as_array().unwrap();
        assert_eq!(
            (&stories[0]["id"], &stories[0]["payment_id"], &stories[0]["filter"]),
            (&json!("hunan"), &json!(DIVERTED), &json!({"kind": "K6", "cause": "TAMPER.AGENT"}))
        );
        assert_eq!(
            stories[0]["text_zh"],
            "代理商 A0101 名下 1 台终端的 1 笔支付被转到他人账户，共 1,200.00 元。查明原因：代理商篡改终端程序。"
        );
        assert_eq!(
            (&stories[1]["id"], &stories[1]["payment_id"], &stories[1]["filter"]),
            (&json!("shiyan"), &json!(REVERSED), &json!({"episode": "E1"}))
        );
    }
    let other_day = fixture.get("/overview?date=2026-09-20", Reviewer).await;
    assert_eq!((&other_day["payments"], &other_day["stories"]), (&json!(0), &json!([])));
}

#[tokio::test]
async fn an_agent_sees_its_subtree_and_nothing_else() {
    let fixture = acquirer();
    let ids = |page: &Value| {
        page["items"].as_array().unwrap().iter().map(|it| it["id"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(ids(&fixture.get("/payments", Agent).await), [LATE, DIVERTED]);
    assert_eq!(ids(&fixture.get("/payments?kind=K6&agent=A01&only=exceptions", Reviewer).await), [DIVERTED]);
    assert_eq!(fixture.get("/terminals", Agent).await["items"][0]["reasons"][0]["en"], "program changed");
    assert_eq!(fixture.get("/agents", Agent).await["items"].as_array().unwrap().len(), 2);
    assert_eq!(fixture.get("/episodes", Agent).await["items"], json!([]));
    let path = format!("/api/v1/payments/{REVERSED}");
    for path in [
        path.as_str(),
        "/api/v1/episodes/E1",
        "/api/v1/evidence/entries/1",
        "/api/v1/files",
        "/api/v1/rejects",
        "/api/v1/gateways",
        "/api/v1/alarms",
        "/api/v1/audit",
    ] {
        assert_eq!(fixture.ask(Method::GET, path, Some(Agent), &[]).await.status, StatusCode::NOT_FOUND, "{path}");
    }
    assert_eq!(
        fixture.get(&format!("/payments/{DIVERTED}"), Agent).await["exceptions"][0]["evidence"]["verified"],
        true
    );
}

#[tokio::test]
async fn diversions_are_grouped_and_lead_to_their_payments() {
    let fixture = acquirer();
    for (by, key, name) in [
        ("terminal", "29000001", ""),
        ("agent", "A0101", "代理 A0101"),
        ("app_version", "3.1", ""),
        ("maintainer", "A0101", "代理 A0101"),
        ("merchant", "M001", "商户M001"),
    ] {
        for (role, sort) in [(Reviewer, "money"), (Agent, "surprise")] {
            let page = fixture.get(&format!("/diversions?by={by}&sort={sort}"), role).await;
            let items = page["items"].as_array().unwrap();
            assert_eq!((items.len(), &page["next_cursor"]), (1, &Value::Null), "{by}");
            let it = &items[0];
            assert_eq!(
                (&it["key"], &it["name"], &it["payments"], &it["stake_minor"]),
                (&json!(key), &json!(name), &json!(1), &json!(120_000)),
                "{by}"
            );
            assert_eq!((&it["merchants"], &it["terminals"], &it["agents"]), (&json!(1), &json!(1), &json!(1)), "{by}");
            assert_eq!(it["classes"][0]["class_zh"], "跳码");
            let listed = fixture.get(&format!("/payments?diverted_by={by}&diverted={key}"), role).await;
            let ids: Vec<_> = listed["items"].as_array().unwrap().iter().map(|it| it["id"].clone()).collect();
            assert_eq!(ids, [json!(DIVERTED)], "{by}");
        }
    }
    let of_agents = fixture.get("/diversions", Reviewer).await;
    let it = &of_agents["items"][0];
    assert_eq!(
        (&it["payments_total"], &it["share_bp"], &it["expected_bp"], &it["flags"]),
        (&json!(2), &json!(5000), &json!(0), &json!([]))
    );
    assert_eq!(fixture.get("/diversions?by=account", Reviewer).await["items"], json!([]));
    for refused in ["by=weather", "sort=luck", "cursor=bnVsbA"] {
        let path = format!("/api/v1/diversions?{refused}");
        let answer = fixture.ask(Method::GET, &path, Some(Reviewer), &[]).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{refused}");
    }
}

#[tokio::test]
async fn lists_are_paged() {
    let fixture = acquirer();
    let first = fixture.get("/payments?limit=2", Reviewer).await;
    assert_eq!(first["items"].as_array().unwrap().len(), 2);
    let next = first["next_cursor"].as_str().unwrap();
    let second = fixture.get(&format!("/payments?limit=2&cursor={next}"), Reviewer).await;
    assert_eq!((&second["items"][0]["id"], &second["next_cursor"]), (&json!(DIVERTED), &Value::Null));
}

#[tokio::test]
async fn the_other_lists_answer_as_described() {
    let fixture = acquirer();
    let episode = fixture.get("/episodes/E1", Reviewer).await;
    assert_eq!(
        (&episode["signals"], &episode["scope"]),
        (&json!([{"zh": "超时", "en": "timeouts"}]), &json!({"network_link": ["211"]}))
    );
    assert_eq!(episode["exposure"], json!([{"agent_code": "A02", "payments": 1, "amount_minor": 120_000}]));
    assert_eq!(fixture.get("/cases?overdue=true", Reviewer).await["items"][0]["overdue"], true);
    assert_eq!(fixture.get("/cases?overdue=false", Reviewer).await["items"], json!([]));
    assert_eq!(fixture.get("/breaks?class=MERCHANT_SWAPPED", Reviewer).await["summary"][0]["count"], 1);
    assert_eq!(fixture.get("/files", Reviewer).await["items"].as_array().unwrap().len(), 4);
    assert_eq!(fixture.get("/rejects", Reviewer).await["items"][0]["file_name"], "journal_20260921.csv");
    let checkpoint = fixture.get("/evidence/checkpoint", Reviewer).await;
    assert_eq!(checkpoint["size"], 3);
    assert!(checkpoint["public_key"].as_str().unwrap().starts_with("onus.test/log+"));
    let entry = fixture.get("/evidence/entries/1", Reviewer).await;
    assert_eq!(
        (&entry["body"]["payment"], &entry["root"], &entry["tree_size"]),
        (&json!(REVERSED), &checkpoint["root"], &json!(3))
    );
}

#[tokio::test]
async fn alarms_say_cell_since_evidence_and_what_was_expected() {
    let fixture = acquirer();
    assert_eq!(fixture.get("/alarms", Reviewer).await, json!({"items": []}));
    let alarm = AlarmRow {
        id: "live:lost:network_link:211:1".into(),
        origin: "live".into(),
        signal: "lost".into(),
        layer: "network_link".into(),
        cell: "211".into(),
        standing: "confirmed".into(),
        since_at: 1_790_000_000_000_000,
        raised_at: 1_790_000_060_000_000,
        attempts: 120,
        hits: 40,
        expected_milli: 1_250,
        evidence_bits: 44,
        needed_bits: 33,
        body: json!({"says": {"zh": "无应答", "en": "no answer"}, "eased": true}).to_string(),
        ..AlarmRow::default()
    };
    fixture.db.store.write(|tx| alarms::put(tx, T, [&alarm])).unwrap();
    let item = fixture.get("/alarms", Operator).await["items"][0].clone();
    assert_eq!(
        (&item["cell"], &item["expected_milli"], &item["evidence_bits"]),
        (&json!("211"), &json!(1_250), &json!(44))
    );
    assert_eq!(
        (&item["says"]["en"], &item["eased"], &item["against_peers"]),
        (&json!("no answer"), &json!(true), &json!(false))
    );
    assert_eq!((&item["since_at"], &item["ended_at"]), (&json!("2026-09-21T22:13:20+08:00"), &json!(null)));
}

#[tokio::test]
async fn a_gateway_is_shown_as_it_stood_last_and_what_its_codes_mean() {
    let fixture = acquirer();
    assert_eq!(fixture.get("/gateways", Reviewer).await, json!({"items": []}));
    let status =
        r#"{"listen": "127.0.0.1:7000", "stats": {"host_codes": {"51": 2}, "gateway_codes": {"97": 1, "other": 3}}}"#;
    let row = |instance: &str, at| GatewayStatusRow { instance: instance.into(), at, status: status.into() };
    let (old, new) = (row("east", 1_790_000_000_000_000), row("west", crate::state::wall_clock()));
    let written = fixture.db.store.write(|tx| {
        gateway_status::put(tx, T, &old)?;
        gateway_status::put(tx, T, &new)
    });
    written.unwrap();
    let items = fixture.get("/gateways", Reviewer).await["items"].clone();
    assert_eq!((&items[0]["instance"], &items[0]["stale"]), (&json!("east"), &json!(true)));
    assert_eq!((&items[1]["instance"], &items[1]["stale"]), (&json!("west"), &json!(false)));
    assert_eq!(items[0]["at"], "2026-09-21T22:13:20+08:00");
    assert_eq!(items[0]["status"]["listen"], "127.0.0.1:7000");
    let codes = items[0]["codes"].as_object().unwrap();
    assert_eq!(codes.keys().collect::<Vec<_>>(), ["51", "97"]);
    assert!(codes["51"]["zh"].as_str().is_some_and(|zh| zh.contains("余额") || zh.contains("资金")), "{codes:?}");
}
