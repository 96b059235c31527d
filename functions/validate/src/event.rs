//! S3's event as it arrives in the queue.

use anyhow::Context as _;
use aws_lambda_events::s3::S3Event;
use percent_encoding::percent_decode_str;
use photovault_domain::{MediaId, UserId};
use photovault_vault::UploadRef;

/// The uploads of an S3 event message: test events and deletions are none.
///
/// Keys arrive form-encoded: `+` is a space, `%2B` a plus.
pub fn created_uploads(body: &str) -> anyhow::Result<Vec<UploadRef>> {
    let value: serde_json::Value = serde_json::from_str(body).context("the message is not JSON")?;
    if value["Event"] == "s3:TestEvent" {
        return Ok(Vec::new());
    }
    let event: S3Event = serde_json::from_value(value).context("the message is not an S3 event")?;
    let mut uploads = Vec::new();
    for record in event.records {
        if !record.event_name.unwrap_or_default().starts_with("ObjectCreated:") {
            continue;
        }
        let encoded = record.s3.object.key.context("the S3 event names no key")?.replace('+', " ");
        let key = percent_decode_str(&encoded).decode_utf8().context("the key is not UTF-8")?.into_owned();
        let bucket = record.s3.bucket.name.context("the S3 event names no bucket")?;
        uploads.push(UploadRef { bucket, key, version: record.s3.object.version_id.unwrap_or_default() });
    }
    Ok(uploads)
}

/// The item that stands for an upload whose validation failed before its bytes were hashed.
pub fn placeholder(user: &UserId, upload: &UploadRef) -> MediaId {
    MediaId::of_upload(user, &upload.bucket, &upload.key, &upload.version)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(name: &str, key: &str) -> String {
        let object = serde_json::json!({"key": key, "size": 1, "eTag": "e", "versionId": "v1", "sequencer": "0A"});
        let bucket = serde_json::json!({"name": "uploads", "arn": "arn:aws:s3:::uploads", "ownerIdentity": {"principalId": "p"}});
        serde_json::json!({"Records": [{
            "eventVersion": "2.1", "eventSource": "aws:s3", "awsRegion": "us-east-1", "eventTime": "2026-01-01T00:00:00.000Z",
            "eventName": name, "userIdentity": {"principalId": "p"}, "requestParameters": {"sourceIPAddress": "127.0.0.1"},
            "responseElements": {}, "s3": {"s3SchemaVersion": "1.0", "configurationId": "c", "bucket": bucket, "object": object}
        }]})
        .to_string()
    }

    #[test]
    fn keys_arrive_form_encoded() {
        for (encoded, key) in
            [("a/b.jpg", "a/b.jpg"), ("%C3%BCn%C3%AF+c%C3%B6d%C3%A9+%2B+space%252B/../x.jpg", "ünï cödé + space%2B/../x.jpg")]
        {
            let uploads = created_uploads(&event("ObjectCreated:Put", encoded)).unwrap();
            assert_eq!(uploads, [UploadRef { bucket: "uploads".into(), key: key.into(), version: "v1".into() }]);
        }
    }

    #[test]
    fn what_is_no_upload_is_passed_over_and_what_is_no_event_is_an_error() {
        assert_eq!(created_uploads(&event("ObjectRemoved:Delete", "a")).unwrap(), []);
        assert_eq!(created_uploads(r#"{"Service":"Amazon S3","Event":"s3:TestEvent"}"#).unwrap(), []);
        assert!(created_uploads("not json").is_err());
        assert!(created_uploads("{}").is_err());
    }
}
