//! Between rows and what they hold: a row is the value's fields and its key.

use serde::{Serialize, de::DeserializeOwned};

use crate::seams::{Row, RowKey, SeamError, SeamResult};

/// A value as a row under `key`.
pub(crate) fn row_of<T: Serialize>(value: &T, key: RowKey) -> Row {
    let Ok(serde_json::Value::Object(mut row)) = serde_json::to_value(value) else {
        unreachable!("what the catalog holds is plain structs")
    };
    row.insert("pk".into(), key.pk.into());
    row.insert("sk".into(), key.sk.into());
    row
}

/// The value in a row; the key and index attributes are passed over.
pub(crate) fn value_of<T: DeserializeOwned>(row: &Row) -> SeamResult<T> {
    T::deserialize(row).map_err(|error| {
        let sk = row.get("sk").map(ToString::to_string).unwrap_or_default();
        SeamError { asked: format!("reading of row {sk}"), answer: error.to_string() }
    })
}
