//! The table streams' records, read from and trimmed in dynoxide's own table over a second connection.

use std::{collections::BTreeMap, path::Path};

use anyhow::Context as _;
use rusqlite::{Connection, OptionalExtension as _, Row, params};
use serde_json::{Value, json};

use super::Tables;
use crate::{clock::now_ms, gateway::REGION};

/// How long a stream keeps a record, as on AWS.
const RETENTION_S: i64 = 24 * 60 * 60;
/// Records per trimming transaction: writers wait for it.
const TRIM_MAX: usize = 2_000;
/// dynoxide's public sequence numbers are the stored ones plus this.
const SEQUENCE_OFFSET: u128 = 100_000_000_000_000_000_000;

/// Without this index every write to a streamed table scans its whole stream.
const INDEX: &str =
    "CREATE INDEX IF NOT EXISTS photovault_stream ON _stream_records (table_name, CAST(sequence_number AS INTEGER))";

/// One change of a table. Thousands wait in a batch, so it is kept as text: as a tree it takes eight times as much.
#[derive(Clone, Debug, PartialEq)]
pub struct StreamRecord {
    /// Its place in the stream.
    pub sequence_number: String,
    /// When it was written, seconds since 1970.
    pub created_s: f64,
    /// All of it, in the shape of a Lambda event's record.
    pub json: Box<str>,
}

impl StreamRecord {
    /// Of a record in that shape.
    pub fn new(record: &Value) -> Self {
        let change = &record["dynamodb"];
        Self {
            sequence_number: change["SequenceNumber"].as_str().unwrap_or_default().to_owned(),
            created_s: change["ApproximateCreationDateTime"].as_f64().unwrap_or_default(),
            json: record.to_string().into(),
        }
    }

    /// Parsed, for who looks into it.
    pub fn value(&self) -> Value {
        serde_json::from_str(&self.json).expect("it was JSON when it was kept")
    }
}

pub(super) fn connect(database: &Path) -> anyhow::Result<Connection> {
    let connection = Connection::open(database).with_context(|| format!("opening {}", database.display()))?;
    connection.execute_batch("PRAGMA busy_timeout = 10000; PRAGMA synchronous = NORMAL;")?;
    connection.execute_batch(INDEX).with_context(|| format!("{}: indexing the stream", database.display()))?;
    Ok(connection)
}

pub(super) fn records(
    connection: &Connection,
    table: &str,
    after: Option<&str>,
    max: usize,
) -> anyhow::Result<Vec<StreamRecord>> {
    let mut find = connection.prepare_cached(
        "SELECT event_name, keys_json, new_image, old_image, CAST(sequence_number AS INTEGER), created_at, user_identity, event_id
         FROM _stream_records WHERE table_name = ?1 AND CAST(sequence_number AS INTEGER) > ?2
         ORDER BY CAST(sequence_number AS INTEGER) LIMIT ?3",
    )?;
    let view = view_type(connection, table)?;
    let after = after.map_or(Ok(0), stored)?;
    let mut rows = find.query(params![table, after, max as i64])?;
    let mut records = Vec::new();
    while let Some(row) = rows.next()? {
        records.push(StreamRecord::new(&record(row, table, &view)?));
    }
    Ok(records)
}

/// Removes a batch of old records that no reader needs.
pub(super) fn trim(connection: &Connection, consumed: &BTreeMap<String, String>) -> anyhow::Result<()> {
    let old_s = now_ms() / 1000 - RETENTION_S;
    // Row ids grow with time: the oldest come first, without an index on time.
    let mut oldest = connection.prepare_cached(
        "SELECT id, table_name, CAST(sequence_number AS INTEGER), created_at FROM _stream_records ORDER BY id LIMIT ?1",
    )?;
    let place =
        |row: &Row| -> rusqlite::Result<(i64, String, i64, i64)> { Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)) };
    let oldest: Vec<_> = oldest.query_map([TRIM_MAX as i64], place)?.collect::<Result<_, _>>()?;
    let mut removed = Vec::new();
    for (id, table, sequence, created_s) in oldest {
        let needed = match consumed.get(&table) {
            Some(done) => sequence > stored(done)?,
            None => false,
        };
        if created_s < old_s && !needed {
            removed.push(id);
        }
    }
    if removed.is_empty() {
        return Ok(());
    }
    connection.execute_batch("BEGIN IMMEDIATE")?;
    {
        let mut delete = connection.prepare_cached("DELETE FROM _stream_records WHERE id = ?1")?;
        for id in removed {
            delete.execute([id])?;
        }
    }
    connection.execute_batch("COMMIT")?;
    Ok(())
}

fn record(row: &Row, table: &str, view: &str) -> anyhow::Result<Value> {
    let item = |column: usize| -> anyhow::Result<Option<Value>> {
        let text: Option<String> = row.get(column)?;
        text.map(|text| serde_json::from_str(&text).context("a stream record's image")).transpose()
    };
    let length =
        |column: usize| -> rusqlite::Result<usize> { Ok(row.get::<_, Option<String>>(column)?.map_or(0, |text| text.len())) };
    let sequence: i64 = row.get(4)?;
    let mut change = json!({
        "ApproximateCreationDateTime": row.get::<_, i64>(5)?,
        "Keys": item(1)?,
        "SequenceNumber": (SEQUENCE_OFFSET + sequence.max(0) as u128).to_string(),
        "SizeBytes": length(1)? + length(2)? + length(3)?,
        "StreamViewType": view,
    });
    for (name, column) in [("NewImage", 2), ("OldImage", 3)] {
        if let Some(image) = item(column)? {
            change[name] = image;
        }
    }
    let mut record = json!({
        "eventID": row.get::<_, Option<String>>(7)?.unwrap_or_else(|| sequence.to_string()),
        "eventName": row.get::<_, String>(0)?,
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": REGION,
        "dynamodb": change,
        "eventSourceARN": Tables::stream_arn(table),
    });
    if let Some(identity) = row.get::<_, Option<String>>(6)? {
        record["userIdentity"] = serde_json::from_str(&identity)?;
    }
    Ok(record)
}

fn view_type(connection: &Connection, table: &str) -> anyhow::Result<String> {
    let mut find = connection.prepare_cached("SELECT stream_view_type FROM _tables WHERE table_name = ?1")?;
    let view: Option<Option<String>> = find.query_row([table], |row| row.get(0)).optional()?;
    Ok(view.flatten().unwrap_or_else(|| "NEW_AND_OLD_IMAGES".to_owned()))
}

/// Zero stands for the place before the first record.
fn stored(sequence_number: &str) -> anyhow::Result<i64> {
    let public: Option<u128> = sequence_number.parse().ok();
    let stored = public.and_then(|public| i64::try_from(public.saturating_sub(SEQUENCE_OFFSET)).ok());
    stored.with_context(|| format!("{sequence_number:?} is no sequence number of this engine"))
}
