//! The API's description: locked, complete, and obeyed by the policy.

use axum::http::{Method, StatusCode};
use serde_json::Value;

use super::fixture::{acquirer, path_values};
use crate::policy::{ROUTES, action_of, allow};
use crate::{Role, openapi_json};

fn described_routes() -> Vec<(Method, String)> {
    let document: Value = serde_json::from_str(&openapi_json()).unwrap();
    let paths = document["paths"].as_object().unwrap().clone();
    let mut routes = Vec::new();
    for (path, item) in paths {
        for method in item.as_object().unwrap().keys() {
            routes.push((method.to_uppercase().parse().unwrap(), path.clone()));
        }
    }
    routes
}

#[test]
fn the_committed_document_is_the_one_of_the_code() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("openapi.json");
    if std::env::var_os("UPDATE_OPENAPI").is_some() {
        std::fs::write(&path, openapi_json()).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    let parsed = |text: &str| serde_json::from_str::<Value>(text).unwrap_or_default();
    assert!(
        parsed(&committed) == parsed(&openapi_json()),
        "crates/server/openapi.json is old; run UPDATE_OPENAPI=1 cargo test -p onus-server, then npm run generate in console"
    );
}

#[test]
fn the_document_is_openapi_3_1_and_refers_only_to_what_is_there() {
    let document: Value = serde_json::from_str(&openapi_json()).unwrap();
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    let text = openapi_json();
    for part in text.split("\"#/components/schemas/").skip(1) {
        let name = part.split('"').next().unwrap();
        assert!(document["components"]["schemas"][name].is_object(), "schema {name}");
    }
}

#[test]
fn every_route_has_an_action_and_every_action_a_route() {
    let mut described: Vec<String> =
        described_routes().iter().map(|(method, path)| format!("{method} {path}")).collect();
    let mut known: Vec<String> = ROUTES.iter().map(|(method, path, _)| format!("{method} {path}")).collect();
    described.sort();
    known.sort();
    assert_eq!(described, known);
}

#[tokio::test]
async fn every_route_needs_identity_and_obeys_the_policy() {
    let fixture = acquirer();
    let values = path_values();
    let mut routes = described_routes();
    routes.sort_by_key(|(method, _)| *method == Method::DELETE); // signing out comes last
    for (method, pattern) in routes {
        let value = values.iter().find(|(end, _)| pattern.ends_with(*end)).map_or("", |(_, value)| value);
        let path = pattern.replace("{id}", value).replace("{index}", value).replace("{step}", "approve");
        let change = [("x-onus-request", "1")];
        let answer = fixture.ask(method.clone(), &path, None, &change).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{method} {path}");
        assert_eq!(answer.header("content-type"), "application/problem+json", "{method} {path}");
        for role in Role::ALL {
            let answer = fixture.ask(method.clone(), &path, Some(role), &change).await;
            let allowed = action_of(&method, &pattern).is_some_and(|action| allow(role, action));
            let expected = match (allowed, role) {
                (true, Role::Agent) if pattern.ends_with("/episodes/{id}") => StatusCode::NOT_FOUND, // not one of its payments
                (true, _) if method == Method::DELETE => StatusCode::NO_CONTENT,
                (true, _) if method == Method::POST => StatusCode::BAD_REQUEST, // a step needs a body
                (true, _) => StatusCode::OK,
                (false, Role::Agent) => StatusCode::NOT_FOUND,
                (false, _) => StatusCode::FORBIDDEN,
            };
            assert_eq!(answer.status, expected, "{method} {path} as {}: {}", role.as_str(), answer.text);
        }
    }
}
