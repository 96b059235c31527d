//! Work for stages: what `dispatch` sends and a stage's runner returns to its queue.

use std::{fmt::Write as _, sync::Arc};

use photovault_domain::{Job, News, NewsOf, Stage, UserId};

use crate::{
    Names, UploadRef,
    seams::{Outgoing, Queue, SeamError, SeamResult},
};

/// The queue of the worker, which takes what would be too much for a function.
pub const SLOW_QUEUE: &str = "video-slow";
/// The queue whose messages start a worker, where something is needed for that.
pub const START_QUEUE: &str = "video-start";
/// Messages that one request carries at most (SQS).
const MAX_BATCH: usize = 10;

/// The stages' queues.
#[derive(Clone)]
pub struct Jobs {
    queue: Arc<dyn Queue>,
    names: Arc<Names>,
}

impl Jobs {
    pub(crate) fn new(queue: Arc<dyn Queue>, names: Arc<Names>) -> Self {
        Self { queue, names }
    }

    /// Sends jobs to one stage; each with the seconds until it may begin. What is too much for a function goes to the worker.
    pub async fn send(&self, stage: Stage, jobs: &[(Job, u32)]) -> SeamResult<()> {
        let (slow, fast): (Vec<_>, Vec<_>) = jobs.iter().cloned().partition(|(job, _)| self.names.processing.is_slow(job));
        self.send_through(stage.name(), &fast).await?;
        self.send_through(SLOW_QUEUE, &slow).await?;
        if let (Some(start), false) = (self.names.queues.get(START_QUEUE), slow.is_empty()) {
            // In this order: a worker that is started finds its work.
            self.queue.send(start, vec![Outgoing { body: "{}".into(), delay_s: 0, group: None }]).await?;
        }
        Ok(())
    }

    async fn send_through(&self, queue: &str, jobs: &[(Job, u32)]) -> SeamResult<()> {
        if jobs.is_empty() {
            return Ok(());
        }
        let url = queue_url(&self.names, queue)?;
        for batch in jobs.chunks(MAX_BATCH) {
            let body = |job: &Job| serde_json::to_string(job).expect("a job is plain data");
            let group = |job: &Job| job.stage.spec().in_order.then(|| job.user.to_string());
            let message = |(job, delay_s): &(Job, u32)| Outgoing { body: body(job), delay_s: *delay_s, group: group(job) };
            let messages = batch.iter().map(message).collect();
            self.queue.send(url, messages).await?;
        }
        Ok(())
    }

    /// Sends an upload's event to `validate` again, as the bucket would tell of it, to come after so many seconds.
    pub async fn send_upload(&self, upload: &UploadRef, delay_s: u32) -> SeamResult<()> {
        let message = Outgoing { body: created_event(upload), delay_s, group: None };
        self.queue.send(queue_url(&self.names, Stage::Validate.name())?, vec![message]).await
    }

    /// Brings news to `notify`, which has them in the user's inbox once, by their key and time.
    pub async fn send_news(&self, user: &UserId, news: News) -> SeamResult<()> {
        let body = serde_json::to_string(&NewsOf { user: user.clone(), news }).expect("news are plain data");
        let message = Outgoing { body, delay_s: 0, group: None };
        self.queue.send(queue_url(&self.names, Stage::Notify.name())?, vec![message]).await
    }

    /// Lets a received message of the function's own queue come back after so many seconds.
    pub async fn return_after(&self, stage: Stage, receipt: &str, seconds: u32) -> SeamResult<()> {
        self.queue.return_after(queue_url(&self.names, stage.name())?, receipt, seconds).await
    }

    /// About how many jobs wait in a stage's queue.
    pub async fn waiting(&self, stage: Stage) -> SeamResult<u64> {
        self.queue.waiting(queue_url(&self.names, stage.name())?).await
    }

    /// Keeps a message of the worker's hidden for so many seconds from now on; none lets it come back.
    pub async fn hold_slow(&self, receipt: &str, seconds: u32) -> SeamResult<()> {
        self.queue.return_after(queue_url(&self.names, SLOW_QUEUE)?, receipt, seconds).await
    }
}

/// The event of an upload in S3's shape. Keys are form-encoded there.
fn created_event(upload: &UploadRef) -> String {
    let mut key = String::new();
    for byte in upload.key.bytes() {
        write!(key, "%{byte:02X}").expect("writing to a string");
    }
    serde_json::json!({"Records": [{
        "eventVersion": "2.1", "eventSource": "aws:s3", "eventName": "ObjectCreated:Copy",
        "eventTime": "1970-01-01T00:00:00.000Z", "userIdentity": {}, "requestParameters": {}, "responseElements": {},
        "s3": {"bucket": {"name": upload.bucket}, "object": {"key": key, "versionId": upload.version}},
    }]})
    .to_string()
}

pub(crate) fn queue_url<'a>(names: &'a Names, stage: &str) -> SeamResult<&'a str> {
    names.queues.get(stage).map(String::as_str).ok_or_else(|| SeamError {
        asked: format!("queue {stage}"),
        answer: format!("its URL is not configured (QUEUE_{})", stage.to_uppercase().replace('-', "_")),
    })
}
