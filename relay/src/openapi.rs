//! The OpenAPI document of what this relay answers, made from the same lists that it answers by.

use crate::problem::{PROBLEM_CONTENT_TYPE, title};
use satchel_wire::frame::{CONTENT_TYPE, Endpoint, ProblemCode};
use satchel_wire::limits::HTTP_BODY_MAX_BYTES;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

const fn summary(endpoint: Endpoint) -> &'static str {
    match endpoint {
        Endpoint::Claim => "Take over a mailbox that the operator made; signed by the new control key",
        Endpoint::Keys => "Replace the pull and push keys; signed by the control key",
        Endpoint::Pull => "Rows after a cursor; signed by a pull key",
        Endpoint::Rows => "Given rows of a day; signed by a pull key",
        Endpoint::Push => "Keep rows; signed by the push key",
        Endpoint::Announce => "Keep a new turn on top of the newest; signed by the push key",
        Endpoint::Delete => "The day's batch of rows to delete; signed by the control key",
        Endpoint::Pending => "Which rows are to be deleted; signed by the pull key",
        Endpoint::Veto => "Keep rows that a batch names; signed by the push key",
        Endpoint::Wait => "Answer when something follows a cursor, or when the time is over; signed by a pull key",
    }
}

fn operation(endpoint: Endpoint) -> Value {
    let mut codes = BTreeMap::<u16, Vec<&str>>::new();
    for code in ProblemCode::ALL {
        codes.entry(code.status()).or_default().push(code.as_str());
    }
    let problem = json!({ PROBLEM_CONTENT_TYPE: { "schema": { "$ref": "#/components/schemas/Problem" } } });
    let mut responses = Map::new();
    let frame = json!({ CONTENT_TYPE: { "schema": { "$ref": "#/components/schemas/Frame" } } });
    responses.insert("200".to_owned(), json!({ "description": "Done; a frame of deterministic CBOR", "content": frame }));
    if matches!(endpoint, Endpoint::Pull | Endpoint::Wait) {
        responses.insert("204".to_owned(), json!({ "description": "Nothing follows the cursor; after a wait: the time is over" }));
    }
    for (status, codes) in codes {
        responses.insert(status.to_string(), json!({ "description": codes.join(", "), "content": problem }));
    }
    json!({ "post": {
        "summary": summary(endpoint),
        "operationId": endpoint.path().rsplit('/').next(),
        "requestBody": { "required": true, "content": { CONTENT_TYPE: { "schema": { "$ref": "#/components/schemas/Signed" } } } },
        "responses": responses,
    } })
}

/// The document, as JSON (OpenAPI 3.1).
pub fn document() -> String {
    let mut paths = Map::new();
    for endpoint in Endpoint::ALL {
        paths.insert(endpoint.path().to_owned(), operation(endpoint));
    }
    let text = |description: &str| json!({ "description": description, "content": { "text/plain": { "schema": { "type": "string" } } } });
    let probe = |what: &str, other: Option<&str>| {
        let mut responses = Map::from_iter([("200".to_owned(), text(what))]);
        if let Some(other) = other {
            responses.insert("503".to_owned(), text(other));
        }
        json!({ "get": { "summary": what, "responses": responses } })
    };
    paths.insert("/healthz".to_owned(), probe("The process is up", None));
    paths.insert("/readyz".to_owned(), probe("Storage answers", Some("Storage does not answer")));
    let types: Vec<String> = ProblemCode::ALL.into_iter().map(|code| format!("urn:satchel:problem:{}", code.as_str())).collect();
    let titles: Vec<&str> = ProblemCode::ALL.into_iter().map(title).collect();
    let document = json!({
        "openapi": "3.1.0",
        "info": { "title": "Satchel relay", "version": env!("CARGO_PKG_VERSION"), "license": { "name": "Apache-2.0 OR MIT" } },
        "paths": paths,
        "components": { "schemas": {
            "Signed": { "type": "string", "contentEncoding": "binary", "maxLength": HTTP_BODY_MAX_BYTES,
                "description": "Deterministic CBOR {0: frame, 1: Ed25519 signature}; frames stand in docs/FORMAT.md" },
            "Frame": { "type": "string", "contentEncoding": "binary", "maxLength": HTTP_BODY_MAX_BYTES },
            "Problem": { "type": "object", "required": ["type", "title", "status"], "properties": {
                "type": { "type": "string", "enum": types },
                "title": { "type": "string", "enum": titles },
                "status": { "type": "integer" },
                "relay_time": { "type": "integer", "description": "Unix seconds, with clock_skew" },
            } },
        } },
    });
    serde_json::to_string_pretty(&document).unwrap_or_default()
}
