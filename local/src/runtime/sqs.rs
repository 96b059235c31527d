//! An event source mapping from a queue: long poll, batch, invoke, delete what succeeded.
//!
//! What failed is left alone: it returns when its visibility ends, or sooner when the function itself said so.

use std::{sync::Arc, time::Duration};

use anyhow::{Context as _, Result};
use tokio::{
    sync::{Semaphore, watch},
    task::JoinSet,
    time::Instant,
};

use super::{feed::Feed, function::Function, sqs_event};
use crate::{sqs::Message, template::SqsSource};

/// As long as a long poll of SQS; nothing is looked at in between.
const LONG_POLL: Duration = Duration::from_secs(20);
/// After an error of the engine's own storage.
const PAUSE: Duration = Duration::from_secs(1);

/// Messages that one request to SQS receives or deletes.
const REQUEST_MAX: usize = 10;
/// Lambda's limit on a synchronous event.
const EVENT_MAX_BYTES: usize = 6 * 1024 * 1024;
/// What a record has around its body, generously.
const RECORD_BYTES: usize = 2048;

/// One mapping.
pub(crate) struct SqsMapping {
    pub(crate) function: Arc<Function>,
    pub(crate) feed: Arc<dyn Feed>,
    /// The queue's name.
    pub(crate) queue: String,
    pub(crate) source: SqsSource,
    /// Hide failed messages for this long instead of for the rest of their visibility.
    pub(crate) retry_delay_s: Option<u32>,
}

impl SqsMapping {
    /// Runs until `stopping` turns true; then waits for what is at work.
    pub(crate) async fn run(self, mut stopping: watch::Receiver<bool>) {
        let mapping = Arc::new(self);
        let wanted = mapping.source.maximum_concurrency.map_or(usize::MAX, |it| it as usize);
        let concurrency = wanted.min(mapping.function.workers());
        let permits = Arc::new(Semaphore::new(concurrency));
        // In a set, so that they end with this mapping when it is aborted.
        let mut working = JoinSet::new();
        loop {
            let Ok(permit) = Arc::clone(&permits).acquire_owned().await else { return };
            while working.try_join_next().is_some() {}
            let batch = tokio::select! {
                biased;
                _ = stopping.wait_for(|it| *it) => break,
                batch = mapping.gather() => batch,
            };
            match batch {
                Ok(batch) if batch.is_empty() => {}
                Ok(batch) => {
                    let mapping = Arc::clone(&mapping);
                    working.spawn(async move {
                        if let Err(error) = mapping.work(batch).await {
                            tracing::error!(queue = mapping.queue, error = format!("{error:#}"), "a batch could not be settled");
                        }
                        drop(permit);
                    });
                }
                Err(error) => {
                    tracing::error!(queue = mapping.queue, error = format!("{error:#}"), "messages could not be received");
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
        while working.join_next().await.is_some() {}
    }

    /// One batch: what one receive brings, or what the window brings.
    async fn gather(&self) -> Result<Vec<Message>> {
        let most = self.source.batch_size as usize;
        let mut batch = self.receive(most, LONG_POLL).await?;
        if batch.is_empty() || self.source.window_s == 0 {
            return Ok(batch);
        }
        let end = Instant::now() + Duration::from_secs(self.source.window_s.into());
        while batch.len() < most && Instant::now() < end {
            batch.extend(self.receive(most - batch.len(), end - Instant::now()).await?);
        }
        Ok(batch)
    }

    /// Receives, and deletes what the filter does not want: on AWS too, a message that is filtered out is gone.
    async fn receive(&self, most: usize, wait: Duration) -> Result<Vec<Message>> {
        let received = self.feed.receive(&self.queue, most, wait).await?;
        if self.source.filter.is_open() {
            return Ok(received);
        }
        let (wanted, unwanted): (Vec<_>, Vec<_>) =
            received.into_iter().partition(|it| self.source.filter.matches_message(&it.body));
        self.delete(unwanted.iter()).await?;
        Ok(wanted)
    }

    /// In as many invocations as Lambda's limit on an event asks for; nearly always one.
    async fn work(&self, mut batch: Vec<Message>) -> Result<()> {
        while !batch.is_empty() {
            let mut size_bytes = 0;
            let fits = batch.iter().take_while(|it| {
                // Quotes within a body take two bytes in the event.
                size_bytes += it.body.len() * 2 + RECORD_BYTES;
                size_bytes <= EVENT_MAX_BYTES
            });
            let count = fits.count().max(1);
            let rest = batch.split_off(count);
            self.invoke(std::mem::replace(&mut batch, rest)).await?;
        }
        Ok(())
    }

    async fn invoke(&self, batch: Vec<Message>) -> Result<()> {
        let event = sqs_event::event(&batch, &self.source.queue_arn);
        self.function.meter_batch(batch.len(), 2 * batch.len().div_ceil(REQUEST_MAX));
        let result = self.function.invoke(serde_json::to_vec(&event)?).await;
        let ids: Vec<&str> = batch.iter().map(|it| it.id.as_str()).collect();
        let failed = match &result.outcome {
            Err(error) => Err(error.to_string()),
            Ok(response) if self.source.report_failures => sqs_event::failed_items(response, &ids),
            Ok(_) => Ok(std::collections::HashSet::new()),
        };
        let failed = failed.unwrap_or_else(|error| {
            let (function, request) = (&self.function.spec.name, &result.request_id);
            tracing::warn!(function, request.id = request, messages = batch.len(), error, "the whole batch failed");
            ids.iter().map(|it| (*it).to_owned()).collect()
        });
        let (failed, done): (Vec<_>, Vec<_>) = batch.iter().partition(|it| failed.contains(&it.id));
        self.delete(done.into_iter()).await?;
        if let Some(delay_s) = self.retry_delay_s {
            for message in failed {
                self.feed.change_visibility(&self.queue, &message.receipt, delay_s).await?;
            }
        }
        Ok(())
    }

    async fn delete(&self, messages: impl Iterator<Item = &Message>) -> Result<()> {
        let receipts: Vec<String> = messages.map(|it| it.receipt.clone()).collect();
        if receipts.is_empty() {
            return Ok(());
        }
        self.feed.delete(&self.queue, &receipts).await.with_context(|| format!("deleting from {}", self.queue))
    }
}
