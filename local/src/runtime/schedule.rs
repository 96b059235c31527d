//! Schedules: a function called every so often, by the engine's clock. When the next call is due survives the engine.

use std::{sync::Arc, time::Duration};

use serde_json::json;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use tokio::sync::watch;

use super::{function::Function, random::request_id};
use crate::{
    clock::now_ms,
    gateway::{ACCOUNT, REGION},
    store::Store,
    template::ScheduleSource,
};

/// One schedule.
pub(crate) struct Schedule {
    pub(crate) function: Arc<Function>,
    pub(crate) store: Arc<Store>,
    pub(crate) source: ScheduleSource,
}

impl Schedule {
    /// Runs until `stopping` turns true; a call at work comes to its end first.
    pub(crate) async fn run(self, mut stopping: watch::Receiver<bool>) {
        let mut due_ms = self.begin().await;
        loop {
            let left_ms = u64::try_from(due_ms - now_ms()).unwrap_or(0);
            tokio::select! {
                biased;
                _ = stopping.wait_for(|it| *it) => return,
                () = tokio::time::sleep(Duration::from_millis(left_ms)) => {}
            }
            // Before the call: one that kills the engine must not be the first thing that the next engine does, for ever.
            due_ms = self.next_after(now_ms()).await;
            let result = self.function.invoke(self.event().to_string()).await;
            if let Err(error) = result.outcome {
                tracing::warn!(function = self.function.spec.name, request.id = result.request_id, %error, "a scheduled call failed");
            }
        }
    }

    /// When the first call is due: what an engine missed while it was off is made up for once.
    async fn begin(&self) -> i64 {
        let known = self.store.checkpoint(&self.place()).await.unwrap_or_else(|error| {
            tracing::error!(error = format!("{error:#}"), "the schedule's place could not be read");
            None
        });
        match known.and_then(|text| text.parse().ok()) {
            // A clock that was set back must not stop a schedule for longer than its interval.
            Some(due_ms) if due_ms <= now_ms() + self.interval_ms() => due_ms,
            _ => self.next_after(now_ms()).await,
        }
    }

    async fn next_after(&self, at_ms: i64) -> i64 {
        let due_ms = at_ms + self.interval_ms();
        if let Err(error) = self.store.set_checkpoint(&self.place(), &due_ms.to_string()).await {
            tracing::error!(
                error = format!("{error:#}"),
                "the schedule's place could not be written: after a restart it may be early"
            );
        }
        due_ms
    }

    fn interval_ms(&self) -> i64 {
        i64::try_from(self.source.every_s.saturating_mul(1000)).unwrap_or(i64::MAX / 2)
    }

    /// The name of the durable place: when the next call is due.
    fn place(&self) -> String {
        format!("schedule/{}/{}", self.function.spec.name, self.source.id)
    }

    fn event(&self) -> serde_json::Value {
        let time = OffsetDateTime::from_unix_timestamp(now_ms() / 1000).unwrap_or(OffsetDateTime::UNIX_EPOCH);
        self.source.input.clone().unwrap_or_else(|| {
            json!({
                "version": "0", "id": request_id(), "detail-type": "Scheduled Event", "source": "aws.events", "account": ACCOUNT,
                "time": time.format(&Rfc3339).unwrap_or_default(), "region": REGION,
                "resources": [format!("arn:aws:events:{REGION}:{ACCOUNT}:rule/{}", self.source.id)], "detail": {},
            })
        })
    }
}
