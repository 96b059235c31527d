//! What a dead letter says: which stage's, whose item, and what is kept of it.

use std::collections::BTreeMap;

use photovault_domain::{Entry, Job, Letter, Media, MediaId, Stage, State, Upload, UploadKey, UserId, UtcMs};
use photovault_lambda::Message;
use photovault_validate::{created_uploads, placeholder};
use photovault_vault::UploadRef;

/// A dead message, understood.
#[derive(Clone, Debug, PartialEq)]
pub struct Dead {
    /// What is kept of it.
    pub letter: Letter,
    /// What it was about.
    pub subject: Subject,
}

/// What a dead message was about.
#[derive(Clone, Debug, PartialEq)]
pub enum Subject {
    /// A stage's work on an item.
    Job(Job),
    /// An upload that was not taken in, and what to show for it.
    Upload(UploadRef, Media),
    /// Something that is not understood: the message is all there is.
    Unknown,
}

impl Subject {
    fn item(&self) -> Option<(UserId, MediaId)> {
        match self {
            Self::Job(job) => Some((job.user.clone(), job.media.clone())),
            Self::Upload(_, placeholder) => Some((placeholder.user.clone(), placeholder.id.clone())),
            Self::Unknown => None,
        }
    }
}

/// Reads a dead message. Total: what is not understood is kept as it is.
pub fn decide(message: &Message, owner: &UserId, now: UtcMs) -> Dead {
    let stage = stage_of_queue(&message.queue_arn);
    let subject = match Stage::from_name(&stage) {
        Some(Stage::Validate) => dead_upload(message, owner, now),
        Some(stage) => dead_job(&message.body, stage),
        None => None,
    };
    let subject = subject.unwrap_or(Subject::Unknown);
    let (user, media) = subject.item().unzip();
    let letter = Letter {
        id: format!("{}#{}", message.sent.sort_key(), message.id),
        user,
        media,
        name: String::new(),
        reason: format!("{stage} gave up; its log says why"),
        body: message.body.clone(),
        attempts: message.received,
        died: now,
        stage,
    };
    Dead { letter, subject }
}

/// `arn:aws:sqs:…:<stack>-<stage>-dlq` → `<stage>`, whether a function gave up or the worker.
fn stage_of_queue(arn: &str) -> String {
    let name = arn.rsplit(':').next().unwrap_or_default();
    let name = name.strip_suffix(".fifo").unwrap_or(name);
    let name = name.strip_suffix("-dlq").unwrap_or(name);
    let name = name.strip_suffix("-slow").unwrap_or(name);
    name.rsplit('-').next().unwrap_or_default().to_owned()
}

fn dead_job(body: &str, stage: Stage) -> Option<Subject> {
    serde_json::from_str(body).ok().filter(|job: &Job| job.stage == stage).map(Subject::Job)
}

/// The first upload of the event: S3 sends one a message.
fn dead_upload(message: &Message, owner: &UserId, now: UtcMs) -> Option<Subject> {
    let upload = created_uploads(&message.body).ok()?.into_iter().next()?;
    let key = UploadKey::parse(&upload.key, owner);
    let id = placeholder(&key.user, &upload);
    let pending = Entry { state: State::Pending, ..Entry::pending(Stage::Validate.recipe()) };
    let (bucket, object, version) = (upload.bucket.clone(), upload.key.clone(), upload.version.clone());
    let arrival = Upload { name: key.name, bucket, key: object, version, at: message.sent };
    let media =
        Media { uploads: vec![arrival], ledger: BTreeMap::from([(Stage::Validate, pending)]), ..Media::new(key.user, id, now) };
    Some(Subject::Upload(upload, media))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_queue_names_its_stage() {
        for (arn, stage) in [
            ("arn:aws:sqs:us-east-1:000000000000:photovault-thumbnail-dlq", "thumbnail"),
            ("arn:aws:sqs:us-east-1:000000000000:my-own-stack-validate-dlq", "validate"),
            ("arn:aws:sqs:us-east-1:000000000000:photovault-dispatch-dlq", "dispatch"),
            ("arn:aws:sqs:us-east-1:000000000000:photovault-memories-dlq.fifo", "memories"),
            ("arn:aws:sqs:us-east-1:000000000000:my-own-stack-video-slow-dlq", "video"),
            ("", ""),
        ] {
            assert_eq!(stage_of_queue(arn), stage);
        }
    }
}
