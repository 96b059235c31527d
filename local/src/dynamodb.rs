//! DynamoDB by dynoxide, in process.

use std::{path::Path, sync::Arc};

use tokio::sync::Notify;

/// Tables of the engine, in `<data>/catalog.db`.
pub struct Tables;

impl Tables {
    /// Opens or creates the database.
    pub fn open(_data: &Path) -> anyhow::Result<Arc<Self>> {
        todo!()
    }
    /// Creates a table from the `CreateTable` request; a table of that name already there is fine.
    pub async fn create_table(&self, _request: serde_json::Value) -> anyhow::Result<()> {
        todo!()
    }
    /// Turns time to live on for `attribute`.
    pub async fn set_time_to_live(&self, _table: &str, _attribute: &str) -> anyhow::Result<()> {
        todo!()
    }
    /// Stream records after a sequence number (`None`: from the trim horizon), in the shape of a Lambda event's records.
    pub async fn stream_records(&self, _table: &str, _after: Option<String>, _max: usize) -> anyhow::Result<Vec<serde_json::Value>> {
        todo!()
    }
    /// Fires (`notify_waiters`) after every write to any table; create the `notified()` future before looking at the stream.
    pub fn written(&self) -> &Notify {
        todo!()
    }
    /// ARN of a table's stream.
    pub fn stream_arn(_table: &str) -> String {
        todo!()
    }
}
