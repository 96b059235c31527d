//! An event source mapping from a table's stream: in order, from a durable place, one batch at a time.

use std::{sync::Arc, time::Duration};

use anyhow::Result;
use tokio::{sync::watch, time::Instant};

use super::{feed::Feed, function::Function, stream_batch::Batches};
use crate::{
    dynamodb::StreamRecord,
    store::Store,
    template::{StartingPosition, StreamSource},
};

/// Without news the stream is looked at this often all the same.
const FALLBACK: Duration = Duration::from_secs(15);
/// After an error of the engine's own storage.
const PAUSE: Duration = Duration::from_secs(1);
/// Looks at the stream within a batching window, for whether a batch is full before its end.
const LOOKS: u32 = 8;
/// Records to step over at a time when a mapping begins at the end.
const STRIDE: usize = 1000;

/// One mapping.
pub(crate) struct StreamMapping {
    pub(crate) function: Arc<Function>,
    pub(crate) feed: Arc<dyn Feed>,
    pub(crate) store: Arc<Store>,
    /// The table's name.
    pub(crate) table: String,
    pub(crate) source: StreamSource,
    /// The name of the on-failure queue.
    pub(crate) on_failure: Option<String>,
}

impl StreamMapping {
    /// Runs until `stopping` turns true; a batch at work comes to its end first.
    pub(crate) async fn run(self, mut stopping: watch::Receiver<bool>) {
        let mut position = loop {
            match self.begin().await {
                Ok(position) => break position,
                Err(error) => self.pause(&error).await,
            }
        };
        loop {
            let batch = tokio::select! {
                biased;
                _ = stopping.wait_for(|it| *it) => return,
                batch = self.gather(position.clone()) => batch,
            };
            match batch {
                Ok(records) if records.is_empty() => {}
                Ok(records) => {
                    if let Some(reached) = self.work(records, &stopping).await {
                        position = Some(reached);
                    }
                }
                Err(error) => self.pause(&error).await,
            }
        }
    }

    /// The name of the durable place: the function's and the event's, so that a second mapping has its own.
    fn checkpoint(&self) -> String {
        format!("stream/{}/{}/{}", self.function.spec.name, self.source.id, self.table)
    }

    async fn begin(&self) -> Result<Option<String>> {
        let mut position = self.store.checkpoint(&self.checkpoint()).await?;
        if position.is_none() && self.source.starting_position == StartingPosition::Latest {
            loop {
                let records = self.feed.records(&self.table, position.as_deref(), STRIDE).await?;
                let Some(last) = records.last() else { break };
                position = Some(last.sequence_number.clone());
            }
            // Without a record yet, the mapping begins before the first one.
            self.store.set_checkpoint(&self.checkpoint(), position.as_deref().unwrap_or("0")).await?;
        }
        self.feed.consumed(&self.checkpoint(), &self.table, position.as_deref().unwrap_or("0"));
        Ok(position)
    }

    /// The next records after a place, filtered or not; empty when there is nothing new.
    async fn gather(&self, position: Option<String>) -> Result<Vec<StreamRecord>> {
        let most = self.source.batch_size as usize;
        let (window, mut window_end) = (Duration::from_secs(self.source.window_s.into()), None);
        loop {
            let written = self.feed.written();
            let records = self.feed.records(&self.table, position.as_deref(), most).await?;
            let until = match (records.is_empty(), self.source.window_s) {
                (true, _) => Instant::now() + FALLBACK,
                (false, 0) => return Ok(records),
                (false, _) => *window_end.get_or_insert_with(|| Instant::now() + window),
            };
            if records.len() >= most || (!records.is_empty() && Instant::now() >= until) {
                return Ok(records);
            }
            if records.is_empty() {
                tokio::select! {
                    () = written => {}
                    () = tokio::time::sleep_until(until) => {}
                }
            } else {
                drop(records);
                // Within a window each look reads all that has come so far: not one for every write.
                tokio::time::sleep_until(until.min(Instant::now() + window / LOOKS)).await;
            }
        }
    }

    /// Works a batch to its end; gives the place that was reached.
    async fn work(&self, records: Vec<StreamRecord>, stopping: &watch::Receiver<bool>) -> Option<String> {
        let last = records.last()?.sequence_number.clone();
        let wanted = records.into_iter().filter(|it| self.source.filter.matches(&it.value())).collect();
        let mut batches = Batches { mapping: self, stopping: stopping.clone(), reached: None };
        let reached = if batches.process(wanted).await { Some(last) } else { batches.reached };
        if let Some(reached) = &reached {
            if let Err(error) = self.store.set_checkpoint(&self.checkpoint(), reached).await {
                // The records come again after a restart; handlers expect that.
                self.pause(&error).await;
            }
            self.feed.consumed(&self.checkpoint(), &self.table, reached);
        }
        reached
    }

    async fn pause(&self, error: &anyhow::Error) {
        tracing::error!(table = self.table, error = format!("{error:#}"), "the stream could not be read");
        tokio::time::sleep(PAUSE).await;
    }
}
