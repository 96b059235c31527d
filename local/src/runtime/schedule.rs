//! Schedules: a function called every so often, by the engine's clock.

use std::{sync::Arc, time::Duration};

use serde_json::json;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use tokio::sync::watch;

use super::{function::Function, random::request_id};
use crate::{
    clock::now_ms,
    gateway::{ACCOUNT, REGION},
    template::ScheduleSource,
};

/// One schedule.
pub(crate) struct Schedule {
    pub(crate) function: Arc<Function>,
    pub(crate) source: ScheduleSource,
}

impl Schedule {
    /// Runs until `stopping` turns true; a call at work comes to its end first.
    pub(crate) async fn run(self, mut stopping: watch::Receiver<bool>) {
        loop {
            tokio::select! {
                biased;
                _ = stopping.wait_for(|it| *it) => return,
                () = tokio::time::sleep(Duration::from_secs(self.source.every_s)) => {}
            }
            let result = self.function.invoke(self.event().to_string()).await;
            if let Err(error) = result.outcome {
                tracing::warn!(function = self.function.spec.name, request.id = result.request_id, %error, "a scheduled call failed");
            }
        }
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
