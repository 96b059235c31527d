//! Between rows and what they hold: a row is the value's fields and its key.

use serde::{Serialize, de::DeserializeOwned};

use crate::seams::{Row, RowKey, SeamError, SeamResult};

/// A value as a row under `key`.
pub(crate) fn row_of<T: Serialize>(value: &T, key: RowKey) -> Row {
    let Ok(serde_json::Value::Object(fields)) = serde_json::to_value(value) else {
        unreachable!("what the catalog holds is plain structs")
    };
    let mut row: Row = fields.into_iter().collect();
    row.insert("pk".into(), key.pk.into());
    row.insert("sk".into(), key.sk.into());
    row
}

/// The value in a row; the key and index attributes are passed over.
pub(crate) fn value_of<T: DeserializeOwned>(row: Row) -> SeamResult<T> {
    let sk = row.get("sk").map(ToString::to_string).unwrap_or_default();
    serde_json::from_value(serde_json::Value::Object(row.into_iter().collect()))
        .map_err(|error| SeamError { asked: format!("reading of row {sk}"), answer: error.to_string() })
}
