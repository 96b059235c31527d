//! Capacity units of a request, as DynamoDB counts them for its bill: the request is made to ask for them.

use std::borrow::Cow;

use serde::Deserialize;

/// The same request, asking what it consumes; others than those for items cannot ask.
pub(super) fn asking<'a>(action: &str, body: &'a str) -> Cow<'a, str> {
    let can_ask = matches!(action, "GetItem" | "PutItem" | "UpdateItem" | "DeleteItem" | "Query" | "Scan");
    match body.trim_start().strip_prefix('{') {
        Some(rest) if can_ask && !body.contains("\"ReturnConsumedCapacity\"") => {
            Cow::Owned(format!("{{\"ReturnConsumedCapacity\":\"TOTAL\",{rest}"))
        }
        _ => Cow::Borrowed(body),
    }
}

/// What an answer says that its request consumed, indexes included.
pub(super) fn told(answer: &str) -> f64 {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Answer {
        consumed_capacity: Option<Consumed>,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Consumed {
        capacity_units: f64,
    }
    let answer = serde_json::from_str::<Answer>(answer).ok();
    answer.and_then(|answer| answer.consumed_capacity).map_or(0.0, |consumed| consumed.capacity_units)
}

/// Two units for each KB of each item, whether the transaction is done or canceled; the request's text tells about how many KB.
pub(super) fn of_transaction(body: &str) -> f64 {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Request {
        transact_items: Vec<serde_json::Value>,
    }
    let items = serde_json::from_str::<Request>(body).map(|request| request.transact_items).unwrap_or_default();
    items.iter().map(|item| 2.0 * of_refused_write(&item.to_string())).sum()
}

/// A write whose condition does not hold consumes as much as the item has KB, which its new text tells about.
pub(super) fn of_refused_write(body: &str) -> f64 {
    body.len().div_ceil(1024) as f64
}
