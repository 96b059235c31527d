//! Between rows and what they hold: a row is the value's fields and its key.

use serde::{Serialize, de::DeserializeOwned};

use crate::seams::{Row, RowKey, SeamError, SeamResult, Table};

/// A value as a row under `key`.
pub(crate) fn row_of<T: Serialize>(value: &T, key: RowKey) -> Row {
    let Ok(serde_json::Value::Object(mut row)) = serde_json::to_value(value) else {
        unreachable!("what the catalog holds is plain structs")
    };
    row.insert("pk".into(), key.pk.into());
    row.insert("sk".into(), key.sk.into());
    row
}

/// The value in the row under `key`, if there is one.
pub(crate) async fn value_at<T: DeserializeOwned>(table: &dyn Table, key: &RowKey) -> SeamResult<Option<T>> {
    table.row(key).await?.as_deref().map(value_of).transpose()
}

/// Comes past the rows of a partition whose sort keys begin with `prefix`, in order, after a place; so many to a request.
pub(crate) async fn each_row(
    table: &dyn Table,
    pk: &str,
    prefix: &str,
    mut after: Option<String>,
    page: u32,
    mut each: impl FnMut(&Row) -> SeamResult<()>,
) -> SeamResult<()> {
    loop {
        let rows = table.rows(pk, prefix, after.as_deref(), page).await?;
        rows.items.iter().try_for_each(|row| each(row))?;
        after = rows.next;
        if after.is_none() {
            return Ok(());
        }
    }
}

/// A row's sort key.
pub(crate) fn sort_key(row: &Row) -> &str {
    row.get("sk").and_then(serde_json::Value::as_str).unwrap_or_default()
}

/// The value in a row; the key and index attributes are passed over.
pub(crate) fn value_of<T: DeserializeOwned>(row: &Row) -> SeamResult<T> {
    T::deserialize(row).map_err(|error| {
        let sk = row.get("sk").map(ToString::to_string).unwrap_or_default();
        SeamError { asked: format!("reading of row {sk}"), answer: error.to_string() }
    })
}
