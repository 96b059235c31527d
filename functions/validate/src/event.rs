//! S3's event as it arrives in the queue, and the one by which GuardDuty tells what it found in an object.

use anyhow::Context as _;
use percent_encoding::percent_decode_str;
use photovault_domain::{MediaId, Scan, UserId};
use photovault_vault::UploadRef;
use serde::Deserialize;
use serde_json::Value;

/// The `detail-type` of GuardDuty's event (GuardDuty user guide, "Monitoring object scan results with Amazon EventBridge").
const SCAN_RESULT: &str = "GuardDuty Malware Protection Object Scan Result";

/// What GuardDuty is called in a receipt.
pub(crate) const GUARD_DUTY: &str = "GuardDuty";

/// An upload that a message is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// Which.
    pub upload: UploadRef,
    /// What a scanner said of it, where the message is its result.
    pub scan: Option<Scan>,
}

/// The uploads of a message, for who only wants to know which they are.
pub fn created_uploads(body: &str) -> anyhow::Result<Vec<UploadRef>> {
    Ok(arrivals(body)?.into_iter().map(|arrival| arrival.upload).collect())
}

/// The uploads of an S3 event message (test events and deletions are none), or the one of a scan result.
///
/// Keys arrive form-encoded: `+` is a space, `%2B` a plus.
pub fn arrivals(body: &str) -> anyhow::Result<Vec<Arrival>> {
    let message: Message = serde_json::from_str(body).context("the message is no event")?;
    if message.event.as_deref() == Some("s3:TestEvent") {
        return Ok(Vec::new());
    }
    if message.detail_type.as_deref() == Some(SCAN_RESULT) {
        return Ok(vec![scan_result(&message.detail)?]);
    }
    let records = message.records.context("the message is not an S3 event")?;
    let mut uploads = Vec::new();
    for Record { event_name, s3: S3 { bucket, object } } in records {
        if !event_name.starts_with("ObjectCreated:") {
            continue;
        }
        let encoded = object.key.replace('+', " ");
        let key = percent_decode_str(&encoded).decode_utf8().context("the key is not UTF-8")?.into_owned();
        let upload = UploadRef { bucket: bucket.name, key, version: object.version_id };
        uploads.push(Arrival { upload, scan: None });
    }
    Ok(uploads)
}

/// Of S3's and GuardDuty's events what is needed: other stores leave out what is not.
#[derive(Deserialize)]
struct Message {
    #[serde(rename = "Event")]
    event: Option<String>,
    #[serde(rename = "detail-type")]
    detail_type: Option<String>,
    #[serde(default)]
    detail: Value,
    #[serde(rename = "Records")]
    records: Option<Vec<Record>>,
}

#[derive(Deserialize)]
struct Record {
    #[serde(rename = "eventName")]
    event_name: String,
    s3: S3,
}

#[derive(Deserialize)]
struct S3 {
    bucket: Bucket,
    object: Object,
}

#[derive(Deserialize)]
struct Bucket {
    name: String,
}

#[derive(Deserialize)]
struct Object {
    key: String,
    /// Empty where the bucket has no versions.
    #[serde(rename = "versionId", default)]
    version_id: String,
}

/// Keys stand in this event as they are. Whatever is not said to be free of threats is not clean.
fn scan_result(detail: &Value) -> anyhow::Result<Arrival> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let object = &detail["s3ObjectDetails"];
    let upload = UploadRef {
        bucket: text(&object["bucketName"]).context("the scan result names no bucket")?,
        key: text(&object["objectKey"]).context("the scan result names no key")?,
        version: text(&object["versionId"]).unwrap_or_default(),
    };
    let by = GUARD_DUTY.to_owned();
    let result = &detail["scanResultDetails"];
    let scan = match result["scanResultStatus"].as_str() {
        Some("NO_THREATS_FOUND") => Scan::Clean { by },
        Some("THREATS_FOUND") => {
            let name = text(&result["threats"][0]["name"]).unwrap_or_else(|| "a threat without a name".to_owned());
            Scan::Infected { by, name }
        }
        other => Scan::Unfinished { by, why: format!("its result is {}", other.unwrap_or("missing")) },
    };
    Ok(Arrival { upload, scan: Some(scan) })
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
    fn what_is_not_needed_may_be_missing() {
        let event = r#"{"Records":[{"eventName":"ObjectCreated:Copy","s3":{"bucket":{"name":"b"},"object":{"key":"k"}}}]}"#;
        assert_eq!(created_uploads(event).unwrap(), [UploadRef { bucket: "b".into(), key: "k".into(), version: String::new() }]);
        assert!(
            created_uploads(r#"{"Records":[{"eventName":"ObjectCreated:Put","s3":{"bucket":{"name":"b"},"object":{}}}]}"#)
                .is_err()
        );
    }

    #[test]
    fn a_scan_result_names_its_upload() {
        let result = |status: &str| {
            let details = serde_json::json!({"bucketName": "uploads", "objectKey": "a b+%2B.jpg", "versionId": "v1"});
            let found = serde_json::json!({"scanResultStatus": status, "threats": [{"name": "EICAR-Test-File"}]});
            let detail = serde_json::json!({"scanStatus": "COMPLETED", "s3ObjectDetails": details, "scanResultDetails": found});
            let event = serde_json::json!({"source": "aws.guardduty", "detail-type": SCAN_RESULT, "detail": detail});
            arrivals(&event.to_string()).unwrap().remove(0)
        };
        let by = "GuardDuty".to_owned();
        let clean = result("NO_THREATS_FOUND");
        assert_eq!(clean.upload, UploadRef { bucket: "uploads".into(), key: "a b+%2B.jpg".into(), version: "v1".into() });
        assert_eq!(clean.scan, Some(Scan::Clean { by: by.clone() }));
        assert_eq!(result("THREATS_FOUND").scan, Some(Scan::Infected { by, name: "EICAR-Test-File".to_owned() }));
        for other in ["UNSUPPORTED", "ACCESS_DENIED", "FAILED", ""] {
            assert!(matches!(result(other).scan, Some(Scan::Unfinished { .. })), "{other}");
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
