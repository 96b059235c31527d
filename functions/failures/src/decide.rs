//! What a dead letter says: which stage's, whose item, and what is kept of it.

use std::collections::BTreeMap;

use photovault_domain::{Entry, Job, Letter, Media, MediaId, Refusal, Stage, State, Upload, UploadKey, UserId, UtcMs};
use photovault_lambda::Message;
use photovault_validate::{created_uploads, placeholder};

/// A dead message, understood.
#[derive(Clone, Debug, PartialEq)]
pub struct Dead {
    /// What is kept of it.
    pub letter: Letter,
    /// The item that it was about, where it was about one.
    pub item: Option<DeadItem>,
}

/// The item that a dead message was about.
#[derive(Clone, Debug, PartialEq)]
pub struct DeadItem {
    /// Whose.
    pub user: UserId,
    /// Which.
    pub media: MediaId,
    /// What gave up.
    pub stage: Stage,
    /// What to show where there is no item yet.
    pub placeholder: Option<Media>,
}

/// Reads a dead message. Total: what is not understood is kept as it is.
pub fn decide(message: &Message, owner: &UserId, now: UtcMs) -> Dead {
    let stage = stage_of_queue(&message.queue_arn);
    let item = match Stage::from_name(&stage) {
        Some(Stage::Validate) => dead_upload(message, owner, now),
        Some(stage) => dead_job(&message.body, stage),
        None => None,
    };
    let letter = Letter {
        id: format!("{}#{}", message.sent.sort_key(), message.id),
        user: item.as_ref().map(|item| item.user.clone()),
        media: item.as_ref().map(|item| item.media.clone()),
        name: String::new(),
        reason: format!("{stage} gave up; its log says why"),
        body: message.body.clone(),
        attempts: message.received,
        died: now,
        stage,
    };
    Dead { letter, item }
}

/// `arn:aws:sqs:…:<stack>-<stage>-dlq` → `<stage>`.
fn stage_of_queue(arn: &str) -> String {
    let name = arn.rsplit(':').next().unwrap_or_default();
    let name = name.strip_suffix("-dlq").unwrap_or(name);
    name.rsplit('-').next().unwrap_or_default().to_owned()
}

fn dead_job(body: &str, stage: Stage) -> Option<DeadItem> {
    let job: Job = serde_json::from_str(body).ok().filter(|job: &Job| job.stage == stage)?;
    Some(DeadItem { user: job.user, media: job.media, stage, placeholder: None })
}

/// The first upload of the event: S3 sends one a message.
fn dead_upload(message: &Message, owner: &UserId, now: UtcMs) -> Option<DeadItem> {
    let upload = created_uploads(&message.body).ok()?.into_iter().next()?;
    let key = UploadKey::parse(&upload.key, owner);
    let id = placeholder(&key.user, &upload);
    let pending = Entry { state: State::Pending, ..Entry::pending(Stage::Validate.recipe()) };
    let arrival = Upload { name: key.name, bucket: upload.bucket, key: upload.key, version: upload.version, at: message.sent };
    let media = Media {
        user: key.user.clone(),
        id: id.clone(),
        sha256: None,
        object: None,
        format: None,
        size_bytes: 0,
        width: None,
        height: None,
        uploads: vec![arrival],
        refusal: None::<Refusal>,
        created: now,
        updated: now,
        ledger: BTreeMap::from([(Stage::Validate, pending)]),
        derivatives: None,
        facts: None,
        version: 0,
    };
    Some(DeadItem { user: key.user, media: id, stage: Stage::Validate, placeholder: Some(media) })
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
            ("", ""),
        ] {
            assert_eq!(stage_of_queue(arn), stage);
        }
    }
}
