//! Where mappings take messages and records from: the engine's own services, or a peer's APIs.

use std::{sync::Arc, time::Duration};

use anyhow::Result;
use async_trait::async_trait;
use futures::future::BoxFuture;

use crate::{
    dynamodb::{StreamRecord, Tables},
    sqs::{Holder, Message, Queues},
};

/// Queues and streams, as an event source mapping needs them.
#[async_trait]
pub(crate) trait Feed: Send + Sync {
    /// Up to `most` messages; waits up to `wait` for the first.
    async fn receive(&self, queue: &str, most: usize, wait: Duration) -> Result<Vec<Message>>;
    /// Deletes received messages.
    async fn delete(&self, queue: &str, receipts: &[String]) -> Result<()>;
    /// Hides a received message for so long from now on.
    async fn change_visibility(&self, queue: &str, receipt: &str, seconds: u32) -> Result<()>;
    /// Sends a message.
    async fn send(&self, queue: &str, body: String) -> Result<()>;
    /// Records of a table's stream after a sequence number (`None`: from the oldest).
    async fn records(&self, table: &str, after: Option<&str>, most: usize) -> Result<Vec<StreamRecord>>;
    /// Ends when there may be new records; counts what is written from the call on.
    fn written(&self) -> BoxFuture<'_, ()>;
    /// A mapping, by its name, is done with records up to this one.
    fn consumed(&self, reader: &str, table: &str, sequence_number: &str);
}

/// The engine's own.
pub(crate) struct Own {
    pub(crate) queues: Arc<Queues>,
    pub(crate) tables: Arc<Tables>,
}

#[async_trait]
impl Feed for Own {
    async fn receive(&self, queue: &str, most: usize, wait: Duration) -> Result<Vec<Message>> {
        self.queues.receive(queue, most, None, wait, Holder::Mapping).await
    }

    async fn delete(&self, queue: &str, receipts: &[String]) -> Result<()> {
        self.queues.delete(queue, receipts).await
    }

    async fn change_visibility(&self, queue: &str, receipt: &str, seconds: u32) -> Result<()> {
        self.queues.change_visibility(queue, receipt, seconds).await.map(drop)
    }

    async fn send(&self, queue: &str, body: String) -> Result<()> {
        self.queues.send(queue, body, 0, std::collections::BTreeMap::new()).await.map(drop)
    }

    async fn records(&self, table: &str, after: Option<&str>, most: usize) -> Result<Vec<StreamRecord>> {
        self.tables.stream_records(table, after.map(str::to_owned), most).await
    }

    fn written(&self) -> BoxFuture<'_, ()> {
        let mut written = Box::pin(self.tables.written().notified());
        written.as_mut().enable();
        written
    }

    fn consumed(&self, reader: &str, table: &str, sequence_number: &str) {
        self.tables.consumed(reader, table, sequence_number);
    }
}
