//! DynamoDB by dynoxide, in process: no second port that would answer unsigned requests.

mod capacity;
mod dispatch;
mod durable;
mod stream;

use std::{
    collections::BTreeMap,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use anyhow::{Context as _, anyhow, bail};
use dynoxide::Database;
use serde_json::{Value, json};
use tokio::{sync::Notify, task::spawn_blocking};

pub(crate) use self::dispatch::Failure;
use self::durable::Durable;
pub use self::stream::StreamRecord;
use crate::gateway::{ACCOUNT, REGION};

/// The label in stream ARNs of events; one stream a table, for its whole life.
const STREAM_LABEL: &str = "2026-01-01T00:00:00.000";

/// Tables of the engine, in `<data>/catalog.db`.
pub struct Tables {
    database: Database,
    durable: Durable,
    written: Notify,
    /// A second connection of our own for the stream's records.
    records: Mutex<rusqlite::Connection>,
    /// By table and reader, the last record that it is done with.
    consumed: Mutex<BTreeMap<(String, String), String>>,
}

impl Tables {
    /// Opens or creates the database.
    pub fn open(data: &Path) -> anyhow::Result<Arc<Self>> {
        std::fs::create_dir_all(data).with_context(|| format!("creating the data folder {}", data.display()))?;
        let path = data.join("catalog.db");
        let database = Database::new(&path.to_string_lossy()).map_err(|error| anyhow!("opening {}: {error}", path.display()))?;
        // Leaves synchronous=NORMAL: a commit itself does not wait for the disk. `Durable` does, for many commits at once.
        database.enable_bulk_loading().map_err(|error| anyhow!("{}: {error}", path.display()))?;
        database.disable_bulk_loading().map_err(|error| anyhow!("{}: {error}", path.display()))?;
        let records = stream::connect(&path)?;
        Ok(Arc::new(Self {
            database,
            durable: Durable::of(&path),
            written: Notify::new(),
            records: Mutex::new(records),
            consumed: Mutex::default(),
        }))
    }

    /// Creates a table from the `CreateTable` request; a table of that name already there is fine.
    pub async fn create_table(&self, request: Value) -> anyhow::Result<()> {
        match self.call("CreateTable", &request.to_string()).await {
            Ok(_) => Ok(()),
            Err(Failure { body, .. }) if body.contains("ResourceInUseException") => Ok(()),
            Err(failure) => bail!("creating the table {}: {}", request["TableName"], failure.body),
        }
    }

    /// Turns time to live on for `attribute`.
    pub async fn set_time_to_live(&self, table: &str, attribute: &str) -> anyhow::Result<()> {
        let described = self.call("DescribeTimeToLive", &json!({"TableName": table}).to_string()).await;
        if described.is_ok_and(|body| body.contains("\"ENABLED\"")) {
            return Ok(());
        }
        let request = json!({"TableName": table, "TimeToLiveSpecification": {"Enabled": true, "AttributeName": attribute}});
        self.call("UpdateTimeToLive", &request.to_string())
            .await
            .map(drop)
            .map_err(|failure| anyhow!("{table}: {}", failure.body))
    }

    /// The same as [`Tables::call`], with the units that it consumes: `(written, read)`.
    pub(crate) async fn metered_call(&self, action: &str, body: &str) -> (Result<String, Failure>, (f64, f64)) {
        let answer = self.call(action, &capacity::asking(action, body)).await;
        let units = match &answer {
            _ if action == "TransactWriteItems" => capacity::of_transaction(body),
            Ok(answer) => capacity::told(answer),
            Err(failure) if failure.is_condition() => capacity::of_refused_write(body),
            Err(_) => 0.0,
        };
        (answer, if dispatch::writes(action) { (units, 0.0) } else { (0.0, units) })
    }

    /// Answers one action, JSON in and out; a write is durable when this returns.
    pub(crate) async fn call(&self, action: &str, body: &str) -> Result<String, Failure> {
        // One row takes less than the switches to another thread and back.
        let answer = if dispatch::is_of_one_row(action) {
            dispatch::run(&self.database, action, body)
        } else {
            let (database, owned, text) = (self.database.clone(), action.to_owned(), body.to_owned());
            let answer = spawn_blocking(move || dispatch::run(&database, &owned, &text));
            answer.await.map_err(|error| Failure::internal(&format!("{action}: {error}")))?
        };
        if dispatch::writes(action) && answer.is_ok() {
            self.durable.sync().await.map_err(|error| Failure::internal(&format!("{error:#}")))?;
            self.written.notify_waiters();
        }
        answer
    }

    /// Fires (`notify_waiters`) after every write to any table; create the `notified()` future before looking at the stream.
    pub fn written(&self) -> &Notify {
        &self.written
    }

    /// Stream records after a sequence number (`None`: from the oldest).
    #[expect(clippy::unused_async, reason = "one shape for all operations of a service")]
    pub async fn stream_records(&self, table: &str, after: Option<String>, max: usize) -> anyhow::Result<Vec<StreamRecord>> {
        let records = self.records.lock().unwrap_or_else(PoisonError::into_inner);
        stream::records(&records, table, after.as_deref(), max)
    }

    /// ARN of a table's stream, as events name it.
    pub fn stream_arn(table: &str) -> String {
        format!("arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{table}/stream/{STREAM_LABEL}")
    }

    /// A reader of the table's stream is done with records up to this one. Once told, trimming never takes later ones: an engine that
    /// was off for a week still has its work.
    pub fn consumed(&self, reader: &str, table: &str, sequence_number: &str) {
        let mut consumed = self.consumed.lock().unwrap_or_else(PoisonError::into_inner);
        consumed.insert((table.to_owned(), reader.to_owned()), sequence_number.to_owned());
    }

    /// By table, where the slowest of its readers has got to. Numbers grow in digits before they grow in value.
    fn slowest(&self) -> BTreeMap<String, String> {
        let mut slowest: BTreeMap<String, String> = BTreeMap::new();
        for ((table, _), place) in &*self.consumed.lock().unwrap_or_else(PoisonError::into_inner) {
            let known = slowest.entry(table.clone()).or_insert_with(|| place.clone());
            if (place.len(), place.as_str()) < (known.len(), known.as_str()) {
                known.clone_from(place);
            }
        }
        slowest
    }

    /// Removes stream records older than a day; called now and then.
    pub(crate) async fn trim_streams(self: &Arc<Self>) -> anyhow::Result<()> {
        let tables = Arc::clone(self);
        let trim = move || {
            let consumed = tables.slowest();
            stream::trim(&tables.records.lock().unwrap_or_else(PoisonError::into_inner), &consumed)
        };
        spawn_blocking(trim).await?
    }

    /// Removes items past their time to live. It reads every item of a table that has one: call it seldom, as AWS does, which takes days.
    pub(crate) async fn expire_items(self: &Arc<Self>) -> anyhow::Result<()> {
        let tables = Arc::clone(self);
        let expired = spawn_blocking(move || -> anyhow::Result<usize> {
            tables.database.sweep_ttl().map_err(|error| anyhow!("removing items past their time to live: {error}"))
        })
        .await??;
        if expired > 0 {
            self.durable.sync().await?;
            self.written.notify_waiters();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Value {
        json!({
            "TableName": "photovault-catalog", "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}, {"AttributeName": "sk", "AttributeType": "S"}],
            "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
            "StreamSpecification": {"StreamEnabled": true, "StreamViewType": "NEW_AND_OLD_IMAGES"},
        })
    }

    #[test]
    fn what_one_reader_still_needs_is_kept_for_it() {
        let folder = tempfile::tempdir().unwrap();
        let tables = Tables::open(folder.path()).unwrap();
        for (reader, place) in [("a", "0"), ("b", "1000"), ("a", "999"), ("b", "1001")] {
            tables.consumed(reader, "catalog", place);
        }
        assert_eq!(tables.slowest()["catalog"], "999");
    }

    #[tokio::test]
    async fn a_stream_gives_every_write_once_in_order_and_from_any_place() {
        let folder = tempfile::tempdir().unwrap();
        let tables = Tables::open(folder.path()).unwrap();
        tables.create_table(table()).await.unwrap();
        tables.create_table(table()).await.unwrap();
        for number in 0..30 {
            let put = json!({"TableName": "photovault-catalog", "Item": {
                "pk": {"S": "U#u"}, "sk": {"S": format!("M#{}", number % 10)}, "n": {"N": number.to_string()}}});
            assert!(tables.call("PutItem", &put.to_string()).await.is_ok());
        }
        drop(tables);
        let tables = Tables::open(folder.path()).unwrap();
        let records = tables.stream_records("photovault-catalog", None, 100).await.unwrap();
        let all: Vec<Value> = records.iter().map(StreamRecord::value).collect();
        let numbers: Vec<_> =
            all.iter().map(|record| record["dynamodb"]["NewImage"]["n"]["N"].as_str().unwrap().to_owned()).collect();
        assert_eq!(numbers, (0..30).map(|number| number.to_string()).collect::<Vec<_>>());
        assert_eq!(all[3]["eventName"], "INSERT");
        assert_eq!(all[13]["eventName"], "MODIFY");
        assert_eq!(all[13]["dynamodb"]["OldImage"]["n"]["N"], "3");
        assert_eq!(all[13]["dynamodb"]["Keys"], json!({"pk": {"S": "U#u"}, "sk": {"S": "M#3"}}));
        assert_eq!(all[13]["dynamodb"]["SequenceNumber"], records[13].sequence_number);
        let place = records[13].sequence_number.clone();
        let rest = tables.stream_records("photovault-catalog", Some(place), 5).await.unwrap();
        assert_eq!(rest, records[14..19]);
    }

    #[tokio::test]
    async fn units_are_counted_as_dynamodb_bills_them() {
        let folder = tempfile::tempdir().unwrap();
        let tables = Tables::open(folder.path()).unwrap();
        let mut with_index = table();
        with_index["AttributeDefinitions"].as_array_mut().unwrap().push(json!({"AttributeName": "due", "AttributeType": "S"}));
        with_index["GlobalSecondaryIndexes"] = json!([{"IndexName": "work",
            "KeySchema": [{"AttributeName": "due", "KeyType": "HASH"}], "Projection": {"ProjectionType": "KEYS_ONLY"}}]);
        tables.create_table(with_index).await.unwrap();
        let put = |due: bool, condition: Value| {
            let mut item = json!({"pk": {"S": "a"}, "sk": {"S": "b"}, "text": {"S": "x".repeat(2500)}});
            if due {
                item["due"] = json!({"S": "now"});
            }
            let mut put = json!({"TableName": "photovault-catalog", "Item": item});
            put.as_object_mut().unwrap().extend(condition.as_object().cloned().unwrap_or_default());
            put.to_string()
        };
        let key = json!({"TableName": "photovault-catalog", "Key": {"pk": {"S": "a"}, "sk": {"S": "b"}}, "ConsistentRead": true});
        let exists = json!({"ConditionExpression": "attribute_not_exists(pk)"});
        for (action, body, want) in [
            ("PutItem", put(false, json!({})), (3.0, 0.0)),
            // One more for the item's entry in the index.
            ("PutItem", put(true, json!({})), (4.0, 0.0)),
            ("PutItem", put(true, exists), (3.0, 0.0)),
            ("GetItem", key.to_string(), (0.0, 1.0)),
        ] {
            assert_eq!(tables.metered_call(action, &body).await.1, want, "{action} {body}");
        }
    }

    #[tokio::test]
    async fn refusals_have_dynamodbs_shape() {
        let folder = tempfile::tempdir().unwrap();
        let tables = Tables::open(folder.path()).unwrap();
        let failure =
            tables.call("GetItem", &json!({"TableName": "none", "Key": {"pk": {"S": "x"}}}).to_string()).await.unwrap_err();
        assert_eq!(failure.status, 400);
        assert!(failure.body.contains("com.amazonaws.dynamodb.v20120810#ResourceNotFoundException"), "{}", failure.body);
        tables.create_table(table()).await.unwrap();
        let put = json!({"TableName": "photovault-catalog", "Item": {"pk": {"S": "a"}, "sk": {"S": "b"}},
            "ConditionExpression": "attribute_exists(pk)"});
        let failure = tables.call("PutItem", &put.to_string()).await.unwrap_err();
        assert!(failure.body.contains("ConditionalCheckFailedException"), "{}", failure.body);
        let failure = tables.call("NoSuchAction", "{}").await.unwrap_err();
        assert!(failure.body.contains("UnknownOperationException"), "{}", failure.body);
    }
}
