//! The OpenAPI 3.1 document, generated from the handlers.

use std::sync::OnceLock;

use serde_json::{Value, json};
use utoipa::{OpenApi, ToSchema};

use crate::api;
use crate::problem::ProblemDocument;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Onus",
        description = "Payment exceptions of an acquirer: what went wrong, who pays first, who bears it, and the proof. \
            Times are RFC 3339 in the acquirer's zone, money is whole minor units (`*_minor`), shares are basis points. \
            Lists are paged: give `next_cursor` back as `cursor`. \
            Requests that change something carry the header `X-Onus-Request: 1`.",
        license(name = "Apache-2.0", identifier = "Apache-2.0")
    ),
    components(schemas(ProblemDocument))
)]
pub(crate) struct Head;

/// The API as an OpenAPI 3.1 document.
#[must_use]
pub fn openapi_json() -> String {
    static TEXT: OnceLock<String> = OnceLock::new();
    TEXT.get_or_init(|| {
        let (_, document) = api::routes().split_for_parts();
        let mut document = serde_json::to_value(document).unwrap_or_default();
        add_security(&mut document);
        require_all_fields(&mut document["components"]["schemas"]);
        add_problems(&mut document);
        let mut text = serde_json::to_string_pretty(&document).unwrap_or_default();
        text.push('\n');
        text
    })
    .clone()
}

fn add_security(document: &mut Value) {
    document["components"]["securitySchemes"] = json!({
        "session": { "type": "apiKey", "in": "cookie", "name": crate::actor::COOKIE }
    });
    document["security"] = json!([{ "session": [] }]);
}

/// Answers always have all their fields, also when one is null.
fn require_all_fields(schema: &mut Value) {
    if let Value::Object(object) = schema {
        let is_object = object.get("type").is_some_and(|it| it == "object");
        let names =
            object.get("properties").and_then(Value::as_object).map(|it| it.keys().cloned().collect::<Vec<_>>());
        if let (true, Some(names)) = (is_object, names) {
            object.insert("required".to_owned(), json!(names));
        }
        object.values_mut().for_each(require_all_fields);
    } else if let Value::Array(items) = schema {
        items.iter_mut().for_each(require_all_fields);
    }
}

/// Every route can answer a problem.
fn add_problems(document: &mut Value) {
    let schema = json!({ "$ref": format!("#/components/schemas/{}", ProblemDocument::name()) });
    let answer = json!({ "description": "A problem", "content": { "application/problem+json": { "schema": schema } } });
    let paths = document["paths"].as_object_mut().into_iter().flatten();
    let operations = paths.filter_map(|(_, item)| item.as_object_mut()).flatten();
    for (_, operation) in operations {
        if let Some(responses) = operation.get_mut("responses").and_then(Value::as_object_mut) {
            responses.insert("default".to_owned(), answer.clone());
        }
    }
}
